/* Stopping exactly: breakpoints, watchpoints, steps, and a hart's cycle; memory as a debugger sees it. */
#include "cpu/breaks.h"
#include "cpu/watch.h"
#include "machine/machine.h"

bool machine_breakpoint(struct machine *m, unsigned hart, uint64_t va, bool on)
{
    if (hart != MACHINE_ALL_HARTS && hart >= m->setup->harts)
        return false;
    if (m->setup->kind->bits == 32)
        va = (uint32_t)va;
    engine_break(&m->engine, hart == MACHINE_ALL_HARTS ? BREAK_ALL : UINT32_C(1) << hart, va, on);
    return true;
}

bool machine_watchpoint(struct machine *m, const struct machine_watchpoint *w, bool on)
{
    bool all = w->hart == MACHINE_ALL_HARTS;
    if ((!all && w->hart >= m->setup->harts) || !w->size || !(w->on & MACHINE_ACCESS))
        return false;
    uint64_t first = w->address, most = UINT64_MAX;
    if (m->setup->kind->bits == 32 && !w->physical) {
        first = (uint32_t)first;
        most = UINT32_MAX;
    }
    struct engine_watchpoint e = {
        .first = first,
        .last = w->size - 1 > most - first ? most : first + (w->size - 1),
        .cpus = all ? BREAK_ALL : UINT32_C(1) << w->hart,
        .kinds = (uint8_t)((w->on & MACHINE_READ ? WATCH_READ : 0) | (w->on & MACHINE_WRITE ? WATCH_WRITE : 0)),
        .physical = w->physical};
    return engine_watchpoint(&m->engine, &e, on);
}

bool machine_watch_hit(struct machine *m, struct machine_access_hit *h)
{
    if (m->broke < 0 || !machine_hart(m, (unsigned)m->broke)->watched.last)
        return false;
    const struct cpu *c = machine_hart(m, (unsigned)m->broke);
    *h = (struct machine_access_hit){.hart = c->index,
                                     .access = (c->watched.kinds & WATCH_READ ? MACHINE_READ : 0) |
                                               (c->watched.kinds & WATCH_WRITE ? MACHINE_WRITE : 0),
                                     .physical = c->watched.physical,
                                     .va = c->watched.va,
                                     .pa = c->watched.pa,
                                     .size = c->watched.size};
    unsigned n = h->size < 8 ? (unsigned)h->size : 8;
    if (machine_read(m, h->pa, &h->old, n))
        h->bytes = n;
    return true;
}

uint64_t machine_watch_value(struct machine *m, const struct machine_access_hit *h)
{
    uint64_t v = h->old;
    if (!(h->access & MACHINE_WRITE) || !h->bytes)
        return v;
    struct machine *f = machine_fork(m);
    machine_set_host(f, &(struct machine_host){0});
    machine_step(f, h->hart);
    machine_read(f, h->pa, &v, h->bytes);
    machine_free(f);
    return v;
}

int machine_stopped_hart(const struct machine *m) { return m->broke; }

static void halt_set(struct machine *m, unsigned hart, struct machine_halt k)
{
    m->halts += (k.kind != HALT_NONE) - (m->halt[hart].kind != HALT_NONE);
    m->halt[hart] = k;
}

bool machine_stop_at(struct machine *m, unsigned hart, uint64_t cycle)
{
    if (hart >= m->setup->harts)
        return false;
    halt_set(m, hart, (struct machine_halt){cycle == UINT64_MAX ? HALT_NONE : HALT_CYCLE, cycle});
    return true;
}

void machine_stop_awake(struct machine *m, unsigned hart) { halt_set(m, hart, (struct machine_halt){.kind = HALT_AWAKE}); }

void machine_mark(struct machine *m, unsigned hart, uint64_t cycle)
{
    const struct machine_halt k = {cycle == UINT64_MAX ? HALT_NONE : HALT_CYCLE, cycle};
    m->halts += (k.kind != HALT_NONE) - (m->mark.kind != HALT_NONE);
    m->mark = k;
    m->mark_hart = hart;
}

uint64_t machine_hart_cycle(const struct machine *m, unsigned hart) { return machine_progress(m, hart)->cycle; }

bool machine_waits(struct machine *m, unsigned hart) { return machine_progress(m, hart)->waiting && machine_sleeps(m, hart); }

enum machine_stop machine_step(struct machine *m, unsigned hart)
{
    if (machine_sleeps(m, hart))
        halt_set(m, hart, (struct machine_halt){.kind = HALT_AWAKE});
    else
        halt_set(m, hart, (struct machine_halt){HALT_CYCLE, machine_progress(m, hart)->cycle + 1});
    enum machine_stop why = machine_run(m, UINT64_MAX);
    halt_set(m, hart, (struct machine_halt){HALT_NONE, 0});
    return why;
}

/* ---- memory
 * --------------------------------------------------------------------------------------------------------------------- */

bool machine_translate(struct machine *m, unsigned hart, uint64_t va, uint64_t *pa)
{
    if (m->setup->kind->bits == 32)
        va = (uint32_t)va;
    return hart < m->setup->harts && m->arch->translate(machine_hart(m, hart), va, pa);
}

/* The bytes from va on that lie in its page, n at most. */
static uint64_t in_page(uint64_t va, uint64_t n)
{
    uint64_t here = MEM_PAGE_SIZE - (va & (MEM_PAGE_SIZE - 1));
    return here < n ? here : n;
}

uint64_t machine_read_virtual(struct machine *m, unsigned hart, uint64_t va, void *p, uint64_t n)
{
    uint64_t done = 0, pa;
    while (done < n) {
        uint64_t here = in_page(va + done, n - done);
        if (!machine_translate(m, hart, va + done, &pa) || !machine_read(m, pa, (uint8_t *)p + done, here))
            break;
        done += here;
    }
    return done;
}

uint64_t machine_write_virtual(struct machine *m, unsigned hart, uint64_t va, const void *p, uint64_t n)
{
    uint64_t done = 0, pa;
    while (done < n) {
        uint64_t here = in_page(va + done, n - done);
        if (!machine_translate(m, hart, va + done, &pa) || !machine_write(m, pa, (const uint8_t *)p + done, here))
            break;
        done += here;
    }
    return done;
}
