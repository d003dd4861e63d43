/* What comes before a synchronous exception, by the numbers of Arm ARM D1.4.5.6 "Prioritization of Synchronous exceptions taken
   to AArch64 state"; those of features that are not there are left out. An illegal execution state is seen at 11, not at 8, and
   external aborts and tag checks at 45, not at 47: both are for the implementation to choose. */
#include "base/bits.h"
#include "debug/arm/explain_parts.h"

#include <stdio.h>

static const struct {
    uint8_t first, last; /* numbers of the list */
    const char *when;
} order[] = {
    {4, 4, "software step"},
    {5, 5, "profiling exception; one that is asynchronous comes here, too"},
    {7, 7, "alignment of the PC"},
    {9, 9, "fetch of the instruction: instruction abort"},
    {10, 10, "breakpoint"},
    {11, 11, "illegal execution state"},
    {13, 13, "BRK"},
    {14, 14, "branch target"},
    {18, 18, "trap by HSTR_EL2, HCR_EL2.TIDCP at EL1, SCTLR_ELx.TIDCP"},
    {19, 19, "UNDEFINED instruction"},
    {21, 21, "trap to EL1, to EL2 in its place if HCR_EL2.TGE is 1"},
    {22, 22, "trap of EL0 to EL2 by HCR_EL2.TIDCP"},
    {24, 24, "trap to EL2 by CPTR_EL2"},
    {25, 26, "trap to EL2 by any other control"},
    {27, 27, "SMC, UNDEFINED by SCR_EL3.SMD"},
    {28, 28, "SVC, HVC, SMC"},
    {30, 30, "trap to EL3 by CPTR_EL3"},
    {32, 33, "trap to EL3 by any other control"},
    {38, 38, "authentication of a pointer (FEAT_FPAC)"},
    {41, 41, "alignment of SP"},
    {44, 44, "data abort: alignment, translation, access flag, permission, table walk"},
    {45, 45, "data abort: external abort or tag check of the data itself"},
    {46, 46, "watchpoint"},
};

/* A trap by a control, by the level it goes to. */
static unsigned trapped(const struct arm_why *w, const struct arm_exception *x, unsigned el2, unsigned el3)
{
    bool instead = w->p->el == 0 && (hcr_of(w->p) & hcr_el2_TGE) && !explain_find(w->e, "trap of EL2");
    return x->el == 3 ? el3 : x->el == 2 && !instead ? el2 : 21;
}

/* Instructions that are IMPLEMENTATION DEFINED: of the system space with CRn 11 or 15, which TIDCP traps. */
static bool implementation_defined(uint32_t iss) { return (iss >> 20 & 1) && (iss >> 10 & 11) == 11; }

static unsigned number_of(const struct arm_why *w, const struct arm_exception *x)
{
    switch (x->ec) {
    case EC_SOFTWARE_STEP_LOWER: return 4;
    case EC_PROFILING: return 5;
    case EC_PC_ALIGNMENT: return 7;
    case EC_INSN_ABORT_LOWER: return 9;
    case EC_BREAKPOINT_LOWER: return 10;
    case EC_ILLEGAL_STATE: return 11;
    case EC_BRK: return 13;
    case EC_BTI: return 14;
    case EC_UNKNOWN: return explain_find(w->e, "SCR_EL3.SMD") && !x->el ? 27 : x->el ? 21 : 19;
    case EC_SVC:
    case EC_HVC:
    case EC_SMC: return x->next ? 28 : 25;
    case EC_FP_ACCESS: return trapped(w, x, 24, 30);
    case EC_SYSREG:
        if (implementation_defined(x->iss))
            return w->p->el || x->el == 1 ? 18 : 22;
        return trapped(w, x, 25, 32);
    case EC_PAC_FAIL: return 38;
    case EC_SP_ALIGNMENT: return 41;
    case EC_DATA_ABORT_LOWER: return (x->iss & 63) == FSC_EXTERNAL || (x->iss & 63) == FSC_TAG_CHECK ? 45 : 44;
    case EC_WATCHPOINT_LOWER: return 46;
    default: return trapped(w, x, 25, 32); /* WFx, ERET, pointer authentication */
    }
}

void arm_explain_priority(struct arm_why *w, const struct arm_exception *x)
{
    unsigned at = number_of(w, x);
    struct fact *s = fact_add(w->e, &w->e->facts, "priority", ARM_PRIORITY, "in decreasing order, by the numbers of the list");
    for (unsigned i = 0; i < ARRAY_LEN(order) && order[i].first <= at; i++) {
        bool this = at <= order[i].last;
        const char *label = order[i].first == order[i].last ? explain_say(w->e, "%u", order[i].first)
                                                            : explain_say(w->e, "%u-%u", order[i].first, order[i].last);
        fact_add(w->e, s, label, NULL, "%s: %s", order[i].when, this ? "this one; the rest is not looked at" : "not so")->mark =
            this ? FACT_DECIDES : FACT_PLAIN;
    }
}
