/*
 * Performance monitors from FEAT_PMUv3p7 on: where each kind of counter counts, and what stops it (Arm ARM D13.5,
 * CountPMUEvents); the instruction counter; thresholds and edges against the manual's rule for one cycle (D13.8, PMUCountValue),
 * cycle by cycle; and that neither looking nor the size of a run's pieces changes anything.
 */
#include "a64_guest.h"
#include "counters_rig.h"
#include "base/rng.h"
#include "cpu/arm/pstate.h"
#include "csr/arm/masks.h"

#define BIT(n) (UINT64_C(1) << (n))
enum { CYCLES = 31, INSTRUCTIONS = 32, COUNTERS = 6 };

static uint64_t value(struct rig *r, unsigned n)
{
    struct sysreg_ctx c = r->p->ctx;
    c.el = 3;
    return sysreg_read(&c, n == CYCLES ? SR_pmccntr_el0 : n == INSTRUCTIONS ? SR_pmicntr_el0 : SR_pmevcntr_el0 + n);
}

static void level(struct rig *r, unsigned el)
{
    pe_set_pstate(r->p, PSTATE_DAIF | (uint64_t)el << PSTATE_EL_SHIFT | (el ? PSTATE_SP : 0));
}

/* ---- where a counter counts --------------------------------------------------------------------------------------------------
 */

/* MDCR_EL3, MDCR_EL2, PMCR_EL0 and the flags, with two counters for EL1 and EL0. */
struct where {
    unsigned el;
    bool secure, two, three; /* there are EL2, EL3 */
    bool e, dp, fzo, spme, mpmx, sccd, mccd, hpme, hpmd, hccd, hpmfzo;
    bool flag_first, flag_second, flag_cycles, flag_instructions;
};

/* RGNGCW, RMMZLZ, RCSRMB, RGKPZH, RFGSDP, table "Event counter enables". */
static bool wanted(const struct where *w, unsigned n)
{
    bool second = n < CYCLES && w->two && n >= 2, first = n < CYCLES && !second;
    if (!(second ? w->hpme : w->e))
        return false;
    bool allowed = true;
    if (w->three && w->el == 3) {
        if (second)
            allowed = w->spme;
        else if (first)
            allowed = w->spme && !w->mpmx;
        else /* of the others: {SPME, MPMX} is {1, 0} */
            allowed = w->spme && !w->mpmx;
    } else if (w->three && w->secure) {
        allowed = w->spme || w->mpmx;
    }
    if (w->el == 2 && w->hpmd && !second)
        allowed = false;
    bool one = w->flag_first || w->flag_instructions || (!w->two && w->flag_second), frozen = w->fzo && one;
    if (second)
        frozen = w->hpmfzo && w->flag_second;
    if (n != CYCLES)
        return allowed && !frozen;
    if (w->dp && (!allowed || frozen))
        return false;
    if (w->three && (w->secure || w->el == 3) && w->sccd)
        return false;
    return !(w->el == 3 && w->mccd) && !(w->el == 2 && w->hccd);
}

static void enter(struct rig *r, const struct where *w)
{
    struct arm_regs *s = &r->p->s.regs;
    s->scr_el3 = (s->scr_el3 & ~(scr_el3_NS | scr_el3_EEL2)) | (w->secure ? scr_el3_EEL2 : scr_el3_NS);
    s->pmcr_el0 = (w->e ? pmcr_el0_E : 0) | (w->dp ? pmcr_el0_DP : 0) | (w->fzo ? pmcr_el0_FZO : 0) | pmcr_el0_LC;
    s->mdcr_el3 = !w->three ? 0
                            : (w->spme ? mdcr_el3_SPME : 0) | (w->mpmx ? mdcr_el3_MPMX : 0) | (w->sccd ? mdcr_el3_SCCD : 0) |
                                  (w->mccd ? mdcr_el3_MCCD : 0);
    s->mdcr_el2 = !w->two ? 0
                          : 2 | (w->hpme ? mdcr_el2_HPME : 0) | (w->hpmd ? mdcr_el2_HPMD : 0) | (w->hccd ? mdcr_el2_HCCD : 0) |
                                (w->hpmfzo ? mdcr_el2_HPMFZO : 0);
    s->pmovsset_el0 = (w->flag_first ? 2 : 0) | (w->flag_second ? 8 : 0) | (w->flag_cycles ? BIT(CYCLES) : 0) |
                      (w->flag_instructions ? BIT(INSTRUCTIONS) : 0);
    s->pmcntenset_el0 = 0x3f | BIT(CYCLES) | BIT(INSTRUCTIONS);
    for (unsigned n = 0; n < COUNTERS; n++)
        s->pmevtyper_el0[n] = EVENT_CPU_CYCLES | BIT(27);
    s->pmccfiltr_el0 = s->pmicfiltr_el0 = BIT(27); /* NSH: EL2, too; M is as P: EL3, too */
    level(r, w->el);
    pe_refresh(r->p);
}

static void each_counter_counts_where_the_manual_says(void **state)
{
    static const char *const configs[] = {"max", "max,el3=off", "max,el2=off", "max,el2=off,el3=off"};
    uint64_t rng = 5;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(configs); i++) {
        struct rig *r = rig_new(configs[i]);
        for (unsigned round = 0; round < 20000; round++) {
            uint64_t v = rng_next(&rng);
            struct where w = {.two = !(i & 2), .three = !(i & 1), .el = (unsigned)(v >> 60 & 3)};
            if ((w.el == 2 && !w.two) || (w.el == 3 && !w.three))
                continue;
            w.secure = w.three && v >> 59 & 1;
            bool *const bits[] = {&w.dp,
                                  &w.fzo,
                                  &w.spme,
                                  &w.mpmx,
                                  &w.sccd,
                                  &w.mccd,
                                  &w.hpmd,
                                  &w.hccd,
                                  &w.hpmfzo,
                                  &w.flag_first,
                                  &w.flag_second,
                                  &w.flag_cycles,
                                  &w.flag_instructions};
            for (unsigned k = 0; k < ARRAY_LEN(bits); k++)
                *bits[k] = v >> k & 1;
            w.e = v >> 20 & 3;
            w.hpme = v >> 22 & 3;
            enter(r, &w);
            uint64_t before[33];
            for (unsigned n = 0; n < 33; n++)
                before[n] = n < COUNTERS || n >= CYCLES ? value(r, n) : 0;
            pass(r, 100, 0);
            for (unsigned n = 0; n < 33; n++)
                if ((n < COUNTERS || n >= CYCLES) && value(r, n) - before[n] != (wanted(&w, n) ? 100 : 0))
                    fail_msg("%s: counter %u at EL%u, secure %d, controls %#llx: %u", configs[i], n, w.el, w.secure,
                             (unsigned long long)v, (unsigned)(value(r, n) - before[n]));
        }
        rig_free(r);
    }
}

/* ---- the instruction counter -------------------------------------------------------------------------------------------------
 */

static void told(void *ctx, struct pe *p, bool high)
{
    (void)p;
    *(int *)ctx = high;
}

static void instructions_are_counted_filtered_and_overflow(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    int high = -1;
    const struct pe_env env = {.pmu = told};
    r->p->env = &env;
    r->p->env_ctx = &high;
    put(r, SR_pmicfiltr_el0, BIT(30) | 0x11); /* not EL0; the event stays */
    assert_int_equal(get(r, SR_pmicfiltr_el0), BIT(30) | 8);
    put(r, SR_pmcntenset_el0, BIT(INSTRUCTIONS));
    pass(r, 50, 0);
    assert_int_equal(get(r, SR_pmicntr_el0), 0); /* PMCR_EL0.E */
    put(r, SR_pmcr_el0, 1);
    pass(r, 100, 30);
    assert_int_equal(get(r, SR_pmicntr_el0), 70);
    put(r, SR_pmcr_el0, 1 | 2 | 4); /* P and C leave it */
    assert_int_equal(get(r, SR_pmicntr_el0), 70);
    level(r, 0);
    pass(r, 100, 0);
    level(r, 1);
    assert_int_equal(get(r, SR_pmicntr_el0), 70);
    put(r, SR_pmintenset_el1, BIT(INSTRUCTIONS));
    put(r, SR_pmicntr_el0, UINT64_MAX - 9);
    assert_int_equal(r->p->deadline, r->p->s.cycle + 10);
    pass(r, 9, 0);
    assert_int_equal(get(r, SR_pmovsset_el0), 0);
    pass(r, 1, 0);
    assert_int_equal(get(r, SR_pmovsset_el0), BIT(INSTRUCTIONS));
    pe_deadline(r->p);
    assert_int_equal(high, 1);
    put(r, SR_pmovsclr_el0, BIT(INSTRUCTIONS));
    assert_int_equal(high, 0);
    put(r, SR_pmicntr_el0, 17);
    put(r, SR_pmzr_el0, BIT(INSTRUCTIONS));
    assert_int_equal(get(r, SR_pmicntr_el0), 0);
    rig_free(r);
}

/* An overflow interrupts in time though the counter did not count where the deadline was last computed. */
static void a_counter_of_el0_has_its_deadline_at_el0(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    put(r, SR_pmevtyper_el0, EVENT_CPU_CYCLES | BIT(31)); /* not EL1 */
    put(r, SR_pmcntenset_el0, 1);
    put(r, SR_pmcr_el0, 1);
    put(r, SR_pmintenset_el1, 1);
    put(r, SR_pmevcntr_el0, UINT32_MAX - 4);
    assert_true(r->p->deadline > r->p->s.cycle + 1000000);
    r->p->cpu.limit = r->p->s.cycle + 1000;
    r->p->cpu.resync = false;
    level(r, 0);
    assert_int_equal(r->p->deadline, r->p->s.cycle + 5);
    assert_true(r->p->cpu.resync); /* and the run loop is told */
    rig_free(r);
}

/* ---- thresholds and edges ----------------------------------------------------------------------------------------------------
 */

/* PMUCountValue, for one cycle. */
static unsigned rule(uint64_t type, unsigned v, bool *last)
{
    unsigned tc = (unsigned)(type >> 61), th = (unsigned)(type >> 32 & 0xfff);
    bool te = type >> 60 & 1, before = *last, meets = false;
    if ((te && !(tc & 3)) || (!tc && !th && !te))
        return v;
    switch (tc >> 1) {
    case 0: meets = v != th; break;
    case 1: meets = v == th; break;
    case 2: meets = v >= th; break;
    default: meets = v < th; break;
    }
    *last = meets;
    if (te)
        return (tc & 3) == 2 ? before != meets : !before && meets;
    return tc & 1 ? meets : meets ? v : 0;
}

/* What the counters should have: cycle by cycle. done: an event gave this cycle its value already. */
struct model {
    uint64_t type[COUNTERS], count[COUNTERS];
    bool last[COUNTERS], on[COUNTERS], done[COUNTERS];
};

/* The event of these counters happens, in the cycle that is next. */
static void happens(struct model *m, unsigned event, uint64_t which)
{
    for (unsigned n = 0; n < COUNTERS; n++) {
        if (!m->on[n] || (m->type[n] & 0xffff) != event || !(which >> n & 1))
            continue;
        m->count[n] += rule(m->type[n], 1, &m->last[n]);
        m->done[n] = true;
    }
}

/* One cycle, which retires an instruction or not. */
static void cycle(struct model *m, bool retires)
{
    for (unsigned n = 0; n < COUNTERS; n++) {
        unsigned event = (unsigned)(m->type[n] & 0xffff),
                 v = event == EVENT_CPU_CYCLES || (event == EVENT_INST_RETIRED && retires);
        if (!m->on[n])
            m->last[n] = false;
        else if (event != 0x77 && !m->done[n]) /* which is not there: nothing is counted */
            m->count[n] += rule(m->type[n], v, &m->last[n]);
        m->done[n] = false;
    }
}

static void choose_types(struct rig *r, struct model *m, uint64_t *rng)
{
    static const uint16_t events[] = {EVENT_CPU_CYCLES, EVENT_INST_RETIRED, EVENT_INST_RETIRED,  EVENT_SW_INCR,
                                      EVENT_SW_INCR,    EVENT_EXC_TAKEN,    EVENT_STALL_BACKEND, 0x77};
    for (unsigned n = 0; n < COUNTERS; n++) {
        m->type[n] = events[rng_below(rng, ARRAY_LEN(events))] | rng_below(rng, 3) << 32 | rng_below(rng, 16) << 60;
        if (rng_below(rng, 4) == 0)
            m->type[n] |= UINT64_C(0x800) << 32;
        if (rng_below(rng, 3) == 0)
            m->type[n] |= BIT(30); /* not EL0 */
        put(r, SR_pmevtyper_el0 + n, m->type[n]);
        put(r, SR_pmevcntr_el0 + n, 0);
        m->count[n] = 0;
        m->last[n] = false;
    }
}

static void compare(struct rig *r, const struct model *m)
{
    for (unsigned n = 0; n < COUNTERS; n++)
        if (value(r, n) != m->count[n])
            fail_msg("counter %u of type %#llx: %llu, not %llu", n, (unsigned long long)m->type[n],
                     (unsigned long long)value(r, n), (unsigned long long)m->count[n]);
}

static void set_levels(struct rig *r, struct model *m, unsigned el, uint64_t enabled)
{
    level(r, el);
    for (unsigned n = 0; n < COUNTERS; n++)
        m->on[n] = enabled >> n & 1 && !(el == 0 && m->type[n] & BIT(30));
}

static void thresholds_and_edges_are_those_of_each_cycle(void **state)
{
    (void)state;
    uint64_t rng = 77;
    struct rig *r = rig_new("max,el3=off,el2=off");
    for (unsigned round = 0; round < 3000; round++) {
        struct model m = {.on = {false}};
        put(r, SR_pmcntenclr_el0, UINT64_MAX);
        put(r, SR_pmcr_el0, 1);
        pass(r, 1, 0);
        level(r, 1);
        choose_types(r, &m, &rng);
        uint64_t enabled = 0x3f & (rng_next(&rng) | rng_next(&rng));
        put(r, SR_pmcntenset_el0, enabled);
        unsigned el = 1;
        set_levels(r, &m, el, enabled);
        for (unsigned k = 0; k < 20; k++) {
            unsigned len = 1 + (unsigned)rng_below(&rng, 4);
            switch (rng_below(&rng, 8)) {
            case 0: /* sleep: cycles that retire nothing begin with a new look at the level */
                pmu_level(r->p);
                pass(r, len, len);
                while (len--)
                    cycle(&m, false);
                break;
            case 1: /* the level changes */
                el ^= 1;
                set_levels(r, &m, el, enabled);
                break;
            case 2:
            case 6: { /* software increments some, in an instruction, which changes the level or not */
                uint64_t which = rng_below(&rng, 64);
                r->p->ctx.el = r->p->el;
                pe_live.software_increment(r->p, (uint32_t)which);
                happens(&m, EVENT_SW_INCR, which);
                if (len & 1) {
                    el ^= 1;
                    set_levels(r, &m, el, enabled);
                }
                pass(r, 1, 0);
                cycle(&m, true);
                break;
            }
            case 7: /* an exception, in a cycle that retires nothing */
                pmu_level(r->p);
                pmu_event(r->p, EVENT_EXC_TAKEN);
                happens(&m, EVENT_EXC_TAKEN, UINT64_MAX);
                pass(r, 1, 1);
                cycle(&m, false);
                break;
            case 3: /* somebody looks */ compare(r, &m); break;
            case 4: /* a digest is made */ pmu_sync(r->p); break;
            default:
                pass(r, len, 0);
                while (len--)
                    cycle(&m, true);
            }
        }
        compare(r, &m);
    }
    rig_free(r);
}

/* ---- freezing -----------------------------------------------------------------------------------------------------------------
 */

#define CODE UINT64_C(0x40000000)

/* A program of NOPs at EL1, in which counter 1 overflows and stops those of its range. */
static struct rig *freezing(bool dp)
{
    struct rig *r = rig_new("max,el3=off");
    struct err e;
    uint32_t code[512];
    for (unsigned i = 0; i < ARRAY_LEN(code); i++)
        code[i] = i == ARRAY_LEN(code) - 1 ? 0x14000000u : 0xd503201f;
    assert_true(mem_add_ram(r->mem, "ram", CODE, 0x10000, false, &e));
    mem_write(r->mem, CODE, code, sizeof code);
    level(r, 2);
    put(r, SR_mdcr_el2, 3 | mdcr_el2_HPME | mdcr_el2_HPMFZO);
    for (unsigned n = 0; n < COUNTERS; n++)
        put(r, SR_pmevtyper_el0 + n, n & 1 ? EVENT_INST_RETIRED : EVENT_CPU_CYCLES);
    put(r, SR_pmcntenset_el0, UINT64_MAX);
    put(r, SR_pmcr_el0, pmcr_el0_E | pmcr_el0_FZO | (dp ? pmcr_el0_DP : 0));
    put(r, SR_pmevcntr_el0 + 1, UINT32_MAX - 99);
    put(r, SR_pmevcntr_el0 + 4, UINT32_MAX - 49);
    level(r, 1);
    r->p->s.parked = 0;
    r->p->s.pc = CODE;
    pe_refresh(r->p);
    return r;
}

static void an_overflow_stops_its_range_at_that_cycle(void **state)
{
    (void)state;
    for (unsigned dp = 0; dp < 2; dp++) {
        for (unsigned piece = 1; piece <= 300; piece += piece < 20 ? 1 : 40) {
            for (unsigned look = 0; look < 3; look++) {
                struct rig *r = freezing(dp);
                uint64_t from = r->p->s.cycle;
                while (r->p->s.cycle < from + 300) {
                    uint64_t to = r->p->s.cycle + piece;
                    pe_run(r->p, to < from + 300 ? to : from + 300);
                    if (look == 1)
                        pmu_sync(r->p); /* a digest */
                    else if (look == 2)
                        value(r, 0);
                }
                /* Counter 1 overflows after 100 instructions, and counter 4, EL2's, after 50 cycles. */
                const uint64_t want[COUNTERS] = {100, UINT64_C(1) << 32, 100, 50, UINT64_C(1) << 32, 50};
                for (unsigned n = 0; n < COUNTERS; n++)
                    assert_int_equal(value(r, n), want[n]);
                assert_int_equal(value(r, INSTRUCTIONS), 100);
                assert_int_equal(value(r, CYCLES), dp ? 100 : 300);
                assert_int_equal(pmu_overflows(r->p), 0x12);
                put(r, SR_pmovsclr_el0, 2); /* and goes on */
                pass(r, 7, 0);
                assert_int_equal(value(r, 0), 107);
                assert_int_equal(value(r, 3), 50);
                rig_free(r);
            }
        }
    }
}

/* Events that no cycle foretells stop the counters, too. */
static void a_software_increment_that_overflows_stops_its_range(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    put(r, SR_pmcr_el0, pmcr_el0_E | pmcr_el0_FZO);
    count_event(r, 0, EVENT_SW_INCR);
    count_event(r, 1, EVENT_CPU_CYCLES);
    put(r, SR_pmevcntr_el0, UINT32_MAX);
    pass(r, 40, 0);
    put(r, SR_pmswinc_el0, 1);
    pass(r, 40, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1), 40);
    put(r, SR_pmswinc_el0, 1);
    assert_int_equal(get(r, SR_pmevcntr_el0), UINT64_C(1) << 32);
    put(r, SR_pmovsclr_el0, 1);
    pass(r, 2, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1), 42);
    put(r, SR_pmovsset_el0, 1); /* a flag that software sets does the same */
    pass(r, 2, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1), 42);
    put(r, SR_pmovsclr_el0, 1);
    count_event(r, 2, EVENT_EXC_TAKEN);
    put(r, SR_pmevcntr_el0 + 2, UINT32_MAX);
    pass(r, 3, 0);
    pmu_event(r->p, EVENT_EXC_TAKEN);
    pass(r, 3, 0);
    assert_int_equal(get(r, SR_pmevcntr_el0 + 1), 45);
    rig_free(r);
}

/* A capture counts as an event, behind the capture. */
static void a_capture_is_an_event(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off");
    put(r, SR_oslar_el1, 0);
    put(r, SR_pmecr_el1, 3 << 3);
    put(r, SR_pmcr_el0, pmcr_el0_E);
    put(r, SR_pmcntenset_el0, UINT64_MAX);
    count_event(r, 0, EVENT_PMU_SNAPSHOT);
    count_event(r, 1, EVENT_INST_RETIRED);
    pass(r, 1000, 200);
    put(r, SR_pmsscr_el1, 1);
    pass(r, 10, 0);
    assert_int_equal(get(r, SR_pmsscr_el1), 0);
    assert_int_equal(get(r, SR_pmevcntsvr_el1), 0);
    assert_int_equal(get(r, SR_pmevcntr_el0), 1);
    assert_int_equal(get(r, SR_pmevcntsvr_el1 + 1), 800);
    assert_int_equal(get(r, SR_pmicntsvr_el1), 800);
    assert_int_equal(get(r, SR_pmccntsvr_el1), 1000);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_counter_counts_where_the_manual_says),
        cmocka_unit_test(instructions_are_counted_filtered_and_overflow),
        cmocka_unit_test(a_counter_of_el0_has_its_deadline_at_el0),
        cmocka_unit_test(thresholds_and_edges_are_those_of_each_cycle),
        cmocka_unit_test(an_overflow_stops_its_range_at_that_cycle),
        cmocka_unit_test(a_software_increment_that_overflows_stops_its_range),
        cmocka_unit_test(a_capture_is_an_event),
    };
    return cmocka_run_group_tests_name("arm_pmu", tests, NULL, NULL);
}
