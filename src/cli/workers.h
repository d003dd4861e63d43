/* Processes that do the cases of a sweep and send them home. */
#ifndef TL_CLI_WORKERS_H
#define TL_CLI_WORKERS_H
#include "debug/sweep_result.h"

/* Does the cases first, first + step, … of s in `jobs` processes (1: in this one) and adds them to r, in any order. total: how
   many there are, for the progress on a terminal. False with a sentence if a process could not be started or died. */
bool workers_run(struct sweep *s, uint64_t first, uint64_t step, unsigned jobs, uint64_t total, struct sweep_result *r,
                 struct err *e);
#endif
