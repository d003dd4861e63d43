/* Inside the oracle of A64's floating point: values, formats, rounding. Named after the Arm ARM's pseudocode. */
#ifndef TL_TESTS_FP_ARM_REAL_H
#define TL_TESTS_FP_ARM_REAL_H
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

/* Work space: operands in the first, the result in the last. */
extern struct real arm_reals[4];
extern mpz_t arm_integer, arm_rest;

struct round_to {
    enum arm_fmt f;
    unsigned F; /* bits of the fraction: 7 for BFloat16 in single precision */
    bool ahp, fpexc;
    enum arm_rounding rounding;
};

uint64_t arm_exponent_ones(enum arm_fmt f);
static inline unsigned arm_width_of(enum arm_fmt f) { return 16u << f; }
static inline unsigned arm_fraction_of(enum arm_fmt f) { return f == ARM_H ? 10 : f == ARM_S ? 23 : 52; }
static inline long arm_minimum_exp(enum arm_fmt f) { return f == ARM_H ? -14 : f == ARM_S ? -126 : -1022; }
static inline uint64_t arm_signed_bits(enum arm_fmt f, bool sign, uint64_t m)
{
    return m | (uint64_t)sign << (arm_width_of(f) - 1);
}
static inline uint64_t arm_FPInfinity(enum arm_fmt f, bool sign) { return arm_signed_bits(f, sign, arm_exponent_ones(f)); }
static inline uint64_t arm_FPMaxNormal(enum arm_fmt f, bool sign) { return arm_signed_bits(f, sign, arm_exponent_ones(f) - 1); }
static inline uint64_t arm_FPZero(enum arm_fmt f, bool sign) { return arm_signed_bits(f, sign, 0); }
static inline bool arm_is_nan(enum type t) { return t == QNAN || t == SNAN; }
static inline void arm_raise(struct arm_fp *c, bool fpexc, unsigned flag) { c->fpsr |= fpexc ? flag : 0; }
uint64_t arm_power(enum arm_fmt f, bool sign, long n, bool half);
uint64_t arm_FPDefaultNaN(enum arm_fmt f, const struct arm_fp *c);
struct unpacked arm_unpack(enum arm_fmt f, uint64_t a, struct arm_fp *c, bool fpexc, bool ahp, unsigned n);
struct unpacked arm_FPUnpack(enum arm_fmt f, uint64_t a, struct arm_fp *c, bool fpexc, unsigned n);
int arm_cut(const struct real *r, long q, mpz_t n);
bool arm_rounds_up(enum arm_rounding r, bool sign, bool odd, int left);
uint64_t arm_FPRoundBase(const struct real *op, struct round_to t, struct arm_fp *c);
uint64_t arm_FPRound(enum arm_fmt f, const struct real *op, enum arm_rounding r, bool fpexc, struct arm_fp *c);
uint64_t arm_FPProcessNaN(enum arm_fmt f, enum type t, uint64_t a, bool fpexc, struct arm_fp *c);
bool arm_FPProcessNaNs(enum arm_fmt f, struct unpacked x, struct unpacked y, uint64_t a, uint64_t b, bool fpexc, struct arm_fp *c,
                       uint64_t *result);
void arm_FPProcessDenorms(enum arm_fmt f, enum type t1, enum type t2, struct arm_fp *c);
uint64_t arm_FPConvertNaN(enum arm_fmt to, enum arm_fmt from, uint64_t a);
struct arm_fp arm_altered(const struct arm_fp *c, bool rounding);
uint64_t arm_multiply_add(enum arm_fmt f, enum arm_fmt g, uint64_t addend, uint64_t a, uint64_t b, bool fpexc, struct arm_fp *c);
#endif
