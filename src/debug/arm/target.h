#ifndef TL_DEBUG_ARM_TARGET_H
#define TL_DEBUG_ARM_TARGET_H
#include "debug/target.h"
extern const struct target_ops arm_target;
#endif
