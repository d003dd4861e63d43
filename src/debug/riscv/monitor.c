/* Watching: the rules themselves. Reading the option and telling a violation: monitor_text.c. */
#include "debug/riscv/monitor.h"
#include "base/bits.h"
#include "debug/riscv/sse_model.h"
#include "debug/symbols.h"

#include <string.h>

enum { U = 0, S = 1, M = 3, ECALL_U = 8, ECALL_S = 9 };

static const struct {
    const char *name, *needs, *what;
} rule[MONITOR_RULES] = {
#define MONITOR_RULE(id, needs, what) [MONITOR_##id] = {#id, #needs, what},
#include "debug/riscv/monitor.def"
};

const char *monitor_rule_name(enum monitor_rule r) { return rule[r].name; }
const char *monitor_rule_what(enum monitor_rule r) { return rule[r].what; }
const char *monitor_rule_needs(enum monitor_rule r) { return rule[r].needs; }

static bool in(const struct monitor *o, enum monitor_text t, uint64_t va)
{
    for (unsigned i = 0; i < o->ranges[t]; i++)
        if (va >= o->range[t][i].first && va < o->range[t][i].end)
            return true;
    return false;
}

static bool wanted(const struct monitor *o, enum monitor_rule r) { return o->config.rules >> r & 1; }

static struct monitor_violation *violate(struct monitor *o, const struct machine_change *c, const char *name, const char *where,
                                         const char *what)
{
    o->total++;
    /* One too many replaces the last: it is counted all the same. */
    struct monitor_violation *v = &o->found[o->nfound < MONITOR_FOUND ? o->nfound++ : MONITOR_FOUND - 1];
    memset(v, 0, sizeof *v);
    v->rule = name;
    v->where = where;
    v->what = what;
    v->hart = (uint8_t)c->hart;
    v->cycle = c->cycle;
    v->pc = c->pc;
    v->from = c->epc;
    return v;
}

static struct monitor_violation *broken(struct monitor *o, const struct machine_change *c, enum monitor_rule r)
{
    return violate(o, c, rule[r].name, "", rule[r].what);
}

static void differ(struct monitor_violation *v, const char *name, uint64_t expected, uint64_t actual)
{
    if (v->diffs < MONITOR_DIFFS) {
        v->diff[v->diffs].name = name;
        v->diff[v->diffs].expected = expected;
        v->diff[v->diffs++].actual = actual;
    }
}

/* ---- what an event left behind --------------------------------------------------------------------------------------------- */

/* The register's rule, besides A3. */
static enum monitor_rule rule_of(uint32_t i, uint64_t diff)
{
    if (i == VIEW_PRIV || (i == VIEW_CSR + VIEW_sstatus && diff & (VIEW_SIE | VIEW_SPIE | VIEW_SPP)))
        return MONITOR_B1;
    return i == VIEW_CSR + VIEW_sscratch || i == VIEW_CSR + VIEW_stvec ? MONITOR_B5 : MONITOR_A3;
}

static bool is_known(uint8_t vague, uint32_t i)
{
    if (i < VIEW_F)
        return !(vague & SSE_VAGUE_X);
    if (i < VIEW_CSR || i == VIEW_CSR + VIEW_fcsr)
        return !(vague & SSE_VAGUE_F);
    return i >= VIEW_PC || !(vague & (SSE_VAGUE_TRAP | SSE_VAGUE_STATUS));
}

static struct monitor_violation *event_violation(struct monitor *o, const struct machine_change *c, enum monitor_rule r,
                                                 struct monitor_violation **open)
{
    if (!*open) {
        *open = violate(o, c, rule[r].name, sse_rule_where(SSE_A3), rule[r].what);
        (*open)->has_event = true;
        (*open)->event = o->oracle.event;
    }
    return *open;
}

static void check_status_bits(struct monitor *o, const struct machine_change *c, uint64_t a, uint64_t r,
                              struct monitor_violation *open[MONITOR_RULES])
{
    static const struct {
        uint32_t mask;
        const char *name;
    } bit[] = {{VIEW_SIE, "sstatus.SIE"}, {VIEW_SPIE, "sstatus.SPIE"}, {VIEW_SPP, "sstatus.SPP"}};
    uint64_t rest = UINT64_MAX;
    enum monitor_rule which = wanted(o, MONITOR_B1) ? MONITOR_B1 : MONITOR_A3;
    for (unsigned i = 0; i < ARRAY_LEN(bit); i++) {
        rest &= ~(uint64_t)bit[i].mask;
        if ((a ^ r) & bit[i].mask && wanted(o, which))
            differ(event_violation(o, c, which, &open[which]), bit[i].name, (a & bit[i].mask) != 0, (r & bit[i].mask) != 0);
    }
    if ((a ^ r) & rest && wanted(o, MONITOR_A3))
        differ(event_violation(o, c, MONITOR_A3, &open[MONITOR_A3]), "sstatus", a & rest, r & rest);
}

/* A completion: what goes on now against what was interrupted, whoever is to blame. A handler that wrote the INTERRUPTED
   attributes means it to be another place. */
static void check_resume(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    struct rv_features f;
    struct monitor_violation *open[MONITOR_RULES] = {NULL};
    struct rv_view a = o->oracle.interrupted;
    const struct rv_view *r = &o->oracle.resumed;
    if (o->oracle.wrote)
        return;
    view_features(&f, m, c->hart);
    if (a.priv == U || a.v || !f.dte) /* mret clears SDT on the way there; without DTE there is none */
        a.csr[VIEW_sstatus] &= ~(uint64_t)VIEW_SDT;
    for (uint32_t i = view_differs(&a, r, 0); i != UINT32_MAX; i = view_differs(&a, r, i + 1)) {
        uint64_t x = view_value(&a, i), y = view_value(r, i);
        if (!is_known(o->oracle.vague, i) || (i == VIEW_ELP && !y))
            continue;
        if (i == VIEW_CSR + VIEW_sstatus) {
            check_status_bits(o, c, x, y, open);
            continue;
        }
        enum monitor_rule which = rule_of(i, x ^ y);
        if (!wanted(o, which))
            which = MONITOR_A3;
        if (wanted(o, which))
            differ(event_violation(o, c, which, &open[which]), view_name(i), x, y);
    }
}

/* ---- modes and texts ------------------------------------------------------------------------------------------------------- */

static void check_mret(struct monitor *o, const struct machine_change *c)
{
    bool host_as_guest = c->to_v && in(o, MONITOR_HOST, c->pc);
    bool guest_as_host = !c->to_v && c->to_priv == S && in(o, MONITOR_GUEST, c->pc);
    if (!host_as_guest && !guest_as_host)
        return;
    struct monitor_violation *v = broken(o, c, MONITOR_A6);
    differ(v, "V", guest_as_host, c->to_v);
}

/* The mode that the hart is in at an address: before a trap, or behind a trap or return. */
static void check_mode(struct monitor *o, const struct machine_change *c, uint8_t priv, uint8_t v, uint64_t pc)
{
    bool kernel_in_u = !v && priv == U && in(o, MONITOR_HOST, pc), user_in_s = !v && priv == S && in(o, MONITOR_USER, pc);
    if (!kernel_in_u && !user_in_s)
        return;
    struct monitor_violation *x = broken(o, c, MONITOR_B2);
    differ(x, "P", kernel_in_u ? S : U, priv);
    if (!c->is_return && !c->interrupt && (c->cause == ECALL_U || c->cause == ECALL_S))
        differ(x, "cause", kernel_in_u ? ECALL_S : ECALL_U, c->cause);
}

static void check_irq_off(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    uint64_t sstatus = 0;
    bool taken = c->interrupt && c->priv == S && !c->v && c->to_priv == S && in(o, MONITOR_IRQ_OFF, c->epc);
    if (taken) {
        differ(broken(o, c, MONITOR_B3), "interrupt", 0, c->cause);
        return;
    }
    if (!c->is_return || c->to_priv != S || c->to_v || !in(o, MONITOR_IRQ_OFF, c->pc))
        return;
    machine_get_reg(m, c->hart, "sstatus", &sstatus);
    if (sstatus & VIEW_SIE)
        differ(broken(o, c, MONITOR_B3), "sstatus.SIE", 0, 1);
}

static void take_departures(struct monitor *o, const struct machine_change *c)
{
    for (unsigned i = 0; i < o->oracle.nfound; i++) {
        const struct sse_departure *d = &o->oracle.found[i];
        struct monitor_violation *v = o->nfound ? &o->found[o->nfound - 1] : NULL;
        bool same = v && v->rule == sse_rule_name(d->rule) && v->has_event == d->has_event && v->event == d->event;
        if (!(o->config.oracle_rules >> d->rule & 1) || (d->rule == SSE_A3 && wanted(o, MONITOR_A3)))
            continue;
        if (!same) { /* registers that break one rule are one violation */
            v = violate(o, c, sse_rule_name(d->rule), sse_rule_where(d->rule), sse_rule_what(d->rule));
            v->has_event = d->has_event;
            v->event = d->event;
            v->has_call = d->call;
            memcpy(v->call, d->a, sizeof v->call);
        }
        differ(v, d->what, d->expected, d->actual);
    }
}

unsigned monitor_feed(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    o->nfound = 0;
    sse_oracle_feed(&o->oracle, m, c);
    take_departures(o, c);
    if (o->oracle.saw & SSE_SAW_RESUME)
        check_resume(o, m, c);
    if (wanted(o, MONITOR_A6) && c->is_return && c->priv == M && c->to_priv != M)
        check_mret(o, c);
    if (wanted(o, MONITOR_B2)) {
        if (!c->is_return)
            check_mode(o, c, c->priv, c->v, c->epc);
        else
            check_mode(o, c, c->to_priv, c->to_v, c->pc);
    }
    if (wanted(o, MONITOR_B3))
        check_irq_off(o, m, c);
    return o->nfound;
}
