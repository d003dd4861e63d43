#include "debug/golden.h"
#include "debug/arm/psci.h"
#include "debug/riscv/trace.h"
#include "debug/riscv/view.h"
#include "debug/symbols.h"
#include "debug/trace.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HARTS 8
#define LINE  1024
#define SMC   0x17 /* exception classes of calls (Arm ARM D24.2.37) */
#define HVC   0x16

/* The trap a mode is in: where a return from it is expected to go. */
struct entered {
    bool open;
    uint64_t epc;
    uint8_t priv, v;
};

struct golden {
    struct machine *m;
    bool riscv;
    struct trace_sbi sbi;
    struct entered in[HARTS][4][2]; /* by hart and the mode that handles it */
    struct buf out, console;
    char last[LINE]; /* not yet written, seen `times` times */
    uint64_t times;
};

struct golden *golden_new(struct machine *m)
{
    struct rv_features f;
    struct golden *g = calloc(1, sizeof *g);
    if (!g)
        abort(); /* out of host memory: nothing sensible can go on */
    g->m = m;
    g->riscv = view_features(&f, m, 0);
    return g;
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------- */

static void flush(struct golden *g)
{
    if (g->times > 1)
        buf_printf(&g->out, "%s x%" PRIu64 "\n", g->last, g->times);
    else if (g->times)
        buf_printf(&g->out, "%s\n", g->last);
    g->times = 0;
}

/* Equal lines in a row become one. */
static void put(struct golden *g, const char *line)
{
    if (g->times && !strcmp(g->last, line)) {
        g->times++;
        return;
    }
    flush(g);
    snprintf(g->last, sizeof g->last, "%s", line);
    g->times = 1;
}

static void put_quoted(struct buf *b, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\\' || p[i] == '"')
            buf_printf(b, "\\%c", p[i]);
        else if (isprint(p[i]))
            buf_put_u8(b, p[i]);
        else
            buf_printf(b, p[i] == '\n' ? "\\n" : p[i] == '\r' ? "\\r" : p[i] == '\t' ? "\\t" : "\\x%02x", p[i]);
    }
}

static void console_line(struct golden *g)
{
    struct buf b = {0};
    buf_printf(&b, "> ");
    put_quoted(&b, g->console.data, g->console.len);
    buf_printf(&b, "%s", ""); /* a NUL behind it */
    put(g, (char *)b.data);
    buf_free(&b);
    g->console.len = 0;
}

/* Lines end where the guest ends them; the carriage return before the end is no part of one. */
void golden_console(struct golden *g, const void *p, size_t n)
{
    const char *s = p;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n') {
            while (g->console.len && g->console.data[g->console.len - 1] == '\r')
                g->console.len--;
            console_line(g);
        } else {
            buf_put_u8(&g->console, (uint8_t)s[i]);
            if (g->console.len >= LINE / 5)
                console_line(g);
        }
    }
}

void golden_input(struct golden *g, const char *device, const void *p, size_t n)
{
    struct buf b = {0};
    buf_printf(&b, "< %s \"", device);
    put_quoted(&b, p, n);
    buf_printf(&b, "\"");
    put(g, (char *)b.data);
    buf_free(&b);
}

void golden_inject(struct golden *g, const char *words)
{
    char line[LINE];
    snprintf(line, sizeof line, "! %s", words);
    put(g, line);
}

/* ---- traps ---------------------------------------------------------------------------------------------------------------- */

/* The function, or the address where no symbol is. */
static const char *place(struct machine *m, uint64_t va, char out[96])
{
    symbols_text(m, va, out, 96);
    char *plus = strchr(out, '+');
    if (plus)
        *plus = '\0';
    return out;
}

/* "h0 HS main": the mode and place of one end of a change. */
static void put_end(struct golden *g, struct buf *b, const struct machine_change *c, bool to)
{
    char at[96];
    const char *mode = trace_ops(g->m)->mode(g->m, c->hart, to ? c->to_priv : c->priv, to ? c->to_v : c->v);
    buf_printf(b, "%s %s", mode, place(g->m, to ? c->pc : c->epc, at));
}

static struct entered *entered(struct golden *g, unsigned hart, uint8_t priv, uint8_t v)
{
    return &g->in[hart % HARTS][priv & 3][v & 1];
}

/* A return to the trapped instruction or the next one, in its mode, says nothing. */
static bool expected(struct golden *g, const struct machine_change *c)
{
    struct entered *t = entered(g, c->hart, c->priv, c->v);
    bool was = t->open && t->priv == c->to_priv && t->v == c->to_v && c->pc - t->epc <= 4;
    t->open = false;
    return was;
}

static void put_return(struct golden *g, const struct machine_change *c)
{
    struct buf b = {0};
    if (expected(g, c))
        return;
    buf_printf(&b, "h%u ", c->hart);
    put_end(g, &b, c, false);
    buf_printf(&b, " returns to ");
    put_end(g, &b, c, true);
    put(g, (char *)b.data);
    buf_free(&b);
}

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

/* The registers a handler gets, where they say something. A tval that is the faulting address is a place. */
static void put_values(struct golden *g, struct buf *b, const struct machine_change *c)
{
    char at[96];
    if (g->riscv) {
        if (c->tval)
            buf_printf(b, " tval %s",
                       c->cause == 2 || c->cause == 22 ? (snprintf(at, sizeof at, "0x%" PRIx64, c->tval), at)
                                                       : place(g->m, c->tval, at));
        if (c->tval2 || c->tinst)
            buf_printf(b, " tval2 0x%" PRIx64 " tinst 0x%" PRIx64, c->tval2, c->tinst);
        return;
    }
    if (c->interrupt)
        return;
    buf_printf(b, " iss 0x%" PRIx64, c->cause & 0x1ffffff);
    if (c->tval)
        buf_printf(b, " far %s", place(g->m, c->tval, at));
    unsigned ec = (unsigned)(c->cause >> 26 & 63);
    const struct psci_call *call = ec == SMC || ec == HVC ? psci_call((uint32_t)reg(g->m, c->hart, "x0")) : NULL;
    if (call)
        buf_printf(b, " %s(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")", call->name, reg(g->m, c->hart, "x1"),
                   reg(g->m, c->hart, "x2"), reg(g->m, c->hart, "x3"));
}

static void put_trap_line(struct golden *g, const struct machine_change *c)
{
    struct buf b = {0};
    char scratch[32];
    buf_printf(&b, "h%u ", c->hart);
    put_end(g, &b, c, false);
    buf_printf(&b, " -> ");
    put_end(g, &b, c, true);
    buf_printf(&b, ": %s%s", c->nmi ? "RNMI, " : "", trace_ops(g->m)->cause(c, scratch));
    put_values(g, &b, c);
    put(g, (char *)b.data);
    buf_free(&b);
}

/* A call that did nothing but print a byte: the line it is in is told. */
static bool only_prints(const struct sbi_call *c, const struct sbi_result *r)
{
    const struct sbi_func_row *f = sbi_func_of(c->a[7], c->a[6]);
    return f && !r->a0 && (!strcmp(f->name, "debug_console_write_byte") || !strcmp(f->name, "console_putchar"));
}

/* A call of SBI firmware is told when it is over, with its result, in place of the trap it is. */
static bool sbi(struct golden *g, const struct machine_change *c)
{
    char line[TRACE_LINE], text[512], at[96];
    struct sbi_call call;
    struct sbi_result result;
    bool returned;
    if (!g->riscv)
        return false;
    bool was = g->sbi.hart[c->hart % HARTS].open;
    uint64_t pc = g->sbi.hart[c->hart % HARTS].pc;
    if (!trace_sbi_feed(&g->sbi, g->m, c, line, &call, &result, &returned))
        return !was && g->sbi.hart[c->hart % HARTS].open; /* it begins */
    entered(g, c->hart, c->priv, c->v)->open = false;
    if (returned && only_prints(&call, &result))
        return true;
    sbi_call_text(&call, returned ? &result : NULL, text, sizeof text);
    struct buf b = {0};
    buf_printf(&b, "h%u %s %s: sbi %s", c->hart, trace_ops(g->m)->mode(g->m, c->hart, 1, 0), place(g->m, pc, at), text);
    if (!returned) {
        buf_printf(&b, " goes on in ");
        put_end(g, &b, c, true);
    }
    put(g, (char *)b.data);
    buf_free(&b);
    return true;
}

void golden_trap(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct golden *g = ctx;
    (void)m;
    if (!c->is_return) {
        struct entered *t = entered(g, c->hart, c->to_priv, c->to_v);
        *t = (struct entered){true, c->epc, c->priv, c->v};
    }
    if (sbi(g, c))
        return;
    if (c->is_return)
        put_return(g, c);
    else
        put_trap_line(g, c);
}

/* A text without the addresses of what it is about: "at 0x8001c000 -RWX--AD: V=0". */
static void put_placeless(struct buf *b, const char *text)
{
    for (const char *at; (at = strstr(text, "at 0x")); text = at) {
        buf_put(b, text, (size_t)(at - text));
        at += strlen("at 0x");
        at += strspn(at, "0123456789abcdef");
        at += strspn(at, " ");
    }
    buf_printf(b, "%s", text);
}

/* The facts that decided, or all, without what moves with the code: addresses, and values that hold some. */
static void put_facts(struct buf *b, const struct fact *f, bool all, const char **separator)
{
    for (; f; f = f->next) {
        if (all || f->mark != FACT_PLAIN) {
            buf_printf(b, "%s%s", *separator, f->label);
            if (f->has_value && !f->digits)
                buf_printf(b, " %" PRIu64, f->value);
            if (*f->text && strcmp(f->text, f->label) != 0) {
                buf_printf(b, ": ");
                put_placeless(b, f->text);
            }
            *separator = "; ";
        }
        put_facts(b, f->first, all, separator);
    }
}

void golden_why(void *ctx, const struct explanation *e)
{
    struct golden *g = ctx;
    const struct machine_change *c = &e->change;
    const struct trace_ops *ops = trace_ops(g->m);
    struct buf b = {0};
    char scratch[32];
    const char *separator = ": ";
    buf_printf(&b, "? h%u %s, %s -> ", c->hart, c->is_return ? "return" : ops->cause(c, scratch),
               ops->mode(g->m, c->hart, c->priv, c->v));
    buf_printf(&b, "%s", ops->mode(g->m, c->hart, c->to_priv, c->to_v));
    for (const struct fact *s = e->facts.first; s; s = s->next) /* what the order of priorities and the writes add follows */
        if (strcmp(s->label, "priority") != 0 && strcmp(s->label, "writes") != 0)
            put_facts(&b, s->first, c->is_return && !strcmp(s->label, "route"), &separator);
    if (!e->agrees)
        buf_printf(&b, "%sTHE CPU DID SOMETHING ELSE", separator);
    put(g, (char *)b.data);
    buf_free(&b);
}

void golden_end(struct golden *g, const char *why, int status, struct buf *out)
{
    char line[LINE], text[512], at[96];
    for (unsigned h = 0; h < HARTS; h++) {
        if (!g->sbi.hart[h].open)
            continue;
        sbi_call_text(&g->sbi.hart[h].call, NULL, text, sizeof text);
        snprintf(line, sizeof line, "h%u %s: sbi %s does not return", h, place(g->m, g->sbi.hart[h].pc, at), text);
        put(g, line);
    }
    if (g->console.len)
        console_line(g);
    snprintf(line, sizeof line, "end %s, status %d", why, status);
    put(g, line);
    flush(g);
    buf_put(out, g->out.data, g->out.len);
    buf_free(&g->out);
    buf_free(&g->console);
    free(g);
}
