/*
 * The registers of a PE by number, with what their rows say: x0 to x30, sp, pc, pstate, v0 to v31, el, then every system register
 * of the configuration that can be read without doing something, in the order of the rows. _EL12 and _EL02 names are left out:
 * they are other names of registers that are there.
 */
#include "cpu/arm/arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_SP = 31, AT_PC, AT_PSTATE, FIRST_V, AT_EL = FIRST_V + 32, FIRST_SYSTEM };

void arm_registers_find(struct arm_kind *k)
{
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        k->sysregs += sysreg_peekable(k->map, id);
    k->sysreg = calloc(k->sysregs + 1, sizeof *k->sysreg);
    if (!k->sysreg)
        abort(); /* out of host memory: nothing sensible can go on */
    unsigned n = 0;
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        if (sysreg_peekable(k->map, id))
            k->sysreg[n++] = (uint16_t)id;
}

static int by_lo(const void *a, const void *b)
{
    const struct cpu_field *x = a, *y = b;
    return x->lo != y->lo ? x->lo - y->lo : x->width != y->width ? x->width - y->width : strcmp(x->name, y->name);
}

static void fields_of(const struct arm_kind *k, unsigned id, struct cpu_register *r)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    for (unsigned i = 0; i < row->nfields && r->fields < CPU_FIELDS; i++) {
        const struct sysreg_field *f = &row->fields[i];
        if (sysreg_field_exists(&k->cfg, f))
            r->field[r->fields++] = (struct cpu_field){f->name, f->meaning, f->lsb, (uint8_t)(f->msb - f->lsb + 1)};
    }
    qsort(r->field, r->fields, sizeof r->field[0], by_lo);
}

/* As wide as what the PE has of it. */
static unsigned pstate_bytes(const struct arm_kind *k) { return arm_pstate_mask(&k->cfg) >> 32 ? 8 : 4; }

/* The registers that are not rows. */
static void describe_other(const struct arm_kind *k, unsigned i, struct cpu_register *r)
{
    r->group = CPU_GENERAL;
    if (i < AT_SP) {
        snprintf(r->name, sizeof r->name, "x%u", i);
        r->alias = i == 29 ? "fp" : i == 30 ? "lr" : NULL;
    } else if (i == AT_SP || i == AT_PC) {
        snprintf(r->name, sizeof r->name, i == AT_SP ? "sp" : "pc");
    } else if (i == AT_PSTATE) {
        snprintf(r->name, sizeof r->name, "pstate");
        r->alias = "cpsr";
        r->title = "process state, as SPSR_ELx has it";
        r->width = 8 * pstate_bytes(k);
        fields_of(k, SR_spsr_el1, r);
    } else if (i < AT_EL) {
        snprintf(r->name, sizeof r->name, "v%u", i - FIRST_V);
        r->width = 128;
        r->group = CPU_VECTOR;
    } else {
        snprintf(r->name, sizeof r->name, "el");
        r->title = "exception level";
        r->width = 8;
        r->group = CPU_MODE;
    }
}

bool arm_register_at(const struct cpu_kind *kind, unsigned i, struct cpu_register *r)
{
    const struct arm_kind *k = (const struct arm_kind *)kind;
    if (i >= FIRST_SYSTEM + k->sysregs)
        return false;
    r->alias = r->title = NULL;
    r->width = 64;
    r->number = r->fields = 0;
    if (i < FIRST_SYSTEM) {
        describe_other(k, i, r);
        return true;
    }
    unsigned id = k->sysreg[i - FIRST_SYSTEM];
    sysreg_name(id, r->name, sizeof r->name);
    r->title = sysreg_row_of(id)->title;
    r->number = sysreg_key_of(id);
    r->group = CPU_SYSTEM;
    fields_of(k, id, r);
    return true;
}

int arm_register_named(const struct cpu_kind *kind, const char *name)
{
    const struct arm_kind *k = (const struct arm_kind *)kind;
    struct cpu_register r;
    for (unsigned i = 0; i < FIRST_SYSTEM; i++) {
        r.alias = NULL;
        r.fields = 0;
        describe_other(k, i, &r);
        if (!strcmp(name, r.name) || (r.alias && !strcmp(name, r.alias)))
            return (int)i;
    }
    unsigned id = sysreg_by_name(name);
    for (unsigned i = 0; id != SR_NONE && i < k->sysregs; i++)
        if (k->sysreg[i] == id)
            return (int)(FIRST_SYSTEM + i);
    return -1;
}

/* The value of register i; of a vector register, of its 64-bit half `half`. */
static bool get_word(struct cpu *c, const struct arm_kind *k, unsigned i, unsigned half, uint64_t *v)
{
    struct pe *p = (struct pe *)c;
    if (i >= FIRST_SYSTEM) {
        struct sysreg_ctx x = arm_top_view(p);
        return sysreg_peek(&x, k->sysreg[i - FIRST_SYSTEM], v);
    }
    if (i >= FIRST_V && i < AT_EL) {
        *v = p->s.v[i - FIRST_V].d[half];
        return true;
    }
    struct cpu_register r = {.fields = 0};
    describe_other(k, i, &r);
    return arm_get_reg(c, r.name, v);
}

static unsigned bytes_of(const struct arm_kind *k, unsigned i)
{
    return i == AT_PSTATE ? pstate_bytes(k) : i == AT_EL ? 1 : i >= FIRST_V && i < AT_EL ? 16 : 8;
}

bool arm_get_register(struct cpu *c, const struct cpu_kind *kind, unsigned i, void *p)
{
    const struct arm_kind *k = (const struct arm_kind *)kind;
    uint64_t v = 0;
    if (i >= FIRST_SYSTEM + k->sysregs)
        return false;
    for (unsigned at = 0; at < bytes_of(k, i); at++) {
        if (at % 8 == 0 && !get_word(c, k, i, at / 8, &v))
            return false;
        ((uint8_t *)p)[at] = (uint8_t)(v >> 8 * (at % 8));
    }
    return true;
}

bool arm_set_register(struct cpu *c, const struct cpu_kind *kind, unsigned i, const void *p)
{
    const struct arm_kind *k = (const struct arm_kind *)kind;
    struct cpu_register r;
    uint64_t v[2] = {0, 0};
    if (!arm_register_at(kind, i, &r))
        return false;
    for (unsigned at = 0; at < bytes_of(k, i); at++)
        v[at / 8] |= (uint64_t)((const uint8_t *)p)[at] << 8 * (at % 8);
    if (r.group != CPU_VECTOR)
        return arm_set_reg(c, r.name, v[0]);
    struct pe *pe = (struct pe *)c;
    pe->s.v[i - FIRST_V].d[0] = v[0];
    pe->s.v[i - FIRST_V].d[1] = v[1];
    return true;
}
