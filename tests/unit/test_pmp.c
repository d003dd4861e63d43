/* Physical memory protection: address matching, priority, locking of M, Smepmp's table, grain. priv 3.7, smepmp. */
#include "mmu_random.h"

#define R     1u
#define W     2u
#define X     4u
#define TOR   (1u << 3)
#define NA4   (2u << 3)
#define NAPOT (3u << 3)
#define L     0x80u
#define MML   1u
#define MMWP  2u

static struct world *sixteen(void)
{
    struct world *w = world_new(64);
    w->cfg.pmp_count = 16;
    pmp_refresh(w->hart);
    return w;
}

static bool may(struct world *w, uint64_t pa, uint64_t n, enum access a, uint8_t priv)
{
    return pmp_check(w->hart, pa, n, a, priv, NULL);
}

static uint64_t napot(uint64_t base, uint64_t size) { return base >> 2 | ((size >> 3) - 1); }

static void without_entries_everything_is_permitted(void **state)
{
    (void)state;
    struct world *w = world_new(64);
    bool whole;
    for (enum access a = ACCESS_FETCH; a <= ACCESS_STORE; a++) {
        assert_true(pmp_check(w->hart, RAM_BASE, 8, a, RV_U, &whole) && whole);
        assert_true(pmp_check(w->hart, RAM_BASE, 8, a, RV_M, &whole) && whole);
    }
    world_free(w);
}

static void with_entries_all_off_only_m_may_access(void **state)
{
    (void)state;
    struct world *w = sixteen();
    assert_false(may(w, RAM_BASE, 4, ACCESS_LOAD, RV_S));
    assert_false(may(w, RAM_BASE, 4, ACCESS_FETCH, RV_U));
    assert_true(may(w, RAM_BASE, 4, ACCESS_LOAD, RV_M));
    world_free(w);
}

static void addresses_wider_than_the_hart_has_are_refused(void **state)
{
    (void)state;
    struct world *w = world_new(64);
    w->cfg.pa_bits = 40;
    assert_true(may(w, (UINT64_C(1) << 40) - 8, 8, ACCESS_LOAD, RV_M));
    assert_false(may(w, UINT64_C(1) << 40, 8, ACCESS_LOAD, RV_M));
    assert_false(may(w, UINT64_MAX - 7, 8, ACCESS_LOAD, RV_M));
    world_free(w);
}

static void na4_covers_four_bytes(void **state)
{
    (void)state;
    struct world *w = sixteen();
    world_pmp(w, 0, NA4 | R, 0x80000010 >> 2);
    assert_true(may(w, 0x80000010, 4, ACCESS_LOAD, RV_S));
    assert_true(may(w, 0x80000013, 1, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x8000000f, 1, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x80000014, 1, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x80000010, 4, ACCESS_STORE, RV_S));
    world_free(w);
}

static void napot_covers_its_power_of_two(void **state)
{
    (void)state;
    struct world *w = sixteen();
    for (unsigned bits = 3; bits <= 56; bits++) {
        uint64_t size = UINT64_C(1) << bits, base = bits < 40 ? UINT64_C(3) << 40 : 0;
        world_pmp(w, 0, NAPOT | R, napot(base, size));
        assert_true(may(w, base, 1, ACCESS_LOAD, RV_U));
        assert_true(may(w, base + size - 1, 1, ACCESS_LOAD, RV_U));
        assert_false(base && may(w, base - 1, 1, ACCESS_LOAD, RV_U));
        assert_false(may(w, base + size, 1, ACCESS_LOAD, RV_U));
    }
    world_pmp(w, 0, NAPOT | R, bits_mask(0, 54));
    assert_true(may(w, 0, 1, ACCESS_LOAD, RV_U));
    assert_true(may(w, bits_mask(0, 56), 1, ACCESS_LOAD, RV_U));
    world_free(w);
}

static void rv32_entries_reach_34_bits(void **state)
{
    (void)state;
    struct world *w = world_new(32);
    w->cfg.pmp_count = 16;
    world_pmp(w, 0, NAPOT | R, 0xffffffff);
    assert_true(may(w, UINT64_C(0x3ffffffff), 1, ACCESS_LOAD, RV_U));
    world_pmp(w, 0, NAPOT | R, napot(UINT64_C(0x200000000), 0x1000));
    assert_true(may(w, UINT64_C(0x200000fff), 1, ACCESS_LOAD, RV_U));
    assert_false(may(w, UINT64_C(0x200001000), 1, ACCESS_LOAD, RV_U));
    world_free(w);
}

static void tor_reaches_from_the_entry_before(void **state)
{
    (void)state;
    struct world *w = sixteen();
    world_pmp(w, 0, TOR | X, 0x1000 >> 2); /* entry 0: from 0 */
    world_pmp(w, 1, R, 0x80000000 >> 2);   /* off: its address still is the bottom of entry 2 */
    world_pmp(w, 2, TOR | R, 0x80000100 >> 2);
    assert_true(may(w, 0, 4, ACCESS_FETCH, RV_S));
    assert_true(may(w, 0xffc, 4, ACCESS_FETCH, RV_S));
    assert_false(may(w, 0x1000, 4, ACCESS_FETCH, RV_S));
    assert_true(may(w, 0x80000000, 8, ACCESS_LOAD, RV_S));
    assert_true(may(w, 0x800000f8, 8, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x80000100, 1, ACCESS_LOAD, RV_S));
    world_pmp(w, 1, R, 0x80000100 >> 2); /* bottom = top: matches nothing */
    assert_false(may(w, 0x80000000, 8, ACCESS_LOAD, RV_S));
    world_free(w);
}

static void the_lowest_entry_that_matches_a_byte_decides(void **state)
{
    (void)state;
    struct world *w = sixteen();
    world_pmp(w, 3, NAPOT | R, napot(0x80000100, 0x100));
    world_pmp(w, 5, NAPOT | R | W | X, napot(0x80000000, 0x1000));
    assert_false(may(w, 0x80000180, 8, ACCESS_STORE, RV_S));
    assert_true(may(w, 0x80000180, 8, ACCESS_LOAD, RV_S));
    assert_true(may(w, 0x80000200, 8, ACCESS_STORE, RV_S));
    world_free(w);
}

static void an_access_matched_only_in_part_fails_even_for_m(void **state)
{
    (void)state;
    struct world *w = sixteen();
    world_pmp(w, 0, NA4 | R | W | X, 0x8000000c >> 2);
    world_pmp(w, 1, NAPOT | R | W | X, bits_mask(0, 54));
    for (unsigned i = 0; i < 2; i++) {
        uint8_t priv = i ? RV_M : RV_S;
        assert_false(may(w, 0x80000008, 8, ACCESS_LOAD, priv));
        assert_false(may(w, 0x8000000a, 4, ACCESS_STORE, priv));
        assert_true(may(w, 0x80000008, 4, ACCESS_LOAD, priv));
        assert_true(may(w, 0x8000000c, 4, ACCESS_LOAD, priv));
    }
    world_free(w);
}

static void a_locked_entry_binds_m_too(void **state)
{
    (void)state;
    struct world *w = sixteen();
    world_pmp(w, 0, NAPOT | R, napot(0x80000000, 0x1000));
    assert_true(may(w, 0x80000000, 4, ACCESS_STORE, RV_M));
    world_pmp(w, 0, NAPOT | R | L, napot(0x80000000, 0x1000));
    assert_false(may(w, 0x80000000, 4, ACCESS_STORE, RV_M));
    assert_true(may(w, 0x80000000, 4, ACCESS_LOAD, RV_M));
    world_free(w);
}

static void smepmp_follows_its_truth_table(void **state)
{
    /* Rows LRWX 0000 to 1111; M mode, then S and U: r, w, x. smepmp "Smepmp Physical Memory Protection Rules". */
    static const char *const table[16][2] = {{"", ""},   {"", "x"},   {"rw", "r"}, {"rw", "rw"}, {"", "r"},  {"", "rx"},
                                             {"", "rw"}, {"", "rwx"}, {"", ""},    {"x", ""},    {"x", "x"}, {"rx", "x"},
                                             {"r", ""},  {"rx", ""},  {"rw", ""},  {"r", "r"}};
    (void)state;
    struct world *w = sixteen();
    w->hart->s.csr.mseccfg = MML;
    for (unsigned lrwx = 0; lrwx < 16; lrwx++) {
        uint8_t cfg = (uint8_t)(NAPOT | (lrwx & 8 ? L : 0) | (lrwx & 4 ? R : 0) | (lrwx & 2 ? W : 0) | (lrwx & 1 ? X : 0));
        world_pmp(w, 0, cfg, napot(0x80000000, 0x1000));
        for (unsigned su = 0; su < 2; su++) {
            uint8_t priv = su ? RV_S : RV_M;
            assert_int_equal(may(w, 0x80000000, 4, ACCESS_LOAD, priv), strchr(table[lrwx][su], 'r') != NULL);
            assert_int_equal(may(w, 0x80000000, 4, ACCESS_STORE, priv), strchr(table[lrwx][su], 'w') != NULL);
            assert_int_equal(may(w, 0x80000000, 4, ACCESS_FETCH, priv), strchr(table[lrwx][su], 'x') != NULL);
            assert_int_equal(may(w, 0x80000000, 4, ACCESS_LOAD, RV_U), strchr(table[lrwx][1], 'r') != NULL);
        }
    }
    world_free(w);
}

static void where_nothing_matches_mml_bars_m_from_fetching_and_mmwp_from_everything(void **state)
{
    (void)state;
    struct world *w = sixteen();
    w->hart->s.csr.mseccfg = MML;
    pmp_refresh(w->hart);
    assert_true(may(w, 0x80000000, 4, ACCESS_LOAD, RV_M));
    assert_true(may(w, 0x80000000, 4, ACCESS_STORE, RV_M));
    assert_false(may(w, 0x80000000, 4, ACCESS_FETCH, RV_M));
    w->hart->s.csr.mseccfg = MMWP;
    pmp_refresh(w->hart);
    for (enum access a = ACCESS_FETCH; a <= ACCESS_STORE; a++)
        assert_false(may(w, 0x80000000, 4, a, RV_M));
    world_free(w);
}

static void a_coarse_grain_hides_low_address_bits(void **state)
{
    (void)state;
    struct world *w = sixteen();
    w->cfg.pmp_grain = 10; /* 4 KiB */
    world_pmp(w, 0, 0, (0x80001000 + 0x7fc) >> 2);
    world_pmp(w, 1, TOR | R, (0x80003000 + 0x7fc) >> 2);
    assert_true(may(w, 0x80001000, 4, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x80000ffc, 4, ACCESS_LOAD, RV_S));
    assert_true(may(w, 0x80002ffc, 4, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x80003000, 4, ACCESS_LOAD, RV_S));
    world_pmp(w, 1, NAPOT | R, 0x80004000 >> 2); /* bits 8:0 read as ones; with bit 9 zero that is 4 KiB */
    assert_true(may(w, 0x80004000, 4, ACCESS_LOAD, RV_S));
    assert_true(may(w, 0x80004ffc, 4, ACCESS_LOAD, RV_S));
    assert_false(may(w, 0x80005000, 4, ACCESS_LOAD, RV_S));
    world_free(w);
}

static void a_border_inside_the_page_makes_it_not_whole(void **state)
{
    (void)state;
    struct world *w = sixteen();
    bool whole;
    world_pmp(w, 0, NA4 | R, 0x80001800 >> 2);
    world_pmp(w, 1, NAPOT | R | W | X, bits_mask(0, 54));
    assert_true(pmp_check(w->hart, 0x80001000, 8, ACCESS_STORE, RV_S, &whole));
    assert_false(whole);
    assert_true(pmp_check(w->hart, 0x80001808, 8, ACCESS_STORE, RV_S, &whole));
    assert_false(whole);
    assert_true(pmp_check(w->hart, 0x80002000, 8, ACCESS_STORE, RV_S, &whole));
    assert_true(whole);
    assert_true(pmp_check(w->hart, 0x80000ff8, 8, ACCESS_STORE, RV_S, &whole));
    assert_true(whole);
    world_free(w);
}

static void sixty_four_scattered_entries_make_the_most_spans(void **state)
{
    (void)state;
    struct world *w = world_new(64);
    w->cfg.pmp_count = 64;
    for (unsigned i = 0; i < 64; i++)
        world_pmp(w, i, NA4 | R, (0x80000000 + 16 * i + 4) >> 2);
    assert_int_equal(w->hart->pmp.count, PMP_SPANS);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(may(w, 0x80000000 + 4 * i, 4, ACCESS_LOAD, RV_S), i % 4 == 1);
    world_free(w);
}

static void random_entries_follow_the_manual_byte_by_byte(void **state)
{
    static const char kind[] = {'x', 'r', 'w'};
    (void)state;
    uint64_t rng = 77;
    unsigned permitted = 0, refused = 0;
    for (unsigned scenario = 0; scenario < 400; scenario++) {
        struct world *w = world_new(scenario % 2 ? 64 : 32);
        struct oracle o = {.w = w};
        random_pmp(w, &rng);
        for (unsigned n = 0; n < 250; n++) {
            uint64_t pa = random_page(&rng), off = rng_below(&rng, 4096);
            pa += off;
            if (often(&rng, 60) && w->cfg.pmp_count) /* near a border */
                pa = (w->hart->s.csr.pmpaddr[rng_below(&rng, w->cfg.pmp_count)] << 2) + off % 24 - 12;
            pa &= bits_mask(0, w->cfg.pa_bits);
            unsigned size = 1 + (unsigned)rng_below(&rng, 16);
            if (pa + size >= UINT64_C(1) << w->cfg.pa_bits)
                continue;
            uint8_t priv = (uint8_t[]){RV_U, RV_S, RV_M}[rng_below(&rng, 3)];
            enum access a = (enum access)rng_below(&rng, 3);
            bool got = may(w, pa, size, a, priv), want = ora_pmp(&o, pa, size, priv, kind[a]);
            assert_int_equal(got, want);
            permitted += want;
            refused += !want;
        }
        world_free(w);
    }
    assert_true(permitted > 10000 && refused > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_entries_everything_is_permitted),
        cmocka_unit_test(with_entries_all_off_only_m_may_access),
        cmocka_unit_test(addresses_wider_than_the_hart_has_are_refused),
        cmocka_unit_test(na4_covers_four_bytes),
        cmocka_unit_test(napot_covers_its_power_of_two),
        cmocka_unit_test(rv32_entries_reach_34_bits),
        cmocka_unit_test(tor_reaches_from_the_entry_before),
        cmocka_unit_test(the_lowest_entry_that_matches_a_byte_decides),
        cmocka_unit_test(an_access_matched_only_in_part_fails_even_for_m),
        cmocka_unit_test(a_locked_entry_binds_m_too),
        cmocka_unit_test(smepmp_follows_its_truth_table),
        cmocka_unit_test(where_nothing_matches_mml_bars_m_from_fetching_and_mmwp_from_everything),
        cmocka_unit_test(a_coarse_grain_hides_low_address_bits),
        cmocka_unit_test(a_border_inside_the_page_makes_it_not_whole),
        cmocka_unit_test(sixty_four_scattered_entries_make_the_most_spans),
        cmocka_unit_test(random_entries_follow_the_manual_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
