/* Physical memory: copy-on-write, forks, restore, regions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/rng.h"
#include "mem/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BASE UINT64_C(0x80000000)
#define MIB  (UINT64_C(1) << 20)

static struct mem *ram(uint64_t size)
{
    struct err e;
    struct mem *m = mem_new();
    assert_true(mem_add_ram(m, "ram", BASE, size, false, &e));
    return m;
}

static void hash_page(void *ctx, uint64_t pa, const uint8_t *page)
{
    hash_add_u64(ctx, pa);
    hash_add(ctx, page, MEM_PAGE_SIZE);
}

static uint64_t digest(struct mem *m)
{
    struct hash *h = hash_new();
    mem_visit(m, hash_page, h);
    return hash_end(h);
}

static uint64_t get(struct mem *m, uint64_t pa)
{
    uint64_t v = 0;
    assert_true(mem_read(m, pa, &v, 8));
    return v;
}

static void put(struct mem *m, uint64_t pa, uint64_t v) { assert_true(mem_write(m, pa, &v, 8)); }

static void untouched_memory_reads_zero_and_costs_nothing(void **state)
{
    (void)state;
    struct mem *m = ram(1024 * MIB);
    for (uint64_t pa = BASE; pa < BASE + 1024 * MIB; pa += 3 * MIB + 4096) {
        assert_int_equal(get(m, pa), 0);
        assert_int_equal(mem_page_read(m, pa)[4095], 0);
    }
    assert_int_equal(mem_pages_held(m), 0);
    put(m, BASE + 77 * MIB, 5);
    assert_int_equal(mem_pages_held(m), 1);
    assert_int_equal(get(m, BASE + 77 * MIB), 5);
    mem_free(m);
}

static void a_page_of_written_zeros_equals_an_untouched_one(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    uint64_t before = digest(m);
    put(m, BASE + 4096, 1);
    assert_true(digest(m) != before);
    put(m, BASE + 4096, 0);
    assert_int_equal(digest(m), before);
    mem_free(m);
}

static void accesses_past_the_end_copy_nothing(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    uint8_t b[16], ones[16];
    memset(ones, 0xff, sizeof ones);
    memset(b, 7, sizeof b);
    assert_false(mem_write(m, BASE + MIB - 8, ones, 16));
    assert_int_equal(get(m, BASE + MIB - 8), 0);
    assert_false(mem_read(m, BASE - 8, b, 16));
    assert_int_equal(b[0], 7);
    assert_false(mem_read(m, UINT64_MAX - 7, b, 16));
    assert_false(mem_is_ram(m, BASE, UINT64_MAX));
    assert_true(mem_is_ram(m, BASE, MIB));
    assert_null(mem_page_read(m, BASE + MIB));
    assert_null(mem_page_write(m, BASE - 1));
    mem_free(m);
}

static void adjacent_regions_are_read_and_written_as_one(void **state)
{
    (void)state;
    struct err e;
    struct mem *m = ram(MIB);
    assert_true(mem_add_ram(m, "more", BASE + MIB, MIB, false, &e));
    uint64_t v[2] = {1, 2};
    assert_true(mem_write(m, BASE + MIB - 8, v, 16));
    assert_int_equal(get(m, BASE + MIB), 2);
    mem_free(m);
}

static void overlapping_or_odd_regions_are_refused(void **state)
{
    (void)state;
    struct err e;
    struct mem *m = ram(MIB);
    assert_false(mem_add_io(m, "dev", BASE + MIB - 4096, 8192, (struct mem_io){0}, &e));
    assert_non_null(strstr(e.text, "overlaps ram"));
    assert_false(mem_add_ram(m, "odd", 0x1001, 4096, false, &e));
    assert_false(mem_add_ram(m, "none", 0x1000, 0, false, &e));
    assert_false(mem_add_ram(m, "wrap", ~UINT64_C(0xfff), 0x2000, false, &e));
    mem_free(m);
}

static void a_rom_is_written_by_the_loader_only(void **state)
{
    (void)state;
    struct err e;
    struct mem *m = mem_new();
    assert_true(mem_add_ram(m, "rom", 0x1000, 0x1000, true, &e));
    assert_null(mem_page_write(m, 0x1000));
    put(m, 0x1000, 99);
    assert_int_equal(*mem_page_read(m, 0x1000), 99);
    mem_free(m);
}

static void writes_after_a_fork_are_not_seen_by_the_other_side(void **state)
{
    (void)state;
    struct mem *m = ram(64 * MIB);
    put(m, BASE, 1);
    put(m, BASE + 20 * MIB, 2);
    struct mem *f = mem_fork(m);
    assert_int_equal(digest(f), digest(m));
    put(m, BASE, 10);
    *mem_page_write(f, BASE + 20 * MIB) = 20;
    put(f, BASE + 40 * MIB, 30);
    assert_int_equal(get(m, BASE), 10);
    assert_int_equal(get(f, BASE), 1);
    assert_int_equal(get(m, BASE + 20 * MIB), 2);
    assert_int_equal(get(f, BASE + 20 * MIB), 20);
    assert_int_equal(get(m, BASE + 40 * MIB), 0);
    mem_free(m);
    assert_int_equal(get(f, BASE), 1);
    mem_free(f);
}

static void note(void *ctx, uint64_t pa, uint64_t n)
{
    (void)pa;
    *(uint64_t *)ctx += n;
}

static void restore_undoes_the_writes_of_both_sides(void **state)
{
    (void)state;
    struct mem *m = ram(64 * MIB);
    for (uint64_t i = 0; i < 64 * MIB; i += 16 * 4096)
        put(m, BASE + i, i + 1);
    struct mem *f = mem_fork(m);
    uint64_t changed = 0;
    mem_set_changed(f, note, &changed);
    put(f, BASE, 5);
    put(f, BASE + 33 * MIB + 4096, 6);
    changed = 0;
    mem_restore(f, m);
    assert_int_equal(changed, 2 * 4096);
    assert_int_equal(digest(f), digest(m));
    put(m, BASE + 8 * MIB, 7);
    put(f, BASE + 9 * MIB, 8);
    mem_restore(f, m);
    assert_int_equal(digest(f), digest(m));
    assert_int_equal(get(f, BASE + 8 * MIB), 7);
    put(m, BASE + 8 * MIB, 9); /* m's pages are shared again: f keeps what it has */
    assert_int_equal(get(f, BASE + 8 * MIB), 7);
    mem_free(f);
    mem_free(m);
}

static void random_histories_equal_a_plain_array(void **state)
{
    (void)state;
    enum { N = 6, WORDS = 4096 };
    struct mem *m[N] = {ram(MIB * 32)};
    static uint64_t model[N][WORDS];
    memset(model, 0, sizeof model);
    uint64_t seed = 1;
    const uint64_t stride = 32 * MIB / WORDS;
    for (unsigned step = 0; step < 40000; step++) {
        uint64_t a = rng_below(&seed, N), b = rng_below(&seed, N), w = rng_below(&seed, WORDS);
        if (!m[a])
            continue;
        switch (rng_below(&seed, 40)) {
        case 0:
            if (a == b)
                break;
            if (m[b])
                mem_restore(m[b], m[a]);
            else
                m[b] = mem_fork(m[a]);
            memcpy(model[b], model[a], sizeof model[a]);
            break;
        case 1:
            if (b && a != b) {
                mem_free(m[b]);
                m[b] = NULL;
            }
            break;
        default:
            if (step & 1) {
                put(m[a], BASE + w * stride, model[a][w] = rng_next(&seed));
            } else {
                assert_int_equal(get(m[a], BASE + w * stride), model[a][w]);
            }
        }
    }
    for (unsigned i = 0; i < N; i++) {
        for (unsigned w = 0; m[i] && w < WORDS; w++)
            assert_int_equal(get(m[i], BASE + w * stride), model[i][w]);
        mem_free(m[i]);
    }
}

static void a_page_is_private_from_its_first_write_to_the_next_fork(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    assert_false(mem_page_private(m, BASE + 0x5000));
    uint8_t *own = mem_page_write(m, BASE + 0x5010);
    assert_true(mem_page_private(m, BASE + 0x5000));
    assert_ptr_equal(mem_page_read(m, BASE + 0x5000), own);
    struct mem *f = mem_fork(m);
    assert_false(mem_page_private(m, BASE + 0x5000));
    assert_false(mem_page_private(f, BASE + 0x5000));
    assert_ptr_equal(mem_page_read(f, BASE + 0x5000), own);
    assert_true(mem_page_write(f, BASE + 0x5000) != own);
    assert_true(mem_page_private(f, BASE + 0x5000));
    assert_false(mem_page_private(f, BASE + 0x6000));
    mem_restore(f, m);
    assert_false(mem_page_private(f, BASE + 0x5000));
    mem_free(f);
    mem_free(m);
}

static void writes_from_outside_are_reported_once(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    uint64_t n = 0;
    mem_set_changed(m, note, &n);
    uint8_t b[10000] = {1};
    assert_true(mem_write(m, BASE + 100, b, sizeof b));
    assert_int_equal(n, sizeof b);
    mem_free(m);
}

static void page_flags_are_each_machines_own(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    *mem_page_flags(m, BASE + 0x3fff) |= MEM_CODE;
    struct mem *f = mem_fork(m);
    assert_int_equal(*mem_page_flags(f, BASE + 0x3000), 0);
    assert_int_equal(*mem_page_flags(m, BASE + 0x3000), MEM_CODE);
    assert_null(mem_page_flags(m, 0));
    mem_free(f);
    mem_free(m);
}

static bool io_read(void *ctx, uint64_t off, unsigned size, uint64_t *value)
{
    *value = *(uint64_t *)ctx + off * 16 + size;
    return off != 0x10;
}

static bool io_write(void *ctx, uint64_t off, unsigned size, uint64_t value)
{
    (void)off;
    (void)size;
    *(uint64_t *)ctx = value;
    return true;
}

static void accesses_reach_the_region_that_holds_them(void **state)
{
    (void)state;
    struct err e;
    struct mem *m = ram(MIB);
    uint64_t dev[20], v;
    for (uint64_t i = 0; i < 20; i++) {
        dev[i] = i << 32;
        assert_true(
            mem_add_io(m, "dev", 0x10000 + (i * 7 % 20) * 0x2000, 0x1000, (struct mem_io){io_read, io_write, &dev[i]}, &e));
    }
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t base = 0x10000 + (i * 7 % 20) * 0x2000;
        assert_true(mem_io_read(m, base + 0x20, 4, &v));
        assert_int_equal(v, (i << 32) + 0x204);
        assert_false(mem_io_read(m, base + 0x10, 4, &v)); /* the device refuses */
        assert_false(mem_io_read(m, base + 0x21, 4, &v)); /* misaligned */
        assert_false(mem_io_read(m, base + 0x1000, 4, &v));
        assert_false(mem_io_write(m, base - 8, 8, 0));
    }
    uint64_t other = 0;
    mem_set_io(m, 0x10000, (struct mem_io){io_read, io_write, &other});
    assert_true(mem_io_write(m, 0x10000, 8, 1234));
    assert_int_equal(other, 1234);
    assert_int_equal(dev[0], 0);
    mem_free(m);
}

static void a_rom_with_functions_takes_stores_and_can_be_off(void **state)
{
    (void)state;
    struct err e;
    struct mem *m = ram(MIB);
    uint64_t dev = 0, fork_dev = 0, v = 0;
    assert_true(mem_add_ram(m, "flash", 0x10000, 0x2000, true, &e));
    assert_false(mem_io_write(m, 0x10000, 4, 1));
    put(m, 0x11000, 99);
    mem_set_io(m, 0x10000, (struct mem_io){io_read, io_write, &dev});
    assert_true(mem_io_write(m, 0x11ff8, 8, 5));
    assert_int_equal(dev, 5);
    assert_false(mem_io_write(m, 0x12000, 4, 1));
    assert_false(mem_rom_on(m, 0x10000, true)); /* it is */
    assert_true(mem_rom_on(m, 0x10000, false));
    assert_null(mem_page_read(m, 0x11000));
    assert_false(mem_look(m, 0x11000, &(struct mem_view){0}));
    assert_true(mem_io_read(m, 0x11000, 8, &v));
    assert_int_equal(v, 5 + 0x10008);
    assert_true(mem_read(m, 0x11000, &v, 8)); /* what is no load of the guest */
    assert_int_equal(v, 99);
    struct mem *f = mem_fork(m);
    mem_set_io(f, 0x10000, (struct mem_io){io_read, io_write, &fork_dev});
    assert_null(mem_page_read(f, 0x11000));
    assert_true(mem_io_write(f, 0x10000, 4, 7));
    assert_int_equal(dev, 5);
    assert_int_equal(fork_dev, 7);
    assert_true(mem_rom_on(f, 0x10000, true));
    put(f, 0x11000, 1);
    put(f, BASE, 2);
    mem_restore_ram(f, m); /* a reset: flash keeps what it holds, and its mode */
    assert_int_equal(*mem_page_read(f, 0x11000), 1);
    assert_int_equal(*mem_page_read(f, BASE), 0);
    mem_restore(f, m);
    assert_null(mem_page_read(f, 0x11000));
    mem_rom_on(f, 0x10000, true);
    assert_int_equal(*mem_page_read(f, 0x11000), 99);
    mem_free(f);
    mem_free(m);
}

static void dropped_pages_are_zero_and_their_neighbours_are_not(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    for (uint64_t i = 0; i < 10; i++)
        put(m, BASE + i * 4096, i + 1);
    struct mem *f = mem_fork(m);
    mem_drop(f, BASE + 4095, 3 * 4096 + 1); /* wholly inside: pages 1 to 3 */
    mem_drop(f, BASE + 5 * 4096 + 1, 2 * 4096 - 2);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(get(f, BASE + i * 4096), i >= 1 && i <= 3 ? 0 : i + 1);
        assert_int_equal(get(m, BASE + i * 4096), i + 1);
    }
    assert_int_equal(mem_pages_held(f), 7);
    mem_free(f);
    mem_free(m);
}

static void cleared_memory_is_zero(void **state)
{
    (void)state;
    struct mem *m = ram(MIB);
    put(m, BASE + 0x3000, 77);
    struct mem *f = mem_fork(m);
    mem_clear(m);
    assert_int_equal(mem_pages_held(m), 0);
    assert_int_equal(get(m, BASE + 0x3000), 0);
    assert_int_equal(get(f, BASE + 0x3000), 77);
    put(m, BASE + 0x3000, 1);
    mem_free(f);
    mem_free(m);
}

struct worker {
    struct mem *from;
    uint64_t seed, sum;
};

static void *work(void *p)
{
    struct worker *w = p;
    struct mem *f = mem_fork(w->from);
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned i = 0; i < 20; i++)
            put(f, BASE + rng_below(&w->seed, 8192) * 4096, rng_next(&w->seed));
        mem_restore(f, w->from);
    }
    w->sum = digest(f);
    mem_free(f);
    return NULL;
}

static void forks_may_run_in_different_threads(void **state)
{
    (void)state;
    struct mem *m = ram(32 * MIB);
    for (uint64_t i = 0; i < 8192; i += 3)
        put(m, BASE + i * 4096, i + 1);
    uint64_t want = digest(m);
    pthread_t t[4];
    struct worker w[4];
    for (unsigned i = 0; i < 4; i++) {
        w[i] = (struct worker){m, i + 1, 0};
        assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(w[i].sum, want);
    }
    assert_int_equal(digest(m), want);
    put(m, BASE, 0); /* nothing leaked a reference: m alone writes in place */
    uint8_t *page = mem_page_write(m, BASE + 3 * 4096);
    assert_ptr_equal(page, mem_page_read(m, BASE + 3 * 4096));
    mem_free(m);
}

static unsigned pages_not_shared(struct mem *a, struct mem *b, uint64_t step)
{
    unsigned n = 0;
    for (uint64_t at = 0; at < 1024 * MIB; at += step)
        n += mem_page_read(a, BASE + at) != mem_page_read(b, BASE + at);
    return n;
}

/* What a fork and a restore cost is the bench's (`fork`, at most 100 microseconds); that they need not be dear is here: pages of
   a full GiB are shared, and stay so but for those written. */
static void a_fork_and_a_restore_of_a_gibibyte_copy_no_page(void **state)
{
    (void)state;
    struct mem *m = ram(1024 * MIB);
    for (uint64_t i = 0; i < 1024 * MIB; i += MIB)
        put(m, BASE + i, i + 1);
    struct mem *f = mem_fork(m);
    assert_int_equal(pages_not_shared(m, f, MIB), 0);
    for (unsigned i = 1; i <= 3; i++)
        put(f, BASE + i * 64 * MIB, 7);
    put(m, BASE + 4 * 64 * MIB, 7);
    assert_int_equal(pages_not_shared(m, f, MIB), 4);
    mem_restore(f, m);
    assert_int_equal(pages_not_shared(m, f, MIB), 0);
    assert_int_equal(digest(f), digest(m));
    mem_free(f);
    mem_free(m);
}

static bool tag_pair(void *ctx, uint64_t pa, const uint8_t *a, const uint8_t *b)
{
    assert_int_equal(pa, (BASE + 0x20000) | MEM_TAGS);
    assert_int_equal(a[0] & 15, 9);
    assert_int_equal(b[0] & 15, 0);
    ++*(unsigned *)ctx;
    return true;
}

static void put_again(void *ctx, uint64_t pa, const uint8_t *page) { assert_true(mem_put_page(ctx, pa, page)); }

/* Tags are forked, restored, compared, visited and cleared as pages are, and cost nothing until one is not 0. */
static void tags_are_part_of_memory(void **state)
{
    (void)state;
    struct err e;
    struct mem *m = mem_new(), *copy = mem_new();
    for (unsigned i = 0; i < 2; i++) {
        struct mem *k = i ? copy : m;
        assert_true(mem_add_ram(k, "low", BASE - 0x10000, 0x1000, false, &e));
        assert_true(mem_add_ram(k, "ram", BASE, 0x50000, false, &e));
        mem_add_tags(k, BASE);
        assert_true(mem_add_ram(k, "high", BASE + 0x100000, 0x1000, false, &e));
    }
    uint64_t none = digest(m);
    mem_set_tag(m, BASE + 0x20, 0);
    mem_set_tag(m, BASE - 0x10000, 3); /* has none */
    assert_int_equal(mem_tag(m, BASE - 0x10000), -1);
    assert_int_equal(mem_tag(m, BASE | MEM_TAGS), -1);
    assert_false(mem_is_ram(m, BASE | MEM_TAGS, 1));
    assert_int_equal(mem_pages_held(m), 0);
    assert_int_equal(digest(m), none);
    for (unsigned i = 0; i < 0x50000 / 16; i++)
        mem_set_tag(m, BASE + 16 * i + i % 16, i * 7 % 16);
    for (unsigned i = 0; i < 0x50000 / 16; i++)
        assert_int_equal(mem_tag(m, BASE + 16 * i + 15), i * 7 % 16);
    assert_int_equal(mem_pages_held(m), 3);
    uint64_t full = digest(m);
    assert_int_not_equal(full, none);
    mem_visit(m, put_again, copy);
    assert_int_equal(digest(copy), full);

    struct mem *f = mem_fork(m);
    unsigned n = 0;
    mem_set_tag(f, BASE + 0x20000, 9); /* the second page of them */
    assert_int_equal(mem_tag(m, BASE + 0x20000), 0);
    assert_int_equal(mem_tag(f, BASE + 0x20000), 9);
    mem_pairs(f, m, tag_pair, &n);
    assert_int_equal(n, 1);
    assert_true(mem_rewind(f, m, 1));
    assert_int_equal(digest(f), full);
    mem_set_tag(f, BASE + 0x40, 1);
    mem_restore(f, m);
    assert_int_equal(digest(f), full);
    mem_set_tag(f, BASE + 0x40, 1);
    mem_restore_ram(f, m);
    assert_int_equal(digest(f), full);
    mem_clear(f);
    assert_int_equal(digest(f), none);
    mem_free(f);
    mem_free(m);
    mem_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untouched_memory_reads_zero_and_costs_nothing),
        cmocka_unit_test(a_page_of_written_zeros_equals_an_untouched_one),
        cmocka_unit_test(accesses_past_the_end_copy_nothing),
        cmocka_unit_test(adjacent_regions_are_read_and_written_as_one),
        cmocka_unit_test(overlapping_or_odd_regions_are_refused),
        cmocka_unit_test(a_rom_is_written_by_the_loader_only),
        cmocka_unit_test(a_rom_with_functions_takes_stores_and_can_be_off),
        cmocka_unit_test(writes_after_a_fork_are_not_seen_by_the_other_side),
        cmocka_unit_test(restore_undoes_the_writes_of_both_sides),
        cmocka_unit_test(random_histories_equal_a_plain_array),
        cmocka_unit_test(a_page_is_private_from_its_first_write_to_the_next_fork),
        cmocka_unit_test(writes_from_outside_are_reported_once),
        cmocka_unit_test(page_flags_are_each_machines_own),
        cmocka_unit_test(accesses_reach_the_region_that_holds_them),
        cmocka_unit_test(dropped_pages_are_zero_and_their_neighbours_are_not),
        cmocka_unit_test(cleared_memory_is_zero),
        cmocka_unit_test(forks_may_run_in_different_threads),
        cmocka_unit_test(a_fork_and_a_restore_of_a_gibibyte_copy_no_page),
        cmocka_unit_test(tags_are_part_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
