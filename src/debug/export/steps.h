/*
 * A run instruction by instruction, for those who write it down: the machine is stopped at every boundary of every hart, and what
 * the instruction between two of them did is told as a step of a log (debug/logs/log.h), complete: registers, system registers,
 * accesses with their values, traps.
 */
#ifndef TL_DEBUG_EXPORT_STEPS_H
#define TL_DEBUG_EXPORT_STEPS_H
#include "base/buf.h"
#include "debug/logs/log.h"
#include "machine/trapline.h"

/* The next instruction of a hart, and what is needed to see what it does. */
struct steps_before {
    uint64_t pc;
    uint64_t x[32];
    uint64_t f[64];     /* RISC-V: f0-f31; A64: two words of each vector register */
    uint64_t status[4]; /* what changes by the way: of each architecture's own meaning */
    uint32_t insn;
    uint8_t insn_bytes; /* 0: it cannot be fetched */
    uint8_t priv, v;
};

/* A step, and what its log form does not hold. */
struct steps_item {
    struct log_step log; /* its line: the number of the step, from 1. A trap has the instruction, if there is one */
    uint64_t cycle;      /* of the boundary before it, and no less than that of the step before */
    uint64_t index;      /* how many instructions have retired before it */
    const struct machine_change *change; /* of a trap */
    bool has_status;                     /* A64: PSTATE changed */
    uint64_t status;                     /* A64: PSTATE now, as SPSR_ELx has it */
};

/* A form that is written. */
struct steps_form {
    void *(*begin)(struct machine *m, struct buf *out); /* returns its ctx */
    void (*item)(void *ctx, struct machine *m, const struct steps_item *i, struct buf *out);
    void (*end)(void *ctx); /* frees ctx */
};
extern const struct steps_form steps_spike, steps_tarmac, steps_raw;

struct steps;
/* Steps whose boundary is in the cycles [first, last] are told, from the machine as it is. */
struct steps *steps_new(const struct steps_form *f, struct machine *m, uint64_t first, uint64_t last, struct buf *out);
/* A trap or return, from a machine_watch_fn. */
void steps_change(struct steps *s, struct machine *m, const struct machine_change *c);
/* The machine stands at some boundary: at the beginning, and whenever it stopped. Sets what stops it next. */
void steps_stopped(struct steps *s, struct machine *m);
void steps_end(struct steps *s);

/* What each architecture provides. */
struct steps_ops {
    /* The hart as it is. */
    void (*before)(struct machine *m, unsigned hart, struct steps_before *b);
    /* The instruction has retired: adds the registers it wrote. Its accesses are in the step already. */
    void (*after)(struct machine *m, unsigned hart, const struct steps_before *b, struct steps_item *i);
    /* The trap's cause as logs have it; UINT64_MAX: they do not tell it. */
    uint64_t (*cause)(const struct machine_change *c);
    /* The trap has been taken: adds the registers it wrote, if logs of the architecture have them. May be NULL. */
    void (*trapped)(struct machine *m, const struct machine_change *c, struct steps_item *i);
    /* What the instruction stores, by its encoding: of stores to devices, whose registers cannot be looked at. */
    uint64_t (*stored)(const struct steps_before *b);
};
extern const struct steps_ops riscv_steps, arm_steps;
#endif
