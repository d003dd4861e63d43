/* A PE that does one floating-point instruction for many operands, and the oracle's operations on elements: for test_fp_arm*.c.
 */
#ifndef TL_TEST_FP_ARM_RIG_H
#define TL_TEST_FP_ARM_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "a64_guest.h"
#include "base/rng.h"
#include "cpu/arm/pe.h"
#include "fp_arm_oracle.h"
#include "fp_oracle.h"

/* ---- a PE that does one instruction for many operands ---- */

enum { BATCH = 256, CODE = 0x40000000, IN = 0x40100000, OUT = 0x40200000 };
struct input {
    uint64_t fpcr, x;
    uint64_t v[4][2]; /* the destination before, n, m, a */
};
struct output {
    uint64_t v[2], x, fpsr, nzcv, unused;
};

struct rig {
    struct arm_config cfg;
    struct sysreg_map *map;
    struct a64_decoder *decoder;
    struct mem *mem;
    struct engine engine;
    struct pe pe;
    uint64_t rng;
    uint32_t insn; /* of the code at the last place that was used */
    unsigned place;
    struct input in[BATCH];
    struct output out[BATCH];
};

static inline int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct err e;
    assert_true(arm_config_parse("max,el3=off,el2=off", &r->cfg, &e));
    r->map = sysreg_map_new(&r->cfg);
    r->decoder = a64_decoder_new(&r->cfg);
    r->mem = mem_new();
    assert_true(mem_add_ram(r->mem, "ram", CODE, 0x400000, false, &e));
    engine_init(&r->engine, r->mem, 2);
    pe_init(&r->pe, &r->engine, &r->cfg, r->map, r->decoder, 0x80000000, 16);
    r->pe.s.regs.cpacr_el1 = 3 << 20;
    r->rng = 0xa64f;
    arm_oracle_init();
    *state = r;
    return 0;
}

static inline int teardown(void **state)
{
    struct rig *r = *state;
    engine_free(&r->engine);
    mem_free(r->mem);
    a64_decoder_free(r->decoder);
    sysreg_map_free(r->map);
    free(r);
    arm_oracle_free();
    return 0;
}

/* The row `name` for registers 0 (d), 1 (n), 2 (m), 3 (a), with all bits that are free otherwise 0 but those given. */
static inline uint32_t encode(const char *name, uint32_t more)
{
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row row = a64_row(i);
        if (!strcmp(row.name, name))
            return row.match | ((0u | 1u << 5 | 2u << 16 | 3u << 10 | 1u << 30 | more) & ~row.mask);
    }
    fail_msg("there is no row %s", name);
    return 0;
}

static inline void run_batch(struct rig *r, uint32_t insn)
{
    uint32_t code[64];
    struct a64 g = {.code = code, .cap = 64};
    a64_mov_imm(&g, 10, IN);
    a64_mov_imm(&g, 11, OUT);
    a64_mov_imm(&g, 12, BATCH);
    unsigned top = g.n;
    a64_ldr(&g, 9, 10, offsetof(struct input, fpcr));
    a64_ldr(&g, 1, 10, offsetof(struct input, x));
    for (unsigned i = 0; i < 4; i++)
        a64_ldr_q(&g, i, 10, offsetof(struct input, v) + 16 * i);
    a64_msr(&g, A64_REG(3, 3, 4, 4, 0), 9);
    a64_msr(&g, A64_REG(3, 3, 4, 4, 1), 31);
    a64_msr(&g, A64_REG(3, 3, 4, 2, 0), 31);
    a64_put(&g, insn);
    a64_mrs(&g, 8, A64_REG(3, 3, 4, 4, 1));
    a64_mrs(&g, 7, A64_REG(3, 3, 4, 2, 0));
    a64_str_q(&g, 0, 11, offsetof(struct output, v));
    a64_str(&g, 0, 11, offsetof(struct output, x));
    a64_str(&g, 8, 11, offsetof(struct output, fpsr));
    a64_str(&g, 7, 11, offsetof(struct output, nzcv));
    a64_add_imm(&g, 10, 10, sizeof(struct input));
    a64_add_imm(&g, 11, 11, sizeof(struct output));
    a64_sub_imm(&g, 12, 12, 1);
    a64_cbnz(&g, 12, top);
    unsigned end = g.n;
    a64_b(&g, end);
    if (r->insn != insn) /* each in a place of its own: nothing tells the engine of code that changes */
        mem_write(r->mem, CODE + 256 * ++r->place, code, 4 * g.n);
    r->insn = insn;
    mem_write(r->mem, IN, r->in, sizeof r->in);
    uint64_t at = CODE + 256 * r->place;
    r->pe.s.pc = at;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 14 + BATCH * (end - top));
    assert_int_equal(r->pe.s.pc, at + 4 * end);
    mem_read(r->mem, OUT, r->out, sizeof r->out);
}

/* ---- operations ---- */

/* What an instruction does to one element: c is the destination before (FMLA) or the fourth register, x a general register. */
struct element {
    enum arm_fmt f;
    uint64_t a, b, c, x;
    unsigned nzcv;
    struct arm_fp fp;
};
typedef uint64_t op_fn(struct element *e);

#define OP(name, ...) \
    static inline uint64_t op_##name(struct element *e) { return __VA_ARGS__; }
OP(fabs, arm_FPAbs(e->f, e->a, &e->fp))
OP(fneg, arm_FPNeg(e->f, e->a, &e->fp))
OP(fsqrt, arm_FPSqrt(e->f, e->a, &e->fp))
OP(frintn, arm_FPRoundInt(e->f, e->a, ARM_TIEEVEN, false, &e->fp))
OP(frintp, arm_FPRoundInt(e->f, e->a, ARM_POSINF, false, &e->fp))
OP(frintm, arm_FPRoundInt(e->f, e->a, ARM_NEGINF, false, &e->fp))
OP(frintz, arm_FPRoundInt(e->f, e->a, ARM_ZERO, false, &e->fp))
OP(frinta, arm_FPRoundInt(e->f, e->a, ARM_TIEAWAY, false, &e->fp))
OP(frintx, arm_FPRoundInt(e->f, e->a, e->fp.rounding, true, &e->fp))
OP(frinti, arm_FPRoundInt(e->f, e->a, e->fp.rounding, false, &e->fp))
OP(frint32z, arm_FPRoundIntN(e->f, e->a, ARM_ZERO, 32, &e->fp))
OP(frint32x, arm_FPRoundIntN(e->f, e->a, e->fp.rounding, 32, &e->fp))
OP(frint64z, arm_FPRoundIntN(e->f, e->a, ARM_ZERO, 64, &e->fp))
OP(frint64x, arm_FPRoundIntN(e->f, e->a, e->fp.rounding, 64, &e->fp))
OP(frecpe, arm_FPRecipEstimate(e->f, e->a, &e->fp))
OP(frsqrte, arm_FPRSqrtEstimate(e->f, e->a, &e->fp))
OP(frecpx, arm_FPRecpX(e->f, e->a, &e->fp))
OP(fadd, arm_FPAdd(e->f, e->a, e->b, &e->fp))
OP(fsub, arm_FPSub(e->f, e->a, e->b, &e->fp))
OP(fmul, arm_FPMul(e->f, e->a, e->b, &e->fp))
OP(fnmul, arm_FPNeg(e->f, arm_FPMul(e->f, e->a, e->b, &e->fp), &e->fp))
OP(fmulx, arm_FPMulX(e->f, e->a, e->b, &e->fp))
OP(fdiv, arm_FPDiv(e->f, e->a, e->b, &e->fp))
OP(fmax, arm_FPMax(e->f, e->a, e->b, &e->fp))
OP(fmin, arm_FPMin(e->f, e->a, e->b, &e->fp))
OP(fmaxnm, arm_FPMaxNum(e->f, e->a, e->b, &e->fp))
OP(fminnm, arm_FPMinNum(e->f, e->a, e->b, &e->fp))
OP(fabd, arm_FPAbs(e->f, arm_FPSub(e->f, e->a, e->b, &e->fp), &e->fp))
OP(frecps, arm_FPRecipStepFused(e->f, e->a, e->b, &e->fp))
OP(frsqrts, arm_FPRSqrtStepFused(e->f, e->a, e->b, &e->fp))
OP(fmadd, arm_FPMulAdd(e->f, e->c, e->a, e->b, &e->fp))
OP(fmsub, arm_FPMulAdd(e->f, e->c, arm_FPNeg(e->f, e->a, &e->fp), e->b, &e->fp))
OP(fnmadd, arm_FPMulAdd(e->f, arm_FPNeg(e->f, e->c, &e->fp), arm_FPNeg(e->f, e->a, &e->fp), e->b, &e->fp))
OP(fnmsub, arm_FPMulAdd(e->f, arm_FPNeg(e->f, e->c, &e->fp), e->a, e->b, &e->fp))

static inline uint64_t ones(enum arm_fmt f, bool c) { return c ? UINT64_MAX >> (64 - (16u << f)) : 0; }
static inline bool above(struct element *e, uint64_t a, uint64_t b, bool equal)
{
    unsigned n = arm_FPCompare(e->f, a, b, true, &e->fp);
    return n == 2 || (equal && n == 6);
}
OP(fcmeq, ones(e->f, arm_FPCompare(e->f, e->a, e->b, false, &e->fp) == 6))
OP(fcmge, ones(e->f, above(e, e->a, e->b, true)))
OP(fcmgt, ones(e->f, above(e, e->a, e->b, false)))
OP(facge, ones(e->f, above(e, arm_FPAbs(e->f, e->a, &e->fp), arm_FPAbs(e->f, e->b, &e->fp), true)))
OP(facgt, ones(e->f, above(e, arm_FPAbs(e->f, e->a, &e->fp), arm_FPAbs(e->f, e->b, &e->fp), false)))
OP(fcmeq0, ones(e->f, arm_FPCompare(e->f, e->a, 0, false, &e->fp) == 6))
OP(fcmge0, ones(e->f, above(e, e->a, 0, true)))
OP(fcmgt0, ones(e->f, above(e, e->a, 0, false)))
OP(fcmle0, ones(e->f, above(e, 0, e->a, true)))
OP(fcmlt0, ones(e->f, above(e, 0, e->a, false)))
OP(fcmp, (e->nzcv = arm_FPCompare(e->f, e->a, e->b, false, &e->fp), 0))
OP(fcmpe, (e->nzcv = arm_FPCompare(e->f, e->a, e->b, true, &e->fp), 0))
OP(fcmp0, (e->nzcv = arm_FPCompare(e->f, e->a, 0, false, &e->fp), 0))
OP(fcmpe0, (e->nzcv = arm_FPCompare(e->f, e->a, 0, true, &e->fp), 0))

static inline uint64_t op_fjcvtzs(struct element *e)
{
    bool z;
    uint64_t r = arm_FPToFixedJS(e->a, &z, &e->fp);
    e->nzcv = z ? 4 : 0;
    return r;
}
OP(to_h, arm_FPConvert(ARM_H, e->f, e->a, e->fp.rounding, &e->fp))
OP(to_s, arm_FPConvert(ARM_S, e->f, e->a, e->fp.rounding, &e->fp))
OP(to_d, arm_FPConvert(ARM_D, e->f, e->a, e->fp.rounding, &e->fp))
OP(fcvtxn, arm_FPConvert(ARM_S, e->f, e->a, ARM_ODD, &e->fp))
OP(bfcvt, arm_FPConvertBF(e->a, &e->fp))

/* ---- running and comparing ---- */

/* Where an instruction's operands and its result are. */
enum shape {
    SCALAR, /* V0 = op(V1, V2, V3): the rest is zero or, with NEP, that of V0 (one operand), V1 (two) or V3 (three) */
    LANES,  /* every element; c is the destination's */
    FLAGS,  /* compares */
    TO_X,   /* a general register */
};

static inline uint64_t operands(void) { return fp_operand_count() * (getenv("TRAPLINE_SOAK") ? 10 : 1); }

static inline uint64_t element(const uint64_t *v, enum arm_fmt f, unsigned i)
{
    uint64_t w = 0;
    memcpy(&w, (const uint8_t *)v + (i * 2u << f), 2u << f);
    return w;
}

static inline void put_element(uint64_t *v, enum arm_fmt f, unsigned i, uint64_t w)
{
    memcpy((uint8_t *)v + (i * 2u << f), &w, 2u << f);
}

/* Operands for the first `lanes` elements of each register. */
static inline void make_input(struct rig *r, enum arm_fmt f, unsigned lanes, struct input *in)
{
    static const unsigned bits[] = {0, 1, 2, 19, 24, 25, 26};
    in->fpcr = (rng_next(&r->rng) & 3) << 22;
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++)
        if (rng_below(&r->rng, 3) == 0)
            in->fpcr |= UINT64_C(1) << bits[i];
    in->x = fp_integer(&r->rng);
    for (unsigned i = 0; i < 4; i++)
        in->v[i][0] = in->v[i][1] = rng_next(&r->rng);
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t a = fp_operand(&r->rng, (enum fp_fmt)f);
        put_element(in->v[1], f, i, a);
        put_element(in->v[2], f, i, fp_operand_near(&r->rng, (enum fp_fmt)f, a));
        put_element(in->v[0], f, i, fp_operand_near(&r->rng, (enum fp_fmt)f, a));
        put_element(in->v[3], f, i, fp_operand_near(&r->rng, (enum fp_fmt)f, a));
    }
}

static inline struct element element_of(const struct input *in, enum arm_fmt f, unsigned i, bool fourth)
{
    return (struct element){.f = f,
                            .a = element(in->v[1], f, i),
                            .b = element(in->v[2], f, i),
                            .c = element(in->v[fourth ? 3 : 0], f, i),
                            .x = in->x,
                            .fp = arm_fp_of(in->fpcr, true)};
}

struct test {
    const char *name;
    op_fn *op;
    enum arm_fmt from, to;
    enum shape shape;
    unsigned arity;
};

static inline void expect(const struct test *t, const struct input *in, struct output *want)
{
    struct element e = element_of(in, t->from, 0, t->shape == SCALAR);
    *want = (struct output){.v = {in->v[0][0], in->v[0][1]}, .x = in->x};
    if (t->shape == LANES) {
        for (unsigned i = 0; i < 8u >> t->from; i++) {
            struct element lane = element_of(in, t->from, i, false);
            put_element(want->v, t->to, i, t->op(&lane));
            want->fpsr |= lane.fp.fpsr;
        }
        return;
    }
    uint64_t result = t->op(&e);
    want->fpsr = e.fp.fpsr;
    want->nzcv = (uint64_t)e.nzcv << 28;
    if (t->shape == SCALAR) {
        bool merge = in->fpcr & 4;
        const uint64_t *from = in->v[t->arity == 1 ? 0 : t->arity == 2 ? 1 : 3];
        want->v[0] = merge ? from[0] : 0;
        want->v[1] = merge ? from[1] : 0;
        put_element(want->v, t->to, 0, result);
    } else if (t->shape == TO_X) {
        want->x = result;
    }
}

static inline void check_insn(struct rig *r, const struct test *t, uint32_t insn, uint64_t n)
{
    unsigned lanes = t->shape == LANES ? 8u >> t->from : 1;
    for (uint64_t done = 0; done < n; done += BATCH * lanes) {
        for (unsigned i = 0; i < BATCH; i++)
            make_input(r, t->from, lanes, &r->in[i]);
        run_batch(r, insn);
        for (unsigned i = 0; i < BATCH; i++) {
            struct output want, *got = &r->out[i];
            const struct input *in = &r->in[i];
            expect(t, in, &want);
            bool x = t->shape == TO_X ? got->x == want.x : true;
            if (got->v[0] != want.v[0] || got->v[1] != want.v[1] || got->fpsr != want.fpsr || got->nzcv != want.nzcv || !x)
                fail_msg("%s (%08x), FPCR %#lx, x %#lx, d %#lx %#lx, n %#lx %#lx, m %#lx %#lx, a %#lx: v %#lx %#lx, x %#lx, FPSR "
                         "%#lx, "
                         "NZCV %#lx; must be v %#lx %#lx, x %#lx, FPSR %#lx, NZCV %#lx",
                         t->name, insn, in->fpcr, in->x, in->v[0][0], in->v[0][1], in->v[1][0], in->v[1][1], in->v[2][0],
                         in->v[2][1], in->v[3][0], got->v[0], got->v[1], got->x, got->fpsr, got->nzcv, want.v[0], want.v[1],
                         want.x, want.fpsr, want.nzcv);
        }
    }
}

struct named {
    const char *name;
    op_fn *op;
};
#endif
