#include "debug/context.h"
#include "debug/arm/context.h"
#include "debug/riscv/context.h"
#include "machine/machine.h"

const struct context_ops *context_ops(struct machine *m) { return m->arch == &riscv_arch ? &riscv_context : &arm_context; }
