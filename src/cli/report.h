/* What a run says about itself: digest, statistics, the reproduction line. On stderr, because stdout is the guest's. */
#ifndef TL_CLI_REPORT_H
#define TL_CLI_REPORT_H
#include "cli/options.h"
#include "cli/watch.h"
#include "debug/inject.h"

struct report {
    bool digest, stats, repro, json;
    const char *end;     /* why the run ended */
    int status;          /* exit status */
    double seconds;      /* host time the run took */
    double user_seconds; /* host cpu time of the process */
    uint64_t max_cycles; /* as given; UINT64_MAX: not */
    const struct inject_list *inject;
    const struct watch *watch;
};

/* Prints what was asked for. */
void report_print(const struct report *r, struct machine *m, const struct machine_options *o);
#endif
