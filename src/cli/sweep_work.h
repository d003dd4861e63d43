/* The cases of a sweep as jobs of several processes. */
#ifndef TL_CLI_SWEEP_WORK_H
#define TL_CLI_SWEEP_WORK_H
#include "debug/sweep_result.h"

/* Does the cases first, first + step, … of s in `processes` processes (1: in this one) and adds them to r, in any order. total:
   how many there are, for the progress on a terminal. False with a sentence if a process could not be started or died. */
bool sweep_work(struct sweep *s, uint64_t first, uint64_t step, unsigned processes, uint64_t total, struct sweep_result *r,
                struct err *e);
#endif
