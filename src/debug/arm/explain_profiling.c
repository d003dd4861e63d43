/* Overflows of the performance monitors as exceptions: Arm ARM D13.3.2 and D13.3.3, by table D13-1. */
#include "base/bits.h"
#include "cpu/arm/counters.h"
#include "debug/arm/explain_parts.h"

#define CLAUSE      "Arm ARM D13.3.2: Exception-based event profiling"
#define CLAUSE_SYNC "Arm ARM D13.3.3: Synchronous exception-based event profiling"
#define SYNC        (UINT64_C(1) << 58)

static const char *const meaning[] = {"overflows interrupt", "the level below decides",
                                      "reserved: neither interrupt nor exception", "overflows are exceptions"};

static unsigned field(struct arm_why *w, struct fact *s, const char *name, uint64_t word, unsigned lsb)
{
    unsigned v = (unsigned)(word >> lsb & 3);
    const char *says = lsb == 0 && v == 1 ? meaning[2] : meaning[v];
    arm_bit(w, s, name, CLAUSE, word, UINT64_C(3) << lsb, says)->mark = v == 1 && lsb ? FACT_PLAIN : FACT_DECIDES;
    return v;
}

/* The level it goes to; 0: they are off. */
static unsigned target(struct arm_why *w, struct fact *s)
{
    const struct pe *p = w->p;
    const struct arm_regs *r = &p->s.regs;
    unsigned v;
    if (arm_on(w, FEAT_EL3) && (v = field(w, s, "MDCR_EL3.PMEE", r->mdcr_el3, 40)) != 1)
        return v == 3 ? 3 : 0;
    if (el2_enabled(p) && (v = field(w, s, "MDCR_EL2.PMEE", r->mdcr_el2, 40)) != 1)
        return v == 3 ? 2 : 0;
    if (field(w, s, "PMECR_EL1.PMEE", r->pmecr_el1, 0) != 3)
        return 0;
    bool tge = hcr_of(p) & hcr_el2_TGE;
    if (el2_enabled(p))
        arm_bit(w, s, "HCR_EL2.TGE", CLAUSE, hcr_of(p), hcr_el2_TGE, tge ? "EL2 in the place of EL1" : "EL1 is in use");
    return tge ? 2 : 1;
}

static bool masked(struct arm_why *w, struct fact *s, unsigned el)
{
    const struct pe *p = w->p;
    const struct arm_regs *r = &p->s.regs;
    if (p->el != el) {
        fact_value(w->e, s, "level", CLAUSE, p->el, 0, p->el > el ? "above EL%u: masked" : "below EL%u: not masked", el)->mark =
            FACT_DECIDES;
        return p->el > el;
    }
    if (el == 2 && (r->mdcr_el2 >> 40 & 3) != 3) {
        fact_value(w->e, s, "level", CLAUSE, 2, 0, "not from EL2 to EL2 unless MDCR_EL2.PMEE is 3")->mark = FACT_DECIDES;
        return true;
    }
    bool kpme = r->pmecr_el1 & 4, pm = p->s.pstate & PSTATE_PM;
    arm_bit(w, s, "PMECR_EL1.KPME", CLAUSE, r->pmecr_el1, 4, kpme ? "also from the level that gets them" : "masked")->mark =
        FACT_DECIDES;
    if (kpme)
        arm_bit(w, s, "PSTATE.PM", CLAUSE, p->s.pstate, PSTATE_PM, pm ? "masked" : "not masked")->mark = FACT_DECIDES;
    return !kpme || pm;
}

/* Overflow flags that ask, by the bits of PMOVSSET_EL0, of counters that are not in synchronous mode. */
static uint64_t asking(const struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    uint64_t flags = pmu_overflows(p) & r->pmintenset_el1, hpmn = r->mdcr_el2 & mdcr_el2_HPMN;
    for (unsigned n = 0; n <= 32; n++) {
        uint64_t type = n == 31 ? 0 : n == 32 ? r->pmicfiltr_el0 : r->pmevtyper_el0[n];
        bool el2s = n < 31 && arm_has(p->cfg, FEAT_EL2) && n >= hpmn, on = el2s ? r->mdcr_el2 & mdcr_el2_HPME : r->pmcr_el0 & 1;
        if (!on || type & SYNC)
            flags &= ~(UINT64_C(1) << n);
    }
    return flags;
}

bool arm_explain_profiling(struct arm_why *w, struct fact *s, struct arm_exception *x)
{
    const struct pe *p = w->p;
    bool sync = p->s.pstate & PSTATE_PPEND;
    uint64_t flags = arm_on(w, FEAT_EBEP) ? asking(p) : 0;
    if (!sync && !flags)
        return false;
    if (sync)
        fact_value(w->e, s, "PSTATE.PPEND", CLAUSE_SYNC, 1, 0,
                   "the instruction at PMIAR_EL1 0x%llx was counted, and its counter had overflowed",
                   (unsigned long long)p->s.regs.pmiar_el1);
    else
        fact_value(w->e, s, "PMOVSSET_EL0", CLAUSE, flags, 16, "counters that have overflowed, and ask by PMINTENSET_EL1");
    unsigned el = target(w, s);
    if (!el || masked(w, s, el))
        return false;
    *x = (struct arm_exception){.ec = EC_PROFILING, .el = (uint8_t)el, .iss = sync};
    return true;
}
