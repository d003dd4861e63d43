/* Inside cli/diff*.c: traces of our own as logs. */
#ifndef TL_CLI_DIFF_TRACE_H
#define TL_CLI_DIFF_TRACE_H
#include "base/buf.h"
#include "base/err.h"
#include <sys/types.h>

/* Whether the file is a binary trace, a golden text, or something else. */
enum diff_kind { DIFF_LOG, DIFF_TRACE, DIFF_GOLDEN };
enum diff_kind diff_kind_of(const char *path);

/* A trace that a child process executes again; fd gives its steps (debug/logs/steps.c). */
struct diff_child {
    pid_t pid; /* 0: none */
    int fd;
};
/* Begins anew if it is running. False with a sentence. */
bool diff_child_start(struct diff_child *c, const char *path, struct err *e);
long diff_child_read(struct diff_child *c, void *p, size_t n, struct err *e);
void diff_child_end(struct diff_child *c);

/* Whether every instruction is recorded in the trace, so that it is meant to be compared by them. */
bool diff_has_instructions(const char *path);
/* The lines of a golden text, or those a binary trace would have, NUL-terminated. False with a sentence. */
bool diff_golden_lines(const char *path, struct buf *lines, struct err *e);
/* Of two binary traces that differ: the first instruction after which the harts' registers do, in lines ("recorded" is a, "here"
   is b). Nothing if what came from outside differs, or the machines do. */
void diff_first_instruction(const char *a, const char *b, struct buf *text);
#endif
