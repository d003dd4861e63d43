/* What a RISC-V instruction wrote, for exports: as Spike logs it. */
#include "cpu/riscv/arch.h"
#include "cpu/riscv/decode.h"
#include "cpu/riscv/hart.h"
#include "debug/export/steps.h"
#include "debug/logs/reader.h"
#include "machine/machine.h"

#include <string.h>

enum { STATUS_MSTATUS, STATUS_VSSTATUS, STATUS_FFLAGS };
enum {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_VSSTATUS = 0x200,
    CSR_MSTATUS = 0x300,
    CSR_MSTATUSH = 0x310,
    CSR_HSTATUS = 0x600,
    CSR_MNSTATUS = 0x744
};
enum { MRET = 0x30200073, SRET = 0x10200073, MNRET = 0x70200073 };

static struct hart *hart_of(struct machine *m, unsigned hart) { return (struct hart *)(void *)machine_hart(m, hart); }

static uint64_t csr(struct hart *h, unsigned num)
{
    struct csr_ctx c = h->csr;
    c.priv = RV_M;
    c.v = 0;
    return csr_read(&c, num);
}

static void before(struct machine *m, unsigned hart, struct steps_before *b)
{
    struct hart *h = hart_of(m, hart);
    b->pc = h->s.pc;
    b->priv = h->s.priv;
    b->v = h->s.v;
    memcpy(b->x, h->s.x, sizeof b->x);
    b->status[STATUS_MSTATUS] = csr(h, CSR_MSTATUS);
    b->status[STATUS_VSSTATUS] = csr_exists(h->map, CSR_VSSTATUS) ? csr(h, CSR_VSSTATUS) : 0;
    b->status[STATUS_FFLAGS] = csr_exists(h->map, CSR_FFLAGS) ? csr(h, CSR_FFLAGS) : 0;
    b->insn = 0;
    b->insn_bytes = 0;
    if (machine_read_virtual(m, hart, b->pc, &b->insn, 2) == 2) {
        b->insn_bytes = (b->insn & 3) == 3 ? 4 : 2;
        uint32_t high = 0;
        if (b->insn_bytes == 4 && machine_read_virtual(m, hart, b->pc + 2, &high, 2) != 2)
            b->insn_bytes = 0;
        b->insn |= high << 16;
    }
}

static void put(struct log_step *s, unsigned class, unsigned number, uint64_t value)
{
    struct log_reg g = {.class = (uint8_t) class, .words = 1, .number = (uint16_t)number, .value = {value}};
    log_step_reg(s, &g);
}

static uint64_t narrow(const struct hart *h, uint64_t v) { return h->xlen == 32 ? (uint32_t)v : v; }

/* The register whose bits an access to CSR num from this mode really writes: those of VS in place of S (hypervisor, "Virtual
   Supervisor CSRs"), and the whole of those that are views (priv 4.1, 3.1.9). */
static unsigned real_csr(unsigned num, bool v)
{
    static const struct {
        uint16_t view, whole;
    } views[] = {{0x100, 0x300}, {0x104, 0x304}, {0x144, 0x344}, {0x204, 0x304}, {0x244, 0x344}, {0x604, 0x304}, {0x644, 0x344}};
    if (v && num >> 8 == 1 && num != 0x106 && num != 0x10a) /* scounteren and senvcfg are not replaced */
        num += 0x100;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (views[i].view == num)
            return views[i].whole;
    return num;
}

/* csrrw and its kin. */
static void wrote_csr(struct hart *h, const struct steps_before *b, struct log_step *s)
{
    unsigned num = b->insn >> 20, kind = b->insn >> 12 & 3;
    if ((kind != 1 && !(b->insn >> 15 & 31)) || num >> 10 == 3) /* csrrs, csrrc of x0 write nothing; nor is it writable */
        return;
    if (num == CSR_FCSR) {
        put(s, LOG_CSR, CSR_FFLAGS, csr(h, CSR_FFLAGS));
        put(s, LOG_CSR, CSR_FRM, csr(h, CSR_FRM));
        return;
    }
    num = real_csr(num, b->v);
    put(s, LOG_CSR, num, csr(h, num));
}

/* What a return writes: priv 3.3.2, hypervisor "Trap return". */
static void returned(struct hart *h, const struct steps_before *b, struct log_step *s)
{
    if (b->insn == MNRET) {
        put(s, LOG_CSR, CSR_MNSTATUS, csr(h, CSR_MNSTATUS));
    } else if (b->insn == SRET && b->v) {
        put(s, LOG_CSR, CSR_VSSTATUS, csr(h, CSR_VSSTATUS));
    } else {
        put(s, LOG_CSR, CSR_MSTATUS, csr(h, CSR_MSTATUS));
        if (b->insn == SRET && csr_exists(h->map, CSR_HSTATUS))
            put(s, LOG_CSR, CSR_HSTATUS, csr(h, CSR_HSTATUS));
        if (b->insn == MRET && csr_exists(h->map, CSR_MSTATUSH))
            put(s, LOG_CSR, CSR_MSTATUSH, csr(h, CSR_MSTATUSH));
    }
}

/* What an instruction of floating point changed by the way. */
static void accrued(struct hart *h, const struct steps_before *b, struct log_step *s)
{
    uint64_t flags = csr_exists(h->map, CSR_FFLAGS) ? csr(h, CSR_FFLAGS) : 0, status = csr(h, CSR_MSTATUS);
    if (flags != b->status[STATUS_FFLAGS])
        put(s, LOG_CSR, CSR_FFLAGS, flags);
    if (b->v && csr_exists(h->map, CSR_VSSTATUS) && csr(h, CSR_VSSTATUS) != b->status[STATUS_VSSTATUS])
        put(s, LOG_CSR, CSR_VSSTATUS, csr(h, CSR_VSSTATUS));
    if (status != b->status[STATUS_MSTATUS])
        put(s, LOG_CSR, CSR_MSTATUS, status);
}

static void after(struct machine *m, unsigned hart, const struct steps_before *b, struct steps_item *i)
{
    struct hart *h = hart_of(m, hart);
    struct decoded d = rv_decode(h->decoder, b->insn, h->xlen);
    if (!d.row)
        return;
    bool system = b->insn_bytes == 4 && (b->insn & 0x7f) == 0x73;
    if (b->insn == MRET || b->insn == SRET || b->insn == MNRET) {
        returned(h, b, &i->log);
        return;
    }
    if (d.frd) /* in Spike's order: what is by the way first */
        accrued(h, b, &i->log);
    if (d.frd)
        put(&i->log, LOG_F, d.rd, h->s.f[d.rd]);
    else if (d.rd)
        put(&i->log, LOG_X, d.rd, narrow(h, h->s.x[d.rd]));
    if (system && b->insn >> 12 & 3)
        wrote_csr(h, b, &i->log);
    if (!d.frd && !system)
        accrued(h, b, &i->log);
}

/* rs2 of a store; of a compressed one where its format has it. */
static uint64_t stored(const struct steps_before *b)
{
    if (b->insn_bytes == 4)
        return b->x[b->insn >> 20 & 31];
    return (b->insn & 3) == 2 ? b->x[b->insn >> 2 & 31] : b->x[8 + (b->insn >> 2 & 7)];
}

static uint64_t cause(const struct machine_change *c) { return c->cause; }

const struct steps_ops riscv_steps = {.before = before, .after = after, .cause = cause, .stored = stored};
