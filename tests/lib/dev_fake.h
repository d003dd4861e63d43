/*
 * A machine of one device, for tests: RAM, a disk, lines and a clock that only the test moves.
 */
#ifndef TL_TESTS_DEV_FAKE_H
#define TL_TESTS_DEV_FAKE_H
#include "devices/devices.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_RAM_BASE UINT64_C(0x80000000)
#ifndef FAKE_RAM_SIZE
#define FAKE_RAM_SIZE (UINT64_C(1) << 20)
#endif
#define FAKE_DISK    65536u
#define FAKE_OUT     65536u
#define FAKE_TICK    100u      /* cycles in a tick */
#define FAKE_TICK_HZ 10000000u /* ticks a second: 1e9 cycles a second */

struct fake {
    struct device d;
    uint64_t now;
    uint64_t when[DEVICE_EVENTS];
    bool irq;
    unsigned irq_rises;
    uint64_t mip[DEVICES_HARTS_MAX];
    struct injection injected;
    unsigned injections;
    bool refuse;                                                     /* the next injections */
    uint64_t signal[DEVICES_HARTS_MAX], signal_1[DEVICES_HARTS_MAX]; /* values of the last hart_signal 0 and 1 */
    bool rom_off;
    bool secure; /* accesses are Secure */
    uint8_t ram[FAKE_RAM_SIZE];
    uint8_t disk[FAKE_DISK];
    bool disk_fails;
    uint8_t out[FAKE_OUT]; /* what the device sent */
    size_t out_len;
    unsigned outputs; /* in how many calls */
    unsigned exits, reboots;
    int exit_code;
    uint64_t time_offset;
    uint64_t seed;
};

static inline struct fake *fake_of(struct device *d) { return d->machine; }

static inline uint64_t fake_host_now(struct device *d) { return fake_of(d)->now; }

static inline void fake_host_arm(struct device *d, unsigned n, uint64_t when)
{
    assert(n < d->ops->events);
    fake_of(d)->when[n] = when;
}

static inline void fake_host_irq(struct device *d, unsigned out, bool level)
{
    assert(out == 0);
    fake_of(d)->irq_rises += level && !fake_of(d)->irq;
    fake_of(d)->irq = level;
}

static inline void fake_host_hart_irq(struct device *d, unsigned hart, unsigned irq, bool level)
{
    assert(hart < d->harts && hart < DEVICES_HARTS_MAX && irq < 64);
    uint64_t bit = UINT64_C(1) << irq;
    fake_of(d)->mip[hart] = (fake_of(d)->mip[hart] & ~bit) | (level ? bit : 0);
}

/* A machine whose harts have every event; what was injected last is kept. */
static inline bool fake_host_inject(struct device *d, const struct injection *i)
{
    fake_of(d)->injected = *i;
    fake_of(d)->injections++;
    if (fake_of(d)->refuse)
        return false;
    if (i->kind == INJECT_LINE)
        fake_host_hart_irq(d, i->hart, i->line, i->how != INJECT_LOWER);
    return true;
}

static inline void fake_host_hart_signal(struct device *d, unsigned hart, unsigned what, uint64_t value)
{
    assert(hart < d->harts && what < 2);
    *(what ? &fake_of(d)->signal_1[hart] : &fake_of(d)->signal[hart]) = value;
}

static inline void fake_host_rom_on(struct device *d, bool on) { fake_of(d)->rom_off = !on; }
static inline bool fake_host_secure(struct device *d) { return fake_of(d)->secure; }

/* The host address of guest memory, or NULL. */
static inline uint8_t *fake_ram(struct fake *f, uint64_t pa, uint64_t n)
{
    if (pa < FAKE_RAM_BASE || pa - FAKE_RAM_BASE > FAKE_RAM_SIZE || n > FAKE_RAM_SIZE - (pa - FAKE_RAM_BASE))
        return NULL;
    return f->ram + (pa - FAKE_RAM_BASE);
}

static inline bool fake_host_dma_read(struct device *d, uint64_t pa, void *p, uint64_t n)
{
    const uint8_t *r = fake_ram(fake_of(d), pa, n);
    if (r)
        memcpy(p, r, n);
    return r;
}

static inline bool fake_host_dma_write(struct device *d, uint64_t pa, const void *p, uint64_t n)
{
    uint8_t *r = fake_ram(fake_of(d), pa, n);
    if (r)
        memcpy(r, p, n);
    return r;
}

static inline void fake_host_output(struct device *d, const void *p, size_t n)
{
    struct fake *f = fake_of(d);
    size_t room = FAKE_OUT - f->out_len;
    n = n < room ? n : room;
    memcpy(f->out + f->out_len, p, n);
    f->out_len += n;
    f->outputs++;
}

static inline bool fake_host_disk(struct device *d, uint64_t off, size_t n)
{
    return !fake_of(d)->disk_fails && off <= FAKE_DISK && n <= FAKE_DISK - off;
}

static inline bool fake_host_disk_read(struct device *d, uint64_t off, void *p, size_t n)
{
    bool ok = fake_host_disk(d, off, n);
    if (ok)
        memcpy(p, fake_of(d)->disk + off, n);
    return ok;
}

static inline bool fake_host_disk_write(struct device *d, uint64_t off, const void *p, size_t n)
{
    bool ok = fake_host_disk(d, off, n);
    if (ok)
        memcpy(fake_of(d)->disk + off, p, n);
    return ok;
}

static inline uint64_t fake_host_disk_size(struct device *d)
{
    (void)d;
    return FAKE_DISK;
}

static inline void fake_host_exit(struct device *d, int code)
{
    fake_of(d)->exits++;
    fake_of(d)->exit_code = code;
}

static inline void fake_host_reboot(struct device *d) { fake_of(d)->reboots++; }
static inline void fake_host_set_time_offset(struct device *d, uint64_t offset) { fake_of(d)->time_offset = offset; }
static inline uint64_t fake_host_rng(struct device *d) { return fake_of(d)->seed += UINT64_C(0x0123456789abcdef); }

static const struct device_host fake_host = {
    .now = fake_host_now,
    .arm = fake_host_arm,
    .irq = fake_host_irq,
    .hart_irq = fake_host_hart_irq,
    .inject = fake_host_inject,
    .hart_signal = fake_host_hart_signal,
    .rom_on = fake_host_rom_on,
    .secure = fake_host_secure,
    .dma_read = fake_host_dma_read,
    .dma_write = fake_host_dma_write,
    .output = fake_host_output,
    .disk_read = fake_host_disk_read,
    .disk_write = fake_host_disk_write,
    .disk_size = fake_host_disk_size,
    .exit = fake_host_exit,
    .reboot = fake_host_reboot,
    .set_time_offset = fake_host_set_time_offset,
    .rng = fake_host_rng,
};

/* A machine with the device `name`, reset. Ends with fake_free. */
static inline struct fake *fake_new(const char *name, unsigned harts, uint64_t arg)
{
    struct fake *f = calloc(1, sizeof *f);
    assert(f);
    f->d.ops = device_find(name);
    assert(f->d.ops);
    f->d.host = &fake_host;
    f->d.machine = f;
    f->d.state = calloc(1, f->d.ops->state_size ? f->d.ops->state_size : 1);
    assert(f->d.state);
    f->d.id = "dev0";
    f->d.base = FAKE_RAM_BASE; /* of devices that are memory */
    f->d.harts = harts;
    f->d.tick_cycles = FAKE_TICK;
    f->d.tick_hz = FAKE_TICK_HZ;
    f->d.arg = arg;
    for (unsigned n = 0; n < DEVICE_EVENTS; n++)
        f->when[n] = UINT64_MAX;
    f->d.ops->reset(&f->d);
    return f;
}

static inline void fake_free(struct fake *f)
{
    free(f->d.state);
    free(f);
}

/* Lets time pass up to cycle `until`, with all events on the way. */
static inline void fake_run(struct fake *f, uint64_t until)
{
    for (;;) {
        unsigned first = 0;
        for (unsigned n = 1; n < DEVICE_EVENTS; n++)
            if (f->when[n] < f->when[first])
                first = n;
        if (f->when[first] > until || f->when[first] == UINT64_MAX)
            break;
        f->now = f->when[first] > f->now ? f->when[first] : f->now;
        f->when[first] = UINT64_MAX;
        f->d.ops->event(&f->d, first);
    }
    f->now = until > f->now ? until : f->now;
}

/* An access that must not fault. */
static inline uint64_t fake_get(struct fake *f, uint64_t off, unsigned size)
{
    uint64_t v = 0;
    bool ok = f->d.ops->read(&f->d, off, size, &v);
    assert(ok);
    (void)ok;
    return v;
}

static inline void fake_set(struct fake *f, uint64_t off, unsigned size, uint64_t v)
{
    bool ok = f->d.ops->write(&f->d, off, size, v);
    assert(ok);
    (void)ok;
}

static inline bool fake_read_faults(struct fake *f, uint64_t off, unsigned size)
{
    uint64_t v = 0;
    return !f->d.ops->read(&f->d, off, size, &v);
}

static inline bool fake_write_faults(struct fake *f, uint64_t off, unsigned size, uint64_t v)
{
    return !f->d.ops->write(&f->d, off, size, v);
}

static inline size_t fake_input(struct fake *f, const void *p, size_t n) { return f->d.ops->input(&f->d, p, n); }
static inline bool fake_valid(struct fake *f) { return !f->d.ops->valid || f->d.ops->valid(&f->d); }

/* Whether what the device sent since the last call is exactly these bytes. */
static inline bool fake_sent(struct fake *f, const void *p, size_t n)
{
    bool same = f->out_len == n && !memcmp(f->out, p, n);
    f->out_len = 0;
    f->outputs = 0;
    return same;
}
#endif
