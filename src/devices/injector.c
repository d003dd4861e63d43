/*
 * The injector: a guest's way to make an event arrive at an exact cycle. This emulator's own device; no other machine has it.
 *
 * Four channels, channel n at n * 0x40, each with an event of its own (event n):
 *
 *   0x00  count    RW 8  cycles from the arming store to the event; with --timing none one cycle is one instruction
 *   0x08  hart     RW 4  target hart
 *   0x0c  line     RW 4  mip bit number, 0 to 63; of kind 4 the source
 *   0x10  control  RW 4  0 ARM: writing 1 arms (or re-arms) the channel, writing 0 cancels it; reads 1 while armed
 *                        1 LEVEL: the level the line gets (1 raise, 0 lower); kept
 *                        2 PULSE, with LEVEL: the line goes low by itself when the hart takes the interrupt; kept
 *                        8 FIRED: the event has happened since FIRED was last cleared; writing 1 clears it
 *                        9 REFUSED: what the channel was armed for does not exist (hart, line, kind); writing 1 clears it
 *   0x14  kind     RW 4  0 an interrupt line
 *                        1 a counter overflow: LCOFIP becomes 1 (Sscofpmf)
 *                        2 the resumable non-maskable interrupt (Smrnmi)
 *                        3 a bus error: a hardware-error exception (cause 19), tval 0
 *                        4 a source of the interrupt controller
 *   0x18  when     R  8  the machine cycle of the event: to come while armed, else of the last one armed
 *   0x20  now      R  8  the machine cycle
 *
 * 8-byte registers may be accessed in halves. The event happens at the first instruction boundary of the hart at which at least
 * `count` cycles have passed since the store to control. A line raised without PULSE stays so until it is lowered, by a channel
 * with LEVEL 0.
 */
#include "base/bits.h"
#include "devices/clock.h"
#include "devices/devices.h"

#define STRIDE 0x40u
enum { COUNT = 0x00, HART = 0x08, LINE = 0x0c, CONTROL = 0x10, KIND = 0x14, WHEN = 0x18, NOW = 0x20 };
enum { CTL_ARM = 1, CTL_LEVEL = 2, CTL_PULSE = 4, CTL_FIRED = 1 << 8, CTL_REFUSED = 1 << 9 };

struct injector_channel {
    uint64_t count, when;
    uint32_t hart, line;
    uint32_t control, kind;
};

struct injector {
    struct injector_channel channel[DEVICE_EVENTS];
};

static struct injector_channel *channel(const struct device *d, unsigned n) { return &((struct injector *)d->state)->channel[n]; }

static void injector_reset(struct device *d)
{
    for (unsigned n = 0; n < DEVICE_EVENTS; n++) {
        *channel(d, n) = (struct injector_channel){0};
        device_arm(d, n, UINT64_MAX);
    }
}

static bool access_ok(uint64_t off, unsigned size)
{
    bool wide = off % STRIDE < HART || off % STRIDE >= WHEN;
    return off < DEVICE_EVENTS * STRIDE && (size == 4 || (size == 8 && wide));
}

static bool injector_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    if (!access_ok(off, size))
        return false;
    const struct injector_channel *c = channel(d, (unsigned)(off / STRIDE));
    uint64_t reg;
    switch (off % STRIDE & ~UINT64_C(7)) {
    case COUNT: reg = c->count; break;
    case HART: reg = c->hart | (uint64_t)c->line << 32; break;
    case CONTROL: reg = c->control | (uint64_t)c->kind << 32; break;
    case WHEN: reg = c->when; break;
    case NOW: reg = device_now(d); break;
    default: reg = 0; break;
    }
    *value = size == 8 ? reg : (uint32_t)(reg >> (off & 4) * 8);
    return true;
}

/* What the device itself can tell of it; the machine may still refuse. */
static bool possible(const struct device *d, const struct injector_channel *c)
{
    return c->hart < d->harts && c->kind < INJECT_KINDS && (c->kind != INJECT_LINE || c->line <= 63);
}

static void write_control(struct device *d, unsigned n, uint32_t value)
{
    struct injector_channel *c = channel(d, n);
    c->control =
        (c->control & ~(value & (CTL_FIRED | CTL_REFUSED)) & (CTL_FIRED | CTL_REFUSED)) | (value & (CTL_LEVEL | CTL_PULSE));
    if ((value & CTL_ARM) && !possible(d, c)) {
        c->control |= CTL_REFUSED;
        value &= ~(uint32_t)CTL_ARM;
    }
    if (value & CTL_ARM) {
        c->control |= CTL_ARM;
        c->when = clock_later(device_now(d), c->count);
    }
    device_arm(d, n, value & CTL_ARM ? c->when : UINT64_MAX);
}

static bool injector_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    if (!access_ok(off, size))
        return false;
    unsigned n = (unsigned)(off / STRIDE);
    struct injector_channel *c = channel(d, n);
    switch (off % STRIDE) {
    case COUNT: c->count = size == 8 ? value : bits_set(c->count, 31, 0, value); break;
    case COUNT + 4: c->count = bits_set(c->count, 63, 32, value); break;
    case HART: c->hart = (uint32_t)value; break;
    case LINE: c->line = (uint32_t)value; break;
    case KIND: c->kind = (uint32_t)value; break;
    case CONTROL: write_control(d, n, (uint32_t)value); break;
    default: break;
    }
    return true;
}

/* The channel may have been rewritten since the arming: checked again, so that nothing out of range reaches the machine. */
static void injector_event(struct device *d, unsigned n)
{
    struct injector_channel *c = channel(d, n);
    if (!(c->control & CTL_ARM))
        return;
    c->control &= ~(uint32_t)CTL_ARM;
    struct injection i = {.kind = c->kind, .hart = c->hart, .line = c->line};
    if (c->control & CTL_LEVEL)
        i.how = c->control & CTL_PULSE ? INJECT_PULSE : INJECT_RAISE;
    c->control |= possible(d, c) && d->host->inject(d, &i) ? CTL_FIRED : CTL_REFUSED;
}

static bool injector_valid(const struct device *d)
{
    for (unsigned n = 0; n < DEVICE_EVENTS; n++)
        if (channel(d, n)->control & ~(uint32_t)(CTL_ARM | CTL_LEVEL | CTL_PULSE | CTL_FIRED | CTL_REFUSED))
            return false;
    return true;
}

const struct device_ops injector_ops = {
    DEVICE_ROW(injector),    .mmio_size = 0x1000,     .state_size = sizeof(struct injector),
    .events = DEVICE_EVENTS, .reset = injector_reset, .read = injector_read,
    .write = injector_write, .event = injector_event, .valid = injector_valid,
};
