#include "debug/target.h"
#include "debug/arm/target.h"
#include "debug/riscv/target.h"
#include "machine/machine.h"

const struct target_ops *target_ops(struct machine *m) { return m->arch == &riscv_arch ? &riscv_target : &arm_target; }
