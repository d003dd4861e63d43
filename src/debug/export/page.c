#include "debug/export/page.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* Room for one more behind n elements: doubled at powers of two. */
static void *grown(void *p, size_t n, size_t size) { return n & (n - 1) ? p : must(realloc(p, (n ? 2 * n : 1) * size)); }

/* ---- strings --------------------------------------------------------------------------------------------------------------- */

static void rehash(struct page *p)
{
    uint32_t size = p->table_size ? 2 * p->table_size : 1024;
    free(p->table);
    p->table = must(calloc(size, sizeof *p->table));
    p->table_size = size;
    for (uint32_t i = 1; i <= p->strings; i++) {
        uint64_t at = hash_bytes(p->string[i], strlen(p->string[i]));
        while (p->table[at % size])
            at++;
        p->table[at % size] = i;
    }
}

static uint32_t string_of(struct page *p, const char *text)
{
    if (!*text)
        return 0;
    if (2 * p->strings >= p->table_size)
        rehash(p);
    uint64_t at = hash_bytes(text, strlen(text));
    for (; p->table[at % p->table_size]; at++)
        if (!strcmp(p->string[p->table[at % p->table_size]], text))
            return p->table[at % p->table_size];
    p->string = grown(p->string, p->strings + 1, sizeof *p->string);
    p->string[p->strings + 1] = must(strdup(text));
    return p->table[at % p->table_size] = ++p->strings;
}

/* ---- what happens ---------------------------------------------------------------------------------------------------------- */

struct page *page_new(const struct timeline_info *i)
{
    struct page *p = must(calloc(1, sizeof *p));
    p->info = *i;
    for (unsigned h = 0; h < TIMELINE_HARTS; h++)
        p->hart[h].first = PAGE_UNKNOWN;
    p->string = must(calloc(2, sizeof *p->string));
    return p;
}

static void mode_named(struct page *p, uint8_t mode, const char *name)
{
    if (!*p->mode_name[mode])
        snprintf(p->mode_name[mode], sizeof p->mode_name[mode], "%s", name);
}

static void add_stay(struct page_stays *s, uint64_t begin, uint64_t end)
{
    s->count++;
    s->sum += end - begin;
    if (s->count == 1 || end - begin > s->longest) {
        s->longest = end - begin;
        s->at = begin;
    }
}

/* The number of a cause; PAGE_CAUSES: there are too many. */
static uint16_t cause_of(struct page_hart *h, uint8_t from, uint8_t to, uint32_t why)
{
    for (unsigned i = 0; i < h->causes; i++)
        if (h->cause[i].from == from && h->cause[i].to == to && h->cause[i].why == why)
            return (uint16_t)i;
    if (h->causes < PAGE_CAUSES)
        h->cause[h->causes++] = (struct page_cause){.from = from, .to = to, .why = why};
    else
        return PAGE_CAUSES;
    return (uint16_t)(h->causes - 1);
}

/* A call's name is the reason, without its arguments. */
static uint32_t reason(struct page *p, const struct timeline_item *i)
{
    char name[80];
    if (i->kind != TIMELINE_CALL)
        return string_of(p, i->cause_text);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(i->call, "("), i->call);
    return string_of(p, name);
}

/* What the hart was in until `cycle`. */
static void close_stay(struct page *p, struct page_hart *h, uint64_t cycle)
{
    const struct page_change *last = h->changes ? &h->change[h->changes - 1] : NULL;
    if (last && last->mode != PAGE_UNKNOWN)
        add_stay(&h->stays[last->mode], last->cycle, cycle);
    else if (!last && h->first != PAGE_UNKNOWN)
        add_stay(&h->stays[h->first], p->info.first, cycle);
    if (last && last->cause < PAGE_CAUSES)
        add_stay(&h->cause[last->cause].stays, last->cycle, cycle);
}

static void add_mark(struct page *p, const struct timeline_item *i)
{
    char text[TIMELINE_TEXT + 16];
    if (p->marks == PAGE_MARKS) {
        p->marks_left_out++;
        return;
    }
    snprintf(text, sizeof text, "%s %s", i->kind == TIMELINE_INJECT ? "injected" : "typed", i->call);
    p->mark = grown(p->mark, p->marks, sizeof *p->mark);
    p->mark[p->marks++] = (struct page_mark){i->cycle, string_of(p, text), (uint8_t)i->kind};
}

void page_item(struct page *p, const struct timeline_item *i)
{
    if (i->kind == TIMELINE_INJECT || i->kind == TIMELINE_INPUT) {
        add_mark(p, i);
        return;
    }
    struct page_hart *h = &p->hart[i->hart];
    mode_named(p, i->from, i->from_name);
    mode_named(p, i->to, i->to_name);
    if (i->before) {
        h->first = i->to;
        return;
    }
    if (h->first == PAGE_UNKNOWN)
        h->first = i->from;
    close_stay(p, h, i->cycle);
    bool trap = i->kind != TIMELINE_RETURN;
    h->change = grown(h->change, h->changes, sizeof *h->change);
    h->change[h->changes++] = (struct page_change){.cycle = i->cycle,
                                                   .tval = trap ? i->tval : 0,
                                                   .why = string_of(p, i->kind == TIMELINE_CALL ? i->call : i->cause_text),
                                                   .epc = string_of(p, i->epc_text),
                                                   .pc = string_of(p, i->pc_text),
                                                   .mode = i->to,
                                                   .cause = trap ? cause_of(h, i->from, i->to, reason(p, i)) : PAGE_CAUSES,
                                                   .kind = (uint8_t)i->kind};
    if (!trap && *i->call) {
        h->call = grown(h->call, h->calls, sizeof *h->call);
        h->call[h->calls++] = (struct page_call){i->call_cycle, i->cycle - i->call_cycle, string_of(p, i->call)};
    }
}

/* ---- the end --------------------------------------------------------------------------------------------------------------- */

static int longer_call(const void *a, const void *b)
{
    const struct page_call *x = a, *y = b;
    return x->cycles != y->cycles ? (x->cycles < y->cycles) - (x->cycles > y->cycles)
                                  : (x->cycle > y->cycle) - (x->cycle < y->cycle);
}

static int earlier_call(const void *a, const void *b)
{
    const struct page_call *x = a, *y = b;
    return (x->cycle > y->cycle) - (x->cycle < y->cycle);
}

static void keep_longest_calls(struct page *p)
{
    for (unsigned n = 0; n < p->info.harts; n++) {
        struct page_hart *h = &p->hart[n];
        size_t keep = PAGE_CALLS / p->info.harts;
        if (h->calls > keep) {
            qsort(h->call, h->calls, sizeof *h->call, longer_call);
            p->calls_left_out += h->calls - keep;
            h->calls = keep;
        }
        if (h->calls)
            qsort(h->call, h->calls, sizeof *h->call, earlier_call);
    }
}

static int less(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The largest number of changes in a piece with which all pieces of no more fit into PAGE_DETAIL. */
static void find_threshold(struct page *p)
{
    const size_t n = (size_t)p->info.harts * PAGE_PIECES;
    uint32_t *all = must(malloc(n * sizeof *all));
    for (unsigned k = 0; k < p->info.harts; k++)
        memcpy(all + (size_t)k * PAGE_PIECES, p->hart[k].in_piece, PAGE_PIECES * sizeof *all);
    qsort(all, n, sizeof *all, less);
    size_t kept = 0, i = 0;
    for (; i < n && kept + all[i] <= PAGE_DETAIL; i++)
        kept += all[i];
    p->threshold = i == n ? UINT32_MAX : i && all[i] == all[i - 1] ? all[i] - 1 : i ? all[i - 1] : 0;
    free(all);
}

void page_close(struct page *p, const struct timeline_info *i)
{
    p->info.end = i->end;
    uint64_t length = i->end > p->info.first ? i->end - p->info.first : 1;
    p->piece = (length + PAGE_PIECES) / PAGE_PIECES;
    for (unsigned n = 0; n < p->info.harts; n++) {
        struct page_hart *h = &p->hart[n];
        close_stay(p, h, i->end);
        h->in_piece = must(calloc(PAGE_PIECES, sizeof *h->in_piece));
        for (size_t k = 0; k < h->changes; k++) {
            size_t piece = (size_t)((h->change[k].cycle - p->info.first) / p->piece);
            h->in_piece[piece < PAGE_PIECES ? piece : PAGE_PIECES - 1]++;
        }
    }
    find_threshold(p);
    keep_longest_calls(p);
}

void page_free(struct page *p)
{
    for (unsigned n = 0; n < TIMELINE_HARTS; n++) {
        free(p->hart[n].change);
        free(p->hart[n].call);
        free(p->hart[n].in_piece);
    }
    for (uint32_t i = 1; i <= p->strings; i++)
        free(p->string[i]);
    free(p->string);
    free(p->table);
    free(p->mark);
    free(p);
}

bool page_merged(const struct page *p, const struct page_hart *h, size_t n) { return h->in_piece[n] > p->threshold; }

void page_shares(const struct page_hart *h, size_t *from, uint64_t begin, uint64_t end, uint64_t shares[TIMELINE_MODES])
{
    memset(shares, 0, TIMELINE_MODES * sizeof *shares);
    while (*from < h->changes && h->change[*from].cycle <= begin)
        ++*from;
    for (size_t i = *from; begin < end; i++) {
        uint8_t mode = i ? h->change[i - 1].mode : h->first;
        uint64_t until = i < h->changes && h->change[i].cycle < end ? h->change[i].cycle : end;
        if (mode != PAGE_UNKNOWN)
            shares[mode] += until - begin;
        begin = until;
    }
}

unsigned page_lanes(const struct page_hart *h, uint8_t lane[TIMELINE_MODES])
{
    static const uint8_t order[] = {3, 3 | 8, 2, 1, 0, 2 | 8, 1 | 8, 0 | 8}; /* M or EL3 (Secure or not), and so on downwards */
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof order; i++)
        if (h->stays[order[i]].count)
            lane[n++] = order[i];
    return n;
}
