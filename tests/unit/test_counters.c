/*
 * Counters against a model that adds one at a time: cycle by cycle, instruction by instruction, event by event, under inhibits
 * and filters that change, across traps and returns, up to the overflow. Also time and seed.
 */
#include "cpu/riscv/counters.h"
#include "trap_hart.h"

#define OF (UINT64_C(1) << 63)

struct model {
    struct bench *b;
    uint64_t value[32];
    bool of[32], lcofip;
    uint64_t rng;
    unsigned overflows, events;
};

static uint64_t config_of(const struct rv_csrs *r, unsigned n)
{
    return n == 0 ? r->mcyclecfg : n == 2 ? r->minstretcfg : r->mhpmevent[n];
}

/* smcntrpmf, sscofpmf: bits 62..58 are MINH SINH UINH VSINH VUINH. */
static bool counts_here(const struct rv_state *s, unsigned n)
{
    unsigned inh = s->priv == RV_M ? 62 : s->v ? (s->priv == RV_S ? 59 : 58) : (s->priv == RV_S ? 61 : 60);
    return !(s->csr.mcountinhibit >> n & 1) && !(config_of(&s->csr, n) >> inh & 1);
}

static uint64_t event_of(const struct rv_csrs *r, unsigned n) { return n == 0 ? 1 : n == 2 ? 2 : r->mhpmevent[n] << 8 >> 8; }

/* One happening of the event selected by `select`, in the mode the hart is in. */
static void tell(struct model *m, uint64_t select)
{
    struct rv_state *s = &m->b->hart->s;
    for (unsigned n = 0; n < 3 + m->b->cfg.hpm_count; n++) {
        if (n == 1 || event_of(&s->csr, n) != select || !counts_here(s, n))
            continue;
        m->value[n]++;
        m->events++;
    }
}

/* sscofpmf: what the increments since `before` make of OF and LCOFIP. Counter `but` was written in this step. */
static void wrap(struct model *m, const uint64_t before[32], unsigned but)
{
    for (unsigned n = 3; n < 32; n++) {
        if (n == but || before[n] <= m->value[n] || m->of[n])
            continue;
        m->overflows++;
        m->of[n] = m->lcofip = true;
    }
}

static uint64_t read_counter(struct hart *h, unsigned n)
{
    return n == 0 ? hart_csr_live.cycle(h) : n == 2 ? hart_csr_live.instret(h) : hart_csr_live.hpm(h, n);
}

/* What a run loop does at an instruction boundary. */
static void boundary(struct model *m)
{
    struct hart *h = m->b->hart;
    assert_true(h->deadline > 0);
    if (h->s.cycle >= h->deadline)
        hart_deadline(h);
}

static void compare(struct model *m, const char *after)
{
    struct hart *h = m->b->hart;
    for (unsigned n = 0; n < 3 + m->b->cfg.hpm_count; n++) {
        if (n >= 3)
            assert_int_equal(h->s.csr.mhpmevent[n] >> 63, m->of[n]);
        if (n != 1 && read_counter(h, n) != m->value[n])
            fail_msg("after %s: counter %u (event %llx) is %llx, want %llx; mode %u%u", after, n,
                     (unsigned long long)event_of(&h->s.csr, n), (unsigned long long)read_counter(h, n),
                     (unsigned long long)m->value[n], h->s.v, h->s.priv);
    }
    assert_int_equal(h->s.csr.mip >> 13 & 1, m->lcofip);
}

/* A step of the model and the same of the hart; ends at an instruction boundary. */
enum step {
    PLAIN,
    STALL,
    EXCEPTION,
    INTERRUPT,
    RETURN,
    WRITE_COUNTER,
    WRITE_INHIBIT,
    WRITE_EVENT,
    WRITE_FILTER,
    TLB_MISS,
    RESTORE,
    STEPS
};
static const char *const step_name[] = {"an instruction", "a stall",         "an exception",     "an interrupt",
                                        "a return",       "a counter write", "an inhibit write", "an event write",
                                        "a filter write", "a TLB miss",      "a restore"};

static void retire(struct model *m)
{
    tell(m, 1);
    tell(m, 2);
    m->b->hart->s.cycle++;
}

static uint64_t random_event(struct model *m)
{
    static const uint64_t selects[] = {0, 1, 2, 0x10019, 0x1001b, 0x10021, 0x101, 0x102, 0x103, 0x104, 0x77, 1, 2};
    uint64_t filter = chance(&m->rng, 40) ? (rng_next(&m->rng) & bits_mask(58, 5)) : 0;
    return selects[rng_below(&m->rng, ARRAY_LEN(selects))] | filter | (chance(&m->rng, 20) ? OF : 0);
}

/* Returns the hpm counter written, if any. */
static unsigned write_register(struct model *m, enum step step)
{
    struct hart *h = m->b->hart;
    struct rv_csrs *r = &h->s.csr;
    unsigned n = 3 + (unsigned)rng_below(&m->rng, m->b->cfg.hpm_count);
    h->executing = 1;
    /* The instruction is counted by what held before it. */
    tell(m, 1);
    tell(m, 2);
    if (step == WRITE_COUNTER) {
        static const uint8_t any[] = {0, 2};
        n = chance(&m->rng, 30) ? any[rng_below(&m->rng, 2)] : n;
        m->value[n] = chance(&m->rng, 60) ? -rng_below(&m->rng, 12) : rng_next(&m->rng) >> rng_below(&m->rng, 64);
        hart_csr_live.set_counter(h, n, m->value[n]);
    } else if (step == WRITE_INHIBIT) {
        r->mcountinhibit = (rng_next(&m->rng) & rng_next(&m->rng) & 0xffffffff) & ~UINT64_C(2);
    } else if (step == WRITE_EVENT) {
        r->mhpmevent[n] = random_event(m);
        m->of[n] = r->mhpmevent[n] >> 63;
    } else {
        *(chance(&m->rng, 50) ? &r->mcyclecfg : &r->minstretcfg) = chance(&m->rng, 50) ? 0 : rng_next(&m->rng) & bits_mask(58, 5);
    }
    counters_sync(h);
    hart_deadline(h);
    h->executing = 0;
    h->s.cycle++;
    return step == WRITE_COUNTER || step == WRITE_EVENT ? n : 0;
}

static unsigned step_hart(struct model *m, enum step step)
{
    struct hart *h = m->b->hart;
    switch (step) {
    case PLAIN: retire(m); break;
    case STALL:
        tell(m, 1);
        h->s.cycle++;
        h->s.idle++;
        break;
    case EXCEPTION:
        tell(m, 1);
        tell(m, 0x101);
        h->s.cycle++;
        h->s.idle++;
        take_trap(h, &(struct trap){.cause = EXC_LOAD_PAGE});
        break;
    case INTERRUPT:
        tell(m, 0x102);
        take_trap(h, &(struct trap){.cause = 5, .interrupt = true});
        break;
    case RETURN: {
        /* The return is counted where it comes from. */
        uint64_t kept[32];
        memcpy(kept, m->value, sizeof kept);
        tell(m, 1);
        tell(m, 2);
        tell(m, 0x103);
        h->s.csr.mstatus &= ~(UINT64_C(1) << 22);
        if (!(h->s.priv == RV_M ? do_mret(h) : do_sret(h)))
            memcpy(m->value, kept, sizeof kept);
        else
            h->s.cycle++;
        break;
    }
    case TLB_MISS: {
        static const struct {
            enum counter_event e;
            uint64_t select;
        } misses[] = {
            {EV_DTLB_READ_MISS, 0x10019}, {EV_DTLB_WRITE_MISS, 0x1001b}, {EV_ITLB_MISS, 0x10021}, {EV_PAGE_WALK, 0x104}};
        unsigned i = (unsigned)rng_below(&m->rng, 4);
        tell(m, misses[i].select);
        counters_event(h, misses[i].e);
        break;
    }
    case RESTORE: /* what is not state is made anew: nothing may change */
        memset(&h->count, 0xa5, sizeof h->count);
        counters_refresh(h);
        hart_deadline(h);
        break;
    default: return write_register(m, step);
    }
    return 0;
}

static void one_run(struct bench *b, uint64_t seed, struct model *total)
{
    struct model m = {.b = b, .rng = seed};
    struct hart *h = b->hart;
    memset(&h->s, 0, sizeof h->s);
    h->s.csr.medeleg = h->s.csr.mideleg = chance(&m.rng, 50) ? UINT64_MAX : 0;
    h->s.csr.hedeleg = h->s.csr.hideleg = chance(&m.rng, 50) ? UINT64_MAX : 0;
    h->s.cycle = rng_below(&m.rng, 1000);
    h->s.idle = rng_below(&m.rng, h->s.cycle + 1);
    h->s.counter[0] = m.value[0] - h->s.cycle;
    h->s.counter[2] = m.value[2] - (h->s.cycle - h->s.idle);
    h->s.priv = RV_M;
    counters_refresh(h);
    hart_deadline(h);
    for (unsigned i = 0; i < 300; i++) {
        static const uint8_t often[] = {PLAIN, PLAIN, PLAIN, STALL};
        enum step step = chance(&m.rng, 40) ? (enum step)often[rng_below(&m.rng, 4)] : (enum step)rng_below(&m.rng, STEPS);
        uint64_t before[32];
        if (step == RETURN) { /* to anywhere */
            put(&h->s, M_MPP, rng_below(&m.rng, 2));
            put(&h->s, M_MPV, rng_below(&m.rng, 2));
        }
        memcpy(before, m.value, sizeof before);
        unsigned written = step_hart(&m, step);
        boundary(&m);
        wrap(&m, before, written);
        if (step == WRITE_EVENT) { /* a wrap in the same instruction may or may not be told */
            m.of[written] = h->s.csr.mhpmevent[written] >> 63;
            m.lcofip = h->s.csr.mip >> 13 & 1;
        }
        compare(&m, step_name[step]);
        if (chance(&m.rng, 10))
            h->s.csr.mip = 0, m.lcofip = false;
    }
    total->overflows += m.overflows;
    total->events += m.events;
}

static void counters_follow_the_model(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct model total = {0};
    for (uint64_t seed = 1; seed <= 3000; seed++)
        b->cfg.hpm_count = seed % 4 ? 4 : 29, one_run(b, seed * 40503, &total);
    assert_in_range(total.events, 100000, UINT32_MAX);
    assert_in_range(total.overflows, 3000, UINT32_MAX);
    bench_free(b);
}

/* sscofpmf: OF and LCOFIP come with the increment that wraps, once, never from a write, and not while OF is set. */
static void an_overflow_is_told_once_and_at_its_instruction(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    for (uint64_t select = 1; select <= 2; select++) {
        memset(&h->s, 0, sizeof h->s);
        h->s.priv = RV_M;
        h->s.cycle = 1000;
        h->s.idle = 400;
        h->s.csr.mhpmevent[5] = select;
        counters_refresh(h);
        hart_csr_live.set_counter(h, 5, -UINT64_C(10));
        hart_deadline(h);
        assert_int_equal(h->deadline, 1010);
        h->s.cycle = 1009;
        hart_deadline(h);
        assert_int_equal(h->s.csr.mip, 0);
        h->s.cycle = 1010;
        hart_deadline(h);
        assert_int_equal(h->s.csr.mip, 1 << 13);
        assert_true(h->s.csr.mhpmevent[5] & OF);
        assert_int_equal(hart_csr_live.hpm(h, 5), 0);
        assert_int_equal(h->deadline, UINT64_MAX);
        /* Again with OF set: nothing. */
        h->s.csr.mip = 0;
        hart_csr_live.set_counter(h, 5, UINT64_MAX);
        hart_deadline(h);
        h->s.cycle += 10;
        hart_deadline(h);
        assert_int_equal(h->s.csr.mip, 0);
        /* A counter written with 0 has not overflowed. */
        h->s.csr.mhpmevent[5] = select;
        counters_sync(h);
        hart_csr_live.set_counter(h, 5, 0);
        hart_deadline(h);
        assert_int_equal(h->s.csr.mip, 0);
        assert_int_equal(h->deadline, UINT64_MAX);
    }
    bench_free(b);
}

static void a_stalled_hart_overflows_its_instret_counter_later(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    h->s.csr.mhpmevent[31] = 2;
    counters_refresh(h);
    hart_csr_live.set_counter(h, 31, -UINT64_C(4));
    hart_deadline(h);
    assert_int_equal(h->deadline, 4);
    h->s.cycle = 4;
    h->s.idle = 3;
    hart_deadline(h);
    assert_int_equal(h->deadline, 7);
    assert_int_equal(h->s.csr.mip, 0);
    bench_free(b);
}

static void without_sscofpmf_nothing_overflows(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    bench_ext(b, EXT_Sscofpmf, false);
    h->s.csr.mhpmevent[3] = 1;
    counters_refresh(h);
    hart_csr_live.set_counter(h, 3, UINT64_MAX);
    hart_deadline(h);
    assert_int_equal(h->deadline, UINT64_MAX);
    h->s.cycle = 100;
    hart_deadline(h);
    assert_int_equal(h->s.csr.mip | (h->s.csr.mhpmevent[3] & OF), 0);
    assert_int_equal(hart_csr_live.hpm(h, 3), 99);
    bench_free(b);
}

/* unpriv Zicsr: "a value written to instret will be the value read by the following instruction". */
static void the_next_instruction_reads_what_was_written(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    counters_refresh(h);
    for (unsigned n = 0; n <= 2; n += 2) {
        h->executing = 1;
        hart_csr_live.set_counter(h, n, 777);
        h->s.cycle++;
        assert_int_equal(read_counter(h, n), 777);
        h->executing = 0; /* from the debugger nothing is counted in between */
        hart_csr_live.set_counter(h, n, 888);
        assert_int_equal(read_counter(h, n), 888);
    }
    bench_free(b);
}

static void counters_that_are_not_there_stay_zero(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    b->cfg.hpm_count = 4;
    for (unsigned n = 3; n < 32; n++)
        h->s.csr.mhpmevent[n] = 1;
    counters_refresh(h);
    h->s.cycle = 50;
    for (unsigned n = 3; n < 32; n++)
        assert_int_equal(hart_csr_live.hpm(h, n), n < 7 ? 50 : 0);
    bench_free(b);
}

static void every_event_has_a_selector_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EV_COUNT; i++) {
        const struct counter_event_row *row = counter_event_row((enum counter_event)i);
        assert_non_null(row->name);
        assert_non_null(row->meaning);
        assert_int_equal(row->select >> 20, 0); /* mhpmevent keeps 20 bits of it */
        for (unsigned j = 0; j < i; j++)
            assert_true(counter_event_row((enum counter_event)j)->select != row->select);
    }
}

static void a_mode_that_brings_an_overflow_nearer_asks_for_a_new_limit(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    h->s.csr.mhpmevent[4] = 1 | UINT64_C(1) << 62; /* not in M */
    counters_refresh(h);
    assert_true(h->count_active);
    hart_csr_live.set_counter(h, 4, -UINT64_C(5));
    hart_deadline(h);
    assert_int_equal(h->deadline, UINT64_MAX);
    h->cpu.limit = 100;
    hart_set_mode(h, RV_S, 0);
    assert_int_equal(h->deadline, 5);
    assert_true(h->cpu.resync);
    h->cpu.resync = false;
    hart_set_mode(h, RV_M, 0);
    assert_int_equal(h->deadline, UINT64_MAX);
    assert_false(h->cpu.resync);
    h->s.csr.mhpmevent[4] = 1;
    counters_sync(h);
    assert_false(h->count_active); /* nothing depends on the mode: mode changes cost nothing */
    bench_free(b);
}

static void other_live_values_are_the_state(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    h->s.hgeip = 0x1f;
    assert_int_equal(hart_csr_live.hgeip(h), 0x1e);
    hart_csr_live.set_fflags(h, 0x35);
    assert_int_equal(hart_csr_live.fflags(h), 0x15);
    h->stip_due = h->vstip_due = UINT64_MAX;
    h->s.lines = 1 << 7;
    h->s.csr.mip = 1 << 1; /* stored bits are not signals */
    assert_int_equal(hart_csr_live.mip(h), 1 << 7);
    bench_free(b);
}

static void time_is_cycles_in_ticks_plus_the_offset(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    b->hart->s.cycle = 12399;
    b->hart->s.time_offset = 1000;
    assert_int_equal(hart_csr_live.time(b->hart), 1123);
    bench_free(b);
}

/* unpriv Zkr: OPST in bits 31:30, 16 bits of entropy, bits 29:16 zero or custom (here zero). */
static void seed_always_has_sixteen_bits(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    uint64_t ones = 0, zeros = 0, first[8];
    b->hart->s.seed = 42;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t v = hart_csr_live.seed(b->hart);
        assert_int_equal(v >> 16, 0x8000);
        ones |= v;
        zeros |= ~v;
        if (i < 8)
            first[i] = v;
    }
    assert_int_equal(ones & zeros & 0xffff, 0xffff);
    b->hart->s.seed = 42;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(hart_csr_live.seed(b->hart), first[i]);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_follow_the_model),
        cmocka_unit_test(an_overflow_is_told_once_and_at_its_instruction),
        cmocka_unit_test(a_stalled_hart_overflows_its_instret_counter_later),
        cmocka_unit_test(without_sscofpmf_nothing_overflows),
        cmocka_unit_test(the_next_instruction_reads_what_was_written),
        cmocka_unit_test(counters_that_are_not_there_stay_zero),
        cmocka_unit_test(every_event_has_a_selector_of_its_own),
        cmocka_unit_test(a_mode_that_brings_an_overflow_nearer_asks_for_a_new_limit),
        cmocka_unit_test(other_live_values_are_the_state),
        cmocka_unit_test(time_is_cycles_in_ticks_plus_the_offset),
        cmocka_unit_test(seed_always_has_sixteen_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
