/* From instruction bits to micro-ops, by the rows of insn/. */
#ifndef TL_CPU_RISCV_DECODE_H
#define TL_CPU_RISCV_DECODE_H
#include "cpu/engine.h"
#include "csr/riscv/config.h"

/* One number an instruction row, OP_add, …; aliases have none. */
enum rv_op {
    OP_illegal,
#define INSN(name, ext, xlen, pattern, format, cost, ...) OP_##name,
#include "cpu/riscv/insn/all.def"
#undef INSN
    OP_COUNT
};

enum rv_cost {
    COST_ALU,
    COST_MUL,
    COST_DIV,
    COST_LOAD,
    COST_STORE,
    COST_BRANCH,
    COST_JUMP,
    COST_AMO,
    COST_CSR,
    COST_FENCE,
    COST_SYS,
    COST_FALU,
    COST_FMUL,
    COST_FDIV
};

/* A row as data: for the decoder, the documentation and the tests. */
struct insn_row {
    const char *name, *ext_name, *pattern, *format, *body;
    uint16_t ext;
    uint8_t xlen, cost;
    uint16_t op; /* of an alias: its target's */
    uint8_t fmt;
    bool alias;
    bool frd;                      /* rd names an f register: formats whose name begins with F or CF */
    uint32_t mask, match, nonzero; /* nonzero: bits of which one must be set, 0 if no such rule */
    uint8_t bytes;                 /* 2 or 4 */
};

struct decoded {
    enum rv_op op;
    int32_t imm;
    uint8_t rd, rs1, rs2, bytes;
    bool frd;
    const struct insn_row *row;
};

struct rv_decoder;
/* The rows a configuration has, indexed. Constant once made. */
struct rv_decoder *rv_decoder_new(const struct rv_config *cfg);
void rv_decoder_free(struct rv_decoder *d);
/* Decodes insn for XLEN 32 or 64. An encoding that is not there gives OP_illegal (row NULL), imm = the bits. */
struct decoded rv_decode(const struct rv_decoder *d, uint32_t insn, unsigned xlen);

/* Which fused handlers of an XLEN begin with an instruction's row: their numbers (exec.h) + 1, in their order; 0 ends the list.
 */
#define RV_FUSIONS_MAX 1024
struct rv_fusion_lists {
    uint16_t first[OP_COUNT], next[RV_FUSIONS_MAX]; /* next: by number */
};
const struct rv_fusion_lists *rv_fusion_lists(const struct rv_decoder *d, unsigned xlen);

/* All rows of the tables, whatever the configuration. */
unsigned rv_insn_count(void);
struct insn_row rv_insn_row(unsigned i);
bool rv_insn_has(const struct rv_config *cfg, const struct insn_row *row);
#endif
