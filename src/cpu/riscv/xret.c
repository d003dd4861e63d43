/* Returns from traps, ecall, and the waiting instructions. priv 3.3; hypervisor 9.6.5; smrnmi; cfi; unpriv Zawrs. */
#include "cpu/riscv/trap.h"

/* The encodings, which an illegal- or virtual-instruction exception puts into tval. */
enum {
    INSN_SRET = 0x10200073,
    INSN_MRET = 0x30200073,
    INSN_MNRET = 0x70200073,
    INSN_WFI = 0x10500073,
    INSN_WRS_NTO = 0x00d00073
};

static bool refuse(struct hart *h, uint64_t cause, uint32_t insn)
{
    h->trap = (struct trap){.cause = cause, .tval = insn};
    return false;
}

/* Goes to xepc in the new mode. pelp: xPELP. */
static void go_back(struct hart *h, uint64_t xepc, uint8_t priv, uint8_t v, bool pelp)
{
    uint64_t epc = h->s.pc;
    uint8_t from_priv = h->s.priv, from_v = h->s.v;
    counters_event(h, EV_RETURN);
    h->s.elp = pelp && landing_pads(h, priv, v);
    /* xepc[1] reads as zero where instructions are 4-byte aligned, also here (priv 3.1.14). */
    h->s.pc = xepc & (h->ialign16 ? ~UINT64_C(1) : ~UINT64_C(3));
    trap_change_mode(h, priv, v, 1);
    if (unlikely(trap_is_watched(h)))
        tell_change(h, NULL, epc, from_priv, from_v);
}

/* What Smdbltrp and Ssdbltrp add to leaving M by mret or mnret (priv 3.1.6.2). SDT is dead storage while DTE is 0, so DTE needs
 * no look. */
static void leave_m(struct hart *h, uint8_t priv, uint8_t v)
{
    struct rv_csrs *r = &h->s.csr;
    r->mstatus &= ~MSTATUS_MPRV;
    if (v || priv == RV_U)
        r->mstatus &= ~MSTATUS_SDT;
    if (v && priv == RV_U)
        r->vsstatus &= ~MSTATUS_SDT;
}

bool do_mret(struct hart *h)
{
    struct rv_csrs *r = &h->s.csr;
    if (unlikely(h->s.priv != RV_M))
        return refuse(h, EXC_ILLEGAL, INSN_MRET);
    uint64_t m = r->mstatus;
    uint8_t priv = m >> MPP_SHIFT & 3;
    uint8_t v = priv != RV_M && (m & MSTATUS_MPV);
    bool pelp = (m & MSTATUS_MPELP) != 0;
    uint64_t mie = (m & MSTATUS_MPIE) >> PIE_FROM_IE;
    uint64_t least = rv_has(h->cfg, EXT_U) ? 0 : MSTATUS_MPP;
    m &= ~(MSTATUS_MIE | MSTATUS_MPP | MSTATUS_MPV | MSTATUS_MPELP | MSTATUS_MDT);
    r->mstatus = m | mie | MSTATUS_MPIE | least;
    if (priv != RV_M)
        leave_m(h, priv, v);
    go_back(h, r->mepc, priv, v, pelp);
    return true;
}

bool do_mnret(struct hart *h)
{
    struct rv_csrs *r = &h->s.csr;
    if (h->s.priv != RV_M || !rv_has(h->cfg, EXT_Smrnmi))
        return refuse(h, EXC_ILLEGAL, INSN_MNRET);
    uint64_t m = r->mnstatus;
    uint8_t priv = m >> MNPP_SHIFT & 3;
    uint8_t v = priv != RV_M && (m & MNSTATUS_MNPV);
    r->mnstatus = m | MNSTATUS_NMIE;
    if (priv != RV_M) {
        r->mstatus &= ~MSTATUS_MDT;
        leave_m(h, priv, v);
    }
    go_back(h, r->mnepc, priv, v, (m & MNSTATUS_MNPELP) != 0);
    return true;
}

/* SIE=SPIE, SPIE=1, SPP=U, SPELP=0, SDT=0 (priv 3.1.6.1; supervisor 12.1.1.5; cfi). */
static inline uint64_t sret_status(uint64_t m)
{
    uint64_t sie = (m & MSTATUS_SPIE) >> PIE_FROM_IE;
    m &= ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_SPELP | MSTATUS_SDT);
    return m | sie | MSTATUS_SPIE;
}

static bool sret_in_guest(struct hart *h)
{
    struct rv_csrs *r = &h->s.csr;
    if (h->s.priv == RV_U || (r->hstatus & HSTATUS_VTSR))
        return refuse(h, EXC_VIRTUAL, INSN_SRET);
    uint64_t m = r->vsstatus;
    r->vsstatus = sret_status(m);
    r->mstatus &= ~MSTATUS_MPRV;
    go_back(h, r->vsepc, m >> SPP_SHIFT & 1, 1, (m & MSTATUS_SPELP) != 0);
    return true;
}

bool do_sret(struct hart *h)
{
    struct rv_csrs *r = &h->s.csr;
    if (h->s.v)
        return sret_in_guest(h);
    uint64_t m = r->mstatus;
    if (unlikely(h->s.priv == RV_U || !rv_has(h->cfg, EXT_S) || (h->s.priv == RV_S && (m & MSTATUS_TSR))))
        return refuse(h, EXC_ILLEGAL, INSN_SRET);
    uint8_t priv = m >> SPP_SHIFT & 1;
    uint8_t v = (r->hstatus & HSTATUS_SPV) != 0;
    r->hstatus &= ~HSTATUS_SPV;
    r->mstatus = sret_status(m) & ~MSTATUS_MPRV;
    if (h->s.priv == RV_M)
        r->mstatus &= ~MSTATUS_MDT;
    if (v && priv == RV_U)
        r->vsstatus &= ~MSTATUS_SDT;
    go_back(h, r->sepc, priv, v, (m & MSTATUS_SPELP) != 0);
    return true;
}

void do_ecall(struct hart *h)
{
    uint64_t cause = h->s.priv == RV_S && h->s.v ? EXC_ECALL_VS : (uint64_t)EXC_ECALL_U + h->s.priv;
    h->trap = (struct trap){.cause = cause};
}

bool do_wfi(struct hart *h, enum wait_kind kind)
{
    const struct rv_csrs *r = &h->s.csr;
    bool wfi = kind == WAIT_WFI;
    if (h->s.priv == RV_M || kind == WAIT_WRS_STO)
        return true;
    uint32_t insn = wfi ? INSN_WFI : INSN_WRS_NTO;
    if (r->mstatus & MSTATUS_TW)
        return refuse(h, EXC_ILLEGAL, insn);
    if (h->s.v && ((r->hstatus & HSTATUS_VTW) || (wfi && h->s.priv == RV_U)))
        return refuse(h, EXC_VIRTUAL, insn);
    if (wfi && !h->s.v && h->s.priv == RV_U && rv_has(h->cfg, EXT_S))
        return refuse(h, EXC_ILLEGAL, insn); /* priv 3.1.6.6: with S-mode there, wfi in U has to end within the limit */
    return true;
}
