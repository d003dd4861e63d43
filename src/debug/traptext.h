/* A trap or return in a line, of a machine of any architecture. */
#ifndef TL_DEBUG_TRAPTEXT_H
#define TL_DEBUG_TRAPTEXT_H
#include "machine/trapline.h"

#define TRAPTEXT_LINE 768

/* Cycle, hart, from where to where, the cause and what the handler's registers get. */
void trap_text(struct machine *m, const struct machine_change *c, char line[TRAPTEXT_LINE]);
#endif
