/* mstatus and its views, vsstatus, hstatus, mnstatus; misa; address translation registers. */
#include "csr/riscv/internal.h"

static uint64_t sd(const struct csr_ctx *c) { return c->cfg->xlen == 32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63; }

/* SD summarises FS: VS and XS are off (priv 3.1.6.6). */
static uint64_t with_sd(const struct csr_ctx *c, uint64_t status)
{
    return (status & mstatus_FS) == mstatus_FS ? status | sd(c) : status;
}

/* On RV32 SD is bit 31 of the low half: the high half's mask leaves it out. */
uint64_t rd_mstatus(const struct csr_ctx *c, const struct csr_entry *e) { return with_sd(c, c->r->mstatus) & e->rmask; }
uint64_t rd_sstatus(const struct csr_ctx *c, const struct csr_entry *e) { return with_sd(c, c->r->mstatus) & e->rmask; }
uint64_t rd_vsstatus(const struct csr_ctx *c, const struct csr_entry *e) { return with_sd(c, c->r->vsstatus) & e->rmask; }

/* Can a previous-privilege field hold this mode (priv 3.1.6.1)? */
static bool has_mode(const struct csr_ctx *c, uint64_t mode)
{
    return mode == RV_M || (mode == RV_S && rv_has(c->cfg, EXT_S)) || (mode == RV_U && rv_has(c->cfg, EXT_U));
}

/* mstatus, mstatush and sstatus: the entry's mask says which bits. */
uint32_t wr_mstatus(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->mstatus, now = csr_merge(c, e, old, v), diff;
    if (!has_mode(c, (now & mstatus_MPP) >> 11))
        now = (now & ~mstatus_MPP) | (old & mstatus_MPP);
    if (!(c->r->menvcfg & menvcfg_DTE))
        now &= ~mstatus_SDT;
    if (now & mstatus_SDT)
        now &= ~mstatus_SIE; /* supervisor 1.1.5 */
    if (now & mstatus_MDT)
        now &= ~mstatus_MIE; /* priv 3.1.6.2 */
    c->r->mstatus = now;
    diff = old ^ now;
    uint32_t fx = 0;
    if (diff & (mstatus_SUM | mstatus_MXR | mstatus_MPRV))
        fx |= CSR_FX_TLB;
    if ((now & mstatus_MPRV) && (diff & (mstatus_MPP | mstatus_MPV)))
        fx |= CSR_FX_TLB;
    if (diff & (mstatus_SIE | mstatus_MIE))
        fx |= CSR_FX_IRQ;
    if (diff & mstatus_FS)
        fx |= CSR_FX_FP;
    return fx;
}

uint32_t wr_vsstatus(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->vsstatus, now = csr_merge(c, e, old, v), diff;
    if (!(c->r->henvcfg & henvcfg_DTE))
        now &= ~vsstatus_SDT; /* hypervisor 2.5 */
    if (now & vsstatus_SDT)
        now &= ~vsstatus_SIE;
    c->r->vsstatus = now;
    diff = old ^ now;
    uint32_t fx = 0;
    if (diff & (vsstatus_SUM | vsstatus_MXR))
        fx |= CSR_FX_TLB;
    if (diff & vsstatus_SIE)
        fx |= CSR_FX_IRQ;
    if (diff & vsstatus_FS)
        fx |= CSR_FX_FP;
    return fx;
}

/* VGEIN is WLRL: 0..GEILEN; a greater value leaves it as it was (hypervisor 2.1). */
uint32_t wr_hstatus(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->hstatus, now = csr_merge(c, e, old, v), diff;
    if ((now & hstatus_VGEIN) >> 12 > c->cfg->geilen)
        now = (now & ~hstatus_VGEIN) | (old & hstatus_VGEIN);
    c->r->hstatus = now;
    diff = old ^ now;
    return (diff & hstatus_VGEIN ? CSR_FX_IRQ : 0u) | (diff & (hstatus_HU | hstatus_SPVP | hstatus_HUPMM) ? CSR_FX_TLB : 0u);
}

/* NMIE can be set, not cleared (smrnmi). */
uint32_t wr_mnstatus(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->mnstatus, now = csr_merge(c, e, old, v) | (old & mnstatus_NMIE);
    if (!has_mode(c, (now & mnstatus_MNPP) >> 11))
        now = (now & ~mnstatus_MNPP) | (old & mnstatus_MNPP);
    c->r->mnstatus = now;
    return (old ^ now) & mnstatus_NMIE ? e->effects : 0;
}

uint64_t rd_misa(const struct csr_ctx *c, const struct csr_entry *e)
{
    (void)e;
    const struct rv_config *cfg = c->cfg;
    uint64_t v = misa_I | (cfg->xlen == 32 ? UINT64_C(1) << 30 : UINT64_C(2) << 62);
    const struct {
        enum csr_when when;
        uint64_t bit;
    } bits[] = {
        {WHEN_A, misa_A}, {WHEN_Misa_B, misa_B}, {WHEN_C, misa_C}, {WHEN_D, misa_D}, {WHEN_F, misa_F},
        {WHEN_H, misa_H}, {WHEN_M, misa_M},      {WHEN_S, misa_S}, {WHEN_U, misa_U},
    };
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++)
        if (csr_holds(cfg, bits[i].when))
            v |= bits[i].bit;
    return v;
}

/* MODE of a translation register: bits 63:60, on RV32 bit 31. */
static bool mode_legal(const struct csr_ctx *c, uint64_t atp)
{
    unsigned mode = c->cfg->xlen == 32 ? (unsigned)(atp >> 31 & 1) : (unsigned)(atp >> 60);
    return !mode || (c->cfg->sv_modes >> mode & 1);
}

/* satp and vsatp: an unsupported MODE makes the write void (supervisor 1.11). For vsatp that is required when V=1 and allowed
   when V=0 (hypervisor 2.18). */
uint32_t wr_satp(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t *word = csr_word(c, e), old = *word;
    if (!e->wmask || !mode_legal(c, v))
        return 0;
    *word = csr_merge(c, e, old, v);
    return *word == old ? 0 : e->effects;
}

/* hgatp: an unsupported MODE leaves MODE alone; the other fields are written (hypervisor 2.10). */
uint32_t wr_hgatp(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t old = c->r->hgatp, now = csr_merge(c, e, old, v);
    uint64_t mode = c->cfg->xlen == 32 ? UINT64_C(1) << 31 : hgatp_MODE;
    if (!mode_legal(c, now))
        now = (now & ~mode) | (old & mode);
    c->r->hgatp = now;
    return now == old ? 0 : e->effects;
}
