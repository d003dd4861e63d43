/*
 * Firmware that the machine provides where no guest code could: PSCI 1.1 (Arm Power State Coordination Interface, DEN 0022D) by
 * the SMC Calling Convention (DEN 0028), for boards whose loader names a conduit.
 */
#include "machine/machine.h"

#include <string.h>

#define SMC64    UINT64_C(0x40000000)
#define AFFINITY UINT64_C(0xff00ffffff)
enum {
    SMCCC_VERSION = 0x80000000,
    SMCCC_ARCH_FEATURES = 0x80000001,
    PSCI_VERSION = 0x84000000,
    CPU_SUSPEND = 0x84000001,
    CPU_OFF = 0x84000002,
    CPU_ON = 0x84000003,
    AFFINITY_INFO = 0x84000004,
    MIGRATE_INFO_TYPE = 0x84000006,
    SYSTEM_OFF = 0x84000008,
    SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
    SYSTEM_RESET2 = 0x84000012
};
enum { SUCCESS = 0, NOT_SUPPORTED = -1, INVALID_PARAMETERS = -2, ALREADY_ON = -4, INVALID_ADDRESS = -9 };

static uint64_t result(int64_t v) { return (uint64_t)v; }

/* The hart with this affinity, or -1: hart n is PE n % 16 of cluster n / 16. */
static int hart_of(const struct machine *m, uint64_t affinity)
{
    affinity &= AFFINITY;
    for (unsigned i = 0; i < m->setup->harts; i++)
        if ((i / 16 << 8 | i % 16) == affinity)
            return (int)i;
    return -1;
}

/* 5.1.4 */
static int cpu_on(struct machine *m, struct cpu *by, uint64_t target, uint64_t entry, uint64_t context)
{
    int n = hart_of(m, target);
    if (n < 0)
        return INVALID_PARAMETERS;
    if (!machine_progress(m, (unsigned)n)->parked)
        return ALREADY_ON;
    if (entry & 3)
        return INVALID_ADDRESS;
    unsigned level = m->arch->levels(m->setup->kind) & 4 ? 2 : 1;
    m->arch->start(machine_hart(m, (unsigned)n), level, entry, context);
    by->resync = true; /* it may have been the only one awake */
    return SUCCESS;
}

/* 5.1.5: affinity level 0 only. */
static int affinity_info(const struct machine *m, uint64_t target, uint64_t level)
{
    int n = hart_of(m, target);
    return n < 0 || level ? INVALID_PARAMETERS : machine_progress(m, (unsigned)n)->parked;
}

static void cpu_off(struct cpu *c)
{
    cpu_progress(c)->parked = 1;
    c->resync = true;
}

/* 5.1.1: every state is a standby, which an interrupt ends. */
static int cpu_suspend(struct cpu *c, uint64_t state)
{
    if (state & ~UINT64_C(0x3001ffff))
        return INVALID_PARAMETERS;
    cpu_progress(c)->waiting = 1;
    c->resync = true;
    return SUCCESS;
}

static int features(uint32_t id)
{
    switch (id & ~SMC64) {
    case PSCI_VERSION:
    case CPU_OFF:
    case MIGRATE_INFO_TYPE:
    case SYSTEM_OFF:
    case SYSTEM_RESET:
    case PSCI_FEATURES:
    case SMCCC_VERSION: return id & SMC64 ? NOT_SUPPORTED : SUCCESS;
    case CPU_SUSPEND:
    case CPU_ON:
    case AFFINITY_INFO:
    case SYSTEM_RESET2: return SUCCESS;
    default: return NOT_SUPPORTED;
    }
}

static void stop(struct machine *m, struct cpu *c)
{
    m->st.exited = 1;
    m->st.exit_code = 0;
    c->resync = true;
}

static void reboot(struct machine *m, struct cpu *c)
{
    m->reboot = true;
    c->resync = true;
}

static bool answer(struct machine *m, struct cpu *c, uint64_t x[8], bool by_smc)
{
    uint32_t id = (uint32_t)x[0];
    uint64_t arg[3];
    if (by_smc != !strcmp(m->setup->loader.conduit, "smc"))
        return false;
    for (unsigned i = 0; i < 3; i++)
        arg[i] = id & SMC64 ? x[i + 1] : (uint32_t)x[i + 1];
    int64_t r = NOT_SUPPORTED;
    switch (features(id) == SUCCESS ? id & ~(uint32_t)SMC64 : id == SMCCC_ARCH_FEATURES ? id : 0) {
    case SMCCC_VERSION: r = 0x10001; break;
    case SMCCC_ARCH_FEATURES: r = arg[0] == SMCCC_VERSION || arg[0] == SMCCC_ARCH_FEATURES ? SUCCESS : NOT_SUPPORTED; break;
    case PSCI_VERSION: r = 0x10001; break;
    case PSCI_FEATURES: r = features((uint32_t)arg[0]); break;
    case MIGRATE_INFO_TYPE: r = 2; break; /* no Trusted OS that would have to migrate */
    case CPU_ON: r = cpu_on(m, c, arg[0], arg[1], arg[2]); break;
    case CPU_OFF: cpu_off(c); break;
    case CPU_SUSPEND: r = cpu_suspend(c, arg[0]); break;
    case AFFINITY_INFO: r = affinity_info(m, arg[0], arg[1]); break;
    case SYSTEM_OFF: stop(m, c); break;
    case SYSTEM_RESET:
    case SYSTEM_RESET2: reboot(m, c); break;
    default: break;
    }
    x[0] = result(r);
    return true;
}

/* 5.1.3, 5.1.9 to 5.1.11: calls that, where they are there at all, do not come back. */
static bool never_returns(uint32_t id)
{
    switch (features(id) == SUCCESS ? id & ~(uint32_t)SMC64 : 0) {
    case CPU_OFF:
    case SYSTEM_OFF:
    case SYSTEM_RESET:
    case SYSTEM_RESET2: return true;
    default: return false;
    }
}

bool machine_firmware(void *ctx, struct cpu *c, uint64_t x[8], bool by_smc)
{
    struct machine *m = ctx;
    if (!m->answered)
        return answer(m, c, x, by_smc);
    struct machine_answer a = {.hart = c->index, .by_smc = by_smc, .cycle = cpu_progress(c)->cycle};
    memcpy(a.call, x, sizeof a.call);
    a.returns = !never_returns((uint32_t)x[0]);
    m->arch->get_reg(c, "pc", &a.pc);
    if (!answer(m, c, x, by_smc))
        return false;
    m->answered(m->answered_ctx, m, &a);
    return true;
}
