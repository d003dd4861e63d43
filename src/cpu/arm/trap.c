/* Exception entry: the only place where an exception becomes state. Arm ARM D1.3, AArch64.TakeException, AArch64.ReportException.
 */
#include "cpu/arm/trap.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/exec.h"

#define ESR_EC_SHIFT   26
#define ESR_IL         (UINT64_C(1) << 25)
#define ESR_ISS2_SHIFT 32
#define ESR_PFV        (UINT64_C(1) << 14)
#define PFAR_NS        (UINT64_C(1) << 63)
#define HPFAR_NS       (UINT64_C(1) << 63)

uint64_t pe_pstate(const struct pe *p)
{
    return p->s.pstate | (uint64_t)flags_get(&p->fl) << 28 | (uint64_t)pe_btype(p) << PSTATE_BTYPE_SHIFT;
}

/* The stack pointer that a PSTATE selects. */
static inline unsigned sp_index(uint64_t pstate)
{
    return pstate & PSTATE_SP ? (unsigned)((pstate & PSTATE_EL) >> PSTATE_EL_SHIFT) : 0;
}

void pe_change(struct pe *p, uint64_t pstate)
{
    unsigned from = sp_index(p->s.pstate), to = sp_index(pstate);
    p->s.sp[from] = p->s.x[REG_SP];
    p->s.x[REG_SP] = p->s.sp[to];
    p->s.pstate = pstate;
    pe_mode_changed(p);
    /* How the GIC signals an interrupt depends on level and security state if there are two states (IHI 0069 4.6.2). */
    if (unlikely(arm_has(p->cfg, FEAT_EL3)) && p->env && p->env->gic_changed)
        p->env->gic_changed(p->env_ctx, p);
}

void pe_set_pstate(struct pe *p, uint64_t pstate) { pe_change(p, pstate & ~(uint64_t)(PSTATE_NZCV | PSTATE_BTYPE)); }

/* Where exceptions go that nothing else routes: the current level, from EL0 the level of the kernel. */
static inline unsigned default_target(const struct pe *p)
{
    if (p->el)
        return p->el;
    return hcr_of(p) & hcr_el2_TGE ? 2 : 1;
}

/* Classes that tell a lower level from the same. */
static inline bool has_same_level(uint8_t ec)
{
    return ec == EC_INSN_ABORT_LOWER || ec == EC_DATA_ABORT_LOWER || ec == EC_BREAKPOINT_LOWER || ec == EC_SOFTWARE_STEP_LOWER ||
           ec == EC_WATCHPOINT_LOWER;
}

/* ESR, FAR, HPFAR of the target level. Registers that the architecture calls UNKNOWN after the exception keep their values. */
static void report(struct pe *p, const struct arm_exception *e, unsigned target)
{
    struct arm_regs *r = &p->s.regs;
    uint64_t ec = e->ec + (uint64_t)(target == p->el && has_same_level(e->ec));
    /* A guest is not told where its hypervisor put it (D1.4.1.3, RTGQRC; HCR_EL2.DC is as VM here). */
    bool pfv = e->pa_valid && arm_has(p->cfg, FEAT_PFAR) && !(target == 1 && (hcr_of(p) & (hcr_el2_VM | hcr_el2_DC)));
    uint64_t esr = (uint64_t)e->iss2 << ESR_ISS2_SHIFT | ec << ESR_EC_SHIFT | ESR_IL | e->iss | (pfv ? ESR_PFV : 0);
    *(target == 1 ? &r->esr_el1 : target == 2 ? &r->esr_el2 : &r->esr_el3) = esr;
    if (e->far_valid)
        *(target == 1 ? &r->far_el1 : target == 2 ? &r->far_el2 : &r->far_el3) = e->far;
    if (pfv)
        *(target == 1   ? &r->pfar_el1
          : target == 2 ? &r->pfar_el2
                        : &r->mfar_el3) = arm_has(p->cfg, FEAT_EL3) ? e->pa : e->pa & ~PFAR_NS;
    if (e->ipa_valid)
        r->hpfar_el2 = (e->ipa >> 12 << 4) | (e->ns ? HPFAR_NS : 0);
}

/* PSTATE of the handler. */
static uint64_t handler_pstate(const struct pe *p, unsigned target)
{
    uint64_t old = p->s.pstate, sctlr = sctlr_of(p, target);
    uint64_t new = (old & (PSTATE_PAN | PSTATE_DIT)) | PSTATE_DAIF | PSTATE_SP | (uint64_t)target << PSTATE_EL_SHIFT;
    if (arm_has(p->cfg, FEAT_PAN) && (target == 1 || (target == 2 && el0_in_host(p))) && !(sctlr & sctlr_el1_SPAN))
        new |= PSTATE_PAN;
    if (arm_has(p->cfg, FEAT_SSBS) && (sctlr & sctlr_el1_DSSBS))
        new |= PSTATE_SSBS;
    new |= p->entry_sets;
    if (arm_has(p->cfg, FEAT_NMI) && !(sctlr & sctlr_el1_SPINTMASK))
        new |= PSTATE_ALLINT;
    return new;
}

/* Of the vector, by where the exception came from. */
static unsigned vector_group(const struct pe *p, unsigned target)
{
    if (target > p->el)
        return 0x400;
    return p->s.pstate & PSTATE_SP ? 0x200 : 0;
}

static inline void enter(struct pe *p, const struct arm_exception *e)
{
    struct arm_regs *r = &p->s.regs;
    unsigned target = e->el ? e->el : default_target(p);
    uint64_t vector = vector_group(p, target) + 0x80u * (e->as_serror ? EXCEPTION_SERROR : e->type);
    pmu_exception_event(p, e, target);
    uint64_t spsr = pe_pstate(p), elr = p->s.pc + (e->next ? 4 : 0);
    if (e->type == EXCEPTION_SYNCHRONOUS || e->type == EXCEPTION_SERROR)
        report(p, e, target);
    if (target == 1) {
        r->spsr_el1 = spsr;
        r->elr_el1 = elr;
        p->s.pc = (r->vbar_el1 & ~UINT64_C(0x7ff)) + vector;
    } else if (target == 2) {
        r->spsr_el2 = spsr;
        r->elr_el2 = elr;
        p->s.pc = (r->vbar_el2 & ~UINT64_C(0x7ff)) + vector;
    } else {
        r->spsr_el3 = spsr;
        r->elr_el3 = elr;
        p->s.pc = (r->vbar_el3 & ~UINT64_C(0x7ff)) + vector;
    }
    p->s.waiting = 0;
    p->s.stepped = 0; /* what a software step that comes later tells of is no longer known. Arm ARM D2.11.9.1 */
    p->btype = 0;
    pe_change(p, handler_pstate(p, target));
}

/* Out of line: a run that nobody watches keeps nothing of the level the exception came from. */
static __attribute__((noinline)) void enter_watched(struct pe *p, const struct arm_exception *e)
{
    struct pe_was was = {e, p->s.pc, pe_pstate(p)};
    enter(p, e);
    p->env->trapped(p->env_ctx, p, &was);
}

void take_exception(struct pe *p, const struct arm_exception *e)
{
    if (unlikely(p->env && p->env->trapped))
        enter_watched(p, e);
    else
        enter(p, e);
}
