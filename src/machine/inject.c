/* Events from outside: what the API, the command line and the injector device raise; and calls made outside of time. */
#include "cpu/breaks.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of a controller with inputs of each hart (GIC), those below 32 are: they can be made pending, but no line of theirs is free. */
static bool inject_own(struct device *c, const struct injection *i, struct err *e)
{
    if (i->line > c->arg)
        return err_set(e, "the machine has no interrupt %u", i->line);
    if (i->line < 32 && i->how != INJECT_PULSE)
        return err_set(e, "interrupt %u is a hart's own: it has no line to raise or lower", i->line);
    if (i->how == INJECT_PULSE)
        c->ops->pend(c, i->hart, i->line);
    else
        c->ops->line(c, i->line, i->how == INJECT_RAISE);
    return true;
}

static bool inject_source(struct machine *m, const struct injection *i, struct err *e)
{
    struct device *c = m->setup->controller < 0 ? NULL : &m->device[m->setup->controller];
    unsigned source = i->line;
    int how = (int)i->how;
    if (c && c->ops->pend)
        return inject_own(c, i, e);
    if (!c || !source || source > c->arg)
        return err_set(e, "the machine has no interrupt source %u", source);
    if (how == INJECT_PULSE)
        c->ops->line(c, source, false);
    c->ops->line(c, source, how != INJECT_LOWER);
    if (how == INJECT_PULSE)
        c->ops->line(c, source, false);
    return true;
}

static bool hart_there(const struct machine *m, unsigned hart, struct err *e)
{
    if (hart >= m->setup->harts)
        return err_set(e, "the machine has no hart %u", hart);
    return !machine_progress(m, hart)->halted || err_set(e, "hart %u is in the critical error state", hart);
}

bool wire_inject(struct machine *m, const struct injection *i, struct err *e)
{
    if (i->kind == INJECT_SOURCE)
        return (i->hart < m->setup->harts || err_set(e, "the machine has no hart %u", i->hart)) && inject_source(m, i, e);
    return hart_there(m, i->hart, e) && m->arch->inject(machine_hart(m, i->hart), i, e);
}

static bool press(struct machine *m, unsigned pin, struct err *e)
{
    uint8_t p = (uint8_t)pin;
    return (pin < 8 && machine_input(m, "gpio0", &p, 1) == 1) || err_set(e, "the machine has no key %u", pin);
}

bool machine_inject(struct machine *m, const struct machine_injection *i, struct err *e)
{
    static const uint8_t kind[] = {[MACHINE_LINE] = INJECT_LINE,
                                   [MACHINE_RNMI] = INJECT_RNMI,
                                   [MACHINE_BUS_ERROR] = INJECT_BUS,
                                   [MACHINE_SOURCE] = INJECT_SOURCE};
    static const uint8_t how[] = {[MACHINE_PULSE] = INJECT_PULSE, [MACHINE_RAISE] = INJECT_RAISE, [MACHINE_LOWER] = INJECT_LOWER};
    if (i->event == MACHINE_KEY)
        return press(m, i->line, e);
    const struct injection d = {
        .kind = kind[i->event], .how = how[i->how], .hart = i->hart, .line = i->line, .address = i->address};
    m->now = machine_cycle(m);
    return wire_inject(m, &d, e);
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static bool at(struct machine *m, unsigned hart, uint64_t va)
{
    uint64_t pc;
    return machine_get_reg(m, hart, "pc", &pc) && pc == va;
}

/* Runs the hart alone until it is at `done`. Other harts and events stand still. */
static bool call_run(struct machine *m, const struct machine_call *c, struct err *e)
{
    struct cpu *cpu = machine_hart(m, c->hart);
    uint64_t until = cpu_progress(cpu)->cycle + c->cycles;
    m->until = until;
    for (;;) {
        switch (m->arch->run(cpu, until)) {
        case CPU_STOP_DEBUG:
            if (at(m, c->hart, c->done))
                return true;
            break;
        case CPU_STOP_RESYNC:
            if (m->st.exited || m->reboot)
                return err_set(e, "the call ended the run");
            break;
        case CPU_STOP_LIMIT: return err_set(e, "the call did not come back within %" PRIu64 " cycles", c->cycles);
        case CPU_STOP_WAIT: return err_set(e, "the call waits for an interrupt");
        case CPU_STOP_HALT: return err_set(e, "the call ended in the critical error state");
        }
    }
}

/* Puts the hart at the call's entry. */
static void call_enter(struct machine *m, const struct machine_call *c)
{
    machine_progress(m, c->hart)->waiting = 0;
    cpu_stops_anew(machine_hart(m, c->hart));
    machine_set_reg(m, c->hart, "pc", c->entry);
    for (unsigned i = 0; i < CPU_ARGUMENTS; i++)
        machine_set_reg(m, c->hart, m->arch->argument[i], c->a[i]);
}

bool machine_call(struct machine *m, struct machine_call *c, struct err *e)
{
    if (!hart_there(m, c->hart, e))
        return false;
    struct cpu *cpu = machine_hart(m, c->hart);
    void *before = malloc(m->arch->state_size);
    if (!before)
        abort(); /* out of host memory: nothing sensible can go on */
    memcpy(before, cpu_progress(cpu), m->arch->state_size);
    const uint32_t bit = UINT32_C(1) << c->hart;
    bool had = engine_break_has(&m->engine, bit, c->done);
    if (!had)
        engine_break(&m->engine, bit, c->done, true);
    call_enter(m, c);
    bool ok = call_run(m, c, e);
    if (!had)
        engine_break(&m->engine, bit, c->done, false);
    m->stop = 0; /* somebody who was told of the call's traps may have asked for it */
    for (unsigned i = 0; i < CPU_ARGUMENTS; i++)
        machine_get_reg(m, c->hart, m->arch->argument[i], &c->a[i]);
    m->arch->put_back(cpu, before);
    free(before);
    return ok;
}
