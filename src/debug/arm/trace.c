#include "debug/arm/trace.h"
#include "base/bits.h"
#include "base/text.h"
#include "debug/arm/esr.h"
#include "debug/arm/psci.h"
#include "debug/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const classes[64] = {
#define CLASS(code, name) [code] = name,
#include "debug/arm/exception.def"
};

const char *arm_exception_class(unsigned ec) { return ec < ARRAY_LEN(classes) ? classes[ec] : NULL; }

const char *arm_mode_name(uint8_t el, bool secure)
{
    static const char *const name[2][4] = {{"EL0", "EL1", "EL2", "EL3"}, {"S-EL0", "S-EL1", "S-EL2", "EL3"}};
    return name[secure][el & 3];
}

static const char *mode(struct machine *m, unsigned hart, uint8_t priv, uint8_t v)
{
    (void)m;
    (void)hart;
    return arm_mode_name(priv, v);
}

/* Of an interrupt, the cause counts IRQ, FIQ, SError; else it is the syndrome. */
static const char *cause(const struct machine_change *c, char scratch[32])
{
    static const char *const interrupts[] = {"IRQ", "FIQ", "SError"};
    unsigned ec = (unsigned)(c->cause >> 26 & 63);
    if (c->interrupt && c->cause < ARRAY_LEN(interrupts))
        return interrupts[c->cause];
    if (classes[ec])
        return classes[ec];
    snprintf(scratch, 32, "exception class 0x%x", ec);
    return scratch;
}

static void line(struct machine *m, const struct machine_change *c, char out[TRACE_LINE])
{
    char from[96], to[96], scratch[32];
    symbols_text(m, c->epc, from, sizeof from);
    symbols_text(m, c->pc, to, sizeof to);
    int n = snprintf(out, TRACE_LINE, "%12" PRIu64 " hart %u %-5s %s %s %-5s %s", c->cycle, c->hart, arm_mode_name(c->priv, c->v),
                     from, c->is_return ? "returns to" : "->", arm_mode_name(c->to_priv, c->to_v), to);
    if (c->is_return || n < 0 || n >= TRACE_LINE)
        return;
    size_t at = text_append(out, TRACE_LINE, (size_t)n, ": %s", cause(c, scratch));
    if (!c->interrupt)
        at = text_append(out, TRACE_LINE, at, ", esr 0x%" PRIx64, c->cause);
    if (!c->interrupt && esr_has_far(c->cause))
        text_append(out, TRACE_LINE, at, " far 0x%" PRIx64, c->tval);
}

/* ---- calls -------------------------------------------------------------------------------------------------------------------
 */

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

static void call_line(struct machine *m, unsigned hart, const struct trace_call *k, const uint64_t *result, char line[TRACE_LINE])
{
    char at[96], text[512];
    symbols_text(m, k->pc, at, sizeof at);
    psci_call_text(k->by_smc, k->x, result, text, sizeof text);
    snprintf(line, TRACE_LINE, "%12" PRIu64 " hart %u %-5s %s: %s", k->cycle, hart, arm_mode_name(k->from, k->secure), at, text);
}

static void begin_call(struct trace_call *k, struct machine *m, const struct machine_change *c)
{
    static const char *const x[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"};
    const unsigned ec_smc = 0x17;
    *k = (struct trace_call){.open = true,
                             .by_smc = (c->cause >> 26 & 63) == ec_smc,
                             .secure = c->v,
                             .from = c->priv,
                             .cycle = c->cycle,
                             .pc = c->epc};
    for (unsigned i = 0; i < ARRAY_LEN(x); i++)
        k->x[i] = reg(m, c->hart, x[i]);
}

bool trace_calls_feed(struct trace_calls *t, struct machine *m, const struct machine_change *c, char line[TRACE_LINE],
                      struct trace_call *call, uint64_t *result, bool *returned)
{
    const unsigned ec_hvc = 0x16, ec_smc = 0x17;
    unsigned level = c->is_return ? c->priv : c->to_priv, ec = (unsigned)(c->cause >> 26 & 63);
    if (c->hart >= TRACE_CALL_HARTS)
        return false;
    struct trace_call *k = &t->call[c->hart][c->is_return ? c->to_v : c->v][level & 3];
    if (!c->is_return) {
        if (!c->interrupt && (ec == ec_hvc || ec == ec_smc) && c->priv < c->to_priv)
            begin_call(k, m, c);
        return false;
    }
    if (!k->open || c->to_priv == c->priv)
        return false;
    k->open = false;
    *call = *k;
    *returned = c->pc == k->pc + 4;
    *result = reg(m, c->hart, "x0");
    call_line(m, c->hart, k, *returned ? result : NULL, line);
    if (!*returned) {
        char to[96];
        size_t n = strlen(line);
        symbols_text(m, c->pc, to, sizeof to);
        snprintf(line + n, TRACE_LINE - n, " -> %s %s", arm_mode_name(c->to_priv, c->to_v), to);
    }
    return true;
}

void trace_calls_answered(struct machine *m, const struct machine_answer *a, char line[TRACE_LINE], struct trace_call *call,
                          uint64_t *result)
{
    *call = (struct trace_call){.by_smc = a->by_smc, .from = (uint8_t)reg(m, a->hart, "el"), .cycle = a->cycle, .pc = a->pc};
    memcpy(call->x, a->call, sizeof call->x);
    *result = reg(m, a->hart, "x0");
    call_line(m, a->hart, call, a->returns ? result : NULL, line);
    if (!a->returns) {
        size_t n = strlen(line);
        snprintf(line + n, TRACE_LINE - n, " does not return");
    }
}

/* Arm ARM D1.4.2, AArch64.TakeException. mode ends with the number of the level: "EL2", "S-EL1". */
static const char *const *written(const char *mode)
{
    static const char *const at[4][8] = {
        {"pstate"},
        {"esr_el1", "far_el1", "pfar_el1", "elr_el1", "spsr_el1", "pstate"},
        {"esr_el2", "far_el2", "hpfar_el2", "pfar_el2", "elr_el2", "spsr_el2", "pstate"},
        {"esr_el3", "far_el3", "mfar_el3", "elr_el3", "spsr_el3", "pstate"},
    };
    return at[mode[strlen(mode) - 1] & 3];
}

const struct trace_ops arm_trace = {.mode = mode, .cause = cause, .line = line, .values = {"far", "hpfar"}, .written = written};
