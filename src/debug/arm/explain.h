/* Explanations of a PE: see debug/explain.h. */
#ifndef TL_DEBUG_ARM_EXPLAIN_H
#define TL_DEBUG_ARM_EXPLAIN_H
#include "debug/explain_build.h"

extern const struct explain_ops arm_explain;
#endif
