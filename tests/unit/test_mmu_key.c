/* Keys of translation contexts: equal keys must mean equal outcomes, and what does not matter must not be in them. */
#include "mmu_random.h"

static bool equal_keys(const uint64_t a[4], const uint64_t b[4]) { return !memcmp(a, b, 4 * sizeof *a); }

static void key_of(struct world *w, const struct access_mode *m, uint64_t key[4]) { mmu_key(w->hart, m, false, key); }

/* Changes some of what the outcome may depend on. */
static void disturb(struct world *w, uint64_t *rng)
{
    struct rv_csrs *r = &w->hart->s.csr, before = *r;
    uint64_t *word[] = {&r->mstatus, &r->vsstatus, &r->menvcfg, &r->henvcfg, &r->senvcfg,
                        &r->hstatus, &r->mseccfg,  &r->satp,    &r->vsatp,   &r->hgatp};
    uint64_t *old[] = {&before.mstatus, &before.vsstatus, &before.menvcfg, &before.henvcfg, &before.senvcfg,
                       &before.hstatus, &before.mseccfg,  &before.satp,    &before.vsatp,   &before.hgatp};
    unsigned kept = (unsigned)rng_below(rng, ARRAY_LEN(word)) + 1;
    random_csrs(w, rng);
    r->mseccfg = (r->mseccfg & ~UINT64_C(7)) | (before.mseccfg & 7);
    for (unsigned i = 0; i < kept; i++) {
        unsigned k = (unsigned)rng_below(rng, ARRAY_LEN(word));
        *word[k] = *old[k];
    }
    for (unsigned i = 0; i < 7 && often(rng, 70); i++) /* mostly keep the roots */
        *word[7 + i % 3] = *old[7 + i % 3];
    if (often(rng, 30))
        w->hart->s.priv ^= RV_S;
}

static bool same_outcome(const struct oracle *a, const struct oracle *b)
{
    if (a->ok != b->ok)
        return false;
    return a->ok ? a->pa == b->pa && a->pbmt == b->pbmt && a->updates == b->updates
                 : a->trap.cause == b->trap.cause && a->trap.tval == b->trap.tval && a->trap.tval2 == b->trap.tval2;
}

static void outcomes_under_equal_keys_are_equal(void **state)
{
    (void)state;
    uint64_t rng = 4;
    unsigned equal = 0, translated = 0;
    for (unsigned scenario = 0; scenario < 120; scenario++) {
        struct world *w = world_new(scenario % 3 ? 64 : 32);
        random_tables(w, &rng);
        random_pmp(w, &rng);
        for (unsigned n = 0; n < 1500; n++) {
            struct oracle before = {.w = w, .dry = true}, after = {.w = w, .dry = true};
            uint64_t key[2][4], va = random_va(w, &rng);
            enum access a;
            random_csrs(w, &rng);
            struct access_mode m = random_mode(w, &rng, &a);
            key_of(w, &m, key[0]);
            ora_translate(&before, va, 1, a, &m);
            disturb(w, &rng);
            key_of(w, &m, key[1]);
            if (!equal_keys(key[0], key[1]))
                continue;
            ora_translate(&after, va, 1, a, &m);
            assert_true(same_outcome(&before, &after));
            equal++;
            translated += after.ok;
        }
        world_free(w);
    }
    print_message("equal keys %u, of which translated %u\n", equal, translated);
    assert_true(equal > 10000 && translated > 1000);
}

static void m_mode_depends_on_nothing_but_its_own_masking(void **state)
{
    (void)state;
    uint64_t rng = 9, key[2][4];
    struct world *w = world_new(64);
    const struct access_mode m = {.priv = RV_M};
    key_of(w, &m, key[0]);
    for (unsigned i = 0; i < 100; i++) {
        random_csrs(w, &rng);
        w->hart->s.csr.mseccfg = 0;
        key_of(w, &m, key[1]);
        assert_true(equal_keys(key[0], key[1]));
    }
    w->hart->s.csr.mseccfg = UINT64_C(2) << 32;
    key_of(w, &m, key[1]);
    assert_false(equal_keys(key[0], key[1]));
    world_free(w);
}

static void guest_registers_do_not_change_the_hypervisors_key(void **state)
{
    (void)state;
    uint64_t rng = 10, key[2][4];
    struct world *w = world_new(64);
    random_csrs(w, &rng);
    struct rv_csrs host = w->hart->s.csr;
    const struct access_mode m = {.priv = RV_S};
    key_of(w, &m, key[0]);
    for (unsigned i = 0; i < 100; i++) {
        random_csrs(w, &rng);
        struct rv_csrs *r = &w->hart->s.csr;
        r->mstatus = host.mstatus;
        r->satp = host.satp;
        r->menvcfg = host.menvcfg;
        key_of(w, &m, key[1]);
        assert_true(equal_keys(key[0], key[1]));
    }
    world_free(w);
}

static void sum_matters_to_s_only(void **state)
{
    (void)state;
    uint64_t key[2][4];
    struct world *w = world_new(64);
    for (unsigned v = 0; v < 2; v++) {
        for (uint8_t priv = RV_U; priv <= RV_S; priv++) {
            const struct access_mode m = {.priv = priv, .v = (uint8_t)v};
            key_of(w, &m, key[0]);
            w->hart->s.csr.mstatus ^= v ? 0 : UINT64_C(1) << 18;
            w->hart->s.csr.vsstatus ^= v ? UINT64_C(1) << 18 : 0;
            key_of(w, &m, key[1]);
            assert_int_equal(equal_keys(key[0], key[1]), priv == RV_U);
        }
    }
    world_free(w);
}

static void both_mxr_bits_matter_to_guests(void **state)
{
    (void)state;
    uint64_t key[3][4];
    struct world *w = world_new(64);
    const struct access_mode m = {.priv = RV_U, .v = 1};
    w->hart->s.csr.vsstatus = UINT64_C(1) << 19;
    key_of(w, &m, key[0]);
    w->hart->s.csr.mstatus = UINT64_C(1) << 19;
    key_of(w, &m, key[1]);
    w->hart->s.csr.mstatus = w->hart->s.csr.vsstatus = 0;
    key_of(w, &m, key[2]);
    assert_false(equal_keys(key[0], key[1]) || equal_keys(key[1], key[2]) || equal_keys(key[0], key[2]));
    world_free(w);
}

static void fetch_and_plain_data_share_a_context(void **state)
{
    (void)state;
    uint64_t rng = 11, key[2][4];
    struct world *w = world_new(64);
    for (unsigned i = 0; i < 100; i++) {
        enum access a;
        struct access_mode m = random_mode(w, &rng, &a);
        random_csrs(w, &rng);
        mmu_key(w->hart, &m, false, key[0]);
        mmu_key(w->hart, &m, true, key[1]);
        assert_true(equal_keys(key[0], key[1]));
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_under_equal_keys_are_equal),
        cmocka_unit_test(m_mode_depends_on_nothing_but_its_own_masking),
        cmocka_unit_test(guest_registers_do_not_change_the_hypervisors_key),
        cmocka_unit_test(sum_matters_to_s_only),
        cmocka_unit_test(both_mxr_bits_matter_to_guests),
        cmocka_unit_test(fetch_and_plain_data_share_a_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
