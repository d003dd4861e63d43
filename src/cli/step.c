/* `trapline step`: a machine by commands, from the keyboard, a script or options. */
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/repro.h"
#include "cli/session.h"
#include "debug/command.h"
#include "debug/stepper.h"

#include <editline/readline.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_SCRIPT = 0x200, OPT_EVAL, OPT_LOAD, OPT_JSON };

#define EVALS 64

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Stepping:", 2},
    {"script", OPT_SCRIPT, "FILE", 0, "run the commands of this file, one a line; the first that fails ends it with status 1", 2},
    {"eval", OPT_EVAL, "COMMAND", 0, "run this command first (may be repeated)", 2},
    {"load", OPT_LOAD, "FILE", 0, "begin at a saved machine; give the same options as for the run that saved it", 2},
    {"json", OPT_JSON, 0, 0, "print an object a command: command, ok, answer, console, hart, mode, pc, cycle", 2},
    {0}};

struct step_args {
    struct machine_options options;
    const char *script, *load;
    const char *eval[EVALS];
    unsigned evals;
    bool json;
    struct stepper s;
    bool open;         /* the stepper is */
    double back_began; /* a search backwards: by session_clock */
    bool back_shown;
};

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct step_args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->options; return 0;
    case OPT_SCRIPT: a->script = arg; return 0;
    case OPT_LOAD: a->load = arg; return 0;
    case OPT_JSON: a->json = true; return 0;
    case OPT_EVAL:
        if (a->evals == EVALS)
            exit(cli_errorf("--eval: at most %d; use --script", EVALS));
        a->eval[a->evals++] = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&options_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "[IMAGE]",
    .children = children,
    .doc = "Step a machine: to the next trap, mode change, call, register write, address, cycle or console text, and back; "
           "explain each trap; "
           "show and set registers with their fields, memory, disassembly; raise interrupts. `help` lists the commands; the "
           "beginning of "
           "one is enough, and an empty line repeats the last."
           "\v"
           "Commands come from --eval, then --script, then the keyboard or standard input (not after --script).\n\n"
           "Exit status: 0; 1 if a command of a script or of standard input fails; 2 for a bad option or file.\n\n"
           "Examples:\n"
           "  trapline step roms/journey.elf\n"
           "  trapline step -bios fw.elf -kernel hyp.elf --eval 'run trap' --eval why\n"
           "  trapline step rom.elf --script traps.step --json\n"};

/* ---- the guest's console, and Ctrl-C ------------------------------------------------------------------------------------------
 */

static volatile sig_atomic_t asked; /* Ctrl-C */

static void on_signal(int sig) { asked = sig; }

static bool interrupted(void *ctx)
{
    (void)ctx;
    bool was = asked;
    asked = 0;
    return was;
}

/* A search that takes a while says how far it is, where somebody looks. */
static void progress(void *ctx, unsigned back)
{
    static const double patience = 0.5; /* seconds */
    struct step_args *a = ctx;
    if (!isatty(STDERR_FILENO) || (!a->back_shown && back == 1000))
        return;
    if (!back)
        a->back_began = session_clock();
    if (back == 1000)
        fprintf(stderr, "\r\033[K");
    else if (session_clock() - a->back_began > patience)
        fprintf(stderr, "\rgoing back: %u %% searched, Ctrl-C gives up", back / 10);
    a->back_shown = back != 1000 && session_clock() - a->back_began > patience;
    fflush(stderr);
}

static void on_console(void *ctx, const char *device, const void *p, size_t n)
{
    struct step_args *a = ctx;
    if (a->open)
        stepper_console(&a->s, device, p, n);
}

/* What the guest printed, each line behind a bar. */
static void show_console(struct stepper *s)
{
    for (size_t at = 0; at < s->console.len;) {
        const uint8_t *line = s->console.data + at, *end = memchr(line, '\n', s->console.len - at);
        size_t n = end ? (size_t)(end - line) : s->console.len - at, shown = n && line[n - 1] == '\r' ? n - 1 : n;
        fputs("| ", stdout);
        fwrite(line, 1, shown, stdout);
        putchar('\n');
        at += n + (end != NULL);
    }
    s->console.len = 0;
}

/* ---- one command
 * --------------------------------------------------------------------------------------------------------------- */

static void print_json(struct stepper *s, const char *line, bool good)
{
    char pc_text[24];
    uint64_t pc = 0;
    machine_get_reg(s->d.m, s->d.hart, "pc", &pc);
    snprintf(pc_text, sizeof pc_text, "0x%" PRIx64, pc);
    json_t *j = json_pack("{s:s,s:b,s:s%,s:i,s:s,s:s,s:I}", "command", line, "ok", (int)good, "answer",
                          s->answer.len ? (char *)s->answer.data : "", s->answer.len, "hart", (int)s->d.hart, "mode",
                          machine_mode(s->d.m, s->d.hart), "pc", pc_text, "cycle", (json_int_t)machine_cycle(s->d.m));
    struct buf text = {0};
    for (size_t i = 0; i < s->console.len; i++) { /* bytes that are no UTF-8 have no place in JSON */
        uint8_t ch = s->console.data[i];
        buf_put_u8(&text, ch == '\n' || ch == '\r' || ch == '\t' || (ch >= 0x20 && ch < 0x7f) ? ch : '?');
    }
    if (j)
        json_object_set_new(j, "console", json_stringn(text.len ? (char *)text.data : "", text.len));
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
    buf_free(&text);
    s->console.len = 0;
}

static bool run_line(struct step_args *a, const char *line)
{
    asked = 0;
    bool good = stepper_run(&a->s, line);
    if (a->json) {
        if (*line && *line != '#')
            print_json(&a->s, line, good);
    } else {
        show_console(&a->s);
        fwrite(a->s.answer.data ? (char *)a->s.answer.data : "", 1, a->s.answer.len, stdout);
    }
    fflush(stdout);
    return good;
}

/* ---- where commands come from
 * ---------------------------------------------------------------------------------------------------- */

/* Lines of a file or of standard input. False: one failed; a sentence says which. */
static bool run_file(struct step_args *a, FILE *f, const char *name)
{
    char *line = NULL;
    size_t cap = 0;
    bool good = true;
    for (unsigned number = 1; good && !a->s.leave && getline(&line, &cap, f) > 0; number++) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!a->json && *line && *line != '#')
            printf("> %s\n", line);
        good = run_line(a, line);
        if (!good)
            cli_errorf("%s:%u: '%s' failed", name, number, line);
    }
    free(line);
    return good;
}

/* Completion: the commands, then registers and symbols are the user's to know. libedit's interface has no context: a law of its.
 */
static char *generator(const char *text, int state)
{
    static unsigned at;
    const struct stepper_command *c;
    const struct command *k;
    unsigned own = 0;
    if (!state)
        at = 0;
    while (stepper_command_at(own))
        own++;
    for (;; at++) {
        const char *name = NULL;
        if (at < own && (c = stepper_command_at(at)))
            name = c->name;
        else if (at >= own && (k = command_at(at - own)))
            name = k->name;
        if (!name)
            return NULL;
        if (!strncmp(name, text, strlen(text))) {
            at++;
            return strdup(name);
        }
    }
}

static char **complete(const char *text, int start, int end)
{
    (void)end;
    return start ? NULL : rl_completion_matches(text, generator);
}

/* $XDG_STATE_HOME/trapline/step_history, or below ~/.local/state. Empty: nowhere. */
static void history_path(char out[512])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    *out = '\0';
    if (state && *state)
        snprintf(out, 512, "%s", state);
    else if (home && *home)
        snprintf(out, 512, "%s/.local/state", home);
    if (!*out || strlen(out) > 400)
        return;
    mkdir(out, 0700);
    strcat(out, "/trapline");
    mkdir(out, 0700);
    strcat(out, "/step_history");
}

static void interact(struct step_args *a)
{
    static char name[] = "trapline";
    char path[512], last[1024] = "";
    rl_readline_name = name;
    rl_initialize();
    rl_attempted_completion_function = complete;
    history_path(path);
    if (*path)
        read_history(path);
    while (!a->s.leave) {
        char prompt[64];
        snprintf(prompt, sizeof prompt, "%u %s> ", a->s.d.hart, machine_mode(a->s.d.m, a->s.d.hart));
        char *line = readline(prompt);
        if (!line) {
            putchar('\n');
            break;
        }
        if (*line)
            add_history(line);
        const char *what = *line ? line : last;
        if (*what)
            (void)run_line(a, what); /* its answer says what is wrong */
        if (*line)
            snprintf(last, sizeof last, "%s", line);
        free(line);
    }
    if (*path)
        write_history(path);
}

/* ---- the verb
 * ---------------------------------------------------------------------------------------------------------------------- */

static bool start(struct step_args *a, struct machine **m, struct err *e)
{
    struct machine_options *o = &a->options;
    if (!options_settle(o, e))
        return false;
    if (o->netdev)
        return err_set(e, "-netdev user: a machine that goes back has no network, for what came from it could not come again");
    o->config.host = (struct machine_host){.ctx = a, .console = on_console};
    *m = machine_new(&o->config, e);
    return *m && (!a->load || machine_load(*m, a->load, e));
}

static int commands(struct step_args *a)
{
    for (unsigned i = 0; i < a->evals && !a->s.leave; i++)
        if (!run_line(a, a->eval[i])) {
            cli_errorf("--eval '%s' failed", a->eval[i]);
            return CLI_FAILED;
        }
    if (a->script) {
        FILE *f = strcmp(a->script, "-") ? fopen(a->script, "re") : stdin;
        if (!f)
            return cli_errorf("%s: %s", a->script, strerror(errno));
        bool good = run_file(a, f, a->script);
        if (f != stdin)
            fclose(f);
        return good ? CLI_OK : CLI_FAILED;
    }
    if (a->s.leave || (a->evals && !isatty(STDIN_FILENO)))
        return CLI_OK;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return run_file(a, stdin, "standard input") ? CLI_OK : CLI_FAILED;
    interact(a);
    return CLI_OK;
}

int verb_step(int argc, char **argv)
{
    struct step_args a = {0};
    struct err e;
    struct machine *m = NULL;
    struct buf recipe = {0};
    int status;
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (start(&a, &m, &e)) {
        struct sigaction sa = {.sa_handler = on_signal};
        sigaction(SIGINT, &sa, NULL);
        buf_printf(&recipe, "trapline step");
        repro_machine(&recipe, &a.options);
        repro_option(&recipe, "--load", a.load);
        stepper_open(&a.s, m, (const char *)recipe.data);
        a.s.interrupted = interrupted;
        a.s.progress = progress;
        a.s.ctx = &a;
        a.open = true;
        if (!a.json && !a.script && !a.evals) {
            stepper_where(&a.s);
            fwrite(a.s.answer.data, 1, a.s.answer.len, stdout);
            fflush(stdout);
        }
        status = commands(&a);
        a.open = false;
        stepper_close(&a.s);
    } else {
        status = cli_error(&e);
    }
    machine_free(m);
    buf_free(&recipe);
    options_free(&a.options);
    return status;
}
