/*
 * RVVI-TEXT 0.4: elements of a key and its values; RET or TRAP begins a step, elements behind it belong to it, wherever lines
 * end.
 *
 *   VERSION 0 4
 *   RET 0x80000000 0x00000297 X 5 0x80000000 MODE 0x3
 *   TRAP 0x80000010 0x00000073 C 0x342 0xb 'a comment'
 *
 * Its drafts have hexadecimal numbers without 0x where 0.4 has them with it: "RET 80000b20 40000213", "C 342 'mcause' 0000000b".
 */
#include "debug/logs/reader.h"

#include <stdlib.h>
#include <string.h>

bool log_rvvi_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    while (*begin == ' ' || *begin == '\n' || *begin == '\r' || *begin == '\'') {
        if (*begin == '\'' && !(begin = strchr(begin + 1, '\'')))
            return false;
        begin++;
    }
    return !strncmp(begin, "VERSION ", 8) || !strncmp(begin, "VENDOR \"", 8) || !strncmp(begin, "PARAMS ", 7);
}

/* The next token: a word or what stands between quotes; comments are left out. False: the line is done. */
static bool token(struct scan *c, char *out, size_t cap)
{
    size_t n = 0;
    scan_space(c);
    while (*c->p == '\'') {
        const char *end = strchr(c->p + 1, '\'');
        c->p = end ? end + 1 : c->p + strlen(c->p);
        scan_space(c);
    }
    if (!*c->p || (*c->p == '\\' && !c->p[1]))
        return false;
    char stop = *c->p == '"' ? '"' : ' ';
    c->p += stop == '"';
    for (; *c->p && *c->p != stop && !(stop == ' ' && (*c->p == '\t' || *c->p == '\'')); c->p++)
        if (n + 1 < cap)
            out[n++] = *c->p;
    c->p += *c->p == '"';
    out[n] = '\0';
    return true;
}

static bool number(struct scan *c, uint64_t *v)
{
    char text[64];
    if (!token(c, text, sizeof text))
        return false;
    struct scan at = {text};
    return (text[0] == '0' && text[1] == 'x' ? scan_hex(&at, v, NULL) : scan_dec(&at, v)) && !*at.p;
}

/* Hexadecimal, with or without 0x. */
static bool hexadecimal(struct scan *c, uint64_t *v, unsigned *digits)
{
    char text[64];
    if (!token(c, text, sizeof text))
        return false;
    struct scan at = {text};
    return scan_hex(&at, v, digits) && !*at.p;
}

static bool skip(struct scan *c, uint64_t n)
{
    char text[64];
    while (n--)
        if (!token(c, text, sizeof text))
            return false;
    return true;
}

/* What a trap wrote to mcause, scause or vscause is its cause. */
static void cause(struct log_step *s, const struct log_reg *g, unsigned bits)
{
    enum { MCAUSE = 0x342, SCAUSE = 0x142, VSCAUSE = 0x242 };
    if (s->kind != LOG_TRAP || (g->number != MCAUSE && g->number != SCAUSE && g->number != VSCAUSE))
        return;
    s->interrupt = bits == 32 ? g->value[0] >> 31 & 1 : g->value[0] >> 63;
    s->cause = g->value[0] & (bits == 32 ? INT32_MAX : INT64_MAX);
}

/* X, F, V: index and value. C: the number of a register and its value. */
static bool written(struct scan *c, struct log_step *s, enum log_class class)
{
    struct log_reg g = {.class = (uint8_t) class};
    uint64_t index;
    unsigned bits;
    char text[1100];
    if (!(class == LOG_CSR ? hexadecimal(c, &index, NULL) : number(c, &index)) || index >= (class == LOG_CSR ? 4096 : 32) ||
        !token(c, text, sizeof text))
        return false;
    struct scan at = {text};
    if (!scan_value(&at, &g, &bits))
        return false;
    g.number = (uint16_t)index;
    if (class == LOG_CSR)
        cause(s, &g, bits);
    if (class != LOG_X || index)
        log_step_reg(s, &g);
    return true;
}

static bool access(struct scan *c)
{
    uint64_t n;
    return skip(c, 4) && number(c, &n) && n < 64 && skip(c, 2 * n);
}

/* Elements that change a step or nothing; RET, TRAP and HART are the caller's. */
static bool element(struct scan *c, const char *key, struct log_step *s)
{
    static const struct {
        const char *key;
        int values; /* -1: a count, then that many; -2: that many pairs */
    } plain[] = {{"VERSION", 2}, {"VENDOR", 3}, {"PARAMS", -2}, {"ISSUE", 1}, {"ORDER", 1}, {"DM", 1},
                 {"META", -1},   {"CYCLE", 1},  {"TIME", 1},    {"NET", 2},   {"STATE", 2}};
    static const char classes[] = "XFVC";
    uint64_t v;
    if (!key[1] && strchr(classes, key[0]))
        return written(c, s, (enum log_class)(strchr(classes, key[0]) - classes));
    if (!strcmp(key, "MODE") || !strcmp(key, "VIRT")) {
        if (!number(c, &v) || v > 3)
            return false;
        *(key[0] == 'M' ? &s->priv : &s->v) = (int)v;
        return true;
    }
    if (!strcmp(key, "MEM"))
        return access(c);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(key, plain[i].key)) {
            if (plain[i].values >= 0)
                return skip(c, (uint64_t)plain[i].values);
            return number(c, &v) && v < 4096 && skip(c, plain[i].values == -1 ? v : 2 * v);
        }
    return false;
}

/* RET and TRAP: address and encoding. */
static bool begin(struct log_reader *r, struct scan *c, struct log_step *s, bool trap)
{
    uint64_t insn;
    unsigned hart = r->held.hart;
    log_step_begin(r, s);
    s->hart = hart;
    s->kind = trap ? LOG_TRAP : LOG_RETIRED;
    if (!hexadecimal(c, &s->pc, NULL) || !hexadecimal(c, &insn, NULL))
        return false;
    s->insn = (uint32_t)insn;
    s->insn_bytes = (insn & 3) == 3 ? 4 : 2;
    return true;
}

/* The rest of the current line. LOG_STEP: the step in s is complete, and the line goes on at *from. */
static enum log_result line(struct log_reader *r, struct log_step *s, bool *begun, size_t *from, struct err *e)
{
    struct scan c = {r->text + *from};
    struct log_step none = {0}; /* for what stands before the first step */
    char key[32];
    uint64_t hart;
    for (;;) {
        const char *at = c.p;
        if (!token(&c, key, sizeof key))
            return LOG_END;
        bool ret = !strcmp(key, "RET"), trap = !strcmp(key, "TRAP"), sets = !strcmp(key, "HART");
        if (*begun && (ret || trap || sets)) {
            *from = (size_t)(at - r->text);
            return LOG_STEP;
        }
        bool good = sets            ? number(&c, &hart) && hart < 4096
                    : (ret || trap) ? begin(r, &c, s, trap)
                                    : element(&c, key, *begun ? s : &none);
        if (!good)
            return log_bad(r, e, "'%s' is no element, or its values cannot be read", key);
        if (sets)
            r->held.hart = (unsigned)hart;
        *begun |= ret || trap;
    }
}

enum log_result log_rvvi_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    bool begun = false;
    size_t from = r->holds ? r->held.nregs : 0; /* where the line that ended the last step goes on */
    while (r->holds || log_line(r)) {
        enum log_result got = line(r, s, &begun, &from, e);
        r->holds = got == LOG_STEP;
        r->held.nregs = (unsigned)from;
        if (got == LOG_STEP)
            return LOG_STEP;
        if (got == LOG_BAD)
            return LOG_BAD;
        from = 0;
        r->held.nregs = 0;
    }
    return begun && !r->failed ? LOG_STEP : log_finish(r, e);
}
