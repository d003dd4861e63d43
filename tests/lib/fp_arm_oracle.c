#include "fp_arm_real.h"

/* ---- arithmetic ---- */

static uint64_t sum_result(enum arm_fmt f, enum arm_rounding rounding, bool fpexc, struct arm_fp *c)
{
    if (mpfr_zero_p(arm_reals[3].v) && !arm_reals[3].more)
        return arm_FPZero(f, rounding == ARM_NEGINF);
    return arm_FPRound(f, &arm_reals[3], rounding, fpexc, c);
}

static uint64_t add(enum arm_fmt f, uint64_t a, uint64_t b, bool minus, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = arm_FPUnpack(f, a, c, true, 0), y = arm_FPUnpack(f, b, c, true, 1);
    if (arm_FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    bool sign2 = y.sign != minus, inf1 = x.type == INFINITE, inf2 = y.type == INFINITE;
    if (inf1 && inf2 && x.sign != sign2) {
        r = arm_FPDefaultNaN(f, c);
        arm_raise(c, true, ARM_IOC);
    } else if (inf1 || inf2) {
        r = arm_FPInfinity(f, inf1 ? x.sign : sign2);
    } else if (x.type == ZERO && y.type == ZERO && x.sign == sign2) {
        r = arm_FPZero(f, x.sign);
    } else {
        arm_reals[3].more = (minus ? mpfr_sub(arm_reals[3].v, x.value->v, y.value->v, MPFR_RNDZ)
                                   : mpfr_add(arm_reals[3].v, x.value->v, y.value->v, MPFR_RNDZ)) != 0;
        r = sum_result(f, c->rounding, true, c);
    }
    arm_FPProcessDenorms(f, x.type, y.type, c);
    return r;
}
uint64_t arm_FPAdd(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return add(f, a, b, false, c); }
uint64_t arm_FPSub(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return add(f, a, b, true, c); }

static uint64_t multiply(enum arm_fmt f, uint64_t a, uint64_t b, bool extended, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = arm_FPUnpack(f, a, c, true, 0), y = arm_FPUnpack(f, b, c, true, 1);
    if (arm_FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    bool sign = x.sign != y.sign, inf = x.type == INFINITE || y.type == INFINITE, zero = x.type == ZERO || y.type == ZERO;
    if (inf && zero) {
        r = extended ? arm_power(f, sign, 1, false) : arm_FPDefaultNaN(f, c);
        arm_raise(c, !extended, ARM_IOC);
    } else if (inf) {
        r = arm_FPInfinity(f, sign);
    } else if (zero) {
        r = arm_FPZero(f, sign);
    } else {
        arm_reals[3].more = mpfr_mul(arm_reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
        r = arm_FPRound(f, &arm_reals[3], c->rounding, true, c);
    }
    arm_FPProcessDenorms(f, x.type, y.type, c);
    return r;
}
uint64_t arm_FPMul(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return multiply(f, a, b, false, c); }
uint64_t arm_FPMulX(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return multiply(f, a, b, true, c); }

uint64_t arm_FPDiv(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = arm_FPUnpack(f, a, c, true, 0), y = arm_FPUnpack(f, b, c, true, 1);
    if (arm_FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    bool sign = x.sign != y.sign, inf1 = x.type == INFINITE, inf2 = y.type == INFINITE, zero1 = x.type == ZERO,
         zero2 = y.type == ZERO;
    if ((inf1 && inf2) || (zero1 && zero2)) {
        r = arm_FPDefaultNaN(f, c);
        arm_raise(c, true, ARM_IOC);
    } else if (inf1 || zero2) {
        r = arm_FPInfinity(f, sign);
        arm_raise(c, !inf1, ARM_DZC);
    } else if (zero1 || inf2) {
        r = arm_FPZero(f, sign);
    } else {
        arm_reals[3].more = mpfr_div(arm_reals[3].v, x.value->v, y.value->v, MPFR_RNDZ) != 0;
        r = arm_FPRound(f, &arm_reals[3], c->rounding, true, c);
    }
    if (!zero2)
        arm_FPProcessDenorms(f, x.type, y.type, c);
    return r;
}

uint64_t arm_FPSqrt(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct unpacked x = arm_FPUnpack(f, a, c, true, 0);
    if (arm_is_nan(x.type))
        return arm_FPProcessNaN(f, x.type, a, true, c);
    if (x.type == ZERO)
        return arm_FPZero(f, x.sign);
    if (x.type == INFINITE && !x.sign)
        return arm_FPInfinity(f, false);
    if (x.sign) {
        arm_raise(c, true, ARM_IOC);
        return arm_FPDefaultNaN(f, c);
    }
    arm_reals[3].more = mpfr_sqrt(arm_reals[3].v, x.value->v, MPFR_RNDZ) != 0;
    uint64_t r = arm_FPRound(f, &arm_reals[3], c->rounding, true, c);
    arm_FPProcessDenorms(f, x.type, x.type, c);
    return r;
}

static uint64_t max_min(enum arm_fmt f, uint64_t a, uint64_t b, bool max, bool altfp, struct arm_fp *c)
{
    uint64_t r;
    struct unpacked x = arm_FPUnpack(f, a, c, true, 0), y = arm_FPUnpack(f, b, c, true, 1);
    if (altfp && x.type == ZERO && y.type == ZERO && x.sign != y.sign)
        return arm_FPZero(f, y.sign);
    if (altfp && (arm_is_nan(x.type) || arm_is_nan(y.type))) {
        arm_raise(c, true, ARM_IOC);
        return y.type == ZERO ? arm_FPZero(f, y.sign) : b;
    }
    if (arm_FPProcessNaNs(f, x, y, a, b, true, c, &r))
        return r;
    int order = mpfr_cmp(x.value->v, y.value->v);
    struct unpacked n = (max ? order > 0 : order < 0) ? x : y;
    if (n.type == INFINITE) {
        r = arm_FPInfinity(f, n.sign);
    } else if (n.type == ZERO) {
        r = arm_FPZero(f, max ? x.sign && y.sign : x.sign || y.sign);
    } else {
        struct arm_fp kept = *c;
        if (altfp)
            kept.fz = kept.fz16 = false;
        r = arm_FPRound(f, n.value, c->rounding, true, &kept);
        c->fpsr = kept.fpsr;
    }
    arm_FPProcessDenorms(f, x.type, y.type, c);
    return r;
}
uint64_t arm_FPMax(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min(f, a, b, true, c->ah, c); }
uint64_t arm_FPMin(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min(f, a, b, false, c->ah, c); }

static uint64_t max_min_num(enum arm_fmt f, uint64_t a, uint64_t b, bool max, struct arm_fp *c)
{
    enum type t1 = arm_FPUnpack(f, a, c, true, 0).type, t2 = arm_FPUnpack(f, b, c, true, 1).type;
    if (!(c->ah && arm_is_nan(t1) && arm_is_nan(t2))) {
        if (t1 == QNAN && t2 != QNAN)
            a = arm_FPInfinity(f, max);
        else if (t1 != QNAN && t2 == QNAN)
            b = arm_FPInfinity(f, max);
    }
    return max_min(f, a, b, max, false, c);
}
uint64_t arm_FPMaxNum(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min_num(f, a, b, true, c); }
uint64_t arm_FPMinNum(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c) { return max_min_num(f, a, b, false, c); }

uint64_t arm_FPNeg(enum arm_fmt f, uint64_t a, const struct arm_fp *c)
{
    bool nan = (a & ((UINT64_C(1) << (arm_width_of(f) - 1)) - 1)) > arm_exponent_ones(f);
    return c->ah && nan ? a : a ^ UINT64_C(1) << (arm_width_of(f) - 1);
}
uint64_t arm_FPAbs(enum arm_fmt f, uint64_t a, const struct arm_fp *c)
{
    bool nan = (a & ((UINT64_C(1) << (arm_width_of(f) - 1)) - 1)) > arm_exponent_ones(f);
    return c->ah && nan ? a : a & ((UINT64_C(1) << (arm_width_of(f) - 1)) - 1);
}

/* FPProcessNaNs3, and FPProcessNaNs3H: the factors are of format g, the result of f. */
static bool FPProcessNaNs3(enum arm_fmt f, enum arm_fmt g, const enum type *t, const uint64_t *op, bool fpexc, struct arm_fp *c,
                           uint64_t *result)
{
    bool n1 = arm_is_nan(t[0]), n2 = arm_is_nan(t[1]), n3 = arm_is_nan(t[2]);
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
    *result = arm_FPProcessNaN(h, as, op[which], fpexc, c);
    if (h != f)
        *result = arm_FPConvertNaN(f, h, *result);
    return true;
}

uint64_t arm_multiply_add(enum arm_fmt f, enum arm_fmt g, uint64_t addend, uint64_t a, uint64_t b, bool fpexc, struct arm_fp *c)
{
    struct unpacked z = arm_FPUnpack(f, addend, c, fpexc, 0), x = arm_FPUnpack(g, a, c, fpexc, 1),
                    y = arm_FPUnpack(g, b, c, fpexc, 2);
    const enum type types[] = {z.type, x.type, y.type};
    const uint64_t ops[] = {addend, a, b};
    bool inf1 = x.type == INFINITE, inf2 = y.type == INFINITE, zero1 = x.type == ZERO, zero2 = y.type == ZERO;
    bool bad_product = (inf1 && zero2) || (zero1 && inf2);
    uint64_t r;
    bool done = FPProcessNaNs3(f, g, types, ops, fpexc, c, &r);
    if (!c->ah && z.type == QNAN && bad_product) {
        r = arm_FPDefaultNaN(f, c);
        arm_raise(c, fpexc, ARM_IOC);
    }
    if (done)
        return r;
    bool infA = z.type == INFINITE, signP = x.sign != y.sign, infP = inf1 || inf2, zeroP = zero1 || zero2;
    bool invalid = bad_product || (infA && infP && z.sign != signP);
    if (invalid) {
        arm_raise(c, fpexc, ARM_IOC);
        return arm_FPDefaultNaN(f, c);
    }
    if (infA || infP) {
        r = arm_FPInfinity(f, infA ? z.sign : signP);
    } else if (z.type == ZERO && zeroP && z.sign == signP) {
        r = arm_FPZero(f, z.sign);
    } else {
        arm_reals[3].more = mpfr_fma(arm_reals[3].v, x.value->v, y.value->v, z.value->v, MPFR_RNDZ) != 0;
        r = sum_result(f, c->rounding, fpexc, c);
    }
    if (fpexc) {
        arm_FPProcessDenorms(f, z.type, z.type, c);
        if (f == g)
            arm_FPProcessDenorms(f, x.type, y.type, c);
    }
    return r;
}
uint64_t arm_FPMulAdd(enum arm_fmt f, uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c)
{
    return arm_multiply_add(f, f, addend, a, b, true, c);
}
uint64_t arm_FPMulAddH(uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c)
{
    return arm_multiply_add(ARM_S, ARM_H, addend, a, b, true, c);
}

/* ---- estimates and steps ---- */

static uint64_t step(enum arm_fmt f, uint64_t a, uint64_t b, unsigned n, bool halve, struct arm_fp *c)
{
    struct arm_fp o = arm_altered(c, true);
    bool fpexc = !c->ah;
    uint64_t r;
    a = arm_FPNeg(f, a, c);
    struct unpacked x = arm_FPUnpack(f, a, &o, fpexc, 0), y = arm_FPUnpack(f, b, &o, fpexc, 1);
    if (!arm_FPProcessNaNs(f, x, y, a, b, fpexc, &o, &r)) {
        bool inf = x.type == INFINITE || y.type == INFINITE, zero = x.type == ZERO || y.type == ZERO;
        if (inf && zero) {
            r = halve ? arm_power(f, false, 0, true) : arm_power(f, false, 1, false);
        } else if (inf) {
            r = arm_FPInfinity(f, x.sign != y.sign);
        } else {
            mpfr_set_ui(arm_reals[2].v, n, MPFR_RNDN);
            arm_reals[3].more = mpfr_fma(arm_reals[3].v, x.value->v, y.value->v, arm_reals[2].v, MPFR_RNDZ) != 0;
            if (halve)
                mpfr_div_2ui(arm_reals[3].v, arm_reals[3].v, 1, MPFR_RNDN);
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
    mpfr_set_ui(arm_reals[0].v, a2, MPFR_RNDN);
    mpfr_div_2ui(arm_reals[0].v, arm_reals[0].v, 1, MPFR_RNDN);
    mpfr_sqrt(arm_reals[0].v, arm_reals[0].v, MPFR_RNDN);
    mpfr_mul_2ui(arm_reals[0].v, arm_reals[0].v, 47, MPFR_RNDN);
    mpfr_get_z(arm_integer, arm_reals[0].v, MPFR_RNDZ);
    mpfr_sub_z(arm_reals[0].v, arm_reals[0].v, arm_integer, MPFR_RNDN);
    if (mpfr_cmp_d(arm_reals[0].v, 0.5) > 0)
        mpz_add_ui(arm_integer, arm_integer, 1);
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 65);
    mpz_tdiv_qr(n, arm_rest, n, arm_integer);
    mpz_mul_2exp(arm_rest, arm_rest, 1);
    int half = mpz_cmp(arm_rest, arm_integer);
    unsigned r = (unsigned)mpz_get_ui(n);
    mpz_clear(n);
    return r + (half > 0 || (half == 0 && (r & 1)));
}

uint64_t arm_FPRecipEstimate(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = arm_altered(c, true);
    bool fpexc = !c->ah;
    struct unpacked x = arm_FPUnpack(f, a, &o, fpexc, 0);
    long limit = f == ARM_H ? 16 : f == ARM_S ? 128 : 1024, size = mpfr_regular_p(x.value->v) ? mpfr_get_exp(x.value->v) - 1 : 0;
    c->fpsr = o.fpsr;
    if (arm_is_nan(x.type)) {
        uint64_t r = arm_FPProcessNaN(f, x.type, a, fpexc, &o);
        c->fpsr = o.fpsr;
        return r;
    }
    if (x.type == INFINITE)
        return arm_FPZero(f, x.sign);
    if (x.type == ZERO) {
        arm_raise(c, fpexc, ARM_DZC);
        return arm_FPInfinity(f, x.sign);
    }
    if (size < -limit) {
        bool to_inf = o.rounding == ARM_TIEEVEN || (o.rounding == ARM_POSINF && !x.sign) || (o.rounding == ARM_NEGINF && x.sign);
        arm_raise(c, fpexc, ARM_OFC | ARM_IXC);
        return to_inf ? arm_FPInfinity(f, x.sign) : arm_FPMaxNormal(f, x.sign);
    }
    if ((f == ARM_H ? o.fz16 : o.fz) && size >= limit - 2) {
        arm_raise(c, fpexc, ARM_UFC);
        return arm_FPZero(f, x.sign);
    }
    unsigned F = arm_fraction_of(f);
    uint64_t fraction = (a & ((UINT64_C(1) << F) - 1)) << (52 - F), ones = (UINT64_C(1) << 52) - 1;
    int exp = (int)((a & arm_exponent_ones(f)) >> F);
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
    return arm_signed_bits(f, x.sign, (uint64_t)result_exp << F | fraction >> (52 - F));
}

uint64_t arm_FPRSqrtEstimate(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = arm_altered(c, false);
    bool fpexc = !c->ah;
    struct unpacked x = arm_FPUnpack(f, a, &o, fpexc, 0);
    uint64_t nan = arm_is_nan(x.type) ? arm_FPProcessNaN(f, x.type, a, fpexc, &o) : 0;
    c->fpsr = o.fpsr;
    if (arm_is_nan(x.type))
        return nan;
    if (x.type == ZERO) {
        arm_raise(c, fpexc, ARM_DZC);
        return arm_FPInfinity(f, x.sign);
    }
    if (x.sign) {
        arm_raise(c, fpexc, ARM_IOC);
        return arm_FPDefaultNaN(f, c);
    }
    if (x.type == INFINITE)
        return arm_FPZero(f, false);
    unsigned F = arm_fraction_of(f);
    uint64_t fraction = (a & ((UINT64_C(1) << F) - 1)) << (52 - F), ones = (UINT64_C(1) << 52) - 1;
    int exp = (int)((a & arm_exponent_ones(f)) >> F);
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
    return arm_signed_bits(f, false, (uint64_t)result_exp << F | fraction >> (52 - F));
}

uint64_t arm_FPRecpX(enum arm_fmt f, uint64_t a, struct arm_fp *c)
{
    struct arm_fp o = arm_altered(c, false);
    struct unpacked x = arm_FPUnpack(f, a, &o, !c->ah, 0);
    uint64_t r, exp = a & arm_exponent_ones(f);
    if (arm_is_nan(x.type))
        r = arm_FPProcessNaN(f, x.type, a, !c->ah, &o);
    else
        r = arm_signed_bits(f, x.sign,
                            exp ? ~exp & arm_exponent_ones(f) : arm_exponent_ones(f) - (UINT64_C(1) << arm_fraction_of(f)));
    c->fpsr = o.fpsr;
    return r;
}
