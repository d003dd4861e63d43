/* Asynchronous exceptions, the generic timers, events. Arm ARM D1.3.6, D11 "The Generic Timer in AArch64 state". */
#include "cpu/arm/regime.h"
#include "cpu/arm/trap.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/timer.h"

enum { PENDING_F = 1, PENDING_I = 2, PENDING_SE = 4 };

/* Bits of a mask in the order above, from registers that have F, I, A in three neighbouring bits: PSTATE 6-8, HCR_EL2 3-5 (FMO,
   IMO, AMO), 6-8 (VF, VI, VSE). SCR_EL3 has IRQ 1, FIQ 2, EA 3. */
static unsigned of_pstate(uint64_t v) { return v >> 6 & 7; }
static unsigned of_hcr_route(uint64_t v) { return v >> 3 & 7; }
static unsigned of_hcr_virtual(uint64_t v) { return v >> 6 & 7; }
static unsigned of_scr(uint64_t v) { return (unsigned)(v >> 2 & 1) | (unsigned)(v >> 1 & 1) << 1 | (unsigned)(v >> 3 & 1) << 2; }

static unsigned physical_pending(const struct pe *p)
{
    uint64_t lines = lines_high(p->s.lines);
    return (lines & LINE_FIQ ? PENDING_F : 0) | (lines & LINE_IRQ ? PENDING_I : 0) | (p->s.serror ? PENDING_SE : 0);
}

/* The level a physical one is taken to. Arm ARM AArch64.TakePhysicalIRQException and the like. */
static uint8_t physical_target(const struct pe *p, unsigned which)
{
    uint64_t hcr = hcr_of(p);
    if (arm_has(p->cfg, FEAT_EL3) && (of_scr(p->s.regs.scr_el3) & which))
        return 3;
    if (p->el == 3)
        return 3;
    if (p->el == 2 || (el2_enabled(p) && ((hcr & hcr_el2_TGE) || (of_hcr_route(hcr) & which))))
        return 2;
    return 1;
}

/* Which routing bits are in effect for EL2. */
static unsigned el2_routes(uint64_t hcr)
{
    if (hcr & hcr_el2_TGE)
        return hcr & hcr_el2_E2H ? 0 : 7;
    return of_hcr_route(hcr);
}

/* Of those, by FEAT_NMI, which PSTATE.I and F do not mask: IRQs and FIQs with Superpriority. */
static unsigned physical_super(const struct pe *p) { return lines_high(p->s.lines) & LINE_IRQ_SUPER ? PENDING_I : 0; }
static unsigned virtual_super(const struct pe *p)
{
    uint64_t hcr = hcr_of(p), hcrx = hcrx_of(p);
    bool irq = (hcr & hcr_el2_VI) && (hcrx & hcrx_el2_VINMI), fiq = (hcr & hcr_el2_VF) && (hcrx & hcrx_el2_VFNMI);
    return (irq || (lines_high(p->s.lines) & LINE_VIRQ_SUPER) ? PENDING_I : 0) | (fiq ? PENDING_F : 0);
}

/* Where a physical SError goes with FEAT_DoubleFault2; 0: it is masked. Arm ARM AArch64.PhysicalSErrorTarget, D1.4.6.2. */
static uint8_t serror_target(const struct pe *p)
{
    uint64_t hcr = hcr_of(p), scr = arm_has(p->cfg, FEAT_EL3) ? p->s.regs.scr_el3 : 0;
    unsigned home = p->el ? p->el : el0_in_host(p) ? 2 : 1; /* where it is taken if nothing sends it elsewhere */
    bool a = p->s.pstate & PSTATE_A, tge = hcr & hcr_el2_TGE, amo = hcr & hcr_el2_AMO;
    if (p->el < 3 && (scr & scr_el3_EA))
        return 3;
    if (home == 1 && (amo || tge))
        return 2;
    bool nmea = home == 3 ? (scr & scr_el3_NMEA) != 0 : (sctlr2_of(p, home) & sctlr2_el1_NMEA) != 0;
    bool elsewhere = p->el == 3 ? !(scr & scr_el3_EA) : p->el == 2 && !tge && !amo, masked = (a || elsewhere) && !nmea;
    bool held = masked || (a && (p->el == 1 || p->el == 2));
    if (home == 1 && held && masked_errors_to_el2(p))
        return 2;
    if (p->el < 3 && held && (scr & scr_el3_TMEA))
        return 3;
    return masked ? 0 : (uint8_t)home;
}

/* Arm ARM D1.4.6.4, AArch64.PendingUnmaskedPhysicalInterrupts. */
static unsigned physical_unmasked(const struct pe *p)
{
    unsigned mask = of_pstate(p->s.pstate), pending = physical_pending(p), all = 0;
    if (likely(!pending))
        return 0;
    uint64_t hcr = hcr_of(p), scr = p->s.regs.scr_el3, sctlr = sctlr_of(p, regime_of(p, p->el));
    if (arm_has(p->cfg, FEAT_DoubleFault) && p->el == 3 && (scr & (scr_el3_EA | scr_el3_NMEA)) == (scr_el3_EA | scr_el3_NMEA))
        mask &= ~(unsigned)PENDING_SE;
    if (unlikely(sctlr & sctlr_el1_NMI)) {
        if (p->el == 0 || !all_int_mask(p, sctlr))
            mask &= ~physical_super(p);
        else
            all = (physical_target(p, PENDING_I) == p->el ? PENDING_I : 0) |
                  (physical_target(p, PENDING_F) == p->el ? PENDING_F : 0);
    }
    if (el2_enabled(p)) {
        unsigned routes = el2_routes(hcr);
        if (p->el < 2)
            mask &= ~routes;
        else if (p->el == 2 && !(hcr & hcr_el2_TGE))
            mask |= ~routes;
    }
    if (arm_has(p->cfg, FEAT_EL3))
        mask = p->el != 3 ? mask & ~of_scr(scr) : mask | ~of_scr(scr);
    if (arm_has(p->cfg, FEAT_DoubleFault2) && (pending & PENDING_SE))
        mask = serror_target(p) ? mask & ~(unsigned)PENDING_SE : mask | PENDING_SE;
    return pending & ~(mask | all);
}

/* Virtual interrupts that HCR_EL2 and the virtual CPU interface make pending. */
static unsigned virtual_pending(const struct pe *p)
{
    uint64_t hcr = hcr_of(p);
    if (p->el >= 2 || (hcr & hcr_el2_TGE))
        return 0;
    uint64_t high = lines_high(p->s.lines);
    unsigned lines = (high & LINE_VFIQ ? PENDING_F : 0) | (high & LINE_VIRQ ? PENDING_I : 0);
    return (of_hcr_virtual(hcr) | lines) & (of_hcr_route(hcr) | (masked_errors_to_el2(p) ? PENDING_SE : 0u));
}

/* Arm ARM AArch64.PendingUnmaskedVirtualInterrupts. */
static unsigned virtual_unmasked(const struct pe *p)
{
    unsigned mask = of_pstate(p->s.pstate), pending = virtual_pending(p);
    uint64_t sctlr = p->s.regs.sctlr_el1;
    if (pending && unlikely(sctlr & sctlr_el1_NMI)) {
        if (p->el == 0 || !all_int_mask(p, sctlr))
            mask &= ~virtual_super(p);
        else
            mask |= PENDING_I | PENDING_F;
    }
    return pending & ~mask;
}

static void choose(const struct pe *p, unsigned which, bool virtual, struct arm_exception *e)
{
    static const uint8_t type[] = {[PENDING_F] = EXCEPTION_FIQ, [PENDING_I] = EXCEPTION_IRQ, [PENDING_SE] = EXCEPTION_SERROR};
    *e = (struct arm_exception){.type = type[which], .virtual = virtual, .el = virtual ? 1 : physical_target(p, which)};
    if (which == PENDING_SE) {
        if (!virtual && arm_has(p->cfg, FEAT_DoubleFault2))
            e->el = serror_target(p);
        e->ec = EC_SERROR;
        e->iss = (uint32_t)(virtual ? p->s.regs.vsesr_el2 : p->s.serror_iss) & 0x1ffffff;
    }
}

bool pe_pending(struct pe *p, struct arm_exception *e)
{
    if (likely(!pe_irq_look(p)))
        return false;
    unsigned v = virtual_unmasked(p), f = physical_unmasked(p);
    if (!(v | f))
        return false;
    unsigned set = v ? v : f; /* FIQ before IRQ before SError (IMPLEMENTATION DEFINED) */
    choose(p, set & PENDING_F ? PENDING_F : set & PENDING_I ? PENDING_I : PENDING_SE, v != 0, e);
    return true;
}

void pe_took(struct pe *p, const struct arm_exception *e)
{
    if (e->type == EXCEPTION_IRQ || e->type == EXCEPTION_FIQ) {
        uint64_t line = e->type == EXCEPTION_IRQ ? (e->virtual ? LINE_VIRQ : LINE_IRQ) : e->virtual ? LINE_VFIQ : LINE_FIQ;
        if (p->s.lines & line << LINE_PULSE)
            p->s.lines &= ~(line << LINE_INJECTED | line << LINE_PULSE);
    }
    if (e->type != EXCEPTION_SERROR)
        return;
    if (e->virtual)
        p->s.regs.hcr_el2 &= ~hcr_el2_VSE; /* Arm ARM AArch64.TakeVirtualSErrorException */
    else
        p->s.serror = 0;
}

/* InterruptPending: what ends WFI, whatever PSTATE masks. */
static bool interrupt_pending(const struct pe *p) { return physical_pending(p) || virtual_pending(p); }

static bool timed_out(const struct pe *p) { return p->s.wait_until != UINT64_MAX && timer_virtual_count(p) >= p->s.wait_until; }

/* A profiling exception that is not masked wakes, as the manual recommends (IVPTQY). */
bool pe_wakes(struct pe *p)
{
    if (timed_out(p) || pmu_exception(p))
        return true;
    if (p->s.waiting == WAITING_WFI)
        return interrupt_pending(p);
    return timer_event(p) || physical_unmasked(p) || virtual_unmasked(p);
}

void pe_event(struct pe *p)
{
    p->s.event = 1;
    if (p->s.waiting)
        p->cpu.resync = true;
}

void pe_line(struct pe *p, unsigned line, bool level)
{
    uint64_t bit = UINT64_C(1) << line;
    p->s.lines = level ? p->s.lines | bit : p->s.lines & ~bit;
    p->cpu.resync = true;
}

void pe_esb(struct pe *p)
{
    /* Arm ARM "ESB": a pending SError that is masked here is taken over into DISR_EL1. */
    struct arm_regs *r = &p->s.regs;
    const uint64_t disr_a = UINT64_C(1) << 31;
    uint64_t hcr = hcr_of(p);
    bool v = p->el < 2 && ((hcr & hcr_el2_AMO) || masked_errors_to_el2(p)) && !(hcr & hcr_el2_TGE);
    if (p->s.serror && !(physical_unmasked(p) & PENDING_SE)) {
        r->disr_el1 = disr_a | p->s.serror_iss;
        p->s.serror = 0;
    }
    if (v && (r->hcr_el2 & hcr_el2_VSE) && !(virtual_unmasked(p) & PENDING_SE)) {
        r->vdisr_el2 = disr_a | (r->vsesr_el2 & 0x1ffffff);
        r->hcr_el2 &= ~hcr_el2_VSE;
    }
}

void pe_deadline(struct pe *p)
{
    uint64_t a = timer_update(p), b = timer_wait(p), c = pmu_update(p);
    p->deadline = a < b ? a : b;
    p->deadline = c < p->deadline ? c : p->deadline;
    if (p->s.waiting && p->s.trap_at && p->s.trap_at < p->deadline)
        p->deadline = p->s.trap_at;
}
