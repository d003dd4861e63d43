#include "cli/run.h"
#include "cli/cli.h"
#include "cli/term.h"
#include "machine/image.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    OPT_MAX_CYCLES = 0x200,
    OPT_TIMEOUT,
    OPT_EXIT_ON,
    OPT_SAVE,
    OPT_LOAD,
    OPT_DIGEST,
    OPT_STATS,
    OPT_REPRO,
    OPT_JSON,
    OPT_INPUT,
    OPT_INPUT_FILE,
    OPT_SCRIPT,
    OPT_EXPECT,
    OPT_INJECT,
    OPT_MONITOR,
    OPT_TRACE,
    OPT_EXPLAIN
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Run:", 2},
    {"max-cycles", OPT_MAX_CYCLES, "N", 0, "end when the machine reaches this cycle (with status 0)", 2},
    {"exit-on", OPT_EXIT_ON, "TEXT", 0,
     "end with status 0 when the guest prints TEXT (after all steps of --expect and --script); ending otherwise is a failure", 2},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "give up after this much of the host's time (status 124)", 2},
    {"save", OPT_SAVE, "FILE", 0, "save the machine at the end", 2},
    {"load", OPT_LOAD, "FILE", 0, "go on from a saved machine; give the same options as for the run that saved it", 2},
    {"inject", OPT_INJECT, "EVENT@WHEN", 0,
     "raise an event at a boundary: lcofi@SYMBOL, mip:11,hart=1@cycle:5000, ras@0x80200040#2; repeat for more", 2},
    {0, 0, 0, 0, "Console:", 3},
    {"input", OPT_INPUT, "TEXT", 0, "type this from the start; \\n \\r \\t \\e \\\\ \\xHH are understood", 3},
    {"input-file", OPT_INPUT_FILE, "FILE", 0, "type the bytes of this file", 3},
    {"expect", OPT_EXPECT, "TEXT=>SEND", 0, "when the guest has printed TEXT, type SEND; repeat for more steps", 3},
    {"script", OPT_SCRIPT, "FILE", 0, "steps from a file, one a line: expect \"text\", send \"text\\n\", end", 3},
    {0, 0, 0, 0, "Watching:", 4},
    {"monitor", OPT_MONITOR, "NAME[,...]", 0,
     "watch rules at every trap and return; the run ends with status 1 at the first violation. RISC-V: sse (software events); "
     "AArch64: calls (SMC, HVC, PSCI), interrupts (what they left comes back); repeat for both. Keys: rules=A3+B1+..., max=N; of "
     "sse also host, guest, user, irqoff=FIRST..END (symbols or addresses; default: the marks host_text_start and so on of the "
     "images)",
     4},
    {"trace", OPT_TRACE, "sbi|calls|traps[=FILE]", 0,
     "tell every SBI call, or call by SMC and HVC, with its result, every trap and return; repeat for both", 4},
    {"explain", OPT_EXPLAIN, "N|all|KEY[=VALUE],...", 0,
     "why a trap happened and why it went where it did: the N-th one, or all that match: cause=NUMBER or a part of the name, "
     "irq[=...], exception[=...], returns (too); max=N (20), file=FILE (standard error)",
     4},
    {0, 0, 0, 0, "Reports (on stderr):", 5},
    {"digest", OPT_DIGEST, 0, 0, "print the digest of the final state, the cycles and the instructions", 5},
    {"stats", OPT_STATS, 0, 0, "print what the run took", 5},
    {"repro", OPT_REPRO, 0, 0, "print the line that reproduces this run", 5},
    {"json", OPT_JSON, 0, 0, "reports, traces and explanations as JSON, an object a line", 5},
    {0}};

static bool parse_timeout(struct run *r, const char *arg, struct err *e)
{
    char *end;
    r->session.timeout = strtod(arg, &end);
    return (*arg && !*end && r->session.timeout > 0 && r->session.timeout < 1e9) ||
           err_set(e, "--timeout '%s' is not a number of seconds", arg);
}

static bool parse_exit_on(struct run *r, char *arg, struct err *e)
{
    long n = options_unescape(arg);
    if (n < 0)
        return err_set(e, "--exit-on: a backslash is followed by none of n r t e \\ \" xHH");
    if (!n)
        return err_set(e, "--exit-on: the text is empty");
    r->exit_on = arg;
    r->exit_on_len = (size_t)n;
    return true;
}

static bool parse_input(struct run *r, char *arg, struct err *e)
{
    long n = options_unescape(arg);
    if (n < 0)
        return err_set(e, "--input: a backslash is followed by none of n r t e \\ \" xHH");
    buf_put(&r->session.input, arg, (size_t)n);
    return true;
}

static bool parse_input_file(struct run *r, const char *arg, struct err *e)
{
    struct buf b;
    if (!image_read_file(arg, &b, e))
        return false;
    buf_put(&r->session.input, b.data, b.len);
    buf_free(&b);
    return true;
}

static bool parse_one(struct run *r, int key, char *arg, struct err *e)
{
    switch (key) {
    case OPT_MAX_CYCLES: return options_count("--max-cycles", arg, &r->session.max_cycles, e);
    case OPT_TIMEOUT: return parse_timeout(r, arg, e);
    case OPT_EXIT_ON: return parse_exit_on(r, arg, e);
    case OPT_MONITOR: return monitor_parse(&r->session.watch.config, arg, e);
    case OPT_TRACE: return watch_add_trace(&r->session.watch, arg, e);
    case OPT_EXPLAIN: return why_parse(&r->session.watch.why, arg, e);
    case OPT_INJECT: return inject_list_add(&r->session.inject, arg, e);
    case OPT_SAVE: r->save = arg; return true;
    case OPT_LOAD: r->load = arg; return true;
    case OPT_INPUT: return parse_input(r, arg, e);
    case OPT_INPUT_FILE: return parse_input_file(r, arg, e);
    case OPT_EXPECT: return script_add_expect(&r->session.script, arg, e);
    case OPT_SCRIPT: return script_load(&r->session.script, arg, e);
    case OPT_DIGEST: return r->report.digest = true;
    case OPT_STATS: return r->report.stats = true;
    case OPT_REPRO: return r->report.repro = true;
    default: return r->report.json = true;
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct run *r = state->input;
    struct err e;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = &r->machine;
        return 0;
    }
    if (key < OPT_MAX_CYCLES || key > OPT_EXPLAIN)
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(r, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

static const struct argp_child children[] = {{&options_argp, 0, NULL, 0}, {0}};
const struct argp run_argp = {.options = table, .parser = parser, .children = children};

static error_t pass(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child run_children[] = {{&run_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .parser = pass,
    .args_doc = "[IMAGE]",
    .children = run_children,
    .doc =
        "Run an image: the guest's console is stdin and stdout, and the guest's exit code is the exit code."
        " IMAGE is a bare-metal ELF or raw image, started as it is in machine mode (AArch64: in the highest exception level), or "
        "a Linux Image, started by the default firmware.\v"
        "Keys: Ctrl-a x leaves, Ctrl-a a sends Ctrl-a, Ctrl-a h helps.\n\n"
        "Exit status: the guest's own; 0 for --exit-on, --max-cycles and a script's end; 1 when --exit-on, a script or --inject "
        "was not fulfilled, or --monitor saw a violation; "
        "2 for a bad option or file; 124 for --timeout; 125 when the guest can never go on.\n\n"
        "Examples:\n"
        "  trapline run hello.elf\n"
        "  trapline run -kernel linux -initrd initrd.gz -append console=ttyS0 -m 1G\n"
        "  trapline run -kernel u-boot.bin --expect 'autoboot=> ' --exit-on '=> '\n"
        "  trapline run rom.elf --max-cycles 5e7 --digest --seed 7\n"
        "  trapline run rom.elf --inject 'meip@main_loop#3'\n"
        "  trapline run -bios fw.elf -kernel hypervisor.elf --monitor sse,host=text_start..text_end --trace sbi\n"
        "  trapline run -machine virt-arm,secure=on -bios el3.elf -kernel Image --monitor calls --monitor interrupts\n"
        "  trapline run rom.elf --explain exception=guest-page,max=3\n",
};

/* ---- the run -------------------------------------------------------------------------------------------------------------- */

const char *run_end_name(enum session_end end)
{
    static const char *const name[] = {
        [SESSION_RUNNING] = "running", [SESSION_GUEST] = "guest", [SESSION_CYCLES] = "max-cycles", [SESSION_TEXT] = "exit-on",
        [SESSION_SCRIPT] = "script",   [SESSION_LEAVE] = "left",  [SESSION_SIGNAL] = "signal",     [SESSION_TIMEOUT] = "timeout",
        [SESSION_STUCK] = "stuck",     [SESSION_HALT] = "halted", [SESSION_OUTPUT] = "output",     [SESSION_INJECT] = "inject",
        [SESSION_MONITOR] = "monitor",
    };
    return name[end];
}

/* What was asked for and did not happen. 0: nothing. */
static int unfulfilled(const struct session *s, enum session_end end)
{
    const struct script_step *t = script_waiting(&s->script);
    for (unsigned i = 0; i < s->inject.count; i++)
        if (!s->inject.plan[i].done) {
            cli_errorf("the run ended (%s) before '%s@%s' came about", run_end_name(end), s->inject.plan[i].event.text,
                       s->inject.plan[i].point.text);
            return CLI_FAILED;
        }
    if (!t || end == SESSION_SCRIPT || end == SESSION_TEXT)
        return 0;
    if (t->kind == SCRIPT_EXIT_ON)
        cli_errorf("the run ended (%s) and the guest did not print '%s'", run_end_name(end), t->text);
    else if (t->line)
        cli_errorf("%s:%u: the run ended (%s) while waiting for '%s'", s->script.name, t->line, run_end_name(end), t->text);
    else
        cli_errorf("the run ended (%s) while waiting for '%s'", run_end_name(end), t->text);
    return CLI_FAILED;
}

static int status_of(const struct session *s, enum session_end end)
{
    int code = s->exit_code & 0xff;
    int missing = end == SESSION_LEAVE || end == SESSION_SIGNAL || end == SESSION_OUTPUT || end == SESSION_MONITOR
                      ? 0
                      : unfulfilled(s, end);
    switch (end) {
    case SESSION_GUEST: return code ? code : s->exit_code ? 255 : missing;
    case SESSION_SIGNAL: return 128 + s->exit_code;
    case SESSION_INJECT: return cli_error(&s->inject.why), CLI_FAILED;
    case SESSION_OUTPUT: return cli_errorf("standard output: %s", strerror(s->exit_code));
    case SESSION_TIMEOUT: return cli_errorf("the run took more than %g seconds", s->timeout), CLI_TIMEOUT;
    case SESSION_STUCK:
        cli_errorf("every hart waits for an interrupt, and none can come (cycle %llu)", (unsigned long long)machine_cycle(s->m));
        return missing ? missing : CLI_STUCK;
    case SESSION_HALT:
        cli_errorf("every hart is in the critical error state (cycle %llu)", (unsigned long long)machine_cycle(s->m));
        return missing ? missing : CLI_STUCK;
    default: return missing;
    }
}

static double user_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec * 1e-6;
}

/* A path that cannot be written is found out before the run, not after it. */
static bool can_write(const char *path, struct err *e)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    if (!*path || (slash && !slash[1]))
        return err_set(e, "--save '%s' names no file", path);
    if (!access(path, F_OK) && access(path, W_OK))
        return err_set(e, "%s: %s", path, strerror(errno));
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return !access(dir, W_OK | X_OK) || err_set(e, "%s: %s: %s", path, dir, strerror(errno));
}

static void fired(void *ctx, struct machine *m, const char *words)
{
    struct session *s = ctx;
    why_sync(&s->watch.why, m);
    if (s->tap.inject)
        s->tap.inject(s->tap.ctx, words);
}

bool run_start(struct run *r, struct err *e)
{
    struct session *s = &r->session;
    struct machine_options *o = &r->machine;
    if (!options_settle(o, e) || (r->save && !can_write(r->save, e)))
        return false;
    if (r->exit_on) /* whatever the order of the options: after all steps */
        script_add(&s->script, SCRIPT_EXIT_ON, r->exit_on, r->exit_on_len, 0);
    o->config.host = session_host(s);
    s->clock_hz = o->config.clock_hz ? o->config.clock_hz : UINT64_C(1000000000);
    s->m = machine_new(&o->config, e);
    if (!s->m || (r->load && !machine_load(s->m, r->load, e)) || !inject_list_start(&s->inject, s->m, e))
        return false;
    s->watch.json = r->report.json;
    s->inject.fired = fired;
    s->inject.fired_ctx = s;
    if ((r->prepare && !r->prepare(r, e)) || !watch_start(&s->watch, s->m, e))
        return false;
    if (o->netdev)
        s->net = net_open(o->hostfwd, o->hostfwds, session_frame_in, s, e);
    return !o->netdev || s->net;
}

int run_go(struct run *r)
{
    struct session *s = &r->session;
    struct err e;
    fflush(stdout);
    double user = user_seconds();
    s->quiet = r->quiet;
    s->input_eof |= r->quiet;
    if (!r->quiet)
        term_open();
    enum session_end end = session_run(s);
    if (!r->quiet)
        term_close();
    r->report.seconds = session_clock() - s->started;
    r->report.user_seconds = user_seconds() - user;
    r->report.end = run_end_name(end);
    int status = status_of(s, end);
    if (r->finish && !r->finish(r, end, status, &e))
        status = cli_error(&e);
    if (!watch_end(&s->watch, &e))
        status = cli_error(&e);
    if (watch_violations(&s->watch) && status != CLI_USER)
        status = CLI_FAILED;
    if (r->save && end != SESSION_OUTPUT && !machine_save(s->m, r->save, &e))
        status = cli_error(&e);
    if (!machine_commit(s->m, &e)) /* however it ended: to the guest, what it wrote is on the disk */
        status = cli_error(&e);
    r->report.status = status;
    r->report.max_cycles = s->max_cycles;
    r->report.inject = &s->inject;
    r->report.watch = &s->watch;
    if (!r->quiet)
        report_print(&r->report, s->m, &r->machine);
    return status;
}

void run_free(struct run *r)
{
    net_close(r->session.net);
    machine_free(r->session.m);
    session_free(&r->session);
    options_free(&r->machine);
}

int verb_run(int argc, char **argv)
{
    struct run r = {.session.max_cycles = UINT64_MAX};
    struct err e;
    int status;
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &r);
    if (!run_start(&r, &e))
        status = cli_error(&e);
    else if (r.machine.dumpdtb)
        status = machine_dump_dtb(r.session.m, r.machine.dumpdtb, &e) ? CLI_OK : cli_error(&e);
    else
        status = run_go(&r);
    run_free(&r);
    return status;
}
