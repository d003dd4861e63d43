#include "cpu/arm/timer.h"

#include "cpu/arm/regime.h"

#define SCR_ECVEN   (UINT64_C(1) << 28)
#define CNTHCTL_ECV (UINT64_C(1) << 12)
#define CTL_ENABLE  1u
#define CTL_IMASK   2u

uint64_t pe_count(const struct pe *p) { return p->s.cycle / p->tick_cycles + p->s.time_offset; }

/* The first cycle at which the physical counter is `count`, which is not before now; UINT64_MAX: never. */
static uint64_t cycle_of(const struct pe *p, uint64_t count)
{
    uint64_t now = pe_count(p), tick = p->s.cycle / p->tick_cycles, n, cycle;
    if (__builtin_add_overflow(tick, count - now, &n) || __builtin_mul_overflow(n, p->tick_cycles, &cycle))
        return UINT64_MAX;
    return cycle;
}

uint64_t timer_virtual_count(const struct pe *p)
{
    bool host = (p->el == 2 && (hcr_of(p) & hcr_el2_E2H)) || (p->el == 0 && el0_in_host(p));
    return pe_count(p) - (host ? 0 : p->s.regs.cntvoff_el2);
}

/* CNTPOFF_EL2 as far as it has effect. Arm ARM AArch64.CheckTimerConditions. */
static uint64_t physical_offset(const struct pe *p)
{
    const struct arm_regs *r = &p->s.regs;
    if (!arm_has(p->cfg, FEAT_ECV_POFF) || !el2_enabled(p) || !(r->cnthctl_el2 & CNTHCTL_ECV))
        return 0;
    return arm_has(p->cfg, FEAT_EL3) && !(r->scr_el3 & SCR_ECVEN) ? 0 : r->cntpoff_el2;
}

struct timer {
    bool exists;
    uint64_t control, compare, offset;
};

static struct timer timer_of(const struct pe *p, enum arm_timer t)
{
    const struct arm_config *c = p->cfg;
    const struct arm_regs *r = &p->s.regs;
    bool el2 = arm_has(c, FEAT_EL2), vhe = arm_has(c, FEAT_VHE), sel2 = arm_has(c, FEAT_SEL2);
    switch (t) {
    case TIMER_PHYS: /* D12.2.4.1: not while a host runs */
        return (struct timer){true, r->cntp_ctl_el0, r->cntp_cval_el0, el0_in_host(p) ? 0 : physical_offset(p)};
    case TIMER_VIRT: return (struct timer){true, r->cntv_ctl_el0, r->cntv_cval_el0, r->cntvoff_el2};
    case TIMER_HYP_PHYS: return (struct timer){el2, r->cnthp_ctl_el2, r->cnthp_cval_el2, 0};
    case TIMER_HYP_VIRT: return (struct timer){vhe, r->cnthv_ctl_el2, r->cnthv_cval_el2, 0};
    case TIMER_SECURE: return (struct timer){arm_has(c, FEAT_EL3), r->cntps_ctl_el1, r->cntps_cval_el1, 0};
    case TIMER_SEC_HYP_PHYS: return (struct timer){sel2, r->cnthps_ctl_el2, r->cnthps_cval_el2, 0};
    default: return (struct timer){sel2 && vhe, r->cnthvs_ctl_el2, r->cnthvs_cval_el2, 0};
    }
}

/* Whether the condition holds, and when that changes: the count, less its offset, reaches the compare value or wraps round to 0.
 */
static bool condition(const struct pe *p, const struct timer *t, uint64_t *change)
{
    uint64_t seen = pe_count(p) - t->offset, ahead = seen < t->compare ? t->compare - seen : -seen;
    *change = ahead ? cycle_of(p, pe_count(p) + ahead) : UINT64_MAX;
    return seen >= t->compare;
}

uint64_t timer_update(struct pe *p)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < TIMER_COUNT; i++) {
        struct timer t = timer_of(p, (enum arm_timer)i);
        bool level = false, was = p->s.timers >> i & 1;
        if (t.exists && (t.control & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE) {
            uint64_t change;
            level = condition(p, &t, &change);
            next = change < next ? change : next;
        }
        if (level == was)
            continue;
        p->s.timers ^= (uint8_t)(1u << i);
        if (p->env && p->env->timer)
            p->env->timer(p->env_ctx, p, (enum arm_timer)i, level);
    }
    return next;
}

/* ---- the event stream. Arm ARM D11.2.4 ----------------------------------------------------------------------------------------
 */

struct stream {
    bool on, falling;
    unsigned bit;
    uint64_t offset;
};

static struct stream stream_of(const struct pe *p, uint64_t control)
{
    struct stream s = {.on = control >> 2 & 1, .falling = control >> 3 & 1, .bit = control >> 4 & 15};
    if (arm_has(p->cfg, FEAT_ECV) && (control >> 17 & 1))
        s.bit += 8;
    return s;
}

/* Streams by CNTKCTL_EL1 and CNTHCTL_EL2. */
static void streams(const struct pe *p, struct stream s[2])
{
    s[0] = stream_of(p, p->s.regs.cntkctl_el1);
    s[0].on &= !el0_in_host(p);
    s[0].offset = p->s.regs.cntvoff_el2;
    s[1] = stream_of(p, p->s.regs.cnthctl_el2);
    s[1].on &= arm_has(p->cfg, FEAT_EL2);
    s[1].offset = el0_in_host(p) ? 0 : physical_offset(p); /* TestEventCNTP */
}

/* The number of events up to `count`, but for a constant. */
static uint64_t events_until(const struct stream *s, uint64_t count)
{
    uint64_t phase = s->falling ? 0 : UINT64_C(1) << s->bit;
    return (count - s->offset - phase) >> (s->bit + 1);
}

static uint64_t next_event(const struct stream *s, uint64_t count)
{
    uint64_t phase = s->falling ? 0 : UINT64_C(1) << s->bit;
    return ((events_until(s, count) + 1) << (s->bit + 1)) + phase + s->offset;
}

void timer_stream_sync(struct pe *p)
{
    struct stream s[2];
    uint64_t now = pe_count(p);
    streams(p, s);
    for (unsigned i = 0; i < 2; i++) {
        if (s[i].on && events_until(&s[i], now) != events_until(&s[i], p->s.stream_from))
            p->s.event = 1;
    }
    p->s.stream_from = now;
}

bool timer_event(struct pe *p)
{
    timer_stream_sync(p); /* also if it is set already: what came until now is used up together */
    return p->s.event;
}

uint64_t timer_wait(const struct pe *p)
{
    struct stream s[2];
    uint64_t now = pe_count(p), next = UINT64_MAX;
    if (!p->s.waiting)
        return next;
    if (p->s.wait_until != UINT64_MAX) {
        uint64_t seen = timer_virtual_count(p);
        next = seen < p->s.wait_until ? cycle_of(p, now + (p->s.wait_until - seen)) : p->s.cycle;
    }
    streams(p, s);
    for (unsigned i = 0; i < 2 && p->s.waiting == WAITING_WFE; i++) {
        uint64_t at = s[i].on ? cycle_of(p, next_event(&s[i], now)) : UINT64_MAX;
        next = at < next ? at : next;
    }
    return next;
}
