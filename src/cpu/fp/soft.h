/*
 * IEEE 754 arithmetic in integers: exact results and flags, in all rounding modes, without the host's FPU.
 *
 * This is the slow path behind fp.h: round to nearest with ties away, half precision, hosts without fused multiply-add, and
 * what else the host's FPU can't do. Everything about a mode is in struct fp_env; the conventions are RISC-V's (canonical NaN,
 * tininess after rounding, subnormals kept). Other conventions (FZ, AH, DN, tininess before rounding) are further members,
 * read in soft.c by unpack() on the way in, by propagate_nan() for NaNs and by fp_round_pack() on the way out, nowhere else.
 */
#ifndef TL_CPU_FP_SOFT_H
#define TL_CPU_FP_SOFT_H

#include "cpu/fp/bits.h"

/* Arm's FPSR.IDC, beside enum fp_flag; and its rounding to odd, beside enum fp_rm: an overflow gives the largest number (FCVTXN),
   or infinity (BFDOT). */
enum { FP_ID = 32, FP_ODD = 5, FP_ODD_INF = 6 };

/* What an operation reads (rm: FP_RNE..FP_RMM) and what it adds to (flags: enum fp_flag). */
struct fp_env {
    uint8_t rm;
    uint8_t flags;
    /* Arm's conventions: NaN operands are passed on, tininess is before rounding. The rest is read only with them. */
    uint8_t arm;
    uint8_t flush_in, flush_tells; /* subnormal S and D operands are zeros; and FPSR.IDC tells */
    uint8_t flush_out;             /* tiny S and D results are zeros: FPCR.FZ */
    uint8_t flush_half;            /* FPCR.FZ16 */
    uint8_t dn, ah, ahp;           /* FPCR.DN, AH, AHP */
    uint8_t rpres;                 /* with AH, single-precision estimates have 12 bits (FEAT_RPRES) */
};

/* Integer types of conversions: bit 0 unsigned, bit 1 64 bits wide; the order of the rs2 field of fcvt.w/wu/l/lu. */
enum fp_int { FP_I32 = 0, FP_U32 = 1, FP_I64 = 2, FP_U64 = 3 };

/* a + b, a - b, a * b, a / b, rounded once by e->rm; flags added to e->flags. Operands and result are raw bits of format f. */
uint64_t fp_soft_add(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_soft_sub(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_soft_mul(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);
uint64_t fp_soft_div(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);

/* The square root of a; NV for a < 0, and sqrt(-0) = -0. */
uint64_t fp_soft_sqrt(enum fp_fmt f, uint64_t a, struct fp_env *e);

/* a * b + c rounded once; NV for infinity times zero even when c is a quiet NaN (unpriv F, fused multiply-add). */
uint64_t fp_soft_fma(enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c, struct fp_env *e);

/* The value of a, of format `from`, in format `to`. */
uint64_t fp_soft_convert(enum fp_fmt to, enum fp_fmt from, uint64_t a, struct fp_env *e);

/* The integer v (sign- or zero-extended to 64 bits as its type t says) in format f. */
uint64_t fp_soft_from_int(enum fp_fmt f, uint64_t v, enum fp_int t, struct fp_env *e);

/*
 * a as an integer of type t, sign- or zero-extended to 64 bits. Out of range saturates with NV alone, NaN gives the largest
 * integer (unpriv F, "Single-Precision Floating-Point Conversion and Move Instructions", table of domains).
 */
uint64_t fp_soft_to_int(enum fp_fmt f, uint64_t a, enum fp_int t, struct fp_env *e);

/* a rounded to an integral value of the same format; NX when `exact` and the value changed (Zfa fround, froundnx). */
uint64_t fp_soft_round_int(enum fp_fmt f, uint64_t a, bool exact, struct fp_env *e);

/* a truncated to an integer modulo 2^32, with the flags of fcvt.w.d; 0 for NaN and infinities (Zfa fcvtmod.w.d). */
int32_t fp_soft_cvtmod_w_d(uint64_t a, struct fp_env *e);

/*
 * Rounds and packs the number (-1)^sign * sig * 2^(exp - 63) into format f. sig has bit 63 set; its bit 0 stands for "and
 * something more below". Adds NX, UF (tiny after rounding, and inexact) and OF to e->flags.
 */
uint64_t fp_round_pack(enum fp_fmt f, bool sign, int exp, uint64_t sig, struct fp_env *e);

/* The NaN that invalid operations give. */
uint64_t fp_default_nan(enum fp_fmt f, const struct fp_env *e);
/* The result of an operation of one operand (twice) or two, one of which is a NaN. */
uint64_t fp_propagate_nan(enum fp_fmt f, uint64_t a, uint64_t b, struct fp_env *e);

#endif
