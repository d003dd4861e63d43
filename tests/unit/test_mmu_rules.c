/* The rules of one stage of address translation, each by hand: the exact exception or answer the manual asks for. */
#include "mmu_rig.h"

/* ---- Bare and M ----------------------------------------------------------------------------------------------------- */

static void bare_addresses_are_physical_up_to_the_width_of_the_hart(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.w->cfg.pa_bits = 40;
    pmp_refresh(k.w->hart);
    PASSES(&k, 0x12345678, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == 0x12345678 && k.x.page_bits == 12 && k.x.read && k.x.write && k.x.exec);
    done(&k);
}

static void bare_addresses_beyond_the_hart_are_access_faults(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.w->cfg.pa_bits = 40;
    pmp_refresh(k.w->hart);
    const struct access_mode *mode[] = {&host_s, &guest_u, &machine};
    for (unsigned i = 0; i < 3; i++) {
        FAULTS(&k, UINT64_C(1) << 40, ACCESS_FETCH, mode[i], EXC_INSN_ACCESS);
        FAULTS(&k, UINT64_C(1) << 40, ACCESS_LOAD, mode[i], EXC_LOAD_ACCESS);
        FAULTS(&k, UINT64_C(1) << 63, ACCESS_STORE, mode[i], EXC_STORE_ACCESS);
    }
    done(&k);
}

static void m_mode_ignores_satp(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | A);
    PASSES(&k, DATA, ACCESS_STORE, &machine);
    assert_true(k.x.pa == DATA);
    done(&k);
}

/* ---- permissions of one stage --------------------------------------------------------------------------------------- */

static void permissions_follow_r_w_x(void **state)
{
    (void)state;
    static const uint8_t legal[] = {R, R | W, X, R | X, R | W | X};
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        for (unsigned i = 0; i < sizeof legal; i++) {
            struct rig k = one_stage(xlen, V | A | D | legal[i]);
            assert_int_equal(go(&k, VA + 8, ACCESS_FETCH, &host_s), !!(legal[i] & X));
            assert_int_equal(go(&k, VA + 8, ACCESS_LOAD, &host_s), !!(legal[i] & R));
            assert_int_equal(go(&k, VA + 8, ACCESS_STORE, &host_s), !!(legal[i] & W));
            assert_true(go(&k, VA + 8, legal[i] & R ? ACCESS_LOAD : ACCESS_FETCH, &host_s));
            assert_true(k.x.pa == DATA + 8 && k.x.read == !!(legal[i] & R) && k.x.write == !!(legal[i] & W) &&
                        k.x.exec == !!(legal[i] & X));
            done(&k);
        }
    }
}

static void invalid_and_reserved_entries_are_page_faults(void **state)
{
    (void)state;
    const uint64_t bad[] = {0,
                            R | W | X | A | D,
                            V,
                            V | W | A | D | X,
                            V | R | A | UINT64_C(1) << 54,
                            V | R | A | UINT64_C(1) << 60,
                            V | R | W | X | A | D | PBMT(3)};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct rig k = one_stage(64, bad[i]);
        ALL_PAGE_FAULT(&k, &host_s);
        done(&k);
    }
}

static void pointers_may_not_have_a_d_u_or_high_bits(void **state)
{
    (void)state;
    const uint64_t bad[] = {A, D, U, N, PBMT(1), UINT64_C(1) << 55};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct rig k = one_stage(64, V | R | W | X | A | D);
        PASSES(&k, VA, ACCESS_LOAD, &host_s);
        uint64_t at = ROOT + bits_get(VA, 38, 30) * 8;
        world_poke(k.w, at, 8, world_peek(k.w, at, 8) | bad[i]);
        engine_flush(k.w->engine);
        ALL_PAGE_FAULT(&k, &host_s);
        done(&k);
    }
}

static void u_pages_belong_to_u_and_with_sum_to_data_of_s(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | X | U | A | D);
    PASSES(&k, VA, ACCESS_FETCH, &host_u);
    ALL_PAGE_FAULT(&k, &host_s);
    k.r->mstatus = SUM;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.read && k.x.write && !k.x.exec);
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    FAULTS(&k, VA, ACCESS_FETCH, &host_s, EXC_INSN_PAGE);
    done(&k);
    k = one_stage(64, V | R | W | X | A | D);
    ALL_PAGE_FAULT(&k, &host_u);
    done(&k);
}

static void mxr_makes_executable_pages_readable(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | X | A);
    FAULTS(&k, VA, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    k.r->mstatus = MXR;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_PAGE);
    done(&k);
}

static void a_store_needs_d_and_everything_needs_a(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | X | A);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_false(k.x.write);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_PAGE);
    done(&k);
    k = one_stage(64, V | R | W | X | D);
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void svadu_sets_a_and_d_when_an_access_needs_them(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = one_stage(xlen, V | R | W | X);
        unsigned size = xlen / 8;
        k.r->menvcfg |= ADUE;
        PASSES(&k, VA, ACCESS_LOAD, &host_s);
        assert_true(k.x.read && !k.x.write);
        assert_int_equal(world_peek(k.w, k.pte_at, size) & 0xff, V | R | W | X | A);
        PASSES(&k, VA, ACCESS_STORE, &host_s);
        assert_true(k.x.write);
        assert_int_equal(world_peek(k.w, k.pte_at, size) & 0xff, V | R | W | X | A | D);
        done(&k);
    }
}

static void svadu_leaves_an_entry_alone_that_does_not_permit_the_access(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R);
    k.r->menvcfg |= ADUE;
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_PAGE);
    FAULTS(&k, VA, ACCESS_LOAD, &host_u, EXC_LOAD_PAGE);
    assert_int_equal(world_peek(k.w, k.pte_at, 8) & 0xff, V | R);
    done(&k);
}

static void svadu_updates_are_stores_that_watchers_see(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R);
    k.r->menvcfg |= ADUE;
    k.w->engine->watch = seen;
    *mem_page_flags(k.w->mem, k.pte_at) |= MEM_WATCH;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.w->engine->pages_max, (unsigned)k.pte_at);
    done(&k);
}

/* ---- formats -------------------------------------------------------------------------------------------------------- */

static void every_level_can_hold_an_aligned_leaf(void **state)
{
    (void)state;
    for (unsigned mode = 8; mode <= 10; mode++) {
        for (unsigned level = 0; level < mode - 5; level++) {
            struct rig k = rig_new(64);
            uint64_t below = bits_mask(0, 12 + 9 * level), va = UINT64_C(0x23456789) & bits_mask(0, 9 * (mode - 5) + 11);
            uint64_t pa = level < 3 ? UINT64_C(0x5c0000000) & ~below : 0;
            k.r->satp = atp(&k, mode, ROOT);
            map_at(&k, mode, ROOT, false, va, level, leaf_pte(pa, V | R | A));
            PASSES(&k, va & ~UINT64_C(3), ACCESS_LOAD, &host_s);
            assert_true(k.x.pa == (pa | (va & below & ~UINT64_C(3))));
            if (level) {
                world_poke(k.w, k.pte_at, 8, leaf_pte(pa | 0x1000, V | R | A));
                engine_flush(k.w->engine);
                FAULTS(&k, va, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
            }
            done(&k);
        }
    }
}

static void addresses_must_be_sign_extended(void **state)
{
    (void)state;
    for (unsigned mode = 8; mode <= 10; mode++) {
        struct rig k = rig_new(64);
        unsigned bits = 12 + 9 * (mode - 5);
        uint64_t va = UINT64_MAX << (bits - 1);
        k.r->satp = atp(&k, mode, ROOT);
        map_at(&k, mode, ROOT, false, va, 0, leaf_pte(DATA, V | R | A));
        PASSES(&k, va, ACCESS_LOAD, &host_s);
        for (unsigned b = bits; b < 64; b++)
            FAULTS(&k, va ^ UINT64_C(1) << b, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
        done(&k);
    }
}

static void sv32_reaches_34_bit_memory_and_ignores_high_address_bits(void **state)
{
    (void)state;
    struct rig k = rig_new(32);
    k.r->satp = atp(&k, 1, HIGH_BASE);
    map_at(&k, 1, HIGH_BASE, false, 0xfffff000, 0, leaf_pte(HIGH_BASE + 0x3000, V | R | A));
    PASSES(&k, UINT64_C(0xfffffffffffff004), ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == HIGH_BASE + 0x3004);
    map_at(&k, 1, HIGH_BASE, false, 0xc0000000, 1, leaf_pte(UINT64_C(0x3ffc00000), V | R | A)); /* a 4 MiB page */
    PASSES(&k, 0xc0012344, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == UINT64_C(0x3ffc12344));
    done(&k);
}

static void napot_ranges_take_their_low_bits_from_the_address(void **state)
{
    (void)state;
    struct rig k = one_stage(64, 0);
    uint64_t range = RAM_BASE + 0x30000;
    world_poke(k.w, k.pte_at, 8, leaf_pte(range + 0x8000, V | R | A | N));
    engine_flush(k.w->engine);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == (range | (VA & 0xffff)));
    for (unsigned low = 0; low < 16; low++) {
        world_poke(k.w, k.pte_at, 8, leaf_pte(range + low * 0x1000, V | R | A | N));
        engine_flush(k.w->engine);
        assert_int_equal(go(&k, VA, ACCESS_LOAD, &host_s), low == 8);
    }
    world_ext(k.w, EXT_Svnapot, false);
    world_poke(k.w, k.pte_at, 8, leaf_pte(range + 0x8000, V | R | A | N));
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void napot_above_the_last_level_is_reserved(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->satp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, VA, 1, leaf_pte(RAM_BASE, V | R | A | N));
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void memory_types_need_pbmte(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | A | PBMT(2));
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.x.pbmt, 2);
    k.r->menvcfg = 0;
    FAULTS(&k, VA, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    done(&k);
}

/* ---- what lies behind: PMP, holes, ROM ------------------------------------------------------------------------------ */

static void tables_outside_ram_are_access_faults_of_the_original_kind(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    uint64_t root[] = {IO_BASE, 0x700000000, UINT64_C(0xfffffffffff000) & bits_mask(12, 44)};
    for (unsigned i = 0; i < 3; i++) {
        k.r->satp = k.r->vsatp = atp(&k, 9, root[i]);
        all_three_fault(&k, &host_s, EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS);
        all_three_fault(&k, &guest_u, EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS);
    }
    done(&k);
}

static void pmp_guards_tables_and_the_page(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | X | A | D);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    world_pmp(k.w, 0, 0x1c, ROOT >> 2 | 0x1ff); /* the root: execute only */
    all_three_fault(&k, &host_s, EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS);
    world_pmp(k.w, 0, 0x19, ROOT >> 2 | 0x1ff); /* reading is enough */
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    world_pmp(k.w, 0, 0x19, DATA >> 2 | 0x1ff);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.page_bits == 12 && k.x.read && !k.x.write && !k.x.exec);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_ACCESS);
    FAULTS(&k, VA, ACCESS_FETCH, &host_s, EXC_INSN_ACCESS);
    world_pmp(k.w, 0, 0x11, DATA >> 2); /* the first four bytes only */
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.x.page_bits, 0);
    done(&k);
}

static void an_entry_pmp_does_not_let_s_write_cannot_be_updated(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R);
    k.r->menvcfg |= ADUE;
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    world_pmp(k.w, 0, 0x19, (k.pte_at & ~UINT64_C(0xfff)) >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &host_s, EXC_LOAD_ACCESS);
    assert_int_equal(world_peek(k.w, k.pte_at, 8) & 0xff, V | R);
    done(&k);
}

static void an_entry_in_rom_cannot_be_updated(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->menvcfg |= ADUE;
    k.r->satp = atp(&k, 8, ROM_BASE);
    world_poke(k.w, ROM_BASE, 8, leaf_pte(0, V | R | A));
    world_poke(k.w, ROM_BASE + 8, 8, leaf_pte(0, V | R));
    PASSES(&k, 0x1000, ACCESS_LOAD, &host_s);
    FAULTS(&k, 0x40001000, ACCESS_LOAD, &host_s, EXC_LOAD_ACCESS);
    done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_addresses_are_physical_up_to_the_width_of_the_hart),
        cmocka_unit_test(bare_addresses_beyond_the_hart_are_access_faults),
        cmocka_unit_test(m_mode_ignores_satp),
        cmocka_unit_test(permissions_follow_r_w_x),
        cmocka_unit_test(invalid_and_reserved_entries_are_page_faults),
        cmocka_unit_test(pointers_may_not_have_a_d_u_or_high_bits),
        cmocka_unit_test(u_pages_belong_to_u_and_with_sum_to_data_of_s),
        cmocka_unit_test(mxr_makes_executable_pages_readable),
        cmocka_unit_test(a_store_needs_d_and_everything_needs_a),
        cmocka_unit_test(svadu_sets_a_and_d_when_an_access_needs_them),
        cmocka_unit_test(svadu_leaves_an_entry_alone_that_does_not_permit_the_access),
        cmocka_unit_test(svadu_updates_are_stores_that_watchers_see),
        cmocka_unit_test(every_level_can_hold_an_aligned_leaf),
        cmocka_unit_test(addresses_must_be_sign_extended),
        cmocka_unit_test(sv32_reaches_34_bit_memory_and_ignores_high_address_bits),
        cmocka_unit_test(napot_ranges_take_their_low_bits_from_the_address),
        cmocka_unit_test(napot_above_the_last_level_is_reserved),
        cmocka_unit_test(memory_types_need_pbmte),
        cmocka_unit_test(tables_outside_ram_are_access_faults_of_the_original_kind),
        cmocka_unit_test(pmp_guards_tables_and_the_page),
        cmocka_unit_test(an_entry_pmp_does_not_let_s_write_cannot_be_updated),
        cmocka_unit_test(an_entry_in_rom_cannot_be_updated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
