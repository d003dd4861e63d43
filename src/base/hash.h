/* Digests of state (XXH3, 64 bits): equal input, equal digest, on every machine. */
#ifndef TL_BASE_HASH_H
#define TL_BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

struct hash; /* a running digest */

struct hash *hash_new(void);
void hash_add(struct hash *h, const void *p, size_t n);
void hash_add_u64(struct hash *h, uint64_t v); /* as 8 little-endian bytes */
uint64_t hash_end(struct hash *h);             /* the digest; frees h */
uint64_t hash_bytes(const void *p, size_t n);  /* the digest of one buffer */
#endif
