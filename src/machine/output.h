/*
 * A file that appears complete or not at all: it is written beside its place and renamed at the end. What is no regular file (a
 * pipe, a terminal) is written directly.
 */
#ifndef TL_MACHINE_OUTPUT_H
#define TL_MACHINE_OUTPUT_H
#include "base/err.h"
#include <stddef.h>

struct output; /* being written */

/* Whether a file could be written there, before the work whose result it is. Nothing is left there either way. False with a
   sentence. */
bool output_possible(const char *path, struct err *e);

/* NULL with a sentence if nothing can be written there. */
struct output *output_open(const char *path, struct err *e);
/* Errors are kept until output_close. */
void output_put(struct output *o, const void *p, size_t n);
/* Puts the file in its place. False with a sentence, and nothing left behind, if any byte could not be written. Frees o either
 * way. */
bool output_close(struct output *o, struct err *e);
/* Gives up: nothing is left behind. */
void output_drop(struct output *o);
#endif
