/*
 * The event queue: integers only, one order: (when, priority, id).
 *
 * An event is a slot with a fixed id, handed out while a machine is built. Arming sets the absolute machine cycle it fires at;
 * arming again moves it. A slot's priority breaks ties of equal cycles (lower first), then its id. Plain data without pointers:
 * the whole queue is state and is copied by assignment.
 */
#ifndef TL_SCHED_SCHED_H
#define TL_SCHED_SCHED_H
#include <stdbool.h>
#include <stdint.h>

#define SCHED_MAX   128
#define SCHED_NEVER UINT64_MAX

struct sched {
    uint64_t when[SCHED_MAX]; /* SCHED_NEVER: not armed */
    uint8_t priority[SCHED_MAX];
    uint32_t count;
    uint32_t first; /* id that fires next; meaningful when next != SCHED_NEVER */
    uint64_t next;  /* when[first], or SCHED_NEVER */
};

void sched_init(struct sched *s);
/* A new event id, or -1 when all SCHED_MAX are taken. priority 0..255, lower fires first. */
int sched_add(struct sched *s, uint8_t priority);
void sched_arm(struct sched *s, int id, uint64_t when);
void sched_cancel(struct sched *s, int id);
/* If an event is due at or before `now`, disarms it, stores its id and returns true. Call until false. */
bool sched_pop(struct sched *s, uint64_t now, int *id);
#endif
