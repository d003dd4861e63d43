/*
 * The oracle of supervisor software events: a model of the chapter SSE of SBI v3.0 that follows a machine beside any firmware and
 * names the rule that the firmware departs from (sse.def).
 *
 * It is told of the machine's traps and returns (machine_watch) and sees calls and results in the registers, attributes in the
 * caller's memory. An injection is what returns from M to the ENTRY_PC of an event and not to where it came from. Only what the
 * specification leaves no choice about is a departure. What the model cannot know (the sources of RAS, PMU and platform events,
 * when an injection from another hart arrives, what a trap that M emulates does) is accepted, and learnt where the firmware shows
 * it. It watches the SBI of machine mode; what a hypervisor offers its guests is not looked at.
 *
 * Attach it before the first instruction. Attached to a machine that has run already it takes every state as unknown and learns
 * it from results and from STATUS; events that are RUNNING then are not followed. A machine that resets itself begins anew.
 *
 * Plain data without pointers into itself: a fork gets a copy (sse_oracle_copy).
 */
#ifndef TL_DEBUG_RISCV_SSE_H
#define TL_DEBUG_RISCV_SSE_H
#include "debug/riscv/sbi.h"
#include "debug/riscv/view.h"
#include "machine/trapline.h"

enum sse_rule {
#define SSE_RULE(id, where, what) SSE_##id,
#include "debug/riscv/sse.def"
    SSE_RULES
};

#define SSE_HARTS  8
#define SSE_EVENTS 12 /* local events of a hart, and global events, that are followed; others are not looked at */
#define SSE_DEPTH  6  /* handlers of a hart that preempt each other */
#define SSE_ATTRS  10
#define SSE_FOUND  12 /* departures of one change that are told; all are counted */

enum sse_state { SSE_UNUSED, SSE_REGISTERED, SSE_ENABLED, SSE_RUNNING, SSE_UNKNOWN };
enum sse_pending { SSE_NOT_PENDING, SSE_PENDING, SSE_MAY_PEND };
enum sse_attr {
    SSE_STATUS,
    SSE_PRIORITY,
    SSE_CONFIG,
    SSE_PREFERRED_HART,
    SSE_ENTRY_PC,
    SSE_ENTRY_ARG,
    SSE_SEPC,
    SSE_FLAGS,
    SSE_A6,
    SSE_A7
};

/* What the model knows of an event: of a local one on a hart, or of a global one. */
struct sse_event {
    uint32_t id;
    uint8_t state;     /* enum sse_state */
    uint8_t pending;   /* enum sse_pending */
    uint8_t arriving;  /* injections from other harts, or of global events, that may still make it pending */
    uint8_t hart;      /* RUNNING: the hart that handles it */
    uint8_t supported; /* a call on it has succeeded */
    uint8_t forbidden; /* STATUS told that sse_inject may not signal it */
    uint8_t vague;     /* bits of FLAGS that are not known */
    uint16_t known;    /* bit i: attr[i] is known */
    uint16_t hint;     /* bit i: attr[i] was so before the hart stopped; it may tell an injection, and is not relied on */
    uint16_t written;  /* bit i: attr[i] was written since the handler started */
    uint64_t attr[SSE_ATTRS];
};

/* A handler that runs or is preempted. */
struct sse_frame {
    uint32_t event;
    uint8_t doubtful;     /* one of several events with the same handler and argument: which is not known */
    uint8_t vague;        /* enum sse_vague: what is not known of `at` */
    struct rv_view at;    /* what was interrupted */
    struct rv_view entry; /* how the handler started */
};

/* A stay of a hart in M. */
struct sse_visit {
    uint8_t kind;              /* enum sse_visit_kind */
    uint8_t accessible;        /* the shared memory of a call is */
    uint8_t alone;             /* no other hart was in M when it began */
    uint8_t cause;             /* of an exception */
    uint32_t stays;            /* of all harts, when it began: tells of overlapping ones */
    uint64_t input[SSE_ATTRS]; /* sse_write_attrs: the words */
    struct rv_view at;         /* the context that trapped */
};

struct sse_hart {
    uint8_t masked; /* 0 no, 1 yes, 2 unknown */
    uint8_t ran;    /* has been below M since the reset */
    uint8_t events, depth;
    struct sse_visit visit;
    struct sse_event event[SSE_EVENTS];
    struct sse_frame frame[SSE_DEPTH]; /* the one that runs is the last */
};

struct sse_departure {
    enum sse_rule rule;
    uint8_t hart;
    uint8_t call;   /* it is about the SBI call in a (registers a0 … a7) */
    uint32_t event; /* with has_event */
    bool has_event;
    uint64_t cycle, pc; /* pc: where the hart goes on */
    const char *what;   /* "hstatus.SPV", "INTERRUPTED_FLAGS", "result" */
    uint64_t expected, actual;
    uint64_t a[8];
};

/* What the last change was. */
enum { SSE_SAW_CALL = 1, SSE_SAW_INJECT = 2, SSE_SAW_RESUME = 4 };

struct sse_oracle {
    uint8_t harts, xlen;
    uint8_t late;  /* attached to a machine that had run: nothing is known at first */
    uint8_t alive; /* a call of the extension has succeeded: the firmware has it */
    uint8_t lost;  /* an event was not followed for want of room */
    uint8_t globals;
    uint8_t resetting; /* a call asked for a reset of the system */
    uint32_t stays;    /* of all harts in M: begun and ended */
    struct sse_event global[SSE_EVENTS];

    /* Of the last change. */
    uint8_t saw;                         /* SSE_SAW_* */
    uint8_t edited;                      /* SSE_SAW_RESUME: the handler edited something of what it resumed */
    uint8_t wrote;                       /* SSE_SAW_RESUME: it wrote an INTERRUPTED attribute */
    uint8_t vague;                       /* SSE_SAW_RESUME: enum sse_vague of `interrupted` */
    uint32_t event;                      /* SSE_SAW_INJECT, SSE_SAW_RESUME */
    struct rv_view interrupted, resumed; /* SSE_SAW_RESUME: what the handler interrupted, and what goes on now */
    unsigned nfound;                     /* departures, at most SSE_FOUND in found */
    struct sse_departure found[SSE_FOUND];

    uint64_t calls, injections, completions; /* of the extension, since the start */
    uint64_t count[SSE_RULES];               /* departures */

    struct sse_hart hart[SSE_HARTS]; /* last: copies of machines with fewer harts stop early */
};

/* Parts of a context that are not known: M emulated an instruction, or redirected a trap. */
enum sse_vague { SSE_VAGUE_X = 1, SSE_VAGUE_F = 2, SSE_VAGUE_STATUS = 4, SSE_VAGUE_TRAP = 8, SSE_VAGUE_ALL = 15 };

/* Begins beside machine m. */
void sse_oracle_init(struct sse_oracle *o, struct machine *m);
/* Tells the oracle of a change of m, from inside a machine_watch function. What it was and what is wrong with it is in saw, found
   and nfound. Returns nfound. */
unsigned sse_oracle_feed(struct sse_oracle *o, struct machine *m, const struct machine_change *c);
/* For a fork of the machine that `from` follows. */
void sse_oracle_copy(struct sse_oracle *to, const struct sse_oracle *from);

/* "A2", the section, and what a departure is. */
const char *sse_rule_name(enum sse_rule rule);
const char *sse_rule_where(enum sse_rule rule);
const char *sse_rule_what(enum sse_rule rule);
/* The departure as a sentence without the rule's text: `hart 0 cycle 812: event 0xffff0000 "local software": hstatus.SPV is 0x1,
   expected 0x0`. Writes at most cap bytes with the NUL; returns the length. */
size_t sse_departure_text(const struct sse_departure *d, unsigned xlen, char *out, size_t cap);
struct json_t *sse_departure_json(const struct sse_departure *d, unsigned xlen); /* a new reference */
#endif
