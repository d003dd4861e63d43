/*
 * The gist of a run: what a reader cannot work out by itself who has the registers, the memory that was looked at, and of
 * every instruction what it does (struct insn_rules). Most instructions then need nothing: they run by the handlers of a plain
 * run, fused ones too. Told are
 *   - each encoding, when it is first decoded: what instructions of these bits do;
 *   - each page of memory, before it is first read, stored to or executed, and whatever else than instructions writes into it;
 *   - each translation, when the soft TLB or the list of decoded pages learns it, or an access is made that they do not keep;
 *   - what devices answer;
 *   - the results of instructions without rules (system, atomic, floating-point and so on), which run apart: `step`;
 *   - traps, and changes from outside.
 * Each with the number of instructions the hart had retired: the moment at which it is so. docs/trace-format.md has the bytes.
 *
 * The functions below are called where the state's cycle and pc are those of the instruction that is executing, and only if
 * engine.insns is not NULL; without a gist (insns.h) they do nothing.
 */
#ifndef TL_CPU_GIST_H
#define TL_CPU_GIST_H
#include "cpu/insns.h"

enum gist_kind {
    GIST_INFO,   /* an encoding */
    GIST_PAGE,   /* 4 KiB of memory */
    GIST_ZERO,   /* the same, all of them 0 */
    GIST_MAP,    /* where loads and stores of a page go */
    GIST_FETCH,  /* where instructions of a page come from */
    GIST_CODE,   /* the bits of the instruction to come, which are not on one page */
    GIST_VALUE,  /* what a device answers the load to come */
    GIST_DEVICE, /* the store to come goes to a device */
    GIST_WROTE,  /* bytes in memory have changed, by no instruction */
    GIST_STEP,   /* what the instruction to come does */
    GIST_TRAP,   /* an exception of the instruction to come, or an interrupt before it */
    GIST_STATE,  /* the hart was changed from outside */
    GIST_HART,   /* another one's turn */
    GIST_SPACE,  /* which translations it uses now */
    GIST_CHECK,  /* a digest of the registers, by which a reader sees that it has followed */
    GIST_END,    /* nothing more, up to here */
    GIST_TAG,    /* an allocation tag was stored (Arm) */
    GIST_KINDS
};
#define GIST_SPACES 16 /* sets of translations a hart has */
#define GIST_MAPS   TLB_SIZE
#define GIST_PAGES  FTLB_SIZE

/* An access of c to the page of va is about to be made at pa and will not fault. user: as the level below makes it. */
void gist_touch(struct cpu *c, uint64_t va, uint64_t pa, bool user);
/* The page of pc is about to be executed, at pa. */
void gist_fetch(struct cpu *c, uint64_t pc, uint64_t pa);
/* A device has answered the load at va with n bytes; the store at va goes to a device. */
void gist_value(struct cpu *c, uint64_t va, const void *bytes, unsigned n);
void gist_device(struct cpu *c, uint64_t va);
/* n bytes at pa have changed, but by no store of a hart. */
void gist_wrote(struct engine *e, uint64_t pa, uint64_t n);
/* The instruction has stored the allocation tag of the granule at pa. */
void gist_tag(struct cpu *c, uint64_t pa, unsigned tag);
/* A store of n bytes at va was made by an instruction that then faults. */
void gist_undone(struct cpu *c, uint64_t va, uint64_t n);
/* An instruction without rules has stored n bytes, by another translation than the mode's. */
void gist_aside(struct cpu *c, uint64_t va, uint64_t pa, const void *bytes, unsigned n);
/* The state's pc has changed, by no instruction. */
void gist_pc(struct cpu *c);
/* The trap that is about to be taken is no instruction's: there is none. */
void gist_no_insn(struct cpu *c);
/* Where an instruction is decoded to be done together with the one before: whether its rules are all there is to it. */
bool gist_knows(struct cpu *c, const struct insn_info *info, unsigned more);
/* The same of an instruction of these bits that was told already; false: not so, or it is to be looked at anew. */
bool gist_known(struct cpu *c, uint32_t insn);
#endif
