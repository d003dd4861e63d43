/* What a write leaves: the rules of the manual that a mask alone does not tell, case by case. */
#include "csr_world.h"

#define BIT(n) (UINT64_C(1) << (n))

static void previous_privilege_holds_only_modes_that_are_there(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    for (unsigned mpp = 0; mpp < 4; mpp++) {
        put(&w, M, 0x300, 3 << 11);
        assert_int_equal(wrote(&w, 0x300, (uint64_t)mpp << 11) >> 11 & 3, mpp == 2 ? 3 : mpp);
    }
    world_end(&w);
    world_new(&w, "rv64,s=off");
    put(&w, M, 0x300, 0);
    assert_int_equal(wrote(&w, 0x300, 1 << 11) >> 11 & 3, 0);
    assert_int_equal(wrote(&w, 0x300, 3 << 11) >> 11 & 3, 3);
    world_end(&w);
    world_new(&w, "rv64,s=off,u=off,smrnmi=on");
    assert_int_equal(get(&w, M, 0x300) >> 11 & 3, 3);
    assert_int_equal(wrote(&w, 0x300, 0) >> 11 & 3, 3);
    assert_int_equal(wrote(&w, 0x744, 0) >> 11 & 3, 3);
    assert_int_equal(wrote(&w, 0x300, UINT64_MAX), 0x1888 | 0x6000 | BIT(63) | BIT(41)); /* MIE MPIE MPP FS SD MPELP */
    world_end(&w);
}

static void mstatus_fields_follow_the_configuration(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_reg(&w, M, 0x300, UINT64_C(0xa) << 32);
    put(&w, M, 0x30a, BIT(59));
    assert_int_equal(wrote(&w, 0x300, UINT64_MAX),
                     UINT64_C(0x800002ca01fe79a8)); /* all but SIE (SDT), VS, XS, UBE, SBE, MBE, MDT */
    world_end(&w);
    world_new(&w, "rv32,h=off,f=off");
    assert_int_equal(wrote(&w, 0x300, UINT64_MAX), 0x00fe19aa);
    assert_int_equal(wrote(&w, 0x310, UINT64_MAX), 1 << 9); /* MPELP */
    world_end(&w);
    world_new(&w, "rv32");
    put(&w, M, 0x300, 0x6000);
    assert_reg(&w, M, 0x300, 0x80006000);
    assert_reg(&w, M, 0x310, 0); /* SD is not in the high half */
    assert_reg(&w, S, 0x100, 0x80006000);
    world_end(&w);
    world_new(&w, "rv64,sv39=off,sv48=off,sv57=off"); /* satp.MODE read-only zero */
    assert_int_equal(wrote(&w, 0x300, 7 << 18) & 7 << 18, 0);
    assert_int_equal(wrote(&w, 0x180, UINT64_MAX), 0);
    world_end(&w);
}

static void sdt_needs_dte_and_clears_sie(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x100, BIT(24) | BIT(1)) & (BIT(24) | 2), 2);
    put(&w, M, 0x30a, BIT(59));
    assert_int_equal(wrote(&w, 0x100, BIT(24) | BIT(1)) & (BIT(24) | 2), BIT(24));
    assert_int_equal(wrote(&w, 0x300, BIT(24) | BIT(1)) & (BIT(24) | 2), BIT(24));
    assert_int_equal(wrote(&w, 0x100, BIT(1)) & (BIT(24) | 2), 2); /* cleared by the same write */
    put(&w, M, 0x100, BIT(24));
    put(&w, M, 0x60a, BIT(59));
    assert_int_equal(wrote(&w, 0x200, BIT(24) | BIT(1)) & (BIT(24) | 2), BIT(24));
    put(&w, M, 0x60a, 0);
    assert_int_equal(get(&w, M, 0x200) & BIT(24), 0);
    assert_int_equal(wrote(&w, 0x200, BIT(24) | 2) & (BIT(24) | 2), 2);
    put(&w, M, 0x30a, 0);
    assert_int_equal(get(&w, M, 0x300) & BIT(24), 0);
    world_end(&w);
}

static void mdt_is_set_at_reset_and_keeps_mie_clear(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,smdbltrp=on");
    assert_true(get(&w, M, 0x300) & BIT(42));
    assert_int_equal(wrote(&w, 0x300, BIT(42) | 8) & 8, 0);
    assert_int_equal(wrote(&w, 0x300, 8) & 8, 8);
    assert_int_equal(wrote(&w, 0x300, BIT(42) | 8) & 8, 0);
    world_end(&w);
    world_new(&w, "rv32,smdbltrp=on");
    assert_int_equal(wrote(&w, 0x300, 8) & 8, 0);
    put(&w, M, 0x310, 0);
    assert_int_equal(wrote(&w, 0x300, 8) & 8, 8);
    put(&w, M, 0x310, 1 << 10);
    assert_int_equal(get(&w, M, 0x300) & 8, 0);
    world_end(&w);
}

static void an_unsupported_satp_mode_makes_the_write_void(void **state)
{
    struct world w;
    const uint64_t sv39 = UINT64_C(8) << 60, sv57 = UINT64_C(10) << 60, bad = UINT64_C(11) << 60;
    (void)state;
    world_new(&w, "rv64,sv57=off,asid=3,pa=40");
    assert_int_equal(wrote(&w, 0x180, sv39 | UINT64_MAX >> 4), sv39 | UINT64_C(7) << 44 | (BIT(28) - 1));
    for (unsigned v = 0; v < 2; v++) {
        unsigned mode = v ? VS : S;
        put(&w, mode, 0x180, sv39 | 5);
        put(&w, mode, 0x180, bad | 6);
        put(&w, mode, 0x180, sv57 | 6);
        assert_reg(&w, mode, 0x180, sv39 | 5);
    }
    put(&w, M, 0x280, bad | 7);
    assert_reg(&w, M, 0x280, sv39 | 5);
    assert_reg(&w, VS, 0x180, sv39 | 5);
    world_end(&w);
}

static void an_unsupported_hgatp_mode_leaves_the_other_fields_writable(void **state)
{
    struct world w;
    const uint64_t sv39 = UINT64_C(8) << 60, bad = UINT64_C(1) << 60;
    (void)state;
    world_new(&w, "rv64,vmid=3");
    put(&w, M, 0x680, sv39 | 0x100);
    assert_int_equal(wrote(&w, 0x680, bad | 0x207), sv39 | 0x204); /* 16 KiB: PPN[1:0] is zero */
    assert_int_equal(wrote(&w, 0x680, UINT64_MAX) >> 44 & 0xffff, 7);
    world_end(&w);
    world_new(&w, "rv32");
    assert_int_equal(wrote(&w, 0x680, UINT64_MAX), 0x9ffffffc);
    assert_int_equal(wrote(&w, 0x180, UINT64_MAX), 0xffffffff);
    world_end(&w);
}

static void trap_vectors_and_return_addresses_are_aligned(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x305, 0x1001), 0x1001);
    assert_int_equal(wrote(&w, 0x305, 0x2002), 0x2001);
    assert_int_equal(wrote(&w, 0x141, 0x1007), 0x1006);
    world_end(&w);
    world_new(&w, "rv64,c=off");
    assert_int_equal(wrote(&w, 0x141, 0x1007), 0x1004);
    assert_int_equal(wrote(&w, 0x302, UINT64_MAX) & 1, 1); /* misaligned fetches can be delegated */
    world_end(&w);
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x302, UINT64_MAX), 0xfcb7fe);
    assert_int_equal(wrote(&w, 0x602, UINT64_MAX), 0x0cb1fe);
    assert_int_equal(wrote(&w, 0x011, UINT64_MAX), ~UINT64_C(7)); /* ssp */
    world_end(&w);
}

static void the_seip_line_is_no_part_of_read_modify_write(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    w.lines = BIT(9) | BIT(7);
    assert_reg(&w, M, 0x344, BIT(9) | BIT(7));
    assert_int_equal(csr_read_modify(&w.c, 0x344), BIT(7));
    put(&w, M, 0x344, csr_read_modify(&w.c, 0x344) | 2);
    w.lines = 0;
    assert_reg(&w, M, 0x344, 2);
    put(&w, M, 0x344, BIT(9));
    assert_reg(&w, M, 0x344, BIT(9));
    assert_int_equal(csr_read_modify(&w.c, 0x344), BIT(9));
    put(&w, M, 0x303, BIT(9) | 2);
    put(&w, M, 0x144, 0); /* SEIP is read-only in sip */
    assert_reg(&w, M, 0x344, BIT(9));
    world_end(&w);
}

static void stip_belongs_to_stimecmp_while_stce_is_set(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x344, BIT(5)), BIT(5));
    put(&w, M, 0x30a, BIT(63));
    assert_reg(&w, M, 0x344, 0);
    assert_int_equal(wrote(&w, 0x344, BIT(5)), 0);
    w.lines = BIT(5) | BIT(6);
    assert_reg(&w, M, 0x344, BIT(5) | BIT(6));
    assert_reg(&w, M, 0x644, BIT(6));
    put(&w, M, 0x645, 0);
    assert_reg(&w, M, 0x644, BIT(6)); /* VSTIP: hvip or vstimecmp */
    w.lines = 0;
    put(&w, M, 0x645, BIT(6));
    assert_reg(&w, M, 0x644, BIT(6));
    world_end(&w);
}

static void guest_external_interrupts_reach_mip_by_hgeie_and_vgein(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,geilen=5");
    assert_int_equal(wrote(&w, 0x607, UINT64_MAX), 0x3e);
    assert_int_equal(wrote(&w, 0x600, UINT64_C(5) << 12) >> 12 & 63, 5);
    assert_int_equal(wrote(&w, 0x600, UINT64_C(6) << 12) >> 12 & 63, 5);
    w.hgeip = BIT(5) | BIT(7);
    assert_reg(&w, M, 0xe12, BIT(5));
    assert_reg(&w, M, 0x644, BIT(12) | BIT(10));
    put(&w, M, 0x607, 0);
    put(&w, M, 0x603, BIT(10));
    assert_reg(&w, M, 0x644, BIT(10));
    assert_reg(&w, VS, 0x144, BIT(9));
    put(&w, VS, 0x144, 0);
    assert_reg(&w, VS, 0x144, BIT(9));
    world_end(&w);
    world_new(&w, "rv64,geilen=0");
    assert_reg(&w, M, 0x303, 0x444);
    assert_int_equal(wrote(&w, 0x604, UINT64_MAX), 0x444);
    world_end(&w);
}

static void vs_interrupts_follow_hideleg(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_reg(&w, M, 0x303, 0x1444);
    assert_int_equal(wrote(&w, 0x603, UINT64_MAX), 0x444); /* LCOFI needs mideleg */
    put(&w, M, 0x303, UINT64_MAX);
    assert_reg(&w, M, 0x303, 0x3666);
    assert_int_equal(wrote(&w, 0x603, UINT64_MAX), 0x2444);
    put(&w, VS, 0x104, UINT64_MAX);
    assert_reg(&w, M, 0x304, 0x2444);
    assert_reg(&w, VS, 0x104, 0x2222);
    put(&w, VS, 0x144, UINT64_MAX);
    assert_reg(&w, M, 0x645, 4); /* only VSSIP is writable */
    assert_reg(&w, M, 0x344, 4 | BIT(13));
    put(&w, M, 0x303, 0);
    assert_reg(&w, M, 0x603, 0x444);
    put(&w, M, 0x603, 0);
    assert_reg(&w, VS, 0x104, 0);
    put(&w, VS, 0x144, 0);
    assert_reg(&w, M, 0x645, 4);
    put(&w, M, 0x644, 0);
    assert_reg(&w, M, 0x645, 0);
    assert_int_equal(wrote(&w, 0x645, UINT64_MAX), 0x444);
    world_end(&w);
}

static void henvcfg_shows_only_what_menvcfg_grants(void **state)
{
    struct world w;
    const uint64_t gated = UINT64_C(0xe8) << 56 | 8, all = gated | UINT64_C(3) << 32 | 0xf5;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x60a, UINT64_MAX), all & ~gated);
    assert_int_equal(wrote(&w, 0x30a, UINT64_MAX), all | BIT(60));
    assert_int_equal(wrote(&w, 0x60a, UINT64_MAX), all);
    put(&w, M, 0x10a, 8);
    put(&w, M, 0x30a, all & ~BIT(63));
    assert_reg(&w, M, 0x60a, all & ~BIT(63));
    put(&w, M, 0x60a, 0);
    assert_reg(&w, VS, 0x10a, 0); /* senvcfg.SSE when V=1 and henvcfg.SSE=0 */
    put(&w, VS, 0x10a, 1);
    assert_reg(&w, S, 0x10a, 9);
    put(&w, M, 0x30a, 0);
    assert_reg(&w, S, 0x10a, 1);
    world_end(&w);
    world_new(&w, "rv32");
    put(&w, M, 0x31a, UINT32_MAX);
    assert_reg(&w, M, 0x31a, 0xb8000000); /* no Svpbmt, no PMM on RV32 */
    assert_int_equal(wrote(&w, 0x61a, UINT32_MAX), 0xa8000000);
    world_end(&w);
}

static void reserved_encodings_leave_a_field_as_it_was(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    put(&w, M, 0x30a, 3 << 4 | UINT64_C(3) << 32);
    assert_int_equal(wrote(&w, 0x30a, 2 << 4 | UINT64_C(1) << 32), 3 << 4 | UINT64_C(3) << 32);
    assert_int_equal(wrote(&w, 0x30a, 1 << 4 | UINT64_C(2) << 32), 1 << 4 | UINT64_C(2) << 32);
    put(&w, M, 0x600, UINT64_C(2) << 48);
    assert_int_equal(wrote(&w, 0x600, UINT64_C(1) << 48) >> 48, 2);
    assert_int_equal(get(&w, M, 0x600) >> 32 & 3, 2); /* VSXL */
    world_end(&w);
}

static void hstateen_hides_what_mstateen_hides(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x60c, UINT64_MAX), 0);
    assert_int_equal(wrote(&w, 0x30c, UINT64_MAX), UINT64_C(0xd) << 60);
    assert_int_equal(wrote(&w, 0x60c, UINT64_MAX), UINT64_C(0xd) << 60);
    put(&w, M, 0x30c, BIT(63));
    assert_reg(&w, M, 0x60c, BIT(63));
    assert_int_equal(wrote(&w, 0x30d, UINT64_MAX), BIT(63));
    assert_int_equal(wrote(&w, 0x10c, UINT64_MAX), 0);
    world_end(&w);
}

static uint64_t cfg(struct world *w, unsigned i) { return get(w, M, 0x3a0 + i / 8 * 2) >> i % 8 * 8 & 0xff; }
static void set_cfg(struct world *w, unsigned i, uint64_t v)
{
    unsigned num = 0x3a0 + i / 8 * 2, shift = i % 8 * 8;
    put(w, M, num, (get(w, M, num) & ~(UINT64_C(0xff) << shift)) | v << shift);
}

static void locked_pmp_entries_and_the_base_of_a_locked_range_stay(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    put(&w, M, 0x3b2, 100);
    put(&w, M, 0x3b3, 200);
    set_cfg(&w, 3, 0x8f); /* locked, TOR */
    assert_int_equal(wrote(&w, 0x3b3, 1), 200);
    assert_int_equal(wrote(&w, 0x3b2, 1), 100);
    assert_int_equal(wrote(&w, 0x3b4, 1), 1);
    put(&w, M, 0x3a0, UINT64_C(0x1f1f1f1f1f1f1f1f)); /* the others of the register can be written */
    assert_reg(&w, M, 0x3a0, UINT64_C(0x1f1f1f1f8f1f1f1f));
    assert_int_equal(wrote(&w, 0x747, 4), 0); /* RLB cannot be set any more */
    set_cfg(&w, 60, 0x62);                    /* reserved bits; R=0 W=1 */
    assert_int_equal(cfg(&w, 60), 0);
    world_end(&w);
}

static void smepmp_locks_down(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(wrote(&w, 0x747, 4), 4);
    set_cfg(&w, 0, 0x9f);
    set_cfg(&w, 0, 0x1f); /* RLB: a locked rule can be changed */
    assert_int_equal(cfg(&w, 0), 0x1f);
    set_cfg(&w, 0, 0x9f);
    assert_int_equal(wrote(&w, 0x747, 0), 0);
    assert_int_equal(wrote(&w, 0x747, 4), 0);
    set_cfg(&w, 0, 0);
    assert_int_equal(cfg(&w, 0), 0x9f);
    assert_int_equal(wrote(&w, 0x747, 1), 1);
    assert_int_equal(wrote(&w, 0x747, 2), 3);
    for (unsigned lrwx = 0; lrwx < 16; lrwx++) { /* new rules with MML=1, RLB=0: none that M could execute */
        bool r = lrwx & 1, wr = lrwx & 2, x = lrwx & 4, l = lrwx & 8;
        bool executes = l && ((x && !(r && wr)) || (!r && wr));
        uint64_t v = (l ? 0x80u : 0) | 0x18 | (lrwx & 7);
        set_cfg(&w, 16 + lrwx, v);
        assert_int_equal(cfg(&w, 16 + lrwx), executes ? 0 : v);
    }
    world_end(&w);
}

static void a_coarse_pmp_grain_shows_in_the_addresses(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,pmp-grain=3");
    put(&w, M, 0x3b0, 0x105);
    assert_reg(&w, M, 0x3b0, 0x100); /* OFF: bits 2:0 are zeros */
    set_cfg(&w, 0, 0x18);
    assert_reg(&w, M, 0x3b0, 0x107); /* NAPOT: bits 1:0 are ones; bit 2 kept its value */
    set_cfg(&w, 0, 0x10);            /* NA4 cannot be selected */
    assert_int_equal(cfg(&w, 0), 0x18);
    world_end(&w);
    world_new(&w, "rv32,pmp=16");
    put(&w, M, 0x3a1, 0x1f1f1f1f);
    assert_reg(&w, M, 0x3a1, 0x1f1f1f1f);
    assert_reg(&w, M, 0x3a0, 0);
    assert_int_equal(w.r.pmpcfg[0] >> 32, 0x1f1f1f1f);
    world_end(&w);
}

static void counters_and_their_settings(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,hpm=4");
    assert_int_equal(wrote(&w, 0x320, UINT64_MAX), 0x7d);
    assert_int_equal(wrote(&w, 0x306, UINT64_MAX), 0x7f);
    assert_int_equal(wrote(&w, 0x106, UINT64_MAX), 0x7f);
    assert_int_equal(wrote(&w, 0xb06, 5), 5);
    assert_int_equal(wrote(&w, 0xb07, 5), 0);
    assert_int_equal(wrote(&w, 0x326, UINT64_MAX), UINT64_C(0xfc000000000fffff));
    assert_int_equal(wrote(&w, 0x327, UINT64_MAX), 0);
    assert_int_equal(wrote(&w, 0x321, UINT64_MAX), UINT64_C(0x7c) << 56);
    put(&w, M, 0x30a, BIT(60));
    put(&w, M, 0x306, 0x48);
    put(&w, S, 0x120, 0); /* only delegated counters */
    assert_reg(&w, M, 0x320, 0x35);
    put(&w, M, 0x150, 0x46);
    put(&w, S, 0x151, 77);
    assert_int_equal(w.counter[6], 77);
    assert_reg(&w, S, 0x152, UINT64_C(0xbc000000000fffff)); /* MINH cannot be seen… */
    put(&w, S, 0x152, 0);
    assert_reg(&w, M, 0x326, BIT(62)); /* …nor changed */
    world_end(&w);
    world_new(&w, "rv32");
    w.counter[0] = UINT64_C(0x1122334455667788);
    assert_reg(&w, U, 0xc00, 0x55667788);
    assert_reg(&w, U, 0xc80, 0x11223344);
    put(&w, M, 0xb80, 5);
    put(&w, M, 0xb00, 6);
    assert_int_equal(w.counter[0], UINT64_C(5) << 32 | 6);
    w.time = UINT64_MAX;
    put(&w, M, 0x605, 2);
    assert_reg(&w, VS, 0xc81, 0);
    assert_reg(&w, VS, 0xc01, 1);
    assert_reg(&w, S, 0xc81, UINT32_MAX);
    put(&w, M, 0x306, UINT32_MAX);
    put(&w, M, 0x31a, BIT(28));
    put(&w, M, 0x150, 0x45);
    put(&w, S, 0x155, 9);
    put(&w, S, 0x151, 8);
    assert_int_equal(w.counter[5], UINT64_C(9) << 32 | 8);
    put(&w, S, 0x156, UINT32_MAX);
    assert_reg(&w, M, 0x725, 0xbc000000);
    world_end(&w);
}

static void floating_point_registers_share_their_bits(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(put(&w, M, 0x003, 0xffff), CSR_FX_FP);
    assert_reg(&w, M, 0x003, 0xff);
    assert_int_equal(w.fflags, 0x1f);
    assert_int_equal(w.r.frm, 7);
    assert_int_equal(put(&w, M, 0x002, 2), CSR_FX_FP);
    assert_int_equal(put(&w, M, 0x002, 2), CSR_FX_FP); /* dirty again */
    assert_reg(&w, M, 0x003, 0x5f);
    world_end(&w);
}

static void reset_values(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64,smrnmi=on");
    assert_reg(&w, M, 0x301, UINT64_C(0x80000000001411af));
    assert_reg(&w, M, 0xf14, 7);
    assert_reg(&w, M, 0x14d, UINT64_MAX);
    assert_reg(&w, M, 0x744, 0);
    assert_int_equal(wrote(&w, 0x744, UINT64_MAX), 0x1a88);
    assert_int_equal(wrote(&w, 0x744, 0), 0x0008);
    world_end(&w);
    world_new(&w, "rv32,h=off,zba=off");
    assert_reg(&w, M, 0x301, 0x4014112d);
    assert_reg(&w, M, 0x15d, UINT32_MAX);
    world_end(&w);
}

static void effects_tell_what_to_look_at(void **state)
{
    struct world w;
    (void)state;
    world_new(&w, "rv64");
    assert_int_equal(put(&w, M, 0x140, 5), 0);
    assert_int_equal(put(&w, S, 0x100, 2), CSR_FX_IRQ);
    assert_int_equal(put(&w, S, 0x100, 2 | BIT(18)), CSR_FX_TLB);
    assert_int_equal(put(&w, M, 0x300, BIT(11) | BIT(39)), CSR_FX_TLB | CSR_FX_IRQ); /* SUM, SIE go; MPP alone would not matter */
    assert_int_equal(put(&w, M, 0x300, 0), 0);
    assert_int_equal(put(&w, M, 0x300, BIT(17)), CSR_FX_TLB);
    assert_int_equal(put(&w, M, 0x300, BIT(17) | BIT(11)), CSR_FX_TLB);
    assert_int_equal(put(&w, M, 0x300, BIT(17) | BIT(11) | BIT(13)), CSR_FX_FP);
    assert_int_equal(put(&w, S, 0x180, UINT64_C(8) << 60), CSR_FX_TLB);
    assert_int_equal(put(&w, VS, 0x180, UINT64_C(8) << 60), CSR_FX_TLB);
    assert_int_equal(put(&w, M, 0x30a, BIT(63)), CSR_FX_TIMER | CSR_FX_IRQ);
    assert_int_equal(put(&w, S, 0x14d, 5), CSR_FX_TIMER | CSR_FX_IRQ);
    assert_int_equal(put(&w, M, 0x3b0, 5), CSR_FX_TLB | CSR_FX_FLUSH);
    assert_int_equal(put(&w, S, 0x600, BIT(7)), 0); /* SPV: nothing until sret */
    assert_int_equal(put(&w, M, 0x30a, BIT(63) | BIT(2)), CSR_FX_FETCH);
    assert_int_equal(put(&w, M, 0xb00, 0), CSR_FX_COUNT);
    world_end(&w);
}

/* What a write of ones leaves after reset, from the manual's figures: the fields of what is off are not there. */
static void ones_stick_only_in_fields_that_are_there(void **state)
{
    static const struct {
        const char *cfg;
        uint16_t num;
        uint64_t value;
    } cases[] = {
        {"rv64", 0x300, 0x800002ca00fe79aa},
        {"rv64,h=off", 0x300, 0x8000020a00fe79aa},
        {"rv64,s=off", 0x300, 0x8000020200227888},
        {"rv64,f=off", 0x300, 0x000002ca00fe19aa},
        {"rv64,zicfilp=off", 0x300, 0x800000ca007e79aa},
        {"rv32", 0x300, 0x80fe79aa},
        {"rv32", 0x310, 0x2c0},
        {"rv32,smdbltrp=on", 0x310, 0x6c0},
        {"rv32,h=off", 0x310, 0x200},
        {"rv64", 0x100, 0x80000002008c6122},
        {"rv64", 0x200, 0x80000002008c6122},
        {"rv32", 0x100, 0x808c6122},
        {"rv32", 0x200, 0x808c6122},
        {"rv64", 0x304, 0x3eee},
        {"rv64,h=off", 0x304, 0x2aaa},
        {"rv64,s=off", 0x304, 0x888},
        {"rv64,sscofpmf=off", 0x304, 0x1eee},
        {"rv64", 0x344, 0x2226},
        {"rv64,h=off", 0x344, 0x2222},
        {"rv64,s=off", 0x344, 0},
        {"rv64", 0x303, 0x3666},
        {"rv64,h=off", 0x303, 0x2222},
        {"rv64,h=off,sscofpmf=off", 0x303, 0x222},
        {"rv64", 0x302, 0xfcb7fe},
        {"rv64,h=off", 0x302, 0x0cb3fe},
        {"rv64,zicfilp=off,zicfiss=off", 0x302, 0xf8b7fe},
        {"rv64", 0x306, 0xffffffff},
        {"rv64,zihpm=off", 0x306, 7},
        {"rv64", 0x320, 0xfffffffd},
        {"rv64,zihpm=off", 0x320, 5},
        {"rv64", 0x30a, 0xf8000003000000fd},
        {"rv64,s=off", 0x30a, 0x3000000f5},
        {"rv64,zicbom=off,zicboz=off", 0x30a, 0xf80000030000000d},
        {"rv64,sstc=off,svadu=off,smnpm=off", 0x30a, 0x58000000000000fd},
        {"rv64,svpbmt=off,ssdbltrp=off,smcdeleg=off", 0x30a, 0xa0000003000000fd},
        {"rv64", 0x10a, 0x3000000f5},
        {"rv64,ssnpm=off", 0x10a, 0xf5},
        {"rv64", 0x600, 0x00030002007003c0},
        {"rv32", 0x600, 0x007003c0},
        {"rv64", 0x747, 0x300000707},
        {"rv64,smmpm=off,zkr=off", 0x747, 0x407},
        {"rv64,smepmp=off,s=off", 0x747, 0x300000500},
        {"rv32", 0x757, 0},
        {"rv64", 0x323, 0xfc000000000fffff},
        {"rv64,h=off", 0x323, 0xf0000000000fffff},
        {"rv64,sscofpmf=off", 0x323, 0xfffff},
        {"rv64", 0x321, UINT64_C(0x7c) << 56},
        {"rv64,h=off", 0x322, UINT64_C(0x70) << 56},
        {"rv64,s=off", 0x321, UINT64_C(0x50) << 56},
        {"rv64,s=off,u=off", 0x321, UINT64_C(0x40) << 56},
        {"rv64", 0x305, ~UINT64_C(3)},
        {"rv32", 0x180, 0xffffffff},
        {"rv32", 0x31c, 0xd1000000},
        {"rv32,h=off", 0x31c, 0xd0000000},
        {"rv64,sscsrind=off", 0x30c, UINT64_C(0xc) << 60},
        {"rv64", 0x150, 0xfff},
        {"rv64", 0x350, 0},
        {"rv64,h=off", 0x34b, UINT64_MAX},
        {"rv64", 0x645, 0x444},
        {"rv64", 0x607, 0xfffffffe},
        {"rv64", 0x3b0, UINT64_MAX >> 10},
        {"rv32", 0x3b0, UINT32_MAX},
        {"rv32", 0x011, 0xfffffffc},
        {"rv64", 0x342, UINT64_MAX},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        world_new(&w, cases[i].cfg);
        assert_true(csr_exists(w.map, cases[i].num));
        put(&w, M, cases[i].num, UINT64_MAX);
        assert_reg(&w, M, cases[i].num, cases[i].value);
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ones_stick_only_in_fields_that_are_there),
        cmocka_unit_test(previous_privilege_holds_only_modes_that_are_there),
        cmocka_unit_test(mstatus_fields_follow_the_configuration),
        cmocka_unit_test(sdt_needs_dte_and_clears_sie),
        cmocka_unit_test(mdt_is_set_at_reset_and_keeps_mie_clear),
        cmocka_unit_test(an_unsupported_satp_mode_makes_the_write_void),
        cmocka_unit_test(an_unsupported_hgatp_mode_leaves_the_other_fields_writable),
        cmocka_unit_test(trap_vectors_and_return_addresses_are_aligned),
        cmocka_unit_test(the_seip_line_is_no_part_of_read_modify_write),
        cmocka_unit_test(stip_belongs_to_stimecmp_while_stce_is_set),
        cmocka_unit_test(guest_external_interrupts_reach_mip_by_hgeie_and_vgein),
        cmocka_unit_test(vs_interrupts_follow_hideleg),
        cmocka_unit_test(henvcfg_shows_only_what_menvcfg_grants),
        cmocka_unit_test(reserved_encodings_leave_a_field_as_it_was),
        cmocka_unit_test(hstateen_hides_what_mstateen_hides),
        cmocka_unit_test(locked_pmp_entries_and_the_base_of_a_locked_range_stay),
        cmocka_unit_test(smepmp_locks_down),
        cmocka_unit_test(a_coarse_pmp_grain_shows_in_the_addresses),
        cmocka_unit_test(counters_and_their_settings),
        cmocka_unit_test(floating_point_registers_share_their_bits),
        cmocka_unit_test(reset_values),
        cmocka_unit_test(effects_tell_what_to_look_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
