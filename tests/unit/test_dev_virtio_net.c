/* The virtio network card (virtio 1.2, section 5.1) and console (5.3): two queues, bytes in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_virtio.h"

enum { RX = 0, TX = 1 };

static int setup_net(void **s)
{
    struct fake *f = fake_new("virtio_net", 1, UINT64_C(0x020304050607));
    vq_start(f, FEATURE_VERSION_1 | FEATURE_EVENT_IDX | UINT64_C(1) << 5, 2);
    *s = f;
    return 0;
}

static int setup_console(void **s)
{
    struct fake *f = fake_new("virtio_console", 1, 0);
    vq_start(f, FEATURE_VERSION_1, 2);
    *s = f;
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void the_address_is_the_argument(void **s)
{
    struct fake *f = *s;
    assert_int_equal(fake_get(f, R_ID, 4), 1);
    assert_int_equal(vq_features(f) & 0xffffff, UINT64_C(1) << 5 | UINT64_C(1) << 16);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(fake_get(f, R_CONFIG + i, 1), 2 + i);
    assert_int_equal(fake_get(f, R_CONFIG + 6, 2), 1);
    f->d.arg = 0;
    assert_int_equal(fake_get(f, R_CONFIG, 4), 0x12005452);
}

static void a_frame_is_sent_without_its_header(void **s)
{
    struct fake *f = *s;
    memset(fake_ram(f, VQ_BUF, 12), 0, 12);
    for (unsigned i = 0; i < 60; i++)
        vq_poke(f, VQ_BUF + 0x100 + i, 1, i);
    vq_desc(f, VQ_DESC(TX), 0, VQ_BUF, 12, D_NEXT, 1);
    vq_desc(f, VQ_DESC(TX), 1, VQ_BUF + 0x100, 60, 0, 0);
    vq_offer(f, TX, 0);
    vq_notify(f, TX);
    assert_int_equal(f->outputs, 1);
    assert_true(fake_sent(f, fake_ram(f, VQ_BUF + 0x100, 60), 60));
    assert_int_equal(vq_used_len(f, TX, 0), 0);
    assert_true(f->irq);
}

static void frames_that_are_empty_or_too_long_are_dropped(void **s)
{
    struct fake *f = *s;
    static const uint32_t bad[] = {0, 1, 12, 12 + 2049, 0x10000};
    for (unsigned i = 0; i < 5; i++) {
        vq_desc(f, VQ_DESC(TX), 0, VQ_BUF, bad[i], 0, 0);
        vq_offer(f, TX, 0);
        vq_notify(f, TX);
        assert_int_equal(f->out_len, 0);
        assert_int_equal(vq_used_idx(f, TX), i + 1);
    }
}

static void a_frame_is_received_behind_a_header(void **s)
{
    struct fake *f = *s;
    uint8_t frame[1514];
    memset(frame, 0x77, sizeof frame);
    assert_int_equal(fake_input(f, frame, sizeof frame), 0); /* no buffer yet: offered again later */
    memset(fake_ram(f, VQ_BUF, 2000), 0xff, 2000);
    vq_desc(f, VQ_DESC(RX), 2, VQ_BUF, 1526, D_WRITE, 0);
    vq_offer(f, RX, 2);
    vq_notify(f, RX);
    assert_int_equal(vq_used_idx(f, RX), 0);
    assert_int_equal(fake_input(f, frame, sizeof frame), sizeof frame);
    assert_int_equal(vq_used_idx(f, RX), 1);
    assert_int_equal(vq_used_id(f, RX, 0), 2);
    assert_int_equal(vq_used_len(f, RX, 0), 1526);
    assert_memory_equal(fake_ram(f, VQ_BUF, 12), "\0\0\0\0\0\0\0\0\0\0\1\0", 12);
    assert_memory_equal(fake_ram(f, VQ_BUF + 12, 1514), frame, 1514);
    assert_int_equal(vq_peek(f, VQ_BUF + 1526, 1), 0xff);
    assert_true(f->irq);
}

static void a_frame_that_does_not_fit_is_dropped_and_the_buffer_kept(void **s)
{
    struct fake *f = *s;
    uint8_t frame[3000] = {0};
    vq_desc(f, VQ_DESC(RX), 0, VQ_BUF, 100, D_WRITE, 0);
    vq_offer(f, RX, 0);
    assert_int_equal(fake_input(f, frame, 89), 89);
    assert_int_equal(vq_used_idx(f, RX), 0);
    assert_int_equal(fake_input(f, frame, 3000), 3000);
    assert_int_equal(fake_input(f, frame, 88), 88);
    assert_int_equal(vq_used_idx(f, RX), 1);
    assert_int_equal(vq_used_len(f, RX, 0), 100);
}

static void the_console_sends_what_is_queued(void **s)
{
    struct fake *f = *s;
    char text[3000];
    memset(text, 'q', sizeof text);
    memcpy(fake_ram(f, VQ_BUF, 3000), text, 3000);
    vq_desc(f, VQ_DESC(TX), 0, VQ_BUF, 1, D_NEXT, 1);
    vq_desc(f, VQ_DESC(TX), 1, VQ_BUF + 1, 2999, 0, 0);
    vq_offer(f, TX, 0);
    vq_notify(f, TX);
    assert_true(fake_sent(f, text, 3000));
    assert_int_equal(vq_used_idx(f, TX), 1);
}

static void the_console_fills_buffers_with_what_is_typed(void **s)
{
    struct fake *f = *s;
    assert_int_equal(fake_input(f, "abc", 3), 0);
    vq_desc(f, VQ_DESC(RX), 0, VQ_BUF, 4, D_WRITE, 0);
    vq_desc(f, VQ_DESC(RX), 1, VQ_BUF + 64, 4, D_WRITE, 0);
    vq_offer(f, RX, 0);
    vq_offer(f, RX, 1);
    assert_int_equal(fake_input(f, "abcdefghijk", 11), 8);
    assert_memory_equal(fake_ram(f, VQ_BUF, 4), "abcd", 4);
    assert_memory_equal(fake_ram(f, VQ_BUF + 64, 4), "efgh", 4);
    assert_int_equal(vq_used_idx(f, RX), 2);
    assert_true(f->irq);
    vq_desc(f, VQ_DESC(RX), 0, VQ_BUF, 0, D_WRITE, 0); /* an empty buffer comes back empty */
    vq_offer(f, RX, 0);
    assert_int_equal(fake_input(f, "x", 1), 0);
    assert_int_equal(vq_used_idx(f, RX), 3);
}

static void an_emergency_write_needs_no_driver(void **s)
{
    struct fake *f = *s;
    fake_set(f, R_STATUS, 4, 0);
    assert_true(vq_features(f) >> 2 & 1);
    fake_set(f, R_CONFIG + 8, 4, 'E');
    fake_set(f, R_CONFIG + 4, 4, 'F');
    assert_true(fake_sent(f, "E", 1));
    assert_int_equal(fake_get(f, R_CONFIG + 4, 4), 1);
}

int main(void)
{
#define N(t) cmocka_unit_test_setup_teardown(t, setup_net, teardown)
#define C(t) cmocka_unit_test_setup_teardown(t, setup_console, teardown)
    const struct CMUnitTest tests[] = {
        N(the_address_is_the_argument),
        N(a_frame_is_sent_without_its_header),
        N(frames_that_are_empty_or_too_long_are_dropped),
        N(a_frame_is_received_behind_a_header),
        N(a_frame_that_does_not_fit_is_dropped_and_the_buffer_kept),
        C(the_console_sends_what_is_queued),
        C(the_console_fills_buffers_with_what_is_typed),
        C(an_emergency_write_needs_no_driver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
