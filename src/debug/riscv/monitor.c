/* Watching: the rules themselves. */
#include "debug/riscv/monitor.h"
#include "base/bits.h"
#include "debug/riscv/sbi.h"
#include "debug/riscv/sse_model.h"

#include <string.h>

enum { U = 0, S = 1, M = 3, ECALL_U = 8, ECALL_S = 9 };

#define SPEC "SBI v3.0"

static const struct {
    const char *name, *needs, *what;
} own_rule[MONITOR_RULES] = {
#define MONITOR_RULE(id, needs, what) [MONITOR_##id] = {#id, #needs, what},
#include "debug/riscv/monitor.def"
};

static bool rule(unsigned i, struct monitor_rule *r)
{
    if (i >= MONITOR_NUMBER(MONITOR_RULES))
        return false;
    if (i < SSE_RULES) {
        const char *where = sse_rule_where((enum sse_rule)i);
        *r = (struct monitor_rule){
            .name = sse_rule_name((enum sse_rule)i), .where = where, .what = sse_rule_what((enum sse_rule)i), .note = where};
    } else {
        unsigned n = i - SSE_RULES;
        bool ranges = strcmp(own_rule[n].needs, "NONE") != 0;
        bool of_event = n == MONITOR_A3 || n == MONITOR_B1 || n == MONITOR_B5;
        *r = (struct monitor_rule){.name = own_rule[n].name,
                                   .where = of_event ? sse_rule_where(SSE_A3) : "",
                                   .what = own_rule[n].what,
                                   .note = ranges ? "needs ranges" : "whoever is to blame"};
    }
    r->source = SPEC;
    return true;
}

static bool in(const struct monitor *o, enum riscv_monitor_text t, uint64_t va) { return monitor_in(o, t, va); }

static bool wanted(const struct monitor *o, enum riscv_monitor_rule r) { return monitor_wants(o, MONITOR_NUMBER(r)); }

static struct monitor_violation *broken(struct monitor *o, const struct machine_change *c, enum riscv_monitor_rule r)
{
    return monitor_violate(o, c, MONITOR_NUMBER(r));
}

/* ---- what an event left behind --------------------------------------------------------------------------------------------- */

/* The register's rule, besides A3. */
static enum riscv_monitor_rule rule_of(uint32_t i, uint64_t diff)
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

static struct monitor_violation *event_violation(struct monitor *o, const struct machine_change *c, enum riscv_monitor_rule r,
                                                 struct monitor_violation **open)
{
    if (!*open) {
        *open = broken(o, c, r);
        (*open)->has_event = true;
        (*open)->event = monitor_oracle(o)->event;
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
    enum riscv_monitor_rule which = wanted(o, MONITOR_B1) ? MONITOR_B1 : MONITOR_A3;
    for (unsigned i = 0; i < ARRAY_LEN(bit); i++) {
        rest &= ~(uint64_t)bit[i].mask;
        if ((a ^ r) & bit[i].mask && wanted(o, which))
            monitor_differ(event_violation(o, c, which, &open[which]), bit[i].name, (a & bit[i].mask) != 0,
                           (r & bit[i].mask) != 0);
    }
    if ((a ^ r) & rest && wanted(o, MONITOR_A3))
        monitor_differ(event_violation(o, c, MONITOR_A3, &open[MONITOR_A3]), "sstatus", a & rest, r & rest);
}

/* A completion: what goes on now against what was interrupted, whoever is to blame. A handler that wrote the INTERRUPTED
   attributes means it to be another place. */
static void check_resume(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    struct rv_features f;
    struct monitor_violation *open[MONITOR_RULES] = {NULL};
    struct rv_view a = monitor_oracle(o)->interrupted;
    const struct rv_view *r = &monitor_oracle(o)->resumed;
    if (monitor_oracle(o)->wrote)
        return;
    o->checked++;
    view_features(&f, m, c->hart);
    if (a.priv == U || a.v || !f.dte) /* mret clears SDT on the way there; without DTE there is none */
        a.csr[VIEW_sstatus] &= ~(uint64_t)VIEW_SDT;
    for (uint32_t i = view_differs(&a, r, 0); i != UINT32_MAX; i = view_differs(&a, r, i + 1)) {
        uint64_t x = view_value(&a, i), y = view_value(r, i);
        if (!is_known(monitor_oracle(o)->vague, i) || (i == VIEW_ELP && !y))
            continue;
        if (i == VIEW_CSR + VIEW_sstatus) {
            check_status_bits(o, c, x, y, open);
            continue;
        }
        enum riscv_monitor_rule which = rule_of(i, x ^ y);
        if (!wanted(o, which))
            which = MONITOR_A3;
        if (wanted(o, which))
            monitor_differ(event_violation(o, c, which, &open[which]), view_name(i), x, y);
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
    monitor_differ(v, "V", guest_as_host, c->to_v);
}

/* The mode that the hart is in at an address: before a trap, or behind a trap or return. */
static void check_mode(struct monitor *o, const struct machine_change *c, uint8_t priv, uint8_t v, uint64_t pc)
{
    bool kernel_in_u = !v && priv == U && in(o, MONITOR_HOST, pc), user_in_s = !v && priv == S && in(o, MONITOR_USER, pc);
    if (!kernel_in_u && !user_in_s)
        return;
    struct monitor_violation *x = broken(o, c, MONITOR_B2);
    monitor_differ(x, "P", kernel_in_u ? S : U, priv);
    if (!c->is_return && !c->interrupt && (c->cause == ECALL_U || c->cause == ECALL_S))
        monitor_differ(x, "cause", kernel_in_u ? ECALL_S : ECALL_U, c->cause);
}

static void check_irq_off(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    uint64_t sstatus = 0;
    bool taken = c->interrupt && c->priv == S && !c->v && c->to_priv == S && in(o, MONITOR_IRQ_OFF, c->epc);
    if (taken) {
        monitor_differ(broken(o, c, MONITOR_B3), "interrupt", 0, c->cause);
        return;
    }
    if (!c->is_return || c->to_priv != S || c->to_v || !in(o, MONITOR_IRQ_OFF, c->pc))
        return;
    machine_get_reg(m, c->hart, "sstatus", &sstatus);
    if (sstatus & VIEW_SIE)
        monitor_differ(broken(o, c, MONITOR_B3), "sstatus.SIE", 0, 1);
}

static void take_departures(struct monitor *o, const struct machine_change *c)
{
    for (unsigned i = 0; i < monitor_oracle(o)->nfound; i++) {
        const struct sse_departure *d = &monitor_oracle(o)->found[i];
        struct monitor_violation *v = o->nfound ? &o->found[o->nfound - 1] : NULL;
        bool same = v && v->rule == sse_rule_name(d->rule) && v->has_event == d->has_event && v->event == d->event;
        if (!monitor_wants(o, d->rule) || (d->rule == SSE_A3 && wanted(o, MONITOR_A3)))
            continue;
        if (!same) { /* registers that break one rule are one violation */
            v = monitor_violate(o, c, d->rule);
            v->has_event = d->has_event;
            v->event = d->event;
            v->has_call = d->call;
            memcpy(v->call, d->a, sizeof v->call);
        }
        monitor_differ(v, d->what, d->expected, d->actual);
    }
}

static void feed(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    sse_oracle_feed(monitor_oracle(o), m, c);
    take_departures(o, c);
    if (monitor_oracle(o)->saw & SSE_SAW_RESUME)
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
}

/* ---- beginning and telling ------------------------------------------------------------------------------------------------- */

static bool fits(struct machine *m)
{
    struct rv_features f;
    return view_features(&f, m, 0);
}

/* Ranges that were not given are those that the images mark by the usual symbols. */
static void start(struct monitor *o, struct machine *m)
{
    monitor_add_marked(o, MONITOR_HOST, m, "host_text");
    monitor_add_marked(o, MONITOR_HOST, m, "handler_text");
    monitor_add_marked(o, MONITOR_GUEST, m, "guest_text");
    monitor_add_marked(o, MONITOR_USER, m, "user_text");
    monitor_add_marked(o, MONITOR_IRQ_OFF, m, "irq_off");
    sse_oracle_init(monitor_oracle(o), m);
}

static struct sbi_call call_of(const struct monitor *o, const struct monitor_violation *v)
{
    struct sbi_call c = {.xlen = monitor_oracle(o)->xlen};
    memcpy(c.a, v->call, sizeof c.a);
    return c;
}

static const char *value(const char *name, uint64_t v) { return !strcmp(name, "result") ? sbi_error_name((int64_t)v) : NULL; }

static void event(const struct monitor *o, const struct monitor_violation *v, char *out, size_t cap)
{
    sbi_value_text(SBI_KIND_sse_event, v->event, monitor_oracle(o)->xlen, out, cap);
}

static void call(const struct monitor *o, const struct monitor_violation *v, char *out, size_t cap)
{
    struct sbi_call c = call_of(o, v);
    sbi_call_text(&c, NULL, out, cap);
}

static struct json_t *call_json(const struct monitor *o, const struct monitor_violation *v)
{
    struct sbi_call c = call_of(o, v);
    return sbi_call_json(&c, NULL);
}

static const char *const names[] = {"sse", NULL};
static const char *const texts[] = {"host", "guest", "user", "irqoff", NULL};

const struct monitor_ops riscv_monitor = {.names = names,
                                          .texts = texts,
                                          .size = sizeof(struct sse_oracle),
                                          .rule = rule,
                                          .fits = fits,
                                          .machines = "RISC-V",
                                          .start = start,
                                          .feed = feed,
                                          .value = value,
                                          .event = event,
                                          .call = call,
                                          .call_json = call_json};
