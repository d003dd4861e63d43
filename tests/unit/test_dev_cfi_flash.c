/* The NOR flash as EDK2, U-Boot and Linux drive it (JESD68.01, AP-646). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"

#define BLOCK   0x40000u
#define BOTH(v) ((v)*0x10001u)

static int setup(void **s)
{
    *s = fake_new("cfi_flash", 1, 0);
    return 0;
}

static int teardown(void **s)
{
    assert_true(fake_valid(*s));
    fake_free(*s);
    return 0;
}

static void cmd(struct fake *f, uint64_t off, uint32_t v) { fake_set(f, off, 4, BOTH(v)); }
static uint64_t in(struct fake *f, uint64_t off) { return fake_get(f, off, 4); }

static uint32_t word(struct fake *f, uint64_t off)
{
    uint32_t v;
    memcpy(&v, f->ram + off, 4);
    return v;
}

static void loads_see_the_memory_in_array_mode_only(void **s)
{
    struct fake *f = *s;
    static const uint8_t modes[] = {0x70, 0x90, 0x98, 0x20};
    for (unsigned i = 0; i < sizeof modes; i++) {
        assert_false(f->rom_off);
        cmd(f, 0, modes[i]);
        assert_true(f->rom_off);
        if (modes[i] == 0x20)
            cmd(f, 0, 0xd0);
        cmd(f, 0, 0xff);
    }
    cmd(f, 0, 0x70);
    cmd(f, 0, 0xf0);
    assert_false(f->rom_off);
    cmd(f, 0, 0x70);
    f->d.ops->reset(&f->d);
    assert_false(f->rom_off);
    f->rom_off = true;
    f->d.ops->refresh(&f->d);
    assert_false(f->rom_off);
}

static void both_chips_answer_the_query(void **s)
{
    struct fake *f = *s;
    cmd(f, 0x55 * 4, 0x98);
    assert_int_equal(in(f, 0x10 * 4), BOTH('Q'));
    assert_int_equal(in(f, 0x11 * 4), BOTH('R'));
    assert_int_equal(in(f, 0x12 * 4), BOTH('Y'));
    assert_int_equal(fake_get(f, 0x10 * 4, 2), 'Q');
    assert_int_equal(fake_get(f, 0x10 * 4, 8), (uint64_t)BOTH('R') << 32 | BOTH('Q'));
    assert_int_equal(in(f, 0x27 * 4), BOTH(25));
    uint64_t blocks = (in(f, 0x2d * 4) & 0xff) + ((in(f, 0x2e * 4) & 0xff) << 8) + 1;
    uint64_t size = ((in(f, 0x2f * 4) & 0xff) + ((in(f, 0x30 * 4) & 0xff) << 8)) * 256;
    assert_int_equal(blocks * size, 1 << 25);
    assert_int_equal(2 * size, BLOCK);
    cmd(f, 0, 0x90);
    assert_int_equal(in(f, 0), BOTH(0x89));
    assert_int_equal(in(f, 4), BOTH(0x18));
    assert_int_equal(in(f, BLOCK), BOTH(0x89));
}

static void programming_clears_bits_and_erasing_sets_a_block(void **s)
{
    struct fake *f = *s;
    cmd(f, BLOCK + 8, 0x20);
    cmd(f, BLOCK + 8, 0xd0);
    assert_int_equal(in(f, 0), BOTH(0x80));
    assert_int_equal(word(f, BLOCK), UINT32_MAX);
    assert_int_equal(word(f, 2 * BLOCK - 4), UINT32_MAX);
    assert_int_equal(word(f, BLOCK - 4) | word(f, 2 * BLOCK), 0);
    cmd(f, BLOCK + 4, 0x40);
    fake_set(f, BLOCK + 4, 4, 0x12345678);
    assert_int_equal(word(f, BLOCK + 4), 0x12345678);
    cmd(f, BLOCK + 4, 0x10);
    fake_set(f, BLOCK + 4, 4, 0xff00ff00);
    assert_int_equal(word(f, BLOCK + 4), 0x12005600);
    assert_int_equal(word(f, BLOCK + 8), UINT32_MAX);
    assert_int_equal(in(f, 0), BOTH(0x80));
    cmd(f, 0, 0x20);
    cmd(f, 0, 0xff); /* no confirmation: a sequence error, and nothing erased */
    assert_int_equal(in(f, 0), BOTH(0xb0));
    assert_int_equal(word(f, 0), 0);
    cmd(f, 0, 0x50);
    assert_int_equal(in(f, 0), BOTH(0x80));
}

static void buffered_words_are_programmed_when_confirmed(void **s)
{
    struct fake *f = *s;
    cmd(f, 0, 0x20);
    cmd(f, 0, 0xd0);
    cmd(f, 0, 0xe8); /* these may name the block only */
    assert_int_equal(in(f, 0x1100), BOTH(0x80));
    cmd(f, 0, 3);
    for (unsigned i = 0; i < 4; i++)
        fake_set(f, 0x1100 + 4 * i, 4, 0xb0 + i);
    cmd(f, 0, 0xd0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(word(f, 0x1100 + 4 * i), 0xb0 + i);
    assert_int_equal(in(f, 0), BOTH(0x80));
    cmd(f, 0x100, 0xe8);
    assert_int_equal(in(f, 0x100), BOTH(0x80));
    cmd(f, 0x100, 3);
    for (unsigned i = 0; i < 4; i++)
        fake_set(f, 0x100 + 4 * i, 4, 0xa0 + i);
    assert_int_equal(word(f, 0x100), UINT32_MAX);
    cmd(f, 0x100, 0xd0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(word(f, 0x100 + 4 * i), 0xa0 + i);
    assert_int_equal(word(f, 0x110), UINT32_MAX);
    assert_int_equal(word(f, 0xfc), UINT32_MAX);
    cmd(f, 0x200, 0xe8);
    cmd(f, 0x200, 0);
    fake_set(f, 0x200, 4, 5);
    cmd(f, 0x200, 0xff); /* not confirmed */
    assert_int_equal(word(f, 0x200), UINT32_MAX);
    assert_int_equal(in(f, 0), BOTH(0xb0));
    cmd(f, 0, 0x50);
    cmd(f, 0x7fc, 0xe8); /* words that leave the buffer's piece of the flash */
    cmd(f, 0x7fc, 1);
    fake_set(f, 0x7fc, 4, 1);
    fake_set(f, 0x800, 4, 2);
    cmd(f, 0x7fc, 0xd0);
    assert_int_equal(in(f, 0), BOTH(0x90));
    assert_int_equal(word(f, 0x7fc), UINT32_MAX);
    cmd(f, 0, 0x50);
    cmd(f, 0, 0xe8); /* more than it holds */
    cmd(f, 0, 512);
    assert_int_equal(in(f, 0), BOTH(0xb0));
}

static void lock_commands_change_nothing(void **s)
{
    struct fake *f = *s;
    cmd(f, 0, 0x60);
    cmd(f, 0, 0x01);
    cmd(f, 0, 0x20);
    cmd(f, 0, 0xd0);
    assert_int_equal(word(f, 0), UINT32_MAX);
    assert_int_equal(in(f, 0), BOTH(0x80));
}

static void the_end_of_memory_is_a_failure_not_a_crash(void **s)
{
    struct fake *f = *s; /* the fake has 1 MiB of the 64 */
    cmd(f, 0x200000, 0x40);
    fake_set(f, 0x200000, 4, 1);
    assert_int_equal(in(f, 0), BOTH(0x90));
    cmd(f, 0x200000, 0x20);
    cmd(f, 0x200000, 0xd0);
    assert_int_equal(in(f, 0), BOTH(0xb0));
    assert_true(fake_read_faults(f, 0x4000000, 4));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(loads_see_the_memory_in_array_mode_only),
        T(both_chips_answer_the_query),
        T(programming_clears_bits_and_erasing_sets_a_block),
        T(buffered_words_are_programmed_when_confirmed),
        T(lock_commands_change_nothing),
        T(the_end_of_memory_is_a_failure_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
