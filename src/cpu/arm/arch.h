/* The parts of the A64 side of cpu/arch.h: struct cpu_arch's functions that have a file of their own. */
#ifndef TL_CPU_ARM_ARCH_H
#define TL_CPU_ARM_ARCH_H
#include "cpu/arch.h"
#include "cpu/arm/pe.h"

struct arm_kind {
    struct cpu_kind kind; /* must be first */
    struct arm_config cfg;
    struct sysreg_map *map;
    struct a64_decoder *decoder;
};

/* regs.c */
bool arm_get_reg(struct cpu *cpu, const char *name, uint64_t *value);
bool arm_set_reg(struct cpu *cpu, const char *name, uint64_t value);

/* describe.c */
bool arm_describe(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx);
#endif
