/* The causes of traps as data (cause.def). */
#ifndef TL_DEBUG_RISCV_CAUSE_H
#define TL_DEBUG_RISCV_CAUSE_H
#include <stdbool.h>
#include <stdint.h>

struct rv_cause {
    bool interrupt;
    uint8_t code;
    const char *name, *meaning;
    const char *tval; /* of an exception: what xtval tells */
};
/* Exceptions by their codes, then interrupts; NULL past the last. */
const struct rv_cause *rv_cause_at(unsigned i);
/* NULL: reserved, or the platform's. */
const struct rv_cause *rv_cause(bool interrupt, uint64_t code);
#endif
