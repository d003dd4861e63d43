/* Guest time from machine cycles: what devices that count in ticks, nanoseconds or bits a second need. */
#ifndef TL_DEVICES_CLOCK_H
#define TL_DEVICES_CLOCK_H
#include "mem/device.h"

/* Machine cycles in one tick of the time base, at least 1. */
static inline uint64_t clock_tick_cycles(const struct device *d) { return d->tick_cycles ? d->tick_cycles : 1; }

/* a * b / c rounded down, or up when `up`; UINT64_MAX when the result does not fit. c > 0. */
static inline uint64_t clock_muldiv(uint64_t a, uint64_t b, uint64_t c, bool up)
{
    unsigned __int128 q = ((unsigned __int128)a * b + (up ? c - 1 : 0)) / c;
    return q > UINT64_MAX ? UINT64_MAX : (uint64_t)q;
}

/* Machine cycles a second, at least 1. */
static inline uint64_t clock_hz(const struct device *d)
{
    uint64_t hz = clock_muldiv(d->tick_hz, clock_tick_cycles(d), 1, false);
    return hz ? hz : 1;
}

/* Nanoseconds since machine cycle 0 at `cycle`. */
static inline uint64_t clock_ns(const struct device *d, uint64_t cycle)
{
    return clock_muldiv(cycle, UINT64_C(1000000000), clock_hz(d), false);
}

/* The first machine cycle at which clock_ns() is at least ns; UINT64_MAX: never. */
static inline uint64_t clock_cycle_of_ns(const struct device *d, uint64_t ns)
{
    return clock_muldiv(ns, clock_hz(d), UINT64_C(1000000000), true);
}

/* a + b, or UINT64_MAX when that overflows: a time too far away never comes. */
static inline uint64_t clock_later(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }
#endif
