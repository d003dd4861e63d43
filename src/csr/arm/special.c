/* PSTATE, stack pointers, floating-point control and status, random numbers, pending interrupts. */
#include "csr/arm/internal.h"

uint64_t arm_rd_special(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return c->live->special(c->pe, e->id) & e->rmask;
}

uint32_t arm_wr_special(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    c->live->set_special(c->pe, e->id, v & e->wmask);
    return e->effects;
}

uint64_t arm_rd_random(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return c->live->random(c->pe, e->id == SR_rndrrs);
}

/* ISR_EL1: at EL1 the virtual interrupt takes the place of the physical one that goes to EL2 (D24.2.84). */
uint64_t arm_rd_isr(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    uint32_t lines = c->live->lines(c->pe);
    uint64_t hcr = c->r->hcr_el2;
    bool irq = lines & SYSREG_LINE_IRQ, fiq = lines & SYSREG_LINE_FIQ, serror = lines & SYSREG_LINE_SERROR;
    bool is = lines & SYSREG_LINE_IRQ_SUPER, fs = false;
    uint64_t hcrx = c->r->scr_el3 & scr_el3_HXEn ? c->r->hcrx_el2 : 0;
    if (c->el == 1 && sysreg_el2_enabled(c) && !(hcr & hcr_el2_TGE)) {
        if (hcr & hcr_el2_IMO)
            irq = hcr & hcr_el2_VI || lines & SYSREG_LINE_VIRQ;
        if (hcr & hcr_el2_IMO)
            is = (hcr & hcr_el2_VI && hcrx & hcrx_el2_VINMI) || lines & SYSREG_LINE_VIRQ_SUPER;
        if (hcr & hcr_el2_FMO)
            fiq = hcr & hcr_el2_VF || lines & SYSREG_LINE_VFIQ;
        if (hcr & hcr_el2_FMO)
            fs = hcr & hcr_el2_VF && hcrx & hcrx_el2_VFNMI;
        if (hcr & hcr_el2_AMO || hcrx & hcrx_el2_TMEA)
            serror = hcr & hcr_el2_VSE;
    }
    return (fiq ? isr_el1_F : 0) | (irq ? isr_el1_I : 0) | (serror ? isr_el1_A : 0) | (fs ? isr_el1_FS : 0) |
           (is ? isr_el1_IS : 0);
}

/* DISR_EL1 below EL3 is RAZ/WI while SErrors go to EL3 (D24.2.47). */
static bool deferred_to_el3(const struct sysreg_ctx *c)
{
    return c->el < 3 && arm_has(c->cfg, FEAT_EL3) && c->r->scr_el3 & scr_el3_EA;
}

uint64_t arm_rd_disr(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return deferred_to_el3(c) ? 0 : c->r->disr_el1;
}

uint32_t arm_wr_disr(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    if (!deferred_to_el3(c))
        c->r->disr_el1 = v & e->wmask;
    return 0;
}
