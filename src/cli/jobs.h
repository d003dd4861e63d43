/* Jobs that do not depend on each other, run in several processes. */
#ifndef TL_CLI_JOBS_H
#define TL_CLI_JOBS_H
#include "base/err.h"
#include <stddef.h>

#define JOBS_MAX           10000
#define JOBS_PROCESSES_MAX 256

/* Where a job's results go. */
struct jobs_out;
/* Sends one result home. False: nobody wants more of them. */
bool jobs_put(struct jobs_out *out, const void *p, size_t n);

/* Does job number `job` and puts its results. In a process of its own, if there is more than one: it shares what was there
   before, and changes to memory are lost. False with a sentence ends everything. */
typedef bool jobs_do(void *ctx, size_t job, struct jobs_out *out, struct err *e);
/* Takes a result, in the calling process: those of a job in their order, of several jobs mixed. False: it is none, which ends
   everything. */
typedef bool jobs_take(void *ctx, size_t job, const void *p, size_t n);

/* Runs jobs 0 to jobs-1, at most JOBS_MAX, in up to `processes` processes (0: one a core; one job or process: in this one), each
   taking the next when it is done with one. False with a sentence: one failed, or a process died. No process outlives the call.
 */
bool jobs_run(size_t jobs, unsigned processes, jobs_do *work, jobs_take *take, void *ctx, struct err *e);
#endif
