/*
 * From an effective address to a physical one: priv 12 (satp), hypervisor "Two-Stage Address Translation", zpm, priv 3.7 on the
 * result.
 */
#include "cpu/riscv/walk.h"

#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPRV      (UINT64_C(1) << 17)
#define STATUS_SUM        (UINT64_C(1) << 18)
#define STATUS_MXR        (UINT64_C(1) << 19)
#define MSTATUS_MPV_SHIFT 39
#define MNSTATUS_NMIE     8u

#define ENVCFG_SSE   (UINT64_C(1) << 3)
#define ENVCFG_ADUE  (UINT64_C(1) << 61)
#define ENVCFG_PBMTE (UINT64_C(1) << 62)
#define PMM_SHIFT    32 /* of menvcfg, henvcfg, senvcfg and mseccfg */
#define HUPMM_SHIFT  48

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
    if (unlikely(w->m.probe || (whole && w->reads && !walk_mark(w)) || w->gen != h->cpu.engine->gen))
        out->page_bits = 0;
    return true;
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
    w.gen = h->cpu.engine->gen;
    w.reads = w.gs = 0;

    struct leaf l = {.page = w.va & ~PAGE_OFFSET, .perm = PERM_R | PERM_W | PERM_X};
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
        struct leaf g;
        if (!walk_g(&w, l.page | (w.va & PAGE_OFFSET), &g))
            return false;
        l.page = g.page;
        l.perm &= g.perm;
        l.pbmt = l.pbmt ? l.pbmt : g.pbmt; /* svpbmt: the first stage overrides */
    }
    return finish(&w, l.page | (w.va & PAGE_OFFSET), size, l.perm, l.pbmt, out);
}
