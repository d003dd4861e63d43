/* The RISC-V monitor `sse`: what comes and goes with supervisor software events (monitor.def), with the oracle (sse.h) beside it.
 */
#ifndef TL_DEBUG_RISCV_MONITOR_H
#define TL_DEBUG_RISCV_MONITOR_H
#include "debug/monitor.h"
#include "debug/riscv/sse.h"

/* Rules of the monitor alone; those of the oracle have their own numbers. */
enum riscv_monitor_rule {
#define MONITOR_RULE(id, needs, what) MONITOR_##id,
#include "debug/riscv/monitor.def"
    MONITOR_RULES
};
/* Their numbers in struct monitor_config: first the oracle's. */
#define MONITOR_NUMBER(r) (SSE_RULES + (r))

/* Kinds of ranges. */
enum riscv_monitor_text { MONITOR_HOST, MONITOR_GUEST, MONITOR_USER, MONITOR_IRQ_OFF };

extern const struct monitor_ops riscv_monitor;

/* What the monitor knows of events. */
static inline struct sse_oracle *monitor_oracle(const struct monitor *o) { return (struct sse_oracle *)o->state; }
#endif
