/* Inside cpu/arm: security states, the effective HCR_EL2, and which registers control an exception level. Arm ARM D1.2, D8.1. */
#ifndef TL_CPU_ARM_REGIME_H
#define TL_CPU_ARM_REGIME_H
#include "cpu/arm/pe.h"
#include "csr/arm/masks.h"

/* Below EL3 the security state is that of SCR_EL3.NS; without EL3 that register holds what is fixed. */
static inline bool secure_state(const struct pe *p, unsigned el) { return el == 3 || !(p->s.regs.scr_el3 & scr_el3_NS); }

/* EL2Enabled: in the security state of the levels below EL3. */
static inline bool el2_enabled(const struct pe *p)
{
    return arm_has(p->cfg, FEAT_EL2) && (p->s.regs.scr_el3 & (scr_el3_NS | scr_el3_EEL2));
}

/* HCR_EL2 as far as it has effect. */
static inline uint64_t hcr_of(const struct pe *p) { return el2_enabled(p) ? p->s.regs.hcr_el2 : 0; }

/* HCRX_EL2 as far as it has effect. Arm ARM IsHCRXEL2Enabled; without EL3 SCR_EL3 is as if everything were permitted. */
static inline uint64_t hcrx_of(const struct pe *p)
{
    return el2_enabled(p) && (p->s.regs.scr_el3 & scr_el3_HXEn) ? p->s.regs.hcrx_el2 : 0;
}

/* ELIsInHost(EL0): EL0 belongs to a host at EL2. */
static inline bool el0_in_host(const struct pe *p)
{
    return (hcr_of(p) & (hcr_el2_E2H | hcr_el2_TGE)) == (hcr_el2_E2H | hcr_el2_TGE);
}

/* HCR_EL2.VM and DC, of which either turns stage 2 on: for a host both are 0 in effect (D24.2, HCR_EL2). */
static inline uint64_t hcr_stage2(const struct pe *p) { return el0_in_host(p) ? 0 : hcr_of(p) & (hcr_el2_VM | hcr_el2_DC); }

/* The level that controls the translation regime of el. Arm ARM S1TranslationRegime. */
static inline unsigned regime_of(const struct pe *p, unsigned el) { return el ? el : el0_in_host(p) ? 2 : 1; }

/* Regime 2 with E2H has an EL0 and two address ranges. */
static inline bool regime_has_el0(const struct pe *p, unsigned regime)
{
    return regime == 1 || (regime == 2 && (p->s.regs.hcr_el2 & hcr_el2_E2H));
}

static inline uint64_t sctlr_of(const struct pe *p, unsigned regime)
{
    return regime == 1 ? p->s.regs.sctlr_el1 : regime == 2 ? p->s.regs.sctlr_el2 : p->s.regs.sctlr_el3;
}
static inline uint64_t tcr_of(const struct pe *p, unsigned regime)
{
    return regime == 1 ? p->s.regs.tcr_el1 : regime == 2 ? p->s.regs.tcr_el2 : p->s.regs.tcr_el3;
}

/* SCTLR2_ELx as far as it has effect. Arm ARM IsSCTLR2EL1Enabled, IsSCTLR2EL2Enabled. */
static inline uint64_t sctlr2_of(const struct pe *p, unsigned el)
{
    const struct arm_regs *r = &p->s.regs;
    if (!(r->scr_el3 & scr_el3_SCTLR2En) || el == 3)
        return 0;
    if (el == 2)
        return el2_enabled(p) ? r->sctlr2_el2 : 0;
    return el2_enabled(p) && !(hcrx_of(p) & hcrx_el2_SCTLR2En) ? 0 : r->sctlr2_el1;
}

/* HCRX_EL2.TMEA as far as it has effect: errors that are masked below EL2 go there. */
static inline bool masked_errors_to_el2(const struct pe *p) { return (hcrx_of(p) & hcrx_el2_TMEA) && !el0_in_host(p); }

/* AllIntMask: IRQs and FIQs to this level are masked while SCTLR_ELx.NMI is set (D1.4.6.4). */
static inline bool all_int_mask(const struct pe *p, uint64_t sctlr)
{
    return (p->s.pstate & PSTATE_ALLINT) || ((p->s.pstate & PSTATE_SP) && (sctlr & sctlr_el1_SPINTMASK));
}

enum granule { GRANULE_4K = 12, GRANULE_16K = 14, GRANULE_64K = 16 };

/* What a TG0 field says. */
enum granule granule_tg0(const struct arm_config *c, unsigned tg);
/* The half that has bit 55 as `upper`. Arm ARM AArch64.GetS1TTWParams. */
struct s1_range regime_range(const struct pe *p, unsigned regime, bool upper);
/* The least and greatest TxSZ there. Arm ARM AArch64.S1MinTxSZ, AArch64.MaxTxSZ. */
unsigned range_min_txsz(const struct pe *p, const struct s1_range *r);
unsigned range_max_txsz(const struct pe *p, const struct s1_range *r);
/* Top byte ignore of an address. Arm ARM EffectiveTBI. */
bool address_tbi(const struct pe *p, uint64_t address, bool insn, unsigned el);
#endif
