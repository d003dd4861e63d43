/* Explanations of a RISC-V hart: see debug/explain.h. */
#ifndef TL_DEBUG_RISCV_EXPLAIN_H
#define TL_DEBUG_RISCV_EXPLAIN_H
#include "debug/explain_build.h"

extern const struct explain_ops riscv_explain;
#endif
