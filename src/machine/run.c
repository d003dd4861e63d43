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
    if (s->in_slice && s->turn == m->setup->harts - 1 && m->hart[s->turn].s.cycle > s->cycle)
        return m->hart[s->turn].s.cycle;
    return s->cycle;
}

uint64_t machine_instret(const struct machine *m)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < m->setup->harts; i++)
        n += m->hart[i].s.cycle - m->hart[i].s.idle;
    return n;
}

void machine_request_stop(struct machine *m) { m->stop = 1; }

void machine_set_pace(struct machine *m, bool on) { m->paced = on; }

/* Sleeping: in wfi with nothing to wake it now, or halted for good. */
static bool sleeps(struct hart *h) { return h->s.halted || h->s.parked || (h->s.waiting && !interrupt_wakes(h)); }

/* When a sleeping hart's own timer or counter is next due. */
static uint64_t due(struct hart *h)
{
    if (h->s.halted || h->s.parked)
        return UINT64_MAX;
    if (h->s.cycle >= h->deadline)
        hart_deadline(h);
    return h->deadline;
}

/* A sleeping hart gets to cycle `to` without doing anything. */
static void idle(struct hart *h, uint64_t to)
{
    if (to <= h->s.cycle)
        return;
    h->s.idle += to - h->s.cycle;
    h->s.cycle = to;
}

/* What only sleeping harts wait for. */
static uint64_t next_due(struct machine *m)
{
    uint64_t t = m->st.sched.next;
    for (unsigned i = 0; i < m->setup->harts; i++)
        if (sleeps(&m->hart[i]))
            t = min64(t, due(&m->hart[i]));
    return t;
}

uint64_t machine_next_wake(struct machine *m)
{
    for (unsigned i = 0; i < m->setup->harts; i++)
        if (!sleeps(&m->hart[i]))
            return machine_cycle(m);
    return next_due(m);
}

static void end_slice(struct machine *m, uint64_t at)
{
    m->st.cycle = at;
    m->st.in_slice = 0;
    m->st.turn = 0;
    m->now = at;
}

static enum cpu_stop run_hart(struct machine *m, struct hart *h, uint64_t to)
{
    m->until = to;
    return hart_run(h, to);
}

/* The only hart that is awake runs until `to` at most. Whatever stops it ends the slice. */
static enum cpu_stop run_solo(struct machine *m, struct hart *h, uint64_t to)
{
    m->solo = true;
    enum cpu_stop stop = run_hart(m, h, min64(to, m->st.cycle + STRETCH));
    m->solo = false;
    for (unsigned i = 0; i < m->setup->harts; i++)
        if (&m->hart[i] != h)
            idle(&m->hart[i], h->s.cycle);
    end_slice(m, h->s.cycle);
    return stop;
}

/* One step of hart h's turn towards cycle `to`. */
static enum cpu_stop turn_step(struct machine *m, struct hart *h, uint64_t to)
{
    enum cpu_stop stop = CPU_STOP_LIMIT;
    uint64_t event = m->st.sched.next;
    if (event > h->s.cycle)
        to = min64(to, event);
    if (sleeps(h))
        idle(h, min64(to, due(h)));
    else
        stop = run_hart(m, h, to);
    wire_events(m, h->s.cycle);
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
    struct hart *one;
};

static struct look look(struct machine *m)
{
    struct look k = {0};
    for (unsigned i = 0; i < m->setup->harts; i++) {
        struct hart *h = &m->hart[i];
        k.halted += h->s.halted;
        if (!sleeps(h)) {
            k.awake++;
            k.one = h;
        }
    }
    return k;
}

/* Runs the hart whose turn it is. False: the machine has come to `limit` in the middle of the slice. */
static bool run_turn(struct machine *m, uint64_t limit, enum cpu_stop *stop)
{
    struct machine_state *s = &m->st;
    struct hart *h = &m->hart[s->turn];
    bool last = s->turn == m->setup->harts - 1;
    uint64_t to = last ? min64(s->slice_end, limit) : s->slice_end;
    if (h->s.cycle < to)
        *stop = turn_step(m, h, to);
    if (h->s.cycle >= s->slice_end) {
        if (last)
            end_slice(m, s->slice_end);
        else
            s->turn++;
        return true;
    }
    return !last || h->s.cycle < limit;
}

enum step { STEP_ON, STEP_STOP };

/* Every hart is at st.cycle: events, then time jumps, a solo run, or the beginning of a slice. */
static enum step step_aligned(struct machine *m, uint64_t limit, bool *jumped, enum cpu_stop *stop, enum machine_stop *why)
{
    struct machine_state *s = &m->st;
    wire_events(m, s->cycle);
    if (s->exited || m->reboot)
        return STEP_ON;
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
        idle(&m->hart[i], min64(next, limit));
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
