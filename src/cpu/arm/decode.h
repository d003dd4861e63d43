/* From instruction bits to operands, by the rows of insn/. */
#ifndef TL_CPU_ARM_DECODE_H
#define TL_CPU_ARM_DECODE_H
#include "csr/arm/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One number an instruction row, OP_add_x, …; aliases have none. */
enum a64_op {
    OP_undefined,
#define INSN(name, feat, pattern, format, cost, ...) OP_##name,
#include "cpu/arm/insn/all.def"
#undef INSN
    A64_OP_COUNT
};

enum a64_cost {
    COST_ALU,
    COST_MUL,
    COST_DIV,
    COST_LOAD,
    COST_STORE,
    COST_BRANCH,
    COST_JUMP,
    COST_ATOMIC,
    COST_SYSREG,
    COST_BARRIER,
    COST_SYS,
    COST_PAUTH,
    COST_FALU,
    COST_FMUL,
    COST_FDIV,
    COST_SIMD,
    COST_CRYPTO
};

/* Register numbers of micro-ops. The X registers as a body indexes them: 31 is the current SP, and ZR has two places. */
enum {
    REG_SP = 31,
    REG_ZR = 32,  /* reads as zero, never written */
    REG_SINK = 33 /* takes results nobody reads */
};

/* A row as data: for the decoder, the documentation and the tests. */
struct a64_row {
    const char *name, *feat_name, *pattern, *format, *body;
    uint16_t feat;
    uint16_t op; /* of an alias: its target's */
    uint8_t cost, fmt;
    bool alias;
    bool conditional; /* the format has a condition of its own: the row matches only where that holds */
    uint32_t mask, match;
};

/* What a word of code means. */
struct a64_decoded {
    enum a64_op op;
    int64_t imm;
    uint8_t rd, rs1, rs2, aux;
    const struct a64_row *row; /* NULL: OP_undefined */
};

struct a64_decoder;
/* The rows a configuration has, indexed. Constant once made. */
struct a64_decoder *a64_decoder_new(const struct arm_config *cfg);
void a64_decoder_free(struct a64_decoder *d);
/* Decodes an instruction. An encoding that is not there gives OP_undefined, imm = the bits. */
struct a64_decoded a64_decode(const struct a64_decoder *d, uint32_t insn);

/* Load-exclusive, store-exclusive, of one register or a pair; compare-and-swap has the same group (C4.1.94). Bit 22: a load. */
static inline bool a64_is_exclusive(uint32_t insn)
{
    return (insn & 0x3f800000) == 0x08000000 && (!(insn & 1 << 21) || insn >> 31);
}

/* All rows of the tables, whatever the configuration. */
unsigned a64_row_count(void);
struct a64_row a64_row(unsigned i);
bool a64_row_has(const struct arm_config *cfg, const struct a64_row *row);
/* True if the condition of the row's format holds for these bits. Rows without a condition: always. */
bool a64_row_holds(const struct a64_row *row, uint32_t insn);

/* The immediate of a logical instruction of 32 or 64 bits (width): N, immr, imms. False: reserved. Arm ARM "DecodeBitMasks". */
bool a64_logical_immediate(unsigned n, unsigned immr, unsigned imms, unsigned width, uint64_t *out);
#endif
