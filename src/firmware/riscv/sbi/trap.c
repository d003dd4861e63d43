/* What a trap into M leads to: interrupts, calls, errors, and the exceptions that M passes on to the mode below. */
#include "fw.h"

/* ---- passing on --------------------------------------------------------------------------------------------------- */

struct exception {
    ulong cause, tval, tval2, tinst;
};

/* As a trap into VS would write it (hypervisor "Trap Entry"); vsstatus has the bits of sstatus. */
static void enter_vs(struct frame *f, const struct exception *x)
{
    ulong vs = csr_read(CSR_VSSTATUS);
    ulong next = vs & ~(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPELP);
    if (f->status[LOW] & MSTATUS_MPP)
        next |= MSTATUS_SPP;
    if (vs & MSTATUS_SIE)
        next |= MSTATUS_SPIE;
    if (f->status[HIGH] & HIGH_MPELP)
        next |= MSTATUS_SPELP;
    csr_write(CSR_VSSTATUS, next | MSTATUS_SDT); /* read-only zero where henvcfg.DTE is 0 */
    csr_write(CSR_VSEPC, f->pc);
    csr_write(CSR_VSCAUSE, x->cause);
    csr_write(CSR_VSTVAL, x->tval);
    f->status[HIGH] &= ~HIGH_MPELP;
    f->status[LOW] = (f->status[LOW] & ~MSTATUS_MPP) | MSTATUS_MPP_S;
    f->pc = csr_read(CSR_VSTVEC) & ~3ul;
}

/* As a trap into S or HS would write it (priv "Supervisor Trap", hypervisor "Trap Entry", Ssdbltrp, Zicfilp). */
static void enter_s(struct hart *h, struct frame *f, const struct exception *x)
{
    bool virt = f->status[HIGH] & HIGH_MPV, from_s = f->status[LOW] & MSTATUS_MPP;
    if (h->has.h) {
        ulong hstatus = csr_read(CSR_HSTATUS) & ~(HSTATUS_GVA | HSTATUS_SPV);
        if (virt)
            hstatus = (hstatus & ~HSTATUS_SPVP) | HSTATUS_SPV | (from_s ? HSTATUS_SPVP : 0);
        if (f->status[HIGH] & HIGH_GVA)
            hstatus |= HSTATUS_GVA;
        csr_write(CSR_HSTATUS, hstatus);
        csr_write(CSR_HTVAL, x->tval2);
        csr_write(CSR_HTINST, x->tinst);
    }
    ulong next = f->status[LOW] & ~(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPELP | MSTATUS_MPP);
    if (from_s)
        next |= MSTATUS_SPP;
    if (f->status[LOW] & MSTATUS_SIE)
        next |= MSTATUS_SPIE;
    if (f->status[HIGH] & HIGH_MPELP)
        next |= MSTATUS_SPELP;
    f->status[LOW] = next | MSTATUS_MPP_S | MSTATUS_SDT; /* SDT is read-only zero where menvcfg.DTE is 0 */
    f->status[HIGH] &= ~(HIGH_MPV | HIGH_MPELP);
    csr_write(sepc, f->pc);
    csr_write(scause, x->cause);
    csr_write(stval, x->tval);
    f->pc = csr_read(stvec) & ~3ul;
}

/* A double trap of S: it can go on only as an SSE event (SBI v3.0 SSE, local double trap event). */
static void double_trap(struct hart *h)
{
    if (!sse_signal(h, EVENT_DOUBLE_TRAP))
        fatal(h, "double trap in S, and nobody waits for event 1", h->frame.pc, csr_read(CSR_MTVAL2), 16);
}

/* Passes an exception on that M does not handle itself. */
static void pass_on(struct hart *h, struct exception *x)
{
    struct frame *f = &h->frame;
    bool virt = f->status[HIGH] & HIGH_MPV;
    if (virt && x->cause < 32 && (csr_read(CSR_HEDELEG) >> x->cause & 1)) {
        if (!(csr_read(CSR_VSSTATUS) & MSTATUS_SDT)) {
            enter_vs(f, x);
            return;
        }
        /* A double trap of VS is HS's affair: cause 16, htval tells what it would have been (supervisor "Double Trap Control").
         */
        x->tval2 = x->cause;
        x->cause = CAUSE_DOUBLE_TRAP;
    }
    /* A trap into S with SDT set would have been a double trap. */
    if (!virt && (f->status[LOW] & MSTATUS_SDT))
        double_trap(h);
    else
        enter_s(h, f, x);
}

static void exception(struct hart *h, ulong cause)
{
    static const u8 counted[] = {[CAUSE_ILLEGAL] = FW_ILLEGAL_INSN + 1,
                                 [CAUSE_LOAD_MISALIGNED] = FW_MISALIGNED_LOAD + 1,
                                 [CAUSE_LOAD_ACCESS] = FW_ACCESS_LOAD + 1,
                                 [CAUSE_STORE_MISALIGNED] = FW_MISALIGNED_STORE + 1,
                                 [CAUSE_STORE_ACCESS] = FW_ACCESS_STORE + 1};
    if (cause < COUNT(counted) && counted[cause])
        pmu_fw_event(h, counted[cause] - 1u);
    if (cause == CAUSE_DOUBLE_TRAP && !(h->frame.status[HIGH] & HIGH_MPV)) {
        double_trap(h);
        return;
    }
    /* An error of the hardware is an SSE event where supervisor software has asked for it. */
    if (cause == CAUSE_HARDWARE_ERROR && sse_signal(h, EVENT_RAS_HIGH))
        return;
    struct exception x = {.cause = cause, .tval = csr_read(mtval)};
    if (h->has.h || h->has.ssdbltrp)
        x.tval2 = csr_read(CSR_MTVAL2);
    if (h->has.h)
        x.tinst = csr_read(CSR_MTINST);
    pass_on(h, &x);
}

/* ---- interrupts --------------------------------------------------------------------------------------------------- */

/* The platform's event: a level line, lowered by channel 3 of the injector so that it is taken once (README.md). */
static void platform_take(struct hart *h)
{
    static lock_t channel;
    lock(&channel);
    MMIO32(INJECTOR + 0xc8) = (u32)h->id; /* hart */
    MMIO32(INJECTOR + 0xcc) = IRQ_MEI;    /* line */
    MMIO32(INJECTOR + 0xd0) = 1;          /* ARM, level 0, count 0: at once */
    unlock(&channel);
    sse_signal(h, EVENT_PLATFORM);
}

/* A counter has overflowed. The event's own state keeps it from now on; the interrupt comes again after the handler has completed
   (sse.c:source_switch). */
static void overflow_take(struct hart *h)
{
    csr_clear(mie, 1 << IRQ_LCOFI);
    csr_clear(mip, 1 << IRQ_LCOFI);
    sse_signal(h, EVENT_PMU);
}

static void interrupt(struct hart *h, ulong irq)
{
    switch (irq) {
    case IRQ_MEI: platform_take(h); break;
    case IRQ_MSI: ipi_take(h); break;
    case IRQ_MTI: timer_take(); break;
    case IRQ_LCOFI: overflow_take(h); break;
    default: fatal(h, "interrupt that nobody has enabled", irq, h->frame.pc, 17);
    }
}

void trap(struct hart *h, ulong cause)
{
    if (cause == CAUSE_ECALL_S)
        ecall(h);
    else if (cause & CAUSE_INTERRUPT)
        interrupt(h, cause & ~CAUSE_INTERRUPT);
    else
        exception(h, cause);
    if ((h->sse_pending | global_pending) && !h->sse_masked)
        sse_deliver(h);
}

/* ---- traps of the firmware itself --------------------------------------------------------------------------------- */

/* f: the frame on the stack. Expected while something is tried (struct hart.resume); and a hardware error may come at any time:
   it is noted, and the hart sends itself an interrupt so that the event is injected as soon as this trap is over. */
void trap_in_m(struct frame *f, ulong cause)
{
    struct hart *h = hart_at(csr_read(mhartid));
    if (h->resume) {
        f->pc = h->resume;
        h->resume = 0;
        h->trapped = true;
        return;
    }
    if (cause == CAUSE_HARDWARE_ERROR && sse_signal(h, EVENT_RAS_HIGH)) {
        ipi_send(h->id, IPI_SSE);
        return;
    }
    fatal(h, "trap in the firmware", cause, f->pc, 18);
}
