/*
 * Physical memory protection: priv 3.7, smepmp.
 *
 * The registers are only read here when they change (pmp_refresh); a check is then a look at one span of addresses. Neighbouring
 * spans are under different entries (or none), so an access that reaches from one into another is matched only partly by the
 * lower-numbered entry and fails, whoever makes it.
 */
#include "cpu/riscv/walk.h"

#include <string.h>

#define PMP_MAX      64
#define CFG_L        0x80u
#define CFG_A(cfg)   ((cfg) >> 3 & 3u)
#define MSECCFG_MML  1u
#define MSECCFG_MMWP 2u
#define NO_ENTRY     PMP_MAX

enum { A_OFF, A_TOR, A_NA4, A_NAPOT };

#define BOTH(p) ((p) | (p) << 3)
#define SU(p)   (p)
#define M(p)    ((p) << 3)

/* Smepmp truth table with MML=1, by pmpcfg's L, R, W, X (smepmp "Physical Memory Protection Rules"). */
static const uint8_t mml_perm[16] = {
    /* LRWX 0000 */ 0,
    /* 0001 */ SU(PERM_X),
    /* 0010 */ SU(PERM_R) | M(PERM_R | PERM_W),
    /* 0011 */ BOTH(PERM_R | PERM_W),
    /* 0100 */ SU(PERM_R),
    /* 0101 */ SU(PERM_R | PERM_X),
    /* 0110 */ SU(PERM_R | PERM_W),
    /* 0111 */ SU(PERM_R | PERM_W | PERM_X),
    /* 1000 */ 0,
    /* 1001 */ M(PERM_X),
    /* 1010 */ BOTH(PERM_X),
    /* 1011 */ SU(PERM_X) | M(PERM_R | PERM_X),
    /* 1100 */ M(PERM_R),
    /* 1101 */ M(PERM_R | PERM_X),
    /* 1110 */ M(PERM_R | PERM_W),
    /* 1111 */ BOTH(PERM_R),
};

/* An active entry: what it covers, inclusive. */
struct region {
    uint64_t first, last;
    uint8_t cfg;
};

static uint8_t entry_cfg(const struct hart *h, unsigned i) { return (uint8_t)(h->s.csr.pmpcfg[i / 8] >> (i % 8 * 8)); }

/* pmpaddr holds address bits 55:2 (RV32: 33:2). */
static uint64_t entry_addr(const struct hart *h, unsigned i)
{
    return h->s.csr.pmpaddr[i] & (h->cfg->xlen == 32 ? bits_mask(0, 32) : bits_mask(0, 54));
}

/* What entry i matches; false: nothing. priv 3.7.1.1 with its rules for a grain of 2^(G+2) bytes. */
static bool entry_region(const struct hart *h, unsigned i, struct region *r)
{
    unsigned g = h->cfg->pmp_grain;
    uint64_t addr = entry_addr(h, i);
    r->cfg = entry_cfg(h, i);
    switch (CFG_A(r->cfg)) {
    case A_TOR: {
        uint64_t low = ~bits_mask(0, g), bottom = i ? entry_addr(h, i - 1) & low : 0;
        r->first = bottom << 2;
        r->last = ((addr & low) << 2) - 1;
        return bottom < (addr & low);
    }
    case A_NA4:
        r->first = addr << 2;
        r->last = r->first + 3;
        return true;
    case A_NAPOT: {
        if (g >= 2)
            addr |= bits_mask(0, g - 1);
        uint64_t size_mask = addr ^ (addr + 1);
        r->first = (addr & ~size_mask) << 2;
        r->last = (addr | size_mask) << 2 | 3;
        return true;
    }
    default: return false;
    }
}

/* Permissions of an entry, for both privilege classes. priv 3.7.1.2, smepmp. */
static uint8_t entry_perm(uint8_t cfg, uint64_t mseccfg)
{
    unsigned rwx = cfg & 7u; /* R is bit 0, W 1, X 2: the PERM_ bits */
    if (mseccfg & MSECCFG_MML) {
        unsigned lrwx = (cfg & CFG_L) >> 4 | (rwx & PERM_R) << 2 | (rwx & PERM_W) | rwx >> 2;
        return mml_perm[lrwx];
    }
    if ((rwx & PERM_W) && !(rwx & PERM_R))
        rwx &= ~(unsigned)PERM_W; /* R=0 W=1 is reserved */
    return (uint8_t)(SU(rwx) | M(cfg & CFG_L ? rwx : PERM_R | PERM_W | PERM_X));
}

/* Permissions where no entry matches. priv 3.7.1.3; machine "mseccfg" MMWP and MML. */
static uint8_t default_perm(const struct hart *h)
{
    uint64_t mseccfg = h->s.csr.mseccfg;
    unsigned m = mseccfg & MSECCFG_MMWP ? 0 : mseccfg & MSECCFG_MML ? PERM_R | PERM_W : PERM_R | PERM_W | PERM_X;
    return (uint8_t)(SU(h->cfg->pmp_count ? 0 : PERM_R | PERM_W | PERM_X) | M(m));
}

/* Inserts a border into the ascending list. */
static void add_border(uint64_t *border, unsigned *n, uint64_t at)
{
    unsigned i = *n;
    while (i && border[i - 1] > at)
        i--;
    if (i && border[i - 1] == at)
        return;
    for (unsigned k = *n; k > i; k--)
        border[k] = border[k - 1];
    border[i] = at;
    ++*n;
}

/* The index of the first region that covers at. */
static unsigned match(const struct region *r, unsigned n, uint64_t at)
{
    for (unsigned i = 0; i < n; i++)
        if (at >= r[i].first && at <= r[i].last)
            return i;
    return NO_ENTRY;
}

void pmp_refresh(struct hart *h)
{
    struct region r[PMP_MAX];
    uint64_t border[2 * PMP_MAX + 1] = {0};
    unsigned n = 0, borders = 1, before = ~0u;
    for (unsigned i = 0; i < h->cfg->pmp_count; i++) {
        if (!entry_region(h, i, &r[n]))
            continue;
        add_border(border, &borders, r[n].first);
        add_border(border, &borders, r[n].last + 1);
        n++;
    }
    struct pmp_spans *p = &h->pmp;
    p->count = p->widest = 0;
    for (unsigned i = 0; i < borders; i++) {
        unsigned entry = match(r, n, border[i]);
        if (entry == before)
            continue;
        before = entry;
        if (p->count)
            p->last[p->count - 1] = border[i] - 1;
        p->first[p->count] = border[i];
        p->perm[p->count] = entry == NO_ENTRY ? default_perm(h) : entry_perm(r[entry].cfg, h->s.csr.mseccfg);
        p->count++;
    }
    p->last[p->count - 1] = UINT64_MAX;
    memset(&h->walk, 0, sizeof h->walk); /* it knows pages PMP let S read */
    uint64_t top = bits_mask(0, h->cfg->pa_bits), width = 0;
    for (unsigned i = 0; i < p->count && p->first[i] <= top; i++) {
        uint64_t here = (p->last[i] < top ? p->last[i] : top) - p->first[i];
        if (here >= width) {
            width = here;
            p->widest = i;
        }
    }
}

unsigned pmp_find(const struct pmp_spans *p, uint64_t pa)
{
    unsigned lo = 0, hi = p->count;
    while (hi - lo > 1) {
        unsigned mid = (lo + hi) / 2;
        if (p->first[mid] <= pa)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

bool pmp_check(const struct hart *h, uint64_t pa, uint64_t size, enum access a, uint8_t priv, bool *whole_page)
{
    static const uint8_t need[] = {[ACCESS_FETCH] = PERM_X, [ACCESS_LOAD] = PERM_R, [ACCESS_STORE] = PERM_W};
    bool whole = false, ok = !pa_too_wide(h, pa) && (pmp_perm(h, pa, size, priv, &whole) & need[a]);
    if (whole_page)
        *whole_page = whole;
    return ok;
}
