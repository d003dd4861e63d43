/* Where an exception goes and what it writes, by the manual: Arm ARM D1.3, AArch64.TakeException, AArch64.ReportException,
   AArch64.ExceptionReturn. */
#include "base/bits.h"
#include "cpu/arm/counters.h"
#include "debug/arm/esr.h"
#include "debug/arm/explain_parts.h"

#include <inttypes.h>
#include <string.h>

#define ARM_ERET "Arm ARM AArch64.ExceptionReturn, SetPSTATEFromPSR"

struct level_regs {
    uint64_t *esr, *far, *spsr, *elr;
    const char *esr_name, *far_name, *spsr_name, *elr_name, *vbar_name, *sctlr_name;
    uint64_t vbar, sctlr;
};

static struct level_regs regs_of(struct arm_regs *r, unsigned el)
{
    if (el == 1)
        return (struct level_regs){&r->esr_el1, &r->far_el1, &r->spsr_el1, &r->elr_el1, "ESR_EL1",   "FAR_EL1",
                                   "SPSR_EL1",  "ELR_EL1",   "VBAR_EL1",   "SCTLR_EL1", r->vbar_el1, r->sctlr_el1};
    if (el == 2)
        return (struct level_regs){&r->esr_el2, &r->far_el2, &r->spsr_el2, &r->elr_el2, "ESR_EL2",   "FAR_EL2",
                                   "SPSR_EL2",  "ELR_EL2",   "VBAR_EL2",   "SCTLR_EL2", r->vbar_el2, r->sctlr_el2};
    return (struct level_regs){&r->esr_el3, &r->far_el3, &r->spsr_el3, &r->elr_el3, "ESR_EL3",   "FAR_EL3",
                               "SPSR_EL3",  "ELR_EL3",   "VBAR_EL3",   "SCTLR_EL3", r->vbar_el3, r->sctlr_el3};
}

static struct fact *put(struct arm_why *w, struct fact *to, uint64_t *word, const char *name, uint64_t value, const char *clause)
{
    struct fact *f = fact_change(w->e, to, name, clause, *word, value, 16);
    *word = value;
    return f;
}

/* A field of PSTATE that goes from one word to the other. */
static void pstate_field(struct arm_why *w, struct fact *to, const char *name, uint64_t mask, uint64_t old, uint64_t new,
                         const char *why)
{
    unsigned lsb = (unsigned)__builtin_ctzll(mask);
    struct fact *f =
        fact_change(w->e, to, explain_say(w->e, "PSTATE.%s", name), ARM_TAKE, (old & mask) >> lsb, (new &mask) >> lsb, 0);
    f->text = why;
}

static void pstate_fields(struct arm_why *w, struct fact *to, uint64_t old, uint64_t new)
{
    static const struct {
        const char *name;
        uint64_t mask;
        int feat; /* -1: always there */
    } row[] = {{"EL", PSTATE_EL, -1},         {"SP", PSTATE_SP, -1},
               {"DAIF", PSTATE_DAIF, -1},     {"ALLINT", PSTATE_ALLINT, FEAT_NMI},
               {"PM", PSTATE_PM, FEAT_EBEP},  {"PPEND", PSTATE_PPEND, FEAT_SEBEP},
               {"PAN", PSTATE_PAN, FEAT_PAN}, {"UAO", PSTATE_UAO, FEAT_UAO},
               {"DIT", PSTATE_DIT, FEAT_DIT}, {"SSBS", PSTATE_SSBS, FEAT_SSBS},
               {"TCO", PSTATE_TCO, FEAT_MTE}, {"BTYPE", PSTATE_BTYPE, FEAT_BTI},
               {"IL", PSTATE_IL, -1},         {"SS", PSTATE_SS, -1},
               {"NZCV", PSTATE_NZCV, -1}};
    for (unsigned i = 0; i < ARRAY_LEN(row); i++)
        if (((old ^ new) & row[i].mask) && (row[i].feat < 0 || arm_on(w, (enum arm_feat)row[i].feat)))
            pstate_field(w, to, row[i].name, row[i].mask, old, new, "");
}

/* ---- entries
 * ------------------------------------------------------------------------------------------------------------------- */

/* A synchronous external abort: x->el is where it goes; 0: nothing sends it elsewhere. */
static unsigned external_target(struct arm_why *w, struct fact *s, const struct arm_exception *x)
{
    const struct pe *p = w->p;
    uint64_t hcr = hcr_of(p), scr = p->s.regs.scr_el3;
    bool below2 = p->el < 2 && el2_enabled(p), walk = x->ipa_valid;
    if (arm_on(w, FEAT_EL3) && p->el < 3)
        arm_bit(w, s, "SCR_EL3.EA", ARM_EXTERNAL, scr, scr_el3_EA, scr & scr_el3_EA ? "external aborts go to EL3" : "not to EL3")
            ->mark = x->el == 3 ? FACT_DECIDES : FACT_PLAIN;
    if (below2 && x->el != 3) {
        arm_bit(w, s, "HCR_EL2.TEA", ARM_EXTERNAL, hcr, hcr_el2_TEA,
                hcr & hcr_el2_TEA ? "external aborts go to EL2" : "not to EL2")
            ->mark = hcr & hcr_el2_TEA ? FACT_DECIDES : FACT_PLAIN;
        if (p->el == 0)
            arm_bit(w, s, "HCR_EL2.TGE", ARM_EXTERNAL, hcr, hcr_el2_TGE,
                    hcr & hcr_el2_TGE ? "EL2 in the place of EL1" : "EL0 belongs to EL1")
                ->mark = hcr & hcr_el2_TGE ? FACT_DECIDES : FACT_PLAIN;
        if (walk)
            fact_add(w->e, s, "stage 2", ARM_EXTERNAL, "the abort is on its walk: to EL2")->mark = FACT_DECIDES;
    }
    unsigned target = x->el ? x->el : p->el ? p->el : 1;
    fact_value(w->e, s, "target", ARM_EXTERNAL, target, 0, "%s",
               x->el && p->el < x->el ? "as these bits say" : "nothing sends it elsewhere")
        ->mark = x->el && p->el < x->el ? FACT_PLAIN : FACT_DECIDES;
    return target;
}

static unsigned target_of(struct arm_why *w, struct fact *s, const struct arm_exception *x)
{
    const struct pe *p = w->p;
    if (arm_is_external(x))
        return external_target(w, s, x);
    if (x->el) {
        fact_value(w->e, s, "target", NULL, x->el, 0, x->ipa_valid ? "faults of stage 2 go to EL2" : "as decided above")->mark =
            FACT_DECIDES;
        return x->el;
    }
    if (p->el) {
        fact_value(w->e, s, "target", ARM_LEVELS, p->el, 0, "nothing sends it to another level: the level it comes from")->mark =
            FACT_DECIDES;
        return p->el;
    }
    bool tge = hcr_of(p) & hcr_el2_TGE;
    if (el2_enabled(p))
        arm_bit(w, s, "HCR_EL2.TGE", ARM_ROUTE, hcr_of(p), hcr_el2_TGE, tge ? "EL2 in the place of EL1" : "EL0 belongs to EL1")
            ->mark = FACT_DECIDES;
    fact_value(w->e, s, "target", ARM_ROUTE, tge ? 2 : 1, 0, "from EL0 exceptions go up");
    return tge ? 2 : 1;
}

/* Arm ARM IPAValid: not of every stage 2 fault. */
static bool hpfar_unknown(const struct arm_exception *x)
{
    bool permission = (x->iss & 0x3c) == FSC_PERMISSION, on_walk = x->iss >> 7 & 1;
    return arm_is_external(x) || (permission && !on_walk);
}

static void report(struct arm_why *w, struct fact *s, const struct arm_exception *x, unsigned target, struct arm_expect *want)
{
    struct level_regs l = regs_of(&want->r, target);
    bool two = x->ec == EC_INSN_ABORT_LOWER || x->ec == EC_DATA_ABORT_LOWER || x->ec == EC_BREAKPOINT_LOWER ||
               x->ec == EC_SOFTWARE_STEP_LOWER || x->ec == EC_WATCHPOINT_LOWER;
    unsigned ec = x->ec + (two && target == w->p->el);
    bool hidden = target == 1 && (hcr_of(w->p) & (hcr_el2_VM | hcr_el2_DC)), pfv = x->pa_valid && arm_on(w, FEAT_PFAR) && !hidden;
    uint64_t esr = (uint64_t)x->iss2 << 32 | (uint64_t)ec << 26 | UINT64_C(1) << 25 | x->iss | (uint64_t)pfv << 14;
    char text[256];
    esr_text(esr, text, sizeof text);
    put(w, s, l.esr, l.esr_name, esr, ARM_ESR)->text = explain_say(w->e, "EC 0x%02x, %s", ec, text);
    if (x->far_valid)
        put(w, s, l.far, l.far_name, x->far, "Arm ARM FAR_ELx, Fault Address Register");
    if (pfv) {
        struct arm_regs *r = &want->r;
        uint64_t *const pfar[] = {&r->pfar_el1, &r->pfar_el2, &r->mfar_el3};
        static const char *const name[] = {"PFAR_EL1", "PFAR_EL2", "MFAR_EL3"};
        put(w, s, pfar[target - 1], name[target - 1], arm_on(w, FEAT_EL3) ? x->pa : x->pa & ~(UINT64_C(1) << 63),
            "Arm ARM PFAR_ELx, Physical Fault Address Register");
    }
    if (x->ipa_valid && target == 2)
        put(w, s, &want->r.hpfar_el2, "HPFAR_EL2", (x->ipa >> 12 << 4) | (x->ns ? UINT64_C(1) << 63 : 0),
            "Arm ARM HPFAR_EL2, Hypervisor IPA Fault Address Register")
            ->text = hpfar_unknown(x) ? "the intermediate physical address; the manual makes it UNKNOWN for this fault"
                                      : "the intermediate physical address";
}

/* Arm ARM AArch64.TakeException: PSTATE of the handler. */
static uint64_t handler_pstate(struct arm_why *w, struct fact *s, unsigned target, uint64_t old, uint64_t sctlr, const char *name)
{
    uint64_t new =
        (old & (PSTATE_NZCV | PSTATE_PAN | PSTATE_DIT)) | (uint64_t)target << PSTATE_EL_SHIFT | PSTATE_SP | PSTATE_DAIF;
    bool spans = target == 1 || (target == 2 && el0_in_host(w->p));
    if (arm_on(w, FEAT_PAN) && spans) {
        arm_bit(w, s, explain_say(w->e, "%s.SPAN", name), ARM_TAKE, sctlr, sctlr_el1_SPAN,
                sctlr & sctlr_el1_SPAN ? "PSTATE.PAN stays" : "PSTATE.PAN is set");
        if (!(sctlr & sctlr_el1_SPAN))
            new |= PSTATE_PAN;
    }
    if (arm_on(w, FEAT_SSBS) && (sctlr & sctlr_el1_DSSBS))
        new |= PSTATE_SSBS;
    if (arm_on(w, FEAT_MTE))
        new |= PSTATE_TCO;
    if (arm_on(w, FEAT_NMI) && !(sctlr & sctlr_el1_SPINTMASK))
        new |= PSTATE_ALLINT;
    if (arm_on(w, FEAT_EBEP))
        new |= PSTATE_PM;
    return new;
}

/* The section that says which level gets such an exception. */
static const char *route_clause(const struct arm_why *w, const struct arm_exception *x)
{
    if (x->type != EXCEPTION_SYNCHRONOUS)
        return ARM_ASYNC;
    return w->p->el ? ARM_LEVELS : ARM_ROUTE;
}

void arm_explain_route(struct arm_why *w, const struct arm_exception *x, struct arm_expect *want)
{
    static const char *const offset[] = {"synchronous", "IRQ", "FIQ", "SError"};
    struct explanation *e = w->e;
    const struct pe *p = w->p;
    uint64_t old = p->s.pstate;
    struct fact *s = fact_add(e, &e->facts, "route", route_clause(w, x), "which exception level gets it");
    unsigned type = x->as_serror ? EXCEPTION_SERROR : x->type, target = target_of(w, s, x), vector = type * 0x80;
    struct level_regs l = regs_of(&want->r, target);
    if (x->next && (p->s.regs.mdscr_el1 & 1))
        old &= ~(uint64_t)PSTATE_SS; /* the instruction was executed: the software step state machine has advanced */
    s = fact_add(e, &e->facts, "writes", ARM_TAKE, "of the entry into EL%u", target);
    if (x->type == EXCEPTION_SYNCHRONOUS || x->type == EXCEPTION_SERROR)
        report(w, s, x, target, want);
    put(w, s, l.spsr, l.spsr_name, old, ARM_TAKE)->text = "PSTATE as it was";
    put(w, s, l.elr, l.elr_name, p->s.pc + (x->next ? 4 : 0), ARM_RETURN)->text =
        x->next ? "the next instruction: this one was executed" : "this instruction, to be executed again";
    if (x->type == EXCEPTION_SERROR && x->virtual) {
        uint64_t hcr = want->r.hcr_el2;
        fact_change(e, s, "HCR_EL2.VSE", "Arm ARM AArch64.TakeVirtualSErrorException", (hcr & hcr_el2_VSE) != 0, 0, 0);
        want->r.hcr_el2 &= ~hcr_el2_VSE;
    }
    want->pstate = handler_pstate(w, s, target, old, l.sctlr, l.sctlr_name);
    pstate_fields(w, s, old, want->pstate);
    const char *from = target > p->el    ? "from a lower level"
                       : old & PSTATE_SP ? "from the same level, SP_ELx"
                                         : "from the same level, SP_EL0";
    vector += target > p->el ? 0x400 : old & PSTATE_SP ? 0x200 : 0;
    want->pc = (l.vbar & ~UINT64_C(0x7ff)) + vector;
    fact_value(e, s, "pc", ARM_VECTOR, want->pc, 16, "%s + 0x%03x: %s, %s", l.vbar_name, vector, offset[type], from)->mark =
        FACT_DECIDES;
}

/* ---- returns
 * ------------------------------------------------------------------------------------------------------------------- */

/* Why the return is illegal; NULL: it is not. Arm ARM IllegalExceptionReturn. */
static const char *illegal(const struct arm_why *w, uint64_t spsr, unsigned target)
{
    const struct pe *p = w->p;
    if (spsr & PSTATE_NRW)
        return "M[4]: AArch32 is not there";
    if ((spsr & 2) || (target == 0 && (spsr & 1)))
        return "M[3:0] is reserved";
    if (target == 2 && !el2_enabled(p))
        return "EL2 is not enabled";
    if (target == 3 && !arm_on(w, FEAT_EL3))
        return "there is no EL3";
    if (target > p->el)
        return "it would raise the level";
    return target == 1 && (hcr_of(p) & hcr_el2_TGE) ? "to EL1 while HCR_EL2.TGE is 1" : NULL;
}

/* Whether the return makes SPSR_ELx.PPEND that of PSTATE; that of a counter that overflows with the return is the cpu's matter.
   Arm ARM ExceptionReturnPPEND. */
static bool pends(struct arm_why *w, struct fact *s, uint64_t spsr, unsigned to)
{
    const struct pe *p = w->p;
    unsigned el = pmu_exception_target(p);
    if (p->count_step)
        return w->after->s.pstate & PSTATE_PPEND;
    if (!(spsr & PSTATE_PPEND))
        return false;
    bool back =
        el && pmu_exception_masked(p, el, p->el, p->s.pstate & PSTATE_PM) && !pmu_exception_masked(p, el, to, spsr & PSTATE_PM);
    fact_value(w->e, s, "SPSR_ELx.PPEND", "Arm ARM ExceptionReturnPPEND", 1, 0,
               back ? "pending again: the return unmasks profiling exceptions"
                    : "dropped: the return does not unmask profiling exceptions");
    return back;
}

void arm_explain_return(struct arm_why *w, struct arm_expect *want)
{
    struct explanation *e = w->e;
    const struct pe *p = w->p;
    struct level_regs l = regs_of(&want->r, p->el);
    uint64_t spsr = *l.spsr, kept = PSTATE_PAN | PSTATE_DAIF | PSTATE_ALLINT | PSTATE_PM, fields = eret_fields(p->cfg);
    unsigned target = (unsigned)(spsr & PSTATE_EL) >> PSTATE_EL_SHIFT;
    struct fact *s = fact_add(e, &e->facts, "route", ARM_ERET, "which exception level it returns to");
    fact_value(e, s, explain_say(e, "%s.M", l.spsr_name), ARM_ERET, spsr & 31, 2, "EL%u, SP_EL%u", target, spsr & 1 ? target : 0)
        ->mark = FACT_DECIDES;
    const char *bad = illegal(w, spsr, target);
    if (bad)
        fact_add(e, s, "illegal", "Arm ARM IllegalExceptionReturn", "%s: the level stays, and PSTATE.IL is set", bad)->mark =
            FACT_DECIDES;
    want->pstate =
        bad ? (p->s.pstate & ~(kept | PSTATE_NZCV | PSTATE_BTYPE)) | (spsr & kept & fields) | PSTATE_IL : spsr & fields;
    want->pstate |= spsr & PSTATE_NZCV;
    want->pstate &= ~PSTATE_PPEND;
    if (pends(w, s, spsr, bad ? p->el : target))
        want->pstate |= PSTATE_PPEND;
    want->pstate &= ~(uint64_t)PSTATE_SS; /* Arm ARM DebugExceptionReturnSS: 0 unless MDSCR_EL1.SS */
    want->pc = *l.elr;
    s = fact_add(e, &e->facts, "writes", ARM_ERET, "of the return");
    pstate_fields(w, s, p->s.pstate, want->pstate);
    fact_value(e, s, "pc", ARM_ERET, want->pc, 16, "%s%s", l.elr_name, want->pc_open ? ", authenticated" : "")->mark =
        FACT_DECIDES;
}
