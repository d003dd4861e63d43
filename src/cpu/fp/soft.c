#include "cpu/fp/soft.h"

__extension__ typedef unsigned __int128 u128;

enum num_class { NUM_ZERO, NUM_FINITE, NUM_INF, NUM_NAN };

/* An unpacked operand. A finite one is (-1)^sign * sig * 2^(exp - 63) with bit 63 of sig set, subnormals too. */
struct num {
    enum num_class cls;
    bool sign;
    int exp;
    uint64_t sig;
};

static struct num unpack(enum fp_fmt f, uint64_t bits)
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

static uint64_t pack_sign(enum fp_fmt f, bool sign, uint64_t m) { return sign ? m | fp_sign_bit(f) : m; }

static uint64_t invalid(enum fp_fmt f, struct fp_env *e)
{
    e->flags |= FP_NV;
    return fp_nan(f);
}

/* The result of an operation one of whose operands is a NaN; unused operands repeat another one. */
static uint64_t propagate_nan(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, struct fp_env *e)
{
    if (fp_is_snan(f, a) || fp_is_snan(f, b) || fp_is_snan(f, c))
        e->flags |= FP_NV;
    return fp_nan(f);
}

/* v >> n, with bit 0 set if any bit fell out. */
static uint64_t shift_right_jam(uint64_t v, int n)
{
    if (n <= 0)
        return v;
    if (n > 63)
        return v != 0;
    return v >> n | ((v << (64 - n)) != 0);
}

static u128 shift_right_jam128(u128 v, int n)
{
    if (n <= 0)
        return v;
    if (n > 127)
        return v != 0;
    return v >> n | ((v << (128 - n)) != 0);
}

/* Whether a magnitude is rounded up. `odd`: its last kept bit; rest: what is dropped, as a fraction of 2^64. */
static bool rounds_up(unsigned rm, bool sign, bool odd, uint64_t rest)
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

static uint64_t overflow(enum fp_fmt f, bool sign, struct fp_env *e)
{
    bool to_inf = e->rm == FP_RNE || e->rm == FP_RMM || e->rm == (sign ? FP_RDN : FP_RUP);

    e->flags |= FP_OF | FP_NX;
    return pack_sign(f, sign, to_inf ? fp_inf(f) : fp_inf(f) - 1);
}

uint64_t fp_round_pack(enum fp_fmt f, bool sign, int exp, uint64_t sig, struct fp_env *e)
{
    int frac_bits = (int)fp_frac_bits(f);
    int prec = frac_bits + 1;
    int emin = 1 - fp_bias(f);
    int biased = exp + fp_bias(f);
    bool tiny = false;

    if (exp < emin) {
        /* Tiny after rounding: even with an unbounded exponent the rounded magnitude stays below 2^emin. */
        uint64_t kept = sig >> (64 - prec);
        bool carries = kept == (UINT64_C(1) << prec) - 1 && rounds_up(e->rm, sign, true, sig << prec);
        tiny = exp < emin - 1 || !carries;
        sig = shift_right_jam(sig, emin - exp);
        biased = 1;
    }
    uint64_t kept = sig >> (64 - prec);
    uint64_t rest = sig << prec;
    kept += rounds_up(e->rm, sign, (kept & 1) != 0, rest);

    /* The leading bit, and a carry out of the significand, add themselves to the exponent field. */
    uint64_t m = ((uint64_t)(biased - 1) << frac_bits) + kept;
    if (m >= fp_inf(f))
        return overflow(f, sign, e);
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
    struct num x = unpack(f, a), y = unpack(f, b);

    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return propagate_nan(f, a, b, b, e);
    if (x.cls == NUM_INF)
        return y.cls == NUM_INF && x.sign != y.sign ? invalid(f, e) : a;
    if (y.cls == NUM_INF)
        return b;
    if (x.cls == NUM_ZERO)
        return y.cls == NUM_ZERO ? pack_sign(f, zero_sum_sign(x.sign, y.sign, e), 0) : b;
    if (y.cls == NUM_ZERO)
        return a;
    return add_magnitudes(f, x, (u128)x.sig << 63, y, (u128)y.sig << 63, e);
}

uint64_t fp_soft_sub(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e) { return fp_soft_add(f, a, b ^ fp_sign_bit(f), e); }

uint64_t fp_soft_mul(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e)
{
    struct num x = unpack(f, a), y = unpack(f, b);
    bool sign = x.sign != y.sign;

    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return propagate_nan(f, a, b, b, e);
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
    struct num x = unpack(f, a), y = unpack(f, b);
    bool sign = x.sign != y.sign;

    if (x.cls == NUM_NAN || y.cls == NUM_NAN)
        return propagate_nan(f, a, b, b, e);
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
    struct num x = unpack(f, a);

    if (x.cls == NUM_NAN)
        return propagate_nan(f, a, a, a, e);
    if (x.cls == NUM_ZERO)
        return a;
    if (x.sign)
        return invalid(f, e);
    if (x.cls == NUM_INF)
        return a;
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

uint64_t fp_soft_fma(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, struct fp_env *e)
{
    struct num x = unpack(f, a), y = unpack(f, b), z = unpack(f, c);
    struct num p = {.sign = x.sign != y.sign, .exp = x.exp + y.exp + 1};

    if ((x.cls == NUM_INF && y.cls == NUM_ZERO) || (x.cls == NUM_ZERO && y.cls == NUM_INF))
        return invalid(f, e);
    if (x.cls == NUM_NAN || y.cls == NUM_NAN || z.cls == NUM_NAN)
        return propagate_nan(f, a, b, c, e);
    if (x.cls == NUM_INF || y.cls == NUM_INF)
        return z.cls == NUM_INF && z.sign != p.sign ? invalid(f, e) : pack_sign(f, p.sign, fp_inf(f));
    if (z.cls == NUM_INF)
        return c;
    if (x.cls == NUM_ZERO || y.cls == NUM_ZERO)
        return z.cls == NUM_ZERO ? pack_sign(f, zero_sum_sign(p.sign, z.sign, e), 0) : c;

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
    struct num x = unpack(from, a);

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

/* The integer part of |x|, which is below 2^64; *rest gets the fraction, in units of 2^-64, its bit 0 sticky. */
static uint64_t split(struct num x, uint64_t *rest)
{
    if (x.exp < 0) {
        *rest = shift_right_jam(x.sig, -1 - x.exp);
        return 0;
    }
    *rest = x.exp == 63 ? 0 : x.sig << (x.exp + 1);
    return x.sig >> (63 - x.exp);
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
    struct num x = unpack(f, a);
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
    struct num x = unpack(f, a);
    uint64_t rest;

    if (x.cls == NUM_NAN)
        return propagate_nan(f, a, a, a, e);
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
    struct num x = unpack(FP_D, a);
    struct fp_env trunc = {.rm = FP_RTZ};
    uint64_t m, rest;

    (void)fp_soft_to_int(FP_D, a, FP_I32, &trunc);
    e->flags |= trunc.flags;
    if (x.cls != NUM_FINITE || x.exp > 63 + 31)
        return 0;
    m = x.exp > 63 ? x.sig << (x.exp - 63) : split(x, &rest);
    return (int32_t)(uint32_t)(x.sign ? 0 - m : m);
}
