/* The block device (virtio 1.2, section 5.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_virtio.h"

#define HEADER VQ_BUF
#define STATUS (VQ_BUF + 0x100)
#define DATA   (VQ_BUF + 0x1000)
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { OK = 0, IOERR = 1, UNSUPP = 2 };

static int setup(void **s)
{
    struct fake *f = fake_new("virtio_blk", 1, 0);
    for (unsigned i = 0; i < FAKE_DISK; i++)
        f->disk[i] = (uint8_t)(i >> 9 ^ i);
    vq_start(f, FEATURE_VERSION_1 | FEATURE_INDIRECT | FEATURE_EVENT_IDX, 1);
    *s = f;
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

/* Carries out a request with `len` bytes of data that the device reads (out) or writes; the status byte. */
static uint64_t request(struct fake *f, uint32_t type, uint64_t sector, uint32_t len, bool out)
{
    uint64_t used = vq_used_idx(f, 0);
    vq_poke(f, HEADER, 4, type);
    vq_poke(f, HEADER + 8, 8, sector);
    vq_poke(f, STATUS, 1, 0xee);
    vq_desc(f, VQ_DESC(0), 0, HEADER, 16, D_NEXT, len ? 1 : 2);
    vq_desc(f, VQ_DESC(0), 1, DATA, len, D_NEXT | (out ? 0u : D_WRITE), 2);
    vq_desc(f, VQ_DESC(0), 2, STATUS, 1, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), (used + 1) & 0xffff);
    assert_int_equal(vq_used_len(f, 0, used), out ? 1 : len + 1);
    return vq_peek(f, STATUS, 1);
}

static void configuration_tells_the_capacity(void **s)
{
    struct fake *f = *s;
    assert_int_equal(fake_get(f, R_ID, 4), 2);
    assert_int_equal(fake_get(f, R_CONFIG, 8), FAKE_DISK / 512);
    assert_int_equal(fake_get(f, R_CONFIG, 4), FAKE_DISK / 512);
    assert_int_equal(fake_get(f, R_CONFIG + 1, 1), 0);
    assert_int_equal(fake_get(f, R_CONFIG + 20, 4), 512);
    assert_int_equal(fake_get(f, R_CONFIG + 56, 8), 0);
    assert_int_equal(fake_get(f, R_CONFIG + 0xe00, 4), 0);
    fake_set(f, R_CONFIG, 4, 0);
    assert_int_equal(fake_get(f, R_CONFIG, 4), FAKE_DISK / 512);
}

static void sectors_are_read_and_written(void **s)
{
    struct fake *f = *s;
    assert_int_equal(request(f, T_IN, 3, 8192 + 512, false), OK);
    assert_memory_equal(fake_ram(f, DATA, 8704), f->disk + 3 * 512, 8704);
    memset(fake_ram(f, DATA, 1024), 0x5a, 1024);
    assert_int_equal(request(f, T_OUT, 126, 1024, true), OK);
    assert_int_equal(f->disk[126 * 512 - 1], (uint8_t)(125 ^ 255));
    for (unsigned i = 0; i < 1024; i++)
        assert_int_equal(f->disk[126 * 512 + i], 0x5a);
    assert_int_equal(request(f, T_FLUSH, 0, 0, true), OK);
    assert_true(f->irq);
}

static void requests_beyond_the_disk_fail(void **s)
{
    struct fake *f = *s;
    uint8_t before[FAKE_DISK];
    memcpy(before, f->disk, FAKE_DISK);
    assert_int_equal(request(f, T_IN, 128, 512, false), IOERR);
    assert_int_equal(request(f, T_IN, 127, 1024, false), IOERR);
    assert_int_equal(request(f, T_IN, UINT64_MAX, 512, false), IOERR);
    assert_int_equal(request(f, T_IN, UINT64_C(1) << 55, 512, false), IOERR);
    assert_int_equal(request(f, T_IN, 0, 511, false), IOERR);
    assert_int_equal(request(f, T_OUT, 127, 1024, true), IOERR);
    assert_int_equal(request(f, T_OUT, 0, 100, true), IOERR);
    assert_memory_equal(before, f->disk, FAKE_DISK);
}

static void a_failing_disk_is_an_error_of_the_request(void **s)
{
    struct fake *f = *s;
    f->disk_fails = true;
    assert_int_equal(request(f, T_IN, 0, 512, false), IOERR);
    assert_int_equal(request(f, T_OUT, 0, 512, true), IOERR);
    f->disk_fails = false;
    assert_int_equal(request(f, T_IN, 0, 512, false), OK);
}

static void the_id_is_the_name_of_the_device(void **s)
{
    struct fake *f = *s;
    assert_int_equal(request(f, T_GET_ID, 0, 20, false), OK);
    assert_memory_equal(fake_ram(f, DATA, 20), "dev0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    assert_int_equal(request(f, T_GET_ID, 0, 3, false), OK);
    assert_int_equal(request(f, 77, 0, 0, true), UNSUPP);
    assert_int_equal(request(f, 0xffffffff, 0, 16, false), UNSUPP);
}

static uint64_t range(struct fake *f, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    vq_poke(f, DATA, 8, sector);
    vq_poke(f, DATA + 8, 4, sectors);
    vq_poke(f, DATA + 12, 4, flags);
    return request(f, type, 0, 16, true);
}

static void zeroes_are_written_and_discards_checked(void **s)
{
    struct fake *f = *s;
    assert_int_equal(range(f, T_WRITE_ZEROES, 1, 9, 1), OK);
    for (unsigned i = 512; i < 10 * 512; i++)
        assert_int_equal(f->disk[i], 0);
    assert_int_equal(f->disk[511], 255);
    assert_int_equal(f->disk[10 * 512], 10);
    assert_int_equal(range(f, T_WRITE_ZEROES, 127, 2, 0), IOERR);
    assert_int_equal(range(f, T_WRITE_ZEROES, 0, 0xffffffff, 0), IOERR);
    assert_int_equal(range(f, T_WRITE_ZEROES, 0, 1, 2), UNSUPP);
    assert_int_equal(range(f, T_DISCARD, 11, 1, 0), OK);
    assert_int_equal(range(f, T_DISCARD, 11, 1, 1), UNSUPP);
    assert_int_equal(request(f, T_DISCARD, 0, 15, true), IOERR);
}

static void a_read_only_disk_refuses_writes(void **s)
{
    (void)s;
    struct fake *f = fake_new("virtio_blk", 1, 1);
    assert_true(vq_features(f) >> 5 & 1);
    assert_false(vq_features(f) >> 13 & 1);
    vq_start(f, FEATURE_VERSION_1 | 1 << 5, 1);
    assert_int_equal(request(f, T_OUT, 0, 512, true), IOERR);
    assert_int_equal(range(f, T_WRITE_ZEROES, 0, 1, 0), IOERR);
    assert_int_equal(request(f, T_IN, 0, 512, false), OK);
    fake_free(f);
}

static void a_request_without_header_or_status_breaks_the_device(void **s)
{
    struct fake *f = *s;
    vq_desc(f, VQ_DESC(0), 0, HEADER, 16, 0, 0); /* no place for the status */
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_true(fake_get(f, R_STATUS, 4) & NEEDS_RESET);
    vq_start(f, FEATURE_VERSION_1, 1);
    vq_desc(f, VQ_DESC(0), 0, HEADER, 15, D_NEXT, 1);
    vq_desc(f, VQ_DESC(0), 1, STATUS, 1, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_true(fake_get(f, R_STATUS, 4) & NEEDS_RESET);
}

static void header_and_status_may_be_split_anyhow(void **s)
{
    struct fake *f = *s;
    vq_poke(f, HEADER, 4, T_IN);
    vq_poke(f, HEADER + 8, 8, 2);
    vq_desc(f, VQ_DESC(0), 0, HEADER, 7, D_NEXT, 1);
    vq_desc(f, VQ_DESC(0), 1, HEADER + 7, 9, D_NEXT, 2);
    vq_desc(f, VQ_DESC(0), 2, DATA, 500, D_NEXT | D_WRITE, 3);
    vq_desc(f, VQ_DESC(0), 3, DATA + 500, 13, D_WRITE, 0); /* 12 bytes of data and the status */
    vq_poke(f, DATA + 512, 1, 0xee);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_len(f, 0, 0), 513);
    assert_int_equal(vq_peek(f, DATA + 512, 1), OK);
    assert_memory_equal(fake_ram(f, DATA, 512), f->disk + 2 * 512, 512);
}

static void work_beyond_the_budget_is_done_in_later_cycles(void **s)
{
    struct fake *f = *s;
    enum { BIG = 0x60000, PIECES = 200 };
    vq_poke(f, HEADER, 4, T_IN);
    vq_poke(f, HEADER + 8, 8, UINT64_MAX); /* fails, but all of the buffers is written */
    vq_desc(f, VQ_INDIRECT, 0, HEADER, 16, D_NEXT, 1);
    for (unsigned i = 1; i <= PIECES; i++)
        vq_desc(f, VQ_INDIRECT, i, FAKE_RAM_BASE + 0xa0000, BIG, i < PIECES ? D_NEXT | D_WRITE : D_WRITE, i + 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_INDIRECT, 16 * (PIECES + 1), D_INDIRECT, 0);
    for (unsigned i = 0; i < 3; i++)
        vq_offer(f, 0, 0);
    vq_notify(f, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vq_used_idx(f, 0), i + 1);
        fake_run(f, f->now + 1);
    }
    assert_int_equal(vq_used_idx(f, 0), 3);
    assert_int_equal(vq_used_len(f, 0, 2), BIG * PIECES);
    fake_run(f, f->now + 1);
    assert_int_equal(f->when[0], UINT64_MAX);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(configuration_tells_the_capacity),      T(sectors_are_read_and_written),
        T(requests_beyond_the_disk_fail),         T(a_failing_disk_is_an_error_of_the_request),
        T(the_id_is_the_name_of_the_device),      T(zeroes_are_written_and_discards_checked),
        T(a_read_only_disk_refuses_writes),       T(a_request_without_header_or_status_breaks_the_device),
        T(header_and_status_may_be_split_anyhow), T(work_beyond_the_budget_is_done_in_later_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
