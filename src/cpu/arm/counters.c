#include "cpu/arm/counters.h"

#include "cpu/arm/pstate.h"
#include "cpu/arm/regime.h"

#include <string.h>

/* Indices of PMCCNTR_EL0 and PMICNTR_EL0 in s.counter, and their bits in the control registers. */
#define CYCLES       31
#define INSTRUCTIONS 32
#define BIT(n)       (UINT64_C(1) << (n))

/* Whether counter n is one of those MDCR_EL2.HPMN keeps for EL2, the second range. Arm ARM GetPMUCounterRange. */
static bool is_hyp(const struct pe *p, unsigned n)
{
    return n < CYCLES && arm_has(p->cfg, FEAT_EL2) && n >= (p->s.regs.mdcr_el2 & mdcr_el2_HPMN);
}

static unsigned event_of(const struct pe *p, unsigned n)
{
    return (unsigned)(p->s.regs.pmevtyper_el0[n] & (arm_has(p->cfg, FEAT_PMUv3p1) ? 0xffff : 0x3ff));
}

/* PMCR_EL0.E or MDCR_EL2.HPME, and the counter's own enable. */
static bool enabled(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    bool on = is_hyp(p, n) ? (r->mdcr_el2 & mdcr_el2_HPME) != 0 : (r->pmcr_el0 & pmcr_el0_E) != 0;
    return on && (r->pmcntenset_el0 >> n & 1);
}

/* PMEVTYPER<n>_EL0.SYNC or PMICFILTR_EL0.SYNC: RES0 without FEAT_SEBEP. */
static bool is_sync(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    return n != CYCLES && (n == INSTRUCTIONS ? r->pmicfiltr_el0 : r->pmevtyper_el0[n]) & pmevtyper_el0_SYNC;
}

/* Counters of which is_sync, by bits. */
static uint64_t all_sync(const struct pe *p)
{
    uint64_t set = 0;
    for (unsigned n = 0; arm_has(p->cfg, FEAT_SEBEP) && n <= INSTRUCTIONS; n++)
        set |= (uint64_t)is_sync(p, n) << n;
    return set;
}

/* The overflow flags that stop counter n: those of the event counters of its range and of the instruction counter, but not of the
   cycle counter, nor of counters in synchronous mode. Arm ARM ShouldPMUFreeze (FEAT_PMUv3p7), IDKYFT. */
static uint64_t frozen_by(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    uint64_t all = bits_mask(0, (unsigned)p->cfg->pmu_counters), hpmn = r->mdcr_el2 & mdcr_el2_HPMN,
             first = arm_has(p->cfg, FEAT_EL2) ? all & bits_mask(0, (unsigned)hpmn) : all;
    if (!(is_hyp(p, n) ? r->mdcr_el2 & mdcr_el2_HPMFZO : r->pmcr_el0 & pmcr_el0_FZO))
        return 0;
    return (is_hyp(p, n) ? all & ~first : first | BIT(INSTRUCTIONS)) & ~all_sync(p);
}

/* Where counting is not allowed, whatever the filter, or stopped. Arm ARM CountPMUEvents. */
static bool prohibited(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    bool el3 = arm_has(p->cfg, FEAT_EL3), secure = el3 && secure_state(p, p->el), first = !is_hyp(p, n),
         spme = r->mdcr_el3 & mdcr_el3_SPME, mpmx = r->mdcr_el3 & mdcr_el3_MPMX; /* RES0 without FEAT_PMUv3p7 */
    bool no = secure && !spme && !mpmx;
    if (p->el == 3)
        no |= mpmx && (!spme || first);
    if (p->el == 2 && first)
        no |= (r->mdcr_el2 & mdcr_el2_HPMD) != 0;
    no |= (r->pmovsset_el0 & frozen_by(p, n)) != 0;
    if (n != CYCLES)
        return no;
    no = no && (r->pmcr_el0 & pmcr_el0_DP);
    no |= secure && (r->mdcr_el3 & mdcr_el3_SCCD);
    no |= p->el == 3 && (r->mdcr_el3 & mdcr_el3_MCCD);
    return no || (p->el == 2 && (r->mdcr_el2 & mdcr_el2_HCCD));
}

/* PMEVTYPER<n>_EL0, PMCCFILTR_EL0 and PMICFILTR_EL0: P 31, U 30, NSK 29, NSU 28, NSH 27, M 26, SH 24. */
static bool filtered(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    uint64_t f = n == CYCLES ? r->pmccfiltr_el0 : n == INSTRUCTIONS ? r->pmicfiltr_el0 : r->pmevtyper_el0[n];
    bool el3 = arm_has(p->cfg, FEAT_EL3), secure = secure_state(p, p->el);
    bool P = f >> 31 & 1, U = f >> 30 & 1, nsk = el3 && (f >> 29 & 1), nsu = el3 && (f >> 28 & 1), nsh = f >> 27 & 1,
         m = el3 && (f >> 26 & 1);
    bool sh = arm_has(p->cfg, FEAT_SEL2) && (f >> 24 & 1);
    switch (p->el) {
    case 0: return secure ? U : U != nsu;
    case 1: return secure ? P : P != nsk;
    case 2: return secure ? nsh == sh : !nsh;
    default: return m != P;
    }
}

/* Which events are synchronous ones is IMPLEMENTATION DEFINED: here those of branches and others that D14.7 asks for or
   recommends, of what is counted at all. A counter of another event does not count in synchronous mode (ICTDHP). */
static bool sync_event(unsigned event)
{
    switch (event) {
    case EVENT_SW_INCR:
    case EVENT_INST_RETIRED:
    case EVENT_PC_WRITE_RETIRED:
    case EVENT_BR_IMMED_RETIRED:
    case EVENT_BR_RETURN_RETIRED:
    case EVENT_BR_RETIRED: return true;
    default: return false;
    }
}

static bool idles(const struct pe *p, unsigned n)
{
    return n < CYCLES && arm_has(p->cfg, FEAT_SEBEP) && is_sync(p, n) && !sync_event(event_of(p, n));
}

static bool counts(const struct pe *p, unsigned n)
{
    return enabled(p, n) && !prohibited(p, n) && !filtered(p, n) && !idles(p, n);
}

static bool exists(const struct pe *p, unsigned n)
{
    return n == CYCLES || (n == INSTRUCTIONS ? arm_has(p->cfg, FEAT_PMUv3_ICNTR) : n < p->cfg->pmu_counters);
}

/* Bits after which a counter overflows. */
static unsigned width(const struct pe *p, unsigned n)
{
    if (n >= CYCLES || pmu_exception_target(p))
        return 64; /* of the cycle counter as without AArch32; while overflows raise exceptions all are (D13.3) */
    bool wide =
        arm_has(p->cfg, FEAT_PMUv3p5) && (is_hyp(p, n) ? p->s.regs.mdcr_el2 & mdcr_el2_HLP : p->s.regs.pmcr_el0 & pmcr_el0_LP);
    return wide ? 64 : 32;
}

/* ---- thresholds and edges: FEAT_PMUv3_TH, FEAT_PMUv3_EDGE. Arm ARM D13.8, PMUCountValue --------------------------------------
 */

/* What PMEVTYPER<n>_EL0.{TC, TE} count: the value of a cycle that meets the condition; 1 for each such cycle; for each that
   follows one that does not; for each change. */
enum { SHAPE_NONE, SHAPE_VALUE, SHAPE_ONE, SHAPE_RISE, SHAPE_CHANGE };

/* The value an event has in a cycle is 0 or 1 here. A reserved combination is as if nothing were asked for: CONSTRAINED
   UNPREDICTABLE (ReservedPMUThreshold). */
static struct pmu_shape shape_of(const struct pe *p, unsigned n)
{
    uint64_t type = n < CYCLES ? p->s.regs.pmevtyper_el0[n] : 0;
    unsigned tc = (unsigned)bits_get(type, 63, 61), th = (unsigned)bits_get(type, 43, 32);
    bool te = type >> 60 & 1;
    struct pmu_shape s = {.kind = SHAPE_NONE};
    if ((!tc && !th && !te) || (te && !(tc & 3)))
        return s;
    s.kind = te ? (tc & 1 ? SHAPE_RISE : SHAPE_CHANGE) : tc & 1 ? SHAPE_ONE : SHAPE_VALUE;
    for (unsigned v = 0; v < 2; v++)
        s.meets[v] = tc >> 1 == 0 ? v != th : tc >> 1 == 1 ? v == th : tc >> 1 == 2 ? v >= th : v < th;
    return s;
}

/* What a counter counts of `len` cycles in which its event has this value. *last: the cycle before met the condition. */
static uint64_t shaped(const struct pmu_shape *s, unsigned value, uint64_t len, bool *last)
{
    bool meets = s->meets[value], before = *last;
    if (!len)
        return 0;
    *last = meets;
    switch (s->kind) {
    case SHAPE_VALUE: return meets ? len * value : 0;
    case SHAPE_ONE: return meets ? len : 0;
    case SHAPE_RISE: return meets && !before;
    default: return meets != before;
    }
}

/* ---- counting ---------------------------------------------------------------------------------------------------------------
 */

/* The counters, their overflow flags, and what thresholds remember: the PE's, or a copy. last: bits of counters whose last cycle
   met the condition; done: of those for which the cycle that is next has been counted, because an event happened in it. */
struct tally {
    uint64_t *counter, *overflows, *last, *done;
};

static void add(const struct pe *p, struct tally t, unsigned n, uint64_t increment)
{
    uint64_t old = t.counter[n], new = old + increment;
    bool narrow = !(p->count_wide >> n & 1);
    uint64_t times = narrow ? (uint32_t)((new >> 32) - (old >> 32)) : new < old;
    t.counter[n] = arm_has(p->cfg, FEAT_PMUv3p5) || n == CYCLES ? new : (uint32_t) new;
    if (!times)
        return;
    *t.overflows |= BIT(n);
    if (!(n & 1) && narrow && p->count_chain >> (n + 1) & 1)
        add(p, t, n + 1, times);
}

static void put(uint64_t *bits, unsigned n, bool on) { *bits = on ? *bits | BIT(n) : *bits & ~BIT(n); }

/* Cycles that retired nothing come first: whatever begins some, an exception or sleep, brings the counters up to date. */
static void add_shaped(const struct pe *p, struct tally t, unsigned n, uint64_t idle, uint64_t retired)
{
    const struct pmu_shape *s = &p->count_shape[n];
    bool last = *t.last >> n & 1;
    if (*t.done >> n & 1 && idle + retired) {
        *(idle ? &idle : &retired) -= 1;
        put(t.done, n, false);
    }
    uint64_t sum = shaped(s, s->idle, idle, &last);
    sum += shaped(s, s->retired, retired, &last);
    put(t.last, n, last);
    add(p, t, n, sum);
}

/* What has happened since the counters were last brought up to date. */
static void add_all(const struct pe *p, struct tally t)
{
    uint64_t cycles = p->s.cycle - p->s.count_cycle, idle = p->s.idle - p->s.count_idle, retired = cycles - idle;
    for (uint64_t left = p->count_cycles | p->count_retired; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        add(p, t, n, p->count_cycles >> n & 1 ? cycles : retired);
    }
    if (cycles) { /* where counting was not allowed, no cycle met a condition */
        *t.last &= p->count_shaped;
        *t.done &= p->count_shaped;
    }
    for (uint64_t left = p->count_shaped; left; left &= left - 1)
        add_shaped(p, t, (unsigned)__builtin_ctzll(left), idle, retired);
}

static struct tally own(struct pe *p)
{
    return (struct tally){p->s.counter, &p->s.regs.pmovsset_el0, &p->s.count_last, &p->s.count_done};
}

/* The counters as they were before, brought up to now. */
static void accrue(struct pe *p)
{
    add_all(p, own(p));
    p->s.count_cycle = p->s.cycle;
    p->s.count_idle = p->s.idle;
}

void pmu_sync(struct pe *p)
{
    accrue(p);
    pmu_refresh(p);
}

/* How an event is counted here; of events that are not there nothing is (FEAT_PMUv3p8, PMEVTYPER<n>_EL0.evtCount). */
static enum pmu_how how_of(const struct pe *p, unsigned event)
{
    static const struct {
        uint16_t number, feat, how;
    } events[] = {
#define EVENT(number, name, feat, how, title) {number, FEAT_##feat, PMU_##how},
#include "csr/arm/events.def"
#undef EVENT
    };
    for (unsigned i = 0; i < ARRAY_LEN(events); i++)
        if (events[i].number == event && arm_has(p->cfg, events[i].feat))
            return (enum pmu_how)events[i].how;
    return PMU_ABSENT;
}

static void choose(struct pe *p, unsigned n)
{
    enum pmu_how how = n == CYCLES ? PMU_CYCLES : n == INSTRUCTIONS ? PMU_RETIRED : how_of(p, event_of(p, n));
    struct pmu_shape shape = shape_of(p, n);
    if (how & PMU_TRAITS && how <= PMU_TRAITS) {
        p->count_each |= BIT(n);
        p->count_how[n] = (uint8_t)how;
    }
    if (shape.kind != SHAPE_NONE && how != PMU_CHAIN && how != PMU_ABSENT) {
        shape.idle = how == PMU_CYCLES;
        shape.retired = how == PMU_CYCLES || how == PMU_RETIRED;
        p->count_shape[n] = shape;
        p->count_shaped |= BIT(n);
    } else if (how == PMU_CYCLES) {
        p->count_cycles |= BIT(n);
    } else if (how == PMU_RETIRED) {
        p->count_retired |= BIT(n);
    } else if (how == PMU_CHAIN && n & 1) {
        p->count_chain |= BIT(n);
    }
}

/* Of the counters that count retired instructions here: their overflow raises a synchronous exception, which is not masked. */
static uint64_t raising(const struct pe *p)
{
    uint64_t counting = p->count_retired | p->count_shaped | p->count_each,
             set = arm_has(p->cfg, FEAT_SEBEP) ? counting & p->s.regs.pmintenset_el1 & all_sync(p) : 0;
    unsigned target = set ? pmu_exception_target(p) : 0;
    return target && !pmu_exception_masked(p, target, p->el, p->s.pstate & PSTATE_PM) ? set : 0;
}

/* Whether the next instruction may set PSTATE.PPEND, has to clear it, or what it does is counted. */
static bool steps(const struct pe *p)
{
    if (p->count_each || p->s.pstate & PSTATE_PPEND || p->count_sync & p->s.regs.pmovsset_el0)
        return true;
    for (uint64_t left = p->count_sync; left; left &= left - 1) {
        if (p->s.counter[__builtin_ctzll(left)] == UINT64_MAX)
            return true;
    }
    return false;
}

void pmu_refresh(struct pe *p)
{
    p->count_cycles = p->count_retired = p->count_chain = p->count_wide = p->count_shaped = p->count_freeze = 0;
    p->count_each = 0;
    p->counting = 0;
    for (unsigned n = 0; n <= INSTRUCTIONS; n++) {
        if (!exists(p, n))
            continue;
        if (width(p, n) == 64)
            p->count_wide |= BIT(n);
        if (!enabled(p, n))
            continue;
        p->counting = 1;
        if (!counts(p, n))
            continue;
        choose(p, n);
        p->count_freeze |= frozen_by(p, n);
    }
    p->count_sync = raising(p);
    p->count_step = steps(p);
}

/* A counter's value is that of the last time all were brought up to date, and what it counted since. */
static uint64_t value_now(const struct pe *p, unsigned n)
{
    uint64_t v = p->s.counter[n], cycles = p->s.cycle - p->s.count_cycle;
    if (p->count_cycles >> n & 1)
        v += cycles;
    else if (p->count_retired >> n & 1)
        v += cycles - (p->s.idle - p->s.count_idle);
    return n == CYCLES || arm_has(p->cfg, FEAT_PMUv3p5) ? v : (uint32_t)v;
}

uint64_t pmu_cycles(const struct pe *p) { return value_now(p, CYCLES); }
uint64_t pmu_instructions(const struct pe *p) { return value_now(p, INSTRUCTIONS); }

/* Brings a copy up to now; returns the overflow flags. */
static uint64_t copy_now(const struct pe *p, uint64_t *counter)
{
    uint64_t overflows = p->s.regs.pmovsset_el0, last = p->s.count_last, done = p->s.count_done;
    memcpy(counter, p->s.counter, sizeof p->s.counter);
    add_all(p, (struct tally){counter, &overflows, &last, &done});
    return overflows;
}

uint64_t pmu_event_value(const struct pe *p, unsigned n)
{
    uint64_t counter[ARRAY_LEN(p->s.counter)];
    if (event_of(p, n) != EVENT_CHAIN && !(p->count_shaped >> n & 1))
        return value_now(p, n);
    copy_now(p, counter);
    return counter[n];
}

uint64_t pmu_overflows(const struct pe *p)
{
    uint64_t counter[ARRAY_LEN(p->s.counter)];
    return p->count_cycles | p->count_retired | p->count_shaped ? copy_now(p, counter) : p->s.regs.pmovsset_el0;
}

void pmu_set_overflows(struct pe *p, uint64_t value)
{
    accrue(p);
    p->s.regs.pmovsset_el0 = value;
}

static void set(struct pe *p, unsigned n, uint64_t value)
{
    accrue(p);
    p->s.counter[n] = value;
}

void pmu_set_cycles(struct pe *p, uint64_t value) { set(p, CYCLES, value); }
void pmu_set_instructions(struct pe *p, uint64_t value) { set(p, INSTRUCTIONS, value); }
void pmu_set_event(struct pe *p, unsigned n, uint64_t value) { set(p, n, value); }

/* Whether an overflow asks, of those that `but` does not except. Arm ARM CheckPMUOverflowCondition. */
static bool asks(const struct pe *p, uint64_t but)
{
    const struct arm_regs *r = &p->s.regs;
    for (uint64_t left = r->pmovsset_el0 & r->pmintenset_el1 & ~but; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        if (is_hyp(p, n) ? r->mdcr_el2 & mdcr_el2_HPME : r->pmcr_el0 & pmcr_el0_E)
            return true;
    }
    return false;
}

/* Arm ARM CheckForPMUOverflow; the exception that is taken asynchronously, CheckForPMUException. */
static void tell(struct pe *p)
{
    bool level = asks(p, 0) && pmu_interrupt_enabled(p), exception = pmu_exception_target(p) && asks(p, all_sync(p));
    if (exception != ((p->s.lines & LINE_PROFILING) != 0)) {
        p->s.lines ^= LINE_PROFILING;
        p->cpu.resync = true;
    }
    if (level == (p->s.pmu_level != 0))
        return;
    p->s.pmu_level = level;
    if (p->env && p->env->pmu)
        p->env->pmu(p->env_ctx, p, level);
}

/* One event of counter n now. With a threshold it is the value of the whole cycle. */
static void count_one(struct pe *p, unsigned n)
{
    if (!(p->count_shaped >> n & 1)) {
        add(p, own(p), n, 1);
        return;
    }
    bool last = p->s.count_last >> n & 1;
    uint64_t sum = shaped(&p->count_shape[n], 1, 1, &last);
    put(&p->s.count_last, n, last);
    put(&p->s.count_done, n, true);
    add(p, own(p), n, sum);
}

/* The instruction at pc has made counters in synchronous mode count, by bits. Rule RNZLVW; where the instruction itself changes
   what the rule asks, both the old and the new have to hold (RMQDPX permits either). */
static void pend(struct pe *p, uint64_t counted, uint64_t pc)
{
    unsigned target = pmu_exception_target(p);
    if (!(counted & p->s.regs.pmovsset_el0 & p->s.regs.pmintenset_el1) || !target ||
        pmu_exception_masked(p, target, p->el, p->s.pstate & PSTATE_PM))
        return;
    p->s.regs.pmiar_el1 = pc;
    p->s.pstate |= PSTATE_PPEND;
    p->pended = 1;
}

/* After events were counted: `before` were the overflow flags. No deadline was there for it. */
static void overflowed(struct pe *p, uint64_t before)
{
    uint64_t new = p->s.regs.pmovsset_el0 & ~before;
    if (new & p->count_freeze)
        pmu_sync(p);
    if (new)
        tell(p);
}

void pmu_event_on(struct pe *p, unsigned event, uint32_t counters)
{
    if (likely(!p->counting))
        return;
    if (p->count_shaped)
        accrue(p);
    uint64_t before = p->s.regs.pmovsset_el0, counted = 0;
    for (unsigned n = 0; n < p->cfg->pmu_counters; n++) {
        uint64_t old = p->s.counter[n];
        if (counters >> n & 1 && event_of(p, n) == event && counts(p, n))
            count_one(p, n);
        counted |= (uint64_t)(p->s.counter[n] != old) << n;
    }
    if (event == EVENT_SW_INCR && arm_has(p->cfg, FEAT_SEBEP))
        pend(p, counted & all_sync(p), p->s.pc);
    overflowed(p, before);
}

void pmu_event(struct pe *p, unsigned event) { pmu_event_on(p, event, UINT32_MAX); }

/* Arm ARM D14.1.5, table D14-1; "Taken locally", D14.1.1. */
static unsigned exception_event(const struct pe *p, const struct arm_exception *e, unsigned target)
{
    bool local = target == p->el || (p->el == 0 && (target == 1 || (target == 2 && el0_in_host(p))));
    switch (e->type) {
    case EXCEPTION_IRQ: return local ? EVENT_EXC_IRQ : EVENT_EXC_TRAP_IRQ;
    case EXCEPTION_FIQ: return local ? EVENT_EXC_FIQ : EVENT_EXC_TRAP_FIQ;
    case EXCEPTION_SERROR: return local ? EVENT_EXC_DABORT : EVENT_EXC_TRAP_DABORT;
    default: break;
    }
    switch (e->ec) {
    case EC_SVC: return local ? EVENT_EXC_SVC : EVENT_EXC_TRAP_OTHER;
    case EC_HVC: return EVENT_EXC_HVC;
    case EC_SMC: return target == 3 ? EVENT_EXC_SMC : EVENT_EXC_TRAP_OTHER;
    case EC_INSN_ABORT_LOWER:
    case EC_INSN_ABORT:
    case EC_PC_ALIGNMENT:
    case EC_BREAKPOINT_LOWER:
    case EC_SOFTWARE_STEP_LOWER:
    case EC_BRK: return local ? EVENT_EXC_PABORT : EVENT_EXC_TRAP_PABORT;
    case EC_DATA_ABORT_LOWER:
    case EC_DATA_ABORT:
    case EC_SP_ALIGNMENT:
    case EC_WATCHPOINT_LOWER: return local ? EVENT_EXC_DABORT : EVENT_EXC_TRAP_DABORT;
    default: return local ? EVENT_EXC_UNDEF : EVENT_EXC_TRAP_OTHER;
    }
}

void pmu_exception_event(struct pe *p, const struct arm_exception *e, unsigned target)
{
    if (likely(!p->counting))
        return;
    pmu_event(p, EVENT_EXC_TAKEN);
    if (arm_has(p->cfg, FEAT_PMUv3p8))
        pmu_event(p, exception_event(p, e, target));
}

/* The cycle before which no overflow is due that interrupts or stops counters. No counter counts more than one a cycle. */
static uint64_t next_due(const struct pe *p)
{
    uint64_t next = UINT64_MAX, asked = p->s.regs.pmintenset_el1 | p->count_freeze, wanted = asked & ~p->s.regs.pmovsset_el0;
    uint64_t counting = p->count_cycles | p->count_retired | p->count_shaped;
    for (uint64_t left = counting & (wanted | (wanted & p->count_chain) >> 1); left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        uint64_t to = width(p, n) == 64 ? -p->s.counter[n] : (UINT64_C(1) << 32) - (uint32_t)p->s.counter[n], at;
        if (p->count_sync >> n & 1 && to > 1)
            to--; /* the instruction that makes it overflow is run alone */
        if (to && !__builtin_add_overflow(p->s.cycle, to, &at) && at < next)
            next = at;
    }
    return next;
}

void pmu_moved(struct pe *p)
{
    pmu_sync(p);
    uint64_t next = next_due(p);
    if (next < p->deadline)
        p->deadline = next;
    if (next < p->cpu.limit || p->count_step)
        p->cpu.resync = true; /* for a counter that did not count where the limit was set */
}

uint64_t pmu_update(struct pe *p)
{
    if (likely(!p->counting && !p->s.regs.pmovsset_el0 && !p->s.pmu_level && !(p->s.lines & LINE_PROFILING)))
        return UINT64_MAX;
    uint64_t before = p->s.regs.pmovsset_el0;
    accrue(p);
    if (p->s.regs.pmovsset_el0 & ~before & p->count_freeze)
        pmu_refresh(p);
    p->count_step = steps(p);
    tell(p);
    return next_due(p);
}

/* ---- one instruction alone ---------------------------------------------------------------------------------------------------
 */

/* Counters by bits whose event an instruction of these traits makes. */
static uint64_t makes(const struct pe *p, unsigned traits)
{
    uint64_t set = 0;
    for (uint64_t left = p->count_each; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        set |= traits & p->count_how[n] ? BIT(n) : 0;
    }
    return set;
}

/* The cycle of the instruction is left out of what is counted of those with a threshold: it is counted at its end. */
static void each_begin(struct pe *p, struct pmu_alone *a)
{
    unsigned traits = pmu_traits(p, a->insn);
    a->happens = makes(p, traits);
    a->unless = makes(p, traits & ~(unsigned)PMU_WRITES);
    a->shaped = a->happens & p->count_shaped;
    p->s.count_done |= a->shaped;
}

static void each_end(struct pe *p, const struct pmu_alone *a, bool raised)
{
    uint64_t before = p->s.regs.pmovsset_el0, happens = a->happens;
    if (!happens)
        return;
    if (raised)
        happens = 0;
    else if (pmu_store_failed(p, a->insn))
        happens = a->unless;
    for (uint64_t left = a->happens; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        uint64_t value = happens >> n & 1;
        bool last = p->s.count_last >> n & 1;
        if (a->shaped >> n & 1) {
            value = shaped(&p->count_shape[n], (unsigned)value, 1, &last);
            put(&p->s.count_last, n, last);
        }
        add(p, own(p), n, value);
    }
    overflowed(p, before);
}

void pmu_alone_begin(struct pe *p, struct pmu_alone *a, uint32_t insn)
{
    *a = (struct pmu_alone){.pc = p->s.pc, .ppend = p->s.pstate & PSTATE_PPEND, .insn = insn};
    if (!p->count_step)
        return;
    p->pended = 0;
    if (p->count_sync | p->count_shaped | a->ppend)
        pmu_sync(p);
    if (p->count_each)
        each_begin(p, a);
    a->sync = p->count_sync;
    memcpy(a->counter, p->s.counter, sizeof a->counter);
}

void pmu_alone_end(struct pe *p, const struct pmu_alone *a, bool raised)
{
    uint64_t counted = 0;
    if (!raised && a->ppend && !p->pended) /* no instruction leaves it as it was */
        p->s.pstate &= ~PSTATE_PPEND;
    each_end(p, a, raised);
    if (raised || !a->sync)
        return;
    pmu_sync(p);
    for (uint64_t left = a->sync; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        counted |= (uint64_t)(p->s.counter[n] != a->counter[n]) << n;
    }
    pend(p, counted, a->pc);
}

void pmu_alone_drop(struct pe *p, const struct pmu_alone *a) { p->s.count_done &= ~a->shaped; }
