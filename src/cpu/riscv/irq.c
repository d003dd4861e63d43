/* Interrupts: what is pending, which one is taken, when a timer is next due. priv 3.1.9; hypervisor 9.2.3; Sstc; Sscofpmf. */
#include "cpu/riscv/irq.h"
#include "cpu/riscv/counters.h"
#include "cpu/riscv/status.h"

/* The interrupt signals of the outside and of the timers, as bits of mip. */
static inline uint64_t signals(const struct hart *h)
{
    uint64_t cycle = h->s.cycle;
    return h->s.lines | (uint64_t)(cycle >= h->stip_due) << IRQ_STI | (uint64_t)(cycle >= h->vstip_due) << IRQ_VSTI;
}

static inline uint64_t mip_now(const struct hart *h) { return csr_pending(&h->s.csr, signals(h), h->s.hgeip & ~UINT64_C(1)); }

uint64_t hart_mip(struct hart *h) { return mip_now(h); }

bool interrupt_wakes(struct hart *h)
{
    return (mip_now(h) & h->s.csr.mie) != 0 || (h->s.nmi_pending && rv_has(h->cfg, EXT_Smrnmi));
}

/* The first of `set` in the order of priv 3.1.9 and hypervisor 9.2.3: MEI, MSI, MTI, SEI, SSI, STI, SGEI, VSEI, VSSI, VSTI,
   LCOFI; any others after them, from the lowest. */
static uint64_t first_of(uint64_t set)
{
    static const uint8_t order[] = {IRQ_MEI,  IRQ_MSI,  IRQ_MTI,  IRQ_SEI,  IRQ_SSI,  IRQ_STI,
                                    IRQ_SGEI, IRQ_VSEI, IRQ_VSSI, IRQ_VSTI, IRQ_LCOFI};
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        if (set & MIP(order[i]))
            return order[i];
    }
    return (uint64_t)__builtin_ctzll(set);
}

/* Something is pending and enabled one by one; is it in this mode? M before HS before VS (priv 3.1.9). */
static bool choose(const struct hart *h, uint64_t pending, struct trap *t)
{
    const struct rv_csrs *r = &h->s.csr;
    uint8_t priv = h->s.priv;
    if (unlikely(rv_has(h->cfg, EXT_Smrnmi))) {
        if (!(r->mnstatus & MNSTATUS_NMIE))
            return false; /* no interrupt whatever, below M too */
        if (h->s.nmi_pending) {
            *t = (struct trap){.interrupt = true, .nmi = true};
            return true;
        }
    }
    uint64_t take = priv != RV_M || (r->mstatus & MSTATUS_MIE) ? pending & ~r->mideleg : 0;
    if (!take && priv != RV_M) {
        uint64_t guest = r->mideleg & r->hideleg;
        if (h->s.v || priv == RV_U || (r->mstatus & MSTATUS_SIE))
            take = pending & r->mideleg & ~guest;
        if (!take && h->s.v && (priv == RV_U || (r->vsstatus & MSTATUS_SIE)))
            take = pending & guest;
    }
    if (!take)
        return false;
    *t = (struct trap){.cause = first_of(take), .interrupt = true};
    return true;
}

bool interrupt_pending(struct hart *h, struct trap *t)
{
    uint64_t pending = mip_now(h) & h->s.csr.mie;
    if (likely(!(pending | h->s.nmi_pending)))
        return false;
    return choose(h, pending, t);
}

/* The first cycle of tick n; UINT64_MAX if that is beyond the clock. */
static uint64_t cycle_of_tick(const struct hart *h, uint64_t tick, uint64_t more)
{
    uint64_t n, cycle;
    if (__builtin_add_overflow(tick, more, &n) || __builtin_mul_overflow(n, h->cfg->tick_cycles, &cycle))
        return UINT64_MAX;
    return cycle;
}

/* When a comparator that sees `time` now is pending: from cycle *due (0: already). Returns the cycle at which that changes: time
   reaches cmp, or wraps round to 0. */
static uint64_t comparator(const struct hart *h, uint64_t tick, uint64_t time, uint64_t cmp, uint64_t *due)
{
    if (time < cmp)
        return *due = cycle_of_tick(h, tick, cmp - time);
    *due = 0;
    return time ? cycle_of_tick(h, tick, -time) : UINT64_MAX;
}

void hart_deadline(struct hart *h)
{
    const struct rv_csrs *r = &h->s.csr;
    uint64_t next = counters_overflow(h);
    h->stip_due = h->vstip_due = UINT64_MAX;
    if (r->menvcfg & ENVCFG_STCE) {
        uint64_t tick = h->s.cycle / h->cfg->tick_cycles;
        uint64_t time = tick + h->s.time_offset;
        uint64_t change = comparator(h, tick, time, r->stimecmp, &h->stip_due);
        next = change < next ? change : next;
        if (r->henvcfg & ENVCFG_STCE) {
            change = comparator(h, tick, time + r->htimedelta, r->vstimecmp, &h->vstip_due);
            next = change < next ? change : next;
        }
    }
    h->deadline = next;
}

uint64_t irq_live(void *hart) { return signals(hart); }
