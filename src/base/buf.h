/* A growing byte buffer (writing) and a checked cursor over bytes (reading); integers are little-endian. */
#ifndef TL_BASE_BUF_H
#define TL_BASE_BUF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data;
    size_t len, cap;
};

void buf_free(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_str(struct buf *b, const char *s); /* u32 length, then the bytes */
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* no terminating NUL counted; one is kept behind len */

/* Reading past the end sets bad and yields zeros; check bad once at the end. */
struct cursor {
    const uint8_t *p;
    size_t left;
    bool bad;
};
void cur_get(struct cursor *c, void *p, size_t n);
uint8_t cur_u8(struct cursor *c);
uint32_t cur_u32(struct cursor *c);
uint64_t cur_u64(struct cursor *c);
size_t cur_str(struct cursor *c, char *out, size_t cap); /* NUL-terminated; bad if it does not fit */
#endif
