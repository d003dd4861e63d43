/*
 * The virtual CPU interface (IHI 0069H, 6 and 12.3, 12.4): list registers instead of a distributor, ICH_VMCR_EL2 instead of the
 * ICC registers, ICH_APnR_EL2 for what is active. An end of interrupt that deactivates a list register with HW set deactivates
 * the physical interrupt behind it.
 */
#include "base/bits.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/gic_cpuif.h"
#include "cpu/arm/regime.h"
#include "csr/arm/masks.h"
#include "mem/gic.h"

#define APRS 4
enum { INACTIVE, PENDING, ACTIVE, PENDING_ACTIVE };

static unsigned lr_state(uint64_t lr) { return (unsigned)(lr >> 62); }
static unsigned lr_group(uint64_t lr) { return lr >> 60 & 1; }
/* Non-maskable interrupts are of group 1; their priority counts as 0, and before others of 0 (12.4, ICH_LR<n>_EL2.NMI). */
static bool lr_nmi(uint64_t lr) { return (lr & ich_lr_el2_NMI) && lr_group(lr); }
static unsigned lr_priority(uint64_t lr) { return lr_nmi(lr) ? 0 : lr >> 48 & 0xff; }
static bool lr_hw(uint64_t lr) { return lr >> 61 & 1; }
static uint64_t *lr_of(struct pe *p, unsigned n) { return &p->s.regs.ich_lr_el2[n]; }
static unsigned lrs(const struct pe *p) { return (unsigned)p->cfg->gic_lrs; }
static uint64_t vmcr(const struct pe *p) { return p->s.regs.ich_vmcr_el2; }

static bool group_on(const struct pe *p, unsigned group) { return vmcr(p) & (group ? ich_vmcr_el2_VENG1 : ich_vmcr_el2_VENG0); }

static unsigned preemption_mask(const struct pe *p, unsigned group)
{
    unsigned bpr0 = vmcr(p) >> 21 & 7, bpr1 = vmcr(p) >> 18 & 7;
    if (!group || (vmcr(p) & ich_vmcr_el2_VCBPR))
        return gic_group_mask(bpr0);
    return gic_group_mask(bpr1 && !secure_state(p, p->el) ? bpr1 - 1 : bpr1);
}

/* ---- active priorities
 * -------------------------------------------------------------------------------------------------------------- */

static uint64_t *active_word(struct pe *p, unsigned group, unsigned n)
{
    return group ? &p->s.regs.ich_ap1r_el2[n] : &p->s.regs.ich_ap0r_el2[n];
}

static bool nmi_active(const struct pe *p) { return p->s.regs.ich_ap1r_el2[0] & ich_ap1r_el2_NMI; }

static unsigned running(struct pe *p)
{
    if (nmi_active(p))
        return 0;
    for (unsigned n = 0; n < APRS; n++) {
        uint32_t w = (uint32_t)(*active_word(p, 0, n) | *active_word(p, 1, n));
        if (w)
            return (32 * n + (unsigned)__builtin_ctz(w)) << gic_active_shift(p);
    }
    return GIC_IDLE;
}

/* Drops the highest active priority. Returns it. */
static unsigned drop(struct pe *p)
{
    unsigned now = running(p), bit = now >> gic_active_shift(p);
    if (now == GIC_IDLE)
        return now;
    if (nmi_active(p)) {
        p->s.regs.ich_ap1r_el2[0] &= ~ich_ap1r_el2_NMI;
        return now;
    }
    uint64_t *w0 = active_word(p, 0, bit / 32), *w1 = active_word(p, 1, bit / 32), mask = UINT64_C(1) << bit % 32;
    if (*w0 & mask)
        *w0 &= ~mask;
    else
        *w1 &= ~mask;
    return now;
}

/* ---- what is pending
 * ---------------------------------------------------------------------------------------------------------------- */

/* The list register of the pending interrupt of highest priority whose group is enabled, or -1. */
static int highest(struct pe *p)
{
    unsigned best = 2 * GIC_IDLE;
    int found = -1;
    for (unsigned n = 0; n < lrs(p); n++) {
        uint64_t lr = *lr_of(p, n);
        unsigned key = 2 * lr_priority(lr) + !lr_nmi(lr);
        if (lr_state(lr) == PENDING && group_on(p, lr_group(lr)) && key < best) {
            best = key;
            found = (int)n;
        }
    }
    return found;
}

/* ICH_HCR_EL2.En keeps interrupts from being signalled and acknowledged; ICV_HPPIRn_EL1 shows them all the same (12.4). */
static bool signalled(struct pe *p, int n)
{
    if (n < 0 || !(p->s.regs.ich_hcr_el2 & ich_hcr_el2_En))
        return false;
    uint64_t lr = *lr_of(p, (unsigned)n);
    unsigned mask = preemption_mask(p, lr_group(lr)), now = running(p);
    if (lr_nmi(lr))
        return !nmi_active(p);
    if (lr_priority(lr) >= (vmcr(p) >> 24 & 0xff))
        return false;
    return now == GIC_IDLE || (lr_priority(lr) & mask) < (now & mask);
}

static uint32_t shown(struct pe *p, unsigned group)
{
    int n = highest(p);
    if (n < 0 || lr_group(*lr_of(p, (unsigned)n)) != group)
        return GIC_NONE;
    return (uint32_t)*lr_of(p, (unsigned)n);
}

/* LPIs have no active state: their list register becomes free. */
static uint32_t acknowledge(struct pe *p, unsigned group, bool nmiar)
{
    int n = highest(p);
    if (!signalled(p, n) || lr_group(*lr_of(p, (unsigned)n)) != group)
        return GIC_NONE;
    uint64_t *lr = lr_of(p, (unsigned)n);
    uint32_t intid = (uint32_t)*lr;
    if (gic_is_special(p, intid))
        return intid;
    if (nmiar && !lr_nmi(*lr))
        return GIC_NONE;
    if (lr_nmi(*lr) && !nmiar && gic_nmi_apart(p))
        return GIC_NMI;
    unsigned level = (lr_priority(*lr) & preemption_mask(p, group)) >> gic_active_shift(p);
    *active_word(p, group, level / 32) |= lr_nmi(*lr) ? ich_ap1r_el2_NMI : UINT64_C(1) << level % 32;
    *lr = bits_set(*lr, 63, 62, intid >= GIC_LPI ? INACTIVE : ACTIVE);
    return intid;
}

/* ---- the end of an interrupt
 * ------------------------------------------------------------------------------------------------------------- */

static int find_active(struct pe *p, uint64_t intid)
{
    for (unsigned n = 0; n < lrs(p); n++)
        if ((uint32_t)*lr_of(p, n) == intid && (lr_state(*lr_of(p, n)) & ACTIVE))
            return (int)n;
    return -1;
}

static void deactivate(struct pe *p, unsigned n)
{
    uint64_t *lr = lr_of(p, n), physical = *lr >> 32 & 0x1fff;
    if (lr_hw(*lr) && !gic_is_special(p, physical))
        gic_tell(p, GIC_DEACTIVATE, physical | (uint64_t)!secure_state(p, p->el) << 62);
    *lr = bits_set(*lr, 63, 62, lr_state(*lr) & ~(unsigned)ACTIVE);
}

/* ICH_HCR_EL2.EOIcount counts deactivations that no list register had (12.4.5). */
static void count(struct pe *p)
{
    uint64_t *hcr = &p->s.regs.ich_hcr_el2;
    *hcr = bits_set(*hcr, 31, 27, (*hcr >> 27) + 1);
}

static void end(struct pe *p, uint64_t value, unsigned group)
{
    uint64_t intid = value & GIC_INTID_MASK;
    if (gic_is_special(p, intid))
        return;
    bool nmi = nmi_active(p);
    unsigned dropped = drop(p);
    int n = find_active(p, intid);
    if (dropped == GIC_IDLE || (vmcr(p) & ich_vmcr_el2_VEOIM))
        return;
    if (n < 0) {
        if (intid < GIC_LPI)
            count(p);
        return;
    }
    uint64_t lr = *lr_of(p, (unsigned)n);
    if (lr_group(lr) == group && lr_nmi(lr) == nmi && (lr_priority(lr) & preemption_mask(p, group)) == dropped)
        deactivate(p, (unsigned)n);
}

static void end_split(struct pe *p, uint64_t value)
{
    uint64_t intid = value & GIC_INTID_MASK;
    if (!(vmcr(p) & ich_vmcr_el2_VEOIM) || gic_is_special(p, intid) || intid >= GIC_LPI)
        return;
    int n = find_active(p, intid);
    if (n < 0)
        count(p);
    else
        deactivate(p, (unsigned)n);
}

/* ---- registers and lines
 * ------------------------------------------------------------------------------------------------------------ */

uint64_t gic_virtual_read(struct pe *p, unsigned id)
{
    unsigned now = running(p);
    switch (id) {
    case SR_icv_iar0_el1: return acknowledge(p, 0, false);
    case SR_icv_iar1_el1: return acknowledge(p, 1, false);
    case SR_icv_nmiar1_el1: return acknowledge(p, 1, true);
    case SR_icv_hppir0_el1: return shown(p, 0);
    case SR_icv_hppir1_el1: return shown(p, 1);
    case SR_icv_rpr_el1: return (now == GIC_IDLE ? 0xff : now) | (nmi_active(p) ? icv_rpr_el1_NMI : 0);
    default: return 0;
    }
}

void gic_virtual_write(struct pe *p, unsigned id, uint64_t value)
{
    switch (id) {
    case SR_icv_eoir0_el1: end(p, value, 0); break;
    case SR_icv_eoir1_el1: end(p, value, 1); break;
    case SR_icv_dir_el1: end_split(p, value); break;
    default: break;
    }
}

uint64_t gic_virtual_lines(struct pe *p)
{
    if (!arm_has(p->cfg, FEAT_EL2))
        return 0;
    int n = highest(p);
    bool maintenance = p->s.regs.ich_hcr_el2 & ich_hcr_el2_En && sysreg_read(&p->ctx, SR_ich_misr_el2);
    if (maintenance != p->s.gic.maintenance) {
        p->s.gic.maintenance = maintenance;
        gic_ppi(p, GIC_MAINTENANCE, maintenance);
    }
    if (!signalled(p, n))
        return 0;
    uint64_t lr = *lr_of(p, (unsigned)n);
    return lr_nmi(lr) ? LINE_VIRQ | LINE_VIRQ_SUPER : lr_group(lr) ? LINE_VIRQ : LINE_VFIQ;
}
