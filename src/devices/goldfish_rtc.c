/*
 * Goldfish real-time clock (Android emulator documentation, GOLDFISH-VIRTUAL-HARDWARE; Linux driver rtc-goldfish).
 *
 *   0x00  TIME_LOW         read: nanoseconds since 1970, low half, and latches the high half; write: sets the low half
 *   0x04  TIME_HIGH        read: the latched high half; write: sets the high half
 *   0x08  ALARM_LOW        read, write; writing arms the alarm at ALARM_HIGH:ALARM_LOW nanoseconds
 *   0x0c  ALARM_HIGH       read, write
 *   0x10  IRQ_ENABLED      bit 0: the alarm's interrupt reaches the line
 *   0x14  CLEAR_ALARM      write: disarms the alarm
 *   0x18  ALARM_STATUS     read: 1 while the alarm is armed
 *   0x1c  CLEAR_INTERRUPT  write: ends a pending interrupt
 *
 * All are 4 bytes wide. The clock starts at d->arg seconds after 1970 (0: 2025-01-01 00:00 UTC) at machine cycle 0 and
 * follows the machine's cycles, never the host's clock. A reset keeps the time, as a battery would. An alarm in the past
 * fires at once.
 */
#include "base/bits.h"
#include "devices/clock.h"
#include "devices/devices.h"

#define EPOCH_DEFAULT UINT64_C(1735689600) /* 2025-01-01 00:00:00 UTC */
enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c
};

struct goldfish_rtc {
    uint64_t offset; /* added to the clock by writes of the time, nanoseconds modulo 2^64 */
    uint64_t alarm;  /* nanoseconds since 1970 */
    uint32_t time_high;
    uint8_t armed, pending, enabled;
    uint8_t pad;
};

static uint64_t epoch_ns(const struct device *d) { return (d->arg ? d->arg : EPOCH_DEFAULT) * UINT64_C(1000000000); }

static uint64_t time_ns(struct device *d)
{
    const struct goldfish_rtc *r = d->state;
    return epoch_ns(d) + clock_ns(d, device_now(d)) + r->offset;
}

static void update(struct device *d)
{
    const struct goldfish_rtc *r = d->state;
    device_irq(d, r->pending && r->enabled);
}

/* Arms the event for the alarm, or lets a past one fire now. */
static void schedule(struct device *d)
{
    struct goldfish_rtc *r = d->state;
    uint64_t now = time_ns(d), when = UINT64_MAX;
    if (r->armed && r->alarm <= now) {
        r->armed = 0;
        r->pending = 1;
    } else if (r->armed) {
        when = clock_cycle_of_ns(d, clock_later(clock_ns(d, device_now(d)), r->alarm - now));
    }
    device_arm(d, 0, when);
    update(d);
}

static void goldfish_rtc_reset(struct device *d)
{
    struct goldfish_rtc *r = d->state;
    r->alarm = 0;
    r->time_high = 0;
    r->armed = r->pending = r->enabled = 0;
    schedule(d);
}

static bool goldfish_rtc_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    struct goldfish_rtc *r = d->state;
    *value = 0;
    if (size != 4)
        return false;
    switch (off) {
    case TIME_LOW:
        *value = (uint32_t)time_ns(d);
        r->time_high = (uint32_t)(time_ns(d) >> 32);
        break;
    case TIME_HIGH: *value = r->time_high; break;
    case ALARM_LOW: *value = (uint32_t)r->alarm; break;
    case ALARM_HIGH: *value = r->alarm >> 32; break;
    case IRQ_ENABLED: *value = r->enabled; break;
    case ALARM_STATUS: *value = r->armed; break;
    default: break;
    }
    return true;
}

static void set_time(struct device *d, unsigned msb, unsigned lsb, uint64_t value)
{
    struct goldfish_rtc *r = d->state;
    uint64_t now = time_ns(d);
    r->offset += bits_set(now, msb, lsb, value) - now;
    schedule(d);
}

static bool goldfish_rtc_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct goldfish_rtc *r = d->state;
    if (size != 4)
        return false;
    switch (off) {
    case TIME_LOW: set_time(d, 31, 0, value); break;
    case TIME_HIGH: set_time(d, 63, 32, value); break;
    case ALARM_LOW:
        r->alarm = bits_set(r->alarm, 31, 0, value);
        r->armed = 1;
        break;
    case ALARM_HIGH: r->alarm = bits_set(r->alarm, 63, 32, value); break;
    case IRQ_ENABLED: r->enabled = value & 1; break;
    case CLEAR_ALARM: r->armed = 0; break;
    case CLEAR_INTERRUPT: r->pending = 0; break;
    default: break;
    }
    schedule(d);
    return true;
}

static void goldfish_rtc_event(struct device *d, unsigned n)
{
    (void)n;
    schedule(d);
}

static bool goldfish_rtc_valid(const struct device *d)
{
    const struct goldfish_rtc *r = d->state;
    return r->armed <= 1 && r->pending <= 1 && r->enabled <= 1;
}

const struct device_ops goldfish_rtc_ops = {
    DEVICE_ROW(goldfish_rtc),
    .mmio_size = 0x1000,
    .state_size = sizeof(struct goldfish_rtc),
    .events = 1,
    .reset = goldfish_rtc_reset,
    .read = goldfish_rtc_read,
    .write = goldfish_rtc_write,
    .event = goldfish_rtc_event,
    .valid = goldfish_rtc_valid,
};
