/*
 * The trace of sail-riscv (--trace). The lines behind an instruction's are its effects:
 *
 *   [3] [M]: 0x0000000080000010 (0x0182B283) ld t0, 0x18(t0)
 *   mem[R,0x0000000080001018] -> 0x0000000080000000
 *   x5 <- 0x0000000080000000
 *   CSR mstatus (0x300) <- 0x8000000A00006000
 *   trapping from U to M to handle u-call
 *   handling exc#0x08 at priv M with tval 0x0000000000000000
 */
#include "debug/logs/reader.h"

#include <string.h>

bool log_sail_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    const char *at = begin;
    for (unsigned i = 0; i < 40 && at; i++) {
        struct scan c = {at};
        uint64_t n;
        if (scan_lit(&c, "[") && scan_dec(&c, &n) && scan_lit(&c, "] [") && strchr("MSUV", *c.p))
            return true;
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return false;
}

/* "[3] [M]: 0x… (0x…) …" */
static bool instruction(struct scan c, struct log_step *s)
{
    static const struct {
        const char *name;
        int priv, v;
    } modes[] = {{"M]: ", 3, 0}, {"S]: ", 1, 0}, {"U]: ", 0, 0}, {"VS]: ", 1, 1}, {"VU]: ", 0, 1}};
    uint64_t number, insn;
    unsigned digits, i;
    if (!scan_lit(&c, "[") || !scan_dec(&c, &number) || !scan_lit(&c, "] ["))
        return false;
    for (i = 0; i < 5 && !scan_lit(&c, modes[i].name); i++)
        ;
    if (i == 5 || !scan_hex(&c, &s->pc, NULL) || !scan_lit(&c, " (") || !scan_hex(&c, &insn, &digits) || !scan_lit(&c, ")"))
        return false;
    s->priv = modes[i].priv;
    s->v = modes[i].v;
    s->insn = (uint32_t)insn;
    s->insn_bytes = digits > 4 ? 4 : 2;
    return true;
}

/* "mem[R,0x80001018] -> 0x80000000"; c behind "mem[". Fetches (X) and walks are left out. */
static bool access(struct scan c, struct log_step *s)
{
    struct log_mem m = {.has_value = true};
    char type[16];
    unsigned digits;
    if (!scan_word(&c, type, sizeof type) || !scan_lit(&c, ",") || !scan_hex(&c, &m.address, NULL) || !scan_lit(&c, "] "))
        return false;
    m.store = scan_lit(&c, "<- ");
    if (!m.store && !scan_lit(&c, "-> "))
        return false;
    struct log_reg g;
    if (!scan_value(&c, &g, &digits))
        return false;
    m.value = g.value[0];
    m.bytes = (uint8_t)(digits / 8);
    if (type[0] == 'R' || type[0] == 'W')
        log_step_mem(s, &m);
    return true;
}

/* "x5 <- 0x…", "CSR mstatus (0x300) <- 0x…", reads with "->", which tell nothing new. False: no such line. */
static bool written(struct log_reader *r, struct scan c, struct log_step *s)
{
    char name[40];
    uint64_t number;
    struct log_reg g = {0};
    scan_lit(&c, "CSR ");
    if (!scan_word(&c, name, sizeof name))
        return false;
    if (scan_lit(&c, " (") && (!scan_hex(&c, &number, NULL) || !scan_lit(&c, ")")))
        return false;
    if (scan_lit(&c, " -> "))
        return true;
    if (!scan_lit(&c, " <- ") || !scan_value(&c, &g, NULL))
        return false;
    log_step_named(r, s, name, &g);
    return true;
}

/* "handling exc#0x08 at priv M with tval 0x0": what was being executed traps. */
static bool trap(struct scan c, struct log_step *s)
{
    s->interrupt = scan_lit(&c, "int#");
    if (!s->interrupt && !scan_lit(&c, "exc#"))
        return false;
    s->kind = LOG_TRAP;
    if (!scan_hex(&c, &s->cause, NULL))
        return false;
    const char *tval = strstr(c.p, "tval 0x");
    struct scan at = {tval ? tval + 5 : ""};
    s->has_tval = tval && scan_hex(&at, &s->tval, NULL);
    return true;
}

/* A line behind that of an instruction. */
static enum log_result effect(struct log_reader *r, struct log_step *s, struct err *e)
{
    struct scan c = {r->text};
    if (scan_lit(&c, "mem["))
        return access(c, s) ? LOG_STEP : log_bad(r, e, "an access is expected");
    if (scan_lit(&c, "handling "))
        return trap(c, s) ? LOG_STEP : log_bad(r, e, "a cause is expected");
    if (strstr(r->text, " <- ") && !written(r, c, s))
        return log_bad(r, e, "a register and its value are expected");
    return LOG_STEP;
}

/* An interrupt, or an exception of a fetch, belongs to no instruction's line. */
static bool alone(const char *text) { return !strncmp(text, "handling ", 9); }

enum log_result log_sail_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    bool begun = false;
    while (log_line(r)) {
        struct scan c = {r->text};
        if (*r->text == '[') {
            if (begun) {
                r->again = true;
                return LOG_STEP;
            }
            log_step_begin(r, s);
            if (!instruction(c, s))
                return log_bad(r, e, "a mode, an address and an instruction are expected");
            begun = true;
        } else if (begun) {
            if (effect(r, s, e) == LOG_BAD)
                return LOG_BAD;
        } else if (alone(r->text)) {
            log_step_begin(r, s);
            s->pc = UINT64_MAX; /* the log does not say */
            return trap((struct scan){r->text + 9}, s) ? LOG_STEP : log_bad(r, e, "a cause is expected");
        } else {
            r->skipped++;
        }
    }
    return begun && !r->failed ? LOG_STEP : log_finish(r, e);
}
