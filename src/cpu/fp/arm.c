#include "cpu/fp/arm.h"
#include "cpu/fp/num.h"

struct fp_env fp_arm_env(uint64_t fpcr)
{
    static const uint8_t rm[4] = {FP_RNE, FP_RUP, FP_RDN, FP_RTZ}; /* FPCR.RMode */
    bool ah = fpcr & FPCR_AH, fz = fpcr & FPCR_FZ;
    return (struct fp_env){.rm = rm[fpcr >> 22 & 3],
                           .arm = 1,
                           .flush_in = (fz && !ah) || (fpcr & FPCR_FIZ),
                           .flush_tells = fz && !ah,
                           .flush_out = fz,
                           .flush_half = (fpcr & FPCR_FZ16) != 0,
                           .dn = (fpcr & FPCR_DN) != 0,
                           .ah = ah};
}

uint64_t fp_arm_fpsr(unsigned flags)
{
    return ((flags & FP_NV) != 0) | (flags & FP_DZ ? 2u : 0u) | (flags & FP_OF ? 4u : 0u) | (flags & FP_UF ? 8u : 0u) |
           (flags & FP_NX ? 16u : 0u) | (flags & FP_ID ? 128u : 0u);
}

static void denorms(struct num x, struct num y, struct fp_env *e)
{
    if (x.denormal || y.denormal)
        e->flags |= FP_ID;
}

/* -1, 0, 1: how two numbers that are no NaN compare. */
static int order(struct num x, struct num y)
{
    if (x.cls == NUM_ZERO && y.cls == NUM_ZERO)
        return 0;
    if (x.cls == NUM_ZERO)
        return y.sign ? 1 : -1;
    if (y.cls == NUM_ZERO || x.sign != y.sign)
        return x.sign ? -1 : 1;
    int more = x.cls != y.cls     ? (x.cls == NUM_INF ? 1 : -1)
               : x.cls == NUM_INF ? 0
               : x.exp != y.exp   ? (x.exp > y.exp ? 1 : -1)
                                  : (x.sig > y.sig) - (x.sig < y.sig);
    return x.sign ? -more : more;
}

unsigned fp_arm_compare(enum fp_fmt f, uint64_t a, uint64_t b, bool signalling, struct fp_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);
    if (x.cls == NUM_NAN || y.cls == NUM_NAN) {
        if (signalling || fp_is_snan(f, a) || fp_is_snan(f, b))
            e->flags |= FP_NV;
        return 3;
    }
    denorms(x, y, e);
    int o = order(x, y);
    return o == 0 ? 6 : o < 0 ? 8 : 2;
}

static uint64_t zero(enum fp_fmt f, bool sign) { return pack_sign(f, sign, 0); }

/* FPMax__1, FPMin__1: `max` says which; alt: with the rules of FPCR.AH. */
static uint64_t max_min(enum fp_fmt f, uint64_t a, uint64_t b, bool max, bool alt, struct fp_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);
    if (alt && x.cls == NUM_ZERO && y.cls == NUM_ZERO && x.sign != y.sign)
        return zero(f, y.sign);
    if (alt && (x.cls == NUM_NAN || y.cls == NUM_NAN)) {
        e->flags |= FP_NV;
        return y.cls == NUM_ZERO ? zero(f, y.sign) : b;
    }
    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return fp_propagate_nan(f, a, b, e);
    denorms(x, y, e);
    int o = order(x, y);
    bool first = max ? o > 0 : o < 0;
    struct num n = first ? x : y;
    if (n.cls == NUM_INF)
        return pack_sign(f, n.sign, fp_inf(f));
    if (n.cls == NUM_ZERO)
        return zero(f, max ? x.sign && y.sign : x.sign || y.sign);
    if (alt)
        return first ? a : b;
    return fp_round_pack(f, n.sign, n.exp, n.sig, e);
}

uint64_t fp_arm_max(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e) { return max_min(f, a, b, true, e->ah, e); }
uint64_t fp_arm_min(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e) { return max_min(f, a, b, false, e->ah, e); }

/* FPMaxNum, FPMinNum: a quiet NaN loses against a number. */
static uint64_t max_min_num(enum fp_fmt f, uint64_t a, uint64_t b, bool max, struct fp_env *e)
{
    bool qa = fp_is_nan(f, a) && !fp_is_snan(f, a), qb = fp_is_nan(f, b) && !fp_is_snan(f, b);
    uint64_t least = pack_sign(f, max, fp_inf(f));
    if (!(e->ah && fp_is_nan(f, a) && fp_is_nan(f, b))) {
        if (qa && !qb)
            a = least;
        else if (qb && !qa)
            b = least;
    }
    return max_min(f, a, b, max, false, e);
}

uint64_t fp_arm_maxnum(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e) { return max_min_num(f, a, b, true, e); }
uint64_t fp_arm_minnum(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e) { return max_min_num(f, a, b, false, e); }

/* ±2^n of format f. */
static uint64_t power(enum fp_fmt f, bool sign, int n)
{
    return pack_sign(f, sign, (uint64_t)(n + fp_bias(f)) << fp_frac_bits(f));
}

static bool infinity_times_zero(struct num x, struct num y)
{
    return (x.cls == NUM_INF && y.cls == NUM_ZERO) || (x.cls == NUM_ZERO && y.cls == NUM_INF);
}

uint64_t fp_arm_mulx(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    struct num x = unpack(f, a, e), y = unpack(f, b, e);
    if (!infinity_times_zero(x, y))
        return fp_soft_mul(f, a, b, e);
    denorms(x, y, e);
    return power(f, x.sign != y.sign, 1);
}

uint64_t fp_arm_neg(enum fp_fmt f, uint64_t a, const struct fp_env *e)
{
    return e->ah && fp_is_nan(f, a) ? a : a ^ fp_sign_bit(f);
}
uint64_t fp_arm_abs(enum fp_fmt f, uint64_t a, const struct fp_env *e) { return e->ah && fp_is_nan(f, a) ? a : fp_abs(f, a); }

/* With FPCR.AH estimates and steps work by rules of their own, and raise nothing. */
static struct fp_env estimate_env(const struct fp_env *e)
{
    struct fp_env o = *e;
    if (e->ah) {
        o.flush_in = o.flush_out = 1;
        o.rm = FP_RNE;
    }
    o.flags = 0;
    return o;
}

static uint64_t estimated(uint64_t r, const struct fp_env *o, struct fp_env *e)
{
    if (!e->ah)
        e->flags |= o->flags;
    return r;
}

/* (n - a * b) / 2^halved, fused; n is 2 or 3 (its bits: n_bits), and with infinity times zero the result is `special`. */
static uint64_t step(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t n_bits, int halved, uint64_t special, struct fp_env *e)
{
    struct fp_env o = estimate_env(e);
    a = fp_arm_neg(f, a, e);
    struct num x = unpack(f, a, &o), y = unpack(f, b, &o);
    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return estimated(fp_propagate_nan(f, a, b, &o), &o, e);
    if (infinity_times_zero(x, y))
        return estimated(special, &o, e);
    if (x.cls == NUM_INF || y.cls == NUM_INF)
        return estimated(pack_sign(f, x.sign != y.sign, fp_inf(f)), &o, e);
    /* The sum is exact in 128 bits or has a sticky bit; what is halved is not rounded before. */
    struct num c = unpack(f, n_bits, &o);
    if (x.cls == NUM_ZERO || y.cls == NUM_ZERO)
        return estimated(fp_round_pack(f, false, c.exp - halved, c.sig, &o), &o, e);
    u128 p = (u128)x.sig * y.sig, q = (u128)c.sig << 63, sum;
    int exp = x.exp + y.exp + 1;
    bool minus = x.sign != y.sign, sign = false;
    if (p >> 127 == 0) {
        p <<= 1;
        exp--;
    }
    p >>= 1;
    int top = exp;
    if (exp < c.exp) {
        p = shift_right_jam128(p, c.exp - exp);
        top = c.exp;
    } else {
        q = shift_right_jam128(q, exp - c.exp);
    }
    if (minus && p > q)
        sum = p - q, sign = true;
    else
        sum = minus ? q - p : q + p;
    if (sum == 0)
        return estimated(zero(f, o.rm == FP_RDN), &o, e);
    uint64_t high = (uint64_t)(sum >> 64);
    int lead = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)sum);
    sum <<= lead;
    return estimated(fp_round_pack(f, sign, top + 1 - lead - halved, (uint64_t)(sum >> 64) | ((uint64_t)sum != 0), &o), &o, e);
}

uint64_t fp_arm_recps(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    return step(f, a, b, power(f, false, 1), 0, power(f, false, 1), e);
}

uint64_t fp_arm_rsqrts(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    uint64_t half = UINT64_C(1) << (fp_frac_bits(f) - 1);
    return step(f, a, b, power(f, false, 1) | half, 1, power(f, false, 0) | half, e);
}

/* ---- estimates ---------------------------------------------------------------------------------------------------------- */

/* RecipEstimate: 256 <= a < 512; with 12 bits, 2048 <= a < 4096. */
static unsigned recip_estimate(unsigned a, bool precise)
{
    unsigned d = a * 2 + 1;
    if (!precise)
        return ((1u << 19) / d + 1) / 2;
    return (1u << 25) / d + ((1u << 25) % d * 2 > d);
}

static uint64_t root(u128 n)
{
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1)
        if ((u128)(r | bit) * (r | bit) <= n)
            r |= bit;
    return r;
}

/* RecipSqrtEstimate: 128 <= a < 512; with 12 bits, 1024 <= a < 4096. */
static unsigned rsqrt_estimate(unsigned a, bool precise)
{
    if (!precise) {
        unsigned b = 512;
        a = a < 256 ? a * 2 + 1 : (a | 1) * 2;
        while (a * (b + 1) * (b + 1) < 1u << 28)
            b++;
        return (b + 1) / 2;
    }
    /* twice the operand, so that its half is whole; then 2^47 times its root, to nearest with ties down, and 2^65 by that
     * likewise */
    u128 n = (u128)(a < 2048 ? a * 2 + 1 : (a | 1) * 2) << 93;
    uint64_t r = root(n);
    r += n - (u128)r * r > r;
    u128 q = ((u128)1 << 65) / r, rest = ((u128)1 << 65) % r;
    return (unsigned)q + (rest * 2 > r);
}

unsigned fp_arm_recip9(unsigned a) { return recip_estimate(a, false); }
unsigned fp_arm_rsqrt9(unsigned a) { return rsqrt_estimate(a, false); }

static uint64_t overflowed_estimate(enum fp_fmt f, bool sign, struct fp_env *e)
{
    bool to_inf = e->rm == FP_RNE || (e->rm == FP_RUP && !sign) || (e->rm == FP_RDN && sign);
    e->flags |= FP_OF | FP_NX;
    return pack_sign(f, sign, to_inf ? fp_inf(f) : fp_inf(f) - 1);
}

static uint64_t recpe(enum fp_fmt f, uint64_t a, struct fp_env *e)
{
    struct num x = unpack(f, a, e);
    int bias = fp_bias(f);
    unsigned frac = fp_frac_bits(f);
    switch (x.cls) {
    case NUM_NAN: return fp_propagate_nan(f, a, a, e);
    case NUM_INF: return zero(f, x.sign);
    case NUM_ZERO: e->flags |= FP_DZ; return pack_sign(f, x.sign, fp_inf(f));
    default: break;
    }
    if (x.exp < -bias - 1)
        return overflowed_estimate(f, x.sign, e);
    if ((f == FP_H ? e->flush_half : e->flush_out) && x.exp >= bias - 1) {
        e->flags |= FP_UF;
        return zero(f, x.sign);
    }
    bool precise = f == FP_S && e->rpres && e->ah;
    unsigned bits = precise ? 12 : 8, estimate = recip_estimate((unsigned)(x.sig >> (precise ? 52 : 55)), precise);
    int exp = 2 * bias - 1 - (x.exp + bias); /* biased */
    uint64_t m = (uint64_t)(estimate & ((1u << bits) - 1)) << (frac - bits);
    if (exp == 0)
        m = m >> 1 | UINT64_C(1) << (frac - 1);
    else if (exp == -1)
        m = m >> 2 | UINT64_C(1) << (frac - 2), exp = 0;
    return pack_sign(f, x.sign, (uint64_t)exp << frac | m);
}

uint64_t fp_arm_recpe(enum fp_fmt f, uint64_t a, struct fp_env *e)
{
    struct fp_env o = estimate_env(e);
    return estimated(recpe(f, a, &o), &o, e);
}

static uint64_t rsqrte(enum fp_fmt f, uint64_t a, struct fp_env *e)
{
    struct num x = unpack(f, a, e);
    int bias = fp_bias(f), biased = x.exp + bias;
    unsigned frac = fp_frac_bits(f);
    if (x.cls == NUM_NAN)
        return fp_propagate_nan(f, a, a, e);
    if (x.cls == NUM_ZERO) {
        e->flags |= FP_DZ;
        return pack_sign(f, x.sign, fp_inf(f));
    }
    if (x.sign) {
        e->flags |= FP_NV;
        return fp_default_nan(f, e);
    }
    if (x.cls == NUM_INF)
        return 0;
    bool precise = f == FP_S && e->rpres && e->ah;
    unsigned bits = precise ? 12 : 8, top = precise ? 52 : 55; /* 11 or 8 bits behind the leading one */
    unsigned scaled = (unsigned)(x.sig >> (top + (biased & 1)));
    int twice = 3 * bias - 1 - biased;
    return (uint64_t)(twice >> 1) << frac | (uint64_t)(rsqrt_estimate(scaled, precise) & ((1u << bits) - 1)) << (frac - bits);
}

uint64_t fp_arm_rsqrte(enum fp_fmt f, uint64_t a, struct fp_env *e)
{
    struct fp_env o = estimate_env(e);
    return estimated(rsqrte(f, a, &o), &o, e);
}

uint64_t fp_arm_recpx(enum fp_fmt f, uint64_t a, struct fp_env *e)
{
    struct fp_env o = estimate_env(e);
    o.rm = e->rm;
    struct num x = unpack(f, a, &o);
    if (x.cls == NUM_NAN)
        return estimated(fp_propagate_nan(f, a, a, &o), &o, e);
    uint64_t mask = fp_inf(f), exp = a & mask, least = UINT64_C(1) << fp_frac_bits(f);
    return estimated(pack_sign(f, fp_is_neg(f, a), exp ? ~exp & mask : mask - least), &o, e);
}

/* ---- conversions -------------------------------------------------------------------------------------------------------- */

/* FPConvertNaN: sign and the upper bits of the payload; quiet. */
static uint64_t convert_nan(enum fp_fmt to, enum fp_fmt from, uint64_t a)
{
    uint64_t payload = (a & ((UINT64_C(1) << fp_frac_bits(from)) - 1)) << (52 - fp_frac_bits(from));
    return pack_sign(to, fp_is_neg(from, a), fp_nan(to) | payload >> (52 - fp_frac_bits(to)));
}

/* A number of half precision in the alternative format, which has neither infinities nor NaNs. */
static struct num unpack_alternative(uint64_t a, struct fp_env *e)
{
    if ((a & 0x7c00) != 0x7c00)
        return unpack(FP_H, a, e);
    return (struct num){.cls = NUM_FINITE, .sign = a >> 15 & 1, .exp = 16, .sig = (a & 0x3ff) << 53 | UINT64_C(1) << 63};
}

uint64_t fp_arm_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, struct fp_env *e)
{
    struct fp_env o = *e;
    o.flush_half = 0; /* FPUnpackCV, FPRoundCV: FZ16 has no part in conversions */
    struct num x = from == FP_H && e->ahp ? unpack_alternative(a, &o) : unpack(from, a, &o);
    bool alternative = to == FP_H && e->ahp;
    uint64_t r;
    if (x.cls == NUM_NAN) {
        if (alternative || fp_is_snan(from, a))
            o.flags |= FP_NV;
        r = alternative ? zero(to, x.sign) : e->dn ? fp_default_nan(to, e) : convert_nan(to, from, a);
    } else if (x.cls == NUM_INF) {
        if (alternative)
            o.flags |= FP_NV;
        r = pack_sign(to, x.sign, alternative ? 0x7fff : fp_inf(to));
    } else if (x.cls == NUM_ZERO) {
        r = zero(to, x.sign);
    } else {
        r = fp_round_pack(to, x.sign, x.exp, x.sig, &o);
        denorms(x, x, &o);
    }
    e->flags = o.flags;
    return r;
}

/* The magnitude of x rounded to an integer by rm; *inexact; false: 2^64 or more. */
static bool magnitude(struct num x, unsigned rm, uint64_t *m, bool *inexact)
{
    uint64_t rest;
    if (x.exp > 63)
        return false;
    *m = split(x, &rest);
    *inexact = rest != 0;
    return !rounds_up(rm, x.sign, (*m & 1) != 0, rest) || ++*m != 0;
}

uint64_t fp_arm_to_fixed(enum fp_fmt f, uint64_t a, unsigned fbits, unsigned width, bool is_unsigned, unsigned rm,
                         struct fp_env *e)
{
    struct num x = unpack(f, a, e);
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1, m = 0;
    bool inexact = false;
    if (x.cls == NUM_NAN) {
        e->flags |= FP_NV;
        return 0;
    }
    if (x.cls == NUM_ZERO)
        return 0;
    x.exp += (int)fbits;
    uint64_t limit = is_unsigned ? (x.sign ? 0 : mask) : (mask >> 1) + x.sign;
    if (x.cls == NUM_INF || !magnitude(x, rm, &m, &inexact) || m > limit) {
        e->flags |= FP_NV;
        return x.sign ? (0 - limit) & mask : limit;
    }
    if (inexact)
        e->flags |= FP_NX;
    return (x.sign ? 0 - m : m) & mask;
}

uint64_t fp_arm_from_fixed(enum fp_fmt f, uint64_t v, unsigned fbits, unsigned width, bool is_unsigned, struct fp_env *e)
{
    uint64_t wide = is_unsigned ? v << (64 - width) >> (64 - width) : (uint64_t)((int64_t)(v << (64 - width)) >> (64 - width));
    bool sign = !is_unsigned && wide >> 63;
    uint64_t m = sign ? 0 - wide : wide;
    if (!m)
        return 0;
    int lead = __builtin_clzll(m);
    return fp_round_pack(f, sign, 63 - lead - (int)fbits, m << lead, e);
}

uint64_t fp_arm_round_int(enum fp_fmt f, uint64_t a, unsigned rm, bool exact, struct fp_env *e)
{
    unsigned old = e->rm;
    e->rm = (uint8_t)rm;
    uint64_t r = fp_soft_round_int(f, a, exact, e);
    e->rm = (uint8_t)old;
    return r;
}

uint64_t fp_arm_round_int_n(enum fp_fmt f, uint64_t a, unsigned rm, unsigned size, struct fp_env *e)
{
    struct num x = unpack(f, a, e);
    uint64_t m = 0;
    bool inexact = false,
         fits = x.cls == NUM_FINITE && magnitude(x, rm, &m, &inexact) && m <= (UINT64_C(1) << (size - 1)) - 1 + x.sign;
    if (x.cls == NUM_ZERO)
        return zero(f, x.sign);
    if (!fits) {
        e->flags |= FP_NV;
        return power(f, true, (int)size - 1);
    }
    if (inexact)
        e->flags |= FP_NX;
    if (!m)
        return zero(f, x.sign);
    struct fp_env towards_zero = *e;
    towards_zero.rm = FP_RTZ;
    int lead = __builtin_clzll(m);
    uint64_t r = fp_round_pack(f, x.sign, 63 - lead, m << lead, &towards_zero);
    e->flags = towards_zero.flags;
    return r;
}

uint32_t fp_arm_to_js(uint64_t a, bool *exact, struct fp_env *e)
{
    struct num x = unpack(FP_D, a, e);
    uint64_t m = 0, rest = 0;
    *exact = false;
    if (x.cls == NUM_ZERO) {
        *exact = !x.sign && !(a << 12); /* neither -0 nor a subnormal that was flushed */
        return 0;
    }
    if (x.cls == NUM_NAN || x.cls == NUM_INF) {
        e->flags |= FP_NV;
        return 0;
    }
    bool huge = x.exp > 63;
    if (!huge)
        m = split(x, &rest);
    else if (x.exp < 63 + 64)
        m = x.sig << (x.exp - 63);
    if (huge || m > (UINT64_C(1) << 31) - 1 + x.sign)
        e->flags |= FP_NV;
    else if (rest)
        e->flags |= FP_NX;
    else
        *exact = true;
    return (uint32_t)(x.sign ? 0 - m : m);
}

uint64_t fp_arm_expand(enum fp_fmt f, unsigned imm8)
{
    unsigned frac = fp_frac_bits(f), exp_bits = fp_width(f) - frac - 1;
    uint64_t b = imm8 >> 6 & 1;
    uint64_t exp = (b ^ 1) << (exp_bits - 1) | (b ? ((UINT64_C(1) << (exp_bits - 3)) - 1) << 2 : 0) | (imm8 >> 4 & 3);
    return pack_sign(f, imm8 >> 7, exp << frac | (uint64_t)(imm8 & 15) << (frac - 4));
}

/* ---- half precision and BFloat16 ---------------------------------------------------------------------------------------- */

/* A NaN of half precision as one of single precision, of the same kind. */
static uint64_t nan_of_half(uint64_t a) { return (a & 0x8000) << 16 | fp_inf(FP_S) | (a & 0x3ff) << 13; }

uint64_t fp_arm_fmah(uint64_t c, uint64_t a, uint64_t b, struct fp_env *e)
{
    return fp_fma_num(FP_S, unpack(FP_H, a, e), unpack(FP_H, b, e), unpack(FP_S, c, e), fp_is_nan(FP_H, a) ? nan_of_half(a) : 0,
                      fp_is_nan(FP_H, b) ? nan_of_half(b) : 0, c, e);
}

uint64_t fp_arm_to_bf16(uint64_t a, struct fp_env *e)
{
    struct fp_env o = estimate_env(e);
    struct num x = unpack(FP_S, a, &o);
    bool sign = x.sign;
    if (x.cls == NUM_NAN) {
        if (fp_is_snan(FP_S, a))
            o.flags |= FP_NV;
        return estimated((e->dn ? fp_default_nan(FP_S, e) : a | fp_quiet_bit(FP_S)) >> 16, &o, e);
    }
    if (x.cls != NUM_FINITE)
        return estimated((uint64_t)sign << 15 | (x.cls == NUM_INF ? 0x7f80 : 0), &o, e);
    uint64_t kept = fp_abs(FP_S, a) >> 16, rest = a << 48;
    bool tiny = kept < 0x80;
    kept += rounds_up(o.rm, sign, (kept & 1) != 0, rest);
    if (rest)
        o.flags |= tiny ? FP_NX | FP_UF : FP_NX;
    if (kept >= 0x7f80) {
        o.flags |= FP_OF | FP_NX; /* it rounded up, so the mode is one that goes to infinity */
        kept = 0x7f80;
    }
    return estimated((uint64_t)sign << 15 | kept, &o, e);
}

uint64_t fp_arm_bfmla(uint64_t c, uint64_t a, uint64_t b, struct fp_env *e)
{
    struct fp_env o = estimate_env(e);
    return estimated(fp_soft_fma(FP_S, a << 16, b << 16, c, &o), &o, e);
}

uint64_t fp_arm_bfdot(uint64_t c, uint64_t a1, uint64_t b1, uint64_t a2, uint64_t b2, const struct fp_env *e)
{
    struct fp_env o = {.rm = FP_ODD_INF, .arm = 1, .flush_in = 1, .flush_out = 1, .dn = 1, .ah = e->ah};
    uint64_t p = fp_soft_mul(FP_S, a1 << 16, b1 << 16, &o), q = fp_soft_mul(FP_S, a2 << 16, b2 << 16, &o);
    return fp_soft_add(FP_S, c, fp_soft_add(FP_S, p, q, &o), &o);
}
