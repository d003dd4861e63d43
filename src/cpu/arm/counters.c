#include "cpu/arm/counters.h"

#include "cpu/arm/regime.h"

#include <string.h>

#define CYCLES 31 /* index of PMCCNTR_EL0 in s.counter, and its bit in the control registers */

/* Whether counter n is one of those MDCR_EL2.HPMN keeps for EL2. Arm ARM PMUCounterIsHyp. */
static bool is_hyp(const struct pe *p, unsigned n)
{
    return n != CYCLES && arm_has(p->cfg, FEAT_EL2) && n >= (p->s.regs.mdcr_el2 & mdcr_el2_HPMN);
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

/* Where counting is not allowed, whatever the filter. */
static bool prohibited(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    bool not = false;
    if (arm_has(p->cfg, FEAT_EL3) && secure_state(p, p->el))
        not = !(r->mdcr_el3 & mdcr_el3_SPME);
    if (p->el == 2 && arm_has(p->cfg, FEAT_PMUv3p1) && !is_hyp(p, n))
        not |= (r->mdcr_el2 & mdcr_el2_HPMD) != 0;
    if (n != CYCLES)
        return not ;
    not = not &&(r->pmcr_el0 & pmcr_el0_DP);
    if (arm_has(p->cfg, FEAT_PMUv3p5)) {
        not |= arm_has(p->cfg, FEAT_EL3) && secure_state(p, p->el) && (r->mdcr_el3 & mdcr_el3_SCCD);
        not |= p->el == 2 && (r->mdcr_el2 & mdcr_el2_HCCD);
    }
    return not ;
}

/* PMEVTYPER<n>_EL0 and PMCCFILTR_EL0: P 31, U 30, NSK 29, NSU 28, NSH 27, M 26, SH 24. */
static bool filtered(const struct pe *p, unsigned n)
{
    uint64_t f = n == CYCLES ? p->s.regs.pmccfiltr_el0 : p->s.regs.pmevtyper_el0[n];
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

/* Arm ARM CountPMUEvents. */
static bool counts(const struct pe *p, unsigned n) { return enabled(p, n) && !prohibited(p, n) && !filtered(p, n); }

static bool exists(const struct pe *p, unsigned n) { return n == CYCLES || n < p->cfg->pmu_counters; }

/* Bits after which a counter overflows. */
static unsigned width(const struct pe *p, unsigned n)
{
    if (n == CYCLES)
        return 64; /* as without AArch32 */
    bool wide =
        arm_has(p->cfg, FEAT_PMUv3p5) && (is_hyp(p, n) ? p->s.regs.mdcr_el2 & mdcr_el2_HLP : p->s.regs.pmcr_el0 & pmcr_el0_LP);
    return wide ? 64 : 32;
}

/* The counters and their overflow flags: the PE's, or a copy. */
struct tally {
    uint64_t *counter, *overflows;
};

static void add(const struct pe *p, struct tally t, unsigned n, uint64_t increment)
{
    uint64_t old = t.counter[n], new = old + increment;
    bool narrow = !(p->count_wide >> n & 1);
    uint64_t times = narrow ? (uint32_t)((new >> 32) - (old >> 32)) : new < old;
    t.counter[n] = arm_has(p->cfg, FEAT_PMUv3p5) || n == CYCLES ? new : (uint32_t) new;
    if (!times)
        return;
    *t.overflows |= UINT64_C(1) << n;
    if (!(n & 1) && narrow && p->count_chain >> (n + 1) & 1)
        add(p, t, n + 1, times);
}

/* What has happened since the counters were last brought up to date. */
static void add_all(const struct pe *p, struct tally t)
{
    uint64_t cycles = p->s.cycle - p->s.count_cycle, retired = cycles - (p->s.idle - p->s.count_idle);
    for (uint32_t left = p->count_cycles | p->count_retired; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);
        add(p, t, n, p->count_cycles >> n & 1 ? cycles : retired);
    }
}

static struct tally own(struct pe *p) { return (struct tally){p->s.counter, &p->s.regs.pmovsset_el0}; }

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

void pmu_refresh(struct pe *p)
{
    p->count_cycles = p->count_retired = p->count_chain = p->count_wide = 0;
    p->counting = 0;
    for (unsigned n = 0; n <= CYCLES; n++) {
        if (!exists(p, n))
            continue;
        if (width(p, n) == 64)
            p->count_wide |= UINT32_C(1) << n;
        if (!enabled(p, n))
            continue;
        p->counting = 1;
        if (!counts(p, n))
            continue;
        unsigned event = n == CYCLES ? EVENT_CPU_CYCLES : event_of(p, n);
        if (event == EVENT_CPU_CYCLES)
            p->count_cycles |= UINT32_C(1) << n;
        else if (event == EVENT_INST_RETIRED)
            p->count_retired |= UINT32_C(1) << n;
        else if (event == EVENT_CHAIN && n & 1)
            p->count_chain |= UINT32_C(1) << n;
    }
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

/* Brings a copy up to now; returns the overflow flags. */
static uint64_t copy_now(const struct pe *p, uint64_t *counter)
{
    uint64_t overflows = p->s.regs.pmovsset_el0;
    memcpy(counter, p->s.counter, sizeof p->s.counter);
    add_all(p, (struct tally){counter, &overflows});
    return overflows;
}

uint64_t pmu_event_value(const struct pe *p, unsigned n)
{
    uint64_t counter[ARRAY_LEN(p->s.counter)];
    if (event_of(p, n) != EVENT_CHAIN)
        return value_now(p, n);
    copy_now(p, counter);
    return counter[n];
}

uint64_t pmu_overflows(const struct pe *p)
{
    uint64_t counter[ARRAY_LEN(p->s.counter)];
    return p->count_cycles | p->count_retired ? copy_now(p, counter) : p->s.regs.pmovsset_el0;
}

void pmu_set_overflows(struct pe *p, uint64_t value)
{
    accrue(p);
    p->s.regs.pmovsset_el0 = value;
}

void pmu_set_cycles(struct pe *p, uint64_t value)
{
    accrue(p);
    p->s.counter[CYCLES] = value;
}

void pmu_set_event(struct pe *p, unsigned n, uint64_t value)
{
    accrue(p);
    p->s.counter[n] = value;
}

/* Arm ARM CheckForPMUOverflow. */
static bool interrupt(const struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    for (uint64_t left = r->pmovsset_el0 & r->pmintenset_el1; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        if (is_hyp(p, n) ? r->mdcr_el2 & mdcr_el2_HPME : r->pmcr_el0 & pmcr_el0_E)
            return true;
    }
    return false;
}

static void tell(struct pe *p)
{
    bool level = interrupt(p);
    if (level == (p->s.pmu_level != 0))
        return;
    p->s.pmu_level = level;
    if (p->env && p->env->pmu)
        p->env->pmu(p->env_ctx, p, level);
}

void pmu_event_on(struct pe *p, unsigned event, uint32_t counters)
{
    uint64_t before = p->s.regs.pmovsset_el0;
    if (likely(!p->counting))
        return;
    for (unsigned n = 0; n < p->cfg->pmu_counters; n++) {
        if (counters >> n & 1 && event_of(p, n) == event && counts(p, n))
            add(p, own(p), n, 1);
    }
    if (p->s.regs.pmovsset_el0 != before)
        tell(p); /* no deadline was there for it */
}

void pmu_event(struct pe *p, unsigned event) { pmu_event_on(p, event, UINT32_MAX); }

uint64_t pmu_update(struct pe *p)
{
    uint64_t next = UINT64_MAX;
    if (likely(!p->counting && !p->s.regs.pmovsset_el0 && !p->s.pmu_level))
        return next;
    accrue(p);
    uint64_t wanted = p->s.regs.pmintenset_el1 & ~p->s.regs.pmovsset_el0;
    for (uint32_t left = (p->count_cycles | p->count_retired) & (uint32_t)(wanted | wanted >> 1); left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);
        uint64_t to = width(p, n) == 64 ? -p->s.counter[n] : (UINT64_C(1) << 32) - (uint32_t)p->s.counter[n], at;
        if (to && !__builtin_add_overflow(p->s.cycle, to, &at) && at < next)
            next = at; /* of retired instructions: not before */
    }
    tell(p);
    return next;
}
