/*
 * The ITS's command queue and the flash's command set against a hostile guest, from a state in which they listen: tables and
 * queue are set up and on, so that most inputs are commands. Byte 0 bit 0 chooses the device; then each operation is a kind and
 * operands. What must hold: no sanitizer report, no assert, no hang, the state stays valid, and equal inputs give equal states.
 */
#include "dev_fake.h"
#include "mem/gic.h"

enum { CTLR = 0, GITS = 0x80000, GICR = 0xa0000, STRIDE = 0x20000, WAKER = 0x14, PROPBASER = 0x70, PENDBASER = 0x78, PES = 3 };
enum { CBASER = GITS + 0x80, CWRITER = GITS + 0x88, BASER0 = GITS + 0x100, BASER1 = GITS + 0x108, TRANSLATER = GITS + 0x10040 };
#define VALID   (UINT64_C(1) << 63)
#define CONFIG  (FAKE_RAM_BASE + 0x00000)
#define PENDING (FAKE_RAM_BASE + 0x10000) /* one of 64 KiB each */
#define DEVICES (FAKE_RAM_BASE + 0x50000)
#define COLL    (FAKE_RAM_BASE + 0x60000)
#define ITT     (FAKE_RAM_BASE + 0x70000)
#define QUEUE   (FAKE_RAM_BASE + 0x80000)

struct bytes {
    const uint8_t *p;
    size_t left;
};

static uint64_t take(struct bytes *b, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n && b->left; i++, b->p++, b->left--)
        v |= (uint64_t)*b->p << 8 * i;
    return v;
}

/* ---- the ITS
 * ------------------------------------------------------------------------------------------------------------------- */

static struct fake *its_new(void)
{
    struct fake *f = fake_new("gicv3", PES, 0);
    fake_set(f, CTLR, 4, 3);
    for (unsigned n = 0; n < PES; n++) {
        fake_set(f, GICR + n * STRIDE + WAKER, 4, 0);
        fake_set(f, GICR + n * STRIDE + PROPBASER, 8, CONFIG | 15);
        fake_set(f, GICR + n * STRIDE + PENDBASER, 8, PENDING + 0x10000 * n);
        fake_set(f, GICR + n * STRIDE, 4, 1);
        f->d.ops->hart_call(&f->d, n, GIC_ENABLES, 7);
    }
    for (unsigned i = 0; i < 256; i++)
        *fake_ram(f, CONFIG + i, 1) = (uint8_t)(i << 3 | 1);
    fake_set(f, BASER0, 8, VALID | DEVICES);
    fake_set(f, BASER1, 8, VALID | COLL);
    fake_set(f, CBASER, 8, VALID | QUEUE);
    fake_set(f, GITS + CTLR, 4, 1);
    return f;
}

/* A command whose operands are likely to meet each other: few devices, events, collections and LPIs; or bytes as they are. */
static void command(struct fake *f, struct bytes *b, unsigned *at)
{
    uint64_t head = take(b, 2), c[4];
    if (head >> 15) {
        for (unsigned i = 0; i < 4; i++)
            c[i] = take(b, 8);
    } else {
        uint64_t device = head >> 8 & 3, event = take(b, 1) & 7, lpi = 8192 + (take(b, 1) & 63), more = take(b, 1);
        c[0] = (head & 15) | device << 32;
        c[1] = event | lpi << 32;
        c[2] = (more & 0x80 ? VALID : 0) | (more & 15);
        c[3] = (more >> 4 & 3) << 16;
        if ((head & 15) == 8) { /* MAPD: how many events, where the table is */
            c[1] = more & 15;
            c[2] = (more & 0x80 ? VALID : 0) | (ITT + device * 0x800);
        } else if ((head & 15) == 9 || (head & 15) == 14) { /* MAPC, MOVALL: a PE */
            c[2] |= (more >> 2 & 3) << 16;
        }
    }
    memcpy(fake_ram(f, QUEUE + 32 * *at, 32), c, 32);
    *at = (*at + 1) % 128;
    fake_set(f, CWRITER, 8, 32 * *at);
}

static void its_operation(struct fake *f, struct bytes *b, unsigned *at)
{
    uint64_t op = take(b, 1), v;
    switch (op & 7) {
    case 0:
    case 1:
    case 2:
    case 3: command(f, b, at); break;
    case 4: fake_set(f, TRANSLATER, 4, take(b, 1) & 15); break;
    case 5: f->d.ops->hart_call(&f->d, op >> 3 & 3, (unsigned)take(b, 1) % 5, take(b, 2)); break;
    case 6:
        v = GITS + (op & 8 ? 0x100 : 0x80) + (take(b, 1) & 0x1f) / 8 * 8;
        f->d.ops->write(&f->d, v, 8, take(b, 8));
        break;
    default:
        if (op & 8)
            fake_run(f, f->now + take(b, 2));
        else
            f->d.ops->write(&f->d, op & 16 ? GITS : GICR + (op >> 5 & 3) % PES * STRIDE, 4, take(b, 1) & 1);
        break;
    }
}

/* ---- the flash
 * ----------------------------------------------------------------------------------------------------------------- */

static void flash_operation(struct fake *f, struct bytes *b)
{
    static const uint8_t commands[] = {0xff, 0x70, 0x50, 0x90, 0x98, 0x40, 0xe8, 0x20, 0x60, 0xd0, 0x10, 0xf0, 0x01, 0x00};
    uint64_t op = take(b, 1), off = take(b, 2) << (op & 0x80 ? 10 : 2), v;
    unsigned size = 1u << (op >> 5 & 3);
    off &= ~(uint64_t)(size - 1);
    if ((op & 7) < 2) {
        f->d.ops->read(&f->d, off, size, &v);
        return;
    }
    v = (op & 7) < 5 ? commands[take(b, 1) % sizeof commands] * UINT64_C(0x10001) : take(b, 4);
    f->d.ops->write(&f->d, off, size, size < 4 ? v & ((UINT64_C(1) << 8 * size) - 1) : v);
}

/* ---- both
 * ------------------------------------------------------------------------------------------------------------------------ */

static struct fake *run(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    bool flash = take(&b, 1) & 1;
    struct fake *f = flash ? fake_new("cfi_flash", 1, 0) : its_new();
    unsigned at = 0;
    if (flash)
        f->d.base = FAKE_RAM_BASE; /* what it programs is there */
    for (unsigned i = 0; b.left && i < 2000; i++) {
        if (flash)
            flash_operation(f, &b);
        else
            its_operation(f, &b, &at);
        if (!fake_valid(f))
            abort();
    }
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake *a = run(data, size), *b = run(data, size);
    if (memcmp(a->d.state, b->d.state, a->d.ops->state_size) || memcmp(a->ram, b->ram, sizeof a->ram))
        abort();
    fake_free(a);
    fake_free(b);
    return 0;
}
