/* What builds an explanation: shared by explain.c and the architectures' files. */
#ifndef TL_DEBUG_EXPLAIN_BUILD_H
#define TL_DEBUG_EXPLAIN_BUILD_H
#include "debug/explain.h"

/* A text that lives as long as the explanation. */
const char *explain_say(struct explanation *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A new last child of `to`. Label and clause must live as long: constants or explain_say. */
struct fact *fact_add(struct explanation *e, struct fact *to, const char *label, const char *clause, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The same with a value of so many hexadecimal digits (0: decimal). */
struct fact *fact_value(struct explanation *e, struct fact *to, const char *label, const char *clause, uint64_t value,
                        unsigned digits, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* A register or field that went from old to value. */
struct fact *fact_change(struct explanation *e, struct fact *to, const char *label, const char *clause, uint64_t old,
                         uint64_t value, unsigned digits);
/* What the cpu did differs: adds a fact to the section for that and makes e->agrees false. */
void explain_disagree(struct explanation *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A machine's architecture. `before` is a fork at the boundary, `after` one behind it; c: what happened, NULL: nothing. Sets
   title and kind, and adds the sections. */
struct explain_ops {
    unsigned exception_cycles; /* how many of the exception's own cycles have passed when machine_watch tells of it */
    bool outside;              /* exceptions may come from outside, at a boundary (MACHINE_BUS_ERROR) */
    void (*explain)(struct explanation *e, struct machine *before, struct machine *after, const struct machine_change *c);
    /* Adds how a load of the byte at va is translated, and sets title. before: a fork at the boundary. */
    void (*walk)(struct explanation *e, struct machine *before, uint64_t va);
    /* The name of a trap's cause, and its number as people know it: xcause's code, the exception class. interrupt: which list. */
    const char *(*cause)(bool interrupt, uint64_t cause, uint64_t *number, char scratch[32]);
};
const struct explain_ops *explain_ops(struct machine *m);
#endif
