/* Arithmetic behind bit.def, on zero-extended XLEN-wide operands. unpriv "B". */
#ifndef TL_CPU_RISCV_INSN_BIT_H
#define TL_CPU_RISCV_INSN_BIT_H
#include <stdint.h>

static inline uint64_t bit_clz(uint64_t v, unsigned xlen) { return v ? (unsigned)__builtin_clzll(v) - (64 - xlen) : xlen; }
static inline uint64_t bit_ctz(uint64_t v, unsigned xlen) { return v ? (unsigned)__builtin_ctzll(v) : xlen; }
static inline uint64_t bit_cpop(uint64_t v)
{
    /* Written out: without -mpopcnt the builtin would be a library call. */
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return v * UINT64_C(0x0101010101010101) >> 56;
}

/* Rotates the low xlen bits left by n (0..xlen-1). */
static inline uint64_t bit_rol(uint64_t v, unsigned n, unsigned xlen)
{
    if (xlen == 32) {
        uint32_t w = (uint32_t)v;
        return w << n | w >> (-n & 31);
    }
    return v << n | v >> (-n & 63);
}

static inline uint64_t bit_orc_b(uint64_t v)
{
    v |= v >> 1 & UINT64_C(0x7f7f7f7f7f7f7f7f);
    v |= v >> 2 & UINT64_C(0x3f3f3f3f3f3f3f3f);
    v |= v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (v & UINT64_C(0x0101010101010101)) * 255;
}

static inline uint64_t bit_brev8(uint64_t v)
{
    v = (v & UINT64_C(0x5555555555555555)) << 1 | (v >> 1 & UINT64_C(0x5555555555555555));
    v = (v & UINT64_C(0x3333333333333333)) << 2 | (v >> 2 & UINT64_C(0x3333333333333333));
    return (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4 | (v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f));
}

/* The low halves of a and b side by side. */
static inline uint64_t bit_pack(uint64_t a, uint64_t b, unsigned xlen)
{
    unsigned half = xlen / 2;
    uint64_t m = (UINT64_C(1) << half) - 1;
    return (a & m) | (b & m) << half;
}

static inline uint64_t bit_zip32(uint32_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 16; i++)
        r |= (uint64_t)(v >> i & 1) << (2 * i) | (uint64_t)(v >> (i + 16) & 1) << (2 * i + 1);
    return r;
}

static inline uint64_t bit_unzip32(uint32_t v)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 16; i++)
        r |= (uint64_t)(v >> (2 * i) & 1) << i | (uint64_t)(v >> (2 * i + 1) & 1) << (i + 16);
    return r;
}

/* Carry-less product, 128 bits. */
static inline unsigned __int128 bit_clmul(uint64_t a, uint64_t b)
{
    unsigned __int128 r = 0;
    for (unsigned i = 0; i < 64; i++) {
        if (b >> i & 1)
            r ^= (unsigned __int128)a << i;
    }
    return r;
}

/* Looks up each `width`-bit (4 or 8) index of idx in the elements of v; out of range gives 0. */
static inline uint64_t bit_xperm(uint64_t v, uint64_t idx, unsigned width, unsigned xlen)
{
    uint64_t r = 0, m = (UINT64_C(1) << width) - 1;
    for (unsigned i = 0; i < xlen; i += width) {
        uint64_t pos = (idx >> i & m) * width;
        if (pos < xlen)
            r |= (v >> pos & m) << i;
    }
    return r;
}
#endif
