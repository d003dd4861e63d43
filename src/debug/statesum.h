/*
 * A digest of a machine's state that costs what has changed since it was last taken: for traces, which take many.
 *
 * It is of the harts, devices, events and RAM (not of what was written to disks): equal states, equal digests, whatever was
 * digested before. RAM's part is a sum over its pages that are not zero, so that a changed page is taken out and put in again.
 */
#ifndef TL_DEBUG_STATESUM_H
#define TL_DEBUG_STATESUM_H
#include "machine/trapline.h"

struct statesum;

struct statesum *statesum_new(struct machine *m);
/* The digest of the machine it was made with, now. Between runs only. */
uint64_t statesum_take(struct statesum *s);
void statesum_free(struct statesum *s);
#endif
