/* `trapline sweep`: the options, and the way from them to results. */
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/repro.h"
#include "cli/session.h"
#include "cli/sweep_record.h"
#include "cli/sweep_work.h"
#include "debug/riscv/judge.h"
#include "debug/riscv/view.h"
#include "machine/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPT_FROM = 0x300,
    OPT_TO,
    OPT_EVENT,
    OPT_NEST,
    OPT_HART,
    OPT_HANDLER,
    OPT_SET,
    OPT_HANDLERS,
    OPT_IGNORE,
    OPT_RULE,
    OPT_LOAD,
    OPT_MAX_CYCLES,
    OPT_REACH,
    OPT_WINDOW,
    OPT_ONLY,
    OPT_RECORD,
    OPT_LIST,
    OPT_JOBS,
    OPT_SHARD,
    OPT_OUT,
    OPT_MERGE,
    OPT_JSON,
    OPT_JUNIT
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Sweep:", 2},
    {"from", OPT_FROM, "WHERE", 0, "where the window begins: SYMBOL[+OFFSET][#NTH], 0xADDRESS[#NTH] or cycle:N (window_start)",
     2},
    {"to", OPT_TO, "WHERE", 0, "where it ends; #NTH counts from --from on (window_end)", 2},
    {"event", OPT_EVENT, "EVENT", 0, "what is injected at every boundary, as below; repeat for more", 2},
    {"nest", OPT_NEST, "EVENT", 0, "second order: inject this at every boundary of the first event's handling, too", 2},
    {"hart", OPT_HART, "N", 0, "the hart whose window it is (0)", 2},
    {"set", OPT_SET, "SYMBOL=V[,V...]", 0, "write this to memory before the window; several values are swept one after the other",
     2},
    {"handler", OPT_HANDLER, "NAME[,NAME...]", 0,
     "--set handler_select by name: hk0 to hk7, linux-good, linux-nosstatus, "
     "linux-stvec-missing, or a number",
     2},
    {"handlers", OPT_HANDLERS, "RANGE", 0,
     "text of event handlers, as SYMBOL..SYMBOL: a return into it resumes nothing "
     "(handler_text_start..handler_text_end)",
     2},
    {"ignore", OPT_IGNORE, "RANGE", 0,
     "physical memory that may change, beside the firmware and scratch_start..scratch_end; "
     "repeat for more",
     2},
    {"load", OPT_LOAD, "FILE", 0, "begin with a machine that `trapline run --save` saved", 2},
    {"rule", OPT_RULE, "RULE", 0,
     "transparent: the interrupted context comes back as it was; sbi: the firmware does with SSE events "
     "what SBI v3.0 says, and what the handler did not edit comes back as it was",
     2},
    {"max-cycles", OPT_MAX_CYCLES, "N", 0, "how long a case may take (10k)", 2},
    {"reach", OPT_REACH, "N", 0, "how many cycles it may take to reach the window (10G)", 2},
    {"window", OPT_WINDOW, "N", 0, "how many cycles the window may be long (10M)", 2},
    {"only", OPT_ONLY, "K[.J]", 0, "do this case alone and tell its story; K.J: boundary J of the handling", 2},
    {"record", OPT_RECORD, "FILE", 0,
     "write the case of --only, or the first one that fails if one does, as a trace for `trapline replay`, from the window's "
     "beginning on",
     2},
    {0, 0, 0, 0, "Work and results:", 3},
    {"jobs", OPT_JOBS, "N", 0, "processes (one for each core)", 3},
    {"shard", OPT_SHARD, "I/N", 0, "do the I-th of N equal parts, into --out", 3},
    {"out", OPT_OUT, "PART", 0, "write the cases to this file instead of results", 3},
    {"merge", OPT_MERGE, 0, 0, "join the part files that are named instead of an image", 3},
    {"list", OPT_LIST, "N", 0, "show the first N failing cases (20)", 3},
    {"json", OPT_JSON, "FILE", 0,
     "write results as JSON, every failing case in full; - is standard output, and the table goes to standard error", 3},
    {"junit", OPT_JUNIT, "FILE", 0, "write results as JUnit XML; - likewise", 3},
    {0}};

#define LIST_MAX 64

struct list {
    const char *text[LIST_MAX];
    unsigned n;
};

/* One thing that differs between variants: a word of memory and its values. */
struct choice {
    char symbol[INJECT_TEXT];
    char *values; /* "1,2,3" */
    bool handler;
};

struct sweep_args {
    struct machine_options machine;
    struct list events, ignores;
    const char **args; /* positional */
    unsigned nargs;
    const char *from, *to, *nest, *handlers, *only, *record, *out, *json, *junit, *load;
    uint64_t hart, max_cycles, reach, window, jobs, list, shard, shards;
    bool merge, sbi;

    /* Made of them. */
    struct choice choice[LIST_MAX];
    unsigned choices;
    struct inject_event *event, nest_event;
    struct sweep_variant *variant;
    char (*variant_option)[512]; /* the options that choose each variant */
    unsigned variants;
    struct sweep_range ignore[LIST_MAX], handler_range;
    unsigned ignored;
    struct buf ignored_text;
    struct sweep_config config;
};

/* ---- parsing -------------------------------------------------------------------------------------------------------------- */

static bool add(struct list *l, const char *what, const char *arg, struct err *e)
{
    if (l->n == LIST_MAX)
        return err_set(e, "%s '%s': there are more than %d of them", what, arg, LIST_MAX);
    l->text[l->n++] = arg;
    return true;
}

static bool parse_shard(struct sweep_args *a, const char *arg, struct err *e)
{
    char *end;
    a->shard = strtoull(arg, &end, 10);
    a->shards = *end == '/' ? strtoull(end + 1, &end, 10) : 0;
    if (*arg < '0' || *arg > '9' || *end || a->shards > SWEEP_SHARDS || !a->shards || !a->shard || a->shard > a->shards)
        return err_set(e, "--shard '%s': write I/N, with I from 1 to N", arg);
    return true;
}

/* "SYMBOL=V,V": the values are checked when the machine knows the symbol. */
static bool parse_set(struct sweep_args *a, const char *symbol, size_t n, const char *values, bool handler, const char *what,
                      struct err *e)
{
    if (!n || n >= INJECT_TEXT || !*values || a->choices == LIST_MAX)
        return err_set(e, "%s: write SYMBOL=VALUE", what);
    for (unsigned i = 0; i < a->choices; i++) {
        struct choice *c = &a->choice[i];
        char *more;
        if (strlen(c->symbol) != n || memcmp(c->symbol, symbol, n))
            continue;
        if (asprintf(&more, "%s,%s", c->values, values) < 0)
            return false;
        free(c->values);
        c->values = more;
        return true;
    }
    struct choice *c = &a->choice[a->choices++];
    snprintf(c->symbol, sizeof c->symbol, "%.*s", (int)n, symbol);
    c->values = strdup(values);
    c->handler = handler;
    return c->values != NULL;
}

static bool parse_one(struct sweep_args *a, int key, char *arg, struct err *e)
{
    switch (key) {
    case OPT_FROM: a->from = arg; return true;
    case OPT_TO: a->to = arg; return true;
    case OPT_EVENT: return add(&a->events, "--event", arg, e);
    case OPT_NEST: a->nest = arg; return true;
    case OPT_HART: return options_count("--hart", arg, &a->hart, e);
    case OPT_SET: {
        size_t n = strcspn(arg, "=");
        return parse_set(a, arg, n, arg[n] ? arg + n + 1 : "", false, arg, e);
    }
    case OPT_HANDLER: return parse_set(a, "handler_select", strlen("handler_select"), arg, true, "--handler", e);
    case OPT_LOAD: a->load = arg; return true;
    case OPT_RULE:
        a->sbi = !strcmp(arg, "sbi");
        return a->sbi || !strcmp(arg, "transparent") || err_set(e, "--rule '%s': the rules are transparent and sbi", arg);
    case OPT_HANDLERS: a->handlers = arg; return true;
    case OPT_IGNORE: return add(&a->ignores, "--ignore", arg, e);
    case OPT_MAX_CYCLES: return options_count("--max-cycles", arg, &a->max_cycles, e);
    case OPT_REACH: return options_count("--reach", arg, &a->reach, e);
    case OPT_WINDOW: return options_count("--window", arg, &a->window, e);
    case OPT_ONLY: a->only = arg; return true;
    case OPT_RECORD: a->record = arg; return *arg || err_set(e, "--record: the name of the file is empty");
    case OPT_LIST: return options_count("--list", arg, &a->list, e);
    case OPT_JOBS: return options_count("--jobs", arg, &a->jobs, e) && (a->jobs || err_set(e, "--jobs 0: nobody would work"));
    case OPT_SHARD: return parse_shard(a, arg, e);
    case OPT_OUT: a->out = arg; return true;
    case OPT_MERGE: a->merge = true; return true;
    case OPT_JSON: a->json = arg; return true;
    case OPT_JUNIT: a->junit = arg; return true;
    case ARGP_KEY_ARG:
        a->args = realloc(a->args, (a->nargs + 1) * sizeof *a->args);
        if (a->args)
            a->args[a->nargs++] = arg;
        return a->args != NULL;
    default: return false;
    }
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct sweep_args *a = state->input;
    struct err e;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = &a->machine;
        return 0;
    }
    if (key != ARGP_KEY_ARG && (key < OPT_FROM || key > OPT_JUNIT))
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(a, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

/* The events of inject.def, for --help. */
static char *help_filter(int key, const char *text, void *input)
{
    const char *title, *name;
    bool number;
    struct buf b = {0};
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC || !text)
        return (char *)(uintptr_t)text;
    buf_printf(&b, "Events, with ,hart=N and (lines) ,raise or ,lower behind them:\n");
    for (unsigned i = 0; (name = inject_name(i, &title, &number)); i++)
        buf_printf(&b, "  %s%-*s %s\n", name, (int)(10 - strlen(name)), number ? ":N" : "", title);
    buf_printf(&b, "\nColumns of the table (docs/sweep.md tells more):\n"
                   "  cases      boundaries of the window, the sum of the columns up to refused\n"
                   "  pass       everything came back as it was\n"
                   "  same       masked, and taken later in the state of another case\n"
                   "  violation  a register or memory is not as it was, or the rule was broken\n"
                   "  lost       the event was never taken\n"
                   "  runaway    what it interrupted never went on\n"
                   "  ended      the guest ended the run or can never go on\n"
                   "  refused    the machine or the firmware would not take the event\n"
                   "  handled    of all cases, those in which a handler was entered\n");
    buf_printf(&b, "\n%s", text);
    return (char *)b.data;
}

static const struct argp_child children[] = {{&options_argp, 0, 0, 0}, {0}};
static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "[IMAGE | --merge PART...]",
    .children = children,
    .help_filter = help_filter,
    .doc = "Injects an event at every instruction boundary of a window, and compares: what the event interrupted must come back "
           "with "
           "every register and all memory as they were.\v"
           "Exit status: 0 when every case passes, 1 when one does not, 2 for a bad option or file.\n\n"
           "Examples:\n"
           "  trapline sweep -bios sbi-head.elf -kernel kvm.elf --handler hk0,hk3 --event meip\n"
           "  trapline sweep -bios fw.elf -kernel os.elf --from trap_entry --to trap_exit --event lcofi --ignore log..log_end\n"
           "  trapline sweep ... --event meip --only 17\n"
           "  trapline sweep ... --shard 2/8 --out part2; trapline sweep --merge part*\n",
};

/* ---- from options to a sweep ---------------------------------------------------------------------------------------------- */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static bool parse_events(struct sweep_args *a, struct err *e)
{
    struct err why;
    if (!a->events.n)
        return err_set(e, "nothing to inject: name an event with --event; `trapline sweep --help` lists them");
    a->event = must(calloc(a->events.n, sizeof *a->event));
    for (unsigned i = 0; i < a->events.n; i++)
        if (!inject_parse_event(a->events.text[i], (unsigned)a->hart, &a->event[i], &why))
            return err_set(e, "--event: %s", why.text);
    if (a->nest && !inject_parse_event(a->nest, (unsigned)a->hart, &a->nest_event, &why))
        return err_set(e, "--nest: %s", why.text);
    return true;
}

static bool parse_points(struct sweep_args *a, struct machine *m, struct err *e)
{
    struct err why;
    uint64_t value;
    bool symbols = machine_symbol(m, "window_start", &value) && machine_symbol(m, "window_end", &value);
    if ((!a->from || !a->to) && !symbols)
        return err_set(e, "say what the window is with --from and --to: the images have no symbols window_start and window_end");
    a->from = a->from ? a->from : "window_start";
    a->to = a->to ? a->to : "window_end";
    if (!inject_parse_point(a->from, &a->config.from, &why))
        return err_set(e, "--from: %s", why.text);
    if (!inject_parse_point(a->to, &a->config.to, &why))
        return err_set(e, "--to: %s", why.text);
    return true;
}

/* One end of a range: a symbol, or an address. */
static bool parse_end(struct machine *m, const char *text, uint64_t *v, struct err *e)
{
    struct inject_point p;
    if (!inject_parse_point(text, &p, e) || !inject_resolve(&p, m, e))
        return false;
    *v = p.va;
    return !p.at_cycle || err_set(e, "'%s' is no address", text);
}

/* "START..END" */
static bool parse_range(struct machine *m, const char *what, const char *text, struct sweep_range *r, struct err *e)
{
    char start[2 * INJECT_TEXT];
    struct err why;
    const char *dots = strstr(text, "..");
    if (!dots || (size_t)(dots - text) >= sizeof start)
        return err_set(e, "%s '%s': write START..END", what, text);
    snprintf(start, sizeof start, "%.*s", (int)(dots - text), text);
    if (!parse_end(m, start, &r->start, &why) || !parse_end(m, dots + 2, &r->end, &why))
        return err_set(e, "%s: %s", what, why.text);
    return r->start < r->end || err_set(e, "%s '%s': the end is not behind the start", what, text);
}

static void ignore_range(struct sweep_args *a, const char *text, struct sweep_range r)
{
    a->ignore[a->ignored++] = r;
    buf_printf(&a->ignored_text, "%s%s", a->ignored > 1 ? ", " : "", text);
}

static bool parse_ranges(struct sweep_args *a, struct machine *m, struct err *e)
{
    struct sweep_range r;
    char text[64];
    if (sweep_firmware(m, &r)) {
        snprintf(text, sizeof text, "firmware 0x%" PRIx64 "..0x%" PRIx64, r.start, r.end);
        ignore_range(a, text, r);
    }
    if (machine_symbol(m, "scratch_start", &r.start) && machine_symbol(m, "scratch_end", &r.end))
        ignore_range(a, "scratch_start..scratch_end", r);
    for (unsigned i = 0; i < a->ignores.n && a->ignored < LIST_MAX; i++) {
        if (!parse_range(m, "--ignore", a->ignores.text[i], &r, e))
            return false;
        ignore_range(a, a->ignores.text[i], r);
    }
    uint64_t value;
    if (!a->handlers && machine_symbol(m, "handler_text_start", &value) && machine_symbol(m, "handler_text_end", &value))
        a->handlers = "handler_text_start..handler_text_end";
    return !a->handlers || parse_range(m, "--handlers", a->handlers, &a->handler_range, e);
}

/* ---- variants ------------------------------------------------------------------------------------------------------------- */

static const char *const handler_names[] = {
    "hk0", "hk1", "hk2", "hk3", "hk4", "hk5", "hk6", "hk7", "linux-good", "linux-nosstatus", "linux-stvec-missing",
};

static bool value_of(const struct choice *c, const char *text, uint64_t *v, struct err *e)
{
    for (unsigned i = 0; c->handler && i < ARRAY_LEN(handler_names); i++)
        if (!strcmp(text, handler_names[i])) {
            *v = i;
            return true;
        }
    char *end;
    *v = strtoull(text, &end, 0);
    if (*text < '0' || *text > '9' || *end)
        return err_set(e, c->handler ? "--handler: there is no handler '%s'" : "--set: '%s' is not a number", text);
    return true;
}

static unsigned values(const struct choice *c)
{
    unsigned n = 1;
    for (const char *p = c->values; (p = strchr(p, ',')); p++)
        n++;
    return n;
}

/* Value number i of the choice. */
static void value_text(const struct choice *c, unsigned i, char out[INJECT_TEXT])
{
    const char *p = c->values;
    while (i--)
        p = strchr(p, ',') + 1;
    snprintf(out, INJECT_TEXT, "%.*s", (int)strcspn(p, ","), p);
}

/* Puts value `i` of choice c into the variant. */
static bool choose(struct sweep_args *a, struct machine *m, const struct choice *c, unsigned i, unsigned variant, struct err *e)
{
    struct sweep_variant *v = &a->variant[variant];
    char text[INJECT_TEXT], *option = a->variant_option[variant];
    struct sweep_poke *p = &v->poke[v->pokes];
    value_text(c, i, text);
    if (v->pokes == SWEEP_POKES)
        return err_set(e, "--set: there are more than %d of them", SWEEP_POKES);
    if (!value_of(c, text, &p->value, e))
        return false;
    if (!sweep_symbol(m, c->symbol, &p->va, &p->size))
        return err_set(e, "%s: the images have no symbol '%s'", c->handler ? "--handler" : "--set", c->symbol);
    v->pokes++;
    size_t n = strlen(v->name), k = strlen(option);
    if (c->handler)
        snprintf(v->name + n, sizeof v->name - n, "%s%s", n ? " " : "", text);
    else if (values(c) > 1)
        snprintf(v->name + n, sizeof v->name - n, "%s%s=%s", n ? " " : "", c->symbol, text);
    snprintf(option + k, sizeof a->variant_option[0] - k, c->handler ? " --handler %s" : " --set %s=%s",
             c->handler ? text : c->symbol, text);
    return true;
}

/* Every value of every choice with every other. */
static bool make_variants(struct sweep_args *a, struct machine *m, struct err *e)
{
    uint64_t n = 1;
    for (unsigned i = 0; i < a->choices; i++)
        n *= values(&a->choice[i]);
    if (n > 10000)
        return err_set(e, "--set and --handler make %" PRIu64 " variants; 10000 is the most", n);
    a->variants = (unsigned)n;
    a->variant = must(calloc(n, sizeof *a->variant));
    a->variant_option = must(calloc(n, sizeof *a->variant_option));
    for (unsigned v = 0; v < n; v++) {
        unsigned left = v;
        for (unsigned i = a->choices; i--;) { /* the last choice changes first */
            unsigned k = values(&a->choice[i]);
            if (!choose(a, m, &a->choice[i], left % k, v, e))
                return false;
            left /= k;
        }
    }
    return true;
}

/* ---- results -------------------------------------------------------------------------------------------------------------- */

static void number_pair(struct sweep_result *r, const char *key, uint64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, v);
    sweep_result_pair(r, key, text);
}

/* The line that repeats the sweep, but for events and variants. */
static char *command(const struct sweep_args *a)
{
    struct buf b = {0};
    buf_printf(&b, "trapline sweep");
    repro_machine(&b, &a->machine);
    repro_option(&b, "--load", a->load);
    repro_option(&b, "--from", a->from);
    repro_option(&b, "--to", a->to);
    repro_number(&b, "--hart", a->hart);
    repro_option(&b, "--nest", a->nest);
    repro_option(&b, "--handlers", a->handlers);
    for (unsigned i = 0; i < a->ignores.n; i++)
        repro_option(&b, "--ignore", a->ignores.text[i]);
    if (a->sbi)
        repro_option(&b, "--rule", "sbi");
    if (a->max_cycles != SWEEP_CASE_CYCLES)
        repro_number(&b, "--max-cycles", a->max_cycles);
    return (char *)b.data;
}

/* What was swept: parts of one sweep agree in all of it. */
static void describe(struct sweep_result *r, const struct sweep_args *a, struct sweep *s)
{
    char text[512];
    char *line = command(a);
    sweep_result_pair(r, "command", line);
    free(line);
    sweep_result_pair(r, "version", TRAPLINE_VERSION);
    snprintf(text, sizeof text, "%016" PRIx64, sweep_state(s));
    sweep_result_pair(r, "state", text);
    snprintf(text, sizeof text, "%s .. %s of hart %" PRIu64, a->from, a->to, a->hart);
    sweep_result_pair(r, "window", text);
    sweep_result_pair(r, "rule", a->sbi ? "sbi" : "transparent");
    sweep_result_pair(r, "nest", a->nest ? a->nest : "");
    sweep_result_pair(r, "ignored", a->ignored_text.data ? (const char *)a->ignored_text.data : "");
    sweep_result_pair(r, "handlers", a->handlers ? a->handlers : "");
    number_pair(r, "case cycles", a->max_cycles);
    for (unsigned i = 0; i < a->events.n; i++) {
        struct buf b = {0};
        repro_option(&b, "--event", a->event[i].text);
        sweep_result_event(r, a->event[i].text, (const char *)b.data);
        buf_free(&b);
    }
    for (unsigned i = 0; i < a->variants; i++)
        sweep_result_variant(r, a->variant[i].name, a->variant_option[i], sweep_window(s, i));
}

static bool is_stdout(const char *path) { return path && !strcmp(path, "-"); }

static bool write_file(const char *path, const struct buf *b, struct err *e)
{
    if (is_stdout(path))
        return (fwrite(b->data, 1, b->len, stdout) == b->len && !fflush(stdout)) ||
               err_set(e, "standard output: cannot write: %s", strerror(errno));
    struct output *o = output_open(path, e);
    if (o)
        output_put(o, b->data, b->len);
    return o && output_close(o, e);
}

/* Prints and writes what was asked for. */
static int report(const struct sweep_args *a, const struct sweep_result *r)
{
    struct buf b = {0};
    struct err e;
    bool ok = true;
    sweep_text(r, (unsigned)(a->list < UINT32_MAX ? a->list : UINT32_MAX), &b);
    fwrite(b.data, 1, b.len, is_stdout(a->json) || is_stdout(a->junit) ? stderr : stdout);
    if (a->json) {
        b.len = 0;
        sweep_json(r, &b);
        ok = write_file(a->json, &b, &e);
    }
    if (ok && a->junit) {
        b.len = 0;
        sweep_junit(r, &b);
        ok = write_file(a->junit, &b, &e);
    }
    buf_free(&b);
    if (!ok)
        return cli_error(&e);
    return sweep_result_failed(r) ? CLI_FAILED : CLI_OK;
}

/* ---- one case ------------------------------------------------------------------------------------------------------------- */

struct told {
    struct sweep_result *r;
    struct sweep *s;
    struct sweep_case last; /* without its detail */
    int status;
};

/* Records the case as a trace. */
static bool record_case(const struct sweep_args *a, struct sweep *s, const struct sweep_case *c, struct err *e)
{
    bool second = c->nested != SWEEP_NONE;
    const struct inject_event *first = &a->event[c->event];
    struct sweep_recording r = {.file = a->record,
                                .config = &a->machine.config,
                                .m = sweep_base(s, c->variant),
                                .event = {first, &a->nest_event},
                                .at = {sweep_cycle(s, c->variant, c->boundary), c->at_cycle},
                                .events = second ? 2 : 1,
                                .until = c->at_cycle + c->cycles,
                                .why = sweep_verdict_name(c->verdict),
                                .status = c->verdict > SWEEP_SAME ? CLI_FAILED : CLI_OK};
    bool ok = sweep_record(&r, e);
    machine_free(r.m);
    return ok;
}

static bool tell_case(void *ctx, const struct sweep_case *c)
{
    struct told *t = ctx;
    struct buf b = {0};
    sweep_case_text(t->r, c, &b);
    fwrite(b.data, 1, b.len, stdout);
    buf_free(&b);
    t->status = c->verdict > SWEEP_SAME ? CLI_FAILED : CLI_OK;
    t->last = *c;
    return true;
}

static void tell_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct told *t = ctx;
    char line[256];
    (void)m;
    sweep_story_line(t->s, c, line, sizeof line);
    puts(line);
}

static int one_case(const struct sweep_args *a, struct sweep *s, struct sweep_result *r)
{
    struct told t = {.r = r, .s = s, .status = CLI_OK};
    struct err e;
    char *end;
    uint64_t k = strtoull(a->only, &end, 10), j = SWEEP_NONE;
    if (*end == '.' && a->nest)
        j = strtoull(end + 1, &end, 10);
    if (*a->only < '0' || *a->only > '9' || *end || k >= SWEEP_NONE || j > SWEEP_NONE)
        return cli_errorf("--only '%s': write the number of a boundary%s", a->only, a->nest ? ", or K.J" : "");
    if (a->events.n > 1 || a->variants > 1)
        return cli_errorf("--only %s: give one --event, and one value for each --handler and --set", a->only);
    if (!sweep_one(s, 0, 0, (uint32_t)k, (uint32_t)j, tell_case, tell_change, &t, &e))
        return cli_errorf("--only %s: %s", a->only, e.text);
    if (a->record && !record_case(a, s, &t.last, &e))
        return cli_error(&e);
    return t.status;
}

static bool note_case(void *ctx, const struct sweep_case *c)
{
    *(struct sweep_case *)ctx = *c;
    return true;
}

/* Records the first case that fails. */
static bool record_first(const struct sweep_args *a, struct sweep *s, const struct sweep_result *r, struct err *e)
{
    struct sweep_case c;
    size_t i = 0;
    while (r->cases[i].verdict <= SWEEP_SAME) /* there is one */
        i++;
    const struct sweep_case *k = &r->cases[i];
    return sweep_one(s, k->event, k->variant, k->boundary, k->nested, note_case, NULL, &c, e) && record_case(a, s, &c, e);
}

/* Tries every file that the work is for, before it. */
static bool outputs_possible(const struct sweep_args *a, struct err *e)
{
    if (is_stdout(a->out) || is_stdout(a->record))
        return err_set(e, "%s -: what is written there is binary: name a file (./- is one called -)",
                       is_stdout(a->out) ? "--out" : "--record");
    if (is_stdout(a->json) && is_stdout(a->junit))
        return err_set(e, "--json and --junit cannot both be standard output");
    const char *const files[] = {a->out, a->record, a->out ? NULL : a->json, a->out ? NULL : a->junit};
    for (unsigned i = 0; i < ARRAY_LEN(files); i++)
        if (files[i] && !is_stdout(files[i]) && !output_possible(files[i], e))
            return false;
    return true;
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------- */

static bool rule_fits(const struct sweep_args *a, struct machine *m, struct err *e)
{
    struct rv_features f;
    return !a->sbi || view_features(&f, m, 0) || err_set(e, "--rule sbi is for RISC-V machines");
}

static bool settle(struct sweep_args *a, struct machine **m, struct err *e)
{
    if (a->nargs > 1)
        return err_set(e, "one image is swept at a time: '%s' and '%s' were given", a->args[0], a->args[1]);
    a->machine.image = a->nargs ? a->args[0] : NULL;
    if (a->shards && !a->out)
        return err_set(e, "--shard needs --out PART, the file for its cases");
    if (a->out && a->record)
        return err_set(e, "--out and --record exclude each other: record a case with --only");
    if (a->out && a->only)
        return err_set(e, "--out and --only exclude each other");
    if (!outputs_possible(a, e))
        return false;
    if (!options_settle(&a->machine, e) || !parse_events(a, e))
        return false;
    if (a->machine.netdev || a->machine.dumpdtb)
        return err_set(e, "%s: a sweep has no use for it", a->machine.netdev ? "-netdev" : "-dumpdtb");
    *m = machine_new(&a->machine.config, e);
    return *m && rule_fits(a, *m, e) && (!a->load || machine_load(*m, a->load, e)) && parse_points(a, *m, e) &&
           parse_ranges(a, *m, e) && make_variants(a, *m, e);
}

static void configure(struct sweep_args *a)
{
    struct sweep_config *c = &a->config;
    c->hart = (unsigned)a->hart;
    c->event = a->event;
    c->events = a->events.n;
    c->nest = a->nest ? &a->nest_event : NULL;
    c->variant = a->variant;
    c->variants = a->variants;
    c->ignore = a->ignore;
    c->ignores = a->ignored;
    c->handler = &a->handler_range;
    c->handlers = a->handlers != NULL;
    c->judge = a->sbi ? &sbi_judge : NULL;
    c->case_cycles = a->max_cycles;
    c->reach_cycles = a->reach;
    c->window_cycles = a->window;
}

static int all_cases(const struct sweep_args *a, struct sweep *s, struct sweep_result *r)
{
    struct err e;
    uint64_t shards = a->shards ? a->shards : 1, shard = a->shards ? a->shard : 1, cases = sweep_cases(s);
    uint64_t mine = cases / shards + (shard <= cases % shards);
    double start = session_clock(), busy = session_processor();
    if (!sweep_work(s, shard - 1, shards, (unsigned)(a->jobs < 1024 ? a->jobs : 1024), mine, r, &e))
        return cli_error(&e);
    double seconds = session_clock() - start;
    busy = session_processor() - busy;
    double done = (double)sweep_result_done(r);
    fprintf(stderr, "%.0f cases in %.3f s on %" PRIu64 " cores: %.0f a second on each, %.0f a second of processor time\n", done,
            seconds, a->jobs, seconds > 0 ? done / seconds / (double)a->jobs : 0, busy > 0 ? done / busy : 0);
    if (a->out) {
        r->shard = (uint32_t)shard;
        r->shards = (uint32_t)shards;
        return sweep_part_save(r, a->out, &e) ? CLI_OK : cli_error(&e);
    }
    if (!sweep_result_finish(r, &e))
        return cli_error(&e);
    int status = report(a, r);
    return status == CLI_FAILED && a->record && !record_first(a, s, r, &e) ? cli_error(&e) : status;
}

static int sweep(struct sweep_args *a)
{
    struct err e;
    struct machine *m = NULL;
    struct sweep_result r = {0};
    if (!settle(a, &m, &e)) {
        machine_free(m);
        return cli_error(&e);
    }
    configure(a);
    struct sweep *s = sweep_new(&a->config, m, &e);
    if (!s)
        return cli_error(&e);
    describe(&r, a, s);
    int status = a->only ? one_case(a, s, &r) : all_cases(a, s, &r);
    sweep_result_free(&r);
    sweep_free(s);
    return status;
}

static int merge(const struct sweep_args *a)
{
    struct sweep_result r = {0};
    struct err e;
    if (!a->nargs)
        return cli_errorf("--merge: name the part files");
    if (!outputs_possible(a, &e))
        return cli_error(&e);
    int status = sweep_merge(&r, a->args, a->nargs, &e) ? report(a, &r) : cli_error(&e);
    sweep_result_free(&r);
    return status;
}

int verb_sweep(int argc, char **argv)
{
    struct sweep_args a = {.max_cycles = SWEEP_CASE_CYCLES,
                           .reach = UINT64_C(10000000000),
                           .window = 10000000,
                           .list = 20,
                           .jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN)};
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int status = a.merge ? merge(&a) : sweep(&a);
    for (unsigned i = 0; i < a.choices; i++)
        free(a.choice[i].values);
    free(a.args);
    free(a.event);
    free(a.variant);
    free(a.variant_option);
    buf_free(&a.ignored_text);
    options_free(&a.machine);
    return status;
}
