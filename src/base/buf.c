#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void grow(struct buf *b, size_t more)
{
    if (b->cap - b->len > more)
        return;
    size_t cap = b->cap ? b->cap : 256;
    while (cap - b->len <= more)
        cap *= 2;
    b->data = realloc(b->data, cap);
    if (!b->data)
        abort(); /* out of host memory: nothing sensible can go on */
    b->cap = cap;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    grow(b, n);
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
}

static void put_le(struct buf *b, uint64_t v, unsigned bytes)
{
    uint8_t t[8];
    for (unsigned i = 0; i < bytes; i++)
        t[i] = (uint8_t)(v >> (8 * i));
    buf_put(b, t, bytes);
}

void buf_put_u8(struct buf *b, uint8_t v) { put_le(b, v, 1); }
void buf_put_u32(struct buf *b, uint32_t v) { put_le(b, v, 4); }
void buf_put_u64(struct buf *b, uint64_t v) { put_le(b, v, 8); }

void buf_put_str(struct buf *b, const char *s)
{
    size_t n = strlen(s);
    buf_put_u32(b, (uint32_t)n);
    buf_put(b, s, n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0) {
        grow(b, (size_t)n + 1);
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void cur_get(struct cursor *c, void *p, size_t n)
{
    if (c->bad || n > c->left) {
        c->bad = true;
        memset(p, 0, n);
        return;
    }
    if (n)
        memcpy(p, c->p, n);
    c->p += n;
    c->left -= n;
}

static uint64_t get_le(struct cursor *c, unsigned bytes)
{
    uint8_t t[8];
    uint64_t v = 0;
    cur_get(c, t, bytes);
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)t[i] << (8 * i);
    return v;
}

uint8_t cur_u8(struct cursor *c) { return (uint8_t)get_le(c, 1); }
uint32_t cur_u32(struct cursor *c) { return (uint32_t)get_le(c, 4); }
uint64_t cur_u64(struct cursor *c) { return get_le(c, 8); }

size_t cur_str(struct cursor *c, char *out, size_t cap)
{
    size_t n = cur_u32(c);
    if (c->bad || n >= cap || n > c->left) {
        c->bad = true;
        out[0] = 0;
        return 0;
    }
    cur_get(c, out, n);
    out[n] = 0;
    return n;
}
