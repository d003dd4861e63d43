/* Explanations that were read against the specification and are kept as text:
   tests/rom/explain_golden/<architecture>/<group>.txt. TRAPLINE_WRITE=1 writes them anew; read what changed before you commit it.
 */
#ifndef TL_TESTS_ROM_EXPLAIN_GOLDEN_H
#define TL_TESTS_ROM_EXPLAIN_GOLDEN_H
#include "base/buf.h"
#include "debug/explain.h"

/* The explanations of one file so far. */
struct golden {
    struct buf text;
    unsigned count;
};
/* Adds one and frees it. It must agree with the cpu. */
void golden_add(struct golden *g, const char *name, struct explanation *e);
/* Compares with the file, or writes it; empties g. False with the first line that differs on standard error. */
bool golden_check(struct golden *g, const char *arch, const char *group);
#endif
