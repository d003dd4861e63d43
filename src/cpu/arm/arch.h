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
    uint16_t *sysreg; /* ids of the system registers a debugger can read, ascending */
    unsigned sysregs;
};

/* regs.c */
bool arm_get_reg(struct cpu *cpu, const char *name, uint64_t *value);
bool arm_set_reg(struct cpu *cpu, const char *name, uint64_t value);
/* The bits that PSTATE may have, as SPSR_ELx has it: the lower half, and above it those of features. */
uint64_t arm_pstate_mask(const struct arm_config *c);
/* A debugger's view: the highest level's, whatever the PE is doing. */
struct sysreg_ctx arm_top_view(struct pe *p);

/* registers.c */
void arm_registers_find(struct arm_kind *k); /* fills sysreg, sysregs */
bool arm_register_at(const struct cpu_kind *kind, unsigned i, struct cpu_register *r);
int arm_register_named(const struct cpu_kind *kind, const char *name);
bool arm_get_register(struct cpu *c, const struct cpu_kind *k, unsigned i, void *p);
bool arm_set_register(struct cpu *c, const struct cpu_kind *k, unsigned i, const void *p);

/* describe.c */
bool arm_describe(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx);
#endif
