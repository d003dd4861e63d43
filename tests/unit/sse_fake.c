#include "sse_fake.h"
#include "cpu/riscv/hart.h"
#include "machine/machine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIE = 1 << 1, SPIE = 1 << 5, SPP = 1 << 8, SPELP = 1 << 23, SDT = 1 << 24, SPV = 1 << 7, SPVP = 1 << 8 };

uint64_t fake_get(struct fake *k, unsigned hart, const char *name)
{
    uint64_t v = 0;
    if (!machine_get_reg(k->m, hart, name, &v))
        fail_msg("no register %s", name);
    return v;
}

void fake_set(struct fake *k, unsigned hart, const char *name, uint64_t v)
{
    if (!machine_set_reg(k->m, hart, name, v))
        fail_msg("no register %s", name);
}

static struct hart *hart_of(struct fake *k, unsigned i) { return (struct hart *)(void *)machine_hart(k->m, i); }
void fake_set_elp(struct fake *k, unsigned hart, bool on) { hart_of(k, hart)->s.elp = on; }
static bool elp(struct fake *k, unsigned hart) { return hart_of(k, hart)->s.elp; }

static void mode(struct fake *k, unsigned hart, unsigned priv, unsigned v)
{
    if (!v)
        fake_set(k, hart, "v", 0);
    fake_set(k, hart, "priv", priv);
    if (v)
        fake_set(k, hart, "v", 1);
}

static bool bug(struct fake *k, enum fake_bug b)
{
    bool now = k->bug == b && !k->spent;
    k->spent |= now;
    return now;
}

static void tell(struct fake *k, const struct machine_change *c)
{
    unsigned n = sse_oracle_feed(&k->o, k->m, c);
    for (unsigned i = 0; i < n; i++) {
        k->found[k->o.found[i].rule]++;
        k->what = k->o.found[i].what;
        sse_departure_text(&k->o.found[i], k->f.xlen, k->text, sizeof k->text);
    }
}

/* ---- traps and returns ---------------------------------------------------------------------------------------------------- */

static void set_mstatus(struct fake *k, unsigned hart, uint64_t mpp, uint64_t mpv, uint64_t mpelp)
{
    uint64_t s = fake_get(k, hart, "mstatus") & ~(UINT64_C(3) << 11);
    if (k->f.xlen == 64) {
        s &= ~(UINT64_C(1) << 39 | UINT64_C(1) << 41);
        fake_set(k, hart, "mstatus", s | mpp << 11 | mpv << 39 | mpelp << 41);
        return;
    }
    fake_set(k, hart, "mstatus", s | mpp << 11);
    uint64_t high = fake_get(k, hart, "mstatush") & ~(UINT64_C(1) << 7 | UINT64_C(1) << 9);
    fake_set(k, hart, "mstatush", high | mpv << 7 | mpelp << 9);
}

static void trap(struct fake *k, unsigned hart, uint64_t cause, bool interrupt)
{
    uint64_t priv = fake_get(k, hart, "priv"), v = fake_get(k, hart, "v");
    struct machine_change c = {.hart = hart,
                               .interrupt = interrupt,
                               .priv = (uint8_t)priv,
                               .v = (uint8_t)v,
                               .to_priv = 3,
                               .cause = cause,
                               .epc = fake_get(k, hart, "pc"),
                               .pc = 0x80000000,
                               .cycle = 1};
    fake_set(k, hart, "mepc", c.epc);
    fake_set(k, hart, "pc", c.pc);
    fake_set(k, hart, "mcause", cause);
    set_mstatus(k, hart, priv, v, elp(k, hart));
    mode(k, hart, 3, 0);
    fake_set_elp(k, hart, false);
    tell(k, &c);
}

/* Where M is about to return to: kept apart from mstatus, which the oracle must not need. */
struct to {
    uint64_t pc, priv, v;
    bool elp;
};

static void ret(struct fake *k, unsigned hart, const struct to *t)
{
    struct machine_change c = {.hart = hart,
                               .is_return = true,
                               .priv = 3,
                               .to_priv = (uint8_t)t->priv,
                               .to_v = (uint8_t)t->v,
                               .epc = 0x80000100,
                               .pc = t->pc,
                               .cycle = 2};
    if (t->v || !t->priv)
        fake_set(k, hart, "sstatus", fake_get(k, hart, "sstatus") & ~(uint64_t)SDT);
    fake_set(k, hart, "pc", t->pc);
    mode(k, hart, (unsigned)t->priv, (unsigned)t->v);
    fake_set_elp(k, hart, t->elp);
    tell(k, &c);
}

static struct to interrupted(struct fake *k, unsigned hart, const struct machine_change *c, bool was_elp)
{
    (void)hart;
    (void)k;
    return (struct to){c->epc, c->priv, c->v, was_elp};
}

/* ---- the extension -------------------------------------------------------------------------------------------------------- */

static struct fake_event *find(struct fake *k, unsigned hart, uint64_t id)
{
    uint32_t n = (uint32_t)id;
    for (unsigned i = 0; i < 2; i++)
        if (k->hart[hart].event[i].id == n)
            return &k->hart[hart].event[i];
    return n == GLOBAL ? &k->global : NULL;
}

/* The events a hart may get, in order of urgency. */
static unsigned sorted(struct fake *k, unsigned hart, struct fake_event *out[3])
{
    unsigned n = 0;
    out[n++] = &k->hart[hart].event[0];
    out[n++] = &k->hart[hart].event[1];
    out[n++] = &k->global;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = i + 1; j < n; j++) {
            uint64_t a = out[i]->attr[SSE_PRIORITY], b = out[j]->attr[SSE_PRIORITY];
            if (b < a || (b == a && out[j]->id < out[i]->id)) {
                struct fake_event *t = out[i];
                out[i] = out[j];
                out[j] = t;
            }
        }
    return n;
}

static uint64_t flags_now(struct fake *k, unsigned hart)
{
    uint64_t s = fake_get(k, hart, "sstatus"), h = k->f.h ? fake_get(k, hart, "hstatus") : 0;
    uint64_t flags = (s & SPP ? 1 : 0) | (s & SPIE ? 2 : 0) | (h & SPV ? 4 : 0) | (h & SPVP ? 8 : 0);
    return flags | (k->f.zicfilp && s & SPELP ? 16 : 0) | (k->f.dte && s & SDT ? 32 : 0);
}

static void change(struct fake *k, unsigned hart, const char *csr, uint64_t clear, uint64_t set)
{
    fake_set(k, hart, csr, (fake_get(k, hart, csr) & ~clear) | set);
}

static void wrong_registers(struct fake *k, unsigned hart)
{
    if (bug(k, BUG_ENTRY_SPP))
        fake_set(k, hart, "sstatus", fake_get(k, hart, "sstatus") ^ SPP);
    if (bug(k, BUG_ENTRY_SPIE))
        fake_set(k, hart, "sstatus", fake_get(k, hart, "sstatus") ^ SPIE);
    if (bug(k, BUG_ENTRY_SIE)) /* which SDT would not let through */
        change(k, hart, "sstatus", SDT, SIE);
    if (bug(k, BUG_ENTRY_SPELP))
        fake_set(k, hart, "sstatus", fake_get(k, hart, "sstatus") ^ SPELP);
    if (bug(k, BUG_ENTRY_SDT))
        fake_set(k, hart, "sstatus", fake_get(k, hart, "sstatus") ^ SDT);
    if (bug(k, BUG_ENTRY_SEPC))
        fake_set(k, hart, "sepc", fake_get(k, hart, "sepc") + 4);
    if (bug(k, BUG_ENTRY_A6))
        fake_set(k, hart, "a6", 77);
    if (bug(k, BUG_ENTRY_A7))
        fake_set(k, hart, "a7", 77);
    if (bug(k, BUG_ENTRY_GPR))
        fake_set(k, hart, "s5", 77);
    if (bug(k, BUG_ENTRY_F))
        fake_set(k, hart, "fs5", UINT64_C(0xffffffff00000077));
    if (bug(k, BUG_ENTRY_STVAL))
        fake_set(k, hart, "stval", 77);
    if (bug(k, BUG_ENTRY_FS))
        fake_set(k, hart, "sstatus", fake_get(k, hart, "sstatus") ^ (1 << 13));
}

/* hstatus of the handler. */
static void inject_hstatus(struct fake *k, unsigned hart, const struct to *t)
{
    if (!k->f.h)
        return;
    uint64_t spv = fake_get(k, hart, "hstatus") & SPV;
    change(k, hart, "hstatus", SPV, t->v ? SPV : 0);
    if (!t->v && spv && bug(k, BUG_ENTRY_SPV))
        change(k, hart, "hstatus", 0, SPV);
    if (t->v)
        change(k, hart, "hstatus", SPVP, t->priv ? SPVP : 0);
    else if (fake_get(k, hart, "hstatus") & SPVP && bug(k, BUG_ENTRY_SPVP))
        change(k, hart, "hstatus", SPVP, 0);
}

static void inject(struct fake *k, unsigned hart, struct fake_event *e, struct to *t)
{
    uint64_t flags = flags_now(k, hart), s = fake_get(k, hart, "sstatus");
    e->state = SSE_RUNNING;
    e->pending = 0;
    e->runs_on = hart;
    e->attr[SSE_FLAGS] = flags;
    e->attr[SSE_SEPC] = bug(k, BUG_SAVED_SEPC) ? t->pc : fake_get(k, hart, "sepc");
    e->attr[SSE_A6] = bug(k, BUG_SAVED_A6) ? 77 : fake_get(k, hart, "a6");
    e->attr[SSE_A7] = bug(k, BUG_SAVED_A7) ? 77 : fake_get(k, hart, "a7");
    if (bug(k, BUG_FLAGS_HIGH))
        e->attr[SSE_FLAGS] |= 1 << 9;
    k->private_copy[0] = t->pc;
    k->private_copy[1] = s;
    k->private_copy[2] = k->f.h ? fake_get(k, hart, "hstatus") : 0;
    k->private_copy[3] = fake_get(k, hart, "sepc");
    fake_set(k, hart, "a6", hart);
    fake_set(k, hart, "a7", e->attr[SSE_ENTRY_ARG]);
    fake_set(k, hart, "sepc", t->pc);
    uint64_t now = (s & ~(uint64_t)(SPP | SPIE | SIE | SPELP)) | (t->priv ? SPP : 0) | (s & SIE ? SPIE : 0);
    now |= k->f.zicfilp && t->elp ? SPELP : 0;
    fake_set(k, hart, "sstatus", now | (k->f.dte ? SDT : 0));
    inject_hstatus(k, hart, t);
    if (bug(k, BUG_FLAGS_LATE))
        e->attr[SSE_FLAGS] = flags_now(k, hart);
    wrong_registers(k, hart);
    *t = (struct to){e->attr[SSE_ENTRY_PC], 1, 0, t->elp && bug(k, BUG_ENTRY_ELP)};
}

static unsigned pending_here(struct fake *k, unsigned hart)
{
    struct fake_event *list[3];
    unsigned n = sorted(k, hart, list), pending = 0;
    for (unsigned i = 0; i < n; i++)
        pending += list[i]->pending && list[i]->state == SSE_ENABLED;
    return k->hart[hart].masked ? 0 : pending;
}

/* On the way out of M. */
static void deliver(struct fake *k, unsigned hart, struct to *t)
{
    struct fake_event *list[3], *next = NULL;
    unsigned n = sorted(k, hart, list);
    bool preempted = false, masked = k->hart[hart].masked,
         backwards = k->bug == BUG_PRIORITY_PENDING && !k->spent && pending_here(k, hart) > 1;
    for (unsigned i = 0; i < n; i++) {
        struct fake_event *e = list[backwards ? n - 1 - i : i];
        if (e->state == SSE_RUNNING && e->runs_on == hart) {
            if (k->bug != BUG_PRIORITY_RUNNING)
                break;
            preempted = true;
            continue;
        }
        bool state = e->state == SSE_ENABLED || (e->state == SSE_REGISTERED && k->bug == BUG_DELIVER_REGISTERED && !k->spent);
        if (e->pending && state && (!e->global || e->attr[SSE_PREFERRED_HART] == hart)) {
            next = e;
            break;
        }
    }
    if (!next || (masked && !bug(k, BUG_IGNORE_MASK)) || (next->id == SOFT && bug(k, BUG_NOT_DELIVERED)))
        return;
    k->spent |= next->state == SSE_REGISTERED || backwards || preempted;
    inject(k, hart, next, t);
    if (next->id == SOFT && bug(k, BUG_DELIVER_TWICE))
        next->pending = 1;
}

static void complete(struct fake *k, unsigned hart, struct to *t)
{
    struct fake_event *list[3], *e = NULL;
    unsigned n = sorted(k, hart, list);
    for (unsigned i = 0; i < n && !e; i++)
        if (list[i]->state == SSE_RUNNING && list[i]->runs_on == hart)
            e = list[i];
    if (!e) {
        fake_set(k, hart, "a0", bug(k, BUG_COMPLETE_CODE) ? UINT64_MAX : 0);
        t->pc += 4;
        return;
    }
    bool private = bug(k, BUG_RESUME_PRIVATE);
    uint64_t s = fake_get(k, hart, "sstatus"), h = k->f.h ? fake_get(k, hart, "hstatus") : 0, flags = e->attr[SSE_FLAGS];
    t->pc = private ? k->private_copy[0] : fake_get(k, hart, "sepc");
    t->priv = s & SPP ? 1 : 0;
    t->v = h & SPV ? 1 : 0;
    t->elp = (s & SPELP) && k->f.lpe && t->priv && !t->v;
    uint64_t now = (s & ~(uint64_t)(SPP | SPIE | SIE | SPELP | SDT)) | (s & SPIE ? SIE : 0);
    now |= (flags & 1 ? SPP : 0) | (flags & 2 ? SPIE : 0) | (k->f.zicfilp && flags & 16 ? SPELP : 0);
    if (bug(k, BUG_RESUME_SPP))
        now ^= SPP;
    fake_set(k, hart, "sstatus", now | (k->f.dte && flags & 32 ? SDT : 0));
    if (k->f.h)
        change(k, hart, "hstatus", SPV | SPVP, (flags & 4 ? SPV : 0) | (flags & 8 ? SPVP : 0));
    fake_set(k, hart, "a6", e->attr[SSE_A6]);
    fake_set(k, hart, "a7", bug(k, BUG_RESUME_A7) ? 77 : e->attr[SSE_A7]);
    fake_set(k, hart, "sepc", private ? k->private_copy[3] : bug(k, BUG_RESUME_SEPC) ? t->pc : e->attr[SSE_SEPC]);
    e->state = e->attr[SSE_CONFIG] & 1 && !bug(k, BUG_ONESHOT) ? SSE_REGISTERED : SSE_ENABLED;
    if (bug(k, BUG_RESUME_GPR))
        fake_set(k, hart, "s7", 77);
    if (k->f.h && bug(k, BUG_RESUME_V))
        t->v ^= 1;
    if (!t->elp && k->f.lpe && bug(k, BUG_RESUME_ELP))
        t->elp = true;
}

static int64_t read_attrs(struct fake *k, const uint64_t *a, struct fake_event *e)
{
    uint64_t base = (uint32_t)a[1], count = (uint32_t)a[2];
    unsigned size = k->f.xlen / 8u;
    if (!count)
        return SBI_INVALID_PARAM;
    if (base + count > SSE_ATTRS)
        return bug(k, BUG_WRONG_CODE) ? SBI_INVALID_ADDRESS : SBI_BAD_RANGE;
    if (a[3] % size || a[4] || a[3] < 0x80000000)
        return SBI_INVALID_ADDRESS;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t v = e->attr[base + i];
        if (base + i == SSE_STATUS) {
            v = e->state | (uint64_t)e->pending << 2 | 8;
            if (bug(k, BUG_STATUS_HIGH))
                v |= ~UINT64_C(15);
            if (bug(k, BUG_STATUS_STATE))
                v ^= 1;
            if (bug(k, BUG_STATUS_PENDING))
                v ^= 4;
        }
        if (base + i == SSE_PRIORITY && e->state == SSE_UNUSED && bug(k, BUG_RESET_VALUE))
            v = 5;
        machine_write(k->m, a[3] + i * size, &v, size);
    }
    return 0;
}

static int64_t check_write(struct fake *k, unsigned hart, const struct fake_event *e, uint64_t id, uint64_t v)
{
    bool early = e->state <= SSE_REGISTERED, runs = e->state == SSE_RUNNING && e->runs_on == hart;
    switch (id) {
    case SSE_PRIORITY: return !early ? SBI_INVALID_STATE : v >> 32 ? SBI_INVALID_PARAM : 0;
    case SSE_CONFIG: return !early ? SBI_INVALID_STATE : v >> 1 ? SBI_INVALID_PARAM : 0;
    case SSE_PREFERRED_HART: return !e->global ? SBI_DENIED : !early ? SBI_INVALID_STATE : v >= k->harts ? SBI_INVALID_PARAM : 0;
    case SSE_FLAGS:
        if (v >> 6 && !bug(k, BUG_ACCEPT_FLAGS))
            return SBI_INVALID_PARAM;
        return runs ? 0 : SBI_INVALID_STATE;
    case SSE_SEPC:
    case SSE_A6:
    case SSE_A7: return runs ? 0 : SBI_INVALID_STATE;
    default: return SBI_DENIED;
    }
}

static int64_t write_attrs(struct fake *k, unsigned hart, const uint64_t *a, struct fake_event *e)
{
    uint64_t base = (uint32_t)a[1], count = (uint32_t)a[2], v[SSE_ATTRS] = {0};
    unsigned size = k->f.xlen / 8u;
    if (!count)
        return SBI_INVALID_PARAM;
    if (base + count > SSE_ATTRS)
        return SBI_BAD_RANGE;
    if (a[3] % size || a[4] || a[3] < 0x80000000)
        return SBI_INVALID_ADDRESS;
    for (uint64_t i = 0; i < count; i++) {
        machine_read(k->m, a[3] + i * size, &v[i], size);
        int64_t error = check_write(k, hart, e, base + i, v[i]);
        if (error)
            return error;
    }
    if (v[0] && bug(k, BUG_LOSE_WRITE))
        return 0;
    for (uint64_t i = 0; i < count; i++)
        e->attr[base + i] = v[i];
    return 0;
}

static int64_t move(struct fake *k, struct fake_event *e, unsigned from, unsigned to)
{
    if (e->state != from && !bug(k, BUG_ACCEPT))
        return SBI_INVALID_STATE;
    e->state = to;
    return 0;
}

static int64_t event_call(struct fake *k, unsigned hart, const uint64_t *a)
{
    uint64_t target = a[6] == 7 && (uint32_t)a[0] != GLOBAL ? a[1] : hart;
    struct fake_event *e = target < k->harts ? find(k, (unsigned)target, a[0]) : NULL;
    if (target >= k->harts)
        return SBI_INVALID_PARAM;
    if (!e)
        return (uint32_t)a[0] == RAS ? SBI_NOT_SUPPORTED : SBI_INVALID_PARAM;
    switch (a[6]) {
    case 0: return read_attrs(k, a, e);
    case 1: return write_attrs(k, hart, a, e);
    case 2:
        if (a[1] & 1)
            return SBI_INVALID_PARAM;
        if (e->state == SSE_UNUSED && !bug(k, BUG_REFUSE)) {
            e->attr[SSE_ENTRY_PC] = a[1];
            e->attr[SSE_ENTRY_ARG] = a[2];
            return move(k, e, SSE_UNUSED, SSE_REGISTERED);
        }
        return SBI_INVALID_STATE;
    case 3: return move(k, e, SSE_REGISTERED, SSE_UNUSED);
    case 4: return move(k, e, SSE_REGISTERED, SSE_ENABLED);
    case 5: return move(k, e, SSE_ENABLED, SSE_REGISTERED);
    default:
        if (e->state < SSE_ENABLED)
            return bug(k, BUG_UNLISTED) ? SBI_INVALID_STATE : SBI_FAILED;
        e->pending = 1;
        return 0;
    }
}

static int64_t mask(struct fake *k, unsigned hart, bool on)
{
    bool was = k->hart[hart].masked;
    k->hart[hart].masked = on;
    if (was != on)
        return 0;
    return on != bug(k, BUG_MASK_CODE) ? SBI_ALREADY_STOPPED : SBI_ALREADY_STARTED;
}

static void sse_call(struct fake *k, unsigned hart, struct to *t)
{
    const uint64_t *a = k->hart[hart].a;
    int64_t r;
    if (a[6] == 6) {
        complete(k, hart, t);
        return;
    }
    if (a[6] > 9)
        r = bug(k, BUG_UNKNOWN_FID) ? SBI_FAILED : SBI_NOT_SUPPORTED;
    else
        r = a[6] >= 8 ? mask(k, hart, a[6] == 9) : event_call(k, hart, a);
    fake_set(k, hart, "a0", (uint64_t)r);
    t->pc += bug(k, BUG_CALL_PC) ? 8 : 4;
    if (bug(k, BUG_CALL_GPR))
        fake_set(k, hart, "s3", 77);
    if (bug(k, BUG_CALL_SEPC))
        fake_set(k, hart, "sepc", 0x1234);
}

/* ---- the outside ---------------------------------------------------------------------------------------------------------- */

int64_t fake_call(struct fake *k, unsigned hart, uint64_t fid, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    static const char *const name[] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};
    const uint64_t a[8] = {a0, a1, a2, a3, 0, 0, fid, 0x535345};
    struct to t = {fake_get(k, hart, "pc"), 1, 0, false};
    fake_set_elp(k, hart, false); /* or the ecall would not be executed */
    mode(k, hart, 1, 0);
    for (unsigned i = 0; i < 8; i++) {
        fake_set(k, hart, name[i], a[i]);
        k->hart[hart].a[i] = fake_get(k, hart, name[i]);
    }
    trap(k, hart, 9, false);
    sse_call(k, hart, &t);
    deliver(k, hart, &t);
    ret(k, hart, &t);
    uint64_t r = fake_get(k, hart, "a0");
    return k->f.xlen == 32 ? (int64_t)(int32_t)r : (int64_t)r;
}

int64_t fake_other(struct fake *k, unsigned hart, uint64_t eid, uint64_t fid)
{
    struct to t = {fake_get(k, hart, "pc"), 1, 0, false};
    fake_set_elp(k, hart, false);
    fake_set(k, hart, "a6", fid);
    fake_set(k, hart, "a7", eid);
    trap(k, hart, 9, false);
    fake_set(k, hart, "a0", 0);
    t.pc += 4;
    deliver(k, hart, &t);
    ret(k, hart, &t);
    return 0;
}

static void signal_event(struct fake *k, unsigned hart, uint32_t id)
{
    struct fake_event *e = id ? find(k, hart, id) : NULL;
    if (e)
        e->pending = 1;
}

void fake_interrupt(struct fake *k, unsigned hart, uint32_t id)
{
    struct machine_change c = {
        .epc = fake_get(k, hart, "pc"), .priv = (uint8_t)fake_get(k, hart, "priv"), .v = (uint8_t)fake_get(k, hart, "v")};
    struct to t = interrupted(k, hart, &c, elp(k, hart));
    trap(k, hart, 3, true);
    signal_event(k, hart, id);
    if (bug(k, BUG_INTERRUPT_GPR))
        fake_set(k, hart, "t3", 77);
    if (bug(k, BUG_INTERRUPT_CSR))
        fake_set(k, hart, "scause", 77);
    deliver(k, hart, &t);
    ret(k, hart, &t);
}

void fake_redirect(struct fake *k, unsigned hart, uint64_t cause, uint32_t id)
{
    uint64_t priv = fake_get(k, hart, "priv"), v = fake_get(k, hart, "v"), pc = fake_get(k, hart, "pc");
    struct to t = {fake_get(k, hart, "stvec") & ~UINT64_C(3), 1, 0, false};
    trap(k, hart, cause, false);
    uint64_t s = fake_get(k, hart, "sstatus");
    fake_set(k, hart, "sstatus", (s & ~(uint64_t)(SPP | SPIE | SIE)) | (priv ? SPP : 0) | (s & SIE ? SPIE : 0));
    fake_set(k, hart, "sepc", pc);
    fake_set(k, hart, "scause", cause);
    fake_set(k, hart, "stval", 0x5a5a);
    if (k->f.h)
        change(k, hart, "hstatus", SPV | (v ? SPVP : 0), (v ? SPV : 0) | (v && priv ? SPVP : 0));
    signal_event(k, hart, id);
    deliver(k, hart, &t);
    ret(k, hart, &t);
}

void fake_emulate(struct fake *k, unsigned hart, const char *rd, uint32_t id)
{
    struct to t = {fake_get(k, hart, "pc") + 4, fake_get(k, hart, "priv"), fake_get(k, hart, "v"), false};
    trap(k, hart, 2, false);
    fake_set(k, hart, rd, 0x1357);
    signal_event(k, hart, id);
    deliver(k, hart, &t);
    ret(k, hart, &t);
}

void fake_nested(struct fake *k, unsigned hart)
{
    uint64_t s = fake_get(k, hart, "sstatus");
    fake_set(k, hart, "sepc", fake_get(k, hart, "pc"));
    fake_set(k, hart, "scause", 3);
    fake_set(k, hart, "stval", 0);
    fake_set(k, hart, "sstatus", (s & ~(uint64_t)(SPP | SDT | SIE)) | SPIE);
    if (k->f.h)
        change(k, hart, "hstatus", SPV, 0);
}

/* ---- opening -------------------------------------------------------------------------------------------------------------- */

static void events(struct fake *k)
{
    for (unsigned i = 0; i < k->harts; i++) {
        memset(&k->hart[i], 0, sizeof k->hart[i]);
        k->hart[i].masked = true;
        k->hart[i].event[0].id = SOFT;
        k->hart[i].event[1].id = PLATFORM;
        for (unsigned j = 0; j < 2; j++)
            k->hart[i].event[j].attr[SSE_PREFERRED_HART] = i;
    }
    k->global = (struct fake_event){.id = GLOBAL, .global = true};
}

static void start(struct fake *k, unsigned hart)
{
    struct to t = {0x80200000, 1, 0, false};
    mode(k, hart, 3, 0);
    ret(k, hart, &t);
}

void fake_open(struct fake *k, const char *cpu, unsigned harts, bool pads, enum fake_bug b)
{
    struct err e;
    struct machine_config c = {.bios = "none", .kernel = TL_SOURCE_DIR "/roms/journey.elf", .cpu = cpu, .harts = harts};
    if (!strncmp(cpu, "rv32", 4))
        c.kernel = TL_SOURCE_DIR "/roms/journey-rv32.elf";
    memset(k, 0, sizeof *k);
    k->m = machine_new(&c, &e);
    if (!k->m)
        fail_msg("%s", e.text);
    k->harts = harts;
    k->bug = b;
    k->what = "";
    k->buffer = 0x80300000;
    events(k);
    sse_oracle_init(&k->o, k->m);
    for (unsigned i = 0; i < harts; i++) {
        /* All of memory is everybody's. */
        fake_set(k, i, "pmpaddr0", UINT64_MAX);
        fake_set(k, i, "pmpcfg0", 0x1f);
        if (pads && !strncmp(cpu, "rv32", 4)) {
            fake_set(k, i, "menvcfg", 1 << 2);
            fake_set(k, i, "menvcfgh", UINT64_C(1) << 27);
        } else if (pads) {
            fake_set(k, i, "menvcfg", UINT64_C(1) << 59 | 1 << 2);
        }
        fake_set(k, i, "sstatus", 1 << 13);
        start(k, i);
    }
    view_features(&k->f, k->m, 0);
}

void fake_stop_and_start(struct fake *k, unsigned hart)
{
    struct to t = {0x80200100, 1, 0, false};
    fake_set_elp(k, hart, false);
    mode(k, hart, 1, 0);
    fake_set(k, hart, "a6", 1);
    fake_set(k, hart, "a7", 0x48534d);
    trap(k, hart, 9, false);
    for (unsigned i = 0; i < 2; i++) {
        struct fake_event *e = &k->hart[hart].event[i];
        *e = (struct fake_event){.id = e->id, .attr[SSE_PREFERRED_HART] = hart};
    }
    k->hart[hart].masked = true;
    ret(k, hart, &t);
}

void fake_reset(struct fake *k)
{
    events(k);
    for (unsigned i = 0; i < k->harts; i++)
        start(k, i);
}

void fake_close(struct fake *k) { machine_free(k->m); }
