/* Inside debug/sweep*.c: a sweep's machines and what is known of its windows. */
#ifndef TL_DEBUG_SWEEP_INTERNAL_H
#define TL_DEBUG_SWEEP_INTERNAL_H
#include "debug/context.h"
#include "debug/sweep.h"

/* A boundary of the undisturbed run. */
struct boundary {
    uint64_t cycle, pc, key;
};

struct path {
    struct boundary *at;
    uint32_t n, cap;
};

/* One variant: the state at the window's first boundary, and its boundaries. */
struct window {
    struct machine *base;
    struct path path;
};

#define KEYS_BEHIND 64

struct sweep {
    struct sweep_config c;
    const struct context_ops *ops;
    struct window *window;    /* c.variants of them */
    struct machine *booted;   /* at `from` */
    struct machine *walk;     /* goes through the window */
    struct machine *trial;    /* does the cases */
    struct machine *late;     /* the state in which an event is taken late; NULL until needed */
    struct machine *handling; /* goes through a handling; NULL until needed */
    struct machine *second;   /* does what nests in it */
    struct lost *lost;        /* where a handling that never comes back is left */
    struct circle *circle;
    void *judge_boot, *judge_walk, *judge_handling; /* the judge's states beside them */
    void *judge_trial;
    struct context now;           /* of walk, at its boundary */
    uint64_t behind[KEYS_BEHIND]; /* states behind the window in which an event was taken late: done already */
    uint8_t behind_verdict[KEYS_BEHIND];
    unsigned nbehind;
    bool has_v;
};

/* What is done with cases. */
typedef void story_fn(void *ctx, struct machine *m, const struct machine_change *c);
struct doing {
    sweep_case_fn *fn;
    void *ctx;
    story_fn *story;
    uint32_t nested;  /* only this one of the second order; SWEEP_NONE: all */
    bool first_only;  /* no second order */
    bool going;       /* fn wants more */
    uint32_t seconds; /* boundaries of the handling that was gone through last */
};

/* Where a handling that never comes back is left for good: a case of the second order that gets there is the first one again. */
struct lost {
    struct machine *m;
    struct context at;
    uint64_t pc;
};

#define RUN_DEPTH    64
#define RUN_TOO_DEEP 4096 /* so many traps that nothing returned from */

/* One machine that was given an event and runs on: what its watcher knows. */
struct run {
    struct sweep *s;
    struct machine *m;
    void *judge;
    const struct inject_event *event;
    struct run *second;                                       /* another event that it gets, and what becomes of it; NULL: none */
    uint64_t start;                                           /* the hart's cycle at the injection */
    enum { BREAK_NEVER, BREAK_LATE, BREAK_TAKEN } break_when; /* the event is taken: behind its boundary, at all */
    struct lost *lost;                                        /* where to look whether it gets; NULL: nowhere */
    bool taken, late, resumed, handled, edited;               /* late: taken behind its boundary */
    bool entered;                                             /* handler text, */
    uint8_t entered_priv;                                     /* in this mode; */
    bool fell;        /* and a return led back into it with less privilege: whoever runs there is not the handler any more */
    bool circles;     /* it goes round and round in the same states */
    bool meets_lost;  /* it may be there */
    bool is_lost;     /* it is */
    uint64_t changes; /* traps and returns of the hart since the injection */
    uint64_t left;    /* the cycle behind the last of them that touched handler text; 0: none did */
    bool left_out;    /* it led out of it */
    unsigned depth;   /* traps since, that have not been returned from */
    uint64_t epc[RUN_DEPTH]; /* of the first of them */
    uint64_t taken_cycle, taken_pc;
    struct context_mode taken_to;
    struct context at; /* what was interrupted */
    story_fn *story;   /* NULL: none */
    void *story_ctx;
};

/* sweep_run.c: injects r->event into r->m, which is prepared, and runs it. */

/* Makes r->m like `from`, with r's watcher. */
void run_begin(struct run *r, struct sweep *s, struct machine *m, struct machine *from, void *judge, const void *judge_from);
void run_end(struct run *r);
/* Runs until the context goes on (r->resumed), the event was taken (break_when) or something else ends it. */
enum machine_stop run_on(struct run *r);
/* Nothing that it could still do would tell more. */
bool run_over(const struct run *r);
/* Whether all of RAM is equal, but for what is to be ignored. */
bool run_same_memory(const struct sweep *s, struct machine *a, struct machine *b);
/* The verdict on how the run ended; SWEEP_PASS: the context goes on. */
enum sweep_verdict run_verdict(const struct run *r, enum machine_stop why, char *text);
/* Compares r->m, which has just gone on, with the context `was` and the memory of `memory`. SWEEP_PASS or SWEEP_VIOLATION with
 *detail. */
enum sweep_verdict run_compare(struct run *r, const struct context *was, struct machine *memory, struct sweep_detail **detail);

/* sweep_stack.c: what is close below the interrupted stack pointer. */
#define STACK_BYTES 2048 /* so close: a frame with all vector registers, and some calls */
#define STACK_PAGES 2
struct stack {
    struct sweep_stack found; /* name and sp; the rest by stack_note */
    unsigned pages;           /* 0: no stack pointer is known */
    struct {
        uint64_t va, pa;
    } page[STACK_PAGES]; /* from sp down */
};
/* Of what r's event interrupted, `was`; r->m is there again. */
struct stack stack_below(const struct run *r, const struct context *was);
/* A word at pa differs: counts it if it lies there. */
void stack_note(struct stack *k, uint64_t pa);

/* sweep_circle.c: a run that comes to a state where it was before does the same for ever. */
struct circle *circle_new(struct sweep *s);
void circle_free(struct circle *c);
void circle_begin(struct circle *c);
/* Behind trap or return number r->changes of the run: whether it has to stop, to be looked at. */
bool circle_asks(struct circle *c, const struct run *r, uint64_t pc);
/* Looks at the machine, which has stopped. True: it can never leave its circle before cycle `end`. */
bool circle_closes(struct circle *c, const struct run *r, uint64_t end);
/* Whether all harts and devices are in the same state but for their clocks. */
bool sweep_same_state(struct machine *a, struct machine *b);

/* A state's key: its digest and its cycle; never 0. */
uint64_t path_key(const struct sweep *s, const struct context *c, uint64_t cycle);
void path_add(struct sweep *s, struct path *p, struct machine *m, struct context *now);
/* The boundary at that cycle in that state, or SWEEP_NONE. */
uint32_t path_find(const struct path *p, uint64_t cycle, uint64_t key);

void judge_copy(const struct sweep *s, void *to, const void *from);
struct sweep_detail *sweep_detail(const char *text);
/* Writes into k->detail, if there is one, where the event was injected, which is where `now` was, and where r, which got it, took
   it. */
void sweep_place(struct sweep *s, struct sweep_case *k, const struct context *now, const struct run *r);

/* sweep_nest.c: the second order of case k, whose run r stands right behind the trap of its event. */
void nest_run(struct sweep *s, struct run *r, struct machine *memory, struct sweep_case *k, struct doing *d);
#endif
