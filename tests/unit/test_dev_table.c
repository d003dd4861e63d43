/* Laws that hold for every device of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

static void every_device_is_found_by_its_name(void **s)
{
    (void)s;
    size_t n = 0;
    for (const struct device_ops *o; (o = device_list(n)); n++) {
        assert_ptr_equal(device_find(o->name), o);
        assert_true(o->title[0] != 0);
        assert_non_null(o->reset);
        assert_non_null(o->read);
        assert_non_null(o->write);
        assert_true(o->events <= DEVICE_EVENTS);
        assert_true(!o->events || o->event);
        assert_true(o->mmio_size > 0);
    }
    assert_int_equal(n, 19);
    assert_null(device_list(n));
    assert_null(device_find("ns1655"));
    assert_null(device_find(""));
}

static void state_after_reset_is_valid_and_reset_is_idempotent(void **s)
{
    (void)s;
    const struct device_ops *o;
    for (size_t i = 0; (o = device_list(i)); i++) {
        struct fake *f = fake_new(o->name, 2, 0);
        uint8_t *copy = malloc(o->state_size + 1);
        assert_true(fake_valid(f));
        if (o->state_size)
            memcpy(copy, f->d.state, o->state_size);
        o->reset(&f->d);
        if (o->state_size)
            assert_memory_equal(copy, f->d.state, o->state_size);
        assert_false(f->irq);
        assert_int_equal(f->mip[0] | f->mip[1], 0);
        free(copy);
        fake_free(f);
    }
}

/* Each register of the first 4 KiB is written with nonsense at each width; the device must stay valid. */
static void nonsense_writes_leave_a_valid_state(void **s)
{
    static const uint64_t values[] = {0, 1, UINT64_MAX, UINT64_C(0x8000000080000000), UINT64_C(0x5555aaaa5555aaaa), 0x7f};
    const struct device_ops *o;
    (void)s;
    for (size_t i = 0; (o = device_list(i)); i++) {
        struct fake *f = fake_new(o->name, 2, 0);
        for (unsigned v = 0; v < sizeof values / sizeof *values; v++) {
            for (unsigned size = 1; size <= 8; size *= 2) {
                uint64_t out;
                for (uint64_t off = 0; off < 4096 && off + size <= o->mmio_size; off += size) {
                    o->write(&f->d, off, size, values[v]);
                    o->read(&f->d, off, size, &out);
                }
                assert_true(fake_valid(f));
                fake_run(f, f->now + 100000);
                assert_true(fake_valid(f));
            }
        }
        fake_free(f);
    }
}

/* State is all there is: a copy put back behaves as before (no hidden pointers, nothing outside). */
static void a_state_of_all_ones_is_refused_or_harmless(void **s)
{
    const struct device_ops *o;
    (void)s;
    for (size_t i = 0; (o = device_list(i)); i++) {
        struct fake *f = fake_new(o->name, 2, 0);
        if (o->state_size)
            memset(f->d.state, 0xff, o->state_size);
        if (fake_valid(f)) {
            uint64_t out;
            for (uint64_t off = 0; off + 4 <= o->mmio_size && off < 0x5000; off += 4)
                o->read(&f->d, off, 4, &out);
            for (unsigned n = 0; n < o->events; n++)
                o->event(&f->d, n);
        }
        fake_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_device_is_found_by_its_name),
        cmocka_unit_test(state_after_reset_is_valid_and_reset_is_idempotent),
        cmocka_unit_test(nonsense_writes_leave_a_valid_state),
        cmocka_unit_test(a_state_of_all_ones_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
