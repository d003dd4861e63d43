/* Arithmetic behind mul.def: XLEN-wide operands, sign- or zero-extended to 64 bits as named. */
#ifndef TL_CPU_RISCV_INSN_MUL_H
#define TL_CPU_RISCV_INSN_MUL_H
#include <stdint.h>

/* The high XLEN bits of the product of two signed values. */
static inline uint64_t mulh_ss(uint64_t a, uint64_t b, unsigned xlen)
{
    return (uint64_t)(((__int128)(int64_t)a * (int64_t)b) >> xlen);
}

/* … of a signed and an unsigned value. */
static inline uint64_t mulh_su(uint64_t a, uint64_t b, unsigned xlen)
{
    return (uint64_t)(((__int128)(int64_t)a * (__int128)b) >> xlen);
}

/* … of two unsigned values. */
static inline uint64_t mulh_uu(uint64_t a, uint64_t b, unsigned xlen) { return (uint64_t)(((unsigned __int128)a * b) >> xlen); }

/* Overflow (the most negative value by -1) wraps to the dividend, remainder 0: also for 32-bit operands, whose quotient fits 64
 * bits. */
static inline int64_t div_s(int64_t a, int64_t b)
{
    if (b == 0)
        return -1;
    return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static inline int64_t rem_s(int64_t a, int64_t b)
{
    if (b == 0)
        return a;
    return b == -1 ? 0 : a % b;
}

static inline uint64_t div_u(uint64_t a, uint64_t b) { return b ? a / b : UINT64_MAX; }
static inline uint64_t rem_u(uint64_t a, uint64_t b) { return b ? a % b : a; }
#endif
