/* What monitors of all architectures share: the option, violations, and their telling. */
#include "debug/monitor.h"
#include "base/bits.h"
#include "base/text.h"
#include "debug/arm/monitor.h"
#include "debug/riscv/monitor.h"
#include "debug/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct monitor_ops *monitor_ops_at(unsigned i)
{
    static const struct monitor_ops *const all[] = {&riscv_monitor, &arm_monitor};
    return i < ARRAY_LEN(all) ? all[i] : NULL;
}

/* ---- the option ------------------------------------------------------------------------------------------------------------ */

static bool parse_range(struct monitor_config *c, unsigned t, const char *value, const char *word, struct err *e)
{
    const char *dots = strstr(value, "..");
    unsigned i = 0;
    while (i < MONITOR_RANGES && *c->range[t][i][0])
        i++;
    if (i == MONITOR_RANGES)
        return err_set(e, "--monitor: more than %d ranges of %s", MONITOR_RANGES, c->ops->texts[t]);
    if (!dots || dots == value || !dots[2] || dots - value >= 64 || strlen(dots + 2) >= 64)
        return err_set(e, "--monitor '%s': a range is written %s=FIRST..END", word, c->ops->texts[t]);
    snprintf(c->range[t][i][0], 64, "%.*s", (int)(dots - value), value);
    snprintf(c->range[t][i][1], 64, "%s", dots + 2);
    return true;
}

/* All rules of a group. */
static uint64_t rules_of(const struct monitor_ops *ops, unsigned group)
{
    struct monitor_rule r;
    uint64_t rules = 0;
    for (unsigned i = 0; ops->rule(i, &r); i++)
        if (r.group == group)
            rules |= UINT64_C(1) << i;
    return rules;
}

static bool parse_rules(struct monitor_config *c, unsigned group, char *value, struct err *e)
{
    char *save = NULL;
    struct monitor_rule r;
    uint64_t named = 0;
    for (char *w = strtok_r(value, "+", &save); w; w = strtok_r(NULL, "+", &save)) {
        bool found = false;
        for (unsigned i = 0; c->ops->rule(i, &r); i++)
            if (r.group == group && !strcasecmp(w, r.name)) {
                named |= UINT64_C(1) << i;
                found = true;
            }
        if (!found)
            return err_set(e, "--monitor: there is no rule '%s'", w);
    }
    if (!named)
        return err_set(e, "--monitor: rules= names no rule");
    if (c->all >> group & 1)
        c->rules &= ~rules_of(c->ops, group);
    c->all &= ~(1u << group);
    c->rules |= named;
    return true;
}

/* "host=, guest=, …rules=, max=": what may follow the name. */
static bool not_a_word(const struct monitor_config *c, const char *word, struct err *e)
{
    char keys[128] = "";
    for (unsigned t = 0; c->ops->texts[t]; t++) {
        size_t n = strlen(keys);
        snprintf(keys + n, sizeof keys - n, "%s=, ", c->ops->texts[t]);
    }
    return err_set(e, "--monitor: '%s' is none of %srules=, max=", word, keys);
}

static bool parse_word(struct monitor_config *c, unsigned group, char *word, struct err *e)
{
    char *end, *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : 0;
    for (unsigned t = 0; n && c->ops->texts[t]; t++)
        if (strlen(c->ops->texts[t]) == n && !memcmp(word, c->ops->texts[t], n))
            return parse_range(c, t, equals + 1, word, e);
    if (n == 6 && !memcmp(word, "kernel", 6) && c->ops->texts[0]) /* another name of the first: host= */
        return parse_range(c, 0, equals + 1, word, e);
    if (n == 5 && !memcmp(word, "rules", 5))
        return parse_rules(c, group, equals + 1, e);
    if (n == 3 && !memcmp(word, "max", 3)) {
        errno = 0;
        c->max = strtoull(equals + 1, &end, 0);
        return (equals[1] >= '0' && equals[1] <= '9' && !*end && !errno) ||
               err_set(e, "--monitor '%s': max= is a number of violations", word);
    }
    return not_a_word(c, word, e);
}

/* The monitor of that name. False: there is none. */
static bool find(const char *name, const struct monitor_ops **ops, unsigned *group)
{
    for (unsigned i = 0; (*ops = monitor_ops_at(i)); i++)
        for (*group = 0; (*ops)->names[*group]; ++*group)
            if (!strcmp((*ops)->names[*group], name))
                return true;
    return false;
}

static bool unknown(const char *text, struct err *e)
{
    char names[128] = "";
    for (unsigned i = 0; monitor_ops_at(i); i++)
        for (unsigned g = 0; monitor_ops_at(i)->names[g]; g++) {
            size_t n = strlen(names);
            snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", monitor_ops_at(i)->names[g]);
        }
    return err_set(e, "--monitor '%s': the monitors are: %s", text, names);
}

bool monitor_parse(struct monitor_config *c, const char *text, struct err *e)
{
    char copy[1024], *save = NULL;
    const struct monitor_ops *ops;
    unsigned group;
    if (strlen(text) >= sizeof copy)
        return err_set(e, "--monitor: the text is too long");
    strcpy(copy, text);
    char *word = strtok_r(copy, ",", &save);
    if (!word || !find(word, &ops, &group))
        return unknown(text, e);
    if (c->ops && c->ops != ops)
        return err_set(e, "--monitor: %s and %s are for different machines", c->ops->names[0], ops->names[group]);
    if (!c->ops)
        *c = (struct monitor_config){.ops = ops, .max = 1};
    if (!(c->groups >> group & 1)) {
        c->groups |= 1u << group;
        c->all |= 1u << group;
        c->rules |= rules_of(ops, group);
    }
    while ((word = strtok_r(NULL, ",", &save)))
        if (!parse_word(c, group, word, e))
            return false;
    return true;
}

/* ---- running --------------------------------------------------------------------------------------------------------------- */

static bool add_range(struct monitor *o, unsigned t, uint64_t first, uint64_t end, const char *name, struct err *e)
{
    if (first >= end)
        return err_set(e, "--monitor: the range %s is empty", name);
    if (o->ranges[t] < MONITOR_RANGES)
        o->range[t][o->ranges[t]++] = (struct monitor_range){first, end};
    return true;
}

void monitor_add_marked(struct monitor *o, unsigned text, struct machine *m, const char *name)
{
    char symbol[64];
    uint64_t first, end;
    if (*o->config.range[text][0][0])
        return;
    snprintf(symbol, sizeof symbol, "%s_start", name);
    if (!machine_symbol(m, symbol, &first))
        return;
    snprintf(symbol, sizeof symbol, "%s_end", name);
    if (machine_symbol(m, symbol, &end) && first < end)
        add_range(o, text, first, end, name, NULL);
}

static void *state_new(const struct monitor_ops *ops)
{
    void *state = calloc(1, ops->size);
    if (!state)
        abort(); /* out of host memory: nothing sensible can go on */
    return state;
}

bool monitor_start(struct monitor *o, const struct monitor_config *c, struct machine *m, struct err *e)
{
    memset(o, 0, sizeof *o);
    o->config = *c;
    if (!c->ops->fits(m))
        return err_set(e, "--monitor %s is for %s machines", c->ops->names[__builtin_ctz(c->groups)], c->ops->machines);
    for (unsigned t = 0; c->ops->texts[t]; t++)
        for (unsigned i = 0; i < MONITOR_RANGES && *c->range[t][i][0]; i++) {
            uint64_t first, end;
            if (!symbols_parse(m, c->range[t][i][0], &first, e) || !symbols_parse(m, c->range[t][i][1], &end, e) ||
                !add_range(o, t, first, end, c->range[t][i][0], e))
                return false;
        }
    o->state = state_new(c->ops);
    c->ops->start(o, m);
    return true;
}

void monitor_end(struct monitor *o)
{
    if (!o)
        return;
    free(o->state);
    o->state = NULL;
}

void monitor_copy(struct monitor *to, const struct monitor *from)
{
    void *state = to->state ? to->state : state_new(from->config.ops);
    memcpy(state, from->state, from->config.ops->size);
    *to = *from;
    to->state = state;
}

unsigned monitor_feed(struct monitor *o, struct machine *m, const struct machine_change *c)
{
    o->nfound = 0;
    o->config.ops->feed(o, m, c);
    return o->nfound;
}

unsigned monitor_answered(struct monitor *o, struct machine *m, const struct machine_answer *a)
{
    o->nfound = 0;
    if (o->config.ops->answered)
        o->config.ops->answered(o, m, a);
    return o->nfound;
}

bool monitor_in(const struct monitor *o, unsigned text, uint64_t va)
{
    for (unsigned i = 0; i < o->ranges[text]; i++)
        if (va >= o->range[text][i].first && va < o->range[text][i].end)
            return true;
    return false;
}

struct monitor_violation *monitor_violate(struct monitor *o, const struct machine_change *c, unsigned rule)
{
    struct monitor_rule r;
    o->total++;
    /* One too many replaces the last: it is counted all the same. */
    struct monitor_violation *v = &o->found[o->nfound < MONITOR_FOUND ? o->nfound++ : MONITOR_FOUND - 1];
    o->config.ops->rule(rule, &r);
    *v = (struct monitor_violation){.rule = r.name,
                                    .source = r.source,
                                    .where = r.where,
                                    .what = r.what,
                                    .hart = (uint8_t)c->hart,
                                    .cycle = c->cycle,
                                    .pc = c->pc,
                                    .from = c->epc};
    return v;
}

void monitor_differ(struct monitor_violation *v, const char *name, uint64_t expected, uint64_t actual)
{
    if (v->diffs < MONITOR_DIFFS) {
        v->diff[v->diffs].name = name;
        v->diff[v->diffs].expected = expected;
        v->diff[v->diffs++].actual = actual;
    }
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

/* A value of a difference; codes and states by name. */
static void value_text(const struct monitor_ops *ops, const char *name, uint64_t v, char *out, size_t cap)
{
    const char *word = ops->value(name, v);
    if (word)
        snprintf(out, cap, "%s", word);
    else
        snprintf(out, cap, "0x%" PRIx64, v);
}

size_t monitor_text(const struct monitor *o, struct machine *m, const struct monitor_violation *v, char *out, size_t cap)
{
    const struct monitor_ops *ops = o->config.ops;
    char from[96], to[96], text[512], is[48], should[48];
    symbols_text(m, v->from, from, sizeof from);
    symbols_text(m, v->pc, to, sizeof to);
    size_t n = text_append(out, cap, 0, "%s: %s\n  hart %u, cycle %" PRIu64 ", at %s, goes on at %s (0x%" PRIx64 ")", v->rule,
                           v->what, v->hart, v->cycle, from, to, v->pc);
    if (v->has_event) {
        ops->event(o, v, text, sizeof text);
        n = text_append(out, cap, n, ", event %s", text);
    }
    if (v->has_call) {
        ops->call(o, v, text, sizeof text);
        n = text_append(out, cap, n, "\n  %s", text);
    }
    for (unsigned i = 0; i < v->diffs; i++) {
        value_text(ops, v->diff[i].name, v->diff[i].actual, is, sizeof is);
        value_text(ops, v->diff[i].name, v->diff[i].expected, should, sizeof should);
        n = text_append(out, cap, n, "\n  %-18s %s, expected %s", v->diff[i].name, is, should);
    }
    if (*v->where)
        n = text_append(out, cap, n, "\n  %s: %s", v->source, v->where);
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
    if (v->has_call)
        json_object_set_new(j, "call", o->config.ops->call_json(o, v));
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
