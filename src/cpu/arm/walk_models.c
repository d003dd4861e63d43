/*
 * What walks of translation tables ask besides descriptors: permissions by index and overlays (perms.h), the Translation
 * Hardening Extension, the use of tags. None of this is on the way of a walk that needs none of it. Arm ARM D8.2.7, D8.4, D10.3.
 */
#include "cpu/arm/perms.h"
#include "cpu/arm/tags.h"
#include "cpu/arm/walk_parts.h"

/* ---- stage 2 -------------------------------------------------------------------------------------------------------------- */

/* The first table of a walk must be in memory that stage 2 permits it in: D8.2.7.4, tables D8-14 and D8-15. */
static bool top_level_fault(uint64_t vtcr, unsigned top, unsigned permitted)
{
    bool mine = vtcr & (top == 1 ? vtcr_el2_TL0 : vtcr_el2_TL1), other = vtcr & (top == 1 ? vtcr_el2_TL1 : vtcr_el2_TL0);
    return top && ((mine && !(permitted & top)) || (other && permitted == 3 - top));
}

/* A permission fault that ESR_ELx.ISS2 says more of. */
static int second_denied(struct walk *w, int level, uint64_t ipa, bool on_walk, uint32_t iss2)
{
    ttw_fault2(w, FSC_PERMISSION, level, ipa, on_walk);
    w->p->exc.iss2 = iss2;
    return -1;
}

bool ttw_second_notag(const struct walk *w, unsigned attr)
{
    return arm_has(w->p->cfg, FEAT_MTE_PERM) && (hcr_of(w->p) & hcr_el2_FWB ? attr >> 1 == 7 : attr == ATTR2_NO_TAG);
}

bool ttw_tag_denied(struct walk *w, int level, uint64_t ipa)
{
    bool data = w->m.tags == TAGS_OF_DATA && !w->m.at && !w->m.cm && w->access != ACCESS_FETCH;
    if (w->m.probe || (w->m.tags != TAGS_ACCESSED && !(data && tags_compared(w->p, w->va, w->access, &w->m))))
        return false;
    w->write = w->m.tags == TAGS_ACCESSED && w->access == ACCESS_STORE;
    second_denied(w, level, ipa, false, ISS2_TAG);
    return true;
}

int ttw_second_modelled(struct walk *w, uint64_t desc, uint64_t ipa, unsigned need, int level, bool on_walk, bool device)
{
    unsigned pi = (unsigned)(bits_get(desc, 54, 53) << 2 | (desc & DESC_DBM ? 2 : 0) | (desc & S2_READ ? 1 : 0));
    uint64_t vtcr = w->p->s.regs.vtcr_el2;
    bool indirect = vtcr & vtcr_el2_S2PIE, clean = (indirect || (w->s2stage.hd && (desc & DESC_DBM))) && !(desc & S2_WRITE);
    struct s2_permission s = {.may = second_perm(w, desc) | (clean ? PERM_W : 0), .over = PERM_R | PERM_W | PERM_X};
    if (indirect)
        s = perms_second(w->p, &w->m, pi, desc >> S2_PO_INDEX & 15, on_walk || w->m.rcw);
    w->mro = s.mro;
    if (w->m.probe)
        return (int)(s.may & s.over);
    if (on_walk && top_level_fault(vtcr, w->top, s.top)) {
        second_denied(w, level, ipa, on_walk, 0);
        w->p->exc.iss |= ISS_TOPLEVEL;
        return -1;
    }
    if ((vtcr & vtcr_el2_AssuredOnly) && (desc & S2_ASSURED) && !(on_walk ? w->assured : w->assured_below))
        return second_denied(w, level, ipa, on_walk, ISS2_ASSURED);
    unsigned missing = need & ~s.over;
    bool overlay = missing != 0;
    if (!overlay)
        missing = need & ~s.may;
    if (missing || (on_walk && device && second_ptw(w->p))) {
        if (!on_walk)
            set_write(w, missing);
        return second_denied(w, level, ipa, on_walk, overlay ? ISS2_OVERLAY : 0);
    }
    if (unlikely(w->notag) && ttw_tag_denied(w, level, ipa))
        return -1;
    if (clean && (need & PERM_W) && indirect && !w->s2stage.hd) { /* software keeps the state. D8.5.2.2, RRKMHW */
        w->write |= !on_walk && w->access == ACCESS_STORE;
        return second_denied(w, level, ipa, on_walk, ISS2_DIRTY);
    }
    return (int)(s.may & s.over) | (clean ? MODELLED_CLEAN : 0);
}

/* ---- stage 1 -------------------------------------------------------------------------------------------------------------- */

int ttw_first_modelled(struct walk *w, uint64_t desc, uint64_t limits, int level, bool clean)
{
    const struct pe *p = w->p;
    uint64_t sctlr = sctlr_of(p, w->m.regime);
    unsigned model = p->models[w->m.regime], over = PERM_R | PERM_W | PERM_X, perm;
    bool overlay = model & (w->m.el ? MODEL_OVERLAY : MODEL_OVERLAY_EL0), wxn;
    if (model & MODEL_INDIRECT) {
        unsigned index = (unsigned)(bits_get(desc, 54, 53) << 2 | (desc & DESC_DBM ? 2 : 0) | (desc & DESC_AP1 ? 1 : 0));
        perm = perms_indirect(p, &w->m, w->el0_regime, index, &overlay, &wxn);
        clean = desc & DESC_AP2;
    } else {
        perm = first_direct(w, sctlr, clean ? desc & ~(uint64_t)DESC_AP2 : desc, limits);
        wxn = (sctlr & sctlr_el1_WXN) && (perm & PERM_W) && (perm & PERM_X);
    }
    if (overlay)
        over = perms_overlay(p, &w->m, (unsigned)bits_get(desc, 62, 60));
    if (wxn && overlay && (over & PERM_X))
        over &= ~(unsigned)PERM_W;
    else if (wxn)
        perm &= ~(unsigned)PERM_X;
    unsigned missing = needed(w, CMOW_S1) & ~over;
    if (!missing || w->m.probe)
        return (int)((perm & over) | (clean ? MODELLED_CLEAN : 0));
    set_write(w, missing);
    ttw_fault(w, FSC_PERMISSION, level);
    w->p->exc.iss2 = ISS2_OVERLAY;
    return -1;
}

void ttw_lookup(struct walk *w, bool first)
{
    bool upper = w->va >> 55 & 1, top = w->p->s.regs.vtcr_el2 & (upper ? vtcr_el2_TL1 : vtcr_el2_TL0);
    w->assured = first ? top && (w->p->models[1] & MODEL_PROTECTED) : w->assured_below;
    w->top = first ? (upper ? 2 : 1) : 0;
}
