/* Inside debug/history*.c: the log, the snapshots, and moving between points. */
#ifndef TL_DEBUG_HISTORY_INTERNAL_H
#define TL_DEBUG_HISTORY_INTERNAL_H
#include "debug/history.h"
#include "machine/machine.h"

/* Something that came from outside at a point. */
struct history_entry {
    struct history_point at;
    enum { ENTRY_INPUT, ENTRY_INJECT, ENTRY_STATE } kind;
    char device[24]; /* ENTRY_INPUT: to which, and the bytes it took */
    uint8_t *bytes;
    size_t n;
    struct machine_injection injection;
    struct machine *state; /* ENTRY_STATE: what the machine became */
};

struct history_snapshot {
    struct machine *m;
    struct history_point at;
    uint64_t work;  /* instructions of all harts until there */
    size_t next;    /* entries that are in it */
    uint64_t pages; /* RAM pages that differ from the snapshot before */
};

struct history {
    struct machine *m;
    struct history_config config;
    struct history_entry *log;
    size_t entries, room, next;    /* next: the first entry that is still to come where the machine is */
    struct history_snapshot *snap; /* ascending; the first is the beginning */
    unsigned snaps;
    uint64_t pages;           /* the snapshots' sum */
    struct history_point end; /* while in the past */
    bool past;
    bool gave_up; /* the last search */
};

/* ---- history_snaps.c */

/* Keeps the state of now, unless it is kept already. */
void snaps_take(struct history *h);
/* Drops number i and all behind it. */
void snaps_drop_from(struct history *h, unsigned i);
/* The number of the last snapshot at or before p. */
unsigned snaps_before(const struct history *h, const struct history_point *p);
/* The machine becomes snapshot number i. */
void snaps_restore(struct history *h, unsigned i);

/* ---- history_move.c */

/* While nobody is told: the host, the watch, pace, halts and breakpoints of a machine, put away. */
struct hushed {
    struct machine_host host;
    machine_watch_fn *change;
    void *change_ctx;
    bool paced;
    struct machine_halt halt[MACHINE_HARTS];
    unsigned halts, breaks, watchpoints;
};
struct hushed history_hush(struct machine *m);
void history_unhush(struct machine *m, const struct hushed *q);
/* Breakpoints and watchpoints stop the machine again. */
void history_stops(struct machine *m, const struct hushed *q);

enum moved {
    MOVED_THERE, /* the machine is at `to` */
    MOVED_ENTRY, /* it came to the next entry, which has been applied */
    MOVED_STOP,  /* it stopped by itself */
    MOVED_OVER   /* it cannot go on: the guest ended the run, or waits for outside */
};
/* Runs at most so many cycles, until `to` (NULL: nowhere) or the next entry of the log at the latest. */
enum moved history_move(struct history *h, const struct history_point *to, uint64_t cycles, enum machine_stop *why);
/* The same of a machine without a log: never MOVED_ENTRY. */
enum moved point_reach(struct machine *m, const struct history_point *to, uint64_t cycles, enum machine_stop *why);
/* Order of the boundaries alone, whatever interrupts were taken there. */
int history_compare_base(const struct history_point *a, const struct history_point *b);
#endif
