/* The PL061 GPIO and its keys (DDI 0190). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

enum { DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418, IC = 0x41c, ALL = 0x3fc };
#define PRESS UINT64_C(100000000)

static int setup(void **s)
{
    *s = fake_new("pl061", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static uint64_t in(struct fake *f, unsigned reg) { return fake_get(f, reg, 4); }
static void out(struct fake *f, unsigned reg, uint64_t v) { fake_set(f, reg, 4, v); }
static void press(struct fake *f, uint8_t pin) { assert_int_equal(fake_input(f, &pin, 1), 1); }

static void the_address_says_which_pins_are_meant(void **s)
{
    struct fake *f = *s;
    out(f, DIR, 0xf0);
    out(f, ALL, 0xff);
    assert_int_equal(in(f, ALL), 0xf0); /* inputs are not written */
    out(f, 0x30 << 2, 0);
    assert_int_equal(in(f, ALL), 0xc0);
    assert_int_equal(in(f, 0x90 << 2), 0x80);
}

static void a_key_is_high_for_a_tenth_of_a_second(void **s)
{
    struct fake *f = *s;
    press(f, 3);
    press(f, 9); /* there is no such pin */
    assert_int_equal(in(f, ALL), 8);
    fake_run(f, PRESS - 1);
    assert_int_equal(in(f, ALL), 8);
    fake_run(f, PRESS);
    assert_int_equal(in(f, ALL), 0);
}

static void edges_interrupt_as_asked_for(void **s)
{
    static const struct {
        uint8_t ibe, iev, at_press, at_release;
    } row[] = {{0, 8, 8, 0}, {0, 0, 0, 8}, {8, 0, 8, 8}, {8, 8, 8, 8}};
    struct fake *f = *s;
    out(f, IE, 8);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t from = f->now;
        out(f, IBE, row[i].ibe);
        out(f, IEV, row[i].iev);
        press(f, 3);
        assert_int_equal(in(f, RIS), row[i].at_press);
        assert_int_equal(f->irq, row[i].at_press != 0);
        out(f, IC, 8);
        assert_false(f->irq);
        fake_run(f, from + PRESS);
        assert_int_equal(in(f, MIS), row[i].at_release);
        out(f, IC, 8);
    }
}

static void levels_interrupt_while_they_last(void **s)
{
    struct fake *f = *s;
    out(f, IS, 8);
    out(f, IEV, 8);
    out(f, IE, 8);
    assert_false(f->irq);
    press(f, 3);
    assert_true(f->irq);
    out(f, IC, 8);
    assert_true(f->irq);
    fake_run(f, PRESS);
    assert_false(f->irq);
    out(f, IEV, 0); /* low level */
    assert_true(f->irq);
    out(f, IE, 0);
    assert_false(f->irq);
    assert_int_equal(in(f, RIS), 8);
}

static void identification_is_that_of_a_pl061(void **s)
{
    static const uint8_t id[8] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(in(*s, 0xfe0 + 4 * i), id[i]);
    assert_true(fake_write_faults(*s, 0x1000, 4, 0));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_address_says_which_pins_are_meant), T(a_key_is_high_for_a_tenth_of_a_second), T(edges_interrupt_as_asked_for),
        T(levels_interrupt_while_they_last),      T(identification_is_that_of_a_pl061),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
