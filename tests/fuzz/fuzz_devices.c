/*
 * Every device against a hostile guest and host. The input is a program: byte 0 picks the device and the number of harts, then
 * each operation is one byte and its operands: reads and writes of registers, writes of guest memory (so that rings and requests
 * come up), whole virtio set-ups and requests, input, line changes, time, reset, and damaged states that pass `valid`.
 * What must hold: no sanitizer report, no assert, no hang, state stays valid, and equal inputs give equal states.
 */
#define FAKE_RAM_SIZE UINT64_C(0x14000)
#include "dev_virtio.h"

#define RAM_USED 0x8000u /* the part of guest memory that operations write to */
#define OPS_MOST 2000u

#define VQ_INDIRECT_NEAR (FAKE_RAM_BASE + 0xf000)

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

/* A register offset: mostly small, where the registers are, else anywhere. */
static uint64_t offset(struct bytes *b, const struct device_ops *o, unsigned size)
{
    uint64_t v = take(b, 1);
    uint64_t off = v < 0xe0 ? v * 4 % 0x300 : take(b, 4);
    if (v & 1 && size < 4)
        off += v & 3;
    if (o->hart_call) /* an interrupt controller of many frames */
        off += take(b, 1) * 0x10000;
    return off % o->mmio_size & ~(uint64_t)(size - 1);
}

/* A value: a small number, an address in guest memory, all ones, or anything. */
static uint64_t number(struct bytes *b)
{
    uint64_t v = take(b, 1);
    switch (v >> 6) {
    case 0: return v;
    case 1: return FAKE_RAM_BASE + (v & 63) * 0x200;
    case 2: return take(b, 2);
    default: return v == 0xff ? UINT64_MAX : v == 0xfe ? take(b, 8) : take(b, 4);
    }
}

static void write_memory(struct fake *f, struct bytes *b)
{
    uint64_t at = take(b, 2) % RAM_USED, n = take(b, 1) % 33;
    for (uint64_t i = 0; i < n; i++)
        f->ram[at + i] = (uint8_t)take(b, 1);
}

/* A descriptor at a place rings are likely to be. */
static void write_descriptor(struct fake *f, struct bytes *b)
{
    uint64_t at = take(b, 1) % 64 * 0x200 + take(b, 1) % 16 * 16, addr = number(b), len = number(b), flags = take(b, 1);
    memcpy(f->ram + at, &addr, 8);
    memcpy(f->ram + at + 8, &len, 4);
    f->ram[at + 12] = (uint8_t)(flags & 7);
    f->ram[at + 14] = (uint8_t)(flags >> 3);
}

/* Sets a virtio device up, or offers it a chain of descriptors. */
static void drive_virtio(struct fake *f, struct bytes *b, bool start)
{
    static const uint64_t sets[4] = {0, FEATURE_INDIRECT, FEATURE_EVENT_IDX, FEATURE_INDIRECT | FEATURE_EVENT_IDX};
    unsigned what = (unsigned)take(b, 1), q = what & 1, n = what >> 1 & 7, table = what >> 4 & 1;
    if (f->d.ops->mmio_size != 0x1000 || strncmp(f->d.ops->name, "virtio", 6))
        return;
    if (start) {
        vq_start(f, FEATURE_VERSION_1 | sets[what & 3], 2);
        return;
    }
    for (unsigned i = 0; i <= n; i++) {
        uint64_t shape = take(b, 1), addr = shape & 1 ? number(b) : FAKE_RAM_BASE + 0x10000 + take(b, 2) % 0x4000;
        unsigned flags = (i < n ? D_NEXT : 0u) | (shape & 2 ? D_WRITE : 0u) | ((shape & 0x1c) == 0x1c ? D_INDIRECT : 0u);
        uint32_t len = (uint32_t)(shape & 0x20 ? number(b) : take(b, 2));
        vq_desc(f, table ? VQ_INDIRECT_NEAR : VQ_DESC(q), i, addr, len, flags, i + 1);
    }
    if (table)
        vq_desc(f, VQ_DESC(q), 0, VQ_INDIRECT_NEAR, 16 * (n + 1), D_INDIRECT, 0);
    vq_offer(f, q, 0);
    vq_notify(f, q);
}

static void damage(struct fake *f, struct bytes *b)
{
    size_t n = f->d.ops->state_size;
    if (!n)
        return;
    uint8_t *state = f->d.state, *copy = malloc(n);
    assert(copy);
    memcpy(copy, state, n);
    for (unsigned i = 0; i < 4; i++)
        state[take(b, 2) % n] = (uint8_t)take(b, 1);
    if (!fake_valid(f))
        memcpy(state, copy, n);
    free(copy);
}

static void operation(struct fake *f, struct bytes *b)
{
    const struct device_ops *o = f->d.ops;
    uint64_t op = take(b, 1), out;
    unsigned size = 1u << (op >> 4 & 3);
    switch (op & 15) {
    case 0:
    case 1:
    case 2: o->read(&f->d, offset(b, o, size), size, &out); break;
    case 3:
    case 4:
    case 5:
    case 6:
        out = offset(b, o, size);
        o->write(&f->d, out, size, size == 8 ? number(b) : number(b) & ((UINT64_C(1) << 8 * size) - 1));
        break;
    case 7:
    case 8: write_memory(f, b); break;
    case 9:
    case 10: write_descriptor(f, b); break;
    case 11:
        if (o->input)
            o->input(&f->d, f->disk, take(b, 1) * 16); /* any bytes will do */
        break;
    case 12:
        if (o->hart_call && op >> 6 & 1) {
            out = take(b, 1);
            f->secure = out >> 7;
            o->hart_call(&f->d, (unsigned)out >> 3 & 3, out & 7, number(b) | (op >> 7 ? take(b, 8) : 0));
        } else if (o->line)
            o->line(&f->d, (unsigned)take(b, 1), op >> 7);
        else
            drive_virtio(f, b, (op >> 4) < 3);
        break;
    case 13: fake_run(f, f->now + take(b, 2)); break;
    case 14: fake_run(f, f->now + (take(b, 2) << 16)); break;
    default:
        if (op >> 4 < 2)
            o->reset(&f->d);
        else if (op >> 4 < 4)
            damage(f, b);
        else
            f->disk_fails = op >> 4 & 1;
        break;
    }
}

static struct fake *run(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    unsigned kind = (unsigned)take(&b, 1), count = 0;
    while (device_list(count))
        count++;
    struct fake *f = fake_new(device_list(kind % count)->name, 1 + kind / count % 4, take(&b, 1) & 3);
    for (unsigned i = 0; b.left && i < OPS_MOST; i++) {
        operation(f, &b);
        f->out_len = 0;
        if (!fake_valid(f))
            abort();
    }
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake *a = run(data, size), *b = run(data, size);
    if (memcmp(a->d.state, b->d.state, a->d.ops->state_size) || memcmp(a->ram, b->ram, sizeof a->ram) || a->irq != b->irq)
        abort();
    fake_free(a);
    fake_free(b);
    return 0;
}
