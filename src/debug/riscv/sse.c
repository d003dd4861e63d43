/* The oracle's way through a change: stays in M begin and end, and what each was is told from its ends. */
#include "debug/riscv/sse_model.h"
#include "cpu/riscv/hart.h"

/* The call that stops a hart. */
#define EID_HSM  0x48534du
#define FID_STOP 1

static void begin(struct sse_oracle *o, bool late)
{
    o->late = late;
    o->alive = 0;
    o->globals = o->lost = 0;
    o->resetting = 0;
    for (unsigned i = 0; i < o->harts; i++) {
        struct sse_hart *h = &o->hart[i];
        h->masked = late ? 2 : 1;
        h->ran = 0;
        h->events = h->depth = 0;
        h->visit.kind = VISIT_NONE;
    }
}

void sse_oracle_init(struct sse_oracle *o, struct machine *m)
{
    struct rv_features f;
    struct rv_view v;
    memset(o, 0, sizeof *o);
    o->harts = (uint8_t)machine_harts(m);
    view_features(&f, m, 0);
    o->xlen = f.xlen;
    begin(o, machine_cycle(m) > 0);
    for (unsigned i = 0; i < o->harts; i++) {
        view_take(&v, m, i);
        o->hart[i].ran = v.priv != RV_M;
    }
}

/* What is in use: the rest of a frame stack or a table is never read. */
void sse_oracle_copy(struct sse_oracle *to, const struct sse_oracle *from)
{
    memcpy(to, from, offsetof(struct sse_oracle, hart));
    for (unsigned i = 0; i < from->harts; i++) {
        const struct sse_hart *h = &from->hart[i];
        memcpy(&to->hart[i], h, offsetof(struct sse_hart, event) + h->events * sizeof h->event[0]);
        memcpy(to->hart[i].frame, h->frame, h->depth * sizeof h->frame[0]);
    }
}

void sse_found(struct look *k, enum sse_rule rule, const char *what, uint64_t expected, uint64_t actual)
{
    struct sse_oracle *o = k->o;
    o->count[rule]++;
    if (o->nfound == SSE_FOUND)
        return;
    struct sse_departure *d = &o->found[o->nfound++];
    *d = (struct sse_departure){.rule = rule,
                                .hart = (uint8_t)k->c->hart,
                                .call = k->call,
                                .event = k->event,
                                .has_event = k->has_event,
                                .cycle = k->c->cycle,
                                .pc = k->c->pc,
                                .what = what,
                                .expected = expected,
                                .actual = actual};
    if (k->call)
        memcpy(d->a, sse_args(&k->h->visit), sizeof d->a);
}

/* ---- into M --------------------------------------------------------------------------------------------------------------- */

static bool others_in_m(const struct sse_oracle *o, const struct sse_hart *me)
{
    for (unsigned i = 0; i < o->harts; i++)
        if (&o->hart[i] != me && o->hart[i].visit.kind != VISIT_NONE && o->hart[i].visit.kind != VISIT_STOP)
            return true;
    return false;
}

static bool is_call(const struct sse_visit *v, uint32_t eid) { return (uint32_t)sse_args(v)[7] == eid; }

static enum sse_visit_kind kind_of(const struct look *k)
{
    const struct sse_visit *v = &k->h->visit;
    const uint64_t *a = sse_args(v);
    if (k->c->interrupt || k->c->nmi)
        return VISIT_INTERRUPT;
    if (k->c->cause != EXC_ECALL_S)
        return VISIT_EXCEPTION;
    return a[7] == EID_HSM && a[6] == FID_STOP ? VISIT_STOP : VISIT_CALL;
}

static void enter(struct look *k)
{
    struct sse_oracle *o = k->o;
    struct sse_visit *v = &k->h->visit;
    view_take_trapped(&v->at, k->m, k->c->hart, k->c->nmi);
    v->kind = (uint8_t)kind_of(k);
    v->cause = (uint8_t)k->c->cause;
    v->alone = !others_in_m(o, k->h);
    v->stays = ++o->stays;
    if (v->kind == VISIT_STOP)
        sse_hart_stops(o, k->h);
    if (v->kind != VISIT_CALL)
        return;
    if (is_call(v, EID_SSE))
        sse_call_enter(k);
    if (sbi_ext_of(sse_args(v)[7]) == SBI_EXT_SRST || sse_args(v)[7] == 8 /* legacy shutdown */)
        o->resetting = 1;
}

/* ---- out of M ------------------------------------------------------------------------------------------------------------- */

static void system_reset(struct look *k)
{
    begin(k->o, false);
    k->h->ran = 1;
}

/* A hart goes on below M that was not known to have come from there. */
static void appear(struct look *k)
{
    if (k->h->ran)
        system_reset(k);
    k->h->ran = 1;
}

/* A call did not return behind its ecall. */
static void went_elsewhere(struct look *k)
{
    struct sse_oracle *o = k->o;
    const struct sse_visit *v = &k->h->visit;
    const uint64_t *a = sse_args(v);
    enum sbi_ext ext = sbi_ext_of(a[7]);
    if (o->resetting)
        system_reset(k);
    else if (ext == SBI_EXT_HSM || ext == SBI_EXT_SUSP)
        sse_hart_forget(o, k->h);
    else if (ext == SBI_EXT_SSE || ext == SBI_EXT_BASE || ext == SBI_EXT_TIME || ext == SBI_EXT_IPI || ext == SBI_EXT_RFENCE)
        sse_found(k, SSE_C5, "pc", v->at.pc + 4, k->now.pc);
}

/* What a call of this extension may change of a context besides a0 and a1. */
static uint8_t vague_after(enum sbi_ext ext)
{
    switch (ext) {
    case SBI_EXT_LEGACY:
    case SBI_EXT_BASE:
    case SBI_EXT_TIME:
    case SBI_EXT_IPI:
    case SBI_EXT_RFENCE:
    case SBI_EXT_PMU:
    case SBI_EXT_DBCN:
    case SBI_EXT_SSE: return 0;
    default: return SSE_VAGUE_STATUS | SSE_VAGUE_TRAP;
    }
}

/* Where a call returns to: behind its ecall, with whatever result. */
static struct context behind_call(const struct look *k, enum sbi_ext ext)
{
    struct context c = {.v = k->h->visit.at, .vague = vague_after(ext)};
    c.v.pc = k->f.xlen == 32 ? (uint32_t)(c.v.pc + 4) : c.v.pc + 4;
    c.v.x[10] = k->now.x[10];
    if (ext != SBI_EXT_LEGACY)
        c.v.x[11] = k->now.x[11];
    return c;
}

static void leave_call(struct look *k)
{
    enum sbi_ext ext = sbi_ext_of(sse_args(&k->h->visit)[7]);
    struct context before = {.v = k->h->visit.at}, behind = behind_call(k, ext);
    struct sse_event *e = sse_injected(k, &behind);
    if (!e && sse_injected_unseen(k, &behind))
        return;
    if (!e && k->now.pc != behind.v.pc) {
        went_elsewhere(k);
        return;
    }
    if (e && k->now.csr[VIEW_sepc] == before.v.pc && k->now.x[10] == before.v.x[10] && k->now.x[11] == before.v.x[11]) {
        sse_deliver(k, e, &before); /* before the call, which is made again then */
        return;
    }
    if (ext == SBI_EXT_SRST)
        k->o->resetting = 0; /* it failed */
    if (ext == SBI_EXT_SSE)
        sse_call_leave(k);
    e = sse_injected(k, &behind); /* the call has decided which */
    if (e) {
        sse_deliver(k, e, &behind);
        return;
    }
    sse_mret_effects(k, &behind);
    k->call = true;
    sse_check_equal(k, SSE_C5, &behind, ext != SBI_EXT_SSE);
    k->call = false;
    sse_check_missed(k);
}

static void leave_complete(struct look *k)
{
    struct sse_oracle *o = k->o;
    struct sse_hart *h = k->h;
    int at = sse_running(k);
    if (at < 0) {
        sse_call_complete_nothing(k);
        return;
    }
    struct sse_frame frame = h->frame[at];
    struct sse_event *e = sse_event_find(o, h, frame.event);
    if (frame.doubtful)
        sse_event_doubt(e);
    bool edited = frame.doubtful || sse_edited(&frame, e, &h->visit.at);
    struct context given = sse_completed_context(k, e, &h->visit.at);
    e->state = !(e->known >> SSE_CONFIG & 1) ? SSE_UNKNOWN : e->attr[SSE_CONFIG] & 1 ? SSE_REGISTERED : SSE_ENABLED;
    memmove(&h->frame[at], &h->frame[at + 1], (size_t)(h->depth - at - 1) * sizeof h->frame[0]);
    h->depth--;
    o->completions++;
    o->saw |= SSE_SAW_RESUME;
    o->event = frame.event;
    o->edited = edited;
    o->wrote = e->written != 0;
    o->vague = frame.vague;
    o->interrupted = frame.at;
    k->event = frame.event;
    k->has_event = true;
    struct sse_event *next = sse_injected(k, &given);
    if (next) { /* straight into the next handler: what was resumed shows in what that one interrupted */
        o->resumed = given.v;
        o->resumed.elp = frame.at.elp;
        sse_deliver(k, next, &given);
        return;
    }
    o->resumed = k->now;
    sse_mret_effects(k, &given);
    sse_check_resume(k, &frame, &given, edited);
    sse_check_missed(k);
}

static void leave_interrupt(struct look *k)
{
    struct context given = {.v = k->h->visit.at};
    struct sse_event *e = sse_injected(k, &given);
    if (e) {
        sse_deliver(k, e, &given);
        return;
    }
    if (sse_injected_unseen(k, &given))
        return;
    sse_mret_effects(k, &given);
    sse_check_equal(k, SSE_M1, &given, false);
    sse_check_missed(k);
}

/* Before the event was injected, M may have left the trap for later, redirected it to HS or VS, or emulated the instruction. The
   handler's sepc tells which. */
static void leave_exception(struct look *k)
{
    struct context given = {.v = k->h->visit.at};
    struct rv_view *v = &given.v;
    struct sse_event *e = sse_injected(k, &given);
    if (!e) {
        sse_check_missed(k);
        return;
    }
    uint64_t sepc = k->now.csr[VIEW_sepc], spv = k->now.csr[VIEW_hstatus] & VIEW_SPV;
    uint64_t stvec = v->csr[VIEW_stvec] & ~UINT64_C(3), vstvec = v->csr[VIEW_vstvec] & ~UINT64_C(3);
    if (sepc != v->pc && ((sepc == stvec && !spv) || (sepc == vstvec && spv && v->v))) {
        v->priv = RV_S;
        v->v = spv != 0;
        v->elp = 0;
        given.vague = SSE_VAGUE_TRAP | SSE_VAGUE_STATUS;
        v->pc = sepc;
    } else if (sepc == v->pc + 2 || sepc == v->pc + 4) {
        given.vague = SSE_VAGUE_X | SSE_VAGUE_F | SSE_VAGUE_TRAP;
        v->pc = sepc;
    }
    sse_deliver(k, e, &given);
}

static void leave(struct look *k)
{
    struct sse_visit *v = &k->h->visit;
    enum sse_visit_kind kind = (enum sse_visit_kind)v->kind;
    view_take(&k->now, k->m, k->c->hart);
    k->alone = v->alone && v->stays == k->o->stays && !others_in_m(k->o, k->h);
    k->o->stays++;
    v->kind = VISIT_NONE;
    switch (kind) {
    case VISIT_NONE: appear(k); break;
    case VISIT_INTERRUPT: leave_interrupt(k); break;
    case VISIT_EXCEPTION: leave_exception(k); break;
    case VISIT_STOP:
    case VISIT_CALL:
        if (is_call(v, EID_SSE) && sse_args(v)[6] == SSE_FID_COMPLETE)
            leave_complete(k);
        else
            leave_call(k);
        break;
    }
    k->h->ran = 1;
}

unsigned sse_oracle_feed(struct sse_oracle *o, struct machine *m, const struct machine_change *c)
{
    o->nfound = 0;
    o->saw = 0;
    bool into = !c->is_return && c->to_priv == RV_M && c->priv != RV_M;
    bool out_of = c->is_return && c->priv == RV_M && c->to_priv != RV_M;
    if (!into && !out_of)
        return 0;
    struct look k = {.o = o, .m = m, .c = c, .h = &o->hart[c->hart]};
    view_features(&k.f, m, c->hart);
    if (into)
        enter(&k);
    else
        leave(&k);
    return o->nfound;
}
