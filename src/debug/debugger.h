/*
 * A machine under a person's control: runs, steps and goes back, catches traps, and says why it stopped. What the GDB server and
 * the stepper have in common; the commands that both offer are in command.h.
 *
 * Nothing here changes the run: with any breakpoints, watchpoints, catches and steps the machine comes through the same states.
 */
#ifndef TL_DEBUG_DEBUGGER_H
#define TL_DEBUG_DEBUGGER_H
#include "base/buf.h"
#include "debug/aim.h"
#include "debug/history.h"
#include "machine/trapline.h"

enum debugger_why {
    DEBUGGER_RUNS,  /* the cycles given have passed, and the machine goes on */
    DEBUGGER_IDLES, /* it goes on, but every hart waits and only the outside can wake one */
    DEBUGGER_STEP,  /* the step, or the range of steps, is done */
    DEBUGGER_BREAK, /* before the instruction at a breakpoint */
    DEBUGGER_WATCH, /* before a watched access: hit */
    DEBUGGER_TRAP,  /* right behind a trap that is caught: change */
    DEBUGGER_BEGIN, /* backwards: at the beginning of what is known */
    DEBUGGER_EXIT,  /* the guest ended the run: code */
    DEBUGGER_HALT,  /* every hart is in the critical error state */
    DEBUGGER_ASKED  /* machine_request_stop */
};
struct debugger_stop {
    enum debugger_why why;
    unsigned hart;
    int code;
    struct machine_access_hit hit;
    struct machine_change change;
};

#define DEBUGGER_CATCHES 16

enum debugger_how { DEBUGGER_CONTINUE, DEBUGGER_ONE, DEBUGGER_RANGE };

struct debugger {
    struct machine *m;
    struct history *history;
    unsigned hart;   /* whose registers and memory commands show */
    bool physical;   /* addresses of memory are physical */
    bool into_irq;   /* a step goes into the handler of an interrupt that is taken at it; else over it */
    bool trace;      /* every trap and return is told in `said` */
    bool catch_exit; /* the end of the run is a stop first */
    bool at_exit;    /* it was told of */
    struct buf said; /* what is to be told while the machine runs; whoever shows it sets len to 0 */
    struct aim caught[DEBUGGER_CATCHES];
    unsigned catches;
    /* Whether to stop behind this trap or return, beside those that are caught; NULL: nobody asks. */
    bool (*until)(void *ctx, struct machine *m, const struct machine_change *c);
    void *until_ctx;
    /* Whether to give up going back, as in struct history_search; NULL: never. */
    bool (*give_up)(void *ctx, unsigned back);
    void *give_up_ctx;
    struct debugger_stop stop; /* why it stopped last */

    /* How it goes on. */
    uint64_t only; /* harts that stop for breakpoints, watchpoints and catches, a bit each; others pass them; 0: all of them do */
    bool passed;   /* one did, since the step began */
    enum debugger_how how;
    uint64_t first, end; /* RANGE: goes on while pc is in [first, end) */
    struct {
        bool on;
        uint64_t pc, sp;
        const char *mode;
        bool ours;            /* the breakpoint there is this step's own */
    } over;                   /* an interrupt was taken at a step: goes on until its return */
    bool seen_trap, seen_irq; /* since the machine was set going: a caught trap; an interrupt of the hart that steps */
    struct machine_change change;
    struct debugger_break {
        uint64_t va;
        unsigned kind;
    } * breaks; /* breakpoints the user has set; kind: the front end's */
    unsigned nbreaks;
};

/* m: at the beginning of what can be gone back to; it stays the caller's. */
void debugger_open(struct debugger *d, struct machine *m);
void debugger_close(struct debugger *d);
/* The machine was replaced by its state after power-on: history begins anew. Breakpoints and watchpoints stay. */
void debugger_reset(struct debugger *d);

/* A breakpoint of all harts. Setting one twice is setting it once. False: there is none to remove. */
bool debugger_break(struct debugger *d, uint64_t va, unsigned kind, bool on);
/* Whether one of that kind is at va. */
bool debugger_has_break(const struct debugger *d, uint64_t va, unsigned kind);

/* Sets the machine going, with all harts in `only`: freely, or hart by one step, or by steps while its pc is in [first, end). */
void debugger_resume(struct debugger *d, enum debugger_how how, unsigned hart, uint64_t first, uint64_t end);
/* Runs for at most so many cycles (or a few more). Anything but RUNS and IDLES is a stop, also in d->stop. */
enum debugger_why debugger_go(struct debugger *d, uint64_t cycles);
/* Stops what goes on: Ctrl-C. */
void debugger_halt(struct debugger *d);
/* One step of the hart back; back to the last stop: breakpoint, watchpoint, catch, or the beginning. */
enum debugger_why debugger_back_step(struct debugger *d, unsigned hart);
enum debugger_why debugger_back(struct debugger *d);

/* "runs", "waits" in wfi or WFE, "off", "halted" in the critical error state. */
const char *debugger_activity(struct machine *m, unsigned hart);
/* "load page fault (cause 13), VU -> HS, epc 0x…, tval 0x…" of a trap; of a return "return, HS -> VU, pc 0x…". */
void debugger_describe(struct machine *m, const struct machine_change *c, struct buf *out);
/* Adds what is to be caught, as aim_parse has it. False with a sentence. */
bool debugger_catch(struct debugger *d, const char *kind, const char *rest, struct err *e);
#endif
