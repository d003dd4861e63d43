/*
 * A scripted console: what to wait for and what to type then. A script looks at the guest's output between slices of the run
 * only, so equal runs give equal input at equal cycles.
 *
 * A script file has one step a line, and # comments:
 *     expect "login: "     until the guest has printed this (after the step before)
 *     send "root\n"        type this; \n \r \t \e \\ \" \xHH
 *     end                  end the run with status 0
 */
#ifndef TL_CLI_SCRIPT_H
#define TL_CLI_SCRIPT_H
#include "base/buf.h"
#include "base/err.h"

enum script_kind { SCRIPT_EXPECT, SCRIPT_SEND, SCRIPT_END, SCRIPT_EXIT_ON /* as expect, then end */ };

struct script_step {
    enum script_kind kind;
    char *text;
    size_t len;
    unsigned line;
};

struct script {
    const char *name; /* the file's, for sentences */
    struct script_step *step;
    size_t count, pos;
    struct buf seen; /* output no step has used yet */
};

/* Adds the steps of a file. False with a sentence that names file and line. */
bool script_load(struct script *s, const char *path, struct err *e);
/* Adds the steps of "TEXT=>SEND" (split at the last "=>"). */
bool script_add_expect(struct script *s, const char *text, struct err *e);
/* Adds one step; text is copied as it is. */
void script_add(struct script *s, enum script_kind kind, const char *text, size_t len, unsigned line);
/* The guest printed this. */
void script_output(struct script *s, const void *p, size_t n);
/* Goes on as far as the output allows; what is to be typed is appended to input. True: the step that waits (end, exit-on) ends
 * the run. */
bool script_advance(struct script *s, struct buf *input);
/* The step that waits, or NULL when all are done. */
const struct script_step *script_waiting(const struct script *s);
void script_free(struct script *s);
#endif
