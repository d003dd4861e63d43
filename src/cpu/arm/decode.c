#include "cpu/arm/decode.h"

#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

/* What the feat column may say besides the names of csr/arm/feat.def. */
enum { FEAT_BASE = ARM_FEAT_COUNT, FEAT_LRCPC3_and_FP, FEAT_FP16_and_FCMA };

enum format {
#define FORMAT(name, ok, imm, rd, rs1, rs2, aux) FMT_##name,
#include "cpu/arm/insn/formats.def"
#undef FORMAT
};

#define ALWAYS true
static const struct format_row {
    const char *name, *ok;
} format_rows[] = {
#define FORMAT(name, ok, imm, rd, rs1, rs2, aux) {#name, #ok},
#include "cpu/arm/insn/formats.def"
#undef FORMAT
};

struct raw {
    const char *name, *feat_name, *pattern, *body;
    uint16_t feat, op;
    uint8_t cost, fmt;
    bool alias;
};

static const struct raw raw_rows[] = {
#define INSN(n, e, p, f, c, ...) {#n, #e, p, #__VA_ARGS__, FEAT_##e, OP_##n, COST_##c, FMT_##f, false},
#define ALIAS(n, e, p, f, t)     {#n, #e, p, #t, FEAT_##e, OP_##t, COST_ALU, FMT_##f, true},
#include "cpu/arm/insn/all.def"
#undef INSN
#undef ALIAS
};

unsigned a64_row_count(void) { return ARRAY_LEN(raw_rows); }

struct a64_row a64_row(unsigned i)
{
    const struct raw *r = &raw_rows[i];
    struct a64_row o = {.name = r->name,
                        .feat_name = r->feat_name,
                        .pattern = r->pattern,
                        .format = format_rows[r->fmt].name,
                        .body = r->body,
                        .feat = r->feat,
                        .op = r->op,
                        .cost = r->cost,
                        .fmt = r->fmt,
                        .alias = r->alias,
                        .conditional = strcmp(format_rows[r->fmt].ok, "ALWAYS") != 0};
    size_t n = strlen(r->pattern);
    for (size_t k = 0; k < n; k++) {
        uint32_t bit = UINT32_C(1) << (n - 1 - k);
        if (r->pattern[k] == '0' || r->pattern[k] == '1')
            o.mask |= bit;
        if (r->pattern[k] == '1')
            o.match |= bit;
    }
    return o;
}

bool a64_row_has(const struct arm_config *c, const struct a64_row *r)
{
    switch (r->feat) {
    case FEAT_BASE: return true;
    case FEAT_FP16_and_FCMA: return arm_has(c, FEAT_FP16) && arm_has(c, FEAT_FCMA);
    case FEAT_LRCPC3_and_FP: return arm_has(c, FEAT_LRCPC3) && arm_has(c, FEAT_FP);
    default: return arm_has(c, (enum arm_feat)r->feat);
    }
}

/* ---- operands ------------------------------------------------------------------------------------------------------- */

bool a64_logical_immediate(unsigned n, unsigned immr, unsigned imms, unsigned width, uint64_t *out)
{
    unsigned key = n << 6 | (~imms & 63);
    if (key < 2 || (n && width == 32))
        return false;
    unsigned size = 1u << (31 - __builtin_clz(key)), levels = size - 1; /* of an element */
    unsigned s = imms & levels, r = immr & levels;
    if (s == levels)
        return false;
    uint64_t ones = bits_mask(0, s + 1), v = r ? (ones >> r | ones << (size - r)) & bits_mask(0, size) : ones;
    for (unsigned k = size; k < width; k *= 2)
        v |= v << k;
    *out = v;
    return true;
}

static inline uint32_t field(uint32_t i, unsigned m, unsigned l) { return i >> l & (uint32_t)bits_mask(0, m - l + 1); }

static int64_t logical(uint32_t i, unsigned width)
{
    uint64_t v = 0;
    a64_logical_immediate(field(i, 22, 22), field(i, 21, 16), field(i, 15, 10), width, &v);
    return width == 32 ? (int32_t)v : (int64_t)v;
}

static bool logical_ok(uint32_t i, unsigned width)
{
    uint64_t v;
    return a64_logical_immediate(field(i, 22, 22), field(i, 21, 16), field(i, 15, 10), width, &v);
}

/* The right shift that follows the left shift of a bitfield move, for registers of `width` bits. */
static int bitfield_right(uint32_t i, int width)
{
    int immr = (int)field(i, 21, 16), imms = (int)field(i, 15, 10);
    return imms >= immr ? width - 1 - imms + immr : immr - imms - 1;
}

/* Operands as formats.def writes them. */
#define B(m, l)      field(i, m, l)
#define S(v, w)      bits_sext((v), (w))
#define SP(m, l)     B(m, l)
#define Z(m, l)      (B(m, l) == 31 ? REG_ZR : B(m, l))
#define D(m, l)      (B(m, l) == 31 ? REG_SINK : B(m, l))
#define V(m, l)      B(m, l)
#define SCALE_X      B(31, 30)
#define SCALE_V      (B(31, 30) | B(23, 23) << 2)
#define TIMES(v, sh) ((int64_t)((uint64_t)(v) << (sh)))

static void operands(struct a64_decoded *d, uint8_t fmt, uint32_t i)
{
    switch (fmt) {
#define FORMAT(name, ok, imm_, rd_, rs1_, rs2_, aux_) \
    case FMT_##name:                                  \
        d->imm = (int64_t)(imm_);                     \
        d->rd = (uint8_t)(rd_);                       \
        d->rs1 = (uint8_t)(rs1_);                     \
        d->rs2 = (uint8_t)(rs2_);                     \
        d->aux = (uint8_t)(aux_);                     \
        break;
#include "cpu/arm/insn/formats.def"
#undef FORMAT
    }
}

bool a64_row_holds(const struct a64_row *row, uint32_t i)
{
    switch (row->fmt) {
#define FORMAT(name, ok, imm, rd, rs1, rs2, aux) \
    case FMT_##name:                             \
        return (ok);
#include "cpu/arm/insn/formats.def"
#undef FORMAT
    default: return false;
    }
}

/* ---- the index ------------------------------------------------------------------------------------------------------ */

/* Rows that can match, by the bits instructions are told apart by first: 31 to 21. */
#define KEY_SHIFT 21
#define KEYS      (1u << (32 - KEY_SHIFT))

struct bucket {
    uint16_t *row;
    unsigned n;
};
struct a64_decoder {
    struct a64_row *rows;
    unsigned nrows;
    struct bucket b[KEYS];
};

/* More fixed bits first, so that the row whose fixed bits include another's is met first; at equal ones a condition. */
static int by_specificity(const void *a, const void *b)
{
    const struct a64_row *x = a, *y = b;
    int nx = __builtin_popcount(x->mask), ny = __builtin_popcount(y->mask);
    if (nx != ny)
        return ny - nx;
    if (x->conditional != y->conditional)
        return y->conditional - x->conditional;
    return (int)x->op - (int)y->op;
}

static void add(struct bucket *b, unsigned i)
{
    if (!(b->n & (b->n - 1))) /* capacity is the next power of two */
        b->row = realloc(b->row, (b->n ? 2 * b->n : 1) * sizeof *b->row);
    if (!b->row)
        abort(); /* out of host memory: nothing sensible can go on */
    b->row[b->n++] = (uint16_t)i;
}

struct a64_decoder *a64_decoder_new(const struct arm_config *cfg)
{
    struct a64_decoder *d = calloc(1, sizeof *d);
    if (!d || !(d->rows = calloc(a64_row_count(), sizeof *d->rows)))
        abort(); /* out of host memory: nothing sensible can go on */
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row r = a64_row(i);
        if (a64_row_has(cfg, &r))
            d->rows[d->nrows++] = r;
    }
    qsort(d->rows, d->nrows, sizeof *d->rows, by_specificity);
    for (unsigned i = 0; i < d->nrows; i++) {
        uint32_t mask = d->rows[i].mask >> KEY_SHIFT, match = d->rows[i].match >> KEY_SHIFT, open = ~mask & (KEYS - 1);
        for (uint32_t sub = open;; sub = (sub - 1) & open) { /* every value of the bits that are open */
            add(&d->b[match | sub], i);
            if (!sub)
                break;
        }
    }
    return d;
}

void a64_decoder_free(struct a64_decoder *d)
{
    if (!d)
        return;
    for (unsigned k = 0; k < KEYS; k++)
        free(d->b[k].row);
    free(d->rows);
    free(d);
}

struct a64_decoded a64_decode(const struct a64_decoder *d, uint32_t insn)
{
    struct a64_decoded o = {.op = OP_undefined, .imm = insn};
    const struct bucket *b = &d->b[insn >> KEY_SHIFT];
    for (unsigned i = 0; i < b->n; i++) {
        const struct a64_row *r = &d->rows[b->row[i]];
        if ((insn & r->mask) != r->match || (r->conditional && !a64_row_holds(r, insn)))
            continue;
        o.op = (enum a64_op)r->op;
        o.row = r;
        operands(&o, r->fmt, insn);
        break;
    }
    return o;
}
