#include "cpu/riscv/decode.h"
#include "cpu/riscv/exec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What the ext column may say besides the names of csr/riscv/ext.def. */
enum {
    EXT_I = RV_EXT_COUNT,
    EXT_Zbb_or_Zbkb,
    EXT_Zbc_or_Zbkc,
    EXT_Zabha_and_Zacas,
    EXT_Zcb_and_Zbb,
    EXT_Zcb_and_Zba,
    EXT_Zcb_and_M,
    EXT_Zfa_and_D,
    EXT_Zfa_and_Zfh,
    EXT_Zfhmin_and_D,
    EXT_Zicfiss_and_Zcmop,
    EXT_Zicfiss_and_S
};

enum format {
#define FORMAT(name, imm, rd, rs1, rs2) FMT_##name,
#include "cpu/riscv/insn/formats.def"
#undef FORMAT
};

static const char *const format_name[] = {
#define FORMAT(name, imm, rd, rs1, rs2) #name,
#include "cpu/riscv/insn/formats.def"
#undef FORMAT
};

struct raw {
    const char *name, *ext_name, *pattern, *body;
    uint16_t ext;
    uint8_t xlen, cost;
    uint16_t op;
    uint8_t fmt;
    bool alias;
};

static const struct raw raw_rows[] = {
#define INSN(n, e, x, p, f, c, ...) {#n, #e, p, #__VA_ARGS__, EXT_##e, x, COST_##c, OP_##n, FMT_##f, false},
#define ALIAS(n, e, x, p, f, t)     {#n, #e, p, #t, EXT_##e, x, COST_ALU, OP_##t, FMT_##f, true},
#include "cpu/riscv/insn/all.def"
#undef INSN
#undef ALIAS
};

unsigned rv_insn_count(void) { return ARRAY_LEN(raw_rows); }

struct insn_row rv_insn_row(unsigned i)
{
    const struct raw *r = &raw_rows[i];
    struct insn_row o = {r->name, r->ext_name, r->pattern, format_name[r->fmt],
                         r->body, r->ext,      r->xlen,    r->cost,
                         r->op,   r->fmt,      r->alias,   format_name[r->fmt][format_name[r->fmt][0] == 'C'] == 'F',
                         0,       0,           0,          0};
    size_t n = strlen(r->pattern);
    for (size_t k = 0; k < n; k++) {
        uint32_t bit = UINT32_C(1) << (n - 1 - k);
        if (r->pattern[k] == '0' || r->pattern[k] == '1')
            o.mask |= bit;
        if (r->pattern[k] == '1')
            o.match |= bit;
        if (r->pattern[k] == 'n')
            o.nonzero |= bit;
    }
    o.bytes = (uint8_t)(n / 8);
    return o;
}

bool rv_insn_has(const struct rv_config *c, const struct insn_row *r)
{
    switch (r->ext) {
    case EXT_I: return true;
    case EXT_Zbb_or_Zbkb: return rv_has(c, EXT_Zbb) || rv_has(c, EXT_Zbkb);
    case EXT_Zbc_or_Zbkc: return rv_has(c, EXT_Zbc) || rv_has(c, EXT_Zbkc);
    case EXT_Zabha_and_Zacas: return rv_has(c, EXT_Zabha) && rv_has(c, EXT_Zacas);
    case EXT_Zcb_and_Zbb: return rv_has(c, EXT_Zcb) && rv_has(c, EXT_Zbb);
    case EXT_Zcb_and_Zba: return rv_has(c, EXT_Zcb) && rv_has(c, EXT_Zba);
    case EXT_Zcb_and_M: return rv_has(c, EXT_Zcb) && rv_has(c, EXT_M);
    case EXT_Zfa_and_D: return rv_has(c, EXT_Zfa) && rv_has(c, EXT_D);
    case EXT_Zfa_and_Zfh: return rv_has(c, EXT_Zfa) && rv_has(c, EXT_Zfh);
    case EXT_Zfhmin_and_D: return rv_has(c, EXT_Zfhmin) && rv_has(c, EXT_D);
    case EXT_Zicfiss_and_Zcmop: return rv_has(c, EXT_Zicfiss) && rv_has(c, EXT_Zcmop);
    case EXT_Zicfiss_and_S: return rv_has(c, EXT_Zicfiss) && rv_has(c, EXT_S);
    default: return rv_has(c, (enum rv_ext)r->ext);
    }
}

/* ---- the index
 * ------------------------------------------------------------------------------------------------------------------ */

/* Rows that can match, by the bits every instruction is told apart by first: opcode[6:2] and funct3 (4 bytes), quadrant and
 * funct3 (2 bytes). */
#define KEYS (256 + 32)

static unsigned key_of(uint32_t insn)
{
    return (insn & 3) == 3 ? (insn >> 2 & 31) << 3 | (insn >> 12 & 7) : 256 + ((insn & 3) << 3 | (insn >> 13 & 7));
}

struct bucket {
    uint16_t *row;
    unsigned n;
};
struct rv_decoder {
    struct insn_row *rows;
    unsigned nrows;
    struct bucket b[2][KEYS];         /* [XLEN 32] */
    struct rv_fusion_lists fusion[2]; /* [XLEN 32] */
};

/* More fixed bits first, so that the row whose fixed bits include another's is met first; 'n' rules count as fixed for equal
 * masks. */
static int by_specificity(const void *a, const void *b)
{
    const struct insn_row *x = a, *y = b;
    int nx = __builtin_popcount(x->mask), ny = __builtin_popcount(y->mask);
    if (nx != ny)
        return ny - nx;
    return (int)x->op - (int)y->op;
}

static bool key_possible(const struct insn_row *r, unsigned key)
{
    uint32_t bits, mask;
    if (key < 256) {
        bits = 3 | (key >> 3) << 2 | (key & 7) << 12;
        mask = 0x707f;
    } else {
        bits = ((key - 256) >> 3) | ((key - 256) & 7) << 13;
        mask = 0xe003;
    }
    return (r->bytes == 4) == (key < 256) && ((bits ^ r->match) & mask & r->mask) == 0;
}

static void add(struct bucket *b, unsigned i)
{
    if (!(b->n & (b->n - 1))) /* capacity is the next power of two */
        b->row = realloc(b->row, (b->n ? 2 * b->n : 1) * sizeof *b->row);
    if (!b->row)
        abort(); /* out of host memory: nothing sensible can go on */
    b->row[b->n++] = (uint16_t)i;
}

static void list_fusions(struct rv_fusion_lists *l, const struct rv_exec *x)
{
    assert(x->fusions <= RV_FUSIONS_MAX);
    for (unsigned i = x->fusions; i-- > 0;) {
        uint16_t *first = &l->first[x->fusion_begins[i]];
        l->next[i] = *first;
        *first = (uint16_t)(i + 1);
    }
}

const struct rv_fusion_lists *rv_fusion_lists(const struct rv_decoder *d, unsigned xlen) { return &d->fusion[xlen == 32]; }

struct rv_decoder *rv_decoder_new(const struct rv_config *cfg)
{
    struct rv_decoder *d = calloc(1, sizeof *d);
    if (!d || !(d->rows = calloc(rv_insn_count(), sizeof *d->rows)))
        abort();
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (rv_insn_has(cfg, &r))
            d->rows[d->nrows++] = r;
    }
    qsort(d->rows, d->nrows, sizeof *d->rows, by_specificity);
    for (unsigned i = 0; i < d->nrows; i++) {
        for (unsigned k = 0; k < KEYS; k++) {
            if (!key_possible(&d->rows[i], k))
                continue;
            if (d->rows[i].xlen != 32)
                add(&d->b[0][k], i);
            if (d->rows[i].xlen != 64)
                add(&d->b[1][k], i);
        }
    }
    list_fusions(&d->fusion[0], &rv_exec_64);
    list_fusions(&d->fusion[1], &rv_exec_32);
    return d;
}

void rv_decoder_free(struct rv_decoder *d)
{
    if (!d)
        return;
    for (unsigned x = 0; x < 2; x++) {
        for (unsigned k = 0; k < KEYS; k++)
            free(d->b[x][k].row);
    }
    free(d->rows);
    free(d);
}

/* ---- operands
 * -------------------------------------------------------------------------------------------------------------------- */

static uint32_t field(uint32_t i, unsigned m, unsigned l) { return i >> l & (uint32_t)bits_mask(0, m - l + 1); }

static void operands(struct decoded *d, uint8_t fmt, uint32_t i)
{
#define B(m, l) field(i, m, l)
#define S(v, w) (int32_t) bits_sext((v), (w))
#define rc(n)   (8 + field(i, (n) + 2, n))
    switch (fmt) {
#define FORMAT(name, imm_, rd_, rs1_, rs2_) \
    case FMT_##name:                        \
        d->imm = (int32_t)(imm_);           \
        d->rd = (uint8_t)(rd_);             \
        d->rs1 = (uint8_t)(rs1_);           \
        d->rs2 = (uint8_t)(rs2_);           \
        break;
#include "cpu/riscv/insn/formats.def"
#undef FORMAT
    }
#undef B
#undef S
#undef rc
}

struct decoded rv_decode(const struct rv_decoder *d, uint32_t insn, unsigned xlen)
{
    struct decoded o = {.bytes = (insn & 3) == 3 ? 4 : 2};
    if (o.bytes == 2)
        insn &= 0xffff;
    const struct bucket *b = &d->b[xlen == 32][key_of(insn)];
    for (unsigned i = 0; i < b->n; i++) {
        const struct insn_row *r = &d->rows[b->row[i]];
        if ((insn & r->mask) != r->match || (r->nonzero && !(insn & r->nonzero)))
            continue;
        o.op = (enum rv_op)r->op;
        o.row = r;
        o.frd = r->frd;
        operands(&o, r->fmt, insn);
        return o;
    }
    o.op = OP_illegal;
    o.imm = (int32_t)insn;
    return o;
}
