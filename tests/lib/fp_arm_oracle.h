/*
 * What A64's floating-point instructions must give: the Arm ARM's pseudocode (shared/functions/float) over exact values, which
 * MPFR holds. Written from that and not from src/cpu/fp, so that the two can disagree.
 */
#ifndef TL_TESTS_FP_ARM_ORACLE_H
#define TL_TESTS_FP_ARM_ORACLE_H
#include <stdbool.h>
#include <stdint.h>

enum arm_fmt { ARM_H, ARM_S, ARM_D };
enum arm_rounding { ARM_TIEEVEN, ARM_POSINF, ARM_NEGINF, ARM_ZERO, ARM_ODD, ARM_TIEAWAY };
enum { ARM_IOC = 1, ARM_DZC = 2, ARM_OFC = 4, ARM_UFC = 8, ARM_IXC = 16, ARM_IDC = 128 }; /* FPSR */

/* FPCR as the pseudocode passes it around, and what it adds to FPSR. rpres: FEAT_RPRES. */
struct arm_fp {
    enum arm_rounding rounding;
    bool fiz, ah, fz16, fz, dn, ahp, rpres;
    unsigned fpsr;
};
struct arm_fp arm_fp_of(uint64_t fpcr, bool rpres);
/* Before the first call, and after the last. */
void arm_oracle_init(void);
void arm_oracle_free(void);

/* Named after the pseudocode. Operands and results are the low bits of the format. */
uint64_t arm_FPAdd(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPSub(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMul(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMulX(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPDiv(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMax(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMin(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMaxNum(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMinNum(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPRecipStepFused(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPRSqrtStepFused(enum arm_fmt f, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMulAdd(enum arm_fmt f, uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPMulAddH(uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c);
uint64_t arm_FPSqrt(enum arm_fmt f, uint64_t a, struct arm_fp *c);
uint64_t arm_FPNeg(enum arm_fmt f, uint64_t a, const struct arm_fp *c);
uint64_t arm_FPAbs(enum arm_fmt f, uint64_t a, const struct arm_fp *c);
uint64_t arm_FPRoundInt(enum arm_fmt f, uint64_t a, enum arm_rounding r, bool exact, struct arm_fp *c);
uint64_t arm_FPRoundIntN(enum arm_fmt f, uint64_t a, enum arm_rounding r, unsigned size, struct arm_fp *c);
uint64_t arm_FPRecipEstimate(enum arm_fmt f, uint64_t a, struct arm_fp *c);
uint64_t arm_FPRSqrtEstimate(enum arm_fmt f, uint64_t a, struct arm_fp *c);
uint64_t arm_FPRecpX(enum arm_fmt f, uint64_t a, struct arm_fp *c);
uint64_t arm_FPConvert(enum arm_fmt to, enum arm_fmt from, uint64_t a, enum arm_rounding r, struct arm_fp *c);
uint64_t arm_FPToFixed(enum arm_fmt f, uint64_t a, unsigned fbits, unsigned width, bool is_unsigned, enum arm_rounding r,
                       struct arm_fp *c);
uint64_t arm_FixedToFP(enum arm_fmt f, uint64_t v, unsigned fbits, unsigned width, bool is_unsigned, struct arm_fp *c);
/* NZCV in bits 3:0. */
unsigned arm_FPCompare(enum arm_fmt f, uint64_t a, uint64_t b, bool signal_nans, struct arm_fp *c);
uint64_t arm_FPToFixedJS(uint64_t a, bool *z, struct arm_fp *c);
uint64_t arm_FPConvertBF(uint64_t a, struct arm_fp *c);
uint64_t arm_BFDotAdd(uint64_t addend, uint64_t a1, uint64_t b1, uint64_t a2, uint64_t b2, const struct arm_fp *c);
uint64_t arm_BFMulAddH(uint64_t addend, uint64_t a, uint64_t b, struct arm_fp *c);
#endif
