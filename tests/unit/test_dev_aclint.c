/* Software and timer interrupts (ACLINT specification; privileged specification, mtime and mtimecmp). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

#define MTIP   (UINT64_C(1) << 7)
#define MSIP   (UINT64_C(1) << 3)
#define SSIP   (UINT64_C(1) << 1)
#define CMP(h) (0x4000u + 8u * (h))
#define MTIME  0xbff8u

static int setup(void **s)
{
    *s = fake_new("aclint", 4, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void mtime_follows_the_cycles(void **s)
{
    struct fake *f = *s;
    fake_run(f, 99);
    assert_int_equal(fake_get(f, MTIME, 8), 0);
    fake_run(f, 100);
    assert_int_equal(fake_get(f, MTIME, 8), 1);
    fake_run(f, UINT64_C(0x1234567890) * FAKE_TICK);
    assert_int_equal(fake_get(f, MTIME, 4), 0x34567890);
    assert_int_equal(fake_get(f, MTIME + 4, 4), 0x12);
}

static void the_timer_is_pending_exactly_from_the_compare_on(void **s)
{
    struct fake *f = *s;
    fake_set(f, CMP(0), 8, 5);
    fake_run(f, 499);
    assert_int_equal(f->mip[0], 0);
    fake_run(f, 500);
    assert_int_equal(f->mip[0], MTIP);
    fake_set(f, CMP(0), 8, 6);
    assert_int_equal(f->mip[0], 0);
    fake_run(f, 600);
    assert_int_equal(f->mip[0], MTIP);
    assert_int_equal(f->mip[1] | f->mip[2] | f->mip[3], 0);
}

static void one_event_serves_the_earliest_compare_of_all_harts(void **s)
{
    struct fake *f = *s;
    fake_set(f, CMP(3), 8, 30);
    fake_set(f, CMP(1), 8, 10);
    fake_set(f, CMP(2), 8, 20);
    assert_int_equal(f->when[0], 1000);
    fake_run(f, 1000);
    assert_int_equal(f->mip[1], MTIP);
    assert_int_equal(f->when[0], 2000);
    fake_set(f, CMP(2), 8, UINT64_MAX);
    assert_int_equal(f->when[0], 3000);
    fake_run(f, 3000);
    assert_int_equal(f->mip[2], 0);
    assert_int_equal(f->mip[3], MTIP);
}

static void halves_of_mtimecmp_are_written_one_by_one(void **s)
{
    struct fake *f = *s;
    fake_set(f, CMP(0), 4, 0xffffffff); /* the order the privileged specification gives for RV32 */
    fake_set(f, CMP(0) + 4, 4, 0);
    fake_set(f, CMP(0), 4, 7);
    assert_int_equal(fake_get(f, CMP(0), 8), 7);
    assert_int_equal(fake_get(f, CMP(0) + 4, 4), 0);
    fake_run(f, 700);
    assert_int_equal(f->mip[0], MTIP);
}

static void writing_mtime_moves_all_timers_and_tells_the_machine(void **s)
{
    struct fake *f = *s;
    fake_run(f, 1000);
    fake_set(f, CMP(0), 8, 1000);
    fake_set(f, MTIME, 8, 999);
    assert_int_equal(f->time_offset, 989);
    assert_int_equal(fake_get(f, MTIME, 8), 999);
    assert_int_equal(f->mip[0], 0);
    fake_run(f, 1100);
    assert_int_equal(f->mip[0], MTIP);
    fake_set(f, MTIME, 8, 0); /* backwards: no longer pending */
    assert_int_equal(f->mip[0], 0);
    assert_int_equal(f->time_offset, UINT64_MAX - 10);
    fake_set(f, MTIME + 4, 4, 1);
    assert_int_equal(fake_get(f, MTIME, 8), UINT64_C(1) << 32);
    assert_int_equal(f->mip[0], MTIP);
}

static void a_wrapping_mtime_ends_the_interrupt(void **s)
{
    struct fake *f = *s;
    fake_set(f, CMP(0), 8, UINT64_MAX - 1);
    fake_set(f, CMP(1), 8, 0); /* always pending */
    fake_set(f, MTIME, 8, UINT64_MAX - 2);
    fake_run(f, 99);
    assert_int_equal(f->mip[0], 0);
    fake_run(f, 100);
    assert_int_equal(f->mip[0], MTIP);
    fake_run(f, 299);
    assert_int_equal(f->mip[0], MTIP);
    fake_run(f, 300);
    assert_int_equal(f->mip[0], 0);
    assert_int_equal(f->mip[1], MTIP);
    assert_int_equal(fake_get(f, MTIME, 8), 0);
}

static void a_compare_beyond_all_cycles_never_fires(void **s)
{
    struct fake *f = *s;
    fake_set(f, CMP(0), 8, UINT64_MAX / 50);
    assert_int_equal(f->when[0], UINT64_MAX);
    fake_set(f, CMP(0), 8, UINT64_MAX / FAKE_TICK);
    assert_int_equal(f->when[0], UINT64_MAX / FAKE_TICK * FAKE_TICK);
}

static void msip_is_one_bit_a_hart(void **s)
{
    struct fake *f = *s;
    fake_set(f, 4 * 2, 4, 0xffffffff);
    assert_int_equal(f->mip[2], MSIP);
    assert_int_equal(fake_get(f, 4 * 2, 4), 1);
    assert_int_equal(fake_get(f, 4 * 1, 4), 0);
    fake_set(f, 4 * 2, 4, 0xfffffffe);
    assert_int_equal(f->mip[2], 0);
}

static void harts_that_do_not_exist_read_zero_and_wrong_widths_fault(void **s)
{
    struct fake *f = *s;
    fake_set(f, 4 * 4, 4, 1);
    fake_set(f, CMP(4), 8, 0);
    fake_set(f, CMP(4094), 8, 0);
    assert_int_equal(fake_get(f, 4 * 4, 4), 0);
    assert_int_equal(fake_get(f, CMP(4), 8), 0);
    assert_true(fake_read_faults(f, 0, 8));
    assert_true(fake_read_faults(f, CMP(0), 2));
    assert_true(fake_write_faults(f, MTIME, 1, 0));
    assert_true(fake_write_faults(f, 0xc000, 4, 0));
    assert_true(fake_read_faults(f, 0xfffc, 4));
}

static void reset_sets_time_and_lines_back(void **s)
{
    struct fake *f = *s;
    fake_set(f, 0, 4, 1);
    fake_set(f, CMP(0), 8, 1);
    fake_run(f, 5000);
    assert_int_equal(f->mip[0], MTIP | MSIP);
    f->d.ops->reset(&f->d);
    assert_int_equal(f->mip[0], 0);
    assert_int_equal(fake_get(f, MTIME, 8), 0);
    assert_int_equal(f->when[0], UINT64_MAX);
}

static void setssip_is_an_edge_that_reads_zero(void **s)
{
    (void)s;
    struct fake *f = fake_new("aclint_sswi", 2, 0);
    fake_set(f, 4, 4, 2); /* bit 0 only */
    assert_int_equal(f->mip[1], 0);
    fake_set(f, 4, 4, 1);
    assert_int_equal(f->mip[1], SSIP);
    fake_set(f, 4, 4, 0);
    assert_int_equal(f->mip[1], SSIP); /* the hart clears it, not the device */
    assert_int_equal(fake_get(f, 4, 4), 0);
    fake_set(f, 8, 4, 1);
    assert_true(fake_write_faults(f, 0, 8, 1));
    assert_true(fake_read_faults(f, 0, 1));
    fake_free(f);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(mtime_follows_the_cycles),
        T(the_timer_is_pending_exactly_from_the_compare_on),
        T(one_event_serves_the_earliest_compare_of_all_harts),
        T(halves_of_mtimecmp_are_written_one_by_one),
        T(writing_mtime_moves_all_timers_and_tells_the_machine),
        T(a_wrapping_mtime_ends_the_interrupt),
        T(a_compare_beyond_all_cycles_never_fires),
        T(msip_is_one_bit_a_hart),
        T(harts_that_do_not_exist_read_zero_and_wrong_widths_fault),
        T(reset_sets_time_and_lines_back),
        T(setssip_is_an_edge_that_reads_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
