/*
 * Checking that a run is the recorded one: executes a binary trace again, feeds what came from outside, and compares traps and
 * state digests with what was recorded.
 */
#ifndef TL_DEBUG_REPLAY_H
#define TL_DEBUG_REPLAY_H
#include "debug/tracefile.h"
#include "debug/tracesetup.h"
#include "debug/trapcode.h"

/* Who is told of the run while it is executed again. Members may be NULL; m may be looked at, not changed. */
struct replay_tap {
    void *ctx;
    machine_watch_fn *change;                                                  /* a trap or return, before it is compared */
    void (*event)(void *ctx, struct machine *m, const struct trace_event *ev); /* it has happened */
    void (*console)(void *ctx, const void *p, size_t n);                       /* the guest printed this */
    void (*stopped)(void *ctx,
                    struct machine *m); /* at the beginning, and whenever the machine stands: sets what stops it next */
};

struct replay {
    struct tracefile file;
    struct trace_setup setup;
    struct trace_event *event; /* their bytes are in `bytes` */
    size_t events;
    struct buf bytes;
    const struct replay_tap *tap; /* the caller's, of replay_run; NULL: nobody */
};

/* Reads a trace and checks all of it. False with a sentence. */
bool replay_open(struct replay *r, const char *path, struct err *e);
bool replay_of(struct replay *r, const char *path, struct buf *bytes, struct err *e);
void replay_close(struct replay *r);
/* The bytes of image number i of the setup, which is inside. */
bool replay_image(const struct replay *r, unsigned i, struct buf *out, struct err *e);
/* How the recorded run ended; NULL: the trace is torn. */
const struct trace_event *replay_end(const struct replay *r);

enum replay_verdict { REPLAY_SAME, REPLAY_DIVERGED };
struct replay_result {
    enum replay_verdict verdict;
    uint64_t instret, traps, digests; /* executed, compared */
    struct buf text;                  /* DIVERGED: what differs, in lines; NUL-terminated behind len */
    bool at_trap;                     /* DIVERGED: trap number `traps`, from 1, is another one, or there should be none */
    struct history_point at, last;    /* DIVERGED: where it was seen; the last point known to be equal */
};
/* Runs m, which is as the setup says, through the trace. same_images: its images are those of the recording, so whole states
   compare; else traps and registers do. The result's text is the caller's to free. False with a sentence: the trace's contents
   make no sense. */
bool replay_run(const struct replay *r, struct machine *m, bool same_images, struct replay_result *out, struct err *e);

/* Two machines that should do the same from their beginning on, with the trace's inputs: finds the first instruction after which
   registers of a hart differ, before `until`, and tells of it in lines. False: none was found. */
bool replay_first_difference(const struct replay *r, struct machine *recorded, struct machine *here, uint64_t until,
                             struct buf *text);
#endif
