/* The target description: which registers there are, with their fields. GDB manual, appendix G. */
#include "debug/gdb_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void escape(struct buf *b, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            buf_printf(b, "&lt;");
        else if (*s == '&')
            buf_printf(b, "&amp;");
        else if (*s == '"')
            buf_printf(b, "&quot;");
        else
            buf_put_u8(b, (uint8_t)*s);
    }
}

/* A register that is one number has no fields worth a type. */
static bool has_fields(const struct machine_register *r, const struct target_place *p)
{
    return r->fields && !(r->fields == 1 && r->field[0].width >= p->bits) && (p->bits == 32 || p->bits == 64);
}

static void put_flags(struct buf *b, const struct machine_register *r, const struct target_place *p)
{
    buf_printf(b, "<flags id=\"%s_fields\" size=\"%u\">", p->name, p->bits / 8);
    for (unsigned i = 0; i < r->fields; i++) {
        const struct machine_field *f = &r->field[i];
        unsigned last = f->lo + f->width - 1u;
        if (f->width >= 64 || last >= p->bits)
            continue;
        buf_printf(b, "<field name=\"");
        escape(b, f->name);
        buf_printf(b, "\" start=\"%u\" end=\"%u\"%s/>", f->lo, last, f->width == 1 ? " type=\"bool\"" : "");
    }
    buf_printf(b, "</flags>\n");
}

static void put_register(struct gdb *g, const struct machine_register *r, const struct target_place *p, unsigned n)
{
    struct buf *b = &g->xml;
    bool flags = !p->type && has_fields(r, p);
    if (flags)
        put_flags(b, r, p);
    buf_printf(b, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" ", p->name, p->bits, n);
    if (flags)
        buf_printf(b, "type=\"%s_fields\"", p->name);
    else if (p->type)
        buf_printf(b, "type=\"%s\"", p->type);
    else
        buf_printf(b, "type=\"uint%u\"", p->bits);
    if (r && r->group == MACHINE_SYSTEM)
        buf_printf(b, " group=\"system\"");
    buf_printf(b, "/>\n");
}

static void add(struct gdb *g, int index, unsigned bytes, unsigned width)
{
    struct gdb_register *grown = realloc(g->reg, (g->regs + 1) * sizeof *grown);
    if (!grown)
        abort(); /* out of host memory: nothing sensible can go on */
    g->reg = grown;
    grown[g->regs++] = (struct gdb_register){index, (uint16_t)bytes, (uint16_t)width};
}

static void put_feature(struct gdb *g, const struct target_ops *t, unsigned feature)
{
    struct machine_register r;
    struct target_place p;
    for (unsigned i = 0; machine_register(g->s.d.m, 0, i, &r); i++) {
        t->place(g->s.d.m, &r, &p);
        if (p.feature != feature)
            continue;
        if (!strcmp(r.name, "pc"))
            g->pc = g->regs;
        if (!strcmp(r.name, "sp") || (r.alias && !strcmp(r.alias, "sp")))
            g->sp = g->regs;
        put_register(g, &r, &p, g->regs);
        add(g, (int)i, p.bits / 8, (r.width + 7) / 8);
    }
    for (unsigned i = 0; t->has_extras(g->s.d.m) && t->extras[i].name; i++) {
        const struct target_extra *x = &t->extras[i];
        if (x->feature != feature)
            continue;
        put_register(g, NULL, &(struct target_place){.name = x->name, .type = "uint64", .bits = x->bits}, g->regs);
        add(g, ~(int)i, x->bits / 8, x->bits / 8);
    }
}

void gdb_target_make(struct gdb *g)
{
    const struct target_ops *t = target_ops(g->s.d.m);
    struct buf *b = &g->xml;
    g->pc = g->sp = UINT_MAX;
    buf_printf(b,
               "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
               "<architecture>%s</architecture>\n<osabi>none</osabi>\n", /* else GDB takes Linux's, and steps by guessing */
               t->architecture(g->s.d.m));
    for (unsigned f = 0; t->features[f]; f++) {
        unsigned before = g->regs;
        size_t at = b->len;
        buf_printf(b, "<feature name=\"%s\">\n%s", t->features[f], t->types[f] ? t->types[f] : "");
        put_feature(g, t, f);
        if (g->regs == before)
            b->len = at; /* there are none: neither is the feature */
        else
            buf_printf(b, "</feature>\n");
    }
    buf_printf(b, "</target>\n");
}
