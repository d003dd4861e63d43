/*
 * What floating-point operations must give, by MPFR: the exact value (or 256 bits of it and "something more below"), rounded in
 * all five modes by IEEE 754's definitions, written without the tricks of src/cpu/fp so that the two can disagree.
 */
#ifndef TL_TESTS_FP_ORACLE_H
#define TL_TESTS_FP_ORACLE_H

#include <gmp.h>
#include <stdint.h>
#include <mpfr.h>

#include "cpu/fp/soft.h"

enum fp_oracle_op { ORACLE_ADD, ORACLE_SUB, ORACLE_MUL, ORACLE_DIV, ORACLE_SQRT, ORACLE_FMA };

/* A result and the flags it raises; arrays of five are indexed by enum fp_rm. */
struct fp_expect {
    uint64_t bits;
    unsigned flags;
};

/* Work space, so that nothing is allocated for each operation. */
struct fp_oracle {
    mpfr_t x, y, z, r;
    mpz_t n, m;
};

void fp_oracle_init(struct fp_oracle *o);
void fp_oracle_free(struct fp_oracle *o);

/* a op b (ORACLE_FMA: a * b + c; ORACLE_SQRT: of a) in format f. */
void fp_oracle_arith(struct fp_oracle *o, enum fp_oracle_op op, enum fp_fmt f, uint64_t a, uint64_t b, uint64_t c,
                     struct fp_expect out[5]);
/* a, of format `from`, in format `to`. */
void fp_oracle_convert(struct fp_oracle *o, enum fp_fmt to, enum fp_fmt from, uint64_t a, struct fp_expect out[5]);
/* The integer v, extended to 64 bits as type t says, in format f. */
void fp_oracle_from_int(struct fp_oracle *o, enum fp_fmt f, uint64_t v, enum fp_int t, struct fp_expect out[5]);
/* a as an integer of type t, extended to 64 bits as t says. */
void fp_oracle_to_int(struct fp_oracle *o, enum fp_fmt f, uint64_t a, enum fp_int t, struct fp_expect out[5]);
/* a rounded to an integral value of its format; NX for a changed value. */
void fp_oracle_round_int(struct fp_oracle *o, enum fp_fmt f, uint64_t a, struct fp_expect out[5]);
/* Zfa fcvtmod.w.d; bits: the 32-bit result. */
void fp_oracle_cvtmod(struct fp_oracle *o, uint64_t a, struct fp_expect *out);
/* a compared with b: -1, 0, 1, or 2 for unordered. */
int fp_oracle_compare(struct fp_oracle *o, enum fp_fmt f, uint64_t a, uint64_t b);

/* An operand: any bits, or an edge (zeros, subnormals, limits, powers of two and their neighbours, few bits set, NaNs, …). */
uint64_t fp_operand(uint64_t *seed, enum fp_fmt f);
/* An operand that makes trouble together with a: results near the limits, ties, cancellation. */
uint64_t fp_operand_near(uint64_t *seed, enum fp_fmt f, uint64_t a);
/* An integer: any bits of any length, or near a power of two, or near a tie of some format. */
uint64_t fp_integer(uint64_t *seed);
/* Operands for each operation and rounding mode: TRAPLINE_FP_N, or 10^6 (10^5 in slow builds). */
uint64_t fp_operand_count(void);

#endif
