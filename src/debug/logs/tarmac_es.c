/*
 * Tarmac as cycle models and cores in RTL write it ("Tarmac Text Rev 3t"). The lines behind an instruction's have no time:
 *
 *          0 tic ES  (00000000002109bc:a9be7bfd) O el3h_s:         STP      x29,x30,[sp,#-0x20]!
 *                    ST 00000000000fffe0 00000000 002105e0 ........ ........    S:00000fffe0    nGnRnE OSH
 *                       00000000000fffd0 ........ ........ 00000000 000000fe    S:00000fffd0    nGnRnE OSH
 *                    R SP_EL3 00000000000fffe0
 *                    BR (00000000002109bc) O
 *                    EXC [0x200] Synchronous Current EL with SP_ELx
 *
 * ST and LD show 16 bytes, the one at the highest address first; ".." is not accessed, "##" not told. A line without a kind goes
 * on with the one before.
 */
#include "debug/logs/tarmac.h"

#include <string.h>

enum { ROW = 16 }; /* bytes of a line */

/* "[0x200] Synchronous …", "Reset", c behind "EXC": what kind of exception. */
static bool exception(struct scan c, struct log_step *s)
{
    uint64_t offset = UINT64_MAX;
    scan_space(&c);
    if (scan_lit(&c, "[") && (!scan_hex(&c, &offset, NULL) || !scan_lit(&c, "]")))
        return false;
    scan_space(&c);
    if (!strncmp(c.p, "Reset", 5))
        return false;
    bool told = offset != UINT64_MAX; /* of the vector, whose kinds are 0x80 apart (Arm ARM D1.3.1.5 "Exception vectors") */
    s->kind = LOG_TRAP;
    s->interrupt = told ? (offset >> 7 & 3) != 0 : strncmp(c.p, "Synchronous", 11) != 0;
    return true;
}

enum log_result tarmac_es_begins(struct log_reader *r, struct scan c, struct log_step *s, struct err *e)
{
    uint64_t insn;
    unsigned digits;
    scan_space(&c);
    r->more = 'E';
    if (scan_lit(&c, "EXC")) {
        s->pc = UINT64_MAX;
        return exception(c, s) ? LOG_STEP : LOG_END;
    }
    if (!scan_lit(&c, "("))
        return LOG_END;
    if (!scan_hex(&c, &s->pc, NULL) || !scan_lit(&c, ":"))
        return log_bad(r, e, "an address and an instruction are expected");
    if (scan_lit(&c, "--------)")) /* it could not be fetched */
        return LOG_END;
    if (!scan_hex(&c, &insn, &digits) || digits > 8 || !scan_lit(&c, ")"))
        return log_bad(r, e, "an address and an instruction are expected");
    s->insn = (uint32_t)insn;
    s->insn_bytes = digits > 4 ? 4 : 2;
    scan_space(&c);
    tarmac_mode(r, s, c.p);
    return LOG_STEP;
}

bool tarmac_es_more(const struct log_reader *r, struct scan *c)
{
    struct scan at = {r->text};
    scan_space(&at);
    if (!r->more || at.p == r->text || !*at.p)
        return false;
    *c = at;
    return true;
}

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* The two characters of a byte: 0 to 255; -1: not accessed; -2: not told; -3: no such characters. */
static int byte_of(const char *p)
{
    if (p[0] == '.' && p[1] == '.')
        return -1;
    if (p[0] == '#' && p[1] == '#')
        return -2;
    return digit(p[0]) < 0 || digit(p[1]) < 0 ? -3 : digit(p[0]) << 4 | digit(p[1]);
}

/* Adds the accesses of a row of bytes, lowest address first: runs, no longer than a doubleword. */
static void add_runs(struct log_step *s, uint64_t address, const int bytes[ROW], bool store)
{
    for (unsigned i = 0; i < ROW;) {
        struct log_mem m = {.address = address + i, .store = store, .has_value = true};
        for (; i < ROW && bytes[i] != -1 && m.bytes < 8 && (!m.bytes || i % 8); i++, m.bytes++) {
            m.has_value &= bytes[i] >= 0;
            m.value |= (uint64_t)(bytes[i] & 0xff) << 8 * m.bytes;
        }
        if (m.bytes)
            log_step_mem(s, &m);
        else
            i++;
    }
}

/* "00000000000fffe0  00000000 002105e0 ........ ........" */
static bool row(struct scan c, struct log_step *s, bool store)
{
    uint64_t address;
    int bytes[ROW];
    scan_space(&c);
    if (!scan_hex(&c, &address, NULL))
        return false;
    for (unsigned i = ROW; i--; c.p += 2) {
        scan_space(&c);
        if (!c.p[0] || (bytes[i] = byte_of(c.p)) == -3)
            return false;
    }
    add_runs(s, address, bytes, store);
    return true;
}

static enum log_result accesses(struct log_reader *r, struct scan c, struct log_step *s, struct err *e)
{
    if (r->more == 'E' || row(c, s, r->more == 'S'))
        return LOG_END;
    return log_bad(r, e, "an address and 16 bytes are expected");
}

enum log_result tarmac_es_effect(struct log_reader *r, struct scan c, struct log_step *s, struct log_step *own, struct err *e)
{
    struct log_step *to = s ? s : own; /* what belongs to no instruction goes nowhere */
    if (scan_lit(&c, "EXC")) {
        log_step_begin(r, own);
        own->pc = s && s->kind == LOG_RETIRED ? s->pc : UINT64_MAX;
        return exception(c, own) ? LOG_STEP : LOG_END;
    }
    if (!s)
        log_step_begin(r, own);
    if (scan_lit(&c, "R "))
        return tarmac_written(r, c, to) ? LOG_END : log_bad(r, e, "a register is expected");
    if (scan_lit(&c, "LD ") || scan_lit(&c, "ST "))
        r->more = c.p[-3];
    else if (digit(*c.p) < 0 || !strncmp(c.p, "BR ", 3)) {
        r->more = 'E';
        return LOG_END;
    }
    return accesses(r, c, to, e);
}
