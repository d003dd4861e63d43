/*
 * The golden form of a run: text, trap by trap, for people to review and for tests to compare. docs/golden-format.md is its
 * grammar. It holds nothing that a change without meaning would change: no cycles, no offsets into functions.
 */
#ifndef TL_DEBUG_GOLDEN_H
#define TL_DEBUG_GOLDEN_H
#include "base/buf.h"
#include "debug/explain.h"
#include "machine/trapline.h"

#define GOLDEN_MAGIC "trapline golden 1"

struct golden;

/* The machine is at its beginning. */
struct golden *golden_new(struct machine *m);
/* A machine_watch_fn. */
void golden_trap(void *ctx, struct machine *m, const struct machine_change *c);
/* Why the trap told of last happened and went where it did, in one line: what decided. ctx: the golden. */
void golden_why(void *ctx, const struct explanation *e);
/* The guest printed this; something was typed or injected. */
void golden_console(struct golden *g, const void *p, size_t n);
void golden_input(struct golden *g, const char *device, const void *p, size_t n);
void golden_inject(struct golden *g, const char *words);
/* Ends it: the lines are appended to out. Frees g. */
void golden_end(struct golden *g, const char *why, int status, struct buf *out);

/* What two texts may differ in. */
struct golden_tolerance {
    uint64_t
        interrupt; /* an interrupt that one of them has elsewhere: so many lines at most, it and what its handler does; 0: none */
    const char *mask;            /* names whose values are not compared: "tval,stime_value"; NULL: none */
    uint64_t stepped[2], masked; /* how often that was needed, of each text */
};
/* Compares two bodies line by line. t: NULL: nothing may differ. False: they do, and text tells of the first difference with the
   lines before it. */
bool golden_compare(const char *recorded, const char *here, struct golden_tolerance *t, struct buf *text);
#endif
