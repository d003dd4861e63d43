/* Lines for people: SBI calls with their results, traps and returns. */
#ifndef TL_DEBUG_RISCV_TRACE_H
#define TL_DEBUG_RISCV_TRACE_H
#include "debug/riscv/sbi.h"
#include "debug/trace.h"

#define TRACE_HARTS 8

extern const struct trace_ops riscv_trace;

/* Calls that are on their way. Begins zeroed. Plain data. */
struct trace_sbi {
    struct {
        bool open;
        struct sbi_call call;
        uint64_t cycle, pc;
    } hart[TRACE_HARTS];
};

/* "load guest-page fault", "machine timer interrupt"; "exception 24", "interrupt 16" without a name. */
const char *trace_cause(bool interrupt, uint64_t cause, char scratch[32]);
/* "M", "HS" (S without the hypervisor extension), "U", "VS", "VU". */
const char *trace_mode(uint8_t priv, uint8_t v, bool h);

/* Told of every change. True: a call is over (or its hart goes on elsewhere), and line says which: cycle, hart, where, call,
   result. The call and its result (returned false: none) are in *call, *result. */
bool trace_sbi_feed(struct trace_sbi *t, struct machine *m, const struct machine_change *c, char line[TRACE_LINE],
                    struct sbi_call *call, struct sbi_result *result, bool *returned);
/* The change in a line: cycle, hart, from where to where, the cause and what the handler's registers get. */
void trace_trap(struct machine *m, const struct machine_change *c, char line[TRACE_LINE]);
#endif
