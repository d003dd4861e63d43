/*
 * One journey through the exception levels and both security states:
 *
 *   EL3 -> Secure EL1 -> EL3 -> EL2 -> EL1 -> EL0 -> EL1 -> EL2 -> EL1 -> EL2 -> EL3
 *
 * by ERET downwards, by SVC, HVC, an abort of stage 2 and SMC upwards. Each hop is told with the registers that the exception or
 * return wrote. The run ends with code 0 if every hop arrived as the Arm ARM (D1.3) says, else with the number of the hop.
 */
#include "arm/common/a64.h"

void sel1_entry(void), el2_entry(void), el1_entry(void), el0_entry(void);

/* 0 while Secure EL1 runs. */
volatile ulong world;
/* Of level 1 for 40 bits of IPA: entry 0 the devices, entry 1 RAM; the rest is not mapped. */
static ulong stage2[1024] __attribute__((aligned(8192)));

#define ABSENT_IPA 0x200000000ul

static _Noreturn void wrong(ulong hop)
{
    put_value("  wrong at hop ", hop);
    put_char('\n');
    semihost_exit(hop);
    for (;;)
        __asm__ volatile("wfi");
}

static void check(int ok, ulong hop)
{
    if (!ok)
        wrong(hop);
}

_Noreturn void lost(void)
{
    put_value("an exception that nothing explains; level ", READ(CurrentEL) >> 2);
    wrong(99);
}

static _Noreturn void eret(void)
{
    __asm__ volatile("eret");
    __builtin_unreachable();
}

static void tell_return(ulong elr, ulong spsr)
{
    put_value("       eret: elr=", elr);
    put_value(" spsr=", spsr);
}

static void tell_trap(const char *level, ulong esr, ulong elr, ulong spsr)
{
    put_text(level);
    put_value(" exception: esr=", esr);
    put_value(" elr=", elr);
    put_value(" spsr=", spsr);
}

/* ---- EL3 ---------------------------------------------------------------------------------------------------------------------
 */

void el3_main(void)
{
    put_text("EL3    reset: lets Secure EL1 run, and returns into it\n");
    WRITE(scr_el3, SCR_PERMIT | SCR_RW);
    WRITE(elr_el3, sel1_entry);
    WRITE(spsr_el3, SPSR_EL1H);
    tell_return(READ(elr_el3), READ(spsr_el3));
    put_value(" scr=", READ(scr_el3));
    put_text(" (NS=0)\n");
    eret();
}

/* The monitor's first call came from Secure EL1; on to the Non-secure state. */
static void leave_secure(void)
{
    world = 1;
    put_text("       changes to the Non-secure state, and returns into EL2\n");
    WRITE(scr_el3, SCR_PERMIT | SCR_RW | SCR_HCE | SCR_NS);
    WRITE(elr_el3, el2_entry);
    WRITE(spsr_el3, SPSR_EL2H);
    tell_return(READ(elr_el3), READ(spsr_el3));
    put_value(" scr=", READ(scr_el3));
    put_text(" (NS=1)\n");
    eret();
}

void el3_trap(void)
{
    ulong esr = READ(esr_el3), spsr = READ(spsr_el3), scr = READ(scr_el3);
    tell_trap("EL3   ", esr, READ(elr_el3), spsr);
    if (!world) {
        put_text(" (SMC, from Secure EL1)\n");
        check(EC(esr) == EC_SMC && (spsr & 15) == 5 && !(scr & SCR_NS), 2);
        leave_secure();
    }
    put_text(" (SMC, from EL2)\n");
    check(EC(esr) == EC_SMC && (esr & 0xffff) == 4 && (spsr & 15) == 9 && (scr & SCR_NS), 10);
    put_text("The journey is over; everything arrived as it should.\n");
    power_off();
    for (;;)
        __asm__ volatile("wfi");
}

/* ---- EL2 ---------------------------------------------------------------------------------------------------------------------
 */

static void make_stage2(void)
{
    stage2[0] = 0x0ul | 1 << 10 | 3 << 6 | 1 << 2 | 1;                  /* devices: AF, read and write, Device-nGnRE, block */
    stage2[1] = 0x40000000ul | 1 << 10 | 3 << 8 | 3 << 6 | 15 << 2 | 1; /* RAM: inner shareable, Normal */
    WRITE(vttbr_el2, (ulong)stage2);
    /* 40 bits of IPA from level 1 (two tables), 40 bits of PA, inner shareable, write-back. */
    WRITE(vtcr_el2, 1ul << 31 | 2 << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 | 24);
    __asm__ volatile("tlbi vmalls12e1\n\tdsb sy\n\tisb");
}

void el2_main(void)
{
    put_text("EL2    makes the tables of stage 2, and returns into EL1\n");
    make_stage2();
    WRITE(hcr_el2, (uint)HCR_RW | HCR_VM);
    WRITE(elr_el2, el1_entry);
    WRITE(spsr_el2, SPSR_EL1H);
    tell_return(READ(elr_el2), READ(spsr_el2));
    put_value(" hcr=", READ(hcr_el2));
    put_value(" vttbr=", READ(vttbr_el2));
    put_char('\n');
    eret();
}

void el2_trap(void)
{
    static int hops;
    ulong esr = READ(esr_el2), spsr = READ(spsr_el2);
    tell_trap("EL2   ", esr, READ(elr_el2), spsr);
    check((spsr & 15) == 5, 7);
    if (!hops++) {
        put_text(" (HVC, from EL1)\n       back into EL1\n");
        check(EC(esr) == EC_HVC && (esr & 0xffff) == 3, 7);
        eret();
    }
    put_value(" far=", READ(far_el2));
    put_value(" hpfar=", READ(hpfar_el2));
    put_text(" (abort of stage 2)\n       smc #4\n");
    check(EC(esr) == EC_DATA_LOWER && (esr & 63) == 5, 9); /* translation fault, level 1 */
    check(READ(hpfar_el2) == ABSENT_IPA >> 8 && READ(far_el2) == ABSENT_IPA, 9);
    __asm__ volatile("smc #4");
    __builtin_unreachable();
}

/* ---- EL1 and EL0
 * ---------------------------------------------------------------------------------------------------------------
 */

void sel1_main(void)
{
    put_text("S-EL1  the trusted kernel: calls the monitor\n       smc #1\n");
    check(READ(CurrentEL) == 1 << 2, 1);
    __asm__ volatile("smc #1");
    __builtin_unreachable();
}

void el1_main(void)
{
    put_text("EL1    the guest's kernel: returns into EL0\n");
    WRITE(elr_el1, el0_entry);
    WRITE(spsr_el1, SPSR_EL0);
    tell_return(READ(elr_el1), READ(spsr_el1));
    put_char('\n');
    eret();
}

void el1_trap(void)
{
    ulong esr = READ(esr_el1), spsr = READ(spsr_el1);
    tell_trap("EL1   ", esr, READ(elr_el1), spsr);
    put_text(" (SVC, from EL0)\n       hvc #3\n");
    check(EC(esr) == EC_SVC && (esr & 0xffff) == 2 && (spsr & 15) == 0, 6);
    __asm__ volatile("hvc #3" ::: "memory");
    put_text("EL1    goes on behind its call: loads from where stage 2 has nothing\n");
    (void)*(volatile ulong *)ABSENT_IPA;
    wrong(8);
}

void el0_main(void)
{
    put_text("EL0    the program: calls its kernel\n       svc #2\n");
    __asm__ volatile("svc #2");
    __builtin_unreachable();
}
