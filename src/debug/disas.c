#include "debug/disas.h"
#include "debug/symbols.h"
#include "machine/machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct disas {
    const struct disas_ops *ops;
    void *kept;
};

struct disas *disas_new(struct machine *m)
{
    static const struct disas_ops *const all[] = {&riscv_disas, &arm_disas};
    struct disas *d = calloc(1, sizeof *d);
    assert(d);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->arch == m->arch)
            d->ops = all[i];
    assert(d->ops);
    d->kept = d->ops->make ? d->ops->make() : NULL;
    return d;
}

void disas_free(struct disas *d)
{
    if (!d)
        return;
    if (d->ops->drop)
        d->ops->drop(d->kept);
    free(d);
}

/* " <switch_in+0x10>" behind the text of a branch. */
static void put_target(struct machine *m, uint64_t target, char *out, size_t cap)
{
    char name[100];
    size_t n = strlen(out);
    symbols_text(m, target, name, sizeof name);
    if (strncmp(name, "0x", 2))
        snprintf(out + n, cap - n, " <%s>", name);
}

unsigned disas_bytes(struct disas *d, struct machine *m, unsigned hart, uint64_t pc, const uint8_t *p, size_t n, char *out,
                     size_t cap)
{
    unsigned length = n >= 2 ? d->ops->length(p) : 4;
    uint64_t target = UINT64_MAX;
    uint32_t bits = 0;
    if (n < length) {
        snprintf(out, cap, "(cannot be read)");
        return 0;
    }
    for (unsigned i = 0; i < length; i++)
        bits |= (uint32_t)p[i] << 8 * i;
    d->ops->text(d->kept, machine_hart(m, hart), pc, bits, out, cap, &target);
    if (target != UINT64_MAX)
        put_target(m, target, out, cap);
    return length;
}

unsigned disas_at(struct disas *d, struct machine *m, unsigned hart, uint64_t pc, uint32_t *bits, char *out, size_t cap)
{
    uint8_t p[4] = {0};
    size_t n = machine_read_virtual(m, hart, pc, p, sizeof p); /* the second half may lie on a page that is not there */
    if (bits)
        *bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
                (n >= 2 && d->ops->length(p) == 4 ? (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0);
    return disas_bytes(d, m, hart, pc, p, n, out, cap);
}
