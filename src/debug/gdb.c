#include "debug/gdb.h"
#include "debug/gdb_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers -------------------------------------------------------------------------------------------------------------- */

void gdb_send(struct gdb *g, const void *p, size_t n)
{
    gdb_link_packet(&g->link, p, n);
    g->host.send(g->host.ctx, g->link.out.data, g->link.out.len);
}

/* O packets, as long as one may be. */
void gdb_say(struct gdb *g, const void *p, size_t n)
{
    const uint8_t *at = p;
    struct buf b = {0};
    while (n) {
        size_t here = n < GDB_PACKET / 2 - 1 ? n : GDB_PACKET / 2 - 1;
        b.len = 0;
        buf_put_u8(&b, 'O');
        gdb_put_hex(&b, at, here);
        gdb_send(g, b.data, b.len);
        at += here;
        n -= here;
    }
    buf_free(&b);
}

void gdb_error(struct gdb *g, unsigned number)
{
    g->reply.len = 0;
    buf_printf(&g->reply, "E%02x", number);
}

bool gdb_take_thread(struct gdb *g, const char **p, int *hart)
{
    uint64_t id;
    if (gdb_take(p, '-')) {
        *hart = -1;
        return gdb_take(p, '1');
    }
    if (!gdb_take_hex(p, &id) || id > machine_harts(g->s.d.m))
        return false;
    *hart = id ? (int)id - 1 : -2;
    return true;
}

/* ---- packets of the session ------------------------------------------------------------------------------------------------ */

static void ok(struct gdb *g) { buf_printf(&g->reply, "OK"); }

/* Hg, Hc: the thread that what follows is about. */
static void set_thread(struct gdb *g, const char *args, size_t len)
{
    char op = *args;
    int hart;
    (void)len;
    args += op != '\0';
    if ((op != 'g' && op != 'c') || !gdb_take_thread(g, &args, &hart) || *args) {
        gdb_error(g, 22);
        return;
    }
    if (op == 'c')
        g->going = hart;
    else if (hart >= 0)
        g->general = (unsigned)hart;
    ok(g);
}

static void thread_alive(struct gdb *g, const char *args, size_t len)
{
    int hart;
    (void)len;
    if (gdb_take_thread(g, &args, &hart) && !*args && hart >= 0)
        ok(g);
    else
        gdb_error(g, 3);
}

static void extended(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g->extended = true;
    ok(g);
}

/* What somebody at GDB has set. */
static void forget(struct gdb *g)
{
    gdb_points_none(g);
    g->s.d.catches = 0;
    g->s.d.trace = g->s.d.catch_exit = g->s.d.physical = g->s.d.into_irq = false;
}

static void detach(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    forget(g);
    debugger_resume(&g->s.d, DEBUGGER_CONTINUE, g->general, 0, 0);
    g->state = GDB_DETACHED;
    ok(g);
}

/* k has no answer. In extended mode the server stays, for vRun. */
static void kill_(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g->silent = true;
    if (!g->extended)
        g->state = GDB_KILLED;
}

static void kill_told(struct gdb *g, const char *args, size_t len)
{
    kill_(g, args, len);
    g->silent = false;
    g->exited = true;
    g->exit_code = 0;
    ok(g);
}

static void restart(struct gdb *g)
{
    debugger_reset(&g->s.d);
    g->exited = false;
    g->restarted = true;
    g->general = 0;
}

/* R has no answer: the stop is asked for by ?. */
static void restart_old(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g->silent = true;
    restart(g);
}

/* The file and arguments GDB gives are its own affair: what runs is what this program was started with. */
static void run(struct gdb *g, const char *args, size_t len)
{
    restart(g);
    gdb_why(g, args, len);
}

static void interrupt_told(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g->interrupted = g->state == GDB_RUNNING || g->state == GDB_IDLE;
    ok(g);
}

static const struct {
    const char *name;
    bool exact;
    void (*fn)(struct gdb *g, const char *args, size_t len);
} packets[] = {{"?", true, gdb_why},
               {"!", true, extended},
               {"g", true, gdb_read_all},
               {"G", false, gdb_write_all},
               {"p", false, gdb_read_one},
               {"P", false, gdb_write_one},
               {"m", false, gdb_mem_read},
               {"M", false, gdb_mem_write},
               {"x", false, gdb_mem_read_binary},
               {"X", false, gdb_mem_write_binary},
               {"Z", false, gdb_point_set},
               {"z", false, gdb_point_clear},
               {"q", false, gdb_query},
               {"Q", false, gdb_set},
               {"H", false, set_thread},
               {"T", false, thread_alive},
               {"vCont?", true, gdb_vcont_query},
               {"vCont", false, gdb_vcont},
               {"vCtrlC", true, interrupt_told},
               {"vRun;", false, run},
               {"vKill;", false, kill_told},
               {"c", false, gdb_continue},
               {"C", false, gdb_continue},
               {"s", false, gdb_step},
               {"S", false, gdb_step},
               {"bc", true, gdb_back},
               {"bs", true, gdb_back_one},
               {"D", false, detach},
               {"k", false, kill_},
               {"R", false, restart_old}};

static void packet(struct gdb *g, const char *p, size_t len)
{
    g->reply.len = 0;
    g->silent = false;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        size_t n = strlen(packets[i].name);
        if (len >= n && !strncmp(p, packets[i].name, n) && (!packets[i].exact || len == n)) {
            packets[i].fn(g, p + n, len - n);
            break;
        }
    }
    if (!g->silent) /* an empty answer: unknown */
        gdb_send(g, g->reply.data, g->reply.len);
}

static void acknowledge(struct gdb *g, bool good)
{
    if (!g->no_ack)
        g->host.send(g->host.ctx, good ? "+" : "-", 1);
}

static void packet_in(struct gdb *g)
{
    acknowledge(g, true);
    /* While the machine runs GDB has nothing to say but vCtrlC; what else comes is not for now. */
    bool runs = g->state == GDB_RUNNING || g->state == GDB_IDLE;
    if (!runs || !strcmp((const char *)g->link.in.data, "vCtrlC"))
        packet(g, (const char *)g->link.in.data, g->link.in.len);
}

/* ---- the stream ------------------------------------------------------------------------------------------------------------ */

struct gdb *gdb_new(struct machine *m, const struct gdb_host *host)
{
    struct gdb *g = calloc(1, sizeof *g);
    if (!g)
        abort(); /* out of host memory: nothing sensible can go on */
    g->host = *host;
    stepper_open(&g->s, m, "");
    g->going = -1;
    g->s.in_gdb = true;
    g->s.d.into_irq = false;
    g->s.interrupted = gdb_gives_up;
    g->s.ctx = g;
    gdb_target_make(g);
    return g;
}

void gdb_free(struct gdb *g)
{
    if (!g)
        return;
    gdb_points_none(g);
    stepper_close(&g->s);
    gdb_link_free(&g->link);
    buf_free(&g->reply);
    buf_free(&g->xml);
    free(g->reg);
    free(g->watch);
    free(g);
}

void gdb_connect(struct gdb *g)
{
    g->no_ack = g->extended = g->swbreak = g->hwbreak = false;
    g->link.state = LINK_IDLE;
    g->link.out.len = 0;
    forget(g);
    g->going = -1;
    g->s.d.stop = (struct debugger_stop){.why = DEBUGGER_ASKED, .hart = g->general};
    g->interrupted = false;
    g->state = GDB_STOPPED;
}

void gdb_receive(struct gdb *g, const void *p, size_t n)
{
    const uint8_t *at = p;
    for (size_t i = 0; i < n && g->state != GDB_KILLED; i++) {
        switch (gdb_link_byte(&g->link, at[i])) {
        case GDB_PACKET_IN: packet_in(g); break;
        case GDB_INTERRUPT: g->interrupted = g->state == GDB_RUNNING || g->state == GDB_IDLE; break;
        case GDB_AGAIN:
            if (!g->no_ack) /* else it only has no more patience */
                g->host.send(g->host.ctx, g->link.out.data, g->link.out.len);
            break;
        case GDB_BAD: acknowledge(g, false); break;
        default: break;
        }
    }
}

enum gdb_state gdb_state(const struct gdb *g) { return g->state; }

size_t gdb_input(struct gdb *g, const char *device, const void *p, size_t n)
{
    return history_input(g->s.d.history, device, p, n);
}

void gdb_keep_alive(struct gdb *g) { gdb_send(g, "O", 1); }

void gdb_console(struct gdb *g, const void *p, size_t n)
{
    stepper_console(&g->s, "", p, n);
    g->s.console.len = 0; /* the host shows it */
}

bool gdb_exited(const struct gdb *g, int *code)
{
    *code = g->exit_code;
    return g->exited;
}
