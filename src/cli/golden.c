#include "cli/golden.h"
#include "cli/repro.h"
#include "machine/image.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making one -------------------------------------------------------------------------------------------------------------
 */

static void tap_input(void *ctx, const char *device, const void *p, size_t n) { golden_input(ctx, device, p, n); }
static void tap_inject(void *ctx, const char *words) { golden_inject(ctx, words); }
static void tap_console(void *ctx, const void *p, size_t n) { golden_console(ctx, p, n); }

static bool prepare(struct run *run, struct err *e)
{
    struct golden_run *g = run->ctx;
    if (!trace_setup_of(&g->setup, &run->machine.config, run->load, 0, e))
        return false;
    g->golden = golden_new(run->session.m);
    run->session.tap = (struct session_tap){.ctx = g->golden, .input = tap_input, .inject = tap_inject, .console = tap_console};
    run->session.watch.also = golden_trap;
    run->session.watch.also_ctx = g->golden;
    if (!run->session.watch.why.path && !g->unexplained) {
        run->session.watch.why.told = golden_why;
        run->session.watch.why.told_ctx = g->golden;
    }
    run->session.input_eof = true; /* what is typed is no part of the command */
    return true;
}

static bool finish(struct run *run, enum session_end end, int status, struct err *e)
{
    struct golden_run *g = run->ctx;
    (void)e;
    golden_end(g->golden, run_end_name(end), status, &g->body);
    g->golden = NULL;
    return true;
}

void golden_run_init(struct golden_run *g)
{
    *g = (struct golden_run){.run.session.max_cycles = UINT64_MAX};
    g->run.prepare = prepare;
    g->run.finish = finish;
    g->run.ctx = g;
}

void golden_run_free(struct golden_run *g)
{
    struct buf rest = {0};
    if (g->golden)
        golden_end(g->golden, "nothing", 0, &rest);
    buf_free(&rest);
    buf_free(&g->body);
    run_free(&g->run);
    trace_setup_free(&g->setup);
}

bool golden_command(int argc, char *const *argv, struct buf *out, struct err *e)
{
    for (int i = 1; i < argc; i++) {
        const char *w = argv[i];
        if (strchr(w, '\n'))
            return err_set(e, "record --golden: '%s' holds a new line; write \\n", w);
        if (!strcmp(w, "--golden") || (!strncmp(w, "-o", 2) && w[2]) || !strncmp(w, "--output=", 9))
            continue;
        if (!strcmp(w, "-o") || !strcmp(w, "--output")) {
            i++;
            continue;
        }
        repro_word(out, w);
    }
    return true;
}

void golden_file(const struct golden_run *g, const char *command, struct buf *out)
{
    buf_printf(out, GOLDEN_MAGIC "\ncommand%s\n", command);
    for (unsigned i = 0; i < g->setup.images; i++)
        buf_printf(out, "image %s %016" PRIx64 " %s\n", g->setup.image[i].role, g->setup.image[i].digest, g->setup.image[i].path);
    buf_printf(out, "---\n");
    buf_put(out, g->body.data, g->body.len);
}

/* ---- reading one ------------------------------------------------------------------------------------------------------------
 */

bool golden_is(const char *path)
{
    char head[sizeof GOLDEN_MAGIC] = {0};
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, 15, f) : 0;
    if (f)
        fclose(f);
    return n == 15 && !memcmp(head, GOLDEN_MAGIC, 15);
}

/* Takes the next word off a command, in place: what repro_word wrote. False: there is none. */
static bool take_word(char **at, char **word)
{
    char *p = *at, *out;
    while (*p == ' ')
        p++;
    *word = out = p;
    if (!*p)
        return false;
    for (bool quoted = false; *p && (quoted || *p != ' '); p++) {
        if (*p == '\'')
            quoted = !quoted;
        else if (!quoted && *p == '\\' && p[1])
            *out++ = *++p;
        else
            *out++ = *p;
    }
    *at = *p ? p + 1 : p;
    *out = '\0';
    return true;
}

static void parse_command(struct golden_text *t, char *line)
{
    static char program[] = "trapline record";
    char *word;
    t->argv = calloc(strlen(line) + 3, sizeof *t->argv);
    if (!t->argv)
        abort(); /* out of host memory: nothing sensible can go on */
    t->argv[t->argc++] = program;
    while (take_word(&line, &word))
        t->argv[t->argc++] = word;
}

static bool parse_image(struct golden_text *t, const char *path, char *line, struct err *e)
{
    struct trace_image *k = &t->setup.image[t->setup.images];
    int at = 0;
    if (t->setup.images == TRACE_IMAGES || sscanf(line, "%15s %" SCNx64 " %n", k->role, &k->digest, &at) < 2 || !at || !line[at])
        return err_set(e, "%s: 'image %s' is not ROLE DIGEST FILE", path, line);
    k->path = line + at;
    t->setup.images++;
    return true;
}

static bool parse(struct golden_text *t, const char *path, struct err *e)
{
    char *line = (char *)t->bytes.data, *next;
    for (unsigned number = 1; line && *line; number++, line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (!strcmp(line, "---")) {
            t->body = next ? next : "";
            return true;
        }
        if (number == 1 && strcmp(line, GOLDEN_MAGIC))
            return err_set(e, "%s: its first line is '%.40s', this program reads '" GOLDEN_MAGIC "'", path, line);
        if (number == 1 || *line == '#' || !*line)
            continue;
        if (!strncmp(line, "command ", 8) && !t->argv)
            parse_command(t, line + 8);
        else if (!strncmp(line, "image ", 6)) {
            if (!parse_image(t, path, line + 6, e))
                return false;
        } else
            return err_set(e, "%s:%u: '%.40s' is neither command, image, # nor ---", path, number, line);
    }
    return err_set(e, "%s: it is cut off: there is no line ---", path);
}

bool golden_open(struct golden_text *t, const char *path, struct err *e)
{
    *t = (struct golden_text){0};
    if (!image_read_file(path, &t->bytes, e))
        return false;
    buf_put_u8(&t->bytes, '\0');
    bool ok = strlen((char *)t->bytes.data) + 1 == t->bytes.len || err_set(e, "%s is no golden trace: it holds a NUL byte", path);
    if (ok && parse(t, path, e))
        return true;
    golden_close(t);
    return false;
}

void golden_close(struct golden_text *t)
{
    const char *text = (const char *)t->bytes.data, *end = text + t->bytes.len;
    for (int i = 1; i < t->argc; i++)
        if (t->argv[i] < text || t->argv[i] >= end) /* options_long has made it */
            free(t->argv[i]);
    free(t->argv);
    buf_free(&t->bytes);
    trace_setup_free(&t->setup);
    *t = (struct golden_text){0};
}
