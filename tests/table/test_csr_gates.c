/* "Is it gated now": every setting of the bits that gate a register, in every mode, against the rule stated a second time. */
#include "csr_world.h"

static const unsigned modes[] = {U, S, M, VU, VS};
#define FOR_MODES(m) for (unsigned i_ = 0, m; i_ < 5 && (m = modes[i_], true); i_++)
static enum csr_result illegal_if(bool b) { return b ? CSR_ILLEGAL : CSR_OK; }

static void set(uint64_t *word, unsigned bit, bool v) { *word = (*word & ~(UINT64_C(1) << bit)) | (uint64_t)v << bit; }

static void counters_ask_mcounteren_then_hcounteren_then_scounteren(void **state)
{
    static const unsigned counters[] = {0, 1, 2, 3, 17, 31};
    struct world w;
    (void)state;
    for (unsigned rv32 = 0; rv32 < 2; rv32++) {
        world_new(&w, rv32 ? "rv32" : "rv64");
        for (unsigned k = 0; k < 6 * 8; k++) {
            unsigned n = counters[k / 8];
            bool m = k & 1, h = k & 2, s = k & 4;
            world_open(&w);
            set(&w.r.mcounteren, n, m);
            set(&w.r.hcounteren, n, h);
            set(&w.r.scounteren, n, s);
            FOR_MODES(mode)
            {
                enum csr_result want = CSR_OK;
                if (mode != M && !m)
                    want = CSR_ILLEGAL;
                else if (mode > M && (!h || (mode == VU && !s)))
                    want = CSR_VIRTUAL;
                else if (mode == U && !s)
                    want = CSR_ILLEGAL;
                assert_check(&w, mode, 0xc00 + n, false, want);
                assert_check(&w, mode, 0xc80 + n, false, rv32 ? want : CSR_ILLEGAL);
                assert_check(&w, mode, 0xc00 + n, true, CSR_ILLEGAL);
            }
        }
        world_end(&w);
    }
}

static void without_s_mcounteren_alone_opens_a_counter_to_u(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,s=off");
    assert_check(&w, U, 0xc00, false, CSR_ILLEGAL);
    put(&w, M, 0x306, 1);
    assert_check(&w, U, 0xc00, false, CSR_OK);
    world_end(&w);
}

static void supervisor_timers_need_tm_and_stce(void **state)
{
    struct world w;
    (void)state;
    for (unsigned k = 0; k < 16; k++) {
        bool mtm = k & 1, htm = k & 2, mstce = k & 4, hstce = k & 8;
        world_new(&w, "rv64");
        world_open(&w);
        set(&w.r.mcounteren, 1, mtm);
        set(&w.r.hcounteren, 1, htm);
        set(&w.r.menvcfg, 63, mstce);
        set(&w.r.henvcfg, 63, hstce && mstce);
        bool hs = mtm && mstce, vs = hs && htm && hstce;
        assert_check(&w, M, 0x14d, true, CSR_OK);
        assert_check(&w, M, 0x24d, true, CSR_OK);
        assert_check(&w, S, 0x14d, true, hs ? CSR_OK : CSR_ILLEGAL);
        assert_check(&w, S, 0x24d, true, hs ? CSR_OK : CSR_ILLEGAL);
        assert_check(&w, VS, 0x14d, true, vs ? CSR_OK : hs ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, VS, 0x24d, true, hs ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, VU, 0x14d, true, hs ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, U, 0x14d, true, CSR_ILLEGAL);
        world_end(&w);
    }
}

static void tvm_and_vtvm_gate_translation_registers(void **state)
{
    struct world w;
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        bool tvm = k & 1, vtvm = k & 2;
        world_new(&w, "rv64");
        put(&w, M, 0x300, (uint64_t)tvm << 20);
        put(&w, M, 0x600, (uint64_t)vtvm << 20);
        assert_check(&w, M, 0x180, true, CSR_OK);
        assert_check(&w, S, 0x180, true, illegal_if(tvm));
        assert_check(&w, S, 0x680, false, illegal_if(tvm));
        assert_check(&w, M, 0x680, false, CSR_OK);
        assert_check(&w, S, 0x280, true, CSR_OK);
        assert_check(&w, VS, 0x180, true, vtvm ? CSR_VIRTUAL : CSR_OK);
        assert_check(&w, VU, 0x180, true, CSR_VIRTUAL); /* as if TVM were zero (hypervisor 6.1) */
        assert_check(&w, VS, 0x680, true, CSR_VIRTUAL);
        assert_check(&w, VU, 0x280, true, CSR_VIRTUAL);
        world_end(&w);
    }
}

static void fs_off_makes_floating_point_registers_illegal_in_every_mode(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    for (unsigned num = 1; num <= 3; num++)
        for (unsigned k = 0; k < 4; k++) {
            put(&w, M, 0x300, k & 1 ? 0x2000 : 0);
            put(&w, M, 0x200, k & 2 ? 0x2000 : 0);
            FOR_MODES(mode) assert_check(&w, mode, num, true, illegal_if(!(k & 1) || (mode > M && !(k & 2))));
        }
    world_end(&w);
}

static void seed_is_for_read_write_accesses_that_mseccfg_lets_in(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    for (unsigned k = 0; k < 4; k++) {
        bool useed = k & 1, sseed = k & 2;
        put(&w, M, 0x747, (uint64_t)k << 8);
        FOR_MODES(mode)
        {
            enum csr_result want = mode == M ? CSR_OK : illegal_if(mode == U ? !useed : !sseed);
            assert_check(&w, mode, 0x015, true, want == CSR_OK && mode > M ? CSR_VIRTUAL : want);
            assert_check(&w, mode, 0x015, false, CSR_ILLEGAL);
        }
    }
    w.seed = 0x80001234;
    assert_reg(&w, M, 0x015, 0x80001234);
    world_end(&w);
}

static void ssp_needs_sse_of_each_level_above(void **state)
{
    struct world w;
    (void)state;
    for (unsigned k = 0; k < 8; k++) {
        bool m = k & 1, h = k & 2, s = k & 4;
        world_new(&w, "rv64");
        put(&w, M, 0x30a, m ? 8 : 0);
        put(&w, M, 0x60a, h ? 8 : 0);
        put(&w, M, 0x10a, s ? 8 : 0);
        assert_check(&w, M, 0x011, true, CSR_OK);
        assert_check(&w, S, 0x011, true, illegal_if(!m));
        assert_check(&w, U, 0x011, true, illegal_if(!m || !s));
        assert_check(&w, VS, 0x011, true, !m ? CSR_ILLEGAL : h ? CSR_OK : CSR_VIRTUAL);
        assert_check(&w, VU, 0x011, true, !m ? CSR_ILLEGAL : h && s ? CSR_OK : CSR_VIRTUAL);
        world_end(&w);
    }
}

/* One bit of mstateen0 and of hstateen0 and what it gates: `shared` has its state in VS, too; `hyper` belongs to HS alone. */
static void stateen_bit(const char *cfg, unsigned bit, unsigned shared, unsigned hyper)
{
    struct world w;
    for (unsigned k = 0; k < 4; k++) {
        bool m = k & 1, h = k & 2;
        world_new(&w, cfg);
        world_open(&w);
        set(&w.r.mstateen0, bit, m);
        set(&w.r.hstateen0, bit, h);
        assert_check(&w, M, hyper, true, CSR_OK);
        assert_check(&w, S, hyper, true, illegal_if(!m));
        assert_check(&w, VS, hyper, true, m ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, VU, hyper, true, m ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, M, shared, true, CSR_OK);
        assert_check(&w, S, shared, true, illegal_if(!m));
        assert_check(&w, U, shared, true, CSR_ILLEGAL);
        assert_check(&w, VS, shared, true, !m ? CSR_ILLEGAL : h ? CSR_OK : CSR_VIRTUAL);
        assert_check(&w, VU, shared, true, m ? CSR_VIRTUAL : CSR_ILLEGAL);
        world_end(&w);
    }
}

static void state_enables_gate_what_they_name(void **state)
{
    (void)state;
    stateen_bit("rv64", 62, 0x10a, 0x60a); /* ENVCFG */
    stateen_bit("rv32", 62, 0x10a, 0x61a);
    stateen_bit("rv64", 63, 0x10c, 0x60c); /* SE0 */
    stateen_bit("rv32", 63, 0x10c, 0x61c);
    stateen_bit("rv64", 60, 0x150, 0x250); /* CSRIND */
}

static void bit_63_of_each_mstateen_gates_its_own(void **state)
{
    struct world w;
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        world_new(&w, "rv64");
        put(&w, M, 0x30c + n, UINT64_C(1) << 63);
        for (unsigned k = 0; k < 4; k++) {
            assert_check(&w, S, 0x10c + k, true, illegal_if(k != n));
            assert_check(&w, S, 0x60c + k, true, illegal_if(k != n));
            assert_check(&w, VS, 0x10c + k, true, k == n ? CSR_VIRTUAL : CSR_ILLEGAL);
        }
        world_end(&w);
    }
}

static void without_smstateen_only_hstateen_gates(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,smstateen=off");
    assert_check(&w, S, 0x10a, true, CSR_OK);
    assert_check(&w, S, 0x60a, true, CSR_OK);
    assert_check(&w, VS, 0x10a, true, CSR_VIRTUAL);
    put(&w, M, 0x60c, UINT64_C(1) << 62);
    assert_check(&w, VS, 0x10a, true, CSR_OK);
    world_end(&w);
    world_new(&w, "rv64,ssstateen=off");
    assert_check(&w, VS, 0x10a, true, CSR_OK);
    world_end(&w);
}

/* P1P13 gates hedelegh alone; from VS the low half decides which exception it is (hypervisor 6.1, high-half rule). */
static void p1p13_gates_hedelegh(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv32");
    assert_check(&w, S, 0x612, true, CSR_ILLEGAL);
    assert_check(&w, S, 0x602, true, CSR_OK);
    assert_check(&w, VS, 0x612, true, CSR_VIRTUAL);
    assert_reg(&w, M, 0x31c, 0);
    put(&w, M, 0x31c, 1 << 24);
    assert_check(&w, S, 0x612, true, CSR_OK);
    world_end(&w);
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x30c, UINT64_MAX) >> 56 & 1, 0); /* no hedelegh to control */
    world_end(&w);
}

static void delegated_counters_open_with_cde(void **state)
{
    struct world w;
    (void)state;
    for (unsigned k = 0; k < 8; k++) {
        bool cde = k & 1, delegated = k & 2, vrange = k & 4;
        world_new(&w, "rv64");
        world_open(&w);
        set(&w.r.menvcfg, 60, cde);
        set(&w.r.mcounteren, 5, delegated);
        put(&w, M, 0x150, 0x45);
        put(&w, M, 0x250, vrange ? 0x45 : 0x20);
        assert_check(&w, M, 0x151, true, illegal_if(!cde || !delegated));
        assert_check(&w, S, 0x151, true, illegal_if(!cde || !delegated));
        assert_check(&w, S, 0x152, true, illegal_if(!cde || !delegated));
        assert_check(&w, S, 0x153, true, CSR_ILLEGAL); /* sireg3 */
        assert_check(&w, S, 0x155, true, CSR_ILLEGAL); /* sireg4 on RV64 */
        assert_check(&w, S, 0x157, true, CSR_ILLEGAL); /* sireg6 */
        assert_check(&w, VS, 0x151, true, cde && vrange ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, VU, 0x151, true, CSR_VIRTUAL); /* whatever is selected */
        assert_check(&w, VS, 0x251, true, CSR_VIRTUAL);
        assert_check(&w, S, 0x251, true, CSR_ILLEGAL);
        assert_check(&w, M, 0x251, true, CSR_ILLEGAL);
        assert_check(&w, S, 0x120, true, illegal_if(!cde)); /* scountinhibit */
        assert_check(&w, M, 0x120, true, illegal_if(!cde));
        assert_check(&w, VS, 0x120, true, cde ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, VU, 0x120, true, cde ? CSR_VIRTUAL : CSR_ILLEGAL);
        assert_check(&w, VS, 0xda0, false, cde ? CSR_VIRTUAL : CSR_OK); /* scountovf */
        put(&w, M, 0x150, 0x41);
        assert_check(&w, S, 0x151, true, CSR_ILLEGAL); /* time is not delegated */
        world_end(&w);
    }
}

static void the_levels_of_h_decide_virtual_or_illegal(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_check(&w, VS, 0x600, true, CSR_VIRTUAL);
    assert_check(&w, VU, 0x600, true, CSR_VIRTUAL);
    assert_check(&w, VS, 0x200, false, CSR_VIRTUAL);
    assert_check(&w, VU, 0x100, false, CSR_VIRTUAL);
    assert_check(&w, U, 0x600, false, CSR_ILLEGAL);
    assert_check(&w, U, 0x200, false, CSR_ILLEGAL);
    assert_check(&w, VS, 0x300, false, CSR_ILLEGAL);
    assert_check(&w, VS, 0xe12, false, CSR_VIRTUAL);
    assert_check(&w, VS, 0xe12, true, CSR_ILLEGAL); /* writing is not allowed in HS either */
    assert_check(&w, VU, 0xda0, false, CSR_VIRTUAL);
    assert_check(&w, VS, 0x605, false, CSR_VIRTUAL);
    assert_check(&w, VS, 0x615, false, CSR_ILLEGAL); /* htimedeltah does not exist on RV64 */
    assert_check(&w, M, 0x7a0, false, CSR_ILLEGAL);  /* no triggers */
    world_end(&w);
    world_new(&w, "rv32");
    assert_check(&w, VS, 0x615, false, CSR_VIRTUAL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_ask_mcounteren_then_hcounteren_then_scounteren),
        cmocka_unit_test(without_s_mcounteren_alone_opens_a_counter_to_u),
        cmocka_unit_test(supervisor_timers_need_tm_and_stce),
        cmocka_unit_test(tvm_and_vtvm_gate_translation_registers),
        cmocka_unit_test(fs_off_makes_floating_point_registers_illegal_in_every_mode),
        cmocka_unit_test(seed_is_for_read_write_accesses_that_mseccfg_lets_in),
        cmocka_unit_test(ssp_needs_sse_of_each_level_above),
        cmocka_unit_test(state_enables_gate_what_they_name),
        cmocka_unit_test(bit_63_of_each_mstateen_gates_its_own),
        cmocka_unit_test(without_smstateen_only_hstateen_gates),
        cmocka_unit_test(p1p13_gates_hedelegh),
        cmocka_unit_test(delegated_counters_open_with_cde),
        cmocka_unit_test(the_levels_of_h_decide_virtual_or_illegal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
