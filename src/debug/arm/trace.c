#include "debug/arm/trace.h"
#include "base/bits.h"
#include "debug/symbols.h"

#include <inttypes.h>
#include <stdio.h>

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
    size_t left = TRACE_LINE - (size_t)n;
    if (c->interrupt)
        snprintf(out + n, left, ": %s", cause(c, scratch));
    else
        snprintf(out + n, left, ": %s, esr 0x%" PRIx64 " far 0x%" PRIx64, cause(c, scratch), c->cause, c->tval);
}

const struct trace_ops arm_trace = {.mode = mode, .cause = cause, .line = line};
