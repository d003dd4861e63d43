/*
 * The forms that injection and completion of supervisor software events have had in firmware, as functions on what they are
 * about: what the specification says (SBI v3.0 SSE, "Software Event Injection" and "Software Event Completion"), and three that
 * depart from it. A check predicts with them what a firmware of that form does, state by state; nothing here looks at a machine.
 */
#ifndef TL_DEBUG_RISCV_SSE_FORMS_H
#define TL_DEBUG_RISCV_SSE_FORMS_H
#include "debug/riscv/view.h"
#include <stdbool.h>
#include <stdint.h>

enum sse_form {
    SSE_FORM_SPEC,    /* as the specification says */
    SSE_FORM_HEAD,    /* OpenSBI's: SPV is only ever set, SPVP is cleared with SPV=0 */
    SSE_FORM_P1,      /* the first posted patch: hstatus and V kept by the firmware, FLAGS taken too late */
    SSE_FORM_PRIVATE, /* all of it kept by the firmware, FLAGS as in P1 */
    SSE_FORMS
};

/* The part of a context that injection and completion change. */
struct sse_context {
    uint64_t pc, sepc, a6, a7;
    uint8_t v, s;           /* virtualization mode; 1: S, 0: U */
    uint8_t sie, spie, spp; /* of sstatus */
    uint8_t spelp, sdt;     /* of sstatus */
    uint8_t elp;            /* a landing pad is expected (Zicfilp) */
    uint8_t spv, spvp;      /* of hstatus */
};
/* INTERRUPTED_* of the event. */
struct sse_saved {
    uint64_t flags, sepc, a6, a7;
};
/* What the hart has; what is not there reads as zero and cannot be set. */
struct sse_hart_has {
    bool h, zicfilp, dte;
    bool pads_s, pads_vs, pads_u; /* landing pads are on in HS, in VS, in U and VU */
};
struct sse_hart_has sse_hart_has_of(const struct rv_features *f);

/* What runs between injection and completion. */
enum sse_effect {
    SSE_EFFECT_NONE,       /* HK0 */
    SSE_EFFECT_NESTED,     /* HK1: a trap into HS and SRET */
    SSE_EFFECT_SSTATUS,    /* HK2: that, with sepc and sstatus saved around it */
    SSE_EFFECT_HSTATUS,    /* HK3, HK4: hstatus as well */
    SSE_EFFECT_NO_SSTATUS, /* sepc and hstatus saved around it, sstatus not */
    SSE_EFFECT_ATTRIBUTES, /* HK5: writes SEPC, FLAGS, A6 and A7 */
    SSE_EFFECT_REDIRECT,   /* HK6: writes sepc, SPP, SPIE, SPV */
    SSE_EFFECT_PREEMPT     /* HK7: another event comes and goes, whose handler does nothing */
};
struct sse_action {
    enum sse_effect effect;
    uint64_t flags, sepc, a6, a7; /* ATTRIBUTES: what is written; REDIRECT: flags bit 0 SPP, 1 SPV, 2 SPIE, and sepc */
    uint64_t handler_pc;          /* NESTED: what sepc is afterwards */
};

struct sse_outcome {
    struct sse_context entry; /* at the handler's first instruction */
    struct sse_saved saved;   /* the attributes then */
    struct sse_context resumed;
};

/* What becomes of context x, the handler being at entry_pc with entry_arg on this hart. */
void sse_form_run(enum sse_form form, const struct sse_hart_has *has, const struct sse_context *x, uint64_t entry_pc,
                  uint64_t entry_arg, uint64_t hart, const struct sse_action *action, struct sse_outcome *out);

/* A context of a real hart, below M. */
void sse_context_of(const struct rv_view *v, struct sse_context *c);
/* The first member that differs, "hstatus.SPV", with both values; NULL: none does. skip: members already told. */
const char *sse_context_differs(const struct sse_context *a, const struct sse_context *b, unsigned *i, uint64_t *va,
                                uint64_t *vb);
const char *sse_saved_differs(const struct sse_saved *a, const struct sse_saved *b, unsigned *i, uint64_t *va, uint64_t *vb);
#endif
