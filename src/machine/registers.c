/* The registers of a hart by number, with what the tables say of them. */
#include "machine/machine.h"

#include <string.h>

_Static_assert(MACHINE_FIELDS == CPU_FIELDS && MACHINE_REGISTER_BYTES == CPU_REGISTER_BYTES, "one row, two views of it");

const char *machine_mode(const struct machine *m, unsigned hart)
{
    return hart < m->setup->harts ? m->arch->mode(machine_hart(m, hart)) : "";
}

bool machine_register(const struct machine *m, unsigned hart, unsigned i, struct machine_register *r)
{
    static const enum machine_register_group group[] = {[CPU_GENERAL] = MACHINE_GENERAL,
                                                        [CPU_FLOAT] = MACHINE_FLOAT,
                                                        [CPU_VECTOR] = MACHINE_VECTOR,
                                                        [CPU_SYSTEM] = MACHINE_SYSTEM,
                                                        [CPU_MODE] = MACHINE_MODE};
    struct cpu_register c;
    if (hart >= m->setup->harts || !m->arch->register_at(m->setup->kind, i, &c))
        return false;
    memcpy(r->name, c.name, sizeof r->name);
    r->alias = c.alias;
    r->title = c.title;
    r->width = c.width;
    r->number = c.number;
    r->group = group[c.group];
    r->fields = c.fields;
    for (unsigned f = 0; f < c.fields; f++)
        r->field[f] = (struct machine_field){c.field[f].name, c.field[f].meaning, c.field[f].lo, c.field[f].width};
    return true;
}

int machine_register_named(const struct machine *m, const char *name) { return m->arch->register_named(m->setup->kind, name); }

bool machine_get_wide(struct machine *m, unsigned hart, unsigned i, void *p)
{
    return hart < m->setup->harts && m->arch->get_register(machine_hart(m, hart), m->setup->kind, i, p);
}

bool machine_set_wide(struct machine *m, unsigned hart, unsigned i, const void *p)
{
    return hart < m->setup->harts && m->arch->set_register(machine_hart(m, hart), m->setup->kind, i, p);
}
