#include "fp_arm_real.h"

struct real arm_reals[4];
mpz_t arm_integer, arm_rest;

void arm_oracle_init(void)
{
    for (unsigned i = 0; i < 4; i++)
        mpfr_init2(arm_reals[i].v, PRECISION);
    mpz_inits(arm_integer, arm_rest, (mpz_ptr)0);
}

void arm_oracle_free(void)
{
    for (unsigned i = 0; i < 4; i++)
        mpfr_clear(arm_reals[i].v);
    mpz_clears(arm_integer, arm_rest, (mpz_ptr)0);
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

uint64_t arm_exponent_ones(enum arm_fmt f)
{
    return ((UINT64_C(1) << (arm_width_of(f) - 1 - arm_fraction_of(f))) - 1) << arm_fraction_of(f);
}
/* 2^n * (1 + half / 2) */
uint64_t arm_power(enum arm_fmt f, bool sign, long n, bool half)
{
    return arm_signed_bits(
        f, sign, (uint64_t)(n + 1 - arm_minimum_exp(f)) << arm_fraction_of(f) | (uint64_t)half << (arm_fraction_of(f) - 1));
}
uint64_t arm_FPDefaultNaN(enum arm_fmt f, const struct arm_fp *c)
{
    return arm_signed_bits(f, c->ah, arm_exponent_ones(f) | UINT64_C(1) << (arm_fraction_of(f) - 1));
}

/* FPUnpackBase. n: which of the arm_reals holds the value. */
struct unpacked arm_unpack(enum arm_fmt f, uint64_t a, struct arm_fp *c, bool fpexc, bool ahp, unsigned n)
{
    unsigned F = arm_fraction_of(f);
    uint64_t frac = a & ((UINT64_C(1) << F) - 1), exp = (a & arm_exponent_ones(f)) >> F;
    struct unpacked u = {.type = NONZERO, .sign = a >> (arm_width_of(f) - 1) & 1, .value = &arm_reals[n]};
    bool fz = c->fz && !c->ah;
    u.value->more = false;
    if (exp == 0) {
        u.type = frac ? DENORMAL : ZERO;
        if (frac && f == ARM_H && c->fz16) {
            u.type = ZERO;
        } else if (frac && f != ARM_H && (fz || c->fiz)) {
            u.type = ZERO;
            arm_raise(c, fpexc && fz, ARM_IDC);
        }
    } else if (exp << F == arm_exponent_ones(f) && !(f == ARM_H && ahp)) {
        u.type = !frac ? INFINITE : frac >> (F - 1) ? QNAN : SNAN;
    }
    if (u.type == DENORMAL)
        mpfr_set_ui_2exp(u.value->v, frac, arm_minimum_exp(f) - (long)F, MPFR_RNDN);
    else if (u.type == NONZERO)
        mpfr_set_ui_2exp(u.value->v, frac | UINT64_C(1) << F, (long)exp - 1 + arm_minimum_exp(f) - (long)F, MPFR_RNDN);
    else if (u.type == INFINITE)
        mpfr_set_inf(u.value->v, 1);
    else
        mpfr_set_zero(u.value->v, 1);
    mpfr_setsign(u.value->v, u.value->v, u.sign, MPFR_RNDN);
    return u;
}

struct unpacked arm_FPUnpack(enum arm_fmt f, uint64_t a, struct arm_fp *c, bool fpexc, unsigned n)
{
    return arm_unpack(f, a, c, fpexc, false, n);
}

/* RoundDown(|v| * 2^-q) and how what is left compares with half: -1 nothing, 0 less, 1 half, 2 more. */
int arm_cut(const struct real *r, long q, mpz_t n)
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

bool arm_rounds_up(enum arm_rounding r, bool sign, bool odd, int left)
{
    switch (r) {
    case ARM_TIEEVEN: return left == 2 || (left == 1 && odd);
    case ARM_POSINF: return left >= 0 && !sign;
    case ARM_NEGINF: return left >= 0 && sign;
    case ARM_TIEAWAY: return left >= 1;
    default: return false;
    }
}

/* FPRoundBase: op is not zero. */
uint64_t arm_FPRoundBase(const struct real *op, struct round_to t, struct arm_fp *c)
{
    bool sign = mpfr_signbit(op->v), flush = t.f == ARM_H ? c->fz16 : c->fz;
    long exponent = mpfr_get_exp(op->v) - 1, least = arm_minimum_exp(t.f), F = (long)t.F;
    if (!c->ah && flush && exponent < least) {
        arm_raise(c, t.fpexc, ARM_UFC);
        return arm_FPZero(t.f, sign);
    }
    int left = arm_cut(op, exponent - F, arm_integer);
    uint64_t unconstrained = mpz_get_ui(arm_integer);
    long biased_unconstrained = exponent - least + 1, biased = biased_unconstrained > 0 ? biased_unconstrained : 0;
    bool up_unconstrained = arm_rounds_up(t.rounding, sign, unconstrained & 1, left);
    left = arm_cut(op, (biased ? exponent : least) - F, arm_integer);
    uint64_t mant = mpz_get_ui(arm_integer);
    bool error = left >= 0;
    if (!c->ah && biased == 0 && error)
        arm_raise(c, t.fpexc, ARM_UFC);
    if (c->ah) {
        if (up_unconstrained && unconstrained + 1 == UINT64_C(1) << (F + 1))
            biased_unconstrained++;
        if (biased_unconstrained < 1) {
            if (flush) {
                arm_raise(c, t.fpexc, ARM_UFC | ARM_IXC);
                return arm_FPZero(t.f, sign);
            }
            arm_raise(c, t.fpexc && error, ARM_UFC);
        }
    }
    if (arm_rounds_up(t.rounding, sign, mant & 1, left)) {
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
    long top = (long)(arm_exponent_ones(t.f) >> arm_fraction_of(t.f));
    uint64_t result = arm_signed_bits(
        t.f, sign, (uint64_t)biased << arm_fraction_of(t.f) | (mant & ((UINT64_C(1) << F) - 1)) << (arm_fraction_of(t.f) - t.F));
    if (t.f == ARM_H && t.ahp) {
        if (biased > top) {
            arm_raise(c, t.fpexc, ARM_IOC);
            return arm_signed_bits(t.f, sign, 0x7fff);
        }
    } else if (biased >= top) {
        bool to_inf = t.rounding == ARM_TIEEVEN || (t.rounding == ARM_POSINF && !sign) || (t.rounding == ARM_NEGINF && sign);
        arm_raise(c, t.fpexc, ARM_OFC | ARM_IXC);
        return to_inf ? arm_FPInfinity(t.f, sign) : arm_FPMaxNormal(t.f, sign);
    }
    arm_raise(c, t.fpexc && error, ARM_IXC);
    return result;
}

uint64_t arm_FPRound(enum arm_fmt f, const struct real *op, enum arm_rounding r, bool fpexc, struct arm_fp *c)
{
    return arm_FPRoundBase(op, (struct round_to){f, arm_fraction_of(f), false, fpexc, r}, c);
}

/* ---- NaNs, denormals ---- */

uint64_t arm_FPProcessNaN(enum arm_fmt f, enum type t, uint64_t a, bool fpexc, struct arm_fp *c)
{
    if (t == SNAN) {
        a |= UINT64_C(1) << (arm_fraction_of(f) - 1);
        arm_raise(c, fpexc, ARM_IOC);
    }
    return c->dn ? arm_FPDefaultNaN(f, c) : a;
}

bool arm_FPProcessNaNs(enum arm_fmt f, struct unpacked x, struct unpacked y, uint64_t a, uint64_t b, bool fpexc, struct arm_fp *c,
                       uint64_t *result)
{
    enum type any = x.type == SNAN || y.type == SNAN ? SNAN : QNAN;
    if (c->ah && arm_is_nan(x.type) && arm_is_nan(y.type))
        *result = arm_FPProcessNaN(f, any, a, fpexc, c);
    else if (x.type == SNAN)
        *result = arm_FPProcessNaN(f, SNAN, a, fpexc, c);
    else if (y.type == SNAN)
        *result = arm_FPProcessNaN(f, SNAN, b, fpexc, c);
    else if (x.type == QNAN)
        *result = arm_FPProcessNaN(f, QNAN, a, fpexc, c);
    else if (y.type == QNAN)
        *result = arm_FPProcessNaN(f, QNAN, b, fpexc, c);
    else
        return false;
    return true;
}

void arm_FPProcessDenorms(enum arm_fmt f, enum type t1, enum type t2, struct arm_fp *c)
{
    arm_raise(c, c->ah && f != ARM_H && (t1 == DENORMAL || t2 == DENORMAL), ARM_IDC);
}

uint64_t arm_FPConvertNaN(enum arm_fmt to, enum arm_fmt from, uint64_t a)
{
    uint64_t payload = (a & ((UINT64_C(1) << (arm_fraction_of(from) - 1)) - 1)) << (52 - arm_fraction_of(from)); /* 51 bits */
    return arm_signed_bits(to, a >> (arm_width_of(from) - 1) & 1,
                           arm_exponent_ones(to) | UINT64_C(1) << (arm_fraction_of(to) - 1) |
                               payload >> (52 - arm_fraction_of(to)));
}

/* With AH: FIZ and FZ are 1, rounding is to nearest, and nothing is raised. */
struct arm_fp arm_altered(const struct arm_fp *c, bool rounding)
{
    struct arm_fp o = *c;
    if (o.ah) {
        o.fiz = o.fz = true;
        if (rounding)
            o.rounding = ARM_TIEEVEN;
    }
    return o;
}
