#ifndef TL_DEBUG_RISCV_TARGET_H
#define TL_DEBUG_RISCV_TARGET_H
#include "debug/target.h"
extern const struct target_ops riscv_target;
#endif
