/*
 * Events at a rate: a counter of the kernel's and its program's instructions overflows every 1, 2, … 64 of them, from random
 * phases on, and each overflow is an event. No boundary is chosen and nothing is compared with an undisturbed run: monitors
 * (riscv/monitor.h) watch that what comes back is what was interrupted, and that the kernel and its program stay where they
 * belong.
 */
#include "base/bits.h"
#include "base/rng.h"
#include "debug/check_internal.h"
#include "debug/check_parts.h"
#include "debug/riscv/monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HART = 0, BOOT_CYCLES = 100000000, CHUNK_CYCLES = 1000000, PERIODS = 64, EVENTS = 100, RESTARTS = 20 };
enum { EXIT_PROGRAM = 4 };          /* the program has got another number for its call than it expected */
enum { SLOT_PERIOD = 7 };           /* firmware/riscv/common/slot.h: what the handler starts its counter with again */
enum { NEW_PHASE = 8, AGAIN = 32 }; /* one event in so many gets a new phase; comes again while its handler runs */

static const struct row {
    enum sse_form form;
    enum check_handler_id handler;
    uint64_t a3, b1, b2;
} rows[] = {
#define SOME                            CHECK_SOME
#define RATE(form, handler, a3, b1, b2) {SSE_FORM_##form, CHECK_HANDLER_##handler, a3, b1, b2},
#include "debug/check.def"
};

static const struct row *job_row(const struct check_job *job, unsigned i)
{
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        if (rows[k].form == check_firmware(job->firmware)->form && !i--)
            return &rows[k];
    return NULL;
}

unsigned rate_size(const struct check_job *job)
{
    unsigned n = 0;
    while (job_row(job, n))
        n++;
    return n;
}

/* ---- the machine ------------------------------------------------------------------------------------------------------------
 */

struct rate {
    struct machine *base, *m; /* where the program's calls begin, and the one that runs */
    unsigned xlen;
    uint64_t slot, select, count, user_start, user_end, handler_start, handler_end;
    struct monitor *fresh, *monitor;
    struct check_verdict *v;
    FILE *to; /* NULL: no story */
    uint64_t rng;

    uint64_t events, calls; /* of this machine: injections, system calls of the program */
    uint64_t wanted;        /* events */
    unsigned period;
    /* The counter overflows before its handler is done: the event is signalled while it is RUNNING and comes again behind it. */
    enum { ONCE, WILL_COME_AGAIN, COMES_AGAIN, CAME_AGAIN } again;
    struct rv_view first; /* what the handler interrupted that it comes again behind */
    bool broken;          /* it came again, but not as it must */
    uint64_t repeats, all_calls;
};

static void poke(struct rate *r, uint64_t at, uint64_t value) { machine_write(r->m, at, &value, r->xlen / 8); }

static void set_period(struct rate *r, int64_t period) { poke(r, r->slot + SLOT_PERIOD * (r->xlen / 8), (uint64_t)period); }

static void set_phase(struct rate *r)
{
    uint64_t value = -(1 + rng_next(&r->rng) % r->period);
    machine_set_reg(r->m, HART, "mhpmcounter3", value);
    machine_set_reg(r->m, HART, "mhpmcounter3h", value >> 32); /* RV32's */
}

/* ---- watching ---------------------------------------------------------------------------------------------------------------
 */

static void count_violations(struct rate *r, struct machine *m)
{
    static const struct {
        const char *name;
        unsigned rule;
    } rules[] = {{"A3", RULE_A3}, {"B1", RULE_B1}, {"B2", RULE_B2}, {"B3", RULE_B3}, {"B5", RULE_B5}};
    char text[1024];
    for (unsigned i = 0; i < r->monitor->nfound; i++) {
        const struct monitor_violation *v = &r->monitor->found[i];
        for (unsigned k = 0; k < ARRAY_LEN(rules); k++)
            r->v->departs[rules[k].rule] += !strcmp(v->rule, rules[k].name);
        if (r->to) {
            monitor_text(r->monitor, m, v, text, sizeof text);
            fprintf(r->to, "event %" PRIu64 ": %s\n", r->events, text);
        }
        if (r->v->first_case.first >= 0)
            continue;
        r->v->first_case.first = r->period;
        snprintf(r->v->first, sizeof r->v->first, "period %u, event %" PRIu64 ": rule %s: %.200s", r->period, r->events, v->rule,
                 v->diffs ? v->diff[0].name : v->what);
    }
}

/* An event was injected into `at`. Behind the handler whose counter overflowed too early it comes exactly once more, and before
   what that one interrupted has gone on. */
static void see_injection(struct rate *r, const struct rv_view *at)
{
    r->events++;
    switch (r->again) {
    case ONCE: break;
    case WILL_COME_AGAIN:
        r->first = *at;
        r->again = COMES_AGAIN;
        break;
    case COMES_AGAIN:
        r->broken |= view_differs(&r->first, at, 0) != UINT32_MAX;
        r->repeats++;
        r->again = CAME_AGAIN;
        machine_break(r->m, HART);
        break;
    case CAME_AGAIN:
        r->broken |= view_differs(&r->first, at, 0) == UINT32_MAX;
        r->again = ONCE;
        break;
    }
}

static void watch(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct rate *r = ctx;
    const struct sse_hart *h = &monitor_oracle(r->monitor)->hart[HART];
    uint64_t before = monitor_oracle(r->monitor)->injections;
    if (monitor_feed(r->monitor, m, c))
        count_violations(r, m);
    bool call = !c->is_return && !c->interrupt && c->cause == 8;
    r->calls += call && c->epc >= r->user_start && c->epc < r->user_end;
    if (monitor_oracle(r->monitor)->injections == before || !h->depth)
        return;
    see_injection(r, &h->frame[h->depth - 1].at);
    if (!(r->events % NEW_PHASE) || r->events == r->wanted)
        machine_break(m, HART);
}

/* ---- one machine -------------------------------------------------------------------------------------------------------------
 */

/* Runs until `events` events were handled, or the kernel is lost. False: it was. */
static bool run(struct rate *r, uint64_t events)
{
    machine_restore(r->m, r->base);
    monitor_copy(r->monitor, r->fresh);
    r->events = r->calls = 0;
    r->wanted = events;
    r->again = ONCE;
    set_period(r, r->period);
    set_phase(r);
    for (unsigned idle = 0; r->events < events && idle < 4; idle++) {
        uint64_t was = r->events;
        enum machine_stop why = machine_run(r->m, CHUNK_CYCLES);
        if (why != MACHINE_DEBUG && why != MACHINE_CYCLES)
            return false;
        if (r->events != was)
            idle = 0;
        if (r->again == CAME_AGAIN)
            set_period(r, r->period);
        else if (r->again == ONCE && why == MACHINE_DEBUG && !(rng_next(&r->rng) % (AGAIN / NEW_PHASE))) {
            set_period(r, -1 - (int64_t)(rng_next(&r->rng) % 4));
            r->again = WILL_COME_AGAIN;
        } else if (r->again == ONCE && why == MACHINE_DEBUG)
            set_phase(r);
    }
    return r->events >= events;
}

/* The program's calls are counted one by one: as often as it traps from its text, but for the one that is under way. */
static bool calls_counted(const struct rate *r)
{
    uint64_t count = 0;
    machine_read(r->m, r->count, &count, r->xlen / 8);
    return count == r->calls || count + 1 == r->calls;
}

static void unexpected(struct check_verdict *v, unsigned period, const char *what)
{
    if (v->as_expected)
        snprintf(v->why, sizeof v->why, "period %u: %s", period, what);
    v->as_expected = false;
}

/* All events of one period. good: nothing may be lost. */
static void do_period(struct rate *r, uint64_t events, bool good)
{
    uint64_t done = 0;
    for (unsigned n = 0; done < events && n < RESTARTS; n++) {
        bool whole = run(r, events - done);
        done += r->events;
        r->all_calls += r->calls;
        if (!good)
            continue;
        bool refused = !whole && machine_exit_code(r->m) == EXIT_PROGRAM;
        if (!whole && !refused)
            unexpected(r->v, r->period, "the kernel is lost");
        else if (refused || !calls_counted(r)) {
            r->v->departs[RULE_B6]++;
            unexpected(r->v, r->period, "the program's calls are not counted one by one");
        }
        if (r->broken)
            unexpected(r->v, r->period,
                       "an event that was signalled while it ran does not come exactly once more, right behind it");
    }
    r->v->cases += done;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------------
 */

static bool open_machine(struct rate *r, const struct check_job *job, const struct check_env *env, bool *missing, struct err *e)
{
    char bios[1024], kernel[1024], cpu[32];
    const struct {
        const char *name;
        uint64_t *value;
    } symbols[] = {{"handler_slot", &r->slot},           {"handler_select", &r->select},
                   {"kernel_count", &r->count},          {"user_text_start", &r->user_start},
                   {"user_text_end", &r->user_end},      {"handler_text_start", &r->handler_start},
                   {"handler_text_end", &r->handler_end}};
    uint64_t pass;
    check_paths(job, env, bios, kernel, sizeof bios);
    *missing = check_firmware(job->firmware)->cached && access(bios, R_OK);
    if (*missing)
        return err_set(e, "%s is not there", bios);
    snprintf(cpu, sizeof cpu, "rv%u,h=off", job->xlen);
    const struct machine_config config = {
        .board = "virt", .cpu = cpu, .bios = bios, .kernel = kernel, .append = job->scenario->options};
    r->xlen = job->xlen;
    r->m = machine_new(&config, e);
    for (size_t i = 0; r->m && i < ARRAY_LEN(symbols); i++)
        if (!machine_symbol(r->m, symbols[i].name, symbols[i].value))
            return err_set(e, "%s has no symbol %s", kernel, symbols[i].name);
    if (!r->m)
        return false;
    if (!machine_symbol(r->m, "probe_pass", &pass))
        return err_set(e, "%s has no symbol probe_pass", kernel);
    struct monitor_config monitor = {0};
    r->fresh = calloc(1, sizeof *r->fresh);
    r->monitor = calloc(1, sizeof *r->monitor);
    if (!monitor_parse(&monitor, "sse,rules=A3+B1+B2+B3+B5", e) || !monitor_start(r->monitor, &monitor, r->m, e))
        return false;
    machine_watch(r->m, watch, r);
    machine_breakpoint(r->m, HART, pass, true);
    if (machine_run(r->m, BOOT_CYCLES) != MACHINE_DEBUG)
        return err_set(e, "%s did not reach probe_pass", kernel);
    machine_breakpoint(r->m, HART, pass, false);
    monitor_copy(r->fresh, r->monitor);
    r->base = r->m;
    r->m = machine_fork(r->base);
    machine_watch(r->m, watch, r);
    return true;
}

static void close_machine(struct rate *r)
{
    machine_free(r->m);
    if (r->base)
        machine_free(r->base);
    monitor_end(r->fresh);
    monitor_end(r->monitor);
    free(r->fresh);
    free(r->monitor);
}

static void begin_row(struct rate *r, const struct row *row, struct check_verdict *v)
{
    r->v = v;
    r->rng = 1;
    r->broken = false;
    r->repeats = r->all_calls = 0;
    v->has_counts = v->as_expected = true;
    for (unsigned i = 0; i < CHECK_COUNTS; i++)
        v->expected[i] = CHECK_ANY;
    v->expected[RULE_A3] = row->a3;
    v->expected[RULE_B1] = row->b1;
    v->expected[RULE_B2] = row->b2;
    v->expected[RULE_B3] = v->expected[RULE_B5] = v->expected[RULE_B6] = 0;
}

static void run_row(struct rate *r, const struct row *row, uint64_t events)
{
    bool good = !row->b1;
    uint64_t select = check_handler(row->handler)->select;
    machine_write(r->base, r->select, &select, r->xlen / 8);
    for (r->period = 1; r->period <= PERIODS; r->period++)
        do_period(r, good ? events : events / 10 + 1, good);
    if (good && (!r->repeats || !r->all_calls))
        unexpected(r->v, PERIODS, r->repeats ? "the program has made no call" : "no event was signalled while it ran");
}

bool rate_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e)
{
    struct rate r = {0};
    bool missing = false, ok = true;
    for (unsigned i = 0; i < rate_size(job); i++)
        verdict_begin(&out[i], job, check_handler(job_row(job, i)->handler)->name);
    r.v = out; /* the boot has no violation to count */
    ok = open_machine(&r, job, env, &missing, e);
    for (unsigned i = 0; i < rate_size(job); i++) {
        out[i].skipped = missing;
        if (missing)
            snprintf(out[i].why, sizeof out[i].why, "%.250s", e->text);
        if (!ok)
            continue;
        begin_row(&r, job_row(job, i), &out[i]);
        run_row(&r, job_row(job, i), env->events ? env->events : EVENTS);
        check_counts(&out[i]);
    }
    close_machine(&r);
    return ok || missing;
}

/* The violations of one period. */
bool rate_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                FILE *to, struct err *e)
{
    struct rate r = {0};
    struct check_verdict v;
    bool missing;
    unsigned i = 0;
    while (job_row(job, i) && strcmp(check_handler(job_row(job, i)->handler)->name, handler))
        i++;
    const struct row *row = job_row(job, i);
    if (!row)
        return err_set(e, "%s has no handler %s", job->scenario->name, handler);
    if (number.first < 1 || number.first > PERIODS || number.second >= 0)
        return err_set(e, "%s has periods of 1 to %d instructions", job->scenario->name, PERIODS);
    verdict_begin(&v, job, handler);
    r.v = &v;
    bool ok = open_machine(&r, job, env, &missing, e);
    if (ok) {
        uint64_t select = check_handler(row->handler)->select;
        begin_row(&r, row, &v);
        r.to = to;
        r.period = (unsigned)number.first;
        fprintf(to, "%s, %s, RV%u, handler %s, an event every %u instructions\n", job->scenario->name,
                check_firmware_name(job->firmware), job->xlen, handler, r.period);
        machine_write(r.base, r.select, &select, r.xlen / 8);
        bool whole = run(&r, env->events ? env->events : EVENTS);
        fprintf(to, "%" PRIu64 " events%s\n", r.events, whole ? "" : "; the kernel is lost");
    }
    close_machine(&r);
    return ok;
}
