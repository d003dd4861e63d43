/* The test finisher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

static int setup(void **s)
{
    *s = fake_new("sifive_test", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void pass_exits_with_zero(void **s)
{
    struct fake *f = *s;
    f->exit_code = -1;
    fake_set(f, 0, 4, 0x5555);
    assert_int_equal(f->exits, 1);
    assert_int_equal(f->exit_code, 0);
    fake_set(f, 0, 2, 0x5555);
    assert_int_equal(f->exits, 2);
}

static void fail_exits_with_the_code_above_it(void **s)
{
    struct fake *f = *s;
    fake_set(f, 0, 4, 0x3333 | 42 << 16);
    assert_int_equal(f->exits, 1);
    assert_int_equal(f->exit_code, 42);
    fake_set(f, 0, 4, UINT64_C(0xffff3333));
    assert_int_equal(f->exit_code, 0xffff);
}

static void reset_asks_for_a_reboot(void **s)
{
    struct fake *f = *s;
    fake_set(f, 0, 2, 0x7777);
    assert_int_equal(f->reboots, 1);
    assert_int_equal(f->exits, 0);
}

static void anything_else_does_nothing(void **s)
{
    struct fake *f = *s;
    fake_set(f, 0, 4, 0);
    fake_set(f, 0, 4, 0xffffffff);
    fake_set(f, 0, 4, 0x55550000);
    fake_set(f, 4, 4, 0x5555);
    assert_int_equal(fake_get(f, 0, 4), 0);
    assert_true(fake_write_faults(f, 0, 1, 0x55));
    assert_true(fake_write_faults(f, 0, 8, 0x5555));
    assert_true(fake_read_faults(f, 0, 8));
    assert_int_equal(f->exits + f->reboots, 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(pass_exits_with_zero),
        T(fail_exits_with_the_code_above_it),
        T(reset_asks_for_a_reboot),
        T(anything_else_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
