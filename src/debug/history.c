#include "debug/history.h"
#include "debug/history_internal.h"

#include <stdlib.h>
#include <string.h>

#define SPACING   (UINT64_C(4) << 20)
#define SNAPSHOTS 160u
#define PAGES     (UINT64_C(128) << 10)
#define NEAR      4096u /* cycles: no snapshot is laid closer than this before where a visit of the past ends */
#define STUCK     8     /* stops at one place after which a run is taken not to go on */

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

struct history *history_new(struct machine *m, const struct history_config *c)
{
    struct history *h = must(calloc(1, sizeof *h));
    h->m = m;
    if (c)
        h->config = *c;
    h->config.spacing = h->config.spacing ? h->config.spacing : SPACING;
    h->config.snapshots = h->config.snapshots ? h->config.snapshots : SNAPSHOTS;
    h->config.snapshots = h->config.snapshots < 8 ? 8 : h->config.snapshots;
    h->config.pages = h->config.pages ? h->config.pages : PAGES;
    h->snap = must(calloc(h->config.snapshots + 2, sizeof *h->snap));
    snaps_take(h);
    return h;
}

static void drop_entries(struct history *h, size_t from)
{
    while (h->entries > from) {
        struct history_entry *e = &h->log[--h->entries];
        free(e->bytes);
        machine_free(e->state);
    }
}

void history_free(struct history *h)
{
    if (!h)
        return;
    drop_entries(h, 0);
    snaps_drop_from(h, 0);
    free(h->snap);
    free(h->log);
    free(h);
}

struct history_point history_here(const struct history *h) { return history_point_of(h->m); }
struct history_point history_begin(const struct history *h) { return h->snap[0].at; }
struct history_point history_end(const struct history *h) { return h->past ? h->end : history_point_of(h->m); }
bool history_in_past(const struct history *h) { return h->past; }

struct history_stats history_stats(const struct history *h)
{
    struct history_stats s = {.snapshots = h->snaps, .pages = h->pages, .inputs = h->entries};
    for (unsigned i = 1; i < h->snaps; i++)
        if (h->snap[i].work - h->snap[i - 1].work > s.widest)
            s.widest = h->snap[i].work - h->snap[i - 1].work;
    return s;
}

/* ---- going on ------------------------------------------------------------------------------------------------------------- */

/* How many of the user's halts are set. */
static unsigned halts(const struct machine *m) { return m->halts - (m->mark.kind != HALT_NONE); }

/* One run in the past. True: why is what the user is to be told; false: the run goes on. */
static bool run_past(struct history *h, uint64_t cycles, enum machine_stop *why)
{
    struct machine *m = h->m;
    unsigned set = halts(m);
    struct machine_host host = m->host;
    m->host = (struct machine_host){0};
    enum moved moved = history_move(h, &h->end, cycles, why);
    m->host = host;
    h->past = moved != MOVED_THERE || h->next < h->entries;
    bool own = (moved == MOVED_ENTRY || moved == MOVED_THERE) && !m->asked;
    return !own || (*why == MACHINE_DEBUG && (m->broke >= 0 || halts(m) != set));
}

/* One run at the end of what is known, until a snapshot is due at the latest. */
static void run_present(struct history *h, uint64_t cycles, enum machine_stop *why)
{
    uint64_t most = h->config.spacing / h->m->setup->harts + 1;
    *why = machine_run(h->m, cycles < most ? cycles : most);
    if (machine_instret(h->m) - h->snap[h->snaps - 1].work >= h->config.spacing)
        snaps_take(h);
}

enum machine_stop history_run(struct history *h, uint64_t cycles)
{
    struct machine *m = h->m;
    uint64_t from = machine_cycle(m), limit = from + cycles < from ? UINT64_MAX : from + cycles;
    for (;;) {
        enum machine_stop why;
        uint64_t now = machine_cycle(m), left = limit > now ? limit - now : 0;
        bool tell = true;
        if (h->past)
            tell = run_past(h, left, &why);
        else
            run_present(h, left, &why);
        if (tell && (why != MACHINE_CYCLES || machine_cycle(m) >= limit))
            return why;
        if (!tell && machine_cycle(m) >= limit)
            return MACHINE_CYCLES;
    }
}

enum machine_stop history_step(struct history *h, unsigned hart)
{
    struct machine *m = h->m;
    const struct machine_halt k = machine_sleeps(m, hart)
                                      ? (struct machine_halt){.kind = HALT_AWAKE}
                                      : (struct machine_halt){HALT_CYCLE, machine_progress(m, hart)->cycle + 1};
    m->halts += m->halt[hart].kind == HALT_NONE;
    m->halt[hart] = k;
    enum machine_stop why = history_run(h, UINT64_MAX);
    machine_stop_at(m, hart, UINT64_MAX);
    return why;
}

/* ---- what comes from outside ----------------------------------------------------------------------------------------------- */

/* The machine goes another way from here on: what came next is not its future any more. */
static void forget(struct history *h)
{
    struct history_point here = history_point_of(h->m);
    if (!h->past)
        return;
    drop_entries(h, h->next);
    unsigned i = snaps_before(h, &here) + 1;
    snaps_drop_from(h, i);
    if (i > 1 && h->snap[i - 1].next > h->next) /* it is of this point, but with what was forgotten */
        snaps_drop_from(h, i - 1);
    h->past = false;
}

static struct history_entry *add(struct history *h)
{
    if (h->entries == h->room) {
        h->room = h->room ? 2 * h->room : 64;
        h->log = must(realloc(h->log, h->room * sizeof *h->log));
    }
    struct history_entry *e = &h->log[h->entries++];
    *e = (struct history_entry){.at = history_point_of(h->m)};
    h->next = h->entries;
    return e;
}

size_t history_input(struct history *h, const char *device, const void *p, size_t n)
{
    size_t took = machine_input(h->m, device, p, n);
    if (!took)
        return 0;
    forget(h);
    struct history_entry *e = add(h);
    e->kind = ENTRY_INPUT;
    strncpy(e->device, device, sizeof e->device - 1);
    e->n = took;
    e->bytes = must(malloc(took));
    memcpy(e->bytes, p, took);
    return took;
}

bool history_inject(struct history *h, const struct machine_injection *i, struct err *e)
{
    if (!machine_inject(h->m, i, e))
        return false;
    forget(h);
    struct history_entry *n = add(h);
    n->kind = ENTRY_INJECT;
    n->injection = *i;
    return true;
}

void history_changed(struct history *h)
{
    forget(h);
    const struct history_point here = history_point_of(h->m);
    struct history_entry *e = h->entries && h->next == h->entries ? &h->log[h->entries - 1] : NULL;
    if (e && e->kind == ENTRY_STATE && !history_compare(&e->at, &here)) /* one of many changes made here: the last one counts */
        machine_free(e->state);
    else
        e = add(h);
    e->kind = ENTRY_STATE;
    e->state = machine_fork(h->m);
    e->state->host = (struct machine_host){0};
}

/* ---- visiting ------------------------------------------------------------------------------------------------------------- */

/* Where a visit is to end: at a point, or where a hart or the machine has reached a cycle. */
struct target {
    const struct history_point *at; /* NULL: else */
    int hart;                       /* -1: the machine */
    uint64_t cycle;
};

static uint64_t progress(struct machine *m, const struct target *t)
{
    return t->hart < 0 ? machine_cycle(m) : machine_progress(m, (unsigned)t->hart)->cycle;
}

static bool reached(struct machine *m, const struct target *t)
{
    const struct history_point here = history_point_of(m);
    return t->at ? history_compare(&here, t->at) >= 0 : progress(m, t) >= t->cycle;
}

/* Runs quietly to the target, through the entries on the way and at it. False: the run ends before. */
static bool run_to(struct history *h, const struct target *t)
{
    enum machine_stop why;
    unsigned stuck = 0;
    for (;;) {
        bool there = reached(h->m, t);
        const struct history_point before = history_point_of(h->m);
        const struct history_point *to = there && !t->at ? &before : t->at;
        if (there && (h->next == h->entries || history_compare(&h->log[h->next].at, to) > 0))
            return true;
        uint64_t now = machine_cycle(h->m), left = t->at ? UINT64_MAX : 0;
        if (!t->at && t->hart < 0 && !there)
            left = t->cycle - now;
        if (!t->at && t->hart >= 0 && !there) {
            machine_stop_at(h->m, (unsigned)t->hart, t->cycle);
            left = UINT64_MAX;
        }
        enum moved moved = history_move(h, to, left, &why);
        if (!t->at && t->hart >= 0)
            machine_stop_at(h->m, (unsigned)t->hart, UINT64_MAX);
        const struct history_point here = history_point_of(h->m);
        stuck = moved == MOVED_STOP && !history_compare(&before, &here) ? stuck + 1 : 0;
        if (moved == MOVED_OVER || stuck > STUCK)
            return reached(h->m, t);
    }
}

/* Whether snapshot i is surely not past the first point that is the target. */
static bool snap_serves(const struct history *h, unsigned i, const struct target *t)
{
    return t->at ? history_compare(&h->snap[i].at, t->at) <= 0 : !i || progress(h->snap[i].m, t) < t->cycle;
}

/* Lays snapshots at half, a quarter, an eighth, ... of the way to the target. */
static void lay(struct history *h, const struct target *t)
{
    uint64_t quantum = h->m->setup->quantum < UINT64_MAX / 4 ? h->m->setup->quantum : 0;
    uint64_t goal = t->at ? t->at->slice : t->cycle - (t->hart >= 0 && t->cycle > quantum ? quantum : 0);
    for (;;) {
        uint64_t now = machine_cycle(h->m), work = machine_instret(h->m);
        if (goal <= now || goal - now < (uint64_t)2 * NEAR)
            return;
        if (!run_to(h, &(struct target){.hart = -1, .cycle = now + (goal - now) / 2}))
            return;
        if (machine_instret(h->m) - work >= NEAR / 4)
            snaps_take(h);
    }
}

/* Puts the machine to the last known state that is not past the target. */
static void start_for(struct history *h, const struct target *t)
{
    struct history_point here = history_point_of(h->m);
    unsigned i = h->snaps - 1;
    while (i && !snap_serves(h, i, t))
        i--;
    bool on = t->at ? history_compare(&here, t->at) <= 0 : progress(h->m, t) < t->cycle;
    if (!on || history_compare(&here, &h->snap[i].at) < 0)
        snaps_restore(h, i);
}

/* To the target, wherever it is. */
static bool visit(struct history *h, const struct target *t)
{
    struct machine *m = h->m;
    if (!h->past) {
        snaps_take(h); /* the way back to the present */
        h->end = history_point_of(m);
    }
    struct hushed q = history_hush(m);
    start_for(h, t);
    lay(h, t);
    bool ok = run_to(h, t);
    history_unhush(m, &q);
    struct history_point here = history_point_of(m);
    h->past = history_compare(&here, &h->end) < 0 || h->next < h->entries;
    m->broke = -1;
    struct cpu *c = machine_hart(m, here.turn);
    uint64_t pc;
    if (machine_get_reg(m, here.turn, "pc", &pc)) { /* going on from here goes over a breakpoint at this very place */
        c->passed.pc = pc;
        c->passed.cycle = machine_progress(m, here.turn)->cycle;
        c->passed.valid = true;
    }
    return ok;
}

bool history_seek(struct history *h, const struct history_point *p)
{
    struct history_point at = history_compare(p, &h->snap[0].at) < 0 ? h->snap[0].at : *p;
    return visit(h, &(struct target){.at = &at}) && !history_compare(&at, p);
}

bool history_seek_cycle(struct history *h, uint64_t cycle)
{
    return visit(h, &(struct target){.hart = -1, .cycle = cycle}) && cycle >= machine_cycle(h->snap[0].m);
}

bool history_seek_hart(struct history *h, unsigned hart, uint64_t cycle)
{
    return hart < machine_harts(h->m) && visit(h, &(struct target){.hart = (int)hart, .cycle = cycle}) &&
           cycle >= machine_progress(h->snap[0].m, hart)->cycle;
}

/* ---- backwards ------------------------------------------------------------------------------------------------------------ */

/* Whether the hart sleeps, in the same sleep as at `retired` instructions. */
static bool same_sleep(const struct history *h, unsigned hart, uint64_t retired)
{
    const struct cpu_progress *p = machine_progress(h->m, hart);
    return machine_sleeps(h->m, hart) && p->cycle - p->idle == retired;
}

/* The machine is inside a sleep of the hart: to where that began. */
static bool back_to_sleep(struct history *h, unsigned hart)
{
    const struct cpu_progress *p = machine_progress(h->m, hart);
    uint64_t first = machine_progress(h->snap[0].m, hart)->cycle, in = p->cycle, out = in, retired = p->cycle - p->idle;
    for (uint64_t d = 1; out == in && in > first; d *= 2) {
        uint64_t c = in - first > d ? in - d : first;
        history_seek_hart(h, hart, c);
        if (same_sleep(h, hart, retired))
            in = out = c;
        else
            out = c;
    }
    while (in - out > 1) {
        uint64_t c = out + (in - out) / 2;
        history_seek_hart(h, hart, c);
        if (same_sleep(h, hart, retired))
            in = c;
        else
            out = c;
    }
    return history_seek_hart(h, hart, in);
}

bool history_back_step(struct history *h, unsigned hart)
{
    if (hart >= machine_harts(h->m))
        return false;
    struct history_point here = history_point_of(h->m), at = here;
    uint64_t first = machine_progress(h->snap[0].m, hart)->cycle, c = machine_progress(h->m, hart)->cycle;
    if (here.taken && here.hart == hart) {
        at.taken = 0;
        return history_seek(h, &at);
    }
    if (c == first) {
        history_seek(h, &h->snap[0].at);
        return false;
    }
    for (uint64_t d = 1;; d *= 2) { /* an instruction may take more than one cycle */
        history_seek_hart(h, hart, c - first > d ? c - d : first);
        at = history_point_of(h->m);
        if (history_compare(&at, &here) < 0)
            break;
        if (c - first <= d)
            return false;
    }
    if (machine_sleeps(h->m, hart))
        return back_to_sleep(h, hart);
    for (struct history_point last = at;; last = at) {
        if (!history_seek_hart(h, hart, machine_progress(h->m, hart)->cycle + 1))
            return history_seek(h, &last);
        at = history_point_of(h->m);
        if (history_compare(&at, &here) >= 0 || machine_progress(h->m, hart)->cycle >= c)
            return history_seek(h, &last);
    }
}

/* ---- searching backwards --------------------------------------------------------------------------------------------------- */

struct search {
    const struct history_search *s;
    struct history_point end; /* looks before this */
    bool snapshot;            /* there is a snapshot at `end`, which is behind a trap there: that is not seen from it */
    struct history_point last;
    bool found;
};

static void consider(struct search *x, struct machine *m, const struct machine_change *change)
{
    struct history_point here = change ? history_point_behind(m, change) : history_point_of(m);
    int order = history_compare(&here, &x->end);
    if ((order < 0 || (!order && change && x->snapshot)) && x->s->is(x->s->ctx, m, change)) {
        x->last = here;
        x->found = true;
    }
}

static void on_change(void *ctx, struct machine *m, const struct machine_change *c) { consider(ctx, m, c); }

/* Looks at everything from where the machine is to x->end. */
static void scan(struct history *h, struct search *x)
{
    struct machine *m = h->m;
    enum machine_stop why;
    enum moved moved;
    unsigned stuck = 0, hart = x->s->hart;
    bool steps = x->s->look & HISTORY_STEPS;
    if (steps)
        consider(x, m, NULL);
    do {
        struct history_point before = history_point_of(m), here;
        if (steps && machine_sleeps(m, hart)) {
            m->halt[hart].kind = HALT_AWAKE;
            m->halts = 1;
        } else if (steps) {
            machine_stop_at(m, hart, machine_progress(m, hart)->cycle + 1);
        }
        moved = history_move(h, &x->end, UINT64_MAX, &why);
        here = history_point_of(m);
        if (moved == MOVED_STOP && (steps || m->broke >= 0 || why == MACHINE_DEBUG))
            consider(x, m, NULL);
        stuck = moved == MOVED_STOP && !history_compare(&before, &here) ? stuck + 1 : 0;
    } while (moved != MOVED_THERE && moved != MOVED_OVER && stuck <= STUCK);
    if (steps)
        machine_stop_at(m, hart, UINT64_MAX);
}

/* From snapshot i to `end`. */
static bool search_from(struct history *h, unsigned i, const struct history_point *end, struct search *x)
{
    struct hushed q = history_hush(h->m);
    snaps_restore(h, i);
    if (x->s->look & HISTORY_STOPS)
        history_stops(h->m, &q);
    if (x->s->look & HISTORY_TRAPS)
        machine_watch(h->m, on_change, x);
    x->end = *end;
    scan(h, x);
    history_unhush(h->m, &q);
    return x->found;
}

/* How much of the way from `from` to the beginning lies behind `at`, in thousandths. */
static unsigned way_back(const struct history *h, const struct history_point *from, const struct history_point *at)
{
    uint64_t all = from->cycle - h->snap[0].at.cycle, done = from->cycle - at->cycle;
    return all ? (unsigned)((double)done * 1000 / (double)all) : 1000;
}

bool history_gave_up(const struct history *h) { return h->gave_up; }

bool history_back_until(struct history *h, const struct history_search *s)
{
    struct history_point here = history_point_of(h->m);
    struct search x = {.s = s};
    h->gave_up = false;
    if (!h->past) {
        snaps_take(h);
        h->end = here;
        h->past = true;
    }
    struct history_point end = here;
    for (unsigned i = snaps_before(h, &here) + 1; i-- > 0; end = h->snap[i].at, x.snapshot = history_compare(&end, &here) < 0) {
        if (history_compare(&h->snap[i].at, &end) >= 0)
            continue;
        if (s->give_up && s->give_up(s->give_up_ctx, way_back(h, &here, &end))) {
            h->gave_up = true;
            history_seek(h, &end);
            return false;
        }
        if (search_from(h, i, &end, &x))
            return history_seek(h, &x.last);
    }
    history_seek(h, &h->snap[0].at);
    return false;
}
