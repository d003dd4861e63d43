/*
 * An EL3 monitor for virt-arm: answers PSCI 1.1 by SMC (DEN 0022D), keeps a Secure and a Non-secure state of each PE apart and
 * changes between them for a service in Secure EL1, and starts the kernel that the machine loaded in the highest Non-secure
 * level, as firmware of a real board would. Run it with -bios.
 */
#include "monitor.h"

#define GICD    0x08000000ul
#define GICR(n) (0x080a0000ul + 0x20000ul * (n))
#define REG(a)  (*(volatile uint *)(a))
/* EnPM2, EBWE, EnPMSS; PMSSE and PMEE: by EL2 */
#define MDCR_PERMIT (1ul << 7 | 1ul << 43 | 1ul << 44 | 1ul << 30 | 1ul << 40)
#define CPTR_SVE    (1 << 8)
#define CPTR_SME    (1 << 12)

static ulong dtb;

/* All interrupts are Non-secure group 1 (IHI 0069 4.6.1). */
static void gic_distributor(void)
{
    REG(GICD) = 0x37; /* both groups 1 and group 0, affinity routing for both states */
    for (uint i = 1; i < 32; i++)
        REG(GICD + 0x80 + 4 * i) = ~0u;
}

static void gic_pe(uint n)
{
    REG(GICR(n) + 0x14) = 0; /* WAKER */
    while (REG(GICR(n) + 0x14) & 4)
        ;
    REG(GICR(n) + 0x10080) = ~0u;
    WRITE(S3_6_C12_C12_5, 15); /* ICC_SRE_EL3 */
    WRITE(ICC_PMR_EL1, 0xff);
}

static void pe_begin(void)
{
    WRITE(cptr_el3, CPTR_SVE | CPTR_SME);
    WRITE(mdcr_el3, MDCR_PERMIT);
    gic_pe(this_pe());
    psci_on();
}

void monitor_second(void)
{
    WRITE(cptr_el3, CPTR_SVE | CPTR_SME);
    WRITE(mdcr_el3, MDCR_PERMIT);
    gic_pe(this_pe());
    psci_wait();
}

void monitor_main(ulong tree, ulong kernel)
{
    struct frame f;
    dtb = tree;
    gic_distributor();
    pe_begin();
    if (!kernel) {
        put_text("monitor: there is no kernel (-kernel)\n");
        power_off();
        psci_wait();
    }
    put_value("monitor: EL3, starts the kernel at ", kernel);
    put_char('\n');
    world_begin(&f, kernel, dtb);
    leave(&f);
}

void monitor_call(struct frame *f)
{
    ulong esr = READ(esr_el3);
    if (EC(esr) != EC_SMC) {
        put_value("monitor: an exception that nothing explains: esr=", esr);
        put_value(" elr=", f->elr);
        put_value(" spsr=", f->spsr);
        put_char('\n');
        semihost_exit(3);
        off_again();
    }
    if (!(f->scr & SCR_NS) || (uint)f->x[0] == SECURE_SERVICE)
        world_change(f);
    else if (!psci_call(f))
        f->x[0] = (ulong)PSCI_NOT_SUPPORTED;
}

void monitor_lost(ulong esr, ulong elr)
{
    put_value("monitor: an exception in EL3 or an interrupt: esr=", esr);
    put_value(" elr=", elr);
    put_char('\n');
    semihost_exit(4);
    off_again();
}
