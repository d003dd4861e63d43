#include "cpu/fp/fp.h"

static struct fp_env slow_env(unsigned rm) { return (struct fp_env){.rm = (uint8_t)(rm == FP_RM_HOST ? fp_rm_get() : rm)}; }

uint64_t fp_slow_add(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_add(f, a, b, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_sub(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_sub(f, a, b, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_mul(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_mul(f, a, b, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_div(enum fp_fmt f, uint64_t a, uint64_t b, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_div(f, a, b, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_sqrt(enum fp_fmt f, uint64_t a, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_sqrt(f, a, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_fma(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_fma(f, a, b, c, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_convert(to, from, a, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_from_int(enum fp_fmt f, uint64_t v, enum fp_int t, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_from_int(f, v, t, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_to_int(enum fp_fmt f, uint64_t a, enum fp_int t, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_to_int(f, a, t, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_slow_round_int(enum fp_fmt f, uint64_t a, bool exact, unsigned rm)
{
    struct fp_env e = slow_env(rm);
    uint64_t r = fp_soft_round_int(f, a, exact, &e);

    fp_raise(e.flags);
    return r;
}

int fp_compare(enum fp_fmt f, uint64_t a, uint64_t b, bool signalling)
{
    if (fp_is_nan(f, a) || fp_is_nan(f, b)) {
        if (signalling || fp_is_snan(f, a) || fp_is_snan(f, b))
            fp_raise(FP_NV);
        return 2;
    }
    if (fp_is_zero(f, a) && fp_is_zero(f, b))
        return 0;
    int64_t x = fp_order_key(f, a), y = fp_order_key(f, b);
    return (x > y) - (x < y);
}

int32_t fp64_cvtmod_w(uint64_t a)
{
    struct fp_env e = {.rm = FP_RTZ};
    int32_t r = fp_soft_cvtmod_w_d(a, &e);

    fp_raise(e.flags);
    return r;
}

uint64_t fp_fli(enum fp_fmt f, unsigned n)
{
    /* The upper 16 bits of the constants as doubles; entry 1, the smallest normal number, depends on the format. */
    static const uint16_t high[32] = {
        0xbff0, 0,      0x3ef0, 0x3f00, 0x3f70, 0x3f80, 0x3fb0, 0x3fc0, /* -1 min 2^-16 2^-15 2^-8 2^-7 0.0625 0.125 */
        0x3fd0, 0x3fd4, 0x3fd8, 0x3fdc, 0x3fe0, 0x3fe4, 0x3fe8, 0x3fec, /* 0.25 0.3125 0.375 0.4375 0.5 0.625 0.75 0.875 */
        0x3ff0, 0x3ff4, 0x3ff8, 0x3ffc, 0x4000, 0x4004, 0x4008, 0x4010, /* 1 1.25 1.5 1.75 2 2.5 3 4 */
        0x4020, 0x4030, 0x4060, 0x4070, 0x40e0, 0x40f0, 0x7ff0, 0x7ff8, /* 8 16 128 256 2^15 2^16 infinity NaN */
    };
    struct fp_env e = {.rm = FP_RNE};

    if (n == 1)
        return UINT64_C(1) << fp_frac_bits(f);
    return fp_soft_convert(f, FP_D, (uint64_t)high[n & 31] << 48, &e);
}
