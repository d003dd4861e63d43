/*
 * "Is it gated now": asked after existence and privilege level. What would be refused in HS-mode, too, is an illegal instruction;
 * what only a hypervisor or supervisor register refuses while V=1 is a virtual instruction (hypervisor 6.1).
 */
#include "csr/riscv/internal.h"

#define GATE(name)       enum csr_result gate_##name(const struct csr_ctx *c, const struct csr_entry *e, bool write)
#define UNUSED_GATE_ARGS (void)e, (void)write

/* FS off is always an illegal instruction, never a virtual one (hypervisor 6.1). */
GATE(fs)
{
    UNUSED_GATE_ARGS;
    if (!(c->r->mstatus & mstatus_FS))
        return CSR_ILLEGAL;
    return c->v && !(c->r->vsstatus & vsstatus_FS) ? CSR_ILLEGAL : CSR_OK;
}

/* cfi, Shadow Stack Pointer CSR access control. */
GATE(ssp)
{
    UNUSED_GATE_ARGS;
    if (c->priv == RV_M)
        return CSR_OK;
    if (!(c->r->menvcfg & menvcfg_SSE))
        return CSR_ILLEGAL;
    if (!c->v)
        return c->priv == RV_U && !(c->r->senvcfg & senvcfg_SSE) ? CSR_ILLEGAL : CSR_OK;
    if (!(c->r->henvcfg & henvcfg_SSE))
        return CSR_VIRTUAL;
    return c->priv == RV_U && !(c->r->senvcfg & senvcfg_SSE) ? CSR_VIRTUAL : CSR_OK;
}

/* priv 3.1.19, Entropy Source Access Control: only read-write accesses. */
GATE(seed)
{
    (void)e;
    bool sseed = c->r->mseccfg & mseccfg_SSEED, useed = c->r->mseccfg & mseccfg_USEED;
    if (!write)
        return CSR_ILLEGAL;
    if (c->priv == RV_M)
        return CSR_OK;
    if (c->v)
        return sseed ? CSR_VIRTUAL : CSR_ILLEGAL;
    return (c->priv == RV_S ? sseed : useed) ? CSR_OK : CSR_ILLEGAL;
}

/* mcounteren, hcounteren, scounteren (priv 3.1.11, hypervisor 2.6, supervisor 1.5). */
GATE(counter)
{
    (void)write;
    uint64_t bit = UINT64_C(1) << e->n;
    if (c->priv == RV_M)
        return CSR_OK;
    if (!(c->r->mcounteren & bit))
        return CSR_ILLEGAL;
    if (c->v && !(c->r->hcounteren & bit))
        return CSR_VIRTUAL;
    if (c->priv == RV_U && rv_has(c->cfg, EXT_S) && !(c->r->scounteren & bit))
        return c->v ? CSR_VIRTUAL : CSR_ILLEGAL;
    return CSR_OK;
}

/* smcdeleg: not there in any mode while CDE is zero. */
GATE(scountinhibit)
{
    UNUSED_GATE_ARGS;
    if (!(c->r->menvcfg & menvcfg_CDE))
        return CSR_ILLEGAL;
    return c->v ? CSR_VIRTUAL : CSR_OK;
}

/* smcdeleg, Virtualizing scountovf. */
GATE(scountovf)
{
    UNUSED_GATE_ARGS;
    return c->v && (c->r->menvcfg & menvcfg_CDE) ? CSR_VIRTUAL : CSR_OK;
}

/* A bit of mstateen0, then, when V=1, of hstateen0. */
static enum csr_result stateen0(const struct csr_ctx *c, uint64_t bit)
{
    if (c->priv == RV_M)
        return CSR_OK;
    if (!(csr_mstateen(c, 0) & bit))
        return CSR_ILLEGAL;
    return c->v && c->map->ssstateen && !(csr_hstateen(c, 0) & bit) ? CSR_VIRTUAL : CSR_OK;
}

GATE(senvcfg)
{
    UNUSED_GATE_ARGS;
    return stateen0(c, mstateen0_ENVCFG);
}
GATE(henvcfg)
{
    UNUSED_GATE_ARGS;
    return stateen0(c, mstateen0_ENVCFG);
}
GATE(csrind)
{
    UNUSED_GATE_ARGS;
    return stateen0(c, mstateen0_CSRIND);
}
GATE(hedelegh)
{
    UNUSED_GATE_ARGS;
    return stateen0(c, mstateen0_P1P13);
}

/* hstateen n, sstateen n: bit 63 of mstateen n, when V=1 of hstateen n, too. */
GATE(stateen)
{
    (void)write;
    unsigned n = e->num & 3u;
    if (c->priv == RV_M)
        return CSR_OK;
    if (!(csr_mstateen(c, n) >> 63))
        return CSR_ILLEGAL;
    return c->v && !(csr_hstateen(c, n) >> 63) ? CSR_VIRTUAL : CSR_OK;
}

/* The bits that open stimecmp and vstimecmp below M: TM of mcounteren and menvcfg.STCE; when V=1, hcounteren and henvcfg, too. */
static enum csr_result timer(const struct csr_ctx *c)
{
    const struct rv_csrs *r = c->r;
    if (c->priv == RV_M)
        return CSR_OK;
    if (!(r->mcounteren & mcounteren_TM) || !(r->menvcfg & menvcfg_STCE))
        return CSR_ILLEGAL;
    if (c->v && (!(r->hcounteren & hcounteren_TM) || !(r->henvcfg & henvcfg_STCE)))
        return CSR_VIRTUAL;
    return CSR_OK;
}

GATE(stimecmp)
{
    UNUSED_GATE_ARGS;
    return timer(c);
}
GATE(vstimecmp)
{
    UNUSED_GATE_ARGS;
    return timer(c);
}

/* TVM traps in S, VTVM in VS (priv 3.1.6.5, hypervisor 2.1). */
GATE(satp)
{
    UNUSED_GATE_ARGS;
    if (c->v)
        return c->r->hstatus & hstatus_VTVM ? CSR_VIRTUAL : CSR_OK;
    return c->priv == RV_S && (c->r->mstatus & mstatus_TVM) ? CSR_ILLEGAL : CSR_OK;
}

GATE(hgatp)
{
    UNUSED_GATE_ARGS;
    return c->priv == RV_S && (c->r->mstatus & mstatus_TVM) ? CSR_ILLEGAL : CSR_OK;
}

/* No value of miselect or vsiselect selects anything. */
GATE(mireg)
{
    UNUSED_GATE_ARGS;
    (void)c;
    return CSR_ILLEGAL;
}

GATE(vsireg)
{
    UNUSED_GATE_ARGS;
    (void)c;
    return CSR_ILLEGAL;
}
