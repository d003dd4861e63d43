/* Calls by HVC and SMC against the SMC Calling Convention: DEN0028 1.5. */
#include "base/bits.h"
#include "debug/arm/monitor_parts.h"

#define FAST  0x80000000u
#define SMC64 0x40000000u
enum {
    OWNER_YIELDING_OS = 2 /* from here on; below it are the identifiers of what was there before the convention */
};
enum { SMCCC_VERSION = 0x80000000, SMCCC_ARCH_FEATURES = 0x80000001, SMCCC_ARCH_SOC_ID = 0x80000002, PSCI_VERSION = 0x84000000 };
enum { X3 = 3, X8 = 8, X17 = 17 };
#define VERSION_1_1 0x10001u
#define VERSION_1_2 0x10002u

static unsigned owner_of(uint32_t id) { return id >> 24 & 63; }

/* Immediates that are not 0 are for other conventions (2.9, "SMC and HVC immediate value"), and so are yielding calls below
   0x02000000 (table of ranges of identifiers). */
bool call_governed(const struct arm_call *k, unsigned immediate)
{
    uint32_t id = call_id(k);
    return !immediate && (id & FAST || owner_of(id) >= OWNER_YIELDING_OS || id & SMC64);
}

struct psci_domain *call_domain(struct monitor *o, const struct arm_call *k)
{
    struct arm_monitor_state *s = arm_state(o);
    for (unsigned i = 0; i < PSCI_DOMAINS; i++) {
        struct psci_domain *d = &s->domain[i];
        if (d->used && (d->level != k->level || d->vm != k->vm))
            continue;
        if (!d->used)
            *d = (struct psci_domain){.used = true, .level = k->level, .vm = k->vm, .migrate = -1};
        return d;
    }
    struct psci_domain *last = &s->domain[PSCI_DOMAINS - 1]; /* more guests than there is room for: the last is learnt again */
    *last = (struct psci_domain){.used = true, .level = k->level, .vm = k->vm, .migrate = -1};
    return last;
}

/* ---- what must be kept ----------------------------------------------------------------------------------------------------- */

/* The greatest of x4 to x17 that may hold a result: of PSCI and of the architecture's calls none; else from 1.2 on those of its
   convention. Before 1.1 all of them could be anything. */
static unsigned last_result(const struct psci_domain *d, uint32_t id)
{
    if (d->smccc < VERSION_1_1)
        return X17;
    if (psci_call(id) || d->smccc < VERSION_1_2)
        return X3;
    return id & SMC64 ? X17 : X8 - 1;
}

/* The rule that register i breaks if it is not as it was; false: it may be anything. */
static bool kept_by(const struct arm_call *k, unsigned last, bool floats, uint32_t i, enum arm_rule *r)
{
    const unsigned sp = ARM_CONTEXT_X0 + 31;
    uint8_t owner = arm_context_owner(i);
    switch (owner) {
    case ARM_CONTEXT_GENERAL: *r = i - ARM_CONTEXT_X0 > X17 ? RULE_S1 : RULE_S2; return i - ARM_CONTEXT_X0 > last;
    case ARM_CONTEXT_MODE: *r = RULE_S5; return i == ARM_CONTEXT_PSTATE;
    case ARM_CONTEXT_FLOAT: *r = RULE_S3; return floats;
    case ARM_CONTEXT_GIC:
    case ARM_CONTEXT_OTHER: return false;
    default: *r = i >= sp && i < sp + 4 ? RULE_S1 : RULE_S4; return owner < k->level;
    }
}

void call_kept(struct monitor *o, struct machine *m, const struct machine_change *c, const struct arm_call *k,
               const struct context *was, const struct context *now)
{
    const uint64_t not_compared = PSTATE_NZCV | PSTATE_SS;
    struct monitor_violation *open[ARM_RULES] = {NULL};
    unsigned last = last_result(call_domain(o, k), call_id(k));
    bool floats = arm_pe(m, c->hart)->fp_ready;
    enum arm_rule r = RULE_S1;
    for (uint32_t i = 0; arm_context_owner(i) != ARM_CONTEXT_NONE; i++) {
        uint64_t a = arm_context.value(was, i), b = arm_context.value(now, i);
        if (i == ARM_CONTEXT_PSTATE) {
            a &= ~not_compared;
            b &= ~not_compared;
        }
        if (a == b || !kept_by(k, last, floats, i, &r) || !monitor_wants(o, r))
            continue;
        if (!open[r])
            open[r] = call_violates(o, c, r, k);
        monitor_differ(open[r], arm_context.name(i), a, b);
    }
}

/* ---- results --------------------------------------------------------------------------------------------------------------- */

void call_says(struct monitor *o, const struct machine_change *c, const struct arm_call *k, enum arm_rule r, uint32_t id,
               bool told, bool there)
{
    struct psci_domain *d = call_domain(o, k);
    const struct psci_call *f = psci_call(id);
    if (!f)
        return;
    unsigned n = (unsigned)(f - psci_call_at(0)), wide = id & SMC64 ? 1 : 0;
    if (n >= PSCI_CALLS)
        return;
    (told ? d->told : d->did)[n][wide] = there ? SAYS_YES : SAYS_NO;
    if (!d->told[n][wide] || !d->did[n][wide] || d->told[n][wide] == d->did[n][wide])
        return;
    struct monitor_violation *v = call_violates(o, c, r, k);
    if (v)
        monitor_differ(v, "features", d->did[n][wide] == SAYS_YES, d->told[n][wide] == SAYS_YES);
}

static void check_version(struct monitor *o, const struct machine_change *c, const struct arm_call *k, uint32_t *known,
                          uint32_t is, enum arm_rule r)
{
    bool proper = !(is >> 31) && (is >> 16 >= 1 || (r == RULE_P7 && is >= 2)); /* PSCI 0.2 was the first with this function */
    if (proper && (!*known || *known == is)) {
        *known = is;
        return;
    }
    struct monitor_violation *v = call_violates(o, c, r, k);
    if (v)
        monitor_differ(v, "version", *known ? *known : 0x10000, is);
}

/* Identifiers that name nothing: bits 23:17 of fast calls are 0, and functions without a 64-bit form have none (the name of the
   system on chip has one from 1.6 on). */
static bool is_nothing(uint32_t id)
{
    const uint32_t zero = 0x00fe0000;
    if (id & FAST && id & zero)
        return true;
    return id & SMC64 && !psci_call(id) && psci_call(id & ~SMC64) && (id & ~SMC64) != SMCCC_ARCH_SOC_ID;
}

/* Functions of the convention itself. */
static void architecture_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r)
{
    struct psci_domain *d = call_domain(o, k);
    uint32_t id = call_id(k);
    if (id == SMCCC_VERSION && r != PSCI_NOT_SUPPORTED)
        check_version(o, c, k, &d->smccc, (uint32_t)r, RULE_S7);
    if (id == SMCCC_ARCH_FEATURES && r >= PSCI_NOT_SUPPORTED && !((uint32_t)k->x[1] & SMC64))
        call_says(o, c, k, RULE_S7, (uint32_t)k->x[1], true, r >= 0);
    else if (id == SMCCC_VERSION || id == SMCCC_ARCH_FEATURES)
        call_says(o, c, k, RULE_S7, id, false, r != PSCI_NOT_SUPPORTED);
}

/* All functions that are known return 32 bits, of which W0 is looked at: what is above is not said of SMC32 and HVC32 calls, and
   PSCI's results are int32 in both conventions. */
void call_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, uint64_t x0)
{
    uint32_t id = call_id(k);
    int32_t r = (int32_t)(uint32_t)x0;
    if (is_nothing(id)) {
        struct monitor_violation *v = r != PSCI_NOT_SUPPORTED ? call_violates(o, c, RULE_S6, k) : NULL;
        if (v)
            monitor_differ(v, "result", (uint64_t)PSCI_NOT_SUPPORTED, (uint64_t)(int64_t)r);
        return;
    }
    if (id == PSCI_VERSION && r != PSCI_NOT_SUPPORTED)
        check_version(o, c, k, &call_domain(o, k)->psci, (uint32_t)r, RULE_P7);
    if (owner_of(id) == 0)
        architecture_result(o, c, k, r);
    else
        psci_result(o, c, k, r);
}
