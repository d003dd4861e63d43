/* The PL031 real-time clock (DDI 0224). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

enum { DR = 0, MR = 4, LR = 8, CR = 0xc, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c };
#define EPOCH  1735689600u
#define SECOND UINT64_C(1000000000) /* cycles */

static int setup(void **s)
{
    *s = fake_new("pl031", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static uint64_t in(struct fake *f, unsigned reg) { return fake_get(f, reg, 4); }
static void out(struct fake *f, unsigned reg, uint64_t v) { fake_set(f, reg, 4, v); }

static void seconds_follow_the_machines_cycles(void **s)
{
    struct fake *f = *s;
    assert_int_equal(in(f, DR), EPOCH);
    assert_int_equal(in(f, CR), 1);
    f->now = 7 * SECOND - 1;
    assert_int_equal(in(f, DR), EPOCH + 6);
    f->now = 7 * SECOND;
    assert_int_equal(in(f, DR), EPOCH + 7);
    out(f, LR, 100);
    assert_int_equal(in(f, DR), 100);
    f->now = 9 * SECOND;
    assert_int_equal(in(f, DR), 102);
    f->d.ops->reset(&f->d);
    assert_int_equal(in(f, DR), 102);
}

static void a_match_interrupts_at_its_second(void **s)
{
    struct fake *f = *s;
    out(f, IMSC, 1);
    out(f, MR, EPOCH + 3);
    fake_run(f, 3 * SECOND - 1);
    assert_false(f->irq);
    fake_run(f, 3 * SECOND);
    assert_true(f->irq);
    assert_int_equal(in(f, RIS), 1);
    assert_int_equal(in(f, MIS), 1);
    fake_run(f, 10 * SECOND);
    assert_true(f->irq);
    out(f, ICR, 1);
    assert_false(f->irq);
    assert_int_equal(in(f, RIS), 0);
    fake_run(f, 1000 * SECOND);
    assert_false(f->irq);
}

static void a_masked_match_is_seen_but_costs_no_event(void **s)
{
    struct fake *f = *s;
    out(f, MR, EPOCH + 3);
    assert_true(f->when[0] == UINT64_MAX);
    f->now = 2 * SECOND;
    assert_int_equal(in(f, RIS), 0);
    f->now = 5 * SECOND;
    assert_int_equal(in(f, RIS), 1);
    assert_int_equal(in(f, MIS), 0);
    assert_false(f->irq);
    out(f, IMSC, 1);
    assert_true(f->irq);
    out(f, ICR, 1);
    assert_int_equal(in(f, RIS), 0);
    f->now = 6 * SECOND;
    assert_int_equal(in(f, RIS), 0);
}

static void a_past_match_is_a_turn_of_the_counter_away(void **s)
{
    struct fake *f = *s;
    out(f, IMSC, 1);
    out(f, MR, EPOCH - 1);
    fake_run(f, 100 * SECOND);
    assert_false(f->irq);
    assert_true(f->when[0] > (UINT64_C(1) << 32) * SECOND - 200 * SECOND);
    out(f, LR, EPOCH - 2);
    fake_run(f, 101 * SECOND);
    assert_true(f->irq);
    out(f, ICR, 1);
    out(f, MR, EPOCH); /* equal at once, two seconds later */
    assert_false(f->irq);
    out(f, LR, EPOCH);
    assert_true(f->irq);
}

static void identification_is_that_of_a_pl031(void **s)
{
    static const uint8_t id[8] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(in(*s, 0xfe0 + 4 * i), id[i]);
    assert_true(fake_read_faults(*s, 0, 8));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(seconds_follow_the_machines_cycles),        T(a_match_interrupts_at_its_second),
        T(a_masked_match_is_seen_but_costs_no_event), T(a_past_match_is_a_turn_of_the_counter_away),
        T(identification_is_that_of_a_pl031),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
