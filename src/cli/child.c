#include "cli/child.h"
#include "cli/session.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct running {
    pid_t pid;
    int out, err; /* a pipe from its stdout; a file in memory that is its stderr */
    double began;
};

static _Noreturn void become(const char *const *argv, int out, int err, pid_t parent)
{
    int in = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (in >= 0 && getppid() == parent && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(err, STDERR_FILENO) >= 0)
        execvp(argv[0], (char *const *)argv);
    dprintf(err, "%s\n", strerror(errno));
    _exit(127);
}

static bool start(struct running *r, const char *const *argv, struct err *e)
{
    int pipe_fd[2];
    pid_t parent = getpid();
    r->err = memfd_create("stderr", MFD_CLOEXEC);
    if (r->err < 0 || pipe2(pipe_fd, O_CLOEXEC))
        return err_set(e, "%s: %s", argv[0], strerror(errno));
    fflush(NULL); /* or the child would have a copy of what is not written yet */
    r->began = session_clock();
    r->pid = fork();
    if (!r->pid)
        become(argv, pipe_fd[1], r->err, parent);
    close(pipe_fd[1]);
    r->out = pipe_fd[0];
    return r->pid > 0 || err_set(e, "%s: %s", argv[0], strerror(errno));
}

enum end { END_ITSELF, END_TEXT, END_LIMIT };

/* What ends it besides itself. */
struct ending {
    const char *until;
    double grace, limit;
};

/* Reads its stdout until it ends. *when: the time of the text. */
static enum end listen_to(struct running *r, const struct ending *by, struct buf *heard, double *when)
{
    double last = r->began + by->limit;
    enum end end = END_ITSELF;
    for (;;) {
        struct pollfd p = {.fd = r->out, .events = POLLIN};
        char bytes[4096];
        double left = last - session_clock();
        int ready = left > 0 ? poll(&p, 1, left < 1000 ? (int)(left * 1000) + 1 : 1000000) : 0;
        if (left <= 0) {
            kill(r->pid, SIGKILL);
            return end == END_TEXT ? end : END_LIMIT;
        }
        ssize_t n = ready > 0 ? read(r->out, bytes, sizeof bytes) : ready < 0 && errno != EINTR ? 0 : -1;
        if (!n || (n < 0 && ready > 0 && errno != EINTR))
            return end;
        if (n > 0)
            buf_put(heard, bytes, (size_t)n);
        if (by->until && end != END_TEXT && heard->len && memmem(heard->data, heard->len, by->until, strlen(by->until))) {
            end = END_TEXT;
            *when = session_clock();
            last = *when + by->grace;
        }
    }
}

static void read_message(int fd, struct buf *b)
{
    char bytes[4096];
    ssize_t n;
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        buf_put(b, bytes, (size_t)n);
    buf_put_u8(b, '\0');
    b->len--;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec * 1e-6; }

/* The last line it wrote to stderr: its own sentence why it failed. */
static const char *last_line(struct buf *message)
{
    char *text = (char *)message->data;
    while (message->len && text[message->len - 1] == '\n')
        text[--message->len] = '\0';
    char *line = strrchr(text, '\n');
    return line ? line + 1 : *text ? text : "it said nothing";
}

static bool judge(const char *name, int status, enum end end, const char *until, struct child *c, struct err *e)
{
    if (end == END_LIMIT)
        return err_set(e, "%s took more than %.0f seconds", name, c->wall);
    if (end == END_TEXT)
        return true;
    if (WIFSIGNALED(status))
        return err_set(e, "%s was ended by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status))
        return err_set(e, "%s ended with status %d: %s", name, WEXITSTATUS(status), last_line(&c->message));
    return !until || err_set(e, "%s ended and its guest did not print '%s'", name, until);
}

static bool run(const char *const *argv, const struct ending *by, struct child *c, struct buf *heard, struct err *e)
{
    struct running r = {.pid = -1, .out = -1, .err = -1};
    struct rusage used;
    int status;
    double when = 0;
    *c = (struct child){0};
    if (!start(&r, argv, e))
        return false;
    enum end end = listen_to(&r, by, heard, &when);
    while (wait4(r.pid, &status, 0, &used) < 0 && errno == EINTR)
        ;
    c->wall = (end == END_TEXT ? when : session_clock()) - r.began;
    c->user = seconds(used.ru_utime);
    c->system = seconds(used.ru_stime);
    c->resident_kib = (double)used.ru_maxrss;
    read_message(r.err, &c->message);
    close(r.out);
    close(r.err);
    return judge(argv[0], status, end, by->until, c, e);
}

bool child_run(const char *const *argv, const char *until, double grace, double limit, struct child *c, struct err *e)
{
    struct buf heard = {0};
    struct ending by = {until, grace, limit};
    bool ok = run(argv, &by, c, &heard, e);
    buf_free(&heard);
    return ok;
}

void child_free(struct child *c) { buf_free(&c->message); }

bool child_output(const char *const *argv, double limit, struct buf *out, struct err *e)
{
    struct child c;
    struct ending by = {NULL, 0, limit};
    *out = (struct buf){0};
    bool ok = run(argv, &by, &c, out, e);
    buf_put_u8(out, '\0');
    out->len--;
    child_free(&c);
    return ok;
}
