/* The RISC-V side of debug/context.h: struct rv_view. */
#ifndef TL_DEBUG_RISCV_CONTEXT_H
#define TL_DEBUG_RISCV_CONTEXT_H
#include "debug/context.h"

extern const struct context_ops riscv_context;
#endif
