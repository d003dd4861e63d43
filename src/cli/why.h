/* `--explain` of run, record and replay: which traps of a run are explained, and where that is told. */
#ifndef TL_CLI_WHY_H
#define TL_CLI_WHY_H
#include "debug/explain.h"
#include <stdio.h>

struct why {
    bool on, json, returns;
    bool irq, exception;                                  /* only these; neither: both */
    uint64_t nth;                                         /* this one of those that match; 0: all of them */
    uint64_t max;                                         /* so many at most */
    char cause[48];                                       /* number or part of the name; "": any */
    const char *path;                                     /* NULL: standard error */
    FILE *to;                                             /* instead of standard error; the caller's */
    void (*told)(void *ctx, const struct explanation *e); /* instead of writing; NULL: nobody */
    void *told_ctx;

    FILE *out;
    struct explain_follower *follower; /* NULL: not yet, or no more */
    uint64_t matched, count, wrong;
};

/* Reads "3", "all" or "cause=load page,max=5,returns,file=F". False with a sentence. */
bool why_parse(struct why *w, char *text, struct err *e);
/* Before the run. */
bool why_start(struct why *w, struct machine *m, struct err *e);
/* The machine was changed from outside, or will be. */
void why_sync(struct why *w, struct machine *m);
/* A trap or return was told of: its explanation, if it is to be explained; else NULL. The caller frees it. */
struct explanation *why_take(struct why *w, struct machine *m, const struct machine_change *c);
/* Writes an explanation, or hands it to `told`. */
void why_tell(struct why *w, const struct explanation *e);
/* Both. */
void why_feed(struct why *w, struct machine *m, const struct machine_change *c);
/* After the run. False: the file could not be written. */
bool why_end(struct why *w, struct err *e);
#endif
