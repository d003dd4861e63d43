/*
 * Spike's -l and --log-commits, and CVA6's commit log, which follows them:
 *
 *   core   0: 0x000000008000000c (0x85018193) addi    gp, gp, -1968     -l: about to execute
 *   core   0: 3 0x000000008000000c (0x85018193) x3  0x0000000080001858  --log-commits: retired; registers, then "mem address
 * [value]" core   0: exception trap_load_page_fault, epc 0x0000000080000680 core   0:           tval 0x0000000000000000 core   0:
 * >>>>  _start
 *
 * CVA6 leaves out "core   0: " on the second line, writes "x 3", the whole register a store is from, and
 *
 *   core   INTERRUPT 0: 0x0000000080000100 (0x00001117) DASM(00001117)                 the first instruction of a handler
 *   ENV_CALL_UMODE exception @ 0x0000000080000038 (0x00000073)
 *
 * A line of -l whose instruction neither retires nor traps is a log of -l alone: then it is the step.
 */
#include "debug/logs/reader.h"

#include "base/bits.h"

#include <string.h>

bool log_spike_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    const char *at = strstr(begin, "core ");
    struct scan c = {at ? at : begin};
    uint64_t v;
    if (!at || (at != begin && at[-1] != '\n') || !scan_lit(&c, "core "))
        return false;
    scan_space(&c);
    scan_lit(&c, "INTERRUPT ");
    return scan_dec(&c, &v) && scan_lit(&c, ": ");
}

/* "0x000000008000000c (0x85018193)" */
static bool place(struct scan *c, struct log_step *s)
{
    uint64_t insn;
    unsigned digits;
    if (!scan_hex(c, &s->pc, NULL) || !scan_lit(c, " (") || !scan_hex(c, &insn, &digits) || !scan_lit(c, ")"))
        return false;
    s->insn = (uint32_t)insn;
    s->insn_bytes = digits > 4 && (insn & 3) == 3 ? 4 : 2;
    return true;
}

static enum log_result access(struct log_reader *r, struct scan *c, struct log_step *s, struct err *e)
{
    struct log_mem m = {0};
    unsigned digits = 0;
    if (!scan_hex(c, &m.address, NULL))
        return log_bad(r, e, "behind 'mem' an address is expected");
    struct scan at = *c;
    scan_space(&at);
    if (at.p != c->p && strncmp(at.p, "mem", 3) && scan_hex(&at, &m.value, &digits)) {
        m.store = m.has_value = true;
        m.bytes = (uint8_t)(digits / 2);
        *c = at;
    }
    log_step_mem(s, &m);
    return LOG_STEP;
}

/* What an instruction wrote, to the end of the line. */
static enum log_result effects(struct log_reader *r, struct scan *c, struct log_step *s, struct err *e)
{
    char name[40];
    uint64_t number;
    while (!scan_end(c)) {
        struct log_reg g = {0};
        if (scan_lit(c, "mem ")) {
            if (access(r, c, s, e) == LOG_BAD)
                return LOG_BAD;
            continue;
        }
        if (!scan_word(c, name, sizeof name))
            return log_bad(r, e, "a register or 'mem' is expected, not '%.20s'", c->p);
        struct scan at = *c;
        scan_space(&at);
        if (name[0] == 'e' || (name[0] == 'l' && name[1] != 'r') || (name[0] == 'm' && (name[1] == 'f' || !name[2])))
            continue;                                             /* "e32 m1 l4": vector configuration */
        if (!name[1] && scan_dec(&at, &number) && *at.p == ' ') { /* CVA6: "x 3 0x…" */
            size_t n = strlen(name);
            if (number < 32 && n + 3 < sizeof name)
                name[n] = (char)('0' + number / 10), name[n + 1] = (char)('0' + number % 10), name[n + 2] = '\0';
            scan_space(&at);
        }
        if (!scan_value(&at, &g, NULL))
            return log_bad(r, e, "the value of '%s' is expected", name);
        *c = at;
        char *csr = strchr(name, '_'); /* "c768_mstatus" */
        log_step_named(r, s, name[0] == 'c' && csr && name[1] >= '0' && name[1] <= '9' ? csr + 1 : name, &g);
    }
    return LOG_STEP;
}

/* "3 0x… (0x…) effects", c behind the hart. */
static enum log_result commit(struct log_reader *r, struct scan *c, struct log_step *s, struct err *e)
{
    uint64_t priv;
    if (!scan_dec(c, &priv) || priv > 3 || !scan_lit(c, " ") || !place(c, s))
        return log_bad(r, e, "a privilege mode, an address and an instruction are expected");
    s->priv = (int)priv;
    enum log_result got = effects(r, c, s, e);
    for (unsigned i = 0; i < s->nmems && strncmp(r->text, "core", 4); i++)
        s->mem[i].bytes = 0; /* CVA6 does not say */
    return got;
}

/* Its exceptions by name; the index is the cause (priv "Machine Cause (mcause) Register"). */
static uint64_t cause_of(const char *name)
{
    static const char *const names[] = {[0] = "trap_instruction_address_misaligned",
                                        [1] = "trap_instruction_access_fault",
                                        [2] = "trap_illegal_instruction",
                                        [3] = "trap_breakpoint",
                                        [4] = "trap_load_address_misaligned",
                                        [5] = "trap_load_access_fault",
                                        [6] = "trap_store_address_misaligned",
                                        [7] = "trap_store_access_fault",
                                        [8] = "trap_user_ecall",
                                        [9] = "trap_supervisor_ecall",
                                        [10] = "trap_virtual_supervisor_ecall",
                                        [11] = "trap_machine_ecall",
                                        [12] = "trap_instruction_page_fault",
                                        [13] = "trap_load_page_fault",
                                        [15] = "trap_store_page_fault",
                                        [16] = "trap_double_trap",
                                        [18] = "trap_software_check",
                                        [19] = "trap_hardware_error",
                                        [20] = "trap_instruction_guest_page_fault",
                                        [21] = "trap_load_guest_page_fault",
                                        [22] = "trap_virtual_instruction",
                                        [23] = "trap_store_guest_page_fault"};
    for (uint64_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] && !strcmp(names[i], name))
            return i;
    return UINT64_MAX;
}

static enum log_result trap(struct log_reader *r, struct scan *c, struct log_step *s, struct err *e)
{
    char name[64];
    uint64_t number, hart;
    s->kind = LOG_TRAP;
    if (scan_lit(c, "interrupt #")) {
        s->interrupt = true;
        if (scan_dec(c, &number))
            s->cause = number;
    } else if (!scan_word(c, name, sizeof name)) {
        return log_bad(r, e, "the name of an exception is expected");
    } else {
        s->cause = cause_of(name);
    }
    if (!scan_lit(c, ", epc ") || !scan_hex(c, &s->pc, NULL))
        return log_bad(r, e, "the epc of an exception is expected");
    s->insn_bytes = 0;
    if (!log_line(r))
        return LOG_STEP;
    struct scan next = {r->text};
    if (scan_lit(&next, "core ") && (scan_space(&next), scan_dec(&next, &hart)) && scan_lit(&next, ":") &&
        (scan_space(&next), scan_lit(&next, "tval ")))
        s->has_tval = scan_hex(&next, &s->tval, NULL);
    else
        r->again = true;
    return LOG_STEP;
}

/* "LD_ACCESS_FAULT exception @ 0x… (0x…)" of CVA6; the index is the cause. It has no names of its own for those of the
 * hypervisor. */
static bool cva6_trap(struct scan c, struct log_step *s)
{
    static const char *const names[] = {"INSTR_ADDR_MISALIGNED",
                                        "INSTR_ACCESS_FAULT",
                                        "ILLEGAL_INSTR",
                                        "BREAKPOINT",
                                        "LD_ADDR_MISALIGNED",
                                        "LD_ACCESS_FAULT",
                                        "ST_ADDR_MISALIGNED",
                                        "ST_ACCESS_FAULT",
                                        "ENV_CALL_UMODE",
                                        "ENV_CALL_SMODE",
                                        NULL,
                                        "ENV_CALL_MMODE",
                                        "INSTR_PAGE_FAULT",
                                        "LOAD_PAGE_FAULT",
                                        NULL,
                                        "STORE_PAGE_FAULT"};
    char name[40];
    if (!scan_word(&c, name, sizeof name) || !scan_lit(&c, " exception @ ") || !place(&c, s))
        return false;
    s->kind = LOG_TRAP;
    for (uint64_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] && !strcmp(names[i], name))
            s->cause = i;
    return true;
}

/* A line of -l is held until the next line tells what became of it. The next line, of the same hart: */
enum fate { COMMITTED, TRAPPED, ALONE };
static enum fate fate_of(struct log_reader *r, const struct log_step *s)
{
    struct log_step next = {0};
    uint64_t hart, priv;
    if (!log_line(r))
        return ALONE;
    r->again = true;
    struct scan c = {r->text};
    if (scan_lit(&c, "core ")) {
        scan_space(&c);
        if (!scan_dec(&c, &hart) || hart != s->hart || !scan_lit(&c, ": "))
            return ALONE;
    }
    if (scan_lit(&c, "exception ") || cva6_trap(c, &next))
        return TRAPPED;
    return scan_dec(&c, &priv) && scan_lit(&c, " ") && place(&c, &next) && next.pc == s->pc ? COMMITTED : ALONE;
}

/* One line. LOG_END: it gives no step. */
static enum log_result line(struct log_reader *r, struct log_step *s, struct err *e)
{
    struct scan c = {r->text};
    uint64_t hart = r->holds ? r->held.hart : 0;
    log_step_begin(r, s);
    if (scan_lit(&c, "core")) {
        scan_space(&c);
        bool interrupt = scan_lit(&c, "INTERRUPT ");
        if (!scan_dec(&c, &hart) || !scan_lit(&c, ":"))
            return log_bad(r, e, "the number of a hart is expected");
        scan_space(&c);
        r->more = interrupt && r->more != 'I' ? 'I' : '\0';
        if (r->more) { /* first that it is taken, then the line once more */
            s->kind = LOG_TRAP;
            s->interrupt = r->again = true;
            s->hart = (unsigned)hart;
            s->pc = UINT64_MAX; /* the log does not say */
            return LOG_STEP;
        }
    } else if (cva6_trap(c, s)) {
        s->hart = (unsigned)hart;
        return LOG_STEP;
    } else if (!(c.p[0] >= '0' && c.p[0] <= '3' && c.p[1] == ' ' && c.p[2] == '0' && c.p[3] == 'x')) {
        r->skipped++; /* a guest's output */
        return LOG_END;
    }
    s->hart = (unsigned)hart;
    if (scan_lit(&c, ">>>>") || scan_lit(&c, "tval ") || scan_end(&c))
        return LOG_END;
    if (scan_lit(&c, "exception "))
        return trap(r, &c, s, e);
    if (strncmp(c.p, "0x", 2))
        return commit(r, &c, s, e);
    if (!place(&c, s))
        return log_bad(r, e, "an address and an instruction are expected");
    enum fate fate = fate_of(r, s);
    r->held.hart = s->hart; /* of CVA6's second line */
    r->holds = true;
    return fate == ALONE ? LOG_STEP : LOG_END;
}

enum log_result log_spike_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    while (log_line(r)) {
        enum log_result got = line(r, s, e);
        if (got != LOG_END)
            return got;
    }
    return log_finish(r, e);
}
