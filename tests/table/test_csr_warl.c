/*
 * Laws of writing, tried on every register of every configuration with random values: what a field may not hold is never read; a
 * second write of what was read changes nothing; read-only registers stay as they are; no sequence of writes makes a state that
 * the manual forbids.
 */
#include "csr_world.h"

/* Bits of register num that some field of its row covers. */
static uint64_t field_bits(const struct world *w, unsigned num)
{
    const struct csr_row *row = csr_row_by_num(num);
    uint64_t bits = 0;
    for (unsigned i = 0; i < row->nfields; i++) {
        unsigned msb, lsb;
        if (csr_field_bits(row, &row->fields[i], w->cfg.xlen, &msb, &lsb))
            bits |= UINT64_MAX >> (63 - (msb - lsb)) << lsb;
    }
    return bits;
}

static uint64_t any_value(uint64_t *rng)
{
    switch (rng_below(rng, 6)) {
    case 0: return UINT64_MAX;
    case 1: return 0;
    case 2: return UINT64_C(1) << rng_below(rng, 64);
    case 3: return rng_next(rng) & rng_next(rng) & rng_next(rng);
    default: return rng_next(rng);
    }
}

static unsigned any_register(const struct world *w, uint64_t *rng)
{
    for (;;) {
        unsigned num = (unsigned)rng_below(rng, 4096);
        if (csr_exists(w->map, num) && num != 0x015)
            return num;
    }
}

static bool bit(uint64_t v, unsigned n) { return v >> n & 1; }

/* What the manual says of the state as a whole. */
static void assert_legal(const struct world *w)
{
    const struct rv_csrs *r = &w->r;
    unsigned mpp = r->mstatus >> 11 & 3, mnpp = r->mnstatus >> 11 & 3, mode;
    assert_true(mpp == M || (mpp == S && on(w, EXT_S)) || (mpp == U && on(w, EXT_U)));
    if (on(w, EXT_Smrnmi))
        assert_true(mnpp == M || (mnpp == S && on(w, EXT_S)) || (mnpp == U && on(w, EXT_U)));
    assert_true(!bit(r->mstatus, 24) || (!bit(r->mstatus, 1) && bit(r->menvcfg, 59))); /* SDT: not SIE; needs DTE */
    assert_true(!bit(r->vsstatus, 24) || (!bit(r->vsstatus, 1) && bit(r->henvcfg, 59)));
    assert_true(!bit(r->mstatus, 42) || !bit(r->mstatus, 3));                   /* MDT: not MIE */
    assert_int_equal(r->henvcfg & ~r->menvcfg & (UINT64_C(0xe8) << 56 | 8), 0); /* STCE PBMTE ADUE DTE SSE */
    assert_true(!bit(r->senvcfg, 3) || bit(r->menvcfg, 3));
    assert_true((r->menvcfg >> 4 & 3) != 2 && (r->henvcfg >> 4 & 3) != 2 && (r->senvcfg >> 4 & 3) != 2); /* CBIE */
    assert_true((r->menvcfg >> 32 & 3) != 1 && (r->henvcfg >> 32 & 3) != 1 && (r->senvcfg >> 32 & 3) != 1 &&
                (r->mseccfg >> 32 & 3) != 1);
    assert_true((r->mtvec & 3) < 2 && (r->stvec & 3) < 2 && (r->vstvec & 3) < 2);
    assert_int_equal((r->mepc | r->sepc | r->vsepc | r->mnepc) & (on(w, EXT_Zca) ? 1 : 3), 0);
    assert_true((r->hstatus >> 12 & 63) <= w->cfg.geilen);
    assert_int_equal(r->hideleg & ~r->mideleg, 0);
    const uint64_t atp[] = {r->satp, r->vsatp, r->hgatp};
    for (unsigned i = 0; i < 3; i++) {
        mode = w->cfg.xlen == 32 ? (unsigned)(atp[i] >> 31) : (unsigned)(atp[i] >> 60);
        assert_true(w->cfg.sv_modes >> mode & 1);
    }
    assert_int_equal(r->hgatp & 3, 0);
    for (unsigned i = 0; i < 64; i++) {
        unsigned cfg = r->pmpcfg[i / 8] >> i % 8 * 8 & 0xff;
        assert_int_equal(cfg & 0x60, 0);
        assert_true(bit(r->mseccfg, 0) || (cfg & 3) != 2);
        assert_true(i < w->cfg.pmp_count || (!cfg && !r->pmpaddr[i]));
        assert_true(!w->cfg.pmp_grain || (cfg & 0x18) != 0x10);
    }
    assert_int_equal(r->mcountinhibit & 2, 0);
    if (on(w, EXT_H))
        assert_int_equal(r->mideleg & 0x444, 0x444);
}

static void a_write_of_what_was_read_changes_nothing(void **state)
{
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w;
        uint64_t rng = 11 + k;
        world_new(&w, world_configs[k]);
        for (unsigned i = 0; i < 40000; i++) {
            unsigned num = any_register(&w, &rng), mode = on(&w, EXT_H) && rng_below(&rng, 4) == 0 ? VS : M;
            if (i % 5000 == 2500)
                world_open(&w);
            put(&w, mode, num, any_value(&rng));
            w.c.v = mode == VS;
            uint64_t v = csr_read_modify(&w.c, num);
            w.c.v = 0;
            struct world before = w;
            put(&w, mode, num, v);
            assert_reg(&w, mode, num, get(&before, mode, num));
            if (!w.cfg.pmp_grain) /* with a grain, hidden bits of pmpaddr take what was shown (priv 3.7.1.1) */
                assert_memory_equal(&w.r, &before.r, sizeof w.r);
            assert_memory_equal(w.counter, before.counter, sizeof w.counter);
            assert_int_equal(w.fflags, before.fflags);
        }
        world_end(&w);
    }
}

static void reserved_bits_read_as_zero(void **state)
{
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w;
        uint64_t rng = 3;
        world_new(&w, world_configs[k]);
        w.lines = w.hgeip = w.fflags = w.time = UINT64_MAX;
        memset(w.counter, 0xff, sizeof w.counter);
        for (unsigned i = 0; i < 40000; i++) {
            unsigned num = any_register(&w, &rng);
            put(&w, M, num, any_value(&rng));
            uint64_t v = get(&w, M, num), bits = field_bits(&w, num);
            if (v & ~bits)
                fail_msg("%s reads %#llx beyond %#llx", about(&w, num), (unsigned long long)v, (unsigned long long)bits);
        }
        world_end(&w);
    }
}

static void writes_to_read_only_numbers_change_nothing(void **state)
{
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w, before;
        world_new(&w, world_configs[k]);
        world_open(&w);
        before = w;
        for (unsigned num = 0xc00; num < 4096; num++)
            assert_int_equal(put(&w, M, num, 0x5555555555555555), 0);
        put(&w, M, 0x301, 0); /* misa */
        for (unsigned num = 0; num < 4096; num++)
            if (!csr_exists(w.map, num))
                assert_int_equal(put(&w, M, num, UINT64_MAX), 0);
        assert_memory_equal(&w, &before, sizeof w);
        world_end(&w);
    }
}

static void no_sequence_of_writes_makes_an_illegal_state(void **state)
{
    static const unsigned modes[] = {M, M, S, U, VS, VU};
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w;
        uint64_t rng = 1000 + k, done = 0;
        world_new(&w, world_configs[k]);
        assert_legal(&w);
        for (unsigned i = 0; i < 60000; i++) {
            unsigned num = any_register(&w, &rng), mode = modes[rng_below(&rng, 6)];
            if ((mode > M && !on(&w, EXT_H)) || (mode == S && !on(&w, EXT_S)))
                continue;
            if (i % 1000 == 0) {
                csr_reset(w.map, &w.cfg, &w.r, 7);
                if (i % 2000)
                    world_open(&w);
            }
            if (check(&w, mode, num, true) != CSR_OK)
                continue;
            put(&w, mode, num, any_value(&rng));
            assert_legal(&w);
            done++;
        }
        assert_true(done > 10000);
        world_end(&w);
    }
}

static void sticky_bits_stick(void **state)
{
    struct world w;
    uint64_t rng = 1;
    (void)state;
    world_new(&w, "rv64,smrnmi=on");
    put(&w, M, 0x744, 8);
    put(&w, M, 0x747, 3);
    for (unsigned i = 0; i < 10000; i++) {
        put(&w, M, any_register(&w, &rng), any_value(&rng));
        assert_true(w.r.mnstatus & 8);
        assert_int_equal(w.r.mseccfg & 3, 3);
    }
    world_end(&w);
}

/* An effect is told exactly when something that it watches may have changed: a write of the same value has none but FP and COUNT.
 */
static void a_write_without_a_change_has_no_effect(void **state)
{
    (void)state;
    for (unsigned k = 0; world_configs[k]; k++) {
        struct world w;
        uint64_t rng = 77;
        world_new(&w, world_configs[k]);
        for (unsigned i = 0; i < 20000; i++) {
            unsigned num = any_register(&w, &rng);
            put(&w, M, num, any_value(&rng));
            uint32_t fx = put(&w, M, num, csr_read_modify(&w.c, num));
            if (fx & ~(uint32_t)(CSR_FX_FP | CSR_FX_COUNT) && !w.cfg.pmp_grain)
                fail_msg("%s: effects %#x", about(&w, num), fx);
        }
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_of_what_was_read_changes_nothing),
        cmocka_unit_test(reserved_bits_read_as_zero),
        cmocka_unit_test(writes_to_read_only_numbers_change_nothing),
        cmocka_unit_test(no_sequence_of_writes_makes_an_illegal_state),
        cmocka_unit_test(sticky_bits_stick),
        cmocka_unit_test(a_write_without_a_change_has_no_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
