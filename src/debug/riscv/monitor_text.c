/* The monitor's option, and its violations in words. */
#include "debug/riscv/monitor.h"
#include "debug/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const text_name[MONITOR_TEXTS] = {"host", "guest", "user", "irqoff"};
/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static bool parse_range(struct monitor_config *c, enum monitor_text t, const char *value, const char *word, struct err *e)
{
    const char *dots = strstr(value, "..");
    unsigned i = 0;
    while (i < MONITOR_RANGES && *c->range[t][i][0])
        i++;
    if (i == MONITOR_RANGES)
        return err_set(e, "--monitor: more than %d ranges of %s", MONITOR_RANGES, text_name[t]);
    if (!dots || dots == value || !dots[2] || dots - value >= 64 || strlen(dots + 2) >= 64)
        return err_set(e, "--monitor '%s': a range is written %s=FIRST..END", word, text_name[t]);
    snprintf(c->range[t][i][0], 64, "%.*s", (int)(dots - value), value);
    snprintf(c->range[t][i][1], 64, "%s", dots + 2);
    return true;
}

static bool parse_rules(struct monitor_config *c, char *value, struct err *e)
{
    char *save = NULL;
    if (c->all_rules)
        c->rules = c->oracle_rules = 0;
    c->all_rules = false;
    for (char *w = strtok_r(value, "+", &save); w; w = strtok_r(NULL, "+", &save)) {
        bool found = false;
        for (unsigned r = 0; r < MONITOR_RULES; r++)
            if (!strcasecmp(w, monitor_rule_name((enum monitor_rule)r))) {
                c->rules |= 1u << r;
                found = true;
            }
        for (unsigned r = 0; r < SSE_RULES; r++)
            if (!strcasecmp(w, sse_rule_name((enum sse_rule)r))) {
                c->oracle_rules |= 1u << r;
                found = true;
            }
        if (!found)
            return err_set(e, "--monitor: there is no rule '%s'", w);
    }
    return c->rules || c->oracle_rules || err_set(e, "--monitor: rules= names no rule");
}

static bool parse_word(struct monitor_config *c, char *word, struct err *e)
{
    char *end, *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : 0;
    for (unsigned t = 0; t < MONITOR_TEXTS && n; t++)
        if (strlen(text_name[t]) == n && !memcmp(word, text_name[t], n))
            return parse_range(c, (enum monitor_text)t, equals + 1, word, e);
    if (n == 6 && !memcmp(word, "kernel", 6))
        return parse_range(c, MONITOR_HOST, equals + 1, word, e);
    if (n == 5 && !memcmp(word, "rules", 5))
        return parse_rules(c, equals + 1, e);
    if (n == 3 && !memcmp(word, "max", 3)) {
        errno = 0;
        c->max = strtoull(equals + 1, &end, 0);
        return (equals[1] >= '0' && equals[1] <= '9' && !*end && !errno) ||
               err_set(e, "--monitor '%s': max= is a number of violations", word);
    }
    return err_set(e, "--monitor: '%s' is none of host=, kernel=, guest=, user=, irqoff=, rules=, max=", word);
}

bool monitor_parse(struct monitor_config *c, const char *text, struct err *e)
{
    char copy[1024], *save = NULL;
    if (!c->on)
        *c = (struct monitor_config){
            .on = true, .all_rules = true, .rules = (1u << MONITOR_RULES) - 1, .oracle_rules = (1u << SSE_RULES) - 1, .max = 1};
    if (strlen(text) >= sizeof copy)
        return err_set(e, "--monitor: the text is too long");
    strcpy(copy, text);
    char *word = strtok_r(copy, ",", &save);
    if (!word || strcmp(word, "sse"))
        return err_set(e, "--monitor '%s': the monitors are: sse", text);
    while ((word = strtok_r(NULL, ",", &save)))
        if (!parse_word(c, word, e))
            return false;
    return true;
}

/* ---- starting -------------------------------------------------------------------------------------------------------------- */

static bool add_range(struct monitor *o, enum monitor_text t, uint64_t first, uint64_t end, const char *name, struct err *e)
{
    if (first >= end)
        return err_set(e, "--monitor: the range %s is empty", name);
    if (o->ranges[t] < MONITOR_RANGES)
        o->range[t][o->ranges[t]++] = (struct monitor_range){first, end};
    return true;
}

/* Where the images mark the text by the usual names. */
static void add_marked(struct monitor *o, enum monitor_text t, struct machine *m, const char *name)
{
    char symbol[64];
    uint64_t first, end;
    snprintf(symbol, sizeof symbol, "%s_start", name);
    if (!machine_symbol(m, symbol, &first))
        return;
    snprintf(symbol, sizeof symbol, "%s_end", name);
    if (machine_symbol(m, symbol, &end) && first < end)
        add_range(o, t, first, end, name, NULL);
}

bool monitor_start(struct monitor *o, const struct monitor_config *c, struct machine *m, struct err *e)
{
    memset(o, 0, sizeof *o);
    o->config = *c;
    for (unsigned t = 0; t < MONITOR_TEXTS; t++)
        for (unsigned i = 0; i < MONITOR_RANGES && *c->range[t][i][0]; i++) {
            uint64_t first, end;
            if (!symbols_parse(m, c->range[t][i][0], &first, e) || !symbols_parse(m, c->range[t][i][1], &end, e) ||
                !add_range(o, (enum monitor_text)t, first, end, c->range[t][i][0], e))
                return false;
        }
    if (!o->ranges[MONITOR_HOST]) {
        add_marked(o, MONITOR_HOST, m, "host_text");
        add_marked(o, MONITOR_HOST, m, "handler_text");
    }
    if (!o->ranges[MONITOR_GUEST])
        add_marked(o, MONITOR_GUEST, m, "guest_text");
    if (!o->ranges[MONITOR_USER])
        add_marked(o, MONITOR_USER, m, "user_text");
    if (!o->ranges[MONITOR_IRQ_OFF])
        add_marked(o, MONITOR_IRQ_OFF, m, "irq_off");
    sse_oracle_init(&o->oracle, m);
    return true;
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static size_t put(char *out, size_t cap, size_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int k = n < cap ? vsnprintf(out + n, cap - n, fmt, ap) : 0;
    va_end(ap);
    return k < 0 ? n : n + (size_t)k < cap ? n + (size_t)k : cap - 1;
}

static struct sbi_call call_of(const struct monitor *o, const struct monitor_violation *v)
{
    struct sbi_call c = {.xlen = o->oracle.xlen};
    memcpy(c.a, v->call, sizeof c.a);
    return c;
}

/* A value of a difference; codes and states by name. */
static void value_text(const char *name, uint64_t v, char *out, size_t cap)
{
    const char *word = !strcmp(name, "result") ? sbi_error_name((int64_t)v) : NULL;
    if (word)
        snprintf(out, cap, "%s", word);
    else
        snprintf(out, cap, "0x%" PRIx64, v);
}

size_t monitor_text(const struct monitor *o, struct machine *m, const struct monitor_violation *v, char *out, size_t cap)
{
    char from[96], to[96], text[512], is[48], should[48];
    symbols_text(m, v->from, from, sizeof from);
    symbols_text(m, v->pc, to, sizeof to);
    size_t n = put(out, cap, 0, "%s: %s\n  hart %u, cycle %" PRIu64 ", at %s, goes on at %s (0x%" PRIx64 ")", v->rule, v->what,
                   v->hart, v->cycle, from, to, v->pc);
    if (v->has_event) {
        sbi_value_text(SBI_KIND_sse_event, v->event, o->oracle.xlen, text, sizeof text);
        n = put(out, cap, n, ", event %s", text);
    }
    if (v->has_call) {
        struct sbi_call c = call_of(o, v);
        sbi_call_text(&c, NULL, text, sizeof text);
        n = put(out, cap, n, "\n  %s", text);
    }
    for (unsigned i = 0; i < v->diffs; i++) {
        value_text(v->diff[i].name, v->diff[i].actual, is, sizeof is);
        value_text(v->diff[i].name, v->diff[i].expected, should, sizeof should);
        n = put(out, cap, n, "\n  %-18s %s, expected %s", v->diff[i].name, is, should);
    }
    if (*v->where)
        n = put(out, cap, n, "\n  SBI v3.0: %s", v->where);
    return n;
}

static void set_hex(json_t *j, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    json_object_set_new(j, key, json_string(text));
}

static void set_place(json_t *j, const char *key, struct machine *m, uint64_t va)
{
    char text[96];
    symbols_text(m, va, text, sizeof text);
    json_object_set_new(j, key, json_string(text));
}

struct json_t *monitor_json(const struct monitor *o, struct machine *m, const struct monitor_violation *v)
{
    json_t *j = json_object(), *list = json_array();
    json_object_set_new(j, "rule", json_string(v->rule));
    json_object_set_new(j, "meaning", json_string(v->what));
    if (*v->where)
        json_object_set_new(j, "where", json_string(v->where));
    json_object_set_new(j, "hart", json_integer(v->hart));
    json_object_set_new(j, "cycle", json_integer((json_int_t)v->cycle));
    set_hex(j, "from", v->from);
    set_place(j, "from_symbol", m, v->from);
    set_hex(j, "pc", v->pc);
    set_place(j, "pc_symbol", m, v->pc);
    if (v->has_event)
        set_hex(j, "event", v->event);
    if (v->has_call) {
        struct sbi_call c = call_of(o, v);
        json_object_set_new(j, "call", sbi_call_json(&c, NULL));
    }
    for (unsigned i = 0; i < v->diffs; i++) {
        json_t *d = json_object();
        json_object_set_new(d, "register", json_string(v->diff[i].name));
        set_hex(d, "expected", v->diff[i].expected);
        set_hex(d, "actual", v->diff[i].actual);
        json_array_append_new(list, d);
    }
    json_object_set_new(j, "registers", list);
    return j;
}
