/*
 * The run loop: which hart runs when, and until when.
 *
 * Harts run one after the other in slices. A slice begins with every hart at st.cycle and ends with every hart at st.slice_end,
 * which is the next event, at most the next multiple of the quantum. When only one hart is awake it runs alone until something is
 * due, and a line it raises to another hart ends its slice; no quantum is needed then.
 *
 * A run is the same in whatever pieces it is asked for. Alone, a hart may stop anywhere. With several awake, only the last hart
 * of a slice stops in the middle, where the whole machine has come to the cycle asked for; the harts before it are at the end of
 * the slice.
 *
 * An event armed by hart h for the middle of a slice fires when h gets there, although harts before h have gone further.
 */
#include "machine/machine.h"

/* A hart is looked after at least this often, so that machine_request_stop works soon. It changes no result. */
#define STRETCH 20000000

static uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t machine_cycle(const struct machine *m)
{
    const struct machine_state *s = &m->st;
    if (s->in_slice && s->turn == m->setup->harts - 1 && machine_progress(m, s->turn)->cycle > s->cycle)
        return machine_progress(m, s->turn)->cycle;
    return s->cycle;
}

uint64_t machine_instret(const struct machine *m)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < m->setup->harts; i++)
        n += machine_progress(m, i)->cycle - machine_progress(m, i)->idle;
    return n;
}

void machine_request_stop(struct machine *m) { m->stop = 1; }

void machine_set_pace(struct machine *m, bool on) { m->paced = on; }

/* Sleeping: in wfi with nothing to wake it now, or halted for good. */
static bool sleeps(struct machine *m, struct cpu *c)
{
    const struct cpu_progress *p = cpu_progress(c);
    return p->halted || p->parked || (p->waiting && !m->arch->wakes(c));
}

bool machine_sleeps(struct machine *m, unsigned hart) { return sleeps(m, machine_hart(m, hart)); }

/* When a sleeping hart's own timer or counter is next due. */
static uint64_t due(struct machine *m, struct cpu *c)
{
    const struct cpu_progress *p = cpu_progress(c);
    return p->halted || p->parked ? UINT64_MAX : m->arch->due(c);
}

/* A sleeping hart gets to cycle `to` without doing anything. */
static void idle(struct cpu *c, uint64_t to)
{
    struct cpu_progress *p = cpu_progress(c);
    if (to <= p->cycle)
        return;
    p->idle += to - p->cycle;
    p->cycle = to;
}

/* What only sleeping harts wait for. */
static uint64_t next_due(struct machine *m)
{
    uint64_t t = m->st.sched.next;
    for (unsigned i = 0; i < m->setup->harts; i++)
        if (sleeps(m, machine_hart(m, i)))
            t = min64(t, due(m, machine_hart(m, i)));
    return t;
}

uint64_t machine_next_wake(struct machine *m)
{
    for (unsigned i = 0; i < m->setup->harts; i++)
        if (!sleeps(m, machine_hart(m, i)))
            return machine_cycle(m);
    return next_due(m);
}

/* Where hart i is to be stopped; UINT64_MAX: nowhere. */
static uint64_t halt_of(const struct machine *m, unsigned i)
{
    uint64_t t = m->halts && m->halt[i].kind == HALT_CYCLE ? m->halt[i].cycle : UINT64_MAX;
    return m->mark.kind == HALT_CYCLE && m->mark_hart == i ? min64(t, m->mark.cycle) : t;
}

static uint64_t next_halt(const struct machine *m)
{
    uint64_t t = UINT64_MAX;
    for (unsigned i = 0; m->halts && i < m->setup->harts; i++)
        t = min64(t, halt_of(m, i));
    return t;
}

/* Whether a hart has come to where it is to be stopped; those that have are not to be stopped again. */
static bool halt_reached(struct machine *m)
{
    unsigned before = m->halts;
    for (unsigned i = 0; m->halts && i < m->setup->harts; i++) {
        const struct machine_halt *k = &m->halt[i];
        if ((k->kind == HALT_CYCLE && machine_progress(m, i)->cycle >= k->cycle) ||
            (k->kind == HALT_AWAKE && !machine_sleeps(m, i))) {
            m->halt[i].kind = HALT_NONE;
            m->halts--;
        }
    }
    if (m->mark.kind == HALT_CYCLE && machine_progress(m, m->mark_hart)->cycle >= m->mark.cycle) {
        m->mark.kind = HALT_NONE;
        m->halts--;
    }
    return m->halts != before;
}

static void end_slice(struct machine *m, uint64_t at)
{
    m->st.cycle = at;
    m->st.in_slice = 0;
    m->st.turn = 0;
    m->now = at;
}

static enum cpu_stop run_hart(struct machine *m, struct cpu *c, uint64_t to)
{
    m->until = to;
    enum cpu_stop stop = m->arch->run(c, to);
    if (unlikely(stop == CPU_STOP_DEBUG))
        m->broke = (int)c->index;
    return stop;
}

/* The only hart that is awake runs until `to` at most. Whatever stops it ends the slice. */
static enum cpu_stop run_solo(struct machine *m, struct cpu *c, uint64_t to)
{
    m->solo = true;
    enum cpu_stop stop = run_hart(m, c, min64(to, m->st.cycle + STRETCH));
    m->solo = false;
    for (unsigned i = 0; i < m->setup->harts; i++)
        if (machine_hart(m, i) != c)
            idle(machine_hart(m, i), cpu_progress(c)->cycle);
    end_slice(m, cpu_progress(c)->cycle);
    return stop;
}

/* One step of hart c's turn towards cycle `to`. */
static enum cpu_stop turn_step(struct machine *m, struct cpu *c, uint64_t to)
{
    const struct cpu_progress *p = cpu_progress(c);
    enum cpu_stop stop = CPU_STOP_LIMIT;
    uint64_t event = m->st.sched.next;
    if (event > p->cycle)
        to = min64(to, event);
    if (sleeps(m, c))
        idle(c, min64(to, due(m, c)));
    else
        stop = run_hart(m, c, to);
    wire_events(m, p->cycle);
    return stop;
}

static void begin_slice(struct machine *m)
{
    struct machine_state *s = &m->st;
    uint64_t end = s->cycle - s->cycle % m->setup->quantum + m->setup->quantum;
    s->slice_end = min64(end > s->cycle ? end : UINT64_MAX, s->sched.next);
    s->in_slice = 1;
    s->turn = 0;
}

/* What machine_run does next when every hart is at the same cycle. */
struct look {
    unsigned awake, halted;
    struct cpu *one;
};

static struct look look(struct machine *m)
{
    struct look k = {0};
    for (unsigned i = 0; i < m->setup->harts; i++) {
        struct cpu *c = machine_hart(m, i);
        k.halted += cpu_progress(c)->halted;
        if (!sleeps(m, c)) {
            k.awake++;
            k.one = c;
        }
    }
    return k;
}

/* Runs the hart whose turn it is. False: the machine has come to `limit` in the middle of the slice. */
static bool run_turn(struct machine *m, uint64_t limit, enum cpu_stop *stop)
{
    struct machine_state *s = &m->st;
    struct cpu *c = machine_hart(m, s->turn);
    const struct cpu_progress *p = cpu_progress(c);
    bool last = s->turn == m->setup->harts - 1;
    uint64_t to = min64(last ? min64(s->slice_end, limit) : s->slice_end, halt_of(m, s->turn));
    if (p->cycle < to)
        *stop = turn_step(m, c, to);
    if (p->cycle >= s->slice_end) {
        if (last)
            end_slice(m, s->slice_end);
        else
            s->turn++;
        return true;
    }
    return !last || p->cycle < limit;
}

enum step { STEP_ON, STEP_STOP };

/* Every hart is at st.cycle: events, then time jumps, a solo run, or the beginning of a slice. */
static enum step step_aligned(struct machine *m, uint64_t limit, bool *jumped, enum cpu_stop *stop, enum machine_stop *why)
{
    struct machine_state *s = &m->st;
    wire_events(m, s->cycle);
    if (s->exited || m->reboot)
        return STEP_ON;
    *why = MACHINE_DEBUG;
    if (unlikely(m->halts)) {
        if (halt_reached(m))
            return STEP_STOP;
        limit = min64(limit, next_halt(m)); /* not reached yet, so this is no MACHINE_CYCLES */
    }
    *why = MACHINE_CYCLES;
    if (s->cycle >= limit)
        return STEP_STOP;
    struct look k = look(m);
    if (k.awake > 1) {
        begin_slice(m);
        return STEP_ON;
    }
    uint64_t next = next_due(m);
    if (k.awake == 1) {
        *stop = run_solo(m, k.one, min64(limit, next));
        return STEP_ON;
    }
    *why = k.halted == m->setup->harts ? MACHINE_HALT : MACHINE_IDLE;
    if (next == UINT64_MAX || *why == MACHINE_HALT)
        return STEP_STOP;
    *why = MACHINE_INPUT;
    if (m->paced && *jumped)
        return STEP_STOP;
    *jumped = true;
    for (unsigned i = 0; i < m->setup->harts; i++)
        idle(machine_hart(m, i), min64(next, limit));
    end_slice(m, min64(next, limit));
    return STEP_ON;
}

enum machine_stop machine_run(struct machine *m, uint64_t cycles)
{
    struct machine_state *s = &m->st;
    uint64_t from = machine_cycle(m), limit = from + cycles < from ? UINT64_MAX : from + cycles;
    enum machine_stop why;
    bool jumped = false, first = true;
    m->now = from;
    m->shared = false;
    m->broke = -1;
    m->asked = false;
    for (;; first = false) {
        enum cpu_stop stop = CPU_STOP_LIMIT;
        if (s->exited)
            return MACHINE_EXIT;
        if (m->reboot)
            machine_reboot(m);
        if (m->stop) {
            m->stop = 0;
            return MACHINE_DEBUG;
        }
        if (s->in_slice) {
            if (unlikely(m->halts) && halt_reached(m))
                return MACHINE_DEBUG;
            if (!run_turn(m, limit, &stop))
                return MACHINE_CYCLES;
        } else if (step_aligned(m, limit, &jumped, &stop, &why) == STEP_STOP) {
            return why;
        }
        /* A paced caller is told of every sleep, but the one it came back from. */
        jumped |= !first || stop != CPU_STOP_LIMIT;
        if (stop == CPU_STOP_DEBUG)
            return MACHINE_DEBUG;
    }
}
