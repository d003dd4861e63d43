/*
 * QEMU's execlog plugin, one instruction a line: cpu, address, encoding, disassembly, then accesses and, since QEMU 9.0 with
 * reg=, registers that changed:
 *
 *   0, 0xa12, 0xf8012400, "movs r0, #0"
 *   0, 0x80000010, 0x5283, "ld t0, 24(t0)", load, 0x80001018, RAM, t0 -> 0x0000000080000000
 *
 * Until QEMU 8.2 the encoding is four bytes of the code, also of an instruction of two; then RISC-V's disassembly begins with it:
 *
 *   0, 0x800000c4, 0xa481e406, "e406              sd                      ra,8(sp)", store, 0x80001a48, RAM
 */
#include "debug/logs/reader.h"

#include <string.h>

static bool head(struct scan *c, struct log_step *s)
{
    uint64_t cpu, insn;
    unsigned digits;
    if (!scan_dec(c, &cpu) || !scan_lit(c, ", 0x") || !scan_hex(c, &s->pc, NULL) || !scan_lit(c, ", 0x") ||
        !scan_hex(c, &insn, &digits) || !scan_lit(c, ", \""))
        return false;
    s->hart = (unsigned)cpu;
    s->insn = (uint32_t)insn;
    s->insn_bytes = digits > 4 || (insn & 3) == 3 ? 4 : 2;
    return true;
}

/* RISC-V's encoding as the disassembly has it, if it does. */
static bool told_again(const struct scan *c, struct log_step *s)
{
    uint64_t insn;
    unsigned digits;
    struct scan d = *c;
    if (!scan_hex(&d, &insn, &digits) || *d.p != ' ' || (digits != 4 && digits != 8))
        return false;
    if (insn != (digits == 4 ? s->insn & 0xffff : s->insn) || ((insn & 3) == 3) != (digits == 8))
        return false;
    s->insn = (uint32_t)insn;
    s->insn_bytes = (uint8_t)(digits / 2);
    return true;
}

/* Is this text A64? An odd address or length never is; encodings without the low bits 11 and four bytes wide are. */
static bool looks_a64(const struct log_step *s) { return s->insn > 0xffff && (s->insn & 3) != 3; }

bool log_execlog_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    struct log_step s = {0};
    struct scan c = {begin};
    return head(&c, &s);
}

static bool effect(struct log_reader *r, struct scan *c, struct log_step *s)
{
    char word[48];
    struct log_mem m = {0};
    struct log_reg g = {0};
    if (!scan_lit(c, ", ") || !scan_word(c, word, sizeof word))
        return false;
    m.store = !strcmp(word, "store");
    if (m.store || !strcmp(word, "load")) {
        if (!scan_lit(c, ", ") || !scan_hex(c, &m.address, NULL))
            return false;
        m.physical = scan_lit(c, ", "); /* then the device's name, which may be any words; a user program's has none */
        while (m.physical && *c->p && *c->p != ',')
            c->p++;
        log_step_mem(s, &m);
        return true;
    }
    while (scan_lit(c, "/")) /* "x10/a0" */
        if (!scan_word(c, word, sizeof word))
            return false;
    if (!scan_lit(c, " -> ") || !scan_value(c, &g, NULL))
        return false;
    log_step_named(r, s, word, &g);
    return true;
}

static enum log_result line(struct log_reader *r, struct log_step *s, struct err *e)
{
    struct scan c = {r->text};
    log_step_begin(r, s);
    if (!head(&c, s)) {
        if (*r->text >= '0' && *r->text <= '9' && strstr(r->text, ", 0x"))
            return log_bad(r, e, "a cpu, an address, an encoding and a disassembly are expected");
        r->skipped++;
        return LOG_END;
    }
    r->arm |= !told_again(&c, s) && looks_a64(s);
    if (r->arm)
        s->insn_bytes = 4;
    const char *end = strrchr(c.p, '"'); /* the disassembly may hold quotes; registers and devices do not */
    if (!end)
        return log_bad(r, e, "the disassembly does not end");
    for (c.p = end + 1; !scan_end(&c);)
        if (!effect(r, &c, s))
            return log_bad(r, e, "a load, a store or a register is expected, not '%.20s'", c.p);
    return LOG_STEP;
}

enum log_result log_execlog_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    while (log_line(r)) {
        enum log_result got = line(r, s, e);
        if (got != LOG_END)
            return got;
    }
    return log_finish(r, e);
}
