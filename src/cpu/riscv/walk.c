/*
 * Walks of page tables: priv 12.3.2 (the algorithm), Sv32 to Sv57, their x4 variants of the G stage (hypervisor "Guest Physical
 * Address Translation"), svnapot, svpbmt, svade, svadu, zicfiss.
 *
 * One body serves the three stages; each is compiled with its stage as a constant. PTEs of both widths are held in 64 bits: flags
 * and PPN are at the same places, and what Sv32 does not have reads as 0.
 */
#include "cpu/riscv/walk.h"
#include "cpu/gist.h"

#include <string.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)
#define NAPOT_64K   8 /* PPN[3:0] of a 64 KiB range (svnapot) */
#define NAPOT_BITS  4

#define WALK_INLINE static inline __attribute__((always_inline))

/* ---- faults --------------------------------------------------------------------------------------------------------- */

static bool fault(struct walk *w, unsigned cause, uint64_t tval2, uint64_t tinst)
{
    /* GVA: tval is a guest virtual address (hypervisor "hstatus"), also for loads and stores made as though V=1. */
    w->h->trap = (struct trap){.cause = cause, .tval = w->va, .tval2 = tval2, .tinst = tinst, .gva = w->m.v};
    return false;
}

bool walk_page_fault(struct walk *w)
{
    static const uint8_t cause[] = {EXC_INSN_PAGE, EXC_LOAD_PAGE, EXC_STORE_PAGE};
    return fault(w, cause[w->kind], 0, 0);
}

bool walk_access_fault(struct walk *w)
{
    static const uint8_t cause[] = {EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS};
    return fault(w, cause[w->kind], 0, 0);
}

bool walk_guest_fault(struct walk *w, uint64_t gpa, uint64_t tinst)
{
    static const uint8_t cause[] = {EXC_INSN_GUEST_PAGE, EXC_LOAD_GUEST_PAGE, EXC_STORE_GUEST_PAGE};
    return fault(w, cause[w->kind], gpa >> 2, tinst);
}

/* ---- entries in memory ---------------------------------------------------------------------------------------------- */

/* A page table being walked. */
struct table {
    uint64_t addr;      /* what is translated */
    enum access access; /* as this stage sees it */
    bool rv32;
    bool implicit; /* G stage: the access is a read or update of a VS-stage entry */
};

static inline uint64_t pte_load(const uint8_t *host, bool rv32)
{
    if (rv32) {
        uint32_t v;
        memcpy(&v, host, sizeof v);
        return v;
    }
    uint64_t v;
    memcpy(&v, host, sizeof v);
    return v;
}

/* The same for a page that h->walk does not know. */
static bool pte_read_first(struct walk *w, uint64_t pa, bool rv32, bool last, uint64_t *pte)
{
    bool whole;
    if (!(pmp_perm(w->h, pa, rv32 ? 4 : 8, RV_S, &whole) & PERM_R) && !w->m.probe)
        return false;
    const uint8_t *page = mem_page_read(w->h->cpu.mem, pa);
    if (!page)
        return false;
    w->pte_page[w->reads++] = (pa & ~PAGE_OFFSET) | last;
    *pte = pte_load(page + (pa & PAGE_OFFSET), rv32);
    return true;
}

/* Reads the entry at pa, as S (priv 3.7.2); main memory only. last: of the last level, of a translation of one stage. False: an
   access fault. */
WALK_INLINE bool pte_read(struct walk *w, uint64_t pa, bool rv32, bool last, uint64_t *pte)
{
    uint64_t page = pa & ~PAGE_OFFSET;
    const struct walk_page *known = walk_page(w->h, page);
    if (unlikely(known->page != (page | last) || known->marks != w->h->cpu.engine->marks))
        return pte_read_first(w, pa, rv32, last, pte);
    *pte = pte_load(known->host + (pa & PAGE_OFFSET), rv32);
    return true;
}

/* Stores an entry in which only A and D were added. False: an access fault. */
static bool pte_write(struct walk *w, uint64_t pa, bool rv32, uint64_t old, uint64_t new)
{
    struct engine *e = w->h->cpu.engine;
    bool whole;
    if (!(pmp_perm(w->h, pa, rv32 ? 4 : 8, RV_S, &whole) & PERM_W))
        return false;
    bool mine = mem_page_private(e->mem, pa);
    uint8_t *page = mem_page_write(e->mem, pa);
    if (!page)
        return false;
    if (!mine)
        engine_forget_shared(e, pa);
    memcpy(page + (pa & PAGE_OFFSET), &new, rv32 ? 4 : 8);
    if (unlikely(e->insns))
        gist_wrote(e, pa, rv32 ? 4 : 8);
    /* A cached translation never came from an entry with A=0, and one that came with D=0 permits no store: adding A and D makes
       none wrong. Decoded code and watched words in the same page do have to hear of it. */
    if (*mem_page_flags(e->mem, pa) & (MEM_CODE | MEM_WATCH))
        engine_store(e, pa, rv32 ? 4 : 8, old, new);
    return true;
}

/* Only pages that are this machine's own stay where they are when stored to. */
static void remember_page(struct walk *w, uint64_t page)
{
    struct hart *h = w->h;
    bool whole;
    uint64_t tag = page;
    page &= ~PAGE_OFFSET;
    if (!(pmp_perm(h, page, 8, RV_S, &whole) & PERM_R) || !whole || !mem_page_private(h->cpu.mem, page))
        return;
    struct walk_page *known = walk_page(h, page);
    known->page = tag;
    known->marks = w->marks;
    known->host = mem_page_read(h->cpu.mem, page);
}

bool walk_mark(struct walk *w)
{
    struct engine *e = w->h->cpu.engine;
    for (unsigned i = 0; i < w->reads; i++)
        engine_mark_pte(e, w->pte_page[i] & ~PAGE_OFFSET, w->pte_page[i] & WALK_LAST);
    if (unlikely(w->marks != e->marks)) /* an update of A or D or a mark flushed: what this walk knew before has lost its marks */
        return false;
    for (unsigned i = 0; i < w->reads; i++)
        remember_page(w, w->pte_page[i]);
    for (unsigned i = 0; i < w->gs; i++) {
        __typeof__(w->h->walk.g[0]) *known = &w->h->walk.g[w->g[i].gpa / MEM_PAGE_SIZE % WALK_GPAGES];
        known->gpa = w->g[i].gpa;
        known->marks = w->marks;
        known->hgatp = w->h->s.csr.hgatp;
        known->page = w->g[i].page;
    }
    return true;
}

/* ---- one stage ------------------------------------------------------------------------------------------------------ */

static bool g_read(struct walk *w, uint64_t gpa, bool rv32, uint64_t *pa);
static bool g_write(struct walk *w, uint64_t gpa, bool rv32, uint64_t *pa);

/* The exception of this stage for the reason "not mapped or not permitted". */
static bool stage_fault(struct walk *w, enum walk_stage st, const struct table *t)
{
    if (st != STAGE_G)
        return walk_page_fault(w);
    uint64_t tinst = 0;
    if (t->implicit)
        tinst = (t->rv32 ? 0x2000 : 0x3000) | (t->access == ACCESS_STORE ? 0x20 : 0);
    return walk_guest_fault(w, t->addr, tinst);
}

/* Bits a valid leaf may not have set. */
WALK_INLINE uint64_t leaf_reserved(const struct walk *w, enum walk_stage st)
{
    uint64_t envcfg = st == STAGE_G ? w->envcfg_g : w->envcfg;
    uint64_t bits = PTE_RESERVED;
    if (!(envcfg & ENVCFG_PBMTE))
        bits |= PTE_PBMT;
    if (!rv_has(w->h->cfg, EXT_Svnapot))
        bits |= PTE_N;
    return bits;
}

/* What the U bit lets through: bit 0 data, bit 1 instruction fetches. The G stage sees every access as made by U. */
WALK_INLINE unsigned u_permits(const struct walk *w, enum walk_stage st, uint64_t pte)
{
    bool user = pte & PTE_U;
    if (st == STAGE_G || w->m.priv == RV_U)
        return user ? 3 : 0;
    if (!user)
        return 3;
    return w->status & STATUS_SUM ? 1 : 0;
}

/* The stage's PERM_ bits by R, W and X (and not by U and D), for the access mode. */
WALK_INLINE unsigned rwx_permits(const struct walk *w, enum walk_stage st, const struct table *t, uint64_t pte)
{
    unsigned p = (unsigned)(pte >> 1) & (PERM_R | PERM_W | PERM_X);
    bool explicit = st != STAGE_G || !t->implicit;
    bool mxr = st == STAGE_G ? w->mxr_g : w->status & STATUS_MXR;
    bool x = p & PERM_X;
    if (unlikely(explicit && w->m.hlvx)) /* execute takes the place of read, in both stages */
        return x ? p | PERM_R : p & ~(unsigned)PERM_R;
    if (unlikely(explicit && mxr && x))
        p |= PERM_R;
    if (unlikely(st == STAGE_G && explicit && w->m.shadow_stack)) { /* zicfiss: the G stage must permit reading and writing */
        unsigned both = PERM_R | PERM_W;
        return (p & both) == both && (pte & PTE_R) ? p : p & ~both;
    }
    return p;
}

enum ss_answer { SS_OK, SS_PAGE_FAULT, SS_ACCESS_FAULT };

/* Shadow-stack pages and accesses in the first stage (zicfiss "Shadow Stack Memory Protection"); *perm is replaced. */
static enum ss_answer shadow_stack_rules(const struct walk *w, uint64_t pte, unsigned *perm)
{
    bool ss_page = (pte & (PTE_R | PTE_W | PTE_X)) == PTE_W;
    if (w->m.shadow_stack) {
        if (ss_page) {
            *perm = PERM_R | PERM_W;
            return SS_OK;
        }
        return (pte & (PTE_R | PTE_W | PTE_X)) == PTE_R ? SS_PAGE_FAULT : SS_ACCESS_FAULT;
    }
    *perm = w->m.hlvx ? 0 : PERM_R; /* all plain loads may read it */
    return w->access != ACCESS_LOAD || w->m.cbo ? SS_ACCESS_FAULT : SS_OK;
}

/* Sets the bits `need` (A, D) in the entry at pa, of which the walk read `pte` (svadu); at: its address as the table's owner sees
   it. False: h->trap is set. */
static bool set_ad(struct walk *w, enum walk_stage st, const struct table *t, uint64_t at, uint64_t pa, uint64_t pte,
                   uint64_t need)
{
    if (!((st == STAGE_G ? w->envcfg_g : w->envcfg) & ENVCFG_ADUE))
        return stage_fault(w, st, t);
    /* The guest's table must be writable in the G stage. That may set D in this very entry, if it maps itself; then it is a store
       that needs D here, too, so what is written below is right even so. */
    if (st == STAGE_VS && !g_write(w, at, t->rv32, &pa))
        return false;
    return pte_write(w, pa, t->rv32, pte, pte | need) || walk_access_fault(w);
}

/* Everything after "a leaf PTE has been reached". */
WALK_INLINE bool leaf(struct walk *w, enum walk_stage st, const struct table *t, uint64_t pte, uint64_t at, uint64_t pa,
                      unsigned shift, struct leaf *out)
{
    static const uint8_t need_perm[] = {[ACCESS_FETCH] = PERM_X, [ACCESS_LOAD] = PERM_R, [ACCESS_STORE] = PERM_W};
    bool ss_page = st != STAGE_G && (pte & (PTE_R | PTE_W | PTE_X)) == PTE_W && (w->envcfg & ENVCFG_SSE);
    uint64_t ppn_pa = (pte & PTE_PPN_MASK) << 2, below = ((UINT64_C(1) << shift) - 1) & ~PAGE_OFFSET;
    bool bad = (pte & leaf_reserved(w, st)) || (pte & PTE_PBMT) == PTE_PBMT || ((pte & (PTE_R | PTE_W)) == PTE_W && !ss_page) ||
               (ppn_pa & below);
    if (unlikely(pte & PTE_N)) {
        bad |= shift != MEM_PAGE_SHIFT || (ppn_pa >> MEM_PAGE_SHIFT & bits_mask(0, NAPOT_BITS)) != NAPOT_64K;
        below = bits_mask(MEM_PAGE_SHIFT, NAPOT_BITS);
        ppn_pa &= ~below;
    }
    unsigned by_u = u_permits(w, st, pte);
    if (unlikely(bad || !(by_u & (t->access == ACCESS_FETCH ? 2 : 1))) && (bad || !w->m.probe))
        return stage_fault(w, st, t);
    unsigned perm = rwx_permits(w, st, t, pte);
    if (unlikely(st != STAGE_G && (ss_page || w->m.shadow_stack))) {
        enum ss_answer a = shadow_stack_rules(w, pte, &perm);
        if (a != SS_OK && !w->m.probe)
            return a == SS_PAGE_FAULT ? walk_page_fault(w) : walk_access_fault(w);
    }
    if (unlikely(!(perm & need_perm[t->access])) && !w->m.probe)
        return stage_fault(w, st, t);
    uint64_t need = t->access == ACCESS_STORE ? PTE_A | PTE_D : PTE_A;
    if (unlikely((pte & need) != need) && !w->m.probe) {
        if (!set_ad(w, st, t, at, pa, pte, need))
            return false;
        pte |= need;
    }
    if (!(pte & PTE_D))
        perm &= ~(unsigned)PERM_W;
    out->perm = perm & ((by_u & 1 ? PERM_R | PERM_W : 0) | (by_u & 2 ? PERM_X : 0));
    out->page = ppn_pa | (t->addr & below);
    out->table = shift == MEM_PAGE_SHIFT && !t->rv32 ? pa & ~PAGE_OFFSET : WALK_NO_TABLE;
    out->from = st == STAGE_S && shift == MEM_PAGE_SHIFT ? tlb_from(pa) : TLB_FROM_MANY;
    out->pbmt = (unsigned)(pte >> PTE_PBMT_SHIFT) & 3;
    return true;
}

WALK_INLINE bool walk(struct walk *w, enum walk_stage st, const struct table *t, uint64_t atp, struct leaf *out)
{
    unsigned levels = atp_levels(atp, t->rv32), bits = t->rv32 ? 10 : 9, pte_shift = t->rv32 ? 2 : 3;
    uint64_t base = (atp & (t->rv32 ? bits_mask(0, 22) : bits_mask(0, 44))) << MEM_PAGE_SHIFT;
    unsigned shift = MEM_PAGE_SHIFT + bits * (levels - 1);
    uint64_t index = bits_mask(0, bits);
    if (st == STAGE_G) { /* two more bits, in a root of 16 KiB (hgatp holds no unaligned one) */
        if (!t->rv32 && t->addr >> (shift + bits + 2))
            return stage_fault(w, st, t);
        index = bits_mask(0, bits + 2);
    } else if (!t->rv32 && (uint64_t)bits_sext(t->addr, shift + bits) != t->addr) {
        return stage_fault(w, st, t);
    }
    for (;;) {
        uint64_t at = base + ((t->addr >> shift & index) << pte_shift), pa = at, pte;
        if (st == STAGE_VS && !g_read(w, at, t->rv32, &pa))
            return false;
        if (unlikely(!pte_read(w, pa, t->rv32, st == STAGE_S && shift == MEM_PAGE_SHIFT, &pte)))
            return walk_access_fault(w);
        if (unlikely(!(pte & PTE_V)))
            return stage_fault(w, st, t);
        if (pte & (PTE_R | PTE_W | PTE_X))
            return leaf(w, st, t, pte, at, pa, shift, out);
        /* A pointer: A, D, U and the bits above the PPN are reserved in it. */
        if (unlikely((pte & ~(PTE_PPN_MASK | bits_mask(0, 10))) || (pte & (PTE_A | PTE_D | PTE_U)) || shift == MEM_PAGE_SHIFT))
            return stage_fault(w, st, t);
        base = (pte & PTE_PPN_MASK) << 2;
        shift -= bits;
        index = bits_mask(0, bits);
    }
}

/* G stage of gpa: an access of the instruction's own, or an implicit one. */
static bool g_walk(struct walk *w, uint64_t gpa, enum access a, bool implicit, struct leaf *out)
{
    bool rv32 = w->h->cfg->xlen == 32;
    const struct table t = {.addr = gpa, .access = a, .rv32 = rv32, .implicit = implicit};
    return walk(w, STAGE_G, &t, w->h->s.csr.hgatp, out);
}

/* The same for reading an entry in a page that h->walk does not know. */
static bool g_read_first(struct walk *w, uint64_t gpa, uint64_t tag, uint64_t *pa)
{
    struct leaf l;
    if (!g_walk(w, gpa, ACCESS_LOAD, true, &l))
        return false;
    if (w->gs < ARRAY_LEN(w->g)) {
        w->g[w->gs].gpa = tag;
        w->g[w->gs++].page = l.page;
    }
    *pa = l.page | (gpa & PAGE_OFFSET);
    return true;
}

/* The supervisor physical address of the VS-stage entry at gpa, for reading it. */
WALK_INLINE bool g_read(struct walk *w, uint64_t gpa, bool rv32, uint64_t *pa)
{
    uint64_t hgatp = w->h->s.csr.hgatp, tag = (gpa & ~PAGE_OFFSET) | 1 | (w->envcfg_g & (ENVCFG_ADUE | ENVCFG_PBMTE)) >> 60;
    const __typeof__(w->h->walk.g[0]) *known = &w->h->walk.g[gpa / MEM_PAGE_SIZE % WALK_GPAGES];
    *pa = gpa;
    if (!atp_levels(hgatp, rv32))
        return true;
    if (unlikely(known->gpa != tag || known->hgatp != hgatp || known->marks != w->h->cpu.engine->marks))
        return g_read_first(w, gpa, tag, pa);
    *pa = known->page | (gpa & PAGE_OFFSET);
    return true;
}

/* The same for updating it. */
static bool g_write(struct walk *w, uint64_t gpa, bool rv32, uint64_t *pa)
{
    struct leaf l;
    *pa = gpa;
    if (!atp_levels(w->h->s.csr.hgatp, rv32))
        return true;
    if (!g_walk(w, gpa, ACCESS_STORE, true, &l))
        return false;
    *pa = l.page | (gpa & PAGE_OFFSET);
    return true;
}

bool walk_g(struct walk *w, uint64_t gpa, struct leaf *out) { return g_walk(w, gpa, w->access, false, out); }

bool walk_first(struct walk *w, uint64_t atp, struct leaf *out)
{
    const struct table t = {.addr = w->va, .access = w->access, .rv32 = w->h->cfg->xlen == 32};
    return w->m.v ? walk(w, STAGE_VS, &t, atp, out) : walk(w, STAGE_S, &t, atp, out);
}
