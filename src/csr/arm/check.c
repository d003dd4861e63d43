/* Is the access UNDEFINED, trapped or allowed, and which register does it reach? (D24.2 ff., the accessor pseudocode.) */
#include "csr/arm/internal.h"

#define HCR(f)       (r->hcr_el2 & hcr_el2_##f)
#define HCRX(f)      (r->hcrx_el2 & hcrx_el2_##f)
#define SCR(f)       (r->scr_el3 & scr_el3_##f)
#define SCTLR1(f)    (r->sctlr_el1 & sctlr_el1_##f)
#define U(f)         (host ? r->sctlr_el2 & sctlr_el2_##f : r->sctlr_el1 & sctlr_el1_##f)
#define CPACR(f)     (r->cpacr_el1 & cpacr_el1_##f)
#define CPTR2(f)     (r->cptr_el2 & cptr_el2_##f)
#define CPTR3(f)     (r->cptr_el3 & cptr_el3_##f)
#define MDCR2(f)     (r->mdcr_el2 & mdcr_el2_##f)
#define MDCR3(f)     (r->mdcr_el3 & mdcr_el3_##f)
#define MDSCR(f)     (r->mdscr_el1 & mdscr_el1_##f)
#define CNTHCTL(f)   (r->cnthctl_el2 & cnthctl_el2_##f)
#define CNTKCTL(f)   (r->cntkctl_el1 & cntkctl_el1_##f)
#define PMUSERENR(f) (r->pmuserenr_el0 & pmuserenr_el0_##f)
#define ICHHCR(f)    (r->ich_hcr_el2 & ich_hcr_el2_##f)

static const struct {
    uint8_t to, ec;
} gate_traps[] = {
    {0, 0},
#define GATE(name, from, dir, to, ec, arm, control, condition) {to, ec},
#include "csr/arm/gates.def"
#undef GATE
};

static bool closed(const struct sysreg_ctx *c, const struct sysreg_entry *e, enum sysreg_gate gate, bool write)
{
    const struct arm_regs *r = c->r;
    bool el2 = sysreg_el2_enabled(c), host = sysreg_host(c), guest = el2 && !(c->el == 0 && host);
    switch (gate) {
#define GATE(name, from, dir, to, ec, arm, control, condition) \
    case GATE_##name:                                          \
        return condition;
#include "csr/arm/gates.def"
#undef GATE
    case GATE_none:
    case GATE_COUNT: break;
    }
    return false;
}

bool sysreg_fine_trap(const struct sysreg_ctx *c, const struct sysreg_entry *e, bool write)
{
    const struct sysreg_fine *f = &e->def->fine;
    uint64_t word = 0;
    unsigned bit = write ? f->write : f->read;
    switch ((enum sysreg_fgt)f->group) {
    case FGT_HF: word = write ? c->r->hfgwtr_el2 : c->r->hfgrtr_el2; break;
    case FGT_HF2: word = write ? c->r->hfgwtr2_el2 : c->r->hfgrtr2_el2; break;
    case FGT_HD: word = write ? c->r->hdfgwtr_el2 : c->r->hdfgrtr_el2; break;
    case FGT_HD2: word = write ? c->r->hdfgwtr2_el2 : c->r->hdfgrtr2_el2; break;
    case FGT_HI: word = c->r->hfgitr_el2; break;
    case FGT_NONE: return false;
    }
    return bit != FGT_NO_BIT && word >> bit & 1;
}

bool sysreg_cptr_fp(const struct sysreg_ctx *c)
{
    uint64_t cptr = c->r->cptr_el2, fpen = cptr >> cptr_el2_FPEN_LSB & 3;
    if (!(c->r->hcr_el2 & hcr_el2_E2H))
        return cptr & cptr_el2_TFP;
    return c->el == 0 && sysreg_host(c) ? fpen != 3 : !(fpen & 1);
}

/* An exception that would go to EL1 goes to EL2 while HCR_EL2.TGE; floating point is then an unknown reason (D1.3.6.3). */
static struct sysreg_access to_el1(const struct sysreg_ctx *c, unsigned ec, unsigned id)
{
    bool tge = c->r->hcr_el2 & hcr_el2_TGE && sysreg_el2_enabled(c);
    return (struct sysreg_access){SYSREG_TRAP, tge ? 2 : 1, (uint8_t)(tge && ec == 7 ? 0 : ec), (uint16_t)id};
}

/* Reads of the ID space that are not allowed have their own class with FEAT_IDST (D24.1.1). */
static struct sysreg_access refused(const struct sysreg_ctx *c, unsigned id, bool write)
{
    if (!write && arm_has(c->cfg, FEAT_IDST) && sysreg_in_id_space(sysreg_key_of(id))) {
        if (c->el == 0)
            return to_el1(c, 0x18, id);
        bool tid3 = c->el == 1 && sysreg_el2_enabled(c) && c->r->hcr_el2 & hcr_el2_TID3;
        return (struct sysreg_access){SYSREG_TRAP, tid3 ? 2 : c->el, 0x18, (uint16_t)id};
    }
    return (struct sysreg_access){SYSREG_UNDEFINED, 0, 0, (uint16_t)id};
}

/* The register that an allowed access reaches. */
static unsigned reached(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    const struct sysreg_target *t = &e->def->target;
    const struct arm_regs *r = c->r;
    uint64_t hcr = r->hcr_el2, need = 0;
    switch ((enum sysreg_target_kind)t->kind) {
    case TARGET_NONE: return e->id;
    case TARGET_ALIAS: return t->first;
    case TARGET_BANK: return e->id + 16 * sysreg_debug_bank(c);
    case TARGET_E2H: return c->el == 2 && hcr & hcr_el2_E2H ? t->first : e->id;
    case TARGET_TIMER:
        if (!(c->el == 2 && hcr & hcr_el2_E2H) && !(c->el == 0 && sysreg_host(c)))
            return e->id;
        return sysreg_secure(c) && arm_has(c->cfg, FEAT_SEL2) ? t->second : t->first;
    case TARGET_ICV0: need = hcr_el2_FMO; break;
    case TARGET_ICV1: need = hcr_el2_IMO; break;
    case TARGET_ICV01: need = hcr_el2_FMO | hcr_el2_IMO; break;
    case TARGET_AMO: /* virtual SErrors are enabled: AMO, or by FEAT_DoubleFault2 HCRX_EL2.TMEA */
        need = hcr & hcr_el2_AMO || !(SCR(HXEn) && HCRX(TMEA)) ? hcr_el2_AMO : UINT64_MAX;
        break;
    }
    return c->el == 1 && hcr & need && sysreg_el2_enabled(c) ? t->first + e->n : e->id;
}

struct sysreg_access sysreg_check(const struct sysreg_ctx *c, unsigned id, bool write)
{
    const struct sysreg_entry *e = &c->map->entry[id < SYSREG_COUNT ? id : SR_NONE];
    if (unlikely(!(e->access >> (c->el + (write ? 4 : 0)) & 1)))
        return refused(c, id, write);
    for (unsigned left = e->active[write][c->el]; left; left &= left - 1) {
        enum sysreg_gate gate = (enum sysreg_gate)e->gates[__builtin_ctz(left)];
        if (likely(!closed(c, e, gate, write)))
            continue;
        if (gate_traps[gate].to == UNDEF)
            return (struct sysreg_access){SYSREG_UNDEFINED, 0, 0, (uint16_t)id};
        if (gate_traps[gate].to == EL1)
            return to_el1(c, gate_traps[gate].ec, id);
        return (struct sysreg_access){SYSREG_TRAP, gate_traps[gate].to, gate_traps[gate].ec, (uint16_t)id};
    }
    return (struct sysreg_access){SYSREG_OK, 0, 0, (uint16_t)reached(c, e)};
}

/* Each bit may be set although the trap would not happen (at this level, for a host), never the other way round. */
uint64_t sysreg_armed(const struct sysreg_ctx *c)
{
    const uint64_t inverted = hcr_el2_APK | hcr_el2_FIEN | hcr_el2_EnSCXT | hcr_el2_ATA;
    const uint64_t places = inverted | hcr_el2_TID1 | hcr_el2_TID2 | hcr_el2_TID3 | hcr_el2_TACR | hcr_el2_TVM | hcr_el2_TRVM |
                            hcr_el2_TLOR | hcr_el2_TERR | hcr_el2_TID4 | hcr_el2_TID5;
    /* Fields of HFGRTR_EL2 and HFGWTR_EL2 that trap while they are 0: what they are of has no fast path. */
    const uint64_t fine_inverted = hfgrtr_el2_nPIRE0_EL1 | hfgrtr_el2_nPIR_EL1 | hfgrtr_el2_nPOR_EL0 | hfgrtr_el2_nPOR_EL1 |
                                   hfgrtr_el2_nRCWMASK_EL1 | hfgrtr_el2_nS2POR_EL1 | hfgrtr_el2_nMAIR2_EL1 |
                                   hfgrtr_el2_nAMAIR2_EL1;
    const struct arm_regs *r = c->r;
    uint64_t arms = 0;
#define ARM(bit, condition) arms |= (uint64_t) !!(condition) << (bit)
    if (sysreg_el2_enabled(c)) {
        arms = (r->hcr_el2 ^ inverted) & places;
        if (SCR(FGTEn)) {
            ARM(ARM_HFGR, r->hfgrtr_el2 & ~fine_inverted);
            ARM(ARM_HFGW, r->hfgwtr_el2 & ~fine_inverted);
            ARM(ARM_HDFGR, r->hdfgrtr_el2);
            ARM(ARM_HDFGW, r->hdfgwtr_el2);
        }
        ARM(ARM_TCPAC, CPTR2(TCPAC));
        ARM(ARM_TDA, MDCR2(TDE) || MDCR2(TDA) || HCR(TGE));
        ARM(ARM_TDOSA, MDCR2(TDE) || MDCR2(TDOSA));
        ARM(ARM_TDRA, MDCR2(TDE) || MDCR2(TDRA));
    }
    ARM(ARM_TSCXT, SCTLR1(TSCXT) || r->sctlr_el2 & sctlr_el2_TSCXT);
    ARM(ARM_TCPAC3, CPTR3(TCPAC));
    ARM(ARM_TDA3, MDCR3(TDA));
    ARM(ARM_TDOSA3, MDCR3(TDOSA));
    ARM(ARM_TERR3, SCR(TERR));
    ARM(ARM_TLOR3, SCR(TLOR));
    ARM(ARM_APK3, !SCR(APK));
    ARM(ARM_ATA3, !SCR(ATA));
    ARM(ARM_FIEN3, !SCR(FIEN));
    ARM(ARM_ENSCXT3, !SCR(EnSCXT));
    ARM(ARM_FGTEN3, !SCR(FGTEn));
    ARM(ARM_HXEN3, !SCR(HXEn));
    ARM(ARM_ECVEN3, !SCR(ECVEn));
#undef ARM
    return arms;
}
