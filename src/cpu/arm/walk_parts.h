/* Inside cpu/arm: what the walks of both stages (walk.c) share with the models of permissions beyond descriptors (walk_models.c).
 */
#ifndef TL_CPU_ARM_WALK_PARTS_H
#define TL_CPU_ARM_WALK_PARTS_H
#include "cpu/arm/walk.h"

#define DESC_NS        (1u << 5)
#define DESC_GP        (UINT64_C(1) << 50)
#define DESC_DBM       (UINT64_C(1) << 51)
#define DESC_PROTECTED (UINT64_C(1) << 52)
#define DESC_PXN       (UINT64_C(1) << 53)
#define TABLE_PXN      (UINT64_C(1) << 59)
#define TABLE_UXN      (UINT64_C(1) << 60)
#define TABLE_AP0      (UINT64_C(1) << 61)
#define TABLE_AP1      (UINT64_C(1) << 62)
#define TABLE_NS       (UINT64_C(1) << 63)
#define S2_XNX         (UINT64_C(1) << 53)
#define S2_XN          (UINT64_C(1) << 54)
#define S2_ASSURED     (UINT64_C(1) << 58)
#define S2_PO_INDEX    59
#define ATTR2_WB       15u /* MemAttr without FWB: Write-Back, and for FEAT_MTE_PERM the same without tags */
#define ATTR2_NO_TAG   4u

/* Cache maintenance by address: EL0 must be able to read, and to write if it cleans and invalidates and FEAT_CMOW asks for that.
   Arm ARM AArch64.S1CheckPermissions, AArch64.S2CheckPermissions. */
static inline unsigned needed_by_maintenance(const struct walk *w, unsigned stage)
{
    return (w->m.el || (w->m.cmow & CMOW_IC) ? 0 : PERM_R) | (w->m.cmow & stage ? PERM_W : 0);
}

/* What an access needs in a stage (CMOW_S1, CMOW_S2): all bits of it. */
static inline unsigned needed(const struct walk *w, unsigned stage)
{
    if (unlikely(w->m.any))
        return 0;
    switch (w->access) {
    case ACCESS_FETCH: return PERM_X;
    case ACCESS_LOAD: return unlikely(w->m.cm) ? needed_by_maintenance(w, stage) : PERM_R;
    default: return w->m.atomic ? PERM_R | PERM_W : PERM_W;
    }
}

/* A permission is missing: of reading and writing, that of reading is looked at first. */
static inline void set_write(struct walk *w, unsigned missing) { w->write = !(missing & PERM_R) && w->access == ACCESS_STORE; }

/* Walks of stage 1 into Device memory fault; not while HCR_EL2.TGE is 1. */
static inline bool second_ptw(const struct pe *p) { return (hcr_of(p) & (hcr_el2_PTW | hcr_el2_TGE)) == hcr_el2_PTW; }

/* PERM_ bits of a stage 2 descriptor. Arm ARM AArch64.S2DirectBasePermissions. */
static inline unsigned second_perm(const struct walk *w, uint64_t desc)
{
    unsigned p = (desc & S2_READ ? PERM_R : 0) | (desc & S2_WRITE ? PERM_W : 0);
    bool xn = desc & S2_XN, xnx = (desc & S2_XNX) && arm_has(w->p->cfg, FEAT_XNX);
    bool px = !(xn ^ xnx), ux = !xn;
    return p | ((w->m.el == 0 ? ux : px) ? PERM_X : 0);
}

/* What table descriptors on the way took away: APTable, UXNTable (or XNTable), PXNTable, in their places. */
#define TABLE_LIMITS (TABLE_PXN | TABLE_UXN | TABLE_AP0 | TABLE_AP1)

/* PERM_ bits of a stage 1 descriptor for the level of the access, without SCTLR_ELx.WXN. Arm ARM AArch64.S1DirectBasePermissions.
 */
static inline unsigned first_direct(const struct walk *w, uint64_t sctlr, uint64_t desc, uint64_t limits)
{
    const struct access_mode *m = &w->m;
    bool pr = true, pw = !(desc & DESC_AP2) && !(limits & TABLE_AP1), px, r, wr, x;
    if (w->el0_regime) {
        bool ur = (desc & DESC_AP1) && !(limits & TABLE_AP0), uw = ur && pw;
        bool ux = !(desc & DESC_UXN) && !(limits & TABLE_UXN);
        px = !((desc & DESC_PXN) || (limits & TABLE_PXN) || uw);
        if (m->pan && (ur || ((sctlr & sctlr_el1_EPAN) && arm_has(w->p->cfg, FEAT_PAN3) && ux)))
            pr = pw = false;
        r = m->el ? pr : ur;
        wr = m->el ? pw : uw;
        x = m->el ? px : ux;
    } else {
        px = !((desc & DESC_UXN) || (limits & TABLE_UXN));
        r = pr;
        wr = pw;
        x = px;
    }
    return (r ? PERM_R : 0) | (wr ? PERM_W : 0) | (x ? PERM_X : 0);
}

/* ---- walk_models.c ------------------------------------------------------------------------------------------------------- */

#define MODELLED_CLEAN 8 /* beside PERM_ bits: the descriptor is clean */
/* What stage 2 permits where more than the descriptor decides: PERM_ bits, and MODELLED_CLEAN if the descriptor is clean (bit 7
   is the dirty state). Negative: it does not permit the access. Arm ARM AArch64.S2ComputePermissions, AArch64.S2CheckPermissions;
   the order is that of D8.15.5.1. */
int ttw_second_modelled(struct walk *w, uint64_t desc, uint64_t ipa, unsigned need, int level, bool on_walk, bool device);
/* The same of stage 1 where permissions are indirect or have overlays, all that takes away included; of indirect ones bit 7 alone
   says whether they are clean. Negative: an overlay forbids the access. Arm ARM AArch64.S1ComputePermissions,
   AArch64.S1CheckPermissions. */
int ttw_first_modelled(struct walk *w, uint64_t desc, uint64_t limits, int level, bool clean);
/* FEAT_MTE_PERM: whether MemAttr of stage 2 says NoTagAccess. Arm ARM AArch64.S2NextWalkStateLeaf. */
bool ttw_second_notag(const struct walk *w, unsigned attr);
/* And whether this access uses tags, which then is a fault. */
bool ttw_tag_denied(struct walk *w, int level, uint64_t ipa);
/* FEAT_THE: what a lookup of stage 1 begins with, the first one or another. Arm ARM AArch64.S1InitialTTWState; D8.2.7.3. */
void ttw_lookup(struct walk *w, bool first);
#endif
