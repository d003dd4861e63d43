#include "debug/replay.h"
#include "base/hash.h"
#include "cpu/insns.h"
#include "debug/history_internal.h"
#include "debug/inject.h"
#include "debug/replay_insns.h"
#include "debug/statesum.h"
#include "debug/symbols.h"
#include "debug/trace.h"
#include "machine/pieces.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- reading -------------------------------------------------------------------------------------------------------------- */

static bool strange(const struct replay *r, const char *what, struct err *e)
{
    return err_set(e, "%s: %s is not as this version of the program writes it", r->file.path, what);
}

static bool read_header(struct replay *r, struct err *e)
{
    struct buf b = {0};
    struct err why;
    bool ok = tracefile_read(&r->file, 0, &b, e), over = false;
    for (size_t at = 0; ok && !over;) {
        const char *key = (char *)b.data + at, *value = memchr(key, 0, b.len - at);
        over = value == key;
        const char *end = value && !over ? memchr(value + 1, 0, b.len - (size_t)(value + 1 - (char *)b.data)) : NULL;
        if (!over && !end)
            ok = strange(r, "its header", e);
        if (ok && !over && !trace_setup_word(&r->setup, key, value + 1, &why))
            ok = err_set(e, "%s: its header: %s", r->file.path, why.text);
        at = end ? (size_t)(end + 1 - (char *)b.data) : b.len;
    }
    buf_free(&b);
    return ok;
}

static bool read_events(struct replay *r, struct err *e)
{
    bool ok = true;
    size_t room = 0;
    for (size_t i = 0; ok && i < r->file.frames; i++)
        if (r->file.frame[i].kind == TRACE_EVENTS)
            ok = tracefile_read(&r->file, i, &r->bytes, e);
    struct cursor c = {.p = r->bytes.data, .left = r->bytes.len};
    while (ok && c.left) {
        if (r->events == room) {
            room = room ? 2 * room : 64;
            r->event = must(realloc(r->event, room * sizeof *r->event));
        }
        cur_event(&c, &r->event[r->events]);
        if (c.bad)
            ok = strange(r, "an event", e);
        else
            r->events++;
    }
    return ok;
}

bool replay_of(struct replay *r, const char *path, struct buf *bytes, struct err *e)
{
    *r = (struct replay){0};
    if (!tracefile_of(&r->file, path, bytes, e))
        return false;
    if (read_header(r, e) && read_events(r, e))
        return true;
    replay_close(r);
    return false;
}

bool replay_open(struct replay *r, const char *path, struct err *e)
{
    struct tracefile f;
    *r = (struct replay){0};
    if (!tracefile_open(&f, path, e))
        return false;
    r->file = f;
    if (read_header(r, e) && read_events(r, e))
        return true;
    replay_close(r);
    return false;
}

void replay_close(struct replay *r)
{
    tracefile_close(&r->file);
    trace_setup_free(&r->setup);
    free(r->event);
    buf_free(&r->bytes);
    *r = (struct replay){0};
}

bool replay_image(const struct replay *r, unsigned i, struct buf *out, struct err *e)
{
    for (size_t k = 0; k < r->file.frames; k++)
        if (r->file.frame[k].kind == TRACE_IMAGE && r->file.frame[k].cycle == i && !tracefile_read(&r->file, k, out, e))
            return false;
    return (out->len == r->setup.image[i].size && hash_bytes(out->data, out->len) == r->setup.image[i].digest) ||
           err_set(e, "%s: the image %s in it is not whole", r->file.path, r->setup.image[i].path);
}

const struct trace_event *replay_end(const struct replay *r)
{
    return r->events && r->event[r->events - 1].kind == EVENT_END ? &r->event[r->events - 1] : NULL;
}

/* ---- the recorded traps, one after the other ---------------------------------------------------------------------------------
 */

struct trap_reader {
    const struct replay *r;
    size_t frame; /* the next one */
    struct buf bytes;
    struct cursor c;
    struct trapcode code;
    uint64_t count;
};

/* False: there are no more. */
static bool next_trap(struct trap_reader *t, struct machine_change *out)
{
    while (!t->c.left) {
        while (t->frame < t->r->file.frames && t->r->file.frame[t->frame].kind != TRACE_TRAPS)
            t->frame++;
        t->bytes.len = 0;
        if (t->frame == t->r->file.frames || !tracefile_read(&t->r->file, t->frame++, &t->bytes, NULL))
            return false;
        t->c = (struct cursor){.p = t->bytes.data, .left = t->bytes.len};
        t->code = (struct trapcode){0};
    }
    cur_trap(&t->code, &t->c, out);
    if (t->c.bad)
        t->c.left = 0;
    t->count += !t->c.bad;
    return !t->c.bad;
}

/* ---- running -------------------------------------------------------------------------------------------------------------- */

struct running {
    const struct replay *r;
    struct machine *m;
    struct replay_result *out;
    struct trap_reader traps;
    struct insn_check *insns; /* NULL: they are not compared */
    bool compare_traps, diverged;
    struct machine_change last; /* the last one that was equal */
    bool has_last;
    struct hash *console;
    uint64_t printed;
};

static void diverge(struct running *x, const struct history_point *at)
{
    x->diverged = true;
    x->out->verdict = REPLAY_DIVERGED;
    x->out->at = *at;
}

static void tell_trap(struct running *x, const char *label, const struct machine_change *c)
{
    char line[TRACE_LINE];
    trace_ops(x->m)->line(x->m, c, line);
    buf_printf(&x->out->text, "  %s %s\n", label, line);
}

static void on_trap(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct running *x = ctx;
    struct machine_change want;
    if (!c->is_return)
        engine_insns_trapped(&m->engine, c->hart, c->epc);
    if (x->r->tap && x->r->tap->change && !x->diverged)
        x->r->tap->change(x->r->tap->ctx, m, c);
    if (x->diverged || !x->compare_traps)
        return;
    x->out->traps++;
    bool there = next_trap(&x->traps, &want);
    if (!there && x->r->file.torn) { /* from here on the trace tells of no traps */
        x->compare_traps = false;
        return;
    }
    if (there && trap_equal(&want, c)) {
        x->last = *c;
        x->has_last = true;
        return;
    }
    struct history_point at = history_point_of(m);
    diverge(x, &at);
    x->out->at_trap = true;
    buf_printf(&x->out->text, "trap %" PRIu64 " differs:\n", x->out->traps);
    if (x->has_last)
        tell_trap(x, "before  ", &x->last);
    if (there)
        tell_trap(x, "recorded", &want);
    else
        buf_printf(&x->out->text, "  recorded  no more traps\n");
    tell_trap(x, "here    ", c);
    machine_break(m, c->hart);
}

static void on_console(void *ctx, const char *device, const void *p, size_t n)
{
    struct running *x = ctx;
    (void)device;
    hash_add(x->console, p, n);
    x->printed += n;
    if (x->r->tap && x->r->tap->console)
        x->r->tap->console(x->r->tap->ctx, p, n);
}

static void stopped(const struct running *x)
{
    if (x->r->tap && x->r->tap->stopped)
        x->r->tap->stopped(x->r->tap->ctx, x->m);
}

/* Runs to the point of an event. False: the machine does not come there, and that is told. */
static bool come_to(struct running *x, const struct trace_event *ev)
{
    enum machine_stop why;
    for (unsigned stuck = 0; stuck < 16; stuck++) {
        struct history_point before = history_point_of(x->m), here;
        enum moved moved = point_reach(x->m, &ev->at, UINT64_MAX, &why);
        stopped(x);
        here = history_point_of(x->m);
        if (x->insns && insn_check_differs(x->insns) && !x->diverged)
            diverge(x, &here);
        if (x->diverged)
            return false;
        if (moved == MOVED_THERE && !history_compare_base(&here, &ev->at))
            return true;
        if (moved == MOVED_OVER || moved == MOVED_THERE) {
            diverge(x, &here);
            if (why == MACHINE_EXIT)
                buf_printf(&x->out->text,
                           "the guest ended the run with code %d at cycle %" PRIu64 "; recorded are %" PRIu64 " cycles\n",
                           machine_exit_code(x->m), machine_cycle(x->m), ev->at.cycle);
            else
                buf_printf(&x->out->text, "the run stopped at cycle %" PRIu64 " (%s); recorded are %" PRIu64 " cycles\n",
                           machine_cycle(x->m), moved == MOVED_THERE ? "no boundary where one was" : "every hart waits",
                           ev->at.cycle);
            return false;
        }
        if (history_compare(&before, &here))
            stuck = 0;
    }
    return false;
}

/* ---- states --------------------------------------------------------------------------------------------------------------- */

struct state_diff {
    struct cursor c; /* the recorded pieces that are left */
    struct buf *text;
    unsigned differ, shown;
};

#define SHOWN_MAX 24

static void tell_word(struct state_diff *d, const char *name, size_t i, size_t n, const uint8_t *was, const uint8_t *is)
{
    uint64_t a = 0, b = 0;
    size_t size = n - i * 8 < 8 ? n - i * 8 : 8;
    memcpy(&a, was + i * 8, size);
    memcpy(&b, is + i * 8, size);
    if (a == b || d->differ++ >= SHOWN_MAX)
        return;
    if (n > 8)
        buf_printf(d->text, "  %s[%zu]  recorded 0x%" PRIx64 "  here 0x%" PRIx64 "\n", name, i, a, b);
    else
        buf_printf(d->text, "  %s  recorded 0x%" PRIx64 "  here 0x%" PRIx64 "\n", name, a, b);
}

static void diff_piece(void *ctx, const char *name, void *p, size_t n)
{
    struct state_diff *d = ctx;
    struct cursor c = d->c;
    size_t len, size;
    if (strncmp(name, "hart", 4))
        return;
    while (c.left && !c.bad) {
        const uint8_t *its = cur_bytes(&c, &len), *bytes = cur_bytes(&c, &size);
        if (!its || !bytes || len != strlen(name) || memcmp(its, name, len))
            continue;
        if (size == n)
            for (size_t i = 0; i < (n + 7) / 8; i++)
                tell_word(d, name, i, n, bytes, p);
        d->c = c;
        return;
    }
}

/* Tells what differs in the harts' state; how many words. */
static unsigned tell_state(struct running *x, const struct trace_event *ev)
{
    struct state_diff d = {.c = {.p = ev->bytes, .left = ev->n}, .text = &x->out->text};
    machine_pieces(x->m, diff_piece, &d);
    if (d.differ > SHOWN_MAX)
        buf_printf(&x->out->text, "  and %u more words\n", d.differ - SHOWN_MAX);
    return d.differ;
}

static void state_differs(struct running *x, const struct trace_event *ev)
{
    diverge(x, &ev->at);
    buf_printf(&x->out->text, "the state at cycle %" PRIu64 " differs; it was equal at cycle %" PRIu64 "%s:\n", ev->at.cycle,
               x->out->last.cycle, x->has_last ? ", and so were all traps until" : "");
    if (x->has_last)
        tell_trap(x, "last trap", &x->last);
    if (!tell_state(x, ev))
        buf_printf(&x->out->text, "  the harts' registers are equal: memory or devices differ\n");
}

/* ---- events --------------------------------------------------------------------------------------------------------------- */

static bool inject(struct running *x, const struct trace_event *ev, struct err *e)
{
    struct inject_event event;
    struct err why;
    if (!inject_parse_event(ev->text, 0, &event, &why))
        return err_set(e, "%s: %s", x->r->file.path, why.text);
    if (!inject_fire(&event, x->m, &why)) {
        diverge(x, &ev->at);
        buf_printf(&x->out->text, "the injected event is refused: %s\n", why.text);
    }
    return true;
}

static void input(struct running *x, const struct trace_event *ev)
{
    size_t took = machine_input(x->m, ev->text, ev->bytes, ev->n);
    if (took == ev->n)
        return;
    diverge(x, &ev->at);
    buf_printf(&x->out->text, "%s took %zu bytes of input at cycle %" PRIu64 "; recorded are %zu\n", ev->text, took, ev->at.cycle,
               ev->n);
}

static void check_end(struct running *x, const struct trace_event *ev, bool whole)
{
    if (whole && machine_digest(x->m) != ev->digest)
        state_differs(x, ev);
    else if (machine_instret(x->m) != ev->instret || x->printed != ev->printed) {
        diverge(x, &ev->at);
        buf_printf(&x->out->text,
                   "%" PRIu64 " instructions and %" PRIu64 " bytes of output, recorded are %" PRIu64 " and %" PRIu64 "\n",
                   machine_instret(x->m), x->printed, ev->instret, ev->printed);
    } else if (x->compare_traps && x->out->traps != ev->traps) {
        diverge(x, &ev->at);
        buf_printf(&x->out->text, "%" PRIu64 " traps, recorded are %" PRIu64 "\n", x->out->traps, ev->traps);
    }
}

/* At the point of the event. */
static bool take(struct running *x, const struct trace_event *ev, struct statesum *sum, bool whole, struct err *e)
{
    switch (ev->kind) {
    case EVENT_INPUT: input(x, ev); return true;
    case EVENT_INJECT: return inject(x, ev, e);
    case EVENT_END: check_end(x, ev, whole); return true;
    case EVENT_DIGEST:
        x->out->digests++;
        if (whole && statesum_take(sum) != ev->digest)
            state_differs(x, ev);
        else if (machine_instret(x->m) != ev->instret)
            state_differs(x, ev);
        if (!x->diverged)
            x->out->last = ev->at;
    }
    return true;
}

/* What an instruction's registers are called differs between programs whose machines have other pieces of state. */
static bool insns_compare(const struct running *x)
{
    return x->r->setup.instructions && trace_schema(x->m) == x->r->setup.schema;
}

/* What was seen of the instructions comes first: it is the cause of whatever else was seen. */
static void end_insns(struct running *x)
{
    struct buf text = {0};
    insn_check_end(x->insns);
    if (insn_check_differs(x->insns)) {
        struct history_point here = history_point_of(x->m);
        if (!x->diverged)
            diverge(x, &here);
    }
    insn_check_free(x->insns, &text);
    buf_put(&text, x->out->text.data, x->out->text.len);
    buf_printf(&text, "%s", "");
    buf_free(&x->out->text);
    x->out->text = text;
}

bool replay_run(const struct replay *r, struct machine *m, bool same_images, struct replay_result *out, struct err *e)
{
    struct running x = {.r = r, .m = m, .out = out, .traps = {.r = r}, .compare_traps = r->setup.traps, .console = hash_new()};
    const bool whole = same_images && trace_schema(m) == r->setup.schema;
    bool ok = true;
    *out = (struct replay_result){.verdict = REPLAY_SAME};
    machine_set_host(m, &(struct machine_host){.ctx = &x, .console = on_console});
    x.insns = insns_compare(&x) ? insn_check_begin(r, m) : NULL;
    if (x.compare_traps || x.insns || (r->tap && r->tap->change))
        machine_watch(m, on_trap, &x);
    struct statesum *sum = whole ? statesum_new(m) : NULL;
    stopped(&x);
    for (size_t i = 0; ok && i < r->events && !x.diverged; i++)
        if (come_to(&x, &r->event[i])) {
            ok = take(&x, &r->event[i], sum, whole, e);
            if (ok && r->tap && r->tap->event)
                r->tap->event(r->tap->ctx, m, &r->event[i]);
        }
    if (x.insns)
        end_insns(&x);
    machine_watch(m, NULL, NULL);
    machine_set_host(m, &(struct machine_host){0});
    out->instret = machine_instret(m);
    statesum_free(sum);
    hash_end(x.console);
    buf_free(&x.traps.bytes);
    return ok;
}
