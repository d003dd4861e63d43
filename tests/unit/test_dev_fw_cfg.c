/* The firmware configuration device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "devices/fw_cfg.h"
#include "dev_fake.h"

enum { DATA = 0x00, SELECTOR = 0x08, DMA = 0x10 };
#define REQUEST (FAKE_RAM_BASE + 0x100)
#define TARGET  (FAKE_RAM_BASE + 0x1000)

static int setup(void **s)
{
    struct fake *f = fake_new("fw_cfg", 1, 0);
    for (unsigned i = 0; i < FAKE_DISK; i++)
        f->disk[i] = (uint8_t)(i * 7);
    assert_true(fw_cfg_add_file(&f->d, "etc/one", 100, 3000));
    assert_true(fw_cfg_add_value(&f->d, 0x05, 0x1234, 2));
    assert_true(fw_cfg_add_file(&f->d, "opt/two", 5000, 5));
    assert_true(fw_cfg_add_item(&f->d, 0x15, 40, 10));
    *s = f;
    return 0;
}

static int teardown(void **s)
{
    fake_free(*s);
    return 0;
}

static void select_item(struct fake *f, uint16_t key) { fake_set(f, SELECTOR, 2, __builtin_bswap16(key)); }

/* Carries out a DMA request through the 8-byte register; the control word as the device leaves it. */
static uint32_t dma(struct fake *f, uint32_t control, uint32_t len, uint64_t pa)
{
    uint32_t word[2] = {__builtin_bswap32(control), __builtin_bswap32(len)};
    pa = __builtin_bswap64(pa);
    memcpy(fake_ram(f, REQUEST, 8), word, 8);
    memcpy(fake_ram(f, REQUEST + 8, 8), &pa, 8);
    fake_set(f, DMA, 8, __builtin_bswap64(REQUEST));
    memcpy(word, fake_ram(f, REQUEST, 4), 4);
    return __builtin_bswap32(word[0]);
}

static void the_signature_and_the_features_are_found(void **s)
{
    struct fake *f = *s;
    select_item(f, 0);
    assert_int_equal(fake_get(f, DATA, 1), 'Q');
    assert_int_equal(fake_get(f, DATA, 1), 'E');
    assert_int_equal(fake_get(f, DATA, 2), 'M' | 'U' << 8);
    assert_int_equal(fake_get(f, DATA, 8), 0);
    select_item(f, 1);
    assert_int_equal(fake_get(f, DATA, 4), 3);
    assert_int_equal(fake_get(f, DMA, 8), UINT64_C(0x47464320554d4551)); /* "QEMU CFG" in memory order */
    assert_int_equal(fake_get(f, DMA + 4, 4), UINT64_C(0x47464320));
}

static void the_directory_lists_the_files(void **s)
{
    struct fake *f = *s;
    uint8_t dir[4 + 2 * 64];
    select_item(f, 0x19);
    for (unsigned i = 0; i < sizeof dir; i++)
        dir[i] = (uint8_t)fake_get(f, DATA, 1);
    assert_memory_equal(dir, "\0\0\0\2", 4);
    assert_memory_equal(dir + 4, "\0\0\x0b\xb8\0\x20\0\0etc/one\0", 16);
    assert_memory_equal(dir + 68, "\0\0\0\5\0\x21\0\0opt/two\0", 16);
    assert_int_equal(fake_get(f, DATA, 1), 0);
}

static void files_are_read_and_end_in_zeros(void **s)
{
    struct fake *f = *s;
    select_item(f, 0x21);
    uint64_t v = fake_get(f, DATA, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(v >> 8 * i & 0xff, i < 5 ? (uint8_t)((5000 + i) * 7) : 0);
    select_item(f, 0x05);
    assert_int_equal(fake_get(f, DATA, 4), 0x1234);
    select_item(f, 0x15);
    assert_int_equal(fake_get(f, DATA, 1), (uint8_t)(40 * 7));
    select_item(f, 0x77);
    assert_int_equal(fake_get(f, DATA, 8), 0);
}

static void dma_selects_reads_and_skips(void **s)
{
    struct fake *f = *s;
    memset(fake_ram(f, TARGET, 4000), 0xff, 4000);
    assert_int_equal(dma(f, 0x20u << 16 | 8 | 2, 3500, TARGET), 0);
    assert_memory_equal(fake_ram(f, TARGET, 3000), f->disk + 100, 3000);
    for (unsigned i = 3000; i < 3500; i++)
        assert_int_equal(*fake_ram(f, TARGET + i, 1), 0);
    assert_int_equal(*fake_ram(f, TARGET + 3500, 1), 0xff);
    assert_int_equal(dma(f, 0x20u << 16 | 8 | 4, 1000, 0), 0);
    assert_int_equal(dma(f, 2, 10, TARGET), 0); /* goes on where the skip ended */
    assert_memory_equal(fake_ram(f, TARGET, 10), f->disk + 1100, 10);
    assert_int_equal(dma(f, 4, 0xffffffff, 0), 0);
    assert_int_equal(fake_get(f, DATA, 1), 0);
}

static void dma_starts_with_the_low_half_of_its_address(void **s)
{
    struct fake *f = *s;
    static const uint8_t request[16] = {0, 0, 0, 10, 0, 0, 0, 4, 0, 0, 0, 0, 0x80, 0, 0x10, 0};
    memcpy(fake_ram(f, REQUEST, 16), request, 16);
    fake_set(f, DMA, 4, 0);
    assert_int_equal(*fake_ram(f, REQUEST + 3, 1), 10);
    fake_set(f, DMA + 4, 4, __builtin_bswap32((uint32_t)REQUEST));
    assert_int_equal(*fake_ram(f, REQUEST + 3, 1), 0);
    assert_memory_equal(fake_ram(f, TARGET, 4), "QEMU", 4);
}

static void bad_requests_end_in_the_error_bit(void **s)
{
    struct fake *f = *s;
    assert_int_equal(dma(f, 0x20u << 16 | 8 | 16, 4, TARGET), 1); /* nothing is writable */
    assert_int_equal(dma(f, 0x20u << 16 | 8 | 2, 4, 0x40), 1);
    assert_int_equal(dma(f, 0x20u << 16 | 8 | 2, 0xffffffff, TARGET), 1); /* past the end of memory */
    f->disk_fails = true;
    assert_int_equal(dma(f, 0x20u << 16 | 8 | 2, 4, TARGET), 1);
    fake_set(f, DMA, 8, 0);
    fake_set(f, DMA, 8, UINT64_MAX);
    assert_true(fake_valid(f));
}

static void items_are_refused_that_cannot_be(void **s)
{
    struct fake *f = *s;
    char name[64];
    memset(name, 'n', sizeof name);
    name[56] = 0;
    assert_false(fw_cfg_add_file(&f->d, name, 0, 1));
    name[55] = 0;
    assert_true(fw_cfg_add_file(&f->d, name, 0, 1));
    assert_false(fw_cfg_add_file(&f->d, "", 0, 1));
    assert_false(fw_cfg_add_file(&f->d, "etc/one", 0, 1));
    assert_false(fw_cfg_add_value(&f->d, 0x05, 0, 1));
    assert_false(fw_cfg_add_value(&f->d, 0x06, 0, 9));
    assert_false(fw_cfg_add_value(&f->d, 0x19, 0, 1));
    assert_false(fw_cfg_add_item(&f->d, 0x20, 0, 1));
    unsigned n = 0;
    for (char c = 'a'; c <= 'z'; c++) {
        char more[3] = {c, '0', 0};
        n += fw_cfg_add_file(&f->d, more, 0, 1);
        more[1] = '1';
        n += fw_cfg_add_file(&f->d, more, 0, 1);
    }
    assert_int_equal(n, FW_CFG_ITEMS - 5);
}

static void items_survive_a_reset(void **s)
{
    struct fake *f = *s;
    select_item(f, 0x21);
    f->d.ops->reset(&f->d);
    assert_int_equal(fake_get(f, DATA, 1), 'Q'); /* item 0 again */
    select_item(f, 0x20);
    assert_int_equal(fake_get(f, DATA, 1), f->disk[100]);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_signature_and_the_features_are_found),
        T(the_directory_lists_the_files),
        T(files_are_read_and_end_in_zeros),
        T(dma_selects_reads_and_skips),
        T(dma_starts_with_the_low_half_of_its_address),
        T(bad_requests_end_in_the_error_bit),
        T(items_are_refused_that_cannot_be),
        T(items_survive_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
