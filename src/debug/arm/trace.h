/* Exceptions and returns of A64 in words. */
#ifndef TL_DEBUG_ARM_TRACE_H
#define TL_DEBUG_ARM_TRACE_H
#include "debug/trace.h"

extern const struct trace_ops arm_trace;

/* The name of an exception class, or NULL. */
const char *arm_exception_class(unsigned ec);
/* "EL0" … "EL3"; in the Secure state "S-EL0", "S-EL1". */
const char *arm_mode_name(uint8_t el, bool secure);
#endif
