/* Where a stepper goes. */
#include "base/bits.h"
#include "debug/stepper_internal.h"
#include "debug/symbols.h"
#include "debug/target.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SLICE     UINT64_C(2000000) /* cycles between two looks at the outside */
#define TEMPORARY 77                /* kind of a breakpoint of `at` */

/* A trap or return of the chosen hart that is looked for, and the one that was found. */
struct target {
    struct stepper *s;
    struct aim aim;
    struct machine_change change;
};

static bool meets(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct target *a = ctx;
    if (!c || c->hart != a->s->d.hart || !aim_meets(&a->aim, m, c))
        return false;
    a->change = *c;
    return true;
}

/* ---- forwards -------------------------------------------------------------------------------------------------------------- */

/* Runs until the debugger stops, the text has come, cycle `end` is reached, or somebody interrupts. */
static enum debugger_why run(struct stepper *s, uint64_t end)
{
    enum debugger_why why = DEBUGGER_RUNS;
    while (why == DEBUGGER_RUNS || why == DEBUGGER_IDLES) {
        uint64_t now = machine_cycle(s->d.m);
        if (now >= end || s->text_seen)
            return DEBUGGER_STEP;
        if (why == DEBUGGER_IDLES && end == UINT64_MAX) {
            buf_printf(&s->answer, "every hart waits, and nothing but input can wake one\n");
            return why;
        }
        if (s->interrupted && s->interrupted(s->ctx)) {
            debugger_halt(&s->d);
            buf_printf(&s->answer, "interrupted\n");
            return DEBUGGER_ASKED;
        }
        why = debugger_go(&s->d, end - now < SLICE ? end - now : SLICE);
    }
    return why;
}

static void tell_trap(struct stepper *s, const struct machine_change *c)
{
    char text[512];
    debugger_describe(s->d.m, c, &s->answer);
    buf_printf(&s->answer, "\n");
    if (target_ops(s->d.m)->call(s->d.m, c, text, sizeof text))
        buf_printf(&s->answer, "call: %s\n", text);
}

/* Why it stopped, where that is no matter of course. */
static void tell(struct stepper *s, enum debugger_why why)
{
    const struct debugger_stop *st = &s->d.stop;
    switch (why) {
    case DEBUGGER_BREAK: buf_printf(&s->answer, "hart %u is at a breakpoint\n", st->hart); break;
    case DEBUGGER_WATCH:
        buf_printf(&s->answer, "hart %u is about to %s 0x%" PRIx64 ", which holds 0x%0*" PRIx64 "\n", st->hart,
                   st->hit.access == MACHINE_READ ? "read" : "write", st->hit.va, (int)st->hit.bytes * 2, st->hit.old);
        break;
    case DEBUGGER_TRAP: tell_trap(s, &st->change); break;
    case DEBUGGER_BEGIN: buf_printf(&s->answer, "this is the beginning of what is known\n"); break;
    case DEBUGGER_EXIT:
        buf_printf(&s->answer, "the guest has ended the run with code %d\n", st->code);
        s->ended = true;
        break;
    case DEBUGGER_HALT: buf_printf(&s->answer, "every hart is in the critical error state\n"); break;
    default: break;
    }
}

static bool forward(struct stepper *s, uint64_t end)
{
    debugger_resume(&s->d, DEBUGGER_CONTINUE, s->d.hart, 0, 0);
    enum debugger_why why = run(s, end);
    tell(s, why);
    return why != DEBUGGER_IDLES;
}

static bool forward_to(struct stepper *s, struct target *a)
{
    s->d.until = meets;
    s->d.until_ctx = a;
    bool good = forward(s, UINT64_MAX);
    s->d.until = NULL;
    return good && s->d.stop.why == DEBUGGER_TRAP;
}

static bool steps(struct stepper *s, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        debugger_resume(&s->d, DEBUGGER_ONE, s->d.hart, 0, 0);
        enum debugger_why why = run(s, UINT64_MAX);
        if (why != DEBUGGER_STEP) {
            tell(s, why);
            return why != DEBUGGER_IDLES;
        }
    }
    return true;
}

static bool forward_at(struct stepper *s, uint64_t va)
{
    bool ours = !debugger_has_break(&s->d, va, TEMPORARY);
    debugger_break(&s->d, va, TEMPORARY, true);
    debugger_resume(&s->d, DEBUGGER_CONTINUE, s->d.hart, 0, 0);
    enum debugger_why why = run(s, UINT64_MAX);
    uint64_t pc = 0;
    machine_get_reg(s->d.m, s->d.stop.hart, "pc", &pc);
    if (why != DEBUGGER_BREAK || pc != va)
        tell(s, why);
    else
        s->d.hart = s->d.stop.hart;
    if (ours)
        debugger_break(&s->d, va, TEMPORARY, false);
    return why == DEBUGGER_BREAK;
}

/* Until the register's value changes: instruction by instruction. */
static bool forward_write(struct stepper *s, const char *name)
{
    uint64_t was = 0, now = 0;
    if (!machine_get_reg(s->d.m, s->d.hart, name, &was))
        return stepper_refuse(s, "there is no register '%s'", name);
    for (now = was; now == was; machine_get_reg(s->d.m, s->d.hart, name, &now)) {
        debugger_resume(&s->d, DEBUGGER_ONE, s->d.hart, 0, 0);
        enum debugger_why why = run(s, UINT64_MAX);
        if (why != DEBUGGER_STEP) {
            tell(s, why);
            return false;
        }
    }
    buf_printf(&s->answer, "%s: 0x%" PRIx64 " -> 0x%" PRIx64 "\n", name, was, now);
    return true;
}

static bool forward_text(struct stepper *s, const char *text)
{
    s->text = strdup(text);
    s->text_seen = false;
    s->seen.len = 0;
    bool good = forward(s, UINT64_MAX) && s->text_seen;
    free(s->text);
    s->text = NULL;
    s->text_seen = false;
    return good;
}

/* ---- backwards ------------------------------------------------------------------------------------------------------------- */

static bool give_up(void *ctx, unsigned back)
{
    struct stepper *s = ctx;
    if (s->progress)
        s->progress(s->ctx, back);
    return s->interrupted && s->interrupted(s->ctx);
}

static bool backwards(struct stepper *s, const struct history_search *what)
{
    struct history_search h = *what;
    h.give_up = give_up;
    h.give_up_ctx = s;
    s->d.stop.why = DEBUGGER_STEP;
    bool found = history_back_until(s->d.history, &h);
    if (s->progress)
        s->progress(s->ctx, 1000);
    if (found)
        return true;
    if (history_gave_up(s->d.history))
        buf_printf(&s->answer, "interrupted\n");
    else
        tell(s, DEBUGGER_BEGIN);
    return false;
}

/* Whether the machine is right behind the trap or return at which it stopped last. */
static bool is_behind(struct stepper *s)
{
    const struct machine_change *c = &s->d.stop.change;
    uint64_t pc = 0, cycle = machine_hart_cycle(s->d.m, s->d.hart);
    machine_get_reg(s->d.m, s->d.hart, "pc", &pc);
    return s->d.stop.why == DEBUGGER_TRAP && c->hart == s->d.hart && c->pc == pc && cycle == c->behind;
}

static bool back_to(struct stepper *s, struct target *a)
{
    const struct history_search h = {.look = HISTORY_TRAPS, .is = meets, .ctx = a};
    if (is_behind(s)) /* that is not the one that is looked for */
        history_back_step(s->d.history, s->d.hart);
    if (!backwards(s, &h))
        return false;
    s->d.stop = (struct debugger_stop){.why = DEBUGGER_TRAP, .hart = a->change.hart, .change = a->change};
    tell_trap(s, &a->change);
    return true;
}

static bool is_at(void *ctx, struct machine *m, const struct machine_change *c)
{
    const uint64_t *va = ctx;
    uint64_t pc = 0;
    int hart = machine_stopped_hart(m);
    return !c && hart >= 0 && machine_get_reg(m, (unsigned)hart, "pc", &pc) && pc == *va;
}

static bool back_at(struct stepper *s, uint64_t va)
{
    const struct history_search h = {.look = HISTORY_STOPS, .is = is_at, .ctx = &va};
    debugger_break(&s->d, va, TEMPORARY, true);
    bool good = backwards(s, &h);
    debugger_break(&s->d, va, TEMPORARY, false);
    return good;
}

struct value {
    const char *name;
    unsigned hart;
    uint64_t is;
};

static bool is_other(void *ctx, struct machine *m, const struct machine_change *c)
{
    const struct value *v = ctx;
    uint64_t now = v->is;
    (void)c;
    return machine_get_reg(m, v->hart, v->name, &now) && now != v->is;
}

/* To before the instruction that wrote the value the register has now. */
static bool back_write(struct stepper *s, const char *name)
{
    struct value v = {name, s->d.hart, 0};
    uint64_t was = 0;
    const struct history_search h = {.look = HISTORY_STEPS, .hart = s->d.hart, .is = is_other, .ctx = &v};
    if (!machine_get_reg(s->d.m, s->d.hart, name, &v.is))
        return stepper_refuse(s, "there is no register '%s'", name);
    if (!backwards(s, &h))
        return false;
    machine_get_reg(s->d.m, s->d.hart, name, &was);
    buf_printf(&s->answer, "%s is 0x%" PRIx64 " here; the next instruction makes it 0x%" PRIx64 "\n", name, was, v.is);
    return true;
}

static bool back_steps(struct stepper *s, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (debugger_back_step(&s->d, s->d.hart) != DEBUGGER_STEP) {
            tell(s, DEBUGGER_BEGIN);
            return i > 0;
        }
    return true;
}

static bool back_stop(struct stepper *s)
{
    enum debugger_why why = debugger_back(&s->d);
    tell(s, why);
    return why != DEBUGGER_BEGIN;
}

/* ---- which way, and to what -------------------------------------------------------------------------------------------------
 */

static bool to_cycle(struct stepper *s, const char *text, bool back)
{
    uint64_t cycle, now = machine_cycle(s->d.m);
    if (!stepper_number(s, text, &cycle))
        return false;
    if (back ? cycle > now : cycle < now)
        return stepper_refuse(s, "cycle %" PRIu64 " is %s", cycle, back ? "ahead: use `run cycle`" : "past: use `back cycle`");
    if (!back)
        return forward(s, cycle);
    if (history_seek_cycle(s->d.history, cycle))
        return true;
    tell(s, DEBUGGER_BEGIN);
    return false;
}

/* The rest of the line, without quotes around it. */
static void rest_of(const char *p, char rest[STEPPER_WORD])
{
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '"') {
        stepper_word(&p, rest);
        return;
    }
    snprintf(rest, STEPPER_WORD, "%s", p);
    for (size_t n = strlen(rest); n && isspace((unsigned char)rest[n - 1]);)
        rest[--n] = '\0';
}

bool stepper_is_place(const char *word)
{
    static const char *const places[] = {"trap", "return", "mode", "call", "at", "write", "cycle", "text"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (!strcmp(word, places[i]))
            return true;
    return false;
}

bool stepper_go(struct stepper *s, const char *what, bool back)
{
    char word[STEPPER_WORD], rest[STEPPER_WORD];
    struct target a = {.s = s};
    struct err e;
    uint64_t n;
    if (!stepper_word(&what, word))
        return back ? back_stop(s) : forward(s, UINT64_MAX);
    rest_of(what, rest);
    if (isdigit((unsigned char)*word))
        return stepper_number(s, word, &n) && (back ? back_steps(s, n) : steps(s, n));
    if (!strcmp(word, "trap") || !strcmp(word, "return") || !strcmp(word, "mode") || !strcmp(word, "call")) {
        if (!aim_parse(s->d.m, word, rest, &a.aim, &e))
            return stepper_refuse(s, "%s", e.text);
        return back ? back_to(s, &a) : forward_to(s, &a);
    }
    if (!strcmp(word, "at"))
        return stepper_number(s, rest, &n) && (back ? back_at(s, n) : forward_at(s, n));
    if (!strcmp(word, "write"))
        return back ? back_write(s, rest) : forward_write(s, rest);
    if (!strcmp(word, "cycle"))
        return to_cycle(s, rest, back);
    if (!strcmp(word, "text") && *rest)
        return back ? stepper_refuse(s, "the console is not searched backwards") : forward_text(s, rest);
    return stepper_refuse(s,
                          "'%s' is nowhere to go: N, trap [CAUSE], return, mode [MODE], call [NAME], at ADDRESS, write REGISTER, "
                          "cycle N, text STRING, or nothing for the next breakpoint",
                          word);
}
