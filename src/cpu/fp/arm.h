/*
 * Floating-point operations of Arm's A64 on raw bits, exact in every mode: what IEEE 754 does not have, or Arm does in its own
 * way. The others are those of soft.h, in an environment made by fp_arm_env().
 *
 * Named after the Arm ARM's pseudocode functions (shared/functions/float).
 */
#ifndef TL_CPU_FP_ARM_H
#define TL_CPU_FP_ARM_H
#include "cpu/fp/soft.h"

/* Bits of FPCR. */
#define FPCR_FIZ  (UINT64_C(1) << 0)
#define FPCR_AH   (UINT64_C(1) << 1)
#define FPCR_NEP  (UINT64_C(1) << 2)
#define FPCR_FZ16 (UINT64_C(1) << 19)
#define FPCR_FZ   (UINT64_C(1) << 24)
#define FPCR_DN   (UINT64_C(1) << 25)
#define FPCR_AHP  (UINT64_C(1) << 26)

/* The environment of an FPCR value, with no flags. AHP counts for conversions only. */
struct fp_env fp_arm_env(uint64_t fpcr);
/* Flags of enum fp_flag and FP_ID as bits of FPSR: IOC 0, DZC 1, OFC 2, UFC 3, IXC 4, IDC 7. */
uint64_t fp_arm_fpsr(unsigned flags);

/* FPCompare: NZCV. FPCompareEQ, GE, GT: `signalling` false, true, true. */
unsigned fp_arm_compare(enum fp_fmt f, uint64_t a, uint64_t b, bool signalling, struct fp_env *e);
/* FPMax, FPMin; FPMaxNum, FPMinNum. */
uint64_t fp_arm_max(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_arm_min(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_arm_maxnum(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_arm_minnum(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
/* FPMulX; FPRecipStepFused, FPRSqrtStepFused. */
uint64_t fp_arm_mulx(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_arm_recps(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_arm_rsqrts(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
/* FPRecipEstimate, FPRSqrtEstimate, FPRecpX. */
uint64_t fp_arm_recpe(enum fp_fmt f, uint64_t a, struct fp_env *e);
uint64_t fp_arm_rsqrte(enum fp_fmt f, uint64_t a, struct fp_env *e);
uint64_t fp_arm_recpx(enum fp_fmt f, uint64_t a, struct fp_env *e);
/* RecipEstimate and RecipSqrtEstimate of 9 bits: 256 <= a < 512, 128 <= a < 512. */
unsigned fp_arm_recip9(unsigned a);
unsigned fp_arm_rsqrt9(unsigned a);
/* FPNeg and FPAbs: with AH a NaN stays as it is. */
uint64_t fp_arm_neg(enum fp_fmt f, uint64_t a, const struct fp_env *e);
uint64_t fp_arm_abs(enum fp_fmt f, uint64_t a, const struct fp_env *e);

/* FPConvert by e->rm. */
uint64_t fp_arm_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, struct fp_env *e);
/* FPToFixed: a times 2^fbits as an integer of `width` bits (16, 32, 64), zero-extended; saturating; rounding by rm. */
uint64_t fp_arm_to_fixed(enum fp_fmt f, uint64_t a, unsigned fbits, unsigned width, bool is_unsigned, unsigned rm,
                         struct fp_env *e);
/* FixedToFP: the low `width` bits of v, divided by 2^fbits. */
uint64_t fp_arm_from_fixed(enum fp_fmt f, uint64_t v, unsigned fbits, unsigned width, bool is_unsigned, struct fp_env *e);
/* FPRoundInt by rm; FPRoundIntN to the range of signed integers of `size` bits (32, 64). */
uint64_t fp_arm_round_int(enum fp_fmt f, uint64_t a, unsigned rm, bool exact, struct fp_env *e);
uint64_t fp_arm_round_int_n(enum fp_fmt f, uint64_t a, unsigned rm, unsigned size, struct fp_env *e);
/* FPToFixedJS: truncated modulo 2^32; *exact: the number was such an integer, and not -0. */
uint32_t fp_arm_to_js(uint64_t a, bool *exact, struct fp_env *e);

/* FPMulAddH: c + a * b, of half-precision factors and a single-precision addend. */
uint64_t fp_arm_fmah(uint64_t c, uint64_t a, uint64_t b, struct fp_env *e);
/* FPConvertBF: single precision to BFloat16. */
uint64_t fp_arm_to_bf16(uint64_t a, struct fp_env *e);
/* BFMulAddH without EBF: c + a * b of single-precision numbers with BFloat16 factors, as BFMLALB does it. */
uint64_t fp_arm_bfmla(uint64_t c, uint64_t a, uint64_t b, struct fp_env *e);
/* BFDotAdd without EBF: c + (a1 * b1 + a2 * b2), BFloat16 factors; rounding to odd, no flags, and of FPCR only AH
   has a part in it. */
uint64_t fp_arm_bfdot(uint64_t c, uint64_t a1, uint64_t b1, uint64_t a2, uint64_t b2, const struct fp_env *e);

/* The immediate of FMOV. VFPExpandImm. */
uint64_t fp_arm_expand(enum fp_fmt f, unsigned imm8);
#endif
