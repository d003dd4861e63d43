/* A child process that is measured: its processor time, wall time, resident memory, and what it says. */
#ifndef TL_CLI_CHILD_H
#define TL_CLI_CHILD_H
#include "base/buf.h"
#include "base/err.h"

struct child {
    double user, system; /* seconds of processor time, of all its threads */
    double wall;         /* seconds from its start to its end, or to the text that was waited for */
    double resident_kib; /* the most host memory it held */
    struct buf message;  /* what it wrote to stderr, NUL-terminated behind len; free with child_free */
};

/* Runs the program argv[0] with nothing on stdin until it ends. until (may be NULL): the time is taken when this text is on its
   stdout, and the program is ended by force if it goes on for another `grace` seconds. limit: seconds after which it is given up.
   It does not outlive the caller. False with a sentence if it could not be run, failed, was given up, or never printed the text.
 */
bool child_run(const char *const *argv, const char *until, double grace, double limit, struct child *c, struct err *e);
void child_free(struct child *c);

/* Runs the program and puts what it wrote on stdout into out (NUL-terminated behind len). False as above. */
bool child_output(const char *const *argv, double limit, struct buf *out, struct err *e);
#endif
