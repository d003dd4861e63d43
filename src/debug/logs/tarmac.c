/*
 * Tarmac text of Arm's Fast Models: a time and its unit, the name of the cpu where there are several, then
 *
 *   100 clk cpu0 IT (135) 00008000 d2a00028 O EL3h_s : MOV      x8,#0x10000     an instruction (IS: its condition failed)
 *   100 clk cpu0 R X8 0000000000010000                                         a register
 *   110 clk cpu0 MR8 00010400:000000010400 01234567_89abcdef                   an access
 *   120 clk cpu0 E 00000480 00000082 CoreEvent_LOWER_64_IRQ                    an exception: address of its vector
 *
 * An instruction's effects follow it. Other tools of Arm's write accesses as "R08 0000007f99d14af4 4305000042ea0000", and the
 * instruction's address between the brackets: "IT (00000000004d6eb8) 54fffea1 O …". Cycle models and cores in RTL write in the
 * style of debug/logs/tarmac_es.c.
 */
#include "debug/logs/tarmac.h"

#include "base/bits.h"

#include <ctype.h>
#include <string.h>

/* Time, unit and cpu; c behind them. */
static bool head(struct scan *c, char *cpu, size_t cap)
{
    uint64_t time;
    *cpu = '\0';
    scan_space(c);
    if (!scan_dec(c, &time))
        return false;
    static const char *const units[] = {"clk ", "ps ", "ns ", "cs ", "us ", "tic ", "cyc "};
    static const char *const kinds[] = {"IT ", "IS ", "R ", "MR", "MW", "R0", "W0", "E ", "ES ", "CADI "};
    size_t unit = 0;
    for (scan_space(c); unit < ARRAY_LEN(units) && !scan_lit(c, units[unit]); unit++)
        ;
    if (unit == ARRAY_LEN(units))
        return false;
    scan_space(c);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
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
        if (head(&c, cpu, sizeof cpu) &&
            (!strncmp(c.p, "IT (", 4) || !strncmp(c.p, "R ", 2) || !strncmp(c.p, "IS (", 4) || !strncmp(c.p, "ES ", 3)))
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

void tarmac_mode(struct log_reader *r, struct log_step *s, const char *state)
{
    if (!strchr("AOT", *state) || state[1] != ' ')
        return;
    state += strspn(state + 1, " ") + 1;
    if ((state[0] != 'E' && state[0] != 'e') || (state[1] != 'L' && state[1] != 'l') || state[2] < '0' || state[2] > '3')
        return;
    s->priv = state[2] - '0';
    r->sp = state[3] == 'h' ? s->priv : 0;
}

/* "(135) 00008000 d2a00028 O EL3h_s : MOV …", "(00000000004d6eb8) 54fffea1 O …", "(00022a7c:00000006) 00022a7c 48f6 T16 …" */
static bool instruction(struct log_reader *r, struct scan c, struct log_step *s)
{
    uint64_t between, number, insn;
    unsigned digits;
    if (!scan_lit(&c, "(") || !scan_hex(&c, &between, NULL) || (scan_lit(&c, ":") && !scan_hex(&c, &number, NULL)) ||
        !scan_lit(&c, ") "))
        return false;
    scan_space(&c);
    struct scan at = c;
    if (!address(&c, &s->pc) || !scan_lit(&c, " "))
        return false;
    scan_space(&c);
    if (!scan_hex(&c, &insn, &digits) || (*c.p != ' ' && *c.p)) { /* the state follows: what was read is the encoding */
        s->pc = between;
        c = at;
        if (!scan_hex(&c, &insn, &digits))
            return false;
    }
    if (!scan_lit(&c, " ") || digits > 8)
        return false;
    scan_space(&c);
    s->insn = (uint32_t)insn;
    s->insn_bytes = digits > 4 ? 4 : 2;
    if (!strchr("AOTX", *c.p))
        return false;
    tarmac_mode(r, s, c.p);
    return true;
}

/* A value: groups of digits, with '_' or one space between them. False: it is none, or a part of it is not told ("--------"). */
static bool groups(struct scan *c, struct log_reg *g)
{
    char digits[LOG_WORDS * 16 + 1];
    size_t n = 0;
    for (const char *p = c->p; *p && n < sizeof digits - 1; p++)
        if (isxdigit((unsigned char)*p))
            digits[n++] = *p;
        else if (*p == '-' || *p == 'x' || *p == 'X')
            return false;
        else if (*p != '_' && !(*p == ' ' && isxdigit((unsigned char)p[1])))
            break;
    digits[n] = '\0';
    struct scan all = {digits};
    return scan_value(&all, g, NULL);
}

/* Half of a vector register, "V0<127:64>" or "V0<63:0>": the low half first, or alone. */
static void half(struct log_reader *r, struct log_step *s, char *name, struct log_reg *g)
{
    char *bits = strchr(name, '<');
    bool high = !strcmp(bits, "<127:64>");
    struct log_reg id;
    *bits = '\0';
    if (!log_reg_parse(name, true, &id) || id.class != LOG_V)
        return;
    g->words = 1;
    for (unsigned i = 0; i < s->nregs && high; i++)
        if (s->reg[i].class == LOG_V && s->reg[i].number == id.number && s->reg[i].words == 1) {
            s->reg[i].words = 2;
            s->reg[i].value[1] = g->value[0];
        }
    if (!high)
        log_step_named(r, s, name, g);
}

bool tarmac_written(struct log_reader *r, struct scan c, struct log_step *s)
{
    char name[40];
    struct log_reg g = {0};
    size_t n = strcspn(c.p, " ");
    if (!n || n >= sizeof name)
        return false;
    memcpy(name, c.p, n);
    name[n] = '\0';
    c.p += n;
    scan_space(&c);
    if (*c.p == '(' || strchr(c.p, ':') ||
        !groups(&c, &g)) /* of AArch32; an operation on caches; "01230123:23452345": two halves */
        return true;
    if (strchr(name, '<')) {
        half(r, s, name, &g);
        return true;
    }
    if (!strncmp(name, "SP_EL", 5) && name[5] == '0' + r->sp && !name[6])
        name[2] = '\0'; /* the stack pointer in use */
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
    scan_lit(&c, " X");
    if (!scan_lit(&c, " ") || !address(&c, &m.address))
        return false;
    scan_space(&c);
    if (*c.p == '(') /* "(ABORTED)" */
        return true;
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
        return instruction(r, c, s) ? LOG_STEP : log_bad(r, e, "a number, an address and an instruction are expected");
    if (scan_lit(&c, "ES "))
        return tarmac_es_begins(r, c, s, e);
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
        return tarmac_written(r, c, s) ? LOG_STEP : log_bad(r, e, "a register is expected");
    bool store = scan_lit(&c, "MW") || scan_lit(&c, "W0");
    if (store || scan_lit(&c, "MR") || scan_lit(&c, "R0"))
        return access(c, s, store) ? LOG_STEP : log_bad(r, e, "the size and the address of an access are expected");
    return LOG_STEP;
}

enum log_result log_tarmac_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    char cpu[64];
    bool begun = false;
    while (log_line(r)) {
        struct scan c = {r->text};
        bool more = !head(&c, cpu, sizeof cpu) && tarmac_es_more(r, &c);
        if (c.p == r->text && !more) {
            r->skipped += *r->text != '\0';
            continue;
        }
        enum log_result got = more ? tarmac_es_effect(r, c, begun ? s : NULL, &r->held, e) : begins(r, c, cpu, &r->held, e);
        if (got == LOG_STEP && begun && !did_not_retire(s, &r->held)) {
            r->again = true;
            return LOG_STEP;
        }
        if (got == LOG_STEP) {
            *s = r->held;
            begun = true;
        } else if (got != LOG_BAD && begun && !more && hart_of(cpu) == s->hart) {
            got = effect(r, c, s, e);
        }
        if (got == LOG_BAD)
            return LOG_BAD;
        if (begun && s->kind == LOG_TRAP)
            return LOG_STEP;
    }
    return begun && !r->failed ? LOG_STEP : log_finish(r, e);
}
