/*
 * Operations of A64 by the host's FPU, where the host does what Arm does. The host's environment is the guest's, as fp.h has it:
 * rounding mode and flags of FPCR and FPSR.
 *
 * What is left is different in four ways, and each shows in the result: which NaN it is; that Arm sees tininess before rounding
 * and the host after it, which makes a difference only when the result is the smallest normal number; that conversions to
 * integers saturate; and that a NaN converts to 0. A function returns false for such a result, and then the exact function of
 * arm.h or soft.h is asked, which raises the flags again: the host raises none that it does not. FPCR.FZ, FIZ, AH and NEP ask for
 * the exact function always; with DN, NaNs alone are others.
 *
 * Formats: FP_S and FP_D. Arm ARM A1.5, "FPRoundBase", "FPToFixed".
 */
#ifndef TL_CPU_FP_ARM_HOST_H
#define TL_CPU_FP_ARM_HOST_H
#include "cpu/fp/arm.h"
#include "cpu/fp/fp.h"

/* Whether FPCR lets the host do it. */
static inline bool fp_arm_hosted(uint64_t fpcr) { return !(fpcr & (FPCR_FZ | FPCR_FIZ | FPCR_AH | FPCR_NEP)); }

/* Whether the result r is one that the host and Arm agree on. */
static inline bool fp_arm_agreed(enum fp_fmt f, uint64_t r)
{
    const uint64_t least = UINT64_C(1) << fp_frac_bits(f);
    uint64_t m = fp_abs(f, r);
    return m - least - 1 < fp_inf(f) - least || m < least;
}

#define FP_ARM_HOST2(name, op)                                                                \
    static inline bool fp_arm_host_##name(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r) \
    {                                                                                         \
        *r = f == FP_D ? fp64_##op##_raw(a, b) : fp32_##op##_raw((uint32_t)a, (uint32_t)b);   \
        return fp_arm_agreed(f, *r);                                                          \
    }
FP_ARM_HOST2(add, add)
FP_ARM_HOST2(sub, sub)
FP_ARM_HOST2(mul, mul)
FP_ARM_HOST2(div, div)
#undef FP_ARM_HOST2

static inline bool fp_arm_host_nmul(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    bool ok = fp_arm_host_mul(f, a, b, r);
    *r ^= fp_sign_bit(f);
    return ok;
}

static inline bool fp_arm_host_abd(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    bool ok = fp_arm_host_sub(f, a, b, r);
    *r = fp_abs(f, *r);
    return ok;
}

/* c + a * b, with the signs that FMADD, FMSUB, FNMADD and FNMSUB have: fp.h names them as RISC-V does. */
#define FP_ARM_HOST3(name, op)                                                                              \
    static inline bool fp_arm_host_##name(enum fp_fmt f, uint64_t c, uint64_t a, uint64_t b, uint64_t *r)   \
    {                                                                                                       \
        *r = f == FP_D ? fp64_##op##_raw(a, b, c) : fp32_##op##_raw((uint32_t)a, (uint32_t)b, (uint32_t)c); \
        return fp_arm_agreed(f, *r);                                                                        \
    }
FP_ARM_HOST3(madd, fmadd)
FP_ARM_HOST3(msub, fnmsub)
FP_ARM_HOST3(nmadd, fnmadd)
FP_ARM_HOST3(nmsub, fmsub)
#undef FP_ARM_HOST3

static inline bool fp_arm_host_sqrt(enum fp_fmt f, uint64_t a, uint64_t *r)
{
    *r = fp_sqrt(f, a);
    return !fp_is_nan(f, *r);
}

/* FMAX, FMAXNM: the same for numbers. */
static inline bool fp_arm_host_max(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    *r = fp_order_key(f, a) < fp_order_key(f, b) ? b : a;
    return !fp_is_nan(f, a) && !fp_is_nan(f, b);
}
static inline bool fp_arm_host_min(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    *r = fp_order_key(f, a) < fp_order_key(f, b) ? a : b;
    return !fp_is_nan(f, a) && !fp_is_nan(f, b);
}

/* FABS, FNEG: no flags, NaNs too. */
static inline bool fp_arm_host_abs(enum fp_fmt f, uint64_t a, uint64_t *r)
{
    *r = fp_abs(f, a);
    return true;
}
static inline bool fp_arm_host_neg(enum fp_fmt f, uint64_t a, uint64_t *r)
{
    *r = a ^ fp_sign_bit(f);
    return true;
}

/* Between single and double precision. */
static inline bool fp_arm_host_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, uint64_t *r)
{
    *r = fp_convert(to, from, a);
    return fp_arm_agreed(to, *r);
}

/* Comparisons of vectors: all ones or zero. FCMEQ is quiet. */
static inline bool fp_arm_host_cmeq(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    bool less = false, greater = false, ordered = fp_order(f, a, b, false, &less, &greater);
    *r = less || greater ? 0 : ~UINT64_C(0) >> (64 - fp_width(f));
    return ordered;
}
static inline bool fp_arm_host_cmgt(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    bool less = false, greater = false, ordered = fp_order(f, a, b, true, &less, &greater);
    *r = greater ? ~UINT64_C(0) >> (64 - fp_width(f)) : 0;
    return ordered;
}
static inline bool fp_arm_host_cmge(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t *r)
{
    bool less = false, greater = false, ordered = fp_order(f, a, b, true, &less, &greater);
    *r = less ? 0 : ~UINT64_C(0) >> (64 - fp_width(f));
    return ordered;
}

/* An integer of `width` bits (32, 64), of which nothing above counts, as a number; by the mode loaded. */
static inline bool fp_arm_host_from_int(enum fp_fmt f, uint64_t v, unsigned width, bool is_unsigned, uint64_t *r)
{
    *r = fp_from_int(f, v, width == 64 ? (is_unsigned ? FP_U64 : FP_I64) : is_unsigned ? FP_U32 : FP_I32);
    return true;
}

/* FCVTZS, FCVTZU without fraction bits: truncated to `width` bits (32, 64), zero-extended. */
static inline bool fp_arm_host_truncate(enum fp_fmt f, uint64_t a, unsigned width, bool is_unsigned, uint64_t *r)
{
    bool wide = width == 64;
    if (is_unsigned && (fp_is_neg(f, a) || !fp_to_int_is_fast(f, a, wide ? FP_U64 : FP_U32)))
        return false;
    *r = fp_to_int_rtz(f, a, is_unsigned ? (wide ? FP_U64 : FP_U32) : wide ? FP_I64 : FP_I32);
    if (!wide)
        *r = (uint32_t)*r;
    uint64_t most =
        wide ? UINT64_C(1) << 63 : UINT64_C(1) << 31; /* of signed integers; what the host gives where none fits is next */
    return is_unsigned || (*r != most && *r != most - 1);
}
#endif
