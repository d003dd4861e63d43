/* Which interrupt is taken, exhaustively over pairs of them; what mip shows; what ends wfi; when timers are due. */
#include "trap_hart.h"

static const uint8_t irqs[] = {1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13};
/* priv 3.1.9; hypervisor 9.2.3: MEI MSI MTI SEI SSI STI SGEI VSEI VSSI VSTI LCOFI. */
static const uint8_t by_priority[] = {11, 3, 7, 9, 1, 5, 12, 10, 2, 6, 13};
enum level { LEVEL_M, LEVEL_HS, LEVEL_VS };

static bool bit(uint64_t v, unsigned n) { return v >> n & 1; }

static enum level level_of(const struct rv_state *s, unsigned irq)
{
    if (!bit(s->csr.mideleg, irq))
        return LEVEL_M;
    return bit(s->csr.hideleg, irq) ? LEVEL_VS : LEVEL_HS;
}

/* priv 3.1.6.1 and hypervisor 9.2.2: a level is interrupted by itself if its xIE says so, and always by those above. */
static bool level_open(const struct rv_state *s, enum level l)
{
    bool below_m = s->priv != RV_M, below_hs = s->v || s->priv == RV_U, in_hs = !s->v && s->priv == RV_S;
    switch (l) {
    case LEVEL_M: return below_m || get(s, M_MIE);
    case LEVEL_HS: return below_m && (below_hs || (in_hs && get(s, M_SIE)));
    default: return below_m && s->v && (s->priv == RV_U || get(s, V_SIE));
    }
}

static int oracle(const struct bench *b, const struct rv_state *s, uint64_t mip)
{
    if (rv_has(&b->cfg, EXT_Smrnmi)) {
        if (!get(s, N_NMIE))
            return -1;
        if (s->nmi_pending)
            return 100;
    }
    for (int l = LEVEL_M; l <= LEVEL_VS; l++) {
        for (unsigned i = 0; i < ARRAY_LEN(by_priority); i++) {
            unsigned irq = by_priority[i];
            if (bit(mip & s->csr.mie, irq) && (int)level_of(s, irq) == l && level_open(s, (enum level)l))
                return (int)irq;
        }
    }
    return -1;
}

static void check(struct bench *b, uint64_t mip)
{
    struct hart *h = b->hart;
    int want = oracle(b, &h->s, mip);
    struct trap t;
    memset(&t, 0x5a, sizeof t);
    bool any = interrupt_pending(h, &t);
    if (want < 0) {
        assert_false(any);
        return;
    }
    if (!any || t.cause != (want == 100 ? 0 : (uint64_t)want))
        fail_msg("mode %u%u mip %llx mie %llx mideleg %llx hideleg %llx: want %d, got %d %llu", h->s.v, h->s.priv,
                 (unsigned long long)mip, (unsigned long long)h->s.csr.mie, (unsigned long long)h->s.csr.mideleg,
                 (unsigned long long)h->s.csr.hideleg, want, any, (unsigned long long)t.cause);
    assert_true(t.interrupt);
    assert_int_equal(t.nmi, want == 100);
    assert_int_equal(t.tval | t.tval2 | t.tinst, 0);
    assert_false(t.gva);
}

static void set_level(struct rv_state *s, unsigned irq, unsigned level)
{
    s->csr.mideleg |= (uint64_t)(level != LEVEL_M) << irq;
    s->csr.hideleg |= (uint64_t)(level == LEVEL_VS) << irq;
}

static void pairs_in_mode(struct bench *b, unsigned a, unsigned c)
{
    struct rv_state *s = &b->hart->s;
    for (unsigned levels = 0; levels < 9; levels++) {
        s->csr.mideleg = s->csr.hideleg = 0;
        set_level(s, a, levels % 3);
        set_level(s, c, a == c ? levels % 3 : levels / 3);
        for (unsigned enables = 0; enables < 8; enables++) {
            put(s, M_MIE, enables & 1);
            put(s, M_SIE, enables >> 1 & 1);
            put(s, V_SIE, enables >> 2);
            s->lines = UINT64_C(1) << a | UINT64_C(1) << c;
            s->csr.mie = 0xffff;
            check(b, s->lines);
            s->csr.mie = ~(UINT64_C(1) << a);
            check(b, s->lines);
        }
    }
}

static void every_pair_in_every_mode_under_every_delegation(void **state)
{
    (void)state;
    static const uint8_t modes[][2] = {{RV_M, 0}, {RV_S, 0}, {RV_U, 0}, {RV_S, 1}, {RV_U, 1}};
    struct bench *b = bench_new(64);
    b->hart->stip_due = b->hart->vstip_due = UINT64_MAX;
    for (unsigned m = 0; m < 5; m++) {
        hart_set_mode(b->hart, modes[m][0], modes[m][1]);
        for (unsigned i = 0; i < ARRAY_LEN(irqs); i++)
            for (unsigned j = i; j < ARRAY_LEN(irqs); j++)
                pairs_in_mode(b, irqs[i], irqs[j]);
    }
    bench_free(b);
}

static void any_set_of_interrupts_with_and_without_rnmi(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    uint64_t rng = 7;
    for (unsigned n = 0; n < 100000; n++) {
        random_config(b, &rng);
        random_state(b, &rng);
        h->s.csr.mideleg &= 0x3fff;
        h->s.csr.hideleg &= h->s.csr.mideleg;
        h->s.csr.mie &= rng_next(&rng) & 0x3eee;
        h->s.csr.mip = h->s.csr.hvip = h->s.csr.menvcfg = 0;
        h->s.lines = rng_next(&rng) & 0x3eee;
        h->s.nmi_pending = chance(&rng, 10);
        h->stip_due = h->vstip_due = UINT64_MAX;
        check(b, h->s.lines);
        bool wakes = (h->s.lines & h->s.csr.mie) || (h->s.nmi_pending && rv_has(&b->cfg, EXT_Smrnmi));
        assert_int_equal(interrupt_wakes(h), wakes);
    }
    bench_free(b);
}

/* hypervisor 9.2.3, 9.2.4; priv 3.1.9; Sstc. Each source of each bit. */
static void mip_gathers_every_source(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    struct rv_csrs *r = &h->s.csr;
    h->stip_due = h->vstip_due = UINT64_MAX;
    assert_int_equal(hart_mip(h), 0);
    r->mip = 1 << 1 | 1 << 5 | 1 << 9 | 1 << 13;
    assert_int_equal(hart_mip(h), 0x2222);
    r->menvcfg = UINT64_C(1) << 63; /* STCE: STIP is stimecmp's alone */
    assert_int_equal(hart_mip(h), 0x2202);
    h->s.cycle = 500;
    h->stip_due = 500;
    assert_int_equal(hart_mip(h), 0x2222);
    h->stip_due = 501;
    assert_int_equal(hart_mip(h), 0x2202);
    r->mip = 0;
    r->hvip = 1 << 2 | 1 << 6 | 1 << 10;
    assert_int_equal(hart_mip(h), 0x444);
    r->hvip = 0;
    h->vstip_due = 500;
    assert_int_equal(hart_mip(h), 0x40);
    h->vstip_due = UINT64_MAX;
    h->s.lines = 1 << 3 | 1 << 7 | 1 << 11 | 1 << 9;
    assert_int_equal(hart_mip(h), 0xa88);
    h->s.lines = 0;
    h->s.hgeip = 1 << 3 | 1; /* guest interrupt 0 does not exist */
    assert_int_equal(hart_mip(h), 0);
    r->hstatus = 3 << 12;
    assert_int_equal(hart_mip(h), 1 << 10);
    r->hgeie = 1 << 3;
    assert_int_equal(hart_mip(h), 1 << 10 | 1 << 12);
    r->hstatus = 2 << 12;
    assert_int_equal(hart_mip(h), 1 << 12);
    bench_free(b);
}

/* The comparators by brute force: tick by tick, time >= cmp decides (Sstc; time wraps at 64 bits). */
static void timers_are_pending_exactly_from_their_cycle_on(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    struct rv_csrs *r = &h->s.csr;
    uint64_t rng = 3;
    b->cfg.hpm_count = 0;
    for (unsigned n = 0; n < 2000; n++) {
        b->cfg.tick_cycles = 1 + rng_below(&rng, 7);
        h->s.cycle = rng_below(&rng, 1000);
        h->s.time_offset = chance(&rng, 50) ? rng_below(&rng, 100) : -rng_below(&rng, 300);
        r->htimedelta = chance(&rng, 50) ? rng_next(&rng) : -rng_below(&rng, 300);
        r->stimecmp = h->s.time_offset + rng_below(&rng, 300);
        r->vstimecmp = chance(&rng, 30) ? 0 : h->s.time_offset + r->htimedelta + rng_below(&rng, 300);
        r->menvcfg = chance(&rng, 90) ? UINT64_C(1) << 63 : 0;
        r->henvcfg = r->menvcfg && chance(&rng, 90) ? UINT64_C(1) << 63 : 0;
        hart_deadline(h);
        for (unsigned i = 0; i < 2000; i++, h->s.cycle++) {
            if (h->s.cycle >= h->deadline)
                hart_deadline(h);
            uint64_t time = h->s.cycle / b->cfg.tick_cycles + h->s.time_offset;
            bool st = r->menvcfg && time >= r->stimecmp, vst = r->henvcfg && time + r->htimedelta >= r->vstimecmp;
            assert_int_equal(hart_mip(h), (unsigned)st << 5 | (unsigned)vst << 6);
            assert_true(h->deadline > h->s.cycle);
        }
    }
    bench_free(b);
}

static void a_timer_beyond_the_clock_is_never_due(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    h->s.csr.menvcfg = UINT64_C(1) << 63;
    h->s.csr.stimecmp = UINT64_MAX;
    h->s.cycle = 12345;
    hart_deadline(h);
    assert_int_equal(h->deadline, UINT64_MAX);
    assert_int_equal(hart_mip(h), 0);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_in_every_mode_under_every_delegation),
        cmocka_unit_test(any_set_of_interrupts_with_and_without_rnmi),
        cmocka_unit_test(mip_gathers_every_source),
        cmocka_unit_test(timers_are_pending_exactly_from_their_cycle_on),
        cmocka_unit_test(a_timer_beyond_the_clock_is_never_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
