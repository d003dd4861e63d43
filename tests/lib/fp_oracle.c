#include "fp_oracle.h"

#include <stdlib.h>

#include "base/rng.h"

enum { PRECISION = 256 };

/* A magnitude cut off at some digit: the part above it (in o->n), and how what is below compares with half a unit. */
enum below { BELOW_NONE, BELOW_LESS, BELOW_HALF, BELOW_MORE };

void fp_oracle_init(struct fp_oracle *o)
{
    mpfr_inits2(PRECISION, o->x, o->y, o->z, o->r, (mpfr_ptr)0);
    mpz_inits(o->n, o->m, (mpz_ptr)0);
}

void fp_oracle_free(struct fp_oracle *o)
{
    mpfr_clears(o->x, o->y, o->z, o->r, (mpfr_ptr)0);
    mpz_clears(o->n, o->m, (mpz_ptr)0);
}

/* The value of a, which is no NaN. */
static void decode(mpfr_t x, enum fp_fmt f, uint64_t a)
{
    unsigned frac_bits = fp_frac_bits(f);
    uint64_t frac = a & ((UINT64_C(1) << frac_bits) - 1);
    int field = (int)(a >> frac_bits) & (2 * fp_bias(f) + 1);
    bool neg = a >> (fp_width(f) - 1) != 0;

    if (field == 2 * fp_bias(f) + 1) {
        mpfr_set_inf(x, neg ? -1 : 1);
        return;
    }
    if (field != 0)
        frac += UINT64_C(1) << frac_bits;
    mpfr_set_ui_2exp(x, frac, (field == 0 ? 1 : field) - fp_bias(f) - (int)frac_bits, MPFR_RNDN);
    mpfr_setsign(x, x, neg, MPFR_RNDN);
}

/* Cuts |v| at 2^q: the units above go to o->n. `more`: v was itself cut off. */
static enum below cut(struct fp_oracle *o, mpfr_t v, bool more, long q)
{
    long e = mpfr_get_z_2exp(o->m, v);

    mpz_abs(o->m, o->m);
    if (e >= q) {
        mpz_mul_2exp(o->n, o->m, (mp_bitcnt_t)(e - q));
        return more ? BELOW_LESS : BELOW_NONE;
    }
    mp_bitcnt_t drop = (mp_bitcnt_t)(q - e);
    mpz_tdiv_q_2exp(o->n, o->m, drop);
    bool half = mpz_tstbit(o->m, drop - 1) != 0;
    bool rest = more || mpz_scan1(o->m, 0) < drop - 1;
    return half ? (rest ? BELOW_MORE : BELOW_HALF) : rest ? BELOW_LESS : BELOW_NONE;
}

static bool away_from_zero(unsigned rm, bool neg, bool odd, enum below below)
{
    switch (rm) {
    case FP_RNE: return below == BELOW_MORE || (below == BELOW_HALF && odd);
    case FP_RTZ: return false;
    case FP_RDN: return neg && below != BELOW_NONE;
    case FP_RUP: return !neg && below != BELOW_NONE;
    default: return below == BELOW_MORE || below == BELOW_HALF;
    }
}

static void same_for_all(struct fp_expect out[5], uint64_t bits, unsigned flags)
{
    for (int rm = 0; rm < 5; rm++)
        out[rm] = (struct fp_expect){bits, flags};
}

static uint64_t with_sign(enum fp_fmt f, bool neg, uint64_t magnitude)
{
    return neg ? magnitude | UINT64_C(1) << (fp_width(f) - 1) : magnitude;
}

/* The bits of units * 2^q, which is finite in f and 0, subnormal or normal. */
static uint64_t encode(enum fp_fmt f, uint64_t units, long q)
{
    int frac_bits = (int)fp_frac_bits(f);

    while (units >> (frac_bits + 1) != 0) {
        units >>= 1;
        q++;
    }
    if (units >> frac_bits == 0)
        return units;
    return ((uint64_t)(q + frac_bits + fp_bias(f)) << frac_bits) | (units - (UINT64_C(1) << frac_bits));
}

/* Rounds v, not zero, with something more below it if `more`, into format f. */
static void round_all(struct fp_oracle *o, mpfr_t v, bool more, enum fp_fmt f, struct fp_expect out[5])
{
    int prec = (int)fp_frac_bits(f) + 1;
    long emin = 1 - fp_bias(f), emax = fp_bias(f);
    long lead = mpfr_get_exp(v) - 1;
    bool neg = mpfr_signbit(v) != 0;
    long q = (lead < emin ? emin : lead) - (prec - 1);

    /* First with an unbounded exponent, to see whether the rounded value is tiny. */
    bool tiny[5];
    enum below below = cut(o, v, more, lead - (prec - 1));
    uint64_t units = mpz_get_ui(o->n);
    for (unsigned rm = 0; rm < 5; rm++) {
        bool carry = units + away_from_zero(rm, neg, units & 1, below) == UINT64_C(1) << prec;
        tiny[rm] = lead + carry < emin;
    }
    if (lead < emin) {
        below = cut(o, v, more, q);
        units = mpz_get_ui(o->n);
    }
    for (unsigned rm = 0; rm < 5; rm++) {
        uint64_t rounded = units + away_from_zero(rm, neg, units & 1, below);
        bool carry = rounded == UINT64_C(1) << prec;
        unsigned flags = below == BELOW_NONE ? 0 : tiny[rm] ? FP_NX | FP_UF : FP_NX;
        if (lead + carry > emax) {
            bool largest = rm == FP_RTZ || (rm == FP_RDN && !neg) || (rm == FP_RUP && neg);
            uint64_t inf = (2 * (uint64_t)fp_bias(f) + 1) << (prec - 1);
            out[rm] = (struct fp_expect){with_sign(f, neg, largest ? inf - 1 : inf), FP_OF | FP_NX};
        } else {
            out[rm] = (struct fp_expect){with_sign(f, neg, encode(f, rounded, q)), flags};
        }
    }
}

static void nan_result(enum fp_fmt f, struct fp_expect out[5], bool nv)
{
    static const uint64_t canonical[] = {0x7e00, 0x7fc00000, 0x7ff8000000000000};

    same_for_all(out, canonical[f], nv ? FP_NV : 0);
}

/* The result in o->r, not a NaN by itself; `inexact`: MPFR's ternary value. zero_neg: the sign of an exact zero in mode rm. */
static void finish(struct fp_oracle *o, enum fp_fmt f, bool inexact, struct fp_expect out[5])
{
    bool neg = mpfr_signbit(o->r) != 0;

    if (mpfr_inf_p(o->r))
        same_for_all(out, with_sign(f, neg, (2 * (uint64_t)fp_bias(f) + 1) << fp_frac_bits(f)), 0);
    else if (mpfr_zero_p(o->r))
        same_for_all(out, with_sign(f, neg, 0), 0);
    else
        round_all(o, o->r, inexact, f, out);
}

static bool any_nan(enum fp_oracle_op op, enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, struct fp_expect out[5])
{
    bool two = op != ORACLE_SQRT, three = op == ORACLE_FMA;

    if (!fp_is_nan(f, a) && !(two && fp_is_nan(f, b)) && !(three && fp_is_nan(f, c)))
        return false;
    bool nv = fp_is_snan(f, a) || (two && fp_is_snan(f, b)) || (three && fp_is_snan(f, c));
    if (three)
        nv |= (fp_is_inf(f, a) && fp_is_zero(f, b)) || (fp_is_zero(f, a) && fp_is_inf(f, b));
    nan_result(f, out, nv);
    return true;
}

void fp_oracle_arith(struct fp_oracle *o, enum fp_oracle_op op, enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c,
                     struct fp_expect out[5])
{
    int t = 0;
    bool sum = false;

    if (any_nan(op, f, a, b, c, out))
        return;
    decode(o->x, f, a);
    decode(o->y, f, b);
    switch (op) {
    case ORACLE_ADD:
        t = mpfr_add(o->r, o->x, o->y, MPFR_RNDZ);
        sum = mpfr_signbit(o->x) != mpfr_signbit(o->y);
        break;
    case ORACLE_SUB:
        t = mpfr_sub(o->r, o->x, o->y, MPFR_RNDZ);
        sum = mpfr_signbit(o->x) == mpfr_signbit(o->y);
        break;
    case ORACLE_MUL: t = mpfr_mul(o->r, o->x, o->y, MPFR_RNDZ); break;
    case ORACLE_DIV: t = mpfr_div(o->r, o->x, o->y, MPFR_RNDZ); break;
    case ORACLE_SQRT: t = mpfr_sqrt(o->r, o->x, MPFR_RNDZ); break;
    case ORACLE_FMA:
        decode(o->z, f, c);
        t = mpfr_fma(o->r, o->x, o->y, o->z, MPFR_RNDZ);
        sum = (mpfr_signbit(o->x) ^ mpfr_signbit(o->y)) != mpfr_signbit(o->z);
        break;
    }
    if (mpfr_nan_p(o->r)) {
        nan_result(f, out, true);
        return;
    }
    finish(o, f, t != 0, out);
    if (op == ORACLE_DIV && mpfr_zero_p(o->y) && !mpfr_zero_p(o->x) && !mpfr_inf_p(o->x))
        same_for_all(out, out[0].bits, FP_DZ);
    /* An exact zero sum of terms of unlike signs is -0 when rounding down, else +0 (IEEE 754 6.3). */
    if (sum && t == 0 && mpfr_zero_p(o->r)) {
        same_for_all(out, 0, 0);
        out[FP_RDN].bits = with_sign(f, true, 0);
    }
}

void fp_oracle_convert(struct fp_oracle *o, enum fp_fmt to, enum fp_fmt from, uint64_t a, struct fp_expect out[5])
{
    if (fp_is_nan(from, a)) {
        nan_result(to, out, fp_is_snan(from, a));
        return;
    }
    decode(o->r, from, a);
    finish(o, to, false, out);
}

void fp_oracle_from_int(struct fp_oracle *o, enum fp_fmt f, uint64_t v, enum fp_int t, struct fp_expect out[5])
{
    if (t == FP_I32 || t == FP_I64)
        mpfr_set_si(o->r, (long)v, MPFR_RNDZ);
    else
        mpfr_set_ui(o->r, v, MPFR_RNDZ);
    finish(o, f, false, out);
}

void fp_oracle_to_int(struct fp_oracle *o, enum fp_fmt f, uint64_t a, enum fp_int t, struct fp_expect out[5])
{
    /* Smallest and largest integer of each type. */
    static const struct {
        int64_t min;
        uint64_t max;
    } range[] = {
        [FP_I32] = {INT32_MIN, INT32_MAX},
        [FP_U32] = {0, UINT32_MAX},
        [FP_I64] = {INT64_MIN, INT64_MAX},
        [FP_U64] = {0, UINT64_MAX},
    };

    if (fp_is_nan(f, a)) {
        same_for_all(out, range[t].max, FP_NV);
        return;
    }
    decode(o->r, f, a);
    bool neg = mpfr_signbit(o->r) != 0;
    if (mpfr_inf_p(o->r)) {
        same_for_all(out, neg ? (uint64_t)range[t].min : range[t].max, FP_NV);
        return;
    }
    if (mpfr_zero_p(o->r)) {
        same_for_all(out, 0, 0);
        return;
    }
    enum below below = cut(o, o->r, false, 0);
    mpz_set(o->m, o->n);
    for (unsigned rm = 0; rm < 5; rm++) {
        mpz_add_ui(o->n, o->m, away_from_zero(rm, neg, mpz_odd_p(o->m) != 0, below));
        if (neg)
            mpz_neg(o->n, o->n);
        if (mpz_cmp_si(o->n, range[t].min) < 0)
            out[rm] = (struct fp_expect){(uint64_t)range[t].min, FP_NV};
        else if (mpz_cmp_ui(o->n, range[t].max) > 0)
            out[rm] = (struct fp_expect){range[t].max, FP_NV};
        else
            out[rm] = (struct fp_expect){neg ? 0 - mpz_get_ui(o->n) : mpz_get_ui(o->n), below != BELOW_NONE ? FP_NX : 0};
    }
}

void fp_oracle_round_int(struct fp_oracle *o, enum fp_fmt f, uint64_t a, struct fp_expect out[5])
{
    if (fp_is_nan(f, a)) {
        nan_result(f, out, fp_is_snan(f, a));
        return;
    }
    decode(o->r, f, a);
    if (mpfr_inf_p(o->r) || mpfr_zero_p(o->r) || mpfr_integer_p(o->r)) {
        same_for_all(out, a, 0);
        return;
    }
    bool neg = mpfr_signbit(o->r) != 0;
    enum below below = cut(o, o->r, false, 0);
    uint64_t units = mpz_get_ui(o->n);
    for (unsigned rm = 0; rm < 5; rm++) {
        struct fp_expect all[5];
        mpfr_set_ui(o->r, units + away_from_zero(rm, neg, units & 1, below), MPFR_RNDZ);
        mpfr_setsign(o->r, o->r, neg, MPFR_RNDZ);
        finish(o, f, false, all);
        out[rm] = (struct fp_expect){all[0].bits, FP_NX};
    }
}

void fp_oracle_cvtmod(struct fp_oracle *o, uint64_t a, struct fp_expect *out)
{
    struct fp_expect plain[5];

    fp_oracle_to_int(o, FP_D, a, FP_I32, plain);
    *out = (struct fp_expect){0, plain[FP_RTZ].flags};
    if (fp_abs(FP_D, a) >= fp_inf(FP_D))
        return;
    decode(o->r, FP_D, a);
    mpfr_get_z(o->n, o->r, MPFR_RNDZ);
    mpz_fdiv_r_2exp(o->n, o->n, 32);
    out->bits = mpz_get_ui(o->n);
}

int fp_oracle_compare(struct fp_oracle *o, enum fp_fmt f, uint64_t a, uint64_t b)
{
    if (fp_is_nan(f, a) || fp_is_nan(f, b))
        return 2;
    decode(o->x, f, a);
    decode(o->y, f, b);
    int c = mpfr_cmp(o->x, o->y);
    return (c > 0) - (c < 0);
}

/* ---- operands ---- */

static uint64_t low_mask(enum fp_fmt f) { return ~UINT64_C(0) >> (64 - fp_width(f)); }

/* A significand's field with structure: empty, full, few bits, a run, halfway between two shorter ones. */
static uint64_t fraction(uint64_t *seed, enum fp_fmt f)
{
    unsigned n = fp_frac_bits(f);
    uint64_t mask = (UINT64_C(1) << n) - 1;
    uint64_t bit = UINT64_C(1) << rng_below(seed, n);

    switch (rng_below(seed, 8)) {
    case 0: return 0;
    case 1: return mask;
    case 2: return bit;
    case 3: return mask ^ bit;
    case 4: return bit - 1;
    case 5: return mask & ~(bit - 1);
    case 6: return (rng_next(seed) & mask & ~(bit - 1)) | bit >> 1;
    default: return rng_next(seed) & mask;
    }
}

uint64_t fp_operand(uint64_t *seed, enum fp_fmt f)
{
    uint64_t r = rng_next(seed);
    uint64_t sign = (r >> 32 & 1) << (fp_width(f) - 1);
    uint64_t inf = fp_inf(f), one = UINT64_C(1) << fp_frac_bits(f);
    uint64_t exponent;

    switch (r % 16) {
    case 0: /* zeros, the smallest, the largest, infinity and what lies beside them */
    {
        const uint64_t edges[] = {0, 1, 2, one - 1, one, one + 1, inf - 1, inf - 2, inf, (uint64_t)fp_bias(f) << fp_frac_bits(f)};
        return sign | edges[rng_below(seed, sizeof(edges) / sizeof(edges[0]))];
    }
    case 1: /* NaNs */
        return sign | inf | (rng_below(seed, 2) ? UINT64_C(1) << rng_below(seed, fp_frac_bits(f)) : (rng_next(seed) & (one - 1)));
    case 2: /* subnormal */ return sign | fraction(seed, f);
    case 3: /* a power of two, or one unit beside it */
        return sign | (((rng_next(seed) & inf) + rng_below(seed, 3) - 1) & (low_mask(f) >> 1));
    case 4: /* small integers and halves */
        exponent = (uint64_t)fp_bias(f) - 2 + rng_below(seed, fp_frac_bits(f) + 6);
        return sign | (exponent << fp_frac_bits(f) & inf) | fraction(seed, f);
    case 5:
    case 6: /* near 1 */
        exponent = (uint64_t)fp_bias(f) - 4 + rng_below(seed, 8);
        return sign | exponent << fp_frac_bits(f) | fraction(seed, f);
    case 7:
    case 8: /* any bits */ return rng_next(seed) & low_mask(f);
    default: return sign | (rng_next(seed) & inf) | fraction(seed, f);
    }
}

static uint64_t with_exponent(enum fp_fmt f, int64_t field, uint64_t frac)
{
    int64_t top = 2 * fp_bias(f);

    return (uint64_t)(field < 0 ? 0 : field > top ? top : field) << fp_frac_bits(f) | frac;
}

uint64_t fp_operand_near(uint64_t *seed, enum fp_fmt f, uint64_t a)
{
    uint64_t r = rng_next(seed);
    uint64_t sign = (r >> 32 & 1) << (fp_width(f) - 1);
    int64_t e = (int64_t)(fp_abs(f, a) >> fp_frac_bits(f)), bias = fp_bias(f);
    int64_t jitter = (int64_t)rng_below(seed, 5) - 2, prec = (int64_t)fp_frac_bits(f) + 1;

    switch (r % 10) {
    case 0: /* about as large: sums cancel */ return with_exponent(f, e + jitter, fraction(seed, f)) | sign;
    case 1: /* equal, or a few units beside it */ return ((a + (uint64_t)jitter) & (low_mask(f) >> 1)) | sign;
    case 2: /* about half a unit of a: sums tie */ return with_exponent(f, e - prec + jitter, fraction(seed, f)) | sign;
    case 3: /* products and quotients near the smallest normal numbers */
        return with_exponent(f, bias + 1 - e + jitter, fraction(seed, f)) | sign;
    case 4: return with_exponent(f, e + bias - 1 + jitter, fraction(seed, f)) | sign;
    case 5: /* and deeper among the subnormals */
        return with_exponent(f, bias - e - (int64_t)rng_below(seed, (uint64_t)prec + 3), fraction(seed, f)) | sign;
    case 6: /* products and quotients near the largest */
        return with_exponent(f, 3 * bias - e + jitter, fraction(seed, f)) | sign;
    case 7: return with_exponent(f, e - bias + jitter, fraction(seed, f)) | sign;
    default: return fp_operand(seed, f);
    }
}

uint64_t fp_integer(uint64_t *seed)
{
    uint64_t r = rng_next(seed), v = rng_next(seed) >> (r >> 8 & 63);
    unsigned at = r >> 16 & 63;

    switch (r % 5) {
    case 0: v = (UINT64_C(1) << at) + rng_below(seed, 5) - 2; break;
    case 1: /* a short significand, then a tie and its neighbours */
        v = (rng_next(seed) | UINT64_C(1) << 63) >> at;
        v = (v & ~UINT64_C(0) << (r >> 24 & 63)) + (UINT64_C(1) << (r >> 24 & 63) >> 1) + rng_below(seed, 3) - 1;
        break;
    default: break;
    }
    return (r >> 40 & 1) != 0 ? 0 - v : v;
}

uint64_t fp_operand_count(void)
{
    const char *n = getenv("TRAPLINE_FP_N");

    if (n != NULL && *n != '\0')
        return strtoull(n, NULL, 0);
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
    return 1000000;
#else
    return 100000;
#endif
}
