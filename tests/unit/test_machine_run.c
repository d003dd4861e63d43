/* The run loop: exactness, slices, waiting, input, resets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"

static void the_guests_exit_code_ends_the_run(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    guest_exit(&g, 42);
    jump(&g, g.n);
    struct machine *m = guest_machine(&g, NULL);
    assert_non_null(m);
    assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
    assert_int_equal(machine_exit_code(m), 42);
    uint64_t at = machine_cycle(m);
    assert_true(at < 50);
    assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
    assert_int_equal(machine_cycle(m), at);
    machine_free(m);
}

static void a_run_stops_at_the_cycle_asked_for(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    addi(&g, A0, A0, 1);
    jump(&g, 0);
    struct machine *m = guest_machine(&g, NULL);
    uint64_t at = 0;
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(machine_run(m, i), MACHINE_CYCLES);
        at += i;
        assert_int_equal(machine_cycle(m), at);
        assert_int_equal(machine_instret(m), at);
    }
    machine_free(m);
}

/* Runs in pieces whose sizes come from the list, until `cycles`. */
static uint64_t run_in_pieces(const struct guest *g, const struct machine_config *base, uint64_t cycles, const uint64_t *piece,
                              struct console *c)
{
    struct machine_config config = *base;
    *c = (struct console){0};
    config.host = (struct machine_host){.ctx = c, .console = console_put};
    struct machine *m = guest_machine(g, &config);
    assert_non_null(m);
    for (unsigned i = 0; machine_cycle(m) < cycles; i = piece[i + 1] ? i + 1 : 0) {
        uint64_t left = cycles - machine_cycle(m);
        machine_run(m, piece[i] < left ? piece[i] : left);
    }
    assert_int_equal(machine_cycle(m), cycles);
    uint64_t d = machine_digest(m);
    machine_free(m);
    return d;
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    static const uint64_t pieces[][4] = {{UINT64_MAX}, {1000}, {1, 2, 3}, {777, 5001, 13}, {99999, 1}};
    static struct console first, c;
    for (unsigned harts = 1; harts <= 4; harts *= 2) {
        for (unsigned quantum = 1; quantum < 10000; quantum = quantum * 37 + 13) {
            struct guest g = busy_guest(harts);
            struct machine_config config = {.harts = harts, .quantum = quantum};
            uint64_t want = run_in_pieces(&g, &config, 150001, pieces[0], &first);
            assert_true(first.n > 20);
            for (unsigned i = 1; i < ARRAY_LEN(pieces); i++) {
                assert_int_equal(run_in_pieces(&g, &config, 150001, pieces[i], &c), want);
                assert_int_equal(c.n, first.n);
                assert_memory_equal(c.text, first.text, c.n);
            }
        }
    }
}

static void every_hart_works_and_is_interrupted(void **state)
{
    (void)state;
    static struct console c;
    struct guest g = busy_guest(4);
    struct machine_config config = {.harts = 4, .host = {.ctx = &c, .console = console_put}};
    struct machine *m = guest_machine(&g, &config);
    c.n = 0;
    assert_int_equal(machine_run(m, 400000), MACHINE_CYCLES);
    assert_true(c.n > 4 * 150); /* a timer interrupt every 15 ticks of 100 cycles */
    for (unsigned h = 0; h < 4; h++) {
        uint64_t loops, soft;
        assert_true(machine_get_reg(m, h, "s3", &loops));
        assert_true(machine_get_reg(m, h, "s6", &soft));
        assert_true(loops > 10000);
        assert_true(soft > 100);
    }
    machine_free(m);
}

static void a_timer_interrupt_arrives_at_its_cycle(void **state)
{
    (void)state;
    for (unsigned sleep = 0; sleep < 2; sleep++) {
        struct guest g = {.n = 0};
        unsigned handler = la(&g, T0, 0);
        csrw(&g, CSR_MTVEC, T0);
        lui(&g, S0, 0x2004);
        addi(&g, T1, ZERO, 77);
        sd(&g, T1, 0, S0);
        addi(&g, T0, ZERO, 0x80);
        csrw(&g, CSR_MIE, T0);
        csrsi(&g, CSR_MSTATUS, 8);
        if (sleep)
            wfi(&g);
        jump(&g, g.n - sleep);
        patch_la(&g, handler, g.n);
        csrr(&g, A0, CSR_MCYCLE);
        jump(&g, g.n);
        struct machine *m = guest_machine(&g, NULL);
        uint64_t a0, start;
        assert_int_equal(machine_run(m, 7600), MACHINE_CYCLES);
        machine_get_reg(m, 0, "mcycle", &start);
        assert_int_equal(start, 7600);
        assert_int_equal(machine_run(m, 200), MACHINE_CYCLES);
        assert_true(machine_get_reg(m, 0, "a0", &a0));
        assert_int_equal(a0, 7700);
        machine_free(m);
    }
}

static void a_machine_that_nothing_wakes_is_idle(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    wfi(&g);
    jump(&g, 0);
    for (unsigned harts = 1; harts <= 3; harts++) {
        struct machine_config config = {.harts = harts};
        struct machine *m = guest_machine(&g, &config);
        assert_int_equal(machine_run(m, 1000000), MACHINE_IDLE);
        assert_true(machine_cycle(m) < 20000);
        assert_int_equal(machine_next_wake(m), UINT64_MAX);
        machine_free(m);
    }
}

static void waiting_passes_time_but_retires_nothing(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    lui(&g, S0, 0x2004);
    lui(&g, T1, 0x1000); /* 2^24 ticks from now */
    sd(&g, T1, 0, S0);
    addi(&g, T0, ZERO, 0x80);
    csrw(&g, CSR_MIE, T0);
    wfi(&g);
    guest_exit(&g, 0);
    jump(&g, g.n);
    struct machine *m = guest_machine(&g, NULL);
    assert_int_equal(machine_run(m, 1000000), MACHINE_CYCLES);
    assert_int_equal(machine_cycle(m), 1000000);
    assert_true(machine_instret(m) < 30);
    assert_int_equal(machine_next_wake(m), UINT64_C(100) << 24);
    assert_int_equal(machine_run(m, UINT64_MAX), MACHINE_EXIT);
    assert_true(machine_cycle(m) >= UINT64_C(100) << 24 && machine_cycle(m) < (UINT64_C(100) << 24) + 20);
    machine_free(m);
}

static void a_paced_machine_tells_before_it_waits(void **state)
{
    (void)state;
    struct guest g = busy_guest(1);
    struct machine *m = guest_machine(&g, NULL), *free_running = guest_machine(&g, NULL);
    machine_set_pace(m, true);
    unsigned told = 0;
    while (machine_cycle(m) < 200000) {
        enum machine_stop why = machine_run(m, 200000 - machine_cycle(m));
        assert_true(why == MACHINE_INPUT || why == MACHINE_CYCLES);
        if (why == MACHINE_INPUT) {
            assert_true(machine_next_wake(m) > machine_cycle(m));
            told++;
        }
    }
    assert_true(told > 10);
    machine_run(free_running, 200000);
    assert_int_equal(machine_digest(m), machine_digest(free_running));
    machine_free(m);
    machine_free(free_running);
}

/* Echoes the serial line by polling; sleeps on its interrupt through the PLIC when `sleep`. */
static struct guest echo_guest(bool sleep)
{
    struct guest g = {.n = 0};
    lui(&g, S0, 0x10000); /* uart */
    lui(&g, S1, 0xc000);  /* plic */
    addi(&g, T0, ZERO, 1);
    sb(&g, T0, 1, S0);  /* IER: received data */
    sw(&g, T0, 40, S1); /* priority of source 10 */
    addi(&g, T0, ZERO, 1024);
    lui(&g, T1, 0xc002);
    sw(&g, T0, 0, T1); /* hart 0, M: enable it */
    lui(&g, T0, 1);
    addi(&g, T0, T0, -2048);
    csrw(&g, CSR_MIE, T0); /* MEIE */
    unsigned loop = g.n;
    if (sleep)
        wfi(&g);
    lbu(&g, T0, 5, S0); /* LSR */
    andi(&g, T0, T0, 1);
    beq(&g, T0, ZERO, loop);
    lbu(&g, T1, 0, S0);
    sb(&g, T1, 0, S0);
    lui(&g, T2, 0xc200);
    lw(&g, T3, 4, T2); /* claim and complete */
    sw(&g, T3, 4, T2);
    jump(&g, loop);
    return g;
}

static void input_wakes_a_machine(void **state)
{
    (void)state;
    static struct console c;
    for (unsigned sleep = 0; sleep < 2; sleep++) {
        struct guest g = echo_guest(sleep);
        struct machine_config config = {.host = {.ctx = &c, .console = console_put}};
        struct machine *m = guest_machine(&g, &config);
        c = (struct console){0};
        assert_int_equal(machine_run(m, 10000), sleep ? MACHINE_IDLE : MACHINE_CYCLES);
        assert_int_equal(machine_input(m, "serial0", "a", 1), 1);
        assert_int_equal(machine_run(m, 10000), sleep ? MACHINE_IDLE : MACHINE_CYCLES);
        assert_int_equal(machine_input(m, "serial0", "b", 1), 1);
        machine_run(m, 10000);
        assert_string_equal(c.text, "ab");
        assert_int_equal(machine_input(m, "nothing", "x", 1), 0);
        machine_free(m);
    }
}

static void a_reset_goes_back_to_the_first_state(void **state)
{
    (void)state;
    for (unsigned harts = 1; harts <= 4; harts *= 4) {
        struct guest g = busy_guest(harts);
        struct machine_config config = {.harts = harts, .seed = 7};
        struct machine *m = guest_machine(&g, &config);
        uint64_t first = machine_digest(m);
        machine_run(m, 50000);
        uint64_t later = machine_digest(m);
        assert_true(later != first);
        machine_reset(m);
        assert_int_equal(machine_digest(m), first);
        assert_int_equal(machine_cycle(m), 0);
        machine_run(m, 50000);
        assert_int_equal(machine_digest(m), later);
        machine_free(m);
    }
}

static void a_big_image_is_read_again_by_a_reset_and_must_be_the_same(void **state)
{
    (void)state;
    enum { SIZE = (5 << 20) + 1234 };
    static struct console c;
    struct guest g = busy_guest(1);
    uint8_t *image = calloc(1, SIZE);
    memcpy(image, g.code, g.n * 4);
    for (size_t i = 1 << 20; i < SIZE; i++)
        image[i] = (uint8_t)(i * 7 / 5);
    char name[] = "/tmp/trapline-big-XXXXXX";
    int fd = mkstemp(name);
    assert_true(write(fd, image, SIZE) == SIZE);
    struct err e;
    struct machine_config config = {.bios = "none", .kernel = name, .ram = 16 << 20, .host = {.ctx = &c, .console = console_put}};
    struct machine *m = machine_new(&config, &e);
    assert_non_null(m);
    uint64_t first = machine_digest(m), later, zero = 0;
    machine_run(m, 30000);
    later = machine_digest(m);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(machine_write(m, 0x80000000 + (2 << 20), &zero, 8));
        machine_reset(m);
        assert_int_equal(machine_digest(m), first);
        machine_run(m, 30000);
        assert_int_equal(machine_digest(m), later);
    }
    c = (struct console){0};
    assert_int_equal(pwrite(fd, "x", 1, SIZE - 100), 1);
    machine_reset(m);
    assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
    assert_int_equal(machine_exit_code(m), 1);
    assert_non_null(strstr(c.text, name));
    assert_int_equal(pwrite(fd, image + SIZE - 100, 1, SIZE - 100), 1);
    machine_reset(m);
    assert_int_equal(machine_digest(m), first);
    assert_int_equal(ftruncate(fd, 100), 0);
    machine_reset(m);
    assert_int_equal(machine_run(m, 1000), MACHINE_EXIT);
    close(fd);
    unlink(name);
    free(image);
    machine_free(m);
}

static void a_reboot_starts_again_and_time_goes_on(void **state)
{
    (void)state;
    static struct console c;
    struct guest g = {.n = 0};
    auipc(&g, S0, 0x10);
    lui(&g, S1, 0x10000);
    ld(&g, T0, 0, S0);
    addi(&g, T0, T0, 65); /* memory is what it was at the start: always 'A' */
    sb(&g, T0, 0, S1);
    addi(&g, T0, ZERO, 1);
    sd(&g, T0, 0, S0);
    lui(&g, T0, 0x100);
    lui(&g, T1, 7);
    addi(&g, T1, T1, 0x777);
    sw(&g, T1, 0, T0);
    jump(&g, g.n);
    struct machine_config config = {.harts = 2, .host = {.ctx = &c, .console = console_put}};
    struct machine *m = guest_machine(&g, &config);
    c = (struct console){0};
    assert_int_equal(machine_run(m, 500), MACHINE_CYCLES);
    assert_true(machine_cycle(m) >= 500 && machine_cycle(m) < 600); /* hart 0 may be ahead when it reboots them all */
    assert_true(c.n > 5);
    for (size_t i = 0; i < c.n; i++)
        assert_int_equal(c.text[i], 'A');
    machine_free(m);
}

static void stop_on_output(void *ctx, const char *device, const void *p, size_t n)
{
    (void)device;
    (void)p;
    (void)n;
    machine_request_stop(*(struct machine **)ctx);
}

static void a_stop_request_is_heeded_and_changes_nothing(void **state)
{
    (void)state;
    struct guest g = busy_guest(2);
    struct machine *m = NULL;
    struct machine_config config = {.harts = 2, .host = {.ctx = &m, .console = stop_on_output}}, quiet = {.harts = 2};
    m = guest_machine(&g, &config);
    struct machine *other = guest_machine(&g, &quiet);
    unsigned stops = 0;
    while (machine_cycle(m) < 100000)
        stops += machine_run(m, 100000 - machine_cycle(m)) == MACHINE_DEBUG;
    assert_true(stops > 5);
    machine_run(other, 100000);
    assert_int_equal(machine_digest(m), machine_digest(other));
    machine_free(m);
    machine_free(other);
}

static void registers_are_known_by_the_manuals_names(void **state)
{
    (void)state;
    struct guest g = {.n = 0};
    jump(&g, 0);
    struct machine_config config = {.harts = 2};
    struct machine *m = guest_machine(&g, &config);
    uint64_t v;
    assert_true(machine_get_reg(m, 1, "mhartid", &v) && v == 1);
    assert_true(machine_get_reg(m, 1, "pc", &v) && v == 0x1000);
    assert_true(machine_set_reg(m, 1, "a0", 99) && machine_get_reg(m, 1, "x10", &v) && v == 99);
    assert_true(machine_get_reg(m, 0, "a0", &v) && v == 0);
    assert_true(machine_set_reg(m, 0, "x0", 5) && machine_get_reg(m, 0, "zero", &v) && v == 0);
    assert_true(machine_set_reg(m, 0, "fp", 5) && machine_get_reg(m, 0, "s0", &v) && v == 5);
    assert_true(machine_set_reg(m, 0, "ft3", 6) && machine_get_reg(m, 0, "f3", &v) && v == 6);
    assert_true(machine_set_reg(m, 0, "mscratch", 7) && machine_get_reg(m, 0, "mscratch", &v) && v == 7);
    assert_true(machine_set_reg(m, 0, "pmpaddr5", 8) && machine_get_reg(m, 0, "pmpaddr5", &v) && v == 8);
    assert_true(machine_set_reg(m, 0, "mtvec", 0x123) && machine_get_reg(m, 0, "mtvec", &v) && v != 0x123);
    assert_true(machine_get_reg(m, 0, "priv", &v) && v == 3);
    assert_false(machine_set_reg(m, 0, "priv", 2));
    assert_false(machine_get_reg(m, 2, "pc", &v));
    assert_false(machine_get_reg(m, 0, "x32", &v));
    assert_false(machine_get_reg(m, 0, "x01", &v));
    assert_false(machine_get_reg(m, 0, "nonsense", &v));
    assert_false(machine_get_reg(m, 0, "pmpaddr64", &v));
    machine_free(m);
}

static void a_bad_configuration_is_a_sentence(void **state)
{
    (void)state;
    static const char *const drive[] = {"/nowhere/disk.img"}, *const device[] = {"toaster"};
    static const struct {
        struct machine_config c;
        const char *word;
    } rows[] = {
        {{.board = "moon"}, "moon"},
        {{.harts = 9}, "9 harts"},
        {{.ram = 4096}, "RAM"},
        {{.ram = (1 << 20) + 1}, "RAM"},
        {{.ram = UINT64_C(1) << 50}, "RAM"},
        {{.cpu = "rv64,nonsense=on"}, "nonsense"},
        {{.drives = drive, .ndrives = 1}, "/nowhere/disk.img"},
        {{.devices = device, .ndevices = 1}, "toaster"},
        {{.kernel = "/nowhere/kernel"}, "/nowhere/kernel"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {{0}};
        assert_null(machine_new(&rows[i].c, &e));
        if (!strstr(e.text, rows[i].word))
            fail_msg("row %u: %s", i, e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guests_exit_code_ends_the_run),
        cmocka_unit_test(a_run_stops_at_the_cycle_asked_for),
        cmocka_unit_test(every_hart_works_and_is_interrupted),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(a_timer_interrupt_arrives_at_its_cycle),
        cmocka_unit_test(a_machine_that_nothing_wakes_is_idle),
        cmocka_unit_test(waiting_passes_time_but_retires_nothing),
        cmocka_unit_test(a_paced_machine_tells_before_it_waits),
        cmocka_unit_test(input_wakes_a_machine),
        cmocka_unit_test(a_reset_goes_back_to_the_first_state),
        cmocka_unit_test(a_big_image_is_read_again_by_a_reset_and_must_be_the_same),
        cmocka_unit_test(a_reboot_starts_again_and_time_goes_on),
        cmocka_unit_test(a_stop_request_is_heeded_and_changes_nothing),
        cmocka_unit_test(registers_are_known_by_the_manuals_names),
        cmocka_unit_test(a_bad_configuration_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
