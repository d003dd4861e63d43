/*
 * What an interrupted context of a PE is: general, vector and floating-point registers, PSTATE, the stack pointers, the system
 * registers that direct EL0 to EL3, and which priorities of the GIC are active, so that a handler that forgets the end of its
 * interrupt is found. Timers, counters, interrupt state and what a hypervisor tells its guest by list registers are the
 * handler's.
 */
#include "debug/arm/context.h"
#include "base/bits.h"
#include "base/hash.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/regime.h"
#include "debug/arm/trace.h"
#include "machine/machine.h"

#include <string.h>

enum sys {
#define CONTEXT(name, owner, level, member) SYS_##name,
#include "debug/arm/context.def"
    SYS_COUNT
};

struct a64_context {
    uint64_t pc, pstate;
    uint64_t x[31], sp[4];
    uint64_t fpcr, fpsr;
    uint64_t sys[SYS_COUNT];
    uint64_t v[32][2];
    uint8_t secure;
    uint8_t pad[7];
};
_Static_assert(sizeof(struct a64_context) <= CONTEXT_BYTES, "a context has room for it");

/* Register numbers, in the order they are told. */
enum {
    REG_PC,
    REG_PSTATE,
    REG_X,
    REG_SPS = REG_X + 31,
    REG_FPCR = REG_SPS + 4,
    REG_FPSR,
    REG_SYS,
    REG_V = REG_SYS + SYS_COUNT,
    REG_COUNT = REG_V + 64
};

_Static_assert(REG_PC == ARM_CONTEXT_PC && REG_PSTATE == ARM_CONTEXT_PSTATE && REG_X == ARM_CONTEXT_X0, "as others know them");

static const char *const names[] = {
    "pc",   "pstate", "x0",   "x1",   "x2",   "x3",   "x4",   "x5",     "x6",     "x7",     "x8",     "x9",   "x10",
    "x11",  "x12",    "x13",  "x14",  "x15",  "x16",  "x17",  "x18",    "x19",    "x20",    "x21",    "x22",  "x23",
    "x24",  "x25",    "x26",  "x27",  "x28",  "x29",  "x30",  "sp_el0", "sp_el1", "sp_el2", "sp_el3", "fpcr", "fpsr",
#define CONTEXT(name, owner, level, member) #name,
#include "debug/arm/context.def"
#define V(n) #n "[0]", #n "[1]"
    V(v0),  V(v1),    V(v2),  V(v3),  V(v4),  V(v5),  V(v6),  V(v7),    V(v8),    V(v9),    V(v10),   V(v11), V(v12),
    V(v13), V(v14),   V(v15), V(v16), V(v17), V(v18), V(v19), V(v20),   V(v21),   V(v22),   V(v23),   V(v24), V(v25),
    V(v26), V(v27),   V(v28), V(v29), V(v30), V(v31),
};
_Static_assert(ARRAY_LEN(names) == REG_COUNT, "a name for each register");

static const uint8_t levels[SYS_COUNT] = {
#define CONTEXT(name, owner, level, member) level,
#include "debug/arm/context.def"
};

enum { GIC = ARM_CONTEXT_GIC, OTHER = ARM_CONTEXT_OTHER };
static const uint8_t owners[SYS_COUNT] = {
#define CONTEXT(name, owner, level, member) owner,
#include "debug/arm/context.def"
};

static const struct a64_context *of(const struct context *c) { return (const struct a64_context *)(const void *)c->byte; }
static struct pe *pe_of(struct machine *m, unsigned i) { return (struct pe *)(void *)machine_hart(m, i); }

static void take(struct context *c, struct machine *m, unsigned hart)
{
    struct a64_context *a = (struct a64_context *)(void *)c->byte;
    const struct pe *p = pe_of(m, hart);
    memset(a, 0, sizeof *a);
    a->pc = p->s.pc;
    a->pstate = pe_pstate(p);
    unsigned el = (unsigned)(a->pstate >> PSTATE_EL_SHIFT & 3), sp = a->pstate & PSTATE_SP ? el : 0;
    memcpy(a->x, p->s.x, sizeof a->x);
    memcpy(a->sp, p->s.sp, sizeof a->sp);
    a->sp[sp] = p->s.x[REG_SP];
    a->fpcr = p->s.fpcr;
    a->fpsr = pe_fpsr(p); /* of a running PE flags are with the host */
    for (unsigned i = 0; i < 32; i++)
        memcpy(a->v[i], p->s.v[i].d, sizeof a->v[i]);
    a->secure = secure_state(p, el);
#define CONTEXT(name, owner, level, member) a->sys[SYS_##name] = p->s.regs.member;
#include "debug/arm/context.def"
}

/* An exception leaves all but its level's trap registers, of which it says where it came from. */
static void take_trapped(struct context *c, struct machine *m, const struct machine_change *trap)
{
    struct a64_context *a = (struct a64_context *)(void *)c->byte;
    take(c, m, trap->hart);
    a->pc = trap->epc;
    a->pstate = trap->to_priv == 3 ? a->sys[SYS_spsr_el3] : trap->to_priv == 2 ? a->sys[SYS_spsr_el2] : a->sys[SYS_spsr_el1];
    a->secure = trap->v;
}

static uint64_t value(const struct context *c, uint32_t i)
{
    const struct a64_context *a = of(c);
    if (i < REG_X)
        return i == REG_PC ? a->pc : a->pstate;
    if (i < REG_SPS)
        return a->x[i - REG_X];
    if (i < REG_FPCR)
        return a->sp[i - REG_SPS];
    if (i < REG_SYS)
        return i == REG_FPCR ? a->fpcr : a->fpsr;
    return i < REG_V ? a->sys[i - REG_SYS] : a->v[(i - REG_V) / 2][(i - REG_V) % 2];
}

static uint32_t differs(const struct context *a, const struct context *b, struct context_mode mode, uint32_t i)
{
    if (!i && !memcmp(of(a), of(b), sizeof(struct a64_context)))
        return UINT32_MAX;
    for (; i < REG_COUNT; i++) {
        bool trap_register = i >= REG_SYS && i < REG_V && mode.priv && levels[i - REG_SYS] == mode.priv;
        if (!trap_register && value(a, i) != value(b, i))
            return i;
    }
    return UINT32_MAX;
}

static uint64_t digest(const struct context *c)
{
    struct a64_context a = *of(c);
    for (unsigned i = 0; i < SYS_COUNT; i++)
        a.sys[i] = levels[i] ? 0 : a.sys[i];
    return hash_bytes(&a, sizeof a);
}

void arm_context_returned(struct context *c, struct machine *m, const struct machine_change *ret)
{
    struct a64_context *a = (struct a64_context *)(void *)c->byte;
    const struct pe *p = pe_of(m, ret->hart);
    take(c, m, ret->hart);
    uint64_t spsr = a->sys[ret->priv == 3 ? SYS_spsr_el3 : ret->priv == 2 ? SYS_spsr_el2 : SYS_spsr_el1];
    a->pstate = (spsr & (p->spsr_fields | PSTATE_NZCV | PSTATE_SS)) | (a->pstate & PSTATE_IL);
}

uint8_t arm_context_owner(uint32_t i)
{
    if (i < REG_SPS)
        return i < REG_X ? ARM_CONTEXT_MODE : ARM_CONTEXT_GENERAL;
    if (i < REG_FPCR)
        return (uint8_t)(i - REG_SPS);
    if (i < REG_SYS || i >= REG_V)
        return i < REG_COUNT ? ARM_CONTEXT_FLOAT : ARM_CONTEXT_NONE;
    return owners[i - REG_SYS];
}

static const char *name(uint32_t i) { return names[i]; }
static uint64_t pc(const struct context *c) { return of(c)->pc; }

/* What EL2 and EL3 find in their stack pointers are addresses of their own, unless it is themselves that they interrupt. */
static uint32_t stack(const struct context *c, struct context_mode mode)
{
    bool own = mode.priv < 2 || (of(c)->pstate >> PSTATE_EL_SHIFT & 3) == mode.priv;
    return own ? (uint32_t)REG_SPS + mode.priv : UINT32_MAX;
}

static const char *mode_name(uint8_t priv, uint8_t v, bool has_v)
{
    (void)has_v;
    return arm_mode_name(priv, v);
}

static const char *mode_of(const struct context *c, bool has_v)
{
    return mode_name((uint8_t)(of(c)->pstate >> PSTATE_EL_SHIFT & 3), of(c)->secure, has_v);
}

/* Firmware or a hypervisor that makes the exception EL1's: it has written ELR_EL1 and goes on in EL1's vectors. */
static bool passed_on(struct machine *m, unsigned hart, uint64_t epc)
{
    const struct pe *p = pe_of(m, hart);
    const struct arm_regs *r = &p->s.regs;
    return (pe_pstate(p) >> PSTATE_EL_SHIFT & 3) == 1 && p->s.pc - (r->vbar_el1 & ~UINT64_C(0x7ff)) < 0x800 && r->elr_el1 == epc;
}

static bool has_v(struct machine *m, unsigned hart)
{
    (void)m;
    (void)hart;
    return false;
}

const struct context_ops arm_context = {.size = sizeof(struct a64_context),
                                        .take = take,
                                        .take_trapped = take_trapped,
                                        .digest = digest,
                                        .differs = differs,
                                        .name = name,
                                        .value = value,
                                        .pc = pc,
                                        .stack = stack,
                                        .mode_of = mode_of,
                                        .mode_name = mode_name,
                                        .passed_on = passed_on,
                                        .has_v = has_v};
