/* The line that reproduces a run: words for a POSIX shell. */
#ifndef TL_CLI_REPRO_H
#define TL_CLI_REPRO_H
#include "base/buf.h"
#include "cli/options.h"

/* A word, quoted when it must be, with a space before it. */
void repro_word(struct buf *b, const char *w);
/* An option and its value; nothing if the value is NULL, or 0. */
void repro_option(struct buf *b, const char *name, const char *value);
void repro_number(struct buf *b, const char *name, uint64_t v);
/* The options that make the same machine. */
void repro_machine(struct buf *b, const struct machine_options *o);
/* A comment: the program's version and the digests of the images. */
void repro_digests(struct buf *b, const struct machine_options *o);
#endif
