/* Injections: recognising one, and whether it may be, and had to be. SBI v3.0 SSE, "Software Event Priority", "… States". */
#include "debug/riscv/sse_model.h"
#include "csr/riscv/csr.h"

/* How well the handler's first registers fit event e; 0: not at all. */
static unsigned fits(const struct look *k, const struct sse_event *e)
{
    if (!((e->known | e->hint) >> SSE_ENTRY_PC & 1) || (e->attr[SSE_ENTRY_PC] & ~UINT64_C(1)) != k->now.pc)
        return 0;
    if (sse_is_global(e->id) && e->state == SSE_RUNNING && e->hart != k->c->hart)
        return 0;
    unsigned score = 1;
    score += k->now.x[17] == e->attr[SSE_ENTRY_ARG] ? 32 : k->now.x[16] == e->attr[SSE_ENTRY_ARG] ? 16 : 0;
    score += e->state == SSE_ENABLED ? 8 : e->state == SSE_UNKNOWN ? 4 : 0;
    score += e->pending == SSE_PENDING ? 3 : e->pending == SSE_MAY_PEND || e->arriving ? 2 : 0;
    return score;
}

/* Whether k->now is just where the hart would go on anyway. */
static bool goes_on(const struct look *k, const struct rv_view *at)
{
    const struct rv_view *n = &k->now;
    return n->pc == at->pc && n->priv == at->priv && n->v == at->v && n->csr[VIEW_sepc] == at->csr[VIEW_sepc] &&
           n->x[16] == at->x[16] && n->x[17] == at->x[17] && n->csr[VIEW_sstatus] == at->csr[VIEW_sstatus];
}

struct sse_event *sse_injected(struct look *k, const struct context *at)
{
    struct sse_event *e, *best = NULL;
    unsigned most = 0;
    if (k->now.priv != RV_S || k->now.v || goes_on(k, &at->v))
        return NULL;
    for (unsigned i = 0; (e = sse_event_at(k->o, k->h, i)); i++) {
        unsigned score = fits(k, e);
        if (score > most || (score && score == most && sse_more_urgent(e, best))) {
            best = e;
            most = score;
        }
    }
    return best;
}

bool sse_injected_unseen(const struct look *k, const struct context *at)
{
    const struct rv_view *n = &k->now;
    return (k->o->late || k->o->lost) && n->priv == RV_S && !n->v && n->pc != at->v.pc && n->csr[VIEW_sepc] == at->v.pc &&
           (n->x[16] == k->c->hart || n->x[17] == k->c->hart);
}

/* Several events with this handler and argument may have been meant: all that is known then is that one of them runs. */
static bool ambiguous(const struct look *k, const struct sse_event *e)
{
    const struct sse_event *other;
    for (unsigned i = 0; (other = sse_event_at(k->o, k->h, i)); i++)
        if (other != e && fits(k, other) >= 32 + 4 + 2 && other->attr[SSE_ENTRY_ARG] == e->attr[SSE_ENTRY_ARG])
            return true;
    return false;
}

static bool may_run_here(const struct look *k, const struct sse_event *e) { return !sse_is_global(e->id) || k->o->harts == 1; }

static struct sse_event *running_event(struct look *k, unsigned frame)
{
    return sse_event_find(k->o, k->h, k->h->frame[frame].event);
}

/* Whether e preempts whatever runs on the hart. */
static bool preempts(struct look *k, const struct sse_event *e)
{
    for (unsigned i = 0; i < k->h->depth; i++)
        if (k->h->frame[i].doubtful || !sse_more_urgent(e, running_event(k, i)))
            return false;
    return true;
}

static void check_may(struct look *k, const struct sse_event *e)
{
    const struct sse_event *other;
    if (k->h->masked == 1)
        sse_found(k, SSE_E1, "masked", 0, 1);
    if (e->state != SSE_ENABLED && e->state != SSE_UNKNOWN)
        sse_found(k, SSE_E2, "state", SSE_ENABLED, e->state);
    if (sse_is_software(e->id) && e->pending == SSE_NOT_PENDING && !e->arriving)
        sse_found(k, SSE_E3, "pending", 1, 0);
    for (unsigned i = 0; (other = sse_event_at(k->o, k->h, i)); i++)
        if (other != e && other->state == SSE_ENABLED && other->pending == SSE_PENDING && may_run_here(k, other) &&
            sse_more_urgent(other, e)) {
            sse_found(k, SSE_E4, "pending event", other->id, e->id);
            break;
        }
    for (unsigned i = 0; i < k->h->depth; i++)
        if (!k->h->frame[i].doubtful && sse_more_urgent(running_event(k, i), e)) {
            sse_found(k, SSE_E4, "running event", k->h->frame[i].event, e->id);
            break;
        }
}

static void push(struct look *k, const struct sse_event *e, const struct context *at, bool doubtful)
{
    struct sse_hart *h = k->h;
    if (h->depth == SSE_DEPTH) { /* the oldest is not followed any more */
        sse_event_doubt(running_event(k, 0));
        memmove(&h->frame[0], &h->frame[1], (SSE_DEPTH - 1) * sizeof h->frame[0]);
        h->depth--;
    }
    struct sse_frame *f = &h->frame[h->depth++];
    f->event = e->id;
    f->doubtful = doubtful;
    f->vague = at->vague;
    if (at->status || at->hstatus || at->elp)
        f->vague |= SSE_VAGUE_STATUS;
    if (at->sepc)
        f->vague |= SSE_VAGUE_TRAP;
    if (at->a6 || at->a7)
        f->vague |= SSE_VAGUE_X;
    f->at = at->v;
    f->entry = k->now;
}

void sse_deliver(struct look *k, struct sse_event *e, const struct context *at)
{
    uint8_t vague;
    bool doubtful = ambiguous(k, e);
    k->event = e->id;
    k->has_event = true;
    k->o->saw |= SSE_SAW_INJECT;
    if (!(k->o->saw & SSE_SAW_RESUME))
        k->o->event = e->id;
    k->o->injections++;
    bool alone = !sse_is_global(e->id) || k->alone;
    if (!doubtful && alone)
        check_may(k, e);
    sse_check_entry(k, e, at);
    e->state = SSE_RUNNING;
    e->hart = (uint8_t)k->c->hart;
    if (e->pending == SSE_PENDING || !e->arriving)
        e->pending = sse_is_software(e->id) ? SSE_NOT_PENDING : SSE_MAY_PEND;
    else
        e->arriving--;
    e->written = 0;
    e->attr[SSE_SEPC] = at->v.csr[VIEW_sepc];
    e->attr[SSE_FLAGS] = sse_flags_of(k, at, &vague);
    e->attr[SSE_A6] = at->v.x[16];
    e->attr[SSE_A7] = at->v.x[17];
    e->vague = vague;
    e->known |= 1 << SSE_SEPC | 1 << SSE_FLAGS | 1 << SSE_A6 | 1 << SSE_A7;
    if (at->sepc || (at->vague & SSE_VAGUE_TRAP))
        e->known &= (uint16_t) ~(1 << SSE_SEPC);
    if (at->a6 || (at->vague & SSE_VAGUE_X))
        e->known &= (uint16_t) ~(1 << SSE_A6);
    if (at->a7 || (at->vague & SSE_VAGUE_X))
        e->known &= (uint16_t) ~(1 << SSE_A7);
    push(k, e, at, doubtful);
    if (doubtful) {
        struct sse_event *other;
        for (unsigned i = 0; (other = sse_event_at(k->o, k->h, i)); i++)
            if (fits(k, other))
                sse_event_doubt(other);
    }
}

void sse_check_missed(struct look *k)
{
    struct sse_event *e;
    if (k->h->masked)
        return;
    for (unsigned i = 0; (e = sse_event_at(k->o, k->h, i)); i++) {
        if (e->state != SSE_ENABLED || e->pending != SSE_PENDING || !may_run_here(k, e) || !preempts(k, e))
            continue;
        k->event = e->id;
        k->has_event = true;
        sse_found(k, SSE_E5, "delivered", 1, 0);
        return;
    }
}

int sse_running(struct look *k)
{
    struct sse_hart *h = k->h;
    int best = h->depth - 1;
    for (int i = best - 1; i >= 0; i--)
        if (h->frame[i].doubtful || h->frame[best].doubtful)
            return h->depth - 1;
        else if (sse_more_urgent(running_event(k, (unsigned)i), running_event(k, (unsigned)best)))
            best = i;
    return best;
}
