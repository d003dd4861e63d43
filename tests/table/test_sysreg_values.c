/* Laws over every row: names, encodings and fields; RES0 and RES1 by field, reset values, writes that are idempotent. */
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
        if (key && by_key[key])
            fail_msg("%s has the encoding of row %u", name, by_key[key]);
        by_key[key] = (uint16_t)id;
    }
    assert_int_equal(sysreg_by_name("sctlr_el4"), SR_NONE);
    assert_int_equal(sysreg_by_name("dbgbvr16_el1"), SR_NONE);
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
    pe_new(&w, "max");
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
        {"max,rvbar=0x80001000", "rvbar_el3", 0x80001000},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        struct pe_world w;
        pe_new(&w, known[i].cfg);
        uint64_t is = pe_read(&w, 3, pe_id(known[i].name));
        if (is != known[i].value)
            fail_msg("%s is %#llx", pe_about(&w, pe_id(known[i].name)), (unsigned long long)is);
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
            if (is & ~can || (is & must) != must)
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
        {"sctlr_el1", 1, SYSREG_FX_TLB | SYSREG_FX_FETCH | SYSREG_FX_CHECK | SYSREG_FX_PAUTH | SYSREG_FX_TAG},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_encodings_are_unique),
        cmocka_unit_test(rows_are_well_formed),
        cmocka_unit_test(fields_do_not_overlap),
        cmocka_unit_test(res0_and_res1_bits_stay),
        cmocka_unit_test(writes_are_idempotent),
        cmocka_unit_test(set_fields_keep_their_value_when_the_new_one_is_illegal),
        cmocka_unit_test(reset_values_are_the_manuals),
        cmocka_unit_test(missing_levels_leave_the_values_they_would_have),
        cmocka_unit_test(writes_tell_their_effects),
        cmocka_unit_test(whatever_arms_a_trap_has_the_effect_check),
        cmocka_unit_test(values_print_as_their_fields),
    };
    return cmocka_run_group_tests_name("sysreg_values", tests, NULL, NULL);
}
