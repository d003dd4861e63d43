/*
 * Tarmac text as Arm's Fast Models write it and Arm's Tarmac Trace Utilities read it. A line each for an instruction (IT), a
 * register (R), an access (MR, MW) and an exception (E), which has the address and the number of the vector's entry from 0x80.
 */
#include "csr/arm/sysreg.h"
#include "debug/disas.h"
#include "debug/export/steps.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void head(struct machine *m, const struct steps_item *i, struct buf *out)
{
    buf_printf(out, "%" PRIu64 " clk ", i->cycle);
    if (machine_harts(m) > 1)
        buf_printf(out, "cpu%u ", i->log.hart);
}

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

/* The registers as they are at the beginning. */
static void *begin(struct machine *m, struct buf *out)
{
    for (unsigned h = 0; h < machine_harts(m); h++) {
        struct steps_item i = {.log = {.hart = h}, .cycle = 0};
        for (unsigned n = 0; n < 31; n++) {
            char name[8];
            snprintf(name, sizeof name, "x%u", n);
            head(m, &i, out);
            buf_printf(out, "R X%u %016" PRIx64 "\n", n, reg(m, h, name));
        }
        head(m, &i, out);
        buf_printf(out, "R SP %016" PRIx64 "\n", reg(m, h, "sp"));
    }
    return disas_new(m);
}

static void put_register(struct machine *m, const struct steps_item *i, const struct log_reg *g, struct buf *out)
{
    char name[48];
    if (g->class == LOG_SYSTEM && g->number == SR_fpsr) {
        head(m, i, out);
        buf_printf(out, "R FPSR %08" PRIx64 "\n", g->value[0]);
        return;
    }
    if (g->class == LOG_V)
        snprintf(name, sizeof name, "Q%u", g->number);
    else
        log_reg_name(g, true, name, sizeof name);
    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    head(m, i, out);
    if (g->class == LOG_V)
        buf_printf(out, "R %s %016" PRIx64 "%016" PRIx64 "\n", name, g->value[1], g->value[0]);
    else
        buf_printf(out, "R %s %0*" PRIx64 "\n", name, !strcmp(name, "FPCR") ? 8 : 16, g->value[0]);
}

/* Values of 8 bytes are written in two halves. */
static void put_access(struct machine *m, const struct steps_item *i, const struct log_mem *a, struct buf *out)
{
    head(m, i, out);
    buf_printf(out, "M%c%u %016" PRIx64 " ", a->store ? 'W' : 'R', a->bytes, a->address);
    if (!a->has_value)
        buf_printf(out, "%.*s\n", a->bytes * 2, "xxxxxxxxxxxxxxxx");
    else if (a->bytes == 8)
        buf_printf(out, "%08" PRIx64 "_%08" PRIx64 "\n", a->value >> 32, a->value & 0xffffffff);
    else
        buf_printf(out, "%0*" PRIx64 "\n", a->bytes * 2, a->value);
}

static void put_status(struct machine *m, const struct steps_item *i, struct buf *out)
{
    if (!i->has_status)
        return;
    head(m, i, out);
    buf_printf(out, "R cpsr %08" PRIx64 "\n", i->status & 0xffffffff);
}

static void put_exception(struct machine *m, const struct steps_item *i, struct buf *out)
{
    static const char *const from[] = {"CURRENT_SP0", "CURRENT_SPx", "LOWER_64", "LOWER_32"}, *const kind[] = {"SYNC", "IRQ",
                                                                                                               "FIQ", "SERROR"};
    unsigned entry = (unsigned)(i->change->pc >> 7 & 15);
    head(m, i, out);
    buf_printf(out, "E %016" PRIx64 " %08x CoreEvent_%s_%s\n", i->log.pc, 0x80 + entry, from[entry >> 2], kind[entry & 3]);
}

static void put_instruction(struct disas *d, struct machine *m, const struct steps_item *i, struct buf *out)
{
    char text[DISAS_TEXT] = "";
    uint8_t bytes[4];
    memcpy(bytes, &i->log.insn, sizeof bytes);
    disas_bytes(d, m, i->log.hart, i->log.pc, bytes, 4, text, sizeof text);
    head(m, i, out);
    buf_printf(out, "IT (%" PRIu64 ") %016" PRIx64 " %08" PRIx32 " O EL%d%s_%c : %s\n", i->index, i->log.pc, i->log.insn,
               i->log.priv, i->log.priv ? "h" : "t", i->log.priv == 3 ? 's' : 'n', text);
}

static void item(void *ctx, struct machine *m, const struct steps_item *i, struct buf *out)
{
    const struct log_step *s = &i->log;
    if (s->insn_bytes)
        put_instruction(ctx, m, i, out);
    if (s->kind == LOG_TRAP) {
        put_exception(m, i, out);
        put_status(m, i, out);
    }
    for (unsigned k = 0; k < s->nmems; k++)
        put_access(m, i, &s->mem[k], out);
    for (unsigned k = 0; k < s->nregs; k++)
        put_register(m, i, &s->reg[k], out);
    if (s->kind != LOG_TRAP)
        put_status(m, i, out);
}

static void end(void *ctx) { disas_free(ctx); }

const struct steps_form steps_tarmac = {begin, item, end};
