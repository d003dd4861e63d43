/* The only source of randomness: a seeded 64-bit generator (SplitMix64). State is the seed itself, so it is saved as one word. */
#ifndef TL_BASE_RNG_H
#define TL_BASE_RNG_H
#include <stdint.h>

static inline uint64_t rng_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A value in 0..n-1 (n > 0). */
static inline uint64_t rng_below(uint64_t *state, uint64_t n) { return rng_next(state) % n; }
#endif
