/*
 * Retired instructions as bytes: docs/trace-format.md, frames 'N'.
 *
 *   x = insncode_new(arch->insns)            one for writing, one for reading
 *   put_insns(x, &bytes, t, list, n)         an insn_full_fn's; insncode_begin(x, &bytes) where a frame begins
 *   while (cur_insn(x, &cursor, &record))    with insncode_begin_reading(x) where a frame begins
 */
#ifndef TL_DEBUG_INSNCODE_H
#define TL_DEBUG_INSNCODE_H
#include "base/buf.h"
#include "cpu/insns.h"

#define INSNCODE_REGS   1024 /* words one record may tell of, but for a state */
#define INSNCODE_STORES 512
#define INSNCODE_BYTES  8192

/* What was stored. */
struct insn_store {
    uint64_t address;  /* virtual */
    uint32_t size, at; /* at: of its bytes in insn_record.bytes */
};
struct insn_record {
    enum insn_extra_kind kind; /* INSN_DID: an instruction; TRAPPED: one that took an exception; others: no instruction */
    uint64_t pc;
    uint32_t insn;  /* its bits; the upper half is 0 of a short one */
    uint8_t length; /* bytes */
    uint8_t hart;
    bool repeated; /* INSN_STATE: it only repeats what is known, because a frame begins */
    uint32_t regs, stores, used;
    uint32_t derived; /* 1: the first store follows from registers; the others were looked at */
    struct insn_word *reg;
    struct insn_store store[INSNCODE_STORES];
    uint8_t bytes[INSNCODE_BYTES];
};

struct insncode;
/* words: INSN_WORDS of the architecture's layout. */
struct insncode *insncode_new(const struct insn_layout *layout, unsigned words);
void insncode_free(struct insncode *x);

/* Appends n records. */
void put_insns(struct insncode *x, struct buf *b, const struct insn_trace *t, const struct insn_raw *list, size_t n);
/* A frame begins, in b: everything known so far is told again. */
void insncode_begin(struct insncode *x, struct buf *b);
uint64_t insncode_count(const struct insncode *x); /* instructions put or taken so far */

/* A frame begins, to be read. */
void insncode_begin_reading(struct insncode *x);
/* Takes one; false: there are no more. Sets the cursor's `bad` where the bytes are none. */
bool cur_insn(struct insncode *x, struct cursor *c, struct insn_record *out);
/* The registers of a hart before the instruction to come; NULL: the hart has none. */
const uint64_t *insncode_registers(const struct insncode *x, unsigned hart);
struct insn_record *insn_record_new(unsigned words);
void insn_record_free(struct insn_record *r);
#endif
