/* The A64 side of debug/context.h. */
#ifndef TL_DEBUG_ARM_CONTEXT_H
#define TL_DEBUG_ARM_CONTEXT_H
#include "debug/context.h"

extern const struct context_ops arm_context;
#endif
