/* Hand-made page tables for the tests of single rules: a mapping, an access, and the exception it must end in. */
#ifndef TL_TEST_MMU_RIG_H
#define TL_TEST_MMU_RIG_H
#include "mmu_oracle.h"

#define V       0x01u
#define R       0x02u
#define W       0x04u
#define X       0x08u
#define U       0x10u
#define A       0x40u
#define D       0x80u
#define N       (UINT64_C(1) << 63)
#define PBMT(n) ((uint64_t)(n) << 61)
#define SUM     (UINT64_C(1) << 18)
#define MXR     (UINT64_C(1) << 19)
#define ADUE    (UINT64_C(1) << 61)
#define PBMTE   (UINT64_C(1) << 62)
#define SSE     (UINT64_C(1) << 3)
#define PMM(n)  ((uint64_t)(n) << 32)

#define VA    UINT64_C(0x12345000)
#define GPA   UINT64_C(0x40002000)
#define DATA  (RAM_BASE + 0x20000)
#define ROOT  RAM_BASE /* satp and vsatp */
#define GROOT (RAM_BASE + 0x4000)

static const struct access_mode host_s = {.priv = RV_S};
static const struct access_mode host_u = {.priv = RV_U};
static const struct access_mode guest_s = {.priv = RV_S, .v = 1};
static const struct access_mode guest_u = {.priv = RV_U, .v = 1};
static const struct access_mode machine = {.priv = RV_M};

/* A world whose tables are built on demand. */
struct rig {
    struct world *w;
    struct rv_csrs *r;
    unsigned next;   /* free table page */
    uint64_t pte_at; /* where map put the leaf */
    struct xlate x;
};

static inline struct rig rig_new(unsigned xlen)
{
    struct rig k = {.w = world_new(xlen), .next = 8};
    k.r = &k.w->hart->s.csr;
    k.r->menvcfg = k.r->henvcfg = PBMTE | SSE;
    return k;
}

static inline uint64_t atp(const struct rig *k, unsigned mode, uint64_t root)
{
    return (k->w->cfg.xlen == 32 ? (uint64_t)1 << 31 : (uint64_t)mode << 60) | root >> 12;
}

static inline unsigned levels(const struct rig *k, unsigned mode) { return k->w->cfg.xlen == 32 ? 2 : mode - 5; }

/* Enters pte for va at `level` of the table at root, with the pointers above it. gstage: the root has two more index bits. */
static inline void map_at(struct rig *k, unsigned mode, uint64_t root, bool gstage, uint64_t va, unsigned level, uint64_t pte)
{
    unsigned bits = k->w->cfg.xlen == 32 ? 10 : 9, size = k->w->cfg.xlen == 32 ? 4 : 8, top = levels(k, mode) - 1;
    uint64_t table = root;
    for (unsigned i = top;; i--) {
        unsigned width = bits + (gstage && i == top ? 2 : 0);
        uint64_t at = table + bits_get(va, 12 + i * bits + width - 1, 12 + i * bits) * size;
        if (i == level) {
            world_poke(k->w, at, size, pte);
            k->pte_at = at;
            engine_flush(k->w->engine);
            return;
        }
        if (!(world_peek(k->w, at, size) & V))
            world_poke(k->w, at, size, (RAM_BASE + 0x1000 * k->next++) >> 2 | V);
        table = (world_peek(k->w, at, size) << 2) & bits_mask(12, 44);
    }
}

static inline uint64_t leaf_pte(uint64_t pa, uint64_t flags) { return pa >> 2 | flags; }

/* One stage, Sv39 or Sv32: VA to DATA with these flags. */
static inline struct rig one_stage(unsigned xlen, uint64_t flags)
{
    struct rig k = rig_new(xlen);
    k.r->satp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(DATA, flags));
    return k;
}

/* Two stages, Sv39 on Sv39x4: VA to GPA with vs flags, GPA to DATA with g flags; the guest's tables are where it thinks they are.
 */
static inline struct rig two_stage(unsigned xlen, uint64_t vs, uint64_t g)
{
    struct rig k = rig_new(xlen);
    k.r->vsatp = atp(&k, 8, ROOT);
    k.r->hgatp = atp(&k, 8, GROOT);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, vs));
    for (unsigned i = 0; i < 20; i++)
        map_at(&k, 8, GROOT, true, RAM_BASE + i * 0x1000, 0, leaf_pte(RAM_BASE + i * 0x1000, V | R | W | U | A | D));
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, g));
    return k;
}

static inline bool go(struct rig *k, uint64_t va, enum access a, const struct access_mode *m)
{
    memset(&k->w->hart->trap, 0xee, sizeof k->w->hart->trap);
    return mmu_translate(k->w->hart, va, 4, a, m, &k->x);
}

static inline void done(struct rig *k) { world_free(k->w); }

static inline void check_fault(struct rig *k, uint64_t va, enum access a, const struct access_mode *m, unsigned cause,
                               uint64_t tval, int line)
{
    const struct trap *t = &k->w->hart->trap;
    if (go(k, va, a, m))
        fail_msg("line %d: no fault", line);
    if (t->cause != cause || t->tval != tval || t->gva != m->v || t->interrupt || t->nmi)
        fail_msg("line %d: cause %u tval %llx gva %d", line, (unsigned)t->cause, (unsigned long long)t->tval, t->gva);
}

#define FAULTS(k, va, a, m, cause) check_fault(k, va, a, m, cause, va, __LINE__)
#define PASSES(k, va, a, m)        assert_true(go(k, va, a, m))

static inline void all_three_fault(struct rig *k, const struct access_mode *m, unsigned fetch, unsigned load, unsigned store)
{
    FAULTS(k, VA, ACCESS_FETCH, m, fetch);
    FAULTS(k, VA, ACCESS_LOAD, m, load);
    FAULTS(k, VA, ACCESS_STORE, m, store);
}

#define ALL_PAGE_FAULT(k, m) all_three_fault(k, m, EXC_INSN_PAGE, EXC_LOAD_PAGE, EXC_STORE_PAGE)

static inline void check_guest_fault(struct rig *k, uint64_t va, enum access a, const struct access_mode *m, unsigned cause,
                                     uint64_t gpa, uint64_t tinst, int line)
{
    check_fault(k, va, a, m, cause, va, line);
    if (k->w->hart->trap.tval2 != gpa >> 2 || k->w->hart->trap.tinst != tinst)
        fail_msg("line %d: tval2 %llx tinst %llx", line, (unsigned long long)k->w->hart->trap.tval2,
                 (unsigned long long)k->w->hart->trap.tinst);
}

#define GUEST_FAULTS(k, va, a, m, cause, gpa, tinst) check_guest_fault(k, va, a, m, cause, gpa, tinst, __LINE__)

/* An engine's watcher: notes where the store was. */
static inline void seen(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n)
{
    (void)by;
    (void)n;
    e->pages_max = (unsigned)pa;
}
#endif
