/* The rules of two-stage translation, each by hand (hypervisor "Two-Stage Address Translation", "Transformed Instruction…"). */
#include "mmu_rig.h"

/* ---- two stages ----------------------------------------------------------------------------------------------------- */

static void two_stages_compose(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = two_stage(xlen, V | R | W | X | A | D, V | R | W | X | U | A | D);
        PASSES(&k, VA + 0x124, ACCESS_STORE, &guest_s);
        assert_true(k.x.pa == DATA + 0x124 && k.x.page_bits == 12 && k.x.read && k.x.write && k.x.exec);
        PASSES(&k, VA + 0x124, ACCESS_STORE, &guest_s); /* now from what the walk remembers */
        assert_true(k.x.pa == DATA + 0x124);
        done(&k);
    }
}

static void a_guests_page_fault_tells_nothing_of_the_second_stage(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | W | X | U | A | D);
    GUEST_FAULTS(&k, VA, ACCESS_STORE, &guest_s, EXC_STORE_PAGE, 0, 0);
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_u, EXC_LOAD_PAGE, 0, 0);
    done(&k);
}

static void explicit_guest_page_faults_show_the_guest_physical_address(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | X | A | D, V | R | U | A | D);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.read && !k.x.write && !k.x.exec);
    GUEST_FAULTS(&k, VA + 0x678, ACCESS_STORE, &guest_s, EXC_STORE_GUEST_PAGE, GPA + 0x678, 0);
    GUEST_FAULTS(&k, VA + 0x678, ACCESS_FETCH, &guest_s, EXC_INSN_GUEST_PAGE, GPA + 0x678, 0);
    map_at(&k, 8, GROOT, true, GPA, 0, 0);
    GUEST_FAULTS(&k, VA + 0x678, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA + 0x678, 0);
    done(&k);
}

static void the_g_stage_sees_every_access_as_one_of_u(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | X | A | D, V | R | W | X | A | D);
    k.r->mstatus = k.r->vsstatus = SUM;
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA, 0);
    done(&k);
}

static void a_guest_table_that_cannot_be_read_gives_the_read_pseudoinstruction(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = two_stage(xlen, V | R | W | X | A | D, V | R | W | X | U | A | D);
        uint64_t at = ROOT + (xlen == 32 ? bits_get(VA, 31, 22) * 4 : bits_get(VA, 38, 30) * 8),
                 tinst = xlen == 32 ? 0x2000 : 0x3000;
        map_at(&k, 8, GROOT, true, ROOT, 0, 0);
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, at, tinst);
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_STORE, &guest_s, EXC_STORE_GUEST_PAGE, at, tinst);
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_FETCH, &guest_s, EXC_INSN_GUEST_PAGE, at, tinst);
        /* Execute-only does not do: implicit reads are not explicit loads, so MXR is nothing to them. */
        map_at(&k, 8, GROOT, true, ROOT, 0, leaf_pte(ROOT, V | X | U | A | D));
        k.r->mstatus = MXR;
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, at, tinst);
        done(&k);
    }
}

static void a_guest_table_that_cannot_be_updated_gives_the_write_pseudoinstruction(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = two_stage(xlen, V | R | W, V | R | W | U | A | D);
        map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | W));
        uint64_t at = k.pte_at;
        k.r->menvcfg |= ADUE;
        k.r->henvcfg |= ADUE;
        map_at(&k, 8, GROOT, true, at, 0, leaf_pte(at & ~UINT64_C(0xfff), V | R | U | A | D));
        GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, at, xlen == 32 ? 0x2020 : 0x3020);
        map_at(&k, 8, GROOT, true, at, 0, leaf_pte(at & ~UINT64_C(0xfff), V | R | W | U | A)); /* writable, not yet dirty */
        uint64_t g_at = k.pte_at;
        PASSES(&k, VA, ACCESS_LOAD, &guest_s);
        assert_true(world_peek(k.w, g_at, xlen / 8) & D);
        assert_int_equal(world_peek(k.w, at, xlen / 8) & (A | D), A);
        done(&k);
    }
}

static void each_stage_has_its_own_adue(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | A | D, V | R | W | U);
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA, 0);
    k.r->menvcfg |= ADUE; /* G stage only */
    PASSES(&k, VA, ACCESS_STORE, &guest_s);
    assert_int_equal(world_peek(k.w, k.pte_at, 8) & (A | D), A | D);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | W));
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE, 0, 0);
    k.r->henvcfg |= ADUE;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    done(&k);
}

static void vsstatus_mxr_is_for_the_first_stage_and_mstatus_mxr_for_both(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | X | A, V | R | X | U | A);
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    k.r->vsstatus = MXR;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | X | U | A));
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE);
    k.r->vsstatus = 0;
    k.r->mstatus = MXR;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    done(&k);
}

static void vsstatus_sum_counts_in_guests_and_mstatus_sum_does_not(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | U | A | D, V | R | W | U | A | D);
    k.r->mstatus = SUM;
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    k.r->vsstatus = SUM;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    done(&k);
}

static void hlvx_needs_execute_in_both_stages_instead_of_read(void **state)
{
    (void)state;
    const struct access_mode hlvx = {.priv = RV_S, .v = 1, .hlv = true, .hlvx = true};
    struct rig k = two_stage(64, V | X | A, V | X | U | A);
    PASSES(&k, VA, ACCESS_LOAD, &hlvx);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | R | W | U | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_GUEST_PAGE);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | W | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_PAGE);
    k.r->mstatus = MXR;
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_PAGE);
    done(&k);
}

static void hlvx_needs_pmp_to_permit_reading_and_executing(void **state)
{
    (void)state;
    const struct access_mode hlvx = {.priv = RV_S, .v = 1, .hlv = true, .hlvx = true};
    struct rig k = two_stage(64, V | X | A, V | X | U | A);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    PASSES(&k, VA, ACCESS_LOAD, &hlvx);
    world_pmp(k.w, 0, 0x1c, DATA >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_ACCESS);
    world_pmp(k.w, 0, 0x1b, DATA >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_ACCESS);
    done(&k);
}

static void guest_physical_addresses_have_two_more_bits(void **state)
{
    (void)state;
    for (unsigned mode = 8; mode <= 10; mode++) {
        struct rig k = rig_new(64);
        unsigned bits = 12 + 9 * (mode - 5) + 2;
        uint64_t top = bits_mask(bits - 2, 2) | 0x5000;
        k.r->hgatp = atp(&k, mode, GROOT); /* vsatp Bare: addresses are guest physical */
        map_at(&k, mode, GROOT, true, top, 0, leaf_pte(DATA, V | R | U | A));
        PASSES(&k, top + 8, ACCESS_LOAD, &guest_u);
        assert_true(k.x.pa == DATA + 8);
        GUEST_FAULTS(&k, UINT64_C(1) << bits | top, ACCESS_LOAD, &guest_u, EXC_LOAD_GUEST_PAGE, UINT64_C(1) << bits | top, 0);
        done(&k);
    }
}

static void sv32x4_translates_34_bits_of_guest_physical_address(void **state)
{
    (void)state;
    struct rig k = two_stage(32, V | R | A, V | R | U | A);
    uint64_t gpa = UINT64_C(0x3c0042000);
    map_at(&k, 1, ROOT, false, VA, 0, leaf_pte(gpa, V | R | A));
    map_at(&k, 1, GROOT, true, gpa, 0, leaf_pte(HIGH_BASE, V | R | U | A));
    PASSES(&k, VA + 4, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == HIGH_BASE + 4);
    GUEST_FAULTS(&k, VA + 4, ACCESS_FETCH, &guest_s, EXC_INSN_PAGE, 0, 0);
    map_at(&k, 1, ROOT, false, VA, 0, leaf_pte(gpa, V | R | X | A));
    GUEST_FAULTS(&k, VA + 4, ACCESS_FETCH, &guest_s, EXC_INSN_GUEST_PAGE, gpa + 4, 0);
    done(&k);
}

static void either_stage_can_be_bare(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | A | D, V | R | W | X | U | A | D);
    k.r->vsatp = 0;
    PASSES(&k, GPA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == DATA);
    GUEST_FAULTS(&k, GPA + 0x1000, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA + 0x1000, 0);
    k.r->vsatp = atp(&k, 8, ROOT);
    k.r->hgatp = 0;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == GPA);
    k.r->vsatp = 0;
    PASSES(&k, VA, ACCESS_FETCH, &guest_s);
    assert_true(k.x.pa == VA && k.x.write);
    done(&k);
}

static void henvcfg_pbmte_rules_the_first_stage_which_overrides_the_second(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | U | A | PBMT(1));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_int_equal(k.x.pbmt, 1);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | A | PBMT(2)));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_int_equal(k.x.pbmt, 2);
    k.r->henvcfg = 0;
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    k.r->henvcfg = PBMTE;
    k.r->menvcfg = 0; /* henvcfg.PBMTE is then 0, too */
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    done(&k);
}

static void pmp_faults_of_guests_are_access_faults_with_gva(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | X | A | D, V | R | W | X | U | A | D);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    world_pmp(k.w, 0, 0x18, DATA >> 2 | 0x1ff);
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_ACCESS, 0, 0);
    world_pmp(k.w, 0, 0x18, GROOT >> 2 | 0x7ff);
    GUEST_FAULTS(&k, VA, ACCESS_STORE, &guest_s, EXC_STORE_ACCESS, 0, 0);
    done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_stages_compose),
        cmocka_unit_test(a_guests_page_fault_tells_nothing_of_the_second_stage),
        cmocka_unit_test(explicit_guest_page_faults_show_the_guest_physical_address),
        cmocka_unit_test(the_g_stage_sees_every_access_as_one_of_u),
        cmocka_unit_test(a_guest_table_that_cannot_be_read_gives_the_read_pseudoinstruction),
        cmocka_unit_test(a_guest_table_that_cannot_be_updated_gives_the_write_pseudoinstruction),
        cmocka_unit_test(each_stage_has_its_own_adue),
        cmocka_unit_test(vsstatus_mxr_is_for_the_first_stage_and_mstatus_mxr_for_both),
        cmocka_unit_test(vsstatus_sum_counts_in_guests_and_mstatus_sum_does_not),
        cmocka_unit_test(hlvx_needs_execute_in_both_stages_instead_of_read),
        cmocka_unit_test(hlvx_needs_pmp_to_permit_reading_and_executing),
        cmocka_unit_test(guest_physical_addresses_have_two_more_bits),
        cmocka_unit_test(sv32x4_translates_34_bits_of_guest_physical_address),
        cmocka_unit_test(either_stage_can_be_bare),
        cmocka_unit_test(henvcfg_pbmte_rules_the_first_stage_which_overrides_the_second),
        cmocka_unit_test(pmp_faults_of_guests_are_access_faults_with_gva),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
