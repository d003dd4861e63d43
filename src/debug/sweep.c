/* Sweeps: to the window, through it, and the cases of the first order. */
#include "debug/sweep.h"
#include "base/bits.h"
#include "base/hash.h"
#include "debug/sweep_internal.h"
#include "debug/symbols.h"
#include "debug/trace.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- paths ---------------------------------------------------------------------------------------------------------------- */

uint64_t path_key(const struct sweep *s, const struct context *c, uint64_t cycle)
{
    uint64_t key = s->ops->digest(c) ^ cycle * UINT64_C(0x9e3779b97f4a7c15);
    return key ? key : 1;
}

void path_add(struct sweep *s, struct path *p, struct machine *m, struct context *now)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 1024;
        p->at = must(realloc(p->at, p->cap * sizeof *p->at));
    }
    uint64_t cycle = machine_hart_cycle(m, s->c.hart);
    s->ops->take(now, m, s->c.hart);
    p->at[p->n++] = (struct boundary){cycle, s->ops->pc(now), path_key(s, now, cycle)};
}

uint32_t path_find(const struct path *p, uint64_t cycle, uint64_t key)
{
    uint32_t lo = 0, hi = p->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (p->at[mid].cycle < cycle)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < p->n && p->at[lo].cycle == cycle && p->at[lo].key == key ? lo : SWEEP_NONE;
}

/* "symbol+0x10". */
static void where_is(struct sweep *s, uint64_t pc, char out[SWEEP_WHERE])
{
    uint64_t offset;
    const char *name = symbols_near(s->booted, pc, &offset);
    if (!name)
        *out = '\0';
    else if (!offset)
        snprintf(out, SWEEP_WHERE, "%.60s", name);
    else
        snprintf(out, SWEEP_WHERE, "%.48s+0x%" PRIx64, name, offset);
}

struct sweep_detail *sweep_detail(const char *text)
{
    struct sweep_detail *d = must(malloc(sizeof *d));
    memset(d, 0, offsetof(struct sweep_detail, diff));
    snprintf(d->text, sizeof d->text, "%.*s", SWEEP_TEXT - 1, text);
    return d;
}

void sweep_place(struct sweep *s, struct sweep_case *k, const struct context *now, const struct run *r)
{
    struct sweep_detail *d = k->detail;
    if (!d)
        return;
    where_is(s, k->pc, d->where);
    snprintf(d->mode, sizeof d->mode, "%s", s->ops->mode_of(now, s->has_v));
    if (!r->taken || r->taken_cycle == k->at_cycle)
        return;
    where_is(s, r->taken_pc, d->taken_where);
    snprintf(d->taken_mode, sizeof d->taken_mode, "%s", s->ops->mode_of(&r->at, s->has_v));
}

void sweep_story_line(struct sweep *s, const struct machine_change *c, char *line, size_t cap)
{
    char from[SWEEP_WHERE], to[SWEEP_WHERE], scratch[32];
    const char *what = c->is_return ? "return" : c->nmi ? "RNMI" : trace_ops(s->booted)->cause(c, scratch);
    where_is(s, c->epc, from);
    where_is(s, c->pc, to);
    snprintf(line, cap, "cycle %" PRIu64 " hart %u %-12s %-2s 0x%" PRIx64 " %s -> %-2s 0x%" PRIx64 " %s", c->cycle, c->hart, what,
             s->ops->mode_name(c->priv, c->v, s->has_v), c->epc, from, s->ops->mode_name(c->to_priv, c->to_v, s->has_v), c->pc,
             to);
}

/* ---- of machines ------------------------------------------------------------------------------------------------------------
 */

bool sweep_firmware(struct machine *m, struct sweep_range *out)
{
    const struct image *bios = &m->setup->loader.bios, *kernel = &m->setup->loader.kernel;
    *out = (struct sweep_range){bios->start, kernel->start};
    return bios->start < bios->end && bios->end <= kernel->start;
}

bool sweep_symbol(struct machine *m, const char *name, uint64_t *va, unsigned *size)
{
    const struct symbol *y = symbols_find(&m->setup->loader.symbols, name);
    if (!y)
        return false;
    *va = y->value;
    *size = y->size <= 8 && bits_is_pow2(y->size) ? (unsigned)y->size : m->setup->kind->bits / 8;
    return true;
}

uint64_t sweep_state(struct sweep *s) { return machine_digest(s->booted); }

/* ---- the judge beside the undisturbed run -----------------------------------------------------------------------------------
 */

void judge_copy(const struct sweep *s, void *to, const void *from)
{
    const struct sweep_judge *j = s->c.judge;
    if (!j)
        return;
    if (j->copy)
        j->copy(to, from);
    else
        memcpy(to, from, j->size);
}

static void feed_boot(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct sweep *s = ctx;
    s->c.judge->feed(s->judge_boot, m, c);
}

static void feed_walk(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct sweep *s = ctx;
    s->c.judge->feed(s->judge_walk, m, c);
}

static void judge_new(struct sweep *s)
{
    if (!s->c.judge)
        return;
    s->judge_boot = must(calloc(1, s->c.judge->size));
    s->judge_walk = must(calloc(1, s->c.judge->size));
    s->judge_trial = must(calloc(1, s->c.judge->size));
    s->judge_handling = must(calloc(1, s->c.judge->size));
    s->c.judge->attach(s->judge_boot, s->booted);
    machine_watch(s->booted, feed_boot, s);
}

/* ---- to the window ----------------------------------------------------------------------------------------------------------
 */

static const char *why_ended(enum machine_stop why)
{
    return why == MACHINE_EXIT   ? "the guest ended the run"
           : why == MACHINE_HALT ? "every hart is in the critical error state"
                                 : "every hart waits for an interrupt, and none can come";
}

/* Runs the machine until the hart is at `from` for the nth time. */
static bool reach(struct sweep *s, struct err *e)
{
    struct machine *m = s->booted;
    const struct inject_point *p = &s->c.from;
    uint64_t seen = 0, start = machine_cycle(m), end = start + s->c.reach_cycles;
    if (p->at_cycle)
        machine_stop_at(m, s->c.hart, p->cycle);
    else
        machine_breakpoint(m, s->c.hart, p->va, true);
    while (seen < p->nth) {
        uint64_t now = machine_cycle(m);
        enum machine_stop why = now < end ? machine_run(m, end - now) : MACHINE_CYCLES;
        if (why == MACHINE_CYCLES && machine_cycle(m) >= end)
            return err_set(e, "hart %u has not reached %s within %" PRIu64 " cycles (see --reach)", s->c.hart, p->text,
                           s->c.reach_cycles);
        if (why != MACHINE_DEBUG && why != MACHINE_CYCLES)
            return err_set(e, "hart %u does not reach %s: %s at cycle %" PRIu64, s->c.hart, p->text, why_ended(why),
                           machine_cycle(m));
        seen += why == MACHINE_DEBUG;
    }
    machine_breakpoint(m, s->c.hart, p->va, false);
    return true;
}

/* Whether the hart is at `to`, counting the times. */
static bool at_end(struct sweep *s, struct machine *m, uint64_t *seen)
{
    uint64_t pc = 0;
    if (s->c.to.at_cycle)
        return machine_hart_cycle(m, s->c.hart) >= s->c.to.cycle;
    machine_get_reg(m, s->c.hart, "pc", &pc);
    *seen += pc == s->c.to.va && !machine_waits(m, s->c.hart);
    return *seen == s->c.to.nth;
}

static bool poke(struct machine *m, unsigned hart, const struct sweep_poke *p)
{
    return machine_write(m, p->va, &p->value, p->size) || m->arch->store(machine_hart(m, hart), p->va, &p->value, p->size);
}

/* Records the window of one variant. */
static bool record(struct sweep *s, struct window *w, const struct sweep_variant *v, struct err *e)
{
    w->base = machine_fork(s->booted);
    for (unsigned i = 0; i < v->pokes; i++)
        if (!poke(w->base, s->c.hart, &v->poke[i]))
            return err_set(e, "nothing can be written at 0x%" PRIx64 ": it is no RAM", v->poke[i].va);
    uint64_t seen = 0, start = machine_hart_cycle(w->base, s->c.hart);
    machine_rewind(s->walk, w->base);
    while (!at_end(s, s->walk, &seen)) {
        if (machine_hart_cycle(s->walk, s->c.hart) - start >= s->c.window_cycles)
            return err_set(e,
                           "the window from %s does not end: hart %u has not reached %s within %" PRIu64 " cycles (see --window)",
                           s->c.from.text, s->c.hart, s->c.to.text, s->c.window_cycles);
        path_add(s, &w->path, s->walk, &s->now);
        enum machine_stop why = machine_step(s->walk, s->c.hart);
        if (why != MACHINE_DEBUG)
            return err_set(e, "the window from %s does not reach %s: %s at cycle %" PRIu64, s->c.from.text, s->c.to.text,
                           why_ended(why), machine_cycle(s->walk));
    }
    return w->path.n || err_set(e, "the window from %s to %s is empty: hart %u is there already (%s#2 would be the next time)",
                                s->c.from.text, s->c.to.text, s->c.hart, s->c.to.text);
}

static bool check(struct sweep *s, struct err *e)
{
    if (s->c.hart >= machine_harts(s->booted))
        return err_set(e, "the machine has no hart %u (see -smp)", s->c.hart);
    s->ops = context_ops(s->booted);
    for (unsigned i = 0; i < s->c.events; i++)
        if (!inject_possible(&s->c.event[i], s->booted, e))
            return false;
    if (s->c.nest && !inject_possible(s->c.nest, s->booted, e))
        return false;
    s->has_v = s->ops->has_v(s->booted, s->c.hart);
    return inject_resolve(&s->c.from, s->booted, e) && inject_resolve(&s->c.to, s->booted, e);
}

struct sweep *sweep_new(const struct sweep_config *c, struct machine *m, struct err *e)
{
    struct sweep *s = must(calloc(1, sizeof *s));
    s->c = *c;
    s->booted = m;
    machine_set_host(m, &(struct machine_host){0});
    s->window = must(calloc(c->variants, sizeof *s->window));
    if (!check(s, e)) {
        sweep_free(s);
        return NULL;
    }
    judge_new(s);
    s->circle = circle_new(s);
    bool ok = reach(s, e);
    machine_watch(m, NULL, NULL);
    for (unsigned i = 0; ok && i < c->events; i++)
        ok = inject_known(&c->event[i], m, e);
    ok = ok && (!c->nest || inject_known(c->nest, m, e));
    s->walk = machine_fork(m);
    s->trial = machine_fork(m);
    for (unsigned i = 0; ok && i < c->variants; i++)
        ok = record(s, &s->window[i], &c->variant[i], e);
    if (ok)
        return s;
    sweep_free(s);
    return NULL;
}

void sweep_free(struct sweep *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->c.variants; i++) {
        machine_free(s->window[i].base);
        free(s->window[i].path.at);
    }
    free(s->window);
    machine_free(s->walk);
    machine_free(s->trial);
    machine_free(s->late);
    machine_free(s->handling);
    machine_free(s->second);
    if (s->lost)
        machine_free(s->lost->m);
    free(s->lost);
    circle_free(s->circle);
    machine_free(s->booted);
    free(s->judge_boot);
    free(s->judge_walk);
    free(s->judge_trial);
    free(s->judge_handling);
    free(s);
}

struct sweep_window sweep_window(const struct sweep *s, unsigned variant)
{
    const struct path *p = &s->window[variant].path;
    return (struct sweep_window){p->n, p->at[0].cycle, p->at[p->n - 1].cycle};
}

uint64_t sweep_cycle(const struct sweep *s, unsigned variant, uint32_t boundary)
{
    return s->window[variant].path.at[boundary].cycle;
}

struct machine *sweep_base(struct sweep *s, unsigned variant) { return machine_fork(s->window[variant].base); }

uint64_t sweep_cases(const struct sweep *s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < s->c.variants; i++)
        n += s->window[i].path.n;
    return n * s->c.events;
}

/* ---- one case ---------------------------------------------------------------------------------------------------------------
 */

/* An event that was taken late, behind the window, in a state where it was taken before: its verdict is known. */
static bool known_behind(struct sweep *s, struct sweep_case *k)
{
    for (unsigned i = 0; i < s->nbehind; i++)
        if (s->behind[i] == k->taken_key) {
            k->verdict = s->behind_verdict[i];
            return true;
        }
    return false;
}

static void note_behind(struct sweep *s, const struct sweep_case *k)
{
    unsigned i = s->nbehind < KEYS_BEHIND ? s->nbehind++ : (unsigned)(k->taken_key % KEYS_BEHIND);
    s->behind[i] = k->taken_key;
    s->behind_verdict[i] = k->verdict;
}

static struct machine *spare(struct sweep *s, struct machine **m)
{
    if (!*m)
        *m = machine_fork(s->booted);
    return *m;
}

/* The event was taken behind its boundary. True: the case is another one. */
static bool taken_late(struct sweep *s, const struct path *path, struct run *r, struct sweep_case *k)
{
    uint64_t key = path_key(s, &r->at, r->taken_cycle);
    k->same = path_find(path, r->taken_cycle, key);
    if (k->same != SWEEP_NONE) {
        k->verdict = SWEEP_SAME;
        return true;
    }
    k->taken_key = key;
    return known_behind(s, k);
}

/* The rest of a case whose event was taken in the state of `memory`. */
static void finish_case(struct sweep *s, struct run *r, struct machine *memory, enum machine_stop why, struct sweep_case *k,
                        struct doing *d)
{
    char text[SWEEP_TEXT] = "";
    if (s->c.nest && !d->first_only && r->taken && !r->resumed && why == MACHINE_DEBUG)
        nest_run(s, r, memory, k, d);
    if (d->nested != SWEEP_NONE) /* told: the way to the second event, and what becomes of it */
        r->story = NULL;
    if (!r->resumed && why == MACHINE_DEBUG)
        why = run_on(r);
    enum sweep_verdict v = run_verdict(r, why, text);
    if (v == SWEEP_PASS)
        v = run_compare(r, &r->at, memory, &k->detail);
    else
        k->detail = sweep_detail(text);
    k->verdict = (uint8_t)v;
    sweep_place(s, k, &s->now, r);
    k->handled = r->handled;
    k->cycles = machine_hart_cycle(r->m, s->c.hart) - machine_hart_cycle(s->walk, s->c.hart);
}

/* The machine `walk` is at boundary k->boundary. */
static void do_case(struct sweep *s, struct sweep_case *k, struct doing *d)
{
    bool second = s->c.nest && !d->first_only;
    struct run r = {.event = &s->c.event[k->event], .break_when = second ? BREAK_TAKEN : BREAK_LATE, .story_ctx = d->ctx};
    struct err why_not;
    const struct path *path = &s->window[k->variant].path;
    struct machine *memory = s->walk;
    s->ops->take(&s->now, s->walk, s->c.hart);
    k->pc = s->ops->pc(&s->now);
    k->at_cycle = path->at[k->boundary].cycle;
    r.story = d->story;
    run_begin(&r, s, s->trial, s->walk, s->judge_trial, s->judge_walk);
    if (!inject_fire(r.event, r.m, &why_not)) {
        k->verdict = SWEEP_REFUSED;
        k->detail = sweep_detail(why_not.text);
        sweep_place(s, k, &s->now, &r);
        goto end;
    }
    enum machine_stop why = r.taken ? MACHINE_DEBUG : run_on(&r);
    k->taken_pc = r.taken_pc;
    k->taken_cycle = r.taken_cycle;
    if (r.taken && r.taken_cycle != path->at[k->boundary].cycle) {
        if (taken_late(s, path, &r, k))
            goto end;
        memory = spare(s, &s->late);
        machine_rewind(memory, r.m);
    } else if (r.taken) {
        r.at = s->now;
    }
    r.break_when = BREAK_NEVER;
    finish_case(s, &r, memory, why, k, d);
    if (k->taken_key)
        note_behind(s, k);
end:
    run_end(&r);
    if (d->fn && (d->nested == SWEEP_NONE))
        d->going = d->fn(d->ctx, k);
    free(k->detail);
}

/* ---- many cases -------------------------------------------------------------------------------------------------------------
 */

static void enter_window(struct sweep *s, const struct window *w)
{
    machine_rewind(s->walk, w->base);
    judge_copy(s, s->judge_walk, s->judge_boot);
    s->nbehind = 0;
    if (s->c.judge)
        machine_watch(s->walk, feed_walk, s);
}

/* The cases of one window whose boundary is first, first + step, … */
static void run_window(struct sweep *s, uint32_t event, uint32_t variant, uint64_t first, uint64_t step, struct doing *d)
{
    const struct window *w = &s->window[variant];
    if (first >= w->path.n)
        return;
    enter_window(s, w);
    uint64_t next = first;
    for (uint32_t k = 0; d->going && next < w->path.n; k++) {
        if (k == next) {
            struct sweep_case c = {.event = event, .variant = variant, .boundary = k, .nested = SWEEP_NONE, .same = SWEEP_NONE};
            do_case(s, &c, d);
            next += step;
        }
        if (next < w->path.n)
            machine_step(s->walk, s->c.hart);
    }
}

void sweep_run(struct sweep *s, uint64_t first, uint64_t step, sweep_case_fn *fn, void *ctx)
{
    struct doing d = {.fn = fn, .ctx = ctx, .nested = SWEEP_NONE, .going = true};
    uint64_t at = 0; /* number of the window's first case */
    for (uint32_t e = 0; e < s->c.events; e++) {
        for (uint32_t v = 0; v < s->c.variants && d.going; v++) {
            uint64_t skip = at > first ? (step - (at - first) % step) % step : first - at;
            run_window(s, e, v, skip, step, &d);
            at += s->window[v].path.n;
        }
    }
}

bool sweep_one(struct sweep *s, uint32_t event, uint32_t variant, uint32_t boundary, uint32_t nested, sweep_case_fn *fn,
               void (*story)(void *ctx, struct machine *m, const struct machine_change *c), void *ctx, struct err *e)
{
    const struct path *p = &s->window[variant].path;
    if (boundary >= p->n)
        return err_set(e, "the window has no boundary %u: it has %u, from 0", boundary, p->n);
    struct doing d = {.fn = fn, .ctx = ctx, .story = story, .nested = nested, .first_only = nested == SWEEP_NONE, .going = true};
    run_window(s, event, variant, boundary, p->n, &d);
    if (nested != SWEEP_NONE && nested >= d.seconds)
        return err_set(e, "the handling of boundary %u has %u boundaries, none %u", boundary, d.seconds, nested);
    return true;
}
