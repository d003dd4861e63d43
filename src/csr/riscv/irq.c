/* Interrupt registers: mip and mie hold every interrupt; the others show parts of them (priv 3.1.9, supervisor 1.3,
   hypervisor 2.3, 2.12, 4.2, 4.3). */
#include "csr/riscv/internal.h"

uint64_t csr_s_mask(const struct csr_ctx *c) { return c->r->mideleg & CSR_S_BITS; }

/* In the places of vsip: VS bits shifted down by one; LCOFI keeps its place. */
uint64_t csr_vs_mask(const struct csr_ctx *c) { return (c->r->hideleg & CSR_VS_BITS) >> 1 | (c->r->hideleg & hideleg_LCOFI); }

static uint64_t pending(const struct csr_ctx *c) { return csr_pending(c->r, c->live->mip(c->hart), c->live->hgeip(c->hart)); }

uint64_t rd_mip(const struct csr_ctx *c, const struct csr_entry *e) { return pending(c) & e->rmask; }
uint64_t rd_sip(const struct csr_ctx *c, const struct csr_entry *e) { return pending(c) & csr_s_mask(c) & e->rmask; }
uint64_t rd_sie(const struct csr_ctx *c, const struct csr_entry *e) { return c->r->mie & csr_s_mask(c) & e->rmask; }
uint64_t rd_hip(const struct csr_ctx *c, const struct csr_entry *e) { return pending(c) & e->rmask; }
uint64_t rd_hie(const struct csr_ctx *c, const struct csr_entry *e) { return c->r->mie & e->rmask; }

/* What VS sees of a mip- or mie-shaped value. */
static uint64_t to_vs(const struct csr_ctx *c, uint64_t v)
{
    return ((v & CSR_VS_BITS) >> 1 | (v & hideleg_LCOFI)) & csr_vs_mask(c);
}

uint64_t rd_vsip(const struct csr_ctx *c, const struct csr_entry *e) { return to_vs(c, pending(c)) & e->rmask; }
uint64_t rd_vsie(const struct csr_ctx *c, const struct csr_entry *e) { return to_vs(c, c->r->mie) & e->rmask; }
uint64_t rd_hgeip(const struct csr_ctx *c, const struct csr_entry *e) { return c->live->hgeip(c->hart) & e->rmask; }

/* Puts the bits of mask of v into a word. */
static uint32_t put(uint64_t *word, uint64_t mask, uint64_t v)
{
    uint64_t old = *word;
    *word = (old & ~mask) | (v & mask);
    return *word == old ? 0 : CSR_FX_IRQ;
}

/* STIP is the timer's alone while stimecmp is enabled. VSSIP lives in hvip. */
uint32_t wr_mip(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t mask = e->wmask & ~mip_VSSIP;
    if (c->r->menvcfg & menvcfg_STCE)
        mask &= ~mip_STIP;
    return put(&c->r->mip, mask, v) | put(&c->r->hvip, e->wmask & mip_VSSIP, v);
}

uint32_t wr_sip(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    return put(&c->r->mip, csr_s_mask(c) & e->wmask, v);
}
uint32_t wr_sie(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    return put(&c->r->mie, csr_s_mask(c) & e->wmask, v);
}
uint32_t wr_hip(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v) { return put(&c->r->hvip, e->wmask, v); }
uint32_t wr_hie(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v) { return put(&c->r->mie, e->wmask, v); }

uint32_t wr_vsip(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t mask = csr_vs_mask(c) & e->wmask;
    return put(&c->r->hvip, (mask & vsip_SSIP) << 1, v << 1) | put(&c->r->mip, mask & vsip_LCOFIP, v);
}

uint32_t wr_vsie(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t mask = csr_vs_mask(c) & e->wmask;
    return put(&c->r->mie, (mask & ~vsie_LCOFIE) << 1, v << 1) | put(&c->r->mie, mask & vsie_LCOFIE, v);
}

/* What is not delegated to HS cannot be delegated to VS (hypervisor 4.2). */
uint32_t wr_mideleg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint32_t fx = put(&c->r->mideleg, e->wmask, v);
    if (!(c->r->mideleg & mideleg_LCOFI))
        c->r->hideleg &= ~hideleg_LCOFI;
    return fx;
}

uint32_t wr_hideleg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    return put(&c->r->hideleg, e->wmask, v & c->r->mideleg);
}
