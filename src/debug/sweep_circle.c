/*
 * Runs that go round in a circle. Everything is deterministic: a machine that comes to a state where it was before does the same
 * again, and again. States are compared behind traps and returns, with one that was kept: the 16th, and each that is twice as far
 * (Brent's way of finding a cycle), so a circle of any length is found within twice the way to its second round.
 */
#include "debug/sweep_internal.h"
#include "machine/machine.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 16 }; /* traps and returns: handlers that come back take less, and pay nothing */

struct circle {
    struct sweep *s;
    struct machine *at;   /* the state that was kept; NULL until needed */
    struct context kept;  /* the hart's in it */
    uint64_t pc, changes; /* where that was */
    uint64_t next;        /* when the next is kept; 0: PATIENCE later */
};

struct circle *circle_new(struct sweep *s)
{
    struct circle *c = calloc(1, sizeof *c);
    if (!c)
        abort(); /* out of host memory: nothing sensible can go on */
    c->s = s;
    return c;
}

void circle_free(struct circle *c)
{
    if (c)
        machine_free(c->at);
    free(c);
}

void circle_begin(struct circle *c) { c->changes = c->next = 0; }

static bool is_back(const struct circle *c, const struct run *r)
{
    struct context now;
    c->s->ops->take(&now, r->m, c->s->c.hart);
    return !memcmp(now.byte, c->kept.byte, c->s->ops->size);
}

bool circle_asks(struct circle *c, const struct run *r, uint64_t pc)
{
    if (!c->next)
        c->next = r->changes + PATIENCE;
    return r->changes >= c->next || (c->changes && pc == c->pc && is_back(c, r));
}

static void keep(struct circle *c, const struct run *r)
{
    if (!c->at)
        c->at = machine_fork(c->s->booted);
    machine_rewind(c->at, r->m);
    c->s->ops->take(&c->kept, r->m, c->s->c.hart);
    c->pc = c->s->ops->pc(&c->kept);
    c->changes = r->changes;
    c->next = 2 * r->changes;
}

/* ---- whether two states differ in the time alone ------------------------------------------------------------------------------ */

/* A cpu's clock comes first in its state (CPU_PROGRESS). */
static bool same_cpu(struct machine *a, struct machine *b, unsigned hart)
{
    const size_t clock = offsetof(struct cpu_progress, waiting);
    const uint8_t *x = (const uint8_t *)machine_progress(a, hart), *y = (const uint8_t *)machine_progress(b, hart);
    return !memcmp(x + clock, y + clock, a->arch->state_size - clock);
}

bool sweep_same_state(struct machine *a, struct machine *b)
{
    const struct machine_state *x = &a->st, *y = &b->st;
    bool same = x->rng == y->rng && x->exited == y->exited && x->typed == y->typed &&
                !memcmp(x->typed_byte, y->typed_byte, sizeof x->typed_byte) &&
                !memcmp(&x->semihost, &y->semihost, sizeof x->semihost) &&
                !memcmp(x->sched.when, y->sched.when, sizeof x->sched.when) &&
                !memcmp(a->states, b->states, a->setup->states_size);
    for (unsigned i = 0; same && i < machine_harts(a); i++)
        same = same_cpu(a, b, i);
    return same;
}

/* Whether time itself does something before that cycle: a timer, a counter that overflows, a device's event. */
static bool time_acts(struct machine *m, uint64_t end)
{
    bool acts = m->st.sched.next < end;
    for (unsigned i = 0; i < machine_harts(m); i++)
        acts |= m->arch->due(machine_hart(m, i)) < end;
    return acts;
}

static bool equal_page(void *ctx, uint64_t pa, const uint8_t *a, const uint8_t *b)
{
    bool *equal = ctx;
    (void)pa;
    *equal = !memcmp(a, b, MEM_PAGE_SIZE);
    return *equal;
}

bool circle_closes(struct circle *c, const struct run *r, uint64_t end)
{
    bool equal = true;
    if (r->changes >= c->next) {
        keep(c, r);
        return false;
    }
    if (!c->changes || !is_back(c, r) || time_acts(r->m, end))
        return false;
    mem_pairs(c->at->mem, r->m->mem, equal_page, &equal);
    return equal && sweep_same_state(c->at, r->m);
}
