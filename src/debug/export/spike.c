/* A line an instruction, as Spike writes with --log-commits (riscv-isa-sim, execute.cc, commit_log_print_insn). */
#include "csr/riscv/csr.h"
#include "debug/export/steps.h"

#include <inttypes.h>

static void *begin(struct machine *m, struct buf *out)
{
    (void)m;
    (void)out;
    return NULL;
}

static void put_register(const struct log_reg *g, unsigned digits, struct buf *out)
{
    char name[48];
    if (g->class == LOG_CSR) {
        csr_name(g->number, name, sizeof name);
        buf_printf(out, " c%u_%s 0x%0*" PRIx64, g->number, name, digits, g->value[0]);
    } else {
        buf_printf(out, " %c%-2u 0x%0*" PRIx64, g->class == LOG_F ? 'f' : 'x', g->number, g->class == LOG_F ? 16 : digits,
                   g->value[0]);
    }
}

static unsigned xlen_digits(struct machine *m)
{
    struct machine_register r;
    return machine_register(m, 0, 0, &r) && r.width == 32 ? 8 : 16;
}

/* Traps have no line of their own: what did not retire is missing. */
static void item(void *ctx, struct machine *m, const struct steps_item *i, struct buf *out)
{
    const struct log_step *s = &i->log;
    const unsigned digits = xlen_digits(m);
    (void)ctx;
    if (s->kind == LOG_TRAP)
        return;
    buf_printf(out, "core%4u: %d 0x%0*" PRIx64 " (0x%0*" PRIx32 ")", s->hart, s->priv, (int)digits, s->pc, s->insn_bytes * 2,
               s->insn);
    for (unsigned k = 0; k < s->nregs; k++)
        put_register(&s->reg[k], digits, out);
    for (unsigned k = 0; k < s->nmems; k++)
        if (!s->mem[k].store)
            buf_printf(out, " mem 0x%0*" PRIx64, (int)digits, s->mem[k].address);
    for (unsigned k = 0; k < s->nmems; k++)
        if (s->mem[k].store)
            buf_printf(out, " mem 0x%0*" PRIx64 " 0x%0*" PRIx64, (int)digits, s->mem[k].address, s->mem[k].bytes * 2,
                       s->mem[k].value);
    buf_put_u8(out, '\n');
}

static void end(void *ctx) { (void)ctx; }

const struct steps_form steps_spike = {begin, item, end};
