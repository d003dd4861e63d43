/*
 * What the host's FPU does for A64 is bit by bit what the exact functions give, results and flags: function by function, and
 * instruction by instruction through the handlers, in every FPCR mode.
 * TRAPLINE_FP_N: operands for each operation (10^6). timeout: 900
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bits.h"
#include "base/rng.h"
#include "cpu/arm/pe.h"
#include "cpu/fp/arm_host.h"
#include "fp_oracle.h"
#include "machine/machine.h"

#ifndef OPERANDS
#define OPERANDS fp_operand_count()
#endif

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

struct operands {
    enum fp_fmt f;
    uint64_t a, b, c;
};
/* Does one operation both ways: by the host into *r (false: it does not agree), and exactly. */
typedef bool both_fn(const struct operands *o, uint64_t *r, uint64_t *exact, struct fp_env *e);

#define BOTH(name, by_host, exactly)                                                           \
    static bool name(const struct operands *o, uint64_t *r, uint64_t *exact, struct fp_env *e) \
    {                                                                                          \
        enum fp_fmt f = o->f;                                                                  \
        uint64_t a = o->a, b = o->b, c = o->c;                                                 \
        (void)a, (void)b, (void)c;                                                             \
        bool ok = by_host;                                                                     \
        *exact = exactly;                                                                      \
        return ok;                                                                             \
    }
#define OTHER(f)       (f == FP_S ? FP_D : FP_S)
#define ALL_ONES(f, x) ((x) ? ~UINT64_C(0) >> (64 - fp_width(f)) : 0)
#define NEG(x)         fp_arm_neg(f, x, e)
#define CMP(s, cond)   ALL_ONES(f, fp_arm_compare(f, a, b, s, e) cond)
BOTH(add, fp_arm_host_add(f, a, b, r), fp_soft_add(f, a, b, e))
BOTH(sub, fp_arm_host_sub(f, a, b, r), fp_soft_sub(f, a, b, e))
BOTH(mul, fp_arm_host_mul(f, a, b, r), fp_soft_mul(f, a, b, e))
BOTH(nmul, fp_arm_host_nmul(f, a, b, r), NEG(fp_soft_mul(f, a, b, e)))
BOTH(div_, fp_arm_host_div(f, a, b, r), fp_soft_div(f, a, b, e))
BOTH(root, fp_arm_host_sqrt(f, a, r), fp_soft_sqrt(f, a, e))
BOTH(abd, fp_arm_host_abd(f, a, b, r), fp_arm_abs(f, fp_soft_sub(f, a, b, e), e))
BOTH(madd, fp_arm_host_madd(f, c, a, b, r), fp_soft_fma(f, a, b, c, e))
BOTH(msub, fp_arm_host_msub(f, c, a, b, r), fp_soft_fma(f, NEG(a), b, c, e))
BOTH(nmadd, fp_arm_host_nmadd(f, c, a, b, r), fp_soft_fma(f, NEG(a), b, NEG(c), e))
BOTH(nmsub, fp_arm_host_nmsub(f, c, a, b, r), fp_soft_fma(f, a, b, NEG(c), e))
BOTH(max, fp_arm_host_max(f, a, b, r), fp_arm_max(f, a, b, e))
BOTH(min, fp_arm_host_min(f, a, b, r), fp_arm_min(f, a, b, e))
BOTH(maxnum, fp_arm_host_max(f, a, b, r), fp_arm_maxnum(f, a, b, e))
BOTH(minnum, fp_arm_host_min(f, a, b, r), fp_arm_minnum(f, a, b, e))
BOTH(absolute, fp_arm_host_abs(f, a, r), fp_arm_abs(f, a, e))
BOTH(negated, fp_arm_host_neg(f, a, r), NEG(a))
BOTH(cmeq, fp_arm_host_cmeq(f, a, b, r), CMP(false, == 6))
BOTH(cmgt, fp_arm_host_cmgt(f, a, b, r), CMP(true, == 2))
BOTH(cmge, fp_arm_host_cmge(f, a, b, r), ALL_ONES(f, (fp_arm_compare(f, a, b, true, e) & 10) == 2))
BOTH(convert, fp_arm_host_convert(OTHER(f), f, a, r), fp_arm_convert(OTHER(f), f, a, e))
BOTH(from_i32, fp_arm_host_from_int(f, c, 32, false, r), fp_arm_from_fixed(f, c, 0, 32, false, e))
BOTH(from_u32, fp_arm_host_from_int(f, c, 32, true, r), fp_arm_from_fixed(f, c, 0, 32, true, e))
BOTH(from_i64, fp_arm_host_from_int(f, c, 64, false, r), fp_arm_from_fixed(f, c, 0, 64, false, e))
BOTH(from_u64, fp_arm_host_from_int(f, c, 64, true, r), fp_arm_from_fixed(f, c, 0, 64, true, e))
BOTH(to_i32, fp_arm_host_truncate(f, a, 32, false, r), fp_arm_to_fixed(f, a, 0, 32, false, FP_RTZ, e))
BOTH(to_u32, fp_arm_host_truncate(f, a, 32, true, r), fp_arm_to_fixed(f, a, 0, 32, true, FP_RTZ, e))
BOTH(to_i64, fp_arm_host_truncate(f, a, 64, false, r), fp_arm_to_fixed(f, a, 0, 64, false, FP_RTZ, e))
BOTH(to_u64, fp_arm_host_truncate(f, a, 64, true, r), fp_arm_to_fixed(f, a, 0, 64, true, FP_RTZ, e))

static const struct {
    const char *name;
    both_fn *fn;
    bool integer; /* c is one */
    bool always;  /* the host does it, whatever the operands */
} functions[] = {
    {"add", add, false, false},         {"sub", sub, false, false},         {"mul", mul, false, false},
    {"nmul", nmul, false, false},       {"div", div_, false, false},        {"sqrt", root, false, false},
    {"abd", abd, false, false},         {"madd", madd, false, false},       {"msub", msub, false, false},
    {"nmadd", nmadd, false, false},     {"nmsub", nmsub, false, false},     {"max", max, false, false},
    {"min", min, false, false},         {"maxnum", maxnum, false, false},   {"minnum", minnum, false, false},
    {"abs", absolute, false, true},     {"neg", negated, false, true},      {"cmeq", cmeq, false, false},
    {"cmgt", cmgt, false, false},       {"cmge", cmge, false, false},       {"convert", convert, false, false},
    {"from_i32", from_i32, true, true}, {"from_u32", from_u32, true, true}, {"from_i64", from_i64, true, true},
    {"from_u64", from_u64, true, true}, {"to_i32", to_i32, false, false},   {"to_u32", to_u32, false, false},
    {"to_i64", to_i64, false, false},   {"to_u64", to_u64, false, false},
};

/* Every mode that the host is used in: FPCR.RMode, and DN, FZ16, AHP, which it does not know. */
static void check(unsigned i, const struct operands *o, uint64_t fpcr, uint64_t *agreed)
{
    struct fp_env e = fp_arm_env(fpcr);
    uint64_t r = 0, exact = 0;
    fp_host_enter(e.rm, 0);
    bool ok = functions[i].fn(o, &r, &exact, &e);
    unsigned flags = fp_host_leave();
    *agreed += ok;
    if ((ok && r != exact) || (ok ? flags != e.flags : (flags & ~(unsigned)e.flags)) || (functions[i].always && !ok))
        fail_msg("%s, format %d, fpcr %#llx: %#llx %#llx %#llx: host %#llx flags %#x (%s), exact %#llx flags %#x",
                 functions[i].name, o->f, (unsigned long long)fpcr, (unsigned long long)o->a, (unsigned long long)o->b,
                 (unsigned long long)o->c, (unsigned long long)r, flags, ok ? "agreed" : "not agreed", (unsigned long long)exact,
                 e.flags);
}

static void the_host_gives_what_the_exact_functions_give(void **state)
{
    (void)state;
    uint64_t n = OPERANDS, seed = UINT64_C(0x61726d686f7374);
    for (unsigned i = 0; i < ARRAY_LEN(functions); i++) {
        uint64_t agreed = 0;
        for (uint64_t k = 0; k < n; k++) {
            struct operands o = {.f = k & 1 ? FP_S : FP_D};
            o.a = fp_operand(&seed, o.f);
            o.b = fp_operand_near(&seed, o.f, o.a);
            o.c = functions[i].integer ? fp_integer(&seed) : fp_operand_near(&seed, o.f, rng_below(&seed, 2) ? o.a : o.b);
            uint64_t more = rng_next(&seed) & (FPCR_DN | FPCR_FZ16 | FPCR_AHP);
            check(i, &o, more | (k >> 1 & 3) << 22, &agreed);
        }
        assert_true(agreed > n / 4); /* else nothing was shown */
    }
}

/* The smallest normal number, from below and from above: tininess before and after rounding differ there. */
static void the_smallest_normal_number_is_left_to_the_exact_functions(void **state)
{
    (void)state;
    uint64_t agreed = 0;
    for (enum fp_fmt f = FP_S; f <= FP_D; f++) {
        uint64_t one = (uint64_t)fp_bias(f) << fp_frac_bits(f), least = UINT64_C(1) << fp_frac_bits(f);
        for (unsigned rm = 0; rm < 4; rm++) {
            for (unsigned i = 0; i < 11; i++)
                for (uint64_t k = 0; k < 64; k++) {
                    struct operands o = {
                        .f = f, .a = least + (k & 7) - 4, .b = one + (k >> 3) - 4, .c = (k & 1) << (fp_width(f) - 1)};
                    check(i, &o, (uint64_t)rm << 22, &agreed);
                }
        }
    }
    uint64_t r;
    fp_host_enter(FP_RNE, 0);
    assert_false(fp_arm_host_mul(FP_S, 0x00800001, 0x3f7ffffe, &r)); /* rounds up to it */
    assert_int_equal(r, 0x00800000);
    fp_host_leave();
}

/* ---- instructions ------------------------------------------------------------------------------------------------------- */

#define RAM   UINT64_C(0x40000000)
#define BLOCK 64u

struct world {
    struct machine *m;
    struct pe *p;
};

static struct world world_new(bool exact)
{
    struct err e;
    struct world w = {.m = machine_new(&(struct machine_config){.board = "virt-arm", .cpu = "max", .ram = 4 << 20}, &e)};
    if (!w.m)
        fail_msg("%s", e.text);
    w.p = (struct pe *)w.m->engine.cpu[0];
    w.p->fp_exact = exact;
    return w;
}

/* Rows of the FP table whose instructions touch nothing but registers. */
static unsigned fp_rows(const struct arm_config *cfg, struct a64_row *out)
{
    static const char *const names[] = {
#define INSN(name, ...)  #name,
#define ALIAS(name, ...) #name,
#include "cpu/arm/insn/simd_fp.def"
#undef INSN
#undef ALIAS
    };
    unsigned n = 0;
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row r = a64_row(i);
        for (unsigned k = 0; k < ARRAY_LEN(names); k++)
            if (!strcmp(names[k], r.name) && a64_row_has(cfg, &r)) {
                out[n++] = r;
                break;
            }
    }
    return n;
}

/* A register of lanes that make trouble, and at times anything. */
static void random_vector(uint64_t *seed, uint64_t d[2])
{
    enum fp_fmt f = (enum fp_fmt)rng_below(seed, 3);
    unsigned width = fp_width(f);
    d[0] = d[1] = 0;
    uint64_t last = fp_operand(seed, f);
    for (unsigned at = 0; at < 128; at += width) {
        d[at / 64] |= last << (at & 63);
        last = rng_below(seed, 3) ? fp_operand_near(seed, f, last) : fp_operand(seed, f);
    }
}

static void same_start(struct world w, const struct arm_state *s, const uint32_t *code)
{
    machine_write(w.m, RAM, code, BLOCK * sizeof *code);
    struct arm_state *to = &w.p->s;
    memcpy(to->x, s->x, 31 * sizeof to->x[0]);
    memcpy(to->v, s->v, sizeof to->v);
    to->fpcr = s->fpcr;
    to->fpsr = s->fpsr;
    to->pc = RAM;
    to->pstate = (to->pstate & ~(UINT64_C(15) << 28)) | (s->pstate & UINT64_C(15) << 28);
    to->regs.cpacr_el1 = UINT64_C(3) << 20;
    pe_refresh(w.p);
}

static void instructions_give_what_the_exact_functions_give(void **state)
{
    (void)state;
    struct world host = world_new(false), exact = world_new(true);
    static struct a64_row rows[2048];
    static struct arm_state s;
    unsigned n = fp_rows(host.p->cfg, rows);
    uint64_t seed = UINT64_C(0x696e736e), blocks = OPERANDS / 100;
    assert_true(n > 400);
    for (uint64_t b = 0; b < blocks; b++) {
        uint32_t code[BLOCK];
        for (unsigned i = 0; i < 31; i++)
            s.x[i] = fp_integer(&seed);
        for (unsigned i = 0; i < 32; i++)
            random_vector(&seed, s.v[i].d);
        for (unsigned i = 0; i < BLOCK; i++) {
            do {
                const struct a64_row *r = &rows[rng_below(&seed, n)];
                code[i] = ((uint32_t)rng_next(&seed) & ~r->mask) | r->match;
            } while (a64_decode(host.p->decoder, code[i]).op == OP_undefined);
        }
        s.fpcr = rng_below(&seed, 2) ? (rng_next(&seed) & 3) << 22
                                     : rng_next(&seed) & (FPCR_FIZ | FPCR_AH | FPCR_NEP | FPCR_FZ16 | FPCR_FZ | FPCR_DN |
                                                          FPCR_AHP | UINT64_C(3) << 22);
        s.fpsr = rng_below(&seed, 2) ? 0 : rng_next(&seed) & UINT64_C(0x0800009f);
        s.pstate = rng_next(&seed);
        same_start(host, &s, code);
        same_start(exact, &s, code);
        assert_int_equal(host.p->fp_host, fp_arm_hosted(s.fpcr));
        assert_false(exact.p->fp_host);
        machine_run(host.m, BLOCK);
        machine_run(exact.m, BLOCK);
        const struct arm_state *x = &host.p->s, *y = &exact.p->s;
        if (memcmp(x->v, y->v, sizeof x->v) || memcmp(x->x, y->x, sizeof x->x) || x->fpsr != y->fpsr || x->pstate != y->pstate ||
            x->pc != y->pc)
            fail_msg("block %llu: fpcr %#llx: states differ (fpsr %#llx, exactly %#llx; pc %#llx, exactly %#llx)",
                     (unsigned long long)b, (unsigned long long)s.fpcr, (unsigned long long)x->fpsr, (unsigned long long)y->fpsr,
                     (unsigned long long)x->pc, (unsigned long long)y->pc);
        assert_int_equal(x->pc, RAM + 4 * BLOCK);
    }
    machine_free(host.m);
    machine_free(exact.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_gives_what_the_exact_functions_give),
        cmocka_unit_test(the_smallest_normal_number_is_left_to_the_exact_functions),
        cmocka_unit_test(instructions_give_what_the_exact_functions_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
