#include "debug/insncode.h"
#include "base/bits.h"
#include "debug/tracefile.h"

#include <stdlib.h>
#include <string.h>

enum { JUMP = 1, NEW = 2, TRAPPED = 4, STORED = 8, HART_SHIFT = 4 };
#define RECORD_MAX 64 /* bytes of one at most */

/* Room for n bytes more. */
static uint8_t *reserve(struct buf *b, size_t n)
{
    if (b->cap - b->len < n) {
        b->cap = b->len + n;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            abort(); /* out of host memory: nothing sensible can go on */
    }
    return b->data + b->len;
}

static inline uint8_t *var(uint8_t *p, uint64_t v)
{
    while (v > 127) {
        *p++ = (uint8_t)(v | 128);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline uint8_t *svar(uint8_t *p, uint64_t v) { return var(p, v << 1 ^ -(v >> 63)); }

static size_t index_of(uint64_t pc) { return (pc >> 1 ^ pc >> 14) % INSNCODE_KNOWN; }

/* Both architectures: 2 bytes if the low bits say so and nothing is above. */
static uint64_t length(uint32_t insn) { return (insn & 3) != 3 && !(insn >> 16) ? 2 : 4; }

/* How many bytes v needs, and these. */
static inline uint8_t *put_short(uint8_t *p, uint64_t v)
{
    unsigned n = v ? (unsigned)(71 - __builtin_clzll(v)) / 8 : 0;
    *p++ = (uint8_t)n;
    memcpy(p, &v, 8); /* all of them; what comes next overwrites the rest */
    return p + n;
}

static uint8_t *put_new(struct insncode *x, uint8_t *p, const struct insn_record *r, size_t i)
{
    memcpy(p, &r->insn, 4);
    p[4] = r->reg;
    p[5] = r->store;
    p[6] = r->base;
    p[7] = r->from;
    x->known[i].pc = r->pc + 1;
    x->known[i].insn = r->insn;
    x->known[i].offset = 0;
    return p + 8;
}

static inline uint8_t *put_one(struct insncode *x, uint8_t *p, const struct insn_record *r)
{
    unsigned h = r->hart % ENGINE_CPUS;
    size_t i = index_of(r->pc);
    uint64_t *value = x->value[h];
    bool jump = r->pc != x->next[h];
    bool new = x->known[i].pc != r->pc + 1 || x->known[i].insn != r->insn;
    uint8_t *tag = p++;
    if (jump)
        p = svar(p, r->pc - x->next[h]);
    if (unlikely(new))
        p = put_new(x, p, r, i);
    bool stored = false;
    if (r->store) {
        uint64_t offset = r->address - value[r->base % 64];
        stored = offset != x->known[i].offset || r->data != value[r->from % 64];
        if (stored) {
            p = svar(p, offset);
            p = var(p, r->data);
            x->known[i].offset = offset;
        }
    }
    if (r->reg != INSN_NO_REG) {
        uint64_t d = r->value - value[r->reg % 64];
        p = put_short(p, d << 1 ^ -(d >> 63));
        value[r->reg % 64] = r->value;
    }
    *tag = (uint8_t)((jump ? JUMP : 0) | (new ? NEW : 0) | (r->trapped ? TRAPPED : 0) | (stored ? STORED : 0) | h << HART_SHIFT);
    x->next[h] = r->pc + length(r->insn);
    return p;
}

void put_insns(struct insncode *x, struct buf *b, const struct insn_record *list, size_t n)
{
    uint8_t *p = reserve(b, n * RECORD_MAX);
    for (size_t i = 0; i < n; i++)
        p = put_one(x, p, &list[i]);
    b->len = (size_t)(p - b->data);
}

/* A signed difference in as many bytes as it needs. */
static uint64_t cur_short(struct cursor *c)
{
    uint64_t v = 0;
    unsigned n = cur_u8(c);
    c->bad |= n > 8;
    if (!c->bad)
        cur_get(c, &v, n);
    return v >> 1 ^ -(v & 1);
}

void cur_insn(struct insncode *x, struct cursor *c, struct insn_record *out)
{
    uint8_t tag = cur_u8(c);
    unsigned h = tag >> HART_SHIFT & 7;
    *out = (struct insn_record){.hart = (uint8_t)h, .trapped = (tag & TRAPPED) != 0, .pc = x->next[h]};
    if (tag & JUMP)
        out->pc += (uint64_t)cur_svar(c);
    size_t i = index_of(out->pc);
    if (tag & NEW) {
        x->known[i].insn = cur_u32(c);
        x->known[i].reg = cur_u8(c);
        x->known[i].store = cur_u8(c);
        x->known[i].base = cur_u8(c);
        x->known[i].from = cur_u8(c);
        x->known[i].pc = out->pc + 1;
        x->known[i].offset = 0;
    }
    c->bad |= tag >> 7 || x->known[i].pc != out->pc + 1;
    out->insn = x->known[i].insn;
    out->reg = x->known[i].reg;
    out->store = x->known[i].store;
    out->base = x->known[i].base;
    out->from = x->known[i].from;
    uint64_t *value = x->value[h];
    if (tag & STORED)
        x->known[i].offset = (uint64_t)cur_svar(c);
    if (out->store) {
        out->address = value[out->base % 64] + x->known[i].offset;
        out->data = tag & STORED ? cur_var(c) : value[out->from % 64];
    }
    if (out->reg != INSN_NO_REG)
        out->value = value[out->reg % 64] += cur_short(c);
    x->next[h] = out->pc + length(out->insn);
}
