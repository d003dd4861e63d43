/* Points of a run, and running from one to another without anybody being told. */
#include "cpu/breaks.h"
#include "debug/history_internal.h"

#include <stdlib.h>

/* ---- points --------------------------------------------------------------------------------------------------------------- */

static int compare64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

int history_compare_base(const struct history_point *a, const struct history_point *b)
{
    int d = compare64(a->slice, b->slice);
    if (!d)
        d = compare64(a->turn, b->turn);
    return d ? d : compare64(a->cycle, b->cycle);
}

int history_compare(const struct history_point *a, const struct history_point *b)
{
    int d = history_compare_base(a, b);
    return d ? d : compare64(a->taken, b->taken);
}

/* How many interrupts the hart has taken since it came to where it is. */
static uint32_t taken(const struct machine *m, unsigned hart)
{
    const struct cpu *c = machine_hart(m, hart);
    return c->took.cycle == machine_progress(m, hart)->cycle ? c->took.n : 0;
}

/* Between slices every hart is at the same cycle, and only one of them can have taken interrupts there: the one that was awake
   alone, when it was stopped behind them. */
struct history_point history_point_of(struct machine *m)
{
    const struct machine_state *s = &m->st;
    struct history_point p = {.slice = s->cycle, .cycle = s->cycle};
    if (s->in_slice && !m->solo) {
        p.turn = p.hart = s->turn;
        p.cycle = machine_progress(m, s->turn)->cycle;
        p.slice_end = s->slice_end;
        p.taken = taken(m, s->turn);
        return p;
    }
    if (m->solo && m->engine.running)
        p.slice = p.cycle = cpu_progress_of(m->engine.running)->cycle;
    for (unsigned i = 0; i < m->setup->harts && !p.taken; i++) {
        p.taken = machine_progress(m, i)->cycle == p.cycle ? taken(m, i) : 0;
        p.hart = p.taken ? i : 0;
    }
    return p;
}

struct history_point history_point_behind(struct machine *m, const struct machine_change *c)
{
    struct history_point p = history_point_of(m);
    if (c->behind == c->cycle)
        return p;
    p.cycle += c->behind - c->cycle;
    p.taken = p.hart = 0;
    if (!p.slice_end) {
        p.slice = p.cycle;
    } else if (p.cycle < p.slice_end) {
        p.hart = p.turn;
    } else if (p.turn + 1 < m->setup->harts) { /* the turn is over with it */
        p.hart = ++p.turn;
        p.cycle = machine_progress(m, p.turn)->cycle;
        p.taken = taken(m, p.turn);
    } else {
        p = (struct history_point){.slice = p.slice_end, .cycle = p.slice_end};
    }
    return p;
}

/* The hart, and the cycle of it, at which a run comes to the point's boundary. */
static void goal_of(const struct machine *m, const struct history_point *p, unsigned *hart, uint64_t *cycle)
{
    *hart = p->turn;
    *cycle = p->cycle;
    if (p->cycle == p->slice && !p->turn) {
        *hart = m->setup->harts - 1; /* between slices: when the last one has come to the end */
    } else if (p->cycle == p->slice) {
        *hart = p->turn - 1; /* the turn begins when the hart before has come to the end of the slice */
        *cycle = p->slice_end;
    }
}

/* ---- being quiet ---------------------------------------------------------------------------------------------------------- */

struct hushed history_hush(struct machine *m)
{
    struct hushed q = {.host = m->host,
                       .change = m->change,
                       .change_ctx = m->change_ctx,
                       .paced = m->paced,
                       .halts = m->halts,
                       .breaks = m->engine.breaks,
                       .watchpoints = m->engine.watchpoints};
    for (unsigned i = 0; i < MACHINE_HARTS; i++) {
        q.halt[i] = m->halt[i];
        m->halt[i].kind = HALT_NONE;
    }
    m->host = (struct machine_host){0};
    machine_watch(m, NULL, NULL);
    m->paced = false;
    m->halts = 0;
    m->engine.breaks = m->engine.watchpoints = 0; /* what was decoded to look for one just goes on */
    return q;
}

void history_unhush(struct machine *m, const struct hushed *q)
{
    m->host = q->host;
    machine_watch(m, q->change, q->change_ctx);
    m->paced = q->paced;
    for (unsigned i = 0; i < MACHINE_HARTS; i++)
        m->halt[i] = q->halt[i];
    m->halts = q->halts;
    history_stops(m, q);
}

/* What was decoded and translated meanwhile knows nothing of them. */
void history_stops(struct machine *m, const struct hushed *q)
{
    m->engine.breaks = q->breaks;
    for (unsigned i = 0; i < q->breaks; i++)
        engine_redecode(&m->engine, (unsigned)(m->engine.break_at[i].va & (MEM_PAGE_SIZE - 1)));
    m->engine.watchpoints = q->watchpoints;
    if (q->watchpoints)
        engine_flush(&m->engine);
}

/* ---- interrupts that are part of a point ------------------------------------------------------------------------------------
 */

struct taking {
    uint32_t hart, n;
    machine_watch_fn *watch; /* whoever watched before, goes on watching */
    void *ctx;
};

static void on_taken(void *ctx, struct machine *m, const struct machine_change *c)
{
    const struct taking *t = ctx;
    if (t->watch)
        t->watch(t->ctx, m, c);
    if (c->hart != t->hart || taken(m, t->hart) >= t->n || !taken(m, t->hart))
        machine_break(m, c->hart);
}

/* At the boundary of p: lets the interrupts be taken that were taken there. */
static void take_interrupts(struct machine *m, const struct history_point *p)
{
    struct taking t = {p->hart, p->taken, m->change, m->change_ctx};
    const struct history_point here = history_point_of(m);
    if (history_compare_base(&here, p) || taken(m, p->hart) >= p->taken)
        return;
    struct hushed q = history_hush(m);
    machine_watch(m, on_taken, &t);
    for (unsigned tries = 0; taken(m, p->hart) < p->taken && tries < 4; tries++)
        machine_run(m, UINT64_MAX);
    history_unhush(m, &q);
}

/* ---- moving --------------------------------------------------------------------------------------------------------------- */

static void apply(struct history *h, const struct history_entry *e)
{
    switch (e->kind) {
    case ENTRY_INPUT: machine_input(h->m, e->device, e->bytes, e->n); break;
    case ENTRY_INJECT: machine_inject(h->m, &e->injection, NULL); break;
    case ENTRY_STATE: machine_restore(h->m, e->state); break;
    }
    h->next++;
}

enum moved point_reach(struct machine *m, const struct history_point *to, uint64_t cycles, enum machine_stop *why)
{
    struct history_point here = history_point_of(m);
    *why = MACHINE_CYCLES;
    if (to && history_compare_base(&here, to) < 0) {
        unsigned hart;
        uint64_t cycle;
        goal_of(m, to, &hart, &cycle);
        machine_mark(m, hart, cycle);
    }
    if (!to || history_compare_base(&here, to) < 0) {
        *why = machine_run(m, cycles);
        machine_mark(m, 0, UINT64_MAX);
        here = history_point_of(m);
    }
    if (to && history_compare_base(&here, to) >= 0) {
        take_interrupts(m, to);
        return MOVED_THERE;
    }
    return *why == MACHINE_EXIT || *why == MACHINE_HALT || *why == MACHINE_IDLE ? MOVED_OVER : MOVED_STOP;
}

enum moved history_move(struct history *h, const struct history_point *to, uint64_t cycles, enum machine_stop *why)
{
    const struct history_entry *e = h->next < h->entries ? &h->log[h->next] : NULL;
    bool entry = e && (!to || history_compare(&e->at, to) <= 0);
    enum moved moved = point_reach(h->m, entry ? &e->at : to, cycles, why);
    if (moved != MOVED_THERE || !entry)
        return moved;
    apply(h, e);
    return MOVED_ENTRY;
}
