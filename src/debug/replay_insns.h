/* Whether a run's instructions are the recorded ones: a part of replay.c. */
#ifndef TL_DEBUG_REPLAY_INSNS_H
#define TL_DEBUG_REPLAY_INSNS_H
#include "debug/replay.h"

/* Begins to compare what m executes with the instructions of the trace, which has some. */
struct insn_check *insn_check_begin(const struct replay *r, struct machine *m);
/* One was another one: m stops, and nothing that comes is compared. */
bool insn_check_differs(const struct insn_check *x);
/* Ends it: to be asked whether they differ once more, and freed. */
void insn_check_end(struct insn_check *x);
/* text: NULL, or where the first difference, if there is one, is told in lines. */
void insn_check_free(struct insn_check *x, struct buf *text);
#endif
