/* The GIC's CPU interface, as far as it is registers (IHI 0069, chapters 4, 6 and 12). */
#include "csr/arm/internal.h"

uint64_t arm_rd_gic(const struct sysreg_ctx *c, const struct sysreg_entry *e) { return c->live->gic_read(c->pe, e->id); }

uint32_t arm_wr_gic(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return e->effects | c->live->gic_write(c->pe, e->id, v);
}

/* Stores; the effects if the word changed. */
static uint32_t store(uint64_t *word, uint64_t v, const struct sysreg_entry *e)
{
    uint64_t old = *word;
    *word = v;
    return v == old ? 0 : e->effects;
}

/* A Non-secure access while FIQs belong to EL3: priorities are seen shifted, Secure ones not at all (4.8.1). */
static bool shifted(const struct sysreg_ctx *c)
{
    return arm_has(c->cfg, FEAT_EL3) && c->el < 3 && !sysreg_secure(c) && c->r->scr_el3 & scr_el3_FIQ;
}

uint64_t arm_rd_icc_pmr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    uint64_t v = c->r->icc_pmr_el1;
    if (shifted(c) && v != e->rmask)
        v = v & 0x80 ? v << 1 & e->rmask : 0;
    return v;
}

uint32_t arm_wr_icc_pmr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    v &= e->wmask;
    if (shifted(c)) {
        if (!(c->r->icc_pmr_el1 & 0x80))
            return 0; /* a Secure mask stays */
        v = (v >> 1 | 0x80) & e->wmask;
    }
    return store(&c->r->icc_pmr_el1, v, e);
}

/* The smallest binary point: as many preemption bits as there are (4.8.3). */
static uint64_t least_bpr(const struct sysreg_ctx *c) { return 7 - c->cfg->gic_prio; }
static uint64_t at_least(uint64_t v, uint64_t least) { return v < least ? least : v; }
static uint64_t one_more(uint64_t bpr) { return bpr < 7 ? bpr + 1 : 7; }

uint64_t arm_rd_icc_bpr0_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return c->r->icc_bpr0_el1;
}

uint32_t arm_wr_icc_bpr0_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return store(&c->r->icc_bpr0_el1, at_least(v & e->wmask, least_bpr(c)), e);
}

/* With CBPR group 1 has the binary point of group 0 below EL3: Secure as it is, Non-secure one more and read-only (12.2.6). */
static bool common_bpr(const struct sysreg_ctx *c)
{
    return c->el < 3 && c->r->icc_ctlr_el1[!sysreg_secure(c)] & icc_ctlr_el1_CBPR;
}

uint64_t arm_rd_icc_bpr1_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    if (common_bpr(c))
        return sysreg_secure(c) ? c->r->icc_bpr0_el1 : one_more(c->r->icc_bpr0_el1);
    return *sysreg_word(c, e);
}

uint32_t arm_wr_icc_bpr1_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    v &= e->wmask;
    if (common_bpr(c))
        return sysreg_secure(c) ? store(&c->r->icc_bpr0_el1, at_least(v, least_bpr(c)), e) : 0;
    return store(sysreg_word(c, e), at_least(v, least_bpr(c) + !sysreg_secure(c)), e);
}

/* What all control registers show. */
static uint64_t fixed_control(const struct sysreg_ctx *c)
{
    return (c->cfg->gic_prio - 1) << icc_ctlr_el1_PRIbits_LSB | (uint64_t)(c->cfg->gic_id_bits == 24) << icc_ctlr_el1_IDbits_LSB |
           icc_ctlr_el1_A3V;
}

uint64_t arm_rd_icc_ctlr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return *sysreg_word(c, e) | fixed_control(c);
}

uint32_t arm_wr_icc_ctlr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t mask = icc_ctlr_el1_EOImode, *word = sysreg_word(c, e);
    if (!arm_has(c->cfg, FEAT_EL3) || c->live->gic_one_security_state(c->pe))
        mask |= icc_ctlr_el1_CBPR;
    return store(word, (*word & ~mask) | (v & mask), e);
}

/* ICC_CTLR_EL3 holds EOImode_EL3; the fields of EL1 are those of ICC_CTLR_EL1. */
uint64_t arm_rd_icc_ctlr_el3(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    const uint64_t *el1 = c->r->icc_ctlr_el1;
    (void)e;
    return c->r->icc_ctlr_el3 | fixed_control(c) | (el1[0] & icc_ctlr_el1_CBPR ? icc_ctlr_el3_CBPR_EL1S : 0) |
           (el1[1] & icc_ctlr_el1_CBPR ? icc_ctlr_el3_CBPR_EL1NS : 0) |
           (el1[0] & icc_ctlr_el1_EOImode ? icc_ctlr_el3_EOImode_EL1S : 0) |
           (el1[1] & icc_ctlr_el1_EOImode ? icc_ctlr_el3_EOImode_EL1NS : 0);
}

uint32_t arm_wr_icc_ctlr_el3(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t *el1 = c->r->icc_ctlr_el1;
    uint64_t secure =
        (v & icc_ctlr_el3_CBPR_EL1S ? icc_ctlr_el1_CBPR : 0) | (v & icc_ctlr_el3_EOImode_EL1S ? icc_ctlr_el1_EOImode : 0);
    uint64_t nonsecure =
        (v & icc_ctlr_el3_CBPR_EL1NS ? icc_ctlr_el1_CBPR : 0) | (v & icc_ctlr_el3_EOImode_EL1NS ? icc_ctlr_el1_EOImode : 0);
    return store(&el1[0], secure, e) | store(&el1[1], nonsecure, e) | store(&c->r->icc_ctlr_el3, v & icc_ctlr_el3_EOImode_EL3, e);
}

uint64_t arm_rd_icc_igrpen1_el3(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return (c->r->icc_igrpen1_el1[1] ? icc_igrpen1_el3_EnableGrp1NS : 0) |
           (c->r->icc_igrpen1_el1[0] ? icc_igrpen1_el3_EnableGrp1S : 0);
}

uint32_t arm_wr_icc_igrpen1_el3(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return store(&c->r->icc_igrpen1_el1[1], !!(v & icc_igrpen1_el3_EnableGrp1NS), e) |
           store(&c->r->icc_igrpen1_el1[0], !!(v & icc_igrpen1_el3_EnableGrp1S), e);
}

/* ---- virtual CPU interface: ICH_VMCR_EL2 holds it (12.3, 12.4.8) ---------------------------------------------------------- */

static uint64_t vmcr(const struct sysreg_ctx *c, uint64_t mask, unsigned lsb) { return (c->r->ich_vmcr_el2 & mask) >> lsb; }

static uint32_t set_vmcr(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t mask, unsigned lsb, uint64_t v)
{
    return store(&c->r->ich_vmcr_el2, (c->r->ich_vmcr_el2 & ~mask) | (v << lsb & mask), e);
}

#define VMCR(field) ich_vmcr_el2_##field, ich_vmcr_el2_##field##_LSB
#define VIEW(name, field)                                                                        \
    uint64_t arm_rd_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e)             \
    {                                                                                            \
        (void)e;                                                                                 \
        return vmcr(c, VMCR(field));                                                             \
    }                                                                                            \
    uint32_t arm_wr_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v) \
    {                                                                                            \
        return set_vmcr(c, e, VMCR(field), v & e->wmask);                                        \
    }
VIEW(icv_pmr_el1, VPMR)
VIEW(icv_igrpen0_el1, VENG0)
VIEW(icv_igrpen1_el1, VENG1)
#undef VIEW

uint64_t arm_rd_icv_bpr0_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return vmcr(c, VMCR(VBPR0));
}

uint32_t arm_wr_icv_bpr0_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return set_vmcr(c, e, VMCR(VBPR0), at_least(v & e->wmask, least_bpr(c)));
}

uint64_t arm_rd_icv_bpr1_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return vmcr(c, VMCR(VCBPR)) ? one_more(vmcr(c, VMCR(VBPR0))) : vmcr(c, VMCR(VBPR1));
}

uint32_t arm_wr_icv_bpr1_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return vmcr(c, VMCR(VCBPR)) ? 0 : set_vmcr(c, e, VMCR(VBPR1), at_least(v & e->wmask, least_bpr(c) + !sysreg_secure(c)));
}

uint64_t arm_rd_icv_ctlr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return fixed_control(c) | vmcr(c, VMCR(VCBPR)) << icv_ctlr_el1_CBPR_LSB | vmcr(c, VMCR(VEOIM)) << icv_ctlr_el1_EOImode_LSB;
}

uint32_t arm_wr_icv_ctlr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return set_vmcr(c, e, VMCR(VCBPR), !!(v & icv_ctlr_el1_CBPR)) | set_vmcr(c, e, VMCR(VEOIM), !!(v & icv_ctlr_el1_EOImode));
}

uint32_t arm_wr_ich_vmcr_el2(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t now = (v & e->wmask) | e->ones, least = least_bpr(c);
    now = bits_set(now, 23, 21, at_least(bits_get(now, 23, 21), least));
    now = bits_set(now, 20, 18, at_least(bits_get(now, 20, 18), least + !sysreg_secure(c)));
    return store(&c->r->ich_vmcr_el2, now, e);
}

/* ---- list registers (12.4) ------------------------------------------------------------------------------------------------ */

enum { LR_EOI = 41 }; /* of pINTID without HW: a maintenance interrupt at the end */

/* One bit for each list register that is free, or whose end asks for attention (ICH_ELRSR_EL2, ICH_EISR_EL2). */
static uint64_t list_registers(const struct sysreg_ctx *c, bool ended)
{
    uint64_t v = 0;
    for (unsigned n = 0; n < c->cfg->gic_lrs; n++) {
        uint64_t lr = c->r->ich_lr_el2[n];
        bool asks = !(lr & ich_lr_el2_HW) && lr >> LR_EOI & 1;
        if (!(lr & ich_lr_el2_State) && asks == ended)
            v |= UINT64_C(1) << n;
    }
    return v;
}

uint64_t arm_rd_ich_eisr_el2(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return list_registers(c, true);
}

uint64_t arm_rd_ich_elrsr_el2(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return list_registers(c, false);
}

uint64_t arm_rd_ich_misr_el2(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    uint64_t hcr = c->r->ich_hcr_el2, vm = c->r->ich_vmcr_el2, v = 0;
    unsigned valid = 0, pending = 0;
    (void)e;
    for (unsigned n = 0; n < c->cfg->gic_lrs; n++) {
        uint64_t state = c->r->ich_lr_el2[n] >> ich_lr_el2_State_LSB;
        valid += state != 0;
        pending += state == 1;
    }
#define IF(condition, bit) v |= (condition) ? ich_misr_el2_##bit : 0
    IF(list_registers(c, true), EOI);
    IF(hcr & ich_hcr_el2_UIE && valid < 2, U);
    IF(hcr & ich_hcr_el2_LRENPIE && hcr & ich_hcr_el2_EOIcount, LRENP);
    IF(hcr & ich_hcr_el2_NPIE && !pending, NP);
    IF(hcr & ich_hcr_el2_VGrp0EIE && vm & ich_vmcr_el2_VENG0, VGrp0E);
    IF(hcr & ich_hcr_el2_VGrp0DIE && !(vm & ich_vmcr_el2_VENG0), VGrp0D);
    IF(hcr & ich_hcr_el2_VGrp1EIE && vm & ich_vmcr_el2_VENG1, VGrp1E);
    IF(hcr & ich_hcr_el2_VGrp1DIE && !(vm & ich_vmcr_el2_VENG1), VGrp1D);
#undef IF
    return v;
}
