#include "cpu/arm/tags.h"

#include "cpu/arm/access.h"
#include "cpu/arm/regime.h"

#include <string.h>

/* Arm ARM AArch64.AllocationTagAccessIsEnabled. Without FEAT_MTE2 there are no controls, and no tags. */
static bool access_enabled(const struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    if (!arm_has(p->cfg, FEAT_MTE2))
        return false;
    if (p->el < 3 && arm_has(p->cfg, FEAT_EL3) && !(r->scr_el3 & scr_el3_ATA))
        return false;
    if (p->el < 2 && el2_enabled(p) && !(r->hcr_el2 & hcr_el2_ATA) && !el0_in_host(p))
        return false;
    return sctlr_of(p, regime_of(p, p->el)) & (p->el ? sctlr_el1_ATA : sctlr_el1_ATA0);
}

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
    return access_enabled(p) ? choose(start, offset, exclude) : 0;
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
    if (!access_enabled(p))
        return 0;
    exclude |= (unsigned)p->s.regs.gcr_el1 & 0xffff;
    unsigned start = (unsigned)p->s.regs.rgsr_el1 & 15, tag = choose(start, random_tag(p), exclude);
    p->s.regs.rgsr_el1 = (p->s.regs.rgsr_el1 & ~UINT64_C(15)) | tag;
    return tag;
}

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

/* The translation that an access to tags makes. False: p->exc. */
static bool tag_access(struct pe *p, uint64_t va, enum access a)
{
    struct xlate x;
    return pe_translate(p, va, TAG_GRANULE, a, &p->plain, &x);
}

bool tag_store(struct pe *p, uint64_t va, unsigned granules, bool zero, unsigned tag)
{
    (void)tag;
    if (va & (TAG_GRANULE - 1))
        return pe_alignment_fault(p, va, ACCESS_STORE);
    memset(p->slow.data, 0, sizeof p->slow.data);
    for (unsigned i = 0; i < granules; i++) {
        if (!tag_access(p, va + TAG_GRANULE * i, ACCESS_STORE))
            return false;
    }
    return !zero || pe_store(p, va, 16, granules, &p->plain);
}

bool tag_store_pair(struct pe *p, uint64_t va)
{
    if (va & (TAG_GRANULE - 1))
        return pe_alignment_fault(p, va, ACCESS_STORE);
    return tag_access(p, va, ACCESS_STORE) && pe_store(p, va, 8, 2, &p->plain);
}

bool tag_load(struct pe *p, uint64_t va)
{
    p->slow.value = 0;
    return tag_access(p, va & ~(uint64_t)(TAG_GRANULE - 1), ACCESS_LOAD);
}

/* GMID_EL1.BS is 4: 64 bytes, four granules. */
#define MANY_BYTES 64u

bool tag_store_many(struct pe *p, uint64_t va, uint64_t tags)
{
    (void)tags;
    return tag_access(p, va & ~(uint64_t)(MANY_BYTES - 1), ACCESS_STORE);
}

bool tag_zero_many(struct pe *p, uint64_t va, uint64_t tags)
{
    (void)tags;
    return pe_zero(p, va & ~(uint64_t)((1u << p->cfg->zva) - 1), 1u << p->cfg->zva, &p->plain);
}

bool tag_load_many(struct pe *p, uint64_t va, uint64_t tags)
{
    (void)tags;
    p->slow.value = 0;
    return tag_access(p, va & ~(uint64_t)(MANY_BYTES - 1), ACCESS_LOAD);
}

bool pe_zero_tags(struct pe *p, uint64_t va, bool data)
{
    if (data)
        return pe_zero(p, va, 1u << p->cfg->zva, &p->plain);
    return tag_access(p, va & ~(uint64_t)((1u << p->cfg->zva) - 1), ACCESS_STORE);
}
