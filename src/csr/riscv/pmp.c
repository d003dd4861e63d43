/* Physical memory protection registers (priv 3.7.1, smepmp). */
#include "csr/riscv/internal.h"

enum { PMP_R = 1, PMP_W = 2, PMP_X = 4, PMP_A = 0x18, PMP_NA4 = 0x10, PMP_TOR = 8, PMP_L = 0x80, PMP_ALL = 0x9f };

static unsigned cfg_of(const struct rv_csrs *r, unsigned i) { return r->pmpcfg[i / 8] >> i % 8 * 8 & 0xff; }

static bool locked(const struct rv_csrs *r, unsigned i) { return (cfg_of(r, i) & PMP_L) && !(r->mseccfg & mseccfg_RLB); }

/* A rule that M-mode could execute from, as Smepmp's MML reads the bits. */
static bool m_executable(unsigned cfg)
{
    unsigned rwx = cfg & (PMP_R | PMP_W | PMP_X);
    if (!(cfg & PMP_L))
        return false;
    return ((rwx & PMP_X) && rwx != (PMP_R | PMP_W | PMP_X)) || (rwx & (PMP_R | PMP_W)) == PMP_W;
}

static unsigned legal_cfg(const struct csr_ctx *c, unsigned i, unsigned cfg)
{
    unsigned old = cfg_of(c->r, i);
    bool mml = c->r->mseccfg & mseccfg_MML, rlb = c->r->mseccfg & mseccfg_RLB;
    if (locked(c->r, i))
        return old;
    cfg &= PMP_ALL;
    if (!mml && (cfg & (PMP_R | PMP_W)) == PMP_W)
        cfg &= ~(unsigned)PMP_W; /* R=0 W=1 is reserved */
    if (mml && !rlb && m_executable(cfg))
        return old;
    if (c->cfg->pmp_grain && (cfg & PMP_A) == PMP_NA4)
        cfg = (cfg & ~(unsigned)PMP_A) | (old & PMP_A);
    return cfg;
}

uint32_t wr_pmpcfg(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    uint64_t *word = csr_word(c, e), old = *word, now = old;
    unsigned first = (e->num & 15u) * 4; /* RV64's even registers hold eight entries, RV32's four */
    for (unsigned k = 0; k < c->cfg->xlen / 8; k++) {
        unsigned shift = k * 8 + e->shift;
        now = (now & ~(UINT64_C(0xff) << shift)) | (uint64_t)legal_cfg(c, first + k, v >> k * 8 & 0xff) << shift;
    }
    *word = now;
    return now == old ? 0 : e->effects;
}

/* With grain G the low bits read as ones (NAPOT) or zeros (OFF, TOR), whatever is stored. */
uint64_t rd_pmpaddr(const struct csr_ctx *c, const struct csr_entry *e)
{
    uint64_t v = c->r->pmpaddr[e->n] & e->rmask;
    unsigned g = c->cfg->pmp_grain;
    bool napot = cfg_of(c->r, e->n) & PMP_NA4; /* A[1] */
    if (napot)
        return g >= 2 ? (v | bits_mask(0, g - 1)) & e->rmask : v;
    return v & ~bits_mask(0, g);
}

uint32_t wr_pmpaddr(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v)
{
    unsigned n = e->n;
    uint64_t old = c->r->pmpaddr[n];
    if (locked(c->r, n))
        return 0;
    if (n + 1 < c->cfg->pmp_count && locked(c->r, n + 1) && (cfg_of(c->r, n + 1) & PMP_A) == PMP_TOR)
        return 0;
    c->r->pmpaddr[n] = (old & ~e->wmask) | (v & e->wmask);
    return c->r->pmpaddr[n] == old ? 0 : e->effects;
}
