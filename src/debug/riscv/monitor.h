/*
 * Monitors: rules that hold at every trap and return, watched beside any software. `sse` watches what comes and goes with
 * supervisor software events (monitor.def), with the oracle (sse.h) beside it. A monitor changes nothing of the run.
 */
#ifndef TL_DEBUG_RISCV_MONITOR_H
#define TL_DEBUG_RISCV_MONITOR_H
#include "debug/riscv/sse.h"

enum monitor_rule {
#define MONITOR_RULE(id, needs, what) MONITOR_##id,
#include "debug/riscv/monitor.def"
    MONITOR_RULES
};

#define MONITOR_RANGES 4  /* of a kind */
#define MONITOR_DIFFS  16 /* registers that a violation tells */
#define MONITOR_FOUND  16 /* violations of one change that are told; all are counted */

enum monitor_text { MONITOR_HOST, MONITOR_GUEST, MONITOR_USER, MONITOR_IRQ_OFF, MONITOR_TEXTS };

/* As it was asked for. Plain data; strings are in it. */
struct monitor_config {
    bool on;
    bool all_rules;                                   /* no rules= was given */
    uint32_t rules;                                   /* bits of enum monitor_rule */
    uint32_t oracle_rules;                            /* bits of enum sse_rule */
    uint64_t max;                                     /* violations after which the run ends; 0: it goes on */
    char range[MONITOR_TEXTS][MONITOR_RANGES][2][64]; /* first and end, as given; "" none */
};

struct monitor_range {
    uint64_t first, end; /* end is not in it */
};

struct monitor_violation {
    const char *rule, *where, *what; /* "A3", the section, what a violation is */
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
    uint64_t call[8]; /* a0 … a7 */
};

struct monitor {
    struct monitor_config config;
    unsigned ranges[MONITOR_TEXTS];
    struct monitor_range range[MONITOR_TEXTS][MONITOR_RANGES];
    struct sse_oracle oracle;
    uint64_t total;  /* violations since the start */
    unsigned nfound; /* of the last change */
    struct monitor_violation found[MONITOR_FOUND];
};

/* "A6", what a violation is, and the ranges that the rule looks at ("NONE": none). */
const char *monitor_rule_name(enum monitor_rule r);
const char *monitor_rule_what(enum monitor_rule r);
const char *monitor_rule_needs(enum monitor_rule r);
/* "sse[,host=A..B][,guest=A..B][,user=A..B][,irqoff=A..B][,rules=A3+B1+…][,max=N]"; ranges may be repeated; A and B are symbols,
   SYMBOL+OFFSET or numbers. False with a sentence. */
bool monitor_parse(struct monitor_config *c, const char *text, struct err *e);
/* Begins beside m. Ranges that were not given are those of the symbols host_text_start and _end, handler_text_, guest_text_,
   user_text_, irq_off_, where the images have them. False with a sentence: a symbol is missing, or a range is empty. */
bool monitor_start(struct monitor *o, const struct monitor_config *c, struct machine *m, struct err *e);
/* Told of every change, from inside a machine_watch function. Violations are in found. Returns how many. */
unsigned monitor_feed(struct monitor *o, struct machine *m, const struct machine_change *c);
/* A violation as lines of text, the last without a newline; writes at most cap bytes with the NUL; returns the length. */
size_t monitor_text(const struct monitor *o, struct machine *m, const struct monitor_violation *v, char *out, size_t cap);
struct json_t *monitor_json(const struct monitor *o, struct machine *m, const struct monitor_violation *v); /* a new reference */
#endif
