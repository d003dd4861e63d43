/* Jobs that do not depend on each other, run in several processes. */
#ifndef TL_CLI_JOBS_H
#define TL_CLI_JOBS_H
#include "base/buf.h"
#include "base/err.h"

/* Does job number `job` and puts what came of it into out. In a process of its own: it shares what was there before, and changes
   to memory are lost. False with a sentence ends everything. */
typedef bool jobs_do(void *ctx, size_t job, struct buf *out, struct err *e);
/* Is told of each job that is done, in whatever order they end, in the calling process. */
typedef void jobs_done(void *ctx, size_t job, const void *p, size_t n);

/* Runs jobs 0 to jobs-1 in up to `processes` processes (0: one a core). False with a sentence: one failed, or a process died. No
   process outlives the call. Nothing may be waiting in stdio's buffers. */
bool jobs_run(size_t jobs, unsigned processes, jobs_do *work, jobs_done *done, void *ctx, struct err *e);
/* Cores this process may use. */
unsigned jobs_cores(void);
#endif
