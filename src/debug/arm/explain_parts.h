/* Shared by the files of debug/arm/explain*.c. */
#ifndef TL_DEBUG_ARM_EXPLAIN_PARTS_H
#define TL_DEBUG_ARM_EXPLAIN_PARTS_H
#include "cpu/arm/exec.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/walk.h"
#include "debug/explain_build.h"

/* Clauses that several files name: sections and pseudocode of the Arm ARM (DDI 0487). */
#define ARM_PRIORITY "Arm ARM D1.4.5.6: Prioritization of Synchronous exceptions taken to AArch64 state"
#define ARM_ROUTE    "Arm ARM D1.4.5.1: Taking synchronous exceptions from EL0"
#define ARM_LEVELS   "Arm ARM D1.1, R_FFJBB, R_QNTPB: target Exception level"
#define ARM_EXTERNAL "Arm ARM D1.4.5.2: Exception levels for taking a synchronous External abort"
#define ARM_DEBUG    "Arm ARM D2.2: Routing debug exceptions"
#define ARM_TAKE     "Arm ARM AArch64.TakeException"
#define ARM_VECTOR   "Arm ARM D1.4.1.6: Exception vectors"
#define ARM_RETURN   "Arm ARM D1.4.1, R_DPLYN to R_LBLBR: preferred exception return address"
#define ARM_ASYNC    "Arm ARM D1.4.6.3: Establishing the target Exception level of an asynchronous exception"
#define ARM_MASK     "Arm ARM D1.4.6.4: Asynchronous exception masking"
#define ARM_ORDER    "Arm ARM D1.4.6.5: Prioritization of asynchronous exceptions"
#define ARM_ESR      "Arm ARM ESR_ELx, Exception Syndrome Register"
#define ARM_S1       "Arm ARM D8: AArch64.S1Walk, AArch64.S1Translate"
#define ARM_S2       "Arm ARM D8: AArch64.S2Walk, AArch64.S2Translate"

/* What is being explained. The PE is as before; nothing of it changes. */
struct arm_why {
    struct explanation *e;
    struct machine *m;
    struct pe *p;
    const struct pe *after;
    const struct machine_change *c; /* NULL: nothing happened */
    struct arm_exception told;      /* what the cpu did, from ESR_ELx and FAR_ELx: of use where the facts do not decide */
    bool known;                     /* the facts decide all of the exception */
};

/* The state that has to be behind it. */
struct arm_expect {
    struct arm_regs r;
    uint64_t pc, pstate;
    bool pc_open; /* what the authentication of a pointer makes of pc is the cpu's matter */
};

static inline bool arm_on(const struct arm_why *w, enum arm_feat f) { return arm_has(w->p->cfg, f); }
/* A bit or field of a register word, its value, and what that means here. */
struct fact *arm_bit(struct arm_why *w, struct fact *to, const char *label, const char *clause, uint64_t word, uint64_t mask,
                     const char *text);

/* explain_irq.c: the section of pending interrupts, if any is. True: x is taken. */
bool arm_explain_interrupts(struct arm_why *w, struct arm_exception *x);

/* explain_gic.c: interrupts that are pending in the GIC and make no line high, as facts of s, with what holds them back. False:
   there are none. */
bool arm_explain_gic(struct arm_why *w, struct fact *s);

/* explain_profiling.c: what the performance monitors ask for, if anything, as facts of s. True: x is taken. */
bool arm_explain_profiling(struct arm_why *w, struct fact *s, struct arm_exception *x);

/* explain_priority.c: the section of what comes before what. */
void arm_explain_priority(struct arm_why *w, const struct arm_exception *x);
/* An external abort: its code in the syndrome. */
static inline bool arm_is_external(const struct arm_exception *x)
{
    unsigned code = x->iss & 63;
    bool abort = x->ec == EC_INSN_ABORT_LOWER || x->ec == EC_DATA_ABORT_LOWER;
    return abort && (code == FSC_EXTERNAL || (code >= FSC_EXTERNAL_ON_WALK - 1 && code < FSC_EXTERNAL_ON_WALK + 4));
}

/* explain_insn.c: what the instruction at pc raises. True: x, with el where it says so itself. *eret: an exception return, which
   is made; *authenticated: ERETAA or ERETAB. */
bool arm_explain_instruction(struct arm_why *w, struct arm_exception *x, bool *eret, bool *authenticated);
/* explain_sysreg.c: the access that is refused; which bits decide it. */
void arm_explain_sysreg(struct arm_why *w, struct fact *to, unsigned id, bool write, struct sysreg_access a);
/* The registers that differ between two states, as rv_csrs_differ. */
unsigned arm_regs_differ(const struct arm_regs *a, const struct arm_regs *b, unsigned i, char *name, size_t cap, uint64_t *va,
                         uint64_t *vb);

/* explain_walk.c: how an access is translated and checked. True: permitted, *pa is where; else x is the abort. */
bool arm_explain_access(struct arm_why *w, struct fact *to, uint64_t va, unsigned size, enum access a,
                        const struct access_mode *m, uint64_t *pa, struct arm_exception *x);
/* An abort that is no result of translation. Always false. */
bool arm_explain_abort(struct arm_why *w, uint64_t va, enum access a, const struct access_mode *m, unsigned fsc,
                       struct arm_exception *x);

/* explain_route.c: where x goes and what it writes; a return. */
void arm_explain_route(struct arm_why *w, const struct arm_exception *x, struct arm_expect *want);
void arm_explain_return(struct arm_why *w, struct arm_expect *want);
#endif
