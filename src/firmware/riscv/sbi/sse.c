/* Supervisor software events (SBI v3.0, chapter SSE): states, attributes, sources, calls. sse_switch.c changes the context. */
#include "fw.h"

enum { READ_ATTRS, WRITE_ATTRS, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE = SSE_COMPLETE, INJECT, HART_UNMASK, HART_MASK };
enum { STATUS_PENDING = 1 << 2, STATUS_INJECT = 1 << 3 };
#define FLAGS_LEGAL 0x3ful

static const u32 local_id[LOCAL_EVENTS] = {
    [EVENT_RAS_HIGH] = 0x00000000, [EVENT_DOUBLE_TRAP] = 0x00000001, [EVENT_PLATFORM] = 0x00004000,
    [EVENT_PMU] = 0x00010000,      [EVENT_RAS_LOW] = 0x00100000,     [EVENT_SOFTWARE] = 0xffff0000,
};
/* High-priority RAS, platform, low-priority RAS, software. */
static const u32 global_id[GLOBAL_EVENTS] = {0x00008000, 0x0000c000, 0x00108000, 0xffff8000};

struct sse_event global_event[GLOBAL_EVENTS];
volatile u32 global_pending; /* bit LOCAL_EVENTS + n: global event n */
static lock_t global_lock;   /* the states of global events, and who runs them */

static u32 bit(const struct sse_event *e) { return 1u << e->index; }

/* ---- which events there are ----------------------------------------------------------------------------------------- */

/* An event that the specification names, and this hart has nothing for. */
static bool missing(const struct hart *h, u32 id)
{
    return (id == local_id[EVENT_DOUBLE_TRAP] && !h->has.ssdbltrp) || (id == local_id[EVENT_PMU] && !h->has.sscofpmf);
}

/* The event `id` as hart h has it, or NULL and in *error why not. */
static struct sse_event *find(struct hart *h, u32 id, long *error)
{
    *error = SBI_ERR_INVALID_PARAM;
    for (uint i = 0; i < LOCAL_EVENTS; i++) {
        if (local_id[i] != id)
            continue;
        if (!missing(h, id))
            return &h->event[i];
        *error = SBI_ERR_NOT_SUPPORTED;
        return NULL;
    }
    for (uint i = 0; i < GLOBAL_EVENTS; i++)
        if (global_id[i] == id)
            return &global_event[i];
    return NULL;
}

static void event_init(struct sse_event *e, u32 id, uint index, ulong hart)
{
    *e = (struct sse_event){.id = id, .index = index};
    e->attr[ATTR_PREFERRED_HART] = hart;
}

void sse_init_global(void)
{
    for (uint i = 0; i < GLOBAL_EVENTS; i++)
        event_init(&global_event[i], global_id[i], LOCAL_EVENTS + i, (ulong)lowest(platform.harts));
}

/* The hart starts, or has stopped: it knows no events. A global event that it was handling is no longer being handled. */
void sse_reset(struct hart *h)
{
    h->sse_masked = true;
    for (struct sse_event *e = h->sse_running; e; e = e->below)
        if (sse_is_global(e))
            sse_set_state(h, e, e->attr[ATTR_CONFIG] & CONFIG_ONE_SHOT ? SSE_REGISTERED : SSE_ENABLED);
    h->sse_running = NULL;
    for (uint i = 0; i < LOCAL_EVENTS; i++) {
        if (h->event[i].attr[ATTR_STATUS] != SSE_UNUSED)
            sse_set_state(h, &h->event[i], SSE_UNUSED);
        event_init(&h->event[i], local_id[i], i, h->id);
    }
    h->sse_pending = 0;
}

/* ---- sources -------------------------------------------------------------------------------------------------------- */

static void ring(const struct hart *h, const struct sse_event *e);

/* Switches the hardware source of a local event on or off when the event goes from state `old` to state `now`. A source that is
   off keeps what it has to say until it is on. */
static void source_switch(uint local, uint old, uint now)
{
    if (local == EVENT_PLATFORM) {
        if ((old >= SSE_ENABLED) == (now >= SSE_ENABLED))
            return;
        if (now >= SSE_ENABLED)
            csr_set(mie, 1 << IRQ_MEI);
        else
            csr_clear(mie, 1 << IRQ_MEI);
        return;
    }
    /* PMU: while somebody has registered, overflows come here instead of to S. They are held back while the handler runs. */
    if (now == SSE_UNUSED)
        csr_set(mideleg, 1 << IRQ_LCOFI);
    else if (old == SSE_UNUSED)
        csr_clear(mideleg, 1 << IRQ_LCOFI);
    if (now == SSE_ENABLED)
        csr_set(mie, 1 << IRQ_LCOFI);
    else
        csr_clear(mie, 1 << IRQ_LCOFI);
}

void sse_set_state(struct hart *h, struct sse_event *e, uint state)
{
    uint old = (uint)e->attr[ATTR_STATUS];
    e->attr[ATTR_STATUS] = state;
    if (e->index == EVENT_PLATFORM || e->index == EVENT_PMU)
        source_switch(e->index, old, state);
    if (global_pending & bit(e))
        ring(h, e);
}

/* ---- pending -------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct sse_event *e) { return e->attr[ATTR_STATUS] >= SSE_ENABLED; }

bool sse_signal(struct hart *h, uint local)
{
    if (!wanted(&h->event[local]))
        return false;
    atomic_or(&h->sse_pending, 1u << local);
    return true;
}

/* Does supervisor software run on h, awake or asleep? */
static bool in_use(const struct hart *h)
{
    return h->hsm != HSM_STOPPED && h->hsm != HSM_STOP_PENDING && h->hsm != HSM_START_PENDING;
}

/* Global events are for the preferred hart, which they wait for while it is masked. While that hart is stopped, they are for any.
 */
static bool routed_here(const struct hart *h, const struct sse_event *e)
{
    ulong preferred = e->attr[ATTR_PREFERRED_HART];
    return preferred == h->id || !in_use(hart_at(preferred));
}

/* Rings at a hart that would take global event e now, unless that is h, which looks by itself on its way out. */
static void ring(const struct hart *h, const struct sse_event *e)
{
    if (e->attr[ATTR_STATUS] != SSE_ENABLED || (in_use(h) && !h->sse_masked && routed_here(h, e)))
        return;
    for (ulong i = 0; i < HARTS; i++) {
        const struct hart *other = hart_at(i);
        if (hart_valid(i) && i != h->id && in_use(other) && !other->sse_masked && routed_here(other, e)) {
            ipi_send(i, IPI_SSE);
            return;
        }
    }
}

void sse_stopped(const struct hart *h)
{
    for (uint i = 0; i < GLOBAL_EVENTS; i++)
        if (global_pending & bit(&global_event[i]))
            ring(h, &global_event[i]);
}

/* ---- delivery ------------------------------------------------------------------------------------------------------- */

/* Does a run before b? (SBI v3.0 SSE, "Software Event Priority") */
static bool before(const struct sse_event *a, const struct sse_event *b)
{
    if (a->attr[ATTR_PRIORITY] != b->attr[ATTR_PRIORITY])
        return a->attr[ATTR_PRIORITY] < b->attr[ATTR_PRIORITY];
    return a->id < b->id;
}

/* Of what is pending and may run on h, that with the highest priority, if it is higher than that of what runs. */
static struct sse_event *next_event(const struct hart *h)
{
    struct sse_event *best = h->sse_running;
    const struct sse_event *e = h->event;
    for (u32 pending = h->sse_pending; pending; pending >>= 1, e++)
        if ((pending & 1) && e->attr[ATTR_STATUS] == SSE_ENABLED && (!best || before(e, best)))
            best = (struct sse_event *)e;
    e = global_event;
    for (u32 pending = global_pending >> LOCAL_EVENTS; pending; pending >>= 1, e++)
        if ((pending & 1) && e->attr[ATTR_STATUS] == SSE_ENABLED && (!best || before(e, best)) && routed_here(h, e))
            best = (struct sse_event *)e;
    return best == h->sse_running ? NULL : best;
}

bool sse_can_deliver(const struct hart *h) { return (h->sse_pending | global_pending) && !h->sse_masked && next_event(h); }

/* Makes a global event this hart's; false if another was faster. */
static bool claim(struct sse_event *e)
{
    lock(&global_lock);
    bool mine = e->attr[ATTR_STATUS] == SSE_ENABLED && (global_pending & bit(e));
    if (mine) {
        e->attr[ATTR_STATUS] = SSE_RUNNING;
        atomic_and(&global_pending, ~bit(e));
    }
    unlock(&global_lock);
    return mine;
}

static void __attribute__((noinline)) deliver_global(struct hart *h, struct sse_event *e)
{
    if (claim(e))
        sse_inject(h, e);
    else
        sse_deliver(h); /* there may be another */
}

void sse_deliver(struct hart *h)
{
    struct sse_event *e = next_event(h);
    if (!e)
        return;
    if (sse_is_global(e)) {
        deliver_global(h, e);
        return;
    }
    atomic_and(&h->sse_pending, ~bit(e));
    sse_set_state(h, e, SSE_RUNNING);
    sse_inject(h, e);
}

/* ---- attributes ----------------------------------------------------------------------------------------------------- */

static ulong attr_read(const struct hart *h, const struct sse_event *e, uint id)
{
    if (id != ATTR_STATUS)
        return e->attr[id];
    u32 pending = sse_is_global(e) ? global_pending : h->sse_pending;
    return e->attr[ATTR_STATUS] | (pending & bit(e) ? STATUS_PENDING : 0) | STATUS_INJECT | e->junk;
}

/* Why attribute id of e cannot become v; SBI_SUCCESS if it can. */
static long attr_check(const struct hart *h, const struct sse_event *e, uint id, ulong v)
{
    uint state = (uint)e->attr[ATTR_STATUS];
    switch (id) {
    case ATTR_PRIORITY:
        if (state >= SSE_ENABLED)
            return SBI_ERR_INVALID_STATE;
        return v == (u32)v ? SBI_SUCCESS : SBI_ERR_INVALID_PARAM;
    case ATTR_CONFIG:
        if (state >= SSE_ENABLED)
            return SBI_ERR_INVALID_STATE;
        return v & ~(ulong)CONFIG_ONE_SHOT ? SBI_ERR_INVALID_PARAM : SBI_SUCCESS;
    case ATTR_PREFERRED_HART:
        if (!sse_is_global(e))
            return SBI_ERR_DENIED;
        if (state >= SSE_ENABLED)
            return SBI_ERR_INVALID_STATE;
        return hart_valid(v) ? SBI_SUCCESS : SBI_ERR_INVALID_PARAM;
    case ATTR_INTERRUPTED_FLAGS:
        if (v & ~FLAGS_LEGAL)
            return SBI_ERR_INVALID_PARAM;
        /* fallthrough */
    case ATTR_INTERRUPTED_SEPC:
    case ATTR_INTERRUPTED_A6:
    case ATTR_INTERRUPTED_A7: return state == SSE_RUNNING && e->hart == h->id ? SBI_SUCCESS : SBI_ERR_INVALID_STATE;
    default: return SBI_ERR_DENIED;
    }
}

/* a: event, first attribute, count, address low, high. The value of attribute first + i is word i of the memory: the memory has
   `count` words, and all supervisor software has it so (README.md). */
static struct sbiret attrs(struct hart *h, const ulong *a, bool write)
{
    u32 first = (u32)a[1], count = (u32)a[2];
    long error;
    if (!count)
        return RET(SBI_ERR_INVALID_PARAM);
    struct sse_event *e = find(h, (u32)a[0], &error);
    if (!e)
        return RET(error);
    if (first >= ATTR_COUNT || count > ATTR_COUNT - first)
        return RET(SBI_ERR_BAD_RANGE);
    if (a[3] % sizeof(ulong) || !memory_ok(a[3], a[4], count * sizeof(ulong)))
        return RET(SBI_ERR_INVALID_ADDRESS);
    volatile ulong *memory = (volatile ulong *)a[3];
    if (!write) {
        for (uint i = 0; i < count; i++)
            memory[i] = attr_read(h, e, first + i);
        return RET(SBI_SUCCESS);
    }
    ulong value[ATTR_COUNT]; /* another hart may write to the memory meanwhile */
    for (uint i = 0; i < count; i++) {
        value[i] = memory[i];
        error = attr_check(h, e, first + i, value[i]);
        if (error)
            return RET(error);
    }
    for (uint i = 0; i < count; i++)
        e->attr[first + i] = value[i];
    return RET(SBI_SUCCESS);
}

/* ---- calls ---------------------------------------------------------------------------------------------------------- */

/* From state `from` to state `to`, if it is there. */
static struct sbiret move(struct hart *h, struct sse_event *e, uint from, uint to)
{
    lock(&global_lock); /* a hart may move the same global event */
    bool ok = e->attr[ATTR_STATUS] == from;
    if (ok)
        sse_set_state(h, e, to);
    unlock(&global_lock);
    return RET(ok ? SBI_SUCCESS : SBI_ERR_INVALID_STATE);
}

static struct sbiret do_register(struct hart *h, struct sse_event *e, ulong pc, ulong arg)
{
    if (pc & 1)
        return RET(SBI_ERR_INVALID_PARAM);
    struct sbiret r = move(h, e, SSE_UNUSED, SSE_REGISTERED);
    if (!r.error) {
        e->attr[ATTR_ENTRY_PC] = pc;
        e->attr[ATTR_ENTRY_ARG] = arg;
    }
    return r;
}

/* The injection of a local event may be for another hart. */
static struct sbiret inject(struct hart *h, u32 id, ulong hart)
{
    /* Nothing can be pending for a handler that nobody has enabled. */
    const long unwanted = V_INJECT_INVALID_STATE ? SBI_ERR_INVALID_STATE : SBI_ERR_FAILED;
    long error;
    struct sse_event *e = find(h, id, &error);
    if (!e)
        return RET(error);
    if (sse_is_global(e)) {
        if (!wanted(e))
            return RET(unwanted);
        atomic_or(&global_pending, bit(e));
        ring(h, e);
        return RET(SBI_SUCCESS);
    }
    if (!hart_valid(hart))
        return RET(SBI_ERR_INVALID_PARAM);
    if (!sse_signal(hart_at(hart), e->index))
        return RET(unwanted);
    if (hart != h->id)
        ipi_send(hart, IPI_SSE);
    return RET(SBI_SUCCESS);
}

static struct sbiret hart_mask(struct hart *h, bool mask)
{
    if (h->sse_masked == mask)
        return RET(mask ? SBI_ERR_ALREADY_STOPPED : SBI_ERR_ALREADY_STARTED);
    h->sse_masked = mask;
    return RET(SBI_SUCCESS);
}

static struct sbiret change(struct hart *h, ulong fid, const ulong *a)
{
    long error;
    struct sse_event *e = find(h, (u32)a[0], &error);
    if (!e)
        return RET(error);
    switch (fid) {
    case REGISTER: return do_register(h, e, a[1], a[2]);
    case UNREGISTER: return move(h, e, SSE_REGISTERED, SSE_UNUSED);
    case ENABLE: return move(h, e, SSE_REGISTERED, SSE_ENABLED);
    default: return move(h, e, SSE_ENABLED, SSE_REGISTERED);
    }
}

struct sbiret sbi_sse(struct hart *h, ulong fid, const ulong *a)
{
    switch (fid) {
    case READ_ATTRS: return attrs(h, a, false);
    case WRITE_ATTRS: return attrs(h, a, true);
    case REGISTER:
    case UNREGISTER:
    case ENABLE:
    case DISABLE: return change(h, fid, a);
    case COMPLETE: return RET(SBI_SUCCESS); /* nothing is running here; else ecall.c has done it */
    case INJECT: return inject(h, (u32)a[0], a[1]);
    case HART_UNMASK: return hart_mask(h, false);
    case HART_MASK: return hart_mask(h, true);
    default: return RET(SBI_ERR_NOT_SUPPORTED);
    }
}
