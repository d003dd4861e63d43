#include "debug/record.h"
#include "base/hash.h"
#include "debug/statesum.h"
#include "debug/trapcode.h"
#include "cpu/gist.h"
#include "machine/image.h"
#include "machine/pieces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY      UINT64_C(1000000000) /* each digest costs what hashing and copying the pages written since the last one does */
#define FULL       ((size_t)256 << 10)  /* bytes at which a frame goes out */
#define INSNS_FULL ((size_t)4 << 20)

struct recorder {
    struct machine *m;
    struct tracefile_writer *file;
    struct statesum *sum;
    struct hash *console;
    uint64_t printed, every, due;
    struct buf events, traps;
    uint64_t events_at, traps_at; /* cycles at which they begin */
    struct trapcode code;
    uint64_t trap_count;
    struct buf insns;
    uint64_t insns_at;
};

/* ---- frames --------------------------------------------------------------------------------------------------------------- */

static void flush_events(struct recorder *r)
{
    if (r->events.len)
        tracefile_put(r->file, TRACE_EVENTS, r->events_at, r->events.data, r->events.len);
    r->events.len = 0;
}

static void flush_traps(struct recorder *r)
{
    if (r->traps.len)
        tracefile_put(r->file, TRACE_TRAPS, r->traps_at, r->traps.data, r->traps.len);
    r->traps.len = 0;
}

static void flush_insns(struct recorder *r)
{
    if (r->insns.len)
        tracefile_put(r->file, TRACE_GIST, r->insns_at, r->insns.data, r->insns.len);
    r->insns.len = 0;
}

/* A gist_fn. */
static void take_insns(void *ctx, const uint8_t *bytes, size_t n)
{
    struct recorder *r = ctx;
    if (!r->insns.len)
        r->insns_at = machine_cycle(r->m);
    buf_put(&r->insns, bytes, n);
    if (r->insns.len > INSNS_FULL)
        flush_insns(r);
}

static void put(struct recorder *r, const struct trace_event *ev)
{
    if (!r->events.len)
        r->events_at = ev->at.cycle;
    put_event(&r->events, ev);
    if (r->events.len > FULL)
        flush_events(r);
}

static void header_word(void *ctx, const char *key, const char *value)
{
    buf_put(ctx, key, strlen(key) + 1);
    buf_put(ctx, value, strlen(value) + 1);
}

static bool put_images(struct recorder *r, const struct trace_setup *s, struct err *e)
{
    for (unsigned i = 0; i < s->images; i++) {
        struct buf b;
        if (!s->image[i].inside)
            continue;
        if (!image_read_file(s->image[i].path, &b, e))
            return false;
        bool same = hash_bytes(b.data, b.len) == s->image[i].digest;
        for (size_t at = 0; same && at < b.len; at += (size_t)8 << 20) /* big ones in several frames */
            tracefile_put(r->file, TRACE_IMAGE, i, b.data + at, b.len - at < (size_t)8 << 20 ? b.len - at : (size_t)8 << 20);
        buf_free(&b);
        if (!same)
            return err_set(e, "%s has changed since it was loaded", s->image[i].path);
    }
    return true;
}

/* ---- the harts' state at digests --------------------------------------------------------------------------------------------
 */

static void add_piece(void *ctx, const char *name, void *p, size_t n)
{
    if (strncmp(name, "hart", 4))
        return;
    put_bytes(ctx, name, strlen(name));
    put_bytes(ctx, p, n);
}

static void put_digest(struct recorder *r)
{
    struct buf state = {0};
    machine_pieces(r->m, add_piece, &state);
    put(r, &(struct trace_event){.kind = EVENT_DIGEST,
                                 .at = history_point_of(r->m),
                                 .bytes = state.data,
                                 .n = state.len,
                                 .digest = statesum_take(r->sum),
                                 .instret = machine_instret(r->m)});
    buf_free(&state);
    r->due = machine_instret(r->m) + r->every;
    flush_traps(r);
    flush_events(r);
}

/* ---- the interface ----------------------------------------------------------------------------------------------------------
 */

struct recorder *record_new(const char *path, struct machine *m, struct trace_setup *setup, uint64_t every, struct err *e)
{
    struct tracefile_writer *file = tracefile_create(path, e);
    if (!file)
        return NULL;
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        abort(); /* out of host memory: nothing sensible can go on */
    r->m = m;
    r->file = file;
    r->every = every ? every : EVERY;
    r->console = hash_new();
    setup->schema = trace_schema(m);
    if (setup->instructions)
        trace_setup_registers(setup, m);
    struct buf head = {0};
    trace_setup_words(setup, header_word, &head);
    buf_put_u8(&head, 0);
    tracefile_put(file, TRACE_HEADER, 0, head.data, head.len);
    buf_free(&head);
    r->sum = statesum_new(m);
    if (!put_images(r, setup, e)) {
        record_end(r, "image", 2, NULL);
        remove(path);
        return NULL;
    }
    put_digest(r);
    if (setup->instructions)
        engine_gist(&m->engine, m->arch->insns, take_insns, r);
    return r;
}

void record_input(struct recorder *r, const char *device, const void *p, size_t n)
{
    struct trace_event ev = {.kind = EVENT_INPUT, .at = history_point_of(r->m), .bytes = p, .n = n};
    snprintf(ev.text, sizeof ev.text, "%s", device);
    put(r, &ev);
}

void record_inject(struct recorder *r, const char *words)
{
    struct trace_event ev = {.kind = EVENT_INJECT, .at = history_point_of(r->m)};
    snprintf(ev.text, sizeof ev.text, "%s", words);
    put(r, &ev);
}

void record_trap(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct recorder *r = ctx;
    if (!c->is_return)
        engine_insns_trapped(&m->engine, c->hart, c->epc);
    if (!r->traps.len) {
        r->code = (struct trapcode){0};
        r->traps_at = c->cycle;
    }
    put_trap(&r->code, &r->traps, c);
    r->trap_count++;
    if (r->traps.len > FULL)
        flush_traps(r);
}

void record_console(struct recorder *r, const void *p, size_t n)
{
    hash_add(r->console, p, n);
    r->printed += n;
}

void record_tick(struct recorder *r)
{
    if (machine_instret(r->m) >= r->due)
        put_digest(r);
}

bool record_end(struct recorder *r, const char *why, int status, struct err *e)
{
    struct trace_event ev = {.kind = EVENT_END,
                             .at = history_point_of(r->m),
                             .instret = machine_instret(r->m),
                             .digest = machine_digest(r->m),
                             .status = status,
                             .printed = r->printed,
                             .traps = r->trap_count};
    snprintf(ev.text, sizeof ev.text, "%s", why);
    engine_insns(&r->m->engine, NULL, NULL, NULL);
    flush_insns(r);
    buf_free(&r->insns);
    ev.console = hash_end(r->console);
    put_digest(r);
    put(r, &ev);
    flush_traps(r);
    flush_events(r);
    bool ok = tracefile_end(r->file, e);
    statesum_free(r->sum);
    buf_free(&r->events);
    buf_free(&r->traps);
    free(r);
    return ok;
}
