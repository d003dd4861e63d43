/* q and Q packets: what both sides can do, threads, objects (qXfer), monitor commands. */
#include "debug/gdb_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- threads -------------------------------------------------------------------------------------------------------------- */

static void threads_first(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    for (unsigned h = 0; h < machine_harts(g->s.d.m); h++)
        buf_printf(&g->reply, "%c%x", h ? ',' : 'm', h + 1);
}

static void threads_next(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    buf_printf(&g->reply, "l");
}

static void thread_extra(struct gdb *g, const char *args, size_t len)
{
    char text[64];
    int h;
    (void)len;
    if (!gdb_take_thread(g, &args, &h) || *args || h < 0) {
        gdb_error(g, 22);
        return;
    }
    snprintf(text, sizeof text, "%s, %s", machine_mode(g->s.d.m, (unsigned)h), debugger_activity(g->s.d.m, (unsigned)h));
    gdb_put_hex(&g->reply, text, strlen(text));
}

static void current_thread(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    buf_printf(&g->reply, "QC%x", g->general + 1);
}

/* ---- objects: qXfer:NAME:read:ANNEX:OFFSET,LENGTH -------------------------------------------------------------------------- */

static void object_threads(struct gdb *g, struct buf *out)
{
    buf_printf(out, "<?xml version=\"1.0\"?>\n<threads>\n");
    for (unsigned h = 0; h < machine_harts(g->s.d.m); h++)
        buf_printf(out, "<thread id=\"%x\" core=\"%u\" name=\"hart %u %s\">%s</thread>\n", h + 1, h, h, machine_mode(g->s.d.m, h),
                   debugger_activity(g->s.d.m, h));
    buf_printf(out, "</threads>\n");
}

/* Addresses are virtual and mean what the harts make of them, so all of them may be memory. */
static void object_map(struct gdb *g, struct buf *out)
{
    (void)g;
    buf_printf(out, "<?xml version=\"1.0\"?>\n<memory-map>\n<memory type=\"ram\" start=\"0x0\" length=\"0xffffffffffffffff\"/>\n"
                    "</memory-map>\n");
}

static void object_target(struct gdb *g, struct buf *out) { buf_put(out, g->xml.data, g->xml.len); }

static const struct {
    const char *head; /* up to OFFSET */
    void (*make)(struct gdb *g, struct buf *out);
} objects[] = {
    {"features:read:target.xml:", object_target}, {"threads:read::", object_threads}, {"memory-map:read::", object_map}};

static void transfer(struct gdb *g, const char *args, size_t len)
{
    (void)len;
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        size_t n = strlen(objects[i].head);
        uint64_t at, count;
        const char *p = args + n;
        if (strncmp(args, objects[i].head, n) != 0)
            continue;
        if (!gdb_take_hex(&p, &at) || !gdb_take(&p, ',') || !gdb_take_hex(&p, &count) || *p) {
            gdb_error(g, 22);
            return;
        }
        struct buf b = {0};
        objects[i].make(g, &b);
        at = at < b.len ? at : b.len;
        count = count < GDB_PACKET / 2 ? count : GDB_PACKET / 2;
        bool last = count >= b.len - at;
        buf_put_u8(&g->reply, last ? 'l' : 'm');
        buf_put(&g->reply, b.data + at, last ? b.len - at : count);
        buf_free(&b);
        return;
    }
    if (!strncmp(args, "features:read:", 14))
        gdb_error(g, 0); /* no such annex; other objects: unknown */
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------- */

static void supported(struct gdb *g, const char *args, size_t len)
{
    (void)len;
    g->swbreak = strstr(args, "swbreak+") != NULL;
    g->hwbreak = strstr(args, "hwbreak+") != NULL;
    buf_printf(&g->reply,
               "PacketSize=%x;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;ReverseStep+;ReverseContinue+;QNonStop-;"
               "qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+;binary-upload+",
               GDB_PACKET);
}

static void attached(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    buf_printf(&g->reply, g->restarted ? "0" : "1");
}

static void ok(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    buf_printf(&g->reply, "OK");
}

/* monitor: the line in hexadecimal. The answer is console text. */
static void remote_command(struct gdb *g, const char *args, size_t len)
{
    char *line = calloc(1, len / 2 + 1);
    if (!line || (len & 1) || !gdb_take_bytes(&args, (uint8_t *)line, len / 2) || strlen(line) != len / 2) {
        free(line);
        gdb_error(g, 22);
        return;
    }
    g->s.d.hart = g->general;
    g->abandoned = false;
    stepper_run(&g->s, line);
    if (g->s.d.hart != g->general && g->s.d.hart < machine_harts(g->s.d.m))
        g->general = g->s.d.hart;
    g->silent = g->abandoned;
    if (g->s.answer.len && !g->silent)
        gdb_say(g, g->s.answer.data, g->s.answer.len);
    buf_printf(&g->reply, "OK");
    free(line);
}

/* In QEMU's spelling: maintenance packet Qqemu.PhyMemMode:1. */
static void physical_query(struct gdb *g, const char *args, size_t len)
{
    (void)args, (void)len;
    buf_printf(&g->reply, g->s.d.physical ? "1" : "0");
}

static void physical_set(struct gdb *g, const char *args, size_t len)
{
    if (len != 1 || (*args != '0' && *args != '1')) {
        gdb_error(g, 22);
        return;
    }
    g->s.d.physical = *args == '1';
    buf_printf(&g->reply, "OK");
}

static void no_ack(struct gdb *g, const char *args, size_t len)
{
    ok(g, args, len);
    g->no_ack = true;
}

static void non_stop(struct gdb *g, const char *args, size_t len)
{
    if (len == 1 && *args == '0')
        ok(g, args, len);
    else
        gdb_error(g, 22);
}

struct named {
    const char *name;
    bool exact; /* nothing follows it */
    void (*fn)(struct gdb *g, const char *args, size_t len);
};
static const struct named queries[] = {{"fThreadInfo", true, threads_first},
                                       {"sThreadInfo", true, threads_next},
                                       {"ThreadExtraInfo,", false, thread_extra},
                                       {"C", true, current_thread},
                                       {"Supported", false, supported},
                                       {"Xfer:", false, transfer},
                                       {"Attached", false, attached},
                                       {"Rcmd,", false, remote_command},
                                       {"Symbol::", true, ok},
                                       {"qemu.PhyMemMode", true, physical_query}};
static const struct named settings[] = {
    {"StartNoAckMode", true, no_ack}, {"NonStop:", false, non_stop}, {"qemu.PhyMemMode:", false, physical_set}};

static void dispatch(struct gdb *g, const struct named *t, size_t count, const char *args, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(t[i].name);
        if (len >= n && !strncmp(args, t[i].name, n) && (!t[i].exact || len == n)) {
            t[i].fn(g, args + n, len - n);
            return;
        }
    }
}

void gdb_query(struct gdb *g, const char *args, size_t len)
{
    dispatch(g, queries, sizeof queries / sizeof queries[0], args, len);
}

void gdb_set(struct gdb *g, const char *args, size_t len)
{
    dispatch(g, settings, sizeof settings / sizeof settings[0], args, len);
}
