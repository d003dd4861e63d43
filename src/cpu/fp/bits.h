/*
 * Floating-point numbers as raw bits: formats, classes, sign injection, NaN boxing.
 *
 * Nothing here touches the host's FPU. Every function takes the format as its first argument, a constant at each call, so that
 * the compiler folds it away. Operands are the low `fp_width(f)` bits of a uint64_t; the bits above are zero in and out.
 */
#ifndef TL_CPU_FP_BITS_H
#define TL_CPU_FP_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define fp_unlikely(x) __builtin_expect(!!(x), 0)

/* The interchange formats of IEEE 754: binary16, binary32, binary64. */
enum fp_fmt { FP_H, FP_S, FP_D };

/* Rounding modes, numbered as in the rm field and fcsr.frm (unpriv F, "Floating-Point Control and Status Register"). */
enum fp_rm { FP_RNE = 0, FP_RTZ = 1, FP_RDN = 2, FP_RUP = 3, FP_RMM = 4, FP_DYN = 7 };

/* Accrued exceptions, numbered as in fcsr.fflags. */
enum fp_flag { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16, FP_ALL_FLAGS = 31 };

/* Bits of the result of fclass (unpriv F, "Floating-Point Classify Instruction"). */
enum fp_class {
    FP_CLASS_NEG_INF = 1 << 0,
    FP_CLASS_NEG_NORMAL = 1 << 1,
    FP_CLASS_NEG_SUBNORMAL = 1 << 2,
    FP_CLASS_NEG_ZERO = 1 << 3,
    FP_CLASS_POS_ZERO = 1 << 4,
    FP_CLASS_POS_SUBNORMAL = 1 << 5,
    FP_CLASS_POS_NORMAL = 1 << 6,
    FP_CLASS_POS_INF = 1 << 7,
    FP_CLASS_SNAN = 1 << 8,
    FP_CLASS_QNAN = 1 << 9,
};

#define FP16_NAN UINT16_C(0x7e00)
#define FP32_NAN UINT32_C(0x7fc00000)
#define FP64_NAN UINT64_C(0x7ff8000000000000)

/* Bits in a number of format f: 16, 32 or 64. */
static inline unsigned fp_width(enum fp_fmt f) { return 16u << f; }

/* Bits of the trailing significand: 10, 23 or 52. */
static inline unsigned fp_frac_bits(enum fp_fmt f) { return f == FP_H ? 10 : f == FP_S ? 23 : 52; }

/* The exponent's bias, which is also the largest exponent of a finite number: 15, 127 or 1023. */
static inline int fp_bias(enum fp_fmt f) { return f == FP_H ? 15 : f == FP_S ? 127 : 1023; }

static inline uint64_t fp_sign_bit(enum fp_fmt f) { return UINT64_C(1) << (fp_width(f) - 1); }

/* +infinity; also the mask of the exponent field. */
static inline uint64_t fp_inf(enum fp_fmt f)
{
    return f == FP_H ? UINT64_C(0x7c00) : f == FP_S ? UINT64_C(0x7f800000) : UINT64_C(0x7ff0000000000000);
}

/* The bit that tells a quiet NaN from a signalling one. */
static inline uint64_t fp_quiet_bit(enum fp_fmt f) { return UINT64_C(1) << (fp_frac_bits(f) - 1); }

/* The canonical NaN: positive, quiet, no payload (unpriv F, "NaN Generation and Propagation"). */
static inline uint64_t fp_nan(enum fp_fmt f) { return fp_inf(f) | fp_quiet_bit(f); }

static inline uint64_t fp_abs(enum fp_fmt f, uint64_t a) { return a & (fp_sign_bit(f) - 1); }

static inline bool fp_is_neg(enum fp_fmt f, uint64_t a) { return (a & fp_sign_bit(f)) != 0; }

static inline bool fp_is_nan(enum fp_fmt f, uint64_t a) { return fp_abs(f, a) > fp_inf(f); }

static inline bool fp_is_snan(enum fp_fmt f, uint64_t a) { return fp_is_nan(f, a) && (a & fp_quiet_bit(f)) == 0; }

static inline bool fp_is_inf(enum fp_fmt f, uint64_t a) { return fp_abs(f, a) == fp_inf(f); }

static inline bool fp_is_zero(enum fp_fmt f, uint64_t a) { return fp_abs(f, a) == 0; }

/* fclass: exactly one bit of enum fp_class. Raises nothing. */
static inline unsigned fp_classify(enum fp_fmt f, uint64_t a)
{
    uint64_t m = fp_abs(f, a);

    if (m > fp_inf(f))
        return (a & fp_quiet_bit(f)) != 0 ? FP_CLASS_QNAN : FP_CLASS_SNAN;
    unsigned n = m == fp_inf(f) ? 0 : m >> fp_frac_bits(f) != 0 ? 1 : m != 0 ? 2 : 3;
    return fp_is_neg(f, a) ? 1u << n : 1u << (7 - n);
}

/* The value of a with the sign of b (fsgnj); bits only, NaNs included, no flags. */
static inline uint64_t fp_sgnj(enum fp_fmt f, uint64_t a, uint64_t b) { return fp_abs(f, a) | (b & fp_sign_bit(f)); }

/* The value of a with the opposite of b's sign (fsgnjn). */
static inline uint64_t fp_sgnjn(enum fp_fmt f, uint64_t a, uint64_t b) { return fp_abs(f, a) | (~b & fp_sign_bit(f)); }

/* The value of a with its sign flipped when b is negative (fsgnjx). */
static inline uint64_t fp_sgnjx(enum fp_fmt f, uint64_t a, uint64_t b) { return a ^ (b & fp_sign_bit(f)); }

/*
 * A key that orders all numbers that are no NaN as signed integers do, -0 before +0: what fmin and fmax need
 * (unpriv F: "-0.0 is considered to be less than +0.0").
 */
static inline int64_t fp_order_key(enum fp_fmt f, uint64_t a)
{
    int64_t s = (int64_t)(a << (64 - fp_width(f)));

    return s ^ (int64_t)((uint64_t)(s >> 63) >> 1);
}

/* NaN boxing: a narrower number fills the register's upper bits with ones (unpriv D, "NaN Boxing of Narrower Values"). */
static inline uint64_t fp_box(enum fp_fmt f, uint64_t a) { return f == FP_D ? a : a | ~UINT64_C(0) << (fp_width(f) & 63); }

/* The narrower number in a 64-bit register; a register that isn't boxed for f reads as the canonical NaN. */
static inline uint64_t fp_unbox(enum fp_fmt f, uint64_t r)
{
    if (f == FP_D)
        return r;
    if (f == FP_S)
        return fp_unlikely((int32_t)(r >> 32) != -1) ? FP32_NAN : (uint32_t)r;
    return fp_unlikely((int64_t)r >> 16 != -1) ? FP16_NAN : (uint16_t)r;
}

#endif
