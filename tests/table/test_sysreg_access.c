/* Existence by feature, access by exception level, redirection, fine-grained traps, the fast path: stated a second time. */
#include "sysreg_world.h"

static bool in(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; (p = strstr(p, name)); p++)
        if ((p == list || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
            return true;
    return false;
}

static const char read_only[] =
    "midr_el1 mpidr_el1 revidr_el1 aidr_el1 ctr_el0 dczid_el0 ccsidr_el1 clidr_el1 mvfr0_el1 mvfr1_el1 mvfr2_el1 currentel "
    "isr_el1 rvbar_el1 "
    "rvbar_el2 rvbar_el3 cntpct_el0 cntvct_el0 cntpctss_el0 cntvctss_el0 rndr rndrrs gmid_el1 lorid_el1 erridr_el1 erxfr_el1 "
    "erxgsr_el1 "
    "erxpfgf_el1 "
    "pmevcntsvr pmccntsvr_el1 pmicntsvr_el1 mdccsr_el0 mdrar_el1 oslsr_el1 dbgauthstatus_el1 pmceid0_el0 pmceid1_el0 pmmir_el1 "
    "icc_iar0_el1 icc_iar1_el1 icc_hppir0_el1 "
    "icc_hppir1_el1 icc_nmiar1_el1 icc_rpr_el1 ich_vtr_el2 ich_misr_el2 ich_eisr_el2 ich_elrsr_el2";
static const char write_only[] =
    "oslar_el1 pmswinc_el0 pmzr_el0 icc_eoir0_el1 icc_eoir1_el1 icc_dir_el1 icc_sgi0r_el1 icc_sgi1r_el1 icc_asgi1r_el1";
static const char el0_reads[] = "tpidrro_el0 pmuserenr_el0 cntfrq_el0";
static const char secure_el2[] =
    "vsttbr_el2 vstcr_el2 cnthps_ctl_el2 cnthps_cval_el2 cnthps_tval_el2 cnthvs_ctl_el2 cnthvs_cval_el2 cnthvs_tval_el2";

/* What nothing but the level decides, in an open Non-secure world with E2H = 0: op1 says the lowest level (D24.1.2, C5.1.2). */
static bool level_allows(const struct pe_world *w, unsigned el, unsigned id, bool write)
{
    unsigned key = sysreg_key_of(id), op0 = key >> 14, op1 = key >> 11 & 7, crn = key >> 7 & 15;
    static const unsigned lowest[] = {1, 1, 1, 0, 2, 9, 3, 9};
    const char *name = sysreg_row_of(id)->name;
    if (op0 == 1)
        return write && el >= lowest[op1];
    if (op0 == 0)
        return write && (el > 0 || op1 == 3);
    if (in("tcr2_el1 sctlr2_el1", name) && el == 1 && pe_has(w, FEAT_EL2) && !pe_has(w, FEAT_HCX)) /* IsHCRXEL2Enabled */
        return false;
    if (in(secure_el2, name) || op1 == 5) /* of Secure EL2; _EL12 and _EL02 names */
        return false;
    if (in("pmicntr_el0 pmicfiltr_el0", name) && el == 0) /* PMUSERENR_EL0.UEN, without which PMCR_EL0 is open */
        return false;
    if (op1 == 7) /* of EL3 and Secure EL1 */
        return el == 3;
    if (write ? in(read_only, name) || !strncmp(name, "id_", 3) : in(write_only, name))
        return false;
    if (in(el0_reads, name))
        return write ? !strcmp(name, "cntfrq_el0") ? !(pe_levels(w) >> (el + 1)) : el > 0 : true;
    return el >= (op0 == 2 && crn != 9 && op1 != 3 ? 1 : lowest[op1]);
}

static bool pseudo(unsigned id) { return id == SR_unallocated_id || id == SR_impdef_register || id == SR_impdef_instruction; }

static void the_encoding_tells_the_lowest_level(void **state)
{
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        pe_open(&w, false, false);
        for_ids(&w, id)
        {
            if (!sysreg_key_of(id) || pseudo(id) ||
                (!w.cfg.pmu_counters && in("pmxevtyper_el0 pmxevcntr_el0", sysreg_row_of(id)->name)))
                continue;
            for_levels(&w, el)
            {
                for (unsigned write = 0; write < 2; write++) {
                    bool ok = pe_check(&w, el, id, write).result == SYSREG_OK;
                    if (ok != level_allows(&w, el, id, write))
                        fail_msg("%s, EL%u, %s: %d", pe_about(&w, id), el, write ? "write" : "read", ok);
                }
            }
        }
        pe_end(&w);
    }
}

static void sp_el0_is_undefined_while_it_is_in_use(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned el = 0; el < 4; el++) {
        for (unsigned spsel = 0; spsel < 2; spsel++) {
            w.c.spsel = (uint8_t)spsel;
            assert_outcome(&w, el, SR_sp_el0, false, el && spsel ? SYSREG_OK : SYSREG_UNDEFINED);
        }
    }
    pe_end(&w);
}

static void a_register_exists_with_its_feature_alone(void **state)
{
    char text[64];
    (void)state;
    for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
        struct pe_world with, without;
        pe_new(&with, "max");
        snprintf(text, sizeof text, "max,%s=off", arm_feat_name((enum arm_feat)f));
        pe_new(&without, text);
        for (unsigned id = 1; id < SYSREG_COUNT; id++) {
            const char *when = sysreg_when_title(sysreg_row_of(id)->when);
            unsigned key = sysreg_key_of(id);
            if (strncmp(when, "FEAT_", 5) || strcmp(when + 5, arm_feat_name((enum arm_feat)f)))
                continue;
            unsigned at = sysreg_find(without.map, key >> 14, key >> 11, key >> 7, key >> 3, key);
            bool there = pe_has(&with, (enum arm_feat)f) && !pe_kind(id, "ALIAS");
            if ((there && !sysreg_exists(with.map, id)) || sysreg_exists(without.map, id) ||
                (at != SR_NONE && at != SR_unallocated_id && key))
                fail_msg("%s does not follow %s", pe_about(&without, id), when);
            for (unsigned el = 0; el < 4; el++)
                assert_outcome(&without, el, id, true, SYSREG_UNDEFINED);
        }
        pe_end(&with);
        pe_end(&without);
    }
}

static void every_encoding_finds_its_row_and_no_other(void **state)
{
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        unsigned found = 0, there = 0;
        pe_new(&w, pe_configs[n]);
        for (unsigned key = 0; key < 0x10000; key++) {
            unsigned id = sysreg_find(w.map, key >> 14, key >> 11, key >> 7, key >> 3, key), crn = key >> 7 & 15;
            if (id == SR_NONE || id == SR_unallocated_id)
                continue;
            if (id == SR_impdef_register || id == SR_impdef_instruction) {
                assert_true(crn == 11 || crn == 15);
                assert_int_equal(key >> 14, id == SR_impdef_register ? 3 : 1);
                continue;
            }
            assert_int_equal(sysreg_key_of(id), key);
            assert_true(sysreg_exists(w.map, id));
            found++;
        }
        for_ids(&w, id) { there += sysreg_key_of(id) && !pseudo(id); }
        assert_int_equal(found, there);
        pe_end(&w);
    }
}

static void numbered_registers_are_as_many_as_configured(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,breakpoints=5,ctxcmps=2,watchpoints=3,pmcounters=7,gic-lrs=9,gic-prio=6");
    for (unsigned i = 0; i < 31; i++) {
        assert_int_equal(i < 16 && sysreg_exists(w.map, SR_dbgbvr_el1 + (i & 15)), i < 5);
        assert_int_equal(i < 16 && sysreg_exists(w.map, SR_dbgwcr_el1 + (i & 15)), i < 3);
        assert_int_equal(sysreg_exists(w.map, SR_pmevcntr_el0 + i), i < 7);
        assert_int_equal(sysreg_exists(w.map, SR_pmevtyper_el0 + i), i < 7);
        assert_int_equal(i < 16 && sysreg_exists(w.map, SR_ich_lr_el2 + (i & 15)), i < 9);
        assert_int_equal(i < 4 && sysreg_exists(w.map, SR_icc_ap0r_el1 + (i & 3)), i < 2);
        assert_int_equal(i < 4 && sysreg_exists(w.map, SR_ich_ap1r_el2 + (i & 3)), i < 2);
    }
    pe_end(&w);
}

/* ---- redirection ---------------------------------------------------------------------------------------------------------- */

/* From EL2 with E2H = 1, names of EL1 mean EL2 (D8.12.4, table "register redirection"). */
static const char *const hosts[][2] = {
    {"sctlr_el1", "sctlr_el2"},
    {"cpacr_el1", "cptr_el2"},
    {"ttbr0_el1", "ttbr0_el2"},
    {"ttbr1_el1", "ttbr1_el2"},
    {"tcr_el1", "tcr_el2"},
    {"sctlr2_el1", "sctlr2_el2"},
    {"tcr2_el1", "tcr2_el2"},
    {"pir_el1", "pir_el2"},
    {"pire0_el1", "pire0_el2"},
    {"por_el1", "por_el2"},
    {"afsr0_el1", "afsr0_el2"},
    {"afsr1_el1", "afsr1_el2"},
    {"esr_el1", "esr_el2"},
    {"far_el1", "far_el2"},
    {"pfar_el1", "pfar_el2"},
    {"mair_el1", "mair_el2"},
    {"amair_el1", "amair_el2"},
    {"mair2_el1", "mair2_el2"},
    {"amair2_el1", "amair2_el2"},
    {"vbar_el1", "vbar_el2"},
    {"spsr_el1", "spsr_el2"},
    {"elr_el1", "elr_el2"},
    {"contextidr_el1", "contextidr_el2"},
    {"tfsr_el1", "tfsr_el2"},
    {"scxtnum_el1", "scxtnum_el2"},
    {"cntkctl_el1", "cnthctl_el2"},
    {"cntp_ctl_el0", "cnthp_ctl_el2"},
    {"cntp_cval_el0", "cnthp_cval_el2"},
    {"cntp_tval_el0", "cnthp_tval_el2"},
    {"cntv_ctl_el0", "cnthv_ctl_el2"},
    {"cntv_cval_el0", "cnthv_cval_el2"},
    {"cntv_tval_el0", "cnthv_tval_el2"},
};

static const char *partner(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(hosts); i++)
        if (!strcmp(hosts[i][0], name))
            return hosts[i][1];
    return NULL;
}

static void e2h_redirects_what_the_table_says_and_nothing_else(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned k = 0; k < 4; k++) {
        bool e2h = k & 1, tge = k & 2;
        pe_open(&w, e2h, tge);
        for_ids(&w, id)
        {
            const char *to = partner(sysreg_row_of(id)->name);
            bool timer = to && !strncmp(to, "cnt", 3) && strcmp(to, "cnthctl_el2");
            if (pe_kind(id, "ALIAS"))
                continue;
            for (unsigned el = 0; el < 4; el++) {
                for (unsigned write = 0; write < 2; write++) {
                    struct sysreg_access a = pe_check(&w, el, id, write);
                    bool moved = to && e2h && (el == 2 || (el == 0 && tge && timer));
                    if (a.result == SYSREG_OK && a.id != (moved ? pe_id(to) : id))
                        fail_msg("%s, EL%u reaches %u", pe_about(&w, id), el, a.id);
                }
            }
        }
    }
    /* Secure EL2 and its host have timers of their own. */
    pe_open(&w, true, true);
    pe_bits(&w, "scr_el3", 1 | UINT64_C(1) << 18, UINT64_C(1) << 18); /* NS = 0, EEL2 = 1 */
    assert_int_equal(pe_check(&w, 2, SR_cntp_ctl_el0, true).id, SR_cnthps_ctl_el2);
    assert_int_equal(pe_check(&w, 0, SR_cntv_cval_el0, true).id, SR_cnthvs_cval_el2);
    pe_end(&w);
}

/* _EL12 and _EL02: the register behind the name with its last digit gone, from EL2 and EL3, while E2H is 1 and EL2 is enabled. */
static void el12_names_reach_el1_while_e2h(void **state)
{
    struct pe_world w;
    unsigned seen = 0;
    (void)state;
    pe_new(&w, "max");
    for_ids(&w, id)
    {
        char name[40];
        if (!pe_kind(id, "ALIAS"))
            continue;
        sysreg_name(id, name, sizeof name);
        name[strlen(name) - 1] = '\0'; /* sctlr_el12 -> sctlr_el1, cntp_ctl_el02 -> cntp_ctl_el0 */
        for (unsigned e2h = 0; e2h < 2; e2h++) {
            pe_open(&w, e2h, false);
            for (unsigned el = 0; el < 4; el++) {
                struct sysreg_access a = pe_check(&w, el, id, true);
                assert_int_equal(a.result, e2h && el >= 2 ? SYSREG_OK : SYSREG_UNDEFINED);
                if (a.result == SYSREG_OK)
                    assert_int_equal(a.id, pe_id(name));
            }
        }
        pe_bits(&w, "scr_el3", 1, 0); /* Secure without EEL2: EL2 is not enabled */
        assert_outcome(&w, 3, id, false, SYSREG_UNDEFINED);
        seen++;
    }
    assert_int_equal(seen, 32);
    pe_end(&w);
}

static void secure_el2_registers_need_secure_el2(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for_ids(&w, id)
    {
        if (!in(secure_el2, sysreg_row_of(id)->name))
            continue;
        for (unsigned k = 0; k < 4; k++) {
            bool ns = k & 1, eel2 = k & 2;
            pe_open(&w, false, false);
            pe_bits(&w, "scr_el3", 1 | UINT64_C(1) << 18, ns | (uint64_t)eel2 << 18);
            assert_outcome(&w, 1, id, false, SYSREG_UNDEFINED);
            if (ns || eel2) /* else there is no EL2 to be at */
                assert_outcome(&w, 2, id, false, ns ? SYSREG_UNDEFINED : SYSREG_OK);
            assert_outcome(&w, 3, id, false, eel2 ? SYSREG_OK : SYSREG_UNDEFINED);
        }
    }
    pe_end(&w);
}

static void the_secure_timer_belongs_to_el3_and_secure_el1(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned k = 0; k < 8; k++) {
        bool ns = k & 1, eel2 = k & 2, st = k & 4;
        pe_open(&w, false, false);
        pe_bits(&w, "scr_el3", 1 | UINT64_C(1) << 18 | UINT64_C(1) << 11, ns | (uint64_t)eel2 << 18 | (uint64_t)st << 11);
        assert_outcome(&w, 1, SR_cntps_ctl_el1, true, ns || eel2 ? SYSREG_UNDEFINED : st ? SYSREG_OK : (int)TO(3, 0x18));
        assert_outcome(&w, 2, SR_cntps_ctl_el1, true, SYSREG_UNDEFINED);
        assert_outcome(&w, 3, SR_cntps_ctl_el1, true, SYSREG_OK);
    }
    pe_end(&w);
}

static void lo_regions_are_undefined_in_secure_state(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_bits(&w, "scr_el3", 1, 0);
    assert_outcome(&w, 1, SR_lorc_el1, true, SYSREG_UNDEFINED);
    assert_outcome(&w, 3, SR_lorsa_el1, false, SYSREG_UNDEFINED);
    assert_outcome(&w, 1, SR_lorid_el1, false, SYSREG_OK);
    pe_end(&w);
}

/* The GIC's interface is virtual at EL1 while the interrupts of its group go to EL2 (GIC 6.1). */
static void fmo_and_imo_make_the_interface_virtual(void **state)
{
    static const char *const names[][3] = {
        /* name, what takes its place, f: FMO, i: IMO */
        {"icc_iar0_el1", "icv_iar0_el1", "f"},     {"icc_eoir0_el1", "icv_eoir0_el1", "f"},
        {"icc_hppir0_el1", "icv_hppir0_el1", "f"}, {"icc_bpr0_el1", "icv_bpr0_el1", "f"},
        {"icc_ap0r0_el1", "ich_ap0r0_el2", "f"},   {"icc_igrpen0_el1", "icv_igrpen0_el1", "f"},
        {"icc_iar1_el1", "icv_iar1_el1", "i"},     {"icc_eoir1_el1", "icv_eoir1_el1", "i"},
        {"icc_hppir1_el1", "icv_hppir1_el1", "i"}, {"icc_bpr1_el1", "icv_bpr1_el1", "i"},
        {"icc_ap1r0_el1", "ich_ap1r0_el2", "i"},   {"icc_igrpen1_el1", "icv_igrpen1_el1", "i"},
        {"icc_pmr_el1", "icv_pmr_el1", "fi"},      {"icc_ctlr_el1", "icv_ctlr_el1", "fi"},
        {"icc_rpr_el1", "icv_rpr_el1", "fi"},      {"icc_dir_el1", "icv_dir_el1", "fi"},
    };
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned k = 0; k < 8; k++) {
        bool fmo = k & 1, imo = k & 2,
             routed = k & 4; /* routed: SCR_EL3.{IRQ, FIQ} trap the physical interface, not the virtual */
        pe_open(&w, false, false);
        pe_bits(&w, "hcr_el2", 3u << 3, (uint64_t)fmo << 3 | (uint64_t)imo << 4);
        pe_bits(&w, "scr_el3", 6, routed ? 6 : 0);
        for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
            unsigned id = pe_id(names[i][0]);
            bool write = pe_check(&w, 3, id, false).result != SYSREG_OK;
            bool virtual = (fmo && strchr(names[i][2], 'f')) || (imo && strchr(names[i][2], 'i'));
            assert_outcome(&w, 1, id, write, routed && !virtual ? (int)TO(3, 0x18) : SYSREG_OK);
            assert_outcome(&w, 2, id, write, routed ? (int)TO(3, 0x18) : SYSREG_OK);
            if (virtual)
                assert_int_equal(pe_check(&w, 1, id, write).id, pe_id(names[i][1]));
            assert_int_equal(pe_check(&w, 2, id, write).id, id);
            assert_int_equal(pe_check(&w, 3, id, write).id, id);
        }
        assert_outcome(&w, 1, SR_icc_sgi1r_el1, true, fmo || imo ? (int)TO(2, 0x18) : routed ? (int)TO(3, 0x18) : SYSREG_OK);
    }
    pe_end(&w);
}

static void amo_and_ea_hide_the_deferred_interrupt(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_write(&w, 3, SR_disr_el1, UINT32_MAX);
    assert_int_equal(pe_read(&w, 1, SR_disr_el1), 0x81ffffff);
    pe_bits(&w, "scr_el3", 8, 8); /* EA */
    assert_int_equal(pe_read(&w, 1, SR_disr_el1), 0);
    assert_int_equal(pe_read(&w, 2, SR_disr_el1), 0);
    pe_write(&w, 2, SR_disr_el1, 0);
    assert_int_equal(pe_read(&w, 3, SR_disr_el1), 0x81ffffff);
    pe_bits(&w, "hcr_el2", 1u << 5, 1u << 5); /* AMO */
    assert_int_equal(pe_check(&w, 1, SR_disr_el1, true).id, SR_vdisr_el2);
    assert_int_equal(pe_check(&w, 2, SR_disr_el1, true).id, SR_disr_el1);
    pe_bits(&w, "hcr_el2", 1u << 5, 0);
    assert_int_equal(pe_check(&w, 1, SR_disr_el1, true).id, SR_disr_el1);
    pe_bits(&w, "hcrx_el2", 1u << 19, 1u << 19); /* TMEA */
    assert_int_equal(pe_check(&w, 1, SR_disr_el1, true).id, SR_vdisr_el2);
    assert_int_equal(pe_check(&w, 2, SR_disr_el1, true).id, SR_disr_el1);
    pe_bits(&w, "scr_el3", UINT64_C(1) << 38, 0); /* HXEn */
    assert_int_equal(pe_check(&w, 1, SR_disr_el1, true).id, SR_disr_el1);
    pe_end(&w);
}

/* ---- fine-grained traps --------------------------------------------------------------------------------------------------- */

/* Fields that do not bear the name of one register. */
static const char *const fields[][2] = {
    {"SCTLR_EL1", "sctlr_el1 sctlr2_el1"},
    {"TCR_EL1", "tcr_el1 tcr2_el1"},
    {"nRCWMASK_EL1", "rcwmask_el1"},
    {"nPIRE0_EL1", "pire0_el1"},
    {"nPIR_EL1", "pir_el1"},
    {"nPOR_EL0", "por_el0"},
    {"nPOR_EL1", "por_el1"},
    {"nS2POR_EL1", "s2por_el1"},
    {"nMAIR2_EL1", "mair2_el1"},
    {"nAMAIR2_EL1", "amair2_el1"},
    {"APDAKey", "apdakeylo_el1 apdakeyhi_el1"},
    {"APDBKey", "apdbkeylo_el1 apdbkeyhi_el1"},
    {"APGAKey", "apgakeylo_el1 apgakeyhi_el1"},
    {"APIAKey", "apiakeylo_el1 apiakeyhi_el1"},
    {"APIBKey", "apibkeylo_el1 apibkeyhi_el1"},
    {"ICC_IGRPENn_EL1", "icc_igrpen0_el1 icc_igrpen1_el1"},
    {"ERXMISCn_EL1", "erxmisc0_el1 erxmisc1_el1 erxmisc2_el1 erxmisc3_el1"},
    {"PMCEIDn_EL0", "pmceid0_el0 pmceid1_el0"},
    {"PMOVS", "pmovsset_el0 pmovsclr_el0"},
    {"PMINTEN", "pmintenset_el1 pmintenclr_el1"},
    {"PMCNTEN", "pmcntenset_el0 pmcntenclr_el0"},
    {"PMEVTYPERn_EL0", "pmevtyper pmxevtyper_el0"},
    {"PMEVCNTRn_EL0", "pmevcntr pmxevcntr_el0"},
    {"DBGCLAIM", "dbgclaimset_el1 dbgclaimclr_el1"},
    {"DBGWVRn_EL1", "dbgwvr"},
    {"DBGWCRn_EL1", "dbgwcr"},
    {"DBGBVRn_EL1", "dbgbvr"},
    {"DBGBCRn_EL1", "dbgbcr"},
    {"DCCVAC", "dc_cvac dc_cgvac dc_cgdvac"},
    {"DCCVAP", "dc_cvap dc_cgvap dc_cgdvap"},
    {"DCCVADP", "dc_cvadp dc_cgvadp dc_cgdvadp"},
    {"DCCIVAC", "dc_civac dc_cigvac dc_cigdvac"},
    {"DCIVAC", "dc_ivac dc_igvac dc_igdvac"},
    {"DCISW", "dc_isw dc_igsw dc_igdsw"},
    {"DCCSW", "dc_csw dc_cgsw dc_cgdsw"},
    {"DCCISW", "dc_cisw dc_cigsw dc_cigdsw"},
    {"DCZVA", "dc_zva dc_gva dc_gzva"},
    {"DCCVAU", "dc_cvau"},
    {"ICIVAU", "ic_ivau"},
    {"ICIALLU", "ic_iallu"},
    {"ICIALLUIS", "ic_ialluis"},
    {"SVC_EL0", ""},
    {"SVC_EL1", ""},
    {"ERET", ""},
};

/* The registers of a field: by the list, else by its name; TLBI and AT instructions and RCTX by theirs. */
static const char *traps(const char *field)
{
    static char name[80];
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        if (!strcmp(fields[i][0], field))
            return fields[i][1];
    size_t n = strlen(field);
    if (!strncmp(field, "TLBI", 4))
        snprintf(name, sizeof name, "tlbi_%s tlbi_%snxs", field + 4, field + 4);
    else if (!strncmp(field, "AT", 2))
        snprintf(name, sizeof name, "at_%s", field + 2);
    else if (n > 4 && !strcmp(field + n - 4, "RCTX"))
        snprintf(name, sizeof name, "%.*s_rctx", (int)n - 4, field);
    else
        snprintf(name, sizeof name, "%s", field);
    for (char *c = name; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    return name;
}

/* The value of a fine-grained trap register that traps by this field alone. */
static uint64_t fine_alone(const char *reg, const struct sysreg_field *f)
{
    uint64_t none = strncmp(reg, "hfg", 3) || !strcmp(reg, "hfgitr_el2") ? 0 : PE_FINE_INVERTED;
    return none ^ UINT64_C(1) << f->lsb;
}

static void each_fine_grained_bit_traps_its_registers_and_nothing_else(void **state)
{
    static const char *const regs[] = {"hfgrtr_el2", "hfgwtr_el2", "hfgitr_el2", "hdfgrtr_el2", "hdfgwtr_el2"};
    struct pe_world w;
    unsigned bits = 0;
    (void)state;
    pe_new(&w, "max");
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++) {
        const struct sysreg_row *row = sysreg_row_of(pe_id(regs[i]));
        bool write = strcmp(regs[i], "hfgrtr_el2") && strcmp(regs[i], "hdfgrtr_el2");
        for (unsigned k = 0; k < row->nfields; k++) {
            const char *list = traps(row->fields[k].name);
            unsigned hits = 0;
            pe_open(&w, false, false);
            pe_bits(&w, regs[i], UINT64_MAX, fine_alone(regs[i], &row->fields[k]));
            if (!pe_read(&w, 3, row->id)) /* OSDLR_EL1: RES0 without FEAT_DoubleLock */
                continue;
            for_ids(&w, id)
            {
                char name[40];
                sysreg_name(id, name, sizeof name);
                bool hit = in(list, name) || (sysreg_row_of(id)->count > 1 && in(list, sysreg_row_of(id)->name));
                hits += hit;
                if (pseudo(id))
                    continue;
                for (unsigned el = 0; el < 4; el++) {
                    bool allowed[2] = {level_allows(&w, el, id, false), level_allows(&w, el, id, true)};
                    if (!sysreg_key_of(id))
                        continue;
                    for (unsigned dir = 0; dir < 2; dir++) {
                        bool trap = hit && dir == write && el < 2 && allowed[dir];
                        assert_outcome(&w, el, id, dir,
                                       !allowed[dir] ? pe_outcome(pe_check(&w, el, id, dir))
                                       : trap        ? (int)TO(2, 0x18)
                                                     : SYSREG_OK);
                    }
                }
            }
            if (!hits != !*list)
                fail_msg("%s.%s traps %u registers", regs[i], row->fields[k].name, hits);
            bits++;
            /* Not without SCR_EL3.FGTEn, not EL0 of a host. */
            pe_bits(&w, "scr_el3", UINT64_C(1) << 27, 0);
            for_ids(&w, id)
            {
                if (sysreg_key_of(id) && !pseudo(id) && level_allows(&w, 1, id, write))
                    assert_outcome(&w, 1, id, write, SYSREG_OK);
            }
            pe_open(&w, true, true);
            pe_bits(&w, regs[i], UINT64_MAX, fine_alone(regs[i], &row->fields[k]));
            for_ids(&w, id)
            {
                if (sysreg_key_of(id) && !pseudo(id) && level_allows(&w, 0, id, write) && id != SR_daif && id != SR_msr_daifset &&
                    id != SR_msr_daifclr && !strstr(sysreg_row_of(id)->name, "dbgdtr") && id != SR_mdccsr_el0)
                    assert_outcome(&w, 0, id, write, SYSREG_OK);
            }
        }
    }
    assert_int_equal(bits, 201);
    /* HCRX_EL2.FGTnXS lets the nXS forms through. */
    pe_open(&w, false, false);
    pe_bits(&w, "hfgitr_el2", UINT64_MAX, UINT64_MAX);
    pe_bits(&w, "hcrx_el2", 1u << 4, 1u << 4);
    assert_outcome(&w, 1, SR_tlbi_vae1, true, TO(2, 0x18));
    assert_outcome(&w, 1, SR_tlbi_vae1nxs, true, SYSREG_OK);
    pe_bits(&w, "scr_el3", UINT64_C(1) << 38, 0); /* HXEn */
    assert_outcome(&w, 1, SR_tlbi_vae1nxs, true, TO(2, 0x18));
    pe_end(&w);
}

/* ---- the fast path -------------------------------------------------------------------------------------------------------- */

static void the_fast_path_gives_what_the_slow_one_gives(void **state)
{
    uint64_t rng = 4;
    unsigned reads = 0, writes = 0;
    (void)state;
    for (unsigned n = 0; pe_configs[n]; n++) {
        struct pe_world w;
        pe_new(&w, pe_configs[n]);
        const struct sysreg_plain *table = sysreg_plain_table(w.map);
        for (unsigned round = 0; round < 60; round++) {
            if (round % 3)
                pe_open(&w, pe_has(&w, FEAT_VHE) && round & 1, false);
            else
                pe_random(&w, &rng);
            uint64_t armed = sysreg_armed(&w.c);
            for_ids(&w, id)
            {
                for_levels(&w, el)
                {
                    if (el == 2 && !(w.r.scr_el3 & (1 | UINT64_C(1) << 18)))
                        continue; /* nobody is at EL2 while it is not enabled */
                    enum sysreg_mode mode = sysreg_mode_of(&w.r, el);
                    const struct sysreg_plain *p = &table[id];
                    uint64_t *word = (uint64_t *)(void *)&w.r + p->word[mode], v = rng_next(&rng), old = *word;
                    if (p->reads >> mode & 1 && !(p->read_arms[mode] & armed)) {
                        struct sysreg_access a = pe_check(&w, el, id, false);
                        if (a.result != SYSREG_OK || pe_read(&w, el, a.id) != *word)
                            fail_msg("%s, EL%u: a fast read differs", pe_about(&w, id), el);
                        reads++;
                    }
                    if (p->writes >> mode & 1 && !(p->write_arms[mode] & armed)) {
                        struct sysreg_access a = pe_check(&w, el, id, true);
                        uint64_t mask = p->mask[mode == SYSREG_EL2H], fast = (old & ~mask) | (v & mask);
                        uint32_t fx = a.result == SYSREG_OK ? pe_write(&w, el, a.id, v) : 1;
                        if (a.result != SYSREG_OK || fx || *word != fast)
                            fail_msg("%s, EL%u: a fast write differs", pe_about(&w, id), el);
                        writes++;
                    }
                }
            }
        }
        pe_end(&w);
    }
    assert_true(reads > 10000 && writes > 5000);
}

static void the_registers_of_every_exception_have_a_fast_path(void **state)
{
    static const struct {
        const char *name;
        unsigned el;
        bool write;
    } hot[] = {
        {"tpidr_el0", 0, false},   {"tpidr_el0", 0, true},  {"tpidr_el0", 1, true},       {"tpidrro_el0", 0, false},
        {"tpidr_el1", 1, false},   {"elr_el1", 1, false},   {"elr_el1", 1, true},         {"spsr_el1", 1, false},
        {"spsr_el1", 1, true},     {"esr_el1", 1, false},   {"far_el1", 1, false},        {"vbar_el1", 1, true},
        {"sctlr_el1", 1, false},   {"ttbr0_el1", 1, false}, {"contextidr_el1", 1, false}, {"elr_el2", 2, true},
        {"spsr_el2", 2, true},     {"esr_el2", 2, false},   {"far_el2", 2, false},        {"hpfar_el2", 2, false},
        {"tpidr_el2", 2, false},   {"vttbr_el2", 2, false}, {"hcr_el2", 2, false},        {"elr_el1", 2, true},
        {"spsr_el1", 2, false},    {"esr_el1", 2, true},    {"afsr0_el1", 2, true},       {"par_el1", 2, false},
        {"elr_el3", 3, true},      {"spsr_el3", 3, true},   {"scr_el3", 3, false},        {"apiakeylo_el1", 1, false},
        {"cntvoff_el2", 2, false}, {"mdcr_el2", 2, false},  {"ich_lr0_el2", 2, false},
    };
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned e2h = 0; e2h < 2; e2h++) {
        pe_open(&w, e2h, false);
        uint64_t armed = sysreg_armed(&w.c);
        for (unsigned i = 0; i < ARRAY_LEN(hot); i++) {
            const struct sysreg_plain *p = &sysreg_plain_table(w.map)[pe_id(hot[i].name)];
            enum sysreg_mode mode = sysreg_mode_of(&w.r, hot[i].el);
            bool fast = hot[i].write ? p->writes >> mode & 1 && !(p->write_arms[mode] & armed)
                                     : p->reads >> mode & 1 && !(p->read_arms[mode] & armed);
            if (!fast)
                fail_msg("%s from EL%u is slow", hot[i].name, hot[i].el);
        }
    }
    assert_true(sysreg_plain_table(w.map)[SR_elr_el12].writes >> SYSREG_EL2H & 1); /* names for a host, too */
    pe_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encoding_tells_the_lowest_level),
        cmocka_unit_test(sp_el0_is_undefined_while_it_is_in_use),
        cmocka_unit_test(a_register_exists_with_its_feature_alone),
        cmocka_unit_test(every_encoding_finds_its_row_and_no_other),
        cmocka_unit_test(numbered_registers_are_as_many_as_configured),
        cmocka_unit_test(e2h_redirects_what_the_table_says_and_nothing_else),
        cmocka_unit_test(el12_names_reach_el1_while_e2h),
        cmocka_unit_test(secure_el2_registers_need_secure_el2),
        cmocka_unit_test(the_secure_timer_belongs_to_el3_and_secure_el1),
        cmocka_unit_test(lo_regions_are_undefined_in_secure_state),
        cmocka_unit_test(fmo_and_imo_make_the_interface_virtual),
        cmocka_unit_test(amo_and_ea_hide_the_deferred_interrupt),
        cmocka_unit_test(each_fine_grained_bit_traps_its_registers_and_nothing_else),
        cmocka_unit_test(the_fast_path_gives_what_the_slow_one_gives),
        cmocka_unit_test(the_registers_of_every_exception_have_a_fast_path),
    };
    return cmocka_run_group_tests_name("sysreg_access", tests, NULL, NULL);
}
