/*
 * The physical CPU interface (Arm GIC Architecture Specification, IHI 0069H, 4 and 12.2).
 *
 * The distributor says which pending interrupt is first (Set). It is signalled if its group is enabled, its priority is above the
 * mask, and it preempts what is active. What is active is in the active-priority registers alone.
 */
#include "cpu/arm/gic_cpuif.h"
#include "cpu/arch.h"
#include "cpu/arm/regime.h"
#include "csr/arm/masks.h"
#include "mem/gic.h"

#define APRS 4

static bool secure(const struct pe *p) { return secure_state(p, p->el); }

void gic_tell(struct pe *p, unsigned what, uint64_t value)
{
    if (p->cpu.env && p->cpu.env->controller)
        p->cpu.env->controller(p->cpu.env_ctx, &p->cpu, what, value);
}

bool gic_is_special(const struct pe *p, uint64_t intid)
{
    return (intid >= GIC_SPECIAL && intid < GIC_LPI) || intid >> p->cfg->gic_id_bits;
}

/* ---- active priorities
 * -------------------------------------------------------------------------------------------------------------- */

/* One word of a group's active-priority registers. */
static uint64_t *active_word(struct pe *p, enum gic_group g, unsigned n)
{
    struct arm_regs *r = &p->s.regs;
    return g == GIC_G0 ? &r->icc_ap0r_el1[n] : &r->icc_ap1r_el1[n][g == GIC_G1NS];
}

/* The highest active priority of a group, GIC_IDLE: none. */
static unsigned active_of(struct pe *p, enum gic_group g)
{
    for (unsigned n = 0; n < APRS; n++) {
        uint32_t w = (uint32_t)*active_word(p, g, n);
        if (w)
            return (32 * n + (unsigned)__builtin_ctz(w)) << gic_active_shift(p);
    }
    return GIC_IDLE;
}

/* The running priority (4.8.2) and whose it is. */
static unsigned running(struct pe *p, enum gic_group *g)
{
    unsigned best = GIC_IDLE;
    *g = GIC_GROUPS;
    for (unsigned i = 0; i < GIC_GROUPS; i++) {
        unsigned a = active_of(p, (enum gic_group)i);
        if (a < best) {
            best = a;
            *g = (enum gic_group)i;
        }
    }
    return best;
}

static void drop(struct pe *p, enum gic_group g)
{
    for (unsigned n = 0; n < APRS; n++) {
        uint64_t *w = active_word(p, g, n);
        if (*w) {
            *w &= *w - 1;
            return;
        }
    }
}

/* The bits of a priority that decide about preemption (4.8.3): Non-secure group 1 has one less for subpriorities than its binary
   point says, and with CBPR group 1 has the one of group 0. */
static unsigned preemption_mask(const struct pe *p, enum gic_group g)
{
    const struct arm_regs *r = &p->s.regs;
    bool ns = g == GIC_G1NS;
    if (g == GIC_G0 || (r->icc_ctlr_el1[ns] & icc_ctlr_el1_CBPR))
        return gic_group_mask((unsigned)r->icc_bpr0_el1);
    unsigned bpr = (unsigned)r->icc_bpr1_el1[ns];
    return gic_group_mask(ns && bpr ? bpr - 1 : bpr);
}

/* ---- what is pending
 * ---------------------------------------------------------------------------------------------------------------- */

static bool group_on(const struct pe *p, enum gic_group g)
{
    const struct arm_regs *r = &p->s.regs;
    return (g == GIC_G0 ? r->icc_igrpen0_el1 : r->icc_igrpen1_el1[g == GIC_G1NS]) & 1;
}

/* There is an interrupt, and its group is enabled. */
static bool pending(const struct pe *p) { return p->s.gic.set && group_on(p, gic_pending_group(p->s.gic.set)); }

/* It has sufficient priority to be signalled (4.8). */
static bool signalled(struct pe *p)
{
    if (!pending(p))
        return false;
    unsigned priority = gic_pending_priority(p->s.gic.set);
    enum gic_group whose;
    if (priority >= (unsigned)p->s.regs.icc_pmr_el1)
        return false;
    unsigned now = running(p, &whose), mask = preemption_mask(p, gic_pending_group(p->s.gic.set));
    return now == GIC_IDLE || (priority & mask) < (now & mask);
}

/* Two security states, so that Secure interrupts are none of the Non-secure state's business. */
static bool is_secure_interrupt(const struct pe *p, enum gic_group g) { return !p->s.gic.one_state && g != GIC_G1NS; }

/* Whose acknowledgement or highest pending interrupt register (group 0, group 1) shows the pending interrupt, and as
   what: 12.2.11, 12.2.14 and the pseudocode of ICC_HPPIRn_EL1. At EL3 group 0 registers tell that another group's is pending. */
static uint32_t shown(const struct pe *p, bool group1)
{
    enum gic_group g = gic_pending_group(p->s.gic.set);
    bool its = is_secure_interrupt(p, g);
    if (!pending(p) || (its && !secure(p)))
        return GIC_NONE;
    if (!group1 && g != GIC_G0)
        return p->el < 3 ? GIC_NONE : its ? GIC_SECURE_ONLY : GIC_NS_ONLY;
    if (group1 && (g == GIC_G0 || (!its && !p->s.gic.one_state && p->el < 3 && secure(p))))
        return GIC_NONE;
    return gic_pending_intid(p->s.gic.set);
}

static uint32_t acknowledge(struct pe *p, bool group1)
{
    uint32_t intid = signalled(p) ? shown(p, group1) : GIC_NONE;
    if (gic_is_special(p, intid))
        return intid;
    enum gic_group g = gic_pending_group(p->s.gic.set);
    unsigned level = (gic_pending_priority(p->s.gic.set) & preemption_mask(p, g)) >> gic_active_shift(p);
    *active_word(p, g, level / 32) |= UINT64_C(1) << level % 32;
    gic_tell(p, GIC_ACTIVATE, intid);
    return intid;
}

/* EOImode of the present level: the end of an interrupt is the priority drop alone. */
static bool split(const struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    return p->el == 3 ? r->icc_ctlr_el3 & icc_ctlr_el3_EOImode_EL3 : r->icc_ctlr_el1[!secure(p)] & icc_ctlr_el1_EOImode;
}

static void deactivate(struct pe *p, uint64_t intid) { gic_tell(p, GIC_DEACTIVATE, intid | (uint64_t)!secure(p) << 62); }

/* ICC_EOIRn_EL1: what is highest must be of a group this register ends in this state. */
static void end(struct pe *p, uint64_t value, bool group1)
{
    uint64_t intid = value & GIC_INTID_MASK;
    enum gic_group g;
    if (gic_is_special(p, intid) || running(p, &g) == GIC_IDLE)
        return;
    if (group1 != (g != GIC_G0) || (is_secure_interrupt(p, g) && !secure(p)) ||
        (g == GIC_G1NS && !p->s.gic.one_state && p->el < 3 && secure(p)))
        return;
    drop(p, g);
    if (!split(p))
        deactivate(p, intid);
}

/* 12.2.20: the Non-secure view, while FIQs belong to EL3. */
static uint64_t running_priority(struct pe *p)
{
    enum gic_group g;
    unsigned now = running(p, &g);
    if (now == GIC_IDLE)
        return 0xff;
    if (arm_has(p->cfg, FEAT_EL3) && p->el < 3 && !secure(p) && (p->s.regs.scr_el3 & scr_el3_FIQ))
        return now & 0x80 ? now << 1 & 0xff : 0;
    return now;
}

static void send_sgi(struct pe *p, enum gic_group g, uint64_t value)
{
    value &= ~(UINT64_C(0xff) << 56);
    gic_tell(p, GIC_SGI, value | (uint64_t)g << 60 | (uint64_t)!secure(p) << 62);
}

/* ---- registers
 * ---------------------------------------------------------------------------------------------------------------------- */

uint64_t gic_read(struct pe *p, unsigned id)
{
    uint64_t value;
    switch (id) {
    case SR_icc_iar0_el1: value = acknowledge(p, false); break;
    case SR_icc_iar1_el1: value = acknowledge(p, true); break;
    case SR_icc_hppir0_el1: return shown(p, false);
    case SR_icc_hppir1_el1: return shown(p, true);
    case SR_icc_rpr_el1: return running_priority(p);
    default: value = gic_virtual_read(p, id); break;
    }
    gic_changed(p);
    return value;
}

uint32_t gic_write(struct pe *p, unsigned id, uint64_t value)
{
    switch (id) {
    case SR_icc_eoir0_el1: end(p, value, false); break;
    case SR_icc_eoir1_el1: end(p, value, true); break;
    case SR_icc_dir_el1:
        if (split(p) && !gic_is_special(p, value & GIC_INTID_MASK))
            deactivate(p, value & GIC_INTID_MASK);
        break;
    case SR_icc_sgi0r_el1: send_sgi(p, GIC_G0, value); break;
    case SR_icc_sgi1r_el1: send_sgi(p, secure(p) ? GIC_G1S : GIC_G1NS, value); break;
    case SR_icc_asgi1r_el1: send_sgi(p, secure(p) ? GIC_G1NS : GIC_G1S, value); break;
    default: gic_virtual_write(p, id, value); break;
    }
    gic_changed(p);
    return 0;
}

/* As IRQ or as FIQ (4.6.2, "Interrupt assignment to IRQ and FIQ signals"). */
static uint64_t physical_lines(struct pe *p)
{
    if (!signalled(p))
        return 0;
    switch (gic_pending_group(p->s.gic.set)) {
    case GIC_G1NS: return secure(p) && arm_has(p->cfg, FEAT_EL3) ? LINE_FIQ : LINE_IRQ;
    case GIC_G1S: return secure(p) && p->el < 3 ? LINE_IRQ : LINE_FIQ;
    default: return LINE_FIQ;
    }
}

void gic_changed(struct pe *p)
{
    const uint64_t all = LINE_IRQ | LINE_FIQ | LINE_VIRQ | LINE_VFIQ;
    uint8_t enables = 0;
    if (!arm_has(p->cfg, FEAT_GICv3))
        return;
    for (unsigned g = 0; g < GIC_GROUPS; g++)
        enables |= (uint8_t)(group_on(p, (enum gic_group)g) << g);
    if (enables != p->s.gic.enables) {
        p->s.gic.enables = enables;
        gic_tell(p, GIC_ENABLES, enables);
    }
    uint64_t virtual = gic_virtual_lines(p); /* first: the maintenance interrupt may be what is signalled */
    uint64_t lines = (p->s.lines & ~all) | physical_lines(p) | virtual;
    if (lines & ~p->s.lines)
        p->cpu.resync = true;
    p->s.lines = lines;
}

void gic_signal(struct pe *p, unsigned what, uint64_t value)
{
    if (what == GIC_SET)
        p->s.gic.set = value;
    else if (what == GIC_STATES)
        p->s.gic.one_state = value & 1;
    gic_changed(p);
}

void gic_ppi(struct pe *p, unsigned intid, bool level) { gic_tell(p, GIC_PPI, intid | (uint64_t)level << 32); }
