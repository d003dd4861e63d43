/*
 * The GIC's CPU interface in a PE: what the registers do that are not just kept (csr/arm/gic.c keeps the others), and the
 * interrupt lines that follow. The rest of the GIC is reached by messages (mem/gic.h) through cpu_env.controller.
 */
#ifndef TL_CPU_ARM_GIC_CPUIF_H
#define TL_CPU_ARM_GIC_CPUIF_H
#include "cpu/arm/pe.h"

/* sysreg_live.gic_read and gic_write: the LIVE rows of gic.def. */
uint64_t gic_read(struct pe *p, unsigned id);
uint32_t gic_write(struct pe *p, unsigned id, uint64_t value);
/* After a register of the interface, the level or the security state changed: the lines follow, and the distributor is told which
   groups are let through. */
void gic_changed(struct pe *p);
/* A message of the distributor (enum gic_to_cpu). */
void gic_signal(struct pe *p, unsigned what, uint64_t value);
/* A private peripheral interrupt of this PE changes its level: timers, performance monitors. */
void gic_ppi(struct pe *p, unsigned intid, bool level);

/* What holds back the interrupt that the distributor has set. */
enum gic_hold {
    GIC_SIGNALLED,    /* nothing: a line of the PE is high */
    GIC_NOTHING_SET,  /* there is none */
    GIC_GROUP_OFF,    /* ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1 */
    GIC_BELOW_MASK,   /* its priority is not above ICC_PMR_EL1 (4.8) */
    GIC_BELOW_RUNNING /* nor above the running priority (4.8.2, 4.8.3) */
};
enum gic_hold gic_hold(struct pe *p);
/* The running priority; GIC_IDLE: none. */
unsigned gic_running(struct pe *p);
/* Whether the interface lets this group through. */
bool gic_group_on(const struct pe *p, unsigned group);

/* ---- gic_virtual.c: the virtual CPU interface (IHI 0069H, 6) */

uint64_t gic_virtual_read(struct pe *p, unsigned id);
void gic_virtual_write(struct pe *p, unsigned id, uint64_t value);
/* LINE_VIRQ, LINE_VFIQ, LINE_VIRQ_SUPER as the list registers have them, and the maintenance interrupt brought up to date. */
uint64_t gic_virtual_lines(struct pe *p);

/* Shared by both. */
enum { GIC_IDLE = 0x100, GIC_INTID_MASK = 0xffffff, GIC_MAINTENANCE = 25 };
/* The preemption level of a priority is its upper bits: those binary point `bpr` leaves (4.8.3). */
static inline unsigned gic_group_mask(unsigned bpr) { return 0xff & (unsigned)(0xffu << (bpr + 1)); }
/* Which bit of the active-priority registers stands for a priority: bits of preemption are at most 7. */
static inline unsigned gic_active_shift(const struct pe *p)
{
    return 8 - (p->cfg->gic_prio < 7 ? (unsigned)p->cfg->gic_prio : 7);
}
void gic_tell(struct pe *p, unsigned what, uint64_t value);
/* Whether non-maskable interrupts are acknowledged by their own register: SCTLR_ELx.NMI (12.2, ICC_IAR1_EL1). */
bool gic_nmi_apart(const struct pe *p);
/* INTIDs that mean something else than an interrupt, or that there are none of. */
bool gic_is_special(const struct pe *p, uint64_t intid);
#endif
