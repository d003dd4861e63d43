/* What an A64 instruction wrote, for exports. */
#include "cpu/arm/arch.h"
#include "cpu/arm/pe.h"
#include "csr/arm/sysreg.h"
#include "debug/export/steps.h"
#include "debug/logs/reader.h"
#include "machine/machine.h"

#include <string.h>

enum { STATUS_PSTATE, STATUS_FPSR, STATUS_REACHES /* the system register an MSR reaches, SR_NONE: it is none */ };

static struct pe *pe_of(struct machine *m, unsigned hart) { return (struct pe *)(void *)machine_hart(m, hart); }

static bool is_msr(uint32_t insn) { return (insn & 0xfff00000) == 0xd5100000; }

static void before(struct machine *m, unsigned hart, struct steps_before *b)
{
    struct pe *p = pe_of(m, hart);
    b->pc = p->s.pc;
    memcpy(b->x, p->s.x, sizeof b->x);
    for (unsigned i = 0; i < 32; i++) {
        b->f[2 * i] = p->s.v[i].d[0];
        b->f[2 * i + 1] = p->s.v[i].d[1];
    }
    b->status[STATUS_PSTATE] = pe_pstate(p);
    b->status[STATUS_FPSR] = pe_fpsr(p);
    b->status[STATUS_REACHES] = SR_NONE;
    b->priv = b->status[STATUS_PSTATE] >> 2 & 3;
    b->v = 0;
    b->insn = 0;
    b->insn_bytes = machine_read_virtual(m, hart, b->pc, &b->insn, 4) == 4 ? 4 : 0;
    if (b->insn_bytes && is_msr(b->insn)) {
        unsigned key = b->insn >> 5 & 0x7fff,
                 id = sysreg_find(p->ctx.map, 2 + (b->insn >> 19 & 1), key >> 11 & 7, key >> 7 & 15, key >> 3 & 15, key & 7);
        struct sysreg_access a = sysreg_check(&p->ctx, id, true);
        b->status[STATUS_REACHES] = a.result == SYSREG_OK ? a.id : SR_NONE;
    }
}

static void put(struct log_step *s, unsigned class, unsigned number, uint64_t low, uint64_t high)
{
    struct log_reg g = {.class = (uint8_t) class, .number = (uint16_t)number, .value = {low, high}};
    g.words = class == LOG_V ? 2 : 1;
    log_step_reg(s, &g);
}

static void put_system(struct machine *m, unsigned hart, unsigned id, struct log_step *s)
{
    char name[48];
    uint64_t value;
    sysreg_name(id, name, sizeof name);
    if (machine_get_reg(m, hart, name, &value))
        put(s, LOG_SYSTEM, id, value, 0);
}

static void status(struct pe *p, const struct steps_before *b, struct steps_item *i)
{
    i->status = pe_pstate(p);
    i->has_status = i->status != b->status[STATUS_PSTATE];
    if (pe_fpsr(p) != b->status[STATUS_FPSR])
        put(&i->log, LOG_SYSTEM, SR_fpsr, pe_fpsr(p), 0);
}

/* The destination of what computes or loads is told even if it has its old value; of what else is written, what changed. */
static void after(struct machine *m, unsigned hart, const struct steps_before *b, struct steps_item *i)
{
    struct pe *p = pe_of(m, hart);
    struct a64_decoded d = a64_decode(p->decoder, b->insn);
    unsigned cost = d.row ? d.row->cost : COST_BARRIER;
    bool mrs = (b->insn & 0xfff00000) == 0xd5300000;
    bool writes = cost == COST_ALU || cost == COST_MUL || cost == COST_DIV || cost == COST_LOAD || mrs;
    bool same_sp = !((pe_pstate(p) ^ b->status[STATUS_PSTATE]) & 0xd); /* EL, SP: it is the same register still */
    for (unsigned n = 0; n < 32; n++)
        if ((p->s.x[n] != b->x[n] && (n < 31 || same_sp)) || (writes && d.rd == n))
            put(&i->log, LOG_X, n, p->s.x[n], 0);
    for (unsigned n = 0; n < 32; n++)
        if (p->s.v[n].d[0] != b->f[2 * n] || p->s.v[n].d[1] != b->f[2 * n + 1])
            put(&i->log, LOG_V, n, p->s.v[n].d[0], p->s.v[n].d[1]);
    if (b->status[STATUS_REACHES] != SR_NONE)
        put_system(m, hart, (unsigned)b->status[STATUS_REACHES], &i->log);
    status(p, b, i);
}

/* The exception class. */
static uint64_t cause(const struct machine_change *c) { return c->interrupt ? UINT64_MAX : c->cause >> 26 & 63; }

/* Arm ARM D1.3.1: what taking an exception writes. */
static void trapped(struct machine *m, const struct machine_change *c, struct steps_item *i)
{
    static const uint16_t elr[4] = {0, SR_elr_el1, SR_elr_el2, SR_elr_el3}, spsr[4] = {0, SR_spsr_el1, SR_spsr_el2, SR_spsr_el3},
                          esr[4] = {0, SR_esr_el1, SR_esr_el2, SR_esr_el3}, far[4] = {0, SR_far_el1, SR_far_el2, SR_far_el3};
    struct pe *p = pe_of(m, c->hart);
    const unsigned el = c->to_priv & 3, written[4] = {elr[el], spsr[el], esr[el], far[el]};
    i->status = pe_pstate(p);
    i->has_status = true;
    for (unsigned n = 0; n < (c->interrupt ? 2u : c->tval ? 4u : 3u); n++)
        put(&i->log, LOG_SYSTEM, written[n], sysreg_read(&p->ctx, written[n]), 0);
}

/* Rt. */
static uint64_t stored(const struct steps_before *b)
{
    unsigned rt = b->insn & 31;
    if (b->insn >> 26 & 1)
        return b->f[2 * rt];
    return rt == 31 ? 0 : b->x[rt];
}

const struct steps_ops arm_steps = {.before = before, .after = after, .cause = cause, .trapped = trapped, .stored = stored};
