#include "debug/export/timeline.h"
#include "debug/arm/psci.h"
#include "debug/riscv/sbi.h"
#include "debug/riscv/view.h"
#include "debug/symbols.h"
#include "debug/target.h"
#include "debug/trace.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exception codes of environment calls (privileged manual, "mcause"), and classes of HVC and SMC (Arm ARM D24.2.37). */
enum { ECALL_S = 9, ECALL_VS = 10, EC_HVC = 0x16, EC_SMC = 0x17 };

/* A call that is not over. */
struct open_call {
    bool open;
    uint64_t cycle, back; /* when it was made, where the caller goes on */
    struct sbi_call sbi;
    char text[TIMELINE_TEXT]; /* A64: without the result */
};

struct timeline {
    const struct timeline_form *form;
    struct timeline_info info;
    void *ctx;
    struct buf *out;
    bool riscv;
    struct open_call call[TIMELINE_HARTS][TIMELINE_MODES]; /* by the mode that called */
};

struct timeline *timeline_new(const struct timeline_form *f, const struct timeline_info *info, struct buf *out)
{
    struct rv_features features;
    struct timeline *t = calloc(1, sizeof *t);
    if (!t)
        abort(); /* out of host memory: nothing sensible can go on */
    t->form = f;
    t->info = *info;
    t->out = out;
    t->riscv = view_features(&features, info->m, 0);
    t->ctx = f->begin(&t->info, out);
    return t;
}

static bool wanted(const struct timeline *t, uint64_t cycle) { return cycle >= t->info.first && cycle <= t->info.last; }

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

static bool is_call(const struct timeline *t, const struct machine_change *c)
{
    if (c->is_return || c->interrupt || c->nmi)
        return false;
    uint64_t ec = c->cause >> 26 & 63;
    return t->riscv ? c->cause == ECALL_S || c->cause == ECALL_VS : ec == EC_HVC || ec == EC_SMC;
}

static void sbi_begins(struct timeline *t, struct open_call *k, struct machine *m, const struct machine_change *c)
{
    static const char *const name[] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};
    struct rv_features f;
    (void)t;
    view_features(&f, m, c->hart);
    k->back = c->epc + 4;
    k->sbi.xlen = f.xlen;
    for (unsigned i = 0; i < 8; i++)
        k->sbi.a[i] = reg(m, c->hart, name[i]);
    sbi_call_text(&k->sbi, NULL, k->text, sizeof k->text);
}

/* A function identifier of the SMC Calling Convention (DEN0028, "Function identifiers"), or an immediate with arguments. */
static void smccc_begins(struct open_call *k, struct machine *m, const struct machine_change *c)
{
    const char *how = (c->cause >> 26 & 63) == EC_HVC ? "HVC" : "SMC";
    uint64_t x0 = reg(m, c->hart, "x0"), x1 = reg(m, c->hart, "x1"), x2 = reg(m, c->hart, "x2"), x3 = reg(m, c->hart, "x3");
    const struct psci_call *p = psci_call((uint32_t)x0);
    unsigned imm = (unsigned)(c->cause & 0xffff);
    k->back = c->epc + 4;
    if (p && !imm)
        snprintf(k->text, sizeof k->text, "%s %s(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")", how, p->name, x1, x2, x3);
    else
        snprintf(k->text, sizeof k->text, "%s #%u(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")", how, imm, x0, x1,
                 x2, x3);
}

static void call_begins(struct timeline *t, struct open_call *k, struct machine *m, const struct machine_change *c)
{
    k->open = true;
    k->cycle = c->cycle;
    if (t->riscv)
        sbi_begins(t, k, m, c);
    else
        smccc_begins(k, m, c);
}

/* "NOT_SUPPORTED"; NULL: no error's number. */
static const char *psci_error_named(int32_t value)
{
    const char *name;
    int code;
    for (unsigned i = 0; (name = psci_error_at(i, &code)); i++)
        if (code == value && code < 0)
            return name;
    return NULL;
}

/* The caller's mode goes on: the call is over; with a result if it goes on behind the call. */
static void call_ends(const struct timeline *t, struct open_call *k, struct machine *m, const struct machine_change *c, char *out,
                      size_t cap)
{
    k->open = false;
    if (c->pc != k->back) {
        snprintf(out, cap, "%s goes on elsewhere", k->text);
    } else if (t->riscv) {
        sbi_call_text(&k->sbi, &(struct sbi_result){reg(m, c->hart, "a0"), reg(m, c->hart, "a1")}, out, cap);
    } else {
        uint64_t x0 = reg(m, c->hart, "x0");
        const char *name = psci_error_named((int32_t)x0);
        if (name)
            snprintf(out, cap, "%s = %s", k->text, name);
        else
            snprintf(out, cap, "%s = 0x%" PRIx64, k->text, x0);
    }
}

/* ---- items ----------------------------------------------------------------------------------------------------------------- */

void timeline_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct timeline *t = ctx;
    const struct trace_ops *ops = trace_ops(m);
    char epc[96], pc[96], call[TIMELINE_TEXT] = "", scratch[32];
    const unsigned hart = c->hart % TIMELINE_HARTS;
    struct timeline_item i = {.kind = c->is_return   ? TIMELINE_RETURN
                                      : c->interrupt ? TIMELINE_INTERRUPT
                                                     : TIMELINE_EXCEPTION,
                              .hart = hart,
                              .cycle = c->cycle,
                              .from = timeline_mode(c->priv, c->v),
                              .to = timeline_mode(c->to_priv, c->to_v),
                              .from_name = ops->mode(m, c->hart, c->priv, c->v),
                              .to_name = ops->mode(m, c->hart, c->to_priv, c->to_v),
                              .epc = c->epc,
                              .pc = c->pc,
                              .cause = c->cause,
                              .tval = c->tval,
                              .tval2 = c->tval2,
                              .tinst = c->tinst,
                              .epc_text = epc,
                              .pc_text = pc,
                              .cause_text = c->is_return ? ""
                                            : c->nmi     ? "RNMI"
                                                         : ops->cause(c, scratch),
                              .call = call};
    struct open_call *k = &t->call[hart][c->is_return ? i.to : i.from];
    if (is_call(t, c)) {
        i.kind = TIMELINE_CALL;
        call_begins(t, k, m, c);
        snprintf(call, sizeof call, "%s", k->text);
    } else if (c->is_return && k->open) {
        i.call_cycle = k->cycle;
        call_ends(t, k, m, c, call, sizeof call);
    }
    if (c->cycle > t->info.last)
        return;
    i.before = c->cycle < t->info.first;
    symbols_text(m, c->epc, epc, sizeof epc);
    symbols_text(m, c->pc, pc, sizeof pc);
    t->form->item(t->ctx, &i, t->out);
}

static void outside(struct timeline *t, enum timeline_kind kind, const char *words)
{
    uint64_t cycle = machine_cycle(t->info.m);
    struct timeline_item i = {.kind = kind,
                              .cycle = cycle,
                              .from_name = "",
                              .to_name = "",
                              .epc_text = "",
                              .pc_text = "",
                              .cause_text = "",
                              .call = words};
    const char *hart = strstr(words, "hart");
    if (kind == TIMELINE_INJECT && hart && isdigit((unsigned char)hart[4 + (hart[4] == '=')]))
        i.hart = (unsigned)strtoul(hart + 4 + (hart[4] == '='), NULL, 10) % TIMELINE_HARTS;
    if (wanted(t, cycle))
        t->form->item(t->ctx, &i, t->out);
}

void timeline_injected(struct timeline *t, const char *words) { outside(t, TIMELINE_INJECT, words); }

void timeline_typed(struct timeline *t, const char *device, const void *p, size_t n)
{
    char words[160];
    const uint8_t *bytes = p;
    size_t at = (size_t)snprintf(words, sizeof words, "%s \"", device), i = 0;
    for (; i < n && at < sizeof words - 24; i++)
        at += (size_t)snprintf(words + at, sizeof words - at, isprint(bytes[i]) && bytes[i] != '"' ? "%c" : "\\x%02x", bytes[i]);
    snprintf(words + at, sizeof words - at, "\"%s", i < n ? "..." : "");
    outside(t, TIMELINE_INPUT, words);
}

void timeline_end(struct timeline *t)
{
    t->info.end = machine_cycle(t->info.m);
    for (unsigned h = 0; h < t->info.harts; h++) /* one may be further than the machine */
        if (machine_hart_cycle(t->info.m, h) > t->info.end)
            t->info.end = machine_hart_cycle(t->info.m, h);
    if (t->info.end > t->info.last)
        t->info.end = t->info.last;
    t->form->end(t->ctx, &t->info, t->out);
    free(t);
}

void timeline_escape(struct buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == '"' || *p == '\\' || *p == '<' || *p == '>' || *p == '&' || *p == '\'' || *p == 0x7f)
            buf_printf(out, "\\u%04x", *p);
        else
            buf_put_u8(out, *p);
}
