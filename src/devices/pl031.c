/*
 * PL031 real-time clock (Arm PrimeCell Real Time Clock Technical Reference Manual, DDI 0224, r1p3).
 *
 *   0x00 RTCDR    read: seconds now
 *   0x04 RTCMR    match: the interrupt rises when the seconds reach it
 *   0x08 RTCLR    load: sets the seconds
 *   0x0c RTCCR    bit 0: runs; always 1 once it was started, which it is from the beginning
 *   0x10 RTCIMSC  bit 0: the interrupt reaches the line
 *   0x14 RTCRIS   0x18 RTCMIS   0x1c RTCICR: raw and masked interrupt, clear
 *   0xfe0…0xffc   identification
 *
 * All are 4 bytes wide. The seconds are those since 1970 and start at d->arg (0: 2025-01-01 00:00 UTC) at machine cycle 0; they
 * follow the machine's cycles, never the host's clock. A reset keeps the time, as a battery would.
 */
#include "devices/clock.h"
#include "devices/devices.h"

#define EPOCH_DEFAULT UINT64_C(1735689600) /* 2025-01-01 00:00:00 UTC */
#define SECOND        UINT64_C(1000000000)
enum {
    RTCDR = 0x00,
    RTCMR = 0x04,
    RTCLR = 0x08,
    RTCCR = 0x0c,
    RTCIMSC = 0x10,
    RTCRIS = 0x14,
    RTCMIS = 0x18,
    RTCICR = 0x1c,
    ID = 0xfe0,
    SIZE = 0x1000
};

struct pl031 {
    uint32_t offset; /* what RTCLR added to the clock, seconds modulo 2^32 */
    uint32_t match, load;
    uint32_t seen; /* the second up to which the match was looked for */
    uint8_t raw, enabled;
    uint8_t pad[2];
};

static uint64_t run_ns(struct device *d) { return clock_ns(d, device_now(d)); }

static uint32_t seconds(struct device *d)
{
    const struct pl031 *r = d->state;
    return (uint32_t)((d->arg ? d->arg : EPOCH_DEFAULT) + run_ns(d) / SECOND + r->offset);
}

static void update(struct device *d)
{
    const struct pl031 *r = d->state;
    device_irq(d, r->raw && r->enabled);
}

/* Looks whether the counter has become equal to the match register since the last look. */
static void look(struct device *d)
{
    struct pl031 *r = d->state;
    uint32_t now = seconds(d);
    if ((uint32_t)(r->match - r->seen - 1) < (uint32_t)(now - r->seen))
        r->raw = 1;
    r->seen = now;
}

/* An interrupt that can reach the line has an event at its second. */
static void schedule(struct device *d)
{
    const struct pl031 *r = d->state;
    uint32_t ahead = r->match - seconds(d);
    device_arm(d, 0, r->enabled && ahead ? clock_cycle_of_ns(d, (run_ns(d) / SECOND + ahead) * SECOND) : UINT64_MAX);
}

/* The counter or what it is compared with was set: a match with the present second counts at once. */
static void set(struct device *d)
{
    struct pl031 *r = d->state;
    r->seen = seconds(d);
    if (r->match == r->seen)
        r->raw = 1;
    schedule(d);
}

static void pl031_reset(struct device *d)
{
    struct pl031 *r = d->state;
    r->match = r->load = 0;
    r->raw = r->enabled = 0;
    r->seen = seconds(d);
    schedule(d);
    update(d);
}

/* RTCPeriphID0-3: part 0x031, designer 0x41 (Arm); RTCPCellID0-3. */
static uint8_t identification(uint64_t off)
{
    static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    return id[(off - ID) / 4];
}

static bool pl031_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    const struct pl031 *r = d->state;
    *value = 0;
    if (size == 8 || off & 3) /* the identification is read by bytes, too */
        return false;
    look(d);
    switch (off) {
    case RTCDR: *value = seconds(d); break;
    case RTCMR: *value = r->match; break;
    case RTCLR: *value = r->load; break;
    case RTCCR: *value = 1; break;
    case RTCIMSC: *value = r->enabled; break;
    case RTCRIS: *value = r->raw; break;
    case RTCMIS: *value = r->raw & r->enabled; break;
    default: *value = off >= ID ? identification(off) : 0;
    }
    return true;
}

static bool pl031_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct pl031 *r = d->state;
    if (size != 4)
        return false;
    look(d);
    switch (off) {
    case RTCMR:
        r->match = (uint32_t)value;
        set(d);
        break;
    case RTCLR:
        r->load = (uint32_t)value;
        r->offset += (uint32_t)value - seconds(d);
        set(d);
        break;
    case RTCIMSC:
        r->enabled = value & 1;
        schedule(d);
        break;
    case RTCICR: r->raw &= (uint8_t)~value; break;
    default: break;
    }
    update(d);
    return true;
}

static void pl031_event(struct device *d, unsigned n)
{
    (void)n;
    look(d);
    update(d);
}

static bool pl031_valid(const struct device *d)
{
    const struct pl031 *r = d->state;
    return r->raw <= 1 && r->enabled <= 1;
}

const struct device_ops pl031_ops = {
    DEVICE_ROW(pl031),    .mmio_size = SIZE,    .state_size = sizeof(struct pl031),
    .events = 1,          .reset = pl031_reset, .read = pl031_read,
    .write = pl031_write, .event = pl031_event, .valid = pl031_valid,
};
