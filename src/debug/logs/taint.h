/* What is computed from a value that is not deterministic is not either. */
#ifndef TL_DEBUG_LOGS_TAINT_H
#define TL_DEBUG_LOGS_TAINT_H
#include "debug/logs/log.h"

#define TAINT_ADDRESSES 4096 /* a power of two */

struct taint {
    uint32_t x, f;   /* bit per register */
    uint32_t result; /* of x, those the next taint_writes taints in any case: a result that a log does not tell */
    bool csr[4096];
    struct {
        uint64_t address;
        bool used;
    } memory[TAINT_ADDRESSES]; /* words that hold such a value */
};

/* Whether the value of this register differs from machine to machine: counters, time, pending interrupts, identification,
 * entropy. */
bool taint_register(const struct log_reg *g, bool arm);
/* Does the instruction read such a value: a masked register (mask, nmask beside those above), or one that is tainted? `loads`:
   its accesses are to addresses that give one. */
bool taint_reads(const struct taint *t, const struct log_step *s, bool arm, const struct log_reg *mask, size_t nmask);
/* The instruction was executed: what it wrote is tainted now, or not any more. */
void taint_writes(struct taint *t, const struct log_step *s, bool tainted);
/* Of its stores alone. */
void taint_stores(struct taint *t, const struct log_step *s, bool tainted);
bool taint_has(const struct taint *t, const struct log_reg *g);
#endif
