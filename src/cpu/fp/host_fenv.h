/*
 * The host's FPU as the guest's, through <fenv.h>: any IEEE 754 host. Included by fp.h only.
 *
 * A host may detect tininess before rounding (AArch64 does), the guest does it after. So the host never computes a result that
 * could be tiny and inexact: operands that come near take the slow path. The margins below are wide, such operands being rare.
 * FP_PIN keeps an operation between the changes of the environment around it.
 */
#ifndef TL_CPU_FP_HOST_FENV_H
#define TL_CPU_FP_HOST_FENV_H

#include <fenv.h>
#include <math.h>

#define FP_PIN(x) __asm__ volatile("" : "+m"(x) : : "memory")

static inline int fp_fenv_of_rm(unsigned rm)
{
    return rm == FP_RTZ ? FE_TOWARDZERO : rm == FP_RDN ? FE_DOWNWARD : rm == FP_RUP ? FE_UPWARD : FE_TONEAREST;
}

static inline int fp_fenv_of_flags(unsigned flags)
{
    return ((flags & FP_NX) != 0 ? FE_INEXACT : 0) | ((flags & FP_UF) != 0 ? FE_UNDERFLOW : 0) |
           ((flags & FP_OF) != 0 ? FE_OVERFLOW : 0) | ((flags & FP_DZ) != 0 ? FE_DIVBYZERO : 0) |
           ((flags & FP_NV) != 0 ? FE_INVALID : 0);
}

static inline bool fp_host_has_fma(void)
{
#ifdef FP_FAST_FMA
    return true;
#else
    return false;
#endif
}

static inline unsigned fp_flags_get(void)
{
    int x = fetestexcept(FE_ALL_EXCEPT);

    return ((x & FE_INEXACT) != 0 ? FP_NX : 0u) | ((x & FE_UNDERFLOW) != 0 ? FP_UF : 0u) | ((x & FE_OVERFLOW) != 0 ? FP_OF : 0u) |
           ((x & FE_DIVBYZERO) != 0 ? FP_DZ : 0u) | ((x & FE_INVALID) != 0 ? FP_NV : 0u);
}

static inline void fp_raise(unsigned flags)
{
    /* Not feraiseexcept(), which may add FE_INEXACT to the others: the bits of fexcept_t are those of the macros. */
    int x = fp_fenv_of_flags(flags);
    fexcept_t set = (fexcept_t)x;

    if (x != 0)
        fesetexceptflag(&set, x);
}

static inline void fp_flags_set(unsigned flags)
{
    feclearexcept(FE_ALL_EXCEPT);
    fp_raise(flags);
}

static inline unsigned fp_rm_get(void)
{
    int mode = fegetround();

    return mode == FE_TOWARDZERO ? FP_RTZ : mode == FE_DOWNWARD ? FP_RDN : mode == FE_UPWARD ? FP_RUP : FP_RNE;
}

static inline void fp_rm_set(unsigned rm) { fesetround(fp_fenv_of_rm(rm)); }

static inline void fp_host_enter(unsigned rm, unsigned flags)
{
    fesetenv(FE_DFL_ENV);
    fp_rm_set(rm);
    fp_raise(flags);
}

static inline unsigned fp_host_leave(void)
{
    unsigned flags = fp_flags_get();

    fesetenv(FE_DFL_ENV);
    return flags;
}

static inline fp_rm_token fp_rm_push(unsigned rm)
{
    fp_rm_token old = fp_rm_get();

    fp_rm_set(rm);
    return old;
}

static inline void fp_rm_pop(fp_rm_token old) { fp_rm_set(old); }

/* The exponent field: 0 for zeros and subnormals. */
static inline int fp_exp_field(enum fp_fmt f, uint64_t a) { return (int)(fp_abs(f, a) >> fp_frac_bits(f)); }

/* Whether a * b is surely too large to be tiny: at least twice the smallest normal number. */
static inline bool fp_mul_is_big(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return fp_exp_field(f, a) != 0 && fp_exp_field(f, b) != 0 && fp_exp_field(f, a) + fp_exp_field(f, b) > fp_bias(f) + 2;
}

static inline bool fp_div_is_big(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return fp_exp_field(f, b) != 0 && fp_exp_field(f, a) > fp_exp_field(f, b) - fp_bias(f) + 3 && fp_exp_field(f, a) > 1;
}

/* Whether no digit of a * b lies below the smallest subnormal number: then a tiny sum with it is exact. */
static inline bool fp_fma_is_big(enum fp_fmt f, uint64_t a, uint64_t b)
{
    return fp_exp_field(f, a) != 0 && fp_exp_field(f, b) != 0 &&
           fp_exp_field(f, a) + fp_exp_field(f, b) > fp_bias(f) + 2 * (int)fp_frac_bits(f) + 4;
}

/* A sum that is tiny is exact, so that addition never takes the slow path, nor does a square root. */
#define FP_FENV_OPS(p, f, type, bits, to, from, fma_, sqrt_)                                                          \
    static inline bits p##_result(type x)                                                                             \
    {                                                                                                                 \
        bits r = from(x);                                                                                             \
        return fp_unlikely(fp_is_nan(f, r)) ? (bits)fp_nan(f) : r;                                                    \
    }                                                                                                                 \
    static inline bits p##_add(bits a, bits b)                                                                        \
    {                                                                                                                 \
        type x = to(a), y = to(b);                                                                                    \
        FP_PIN(x);                                                                                                    \
        x = x + y;                                                                                                    \
        FP_PIN(x);                                                                                                    \
        return p##_result(x);                                                                                         \
    }                                                                                                                 \
    static inline bits p##_sub(bits a, bits b)                                                                        \
    {                                                                                                                 \
        type x = to(a), y = to(b);                                                                                    \
        FP_PIN(x);                                                                                                    \
        x = x - y;                                                                                                    \
        FP_PIN(x);                                                                                                    \
        return p##_result(x);                                                                                         \
    }                                                                                                                 \
    static inline bits p##_mul(bits a, bits b)                                                                        \
    {                                                                                                                 \
        type x = to(a), y = to(b);                                                                                    \
        if (fp_unlikely(!fp_mul_is_big(f, a, b)))                                                                     \
            return (bits)fp_slow_mul(f, a, b, FP_RM_HOST);                                                            \
        FP_PIN(x);                                                                                                    \
        x = x * y;                                                                                                    \
        FP_PIN(x);                                                                                                    \
        return p##_result(x);                                                                                         \
    }                                                                                                                 \
    static inline bits p##_div(bits a, bits b)                                                                        \
    {                                                                                                                 \
        type x = to(a), y = to(b);                                                                                    \
        if (fp_unlikely(!fp_div_is_big(f, a, b)))                                                                     \
            return (bits)fp_slow_div(f, a, b, FP_RM_HOST);                                                            \
        FP_PIN(x);                                                                                                    \
        x = x / y;                                                                                                    \
        FP_PIN(x);                                                                                                    \
        return p##_result(x);                                                                                         \
    }                                                                                                                 \
    static inline bits p##_sqrt(bits a)                                                                               \
    {                                                                                                                 \
        type x = to(a);                                                                                               \
        FP_PIN(x);                                                                                                    \
        x = sqrt_(x);                                                                                                 \
        FP_PIN(x);                                                                                                    \
        return p##_result(x);                                                                                         \
    }                                                                                                                 \
    static inline bits p##_fmadd(bits a, bits b, bits c)                                                              \
    {                                                                                                                 \
        type x = to(a), y = to(b), z = to(c);                                                                         \
        if (fp_unlikely(!fp_host_has_fma() || !fp_fma_is_big(f, a, b) || fp_is_nan(f, c)))                            \
            return (bits)fp_slow_fma(f, a, b, c, FP_RM_HOST);                                                         \
        FP_PIN(x);                                                                                                    \
        x = fma_(x, y, z);                                                                                            \
        FP_PIN(x);                                                                                                    \
        return p##_result(x);                                                                                         \
    }                                                                                                                 \
    static inline bits p##_fmsub(bits a, bits b, bits c) { return p##_fmadd(a, b, (bits)(c ^ fp_sign_bit(f))); }      \
    static inline bits p##_fnmsub(bits a, bits b, bits c) { return p##_fmadd((bits)(a ^ fp_sign_bit(f)), b, c); }     \
    static inline bits p##_fnmadd(bits a, bits b, bits c)                                                             \
    {                                                                                                                 \
        return p##_fmadd((bits)(a ^ fp_sign_bit(f)), b, (bits)(c ^ fp_sign_bit(f)));                                  \
    }                                                                                                                 \
    static inline bool p##_eq(bits a, bits b) { return fp_compare(f, a, b, false) == 0; }                             \
    static inline bool p##_lt(bits a, bits b) { return fp_compare(f, a, b, true) < 0; }                               \
    static inline bool p##_le(bits a, bits b) { return fp_compare(f, a, b, true) <= 0; }                              \
    static inline bool p##_ltq(bits a, bits b) { return fp_compare(f, a, b, false) < 0; }                             \
    static inline bool p##_leq(bits a, bits b) { return fp_compare(f, a, b, false) <= 0; }                            \
    static inline bits p##_from_i64(int64_t v) { return (bits)fp_slow_from_int(f, (uint64_t)v, FP_I64, FP_RM_HOST); } \
    static inline bits p##_from_u64(uint64_t v) { return (bits)fp_slow_from_int(f, v, FP_U64, FP_RM_HOST); }          \
    static inline bits p##_from_i32(int32_t v) { return p##_from_i64(v); }                                            \
    FP_FENV_TO_INT(p, f, bits, , FP_RM_HOST)                                                                          \
    FP_FENV_TO_INT(p, f, bits, _rtz, FP_RTZ)

/* Conversions are integer work. */
#define FP_FENV_TO_INT(p, f, bits, suffix, rm)                                                               \
    static inline int32_t p##_to_i32##suffix(bits a) { return (int32_t)fp_slow_to_int(f, a, FP_I32, rm); }   \
    static inline uint32_t p##_to_u32##suffix(bits a) { return (uint32_t)fp_slow_to_int(f, a, FP_U32, rm); } \
    static inline int64_t p##_to_i64##suffix(bits a) { return (int64_t)fp_slow_to_int(f, a, FP_I64, rm); }   \
    static inline uint64_t p##_to_u64##suffix(bits a) { return fp_slow_to_int(f, a, FP_U64, rm); }

FP_FENV_OPS(fp64, FP_D, double, uint64_t, fp_to_double, fp_from_double, fma, sqrt)
FP_FENV_OPS(fp32, FP_S, float, uint32_t, fp_to_float, fp_from_float, fmaf, sqrtf)
#undef FP_FENV_OPS
#undef FP_FENV_TO_INT

static inline uint64_t fp64_from_fp32(uint32_t a) { return fp_slow_convert(FP_D, FP_S, a, FP_RM_HOST); }

static inline uint32_t fp32_from_fp64(uint64_t a) { return (uint32_t)fp_slow_convert(FP_S, FP_D, a, FP_RM_HOST); }

/* Results as they are, for guests whose NaNs are others: those above will do. */
#define FP_FENV_RAW(p, bits)                                                                  \
    static inline bits p##_add_raw(bits a, bits b) { return p##_add(a, b); }                  \
    static inline bits p##_sub_raw(bits a, bits b) { return p##_sub(a, b); }                  \
    static inline bits p##_mul_raw(bits a, bits b) { return p##_mul(a, b); }                  \
    static inline bits p##_div_raw(bits a, bits b) { return p##_div(a, b); }                  \
    static inline bits p##_fmadd_raw(bits a, bits b, bits c) { return p##_fmadd(a, b, c); }   \
    static inline bits p##_fmsub_raw(bits a, bits b, bits c) { return p##_fmsub(a, b, c); }   \
    static inline bits p##_fnmsub_raw(bits a, bits b, bits c) { return p##_fnmsub(a, b, c); } \
    static inline bits p##_fnmadd_raw(bits a, bits b, bits c) { return p##_fnmadd(a, b, c); }
FP_FENV_RAW(fp64, uint64_t)
FP_FENV_RAW(fp32, uint32_t)
#undef FP_FENV_RAW

static inline bool fp_order(enum fp_fmt f, uint64_t a, uint64_t b, bool signalling, bool *less, bool *greater)
{
    int o = fp_compare(f, a, b, signalling);
    *less = o < 0;
    *greater = o == 1;
    return o != 2;
}

#endif
