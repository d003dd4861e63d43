/*
 * The commands of debuggers: one table for `monitor` of GDB and for the stepper. A command works on a struct debugger
 * (debugger.h) and answers in text.
 */
#ifndef TL_DEBUG_COMMAND_H
#define TL_DEBUG_COMMAND_H
#include "base/buf.h"
#include "debug/debugger.h"

struct command {
    const char *name;
    const char *args; /* as a person writes them: "[NAME...]"; "" if there are none */
    const char *help; /* one sentence, without the full stop */
    /* args: the rest of the line, without blanks around it. False: *out says what is wrong. */
    bool (*run)(struct debugger *d, const char *args, struct buf *out);
    bool moves; /* the machine may be somewhere else afterwards, or may have been changed */
};

/* Command number i (0, 1, …), or NULL past the last. */
const struct command *command_at(unsigned i);
/* The command whose name is the line's first word, or the only one that begins with it; NULL. */
const struct command *command_find(const char *line);
/* Runs a line. Answers end with a line end. False: there is no such command, or it could not do it; *out says why. */
bool command_run(struct debugger *d, const char *line, struct buf *out);
#endif
