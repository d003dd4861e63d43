/* Floating-point flags, the entropy source, identification. */
#include "csr/riscv/internal.h"

uint64_t rd_fflags(const struct csr_ctx *c, const struct csr_entry *e) { return c->live->fflags(c->hart) & e->rmask; }

uint32_t wr_fflags(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    c->live->set_fflags(c->hart, v & e->wmask);
    return CSR_FX_FP;
}

uint32_t wr_frm(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    c->r->frm = v & e->wmask;
    return CSR_FX_FP;
}

uint64_t rd_fcsr(const struct csr_ctx *c, const struct csr_entry *e)
{
    return (c->r->frm << 5 | c->live->fflags(c->hart)) & e->rmask;
}

uint32_t wr_fcsr(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    v &= e->wmask;
    c->r->frm = v >> 5;
    c->live->set_fflags(c->hart, v & 0x1f);
    return CSR_FX_FP;
}

uint64_t rd_seed(const struct csr_ctx *c, const struct csr_entry *e) { return c->live->seed(c->hart) & e->rmask; }

uint64_t rd_mvendorid(const struct csr_ctx *c, const struct csr_entry *e) { return c->cfg->mvendorid & e->rmask; }
uint64_t rd_marchid(const struct csr_ctx *c, const struct csr_entry *e) { return c->cfg->marchid & e->rmask; }
uint64_t rd_mimpid(const struct csr_ctx *c, const struct csr_entry *e) { return c->cfg->mimpid & e->rmask; }

uint64_t rd_zero(const struct csr_ctx *c, const struct csr_entry *e)
{
    (void)c;
    (void)e;
    return 0;
}

uint32_t wr_ignore(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    (void)c;
    (void)e;
    (void)v;
    return 0;
}
