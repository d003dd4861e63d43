/* Performance monitors (D13, D24.5). */
#include "csr/arm/internal.h"

/* Event counters that the level has: all, or those below MDCR_EL2.HPMN (D13.5). */
static unsigned accessible(const struct sysreg_ctx *c)
{
    unsigned all = (unsigned)c->cfg->pmu_counters, hpmn = (unsigned)(c->r->mdcr_el2 & mdcr_el2_HPMN);
    return c->el < 2 && sysreg_el2_enabled(c) && hpmn < all ? hpmn : all;
}

/* They, and the cycle counter, as bits of PMCNTENSET_EL0 and the like. */
static uint64_t counter_mask(const struct sysreg_ctx *c) { return bits_mask(0, accessible(c)) | pmcntenset_el0_C; }

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

uint32_t arm_wr_pmcr_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t keep = e->wmask & ~(pmcr_el0_P | pmcr_el0_C);
    for (unsigned n = 0; v & pmcr_el0_P && n < accessible(c); n++)
        c->live->set_event(c->pe, n, 0);
    if (v & pmcr_el0_C)
        c->live->set_cycles(c->pe, 0);
    c->r->pmcr_el0 = (c->r->pmcr_el0 & ~keep) | (v & keep);
    return e->effects;
}

uint64_t arm_rd_counters(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return *sysreg_word(c, e) & counter_mask(c);
}

uint32_t arm_wr_set_counters(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t *word = sysreg_word(c, e), old = *word;
    *word |= v & e->wmask & counter_mask(c);
    return *word == old ? 0 : e->effects;
}

static uint32_t clear_counters(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t *word, uint64_t v)
{
    uint64_t old = *word;
    *word &= ~(v & e->wmask & counter_mask(c));
    return *word == old ? 0 : e->effects;
}

#define CLEAR(name)                                                                                                \
    uint64_t arm_rd_counters_of_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e)                   \
    {                                                                                                              \
        (void)e;                                                                                                   \
        return c->r->name & counter_mask(c);                                                                       \
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
    return c->live->overflows(c->pe) & counter_mask(c);
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
    return change_overflows(c, e, v & e->wmask & counter_mask(c), 0);
}

uint32_t arm_wr_clear_overflows(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    return change_overflows(c, e, 0, v & e->wmask & counter_mask(c));
}

uint32_t arm_wr_pmswinc_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    c->live->software_increment(c->pe, (uint32_t)(v & e->wmask & bits_mask(0, accessible(c))));
    return e->effects;
}

uint64_t arm_rd_cycles(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return c->live->cycles(c->pe);
}

uint32_t arm_wr_cycles(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    c->live->set_cycles(c->pe, v);
    return e->effects;
}

uint64_t arm_rd_event(const struct sysreg_ctx *c, const struct sysreg_entry *e) { return c->live->event(c->pe, e->n) & e->rmask; }

uint32_t arm_wr_event(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    c->live->set_event(c->pe, e->n, v & e->wmask);
    return e->effects;
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
