/* Bit operations the rows name. */
#ifndef TL_CPU_ARM_INSN_BIT_H
#define TL_CPU_ARM_INSN_BIT_H
#include "base/bits.h"

/* bfi, bfxil: `from` shifted to the left, then to the right, over the bits of `old` that a word of ones shifted so covers. */
static inline uint64_t bit_insert(uint64_t old, uint64_t from, unsigned left, unsigned right)
{
    uint64_t mask = ~UINT64_C(0) << left >> right;
    return (old & ~mask) | (from << left >> right);
}
static inline uint32_t bit_insert_w(uint32_t old, uint32_t from, unsigned left, unsigned right)
{
    uint32_t mask = ~UINT32_C(0) << left >> right;
    return (old & ~mask) | (from << left >> right);
}

/* The 64 bits of high:low from bit lsb (0..63) on. */
static inline uint64_t bit_extract(uint64_t high, uint64_t low, unsigned lsb)
{
    return (uint64_t)(((unsigned __int128)high << 64 | low) >> lsb);
}

static inline uint64_t bit_ror(uint64_t v, unsigned n) { return v >> (n & 63) | v << (-n & 63); }
static inline uint32_t bit_ror_w(uint32_t v, unsigned n) { return v >> (n & 31) | v << (-n & 31); }

static inline uint64_t bit_reverse(uint64_t v)
{
    v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(v);
}

/* The bytes of each 16-bit part exchanged. */
static inline uint64_t bit_rev16(uint64_t v) { return (v >> 8 & 0x00ff00ff00ff00ff) | (v & 0x00ff00ff00ff00ff) << 8; }

/* Leading zeros; width of the type for 0. */
static inline unsigned bit_clz(uint64_t v) { return v ? (unsigned)__builtin_clzll(v) : 64; }
static inline unsigned bit_clz_w(uint32_t v) { return v ? (unsigned)__builtin_clz(v) : 32; }
static inline unsigned bit_ctz(uint64_t v) { return v ? (unsigned)__builtin_ctzll(v) : 64; }
/* Leading bits equal to the sign, not counting the sign. */
static inline unsigned bit_cls(uint64_t v) { return bit_clz((v ^ v << 1) | 1); }
static inline unsigned bit_cls_w(uint32_t v) { return bit_clz_w((v ^ v << 1) | 1); }

static inline uint64_t bit_count(uint64_t v)
{
    v -= v >> 1 & 0x5555555555555555;
    v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return v * 0x0101010101010101 >> 56;
}

/* Division as the architecture has it: by zero gives zero, the quotient that does not fit gives the most negative number.
   Arm ARM "UDIV", "SDIV". */
static inline uint64_t bit_udiv(uint64_t n, uint64_t d) { return d ? n / d : 0; }
static inline uint64_t bit_sdiv(int64_t n, int64_t d) { return d == 0 ? 0 : d == -1 ? -(uint64_t)n : (uint64_t)(n / d); }
static inline uint32_t bit_udiv_w(uint32_t n, uint32_t d) { return d ? n / d : 0; }
static inline uint32_t bit_sdiv_w(int32_t n, int32_t d) { return d == 0 ? 0 : d == -1 ? -(uint32_t)n : (uint32_t)(n / d); }

static inline uint64_t bit_umulh(uint64_t a, uint64_t b) { return (uint64_t)((unsigned __int128)a * b >> 64); }
static inline uint64_t bit_smulh(uint64_t a, uint64_t b) { return (uint64_t)((__int128)(int64_t)a * (int64_t)b >> 64); }

/* CRC32 of `bytes` bytes of v, from the lowest on, by the bit-reversed polynomial. Arm ARM "CRC32B", "CRC32CB". */
static inline uint32_t bit_crc(uint32_t crc, uint64_t v, unsigned bytes, uint32_t polynomial)
{
    for (unsigned i = 0; i < bytes; i++) {
        crc ^= (uint32_t)(v >> (8 * i)) & 0xff;
        for (unsigned k = 0; k < 8; k++)
            crc = crc >> 1 ^ (polynomial & (0u - (crc & 1)));
    }
    return crc;
}
#define CRC32_POLYNOMIAL  0xedb88320u
#define CRC32C_POLYNOMIAL 0x82f63b78u
#endif
