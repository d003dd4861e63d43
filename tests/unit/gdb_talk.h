/* Talking to the GDB server as GDB does. */
#ifndef TL_TESTS_GDB_TALK_H
#define TL_TESTS_GDB_TALK_H
#include "debug/gdb_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the server has sent and nobody has looked at yet. */
struct talk {
    struct machine *m;
    enum gdb_heard hears; /* what GDB says while it waits, when it has been asked `patience` times */
    unsigned patience, asked;
    struct gdb *g;
    struct buf sent, reply, said;
};

static __attribute__((unused)) void on_send(void *ctx, const void *p, size_t n)
{
    struct talk *t = ctx;
    buf_put(&t->sent, p, n);
}

static __attribute__((unused)) enum gdb_heard heard(void *ctx)
{
    struct talk *t = ctx;
    return ++t->asked > t->patience ? t->hears : GDB_HEARD_NOTHING;
}

static __attribute__((unused)) void begin(struct talk *t, struct machine *m)
{
    *t = (struct talk){.m = m};
    t->g = gdb_new(m, &(struct gdb_host){.ctx = t, .send = on_send, .heard = heard});
}

static __attribute__((unused)) void end(struct talk *t)
{
    gdb_free(t->g);
    machine_free(t->m);
    buf_free(&t->sent);
    buf_free(&t->reply);
    buf_free(&t->said);
}

static __attribute__((unused)) void give(struct talk *t, const void *p, size_t n)
{
    struct gdb_link l = {0};
    gdb_link_packet(&l, p, n);
    gdb_receive(t->g, l.out.data, l.out.len);
    gdb_link_free(&l);
}

/* The next packet sent that is no console text; "" if there is none. What was said is kept apart. */
static __attribute__((unused)) const char *take(struct talk *t)
{
    struct gdb_link l = {0};
    size_t i = 0;
    bool found = false;
    t->reply.len = 0;
    while (i < t->sent.len && !found) {
        enum gdb_event ev = gdb_link_byte(&l, t->sent.data[i++]);
        assert_true(ev != GDB_BAD);
        if (ev != GDB_PACKET_IN)
            continue;
        const char *hex = (const char *)l.in.data + 1;
        uint8_t text[GDB_PACKET / 2];
        if (l.in.len > 2 && l.in.data[0] == 'O' && l.in.data[1] != 'K') {
            assert_true(gdb_take_bytes(&hex, text, (l.in.len - 1) / 2));
            buf_put(&t->said, text, (l.in.len - 1) / 2);
        } else {
            buf_put(&t->reply, l.in.data, l.in.len);
            found = true;
        }
    }
    memmove(t->sent.data, t->sent.data + i, t->sent.len - i);
    t->sent.len -= i;
    gdb_link_free(&l);
    buf_put_u8(&t->reply, 0);
    t->reply.len--;
    return (const char *)t->reply.data;
}

/* Sends a packet; its answer, after running for as long as it takes. */
static __attribute__((unused)) const char *ask(struct talk *t, const char *packet)
{
    t->said.len = 0;
    give(t, packet, strlen(packet));
    for (unsigned i = 0; i < 2000 && gdb_state(t->g) == GDB_RUNNING; i++)
        gdb_go(t->g, 100000);
    return take(t);
}

static __attribute__((unused)) void want(struct talk *t, const char *packet, const char *answer)
{
    const char *a = ask(t, packet);
    if (strcmp(a, answer) != 0)
        fail_msg("%s: '%s' instead of '%s'", packet, a, answer);
}

static __attribute__((unused)) void want_begins(struct talk *t, const char *packet, const char *answer)
{
    const char *a = ask(t, packet);
    if (strncmp(a, answer, strlen(answer)) != 0)
        fail_msg("%s: '%s' instead of '%s...'", packet, a, answer);
}

/* monitor LINE; what it says. */
static __attribute__((unused)) const char *monitor(struct talk *t, const char *line)
{
    struct buf b = {0};
    buf_printf(&b, "qRcmd,");
    gdb_put_hex(&b, line, strlen(line));
    buf_put_u8(&b, 0);
    want(t, (const char *)b.data, "OK");
    buf_free(&b);
    buf_put_u8(&t->said, 0);
    return (const char *)t->said.data;
}

static __attribute__((unused)) void says(struct talk *t, const char *line, const char *text)
{
    const char *s = monitor(t, line);
    if (!s || !strstr(s, text))
        fail_msg("monitor %s: '%s' has no '%s'", line, s ? s : "", text);
}

static __attribute__((unused)) struct machine *rom(const char *name, unsigned harts)
{
    struct err e;
    char path[512];
    snprintf(path, sizeof path, "%s/roms/%s", TL_SOURCE_DIR, name);
    struct machine *m =
        machine_new(&(struct machine_config){.board = strstr(name, "journey-a64") ? "virt-arm,virtualization=on,secure=on"
                                                      : strstr(name, "a64")       ? "virt-arm"
                                                                                  : "virt",
                                             .kernel = path,
                                             .bios = "none",
                                             .harts = harts,
                                             .ram = 32 << 20},
                    &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}
#endif
