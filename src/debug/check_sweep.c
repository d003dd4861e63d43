/*
 * Windows swept: the payload's window is interrupted at every instruction, with one handler after another (debug/sweep.h). What
 * comes back is told by the state at each boundary: by the firmware's form and the handler, so every boundary is expected to be
 * transparent or not, and in which registers.
 */
#include "base/bits.h"
#include "debug/check_internal.h"
#include "debug/check_parts.h"
#include "debug/check_story.h"
#include "debug/context.h"
#include "debug/sweep.h"
#include "debug/sweep_result.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HART = 0, BOOT_CYCLES = 100000000, WINDOW_MAX = 20000, RAM_BASE = 0x80000000u, CAUSE_EBREAK = 3 };

#define SECOND_EVENT  0xffff0000u /* which the payloads register besides the first: local, software */
#define SECOND_SOURCE 0x10000u    /* and where it is to come by itself: counter overflow */

/* Of sstatus, what the operating system's shape of a handler turns off. */
enum { STATUS_FS = 3 << 13, STATUS_VS = 3 << 9, STATUS_SUM = 1 << 18, HSTATUS_GVA = 1 << 6 };

static const struct row {
    enum check_scenario_id scenario;
    enum sse_form form;
    enum check_handler_id handler;
    uint64_t fails;
} rows[] = {
#define SOME                                   CHECK_SOME
#define SWITCH(scenario, form, handler, fails) {SCENARIO_##scenario, SSE_FORM_##form, CHECK_HANDLER_##handler, fails},
#include "debug/check.def"
};

/* Whose rows a scenario has: how an event comes makes no difference to what becomes of it. */
static enum check_scenario_id rows_of(const struct check_scenario *s)
{
    if (!s->inject)
        return (enum check_scenario_id)(s - check_scenario(0));
    return check_asks_b(&(struct check_job){.scenario = s}) ? SCENARIO_s2_kernel : SCENARIO_s1_switch;
}

/* All firmware, with all handlers, and every case of the second order is judged by itself. */
static bool nests_all(const struct check_job *job) { return job->scenario->nest && job->scenario->is_long; }

/* What HK7 injects must not be the event that it handles: it would have no end. */
static bool injects_itself(const struct check_job *job, enum check_handler_id h)
{
    return job->scenario == check_scenario(SCENARIO_s1_soft) && check_handler(h)->effect == SSE_EFFECT_PREEMPT;
}

/* The i-th handler of the job, and how many cases fail. False: it has no more. */
static bool job_row(const struct check_job *job, unsigned i, struct row *out)
{
    const struct check_firmware *f = check_firmware(job->firmware);
    *out = (struct row){.handler = i};
    if (nests_all(job))
        return !f->cached && i < CHECK_HANDLERS;
    if (job->scenario->nest && (f->cached || f->quirks != QUIRK_NONE))
        return false;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        if (rows[k].scenario == rows_of(job->scenario) && rows[k].form == f->form && !injects_itself(job, rows[k].handler) &&
            !i--) {
            *out = rows[k];
            return true;
        }
    return false;
}

static const struct check_handler *job_handler(const struct check_job *job, unsigned i)
{
    struct row row;
    return job_row(job, i, &row) ? check_handler(row.handler) : NULL;
}

unsigned switch_size(const struct check_job *job)
{
    unsigned n = 0;
    while (job_handler(job, n))
        n++;
    return n;
}

/* ---- the window
 * ------------------------------------------------------------------------------------------------------------------ */

struct window {
    struct machine *m; /* before it has run */
    struct sweep *sweep;
    struct sse_hart_has has;
    uint64_t normal_vector, handler_start;
    struct rv_view *at; /* the hart at each boundary */
    uint32_t n;
    struct inject_event event, nest;
    struct sweep_variant *variant; /* one a handler of the job */
    struct sweep_range ignore[2], handler;
    unsigned xlen;
};

static bool symbol(struct window *w, const char *name, uint64_t *value, struct err *e)
{
    return machine_symbol(w->m, name, value) || err_set(e, "the payload has no symbol %s", name);
}

/* What the hart is at each boundary from `from` to `to`. */
static bool look(struct window *w, uint64_t from, uint64_t to, struct err *e)
{
    struct machine *m = machine_fork(w->m);
    struct rv_features f;
    machine_breakpoint(m, HART, from, true);
    bool there = machine_run(m, BOOT_CYCLES) == MACHINE_DEBUG;
    machine_breakpoint(m, HART, from, false);
    view_features(&f, m, HART);
    w->has = sse_hart_has_of(&f);
    w->at = calloc(WINDOW_MAX, sizeof *w->at);
    for (w->n = 0; there && w->n < WINDOW_MAX; w->n++) {
        view_take(&w->at[w->n], m, HART);
        if (w->at[w->n].pc == to || machine_step(m, HART) != MACHINE_DEBUG)
            break;
    }
    there = there && w->n < WINDOW_MAX && w->at[w->n].pc == to;
    machine_free(m);
    return there || err_set(e, "the payload does not go through its window");
}

static bool make_variants(struct window *w, const struct check_job *job, uint64_t select, uint64_t arg)
{
    unsigned n = switch_size(job);
    w->variant = calloc(n, sizeof *w->variant);
    for (unsigned i = 0; i < n; i++) {
        const struct check_handler *h = job_handler(job, i);
        snprintf(w->variant[i].name, sizeof w->variant[i].name, "%s", h->name);
        w->variant[i].poke[0] = (struct sweep_poke){.va = select, .value = h->select, .size = w->xlen / 8};
        w->variant[i].poke[1] = (struct sweep_poke){.va = arg, .value = nests_all(job) ? SECOND_SOURCE : SECOND_EVENT, .size = w->xlen / 8};
        w->variant[i].pokes = h->effect == SSE_EFFECT_PREEMPT ? 2 : 1;
    }
    return true;
}

static bool start_sweep(struct window *w, const struct check_job *job, struct err *e)
{
    struct sweep_config c = {.hart = HART,
                             .event = &w->event,
                             .events = 1,
                             .nest = job->scenario->nest ? &w->nest : NULL,
                             .all_seconds = nests_all(job),
                             .variant = w->variant,
                             .variants = switch_size(job),
                             .ignore = w->ignore,
                             .ignores = ARRAY_LEN(w->ignore),
                             .handler = &w->handler,
                             .handlers = 1,
                             .case_cycles = SWEEP_CASE_CYCLES,
                             .reach_cycles = BOOT_CYCLES,
                             .window_cycles = BOOT_CYCLES};
    struct machine *m = machine_fork(w->m);
    bool ok = inject_parse_point("window_start", &c.from, e) && inject_parse_point("window_end", &c.to, e);
    w->sweep = ok ? sweep_new(&c, m, e) : NULL;
    if (!ok)
        machine_free(m);
    return w->sweep != NULL;
}

static bool prepare(struct window *w, const struct check_job *job, struct err *e)
{
    uint64_t from, to, select, arg, base;
    if (!symbol(w, "window_start", &from, e) || !symbol(w, "window_end", &to, e) || !symbol(w, "handler_select", &select, e) ||
        !symbol(w, "handler_arg", &arg, e) || !symbol(w, "payload_base", &base, e) ||
        !symbol(w, "normal_vector", &w->normal_vector, e) || !symbol(w, "scratch_start", &w->ignore[1].start, e) ||
        !symbol(w, "scratch_end", &w->ignore[1].end, e) || !symbol(w, "handler_text_start", &w->handler.start, e) ||
        !symbol(w, "handler_text_end", &w->handler.end, e))
        return false;
    w->ignore[0] = (struct sweep_range){RAM_BASE, base}; /* the firmware's */
    w->handler_start = w->handler.start;
    return look(w, from, to, e) && make_variants(w, job, select, arg) && start_sweep(w, job, e);
}

static void window_close(struct window *w)
{
    if (w->sweep)
        sweep_free(w->sweep);
    if (w->m)
        machine_free(w->m);
    free(w->at);
    free(w->variant);
}

static bool window_open(struct window *w, const struct check_job *job, const struct check_env *env, bool *missing, struct err *e)
{
    const struct check_firmware *f = check_firmware(job->firmware);
    const struct check_scenario *s = job->scenario;
    bool caller = s->nest || (s->inject && !strncmp(s->inject, "sse:", 4)); /* another hart makes the call */
    char bios[1024], kernel[1024], append[128], cpu[96], event[32];
    *w = (struct window){.xlen = job->xlen};
    check_paths(job, env, bios, kernel, sizeof bios);
    *missing = f->cached && access(bios, R_OK);
    if (*missing)
        return err_set(e, "%s is not there", bios);
    snprintf(append, sizeof append, "event=0x%" PRIx32 " %s", f->event, s->options);
    snprintf(cpu, sizeof cpu, "rv%u%s%s", job->xlen, s->h ? "" : ",h=off", s->cpu ? s->cpu : "");
    snprintf(event, sizeof event, "mip:%u", f->line);
    if (s->inject)
        snprintf(event, sizeof event, "%s", s->inject);
    const struct machine_config config = {
        .board = "virt", .cpu = cpu, .bios = bios, .kernel = kernel, .append = append, .harts = caller ? 2 : 1};
    if (s->nest && !inject_parse_event(s->nest, HART, &w->nest, e))
        return false;
    if (!inject_parse_event(event, HART, &w->event, e))
        return false;
    w->m = machine_new(&config, e);
    if (w->m && prepare(w, job, e))
        return true;
    window_close(w);
    return false;
}

/* ---- what must come back
 * --------------------------------------------------------------------------------------------------------- */

/* Whether a second event brings the handler back with V=1: what becomes of that nobody can say. */
static bool loses_handler(enum sse_form form, const struct check_handler *h, const struct rv_view *x)
{
    return form == SSE_FORM_HEAD && h->effect == SSE_EFFECT_PREEMPT && (x->v || (x->csr[VIEW_hstatus] & VIEW_SPV));
}

/* Whether the handler's trap goes astray: to a vector that is not for it. What becomes of that nobody can say. So does its first
   instruction where a landing pad is expected of it. */
static bool goes_astray(const struct window *w, enum sse_form form, const struct check_handler *h, const struct rv_view *x)
{
    if (x->elp && form != SSE_FORM_SPEC)
        return true;
    return !h->vector && (h->effect == SSE_EFFECT_NESTED || x->csr[VIEW_stvec] != w->normal_vector);
}

static void put(uint64_t *word, uint64_t bit, bool on) { *word = on ? *word | bit : *word & ~bit; }

/* Besides the context: what a nested trap (an ebreak) writes and the handler does not put back. */
static void predict_others(const struct window *w, const struct check_handler *h, struct rv_view *r)
{
    if (*h->lost_h && w->has.h)
        r->csr[VIEW_htval] = r->csr[VIEW_htinst] = 0;
    if (h->effect == SSE_EFFECT_SSTATUS)
        put(&r->csr[VIEW_hstatus], HSTATUS_GVA, false);
    if (h->effect == SSE_EFFECT_NO_SSTATUS)
        r->csr[VIEW_sstatus] &= ~((uint64_t)(STATUS_FS | STATUS_VS | STATUS_SUM) | UINT64_C(1) << (w->xlen - 1)); /* and SD */
}

static void predict(const struct window *w, const struct check_firmware *f, const struct check_handler *h,
                    const struct rv_view *x, struct rv_view *r)
{
    struct sse_context c;
    struct sse_outcome o;
    const struct sse_action action = {.effect = h->effect, .handler_pc = w->handler_start};
    sse_context_of(x, &c);
    sse_form_run(f->form, &w->has, &c, 0, 0, HART, &action, &o);
    *r = *x;
    predict_others(w, h, r);
    r->pc = o.resumed.pc;
    r->priv = o.resumed.s;
    r->v = o.resumed.v;
    r->elp = o.resumed.elp;
    r->csr[VIEW_sepc] = o.resumed.sepc;
    uint64_t *sstatus = &r->csr[VIEW_sstatus], *hstatus = &r->csr[VIEW_hstatus];
    put(sstatus, VIEW_SIE, o.resumed.sie);
    put(sstatus, VIEW_SPIE, o.resumed.spie);
    put(sstatus, VIEW_SPP, o.resumed.spp);
    put(hstatus, VIEW_SPV, o.resumed.spv);
    put(hstatus, VIEW_SPVP, o.resumed.spvp);
    if (f->form == SSE_FORM_P1 || f->form == SSE_FORM_PRIVATE)
        *hstatus = x->csr[VIEW_hstatus]; /* all of it is kept by the firmware */
}

/* ---- judging
 * ---------------------------------------------------------------------------------------------------------------------- */

struct judging {
    const struct window *w;
    const struct check_job *job;
    struct check_verdict *out; /* one a handler */
    struct astray {
        uint32_t variant, boundary;
    } * astray; /* cases whose handler's trap goes astray: room for all cases */
    size_t nastray;
    bool unsure[CHECK_HANDLERS]; /* of the handler: a second event has interrupted what the firmware's form does not bring back */
};

static void unexpected(struct check_verdict *v, const struct sweep_case *c, const char *where, const char *what)
{
    if (v->as_expected)
        snprintf(v->why, sizeof v->why, "boundary %" PRIu32 " at 0x%" PRIx64 " %s: %.180s", c->boundary, c->pc, where, what);
    v->as_expected = false;
}

static const struct sweep_diff *diff_of(const struct sweep_case *c, const char *name)
{
    for (uint32_t i = 0; c->detail && i < c->detail->diffs; i++)
        if (!strcmp(c->detail->diff[i].name, name))
            return &c->detail->diff[i];
    return NULL;
}

/* The registers that differ are those that were predicted, with those values, no other and no memory. */
static void judge_registers(const struct rv_view *x, const struct rv_view *r, const struct sweep_case *c, struct check_verdict *v)
{
    char text[96];
    uint32_t n = 0;
    for (uint32_t i = view_differs(x, r, 0); i != UINT32_MAX; i = view_differs(x, r, i + 1), n++) {
        const struct sweep_diff *d = diff_of(c, view_name(i));
        if (d && d->to == view_value(r, i))
            continue;
        snprintf(text, sizeof text, "%s should have become 0x%" PRIx64, view_name(i), view_value(r, i));
        unexpected(v, c, c->detail ? c->detail->where : "", text);
    }
    if (c->detail && c->detail->diffs != n)
        unexpected(v, c, c->detail->where, c->detail->diffs ? c->detail->diff[0].name : c->detail->text);
}

/* Which of the rules of a kernel's context r breaks, x having been interrupted. */
static void judge_b(const struct rv_view *x, const struct rv_view *r, uint64_t count[CHECK_COUNTS])
{
    uint64_t a = x->csr[VIEW_sstatus], b = r->csr[VIEW_sstatus];
    count[RULE_B1] += x->priv != r->priv || ((a ^ b) & (VIEW_SIE | VIEW_SPIE | VIEW_SPP));
    count[RULE_B2] += x->priv != r->priv;
    count[RULE_B3] += (b & ~a & VIEW_SIE) != 0;
    count[RULE_B5] += x->csr[VIEW_sscratch] != r->csr[VIEW_sscratch] || x->csr[VIEW_stvec] != r->csr[VIEW_stvec];
}

/* What came back, as far as the rules B look at it. */
static struct rv_view resumed(const struct rv_view *x, const struct sweep_case *c)
{
    struct rv_view r = *x;
    const struct sweep_diff *d;
    if ((d = diff_of(c, "P")))
        r.priv = (uint8_t)d->to;
    if ((d = diff_of(c, "sstatus")))
        r.csr[VIEW_sstatus] = d->to;
    if ((d = diff_of(c, "sscratch")))
        r.csr[VIEW_sscratch] = d->to;
    if ((d = diff_of(c, "stvec")))
        r.csr[VIEW_stvec] = d->to;
    return r;
}

static void note_first(struct check_verdict *v, const struct sweep_case *c)
{
    const struct sweep_detail *d = c->detail;
    if (v->first_case.first >= 0)
        return;
    v->first_case = (struct check_number){c->boundary, c->nested == SWEEP_NONE ? -1 : (int64_t)c->nested};
    if (d && d->diffs)
        snprintf(v->first, sizeof v->first, "%s (%s): %s 0x%" PRIx64 " -> 0x%" PRIx64, d->where, d->mode, d->diff[0].name,
                 d->diff[0].from, d->diff[0].to);
    else if (d)
        snprintf(v->first, sizeof v->first, "%s (%s): %.150s", d->where, d->mode, d->text);
}

/* All second events in the handling of case c. Their handler leaves everything as it was, so what they interrupt comes back, but
   for a firmware that makes V of a sticky SPV: that is 1 in the first handler if it was 1, or V was, in what that one
   interrupted. */
static void judge_nested(const struct judging *j, const struct sweep_case *c, struct check_verdict *v)
{
    const struct rv_view *x = &j->w->at[c->boundary];
    v->same += c->nest_same;
    uint32_t cases = c->nest_cases - c->nest_same, fails = cases - c->nest_pass;
    bool sticky = check_firmware(j->job->firmware)->form == SSE_FORM_HEAD && (x->v || (x->csr[VIEW_hstatus] & VIEW_SPV));
    v->cases += cases;
    v->departs[RULE_A3] += fails;
    if (!cases || c->nest_handled != c->nest_cases)
        unexpected(v, c, "", "not every second event was handled");
    else if (!fails != !sticky)
        unexpected(v, c, "", fails ? "a second event is not transparent" : "every second event is transparent");
}

/* Whether the firmware's form brings back whatever a second event interrupts, its handler being HK0. */
static bool is_transparent(const struct judging *j, const struct rv_view *y)
{
    static const struct sse_action nothing = {.effect = SSE_EFFECT_NONE};
    struct sse_context x;
    struct sse_outcome o;
    unsigned i = 0;
    uint64_t a, b;
    sse_context_of(y, &x);
    sse_form_run(check_firmware(j->job->firmware)->form, &j->w->has, &x, 0, 0, HART, &nothing, &o);
    return !sse_context_differs(&x, &o.resumed, &i, &a, &b);
}

/* One second event. Where the form brings back what it interrupts, everything ends as it does without it; but a first handler that
   goes astray reads memory that nobody has promised to leave alone. */
static void judge_second(const struct sweep_case *c, struct judging *j, struct check_verdict *v)
{
    const struct check_handler *h = job_handler(j->job, c->variant);
    const struct rv_view *x = &j->w->at[c->boundary];
    enum sse_form form = check_firmware(j->job->firmware)->form;
    const struct rv_view *y = (const struct rv_view *)(const void *)(c->was ? c->was->byte : NULL);
    bool transparent = y && (y->priv == 3 || is_transparent(j, y));
    bool lost = goes_astray(j->w, form, h, x) || loses_handler(form, h, x);
    v->cases++;
    v->departs[RULE_A3] += !c->as_first;
    if (!transparent || lost) /* of HK0, which does nothing about it, some must show; what others make of it nobody can say */
        j->unsure[c->variant] = true;
    if (!c->as_first)
        note_first(v, c);
    if (lost ? c->verdict == SWEEP_PASS : !c->as_first && transparent)
        unexpected(v, c, c->detail ? c->detail->where : "", "a second event that comes back as it was changes what becomes of the first");
    else if (!y && !c->as_first)
        unexpected(v, c, c->detail ? c->detail->where : "", "the second event was not taken");
}

static bool judge_case(void *ctx, const struct sweep_case *c)
{
    struct judging *j = ctx;
    struct check_verdict *v = &j->out[c->variant];
    const struct check_handler *h = job_handler(j->job, c->variant);
    if (nests_all(j->job)) {
        if (c->verdict == SWEEP_SAME && !c->as_first)
            v->same++;
        else if (c->nested != SWEEP_NONE)
            judge_second(c, j, v);
        return true;
    }
    if (c->nested != SWEEP_NONE) {
        note_first(v, c);
        return true;
    }
    if (c->verdict == SWEEP_SAME) {
        v->same++;
        return true;
    }
    if (c->boundary >= j->w->n || j->w->at[c->boundary].pc != c->pc) {
        unexpected(v, c, "", "this is not the boundary that was looked at");
        return true;
    }
    if (j->job->scenario->nest) {
        judge_nested(j, c, v);
        return true;
    }
    v->cases++;
    const struct rv_view *x = &j->w->at[c->boundary];
    struct rv_view r;
    bool fails = c->verdict != SWEEP_PASS;
    const char *where = c->detail ? c->detail->where : "";
    v->departs[RULE_A3] += fails;
    if (fails)
        note_first(v, c);
    if (c->verdict == SWEEP_LOST || c->verdict == SWEEP_REFUSED) {
        unexpected(v, c, where, "the event was not taken");
    } else if (x->priv == 3) {
        if (fails)
            unexpected(v, c, where, "an event that came in M is not transparent");
    } else if (loses_handler(check_firmware(j->job->firmware)->form, h, x)) {
        if (!fails)
            unexpected(v, c, where, "transparent, although its handler came back with V=1");
    } else if (goes_astray(j->w, check_firmware(j->job->firmware)->form, h, x)) {
        if (!fails)
            unexpected(v, c, where, "transparent, although the handler's trap went astray");
        j->astray[j->nastray++] = (struct astray){c->variant, c->boundary};
    } else {
        predict(j->w, check_firmware(j->job->firmware), h, x, &r);
        if (c->verdict != SWEEP_PASS && c->verdict != SWEEP_VIOLATION)
            unexpected(v, c, where, c->detail ? c->detail->text : "it did not come to its end");
        else
            judge_registers(x, &r, c, v);
        v->departs[RULE_A6] += diff_of(c, "V") != NULL;
        v->expected[RULE_A6] += x->v != r.v;
        if (check_asks_b(j->job)) {
            const struct rv_view real = resumed(x, c);
            judge_b(x, &real, v->departs);
            judge_b(x, &r, v->expected);
        }
    }
    return true;
}

/* The rules whose numbers the predictions tell. */
static bool is_asked(const struct check_job *job, unsigned rule)
{
    if (rule == RULE_A6)
        return !job->scenario->nest;
    return rule >= RULE_B1 && rule <= RULE_B5 && rule != RULE_B4 && check_asks_b(job);
}

/* A trap that goes astray goes where the interrupted stvec points: no other vector may run. Such runs have no end, so each is
   long: of many, every 16th is looked at, unless all are asked for. */
struct look_for {
    const struct window *w;
    uint64_t vector;
    bool seen;
};

static void look_for(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct look_for *l = ctx;
    (void)m;
    l->seen |= c->hart == HART && !c->is_return && c->to_priv == 1 && !c->to_v && c->epc >= l->w->handler.start &&
               c->epc < l->w->handler.end && c->pc == l->vector;
}

static void judge_astray(struct judging *j)
{
    struct err e;
    for (size_t i = 0; i < j->nastray; i += !j->job->full && j->nastray > 32 ? 16 : 1) {
        const struct astray *a = &j->astray[i];
        struct check_verdict *v = &j->out[a->variant];
        struct look_for l = {.w = j->w, .vector = j->w->at[a->boundary].csr[VIEW_stvec] & ~UINT64_C(3)};
        if (v->as_expected && sweep_one(j->w->sweep, 0, a->variant, a->boundary, SWEEP_NONE, NULL, look_for, &l, &e) && !l.seen) {
            v->as_expected = false;
            snprintf(v->why, sizeof v->why, "boundary %" PRIu32 ": no trap of the handler's goes to 0x%" PRIx64, a->boundary,
                     l.vector);
        }
    }
}

bool switch_run(const struct check_job *job, const struct check_env *env, struct check_verdict *out, struct err *e)
{
    struct window w;
    bool missing, ok = window_open(&w, job, env, &missing, e);
    unsigned n = switch_size(job);
    for (unsigned i = 0; i < n; i++) {
        struct row row;
        job_row(job, i, &row);
        verdict_begin(&out[i], job, check_handler(row.handler)->name);
        out[i].skipped = missing;
        if (missing)
            snprintf(out[i].why, sizeof out[i].why, "%.250s", e->text);
        out[i].has_counts = out[i].as_expected = true;
        for (unsigned r = 0; r < CHECK_COUNTS; r++)
            out[i].expected[r] = is_asked(job, r) ? 0 : CHECK_ANY;
        out[i].expected[RULE_A3] = row.fails;
    }
    if (!ok)
        return missing;
    struct judging j = {.w = &w, .job = job, .out = out, .astray = calloc((size_t)n * w.n, sizeof *j.astray)};
    /* Where nearly every second event fails, each eighth boundary of the first will do. */
    bool few = job->scenario->nest && !job->full && !nests_all(job) && check_firmware(job->firmware)->form == SSE_FORM_HEAD;
    sweep_run(w.sweep, 0, few ? 8 : 1, judge_case, &j);
    judge_astray(&j);
    free(j.astray);
    for (unsigned i = 0; i < n; i++) {
        if (j.unsure[i])
            out[i].expected[RULE_A3] = job_handler(job, i)->effect == SSE_EFFECT_NONE ? CHECK_SOME : out[i].departs[RULE_A3];
        check_counts(&out[i]);
    }
    window_close(&w);
    return true;
}

/* ---- the story of a boundary
 * ----------------------------------------------------------------------------------------------------- */

enum { TOLD_MAX = 40 }; /* changes that are told: a run that is lost has no end of them */

struct telling {
    struct window *w;
    struct check_probe p; /* what the story looks at */
    unsigned changes;
};

static void tell_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct telling *t = ctx;
    if (t->changes++ >= TOLD_MAX)
        return;
    story_change(&t->p, m, c);
    if (c->epc == t->p.complete) /* it does not return behind it */
        t->p.calling = false;
}

static bool tell_case(void *ctx, const struct sweep_case *c)
{
    const struct telling *t = ctx;
    const struct sweep_detail *d = c->detail;
    FILE *to = t->p.story;
    if (t->changes > TOLD_MAX)
        fprintf(to, "  and %u traps and returns more\n", t->changes - TOLD_MAX);
    if (c->verdict == SWEEP_SAME)
        fprintf(to, "The event was not taken here, but later, as in another case.\n");
    else if (!d)
        fprintf(to, "It came back as it was.\n");
    for (uint32_t i = 0; d && i < d->diffs; i++)
        fprintf(to, "Rule %s: %s 0x%" PRIx64 " -> 0x%" PRIx64 "\n",
                strcmp(d->diff[i].name, "V") ? "A3 is broken (what was interrupted comes back as it was)"
                                             : "A6 is broken (no code goes on in the other virtualization mode)",
                d->diff[i].name, d->diff[i].from, d->diff[i].to);
    if (d && *d->text)
        fprintf(to, "%s\n", d->text);
    return true;
}

static bool tell(struct window *w, unsigned variant, struct check_number number, FILE *to, struct err *e)
{
    struct telling t = {.w = w, .p = {.xlen = w->xlen, .story = to, .phase = PHASE_HANDLER}};
    struct check_probe *p = &t.p;
    if (!symbol(w, "handler_entry", &p->entry_pc, e) || !symbol(w, "handler_complete", &p->complete, e))
        return false;
    p->handler_start = w->handler.start;
    p->handler_end = w->handler.end;
    story_begin(p, &w->at[number.first]);
    uint32_t second = number.second < 0 ? SWEEP_NONE : (uint32_t)number.second;
    return sweep_one(w->sweep, 0, variant, (uint32_t)number.first, second, tell_case, tell_change, &t, e);
}

bool switch_story(const struct check_job *job, const struct check_env *env, const char *handler, struct check_number number,
                  FILE *to, struct err *e)
{
    struct window w;
    bool missing;
    unsigned i = 0;
    while (job_handler(job, i) && strcmp(job_handler(job, i)->name, handler))
        i++;
    if (!job_handler(job, i))
        return err_set(e, "%s has no handler %s", job->scenario->name, handler);
    if (number.second >= 0 && !job->scenario->nest)
        return err_set(e, "%s has no second events", job->scenario->name);
    if (!window_open(&w, job, env, &missing, e))
        return false;
    bool ok = number.first < w.n;
    if (ok) {
        fprintf(to, "%s, %s, RV%u, handler %s, boundary %" PRId64 " of %" PRIu32, job->scenario->name,
                check_firmware_name(job->firmware), job->xlen, handler, number.first, w.n);
        if (number.second >= 0)
            fprintf(to, ", a second event at boundary %" PRId64 " of the handling", number.second);
        fputc('\n', to);
        ok = tell(&w, i, number, to, e);
    } else {
        err_set(e, "%s has boundaries 0 to %" PRIu32 ", not %" PRId64, job->scenario->name, w.n - 1, number.first);
    }
    window_close(&w);
    return ok;
}
