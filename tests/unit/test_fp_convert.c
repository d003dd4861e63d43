/*
 * Floating-point conversions give the exact results and flags in every rounding mode: between formats, from and to integers,
 * to integral values. TRAPLINE_FP_N: operands for each operation (10^6). timeout: 600
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "fp_check.h"

#define DEFINE_CONVERT(TO, FROM, suffix)                                                                                  \
    static bool convert_##suffix(struct fp_oracle *o, uint64_t a)                                                         \
    {                                                                                                                     \
        struct fp_expect want[5];                                                                                         \
        struct fp_check check = {.what = "convert " #TO " from " #FROM, .f = FROM, .a = a}, *k = &check;                  \
        fp_oracle_convert(o, TO, FROM, a, want);                                                                          \
        FP_CHECK_ALL(k, want, fp_convert(TO, FROM, a), fp_convert_rm(TO, FROM, a, rm), fp_soft_convert(TO, FROM, a, &e)); \
        return true;                                                                                                      \
    }

DEFINE_CONVERT(FP_S, FP_H, s_h)
DEFINE_CONVERT(FP_D, FP_H, d_h)
DEFINE_CONVERT(FP_H, FP_S, h_s)
DEFINE_CONVERT(FP_D, FP_S, d_s)
DEFINE_CONVERT(FP_H, FP_D, h_d)
DEFINE_CONVERT(FP_S, FP_D, s_d)

#define DEFINE_INT(FMT, T, suffix)                                                                                        \
    static bool to_##suffix(struct fp_oracle *o, uint64_t a)                                                              \
    {                                                                                                                     \
        struct fp_expect want[5];                                                                                         \
        struct fp_check check = {.what = "to " #T, .f = FMT, .a = a}, *k = &check;                                        \
        fp_oracle_to_int(o, FMT, a, T, want);                                                                             \
        FP_CHECK_ALL(k, want, fp_to_int(FMT, a, T), fp_to_int_rm(FMT, a, T, rm), fp_soft_to_int(FMT, a, T, &e));          \
        return true;                                                                                                      \
    }                                                                                                                     \
    static bool from_##suffix(struct fp_oracle *o, uint64_t v)                                                            \
    {                                                                                                                     \
        struct fp_expect want[5];                                                                                         \
        struct fp_check check = {.what = "from " #T, .f = FMT, .a = v}, *k = &check;                                      \
        uint64_t wide = T == FP_I32 ? (uint64_t)(int32_t)v : T == FP_U32 ? (uint32_t)v : v;                               \
        fp_oracle_from_int(o, FMT, wide, T, want);                                                                        \
        FP_CHECK_ALL(k, want, fp_from_int(FMT, v, T), fp_from_int_rm(FMT, v, T, rm), fp_soft_from_int(FMT, wide, T, &e)); \
        return true;                                                                                                      \
    }

DEFINE_INT(FP_H, FP_I32, h_w)
DEFINE_INT(FP_H, FP_U32, h_wu)
DEFINE_INT(FP_H, FP_I64, h_l)
DEFINE_INT(FP_H, FP_U64, h_lu)
DEFINE_INT(FP_S, FP_I32, s_w)
DEFINE_INT(FP_S, FP_U32, s_wu)
DEFINE_INT(FP_S, FP_I64, s_l)
DEFINE_INT(FP_S, FP_U64, s_lu)
DEFINE_INT(FP_D, FP_I32, d_w)
DEFINE_INT(FP_D, FP_U32, d_wu)
DEFINE_INT(FP_D, FP_I64, d_l)
DEFINE_INT(FP_D, FP_U64, d_lu)

#define DEFINE_ROUND(FMT, suffix)                                                                                             \
    static bool round_##suffix(struct fp_oracle *o, uint64_t a)                                                               \
    {                                                                                                                         \
        struct fp_expect want[5];                                                                                             \
        struct fp_check check = {.what = "froundnx", .f = FMT, .a = a}, *k = &check;                                          \
        fp_oracle_round_int(o, FMT, a, want);                                                                                 \
        FP_CHECK_ALL(k, want, fp_round(FMT, a, true), fp_round_rm(FMT, a, true, rm), fp_soft_round_int(FMT, a, true, &e));    \
        check.what = "fround";                                                                                                \
        for (unsigned rm = 0; rm < 5; rm++)                                                                                   \
            want[rm].flags &= ~(unsigned)FP_NX;                                                                               \
        FP_CHECK_ALL(k, want, fp_round(FMT, a, false), fp_round_rm(FMT, a, false, rm), fp_soft_round_int(FMT, a, false, &e)); \
        return true;                                                                                                          \
    }

DEFINE_ROUND(FP_H, h)
DEFINE_ROUND(FP_S, s)
DEFINE_ROUND(FP_D, d)

typedef bool check_fn(struct fp_oracle *o, uint64_t a);

/* An operand for a conversion to a format or integer: near the limits and ties of each kind, or anything. */
static uint64_t operand(uint64_t *seed, enum fp_fmt f)
{
    struct fp_env e = {.rm = FP_RTZ};

    switch (rng_below(seed, 4)) {
    case 0: /* an integer, give or take a few units of the format */
        return fp_soft_from_int(f, fp_integer(seed), FP_I64, &e) + rng_below(seed, 3);
    case 1: /* halves and quarters */
        return fp_soft_div(f, fp_soft_from_int(f, fp_integer(seed), FP_I64, &e), fp_soft_from_int(f, 4, FP_I32, &e), &e);
    case 2: /* a number of a narrower format, or next to one */
    {
        enum fp_fmt narrow = f == FP_D && rng_below(seed, 2) ? FP_S : FP_H;
        uint64_t half = rng_below(seed, 2) ? UINT64_C(1) << (fp_frac_bits(f) - fp_frac_bits(narrow)) >> 1 : 0;
        uint64_t a = fp_soft_convert(f, narrow, fp_operand(seed, narrow), &e) + half + rng_below(seed, 3) - 1;
        return a & ~UINT64_C(0) >> (64 - fp_width(f));
    }
    default: return fp_operand(seed, f);
    }
}

static void run(enum fp_fmt f, check_fn *const *checks, size_t count)
{
    uint64_t n = fp_operand_count(), seed = UINT64_C(0x637674) + f;
    struct fp_oracle o;

    fp_oracle_init(&o);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t a = operand(&seed, f);
        for (size_t c = 0; c < count; c++)
            assert_true(checks[c](&o, a));
    }
    fp_oracle_free(&o);
}

static void conversions_between_formats_round_once(void **state)
{
    check_fn *const from_h[] = {convert_s_h, convert_d_h};
    check_fn *const from_s[] = {convert_h_s, convert_d_s};
    check_fn *const from_d[] = {convert_h_d, convert_s_d};

    (void)state;
    run(FP_H, from_h, 2);
    run(FP_S, from_s, 2);
    run(FP_D, from_d, 2);
}

static void conversions_to_integers_saturate(void **state)
{
    check_fn *const from_h[] = {to_h_w, to_h_wu, to_h_l, to_h_lu};
    check_fn *const from_s[] = {to_s_w, to_s_wu, to_s_l, to_s_lu};
    check_fn *const from_d[] = {to_d_w, to_d_wu, to_d_l, to_d_lu};

    (void)state;
    run(FP_H, from_h, 4);
    run(FP_S, from_s, 4);
    run(FP_D, from_d, 4);
}

static void conversions_from_integers_round_once(void **state)
{
    check_fn *const all[] = {from_h_w, from_h_wu, from_h_l, from_h_lu, from_s_w, from_s_wu,
                             from_s_l, from_s_lu, from_d_w, from_d_wu, from_d_l, from_d_lu};
    uint64_t n = fp_operand_count(), seed = UINT64_C(0x696e74);
    struct fp_oracle o;

    (void)state;
    fp_oracle_init(&o);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t v = fp_integer(&seed);
        for (size_t c = 0; c < sizeof(all) / sizeof(all[0]); c++)
            assert_true(all[c](&o, v));
    }
    fp_oracle_free(&o);
}

static void rounding_to_integral_values_keeps_the_format(void **state)
{
    check_fn *const h[] = {round_h}, *const s[] = {round_s}, *const d[] = {round_d};

    (void)state;
    run(FP_H, h, 1);
    run(FP_S, s, 1);
    run(FP_D, d, 1);
}

static bool cvtmod(struct fp_oracle *o, uint64_t a)
{
    struct fp_check k = {.what = "fcvtmod.w", .f = FP_D, .a = a};
    struct fp_expect want;

    fp_oracle_cvtmod(o, a, &want);
    fp_host_enter(FP_RUP, 0);
    uint64_t bits = (uint32_t)fp64_cvtmod_w(a);
    return fp_same(&k, "mode ignored", FP_RTZ, bits, fp_host_leave(), &want);
}

static void cvtmod_wraps_instead_of_saturating(void **state)
{
    check_fn *const d[] = {cvtmod};

    (void)state;
    run(FP_D, d, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions_between_formats_round_once), cmocka_unit_test(conversions_to_integers_saturate),
        cmocka_unit_test(conversions_from_integers_round_once),   cmocka_unit_test(rounding_to_integral_values_keeps_the_format),
        cmocka_unit_test(cvtmod_wraps_instead_of_saturating),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
