/* Allocation tags: making them, keeping them in memory, checking accesses by them. Arm ARM D10 "The Memory Tagging Extension". */
#include "cpu/arm/tags.h"

#include "cpu/arm/access.h"
#include "cpu/arm/debug.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/regime.h"
#include "cpu/arm/walk.h"
#include "cpu/gist.h"

#include <string.h>

#define PAGE_OFFSET (uint64_t)(MEM_PAGE_SIZE - 1)
#define GRANULE     (UINT64_C(1) << MEM_GRANULE_SHIFT)

/* ---- controls ------------------------------------------------------------------------------------------------------------ */

/* Arm ARM AArch64.AllocationTagAccessIsEnabled, of accesses made as `el` in a regime. Without FEAT_MTE2 there are no controls,
   and no tags. */
static bool access_enabled(const struct pe *p, unsigned el, unsigned regime)
{
    const struct arm_regs *r = &p->s.regs;
    if (!arm_has(p->cfg, FEAT_MTE2))
        return false;
    if (el < 3 && arm_has(p->cfg, FEAT_EL3) && !(r->scr_el3 & scr_el3_ATA))
        return false;
    if (el < 2 && el2_enabled(p) && !(r->hcr_el2 & hcr_el2_ATA) && !el0_in_host(p))
        return false;
    return sctlr_of(p, regime) & (el ? sctlr_el1_ATA : sctlr_el1_ATA0);
}

/* What a Tag Check Fault does: SCTLR_ELx.TCF, TCF0. */
enum { TCF_NONE, TCF_SYNC, TCF_ASYNC, TCF_ASYMM };
#define SCTLR_TCF0 38
#define SCTLR_TCF  40

/* Arm ARM AArch64.EffectiveTCF. The value for asymmetric faults is reserved without FEAT_MTE3: none then. */
static unsigned fault_mode(const struct pe *p, unsigned el, unsigned regime)
{
    unsigned tcf = sctlr_of(p, regime) >> (el ? SCTLR_TCF : SCTLR_TCF0) & 3;
    return tcf == TCF_ASYMM && !arm_has(p->cfg, FEAT_MTE3) ? TCF_NONE : tcf;
}

bool tags_checked(const struct pe *p, unsigned el, unsigned regime)
{
    return access_enabled(p, el, regime) && fault_mode(p, el, regime) != TCF_NONE;
}

/* ---- logical tags -------------------------------------------------------------------------------------------------------- */

/* Arm ARM ChooseNonExcludedTag. */
static unsigned choose(unsigned tag, unsigned offset, unsigned exclude)
{
    if (exclude == 0xffff)
        return 0;
    if (offset == 0) {
        while (exclude >> tag & 1)
            tag = (tag + 1) & 15;
    }
    while (offset--) {
        tag = (tag + 1) & 15;
        while (exclude >> tag & 1)
            tag = (tag + 1) & 15;
    }
    return tag;
}

unsigned tag_choose(const struct pe *p, unsigned start, unsigned offset, unsigned exclude)
{
    return access_enabled(p, p->el, p->plain.regime) ? choose(start, offset, exclude) : 0;
}

#define GCR_RRND  (UINT64_C(1) << 16)
#define RGSR_SEED 8

/* Arm ARM AArch64.RandomTag: four bits of a shift register. */
static unsigned random_tag(struct pe *p)
{
    unsigned tag = 0;
    uint64_t seed = p->s.regs.rgsr_el1 >> RGSR_SEED & 0xffff;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t top = (seed >> 5 ^ seed >> 3 ^ seed >> 2 ^ seed) & 1;
        seed = top << 15 | seed >> 1;
        tag |= (unsigned)top << i;
    }
    p->s.regs.rgsr_el1 = bits_set(p->s.regs.rgsr_el1, RGSR_SEED + 15, RGSR_SEED, seed);
    return tag;
}

/* With GCR_EL1.RRND the choice is IMPLEMENTATION DEFINED: the same generator. */
unsigned tag_random(struct pe *p, unsigned exclude)
{
    if (!access_enabled(p, p->el, p->plain.regime))
        return 0;
    exclude |= (unsigned)p->s.regs.gcr_el1 & 0xffff;
    unsigned start = (unsigned)p->s.regs.rgsr_el1 & 15, tag = choose(start, random_tag(p), exclude);
    p->s.regs.rgsr_el1 = (p->s.regs.rgsr_el1 & ~UINT64_C(15)) | tag;
    return tag;
}

/* ---- checks -------------------------------------------------------------------------------------------------------------- */

#define TCR_TCMA0       57
#define TCR_TCMA1       58
#define TCR_SINGLE_TCMA 30

/* Arm ARM AArch64.AccessIsTagChecked, the part that depends on the address: EffectiveTBI, EffectiveMTX,
   EffectiveTCMA. */
static bool address_checked(const struct pe *p, uint64_t va)
{
    unsigned regime = regime_of(p, p->el), upper = va >> 55 & 1, low = va >> 55 & 31;
    struct s1_range r = regime_range(p, regime, upper);
    if (!r.tbi && !r.mtx)
        return false;
    unsigned tcma = !regime_has_el0(p, regime) ? TCR_SINGLE_TCMA : upper ? TCR_TCMA1 : TCR_TCMA0;
    return !(tcr_of(p, regime) >> tcma & 1) || (low != 0 && low != 31);
}

/* The instruction at s.pc, which is being executed. */
static uint32_t current_insn(const struct pe *p)
{
    uint32_t insn = p->slow.insn;
    if (!insn_apart(&p->cpu, &insn) && p->cpu.ops && p->cpu.ops != p->cpu.scratch) {
        const struct code_page *c =
            (const struct code_page *)(const void *)((const char *)p->cpu.ops - offsetof(struct code_page, ops));
        memcpy(&insn, mem_page_read(p->cpu.mem, c->pa) + (p->s.pc & PAGE_OFFSET), sizeof insn);
    }
    return insn;
}

/* Arm ARM StoreOnlyTagCheckingEnabled. The bits are RES0 without FEAT_MTE_STORE_ONLY. */
static bool store_only(const struct pe *p, const struct access_mode *m)
{
    return sctlr_of(p, m->regime) & (m->el ? sctlr_el1_TCSO : sctlr_el1_TCSO0);
}

/* Arm ARM AArch64.TagCheckFault: raised (false) or noted. The tag stays in the address that is told (FEAT_MTE_TAGGED_FAR). An
   atomic reads, unless only its store is checked: MemAtomic. */
static bool tag_fault(struct pe *p, uint64_t va, enum access a, const struct access_mode *m)
{
    struct arm_regs *r = &p->s.regs;
    bool read = a == ACCESS_LOAD || m->atomic;
    unsigned mode = fault_mode(p, m->el, m->regime);
    if (mode == TCF_SYNC || (mode == TCF_ASYMM && read)) {
        uint32_t wnr = !read || store_only(p, m);
        p->exc = (struct arm_exception){.ec = EC_DATA_ABORT_LOWER, .far_valid = true, .far = va, .iss = FSC_TAG_CHECK | wnr << 6};
        return false;
    }
    uint64_t *tfsr = m->el == 0 ? &r->tfsre0_el1 : m->el == 1 ? &r->tfsr_el1 : m->el == 2 ? &r->tfsr_el2 : &r->tfsr_el3;
    *tfsr |= va >> 55 & 1 ? tfsr_el1_TF1 : tfsr_el1_TF0;
    return true;
}

bool tags_compared(const struct pe *p, uint64_t va, enum access a, const struct access_mode *m)
{
    return tags_checked(p, m->el, m->regime) && !(p->s.pstate & PSTATE_TCO) && !(a == ACCESS_LOAD && store_only(p, m)) &&
           address_checked(p, va) && !a64_tag_unchecked(current_insn(p));
}

/* Arm ARM AArch64.CanonicalTagCheck. */
static int canonical_tag(uint64_t va) { return va >> 55 & 1 ? 15 : 0; }

bool tag_check(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m)
{
    struct xlate x;
    if ((a == ACCESS_LOAD && store_only(p, m)) || !address_checked(p, va) || a64_tag_unchecked(current_insn(p)))
        return true;
    for (uint64_t at = va; at - va < size; at = (at | (GRANULE - 1)) + 1) {
        if (at == va || !(at & PAGE_OFFSET)) {
            if (!pe_translate(p, at, 1, a, m, &x))
                return false;
        }
        int tag = x.tagged      ? mem_tag(p->cpu.mem, (x.pa & ~PAGE_OFFSET) | (at & PAGE_OFFSET))
                  : x.canonical ? canonical_tag(at)
                                : -1;
        if (tag >= 0 && (unsigned)tag != (at >> 56 & 15) && !tag_fault(p, at, a, m))
            return false;
    }
    return true;
}

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

/* The mode of the instructions below: what they access is never checked. */
static const struct access_mode *unchecked(struct pe *p)
{
    p->slow.mode = p->plain;
    p->slow.mode.checked = false;
    p->slow.mode.tags = TAGS_UNUSED;
    return &p->slow.mode;
}

/* The same where it accesses the tags, if this level may. */
static struct access_mode *of_tags(struct pe *p)
{
    unchecked(p);
    p->slow.mode.tags = access_enabled(p, p->el, p->plain.regime) ? TAGS_ACCESSED : TAGS_UNUSED;
    return &p->slow.mode;
}

/* The translation that an access to the tags of `size` bytes makes. False: p->exc. *x tells where they are; they are there if
   tagged. */
static bool tag_access(struct pe *p, uint64_t va, unsigned size, enum access a, struct xlate *x)
{
    const struct access_mode *m = of_tags(p);
    if (!pe_translate(p, va, TAG_GRANULE, a, m, x))
        return false;
    if (unlikely(p->no_fast & NO_FAST_WATCH) && debug_watchpoint(p, va, size, a, m))
        return false;
    x->tagged &= access_enabled(p, p->el, p->plain.regime);
    x->canonical &= access_enabled(p, p->el, p->plain.regime);
    return true;
}

static void put_tag(struct pe *p, uint64_t pa, unsigned tag)
{
    mem_set_tag(p->cpu.mem, pa, tag);
    if (unlikely(p->cpu.engine->insns) && mem_tag(p->cpu.mem, pa) >= 0)
        gist_tag(&p->cpu, pa, tag);
}

/* Arm ARM AArch64.MemTag_set. */
static bool set_tag(struct pe *p, uint64_t va, unsigned tag)
{
    struct xlate x;
    if (!tag_access(p, va, TAG_GRANULE, ACCESS_STORE, &x))
        return false;
    if (x.tagged)
        put_tag(p, x.pa, tag);
    return true;
}

bool tag_store(struct pe *p, uint64_t va, unsigned granules, bool zero, unsigned tag)
{
    if (va & (TAG_GRANULE - 1))
        return pe_alignment_fault(p, va, ACCESS_STORE);
    memset(p->slow.data, 0, sizeof p->slow.data);
    if (zero && !pe_store(p, va, TAG_GRANULE, granules, unchecked(p)))
        return false;
    for (unsigned i = 0; i < granules; i++) {
        if (!set_tag(p, va + TAG_GRANULE * i, tag))
            return false;
    }
    return true;
}

bool tag_store_pair(struct pe *p, uint64_t va)
{
    if (va & (TAG_GRANULE - 1))
        return pe_alignment_fault(p, va, ACCESS_STORE);
    return pe_store(p, va, 8, 2, unchecked(p)) && set_tag(p, va, va >> 56 & 15);
}

/* Arm ARM AArch64.MemTag_read. */
bool tag_load(struct pe *p, uint64_t va)
{
    struct xlate x;
    if (!tag_access(p, va & ~(uint64_t)(TAG_GRANULE - 1), TAG_GRANULE, ACCESS_LOAD, &x))
        return false;
    int tag = x.tagged ? mem_tag(p->cpu.mem, x.pa) : x.canonical ? canonical_tag(va) : 0;
    p->slow.value = tag < 0 ? 0 : (uint64_t)tag;
    return true;
}

/* The block of LDGM and STGM that holds va, and the place of its first granule's tag. */
static uint64_t block_of(const struct pe *p, uint64_t va, unsigned *size, unsigned *shift)
{
    *size = 4u << arm_gmid_bs(p->cfg);
    va &= ~(uint64_t)(*size - 1);
    *shift = (unsigned)(va >> MEM_GRANULE_SHIFT & 15) * 4;
    return va;
}

bool tag_store_many(struct pe *p, uint64_t va, uint64_t tags)
{
    struct xlate x;
    unsigned size, shift;
    va = block_of(p, va, &size, &shift);
    if (!tag_access(p, va, size, ACCESS_STORE, &x))
        return false;
    for (unsigned i = 0; x.tagged && i < size; i += TAG_GRANULE, shift += 4)
        put_tag(p, x.pa + i, tags >> shift & 15);
    return true;
}

bool tag_load_many(struct pe *p, uint64_t va, uint64_t tags)
{
    struct xlate x;
    unsigned size, shift;
    (void)tags;
    p->slow.value = 0;
    va = block_of(p, va, &size, &shift);
    if (!tag_access(p, va, size, ACCESS_LOAD, &x))
        return false;
    for (unsigned i = 0; (x.tagged || x.canonical) && i < size; i += TAG_GRANULE, shift += 4) {
        int tag = x.tagged ? mem_tag(p->cpu.mem, x.pa + i) : canonical_tag(va);
        p->slow.value |= (uint64_t)(tag < 0 ? 0 : tag) << shift;
    }
    return true;
}

/* Arm ARM "STZGM": the block is that of DC ZVA, but Device memory is no fault. */
bool tag_zero_many(struct pe *p, uint64_t va, uint64_t tags)
{
    unsigned size = 1u << p->cfg->zva;
    va &= ~(uint64_t)(size - 1);
    for (unsigned i = 0; i < size; i += TAG_GRANULE) {
        if (!tag_store(p, va + i, 1, true, tags & 15))
            return false;
    }
    return true;
}

/* Arm ARM AArch64.TagMemZero. Aborts tell the address as it was given, watchpoints the block's. */
static bool set_block(struct pe *p, uint64_t va)
{
    struct xlate x;
    unsigned size = 1u << p->cfg->zva;
    uint64_t block = va & ~(uint64_t)(size - 1);
    struct access_mode m = *of_tags(p);
    m.zva = true;
    if (!pe_translate(p, block, TAG_GRANULE, ACCESS_STORE, &m, &x)) {
        p->exc.far = va;
        return false;
    }
    if (unlikely(p->no_fast & NO_FAST_WATCH) && debug_watchpoint(p, block, size, ACCESS_STORE, &m))
        return false;
    for (unsigned i = 0; x.tagged && access_enabled(p, p->el, p->plain.regime) && i < size; i += TAG_GRANULE)
        put_tag(p, x.pa + i, va >> 56 & 15);
    return true;
}

bool pe_zero_tags(struct pe *p, uint64_t va, bool data)
{
    return set_block(p, va) && (!data || pe_zero(p, va, 1u << p->cfg->zva, unchecked(p)));
}
