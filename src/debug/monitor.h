/*
 * Monitors: rules that hold at every trap and return, watched beside any software. A monitor changes nothing of the run. Each
 * architecture has a table of functions and its own rules (riscv/monitor.def, arm/monitor.def); what is the same is here: the
 * option, ranges of text, what a violation is, and its telling.
 */
#ifndef TL_DEBUG_MONITOR_H
#define TL_DEBUG_MONITOR_H
#include "machine/trapline.h"

#define MONITOR_TEXTS  4  /* kinds of ranges that an architecture has at most */
#define MONITOR_RANGES 4  /* of a kind */
#define MONITOR_DIFFS  16 /* registers that a violation tells */
#define MONITOR_FOUND  16 /* violations of one change that are told; all are counted */
#define MONITOR_CALL   8  /* argument registers of a call */

struct monitor;
struct json_t;

/* A rule as `trapline doc` shows it. */
struct monitor_rule {
    const char *name;   /* "A6" */
    const char *source; /* the document: "SBI v3.0" */
    const char *where;  /* its section; "": none */
    const char *what;   /* when it is broken */
    const char *note;   /* what `doc` says beside it: its section, that it needs ranges, … */
    unsigned group;     /* index into monitor_ops.names */
};

struct monitor_violation {
    const char *rule, *source, *where, *what; /* as in struct monitor_rule */
    uint8_t hart;
    bool has_event, has_call;
    uint32_t event;
    uint64_t cycle, pc; /* where the hart goes on */
    uint64_t from;      /* the instruction that trapped or returned */
    unsigned diffs;
    struct {
        const char *name;
        uint64_t expected, actual;
    } diff[MONITOR_DIFFS];
    uint64_t call[MONITOR_CALL]; /* its argument registers, as the caller had them */
    uint8_t conduit;             /* of A64: the exception class of the call */
};

struct monitor_ops {
    const char *const *names; /* of its monitors, which are groups of rules: "sse"; NULL at the end */
    const char *const *texts; /* kinds of ranges: "host"; NULL at the end */
    size_t size;              /* bytes of monitor.state */
    /* Rule i, at most 64 of them, into *r. False: past the last. Two rules may have one name: they are chosen together. */
    bool (*rule)(unsigned i, struct monitor_rule *r);
    bool (*fits)(struct machine *m); /* whether it can watch that machine */
    const char *machines;            /* which it can: "RISC-V" */
    /* state is all zero, and ranges are those of the option. */
    void (*start)(struct monitor *o, struct machine *m);
    void (*feed)(struct monitor *o, struct machine *m, const struct machine_change *c);
    /* A call that the machine answered. NULL: it looks at none. */
    void (*answered)(struct monitor *o, struct machine *m, const struct machine_answer *a);
    /* A name of the value of difference `name`, or NULL. */
    const char *(*value)(const char *name, uint64_t v);
    /* Of a violation with an event, with a call. */
    void (*event)(const struct monitor *o, const struct monitor_violation *v, char *out, size_t cap);
    void (*call)(const struct monitor *o, const struct monitor_violation *v, char *out, size_t cap);
    struct json_t *(*call_json)(const struct monitor *o, const struct monitor_violation *v);
};

/* As it was asked for. Plain data; strings are in it. */
struct monitor_config {
    const struct monitor_ops *ops;                    /* NULL: no monitor */
    uint32_t groups;                                  /* bits by monitor_ops.names: what was asked for */
    uint32_t all;                                     /* of those: no rules= was given */
    uint64_t rules;                                   /* bits by number */
    uint64_t max;                                     /* violations after which the run ends; 0: it goes on */
    char range[MONITOR_TEXTS][MONITOR_RANGES][2][64]; /* first and end, as given; "" none */
};

struct monitor_range {
    uint64_t first, end; /* end is not in it */
};

struct monitor {
    struct monitor_config config;
    unsigned ranges[MONITOR_TEXTS];
    struct monitor_range range[MONITOR_TEXTS][MONITOR_RANGES];
    uint64_t checked; /* what came back or was answered since the start, and was judged */
    uint64_t total;   /* violations since the start */
    unsigned nfound;  /* of the last change */
    struct monitor_violation found[MONITOR_FOUND];
    void *state; /* the architecture's */
};

/* Those of architecture i, in the order of cpu_arch_at. NULL: past the last. */
const struct monitor_ops *monitor_ops_at(unsigned i);
/* "NAME[,KIND=A..B][,rules=A3+B1+…][,max=N]"; ranges may be repeated; A and B are symbols, SYMBOL+OFFSET or numbers. Another one
   adds to c what it says, if it is for the same architecture. False with a sentence. */
bool monitor_parse(struct monitor_config *c, const char *text, struct err *e);
/* Begins beside m. False with a sentence: it is no monitor for such a machine, a symbol is missing, or a range is empty. */
bool monitor_start(struct monitor *o, const struct monitor_config *c, struct machine *m, struct err *e);
void monitor_end(struct monitor *o); /* NULL: nothing */
/* *to, which is all zero or was started, becomes as *from is; monitor_end ends each. */
void monitor_copy(struct monitor *to, const struct monitor *from);
/* Told of every change, from inside a machine_watch function. Violations are in found. Returns how many. */
unsigned monitor_feed(struct monitor *o, struct machine *m, const struct machine_change *c);
/* The same of every call that the machine answers: machine_watch_answers. */
unsigned monitor_answered(struct monitor *o, struct machine *m, const struct machine_answer *a);
/* A violation as lines of text, the last without a newline; writes at most cap bytes with the NUL; returns the whole length. */
size_t monitor_text(const struct monitor *o, struct machine *m, const struct monitor_violation *v, char *out, size_t cap);
struct json_t *monitor_json(const struct monitor *o, struct machine *m, const struct monitor_violation *v); /* a new reference */

/* ---- for the architectures ------------------------------------------------------------------------------------------------- */

static inline bool monitor_wants(const struct monitor *o, unsigned rule) { return o->config.rules >> rule & 1; }
bool monitor_in(const struct monitor *o, unsigned text, uint64_t va);
/* Where nothing was given for a kind: the text between NAME_start and NAME_end, if the images have those symbols. */
void monitor_add_marked(struct monitor *o, unsigned text, struct machine *m, const char *name);
/* A new violation of rule number `rule`, which happened at c. */
struct monitor_violation *monitor_violate(struct monitor *o, const struct machine_change *c, unsigned rule);
void monitor_differ(struct monitor_violation *v, const char *name, uint64_t expected, uint64_t actual);
#endif
