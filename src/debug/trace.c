#include "debug/trace.h"
#include "debug/arm/trace.h"
#include "debug/riscv/trace.h"
#include "machine/machine.h"

const struct trace_ops *trace_ops(const struct machine *m) { return m->arch == &riscv_arch ? &riscv_trace : &arm_trace; }
