/* Bit arithmetic on 64-bit values. */
#ifndef TL_BASE_BITS_H
#define TL_BASE_BITS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x)    __builtin_expect(!!(x), 1)
#define unlikely(x)  __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A mask of `width` ones (0..64) whose lowest bit is `lsb` (0..63). */
static inline uint64_t bits_mask(unsigned lsb, unsigned width)
{
    uint64_t ones = width >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
    return ones << lsb;
}

/* Bits msb..lsb of v, right-aligned (63 >= msb >= lsb). */
static inline uint64_t bits_get(uint64_t v, unsigned msb, unsigned lsb) { return (v >> lsb) & bits_mask(0, msb - lsb + 1); }

/* v with bits msb..lsb replaced by the low bits of f. */
static inline uint64_t bits_set(uint64_t v, unsigned msb, unsigned lsb, uint64_t f)
{
    uint64_t m = bits_mask(lsb, msb - lsb + 1);
    return (v & ~m) | ((f << lsb) & m);
}

/* The low `width` bits (1..64) of v, sign-extended. */
static inline int64_t bits_sext(uint64_t v, unsigned width) { return (int64_t)(v << (64 - width)) >> (64 - width); }

static inline bool bits_is_pow2(uint64_t v) { return v && !(v & (v - 1)); }
#endif
