/* Golden traces as files: the command that is run, and what it did (debug/golden.h). */
#ifndef TL_CLI_GOLDEN_H
#define TL_CLI_GOLDEN_H
#include "cli/run.h"
#include "debug/golden.h"
#include "debug/tracesetup.h"

/* A run of which a golden trace is made. Give it to run_start: golden_prepare is the run's prepare, golden_finish its finish, ctx
   is this. */
struct golden_run {
    struct run run;
    struct golden *golden;
    struct trace_setup setup;
    struct buf body;  /* the lines, when the run is over */
    bool unexplained; /* what --explain tells is no part of it */
};
void golden_run_init(struct golden_run *g);
void golden_run_free(struct golden_run *g);

/* The words of `trapline record` but those that only say where the trace goes, for a shell. False: a word holds a new line. */
bool golden_command(int argc, char *const *argv, struct buf *out, struct err *e);
/* The whole file. */
void golden_file(const struct golden_run *g, const char *command, struct buf *out);

/* A file that was read. */
struct golden_text {
    struct buf bytes;
    char **argv; /* of the command; argv[0] is "trapline record"; NULL: it has none */
    int argc;
    const char *body;         /* in bytes */
    struct trace_setup setup; /* only its images */
};
/* Whether the file is a golden trace: by its first bytes. */
bool golden_is(const char *path);
bool golden_open(struct golden_text *t, const char *path, struct err *e);
void golden_close(struct golden_text *t);
#endif
