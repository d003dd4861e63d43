/* What happens to a hart from outside, between two instructions: pulses on its inputs, counter overflows, NMIs, bus errors. */
#include "cpu/riscv/arch.h"
#include "cpu/riscv/status.h"

static void pulse(struct hart *h, unsigned irq)
{
    uint64_t bit = UINT64_C(1) << irq;
    if (h->s.lines & bit)
        return; /* a device holds it high, and will lower it */
    hart_line(h, irq, true);
    h->s.pulse |= h->s.lines & bit;
}

void hart_taken(struct hart *h, const struct trap *t)
{
    if (t->nmi && h->s.nmi_pending == 2)
        h->s.nmi_pending = 0;
    uint64_t bit = t->nmi ? 0 : h->s.pulse & UINT64_C(1) << t->cause;
    h->s.lines &= ~bit;
    h->s.pulse &= ~bit;
}

/* SSIP and LCOFIP are kept in the hart, for software to clear. */
static bool line(struct hart *h, unsigned irq, int how, struct err *e)
{
    if (irq > 63)
        return err_set(e, "mip has no bit %u", irq);
    uint64_t bit = UINT64_C(1) << irq;
    bool kept = irq == IRQ_SSI || irq == IRQ_LCOFI;
    if (irq == IRQ_LCOFI && !rv_has(h->cfg, EXT_Sscofpmf))
        return err_set(e, "the cpu has no counter overflow interrupt (sscofpmf=off)");
    if (kept && how == INJECT_LOWER)
        h->s.csr.mip &= ~bit;
    else if (kept)
        h->s.csr.mip |= bit;
    else if (how == INJECT_PULSE)
        pulse(h, irq);
    else
        hart_line(h, irq, how == INJECT_RAISE);
    h->cpu.resync = true;
    return true;
}

static bool rnmi(struct hart *h, int how, struct err *e)
{
    if (!rv_has(h->cfg, EXT_Smrnmi))
        return err_set(e, "the cpu has no resumable NMI (smrnmi=off)");
    h->s.nmi_pending = how == INJECT_LOWER ? 0 : how == INJECT_RAISE ? 1 : 2;
    h->cpu.resync = true;
    return true;
}

/* priv 3.1.15: the hardware-error exception, cause 19, as if the instruction at pc had met corrupt data. It takes no time, as an
   interrupt does not; a hart that waits is woken by it. */
static void bus_error(struct hart *h, uint64_t address)
{
    h->trap = (struct trap){.cause = EXC_HARDWARE_ERROR, .tval = address, .gva = address && h->s.v};
    take_trap(h, &h->trap);
}

bool hart_inject(struct cpu *cpu, const struct injection *i, struct err *e)
{
    struct hart *h = (struct hart *)cpu;
    switch (i->kind) {
    case INJECT_LINE: return line(h, i->line, i->how, e);
    case INJECT_LCOFI: return line(h, IRQ_LCOFI, INJECT_RAISE, e);
    case INJECT_RNMI: return rnmi(h, i->how, e);
    case INJECT_BUS: bus_error(h, i->address); return true;
    default: return err_set(e, "there is no such event");
    }
}
