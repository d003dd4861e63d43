/* One hart with some RAM for tests of instructions: put an instruction somewhere, run it, look at the state. */
#ifndef TL_TESTS_INSN_WORLD_H
#define TL_TESTS_INSN_WORLD_H
#include "cpu/riscv/decode.h"
#include "cpu/riscv/hart.h"

#define INSN_RAM      UINT64_C(0x80000000)
#define INSN_RAM_SIZE UINT64_C(0x10000)
#define INSN_DATA     (INSN_RAM + 0x8000) /* 4 KiB that random loads and stores may use */
#define INSN_TRAP     (INSN_RAM + 0xf000)

struct insn_world {
    struct mem *mem;
    struct engine *engine;
    struct hart *h;
    struct rv_config cfg;
    struct csr_map *map;
    struct rv_decoder *decoder;
    uint64_t seed;
};

/* cpu: a -cpu text. Traps go to INSN_TRAP in M. */
struct insn_world *insn_world_new(const char *cpu);
void insn_world_free(struct insn_world *w);
/* Writes an instruction (or n of them) at pa, as a loader would. */
void insn_world_put(struct insn_world *w, uint64_t pa, const void *code, unsigned bytes);
/* Runs one instruction at pc in the present mode. */
void insn_world_step(struct insn_world *w, uint64_t pc);
/* A value for an x register, XLEN-wide and sign-extended: often near a power of two, small, or all ones. */
uint64_t insn_value(uint64_t *seed, unsigned xlen);
static inline uint64_t insn_sext(uint64_t v, unsigned bits) { return (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits)); }
/* How many random operands each instruction gets: TRAPLINE_FP_N / 250 (the common switch for fewer random cases), or 2000. */
unsigned insn_rounds(void);
#endif
