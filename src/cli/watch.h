/* `trapline run --monitor`, `--trace` and `--explain`: what is told of the traps and returns of a run while it runs. */
#ifndef TL_CLI_WATCH_H
#define TL_CLI_WATCH_H
#include "cli/why.h"
#include "debug/arm/trace.h"
#include "debug/monitor.h"
#include "debug/riscv/trace.h"
#include <stdio.h>

enum watch_trace { WATCH_SBI, WATCH_CALLS, WATCH_TRAPS, WATCH_TRACES };

struct watch {
    struct monitor_config config;
    struct monitor *monitor; /* NULL: none */
    bool traced[WATCH_TRACES];
    const char *file[WATCH_TRACES]; /* NULL: standard error */
    FILE *out[WATCH_TRACES];
    struct trace_sbi sbi;
    struct trace_calls calls;
    struct why why;
    bool json;              /* violations go into the report, trace lines are objects */
    bool stop;              /* enough violations */
    bool failed;            /* a trace file could not be written */
    struct json_t *list;    /* json: of violations */
    machine_watch_fn *also; /* is told of everything, too; may be NULL */
    void *also_ctx;
};

/* Adds "sbi", "calls", "traps", "sbi=FILE", …. */
bool watch_add_trace(struct watch *w, char *text, struct err *e);
/* Before the run, when the machine is there. */
bool watch_start(struct watch *w, struct machine *m, struct err *e);
/* After the run: closes the files. False: one could not be written. */
bool watch_end(struct watch *w, struct err *e);
uint64_t watch_violations(const struct watch *w);
void watch_free(struct watch *w);
#endif
