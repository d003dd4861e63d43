#include "cpu/breaks.h"

#include <stdlib.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)

static struct engine_break *find(struct engine *e, uint64_t va)
{
    for (unsigned i = 0; i < e->breaks; i++)
        if (e->break_at[i].va == va)
            return &e->break_at[i];
    return NULL;
}

static struct engine_break *add(struct engine *e, uint64_t va)
{
    struct engine_break *grown = realloc(e->break_at, (e->breaks + 1) * sizeof *grown);
    if (!grown)
        abort(); /* out of host memory: nothing sensible can go on */
    e->break_at = grown;
    grown[e->breaks] = (struct engine_break){.va = va};
    return &grown[e->breaks++];
}

void engine_break(struct engine *e, uint32_t cpus, uint64_t va, bool on)
{
    struct engine_break *b = find(e, va);
    if (!b && !on)
        return;
    if (!b)
        b = add(e, va);
    b->cpus = on ? b->cpus | cpus : b->cpus & ~cpus;
    if (!b->cpus)
        *b = e->break_at[--e->breaks];
    engine_redecode(e, (unsigned)(va & PAGE_OFFSET));
}

bool engine_break_has(struct engine *e, uint32_t cpus, uint64_t va)
{
    const struct engine_break *b = find(e, va);
    return b && (b->cpus & cpus) == cpus;
}

void engine_break_none(struct engine *e)
{
    while (e->breaks) {
        e->breaks--;
        engine_redecode(e, (unsigned)(e->break_at[e->breaks].va & PAGE_OFFSET));
    }
    free(e->break_at);
    e->break_at = NULL;
}

bool engine_break_offset(const struct engine *e, unsigned offset)
{
    for (unsigned i = 0; i < e->breaks; i++)
        if ((e->break_at[i].va & PAGE_OFFSET) == offset)
            return true;
    return false;
}

bool cpu_break_here(struct cpu *c, uint64_t pc, uint64_t cycle)
{
    struct engine_break *b = find(c->engine, pc);
    if (!b || !(b->cpus >> c->index & 1) || (c->passed.valid && c->passed.pc == pc && c->passed.cycle == cycle))
        return false;
    c->passed.valid = true;
    c->passed.pc = pc;
    c->passed.cycle = cycle;
    c->watched.last = false;
    c->stop = CPU_STOP_DEBUG;
    return true;
}
