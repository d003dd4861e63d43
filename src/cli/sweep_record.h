/* `trapline sweep --record`: one case as a trace that `trapline replay` runs again, anywhere. */
#ifndef TL_CLI_SWEEP_RECORD_H
#define TL_CLI_SWEEP_RECORD_H
#include "debug/inject.h"

struct sweep_recording {
    const char *file;                    /* the trace */
    const struct machine_config *config; /* of the machine */
    struct machine *m;                   /* at the window's beginning; it is run */
    const struct inject_event *event[2]; /* what is injected, */
    uint64_t at[2];                      /* at which cycle of the event's hart, */
    unsigned events;                     /* one after the other */
    uint64_t until;                      /* the cycle at which the case is over */
    const char *why;                     /* how it ended: a verdict's name */
    int status;                          /* exit status of the case */
};
/* The machine's state at the window's beginning is in the trace, whatever it was booted and set up from. False with a sentence, and
   no file. */
bool sweep_record(const struct sweep_recording *r, struct err *e);
#endif
