/* Stopping exactly: breakpoints, steps, and a hart's cycle. */
#include "cpu/breaks.h"
#include "machine/machine.h"

bool machine_breakpoint(struct machine *m, unsigned hart, uint64_t va, bool on)
{
    if (hart != MACHINE_ALL_HARTS && hart >= m->setup->harts)
        return false;
    if (m->setup->kind->bits == 32)
        va = (uint32_t)va;
    engine_break(&m->engine, hart == MACHINE_ALL_HARTS ? BREAK_ALL : UINT32_C(1) << hart, va, on);
    return true;
}

int machine_stopped_hart(const struct machine *m) { return m->broke; }

static void halt_set(struct machine *m, unsigned hart, struct machine_halt k)
{
    m->halts += (k.kind != HALT_NONE) - (m->halt[hart].kind != HALT_NONE);
    m->halt[hart] = k;
}

bool machine_stop_at(struct machine *m, unsigned hart, uint64_t cycle)
{
    if (hart >= m->setup->harts)
        return false;
    halt_set(m, hart, (struct machine_halt){cycle == UINT64_MAX ? HALT_NONE : HALT_CYCLE, cycle});
    return true;
}

void machine_mark(struct machine *m, unsigned hart, uint64_t cycle)
{
    const struct machine_halt k = {cycle == UINT64_MAX ? HALT_NONE : HALT_CYCLE, cycle};
    m->halts += (k.kind != HALT_NONE) - (m->mark.kind != HALT_NONE);
    m->mark = k;
    m->mark_hart = hart;
}

uint64_t machine_hart_cycle(const struct machine *m, unsigned hart) { return machine_progress(m, hart)->cycle; }

bool machine_waits(struct machine *m, unsigned hart) { return machine_progress(m, hart)->waiting && machine_sleeps(m, hart); }

enum machine_stop machine_step(struct machine *m, unsigned hart)
{
    if (machine_sleeps(m, hart))
        halt_set(m, hart, (struct machine_halt){.kind = HALT_AWAKE});
    else
        halt_set(m, hart, (struct machine_halt){HALT_CYCLE, machine_progress(m, hart)->cycle + 1});
    enum machine_stop why = machine_run(m, UINT64_MAX);
    halt_set(m, hart, (struct machine_halt){HALT_NONE, 0});
    return why;
}
