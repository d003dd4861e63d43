/* The A64 monitors `calls` and `interrupts`: rules in monitor.def. */
#ifndef TL_DEBUG_ARM_MONITOR_H
#define TL_DEBUG_ARM_MONITOR_H
#include "debug/monitor.h"

extern const struct monitor_ops arm_monitor;
#endif
