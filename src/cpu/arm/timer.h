/* Inside cpu/arm: the generic timers and the event stream. Arm ARM D11. */
#ifndef TL_CPU_ARM_TIMER_H
#define TL_CPU_ARM_TIMER_H
#include "cpu/arm/pe.h"

/* CNTVCT_EL0 as the current level sees it now, by s.cycle. */
uint64_t timer_virtual_count(const struct pe *p);
/* Brings the timers' outputs up to date and tells the outside what changed. Returns the cycle at which one changes next. */
uint64_t timer_update(struct pe *p);
/* The Event Register now, with what the event stream has sent. */
bool timer_event(struct pe *p);
/* What controls the event stream is about to change, or has: from now on it is counted anew. */
void timer_stream_sync(struct pe *p);
/* While waiting: the cycle at which a time-out or the event stream ends it; else UINT64_MAX. */
uint64_t timer_wait(const struct pe *p);
#endif
