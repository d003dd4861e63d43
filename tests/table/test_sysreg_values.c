/* Laws over every row: names, encodings and fields; RES0 and RES1 by field, reset values, writes that are idempotent. */
#include "csr/riscv/csr.h"
#include "sysreg_world.h"

/* Rows whose fields are those of two layouts, by HCR_EL2.E2H. */
static bool two_layouts(unsigned id) { return id == SR_cptr_el2 || id == SR_tcr_el2 || id == SR_cnthctl_el2; }

static void names_and_encodings_are_unique(void **state)
{
    static uint16_t by_key[65536];
    (void)state;
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        char name[40], upper[40];
        unsigned key = sysreg_key_of(id);
        sysreg_name(id, name, sizeof name);
        for (unsigned i = 0; i < sizeof upper; i++)
            upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
        assert_int_equal(sysreg_by_name(name), id);
        assert_int_equal(sysreg_by_name(upper), id);
        assert_int_equal(csr_num_by_name(name), -1); /* nor has the other architecture the name: `trapline doc` */
        if (key && by_key[key])
            fail_msg("%s has the encoding of row %u", name, by_key[key]);
        by_key[key] = (uint16_t)id;
    }
    assert_int_equal(sysreg_by_name("sctlr_el4"), SR_NONE);
    assert_int_equal(sysreg_by_name("dbgbvr64_el1"), SR_NONE);
    char generic[24];
    sysreg_generic_name(sysreg_key(3, 0, 15, 2, 1), generic, sizeof generic);
    assert_string_equal(generic, "s3_0_c15_c2_1");
}

static void rows_are_well_formed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sysreg_row_count(); i++) {
        const struct sysreg_row *row = sysreg_row_at(i);
        const char *spec;
        assert_true(*row->title && *sysreg_when_title(row->when) && *sysreg_group(row->id, &spec) && *spec);
        assert_ptr_equal(sysreg_row_of(row->id), row);
        assert_ptr_equal(sysreg_row_of(row->id + row->count - 1u), row);
        for (unsigned k = 0; k < row->nfields; k++) {
            const struct sysreg_field *f = &row->fields[k];
            if (f->msb > 63 || f->lsb > f->msb || !*f->name || !*f->meaning)
                fail_msg("%s.%s", row->name, f->name);
        }
    }
}

/* Fields that are there together do not share bits. */
static void fields_do_not_overlap(void **state)
{
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned i = 0; i < sysreg_row_count(); i++) {
            const struct sysreg_row *row = sysreg_row_at(i);
            uint64_t seen = 0;
            for (unsigned k = 0; k < row->nfields && !two_layouts(row->id); k++) {
                const struct sysreg_field *f = &row->fields[k];
                uint64_t mask = bits_mask(f->lsb, f->msb - f->lsb + 1u);
                if (!sysreg_holds(&w.cfg, f->when))
                    continue;
                if (seen & mask)
                    fail_msg("%s.%s shares bits", row->name, f->name);
                seen |= mask;
            }
        }
        pe_end(&w);
    }
}

/* By the texts of the rules: bits that can be 1, that are always 1. */
static void masks(const struct pe_world *w, unsigned id, uint64_t *can, uint64_t *must)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    *can = *must = 0;
    for (unsigned k = 0; k < row->nfields; k++) {
        const struct sysreg_field *f = &row->fields[k];
        uint64_t mask = bits_mask(f->lsb, f->msb - f->lsb + 1u);
        if (!sysreg_holds(&w->cfg, f->when) || !strcmp(f->rule_text, "RES0") || !strcmp(f->rule_text, "WO"))
            continue;
        *can |= mask;
        if (!strcmp(f->rule_text, "RES1"))
            *must |= mask;
    }
}

static bool reads_by_hook_of_the_outside(unsigned id)
{
    return id == SR_rndr || id == SR_rndrrs ||
           (pe_kind(id, "LIVE") && strstr(sysreg_row_of(id)->name, "ic") == sysreg_row_of(id)->name);
}

/* EL2 registers are RES0 when EL3 reaches them without EL2. */
static bool res0_here(const struct pe_world *w, unsigned id)
{
    unsigned op1 = sysreg_key_of(id) >> 11 & 7;
    return !pe_has(w, FEAT_EL2) && op1 == 4 && sysreg_key_of(id) >> 14 == 3 && id != SR_sp_el1 && id != SR_vpidr_el2 &&
           id != SR_vmpidr_el2;
}

static void res0_and_res1_bits_stay(void **state)
{
    uint64_t rng = 3;
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned round = 0; round < 40; round++) {
            pe_random(&w, &rng);
            for_ids(&w, id)
            {
                uint64_t can, must, v = round == 0 ? UINT64_MAX : round == 1 ? 0 : rng_next(&rng);
                if (pe_kind(id, "INSN") || pe_kind(id, "ALIAS") || reads_by_hook_of_the_outside(id))
                    continue;
                masks(&w, id, &can, &must);
                for_levels(&w, el)
                {
                    if (!pe_kind(id, "CONST") && strcmp(sysreg_row_of(id)->name, "scr_el3"))
                        pe_write(&w, el, id, v);
                    if (id == SR_pmxevtyper_el0 || id == SR_pmxevcntr_el0)
                        continue; /* as wide as the selected one, which need not be there */
                    uint64_t is = pe_read(&w, el, id);
                    if (res0_here(&w, id) ? is != 0 : is & ~can || (is & must) != must)
                        fail_msg("%s at EL%u: %#llx written, %#llx read; can be %#llx, must be %#llx", pe_about(&w, id), el,
                                 (unsigned long long)v, (unsigned long long)is, (unsigned long long)can,
                                 (unsigned long long)must);
                }
            }
        }
        pe_end(&w);
    }
}

/* Bits that software can change and RES1 bits, of a PE with everything and of one of Armv8.0 (0, 0: not there). */
static const struct {
    const char *name;
    uint64_t max, max_ones, v80, v80_ones;
} known_bits[] = {
    {"sctlr_el1", 0xee03fff9cffdfe5f, 0x30000180, 0x70dd21f, 0x30d00980},
    {"sctlr_el2", 0xee03fff9cffdfdff, 0x30000000, 0x208100f, 0x30c50830},
    {"sctlr_el3", 0x68001b30ca68384f, 0x30850030, 0x208100f, 0x30c50830},
    {"cpacr_el1", 0x20300000, 0x0, 0x300000, 0x0},
    {"cptr_el2", 0xa03037ff, 0x0, 0x80000400, 0x33ff},
    {"cptr_el3", 0x80000400, 0x0, 0x80000400, 0x0},
    {"hcr_el2", 0xfff6c33f5fff7fff, 0x80000000, 0x35fff7fff, 0x80000000},
    {"hcrx_el2", 0x1cc3d8, 0x0, 0, 0},
    {"scr_el3", 0x8387d43fe3ffb8f, 0x430, 0x3b8f, 0x430},
    {"mdcr_el2", 0xb00ec820fff, 0x0, 0xfff, 0x0},
    {"mdcr_el3", 0x7b0cc8b306c0, 0x0, 0x330640, 0x0},
    {"vbar_el1", 0xfffffffffffff800, 0x0, 0xfffffffffffff800, 0x0},
    {"elr_el1", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"spsr_el1", 0x3f3f03fdf, 0x0, 0xf03003df, 0x0},
    {"spsr_el2", 0x3f3f03fdf, 0x0, 0xf03003df, 0x0},
    {"spsr_el3", 0x3f3f03fdf, 0x0, 0xf03003df, 0x0},
    {"esr_el1", 0xffffffffffffff, 0x0, 0xffffffffffffff, 0x0},
    {"esr_el2", 0xffffffffffffff, 0x0, 0xffffffffffffff, 0x0},
    {"far_el1", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"hpfar_el2", 0x80000ffffffffff0, 0x0, 0xfffffff0, 0x0},
    {"tcr_el1", 0x3f9ffff7ffffffbf, 0x0, 0x77ffffffbf, 0x0},
    {"tcr_el2", 0x3f9ffff7ffffffbf, 0x0, 0x17ff3f, 0x80800000},
    {"tcr_el3", 0x43f7f77ff3f, 0x80800000, 0x17ff3f, 0x80800000},
    {"ttbr0_el1", 0xffffffffffffffff, 0x0, 0xfffffffffffffffe, 0x0},
    {"ttbr1_el1", 0xffffffffffffffff, 0x0, 0xfffffffffffffffe, 0x0},
    {"ttbr0_el2", 0xffffffffffffffff, 0x0, 0xfffffffffffe, 0x0},
    {"ttbr0_el3", 0xffffffffffff, 0x0, 0xfffffffffffe, 0x0},
    {"vttbr_el2", 0xffffffffffffffff, 0x0, 0xfffffffffffffe, 0x0},
    {"vtcr_el2", 0x123f7e6fffff, 0x80000000, 0x7ffff, 0x80000000},
    {"vsttbr_el2", 0xffffffffffff, 0x0, 0, 0},
    {"vstcr_el2", 0x26000c0ff, 0x80000000, 0, 0},
    {"mair_el1", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"contextidr_el1", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"par_el1", 0xff0ffffffffff7ff, 0x800, 0xff0ffffffffff7ff, 0x800},
    {"csselr_el1", 0x1f, 0x0, 0xf, 0x0},
    {"cntkctl_el1", 0x203ff, 0x0, 0x3ff, 0x0},
    {"cnthctl_el2", 0x3ffff, 0x0, 0xff, 0x0},
    {"cntp_ctl_el0", 0x3, 0x0, 0x3, 0x0},
    {"cntfrq_el0", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"mdscr_el1", 0x96ce0f041, 0x0, 0x6ce0f041, 0x0},
    {"mdselr_el1", 0x0, 0x0, 0, 0},
    {"dbgbcr0_el1", 0xc01fe007, 0x1e0, 0x1fe007, 0x1e0},
    {"dbgwcr0_el1", 0xdf1fffff, 0x0, 0x1f1fffff, 0x0},
    {"dbgwvr0_el1", 0xfffffffffffffffc, 0x0, 0xfffffffffffffffc, 0x0},
    {"pmcr_el0", 0x2b7, 0x40, 0x37, 0x40},
    {"pmselr_el0", 0x1f, 0x0, 0x1f, 0x0},
    {"pmuserenr_el0", 0x7f, 0x0, 0xf, 0x0},
    {"pmicfiltr_el0", 0x4000000fd000000, 0x8, 0, 0},
    {"pmuacr_el1", 0x18000003f, 0x0, 0, 0},
    {"pmiar_el1", 0xfffffffffffffffc, 0x0, 0, 0},
    {"pmecr_el1", 0x1f, 0x0, 0, 0},
    {"pmccfiltr_el0", 0xfd000000, 0x0, 0xfc000000, 0x0},
    {"pmevtyper0_el0", 0xf4000ffffd00ffff, 0x0, 0xfc0003ff, 0x0},
    {"gcr_el1", 0x1ffff, 0x0, 0, 0},
    {"rgsr_el1", 0xffff0f, 0x0, 0, 0},
    {"tfsr_el1", 0x3, 0x0, 0, 0},
    {"tfsr_el3", 0x1, 0x0, 0, 0},
    {"tfsre0_el1", 0x3, 0x0, 0, 0},
    {"disr_el1", 0x81ffffff, 0x0, 0, 0},
    {"vsesr_el2", 0x1ffffff, 0x0, 0, 0},
    {"vdisr_el2", 0x81ffffff, 0x0, 0, 0},
    {"ich_hcr_el2", 0xf8005cff, 0x0, 0xf8005cff, 0x0},
    {"ich_vmcr_el2", 0xf8fc0213, 0x8, 0xf8fc0213, 0x8},
    {"ich_lr0_el2", 0xf8f81fff00ffffff, 0x0, 0xf0f81fff0000ffff, 0x0},
    {"ich_ap0r0_el2", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"icc_pmr_el1", 0xf8, 0x0, 0xf8, 0x0},
    {"hfgrtr_el2", 0xff03ffffffffffff, 0x0, 0, 0},
    {"hfgwtr_el2", 0xff03baffe9db39fb, 0x0, 0, 0},
    {"hfgitr_el2", 0x507fffffffffffff, 0x0, 0, 0},
    {"hdfgrtr_el2", 0x6000000004ff6ff, 0x0, 0, 0},
    {"hdfgwtr_el2", 0x2000000003ff5bf, 0x0, 0, 0},
    {"tcr2_el1", 0x81f, 0x0, 0, 0},
    {"tcr2_el2", 0x81f, 0x0, 0, 0},
    {"s2pir_el2", 0xffffffffffffffff, 0x0, 0, 0},
    {"s2por_el1", 0xffffffffffffffff, 0x0, 0, 0},
    {"mair2_el1", 0xffffffffffffffff, 0x0, 0, 0},
    {"mair2_el2", 0xffffffffffffffff, 0x0, 0, 0},
    {"mair2_el3", 0xffffffffffffffff, 0x0, 0, 0},
    {"amair2_el1", 0x0, 0x0, 0, 0},
    {"amair2_el2", 0x0, 0x0, 0, 0},
    {"amair2_el3", 0x0, 0x0, 0, 0},
    {"pfar_el1", 0x800fffffffffffff, 0x0, 0, 0},
    {"pfar_el2", 0x800fffffffffffff, 0x0, 0, 0},
    {"mfar_el3", 0x800fffffffffffff, 0x0, 0, 0},
    {"hfgrtr2_el2", 0x7, 0x0, 0, 0},
    {"hfgwtr2_el2", 0x5, 0x0, 0, 0},
    {"hfgitr2_el2", 0x0, 0x0, 0, 0},
    {"hdfgrtr2_el2", 0xff, 0x0, 0, 0},
    {"hdfgwtr2_el2", 0x2000bf, 0x0, 0, 0},
    {"sctlr2_el1", 0x3c, 0x0, 0, 0},
    {"sctlr2_el2", 0x3c, 0x0, 0, 0},
    {"sctlr2_el3", 0x18, 0x0, 0, 0},
    {"erxgsr_el1", 0x0, 0x0, 0, 0},
    {"rcwmask_el1", 0xffec00000003fffe, 0x0, 0, 0},
    {"rcwsmask_el1", 0xfffc00000003fffe, 0x0, 0, 0},
    {"pir_el1", 0xffffffffffffffff, 0x0, 0, 0},
    {"pire0_el1", 0xffffffffffffffff, 0x0, 0, 0},
    {"pir_el2", 0xffffffffffffffff, 0x0, 0, 0},
    {"pire0_el2", 0xffffffffffffffff, 0x0, 0, 0},
    {"pir_el3", 0xffffffffffffffff, 0x0, 0, 0},
    {"por_el0", 0xffffffffffffffff, 0x0, 0, 0},
    {"por_el1", 0xffffffffffffffff, 0x0, 0, 0},
    {"por_el2", 0xffffffffffffffff, 0x0, 0, 0},
    {"por_el3", 0xffffffffffffffff, 0x0, 0, 0},
    {"actlr_el1", 0x0, 0x0, 0x0, 0x0},
    {"hstr_el2", 0x0, 0x0, 0x0, 0x0},
    {"lorc_el1", 0x0, 0x0, 0, 0},
    {"afsr0_el1", 0x0, 0x0, 0x0, 0x0},
    {"amair_el2", 0x0, 0x0, 0x0, 0x0},
    {"afsr1_el1", 0x0, 0x0, 0x0, 0x0},
    {"ttbr1_el2", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"vpidr_el2", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"vmpidr_el2", 0xff41ffffff, 0x80000000, 0xff41ffffff, 0x80000000},
    {"actlr_el2", 0x0, 0x0, 0x0, 0x0},
    {"actlr_el3", 0x0, 0x0, 0x0, 0x0},
    {"hacr_el2", 0x0, 0x0, 0x0, 0x0},
    {"vbar_el2", 0xfffffffffffff800, 0x0, 0xfffffffffffff800, 0x0},
    {"vbar_el3", 0xfffffffffffff800, 0x0, 0xfffffffffffff800, 0x0},
    {"elr_el2", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"elr_el3", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"esr_el3", 0xffffffffffffff, 0x0, 0xffffffffffffff, 0x0},
    {"far_el2", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"far_el3", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"afsr0_el2", 0x0, 0x0, 0x0, 0x0},
    {"afsr0_el3", 0x0, 0x0, 0x0, 0x0},
    {"afsr1_el2", 0x0, 0x0, 0x0, 0x0},
    {"afsr1_el3", 0x0, 0x0, 0x0, 0x0},
    {"mair_el2", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"mair_el3", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"amair_el1", 0x0, 0x0, 0x0, 0x0},
    {"amair_el3", 0x0, 0x0, 0x0, 0x0},
    {"contextidr_el2", 0xffffffff, 0x0, 0x0, 0x0},
    {"lorsa_el1", 0x0, 0x0, 0x0, 0x0},
    {"lorea_el1", 0x0, 0x0, 0x0, 0x0},
    {"lorn_el1", 0x0, 0x0, 0x0, 0x0},
    {"tpidr_el0", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"tpidrro_el0", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"tpidr_el1", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"tpidr_el2", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"tpidr_el3", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"scxtnum_el0", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"scxtnum_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"scxtnum_el2", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"scxtnum_el3", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"cntvoff_el2", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"cntpoff_el2", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"cntp_cval_el0", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"cntv_ctl_el0", 0x3, 0x0, 0x3, 0x0},
    {"cntv_cval_el0", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"cnthp_ctl_el2", 0x3, 0x0, 0x3, 0x0},
    {"cnthp_cval_el2", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"cnthv_ctl_el2", 0x3, 0x0, 0x0, 0x0},
    {"cnthv_cval_el2", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"cnthps_ctl_el2", 0x3, 0x0, 0x0, 0x0},
    {"cnthps_cval_el2", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"cnthvs_ctl_el2", 0x3, 0x0, 0x0, 0x0},
    {"cnthvs_cval_el2", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"cntps_ctl_el1", 0x3, 0x0, 0x3, 0x0},
    {"cntps_cval_el1", 0xffffffffffffffff, 0x0, 0xffffffffffffffff, 0x0},
    {"apiakeylo_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apiakeyhi_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apibkeylo_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apibkeyhi_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apdakeylo_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apdakeyhi_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apdbkeylo_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apdbkeyhi_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apgakeylo_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"apgakeyhi_el1", 0xffffffffffffffff, 0x0, 0x0, 0x0},
    {"tfsr_el2", 0x3, 0x0, 0x0, 0x0},
    {"errselr_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxfr_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxctlr_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxstatus_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxaddr_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxpfgf_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxpfgctl_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxpfgcdn_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxmisc0_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxmisc1_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxmisc2_el1", 0x0, 0x0, 0x0, 0x0},
    {"erxmisc3_el1", 0x0, 0x0, 0x0, 0x0},
    {"mdccint_el1", 0x60000000, 0x0, 0x60000000, 0x0},
    {"osdtrrx_el1", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"osdtrtx_el1", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"oseccr_el1", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"dbgbvr0_el1", 0xfffffffffffffffc, 0x0, 0xfffffffffffffffc, 0x0},
    {"osdlr_el1", 0x0, 0x0, 0x1, 0x0},
    {"dbgprcr_el1", 0x1, 0x0, 0x1, 0x0},
    {"icc_ap0r0_el1", 0xffffffff, 0x0, 0xffffffff, 0x0},
    {"icc_igrpen0_el1", 0x1, 0x0, 0x1, 0x0},
    {"icc_ap1r0_el1", 0x80000000ffffffff, 0x0, 0xffffffff, 0x0},
    {"icc_igrpen1_el1", 0x1, 0x0, 0x1, 0x0},
    {"ich_ap1r0_el2", 0x80000000ffffffff, 0x0, 0xffffffff, 0x0},
};

static void writable_bits_are_the_manuals(void **state)
{
    /* Read-only ones, those whose writes set or clear, and those with least values have tests of their own. */
    static const char *const others[] = {"mpidr_el1",      "oslsr_el1",       "dbgclaimclr_el1", "pmcntenset_el0", "pmovsset_el0",
                                         "pmintenset_el1", "icc_bpr0_el1",    "icc_bpr1_el1",    "icc_ctlr_el1",   "icc_ctlr_el3",
                                         "pmsscr_el1",     "pmevcntsvr0_el1", "pmccntsvr_el1",   "pmicntsvr_el1"};
    static bool listed[SYSREG_COUNT];
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known_bits); i++)
        listed[sysreg_row_of(pe_id(known_bits[i].name))->id] = true;
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        listed[pe_id(others[i])] = true;
    for (unsigned i = 0; i < sysreg_row_count(); i++) {
        const struct sysreg_row *row = sysreg_row_at(i);
        if ((!strncmp(row->kind, "OWN", 3) || !strncmp(row->kind, "BANK", 4)) && !listed[row->id])
            fail_msg("nothing is known of the bits of %s", row->name);
    }
    for (unsigned a53 = 0; a53 < 2; a53++) {
        struct pe_world w;
        pe_new(&w, a53 ? "cortex-a53" : "max");
        for (unsigned i = 0; i < ARRAY_LEN(known_bits); i++) {
            unsigned id = pe_id(known_bits[i].name);
            uint64_t mask = a53 ? known_bits[i].v80 : known_bits[i].max,
                     ones = a53 ? known_bits[i].v80_ones : known_bits[i].max_ones, set, clear;
            if (!mask && !ones && !sysreg_exists(w.map, id))
                continue;
            pe_write(&w, 3, id, UINT64_MAX);
            set = pe_read(&w, 3, id);
            pe_write(&w, 3, id, 0);
            clear = pe_read(&w, 3, id);
            uint64_t view = 0;
            if (id == SR_pmcr_el0)
                view = 0xffffff06; /* N, IDCODE, IMP; P and C read as zero */
            else if (strstr(known_bits[i].name, "_ctl_") && !strncmp(known_bits[i].name, "cnt", 3))
                view = 4; /* ISTATUS */
            else if (id == SR_ich_vmcr_el2)
                view = 0xfc0000; /* binary points have a least value */
            if (((set ^ (mask | ones)) | (clear ^ ones)) & ~view)
                fail_msg("%s: %#llx after all ones, %#llx after all zeroes", pe_about(&w, id), (unsigned long long)set,
                         (unsigned long long)clear);
        }
        pe_end(&w);
    }
}

/* Bits that go with a feature, and with it alone. */
static void fields_follow_their_features(void **state)
{
    static const struct {
        const char *off, *name;
        uint64_t bits;
    } lost[] = {
#define LOST(off, name, bits) {off, name, bits},
#include "sysreg_lost.def"
#undef LOST
    };
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned i = 0; i < ARRAY_LEN(lost); i++) {
        struct pe_world without;
        char text[60];
        uint64_t can, must, less, unused;
        snprintf(text, sizeof text, "max,%s", lost[i].off);
        pe_new(&without, text);
        masks(&w, pe_id(lost[i].name), &can, &must);
        masks(&without, pe_id(lost[i].name), &less, &unused);
        if ((can & ~less) != lost[i].bits || (less & ~can))
            fail_msg("%s loses %#llx", pe_about(&without, pe_id(lost[i].name)), (unsigned long long)(can & ~less));
        pe_end(&without);
    }
    pe_end(&w);
}

/* Writing back what is read changes nothing and has no effect; so have two writes of one value the result of one. */
static void writes_are_idempotent(void **state)
{
    static const char *const acts[] = {"pmswinc_el0",     "oslar_el1",       "pmovsclr_el0",  "pmcntenclr_el0", "pmintenclr_el1",
                                       "dbgclaimclr_el1", "dbgclaimset_el1", "pmxevcntr_el0", "pmxevtyper_el0"};
    uint64_t rng = 5;
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned round = 0; round < 40; round++) {
            pe_random(&w, &rng);
            for_ids(&w, id)
            {
                bool skip = pe_kind(id, "INSN") || pe_kind(id, "ALIAS") || reads_by_hook_of_the_outside(id);
                for (unsigned i = 0; i < ARRAY_LEN(acts); i++)
                    skip |= !strcmp(sysreg_row_of(id)->name, acts[i]);
                if (skip)
                    continue;
                for_levels(&w, el)
                {
                    uint64_t v = rng_next(&rng);
                    pe_write(&w, el, id, v);
                    uint64_t once = pe_read(&w, el, id);
                    pe_write(&w, el, id, v);
                    uint64_t twice = pe_read(&w, el, id);
                    uint32_t fx = pe_write(&w, el, id, once);
                    if (once != twice || pe_read(&w, el, id) != once)
                        fail_msg("%s at EL%u: %#llx, then %#llx, then %#llx", pe_about(&w, id), el, (unsigned long long)once,
                                 (unsigned long long)twice, (unsigned long long)pe_read(&w, el, id));
                    if (fx && (pe_kind(id, "OWN") || pe_kind(id, "OWNS")) && id != SR_pmcr_el0)
                        fail_msg("%s: a write that changes nothing has effects %#x", pe_about(&w, id), fx);
                }
            }
        }
        pe_end(&w);
    }
}

static void set_fields_keep_their_value_when_the_new_one_is_illegal(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,mte3=off");
    for (uint64_t v = 0; v < 4; v++) { /* TCF: asymmetric faults need FEAT_MTE3 */
        pe_write(&w, 3, SR_sctlr_el1, UINT64_C(1) << 40);
        pe_write(&w, 3, SR_sctlr_el1, v << 40);
        assert_int_equal(bits_get(pe_read(&w, 3, SR_sctlr_el1), 41, 40), v == 3 ? 1 : v);
    }
    pe_end(&w);
}

/* Reset values that software finds; the others are 0 but for RES1 bits. */
static void reset_values_are_the_manuals(void **state)
{
    static bool listed[SYSREG_COUNT];
    static const struct {
        const char *cfg, *name;
        uint64_t value;
    } known[] = {
        {"max", "sctlr_el1", 0x30d00980},
        {"max", "sctlr_el2", 0x30c50830},
        {"max", "sctlr_el3", 0x30c50830},
        {"cortex-a53", "sctlr_el1", 0x30d00980},
        {"cortex-a53", "sctlr_el2", 0x30c50830},
        {"cortex-a53", "sctlr_el3", 0x30c50830},
        {"max", "hcr_el2", 0x80000000},
        {"max", "scr_el3", 0x430},
        {"max", "cptr_el2", 0x33ff},
        {"cortex-a53", "cptr_el2", 0x33ff},
        {"max", "cptr_el3", 0},
        {"max", "mdcr_el2", 6},
        {"max,pmcounters=31", "mdcr_el2", 31},
        {"max", "oslsr_el1", 0xa},
        {"max", "pmcr_el0", 0x3040},
        {"max", "cntfrq_el0", 62500000},
        {"max", "vtcr_el2", 0x80000000},
        {"max", "tcr_el2", 0x80800000},
        {"cortex-a53", "tcr_el2", 0x80800000},
        {"max", "tcr_el3", 0x80800000},
        {"max", "par_el1", 0x800},
        {"max", "mpidr_el1", 0x180000203},
        {"max", "vmpidr_el2", 0x180000203},
        {"max", "vpidr_el2", 0x000f0740},
        {"max", "icc_sre_el1", 7},
        {"max", "icc_sre_el3", 15},
        {"max", "icc_bpr0_el1", 2},
        {"max", "icc_ctlr_el3", 0x8c00},
        {"max", "ich_vmcr_el2", 0x4c0008},
        {"max", "ich_vtr_el2", 0x90b80003},
        {"max", "dbgbcr0_el1", 0x1e0},
        {"max", "dbgclaimclr_el1", 0},
        {"max", "hfgrtr_el2", 0},
        {"max", "cnthctl_el2", 0x3},
        {"max", "pmicfiltr_el0", 0x8},
        {"max", "pmsscr_el1", 0x100000000},
        {"max", "icc_bpr1_el1", 0x2},
        {"max", "icc_ctlr_el1", 0x8c00},
        {"max,rvbar=0x80001000", "rvbar_el3", 0x80001000},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        struct pe_world w;
        pe_new(&w, known[i].cfg);
        uint64_t is = pe_read(&w, 3, pe_id(known[i].name));
        if (is != known[i].value)
            fail_msg("%s is %#llx", pe_about(&w, pe_id(known[i].name)), (unsigned long long)is);
        listed[sysreg_row_of(pe_id(known[i].name))->id] = true;
        pe_end(&w);
    }
    for (unsigned n = 0; pe_configs[n]; n++) { /* RES0 and RES1 hold from the start */
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for_ids(&w, id)
        {
            uint64_t can, must, is;
            if (!sysreg_peek(&w.c, id, &is) || res0_here(&w, id))
                continue;
            masks(&w, id, &can, &must);
            bool stored = pe_kind(id, "OWN") || pe_kind(id, "OWNS") || pe_kind(id, "BANK") || pe_kind(id, "BANKS");
            if (is & ~can || (is & must) != must || (is != must && stored && !listed[sysreg_row_of(id)->id]))
                fail_msg("%s is %#llx after a reset", pe_about(&w, id), (unsigned long long)is);
        }
        pe_end(&w);
    }
}

/* Without EL3 nothing asks it, and the PE is Non-secure; without EL2 there is none. */
static void missing_levels_leave_the_values_they_would_have(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,el3=off");
    assert_true(w.r.scr_el3 & 1);
    for_ids(&w, id)
    {
        for (unsigned el = 0; el < 3; el++)
            for (unsigned write = 0; write < 2; write++)
                assert_true(pe_check(&w, el, id, write).el < 3);
    }
    assert_outcome(&w, 2, SR_apiakeylo_el1, true, SYSREG_OK);
    assert_outcome(&w, 2, SR_hfgrtr_el2, true, SYSREG_OK);
    assert_outcome(&w, 2, SR_cntpoff_el2, true, SYSREG_OK);
    pe_end(&w);
    pe_new(&w, "max,el2=off");
    assert_int_equal(w.r.hcr_el2, 0x80000000);
    pe_write(&w, 3, SR_hcr_el2, UINT64_MAX);
    assert_int_equal(pe_read(&w, 3, SR_hcr_el2), 0);
    assert_int_equal(w.r.hcr_el2, 0x80000000);
    assert_outcome(&w, 1, SR_apiakeylo_el1, true, TO(3, 0x18)); /* SCR_EL3.APK is 0 after a reset */
    pe_end(&w);
    pe_new(&w, "max,el2=off,el3=off");
    assert_false(sysreg_exists(w.map, SR_hcr_el2) || sysreg_exists(w.map, SR_scr_el3) || sysreg_exists(w.map, SR_icc_sre_el2));
    assert_outcome(&w, 1, SR_cntfrq_el0, true, SYSREG_OK); /* the highest level writes it */
    assert_outcome(&w, 1, SR_rvbar_el1, false, SYSREG_OK);
    pe_end(&w);
}

static void writes_tell_their_effects(void **state)
{
    static const struct {
        const char *name;
        uint64_t value;
        uint32_t effects;
    } some[] = {
        {"ttbr0_el1", 0x1000, SYSREG_FX_TLB},
        {"vttbr_el2", 0x1000, SYSREG_FX_TLB},
        {"sctlr_el1", 1, SYSREG_FX_TLB | SYSREG_FX_IRQ | SYSREG_FX_FETCH | SYSREG_FX_CHECK | SYSREG_FX_PAUTH | SYSREG_FX_TAG},
        {"cntkctl_el1", 3, SYSREG_FX_TIMER},
        {"cntv_cval_el0", 1, SYSREG_FX_TIMER | SYSREG_FX_IRQ},
        {"cpacr_el1", 3u << 20, SYSREG_FX_FP},
        {"mdscr_el1", 1, SYSREG_FX_DEBUG | SYSREG_FX_CHECK},
        {"hfgitr_el2", 1, SYSREG_FX_CHECK},
        {"apiakeylo_el1", 1, SYSREG_FX_PAUTH},
        {"icc_pmr_el1", 0xf0, SYSREG_FX_IRQ | SYSREG_FX_GIC},
        {"tpidr_el1", 1, 0},
        {"elr_el1", 4, 0},
    };
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned i = 0; i < ARRAY_LEN(some); i++) {
        assert_int_equal(pe_write(&w, 3, pe_id(some[i].name), some[i].value), some[i].effects);
        assert_int_equal(pe_write(&w, 3, pe_id(some[i].name), some[i].value), 0);
    }
    uint32_t all = pe_write(&w, 3, SR_scr_el3, 1);
    assert_true(all & SYSREG_FX_STATE && all & SYSREG_FX_CHECK && all & SYSREG_FX_IRQ && all & SYSREG_FX_TLB);
    assert_true(pe_write(&w, 3, SR_hcr_el2, UINT64_C(1) << 34) & SYSREG_FX_STATE);
    pe_end(&w);
}

/* What changes sysreg_armed says so. */
static void whatever_arms_a_trap_has_the_effect_check(void **state)
{
    uint64_t rng = 9;
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        for (unsigned round = 0; round < 30; round++) {
            for_ids(&w, id)
            {
                if (pe_kind(id, "INSN") || pe_kind(id, "ALIAS") || pe_kind(id, "LIVE"))
                    continue;
                uint64_t before = sysreg_armed(&w.c);
                uint32_t fx = pe_write(&w, 3, id, rng_next(&rng) & rng_next(&rng));
                if (sysreg_armed(&w.c) != before && !(fx & SYSREG_FX_CHECK))
                    fail_msg("%s arms without saying so", pe_about(&w, id));
            }
        }
        pe_end(&w);
    }
}

static void values_print_as_their_fields(void **state)
{
    char text[200];
    (void)state;
    sysreg_print(SR_hcr_el2, 0x8000000080000001, text, sizeof text);
    assert_string_equal(text, "hcr_el2=0x8000000080000001 VM=1");
    sysreg_print(SR_sctlr_el1, 0x30d0198d, text, sizeof text);
    assert_string_equal(text, "sctlr_el1=0x30d0198d SPAN=1 EIS=1 TSCXT=1 I=1 EOS=1 SA=1 C=1 M=1");
    sysreg_print(SR_dbgbvr_el1 + 3, 0x1000, text, sizeof text);
    assert_string_equal(text, "dbgbvr3_el1=0x1000 VA=0x400");
    assert_int_equal(sysreg_print(SR_par_el1, 0xff00000000001000, NULL, 0),
                     (int)strlen("par_el1=0xff00000000001000 ATTR=255 PA=0x1"));
    sysreg_print(SR_par_el1, 0xff00000000001000, text, 12);
    assert_string_equal(text, "par_el1=0xf");
}

/* Places in the VNCR page (D8.11, table of the offsets), as Linux uses them, too. */
static void nested_places_are_the_manuals(void **state)
{
    static const struct {
        unsigned id, kind, arg;
    } known[] = {
        {SR_vttbr_el2, NV_KIND_MEM, 0x20},      {SR_vtcr_el2, NV_KIND_MEM, 0x40},
        {SR_vmpidr_el2, NV_KIND_MEM, 0x50},     {SR_cntvoff_el2, NV_KIND_MEM, 0x60},
        {SR_hcr_el2, NV_KIND_MEM, 0x78},        {SR_vpidr_el2, NV_KIND_MEM, 0x88},
        {SR_tpidr_el2, NV_KIND_MEM, 0x90},      {SR_sctlr_el1, NV_KIND_NV1_MEM, 0x110},
        {SR_tcr_el12, NV_KIND_NV12_MEM, 0x120}, {SR_mdscr_el1, NV_KIND_NV2_MEM, 0x158},
        {SR_s2por_el1, NV_KIND_NV2_MEM, 0x2b8}, {SR_cntv_ctl_el02, NV_KIND_NV12_MEM, 0x170},
        {SR_ttbr0_el1, NV_KIND_NV1_MEM, 0x200}, {SR_elr_el12, NV_KIND_NV12_MEM, 0x230},
        {SR_sp_el1, NV_KIND_MEM, 0x240},        {SR_vbar_el12, NV_KIND_NV12_MEM, 0x250},
        {SR_ich_lr_el2, NV_KIND_MEM, 0x400},    {SR_ich_lr_el2 + 15, NV_KIND_MEM, 0x478},
        {SR_ich_hcr_el2, NV_KIND_MEM, 0x4c0},   {SR_elr_el2, NV_KIND_EL1, SR_elr_el1},
        {SR_vbar_el2, NV_KIND_TRAP, 0},         {SR_sctlr_el2, NV_KIND_TRAP, 0},
        {SR_at_s1e1r, NV_KIND_AT, 0},           {SR_tpidr_el0, NV_KIND_NONE, 0},
        {SR_at_s1e2r, NV_KIND_TRAP, 0},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        struct sysreg_nv nv = sysreg_nv(known[i].id);
        if (nv.kind != known[i].kind || nv.arg != known[i].arg)
            fail_msg("%s: %u, %#x", sysreg_row_of(known[i].id)->name, nv.kind, nv.arg);
    }
}

/* A place belongs to one register; its _EL12 or _EL02 name has the same. */
static void nested_places_are_unique(void **state)
{
    static uint16_t whose[4096 / 8], other[4096 / 8];
    (void)state;
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        struct sysreg_nv nv = sysreg_nv(id);
        unsigned key = sysreg_key_of(id), op1 = key >> 11 & 7;
        bool alias = nv.kind == NV_KIND_NV12_MEM;
        if (sysreg_row_of(id) && key >> 14 && (op1 == 4 || op1 == 5) && nv.kind == NV_KIND_NONE)
            fail_msg("%s is of EL2 and does not trap", sysreg_row_of(id)->name);
        if (nv.kind == NV_KIND_EL1) /* the register of EL1 with the same CRn, CRm, op2 */
            assert_int_equal(sysreg_key_of(nv.arg), key & ~(7u << 11));
        if (nv.kind != NV_KIND_MEM && nv.kind != NV_KIND_NV1_MEM && nv.kind != NV_KIND_NV1_TRAP && !alias)
            continue;
        uint16_t *of = alias ? other : whose;
        if (nv.arg % 8 || nv.arg >= 4096 || of[nv.arg / 8])
            fail_msg("%s: %#x", sysreg_row_of(id)->name, nv.arg);
        of[nv.arg / 8] = (uint16_t)id;
    }
    for (unsigned i = 0; i < ARRAY_LEN(whose); i++) {
        if (!other[i])
            continue;
        struct pe_world w;
        pe_new(&w, "max");
        pe_open(&w, true, false);
        struct sysreg_access a = pe_check(&w, 2, other[i], false);
        assert_int_equal(a.result, SYSREG_OK);
        assert_int_equal(a.id, whose[i]);
        pe_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_encodings_are_unique),
        cmocka_unit_test(rows_are_well_formed),
        cmocka_unit_test(fields_do_not_overlap),
        cmocka_unit_test(res0_and_res1_bits_stay),
        cmocka_unit_test(writable_bits_are_the_manuals),
        cmocka_unit_test(fields_follow_their_features),
        cmocka_unit_test(writes_are_idempotent),
        cmocka_unit_test(set_fields_keep_their_value_when_the_new_one_is_illegal),
        cmocka_unit_test(reset_values_are_the_manuals),
        cmocka_unit_test(missing_levels_leave_the_values_they_would_have),
        cmocka_unit_test(writes_tell_their_effects),
        cmocka_unit_test(whatever_arms_a_trap_has_the_effect_check),
        cmocka_unit_test(values_print_as_their_fields),
        cmocka_unit_test(nested_places_are_the_manuals),
        cmocka_unit_test(nested_places_are_unique),
    };
    return cmocka_run_group_tests_name("sysreg_values", tests, NULL, NULL);
}
