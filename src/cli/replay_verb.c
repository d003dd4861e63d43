/* `trapline replay`: one trace, or a folder of them in parallel, with a verdict each. */
#include "cli/cli.h"
#include "cli/golden.h"
#include "cli/jobs.h"
#include "cli/options.h"
#include "cli/replay.h"
#include "base/bits.h"
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <time.h>

enum { OPT_JUNIT = 0x400, OPT_IMAGE, OPT_RECORDED, OPT_GOLDEN, OPT_EXPLAIN, OPT_JSON };

static const struct argp_option table[] = {
    {"jobs", 'j', "N", 0, "traces replayed at the same time (one a core)", 0},
    {"junit", OPT_JUNIT, "FILE", 0, "write the verdicts as JUnit XML", 0},
    {"image", OPT_IMAGE, "ROLE=FILE", 0, "take this file for the bios, kernel, initrd, dtb, state or drive0 of the recording", 0},
    {"recorded-images", OPT_RECORDED, 0, 0,
     "run the images that are in the trace, even where the files of their names have changed", 0},
    {"golden", OPT_GOLDEN, 0, 0, "every file must be a golden text; without this, a file's first line tells what it is", 0},
    {"explain", OPT_EXPLAIN, "N|all|KEY[=VALUE],...", 0,
     "why a trap happened and why it went where it did: the N-th one, or all that match, as `trapline run --explain`", 0},
    {"json", OPT_JSON, 0, 0, "explanations as JSON, an object a line", 0},
    {"quiet", 'q', 0, 0, "print nothing but what differs", 0},
    {0}};

struct verdict {
    char *path;
    enum { VERDICT_SAME, VERDICT_DIVERGED, VERDICT_ERROR } kind;
    double seconds;
    struct buf notes, summary, text, explained;
};
struct replaying {
    struct verdict *list;
    size_t count;
    const char *junit, *image[REPLAY_IMAGES];
    unsigned images, jobs;
    bool recorded_images, golden, quiet, folder, json;
    struct why why;
};

/* ---- what to replay ---------------------------------------------------------------------------------------------------------
 */

static void add(struct replaying *r, const char *path)
{
    r->list = realloc(r->list, (r->count + 1) * sizeof *r->list);
    char *copy = strdup(path);
    if (!r->list || !copy)
        abort(); /* out of host memory: nothing sensible can go on */
    r->list[r->count++] = (struct verdict){.path = copy};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct verdict *)a)->path, ((const struct verdict *)b)->path);
}

static bool is_trace(const char *path)
{
    char head[TRACEFILE_MAGIC_LEN] = {0};
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;
    if (f)
        fclose(f);
    return tracefile_is(head, n) || golden_is(path);
}

static bool add_folder(struct replaying *r, const char *path, struct err *e)
{
    DIR *d = opendir(path);
    if (!d)
        return err_set(e, "%s: %s", path, strerror(errno));
    size_t before = r->count;
    for (struct dirent *k; (k = readdir(d));) {
        char full[4096];
        struct stat st;
        snprintf(full, sizeof full, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", k->d_name);
        if (*k->d_name != '.' && !stat(full, &st) && S_ISREG(st.st_mode) && is_trace(full))
            add(r, full);
    }
    closedir(d);
    r->folder = true;
    qsort(r->list + before, r->count - before, sizeof *r->list, by_name);
    return r->count > before || err_set(e, "%s holds no traces", path);
}

static bool add_argument(struct replaying *r, const char *path, struct err *e)
{
    struct stat st;
    if (!*path)
        return err_set(e, "replay: the name of a trace is empty");
    if (!stat(path, &st) && S_ISDIR(st.st_mode))
        return add_folder(r, path, e);
    add(r, path);
    return true;
}

/* ---- options --------------------------------------------------------------------------------------------------------------- */

static bool parse_one(struct replaying *r, int key, char *arg, struct err *e)
{
    uint64_t n;
    switch (key) {
    case OPT_JUNIT: r->junit = arg; return *arg || err_set(e, "--junit: the name of the file is empty");
    case OPT_RECORDED: return r->recorded_images = true;
    case OPT_GOLDEN: return r->golden = true;
    case OPT_EXPLAIN: return why_parse(&r->why, arg, e);
    case OPT_JSON: return r->json = true;
    case 'q': return r->quiet = true;
    case 'j':
        if (!options_count("-j", arg, &n, e))
            return false;
        r->jobs = n > 1024 ? 1024 : (unsigned)n;
        return n || err_set(e, "-j 0: at least one trace is replayed at a time");
    case OPT_IMAGE:
        if (r->images == REPLAY_IMAGES || !strchr(arg, '=') || !strchr(arg, '=')[1])
            return err_set(e, "--image '%s': write ROLE=FILE, as in kernel=new.elf", arg);
        r->image[r->images++] = arg;
        return true;
    default: return add_argument(r, arg, e);
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct err e;
    if (key != ARGP_KEY_ARG && key != 'q' && key != 'j' && (key < OPT_JUNIT || key > OPT_JSON))
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(state->input, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "TRACE|FOLDER...",
    .doc = "Run traces of `trapline record` again and check that nothing differs: traps, states, the end, what the guest prints. "
           "At the first difference the run ends, and what differs is told. The images are the files of the recording's names, "
           "or, where those are not there, what the trace holds.\v"
           "Exit status: 0 when nothing differs, 1 when something does, 2 when a trace cannot be replayed.\n\n"
           "Examples:\n"
           "  trapline replay boot.trace\n"
           "  trapline replay tests/golden/ --junit replay.xml\n"
           "  trapline replay s1.trace --image kernel=fixed.elf\n"
           "  trapline replay s1.trace --explain 12\n",
};

/* ---- running --------------------------------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* One trace, in a process of its own: u8 kind, u64 microseconds, four strings. */
static bool work(void *ctx, size_t i, struct jobs_out *to, struct err *e)
{
    struct buf result = {0}, *out = &result;
    const struct replaying *r = ctx;
    struct replay_job j = {
        .path = r->list[i].path, .recorded_images = r->recorded_images, .images = r->images, .why = &r->why, .json = r->json};
    struct err why;
    double t = now();
    (void)e;
    for (unsigned k = 0; k < r->images; k++)
        j.image[k] = r->image[k];
    bool ok = replay_job(&j, &why);
    buf_put_u8(out, (uint8_t)(!ok ? VERDICT_ERROR : j.same ? VERDICT_SAME : VERDICT_DIVERGED));
    buf_put_u64(out, (uint64_t)((now() - t) * 1e6));
    if (!ok)
        buf_printf(&j.text, "%s\n", why.text);
    struct buf *const told[] = {&j.notes, &j.summary, &j.text, &j.explained};
    for (unsigned k = 0; k < ARRAY_LEN(told); k++) {
        struct buf *b = told[k];
        buf_put_u32(out, (uint32_t)b->len);
        buf_put(out, b->data, b->len);
        buf_free(b);
    }
    jobs_put(to, result.data, result.len);
    buf_free(&result);
    return true;
}

static void get(struct cursor *c, struct buf *b)
{
    uint32_t n = cur_u32(c);
    b->len = 0;
    buf_put(b, c->p, n <= c->left ? n : c->left);
    buf_printf(b, "%s", ""); /* NUL-terminated */
    c->p += n <= c->left ? n : c->left;
    c->left -= n <= c->left ? n : c->left;
}

static bool take(void *ctx, size_t i, const void *p, size_t n)
{
    struct verdict *v = &((struct replaying *)ctx)->list[i];
    struct cursor c = {.p = p, .left = n};
    v->kind = cur_u8(&c);
    v->seconds = (double)cur_u64(&c) * 1e-6;
    get(&c, &v->notes);
    get(&c, &v->summary);
    get(&c, &v->text);
    get(&c, &v->explained);
    return !c.bad;
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

static const char *const verdict_name[] = {"same", "DIVERGED", "ERROR"};

static const char *text_of(const struct buf *b) { return b->len ? (const char *)b->data : ""; }

static void print_indented(const char *text)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        printf("    %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

static void print(const struct replaying *r)
{
    size_t width = 0;
    for (size_t i = 0; i < r->count; i++)
        width = strlen(r->list[i].path) > width ? strlen(r->list[i].path) : width;
    for (size_t i = 0; i < r->count; i++) {
        const struct verdict *v = &r->list[i];
        if (r->quiet && v->kind == VERDICT_SAME && !v->explained.len)
            continue;
        printf("%-*s  %-8s  %7.2f s  %s\n", (int)width, v->path, verdict_name[v->kind], v->seconds, text_of(&v->summary));
        print_indented(text_of(&v->notes));
        print_indented(text_of(&v->text));
        if (r->json)
            fputs(text_of(&v->explained), stdout);
        else
            print_indented(text_of(&v->explained));
    }
}

static void xml(FILE *f, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default:
            if ((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t')
                fputc(*s, f);
        }
    }
}

static void junit_case(FILE *f, const struct verdict *v)
{
    static const char *const tag[] = {NULL, "failure", "error"};
    fprintf(f, "  <testcase classname=\"replay\" name=\"");
    xml(f, v->path);
    fprintf(f, "\" time=\"%.3f\"", v->seconds);
    if (v->kind == VERDICT_SAME) {
        fprintf(f, "/>\n");
        return;
    }
    size_t first = strcspn(text_of(&v->text), "\n");
    char *line = strndup(text_of(&v->text), first);
    fprintf(f, ">\n    <%s message=\"", tag[v->kind]);
    xml(f, line ? line : "");
    fprintf(f, "\">");
    xml(f, text_of(&v->notes));
    xml(f, text_of(&v->text));
    fprintf(f, "</%s>\n  </testcase>\n", tag[v->kind]);
    free(line);
}

static bool junit(const struct replaying *r, struct err *e)
{
    size_t failures = 0, errors = 0;
    for (size_t i = 0; i < r->count; i++) {
        failures += r->list[i].kind == VERDICT_DIVERGED;
        errors += r->list[i].kind == VERDICT_ERROR;
    }
    FILE *f = fopen(r->junit, "we");
    if (!f)
        return err_set(e, "%s: %s", r->junit, strerror(errno));
    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"trapline replay\" tests=\"%zu\" failures=\"%zu\" "
            "errors=\"%zu\">\n",
            r->count, failures, errors);
    for (size_t i = 0; i < r->count; i++)
        junit_case(f, &r->list[i]);
    fprintf(f, "</testsuite>\n");
    bool bad = ferror(f) != 0;
    return (!fclose(f) && !bad) || err_set(e, "%s: %s", r->junit, strerror(errno ? errno : EIO));
}

/* Whether what is to be replayed goes with the options. */
static bool fits(const struct replaying *r, struct err *e)
{
    if (!r->count)
        return err_set(e, "replay: name a trace, or a folder of traces");
    for (size_t i = 0; i < r->count && r->golden; i++)
        if (!access(r->list[i].path, R_OK) && !golden_is(r->list[i].path))
            return err_set(e, "%s: no golden text; replay it without --golden", r->list[i].path);
    return !r->why.path || r->count == 1 ||
           err_set(e, "replay --explain file=%s: one file is for one trace, here are %zu", r->why.path, r->count);
}

static int replay_all(struct replaying *r)
{
    struct err e;
    int status = CLI_OK;
    if (!fits(r, &e))
        return cli_error(&e);
    fflush(stdout);
    if (!jobs_run(r->count, r->jobs, work, take, r, &e))
        return cli_error(&e);
    print(r);
    for (size_t i = 0; i < r->count; i++) {
        if (r->list[i].kind == VERDICT_ERROR)
            status = CLI_USER;
        else if (r->list[i].kind == VERDICT_DIVERGED && status == CLI_OK)
            status = CLI_FAILED;
    }
    return r->junit && !junit(r, &e) ? cli_error(&e) : status;
}

int verb_replay(int argc, char **argv)
{
    struct replaying r = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &r);
    int status = replay_all(&r);
    for (size_t i = 0; i < r.count; i++) {
        buf_free(&r.list[i].notes);
        buf_free(&r.list[i].summary);
        buf_free(&r.list[i].text);
        buf_free(&r.list[i].explained);
        free(r.list[i].path);
    }
    free(r.list);
    return status;
}
