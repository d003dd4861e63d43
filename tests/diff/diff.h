/*
 * Differential tests: random code on trapline and on another emulator of the same board, compared record by record.
 *
 * A batch is one image of guest RAM: a harness that runs in M-mode (harness.c) and up to DIFF_CASES cases, each with an arena of
 * its own. An arena holds everything of a case: the state to begin with (registers, CSRs; world.c), a block of random
 * instructions (block.c), data pages, page tables, and room for the records. Both emulators start from the same image. At every
 * trap that reaches M-mode the harness writes a record with all registers into the arena and goes on behind the instruction; so
 * in the end the two RAMs tell everything, and compare.c compares them. A case follows from its seed and its number in the batch
 * alone.
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
#define DIFF_CASES    500u
#define DIFF_IMAGE    UINT64_C(0x4000000) /* bytes of an image */
#define DIFF_RAM      UINT64_C(0x8000000) /* RAM of the machines: QEMU puts a device tree below its end */
_Static_assert(DIFF_ARENA0 + DIFF_CASES * DIFF_ARENA <= DIFF_IMAGE, "the arenas fit");

/* Pages of an arena. */
enum {
    PG_DESC = 0,
    PG_RECORDS = 1,
    PG_CODE = 4,
    PG_DATA = 6,
    PG_VS_TABLES = 9,
    PG_G_ROOT = 16,
    PG_G_TABLES = 20,
    PG_S_TABLES = 24,
    PG_HANDLERS = 31,
    PG_COUNT = 32
};

/* The start of an arena; slots of 8 bytes, RV32 uses the low half (except f registers). */
enum { DESC_SKIP = 0, DESC_END = 8, DESC_X = 16, DESC_F = 272, DESC_CSR = 528 };
/* A record: x[0]'s slot is nonzero when the record is there. */
enum { REC_X = 0, REC_F = 256, REC_CSR = 512, REC_SIZE = 1408, REC_MAX = 8 };
/* The harness's variables. */
enum { CTL_LEFT = 0, CTL_CASE = 8, CTL_REC = 16, CTL_ROOM = 24, CTL_X3 = 32 };

/* CSRs a case begins with, in the order of writing; mstatus comes apart, as the last. */
unsigned diff_init_count(unsigned xlen);
unsigned diff_init_csr(unsigned xlen, unsigned i);
/* CSRs a record holds. */
unsigned diff_record_count(unsigned xlen);
unsigned diff_record_csr(unsigned xlen, unsigned i);

struct guest;
/* Instructions of the harness: for a case, and for each of its records. */
struct diff_cost {
    unsigned start, record;
};
/* Writes the harness and its variables for n cases into RAM. */
struct diff_cost diff_harness(uint8_t *ram, unsigned xlen, unsigned n);

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
    uint8_t *arena;      /* host address */
    uint64_t pa;         /* guest physical address of the arena */
    unsigned priv, v;    /* mode the block starts in */
    uint64_t code_va;    /* address of the arena's first page as the block sees it */
    uint64_t data_va[2]; /* the same for data, as the block and as guests see it */
    uint64_t x[32];
    uint64_t pointers; /* x registers that hold addresses of data */
    uint64_t mstatus, hstatus;
    bool wfi_traps;
    bool mprv; /* the block sets MPRV */
    bool calm;            /* every load and store by a pointer is permitted */
    bool no_guest_access; /* for hlv, hsv and MPRV with MPV QEMU 7.2 takes satp.MODE and PMP for those of guests
                             (hypervisor 5.2, 5.4) */
    bool pmp;             /* PMP denies something in RAM */
    bool returns;         /* the block has had an mret or sret: it may run in any mode */
    struct diff_insn insn[DIFF_BLOCK_MAX];
    unsigned n;     /* instructions */
    unsigned start; /* offset of the block in PG_CODE */
};

/* Makes the case with this seed in the arena; only the first `keep` instructions of the block are there, the others do nothing.
   Returns the number of instructions. Names of instructions: diff_case_print. */
unsigned diff_case_make(const struct diff_isa *isa, uint64_t seed, unsigned index, uint8_t *ram, unsigned keep,
                        struct diff_case *c);
/* The block (block.c) and the state (world.c) of a case. */
void diff_block_make(struct diff_case *c);
void diff_block_write(struct diff_case *c, unsigned keep);
void diff_world_make(struct diff_case *c);
void diff_set_csr(struct diff_case *c, unsigned csr, uint64_t value);
uint64_t diff_value(uint64_t *rng, unsigned xlen); /* random, often an edge */
static inline bool diff_chance(uint64_t *rng, unsigned percent) { return rng_below(rng, 100) < percent; }

/* A number of a CSR that random instructions may read into a register (rd), or may write. */
bool diff_csr_readable(unsigned xlen, unsigned csr);
bool diff_csr_writable(unsigned csr);
bool diff_csr_excluded(unsigned csr);

/* Runs an image on trapline, in place. Cases that do not come back get their skip mark set, in ram before the run, too: `before`
   is the image as it was. Returns retired instructions; 0 and a sentence on an error. */
uint64_t diff_run_trapline(const struct diff_isa *isa, uint8_t *ram, uint8_t *before, unsigned n, unsigned *hung, struct err *e);
/* Runs an image on QEMU, in place; ram is a mapping of the file. False: case *stuck (below n) does not come back, or it does not
 * run. */
bool diff_run_qemu(const struct diff_isa *isa, const char *file, const uint8_t *ram, unsigned n, unsigned *stuck, struct err *e);

/* Compares a case in two RAMs. Prints the first difference to `out` when that is not NULL. */
bool diff_same(const struct diff_isa *isa, const uint8_t *mine, const uint8_t *other, unsigned index, FILE *out);
/* Prints the CSRs of every record of a case and the page tables it began with. */
void diff_dump(const struct diff_isa *isa, const uint8_t *before, const uint8_t *mine, const uint8_t *other, unsigned index,
               FILE *out);
/* The block was written to while it ran: which of the two instructions runs is open without fence.i (unpriv Zifencei). */
bool diff_code_written(const uint8_t *before, const uint8_t *mine, unsigned index);
unsigned diff_records(const uint8_t *ram, unsigned index);
static inline uint64_t diff_arena(unsigned index) { return DIFF_ARENA0 + index * DIFF_ARENA; }
#endif
