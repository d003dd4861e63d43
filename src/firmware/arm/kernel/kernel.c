/*
 * An EL1 kernel with an EL0 program on every PE, for virt-arm: turns the other PEs on by PSCI, lets the virtual timer interrupt
 * the program, and looks whether that shows. It is started in EL1 or EL2 by the machine or by firmware, or is a hypervisor's
 * guest.
 */
#include "kernel.h"

#define PES     8
#define GICD    0x08000000ul
#define GICR(n) (0x080a0000ul + 0x20000ul * (n))
#define REG(a)  (*(volatile uint *)(a))
#define TIMER   27  /* PPI of the virtual timer */
#define TICKS   300 /* of the counter between two interrupts */

static ulong (*call)(ulong f, ulong a, ulong b, ulong c); /* PSCI */
static struct {
    volatile ulong ticks, rounds, wrong, done, serrors;
} pe[PES] SCRATCH;

/* What the handler of interrupts does wrong; somebody outside writes it. */
enum { RIGHT, LOSES_REGISTER, NO_END, SPOILS_VECTORS };
volatile ulong fault = RIGHT;
void spoil_vectors(void);

static uint this_pe(void) { return READ(mpidr_el1) & 0xff; }

static _Noreturn void finish(ulong code)
{
    if (!code)
        call(PSCI_SYSTEM_OFF, 0, 0, 0);
    semihost_exit(code);
    for (;;)
        __asm__ volatile("wfi");
}

_Noreturn void kernel_lost(ulong esr, ulong elr)
{
    put_value("kernel: an exception that nothing explains: esr=", esr);
    put_value(" elr=", elr);
    put_char('\n');
    finish(3);
}

/* ---- the GIC: what is Non-secure of it, or all
 * ------------------------------------------------------------------------------------ */

static void gic_begin(void)
{
    uint n = this_pe();
    REG(GICD) = 2; /* group 1, by the Non-secure view EnableGrp1A */
    REG(GICR(n) + 0x14) = 0;
    while (REG(GICR(n) + 0x14) & 4)
        ;
    REG(GICR(n) + 0x10080) = ~0u; /* group 1; firmware did it where there is any */
    *(volatile unsigned char *)(GICR(n) + 0x10400 + TIMER) = 0xa0;
    REG(GICR(n) + 0x10100) = 1u << TIMER;
    WRITE(ICC_SRE_EL1, 7);
    WRITE(ICC_PMR_EL1, 0xff);
    WRITE(ICC_IGRPEN1_EL1, 1);
}

static void timer_begin(void)
{
    WRITE(cntv_tval_el0, TICKS);
    WRITE(cntv_ctl_el0, 1);
}

/* ---- traps
 * ------------------------------------------------------------------------------------------------------------------------- */

void irq(struct frame *f)
{
    ulong intid = READ(ICC_IAR1_EL1);
    if (intid == TIMER) {
        pe[this_pe()].ticks++;
        WRITE(cntv_tval_el0, TICKS);
    }
    if (intid < 1020 && fault != NO_END)
        WRITE(ICC_EOIR1_EL1, intid);
    if (fault == LOSES_REGISTER)
        f->x[13]++;
    else if (fault == SPOILS_VECTORS)
        spoil_vectors();
}

void serror(struct frame *f)
{
    (void)f;
    pe[this_pe()].serrors++;
}

static _Noreturn void report(void);

void sync(struct frame *f)
{
    ulong esr = READ(esr_el1);
    uint n = this_pe();
    if (EC(esr) != EC_SVC)
        kernel_lost(esr, f->elr);
    if ((esr & 0xffff) == SYS_ROUND) {
        pe[n].rounds = f->x[0];
        return;
    }
    WRITE(cntv_ctl_el0, 0);
    pe[n].wrong = f->x[0];
    __asm__ volatile("dmb sy" ::: "memory");
    pe[n].done = 1;
    if (!n)
        report();
    call(PSCI_CPU_OFF, 0, 0, 0);
}

/* ---- beginning and end
 * ---------------------------------------------------------------------------------------------------------------
 */

static _Noreturn void run_program(void)
{
    struct frame f = {.elr = (ulong)user_start}; /* SPSR 0: EL0, nothing masked */
    gic_begin();
    timer_begin();
    kernel_return(&f);
}

_Noreturn void kernel_other(void) { run_program(); }

/* The method of /psci in a flattened tree, as the string that nothing else in it is. A hypervisor gives no tree and answers HVC;
   loaders that do not tell where theirs is put it at the start of RAM. */
static int by_smc(const char *tree)
{
#ifdef GUEST
    return 0;
#endif
    const unsigned char *t = (const unsigned char *)(tree ? tree : (const char *)0x40000000ul);
    tree = (const char *)t;
    uint size = (uint)t[4] << 24 | (uint)t[5] << 16 | (uint)t[6] << 8 | t[7];
    for (uint i = 40; i + 4 <= size; i += 4)
        if (tree[i] == 's' && tree[i + 1] == 'm' && tree[i + 2] == 'c' && !tree[i + 3])
            return 1;
    return 0;
}

_Noreturn void kernel_main(ulong x0)
{
    call = by_smc((const char *)x0) ? call_smc : call_hvc;
    put_value("kernel: EL", READ(CurrentEL) >> 2);
    put_value(", PSCI ", call(PSCI_VERSION, 0, 0, 0));
    put_text(call == call_smc ? " by SMC" : " by HVC");
    if (call == call_smc)
        put_value(", the Secure service answers ", call(SECURE_SERVICE, 14, 0, 0));
    put_char('\n');
    for (uint n = 1; n < PES; n++)
        if (call(PSCI_CPU_ON, n, (ulong)kernel_second, n))
            break;
    run_program();
}

/* PE 0's is done: waits for those of the others. */
static _Noreturn void report(void)
{
    ulong wrong = 0, quiet = 0;
    for (uint n = 0; n < PES; n++) {
        if (n && call(PSCI_AFFINITY_INFO, n, 0, 0) == (ulong)PSCI_INVALID)
            break;
        while (!pe[n].done)
            __asm__ volatile("yield" ::: "memory");
        while (n && call(PSCI_AFFINITY_INFO, n, 0, 0) == 0)
            ;
        wrong += pe[n].wrong;
        quiet += !pe[n].ticks;
        put_value("PE ", n);
        put_value(": rounds ", pe[n].rounds);
        put_text(pe[n].ticks ? ", interrupts came" : ", no interrupt came");
        put_value(", wrong registers ", pe[n].wrong);
        put_char('\n');
    }
    put_text(wrong || quiet ? "kernel: something is wrong\n" : "kernel: all programs ran undisturbed\n");
    finish(wrong ? 1 : quiet ? 2 : 0);
}
