/*
 * Whisper's --csvlog. A header, then one instruction a line:
 *
 *   pc, inst, modified regs, source operands, memory, inst info, privilege, trap, disassembly, hartid[, iptw, dptw]
 *   80000010:80000010,182b283,x5=80000000,x5;i18,80000028:80000028,l,m,,ld x5; 0x18(x5),0
 *
 * Numbers are hexadecimal without 0x. Registers and accesses are separated by ';'; "ff=" are the flags of floating point that the
 * instruction raised, "pc=" is where a branch went; a physical address follows a virtual one behind ':' when it differs.
 */
#include "debug/logs/reader.h"

#include <string.h>

enum column { PC, INST, REGS, SOURCES, MEMORY, INFO, PRIVILEGE, TRAP, DISASSEMBLY, HART, COLUMNS };

bool log_whisper_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    return !strncmp(begin, "pc, inst, modified regs", 23) || !strncmp(begin, "pc,inst,modified regs", 21);
}

/* Cuts the line at its commas. Returns how many columns there are. */
static unsigned columns(char *text, char *column[COLUMNS])
{
    unsigned n = 0;
    for (char *p = text; p && n < COLUMNS; n++) {
        column[n] = p;
        if ((p = strchr(p, ',')))
            *p++ = '\0';
    }
    return n;
}

static bool registers(struct log_reader *r, struct log_step *s, const char *text)
{
    struct scan c = {text};
    char name[40];
    while (!scan_end(&c)) {
        struct log_reg g = {0};
        if (!scan_word(&c, name, sizeof name) || !scan_lit(&c, "=") || !scan_value(&c, &g, NULL))
            return false;
        if (strcmp(name, "ff") && strcmp(name, "pc"))
            log_step_named(r, s, name, &g);
        scan_lit(&c, ";");
    }
    return true;
}

static bool memory(struct log_step *s, const char *text)
{
    struct scan c = {text};
    uint64_t pa;
    while (!scan_end(&c)) {
        struct log_mem m = {0};
        if (!scan_hex(&c, &m.address, NULL) || (scan_lit(&c, ":") && !scan_hex(&c, &pa, NULL)))
            return false;
        bool masked = scan_lit(&c, "m"); /* an element that the mask leaves out */
        if (scan_lit(&c, "=")) {
            m.store = m.has_value = true;
            if (!scan_hex(&c, &m.value, NULL))
                return false;
        }
        if (!masked)
            log_step_mem(s, &m);
        scan_lit(&c, ";");
    }
    return true;
}

static bool privilege(struct log_step *s, const char *text)
{
    static const struct {
        const char *name;
        int priv, v;
    } modes[] = {{"m", 3, 0}, {"s", 1, 0}, {"u", 0, 0}, {"vs", 1, 1}, {"vu", 0, 1}, {"d", 3, 0}, {"", LOG_UNKNOWN, LOG_UNKNOWN}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(text, modes[i].name)) {
            s->priv = modes[i].priv;
            s->v = modes[i].v;
            return true;
        }
    return false;
}

static bool trap(struct log_step *s, const char *text)
{
    struct scan c = {text};
    if (!*text)
        return true;
    s->kind = LOG_TRAP;
    unsigned digits;
    if (!scan_hex(&c, &s->cause, &digits))
        return false;
    s->interrupt = s->cause >> 63 || (digits == 8 && s->cause >> 31);
    s->cause &= s->cause >> 63 ? UINT64_MAX >> 1 : digits == 8 ? UINT32_MAX >> 1 : UINT64_MAX;
    return true;
}

static enum log_result line(struct log_reader *r, struct log_step *s, struct err *e)
{
    char *column[COLUMNS];
    uint64_t insn, hart, pa;
    if (r->text[0] == 'p' || !r->text[0])
        return LOG_END; /* the header, again where logs were joined */
    log_step_begin(r, s);
    unsigned n = columns(r->text, column);
    if (n < COLUMNS)
        return log_bad(r, e, "%u columns instead of %d", n, COLUMNS);
    struct scan pc = {column[PC]}, inst = {column[INST]}, id = {column[HART]};
    if (!scan_hex(&pc, &s->pc, NULL) || (scan_lit(&pc, ":") && !scan_hex(&pc, &pa, NULL)) || !scan_hex(&inst, &insn, NULL))
        return log_bad(r, e, "an address and an instruction are expected");
    s->insn = (uint32_t)insn;
    s->insn_bytes = (insn & 3) == 3 ? 4 : 2;
    if (!registers(r, s, column[REGS]))
        return log_bad(r, e, "the modified registers cannot be read: '%.60s'", column[REGS]);
    if (!memory(s, column[MEMORY]))
        return log_bad(r, e, "the memory column cannot be read: '%.60s'", column[MEMORY]);
    if (!privilege(s, column[PRIVILEGE]))
        return log_bad(r, e, "'%.20s' is no privilege mode", column[PRIVILEGE]);
    if (!trap(s, column[TRAP]))
        return log_bad(r, e, "'%.20s' is no cause", column[TRAP]);
    if (!scan_hex(&id, &hart, NULL))
        return log_bad(r, e, "'%.20s' is no hart", column[HART]);
    s->hart = (unsigned)hart;
    return LOG_STEP;
}

enum log_result log_whisper_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    while (log_line(r)) {
        enum log_result got = line(r, s, e);
        if (got != LOG_END)
            return got;
    }
    return log_finish(r, e);
}
