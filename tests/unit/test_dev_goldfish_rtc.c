/* The real-time clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c
};
#define SECOND UINT64_C(1000000000)
#define Y2025  UINT64_C(1735689600)

static int setup(void **s)
{
    *s = fake_new("goldfish_rtc", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static uint64_t time_ns(struct fake *f)
{
    uint64_t low = fake_get(f, TIME_LOW, 4);
    return fake_get(f, TIME_HIGH, 4) << 32 | low;
}

static void set_alarm(struct fake *f, uint64_t ns)
{
    fake_set(f, ALARM_HIGH, 4, ns >> 32);
    fake_set(f, ALARM_LOW, 4, (uint32_t)ns);
}

static void time_starts_in_2025_and_follows_the_cycles(void **s)
{
    struct fake *f = *s;
    assert_int_equal(time_ns(f), Y2025 * SECOND);
    fake_run(f, 12345678901);
    assert_int_equal(time_ns(f), Y2025 * SECOND + 12345678901);
}

static void the_argument_is_the_first_second(void **s)
{
    (void)s;
    struct fake *f = fake_new("goldfish_rtc", 1, 1000);
    f->d.tick_hz = 1; /* 100 cycles a second */
    f->now = 250;
    assert_int_equal(time_ns(f), 1002 * SECOND + SECOND / 2);
    fake_free(f);
}

static void reading_the_low_half_latches_the_high_half(void **s)
{
    struct fake *f = *s;
    fake_set(f, TIME_HIGH, 4, 5);
    fake_set(f, TIME_LOW, 4, 0xffffffff);
    assert_int_equal(fake_get(f, TIME_LOW, 4), 0xffffffff);
    fake_run(f, f->now + 1);
    assert_int_equal(fake_get(f, TIME_HIGH, 4), 5);
    assert_int_equal(fake_get(f, TIME_LOW, 4), 0);
    assert_int_equal(fake_get(f, TIME_HIGH, 4), 6);
}

static void time_can_be_set_and_survives_a_reset(void **s)
{
    struct fake *f = *s;
    fake_run(f, 777);
    fake_set(f, TIME_HIGH, 4, 1);
    fake_set(f, TIME_LOW, 4, 2);
    fake_run(f, 877);
    assert_int_equal(time_ns(f), (UINT64_C(1) << 32) + 102);
    f->d.ops->reset(&f->d);
    assert_int_equal(time_ns(f), (UINT64_C(1) << 32) + 102);
}

static void an_alarm_interrupts_at_its_time(void **s)
{
    struct fake *f = *s;
    fake_set(f, IRQ_ENABLED, 4, 1);
    set_alarm(f, Y2025 * SECOND + 5000);
    assert_int_equal(fake_get(f, ALARM_STATUS, 4), 1);
    assert_int_equal(fake_get(f, ALARM_LOW, 4) | fake_get(f, ALARM_HIGH, 4) << 32, Y2025 * SECOND + 5000);
    fake_run(f, 4999);
    assert_false(f->irq);
    fake_run(f, 5000);
    assert_true(f->irq);
    assert_int_equal(fake_get(f, ALARM_STATUS, 4), 0);
    fake_set(f, CLEAR_INTERRUPT, 4, 1);
    assert_false(f->irq);
}

static void an_alarm_in_the_past_interrupts_at_once(void **s)
{
    struct fake *f = *s;
    set_alarm(f, 1);
    assert_false(f->irq); /* not enabled */
    fake_set(f, IRQ_ENABLED, 4, 1);
    assert_true(f->irq);
    fake_set(f, IRQ_ENABLED, 4, 0xfffffffe);
    assert_false(f->irq);
}

static void a_cleared_alarm_does_not_interrupt(void **s)
{
    struct fake *f = *s;
    fake_set(f, IRQ_ENABLED, 4, 1);
    set_alarm(f, Y2025 * SECOND + 5000);
    fake_set(f, CLEAR_ALARM, 4, 1);
    assert_int_equal(fake_get(f, ALARM_STATUS, 4), 0);
    fake_run(f, 10000);
    assert_false(f->irq);
}

static void setting_the_time_moves_the_alarm(void **s)
{
    struct fake *f = *s;
    fake_set(f, IRQ_ENABLED, 4, 1);
    set_alarm(f, UINT64_C(1) << 61);
    assert_false(f->irq);
    fake_set(f, TIME_HIGH, 4, (UINT64_C(1) << 61) >> 32);
    assert_true(f->irq);
}

static void alarms_at_the_end_of_time_are_harmless(void **s)
{
    struct fake *f = *s;
    set_alarm(f, UINT64_MAX);
    fake_set(f, TIME_HIGH, 4, 0xffffffff);
    fake_set(f, TIME_LOW, 4, 0xfffffff0);
    fake_run(f, 100);
    assert_true(fake_valid(f));
    assert_true(fake_read_faults(f, 0, 8));
    assert_true(fake_write_faults(f, 0, 2, 0));
    assert_int_equal(fake_get(f, 0x20, 4), 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(time_starts_in_2025_and_follows_the_cycles),
        T(the_argument_is_the_first_second),
        T(reading_the_low_half_latches_the_high_half),
        T(time_can_be_set_and_survives_a_reset),
        T(an_alarm_interrupts_at_its_time),
        T(an_alarm_in_the_past_interrupts_at_once),
        T(a_cleared_alarm_does_not_interrupt),
        T(setting_the_time_moves_the_alarm),
        T(alarms_at_the_end_of_time_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
