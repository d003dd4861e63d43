/* Registers that are more than a word: timers, performance monitors, debug, the GIC's CPU interfaces, pending interrupts. */
#include "sysreg_world.h"

static const uint64_t one = 1;

/* ---- timers --------------------------------------------------------------------------------------------------------------- */

static void counters_are_offset_by_who_reads(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    w.count = 1000000;
    for (unsigned k = 0; k < 16; k++) {
        bool e2h = k & 1, tge = k & 2, ecv = k & 4, ecven = k & 8;
        pe_open(&w, e2h, tge);
        pe_bits(&w, "cnthctl_el2", one << 12, (uint64_t)ecv << 12);
        pe_bits(&w, "scr_el3", one << 28, (uint64_t)ecven << 28);
        pe_write(&w, 3, SR_cntvoff_el2, 300);
        pe_write(&w, 3, SR_cntpoff_el2, 7000);
        bool host = e2h && tge;
        uint64_t lag = ecv && ecven ? 7000 : 0;
        static const unsigned pct[] = {SR_cntpct_el0, SR_cntpctss_el0}, vct[] = {SR_cntvct_el0, SR_cntvctss_el0};
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(pe_read(&w, 0, pct[i]), 1000000 - (host ? 0 : lag));
            assert_int_equal(pe_read(&w, 1, pct[i]), 1000000 - lag);
            assert_int_equal(pe_read(&w, 2, pct[i]), 1000000);
            assert_int_equal(pe_read(&w, 3, pct[i]), 1000000);
            assert_int_equal(pe_read(&w, 0, vct[i]), 1000000 - (host ? 0 : 300));
            assert_int_equal(pe_read(&w, 1, vct[i]), 1000000 - 300);
            assert_int_equal(pe_read(&w, 2, vct[i]), 1000000 - (e2h ? 0 : 300));
            assert_int_equal(pe_read(&w, 3, vct[i]), 1000000 - 300);
        }
    }
    pe_end(&w);
}

static void a_timer_is_met_when_the_count_has_reached_it(void **state)
{
    static const char *const names[] = {"cntp_%s_el0",   "cntv_%s_el0",   "cnthp_%s_el2", "cnthv_%s_el2",
                                        "cnthps_%s_el2", "cnthvs_%s_el2", "cntps_%s_el1"};
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_bits(&w, "cnthctl_el2", one << 12, one << 12);
    pe_write(&w, 3, SR_cntvoff_el2, 500);
    pe_write(&w, 3, SR_cntpoff_el2, 600);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char name[32];
        snprintf(name, sizeof name, names[i], "ctl");
        unsigned ctl = pe_id(name);
        snprintf(name, sizeof name, names[i], "cval");
        unsigned cval = pe_id(name);
        snprintf(name, sizeof name, names[i], "tval");
        unsigned tval = pe_id(name);
        uint64_t offset = i == 0 ? 600 : i == 1 ? 500 : 0;
        unsigned el = i < 2 ? 1 : 3; /* of the level whose lag it has */
        w.count = 10000;
        pe_write(&w, el, cval, 10000 - offset + 50);
        pe_write(&w, el, ctl, 1);
        assert_int_equal(pe_read(&w, el, ctl), 1);
        assert_int_equal(pe_read(&w, el, tval), 50);
        w.count = 10049;
        assert_int_equal(pe_read(&w, el, ctl), 1);
        w.count = 10050;
        assert_int_equal(pe_read(&w, el, ctl), 5);
        assert_int_equal(pe_read(&w, el, tval), 0);
        w.count = 10060;
        assert_int_equal(pe_read(&w, el, tval), (uint32_t)-10);
        pe_write(&w, el, ctl, 7); /* ISTATUS is read-only */
        struct sysreg_timer t = sysreg_timer(&w.c, ctl);
        assert_true(t.enabled && t.masked && t.offset == offset && t.compare == 10050 - offset);
        pe_write(&w, el, ctl, 2);
        assert_int_equal(pe_read(&w, el, ctl), 2);       /* off: no condition */
        pe_write(&w, el, tval, (uint64_t)(int64_t)-100); /* sign-extended from 32 bits */
        assert_int_equal(pe_read(&w, el, cval), 10060 - offset - 100);
        pe_write(&w, el, tval, 0x7fffffff);
        assert_int_equal(pe_read(&w, el, cval), 10060 - offset + 0x7fffffff);
        assert_int_equal(pe_write(&w, el, tval, 0x7fffffff), 0);
        assert_int_equal(pe_write(&w, el, tval, 1), SYSREG_FX_TIMER | SYSREG_FX_IRQ);
        pe_write(&w, el, cval, UINT64_MAX);
        pe_write(&w, el, ctl, 1);
        w.count = offset - 1; /* count - offset is all ones: 64-bit unsigned numbers */
        assert_int_equal(pe_read(&w, el, ctl), 5);
        w.count = offset;
        assert_int_equal(pe_read(&w, el, ctl), 1);
    }
    /* Of the physical timer of EL1 not while a host runs (D12.2.4.1). */
    assert_int_equal(sysreg_timer(&w.c, SR_cntp_ctl_el0).offset, 600);
    pe_bits(&w, "hcr_el2", one << 27 | one << 34, one << 27 | one << 34);
    assert_int_equal(sysreg_timer(&w.c, SR_cntp_ctl_el0).offset, 0);
    pe_end(&w);
}

/* ---- performance monitors ------------------------------------------------------------------------------------------------- */

static void el1_has_the_counters_below_hpmn(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,pmcounters=6");
    for (unsigned hpmn = 1; hpmn <= 6; hpmn++) {
        uint64_t mine = bits_mask(0, hpmn) | one << 31 | one << 32, all = 0x18000003f;
        pe_open(&w, false, false);
        pe_bits(&w, "mdcr_el2", 31, hpmn);
        static const unsigned sets[] = {SR_pmcntenset_el0, SR_pmovsset_el0, SR_pmintenset_el1},
                              clears[] = {SR_pmcntenclr_el0, SR_pmovsclr_el0, SR_pmintenclr_el1};
        for (unsigned i = 0; i < 3; i++) {
            pe_write(&w, 3, clears[i], UINT64_MAX);
            assert_int_equal(pe_read(&w, 3, sets[i]), 0);
            pe_write(&w, 1, sets[i], UINT64_MAX);
            assert_int_equal(pe_read(&w, 2, sets[i]), mine);
            pe_write(&w, 2, sets[i], UINT64_MAX);
            assert_int_equal(pe_read(&w, 2, clears[i]), all);
            assert_int_equal(pe_read(&w, 1, clears[i]), mine);
            assert_int_equal(pe_read(&w, 0, sets[i]), mine & ~(one << 32));
            pe_write(&w, 1, clears[i], UINT64_MAX);
            assert_int_equal(pe_read(&w, 2, sets[i]), all & ~mine);
        }
        assert_int_equal(bits_get(pe_read(&w, 1, SR_pmcr_el0), 15, 11), hpmn);
        assert_int_equal(bits_get(pe_read(&w, 2, SR_pmcr_el0), 15, 11), 6);
        for (unsigned n = 0; n < 6; n++) {
            for (unsigned write = 0; write < 2; write++) {
                int want = n < hpmn ? (int)SYSREG_OK : (int)TO(2, 0x18);
                assert_outcome(&w, 1, SR_pmevcntr_el0 + n, write, want);
                assert_outcome(&w, 0, SR_pmevtyper_el0 + n, write, want);
                assert_outcome(&w, 2, SR_pmevcntr_el0 + n, write, SYSREG_OK);
                pe_write(&w, 3, SR_pmselr_el0, n);
                assert_outcome(&w, 1, SR_pmxevcntr_el0, write, want);
                assert_outcome(&w, 1, SR_pmxevtyper_el0, write, want);
                assert_outcome(&w, 3, SR_pmxevtyper_el0, write, SYSREG_OK);
            }
        }
    }
    pe_write(&w, 3, SR_pmselr_el0, 6);
    for (unsigned el = 0; el < 4; el++) {
        assert_outcome(&w, el, SR_pmxevcntr_el0, false, SYSREG_UNDEFINED);
        assert_outcome(&w, el, SR_pmxevtyper_el0, true, SYSREG_UNDEFINED);
    }
    pe_write(&w, 3, SR_pmselr_el0, 31);
    assert_outcome(&w, 1, SR_pmxevcntr_el0, false, SYSREG_UNDEFINED);
    assert_outcome(&w, 1, SR_pmxevtyper_el0, true, SYSREG_OK);
    pe_end(&w);
}

static void selected_counters_are_the_numbered_ones(void **state)
{
    struct pe_world w;
    (void)state;
    for (unsigned wide = 0; wide < 2; wide++) {
        uint64_t type = wide ? 0xf4000ffffd00ffff : 0xfd00ffff;
        pe_new(&w, wide ? "max" : "max,pmuv3p5=off");
        for (unsigned n = 0; n < 6; n++) {
            pe_write(&w, 3, SR_pmselr_el0, n);
            pe_write(&w, 3, SR_pmxevtyper_el0, UINT64_MAX);
            assert_int_equal(pe_read(&w, 3, SR_pmevtyper_el0 + n), type);
            assert_int_equal(pe_read(&w, 3, SR_pmxevtyper_el0), type);
            pe_write(&w, 3, SR_pmxevcntr_el0, 0x123456789 + n);
            assert_int_equal(w.event[n], (wide ? 0x123456789 : 0x23456789) + n);
            assert_int_equal(pe_read(&w, 3, SR_pmevcntr_el0 + n), w.event[n]);
            assert_int_equal(pe_read(&w, 3, SR_pmxevcntr_el0), w.event[n]);
        }
        pe_write(&w, 3, SR_pmselr_el0, 31);
        pe_write(&w, 3, SR_pmxevtyper_el0, UINT64_MAX);
        assert_int_equal(pe_read(&w, 3, SR_pmccfiltr_el0), 0xfd000000);
        pe_end(&w);
    }
    pe_new(&w, "cortex-a53"); /* event numbers of 10 bits */
    pe_write(&w, 3, SR_pmevtyper_el0, UINT64_MAX);
    assert_int_equal(pe_read(&w, 3, SR_pmevtyper_el0), 0xfc0003ff);
    pe_end(&w);
}

static void pmcr_resets_counters_and_keeps_its_enables(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_bits(&w, "mdcr_el2", 31, 2);
    for (unsigned n = 0; n < 6; n++)
        w.event[n] = n + 1;
    w.cycles = 99;
    assert_int_equal(pe_write(&w, 1, SR_pmcr_el0, 3), SYSREG_FX_COUNT); /* E, P */
    assert_true(!w.event[0] && !w.event[1] && w.event[2] == 3 && w.event[5] == 6 && w.cycles == 99);
    assert_int_equal(pe_read(&w, 2, SR_pmcr_el0), 0x3041);
    pe_write(&w, 2, SR_pmcr_el0, 6); /* P, C */
    assert_true(!w.event[2] && !w.event[5] && !w.cycles);
    assert_int_equal(pe_read(&w, 2, SR_pmcr_el0), 0x3040);
    pe_write(&w, 1, SR_pmcr_el0, UINT64_MAX);
    assert_int_equal(pe_read(&w, 2, SR_pmcr_el0), 0x32f1);
    pe_write(&w, 1, SR_pmswinc_el0, UINT64_MAX);
    assert_int_equal(w.increments, 3);
    pe_write(&w, 2, SR_pmswinc_el0, 0x20);
    assert_int_equal(w.increments, 0x23);
    pe_write(&w, 0, SR_pmccntr_el0, 77);
    assert_int_equal(w.cycles, 77);
    assert_int_equal(pe_read(&w, 3, SR_pmccntr_el0), 77);
    pe_end(&w);
}

/* What has overflowed but is not stored is read, and stays when another flag is changed. */
static void overflow_flags_are_those_of_now(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_bits(&w, "mdcr_el2", 31, 2);
    w.overflows = 0x80000006;
    assert_int_equal(pe_read(&w, 2, SR_pmovsset_el0), 0x80000006);
    assert_int_equal(pe_read(&w, 1, SR_pmovsclr_el0), 0x80000002);
    assert_int_equal(pe_write(&w, 1, SR_pmovsset_el0, 6), 0); /* counter 2 is EL2's */
    assert_int_equal(pe_write(&w, 1, SR_pmovsset_el0, 5), SYSREG_FX_COUNT | SYSREG_FX_IRQ);
    assert_true(w.r.pmovsset_el0 == 0x80000007 && !w.overflows);
    w.overflows = 8;
    pe_write(&w, 1, SR_pmovsclr_el0, UINT64_MAX);
    assert_int_equal(w.r.pmovsset_el0, 0xc);
    pe_write(&w, 2, SR_pmovsclr_el0, 8);
    assert_int_equal(pe_read(&w, 2, SR_pmovsclr_el0), 4);
    pe_end(&w);
}

/* PMUSERENR_EL0 by field (D24.5.26). */
static void pmuserenr_opens_the_monitors_to_el0_bit_by_bit(void **state)
{
    enum { EN = 1, SW = 2, CR = 4, ER = 8, UEN = 16, TID = 64, ALL = EN | UEN };
    static const struct {
        const char *name;
        unsigned reads, writes, closes; /* fields that open a read, a write; that close both whatever else is set */
    } rules[] = {
        {"pmcr_el0", EN, EN, UEN},         {"pmcntenset_el0", ALL, ALL, 0},     {"pmcntenclr_el0", ALL, ALL, 0},
        {"pmovsset_el0", ALL, ALL, 0},     {"pmovsclr_el0", ALL, ALL, 0},       {"pmceid0_el0", ALL, 0, TID},
        {"pmceid1_el0", ALL, 0, TID},      {"pmevtyper2_el0", ALL, ALL, 0},     {"pmccfiltr_el0", ALL, ALL, 0},
        {"pmxevtyper_el0", ALL, ALL, 0},   {"pmswinc_el0", 0, ALL | SW, 0},     {"pmselr_el0", ALL | ER, ALL | ER, 0},
        {"pmccntr_el0", ALL | CR, ALL, 0}, {"pmevcntr2_el0", ALL | ER, ALL, 0}, {"pmxevcntr_el0", ALL | ER, ALL, 0},
        {"pmuserenr_el0", 255, 0, 0},      {"pmicntr_el0", UEN, UEN, 0},        {"pmicfiltr_el0", UEN, UEN, 0},
        {"pmzr_el0", 0, ALL, 0},
    };
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned v = 0; v < 128; v++) {
        pe_open(&w, false, false);
        pe_write(&w, 3, SR_pmuserenr_el0, v);
        for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
            unsigned id = pe_id(rules[i].name);
            bool closed = rules[i].closes & v;
            if (rules[i].reads)
                assert_outcome(&w, 0, id, false,
                               !closed && (rules[i].reads & v || rules[i].reads == 255) ? (int)SYSREG_OK : (int)TO(1, 0x18));
            if (rules[i].writes)
                assert_outcome(&w, 0, id, true, !closed && rules[i].writes & v ? (int)SYSREG_OK : (int)TO(1, 0x18));
        }
    }
    pe_end(&w);
}

/* ---- debug ---------------------------------------------------------------------------------------------------------------- */

static void the_os_lock_opens_what_a_debugger_sees(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    assert_int_equal(pe_read(&w, 1, SR_oslsr_el1), 0xa); /* locked after a reset */
    pe_write(&w, 1, SR_mdscr_el1, UINT64_MAX);
    assert_int_equal(pe_read(&w, 1, SR_mdscr_el1), 0x96ce0f041);
    pe_write(&w, 1, SR_oseccr_el1, 0x55);
    assert_int_equal(pe_read(&w, 1, SR_oseccr_el1), 0x55);
    assert_int_equal(pe_write(&w, 1, SR_oslar_el1, 0), SYSREG_FX_DEBUG);
    assert_int_equal(pe_write(&w, 1, SR_oslar_el1, 0), 0);
    assert_int_equal(pe_read(&w, 1, SR_oslsr_el1), 8);
    assert_int_equal(pe_read(&w, 1, SR_oseccr_el1), 0);
    pe_write(&w, 1, SR_mdscr_el1, 0);
    assert_int_equal(pe_read(&w, 1, SR_mdscr_el1), 0x86ce04040); /* EHBWE, HDE, TDA, … stay */
    pe_write(&w, 1, SR_oslar_el1, 1);
    pe_write(&w, 1, SR_mdscr_el1, 0);
    assert_int_equal(pe_read(&w, 1, SR_mdscr_el1), 0);
    assert_int_equal(pe_read(&w, 1, SR_oseccr_el1), 0x55);
    pe_end(&w);
}

static void claim_tags_are_set_and_cleared_by_ones(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_write(&w, 1, SR_dbgclaimset_el1, 0xfff0f0);
    assert_int_equal(pe_read(&w, 1, SR_dbgclaimclr_el1), 0xf0);
    pe_write(&w, 1, SR_dbgclaimclr_el1, 0x30);
    assert_int_equal(pe_read(&w, 1, SR_dbgclaimclr_el1), 0xc0);
    assert_int_equal(pe_read(&w, 1, SR_dbgclaimset_el1), 0xff);
    pe_end(&w);
}

static void only_context_breakpoints_have_context_types(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,breakpoints=6,ctxcmps=2");
    for (unsigned n = 0; n < 6; n++) {
        bool context = n >= 4; /* the highest ones */
        pe_write(&w, 1, SR_dbgbvr_el1 + n, UINT64_MAX);
        pe_write(&w, 1, SR_dbgbcr_el1 + n, UINT64_MAX);
        assert_int_equal(pe_read(&w, 1, SR_dbgbvr_el1 + n), context ? UINT64_MAX : ~UINT64_C(3));
        assert_int_equal(pe_read(&w, 1, SR_dbgbcr_el1 + n), context ? 0xc0ffe1e7 : 0xc01fe1e7);
    }
    pe_end(&w);
}

/* ---- interrupts ----------------------------------------------------------------------------------------------------------- */

static void isr_shows_virtual_interrupts_at_el1(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned k = 0; k < 512; k++) {
        uint64_t route = k & 7, pend = k >> 3 & 7; /* FMO, IMO, AMO; VF, VI, VSE */
        bool lines = k & 64, tge = k & 128, virtual = k & 256;
        pe_open(&w, false, tge);
        pe_bits(&w, "hcr_el2", 0x1f8, route << 3 | pend << 6);
        w.lines = (lines ? 7u : 0) | (virtual ? 0x30u : 0);
        uint64_t physical = lines ? 0x1c0 : 0;
        uint64_t f = route & 1 ? (pend & 1) | virtual : lines, i = route & 2 ? (pend >> 1 & 1) | virtual : lines,
                 a = route & 4 ? pend >> 2 & 1 : lines;
        assert_int_equal(pe_read(&w, 1, SR_isr_el1), tge ? physical : f << 6 | i << 7 | a << 8);
        assert_int_equal(pe_read(&w, 2, SR_isr_el1), physical);
        assert_int_equal(pe_read(&w, 3, SR_isr_el1), physical);
    }
    pe_end(&w);
}

/* ISR_EL1.IS and FS: at EL1 the virtual one's, by HCRX_EL2 for what HCR_EL2 makes pending. */
static void isr_shows_superpriority(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    for (unsigned k = 0; k < 256; k++) {
        unsigned route = k & 3, pend = k >> 2 & 3, nmi = k >> 4 & 3; /* FMO, IMO; VF, VI; VFNMI, VINMI */
        bool line = k & 64, hxen = k & 128;
        pe_open(&w, false, false);
        pe_bits(&w, "scr_el3", one << 38, (uint64_t)hxen << 38);
        pe_bits(&w, "hcr_el2", 0xd8, route << 3 | pend << 6);
        pe_bits(&w, "hcrx_el2", 3 << 7, (uint64_t)(nmi >> 1) << 7 | (uint64_t)(nmi & 1) << 8);
        w.lines = line ? 0x59 : 0; /* IRQ and virtual IRQ, both with Superpriority */
        unsigned by_bit = hxen ? pend & nmi : 0;
        bool fs = route & 1 && by_bit & 1, is = route & 2 ? by_bit & 2 || line : line;
        assert_int_equal(pe_read(&w, 1, SR_isr_el1) >> 9, (unsigned)fs | (unsigned)is << 1);
        assert_int_equal(pe_read(&w, 2, SR_isr_el1) >> 9, line ? 2 : 0);
    }
    pe_end(&w);
}

/* Priorities as a Non-secure level sees them while FIQs are EL3's (GIC 4.8.1). */
static void nonsecure_priorities_are_shifted(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_bits(&w, "scr_el3", 4, 4); /* FIQ */
    static const uint64_t at_el3[] = {0, 0x50, 0x78, 0x80, 0xa8, 0xf0, 0xf8}, at_el2[] = {0, 0, 0, 0, 0x50, 0xe0, 0xf8};
    for (unsigned i = 0; i < ARRAY_LEN(at_el3); i++) {
        pe_write(&w, 3, SR_icc_pmr_el1, at_el3[i]);
        assert_int_equal(pe_read(&w, 3, SR_icc_pmr_el1), at_el3[i]);
        assert_int_equal(pe_read(&w, 2, SR_icc_pmr_el1), at_el2[i]);
        assert_int_equal(pe_read(&w, 1, SR_icc_pmr_el1), at_el2[i]);
        pe_write(&w, 2, SR_icc_pmr_el1, 0x60); /* 0xb0, unless the mask is Secure */
        assert_int_equal(pe_read(&w, 3, SR_icc_pmr_el1), at_el3[i] < 0x80 ? at_el3[i] : 0xb0);
    }
    pe_bits(&w, "scr_el3", 5, 4); /* Secure: as it is */
    pe_write(&w, 1, SR_icc_pmr_el1, 0x48);
    assert_int_equal(pe_read(&w, 1, SR_icc_pmr_el1), 0x48);
    pe_bits(&w, "scr_el3", 5, 1); /* FIQs are not EL3's */
    pe_write(&w, 2, SR_icc_pmr_el1, 0xff);
    assert_int_equal(pe_read(&w, 3, SR_icc_pmr_el1), 0xf8);
    assert_int_equal(pe_read(&w, 2, SR_icc_pmr_el1), 0xf8);
    pe_end(&w);
}

static void binary_points_have_a_least_value_and_can_be_common(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,gic-prio=6");
    pe_open(&w, false, false);
    w.one_security_state = true;
    for (uint64_t v = 0; v < 8; v++) {
        pe_write(&w, 1, SR_icc_bpr0_el1, v);
        pe_write(&w, 1, SR_icc_bpr1_el1, v);
        assert_int_equal(pe_read(&w, 1, SR_icc_bpr0_el1), v < 1 ? 1 : v);
        assert_int_equal(pe_read(&w, 1, SR_icc_bpr1_el1), v < 2 ? 2 : v);
        pe_write(&w, 1, SR_icc_ctlr_el1, 1); /* CBPR */
        assert_int_equal(pe_read(&w, 1, SR_icc_bpr1_el1), v < 1 ? 2 : v < 7 ? v + 1 : 7);
        pe_write(&w, 1, SR_icc_bpr1_el1, 3);                              /* ignored */
        assert_int_equal(pe_read(&w, 3, SR_icc_bpr1_el1), v < 2 ? 2 : v); /* EL3 sees the register */
        pe_write(&w, 1, SR_icc_ctlr_el1, 0);
        pe_bits(&w, "scr_el3", 1, 0); /* the Secure bank */
        pe_write(&w, 1, SR_icc_bpr1_el1, v);
        assert_int_equal(pe_read(&w, 1, SR_icc_bpr1_el1), v < 1 ? 1 : v);
        pe_write(&w, 1, SR_icc_ctlr_el1, 1);
        assert_int_equal(pe_read(&w, 1, SR_icc_bpr1_el1), v < 1 ? 1 : v); /* as group 0 */
        pe_write(&w, 1, SR_icc_bpr1_el1, 6);
        assert_int_equal(pe_read(&w, 1, SR_icc_bpr0_el1), 6);
        pe_write(&w, 1, SR_icc_ctlr_el1, 0);
        pe_bits(&w, "scr_el3", 1, 1);
    }
    pe_end(&w);
}

static void control_registers_share_their_fields(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    pe_write(&w, 1, SR_icc_ctlr_el1, 3); /* two security states: CBPR is EL3's */
    assert_int_equal(pe_read(&w, 1, SR_icc_ctlr_el1), 0x8c02);
    assert_int_equal(pe_read(&w, 3, SR_icc_ctlr_el3), 0x8c10);
    w.one_security_state = true;
    pe_write(&w, 1, SR_icc_ctlr_el1, 3);
    assert_int_equal(pe_read(&w, 3, SR_icc_ctlr_el3), 0x8c12);
    pe_write(&w, 3, SR_icc_ctlr_el3, 0x0d); /* CBPR_EL1S, EOImode_EL3, EOImode_EL1S */
    assert_int_equal(pe_read(&w, 1, SR_icc_ctlr_el1), 0x8c00);
    assert_int_equal(pe_read(&w, 3, SR_icc_ctlr_el3), 0x8c0d);
    pe_bits(&w, "scr_el3", 1, 0);
    assert_int_equal(pe_read(&w, 1, SR_icc_ctlr_el1), 0x8c03);
    pe_write(&w, 1, SR_icc_igrpen1_el1, 1);
    assert_int_equal(pe_read(&w, 3, SR_icc_igrpen1_el3), 2);
    pe_write(&w, 3, SR_icc_igrpen1_el3, 1);
    assert_int_equal(pe_read(&w, 1, SR_icc_igrpen1_el1), 0);
    pe_bits(&w, "scr_el3", 1, 1);
    assert_int_equal(pe_read(&w, 1, SR_icc_igrpen1_el1), 1);
    pe_end(&w);
}

/* The virtual interface is ICH_VMCR_EL2, field by field (GIC 12.4.8). */
static void the_virtual_interface_is_vmcr(void **state)
{
    static const struct {
        unsigned id, lsb, width;
    } views[] = {
        {SR_icv_igrpen0_el1, 0, 1}, {SR_icv_igrpen1_el1, 1, 1}, {SR_icv_bpr1_el1, 18, 3},
        {SR_icv_bpr0_el1, 21, 3},   {SR_icv_pmr_el1, 24, 8},
    };
    struct pe_world w;
    uint64_t rng = 1;
    (void)state;
    pe_new(&w, "max");
    pe_open(&w, false, false);
    for (unsigned round = 0; round < 500; round++) {
        uint64_t v = rng_next(&rng) & ~(one << 4);
        pe_write(&w, 2, SR_ich_vmcr_el2, v);
        uint64_t vmcr = pe_read(&w, 2, SR_ich_vmcr_el2);
        assert_int_equal(vmcr & ~0xf8fc021bull, 0);
        assert_int_equal(vmcr & 8, 8);
        for (unsigned i = 0; i < ARRAY_LEN(views); i++) {
            uint64_t mask = bits_mask(views[i].lsb, views[i].width), put = rng_next(&rng);
            uint64_t least = views[i].id == SR_icv_bpr0_el1 ? 2 : views[i].id == SR_icv_bpr1_el1 ? 3 : 0;
            assert_int_equal(pe_read(&w, 1, views[i].id), (vmcr & mask) >> views[i].lsb);
            pe_write(&w, 1, views[i].id, put);
            uint64_t now = pe_read(&w, 2, SR_ich_vmcr_el2), want = put & bits_mask(0, views[i].width);
            want = views[i].id == SR_icv_pmr_el1 ? want & 0xf8 : want < least ? least : want;
            assert_int_equal(now & ~mask, vmcr & ~mask);
            assert_int_equal((now & mask) >> views[i].lsb, want);
            vmcr = now;
        }
        pe_write(&w, 1, SR_icv_ctlr_el1, round);
        assert_int_equal(pe_read(&w, 1, SR_icv_ctlr_el1), 0x8c00 | (round & 3));
        assert_int_equal(pe_read(&w, 2, SR_ich_vmcr_el2) & 0x210, (round & 1) << 4 | (round >> 1 & 1) << 9);
        uint64_t bpr0 = pe_read(&w, 1, SR_icv_bpr0_el1);
        if (round & 1)
            assert_int_equal(pe_read(&w, 1, SR_icv_bpr1_el1), bpr0 < 7 ? bpr0 + 1 : 7);
    }
    pe_end(&w);
}

static void list_registers_tell_what_needs_maintenance(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,gic-lrs=4,gic-id-bits=16");
    pe_open(&w, false, false);
    pe_write(&w, 2, SR_ich_lr_el2, UINT64_MAX);
    assert_int_equal(pe_read(&w, 2, SR_ich_lr_el2), 0xf8f81fff0000ffff);
    pe_write(&w, 2, SR_ich_lr_el2 + 0, one << 62 | 27);             /* pending */
    pe_write(&w, 2, SR_ich_lr_el2 + 1, one << 41 | 30);             /* ended, asked to be told */
    pe_write(&w, 2, SR_ich_lr_el2 + 2, one << 61 | one << 41 | 30); /* ended, a physical one: bit 41 is its identifier */
    pe_write(&w, 2, SR_ich_lr_el2 + 3, one << 63 | 31);             /* active */
    assert_int_equal(pe_read(&w, 2, SR_ich_eisr_el2), 2);
    assert_int_equal(pe_read(&w, 2, SR_ich_elrsr_el2), 4);
    assert_int_equal(pe_read(&w, 2, SR_ich_misr_el2), 1); /* EOI */
    pe_write(&w, 2, SR_ich_hcr_el2, 0xff);
    assert_int_equal(pe_read(&w, 2, SR_ich_misr_el2), 1 | 0xa0); /* both groups disabled; one pending, two valid */
    pe_write(&w, 2, SR_ich_lr_el2 + 0, 0);
    pe_write(&w, 2, SR_ich_vmcr_el2, 1); /* VENG0 */
    pe_write(&w, 2, SR_ich_hcr_el2, 0xff | 3u << 27);
    assert_int_equal(pe_read(&w, 2, SR_ich_misr_el2), 1 | 2 | 4 | 8 | 0x10 | 0x80);
    pe_write(&w, 2, SR_ich_hcr_el2, 0);
    assert_int_equal(pe_read(&w, 2, SR_ich_misr_el2), 1);
    pe_end(&w);
}

/* ---- the outside ---------------------------------------------------------------------------------------------------------- */

static void live_registers_reach_the_outside(void **state)
{
    struct pe_world w;
    (void)state;
    pe_new(&w, "max,afp=off");
    pe_write(&w, 0, SR_nzcv, UINT64_MAX);
    assert_int_equal(w.special[SR_nzcv], 0xf0000000);
    pe_write(&w, 0, SR_fpcr, UINT64_MAX);
    assert_int_equal(w.special[SR_fpcr], 0x07c80000);
    assert_int_equal(pe_write(&w, 1, SR_daif, UINT64_MAX), SYSREG_FX_IRQ);
    assert_int_equal(pe_read(&w, 1, SR_daif), 0x3c0);
    pe_write(&w, 3, SR_sp_el2, 0x1230);
    assert_int_equal(pe_read(&w, 3, SR_sp_el2), 0x1230);
    w.random = 41;
    assert_int_equal(pe_read(&w, 0, SR_rndr), 41);
    assert_int_equal(pe_read(&w, 0, SR_rndrrs), 42);
    w.gic_value = 30;
    assert_int_equal(pe_read(&w, 1, SR_icc_iar1_el1), 30);
    assert_int_equal(w.gic_id, SR_icc_iar1_el1);
    assert_int_equal(pe_write(&w, 1, SR_icv_eoir0_el1, 31), SYSREG_FX_IRQ | SYSREG_FX_GIC);
    assert_true(w.gic_id == SR_icv_eoir0_el1 && w.gic_value == 31);
    uint64_t v; /* a debugger's look acknowledges nothing and draws no random number */
    w.gic_id = 0;
    assert_false(sysreg_peek(&w.c, SR_icc_iar1_el1, &v) || sysreg_peek(&w.c, SR_rndr, &v) ||
                 sysreg_peek(&w.c, SR_tlbi_alle1, &v));
    assert_int_equal(w.gic_id, 0);
    assert_true(sysreg_peek(&w.c, SR_hcr_el2, &v) && v == 0x80000000);
    pe_end(&w);
}

static void instructions_say_what_they_do(void **state)
{
    struct sysreg_op op = sysreg_op(SR_tlbi_rvaale1isnxs);
    (void)state;
    assert_true(op.kind == SYSREG_OP_TLBI && op.what == TLBI_VAA && op.regime == 1 &&
                op.flags == (OP_RANGE | OP_LAST | OP_IS | OP_NXS));
    op = sysreg_op(SR_tlbi_vmalls12e1os);
    assert_true(op.kind == SYSREG_OP_TLBI && op.what == TLBI_VMALLS12 && op.regime == 1 && op.flags == OP_OS);
    op = sysreg_op(SR_tlbi_alle3);
    assert_true(op.kind == SYSREG_OP_TLBI && op.what == TLBI_ALL && op.regime == 3 && op.flags == 0);
    op = sysreg_op(SR_at_s12e0w);
    assert_true(op.kind == SYSREG_OP_AT && op.regime == 1 && op.el == 0 && op.flags == (OP_STAGE12 | OP_WRITE));
    op = sysreg_op(SR_at_s1e1rp);
    assert_true(op.kind == SYSREG_OP_AT && op.regime == 1 && op.el == 1 && op.flags == OP_PAN);
    assert_int_equal(sysreg_op(SR_dc_zva).kind, SYSREG_OP_DC);
    assert_int_equal(sysreg_op(SR_ic_ialluis).flags, OP_IS);
    assert_int_equal(sysreg_op(SR_cfp_rctx).kind, SYSREG_OP_PREDICT);
    assert_int_equal(sysreg_op(SR_msr_daifset).kind, SYSREG_OP_PSTATE);
    assert_int_equal(sysreg_op(SR_hcr_el2).kind, SYSREG_OP_NONE);
    for (unsigned id = 1; id < SYSREG_COUNT; id++) { /* by their names */
        char name[40];
        sysreg_name(id, name, sizeof name);
        op = sysreg_op(id);
        if (strncmp(name, "tlbi_", 5))
            continue;
        size_t n = strlen(name);
        bool nxs = !strcmp(name + n - 3, "nxs");
        if (nxs)
            name[n -= 3] = '\0';
        assert_int_equal(!!(op.flags & OP_NXS), nxs);
        assert_int_equal(!!(op.flags & OP_IS), !strcmp(name + n - 2, "is"));
        assert_int_equal(!!(op.flags & OP_OS), !strcmp(name + n - 2, "os"));
        assert_int_equal(!!(op.flags & OP_RANGE), name[5] == 'r');
        static const struct {
            const char *part;
            unsigned what;
        } kinds[] = {{"vmalls12", TLBI_VMALLS12}, {"vmall", TLBI_VMALL}, {"alle", TLBI_ALL}, {"aside", TLBI_ASID},
                     {"ipas2", TLBI_IPAS2},       {"vaa", TLBI_VAA},     {"va", TLBI_VA}};
        unsigned k = 0;
        while (k < ARRAY_LEN(kinds) && (!strstr(name, kinds[k].part) || (kinds[k].what == TLBI_ALL && name[5] != 'a')))
            k++;
        assert_true(k < ARRAY_LEN(kinds));
        assert_int_equal(op.what, kinds[k].what);
        assert_int_equal(op.regime, strstr(name, "e1") ? 1 : strstr(name, "e2") ? 2 : 3);
        assert_int_equal(!!(op.flags & OP_LAST), strstr(name, "vale") || strstr(name, "vaale") || strstr(name, "ipas2le"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_are_offset_by_who_reads),
        cmocka_unit_test(a_timer_is_met_when_the_count_has_reached_it),
        cmocka_unit_test(el1_has_the_counters_below_hpmn),
        cmocka_unit_test(selected_counters_are_the_numbered_ones),
        cmocka_unit_test(pmcr_resets_counters_and_keeps_its_enables),
        cmocka_unit_test(overflow_flags_are_those_of_now),
        cmocka_unit_test(pmuserenr_opens_the_monitors_to_el0_bit_by_bit),
        cmocka_unit_test(the_os_lock_opens_what_a_debugger_sees),
        cmocka_unit_test(claim_tags_are_set_and_cleared_by_ones),
        cmocka_unit_test(only_context_breakpoints_have_context_types),
        cmocka_unit_test(isr_shows_virtual_interrupts_at_el1),
        cmocka_unit_test(isr_shows_superpriority),
        cmocka_unit_test(nonsecure_priorities_are_shifted),
        cmocka_unit_test(binary_points_have_a_least_value_and_can_be_common),
        cmocka_unit_test(control_registers_share_their_fields),
        cmocka_unit_test(the_virtual_interface_is_vmcr),
        cmocka_unit_test(list_registers_tell_what_needs_maintenance),
        cmocka_unit_test(live_registers_reach_the_outside),
        cmocka_unit_test(instructions_say_what_they_do),
    };
    return cmocka_run_group_tests_name("sysreg_hooks", tests, NULL, NULL);
}
