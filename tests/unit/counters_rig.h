/* A PE whose performance monitors are driven by hand: its registers, and time that goes by. */
#ifndef TL_TEST_COUNTERS_RIG_H
#define TL_TEST_COUNTERS_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

#include "cpu/arm/arch.h"
#include "cpu/arm/counters.h"
#include "cpu/arm/exec.h"

struct rig {
    struct cpu_kind *kind;
    struct engine *engine;
    struct mem *mem;
    struct pe *p;
};

static inline struct rig *rig_new(const char *cpu)
{
    struct rig *r = calloc(1, sizeof *r);
    struct err e;
    r->kind = arm_arch.kind_new(&(struct cpu_choice){.text = cpu, .tick_cycles = 16, .tick_hz = 62500000}, &e);
    assert_non_null(r->kind);
    r->mem = mem_new();
    r->engine = calloc(1, sizeof *r->engine);
    engine_init(r->engine, r->mem, arm_arch.slot_shift);
    r->p = calloc(1, arm_arch.cpu_size);
    arm_arch.init(&r->p->cpu, r->engine, r->kind);
    arm_arch.reset(&r->p->cpu, 0, 1);
    return r;
}

static inline void rig_free(struct rig *r)
{
    engine_free(r->engine);
    mem_free(r->mem);
    free(r->engine);
    free(r->p);
    arm_arch.kind_free(r->kind);
    free(r);
}

static inline void put(struct rig *r, unsigned id, uint64_t v)
{
    r->p->ctx.el = r->p->el;
    pe_effects(r->p, sysreg_write(&r->p->ctx, id, v));
}

static inline uint64_t get(struct rig *r, unsigned id)
{
    r->p->ctx.el = r->p->el;
    return sysreg_read(&r->p->ctx, id);
}

/* Time goes by, some of it waiting. */
static inline void pass(struct rig *r, uint64_t cycles, uint64_t idle)
{
    r->p->s.cycle += cycles;
    r->p->s.idle += idle;
}

static inline void count_event(struct rig *r, unsigned n, unsigned event)
{
    put(r, SR_pmevtyper_el0 + n, event);
    put(r, SR_pmcntenset_el0, UINT64_C(1) << n);
}
#endif
