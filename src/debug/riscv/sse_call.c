/* Calls of the extension: which results are right, and what they do. SBI v3.0 SSE, one section a function. */
#include "debug/riscv/sse_model.h"

#define ERR(name) SBI_ERROR_BIT(SBI_##name)

static const uint64_t *args(const struct look *k) { return sse_args(&k->h->visit); }
static uint32_t event_id(const struct look *k) { return (uint32_t)args(k)[0]; }
static unsigned fid_of(const struct look *k) { return args(k)[6] > SSE_FID_MASK ? SSE_FID_MASK + 1 : (unsigned)args(k)[6]; }

static bool has_event(unsigned fid) { return fid <= SSE_FID_DISABLE || fid == SSE_FID_INJECT; }

/* The event at the hart that an injection is for. */
static struct sse_hart *target(const struct look *k)
{
    if (sse_is_global(event_id(k)))
        return k->h;
    return args(k)[1] < k->o->harts ? &k->o->hart[args(k)[1]] : NULL;
}

/* An injection that another hart delivers arrives at a time of its own, maybe before the call is over. */
static bool arrives_later(const struct look *k) { return sse_is_global(event_id(k)) ? true : target(k) && target(k) != k->h; }

static void take_input(struct look *k)
{
    const uint64_t *a = args(k);
    struct sse_visit *v = &k->h->visit;
    unsigned size = k->f.xlen / 8u, count = a[2] < SSE_ATTRS ? (unsigned)a[2] : SSE_ATTRS;
    memset(v->input, 0, sizeof v->input);
    v->accessible = VIEW_REFUSED;
    if (!a[4])
        v->accessible = (uint8_t)view_accessible(k->m, k->c->hart, a[3], (uint64_t)count * size, a[6] == SSE_FID_READ);
    for (unsigned i = 0; v->accessible == VIEW_GRANTED && i < count && a[6] == SSE_FID_WRITE; i++)
        machine_read(k->m, a[3] + i * size, &v->input[i], size);
}

void sse_call_enter(struct look *k)
{
    struct sse_event *e;
    unsigned fid = fid_of(k);
    k->o->calls++;
    if (fid == SSE_FID_READ || fid == SSE_FID_WRITE)
        take_input(k);
    if (fid == SSE_FID_INJECT && sse_is_software(event_id(k)) && arrives_later(k)) {
        e = sse_event_get(k->o, target(k), event_id(k));
        if (e && e->arriving < UINT8_MAX)
            e->arriving++;
    }
}

/* ---- results -------------------------------------------------------------------------------------------------------------- */

/* What the event id alone allows. */
static uint32_t id_results(const struct sse_event *e)
{
    const struct sbi_value_row *row = sbi_value_of(SBI_KIND_sse_event, e->id);
    bool standard = row && row->mask == UINT64_MAX, platform = e->id >> 14 & 1;
    if (!standard && !platform)
        return ERR(INVALID_PARAM);
    if (e->supported)
        return SUCCEEDS;
    return SUCCEEDS | ERR(NOT_SUPPORTED) | (platform ? ERR(INVALID_PARAM) : 0);
}

static uint32_t in_state(const struct sse_event *e, enum sse_state state)
{
    if (e->state == SSE_UNKNOWN)
        return SUCCEEDS | ERR(INVALID_STATE);
    return e->state == state ? SUCCEEDS : ERR(INVALID_STATE);
}

static uint32_t inject_results(const struct look *k, const struct sse_event *e)
{
    const struct sse_hart *h = target(k);
    uint32_t r = SUCCEEDS | ERR(FAILED);
    if (!h)
        r = sse_both(r, ERR(INVALID_PARAM));
    else if (!h->ran) /* whether a hart that is not started is a valid one is not told */
        r = sse_both(r, SUCCEEDS | ERR(INVALID_PARAM));
    if (e->forbidden) /* nor which code tells this */
        r = sse_both(r, ERR(FAILED) | ERR(INVALID_PARAM) | ERR(NOT_SUPPORTED));
    return r;
}

static uint32_t attr_results(struct look *k, const struct sse_event *e, bool write)
{
    const uint64_t *a = args(k);
    uint32_t base = (uint32_t)a[1], count = (uint32_t)a[2], r = SUCCEEDS | ERR(FAILED);
    bool reserved = count && (uint64_t)base + count > SSE_ATTRS;
    if (!count)
        r = sse_both(r, ERR(INVALID_PARAM));
    if (reserved)
        r = sse_both(r, ERR(BAD_RANGE));
    if (a[3] % (k->f.xlen / 8u))
        r = sse_both(r, ERR(INVALID_ADDRESS) | ERR(INVALID_PARAM));
    if (k->h->visit.accessible != VIEW_GRANTED)
        r = sse_both(r, (k->h->visit.accessible == VIEW_UNUSUAL ? SUCCEEDS : 0) | ERR(INVALID_ADDRESS));
    if (write && k->h->visit.accessible == VIEW_GRANTED && (id_results(e) & SUCCEEDS))
        r = sse_both(r, sse_attr_write_results(k, e, base, count));
    return r;
}

/* The codes that the call may return. */
static uint32_t results(struct look *k, const struct sse_event *e)
{
    switch (fid_of(k)) {
    case SSE_FID_READ: return sse_both(id_results(e), attr_results(k, e, false));
    case SSE_FID_WRITE: return sse_both(id_results(e), attr_results(k, e, true));
    case SSE_FID_REGISTER:
        return sse_both(sse_both(id_results(e), in_state(e, SSE_UNUSED)), args(k)[1] & 1 ? ERR(INVALID_PARAM) : SUCCEEDS);
    case SSE_FID_UNREGISTER:
    case SSE_FID_ENABLE: return sse_both(id_results(e), in_state(e, SSE_REGISTERED));
    case SSE_FID_DISABLE: return sse_both(id_results(e), in_state(e, SSE_ENABLED));
    case SSE_FID_INJECT: return sse_both(id_results(e), inject_results(k, e));
    case SSE_FID_UNMASK: return ERR(FAILED) | (k->h->masked ? SUCCEEDS : 0) | (k->h->masked == 1 ? 0 : ERR(ALREADY_STARTED));
    case SSE_FID_MASK: return ERR(FAILED) | (k->h->masked == 1 ? 0 : SUCCEEDS) | (k->h->masked ? ERR(ALREADY_STOPPED) : 0);
    default: return ERR(NOT_SUPPORTED); /* there is no such function */
    }
}

/* The code to name as expected: success, or the first of the errors; FAILED, which is allowed for any reason, last. */
static int64_t expected_of(uint32_t set)
{
    uint32_t named = set & ~(set == ERR(FAILED) ? 0 : ERR(FAILED));
    int code = 0;
    while (code > -31 && !(named & SBI_ERROR_BIT(code)))
        code--;
    return code;
}

/* set: the codes that are right. Returns whether the call succeeded. */
static bool check_result(struct look *k, uint32_t set)
{
    int64_t code = bits_sext(k->now.x[10], k->f.xlen);
    const struct sbi_func_row *f = sbi_func_of(args(k)[7], args(k)[6]);
    uint32_t bit = code <= 0 && code > -31 ? SBI_ERROR_BIT((int)code) : 0, listed = f ? f->errors : ERR(NOT_SUPPORTED);
    if (!code)
        k->o->alive = 1;
    if (bit & set || (code == SBI_NOT_SUPPORTED && !k->o->alive)) /* the firmware may not have the extension */
        return !code;
    k->call = true;
    sse_found(k, !code ? SSE_C2 : bit & listed ? SSE_C1 : SSE_C3, "result", (uint64_t)expected_of(set), (uint64_t)code);
    k->call = false;
    return !code;
}

/* ---- what they do --------------------------------------------------------------------------------------------------------- */

static void inject_done(struct look *k, bool success)
{
    struct sse_event *e = target(k) ? sse_event_find(k->o, target(k), event_id(k)) : NULL;
    if (!e)
        return;
    bool later = arrives_later(k), here = k->o->harts == 1;
    if (later && sse_is_software(e->id) && e->arriving && (!success || here))
        e->arriving--;
    if (success && (!later || here))
        e->pending = SSE_PENDING;
}

static void set_registered(struct sse_event *e, const uint64_t *a)
{
    e->state = SSE_REGISTERED;
    e->attr[SSE_ENTRY_PC] = a[1];
    e->attr[SSE_ENTRY_ARG] = a[2];
    e->known |= 1 << SSE_ENTRY_PC | 1 << SSE_ENTRY_ARG;
}

static void set_unused(struct sse_event *e)
{
    e->state = SSE_UNUSED;
    /* Whether a handler that is gone shows, and a signal stays, is not told. */
    e->known &= (uint16_t) ~(1 << SSE_ENTRY_PC | 1 << SSE_ENTRY_ARG);
    if (e->pending == SSE_PENDING)
        e->pending = SSE_MAY_PEND;
}

static void follow(struct look *k, struct sse_event *e)
{
    const uint64_t *a = args(k);
    switch (fid_of(k)) {
    case SSE_FID_READ:
        k->call = true;
        sse_attr_read(k, e, (uint32_t)a[1], (uint32_t)a[2]);
        k->call = false;
        break;
    case SSE_FID_REGISTER: set_registered(e, a); break;
    case SSE_FID_UNREGISTER: set_unused(e); break;
    case SSE_FID_ENABLE: e->state = SSE_ENABLED; break;
    case SSE_FID_DISABLE: e->state = SSE_REGISTERED; break;
    default: break;
    }
}

static void event_call(struct look *k)
{
    struct sse_oracle *o = k->o;
    uint32_t id = event_id(k);
    unsigned fid = fid_of(k);
    struct sse_hart *h = fid == SSE_FID_INJECT && target(k) ? target(k) : k->h;
    struct sse_event fresh = sse_event_fresh(o, id), *e = sse_event_find(o, h, id);
    uint32_t set = results(k, e ? e : &fresh);
    bool overlap = sse_is_global(id) && !k->alone; /* what other harts did to it at the same time is not seen in order */
    k->event = id;
    k->has_event = true;
    if (overlap)
        set |= sbi_func_of(args(k)[7], fid)->errors | SUCCEEDS;
    bool success = check_result(k, set);
    if (fid == SSE_FID_INJECT)
        inject_done(k, success);
    e = success ? sse_event_get(o, h, id) : e;
    if (!e)
        return;
    e->supported |= success;
    if (fid == SSE_FID_WRITE)
        sse_attr_written(k, e, (uint32_t)args(k)[1], (uint32_t)args(k)[2], success);
    else if (success)
        follow(k, e);
    if (overlap && fid != SSE_FID_INJECT)
        sse_event_doubt(e);
}

void sse_call_leave(struct look *k)
{
    unsigned fid = fid_of(k);
    k->o->saw |= SSE_SAW_CALL;
    if (has_event(fid)) {
        event_call(k);
        return;
    }
    bool success = check_result(k, results(k, NULL));
    if (success && (fid == SSE_FID_UNMASK || fid == SSE_FID_MASK))
        k->h->masked = fid == SSE_FID_MASK;
}

void sse_call_complete_nothing(struct look *k)
{
    struct context behind = {.v = k->h->visit.at};
    behind.v.pc += 4;
    behind.v.x[10] = k->now.x[10];
    behind.v.x[11] = k->now.x[11];
    k->o->saw |= SSE_SAW_CALL;
    struct sse_event *e, *next = sse_injected(k, &behind);
    bool known = true;
    for (unsigned i = 0; (e = sse_event_at(k->o, k->h, i)); i++)
        known = known && e->state != SSE_UNKNOWN;
    if (k->now.pc != behind.v.pc && !next && (!known || k->o->late))
        return; /* a handler that was not known about has completed */
    check_result(k, SUCCEEDS);
    if (next) {
        sse_deliver(k, next, &behind);
        return;
    }
    sse_mret_effects(k, &behind);
    k->call = true;
    sse_check_equal(k, SSE_C5, &behind, false);
    k->call = false;
    sse_check_missed(k);
}
