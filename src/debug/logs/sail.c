/*
 * The trace of sail-riscv (--trace). The lines behind an instruction's are its effects:
 *
 *   [3] [M]: 0x0000000080000010 (0x0182B283) ld t0, 0x18(t0)
 *   mem[R,0x0000000080001018] -> 0x0000000080000000
 *   x5 <- 0x0000000080000000
 *   CSR mstatus (0x300) <- 0x8000000A00006000
 *   trapping from U to M to handle u-call
 *   handling exc#u-call at priv M with tval 0x0000000000000000
 *
 * Older versions number the causes: "exc#0x08".
 */
#include "debug/logs/reader.h"

#include "base/bits.h"

#include <ctype.h>
#include <string.h>

bool log_sail_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    const char *at = begin;
    for (unsigned i = 0; i < 40 && at; i++) {
        struct scan c = {at};
        uint64_t n;
        if (scan_lit(&c, "[") && scan_dec(&c, &n) && scan_lit(&c, "] [") && strchr("MHSUV", *c.p))
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
    } modes[] = {{"M]: ", 3, 0}, {"S]: ", 1, 0}, {"U]: ", 0, 0}, {"HS]: ", 1, 0}, {"VS]: ", 1, 1}, {"VU]: ", 0, 1}};
    uint64_t number, insn;
    unsigned digits, i;
    if (!scan_lit(&c, "[") || !scan_dec(&c, &number) || !scan_lit(&c, "] ["))
        return false;
    for (i = 0; i < ARRAY_LEN(modes) && !scan_lit(&c, modes[i].name); i++)
        ;
    if (i == ARRAY_LEN(modes) || !scan_hex(&c, &s->pc, NULL) || !scan_lit(&c, " (") || !scan_hex(&c, &insn, &digits) ||
        !scan_lit(&c, ")"))
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

/* Causes by name; the index is the number. */
static const char *const exceptions[] = {[0] = "misaligned-fetch",
                                         [1] = "fetch-access-fault",
                                         [2] = "illegal-instruction",
                                         [3] = "software-breakpoint",
                                         [4] = "misaligned-load",
                                         [5] = "load-access-fault",
                                         [6] = "misaligned-store/amo",
                                         [7] = "store/amo-access-fault",
                                         [8] = "u-call",
                                         [9] = "s-call",
                                         [10] = "vs-call",
                                         [11] = "m-call",
                                         [12] = "fetch-page-fault",
                                         [13] = "load-page-fault",
                                         [15] = "store/amo-page-fault",
                                         [18] = "software-check-fault",
                                         [20] = "fetch-guest-page-fault",
                                         [21] = "load-guest-page-fault",
                                         [22] = "virtual-instruction",
                                         [23] = "store/amo-guest-page-fault"};
static const char *const interrupts[] = {
    [1] = "supervisor-software-interrupt",      [2] = "virtual-supervisor-software-interrupt",
    [3] = "machine-software-interrupt",         [5] = "supervisor-timer-interrupt",
    [6] = "virtual-supervisor-timer-interrupt", [7] = "machine-timer-interrupt",
    [9] = "supervisor-external-interrupt",      [10] = "virtual-supervisor-external-interrupt",
    [11] = "machine-external-interrupt",        [12] = "supervisor guest-external-interrupt",
    [13] = "counter-overflow interrupt"};

/* The number of a name that stands at p, before " at priv". */
static bool named(const char *p, const char *const *names, size_t n, uint64_t *cause)
{
    for (size_t i = 0; i < n; i++)
        if (names[i] && !strncmp(p, names[i], strlen(names[i])) && !strncmp(p + strlen(names[i]), " at ", 4)) {
            *cause = i;
            return true;
        }
    *cause = UINT64_MAX;
    return !strncmp(p, "hardware-breakpoint", 19) ? (*cause = 3, true) : strstr(p, " at priv ") != NULL;
}

/* "exc#0x08 at priv M with tval 0x0", "exc#u-call …", "int#machine-timer-interrupt …", c behind "handling ". */
static bool trap(struct scan c, struct log_step *s)
{
    s->interrupt = scan_lit(&c, "int#");
    if (!s->interrupt && !scan_lit(&c, "exc#"))
        return false;
    s->kind = LOG_TRAP;
    bool number = c.p[0] == '0' && c.p[1] == 'x';
    if (number ? !scan_hex(&c, &s->cause, NULL)
               : !named(c.p, s->interrupt ? interrupts : exceptions, s->interrupt ? ARRAY_LEN(interrupts) : ARRAY_LEN(exceptions),
                        &s->cause))
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
    if (isalpha((unsigned char)*r->text) && strstr(r->text, " <- ") && !written(r, c, s)) /* not what it draws of its TLB */
        return log_bad(r, e, "a register and its value are expected");
    return LOG_STEP;
}

/* An interrupt, or an exception of a fetch, belongs to no instruction's line: the one before it retired. */
static bool alone(const char *text, bool begun)
{
    enum { FETCH_ACCESS = 1, FETCH_PAGE = 12, FETCH_GUEST_PAGE = 20 };
    struct log_step t = {.cause = UINT64_MAX};
    if (strncmp(text, "handling ", 9))
        return false;
    return !begun || (trap((struct scan){text + 9}, &t) &&
                      (t.interrupt || t.cause == FETCH_ACCESS || t.cause == FETCH_PAGE || t.cause == FETCH_GUEST_PAGE));
}

enum log_result log_sail_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    bool begun = false;
    while (log_line(r)) {
        struct scan c = {r->text};
        bool apart = alone(r->text, begun);
        if (*r->text == '[' || apart) {
            if (begun) {
                r->again = true;
                return LOG_STEP;
            }
            log_step_begin(r, s);
            if (apart) {
                s->pc = UINT64_MAX; /* the log does not say */
                return trap((struct scan){r->text + 9}, s) ? LOG_STEP : log_bad(r, e, "a cause is expected");
            }
            if (!instruction(c, s))
                return log_bad(r, e, "a mode, an address and an instruction are expected");
            begun = true;
        } else if (begun) {
            if (effect(r, s, e) == LOG_BAD)
                return LOG_BAD;
        } else {
            r->skipped++;
        }
    }
    return begun && !r->failed ? LOG_STEP : log_finish(r, e);
}
