/* A run with the options of `trapline run`, for the verbs that run something and do more with it. */
#ifndef TL_CLI_RUN_H
#define TL_CLI_RUN_H
#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"

struct run {
    struct machine_options machine;
    struct session session;
    struct report report;
    const char *save, *load;
    const char *exit_on; /* text (exit_on_len bytes); NULL: none */
    size_t exit_on_len;
    /* Called when the machine is there and nothing has run; and when the run is over, with the exit status it will have. May be
       NULL. False with a sentence. */
    bool (*prepare)(struct run *r, struct err *e);
    bool (*finish)(struct run *r, enum session_end end, int status, struct err *e);
    void *ctx;  /* theirs */
    bool quiet; /* standard input is not read, the guest's console is not printed, nothing is reported */
};

/* The options; its input is the struct run, which begins with .session.max_cycles = UINT64_MAX. */
extern const struct argp run_argp;
/* Makes the machine and everything around it. False with a sentence. */
bool run_start(struct run *r, struct err *e);
/* Runs to the end and reports. Returns the exit status. */
int run_go(struct run *r);
void run_free(struct run *r);
/* "guest", "max-cycles", ... */
const char *run_end_name(enum session_end end);
#endif
