#include "cpu/watch.h"
#include "cpu/breaks.h"

#include <stdlib.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)

static bool same(const struct engine_watchpoint *a, const struct engine_watchpoint *b)
{
    return a->first == b->first && a->last == b->last && a->cpus == b->cpus && a->kinds == b->kinds && a->physical == b->physical;
}

bool engine_watchpoint(struct engine *e, const struct engine_watchpoint *w, bool on)
{
    engine_flush(e);
    if (on) {
        struct engine_watchpoint *grown = realloc(e->watch_at, (e->watchpoints + 1) * sizeof *grown);
        if (!grown)
            abort(); /* out of host memory: nothing sensible can go on */
        e->watch_at = grown;
        grown[e->watchpoints++] = *w;
        return true;
    }
    for (unsigned i = 0; i < e->watchpoints; i++) {
        if (same(&e->watch_at[i], w)) {
            e->watch_at[i] = e->watch_at[--e->watchpoints];
            return true;
        }
    }
    return false;
}

/* A watchpoint that is on every page and stops nobody. */
void engine_accesses(struct engine *e, void (*fn)(void *ctx, struct cpu *c, uint64_t va, uint64_t pa, uint64_t n, unsigned kinds),
                     void *ctx)
{
    const struct engine_watchpoint everywhere = {.first = 0, .last = UINT64_MAX, .cpus = BREAK_ALL};
    if (!fn != !e->accessed)
        engine_watchpoint(e, &everywhere, fn != NULL);
    e->accessed = fn;
    e->accessed_ctx = ctx;
}

void engine_watchpoint_none(struct engine *e)
{
    free(e->watch_at);
    e->watch_at = NULL;
    e->watchpoints = 0;
}

bool cpu_watches_page(const struct cpu *c, uint64_t va, uint64_t pa)
{
    const struct engine *e = c->engine;
    for (unsigned i = 0; i < e->watchpoints; i++) {
        const struct engine_watchpoint *w = &e->watch_at[i];
        uint64_t page = (w->physical ? pa : va) & ~PAGE_OFFSET;
        if ((w->cpus >> c->index & 1) && w->first <= (page | PAGE_OFFSET) && w->last >= page)
            return true;
    }
    return false;
}

bool cpu_watch_here(struct cpu *c, uint64_t va, uint64_t pa, uint64_t n, unsigned kinds, uint64_t pc, uint64_t cycle)
{
    const struct engine *e = c->engine;
    if (e->running != c || c->unwatched || (c->watched.passed && c->watched.pc == pc && c->watched.cycle == cycle))
        return false;
    if (e->accessed)
        e->accessed(e->accessed_ctx, c, va, pa, n, kinds);
    for (unsigned i = 0; i < e->watchpoints; i++) {
        const struct engine_watchpoint *w = &e->watch_at[i];
        uint64_t at = w->physical ? pa : va, last = at + (n - 1);
        if (!(w->cpus >> c->index & 1) || !(w->kinds & kinds) || w->first > last || w->last < at)
            continue;
        uint64_t first = w->first > at ? w->first : at, end = w->last < last ? w->last : last;
        c->watched.va = va + (first - at);
        c->watched.pa = pa + (first - at);
        c->watched.size = end - first + 1;
        c->watched.kinds = (uint8_t)kinds;
        c->watched.physical = w->physical;
        c->watched.pc = pc;
        c->watched.cycle = cycle;
        c->watched.passed = c->watched.now = c->watched.last = true;
        c->stop = CPU_STOP_DEBUG;
        return true;
    }
    return false;
}
