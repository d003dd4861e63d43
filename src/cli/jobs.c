#include "cli/jobs.h"
#include "base/buf.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH 65536 /* bytes collected before they are sent */

/* What a process sends, with `length` bytes behind it. */
struct message {
    enum { RESULT, DONE, FAILED /* with a sentence */ } what;
    size_t job, length;
};

struct jobs_out {
    size_t job;
    jobs_take *take; /* in the calling process: whom results go to; else NULL */
    void *ctx;
    int fd; /* to the calling process */
    struct buf buf;
    bool broken; /* nobody reads any more, or a result was refused */
};

struct worker {
    pid_t pid;
    int from; /* its messages; -1: there are no more */
    struct buf in;
    int status; /* of waitpid, when it has ended */
};

static unsigned cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

/* ---- in a worker -------------------------------------------------------------------------------------------------------------
 */

static void flush(struct jobs_out *out)
{
    for (size_t at = 0; at < out->buf.len && !out->broken;) {
        ssize_t n = write(out->fd, out->buf.data + at, out->buf.len - at);
        if (n > 0)
            at += (size_t)n;
        else if (errno != EINTR)
            out->broken = true;
    }
    out->buf.len = 0;
}

static void send_message(struct jobs_out *out, int what, const void *p, size_t n)
{
    struct message m;
    memset(&m, 0, sizeof m);
    m.what = what;
    m.job = out->job;
    m.length = n;
    buf_put(&out->buf, &m, sizeof m);
    buf_put(&out->buf, p, n);
    if (out->buf.len > BATCH || what != RESULT)
        flush(out);
}

bool jobs_put(struct jobs_out *out, const void *p, size_t n)
{
    if (!out->take)
        send_message(out, RESULT, p, n);
    else if (!out->broken)
        out->broken = !out->take(out->ctx, out->job, p, n);
    return !out->broken;
}

/* Job numbers come through one pipe that all workers read: each takes the next. */
static _Noreturn void worker_main(int numbers, int to, jobs_do *work, void *ctx)
{
    struct jobs_out out = {.fd = to};
    uint32_t job;
    while (!out.broken && read(numbers, &job, sizeof job) == sizeof job) {
        struct err e = {.text = ""};
        out.job = job;
        if (work(ctx, job, &out, &e))
            send_message(&out, DONE, NULL, 0);
        else
            send_message(&out, FAILED, e.text, strlen(e.text));
    }
    _exit(0); /* what stdio holds is the parent's */
}

static bool start(struct worker *w, unsigned n, int numbers, jobs_do *work, void *ctx, struct err *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe(ends))
        return err_set(e, "a worker process could not be started: %s", strerror(errno));
    w[n].pid = fork();
    if (w[n].pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return err_set(e, "a worker process could not be started: %s", strerror(errno));
    }
    if (!w[n].pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        for (unsigned i = 0; i < n; i++)
            close(w[i].from);
        close(ends[0]);
        worker_main(numbers, ends[1], work, ctx);
    }
    close(ends[1]);
    w[n].from = ends[0];
    return true;
}

/* ---- in the caller -----------------------------------------------------------------------------------------------------------
 */

/* Hands on every whole message that a worker has sent. */
static bool take_messages(struct worker *w, size_t *left, jobs_take *take, void *ctx, struct err *e)
{
    struct message m;
    size_t at = 0;
    bool ok = true;
    for (; ok && w->in.len - at >= sizeof m; at += sizeof m + m.length) {
        memcpy(&m, w->in.data + at, sizeof m);
        const uint8_t *p = w->in.data + at + sizeof m;
        if (w->in.len - at - sizeof m < m.length)
            break;
        if (m.what == FAILED)
            ok = err_set(e, "%.*s", (int)m.length, (const char *)p);
        else if (m.what == DONE)
            --*left;
        else if (!take(ctx, m.job, p, m.length))
            ok = err_set(e, "a worker process sent what is no result");
    }
    if (!ok)
        return false;
    if (at)
        memmove(w->in.data, w->in.data + at, w->in.len - at);
    w->in.len -= at;
    return true;
}

/* Reads what there is. A worker that has ended by a signal did not end by itself. */
static bool read_some(struct worker *w, struct err *e)
{
    uint8_t bytes[65536];
    ssize_t n = read(w->from, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
        return true;
    if (n > 0) {
        buf_put(&w->in, bytes, (size_t)n);
        return true;
    }
    close(w->from);
    w->from = -1;
    while (waitpid(w->pid, &w->status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
    return !WIFSIGNALED(w->status) || err_set(e, "a worker process was ended by signal %d", WTERMSIG(w->status));
}

static bool collect(struct worker *w, unsigned n, size_t left, jobs_take *take, void *ctx, struct err *e)
{
    struct pollfd fds[JOBS_PROCESSES_MAX];
    while (left) {
        unsigned open = 0;
        for (unsigned i = 0; i < n; i++) {
            fds[i] = (struct pollfd){.fd = w[i].from, .events = POLLIN};
            open += w[i].from >= 0;
        }
        if (!open)
            return err_set(e, "a worker process ended before its work was done");
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            return err_set(e, "poll: %s", strerror(errno));
        for (unsigned i = 0; i < n; i++)
            if (w[i].from >= 0 && fds[i].revents && (!read_some(&w[i], e) || !take_messages(&w[i], &left, take, ctx, e)))
                return false;
    }
    return true;
}

static bool run_here(size_t jobs, jobs_do *work, jobs_take *take, void *ctx, struct err *e)
{
    for (size_t job = 0; job < jobs; job++) {
        struct jobs_out out = {.job = job, .take = take, .ctx = ctx, .fd = -1};
        if (!work(ctx, job, &out, e))
            return false;
        if (out.broken)
            return err_set(e, "job %zu gave what is no result", job);
    }
    return true;
}

/* The pipe with the numbers of all jobs: it holds them (pipe(7): 65,536 bytes). */
static bool write_numbers(int numbers[2], size_t jobs, struct err *e)
{
    _Static_assert(JOBS_MAX * sizeof(uint32_t) <= 65536, "they fit");
    if (pipe(numbers))
        return err_set(e, "pipe: %s", strerror(errno));
    for (uint32_t job = 0; job < jobs; job++)
        if (write(numbers[1], &job, sizeof job) != sizeof job) {
            close(numbers[0]);
            close(numbers[1]);
            return err_set(e, "pipe: %s", strerror(errno));
        }
    close(numbers[1]);
    return true;
}

bool jobs_run(size_t jobs, unsigned processes, jobs_do *work, jobs_take *take, void *ctx, struct err *e)
{
    struct worker w[JOBS_PROCESSES_MAX] = {0};
    int numbers[2];
    unsigned n = 0;
    bool ok = true;
    if (jobs > JOBS_MAX)
        return err_set(e, "%zu jobs are more than %d", jobs, JOBS_MAX);
    if (!processes)
        processes = cores();
    if (processes > JOBS_PROCESSES_MAX)
        processes = JOBS_PROCESSES_MAX;
    if (processes > jobs)
        processes = (unsigned)jobs;
    if (processes <= 1)
        return run_here(jobs, work, take, ctx, e);
    if (!write_numbers(numbers, jobs, e))
        return false;
    fflush(NULL); /* or each worker would have a copy of what is not written yet */
    while (ok && n < processes) {
        ok = start(w, n, numbers[0], work, ctx, e);
        n += ok;
    }
    close(numbers[0]);
    ok = ok && collect(w, n, jobs, take, ctx, e);
    for (unsigned i = 0; i < n; i++) {
        if (!ok && w[i].pid)
            kill(w[i].pid, SIGKILL);
        if (w[i].from >= 0)
            close(w[i].from);
        while (w[i].pid && waitpid(w[i].pid, NULL, 0) < 0 && errno == EINTR)
            ;
        buf_free(&w[i].in);
    }
    return ok;
}
