#include "debug/sweep_result.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

const char *sweep_verdict_name(enum sweep_verdict v)
{
    static const char *const name[] = {
        [SWEEP_PASS] = "pass",       [SWEEP_SAME] = "same",   [SWEEP_VIOLATION] = "violation", [SWEEP_LOST] = "lost",
        [SWEEP_RUNAWAY] = "runaway", [SWEEP_ENDED] = "ended", [SWEEP_REFUSED] = "refused",
    };
    return v < SWEEP_VERDICTS ? name[v] : "";
}

/* ---- what was swept ------------------------------------------------------------------------------------------------------- */

void sweep_result_pair(struct sweep_result *r, const char *key, const char *value)
{
    if (r->pairs == SWEEP_PAIRS)
        abort(); /* the callers have fewer */
    r->pair[r->pairs++] = (struct sweep_pair){must(strdup(key)), must(strdup(value))};
}

const char *sweep_result_get(const struct sweep_result *r, const char *key)
{
    for (unsigned i = 0; i < r->pairs; i++)
        if (!strcmp(r->pair[i].key, key))
            return r->pair[i].value;
    return NULL;
}

static void add_named(struct sweep_named **list, unsigned *n, const char *name, const char *option, struct sweep_window w)
{
    *list = must(realloc(*list, (*n + 1) * sizeof **list));
    (*list)[(*n)++] = (struct sweep_named){must(strdup(name)), must(strdup(option)), w};
}

void sweep_result_event(struct sweep_result *r, const char *name, const char *option)
{
    add_named(&r->event, &r->events, name, option, (struct sweep_window){0});
}

void sweep_result_variant(struct sweep_result *r, const char *name, const char *option, struct sweep_window w)
{
    add_named(&r->variant, &r->variants, name, option, w);
}

static void free_named(struct sweep_named *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(list[i].name);
        free(list[i].option);
    }
    free(list);
}

void sweep_result_free(struct sweep_result *r)
{
    for (unsigned i = 0; i < r->pairs; i++) {
        free(r->pair[i].key);
        free(r->pair[i].value);
    }
    free_named(r->event, r->events);
    free_named(r->variant, r->variants);
    for (size_t i = 0; i < r->count; i++)
        free(r->cases[i].detail);
    free(r->cases);
    *r = (struct sweep_result){0};
}

/* ---- cases ---------------------------------------------------------------------------------------------------------------- */

static void take_case(struct sweep_result *r, const struct sweep_case *c)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 1024;
        r->cases = must(realloc(r->cases, r->cap * sizeof *r->cases));
    }
    r->cases[r->count++] = *c;
}

void sweep_result_add(struct sweep_result *r, const struct sweep_case *c)
{
    struct sweep_case copy = *c;
    if (c->detail) { /* there may be millions: only what is used is kept */
        size_t n = offsetof(struct sweep_detail, diff) + c->detail->diffs * sizeof c->detail->diff[0];
        copy.detail = must(malloc(n));
        memcpy(copy.detail, c->detail, n);
    }
    take_case(r, &copy);
}

/* Where the case belongs; those of the second order behind theirs of the first. */
static int in_order(const void *a, const void *b)
{
    const struct sweep_case *x = a, *y = b;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    if (x->variant != y->variant)
        return x->variant < y->variant ? -1 : 1;
    if (x->boundary != y->boundary)
        return x->boundary < y->boundary ? -1 : 1;
    uint32_t n = x->nested + 1, k = y->nested + 1; /* SWEEP_NONE comes first */
    return n < k ? -1 : n > k;
}

/* Of the cases that were taken in one state behind the window, the first stands for all. */
static int by_key(const void *a, const void *b)
{
    const struct sweep_case *x = *(struct sweep_case *const *)a, *y = *(struct sweep_case *const *)b;
    if (x->taken_key != y->taken_key)
        return x->taken_key < y->taken_key ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void drop_detail(struct sweep_case *c)
{
    free(c->detail);
    c->detail = NULL;
}

/* What was done of a case that turns out to be another one depends on how the work was cut, so none of it counts: that other case
   tells it. */
static void become_same(struct sweep_case *c, const struct sweep_case *other)
{
    c->verdict = SWEEP_SAME;
    c->same = other->boundary;
    c->handled = other->handled;
    c->nest_cases = c->nest_pass = c->nest_same = c->nest_handled = 0;
    drop_detail(c);
}

/* The cases of the first order of one event and variant, in their order. */
static void same_behind(struct sweep_case *const *first, size_t n)
{
    struct sweep_case **list = must(malloc((n + 1) * sizeof *list));
    size_t late = 0;
    for (size_t i = 0; i < n; i++)
        if (first[i]->taken_key)
            list[late++] = first[i];
    qsort(list, late, sizeof *list, by_key);
    for (size_t i = 1, stands = 0; i < late; i++) {
        if (list[i]->taken_key == list[stands]->taken_key)
            become_same(list[i], list[stands]);
        else
            stands = i;
    }
    free(list);
}

/* A case that is a later boundary's is handled if that one is, which may be yet another one's. */
static void handled_within(struct sweep_case *const *first, size_t n)
{
    for (size_t i = n; i--;)
        if (first[i]->verdict == SWEEP_SAME && !first[i]->taken_key && first[i]->same < n)
            first[i]->handled = first[first[i]->same]->handled;
}

/* cases[0..n) are of one event and variant, `boundaries` of them of the first order. */
static void find_same(struct sweep_case *cases, size_t n, size_t boundaries)
{
    struct sweep_case **first = must(malloc((boundaries + 1) * sizeof *first));
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (cases[i].nested == SWEEP_NONE)
            first[k++] = &cases[i];
    same_behind(first, k);
    handled_within(first, k);
    free(first);
}

/* Leaves out the second order of cases that are the same as others. */
static void drop_same_seconds(struct sweep_result *r)
{
    size_t kept = 0;
    bool same = false; /* the case of the first order that was looked at last */
    for (size_t i = 0; i < r->count; i++) {
        struct sweep_case *c = &r->cases[i];
        if (c->nested == SWEEP_NONE)
            same = c->verdict == SWEEP_SAME;
        if (c->nested != SWEEP_NONE && same)
            drop_detail(c);
        else
            r->cases[kept++] = *c;
    }
    r->count = kept;
}

bool sweep_result_finish(struct sweep_result *r, struct err *e)
{
    if (r->count)
        qsort(r->cases, r->count, sizeof *r->cases, in_order);
    size_t at = 0;
    for (uint32_t event = 0; event < r->events; event++) {
        for (uint32_t v = 0; v < r->variants; v++) {
            size_t from = at;
            for (uint32_t k = 0; k < r->variant[v].window.boundaries; k++, at++) {
                const struct sweep_case want = {.event = event, .variant = v, .boundary = k, .nested = SWEEP_NONE};
                if (at >= r->count || in_order(&r->cases[at], &want))
                    return err_set(e, "the case of event '%s', boundary %u is %s", r->event[event].name, k,
                                   at < r->count && in_order(&r->cases[at], &want) < 0 ? "there twice" : "missing");
                while (at + 1 < r->count && r->cases[at + 1].nested != SWEEP_NONE)
                    at++;
            }
            find_same(r->cases + from, at - from, r->variant[v].window.boundaries);
        }
    }
    if (at != r->count)
        return err_set(e, "there are cases that do not belong to the sweep");
    drop_same_seconds(r);
    return true;
}

/* The first case of an event and variant, or of any behind them. */
static size_t first_of(const struct sweep_result *r, uint32_t event, uint32_t variant)
{
    const struct sweep_case want = {.event = event, .variant = variant, .nested = SWEEP_NONE};
    size_t lo = 0, hi = r->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (in_order(&r->cases[mid], &want) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void count_case(struct sweep_count *n, const struct sweep_case *c, bool second)
{
    if (second && c->nested == SWEEP_NONE) {
        n->cases += c->nest_cases;
        n->verdict[SWEEP_PASS] += c->nest_pass;
        n->verdict[SWEEP_SAME] += c->nest_same;
        n->handled += c->nest_handled;
    } else if (second) {
        n->verdict[c->verdict]++; /* the failing ones alone are told one by one */
    } else if (c->nested == SWEEP_NONE) {
        n->cases++;
        n->verdict[c->verdict]++;
        n->handled += c->handled;
    }
}

struct sweep_count sweep_result_count(const struct sweep_result *r, uint32_t event, uint32_t variant, bool second)
{
    struct sweep_count n = {0};
    bool all = event == UINT32_MAX;
    for (size_t i = all ? 0 : first_of(r, event, variant); i < r->count; i++) {
        const struct sweep_case *c = &r->cases[i];
        if (!all && (c->event != event || c->variant != variant))
            break;
        count_case(&n, c, second);
    }
    return n;
}

uint64_t sweep_result_done(const struct sweep_result *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->cases[i].nested == SWEEP_NONE ? 1 + r->cases[i].nest_cases : 0;
    return n;
}

bool sweep_result_failed(const struct sweep_result *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->cases[i].verdict > SWEEP_SAME)
            return true;
    return false;
}
