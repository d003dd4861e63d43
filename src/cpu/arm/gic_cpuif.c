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

bool gic_nmi_apart(const struct pe *p) { return sctlr_of(p, regime_of(p, p->el)) & sctlr_el1_NMI; }

/* ---- active priorities
 * -------------------------------------------------------------------------------------------------------------- */

/* One word of a group's active-priority registers. */
static uint64_t *active_word(struct pe *p, enum gic_group g, unsigned n)
{
    struct arm_regs *r = &p->s.regs;
    return g == GIC_G0 ? &r->icc_ap0r_el1[n] : &r->icc_ap1r_el1[n][g == GIC_G1NS];
}

/* A priority, and whether a non-maskable interrupt has it: of equal ones that is the higher (4.9). */
struct level {
    unsigned priority; /* GIC_IDLE: none */
    bool nmi;
};
static bool above(struct level a, struct level b)
{
    return a.priority < b.priority || (a.priority == b.priority && a.nmi && !b.nmi);
}

/* What non-maskable interrupts of group 1 have for a priority. */
static unsigned nmi_priority(const struct pe *p, enum gic_group g) { return g == GIC_G1NS && !p->s.gic.one_state ? 0x80 : 0; }

static bool nmi_active(struct pe *p, enum gic_group g) { return g != GIC_G0 && (*active_word(p, g, 0) & icc_ap1r_el1_NMI); }

/* The highest active priority of a group. */
static struct level active_of(struct pe *p, enum gic_group g)
{
    if (nmi_active(p, g))
        return (struct level){nmi_priority(p, g), true};
    for (unsigned n = 0; n < APRS; n++) {
        uint32_t w = (uint32_t)*active_word(p, g, n);
        if (w)
            return (struct level){(32 * n + (unsigned)__builtin_ctz(w)) << gic_active_shift(p), false};
    }
    return (struct level){GIC_IDLE, false};
}

/* The running priority (4.8.2) and whose it is. */
static struct level running(struct pe *p, enum gic_group *g)
{
    struct level best = {GIC_IDLE, false};
    *g = GIC_GROUPS;
    for (unsigned i = 0; i < GIC_GROUPS; i++) {
        struct level a = active_of(p, (enum gic_group)i);
        if (above(a, best)) {
            best = a;
            *g = (enum gic_group)i;
        }
    }
    return best;
}

static void drop(struct pe *p, enum gic_group g)
{
    if (nmi_active(p, g)) {
        *active_word(p, g, 0) &= ~icc_ap1r_el1_NMI;
        return;
    }
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

bool gic_group_on(const struct pe *p, unsigned g)
{
    const struct arm_regs *r = &p->s.regs;
    return (g == GIC_G0 ? r->icc_igrpen0_el1 : r->icc_igrpen1_el1[g == GIC_G1NS]) & 1;
}

/* There is an interrupt, and its group is enabled. */
static bool pending(const struct pe *p) { return p->s.gic.set && gic_group_on(p, gic_pending_group(p->s.gic.set)); }

/* Its priority is above the mask. That of a non-maskable interrupt always is, but for a Non-secure one while the mask is one of
   the Secure state's (4.9). */
static bool above_mask(const struct pe *p)
{
    unsigned mask = (unsigned)p->s.regs.icc_pmr_el1, priority = gic_pending_priority(p->s.gic.set);
    if (!gic_pending_nmi(p->s.gic.set))
        return priority < mask;
    return priority < 0x80 || (secure(p) ? mask > 0x80 : mask >= 0x80);
}

/* Whether it has sufficient priority to be signalled (4.8). */
enum gic_hold gic_hold(struct pe *p)
{
    enum gic_group whose;
    if (!pending(p))
        return p->s.gic.set ? GIC_GROUP_OFF : GIC_NOTHING_SET;
    if (!above_mask(p))
        return GIC_BELOW_MASK;
    unsigned mask = preemption_mask(p, gic_pending_group(p->s.gic.set));
    struct level now = running(p, &whose), it = {gic_pending_priority(p->s.gic.set) & mask, gic_pending_nmi(p->s.gic.set)};
    now.priority &= now.priority == GIC_IDLE ? GIC_IDLE : mask;
    return above(it, now) ? GIC_SIGNALLED : GIC_BELOW_RUNNING;
}

static bool signalled(struct pe *p) { return gic_hold(p) == GIC_SIGNALLED; }

unsigned gic_running(struct pe *p)
{
    enum gic_group whose;
    return running(p, &whose).priority;
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

/* ICC_IAR0_EL1, ICC_IAR1_EL1; nmiar: ICC_NMIAR1_EL1, which takes non-maskable interrupts, and nothing else. */
static uint32_t acknowledge(struct pe *p, bool group1, bool nmiar)
{
    uint32_t intid = signalled(p) ? shown(p, group1) : GIC_NONE;
    bool nmi = gic_pending_nmi(p->s.gic.set);
    if (gic_is_special(p, intid) || (nmiar && !nmi))
        return gic_is_special(p, intid) ? intid : GIC_NONE;
    if (nmi && !nmiar && gic_nmi_apart(p))
        return GIC_NMI;
    enum gic_group g = gic_pending_group(p->s.gic.set);
    if (nmi) {
        *active_word(p, g, 0) |= icc_ap1r_el1_NMI;
        gic_tell(p, GIC_ACTIVATE, intid);
        return intid;
    }
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
    if (gic_is_special(p, intid) || running(p, &g).priority == GIC_IDLE)
        return;
    if (group1 != (g != GIC_G0) || (is_secure_interrupt(p, g) && !secure(p)) ||
        (g == GIC_G1NS && !p->s.gic.one_state && p->el < 3 && secure(p)))
        return;
    drop(p, g);
    if (!split(p))
        deactivate(p, intid);
}

/* 12.2.20: the Non-secure view, while FIQs belong to EL3; and whether non-maskable interrupts are active. */
static uint64_t running_priority(struct pe *p)
{
    enum gic_group g;
    unsigned now = running(p, &g).priority;
    bool one = p->s.gic.one_state, s = secure(p);
    bool nmi = nmi_active(p, s && !one ? GIC_G1S : GIC_G1NS), of_ns = arm_has(p->cfg, FEAT_EL3) && s && nmi_active(p, GIC_G1NS);
    uint64_t flags = (nmi ? icc_rpr_el1_NMI : 0) | (of_ns ? icc_rpr_el1_NMI_NS : 0);
    if (now == GIC_IDLE)
        return 0xff;
    if (arm_has(p->cfg, FEAT_EL3) && p->el < 3 && !s && (p->s.regs.scr_el3 & scr_el3_FIQ))
        now = now & 0x80 ? now << 1 & 0xff : 0;
    return flags | now;
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
    case SR_icc_iar0_el1: value = acknowledge(p, false, false); break;
    case SR_icc_iar1_el1: value = acknowledge(p, true, false); break;
    case SR_icc_nmiar1_el1: value = acknowledge(p, true, true); break;
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

/* As IRQ or as FIQ (4.6.2, "Interrupt assignment to IRQ and FIQ signals"); as an IRQ a non-maskable one has Superpriority. */
static uint64_t physical_lines(struct pe *p)
{
    if (!signalled(p))
        return 0;
    uint64_t irq = LINE_IRQ | (gic_pending_nmi(p->s.gic.set) ? LINE_IRQ_SUPER : 0u);
    switch (gic_pending_group(p->s.gic.set)) {
    case GIC_G1NS: return secure(p) && arm_has(p->cfg, FEAT_EL3) ? LINE_FIQ : irq;
    case GIC_G1S: return secure(p) && p->el < 3 ? irq : LINE_FIQ;
    default: return LINE_FIQ;
    }
}

void gic_changed(struct pe *p)
{
    const uint64_t all = LINE_IRQ | LINE_FIQ | LINE_IRQ_SUPER | LINE_VIRQ | LINE_VFIQ | LINE_VIRQ_SUPER;
    uint8_t enables = 0;
    if (!arm_has(p->cfg, FEAT_GICv3))
        return;
    for (unsigned g = 0; g < GIC_GROUPS; g++)
        enables |= (uint8_t)(gic_group_on(p, g) << g);
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
        p->s.gic.set = arm_has(p->cfg, FEAT_NMI) ? value : value & ~GIC_PENDING_NMI;
    else if (what == GIC_STATES)
        p->s.gic.one_state = value & 1;
    gic_changed(p);
}

void gic_ppi(struct pe *p, unsigned intid, bool level) { gic_tell(p, GIC_PPI, intid | (uint64_t)level << 32); }
