/* Inside cpu/riscv: address translation split in the walk of page tables (walk.c), physical protection (pmp.c) and the rest
 * (mmu.c). */
#ifndef TL_CPU_RISCV_WALK_H
#define TL_CPU_RISCV_WALK_H
#include "cpu/riscv/hart.h"

#define PTE_V          0x01u
#define PTE_R          0x02u
#define PTE_W          0x04u
#define PTE_X          0x08u
#define PTE_U          0x10u
#define PTE_A          0x40u
#define PTE_D          0x80u
#define PTE_PPN_MASK   (bits_mask(10, 44))
#define PTE_N          (UINT64_C(1) << 63)
#define PTE_PBMT_SHIFT 61
#define PTE_PBMT       (UINT64_C(3) << PTE_PBMT_SHIFT)
#define PTE_RESERVED   (bits_mask(54, 7))

#define ENVCFG_SSE   (UINT64_C(1) << 3)
#define ENVCFG_ADUE  (UINT64_C(1) << 61)
#define ENVCFG_PBMTE (UINT64_C(1) << 62)
#define STATUS_SUM   (UINT64_C(1) << 18)
#define STATUS_MXR   (UINT64_C(1) << 19)

enum { PERM_R = 1, PERM_W = 2, PERM_X = 4 };

/* Page-table entries one translation can read: five VS-stage levels, each behind five of the G stage, five G-stage levels for the
   page itself, and five more to update the last VS-stage entry. */
#define WALK_READS  40
#define WALK_LEVELS 5

enum walk_stage {
    STAGE_S,  /* satp */
    STAGE_VS, /* vsatp */
    STAGE_G   /* hgatp */
};

/* A translation under way. */
struct walk {
    struct hart *h;
    uint64_t va;        /* masked: what tval shows */
    enum access access; /* what the instruction does */
    uint8_t kind;       /* what a fault is reported as: enum access */
    struct access_mode m;
    uint64_t status;    /* SUM and MXR of the first stage, at their places in sstatus */
    uint64_t envcfg;    /* PBMTE, ADUE, SSE of the first stage, at their places in menvcfg */
    uint64_t envcfg_g;  /* PBMTE, ADUE of the G stage */
    bool mxr_g;         /* HS-level MXR */
    uint64_t marks;     /* of the engine when the walk began */
    unsigned reads, gs; /* what h->walk did not know */
    uint64_t pte_page[WALK_READS];
    struct {
        uint64_t gpa, page;
    } g[WALK_LEVELS];
};

/* Where a walk ended: a 4 KiB page, what its whole extent permits for the access mode, and its memory type. */
struct leaf {
    uint64_t page;
    unsigned perm;
    unsigned pbmt;
    uint64_t table; /* RV64: physical address of the last-level table the entry is in; WALK_NO_TABLE: it is of another level */
    uint32_t from;  /* xlate.from of a translation of this stage alone */
};
#define WALK_NO_TABLE UINT64_MAX
#define WALK_LAST     1u /* in an address of walk_page.page and walk.pte_page: a last-level table of a translation of one stage */

/* First stage of w->va, by satp or vsatp. False: h->trap is set. */
bool walk_first(struct walk *w, uint64_t atp, struct leaf *out);
/* G stage of the guest physical address the instruction itself accesses. */
bool walk_g(struct walk *w, uint64_t gpa, struct leaf *out);
/* Marks every page entries were read from and remembers them. False: the translation must not be cached, for marks were dropped
 * meanwhile. */
bool walk_mark(struct walk *w);

/* Raise the exceptions of w->kind; always false. */
bool walk_page_fault(struct walk *w);
bool walk_access_fault(struct walk *w);
bool walk_guest_fault(struct walk *w, uint64_t gpa, uint64_t tinst);

#define SATP_MODE_SHIFT   60
#define SATP32_MODE_SHIFT 31

/* Levels of the page table a satp, vsatp or hgatp value selects; 0: Bare. priv "satp MODE". */
static inline unsigned atp_levels(uint64_t atp, bool rv32)
{
    if (rv32)
        return (atp >> SATP32_MODE_SHIFT & 1) * 2;
    unsigned mode = (unsigned)(atp >> SATP_MODE_SHIFT);
    return mode >= 8 && mode <= 10 ? mode - 5 : 0;
}

/* Where h->walk keeps what it knows of a page. */
static inline struct walk_page *walk_page(struct hart *h, uint64_t page)
{
    uint64_t hash = (page >> MEM_PAGE_SHIFT) * UINT64_C(0x9e3779b97f4a7c15);
    return &h->walk.pte[hash >> 32 & (WALK_PAGES - 1)];
}

/* ---- pmp.c ---------------------------------------------------------------------------------------------------------- */

/* The span that holds pa. */
unsigned pmp_find(const struct pmp_spans *p, uint64_t pa);

/* Permissions of [pa, pa + size) for M or for S and U, PERM_ bits; *whole: they hold for its 4 KiB page. size > 0, no
 * wrap-around. */
static inline unsigned pmp_perm(const struct hart *h, uint64_t pa, uint64_t size, uint8_t priv, bool *whole)
{
    const struct pmp_spans *p = &h->pmp;
    unsigned i = p->widest;
    if (unlikely(pa - p->first[i] > p->last[i] - p->first[i]))
        i = pmp_find(p, pa);
    uint64_t page = pa & ~(uint64_t)(MEM_PAGE_SIZE - 1);
    *whole = page >= p->first[i] && page + (MEM_PAGE_SIZE - 1) <= p->last[i];
    if (unlikely(pa + (size - 1) > p->last[i]))
        return 0;
    return priv == RV_M ? p->perm[i] >> 3 : p->perm[i] & 7;
}

/* True if pa needs more bits than the hart's physical addresses have: nothing is there (priv 3.6). */
static inline bool pa_too_wide(const struct hart *h, uint64_t pa) { return pa >> h->cfg->pa_bits; }
#endif
