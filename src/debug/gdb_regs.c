/* g, G, p, P: registers. */
#include "debug/gdb_internal.h"

#include <string.h>

#define BYTES MACHINE_REGISTER_BYTES

static bool get(struct gdb *g, unsigned n, uint8_t out[BYTES])
{
    const struct gdb_register *r = &g->reg[n];
    memset(out, 0, BYTES);
    if (r->index >= 0)
        return machine_get_wide(g->s.d.m, g->general, (unsigned)r->index, out);
    uint64_t v = target_ops(g->s.d.m)->extras[~r->index].value(g->s.d.m, g->general);
    memcpy(out, &v, sizeof v);
    return true;
}

void gdb_regs_put(struct gdb *g, unsigned n, struct buf *out)
{
    uint8_t v[BYTES];
    if (!get(g, n, v))
        for (unsigned i = 0; i < g->reg[n].bytes; i++)
            buf_printf(out, "xx");
    else
        gdb_put_hex(out, v, g->reg[n].bytes);
}

static bool set(struct gdb *g, unsigned n, const uint8_t v[BYTES])
{
    const struct gdb_register *r = &g->reg[n];
    uint8_t old[BYTES];
    if (r->index < 0)
        return false;
    if (get(g, n, old) && !memcmp(old, v, r->width)) /* GDB writes what is there when it restores; that is no change */
        return true;
    if (!machine_set_wide(g->s.d.m, g->general, (unsigned)r->index, v))
        return false;
    history_changed(g->s.d.history);
    return true;
}

/* The registers GDB always wants: general ones and pc. It asks for others by p. */
static unsigned general(const struct gdb *g) { return g->pc + 1; }

void gdb_read_all(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    for (unsigned n = 0; n < general(g); n++)
        gdb_regs_put(g, n, &g->reply);
}

void gdb_write_all(struct gdb *g, const char *args, size_t len)
{
    (void)len;
    for (unsigned n = 0; n < general(g); n++) {
        uint8_t v[BYTES] = {0};
        if (!gdb_take_bytes(&args, v, g->reg[n].bytes) || !set(g, n, v)) {
            gdb_error(g, 22);
            return;
        }
    }
    buf_printf(&g->reply, "OK");
}

void gdb_read_one(struct gdb *g, const char *args, size_t len)
{
    uint64_t n;
    (void)len;
    if (!gdb_take_hex(&args, &n) || *args || n >= g->regs)
        gdb_error(g, 22);
    else
        gdb_regs_put(g, (unsigned)n, &g->reply);
}

void gdb_write_one(struct gdb *g, const char *args, size_t len)
{
    uint64_t n;
    uint8_t v[BYTES] = {0};
    (void)len;
    if (!gdb_take_hex(&args, &n) || n >= g->regs || !gdb_take(&args, '=') || !gdb_take_bytes(&args, v, g->reg[n].bytes) ||
        *args || !set(g, (unsigned)n, v))
        gdb_error(g, 22);
    else
        buf_printf(&g->reply, "OK");
}
