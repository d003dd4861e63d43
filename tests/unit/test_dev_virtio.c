/* The virtio-mmio transport and its split queues (virtio 1.2, sections 2 and 4.2), seen through the entropy device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_virtio.h"

#define ALL (FEATURE_VERSION_1 | FEATURE_INDIRECT | FEATURE_EVENT_IDX)

static int setup(void **s)
{
    *s = fake_new("virtio_rng", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static bool broken(struct fake *f) { return fake_get(f, R_STATUS, 4) & NEEDS_RESET; }

/* The device is usable again after a reset, whatever happened. */
static void assert_recovers(struct fake *f)
{
    vq_start(f, ALL, 1);
    assert_false(f->irq);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 32, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), 1);
    assert_int_equal(vq_used_len(f, 0, 0), 32);
    assert_false(broken(f));
}

static void identity_is_virtio_mmio_version_2(void **s)
{
    struct fake *f = *s;
    assert_int_equal(fake_get(f, R_MAGIC, 4), 0x74726976);
    assert_int_equal(fake_get(f, R_VERSION, 4), 2);
    assert_int_equal(fake_get(f, R_ID, 4), 4);
    assert_int_equal(fake_get(f, R_QMAX, 4), 256);
    fake_set(f, R_QSEL, 4, 1);
    assert_int_equal(fake_get(f, R_QMAX, 4), 0);
    assert_int_equal(fake_get(f, 0xb0, 4), 0xffffffff);
    assert_int_equal(fake_get(f, R_MAGIC, 1), 0); /* registers are 4 bytes wide */
    assert_int_equal(vq_features(f), ALL);
    fake_set(f, R_FEATURES_SEL, 4, 2);
    assert_int_equal(fake_get(f, R_FEATURES, 4), 0);
}

static void an_empty_slot_has_device_id_zero(void **s)
{
    (void)s;
    struct fake *f = fake_new("virtio_none", 1, 0);
    assert_int_equal(fake_get(f, R_MAGIC, 4), 0x74726976);
    assert_int_equal(fake_get(f, R_VERSION, 4), 2);
    assert_int_equal(fake_get(f, R_ID, 4), 0);
    for (uint64_t off = 0; off < 0x200; off += 4)
        fake_set(f, off, 4, UINT64_MAX);
    assert_int_equal(fake_get(f, R_STATUS, 4), 0);
    fake_free(f);
}

static void features_are_refused_without_version_1_or_with_unknown_bits(void **s)
{
    struct fake *f = *s;
    assert_int_equal(vq_negotiate(f, FEATURE_EVENT_IDX), 3);
    assert_int_equal(vq_negotiate(f, FEATURE_VERSION_1 | UINT64_C(1) << 40), 3);
    assert_int_equal(vq_negotiate(f, FEATURE_VERSION_1 | 1), 3);
    assert_int_equal(vq_negotiate(f, FEATURE_VERSION_1), 11);
    fake_set(f, R_DRIVER_SEL, 4, 0); /* too late: the set is fixed */
    fake_set(f, R_DRIVER, 4, 0xffffffff);
    fake_set(f, R_STATUS, 4, 15);
    assert_int_equal(fake_get(f, R_STATUS, 4), 15);
}

static void a_request_fills_a_chain_of_several_buffers(void **s)
{
    struct fake *f = *s;
    vq_start(f, FEATURE_VERSION_1, 1);
    vq_desc(f, VQ_DESC(0), 3, VQ_BUF, 5, D_NEXT | D_WRITE, 6);
    vq_desc(f, VQ_DESC(0), 6, VQ_BUF + 100, 11, D_WRITE, 0);
    vq_offer(f, 0, 3);
    assert_int_equal(vq_used_idx(f, 0), 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), 1);
    assert_int_equal(vq_used_id(f, 0, 0), 3);
    assert_int_equal(vq_used_len(f, 0, 0), 16);
    assert_int_equal(vq_peek(f, VQ_BUF, 5), UINT64_C(0x6789abcdef));
    assert_int_equal(vq_peek(f, VQ_BUF + 5, 1), 0);
    assert_int_equal(vq_peek(f, VQ_BUF + 100, 3), UINT64_C(0x012345)); /* the second buffer goes on where the first ended */
    assert_int_equal(vq_peek(f, VQ_BUF + 111, 1), 0);
    assert_true(f->irq);
    assert_int_equal(fake_get(f, R_ISR, 4), 1);
    fake_set(f, R_ACK, 4, 1);
    assert_false(f->irq);
}

static void the_ring_wraps(void **s)
{
    struct fake *f = *s;
    vq_start(f, FEATURE_VERSION_1, 1);
    for (unsigned i = 0; i < 70000; i++) {
        vq_desc(f, VQ_DESC(0), i % VQ_NUM, VQ_BUF, 1 + i % 3, D_WRITE, 0);
        vq_offer(f, 0, i % VQ_NUM);
        vq_notify(f, 0);
        assert_int_equal(vq_used_idx(f, 0), (i + 1) & 0xffff);
        assert_int_equal(vq_used_id(f, 0, i), i % VQ_NUM);
        assert_int_equal(vq_used_len(f, 0, i), 1 + i % 3);
    }
}

static void indirect_tables_are_followed(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_NEXT | D_WRITE, 1); /* a direct buffer may come before the table (2.7.5.3.2) */
    vq_desc(f, VQ_DESC(0), 1, VQ_INDIRECT, 48, D_INDIRECT | D_WRITE, 0);
    vq_desc(f, VQ_INDIRECT, 0, VQ_BUF + 16, 4, D_NEXT | D_WRITE, 2);
    vq_desc(f, VQ_INDIRECT, 2, VQ_BUF + 32, 8, D_WRITE, 1);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), 1);
    assert_int_equal(vq_used_len(f, 0, 0), 16);
    assert_false(broken(f));
}

/* Offers chain 0 and expects the device to declare itself broken, to tell the guest, and to leave the ring alone from then on. */
static void assert_breaks(struct fake *f)
{
    fake_set(f, R_ACK, 4, 3);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_true(broken(f));
    assert_true(fake_get(f, R_ISR, 4) & 2);
    uint64_t idx = vq_used_idx(f, 0);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), idx);
    assert_true(fake_valid(f));
    assert_recovers(f);
}

static void broken_indirect_tables_break_the_device(void **s)
{
    struct fake *f = *s;
    static const struct {
        uint32_t len;
        unsigned flags;
    } bad[] = {{0, D_INDIRECT}, {15, D_INDIRECT}, {16, D_INDIRECT | D_NEXT}};
    for (unsigned i = 0; i < 3; i++) {
        vq_start(f, ALL, 1);
        vq_desc(f, VQ_INDIRECT, 0, VQ_BUF, 4, D_WRITE, 0);
        vq_desc(f, VQ_DESC(0), 0, VQ_INDIRECT, bad[i].len, bad[i].flags, 1);
        assert_breaks(f);
    }
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_INDIRECT, 32, D_INDIRECT, 0);
    vq_desc(f, VQ_INDIRECT, 0, VQ_INDIRECT, 32, D_INDIRECT, 0); /* a table in a table */
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_INDIRECT, 32, D_INDIRECT, 0);
    vq_desc(f, VQ_INDIRECT, 0, VQ_BUF, 1, D_WRITE | D_NEXT, 2); /* past its end */
    assert_breaks(f);
    vq_start(f, FEATURE_VERSION_1, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_INDIRECT, 32, D_INDIRECT, 0); /* not negotiated */
    assert_breaks(f);
}

static void broken_chains_break_the_device(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 1, D_NEXT | D_WRITE, 0); /* a loop */
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 0, D_NEXT | D_WRITE, 1); /* a loop without bytes */
    vq_desc(f, VQ_DESC(0), 1, VQ_BUF, 0, D_NEXT | D_WRITE, 0);
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 1, D_NEXT | D_WRITE, VQ_NUM); /* out of the table */
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 1, D_NEXT | D_WRITE, 1); /* readable after writable */
    vq_desc(f, VQ_DESC(0), 1, VQ_BUF, 1, 0, 0);
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 0xffffffff, D_NEXT | D_WRITE, 1); /* longer than 2^32 */
    vq_desc(f, VQ_DESC(0), 1, VQ_BUF, 0xffffffff, D_WRITE, 0);
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, UINT64_MAX - 3, 16, D_WRITE, 0); /* wraps */
    assert_breaks(f);
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, 0x1000, 16, D_WRITE, 0); /* not memory */
    assert_breaks(f);
}

static void broken_rings_break_the_device(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    vq_poke(f, VQ_AVAIL(0) + 2, 2, VQ_NUM + 1); /* more than fits */
    vq_notify(f, 0);
    assert_true(broken(f));
    assert_recovers(f);
    vq_start(f, ALL, 1);
    vq_offer(f, 0, VQ_NUM); /* a head out of the table */
    vq_notify(f, 0);
    assert_true(broken(f));
    assert_recovers(f);
    for (unsigned reg = R_DESC; reg <= R_USED; reg += 0x10) { /* each area in turn is not memory */
        vq_negotiate(f, ALL);
        vq_queue(f, 0, VQ_NUM);
        fake_set(f, R_QREADY, 4, 0);
        fake_set(f, reg, 4, 0x40);
        fake_set(f, reg + 4, 4, 0);
        fake_set(f, R_QREADY, 4, 1);
        fake_set(f, R_STATUS, 4, 15);
        vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_WRITE, 0);
        vq_offer(f, 0, 0);
        vq_notify(f, 0);
        assert_true(broken(f));
        assert_recovers(f);
    }
}

static void queues_of_a_wrong_size_or_alignment_break_the_device(void **s)
{
    struct fake *f = *s;
    static const uint32_t bad[] = {0, 3, 257, 512, 0xffffffff};
    for (unsigned i = 0; i < 5; i++) {
        vq_negotiate(f, ALL);
        vq_queue(f, 0, bad[i]);
        assert_true(broken(f));
        assert_int_equal(fake_get(f, R_QREADY, 4), 0);
    }
    for (unsigned reg = R_DESC; reg <= R_USED; reg += 0x10) {
        vq_negotiate(f, ALL);
        fake_set(f, R_QNUM, 4, 8);
        fake_set(f, reg, 4, FAKE_RAM_BASE + 1);
        fake_set(f, R_QREADY, 4, 1);
        assert_true(broken(f));
    }
    assert_recovers(f);
}

static void nothing_is_consumed_before_driver_ok(void **s)
{
    struct fake *f = *s;
    vq_negotiate(f, ALL);
    vq_queue(f, 0, VQ_NUM);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), 0);
    fake_set(f, R_STATUS, 4, 15);
    assert_int_equal(vq_used_idx(f, 0), 1);
}

static void the_guest_can_do_without_interrupts(void **s)
{
    struct fake *f = *s;
    vq_start(f, FEATURE_VERSION_1, 1);
    vq_poke(f, VQ_AVAIL(0), 2, 1); /* VIRTQ_AVAIL_F_NO_INTERRUPT */
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), 1);
    assert_false(f->irq);
}

static void the_event_index_says_when_to_interrupt(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_WRITE, 0);
    vq_poke(f, VQ_AVAIL(0), 2, 1);                  /* ignored with the event index */
    vq_poke(f, VQ_AVAIL(0) + 4 + 2 * VQ_NUM, 2, 2); /* used_event: after entry 2 */
    for (unsigned i = 0; i < 5; i++) {
        vq_offer(f, 0, 0);
        vq_notify(f, 0);
        assert_int_equal(f->irq, i == 2);
        fake_set(f, R_ACK, 4, 1);
        assert_int_equal(vq_peek(f, VQ_USED(0) + 4 + 8 * VQ_NUM, 2), i + 1); /* avail_event: tell me of the next */
    }
    vq_poke(f, VQ_AVAIL(0) + 4 + 2 * VQ_NUM, 2, 6); /* reached in the middle of a batch */
    for (unsigned i = 0; i < 3; i++)
        vq_offer(f, 0, 0);
    vq_notify(f, 0);
    assert_true(f->irq);
    assert_int_equal(f->irq_rises, 2);
}

static void a_full_ring_is_served_at_once(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    for (unsigned i = 0; i < VQ_NUM; i++) {
        vq_desc(f, VQ_DESC(0), i, VQ_BUF, 4, D_WRITE, 0);
        vq_offer(f, 0, i);
    }
    vq_notify(f, 0);
    assert_int_equal(vq_used_idx(f, 0), VQ_NUM);
    fake_run(f, 10);
    assert_int_equal(vq_used_idx(f, 0), VQ_NUM);
    assert_int_equal(f->when[0], UINT64_MAX);
}

static void a_running_queue_ignores_changes(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    fake_set(f, R_QNUM, 4, 3);
    fake_set(f, R_DESC, 4, 0x12345);
    vq_desc(f, VQ_DESC(0), 0, VQ_BUF, 4, D_WRITE, 0);
    vq_offer(f, 0, 0);
    vq_notify(f, 0);
    vq_notify(f, 1); /* no such queue */
    vq_notify(f, 0xffffffff);
    assert_int_equal(vq_used_idx(f, 0), 1);
    assert_false(broken(f));
}

static void loaded_state_is_checked(void **s)
{
    struct fake *f = *s;
    vq_start(f, ALL, 1);
    assert_true(fake_valid(f));
    memset(f->d.state, 0xff, f->d.ops->state_size);
    assert_false(fake_valid(f));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(identity_is_virtio_mmio_version_2),
        T(an_empty_slot_has_device_id_zero),
        T(features_are_refused_without_version_1_or_with_unknown_bits),
        T(a_request_fills_a_chain_of_several_buffers),
        T(the_ring_wraps),
        T(indirect_tables_are_followed),
        T(broken_indirect_tables_break_the_device),
        T(broken_chains_break_the_device),
        T(broken_rings_break_the_device),
        T(queues_of_a_wrong_size_or_alignment_break_the_device),
        T(nothing_is_consumed_before_driver_ok),
        T(the_guest_can_do_without_interrupts),
        T(the_event_index_says_when_to_interrupt),
        T(a_full_ring_is_served_at_once),
        T(a_running_queue_ignores_changes),
        T(loaded_state_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
