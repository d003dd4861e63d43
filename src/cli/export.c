/* `trapline export`: a recorded run in the forms of other people's tools. */
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/replay.h"
#include "debug/export/export.h"
#include "machine/machine.h"
#include "machine/output.h"
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_FORM = 0x500, OPT_CYCLES = 0x540, OPT_IMAGE };

static const struct argp_option table[] = {
#define FORM(name, timeline, steps, arch, title) {#name, OPT_FORM + EXPORT_##name, 0, 0, title, 1},
#include "debug/export/forms.def"
#undef FORM
    {"output", 'o', "FILE", 0, "write there; else on standard output", 2},
    {"cycles", OPT_CYCLES, "FIRST-LAST", 0, "only what happens in these cycles", 2},
    {"image", OPT_IMAGE, "ROLE=FILE", 0, "take this file for the bios, kernel, initrd, dtb, state or drive0 of the recording", 2},
    {0}};

struct export_args {
    const char *trace, *file, *image[REPLAY_IMAGES];
    unsigned images;
    int form; /* enum export_form; -1: none yet */
    uint64_t first, last;
};

static bool parse_cycles(struct export_args *a, const char *text, struct err *e)
{
    char first[64];
    const char *dash = strchr(text, '-');
    if (!dash || dash - text >= (long)sizeof first)
        return err_set(e, "--cycles '%s': write FIRST-LAST, as in 1e6-2e6; either may be left out", text);
    snprintf(first, sizeof first, "%.*s", (int)(dash - text), text);
    if ((*first && !options_count("--cycles", first, &a->first, e)) ||
        (dash[1] && !options_count("--cycles", dash + 1, &a->last, e)))
        return false;
    return a->first <= a->last || err_set(e, "--cycles '%s': the first one is behind the last", text);
}

static bool parse_one(struct export_args *a, int key, const char *arg, struct err *e)
{
    switch (key) {
    case 'o': a->file = arg; return *arg || err_set(e, "-o: the name of the file is empty");
    case OPT_CYCLES: return parse_cycles(a, arg, e);
    case OPT_IMAGE:
        if (a->images == REPLAY_IMAGES || !strchr(arg, '=') || !strchr(arg, '=')[1])
            return err_set(e, "--image '%s': write ROLE=FILE, as in kernel=new.elf", arg);
        a->image[a->images++] = arg;
        return true;
    case ARGP_KEY_ARG:
        if (a->trace)
            return err_set(e, "export: one trace at a time: '%s' is one too many", arg);
        a->trace = arg;
        return *arg || err_set(e, "export: the name of the trace is empty");
    default:
        if (a->form >= 0 && a->form != key - OPT_FORM)
            return err_set(e, "export: name one form, not --%s and --%s", export_form_at((unsigned)a->form)->name,
                           export_form_at((unsigned)(key - OPT_FORM))->name);
        a->form = key - OPT_FORM;
        return true;
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct err e;
    bool known = key == 'o' || key == ARGP_KEY_ARG || key == OPT_CYCLES || key == OPT_IMAGE ||
                 (key >= OPT_FORM && key < OPT_FORM + EXPORT_FORMS);
    if (!known)
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(state->input, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "TRACE --FORM [-o FILE]",
    .doc =
        "Write a run that `trapline record` recorded in the form of another tool: modes, traps, calls and nested guests over "
        "time, "
        "or every instruction with what it did. The run is executed again, with the images of the recording, and checked on the "
        "way.\v"
        "Exit status: 0; 1 if the run is not the recorded one any more (what was equal is written); 2 if it cannot be run.\n\n"
        "Examples:\n"
        "  trapline record roms/journey.elf -o j.trace\n"
        "  trapline export j.trace --html -o j.html\n"
        "  trapline export j.trace --perfetto -o j.json\n"
        "  trapline export j.trace --spike | gzip >j.log.gz\n"
        "  trapline export boot.trace --html --cycles 1.2e9-1.3e9 -o part.html\n"};

/* What is written goes out in pieces, so that a long log takes no memory. */
struct out {
    struct output *file; /* NULL: standard output */
    bool failed;
};

static void put(void *ctx, const void *p, size_t n)
{
    struct out *o = ctx;
    if (o->file)
        output_put(o->file, p, n);
    else
        o->failed |= fwrite(p, 1, n, stdout) != n;
}

/* The images must be those of the recording: others make another run. */
static bool prepare(struct export_args *a, struct replay_job *j, struct machine **m, struct err *e)
{
    j->path = a->trace;
    j->recorded_images = true;
    j->images = a->images;
    memcpy(j->image, a->image, sizeof j->image);
    if (!replay_prepare(j, m, e))
        return false;
    if (!j->changed)
        return true;
    buf_put_u8(&j->notes, 0);
    return err_set(e, "%s: %.*s", a->trace, (int)strcspn((char *)j->notes.data, "\n"), (char *)j->notes.data);
}

static int finish(struct export_args *a, const struct replay_job *j, const struct replay_result *r)
{
    if (j->replay.file.torn)
        fprintf(stderr, "trapline: %s is torn at byte %" PRIu64 "; what is before is exported\n", a->trace, j->replay.file.good);
    if (r->verdict == REPLAY_SAME)
        return CLI_OK;
    fprintf(stderr, "trapline: %s: the run is not the recorded one from cycle %" PRIu64 " on; what is before is exported\n%.*s",
            a->trace, r->at.cycle, (int)r->text.len, (char *)r->text.data);
    return CLI_FAILED;
}

static int export_trace(struct export_args *a)
{
    struct replay_job j = {0};
    struct replay_result r = {0};
    struct machine *m = NULL;
    struct err e;
    struct out out = {0};
    int status = CLI_USER;
    bool good = prepare(a, &j, &m, &e);
    if (good && a->file)
        good = (out.file = output_open(a->file, &e)) != NULL;
    if (good)
        good = export_run(&j.replay, m, export_form_at((unsigned)a->form), a->first, a->last, put, &out, &r, &e);
    if (good)
        status = finish(a, &j, &r);
    if (out.file && !good)
        output_drop(out.file);
    else if (out.file)
        good = output_close(out.file, &e);
    machine_free(m);
    replay_close(&j.replay);
    buf_free(&j.notes);
    buf_free(&r.text);
    return good ? status : cli_error(&e);
}

int verb_export(int argc, char **argv)
{
    struct export_args a = {.form = -1, .last = UINT64_MAX};
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!a.trace)
        return cli_errorf("export: name the trace, which `trapline record` writes");
    if (a.form < 0)
        return cli_errorf("export: name a form: --html, --perfetto, --csv, ...; `trapline export --help` lists them");
    return export_trace(&a);
}
