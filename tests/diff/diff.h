/*
 * Differential tests: random code on trapline and on another emulator of the same board, compared record by record.
 *
 * A batch is one image of guest RAM: a harness that runs in M-mode (harness.c) and up to DIFF_CASES cases, each with an arena of
 * its own. An arena holds the world of a case: CSRs to begin with, data pages, page tables (world.c). In each world DIFF_ROUNDS
 * blocks of random instructions (block.c) run one after the other, each with x and f registers of its own, from the same CSRs;
 * memory stays as the round before left it. So what making a world, moving an image and starting an emulator take is shared by
 * many instructions. Both emulators start from the same image. At every trap that reaches M-mode the harness writes a record with
 * all registers beside the start of the round and goes on behind the instruction; so in the end the two RAMs tell everything, and
 * compare.c compares them. A case follows from its seed and its number in the batch alone.
 */
#ifndef TL_TESTS_DIFF_H
#define TL_TESTS_DIFF_H
#include "base/bits.h"
#include "base/rng.h"
#include "cpu/riscv/decode.h"
#include "csr/riscv/csr.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DIFF_RAM_BASE UINT64_C(0x80000000)
#define DIFF_CODE     UINT64_C(0x1000)  /* offset of the harness; a jump to it is at 0 */
#define DIFF_CTL      UINT64_C(0x8000)  /* offset of the harness's own variables */
#define DIFF_ARENA0   UINT64_C(0x20000) /* offset of the first arena */
#define DIFF_ARENA    UINT64_C(0x20000) /* bytes of an arena: 32 pages */
#define DIFF_CASES    250u
#define DIFF_ROUNDS   16u
#define DIFF_ROUND0   UINT64_C(0x2000000) /* offset of the first round of the first case */
#define DIFF_ROUND    UINT64_C(0x3000)    /* bytes of a round */
#define DIFF_IMAGE    UINT64_C(0x5000000) /* bytes of an image */
#define DIFF_RAM      UINT64_C(0x8000000) /* RAM of the machines: QEMU puts a device tree below its end */
_Static_assert(DIFF_ARENA0 + DIFF_CASES * DIFF_ARENA <= DIFF_ROUND0, "the arenas fit");
_Static_assert(DIFF_ROUND0 + DIFF_CASES * DIFF_ROUNDS * DIFF_ROUND <= DIFF_IMAGE, "the rounds fit");

/* Pages of an arena. */
enum {
    PG_CODE = 2, /* the first that is used: a kilobyte a round */
    PG_DATA = 6,
    PG_VS_TABLES = 9,
    PG_G_ROOT = 16,
    PG_G_TABLES = 20,
    PG_S_TABLES = 24,
    PG_HANDLERS = 31,
    PG_COUNT = 32
};

/* A round, which no case can reach but by chance: where it starts and ends (virtual), its registers, those CSRs it begins with,
   its records. Slots of 8 bytes, RV32 uses the low half (except f registers). */
enum { ROUND_SKIP = 0, ROUND_END = 8, ROUND_X = 16, ROUND_F = 272, ROUND_PC = 528, ROUND_CSR = 536, ROUND_RECORDS = 1024 };
/* A record: x[0]'s slot is nonzero when the record is there. */
enum { REC_X = 0, REC_F = 256, REC_CSR = 512, REC_SIZE = 1408, REC_MAX = 8 };
_Static_assert(ROUND_RECORDS + REC_MAX * REC_SIZE <= DIFF_ROUND, "the records fit");
/* The harness's variables: rounds left; the round; the next record and how many may follow. */
enum { CTL_LEFT = 0, CTL_ROUND = 8, CTL_REC = 16, CTL_ROOM = 24, CTL_X3 = 32 };

/* CSRs a round begins with, in the order of writing; mstatus comes apart, as the last, and mepc is the round's. */
#define DIFF_INIT_MAX ((ROUND_RECORDS - ROUND_CSR) / 8) /* with mstatus */
unsigned diff_init_count(unsigned xlen);
unsigned diff_init_csr(unsigned xlen, unsigned i);
/* CSRs a record holds. */
unsigned diff_record_count(unsigned xlen);
unsigned diff_record_csr(unsigned xlen, unsigned i);

struct guest;
/* Writes the harness and its variables for the cases first..n-1 into RAM. */
void diff_harness(uint8_t *ram, unsigned xlen, unsigned first, unsigned n);

/* What both emulators are: configuration, decoder and the maps made from it. */
struct diff_isa {
    unsigned xlen;
    struct rv_config cfg;
    struct csr_map *map;
    struct rv_decoder *decoder;
    struct insn_row *rows;
    unsigned nrows;
};
extern const char diff_cpu_options[]; /* trapline's -cpu, after "rv32," or "rv64," */
bool diff_isa_init(struct diff_isa *isa, unsigned xlen, struct err *e);
void diff_isa_free(struct diff_isa *isa);

/* One instruction of a block. */
struct diff_insn {
    uint32_t bits;
    uint8_t bytes;
    uint8_t fix;    /* how a distance goes into bits once the layout is known */
    uint8_t target; /* instruction jumped to */
    bool inner;     /* no jump goes to it */
    uint8_t from;   /* fix FIX_I: the auipc the distance counts from */
    uint16_t at;    /* offset in the block */
};
#define DIFF_BLOCK_MAX 96

/* A case while it is made. */
struct diff_case {
    const struct diff_isa *isa;
    uint64_t rng;
    uint8_t *arena;              /* host addresses: of the arena, */
    uint8_t *rounds;             /* its rounds, */
    uint8_t *round;              /* and of the one that is made */
    unsigned slot;               /* its number in the case */
    uint64_t pa;                 /* guest physical address of the arena */
    unsigned priv, v;            /* mode the block starts in */
    uint64_t code_va;            /* address of the arena's first page as the block sees it */
    uint64_t data_va[2];         /* the same for data, as the block and as guests see it */
    uint64_t csr[DIFF_INIT_MAX]; /* to begin with: mstatus, then those of diff_init_csr */
    uint64_t x[32];
    uint64_t pointers; /* x registers that hold addresses of data */
    uint64_t mstatus, hstatus;
    bool wfi_traps;
    bool mprv;            /* the block sets MPRV */
    bool calm;            /* every load and store by a pointer is permitted */
    bool no_guest_access; /* for hlv, hsv and MPRV with MPV QEMU 7.2 takes satp.MODE and PMP for those of guests
                             (hypervisor 5.2, 5.4) */
    bool pmp;             /* PMP denies something in RAM */
    bool returns;         /* the block has had an mret or sret: it may run in any mode */
    struct diff_insn insn[DIFF_BLOCK_MAX];
    unsigned n;     /* instructions */
    unsigned start; /* offset of the block in PG_CODE */
};

/* Makes the world of the case with this seed in the arena; then its rounds, in order: only the first `keep` instructions of the
   block are there, the others do nothing. */
void diff_case_begin(const struct diff_isa *isa, uint64_t seed, unsigned index, uint8_t *ram, struct diff_case *c);
void diff_round_make(struct diff_case *c, unsigned round, unsigned keep);
/* The block (block.c), registers and world (world.c) of a case. */
void diff_block_make(struct diff_case *c);
void diff_block_write(struct diff_case *c, unsigned keep);
void diff_world_make(struct diff_case *c);
void diff_registers_make(struct diff_case *c);
void diff_set_csr(struct diff_case *c, unsigned csr, uint64_t value);
uint64_t diff_value(uint64_t *rng, unsigned xlen); /* random, often an edge */
static inline bool diff_chance(uint64_t *rng, unsigned percent) { return rng_below(rng, 100) < percent; }

/* A number of a CSR that random instructions may read into a register (rd), or may write. */
bool diff_csr_readable(unsigned xlen, unsigned csr);
bool diff_csr_writable(unsigned csr);
bool diff_csr_excluded(unsigned csr);

/* Runs the cases first..n-1 of an image on trapline; what they are in the end goes to `ram`. Cases of which a round does not come
   back get the skip marks of all rounds set, in `before`, the image as it was, too. *executed: instructions outside the harness,
   those that trap included; of the cases that come back. False: an error. */
bool diff_run_trapline(const struct diff_isa *isa, uint8_t *ram, uint8_t *before, unsigned first, unsigned n, uint64_t *executed,
                       struct err *e);
/* Runs an image on QEMU, in place; ram is a mapping of the file. False: case *stuck (below n) does not come back, or it does not
 * run. */
bool diff_run_qemu(const struct diff_isa *isa, const char *file, const uint8_t *ram, unsigned n, unsigned *stuck, struct err *e);

/* Compares a case in two RAMs. Prints the first difference to `out` when that is not NULL. */
bool diff_same(const struct diff_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out);
/* Prints the CSRs of every record of a round of a case and the page tables it began with. */
void diff_dump(const struct diff_isa *isa, const uint8_t *before, const uint8_t *mine, const uint8_t *other, unsigned index,
               unsigned round, FILE *out);
/* The block was written to while it ran: which of the two instructions runs is open without fence.i (unpriv Zifencei). */
bool diff_code_written(const uint8_t *before, const uint8_t *mine, unsigned index);
unsigned diff_records(const uint8_t *ram, unsigned index, unsigned round);
static inline uint64_t diff_arena(unsigned index) { return DIFF_ARENA0 + index * DIFF_ARENA; }
static inline uint64_t diff_round(unsigned index, unsigned round)
{
    return DIFF_ROUND0 + ((uint64_t)index * DIFF_ROUNDS + round) * DIFF_ROUND;
}
/* Marks all rounds of a case as not to be run. */
void diff_skip(uint8_t *ram, unsigned index);
#endif
