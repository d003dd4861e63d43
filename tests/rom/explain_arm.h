/*
 * An A64 machine put into any state by hand, and an event at its next boundary: what the tests of explanations are made of.
 *
 * Code lies at 0x40001000, mapped 1:1 and read-only for every level. Page k of 0x80000000 is mapped by entry k of one last-level
 * table of stage 1 and of stage 2 (enum entry); pages A64_S2 + k of stage 1 are good there and go by entry k of stage 2.
 */
#ifndef TL_TESTS_ROM_EXPLAIN_ARM_H
#define TL_TESTS_ROM_EXPLAIN_ARM_H
#include "machine/trapline.h"

enum a64_entry {
    A64_INVALID,
    A64_RW, /* EL1 alone */
    A64_RW_EL0,
    A64_RO,
    A64_RO_EL0,
    A64_NO_AF,
    A64_DEVICE,
    A64_HOLE,
    A64_SERIAL,
    A64_NO_X,  /* UXN, PXN; stage 2: XN */
    A64_BLOCK, /* a block descriptor at the last level: reserved */
    A64_PAGES,
    A64_S2 = 64
};

#define A64_CODE UINT64_C(0x40001000)
#define A64_DATA UINT64_C(0x80000000)

/* EL3, EL2 and what the cpu max has; secure: with EL3. */
struct machine *a64_world(bool secure);
/* Its state becomes: this level with SP_ELx, at the code, x0 = address of a good page, everything masked or off that can be. */
void a64_place(struct machine *m, unsigned el, uint32_t insn);
/* Turns the stages on: bit 0 stage 1 of every regime, bit 1 stage 2. */
void a64_paging(struct machine *m, unsigned stages);
/* What permissions come from besides descriptors, and what hardware changes in those, at random: TCR2_EL1 and VTCR_EL2 with what
   they turn to; bits of the pages' descriptors. rng: base/rng.h. */
void a64_models(struct machine *m, uint64_t *rng);
void a64_set(struct machine *m, const char *name, uint64_t v);
uint64_t a64_get(struct machine *m, const char *name);
void a64_serror(struct machine *m);
void a64_line(struct machine *m, unsigned line);

/* Instructions and events that can raise something. */
struct a64_event {
    const char *name;
    uint32_t insn;
    void (*make)(struct machine *m, unsigned el); /* NULL: the instruction alone */
};
extern const struct a64_event a64_events[];
extern const unsigned a64_event_count;
#endif
