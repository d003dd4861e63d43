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
    uint16_t *csr; /* numbers of the CSRs there are, ascending */
    unsigned csrs;
};

/* regs.c */
bool hart_get_reg(struct cpu *cpu, const char *name, uint64_t *value);
bool hart_set_reg(struct cpu *cpu, const char *name, uint64_t value);
/* Names of the calling convention by number; the number of the register of that or the architecture's name, or -1. */
extern const char *const rv_abi_x[32], *const rv_abi_f[32];
int rv_find_x(const char *name);
int rv_find_f(const char *name);

/* registers.c */
void rv_registers_find(struct rv_kind *k); /* fills csr, csrs */
bool rv_register_at(const struct cpu_kind *kind, unsigned i, struct cpu_register *r);
int rv_register_named(const struct cpu_kind *kind, const char *name);
bool rv_get_register(struct cpu *c, const struct cpu_kind *k, unsigned i, void *p);
bool rv_set_register(struct cpu *c, const struct cpu_kind *k, unsigned i, const void *p);

/* inject.c */
bool hart_inject(struct cpu *cpu, const struct injection *i, struct err *e);

/* describe.c */
bool rv_describe(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx);
#endif
