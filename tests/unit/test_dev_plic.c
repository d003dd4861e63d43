/* The interrupt controller (RISC-V PLIC specification 1.0.0). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

#define MEIP         (UINT64_C(1) << 11)
#define SEIP         (UINT64_C(1) << 9)
#define PRIORITY(s)  (4u * (s))
#define PENDING(s)   (0x1000u + (s) / 32u * 4u)
#define ENABLE(c, s) (0x2000u + 0x80u * (c) + (s) / 32u * 4u)
#define THRESHOLD(c) (0x200000u + 0x1000u * (c))
#define CLAIM(c)     (0x200004u + 0x1000u * (c))

static int setup(void **s)
{
    *s = fake_new("plic", 2, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void line(struct fake *f, unsigned source, bool level) { f->d.ops->line(&f->d, source, level); }

static void enable(struct fake *f, unsigned context, unsigned source, unsigned priority)
{
    uint64_t old = fake_get(f, ENABLE(context, source), 4);
    fake_set(f, ENABLE(context, source), 4, old | UINT64_C(1) << source % 32);
    fake_set(f, PRIORITY(source), 4, priority);
}

static uint64_t claim(struct fake *f, unsigned context) { return fake_get(f, CLAIM(context), 4); }
static void complete(struct fake *f, unsigned context, unsigned source) { fake_set(f, CLAIM(context), 4, source); }
static bool is_pending(struct fake *f, unsigned source) { return fake_get(f, PENDING(source), 4) >> source % 32 & 1; }

static void contexts_drive_meip_and_seip_of_their_hart(void **s)
{
    struct fake *f = *s;
    static const uint64_t bit[2] = {MEIP, SEIP};
    for (unsigned c = 0; c < 4; c++) {
        enable(f, c, 10 + c, 1);
        line(f, 10 + c, true);
        assert_int_equal(f->mip[c / 2], bit[c & 1]);
        assert_int_equal(f->mip[1 - c / 2], 0);
        assert_int_equal(claim(f, c), 10 + c);
        assert_int_equal(f->mip[c / 2], 0);
        line(f, 10 + c, false);
        complete(f, c, 10 + c);
    }
}

static void a_level_that_stays_interrupts_again_after_completion_only(void **s)
{
    struct fake *f = *s;
    enable(f, 1, 10, 1);
    line(f, 10, true);
    assert_int_equal(claim(f, 1), 10);
    assert_int_equal(claim(f, 1), 0);
    assert_false(is_pending(f, 10));
    line(f, 10, false);
    line(f, 10, true); /* the gateway is closed */
    assert_false(is_pending(f, 10));
    complete(f, 1, 10);
    assert_true(is_pending(f, 10));
    assert_int_equal(f->mip[0], SEIP);
    assert_int_equal(claim(f, 1), 10);
    line(f, 10, false);
    complete(f, 1, 10);
    assert_false(is_pending(f, 10));
    assert_int_equal(f->mip[0], 0);
}

static void a_request_stays_when_its_line_falls(void **s)
{
    struct fake *f = *s;
    enable(f, 0, 3, 1);
    line(f, 3, true);
    line(f, 3, false);
    assert_int_equal(f->mip[0], MEIP);
    assert_int_equal(claim(f, 0), 3);
}

static void greater_priority_then_lower_number_goes_first(void **s)
{
    struct fake *f = *s;
    enable(f, 0, 40, 2);
    enable(f, 0, 5, 2);
    enable(f, 0, 95, 7);
    enable(f, 0, 1, 1);
    line(f, 40, true);
    line(f, 5, true);
    line(f, 95, true);
    line(f, 1, true);
    assert_int_equal(claim(f, 0), 95);
    assert_int_equal(claim(f, 0), 5);
    assert_int_equal(claim(f, 0), 40);
    assert_int_equal(claim(f, 0), 1);
    assert_int_equal(claim(f, 0), 0);
}

static void the_threshold_masks_the_interrupt_but_not_the_claim(void **s)
{
    struct fake *f = *s;
    enable(f, 0, 8, 3);
    fake_set(f, THRESHOLD(0), 4, 3);
    line(f, 8, true);
    assert_int_equal(f->mip[0], 0);
    fake_set(f, THRESHOLD(0), 4, 2);
    assert_int_equal(f->mip[0], MEIP);
    fake_set(f, THRESHOLD(0), 4, 7);
    assert_int_equal(f->mip[0], 0);
    assert_int_equal(claim(f, 0), 8);
}

static void priority_zero_never_interrupts(void **s)
{
    struct fake *f = *s;
    enable(f, 0, 8, 0);
    line(f, 8, true);
    assert_true(is_pending(f, 8));
    assert_int_equal(f->mip[0], 0);
    assert_int_equal(claim(f, 0), 0);
    fake_set(f, PRIORITY(8), 4, 1);
    assert_int_equal(f->mip[0], MEIP);
}

static void a_completion_of_a_source_not_enabled_for_the_context_is_ignored(void **s)
{
    struct fake *f = *s;
    enable(f, 0, 8, 1);
    line(f, 8, true);
    assert_int_equal(claim(f, 0), 8);
    complete(f, 1, 8);
    assert_false(is_pending(f, 8));
    complete(f, 0, 0);
    complete(f, 0, 9);
    fake_set(f, CLAIM(0), 4, 0xffffffff);
    assert_false(is_pending(f, 8));
    complete(f, 0, 8);
    assert_true(is_pending(f, 8));
}

static void both_contexts_see_a_request_and_one_gets_it(void **s)
{
    struct fake *f = *s;
    enable(f, 1, 12, 1);
    enable(f, 3, 12, 1);
    line(f, 12, true);
    assert_int_equal(f->mip[0], SEIP);
    assert_int_equal(f->mip[1], SEIP);
    assert_int_equal(claim(f, 3), 12);
    assert_int_equal(f->mip[0] | f->mip[1], 0);
    assert_int_equal(claim(f, 1), 0);
}

static void registers_keep_what_exists_of_them(void **s)
{
    struct fake *f = *s;
    fake_set(f, PRIORITY(1), 4, 0xffffffff);
    fake_set(f, PRIORITY(0), 4, 7);
    fake_set(f, PRIORITY(96), 4, 7);
    assert_int_equal(fake_get(f, PRIORITY(1), 4), 7);
    assert_int_equal(fake_get(f, PRIORITY(0), 4), 0);
    assert_int_equal(fake_get(f, PRIORITY(96), 4), 0);
    for (unsigned w = 0; w < 4; w++)
        fake_set(f, ENABLE(0, 32 * w), 4, 0xffffffff);
    assert_int_equal(fake_get(f, ENABLE(0, 0), 4), 0xfffffffe);
    assert_int_equal(fake_get(f, ENABLE(0, 64), 4), 0xffffffff);
    assert_int_equal(fake_get(f, ENABLE(0, 96), 4), 0);
    fake_set(f, THRESHOLD(3), 4, 0xff);
    assert_int_equal(fake_get(f, THRESHOLD(3), 4), 7);
    fake_set(f, PENDING(0), 4, 0xffffffff);
    assert_int_equal(fake_get(f, PENDING(0), 4), 0);
    fake_set(f, ENABLE(4, 0), 4, 0xffffffff); /* no such context */
    assert_int_equal(fake_get(f, ENABLE(4, 0), 4), 0);
    assert_int_equal(fake_get(f, CLAIM(4), 4), 0);
    assert_int_equal(fake_get(f, 0x5ffffc, 4), 0);
    assert_true(fake_read_faults(f, 0, 8));
    assert_true(fake_write_faults(f, 0, 1, 0));
    line(f, 0, true);
    line(f, 96, true);
    line(f, 100000, true);
    assert_true(fake_valid(f));
}

static void fewer_sources_can_be_had(void **s)
{
    (void)s;
    struct fake *f = fake_new("plic", 1, 31);
    fake_set(f, ENABLE(0, 0), 4, 0xffffffff);
    fake_set(f, ENABLE(0, 32), 4, 0xffffffff);
    assert_int_equal(fake_get(f, ENABLE(0, 0), 4), 0xfffffffe);
    assert_int_equal(fake_get(f, ENABLE(0, 32), 4), 0);
    fake_free(f);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(contexts_drive_meip_and_seip_of_their_hart),
        T(a_level_that_stays_interrupts_again_after_completion_only),
        T(a_request_stays_when_its_line_falls),
        T(greater_priority_then_lower_number_goes_first),
        T(the_threshold_masks_the_interrupt_but_not_the_claim),
        T(priority_zero_never_interrupts),
        T(a_completion_of_a_source_not_enabled_for_the_context_is_ignored),
        T(both_contexts_see_a_request_and_one_gets_it),
        T(registers_keep_what_exists_of_them),
        T(fewer_sources_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
