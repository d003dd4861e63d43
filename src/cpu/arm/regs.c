/* Registers by name, for debuggers and the public API. */
#include "cpu/arm/arch.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/pstate.h"

#include <stdlib.h>
#include <string.h>

/* The number in "x12" or "v3.d1" behind the letter, below limit, or -1. *rest: what follows it. */
static int numbered(const char *name, char letter, int limit, const char **rest)
{
    if (name[0] != letter || name[1] < '0' || name[1] > '9' || (name[1] == '0' && name[2] >= '0' && name[2] <= '9'))
        return -1;
    char *end;
    long n = strtol(name + 1, &end, 10);
    *rest = end;
    return n >= limit ? -1 : (int)n;
}

/* The word of a register that is a plain member of the state: x0 to x30, fp, lr, sp, pc, d0 or v0.d0 to v31.d1. */
static uint64_t *word_of(struct pe *p, const char *name)
{
    const char *rest;
    int n;
    if (!strcmp(name, "pc"))
        return &p->s.pc;
    if (!strcmp(name, "sp"))
        return &p->s.x[REG_SP];
    if (!strcmp(name, "fp"))
        return &p->s.x[29];
    if (!strcmp(name, "lr"))
        return &p->s.x[30];
    if ((n = numbered(name, 'x', 31, &rest)) >= 0)
        return *rest ? NULL : &p->s.x[n];
    if ((n = numbered(name, 'd', 32, &rest)) >= 0)
        return *rest ? NULL : &p->s.v[n].d[0];
    if ((n = numbered(name, 'v', 32, &rest)) >= 0)
        return !strcmp(rest, ".d0") ? &p->s.v[n].d[0] : !strcmp(rest, ".d1") ? &p->s.v[n].d[1] : NULL;
    return NULL;
}

uint64_t arm_pstate_mask(const struct arm_config *c)
{
    return UINT32_MAX | (arm_has(c, FEAT_EBEP) ? PSTATE_PM : 0) | (arm_has(c, FEAT_SEBEP) ? PSTATE_PPEND : 0);
}

struct sysreg_ctx arm_top_view(struct pe *p)
{
    struct sysreg_ctx c = p->ctx;
    c.el = arm_has(p->cfg, FEAT_EL3) ? 3 : arm_has(p->cfg, FEAT_EL2) ? 2 : 1;
    return c;
}

bool arm_get_reg(struct cpu *cpu, const char *name, uint64_t *value)
{
    struct pe *p = (struct pe *)cpu;
    const uint64_t *word = word_of(p, name);
    struct sysreg_ctx c = arm_top_view(p);
    if (word)
        *value = *word;
    else if (!strcmp(name, "pstate") || !strcmp(name, "cpsr"))
        *value = p->s.pstate;
    else if (!strcmp(name, "el"))
        *value = p->s.pstate >> 2 & 3;
    else
        return sysreg_peek(&c, sysreg_by_name(name), value);
    return true;
}

bool arm_set_reg(struct cpu *cpu, const char *name, uint64_t value)
{
    struct pe *p = (struct pe *)cpu;
    uint64_t *word = word_of(p, name), old;
    struct sysreg_ctx c = arm_top_view(p);
    if (word == &p->s.x[REG_SP])
        p->s.sp[p->s.pstate & 1 ? p->s.pstate >> 2 & 3 : 0] = value;
    if (word) {
        *word = value;
    } else if (!strcmp(name, "pstate") || !strcmp(name, "cpsr")) {
        unsigned el = (unsigned)(value >> 2 & 3);
        if (value & ~arm_pstate_mask(p->cfg) || value & 0x12 || el > c.el || (el == 2 && !arm_has(p->cfg, FEAT_EL2)) ||
            (!el && (value & 1)))
            return false;
        p->s.pstate = value;
    } else if (!strcmp(name, "el") || !sysreg_peek(&c, sysreg_by_name(name), &old)) {
        return false;
    } else {
        sysreg_write(&c, sysreg_by_name(name), value);
        pmu_sync(p); /* it may be a control of the counters */
        engine_flush(cpu->engine);
    }
    pe_refresh(p);
    return true;
}
