#include "cpu/arm/perms.h"

#include "cpu/arm/regime.h"
#include "cpu/arm/walk.h"

#include <string.h>

#define R PERM_R
#define W PERM_W
#define X PERM_X

/* Arm ARM IsTCR2EL1Enabled, IsTCR2EL2Enabled: what does not count is as if 0. */
static uint64_t tcr2_of(const struct pe *p, unsigned regime)
{
    const struct arm_regs *r = &p->s.regs;
    bool hcrx = (r->scr_el3 & scr_el3_HXEn) && (r->hcrx_el2 & hcrx_el2_TCR2En);
    if (!(r->scr_el3 & scr_el3_TCR2En) || (regime == 1 && el2_enabled(p) && !hcrx))
        return 0;
    return regime == 1 ? r->tcr2_el1 : r->tcr2_el2;
}

void perms_refresh(struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    uint8_t before[4];
    memcpy(before, p->models, sizeof before);
    for (unsigned regime = 1; regime < 3; regime++) {
        uint64_t tcr2 = tcr2_of(p, regime);
        p->models[regime] = (uint8_t)((tcr2 & tcr2_el1_PIE ? MODEL_INDIRECT : 0) | (tcr2 & tcr2_el1_POE ? MODEL_OVERLAY : 0) |
                                      (tcr2 & tcr2_el1_E0POE && regime_has_el0(p, regime) ? MODEL_OVERLAY_EL0 : 0) |
                                      (tcr2 & tcr2_el1_AIE ? MODEL_INDEX : 0) | (tcr2 & tcr2_el1_HAFT ? MODEL_TABLE_AF : 0) |
                                      (tcr2 & tcr2_el1_PnCH ? MODEL_PROTECTED : 0));
    }
    p->models[3] = (uint8_t)((r->tcr_el3 & tcr_el3_PIE ? MODEL_INDIRECT : 0) | (r->tcr_el3 & tcr_el3_POE ? MODEL_OVERLAY : 0) |
                             (r->tcr_el3 & tcr_el3_AIE ? MODEL_INDEX : 0) | (r->tcr_el3 & tcr_el3_HAFT ? MODEL_TABLE_AF : 0) |
                             (r->tcr_el3 & tcr_el3_PnCH ? MODEL_PROTECTED : 0));
    if (memcmp(before, p->models, sizeof before)) /* what walks begin with was made of them */
        p->walk.first[0].made = p->walk.first[1].made = 0;
}

static uint64_t pir_of(const struct pe *p, unsigned regime)
{
    return regime == 1 ? p->s.regs.pir_el1 : regime == 2 ? p->s.regs.pir_el2 : p->s.regs.pir_el3;
}

static uint64_t pire0_of(const struct pe *p, unsigned regime) { return regime == 1 ? p->s.regs.pire0_el1 : p->s.regs.pire0_el2; }

static uint64_t por_of(const struct pe *p, unsigned regime)
{
    return regime == 1 ? p->s.regs.por_el1 : regime == 2 ? p->s.regs.por_el2 : p->s.regs.por_el3;
}

/* Words that do not count stay 0. */
uint64_t perms_mair2(const struct pe *p, unsigned regime)
{
    return regime == 1 ? p->s.regs.mair2_el1 : regime == 2 ? p->s.regs.mair2_el2 : p->s.regs.mair2_el3;
}

void perms_key(const struct pe *p, unsigned regime, uint64_t words[5])
{
    unsigned model = p->models[regime];
    words[0] = model & MODEL_INDIRECT ? pir_of(p, regime) : 0;
    words[1] = model & MODEL_INDIRECT && regime < 3 ? pire0_of(p, regime) : 0;
    words[2] = model & MODEL_OVERLAY ? por_of(p, regime) : 0;
    words[3] = model & MODEL_OVERLAY_EL0 ? p->s.regs.por_el0 : 0;
    words[4] = model & MODEL_INDEX ? perms_mair2(p, regime) : 0;
}

unsigned perms_indirect(const struct pe *p, const struct access_mode *m, bool has_el0, unsigned index, bool *overlay, bool *wxn)
{
    /* 9 is for guarded control stacks; 4, 11, 13 and 15 are reserved. */
    static const uint8_t base[16] = {0, R, X, R | X, 0, R | W, R | W | X, R | W | X, R, R, R | X, 0, R | W, 0, R | W | X, 0};
    enum { GCS = 9, WXN = 6, NO_OVERLAY = 8 };
    unsigned pi = pir_of(p, m->regime) >> 4 * index & 15, priv = base[pi];
    if (has_el0) {
        unsigned ui = pire0_of(p, m->regime) >> 4 * index & 15, user = base[ui];
        if ((priv & X || pi == GCS) && (user & W || ui == GCS))
            priv = user = 0;
        if (m->pan && ui)
            priv &= X;
        if (m->el == 0) {
            pi = ui;
            priv = user;
        }
    }
    *overlay &= !(pi & NO_OVERLAY);
    *wxn = pi == WXN;
    return priv;
}

unsigned perms_overlay(const struct pe *p, const struct access_mode *m, unsigned index)
{
    unsigned po = (m->el ? por_of(p, m->regime) : p->s.regs.por_el0) >> 4 * index & 15;
    return po & 8 ? 0 : (po & 1 ? R : 0) | (po & 2 ? X : 0) | (po & 4 ? W : 0);
}

/* Encodings of S2PIR_EL2 and S2POR_EL1 (Table D8-82). 2, 3, 6 and 7 are mostly read-only; 1 and 5 are reserved. From 8 on bit 0
   is for EL0, bit 1 for EL1. */
static bool mostly_read_only(unsigned encoding) { return (encoding & 10) == 2; }

static unsigned second_encoding(const struct access_mode *m, unsigned encoding, bool mmu)
{
    static const uint8_t base[16] = {0, 0, R, R, W, 0, R, R, R, R, R, R, R | W, R | W, R | W, R | W};
    unsigned perm = base[encoding];
    if (mmu)
        return encoding == 4 ? 0 : perm | (mostly_read_only(encoding) ? W : 0);
    return perm | (encoding & 8 && encoding & (m->el ? 2 : 1) ? X : 0);
}

static uint8_t top_level(unsigned encoding)
{
    static const uint8_t top[8] = {[3] = 2, [6] = 1, [7] = 3};
    return encoding < 8 ? top[encoding] : 0;
}

struct s2_permission perms_second(const struct pe *p, const struct access_mode *m, unsigned pi, unsigned po, bool mmu)
{
    unsigned base = p->s.regs.s2pir_el2 >> 4 * pi & 15;
    struct s2_permission s = {.may = second_encoding(m, base, mmu),
                              .over = R | W | X,
                              .overlay = p->s.regs.vtcr_el2 & vtcr_el2_S2POE,
                              .mro = mostly_read_only(base),
                              .top = top_level(base)};
    if (!s.overlay)
        return s;
    unsigned over = p->s.regs.s2por_el1 >> 4 * po & 15;
    s.over = second_encoding(m, over, mmu);
    s.mro = second_encoding(m, base, true) & second_encoding(m, over, true) & W &&
            !(second_encoding(m, base, false) & second_encoding(m, over, false) & W);
    s.top = s.mro ? s.top | top_level(over) : 0;
    return s;
}

/* A mask as instructions see it: bit 17 stands for bits 49 to 18, too. */
static uint64_t rcw_mask(uint64_t mask) { return mask & (UINT64_C(1) << 17) ? mask | bits_mask(18, 32) : mask; }

unsigned rcw_check(const struct pe *p, uint64_t old, uint64_t next, bool soft)
{
    const uint64_t protected_bit = UINT64_C(1) << 52;
    bool enabled = p->models[regime_of(p, p->el)] & MODEL_PROTECTED, is_protected = enabled && (old & protected_bit),
         valid = old & DESC_VALID;
    uint64_t changed = old ^ next;
    bool hard_fails = enabled && (changed & protected_bit);
    if (is_protected)
        hard_fails |= (changed & DESC_VALID) || (valid && (changed & ~rcw_mask(p->s.regs.rcwmask_el1)));
    bool soft_fails = false;
    if (soft) {
        uint64_t mask = rcw_mask(p->s.regs.rcwsmask_el1) & ~(enabled ? protected_bit : 0);
        soft_fails = ((changed & DESC_VALID) && (valid || !is_protected)) || (valid && (changed & ~mask));
    }
    return (hard_fails ? 4u : 0) | (soft_fails ? 0 : 2u);
}
