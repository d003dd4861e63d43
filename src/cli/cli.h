/*
 * The program `trapline`: argv, files, the terminal and the host's clock. Nothing below this folder touches them.
 *
 * Exit status: the guest's own, or one of enum cli_exit.
 */
#ifndef TL_CLI_CLI_H
#define TL_CLI_CLI_H
#include "base/err.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,    /* the run ended without what was asked for (--exit-on, a script) */
    CLI_USER = 2,      /* a user's mistake: bad option, bad file */
    CLI_TIMEOUT = 124, /* --timeout passed, as timeout(1) */
    CLI_STUCK = 125    /* the guest can never go on: all harts wait for nothing, or are in the critical error state */
};

/* One row a verb. */
struct verb {
    const char *name;
    const char *title;                 /* one line of `trapline --help` */
    int (*run)(int argc, char **argv); /* argv[0] is "trapline <name>"; returns the exit status */
};

/* Runs the program: finds the verb and calls it. Returns the exit status; output errors are a user's mistake (a full disk). */
int cli_main(int argc, char **argv);

/* Prints "trapline: <sentence>" on stderr and returns CLI_USER. */
int cli_error(const struct err *e);
int cli_errorf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* True if colour belongs on this file descriptor: a terminal, TERM is not dumb, NO_COLOR is not set. */
bool cli_colour(int fd);

int verb_run(int argc, char **argv);
int verb_record(int argc, char **argv);
int verb_replay(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_doc(int argc, char **argv);
int verb_sweep(int argc, char **argv);
int verb_bench(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_export(int argc, char **argv);
int verb_gdb(int argc, char **argv);
int verb_step(int argc, char **argv);
#endif
