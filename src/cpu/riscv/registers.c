/*
 * The registers of a hart by number, with what their rows say: x0 to x31, pc, f0 to f31, priv, v, then every CSR of the
 * configuration in ascending order of the encoding.
 */
#include "cpu/riscv/arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PC = 32, FIRST_F };

static unsigned first_mode(const struct rv_kind *k) { return FIRST_F + (rv_has(&k->cfg, EXT_F) ? 32 : 0); }
static unsigned first_csr(const struct rv_kind *k) { return first_mode(k) + (rv_has(&k->cfg, EXT_H) ? 2 : 1); }

void rv_registers_find(struct rv_kind *k)
{
    for (unsigned num = 0; num < 4096; num++)
        k->csrs += csr_exists(k->map, num);
    k->csr = calloc(k->csrs + 1, sizeof *k->csr);
    if (!k->csr)
        abort(); /* out of host memory: nothing sensible can go on */
    unsigned n = 0;
    for (unsigned num = 0; num < 4096; num++)
        if (csr_exists(k->map, num))
            k->csr[n++] = (uint16_t)num;
}

static int by_lo(const void *a, const void *b)
{
    const struct cpu_field *x = a, *y = b;
    return x->lo != y->lo ? x->lo - y->lo : x->width - y->width;
}

static void describe_csr(const struct rv_kind *k, unsigned num, struct cpu_register *r)
{
    const struct csr_row *row = csr_row_by_num(num);
    csr_name(num, r->name, sizeof r->name);
    r->title = row->title;
    r->number = num;
    r->group = CPU_SYSTEM;
    for (unsigned i = 0; i < row->nfields && r->fields < CPU_FIELDS; i++) {
        const struct csr_field *f = &row->fields[i];
        unsigned msb, lsb;
        if (csr_field_exists(&k->cfg, f) && csr_field_bits(row, f, k->cfg.xlen, &msb, &lsb))
            r->field[r->fields++] = (struct cpu_field){f->name, f->meaning, (uint8_t)lsb, (uint8_t)(msb - lsb + 1)};
    }
    qsort(r->field, r->fields, sizeof r->field[0], by_lo);
}

bool rv_register_at(const struct cpu_kind *kind, unsigned i, struct cpu_register *r)
{
    const struct rv_kind *k = (const struct rv_kind *)kind;
    unsigned modes = first_mode(k), csrs = first_csr(k);
    r->alias = r->title = NULL;
    r->width = k->cfg.xlen;
    r->number = r->fields = 0;
    if (i < FIRST_PC) {
        snprintf(r->name, sizeof r->name, "x%u", i);
        r->alias = rv_abi_x[i];
        r->group = CPU_GENERAL;
    } else if (i == FIRST_PC) {
        snprintf(r->name, sizeof r->name, "pc");
        r->group = CPU_GENERAL;
    } else if (i < modes) {
        snprintf(r->name, sizeof r->name, "f%u", i - FIRST_F);
        r->alias = rv_abi_f[i - FIRST_F];
        r->width = rv_has(&k->cfg, EXT_D) ? 64 : 32;
        r->group = CPU_FLOAT;
    } else if (i < csrs) {
        bool v = i > modes;
        snprintf(r->name, sizeof r->name, v ? "v" : "priv");
        r->title = v ? "virtualization mode" : "nominal privilege: 0 U, 1 S, 3 M";
        r->width = 8;
        r->group = CPU_MODE;
    } else if (i - csrs < k->csrs) {
        describe_csr(k, k->csr[i - csrs], r);
    } else {
        return false;
    }
    return true;
}

int rv_register_named(const struct cpu_kind *kind, const char *name)
{
    const struct rv_kind *k = (const struct rv_kind *)kind;
    unsigned modes = first_mode(k);
    int n = rv_find_x(name);
    if (n >= 0)
        return n;
    if (!strcmp(name, "pc"))
        return FIRST_PC;
    if (rv_has(&k->cfg, EXT_F) && (n = rv_find_f(name)) >= 0)
        return FIRST_F + n;
    if (!strcmp(name, "priv"))
        return (int)modes;
    if (!strcmp(name, "v"))
        return rv_has(&k->cfg, EXT_H) ? (int)modes + 1 : -1;
    int num = csr_num_by_name(name);
    for (unsigned i = 0; num >= 0 && i < k->csrs; i++)
        if (k->csr[i] == num)
            return (int)(first_csr(k) + i);
    return -1;
}

bool rv_get_register(struct cpu *c, const struct cpu_kind *k, unsigned i, void *p)
{
    struct cpu_register r;
    uint64_t v;
    if (!rv_register_at(k, i, &r) || !hart_get_reg(c, r.name, &v))
        return false;
    for (unsigned at = 0; at < r.width / 8; at++)
        ((uint8_t *)p)[at] = (uint8_t)(v >> 8 * at);
    return true;
}

bool rv_set_register(struct cpu *c, const struct cpu_kind *k, unsigned i, const void *p)
{
    struct cpu_register r;
    uint64_t v = 0;
    if (!rv_register_at(k, i, &r))
        return false;
    for (unsigned at = 0; at < r.width / 8; at++)
        v |= (uint64_t)((const uint8_t *)p)[at] << 8 * at;
    if (r.group == CPU_FLOAT && r.width == 32) /* NaN-boxed */
        v |= UINT64_C(0xffffffff) << 32;
    return hart_set_reg(c, r.name, v);
}
