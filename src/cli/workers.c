#include "cli/workers.h"
#include "cli/session.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH    65536 /* bytes collected before they are sent */
#define PROGRESS 0.2   /* seconds between two lines of it */
#define JOBS_MAX 256

/* ---- the process that works: cases as records with their length before them ------------------------------------------------ */

struct sender {
    int fd;
    struct buf out, one;
    bool failed;
};

static void flush(struct sender *w)
{
    for (size_t at = 0; at < w->out.len && !w->failed;) {
        ssize_t n = write(w->fd, w->out.data + at, w->out.len - at);
        if (n > 0)
            at += (size_t)n;
        else if (errno != EINTR)
            w->failed = true;
    }
    w->out.len = 0;
}

static bool send_case(void *ctx, const struct sweep_case *c)
{
    struct sender *w = ctx;
    w->one.len = 0;
    sweep_case_put(&w->one, c);
    buf_put_u32(&w->out, (uint32_t)w->one.len);
    buf_put(&w->out, w->one.data, w->one.len);
    if (w->out.len > BATCH)
        flush(w);
    return !w->failed;
}

_Noreturn static void work(struct sweep *s, uint64_t first, uint64_t step, int fd)
{
    struct sender w = {.fd = fd};
    sweep_run(s, first, step, send_case, &w);
    flush(&w);
    _exit(w.failed ? 1 : 0); /* what stdio holds is the parent's */
}

/* ---- the process that waits ---------------------------------------------------------------------------------------------------
 */

struct worker {
    pid_t pid;
    int fd;
    struct buf in; /* not yet a whole record */
};

struct progress {
    uint64_t done, total, failed;
    double told;
    bool on;
};

static void progress(struct progress *p, const struct sweep_case *c)
{
    p->done += c->nested == SWEEP_NONE;
    p->failed += c->verdict > SWEEP_SAME;
    double now = p->on ? session_clock() : 0;
    if (!p->on || now - p->told < PROGRESS)
        return;
    p->told = now;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " cases, %" PRIu64 " failing ", p->done, p->total, p->failed);
    fflush(stderr);
}

/* Adds the whole records in w->in. False: they are none. */
static bool take_records(struct worker *w, struct sweep_result *r, struct progress *p)
{
    size_t at = 0;
    while (w->in.len - at >= 4) {
        struct cursor c = {.p = w->in.data + at, .left = w->in.len - at};
        struct sweep_case k;
        uint32_t n = cur_u32(&c);
        if (c.left < n)
            break;
        c.left = n;
        if (!sweep_case_get(&c, &k))
            return false;
        sweep_result_add(r, &k);
        progress(p, &k);
        free(k.detail);
        at += 4 + n;
    }
    memmove(w->in.data, w->in.data + at, w->in.len - at);
    w->in.len -= at;
    return true;
}

static bool read_some(struct worker *w, struct sweep_result *r, struct progress *p)
{
    uint8_t chunk[16384];
    ssize_t n = read(w->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
        return true;
    if (n > 0) {
        buf_put(&w->in, chunk, (size_t)n);
        return take_records(w, r, p);
    }
    close(w->fd);
    w->fd = -1;
    return n == 0 && !w->in.len;
}

static bool collect(struct worker *w, unsigned jobs, struct sweep_result *r, struct progress *p)
{
    struct pollfd fd[JOBS_MAX];
    for (;;) {
        nfds_t n = 0;
        for (unsigned i = 0; i < jobs; i++)
            if (w[i].fd >= 0)
                fd[n++] = (struct pollfd){.fd = w[i].fd, .events = POLLIN};
        if (!n)
            return true;
        if (poll(fd, n, -1) < 0 && errno != EINTR)
            return false;
        for (unsigned i = 0, k = 0; i < jobs; i++)
            if (w[i].fd >= 0 && (fd[k++].revents & (POLLIN | POLLHUP | POLLERR)) && !read_some(&w[i], r, p))
                return false;
    }
}

static bool start(struct worker *w, unsigned i, unsigned jobs, struct sweep *s, uint64_t first, uint64_t step, struct err *e)
{
    int fd[2];
    if (pipe(fd))
        return err_set(e, "a worker could not be started: %s", strerror(errno));
    w[i].pid = fork();
    if (w[i].pid < 0) {
        close(fd[0]);
        close(fd[1]);
        return err_set(e, "a worker could not be started: %s", strerror(errno));
    }
    if (!w[i].pid) {
        close(fd[0]);
        work(s, first + i * step, step * jobs, fd[1]);
    }
    close(fd[1]);
    w[i].fd = fd[0];
    return true;
}

/* Waits for those that were started. */
static bool finish(struct worker *w, unsigned started, bool ok, struct err *e)
{
    for (unsigned i = 0; i < started; i++) {
        int status = 0;
        if (w[i].fd >= 0)
            close(w[i].fd); /* it ends when it can send no more */
        while (waitpid(w[i].pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (ok && WIFSIGNALED(status))
            ok = err_set(e, "a worker was ended by signal %d", WTERMSIG(status));
        else if (ok && WEXITSTATUS(status))
            ok = err_set(e, "a worker ended with status %d", WEXITSTATUS(status));
        buf_free(&w[i].in);
    }
    return ok;
}

struct here {
    struct sweep_result *r;
    struct progress *p;
};

static bool add_case(void *ctx, const struct sweep_case *c)
{
    struct here *h = ctx;
    sweep_result_add(h->r, c);
    progress(h->p, c);
    return true;
}

bool workers_run(struct sweep *s, uint64_t first, uint64_t step, unsigned jobs, uint64_t total, struct sweep_result *r,
                 struct err *e)
{
    struct worker w[JOBS_MAX] = {0};
    struct progress p = {.total = total, .on = isatty(STDERR_FILENO)};
    unsigned started = 0;
    bool ok = true;
    jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs > total ? (unsigned)total : jobs;
    if (jobs <= 1) {
        sweep_run(s, first, step, add_case, &(struct here){r, &p});
    } else {
        fflush(stdout);
        while (ok && started < jobs) {
            ok = start(w, started, jobs, s, first, step, e);
            started += ok;
        }
        if (ok && !collect(w, jobs, r, &p))
            ok = err_set(e, "a worker sent what is no case");
        ok = finish(w, started, ok, e);
    }
    if (p.on)
        fprintf(stderr, "\r%*s\r", 60, "");
    return ok;
}
