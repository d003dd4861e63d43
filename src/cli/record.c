/* `trapline record`: trapline run, into a trace. */
#include "cli/cli.h"
#include "cli/golden.h"
#include "cli/run.h"
#include "debug/record.h"
#include "machine/output.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_NO_TRAPS = 0x300, OPT_DIGEST_EVERY, OPT_EMBED, OPT_INSTRUCTIONS, OPT_GOLDEN };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Recording:", 6},
    {"output", 'o', "FILE", 0, "write the trace there", 6},
    {"golden", OPT_GOLDEN, 0, 0,
     "write text, trap by trap, for review and for tests; on standard output without -o. Nothing is typed but by --input, "
     "--expect and --script",
     6},
    {"no-traps", OPT_NO_TRAPS, 0, 0, "leave out traps and returns: only what came from outside, and digests", 6},
    {"instructions", OPT_INSTRUCTIONS, 0, 0,
     "record every instruction, with what it writes to registers and memory, too: up to some bytes each", 6},
    {"digest-every", OPT_DIGEST_EVERY, "N", 0, "instructions between two digests of the state (1000M)", 6},
    {"embed", OPT_EMBED, "SIZE", 0, "put images of up to this size into the trace, so that it replays anywhere (8M)", 6},
    {0}};

struct recording {
    struct run *run; /* the one that is used: own, or golden's */
    struct run own;
    struct golden_run golden_run;
    const char *file;
    bool golden, no_traps, instructions;
    uint64_t every, embed;
    struct trace_setup setup;
    struct recorder *recorder;
};

static bool parse_one(struct recording *r, int key, const char *arg, struct err *e)
{
    struct err why;
    switch (key) {
    case 'o': r->file = arg; return *arg || err_set(e, "-o: the name of the file is empty");
    case OPT_GOLDEN: return r->golden = true;
    case OPT_NO_TRAPS: return r->no_traps = true;
    case OPT_INSTRUCTIONS: return r->instructions = true;
    case OPT_DIGEST_EVERY:
        return options_count("--digest-every", arg, &r->every, e) &&
               (r->every || err_set(e, "--digest-every 0: digests are at least 1 instruction apart"));
    default: return options_size(arg, 1, &r->embed, &why) || err_set(e, "--embed %s: %s", arg, why.text);
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct recording *r = state->input;
    struct err e;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = r->run;
        return 0;
    }
    if (key != 'o' && (key < OPT_NO_TRAPS || key > OPT_GOLDEN))
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(r, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

static const struct argp_child children[] = {{&run_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "[IMAGE] -o FILE",
    .children = children,
    .doc =
        "Run an image as `trapline run` does, and record the run in a trace: its configuration, what came from outside, traps, "
        "and digests of the state. `trapline replay FILE` runs it again, anywhere, and tells where it differs.\v"
        "The trace is written while the run goes on; if that is cut off, it can be read up to there.\n\n"
        "Exit status: as of `trapline run`.\n\n"
        "Examples:\n"
        "  trapline record -o boot.trace -kernel linux -append console=ttyS0 --exit-on 'login:'\n"
        "  trapline record -o s1.trace rom.elf --inject 'lcofi@main_loop#3'\n",
};

static void tap_input(void *ctx, const char *device, const void *p, size_t n) { record_input(ctx, device, p, n); }
static void tap_inject(void *ctx, const char *words) { record_inject(ctx, words); }
static void tap_console(void *ctx, const void *p, size_t n) { record_console(ctx, p, n); }
static void tap_tick(void *ctx) { record_tick(ctx); }

static bool prepare(struct run *run, struct err *e)
{
    struct recording *r = run->ctx;
    if (!trace_setup_of(&r->setup, &run->machine.config, run->load, r->embed, e))
        return false;
    r->no_traps &= !r->instructions; /* traps tell which instructions did not retire */
    r->setup.traps = !r->no_traps;
    r->setup.instructions = r->instructions;
    r->recorder = record_new(r->file, run->session.m, &r->setup, r->every, e);
    if (!r->recorder)
        return false;
    run->session.tap = (struct session_tap){r->recorder, tap_input, tap_inject, tap_console, tap_tick};
    if (!r->no_traps) {
        run->session.watch.also = record_trap;
        run->session.watch.also_ctx = r->recorder;
    }
    return true;
}

static bool finish(struct run *run, enum session_end end, int status, struct err *e)
{
    struct recording *r = run->ctx;
    struct recorder *recorder = r->recorder;
    r->recorder = NULL;
    return record_end(recorder, run_end_name(end), status, e);
}

static int record_binary(struct recording *r)
{
    struct err e;
    int status;
    if (!r->file)
        return cli_errorf("record: name the file for the trace: -o FILE");
    if (!strcmp(r->file, "-"))
        return cli_errorf("record: -o -: a trace is binary: name a file (./- is one called -); --golden writes text");
    if (!run_start(r->run, &e))
        status = cli_error(&e);
    else
        status = run_go(r->run);
    if (r->recorder) { /* something else could not begin */
        record_end(r->recorder, "nothing", status, NULL);
        unlink(r->file);
    }
    return status;
}

static int record_golden(struct recording *r, const char *command)
{
    struct buf file = {0};
    struct err e;
    if (r->file && !strcmp(r->file, "-"))
        r->file = NULL;
    r->run->quiet = !r->file; /* standard output is the trace's */
    if ((r->file && !output_possible(r->file, &e)) || !run_start(r->run, &e))
        return cli_error(&e);
    int status = run_go(r->run);
    golden_file(&r->golden_run, command, &file);
    struct output *o = r->file ? output_open(r->file, &e) : NULL;
    if (o)
        output_put(o, file.data, file.len);
    else if (!r->file)
        fwrite(file.data, 1, file.len, stdout);
    if (r->file && (!o || !output_close(o, &e)))
        status = cli_error(&e);
    buf_free(&file);
    return status;
}

/* --golden decides whose run the options are for, so it is looked for first. */
static bool wants_golden(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--golden"))
            return true;
    return false;
}

int verb_record(int argc, char **argv)
{
    struct recording r = {.embed = UINT64_C(8) << 20, .own = {.session.max_cycles = UINT64_MAX}};
    struct buf command = {0};
    struct err e;
    int status;
    if (!golden_command(argc, argv, &command, &e))
        return cli_error(&e);
    golden_run_init(&r.golden_run);
    r.own.prepare = prepare;
    r.own.finish = finish;
    r.own.ctx = &r;
    r.run = wants_golden(argc, argv) ? &r.golden_run.run : &r.own;
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &r);
    if (r.run->machine.dumpdtb)
        status = cli_errorf("record: nothing runs with -dumpdtb");
    else if (r.golden)
        status = record_golden(&r, (const char *)command.data);
    else
        status = record_binary(&r);
    buf_free(&command);
    golden_run_free(&r.golden_run);
    run_free(&r.own);
    trace_setup_free(&r.setup);
    return status;
}
