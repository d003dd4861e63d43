/*
 * FEAT_EBEP and FEAT_SEBEP: where the overflow of a counter goes, by table D13-1 of the Arm ARM; which overflows ask (RKBPMJ);
 * what exceptions, returns and MSR make of PSTATE.PM and PPEND (RBVBYS, table D13-2); and that a synchronous exception comes
 * right behind the instruction that was counted (RNZLVW, RHLYTW), in runs of every length.
 */
#include "pe_rig.h"
#include "cpu/arm/counters.h"
#include "csr/arm/masks.h"

#define BIT(n) (UINT64_C(1) << (n))
enum { CODE = 0x40000000, VECTORS = 0x40030000, CYCLES = 31, INSTRUCTIONS = 32 };
#define SYNC      BIT(58)
#define NOP       0xd503201fu
#define ERET      0xd69f03e0u
#define WFI       0xd503207fu
#define MSR_PM(v) (0xd501401fu | (2u | (v)) << 8)

static struct rig *rig_new(const char *cpu)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    rig_vectors(r, VECTORS);
    r->pe.s.regs.vbar_el1 = r->pe.s.regs.vbar_el2 = r->pe.s.regs.vbar_el3 = VECTORS;
    return r;
}

/* Everything asks: each kind of counter has overflowed, and may tell of it. */
static void overflowed(struct rig *r)
{
    struct arm_regs *s = &r->pe.s.regs;
    s->pmcr_el0 = pmcr_el0_E | pmcr_el0_LC;
    s->pmovsset_el0 = s->pmintenset_el1 = BIT(CYCLES);
    s->mdcr_el2 = 6;
}

/* ---- table D13-1 -------------------------------------------------------------------------------------------------------------
 */

/* MDCR_EL3.PMEE, MDCR_EL2.PMEE, HCR_EL2.TGE, PMECR_EL1.PMEE, KPME, PSTATE.PM (x: any); then at EL3, EL2, EL1, EL0: I interrupt, D
   neither, M masked, a number: exception to that level; - does not exist. */
static const struct {
    const char *given, *at;
} table[] = {
    {"0 x 0 x x x", "IIII"}, {"0 x 1 x x x", "II-I"}, {"1 0 0 x x x", "IIII"}, {"1 0 1 x x x", "II-I"}, {"1 1 0 0 x x", "IIII"},
    {"1 1 0 2 x x", "DDDD"}, {"1 1 0 3 0 x", "MMM1"}, {"1 1 0 3 1 0", "MM11"}, {"1 1 0 3 1 1", "MMM1"}, {"1 1 1 0 x x", "II-I"},
    {"1 1 1 2 x x", "DD-D"}, {"1 1 1 3 x x", "MM-2"}, {"1 2 0 x x x", "DDDD"}, {"1 2 1 x x x", "DD-D"}, {"1 3 0 x 0 x", "MM22"},
    {"1 3 0 x 1 0", "M222"}, {"1 3 0 x 1 1", "MM22"}, {"1 3 1 x 0 x", "MM-2"}, {"1 3 1 x 1 0", "M2-2"}, {"1 3 1 x 1 1", "MM-2"},
    {"2 x 0 x x x", "DDDD"}, {"2 x 1 x x x", "DD-D"}, {"3 x 0 x 0 x", "M333"}, {"3 x 0 x 1 0", "3333"}, {"3 x 0 x 1 1", "M333"},
    {"3 x 1 x 0 x", "M3-3"}, {"3 x 1 x 1 0", "33-3"}, {"3 x 1 x 1 1", "M3-3"},
};

/* What the table says of effective values; of PMECR_EL1.PMEE 1 is reserved, as 2. */
static char lookup(const unsigned value[6], unsigned el)
{
    char found = 0;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        bool fits = true;
        for (unsigned k = 0; k < 6; k++) {
            char c = table[i].given[2 * k];
            unsigned v = k == 3 && value[k] == 1 ? 2 : value[k];
            fits = fits && (c == 'x' || v == (unsigned)(c - '0'));
        }
        if (!fits)
            continue;
        assert_int_equal(found, 0);
        found = table[i].at[3 - el];
    }
    assert_true(found != 0);
    return found;
}

static void overflows_go_where_the_table_says(void **state)
{
    static const char *const cpus[] = {"max", "max,el3=off", "max,el2=off", "max,el2=off,el3=off"};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cpus); i++) {
        struct rig *r = rig_new(cpus[i]);
        struct arm_regs *s = &r->pe.s.regs;
        bool el3 = !(i & 1), el2 = !(i & 2);
        overflowed(r);
        for (unsigned n = 0; n < 1u << 12; n++) {
            unsigned el = n & 3, v[6] = {n >> 2 & 3, n >> 4 & 3, n >> 6 & 1, n >> 7 & 3, n >> 9 & 1, n >> 10 & 1};
            bool secure = n >> 11 & 1; /* EL2 is not enabled there */
            if ((el == 3 && !el3) || (el == 2 && (!el2 || secure)) || (secure && !el3) || (el == 1 && v[2] && el2 && !secure))
                continue;
            s->scr_el3 = (el3 && secure ? 0 : scr_el3_NS) | scr_el3_RW;
            s->mdcr_el3 = (uint64_t)v[0] << 40;
            s->mdcr_el2 = (uint64_t)v[1] << 40 | (el2 ? 6 : 0);
            s->hcr_el2 = v[2] ? hcr_el2_TGE : 0;
            s->pmecr_el1 = v[3] | v[4] << 2;
            r->pe.s.pstate = (uint64_t)el << PSTATE_EL_SHIFT | (v[5] ? PSTATE_PM : 0) | (el ? PSTATE_SP : 0) | PSTATE_DAIF;
            pe_refresh(&r->pe);
            if (!el3)
                v[0] = 1;
            if (!el2 || secure)
                v[1] = 1, v[2] = 0;
            char want = lookup(v, el);
            unsigned to = pmu_exception(&r->pe);
            if (r->pe.s.pmu_level != (want == 'I') || to != (want >= '1' && want <= '3' ? (unsigned)(want - '0') : 0) ||
                ((r->pe.s.lines & LINE_PROFILING) != 0) == (want == 'I' || want == 'D'))
                fail_msg("\"%s\", case %#x: EL%u, should be %c; exception to EL%u, interrupt %u", cpus[i], n, el, want, to,
                         r->pe.s.pmu_level);
        }
        rig_free(r);
    }
}

/* RKBPMJ: enabled, overflowed, by the global enable of its range, and not in synchronous mode; interrupts ask that of none. */
static void what_asks_is_what_the_rule_lists(void **state)
{
    struct rig *r = rig_new("max,el3=off");
    struct arm_regs *s = &r->pe.s.regs;
    (void)state;
    for (unsigned n = 0; n <= INSTRUCTIONS; n = n == 5 ? CYCLES : n + 1) {
        for (unsigned bits = 0; bits < 64; bits++) {
            bool e = bits & 1, hpme = bits & 2, flag = bits & 4, asked = bits & 8, sync = bits & 16, irq = bits & 32;
            uint64_t *type = n == INSTRUCTIONS ? &s->pmicfiltr_el0 : n == CYCLES ? &s->pmccfiltr_el0 : &s->pmevtyper_el0[n];
            s->pmcr_el0 = (e ? pmcr_el0_E : 0) | pmcr_el0_LC;
            s->mdcr_el2 = 3 | (hpme ? mdcr_el2_HPME : 0) | UINT64_C(1) << 40;
            s->pmecr_el1 = irq ? 0 : 3;
            s->pmovsset_el0 = flag ? BIT(n) : 0;
            s->pmintenset_el1 = asked ? BIT(n) : 0;
            *type = sync && n != CYCLES ? SYNC | EVENT_INST_RETIRED : 0;
            r->pe.s.pstate = 0;
            pe_refresh(&r->pe);
            bool asks = (n >= 3 && n < CYCLES ? hpme : e) && flag && asked;
            assert_int_equal(pmu_exception(&r->pe), asks && !irq && !(sync && n != CYCLES) ? 1 : 0);
            assert_int_equal(r->pe.s.pmu_level, asks && irq);
            *type = 0;
        }
    }
    rig_free(r);
}

/* ---- runs --------------------------------------------------------------------------------------------------------------------
 */

/* At EL1, where exceptions go; counter 0 is at `value`, of event `type`. */
static void start(struct rig *r, uint64_t type, uint64_t value)
{
    struct arm_regs *s = &r->pe.s.regs;
    mem_write(r->mem, CODE, r->code, sizeof r->code);
    r->pe.s.pc = CODE;
    s->pmcr_el0 = pmcr_el0_E | pmcr_el0_LC;
    s->pmintenset_el1 = s->pmcntenset_el0 = 1;
    s->pmecr_el1 = 7;
    s->mdcr_el2 = 6 | UINT64_C(1) << 40;
    s->pmevtyper_el0[0] = type;
    r->pe.s.counter[0] = value;
    r->pe.s.count_cycle = r->pe.s.cycle;
    r->pe.s.count_idle = r->pe.s.idle;
    r->pe.s.pstate = PSTATE_DAIF | 1u << PSTATE_EL_SHIFT | PSTATE_SP;
    pe_refresh(&r->pe);
}

static void run(struct rig *r, uint64_t cycles, uint64_t piece)
{
    uint64_t end = r->pe.s.cycle + cycles;
    while (r->pe.s.cycle < end) {
        uint64_t to = r->pe.s.cycle + piece;
        if (pe_run(&r->pe, to < end ? to : end) == CPU_STOP_WAIT)
            r->pe.s.idle += end - r->pe.s.cycle, r->pe.s.cycle = end;
    }
}

static void is_in_handler(struct rig *r, uint64_t elr, unsigned iss, uint64_t spsr)
{
    const struct arm_regs *s = &r->pe.s.regs;
    assert_int_equal(r->pe.s.pc, VECTORS + 0x200);
    assert_int_equal(s->elr_el1, elr);
    assert_int_equal(s->esr_el1, UINT64_C(0x3d) << 26 | 1u << 25 | iss);
    assert_int_equal(s->spsr_el1, spsr);
    assert_int_equal(r->pe.s.pstate, PSTATE_DAIF | PSTATE_SP | 1u << PSTATE_EL_SHIFT | PSTATE_PM | PSTATE_ALLINT | PSTATE_TCO);
}

#define AT_EL1 (PSTATE_DAIF | 1u << PSTATE_EL_SHIFT | PSTATE_SP)

/* Ten cycles after it began, whatever the lengths of the runs; at 64 bits, with PMCR_EL0.LP 0. */
static void an_overflow_is_taken_at_its_cycle(void **state)
{
    (void)state;
    for (uint64_t piece = 1; piece < 14; piece++) {
        struct rig *r = rig_new("max,el3=off");
        for (unsigned i = 0; i < 40; i++)
            a64_put(&r->g, NOP);
        start(r, EVENT_CPU_CYCLES, UINT64_MAX - 9);
        run(r, 11, piece);
        is_in_handler(r, CODE + 40, 0, AT_EL1);
        assert_int_equal(pmu_event_value(&r->pe, 0), 1);
        rig_free(r);
        r = rig_new("max,el3=off");
        for (unsigned i = 0; i < 40; i++)
            a64_put(&r->g, NOP);
        start(r, EVENT_CPU_CYCLES, UINT32_MAX - 9); /* not at 32 bits */
        run(r, 30, piece);
        assert_int_equal(r->pe.s.pc, CODE + 120);
        assert_int_equal(pmu_overflows(&r->pe), 0);
        rig_free(r);
    }
}

/* A branch, the instruction that is counted as the tenth, and the one it comes back to; the counter was in synchronous mode. */
static void a_synchronous_one_is_taken_behind_its_instruction(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 3; at++) { /* an event counter, the instruction counter, one with a threshold */
        for (uint64_t piece = 1; piece < 14; piece++) {
            struct rig *r = rig_new("max,el3=off");
            struct arm_regs *s = &r->pe.s.regs;
            for (unsigned i = 0; i < 40; i++)
                a64_put(&r->g, NOP);
            r->code[9] = 0x14000007; /* b +28 */
            a64_put(&r->g, ERET);
            start(r, EVENT_INST_RETIRED | SYNC | (at == 2 ? UINT64_C(5) << 61 | UINT64_C(1) << 32 : 0), UINT64_MAX - 9);
            if (at == 1) {
                s->pmintenset_el1 = s->pmcntenset_el0 = BIT(INSTRUCTIONS);
                s->pmicfiltr_el0 = SYNC;
                r->pe.s.counter[INSTRUCTIONS] = UINT64_MAX - 9;
                pe_refresh(&r->pe);
            }
            run(r, 11, piece);
            is_in_handler(r, CODE + 64, 1, AT_EL1 | PSTATE_PPEND);
            assert_int_equal(s->pmiar_el1, CODE + 36);
            run(r, 5, piece); /* masked in the handler */
            assert_int_equal(r->pe.s.pc, VECTORS + 0x200);
            s->spsr_el1 &= ~PSTATE_PPEND; /* back, with the flag still set: one instruction further */
            r->pe.s.pc = CODE + 160;
            run(r, 3, piece);
            is_in_handler(r, CODE + 68, 1, AT_EL1 | PSTATE_PPEND);
            assert_int_equal(s->pmiar_el1, CODE + 64);
            rig_free(r);
        }
    }
}

/* Of a counter that is not in synchronous mode nothing is told of an instruction. */
static void an_asynchronous_one_tells_no_instruction(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off");
    for (unsigned i = 0; i < 40; i++)
        a64_put(&r->g, NOP);
    start(r, EVENT_INST_RETIRED, UINT64_MAX - 4);
    run(r, 6, 3);
    is_in_handler(r, CODE + 20, 0, AT_EL1);
    assert_int_equal(r->pe.s.regs.pmiar_el1, 0);
    rig_free(r);
}

/* Events that no cycle foretells: the SVC's exception overflows the counter, and the next comes at its vector. */
static void an_event_in_between_is_not_missed(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off");
    struct arm_regs *s = &r->pe.s.regs;
    a64_put(&r->g, 0xd4000001);
    start(r, EVENT_EXC_TAKEN, UINT64_MAX);
    s->mdcr_el2 = 6 | UINT64_C(3) << 40;
    r->pe.s.pstate = PSTATE_DAIF;
    pe_refresh(&r->pe);
    run(r, 2, 50);
    assert_int_equal(s->esr_el1 >> 26, EC_SVC);
    assert_int_equal(s->esr_el2 >> 26, EC_PROFILING);
    assert_int_equal(s->elr_el2, VECTORS + 0x400);
    rig_free(r);
}

/* An instruction that takes an exception does not set PPEND; neither does one while the exception is masked or off, or for which
   the counter does not count; the counter overflows all the same. */
static void only_what_the_rule_lists_sets_ppend(void **state)
{
    enum { SVC, MASKED, NO_KPME, NOT_ASKED, OFF, NO_FLAG_OF_OURS, CASES };
    (void)state;
    for (unsigned c = 0; c < CASES; c++) {
        struct rig *r = rig_new("max,el3=off");
        struct arm_regs *s = &r->pe.s.regs;
        for (unsigned i = 0; i < 40; i++)
            a64_put(&r->g, c == SVC && i == 2 ? 0xd4000001 : NOP);
        start(r, EVENT_INST_RETIRED | SYNC, UINT64_MAX - 2);
        if (c == MASKED)
            r->pe.s.pstate |= PSTATE_PM;
        s->pmecr_el1 = c == NO_KPME ? 3 : c == OFF ? 4 : 7;
        s->pmintenset_el1 = c == NOT_ASKED ? 0 : 1;
        if (c == NO_FLAG_OF_OURS) { /* the flag of another counter */
            r->pe.s.counter[0] = 0;
            s->pmovsset_el0 = 2;
        }
        pe_refresh(&r->pe);
        run(r, 3, 1);
        assert_int_equal(r->pe.s.pc, c == SVC ? VECTORS + 0x200 : CODE + 12);
        assert_int_equal(r->pe.s.pstate & PSTATE_PPEND, 0);
        assert_int_equal(s->pmiar_el1, 0);
        assert_int_equal(pmu_overflows(&r->pe) & 1, c != NO_FLAG_OF_OURS);
        run(r, 6, 3);
        assert_int_equal(s->esr_el1 >> 26, c == SVC ? EC_SVC : 0);
        rig_free(r);
    }
}

static void a_software_increment_is_synchronous_too(void **state)
{
    (void)state;
    for (unsigned th = 0; th < 2; th++) {
        struct rig *r = rig_new("max,el3=off");
        a64_put(&r->g, NOP);
        a64_put(&r->g, 0xd51b9c80); /* msr pmswinc_el0, x0 */
        for (unsigned i = 0; i < 20; i++)
            a64_put(&r->g, NOP);
        r->pe.s.x[0] = 1;
        start(r, EVENT_SW_INCR | SYNC | (th ? UINT64_C(4) << 61 | UINT64_C(2) << 32 : 0), UINT64_MAX);
        run(r, 3, 10);
        if (th) { /* a value of 2 or more: never */
            assert_int_equal(r->pe.s.pc, CODE + 12);
        } else {
            is_in_handler(r, CODE + 8, 1, AT_EL1 | PSTATE_PPEND);
            assert_int_equal(r->pe.s.regs.pmiar_el1, CODE + 4);
        }
        rig_free(r);
    }
}

/* ICTDHP: another event is not counted in synchronous mode; IDKYFT: a counter in it stops no others. */
static void synchronous_mode_is_for_synchronous_events(void **state)
{
    static const unsigned event[] = {EVENT_INST_RETIRED, EVENT_CPU_CYCLES, EVENT_EXC_TAKEN, EVENT_EXC_RETURN,
                                     EVENT_STALL_BACKEND};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(event); i++) {
        struct rig *r = rig_new("max,el3=off");
        for (unsigned k = 0; k < 60; k++)
            a64_put(&r->g, NOP);
        start(r, event[i] | SYNC, 0);
        run(r, 20, 7);
        pmu_event(&r->pe, event[i] == EVENT_INST_RETIRED ? EVENT_EXC_TAKEN : event[i]);
        assert_int_equal(pmu_event_value(&r->pe, 0), i ? 0 : 20);
        rig_free(r);
    }
    for (unsigned n = 0; n < 4; n++) { /* of the first range, of the second, the instruction counter; one that is not */
        struct rig *r = rig_new("max,el3=off");
        struct arm_regs *s = &r->pe.s.regs;
        for (unsigned k = 0; k < 60; k++)
            a64_put(&r->g, NOP);
        start(r, EVENT_INST_RETIRED | (n < 3 ? SYNC : 0), 0);
        s->pmevtyper_el0[4] = EVENT_INST_RETIRED | SYNC;
        s->pmicfiltr_el0 = SYNC;
        s->pmcr_el0 |= pmcr_el0_FZO;
        s->mdcr_el2 = 3 | mdcr_el2_HPME | mdcr_el2_HPMFZO;
        s->pmcntenset_el0 = 0x22; /* counters 1 and 5 */
        s->pmevtyper_el0[1] = s->pmevtyper_el0[5] = EVENT_CPU_CYCLES;
        s->pmovsset_el0 = n == 1 ? 0x10 : n == 2 ? BIT(INSTRUCTIONS) : 1;
        s->pmintenset_el1 = 0;
        pe_refresh(&r->pe);
        run(r, 20, 20);
        assert_int_equal(pmu_event_value(&r->pe, 1), n == 3 ? 0 : 20);
        assert_int_equal(pmu_event_value(&r->pe, 5), 20);
        rig_free(r);
    }
}

/* ---- PSTATE.PM, PPEND
 * ---------------------------------------------------------------------------------------------------------- */

static void msr_writes_pm_and_unmasks_at_once(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off");
    a64_put(&r->g, 0xd5384320); /* mrs x0, pm */
    a64_put(&r->g, MSR_PM(0));
    a64_put(&r->g, NOP);
    start(r, EVENT_CPU_CYCLES, 0);
    r->pe.s.pstate |= PSTATE_PM;
    r->pe.s.regs.pmovsset_el0 = 1;
    pe_refresh(&r->pe);
    run(r, 3, 3);
    assert_int_equal(r->pe.s.x[0], PSTATE_PM);
    is_in_handler(r, CODE + 8, 0, AT_EL1);
    rig_free(r);
    for (unsigned reg = 0; reg < 2; reg++) { /* by register and by immediate, set and cleared */
        for (unsigned v = 0; v < 2; v++) {
            r = rig_new("max,el3=off");
            a64_put(&r->g, reg ? 0xd5184321 : MSR_PM(v)); /* msr pm, x1 */
            start(r, EVENT_CPU_CYCLES, 0);
            r->pe.s.x[1] = v ? UINT64_MAX : ~PSTATE_PM;
            r->pe.s.pstate |= v ? 0 : PSTATE_PM;
            run(r, 1, 1);
            assert_int_equal(r->pe.s.pstate, AT_EL1 | (v ? PSTATE_PM : 0));
            rig_free(r);
        }
    }
    for (unsigned el = 0; el < 2; el++) { /* UNDEFINED at EL0 and without the feature */
        r = rig_new(el ? "max,el3=off,ebep=off" : "max,el3=off");
        a64_put(&r->g, MSR_PM(1));
        start(r, EVENT_CPU_CYCLES, 0);
        r->pe.s.pstate = el ? AT_EL1 : 0;
        pe_refresh(&r->pe);
        run(r, 1, 1);
        assert_int_equal(r->pe.s.regs.esr_el1, 1u << 25);
        assert_int_equal(r->pe.s.pstate & PSTATE_PM, el ? 0 : PSTATE_PM);
        rig_free(r);
    }
}

/* Of every ERET: the table D13-2, with the states before and behind by D13-1, and illegal returns, which keep their level. */
static void a_return_keeps_ppend_only_if_it_unmasks(void **state)
{
    struct rig *r = rig_new("max");
    struct arm_regs *s = &r->pe.s.regs;
    unsigned kept = 0;
    (void)state;
    a64_put(&r->g, ERET);
    for (unsigned n = 0; n < 1u << 12; n++) {
        unsigned el = 1 + n % 3, to = n / 3 & 3, v[6] = {n >> 4 & 3, n >> 6 & 3, 0, n >> 8 & 1 ? 3 : 0, n >> 9 & 1, 0};
        bool pm = n >> 10 & 1, pm_after = n >> 11 & 1, illegal = to > el;
        start(r, 0, 0);
        s->pmovsset_el0 = 0;
        s->pmcntenset_el0 = 0;
        s->scr_el3 = scr_el3_NS | scr_el3_RW;
        s->hcr_el2 = 0;
        s->mdcr_el3 = (uint64_t)v[0] << 40;
        s->mdcr_el2 = (uint64_t)v[1] << 40 | 6;
        s->pmecr_el1 = v[3] | v[4] << 2;
        r->pe.s.pstate = PSTATE_DAIF | (uint64_t)el << PSTATE_EL_SHIFT | PSTATE_SP | (pm ? PSTATE_PM : 0);
        s->spsr_el1 = s->spsr_el2 = s->spsr_el3 =
            PSTATE_DAIF | (uint64_t)to << PSTATE_EL_SHIFT | (to ? PSTATE_SP : 0) | PSTATE_PPEND | (pm_after ? PSTATE_PM : 0);
        s->elr_el1 = s->elr_el2 = s->elr_el3 = CODE + 0x40;
        pe_refresh(&r->pe);
        v[5] = pm;
        char before = lookup(v, el);
        v[5] = pm_after;
        char after = lookup(v, illegal ? el : to);
        bool want = before == 'M' && after >= '1' && after <= '3';
        run(r, 1, 1);
        if (((r->pe.s.pstate & PSTATE_PPEND) != 0) != want || ((r->pe.s.pstate & PSTATE_PM) != 0) != pm_after)
            fail_msg("case %#x: EL%u to EL%u, %c then %c: PSTATE %#llx", n, el, to, before, after,
                     (unsigned long long)r->pe.s.pstate);
        kept += want;
        run(r, 1, 1);
        assert_int_equal(r->pe.s.pc ==
                                 VECTORS + (after - '0' > (int)r->pe.el || (illegal ? el : to) < r->pe.el ? 0x400 : 0x200) &&
                             (*(r->pe.el == 1   ? &s->esr_el1
                                : r->pe.el == 2 ? &s->esr_el2
                                                : &s->esr_el3)) >>
                                     26 ==
                                 EC_PROFILING,
                         want);
        s->esr_el1 = s->esr_el2 = s->esr_el3 = 0;
    }
    assert_true(kept > 100);
    rig_free(r);
}

/* An interrupt comes between: PPEND is saved and cleared. Behind it the exception is taken before the instruction returned to. */
static void an_interrupt_between_keeps_it_for_later(void **state)
{
    struct rig *r = rig_new("max,el3=off");
    struct arm_regs *s = &r->pe.s.regs;
    uint32_t eret = ERET;
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        a64_put(&r->g, NOP);
    start(r, EVENT_INST_RETIRED | SYNC, UINT64_MAX);
    r->pe.s.pstate &= ~(uint64_t)PSTATE_DAIF;
    pe_refresh(&r->pe);
    run(r, 1, 1);
    assert_true(r->pe.s.pstate & PSTATE_PPEND);
    r->pe.s.lines |= LINE_IRQ;
    mem_write(r->mem, VECTORS + 0x280, &eret, 4);
    s->esr_el1 = 0;
    struct arm_exception e;
    assert_true(pe_pending(&r->pe, &e));
    take_exception(&r->pe, &e);
    r->pe.s.lines &= ~(uint64_t)LINE_IRQ;
    assert_int_equal(r->pe.s.pc, VECTORS + 0x280);
    assert_int_equal(r->pe.s.pstate & PSTATE_PPEND, 0);
    assert_int_equal(s->spsr_el1, (1u << PSTATE_EL_SHIFT) | PSTATE_SP | PSTATE_PPEND);
    run(r, 2, 2);
    assert_int_equal(s->esr_el1, UINT64_C(0x3d) << 26 | 1u << 25 | 1);
    assert_int_equal(s->elr_el1, CODE + 4);
    assert_int_equal(s->pmiar_el1, CODE);
    rig_free(r);
}

/* D1.4.5.6: behind the software step, before the alignment of the PC. D1.7.3: it ends WFI and WFE. */
static void it_comes_in_its_order_and_wakes(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off");
    struct arm_regs *s = &r->pe.s.regs;
    start(r, EVENT_CPU_CYCLES, 0);
    s->pmovsset_el0 = 1;
    s->mdscr_el1 = 1 | 1 << 13; /* SS, KDE */
    s->oslsr_el1 = 8;
    r->pe.s.pc = CODE + 2;
    r->pe.s.pstate &= ~(uint64_t)PSTATE_D;
    pe_refresh(&r->pe);
    run(r, 1, 1);
    assert_int_equal(s->esr_el1 >> 26, EC_SOFTWARE_STEP_LOWER + 1);
    start(r, EVENT_CPU_CYCLES, 0);
    s->mdscr_el1 = 0;
    r->pe.s.pc = CODE + 2;
    pe_refresh(&r->pe);
    run(r, 1, 1);
    assert_int_equal(s->esr_el1 >> 26, EC_PROFILING);
    assert_int_equal(s->elr_el1, CODE + 2);
    rig_free(r);
    for (unsigned wfe = 0; wfe < 2; wfe++) {
        for (unsigned masked = 0; masked < 2; masked++) {
            r = rig_new("max,el3=off");
            a64_put(&r->g, wfe ? 0xd503205f : WFI);
            start(r, EVENT_CPU_CYCLES, UINT64_MAX - 99);
            r->pe.s.pstate |= masked ? PSTATE_PM : 0;
            r->pe.s.event = 0;
            pe_refresh(&r->pe);
            assert_int_equal(pe_run(&r->pe, r->pe.s.cycle + 50), CPU_STOP_WAIT);
            r->pe.s.idle += 100;
            r->pe.s.cycle += 100;
            assert_int_equal(pe_run(&r->pe, r->pe.s.cycle + 1), masked ? CPU_STOP_WAIT : CPU_STOP_LIMIT);
            assert_int_equal(r->pe.s.regs.esr_el1 >> 26, masked ? 0 : EC_PROFILING);
            rig_free(r);
        }
    }
}

/* Nothing but the feature itself changes anything: without FEAT_EBEP the fields are RES0, and an overflow interrupts. */
static void without_the_feature_overflows_interrupt(void **state)
{
    struct rig *r = rig_new("max,el3=off,ebep=off");
    struct arm_regs *s = &r->pe.s.regs;
    (void)state;
    overflowed(r);
    sysreg_write(&r->pe.ctx, SR_pmecr_el1, 7);
    assert_int_equal(s->pmecr_el1, 0);
    r->pe.s.pstate = 0;
    pe_refresh(&r->pe);
    assert_int_equal(r->pe.s.pmu_level, 1);
    assert_int_equal(pmu_exception(&r->pe), 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflows_go_where_the_table_says),
        cmocka_unit_test(what_asks_is_what_the_rule_lists),
        cmocka_unit_test(an_overflow_is_taken_at_its_cycle),
        cmocka_unit_test(a_synchronous_one_is_taken_behind_its_instruction),
        cmocka_unit_test(an_asynchronous_one_tells_no_instruction),
        cmocka_unit_test(an_event_in_between_is_not_missed),
        cmocka_unit_test(only_what_the_rule_lists_sets_ppend),
        cmocka_unit_test(a_software_increment_is_synchronous_too),
        cmocka_unit_test(synchronous_mode_is_for_synchronous_events),
        cmocka_unit_test(msr_writes_pm_and_unmasks_at_once),
        cmocka_unit_test(a_return_keeps_ppend_only_if_it_unmasks),
        cmocka_unit_test(an_interrupt_between_keeps_it_for_later),
        cmocka_unit_test(it_comes_in_its_order_and_wakes),
        cmocka_unit_test(without_the_feature_overflows_interrupt),
    };
    return cmocka_run_group_tests_name("arm_profiling", tests, NULL, NULL);
}
