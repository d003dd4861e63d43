/* One run of a machine against the outside: console, script, network, the host's clock. */
#ifndef TL_CLI_SESSION_H
#define TL_CLI_SESSION_H
#include "cli/net.h"
#include "cli/script.h"
#include "cli/watch.h"
#include "debug/inject.h"
#include "machine/trapline.h"

enum session_end {
    SESSION_RUNNING,
    SESSION_GUEST,   /* the guest ended it: exit_code */
    SESSION_CYCLES,  /* --max-cycles */
    SESSION_TEXT,    /* --exit-on */
    SESSION_SCRIPT,  /* the script's end */
    SESSION_LEAVE,   /* Ctrl-a x */
    SESSION_SIGNAL,  /* a signal: its number is exit_code */
    SESSION_TIMEOUT, /* --timeout */
    SESSION_STUCK,   /* every hart waits and nothing can wake one */
    SESSION_HALT,    /* every hart is in the critical error state */
    SESSION_MONITOR, /* --monitor has seen enough */
    SESSION_OUTPUT,  /* standard output cannot be written: exit_code is errno */
    SESSION_INJECT   /* an injected event was refused: inject.why */
};

/* Who is told of all that comes from outside and goes there, after it has happened: recorders. Members may be NULL. */
struct session_tap {
    void *ctx;
    void (*input)(void *ctx, const char *device, const void *p, size_t n);
    void (*inject)(void *ctx, const char *words);
    void (*console)(void *ctx, const void *p, size_t n);
    void (*tick)(void *ctx); /* between two runs of the machine */
};

struct session {
    struct machine *m;
    struct session_tap tap;
    uint64_t clock_hz;   /* machine cycles a second of guest time */
    uint64_t max_cycles; /* machine cycle to stop at; UINT64_MAX: none */
    double timeout;      /* host seconds; 0: none */
    struct script script;
    struct net *net; /* NULL: none */
    struct watch watch;
    struct inject_list inject;

    struct buf input;  /* typed, not yet taken by the guest */
    struct buf output; /* printed in this slice */
    bool input_eof;
    bool quiet; /* what the guest prints is not written to standard output */
    bool told_stuck; /* that a hart takes exceptions for ever */
    bool fed;   /* something from outside entered the machine since it ran */
    int exit_code;
    double started, idle_since; /* host seconds; idle_since < 0: the guest is busy */
    uint64_t idle_cycle;
};

/* Host seconds from an arbitrary start. */
double session_clock(void);
/* Seconds of processor time that this process and its ended children have taken: of work that others do not slow down. */
double session_processor(void);
/* The callbacks to give to machine_config; their ctx is the session. */
struct machine_host session_host(struct session *s);
/* Runs until something ends it. */
enum session_end session_run(struct session *s);
/* Offers a frame from the network to the guest; ctx is the session. */
bool session_frame_in(void *ctx, const void *p, size_t n);
void session_free(struct session *s);
#endif
