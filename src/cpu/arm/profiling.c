/* Overflows of the performance monitors as exceptions: FEAT_EBEP, FEAT_SEBEP. Arm ARM D13.3.2, D13.3.3. */
#include "cpu/arm/counters.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/trap.h"

/* What MDCR_EL3.PMEE, MDCR_EL2.PMEE and PMECR_EL1.PMEE make of an overflow. */
enum { PMEE_INTERRUPT, PMEE_BELOW, PMEE_NEITHER, PMEE_EXCEPTION };

/* *el: the level whose field decides, or for EL1 stands in for it. A reserved value is neither: CONSTRAINED UNPREDICTABLE
   (EffectivePMEE). */
static unsigned pmee(const struct pe *p, unsigned *el)
{
    const struct arm_regs *r = &p->s.regs;
    unsigned el3 = (unsigned)bits_get(r->mdcr_el3, 41, 40), el2 = (unsigned)bits_get(r->mdcr_el2, 41, 40),
             el1 = (unsigned)bits_get(r->pmecr_el1, 1, 0);
    *el = 3;
    if (arm_has(p->cfg, FEAT_EL3) && el3 != PMEE_BELOW)
        return el3;
    *el = 2;
    if (el2_enabled(p) && el2 != PMEE_BELOW)
        return el2;
    *el = hcr_of(p) & hcr_el2_TGE ? 2 : 1;
    return el1; /* PMEE_BELOW is neither here, too */
}

unsigned pmu_exception_target(const struct pe *p)
{
    unsigned el;
    return arm_has(p->cfg, FEAT_EBEP) && pmee(p, &el) == PMEE_EXCEPTION ? el : 0;
}

bool pmu_interrupt_enabled(const struct pe *p)
{
    unsigned el;
    return !arm_has(p->cfg, FEAT_EBEP) || pmee(p, &el) == PMEE_INTERRUPT;
}

bool pmu_exception_masked(const struct pe *p, unsigned target, unsigned from, bool pm)
{
    if (target != from)
        return target < from;
    if (from == 2 && bits_get(p->s.regs.mdcr_el2, 41, 40) != PMEE_EXCEPTION)
        return true;
    return pm || !(p->s.regs.pmecr_el1 & pmecr_el1_KPME);
}

unsigned pmu_exception(const struct pe *p)
{
    if (likely(!(p->s.lines & LINE_PROFILING)) && likely(!(p->s.pstate & PSTATE_PPEND)))
        return 0;
    unsigned target = pmu_exception_target(p);
    return target && !pmu_exception_masked(p, target, p->el, p->s.pstate & PSTATE_PM) ? target : 0;
}

bool pmu_return_pends(const struct pe *p, uint64_t spsr)
{
    unsigned target = pmu_exception_target(p),
             to = eret_illegal(p, spsr) ? p->el : (unsigned)(spsr & PSTATE_EL) >> PSTATE_EL_SHIFT;
    return target && pmu_exception_masked(p, target, p->el, p->s.pstate & PSTATE_PM) &&
           !pmu_exception_masked(p, target, to, spsr & PSTATE_PM);
}
