#include "debug/explain.h"
#include "base/bits.h"
#include "debug/arm/explain.h"
#include "debug/explain_build.h"
#include "debug/riscv/explain.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts and facts ---------------------------------------------------------------------------------------------------------
 */

struct explain_text {
    struct explain_text *next;
    max_align_t byte[];
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* n zeroed bytes that live as long as the explanation. */
static void *room(struct explanation *e, size_t n)
{
    struct explain_text *t = must(calloc(1, sizeof *t + n));
    t->next = e->texts;
    e->texts = t;
    return t->byte;
}

static const char *say(struct explanation *e, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n <= 0)
        return "";
    char *out = room(e, (size_t)n + 1);
    vsnprintf(out, (size_t)n + 1, fmt, args);
    return out;
}

const char *explain_say(struct explanation *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *s = say(e, fmt, args);
    va_end(args);
    return s;
}

static struct fact *add(struct explanation *e, struct fact *to, const char *label, const char *clause)
{
    struct fact *f = room(e, sizeof *f);
    f->label = label;
    f->clause = clause ? clause : "";
    f->text = "";
    if (to->last)
        to->last->next = f;
    else
        to->first = f;
    to->last = f;
    return f;
}

struct fact *fact_add(struct explanation *e, struct fact *to, const char *label, const char *clause, const char *fmt, ...)
{
    va_list args;
    struct fact *f = add(e, to, label, clause);
    va_start(args, fmt);
    f->text = say(e, fmt, args);
    va_end(args);
    return f;
}

struct fact *fact_value(struct explanation *e, struct fact *to, const char *label, const char *clause, uint64_t value,
                        unsigned digits, const char *fmt, ...)
{
    va_list args;
    struct fact *f = add(e, to, label, clause);
    va_start(args, fmt);
    f->text = say(e, fmt, args);
    va_end(args);
    f->value = value;
    f->digits = (uint8_t)digits;
    f->has_value = true;
    return f;
}

struct fact *fact_change(struct explanation *e, struct fact *to, const char *label, const char *clause, uint64_t old,
                         uint64_t value, unsigned digits)
{
    struct fact *f = add(e, to, label, clause);
    f->old = old;
    f->value = value;
    f->digits = (uint8_t)digits;
    f->has_value = f->has_change = true;
    return f;
}

static const char disagreement[] = "DISAGREEMENT";

void explain_disagree(struct explanation *e, const char *fmt, ...)
{
    va_list args;
    struct fact *s = e->facts.last;
    if (!s || s->label != disagreement)
        s = fact_add(e, &e->facts, disagreement, NULL, "the cpu did not do what these facts say");
    s->mark = FACT_WRONG;
    e->agrees = false;
    struct fact *f = add(e, s, "", NULL);
    va_start(args, fmt);
    f->text = say(e, fmt, args);
    va_end(args);
    f->mark = FACT_WRONG;
}

static const struct fact *find(const struct fact *in, const char *label)
{
    for (const struct fact *f = in->first; f; f = f->next) {
        if (!strcmp(f->label, label))
            return f;
        const struct fact *below = find(f, label);
        if (below)
            return below;
    }
    return NULL;
}

const struct fact *explain_find(const struct explanation *e, const char *label) { return find(&e->facts, label); }

void explain_free(struct explanation *e)
{
    if (!e)
        return;
    for (struct explain_text *t = e->texts, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    free(e);
}

/* ---- the boundary ------------------------------------------------------------------------------------------------------------
 */

const struct explain_ops *explain_ops(struct machine *m) { return m->arch == &riscv_arch ? &riscv_explain : &arm_explain; }

const char *explain_cause(struct machine *m, const struct machine_change *c, uint64_t *number, char scratch[32])
{
    return explain_ops(m)->cause(c->interrupt, c->cause, number, scratch);
}

/* The first change of a hart, right behind which the machine stops. */
struct first_change {
    unsigned hart;
    bool seen;
    struct machine_change change;
};

static void on_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct first_change *f = ctx;
    if (f->seen || c->hart != f->hart)
        return;
    f->seen = true;
    f->change = *c;
    machine_break(m, c->hart);
}

static struct explanation *begin(struct machine *m, unsigned hart)
{
    struct explanation *e = must(calloc(1, sizeof *e));
    e->hart = hart;
    e->cycle = machine_hart_cycle(m, hart);
    e->agrees = true;
    e->title = e->facts.label = e->facts.text = e->facts.clause = "";
    machine_get_reg(m, hart, "pc", &e->pc);
    return e;
}

/* A fork that nobody outside hears of. */
static struct machine *quiet_fork(struct machine *m)
{
    struct machine *f = machine_fork(m);
    static const struct machine_host nobody;
    machine_set_host(f, &nobody);
    return f;
}

/* Brings what is due at this boundary (timers, counter overflows) up to date, as the run would. */
static void settle(struct machine *m, unsigned hart)
{
    if (!machine_progress(m, hart)->halted && !machine_progress(m, hart)->parked)
        m->arch->due(machine_hart(m, hart));
}

/* Brings the machine to where it is this hart's turn, if several run: what those before it in the slice do to it is part of its
   boundary, as the run sees it. The hart itself stays where it is. */
static void to_turn(struct machine *m, unsigned hart)
{
    const struct machine_state *s = &m->st;
    while (!(s->in_slice && s->turn == hart)) {
        unsigned awake = 0, next = s->in_slice ? s->turn : 0;
        for (unsigned i = 0; i < m->setup->harts; i++)
            awake += !machine_sleeps(m, i);
        if (!s->in_slice && (awake < 2 || hart == 0))
            return;
        machine_stop_at(m, next, s->in_slice ? s->slice_end : s->cycle + 1);
        if (machine_run(m, UINT64_MAX) != MACHINE_DEBUG)
            return;
    }
}

static bool same(const struct machine_change *a, const struct machine_change *b)
{
    return a->is_return == b->is_return && a->interrupt == b->interrupt && a->nmi == b->nmi && a->to_priv == b->to_priv &&
           a->to_v == b->to_v && a->cause == b->cause && a->tval == b->tval && a->epc == b->epc && a->pc == b->pc &&
           a->cycle == b->cycle;
}

/* c: what was told of, or NULL. injected: it came from outside, at this boundary. */
static struct explanation *explain(struct machine *m, unsigned hart, const struct machine_change *c, bool injected)
{
    struct explanation *e = begin(m, hart);
    struct machine *before = quiet_fork(m);
    struct first_change first = {.hart = hart};
    to_turn(before, hart);
    struct machine *after = quiet_fork(before);
    settle(before, hart);
    machine_watch(after, on_change, &first);
    if (injected) {
        struct err err;
        machine_inject(after, &(struct machine_injection){.event = MACHINE_BUS_ERROR, .hart = hart, .address = c->tval}, &err);
    } else {
        machine_step(after, hart);
    }
    machine_watch(after, NULL, NULL);
    if (first.seen)
        e->change = first.change;
    e->kind = first.seen ? (first.change.is_return ? EXPLAIN_RETURN : EXPLAIN_TRAP) : EXPLAIN_NOTHING;
    if (c && (!first.seen || !same(&first.change, c)))
        explain_disagree(e,
                         "told was a change at 0x%" PRIx64 " to 0x%" PRIx64 ", cycle %" PRIu64
                         "; a fork that went over it again had %s0x%" PRIx64 " to 0x%" PRIx64 ", cycle %" PRIu64,
                         c->epc, c->pc, c->cycle, first.seen ? "" : "none, ", first.change.epc, first.change.pc,
                         first.change.cycle);
    explain_ops(m)->explain(e, before, after, first.seen ? &first.change : NULL);
    machine_free(before);
    machine_free(after);
    return e;
}

struct explanation *explain_walk(struct machine *m, unsigned hart, uint64_t va)
{
    if (hart >= machine_harts(m))
        return NULL;
    struct explanation *e = begin(m, hart);
    struct machine *before = quiet_fork(m);
    settle(before, hart);
    e->kind = EXPLAIN_NOTHING;
    explain_ops(m)->walk(e, before, va);
    machine_free(before);
    return e;
}

struct explanation *explain_next(struct machine *before, unsigned hart)
{
    return hart < machine_harts(before) ? explain(before, hart, NULL, false) : NULL;
}

/* An exception that took no time came from outside: it can only be done again the same way. */
struct explanation *explain_trap(struct machine *before, const struct machine_change *c)
{
    bool injected =
        explain_ops(before)->outside && !c->is_return && !c->interrupt && c->cycle == machine_hart_cycle(before, c->hart);
    return explain(before, c->hart, c, injected);
}

/* ---- following ---------------------------------------------------------------------------------------------------------------
 */

struct explain_follower {
    struct machine *m;
};

struct explain_follower *explain_follow(struct machine *m)
{
    struct explain_follower *f = must(calloc(1, sizeof *f));
    f->m = quiet_fork(m);
    return f;
}

void explain_follow_sync(struct explain_follower *f, struct machine *m)
{
    machine_free(f->m);
    f->m = quiet_fork(m);
}

static void advance(struct explain_follower *f, unsigned hart, uint64_t cycle)
{
    if (machine_hart_cycle(f->m, hart) >= cycle)
        return;
    machine_stop_at(f->m, hart, cycle);
    machine_run(f->m, UINT64_MAX);
    machine_stop_at(f->m, hart, UINT64_MAX);
}

/* To the boundary before it: an exception takes a cycle, if it does not come from outside; an interrupt takes none, and a return
   is told of before its cycle has passed. */
struct explanation *explain_follow_trap(struct explain_follower *f, const struct machine_change *c)
{
    const struct explain_ops *ops = explain_ops(f->m);
    advance(f, c->hart, c->cycle - (c->interrupt || c->is_return ? 0 : ops->exception_cycles));
    struct explanation *e = explain_trap(f->m, c);
    if (e->agrees || c->interrupt || c->is_return || !ops->outside)
        return e;
    explain_free(e);
    advance(f, c->hart, c->cycle);
    return explain_trap(f->m, c);
}

void explain_follow_free(struct explain_follower *f)
{
    if (!f)
        return;
    machine_free(f->m);
    free(f);
}
