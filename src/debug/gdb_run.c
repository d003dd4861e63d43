/* vCont and its like, reverse execution, and what GDB is told when the machine stops. */
#include "debug/gdb_internal.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_ABRT = 6 };

/* ---- stop replies --------------------------------------------------------------------------------------------------------- */

static void put_reason(struct gdb *g, const struct debugger_stop *s)
{
    uint64_t pc = 0;
    machine_get_reg(g->s.d.m, s->hart, "pc", &pc);
    switch (s->why) {
    case DEBUGGER_BREAK:
        if (g->hwbreak && debugger_has_break(&g->s.d, pc, 1))
            buf_printf(&g->reply, "hwbreak:;");
        else if (g->swbreak && debugger_has_break(&g->s.d, pc, 0))
            buf_printf(&g->reply, "swbreak:;");
        break;
    case DEBUGGER_WATCH: {
        static const char *const name[] = {[MACHINE_READ] = "rwatch", [MACHINE_WRITE] = "watch", [MACHINE_ACCESS] = "awatch"};
        enum machine_access on = 0;
        uint64_t at = s->hit.physical ? s->hit.pa : s->hit.va;
        for (unsigned i = 0; i < g->watches; i++) /* the kind GDB asked for, whatever the access does */
            if (at - g->watch[i].address < g->watch[i].size && g->watch[i].physical == s->hit.physical &&
                (g->watch[i].on & s->hit.access) && (!on || on == MACHINE_READ))
                on = g->watch[i].on;
        buf_printf(&g->reply, "%s:%" PRIx64 ";", name[on ? on : s->hit.access], at);
        break;
    }
    case DEBUGGER_BEGIN: buf_printf(&g->reply, "replaylog:begin;"); break;
    default: break;
    }
}

static void put_register(struct gdb *g, unsigned n)
{
    if (n == UINT_MAX)
        return;
    buf_printf(&g->reply, "%x:", n);
    gdb_regs_put(g, n, &g->reply);
    buf_put_u8(&g->reply, ';');
}

static unsigned signal_of(const struct gdb *g)
{
    switch (g->s.d.stop.why) {
    case DEBUGGER_ASKED: return g->interrupted ? SIGNAL_INT : SIGNAL_TRAP;
    case DEBUGGER_HALT: return SIGNAL_ABRT;
    default: return SIGNAL_TRAP;
    }
}

void gdb_why(struct gdb *g, const char *args, size_t len)
{
    const struct debugger_stop *s = &g->s.d.stop;
    (void)args, (void)len;
    if (g->exited) {
        buf_printf(&g->reply, "W%02x", g->exit_code & 0xff);
        return;
    }
    g->general = s->hart;
    buf_printf(&g->reply, "T%02xthread:%x;core:%x;", signal_of(g), s->hart + 1, s->hart);
    put_reason(g, s);
    put_register(g, g->pc);
    put_register(g, g->sp);
}

/* Before a stop is told: what happened, in words. */
static void comment(struct gdb *g)
{
    const struct debugger_stop *s = &g->s.d.stop;
    struct buf b = {0};
    char call[512];
    if (s->why == DEBUGGER_TRAP) {
        debugger_describe(g->s.d.m, &s->change, &b);
        buf_printf(&b, "\n");
        if (target_ops(g->s.d.m)->call(g->s.d.m, &s->change, call, sizeof call))
            buf_printf(&b, "call: %s\n", call);
    } else if (s->why == DEBUGGER_HALT) {
        buf_printf(&b, "Every hart is in the critical error state.\n");
    } else if (g->s.d.at_exit && s->why == DEBUGGER_ASKED && !g->interrupted) {
        buf_printf(&b, "The guest has ended the run with code %d.\n", s->code);
    } else if (s->why == DEBUGGER_WATCH && s->hit.bytes && (s->hit.access & MACHINE_WRITE)) {
        buf_printf(&b, "hart %u: 0x%" PRIx64 " of %u bytes is 0x%" PRIx64 ", and becomes 0x%" PRIx64 "\n", s->hart, s->hit.va,
                   s->hit.bytes, s->hit.old, machine_watch_value(g->s.d.m, &s->hit));
    }
    if (b.len)
        gdb_say(g, b.data, b.len);
    buf_free(&b);
}

static void tell_said(struct gdb *g)
{
    if (g->s.d.said.len)
        gdb_say(g, g->s.d.said.data, g->s.d.said.len);
    g->s.d.said.len = 0;
}

static void send_stop(struct gdb *g)
{
    g->reply.len = 0;
    gdb_why(g, "", 0);
    gdb_send(g, g->reply.data, g->reply.len);
    g->interrupted = false;
}

static void tell_stop(struct gdb *g)
{
    g->state = GDB_STOPPED;
    tell_said(g);
    comment(g);
    send_stop(g);
}

/* ---- going on ------------------------------------------------------------------------------------------------------------- */

static void resume(struct gdb *g, enum debugger_how how, unsigned hart, uint64_t first, uint64_t end)
{
    g->silent = true;
    g->interrupted = false;
    g->s.left = history_here(g->s.d.history);
    debugger_resume(&g->s.d, how, hart, first, end);
    g->state = GDB_RUNNING;
}

/* Nobody is told. */
static void go_alone(struct gdb *g, uint64_t cycles)
{
    switch (debugger_go(&g->s.d, cycles)) {
    case DEBUGGER_EXIT:
        g->exited = true;
        g->exit_code = g->s.d.stop.code;
        break;
    case DEBUGGER_HALT:
        g->exited = true;
        g->exit_code = 125;
        break;
    default: break;
    }
}

void gdb_go(struct gdb *g, uint64_t cycles)
{
    if (g->state == GDB_DETACHED && !g->exited)
        go_alone(g, cycles);
    if (g->state != GDB_RUNNING && g->state != GDB_IDLE)
        return;
    if (g->interrupted) {
        debugger_halt(&g->s.d);
        tell_stop(g);
        return;
    }
    enum debugger_why why = debugger_go(&g->s.d, cycles);
    g->state = why == DEBUGGER_IDLES ? GDB_IDLE : GDB_RUNNING;
    if (why == DEBUGGER_RUNS || why == DEBUGGER_IDLES) {
        tell_said(g);
        return;
    }
    if (why == DEBUGGER_EXIT) {
        g->exited = true;
        g->exit_code = g->s.d.stop.code;
    }
    tell_stop(g);
}

/* One action of vCont. */
struct action {
    char what; /* c, s, r; t: none */
    uint64_t first, end;
    int hart; /* -1: every one */
};

/* False: malformed. */
static bool take_action(struct gdb *g, const char **p, struct action *a)
{
    uint64_t signal;
    *a = (struct action){.what = **p, .hart = -1};
    if (!**p || !strchr("cCsStr", **p))
        return false;
    (*p)++;
    if ((a->what == 'C' || a->what == 'S') && !gdb_take_hex(p, &signal))
        return false;
    if (a->what == 'r' && (!gdb_take_hex(p, &a->first) || !gdb_take(p, ',') || !gdb_take_hex(p, &a->end)))
        return false;
    a->what = a->what == 'C' ? 'c' : a->what == 'S' ? 's' : a->what;
    if (gdb_take(p, ':') && !gdb_take_thread(g, p, &a->hart))
        return false;
    return !**p || **p == ';';
}

/* The first action that names a hart is that hart's. All harts go when one does: a step is one hart's, and the others run along.
 */
void gdb_vcont(struct gdb *g, const char *args, size_t len)
{
    struct action step = {0}, a;
    uint64_t decided = 0, going = 0;
    bool go = false;
    unsigned harts = machine_harts(g->s.d.m);
    (void)len;
    if (g->exited || *args != ';') {
        gdb_error(g, 22);
        return;
    }
    while (gdb_take(&args, ';')) {
        if (!take_action(g, &args, &a)) {
            gdb_error(g, 22);
            return;
        }
        for (unsigned h = 0; h < harts; h++) {
            if ((a.hart >= 0 && (unsigned)a.hart != h) || (decided >> h & 1))
                continue;
            decided |= UINT64_C(1) << h;
            go |= a.what != 't';
            going |= (uint64_t)(a.what != 't') << h;
            if (!step.what && (a.what == 's' || a.what == 'r') && (a.hart >= 0 || h == g->general)) {
                step = a;
                step.hart = (int)h;
            }
        }
    }
    if (!go)
        buf_printf(&g->reply, "OK");
    else if (step.what == 'r')
        resume(g, DEBUGGER_RANGE, (unsigned)step.hart, step.first, step.end);
    else if (step.what)
        resume(g, DEBUGGER_ONE, (unsigned)step.hart, 0, 0);
    else
        resume(g, DEBUGGER_CONTINUE, going >> g->general & 1 ? g->general : (unsigned)__builtin_ctzll(going), 0, 0);
    if (go && going != (UINT64_C(1) << harts) - 1) /* GDB takes no stop of a thread that it has not set going */
        g->s.d.only = going;
}

void gdb_vcont_query(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    buf_printf(&g->reply, "vCont;c;C;s;S;t;r");
}

/* c, C, s, S: the old forms. An address to go on at is not taken: GDB writes pc. */
static void old_form(struct gdb *g, enum debugger_how how)
{
    if (g->exited)
        gdb_error(g, 22);
    else
        resume(g, how, g->going >= 0 ? (unsigned)g->going : g->general, 0, 0);
    g->s.d.only = g->going >= 0 ? UINT64_C(1) << g->going : 0;
}

void gdb_continue(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    old_form(g, DEBUGGER_CONTINUE);
}

void gdb_step(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    old_form(g, DEBUGGER_ONE);
}

/* ---- back ----------------------------------------------------------------------------------------------------------------- */

static enum gdb_heard heard(struct gdb *g) { return g->host.heard ? g->host.heard(g->host.ctx) : GDB_HEARD_NOTHING; }

static bool give_up(void *ctx, unsigned part)
{
    struct gdb *g = ctx;
    (void)part;
    g->interrupted = heard(g) == GDB_HEARD_INTERRUPT;
    return g->interrupted;
}

/* GDB sends no Ctrl-C while it waits for a monitor command, but "Quit" makes it go on to the next packet: whoever answered this
   one then would be taken to answer that. */
bool gdb_gives_up(void *gdb)
{
    struct gdb *g = gdb;
    enum gdb_heard h = heard(g);
    g->abandoned |= h == GDB_HEARD_PACKET;
    return h != GDB_HEARD_NOTHING;
}

static void back(struct gdb *g, bool one)
{
    struct debugger *d = &g->s.d;
    g->silent = true;
    g->exited = false;
    g->interrupted = false;
    unsigned hart = g->going >= 0 ? (unsigned)g->going : g->general;
    g->s.left = history_here(d->history);
    d->hart = hart;
    d->only = g->going >= 0 ? UINT64_C(1) << hart : 0;
    d->give_up = give_up;
    d->give_up_ctx = g;
    if (one)
        debugger_back_step(d, hart);
    else
        debugger_back(d);
    comment(g);
    /* GDB steps over a watched access to see what it did; backwards, too. So it is to be before the access is undone. */
    if (d->stop.why == DEBUGGER_WATCH)
        history_seek_hart(d->history, d->stop.hart, machine_hart_cycle(d->m, d->stop.hart) + 1);
    send_stop(g);
}

void gdb_back(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    back(g, false);
}

void gdb_back_one(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    back(g, true);
}
