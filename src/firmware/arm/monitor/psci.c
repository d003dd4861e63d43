/* PSCI (DEN 0022D): PEs of one cluster that are on or off; nothing is suspended deeper than by WFI. */
#include "monitor.h"

enum { OFF, PENDING, ON };
static struct {
    volatile ulong state, entry, context;
} pe[PES];

/* How many PEs there are: up to the redistributor that says it is the last. */
static uint pes(void)
{
    uint n = 0;
    while (n + 1 < PES && !(*(volatile uint *)(0x080a0008ul + 0x20000ul * n) & 0x10))
        n++;
    return n + 1;
}

void psci_on(void) { pe[this_pe()].state = ON; }

void psci_wait(void)
{
    struct frame f;
    uint n = this_pe();
    while (pe[n].state != PENDING)
        __asm__ volatile("wfe" ::: "memory");
    pe[n].state = ON;
    world_begin(&f, pe[n].entry, pe[n].context);
    leave(&f);
}

/* The PE of an affinity, or PES. */
static uint pe_of(ulong affinity)
{
    affinity &= 0xff00fffffful;
    return affinity < pes() ? (uint)affinity : PES;
}

static long cpu_on(const ulong *x)
{
    uint n = pe_of(x[1]);
    if (n == PES)
        return PSCI_INVALID;
    if (pe[n].state != OFF)
        return pe[n].state == ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
    if (x[2] & 3 || x[2] < 0x40000000ul)
        return PSCI_INVALID_ADDRESS;
    pe[n].entry = x[2];
    pe[n].context = x[3];
    pe[n].state = PENDING;
    __asm__ volatile("dsb sy\n\tsev" ::: "memory");
    return 0;
}

static long affinity_info(const ulong *x)
{
    uint n = pe_of(x[1]);
    if (n == PES || x[2])
        return PSCI_INVALID;
    return pe[n].state == ON ? 0 : pe[n].state == OFF ? 1 : 2;
}

static long features(uint f)
{
    switch (f) {
    case PSCI_VERSION:
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND & ~0x40000000u:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_CPU_ON & ~0x40000000u:
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO & ~0x40000000u:
    case PSCI_MIGRATE_INFO:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
    case SMCCC_VERSION: return 0;
    default: return PSCI_NOT_SUPPORTED;
    }
}

/* Turns this PE off. Its interrupts are somebody else's from now on. */
static _Noreturn void cpu_off(void)
{
    pe[this_pe()].state = OFF;
    off_again();
}

int psci_call(struct frame *f)
{
    ulong *x = f->x, r = 0;
    uint id = (uint)x[0];
    if (!(id & 0x40000000u)) /* of the 32-bit convention */
        for (uint i = 1; i < 4; i++)
            x[i] = (uint)x[i];
    switch (features(id) ? id : id & ~0x40000000u) {
    case PSCI_VERSION:
    case SMCCC_VERSION: r = 0x10001; break;
    case PSCI_FEATURES: r = (ulong)features((uint)x[1]); break;
    case SMCCC_ARCH_FEATURES:
        r = (uint)x[1] == SMCCC_VERSION || (uint)x[1] == SMCCC_ARCH_FEATURES ? 0 : (ulong)PSCI_NOT_SUPPORTED;
        break;
    case PSCI_MIGRATE_INFO: r = 2; break;
    case PSCI_CPU_ON & ~0x40000000u: r = (ulong)cpu_on(x); break;
    case PSCI_AFFINITY_INFO & ~0x40000000u: r = (ulong)affinity_info(x); break;
    case PSCI_CPU_SUSPEND & ~0x40000000u: __asm__ volatile("dsb sy\n\twfi" ::: "memory"); break;
    case PSCI_CPU_OFF: cpu_off();
    case PSCI_SYSTEM_OFF: power_off(); break;
    case PSCI_SYSTEM_RESET: restart(); break;
    default: return 0;
    }
    x[0] = r;
    return 1;
}
