/* Rules of single instructions, each one that was once broken, run on a hart. */
#include "hart_rig.h"

enum { T0 = 5, T1 = 6, A0 = 10, A1 = 11, A2 = 12 };

#define FS_DIRTY (UINT64_C(3) << 13)
#define FS_CLEAN (UINT64_C(2) << 13)

static uint32_t csr_op(unsigned f3, unsigned rd, unsigned num, unsigned rs1)
{
    return num << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x73;
}
static uint32_t lr_d(unsigned rd, unsigned rs1) { return 0x1000302f | rs1 << 15 | rd << 7; }
static uint32_t sc_d(unsigned rd, unsigned rs2, unsigned rs1) { return 0x1800302f | rs2 << 20 | rs1 << 15 | rd << 7; }
static uint32_t sd(unsigned rs2, unsigned rs1) { return rs2 << 20 | rs1 << 15 | 0x3023; }
static uint32_t ld(unsigned rd, unsigned rs1) { return rs1 << 15 | rd << 7 | 0x3003; }
static uint32_t addi(unsigned rd, unsigned rs1, unsigned imm) { return imm << 20 | rs1 << 15 | rd << 7 | 0x13; }

/* ---- floating-point state
 * -------------------------------------------------------------------------------------------------------- */

/* priv 3.1.6.6: what changes fcsr makes FS Dirty, when V=1 in vsstatus, too (hypervisor "vsstatus"). */
static void a_write_to_fcsr_makes_fs_dirty(void **state)
{
    static const unsigned nums[] = {1, 2, 3};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(nums); i++) {
        for (uint8_t v = 0; v < 2; v++) {
            struct rig *r = rig_new(64, "");
            struct rv_csrs *c = &r->h[0]->s.csr;
            c->mstatus |= FS_CLEAN;
            c->vsstatus |= FS_CLEAN;
            rig_mode(r, 0, v ? RV_S : RV_M, v);
            assert_int_equal(rig_do(r, 0, csr_op(2, A0, nums[i], 0)), -1);
            assert_int_equal(c->mstatus & FS_DIRTY, FS_CLEAN); /* only read */
            assert_int_equal(rig_do(r, 0, csr_op(5, A0, nums[i], 1)), -1);
            assert_int_equal(c->mstatus & FS_DIRTY, FS_DIRTY);
            assert_int_equal(c->vsstatus & FS_DIRTY, v ? FS_DIRTY : FS_CLEAN);
            rig_free(r);
        }
    }
}

/* An instruction that takes the slow way each time must not use up the host's stack. */
static void a_long_loop_in_a_mode_the_host_lacks_runs_in_constant_space(void **state)
{
    (void)state;
    struct rig *r = rig_new(64, "");
    struct hart *h = r->h[0];
    h->s.csr.mstatus |= FS_DIRTY;
    h->s.csr.frm = 4; /* RMM */
    rig_mode(r, 0, RV_M, 0);
    rig_put(r, CODE, 0x0010f0d3, 4);     /* fadd.s f1, f1, f1, dyn */
    rig_put(r, CODE + 4, 0xffdff06f, 4); /* j -4 */
    rig_run(r, 0, 2000000);
    assert_int_equal(h->s.pc, CODE);
    rig_free(r);
}

/* ---- LR and SC
 * ---------------------------------------------------------------------------------------------------------------------- */

/* unpriv Zalrsc: no SC retires unless it passes the permission checks, also one that would fail. */
static void a_failing_sc_still_needs_permission_to_store(void **state)
{
    (void)state;
    struct rig *r = rig_new(64, "");
    struct hart *h = r->h[0];
    h->s.x[A1] = 0x100; /* nothing is there */
    assert_int_equal(rig_do(r, 0, sc_d(A0, A2, A1)), EXC_STORE_ACCESS);
    assert_int_equal(h->s.csr.mtval, 0x100);
    h->s.x[A1] = DATA;
    assert_int_equal(rig_do(r, 0, sc_d(A0, A2, A1)), -1);
    assert_int_equal(h->s.x[A0], 1);
    h->s.x[A1] = DATA + 4;
    assert_int_equal(rig_do(r, 0, sc_d(A0, A2, A1)), EXC_STORE_MISALIGNED);
    rig_free(r);
}

static uint64_t sc_after_a_store_of_the_other_hart(struct rig *r, uint64_t value)
{
    r->h[1]->s.x[A1] = DATA;
    r->h[1]->s.x[A2] = value;
    assert_int_equal(rig_do(r, 1, sd(A2, A1)), -1);
    assert_int_equal(rig_do(r, 0, sc_d(A0, A2, A1)), -1);
    return r->h[0]->s.x[A0];
}

static struct rig *reserved(void)
{
    struct rig *r = rig_new(64, "");
    r->h[0]->s.x[A1] = DATA;
    assert_int_equal(rig_do(r, 0, lr_d(A0, A1)), -1);
    return r;
}

/* unpriv Zalrsc: a store of another hart to the set, whatever it stores. */
static void a_store_of_another_hart_breaks_a_reservation(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 2; value++) { /* memory holds 0 */
        struct rig *r = reserved();
        assert_int_equal(sc_after_a_store_of_the_other_hart(r, value), 1);
        rig_free(r);
    }
}

static void a_fork_keeps_watch_over_reservations(void **state)
{
    (void)state;
    struct rig *r = reserved(), *f = rig_fork(r);
    assert_int_equal(sc_after_a_store_of_the_other_hart(f, 1), 1);
    rig_free(f);
    rig_free(r);
}

static void ask(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n)
{
    (void)pa;
    (void)n;
    if (by)
        e->running->resync = true;
}

/* A store to a watched page, whatever instruction makes it, hands over to the machine right behind it: how long the run was to be
   must not decide when. */
static void every_store_to_a_watched_page_can_end_the_run(void **state)
{
    static const uint32_t insns[] = {0x00c5b023, 0x00c5b52f, 0x08c5b52f, 0x28c5b52f, 0x28c5c72f, 0x18c5b52f};
    /* sd, amoadd.d, amoswap.d, amocas.d, amocas.q, sc.d; x12 to (x11) */
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(insns); i++) {
        struct rig *r = reserved();
        struct hart *h = r->h[0];
        r->engine->watch = ask;
        rig_put(r, CODE, insns[i], 4);
        h->s.pc = CODE;
        h->s.x[A2] = 1;
        *mem_page_flags(r->mem, DATA) |= MEM_WATCH;
        engine_protect(r->engine, DATA);
        assert_int_equal(hart_run(h, h->s.cycle + 100), CPU_STOP_RESYNC);
        assert_int_equal(h->s.pc, CODE + 4);
        assert_int_equal(rig_get(r, DATA, 8), 1);
        rig_free(r);
    }
}

/* ---- accesses that cross a page
 * --------------------------------------------------------------------------------------------------- */

/* priv 3.6.3.3: a device takes no misaligned access, and sees no part of one; mtval is the part that fails (priv 3.1.16). */
static void an_access_that_reaches_into_a_device_has_no_effect(void **state)
{
    (void)state;
    for (unsigned back = 1; back < 8; back++) {
        struct rig *r = rig_new(64, "");
        struct hart *h = r->h[0];
        h->s.x[A1] = IO - back;
        h->s.x[A2] = UINT64_MAX;
        assert_int_equal(rig_do(r, 0, ld(A0, A1)), EXC_LOAD_ACCESS);
        assert_int_equal(h->s.csr.mtval, IO);
        assert_int_equal(rig_do(r, 0, sd(A2, A1)), EXC_STORE_ACCESS);
        assert_int_equal(h->s.csr.mtval, IO);
        assert_int_equal(rig_get(r, IO - 8, 8), 0);
        h->s.x[A1] = IO + MEM_PAGE_SIZE - back;
        assert_int_equal(rig_do(r, 0, ld(A0, A1)), EXC_LOAD_ACCESS);
        assert_int_equal(h->s.csr.mtval, IO + MEM_PAGE_SIZE - back);
        assert_int_equal(rig_do(r, 0, sd(A2, A1)), EXC_STORE_ACCESS);
        assert_int_equal(r->io_reads + r->io_writes, 0);
        rig_free(r);
    }
}

/* ---- fetches
 * ------------------------------------------------------------------------------------------------------------------------- */

/* Stores to page tables are seen at once by fetches, too: how a run is cut into pieces must not decide it. */
static void code_that_unmaps_itself_faults_at_the_next_instruction(void **state)
{
    (void)state;
    for (uint64_t piece = 1; piece <= 8; piece++) {
        struct rig *r = rig_new(64, "");
        struct hart *h = r->h[0];
        uint64_t leaf = TABLES + 0x2000;
        rig_put(r, TABLES + 2 * 8, (TABLES + 0x1000) >> 2 | 1, 8);
        rig_put(r, TABLES + 0x1000, leaf >> 2 | 1, 8);
        for (unsigned i = 0; i < 512; i++)
            rig_put(r, leaf + i * 8, (RAM + (uint64_t)i * MEM_PAGE_SIZE) >> 2 | 0xcf, 8);
        rig_put(r, CODE, addi(T0, T0, 1), 4);
        rig_put(r, CODE + 4, sd(0, A1), 4);
        for (unsigned i = 2; i < 16; i++)
            rig_put(r, CODE + i * 4, addi(T0, T0, 1), 4);
        h->s.csr.satp = UINT64_C(8) << 60 | TABLES >> 12;
        h->s.x[A1] = leaf; /* the entry of the page of CODE */
        rig_mode(r, 0, RV_S, 0);
        while (h->s.priv == RV_S)
            rig_run(r, 0, piece);
        assert_int_equal(h->s.csr.mcause, EXC_INSN_PAGE);
        assert_int_equal(h->s.csr.mepc, CODE + 8);
        assert_int_equal(h->s.x[T0], 1);
        rig_free(r);
    }
}

/* priv 3.6.2: what memory can be fetched from is a PMA. The devices of this program can't: no fetch has an effect on them. */
static void devices_hold_no_code(void **state)
{
    (void)state;
    struct rig *r = rig_new(64, "");
    rig_mode(r, 0, RV_M, 0);
    r->h[0]->s.pc = IO;
    rig_run(r, 0, 1);
    assert_int_equal(r->h[0]->s.csr.mcause, EXC_INSN_ACCESS);
    assert_int_equal(r->h[0]->s.csr.mtval, IO);
    assert_int_equal(r->io_reads, 0);
    rig_free(r);
}

/* A page that nobody wrote is read from zeros that are shared. The first store moves it, and what others cached of it must
 * follow. */
static void a_load_follows_a_page_that_its_first_store_moved(void **state)
{
    (void)state;
    struct rig *r = rig_new(64, "");
    uint32_t ld = 3 << 12 | A1 << 15 | A2 << 7 | 0x03;
    for (unsigned n = 0; n < RIG_HARTS; n++) {
        rig_mode(r, n, RV_M, 0);
        r->h[n]->s.x[A1] = DATA + 0x3000;
    }
    assert_int_equal(rig_do(r, 0, ld), -1);
    assert_int_equal(r->h[0]->s.x[A2], 0);
    r->h[1]->s.x[A2] = 0x77;
    assert_int_equal(rig_do(r, 1, sd(A2, A1)), -1);
    assert_int_equal(rig_do(r, 0, ld), -1);
    assert_int_equal(r->h[0]->s.x[A2], 0x77);
    rig_free(r);
}

/* The tag of an empty entry of the soft TLB must equal no address with its misaligned bits: page 0 is where it once did, and a
   guest read the host's memory. */
static void misaligned_accesses_to_page_0_find_nothing_there(void **state)
{
    (void)state;
    for (uint32_t store = 0; store < 2; store++) {
        for (uint32_t size = 1; size < 4; size++) {
            for (uint64_t address = 0; address < 8; address++) {
                struct rig *r = rig_new(64, "");
                struct hart *h = r->h[0];
                rig_mode(r, 0, RV_M, 0);
                rig_put(r, CODE, size << 12 | A1 << 15 | (store ? A2 << 20 | 0x23 : A2 << 7 | 0x03), 4);
                h->s.x[A1] = address;
                rig_run(r, 0, 1);
                assert_int_equal(h->s.csr.mcause, store ? EXC_STORE_ACCESS : EXC_LOAD_ACCESS);
                assert_int_equal(h->s.csr.mtval, address);
                rig_free(r);
            }
        }
    }
}

/* Code that goes on changing itself has its decoded pages dropped again and again: they must not pile up until the run ends. */
static void dropped_pages_do_not_pile_up_within_a_run(void **state)
{
    (void)state;
    struct rig *r = rig_new(64, "");
    struct hart *h = r->h[0];
    rig_mode(r, 0, RV_M, 0);
    rig_put(r, CODE, addi(A2, A2, 1), 4);
    rig_put(r, CODE + 4, sd(A2, A1), 4);
    rig_put(r, CODE + 8, 0xff9ff06f, 4); /* j -8 */
    h->s.x[A1] = CODE + 0x800;
    rig_run(r, 0, 30000);
    unsigned dead = 0;
    for (const struct code_page *p = r->engine->dead; p; p = p->hash_next)
        dead++;
    assert_true(dead < 2);
    rig_free(r);
}

/* ---- shadow stacks
 * ------------------------------------------------------------------------------------------------------------------ */

/* unpriv Zicfiss: c.sspush and c.sspopchk are there if Zcmop is; ssamoswap needs S-mode. */
static void shadow_stack_instructions_need_what_they_are_coded_in(void **state)
{
    (void)state;
    for (unsigned zcmop = 0; zcmop < 2; zcmop++) {
        struct rig *r = rig_new(64, zcmop ? "" : "zcmop=off");
        assert_int_equal(rig_do(r, 0, 0x6081), zcmop ? -1 : EXC_ILLEGAL);
        assert_int_equal(rig_do(r, 0, 0x6281), zcmop ? -1 : EXC_ILLEGAL);
        rig_free(r);
    }
    struct rig *r = rig_new(64, "s=off");
    r->h[0]->s.x[A1] = DATA;
    assert_int_equal(rig_do(r, 0, 0x4800302f | A1 << 15), EXC_ILLEGAL);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_to_fcsr_makes_fs_dirty),
        cmocka_unit_test(a_failing_sc_still_needs_permission_to_store),
        cmocka_unit_test(a_store_of_another_hart_breaks_a_reservation),
        cmocka_unit_test(every_store_to_a_watched_page_can_end_the_run),
        cmocka_unit_test(a_fork_keeps_watch_over_reservations),
        cmocka_unit_test(an_access_that_reaches_into_a_device_has_no_effect),
        cmocka_unit_test(code_that_unmaps_itself_faults_at_the_next_instruction),
        cmocka_unit_test(devices_hold_no_code),
        cmocka_unit_test(a_load_follows_a_page_that_its_first_store_moved),
        cmocka_unit_test(misaligned_accesses_to_page_0_find_nothing_there),
        cmocka_unit_test(dropped_pages_do_not_pile_up_within_a_run),
        cmocka_unit_test(shadow_stack_instructions_need_what_they_are_coded_in),
        cmocka_unit_test(a_long_loop_in_a_mode_the_host_lacks_runs_in_constant_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
