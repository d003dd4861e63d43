/* Exceptions and returns of A64 in words. */
#ifndef TL_DEBUG_ARM_TRACE_H
#define TL_DEBUG_ARM_TRACE_H
#include "debug/trace.h"

extern const struct trace_ops arm_trace;

/* Calls by HVC and SMC that are on their way, by hart, security state and the level that answers. Begins zeroed. Plain data. */
#define TRACE_CALL_HARTS 8
struct trace_call {
    bool open, by_smc, secure;
    uint8_t from;
    uint64_t cycle, pc, x[8];
};
struct trace_calls {
    struct trace_call call[TRACE_CALL_HARTS][2][4];
};
/* Told of every change, and of every call that the machine answers. True: a call is over (or its caller goes on elsewhere), and
   line says which: cycle, hart, where, call, result. It is in *call, and its result in *result (returned false: none; for an
   answer, a->returns). */
bool trace_calls_feed(struct trace_calls *t, struct machine *m, const struct machine_change *c, char line[TRACE_LINE],
                      struct trace_call *call, uint64_t *result, bool *returned);
void trace_calls_answered(struct machine *m, const struct machine_answer *a, char line[TRACE_LINE], struct trace_call *call,
                          uint64_t *result);

/* The name of an exception class, or NULL. */
const char *arm_exception_class(unsigned ec);
/* "EL0" … "EL3"; in the Secure state "S-EL0", "S-EL1". */
const char *arm_mode_name(uint8_t el, bool secure);
#endif
