/*
 * A server of the GDB remote serial protocol (GDB manual, appendix E), on an abstract stream of bytes: no sockets, no clock.
 *
 *   struct gdb *g = gdb_new(m, &host);
 *   for (;;) {
 *       gdb_receive(g, bytes that came, how many);
 *       if (gdb_state(g) == GDB_RUNNING)
 *           gdb_go(g, 1000000);
 *   }
 *
 * Every hart is a thread (hart n is thread n + 1), all of them stop and go together. Registers, with their fields, are those of
 * machine_register. Breakpoints and watchpoints are the machine's, in virtual addresses; guest memory is never changed for them.
 * Reverse execution is that of history.h. docs/gdb.md.
 */
#ifndef TL_DEBUG_GDB_H
#define TL_DEBUG_GDB_H
#include "machine/trapline.h"

struct gdb;
enum gdb_heard {
    GDB_HEARD_NOTHING,
    GDB_HEARD_INTERRUPT, /* Ctrl-C: byte 3 */
    GDB_HEARD_PACKET     /* it does not wait any more */
};
struct gdb_host {
    void *ctx;
    void (*send)(void *ctx, const void *p, size_t n); /* bytes for GDB, in order */
    /* What GDB has sent while it waits for an answer: asked now and then while the machine goes back, or a monitor command moves
       it. What was heard is kept for gdb_receive, but Ctrl-C. NULL: that cannot be told. */
    enum gdb_heard (*heard)(void *ctx);
};

enum gdb_state {
    GDB_STOPPED,  /* GDB has the word */
    GDB_RUNNING,  /* call gdb_go */
    GDB_IDLE,     /* the same, but every hart waits: first wait for input to the guest or bytes of GDB */
    GDB_DETACHED, /* GDB let go: the machine is to run on by itself */
    GDB_KILLED    /* GDB ended the session */
};

/* m is where it is to be debugged from, and stays the caller's. */
struct gdb *gdb_new(struct machine *m, const struct gdb_host *host);
void gdb_free(struct gdb *g);
/* A connection begins: what the last one negotiated and set is forgotten, and the machine stops. */
void gdb_connect(struct gdb *g);
/* Bytes that came from GDB; answers them. Anything is allowed: what is no packet is dropped or refused. */
void gdb_receive(struct gdb *g, const void *p, size_t n);
enum gdb_state gdb_state(const struct gdb *g);
/* Runs for at most so many cycles (or a few more), and tells GDB of a stop. */
void gdb_go(struct gdb *g, uint64_t cycles);
/* Bytes typed for the guest: machine_input, in a way that going back and forth repeats. */
size_t gdb_input(struct gdb *g, const char *device, const void *p, size_t n);
/* From inside `heard`: console text for GDB, of no bytes, without which it takes a silence of some seconds for an error. */
void gdb_keep_alive(struct gdb *g);
/* What the guest has printed: for `monitor run text`. */
void gdb_console(struct gdb *g, const void *p, size_t n);
/* After the guest ended the run: its exit code. False: it has not. */
bool gdb_exited(const struct gdb *g, int *code);
#endif
