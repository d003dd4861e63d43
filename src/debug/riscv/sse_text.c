/* Departures for people and for programs. */
#include "debug/riscv/sse.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *where, *what;
} rules[SSE_RULES] = {
#define SSE_RULE(id, where, what) [SSE_##id] = {#id, where, what},
#include "debug/riscv/sse.def"
};

const char *sse_rule_name(enum sse_rule rule) { return rules[rule].name; }
const char *sse_rule_where(enum sse_rule rule) { return rules[rule].where; }
const char *sse_rule_what(enum sse_rule rule) { return rules[rule].what; }

/* The value of what a departure is about. */
static void value(const struct sse_departure *d, uint64_t v, char *out, size_t cap)
{
    const char *name = NULL;
    if (!strcmp(d->what, "result"))
        name = sbi_error_name((int64_t)v);
    else if (!strcmp(d->what, "state") || !strcmp(d->what, "STATUS state"))
        name = sbi_value_of(SBI_KIND_sse_state, v) ? sbi_value_of(SBI_KIND_sse_state, v)->name : NULL;
    if (name)
        snprintf(out, cap, "%s", name);
    else
        snprintf(out, cap, "0x%" PRIx64, v);
}

static struct sbi_call call_of(const struct sse_departure *d, unsigned xlen)
{
    struct sbi_call c = {.xlen = xlen};
    memcpy(c.a, d->a, sizeof c.a);
    return c;
}

size_t sse_departure_text(const struct sse_departure *d, unsigned xlen, char *out, size_t cap)
{
    char event[80] = "", call[320] = "", is[48], should[48], name[64];
    value(d, d->actual, is, sizeof is);
    value(d, d->expected, should, sizeof should);
    if (d->call) {
        struct sbi_call c = call_of(d, xlen);
        sbi_call_text(&c, NULL, call, sizeof call);
        strncat(call, ": ", sizeof call - strlen(call) - 1);
    } else if (d->has_event) {
        sbi_value_text(SBI_KIND_sse_event, d->event, xlen, name, sizeof name);
        snprintf(event, sizeof event, "event %s: ", name);
    }
    int n = snprintf(out, cap, "hart %u cycle %" PRIu64 ": %s%s%s is %s, expected %s", d->hart, d->cycle, call, event, d->what,
                     is, should);
    return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static void set_hex(json_t *j, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    json_object_set_new(j, key, json_string(text));
}

struct json_t *sse_departure_json(const struct sse_departure *d, unsigned xlen)
{
    json_t *j = json_object();
    json_object_set_new(j, "rule", json_string(sse_rule_name(d->rule)));
    json_object_set_new(j, "where", json_string(sse_rule_where(d->rule)));
    json_object_set_new(j, "meaning", json_string(sse_rule_what(d->rule)));
    json_object_set_new(j, "hart", json_integer(d->hart));
    json_object_set_new(j, "cycle", json_integer((json_int_t)d->cycle));
    set_hex(j, "pc", d->pc);
    if (d->has_event)
        set_hex(j, "event", d->event);
    json_object_set_new(j, "what", json_string(d->what));
    set_hex(j, "expected", d->expected);
    set_hex(j, "actual", d->actual);
    if (d->call) {
        struct sbi_call c = call_of(d, xlen);
        json_object_set_new(j, "call", sbi_call_json(&c, NULL));
    }
    return j;
}
