/* Performance monitors (D13, D24.5). */
#include "csr/arm/internal.h"

/* Event counters that the level has: all, or those below MDCR_EL2.HPMN (D13.5). */
static unsigned accessible(const struct sysreg_ctx *c)
{
    unsigned all = (unsigned)c->cfg->pmu_counters, hpmn = (unsigned)(c->r->mdcr_el2 & mdcr_el2_HPMN);
    return c->el < 2 && sysreg_el2_enabled(c) && hpmn < all ? hpmn : all;
}

/* At EL0 PMUACR_EL1 says which counters there are (FEAT_PMUv3p9). */
static bool by_user_access(const struct sysreg_ctx *c) { return c->el == 0 && c->r->pmuserenr_el0 & pmuserenr_el0_UEN; }

/* Counters that the level has, as bits of PMCNTENSET_EL0 and the like. Arm ARM GetPMUAccessMask. */
static uint64_t access_mask(const struct sysreg_ctx *c)
{
    uint64_t mask = bits_mask(0, accessible(c)) | pmcntenset_el0_C;
    if (arm_has(c->cfg, FEAT_PMUv3_ICNTR) && (c->el || by_user_access(c)))
        mask |= pmcntenset_el0_F0;
    return by_user_access(c) ? mask & c->r->pmuacr_el1 : mask;
}

/* Bits of the instruction counter are as if it were not there, where an access of the counter's own register would trap to EL3
   or, by this bit of HDFGRTR2_EL2 or HDFGWTR2_EL2, to EL2. */
static bool instructions_hidden(const struct sysreg_ctx *c, uint64_t fine)
{
    if (arm_has(c->cfg, FEAT_EL3) && c->el < 3 && !(c->r->mdcr_el3 & mdcr_el3_EnPM2))
        return true;
    if (c->el > 1 || !sysreg_el2_enabled(c) || sysreg_host(c))
        return false;
    return !(c->r->scr_el3 & scr_el3_FGTEn2) || !fine;
}

/* Arm ARM GetPMUReadMask. */
static uint64_t read_mask(const struct sysreg_ctx *c)
{
    uint64_t mask = access_mask(c);
    return instructions_hidden(c, c->r->hdfgrtr2_el2 & hdfgrtr2_el2_nPMICFILTR_EL0) ? mask & ~pmcntenset_el0_F0 : mask;
}

/* Counters that EL0 may only read. */
static uint64_t read_only(const struct sysreg_ctx *c)
{
    uint64_t user = by_user_access(c) ? c->r->pmuserenr_el0 : 0;
    return (user & pmuserenr_el0_IR ? pmcntenset_el0_F0 : 0) | (user & pmuserenr_el0_CR ? pmcntenset_el0_C : 0) |
           (user & pmuserenr_el0_ER ? pmcntenset_el0_P : 0);
}

/* counter: the counters themselves are written, not their controls. Arm ARM GetPMUWriteMask. */
static uint64_t write_mask(const struct sysreg_ctx *c, bool counter)
{
    uint64_t mask = access_mask(c) & ~read_only(c), fine = counter ? hdfgwtr2_el2_nPMICNTR_EL0 : hdfgwtr2_el2_nPMICFILTR_EL0;
    return instructions_hidden(c, c->r->hdfgwtr2_el2 & fine) ? mask & ~pmcntenset_el0_F0 : mask;
}

/* A permitted access of EL0 to counter n (31: cycles, 32: instructions) or its type reads as zero, is ignored. */
static bool reads_zero(const struct sysreg_ctx *c, unsigned n) { return by_user_access(c) && !(c->r->pmuacr_el1 >> n & 1); }
static bool ignored(const struct sysreg_ctx *c, unsigned n) { return reads_zero(c, n) || read_only(c) >> n & 1; }

/* The event counter that an access means: in the name, or by PMSELR_EL0. */
static unsigned counter_of(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    bool selected = e->id == SR_pmxevcntr_el0 || e->id == SR_pmxevtyper_el0;
    return selected ? (unsigned)(c->r->pmselr_el0 & pmselr_el0_SEL) : e->n;
}

bool sysreg_beyond_hpmn(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    unsigned n = counter_of(c, e);
    return n >= accessible(c) && !(n == 31 && e->id == SR_pmxevtyper_el0);
}

/* PMXEVTYPER_EL0 and PMXEVCNTR_EL0 without a counter behind them are UNDEFINED: a CONSTRAINED UNPREDICTABLE choice (D24.5.29). */
bool sysreg_no_counter(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    unsigned n = counter_of(c, e);
    return n >= c->cfg->pmu_counters && !(n == 31 && e->id == SR_pmxevtyper_el0);
}

uint64_t arm_rd_pmcr_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return c->r->pmcr_el0 | (uint64_t)accessible(c) << pmcr_el0_N_LSB;
}

/* Arm ARM ZeroPMUCounters. */
static void zero(const struct sysreg_ctx *c, uint64_t counters)
{
    for (unsigned n = 0; n < 31; n++)
        if (counters >> n & 1)
            c->live->set_event(c->pe, n, 0);
    if (counters & pmcntenset_el0_C)
        c->live->set_cycles(c->pe, 0);
    if (counters & pmcntenset_el0_F0)
        c->live->set_instructions(c->pe, 0);
}

uint32_t arm_wr_pmcr_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t keep = e->wmask & ~(pmcr_el0_P | pmcr_el0_C);
    zero(c, (v & pmcr_el0_P ? bits_mask(0, accessible(c)) : 0) | (v & pmcr_el0_C ? pmcntenset_el0_C : 0));
    c->r->pmcr_el0 = (c->r->pmcr_el0 & ~keep) | (v & keep);
    return e->effects;
}

uint32_t arm_wr_pmzr_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    zero(c, v & e->wmask & write_mask(c, true));
    return e->effects;
}

uint64_t arm_rd_counters(const struct sysreg_ctx *c, const struct sysreg_entry *e) { return *sysreg_word(c, e) & read_mask(c); }

uint32_t arm_wr_set_counters(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t *word = sysreg_word(c, e), old = *word;
    *word |= v & e->wmask & write_mask(c, false);
    return *word == old ? 0 : e->effects;
}

static uint32_t clear_counters(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t *word, uint64_t v)
{
    uint64_t old = *word;
    *word &= ~(v & e->wmask & write_mask(c, false));
    return *word == old ? 0 : e->effects;
}

#define CLEAR(name)                                                                                                \
    uint64_t arm_rd_counters_of_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e)                   \
    {                                                                                                              \
        (void)e;                                                                                                   \
        return c->r->name & read_mask(c);                                                                          \
    }                                                                                                              \
    uint32_t arm_wr_clear_counters_of_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v) \
    {                                                                                                              \
        return clear_counters(c, e, &c->r->name, v);                                                               \
    }
CLEAR(pmcntenset_el0)
CLEAR(pmintenset_el1)
#undef CLEAR

/* What has overflowed is known to who counts; PMOVSSET_EL0 may lag behind. */
uint64_t arm_rd_overflows(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return c->live->overflows(c->pe) & read_mask(c);
}

static uint32_t change_overflows(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t set, uint64_t clear)
{
    uint64_t old = c->live->overflows(c->pe), new = ((old & ~clear) | set);
    if (new == old)
        return 0;
    c->live->set_overflows(c->pe, new);
    return e->effects;
}

uint32_t arm_wr_set_overflows(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return change_overflows(c, e, v & e->wmask & write_mask(c, false), 0);
}

uint32_t arm_wr_clear_overflows(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return change_overflows(c, e, 0, v & e->wmask & write_mask(c, false));
}

/* Arm ARM PMUSwIncrement. */
uint32_t arm_wr_pmswinc_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t mask = e->wmask & bits_mask(0, accessible(c));
    if (by_user_access(c) && !(c->r->pmuserenr_el0 & pmuserenr_el0_SW))
        mask &= c->r->pmuacr_el1;
    c->live->software_increment(c->pe, (uint32_t)(v & mask));
    return e->effects;
}

/* EL1 sees no bits of counters that are EL2's. */
static uint64_t user_access_mask(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return e->wmask & (bits_mask(0, accessible(c)) | pmuacr_el1_C | pmuacr_el1_F0);
}

uint64_t arm_rd_pmuacr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return c->r->pmuacr_el1 & user_access_mask(c, e);
}

uint32_t arm_wr_pmuacr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t mask = user_access_mask(c, e);
    c->r->pmuacr_el1 = (c->r->pmuacr_el1 & ~mask) | (v & mask);
    return 0;
}

/* ---- counters and their types ---------------------------------------------------------------------------------------------- */

uint64_t arm_rd_cycles(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return reads_zero(c, 31) ? 0 : c->live->cycles(c->pe);
}

uint32_t arm_wr_cycles(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    if (ignored(c, 31))
        return 0;
    c->live->set_cycles(c->pe, v);
    return e->effects;
}

uint64_t arm_rd_instructions(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return reads_zero(c, 32) ? 0 : c->live->instructions(c->pe);
}

uint32_t arm_wr_instructions(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    if (ignored(c, 32))
        return 0;
    c->live->set_instructions(c->pe, v);
    return e->effects;
}

uint64_t arm_rd_event(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return reads_zero(c, e->n) ? 0 : c->live->event(c->pe, e->n) & e->rmask;
}

uint32_t arm_wr_event(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    if (ignored(c, e->n))
        return 0;
    c->live->set_event(c->pe, e->n, v & e->wmask);
    return e->effects;
}

/* PMEVTYPER<n>_EL0, PMCCFILTR_EL0, PMICFILTR_EL0. */
static unsigned counter_typed(const struct sysreg_entry *e)
{
    return e->id == SR_pmccfiltr_el0 ? 31 : e->id == SR_pmicfiltr_el0 ? 32 : e->n;
}

uint64_t arm_rd_type(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return reads_zero(c, counter_typed(e)) ? 0 : *sysreg_word(c, e);
}

uint32_t arm_wr_type(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t *word = sysreg_word(c, e), old = *word;
    if (!ignored(c, counter_typed(e)))
        *word = sysreg_merge(c->map, e, old, v);
    return *word == old ? 0 : e->effects;
}

static unsigned selected_type(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    unsigned n = counter_of(c, e);
    return n == 31 ? SR_pmccfiltr_el0 : SR_pmevtyper_el0 + n;
}

uint64_t arm_rd_pmxevtyper(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return sysreg_read(c, selected_type(c, e));
}

uint32_t arm_wr_pmxevtyper(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return sysreg_write(c, selected_type(c, e), v);
}

uint64_t arm_rd_pmxevcntr(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return sysreg_read(c, SR_pmevcntr_el0 + counter_of(c, e));
}

uint32_t arm_wr_pmxevcntr(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return sysreg_write(c, SR_pmevcntr_el0 + counter_of(c, e), v);
}

/* ---- snapshots: FEAT_PMUv3_SS. Arm ARM D13.9 ------------------------------------------------------------------------------- */

/* The control that says whether counters may be captured: 0 not at all, 2 not successfully, 3 yes. 1, reserved in PMECR_EL1, is
   as 0: CONSTRAINED UNPREDICTABLE. Arm ARM PMUCaptureEventEnabled, PMUCaptureEventAllowed. */
static unsigned capture(const struct sysreg_ctx *c)
{
    unsigned el3 = arm_has(c->cfg, FEAT_EL3) ? (unsigned)bits_get(c->r->mdcr_el3, 31, 30) : 1,
             el2 = arm_has(c->cfg, FEAT_EL2) ? (unsigned)bits_get(c->r->mdcr_el2, 31, 30) : 1,
             el1 = (unsigned)bits_get(c->r->pmecr_el1, 4, 3);
    return el3 != 1 ? el3 : el2 != 1 ? el2 : el1;
}

/* A capture is complete at once. */
uint32_t arm_wr_pmsscr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    struct arm_regs *r = c->r;
    unsigned how = capture(c);
    if (!(v & e->wmask & pmsscr_el1_SS) || !(how & 2))
        return 0;
    if (how != 3 || r->oslsr_el1 & oslsr_el1_OSLK) {
        r->pmsscr_el1 |= pmsscr_el1_NC;
        return 0;
    }
    for (unsigned n = 0; n < c->cfg->pmu_counters; n++)
        r->pmevcntsvr_el1[n] = c->live->event(c->pe, n);
    r->pmccntsvr_el1 = c->live->cycles(c->pe);
    if (arm_has(c->cfg, FEAT_PMUv3_ICNTR))
        r->pmicntsvr_el1 = c->live->instructions(c->pe);
    r->pmsscr_el1 &= ~pmsscr_el1_NC;
    c->live->captured(c->pe);
    return e->effects;
}
