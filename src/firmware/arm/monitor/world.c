/* The two worlds of a PE: general registers, where it goes on, and the registers of EL1 and EL0, which both states use (Arm ARM
 * D1.2.2: there is one copy of them). EL2's are the Non-secure state's alone. */
#include "monitor.h"

#define REGISTERS(X)  \
    X(sctlr_el1)      \
    X(ttbr0_el1)      \
    X(ttbr1_el1)      \
    X(tcr_el1)        \
    X(mair_el1)       \
    X(amair_el1)      \
    X(vbar_el1)       \
    X(cpacr_el1)      \
    X(contextidr_el1) \
    X(tpidr_el0)      \
    X(tpidrro_el0)    \
    X(tpidr_el1)      \
    X(sp_el0)         \
    X(sp_el1)         \
    X(elr_el1)        \
    X(spsr_el1)       \
    X(esr_el1)        \
    X(far_el1)        \
    X(par_el1)        \
    X(afsr0_el1)      \
    X(afsr1_el1)      \
    X(cntkctl_el1)    \
    X(csselr_el1)

struct world {
    struct frame f;
#define MEMBER(r) ulong r;
    REGISTERS(MEMBER)
};

static struct world secure[PES], nonsecure[PES];

static void save(struct world *w, const struct frame *f)
{
    w->f = *f;
#define SAVE(r) w->r = READ(r);
    REGISTERS(SAVE)
}

static void restore(const struct world *w, struct frame *f)
{
    *f = w->f;
#define RESTORE(r) WRITE(r, w->r);
    REGISTERS(RESTORE)
}

static int has(uint shift) { return (READ(id_aa64pfr0_el1) >> shift & 15) != 0; }

#define SCTLR_EL1_RES1 0x30d00980ul
#define SCTLR_EL2_RES1 0x30c50830ul
#define SCR_NONSECURE  ((ulong)SCR_PERMIT | SCR_RW | SCR_HCE | SCR_NS | SCR_PERMIT_HIGH)

/* EL2 as after a reset, but that its virtual identity is the real one. */
static void begin_el2(void)
{
    WRITE(S3_4_C12_C9_5, 15); /* ICC_SRE_EL2 */
    WRITE(sctlr_el2, SCTLR_EL2_RES1);
    WRITE(hcr_el2, (uint)HCR_RW);
    WRITE(vttbr_el2, 0);
    WRITE(cntvoff_el2, 0);
    WRITE(cnthctl_el2, 3);
    WRITE(vpidr_el2, READ(midr_el1));
    WRITE(vmpidr_el2, READ(mpidr_el1));
}

void world_begin(struct frame *f, ulong entry, ulong arg)
{
    uint n = this_pe(), level = has(8) ? 2 : 1;
    struct world *s = &secure[n];
    *s = (struct world){.f = {.elr = (ulong)service_entry, .spsr = SPSR_EL1H, .scr = SCR_PERMIT | SCR_RW | SCR_SIF},
                        .sctlr_el1 = SCTLR_EL1_RES1};
    s->f.elr += 4; /* behind the call by which it says that it waits */
    *f = (struct frame){.x = {arg}, .elr = entry, .spsr = level == 2 ? SPSR_EL2H : SPSR_EL1H, .scr = SCR_NONSECURE};
    WRITE(scr_el3, f->scr);
    WRITE(sctlr_el1, SCTLR_EL1_RES1);
    WRITE(cpacr_el1, 0);
    WRITE(ICC_SRE_EL1, 7);
    if (level == 2)
        begin_el2();
    __asm__ volatile("tlbi vmalle1\n\tdsb sy\n\tisb");
}

/* To the service with the caller's x1; back with its x1 as the result. */
void world_change(struct frame *f)
{
    uint n = this_pe();
    if (f->scr & SCR_NS) {
        ulong operand = f->x[1];
        save(&nonsecure[n], f);
        restore(&secure[n], f);
        f->x[1] = operand;
    } else {
        ulong result = f->x[1];
        save(&secure[n], f);
        restore(&nonsecure[n], f);
        f->x[0] = result;
    }
}
