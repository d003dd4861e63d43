/*
 * Recording a run into a binary trace (docs/trace-format.md): its configuration, everything that came from outside with the point
 * at which it did, traps, digests of the state now and then, and how it ended. What is told here changes nothing in the run.
 *
 *   r = record_new(path, m, &setup, 0, e)     the machine is at its beginning, and not yet watched
 *   machine_watch(m, record_trap, r)          if setup.traps
 *   record_input(r, ...) and the like         after they have happened; record_tick(r) between runs
 *   record_end(r, ...)
 */
#ifndef TL_DEBUG_RECORD_H
#define TL_DEBUG_RECORD_H
#include "debug/tracesetup.h"

struct recorder;

/* every: instructions between two digests; 0: 500 million. Creates the file and puts the images into it. NULL with a sentence. */
struct recorder *record_new(const char *path, struct machine *m, struct trace_setup *setup, uint64_t every, struct err *e);
/* These bytes were taken by the device. */
void record_input(struct recorder *r, const char *device, const void *p, size_t n);
/* This event (in the words of debug/inject.h) was injected. */
void record_inject(struct recorder *r, const char *words);
/* A machine_watch_fn. */
void record_trap(void *ctx, struct machine *m, const struct machine_change *c);
/* The guest printed this. */
void record_console(struct recorder *r, const void *p, size_t n);
/* Between two runs: takes a digest if one is due. */
void record_tick(struct recorder *r);
/* Why the run ended, and with what exit status. Frees r. False with a sentence if the file could not be written. */
bool record_end(struct recorder *r, const char *why, int status, struct err *e);
#endif
