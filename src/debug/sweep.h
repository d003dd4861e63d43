/*
 * Sweeps: an event is injected at every instruction boundary of a window of a hart, and what the event interrupted must come back
 * as it was.
 *
 * The window is what hart `hart` does from the boundary at which it reaches `from` up to the one at which it reaches `to`. For
 * each boundary in between (one before each instruction; a wait is one) a machine in the state there gets the event and runs
 * until the interrupted context goes on. Then the registers that supervisor software owns (debug/context.h) must be those of the
 * moment the event was taken, and so must all of RAM outside the ranges to ignore. Equal, the case has converged with the
 * undisturbed run and is over.
 *
 * Where the event is not taken at once, it comes at a later boundary: if that one lies in the window and the machine is in the
 * very state the undisturbed run has there, the two are the same case; so are two that are taken behind the window in the same
 * state.
 *
 * When the interrupted context goes on: the event's trap has been taken, all traps since have been returned from, and the return
 * leads to no handler text. A firmware that passes a trap on to supervisor software returns from nothing by it.
 *
 * Second order: with `nest`, that event is injected at every boundary of the handling of the first one, too.
 *
 * Everything here is deterministic: which cases a call of sweep_run does is said by numbers, and sweep_results gives the same
 * whatever way the cases were spread over processes and machines.
 */
#ifndef TL_DEBUG_SWEEP_H
#define TL_DEBUG_SWEEP_H
#include "base/buf.h"
#include "debug/inject.h"

#define SWEEP_NONE  UINT32_MAX
#define SWEEP_WHERE 72  /* bytes of a place's text */
#define SWEEP_TEXT  200 /* bytes of a reason's text */

struct context; /* debug/context.h */

struct sweep_range {
    uint64_t start, end; /* [start, end) */
};

/* Memory that is written before the window: `size` bytes (1, 2, 4, 8) at va, as the hart reaches it at `from`. */
struct sweep_poke {
    uint64_t va, value;
    unsigned size;
};

#define SWEEP_CASE_CYCLES UINT64_C(10000) /* how long a case may take if nobody says otherwise */

/* One way of setting the guest up; each is swept with each event. */
#define SWEEP_POKES 16
struct sweep_variant {
    char name[INJECT_TEXT]; /* "" if there is only one */
    struct sweep_poke poke[SWEEP_POKES];
    unsigned pokes;
};

/* What a judge says of a trap or return. */
enum {
    SWEEP_ENTERS = 1,  /* it enters a handler: the interrupted context does not go on yet */
    SWEEP_RESUMES = 2, /* it is the interrupted context that goes on, or what its handler made of it: the last handler is done */
    SWEEP_EDITED = 4 /* with RESUMES: the handler changed it on purpose, and the judge has looked at that: nothing is compared */
};

/*
 * Somebody else who judges a case, beside the comparison. Its state is `size` bytes of plain data that is copied with the
 * machine. It is attached where sweep_new gets the machine and told of every change of every hart.
 */
struct sweep_judge {
    size_t size;
    void (*attach)(void *state, struct machine *m);
    void (*copy)(void *to, const void *from); /* NULL: memcpy */
    unsigned (*feed)(void *state, struct machine *m, const struct machine_change *c);
    void (*begin)(void *state); /* the event is injected now */
    /* What it has objected to since: the first objection as a sentence. False: nothing. */
    bool (*objection)(const void *state, char *text, size_t cap);
};

struct sweep_config {
    unsigned hart;
    struct inject_point from, to;
    const struct inject_event *event; /* at least one */
    unsigned events;
    const struct inject_event *nest;     /* NULL: none */
    const struct sweep_variant *variant; /* at least one */
    unsigned variants;
    const struct sweep_range *ignore;  /* physical addresses whose contents may change */
    const struct sweep_range *handler; /* virtual addresses of handlers */
    unsigned ignores, handlers;
    uint64_t case_cycles;            /* how long a case may take */
    uint64_t reach_cycles;           /* how long it may take to reach `from` */
    uint64_t window_cycles;          /* how long the window may be */
    const struct sweep_judge *judge; /* NULL: none */
    bool all_seconds; /* every case of the second order is told; else those alone that fail, and the others are counted */
};

enum sweep_verdict {
    SWEEP_PASS,      /* everything came back as it was */
    SWEEP_SAME,      /* the same as another case */
    SWEEP_VIOLATION, /* something did not */
    SWEEP_LOST,      /* the event was never taken */
    SWEEP_RUNAWAY,   /* it was taken, and the interrupted context never went on */
    SWEEP_ENDED,     /* the guest ended the run, or can never go on */
    SWEEP_REFUSED,   /* the machine or the firmware would not take the event */
    SWEEP_VERDICTS
};

/* A register, or a word of RAM, that is not what it was. */
struct sweep_diff {
    char name[24]; /* "x28", "0x80201010" */
    uint64_t from, to;
};
#define SWEEP_DIFFS 128 /* at most so many of a case are told */

/* Words of RAM that differ close below the stack pointer of what was interrupted: a handler that pushes there leaves them. */
struct sweep_stack {
    uint32_t words; /* 0: there are none, or no stack pointer */
    bool all;       /* nothing else differs */
    char name[8];   /* the register, */
    uint64_t sp;    /* and what was in it */
    uint64_t start; /* physical addresses: the lowest of them, */
    uint64_t end;   /* and behind the highest */
};

/* What there is to tell of a case that did not pass. Copies that are kept may end behind the last difference. */
struct sweep_detail {
    char where[SWEEP_WHERE];       /* where it was injected, as symbol and offset, */
    char mode[8];                  /* and what ran there: "HS" */
    char taken_where[SWEEP_WHERE]; /* the same of where it was taken, if that is at a later boundary; */
    char taken_mode[8];            /* else "" */
    char text[SWEEP_TEXT];         /* what was wrong besides the differences; "" */
    struct sweep_stack stack;
    uint32_t diffs;
    struct sweep_diff diff[SWEEP_DIFFS];
};

struct sweep_case {
    uint32_t event, variant, boundary;
    uint32_t nested;      /* boundary of the handling, for the second event; SWEEP_NONE: a case of the first order */
    uint32_t same;        /* SAME, if in the window (or the handling): the boundary */
    uint8_t verdict;      /* enum sweep_verdict */
    uint8_t handled;      /* a handler was entered (without handler ranges: the event was taken); SAME: in that other case */
    uint64_t pc;          /* where it was injected */
    uint64_t taken_pc;    /* where it was taken, */
    uint64_t taken_cycle; /* when, */
    uint64_t taken_key;   /* and a digest of the state there; 0: in the window, or never */
    uint64_t cycles;      /* that the case took */
    uint32_t nest_cases, nest_pass, nest_same, nest_handled; /* the second order of a case of the first, where they were done */
    struct sweep_detail *detail;                             /* of SWEEP_VIOLATION and worse */
    uint64_t at_cycle;                                       /* while it is told: the hart's cycle at which it was injected */
    /* Of the second order, while it is told: */
    bool as_first;             /* it ends as the first event's case ends without it, in every register and word of memory */
    const struct context *was; /* what the second event interrupted; NULL: it was not taken */
};

/* A window, swept by every event. */
struct sweep_window {
    uint32_t boundaries;
    uint64_t first_cycle, last_cycle;
};

struct sweep;

/* ---- of a machine, for those who make a configuration */

/* The memory of the firmware below the kernel: from the firmware's first byte to the kernel's. False: there are not both. */
bool sweep_firmware(struct machine *m, struct sweep_range *out);
/* A variable by its symbol: where it is and how wide (1, 2, 4 or 8 bytes; a general register's width if the symbol does not
   tell). False: there is no such symbol. */
bool sweep_symbol(struct machine *m, const char *name, uint64_t *va, unsigned *size);

/* ---- the sweep */

/* Runs m to the window, once for each variant, and records it. m is the sweep's until sweep_free, which frees it. NULL with a
   sentence if there is nothing to sweep. */
struct sweep *sweep_new(const struct sweep_config *c, struct machine *m, struct err *e);
void sweep_free(struct sweep *s);
/* Digest of the machine where the windows begin: equal for equal images, options and --from. */
uint64_t sweep_state(struct sweep *s);
/* A trap or return in one line. */
void sweep_story_line(struct sweep *s, const struct machine_change *c, char *line, size_t cap);
/* Of variant v. */
struct sweep_window sweep_window(const struct sweep *s, unsigned variant);
/* The hart's cycle at that boundary of variant v. */
uint64_t sweep_cycle(const struct sweep *s, unsigned variant, uint32_t boundary);
/* A fork of the machine at the beginning of variant v's window. */
struct machine *sweep_base(struct sweep *s, unsigned variant);
/* How many cases of the first order there are: variants, each with each event, each with each boundary. */
uint64_t sweep_cases(const struct sweep *s);
/* Does the cases of the first order whose number is `first`, first + step, … (with what nests in them) and tells fn of each. fn
   returns false to stop. */
typedef bool sweep_case_fn(void *ctx, const struct sweep_case *c);
void sweep_run(struct sweep *s, uint64_t first, uint64_t step, sweep_case_fn *fn, void *ctx);
/* Does one case and tells of every trap and return on its way. nested: SWEEP_NONE, or the boundary of the handling. False with a
   sentence: there is no such boundary. */
bool sweep_one(struct sweep *s, uint32_t event, uint32_t variant, uint32_t boundary, uint32_t nested, sweep_case_fn *fn,
               void (*story)(void *ctx, struct machine *m, const struct machine_change *c), void *ctx, struct err *e);
#endif
