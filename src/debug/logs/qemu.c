/*
 * QEMU's -d exec,in_asm,int: blocks of translated code, blocks executed, exceptions. A block executed is its instructions, which
 * the last translation at its address tells; where an exception follows in the block, those before it. Written with -accel
 * tcg,one-insn-per-tb=on (-singlestep) or -d nochain, else blocks that jump to each other directly are missing in it.
 *
 *   IN: _start
 *   0x00001000:  00000297          auipc                   t0,0                    # 0x1000
 *   Trace 0: 0x7f7ecc000100 [003411ad/0000000000001000/02c2c003/ff020201] _start
 *   riscv_cpu_do_interrupt: hart:0, async:0, cause:000000000000000a, epc:0x80000680, tval:0x0000000000000000, desc=…
 *   Taking exception 11 [Hypervisor Call] on CPU 0
 *   ...from EL1 to EL2
 *   ...with ESR 0x16/0x5a000000
 *   ...with ELR 0x40101fc4
 */
#include "debug/logs/reader.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_INSNS 512
#define BLOCKS      4096 /* a power of two: blocks remembered, by address */

struct block {
    uint64_t pc;
    unsigned count;
    struct {
        uint64_t pc;
        uint32_t insn;
        uint8_t bytes;
    } insn[BLOCK_INSNS];
};

struct qemu_state {
    struct block *block[BLOCKS];
    struct block filling;
    bool in_asm; /* lines of a block follow */
    /* the block being given out */
    struct block now;
    unsigned at, until;
    unsigned hart;
    uint64_t line;
};

bool log_qemu_detect(const struct log_reader *r, const char *begin)
{
    (void)r;
    return !strncmp(begin, "IN: ", 4) || strstr(begin, "\nIN: ") || !strncmp(begin, "Trace ", 6) ||
           strstr(begin, "\nTrace 0: 0x") || strstr(begin, "riscv_cpu_do_interrupt: hart:") || strstr(begin, "Taking exception ");
}

void log_qemu_free(struct log_reader *r)
{
    if (!r->qemu)
        return;
    for (unsigned i = 0; i < BLOCKS; i++)
        free(r->qemu->block[i]);
    free(r->qemu);
}

static struct block **slot(struct qemu_state *q, uint64_t pc) { return &q->block[(pc >> 1 ^ pc >> 13) & (BLOCKS - 1)]; }

/* The block that was being translated is complete. */
static void translated(struct qemu_state *q)
{
    q->in_asm = false;
    if (!q->filling.count)
        return;
    struct block **b = slot(q, q->filling.pc);
    if (!*b)
        *b = malloc(sizeof **b);
    **b = q->filling;
    q->filling.count = 0;
}

/* "0x00001000:  00000297          auipc …". False: no line of this kind. */
static bool translation(struct qemu_state *q, struct scan c)
{
    uint64_t pc, insn;
    unsigned digits, n = q->filling.count;
    if (!scan_lit(&c, "0x") || !scan_hex(&c, &pc, NULL) || !scan_lit(&c, ":"))
        return false;
    scan_space(&c);
    if (!scan_hex(&c, &insn, &digits) || n == BLOCK_INSNS)
        return true;
    if (!n)
        q->filling.pc = pc;
    q->filling.insn[n].pc = pc;
    q->filling.insn[n].insn = (uint32_t)insn;
    q->filling.insn[n].bytes = (uint8_t)(digits > 4 ? 4 : 2);
    q->filling.count = n + 1;
    return true;
}

/* "0: 0x7f… [003411ad/0000000000001000/02c2c003/ff020201] name": a block is executed. */
static bool executed(struct log_reader *r, struct scan c)
{
    struct qemu_state *q = r->qemu;
    uint64_t hart, host, base, pc;
    if (!scan_dec(&c, &hart) || !scan_lit(&c, ": ") || !scan_hex(&c, &host, NULL) || !scan_lit(&c, " [") ||
        !scan_hex(&c, &base, NULL) || !scan_lit(&c, "/") || !scan_hex(&c, &pc, NULL))
        return false;
    const struct block *b = *slot(q, pc);
    if (b && b->pc == pc) {
        q->now = *b;
    } else { /* not translated in this log: its first instruction is all that is known */
        q->now.pc = q->now.insn[0].pc = pc;
        q->now.insn[0].bytes = 0;
        q->now.count = 1;
    }
    q->at = 0;
    q->until = q->now.count;
    q->hart = (unsigned)hart;
    q->line = r->line;
    return true;
}

static bool field(struct scan *c, const char *name, uint64_t *v) { return scan_lit(c, name) && scan_hex(c, v, NULL); }

/* "hart:0, async:0, cause:…, epc:0x…, tval:0x…, desc=…" */
static enum log_result riscv_trap(struct log_reader *r, struct scan c, struct log_step *s, struct err *e)
{
    uint64_t hart, async;
    if (!scan_lit(&c, "hart:") || !scan_dec(&c, &hart) || !field(&c, ", async:", &async) || !field(&c, ", cause:", &s->cause) ||
        !field(&c, ", epc:", &s->pc))
        return log_bad(r, e, "hart, async, cause and epc of an interrupt or exception are expected");
    s->has_tval = field(&c, ", tval:", &s->tval);
    s->hart = (unsigned)hart;
    s->interrupt = async != 0;
    s->cause &= UINT64_MAX >> 1;
    return LOG_STEP;
}

/* "11 [Hypervisor Call] on CPU 0" and the lines behind it that begin with "...". */
static enum log_result arm_trap(struct log_reader *r, struct scan c, struct log_step *s, struct err *e)
{
    uint64_t number, cpu = 0, from = 0, elr;
    if (!scan_dec(&c, &number))
        return log_bad(r, e, "the number of an exception is expected");
    const char *on = strstr(c.p, "on CPU ");
    struct scan at = {on ? on + 7 : c.p};
    if (on)
        scan_dec(&at, &cpu);
    s->hart = (unsigned)cpu;
    s->interrupt =
        number == 5 || number == 6 || (number >= 14 && number <= 16) || number == 24; /* IRQ, FIQ, virtual ones, SError */
    r->arm = true;
    while (log_line(r)) {
        struct scan l = {r->text};
        if (!scan_lit(&l, "...")) {
            r->again = true;
            break;
        }
        if (scan_lit(&l, "from EL") && scan_dec(&l, &from))
            s->priv = (int)from;
        else if (scan_lit(&l, "with ELR ") && scan_hex(&l, &elr, NULL)) /* SVC, HVC, SMC: ELR is behind it */
            s->pc = number == 2 || number == 11 || number == 13 ? elr - 4 : elr;
        else if (scan_lit(&l, "with ESR 0x"))
            scan_hex(&l, &s->cause, NULL); /* its exception class */
    }
    return LOG_STEP;
}

static enum log_result trap(struct log_reader *r, struct log_step *s, struct err *e)
{
    struct scan c = {r->text};
    log_step_begin(r, s);
    s->kind = LOG_TRAP;
    return scan_lit(&c, "riscv_cpu_do_interrupt: ") ? riscv_trap(r, c, s, e) : arm_trap(r, (struct scan){r->text + 17}, s, e);
}

static bool is_trap(const char *text)
{
    return !strncmp(text, "riscv_cpu_do_interrupt: ", 24) || !strncmp(text, "Taking exception ", 17);
}

/* A block was executed: if an exception follows it, what of the block came before that. Keeps the exception's step. */
static enum log_result cut_block(struct log_reader *r, struct err *e)
{
    struct qemu_state *q = r->qemu;
    if (!log_line(r))
        return LOG_STEP;
    if (!is_trap(r->text)) {
        r->again = true;
        return LOG_STEP;
    }
    if (trap(r, &r->held, e) == LOG_BAD)
        return LOG_BAD;
    r->holds = true;
    for (unsigned i = 0; i < q->now.count && q->now.count > 0; i++)
        if (q->now.insn[i].pc == r->held.pc && r->held.hart == q->hart && (!r->held.interrupt || i)) {
            q->until = i;
            break;
        }
    return LOG_STEP;
}

static bool give(struct log_reader *r, struct log_step *s)
{
    struct qemu_state *q = r->qemu;
    if (q->at < q->until) {
        log_step_begin(r, s);
        s->line = q->line;
        s->hart = q->hart;
        s->pc = q->now.insn[q->at].pc;
        s->insn = q->now.insn[q->at].insn;
        s->insn_bytes = q->now.insn[q->at].bytes;
        q->at++;
        return true;
    }
    if (r->holds) {
        *s = r->held;
        r->holds = false;
        return true;
    }
    return false;
}

static enum log_result line(struct log_reader *r, struct log_step *s, struct err *e)
{
    struct qemu_state *q = r->qemu;
    struct scan c = {r->text};
    if (scan_lit(&c, "IN: ") || scan_lit(&c, "IN:")) {
        translated(q);
        q->in_asm = true;
        return LOG_END;
    }
    if (q->in_asm && (translation(q, c) || !*c.p))
        return LOG_END;
    if (scan_lit(&c, "Trace ")) {
        translated(q);
        if (!executed(r, c))
            return log_bad(r, e, "a hart, and an address in brackets are expected");
        return cut_block(r, e) == LOG_BAD ? LOG_BAD : LOG_END;
    }
    if (is_trap(r->text))
        return trap(r, s, e);
    if (*c.p && strncmp(c.p, "----", 4) && strncmp(c.p, "Priv:", 5) && strncmp(c.p, "Exception return", 16) && *c.p != '.')
        r->skipped++;
    return LOG_END;
}

enum log_result log_qemu_next(struct log_reader *r, struct log_step *s, struct err *e)
{
    if (!r->qemu)
        r->qemu = calloc(1, sizeof *r->qemu);
    while (!give(r, s)) {
        if (!log_line(r))
            return log_finish(r, e);
        enum log_result got = line(r, s, e);
        if (got != LOG_END)
            return got;
    }
    return LOG_STEP;
}
