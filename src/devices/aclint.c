/*
 * ACLINT MSWI and MTIMER devices side by side, in the layout of the SiFive CLINT (RISC-V ACLINT specification 1.0-rc4,
 * chapters 2 and 3; privileged specification "Machine Timer (mtime and mtimecmp) Registers").
 *
 *   0x0000 + 4h  msip        bit 0 is hart h's MSIP; 4 bytes wide
 *   0x4000 + 8h  mtimecmp    hart h's MTIP is mtime >= mtimecmp; 8 bytes wide, halves may be accessed
 *   0xbff8       mtime       machine cycle / cycles a tick + offset, writable; 8 bytes wide, halves may be accessed
 *
 * Registers of harts that do not exist read zero and ignore writes. Above 0xc000 there is nothing. mtimecmp starts at its
 * largest value, which the specification leaves open. A reset sets mtime to 0. Event 0 is the next change of any MTIP.
 */
#include "base/bits.h"
#include "devices/clock.h"
#include "devices/devices.h"

#define MTIMECMP 0x4000u
#define MTIME    0xbff8u
#define END      0xc000u
enum { IRQ_MSIP = 3, IRQ_MTIP = 7 };

struct aclint {
    uint64_t mtimecmp[DEVICES_HARTS_MAX];
    uint64_t offset; /* mtime - cycle / tick_cycles */
    uint32_t msip;   /* bit h: hart h */
    uint32_t mtip;
};

static unsigned harts(const struct device *d) { return d->harts < DEVICES_HARTS_MAX ? d->harts : DEVICES_HARTS_MAX; }

static uint64_t ticks(struct device *d) { return device_now(d) / clock_tick_cycles(d); }

static uint64_t mtime(struct device *d)
{
    const struct aclint *a = d->state;
    return ticks(d) + a->offset;
}

/* The cycle at which mtime has advanced by `delta` ticks, or UINT64_MAX. */
static uint64_t cycle_after(struct device *d, uint64_t delta)
{
    return clock_muldiv(clock_later(ticks(d), delta), clock_tick_cycles(d), 1, false);
}

/* Sets every MTIP to mtime >= mtimecmp and arms the event for the next time one changes. */
static void update_timer(struct device *d)
{
    struct aclint *a = d->state;
    uint64_t now = mtime(d), next = UINT64_MAX;
    for (unsigned h = 0; h < harts(d); h++) {
        bool level = now >= a->mtimecmp[h];
        if (level != (a->mtip >> h & 1)) {
            a->mtip ^= UINT32_C(1) << h;
            d->host->hart_irq(d, h, IRQ_MTIP, level);
        }
        /* A pending interrupt ends by itself only when mtime wraps to 0 (0 - now is 0 when it just has). */
        uint64_t delta = level ? 0 - now : a->mtimecmp[h] - now;
        uint64_t when = delta && !(level && !a->mtimecmp[h]) ? cycle_after(d, delta) : UINT64_MAX;
        next = when < next ? when : next;
    }
    device_arm(d, 0, next);
}

static void set_mtime(struct device *d, uint64_t value)
{
    struct aclint *a = d->state;
    a->offset = value - ticks(d);
    d->host->set_time_offset(d, a->offset);
}

static void aclint_reset(struct device *d)
{
    struct aclint *a = d->state;
    *a = (struct aclint){0};
    for (unsigned h = 0; h < DEVICES_HARTS_MAX; h++)
        a->mtimecmp[h] = UINT64_MAX;
    for (unsigned h = 0; h < harts(d); h++) {
        d->host->hart_irq(d, h, IRQ_MSIP, false);
        d->host->hart_irq(d, h, IRQ_MTIP, false);
    }
    set_mtime(d, 0);
    update_timer(d);
}

/* The part of a 64-bit register that an access of `size` bytes at `off` sees, and the register with that part replaced. */
static uint64_t part(uint64_t reg, uint64_t off, unsigned size)
{
    return size == 8 ? reg : bits_get(reg, off & 4 ? 63 : 31, off & 4 ? 32 : 0);
}

static uint64_t merge(uint64_t reg, uint64_t off, unsigned size, uint64_t value)
{
    return size == 8 ? value : bits_set(reg, off & 4 ? 63 : 31, off & 4 ? 32 : 0, value);
}

static bool access_ok(uint64_t off, unsigned size) { return off < END && (size == 4 || (size == 8 && off >= MTIMECMP)); }

static bool aclint_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    const struct aclint *a = d->state;
    *value = 0;
    if (!access_ok(off, size))
        return false;
    if (off < MTIMECMP) {
        if (off / 4 < harts(d))
            *value = a->msip >> (off / 4) & 1;
    } else if (off >= MTIME) {
        *value = part(mtime(d), off, size);
    } else if ((off - MTIMECMP) / 8 < harts(d)) {
        *value = part(a->mtimecmp[(off - MTIMECMP) / 8], off, size);
    }
    return true;
}

static bool aclint_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct aclint *a = d->state;
    if (!access_ok(off, size))
        return false;
    if (off < MTIMECMP) {
        unsigned h = (unsigned)(off / 4);
        if (h < harts(d)) {
            a->msip = (uint32_t)bits_set(a->msip, h, h, value & 1);
            d->host->hart_irq(d, h, IRQ_MSIP, value & 1);
        }
        return true;
    }
    if (off >= MTIME)
        set_mtime(d, merge(mtime(d), off, size, value));
    else if ((off - MTIMECMP) / 8 < harts(d))
        a->mtimecmp[(off - MTIMECMP) / 8] = merge(a->mtimecmp[(off - MTIMECMP) / 8], off, size, value);
    update_timer(d);
    return true;
}

static void aclint_event(struct device *d, unsigned n)
{
    (void)n;
    update_timer(d);
}

const struct device_ops aclint_ops = {
    DEVICE_ROW(aclint),    .mmio_size = 0x10000,  .state_size = sizeof(struct aclint),
    .events = 1,           .reset = aclint_reset, .read = aclint_read,
    .write = aclint_write, .event = aclint_event,
};
