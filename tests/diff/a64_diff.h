/*
 * Differential tests of A64: random code on trapline's PE and on another emulator, compared record by record. The same scheme as
 * diff.h's.
 *
 * A batch is one image of guest RAM: a harness that runs at EL3 (a64_harness.c) and up to A64_CASES cases, each with an arena of
 * its own: system registers to begin with, data, translation tables, vectors (a64_world.c). In each A64_ROUNDS blocks of random
 * instructions (a64_block.c) run one after the other, each with registers of its own. Exceptions of the levels below reach EL3 by
 * an SMC in their vectors. At each the harness writes a record with all registers beside the start of the round and goes on
 * behind the instruction. A case follows from its seed and its number in the batch alone.
 */
#ifndef TL_TESTS_A64_DIFF_H
#define TL_TESTS_A64_DIFF_H
#include "base/bits.h"
#include "base/rng.h"
#include "cpu/arm/decode.h"
#include "cpu/arm/pe.h"
#include "csr/arm/sysreg.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define A64_RAM_BASE UINT64_C(0x40000000)
#define A64_BASE     UINT64_C(0x200000) /* offset of the image in RAM: QEMU puts a device tree before it */
#define A64_CODE     UINT64_C(0)        /* offsets in the image: the harness, */
#define A64_VECTORS  UINT64_C(0x8000)   /* its vectors, */
#define A64_CTL      UINT64_C(0xc000)   /* its variables, */
#define A64_ARENA0   UINT64_C(0x200000) /* the first arena */
#define A64_ARENA    UINT64_C(0x40000)  /* bytes of an arena: 64 pages */
#define A64_CASES    250u
#define A64_ROUNDS   16u
#define A64_ROUND0   UINT64_C(0x4200000) /* the first round of the first case: in another 2 MiB than the last arena */
#define A64_ROUND    UINT64_C(0x5c00)    /* bytes of a round */
#define A64_IMAGE    UINT64_C(0x9e00000)
#define A64_RAM      UINT64_C(0x10000000)
_Static_assert(A64_ARENA0 + A64_CASES * A64_ARENA <= A64_ROUND0, "the arenas fit");
_Static_assert(A64_ROUND0 + A64_CASES * A64_ROUNDS * A64_ROUND <= A64_IMAGE, "the rounds fit");

/* Pages of 4 KiB of an arena; what has attributes of its own begins at multiples of 16 KiB, as tables do. */
enum {
    PGA_CODE = 0,       /* 8 pages: two kilobytes a round */
    PGA_DATA = 8,       /* 8 pages */
    PGA_VECTORS = 16,   /* the first of 4 */
    PGA_S1_TABLES = 20, /* 8 pages each: three levels of 4 KiB, or two of 16 KiB */
    PGA_EL2_TABLES = 28,
    PGA_EL3_TABLES = 36,
    PGA_S2_TABLES = 44,
    PGA_S1_64K = 32, /* tables of the last level of 64 KiB: of their 16 pages a case uses few bytes in the first three */
    PGA_EL2_64K = 48,
    PGA_S2_64K = 48,
    PGA_MORE = 56, /* 8 pages of data, in another 64 KiB than the code */
    PGA_COUNT = 64
};

/* A round, which no case can reach; slots of 8 bytes, V registers 16. */
enum {
    ROUNDA_SKIP = 0,
    ROUNDA_END = 8,
    ROUNDA_PC = 16,
    ROUNDA_PSTATE = 24,
    ROUNDA_X = 32,
    ROUNDA_ROOM = 280, /* records, after which the round ends */
    ROUNDA_V = 288,
    ROUNDA_REG = 800, /* system registers to begin with */
    ROUNDA_RECORDS = 2048,
    ROUNDA_INIT = 0x4800,        /* more system registers to begin with, */
    ROUNDA_WIDE = 0x4800 + 2560, /* and what they are in the end */
};
#define A64_WIDE_MAX 318u
enum { ROUNDA_VSTCR = ROUNDA_WIDE - 16, ROUNDA_VSTTBR = ROUNDA_WIDE - 8 }; /* written in Secure state, unless 0 */
/* A record. */
enum { RECA_THERE = 0, RECA_X = 8, RECA_V = 256, RECA_REG = 768, RECA_SIZE = 2048, RECA_MAX = 8, RECA_ROOM = 16 };
_Static_assert(ROUNDA_RECORDS + RECA_MAX * RECA_SIZE <= ROUNDA_INIT, "the records fit");
_Static_assert(ROUNDA_INIT + 8 * A64_WIDE_MAX <= ROUNDA_WIDE && ROUNDA_WIDE + 8 * A64_WIDE_MAX <= A64_ROUND, "the registers fit");
/* The harness's variables: rounds left, the round, how many records may follow. */
enum { CTLA_LEFT = 0, CTLA_ROUND = 8, CTLA_ROOM = 16 };

/* System registers a round begins with, in the order of writing, and those a record holds. */
#define A64_INIT_MAX ((ROUNDA_RECORDS - ROUNDA_REG) / 8)
unsigned a64_init_count(void);
unsigned a64_init_reg(unsigned i); /* enum sysreg_id */
unsigned a64_record_count(void);
unsigned a64_record_reg(unsigned i);

/* A system register that a round begins or ends with, as EL3 sees it with SCR_EL3.NS 1, or 0 (secure). */
struct a64_wide {
    uint16_t id;
    bool secure;
};

struct a64_isa {
    unsigned witness; /* QEMU's version: 7, or what TRAPLINE_DIFF_QEMU has: 10, 11 */
    struct arm_config cfg;
    struct sysreg_map *map;
    struct a64_decoder *decoder;
    struct a64_row *rows;
    unsigned nrows;
    uint8_t *kinds;                                         /* of rows, what a64_block.c makes of them */
    struct a64_wide wide[A64_WIDE_MAX], init[A64_WIDE_MAX]; /* a64_regs.c; besides those of a64_record_reg, a64_init_reg */
    unsigned nwide, ninit;
    uint16_t any[A64_WIDE_MAX]; /* what blocks read and write with any legal value */
    unsigned nany;
    struct mem *mem;   /* for a PE that */
    struct mem *blank; /* RAM that images are run in, by forks, which share its spare pages */
    struct engine *engine;
    struct pe *pe; /* legalises values of system registers */
};
/* Fills kinds. */
void a64_kinds_init(struct a64_isa *isa);
/* Fills wide and init. */
void a64_regs_init(struct a64_isa *isa);
/* Takes away the registers that the other emulator has not, as a64_probe.c's image in `probe` tells; prints them. */
void a64_regs_drop(struct a64_isa *isa, const uint8_t *probe, FILE *out);
/* The register is not compared; *why. QEMU 7.2 has none. */
bool a64_reg_excepted(const struct a64_isa *isa, unsigned id, const char **why);
bool a64_reg_absent(const struct a64_isa *isa, unsigned id);
/* Bits of a register that are not compared. */
uint64_t a64_reg_mask(unsigned id);
/* Bits that tell of what a younger witness has and trapline has not. */
uint64_t a64_reg_younger(const struct a64_isa *isa, unsigned id);
/* A register of wide[i] is the same. */
bool a64_same_wide(const struct a64_isa *isa, unsigned i, uint64_t mine, uint64_t other);
bool a64_isa_init(struct a64_isa *isa, struct err *e);
void a64_isa_free(struct a64_isa *isa);
/* The PE that legalises values is as it was in the beginning. What a register keeps depends on others, and on what it held. */
void a64_isa_reset(const struct a64_isa *isa);

/* Writes the harness and its variables for the cases first..n-1 into the image. */
void a64_harness(const struct a64_isa *isa, uint8_t *image, unsigned first, unsigned n);

#define A64_BLOCK_MAX 240
struct a64_insn {
    uint32_t bits;
    uint8_t target; /* instruction jumped to, 0 if no jump */
    bool inner;     /* no jump goes to it */
    bool address;   /* adr: of the target */
};

/* A case while it is made. */
struct a64_case {
    const struct a64_isa *isa;
    uint64_t rng;
    uint8_t *arena;             /* host addresses: of the arena, */
    uint8_t *rounds;            /* its rounds, */
    uint8_t *round;             /* and of the one that is made; */
    unsigned slot;              /* the number of that */
    unsigned index;             /* of the case in the batch */
    uint64_t pa;                /* guest physical address of the arena, a multiple of its size */
    uint64_t va;                /* address of the arena's first page as the block sees it */
    uint64_t reg[A64_INIT_MAX]; /* values of a64_init_reg's */
    uint8_t grain[4];           /* log2 of the granule of stage 2, and of stage 1 of EL1 to EL3: 12, 14, 16 */
    uint8_t size[4];            /* the same of T0SZ */
    bool wide[4];               /* and of DS: addresses of 52 bits */
    unsigned el;                /* level the block starts in, */
    unsigned now;               /* and the one an instruction is made for, if nothing comes between */
    bool el2;                   /* EL2 is enabled */
    bool secure;                /* the levels below EL3 are */
    uint64_t vstcr, vsttbr;     /* of Secure stage 2; 0: there is no Secure EL2 */
    bool e2h, tge;              /* HCR_EL2 */
    bool fgt;                   /* fine-grained traps are in use, */
    bool pie;                   /* permissions may be indirect, */
    bool indirect;              /* and are, of stage 1 */
    bool ecv, offset;           /* the physical counter may have an offset, and has */
    bool stage2;                /* is on */
    bool dirty;                 /* hardware manages dirty state, */
    bool flagged;               /* or sets the access flag alone */
    bool unreadable;            /* stage 2 lets code be executed that may not be read */
    bool shared;                /* code may be executed at EL0 and at the level above */
    bool pauth;                 /* keys are enabled */
    bool tags;                  /* tags of memory are in use, */
    bool checked;               /* and a wrong one has an effect at every level */
    bool user_counters;         /* EL0 may be permitted single counters; then MDCR_ELx.TPM is 0 */
    bool debug_el3;             /* MDCR_EL3.TDA may be 1; then MDCR_EL2 is not accessed, which QEMU 7.2 does not trap */
    bool debug;                 /* breakpoints are enabled, and may match: instructions are passed over */
    bool watch, step;           /* watchpoints may; instructions are stepped */
    bool debugged;              /* any of these */
    uint64_t bvr[6], wvr[4];    /* DBGBVR<n>_EL1, DBGWVR<n>_EL1 of the round, */
    uint32_t bcr[6], wcr[4];    /* DBGBCR<n>_EL1, DBGWCR<n>_EL1 */
    bool strict;                /* SCTLR_ELx.A */
    uint64_t pointers;          /* x registers that hold addresses of data */
    uint32_t smalls;            /* and small numbers, for offsets */
    struct a64_insn insn[A64_BLOCK_MAX];
    unsigned n, start; /* instructions; offset of the block in PGA_CODE */
    unsigned reach;    /* no jump goes further than this instruction */
    unsigned met;      /* where an instruction was made that every way passes */
};

/* Makes the world of the case with this seed in the arena; then its rounds, in order: only the first `keep` instructions of the
   block are there, the others do nothing. */
void a64_case_begin(const struct a64_isa *isa, uint64_t seed, unsigned index, uint8_t *image, struct a64_case *c);
void a64_round_make(struct a64_case *c, unsigned round, unsigned keep);
void a64_block_make(struct a64_case *c);
void a64_block_write(struct a64_case *c, unsigned keep);
/* For the makers of other instructions: appends one; a register that holds no address. */
void a64_block_put(struct a64_case *c, uint32_t bits);
unsigned a64_block_scratch(struct a64_case *c);
/* A register that holds an address of data, if there is one; the address of an instruction at least `ahead` on into rt. */
unsigned a64_block_pointer(struct a64_case *c);
void a64_block_put_address(struct a64_case *c, unsigned rt, unsigned ahead);
/* Behind every jump's target: what follows is passed on every way. */
void a64_block_meet(struct a64_case *c);
/* A random access to a system register, a system instruction, an exception return, a change of a descriptor (a64_sysreg.c). */
void a64_put_sysreg(struct a64_case *c);
void a64_put_system_instruction(struct a64_case *c);
void a64_put_eret(struct a64_case *c);
void a64_put_change(struct a64_case *c);
/* A legal value of a register, with which time decides nothing. */
uint64_t a64_reg_value(struct a64_case *c, unsigned id);
/* Accesses of a register that are not made, as QEMU 7.2 does them wrong: docs/differences.md. */
bool a64_reg_left_out(const struct a64_case *c, unsigned id, bool write);
void a64_world_make(struct a64_case *c);
void a64_registers_make(struct a64_case *c);
void a64_set_reg(struct a64_case *c, unsigned id, uint64_t value);
/* Self-hosted debug (a64_debug.c): what a case has, when the world is made; its registers, when the round's block is made. */
void a64_debug_choose(struct a64_case *c);
void a64_debug_make(struct a64_case *c);
uint64_t a64_debug_value(const struct a64_case *c, unsigned id, uint64_t legal);
void a64_debug_print(const struct a64_case *c, FILE *out);
uint64_t a64_debug_spsr(struct a64_case *c, uint64_t spsr);
/* The offset in the arena of the last-level descriptor of a 4 KiB page of it, in the regime of an exception level. */
uint64_t a64_leaf(const struct a64_case *c, unsigned el, unsigned page);
uint64_t a64_value(uint64_t *rng);
/* A witness before the version `fixed` does something wrong. */
static inline bool a64_before(const struct a64_case *c, unsigned fixed) { return c->isa->witness < fixed; }
static inline bool a64_chance(uint64_t *rng, unsigned percent) { return rng_below(rng, 100) < percent; }

/* Runs the cases first..n-1 of an image; what it is in the end goes to `image`, which is all zero. A round that does not end is
   cut, in `before`, the image as it was, too: it ends with the last record it makes, or is not run where it makes none. *retired:
   the instructions outside the harness. False: an error. */
bool a64_run_trapline(const struct a64_isa *isa, uint8_t *image, uint8_t *before, unsigned first, unsigned n, uint64_t *retired,
                      struct err *e);
/* Runs an image of which every round ends once more, instruction by instruction, and counts what is executed. *same: the outcome
   is `image`. */
struct a64_cover;
bool a64_run_steps(const struct a64_isa *isa, const uint8_t *image, uint8_t *before, unsigned n, struct a64_cover *cover,
                   bool *same, struct err *e);
/* The same cuts in another copy of `before`. */
void a64_cut_alike(uint8_t *image, const uint8_t *before, unsigned first, unsigned n);
/* Runs an image on QEMU, in place; image is a part of the mapped file. False: case *stuck (below n) does not come back, or it
   does not run. */
bool a64_run_qemu(const struct a64_isa *isa, const char *file, const uint8_t *image, unsigned n, unsigned *stuck, struct err *e);
/* Compares a case in two images. Prints the first difference to `out` when that is not NULL. */
bool a64_same(const struct a64_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out);
/* Prints where the records of a round were made. */
void a64_dump(const uint8_t *mine, const uint8_t *other, unsigned index, unsigned round, FILE *out);
/* The class of the exception a record tells of, and the level it was taken to. */
unsigned a64_taken(const uint8_t *image, unsigned index, unsigned round, unsigned n, unsigned *el);
unsigned a64_records(const uint8_t *image, unsigned index, unsigned round);
/* Cases first..n-1 have written to the harness, or to what a round of theirs begins with. */
bool a64_overwritten(const uint8_t *before, const uint8_t *image, unsigned first, unsigned n);
bool a64_tables_written(const uint8_t *before, const uint8_t *mine, unsigned index);
/* The block was written to while it ran. */
bool a64_code_written(const uint8_t *before, const uint8_t *mine, unsigned index);
static inline uint64_t a64_arena(unsigned index) { return A64_ARENA0 + index * A64_ARENA; }
static inline uint64_t a64_round(unsigned index, unsigned round)
{
    return A64_ROUND0 + ((uint64_t)index * A64_ROUNDS + round) * A64_ROUND;
}
/* An image that, once run, tells which system registers an emulator has at EL3 and what they hold after a reset (a64_probe.c). */
void a64_probe_make(const struct a64_isa *isa, uint8_t *image);
bool a64_probe_has(const struct a64_isa *isa, const uint8_t *image, unsigned id, uint64_t *value);
/* Marks all rounds of a case as not to be run. */
void a64_skip(uint8_t *image, unsigned index);
#endif
