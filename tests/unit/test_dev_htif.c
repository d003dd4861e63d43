/* The host-target interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

#define TOHOST   0u
#define FROMHOST 8u
#define PUTC(c)  (UINT64_C(0x0101) << 48 | (uint8_t)(c))
#define GETC     (UINT64_C(0x0100) << 48)
#define BLOCK    (FAKE_RAM_BASE + 0x1000)

static int setup(void **s)
{
    *s = fake_new("htif", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void call(struct fake *f, uint64_t n, uint64_t a0, uint64_t a1, uint64_t a2)
{
    uint64_t block[8] = {n, a0, a1, a2};
    memcpy(fake_ram(f, BLOCK, 64), block, 64);
    fake_set(f, TOHOST, 8, BLOCK);
}

static int64_t result(struct fake *f)
{
    int64_t r;
    memcpy(&r, fake_ram(f, BLOCK, 8), 8);
    return r;
}

static void an_odd_word_exits_with_its_upper_part(void **s)
{
    struct fake *f = *s;
    fake_set(f, TOHOST, 8, 42 << 1 | 1);
    assert_int_equal(f->exits, 1);
    assert_int_equal(f->exit_code, 42);
    fake_set(f, TOHOST, 8, 1);
    assert_int_equal(f->exit_code, 0);
    assert_int_equal(fake_get(f, TOHOST, 8), 0);
}

static void characters_are_printed(void **s)
{
    struct fake *f = *s;
    fake_set(f, TOHOST, 8, PUTC('h'));
    fake_set(f, TOHOST, 8, PUTC('i'));
    assert_true(fake_sent(f, "hi", 2));
    assert_int_equal(fake_get(f, TOHOST, 8), 0);
    assert_int_equal(fake_get(f, FROMHOST, 8), 0);
}

static void a_read_is_answered_when_a_key_comes(void **s)
{
    struct fake *f = *s;
    assert_int_equal(fake_input(f, "a", 1), 0); /* nobody asked */
    fake_set(f, TOHOST, 8, GETC);
    assert_int_equal(fake_input(f, "ab", 2), 1);
    assert_int_equal(fake_get(f, FROMHOST, 8), GETC | 0x100 | 'a');
    fake_set(f, TOHOST, 8, GETC);
    assert_int_equal(fake_input(f, "b", 1), 1);
    assert_int_equal(fake_get(f, FROMHOST, 8), GETC | 0x100 | 'a'); /* the cell is still taken */
    fake_set(f, FROMHOST, 8, 0);
    assert_int_equal(fake_get(f, FROMHOST, 8), GETC | 0x100 | 'b');
    fake_set(f, FROMHOST, 8, 0);
    assert_int_equal(fake_get(f, FROMHOST, 8), 0);
}

static void the_write_call_prints(void **s)
{
    struct fake *f = *s;
    memcpy(fake_ram(f, FAKE_RAM_BASE, 5), "hello", 5);
    call(f, 64, 1, FAKE_RAM_BASE, 5);
    assert_true(fake_sent(f, "hello", 5));
    assert_int_equal(result(f), 5);
    assert_int_equal(fake_get(f, FROMHOST, 8), 1);
    fake_set(f, FROMHOST, 8, 0);
    call(f, 64, 3, FAKE_RAM_BASE, 5);
    assert_int_equal(result(f), -9);
    call(f, 64, 2, 0x100, 5);
    assert_int_equal(result(f), -14);
    call(f, 64, 2, FAKE_RAM_BASE + FAKE_RAM_SIZE - 1024, UINT64_MAX);
    assert_int_equal(result(f), 1024); /* as far as memory goes */
}

static void the_exit_call_exits_and_unknown_calls_fail(void **s)
{
    struct fake *f = *s;
    call(f, 93, 7, 0, 0);
    assert_int_equal(f->exits, 1);
    assert_int_equal(f->exit_code, 7);
    call(f, 1234, 0, 0, 0);
    assert_int_equal(result(f), -38);
    fake_set(f, TOHOST, 8, 0x100); /* no memory there */
    assert_int_equal(f->exits, 1);
    assert_true(fake_valid(f));
}

static void both_halves_in_any_order_are_one_command(void **s)
{
    struct fake *f = *s;
    fake_set(f, TOHOST, 4, 'x');
    assert_int_equal(f->out_len, 0);
    fake_set(f, TOHOST + 4, 4, 0x01010000);
    assert_true(fake_sent(f, "x", 1));
    fake_set(f, TOHOST + 4, 4, 0x01010000);
    fake_set(f, TOHOST, 4, 'y');
    assert_true(fake_sent(f, "y", 1));
    fake_run(f, 100000);
    assert_int_equal(f->out_len, 0);
}

static void one_half_alone_is_a_command_after_a_while(void **s)
{
    struct fake *f = *s;
    fake_set(f, TOHOST, 4, 3 << 1 | 1);
    fake_run(f, 999);
    assert_int_equal(f->exits, 0);
    assert_int_equal(fake_get(f, TOHOST, 4), 7);
    fake_run(f, 1000);
    assert_int_equal(f->exits, 1);
    assert_int_equal(f->exit_code, 3);
    assert_int_equal(fake_get(f, TOHOST, 4), 0);
}

static void a_guest_that_spins_on_one_half_is_heard(void **s)
{
    struct fake *f = *s;
    for (unsigned i = 0; i < 2000 && !f->exits; i++) {
        fake_set(f, TOHOST, 4, 1);
        fake_run(f, f->now + 2);
    }
    assert_int_equal(f->exits, 1);
}

static void answers_never_overflow(void **s)
{
    struct fake *f = *s;
    for (unsigned i = 0; i < 100; i++) {
        call(f, 1234, 0, 0, 0);
        fake_set(f, TOHOST, 8, GETC);
        fake_input(f, "zzzz", 4);
    }
    assert_true(fake_valid(f));
    for (unsigned i = 0; i < 9; i++) {
        assert_true(fake_get(f, FROMHOST, 8) != 0);
        fake_set(f, FROMHOST, 8, 0);
    }
    assert_int_equal(fake_get(f, FROMHOST, 8), 0);
    assert_true(fake_read_faults(f, 16, 8));
    assert_true(fake_write_faults(f, 16, 4, 0));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_odd_word_exits_with_its_upper_part),
        T(characters_are_printed),
        T(a_read_is_answered_when_a_key_comes),
        T(the_write_call_prints),
        T(the_exit_call_exits_and_unknown_calls_fail),
        T(both_halves_in_any_order_are_one_command),
        T(one_half_alone_is_a_command_after_a_while),
        T(a_guest_that_spins_on_one_half_is_heard),
        T(answers_never_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
