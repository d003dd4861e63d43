/*
 * mcycle, minstret and mhpmcounter3..31: priv 3.1.10, 3.1.12; sscofpmf; smcntrpmf. Also the other live values behind CSRs.
 *
 * s.counter[n] is the value itself while counter n stands still or counts events. While it follows the cycles or the retired
 * instructions (R below, both of the hart's own), it is value - R, so that running costs nothing. h->count.running says which it
 * is; that follows from the registers and the mode, so it is a cache.
 */
#include "cpu/riscv/counters.h"
#include "cpu/fp/fp.h"
#include "cpu/riscv/irq.h"
#include "cpu/riscv/status.h"
#include "base/rng.h"

#define EVENT_FIELD   bits_mask(0, 56) /* bits 63:56 are Sscofpmf's */
#define EVENT_OF      (UINT64_C(1) << 63)
#define INHIBIT_SHIFT 58 /* VUINH; then VSINH, UINH, SINH, MINH */

/* The first five are numbered as in the SBI's PMU chapter, which OpenSBI's device-tree node for a "virt" board names. */
static const struct counter_event_row events[EV_COUNT] = {
    [EV_NONE] = {0, "none", "nothing"},
    [EV_CYCLES] = {0x01, "cycles", "cycles of the hart, as mcycle"},
    [EV_INSTRET] = {0x02, "instret", "instructions retired, as minstret"},
    [EV_DTLB_READ_MISS] = {0x10019, "dtlb-read-miss", "loads that missed the modelled data TLB"},
    [EV_DTLB_WRITE_MISS] = {0x1001b, "dtlb-write-miss", "stores and AMOs that missed the modelled data TLB"},
    [EV_ITLB_MISS] = {0x10021, "itlb-miss", "fetches that missed the modelled instruction TLB"},
    [EV_EXCEPTION] = {0x101, "exception", "exceptions taken, counted in the mode they came from"},
    [EV_INTERRUPT] = {0x102, "interrupt", "interrupts taken, RNMIs too, counted in the mode they came from"},
    [EV_RETURN] = {0x103, "return", "mret, sret and mnret done, counted in the mode they leave"},
    [EV_PAGE_WALK] = {0x104, "page-walk", "page-table walks of the modelled TLBs"},
};

const struct counter_event_row *counter_event_row(enum counter_event e) { return &events[e]; }

static uint8_t event_of(uint64_t mhpmevent)
{
    for (unsigned e = 1; e < EV_COUNT; e++) {
        if (events[e].select == (mhpmevent & EVENT_FIELD))
            return (uint8_t)e;
    }
    return EV_NONE;
}

/* R of a counter that follows it. */
static uint64_t source(const struct hart *h, unsigned n)
{
    return h->count.instret >> n & 1 ? h->s.cycle - h->s.idle : h->s.cycle;
}

static uint32_t linear(const struct hart *h) { return h->count.cycles | h->count.instret; }

/* The filter that goes with counter n: bit (v << 2 | priv) set if it does not count in that mode. */
static unsigned filtered(uint64_t cfg)
{
    unsigned inh = cfg >> INHIBIT_SHIFT & 0x1f;
    unsigned vu = inh & 1, vs = inh >> 1 & 1, u = inh >> 2 & 1, s = inh >> 3 & 1, m = inh >> 4 & 1;
    return u << RV_U | s << RV_S | m << RV_M | vu << (4 | RV_U) | vs << (4 | RV_S);
}

static void configure(struct hart *h)
{
    const struct rv_csrs *r = &h->s.csr;
    struct hart_counters *c = &h->count;
    *c = (struct hart_counters){.cycles = 1u << 0, .instret = 1u << 2, .event = {[0] = EV_CYCLES, [2] = EV_INSTRET}};
    unsigned last = 3 + h->cfg->hpm_count;
    for (unsigned n = 0; n < last && n < 32; n++) {
        uint64_t cfg = n == 0 ? r->mcyclecfg : n == 2 ? r->minstretcfg : r->mhpmevent[n];
        if (n >= 3) {
            c->event[n] = event_of(cfg);
            c->cycles |= (uint32_t)(c->event[n] == EV_CYCLES) << n;
            c->instret |= (uint32_t)(c->event[n] == EV_INSTRET) << n;
        }
        if (c->event[n] == EV_NONE || (r->mcountinhibit >> n & 1))
            continue;
        unsigned not_in = filtered(cfg);
        for (unsigned mode = 0; mode < 8; mode++)
            c->in_mode[mode] |= (uint32_t)(~not_in >> mode & 1) << n;
    }
    h->count_active = 0;
    static const uint8_t modes[] = {RV_S, RV_M, 4 | RV_U, 4 | RV_S};
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
        h->count_active |= c->in_mode[modes[i]] != c->in_mode[RV_U];
}

/* Recomputes what follows from running, at R + ahead. */
static void arm(struct hart *h, unsigned ahead)
{
    struct hart_counters *c = &h->count;
    c->events = c->armed = 0;
    for (uint32_t todo = c->running & ~7u; todo; todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo);
        if (!(linear(h) >> n & 1)) {
            c->events |= 1u << c->event[n];
        } else if (rv_has(h->cfg, EXT_Sscofpmf) && !(h->s.csr.mhpmevent[n] & EVENT_OF)) {
            /* The value is 0 again when R reaches -base. */
            c->armed |= (uint32_t)(-h->s.counter[n] > source(h, n) + ahead) << n;
        }
    }
}

static void overflow(struct hart *h, unsigned n)
{
    if (!rv_has(h->cfg, EXT_Sscofpmf) || (h->s.csr.mhpmevent[n] & EVENT_OF))
        return;
    h->s.csr.mhpmevent[n] |= EVENT_OF;
    h->s.csr.mip |= MIP(IRQ_LCOFI);
    h->cpu.resync = true; /* an interrupt may be due */
}

/* Tells the overflows that come with R + ahead or before. */
static void settle(struct hart *h, unsigned ahead)
{
    for (uint32_t todo = h->count.armed; todo; todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo);
        if (source(h, n) + ahead >= -h->s.counter[n]) {
            h->count.armed &= ~(1u << n);
            overflow(h, n);
        }
    }
}

/* Makes the counters of `running` run and no others, from R + ahead on. */
static void run(struct hart *h, uint32_t running, unsigned ahead)
{
    settle(h, ahead);
    for (uint32_t todo = (h->count.running ^ running) & linear(h); todo; todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo);
        uint64_t at = source(h, n) + ahead;
        h->s.counter[n] += running >> n & 1 ? -at : at;
    }
    h->count.running = running;
    arm(h, ahead);
}

static unsigned mode_index(const struct hart *h) { return (unsigned)h->s.v << 2 | h->s.priv; }

void counters_mode(struct hart *h, unsigned retired)
{
    uint32_t running = h->count.in_mode[mode_index(h)];
    if (running == h->count.running)
        return;
    run(h, running, retired);
    hart_deadline(h);
    if (h->deadline <= h->cpu.limit)
        h->cpu.resync = true; /* the run loop computes its limit anew */
}

void counters_sync(struct hart *h)
{
    run(h, 0, h->executing);
    configure(h);
    run(h, h->count.in_mode[mode_index(h)], h->executing);
}

void counters_refresh(struct hart *h)
{
    configure(h);
    counters_restart(h);
}

void counters_restart(struct hart *h)
{
    h->count.running = h->count.in_mode[mode_index(h)];
    arm(h, 0);
}

uint64_t counters_overflow(struct hart *h)
{
    uint64_t next = UINT64_MAX;
    settle(h, 0);
    for (uint32_t todo = h->count.armed; todo; todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo);
        /* Retired instructions are never more than cycles, so this is early enough for both. */
        uint64_t at = h->s.cycle + (-h->s.counter[n] - source(h, n));
        next = at < next && at > h->s.cycle ? at : next;
    }
    return next;
}

void counters_event_slow(struct hart *h, enum counter_event e)
{
    for (uint32_t todo = h->count.running & ~linear(h); todo; todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo);
        if (h->count.event[n] == e && ++h->s.counter[n] == 0)
            overflow(h, n);
    }
}

/* ---- live values of CSRs
 * --------------------------------------------------------------------------------------------------------- */

static uint64_t live_counter(void *hart, unsigned n)
{
    const struct hart *h = hart;
    return h->s.counter[n] + (h->count.running & linear(h) & 1u << n ? source(h, n) : 0);
}

static uint64_t live_cycle(void *hart) { return live_counter(hart, 0); }
static uint64_t live_instret(void *hart) { return live_counter(hart, 2); }

/* The next instruction reads what is written (unpriv Zicsr, "CSR access ordering"): the write stands for this instruction's own
 * count. */
static void live_set_counter(void *hart, unsigned n, uint64_t value)
{
    struct hart *h = hart;
    h->count.armed &= ~(1u << n); /* its own increment is not made */
    settle(h, h->executing);
    h->s.counter[n] = value;
    if (h->count.running & linear(h) & 1u << n)
        h->s.counter[n] -= source(h, n) + h->executing;
    arm(h, h->executing);
}

static uint64_t live_time(void *hart)
{
    const struct hart *h = hart;
    return h->s.cycle / h->cfg->tick_cycles + h->s.time_offset;
}

static uint64_t live_hgeip(void *hart)
{
    const struct hart *h = hart;
    return h->s.hgeip & ~UINT64_C(1);
}

/* The entropy source always has 16 bits: OPST is ES16 (unpriv Zkr, "seed"). */
static uint64_t live_seed(void *hart)
{
    struct hart *h = hart;
    return UINT64_C(2) << 30 | (rng_next(&h->s.seed) & 0xffff);
}

static uint64_t live_fflags(void *hart)
{
    const struct hart *h = hart;
    return h->s.fflags;
}

static void live_set_fflags(void *hart, uint64_t v)
{
    struct hart *h = hart;
    h->s.fflags = v & FP_ALL_FLAGS;
}

const struct csr_live hart_csr_live = {
    .cycle = live_cycle,
    .instret = live_instret,
    .hpm = live_counter,
    .set_counter = live_set_counter,
    .time = live_time,
    .mip = irq_live,
    .hgeip = live_hgeip,
    .fflags = live_fflags,
    .set_fflags = live_set_fflags,
    .seed = live_seed,
};
