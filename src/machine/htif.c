/*
 * HTIF (devices/htif.c) in the RAM cells that an image calls tohost and fromhost.
 *
 * The cells stay RAM, so their page may hold code and any instruction may reach them. The engine tells of stores to pages that
 * carry MEM_WATCH; a hart's store to a cell is passed to the device, and the cell then shows what the device's register holds.
 */
#include "machine/machine.h"

#include <stddef.h>
#include <string.h>

static struct machine *machine_of(struct engine *e)
{
    return (struct machine *)(void *)((char *)e - offsetof(struct machine, engine));
}

static struct device *htif_of(struct machine *m) { return m->setup->htif_device < 0 ? NULL : &m->device[m->setup->htif_device]; }

void htif_show(struct machine *m)
{
    struct device *d = htif_of(m);
    for (unsigned i = 0; d && i < 2; i++) {
        uint64_t at = m->setup->htif[i], now = 0, cell = 0;
        if (!at || !d->ops->read(d, 8 * i, 8, &now) || !mem_read(m->mem, at, &cell, 8) || cell == now)
            continue;
        mem_write(m->mem, at, &now, 8);
    }
}

/* The bytes [pa, pa+n) of RAM were stored by a hart: what of them is in the cell `i` goes to the device, in aligned pieces. */
static void stored(struct machine *m, struct device *d, unsigned i, uint64_t pa, uint64_t n)
{
    uint64_t at = m->setup->htif[i];
    uint64_t from = pa > at ? pa : at, end = pa + n < at + 8 ? pa + n : at + 8;
    while (from < end) {
        unsigned size = 8;
        uint64_t value = 0;
        while ((from & (size - 1)) || from + size > end)
            size /= 2;
        mem_read(m->mem, from, &value, size);
        d->ops->write(d, 8 * i + (from - at), size, value);
        from += size;
    }
}

static void mark(struct machine *m)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *flags = m->setup->htif[i] ? mem_page_flags(m->mem, m->setup->htif[i]) : NULL;
        if (flags)
            *flags |= MEM_WATCH;
    }
}

static void watch(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n)
{
    struct machine *m = machine_of(e);
    struct device *d = htif_of(m);
    m->watch(e, by, pa, n);
    for (unsigned i = 0; by && i < 2; i++) {
        uint64_t at = m->setup->htif[i];
        if (at && pa < at + 8 && at < pa + n) {
            stored(m, d, i, pa, n);
            htif_show(m);
        }
    }
    mark(m); /* whoever was told before may have thought that nobody looks any more */
}

void htif_wire(struct machine *m)
{
    if (!htif_of(m))
        return;
    m->watch = m->engine.watch;
    m->engine.watch = watch;
    mark(m);
}
