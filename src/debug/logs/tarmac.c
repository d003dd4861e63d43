/*
 * Tarmac text of Arm's Fast Models: a time and its unit, the name of the cpu where there are several, then
 *
 *   100 clk cpu0 IT (135) 00008000 d2a00028 O EL3h_s : MOV      x8,#0x10000     an instruction (IS: its condition failed)
 *   100 clk cpu0 R X8 0000000000010000                                         a register
 *   110 clk cpu0 MR8 00010400:000000010400 01234567_89abcdef                   an access
 *   120 clk cpu0 E 00000480 00000082 CoreEvent_LOWER_64_IRQ                    an exception: address of its vector
 *
 * An instruction's effects follow it.
 */
#include "debug/logs/reader.h"

#include <string.h>

/* Time, unit and cpu; c behind them. */
static bool head(struct scan *c, char *cpu, size_t cap)
{
    uint64_t time;
    *cpu = '\0';
    scan_space(c);
    if (!scan_dec(c, &time))
        return false;
    scan_space(c);
    if (!scan_lit(c, "clk ") && !scan_lit(c, "ps ") && !scan_lit(c, "ns ") && !scan_lit(c, "cs ") && !scan_lit(c, "us "))
        return false;
    scan_space(c);
    static const char *const kinds[] = {"IT ", "IS ", "R ", "MR", "MW", "E ", "ES ", "CADI "};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strncmp(c->p, kinds[i], strlen(kinds[i])))
            return true;
    size_t n = strcspn(c->p, " ");
    if (!n || n >= cap)
        return false;
    memcpy(cpu, c->p, n);
    cpu[n] = '\0';
    c->p += n;
    scan_space(c);
    return true;
}

bool log_tarmac_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    char cpu[64];
    const char *at = begin;
    for (unsigned i = 0; i < 20 && at && *at; i++) {
        struct scan c = {at};
        if (head(&c, cpu, sizeof cpu) && (!strncmp(c.p, "IT (", 4) || !strncmp(c.p, "R ", 2) || !strncmp(c.p, "IS (", 4)))
            return true;
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return false;
}

/* "cpu1", "cluster0.cpu2": the digits at its end. */
static unsigned hart_of(const char *cpu)
{
    size_t n = strlen(cpu);
    while (n && cpu[n - 1] >= '0' && cpu[n - 1] <= '9')
        n--;
    struct scan c = {cpu + n};
    uint64_t v = 0;
    scan_dec(&c, &v);
    return v < 4096 ? (unsigned)v : 0;
}

/* "00008000:000000008000_NS": an address, where it is physically left out. */
static bool address(struct scan *c, uint64_t *va)
{
    if (!scan_hex(c, va, NULL))
        return false;
    if (*c->p == ':' || *c->p == '_')
        c->p += strcspn(c->p, " ");
    return true;
}

/* "(135) 00008000 d2a00028 O EL3h_s : MOV …" */
static bool instruction(struct scan c, struct log_step *s)
{
    uint64_t number, insn;
    unsigned digits;
    if (!scan_lit(&c, "(") || !scan_dec(&c, &number) || !scan_lit(&c, ") ") || !address(&c, &s->pc) || !scan_lit(&c, " ") ||
        !scan_hex(&c, &insn, &digits) || !scan_lit(&c, " ") || !strchr("AOTX", *c.p))
        return false;
    s->insn = (uint32_t)insn;
    s->insn_bytes = digits > 4 ? 4 : 2;
    const char *el = strstr(c.p, "EL");
    if (el && el[2] >= '0' && el[2] <= '3')
        s->priv = el[2] - '0';
    return true;
}

/* "X8 0000000000010000"; names that are none of A64's ("cpsr", "DC CISW") are left out. */
static bool written(struct log_reader *r, struct scan c, struct log_step *s)
{
    char name[40];
    struct log_reg g = {0};
    if (!scan_word(&c, name, sizeof name))
        return false;
    scan_space(&c);
    if (!scan_value(&c, &g, NULL) || (*c.p && *c.p != ' ' && *c.p != ':'))
        return true;
    if (*c.p == ':') /* "01230123:23452345": two halves */
        return true;
    log_step_named(r, s, name, &g);
    return true;
}

/* "8 00010400:000000010400 01234567_89abcdef" */
static bool access(struct scan c, struct log_step *s, bool store)
{
    struct log_mem m = {.store = store};
    struct log_reg g = {0};
    uint64_t size;
    if (!scan_dec(&c, &size) || size > 64)
        return false;
    scan_lit(&c, "X"); /* exclusive */
    if (!scan_lit(&c, " ") || !address(&c, &m.address))
        return false;
    scan_space(&c);
    m.bytes = (uint8_t)size;
    m.has_value = size <= 8 && scan_value(&c, &g, NULL);
    m.value = g.value[0];
    log_step_mem(s, &m);
    return true;
}

/* "00000480 00000082 CoreEvent_LOWER_64_IRQ": an exception is taken. Other events are none of the instructions'. */
static bool exception(struct scan c, struct log_step *s)
{
    uint64_t vector, number;
    if (!scan_hex(&c, &vector, NULL) || !scan_lit(&c, " ") || !scan_hex(&c, &number, NULL) || !scan_lit(&c, " CoreEvent_"))
        return false;
    static const char *const kinds[] = {"_SYNC", "_IRQ", "_FIQ", "_SERROR"};
    for (size_t i = 0; i < 4; i++) {
        const char *at = strstr(c.p, kinds[i]);
        if (!at)
            continue;
        s->kind = LOG_TRAP;
        s->interrupt = i > 0;
        s->pc = vector; /* of the models, where it was taken; others have the vector there */
        return true;
    }
    return false;
}

/* A line that begins a step. LOG_END: it is none. */
static enum log_result begins(struct log_reader *r, struct scan c, const char *cpu, struct log_step *s, struct err *e)
{
    bool it = scan_lit(&c, "IT ") || scan_lit(&c, "IS ");
    log_step_begin(r, s);
    s->hart = hart_of(cpu);
    if (it)
        return instruction(c, s) ? LOG_STEP : log_bad(r, e, "a number, an address and an instruction are expected");
    return scan_lit(&c, "E ") && exception(c, s) ? LOG_STEP : LOG_END;
}

/* The instruction before took the exception that is told of now. */
static bool did_not_retire(const struct log_step *s, const struct log_step *next)
{
    return next->kind == LOG_TRAP && !next->interrupt && s->kind == LOG_RETIRED && s->pc == next->pc && s->hart == next->hart;
}

static enum log_result effect(struct log_reader *r, struct scan c, struct log_step *s, struct err *e)
{
    if (scan_lit(&c, "R "))
        return written(r, c, s) ? LOG_STEP : log_bad(r, e, "a register is expected");
    bool store = scan_lit(&c, "MW");
    if (store || scan_lit(&c, "MR"))
        return access(c, s, store) ? LOG_STEP : log_bad(r, e, "the size and the address of an access are expected");
    return LOG_STEP;
}

enum log_result log_tarmac_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    char cpu[64];
    bool begun = false;
    while (log_line(r)) {
        struct scan c = {r->text};
        if (!head(&c, cpu, sizeof cpu)) {
            r->skipped += *r->text != '\0';
            continue;
        }
        enum log_result got = begins(r, c, cpu, &r->held, e);
        if (got == LOG_STEP && begun && !did_not_retire(s, &r->held)) {
            r->again = true;
            return LOG_STEP;
        }
        if (got == LOG_STEP) {
            *s = r->held;
            begun = true;
        } else if (got != LOG_BAD && begun && hart_of(cpu) == s->hart) {
            got = effect(r, c, s, e);
        }
        if (got == LOG_BAD)
            return LOG_BAD;
        if (begun && s->kind == LOG_TRAP)
            return LOG_STEP;
    }
    return begun && !r->failed ? LOG_STEP : log_finish(r, e);
}
