/* The oracle's table of events. */
#include "debug/riscv/sse_model.h"

static struct sse_event *table(struct sse_oracle *o, struct sse_hart *h, uint32_t id, uint8_t **count)
{
    *count = sse_is_global(id) ? &o->globals : &h->events;
    return sse_is_global(id) ? o->global : h->event;
}

struct sse_event *sse_event_find(struct sse_oracle *o, struct sse_hart *h, uint32_t id)
{
    uint8_t *n;
    struct sse_event *e = table(o, h, id, &n);
    for (unsigned i = 0; i < *n; i++)
        if (e[i].id == id)
            return &e[i];
    return NULL;
}

struct sse_event sse_event_fresh(const struct sse_oracle *o, uint32_t id)
{
    struct sse_event e = {.id = id, .pending = sse_is_software(id) ? SSE_NOT_PENDING : SSE_MAY_PEND, .vague = 0x3f};
    if (o->late) {
        sse_event_forget(&e);
    } else {
        /* Reset values: zero, but that of PREFERRED_HART is the implementation's, and FLAGS has none. */
        e.known = 1 << SSE_PRIORITY | 1 << SSE_CONFIG | 1 << SSE_ENTRY_PC | 1 << SSE_ENTRY_ARG | 1 << SSE_SEPC | 1 << SSE_A6 |
                  1 << SSE_A7;
    }
    return e;
}

struct sse_event *sse_event_get(struct sse_oracle *o, struct sse_hart *h, uint32_t id)
{
    uint8_t *n;
    struct sse_event *e = table(o, h, id, &n), *found = sse_event_find(o, h, id);
    if (found)
        return found;
    if (*n == SSE_EVENTS) {
        o->lost = 1;
        return NULL;
    }
    e[*n] = sse_event_fresh(o, id);
    return &e[(*n)++];
}

struct sse_event *sse_event_at(struct sse_oracle *o, struct sse_hart *h, unsigned i)
{
    if (i < h->events)
        return &h->event[i];
    i -= h->events;
    return i < o->globals ? &o->global[i] : NULL;
}

bool sse_more_urgent(const struct sse_event *a, const struct sse_event *b)
{
    if (!(a->known & b->known & 1 << SSE_PRIORITY))
        return false;
    uint64_t pa = a->attr[SSE_PRIORITY], pb = b->attr[SSE_PRIORITY];
    return pa < pb || (pa == pb && a->id < b->id);
}

void sse_event_forget(struct sse_event *e)
{
    e->state = SSE_UNKNOWN;
    e->pending = SSE_MAY_PEND;
    e->known = 0;
    e->vague = 0x3f;
}

void sse_event_doubt(struct sse_event *e)
{
    uint16_t kept = e->known & (1 << SSE_ENTRY_PC | 1 << SSE_ENTRY_ARG | 1 << SSE_PRIORITY);
    sse_event_forget(e);
    e->known = kept;
}

void sse_hart_stops(struct sse_oracle *o, const struct sse_hart *h)
{
    for (unsigned i = 0; i < o->globals; i++)
        if (o->global[i].state == SSE_RUNNING && &o->hart[o->global[i].hart] == h)
            sse_event_doubt(&o->global[i]);
}

void sse_hart_forget(struct sse_oracle *o, struct sse_hart *h)
{
    struct sse_event *e;
    for (unsigned i = 0; (e = sse_event_at(o, h, i)); i++) {
        bool ours = !sse_is_global(e->id) || (e->state == SSE_RUNNING && &o->hart[e->hart] == h);
        if (!ours)
            continue;
        uint16_t hint = (e->known | e->hint) & (1 << SSE_ENTRY_PC | 1 << SSE_ENTRY_ARG);
        sse_event_forget(e);
        e->hint = hint;
    }
    h->depth = 0;
    h->masked = 2;
}
