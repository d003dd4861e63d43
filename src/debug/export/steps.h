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

/* A step, and what its log form does not hold. */
struct steps_item {
    struct log_step log; /* its line: the number of the step, from 1 */
    uint64_t cycle;      /* of the boundary before it */
    uint64_t vector;     /* of a trap: where the hart goes on */
    uint64_t index;      /* instructions of all harts retired before it */
    uint8_t to_priv;     /* of a trap: the mode it led to */
    uint64_t pstate;     /* A64: PSTATE afterwards, as SPSR_ELx has it */
    bool pstate_changed; /* A64: in what the instruction may write: NZCV, and the rest */
};

/* A form that is written. */
struct steps_form {
    void (*begin)(struct machine *m, struct buf *out);
    void (*item)(struct machine *m, const struct steps_item *i, struct buf *out);
};
extern const struct steps_form steps_spike, steps_tarmac;

struct steps;
/* From the machine as it is. Steps whose boundary is in the cycles [first, last] are told. */
struct steps *steps_new(const struct steps_form *f, struct machine *m, uint64_t first, uint64_t last, struct buf *out);
/* A trap or return, from a machine_watch_fn. */
void steps_change(struct steps *s, struct machine *m, const struct machine_change *c);
/* The machine stands at some boundary: at the beginning, and whenever it stopped. Sets what stops it next. */
void steps_stopped(struct steps *s, struct machine *m);
void steps_end(struct steps *s);

/* What is of one architecture. Both take what there is before and after an instruction of a hart. */
struct steps_before {
    uint64_t pc, x[34];
    uint64_t f[64]; /* RISC-V: 32 of one word; A64: 32 of two */
    uint64_t pstate;
    uint64_t csr[8]; /* RISC-V: of the CSRs that change as it were by themselves */
    uint64_t fflags;
    uint32_t insn;
    uint8_t insn_bytes, priv, v;
};
struct steps_ops {
    /* The hart as it is; its next instruction, insn_bytes 0 if it cannot be fetched. */
    void (*before)(struct machine *m, unsigned hart, struct steps_before *b);
    /* The instruction has retired: adds the registers it wrote, and what was loaded and stored is in s already. */
    void (*after)(struct machine *m, unsigned hart, const struct steps_before *b, struct steps_item *s);
};
extern const struct steps_ops riscv_steps, arm_steps;
#endif
