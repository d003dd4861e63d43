/* `trapline replay`: runs recorded traces again. */
#include "cli/cli.h"
#include "cli/golden.h"
#include "cli/replay.h"
#include "base/hash.h"
#include "debug/explain.h"
#include "machine/image.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- images --------------------------------------------------------------------------------------------------------------- */

/* The bytes as a file of this process. It lives as long as the process does. NULL: the host has none to give. */
static const char *as_file(const struct buf *b, char path[64])
{
    int fd = memfd_create("trapline image", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < b->len) {
        ssize_t n = write(fd, b->data + done, b->len - done);
        if (n < 0 && errno != EINTR)
            return NULL;
        done += n > 0 ? (size_t)n : 0;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd < 0 ? NULL : path;
}

static bool use_inside(struct replay_job *j, unsigned i, struct trace_setup *to, struct err *e)
{
    struct buf b = {0};
    char path[64];
    bool ok = replay_image(&j->replay, i, &b, e);
    if (ok && !as_file(&b, path))
        ok = err_set(e, "%s: %s", j->replay.setup.image[i].path, strerror(errno));
    if (ok)
        trace_setup_use(to, i, path);
    buf_free(&b);
    return ok;
}

/* Chooses where image i comes from: the file of its name, if it is there; else the trace. */
static bool find_image(struct replay_job *j, unsigned i, struct err *e)
{
    struct trace_image *k = &j->replay.setup.image[i];
    struct buf b;
    bool there = !(j->recorded_images && k->inside) && image_read_file(k->path, &b, NULL);
    uint64_t digest = there ? hash_bytes(b.data, b.len) : 0;
    if (there)
        buf_free(&b);
    if (!there && k->inside)
        return use_inside(j, i, &j->replay.setup, e);
    if (!there)
        return err_set(e,
                       "%s: %s (%s, %" PRIu64 " bytes, digest %016" PRIx64 ") is not in the trace and cannot be read; "
                       "give its file with --image %s=FILE",
                       j->path, k->path, k->role, k->size, k->digest, k->role);
    if (digest != k->digest) {
        j->changed = true;
        buf_printf(&j->notes, "image digest differs: %s is %016" PRIx64 ", recorded was %016" PRIx64 "%s\n", k->path, digest,
                   k->digest, k->inside ? " (--recorded-images runs that)" : "");
    }
    trace_setup_use(&j->replay.setup, i, k->path);
    return true;
}

/* Whether --image number n says what file this image is. */
static bool is_for(const struct replay_job *j, unsigned n, const struct trace_image *k)
{
    size_t len = strcspn(j->image[n], "=");
    return strlen(k->role) == len && !memcmp(j->image[n], k->role, len);
}

static void replace(struct replay_job *j, unsigned i)
{
    struct trace_image *k = &j->replay.setup.image[i];
    for (unsigned n = 0; n < j->images; n++)
        if (is_for(j, n, k)) {
            k->path = strchr(j->image[n], '=') + 1;
            k->inside = false;
            return;
        }
}

/* Whether the recording has every role of --image. Else a sentence with those it has: a role nobody has would change nothing, and
   the replay of what was to be tested would pass. */
static bool roles_exist(const struct replay_job *j, const struct trace_setup *s, struct err *e)
{
    for (unsigned n = 0; n < j->images; n++) {
        char roles[256] = "";
        bool found = false;
        for (unsigned i = 0; i < s->images; i++) {
            size_t at = strlen(roles);
            snprintf(roles + at, sizeof roles - at, "%s%s", at ? ", " : "", s->image[i].role);
            found |= is_for(j, n, &s->image[i]);
        }
        if (!found)
            return err_set(e, "%s: --image %s: the recording has no such image, but %s", j->path, j->image[n],
                           *roles ? roles : "none at all");
    }
    return true;
}

static struct machine *make(const struct trace_setup *s, struct err *e)
{
    struct machine *m = machine_new(&s->config, e);
    const char *state = trace_setup_state(s);
    if (m && state && !machine_load(m, state, e)) {
        machine_free(m);
        return NULL;
    }
    return m;
}

/* ---- one binary trace ------------------------------------------------------------------------------------------------------ */

bool replay_prepare(struct replay_job *j, struct machine **m, struct err *e)
{
    if (!replay_open(&j->replay, j->path, e))
        return false;
    if (!roles_exist(j, &j->replay.setup, e))
        return false;
    for (unsigned i = 0; i < j->replay.setup.images; i++) {
        replace(j, i);
        if (!find_image(j, i, e))
            return false;
    }
    struct err why;
    *m = make(&j->replay.setup, &why);
    return *m || err_set(e, "%s: %s", j->path, why.text);
}

/* The machine of the recording, if all of its images are inside. NULL: they are not. */
static struct machine *recorded_machine(const struct replay_job *j)
{
    struct replay_job again = {.path = j->path, .recorded_images = true};
    struct machine *m = NULL;
    struct err e;
    bool ok = replay_open(&again.replay, j->path, &e);
    for (unsigned i = 0; ok && i < again.replay.setup.images; i++)
        ok = again.replay.setup.image[i].inside && use_inside(&again, i, &again.replay.setup, &e);
    if (ok)
        m = make(&again.replay.setup, &e);
    replay_close(&again.replay);
    buf_free(&again.notes);
    return m;
}

/* ---- why the trap that differs happened: the run is done once more, and followed a boundary behind --------------------------
 */

struct why_here {
    struct explain_follower *follower;
    uint64_t left; /* traps until it */
    struct buf *text;
};

static void why_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct why_here *w = ctx;
    (void)m;
    if (!w->left || --w->left)
        return;
    struct explanation *e = explain_follow_trap(w->follower, c);
    char *text = explain_text(e, 0, false);
    buf_printf(w->text, "  why it happens here:\n");
    for (char *line = text, *next; *line; line = next) {
        size_t n = strcspn(line, "\n");
        buf_printf(w->text, "    %.*s\n", (int)n, line);
        next = line + n + (line[n] == '\n');
    }
    free(text);
    explain_free(e);
}

static void why_event(void *ctx, struct machine *m, const struct trace_event *ev)
{
    (void)ev;
    explain_follow_sync(((struct why_here *)ctx)->follower, m);
}

static void why_trap(struct replay_job *j, struct replay_result *out)
{
    struct err e;
    struct replay_result again = {0};
    struct machine *m = out->at_trap ? make(&j->replay.setup, &e) : NULL;
    if (!m)
        return;
    struct why_here w = {explain_follow(m), out->traps, &out->text};
    const struct replay_tap tap = {.ctx = &w, .change = why_change, .event = why_event};
    j->replay.tap = &tap;
    replay_run(&j->replay, m, !j->changed, &again, &e);
    j->replay.tap = NULL;
    explain_follow_free(w.follower);
    buf_free(&again.text);
    machine_free(m);
}

static void explain(struct replay_job *j, struct replay_result *out)
{
    why_trap(j, out);
    struct machine *was = j->changed ? recorded_machine(j) : NULL;
    struct err e;
    if (!was)
        return;
    struct machine *is = make(&j->replay.setup, &e);
    if (is)
        replay_first_difference(&j->replay, was, is, out->at.cycle, &out->text);
    machine_free(is);
    machine_free(was);
}

/* ---- explanations that were asked for ---------------------------------------------------------------------------------------
 */

/* A stream into j->explained, until it is closed. */
struct explaining {
    struct why why;
    char *text;
    size_t n;
};

static bool explaining_begin(const struct replay_job *j, struct explaining *x, struct err *e)
{
    *x = (struct explaining){.why = *j->why};
    x->why.json = j->json;
    x->why.to = open_memstream(&x->text, &x->n);
    return x->why.to || err_set(e, "%s", strerror(errno));
}

static bool explaining_end(struct replay_job *j, struct explaining *x, struct err *e)
{
    if (!x->why.to)
        return true;
    fclose(x->why.to);
    buf_put(&j->explained, x->text, x->n);
    free(x->text);
    return why_end(&x->why, e);
}

static void explain_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    why_feed(&((struct explaining *)ctx)->why, m, c);
}

static void explain_event(void *ctx, struct machine *m, const struct trace_event *ev)
{
    (void)ev;
    why_sync(&((struct explaining *)ctx)->why, m);
}

static bool run_explained(struct replay_job *j, struct machine *m, struct replay_result *out, struct err *e)
{
    struct explaining x;
    const struct replay_tap tap = {.ctx = &x, .change = explain_change, .event = explain_event};
    bool ok = explaining_begin(j, &x, e) && why_start(&x.why, m, e);
    j->replay.tap = &tap;
    ok = ok && replay_run(&j->replay, m, !j->changed, out, e);
    j->replay.tap = NULL;
    return explaining_end(j, &x, ok ? e : NULL) && ok;
}

static bool replay_binary(struct replay_job *j, struct err *e)
{
    struct machine *m = NULL;
    struct replay_result out = {0};
    bool ok = replay_prepare(j, &m, e);
    if (ok)
        ok = j->why->on ? run_explained(j, m, &out, e) : replay_run(&j->replay, m, !j->changed, &out, e);
    machine_free(m);
    if (ok && out.verdict == REPLAY_DIVERGED)
        explain(j, &out);
    if (ok) {
        j->same = out.verdict == REPLAY_SAME;
        j->instret = out.instret;
        if (j->replay.file.torn)
            buf_printf(&j->notes, "the trace is torn at byte %" PRIu64 "; it was replayed up to there\n", j->replay.file.good);
        buf_printf(&j->summary, "%" PRIu64 " instructions, %" PRIu64 " traps, %" PRIu64 " digests", out.instret, out.traps,
                   out.digests);
        if (out.text.len)
            buf_put(&j->text, out.text.data, out.text.len);
    }
    buf_free(&out.text);
    replay_close(&j->replay);
    return ok;
}

/* ---- one golden trace ------------------------------------------------------------------------------------------------------ */

static void note_images(struct replay_job *j, const struct trace_setup *was, const struct trace_setup *is)
{
    for (unsigned i = 0; i < was->images; i++)
        for (unsigned k = 0; k < is->images; k++)
            if (!strcmp(was->image[i].role, is->image[k].role) && was->image[i].digest != is->image[k].digest)
                buf_printf(&j->notes, "image digest differs: %s is %016" PRIx64 ", recorded was %016" PRIx64 "\n",
                           is->image[k].path, is->image[k].digest, was->image[i].digest);
}

/* The image that the command names becomes another file: every word that is its path, or ends with it as in drives' file=PATH. */
static bool put_image(struct golden_text *t, const struct trace_image *k, const char *file)
{
    bool found = false;
    size_t n = strlen(k->path);
    for (int i = 1; i < t->argc; i++) {
        const char *word = t->argv[i], *at = strstr(word, k->path);
        char *other;
        if (!at || (at > word && at[-1] != '=') || (at[n] && at[n] != ','))
            continue;
        if (asprintf(&other, "%.*s%s%s", (int)(at - word), word, file, at + n) < 0)
            abort();        /* out of host memory: nothing sensible can go on */
        t->argv[i] = other; /* golden_close frees what is not of the text */
        found = true;
    }
    return found;
}

static bool put_images(const struct replay_job *j, struct golden_text *t, struct err *e)
{
    if (!roles_exist(j, &t->setup, e))
        return false;
    for (unsigned n = 0; n < j->images; n++) {
        bool found = false;
        for (unsigned i = 0; i < t->setup.images; i++)
            if (is_for(j, n, &t->setup.image[i]))
                found |= put_image(t, &t->setup.image[i], strchr(j->image[n], '=') + 1);
        if (!found)
            return err_set(e, "%s: --image %s: its command names no such image", j->path, j->image[n]);
    }
    return true;
}

/* Whether a golden text holds explanations: one that does not, is compared without, whatever its command says. */
static bool holds_explanations(const char *body) { return !strncmp(body, "? ", 2) || strstr(body, "\n? "); }

/* Explanations of a golden trace's run, for the one who replays it. */
static bool golden_explains(struct replay_job *j, struct golden_run *g, struct explaining *x, struct err *e)
{
    struct why *w = &g->run.session.watch.why;
    if (w->on)
        return err_set(e, "%s: its command has --explain of its own", j->path);
    if (!explaining_begin(j, x, e))
        return false;
    *w = x->why;
    g->unexplained = true;
    return true;
}

static bool replay_golden(struct replay_job *j, struct err *e)
{
    struct explaining x = {0};
    struct golden_text t;
    struct golden_run g;
    struct err why;
    if (j->recorded_images)
        return err_set(e, "%s: a golden trace holds no images: --recorded-images is for binary ones", j->path);
    if (!golden_open(&t, j->path, e))
        return false;
    if (!t.argv) {
        golden_close(&t);
        return err_set(e, "%s: it has no line 'command ...'", j->path);
    }
    if (!put_images(j, &t, e)) {
        golden_close(&t);
        return false;
    }
    golden_run_init(&g);
    g.run.quiet = true;
    options_long(t.argc, t.argv, &run_argp);
    bool ok = !argp_parse(&run_argp, t.argc, t.argv, ARGP_NO_EXIT | ARGP_SILENT, NULL, &g.run) ||
              err_set(e, "%s: its command has options this program does not know", j->path);
    g.unexplained = !holds_explanations(t.body);
    if (ok && j->why->on)
        ok = golden_explains(j, &g, &x, e);
    if (ok && !run_start(&g.run, &why))
        ok = err_set(e, "%s: %s", j->path, why.text);
    if (ok) {
        run_go(&g.run);
        note_images(j, &t.setup, &g.setup);
        buf_printf(&g.body, "%s", ""); /* a NUL behind it */
        j->same = golden_compare(t.body, (const char *)g.body.data, NULL, &j->text);
        j->instret = machine_instret(g.run.session.m);
        buf_printf(&j->summary, "%" PRIu64 " instructions, golden", j->instret);
    }
    golden_run_free(&g);
    golden_close(&t);
    x.why.out = NULL; /* the run's own has closed it */
    return explaining_end(j, &x, ok ? e : NULL) && ok;
}

bool replay_job(struct replay_job *j, struct err *e) { return golden_is(j->path) ? replay_golden(j, e) : replay_binary(j, e); }
