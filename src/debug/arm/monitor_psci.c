/* What PSCI says against what PEs do: DEN0022 1.3. */
#include "base/bits.h"
#include "cpu/arm/regime.h"
#include "debug/arm/monitor_parts.h"

#include <string.h>

#define SMC64    0x40000000u
#define AFFINITY UINT64_C(0xff00ffffff) /* of MPIDR_EL1 */
enum {
    CPU_SUSPEND = 0x84000001,
    CPU_OFF = 0x84000002,
    CPU_ON = 0x84000003,
    AFFINITY_INFO = 0x84000004,
    MIGRATE = 0x84000005,
    MIGRATE_INFO_TYPE = 0x84000006,
    FEATURES = 0x8400000a,
    CPU_DEFAULT_SUSPEND = 0x8400000c,
    SYSTEM_SUSPEND = 0x8400000e,
    SYSTEM_RESET2 = 0x84000012,
    SYSTEM_OFF2 = 0x84000015
};
enum { TYPE_NONE = 2, TYPE_NOT_SUPPORTED = 3 }; /* MIGRATE_INFO_TYPE; the latter is our own */

static uint32_t function(const struct arm_call *k) { return call_id(k) & ~SMC64; }
/* Argument i, of the width of the convention. */
static uint64_t arg(const struct arm_call *k, unsigned i) { return call_id(k) & SMC64 ? k->x[i] : (uint32_t)k->x[i]; }

/* ---- PEs ------------------------------------------------------------------------------------------------------------------- */

static int pe_index(const struct arm_monitor_state *s, uint8_t level, uint64_t vm, uint64_t affinity)
{
    for (unsigned i = 0; i < s->pes; i++)
        if (s->pe[i].level == level && s->pe[i].vm == vm && s->pe[i].affinity == (affinity & AFFINITY))
            return (int)i;
    return -1;
}

static int pe_add(struct arm_monitor_state *s, uint8_t level, uint64_t vm, uint64_t affinity, enum psci_state state)
{
    if (s->pes == PSCI_PES)
        return -1; /* of more guests than that nothing is known */
    s->pe[s->pes] = (struct psci_pe){.level = level, .state = state, .cold = true, .vm = vm, .affinity = affinity & AFFINITY};
    return (int)s->pes++;
}

/* PEs of the machine are known from the start; those of guests by what they call. Which PEs guest firmware has already started is
   known when it has not begun yet. */
void psci_begin(struct monitor *o, struct machine *m)
{
    const bool first = !machine_cycle(m) || m->reboots;
    for (unsigned i = 0; i < machine_harts(m); i++) {
        const struct pe *p = arm_pe(m, i);
        bool firmware = !m->setup->loader.conduit && p->el == 3;
        bool off = p->s.parked || (firmware && first);
        int n = pe_add(arm_state(o), 3, 0, p->s.affinity, off ? IS_OFF : firmware ? IS_UNKNOWN : IS_ON);
        arm_state(o)->pe[n].cold = off;
    }
}

static void become(struct psci_pe *p, enum psci_state state)
{
    p->state = state;
    p->changes++;
    if (state == IS_ON) {
        p->cold = false;
        memset(p->start, 0, sizeof p->start);
    }
}

/* ---- a call begins --------------------------------------------------------------------------------------------------------- */

static void ask_start(struct psci_pe *p, const struct arm_call *k)
{
    for (unsigned i = 0; i < PSCI_STARTS; i++)
        if (!p->start[i].used) {
            p->start[i] = (struct psci_start){
                .used = true, .big_endian = k->big_endian, .by = k->hart, .entry = arg(k, 2), .context = arg(k, 3)};
            return;
        }
}

void psci_called(struct monitor *o, struct arm_call *k)
{
    struct arm_monitor_state *s = arm_state(o);
    uint32_t f = function(k);
    const struct psci_call *row = psci_call(call_id(k));
    if (!row || (f != CPU_ON && f != AFFINITY_INFO && f != CPU_OFF))
        return;
    int self = pe_index(s, k->level, k->vm, k->affinity);
    if (self < 0)
        self = pe_add(s, k->level, k->vm, k->affinity, IS_ON);
    if (self >= 0 && s->pe[self].state != IS_ON)
        become(&s->pe[self], IS_ON); /* it calls */
    k->target = f == CPU_OFF ? self : pe_index(s, k->level, k->vm, arg(k, 1));
    if (k->target < 0 && k->level == 2)
        k->target = pe_add(s, k->level, k->vm, arg(k, 1), IS_UNKNOWN);
    if (k->target < 0)
        return;
    struct psci_pe *p = &s->pe[k->target];
    if (f == CPU_OFF)
        become(p, IS_STOPPING);
    if (f == CPU_ON) {
        ask_start(p, k);
        p->changes++;
    }
    k->changes = p->changes;
}

/* ---- results --------------------------------------------------------------------------------------------------------------- */

/* Bits that have to be zero are not: it may be refused. */
static bool no_affinity(const struct arm_call *k) { return arg(k, 1) & ~AFFINITY; }

static uint64_t wide(int64_t r) { return (uint64_t)r; }

static void wrong(struct monitor *o, const struct machine_change *c, const struct arm_call *k, enum arm_rule r, const char *what,
                  int64_t expected, int64_t actual)
{
    struct monitor_violation *v = call_violates(o, c, r, k);
    if (v)
        monitor_differ(v, what, wide(expected), wide(actual));
}

/* P1. False: r is nothing that could be judged further. */
static bool check_code(struct monitor *o, const struct machine_change *c, const struct arm_call *k, const struct psci_call *f,
                       int32_t r)
{
    if (r < 0 ? r > -32 && f->errors >> -r & 1 : r <= f->most)
        return true;
    int64_t expected = f->most >= 0 ? 0 : f->errors ? -(int64_t)__builtin_ctz(f->errors & ~1u) : INT64_MIN;
    wrong(o, c, k, RULE_P1, "result", expected, r);
    return false;
}

static void end_start(struct psci_pe *p, uint8_t by)
{
    for (unsigned i = 0; i < PSCI_STARTS; i++)
        if (p->start[i].by == by)
            p->start[i].used = false;
}

/* What CPU_ON may say of a PE in that state. Errors of arguments and others that have nothing to do with it always may come
   first. A PE that is on its way between firmware and the level below it counts as both. */
static bool on_may(enum psci_state s, int32_t r)
{
    if (r == PSCI_INVALID_ADDRESS || r == PSCI_INTERNAL_FAILURE || r == PSCI_DENIED)
        return true;
    switch (s) {
    case IS_OFF: return r == PSCI_SUCCESS;
    case IS_PENDING: return r == PSCI_ON_PENDING || r == PSCI_ALREADY_ON;
    case IS_ON: return r == PSCI_ALREADY_ON;
    case IS_STOPPING: return r == PSCI_SUCCESS || r == PSCI_ALREADY_ON;
    default: return true;
    }
}

static int32_t on_should(enum psci_state s)
{
    return s == IS_ON ? PSCI_ALREADY_ON : s == IS_PENDING ? PSCI_ON_PENDING : PSCI_SUCCESS;
}

static void on_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r)
{
    struct psci_pe *p = k->target < 0 ? NULL : &arm_state(o)->pe[k->target];
    if (no_affinity(k) && r == PSCI_INVALID_PARAMETERS) {
        if (p)
            end_start(p, k->hart);
        return;
    }
    if (!p) { /* of the machine's PEs all are known */
        if (r == PSCI_SUCCESS || r == PSCI_ALREADY_ON || r == PSCI_ON_PENDING)
            wrong(o, c, k, RULE_P2, "result", PSCI_INVALID_PARAMETERS, r);
        return;
    }
    bool steady = p->changes == k->changes;
    if (steady && !on_may(p->state, r))
        wrong(o, c, k, RULE_P2, "result", on_should(p->state), r);
    if (r == PSCI_SUCCESS) {
        if (steady)
            become(p, IS_PENDING);
        return;
    }
    end_start(p, k->hart);
    if (steady && p->state == IS_UNKNOWN && r == PSCI_ALREADY_ON)
        become(p, IS_ON);
}

static bool affinity_may(enum psci_state s, int32_t r)
{
    enum { ON, OFF, ON_PENDING };
    switch (s) {
    case IS_OFF: return r == OFF;
    case IS_PENDING: return r == ON_PENDING || r == ON;
    case IS_ON: return r == ON;
    case IS_STOPPING: return r == ON || r == OFF;
    default: return true;
    }
}

static void affinity_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r)
{
    enum { ON, OFF, ON_PENDING };
    struct psci_pe *p = k->target < 0 ? NULL : &arm_state(o)->pe[k->target];
    if (arg(k, 2) || no_affinity(k)) /* of a group of PEs, or with bits that have to be zero */
        return;
    if (!p) {
        if (r >= 0)
            wrong(o, c, k, RULE_P5, "state", PSCI_INVALID_PARAMETERS, r);
        return;
    }
    if (r == PSCI_DISABLED || (r < 0 && p->state == IS_UNKNOWN) || p->changes != k->changes)
        return;
    if (!affinity_may(p->state, r))
        wrong(o, c, k, RULE_P5, "state", p->state == IS_ON ? ON : p->state == IS_PENDING ? ON_PENDING : OFF, r);
    else if (r == OFF && p->state != IS_OFF)
        become(p, IS_OFF);
}

static void migrate_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r)
{
    struct psci_domain *d = call_domain(o, k);
    if (function(k) == MIGRATE_INFO_TYPE) {
        d->migrate = r < 0 ? TYPE_NOT_SUPPORTED : (int8_t)r;
        return;
    }
    /* Where there is nothing to migrate, MIGRATE is not supported. */
    if (d->migrate >= TYPE_NONE && r != PSCI_NOT_SUPPORTED)
        wrong(o, c, k, RULE_P8, "result", PSCI_NOT_SUPPORTED, r);
}

static void features_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r)
{
    const struct psci_call *f = psci_call((uint32_t)k->x[1]);
    uint32_t not_supported = 1u << -PSCI_NOT_SUPPORTED;
    if (f && r < 0 && !(f->errors & not_supported))
        wrong(o, c, k, RULE_P6, "result", PSCI_SUCCESS, r);
    else
        call_says(o, c, k, RULE_P6, (uint32_t)k->x[1], true, r >= 0);
}

void psci_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r)
{
    const struct psci_call *f = psci_call(call_id(k));
    if (!f)
        return;
    bool proper = check_code(o, c, k, f, r);
    if (function(k) == CPU_OFF && k->target >= 0)
        become(&arm_state(o)->pe[k->target], IS_ON);
    if (!proper)
        return;
    /* What is vendor-specific or of a kind can be missing of functions that are there. */
    if (function(k) != SYSTEM_RESET2 && function(k) != SYSTEM_OFF2)
        call_says(o, c, k, RULE_P6, call_id(k), false, r != PSCI_NOT_SUPPORTED);
    switch (function(k)) {
    case CPU_ON: on_result(o, c, k, r); break;
    case AFFINITY_INFO: affinity_result(o, c, k, r); break;
    case MIGRATE:
    case MIGRATE_INFO_TYPE: migrate_result(o, c, k, r); break;
    case FEATURES: features_result(o, c, k, r); break;
    default: break;
    }
}

/* ---- a PE starts ----------------------------------------------------------------------------------------------------------- */

#define SCTLR_M  UINT64_C(1)
#define SCTLR_C  (UINT64_C(1) << 2)
#define SCTLR_EE (UINT64_C(1) << 25)

/* Which level a PE is to begin in: the highest Non-secure one there is, of a guest EL1. */
static unsigned level_of(const struct pe *p, uint8_t level) { return level == 3 && arm_has(p->cfg, FEAT_EL2) ? 2 : 1; }

static void check_entry(struct monitor *o, struct machine *m, const struct machine_change *c, const struct psci_start *s,
                        const struct arm_call *k, uint8_t level)
{
    const struct pe *p = arm_pe(m, c->hart);
    unsigned el = p->el, wants = level_of(p, level);
    uint64_t sctlr = sctlr_of(p, el ? el : 1), daif = p->s.pstate & PSTATE_DAIF;
    const struct {
        const char *name;
        uint64_t expected, actual;
    } facts[] = {{"pc", s->entry, p->s.pc},
                 {"x0", s->context, p->s.x[0]},
                 {"EL", wants, el},
                 {"PSTATE.DAIF", 15, daif / PSTATE_F},
                 {"SCTLR_ELx.M", 0, sctlr & SCTLR_M},
                 {"SCTLR_ELx.C", 0, (sctlr & SCTLR_C) != 0},
                 {"SCTLR_ELx.EE", s->big_endian, (sctlr & SCTLR_EE) != 0}};
    struct monitor_violation *v = NULL;
    for (unsigned i = 0; i < ARRAY_LEN(facts); i++) {
        if (facts[i].expected == facts[i].actual || !monitor_wants(o, RULE_P3))
            continue;
        if (!v)
            v = k ? call_violates(o, c, RULE_P3, k) : monitor_violate(o, c, RULE_P3);
        monitor_differ(v, facts[i].name, facts[i].expected, facts[i].actual);
    }
}

/* Out of a state that forgets: where the call that went to sleep said. */
static void check_resumed(struct monitor *o, struct machine *m, const struct machine_change *c, const struct arm_call *k)
{
    unsigned entry = function(k) == CPU_SUSPEND ? 2 : function(k) == CPU_DEFAULT_SUSPEND || function(k) == SYSTEM_SUSPEND ? 1 : 0;
    if (!entry || !psci_call(call_id(k)))
        return;
    const struct psci_start s = {.big_endian = k->big_endian, .entry = arg(k, entry), .context = arg(k, entry + 1)};
    check_entry(o, m, c, &s, k, k->level);
}

/* The start that was asked for: the one that leads here, else the first. NULL: none was. */
static const struct psci_start *start_of(const struct psci_pe *p, uint64_t pc)
{
    const struct psci_start *first = NULL;
    for (unsigned i = 0; i < PSCI_STARTS; i++) {
        if (!p->start[i].used)
            continue;
        if (p->start[i].entry == pc)
            return &p->start[i];
        first = first ? first : &p->start[i];
    }
    return first;
}

void psci_entered(struct monitor *o, struct machine *m, const struct machine_change *c, const struct who *w,
                  const struct arm_call *resumed)
{
    struct arm_monitor_state *s = arm_state(o);
    const struct pe *p = arm_pe(m, c->hart);
    int n = pe_index(s, w->level, w->vm, w->kind == WHO_GUEST ? w->thread : p->s.affinity);
    if (n < 0)
        return;
    struct psci_pe *e = &s->pe[n];
    if (e->state == IS_ON) {
        if (resumed)
            check_resumed(o, m, c, resumed);
        return;
    }
    const struct psci_start *start = start_of(e, c->pc);
    if (start)
        check_entry(o, m, c, start, NULL, w->level);
    else if ((e->state == IS_OFF && !e->cold) || e->state == IS_STOPPING) {
        struct monitor_violation *v = monitor_wants(o, RULE_P4) ? monitor_violate(o, c, RULE_P4) : NULL;
        if (v)
            monitor_differ(v, "state", 1, 0);
    }
    become(e, IS_ON);
}

void psci_done(struct monitor *o, struct machine *m, const struct arm_call *k)
{
    struct arm_monitor_state *s = arm_state(o);
    if (k->target < 0)
        return;
    struct psci_pe *e = &s->pe[k->target];
    if (function(k) == CPU_OFF && arm_pe(m, k->hart)->s.parked)
        become(e, IS_OFF);
    if (function(k) != CPU_ON || e->state != IS_PENDING)
        return;
    for (unsigned i = 0; i < machine_harts(m); i++) {
        const struct pe *p = arm_pe(m, i);
        if ((p->s.affinity & AFFINITY) != e->affinity || p->s.parked)
            continue;
        const struct machine_change c = {
            .hart = i, .is_return = true, .to_priv = p->el, .epc = k->pc, .pc = p->s.pc, .cycle = k->cycle};
        const struct psci_start *start = start_of(e, p->s.pc);
        if (start)
            check_entry(o, m, &c, start, k, 3);
        become(e, IS_ON);
    }
}
