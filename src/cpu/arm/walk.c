/*
 * Walks of translation tables: stage 1 and stage 2, with granules of 4, 16 and 64 KiB. Arm ARM D8.2 to D8.5, AArch64.S1Walk,
 * AArch64.S2Walk and what they call. Descriptors have 64 bits; the contiguous bit is a hint, and is not needed for anything.
 */
#include "cpu/gist.h"
#include "cpu/arm/perms.h"
#include "cpu/arm/walk_parts.h"

#include <string.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)
/* In Secure state: tables are (SW: of Secure, NSW: of Non-secure intermediate addresses), and accesses lead (SA, NSA) to the
   Non-secure address space. */
#define VSTCR_SW (UINT64_C(1) << 29)
#define VSTCR_SA (UINT64_C(1) << 30)
#define VTCR_NSW (UINT64_C(1) << 29)
#define VTCR_NSA (UINT64_C(1) << 30)
#define VTCR_SL2 33
#define VTCR_DS  32

#define WALK_INLINE static inline __attribute__((always_inline))

/* ---- descriptors in memory ----------------------------------------------------------------------------------------------- */

static inline uint64_t desc_load(const uint8_t *host, bool big_endian)
{
    uint64_t v;
    memcpy(&v, host, sizeof v);
    return unlikely(big_endian) ? __builtin_bswap64(v) : v;
}

/* Reads the descriptor at pa, of the space that w->desc_ns says; main memory only. last: of the last level, of a translation of
   one stage. False: nothing is there. */
WALK_INLINE bool desc_read(struct walk *w, uint64_t pa, bool big_endian, bool last, uint64_t *desc)
{
    uint64_t page = pa & ~PAGE_OFFSET;
    const __typeof__(w->p->walk.pte[0]) *known = &w->p->walk.pte[page / MEM_PAGE_SIZE % WALK_PAGES];
    const uint8_t *host = known->host;
    page |= last;
    if (unlikely(known->page != page || known->marks != w->p->cpu.engine->marks)) {
        host = mem_page_read(w->p->cpu.mem, pa);
        if (!host || (w->desc_ns && arm_secure_only(w->p->cfg, pa)))
            return false;
        w->pte_page[w->reads++] = page;
    }
    *desc = desc_load(host + (pa & PAGE_OFFSET), big_endian);
    return true;
}

/* Stores a descriptor in which only the access flag was set or the dirty state changed. False: it cannot be written. */
static bool desc_write(struct walk *w, uint64_t pa, bool big_endian, uint64_t old, uint64_t new)
{
    struct engine *e = w->p->cpu.engine;
    bool mine = mem_page_private(e->mem, pa);
    uint8_t *page = mem_page_write(e->mem, pa);
    if (!page)
        return false;
    if (!mine)
        engine_forget_shared(e, pa);
    if (big_endian) {
        old = __builtin_bswap64(old);
        new = __builtin_bswap64(new);
    }
    memcpy(page + (pa & PAGE_OFFSET), &new, sizeof new);
    if (unlikely(e->insns))
        gist_wrote(e, pa, sizeof new);
    /* A cached translation never came from a descriptor without the access flag, and one that came from a clean one permits no
       store: none is wrong now. Decoded code and monitors in the same page do have to hear of it. */
    if (*mem_page_flags(e->mem, pa) & (MEM_CODE | MEM_WATCH))
        engine_store(e, pa, 8, old, new);
    return true;
}

/* Only pages that are this machine's own stay where they are when stored to. Those that not every walk may read are asked about
   each time. */
static void remember_page(struct walk *w, uint64_t page)
{
    struct pe *p = w->p;
    if (!mem_page_private(p->cpu.mem, page & ~PAGE_OFFSET) || arm_secure_only(p->cfg, page & ~PAGE_OFFSET))
        return;
    __typeof__(p->walk.pte[0]) *known = &p->walk.pte[page / MEM_PAGE_SIZE % WALK_PAGES];
    known->page = page;
    known->marks = w->marks;
    known->host = mem_page_read(p->cpu.mem, page & ~PAGE_OFFSET);
}

bool ttw_mark(struct walk *w)
{
    struct engine *e = w->p->cpu.engine;
    for (unsigned i = 0; i < w->reads; i++)
        engine_mark_pte(e, w->pte_page[i] & ~PAGE_OFFSET, w->pte_page[i] & PTE_LAST);
    if (unlikely(w->marks != e->marks)) /* an update or a mark flushed: what this walk knew before has lost its marks */
        return false;
    for (unsigned i = 0; i < w->reads; i++)
        remember_page(w, w->pte_page[i]);
    for (unsigned i = 0; i < w->gs; i++) {
        __typeof__(w->p->walk.g[0]) *known = &w->p->walk.g[w->g[i].ipa / MEM_PAGE_SIZE % WALK_GPAGES];
        known->ipa = w->g[i].ipa;
        known->marks = w->marks;
        known->vttbr = w->p->s.regs.vttbr_el2;
        known->control = w->s2control;
        known->page = w->g[i].page;
    }
    return true;
}

/* ---- what both stages have in common ------------------------------------------------------------------------------------- */

enum which { STAGE1, STAGE2 };
enum desc_kind { KIND_INVALID, KIND_TABLE, KIND_LEAF };

/* Arm ARM AArch64.DecodeDescriptorType, AArch64.BlockDescSupported. */
WALK_INLINE enum desc_kind desc_kind(const struct pe *p, const struct stage *s, uint64_t desc, int level)
{
    if (unlikely(!(desc & DESC_VALID)))
        return KIND_INVALID;
    if (desc & DESC_TABLE)
        return level == FINAL_LEVEL ? KIND_LEAF : KIND_TABLE;
    bool block = level == 2;
    if (level == 1)
        block =
            s->granule == GRANULE_4K || (s->granule == GRANULE_16K ? s->ds : p->cfg->pa_bits >= 52 && arm_has(p->cfg, FEAT_LPA));
    else if (level == 0)
        block = s->granule == GRANULE_4K && s->ds;
    return block ? KIND_LEAF : KIND_INVALID;
}

/* The address in a descriptor, aligned to 2^low bytes. Arm ARM AArch64.LeafBase, AArch64.NextTableBase. */
WALK_INLINE uint64_t desc_address(const struct pe *p, const struct stage *s, uint64_t desc, unsigned low)
{
    uint64_t a = desc & bits_mask(low, 48 - low);
    if (s->granule == GRANULE_64K)
        return arm_has(p->cfg, FEAT_LPA) ? a | bits_get(desc, 15, 12) << 48 : a;
    return s->ds ? a | bits_get(desc, 9, 8) << 50 | bits_get(desc, 49, 48) << 48 : a;
}

WALK_INLINE bool too_wide(const struct stage *s, uint64_t address) { return address >> s->oasize; }

/* Bits of the address below a level's descriptors. */
WALK_INLINE unsigned level_shift(const struct stage *s, int level)
{
    return s->granule + (s->granule - 3u) * (unsigned)(FINAL_LEVEL - level);
}

/* Setting dirty state is for stores; AT, DC and IC leave it. */
static inline bool dirties(const struct walk *w) { return w->access == ACCESS_STORE && !w->m.at && !w->m.cm; }

/* FEAT_HAFT: whether a table's access flag is to be set (D8.5.1.3). */
static inline bool table_af_missing(const struct walk *w, uint64_t desc) { return !(desc & DESC_AF) && !w->m.probe; }

/* ---- stage 2 -------------------------------------------------------------------------------------------------------------- */

/* In Secure state: the space that an intermediate address leads to. Arm ARM AArch64.SS2OutputPASpace. */
static bool second_output_ns(const struct walk *w)
{
    const struct arm_regs *r = &w->p->s.regs;
    return r->vstcr_el2 & (VSTCR_SW | VSTCR_SA) || (w->ipa_ns && r->vtcr_el2 & (VTCR_NSW | VTCR_NSA));
}

/* Bits of VTCR_EL2 with which more than the descriptor decides what stage 2 permits. */
#define VTCR_MODELLED (vtcr_el2_S2PIE | vtcr_el2_AssuredOnly | vtcr_el2_TL0 | vtcr_el2_TL1)

/* For the intermediate addresses of one space; Non-secure state has one only. Arm ARM AArch64.NSS2TTWParams, SS2TTWParams. */
static void second_make(struct walk *w, bool ns)
{
    struct pe *p = w->p;
    const struct arm_config *c = p->cfg;
    const struct arm_regs *r = &p->s.regs;
    uint64_t vtcr = r->vtcr_el2, t = ns ? vtcr : r->vstcr_el2;
    struct stage *s = &w->s2stage;
    unsigned txsz = t & 63, sl0 = t >> 6 & 3;
    w->s2ns = ns;
    s->granule = (uint8_t)granule_tg0(c, t >> 14 & 3);
    s->ds = s->granule != GRANULE_64K && arm_has(c, FEAT_LPA2) && (vtcr >> VTCR_DS & 1);
    unsigned sl2 = s->granule == GRANULE_4K && s->ds ? t >> VTCR_SL2 & 1 : 0;
    s->ha = arm_has(c, FEAT_HAFDBS) && (vtcr >> 21 & 1);
    s->hd = s->ha && (vtcr >> 22 & 1);
    s->big_endian = (r->sctlr_el2 & sctlr_el1_EE) != 0;
    s->oasize = (uint8_t)ttw_oasize(p, vtcr >> 16 & 7, (enum granule)s->granule);
    s->haft = s->ha && (vtcr & vtcr_el2_HAFT);
    w->s2control =
        w->secure || (vtcr & VTCR_MODELLED) ? 0 : vtcr | 1u << 31 | (uint64_t)second_ptw(p) << 62 | (uint64_t)s->big_endian << 63;

    /* Arm ARM AArch64.S2TxSZFaults, AArch64.S2MinTxSZ, AArch64.S2InvalidSL, AArch64.S2InconsistentSL. */
    unsigned pamax = (unsigned)c->pa_bits, ips = pamax;
    if (arm_has(c, FEAT_LPA) && s->granule != GRANULE_64K && !s->ds && ips > 48)
        ips = 48;
    unsigned least = 64 - (ips > 52 ? 52 : ips), most = arm_has(c, FEAT_TTST) ? (s->granule == GRANULE_64K ? 47 : 48) : 39;
    w->s2bad = txsz < least && arm_has(c, FEAT_LPA);
    txsz = txsz < least ? least : txsz > most ? most : txsz;
    s->iasize = (uint8_t)(64 - txsz);
    bool ttst = arm_has(c, FEAT_TTST);
    if (s->granule == GRANULE_4K) {
        static const int8_t level[8] = {2, 1, 0, 3, -1, 0, 0, 0};
        unsigned sl = sl2 << 2 | sl0;
        s->level = level[sl];
        w->s2bad |= sl > 4 || (sl == 2 && pamax < 44) || (sl == 3 && !ttst);
    } else {
        s->level = (int8_t)(3 - (int)sl0);
        if (s->granule == GRANULE_16K)
            w->s2bad |= (sl0 == 3 && !s->ds) || (sl0 == 2 && pamax < 42);
        else
            w->s2bad |= sl0 == 3 || (sl0 == 2 && pamax < 44);
    }
    int stride = s->granule - 3, shortest = (FINAL_LEVEL - s->level) * stride + s->granule + 1;
    w->s2bad |= s->iasize < shortest || s->iasize > shortest + stride - 1 + 4;
    /* Arm ARM AArch64.S2TTBaseAddress: as in stage 1, and tables may be concatenated. */
    int size = s->iasize - ((FINAL_LEVEL - s->level) * stride + s->granule) + 3;
    uint64_t ttbr = ns ? r->vttbr_el2 : r->vsttbr_el2;
    s->base = ttbr & bits_mask(1, 47);
    if (s->ds || (s->granule == GRANULE_64K && (vtcr >> 16 & 7) == 6 && arm_has(c, FEAT_LPA))) {
        s->base = (ttbr & bits_mask(6, 42)) | bits_get(ttbr, 5, 2) << 48;
        size = size < 6 ? 6 : size;
    }
    s->base &= ~bits_mask(0, size < 0 ? 0 : (unsigned)size);
}

/* In Secure state: turns to the stage 2 of one space, and says where its tables are. Arm ARM AArch64.SS2InitialTTWState. */
static void second_space(struct walk *w)
{
    const struct arm_regs *r = &w->p->s.regs;
    if (w->s2ns != w->ipa_ns)
        second_make(w, w->ipa_ns);
    w->desc_ns = w->ipa_ns ? r->vtcr_el2 & VTCR_NSW : r->vstcr_el2 & VSTCR_SW;
}

void ttw_second_setup(struct walk *w)
{
    const struct pe *p = w->p;
    const struct arm_regs *r = &p->s.regs;
    w->s2modelled = r->vtcr_el2 & VTCR_MODELLED;
    w->assured = w->assured_below = false;
    struct stage2_memo *o = &w->p->walk.second;
    const uint64_t from[STAGE_WORDS] = {r->vttbr_el2, r->vtcr_el2, second_ptw(p), r->sctlr_el2 & sctlr_el1_EE};
    if (unlikely(w->secure)) {
        second_make(w, false);
        return;
    }
    w->s2ns = true;
    if (unlikely(!o->made || memcmp(o->from, from, sizeof from))) {
        second_make(w, true);
        *o = (struct stage2_memo){.stage = w->s2stage, .control = w->s2control, .made = true, .bad = w->s2bad};
        memcpy(o->from, from, sizeof from);
        return;
    }
    w->s2stage = o->stage;
    w->s2control = o->control;
    w->s2bad = o->bad;
}

/* Memory attributes of one cacheability nibble as MAIR_ELx has them: 0 Non-cacheable, 1 Write-Through, 2 Write-Back. */
static unsigned cacheability(unsigned nibble)
{
    if (nibble == 4)
        return 0;
    return nibble >> 2 & 1 ? 2 : 1; /* x1RW Write-Back (01RW transient, 11RW), x0RW Write-Through */
}

/* Stage 1's nibble weakened to what stage 2 permits. Arm ARM S2CombineS1AttrHints. */
static unsigned combine_nibble(unsigned s1, unsigned s2)
{
    unsigned a = cacheability(s1), least = a < s2 ? a : s2;
    if (least == 0)
        return 4;
    if (least == a)
        return s1;
    return s1 & ~4u; /* Write-Back made Write-Through keeps its hints */
}

/* The attributes of both stages, without and with FWB. Arm ARM S2CombineS1MemAttrs, AArch64.S2ApplyFWBMemAttrs. */
static uint8_t combine(const struct walk *w, uint8_t s1, unsigned s2)
{
    static const uint8_t to_cacheability[4] = {0, 0, 1, 2};
    bool fwb = hcr_of(w->p) & hcr_el2_FWB;
    s1 = s1 == 0x40 ? ATTR_NORMAL_NC : s1 == 0xa0 ? 0xaa : s1; /* FEAT_XS: no more than the XS attribute tells them apart */
    if (fwb) {
        if (!(s2 & 4))
            return attr_is_device(s1) && (s1 >> 2 & 3) < (s2 & 3) ? s1 & 0x0c : (uint8_t)((s2 & 3) << 2);
        switch (s2 & 3) {
        case 3: return s1;
        case 2: {
            if (s1 == ATTR_TAGGED)
                return s1;
            bool normal = !attr_is_device(s1);
            unsigned outer = s1 >> 4, inner = s1 & 15;
            outer = normal && outer != 4 ? outer | 4 : 15;
            inner = normal && inner != 4 ? inner | 4 : 15;
            return (uint8_t)(outer << 4 | inner);
        }
        default: return attr_is_device(s1) ? s1 : ATTR_NORMAL_NC;
        }
    }
    bool s2_device = !(s2 >> 2);
    if (attr_is_device(s1) && s2_device)
        return (s1 >> 2 & 3) < (s2 & 3) ? s1 & 0x0c : (uint8_t)((s2 & 3) << 2);
    if (attr_is_device(s1))
        return s1;
    if (s2_device)
        return (uint8_t)((s2 & 3) << 2);
    if (s1 == ATTR_TAGGED) /* Write-Back with both hints, and still Tagged only if that is what comes out. S2MemTagType */
        return s2 == 15
                   ? ATTR_TAGGED
                   : (uint8_t)(combine_nibble(15, to_cacheability[s2 >> 2]) << 4 | combine_nibble(15, to_cacheability[s2 & 3]));
    return (uint8_t)(combine_nibble(s1 >> 4, to_cacheability[s2 >> 2]) << 4 | combine_nibble(s1 & 15, to_cacheability[s2 & 3]));
}

/* HCR_EL2.CD: stage 2 makes Normal memory Non-cacheable for data, so that its tags are not used. An address translation
   instruction tells what the descriptors say, which PAR_EL1.ATTR permits. Arm ARM AArch64.S2TreatAsNormalNC. */
static bool second_uncached(const struct walk *w)
{
    return unlikely(hcr_of(w->p) & hcr_el2_CD) && w->access != ACCESS_FETCH && !w->m.at;
}

/* Whether stage 2 alone makes the memory Device. */
static bool second_device(const struct walk *w, unsigned s2) { return hcr_of(w->p) & hcr_el2_FWB ? !(s2 & 4) : !(s2 >> 2); }

/* Shareability of both: the wider; what is not cacheable is Outer Shareable. Arm ARM S2CombineS1Shareability,
 * EffectiveShareability. */
static uint8_t combine_sh(uint8_t attr, uint8_t s1, uint8_t s2)
{
    if (attr_is_device(attr) || attr == ATTR_NORMAL_NC || s1 == 2 || s2 == 2)
        return 2;
    return s1 == 3 || s2 == 3 ? 3 : 0;
}

/* The table of the last level for an ipa the instruction itself accesses, as last_table below has it for stage 1. */
WALK_INLINE const struct walk_table *last_table2(struct walk *w, uint64_t ipa)
{
    struct pe *p = w->p;
    const struct stage *s = &w->s2stage;
    if (unlikely(!w->s2control) || unlikely(s->granule != GRANULE_4K) || unlikely(s->level == FINAL_LEVEL))
        return NULL;
    uint64_t prefix = ipa >> (2 * GRANULE_4K - 3);
    struct walk_table *t = &p->walk.table2[prefix % WALK_TABLES];
    if (likely(t->prefix == prefix && t->marks == p->cpu.engine->marks && t->control == w->s2control &&
               t->vttbr == p->s.regs.vttbr_el2))
        return t;
    w->slot2 = t;
    w->table2 = (struct walk_table){.prefix = prefix, .marks = w->marks, .control = w->s2control, .vttbr = p->s.regs.vttbr_el2};
    return NULL;
}

/* Where a walk of stage 2 ended. */
struct leaf2 {
    uint64_t at, desc; /* the descriptor's address, and it */
    unsigned shift;    /* bits of the address it does not resolve */
    int level;
};

/* Walks to the leaf of ipa. FEAT_HAFT: tables on the way get the access flag. */
WALK_INLINE bool second_find(struct walk *w, uint64_t ipa, bool on_walk, struct leaf2 *out)
{
    const struct stage *s = &w->s2stage;
    int level = s->level;
    unsigned shift = level_shift(s, level);
    uint64_t desc, at = s->base | (ipa >> shift & bits_mask(0, s->iasize - shift)) << 3;
    if (unlikely(too_wide(s, at)))
        return ttw_fault2(w, FSC_ADDRESS_SIZE, 0, ipa, on_walk);
    const struct walk_table *known = on_walk ? NULL : last_table2(w, ipa);
    if (known) {
        level = FINAL_LEVEL;
        shift = level_shift(s, level);
        at = known->pa | (ipa >> shift & bits_mask(0, s->granule - 3u)) << 3;
    }
    for (;;) {
        if (unlikely(!desc_read(w, at, s->big_endian, false, &desc)))
            return ttw_fault2(w, FSC_EXTERNAL_ON_WALK, level, ipa, on_walk);
        enum desc_kind k = desc_kind(w->p, s, desc, level);
        if (unlikely(k == KIND_INVALID))
            return ttw_fault2(w, FSC_TRANSLATION, level, ipa, on_walk);
        if (k == KIND_LEAF)
            break;
        uint64_t table = at;
        level++;
        shift = level_shift(s, level);
        at = desc_address(w->p, s, desc, s->granule) | (ipa >> shift & bits_mask(0, s->granule - 3u)) << 3;
        if (unlikely(too_wide(s, at)))
            return ttw_fault2(w, FSC_ADDRESS_SIZE, level - 1, ipa, on_walk);
        if (unlikely(s->haft) && table_af_missing(w, desc) && !desc_write(w, table, s->big_endian, desc, desc | DESC_AF))
            return ttw_fault2(w, FSC_EXTERNAL_ON_WALK, level - 1, ipa, on_walk);
    }
    *out = (struct leaf2){.at = at, .desc = desc, .shift = shift, .level = level};
    return true;
}

/* What the leaf permits, and what it becomes if its access flag or dirty state is to change (*new, which it is so far). False: a
   fault. */
WALK_INLINE bool second_permits(struct walk *w, const struct leaf2 *f, uint64_t ipa, unsigned need, bool on_walk, unsigned *perm,
                                uint64_t *new)
{
    const struct stage *s = &w->s2stage;
    const struct pe *p = w->p;
    bool device = second_device(w, f->desc >> 2 & 15), clean;
    if (unlikely(!on_walk && device && ttw_misaligned(w, 0)))
        return ttw_fault2(w, FSC_ALIGNMENT, f->level, ipa, on_walk);
    if (unlikely(w->s2modelled)) {
        int modelled = ttw_second_modelled(w, f->desc, ipa, need, f->level, on_walk, device);
        if (modelled < 0)
            return false;
        *perm = (unsigned)modelled & (PERM_R | PERM_W | PERM_X);
        clean = modelled & MODELLED_CLEAN;
    } else {
        clean = s->hd && (f->desc & DESC_DBM) && !(f->desc & S2_WRITE);
        *perm = second_perm(w, f->desc) | (clean ? PERM_W : 0);
        unsigned missing = need & ~*perm;
        if (unlikely(missing || (on_walk && device && second_ptw(p))) && !w->m.probe) {
            if (!on_walk)
                set_write(w, missing);
            return ttw_fault2(w, FSC_PERMISSION, f->level, ipa, on_walk);
        }
        if (unlikely(w->notag) && ttw_tag_denied(w, f->level, ipa))
            return false;
    }
    if (likely(!clean))
        return true;
    if (s->hd && (on_walk ? (need & PERM_W) != 0 : dirties(w)))
        *new |= S2_WRITE;
    else
        *perm &= ~(unsigned)PERM_W;
    return true;
}

/* Stage 2 of ipa, in Secure state of the space that w->ipa_ns says. `need`: PERM_ bits. on_walk: for a descriptor of stage 1. */
static bool second(struct walk *w, uint64_t ipa, unsigned need, bool on_walk, const struct leaf *s1, struct leaf *out)
{
    const struct stage *s = &w->s2stage;
    const struct pe *p = w->p;
    struct leaf2 f;
    if (unlikely(w->secure))
        second_space(w);
    if (unlikely(w->s2bad || ipa >> s->iasize))
        return ttw_fault2(w, FSC_TRANSLATION, 0, ipa, on_walk);
    if (!second_find(w, ipa, on_walk, &f))
        return false;
    if (!on_walk && f.level == FINAL_LEVEL)
        w->table2.pa = f.at & ~PAGE_OFFSET;
    else if (!on_walk)
        w->slot2 = NULL;
    uint64_t address = desc_address(p, s, f.desc, f.shift) | (ipa & bits_mask(0, f.shift)), new = f.desc;
    if (unlikely(too_wide(s, address)))
        return ttw_fault2(w, FSC_ADDRESS_SIZE, f.level, ipa, on_walk);
    if (unlikely(!(f.desc & DESC_AF)) && !w->m.probe) {
        if (!s->ha)
            return ttw_fault2(w, FSC_ACCESS_FLAG, f.level, ipa, on_walk);
        new |= DESC_AF;
    }
    unsigned perm, attr = f.desc >> 2 & 15;
    w->notag = s1 && unlikely(s1->attr == ATTR_TAGGED) && ttw_second_notag(w, attr) && !second_uncached(w);
    if (!second_permits(w, &f, ipa, need, on_walk, &perm, &new))
        return false;
    if (unlikely(new != f.desc) && !desc_write(w, f.at, s->big_endian, f.desc, new))
        return ttw_fault2(w, FSC_EXTERNAL_ON_WALK, f.level, ipa, on_walk);
    out->page = address & ~PAGE_OFFSET;
    out->perm = perm;
    out->level = (int8_t)f.level;
    out->ns = unlikely(w->secure) ? second_output_ns(w) : true;
    if (s1) {
        if (unlikely(attr == ATTR2_NO_TAG) && arm_has(p->cfg, FEAT_MTE_PERM) && !(hcr_of(p) & hcr_el2_FWB))
            attr = ATTR2_WB;
        out->attr = combine(w, s1->attr, attr);
        if (second_uncached(w) && !attr_is_device(out->attr))
            out->attr = ATTR_NORMAL_NC;
        out->sh = combine_sh(out->attr, s1->sh, (uint8_t)(s->ds ? p->s.regs.vtcr_el2 >> 12 & 3 : f.desc >> 8 & 3));
    }
    return true;
}

bool ttw_second(struct walk *w, uint64_t ipa, const struct leaf *s1, struct leaf *out)
{
    if (unlikely(w->secure))
        w->ipa_ns = s1->ns;
    return second(w, ipa, needed(w, CMOW_S2), false, s1, out);
}

/* The physical address of stage 1's descriptor at ipa, for reading it; ns: ipa is in the Non-secure space. */
WALK_INLINE bool second_of_table(struct walk *w, uint64_t ipa, bool ns, uint64_t *pa)
{
    *pa = ipa;
    if (unlikely(w->secure))
        w->ipa_ns = w->desc_ns = ns;
    if (!w->s2)
        return true;
    const __typeof__(w->p->walk.g[0]) *known = &w->p->walk.g[ipa / MEM_PAGE_SIZE % WALK_GPAGES];
    if (likely(known->ipa == (ipa & ~PAGE_OFFSET) && known->marks == w->p->cpu.engine->marks && known->control == w->s2control &&
               known->vttbr == w->p->s.regs.vttbr_el2 && w->s2control)) {
        *pa = known->page | (ipa & PAGE_OFFSET);
        return true;
    }
    struct leaf l;
    if (!second(w, ipa, PERM_R, true, NULL, &l))
        return false;
    w->desc_ns = l.ns;
    if (w->s2control && w->gs < ARRAY_LEN(w->g)) {
        w->g[w->gs].ipa = ipa & ~PAGE_OFFSET;
        w->g[w->gs++].page = l.page;
    }
    *pa = l.page | (ipa & PAGE_OFFSET);
    return true;
}

/* ---- stage 1 -------------------------------------------------------------------------------------------------------------- */

/* Stores the descriptor of stage 1 that is at `at` (pa behind stage 2), in the Non-secure space if ns, after hardware changed it.
   False: it may not, or cannot. Arm ARM AArch64.MemSwapTableDesc; CreateAccDescTTEUpdate. */
static __attribute__((noinline)) bool first_update(struct walk *w, const struct stage *s, uint64_t at, uint64_t pa, bool ns,
                                                   int level, uint64_t old, uint64_t new)
{
    if (w->s2) {
        struct leaf l;
        w->ipa_ns = ns;
        if (!second(w, at, PERM_R | PERM_W, true, NULL, &l))
            return false;
        pa = l.page | (at & PAGE_OFFSET);
    }
    return desc_write(w, pa, s->big_endian, old, new) || ttw_fault(w, FSC_EXTERNAL_ON_WALK, level);
}

/* Everything after a leaf has been reached: desc, read from `at` (as the table's owner sees it) at pa. */
WALK_INLINE bool first_leaf(struct walk *w, const struct stage *s, const struct s1_range *r, uint64_t desc, uint64_t at,
                            uint64_t pa, int level, uint64_t limits, bool table_ns, struct leaf *out)
{
    const struct pe *p = w->p;
    unsigned shift = level_shift(s, level);
    uint64_t address = desc_address(p, s, desc, shift) | (w->va & bits_mask(0, shift)), new = desc;
    if (unlikely(too_wide(s, address)))
        return ttw_fault(w, FSC_ADDRESS_SIZE, level);
    if (unlikely(!(desc & DESC_AF)) && !w->m.probe) {
        if (!s->ha)
            return ttw_fault(w, FSC_ACCESS_FLAG, level);
        new |= DESC_AF;
    }
    uint64_t mair = w->m.regime == 1 ? p->s.regs.mair_el1 : w->m.regime == 2 ? p->s.regs.mair_el2 : p->s.regs.mair_el3;
    if (unlikely(p->models[w->m.regime] & MODEL_INDEX) && (desc & DESC_INDEX3))
        mair = perms_mair2(p, w->m.regime);
    out->attr = (uint8_t)(mair >> (8 * (desc >> 2 & 7)));
    if (unlikely(ttw_misaligned(w, out->attr)))
        return ttw_fault(w, FSC_ALIGNMENT, level);
    bool clean = s->hd && (desc & DESC_DBM) && (desc & DESC_AP2);
    bool ns = w->secure && !table_ns ? (desc & DESC_NS) != 0 : true;
    unsigned perm, need = needed(w, CMOW_S1);
    if (unlikely(p->models[w->m.regime] & MODEL_OF_LEAVES)) {
        int modelled = ttw_first_modelled(w, desc, limits, level, clean);
        if (modelled < 0)
            return false;
        perm = (unsigned)modelled & (PERM_R | PERM_W | PERM_X);
        clean = modelled & MODELLED_CLEAN;
    } else {
        uint64_t sctlr = sctlr_of(p, w->m.regime);
        perm = first_direct(w, sctlr, clean ? desc & ~(uint64_t)DESC_AP2 : desc, limits);
        if ((sctlr & sctlr_el1_WXN) && (perm & PERM_W))
            perm &= ~(unsigned)PERM_X;
    }
    if (unlikely(w->secure && ns && (p->s.regs.scr_el3 & scr_el3_SIF)))
        perm &= ~(unsigned)PERM_X;
    if (unlikely(need & ~perm) && !w->m.probe) {
        set_write(w, need & ~perm);
        return ttw_fault(w, FSC_PERMISSION, level);
    }
    out->canonical = unlikely(r->mtx) && out->attr != ATTR_TAGGED;
    if (unlikely(out->canonical) && w->access == ACCESS_STORE && w->m.tags == TAGS_ACCESSED) { /* TnD: no tag is stored there */
        w->write = true;
        ttw_fault(w, FSC_PERMISSION, level);
        w->p->exc.iss2 = ISS2_TAG_NOT_DATA;
        return false;
    }
    if (unlikely(clean)) {
        if (s->hd && dirties(w)) {
            new &= ~(uint64_t)DESC_AP2;
        } else if (!s->hd && (need & PERM_W) && !w->m.probe) { /* indirect: software keeps the state. D8.5.2.2, RRKMHW */
            w->write = w->access == ACCESS_STORE;
            ttw_fault(w, FSC_PERMISSION, level);
            w->p->exc.iss2 = ISS2_DIRTY;
            return false;
        } else {
            perm &= ~(unsigned)PERM_W;
        }
    }
    if (unlikely(new != desc) && !first_update(w, s, at, pa, table_ns, level, desc, new))
        return false;
    out->page = address & ~PAGE_OFFSET;
    out->perm = perm;
    out->sh = (uint8_t)(s->ds ? tcr_of(p, w->m.regime) >> (w->el0_regime && (w->va >> 55 & 1) ? 28 : 12) & 3 : desc >> 8 & 3);
    out->ns = ns;
    out->guarded = (desc & DESC_GP) && arm_has(p->cfg, FEAT_BTI);
    out->level = (int8_t)level;
    return true;
}

/* The table of the last level for w->va, if a walk found it before. Else w->slot is where this one may remember it. */
WALK_INLINE struct walk_table *last_table(struct walk *w, const struct stage *s)
{
    struct pe *p = w->p;
    unsigned below = 2 * GRANULE_4K - 3;
    if (unlikely(w->secure) || unlikely(s->granule != GRANULE_4K) || unlikely(s->level == FINAL_LEVEL) ||
        unlikely(w->s2 && !w->s2control))
        return NULL;
    uint64_t prefix = w->va >> below & bits_mask(0, s->iasize - below);
    uint64_t control = w->s2 ? w->s2control : 0, vttbr = w->s2 ? p->s.regs.vttbr_el2 : 0;
    struct walk_table *t = &p->walk.table[w->el0_regime && (w->va >> 55 & 1)][prefix % WALK_TABLES];
    if (likely(t->prefix == prefix && t->marks == p->cpu.engine->marks && t->control == control && t->vttbr == vttbr))
        return t;
    w->slot = t;
    w->table = (struct walk_table){.prefix = prefix, .marks = w->marks, .vttbr = vttbr, .control = control};
    return NULL;
}

bool ttw_first(struct walk *w, const struct stage *s, const struct s1_range *r, struct leaf *out)
{
    const struct pe *p = w->p;
    int level = s->level;
    unsigned shift = level_shift(s, level);
    uint64_t limits = 0, at = s->base | (w->va >> shift & bits_mask(0, s->iasize - shift)) << 3;
    bool table_ns = !w->secure;
    uint64_t pa, desc;
    if (unlikely(too_wide(s, at)))
        return ttw_fault(w, FSC_ADDRESS_SIZE, 0);
    struct walk_table *known = last_table(w, s);
    if (likely(known)) {
        uint64_t offset = (w->va >> s->granule & bits_mask(0, s->granule - 3u)) << 3;
        level = FINAL_LEVEL;
        at = known->at | offset;
        pa = known->pa | offset;
        limits = known->limits;
    }
    for (;;) {
        if (unlikely(w->s2modelled))
            ttw_lookup(w, level == s->level);
        if (!known && !second_of_table(w, at, table_ns, &pa))
            return false;
        known = NULL;
        if (unlikely(!desc_read(w, pa, s->big_endian, level == FINAL_LEVEL && !w->s2, &desc)))
            return ttw_fault(w, FSC_EXTERNAL_ON_WALK, level);
        if (unlikely(w->s2modelled))
            w->assured_below = w->assured && w->mro && (desc & DESC_PROTECTED);
        enum desc_kind k = desc_kind(p, s, desc, level);
        if (unlikely(k == KIND_INVALID))
            return ttw_fault(w, FSC_TRANSLATION, level);
        if (k == KIND_LEAF && level != FINAL_LEVEL)
            w->slot = NULL;
        w->table.at = at & ~PAGE_OFFSET;
        w->table.pa = pa & ~PAGE_OFFSET;
        w->table.limits = limits;
        if (k == KIND_LEAF && level == FINAL_LEVEL && !w->s2)
            w->from = tlb_from(pa);
        if (k == KIND_LEAF)
            return first_leaf(w, s, r, desc, at, pa, level, limits, table_ns, out);
        if (!r->hpd)
            limits |= desc & TABLE_LIMITS;
        uint64_t table = at;
        level++;
        shift = level_shift(s, level);
        at = desc_address(p, s, desc, s->granule) | (w->va >> shift & bits_mask(0, s->granule - 3u)) << 3;
        if (unlikely(too_wide(s, at)))
            return ttw_fault(w, FSC_ADDRESS_SIZE, level - 1);
        if (unlikely(s->haft) && table_af_missing(w, desc) &&
            !first_update(w, s, table, pa, table_ns, level - 1, desc, desc | DESC_AF))
            return false;
        table_ns |= (desc & TABLE_NS) != 0;
    }
}
