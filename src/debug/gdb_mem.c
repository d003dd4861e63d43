/* m, M, x, X: memory; Z, z: breakpoints and watchpoints. */
#include "debug/gdb_internal.h"

#include <stdlib.h>
#include <string.h>

enum { EFAULT_ = 14, EINVAL_ = 22 };

static bool take_range(const char **p, char end, uint64_t *at, uint64_t *n)
{
    return gdb_take_hex(p, at) && gdb_take(p, ',') && gdb_take_hex(p, n) && gdb_take(p, end);
}

/* The bytes there are from `at` on, n at most. */
static uint64_t read_memory(struct gdb *g, uint64_t at, void *p, uint64_t n)
{
    if (!g->s.d.physical)
        return machine_read_virtual(g->s.d.m, g->general, at, p, n);
    uint64_t done = 0;
    while (done < n && machine_read(g->s.d.m, at + done, (uint8_t *)p + done, 1))
        done++;
    return done;
}

static bool write_memory(struct gdb *g, uint64_t at, const void *p, uint64_t n)
{
    uint8_t *old = malloc(n + 1);
    bool ok = old && read_memory(g, at, old, n) == n;
    if (ok && memcmp(old, p, n) != 0) {
        ok = g->s.d.physical ? machine_write(g->s.d.m, at, p, n) : machine_write_virtual(g->s.d.m, g->general, at, p, n) == n;
        history_changed(g->s.d.history);
    }
    free(old);
    return ok;
}

static bool read_range(struct gdb *g, const char *args, uint8_t *out, uint64_t most, uint64_t *n, uint64_t *asked)
{
    uint64_t at;
    if (!take_range(&args, '\0', &at, asked))
        return false;
    *n = read_memory(g, at, out, *asked < most ? *asked : most);
    return true;
}

void gdb_mem_read(struct gdb *g, const char *args, size_t len)
{
    uint8_t bytes[GDB_PACKET / 2];
    uint64_t n, asked;
    (void)len;
    if (!read_range(g, args, bytes, sizeof bytes, &n, &asked))
        gdb_error(g, EINVAL_);
    else if (!n && asked)
        gdb_error(g, EFAULT_);
    else
        gdb_put_hex(&g->reply, bytes, n);
}

void gdb_mem_read_binary(struct gdb *g, const char *args, size_t len)
{
    uint8_t bytes[GDB_PACKET / 2 - 1]; /* every byte may take two */
    uint64_t n, asked;
    (void)len;
    if (!read_range(g, args, bytes, sizeof bytes, &n, &asked)) {
        gdb_error(g, EINVAL_);
    } else if (!n && asked) {
        gdb_error(g, EFAULT_);
    } else {
        buf_put_u8(&g->reply, 'b');
        buf_put(&g->reply, bytes, n);
    }
}

void gdb_mem_write(struct gdb *g, const char *args, size_t len)
{
    uint8_t bytes[GDB_PACKET / 2];
    uint64_t at, n;
    (void)len;
    if (!take_range(&args, ':', &at, &n) || n > sizeof bytes || !gdb_take_bytes(&args, bytes, n) || *args)
        gdb_error(g, EINVAL_);
    else if (!write_memory(g, at, bytes, n))
        gdb_error(g, EFAULT_);
    else
        buf_printf(&g->reply, "OK");
}

void gdb_mem_write_binary(struct gdb *g, const char *args, size_t len)
{
    const char *p = args;
    uint64_t at, n;
    if (!take_range(&p, ':', &at, &n) || n != len - (size_t)(p - args))
        gdb_error(g, EINVAL_);
    else if (!write_memory(g, at, p, n))
        gdb_error(g, EFAULT_);
    else
        buf_printf(&g->reply, "OK");
}

/* ---- breakpoints and watchpoints ------------------------------------------------------------------------------------------ */

static bool same_watch(const struct machine_watchpoint *a, const struct machine_watchpoint *b)
{
    return a->address == b->address && a->size == b->size && a->on == b->on && a->physical == b->physical;
}

/* Setting one twice is setting it once. */
static bool watch_set(struct gdb *g, const struct machine_watchpoint *w)
{
    for (unsigned i = 0; i < g->watches; i++)
        if (same_watch(&g->watch[i], w))
            return true;
    struct machine_watchpoint *grown = realloc(g->watch, (g->watches + 1) * sizeof *grown);
    if (!grown)
        abort(); /* out of host memory: nothing sensible can go on */
    g->watch = grown;
    if (!machine_watchpoint(g->s.d.m, w, true))
        return false;
    grown[g->watches++] = *w;
    return true;
}

static bool watch_clear(struct gdb *g, const struct machine_watchpoint *w)
{
    for (unsigned i = 0; i < g->watches; i++) {
        if (!same_watch(&g->watch[i], w))
            continue;
        machine_watchpoint(g->s.d.m, &g->watch[i], false);
        g->watch[i] = g->watch[--g->watches];
        return true;
    }
    return false;
}

static void point(struct gdb *g, const char *args, bool on)
{
    static const enum machine_access kinds[] = {MACHINE_WRITE, MACHINE_READ, MACHINE_ACCESS};
    uint64_t type, at, kind;
    bool ok;
    if (!gdb_take_hex(&args, &type) || !gdb_take(&args, ',') || !gdb_take_hex(&args, &at) || !gdb_take(&args, ',') ||
        !gdb_take_hex(&args, &kind) || (*args && *args != ';')) {
        gdb_error(g, EINVAL_);
        return;
    }
    if (type > 4)
        return; /* an empty answer: unknown */
    if (type < 2) {
        ok = debugger_break(&g->s.d, at, (unsigned)type, on) || !on;
    } else {
        const struct machine_watchpoint w = {MACHINE_ALL_HARTS, at, kind, kinds[type - 2], g->s.d.physical};
        ok = on ? watch_set(g, &w) : watch_clear(g, &w);
    }
    if (ok)
        buf_printf(&g->reply, "OK");
    else
        gdb_error(g, EINVAL_);
}

void gdb_point_set(struct gdb *g, const char *args, size_t len)
{
    (void)len;
    point(g, args, true);
}

void gdb_point_clear(struct gdb *g, const char *args, size_t len)
{
    (void)len;
    point(g, args, false);
}

void gdb_points_none(struct gdb *g)
{
    while (g->s.d.nbreaks)
        debugger_break(&g->s.d, g->s.d.breaks[0].va, g->s.d.breaks[0].kind, false);
    while (g->watches)
        machine_watchpoint(g->s.d.m, &g->watch[--g->watches], false);
}
