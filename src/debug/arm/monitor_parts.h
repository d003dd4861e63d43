/* Inside the A64 monitors. */
#ifndef TL_DEBUG_ARM_MONITOR_PARTS_H
#define TL_DEBUG_ARM_MONITOR_PARTS_H
#include "cpu/arm/pe.h"
#include "debug/arm/context.h"
#include "debug/arm/monitor.h"
#include "debug/arm/psci.h"
#include "machine/machine.h"

enum arm_rule {
#define MONITOR_RULE(id, group, source, where, what) RULE_##id,
#include "debug/arm/monitor.def"
    ARM_RULES
};

/* Who was left by an exception, or is gone back to. */
struct who {
    enum who_kind {
        WHO_SAME,   /* what the level itself did: sp, and table */
        WHO_THREAD, /* EL0 of a kernel in EL1, or of a host in EL2: table, thread, sp, vm */
        WHO_GUEST,  /* EL1 and EL0 below EL2: vm, thread */
        WHO_WORLD   /* a security state of a PE, below EL3: sp */
    } kind;
    uint8_t level; /* the level that the exception was taken to */
    bool secure;
    bool unique;     /* no two PEs can be at it at once: it may go on on another one */
    uint64_t table;  /* address of the tables of TTBR0_ELx */
    uint64_t thread; /* TPIDR_EL0; of a guest VMPIDR_EL2 */
    uint64_t sp;     /* of a world: number of the PE */
    uint64_t vm;     /* address of the tables of VTTBR_EL2; 0: stage 2 is off */
};

/* A call by HVC or SMC. */
struct arm_call {
    uint8_t conduit;          /* its exception class */
    uint8_t level;            /* who answers: 2, or 3, which is the machine, too */
    uint8_t from, hart;       /* the caller */
    bool big_endian;          /* the caller's SCTLR_ELx.EE */
    uint64_t vm;              /* of the caller: struct who */
    uint64_t affinity;        /* and its MPIDR_EL1, as it sees it */
    uint64_t pc, cycle;       /* of the instruction */
    uint64_t x[MONITOR_CALL]; /* x0 to x7 */
    int target;               /* the PE that it is about: index into arm_monitor_state.pe; -1: none that is known */
    uint32_t changes;         /* of that PE when the call was made */
};

/* An exception from which nobody has returned yet. */
struct visit {
    enum { VISIT_NONE, VISIT_CALL, VISIT_INTERRUPT } what;
    uint8_t hart;
    struct who who;
    uint64_t resume; /* where it goes on when all is done */
    uint64_t stamp;  /* the greater, the later */
    struct arm_call call;
};

#define VISIT_SETS 128
#define VISIT_WAYS 8

/* A PE as PSCI knows it, and what CPU_ON was asked for it. */
#define PSCI_PES     64
#define PSCI_STARTS  4
#define PSCI_DOMAINS 8
#define PSCI_CALLS   48
struct psci_start {
    bool used, big_endian;
    uint8_t by; /* the calling hart */
    uint64_t entry, context;
};
struct psci_pe {
    uint8_t level; /* of who answers for it */
    enum psci_state { IS_UNKNOWN, IS_OFF, IS_PENDING, IS_ON, IS_STOPPING /* CPU_OFF was called */ } state;
    bool cold; /* has not been on since the machine was reset: firmware starts the first one by itself */
    uint64_t vm, affinity;
    uint32_t changes; /* counts what has happened to it */
    struct psci_start start[PSCI_STARTS];
};

/* What somebody who answers calls has said of itself. */
struct psci_domain {
    bool used;
    uint8_t level;
    uint64_t vm;
    uint32_t smccc, psci; /* versions; 0: not asked for */
    int8_t migrate;       /* MIGRATE_INFO_TYPE, 3: NOT_SUPPORTED; -1: not asked for */
    /* By function and whether its identifier is of the 64-bit convention. */
    enum { SAYS_NOTHING, SAYS_YES, SAYS_NO } told[PSCI_CALLS][2], did[PSCI_CALLS][2];
};

struct arm_monitor_state {
    unsigned reboots; /* of the machine, when all this began */
    uint64_t stamp;
    struct visit visit[VISIT_SETS * VISIT_WAYS];
    struct context was[VISIT_SETS * VISIT_WAYS]; /* what visit left, as it was */
    struct context now;
    struct psci_pe pe[PSCI_PES];
    unsigned pes;
    struct psci_domain domain[PSCI_DOMAINS];
};

static inline uint32_t call_id(const struct arm_call *k) { return psci_id(k->x[0]); }
static inline struct arm_monitor_state *arm_state(const struct monitor *o) { return o->state; }
static inline struct pe *arm_pe(struct machine *m, unsigned hart) { return (struct pe *)(void *)machine_hart(m, hart); }

/* A violation by a call, if the rule is watched; else NULL. */
struct monitor_violation *call_violates(struct monitor *o, const struct machine_change *c, enum arm_rule r,
                                        const struct arm_call *k);

/* ---- monitor_call.c -------------------------------------------------------------------------------------------------------- */

/* Whether the SMC Calling Convention is about this call. */
bool call_governed(const struct arm_call *k, unsigned immediate);
/* The call came back at c; what it left is now. */
void call_kept(struct monitor *o, struct machine *m, const struct machine_change *c, const struct arm_call *k,
               const struct context *was, const struct context *now);
/* The result in x0. */
void call_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, uint64_t x0);
struct psci_domain *call_domain(struct monitor *o, const struct arm_call *k);
/* What somebody says of function `id`, and what it does of it, have to agree. */
void call_says(struct monitor *o, const struct machine_change *c, const struct arm_call *k, enum arm_rule r, uint32_t id,
               bool told, bool there);

/* ---- monitor_psci.c -------------------------------------------------------------------------------------------------------- */

void psci_begin(struct monitor *o, struct machine *m);
void psci_called(struct monitor *o, struct arm_call *k);
void psci_result(struct monitor *o, const struct machine_change *c, const struct arm_call *k, int32_t r);
/* The hart has gone to a level below that of who answers for it. resumed: out of a call that did not come back as a call. */
void psci_entered(struct monitor *o, struct machine *m, const struct machine_change *c, const struct who *w,
                  const struct arm_call *resumed);
/* The machine has done, without time passing, what `k` asked for. */
void psci_done(struct monitor *o, struct machine *m, const struct arm_call *k);
#define PSCI_NO_RETURN UINT64_C(0x8000000000000000) /* what "result" is expected to be of functions that do not return */
#endif
