#include "debug/debugger.h"
#include "debug/target.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps of a range between two looks at the outside. */
#define STEPS 2000

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    machine_get_reg(m, hart, name, &v);
    return v;
}

/* ---- traps ---------------------------------------------------------------------------------------------------------------- */

const char *debugger_activity(struct machine *m, unsigned hart)
{
    const struct cpu_progress *p = machine_progress(m, hart);
    return p->halted ? "halted" : p->parked ? "off" : machine_waits(m, hart) ? "waits" : "runs";
}

void debugger_describe(struct machine *m, const struct machine_change *c, struct buf *out)
{
    const struct target_ops *t = target_ops(m);
    char cause[96], value[64], from[24], to[24];
    t->mode(c->priv, c->v, from);
    t->mode(c->to_priv, c->to_v, to);
    if (c->is_return) {
        buf_printf(out, "hart %u: return from 0x%" PRIx64 ", %s -> %s, pc 0x%" PRIx64, c->hart, c->epc, from, to, c->pc);
        return;
    }
    t->cause(c, cause);
    t->value(c, value);
    buf_printf(out, "hart %u: %s, %s -> %s, epc 0x%" PRIx64 "%s, pc 0x%" PRIx64, c->hart, cause, from, to, c->epc, value, c->pc);
}

static bool catches(const struct debugger *d, const struct machine_change *c)
{
    for (unsigned i = 0; i < d->catches; i++)
        if (aim_meets(&d->caught[i], d->m, c))
            return true;
    return false;
}

static void changed(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct debugger *d = ctx;
    if (d->trace) {
        debugger_describe(m, c, &d->said);
        buf_printf(&d->said, "\n");
    }
    if (catches(d, c) || (d->until && d->until(d->until_ctx, m, c))) {
        d->seen_trap = true;
        d->change = *c;
        machine_break(m, c->hart);
    } else if (d->how != DEBUGGER_CONTINUE && !d->over.on && !d->into_irq && c->hart == d->hart && c->interrupt &&
               !c->is_return) {
        d->seen_irq = true;
        d->change = *c;
        machine_break(m, c->hart);
    }
}

bool debugger_catch(struct debugger *d, const char *kind, const char *rest, struct err *e)
{
    if (d->catches == DEBUGGER_CATCHES)
        return err_set(e, "at most %d things are caught at once", DEBUGGER_CATCHES);
    if (!aim_parse(d->m, kind, rest, &d->caught[d->catches], e))
        return false;
    d->catches++;
    return true;
}

/* ---- life ----------------------------------------------------------------------------------------------------------------- */

void debugger_open(struct debugger *d, struct machine *m)
{
    *d = (struct debugger){.m = m, .history = history_new(m, NULL), .stop.why = DEBUGGER_ASKED};
    machine_watch(m, changed, d);
}

void debugger_close(struct debugger *d)
{
    machine_watch(d->m, NULL, NULL);
    history_free(d->history);
    buf_free(&d->said);
    free(d->breaks);
}

static void over_end(struct debugger *d);

void debugger_reset(struct debugger *d)
{
    over_end(d);
    history_free(d->history);
    machine_reset(d->m);
    d->history = history_new(d->m, NULL);
    d->at_exit = false;
    d->stop = (struct debugger_stop){.why = DEBUGGER_ASKED};
}

static int find_break(const struct debugger *d, uint64_t va, unsigned kind)
{
    for (unsigned i = 0; i < d->nbreaks; i++)
        if (d->breaks[i].va == va && d->breaks[i].kind == kind)
            return (int)i;
    return -1;
}

bool debugger_has_break(const struct debugger *d, uint64_t va, unsigned kind) { return find_break(d, va, kind) >= 0; }

static bool any_break(const struct debugger *d, uint64_t va)
{
    for (unsigned i = 0; i < d->nbreaks; i++)
        if (d->breaks[i].va == va)
            return true;
    return false;
}

bool debugger_break(struct debugger *d, uint64_t va, unsigned kind, bool on)
{
    int i = find_break(d, va, kind);
    if (on) {
        if (i >= 0)
            return true;
        struct debugger_break *grown = realloc(d->breaks, (d->nbreaks + 1) * sizeof *grown);
        if (!grown)
            abort(); /* out of host memory: nothing sensible can go on */
        d->breaks = grown;
        grown[d->nbreaks++] = (struct debugger_break){va, kind};
        return machine_breakpoint(d->m, MACHINE_ALL_HARTS, va, true);
    }
    if (i < 0)
        return false;
    d->breaks[i] = d->breaks[--d->nbreaks];
    if (!any_break(d, va))
        machine_breakpoint(d->m, MACHINE_ALL_HARTS, va, false);
    return true;
}

/* ---- going on ------------------------------------------------------------------------------------------------------------- */

/* The breakpoint at which an interrupt's return is waited for. */
static void over_begin(struct debugger *d)
{
    d->over.on = true;
    d->over.pc = d->change.epc;
    d->over.ours = !any_break(d, d->over.pc);
    if (d->over.ours)
        machine_breakpoint(d->m, d->hart, d->over.pc, true);
}

static void over_end(struct debugger *d)
{
    if (d->over.on && d->over.ours && !any_break(d, d->over.pc))
        machine_breakpoint(d->m, d->hart, d->over.pc, false);
    d->over.on = false;
}

/* Whether the hart is back from the interrupt that was taken at a step. */
static bool is_back(struct debugger *d)
{
    return reg(d->m, d->hart, "pc") == d->over.pc && machine_mode(d->m, d->hart) == d->over.mode &&
           reg(d->m, d->hart, "sp") == d->over.sp;
}

static enum debugger_why stopped(struct debugger *d, enum debugger_why why, unsigned hart)
{
    over_end(d);
    d->stop.why = why;
    d->stop.hart = hart;
    return why;
}

/* Whether a stop of this hart is one. */
static bool counts(const struct debugger *d, unsigned hart) { return !d->only || (d->only >> hart & 1); }

/* Why a stop of the machine that is told to nobody else came about. RUNS: the machine did not stop by itself. */
static enum debugger_why judge(struct debugger *d, enum machine_stop why)
{
    int hart = machine_stopped_hart(d->m);
    switch (why) {
    case MACHINE_EXIT: d->stop.code = machine_exit_code(d->m); return stopped(d, DEBUGGER_EXIT, d->hart);
    case MACHINE_HALT: return stopped(d, DEBUGGER_HALT, d->hart);
    case MACHINE_IDLE: return DEBUGGER_IDLES;
    case MACHINE_DEBUG: break;
    default: return DEBUGGER_RUNS;
    }
    unsigned who = d->seen_trap ? d->change.hart : hart >= 0 ? (unsigned)hart : d->hart;
    if (!counts(d, who)) {
        d->seen_trap = false;
        d->passed = true;
        return DEBUGGER_RUNS;
    }
    if (d->seen_trap) {
        d->stop.change = d->change;
        return stopped(d, DEBUGGER_TRAP, d->change.hart);
    }
    if (hart >= 0 && machine_watch_hit(d->m, &d->stop.hit))
        return stopped(d, DEBUGGER_WATCH, (unsigned)hart);
    if (hart >= 0)
        return stopped(d, DEBUGGER_BREAK, (unsigned)hart);
    return DEBUGGER_RUNS;
}

void debugger_resume(struct debugger *d, enum debugger_how how, unsigned hart, uint64_t first, uint64_t end)
{
    over_end(d);
    d->how = how;
    d->hart = hart;
    d->first = first;
    d->end = end;
    d->seen_trap = d->seen_irq = false;
    d->only = 0;
}

/* While the hart comes back from an interrupt. */
static enum debugger_why go_over(struct debugger *d, uint64_t cycles)
{
    enum machine_stop why = history_run(d->history, cycles);
    bool temporary = why == MACHINE_DEBUG && !d->seen_trap && machine_stopped_hart(d->m) == (int)d->hart &&
                     !machine_watch_hit(d->m, &d->stop.hit) && d->over.ours && reg(d->m, d->hart, "pc") == d->over.pc;
    if (why == MACHINE_DEBUG && is_back(d)) {
        over_end(d);
        return DEBUGGER_RUNS;
    }
    return temporary ? DEBUGGER_RUNS : judge(d, why);
}

static enum debugger_why one_step(struct debugger *d, uint64_t cycles)
{
    if (d->over.on)
        return go_over(d, cycles);
    if (machine_waits(d->m, d->hart)) {
        enum machine_stop why = history_run(d->history, cycles);
        enum debugger_why w = judge(d, why);
        return w == DEBUGGER_RUNS && !machine_waits(d->m, d->hart) ? stopped(d, DEBUGGER_STEP, d->hart) : w;
    }
    d->seen_irq = false;
    d->over.mode = machine_mode(d->m, d->hart);
    d->over.sp = reg(d->m, d->hart, "sp");
    d->passed = false;
    uint64_t cycle = machine_hart_cycle(d->m, d->hart);
    enum machine_stop why = history_step(d->history, d->hart);
    if (d->seen_irq && !d->seen_trap) {
        d->seen_irq = false;
        over_begin(d);
        return DEBUGGER_RUNS;
    }
    enum debugger_why w = judge(d, why);
    if (w != DEBUGGER_RUNS ||
        (d->passed && machine_hart_cycle(d->m, d->hart) == cycle)) /* another hart stopped it: not yet done */
        return w;
    uint64_t pc = reg(d->m, d->hart, "pc");
    if (d->how == DEBUGGER_RANGE && pc >= d->first && pc < d->end)
        return DEBUGGER_RUNS;
    return stopped(d, DEBUGGER_STEP, d->hart);
}

enum debugger_why debugger_go(struct debugger *d, uint64_t cycles)
{
    enum debugger_why why = DEBUGGER_RUNS;
    if (d->how == DEBUGGER_CONTINUE)
        why = judge(d, history_run(d->history, cycles));
    else
        for (unsigned i = 0; i < STEPS && why == DEBUGGER_RUNS; i++)
            why = one_step(d, cycles);
    if (why == DEBUGGER_EXIT && d->catch_exit && !d->at_exit) {
        d->at_exit = true;
        return stopped(d, DEBUGGER_ASKED, d->hart);
    }
    return why;
}

void debugger_halt(struct debugger *d) { stopped(d, DEBUGGER_ASKED, d->hart); }

/* ---- going back ----------------------------------------------------------------------------------------------------------- */

enum debugger_why debugger_back_step(struct debugger *d, unsigned hart)
{
    d->at_exit = false;
    return stopped(d, history_back_step(d->history, hart) ? DEBUGGER_STEP : DEBUGGER_BEGIN, hart);
}

/* The search's last answer is where the machine will be: what is noted of it stays. */
static bool is_stop(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct debugger *d = ctx;
    struct machine_access_hit hit;
    int hart = machine_stopped_hart(m);
    if (!counts(d, c ? c->hart : hart >= 0 ? (unsigned)hart : d->hart))
        return false;
    if (c) {
        if (!catches(d, c))
            return false;
        d->stop = (struct debugger_stop){.why = DEBUGGER_TRAP, .hart = c->hart, .change = *c};
        return true;
    }
    if (hart < 0)
        return false;
    d->stop = (struct debugger_stop){.why = DEBUGGER_BREAK, .hart = (unsigned)hart};
    if (machine_watch_hit(m, &hit)) {
        d->stop.why = DEBUGGER_WATCH;
        d->stop.hit = hit;
    }
    return true;
}

enum debugger_why debugger_back(struct debugger *d)
{
    const struct history_search s = {.look = HISTORY_STOPS | (d->catches ? HISTORY_TRAPS : 0),
                                     .is = is_stop,
                                     .ctx = d,
                                     .give_up = d->give_up,
                                     .give_up_ctx = d->give_up_ctx};
    over_end(d);
    d->at_exit = false;
    if (history_back_until(d->history, &s))
        return d->stop.why;
    return stopped(d, history_gave_up(d->history) ? DEBUGGER_ASKED : DEBUGGER_BEGIN, d->hart);
}
