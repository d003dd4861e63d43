/* Changes of RAM from outside the harts, as DMA, a debugger or a loader make them: code is decoded anew, page tables are walked
 * anew, reservations are lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"

#define RAM                UINT64_C(0x80000000)
#define LR_D(rd, rs1)      (0x1000302fu | (rs1) << 15 | (rd) << 7)
#define SC_D(rd, rs2, rs1) (0x1800302fu | (rs2) << 20 | (rs1) << 15 | (rd) << 7)

/* a0 = 1 forever, until somebody changes the instruction. */
static void code_changed_from_outside_is_what_runs_next(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    addi(&g, A0, ZERO, 1);
    jump(&g, 0);
    struct machine *m = guest_machine(&g, NULL);
    for (unsigned i = 1; i < 200; i++) {
        uint64_t a0;
        uint32_t insn = i_type((int)i, ZERO, 0, A0, 0x13);
        machine_run(m, 100 + i);
        assert_true(machine_write(m, RAM, &insn, 4));
        machine_run(m, 4);
        assert_true(machine_get_reg(m, 0, "a0", &a0));
        assert_int_equal(a0, i);
    }
    machine_free(m);
}

/* lr.d, a long wait, sc.d: the wait leaves room for a change. */
static struct machine *reserving(void)
{
    struct guest g = {.n = 0};
    auipc(&g, S0, 0x10);
    andi(&g, S0, S0, -64);
    put_insn(&g, LR_D(A1, S0));
    addi(&g, T0, ZERO, 500);
    unsigned loop = g.n;
    addi(&g, T0, T0, -1);
    bne(&g, T0, ZERO, loop);
    addi(&g, A2, ZERO, 77);
    put_insn(&g, SC_D(A0, A2, S0));
    jump(&g, g.n);
    return guest_machine(&g, NULL);
}

/* The outcome of sc after bytes at the reservation plus `at` were written; n 0: nothing was. */
static uint64_t outcome(uint64_t at, unsigned n, uint8_t byte)
{
    struct machine *m = reserving();
    uint64_t s0, a0;
    uint8_t bytes[64];
    memset(bytes, byte, sizeof bytes);
    machine_run(m, 50);
    assert_true(machine_get_reg(m, 0, "s0", &s0));
    if (n)
        assert_true(machine_write(m, s0 + at, bytes, n));
    machine_run(m, 2000);
    assert_true(machine_get_reg(m, 0, "a0", &a0));
    machine_free(m);
    return a0;
}

static void a_reservation_is_lost_when_its_bytes_are_written_from_outside(void **state)
{
    (void)state;
    assert_int_equal(outcome(0, 0, 0), 0);
    for (unsigned at = 0; at < 8; at++)
        assert_int_not_equal(outcome(at, 1, 1), 0);
    assert_int_not_equal(outcome(0, 8, 0), 0); /* the same bytes again are a store, too */
    assert_int_equal(outcome(0x2000, 64, 1), 0);
}

/* The same in a fork, and in a machine that was forked from. */
static void a_reservation_is_lost_in_forks_alike(void **state)
{
    (void)state;
    for (unsigned in_fork = 0; in_fork < 2; in_fork++) {
        struct machine *m = reserving();
        uint64_t s0, a0, other, v = 1;
        machine_run(m, 50);
        struct machine *f = machine_fork(m);
        assert_true(machine_get_reg(m, 0, "s0", &s0));
        assert_true(machine_write(in_fork ? f : m, s0, &v, 8));
        machine_run(m, 2000);
        machine_run(f, 2000);
        assert_true(machine_get_reg(in_fork ? f : m, 0, "a0", &a0));
        assert_true(machine_get_reg(in_fork ? m : f, 0, "a0", &other));
        assert_int_not_equal(a0, 0);
        assert_int_equal(other, 0);
        machine_free(m);
        machine_free(f);
    }
}

/* S-mode reads through a gigapage whose entry is changed from outside. */
static void page_tables_changed_from_outside_hold_at_once(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    enum { ROOT = 0x80100, SATP = 0x180, PMPADDR0 = 0x3b0, PMPCFG0 = 0x3a0 };
    addi(&g, T0, ZERO, -1);
    csrw(&g, PMPADDR0, T0);
    addi(&g, T0, ZERO, 31);
    csrw(&g, PMPCFG0, T0);
    lui(&g, T0, ROOT); /* satp = Sv39 | ROOT */
    slli(&g, T0, T0, 32);
    put_insn(&g, i_type(44, T0, 5, T0, 0x13)); /* srli */
    addi(&g, T1, ZERO, 8);
    slli(&g, T1, T1, 60);
    add(&g, T0, T0, T1);
    csrw(&g, SATP, T0);
    lui(&g, S0, 0x40000); /* the address that is read */
    addi(&g, T0, ZERO, 1);
    slli(&g, T0, T0, 11);
    csrw(&g, CSR_MSTATUS, T0); /* MPP = S */
    unsigned at = la(&g, T0, 0);
    csrw(&g, CSR_MEPC, T0);
    mret(&g);
    patch_la(&g, at, g.n);
    unsigned loop = g.n;
    ld(&g, A0, 0, S0);
    jump(&g, loop);
    struct machine *m = guest_machine(&g, NULL);
    uint64_t identity = UINT64_C(0x80000000) >> 2 | 0xcf, window, root = RAM + 0x100000;
    assert_true(machine_write(m, root + 16, &identity, 8));
    uint64_t leaf_table = RAM + 0x101000, middle = RAM + 0x102000, v;
    v = middle >> 2 | 1;
    assert_true(machine_write(m, root + 8, &v, 8));
    v = leaf_table >> 2 | 1;
    assert_true(machine_write(m, middle, &v, 8));
    for (uint64_t i = 0; i < 40; i++) {
        uint64_t page = RAM + 0x110000 + i % 5 * 0x1000, value = i * 3 + 1, a0;
        window = page >> 2 | 0xcf;
        assert_true(machine_write(m, page, &value, 8));
        assert_true(machine_write(m, leaf_table, &window, 8));
        machine_run(m, i ? 5 : 60);
        assert_true(machine_get_reg(m, 0, "a0", &a0));
        assert_int_equal(a0, value);
    }
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_changed_from_outside_is_what_runs_next),
        cmocka_unit_test(a_reservation_is_lost_when_its_bytes_are_written_from_outside),
        cmocka_unit_test(a_reservation_is_lost_in_forks_alike),
        cmocka_unit_test(page_tables_changed_from_outside_hold_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
