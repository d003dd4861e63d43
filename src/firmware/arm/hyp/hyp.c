/*
 * An EL2 hypervisor with one guest, the kernel of ../kernel: stage 2 maps a block of 2 MiB when the guest first touches it, the
 * guest's timer interrupt goes through a list register, PSCI calls by HVC are answered here. When the guest turns itself off, so
 * does the machine, by SMC.
 */
#include "arm/common/a64.h"

void kernel_el1(void);
_Noreturn void hyp_enter(void);

#define TIMER        27
#define LR_STATE(lr) ((lr) >> 62)
/* Descriptors of stage 2 (Arm ARM D8.3): block, access flag, read and write; memory in bits 5:2. */
#define S2_BLOCK  (1 | 3 << 6 | 1 << 10)
#define S2_DEVICE (1 << 2)
#define S2_NORMAL (15 << 2 | 3 << 8)

static ulong level1[1024] __attribute__((aligned(8192))); /* 40 bits of IPA: two tables */
static ulong level2[512] __attribute__((aligned(4096)));  /* of the GiB from 0x40000000 on */
static struct {
    ulong faults, interrupts, calls, serrors;
} seen SCRATCH;

static _Noreturn void finish(ulong code)
{
    if (!code)
        call_smc(PSCI_SYSTEM_OFF, 0, 0, 0);
    semihost_exit(code);
    for (;;)
        __asm__ volatile("wfi");
}

_Noreturn void hyp_lost(void)
{
    put_value("hypervisor: an exception that nothing explains: esr=", READ(esr_el2));
    put_value(" elr=", READ(elr_el2));
    put_value(" far=", READ(far_el2));
    put_char('\n');
    finish(3);
}

static void stage2_begin(void)
{
    level1[0] = S2_BLOCK | S2_DEVICE; /* the GIC and the UART are the guest's */
    level1[1] = (ulong)level2 | 3;
    WRITE(vttbr_el2, (ulong)level1 | 5ul << 48);
    WRITE(vtcr_el2, 1ul << 31 | 2 << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 | 24);
    __asm__ volatile("tlbi vmalls12e1\n\tdsb sy\n\tisb");
}

static void gic_begin(void)
{
    WRITE(S3_4_C12_C9_5, 15); /* ICC_SRE_EL2 */
    WRITE(ICC_PMR_EL1, 0xff);
    WRITE(ICC_CTLR_EL1, 2); /* EOImode: the guest's end of interrupt deactivates, by the list register */
    WRITE(ICC_IGRPEN1_EL1, 1);
    WRITE(S3_4_C12_C11_0, 1); /* ICH_HCR_EL2.En */
}

void hyp_main(ulong x0)
{
    (void)x0;
    put_text("hypervisor: EL2, starts its guest\n");
    stage2_begin();
    gic_begin();
    WRITE(cnthctl_el2, 3);
    WRITE(cntvoff_el2, 1000);
    WRITE(hcr_el2, (ulong)(uint)HCR_RW | HCR_VM | HCR_IMO | HCR_FMO | HCR_AMO | HCR_TSC);
    WRITE(elr_el2, kernel_el1);
    WRITE(spsr_el2, SPSR_EL1H);
    hyp_enter();
}

/* ---- exits -------------------------------------------------------------------------------------------------------------------
 */

/* The guest's timer: the priority drops here, the guest deactivates (IHI 0069 ICH_LR<n>_EL2.HW). */
void hyp_irq(ulong *x)
{
    ulong intid = READ(ICC_IAR1_EL1);
    (void)x;
    if (intid >= 1020)
        return;
    seen.interrupts++;
    WRITE(S3_4_C12_C12_0, 1ul << 62 | 1ul << 61 | 1ul << 60 | 0xa0ul << 48 | intid << 32 | intid); /* ICH_LR0_EL2 */
    WRITE(ICC_EOIR1_EL1, intid);
}

void hyp_serror(ulong *x)
{
    (void)x;
    seen.serrors++;
}

static void map_block(void)
{
    ulong ipa = READ(hpfar_el2) << 8 & ~0x1ffffful;
    if (ipa < 0x40000000ul || ipa >= 0x80000000ul)
        hyp_lost();
    level2[ipa >> 21 & 511] = ipa | S2_BLOCK | S2_NORMAL;
    __asm__ volatile("dsb sy\n\tisb");
    seen.faults++;
}

static _Noreturn void guest_off(void)
{
    put_value("hypervisor: blocks ", seen.faults);
    put_text(seen.interrupts ? ", interrupts went through" : ", no interrupt went through");
    put_value(", calls ", seen.calls);
    put_char('\n');
    finish(seen.interrupts ? 0 : 2);
}

static void guest_call(ulong *x)
{
    seen.calls++;
    switch ((uint)x[0]) {
    case PSCI_VERSION: x[0] = 0x10001; break;
    case PSCI_CPU_ON:
    case PSCI_AFFINITY_INFO: x[0] = (ulong)PSCI_INVALID; break; /* there is one PE */
    case PSCI_SYSTEM_OFF: guest_off();
    default: x[0] = (ulong)PSCI_NOT_SUPPORTED; break;
    }
}

void hyp_sync(ulong *x)
{
    ulong esr = READ(esr_el2);
    if (EC(esr) == EC_HVC)
        guest_call(x);
    else if ((EC(esr) == EC_DATA_LOWER || EC(esr) == 0x20) && (esr & 0x3c) == 4) /* translation faults */
        map_block();
    else
        hyp_lost();
}
