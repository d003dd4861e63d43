#include "debug/riscv/trace.h"
#include "base/bits.h"
#include "debug/riscv/view.h"
#include "debug/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const causes[] = {
#define CAUSE(code, name, ...) [code] = name,
#include "debug/riscv/cause.def"
};
static const char *const irqs[] = {
#define IRQ(number, name, ...) [number] = name,
#include "debug/riscv/cause.def"
};
enum { M = 3, ECALL_S = 9 };

const char *trace_cause(bool interrupt, uint64_t cause, char scratch[32])
{
    const char *name = interrupt                   ? (cause < ARRAY_LEN(irqs) ? irqs[cause] : NULL)
                       : cause < ARRAY_LEN(causes) ? causes[cause]
                                                   : NULL;
    if (name)
        return name;
    snprintf(scratch, 32, "%s %" PRIu64, interrupt ? "interrupt" : "exception", cause);
    return scratch;
}

const char *trace_mode(uint8_t priv, uint8_t v, bool h)
{
    if (priv == M)
        return "M";
    return priv ? (v ? "VS" : h ? "HS" : "S") : v ? "VU" : "U";
}

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

static void begin_call(struct trace_sbi *t, struct machine *m, const struct machine_change *c, unsigned xlen)
{
    static const char *const name[] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};
    t->hart[c->hart].open = true;
    t->hart[c->hart].cycle = c->cycle;
    t->hart[c->hart].pc = c->epc;
    t->hart[c->hart].call.xlen = xlen;
    for (unsigned i = 0; i < 8; i++)
        t->hart[c->hart].call.a[i] = reg(m, c->hart, name[i]);
}

bool trace_sbi_feed(struct trace_sbi *t, struct machine *m, const struct machine_change *c, char line[TRACE_LINE],
                    struct sbi_call *call, struct sbi_result *result, bool *returned)
{
    struct rv_features f;
    char at[96], text[512], to[96];
    if (c->hart >= TRACE_HARTS)
        return false;
    if (!c->is_return) {
        view_features(&f, m, c->hart);
        if (c->to_priv == M && c->priv == 1 && !c->v && !c->interrupt && c->cause == ECALL_S &&
            reg(m, c->hart, "mcause") == ECALL_S)
            begin_call(t, m, c, f.xlen);
        return false;
    }
    if (c->priv != M || c->to_priv == M || !t->hart[c->hart].open)
        return false;
    view_features(&f, m, c->hart);
    t->hart[c->hart].open = false;
    *call = t->hart[c->hart].call;
    *returned = c->pc == t->hart[c->hart].pc + 4;
    *result = (struct sbi_result){reg(m, c->hart, "a0"), reg(m, c->hart, "a1")};
    symbols_text(m, t->hart[c->hart].pc, at, sizeof at);
    sbi_call_text(call, *returned ? result : NULL, text, sizeof text);
    int n = snprintf(line, TRACE_LINE, "%12" PRIu64 " hart %u %s: %s", t->hart[c->hart].cycle, c->hart, at, text);
    if (!*returned && n > 0 && n < TRACE_LINE) {
        symbols_text(m, c->pc, to, sizeof to);
        snprintf(line + n, TRACE_LINE - (size_t)n, " -> %s %s", trace_mode(c->to_priv, c->to_v, f.h), to);
    }
    return true;
}

void trace_trap(struct machine *m, const struct machine_change *c, char line[TRACE_LINE])
{
    struct rv_features f;
    char from[96], to[96], scratch[32];
    view_features(&f, m, c->hart);
    symbols_text(m, c->epc, from, sizeof from);
    symbols_text(m, c->pc, to, sizeof to);
    int n =
        snprintf(line, TRACE_LINE, "%12" PRIu64 " hart %u %-2s %s %s %-2s %s", c->cycle, c->hart, trace_mode(c->priv, c->v, f.h),
                 from, c->is_return ? "returns to" : "->", trace_mode(c->to_priv, c->to_v, f.h), to);
    if (c->is_return || n < 0 || n >= TRACE_LINE)
        return;
    /* A trap that finds its mode not ready for one comes to M as a double trap; the cause is then that of the first. */
    bool twice = c->to_priv == M && c->priv != M && !c->interrupt && !c->nmi && reg(m, c->hart, "mcause") == 16;
    char *p = line + n;
    size_t left = TRACE_LINE - (size_t)n;
    n = snprintf(p, left, ": %s%s%s tval 0x%" PRIx64,
                 c->nmi  ? "RNMI, "
                 : twice ? "double trap, "
                         : "",
                 trace_cause(c->interrupt, c->cause, scratch), c->gva ? " gva" : "", c->tval);
    if ((c->tval2 || c->tinst) && n > 0 && (size_t)n < left)
        snprintf(p + n, left - (size_t)n, " tval2 0x%" PRIx64 " tinst 0x%" PRIx64, c->tval2, c->tinst);
}

static const char *mode(struct machine *m, unsigned hart, uint8_t priv, uint8_t v)
{
    struct rv_features f;
    view_features(&f, m, hart);
    return trace_mode(priv, v, f.h);
}

static const char *cause(const struct machine_change *c, char scratch[32])
{
    return trace_cause(c->interrupt, c->cause, scratch);
}

/* priv "Machine Cause (mcause) Register" and those beside it; hypervisor "Trap Entry"; smrnmi. */
static const char *const *written(const char *mode)
{
    static const char *const m[] = {"mncause", "mnepc",  "mnstatus", "mcause",   "mepc", "mtval",
                                    "mtval2",  "mtinst", "mstatus",  "mstatush", NULL};
    static const char *const s[] = {"scause", "sepc", "stval", "htval", "htinst", "hstatus", "sstatus", NULL};
    static const char *const vs[] = {"vscause", "vsepc", "vstval", "vsstatus", NULL};
    return *mode == 'M' ? m : *mode == 'V' ? vs : s;
}

const struct trace_ops riscv_trace = {
    .mode = mode, .cause = cause, .line = trace_trap, .values = {"tval", "tval2", "tinst"}, .written = written, .aliases = true};
