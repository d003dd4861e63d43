/*
 * The vector forms of A64's floating point give what the Arm ARM's pseudocode gives (fp_arm_oracle.h): pairs, across lanes, by
 * element, complex numbers, products of short formats by element, conversions, comparisons; every FPCR as in test_fp_arm.c.
 *
 * TRAPLINE_FP_N: operands for each row (10,000); TRAPLINE_SOAK: 10^6.
 *
 * timeout: 900
 */
#include "fp_arm_rig.h"

/* What a row must give: `in` and the instruction's own numbers make want->v and want->fpsr. */
struct form {
    const char *row;
    op_fn *op;
    enum arm_fmt from, to;
    unsigned index;  /* of the element, or the rotation in quarters */
    unsigned rotate; /* FCMLA by element, which has both */
    bool upper;      /* FMLAL2 and the like */
    bool negate;     /* FMLSL */
    unsigned rest;   /* of a scalar: the register whose upper part stays with FPCR.NEP, or NO_REST */
};
enum { NO_REST = 9 };
typedef void expect_fn(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v);

static uint64_t count(void)
{
    const char *n = getenv("TRAPLINE_FP_N");
    return n && *n ? strtoull(n, NULL, 0) : getenv("TRAPLINE_SOAK") ? 1000000 : 10000;
}

/* op of two elements and the destination's, whose flags gather in c. */
static uint64_t apply(const struct form *t, uint64_t a, uint64_t b, uint64_t d, struct arm_fp *c)
{
    struct element e = {.f = t->from, .a = a, .b = b, .c = d, .fp = *c};
    uint64_t result = t->op(&e);
    c->fpsr |= e.fp.fpsr;
    return result;
}

static unsigned lanes_of(const struct form *t) { return 8u >> t->from; }

/* ---- shapes ---- */

static void pairwise(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    unsigned n = lanes_of(t);
    for (unsigned i = 0; i < n; i++) {
        const uint64_t *from = in->v[i < n / 2 ? 1 : 2];
        unsigned at = 2 * i % n;
        put_element(v, t->to, i, apply(t, element(from, t->from, at), element(from, t->from, at + 1), 0, c));
    }
}

static void one_pair(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    v[0] = v[1] = 0;
    put_element(v, t->to, 0, apply(t, element(in->v[1], t->from, 0), element(in->v[1], t->from, 1), 0, c));
}

/* Arm ARM Reduce: the upper half's result is the second operand. */
static uint64_t reduce(const struct form *t, const uint64_t *from, unsigned at, unsigned n, struct arm_fp *c)
{
    if (n == 1)
        return element(from, t->from, at);
    uint64_t high = reduce(t, from, at + n / 2, n / 2, c), low = reduce(t, from, at, n / 2, c);
    return apply(t, low, high, 0, c);
}

static void across(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    v[0] = v[1] = 0;
    put_element(v, t->to, 0, reduce(t, in->v[1], 0, lanes_of(t), c));
}

static void by_element(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    for (unsigned i = 0; i < lanes_of(t); i++)
        put_element(
            v, t->to, i,
            apply(t, element(in->v[1], t->from, i), element(in->v[2], t->from, t->index), element(in->v[0], t->from, i), c));
}

/* The result of a scalar; the rest is 0, or stays. */
static void put_scalar(const struct form *t, const struct input *in, uint64_t result, uint64_t *v)
{
    bool merge = in->fpcr & 4 && t->rest != NO_REST;
    const uint64_t *from = in->v[merge ? t->rest : 0];
    uint64_t rest[2] = {merge ? from[0] : 0, merge ? from[1] : 0};
    put_element(rest, t->to, 0, result);
    memcpy(v, rest, 16);
}

static void scalar(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    uint64_t b = element(in->v[2], t->from, t->index), d = element(in->v[0], t->from, 0);
    put_scalar(t, in, apply(t, element(in->v[1], t->from, 0), b, d, c), v);
}

static void lanes(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    for (unsigned i = 0; i < lanes_of(t); i++)
        put_element(v, t->to, i,
                    apply(t, element(in->v[1], t->from, i), element(in->v[2], t->from, i), element(in->v[0], t->from, i), c));
}

/* FCADD: of FPCR.AH, too, what FPNeg does. */
static void complex_add(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    for (unsigned i = 0; i < lanes_of(t); i += 2) {
        uint64_t real = element(in->v[2], t->from, i), imaginary = element(in->v[2], t->from, i + 1);
        uint64_t first = t->index ? imaginary : arm_FPNeg(t->from, imaginary, c),
                 second = t->index ? arm_FPNeg(t->from, real, c) : real;
        put_element(v, t->to, i, arm_FPAdd(t->from, element(in->v[1], t->from, i), first, c));
        put_element(v, t->to, i + 1, arm_FPAdd(t->from, element(in->v[1], t->from, i + 1), second, c));
    }
}

static void complex_mla(const struct form *t, unsigned rotate, bool one, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    enum arm_fmt f = t->from;
    for (unsigned i = 0; i < lanes_of(t); i += 2) {
        unsigned at = one ? 2 * t->index : i;
        uint64_t real = element(in->v[2], f, at), imaginary = element(in->v[2], f, at + 1);
        uint64_t with = element(in->v[1], f, i + (rotate & 1)); /* what both are multiplied with */
        uint64_t first = rotate & 1 ? imaginary : real, second = rotate & 1 ? real : imaginary;
        if (rotate == 1 || rotate == 2)
            first = arm_FPNeg(f, first, c);
        if (rotate >= 2)
            second = arm_FPNeg(f, second, c);
        put_element(v, t->to, i, arm_FPMulAdd(f, element(in->v[0], f, i), with, first, c));
        put_element(v, t->to, i + 1, arm_FPMulAdd(f, element(in->v[0], f, i + 1), with, second, c));
    }
}

static void complex_vector(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    complex_mla(t, t->index, false, in, c, v);
}

static void complex_element(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    complex_mla(t, t->rotate, true, in, c, v);
}

static void fmlal_element(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t a = element(in->v[1], ARM_H, i + (t->upper ? 4 : 0));
        if (t->negate)
            a = arm_FPNeg(ARM_H, a, c);
        put_element(v, ARM_S, i, arm_FPMulAddH(element(in->v[0], ARM_S, i), a, element(in->v[2], ARM_H, t->index), c));
    }
}

static void bfdot_element(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    for (unsigned i = 0; i < 4; i++)
        put_element(v, ARM_S, i,
                    arm_BFDotAdd(element(in->v[0], ARM_S, i), element(in->v[1], ARM_H, 2 * i),
                                 element(in->v[2], ARM_H, 2 * t->index), element(in->v[1], ARM_H, 2 * i + 1),
                                 element(in->v[2], ARM_H, 2 * t->index + 1), c));
}

static void bfmlal_element(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    for (unsigned i = 0; i < 4; i++) /* Q is 1: BFMLALT */
        put_element(v, ARM_S, i,
                    arm_BFMulAddH(element(in->v[0], ARM_S, i), element(in->v[1], ARM_H, 2 * i + 1),
                                  element(in->v[2], ARM_H, t->index), c));
}

/* Q is 1: the upper half of the destination gets the results, the lower stays. */
static void narrow(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    unsigned n = lanes_of(t);
    v[0] = in->v[0][0];
    for (unsigned i = 0; i < n; i++)
        put_element(v, t->to, n + i, apply(t, element(in->v[1], t->from, i), 0, 0, c));
}

/* Q is 1: from the upper half. */
static void widen(const struct form *t, const struct input *in, struct arm_fp *c, uint64_t *v)
{
    unsigned n = lanes_of(t) / 2;
    for (unsigned i = 0; i < n; i++)
        put_element(v, t->to, i, apply(t, element(in->v[1], t->from, n + i), 0, 0, c));
}

/* ---- running and comparing ---- */

static void make(struct rig *r, const struct form *t, expect_fn *fn, struct input *in)
{
    bool short_products = fn == fmlal_element || fn == bfdot_element || fn == bfmlal_element, bf = t->row[0] == 'b';
    make_input(r, t->from, lanes_of(t), in);
    for (unsigned h = 0; short_products && h < 8; h++) {
        uint64_t a = bf ? fp_operand(&r->rng, FP_S) >> 16 : fp_operand(&r->rng, FP_H);
        put_element(in->v[1], ARM_H, h, a);
        put_element(in->v[2], ARM_H, h, bf ? fp_operand_near(&r->rng, FP_S, a << 16) >> 16 : fp_operand_near(&r->rng, FP_H, a));
    }
}

static void check(struct rig *r, const struct form *t, expect_fn *fn, uint32_t insn)
{
    for (uint64_t done = 0; done < count(); done += BATCH * lanes_of(t)) {
        for (unsigned i = 0; i < BATCH; i++)
            make(r, t, fn, &r->in[i]);
        run_batch(r, insn);
        for (unsigned i = 0; i < BATCH; i++) {
            const struct input *in = &r->in[i];
            const struct output *got = &r->out[i];
            struct arm_fp c = arm_fp_of(in->fpcr, true);
            uint64_t v[2] = {in->v[0][0], in->v[0][1]};
            fn(t, in, &c, v);
            if (got->v[0] != v[0] || got->v[1] != v[1] || got->fpsr != c.fpsr)
                fail_msg("%s (%08x), FPCR %#lx, d %#lx %#lx, n %#lx %#lx, m %#lx %#lx: %#lx %#lx, FPSR %#lx; must be %#lx %#lx, "
                         "FPSR %#x",
                         t->row, insn, in->fpcr, in->v[0][0], in->v[0][1], in->v[1][0], in->v[1][1], in->v[2][0], in->v[2][1],
                         got->v[0], got->v[1], got->fpsr, v[0], v[1], c.fpsr);
        }
    }
}

/* The row for V0, V1, V2 and Q = 1 where it leaves them free, and `more`. */
static uint32_t vector_row(const char *name, uint32_t more)
{
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row row = a64_row(i);
        if (!strcmp(row.name, name))
            return row.match | ((1u << 5 | 2u << 16 | 1u << 30 | more) & ~row.mask);
    }
    fail_msg("there is no row %s", name);
    return 0;
}

/* <name><suffix>_h, _s, _d, from the first format on. */
static void check_rows(struct rig *r, const char *name, op_fn *op, expect_fn *fn, enum arm_fmt first, enum arm_fmt last,
                       unsigned rest)
{
    for (enum arm_fmt f = first; f <= last; f++) {
        char row[32];
        snprintf(row, sizeof row, "%s_%c", name, "hsd"[f]);
        const struct form t = {.row = row, .op = op, .from = f, .to = f, .rest = rest};
        check(r, &t, fn, vector_row(row, 0));
    }
}

static void pairs(void **state)
{
    static const struct named rows[] = {
        {"faddp", op_fadd}, {"fmaxp", op_fmax}, {"fminp", op_fmin}, {"fmaxnmp", op_fmaxnm}, {"fminnmp", op_fminnm}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char name[16];
        snprintf(name, sizeof name, "%s_v", rows[i].name);
        check_rows(*state, name, rows[i].op, pairwise, ARM_H, ARM_D, 0);
        snprintf(name, sizeof name, "%s_1", rows[i].name);
        check_rows(*state, name, rows[i].op, one_pair, ARM_H, ARM_D, 0);
    }
}

static void across_lanes(void **state)
{
    static const struct named rows[] = {{"fmaxv", op_fmax}, {"fminv", op_fmin}, {"fmaxnmv", op_fmaxnm}, {"fminnmv", op_fminnm}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        check_rows(*state, rows[i].name, rows[i].op, across, ARM_H, ARM_S, 0);
}

/* The bits of an element's number: H, L and M, of which the larger formats use fewer. */
static uint32_t index_bits(enum arm_fmt f, unsigned index)
{
    unsigned hlm = index << f;
    return (hlm >> 2 & 1) << 11 | (hlm >> 1 & 1) << 21 | (hlm & 1) << 20;
}

static void elements(void **state)
{
    static const struct {
        const char *name;
        op_fn *op;
        unsigned rest;
    } rows[] = {{"fmla_el", op_fmadd, 0}, {"fmls_el", op_fmsub, 0}, {"fmul_el", op_fmul, 1}, {"fmulx_el", op_fmulx, 1}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (enum arm_fmt f = ARM_H; f <= ARM_D; f++)
            for (unsigned index = 0; index < 8u >> f; index++)
                for (unsigned first = 0; first < 2; first++) {
                    char row[32];
                    snprintf(row, sizeof row, "%s_%se_%c", rows[i].name, first ? "1" : "", "hsd"[f]);
                    const struct form t = {
                        .row = row, .op = rows[i].op, .from = f, .to = f, .index = index, .rest = rows[i].rest};
                    check(*state, &t, first ? scalar : by_element, vector_row(row, index_bits(f, index)));
                }
}

static void complex_numbers(void **state)
{
    for (enum arm_fmt f = ARM_H; f <= ARM_D; f++) {
        char row[32];
        struct form t = {.row = row, .from = f, .to = f};
        snprintf(row, sizeof row, "fcadd_%c", "hsd"[f]);
        for (t.index = 0; t.index < 2; t.index++)
            check(*state, &t, complex_add, vector_row(row, t.index << 12));
        snprintf(row, sizeof row, "fcmla_%c", "hsd"[f]);
        for (t.index = 0; t.index < 4; t.index++)
            check(*state, &t, complex_vector, vector_row(row, t.index << 11));
        if (f == ARM_D)
            continue;
        snprintf(row, sizeof row, f == ARM_H ? "fcmla_e_h8" : "fcmla_e_s");
        for (t.index = 0; t.index < 4u >> f; t.index++)
            for (t.rotate = 0; t.rotate < 4; t.rotate++)
                check(
                    *state, &t, complex_element,
                    vector_row(row, (f == ARM_H ? (t.index >> 1) << 11 | (t.index & 1) << 21 : t.index << 11) | t.rotate << 13));
    }
}

static void products_by_element(void **state)
{
    static const char *const rows[] = {"fmlal_e", "fmlsl_e", "fmlal2_e", "fmlsl2_e", "bfmlal_e", "bfdot_e"};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        bool dot = !strcmp(rows[i], "bfdot_e"), bf = rows[i][0] == 'b';
        struct form t = {
            .row = rows[i], .from = ARM_S, .to = ARM_S, .upper = strchr(rows[i], '2'), .negate = strstr(rows[i], "mls")};
        for (t.index = 0; t.index < (dot ? 4 : 8); t.index++)
            check(*state, &t,
                  dot  ? bfdot_element
                  : bf ? bfmlal_element
                       : fmlal_element,
                  vector_row(rows[i], index_bits(dot ? ARM_S : ARM_H, t.index)));
    }
}

/* ---- conversions ---- */

static struct {
    unsigned fbits;
    bool is_unsigned;
    enum arm_rounding rounding;
} integer_op;
OP(to_fixed, arm_FPToFixed(e->f, e->a, integer_op.fbits, 16u << e->f, integer_op.is_unsigned, integer_op.rounding, &e->fp))
OP(from_fixed, arm_FixedToFP(e->f, e->a, integer_op.fbits, 16u << e->f, integer_op.is_unsigned, &e->fp))

static void check_conversion(struct rig *r, const char *row, op_fn *op, enum arm_fmt f, bool first, bool fixed)
{
    const struct form t = {.row = row, .op = op, .from = f, .to = f};
    uint32_t insn = vector_row(row, 0);
    if (fixed) /* immh:immb */
        insn = (insn & ~(127u << 16)) | ((32u << f) - integer_op.fbits) << 16;
    check(r, &t, first ? scalar : lanes, insn);
}

static void to_integers(void **state)
{
    static const enum arm_rounding rounding[] = {ARM_TIEEVEN, ARM_TIEAWAY, ARM_NEGINF, ARM_POSINF, ARM_ZERO};
    struct rig *r = *state;
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 12; k++) {
            enum arm_fmt f = (enum arm_fmt)(k % 3);
            bool first = k / 6;
            char row[32];
            integer_op.fbits = 0;
            integer_op.is_unsigned = k / 3 % 2;
            integer_op.rounding = rounding[i];
            snprintf(row, sizeof row, "fcvt%c%c_v_%s_%c", "nampz"[i], integer_op.is_unsigned ? 'u' : 's', first ? "21" : "2",
                     "hsd"[f]);
            check_conversion(r, row, op_to_fixed, f, first, false);
            if (rounding[i] != ARM_ZERO)
                continue;
            integer_op.fbits = 1 + (unsigned)rng_below(&r->rng, 16u << f);
            snprintf(row, sizeof row, "fcvtz%c_v_%s_%c", integer_op.is_unsigned ? 'u' : 's', first ? "i1" : "i", "hsd"[f]);
            check_conversion(r, row, op_to_fixed, f, first, true);
        }
}

static void from_integers(void **state)
{
    struct rig *r = *state;
    for (unsigned k = 0; k < 12; k++) {
        enum arm_fmt f = (enum arm_fmt)(k % 3);
        bool first = k / 6;
        char row[32];
        integer_op.fbits = 0;
        integer_op.is_unsigned = k / 3 % 2;
        snprintf(row, sizeof row, "%ccvtf_v_%s_%c", integer_op.is_unsigned ? 'u' : 's', first ? "21" : "2", "hsd"[f]);
        check_conversion(r, row, op_from_fixed, f, first, false);
        integer_op.fbits = 1 + (unsigned)rng_below(&r->rng, 16u << f);
        snprintf(row, sizeof row, "%ccvtf_v_%s_%c", integer_op.is_unsigned ? 'u' : 's', first ? "i1" : "i", "hsd"[f]);
        check_conversion(r, row, op_from_fixed, f, first, true);
    }
}

static void between_formats(void **state)
{
    static const struct form narrower[] = {{.row = "fcvtn_h", .op = op_to_h, .from = ARM_S, .to = ARM_H},
                                           {.row = "fcvtn_s", .op = op_to_s, .from = ARM_D, .to = ARM_S},
                                           {.row = "fcvtxn_v", .op = op_fcvtxn, .from = ARM_D, .to = ARM_S},
                                           {.row = "bfcvtn", .op = op_bfcvt, .from = ARM_S, .to = ARM_H}};
    static const struct form wider[] = {{.row = "fcvtl_s", .op = op_to_s, .from = ARM_H, .to = ARM_S},
                                        {.row = "fcvtl_d", .op = op_to_d, .from = ARM_S, .to = ARM_D}};
    for (unsigned i = 0; i < ARRAY_LEN(narrower); i++)
        check(*state, &narrower[i], narrow, vector_row(narrower[i].row, 0));
    for (unsigned i = 0; i < ARRAY_LEN(wider); i++)
        check(*state, &wider[i], widen, vector_row(wider[i].row, 0));
}

static void rounding_to_the_range_of_integers(void **state)
{
    static const struct named rows[] = {
        {"frint32z_v", op_frint32z}, {"frint32x_v", op_frint32x}, {"frint64z_v", op_frint64z}, {"frint64x_v", op_frint64x}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        check_rows(*state, rows[i].name, rows[i].op, lanes, ARM_S, ARM_D, 0);
}

static void scalar_comparisons(void **state)
{
    static const struct named two[] = {
        {"fcmeq_1", op_fcmeq}, {"fcmge_1", op_fcmge}, {"fcmgt_1", op_fcmgt}, {"facge_1", op_facge}, {"facgt_1", op_facgt}};
    static const struct named zero[] = {{"fcmeq0_21", op_fcmeq0},
                                        {"fcmge0_21", op_fcmge0},
                                        {"fcmgt0_21", op_fcmgt0},
                                        {"fcmle0_21", op_fcmle0},
                                        {"fcmlt0_21", op_fcmlt0}};
    for (unsigned i = 0; i < ARRAY_LEN(two); i++)
        check_rows(*state, two[i].name, two[i].op, scalar, ARM_H, ARM_D, 2);
    for (unsigned i = 0; i < ARRAY_LEN(zero); i++)
        check_rows(*state, zero[i].name, zero[i].op, scalar, ARM_H, ARM_D, NO_REST);
}

static uint64_t op_same(struct element *e) { return e->a; }
static uint64_t op_one(struct element *e) { return e->f == ARM_H ? 0x3c00 : e->f == ARM_S ? 0x3f800000 : 0x3ff0000000000000; }

/* FMOV keeps nothing of its destination, whatever FPCR.NEP is (Arm ARM "FMOV (register)", "FMOV (scalar, immediate)"). */
static void scalar_moves(void **state)
{
    for (enum arm_fmt f = ARM_H; f <= ARM_D; f++) {
        char row[32];
        struct form t = {.row = row, .op = op_same, .from = f, .to = f, .rest = NO_REST};
        snprintf(row, sizeof row, "fmov_%c", "hsd"[f]);
        check(*state, &t, scalar, vector_row(row, 0));
        t.op = op_one;
        snprintf(row, sizeof row, "fmov_%c_imm", "hsd"[f]);
        check(*state, &t, scalar, vector_row(row, 0x70u << 13));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),
        cmocka_unit_test(across_lanes),
        cmocka_unit_test(elements),
        cmocka_unit_test(complex_numbers),
        cmocka_unit_test(products_by_element),
        cmocka_unit_test(to_integers),
        cmocka_unit_test(from_integers),
        cmocka_unit_test(between_formats),
        cmocka_unit_test(rounding_to_the_range_of_integers),
        cmocka_unit_test(scalar_comparisons),
        cmocka_unit_test(scalar_moves),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
