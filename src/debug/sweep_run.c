/* One machine that was given an event: when its context goes on, and whether it is as it was. */
#include "debug/sweep_internal.h"
#include "machine/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- watching ------------------------------------------------------------------------------------------------------------- */

static bool in_handler(const struct sweep *s, uint64_t pc)
{
    for (unsigned i = 0; i < s->c.handlers; i++)
        if (pc >= s->c.handler[i].start && pc < s->c.handler[i].end)
            return true;
    return false;
}

static void push(struct run *r, uint64_t epc)
{
    if (r->depth < RUN_DEPTH)
        r->epc[r->depth] = epc;
    r->depth++;
}

static void note_taken(struct run *r, struct machine *m, const struct machine_change *c)
{
    r->taken = true;
    r->taken_cycle = c->cycle;
    r->taken_pc = c->epc;
    r->taken_to = (struct context_mode){c->to_priv, c->to_v};
    r->handled = !r->s->c.handlers;
    r->s->ops->take_trapped(&r->at, m, c);
    push(r, c->epc);
    if (r->break_when == BREAK_TAKEN || (r->break_when == BREAK_LATE && c->cycle != r->start))
        machine_break(m, c->hart);
}

static void note_second(struct run *second, struct machine *m, const struct machine_change *c)
{
    second->taken = true;
    second->taken_cycle = c->cycle;
    second->taken_pc = c->epc;
    second->s->ops->take_trapped(&second->at, m, c);
    second->late = c->cycle != second->start;
    if (second->late)
        machine_break(m, c->hart);
}

/* A return into handler text. */
static void note_entry(struct run *r, struct machine *m, const struct machine_change *c)
{
    if (!r->entered)
        r->entered_priv = c->to_priv;
    r->entered = true;
    r->fell = c->to_priv < r->entered_priv;
    if (r->fell)
        machine_break(m, c->hart);
}

/* Nothing has handled the event yet, and nothing of what it interrupted is executed either: a handler of non-maskable interrupts
   has left a note for the firmware, and an interrupt that is taken now. */
static bool comes_back_at_once(const struct run *r, struct machine *m, const struct machine_change *c)
{
    const struct context_ops *ops = r->s->ops;
    return r->s->c.handlers && !r->handled && ops->interrupt_next && ops->interrupt_next(m, c->hart);
}

static void note_return(struct run *r, struct machine *m, const struct machine_change *c, unsigned flags)
{
    bool resumes = flags & SWEEP_RESUMES, enters = !resumes && (in_handler(r->s, c->pc) || (flags & SWEEP_ENTERS));
    r->handled |= enters;
    if (!resumes && in_handler(r->s, c->pc))
        note_entry(r, m, c);
    if (r->depth > 1 && !resumes) {
        r->depth--;
    } else if (enters) {
        r->depth = 0;
    } else if (!resumes && comes_back_at_once(r, m, c)) {
        r->depth = 0;
    } else if (resumes || !r->depth || !r->s->ops->passed_on(m, c->hart, r->epc[0])) {
        r->depth = 0;
        r->resumed = true;
        r->edited = flags & SWEEP_EDITED;
        machine_break(m, c->hart);
    }
}

/* What the run does to handler text, and whether somebody has to look at it now. */
static void note_way(struct run *r, struct machine *m, const struct machine_change *c)
{
    bool from = in_handler(r->s, c->epc), to = in_handler(r->s, c->pc);
    r->changes++;
    if (from || to) {
        r->left = c->cycle;
        r->left_out = !to;
    }
    if (r->lost && c->pc == r->lost->pc) {
        struct context now;
        r->s->ops->take(&now, m, c->hart);
        r->meets_lost = !memcmp(now.byte, r->lost->at.byte, r->s->ops->size);
    }
    if (r->meets_lost || r->depth >= RUN_TOO_DEEP || circle_asks(r->s->circle, r, c->pc))
        machine_break(m, c->hart);
}

static void on_change(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct run *r = ctx;
    unsigned flags = r->s->c.judge ? r->s->c.judge->feed(r->judge, m, c) : 0;
    if (r->story)
        r->story(r->story_ctx, m, c);
    if (c->hart != r->s->c.hart || r->resumed)
        return;
    if (!r->taken) {
        if (!c->is_return && inject_is(r->event, m, c))
            note_taken(r, m, c);
    } else if (c->is_return) {
        note_return(r, m, c, flags);
    } else {
        push(r, c->epc);
        if (r->second && !r->second->taken && inject_is(r->second->event, m, c))
            note_second(r->second, m, c);
    }
    note_way(r, m, c);
}

void run_begin(struct run *r, struct sweep *s, struct machine *m, struct machine *from, void *judge, const void *judge_from)
{
    r->s = s;
    r->m = m;
    r->judge = judge;
    r->start = machine_hart_cycle(from, s->c.hart);
    r->circles = r->meets_lost = r->is_lost = false;
    machine_rewind(m, from);
    judge_copy(s, judge, judge_from);
    if (s->c.judge)
        s->c.judge->begin(judge);
    machine_watch(m, on_change, r);
}

void run_end(struct run *r) { machine_watch(r->m, NULL, NULL); }

/* Whether the run, whose hart is in the very state in which the handling is left for good, does what is done from there on: an
   event that was not taken may still be pending. Behind a fall nothing more is looked at. */
static bool is_lost(const struct run *r)
{
    const struct lost *l = r->lost;
    return run_same_memory(r->s, r->m, l->m) && (r->second->taken || r->fell || sweep_same_state(l->m, r->m));
}

bool run_over(const struct run *r) { return r->resumed || r->fell || r->is_lost || r->circles || r->depth >= RUN_TOO_DEEP; }

enum machine_stop run_on(struct run *r)
{
    uint64_t end = machine_cycle(r->m) + r->s->c.case_cycles;
    bool waits = r->second && !r->second->taken;
    circle_begin(r->s->circle);
    while (!run_over(r)) {
        uint64_t now = machine_cycle(r->m);
        enum machine_stop why = now < end ? machine_run(r->m, end - now) : MACHINE_CYCLES;
        if (why != MACHINE_DEBUG || r->resumed || (r->taken && r->break_when != BREAK_NEVER) || (waits && r->second->late))
            return why;
        r->is_lost = r->meets_lost && is_lost(r);
        r->meets_lost = false;
        r->circles = !r->is_lost && !r->fell && circle_closes(r->s->circle, r, end);
        if (run_over(r))
            return why;
    }
    return MACHINE_DEBUG;
}

enum sweep_verdict run_verdict(const struct run *r, enum machine_stop why, char *text)
{
    char end[64] = "";
    if (r->resumed)
        return SWEEP_PASS;
    if (why == MACHINE_EXIT)
        snprintf(end, sizeof end, "the guest ended the run with code %d", machine_exit_code(r->m));
    else if (why == MACHINE_HALT)
        snprintf(end, sizeof end, "every hart is in the critical error state");
    else if (why == MACHINE_IDLE)
        snprintf(end, sizeof end, "every hart waits for an interrupt, and none can come");
    if (!r->taken) {
        snprintf(text, SWEEP_TEXT, "the event was not taken%s%s", *end ? ": " : "", end);
        return SWEEP_LOST;
    }
    if (*end)
        snprintf(text, SWEEP_TEXT, "%s", end);
    else
        snprintf(text, SWEEP_TEXT,
                 r->fell                    ? "a return leads back into the handler with less privilege than it had"
                 : r->circles               ? "the interrupted context never goes on: the same traps come again and again"
                 : r->depth >= RUN_TOO_DEEP ? "trap follows trap, and none is returned from"
                                            : "the interrupted context has not gone on within %" PRIu64
                                              " cycles (see --max-cycles)",
                 r->s->c.case_cycles);
    return *end ? SWEEP_ENDED : SWEEP_RUNAWAY;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------ */

struct comparing {
    struct run *r;
    struct sweep_detail *detail; /* NULL: nothing differs so far */
    uint64_t words;              /* of RAM that differ */
    struct stack stack;
};

static void differs(struct comparing *c, const char *name, uint64_t from, uint64_t to)
{
    if (!c->detail)
        c->detail = sweep_detail("");
    if (c->detail->diffs < SWEEP_DIFFS) {
        struct sweep_diff *d = &c->detail->diff[c->detail->diffs++];
        snprintf(d->name, sizeof d->name, "%s", name);
        d->from = from;
        d->to = to;
    }
}

static bool ignored(const struct sweep *s, uint64_t pa, uint64_t n)
{
    for (unsigned i = 0; i < s->c.ignores; i++)
        if (pa >= s->c.ignore[i].start && pa + n <= s->c.ignore[i].end)
            return true;
    return false;
}

/* Eight bytes that differ, but for those that are ignored. */
static void compare_word(struct comparing *c, uint64_t pa, const uint8_t *was, const uint8_t *is)
{
    uint64_t from, to;
    char name[24];
    memcpy(&from, was, 8);
    memcpy(&to, is, 8);
    if (ignored(c->r->s, pa, 8))
        return;
    for (unsigned i = 0; i < 8; i++)
        if (ignored(c->r->s, pa + i, 1))
            to = (to & ~(UINT64_C(0xff) << 8 * i)) | (from & UINT64_C(0xff) << 8 * i);
    if (from == to)
        return;
    snprintf(name, sizeof name, "0x%" PRIx64, pa);
    differs(c, name, from, to);
    c->words++;
    stack_note(&c->stack, pa);
}

static bool compare_page(void *ctx, uint64_t pa, const uint8_t *is, const uint8_t *was)
{
    struct comparing *c = ctx;
    if (ignored(c->r->s, pa, MEM_PAGE_SIZE) || !memcmp(is, was, MEM_PAGE_SIZE))
        return true;
    for (unsigned i = 0; i < MEM_PAGE_SIZE; i += 8)
        if (memcmp(is + i, was + i, 8))
            compare_word(c, pa + i, was + i, is + i);
    return true;
}

static bool same_page(void *ctx, uint64_t pa, const uint8_t *is, const uint8_t *was)
{
    struct comparing *c = ctx;
    compare_page(c, pa, is, was);
    return !c->detail;
}

bool run_same_memory(const struct sweep *s, struct machine *a, struct machine *b)
{
    struct run none = {.s = (struct sweep *)(uintptr_t)s};
    struct comparing c = {.r = &none};
    mem_pairs(a->mem, b->mem, same_page, &c);
    bool same = !c.detail;
    free(c.detail);
    return same;
}

enum sweep_verdict run_compare(struct run *r, const struct context *was, struct machine *memory, struct sweep_detail **detail)
{
    struct sweep *s = r->s;
    struct comparing c = {.r = r};
    struct context is;
    char text[SWEEP_TEXT] = "";
    uint32_t registers = 0;
    s->ops->take(&is, r->m, s->c.hart);
    if (!r->edited) {
        for (uint32_t i = 0; (i = s->ops->differs(was, &is, r->taken_to, i)) != UINT32_MAX; i++)
            differs(&c, s->ops->name(i), s->ops->value(was, i), s->ops->value(&is, i));
        registers = c.detail ? c.detail->diffs : 0;
        c.stack = stack_below(r, was);
        mem_pairs(r->m->mem, memory->mem, compare_page, &c);
    }
    bool objects = s->c.judge && s->c.judge->objection(r->judge, text, sizeof text);
    if (objects && !c.detail)
        c.detail = sweep_detail("");
    if (!c.detail)
        return SWEEP_PASS;
    snprintf(c.detail->text, sizeof c.detail->text, "%s", text);
    c.detail->stack = c.stack.found;
    c.detail->stack.all = !registers && !objects && c.stack.found.words == c.words;
    *detail = c.detail;
    return SWEEP_VIOLATION;
}
