#include "base/hash.h"

#include <stdlib.h>
#include <xxhash.h>

struct hash {
    XXH3_state_t *x;
};

struct hash *hash_new(void)
{
    struct hash *h = malloc(sizeof *h);
    if (!h || !(h->x = XXH3_createState()))
        abort(); /* out of host memory: nothing sensible can go on */
    XXH3_64bits_reset(h->x);
    return h;
}

void hash_add(struct hash *h, const void *p, size_t n) { XXH3_64bits_update(h->x, p, n); }

void hash_add_u64(struct hash *h, uint64_t v)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    XXH3_64bits_update(h->x, b, sizeof b);
}

uint64_t hash_end(struct hash *h)
{
    uint64_t d = XXH3_64bits_digest(h->x);
    XXH3_freeState(h->x);
    free(h);
    return d;
}

uint64_t hash_bytes(const void *p, size_t n) { return XXH3_64bits(p, n); }
