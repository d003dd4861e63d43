/* base/table.h: what was added is found, and nothing else, however many there are. */
#include "base/rng.h"
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { COUNT = 5000 };

static uint64_t key_of(unsigned i)
{
    return i % 3 ? (uint64_t)i << 40 | 1 : i + UINT64_C(1);
} /* alike in their low, or high, bits */

static void test_found(void **state)
{
    (void)state;
    struct table t = {0};
    assert_null(table_find(&t, 1));
    for (unsigned i = 0; i < COUNT; i++) {
        assert_null(table_find(&t, key_of(i)));
        uint64_t *value = table_add(&t, key_of(i));
        assert_int_equal(*value, 0);
        *value = i * UINT64_C(3);
    }
    struct table copy = table_copy(&t);
    *table_add(&t, key_of(7)) = 1;
    assert_int_equal(copy.n, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(*table_find(&copy, key_of(i)), i * UINT64_C(3));
        assert_int_equal(*table_find(&t, key_of(i)), i == 7 ? 1 : i * UINT64_C(3));
    }
    assert_null(table_find(&t, COUNT * UINT64_C(3) + 1));
    table_free(&t);
    assert_null(table_find(&t, key_of(0)));
    table_free(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
