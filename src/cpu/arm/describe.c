/* What the device tree says of a PE (bindings arm/cpus, arm/pmu). */
#include "cpu/arm/arch.h"

#include <string.h>

static void str(cpu_property_fn *fn, void *ctx, const char *name, const char *v) { fn(ctx, name, v, strlen(v) + 1); }

bool arm_describe(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx)
{
    const struct arm_config *c = &((const struct arm_kind *)k)->cfg;
    /* PMU: a level-triggered PPI, number 7 (INTID 23). */
    const uint32_t irq[3] = {__builtin_bswap32(1), __builtin_bswap32(7), __builtin_bswap32(4)};
    char compatible[48] = "arm,armv8";
    const char *core = arm_core_name(c->core);
    if (node == CPU_NODE_CPU) {
        if (strcmp(core, "max")) {
            memcpy(compatible, "arm,", 5);
            strncat(compatible, core, sizeof compatible - 5);
        }
        str(fn, ctx, "compatible", compatible);
        return true;
    }
    if (!arm_has(c, FEAT_PMUv3))
        return false;
    str(fn, ctx, "compatible", "arm,armv8-pmuv3");
    fn(ctx, "interrupts", irq, sizeof irq);
    return true;
}
