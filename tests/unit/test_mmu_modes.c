/* Shadow stacks, pointer masking, MPRV and what walks remember, each rule by hand. */
#include "mmu_rig.h"

/* ---- shadow stacks -------------------------------------------------------------------------------------------------- */

static const struct access_mode ss_s = {.priv = RV_S, .shadow_stack = true},
                                ss_guest = {.priv = RV_S, .v = 1, .shadow_stack = true},
                                ss_m = {.priv = RV_M, .shadow_stack = true}, cbo_s = {.priv = RV_S, .cbo = true};

static void shadow_stack_pages_take_shadow_stack_accesses_and_plain_loads(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | W | A | D);
    PASSES(&k, VA, ACCESS_STORE, &ss_s);
    PASSES(&k, VA, ACCESS_LOAD, &ss_s);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.read && !k.x.write && !k.x.exec);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_ACCESS);
    FAULTS(&k, VA, ACCESS_FETCH, &host_s, EXC_INSN_ACCESS);
    FAULTS(&k, VA, ACCESS_LOAD, &cbo_s, EXC_STORE_ACCESS);
    k.r->menvcfg &= ~SSE; /* the encoding is reserved again */
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void shadow_stack_accesses_want_a_shadow_stack_page(void **state)
{
    (void)state;
    static const struct {
        uint8_t xwr;
        uint8_t cause;
    } rule[] = {{R, EXC_STORE_PAGE},       {R | W, EXC_STORE_ACCESS}, {R | W | X, EXC_STORE_ACCESS},
                {R | X, EXC_STORE_ACCESS}, {X, EXC_STORE_ACCESS},     {W | X, EXC_STORE_PAGE}};
    for (unsigned i = 0; i < ARRAY_LEN(rule); i++) {
        struct rig k = one_stage(64, V | A | D | rule[i].xwr);
        FAULTS(&k, VA, ACCESS_LOAD, &ss_s, rule[i].cause);
        FAULTS(&k, VA, ACCESS_STORE, &ss_s, rule[i].cause);
        done(&k);
    }
}

static void shadow_stack_accesses_without_translation_are_access_faults(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    FAULTS(&k, DATA, ACCESS_STORE, &ss_s, EXC_STORE_ACCESS);
    FAULTS(&k, DATA, ACCESS_LOAD, &ss_m, EXC_STORE_ACCESS);
    k.r->hgatp = atp(&k, 8, GROOT);
    FAULTS(&k, DATA, ACCESS_LOAD, &ss_guest, EXC_STORE_ACCESS);
    done(&k);
}

static void shadow_stacks_of_guests_need_a_writable_page_in_the_second_stage(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | W | A | D, V | R | W | U | A | D);
    PASSES(&k, VA, ACCESS_LOAD, &ss_guest);
    PASSES(&k, VA, ACCESS_STORE, &ss_guest);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | R | U | A | D));
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &ss_guest, EXC_STORE_GUEST_PAGE, GPA, 0);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | W | U | A | D)); /* stays reserved there */
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA, 0);
    k.r->henvcfg &= ~SSE;
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    done(&k);
}

static void shadow_stacks_need_idempotent_memory_that_pmp_permits_to_write(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | W | A | D | PBMT(2));
    FAULTS(&k, VA, ACCESS_LOAD, &ss_s, EXC_STORE_ACCESS);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(IO_BASE, V | W | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &ss_s, EXC_STORE_ACCESS);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(DATA, V | W | A | D));
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    PASSES(&k, VA, ACCESS_LOAD, &ss_s);
    world_pmp(k.w, 0, 0x19, DATA >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &ss_s, EXC_STORE_ACCESS);
    done(&k);
}

/* ---- pointer masking ------------------------------------------------------------------------------------------------ */

#define TAG (UINT64_C(0x5a) << 57)

static void masked_virtual_addresses_are_sign_extended_and_so_is_tval(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    uint64_t high = UINT64_C(0xffffffc012345000);
    k.r->satp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, high, 0, leaf_pte(DATA, V | R | X | A));
    FAULTS(&k, high ^ TAG, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    k.r->menvcfg |= PMM(2);
    PASSES(&k, high ^ TAG, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == DATA && mmu_address(k.w->hart, high ^ TAG, &host_s) == high);
    check_fault(&k, high ^ TAG, ACCESS_STORE, &host_s, EXC_STORE_PAGE, high, __LINE__);
    FAULTS(&k, high ^ TAG, ACCESS_FETCH, &host_s, EXC_INSN_PAGE); /* fetches are not masked */
    FAULTS(&k, high ^ UINT64_C(1) << 50, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    k.r->menvcfg |= PMM(3);
    PASSES(&k, high ^ UINT64_C(1) << 50, ACCESS_LOAD, &host_s);
    k.r->mstatus = MXR; /* with MXR nothing is masked */
    FAULTS(&k, high ^ TAG, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    done(&k);
}

static void masked_physical_addresses_are_zero_extended(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->menvcfg |= PMM(2);
    k.r->mseccfg = PMM(3);
    uint64_t tagged = DATA | UINT64_C(1) << 63 | UINT64_C(1) << 57;
    PASSES(&k, tagged, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == DATA);
    PASSES(&k, tagged | UINT64_C(1) << 48, ACCESS_LOAD, &machine);
    assert_true(k.x.pa == DATA);
    FAULTS(&k, tagged, ACCESS_FETCH, &machine, EXC_INSN_ACCESS);
    k.r->mstatus = MXR; /* MXR is nothing to M */
    PASSES(&k, tagged, ACCESS_LOAD, &machine);
    FAULTS(&k, tagged, ACCESS_LOAD, &host_s, EXC_LOAD_ACCESS);
    done(&k);
}

static void each_mode_is_masked_by_its_own_field(void **state)
{
    (void)state;
    const struct access_mode hlv_u = {.priv = RV_U, .v = 1, .hlv = true}, hlv_s = {.priv = RV_S, .v = 1, .hlv = true},
                             hlvx_u = {.priv = RV_U, .v = 1, .hlv = true, .hlvx = true};
    const uint64_t tagged = DATA | UINT64_C(1) << 63;
    struct rig k = rig_new(64);
    const struct {
        uint64_t *word;
        uint64_t bits;
        uint8_t now;
        const struct access_mode *masked[2];
    } rule[] = {
        {&k.r->mseccfg, PMM(2), RV_M, {&machine}},
        {&k.r->menvcfg, PMM(2), RV_S, {&host_s}},
        {&k.r->henvcfg, PMM(2), RV_S, {&guest_s, &hlv_s}},
        {&k.r->senvcfg, PMM(2), RV_U, {&host_u, &guest_u}},
        {&k.r->senvcfg, PMM(2), RV_S, {&hlv_u}}, /* from HS, as though in VU */
        {&k.r->hstatus, UINT64_C(2) << 48, RV_U, {&hlv_u}},
    };
    const struct access_mode *all[] = {&machine, &host_s, &host_u, &guest_s, &guest_u, &hlv_s, &hlv_u, &hlvx_u};
    for (unsigned i = 0; i < ARRAY_LEN(rule); i++) {
        k.r->mseccfg = k.r->menvcfg = k.r->henvcfg = k.r->senvcfg = k.r->hstatus = 0;
        *rule[i].word = rule[i].bits;
        k.w->hart->s.priv = rule[i].now;
        for (unsigned n = 0; n < ARRAY_LEN(all); n++) {
            bool listed = all[n] == rule[i].masked[0] || all[n] == rule[i].masked[1];
            bool masked = mmu_address(k.w->hart, tagged, all[n]) == DATA;
            if (listed)
                assert_true(masked);
            if (rule[i].word != &k.r->senvcfg)
                assert_true(masked == listed || (rule[i].word == &k.r->henvcfg && all[n]->v && all[n]->priv == RV_S));
        }
        assert_true(mmu_address(k.w->hart, tagged, &hlvx_u) == tagged);
    }
    done(&k);
}

static void a_guest_with_vsatp_bare_has_physical_addresses(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->henvcfg |= PMM(3);
    k.r->hgatp = atp(&k, 10, GROOT);
    uint64_t gpa = UINT64_C(1) << 47 | 0x3000;
    map_at(&k, 10, GROOT, true, gpa, 0, leaf_pte(DATA, V | R | U | A));
    PASSES(&k, gpa | UINT64_C(0x6789) << 48, ACCESS_LOAD, &guest_s); /* also of Sv57x4's own bits */
    assert_true(k.x.pa == DATA);
    done(&k);
}

static void rv32_has_no_masking(void **state)
{
    (void)state;
    struct rig k = rig_new(32);
    k.r->menvcfg |= PMM(3);
    assert_true(mmu_address(k.w->hart, 0xfffff000, &host_s) == 0xfffff000);
    done(&k);
}

/* ---- MPRV, caches --------------------------------------------------------------------------------------------------- */

static void mprv_lends_loads_and_stores_the_previous_mode(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    const uint64_t mprv = UINT64_C(1) << 17, mpv = UINT64_C(1) << 39;
    k.w->hart->s.priv = RV_M;
    static const struct {
        uint8_t mpp, mpv, priv, v;
    } rule[] = {{0, 0, 0, 0}, {1, 0, 1, 0}, {3, 0, 3, 0}, {3, 1, 3, 0}, {0, 1, 0, 1}, {1, 1, 1, 1}};
    for (unsigned i = 0; i < ARRAY_LEN(rule); i++) {
        k.r->mstatus = mprv | (uint64_t)rule[i].mpp << 11 | (rule[i].mpv ? mpv : 0);
        struct access_mode m = data_mode(k.w->hart);
        assert_true(m.priv == rule[i].priv && m.v == rule[i].v && !m.hlv && !m.hlvx && !m.shadow_stack && !m.cbo);
        k.r->mstatus &= ~mprv;
        m = data_mode(k.w->hart);
        assert_true(m.priv == RV_M && m.v == 0);
    }
    world_ext(k.w, EXT_Smrnmi, true);
    k.r->mstatus = mprv;
    assert_true(data_mode(k.w->hart).priv == RV_M); /* NMIE=0: as though MPRV were clear */
    k.r->mnstatus = 8;
    assert_true(data_mode(k.w->hart).priv == RV_U);
    done(&k);
}

static void an_edited_entry_is_seen_at_once(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | U | A);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    uint64_t g_leaf = k.pte_at;
    world_store(k.w, g_leaf, 8, leaf_pte(DATA + 0x1000, V | R | U | A));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == DATA + 0x1000);
    /* Move the guest's root table elsewhere by an edit of the G-stage entry that maps it. */
    map_at(&k, 8, GROOT, true, ROOT, 0, leaf_pte(ROOT, V | R | W | U | A | D));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    world_store(k.w, k.pte_at, 8, leaf_pte(RAM_BASE + 0x30000, V | R | W | U | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    done(&k);
}

static void table_pages_are_marked_only_for_what_may_be_cached(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | A);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    world_pmp(k.w, 0, 0x11, DATA >> 2);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.w->engine->pte_pages, 0);
    world_pmp(k.w, 0, 0, 0);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.w->engine->pte_pages, 3);
    done(&k);
}

static void what_is_remembered_of_the_second_stage_minds_pbmte(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | U | A);
    map_at(&k, 8, GROOT, true, ROOT, 0, leaf_pte(ROOT, V | R | W | U | A | D | PBMT(1)));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    k.r->menvcfg = 0;
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, ROOT + bits_get(VA, 38, 30) * 8, 0x3000);
    done(&k);
}

static void an_update_that_drops_the_marks_is_not_cached(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | A);
    k.r->menvcfg |= ADUE;
    k.w->engine->watch = seen;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    *mem_page_flags(k.w->mem, k.pte_at) |= MEM_WATCH; /* the store is told to the engine, which takes the mark off */
    uint64_t marks = k.w->engine->marks;
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    assert_true(k.w->engine->marks != marks && k.x.page_bits == 0);
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    assert_true(k.x.page_bits == 12 && (*mem_page_flags(k.w->mem, k.pte_at) & MEM_PTE));
    done(&k);
}

static void an_update_of_a_page_shared_with_a_fork_tells_who_reads_it(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | A);
    k.r->menvcfg |= ADUE;
    struct mem *fork = mem_fork(k.w->mem);
    engine_flush(k.w->engine);
    *mem_page_flags(k.w->mem, k.pte_at) |= MEM_SHARED;
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    assert_false(*mem_page_flags(k.w->mem, k.pte_at) & MEM_SHARED);
    uint64_t theirs;
    assert_true(mem_read(fork, k.pte_at, &theirs, 8));
    assert_true(!(theirs & D) && (world_peek(k.w, k.pte_at, 8) & D));
    mem_free(fork);
    done(&k);
}

static void an_entry_of_both_stages_at_once_is_updated_once(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->menvcfg |= ADUE;
    k.r->henvcfg |= ADUE;
    /* The G stage maps RAM at itself; its last-level entry for its own page is the guest's root, index 0, too. */
    k.r->hgatp = atp(&k, 8, GROOT);
    map_at(&k, 8, GROOT, true, RAM_BASE + 0x30000, 0, leaf_pte(0, V | R | W | U));
    uint64_t table = k.pte_at & ~UINT64_C(0xfff);
    for (unsigned i = 0; i < 20; i++)
        map_at(&k, 8, GROOT, true, RAM_BASE + i * 0x1000, 0, leaf_pte(RAM_BASE + i * 0x1000, V | R | W | U));
    uint64_t at = table + bits_get(table, 20, 12) * 8; /* maps the page it is in */
    k.r->vsatp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, VA, 1, table >> 2 | V);
    uint64_t va = (VA & ~UINT64_C(0x1fffff)) | bits_get(table, 20, 12) << 12;
    PASSES(&k, va + 8, ACCESS_STORE, &guest_u);
    assert_true(k.x.pa == table + 8 && k.x.write);
    assert_int_equal(world_peek(k.w, at, 8) & 0xff, V | R | W | U | A | D);
    done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shadow_stack_pages_take_shadow_stack_accesses_and_plain_loads),
        cmocka_unit_test(shadow_stack_accesses_want_a_shadow_stack_page),
        cmocka_unit_test(shadow_stack_accesses_without_translation_are_access_faults),
        cmocka_unit_test(shadow_stacks_of_guests_need_a_writable_page_in_the_second_stage),
        cmocka_unit_test(shadow_stacks_need_idempotent_memory_that_pmp_permits_to_write),
        cmocka_unit_test(masked_virtual_addresses_are_sign_extended_and_so_is_tval),
        cmocka_unit_test(masked_physical_addresses_are_zero_extended),
        cmocka_unit_test(each_mode_is_masked_by_its_own_field),
        cmocka_unit_test(a_guest_with_vsatp_bare_has_physical_addresses),
        cmocka_unit_test(rv32_has_no_masking),
        cmocka_unit_test(mprv_lends_loads_and_stores_the_previous_mode),
        cmocka_unit_test(an_edited_entry_is_seen_at_once),
        cmocka_unit_test(table_pages_are_marked_only_for_what_may_be_cached),
        cmocka_unit_test(what_is_remembered_of_the_second_stage_minds_pbmte),
        cmocka_unit_test(an_update_that_drops_the_marks_is_not_cached),
        cmocka_unit_test(an_update_of_a_page_shared_with_a_fork_tells_who_reads_it),
        cmocka_unit_test(an_entry_of_both_stages_at_once_is_updated_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
