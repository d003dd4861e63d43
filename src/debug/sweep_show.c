/* Results of sweeps as text, JSON and JUnit. */
#include "debug/sweep_result.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFFS_SHOWN 3

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

/* "meip" or "meip, hk3". */
static void combination(const struct sweep_result *r, const struct sweep_case *c, char out[3 * INJECT_TEXT])
{
    const char *variant = r->variant[c->variant].name;
    snprintf(out, 3 * INJECT_TEXT, "%s%s%s", r->event[c->event].name, *variant ? ", " : "", variant);
}

/* "17", or "17.230" for the second order. */
static void number(const struct sweep_case *c, char out[32])
{
    if (c->nested == SWEEP_NONE)
        snprintf(out, 32, "%u", c->boundary);
    else
        snprintf(out, 32, "%u.%u", c->boundary, c->nested);
}

/* "V 0x0 -> 0x1, pc 0x80200400 -> 0x80200404 and 2 more" */
static void differences(const struct sweep_detail *d, unsigned most, struct buf *out)
{
    for (uint32_t i = 0; i < d->diffs && i < most; i++)
        buf_printf(out, "%s%s 0x%" PRIx64 " -> 0x%" PRIx64, i ? ", " : "", d->diff[i].name, d->diff[i].from, d->diff[i].to);
    if (d->diffs > most)
        buf_printf(out, " and %u more", d->diffs - most);
}

/* What was wrong with the case, in one line. */
static void wrong(const struct sweep_case *c, struct buf *out)
{
    const struct sweep_detail *d = c->detail;
    if (c->verdict != SWEEP_VIOLATION)
        buf_printf(out, "%s: ", sweep_verdict_name(c->verdict));
    if (d)
        buf_printf(out, "%s%s", d->text, *d->text && d->diffs ? "; " : "");
    if (d)
        differences(d, DIFFS_SHOWN, out);
}

/* The line that does this case alone. */
static void command(const struct sweep_result *r, const struct sweep_case *c, struct buf *out)
{
    const char *base = sweep_result_get(r, "command");
    char which[32];
    number(c, which);
    buf_printf(out, "%s%s%s --only %s", base ? base : "trapline sweep", r->event[c->event].option, r->variant[c->variant].option,
               which);
}

/* ---- text ----------------------------------------------------------------------------------------------------------------- */

#define COLUMNS    (SWEEP_VERDICTS + 2) /* cases, each verdict, handled */
#define LINE_WIDTH 80

/* How wide the columns are, and how far apart: two spaces if a line of 80 has room for that, else one. */
struct layout {
    bool named; /* variants have names */
    int event, variant, number[COLUMNS], gap;
};

static const char *title(unsigned column)
{
    return !column ? "cases" : column == COLUMNS - 1 ? "handled" : sweep_verdict_name((enum sweep_verdict)(column - 1));
}

static uint64_t number_in(const struct sweep_count *n, unsigned column)
{
    return !column ? n->cases : column == COLUMNS - 1 ? n->handled : n->verdict[column - 1];
}

static int widest(const struct sweep_named *list, unsigned n, const char *head)
{
    size_t w = strlen(head);
    for (unsigned i = 0; i < n; i++)
        w = strlen(list[i].name) > w ? strlen(list[i].name) : w;
    return (int)w;
}

/* No row has more digits than the sum of all. */
static struct layout layout(const struct sweep_result *r, bool second)
{
    struct layout k = {.named = r->variants > 1 || *r->variant[0].name, .event = widest(r->event, r->events, "event")};
    struct sweep_count all = sweep_result_count(r, UINT32_MAX, UINT32_MAX, second);
    int width = k.event;
    k.variant = k.named ? widest(r->variant, r->variants, "variant") : 0;
    for (unsigned c = 0; c < COLUMNS; c++) {
        int digits = snprintf(NULL, 0, "%" PRIu64, number_in(&all, c)), head = (int)strlen(title(c));
        k.number[c] = digits > head ? digits : head;
        width += k.number[c];
    }
    width += k.variant;
    k.gap = width + 2 * (COLUMNS + k.named) <= LINE_WIDTH ? 2 : 1;
    return k;
}

static void row_name(struct buf *out, const struct layout *k, const char *event, const char *variant)
{
    buf_printf(out, "%-*s", k->event, event);
    if (k->named)
        buf_printf(out, "%*s%-*s", k->gap, "", k->variant, variant);
}

static void count_row(struct buf *out, const struct layout *k, const char *event, const char *variant,
                      const struct sweep_count *n)
{
    row_name(out, k, event, variant);
    for (unsigned c = 0; c < COLUMNS; c++)
        buf_printf(out, "%*s%*" PRIu64, k->gap, "", k->number[c], number_in(n, c));
    buf_printf(out, "\n");
}

static void table(const struct sweep_result *r, bool second, struct buf *out)
{
    struct layout k = layout(r, second);
    row_name(out, &k, "event", "variant");
    for (unsigned c = 0; c < COLUMNS; c++)
        buf_printf(out, "%*s%*s", k.gap, "", k.number[c], title(c));
    buf_printf(out, "\n");
    for (uint32_t e = 0; e < r->events; e++)
        for (uint32_t v = 0; v < r->variants; v++) {
            struct sweep_count n = sweep_result_count(r, e, v, second);
            count_row(out, &k, r->event[e].name, r->variant[v].name, &n);
        }
    if (r->events * r->variants > 1) {
        struct sweep_count n = sweep_result_count(r, UINT32_MAX, UINT32_MAX, second);
        count_row(out, &k, "all", "", &n);
    }
}

static void windows(const struct sweep_result *r, struct buf *out)
{
    const char *what = sweep_result_get(r, "window");
    bool alike = true;
    for (unsigned v = 1; v < r->variants; v++)
        alike &= !memcmp(&r->variant[v].window, &r->variant[0].window, sizeof r->variant[0].window);
    for (unsigned v = 0; v < (alike ? 1 : r->variants); v++) {
        const struct sweep_window *k = &r->variant[v].window;
        buf_printf(out, "window %s%s%s: %u boundaries, cycles %" PRIu64 " to %" PRIu64 "\n", what ? what : "", alike ? "" : ", ",
                   alike ? "" : r->variant[v].name, k->boundaries, k->first_cycle, k->last_cycle);
    }
}

/* What differs where a handler pushes, and how to pass over it. */
static void stack_line(const struct sweep_stack *k, const char *indent, struct buf *out)
{
    buf_printf(out, "%s", indent);
    if (k->all)
        buf_printf(out, "nothing but memory below the interrupted %s 0x%" PRIx64 ", as what a handler pushes there: ", k->name,
                   k->sp);
    else
        buf_printf(out, "%u of the words below the interrupted %s 0x%" PRIx64 ": ", k->words, k->name, k->sp);
    buf_printf(out, "--ignore 0x%" PRIx64 "..0x%" PRIx64 "\n", k->start, k->end);
}

/* The same of all cases, if they are several. */
static void stack_summary(const struct sweep_result *r, struct buf *out)
{
    uint64_t start = UINT64_MAX, end = 0, n = 0, all = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct sweep_stack *k = r->cases[i].detail ? &r->cases[i].detail->stack : NULL;
        if (!k || !k->words)
            continue;
        start = k->start < start ? k->start : start;
        end = k->end > end ? k->end : end;
        n++;
        all += k->all;
    }
    if (n > 1)
        buf_printf(out,
                   "\n%" PRIu64 " cases differ below the interrupted stack pointer, %" PRIu64 " of them nowhere else: "
                   "--ignore 0x%" PRIx64 "..0x%" PRIx64 " passes over that\n",
                   n, all, start, end);
}

/* "0x40080094 el1_entry (EL1), taken at 0x402021a8 window_start (EL0)" */
static void place(const struct sweep_case *c, struct buf *out)
{
    const struct sweep_detail *d = c->detail;
    buf_printf(out, "0x%" PRIx64 "%s%s", c->pc, d && *d->where ? " " : "", d ? d->where : "");
    if (d && *d->mode)
        buf_printf(out, " (%s)", d->mode);
    if (d && *d->taken_mode)
        buf_printf(out, ", taken at 0x%" PRIx64 "%s%s (%s)", c->taken_pc, *d->taken_where ? " " : "", d->taken_where,
                   d->taken_mode);
}

static void fail_line(const struct sweep_result *r, const struct sweep_case *c, struct buf *out)
{
    char what[3 * INJECT_TEXT], which[32];
    combination(r, c, what);
    number(c, which);
    buf_printf(out, "\n%s: boundary %s at ", what, which);
    place(c, out);
    buf_printf(out, "\n    ");
    wrong(c, out);
    buf_printf(out, "\n");
    if (c->detail && c->detail->stack.words)
        stack_line(&c->detail->stack, "    ", out);
    buf_printf(out, "    ");
    command(r, c, out);
    buf_printf(out, "\n");
}

void sweep_text(const struct sweep_result *r, unsigned most, struct buf *out)
{
    const char *ignored = sweep_result_get(r, "ignored"), *handlers = sweep_result_get(r, "handlers"),
               *nest = sweep_result_get(r, "nest");
    size_t failed = 0;
    windows(r, out);
    buf_printf(out, "memory that may change: %s\nhandlers: %s\n\n", ignored && *ignored ? ignored : "none",
               handlers && *handlers ? handlers : "not known; the first return from the event's trap is taken for its end");
    table(r, false, out);
    if (nest && *nest) {
        buf_printf(out, "\nsecond order: %s at every boundary of the handling\n", nest);
        table(r, true, out);
    }
    for (size_t i = 0; i < r->count; i++)
        if (r->cases[i].verdict > SWEEP_SAME && failed++ < most)
            fail_line(r, &r->cases[i], out);
    stack_summary(r, out);
    if (failed > most)
        buf_printf(out, "\n%zu more cases fail (--list %zu shows all)\n", failed - most, failed);
}

void sweep_case_text(const struct sweep_result *r, const struct sweep_case *c, struct buf *out)
{
    char what[3 * INJECT_TEXT], which[32];
    const struct sweep_detail *d = c->detail;
    combination(r, c, what);
    number(c, which);
    buf_printf(out, "%s: boundary %s at ", what, which);
    place(c, out);
    buf_printf(out, ": %s\n", sweep_verdict_name(c->verdict));
    if (c->verdict == SWEEP_SAME && c->same != SWEEP_NONE)
        buf_printf(out, "the event is taken later: this is the case of boundary %u\n", c->same);
    if (d && *d->text)
        buf_printf(out, "%s\n", d->text);
    for (uint32_t i = 0; d && i < d->diffs; i++)
        buf_printf(out, "  %-14s was 0x%016" PRIx64 "  is 0x%016" PRIx64 "\n", d->diff[i].name, d->diff[i].from, d->diff[i].to);
    if (d && d->stack.words)
        stack_line(&d->stack, "", out);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

static json_t *hex(uint64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    return json_string(text);
}

static json_t *counts_json(const struct sweep_count *n)
{
    json_t *j = json_object();
    json_object_set_new(j, "cases", json_integer((json_int_t)n->cases));
    for (unsigned v = 0; v < SWEEP_VERDICTS; v++)
        json_object_set_new(j, sweep_verdict_name(v), json_integer((json_int_t)n->verdict[v]));
    json_object_set_new(j, "handled", json_integer((json_int_t)n->handled));
    return j;
}

static json_t *stack_json(const struct sweep_stack *k)
{
    json_t *j = json_object();
    json_object_set_new(j, "register", json_string(k->name));
    json_object_set_new(j, "value", hex(k->sp));
    json_object_set_new(j, "words", json_integer(k->words));
    json_object_set_new(j, "all", json_boolean(k->all));
    json_object_set_new(j, "start", hex(k->start));
    json_object_set_new(j, "end", hex(k->end));
    return j;
}

static json_t *case_json(const struct sweep_result *r, const struct sweep_case *c)
{
    json_t *j = json_object(), *diffs = json_array();
    struct buf line = {0};
    json_object_set_new(j, "event", json_string(r->event[c->event].name));
    json_object_set_new(j, "variant", json_string(r->variant[c->variant].name));
    json_object_set_new(j, "boundary", json_integer(c->boundary));
    if (c->nested != SWEEP_NONE)
        json_object_set_new(j, "nested", json_integer(c->nested));
    json_object_set_new(j, "verdict", json_string(sweep_verdict_name(c->verdict)));
    json_object_set_new(j, "pc", hex(c->pc));
    json_object_set_new(j, "where", json_string(c->detail ? c->detail->where : ""));
    json_object_set_new(j, "mode", json_string(c->detail ? c->detail->mode : ""));
    json_object_set_new(j, "taken_pc", hex(c->taken_pc));
    if (c->detail && *c->detail->taken_mode) {
        json_object_set_new(j, "taken_where", json_string(c->detail->taken_where));
        json_object_set_new(j, "taken_mode", json_string(c->detail->taken_mode));
    }
    json_object_set_new(j, "taken_cycle", json_integer((json_int_t)c->taken_cycle));
    json_object_set_new(j, "cycles", json_integer((json_int_t)c->cycles));
    json_object_set_new(j, "reason", json_string(c->detail ? c->detail->text : ""));
    for (uint32_t i = 0; c->detail && i < c->detail->diffs; i++) {
        const struct sweep_diff *d = &c->detail->diff[i];
        json_t *k = json_object();
        json_object_set_new(k, "name", json_string(d->name));
        json_object_set_new(k, "was", hex(d->from));
        json_object_set_new(k, "is", hex(d->to));
        json_array_append_new(diffs, k);
    }
    json_object_set_new(j, "differences", diffs);
    if (c->detail && c->detail->stack.words)
        json_object_set_new(j, "below_stack", stack_json(&c->detail->stack));
    command(r, c, &line);
    json_object_set_new(j, "command", json_string((const char *)line.data));
    buf_free(&line);
    return j;
}

static json_t *combination_json(const struct sweep_result *r, uint32_t event, uint32_t variant, bool nest)
{
    struct sweep_count n = sweep_result_count(r, event, variant, false);
    json_t *j = counts_json(&n);
    json_object_set_new(j, "event", json_string(r->event[event].name));
    json_object_set_new(j, "variant", json_string(r->variant[variant].name));
    json_object_set_new(j, "boundaries", json_integer(r->variant[variant].window.boundaries));
    if (nest) {
        n = sweep_result_count(r, event, variant, true);
        json_object_set_new(j, "second", counts_json(&n));
    }
    return j;
}

void sweep_json(const struct sweep_result *r, struct buf *out)
{
    json_t *j = json_object(), *list = json_array(), *failing = json_array();
    const char *nest = sweep_result_get(r, "nest");
    for (unsigned i = 0; i < r->pairs; i++)
        json_object_set_new(j, r->pair[i].key, json_string(r->pair[i].value));
    for (uint32_t e = 0; e < r->events; e++)
        for (uint32_t v = 0; v < r->variants; v++)
            json_array_append_new(list, combination_json(r, e, v, nest && *nest));
    for (size_t i = 0; i < r->count; i++)
        if (r->cases[i].verdict > SWEEP_SAME)
            json_array_append_new(failing, case_json(r, &r->cases[i]));
    json_object_set_new(j, "combinations", list);
    json_object_set_new(j, "failing", failing);
    char *text = json_dumps(j, JSON_INDENT(2));
    buf_printf(out, "%s\n", text ? text : "{}");
    free(text);
    json_decref(j);
}

/* ---- JUnit ---------------------------------------------------------------------------------------------------------------- */

static void xml(struct buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': buf_printf(out, "&amp;"); break;
        case '<': buf_printf(out, "&lt;"); break;
        case '>': buf_printf(out, "&gt;"); break;
        case '"': buf_printf(out, "&quot;"); break;
        default: buf_put(out, text, 1);
        }
    }
}

static void junit_failure(const struct sweep_result *r, const struct sweep_case *c, const char *suite, struct buf *out)
{
    struct buf line = {0};
    char which[32];
    number(c, which);
    buf_printf(out, "    <testcase classname=\"");
    xml(out, suite);
    buf_printf(out, "\" name=\"boundary %s at 0x%" PRIx64 " ", which, c->pc);
    xml(out, c->detail ? c->detail->where : "");
    buf_printf(out, "\">\n      <failure type=\"%s\" message=\"", sweep_verdict_name(c->verdict));
    wrong(c, &line);
    xml(out, line.data ? (const char *)line.data : "");
    line.len = 0;
    command(r, c, &line);
    buf_printf(out, "\">");
    xml(out, (const char *)line.data);
    buf_printf(out, "</failure>\n    </testcase>\n");
    buf_free(&line);
}

/* A suite for each event and variant: a test for each failing case, and one that stands for all the others. */
static void junit_suite(const struct sweep_result *r, uint32_t event, uint32_t variant, struct buf *out)
{
    const struct sweep_case any = {.event = event, .variant = variant};
    char suite[3 * INJECT_TEXT];
    uint64_t failures = 0;
    for (size_t i = 0; i < r->count; i++)
        failures += r->cases[i].event == event && r->cases[i].variant == variant && r->cases[i].verdict > SWEEP_SAME;
    struct sweep_count n = sweep_result_count(r, event, variant, false), second = sweep_result_count(r, event, variant, true);
    combination(r, &any, suite);
    buf_printf(out, "  <testsuite name=\"");
    xml(out, suite);
    buf_printf(out, "\" tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\">\n    <testcase classname=\"", failures + 1, failures);
    xml(out, suite);
    buf_printf(out, "\" name=\"the other %" PRIu64 " cases\"/>\n", n.cases + second.cases - failures);
    for (size_t i = 0; i < r->count; i++) {
        const struct sweep_case *c = &r->cases[i];
        if (c->event == event && c->variant == variant && c->verdict > SWEEP_SAME)
            junit_failure(r, c, suite, out);
    }
    buf_printf(out, "  </testsuite>\n");
}

void sweep_junit(const struct sweep_result *r, struct buf *out)
{
    buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"trapline sweep\">\n");
    for (uint32_t e = 0; e < r->events; e++)
        for (uint32_t v = 0; v < r->variants; v++)
            junit_suite(r, e, v, out);
    buf_printf(out, "</testsuites>\n");
}
