/*
 * PL061 general-purpose input/output, 8 pins (Arm PrimeCell General Purpose Input/Output Technical Reference Manual, DDI 0190,
 * r1p0).
 *
 *   0x000…0x3fc GPIODATA   address bits 9:2 say which pins are read or written
 *   0x400 DIR    1: the pin is an output      0x404 IS   interrupts by level      0x408 IBE  by both edges
 *   0x40c IEV    by rising edge or high       0x410 IE   mask                     0x414 RIS, 0x418 MIS, 0x41c IC
 *   0x420 AFSEL  kept                         0xfe0…0xffc identification
 *
 * All are 1 byte wide. Of the outside there are only keys: a byte p of input, 0 to 7, is a press of the key on pin p, which stays
 * high for 100 ms of guest time (event 0). On the board the key of pin 3 is the power key.
 *
 * With arg 1 two outputs go somewhere: pin 0 high ends the run with code 0, pin 1 high resets the machine.
 */
#include "devices/clock.h"
#include "devices/devices.h"

#define PINS  8u
#define PRESS UINT64_C(100000000) /* ns */
enum {
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418,
    IC = 0x41c,
    AFSEL = 0x420,
    ID = 0xfe0,
    SIZE = 0x1000
};
enum { POWER_OFF = 1, RESTART = 2 }; /* outputs with arg 1 */

struct pl061 {
    uint8_t out; /* what was written to pins that are outputs now or may be later */
    uint8_t in;  /* the keys */
    uint8_t dir, is, ibe, iev, ie, afsel;
    uint8_t edges; /* edges seen: raw interrupts of pins that interrupt by edge */
    uint8_t pad[7];
};

static uint8_t pins(const struct pl061 *g) { return (uint8_t)((g->in & ~g->dir) | (g->out & g->dir)); }

/* Raw interrupts: levels of pins that interrupt by level, the edges seen of the others. */
static uint8_t raw(const struct pl061 *g) { return (uint8_t)((g->edges & ~g->is) | (~(pins(g) ^ g->iev) & g->is)); }

static void update(struct device *d)
{
    const struct pl061 *g = d->state;
    device_irq(d, raw(g) & g->ie);
}

/* The pins were `old` before. */
static void moved(struct device *d, uint8_t old)
{
    struct pl061 *g = d->state;
    uint8_t now = pins(g), change = now ^ old;
    g->edges |= (uint8_t)(change & (g->ibe | ~(now ^ g->iev)) & ~g->is);
    update(d);
    uint8_t driven = now & change & g->dir;
    if (d->arg && driven & POWER_OFF)
        d->host->exit(d, 0);
    else if (d->arg && driven & RESTART)
        d->host->reboot(d);
}

static void pl061_reset(struct device *d)
{
    struct pl061 *g = d->state;
    *g = (struct pl061){0};
    device_arm(d, 0, UINT64_MAX);
    update(d);
}

/* GPIOPeriphID0-3: part 0x061, designer 0x41 (Arm); GPIOPCellID0-3. */
static uint8_t identification(uint64_t off)
{
    static const uint8_t id[] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    return id[(off - ID) / 4];
}

static bool pl061_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    const struct pl061 *g = d->state;
    *value = 0;
    if (off >= SIZE)
        return false;
    if (size == 8 || off & 3)
        return true; /* what is between the registers reads zero */
    if (off < DIR) {
        *value = pins(g) & off >> 2;
        return true;
    }
    switch (off) {
    case DIR: *value = g->dir; break;
    case IS: *value = g->is; break;
    case IBE: *value = g->ibe; break;
    case IEV: *value = g->iev; break;
    case IE: *value = g->ie; break;
    case RIS: *value = raw(g); break;
    case MIS: *value = raw(g) & g->ie; break;
    case AFSEL: *value = g->afsel; break;
    default: *value = off >= ID ? identification(off) : 0;
    }
    return true;
}

static bool pl061_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct pl061 *g = d->state;
    uint8_t byte = (uint8_t)value, old = pins(g), mask = (uint8_t)(off >> 2);
    if (off >= SIZE)
        return false;
    if (size == 8 || off & 3)
        return true;
    switch (off < DIR ? 0 : off) {
    case 0: g->out = (uint8_t)((g->out & ~(mask & g->dir)) | (byte & mask & g->dir)); break;
    case DIR: g->dir = byte; break;
    case IS: g->is = byte; break;
    case IBE: g->ibe = byte; break;
    case IEV: g->iev = byte; break;
    case IE: g->ie = byte; break;
    case IC: g->edges &= (uint8_t)~byte; break;
    case AFSEL: g->afsel = byte; break;
    default: break;
    }
    moved(d, old);
    return true;
}

static void set_keys(struct device *d, uint8_t keys)
{
    struct pl061 *g = d->state;
    uint8_t old = pins(g);
    g->in = keys;
    moved(d, old);
}

static void pl061_event(struct device *d, unsigned n)
{
    (void)n;
    set_keys(d, 0);
}

/* Keys are pressed together; the time counts from the last one. */
static size_t pl061_input(struct device *d, const void *p, size_t n)
{
    const struct pl061 *g = d->state;
    uint8_t keys = g->in;
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)p)[i] < PINS)
            keys |= (uint8_t)(1u << ((const uint8_t *)p)[i]);
    set_keys(d, keys);
    if (keys)
        device_arm(d, 0, clock_later(device_now(d), clock_cycle_of_ns(d, PRESS)));
    return n;
}

const struct device_ops pl061_ops = {
    DEVICE_ROW(pl061),    .mmio_size = SIZE,    .state_size = sizeof(struct pl061),
    .events = 1,          .reset = pl061_reset, .read = pl061_read,
    .write = pl061_write, .event = pl061_event, .input = pl061_input,
};
