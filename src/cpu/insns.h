/*
 * Traces of retired instructions: another handler in front of every instruction's own, chosen when it is decoded. A run without
 * one pays nothing. Shared by both architectures; each tells, where it decodes, which registers an instruction may change and
 * what it stores (struct insn_slot).
 *
 * What an instruction wrote to its register is read when the hart's next one begins, or at a flush.
 */
#ifndef TL_CPU_INSNS_H
#define TL_CPU_INSNS_H
#include "cpu/engine.h"

#define INSN_NO_REG  255
#define INSN_RECORDS 2048

/* One instruction. */
struct insn_record {
    uint64_t pc, value;     /* value: of register `reg` afterwards */
    uint64_t address, data; /* of a store: where (virtual), and the operand that is stored */
    uint32_t insn;          /* its bits; the upper half is 0 of a short one */
    uint8_t hart, reg;      /* reg: 0-31 general, 32-63 floating-point, INSN_NO_REG none */
    uint8_t store;          /* bytes stored; 0: none. An atomic's operand and size */
    uint8_t trapped;        /* it did not retire: it took an exception */
    uint8_t base, from;     /* of a store: registers of the address and of the operand, numbered as reg */
};

/* What is known of a decoded instruction. Offsets of registers count from struct cpu, in bytes. */
struct insn_slot {
    uop_fn *fn; /* its own handler */
    uint32_t insn;
    int32_t imm;
    uint32_t reg_at, base_at, data_at;
    uint8_t reg, store, base, from;
};

typedef void insn_full_fn(void *ctx, const struct insn_record *list, size_t n);
struct insn_trace {
    insn_full_fn *full;
    void *ctx;
    struct insn_record *pending[ENGINE_CPUS]; /* the last one of each hart, whose value is still to be read */
    uint32_t pending_at[ENGINE_CPUS];
    size_t n;
    struct insn_record list[INSN_RECORDS];
};

/* Begins to give every instruction to fn, many at a time and in the order of execution; NULL: ends it. Between runs. */
void engine_insns(struct engine *e, insn_full_fn *fn, void *ctx);
/* Gives away what there is. Between runs. */
void engine_insns_flush(struct engine *e);
/* The instruction at pc, the hart's last one, took an exception: told of where traps are told of. */
void engine_insns_trapped(struct engine *e, unsigned hart, uint64_t pc);

/* Where an instruction is decoded and e->insns is not NULL: puts the tracing handler into slot op of the page c executes. */
void insn_slot_set(struct cpu *c, struct uop *op, const struct insn_slot *s);
/* The instruction s at pc is about to be executed outside any page. */
void insn_note(struct cpu *c, const struct insn_slot *s, uint64_t pc);
#endif
