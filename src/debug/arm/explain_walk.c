/*
 * An access explained: both stages of translation, descriptor by descriptor. Written by the Arm ARM's pseudocode (D8,
 * AArch64.S1Walk, AArch64.S2Walk and what they call) and not by cpu/arm/walk.c, which is made for speed: the two must agree. What
 * TCR_ELx and VTCR_EL2 say of sizes is taken from the cpu (regime.h, ttw_second_setup).
 */
#include "base/bits.h"
#include "cpu/arm/perms.h"
#include "cpu/arm/walk.h"
#include "debug/arm/explain_parts.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_LOW UINT64_C(0xfff)
#define ARM_PERM "Arm ARM D8.4: Memory access control"

/* A translation under way. */
struct look {
    struct arm_why *w;
    uint64_t va;
    enum access access;
    const struct access_mode *m;
    bool unaligned, secure, el0_regime, s2;
    bool write;        /* WnR of a fault */
    bool assured;      /* FEAT_THE: the lookup belongs to an assured translation */
    bool below;        /* and what its descriptor leads to does */
    bool mro;          /* the descriptor is in memory that is mostly read-only by stage 2 */
    bool tagged;       /* stage 1 says that the memory is Tagged */
    unsigned top;      /* the first lookup of TTBR0_EL1 (1), TTBR1_EL1 (2) */
    struct walk setup; /* of stage 2 */
    struct arm_exception *x;
};

/* What a leaf permits, where it is, its memory. */
struct found {
    uint64_t pa;
    unsigned may;
    uint8_t attr;
    bool ns; /* in the Non-secure address space */
};

/* ---- aborts
 * -------------------------------------------------------------------------------------------------------------------- */

/* Arm ARM AArch64.SyncExternalAbortTarget; 0: the usual level. */
static unsigned external_target(const struct look *l, bool second)
{
    const struct pe *p = l->w->p;
    uint64_t hcr = hcr_of(p), scr = arm_on(l->w, FEAT_EL3) ? p->s.regs.scr_el3 : 0, hcrx = hcrx_of(p);
    if (p->el == 3 || (scr & scr_el3_EA))
        return 3;
    if (p->el < 2 && el2_enabled(p) && ((hcr & (hcr_el2_TGE | hcr_el2_TEA)) || second))
        return 2;
    if (!arm_on(l->w, FEAT_DoubleFault2) || !(p->s.pstate & PSTATE_A) || p->el == 0)
        return 0;
    if (p->el == 1 && (hcrx & hcrx_el2_TMEA))
        return 2;
    return scr & scr_el3_TMEA ? 3 : 0;
}

/* Arm ARM AArch64.RouteToSErrorOffset. */
static bool ease(const struct look *l)
{
    const struct pe *p = l->w->p;
    unsigned to = l->x->el ? l->x->el : p->el ? p->el : hcr_of(p) & hcr_el2_TGE ? 2 : 1;
    return to == 3 ? arm_on(l->w, FEAT_DoubleFault) && (p->s.regs.scr_el3 & scr_el3_EASE)
                   : (sctlr2_of(p, to) & sctlr2_el1_EASE) != 0;
}

/* Arm ARM AArch64.DataAbort, AArch64.InstructionAbort: the syndrome, and the level where that is not the usual one. */
static void fill(struct look *l, unsigned fsc, int level, bool second, bool on_walk)
{
    bool fetch = l->access == ACCESS_FETCH, external = fsc == FSC_EXTERNAL || fsc == FSC_EXTERNAL_ON_WALK;
    bool cm = l->m->cm || l->m->at;
    unsigned code = fsc;
    if (level < 0)
        code = fsc == FSC_ADDRESS_SIZE ? 0x29 : fsc == FSC_TRANSLATION ? 0x2b : 0x13;
    else if (fsc < FSC_EXTERNAL || fsc == FSC_EXTERNAL_ON_WALK)
        code |= (unsigned)level;
    uint64_t pa = l->x->pa;
    *l->x = (struct arm_exception){.pa = pa,
                                   .pa_valid = fsc == FSC_EXTERNAL,
                                   .ec = fetch ? EC_INSN_ABORT_LOWER : EC_DATA_ABORT_LOWER,
                                   .far_valid = true,
                                   .far = l->va,
                                   .iss = code | on_walk << 7};
    if (!fetch)
        l->x->iss |= (uint32_t)cm << 8 | (uint32_t)(cm || l->write) << 6;
    if (second)
        l->x->el = 2;
    if (!external)
        return;
    l->x->el = (uint8_t)external_target(l, second);
    l->x->as_serror = ease(l);
}

static bool abort1(struct look *l, struct fact *f, unsigned fsc, int level, const char *why)
{
    fill(l, fsc, level, false, false);
    f->text = explain_say(l->w->e, "%s: %s", f->text, why);
    f->mark = FACT_DECIDES;
    return false;
}

static bool abort2(struct look *l, struct fact *f, unsigned fsc, int level, uint64_t ipa, bool on_walk, const char *why)
{
    fill(l, fsc, level, true, on_walk);
    l->x->ipa_valid = true;
    l->x->ipa = ipa;
    f->text = explain_say(l->w->e, "%s: %s", f->text, why);
    f->mark = FACT_DECIDES;
    return false;
}

/* ---- descriptors
 * --------------------------------------------------------------------------------------------------------------- */

static unsigned shift_of(const struct stage *s, int level) { return s->granule + (unsigned)(3 - level) * (s->granule - 3u); }

enum kind { INVALID, TABLE, LEAF };
static enum kind kind_of(const struct arm_why *w, const struct stage *s, uint64_t d, int level)
{
    if (!(d & 1))
        return INVALID;
    if (d & 2)
        return level == 3 ? LEAF : TABLE;
    bool ok = level == 2 || (level == 1 && s->granule == GRANULE_4K) || (level == 1 && s->granule == GRANULE_16K && s->ds) ||
              (level == 1 && s->granule == GRANULE_64K && arm_on(w, FEAT_LPA) && w->p->cfg->pa_bits >= 52) ||
              (level == 0 && s->granule == GRANULE_4K && s->ds);
    return ok ? LEAF : INVALID;
}

static uint64_t address_in(const struct arm_why *w, const struct stage *s, uint64_t d, unsigned low)
{
    uint64_t a = d & bits_mask(low, 48 - low);
    if (s->granule == GRANULE_64K)
        return arm_on(w, FEAT_LPA) ? a | bits_get(d, 15, 12) << 48 : a;
    return s->ds ? a | bits_get(d, 9, 8) << 50 | bits_get(d, 49, 48) << 48 : a;
}

static const char *kind_name(enum kind k) { return k == TABLE ? "table" : k == LEAF ? "leaf" : "invalid"; }

/* "AF AP=1 UXN PXN" of stage 1, "AF S2AP=3 XN=0" of stage 2. */
static const char *flags(struct look *l, bool second, enum kind k, uint64_t d)
{
    if (k != LEAF)
        return k == TABLE && bits_get(d, 63, 59) && !second
                   ? explain_say(l->w->e, "table, limits 0x%x", (unsigned)bits_get(d, 63, 59))
                   : kind_name(k);
    if (second)
        return explain_say(l->w->e, "%sS2AP=%u XN=%u MemAttr=0x%x%s", d >> 10 & 1 ? "AF " : "", (unsigned)(d >> 6 & 3),
                           (unsigned)(d >> 53 & 3), (unsigned)(d >> 2 & 15), d >> 51 & 1 ? " DBM" : "");
    return explain_say(l->w->e, "%sAP=%u%s%s Attr=%u%s", d >> 10 & 1 ? "AF " : "", (unsigned)(d >> 6 & 3),
                       d >> 54 & 1 ? " UXN" : "", d >> 53 & 1 ? " PXN" : "", (unsigned)(d >> 2 & 7), d >> 51 & 1 ? " DBM" : "");
}

static bool read_desc(struct look *l, uint64_t pa, bool big, uint64_t *d)
{
    if ((!l->secure && arm_secure_only(l->w->p->cfg, pa)) || !machine_read(l->w->m, pa, d, 8))
        return false;
    if (big)
        *d = __builtin_bswap64(*d);
    return true;
}

/* In a stage: CMOW_S1 or CMOW_S2. */
static unsigned needs(const struct look *l, unsigned stage)
{
    bool readable = !l->m->cm || (l->m->el == 0 && !(l->m->cmow & CMOW_IC));
    if (l->access == ACCESS_FETCH)
        return PERM_X;
    if (l->access == ACCESS_LOAD)
        return (readable ? PERM_R : 0) | (l->m->cmow & stage ? PERM_W : 0);
    return l->m->atomic ? PERM_R | PERM_W : PERM_W;
}

static const char *missing_text(struct look *l, unsigned missing)
{
    return missing & PERM_R   ? "not readable"
           : missing & PERM_W ? "not writable"
           : l->m->el         ? "not executable at this level"
                              : "not executable at EL0";
}

/* Device memory takes no unaligned access. */
static bool device_fault(const struct look *l, bool device)
{
    return l->access != ACCESS_FETCH && device && (l->unaligned || l->m->zva);
}

static const char *device_text(const struct look *l)
{
    return l->m->zva ? "it is Device memory, where DC ZVA faults" : "it is Device memory, and the address is not aligned";
}

static struct fact *level_fact(struct look *l, struct fact *to, bool second, int level, uint64_t index)
{
    struct fact *f = fact_add(l->w->e, to, explain_say(l->w->e, "S%u L%d[0x%" PRIx64 "]", second ? 2 : 1, level, index),
                              second ? ARM_S2 : ARM_S1, "%s", "");
    f->stage = second ? FACT_STAGE_2 : l->s2 ? FACT_STAGE_1 : FACT_NO_STAGE;
    return f;
}

static void show(struct look *l, struct fact *f, uint64_t pa, uint64_t d, const char *text)
{
    f->value = d;
    f->digits = 16;
    f->has_value = true;
    f->text = explain_say(l->w->e, "at 0x%" PRIx64 " %s", pa, text);
}

/* FEAT_HAFT: the table gets its access flag; not if what it leads to is too wide. Arm ARM D8.5.1.3. */
static bool table_flagged(struct look *l, struct fact *f, const struct stage *s, uint64_t d, uint64_t next)
{
    if (!s->haft || d >> 10 & 1 || next >> s->oasize)
        return false;
    f->text = explain_say(l->w->e, "%s, AF is set by hardware", f->text);
    return true;
}

/* ---- stage 2
 * -------------------------------------------------------------------------------------------------------------------- */

/* The index of indirect permissions (FEAT_S1PIE, FEAT_S2PIE). */
static unsigned s1_index(uint64_t d)
{
    return (unsigned)(bits_get(d, 54, 53) << 2 | bits_get(d, 51, 51) << 1 | bits_get(d, 6, 6));
}

/* Arm ARM AArch64.S2DirectBasePermissions. */
static unsigned s2_may(const struct look *l, uint64_t d)
{
    bool xn1 = d >> 54 & 1, xn0 = (d >> 53 & 1) && arm_on(l->w, FEAT_XNX);
    bool x = l->m->el == 0 ? !xn1 : xn1 == xn0;
    return (d >> 6 & 1 ? PERM_R : 0) | (d >> 7 & 1 ? PERM_W : 0) | (x ? PERM_X : 0);
}

/* A permission fault of stage 2 that ISS2 says more of. */
static bool denied2(struct look *l, struct fact *f, int level, uint64_t ipa, bool on_walk, uint32_t iss2, const char *why)
{
    abort2(l, f, FSC_PERMISSION, level, ipa, on_walk, why);
    l->x->iss2 = iss2;
    return false;
}

/* Arm ARM D8.2.7.3 and D8.2.7.4: what FEAT_THE asks of both stages together. */
static bool hardening(struct look *l, struct fact *f, uint64_t d, int level, uint64_t ipa, bool on_walk, unsigned top)
{
    uint64_t vtcr = l->w->p->s.regs.vtcr_el2;
    bool lower = l->top == 1, tl0 = vtcr >> 41 & 1, tl1 = vtcr >> 35 & 1;
    bool misplaced = lower ? (tl0 && !(top & 1)) || (tl1 && top == 2) : (tl1 && !(top & 2)) || (tl0 && top == 1);
    if (on_walk && l->top && misplaced) {
        denied2(l, f, level, ipa, on_walk, 0, "VTCR_EL2.TL0 and TL1 do not want a first table there");
        l->x->iss |= 1 << 21;
        return false;
    }
    if (vtcr >> 34 & 1 && d >> 58 & 1 && !(on_walk ? l->assured : l->below))
        return denied2(l, f, level, ipa, on_walk, 1 << 7, "AssuredOnly, and the translation of stage 1 is not assured");
    return true;
}

/* What the leaf d permits. Arm ARM AArch64.S2ComputePermissions, AArch64.S2CheckPermissions; D8.15.5.1 has the order. */
static bool s2_leaf(struct look *l, struct fact *f, uint64_t d, int level, uint64_t ipa, unsigned need, bool on_walk,
                    struct found *out)
{
    struct arm_why *w = l->w;
    const struct pe *p = w->p;
    const struct stage *s = &l->setup.s2stage;
    if (!(d >> 10 & 1) && !s->ha)
        return abort2(l, f, FSC_ACCESS_FLAG, level, ipa, on_walk, "AF=0, and VTCR_EL2.HA is 0");
    bool fwb = hcr_of(p) & hcr_el2_FWB, device = fwb ? !(d >> 2 & 4) : !(d >> 4 & 3);
    if (!on_walk && device_fault(l, device))
        return abort2(l, f, FSC_ALIGNMENT, level, ipa, on_walk, device_text(l));
    bool indirect = p->s.regs.vtcr_el2 & vtcr_el2_S2PIE, clean = !(d >> 7 & 1) && (indirect || (s->hd && (d >> 51 & 1)));
    struct s2_permission may = {.may = s2_may(l, d) | (clean ? PERM_W : 0), .over = PERM_R | PERM_W | PERM_X};
    if (indirect)
        may = perms_second(p, l->m, s1_index(d), (unsigned)bits_get(d, 62, 59), on_walk || l->m->rcw);
    l->mro = may.mro;
    if (!hardening(l, f, d, level, ipa, on_walk, may.top))
        return false;
    unsigned missing = need & ~may.over, base = need & ~may.may;
    if (missing || base) {
        unsigned lost = missing ? missing : base;
        if (!on_walk)
            l->write = !(lost & PERM_R) && l->access == ACCESS_STORE;
        return denied2(l, f, level, ipa, on_walk, missing ? 1 << 6 : 0,
                       missing ? "the overlay of S2POR_EL1 does not permit it" : missing_text(l, base));
    }
    if (on_walk && device && (hcr_of(p) & hcr_el2_PTW))
        return denied2(l, f, level, ipa, on_walk, 0, "a walk in Device memory, and HCR_EL2.PTW is 1");
    bool no_tags = fwb ? (d >> 3 & 7) == 7 : (d >> 2 & 15) == 4;
    if (!on_walk && l->access != ACCESS_FETCH && l->tagged && no_tags && arm_on(w, FEAT_MTE_PERM) &&
        w->told.iss2 & ISS2_TAG) { /* what uses tags it does not know */
        l->write = l->access == ACCESS_STORE && w->told.iss >> 6 & 1;
        return denied2(l, f, level, ipa, on_walk, ISS2_TAG, "MemAttr is NoTagAccess, and the access uses tags");
    }
    if (clean && !s->hd && (need & PERM_W)) {
        l->write |= !on_walk && l->access == ACCESS_STORE;
        return denied2(l, f, level, ipa, on_walk, 1 << 5, "nDirty=1, and hardware does not manage the dirty state");
    }
    out->may = indirect ? may.may & may.over : s2_may(l, d);
    return true;
}

static bool second(struct look *l, struct fact *to, uint64_t ipa, unsigned need, bool on_walk, struct found *out)
{
    struct arm_why *w = l->w;
    const struct stage *s = &l->setup.s2stage;
    uint64_t d;
    if (l->setup.s2bad || ipa >> s->iasize) {
        struct fact *f = fact_value(w->e, to, "IPA", ARM_S2, ipa, 16, "VTCR_EL2 gives it %u bits", s->iasize);
        f->stage = FACT_STAGE_2;
        return abort2(l, f, FSC_TRANSLATION, 0, ipa, on_walk, l->setup.s2bad ? "VTCR_EL2 makes no sense" : "it has more");
    }
    uint64_t base = s->base;
    for (int level = s->level;; level++) {
        unsigned shift = shift_of(s, level);
        uint64_t index = ipa >> shift & bits_mask(0, level == s->level ? s->iasize - shift : s->granule - 3u),
                 at = base | index << 3;
        struct fact *f = level_fact(l, to, true, level, index);
        if (at >> s->oasize)
            return abort2(l, f, FSC_ADDRESS_SIZE, level == s->level ? 0 : level - 1, ipa, on_walk,
                          "the table's address is too wide");
        if (!read_desc(l, at, s->big_endian, &d)) {
            f->text = explain_say(w->e, "at 0x%" PRIx64, at);
            return abort2(l, f, FSC_EXTERNAL_ON_WALK, level, ipa, on_walk, "nothing is there");
        }
        enum kind k = kind_of(w, s, d, level);
        show(l, f, at, d, flags(l, true, k, d));
        if (k == INVALID)
            return abort2(l, f, FSC_TRANSLATION, level, ipa, on_walk, "translation fault");
        if (k == LEAF) {
            out->pa = address_in(w, s, d, shift) | (ipa & bits_mask(0, shift));
            if (out->pa >> s->oasize)
                return abort2(l, f, FSC_ADDRESS_SIZE, level, ipa, on_walk, "the address is too wide");
            return s2_leaf(l, f, d, level, ipa, need, on_walk, out);
        }
        base = address_in(w, s, d, s->granule);
        if (table_flagged(l, f, s, d, base) && !mem_page_write(w->m->mem, at))
            return abort2(l, f, FSC_EXTERNAL_ON_WALK, level, ipa, on_walk, "the descriptor cannot be written");
    }
}

/* ---- stage 1
 * -------------------------------------------------------------------------------------------------------------------- */

/* Arm ARM AArch64.S1DirectBasePermissions, with what tables on the way take away. */
static unsigned s1_may(const struct look *l, uint64_t d, uint64_t limits)
{
    const struct access_mode *m = l->m;
    uint64_t sctlr = sctlr_of(l->w->p, m->regime);
    bool read_only = (d >> 7 & 1) || (limits >> 62 & 1), uxn = (d >> 54 & 1) || (limits >> 60 & 1);
    bool r = true, wr = !read_only, x = !uxn;
    if (l->el0_regime) {
        bool ur = (d >> 6 & 1) && !(limits >> 61 & 1), uw = ur && !read_only, pxn = (d >> 53 & 1) || (limits >> 59 & 1);
        if (m->el == 0) {
            r = ur;
            wr = uw;
        } else {
            x = !pxn && !uw;
            bool epan = (sctlr & sctlr_el1_EPAN) && arm_on(l->w, FEAT_PAN3) && !uxn;
            if (m->pan && (ur || epan))
                r = wr = false;
        }
    }
    return (r ? PERM_R : 0) | (wr ? PERM_W : 0) | (x ? PERM_X : 0);
}

/* What the leaf permits, and what an overlay (FEAT_S1POE) leaves of it. Arm ARM AArch64.S1ComputePermissions. */
static unsigned s1_permits(const struct look *l, uint64_t d, uint64_t limits, unsigned *over)
{
    const struct pe *p = l->w->p;
    const struct access_mode *m = l->m;
    unsigned model = p->models[m->regime], may;
    bool overlay = model & (m->el ? MODEL_OVERLAY : MODEL_OVERLAY_EL0), wxn;
    if (model & MODEL_INDIRECT) {
        may = perms_indirect(p, m, l->el0_regime, s1_index(d), &overlay, &wxn);
    } else {
        may = s1_may(l, d, limits);
        wxn = (sctlr_of(p, m->regime) & sctlr_el1_WXN) && (may & PERM_W) && (may & PERM_X);
    }
    *over = overlay ? perms_overlay(p, m, (unsigned)bits_get(d, 62, 60)) : PERM_R | PERM_W | PERM_X;
    if (wxn && overlay && (*over & PERM_X))
        *over &= ~(unsigned)PERM_W;
    else if (wxn)
        may &= ~(unsigned)PERM_X;
    return may;
}

/* Why the leaf does not permit the access. */
static const char *why_not(struct look *l, uint64_t d, unsigned missing)
{
    const struct access_mode *m = l->m;
    if (l->w->p->models[m->regime] & MODEL_INDIRECT)
        return explain_say(l->w->e, "permission index %u of PIR_ELx and PIRE0_ELx does not permit it", s1_index(d));
    if (l->el0_regime && m->el && m->pan && !(missing & PERM_X) && (d >> 6 & 1))
        return "accessible to EL0, and PSTATE.PAN is 1";
    if (l->el0_regime && m->el == 0 && !(missing & PERM_X) && !(d >> 6 & 1))
        return "AP[1]=0: not for EL0";
    if (missing & PERM_X && l->el0_regime && m->el && !(d >> 7 & 1) && (d >> 6 & 1))
        return "writable at EL0, so never executable above it";
    if (missing & PERM_X) {
        bool wxn = sctlr_of(l->w->p, m->regime) & sctlr_el1_WXN;
        return wxn && !(d >> 7 & 1) ? explain_say(l->w->e, "writable, and SCTLR_EL%u.WXN is 1", m->regime)
                                    : missing_text(l, missing);
    }
    return d >> 7 & 1 ? "AP[2]=1: read-only" : missing_text(l, missing);
}

/* Hardware changes the descriptor at `at`: stage 2 must permit that. Arm ARM AArch64.MemSwapTableDesc. */
static bool update(struct look *l, struct fact *f, uint64_t at, int level)
{
    struct found g = {.pa = at};
    if (l->s2 && !second(l, f, at, PERM_R | PERM_W, true, &g))
        return false;
    return mem_page_write(l->w->m->mem, g.pa) || abort1(l, f, FSC_EXTERNAL_ON_WALK, level, "the descriptor cannot be written");
}

/* A permission fault of stage 1 that ISS2 says more of. */
static bool denied1(struct look *l, struct fact *f, int level, uint32_t iss2, const char *why)
{
    abort1(l, f, FSC_PERMISSION, level, why);
    l->x->iss2 = iss2;
    return false;
}

static bool s1_leaf(struct look *l, struct fact *f, const struct stage *s, uint64_t d, uint64_t at, uint64_t limits,
                    bool table_ns, int level, struct found *out)
{
    struct arm_why *w = l->w;
    const struct pe *p = w->p;
    unsigned shift = shift_of(s, level);
    out->pa = address_in(w, s, d, shift) | (l->va & bits_mask(0, shift));
    if (out->pa >> s->oasize)
        return abort1(l, f, FSC_ADDRESS_SIZE, level, "the address is too wide");
    if (!(d >> 10 & 1) && !s->ha)
        return abort1(l, f, FSC_ACCESS_FLAG, level, explain_say(w->e, "AF=0, and TCR_EL%u.HA is 0", l->m->regime));
    uint64_t mair = l->m->regime == 1 ? p->s.regs.mair_el1 : l->m->regime == 2 ? p->s.regs.mair_el2 : p->s.regs.mair_el3;
    if (p->models[l->m->regime] & MODEL_INDEX && d >> 59 & 1)
        mair = l->m->regime == 1 ? p->s.regs.mair2_el1 : l->m->regime == 2 ? p->s.regs.mair2_el2 : p->s.regs.mair2_el3;
    out->attr = (uint8_t)(mair >> (8 * (d >> 2 & 7)));
    if (device_fault(l, !(out->attr & 0xf0)))
        return abort1(l, f, FSC_ALIGNMENT, level, device_text(l));
    bool indirect = p->models[l->m->regime] & MODEL_INDIRECT, store = l->access == ACCESS_STORE && !l->m->cm;
    bool clean = (d >> 7 & 1) && (indirect || (s->hd && (d >> 51 & 1))), ns = l->secure && !table_ns ? d >> 5 & 1 : true;
    unsigned over;
    out->ns = ns;
    out->may = s1_permits(l, clean ? d & ~UINT64_C(0x80) : d, limits, &over);
    if (l->secure && ns && (p->s.regs.scr_el3 & scr_el3_SIF))
        out->may &= ~(unsigned)PERM_X;
    unsigned missing = needs(l, CMOW_S1) & ~over;
    const char *why = "the overlay of POR_ELx does not permit it";
    uint32_t iss2 = missing ? 1 << 6 : 0;
    if (!missing) {
        out->may &= over;
        missing = needs(l, CMOW_S1) & ~out->may;
        why = missing ? why_not(l, d, missing) : "";
    }
    if (missing) {
        l->write = !(missing & PERM_R) && l->access == ACCESS_STORE;
        return denied1(l, f, level, iss2, why);
    }
    if (store && out->attr != ATTR_TAGGED && regime_range(p, l->m->regime, l->el0_regime && (l->va >> 55 & 1)).mtx &&
        w->told.iss2 & ISS2_TAG_NOT_DATA) { /* what stores tags it does not know */
        l->write = true;
        return denied1(l, f, level, ISS2_TAG_NOT_DATA, "TCR_ELx.MTX is 1 and the memory has no tags: none can be stored");
    }
    if (clean && !s->hd && (needs(l, CMOW_S1) & PERM_W)) {
        l->write = l->access == ACCESS_STORE;
        return denied1(l, f, level, 1 << 5, "nDirty=1, and hardware does not manage the dirty state");
    }
    bool dirty = clean && l->access == ACCESS_STORE && !l->m->at && !l->m->cm, flag = !(d >> 10 & 1);
    if (!dirty && !flag)
        return true;
    f->text = explain_say(w->e, "%s, %s set by hardware", f->text, flag ? "AF is" : "the dirty state is");
    return update(l, f, at, level);
}

/* FEAT_THE: what a lookup of stage 1 begins with. Arm ARM AArch64.S1InitialTTWState. */
static void lookup(struct look *l, bool first)
{
    bool upper = l->va >> 55 & 1;
    l->top = !first ? 0 : upper ? 2 : 1;
    l->assured = first ? l->w->p->s.regs.vtcr_el2 >> (upper ? 35 : 41) & 1 && l->w->p->models[1] & MODEL_PROTECTED : l->below;
}

static bool first_walk(struct look *l, struct fact *to, const struct stage *s, const struct s1_range *r, struct found *out)
{
    struct arm_why *w = l->w;
    uint64_t base = s->base, limits = 0, d;
    bool table_ns = !l->secure;
    for (int level = s->level;; level++) {
        unsigned shift = shift_of(s, level);
        uint64_t index = l->va >> shift & bits_mask(0, level == s->level ? s->iasize - shift : s->granule - 3u),
                 at = base | index << 3;
        struct fact *f = level_fact(l, to, false, level, index);
        struct found g = {.pa = at};
        lookup(l, level == s->level);
        if (at >> s->oasize)
            return abort1(l, f, FSC_ADDRESS_SIZE, level == s->level ? 0 : level - 1, "the table's address is too wide");
        if (l->s2 && !second(l, f, at, PERM_R, true, &g)) {
            f->text = explain_say(w->e, "at IPA 0x%" PRIx64 ": stage 2 fails", at);
            f->mark = FACT_DECIDES;
            return false;
        }
        if (!read_desc(l, g.pa, s->big_endian, &d)) {
            f->text = explain_say(w->e, "at 0x%" PRIx64, g.pa);
            return abort1(l, f, FSC_EXTERNAL_ON_WALK, level, "nothing is there");
        }
        l->below = l->assured && l->mro && d >> 52 & 1;
        enum kind k = kind_of(w, s, d, level);
        show(l, f, g.pa, d, flags(l, false, k, d));
        if (k == INVALID)
            return abort1(l, f, FSC_TRANSLATION, level, "translation fault");
        if (k == LEAF)
            return s1_leaf(l, f, s, d, at, limits, table_ns, level, out);
        if (!r->hpd)
            limits |= d & (UINT64_C(15) << 59);
        base = address_in(w, s, d, s->granule);
        if (table_flagged(l, f, s, d, base) && !update(l, f, at, level))
            return false;
        table_ns |= d >> 63 & 1;
    }
}

/* ---- what TCR_ELx says
 * ---------------------------------------------------------------------------------------------------------- */

static uint64_t ttbr_of(const struct look *l, bool upper, const char **name)
{
    const struct arm_regs *r = &l->w->p->s.regs;
    if (l->m->regime == 3)
        return *name = "TTBR0_EL3", r->ttbr0_el3;
    if (l->m->regime == 2)
        return *name = upper ? "TTBR1_EL2" : "TTBR0_EL2", upper ? r->ttbr1_el2 : r->ttbr0_el2;
    return *name = upper ? "TTBR1_EL1" : "TTBR0_EL1", upper ? r->ttbr1_el1 : r->ttbr0_el1;
}

static void first_stage(const struct look *l, const struct s1_range *r, uint64_t ttbr, struct stage *s)
{
    const struct pe *p = l->w->p;
    uint64_t tcr = tcr_of(p, l->m->regime);
    unsigned ps = (unsigned)(l->el0_regime ? tcr >> 32 : tcr >> 16) & 7, stride = r->granule - 3u;
    *s = (struct stage){.granule = r->granule, .iasize = (uint8_t)(64 - r->txsz), .ds = r->ds};
    s->level = (int8_t)(4 - (int)((s->iasize - r->granule + stride - 1) / stride));
    s->oasize = (uint8_t)ttw_oasize(p, ps, (enum granule)r->granule);
    s->ha = arm_on(l->w, FEAT_HAFDBS) && (tcr >> (l->el0_regime ? 39 : 21) & 1);
    s->hd = s->ha && (tcr >> (l->el0_regime ? 40 : 22) & 1);
    s->haft = s->ha && (p->models[l->m->regime] & MODEL_TABLE_AF);
    s->big_endian = sctlr_of(p, l->m->regime) & sctlr_el1_EE;
    unsigned size = s->iasize - shift_of(s, s->level) + 3; /* bits of the first table's size */
    bool wide = s->ds || (r->granule == GRANULE_64K && ps == 6 && arm_on(l->w, FEAT_LPA));
    s->base = wide ? (ttbr & bits_mask(6, 42)) | bits_get(ttbr, 5, 2) << 48 : ttbr & bits_mask(1, 47);
    s->base &= ~bits_mask(0, wide && size < 6 ? 6 : size);
}

/* With TCR_ELx.MTX bits 59:56 of a data address are a logical tag, and no part of it. */
static uint64_t address_bits(const struct look *l, const struct s1_range *r)
{
    uint64_t tag = bits_mask(56, 4);
    if (!r->mtx || l->access == ACCESS_FETCH)
        return l->va;
    return l->el0_regime && (l->va >> 55 & 1) ? l->va | tag : l->va & ~tag;
}

static bool first(struct look *l, struct fact *to, struct found *out)
{
    static const char *const sctlr_name[] = {"", "SCTLR_EL1.M", "SCTLR_EL2.M", "SCTLR_EL3.M"};
    struct arm_why *w = l->w;
    const struct pe *p = w->p;
    bool upper = l->el0_regime && (l->va >> 55 & 1), off = l->m->regime == 1 && (hcr_of(p) & (hcr_el2_DC | hcr_el2_TGE));
    uint64_t sctlr = sctlr_of(p, l->m->regime);
    struct s1_range r = regime_range(p, l->m->regime, upper);
    unsigned top = r.tbi && !(r.tbid && l->access == ACCESS_FETCH) ? 55 : 63;
    if (off || !(sctlr & sctlr_el1_M)) {
        bool dc = l->m->regime == 1 && (hcr_of(p) & hcr_el2_DC);
        struct fact *f = off ? arm_bit(w, to, dc ? "HCR_EL2.DC" : "HCR_EL2.TGE", ARM_S1, 1, 1, "stage 1 is off")
                             : arm_bit(w, to, sctlr_name[l->m->regime], ARM_S1, sctlr, sctlr_el1_M, "stage 1 is off");
        *out = (struct found){.pa = l->va & bits_mask(0, 56), .may = PERM_R | PERM_W | PERM_X, .ns = !l->secure};
        out->attr = dc ? (hcr_of(p) & hcr_el2_DCT ? ATTR_TAGGED : 0xff) : l->access == ACCESS_FETCH ? 0x44 : 0;
        if (bits_get(address_bits(l, &r), top, (unsigned)p->cfg->pa_bits))
            return abort1(l, f, FSC_ADDRESS_SIZE, 0, "the address is wider than physical ones");
        return !device_fault(l, !(out->attr & 0xf0)) || abort1(l, f, FSC_ALIGNMENT, 0, device_text(l));
    }
    const char *name;
    uint64_t ttbr = ttbr_of(l, upper, &name);
    unsigned least = range_min_txsz(p, &r), most = range_max_txsz(p, &r);
    struct fact *f = fact_value(w->e, to, name, ARM_S1, ttbr, 16, "granule %u KiB, TxSZ %u", 1u << (r.granule - 10), r.txsz);
    if (r.txsz < least && arm_on(w, FEAT_LVA))
        return abort1(l, f, FSC_TRANSLATION, 0, "TxSZ is too small");
    r.txsz = (uint8_t)(r.txsz < least ? least : r.txsz > most ? most : r.txsz);
    unsigned iasize = 64u - r.txsz;
    uint64_t high = top >= iasize ? bits_get(address_bits(l, &r), top, iasize) : 0,
             ones = top >= iasize ? bits_mask(0, top - iasize + 1) : 0;
    if (high != (upper ? ones : 0))
        return abort1(l, f, FSC_TRANSLATION, 0, "the address is outside of both ranges");
    if (l->m->el == 0 && r.e0pd)
        return abort1(l, f, FSC_TRANSLATION, 0, explain_say(w->e, "TCR_EL%u.E0PD%u is 1: not for EL0", l->m->regime, upper));
    if (r.epd)
        return abort1(l, f, FSC_TRANSLATION, 0, explain_say(w->e, "TCR_EL%u.EPD%u is 1: walks are off", l->m->regime, upper));
    struct stage s;
    first_stage(l, &r, ttbr, &s);
    return first_walk(l, f, &s, &r, out);
}

/* ---- the access
 * ------------------------------------------------------------------------------------------------------------------ */

bool arm_explain_access(struct arm_why *w, struct fact *to, uint64_t va, unsigned size, enum access a,
                        const struct access_mode *m, uint64_t *pa, struct arm_exception *x)
{
    static const char *const what[] = {"fetch", "load", "store"};
    struct look l = {.w = w, .va = va, .access = a, .m = m, .x = x};
    const struct pe *p = w->p;
    struct found one, two;
    l.unaligned = va & (size - 1);
    l.secure = secure_state(p, m->el);
    l.el0_regime = regime_has_el0(p, m->regime);
    l.write = a == ACCESS_STORE && !m->atomic;
    l.s2 = m->regime == 1 && (hcr_of(p) & (hcr_el2_VM | hcr_el2_DC));
    if (l.s2) {
        l.setup.p = w->p;
        l.setup.secure = l.secure;
        ttw_second_setup(&l.setup);
    }
    struct fact *f =
        fact_value(w->e, to, m->cm ? "cache maintenance" : what[a], NULL, va, 16, "as EL%u, translation regime of EL%u%s%s",
                   m->el, m->regime, m->atomic ? ", atomic" : "", m->unpriv ? ", unprivileged" : "");
    if (!first(&l, f, &one))
        return false;
    *pa = one.pa;
    if (l.s2 && !m->stage1) {
        l.tagged = one.attr == ATTR_TAGGED;
        struct fact *s = fact_value(w->e, f, "IPA", ARM_S2, one.pa, 16, "by %s", l.secure ? "VSTTBR_EL2" : "VTTBR_EL2");
        if (!second(&l, s, one.pa, needs(&l, CMOW_S2), false, &two))
            return false;
        *pa = two.pa;
    }
    struct fact *at =
        fact_value(w->e, f, "physical address", NULL, *pa, 16, "%s", one.attr & 0xf0 ? "Normal memory" : "Device memory");
    x->pa = *pa | (uint64_t)one.ns << 63;
    if (!one.ns || !arm_secure_only(p->cfg, *pa) || m->at)
        return true;
    l.write = a == ACCESS_STORE && !m->atomic;
    return abort1(&l, at, FSC_EXTERNAL, 0, "Secure memory, and the access is Non-secure");
}

bool arm_explain_abort(struct arm_why *w, uint64_t va, enum access a, const struct access_mode *m, unsigned fsc,
                       struct arm_exception *x)
{
    struct look l = {.w = w, .va = va, .access = a, .m = m, .x = x, .write = a == ACCESS_STORE && !m->atomic};
    fill(&l, fsc, 0, false, false);
    return false;
}
