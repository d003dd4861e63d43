#include "debug/insncode.h"
#include "debug/tracefile.h"

#include <stdlib.h>
#include <string.h>

enum { JUMP = 1, NEW = 2, SAME = 4, TRAPPED = 8, HART_SHIFT = 4 };
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

static inline uint8_t *put_one(struct insncode *x, uint8_t *p, const struct insn_record *r)
{
    unsigned h = r->hart % ENGINE_CPUS;
    size_t i = index_of(r->pc);
    bool jump = r->pc != x->next[h];
    bool new = x->known[i].pc != r->pc + 1 || x->known[i].insn != r->insn;
    uint64_t *value = &x->value[h][r->reg % 64];
    bool same = r->reg == INSN_NO_REG || *value == r->value;
    *p++ = (uint8_t)((jump ? JUMP : 0) | (new ? NEW : 0) | (same ? SAME : 0) | (r->trapped ? TRAPPED : 0) | h << HART_SHIFT);
    if (jump)
        p = svar(p, r->pc - x->next[h]);
    if (new) {
        memcpy(p, &r->insn, 4);
        p[4] = r->reg;
        p[5] = r->store;
        p += 6;
        x->known[i].pc = r->pc + 1;
        x->known[i].insn = r->insn;
        x->known[i].reg = r->reg;
        x->known[i].store = r->store;
    }
    if (!same) {
        p = svar(p, r->value - *value);
        *value = r->value;
    }
    if (r->store) {
        p = svar(p, r->address - x->address[h]);
        p = var(p, r->data);
        x->address[h] = r->address;
    }
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
        x->known[i].pc = out->pc + 1;
    }
    c->bad |= tag >> 7 || x->known[i].pc != out->pc + 1;
    out->insn = x->known[i].insn;
    out->reg = x->known[i].reg;
    out->store = x->known[i].store;
    if (out->reg != INSN_NO_REG) {
        if (!(tag & SAME))
            x->value[h][out->reg % 64] += (uint64_t)cur_svar(c);
        out->value = x->value[h][out->reg % 64];
    }
    if (out->store) {
        out->address = x->address[h] += (uint64_t)cur_svar(c);
        out->data = cur_var(c);
    }
    x->next[h] = out->pc + length(out->insn);
}
