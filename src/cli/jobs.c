#include "cli/jobs.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 256 };

/* What a process sends for a job; a sentence instead of the result when it failed. */
struct message {
    uint64_t job, length;
    uint64_t failed;
};

struct worker {
    pid_t pid;
    int from; /* its messages */
    struct buf got;
};

unsigned jobs_cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

static bool send_all(int fd, const void *p, size_t n)
{
    for (const char *at = p; n;) {
        ssize_t k = write(fd, at, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

/* ---- in a worker
 * ------------------------------------------------------------------------------------------------------------------ */

/* Job numbers come through one pipe that all workers read: each takes the next. */
static _Noreturn void worker_main(int jobs, int to, jobs_do *work, void *ctx)
{
    uint32_t job;
    while (read(jobs, &job, sizeof job) == sizeof job) {
        struct err e = {.text = ""};
        struct buf out = {0};
        bool ok = work(ctx, job, &out, &e);
        struct message m = {.job = job, .length = ok ? out.len : strlen(e.text), .failed = !ok};
        bool sent = send_all(to, &m, sizeof m) && send_all(to, ok ? (const void *)out.data : e.text, m.length);
        buf_free(&out);
        if (!ok || !sent)
            break;
    }
    _exit(0);
}

static bool start(struct worker *w, int jobs, const struct worker *others, unsigned n, jobs_do *work, void *ctx, struct err *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe(ends))
        return err_set(e, "pipe: %s", strerror(errno));
    w->pid = fork();
    if (w->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return err_set(e, "fork: %s", strerror(errno));
    }
    if (!w->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        for (unsigned i = 0; i < n; i++)
            close(others[i].from);
        close(ends[0]);
        worker_main(jobs, ends[1], work, ctx);
    }
    close(ends[1]);
    w->from = ends[0];
    return true;
}

/* ---- in the caller
 * ---------------------------------------------------------------------------------------------------------------- */

/* Hands on every whole message that a worker has sent. */
static bool take_messages(struct worker *w, size_t *left, jobs_done *done, void *ctx, struct err *e)
{
    struct message m;
    while (w->got.len >= sizeof m) {
        memcpy(&m, w->got.data, sizeof m);
        if (w->got.len < sizeof m + m.length)
            return true;
        if (m.failed)
            return err_set(e, "%.*s", (int)m.length, (const char *)w->got.data + sizeof m);
        done(ctx, m.job, w->got.data + sizeof m, m.length);
        --*left;
        size_t used = sizeof m + m.length;
        memmove(w->got.data, w->got.data + used, w->got.len - used);
        w->got.len -= used;
    }
    return true;
}

static bool collect(struct worker *w, unsigned n, size_t left, jobs_done *done, void *ctx, struct err *e)
{
    struct pollfd fds[PROCESSES_MAX];
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
        for (unsigned i = 0; i < n; i++) {
            char bytes[65536];
            if (w[i].from < 0 || !fds[i].revents)
                continue;
            ssize_t k = read(w[i].from, bytes, sizeof bytes);
            if (k <= 0) {
                close(w[i].from);
                w[i].from = -1;
                continue;
            }
            buf_put(&w[i].got, bytes, (size_t)k);
            if (!take_messages(&w[i], &left, done, ctx, e))
                return false;
        }
    }
    return true;
}

bool jobs_run(size_t jobs, unsigned processes, jobs_do *work, jobs_done *done, void *ctx, struct err *e)
{
    struct worker w[PROCESSES_MAX] = {0};
    int numbers[2];
    unsigned n = 0;
    if (!processes)
        processes = jobs_cores();
    if (processes > PROCESSES_MAX)
        processes = PROCESSES_MAX;
    if (processes > jobs)
        processes = (unsigned)jobs;
    if (pipe(numbers))
        return err_set(e, "pipe: %s", strerror(errno));
    /* A pipe holds at least 64 KiB: a process of its own writes the numbers, so that there may be more. */
    pid_t writer = fork();
    if (!writer) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(numbers[0]);
        for (uint32_t job = 0; job < jobs; job++)
            send_all(numbers[1], &job, sizeof job);
        _exit(0);
    }
    bool ok = writer > 0 || err_set(e, "fork: %s", strerror(errno));
    close(numbers[1]);
    while (ok && n < processes) {
        ok = start(&w[n], numbers[0], w, n, work, ctx, e);
        n += ok;
    }
    close(numbers[0]);
    ok = ok && collect(w, n, jobs, done, ctx, e);
    for (unsigned i = 0; i < n; i++) {
        if (!ok)
            kill(w[i].pid, SIGKILL);
        if (w[i].from >= 0)
            close(w[i].from);
        waitpid(w[i].pid, NULL, 0);
        buf_free(&w[i].got);
    }
    if (writer > 0) {
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
    }
    return ok;
}
