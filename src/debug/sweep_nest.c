/* The second order: another event at every boundary of the handling of the first one. */
#include "debug/sweep_internal.h"
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes through the handling, and the one event more that a copy of it gets. */
struct nest {
    struct sweep *s;
    struct run walk; /* on s->handling */
    struct path path;
    struct machine *memory;
    struct sweep_case *k;
    uint64_t end;    /* the cycle at which the handling is over, if it does not come back */
    bool leaves;     /* it does not: s->lost is where it is left for good */
    uint8_t verdict; /* on the first event without another, and what there is to tell of it */
    struct sweep_detail *detail;
    void *judge_second; /* NULL without a judge */
};

/* told: the way to the second event is told, by r's story. */
static void start(struct nest *n, const struct run *r, bool told)
{
    struct sweep *s = n->s;
    struct run *w = &n->walk;
    *w = *r;
    run_begin(w, s, s->handling, r->m, s->judge_handling, r->judge);
    w->break_when = BREAK_NEVER;
    w->story = told ? r->story : NULL;
}

/* Takes the walk through the handling one boundary further. False: it is over. */
static bool step(struct nest *n)
{
    const struct run *w = &n->walk;
    return machine_step(w->m, n->s->c.hart) == MACHINE_DEBUG && !w->resumed && machine_hart_cycle(w->m, n->s->c.hart) < n->end;
}

/* Runs ahead: how far the handling goes. One that comes back goes so far; one that never does, up to the last trap or return that
   touches handler text as the handler, for what runs behind it handles no event. */
static void scout(struct nest *n, const struct run *r)
{
    struct run *w = &n->walk;
    char text[SWEEP_TEXT] = "";
    start(n, r, false);
    n->verdict = (uint8_t)run_verdict(w, run_on(w), text);
    if (n->verdict == SWEEP_PASS)
        n->verdict = (uint8_t)run_compare(w, &w->at, n->memory, &n->detail);
    n->leaves = !w->resumed && w->left && (w->left_out || w->fell);
    n->end = w->resumed ? UINT64_MAX : n->leaves ? w->left : machine_hart_cycle(w->m, n->s->c.hart);
    run_end(w);
}

/* The state in which the handling is left for good: where the walk is. */
static void keep_lost(struct nest *n)
{
    struct sweep *s = n->s;
    if (!s->lost) {
        s->lost = calloc(1, sizeof *s->lost);
        if (!s->lost)
            abort(); /* out of host memory: nothing sensible can go on */
        s->lost->m = machine_fork(s->booted);
    }
    machine_rewind(s->lost->m, n->walk.m);
    s->ops->take(&s->lost->at, n->walk.m, s->c.hart);
    s->lost->pc = s->ops->pc(&s->lost->at);
}

/* Whether the case ended as the first event's does. */
static bool as_first(const struct nest *n, const struct sweep_case *c)
{
    const struct sweep_detail *a = n->detail, *b = c->detail;
    if (c->verdict != n->verdict || c->verdict != SWEEP_VIOLATION)
        return c->verdict == n->verdict;
    bool same = a->diffs == b->diffs && !strcmp(a->text, b->text);
    for (uint32_t i = 0; same && i < a->diffs; i++)
        same = !strcmp(a->diff[i].name, b->diff[i].name) && a->diff[i].to == b->diff[i].to;
    return same;
}

/* Counts it, and tells of it what cannot be counted, or if it was asked for. */
static bool tell(struct nest *n, struct sweep_case *c, const struct context *was, const struct doing *d)
{
    n->k->nest_cases++;
    n->k->nest_pass += c->verdict == SWEEP_PASS;
    n->k->nest_same += c->verdict == SWEEP_SAME;
    n->k->nest_handled += c->handled;
    bool on = true;
    c->was = was;
    if (d->nested != SWEEP_NONE || n->s->c.all_seconds || (c->verdict != SWEEP_PASS && c->verdict != SWEEP_SAME))
        on = d->fn(d->ctx, c);
    free(c->detail);
    return on;
}

/* Injects the second event where the walk is, as boundary j of the handling. False: no more is wanted. */
static bool do_second(struct nest *n, struct machine *m, uint32_t j, struct sweep_case *c, const struct doing *d)
{
    struct sweep *s = n->s;
    struct run second = {.s = s, .event = s->c.nest, .start = n->path.at[j].cycle};
    struct err why_not;
    char text[SWEEP_TEXT] = "";
    struct run r = n->walk; /* it knows how deep the first event's handling is */
    struct context now;
    s->ops->take(&now, n->walk.m, s->c.hart);
    c->pc = s->ops->pc(&now);
    c->at_cycle = second.start;
    run_begin(&r, s, m, n->walk.m, n->judge_second, n->walk.judge);
    r.second = &second;
    r.lost = n->leaves ? s->lost : NULL;
    r.story = d->story;
    r.story_ctx = d->ctx;
    if (!inject_fire(s->c.nest, m, &why_not)) {
        c->verdict = SWEEP_REFUSED;
        c->detail = sweep_detail(why_not.text);
        sweep_place(s, c, &now, &second);
        run_end(&r);
        return tell(n, c, NULL, d);
    }
    enum machine_stop why = second.taken ? MACHINE_DEBUG : run_on(&r);
    c->taken_pc = second.taken_pc;
    c->taken_cycle = second.taken_cycle;
    if (second.taken && second.taken_cycle != second.start)
        c->same = path_find(&n->path, second.taken_cycle, path_key(s, &second.at, second.taken_cycle));
    if (c->same == SWEEP_NONE && why == MACHINE_DEBUG && !run_over(&r))
        why = run_on(&r);
    c->handled = r.handled || c->same != SWEEP_NONE; /* or it is that other case, which tells it */
    /* It may be taken by the context that goes on; or have come and gone in a handling that never comes back. */
    if (c->same != SWEEP_NONE || (r.resumed && !second.taken) || r.is_lost) {
        c->verdict = SWEEP_SAME;
    } else if ((c->verdict = (uint8_t)run_verdict(&r, why, text)) != SWEEP_PASS) {
        c->detail = sweep_detail(text);
    } else {
        c->verdict = (uint8_t)run_compare(&r, &r.at, n->memory, &c->detail);
    }
    sweep_place(s, c, &now, &second);
    c->cycles = machine_hart_cycle(m, s->c.hart) - n->path.at[j].cycle;
    c->as_first = r.is_lost || (c->verdict != SWEEP_SAME && as_first(n, c));
    run_end(&r);
    return tell(n, c, second.taken ? &second.at : NULL, d);
}

void nest_run(struct sweep *s, struct run *r, struct machine *memory, struct sweep_case *k, struct doing *d)
{
    struct nest n = {.s = s, .memory = memory, .k = k};
    if (!s->handling)
        s->handling = machine_fork(s->booted);
    if (!s->second)
        s->second = machine_fork(s->booted);
    if (s->c.judge && !(n.judge_second = malloc(s->c.judge->size)))
        abort(); /* out of host memory: nothing sensible can go on */
    struct context now;
    scout(&n, r);
    start(&n, r, false);
    do
        path_add(s, &n.path, n.walk.m, &now);
    while (step(&n));
    if (n.leaves)
        keep_lost(&n);
    run_end(&n.walk);
    d->seconds = n.path.n;
    start(&n, r, d->nested != SWEEP_NONE && d->nested < n.path.n);
    bool on = true;
    for (uint32_t j = 0; on && j < n.path.n; j++) {
        struct sweep_case c = {
            .event = k->event, .variant = k->variant, .boundary = k->boundary, .nested = j, .same = SWEEP_NONE};
        if (d->nested == SWEEP_NONE || d->nested == j) {
            n.walk.story = NULL; /* what comes now is another machine's */
            on = do_second(&n, s->second, j, &c, d);
        }
        step(&n);
    }
    run_end(&n.walk);
    free(n.judge_second);
    free(n.path.at);
    free(n.detail);
}
