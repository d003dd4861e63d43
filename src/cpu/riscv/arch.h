/* The parts of the RISC-V side of cpu/arch.h: struct cpu_arch's functions that have a file of their own. */
#ifndef TL_CPU_RISCV_ARCH_H
#define TL_CPU_RISCV_ARCH_H
#include "cpu/riscv/decode.h"
#include "cpu/riscv/hart.h"

struct rv_kind {
    struct cpu_kind kind; /* must be first */
    struct rv_config cfg;
    struct csr_map *map;
    struct rv_decoder *decoder;
};

/* regs.c */
bool hart_get_reg(struct cpu *cpu, const char *name, uint64_t *value);
bool hart_set_reg(struct cpu *cpu, const char *name, uint64_t value);

/* inject.c */
bool hart_inject(struct cpu *cpu, const struct injection *i, struct err *e);

/* describe.c */
bool rv_describe(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx);
#endif
