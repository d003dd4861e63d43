/*
 * Numbers taken apart, for the exact operations: soft.c and arm.c.
 */
#ifndef TL_CPU_FP_NUM_H
#define TL_CPU_FP_NUM_H
#include "cpu/fp/soft.h"

__extension__ typedef unsigned __int128 u128;

enum num_class { NUM_ZERO, NUM_FINITE, NUM_INF, NUM_NAN };

/* An unpacked operand. A finite one is (-1)^sign * sig * 2^(exp - 63) with bit 63 of sig set, subnormals too. */
struct num {
    enum num_class cls;
    bool sign;
    bool denormal; /* Arm with FPCR.AH: a subnormal operand, which operations tell of */
    int exp;
    uint64_t sig;
};

/* Arm ARM FPUnpackBase: subnormals that the environment flushes are zeros. */
static inline struct num unpack(enum fp_fmt f, uint64_t bits, struct fp_env *e)
{
    unsigned frac_bits = fp_frac_bits(f);
    uint64_t m = fp_abs(f, bits);
    struct num n = {.cls = NUM_FINITE, .sign = fp_is_neg(f, bits)};

    if (m >= fp_inf(f)) {
        n.cls = m > fp_inf(f) ? NUM_NAN : NUM_INF;
        return n;
    }
    if (m == 0) {
        n.cls = NUM_ZERO;
        return n;
    }
    int biased = (int)(m >> frac_bits);
    if (biased == 0 && e->arm) {
        if (f == FP_H ? e->flush_half : e->flush_in) {
            if (f != FP_H && e->flush_tells)
                e->flags |= FP_ID;
            n.cls = NUM_ZERO;
            return n;
        }
        n.denormal = f != FP_H && e->ah;
    }
    uint64_t frac = m & ((UINT64_C(1) << frac_bits) - 1);
    if (biased != 0) {
        n.sig = (frac | UINT64_C(1) << frac_bits) << (63 - frac_bits);
        n.exp = biased - fp_bias(f);
    } else {
        int lead = __builtin_clzll(frac);
        n.sig = frac << lead;
        n.exp = 1 - fp_bias(f) - (lead - (int)(63 - frac_bits));
    }
    return n;
}

static inline uint64_t pack_sign(enum fp_fmt f, bool sign, uint64_t m) { return sign ? m | fp_sign_bit(f) : m; }

/* v >> n, with bit 0 set if any bit fell out. */
static inline uint64_t shift_right_jam(uint64_t v, int n)
{
    if (n <= 0)
        return v;
    if (n > 63)
        return v != 0;
    return v >> n | ((v << (64 - n)) != 0);
}

static inline u128 shift_right_jam128(u128 v, int n)
{
    if (n <= 0)
        return v;
    if (n > 127)
        return v != 0;
    return v >> n | ((v << (128 - n)) != 0);
}

/* Whether a magnitude is rounded up. `odd`: its last kept bit; rest: what is dropped, as a fraction of 2^64. */
static inline bool rounds_up(unsigned rm, bool sign, bool odd, uint64_t rest)
{
    const uint64_t half = UINT64_C(1) << 63;

    switch (rm) {
    case FP_RNE: return rest > half || (rest == half && odd);
    case FP_RMM: return rest >= half;
    case FP_RDN: return sign && rest != 0;
    case FP_RUP: return !sign && rest != 0;
    default: return false;
    }
}

/* The integer part of |x|, which is below 2^64; *rest gets the fraction, in units of 2^-64, its bit 0 sticky. */
static inline uint64_t split(struct num x, uint64_t *rest)
{
    if (x.exp < 0) {
        *rest = shift_right_jam(x.sig, -1 - x.exp);
        return 0;
    }
    *rest = x.exp == 63 ? 0 : x.sig << (x.exp + 1);
    return x.sig >> (63 - x.exp);
}

/* soft.c: fp_soft_fma of numbers that are taken apart already; the bits count where there is a NaN. */
uint64_t fp_fma_num(enum fp_fmt f, struct num x, struct num y, struct num z, uint64_t a, uint64_t b, uint64_t c,
                    struct fp_env *e);
#endif
