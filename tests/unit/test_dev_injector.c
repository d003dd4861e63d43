/* The injector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

enum { COUNT = 0x00, HART = 0x08, LINE = 0x0c, CONTROL = 0x10, KIND = 0x14, WHEN = 0x18, NOW = 0x20, STRIDE = 0x40 };
enum { ARM = 1, LEVEL = 2, PULSE = 4, FIRED = 0x100, REFUSED = 0x200 };

static int setup(void **s)
{
    *s = fake_new("injector", 2, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void inject(struct fake *f, unsigned channel, uint64_t count, unsigned hart, unsigned line, unsigned control)
{
    uint64_t at = channel * STRIDE;
    fake_set(f, at + COUNT, 8, count);
    fake_set(f, at + HART, 4, hart);
    fake_set(f, at + LINE, 4, line);
    fake_set(f, at + CONTROL, 4, control);
}

static void a_line_rises_exactly_count_cycles_later(void **s)
{
    struct fake *f = *s;
    fake_run(f, 1000);
    inject(f, 0, 17, 1, 2, ARM | LEVEL);
    assert_int_equal(fake_get(f, CONTROL, 4), ARM | LEVEL);
    assert_int_equal(fake_get(f, WHEN, 8), 1017);
    fake_run(f, 1016);
    assert_int_equal(f->mip[1], 0);
    fake_run(f, 1017);
    assert_int_equal(f->mip[1], 1 << 2);
    assert_int_equal(f->mip[0], 0);
    assert_int_equal(fake_get(f, CONTROL, 4), FIRED | LEVEL);
    assert_int_equal(fake_get(f, NOW, 8), 1017);
    fake_set(f, CONTROL, 4, FIRED);
    assert_int_equal(fake_get(f, CONTROL, 4), 0);
}

static void a_line_is_lowered_by_level_zero(void **s)
{
    struct fake *f = *s;
    inject(f, 0, 0, 0, 9, ARM | LEVEL);
    inject(f, 1, 5, 0, 9, ARM);
    fake_run(f, 4);
    assert_int_equal(f->mip[0], 1 << 9);
    fake_run(f, 5);
    assert_int_equal(f->mip[0], 0);
}

static void four_channels_are_independent(void **s)
{
    struct fake *f = *s;
    for (unsigned c = 0; c < 4; c++)
        inject(f, c, 40 - 10 * c, c & 1, 16 + c, ARM | LEVEL);
    fake_run(f, 20);
    assert_int_equal(f->mip[0], 1 << 18);
    assert_int_equal(f->mip[1], 1 << 19);
    fake_run(f, 40);
    assert_int_equal(f->mip[0], 1 << 16 | 1 << 18);
    assert_int_equal(f->mip[1], 1 << 17 | 1 << 19);
}

static void an_armed_channel_can_be_cancelled_and_moved(void **s)
{
    struct fake *f = *s;
    inject(f, 0, 10, 0, 1, ARM | LEVEL);
    fake_set(f, CONTROL, 4, 0);
    fake_run(f, 100);
    assert_int_equal(f->mip[0], 0);
    inject(f, 0, 10, 0, 1, ARM | LEVEL);
    fake_run(f, 105);
    fake_set(f, CONTROL, 4, ARM | LEVEL);
    fake_run(f, 114);
    assert_int_equal(f->mip[0], 0);
    fake_run(f, 115);
    assert_int_equal(f->mip[0], 1 << 1);
}

static void harts_and_lines_that_do_not_exist_are_refused(void **s)
{
    struct fake *f = *s;
    inject(f, 0, 0, 2, 1, ARM | LEVEL);
    assert_int_equal(fake_get(f, CONTROL, 4), REFUSED | LEVEL);
    inject(f, 0, 0, 0, 64, REFUSED | ARM | LEVEL);
    assert_int_equal(fake_get(f, CONTROL, 4), REFUSED | LEVEL);
    inject(f, 0, 5, 0, 1, REFUSED | ARM | LEVEL);
    fake_set(f, HART, 4, 0xffffffff); /* changed while armed */
    fake_run(f, 10);
    assert_int_equal(f->mip[0] | f->mip[1], 0);
    assert_int_equal(fake_get(f, CONTROL, 4), REFUSED | LEVEL);
}

static void a_count_beyond_all_cycles_never_fires(void **s)
{
    struct fake *f = *s;
    fake_run(f, 10);
    inject(f, 0, UINT64_MAX, 0, 1, ARM | LEVEL);
    assert_int_equal(f->when[0], UINT64_MAX);
    assert_true(fake_valid(f));
}

static void counts_are_written_in_halves_too(void **s)
{
    struct fake *f = *s;
    fake_set(f, COUNT + 4, 4, 1);
    fake_set(f, COUNT, 4, 2);
    assert_int_equal(fake_get(f, COUNT, 8), UINT64_C(0x100000002));
    assert_int_equal(fake_get(f, COUNT + 4, 4), 1);
    fake_set(f, LINE, 4, 3);
    assert_int_equal(fake_get(f, LINE, 4), 3);
    assert_int_equal(fake_get(f, HART, 4), 0);
    assert_true(fake_read_faults(f, COUNT, 2));
    assert_true(fake_read_faults(f, HART, 8));
    assert_true(fake_write_faults(f, 0x100, 4, 0));
}

/* Every kind reaches the machine as what it is; the machine's refusal is told. */
static void kinds_other_than_a_line_are_passed_on(void **s)
{
    struct fake *f = *s;
    for (unsigned kind = 0; kind < INJECT_KINDS; kind++) {
        fake_set(f, KIND, 4, kind);
        assert_int_equal(fake_get(f, KIND, 4), kind);
        inject(f, 0, 3, 1, 33, FIRED | ARM | LEVEL | PULSE);
        unsigned before = f->injections;
        fake_run(f, f->now + 3);
        assert_int_equal(f->injections, before + 1);
        assert_int_equal(f->injected.kind, kind);
        assert_int_equal(f->injected.how, INJECT_PULSE);
        assert_int_equal(f->injected.hart, 1);
        assert_int_equal(f->injected.line, 33);
        assert_int_equal(fake_get(f, CONTROL, 4), FIRED | LEVEL | PULSE);
    }
    inject(f, 0, 1, 0, 200, FIRED | ARM); /* of a source, the line may be any; without LEVEL it goes low */
    fake_run(f, f->now + 1);
    assert_int_equal(f->injected.line, 200);
    assert_int_equal(f->injected.how, INJECT_LOWER);
    f->refuse = true;
    inject(f, 0, 1, 0, 1, FIRED | ARM | LEVEL);
    fake_run(f, f->now + 1);
    assert_int_equal(f->injected.how, INJECT_RAISE);
    assert_int_equal(fake_get(f, CONTROL, 4), REFUSED | LEVEL);
    fake_set(f, KIND, 4, INJECT_KINDS);
    unsigned before = f->injections;
    inject(f, 0, 1, 0, 1, REFUSED | ARM | LEVEL);
    assert_int_equal(fake_get(f, CONTROL, 4), REFUSED | LEVEL);
    fake_run(f, f->now + 1);
    assert_int_equal(f->injections, before);
    assert_true(fake_valid(f));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_line_rises_exactly_count_cycles_later),
        T(a_line_is_lowered_by_level_zero),
        T(four_channels_are_independent),
        T(an_armed_channel_can_be_cancelled_and_moved),
        T(harts_and_lines_that_do_not_exist_are_refused),
        T(a_count_beyond_all_cycles_never_fires),
        T(counts_are_written_in_halves_too),
        T(kinds_other_than_a_line_are_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
