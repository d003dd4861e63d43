/* Generic timers (D12.2). */
#include "csr/arm/internal.h"

/* CNTPOFF_EL2 is what EL1 and EL0 of a guest lag behind (CNTPCT_EL0, CNTP_TVAL_EL0). */
static uint64_t physical_lag(const struct sysreg_ctx *c)
{
    bool on = c->r->cnthctl_el2 & cnthctl_el2_ECV && c->r->scr_el3 & scr_el3_ECVEn && sysreg_el2_enabled(c);
    return on ? c->r->cntpoff_el2 : 0;
}

static bool sees_lag(const struct sysreg_ctx *c) { return c->el == 1 || (c->el == 0 && !sysreg_host(c)); }

/* CNTVOFF_EL2 counts, whether EL2 is enabled or not, but for a host and its EL0 (CNTVCT_EL0). */
static uint64_t virtual_offset(const struct sysreg_ctx *c)
{
    bool host = c->el == 2 ? !!(c->r->hcr_el2 & hcr_el2_E2H) : c->el == 0 && sysreg_host(c);
    return host ? 0 : c->r->cntvoff_el2;
}

uint64_t arm_rd_cntpct(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return c->live->count(c->pe) - (sees_lag(c) ? physical_lag(c) : 0);
}

uint64_t arm_rd_cntvct(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return c->live->count(c->pe) - virtual_offset(c);
}

/* The words of a timer by the id of any of its three registers. */
struct timer {
    const uint64_t *ctl;
    uint64_t *cval;
    bool virtual, el1;
};

static struct timer timer_of(const struct sysreg_ctx *c, unsigned id)
{
    struct arm_regs *r = c->r;
#define TIMER(name, virtual, el1) \
    case SR_##name##_ctl_el0:     \
    case SR_##name##_cval_el0:    \
    case SR_##name##_tval_el0:    \
        return (struct timer) { &r->name##_ctl_el0, &r->name##_cval_el0, virtual, el1 }
#define TIMER_AT(name, el)      \
    case SR_##name##_ctl_##el:  \
    case SR_##name##_cval_##el: \
    case SR_##name##_tval_##el: \
        return (struct timer) { &r->name##_ctl_##el, &r->name##_cval_##el, false, false }
    switch (id) {
        TIMER(cntp, false, true);
        TIMER(cntv, true, true);
        TIMER_AT(cnthp, el2);
        TIMER_AT(cnthv, el2);
        TIMER_AT(cnthps, el2);
        TIMER_AT(cnthvs, el2);
        TIMER_AT(cntps, el1);
    }
#undef TIMER
#undef TIMER_AT
    return (struct timer){NULL, NULL, false, false};
}

struct sysreg_timer sysreg_timer(const struct sysreg_ctx *c, unsigned ctl)
{
    struct timer t = timer_of(c, ctl);
    return (struct sysreg_timer){.enabled = *t.ctl & cntp_ctl_el0_ENABLE,
                                 .masked = *t.ctl & cntp_ctl_el0_IMASK,
                                 .offset = t.virtual                  ? c->r->cntvoff_el2
                                           : t.el1 && !sysreg_host(c) ? physical_lag(c)
                                                                      : 0,
                                 .compare = *t.cval};
}

/* What TVAL counts from: the count as the accessing level sees it. */
static uint64_t tval_base(const struct sysreg_ctx *c, unsigned id)
{
    struct timer t = timer_of(c, id);
    uint64_t lag = t.virtual ? c->r->cntvoff_el2 : t.el1 && sees_lag(c) ? physical_lag(c) : 0;
    return c->live->count(c->pe) - lag;
}

uint64_t arm_rd_tval(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return (uint32_t)(*timer_of(c, e->id).cval - tval_base(c, e->id));
}

uint32_t arm_wr_tval(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t *cval = timer_of(c, e->id).cval, old = *cval;
    *cval = tval_base(c, e->id) + (uint64_t)bits_sext(v, 32);
    return *cval == old ? 0 : e->effects;
}

/* ISTATUS is the condition now; it is not stored. A timer that is off has none (UNKNOWN, 0 here). */
uint64_t arm_rd_ctl(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    struct sysreg_timer t = sysreg_timer(c, e->id);
    bool met = t.enabled && c->live->count(c->pe) - t.offset >= t.compare;
    return *timer_of(c, e->id).ctl | (met ? cntp_ctl_el0_ISTATUS : 0);
}
