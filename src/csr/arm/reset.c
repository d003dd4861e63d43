/* Values after a cold reset (D1.3; the reset values of the registers in D24). What is UNKNOWN is 0. */
#include "csr/arm/internal.h"
#include <string.h>

void sysreg_reset(const struct sysreg_map *map, const struct arm_config *cfg, struct arm_regs *r, uint64_t affinity)
{
    memset(r, 0, sizeof *r);
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        const struct sysreg_entry *e = &map->entry[id];
        if (!e->def || e->word == SYSREG_NO_WORD)
            continue;
        for (unsigned bank = 0; bank <= e->bank; bank++)
            ((uint64_t *)(void *)r)[e->word + bank] = (e->def->reset & e->rmask) | e->ones;
    }
    r->mpidr_el1 = (affinity & (mpidr_el1_Aff0 | mpidr_el1_Aff1 | mpidr_el1_Aff2 | mpidr_el1_Aff3)) | mpidr_el1_RES1_31;
    r->vpidr_el2 = cfg->midr;
    r->vmpidr_el2 = r->mpidr_el1;
    r->cntfrq_el0 = cfg->cntfrq;
    if (arm_has(cfg, FEAT_PMUv3) && arm_has(cfg, FEAT_EL2))
        r->mdcr_el2 |= cfg->pmu_counters << mdcr_el2_HPMN_LSB;
    if (arm_has(cfg, FEAT_GICv3)) { /* the smallest binary points that there are */
        uint64_t least = 7 - cfg->gic_prio;
        r->icc_bpr0_el1 = least;
        r->icc_bpr1_el1[0] = least;
        r->icc_bpr1_el1[1] = least + 1;
        if (arm_has(cfg, FEAT_EL2))
            r->ich_vmcr_el2 |= least << ich_vmcr_el2_VBPR0_LSB | (least + 1) << ich_vmcr_el2_VBPR1_LSB;
    }
    if (!arm_has(cfg, FEAT_EL2)) /* "behaves as if 0, but for RW" (D24.2.50) */
        r->hcr_el2 = hcr_el2_RW;
    if (!arm_has(cfg, FEAT_EL3)) /* Non-secure, and nothing asks EL3 */
        r->scr_el3 = scr_el3_NS | scr_el3_RES1_5_4 | scr_el3_HCE | scr_el3_RW | scr_el3_ST | scr_el3_APK | scr_el3_API |
                     scr_el3_FIEN | scr_el3_EnSCXT | scr_el3_ATA | scr_el3_FGTEn | scr_el3_ECVEn | scr_el3_HXEn | scr_el3_TCR2En |
                     scr_el3_SCTLR2En | scr_el3_PIEn | scr_el3_AIEn | scr_el3_PFAREn | scr_el3_FGTEn2 | scr_el3_RCWMASKEn;
}
