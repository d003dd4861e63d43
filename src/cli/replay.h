/* Inside cli/replay*.c: one trace to be replayed. */
#ifndef TL_CLI_REPLAY_H
#define TL_CLI_REPLAY_H
#include "cli/why.h"
#include "debug/replay.h"

#define REPLAY_IMAGES 32

struct replay_job {
    const char *path;
    bool recorded_images;             /* run what is in the trace, whatever the files hold now */
    const char *image[REPLAY_IMAGES]; /* "kernel=FILE", ... */
    unsigned images;
    const struct why *why; /* which traps to explain */
    bool json;             /* explanations as JSON, an object a line */
    struct replay replay;
    bool changed; /* an image is another one now */

    bool same; /* the verdict */
    uint64_t instret;
    struct buf notes, summary, text; /* lines; what was compared, in words; what differs, in lines */
    struct buf explained;            /* the explanations that were asked for */
};

/* Reads the binary trace of j->path, finds its images and makes the machine. False with a sentence. Close j->replay either way.
 */
bool replay_prepare(struct replay_job *j, struct machine **m, struct err *e);
/* Replays the trace, of either kind. False with a sentence: it cannot be. */
bool replay_job(struct replay_job *j, struct err *e);
#endif
