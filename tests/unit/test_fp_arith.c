/*
 * Floating-point arithmetic gives the exact results and flags in every rounding mode, by every path.
 * TRAPLINE_FP_N: operands for each operation (10^6). timeout: 600
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "fp_check.h"

#ifndef OPERANDS
#define OPERANDS fp_operand_count()
#endif

#define DEFINE_CHECKS(FMT, suffix)                                                                                              \
    static bool check2_##suffix(struct fp_oracle *o, struct fp_check *k, enum fp_oracle_op op)                                  \
    {                                                                                                                           \
        struct fp_expect want[5];                                                                                               \
        uint64_t a = k->a, b = k->b;                                                                                            \
        fp_oracle_arith(o, op, FMT, a, b, 0, want);                                                                             \
        switch (op) {                                                                                                           \
        case ORACLE_ADD: FP_CHECK_ALL(k, want, fp_add(FMT, a, b), fp_add_rm(FMT, a, b, rm), fp_soft_add(FMT, a, b, &e)); break; \
        case ORACLE_SUB: FP_CHECK_ALL(k, want, fp_sub(FMT, a, b), fp_sub_rm(FMT, a, b, rm), fp_soft_sub(FMT, a, b, &e)); break; \
        case ORACLE_MUL: FP_CHECK_ALL(k, want, fp_mul(FMT, a, b), fp_mul_rm(FMT, a, b, rm), fp_soft_mul(FMT, a, b, &e)); break; \
        case ORACLE_DIV: FP_CHECK_ALL(k, want, fp_div(FMT, a, b), fp_div_rm(FMT, a, b, rm), fp_soft_div(FMT, a, b, &e)); break; \
        default: FP_CHECK_ALL(k, want, fp_sqrt(FMT, a), fp_sqrt_rm(FMT, a, rm), fp_soft_sqrt(FMT, a, &e)); break;               \
        }                                                                                                                       \
        return true;                                                                                                            \
    }                                                                                                                           \
    static bool check3_##suffix(struct fp_oracle *o, struct fp_check *k, unsigned kind)                                         \
    {                                                                                                                           \
        static const char *const names[] = {"fmadd", "fmsub", "fnmsub", "fnmadd"};                                              \
        struct fp_expect want[5];                                                                                               \
        uint64_t a = k->a, b = k->b, c = k->c;                                                                                  \
        uint64_t na = kind >= 2 ? a ^ fp_sign_bit(FMT) : a, nc = (kind & 1) != 0 ? c ^ fp_sign_bit(FMT) : c;                    \
        k->what = names[kind];                                                                                                  \
        fp_oracle_arith(o, ORACLE_FMA, FMT, na, b, nc, want);                                                                   \
        switch (kind) {                                                                                                         \
        case 0:                                                                                                                 \
            FP_CHECK_ALL(k, want, fp_fmadd(FMT, a, b, c), fp_fmadd_rm(FMT, a, b, c, rm), fp_soft_fma(FMT, na, b, nc, &e));      \
            break;                                                                                                              \
        case 1:                                                                                                                 \
            FP_CHECK_ALL(k, want, fp_fmsub(FMT, a, b, c), fp_fmsub_rm(FMT, a, b, c, rm), fp_soft_fma(FMT, na, b, nc, &e));      \
            break;                                                                                                              \
        case 2:                                                                                                                 \
            FP_CHECK_ALL(k, want, fp_fnmsub(FMT, a, b, c), fp_fnmsub_rm(FMT, a, b, c, rm), fp_soft_fma(FMT, na, b, nc, &e));    \
            break;                                                                                                              \
        default:                                                                                                                \
            FP_CHECK_ALL(k, want, fp_fnmadd(FMT, a, b, c), fp_fnmadd_rm(FMT, a, b, c, rm), fp_soft_fma(FMT, na, b, nc, &e));    \
            break;                                                                                                              \
        }                                                                                                                       \
        return true;                                                                                                            \
    }

DEFINE_CHECKS(FP_H, h)
DEFINE_CHECKS(FP_S, s)
DEFINE_CHECKS(FP_D, d)

static void run(enum fp_oracle_op op, const char *name)
{
    uint64_t n = OPERANDS, seed = UINT64_C(0x7261702e6670) + op;
    struct fp_oracle o;

    fp_oracle_init(&o);
    for (enum fp_fmt f = FP_H; f <= FP_D; f++) {
        for (uint64_t i = 0; i < n; i++) {
            struct fp_check k = {.what = name, .f = f, .a = fp_operand(&seed, f)};
            k.b = fp_operand_near(&seed, f, k.a);
            assert_true(f == FP_H ? check2_h(&o, &k, op) : f == FP_S ? check2_s(&o, &k, op) : check2_d(&o, &k, op));
        }
    }
    fp_oracle_free(&o);
}

static void addition_is_exact(void **state)
{
    (void)state;
    run(ORACLE_ADD, "add");
}

static void subtraction_is_exact(void **state)
{
    (void)state;
    run(ORACLE_SUB, "sub");
}

static void multiplication_is_exact(void **state)
{
    (void)state;
    run(ORACLE_MUL, "mul");
}

static void division_is_exact(void **state)
{
    (void)state;
    run(ORACLE_DIV, "div");
}

static void square_roots_are_exact(void **state)
{
    (void)state;
    run(ORACLE_SQRT, "sqrt");
}

/* An addend near the product: its negation, its neighbours, half a unit of it; or anything. */
static uint64_t addend(uint64_t *seed, enum fp_fmt f, uint64_t a, uint64_t b)
{
    struct fp_env e = {.rm = (uint8_t)rng_below(seed, 4)};
    uint64_t p = fp_soft_mul(f, a, b, &e);

    return rng_below(seed, 4) == 0 ? fp_operand(seed, f) : fp_operand_near(seed, f, p);
}

static void fused_operations_are_rounded_once(void **state)
{
    uint64_t n = OPERANDS, seed = UINT64_C(0x666d61);
    struct fp_oracle o;

    (void)state;
    fp_oracle_init(&o);
    for (enum fp_fmt f = FP_H; f <= FP_D; f++) {
        for (uint64_t i = 0; i < n; i++) {
            struct fp_check k = {.f = f, .a = fp_operand(&seed, f)};
            k.b = fp_operand_near(&seed, f, k.a);
            k.c = addend(&seed, f, k.a, k.b);
            for (unsigned kind = 0; kind < 4; kind++)
                assert_true(f == FP_H ? check3_h(&o, &k, kind) : f == FP_S ? check3_s(&o, &k, kind) : check3_d(&o, &k, kind));
        }
    }
    fp_oracle_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addition_is_exact),       cmocka_unit_test(subtraction_is_exact),
        cmocka_unit_test(multiplication_is_exact), cmocka_unit_test(division_is_exact),
        cmocka_unit_test(square_roots_are_exact),  cmocka_unit_test(fused_operations_are_rounded_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
