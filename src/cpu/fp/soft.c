#include "cpu/fp/num.h"

static uint64_t invalid(enum fp_fmt f, struct fp_env *e)
{
    e->flags |= FP_NV;
    return fp_default_nan(f, e);
}

uint64_t fp_default_nan(enum fp_fmt f, const struct fp_env *e) { return fp_nan(f) | (e->ah ? fp_sign_bit(f) : 0); }

/* The operand that Arm's operations pass on: the first signalling NaN, else the first NaN; with FPCR.AH, when there are several,
   the first of two and of three operands the second, or the third if the second is none. Arm ARM FPProcessNaNs, FPProcessNaNs3.
 */
static uint64_t which_nan(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, bool three, const struct fp_env *e)
{
    if (e->ah && three && fp_is_nan(f, b) && (fp_is_nan(f, a) || fp_is_nan(f, c)))
        return b;
    if (e->ah && three && fp_is_nan(f, c) && fp_is_nan(f, a))
        return c;
    if (e->ah && !three && fp_is_nan(f, a))
        return a;
    if (fp_is_snan(f, a))
        return a;
    if (fp_is_snan(f, b))
        return b;
    if (fp_is_snan(f, c))
        return c;
    return fp_is_nan(f, a) ? a : fp_is_nan(f, b) ? b : c;
}

static uint64_t pass_nan(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, bool three, struct fp_env *e)
{
    if (fp_is_snan(f, a) || fp_is_snan(f, b) || fp_is_snan(f, c))
        e->flags |= FP_NV;
    if (!e->arm)
        return fp_nan(f);
    return e->dn ? fp_default_nan(f, e) : which_nan(f, a, b, c, three, e) | fp_quiet_bit(f);
}

uint64_t fp_propagate_nan(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e) { return pass_nan(f, a, b, b, false, e); }

/* Arm ARM FPProcessDenorms: with FPCR.AH an operation tells of subnormal operands. */
static void tell(struct num x, struct num y, struct fp_env *e)
{
    if (x.denormal || y.denormal)
        e->flags |= FP_ID;
}

/* The operand n, whose bits are `bits`, as a result: on Arm it may be flushed. */
static uint64_t pass(enum fp_fmt f, struct num n, uint64_t bits, struct fp_env *e)
{
    return e->arm ? fp_round_pack(f, n.sign, n.exp, n.sig, e) : bits;
}

static uint64_t overflow(enum fp_fmt f, bool sign, struct fp_env *e)
{
    bool to_inf = e->rm == FP_RNE || e->rm == FP_RMM || e->rm == FP_ODD_INF || e->rm == (sign ? FP_RDN : FP_RUP);

    e->flags |= FP_OF | FP_NX;
    return pack_sign(f, sign, to_inf ? fp_inf(f) : fp_inf(f) - 1);
}

uint64_t fp_round_pack(enum fp_fmt f, bool sign, int exp, uint64_t sig, struct fp_env *e)
{
    int frac_bits = (int)fp_frac_bits(f);
    int prec = frac_bits + 1;
    int emin = 1 - fp_bias(f);
    int biased = exp + fp_bias(f);
    bool tiny = false, flush = f == FP_H ? e->flush_half : e->flush_out;

    if (exp < emin && e->arm && !e->ah && flush) { /* Arm ARM FPRoundBase; this flush is not inexact */
        e->flags |= FP_UF;
        return pack_sign(f, sign, 0);
    }
    if (exp < emin) {
        /* Tiny after rounding: even with an unbounded exponent the rounded magnitude stays below 2^emin. */
        uint64_t kept = sig >> (64 - prec);
        bool carries = kept == (UINT64_C(1) << prec) - 1 && rounds_up(e->rm, sign, true, sig << prec);
        tiny = exp < emin - 1 || !carries || (e->arm && !e->ah); /* Arm's usual tininess is before rounding */
        if (tiny && e->ah && flush) {
            e->flags |= FP_UF | FP_NX;
            return pack_sign(f, sign, 0);
        }
        sig = shift_right_jam(sig, emin - exp);
        biased = 1;
    }
    uint64_t kept = sig >> (64 - prec);
    uint64_t rest = sig << prec;
    if (e->rm == FP_ODD || e->rm == FP_ODD_INF)
        kept |= rest != 0;
    else
        kept += rounds_up(e->rm, sign, (kept & 1) != 0, rest);

    /* The leading bit, and a carry out of the significand, add themselves to the exponent field. */
    uint64_t m = ((uint64_t)(biased - 1) << frac_bits) + kept;
    if (f == FP_H && e->ahp) { /* the alternative format has no infinities: the last exponent is one of numbers */
        if (m > 0x7fff) {
            e->flags |= FP_NV;
            return pack_sign(f, sign, 0x7fff);
        }
    } else if (m >= fp_inf(f)) {
        return overflow(f, sign, e);
    }
    if (rest != 0)
        e->flags |= tiny ? FP_NX | FP_UF : FP_NX;
    return pack_sign(f, sign, m);
}

/* The sign of a sum that is exactly zero (IEEE 754 6.3). */
static bool zero_sum_sign(bool sign_a, bool sign_b, const struct fp_env *e)
{
    return sign_a == sign_b ? sign_a : e->rm == FP_RDN;
}

/* The sum of two finite numbers as 128-bit magnitudes with bit 126 the leading one of each. */
static uint64_t add_magnitudes(enum fp_fmt f, struct num a, u128 sig_a, struct num b, u128 sig_b, struct fp_env *e)
{
    u128 sum;
    bool sign = a.sign;
    int exp = a.exp;

    if (a.exp < b.exp || (a.exp == b.exp && sig_a < sig_b)) {
        sign = b.sign;
        exp = b.exp;
        u128 t = sig_a;
        sig_a = sig_b;
        sig_b = shift_right_jam128(t, b.exp - a.exp);
    } else {
        sig_b = shift_right_jam128(sig_b, a.exp - b.exp);
    }
    sum = a.sign == b.sign ? sig_a + sig_b : sig_a - sig_b;
    if (sum == 0)
        return pack_sign(f, e->rm == FP_RDN, 0);
    uint64_t high = (uint64_t)(sum >> 64);
    int lead = high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)sum);
    sum <<= lead;
    return fp_round_pack(f, sign, exp + 1 - lead, (uint64_t)(sum >> 64) | ((uint64_t)sum != 0), e);
}

uint64_t fp_soft_add(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);

    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return fp_propagate_nan(f, a, b, e);
    tell(x, y, e);
    if (x.cls == NUM_INF)
        return y.cls == NUM_INF && x.sign != y.sign ? invalid(f, e) : a;
    if (y.cls == NUM_INF)
        return b;
    if (x.cls == NUM_ZERO)
        return y.cls == NUM_ZERO ? pack_sign(f, zero_sum_sign(x.sign, y.sign, e), 0) : pass(f, y, b, e);
    if (y.cls == NUM_ZERO)
        return pass(f, x, a, e);
    return add_magnitudes(f, x, (u128)x.sig << 63, y, (u128)y.sig << 63, e);
}

uint64_t fp_soft_sub(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    if (fp_is_nan(f, a) ||
        fp_is_nan(f, b)) { /* a NaN that is passed on keeps its sign; a subnormal beside it is still looked at */
        (void)unpack(f, a, e);
        (void)unpack(f, b, e);
        return fp_propagate_nan(f, a, b, e);
    }
    return fp_soft_add(f, a, b ^ fp_sign_bit(f), e);
}

uint64_t fp_soft_mul(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);
    bool sign = x.sign != y.sign;

    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return fp_propagate_nan(f, a, b, e);
    tell(x, y, e);
    if (x.cls == NUM_INF || y.cls == NUM_INF)
        return x.cls == NUM_ZERO || y.cls == NUM_ZERO ? invalid(f, e) : pack_sign(f, sign, fp_inf(f));
    if (x.cls == NUM_ZERO || y.cls == NUM_ZERO)
        return pack_sign(f, sign, 0);
    u128 p = (u128)x.sig * y.sig;
    int exp = x.exp + y.exp + 1;
    if (p >> 127 == 0) {
        p <<= 1;
        exp--;
    }
    return fp_round_pack(f, sign, exp, (uint64_t)(p >> 64) | ((uint64_t)p != 0), e);
}

uint64_t fp_soft_div(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);
    bool sign = x.sign != y.sign;

    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return fp_propagate_nan(f, a, b, e);
    if (y.cls != NUM_ZERO)
        tell(x, y, e);
    if (x.cls == NUM_INF)
        return y.cls == NUM_INF ? invalid(f, e) : pack_sign(f, sign, fp_inf(f));
    if (y.cls == NUM_INF)
        return pack_sign(f, sign, 0);
    if (y.cls == NUM_ZERO) {
        if (x.cls == NUM_ZERO)
            return invalid(f, e);
        e->flags |= FP_DZ;
        return pack_sign(f, sign, fp_inf(f));
    }
    if (x.cls == NUM_ZERO)
        return pack_sign(f, sign, 0);
    /* The dividend is scaled so that the quotient has exactly 64 bits. */
    bool less = x.sig < y.sig;
    u128 n = (u128)x.sig << (less ? 64 : 63);
    uint64_t q = (uint64_t)(n / y.sig);
    return fp_round_pack(f, sign, x.exp - y.exp - less, q | ((u128)q * y.sig != n), e);
}

uint64_t fp_soft_sqrt(enum fp_fmt f, uint64_t a, struct fp_env *e)
{
    struct num x = unpack(f, a, e);

    if (x.cls == NUM_NAN)
        return fp_propagate_nan(f, a, a, e);
    if (x.cls == NUM_ZERO)
        return pack_sign(f, x.sign, 0);
    if (x.sign)
        return invalid(f, e);
    if (x.cls == NUM_INF)
        return a;
    tell(x, x, e);
    /* With an even exponent 2k the radicand is sig * 2^63, with an odd one sig * 2^64: the root has 64 bits either way. */
    bool odd = (x.exp & 1) != 0;
    u128 n = (u128)x.sig << (odd ? 64 : 63);
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1) {
        uint64_t t = root | bit;
        if ((u128)t * t <= n)
            root = t;
    }
    return fp_round_pack(f, false, (x.exp - odd) / 2, root | ((u128)root * root != n), e);
}

/* A fused operation that meets a NaN, or infinity times zero (invalid_product). Arm ARM FPMulAdd: the addend comes first. */
static uint64_t fma_nan(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, bool invalid_product, struct fp_env *e)
{
    if (!e->arm)
        return invalid_product ? invalid(f, e) : pass_nan(f, c, a, b, true, e);
    if (invalid_product && (!fp_is_nan(f, c) || (!fp_is_snan(f, c) && !e->ah)))
        return invalid(f, e);
    return pass_nan(f, c, a, b, true, e);
}

uint64_t fp_soft_fma(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, struct fp_env *e)
{
    return fp_fma_num(f, unpack(f, a, e), unpack(f, b, e), unpack(f, c, e), a, b, c, e);
}

uint64_t fp_fma_num(enum fp_fmt f, struct num x, struct num y, struct num z, uint64_t a, uint64_t b, uint64_t c, struct fp_env *e)
{
    struct num p = {.sign = x.sign != y.sign, .exp = x.exp + y.exp + 1};
    bool invalid_product = (x.cls == NUM_INF && y.cls == NUM_ZERO) || (x.cls == NUM_ZERO && y.cls == NUM_INF);

    if (invalid_product || x.cls == NUM_NAN || y.cls == NUM_NAN || z.cls == NUM_NAN)
        return fma_nan(f, a, b, c, invalid_product, e);
    if ((x.cls == NUM_INF || y.cls == NUM_INF) && z.cls == NUM_INF && z.sign != p.sign)
        return invalid(f, e);
    tell(x, y, e);
    tell(z, z, e);
    if (x.cls == NUM_INF || y.cls == NUM_INF)
        return pack_sign(f, p.sign, fp_inf(f));
    if (z.cls == NUM_INF)
        return c;
    if (x.cls == NUM_ZERO || y.cls == NUM_ZERO)
        return z.cls == NUM_ZERO ? pack_sign(f, zero_sum_sign(p.sign, z.sign, e), 0) : pass(f, z, c, e);

    u128 sig = (u128)x.sig * y.sig;
    if (sig >> 127 == 0) {
        sig <<= 1;
        p.exp--;
    }
    if (z.cls == NUM_ZERO)
        return fp_round_pack(f, p.sign, p.exp, (uint64_t)(sig >> 64) | ((uint64_t)sig != 0), e);
    /* At most 106 bits of the product are used, so that the shift loses none. */
    return add_magnitudes(f, p, sig >> 1, z, (u128)z.sig << 63, e);
}

uint64_t fp_soft_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, struct fp_env *e)
{
    struct num x = unpack(from, a, e);

    switch (x.cls) {
    case NUM_NAN:
        if (fp_is_snan(from, a))
            e->flags |= FP_NV;
        return fp_nan(to);
    case NUM_INF: return pack_sign(to, x.sign, fp_inf(to));
    case NUM_ZERO: return pack_sign(to, x.sign, 0);
    default: return fp_round_pack(to, x.sign, x.exp, x.sig, e);
    }
}

uint64_t fp_soft_from_int(enum fp_fmt f, uint64_t v, enum fp_int t, struct fp_env *e)
{
    bool sign = (t & 1) == 0 && v >> 63 != 0;
    uint64_t m = sign ? 0 - v : v;

    if (m == 0)
        return 0;
    int lead = __builtin_clzll(m);
    return fp_round_pack(f, sign, 63 - lead, m << lead, e);
}

/* The largest or the smallest integer of a type, extended to 64 bits. */
static uint64_t int_limit(enum fp_int t, bool smallest)
{
    bool wide = (t & 2) != 0;

    if ((t & 1) != 0)
        return smallest ? 0 : wide ? UINT64_MAX : UINT32_MAX;
    int64_t max = wide ? INT64_MAX : INT32_MAX;
    return smallest ? (uint64_t)(-max - 1) : (uint64_t)max;
}

static uint64_t int_invalid(enum fp_int t, bool smallest, struct fp_env *e)
{
    e->flags |= FP_NV;
    return int_limit(t, smallest);
}

uint64_t fp_soft_to_int(enum fp_fmt f, uint64_t a, enum fp_int t, struct fp_env *e)
{
    struct num x = unpack(f, a, e);
    uint64_t rest, limit;

    if (x.cls == NUM_ZERO)
        return 0;
    if (x.cls == NUM_NAN)
        return int_invalid(t, false, e);
    if (x.cls == NUM_INF || x.exp > 63)
        return int_invalid(t, x.sign, e);
    uint64_t m = split(x, &rest);
    if (rounds_up(e->rm, x.sign, (m & 1) != 0, rest)) {
        if (++m == 0)
            return int_invalid(t, x.sign, e);
    }
    limit = int_limit(t, x.sign);
    if (m > (x.sign ? 0 - limit : limit))
        return int_invalid(t, x.sign, e);
    if (rest != 0)
        e->flags |= FP_NX;
    return x.sign ? 0 - m : m;
}

uint64_t fp_soft_round_int(enum fp_fmt f, uint64_t a, bool exact, struct fp_env *e)
{
    struct num x = unpack(f, a, e);
    uint64_t rest;

    if (x.cls == NUM_NAN)
        return fp_propagate_nan(f, a, a, e);
    if (x.cls == NUM_ZERO)
        return pack_sign(f, x.sign, 0);
    if (x.cls != NUM_FINITE || x.exp >= (int)fp_frac_bits(f))
        return a;
    uint64_t m = split(x, &rest);
    m += rounds_up(e->rm, x.sign, (m & 1) != 0, rest);
    if (rest != 0 && exact)
        e->flags |= FP_NX;
    if (m == 0)
        return pack_sign(f, x.sign, 0);
    int lead = __builtin_clzll(m);
    return fp_round_pack(f, x.sign, 63 - lead, m << lead, e);
}

int32_t fp_soft_cvtmod_w_d(uint64_t a, struct fp_env *e)
{
    struct num x = unpack(FP_D, a, e);
    struct fp_env trunc = {.rm = FP_RTZ};
    uint64_t m, rest;

    (void)fp_soft_to_int(FP_D, a, FP_I32, &trunc);
    e->flags |= trunc.flags;
    if (x.cls != NUM_FINITE || x.exp > 63 + 31)
        return 0;
    m = x.exp > 63 ? x.sig << (x.exp - 63) : split(x, &rest);
    return (int32_t)(uint32_t)(x.sign ? 0 - m : m);
}
