/* Conversions: to and from integers, between formats, BFloat16. */
#include "fp_arm_real.h"

/* ---- integers ---- */

/* The value of r * 2^fbits rounded to an integer, in `integer` with its sign. True: it is not exact. */
static bool to_integer(struct real *r, enum arm_rounding rounding)
{
    bool sign = mpfr_signbit(r->v);
    if (mpfr_zero_p(r->v)) {
        mpz_set_ui(arm_integer, 0);
        return false;
    }
    int left = arm_cut(r, 0, arm_integer);
    if (arm_rounds_up(rounding, sign, mpz_odd_p(arm_integer), left))
        mpz_add_ui(arm_integer, arm_integer, 1);
    if (sign)
        mpz_neg(arm_integer, arm_integer);
    return left >= 0;
}

static uint64_t integral(enum arm_fmt f, bool sign, struct arm_fp *c)
{
    if (!mpz_sgn(arm_integer))
        return arm_FPZero(f, sign);
    mpfr_set_z(arm_reals[3].v, arm_integer, MPFR_RNDN);
    arm_reals[3].more = false;
    return arm_FPRound(f, &arm_reals[3], ARM_ZERO, true, c);
}

uint64_t arm_FPRoundInt(enum arm_fmt f, uint64_t a, enum arm_rounding r, bool exact, struct arm_fp *c)
{
    struct unpacked x = arm_FPUnpack(f, a, c, !c->ah, 0);
    if (arm_is_nan(x.type))
        return arm_FPProcessNaN(f, x.type, a, true, c);
    if (x.type == INFINITE)
        return arm_FPInfinity(f, x.sign);
    if (x.type == ZERO)
        return arm_FPZero(f, x.sign);
    bool error = to_integer(x.value, r);
    uint64_t result = integral(f, x.sign, c);
    arm_raise(c, error && exact, ARM_IXC);
    return result;
}

uint64_t arm_FPRoundIntN(enum arm_fmt f, uint64_t a, enum arm_rounding r, unsigned size, struct arm_fp *c)
{
    struct unpacked x = arm_FPUnpack(f, a, c, !c->ah, 0);
    bool error = false, fits = x.type != INFINITE && !arm_is_nan(x.type);
    if (x.type == ZERO)
        return arm_FPZero(f, x.sign);
    if (fits) {
        error = to_integer(x.value, r);
        mpz_set_si(arm_rest, 1);
        mpz_mul_2exp(arm_rest, arm_rest, size - 1);
        fits = mpz_cmp(arm_integer, arm_rest) < 0;
        mpz_neg(arm_rest, arm_rest);
        fits &= mpz_cmp(arm_integer, arm_rest) >= 0;
    }
    if (!fits) {
        arm_raise(c, true, ARM_IOC);
        return arm_power(f, true, (long)size - 1, false);
    }
    uint64_t result = integral(f, x.sign, c);
    arm_raise(c, error, ARM_IXC);
    return result;
}

uint64_t arm_FPToFixed(enum arm_fmt f, uint64_t a, unsigned fbits, unsigned width, bool is_unsigned, enum arm_rounding r,
                       struct arm_fp *c)
{
    struct unpacked x = arm_FPUnpack(f, a, c, !c->ah, 0);
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    uint64_t most = is_unsigned ? mask : mask >> 1, least = is_unsigned ? 0 : (mask >> 1) + 1;
    if (arm_is_nan(x.type)) {
        arm_raise(c, true, ARM_IOC);
        return 0;
    }
    if (x.type == INFINITE) {
        arm_raise(c, true, ARM_IOC);
        return x.sign ? least : most;
    }
    mpfr_mul_2ui(x.value->v, x.value->v, fbits, MPFR_RNDN);
    bool error = to_integer(x.value, r), negative = mpz_sgn(arm_integer) < 0;
    mpz_abs(arm_rest, arm_integer);
    if (mpz_cmp_ui(arm_rest, negative ? least : most) > 0) {
        arm_raise(c, true, ARM_IOC);
        return negative ? least : most;
    }
    arm_raise(c, error, ARM_IXC);
    return (negative ? 0 - mpz_get_ui(arm_rest) : mpz_get_ui(arm_rest)) & mask;
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
        return arm_FPZero(f, false);
    mpfr_set_ui_2exp(arm_reals[3].v, m, -(long)fbits, MPFR_RNDN);
    mpfr_setsign(arm_reals[3].v, arm_reals[3].v, negative, MPFR_RNDN);
    arm_reals[3].more = false;
    return arm_FPRound(f, &arm_reals[3], c->rounding, true, c);
}

uint64_t arm_FPToFixedJS(uint64_t a, bool *z, struct arm_fp *c)
{
    struct unpacked x = arm_FPUnpack(ARM_D, a, c, !c->ah, 0);
    *z = true;
    if (arm_is_nan(x.type) || x.type == INFINITE) {
        arm_raise(c, true, ARM_IOC);
        *z = false;
        return 0;
    }
    bool error = to_integer(x.value, ARM_ZERO);
    mpz_fdiv_r_2exp(arm_rest, arm_integer, 32);
    uint64_t result = mpz_get_ui(arm_rest);
    if (mpz_cmp_si(arm_integer, INT32_MAX) > 0 || mpz_cmp_si(arm_integer, INT32_MIN) < 0) {
        arm_raise(c, true, ARM_IOC);
        *z = false;
    } else if (error) {
        arm_raise(c, true, ARM_IXC);
        *z = false;
    } else if (mpfr_zero_p(x.value->v) && (x.sign || a << 12)) {
        *z = false;
    }
    return result;
}

/* ---- comparisons, formats ---- */

unsigned arm_FPCompare(enum arm_fmt f, uint64_t a, uint64_t b, bool signal_nans, struct arm_fp *c)
{
    struct unpacked x = arm_FPUnpack(f, a, c, true, 0), y = arm_FPUnpack(f, b, c, true, 1);
    if (arm_is_nan(x.type) || arm_is_nan(y.type)) {
        arm_raise(c, x.type == SNAN || y.type == SNAN || signal_nans, ARM_IOC);
        return 3;
    }
    arm_FPProcessDenorms(f, x.type, y.type, c);
    int order = mpfr_cmp(x.value->v, y.value->v);
    return order == 0 ? 6 : order < 0 ? 8 : 2;
}

uint64_t arm_FPConvert(enum arm_fmt to, enum arm_fmt from, uint64_t a, enum arm_rounding r, struct arm_fp *c)
{
    struct arm_fp o = *c;
    o.fz16 = false;
    struct unpacked x = arm_unpack(from, a, &o, true, c->ahp, 0);
    bool alternative = to == ARM_H && c->ahp;
    uint64_t result;
    if (arm_is_nan(x.type)) {
        result = alternative ? arm_FPZero(to, x.sign) : c->dn ? arm_FPDefaultNaN(to, c) : arm_FPConvertNaN(to, from, a);
        arm_raise(&o, x.type == SNAN || alternative, ARM_IOC);
    } else if (x.type == INFINITE) {
        result = alternative ? arm_signed_bits(to, x.sign, 0x7fff) : arm_FPInfinity(to, x.sign);
        arm_raise(&o, alternative, ARM_IOC);
    } else if (x.type == ZERO) {
        result = arm_FPZero(to, x.sign);
    } else {
        result = arm_FPRoundBase(x.value, (struct round_to){to, arm_fraction_of(to), alternative, true, r}, &o);
        arm_FPProcessDenorms(from, x.type, x.type, &o);
    }
    c->fpsr = o.fpsr;
    return result;
}

uint64_t arm_FPConvertBF(uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = arm_altered(c, true);
    bool fpexc = !c->ah;
    struct unpacked x = arm_FPUnpack(ARM_S, a, &o, fpexc, 0);
    uint64_t r;
    if (arm_is_nan(x.type)) {
        r = c->dn ? arm_FPDefaultNaN(ARM_S, c) : arm_FPConvertNaN(ARM_S, ARM_S, a);
        arm_raise(&o, fpexc && x.type == SNAN, ARM_IOC);
    } else if (x.type == INFINITE) {
        r = arm_FPInfinity(ARM_S, x.sign);
    } else if (x.type == ZERO) {
        r = arm_FPZero(ARM_S, x.sign);
    } else {
        r = arm_FPRoundBase(x.value, (struct round_to){ARM_S, 7, false, fpexc, o.rounding}, &o);
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
        return arm_FPZero(ARM_S, sign);
    uint64_t r = arm_FPRoundBase(op, (struct round_to){ARM_S, 23, false, false, ARM_ODD}, &o);
    return r == arm_FPMaxNormal(ARM_S, sign) && mpfr_get_exp(op->v) - 1 > 127 ? arm_FPInfinity(ARM_S, sign) : r;
}

static uint64_t BFMulH(uint64_t a, uint64_t b, const struct arm_fp *c)
{
    struct arm_fp o = bf_fp(c);
    struct unpacked x = arm_FPUnpack(ARM_S, a << 16, &o, false, 0), y = arm_FPUnpack(ARM_S, b << 16, &o, false, 1);
    bool inf = x.type == INFINITE || y.type == INFINITE, zero = x.type == ZERO || y.type == ZERO, sign = x.sign != y.sign;
    if (arm_is_nan(x.type) || arm_is_nan(y.type) || (inf && zero))
        return arm_FPDefaultNaN(ARM_S, c);
    if (inf || zero)
        return inf ? arm_FPInfinity(ARM_S, sign) : arm_FPZero(ARM_S, sign);
    arm_reals[3].more = mpfr_mul(arm_reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
    return BFRound(&arm_reals[3]);
}

static uint64_t FPAdd_BF16(uint64_t a, uint64_t b, const struct arm_fp *c)
{
    struct arm_fp o = bf_fp(c);
    struct unpacked x = arm_FPUnpack(ARM_S, a, &o, false, 0), y = arm_FPUnpack(ARM_S, b, &o, false, 1);
    bool inf1 = x.type == INFINITE, inf2 = y.type == INFINITE;
    if (arm_is_nan(x.type) || arm_is_nan(y.type) || (inf1 && inf2 && x.sign != y.sign))
        return arm_FPDefaultNaN(ARM_S, c);
    if (inf1 || inf2)
        return arm_FPInfinity(ARM_S, inf1 ? x.sign : y.sign);
    if (x.type == ZERO && y.type == ZERO && x.sign == y.sign)
        return arm_FPZero(ARM_S, x.sign);
    arm_reals[3].more = mpfr_add(arm_reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
    return mpfr_zero_p(arm_reals[3].v) ? arm_FPZero(ARM_S, false) : BFRound(&arm_reals[3]);
}

uint64_t arm_BFDotAdd(uint64_t addend, uint64_t a1, uint64_t b1, uint64_t a2, uint64_t b2, const struct arm_fp *c)
{
    return FPAdd_BF16(addend, FPAdd_BF16(BFMulH(a1, b1, c), BFMulH(a2, b2, c), c), c);
}

uint64_t arm_BFMulAddH(uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c)
{
    struct arm_fp o = arm_altered(c, true);
    uint64_t r = arm_multiply_add(ARM_S, ARM_S, addend, a << 16, b << 16, !c->ah, &o);
    c->fpsr = o.fpsr;
    return r;
}
