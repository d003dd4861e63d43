/* LPIs and the interrupt translation service (IHI 0069H, 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev_fake.h"
#include "mem/gic.h"

enum { CTLR = 0, GITS = 0x80000, GICR = 0xa0000, STRIDE = 0x20000, WAKER = 0x14, PROPBASER = 0x70, PENDBASER = 0x78 };
enum {
    CBASER = GITS + 0x80,
    CWRITER = GITS + 0x88,
    CREADR = GITS + 0x90,
    BASER0 = GITS + 0x100,
    BASER1 = GITS + 0x108,
    TRANSLATER = GITS + 0x10040
};
enum {
    MOVI = 1,
    INT = 3,
    CLEAR = 4,
    SYNC = 5,
    MAPD = 8,
    MAPC = 9,
    MAPTI = 10,
    MAPI = 11,
    INV = 12,
    INVALL = 13,
    MOVALL = 14,
    DISCARD = 15
};
enum { PES = 3 };
#define VALID (UINT64_C(1) << 63)
/* Where the guest has its tables. */
#define CONFIG  (FAKE_RAM_BASE + 0x00000)
#define PENDING (FAKE_RAM_BASE + 0x10000) /* one of 64 KiB each */
#define DEVICES (FAKE_RAM_BASE + 0x50000)
#define COLL    (FAKE_RAM_BASE + 0x60000)
#define ITT     (FAKE_RAM_BASE + 0x70000)
#define QUEUE   (FAKE_RAM_BASE + 0x80000)
#define LEVEL2  (FAKE_RAM_BASE + 0x90000)

struct world {
    struct fake *f;
    unsigned at; /* next command */
};

static uint64_t redist(unsigned n, uint64_t off) { return GICR + n * STRIDE + off; }
static uint8_t *ram(struct world *w, uint64_t pa) { return fake_ram(w->f, pa, 1); }
static void configure(struct world *w, unsigned lpi, uint8_t entry) { *ram(w, CONFIG + lpi - 8192) = entry; }

static void command(struct world *w, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t words[4] = {a, b, c, d};
    memcpy(ram(w, QUEUE + 32 * w->at), words, 32);
    w->at = (w->at + 1) % 128;
    fake_set(w->f, CWRITER, 8, 32 * w->at);
}

static void on_device(struct world *w, unsigned op, uint32_t id, uint32_t event, unsigned icid, uint32_t lpi)
{
    command(w, op | (uint64_t)id << 32, event | (uint64_t)lpi << 32, icid, 0);
}

static int setup(void **s)
{
    struct world *w = calloc(1, sizeof *w);
    struct fake *f = w->f = fake_new("gicv3", PES, 0);
    fake_set(f, CTLR, 4, 3);
    for (unsigned n = 0; n < PES; n++) {
        fake_set(f, redist(n, WAKER), 4, 0);
        fake_set(f, redist(n, PROPBASER), 8, CONFIG | 15);
        fake_set(f, redist(n, PENDBASER), 8, PENDING + 0x10000 * n);
        fake_set(f, redist(n, CTLR), 4, 1);
        f->d.ops->hart_call(&f->d, n, GIC_ENABLES, 7);
    }
    fake_set(f, BASER0, 8, VALID | DEVICES);
    fake_set(f, BASER1, 8, VALID | COLL);
    fake_set(f, CBASER, 8, VALID | QUEUE);
    fake_set(f, GITS + CTLR, 4, 1);
    /* Devices 0 and 5 with 16 events, collection n goes to PE n. */
    for (unsigned n = 0; n < PES; n++)
        command(w, MAPC, 0, VALID | (uint64_t)n << 16 | n, 0);
    command(w, MAPD, 3, VALID | ITT, 0);
    command(w, MAPD | UINT64_C(5) << 32, 3, VALID | (ITT + 0x800), 0);
    for (unsigned lpi = 8192; lpi < 8292; lpi++)
        configure(w, lpi, 0xa0 | 1);
    *s = w;
    return 0;
}

static int teardown(void **s)
{
    struct world *w = *s;
    assert_true(fake_valid(w->f));
    fake_free(w->f);
    free(w);
    return 0;
}

static uint64_t lpi_set(unsigned lpi, uint8_t priority) { return GIC_PENDING(lpi, priority, GIC_G1NS); }
static void take(struct world *w, unsigned pe, unsigned lpi) { w->f->d.ops->hart_call(&w->f->d, pe, GIC_ACTIVATE, lpi); }

static void a_message_becomes_the_lpi_it_is_mapped_to(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    on_device(w, MAPTI, 0, 7, 2, 8200);
    fake_set(f, TRANSLATER, 4, 7);
    assert_int_equal(f->signal[2], lpi_set(8200, 0xa0));
    assert_int_equal(*ram(w, PENDING + 0x20000 + 8200 / 8), 1 << 8200 % 8);
    take(w, 2, 8200);
    assert_int_equal(f->signal[2], 0);
    assert_int_equal(*ram(w, PENDING + 0x20000 + 8200 / 8), 0);
    fake_set(f, TRANSLATER, 4, 8); /* not mapped */
    fake_set(f, TRANSLATER, 2, 7);
    assert_int_equal(f->signal[2], lpi_set(8200, 0xa0));
    assert_int_equal(f->signal[0] | f->signal[1], 0);
}

static void commands_make_lpis_pending_and_take_them_back(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    on_device(w, MAPI, 5, 8193 - 8192, 0, 0); /* the LPI would be event 1: too low, so nothing is mapped */
    on_device(w, INT, 5, 1, 0, 0);
    assert_int_equal(f->signal[0], 0);
    on_device(w, MAPTI, 5, 1, 1, 8192);
    on_device(w, INT, 5, 1, 0, 0);
    assert_int_equal(f->signal[1], lpi_set(8192, 0xa0));
    on_device(w, CLEAR, 5, 1, 0, 0);
    assert_int_equal(f->signal[1], 0);
    on_device(w, INT, 5, 1, 0, 0);
    on_device(w, DISCARD, 5, 1, 0, 0);
    assert_int_equal(f->signal[1], 0);
    on_device(w, INT, 5, 1, 0, 0);
    assert_int_equal(f->signal[1], 0);
    assert_int_equal(fake_get(f, CREADR, 8), fake_get(f, CWRITER, 8));
}

static void configuration_counts_when_it_is_invalidated(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    on_device(w, MAPTI, 0, 0, 0, 8200);
    on_device(w, MAPTI, 0, 1, 0, 8201);
    configure(w, 8200, 0xa0);
    on_device(w, INT, 0, 0, 0, 0);
    assert_int_equal(f->signal[0], 0);
    configure(w, 8200, 0x48 | 1);
    on_device(w, INV, 0, 0, 0, 0);
    assert_int_equal(f->signal[0], lpi_set(8200, 0x48));
    on_device(w, INT, 0, 1, 0, 0);
    assert_int_equal(f->signal[0], lpi_set(8200, 0x48));
    configure(w, 8200, 0xf0 | 1);
    command(w, INVALL, 0, 0, 0);
    assert_int_equal(f->signal[0], lpi_set(8201, 0xa0));
    take(w, 0, 8201);
    assert_int_equal(f->signal[0], lpi_set(8200, 0xf0));
}

static void a_pending_lpi_moves_along(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    on_device(w, MAPTI, 0, 0, 0, 8200);
    on_device(w, INT, 0, 0, 0, 0);
    on_device(w, MOVI, 0, 0, 2, 0);
    assert_int_equal(f->signal[0], 0);
    assert_int_equal(f->signal[2], lpi_set(8200, 0xa0));
    take(w, 2, 8200);
    on_device(w, INT, 0, 0, 0, 0);
    assert_int_equal(f->signal[2], lpi_set(8200, 0xa0));
    command(w, MOVALL, 0, UINT64_C(2) << 16, UINT64_C(1) << 16);
    assert_int_equal(f->signal[2], 0);
    assert_int_equal(f->signal[1], lpi_set(8200, 0xa0));
    command(w, MAPC, 0, 2, 0); /* collection 2 goes nowhere now */
    take(w, 1, 8200);
    on_device(w, INT, 0, 0, 0, 0);
    assert_int_equal(f->signal[0] | f->signal[1] | f->signal[2], 0);
}

static void ranges_of_the_tables_are_kept(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    on_device(w, MAPTI, 0, 16, 0, 8200); /* the device has 16 events */
    on_device(w, INT, 0, 16, 0, 0);
    on_device(w, MAPTI, 0, 1, 0, 65536);
    on_device(w, INT, 0, 1, 0, 0);
    command(w, MAPD | UINT64_C(512) << 32, 3, VALID | ITT, 0); /* behind the end of the one page of entries */
    on_device(w, MAPTI, 512, 0, 0, 8200);
    on_device(w, INT, 512, 0, 0, 0);
    command(w, MAPC, 0, VALID | UINT64_C(3) << 16 | 1, 0); /* there is no PE 3 */
    on_device(w, MAPTI, 0, 2, 1, 8201);
    on_device(w, INT, 0, 2, 0, 0);
    assert_int_equal(f->signal[0], 0);
    assert_int_equal(f->signal[1], lpi_set(8201, 0xa0)); /* as collection 1 was mapped before */
}

static void a_device_table_of_two_levels(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    const uint64_t level1 = VALID | LEVEL2;
    uint64_t level2;
    fake_set(f, GITS + CTLR, 4, 0);
    fake_set(f, BASER0, 8, VALID | UINT64_C(1) << 62 | DEVICES);
    fake_set(f, GITS + CTLR, 4, 1);
    memset(ram(w, DEVICES), 0, 0x1000);
    memcpy(ram(w, DEVICES) + 8, &level1, 8); /* devices 512 to 1023 */
    command(w, MAPD | UINT64_C(513) << 32, 3, VALID | ITT, 0);
    command(w, MAPD | UINT64_C(5) << 32, 3, VALID | ITT, 0);
    on_device(w, MAPTI, 513, 0, 0, 8200);
    on_device(w, MAPTI, 5, 0, 0, 8201);
    on_device(w, INT, 5, 0, 0, 0);
    assert_int_equal(f->signal[0], 0);
    on_device(w, INT, 513, 0, 0, 0);
    assert_int_equal(f->signal[0], lpi_set(8200, 0xa0));
    memcpy(&level2, ram(w, LEVEL2 + 8), 8); /* the memory of the fake machine need not be aligned in the host */
    assert_true(level2 & VALID);
}

static void pending_tables_are_read_when_lpis_are_enabled(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    fake_set(f, redist(1, CTLR), 4, 0);
    *ram(w, PENDING + 0x10000 + 8210 / 8) = 1 << 8210 % 8;
    fake_set(f, redist(1, CTLR), 4, 1);
    assert_int_equal(f->signal[1], lpi_set(8210, 0xa0));
    fake_set(f, redist(1, PENDBASER), 8, 0); /* fixed while LPIs are enabled */
    assert_int_equal(fake_get(f, redist(1, PENDBASER), 8), PENDING + 0x10000);
    fake_set(f, redist(1, CTLR), 4, 0);
    assert_int_equal(f->signal[1], 0);
    fake_set(f, redist(1, PENDBASER), 8, (PENDING + 0x10000) | UINT64_C(1) << 62);
    assert_int_equal(fake_get(f, redist(1, PENDBASER), 8), PENDING + 0x10000);
    fake_set(f, redist(1, CTLR), 4, 1); /* said to be zero: not read */
    assert_int_equal(f->signal[1], 0);
}

static void a_long_queue_is_done_by_and_by(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    unsigned from = w->at;
    on_device(w, MAPTI, 0, 0, 0, 8200);
    const uint64_t sync[4] = {SYNC}, event[4] = {INT};
    for (unsigned i = 1; i < 100; i++)
        memcpy(ram(w, QUEUE + 32 * ((from + i) % 128)), i == 99 ? event : sync, 32);
    fake_set(f, CWRITER, 8, 32 * ((from + 100) % 128));
    assert_int_equal(fake_get(f, CREADR, 8), 32 * ((from + 33) % 128));
    assert_int_equal(f->signal[0], 0);
    fake_run(f, f->now + 10000);
    assert_int_equal(fake_get(f, CREADR, 8), 32 * ((from + 100) % 128));
    assert_int_equal(f->signal[0], lpi_set(8200, 0xa0));
}

static void nonsense_does_nothing(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    uint64_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t c[4];
        for (unsigned k = 0; k < 4; k++)
            c[k] = seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        command(w, (c[0] & ~UINT64_C(0xff)) | c[3] >> 60, c[1], c[2], c[3]);
        fake_run(f, f->now + 2000);
    }
    fake_set(f, GITS + CTLR, 4, 0);
    fake_set(f, CBASER, 8, VALID | UINT64_C(0x1000)); /* no memory there */
    fake_set(f, GITS + CTLR, 4, 1);
    fake_set(f, CWRITER, 8, 64);
    assert_int_equal(fake_get(f, CREADR, 8), 1); /* stalled */
    fake_set(f, CWRITER, 8, 65);
    assert_int_equal(fake_get(f, CREADR, 8), 1);
}

static void registers_keep_what_exists_of_them(void **s)
{
    struct world *w = *s;
    struct fake *f = w->f;
    assert_int_equal(fake_get(f, GITS + 8, 8), 1 | 7 << 4 | 15 << 8 | 15 << 13);
    assert_int_equal(fake_get(f, GITS + CTLR, 4), 0x80000001);
    fake_set(f, BASER0, 8, 0); /* fixed while it is enabled */
    assert_int_equal(fake_get(f, BASER0, 8), VALID | DEVICES | UINT64_C(1) << 56 | UINT64_C(7) << 48);
    fake_set(f, GITS + CTLR, 4, 0);
    fake_set(f, BASER1, 8, UINT64_MAX);
    assert_int_equal(fake_get(f, BASER1, 8), (~(UINT64_C(7) << 56 | UINT64_C(31) << 48)) | UINT64_C(4) << 56 | UINT64_C(7) << 48);
    fake_set(f, CBASER + 4, 4, 0x80000000); /* halves */
    fake_set(f, CBASER, 4, 0x5003);
    assert_int_equal(fake_get(f, CBASER, 8), VALID | 0x5003);
    assert_int_equal(fake_get(f, CREADR, 8), 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_message_becomes_the_lpi_it_is_mapped_to),
        T(commands_make_lpis_pending_and_take_them_back),
        T(configuration_counts_when_it_is_invalidated),
        T(a_pending_lpi_moves_along),
        T(ranges_of_the_tables_are_kept),
        T(a_device_table_of_two_levels),
        T(pending_tables_are_read_when_lpis_are_enabled),
        T(a_long_queue_is_done_by_and_by),
        T(nonsense_does_nothing),
        T(registers_keep_what_exists_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
