#include "cli/diff_trace.h"
#include "cli/golden.h"
#include "cli/replay.h"
#include "debug/export/export.h"
#include "machine/trapline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

enum diff_kind diff_kind_of(const char *path)
{
    char head[TRACEFILE_MAGIC_LEN] = {0};
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    return tracefile_is(head, n) ? DIFF_TRACE : n && golden_is(path) ? DIFF_GOLDEN : DIFF_LOG;
}

/* Executes the trace again, and hands what comes of it to put. False with a sentence: also where it is another run. */
static bool execute(const char *path, const struct export_row *form, export_put_fn *put, void *ctx, struct err *e)
{
    struct replay_job j = {.path = path, .recorded_images = true};
    struct replay_result r = {0};
    struct machine *m = NULL;
    bool good = replay_prepare(&j, &m, e);
    if (good && j.changed) {
        buf_put_u8(&j.notes, 0);
        good = err_set(e, "%s: %.*s", path, (int)strcspn((char *)j.notes.data, "\n"), (char *)j.notes.data);
    }
    good = good && export_run(&j.replay, m, form, 0, UINT64_MAX, put, ctx, &r, e);
    if (good && r.verdict == REPLAY_DIVERGED)
        good = err_set(e, "%s: the run is not the recorded one any more; `trapline replay` tells where", path);
    machine_free(m);
    replay_close(&j.replay);
    buf_free(&j.notes);
    buf_free(&r.text);
    return good;
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

static void write_all(void *ctx, const void *p, size_t n)
{
    const int *fd = ctx;
    for (size_t done = 0; done < n;) {
        ssize_t got = write(*fd, (const char *)p + done, n - done);
        if (got < 0 && errno != EINTR)
            _exit(0); /* nobody reads any more */
        done += got > 0 ? (size_t)got : 0;
    }
}

static void child(const char *path, int fd)
{
    struct err e;
    signal(SIGPIPE, SIG_IGN);
    if (!execute(path, &export_steps, write_all, &fd, &e)) {
        size_t n = strlen(e.text);
        const uint8_t head[3] = {'E', (uint8_t)(n & 255), (uint8_t)(n >> 8)};
        write_all(&fd, head, sizeof head);
        write_all(&fd, e.text, n);
    }
    _exit(0);
}

bool diff_child_start(struct diff_child *c, const char *path, struct err *e)
{
    int ends[2];
    diff_child_end(c);
    if (pipe(ends))
        return err_set(e, "%s: %s", path, strerror(errno));
    fflush(NULL);
    c->pid = fork();
    if (!c->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        child(path, ends[1]);
    }
    close(ends[1]);
    c->fd = ends[0];
    if (c->pid > 0)
        return true;
    close(ends[0]);
    c->pid = 0;
    return err_set(e, "%s: %s", path, strerror(errno));
}

long diff_child_read(struct diff_child *c, void *p, size_t n, struct err *e)
{
    for (;;) {
        ssize_t got = read(c->fd, p, n);
        if (got >= 0)
            return got;
        if (errno != EINTR) {
            err_set(e, "%s", strerror(errno));
            return -1;
        }
    }
}

void diff_child_end(struct diff_child *c)
{
    if (!c->pid)
        return;
    close(c->fd);
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    c->pid = 0;
}

/* ---- traps ----------------------------------------------------------------------------------------------------------------- */

bool diff_has_instructions(const char *path)
{
    struct replay r;
    struct err e;
    bool has = replay_open(&r, path, &e) && r.setup.instructions;
    replay_close(&r);
    return has;
}

static void append(void *ctx, const void *p, size_t n) { buf_put(ctx, p, n); }

/* What is exported has a head. */
static void cut_head(struct buf *lines)
{
    static const char over[] = "\n---\n";
    buf_put_u8(lines, 0);
    const char *at = strstr((char *)lines->data, over);
    size_t head = at ? (size_t)(at - (char *)lines->data) + sizeof over - 1 : 0;
    lines->len -= head + 1;
    memmove(lines->data, lines->data + head, lines->len);
}

bool diff_golden_lines(const char *path, struct buf *lines, struct err *e)
{
    struct golden_text t;
    if (diff_kind_of(path) == DIFF_TRACE) {
        if (!execute(path, export_form_at(EXPORT_golden), append, lines, e))
            return false;
        cut_head(lines);
    } else {
        if (!golden_open(&t, path, e))
            return false;
        buf_put(lines, t.body, strlen(t.body));
        golden_close(&t);
    }
    buf_put_u8(lines, 0);
    return true;
}

/* ---- where it comes from --------------------------------------------------------------------------------------------------- */

static bool from_outside(const struct trace_event *ev) { return ev->kind == EVENT_INPUT || ev->kind == EVENT_INJECT; }

/* The next thing that came from outside; NULL: nothing more did. */
static const struct trace_event *next_outside(const struct replay *r, size_t *at)
{
    while (*at < r->events && !from_outside(&r->event[*at]))
        ++*at;
    return *at < r->events ? &r->event[(*at)++] : NULL;
}

static bool same_outside(const struct replay *a, const struct replay *b)
{
    size_t i = 0, k = 0;
    for (;;) {
        const struct trace_event *x = next_outside(a, &i), *y = next_outside(b, &k);
        if (!x || !y)
            return !x && !y;
        if (x->kind != y->kind || x->at.cycle != y->at.cycle || strcmp(x->text, y->text) || x->n != y->n ||
            (x->n && memcmp(x->bytes, y->bytes, x->n)))
            return false;
    }
}

void diff_first_instruction(const char *a, const char *b, struct buf *text)
{
    struct replay_job job[2] = {{.path = a, .recorded_images = true}, {.path = b, .recorded_images = true}};
    struct machine *m[2] = {NULL, NULL};
    struct err e;
    bool good = true;
    for (unsigned i = 0; i < 2 && good; i++)
        good = replay_prepare(&job[i], &m[i], &e) && !job[i].changed;
    if (good && same_outside(&job[0].replay, &job[1].replay) && machine_harts(m[0]) == machine_harts(m[1]) &&
        trace_schema(m[0]) == trace_schema(m[1])) {
        const struct trace_event *over = replay_end(&job[0].replay);
        replay_first_difference(&job[0].replay, m[0], m[1], over ? over->at.cycle : UINT64_MAX - 1, text);
    }
    for (unsigned i = 0; i < 2; i++) {
        machine_free(m[i]);
        replay_close(&job[i].replay);
        buf_free(&job[i].notes);
    }
}
