#include "fp_arm_oracle.h"

#include <gmp.h>
#include <mpfr.h>

enum { PRECISION = 256 };

/* A value: exact, or (more) its first 256 bits, with something below. */
struct real {
    mpfr_t v;
    bool more;
};
enum type { ZERO, DENORMAL, NONZERO, INFINITE, QNAN, SNAN };
struct unpacked {
    enum type type;
    bool sign;
    struct real *value;
};

static struct real reals[4];
static mpz_t integer, rest;

void arm_oracle_init(void)
{
    for (unsigned i = 0; i < 4; i++)
        mpfr_init2(reals[i].v, PRECISION);
    mpz_inits(integer, rest, (mpz_ptr)0);
}

void arm_oracle_free(void)
{
    for (unsigned i = 0; i < 4; i++)
        mpfr_clear(reals[i].v);
    mpz_clears(integer, rest, (mpz_ptr)0);
}

struct arm_fp arm_fp_of(uint64_t fpcr, bool rpres)
{
    return (struct arm_fp){.rounding = (enum arm_rounding)(fpcr >> 22 & 3),
                           .fiz = fpcr & 1,
                           .ah = fpcr >> 1 & 1,
                           .fz16 = fpcr >> 19 & 1,
                           .fz = fpcr >> 24 & 1,
                           .dn = fpcr >> 25 & 1,
                           .ahp = fpcr >> 26 & 1,
                           .rpres = rpres};
}

/* ---- formats ---- */

static unsigned width_of(enum arm_fmt f) { return 16u << f; }
static unsigned fraction_of(enum arm_fmt f) { return f == ARM_H ? 10 : f == ARM_S ? 23 : 52; }
static long minimum_exp(enum arm_fmt f) { return f == ARM_H ? -14 : f == ARM_S ? -126 : -1022; }
static uint64_t signed_bits(enum arm_fmt f, bool sign, uint64_t m) { return m | (uint64_t)sign << (width_of(f) - 1); }
static uint64_t exponent_ones(enum arm_fmt f)
{
    return ((UINT64_C(1) << (width_of(f) - 1 - fraction_of(f))) - 1) << fraction_of(f);
}
static uint64_t FPInfinity(enum arm_fmt f, bool sign) { return signed_bits(f, sign, exponent_ones(f)); }
static uint64_t FPMaxNormal(enum arm_fmt f, bool sign) { return signed_bits(f, sign, exponent_ones(f) - 1); }
static uint64_t FPZero(enum arm_fmt f, bool sign) { return signed_bits(f, sign, 0); }
/* 2^n * (1 + half / 2) */
static uint64_t power(enum arm_fmt f, bool sign, long n, bool half)
{
    return signed_bits(f, sign, (uint64_t)(n + 1 - minimum_exp(f)) << fraction_of(f) | (uint64_t)half << (fraction_of(f) - 1));
}
static uint64_t FPDefaultNaN(enum arm_fmt f, const struct arm_fp *c)
{
    return signed_bits(f, c->ah, exponent_ones(f) | UINT64_C(1) << (fraction_of(f) - 1));
}
static bool is_nan(enum type t) { return t == QNAN || t == SNAN; }
static void raise(struct arm_fp *c, bool fpexc, unsigned flag) { c->fpsr |= fpexc ? flag : 0; }

/* FPUnpackBase. n: which of the reals holds the value. */
static struct unpacked unpack(enum arm_fmt f, uint64_t a, struct arm_fp *c, bool fpexc, bool ahp, unsigned n)
{
    unsigned F = fraction_of(f);
    uint64_t frac = a & ((UINT64_C(1) << F) - 1), exp = (a & exponent_ones(f)) >> F;
    struct unpacked u = {.type = NONZERO, .sign = a >> (width_of(f) - 1) & 1, .value = &reals[n]};
    bool fz = c->fz && !c->ah;
    u.value->more = false;
    if (exp == 0) {
        u.type = frac ? DENORMAL : ZERO;
        if (frac && f == ARM_H && c->fz16) {
            u.type = ZERO;
        } else if (frac && f != ARM_H && (fz || c->fiz)) {
            u.type = ZERO;
            raise(c, fpexc && fz, ARM_IDC);
        }
    } else if (exp << F == exponent_ones(f) && !(f == ARM_H && ahp)) {
        u.type = !frac ? INFINITE : frac >> (F - 1) ? QNAN : SNAN;
    }
    if (u.type == DENORMAL)
        mpfr_set_ui_2exp(u.value->v, frac, minimum_exp(f) - (long)F, MPFR_RNDN);
    else if (u.type == NONZERO)
        mpfr_set_ui_2exp(u.value->v, frac | UINT64_C(1) << F, (long)exp - 1 + minimum_exp(f) - (long)F, MPFR_RNDN);
    else if (u.type == INFINITE)
        mpfr_set_inf(u.value->v, 1);
    else
        mpfr_set_zero(u.value->v, 1);
    mpfr_setsign(u.value->v, u.value->v, u.sign, MPFR_RNDN);
    return u;
}

static struct unpacked FPUnpack(enum arm_fmt f, uint64_t a, struct arm_fp *c, bool fpexc, unsigned n)
{
    return unpack(f, a, c, fpexc, false, n);
}

/* RoundDown(|v| * 2^-q) and how what is left compares with half: -1 nothing, 0 less, 1 half, 2 more. */
static int cut(const struct real *r, long q, mpz_t n)
{
    long e = mpfr_get_z_2exp(n, r->v);
    mpz_abs(n, n);
    if (e >= q) {
        mpz_mul_2exp(n, n, (mp_bitcnt_t)(e - q));
        return r->more ? 0 : -1;
    }
    mp_bitcnt_t drop = (mp_bitcnt_t)(q - e);
    bool half = mpz_tstbit(n, drop - 1), below = r->more || mpz_scan1(n, 0) < drop - 1;
    mpz_tdiv_q_2exp(n, n, drop);
    return half ? (below ? 2 : 1) : below ? 0 : -1;
}

static bool rounds_up(enum arm_rounding r, bool sign, bool odd, int left)
{
    switch (r) {
    case ARM_TIEEVEN: return left == 2 || (left == 1 && odd);
    case ARM_POSINF: return left >= 0 && !sign;
    case ARM_NEGINF: return left >= 0 && sign;
    case ARM_TIEAWAY: return left >= 1;
    default: return false;
    }
}

struct round_to {
    enum arm_fmt f;
    unsigned F; /* bits of the fraction: 7 for BFloat16 in single precision */
    bool ahp, fpexc;
    enum arm_rounding rounding;
};

/* FPRoundBase: op is not zero. */
static uint64_t FPRoundBase(const struct real *op, struct round_to t, struct arm_fp *c)
{
    bool sign = mpfr_signbit(op->v), flush = t.f == ARM_H ? c->fz16 : c->fz;
    long exponent = mpfr_get_exp(op->v) - 1, least = minimum_exp(t.f), F = (long)t.F;
    if (!c->ah && flush && exponent < least) {
        raise(c, t.fpexc, ARM_UFC);
        return FPZero(t.f, sign);
    }
    int left = cut(op, exponent - F, integer);
    uint64_t unconstrained = mpz_get_ui(integer);
    long biased_unconstrained = exponent - least + 1, biased = biased_unconstrained > 0 ? biased_unconstrained : 0;
    bool up_unconstrained = rounds_up(t.rounding, sign, unconstrained & 1, left);
    left = cut(op, (biased ? exponent : least) - F, integer);
    uint64_t mant = mpz_get_ui(integer);
    bool error = left >= 0;
    if (!c->ah && biased == 0 && error)
        raise(c, t.fpexc, ARM_UFC);
    if (c->ah) {
        if (up_unconstrained && unconstrained + 1 == UINT64_C(1) << (F + 1))
            biased_unconstrained++;
        if (biased_unconstrained < 1) {
            if (flush) {
                raise(c, t.fpexc, ARM_UFC | ARM_IXC);
                return FPZero(t.f, sign);
            }
            raise(c, t.fpexc && error, ARM_UFC);
        }
    }
    if (rounds_up(t.rounding, sign, mant & 1, left)) {
        mant++;
        if (mant == UINT64_C(1) << F)
            biased = 1;
        if (mant == UINT64_C(1) << (F + 1)) {
            biased++;
            mant /= 2;
        }
    }
    if (error && t.rounding == ARM_ODD)
        mant |= 1;
    long top = (long)(exponent_ones(t.f) >> fraction_of(t.f));
    uint64_t result = signed_bits(
        t.f, sign, (uint64_t)biased << fraction_of(t.f) | (mant & ((UINT64_C(1) << F) - 1)) << (fraction_of(t.f) - t.F));
    if (t.f == ARM_H && t.ahp) {
        if (biased > top) {
            raise(c, t.fpexc, ARM_IOC);
            return signed_bits(t.f, sign, 0x7fff);
        }
    } else if (biased >= top) {
        bool to_inf = t.rounding == ARM_TIEEVEN || (t.rounding == ARM_POSINF && !sign) || (t.rounding == ARM_NEGINF && sign);
        raise(c, t.fpexc, ARM_OFC | ARM_IXC);
        return to_inf ? FPInfinity(t.f, sign) : FPMaxNormal(t.f, sign);
    }
    raise(c, t.fpexc && error, ARM_IXC);
    return result;
}

static uint64_t FPRound(enum arm_fmt f, const struct real *op, enum arm_rounding r, bool fpexc, struct arm_fp *c)
{
    return FPRoundBase(op, (struct round_to){f, fraction_of(f), false, fpexc, r}, c);
}

/* ---- NaNs, denormals ---- */

static uint64_t FPProcessNaN(enum arm_fmt f, enum type t, uint64_t a, bool fpexc, struct arm_fp *c)
{
    if (t == SNAN) {
        a |= UINT64_C(1) << (fraction_of(f) - 1);
        raise(c, fpexc, ARM_IOC);
    }
    return c->dn ? FPDefaultNaN(f, c) : a;
}

static bool FPProcessNaNs(enum arm_fmt f, struct unpacked x, struct unpacked y, uint64_t a, uint64_t b, bool fpexc,
                          struct arm_fp *c, uint64_t *result)
{
    enum type any = x.type == SNAN || y.type == SNAN ? SNAN : QNAN;
    if (c->ah && is_nan(x.type) && is_nan(y.type))
        *result = FPProcessNaN(f, any, a, fpexc, c);
    else if (x.type == SNAN)
        *result = FPProcessNaN(f, SNAN, a, fpexc, c);
    else if (y.type == SNAN)
        *result = FPProcessNaN(f, SNAN, b, fpexc, c);
    else if (x.type == QNAN)
        *result = FPProcessNaN(f, QNAN, a, fpexc, c);
    else if (y.type == QNAN)
        *result = FPProcessNaN(f, QNAN, b, fpexc, c);
    else
        return false;
    return true;
}

static void FPProcessDenorms(enum arm_fmt f, enum type t1, enum type t2, struct arm_fp *c)
{
    raise(c, c->ah && f != ARM_H && (t1 == DENORMAL || t2 == DENORMAL), ARM_IDC);
}

/* ---- arithmetic ---- */

static uint64_t sum_result(enum arm_fmt f, enum arm_rounding rounding, bool fpexc, struct arm_fp *c)
{
    if (mpfr_zero_p(reals[3].v) && !reals[3].more)
        return FPZero(f, rounding == ARM_NEGINF);
    return FPRound(f, &reals[3], rounding, fpexc, c);
}

static uint64_t add(enum arm_fmt f, uint64_t a, uint64_t b, bool minus, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = FPUnpack(f, a, c, true, 0), y = FPUnpack(f, b, c, true, 1);
    if (FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    bool sign2 = y.sign != minus, inf1 = x.type == INFINITE, inf2 = y.type == INFINITE;
    if (inf1 && inf2 && x.sign != sign2) {
        r = FPDefaultNaN(f, c);
        raise(c, true, ARM_IOC);
    } else if (inf1 || inf2) {
        r = FPInfinity(f, inf1 ? x.sign : sign2);
    } else if (x.type == ZERO && y.type == ZERO && x.sign == sign2) {
        r = FPZero(f, x.sign);
    } else {
        reals[3].more = (minus ? mpfr_sub(reals[3].v, x.value->v, y.value->v, MPFR_RNDZ)
                               : mpfr_add(reals[3].v, x.value->v, y.value->v, MPFR_RNDZ)) != 0;
        r = sum_result(f, c->rounding, true, c);
    }
    FPProcessDenorms(f, x.type, y.type, c);
    return r;
}
uint64_t arm_FPAdd(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return add(f, a, b, false, c); }
uint64_t arm_FPSub(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return add(f, a, b, true, c); }

static uint64_t multiply(enum arm_fmt f, uint64_t a, uint64_t b, bool extended, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = FPUnpack(f, a, c, true, 0), y = FPUnpack(f, b, c, true, 1);
    if (FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    bool sign = x.sign != y.sign, inf = x.type == INFINITE || y.type == INFINITE, zero = x.type == ZERO || y.type == ZERO;
    if (inf && zero) {
        r = extended ? power(f, sign, 1, false) : FPDefaultNaN(f, c);
        raise(c, !extended, ARM_IOC);
    } else if (inf) {
        r = FPInfinity(f, sign);
    } else if (zero) {
        r = FPZero(f, sign);
    } else {
        reals[3].more = mpfr_mul(reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
        r = FPRound(f, &reals[3], c->rounding, true, c);
    }
    FPProcessDenorms(f, x.type, y.type, c);
    return r;
}
uint64_t arm_FPMul(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return multiply(f, a, b, false, c); }
uint64_t arm_FPMulX(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return multiply(f, a, b, true, c); }

uint64_t arm_FPDiv(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = FPUnpack(f, a, c, true, 0), y = FPUnpack(f, b, c, true, 1);
    if (FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    bool sign = x.sign != y.sign, inf1 = x.type == INFINITE, inf2 = y.type == INFINITE, zero1 = x.type == ZERO,
         zero2 = y.type == ZERO;
    if ((inf1 && inf2) || (zero1 && zero2)) {
        r = FPDefaultNaN(f, c);
        raise(c, true, ARM_IOC);
    } else if (inf1 || zero2) {
        r = FPInfinity(f, sign);
        raise(c, !inf1, ARM_DZC);
    } else if (zero1 || inf2) {
        r = FPZero(f, sign);
    } else {
        reals[3].more = mpfr_div(reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
        r = FPRound(f, &reals[3], c->rounding, true, c);
    }
    if (!zero2)
        FPProcessDenorms(f, x.type, y.type, c);
    return r;
}

uint64_t arm_FPSqrt(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct unpacked x = FPUnpack(f, a, c, true, 0);
    if (is_nan(x.type))
        return FPProcessNaN(f, x.type, a, true, c);
    if (x.type == ZERO)
        return FPZero(f, x.sign);
    if (x.type == INFINITE && !x.sign)
        return FPInfinity(f, false);
    if (x.sign) {
        raise(c, true, ARM_IOC);
        return FPDefaultNaN(f, c);
    }
    reals[3].more = mpfr_sqrt(reals[3].v, x.value->v, MPFR_RNDZ) != 0;
    uint64_t r = FPRound(f, &reals[3], c->rounding, true, c);
    FPProcessDenorms(f, x.type, x.type, c);
    return r;
}

static uint64_t max_min(enum arm_fmt f, uint64_t a, uint64_t b, bool max, bool altfp, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = FPUnpack(f, a, c, true, 0), y = FPUnpack(f, b, c, true, 1);
    if (altfp && x.type == ZERO && y.type == ZERO && x.sign != y.sign)
        return FPZero(f, y.sign);
    if (altfp && (is_nan(x.type) || is_nan(y.type))) {
        raise(c, true, ARM_IOC);
        return y.type == ZERO ? FPZero(f, y.sign) : b;
    }
    if (FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    int order = mpfr_cmp(x.value->v, y.value->v);
    struct unpacked n = (max ? order > 0 : order < 0) ? x : y;
    if (n.type == INFINITE) {
        r = FPInfinity(f, n.sign);
    } else if (n.type == ZERO) {
        r = FPZero(f, max ? x.sign && y.sign : x.sign || y.sign);
    } else {
        struct arm_fp kept = *c;
        if (altfp)
            kept.fz = kept.fz16 = false;
        r = FPRound(f, n.value, c->rounding, true, &kept);
        c->fpsr = kept.fpsr;
    }
    FPProcessDenorms(f, x.type, y.type, c);
    return r;
}
uint64_t arm_FPMax(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min(f, a, b, true, c->ah, c); }
uint64_t arm_FPMin(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min(f, a, b, false, c->ah, c); }

static uint64_t max_min_num(enum arm_fmt f, uint64_t a, uint64_t b, bool max, struct arm_fp *c)
{
    enum type t1 = FPUnpack(f, a, c, true, 0).type, t2 = FPUnpack(f, b, c, true, 1).type;
    if (!(c->ah && is_nan(t1) && is_nan(t2))) {
        if (t1 == QNAN && t2 != QNAN)
            a = FPInfinity(f, max);
        else if (t1 != QNAN && t2 == QNAN)
            b = FPInfinity(f, max);
    }
    return max_min(f, a, b, max, false, c);
}
uint64_t arm_FPMaxNum(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min_num(f, a, b, true, c); }
uint64_t arm_FPMinNum(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min_num(f, a, b, false, c); }

uint64_t arm_FPNeg(enum arm_fmt f, uint64_t a, const struct arm_fp *c)
{
    bool nan = (a & ((UINT64_C(1) << (width_of(f) - 1)) - 1)) > exponent_ones(f);
    return c->ah && nan ? a : a ^ UINT64_C(1) << (width_of(f) - 1);
}
uint64_t arm_FPAbs(enum arm_fmt f, uint64_t a, const struct arm_fp *c)
{
    bool nan = (a & ((UINT64_C(1) << (width_of(f) - 1)) - 1)) > exponent_ones(f);
    return c->ah && nan ? a : a & ((UINT64_C(1) << (width_of(f) - 1)) - 1);
}

static uint64_t FPConvertNaN(enum arm_fmt to, enum arm_fmt from, uint64_t a)
{
    uint64_t payload = (a & ((UINT64_C(1) << (fraction_of(from) - 1)) - 1)) << (52 - fraction_of(from)); /* 51 bits */
    return signed_bits(to, a >> (width_of(from) - 1) & 1,
                       exponent_ones(to) | UINT64_C(1) << (fraction_of(to) - 1) | payload >> (52 - fraction_of(to)));
}

/* FPProcessNaNs3, and FPProcessNaNs3H: the factors are of format g, the result of f. */
static bool FPProcessNaNs3(enum arm_fmt f, enum arm_fmt g, const enum type *t, const uint64_t *op, bool fpexc, struct arm_fp *c,
                           uint64_t *result)
{
    bool n1 = is_nan(t[0]), n2 = is_nan(t[1]), n3 = is_nan(t[2]);
    enum type any = t[0] == SNAN || t[1] == SNAN || t[2] == SNAN ? SNAN : QNAN;
    unsigned which = 3;
    enum type as = any;
    if (c->ah && n2 && (n1 || n3)) {
        which = 1;
    } else if (c->ah && n3 && n1) {
        which = 2;
    } else {
        for (unsigned pass = 0; pass < 2 && which == 3; pass++) {
            as = pass ? QNAN : SNAN;
            for (unsigned i = 0; i < 3 && which == 3; i++)
                which = t[i] == as ? i : 3;
        }
    }
    if (which == 3)
        return false;
    enum arm_fmt h = which ? g : f;
    *result = FPProcessNaN(h, as, op[which], fpexc, c);
    if (h != f)
        *result = FPConvertNaN(f, h, *result);
    return true;
}

static uint64_t multiply_add(enum arm_fmt f, enum arm_fmt g, uint64_t addend, uint64_t a, uint64_t b, bool fpexc,
                             struct arm_fp *c)
{
    struct unpacked z = FPUnpack(f, addend, c, fpexc, 0), x = FPUnpack(g, a, c, fpexc, 1), y = FPUnpack(g, b, c, fpexc, 2);
    const enum type types[] = {z.type, x.type, y.type};
    const uint64_t ops[] = {addend, a, b};
    bool inf1 = x.type == INFINITE, inf2 = y.type == INFINITE, zero1 = x.type == ZERO, zero2 = y.type == ZERO;
    bool bad_product = (inf1 && zero2) || (zero1 && inf2);
    uint64_t r;
    bool done = FPProcessNaNs3(f, g, types, ops, fpexc, c, &r);
    if (!c->ah && z.type == QNAN && bad_product) {
        r = FPDefaultNaN(f, c);
        raise(c, fpexc, ARM_IOC);
    }
    if (done)
        return r;
    bool infA = z.type == INFINITE, signP = x.sign != y.sign, infP = inf1 || inf2, zeroP = zero1 || zero2;
    bool invalid = bad_product || (infA && infP && z.sign != signP);
    if (invalid) {
        raise(c, fpexc, ARM_IOC);
        return FPDefaultNaN(f, c);
    }
    if (infA || infP) {
        r = FPInfinity(f, infA ? z.sign : signP);
    } else if (z.type == ZERO && zeroP && z.sign == signP) {
        r = FPZero(f, z.sign);
    } else {
        reals[3].more = mpfr_fma(reals[3].v, x.value->v, y.value->v, z.value->v, MPFR_RNDZ) != 0;
        r = sum_result(f, c->rounding, fpexc, c);
    }
    if (fpexc) {
        FPProcessDenorms(f, z.type, z.type, c);
        if (f == g)
            FPProcessDenorms(f, x.type, y.type, c);
    }
    return r;
}
uint64_t arm_FPMulAdd(enum arm_fmt f, uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c)
{
    return multiply_add(f, f, addend, a, b, true, c);
}
uint64_t arm_FPMulAddH(uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c)
{
    return multiply_add(ARM_S, ARM_H, addend, a, b, true, c);
}

/* ---- estimates and steps ---- */

/* With AH: FIZ and FZ are 1, rounding is to nearest, and nothing is raised. */
static struct arm_fp altered(const struct arm_fp *c, bool rounding)
{
    struct arm_fp o = *c;
    if (o.ah) {
        o.fiz = o.fz = true;
        if (rounding)
            o.rounding = ARM_TIEEVEN;
    }
    return o;
}

static uint64_t step(enum arm_fmt f, uint64_t a, uint64_t b, unsigned n, bool halve, struct arm_fp *c)
{
    struct arm_fp o = altered(c, true);
    bool fpexc = !c->ah;
    uint64_t r;
    a = arm_FPNeg(f, a, c);
    struct unpacked x = FPUnpack(f, a, &o, fpexc, 0), y = FPUnpack(f, b, &o, fpexc, 1);
    if (!FPProcessNaNs(f, x, y, a, b, fpexc, &o, &r)) {
        bool inf = x.type == INFINITE || y.type == INFINITE, zero = x.type == ZERO || y.type == ZERO;
        if (inf && zero) {
            r = halve ? power(f, false, 0, true) : power(f, false, 1, false);
        } else if (inf) {
            r = FPInfinity(f, x.sign != y.sign);
        } else {
            mpfr_set_ui(reals[2].v, n, MPFR_RNDN);
            reals[3].more = mpfr_fma(reals[3].v, x.value->v, y.value->v, reals[2].v, MPFR_RNDZ) != 0;
            if (halve)
                mpfr_div_2ui(reals[3].v, reals[3].v, 1, MPFR_RNDN);
            r = sum_result(f, o.rounding, fpexc, &o);
        }
    }
    c->fpsr = o.fpsr;
    return r;
}
uint64_t arm_FPRecipStepFused(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return step(f, a, b, 2, false, c); }
uint64_t arm_FPRSqrtStepFused(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return step(f, a, b, 3, true, c); }

/* RecipEstimate, RecipSqrtEstimate. */
static unsigned RecipEstimate(unsigned a, bool more)
{
    a = a * 2 + 1;
    if (!more)
        return ((1u << 19) / a + 1) / 2;
    unsigned r = (1u << 25) / a, left = (1u << 25) % a;
    return r + (2 * left > a);
}

static unsigned RecipSqrtEstimate(unsigned a, bool more)
{
    if (!more) {
        unsigned b = 512;
        a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
        while (a * (b + 1) * (b + 1) < 1u << 28)
            b++;
        return (b + 1) / 2;
    }
    /* in halves: a2 = 2 * real_val */
    unsigned a2 = a < 2048 ? a * 2 + 1 : 2 * ((a >> 1 << 1) + 1);
    mpfr_set_ui(reals[0].v, a2, MPFR_RNDN);
    mpfr_div_2ui(reals[0].v, reals[0].v, 1, MPFR_RNDN);
    mpfr_sqrt(reals[0].v, reals[0].v, MPFR_RNDN);
    mpfr_mul_2ui(reals[0].v, reals[0].v, 47, MPFR_RNDN);
    mpfr_get_z(integer, reals[0].v, MPFR_RNDZ);
    mpfr_sub_z(reals[0].v, reals[0].v, integer, MPFR_RNDN);
    if (mpfr_cmp_d(reals[0].v, 0.5) > 0)
        mpz_add_ui(integer, integer, 1);
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 65);
    mpz_tdiv_qr(n, rest, n, integer);
    mpz_mul_2exp(rest, rest, 1);
    int half = mpz_cmp(rest, integer);
    unsigned r = (unsigned)mpz_get_ui(n);
    mpz_clear(n);
    return r + (half > 0 || (half == 0 && (r & 1)));
}

uint64_t arm_FPRecipEstimate(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = altered(c, true);
    bool fpexc = !c->ah;
    struct unpacked x = FPUnpack(f, a, &o, fpexc, 0);
    long limit = f == ARM_H ? 16 : f == ARM_S ? 128 : 1024, size = mpfr_regular_p(x.value->v) ? mpfr_get_exp(x.value->v) - 1 : 0;
    c->fpsr = o.fpsr;
    if (is_nan(x.type)) {
        uint64_t r = FPProcessNaN(f, x.type, a, fpexc, &o);
        c->fpsr = o.fpsr;
        return r;
    }
    if (x.type == INFINITE)
        return FPZero(f, x.sign);
    if (x.type == ZERO) {
        raise(c, fpexc, ARM_DZC);
        return FPInfinity(f, x.sign);
    }
    if (size < -limit) {
        bool to_inf = o.rounding == ARM_TIEEVEN || (o.rounding == ARM_POSINF && !x.sign) || (o.rounding == ARM_NEGINF && x.sign);
        raise(c, fpexc, ARM_OFC | ARM_IXC);
        return to_inf ? FPInfinity(f, x.sign) : FPMaxNormal(f, x.sign);
    }
    if ((f == ARM_H ? o.fz16 : o.fz) && size >= limit - 2) {
        raise(c, fpexc, ARM_UFC);
        return FPZero(f, x.sign);
    }
    unsigned F = fraction_of(f);
    uint64_t fraction = (a & ((UINT64_C(1) << F) - 1)) << (52 - F), ones = (UINT64_C(1) << 52) - 1;
    int exp = (int)((a & exponent_ones(f)) >> F);
    if (exp == 0) {
        if (!(fraction >> 51)) {
            exp = -1;
            fraction = fraction << 2 & ones;
        } else {
            fraction = fraction << 1 & ones;
        }
    }
    bool more = f == ARM_S && c->rpres && c->ah;
    unsigned scaled = (unsigned)((UINT64_C(1) << 52 | fraction) >> (more ? 41 : 44));
    int result_exp = (f == ARM_H ? 29 : f == ARM_S ? 253 : 2045) - exp;
    uint64_t estimate = RecipEstimate(scaled, more);
    fraction = more ? (estimate & 0xfff) << 40 : (estimate & 0xff) << 44;
    if (result_exp == 0) {
        fraction = UINT64_C(1) << 51 | fraction >> 1;
    } else if (result_exp == -1) {
        fraction = UINT64_C(1) << 50 | fraction >> 2;
        result_exp = 0;
    }
    return signed_bits(f, x.sign, (uint64_t)result_exp << F | fraction >> (52 - F));
}

uint64_t arm_FPRSqrtEstimate(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = altered(c, false);
    bool fpexc = !c->ah;
    struct unpacked x = FPUnpack(f, a, &o, fpexc, 0);
    uint64_t nan = is_nan(x.type) ? FPProcessNaN(f, x.type, a, fpexc, &o) : 0;
    c->fpsr = o.fpsr;
    if (is_nan(x.type))
        return nan;
    if (x.type == ZERO) {
        raise(c, fpexc, ARM_DZC);
        return FPInfinity(f, x.sign);
    }
    if (x.sign) {
        raise(c, fpexc, ARM_IOC);
        return FPDefaultNaN(f, c);
    }
    if (x.type == INFINITE)
        return FPZero(f, false);
    unsigned F = fraction_of(f);
    uint64_t fraction = (a & ((UINT64_C(1) << F) - 1)) << (52 - F), ones = (UINT64_C(1) << 52) - 1;
    int exp = (int)((a & exponent_ones(f)) >> F);
    if (exp == 0) {
        while (!(fraction >> 51)) {
            fraction = fraction << 1 & ones;
            exp--;
        }
        fraction = fraction << 1 & ones;
    }
    bool more = f == ARM_S && c->rpres && c->ah;
    unsigned scaled = (unsigned)((UINT64_C(1) << 52 | fraction) >> ((more ? 41 : 44) + (exp & 1)));
    int result_exp = ((f == ARM_H ? 44 : f == ARM_S ? 380 : 3068) - exp) / 2;
    uint64_t estimate = RecipSqrtEstimate(scaled, more);
    fraction = more ? (estimate & 0xfff) << 40 : (estimate & 0xff) << 44;
    return signed_bits(f, false, (uint64_t)result_exp << F | fraction >> (52 - F));
}

uint64_t arm_FPRecpX(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = altered(c, false);
    struct unpacked x = FPUnpack(f, a, &o, !c->ah, 0);
    uint64_t r, exp = a & exponent_ones(f);
    if (is_nan(x.type))
        r = FPProcessNaN(f, x.type, a, !c->ah, &o);
    else
        r = signed_bits(f, x.sign, exp ? ~exp & exponent_ones(f) : exponent_ones(f) - (UINT64_C(1) << fraction_of(f)));
    c->fpsr = o.fpsr;
    return r;
}

/* ---- integers ---- */

/* The value of r * 2^fbits rounded to an integer, in `integer` with its sign. True: it is not exact. */
static bool to_integer(struct real *r, enum arm_rounding rounding)
{
    bool sign = mpfr_signbit(r->v);
    if (mpfr_zero_p(r->v)) {
        mpz_set_ui(integer, 0);
        return false;
    }
    int left = cut(r, 0, integer);
    if (rounds_up(rounding, sign, mpz_odd_p(integer), left))
        mpz_add_ui(integer, integer, 1);
    if (sign)
        mpz_neg(integer, integer);
    return left >= 0;
}

static uint64_t integral(enum arm_fmt f, bool sign, struct arm_fp *c)
{
    if (!mpz_sgn(integer))
        return FPZero(f, sign);
    mpfr_set_z(reals[3].v, integer, MPFR_RNDN);
    reals[3].more = false;
    return FPRound(f, &reals[3], ARM_ZERO, true, c);
}

uint64_t arm_FPRoundInt(enum arm_fmt f, uint64_t a, enum arm_rounding r, bool exact, struct arm_fp *c)
{
    struct unpacked x = FPUnpack(f, a, c, !c->ah, 0);
    if (is_nan(x.type))
        return FPProcessNaN(f, x.type, a, true, c);
    if (x.type == INFINITE)
        return FPInfinity(f, x.sign);
    if (x.type == ZERO)
        return FPZero(f, x.sign);
    bool error = to_integer(x.value, r);
    uint64_t result = integral(f, x.sign, c);
    raise(c, error && exact, ARM_IXC);
    return result;
}

uint64_t arm_FPRoundIntN(enum arm_fmt f, uint64_t a, enum arm_rounding r, unsigned size, struct arm_fp *c)
{
    struct unpacked x = FPUnpack(f, a, c, !c->ah, 0);
    bool error = false, fits = x.type != INFINITE && !is_nan(x.type);
    if (x.type == ZERO)
        return FPZero(f, x.sign);
    if (fits) {
        error = to_integer(x.value, r);
        mpz_set_si(rest, 1);
        mpz_mul_2exp(rest, rest, size - 1);
        fits = mpz_cmp(integer, rest) < 0;
        mpz_neg(rest, rest);
        fits &= mpz_cmp(integer, rest) >= 0;
    }
    if (!fits) {
        raise(c, true, ARM_IOC);
        return power(f, true, (long)size - 1, false);
    }
    uint64_t result = integral(f, x.sign, c);
    raise(c, error, ARM_IXC);
    return result;
}

uint64_t arm_FPToFixed(enum arm_fmt f, uint64_t a, unsigned fbits, unsigned width, bool is_unsigned, enum arm_rounding r,
                       struct arm_fp *c)
{
    struct unpacked x = FPUnpack(f, a, c, !c->ah, 0);
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    uint64_t most = is_unsigned ? mask : mask >> 1, least = is_unsigned ? 0 : (mask >> 1) + 1;
    if (is_nan(x.type)) {
        raise(c, true, ARM_IOC);
        return 0;
    }
    if (x.type == INFINITE) {
        raise(c, true, ARM_IOC);
        return x.sign ? least : most;
    }
    mpfr_mul_2ui(x.value->v, x.value->v, fbits, MPFR_RNDN);
    bool error = to_integer(x.value, r), negative = mpz_sgn(integer) < 0;
    mpz_abs(rest, integer);
    if (mpz_cmp_ui(rest, negative ? least : most) > 0) {
        raise(c, true, ARM_IOC);
        return negative ? least : most;
    }
    raise(c, error, ARM_IXC);
    return (negative ? 0 - mpz_get_ui(rest) : mpz_get_ui(rest)) & mask;
}

uint64_t arm_FixedToFP(enum arm_fmt f, uint64_t v, unsigned fbits, unsigned width, bool is_unsigned, struct arm_fp *c)
{
    if (width < 64)
        v &= (UINT64_C(1) << width) - 1;
    bool negative = !is_unsigned && v >> (width - 1) & 1;
    uint64_t m = negative ? 0 - v : v;
    if (negative && width < 64)
        m &= (UINT64_C(1) << width) - 1;
    if (!m)
        return FPZero(f, false);
    mpfr_set_ui_2exp(reals[3].v, m, -(long)fbits, MPFR_RNDN);
    mpfr_setsign(reals[3].v, reals[3].v, negative, MPFR_RNDN);
    reals[3].more = false;
    return FPRound(f, &reals[3], c->rounding, true, c);
}

uint64_t arm_FPToFixedJS(uint64_t a, bool *z, struct arm_fp *c)
{
    struct unpacked x = FPUnpack(ARM_D, a, c, !c->ah, 0);
    *z = true;
    if (is_nan(x.type) || x.type == INFINITE) {
        raise(c, true, ARM_IOC);
        *z = false;
        return 0;
    }
    bool error = to_integer(x.value, ARM_ZERO);
    mpz_fdiv_r_2exp(rest, integer, 32);
    uint64_t result = mpz_get_ui(rest);
    if (mpz_cmp_si(integer, INT32_MAX) > 0 || mpz_cmp_si(integer, INT32_MIN) < 0) {
        raise(c, true, ARM_IOC);
        *z = false;
    } else if (error) {
        raise(c, true, ARM_IXC);
        *z = false;
    } else if (mpfr_zero_p(x.value->v) && (x.sign || a << 12)) {
        *z = false;
    }
    return result;
}

/* ---- comparisons, formats ---- */

unsigned arm_FPCompare(enum arm_fmt f, uint64_t a, uint64_t b, bool signal_nans, struct arm_fp *c)
{
    struct unpacked x = FPUnpack(f, a, c, true, 0), y = FPUnpack(f, b, c, true, 1);
    if (is_nan(x.type) || is_nan(y.type)) {
        raise(c, x.type == SNAN || y.type == SNAN || signal_nans, ARM_IOC);
        return 3;
    }
    FPProcessDenorms(f, x.type, y.type, c);
    int order = mpfr_cmp(x.value->v, y.value->v);
    return order == 0 ? 6 : order < 0 ? 8 : 2;
}

uint64_t arm_FPConvert(enum arm_fmt to, enum arm_fmt from, uint64_t a, enum arm_rounding r, struct arm_fp *c)
{
    struct arm_fp o = *c;
    o.fz16 = false;
    struct unpacked x = unpack(from, a, &o, true, c->ahp, 0);
    bool alternative = to == ARM_H && c->ahp;
    uint64_t result;
    if (is_nan(x.type)) {
        result = alternative ? FPZero(to, x.sign) : c->dn ? FPDefaultNaN(to, c) : FPConvertNaN(to, from, a);
        raise(&o, x.type == SNAN || alternative, ARM_IOC);
    } else if (x.type == INFINITE) {
        result = alternative ? signed_bits(to, x.sign, 0x7fff) : FPInfinity(to, x.sign);
        raise(&o, alternative, ARM_IOC);
    } else if (x.type == ZERO) {
        result = FPZero(to, x.sign);
    } else {
        result = FPRoundBase(x.value, (struct round_to){to, fraction_of(to), alternative, true, r}, &o);
        FPProcessDenorms(from, x.type, x.type, &o);
    }
    c->fpsr = o.fpsr;
    return result;
}

uint64_t arm_FPConvertBF(uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = altered(c, true);
    bool fpexc = !c->ah;
    struct unpacked x = FPUnpack(ARM_S, a, &o, fpexc, 0);
    uint64_t r;
    if (is_nan(x.type)) {
        r = c->dn ? FPDefaultNaN(ARM_S, c) : FPConvertNaN(ARM_S, ARM_S, a);
        raise(&o, fpexc && x.type == SNAN, ARM_IOC);
    } else if (x.type == INFINITE) {
        r = FPInfinity(ARM_S, x.sign);
    } else if (x.type == ZERO) {
        r = FPZero(ARM_S, x.sign);
    } else {
        r = FPRoundBase(x.value, (struct round_to){ARM_S, 7, false, fpexc, o.rounding}, &o);
    }
    c->fpsr = o.fpsr;
    return r >> 16;
}

/* BFUnpack, BFRound: rounding to odd, denormals are zeros, an overflow is infinity; FPSR stays. */
static struct arm_fp bf_fp(const struct arm_fp *c)
{
    return (struct arm_fp){.rounding = ARM_ODD, .fiz = true, .ah = c->ah, .dn = true};
}

static uint64_t BFRound(const struct real *op)
{
    bool sign = mpfr_signbit(op->v);
    struct arm_fp o = {.fz = true};
    if (mpfr_get_exp(op->v) - 1 < -126)
        return FPZero(ARM_S, sign);
    uint64_t r = FPRoundBase(op, (struct round_to){ARM_S, 23, false, false, ARM_ODD}, &o);
    return r == FPMaxNormal(ARM_S, sign) && mpfr_get_exp(op->v) - 1 > 127 ? FPInfinity(ARM_S, sign) : r;
}

static uint64_t BFMulH(uint64_t a, uint64_t b, const struct arm_fp *c)
{
    struct arm_fp o = bf_fp(c);
    struct unpacked x = FPUnpack(ARM_S, a << 16, &o, false, 0), y = FPUnpack(ARM_S, b << 16, &o, false, 1);
    bool inf = x.type == INFINITE || y.type == INFINITE, zero = x.type == ZERO || y.type == ZERO, sign = x.sign != y.sign;
    if (is_nan(x.type) || is_nan(y.type) || (inf && zero))
        return FPDefaultNaN(ARM_S, c);
    if (inf || zero)
        return inf ? FPInfinity(ARM_S, sign) : FPZero(ARM_S, sign);
    reals[3].more = mpfr_mul(reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
    return BFRound(&reals[3]);
}

static uint64_t FPAdd_BF16(uint64_t a, uint64_t b, const struct arm_fp *c)
{
    struct arm_fp o = bf_fp(c);
    struct unpacked x = FPUnpack(ARM_S, a, &o, false, 0), y = FPUnpack(ARM_S, b, &o, false, 1);
    bool inf1 = x.type == INFINITE, inf2 = y.type == INFINITE;
    if (is_nan(x.type) || is_nan(y.type) || (inf1 && inf2 && x.sign != y.sign))
        return FPDefaultNaN(ARM_S, c);
    if (inf1 || inf2)
        return FPInfinity(ARM_S, inf1 ? x.sign : y.sign);
    if (x.type == ZERO && y.type == ZERO && x.sign == y.sign)
        return FPZero(ARM_S, x.sign);
    reals[3].more = mpfr_add(reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
    return mpfr_zero_p(reals[3].v) ? FPZero(ARM_S, false) : BFRound(&reals[3]);
}

uint64_t arm_BFDotAdd(uint64_t addend, uint64_t a1, uint64_t b1, uint64_t a2, uint64_t b2, const struct arm_fp *c)
{
    return FPAdd_BF16(addend, FPAdd_BF16(BFMulH(a1, b1, c), BFMulH(a2, b2, c), c), c);
}

uint64_t arm_BFMulAddH(uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c)
{
    struct arm_fp o = altered(c, true);
    uint64_t r = multiply_add(ARM_S, ARM_S, addend, a << 16, b << 16, !c->ah, &o);
    c->fpsr = o.fpsr;
    return r;
}
