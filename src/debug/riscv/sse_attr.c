/* Attributes. SBI v3.0 SSE, "Software Event Attributes", sbi_sse_read_attrs and sbi_sse_write_attrs. */
#include "debug/riscv/sse_model.h"

#define ERR(name) SBI_ERROR_BIT(SBI_##name)

static const char *const names[SSE_ATTRS] = {
    "STATUS",           "PRIORITY",          "CONFIG",         "PREFERRED_HART", "ENTRY_PC", "ENTRY_ARG",
    "INTERRUPTED_SEPC", "INTERRUPTED_FLAGS", "INTERRUPTED_A6", "INTERRUPTED_A7",
};

/* The extensions behind bits 2 to 5 of FLAGS that are not there, or of which it is open whether S has them. */
static uint64_t doubtful_flags(const struct look *k)
{
    return (k->f.h ? 0 : 0xc) | (k->f.lpe ? 0 : 0x10) | (k->f.dte ? 0 : 0x20);
}

static uint32_t states(const struct sse_event *e, unsigned allowed)
{
    if (e->state == SSE_UNKNOWN)
        return SUCCEEDS | ERR(INVALID_STATE);
    return allowed >> e->state & 1 ? SUCCEEDS : ERR(INVALID_STATE);
}

static uint32_t preferred_hart(const struct look *k, const struct sse_event *e, uint64_t v)
{
    if (!sse_is_global(e->id))
        return ERR(DENIED);
    uint32_t hart = v >= k->o->harts ? ERR(INVALID_PARAM) : k->o->hart[v].ran ? SUCCEEDS : SUCCEEDS | ERR(INVALID_PARAM);
    return sse_both(states(e, 1 << SSE_UNUSED | 1 << SSE_REGISTERED), hart);
}

static uint32_t interrupted(const struct look *k, const struct sse_event *e, unsigned id, uint64_t v)
{
    uint32_t r = states(e, 1 << SSE_RUNNING);
    if (e->state == SSE_RUNNING && sse_is_global(e->id) && e->hart != k->c->hart)
        r = ERR(INVALID_STATE) | ERR(DENIED) | ERR(INVALID_PARAM); /* which of them is not told */
    if (id != SSE_FLAGS)
        return r;
    if (v >> 6)
        return sse_both(r, ERR(INVALID_PARAM));
    return v & doubtful_flags(k) ? sse_both(r, SUCCEEDS | ERR(INVALID_PARAM)) : r;
}

static uint32_t write_one(const struct look *k, const struct sse_event *e, unsigned id, uint64_t v)
{
    uint32_t early = states(e, 1 << SSE_UNUSED | 1 << SSE_REGISTERED);
    switch (id) {
    case SSE_PRIORITY: /* the bits above 31: refused or dropped */
        return sse_both(early, v >> 32 ? SUCCEEDS | ERR(INVALID_PARAM) : SUCCEEDS);
    case SSE_CONFIG: return sse_both(early, v >> 1 ? ERR(INVALID_PARAM) : SUCCEEDS);
    case SSE_PREFERRED_HART: return preferred_hart(k, e, v);
    case SSE_SEPC:
    case SSE_FLAGS:
    case SSE_A6:
    case SSE_A7: return interrupted(k, e, id, v);
    default: return ERR(DENIED);
    }
}

uint32_t sse_attr_write_results(struct look *k, const struct sse_event *e, uint32_t base, uint32_t count)
{
    uint32_t results = SUCCEEDS;
    for (uint32_t i = 0; i < count && base + i < SSE_ATTRS; i++) {
        uint32_t one = write_one(k, e, base + i, k->h->visit.input[i]);
        results = sse_both(results, one);
        if (!(one & SUCCEEDS)) /* the first error in the order of the ids */
            break;
    }
    return results;
}

void sse_attr_written(struct look *k, struct sse_event *e, uint32_t base, uint32_t count, bool success)
{
    for (uint32_t i = 0; i < count && base + i < SSE_ATTRS; i++) {
        unsigned id = base + i;
        uint64_t v = k->h->visit.input[i];
        if (id == SSE_PRIORITY)
            v = (uint32_t)v;
        if (success) {
            e->attr[id] = v;
            e->known |= (uint16_t)(1u << id);
            e->written |= (uint16_t)(1u << id);
            if (id == SSE_FLAGS)
                e->vague = (uint8_t)(v & doubtful_flags(k));
            continue;
        }
        /* The chapter does not say that nothing is written when a later attribute is refused. */
        if (!(write_one(k, e, id, v) & SUCCEEDS))
            return;
        if (count > 1 && e->attr[id] != v)
            e->known &= (uint16_t) ~(1u << id);
    }
}

static void check_status(struct look *k, struct sse_event *e, uint64_t v)
{
    unsigned state = v & 3, pending = v >> 2 & 1;
    e->forbidden = !(v >> 3 & 1);
    if (v >> 4)
        sse_found(k, SSE_A5, "STATUS bits XLEN-1:4", 0, v >> 4 << 4);
    if (e->state == SSE_UNKNOWN && state != SSE_RUNNING) /* whose frame is not known, if it is */
        e->state = (uint8_t)state;
    else if (e->state != SSE_UNKNOWN && e->state != state) {
        sse_found(k, SSE_A5, "STATUS state", e->state, state);
        e->state = SSE_UNKNOWN; /* one departure, not one for each thing that follows from it */
    }
    if (e->pending == SSE_PENDING && !pending)
        sse_found(k, SSE_A5, "STATUS pending", 1, 0);
    else if (e->pending == SSE_NOT_PENDING && !e->arriving && pending)
        sse_found(k, SSE_A5, "STATUS pending", 0, 1);
    else if (pending && (!sse_is_global(e->id) || k->o->harts == 1))
        e->pending = SSE_PENDING;
}

static void check_one(struct look *k, struct sse_event *e, unsigned id, uint64_t v)
{
    bool saved = id >= SSE_SEPC;
    uint64_t diff = v ^ e->attr[id];
    if (id == SSE_FLAGS) {
        if (v >> 6 && e->state == SSE_RUNNING && !(e->written >> id & 1))
            sse_found(k, SSE_A1, "INTERRUPTED_FLAGS bits XLEN-1:6", 0, v >> 6 << 6);
        diff &= 0x3f & ~(uint64_t)e->vague;
    }
    if (id == SSE_PREFERRED_HART && v >= k->o->harts)
        sse_found(k, SSE_C4, names[id], 0, v);
    /* After its handler the event keeps or loses them: not told. */
    bool kept = !saved || e->state == SSE_RUNNING || (e->state != SSE_UNKNOWN && !(e->known >> SSE_FLAGS & 1));
    if ((e->known >> id & 1) && kept && diff)
        sse_found(k, saved && e->state == SSE_RUNNING && !(e->written >> id & 1) ? SSE_A1 : SSE_C4, names[id], e->attr[id], v);
    if (e->known >> id & 1 && !diff)
        return;
    e->attr[id] = v;
    if (!saved || e->state == SSE_RUNNING) {
        e->known |= (uint16_t)(1u << id);
        if (id == SSE_FLAGS)
            e->vague = 0;
    }
}

void sse_attr_read(struct look *k, struct sse_event *e, uint32_t base, uint32_t count)
{
    unsigned size = k->f.xlen / 8u;
    for (uint32_t i = 0; i < count && base + i < SSE_ATTRS; i++) {
        uint64_t v = 0;
        if (!machine_read(k->m, sse_args(&k->h->visit)[3] + i * size, &v, size))
            return;
        if (base + i == SSE_STATUS)
            check_status(k, e, v);
        else
            check_one(k, e, base + i, v);
    }
}
