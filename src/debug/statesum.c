#include "debug/statesum.h"
#include "base/hash.h"
#include "machine/machine.h"
#include "machine/pieces.h"

#include <stdlib.h>
#include <string.h>

struct statesum {
    struct machine *m, *last; /* last: as it was when the sum was taken */
    uint64_t ram;
};

static bool is_zero(const uint8_t *page)
{
    uint64_t first;
    memcpy(&first, page, sizeof first);
    return !first && !memcmp(page, page + 8, MEM_PAGE_SIZE - 8);
}

/* What a page adds to the sum. */
static uint64_t part(uint64_t pa, const uint8_t *page)
{
    if (is_zero(page))
        return 0;
    uint64_t v = hash_bytes(page, MEM_PAGE_SIZE) ^ (pa + 1) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 32) * UINT64_C(0xd6e8feb86659fd93); /* an invertible mix: pages at two addresses do not cancel out */
    return v ^ v >> 32;
}

static void add_page(void *ctx, uint64_t pa, const uint8_t *page) { *(uint64_t *)ctx += part(pa, page); }

static bool change_page(void *ctx, uint64_t pa, const uint8_t *before, const uint8_t *now)
{
    *(uint64_t *)ctx += part(pa, now) - part(pa, before);
    return true;
}

static void add_piece(void *ctx, const char *name, void *p, size_t n)
{
    (void)name;
    hash_add(ctx, p, n);
}

struct statesum *statesum_new(struct machine *m)
{
    struct statesum *s = calloc(1, sizeof *s);
    if (!s)
        abort(); /* out of host memory: nothing sensible can go on */
    s->m = m;
    mem_visit(m->mem, add_page, &s->ram);
    s->last = machine_fork(m);
    return s;
}

uint64_t statesum_take(struct statesum *s)
{
    struct hash *h = hash_new();
    mem_pairs(s->last->mem, s->m->mem, change_page, &s->ram);
    machine_restore(s->last, s->m);
    machine_pieces(s->m, add_piece, h);
    hash_add_u64(h, s->ram);
    return hash_end(h);
}

void statesum_free(struct statesum *s)
{
    if (!s)
        return;
    machine_free(s->last);
    free(s);
}
