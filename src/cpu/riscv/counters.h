/*
 * Hardware performance counters: what they count and the hook of the slow paths (priv 3.1.10, sscofpmf, smcntrpmf;
 * docs/events.md).
 *
 * A counter that follows the cycles or the retired instructions is held as a base and costs nothing while it runs. Other events
 * happen on slow paths only, which tell counters_event().
 */
#ifndef TL_CPU_RISCV_COUNTERS_H
#define TL_CPU_RISCV_COUNTERS_H
#include "cpu/riscv/hart.h"

/* Events of this implementation, in the order of the table in counters.c. 0 is "no event" (priv 3.1.10). */
enum counter_event {
    EV_NONE,
    EV_CYCLES,
    EV_INSTRET,
    EV_DTLB_READ_MISS,
    EV_DTLB_WRITE_MISS,
    EV_ITLB_MISS,
    EV_EXCEPTION,
    EV_INTERRUPT,
    EV_RETURN,
    EV_PAGE_WALK,
    EV_COUNT
};

/* mhpmevent bits 55:0 that select event e, and what it counts. */
struct counter_event_row {
    uint64_t select;
    const char *name;
    const char *meaning;
};
const struct counter_event_row *counter_event_row(enum counter_event e);

/* The mode has changed to h->s.priv, h->s.v. retired: 1 if the instruction in progress is still counted in the old mode. */
void counters_mode(struct hart *h, unsigned retired);
/* Sets OF and LCOFIP for each counter that has overflowed by now. Returns the first cycle at which another one can. */
uint64_t counters_overflow(struct hart *h);

void counters_event_slow(struct hart *h, enum counter_event e);
/* Event e (not cycles, not instret) happened in the current mode. */
static inline void counters_event(struct hart *h, enum counter_event e)
{
    if (unlikely(h->count.events >> e & 1))
        counters_event_slow(h, e);
}
#endif
