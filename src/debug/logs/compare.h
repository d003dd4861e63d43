/*
 * Two logs of the same program, compared to the first real difference.
 *
 * Compared is what both logs tell of each instruction that retired: its address, encoding, privilege mode, registers, stores.
 * Registers are compared as state, so that a log of changes agrees with a log of every write. What is not deterministic between
 * machines is masked: registers (counters, time, identification), and what is computed from them. An interrupt that one log takes
 * at an instruction and the other later or never is stepped over, to the instruction it returns to. What the architecture leaves
 * open is no difference either (debug/logs/choices.h).
 */
#ifndef TL_DEBUG_LOGS_COMPARE_H
#define TL_DEBUG_LOGS_COMPARE_H
#include "debug/logs/log.h"

#define COMPARE_HARTS   64
#define COMPARE_CONTEXT 64

/* One of the two logs; it is opened several times. */
struct compare_side {
    struct log_reader *(*open)(void *ctx, struct err *e); /* at its beginning; NULL with a sentence */
    void *ctx;
};

struct compare_range {
    uint64_t first, last;
};

struct compare_options {
    bool has_from;
    uint64_t from;              /* both begin where this address is executed first; else where their addresses first run alike */
    const struct log_reg *mask; /* registers that are not compared, beside those masked always */
    size_t nmask;
    const struct compare_range *loads; /* addresses whose loads are not deterministic */
    size_t nloads;
    unsigned context;     /* equal instructions kept before the difference, at most COMPARE_CONTEXT */
    uint64_t interrupted; /* instructions an interrupt may take; 0: one million */
};

enum compare_what {
    COMPARE_EQUAL,
    COMPARE_PC,
    COMPARE_INSN,
    COMPARE_PRIV,
    COMPARE_REG,
    COMPARE_STORE,
    COMPARE_CAUSE, /* both trap, for different reasons */
    COMPARE_END    /* one goes on where the other ends */
};

/* An instruction both have. */
struct compare_seen {
    uint64_t pc, line[2];
    uint32_t insn;
    uint8_t insn_bytes;
};

struct compare_hart {
    bool there[2];          /* the log has this hart */
    uint64_t start[2];      /* lines where the comparison begins */
    uint64_t compared;      /* instructions that are equal */
    uint64_t interrupts[2]; /* stepped over */
    uint64_t diversions;    /* stretches that differ because of a branch on a masked value */
    uint64_t conditionals;  /* store-conditionals that failed in one log only */
    uint64_t unfenced;      /* instructions that differ, of code written without a fence */
    uint64_t masked;        /* registers not compared, because masked or computed from what is */
    enum compare_what what;
    bool has[2];             /* of COMPARE_END: which log goes on */
    struct log_step step[2]; /* the two steps that differ */
    bool trapped[2];         /* a trap is told of right before it: */
    struct log_step trap[2];
    struct log_reg reg[2];   /* of COMPARE_REG */
    struct log_mem store[2]; /* of COMPARE_STORE */
    bool from_masked;        /* a value that is masked may be the reason */
    unsigned nseen;
    struct compare_seen seen[COMPARE_CONTEXT]; /* before it, oldest first */
};

struct comparison {
    const struct log_format *format[2];
    bool arm;
    unsigned has; /* enum log_has: what was compared */
    uint64_t skipped[2];
    bool torn[2];
    unsigned nharts;
    struct compare_hart *hart; /* up to COMPARE_HARTS */
};

/* False with a sentence if a log cannot be read, or the two have no instruction in common. Free r->hart in any case. */
bool log_compare(const struct compare_side side[2], const struct compare_options *o, struct comparison *r, struct err *e);
/* "the value of x5" and so on: what differs, for people. */
void compare_text(const struct comparison *r, const struct compare_hart *h, char *out, size_t cap);
#endif
