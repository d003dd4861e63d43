/* Two runs side by side: the first instruction after which they are not the same. */
#include "base/hash.h"
#include "debug/history_internal.h"
#include "debug/inject.h"
#include "debug/replay.h"
#include "debug/symbols.h"
#include "machine/pieces.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHUNK UINT64_C(2000000) /* cycles between two comparisons */

/* One of the two, and the events it has had. */
struct side {
    struct machine *m, *back; /* back: as it was at `from` */
    size_t next, back_next;
    bool over;
};

static void hash_hart(void *ctx, const char *name, void *p, size_t n)
{
    if (!strncmp(name, "hart", 4))
        hash_add(ctx, p, n);
}

static uint64_t harts_of(struct machine *m)
{
    struct hash *h = hash_new();
    machine_pieces(m, hash_hart, h);
    return hash_end(h);
}

static void apply(struct machine *m, const struct trace_event *ev)
{
    struct inject_event event;
    if (ev->kind == EVENT_INPUT)
        machine_input(m, ev->text, ev->bytes, ev->n);
    else if (ev->kind == EVENT_INJECT && inject_parse_event(ev->text, 0, &event, NULL))
        inject_fire(&event, m, NULL);
}

/* Runs to a cycle, through the events before it. */
static void run_to(const struct replay *r, struct side *s, uint64_t to)
{
    enum machine_stop why = MACHINE_CYCLES;
    for (; s->next < r->events && r->event[s->next].at.cycle <= to; s->next++) {
        const struct trace_event *ev = &r->event[s->next];
        if (ev->kind != EVENT_INPUT && ev->kind != EVENT_INJECT)
            continue;
        for (unsigned tries = 0; tries < 8; tries++)
            if (point_reach(s->m, &ev->at, UINT64_MAX, &why) != MOVED_STOP)
                break;
        apply(s->m, ev);
    }
    while (machine_cycle(s->m) < to && !s->over) {
        why = machine_run(s->m, to - machine_cycle(s->m));
        s->over = why == MACHINE_EXIT || why == MACHINE_HALT || why == MACHINE_IDLE;
    }
}

static void keep(struct side *s)
{
    machine_restore(s->back, s->m);
    s->back_next = s->next;
}

static void go_back(struct side *s)
{
    machine_restore(s->m, s->back);
    s->next = s->back_next;
    s->over = false;
}

static bool same_at(const struct replay *r, struct side *a, struct side *b, uint64_t to)
{
    run_to(r, a, to);
    run_to(r, b, to);
    return harts_of(a->m) == harts_of(b->m);
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

struct told {
    struct machine *other;
    struct buf *text;
    const char *name; /* of the piece looked for in the other one */
    uint8_t *p;
    size_t n;
    unsigned lines;
};

static void find_piece(void *ctx, const char *name, void *p, size_t n)
{
    struct told *t = ctx;
    if (strcmp(name, t->name))
        return;
    t->p = p;
    t->n = n;
}

static void tell_piece(void *ctx, const char *name, void *p, size_t n)
{
    struct told *t = ctx;
    if (strncmp(name, "hart", 4) || t->lines > 16)
        return;
    t->name = name;
    t->p = NULL;
    machine_pieces(t->other, find_piece, t);
    for (size_t i = 0; t->p && t->n == n && i * 8 < n; i++) {
        uint64_t a = 0, b = 0;
        size_t size = n - i * 8 < 8 ? n - i * 8 : 8;
        memcpy(&a, (uint8_t *)p + i * 8, size);
        memcpy(&b, t->p + i * 8, size);
        if (a == b || t->lines++ > 16)
            continue;
        char index[24] = "";
        if (n > 8)
            snprintf(index, sizeof index, "[%zu]", i);
        buf_printf(t->text, "    %s%s  recorded 0x%" PRIx64 "  here 0x%" PRIx64 "\n", name, index, a, b);
    }
}

static void tell_place(struct machine *m, const char *label, unsigned hart, struct buf *text)
{
    uint64_t pc = 0;
    uint32_t insn = 0;
    char at[96];
    machine_get_reg(m, hart, "pc", &pc);
    symbols_text(m, pc, at, sizeof at);
    if (m->arch->load(machine_hart(m, hart), pc, &insn, 4))
        buf_printf(text, "    %s is about to execute 0x%08" PRIx32 " at 0x%" PRIx64 " (%s)\n", label, insn, pc, at);
    else
        buf_printf(text, "    %s is about to fetch at 0x%" PRIx64 " (%s)\n", label, pc, at);
}

/* The hart whose registers differ first; the machines stand before that. */
static unsigned differing_hart(struct side *a, struct side *b, uint64_t cycle, const struct replay *r)
{
    unsigned hart = 0;
    same_at(r, a, b, cycle);
    for (unsigned i = 0; i < machine_harts(a->m); i++)
        if (memcmp(machine_progress(a->m, i), machine_progress(b->m, i), a->m->arch->state_size)) {
            hart = i;
            break;
        }
    go_back(a);
    go_back(b);
    return hart;
}

bool replay_first_difference(const struct replay *r, struct machine *recorded, struct machine *here, uint64_t until,
                             struct buf *text)
{
    struct side a = {.m = recorded, .back = machine_fork(recorded)}, b = {.m = here, .back = machine_fork(here)};
    uint64_t from = 0, to = 0;
    bool same = harts_of(recorded) == harts_of(here);
    if (!same)
        buf_printf(text, "  the harts differ from the start\n");
    while (same && from <= until && !(a.over && b.over)) {
        to = from + CHUNK;
        same = same_at(r, &a, &b, to);
        if (same) {
            from = to;
            keep(&a);
            keep(&b);
        }
    }
    bool found = !same && to > from;
    while (found && to - from > 1) {
        uint64_t mid = from + (to - from) / 2;
        go_back(&a);
        go_back(&b);
        if (same_at(r, &a, &b, mid)) {
            from = mid;
            keep(&a);
            keep(&b);
        } else {
            to = mid;
        }
    }
    if (found) {
        go_back(&a);
        go_back(&b);
        unsigned hart = differing_hart(&a, &b, to, r);
        buf_printf(text, "  the first instruction that does something else, at cycle %" PRIu64 " of hart %u:\n", from, hart);
        tell_place(a.m, "recorded", hart, text);
        tell_place(b.m, "here    ", hart, text);
        same_at(r, &a, &b, to);
        machine_pieces(a.m, tell_piece, &(struct told){.other = b.m, .text = text});
    }
    machine_free(a.back);
    machine_free(b.back);
    return found || !same;
}
