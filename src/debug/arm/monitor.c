/*
 * The A64 monitors: what an exception left, and whether it comes back. Each exception that has to come back is kept with whom it
 * left; a return to the same one ends it, wherever it leads, so that what never comes back is no trouble.
 */
#include "debug/arm/monitor_parts.h"
#include "base/bits.h"
#include "base/hash.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/regime.h"

#include <string.h>

enum { CALLS, INTERRUPTS };
#define DEN0028 "Arm DEN0028 (SMCCC 1.5)"
#define DEN0022 "Arm DEN0022 (PSCI 1.3)"
#define ARM     "Arm ARM"
#define GIC     "Arm IHI0069 (GICv3)"

static const struct monitor_rule rules[ARM_RULES] = {
#define MONITOR_RULE(id, of, document, section, text) \
    [RULE_##id] = {.name = #id, .source = document, .where = section, .what = text, .note = document ", " section, .group = of},
#include "debug/arm/monitor.def"
};

static bool rule(unsigned i, struct monitor_rule *r)
{
    if (i >= ARM_RULES)
        return false;
    *r = rules[i];
    return true;
}

/* ---- who ------------------------------------------------------------------------------------------------------------------- */

#define TABLE_ADDRESS UINT64_C(0x0000fffffffffffe) /* of TTBR0_ELx and VTTBR_EL2: neither ASID or VMID nor CnP */

static uint64_t vm_of(const struct pe *p) { return hcr_stage2(p) ? p->s.regs.vttbr_el2 & TABLE_ADDRESS : 0; }

/* Of the change c between `level` and `el`, the same or a lower one; sp: the stack pointer there. */
static struct who who_of(const struct pe *p, unsigned hart, unsigned level, unsigned el, bool secure, uint64_t sp)
{
    const struct arm_regs *r = &p->s.regs;
    struct who w = {.level = (uint8_t)level, .secure = secure};
    if (level == el) {
        w.kind = WHO_SAME;
        w.sp = sp;
        w.vm = level == 1 ? vm_of(p) : 0;
    } else if (level == 3) {
        w.kind = WHO_WORLD;
        w.sp = hart;
    } else if (level == 1 || (!el && hcr_of(p) & hcr_el2_TGE)) {
        w.kind = WHO_THREAD;
        w.table = (level == 1 ? r->ttbr0_el1 : r->ttbr0_el2) & TABLE_ADDRESS;
        w.thread = r->tpidr_el0;
        w.sp = sp;
        w.vm = level == 1 ? vm_of(p) : 0;
    } else {
        w.kind = WHO_GUEST;
        w.vm = vm_of(p);
        w.thread = r->vmpidr_el2;
    }
    w.unique = w.kind == WHO_GUEST ? w.vm != 0 : (w.table || w.sp) && w.kind != WHO_WORLD;
    return w;
}

static bool same(const struct who *a, const struct who *b)
{
    return a->kind == b->kind && a->level == b->level && a->secure == b->secure && a->table == b->table &&
           a->thread == b->thread && a->sp == b->sp && a->vm == b->vm;
}

static struct visit *set_of(struct arm_monitor_state *s, const struct who *w)
{
    uint64_t words[5] = {(uint64_t)w->kind << 8 | w->level, w->table, w->thread, w->sp, w->vm};
    return &s->visit[hash_bytes(words, sizeof words) % VISIT_SETS * VISIT_WAYS];
}

/* Takes out what is still open of w on this hart; if it can be on one PE at a time only, on any. */
static void forget(struct arm_monitor_state *s, const struct who *w, unsigned hart)
{
    struct visit *set = set_of(s, w);
    for (unsigned i = 0; i < VISIT_WAYS; i++)
        if (set[i].what && (w->unique || set[i].hart == hart) && same(&set[i].who, w))
            set[i].what = VISIT_NONE;
}

/* A place for a new visit: a free one, or that of the oldest. */
static struct visit *place(struct arm_monitor_state *s, const struct who *w)
{
    struct visit *set = set_of(s, w), *v = set;
    for (unsigned i = 0; i < VISIT_WAYS; i++) {
        if (!set[i].what)
            return &set[i];
        if (set[i].stamp < v->stamp)
            v = &set[i];
    }
    return v;
}

static struct visit *find(struct arm_monitor_state *s, const struct who *w, unsigned hart)
{
    struct visit *set = set_of(s, w);
    for (unsigned i = 0; i < VISIT_WAYS; i++)
        if (set[i].what && (w->unique || set[i].hart == hart) && same(&set[i].who, w))
            return &set[i];
    return NULL;
}

static struct context *was_of(struct arm_monitor_state *s, const struct visit *v) { return &s->was[v - s->visit]; }

/* ---- an exception ---------------------------------------------------------------------------------------------------------- */

static uint64_t spsr_of(const struct pe *p, unsigned level)
{
    return level == 3 ? p->s.regs.spsr_el3 : level == 2 ? p->s.regs.spsr_el2 : p->s.regs.spsr_el1;
}

static void make_call(struct arm_call *k, const struct pe *p, const struct machine_change *c, const struct who *w)
{
    *k = (struct arm_call){.conduit = (uint8_t)(c->cause >> 26 & 63),
                           .level = c->to_priv,
                           .from = c->priv,
                           .hart = (uint8_t)c->hart,
                           .big_endian = sctlr_of(p, c->priv) >> 25 & 1,
                           .vm = w->vm,
                           .affinity = w->kind == WHO_GUEST ? w->thread : p->s.affinity,
                           .pc = c->epc,
                           .cycle = c->cycle,
                           .target = -1};
    memcpy(k->x, p->s.x, sizeof k->x);
}

static void taken(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    struct arm_monitor_state *s = arm_state(o);
    const struct pe *p = arm_pe(m, c->hart);
    uint64_t ec = c->cause >> 26 & 63, spsr = spsr_of(p, c->to_priv);
    /* The exception has selected the level's own stack pointer; the one that EL0 used is put away. */
    uint64_t sp = c->priv == c->to_priv && spsr & PSTATE_SP ? p->s.x[REG_SP] : p->s.sp[0];
    struct who w = who_of(p, c->hart, c->to_priv, c->priv, c->v, sp);
    struct arm_call k;
    /* Secure software ends what it was called for by calls, and goes on in the next one: those return nothing. */
    bool call = o->config.groups >> CALLS & 1 && !c->interrupt && (ec == EC_HVC || ec == EC_SMC) && c->priv &&
                c->priv < c->to_priv && !c->v;
    forget(s, &w, c->hart);
    if (call) {
        make_call(&k, p, c, &w);
        if (call_governed(&k, (unsigned)(c->cause & 0xffff)))
            psci_called(o, &k);
        else
            call = false;
    }
    if (!call && !(c->interrupt && o->config.groups >> INTERRUPTS & 1))
        return;
    struct visit *v = place(s, &w);
    v->what = call ? VISIT_CALL : VISIT_INTERRUPT;
    v->hart = (uint8_t)c->hart;
    v->who = w;
    v->stamp = ++s->stamp;
    v->resume = c->epc;
    if (call) {
        v->resume += 4;
        v->call = k;
    }
    arm_context.take_trapped(was_of(s, v), m, c);
}

/* ---- a return -------------------------------------------------------------------------------------------------------------- */

/* Whose register it is, of those that an interrupt must bring back. */
static bool comes_back(const struct visit *v, uint8_t owner, bool floats, enum arm_rule *r)
{
    const unsigned below = v->who.kind == WHO_THREAD ? 1 : v->who.level;
    *r = v->who.kind == WHO_SAME ? RULE_I2 : RULE_I1;
    switch (owner) {
    case ARM_CONTEXT_GENERAL:
    case ARM_CONTEXT_MODE: return true;
    case ARM_CONTEXT_GIC: *r = RULE_I3; return true;
    case ARM_CONTEXT_FLOAT: return floats && v->who.kind != WHO_SAME;
    default: return owner < below && v->who.kind != WHO_SAME;
    }
}

/* Software step is a debugger's, who may have begun it in between. */
#define NOT_COMPARED ((uint64_t)PSTATE_SS)

static void check_interrupt(struct monitor *o, const struct machine_change *c, const struct visit *v, const struct context *now,
                            bool floats)
{
    const struct context *was = was_of(arm_state(o), v);
    struct monitor_violation *open[ARM_RULES] = {NULL};
    enum arm_rule r;
    uint8_t owner;
    if (!memcmp(was, now, arm_context.size))
        return;
    for (uint32_t i = 0; (owner = arm_context_owner(i)) != ARM_CONTEXT_NONE; i++) {
        uint64_t a = arm_context.value(was, i), b = arm_context.value(now, i);
        if (i == ARM_CONTEXT_PSTATE) {
            a &= ~NOT_COMPARED;
            b &= ~NOT_COMPARED;
        }
        if (a == b || !comes_back(v, owner, floats, &r) || !monitor_wants(o, r))
            continue;
        if (!open[r])
            open[r] = monitor_violate(o, c, r);
        monitor_differ(open[r], arm_context.name(i), a, b);
    }
}

/* Arm ARM D1.3.4: the level that SPSR_ELx names cannot be gone to. PSTATE.IL tells, unless SPSR_ELx.IL was set. */
static void check_legal(struct monitor *o, const struct pe *p, const struct machine_change *c)
{
    uint64_t spsr = spsr_of(p, c->priv);
    if (p->s.pstate & PSTATE_IL && !(spsr & PSTATE_IL) && monitor_wants(o, RULE_I4))
        monitor_differ(monitor_violate(o, c, RULE_I4), "PSTATE.IL", 0, 1);
}

static void returned(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    struct arm_monitor_state *s = arm_state(o);
    const struct pe *p = arm_pe(m, c->hart);
    struct who w = who_of(p, c->hart, c->priv, c->to_priv, c->to_v, p->s.x[REG_SP]);
    struct visit *v = find(s, &w, c->hart);
    const struct arm_call *resumed = NULL;
    check_legal(o, p, c);
    if (v && v->resume == c->pc) {
        o->checked++;
        arm_context_returned(&s->now, m, c);
        if (v->what == VISIT_CALL) {
            call_kept(o, m, c, &v->call, was_of(s, v), &s->now);
            call_result(o, c, &v->call, p->s.x[0]);
        } else {
            check_interrupt(o, c, v, &s->now, p->fp_ready);
        }
    } else if (v && v->what == VISIT_CALL) {
        resumed = &v->call;
    }
    if (o->config.groups >> CALLS & 1 && !w.secure && c->to_priv && (w.kind == WHO_GUEST || w.kind == WHO_WORLD))
        psci_entered(o, m, c, &w, resumed);
    if (v)
        v->what = VISIT_NONE;
}

static void begin(struct monitor *o, struct machine *m)
{
    struct arm_monitor_state *s = arm_state(o);
    memset(s, 0, sizeof *s);
    s->reboots = m->reboots;
    psci_begin(o, m);
}

static void feed(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    if (m->reboots != arm_state(o)->reboots)
        begin(o, m);
    if (c->is_return)
        returned(o, m, c);
    else
        taken(o, m, c);
}

/* ---- calls that the machine answers ---------------------------------------------------------------------------------------- */

static void answered(struct monitor *o, struct machine *m, const struct machine_answer *a)
{
    const struct pe *p = arm_pe(m, a->hart);
    const struct machine_change c = {
        .hart = a->hart, .priv = p->el, .to_priv = p->el, .epc = a->pc, .pc = a->pc + 4, .cycle = a->cycle};
    struct arm_call k = {.conduit = a->by_smc ? EC_SMC : EC_HVC,
                         .level = 3,
                         .from = p->el,
                         .hart = (uint8_t)a->hart,
                         .big_endian = sctlr_of(p, p->el) >> 25 & 1,
                         .affinity = p->s.affinity,
                         .pc = a->pc,
                         .cycle = a->cycle,
                         .target = -1};
    if (m->reboots != arm_state(o)->reboots)
        begin(o, m);
    memcpy(k.x, a->call, sizeof k.x);
    if (!(o->config.groups >> CALLS & 1) || !call_governed(&k, 0))
        return;
    o->checked++;
    psci_called(o, &k);
    if (a->returns)
        call_result(o, &c, &k, p->s.x[0]);
    psci_done(o, m, &k);
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

struct monitor_violation *call_violates(struct monitor *o, const struct machine_change *c, enum arm_rule r,
                                        const struct arm_call *k)
{
    if (!monitor_wants(o, r))
        return NULL;
    struct monitor_violation *v = monitor_violate(o, c, r);
    v->has_call = true;
    v->conduit = k->conduit;
    memcpy(v->call, k->x, sizeof v->call);
    return v;
}

static const char *value(const char *name, uint64_t v)
{
    static const char *const state[] = {"ON", "OFF", "ON_PENDING"};
    if (!strcmp(name, "result") && v == PSCI_NO_RETURN)
        return "no return";
    if (!strcmp(name, "state") && v < ARRAY_LEN(state))
        return state[v];
    return !strcmp(name, "result") || !strcmp(name, "state") ? psci_error_name((int64_t)v) : NULL;
}

static void call(const struct monitor *o, const struct monitor_violation *v, char *out, size_t cap)
{
    (void)o;
    psci_call_text(v->conduit == EC_SMC, v->call, NULL, out, cap);
}

static struct json_t *call_json(const struct monitor *o, const struct monitor_violation *v)
{
    (void)o;
    return psci_call_json(v->conduit == EC_SMC, v->call, NULL);
}

static bool fits(struct machine *m) { return m->arch == &arm_arch; }

static const char *const names[] = {[CALLS] = "calls", [INTERRUPTS] = "interrupts", NULL};
static const char *const texts[] = {NULL};

const struct monitor_ops arm_monitor = {.names = names,
                                        .texts = texts,
                                        .size = sizeof(struct arm_monitor_state),
                                        .rule = rule,
                                        .fits = fits,
                                        .machines = "AArch64",
                                        .start = begin,
                                        .feed = feed,
                                        .answered = answered,
                                        .value = value,
                                        .call = call,
                                        .call_json = call_json};
