/* From a virtual address to a physical one. Arm ARM D8, AArch64.TranslateAddress, AArch64.FullTranslate. */
#include "cpu/arm/perms.h"
#include "cpu/arm/walk.h"

#include <string.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)

#define TTBR_BASE bits_mask(1, 47)

/* Bits of the registers that translation depends on. */
#define SCTLR_KEY (sctlr_el1_M | sctlr_el1_A | sctlr_el1_WXN | sctlr_el1_EE | sctlr_el1_EPAN)
#define HCR_KEY   (hcr_el2_VM | hcr_el2_PTW | hcr_el2_DC | hcr_el2_TGE | hcr_el2_CD | hcr_el2_E2H | hcr_el2_FWB | hcr_el2_DCT)
#define SCR_KEY   (scr_el3_NS | scr_el3_EEL2 | scr_el3_SIF)

/* ---- the key of a context ------------------------------------------------------------------------------------------------ */

/* The number of a set of register values. When there are too many, all contexts and numbers begin anew. */
static unsigned regime_number(struct pe *p, const uint64_t words[REGIME_WORDS])
{
    struct regime_set *s = &p->regimes;
    for (unsigned i = 0; i < s->count; i++) {
        if (!memcmp(s->of[i], words, sizeof s->of[i]))
            return i;
    }
    if (s->count == REGIMES) {
        s->count = 0;
        memset(p->mode_ctx, 0, sizeof p->mode_ctx);
        engine_flush(p->cpu.engine);
    }
    memcpy(s->of[s->count], words, sizeof s->of[0]);
    return s->count++;
}

void pe_translation_key(struct pe *p, const struct access_mode *m, uint64_t key[4])
{
    const struct arm_regs *r = &p->s.regs;
    uint64_t words[REGIME_WORDS] = {m->regime | (uint64_t)p->models[m->regime] << 8, sctlr_of(p, m->regime) & SCTLR_KEY,
                                    tcr_of(p, m->regime)};
    if (unlikely(p->models[m->regime]))
        perms_key(p, m->regime, words + 9);
    words[4] = (hcr_of(p) & HCR_KEY) | (uint64_t)el2_enabled(p) << 63;
    words[5] = r->scr_el3 & SCR_KEY;
    key[3] = 0;
    if (m->regime == 1) {
        words[3] = r->mair_el1;
        key[1] = r->ttbr0_el1;
        key[2] = r->ttbr1_el1;
        if (hcr_stage2(p)) {
            words[6] = r->vtcr_el2;
            words[14] = r->vtcr_el2 & vtcr_el2_S2PIE ? r->s2pir_el2 : 0;
            words[15] = r->vtcr_el2 & vtcr_el2_S2POE ? r->s2por_el1 : 0;
            words[7] = r->vstcr_el2 ^ (r->sctlr_el2 & sctlr_el1_EE) << 32;
            words[8] = r->vsttbr_el2;
            key[3] = r->vttbr_el2;
        }
    } else if (m->regime == 2) {
        words[3] = r->mair_el2;
        key[1] = r->ttbr0_el2;
        key[2] = regime_has_el0(p, 2) ? r->ttbr1_el2 : 0;
    } else {
        words[3] = r->mair_el3;
        key[1] = r->ttbr0_el3;
        key[2] = 0;
    }
    bool pan = m->pan && m->el && regime_has_el0(p, m->regime);
    key[0] = m->el | (pan ? MODE_PAN : 0) | (m->checked ? MODE_TAGGED : 0) | (uint64_t)regime_number(p, words) << 8;
}

uint64_t pe_branch_address(const struct pe *p, uint64_t target)
{
    uint64_t top = target >> 55;
    bool two_ranges = p->el < 2 || (p->el == 2 && (p->s.regs.hcr_el2 & hcr_el2_E2H));
    if (likely(top == 0) || (likely(top == 0x1ff) && two_ranges) || !address_tbi(p, target, true, p->el))
        return target;
    return two_ranges && (top & 1) ? (uint64_t)bits_sext(target, 56) : target & bits_mask(0, 56);
}

/* ---- external aborts
 * ------------------------------------------------------------------------------------------------------- */

/* Arm ARM AArch64.SyncExternalAbortTarget; 0: the usual level. */
static unsigned external_abort_target(const struct pe *p, bool second)
{
    uint64_t hcr = hcr_of(p), scr = arm_has(p->cfg, FEAT_EL3) ? p->s.regs.scr_el3 : 0;
    bool a = arm_has(p->cfg, FEAT_DoubleFault2) && (p->s.pstate & PSTATE_A);
    if (p->el == 3 || (scr & scr_el3_EA))
        return 3;
    if (p->el < 2 && el2_enabled(p) && ((hcr & (hcr_el2_TGE | hcr_el2_TEA)) || second))
        return 2;
    if (a && p->el == 1 && masked_errors_to_el2(p))
        return 2;
    return a && p->el && (scr & scr_el3_TMEA) ? 3 : 0;
}

/* Arm ARM AArch64.RouteToSErrorOffset. */
static bool external_abort_as_serror(const struct pe *p, unsigned target)
{
    if (!target)
        target = p->el ? p->el : hcr_of(p) & hcr_el2_TGE ? 2 : 1;
    if (target == 3)
        return arm_has(p->cfg, FEAT_DoubleFault) && (p->s.regs.scr_el3 & scr_el3_EASE);
    return sctlr2_of(p, target) & sctlr2_el1_EASE;
}

/* ---- faults --------------------------------------------------------------------------------------------------------------- */

static void abort_(struct walk *w, unsigned fsc, int level, bool second, bool on_walk)
{
    struct pe *p = w->p;
    bool fetch = w->access == ACCESS_FETCH, external = fsc == FSC_EXTERNAL || fsc == FSC_EXTERNAL_ON_WALK;
    uint32_t code = fsc;
    if (level < 0) /* Arm ARM EncodeLDFSC */
        code = fsc == FSC_ADDRESS_SIZE ? 0x29 : fsc == FSC_TRANSLATION ? 0x2b : 0x13;
    else if (fsc < FSC_EXTERNAL || fsc == FSC_EXTERNAL_ON_WALK)
        code |= (uint32_t)level;
    bool cm = w->m.cm || w->m.at;
    struct arm_exception e = {.ec = fetch ? EC_INSN_ABORT_LOWER : EC_DATA_ABORT_LOWER, .far_valid = true, .far = w->va};
    e.iss = code | (uint32_t)on_walk << 7;
    if (!fetch)
        e.iss |= (uint32_t)cm << 8 | (uint32_t)(cm || w->write) << 6;
    /* Arm ARM AArch64.DataAbort, AArch64.InstructionAbort. */
    if (external) {
        e.el = (uint8_t)external_abort_target(p, second);
        e.as_serror = external_abort_as_serror(p, e.el);
    } else if (second) {
        e.el = 2;
    }
    p->exc = e;
}

void ttw_raise(struct walk *w, unsigned fsc, int level) { abort_(w, fsc, level, false, false); }

void ttw_raise2(struct walk *w, unsigned fsc, int level, uint64_t ipa, bool on_walk)
{
    abort_(w, fsc, level, true, on_walk);
    /* Arm ARM IPAValid: of an external abort that another level than EL2 takes, HPFAR_EL2 is not told. */
    w->p->exc.ipa_valid = !(fsc == FSC_EXTERNAL_ON_WALK && w->p->exc.el != 2);
    w->p->exc.ipa = ipa;
    w->p->exc.ns = w->secure && w->s2ns;
}

/* ---- translation --------------------------------------------------------------------------------------------------------- */

unsigned ttw_oasize(const struct pe *p, unsigned ps, enum granule g)
{
    static const uint8_t bits[8] = {32, 36, 40, 42, 44, 48, 52, 52};
    unsigned most = (unsigned)p->cfg->pa_bits;
    bool wide = g == GRANULE_64K ? arm_has(p->cfg, FEAT_LPA) : arm_has(p->cfg, FEAT_LPA2);
    if (!wide && most > 48)
        most = 48;
    return bits[ps] < most ? bits[ps] : most;
}

/* The first table of stage 1. Arm ARM AArch64.S1TTBaseAddress, AArch64.S1StartLevel. */
static void first_stage(const struct walk *w, const struct s1_range *r, uint64_t ttbr, struct stage *s)
{
    const struct pe *p = w->p;
    uint64_t tcr = tcr_of(p, w->m.regime);
    bool el0 = w->el0_regime;
    unsigned ps = el0 ? tcr >> 32 & 7 : tcr >> 16 & 7, stride = r->granule - 3u;
    s->granule = r->granule;
    s->iasize = (uint8_t)(64 - r->txsz);
    s->level = (int8_t)(3 - (s->iasize - 1 - r->granule) / (int)stride);
    s->ds = r->ds;
    s->oasize = (uint8_t)ttw_oasize(p, ps, r->granule);
    s->ha = arm_has(p->cfg, FEAT_HAFDBS) && (tcr >> (el0 ? 39 : 21) & 1);
    s->hd = s->ha && (tcr >> (el0 ? 40 : 22) & 1);
    s->haft = s->ha && (p->models[w->m.regime] & MODEL_TABLE_AF);
    s->big_endian = (sctlr_of(p, w->m.regime) & sctlr_el1_EE) != 0;
    unsigned size = s->iasize - ((3 - (unsigned)s->level) * stride + r->granule) + 3;
    if (s->ds || (r->granule == GRANULE_64K && ps == 6 && arm_has(p->cfg, FEAT_LPA))) {
        size = size < 6 ? 6 : size;
        s->base = (ttbr & bits_mask(6, 42)) | bits_get(ttbr, 5, 2) << 48;
    } else {
        s->base = ttbr & TTBR_BASE;
    }
    s->base &= ~bits_mask(0, size);
}

/* The address as it is looked at for its range: a logical tag is no part of it. */
static uint64_t address_bits(const struct walk *w, const struct s1_range *r)
{
    if (likely(!r->mtx) || w->access == ACCESS_FETCH)
        return w->va;
    return bits_set(w->va, 59, 56, w->el0_regime && (w->va >> 55 & 1) ? 15 : 0);
}

/* Arm ARM AArch64.VAIsOutOfRange. */
static bool out_of_range(const struct walk *w, const struct s1_range *r)
{
    unsigned top = r->tbi && !(r->tbid && w->access == ACCESS_FETCH) ? 55 : 63, iasize = 64u - r->txsz;
    if (top < iasize)
        return false;
    uint64_t high = bits_get(address_bits(w, r), top, iasize), ones = bits_mask(0, top - iasize + 1);
    return w->el0_regime && (w->va >> 55 & 1) ? high != ones : high != 0;
}

/* Whether stage 1 is on. Arm ARM AArch64.S1Enabled. */
static bool first_enabled(const struct walk *w)
{
    if (w->m.regime == 1 && (hcr_of(w->p) & (hcr_el2_DC | hcr_el2_TGE)))
        return false;
    return sctlr_of(w->p, w->m.regime) & sctlr_el1_M;
}

#define ATTR_DEVICE_NGNRNE 0x00
#define ATTR_NORMAL_WT_RA  0xaa
#define ATTR_NORMAL_WB_RWA 0xff
#define SH_OUTER           2

/* Stage 1 off: the address is itself, its memory Device, or with HCR_EL2.DC Normal. Arm ARM AArch64.S1DisabledOutput. */
static bool first_disabled(struct walk *w, struct leaf *out)
{
    const struct pe *p = w->p;
    bool dc = w->m.regime == 1 && (hcr_stage2(p) & hcr_el2_DC);
    struct s1_range r = regime_range(p, w->m.regime, w->va >> 55 & 1);
    unsigned top = r.tbi && !(r.tbid && w->access == ACCESS_FETCH) ? 55 : 63;
    unsigned most = (unsigned)p->cfg->pa_bits;
    *out = (struct leaf){
        .page = w->va & bits_mask(0, 56) & ~PAGE_OFFSET, .perm = PERM_R | PERM_W | PERM_X, .sh = SH_OUTER, .ns = !w->secure};
    if (dc) {
        out->attr = hcr_of(p) & hcr_el2_DCT ? ATTR_TAGGED : ATTR_NORMAL_WB_RWA;
        out->sh = 0;
    } else if (w->access == ACCESS_FETCH) {
        out->attr = sctlr_of(p, w->m.regime) & sctlr_el1_I ? ATTR_NORMAL_WT_RA : ATTR_NORMAL_NC;
    } else {
        out->attr = ATTR_DEVICE_NGNRNE;
    }
    out->canonical = r.mtx && out->attr != ATTR_TAGGED;
    if (bits_get(address_bits(w, &r), top, most))
        return ttw_fault(w, FSC_ADDRESS_SIZE, 0);
    if (ttw_misaligned(w, out->attr))
        return ttw_fault(w, FSC_ALIGNMENT, 0);
    return true;
}

/* The range and the first table of the walk. */
static const struct stage1_memo *first_setup(const struct walk *w, bool upper)
{
    struct pe *p = w->p;
    const struct arm_regs *g = &p->s.regs;
    struct stage1_memo *o = &p->walk.first[upper];
    uint64_t ttbr = w->m.regime == 1   ? (upper ? g->ttbr1_el1 : g->ttbr0_el1)
                    : w->m.regime == 2 ? (upper ? g->ttbr1_el2 : g->ttbr0_el2)
                                       : g->ttbr0_el3;
    const uint64_t from[STAGE_WORDS] = {ttbr, tcr_of(p, w->m.regime), sctlr_of(p, w->m.regime) & sctlr_el1_EE,
                                        w->m.regime | (uint64_t)w->el0_regime << 8};
    if (likely(o->made) &&
        likely(o->from[0] == from[0] && o->from[1] == from[1] && o->from[2] == from[2] && o->from[3] == from[3]))
        return o;
    memcpy(o->from, from, sizeof o->from);
    for (unsigned i = 0; i < WALK_TABLES; i++)
        p->walk.table[upper][i].marks = 0;
    o->made = 1;
    o->range = regime_range(p, w->m.regime, upper);
    unsigned least = range_min_txsz(p, &o->range), most = range_max_txsz(p, &o->range);
    if (o->range.txsz < least) { /* Arm ARM AArch64.S1TxSZFaults: it faults with FEAT_LVA, else it is the minimum */
        if (arm_has(p->cfg, FEAT_LVA))
            o->made = 2;
        o->range.txsz = (uint8_t)least;
    } else if (o->range.txsz > most) {
        o->range.txsz = (uint8_t)most;
    }
    first_stage(w, &o->range, ttbr, &o->stage);
    return o;
}

static bool first(struct walk *w, struct leaf *out)
{
    if (!first_enabled(w))
        return first_disabled(w, out);
    bool upper = w->el0_regime && (w->va >> 55 & 1);
    const struct stage1_memo *o = first_setup(w, upper);
    if (unlikely(o->made == 2) || unlikely(out_of_range(w, &o->range)) || (w->m.el == 0 && o->range.e0pd) || o->range.epd)
        return ttw_fault(w, FSC_TRANSLATION, 0);
    return ttw_first(w, &o->stage, &o->range, out);
}

/* ---- the short way -------------------------------------------------------------------------------------------------------- */

#define REGION_SHIFT 21 /* what a last-level table of the 4 KiB granule maps */

static uint64_t mair_of(const struct pe *p, unsigned regime)
{
    return regime == 1 ? p->s.regs.mair_el1 : regime == 2 ? p->s.regs.mair_el2 : p->s.regs.mair_el3;
}

/* Whether descriptors of the stage are for the short way as they are. */
static bool quick_stage(const struct stage *s, const struct leaf *l)
{
    return l->level == FINAL_LEVEL && s->granule == GRANULE_4K && !s->ds && !s->big_endian;
}

/* Lets the short way begin at the table at pa for the region of addr, if it stays where it is in the host's memory. */
static void remember_table(struct pe *p, unsigned stage, uint64_t addr, uint64_t pa, const struct stage *s, bool two)
{
    const __typeof__(p->walk.pte[0]) *known = &p->walk.pte[pa / MEM_PAGE_SIZE % WALK_PAGES];
    if ((known->page & ~PAGE_OFFSET) != pa || known->marks != p->cpu.engine->marks)
        return;
    uint64_t region = addr >> REGION_SHIFT;
    p->cpu.data_ctx->table[stage][region % TABLE_SIZE] =
        (struct table_entry){.region = region,
                             .host = known->host,
                             .from = known->page & PTE_LAST ? tlb_from(pa) : TLB_FROM_MANY,
                             .bits = s->oasize,
                             .two = two};
}

/* After a walk for p->plain that may be cached; second: of stage 2, if there is one. What is looked at here is in the key of the
   context, or in tables whose pages are marked. */
static void remember_tables(struct walk *w, const struct leaf *first, const struct leaf *second)
{
    struct pe *p = w->p;
    const struct stage *s = &p->walk.first[w->el0_regime && (w->va >> 55 & 1)].stage;
    if (w->secure || p->no_fast || (p->models[w->m.regime] & MODEL_OF_LEAVES) || !quick_stage(s, first) || w->table.limits)
        return;
    if (w->s2 && (!quick_stage(&w->s2stage, second) || (hcr_of(p) & hcr_el2_FWB) || !w->s2control))
        return;
    remember_table(p, 0, w->va, w->table.pa, s, w->s2);
    if (w->s2)
        remember_table(p, 1, first->page, w->table2.pa, &w->s2stage, false);
}

/* The descriptor for addr in the table its entry knows. */
static inline uint64_t quick_descriptor(const struct table_entry *e, uint64_t addr)
{
    uint64_t desc;
    memcpy(&desc, e->host + (addr >> (MEM_PAGE_SHIFT - 3) & PAGE_OFFSET & ~UINT64_C(7)), sizeof desc);
    return desc;
}

/* Stage 2 of an intermediate address: Write-Back memory, which leaves stage 1's attributes, that may be read (and written). */
static uint64_t quick_second(const struct tlb_ctx *t, uint64_t ipa, enum access a)
{
    const uint64_t want = DESC_VALID | DESC_TABLE | DESC_AF | 15u << 2 | S2_READ | (a == ACCESS_STORE ? S2_WRITE : 0);
    uint64_t region = ipa >> REGION_SHIFT;
    const struct table_entry *e = &t->table[1][region % TABLE_SIZE];
    if (unlikely(e->region != region))
        return PE_UNKNOWN;
    uint64_t desc = quick_descriptor(e, ipa), page = desc & bits_mask(MEM_PAGE_SHIFT, 36);
    return likely((desc & want) == want && !(page >> e->bits)) ? page : PE_UNKNOWN;
}

uint64_t pe_quick(const struct pe *p, uint64_t va, enum access a, uint32_t *from)
{
    const struct tlb_ctx *t = p->cpu.data_ctx;
    uint64_t region = va >> REGION_SHIFT;
    const struct table_entry *e = &t->table[0][region % TABLE_SIZE];
    if (unlikely(e->region != region))
        return PE_UNKNOWN;
    unsigned regime = p->plain.regime;
    uint64_t want = DESC_VALID | DESC_TABLE | DESC_AF, look = want | (a == ACCESS_STORE ? DESC_AP2 : 0);
    if (!p->plain.el) {
        look |= DESC_AP1;
        want |= DESC_AP1;
    } else if (p->plain.pan && regime_has_el0(p, regime)) {
        look |= DESC_AP1;
        if (sctlr_of(p, regime) & sctlr_el1_EPAN) { /* what EL0 may execute is its, too */
            look |= DESC_UXN;
            want |= DESC_UXN;
        }
    }
    uint64_t desc = quick_descriptor(e, va), page = desc & bits_mask(MEM_PAGE_SHIFT, 36);
    uint8_t attr = (uint8_t)(mair_of(p, regime) >> (8 * (desc >> 2 & 7)));
    if (unlikely((desc & look) != want || page >> e->bits || attr_is_device(attr) || attr == ATTR_TAGGED))
        return PE_UNKNOWN;
    *from = e->from;
    if (e->two)
        page = quick_second(t, page, a);
    return unlikely(page == PE_UNKNOWN) || unlikely(arm_secure_only(p->cfg, page)) ? PE_UNKNOWN : page;
}

/* ---- the long way --------------------------------------------------------------------------------------------------------- */

bool pe_translate(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m, struct xlate *out)
{
    struct walk w; /* not cleared: pte_page is large */
    w.p = p;
    w.va = va;
    w.access = a;
    w.m = *m;
    w.write = a == ACCESS_STORE && !m->atomic;
    w.el0_regime = regime_has_el0(p, m->regime);
    w.secure = secure_state(p, m->el);
    w.desc_ns = !w.secure;
    w.unaligned = va & (size - 1);
    w.marks = p->cpu.engine->marks;
    w.from = TLB_FROM_MANY;
    w.reads = w.gs = 0;
    w.slot = w.slot2 = NULL;
    w.s2modelled = w.notag = false;
    w.s2 = m->regime == 1 && hcr_stage2(p) != 0;
    if (w.s2)
        ttw_second_setup(&w);

    struct leaf l, g;
    const struct leaf *o = &l; /* not copied: the host would wait for its bytes to come together */
    if (!first(&w, &l))
        return false;
    if (w.s2 && !m->stage1) {
        if (!ttw_second(&w, l.page | (va & PAGE_OFFSET), &l, &g))
            return false;
        g.guarded = l.guarded;
        g.perm &= l.perm;
        o = &g;
    }
    /* An address translation instruction accesses nothing. */
    if (unlikely(o->ns && arm_secure_only(p->cfg, o->page)) && !m->at) {
        ttw_fault(&w, FSC_EXTERNAL, 0);
        p->exc.pa_valid = true;
        p->exc.pa = o->page | (va & PAGE_OFFSET) | UINT64_C(1) << 63;
        return false;
    }
    *out = (struct xlate){.pa = o->page | (va & PAGE_OFFSET),
                          .page_bits = MEM_PAGE_SHIFT,
                          .read = o->perm & PERM_R,
                          .write = o->perm & PERM_W,
                          .exec = o->perm & PERM_X,
                          .device = attr_is_device(o->attr),
                          .guarded = o->guarded,
                          .tagged = o->attr == ATTR_TAGGED,
                          .canonical = l.canonical,
                          .ns = o->ns,
                          .attr = o->attr,
                          .sh = o->sh,
                          .from = w.from};
    /* Unless everything the walk read was known, and so is marked. */
    if (unlikely(m->probe || m->rcw || w.notag || (w.reads && !ttw_mark(&w)) || w.marks != p->cpu.engine->marks))
        out->page_bits = 0;
    if (unlikely(w.notag) && out->tagged)
        out->attr = ATTR_NO_TAG;
    if (out->page_bits && w.slot)
        *w.slot = w.table;
    if (out->page_bits && w.slot2)
        *w.slot2 = w.table2;
    if (out->page_bits && m == &p->plain && a != ACCESS_FETCH)
        remember_tables(&w, &l, &g);
    return true;
}
