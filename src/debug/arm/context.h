/* The A64 side of debug/context.h. */
#ifndef TL_DEBUG_ARM_CONTEXT_H
#define TL_DEBUG_ARM_CONTEXT_H
#include "debug/context.h"

extern const struct context_ops arm_context;

/* The context that the return `ret`, which has just been made, went back to: pc and PSTATE as it took them, with PSTATE.IL if it
   was illegal. */
void arm_context_returned(struct context *c, struct machine *m, const struct machine_change *ret);

/* Whose register number i of a context is. */
enum {
    /* 0 to 3: the exception level's */
    ARM_CONTEXT_GIC = 4, /* the active priorities of the GIC's CPU interface */
    ARM_CONTEXT_OTHER,   /* what is nobody's to bring back */
    ARM_CONTEXT_GENERAL, /* x0 to x30: i - ARM_CONTEXT_X0 is the number */
    ARM_CONTEXT_MODE,    /* pc, PSTATE */
    ARM_CONTEXT_FLOAT,   /* V0 to V31, FPCR, FPSR */
    ARM_CONTEXT_NONE     /* there is no register i: it is past the last */
};
#define ARM_CONTEXT_PC     0
#define ARM_CONTEXT_PSTATE 1
#define ARM_CONTEXT_X0     2
uint8_t arm_context_owner(uint32_t i);
#endif
