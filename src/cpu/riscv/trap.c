/*
 * Trap entry: the only place where a trap becomes state. priv 3.1.6.1, 3.1.8; hypervisor 9.6.3; smdbltrp, ssdbltrp, smrnmi, cfi.
 *
 * An LR/SC reservation survives traps and returns; the next SC decides by address alone (unpriv Zalrsc permits both). A handler
 * that switches contexts breaks it by an SC of its own, as the manual asks it to.
 */
#include "cpu/riscv/trap.h"

/* What a guest-page fault alone writes to mtval2 and htval; other traps write zero (hypervisor 9.2.8, 9.4.4). */
#define GUEST_FAULTS \
    (UINT64_C(1) << EXC_INSN_GUEST_PAGE | UINT64_C(1) << EXC_LOAD_GUEST_PAGE | UINT64_C(1) << EXC_STORE_GUEST_PAGE)

static unsigned mode_bit(uint8_t priv, uint8_t v) { return 1u << (v << 2 | priv); }

/* xLPE of every mode (priv "Landing-Pad-Enabled State"). */
static uint8_t landing_pad_modes(const struct hart *h)
{
    const struct rv_csrs *r = &h->s.csr;
    unsigned in = 0;
    in |= r->mseccfg & MSECCFG_MLPE ? mode_bit(RV_M, 0) : 0;
    in |= r->menvcfg & ENVCFG_LPE ? mode_bit(RV_S, 0) : 0;
    in |= r->henvcfg & ENVCFG_LPE ? mode_bit(RV_S, 1) : 0;
    in |= (rv_has(h->cfg, EXT_S) ? r->senvcfg : r->menvcfg) & ENVCFG_LPE ? mode_bit(RV_U, 0) | mode_bit(RV_U, 1) : 0;
    return (uint8_t)in;
}

bool landing_pads(const struct hart *h, uint8_t priv, uint8_t v) { return (landing_pad_modes(h) & mode_bit(priv, v)) != 0; }

void hart_mode_changed(struct hart *h)
{
    h->lpe_in = landing_pad_modes(h);
    trap_enter_mode(h);
}

void hart_set_mode(struct hart *h, uint8_t priv, uint8_t v) { trap_change_mode(h, priv, v, 0); }

static uint64_t interrupt_bit(const struct hart *h) { return UINT64_C(1) << (h->cfg->xlen - 1); }

/* Where xtvec sends a trap (priv 3.1.7). */
static uint64_t vector(const struct hart *h, uint64_t tvec, bool interrupt, uint64_t cause)
{
    uint64_t base = tvec & ~UINT64_C(3);
    if (!interrupt || !(tvec & MTVEC_VECTORED))
        return base;
    uint64_t pc = base + 4 * cause;
    return h->cfg->xlen == 32 ? (uint32_t)pc : pc;
}

/* Enters the RNMI handler from privilege priv, v (smrnmi "RNMI Operation"). */
static void enter_rnmi(struct hart *h, uint64_t cause, uint8_t priv, uint8_t v)
{
    struct rv_csrs *r = &h->s.csr;
    r->mnepc = h->s.pc;
    r->mncause = cause;
    r->mnstatus &= ~(MNSTATUS_MNPP | MNSTATUS_MNPV | MNSTATUS_MNPELP | MNSTATUS_NMIE);
    r->mnstatus |= (uint64_t)priv << MNPP_SHIFT | (uint64_t)v << MNPV_SHIFT | (uint64_t)h->s.elp << MNPELP_SHIFT;
    h->s.elp = 0;
    h->s.pc = h->cfg->nmi_rnmi_vector;
    trap_change_mode(h, RV_M, 0, 0);
}

/* What Smdbltrp and Smrnmi add to a trap into M. True if the trap is delivered as usual, with the handler's address in *pc; false
   if it went elsewhere (priv 3.1.6.2, smrnmi "RNMI Operation"). */
static bool guarded_entry(struct hart *h, const struct trap *t, uint64_t cause, uint64_t *pc)
{
    struct rv_csrs *r = &h->s.csr;
    bool smrnmi = rv_has(h->cfg, EXT_Smrnmi);
    bool nmie = (r->mnstatus & MNSTATUS_NMIE) != 0;
    bool in_rnmi = smrnmi && !nmie && h->s.priv == RV_M;
    if (rv_has(h->cfg, EXT_Smdbltrp)) {
        if ((r->mstatus & MSTATUS_MDT) || in_rnmi) {
            if (smrnmi && nmie)
                enter_rnmi(h, cause, RV_M, 0); /* the mode is told as M, whatever it was */
            else
                h->s.halted = 1; /* critical error: nothing else changes */
            return false;
        }
        r->mstatus |= MSTATUS_MDT;
    }
    if (in_rnmi && !t->interrupt)
        *pc = h->cfg->nmi_exception_vector;
    return true;
}

/* cause: the value for mcause. */
static void enter_m(struct hart *h, const struct trap *t, uint64_t cause, uint64_t tval2)
{
    struct rv_csrs *r = &h->s.csr;
    uint64_t pc = vector(h, r->mtvec, t->interrupt && cause != EXC_DOUBLE_TRAP, t->cause);
    if (unlikely(rv_has(h->cfg, EXT_Smdbltrp) || rv_has(h->cfg, EXT_Smrnmi))) {
        if (!guarded_entry(h, t, cause, &pc))
            return;
    }
    uint64_t m = r->mstatus;
    uint64_t mpie = (m & MSTATUS_MIE) << PIE_FROM_IE;
    m &= ~(MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPV | MSTATUS_GVA | MSTATUS_MPELP);
    r->mstatus = m | mpie | (uint64_t)h->s.priv << MPP_SHIFT | (uint64_t)h->s.v << MPV_SHIFT | (uint64_t)t->gva << MGVA_SHIFT |
                 (uint64_t)h->s.elp << MPELP_SHIFT;
    r->mepc = h->s.pc;
    r->mcause = cause;
    r->mtval = t->tval;
    r->mtval2 = tval2;
    r->mtinst = t->tinst;
    h->s.elp = 0;
    h->s.pc = pc;
    trap_change_mode(h, RV_M, 0, 0);
}

/* An unexpected trap of a mode below M: delivered to M as a double trap, whatever is delegated (supervisor 12.1.1.5). */
static void enter_m_double(struct hart *h, const struct trap *t)
{
    enter_m(h, t, EXC_DOUBLE_TRAP, t->cause | (t->interrupt ? interrupt_bit(h) : 0));
}

/* The status word of a mode that is entered at S or VS level; false if SDT says that this is a double trap. */
static inline bool enter_status(const struct hart *h, uint64_t *status, bool dte)
{
    uint64_t m = *status;
    if (dte) {
        if (unlikely(m & MSTATUS_SDT))
            return false;
        m |= MSTATUS_SDT;
    }
    uint64_t spie = (m & MSTATUS_SIE) << PIE_FROM_IE;
    m &= ~(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPELP);
    *status = m | spie | (uint64_t)h->s.priv << SPP_SHIFT | (uint64_t)h->s.elp << SPELP_SHIFT;
    return true;
}

static void enter_hs(struct hart *h, const struct trap *t, uint64_t tval2)
{
    struct rv_csrs *r = &h->s.csr;
    if (unlikely(!enter_status(h, &r->mstatus, (r->menvcfg & ENVCFG_DTE) != 0))) {
        enter_m_double(h, t);
        return;
    }
    /* Without H both hstatus and what is written to it are zero. */
    uint64_t v = h->s.v, spvp = (uint64_t)h->s.priv << SPVP_SHIFT;
    uint64_t hs = r->hstatus & ~(HSTATUS_GVA | HSTATUS_SPV);
    hs = v ? (hs & ~HSTATUS_SPVP) | spvp : hs;
    r->hstatus = hs | v << SPV_SHIFT | (uint64_t)t->gva << HGVA_SHIFT;
    r->sepc = h->s.pc;
    r->scause = t->cause | (t->interrupt ? interrupt_bit(h) : 0);
    r->stval = t->tval;
    r->htval = tval2;
    r->htinst = t->tinst;
    h->s.elp = 0;
    h->s.pc = vector(h, r->stvec, t->interrupt, t->cause);
    trap_change_mode(h, RV_S, 0, 0);
}

static void enter_vs(struct hart *h, const struct trap *t)
{
    struct rv_csrs *r = &h->s.csr;
    if (unlikely(!enter_status(h, &r->vsstatus, (r->menvcfg & r->henvcfg & ENVCFG_DTE) != 0))) {
        enter_m_double(h, t);
        return;
    }
    uint64_t cause = t->cause;
    r->vscause = cause;
    if (t->interrupt) {
        cause -= MIP_VS >> cause & 1; /* seen from VS they are the supervisor's own (hypervisor 9.2.2) */
        r->vscause = cause | interrupt_bit(h);
    }
    r->vsepc = h->s.pc;
    r->vstval = t->tval;
    h->s.elp = 0;
    h->s.pc = vector(h, r->vstvec, t->interrupt, cause);
    trap_change_mode(h, RV_S, 1, 0);
}

static inline void route_trap(struct hart *h, const struct trap *t)
{
    const struct rv_csrs *r = &h->s.csr;
    uint64_t code = UINT64_C(1) << (t->cause & 63);
    uint64_t tval2 = !t->interrupt && (code & GUEST_FAULTS) ? t->tval2 : 0;
    counters_event(h, t->interrupt ? EV_INTERRUPT : EV_EXCEPTION);
    h->s.waiting = 0;
    if (unlikely(t->nmi)) {
        enter_rnmi(h, t->cause | interrupt_bit(h), h->s.priv, h->s.v);
    } else if (h->s.priv == RV_M || !((t->interrupt ? r->mideleg : r->medeleg) & code)) {
        enter_m(h, t, t->cause | (t->interrupt ? interrupt_bit(h) : 0), tval2);
    } else if (h->s.v && ((t->interrupt ? r->hideleg : r->hedeleg) & code)) {
        enter_vs(h, t);
    } else {
        enter_hs(h, t, tval2);
    }
}

void tell_change(struct hart *h, const struct trap *t, uint64_t epc, uint8_t priv, uint8_t v)
{
    struct cpu_change change = {
        .is_return = !t, .within = !t, .priv = priv, .v = v, .to_priv = h->s.priv, .to_v = h->s.v, .epc = epc, .pc = h->s.pc};
    if (t) {
        change.interrupt = t->interrupt;
        change.nmi = t->nmi;
        change.gva = t->gva;
        change.cause = t->cause;
        change.tval = t->tval;
        change.tval2 = t->tval2;
        change.tinst = t->tinst;
    }
    h->cpu.env->trapped(h->cpu.env_ctx, &h->cpu, &change);
}

/* Out of line: a run that nobody watches keeps nothing of the mode the trap came from. */
static __attribute__((noinline)) void take_watched(struct hart *h, const struct trap *t)
{
    uint64_t epc = h->s.pc;
    uint8_t priv = h->s.priv, v = h->s.v;
    route_trap(h, t);
    if (!h->s.halted) /* a critical error (Smdbltrp) changes nothing and is not told */
        tell_change(h, t, epc, priv, v);
}

void take_trap(struct hart *h, const struct trap *t)
{
    if (unlikely(trap_is_watched(h)))
        take_watched(h, t);
    else
        route_trap(h, t);
}
