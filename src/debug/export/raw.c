/* Steps as they are in memory, for another process of this program: debug/logs/steps.c reads them. */
#include "cpu/riscv/arch.h"
#include "debug/export/steps.h"
#include "machine/machine.h"

#include <stddef.h>

static void *begin(struct machine *m, struct buf *out)
{
    buf_put(out, LOG_STEPS_MAGIC, LOG_STEPS_MAGIC_LEN);
    buf_put_u8(out, m->arch != &riscv_arch);
    return NULL;
}

static void item(void *ctx, struct machine *m, const struct steps_item *i, struct buf *out)
{
    const struct log_step *s = &i->log;
    (void)ctx;
    (void)m;
    buf_put_u8(out, 'S');
    buf_put(out, s, offsetof(struct log_step, reg));
    buf_put(out, s->reg, s->nregs * sizeof *s->reg);
    buf_put(out, s->mem, s->nmems * sizeof *s->mem);
}

static void end(void *ctx) { (void)ctx; }

const struct steps_form steps_raw = {begin, item, end};
