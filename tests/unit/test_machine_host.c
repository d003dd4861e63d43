/* How a bare-metal guest speaks to its host: HTIF in RAM cells, semihosting, the test finisher, the injector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"
#include "image_make.h"

static struct console console;

/* The guest as an ELF image whose symbol tohost is `at` bytes behind its start. */
static struct machine *elf_machine(const struct guest *g, const char *cpu, unsigned bits, uint64_t at)
{
    char name[] = "/tmp/trapline-elf-XXXXXX";
    struct make k = {.bits = bits, .entry = MAKE_RAM, .nseg = 1, .code = g->code, .symbol = "tohost", .symbol_at = MAKE_RAM + at};
    k.seg[0].va = k.seg[0].pa = MAKE_RAM;
    k.seg[0].filesz = g->n * 4 < 0x100 ? g->n * 4 : 0x100;
    k.seg[0].memsz = 0x4000;
    struct buf b = make_elf(k);
    int fd = mkstemp(name);
    assert_true(fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len);
    close(fd);
    struct err e;
    console = (struct console){0};
    struct machine_config c = {
        .bios = "none", .kernel = name, .cpu = cpu, .ram = 4 << 20, .host = {.ctx = &console, .console = console_put}};
    struct machine *m = machine_new(&c, &e);
    unlink(name);
    buf_free(&b);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

/* Prints "hi" and exits with code 5; tohost is `at` bytes behind the start, in the page of the code or in another. */
static void htif_prints_and_exits(void **state)
{
    (void)state;
    static const unsigned where[] = {0x200, 0x1000, 0x2ff8};
    for (unsigned i = 0; i < ARRAY_LEN(where); i++) {
        struct guest g = {.n = 0};
        lui(&g, S0, where[i] >> 12);
        addi(&g, S0, S0, (int)(where[i] & 0xfff) - (where[i] & 0x800 ? 0x1000 : 0));
        if (where[i] & 0x800)
            lui(&g, T2, 1);
        add(&g, S0, S0, T2);
        auipc(&g, T0, 0);
        addi(&g, T0, T0, -(int)(g.n - 1) * 4);
        add(&g, S0, S0, T0);
        addi(&g, T0, ZERO, 0x101); /* device 1, command 1 */
        slli(&g, T0, T0, 48);
        for (const char *s = "hi"; *s; s++) {
            addi(&g, T1, T0, *s);
            sd(&g, T1, 0, S0);
            ld(&g, A0, 0, S0); /* reads 0 once taken */
            add(&g, A3, A3, A0);
        }
        addi(&g, T0, ZERO, 5 << 1 | 1);
        sd(&g, T0, 0, S0);
        jump(&g, g.n);
        struct machine *m = elf_machine(&g, NULL, 64, where[i]);
        uint64_t a3;
        assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
        assert_int_equal(machine_exit_code(m), 5);
        assert_string_equal(console.text, "hi");
        assert_true(machine_get_reg(m, 0, "a3", &a3) && a3 == 0);
        machine_free(m);
    }
}

static void htif_takes_one_half_and_works_in_forks_and_after_restores(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    auipc(&g, S0, 1);
    addi(&g, T0, ZERO, 7);
    addi(&g, A0, A0, 1);
    sw(&g, T0, 0, S0);
    jump(&g, g.n);
    struct machine *m = elf_machine(&g, NULL, 64, 0x1000);
    machine_run(m, 5);
    struct machine *f = machine_fork(m);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(machine_run(f, 5000), MACHINE_EXIT);
        assert_int_equal(machine_exit_code(f), 3);
        machine_restore(f, m);
    }
    assert_int_equal(machine_run(m, 5000), MACHINE_EXIT);
    machine_free(m);
    machine_free(f);
}

static void semihosting_prints_and_exits(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    auipc(&g, S0, 1); /* parameter block: the text behind it */
    addi(&g, T0, ZERO, 'o' | 0);
    sb(&g, T0, 0, S0);
    addi(&g, T0, ZERO, 'k');
    sb(&g, T0, 1, S0);
    static const unsigned op[2] = {4, 0x20}; /* SYS_WRITE0, SYS_EXIT_EXTENDED */
    for (unsigned i = 0; i < 2; i++) {
        addi(&g, A0, ZERO, (int)op[i]);
        addi(&g, A1, S0, 0);
        if (i) { /* {reason, code} */
            lui(&g, T0, 0x20);
            addi(&g, T0, T0, 0x26);
            sd(&g, T0, 0, S0);
            addi(&g, T0, ZERO, 9);
            sd(&g, T0, 8, S0);
        }
        put_insn(&g, 0x01f01013); /* slli x0, x0, 0x1f; ebreak; srai x0, x0, 7 */
        put_insn(&g, 0x00100073);
        put_insn(&g, 0x40705013);
    }
    jump(&g, g.n);
    for (unsigned on = 0; on < 2; on++) {
        console = (struct console){0};
        struct machine_config c = {.semihosting = on, .host = {.ctx = &console, .console = console_put}};
        struct machine *m = guest_machine(&g, &c);
        uint64_t cause;
        if (on) {
            assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
            assert_int_equal(machine_exit_code(m), 9);
            assert_string_equal(console.text, "ok");
        } else {
            machine_run(m, 40);
            assert_true(machine_get_reg(m, 0, "mcause", &cause));
            assert_int_not_equal(cause, 0); /* a breakpoint like any other, and then whatever is at mtvec = 0 */
        }
        machine_free(m);
    }
}

static void the_injector_raises_a_line_at_the_exact_boundary(void **state)
{
    (void)state;
    for (unsigned count = 1; count < 12; count++) {
        struct guest g = {.n = 0};
        unsigned handler = la(&g, T0, 0);
        csrw(&g, CSR_MTVEC, T0);
        lui(&g, S0, 0x3000);
        addi(&g, T0, ZERO, (int)count);
        sd(&g, T0, 0, S0); /* count */
        addi(&g, T0, ZERO, 11);
        sw(&g, T0, 0xc, S0); /* line: MEIP */
        lui(&g, T0, 1);
        addi(&g, T0, T0, -2048);
        csrw(&g, CSR_MIE, T0);
        csrsi(&g, CSR_MSTATUS, 8);
        addi(&g, T1, ZERO, 3);
        sw(&g, T1, 0x10, S0); /* arm, level 1 */
        for (unsigned i = 0; i < 20; i++)
            addi(&g, A0, A0, 1);
        jump(&g, g.n);
        patch_la(&g, handler, g.n);
        jump(&g, g.n);
        struct machine *m = guest_machine(&g, NULL);
        uint64_t a0 = 0, cause = 0;
        machine_run(m, 200);
        assert_true(machine_get_reg(m, 0, "a0", &a0) && machine_get_reg(m, 0, "mcause", &cause));
        assert_true(cause == (UINT64_C(1) << 63 | 11));
        assert_int_equal(a0, count - 1); /* the arming store is the first of `count` cycles */
        machine_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(htif_prints_and_exits),
        cmocka_unit_test(htif_takes_one_half_and_works_in_forks_and_after_restores),
        cmocka_unit_test(semihosting_prints_and_exits),
        cmocka_unit_test(the_injector_raises_a_line_at_the_exact_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
