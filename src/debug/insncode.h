/* Retired instructions as bytes: docs/trace-format.md, frames 'N'. */
#ifndef TL_DEBUG_INSNCODE_H
#define TL_DEBUG_INSNCODE_H
#include "base/buf.h"
#include "cpu/insns.h"

#define INSNCODE_KNOWN 8192 /* instructions whose bits need not be told again */

/* What the coding builds on; zeroed where a frame begins. */
struct insncode {
    struct {
        uint64_t pc; /* plus 1; 0: none */
        uint32_t insn;
        uint8_t reg, store, base, from;
        uint64_t offset; /* of a store: address minus the base register, as it was last told */
    } known[INSNCODE_KNOWN];
    uint64_t next[ENGINE_CPUS];
    uint64_t value[ENGINE_CPUS][64];
};
/* Appends n records. */
void put_insns(struct insncode *x, struct buf *b, const struct insn_record *list, size_t n);
/* Takes one. Sets the cursor's `bad` where the bytes are none. */
void cur_insn(struct insncode *x, struct cursor *c, struct insn_record *out);
#endif
