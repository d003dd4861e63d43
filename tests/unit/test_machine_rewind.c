/* Rewinding a machine to another: whatever the other changed meanwhile is seen at once, although caches are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"

#define RAM      UINT64_C(0x80000000)
#define DATA     (RAM + 0x200000) /* two megapages: tables A and B map VA to the first and to the second */
#define TABLE(n) (RAM + 0x10000 + 0x2000 * (n))
#define VA       UINT64_C(0x40000000)

struct pair {
    struct machine *m, *f; /* f is rewound to m */
};

/* S-mode (or M, if `bare`) that loads (s0) into a0 again and again. */
static struct pair start(bool bare)
{
    struct guest g = {.n = 0};
    unsigned handler = la(&g, T0, 0);
    csrw(&g, CSR_MTVEC, T0);
    unsigned loop = la(&g, T0, 0);
    if (!bare) {
        csrw(&g, CSR_MEPC, T0);
        mret(&g);
    }
    patch_la(&g, loop, g.n);
    loop = g.n;
    ld(&g, A0, 0, S0);
    addi(&g, A1, A1, 1);
    jump(&g, loop);
    patch_la(&g, handler, g.n);
    addi(&g, S1, S1, 1);
    jump(&g, g.n);
    struct pair p = {.m = guest_machine(&g, NULL)};
    assert_non_null(p.m);
    for (unsigned n = 0; n < 2; n++) {
        /* Sv39: the root points to a table of megapages; another root entry maps the code where it is (D A X W R V). */
        uint64_t leaf = TABLE(n) + 0x1000, pte = leaf >> 2 | 1, code = RAM >> 2 | 0xcf, data = (DATA + n * 0x200000) >> 2 | 0xcf;
        assert_true(machine_write(p.m, TABLE(n) + 8 * (VA >> 30), &pte, 8));
        assert_true(machine_write(p.m, TABLE(n) + 8 * (RAM >> 30), &code, 8));
        assert_true(machine_write(p.m, leaf, &data, 8));
        uint64_t value = 100 + n;
        assert_true(machine_write(p.m, DATA + n * 0x200000, &value, 8));
    }
    assert_true(machine_set_reg(p.m, 0, "mstatus", 0x800));
    assert_true(machine_set_reg(p.m, 0, "pmpaddr0", UINT64_MAX));
    assert_true(machine_set_reg(p.m, 0, "pmpcfg0", 0x1f));
    assert_true(machine_set_reg(p.m, 0, "s0", bare ? DATA : VA));
    assert_true(machine_set_reg(p.m, 0, "satp", UINT64_C(8) << 60 | TABLE(0) >> 12));
    machine_run(p.m, 50);
    p.f = machine_fork(p.m);
    machine_run(p.f, 50); /* warm */
    machine_rewind(p.f, p.m);
    machine_run(p.f, 50);
    return p;
}

static void end(struct pair p)
{
    machine_free(p.m);
    machine_free(p.f);
}

static uint64_t reg(struct machine *m, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_get_reg(m, 0, name, &v));
    return v;
}

/* Rewinds and lets it run some instructions; also compares with a new fork. */
static void again(struct pair p)
{
    machine_rewind(p.f, p.m);
    assert_true(machine_digest(p.f) == machine_digest(p.m));
    struct machine *fresh = machine_fork(p.m);
    machine_run(p.f, 20);
    machine_run(fresh, 20);
    assert_true(machine_digest(p.f) == machine_digest(fresh));
    machine_free(fresh);
}

static void data_written_meanwhile_is_read(void **state)
{
    (void)state;
    for (unsigned bare = 0; bare < 2; bare++) {
        struct pair p = start(bare);
        assert_int_equal(reg(p.f, "a0"), 100);
        for (uint64_t value = 7; value < 11; value++) {
            assert_true(machine_write(p.m, DATA, &value, 8));
            again(p);
            assert_int_equal(reg(p.f, "a0"), value);
        }
        end(p);
    }
}

static void tables_written_meanwhile_are_walked(void **state)
{
    (void)state;
    struct pair p = start(false);
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t data = (DATA + (i + 1) % 2 * 0x200000) >> 2 | 0xcf;
        assert_true(machine_write(p.m, TABLE(0) + 0x1000, &data, 8));
        again(p);
        assert_int_equal(reg(p.f, "a0"), 100 + (i + 1) % 2);
    }
    end(p);
}

static void another_satp_is_used(void **state)
{
    (void)state;
    struct pair p = start(false);
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(machine_set_reg(p.m, 0, "satp", UINT64_C(8) << 60 | TABLE((i + 1) % 2) >> 12));
        again(p);
        assert_int_equal(reg(p.f, "a0"), 100 + (i + 1) % 2);
    }
    end(p);
}

static void code_written_meanwhile_is_run(void **state)
{
    (void)state;
    struct pair p = start(true);
    uint64_t loop = reg(p.m, "pc") & ~UINT64_C(15); /* somewhere in it */
    for (uint64_t at = loop; at < loop + 32; at += 4) {
        uint32_t insn;
        assert_true(machine_read(p.m, at, &insn, 4));
        if (insn == i_type(1, A1, 0, A1, 0x13))
            loop = at;
    }
    for (int i = 2; i < 5; i++) {
        uint32_t insn = i_type(i, A1, 0, A1, 0x13);
        assert_true(machine_write(p.m, loop, &insn, 4));
        again(p);
        uint64_t before = reg(p.f, "a1");
        machine_run(p.f, 30);
        assert_int_equal(reg(p.f, "a1") - before, 10 * i);
    }
    end(p);
}

static void another_pmp_protects(void **state)
{
    (void)state;
    struct pair p = start(false);
    for (unsigned i = 0; i < 2; i++) {
        again(p);
        assert_int_equal(reg(p.f, "s1"), 0);
        struct machine *before = machine_fork(p.m);
        assert_true(machine_set_reg(p.m, 0, "pmpaddr0", DATA >> 2)); /* nothing from DATA on */
        assert_true(machine_set_reg(p.m, 0, "pmpcfg0", 0x0f));
        again(p);
        assert_int_equal(reg(p.f, "s1"), 1);
        assert_int_equal(reg(p.f, "mcause"), 5);
        machine_rewind(p.m, before);
        machine_free(before);
    }
    end(p);
}

static void counters_count_as_they_do_there(void **state)
{
    (void)state;
    struct pair p = start(true);
    uint64_t before = reg(p.m, "minstret");
    again(p);
    assert_int_equal(reg(p.f, "minstret"), before + 20);
    assert_true(machine_set_reg(p.m, 0, "mcountinhibit", 4));
    again(p);
    assert_int_equal(reg(p.f, "minstret"), before);
    assert_true(machine_set_reg(p.m, 0, "mcountinhibit", 0));
    again(p);
    assert_int_equal(reg(p.f, "minstret"), before + 20);
    end(p);
}

/* More pages than are worth copying: they are shared again, and everything is right all the same. */
static void many_pages_may_differ(void **state)
{
    (void)state;
    struct pair p = start(true);
    for (unsigned pages = 1; pages < 300; pages += 60) {
        for (uint64_t i = 0; i < pages; i++) {
            uint64_t value = i + pages;
            assert_true(machine_write(p.m, DATA + 4096 * i, &value, 8));
            assert_true(machine_write(p.f, DATA + 4096 * (i + 50), &value, 8));
        }
        again(p);
        assert_int_equal(reg(p.f, "a0"), pages);
        machine_run(p.m, 5);
        again(p);
    }
    end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_written_meanwhile_is_read), cmocka_unit_test(tables_written_meanwhile_are_walked),
        cmocka_unit_test(another_satp_is_used),           cmocka_unit_test(code_written_meanwhile_is_run),
        cmocka_unit_test(another_pmp_protects),           cmocka_unit_test(counters_count_as_they_do_there),
        cmocka_unit_test(many_pages_may_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
