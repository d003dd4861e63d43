/*
 * Floating point besides arithmetic: comparisons, minimum and maximum, classes, signs, NaN boxing, constants, and the host's
 * environment as the guest's. TRAPLINE_FP_N: operands for each operation (10^6). timeout: 300
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "fp_check.h"

static const enum fp_fmt formats[] = {FP_H, FP_S, FP_D};

static bool compare_one(struct fp_oracle *o, enum fp_fmt f, uint64_t a, uint64_t b)
{
    int order = fp_oracle_compare(o, f, a, b);
    bool snan = fp_is_snan(f, a) || fp_is_snan(f, b), nan = order == 2;
    const struct {
        const char *name;
        bool want;
        bool nv;
    } cases[] = {
        {"feq", order == 0, snan},
        {"flt", order == -1, nan},
        {"fle", order == -1 || order == 0, nan},
        {"fltq", order == -1, snan},
        {"fleq", order == -1 || order == 0, snan},
    };

    for (unsigned i = 0; i < 5; i++) {
        struct fp_check k = {.what = cases[i].name, .f = f, .a = a, .b = b};
        struct fp_expect want = {cases[i].want, cases[i].nv ? FP_NV : 0};
        bool r = false;
        fp_host_enter(FP_RDN, 0);
#define CASE(n, op) \
    case n: r = f == FP_H ? op(FP_H, a, b) : f == FP_S ? op(FP_S, a, b) : op(FP_D, a, b); break
        switch (i) {
            CASE(0, fp_eq);
            CASE(1, fp_lt);
            CASE(2, fp_le);
            CASE(3, fp_ltq);
            CASE(4, fp_leq);
        }
#undef CASE
        if (!fp_same(&k, "mode loaded", 0, r, fp_host_leave(), &want))
            return false;
    }
    return true;
}

/* What fmin and fmax, or fminm and fmaxm (`number` false) give, from the order. */
static struct fp_expect choose(struct fp_oracle *o, enum fp_fmt f, uint64_t a, uint64_t b, bool max, bool number)
{
    int order = fp_oracle_compare(o, f, a, b);
    unsigned flags = fp_is_snan(f, a) || fp_is_snan(f, b) ? FP_NV : 0;

    if (order == 2) {
        bool one = fp_is_nan(f, a) != fp_is_nan(f, b);
        return (struct fp_expect){number && one ? (fp_is_nan(f, a) ? b : a) : fp_nan(f), flags};
    }
    if (order == 0)
        return (struct fp_expect){fp_is_neg(f, a) != max ? a : b, 0};
    return (struct fp_expect){(order < 0) != max ? a : b, 0};
}

static bool minmax_one(struct fp_oracle *o, enum fp_fmt f, uint64_t a, uint64_t b)
{
    static const char *const names[] = {"fmin", "fmax", "fminm", "fmaxm"};
    uint64_t (*const fn[])(enum fp_fmt, uint64_t, uint64_t) = {fp_min, fp_max, fp_minm, fp_maxm};

    for (unsigned i = 0; i < 4; i++) {
        struct fp_check k = {.what = names[i], .f = f, .a = a, .b = b};
        struct fp_expect want = choose(o, f, a, b, (i & 1) != 0, i < 2);
        fp_host_enter(FP_RNE, 0);
        uint64_t r = fn[i](f, a, b);
        if (!fp_same(&k, "mode loaded", 0, r, fp_host_leave(), &want))
            return false;
    }
    return true;
}

static void comparisons_and_minima_follow_the_order_of_numbers(void **state)
{
    uint64_t n = fp_operand_count(), seed = 7;
    struct fp_oracle o;

    (void)state;
    fp_oracle_init(&o);
    for (unsigned i = 0; i < 3; i++) {
        enum fp_fmt f = formats[i];
        for (uint64_t j = 0; j < n; j++) {
            uint64_t a = fp_operand(&seed, f), b = fp_operand_near(&seed, f, a);
            assert_true(compare_one(&o, f, a, b));
            assert_true(minmax_one(&o, f, a, b));
        }
    }
    fp_oracle_free(&o);
}

static void classes_agree_with_the_host(void **state)
{
    uint64_t n = fp_operand_count(), seed = 8;

    (void)state;
    for (uint64_t j = 0; j < n; j++) {
        uint64_t a = fp_operand(&seed, FP_D);
        double d = fp_to_double(a);
        unsigned want = 0;
        bool neg = a >> 63 != 0;
        switch (fpclassify(d)) {
        case FP_NAN: want = (a >> 51 & 1) != 0 ? FP_CLASS_QNAN : FP_CLASS_SNAN; break;
        case FP_INFINITE: want = neg ? FP_CLASS_NEG_INF : FP_CLASS_POS_INF; break;
        case FP_ZERO: want = neg ? FP_CLASS_NEG_ZERO : FP_CLASS_POS_ZERO; break;
        case FP_SUBNORMAL: want = neg ? FP_CLASS_NEG_SUBNORMAL : FP_CLASS_POS_SUBNORMAL; break;
        default: want = neg ? FP_CLASS_NEG_NORMAL : FP_CLASS_POS_NORMAL; break;
        }
        assert_int_equal(fp_classify(FP_D, a), want);
    }
}

static void classes_of_narrow_formats_are_those_of_their_edges(void **state)
{
    static const struct {
        uint16_t a;
        unsigned want;
    } edges[] = {
        {0xfc00, 1 << 0}, {0xfbff, 1 << 1}, {0x8400, 1 << 1}, {0x83ff, 1 << 2}, {0x8001, 1 << 2}, {0x8000, 1 << 3},
        {0x0000, 1 << 4}, {0x0001, 1 << 5}, {0x03ff, 1 << 5}, {0x0400, 1 << 6}, {0x7bff, 1 << 6}, {0x7c00, 1 << 7},
        {0x7c01, 1 << 8}, {0x7dff, 1 << 8}, {0xfc01, 1 << 8}, {0x7e00, 1 << 9}, {0xffff, 1 << 9},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
        assert_int_equal(fp_classify(FP_H, edges[i].a), edges[i].want);
    assert_int_equal(fp_classify(FP_S, 0x007fffff), FP_CLASS_POS_SUBNORMAL);
    assert_int_equal(fp_classify(FP_S, 0xff800000), FP_CLASS_NEG_INF);
    assert_int_equal(fp_classify(FP_S, 0x7fbfffff), FP_CLASS_SNAN);
}

static void sign_injection_moves_bits_only(void **state)
{
    (void)state;
    fp_host_enter(FP_RNE, 0);
    assert_int_equal(fp_sgnj(FP_D, 0x7ff0000000000001, UINT64_C(0x8000000000000000)), 0xfff0000000000001);
    assert_int_equal(fp_sgnjn(FP_S, 0xff800001, 0x80000000), 0x7f800001);
    assert_int_equal(fp_sgnjx(FP_H, 0x8000, 0xfe00), 0);
    assert_int_equal(fp_sgnjx(FP_H, 0x7c01, 0xfe00), 0xfc01);
    assert_int_equal(fp_host_leave(), 0);
}

static void unboxed_registers_read_as_canonical_nan(void **state)
{
    (void)state;
    assert_int_equal(fp_unbox(FP_S, 0xffffffff3f800000), 0x3f800000);
    assert_int_equal(fp_unbox(FP_S, 0xfffffffe3f800000), FP32_NAN);
    assert_int_equal(fp_unbox(FP_S, 0x3f800000), FP32_NAN);
    assert_int_equal(fp_unbox(FP_H, 0xffffffffffff3c00), 0x3c00);
    assert_int_equal(fp_unbox(FP_H, 0xfffffffffffe3c00), FP16_NAN);
    assert_int_equal(fp_unbox(FP_H, 0x7fffffffffff3c00), FP16_NAN);
    assert_int_equal(fp_unbox(FP_D, 0x3c00), 0x3c00);
    assert_int_equal(fp_box(FP_S, 0x3f800000), 0xffffffff3f800000);
    assert_int_equal(fp_box(FP_H, 0x3c00), 0xffffffffffff3c00);
    assert_int_equal(fp_box(FP_D, 0x3c00), 0x3c00);
}

static void fli_constants_are_those_of_the_table(void **state)
{
    static const double values[] = {
        -1,    0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625,  0.75,
        0.875, 1, 1.25,    1.5,     1.75,   2,      2.5,    3,     4,    8,      16,    128,    256, 0x1p15, 0x1p16,
    };

    (void)state;
    for (unsigned n = 0; n < 30; n++) {
        if (n == 1)
            continue;
        assert_int_equal(fp_fli(FP_D, n), fp_from_double(values[n]));
        assert_int_equal(fp_fli(FP_S, n), fp_from_float((float)values[n]));
        struct fp_env e = {.rm = FP_RNE};
        assert_int_equal(fp_fli(FP_H, n), fp_soft_convert(FP_H, FP_D, fp_from_double(values[n]), &e));
    }
    assert_int_equal(fp_fli(FP_H, 1), 0x0400);
    assert_int_equal(fp_fli(FP_S, 1), 0x00800000);
    assert_int_equal(fp_fli(FP_D, 1), 0x0010000000000000);
    assert_int_equal(fp_fli(FP_H, 2), 0x0100);
    assert_int_equal(fp_fli(FP_H, 29), 0x7c00);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fp_fli(formats[i], 30), fp_inf(formats[i]));
        assert_int_equal(fp_fli(formats[i], 31), fp_nan(formats[i]));
    }
}

static void flags_accrue_and_come_back(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 32; flags++) {
        for (unsigned rm = FP_RNE; rm <= FP_RUP; rm++) {
            fp_host_enter(rm, flags);
            assert_int_equal(fp_rm_get(), rm);
            assert_int_equal(fp_flags_get(), flags);
            assert_int_equal(fp_div(FP_D, fp_from_double(1), 0), fp_inf(FP_D));
            assert_int_equal(fp_flags_get(), flags | FP_DZ);
            fp_rm_set(rm ^ 1);
            assert_int_equal(fp_rm_get(), rm ^ 1);
            fp_flags_set(flags ^ 31);
            assert_int_equal(fp_flags_get(), flags ^ 31);
            assert_int_equal(fp_rm_get(), rm ^ 1);
            fp_raise(flags);
            assert_int_equal(fp_host_leave(), 31);
        }
    }
}

static void each_flag_is_raised_alone(void **state)
{
    const uint64_t one = fp_from_double(1), three = fp_from_double(3), big = fp_inf(FP_D) - 1;

    (void)state;
    fp_host_enter(FP_RNE, 0);
    (void)fp_add(FP_D, 1, 2);
    assert_int_equal(fp_flags_get(), 0);
    (void)fp_mul(FP_S, 1, 0x40000000);
    (void)fp_convert(FP_D, FP_S, 1);
    assert_int_equal(fp_flags_get(), 0);
    (void)fp_div(FP_D, one, three);
    assert_int_equal(fp_flags_get(), FP_NX);
    fp_flags_set(0);
    (void)fp_add(FP_D, big, big);
    assert_int_equal(fp_flags_get(), FP_OF | FP_NX);
    fp_flags_set(0);
    (void)fp_mul(FP_D, 1, 1);
    assert_int_equal(fp_flags_get(), FP_UF | FP_NX);
    fp_flags_set(0);
    (void)fp_sub(FP_D, fp_inf(FP_D), fp_inf(FP_D));
    assert_int_equal(fp_host_leave(), FP_NV);
}

static void the_host_gets_its_environment_back(void **state)
{
    (void)state;
    fp_host_enter(FP_RUP, FP_ALL_FLAGS);
    (void)fp_host_leave();
    assert_int_equal(fp_rm_get(), FP_RNE);
    assert_int_equal(fp_flags_get(), 0);
    volatile double x = 0x1p-1074, y = 1;
    assert_true(x * y == x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_and_minima_follow_the_order_of_numbers),
        cmocka_unit_test(classes_agree_with_the_host),
        cmocka_unit_test(classes_of_narrow_formats_are_those_of_their_edges),
        cmocka_unit_test(sign_injection_moves_bits_only),
        cmocka_unit_test(unboxed_registers_read_as_canonical_nan),
        cmocka_unit_test(fli_constants_are_those_of_the_table),
        cmocka_unit_test(flags_accrue_and_come_back),
        cmocka_unit_test(each_flag_is_raised_alone),
        cmocka_unit_test(the_host_gets_its_environment_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
