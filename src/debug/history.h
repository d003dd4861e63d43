/*
 * Reverse execution: a machine whose past can be visited.
 *
 * A run is deterministic, so its past is a state to begin with and what came from outside. A history keeps forks of the machine
 * (snapshots; copy-on-write, so each costs the pages written around it) and every input, and comes to any earlier point by
 * running forward from the snapshot before it. Works the same for every architecture and for 1 to 8 harts.
 *
 *   struct history *h = history_new(m, NULL);
 *   history_run(h, 1000000);              instead of machine_run
 *   history_input(h, "serial0", "x", 1);  instead of machine_input
 *   history_back_step(h, 0);              hart 0 is where it was one instruction ago
 *   struct history_point p = history_here(h);  ...  history_seek(h, &p);
 *
 * The machine is the caller's all the time: between calls it may be looked at, have breakpoints set and be watched. Whoever
 * changes it (registers, memory, machine_inject, machine_call, a run without the history) calls history_changed afterwards.
 *
 * A point is where a run can stop: it names the slice of the run loop (machine/run.c), the hart whose turn it is, its cycle, and
 * how many interrupts it has taken there, since taking one takes no time. Points of one run are ordered by history_compare; the
 * state at a point is always the same, with the inputs that entered there.
 *
 * Which snapshots stay. Of each snapshot but the first and the last, the gap that would be without it is compared with the gap
 * wanted there: an eighth of the distance to where the machine is, but no more than a 64th of the run. The one with the smallest
 * ratio goes. So snapshots lie densely behind the present and thin out exponentially, and nowhere is a point further than about a
 * 32nd of the run behind its snapshot. A visit of the past lays new ones on the way, at half, a quarter, an eighth, ... of the
 * distance, so that going on backwards from there is cheap. Memory is bounded by their number and by the pages they keep.
 */
#ifndef TL_DEBUG_HISTORY_H
#define TL_DEBUG_HISTORY_H
#include "machine/trapline.h"

struct history_config {
    uint64_t spacing;   /* instructions between snapshots while the run goes on; 0: 4 Mi */
    unsigned snapshots; /* how many are kept at most, from 8; 0: 160 */
    uint64_t pages;     /* RAM pages of 4 KiB that they may keep of their own; 0: 128 Ki (512 MiB) */
};

struct history_point {
    uint64_t slice, cycle; /* the cycle at which the slice began; the cycle of the hart whose turn it is */
    uint64_t slice_end;    /* where the slice ends; 0: between slices */
    uint32_t turn;         /* the hart whose turn it is; 0 between slices */
    uint32_t taken;        /* interrupts `hart` has taken at this boundary */
    uint32_t hart;         /* the one that took them, else turn */
};

struct history;

/* Begins where m is. c: NULL for the defaults. */
struct history *history_new(struct machine *m, const struct history_config *c);
/* The machine stays, where it is. */
void history_free(struct history *h);

/* machine_run, watched and with breakpoints as usual. In the past it does again what came next, inputs included; what the guest
   prints there is not handed to the host a second time. At the end of what is known it goes on. */
enum machine_stop history_run(struct history *h, uint64_t cycles);
/* machine_step in the same way. */
enum machine_stop history_step(struct history *h, unsigned hart);
/* machine_input. In the past: what came after this point is forgotten. */
size_t history_input(struct history *h, const char *device, const void *p, size_t n);
/* machine_inject; in the past as history_input. */
bool history_inject(struct history *h, const struct machine_injection *i, struct err *e);
/* The machine was changed by its user: the state as it is now belongs to the run from here on. In the past: what came after this
   point is forgotten. */
void history_changed(struct history *h);

/* Where the machine is; where the history begins and ends. */
struct history_point history_here(const struct history *h);
struct history_point history_begin(const struct history *h);
struct history_point history_end(const struct history *h);
/* Whether the machine is in the past: what it does next is known. */
bool history_in_past(const struct history *h);
/* < 0: a is earlier; 0: the same; > 0: later. */
int history_compare(const struct history_point *a, const struct history_point *b);
/* The point at which a machine is; from inside a machine_watch_fn: right behind the trap or return it tells of. */
struct history_point history_point_of(struct machine *m);

/* From inside a machine_watch_fn: the first point behind the trap or return it tells of, whether or not its instruction is over.
 */
struct history_point history_point_behind(struct machine *m, const struct machine_change *c);

/* Brings the machine to a point, earlier or later. Nobody is told of what happens on the way, and breakpoints do not stop it.
   False: it lies before the beginning, or the run ends before it; then the machine is at the nearest point there is. */
bool history_seek(struct history *h, const struct history_point *p);
/* The same, to the first point at which machine_cycle is `cycle` (or more, if the machine is at no point just then). */
bool history_seek_cycle(struct history *h, uint64_t cycle);
/* The same, to the first boundary at which the hart has reached `cycle` of its own time, before interrupts are taken there. */
bool history_seek_hart(struct history *h, unsigned hart, uint64_t cycle);

/* One boundary of the hart back: undoes its last instruction, exception or wait; of interrupts just taken, those. False: at the
   beginning. */
bool history_back_step(struct history *h, unsigned hart);

/* Where history_back_until looks. */
enum history_look {
    HISTORY_STOPS = 1, /* wherever the machine stops by itself: breakpoints and watchpoints that are set */
    HISTORY_TRAPS = 2, /* behind every trap and return; `change` tells which */
    HISTORY_STEPS = 4  /* at every boundary of one hart */
};
struct history_search {
    unsigned look; /* enum history_look */
    unsigned hart; /* of HISTORY_STEPS */
    /* Whether this is one. The machine may be read only. change: NULL at stops and steps. */
    bool (*is)(void *ctx, struct machine *m, const struct machine_change *change);
    void *ctx;
    /* Asked before each stretch that is searched, of which there are some 30 to 160 in a long run: whether to give up. back: how
       much of the way to the beginning has been searched, in thousandths. NULL: never. */
    bool (*give_up)(void *ctx, unsigned back);
    void *give_up_ctx;
};
/* To the last earlier point at which s->is holds. False: there is none; then the machine is at the beginning, or, where the
   search was given up (history_gave_up), as far back as it came. */
bool history_back_until(struct history *h, const struct history_search *s);
/* Whether the last search was given up. */
bool history_gave_up(const struct history *h);

/* What the history takes. */
struct history_stats {
    unsigned snapshots;
    uint64_t pages;  /* RAM pages that only snapshots hold, at most */
    uint64_t inputs; /* entries of the log */
    uint64_t widest; /* instructions in the widest gap between two snapshots */
};
struct history_stats history_stats(const struct history *h);
#endif
