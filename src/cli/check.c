/* `trapline check`: the bundled scenarios. */
#include "debug/check.h"
#include "base/bits.h"
#include "cli/check_show.h"
#include "cli/cli.h"
#include "cli/jobs.h"
#include "cli/options.h"
#include "cli/roms.h"
#include "cli/session.h"
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_JSON = 0x400, OPT_JUNIT, OPT_SHOW, OPT_LIST, OPT_FIRMWARE, OPT_XLEN, OPT_EVENTS, OPT_FULL, NAMES_MAX = 32 };

struct check_command {
    const char *names[NAMES_MAX];
    unsigned nnames;
    const char *firmware, *junit, *show;
    uint64_t xlen, processes, events;
    bool json, list, story, verbose, full;
};

static const struct argp_option table[] = {
    {"show", OPT_SHOW, "CASE", OPTION_ARG_OPTIONAL,
     "tell the story of one case, FIRMWARE/XLEN/HANDLER/NUMBER (s1.nested: NUMBER.SECOND); without CASE of the first that "
     "departs "
     "from a rule",
     1},
    {"firmware", OPT_FIRMWARE, "NAME", 0, "on this firmware alone", 1},
    {"xlen", OPT_XLEN, "BITS", 0, "32 or 64 alone", 1},
    {"events", OPT_EVENTS, "N", 0, "events at each rate of s2.rate (100)", 1},
    {"full", OPT_FULL, 0, 0, "leave nothing out because it takes long: all scenarios, all handlers, every case", 1},
    {"jobs", 'j', "N", 0, "processes (one a core)", 1},
    {"verbose", 'v', 0, 0, "the counts of each rule and, of each verdict, the first case that departs", 2},
    {"json", OPT_JSON, 0, 0, "print JSON", 2},
    {"junit", OPT_JUNIT, "FILE", 0, "also write the verdicts as JUnit XML", 2},
    {"list", OPT_LIST, 0, 0, "list scenarios, firmware and rules", 2},
    {0}};

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct check_command *c = state->input;
    struct err e;
    switch (key) {
    case OPT_SHOW:
        c->story = true;
        c->show = arg;
        return 0;
    case OPT_FIRMWARE: c->firmware = arg; return 0;
    case OPT_XLEN:
        if (!options_count("--xlen", arg, &c->xlen, &e))
            exit(cli_error(&e));
        if (c->xlen != 32 && c->xlen != 64)
            exit(cli_errorf("--xlen %s: 32 or 64", arg));
        return 0;
    case OPT_FULL: c->full = true; return 0;
    case OPT_EVENTS:
        if (!options_count("--events", arg, &c->events, &e))
            exit(cli_error(&e));
        if (!c->events || c->events > 100000000)
            exit(cli_errorf("--events %s: 1 to 100000000", arg));
        return 0;
    case 'j':
        if (!options_count("-j", arg, &c->processes, &e))
            exit(cli_error(&e));
        if (!c->processes || c->processes > 256)
            exit(cli_errorf("-j %s: 1 to 256 processes", arg));
        return 0;
    case 'v': c->verbose = true; return 0;
    case OPT_JSON: c->json = true; return 0;
    case OPT_JUNIT: c->junit = arg; return 0;
    case OPT_LIST: c->list = true; return 0;
    case ARGP_KEY_ARG:
        if (strchr(arg, '/')) { /* --show CASE, in two words */
            c->show = arg;
            return 0;
        }
        if (c->nnames == NAMES_MAX)
            exit(cli_errorf("more than %d names", NAMES_MAX));
        c->names[c->nnames++] = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "[NAME...]",
    .doc = "Run the bundled scenarios on every firmware and judge what comes of them. NAME is a scenario (s1.states) or a group "
           "of them "
           "(s1); without one all are run.\v"
           "A verdict is one scenario, firmware, XLEN and handler: `pass`, no case departs from a rule; `known`, exactly the "
           "cases depart "
           "that are known to, with the first register that differs; `WRONG`, anything else. Firmware of Debian's is taken from "
           "the cache "
           "of guest images; where it is not there, its verdicts are skipped.\n\n"
           "Exit status: 0 when every verdict is as it must be; 1 when one is wrong; 2 for a bad option or a missing file.\n\n"
           "Examples:\n"
           "  trapline check\n"
           "  trapline check s1.states --firmware sbi-head\n"
           "  trapline check s1r --show opensbi-1.9/64/hk0/0"};

/* ---- where the images are
 * -------------------------------------------------------------------------------------------------------- */

static bool find_images(struct check_env *env, char *roms, char *cache, size_t cap, struct err *e)
{
    const char *set = getenv("TRAPLINE_CACHE"), *home = getenv("HOME");
    if (!roms_folder(roms, cap, e))
        return false;
    if (set && *set)
        snprintf(cache, cap, "%s/images", set);
    else
        snprintf(cache, cap, "%s/.cache/trapline/images", home ? home : "");
    *env = (struct check_env){.roms = roms, .cache = cache};
    return true;
}

/* ---- running
 * ----------------------------------------------------------------------------------------------------------------------- */

struct run {
    const struct check_job *jobs;
    const struct check_env *env;
    struct check_verdict **verdicts; /* of each job */
    size_t n, ended;
    bool progress;
};

static bool work(void *ctx, size_t job, struct jobs_out *out, struct err *e)
{
    struct run *r = ctx;
    unsigned n = check_job_size(&r->jobs[job]);
    struct check_verdict *v = calloc(n, sizeof *v);
    bool ok = check_run(&r->jobs[job], r->env, v, e);
    if (ok)
        jobs_put(out, v, n * sizeof *v);
    free(v);
    return ok;
}

static bool take(void *ctx, size_t job, const void *p, size_t n)
{
    struct run *r = ctx;
    if (n != check_job_size(&r->jobs[job]) * sizeof **r->verdicts)
        return false;
    memcpy(r->verdicts[job], p, n);
    r->ended++;
    if (r->progress)
        fprintf(stderr, "\r%zu of %zu ", r->ended, r->n);
    return true;
}

static size_t collect(const struct run *r, struct check_verdict **list)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += check_job_size(&r->jobs[i]);
    *list = calloc(n, sizeof **list);
    n = 0;
    for (size_t i = 0; i < r->n; i++)
        for (unsigned k = 0; k < check_job_size(&r->jobs[i]); k++)
            (*list)[n++] = r->verdicts[i][k];
    return n;
}

static bool run_all(struct run *r, unsigned processes, struct check_verdict **list, size_t *n, struct err *e)
{
    r->verdicts = calloc(r->n, sizeof *r->verdicts);
    for (size_t i = 0; i < r->n; i++)
        r->verdicts[i] = calloc(check_job_size(&r->jobs[i]), sizeof **r->verdicts);
    r->progress = isatty(STDERR_FILENO);
    bool ok = jobs_run(r->n, processes, work, take, r, e);
    if (r->progress)
        fputs("\r\033[K", stderr);
    if (ok)
        *n = collect(r, list);
    for (size_t i = 0; i < r->n; i++)
        free(r->verdicts[i]);
    free(r->verdicts);
    return ok;
}

/* ---- the story of one case
 * -------------------------------------------------------------------------------------------------------- */

struct chosen {
    const struct check_job *job;
    char handler[24];
    struct check_number number;
};

/* "sbi-head/64/hk0/5" among the jobs. */
static bool choose_named(const struct run *r, const char *text, struct chosen *c, struct err *e)
{
    char firmware[32];
    unsigned xlen;
    int end = 0, n = 0;
    uint32_t first = 0, second;
    if (sscanf(text, "%31[^/]/%u/%23[^/]/%" SCNu32 "%n", firmware, &xlen, c->handler, &first, &end) != 4)
        end = 0;
    c->number = (struct check_number){first, -1};
    if (end && text[end] == '.' && sscanf(text + end, ".%" SCNu32 "%n", &second, &n) == 1) {
        c->number.second = second;
        end += n;
    }
    if (!end || text[end])
        return err_set(e, "--show '%s': must be FIRMWARE/XLEN/HANDLER/NUMBER, as in sbi-head/64/hk0/5", text);
    for (size_t i = 0; i < r->n; i++)
        if (!strcmp(check_firmware_name(r->jobs[i].firmware), firmware) && r->jobs[i].xlen == xlen) {
            c->job = &r->jobs[i];
            return true;
        }
    return err_set(e, "--show '%s': no such firmware and XLEN among the scenarios asked for", text);
}

/* The first case that departs from a rule. */
static bool choose_first(const struct run *r, struct chosen *c, struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        unsigned n = check_job_size(&r->jobs[i]);
        struct check_verdict *v = calloc(n, sizeof *v);
        bool ok = check_run(&r->jobs[i], r->env, v, e);
        for (unsigned k = 0; ok && k < n && !c->job; k++)
            if (!v[k].skipped && v[k].first_case.first >= 0) {
                c->job = &r->jobs[i];
                memcpy(c->handler, v[k].handler, sizeof c->handler);
                c->number = v[k].first_case;
            }
        free(v);
        if (!ok)
            return false;
        if (c->job)
            return true;
    }
    return err_set(e, "no case departs from a rule: there is no story to tell");
}

static int show_story(const struct run *r, const char *text)
{
    struct err e;
    struct chosen c = {0};
    if (!(text ? choose_named(r, text, &c, &e) : choose_first(r, &c, &e)))
        return cli_error(&e);
    return check_story(c.job, r->env, c.handler, c.number, stdout, &e) ? CLI_OK : cli_error(&e);
}

/* ---- the verb
 * ---------------------------------------------------------------------------------------------------------------------- */

static int run_and_show(struct run *r, const struct check_command *c)
{
    struct err e;
    struct check_verdict *list = NULL;
    size_t n = 0;
    double began = session_clock(), busy = session_processor();
    if (!run_all(r, (unsigned)c->processes, &list, &n, &e))
        return cli_error(&e);
    double took = session_clock() - began;
    busy = session_processor() - busy;
    bool ok = !c->junit || check_write_junit(c->junit, list, n, took, &e);
    if (ok && c->json)
        check_show_json(list, n);
    else if (ok)
        check_show_table(list, n, took, busy, c->verbose, cli_colour(STDOUT_FILENO));
    int status = ok ? (check_all_expected(list, n) ? CLI_OK : CLI_FAILED) : cli_error(&e);
    free(list);
    return status;
}

int verb_check(int argc, char **argv)
{
    struct check_command c = {0};
    struct err e;
    struct check_env env;
    char roms[4096], cache[4096];
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    if (c.show && !c.story)
        return cli_errorf("'%s': a case is for --show", c.show);
    if (c.list) {
        check_show_list();
        return CLI_OK;
    }
    if (!find_images(&env, roms, cache, sizeof roms, &e))
        return cli_error(&e);
    env.events = c.events;
    struct run r = {.env = &env};
    const struct check_choice choice = {c.names, c.nnames, c.firmware, (unsigned)c.xlen, c.full};
    struct check_job *jobs = check_plan(&choice, &r.n, &e);
    if (!jobs)
        return cli_error(&e);
    r.jobs = jobs;
    int status = c.story ? show_story(&r, c.show) : run_and_show(&r, &c);
    free(jobs);
    return status;
}
