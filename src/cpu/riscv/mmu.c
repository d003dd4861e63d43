/*
 * From an effective address to a physical one: priv 12 (satp), hypervisor "Two-Stage Address Translation", zpm, priv 3.7 on the
 * result.
 */
#include "cpu/riscv/walk.h"

#include <string.h>

#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPRV      (UINT64_C(1) << 17)
#define MSTATUS_MPV_SHIFT 39
#define MNSTATUS_NMIE     8u

#define PMM_SHIFT   32 /* of menvcfg, henvcfg, senvcfg and mseccfg */
#define HUPMM_SHIFT 48

/* Of a context's key (mmu_key). */
#define KEY_PRIV UINT64_C(3)
#define KEY_V    (UINT64_C(1) << 2)

#define PBMT_IO     2
#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)

struct access_mode data_mode(const struct hart *h)
{
    uint64_t mstatus = h->s.csr.mstatus;
    struct access_mode m = {.priv = h->s.priv, .v = h->s.v};
    if (unlikely(mstatus & MSTATUS_MPRV) && (!rv_has(h->cfg, EXT_Smrnmi) || (h->s.csr.mnstatus & MNSTATUS_NMIE))) {
        m.priv = mstatus >> MSTATUS_MPP_SHIFT & 3;
        m.v = m.priv != RV_M && (mstatus >> MSTATUS_MPV_SHIFT & 1);
    }
    return m;
}

/* The PMM field in force for a load or store: 0, 2 (7 bits are ignored) or 3 (16 bits). zpm "Memory Accesses Subject to Pointer
 * Masking". */
static inline unsigned pmm_of(const struct hart *h, const struct access_mode *m)
{
    const struct rv_csrs *r = &h->s.csr;
    uint64_t field;
    if (m->hlvx)
        return 0;
    if (m->priv == RV_M) {
        field = r->mseccfg >> PMM_SHIFT;
    } else {
        if ((r->mstatus | (m->v ? r->vsstatus : 0)) & STATUS_MXR)
            return 0;
        if (m->priv == RV_S)
            field = (m->v ? r->henvcfg : r->menvcfg) >> PMM_SHIFT;
        else if (unlikely(m->hlv && h->s.priv == RV_U))
            field = r->hstatus >> HUPMM_SHIFT;
        else
            field = (rv_has(h->cfg, EXT_S) ? r->senvcfg : r->menvcfg) >> PMM_SHIFT;
    }
    return field & 3;
}

/* The satp value of the first stage; 0 (Bare) in M. */
static inline uint64_t first_atp(const struct hart *h, const struct access_mode *m)
{
    return m->priv == RV_M ? 0 : m->v ? h->s.csr.vsatp : h->s.csr.satp;
}

/* zpm "The Ignore Transformation": sign extension of virtual addresses, zero extension of physical ones. */
uint64_t mmu_address(const struct hart *h, uint64_t va, const struct access_mode *m)
{
    if (h->cfg->xlen == 32)
        return (uint32_t)va;
    unsigned pmm = pmm_of(h, m);
    if (likely(pmm < 2))
        return va;
    unsigned kept = pmm == 2 ? 57 : 48;
    return atp_levels(first_atp(h, m), false) ? (uint64_t)bits_sext(va, kept) : va & bits_mask(0, kept);
}

/* SUM and MXR of the first stage: HS-level MXR is good for both stages, vsstatus.MXR for the first alone. hypervisor 9.5.1. */
static inline uint64_t first_status(const struct rv_csrs *r, bool v)
{
    return v ? (r->vsstatus & (STATUS_SUM | STATUS_MXR)) | (r->mstatus & STATUS_MXR) : r->mstatus & (STATUS_SUM | STATUS_MXR);
}

/* What menvcfg has off is off for guests, too. */
static inline uint64_t first_envcfg(const struct rv_csrs *r, bool v)
{
    return (v ? r->henvcfg & r->menvcfg : r->menvcfg) & (ENVCFG_SSE | ENVCFG_ADUE | ENVCFG_PBMTE);
}

void mmu_key(const struct hart *h, const struct access_mode *m, bool fetch, uint64_t key[4])
{
    const struct rv_csrs *r = &h->s.csr;
    (void)fetch;
    /* Word 0: bits 0-7 the access mode, 8-9 PMM, 18-19 SUM and MXR (20: HS-level MXR); 3 << 61 and bit 10: ADUE, PBMTE, SSE of
       the first stage; 3 << 58: ADUE and PBMTE of the G stage. */
    uint64_t k = m->priv | (unsigned)m->v << 2 | (unsigned)m->hlvx << 3 | (unsigned)m->shadow_stack << 4 | (unsigned)m->cbo << 5;
    k |= (uint64_t)pmm_of(h, m) << 8;
    key[1] = key[2] = key[3] = 0;
    if (m->priv != RV_M) {
        uint64_t env = first_envcfg(r, m->v), status = first_status(r, m->v);
        k |= (env & (ENVCFG_ADUE | ENVCFG_PBMTE)) | (env & ENVCFG_SSE) << 7;
        k |= m->priv == RV_S ? status : status & STATUS_MXR;
        key[1] = m->v ? r->vsatp : r->satp;
        if (m->v) {
            k |= (r->menvcfg & (ENVCFG_ADUE | ENVCFG_PBMTE)) >> 3 | (r->mstatus & STATUS_MXR) << 1;
            key[2] = r->hgatp;
        }
    }
    key[0] = k;
}

/* The checks on the final address (width, PMP, the memory a shadow stack needs) and the answer. */
static bool finish(struct walk *w, uint64_t pa, unsigned size, unsigned perm, unsigned pbmt, struct xlate *out)
{
    static const uint8_t need_perm[] = {[ACCESS_FETCH] = PERM_X, [ACCESS_LOAD] = PERM_R, [ACCESS_STORE] = PERM_W};
    const struct hart *h = w->h;
    bool whole;
    if (unlikely(pa_too_wide(h, pa)))
        return walk_access_fault(w);
    unsigned pmp = pmp_perm(h, pa, size, w->m.priv, &whole), need = need_perm[w->access];
    if (unlikely(w->m.hlvx)) /* physical attributes must permit both (hypervisor "Virtual-Machine Load and Store Instructions") */
        need = PERM_R | PERM_X;
    if (unlikely(w->m.shadow_stack)) { /* zicfiss: idempotent memory that PMP permits to read and write */
        need = PERM_R | PERM_W;
        if (pbmt == PBMT_IO || !mem_page_read(h->cpu.mem, pa))
            return walk_access_fault(w);
        if ((pmp & need) != need)
            pmp = 0;
    }
    if (unlikely((pmp & need) != need) && !w->m.probe)
        return walk_access_fault(w);
    perm &= pmp;
    *out = (struct xlate){.pa = pa,
                          .page_bits = whole ? MEM_PAGE_SHIFT : 0,
                          .pbmt = (uint8_t)pbmt,
                          .read = perm & PERM_R,
                          .write = perm & PERM_W,
                          .exec = perm & PERM_X};
    /* Unless everything the walk read was known, and so is marked. */
    if (unlikely(w->m.probe || (whole && w->reads && !walk_mark(w)) || w->marks != h->cpu.engine->marks))
        out->page_bits = 0;
    return true;
}

/* Lets the next walks of the region of addr begin at its last-level table. */
static void remember_table(struct hart *h, unsigned stage, uint64_t addr, uint64_t table)
{
    const struct walk_page *known = walk_page(h, table);
    if (table == WALK_NO_TABLE || (known->page & ~PAGE_OFFSET) != table || known->marks != h->cpu.engine->marks)
        return;
    uint32_t from = known->page & WALK_LAST ? tlb_from(table) : TLB_FROM_MANY;
    uint64_t region = addr >> MMU_REGION_SHIFT;
    h->cpu.data_ctx->table[stage][region % TABLE_SIZE] =
        (struct table_entry){.region = region, .host = known->host, .from = from};
}

/* The entry for the page of addr, in the last-level table of its region; 0, which is not valid, if that is not known. */
static inline uint64_t quick_entry(const struct tlb_ctx *t, unsigned stage, uint64_t addr)
{
    uint64_t region = addr >> MMU_REGION_SHIFT, pte;
    const struct table_entry *e = &t->table[stage][region % TABLE_SIZE];
    if (unlikely(e->region != region))
        return 0;
    memcpy(&pte, e->host + (addr >> (MEM_PAGE_SHIFT - 3) & PAGE_OFFSET & ~UINT64_C(7)), sizeof pte);
    return pte;
}

uint64_t mmu_quick(const struct hart *h, uint64_t va, enum access a)
{
    const struct tlb_ctx *t = h->cpu.data_ctx;
    uint64_t key = t->key[0];
    /* Wanted of an entry: readable, accessed, and if stored to writable and dirty; none of the bits above the PPN. SUM lets S use
       the pages of U as well, but not the other way round. */
    uint64_t want = a == ACCESS_STORE ? PTE_V | PTE_R | PTE_W | PTE_A | PTE_D : PTE_V | PTE_R | PTE_A;
    uint64_t look = want | ~bits_mask(0, 54), user = (key & KEY_PRIV) == RV_U ? PTE_U : 0;
    uint64_t u_look = key & STATUS_SUM ? user : PTE_U;
    uint64_t pte = quick_entry(t, 0, va); /* never of one that pointer masking changes: all its upper bits were compared */
    if (unlikely((pte & (look | u_look)) != (want | user)))
        return MMU_UNKNOWN;
    uint64_t page = (pte & PTE_PPN_MASK) << 2, both = pte;
    if ((key & KEY_V) && atp_levels(t->key[2], false)) {
        pte = quick_entry(t, 1, page);
        if (unlikely((pte & (look | PTE_U)) != (want | PTE_U)))
            return MMU_UNKNOWN;
        page = (pte & PTE_PPN_MASK) << 2;
        both &= pte;
    }
    bool whole;
    unsigned pmp = pmp_perm(h, page, MEM_PAGE_SIZE, key & KEY_PRIV, &whole), need = a == ACCESS_STORE ? PERM_R | PERM_W : PERM_R;
    if (unlikely((pmp & need) != need) || unlikely(pa_too_wide(h, page)))
        return MMU_UNKNOWN;
    return page | ((both & (PTE_W | PTE_D)) == (PTE_W | PTE_D) && (pmp & PERM_W));
}

bool mmu_translate(struct hart *h, uint64_t va, unsigned size, enum access a, const struct access_mode *m, struct xlate *out)
{
    const struct rv_csrs *r = &h->s.csr;
    bool rv32 = h->cfg->xlen == 32;
    struct walk w; /* not cleared: pte_page is large */
    w.h = h;
    w.va = a == ACCESS_FETCH ? (rv32 ? (uint32_t)va : va) : mmu_address(h, va, m);
    w.access = a;
    w.kind = (uint8_t)(m->shadow_stack || m->cbo ? ACCESS_STORE : a); /* zicfiss, cmo: reported as stores */
    w.m = *m;
    w.marks = h->cpu.engine->marks;
    w.reads = w.gs = 0;

    struct leaf l = {.page = w.va & ~PAGE_OFFSET,
                     .perm = PERM_R | PERM_W | PERM_X,
                     .table = WALK_NO_TABLE,
                     .from = TLB_FROM_MANY},
                g = {.table = WALK_NO_TABLE};
    uint64_t gpa = 0;
    uint64_t atp = first_atp(h, m);
    if (atp_levels(atp, rv32)) {
        w.status = first_status(r, m->v);
        w.envcfg = first_envcfg(r, m->v);
    } else {
        atp = 0;
        if (unlikely(m->shadow_stack)) /* zicfiss: in M or with Bare */
            return walk_access_fault(&w);
    }
    w.envcfg_g = r->menvcfg;
    w.mxr_g = r->mstatus & STATUS_MXR;
    if (atp && !walk_first(&w, atp, &l))
        return false;
    if (m->v && atp_levels(r->hgatp, rv32)) {
        gpa = l.page | (w.va & PAGE_OFFSET);
        if (!walk_g(&w, gpa, &g))
            return false;
        l.page = g.page;
        l.perm &= g.perm;
        l.from = TLB_FROM_MANY;
        l.pbmt = l.pbmt ? l.pbmt : g.pbmt; /* svpbmt: the first stage overrides */
    }
    if (!finish(&w, l.page | (w.va & PAGE_OFFSET), size, l.perm, l.pbmt, out))
        return false;
    out->from = l.from;
    if (out->page_bits && m == &h->plain) {
        remember_table(h, 0, w.va, l.table);
        remember_table(h, 1, gpa, g.table);
    }
    return true;
}
