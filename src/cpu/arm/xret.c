/* Exception return. Arm ARM AArch64.ExceptionReturn, SetPSTATEFromPSR, IllegalExceptionReturn. */
#include "cpu/arm/counters.h"
#include "cpu/arm/debug.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/trap.h"

uint64_t eret_fields(const struct arm_config *c)
{
    uint64_t f = PSTATE_EL | PSTATE_SP | PSTATE_DAIF | PSTATE_IL;
    f |= arm_has(c, FEAT_BTI) ? PSTATE_BTYPE : 0;
    f |= arm_has(c, FEAT_SSBS) ? PSTATE_SSBS : 0;
    f |= arm_has(c, FEAT_PAN) ? PSTATE_PAN : 0;
    f |= arm_has(c, FEAT_UAO) ? PSTATE_UAO : 0;
    f |= arm_has(c, FEAT_DIT) ? PSTATE_DIT : 0;
    f |= arm_has(c, FEAT_MTE) ? PSTATE_TCO : 0;
    f |= arm_has(c, FEAT_NMI) ? PSTATE_ALLINT : 0;
    f |= arm_has(c, FEAT_EBEP) ? PSTATE_PM : 0;
    return f;
}

static bool level_exists(const struct pe *p, unsigned el)
{
    switch (el) {
    case 2: return el2_enabled(p);
    case 3: return arm_has(p->cfg, FEAT_EL3);
    default: return true;
    }
}

bool eret_illegal(const struct pe *p, uint64_t spsr)
{
    unsigned target = (unsigned)(spsr & PSTATE_EL) >> PSTATE_EL_SHIFT;
    if ((spsr & PSTATE_NRW) || (spsr & 2) || !level_exists(p, target) || (target == 0 && (spsr & PSTATE_SP)))
        return true;
    return target > p->el || (target == 1 && (hcr_of(p) & hcr_el2_TGE));
}

bool pe_eret_trapped(struct pe *p, enum eret_kind kind, bool key_b)
{
    const struct arm_regs *r = &p->s.regs;
    const uint64_t hfgitr_eret = UINT64_C(1) << 51, scr_fgten = UINT64_C(1) << 27;
    if (p->el != 1 || !el2_enabled(p) || !arm_has(p->cfg, FEAT_FGT) || !(r->hfgitr_el2 & hfgitr_eret) ||
        (arm_has(p->cfg, FEAT_EL3) && !(r->scr_el3 & scr_fgten)))
        return false;
    p->exc = (struct arm_exception){.ec = EC_ERET, .el = 2, .iss = kind == ERET_AUTHENTICATED ? 2u | key_b : 0};
    return true;
}

static inline void leave(struct pe *p, uint64_t target, uint64_t spsr)
{
    uint64_t kept = PSTATE_PAN | PSTATE_DAIF | PSTATE_ALLINT | PSTATE_PM, new;
    uint64_t ss = debug_return_ss(p, spsr);
    bool ppend = unlikely(spsr & PSTATE_PPEND) && pmu_return_pends(p, spsr);
    pmu_event(p, EVENT_EXC_RETURN);
    if (unlikely(eret_illegal(p, spsr))) {
        /* The level stays, and what the architecture calls UNKNOWN of PSTATE. */
        new = (p->s.pstate & ~(kept | PSTATE_PPEND)) | (spsr & kept & p->spsr_fields) | PSTATE_IL;
    } else {
        new = spsr & p->spsr_fields;
    }
    p->btype = (uint8_t)((new &PSTATE_BTYPE) >> PSTATE_BTYPE_SHIFT);
    p->btype_at = p->s.cycle + 1; /* behind this instruction */
    flags_set(&p->fl, spsr >> 28 & 15);
    p->s.monitor = 0;
    p->s.event = 1;
    p->s.pc = target;
    pe_change(p, (new & ~(uint64_t)(PSTATE_BTYPE | PSTATE_SS)) | ss);
    if (unlikely(ppend)) {
        p->s.pstate |= PSTATE_PPEND;
        p->pended = 1;
    }
}

static __attribute__((noinline)) void leave_watched(struct pe *p, uint64_t target, uint64_t spsr)
{
    struct pe_was was = {NULL, p->s.pc, pe_pstate(p)};
    leave(p, target, spsr);
    p->env->trapped(p->env_ctx, p, &was);
}

void pe_eret(struct pe *p, uint64_t target)
{
    const struct arm_regs *r = &p->s.regs;
    uint64_t spsr = p->el == 1 ? r->spsr_el1 : p->el == 2 ? r->spsr_el2 : r->spsr_el3;
    if (unlikely(p->env && p->env->trapped))
        leave_watched(p, target, spsr);
    else
        leave(p, target, spsr);
}
