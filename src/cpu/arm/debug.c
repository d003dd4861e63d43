#include "cpu/arm/debug.h"

#include "cpu/arm/access.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/trap.h"
#include "cpu/arm/walk.h"

#define MDSCR_SS          (UINT64_C(1) << 0)
#define MDSCR_KDE         (UINT64_C(1) << 13)
#define MDSCR_MDE         (UINT64_C(1) << 15)
#define MDCR_EL2_TDE      (UINT64_C(1) << 8)
#define MDCR_EL3_SDD      (UINT64_C(1) << 16)
#define OSLSR_OSLK        (UINT64_C(1) << 1)
#define OSDLR_DLK         1u
#define DBGPRCR_CORENPDRQ 1u /* keeps the double lock open */

/* Whether debug exceptions of the levels below EL2 go there. Arm ARM DebugTargetFrom. */
static bool target_is_el2(const struct pe *p)
{
    return el2_enabled(p) && ((p->s.regs.hcr_el2 & hcr_el2_TGE) || (p->s.regs.mdcr_el2 & MDCR_EL2_TDE));
}

bool debug_enabled_from(const struct pe *p, unsigned el, bool mask)
{
    const struct arm_regs *r = &p->s.regs;
    bool twice = arm_has(p->cfg, FEAT_DoubleLock) && (r->osdlr_el1 & OSDLR_DLK) && !(r->dbgprcr_el1 & DBGPRCR_CORENPDRQ);
    if ((r->oslsr_el1 & OSLSR_OSLK) || twice)
        return false;
    unsigned target = target_is_el2(p) ? 2 : 1;
    if (arm_has(p->cfg, FEAT_EL3) && secure_state(p, el) && (r->mdcr_el3 & MDCR_EL3_SDD))
        return false;
    return el == target ? (r->mdscr_el1 & MDSCR_KDE) && !mask : target > el;
}

static bool enabled(const struct pe *p) { return debug_enabled_from(p, p->el, p->s.pstate & PSTATE_D); }

uint64_t debug_return_ss(const struct pe *p, uint64_t spsr)
{
    if (likely(!(p->s.regs.mdscr_el1 & MDSCR_SS)))
        return 0;
    unsigned to = eret_illegal(p, spsr) ? p->el : (unsigned)(spsr & PSTATE_EL) >> PSTATE_EL_SHIFT;
    return !enabled(p) && debug_enabled_from(p, to, spsr & PSTATE_D) ? spsr & PSTATE_SS : 0;
}

/* ---- the software step. Arm ARM D2.12 ------------------------------------------------------------------------------------- */

static bool step_enabled(const struct pe *p) { return (p->s.regs.mdscr_el1 & MDSCR_SS) && enabled(p); }

enum { STEPPED_NOT, STEPPED, STEPPED_EXCLUSIVE };

void debug_advance(struct pe *p)
{
    if (p->s.regs.mdscr_el1 & MDSCR_SS)
        p->s.pstate &= ~(uint64_t)PSTATE_SS;
}

void debug_retreat(struct pe *p)
{
    if (step_enabled(p))
        p->s.pstate |= PSTATE_SS;
    p->s.stepped = STEPPED_NOT;
}

bool debug_stepping(const struct pe *p) { return (p->s.pstate & PSTATE_SS) && step_enabled(p); }

void debug_after(struct pe *p, bool stepping, bool taken, bool exclusive)
{
    p->s.stepped = STEPPED_NOT;
    if (taken || !stepping)
        return;
    debug_advance(p);
    if (step_enabled(p)) /* else the instruction has ended that, and no exception tells of it */
        p->s.stepped = exclusive ? STEPPED_EXCLUSIVE : STEPPED;
}

static void step_exception(struct pe *p)
{
    uint32_t how = p->s.stepped ? 1u << 24 | (uint32_t)(p->s.stepped == STEPPED_EXCLUSIVE) << 6 : 0;
    p->exc = (struct arm_exception){
        .ec = EC_SOFTWARE_STEP_LOWER, .el = p->el == 2 || target_is_el2(p) ? 2 : 1, .iss = how | FSC_DEBUG};
    p->s.stepped = STEPPED_NOT;
}

/* ---- breakpoints and watchpoints. Arm ARM D2.8, D2.10 ------------------------------------------------------------------------
 */

/* Fields that breakpoint and watchpoint controls have in the same places: E, PMC or PAC, HMC, SSC, LBN. */
static bool control_on(uint64_t c) { return c & 1; }
static unsigned control_pxc(uint64_t c) { return c >> 1 & 3; }
static unsigned control_hmc(uint64_t c) { return c >> 13 & 1; }
static unsigned control_ssc(uint64_t c) { return c >> 14 & 3; }
/* LBNX and LBN; LBNX is RES0 without FEAT_Debugv8p9. */
static unsigned control_lbn(uint64_t c) { return (unsigned)(bits_get(c, 31, 30) << 4 | bits_get(c, 19, 16)); }

/* Breakpoints or watchpoints from 16 on have an enable of their own. Arm ARM SelfHostedExtendedBPWPEnabled, IsBreakpointEnabled.
 */
unsigned debug_usable(const struct pe *p, uint64_t count)
{
    const struct arm_regs *r = &p->s.regs;
    bool off = (arm_has(p->cfg, FEAT_EL3) && !(r->mdcr_el3 & mdcr_el3_EBWE)) ||
               (el2_enabled(p) && !(r->mdcr_el2 & mdcr_el2_EBWE)) || !(r->mdscr_el1 & mdscr_el1_EMBWE);
    return count > 16 && off ? 16 : (unsigned)count;
}

/* Reserved combinations of HMC, SSC and PMC or PAC disable. Arm ARM CheckValidStateMatch. */
static bool state_reserved(const struct pe *p, unsigned hmc, unsigned ssc, unsigned pxc)
{
    const struct arm_config *c = p->cfg;
    bool el2 = arm_has(c, FEAT_EL2), el3 = arm_has(c, FEAT_EL3);
    unsigned all = hmc << 4 | ssc << 2 | pxc;
    if (all == 0x0e || (all & 0x1d) == 0x10 || all == 0x16 || (all & 0x1b) == 0x1a)
        return true;
    if (!hmc && !pxc && ssc != 3)
        return true;
    if (!el3 && !el2 && (hmc || ssc))
        return true;
    if (!el3 && (ssc == 1 || ssc == 2) && all != 0x14)
        return true;
    if ((!el3 && all == 0x18) || (!el2 && all == 0x1c))
        return true;
    return !arm_has(c, FEAT_SEL2) && (all == 0x0c || all == 0x14 || (all & 0x0d) == 0x0d);
}

static unsigned vmid_of(const struct pe *p, uint64_t v)
{
    bool wide = arm_has(p->cfg, FEAT_VMID16) && (p->s.regs.vtcr_el2 >> 19 & 1);
    return (unsigned)(v >> 48) & (wide ? 0xffff : 0xff);
}

static bool in_host(const struct pe *p) { return (p->el == 2 && (hcr_of(p) & hcr_el2_E2H)) || (p->el == 0 && el0_in_host(p)); }

/* The context ID or VMID part of a breakpoint. Arm ARM AArch64.BreakpointValueMatch. */
static bool context_matches(const struct pe *p, unsigned n)
{
    const struct arm_regs *r = &p->s.regs;
    uint64_t value = r->dbgbvr_el1[n];
    unsigned bt = r->dbgbcr_el1[n] >> 20 & 15;
    bool low = p->el < 2, match = true;
    if ((bt & 0xe) == 0x2)
        match =
            in_host(p) ? (uint32_t)r->contextidr_el2 == (uint32_t)value : low && (uint32_t)r->contextidr_el1 == (uint32_t)value;
    else if ((bt & 0xe) == 0xa || (bt & 6) == 6)
        match = low && !in_host(p) && (uint32_t)r->contextidr_el1 == (uint32_t)value;
    if ((bt & 0xc) == 0x8) {
        unsigned shown = (unsigned)(value >> 32) & (arm_has(p->cfg, FEAT_VMID16) && (r->vtcr_el2 >> 19 & 1) ? 0xffff : 0xff);
        match = match && low && el2_enabled(p) && !in_host(p) && vmid_of(p, r->vttbr_el2) == shown;
    } else if ((bt & 0xc) == 0xc) {
        match = match && p->el != 3 && el2_enabled(p) && (uint32_t)(value >> 32) == (uint32_t)r->contextidr_el2;
    }
    return match;
}

/* Reserved types disable. Arm ARM AArch64.ReservedBreakpointType. */
static bool type_reserved(const struct pe *p, unsigned n, unsigned bt)
{
    bool address = !(bt & 0xa);
    if (!address && !arm_context_aware(p->cfg, n))
        return true;
    if ((bt & 8) && !arm_has(p->cfg, FEAT_EL2))
        return true;
    if (((bt & 0xe) == 6 || (bt & 0xc) == 0xc) && !arm_has(p->cfg, FEAT_VHE) && !arm_has(p->cfg, FEAT_Debugv8p2))
        return true;
    return (bt & 0xe) == 4; /* address mismatch is for AArch32 */
}

static bool address_matches(const struct pe *p, unsigned n, uint64_t pc)
{
    unsigned top = arm_has(p->cfg, FEAT_LVA) ? 52 : 48;
    return bits_get(pc, top, 2) == bits_get(p->s.regs.dbgbvr_el1[n], top, 2);
}

/* A linked breakpoint: one that compares contexts and may be linked to. */
static bool linked_matches(const struct pe *p, unsigned n)
{
    if (n >= debug_usable(p, p->cfg->breakpoints) || !control_on(p->s.regs.dbgbcr_el1[n]))
        return false;
    unsigned bt = p->s.regs.dbgbcr_el1[n] >> 20 & 15;
    bool linkable = (bt & 3) == 3 || (bt & 9) == 9;
    return linkable && !type_reserved(p, n, bt) && context_matches(p, n);
}

static bool state_matches(const struct pe *p, uint64_t control, bool linked, unsigned el)
{
    unsigned hmc = control_hmc(control), ssc = control_ssc(control), pxc = control_pxc(control);
    if (state_reserved(p, hmc, ssc, pxc))
        return false;
    bool level;
    switch (el) {
    case 3: level = hmc && !(ssc & 1); break;
    case 2: level = (hmc && !(ssc == 2 && pxc == 0)) || ssc == 3; break;
    case 1: level = pxc & 1; break;
    default: level = pxc >> 1 & 1;
    }
    bool secure = secure_state(p, el),
         state = ssc == 0 || (ssc == 1 && !secure) || (ssc == 2 && secure) || (ssc == 3 && (hmc || secure));
    return level && state && (!linked || linked_matches(p, control_lbn(control)));
}

static bool breakpoint_matches(const struct pe *p, unsigned n, uint64_t pc)
{
    uint64_t c = p->s.regs.dbgbcr_el1[n];
    unsigned bt = c >> 20 & 15;
    if (!control_on(c) || (bt & 3) == 3 || (bt & 9) == 9 || type_reserved(p, n, bt))
        return false;
    bool value = !(bt & 0xa) ? address_matches(p, n, pc) : context_matches(p, n);
    return value && state_matches(p, c, (bt & 0xb) == 1, p->el);
}

static bool any_on(const uint64_t *control, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (control_on(control[i]))
            return true;
    }
    return false;
}

static bool points_on(const struct pe *p, const uint64_t *control, uint64_t count)
{
    return (p->s.regs.mdscr_el1 & MDSCR_MDE) && any_on(control, debug_usable(p, count)) && enabled(p);
}

bool debug_steps(const struct pe *p)
{
    if (likely(!(p->s.regs.mdscr_el1 & (MDSCR_SS | MDSCR_MDE))))
        return false;
    return step_enabled(p) || points_on(p, p->s.regs.dbgbcr_el1, p->cfg->breakpoints);
}

bool debug_watches(const struct pe *p)
{
    return unlikely(p->s.regs.mdscr_el1 & MDSCR_MDE) && points_on(p, p->s.regs.dbgwcr_el1, p->cfg->watchpoints);
}

bool debug_step_due(struct pe *p)
{
    if (!step_enabled(p) || (p->s.pstate & PSTATE_SS))
        return false;
    step_exception(p);
    return true;
}

bool debug_breakpoint_due(struct pe *p)
{
    if (!points_on(p, p->s.regs.dbgbcr_el1, p->cfg->breakpoints) || (p->s.pc & 3))
        return false;
    for (unsigned n = 0; n < debug_usable(p, p->cfg->breakpoints); n++) {
        if (!breakpoint_matches(p, n, p->s.pc))
            continue;
        /* An abort of the fetch comes first: there is nothing to be broken on. */
        if (!pe_fetch(p, p->s.pc, &p->slow.insn))
            return false;
        p->exc =
            (struct arm_exception){.ec = EC_BREAKPOINT_LOWER, .el = p->el == 2 || target_is_el2(p) ? 2 : 1, .iss = FSC_DEBUG};
        return true;
    }
    return false;
}

/* Arm ARM AArch64.WatchpointByteMatch. */
static bool byte_matches(const struct pe *p, unsigned n, uint64_t va)
{
    uint64_t value = p->s.regs.dbgwvr_el1[n], c = p->s.regs.dbgwcr_el1[n];
    unsigned bas = c >> 5 & 0xff, mask = c >> 24 & 31, bottom = value & 4 ? 2 : 3, top = arm_has(p->cfg, FEAT_LVA) ? 52 : 48;
    bool selected = bas >> (va & (bottom == 3 ? 7 : 3)) & 1;
    if (mask && bas != 0xff)
        selected = true; /* Unpredictable_WPMASKANDBAS: the mask decides */
    else if (bas && ((bas + (bas & -bas)) & ((bas + (bas & -bas)) - 1)) & 0xff)
        return false; /* Unpredictable_WPBASCONTIGUOUS: no match */
    if (mask == 1 || mask == 2)
        return false; /* Unpredictable_RESWPMASK: disabled */
    unsigned low = mask > bottom ? mask : bottom;
    return selected && bits_get(va, top, low) == bits_get(value, top, low);
}

/* Whether watchpoint n matches an access; *at: the lowest byte it watches of it. */
static bool watchpoint_matches(const struct pe *p, unsigned n, uint64_t va, unsigned size, bool load, bool store, unsigned el,
                               uint64_t *at)
{
    uint64_t c = p->s.regs.dbgwcr_el1[n];
    if (!control_on(c) || !((load && (c >> 3 & 1)) || (store && (c >> 4 & 1))) || !state_matches(p, c, c >> 20 & 1, el))
        return false;
    for (unsigned i = 0; i < size; i++) {
        *at = va + i;
        if (byte_matches(p, n, *at))
            return true;
    }
    return false;
}

/* ESR_ELx.WPT and WPTV, which is 1 with FEAT_Debugv8p9 and need not be before. Arm ARM D2.9.8.1, RWVSZS and RPVYNL. */
static uint32_t watchpoint_number(const struct pe *p, unsigned n)
{
    return arm_has(p->cfg, FEAT_Debugv8p9) ? n << 18 | 1u << 17 : 0;
}

/* The address told is the first of the access that is in the watched byte's block, which is as large as that of DC ZVA. Arm ARM
   D2.9.8.2.4, AArch64.WatchpointMatch. */
static uint64_t watchpoint_address(const struct pe *p, uint64_t va, uint64_t at)
{
    uint64_t block = at & ~(uint64_t)((1u << p->cfg->zva) - 1);
    return at - va > at - block ? block : va;
}

bool debug_watchpoint(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m)
{
    bool load = a == ACCESS_LOAD || m->atomic, store = a == ACCESS_STORE;
    if (m->cm && !store) /* of cache maintenance only invalidation is watched */
        return false;
    uint64_t at;
    for (unsigned n = 0; n < debug_usable(p, p->cfg->watchpoints); n++) {
        if (!watchpoint_matches(p, n, va, size, load, store, m->el, &at))
            continue;
        uint32_t wnr = m->cm || !((p->s.regs.dbgwcr_el1[n] >> 3 & 1) && load);
        p->exc = (struct arm_exception){.ec = EC_WATCHPOINT_LOWER,
                                        .el = p->el == 2 || target_is_el2(p) ? 2 : 1,
                                        .far_valid = true,
                                        .far = watchpoint_address(p, va, at),
                                        .iss = watchpoint_number(p, n) | FSC_DEBUG | wnr << 6 | (uint32_t)m->cm << 8};
        return true;
    }
    return false;
}
