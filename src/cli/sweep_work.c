#include "cli/sweep_work.h"
#include "cli/jobs.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS 0.2 /* seconds between two lines of it */

struct work {
    struct sweep *s;
    uint64_t first, step;
    unsigned jobs; /* job number i does each jobs-th of the cases, from the i-th on */
    struct sweep_result *r;
    uint64_t done, total, failed;
    double told;
    bool progress;
};

struct sender {
    struct jobs_out *out;
    struct buf one;
};

static bool send_case(void *ctx, const struct sweep_case *c)
{
    struct sender *w = ctx;
    w->one.len = 0;
    sweep_case_put(&w->one, c);
    return jobs_put(w->out, w->one.data, w->one.len);
}

static bool do_cases(void *ctx, size_t job, struct jobs_out *out, struct err *e)
{
    const struct work *w = ctx;
    struct sender to = {.out = out};
    (void)e;
    sweep_run(w->s, w->first + job * w->step, w->step * w->jobs, send_case, &to);
    buf_free(&to.one);
    return true;
}

static void progress(struct work *w, const struct sweep_case *c)
{
    w->done += c->nested == SWEEP_NONE;
    w->failed += c->verdict > SWEEP_SAME;
    double now = w->progress ? session_clock() : 0;
    if (!w->progress || now - w->told < PROGRESS)
        return;
    w->told = now;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " cases, %" PRIu64 " failing ", w->done, w->total, w->failed);
    fflush(stderr);
}

static bool take_case(void *ctx, size_t job, const void *p, size_t n)
{
    struct work *w = ctx;
    struct cursor c = {.p = p, .left = n};
    struct sweep_case k;
    (void)job;
    if (!sweep_case_get(&c, &k))
        return false;
    sweep_result_add(w->r, &k);
    progress(w, &k);
    free(k.detail);
    return true;
}

bool sweep_work(struct sweep *s, uint64_t first, uint64_t step, unsigned processes, uint64_t total, struct sweep_result *r,
                struct err *e)
{
    unsigned most = processes > JOBS_PROCESSES_MAX ? JOBS_PROCESSES_MAX : processes;
    struct work w = {.s = s, .first = first, .step = step, .r = r, .total = total, .progress = isatty(STDERR_FILENO)};
    w.jobs = most > total ? (unsigned)total : most;
    bool ok = jobs_run(w.jobs, w.jobs, do_cases, take_case, &w, e);
    if (w.progress)
        fprintf(stderr, "\r%*s\r", 60, "");
    return ok;
}
