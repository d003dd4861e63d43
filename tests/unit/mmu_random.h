/* Random page tables, registers and accesses for the tests of address translation. */
#ifndef TL_TEST_MMU_RANDOM_H
#define TL_TEST_MMU_RANDOM_H
#include "mmu_oracle.h"

/* True in n of 100. */
static inline bool often(uint64_t *rng, unsigned n) { return rng_below(rng, 100) < n; }

static inline uint64_t random_page(uint64_t *rng)
{
    switch (rng_below(rng, 16)) {
    case 0: return HIGH_BASE + rng_below(rng, HIGH_PAGES) * MEM_PAGE_SIZE;
    case 1: return ROM_BASE + rng_below(rng, ROM_PAGES) * MEM_PAGE_SIZE;
    default: return RAM_BASE + rng_below(rng, RAM_PAGES) * MEM_PAGE_SIZE;
    }
}

/* tidy: in percent, how seldom an entry is odd. leaves: in percent. */
static inline uint64_t random_pte(uint64_t *rng, bool rv32, unsigned tidy, unsigned leaves)
{
    static const uint8_t xwr[] = {7, 7, 7, 3, 3, 1, 4, 5, 2};
    uint64_t pte = 1, ppn = random_page(rng) >> 12;
    if (!often(rng, tidy) && often(rng, 30))
        return rng_next(rng) & (rv32 ? UINT32_MAX : UINT64_MAX);
    if (often(rng, leaves)) {
        if (often(rng, 40))
            ppn = RAM_BASE >> 12; /* also a superpage at any level that is 1 GiB or less */
        pte |= (uint64_t)xwr[often(rng, tidy) ? rng_below(rng, 3) : rng_below(rng, sizeof xwr)] << 1;
        pte |= often(rng, 70) ? 0xc0 : rng_below(rng, 4) << 6;
        pte |= often(rng, 75) ? 0x10 : 0;
        if (!rv32 && often(rng, 8)) {
            pte |= UINT64_C(1) << 63;
            ppn = often(rng, 80) ? (ppn & ~UINT64_C(15)) | 8 : ppn;
        }
        if (!rv32 && often(rng, 15))
            pte |= rng_below(rng, 4) << 61;
        if (!rv32 && !often(rng, tidy) && often(rng, 10))
            pte |= UINT64_C(1) << (54 + rng_below(rng, 7));
    } else if (!often(rng, tidy) && often(rng, 20)) {
        pte |= UINT64_C(1) << (rv32 ? rng_below(rng, 10) : rng_below(rng, 64));
    }
    return pte | ppn << 10;
}

/* Fills all memory with page tables. */
static inline void random_tables(struct world *w, uint64_t *rng)
{
    static const unsigned tidiness[] = {100, 100, 97, 85};
    bool rv32 = w->cfg.xlen == 32;
    unsigned n = rv32 ? 4 : 8, tidy = tidiness[rng_below(rng, ARRAY_LEN(tidiness))], leaves = 0;
    uint64_t map = 0; /* when not 0, what all entries of the page are: a superpage with all of memory in it */
    struct {
        uint8_t *p;
        size_t size;
    } part[] = {{w->ram, sizeof w->ram}, {w->high, sizeof w->high}, {w->rom, sizeof w->rom}};
    for (size_t k = 0; k < ARRAY_LEN(part); k++) {
        for (size_t i = 0; i < part[k].size; i += n) {
            if (i % MEM_PAGE_SIZE == 0) {
                leaves = (unsigned)rng_below(rng, 5) * 25;
                map = often(rng, 15) ? random_page(rng) >> 30 << 28 | 0xdf : 0;
            }
            uint64_t pte = map && often(rng, tidy) ? map : random_pte(rng, rv32, tidy, leaves);
            memcpy(part[k].p + i, &pte, n);
        }
    }
    world_load(w);
}

/* Tables of the G stage (Sv39x4) that map most of RAM to RAM by 4 KiB pages, over what random_tables made. Returns the hgatp for
   them: walks in two stages by chance alone hardly ever get to the last level of both. */
static inline uint64_t tidy_guest_tables(struct world *w, uint64_t *rng)
{
    uint64_t root = RAM_BASE + (RAM_PAGES - 8) * MEM_PAGE_SIZE, mid = root + 4 * MEM_PAGE_SIZE, leaf = mid + MEM_PAGE_SIZE;
    world_poke(w, root + 2 * 8, 8, mid >> 2 | 1);
    world_poke(w, mid, 8, leaf >> 2 | 1);
    for (unsigned i = 0; i < RAM_PAGES; i++) {
        uint64_t pte = random_page(rng) >> 2 | 0xdf;
        if (often(rng, 20))
            pte ^= UINT64_C(1) << rng_below(rng, 8);
        world_poke(w, leaf + i * 8, 8, often(rng, 90) ? pte : random_pte(rng, false, 85, 100));
    }
    return UINT64_C(8) << 60 | root >> 12;
}

static inline uint64_t random_atp(struct world *w, uint64_t *rng, bool g)
{
    uint64_t ppn = random_page(rng) >> 12;
    if (often(rng, 20))
        return 0;
    if (g)
        ppn &= ~UINT64_C(3);
    if (w->cfg.xlen == 32)
        return UINT64_C(1) << 31 | ppn;
    return (8 + rng_below(rng, 3)) << 60 | ppn;
}

static inline uint64_t random_envcfg(struct world *w, uint64_t *rng)
{
    static const uint8_t pmm[] = {0, 0, 2, 3};
    uint64_t v = (uint64_t)often(rng, 70) << 61;
    v |= (uint64_t)often(rng, 80) << 62;
    v |= (uint64_t)often(rng, 70) << 3;
    if (w->cfg.xlen == 64)
        v |= (uint64_t)pmm[rng_below(rng, 4)] << 32;
    else
        v &= ~(UINT64_C(1) << 62); /* Svpbmt is RV64's */
    return v;
}

static inline void random_status(struct world *w, uint64_t *rng)
{
    static const uint8_t pmm[] = {0, 0, 2, 3};
    struct rv_csrs *r = &w->hart->s.csr;
    r->mstatus = rng_next(rng) & (3u << 18);
    r->vsstatus = rng_next(rng) & (3u << 18);
    r->menvcfg = random_envcfg(w, rng);
    r->henvcfg = random_envcfg(w, rng);
    r->senvcfg = random_envcfg(w, rng) & (UINT64_C(3) << 32);
    r->hstatus = w->cfg.xlen == 64 ? (uint64_t)pmm[rng_below(rng, 4)] << 48 : 0;
    r->mseccfg = (r->mseccfg & 7) | (w->cfg.xlen == 64 ? (uint64_t)pmm[rng_below(rng, 4)] << 32 : 0);
}

/* The registers a translation depends on, but PMP. */
static inline void random_csrs(struct world *w, uint64_t *rng)
{
    struct rv_csrs *r = &w->hart->s.csr;
    random_status(w, rng);
    r->satp = random_atp(w, rng, false);
    r->vsatp = random_atp(w, rng, false);
    r->hgatp = random_atp(w, rng, true);
}

static inline struct access_mode random_mode(struct world *w, uint64_t *rng, enum access *a)
{
    struct access_mode m = {.priv = often(rng, 8) ? RV_M : often(rng, 50) ? RV_S : RV_U};
    *a = (enum access)rng_below(rng, 3);
    m.v = m.priv != RV_M && often(rng, 60);
    w->hart->s.priv = m.priv;
    w->hart->s.v = m.v;
    if (m.v && *a != ACCESS_FETCH && often(rng, 30)) {
        w->hart->s.v = 0;
        w->hart->s.priv = often(rng, 50) ? RV_U : RV_S;
        m.hlv = true;
        m.hlvx = *a == ACCESS_LOAD && often(rng, 40);
    }
    if (*a != ACCESS_FETCH && !m.hlv && often(rng, 15))
        m.shadow_stack = true;
    else if (*a == ACCESS_LOAD && !m.hlv && often(rng, 10))
        m.cbo = true;
    return m;
}

static inline uint64_t random_va(struct world *w, uint64_t *rng)
{
    uint64_t va = rng_next(rng);
    if (w->cfg.xlen == 32)
        return often(rng, 50) ? (va & 0xffc3ffff) : (uint32_t)va;
    if (often(rng, 60))
        va &= ~UINT64_C(0x3ffc0000); /* a superpage's address stays inside RAM */
    va = (uint64_t)bits_sext(va, (unsigned[]){32, 38, 39, 41, 48, 50, 57, 59}[rng_below(rng, 8)]);
    if (often(rng, 40))
        va &= bits_mask(0, 38);
    if (often(rng, 10))
        va = random_page(rng) + (va & 0xfff);
    if (often(rng, 20)) { /* a tag */
        unsigned lsb = often(rng, 50) ? 57 : 48;
        va = bits_set(va, 63, lsb, rng_next(rng));
    }
    return va;
}

/* PMP: nothing, everything, or a mess in the middle of RAM; then usually everything. */
static inline void random_pmp(struct world *w, uint64_t *rng)
{
    static const uint8_t count[] = {0, 16, 64}, grain[] = {0, 0, 1, 2, 3, 10, 12};
    struct rv_csrs *r = &w->hart->s.csr;
    w->cfg.pmp_count = count[rng_below(rng, 3)];
    w->cfg.pmp_grain = grain[rng_below(rng, sizeof grain)];
    memset(r->pmpcfg, 0, sizeof r->pmpcfg);
    memset(r->pmpaddr, 0, sizeof r->pmpaddr);
    r->mseccfg = w->cfg.pmp_count && often(rng, 30) ? rng_below(rng, 4) : 0;
    unsigned used = 0;
    if (w->cfg.pmp_count && often(rng, 60))
        used = (unsigned)rng_below(rng, often(rng, 75) ? 5 : w->cfg.pmp_count + 1);
    for (unsigned i = 0; i < used; i++) {
        uint64_t cfg = rng_next(rng) & 0x9f, at = random_page(rng);
        if (often(rng, 50))
            at = often(rng, 50) ? at : RAM_BASE;
        at += often(rng, 50) ? rng_below(rng, 0x1000) : 0;
        if ((cfg >> 3 & 3) == 2 && w->cfg.pmp_grain)
            cfg |= 8;
        if ((cfg >> 3 & 3) == 3) /* a run of ones: sizes from 8 bytes to much of RAM */
            at |= bits_mask(0, (unsigned)rng_below(rng, 18) + 2);
        r->pmpaddr[i] = at >> 2;
        r->pmpcfg[i / 8] |= cfg << (8 * (i % 8));
    }
    if (used < w->cfg.pmp_count && often(rng, 90)) {
        uint64_t all = r->mseccfg & 1 ? 0x1f & ~(rng_next(rng) & 7) : 0x1f;
        r->pmpaddr[used] = bits_mask(0, 54);
        r->pmpcfg[used / 8] |= all << (8 * (used % 8));
    }
    pmp_refresh(w->hart);
}
#endif
