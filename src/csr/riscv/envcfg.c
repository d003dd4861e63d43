/* Environment configuration, state enables, mseccfg. */
#include "csr/riscv/internal.h"

/* Bits of henvcfg that are read-only zero while menvcfg's are zero (priv 3.1.18). */
static uint64_t henvcfg_gated(void) { return henvcfg_SSE | henvcfg_DTE | henvcfg_ADUE | henvcfg_PBMTE | henvcfg_STCE; }

/* Effects of changed bits of menvcfg, henvcfg or senvcfg: the fields lie at the same places. */
static uint32_t envcfg_effects(uint64_t diff)
{
    uint32_t fx = 0;
    if (diff & menvcfg_PMM)
        fx |= CSR_FX_TLB;
    if (diff & (menvcfg_PBMTE | menvcfg_ADUE | menvcfg_SSE))
        fx |= CSR_FX_TLB | CSR_FX_FLUSH;
    if (diff & menvcfg_STCE)
        fx |= CSR_FX_TIMER | CSR_FX_IRQ;
    if (diff & (menvcfg_FIOM | menvcfg_LPE | menvcfg_SSE | menvcfg_CBIE | menvcfg_CBCFE | menvcfg_CBZE))
        fx |= CSR_FX_FETCH;
    if (diff & menvcfg_CDE)
        fx |= CSR_FX_CHECK;
    return fx;
}

uint32_t wr_menvcfg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    struct rv_csrs *r = c->r;
    uint64_t old = r->menvcfg;
    r->menvcfg = csr_merge(c, e, old, v);
    r->henvcfg &= r->menvcfg | ~henvcfg_gated();
    if (!(r->menvcfg & menvcfg_SSE))
        r->senvcfg &= ~senvcfg_SSE;
    if (!(r->menvcfg & menvcfg_DTE))
        r->mstatus &= ~mstatus_SDT;
    if (!(r->henvcfg & henvcfg_DTE))
        r->vsstatus &= ~vsstatus_SDT;
    return envcfg_effects(old ^ r->menvcfg);
}

uint32_t wr_henvcfg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    struct rv_csrs *r = c->r;
    uint64_t old = r->henvcfg;
    r->henvcfg = csr_merge(c, e, old, v) & (r->menvcfg | ~henvcfg_gated());
    if (!(r->henvcfg & henvcfg_DTE))
        r->vsstatus &= ~vsstatus_SDT;
    return envcfg_effects(old ^ r->henvcfg);
}

/* SSE is read-only zero while menvcfg.SSE is zero (then it is stored as zero) or, when V=1, while henvcfg.SSE is zero. */
static bool sse_there(const struct csr_ctx *c)
{
    return (c->r->menvcfg & menvcfg_SSE) && (!c->v || (c->r->henvcfg & henvcfg_SSE));
}

uint64_t rd_senvcfg(const struct csr_ctx *c, const struct csr_entry *e)
{
    return c->r->senvcfg & e->rmask & (sse_there(c) ? UINT64_MAX : ~senvcfg_SSE);
}

uint32_t wr_senvcfg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->senvcfg, now = csr_merge(c, e, old, v);
    if (!sse_there(c))
        now = (now & ~senvcfg_SSE) | (old & senvcfg_SSE);
    c->r->senvcfg = now;
    return envcfg_effects(old ^ now);
}

uint64_t csr_mstateen(const struct csr_ctx *c, unsigned n)
{
    const uint64_t v[4] = {c->r->mstateen0, c->r->mstateen1, c->r->mstateen2, c->r->mstateen3};
    return c->map->stateen ? v[n & 3] : UINT64_MAX;
}

/* A bit that is zero in mstateen reads as zero in hstateen (smstateen). */
uint64_t csr_hstateen(const struct csr_ctx *c, unsigned n)
{
    const uint64_t v[4] = {c->r->hstateen0, c->r->hstateen1, c->r->hstateen2, c->r->hstateen3};
    return v[n & 3] & csr_mstateen(c, n);
}

uint64_t rd_hstateen(const struct csr_ctx *c, const struct csr_entry *e) { return csr_hstateen(c, e->num & 3u) & e->rmask; }

uint32_t wr_hstateen(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t *word = csr_word(c, e), old = *word, mask = e->wmask & csr_mstateen(c, e->num & 3u);
    *word = (old & ~mask) | (v << e->shift & mask);
    return *word == old ? 0 : e->effects;
}

static bool pmp_locked(const struct rv_csrs *r)
{
    for (unsigned i = 0; i < ARRAY_LEN(r->pmpcfg); i++)
        if (r->pmpcfg[i] & UINT64_C(0x8080808080808080))
            return true;
    return false;
}

/* MML and MMWP stick; RLB cannot be set while a rule is locked (priv 3.1.19). */
uint32_t wr_mseccfg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->mseccfg, now = csr_merge(c, e, old, v) | (old & (mseccfg_MML | mseccfg_MMWP)), diff;
    if (!(old & mseccfg_RLB) && pmp_locked(c->r))
        now &= ~mseccfg_RLB;
    c->r->mseccfg = now;
    diff = old ^ now;
    uint32_t fx = 0;
    if (diff & (mseccfg_MML | mseccfg_MMWP))
        fx |= CSR_FX_TLB | CSR_FX_FLUSH;
    if (diff & mseccfg_PMM)
        fx |= CSR_FX_TLB;
    if (diff & mseccfg_MLPE)
        fx |= CSR_FX_FETCH;
    if (diff & (mseccfg_USEED | mseccfg_SSEED))
        fx |= CSR_FX_CHECK;
    return fx;
}
