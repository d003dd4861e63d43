/* The page that shows a run in a browser: page.html around the data of the run, as JSON. */
#include "debug/export/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* page.html, made by the build. Ends with a NUL. */
extern const char export_page_html[];

static void *begin(const struct timeline_info *i, struct buf *out)
{
    (void)out;
    return page_new(i);
}

static void item(void *ctx, const struct timeline_item *i, struct buf *out)
{
    (void)out;
    page_item(ctx, i);
}

/* ---- strings that are used, numbered anew ---------------------------------------------------------------------------------- */

struct used {
    const struct page *p;
    uint32_t *number; /* by string; 0: not used yet */
    uint32_t *list;
    uint32_t count;
};

static uint32_t use(struct used *u, uint32_t s)
{
    if (s && !u->number[s]) {
        u->list[u->count] = s;
        u->number[s] = ++u->count;
    }
    return s ? u->number[s] : 0;
}

static void put_strings(const struct used *u, struct buf *out)
{
    buf_printf(out, "\"strings\":[\"\"");
    for (uint32_t i = 0; i < u->count; i++) {
        buf_printf(out, ",\"");
        timeline_escape(out, u->p->string[u->list[i]]);
        buf_put_u8(out, '"');
    }
    buf_printf(out, "]");
}

/* ---- harts ----------------------------------------------------------------------------------------------------------------- */

struct put {
    struct used *used;
    struct buf *out;
    uint64_t last; /* cycle the next difference is to */
    bool any;
    size_t shown;
};

/* A change: cycles since the one before, mode, kind, why, epc, pc, tval. */
static void put_change(struct put *s, uint64_t cycle, const struct page_change *c)
{
    buf_printf(s->out, "%s%" PRIu64 ",%u,%u,%u,%u,%u,", s->any ? "," : "", cycle - s->last, c->mode, c->kind,
               use(s->used, c->why), use(s->used, c->epc), use(s->used, c->pc));
    buf_printf(s->out, c->tval ? "\"%" PRIx64 "\"" : "0", c->tval);
    s->last = cycle;
    s->any = true;
}

/* Merged pieces in a row are a gap among the changes: one of an unknown mode where it begins, one of the mode where it ends. */
static void put_changes(struct put *s, const struct page *p, const struct page_hart *h)
{
    size_t i = 0;
    buf_printf(s->out, "\"changes\":[");
    s->any = false;
    s->last = p->info.first;
    for (size_t n = 0; n < PAGE_PIECES; n++) {
        uint64_t begin = p->info.first + n * p->piece, end = begin + p->piece;
        bool merged = page_merged(p, h, n);
        if (merged && (!n || !page_merged(p, h, n - 1)))
            put_change(s, begin, &(struct page_change){.mode = PAGE_UNKNOWN, .kind = 9});
        for (; i < h->changes && (h->change[i].cycle < end || n + 1 == PAGE_PIECES); i++)
            if (!merged) {
                put_change(s, h->change[i].cycle, &h->change[i]);
                s->shown++;
            }
        if (merged && (n + 1 == PAGE_PIECES || !page_merged(p, h, n + 1)))
            put_change(s, end < p->info.end ? end : p->info.end,
                       &(struct page_change){.mode = i ? h->change[i - 1].mode : h->first, .kind = 9});
    }
    buf_printf(s->out, "],");
}

/* A merged piece: its number, how many changes, and mode and per mille of the time in it, in pairs. */
static void put_merged(struct put *s, const struct page *p, const struct page_hart *h)
{
    size_t from = 0;
    bool any = false;
    buf_printf(s->out, "\"merged\":[");
    for (size_t n = 0; n < PAGE_PIECES; n++) {
        if (!page_merged(p, h, n))
            continue;
        uint64_t in[TIMELINE_MODES], begin = p->info.first + n * p->piece;
        page_shares(h, &from, begin, begin + p->piece, in);
        buf_printf(s->out, "%s[%zu,%u", any ? "," : "", n, h->in_piece[n]);
        for (unsigned m = 0; m < TIMELINE_MODES; m++)
            if (in[m])
                buf_printf(s->out, ",%u,%" PRIu64, m, (in[m] * 1000 + p->piece - 1) / p->piece);
        buf_printf(s->out, "]");
        any = true;
    }
    buf_printf(s->out, "],");
}

static void put_calls(struct put *s, const struct page *p, const struct page_hart *h)
{
    s->last = p->info.first;
    s->any = false;
    buf_printf(s->out, "\"calls\":[");
    for (size_t i = 0; i < h->calls; i++) {
        uint64_t at = h->call[i].cycle > p->info.first ? h->call[i].cycle : p->info.first;
        buf_printf(s->out, "%s%" PRIu64 ",%" PRIu64 ",%u", s->any ? "," : "", at - s->last, h->call[i].cycles,
                   use(s->used, h->call[i].text));
        s->last = at;
        s->any = true;
    }
    buf_printf(s->out, "],");
}

static void put_hart(struct put *s, const struct page *p, unsigned n)
{
    const struct page_hart *h = &p->hart[n];
    uint8_t lanes[TIMELINE_MODES];
    unsigned count = page_lanes(h, lanes);
    buf_printf(s->out, "%s{\"hart\":%u,\"total\":%zu,\"first\":%u,\"lanes\":[", n ? "," : "", n, h->changes, h->first);
    for (unsigned i = 0; i < count; i++)
        buf_printf(s->out, "%s%u", i ? "," : "", lanes[i]);
    buf_printf(s->out, "],");
    put_changes(s, p, h);
    put_merged(s, p, h);
    put_calls(s, p, h);
    buf_printf(s->out, "\"stays\":[");
    for (unsigned i = 0; i < count; i++) {
        const struct page_stays *k = &h->stays[lanes[i]];
        buf_printf(s->out, "%s[%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "", lanes[i], k->count, k->sum,
                   k->longest, k->at);
    }
    buf_printf(s->out, "],\"causes\":[");
    for (unsigned i = 0; i < h->causes; i++) {
        const struct page_cause *k = &h->cause[i];
        buf_printf(s->out, "%s[%u,%u,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "", k->from, k->to,
                   use(s->used, k->why), k->stays.count, k->stays.sum, k->stays.longest, k->stays.at);
    }
    buf_printf(s->out, "]}");
}

/* ---- the data -------------------------------------------------------------------------------------------------------------- */

static void put_about(const struct page *p, const struct timeline_info *info, struct buf *out)
{
    buf_printf(out, "{\"title\":\"");
    timeline_escape(out, p->info.title);
    buf_printf(out, "\",\"about\":[");
    for (const char *k = p->info.about; *k;) {
        const char *tab = strchr(k, '\t'), *nl = strchr(k, '\n');
        char *key = strndup(k, (size_t)(tab - k)), *value = strndup(tab + 1, (size_t)(nl - tab - 1));
        if (!key || !value)
            abort(); /* out of host memory: nothing sensible can go on */
        buf_printf(out, "%s[\"", k == p->info.about ? "" : ",");
        timeline_escape(out, key);
        buf_printf(out, "\",\"");
        timeline_escape(out, value);
        buf_printf(out, "\"]");
        free(key);
        free(value);
        k = nl + 1;
    }
    buf_printf(out, "],\"hz\":%" PRIu64 ",\"first\":%" PRIu64 ",\"end\":%" PRIu64 ",\"piece\":%" PRIu64 ",\"modes\":[",
               p->info.hz, p->info.first, info->end, p->piece);
    for (unsigned m = 0; m < TIMELINE_MODES; m++)
        buf_printf(out, "%s\"%s\"", m ? "," : "", p->mode_name[m]);
    buf_printf(out, "],");
}

static void put_data(const struct page *p, const struct timeline_info *info, struct buf *out)
{
    struct used u = {.p = p};
    u.number = calloc((size_t)p->strings + 1, sizeof *u.number);
    u.list = calloc((size_t)p->strings + 1, sizeof *u.list);
    if (!u.number || !u.list)
        abort(); /* out of host memory: nothing sensible can go on */
    struct put s = {.used = &u, .out = out};
    put_about(p, info, out);
    buf_printf(out, "\"harts\":[");
    for (unsigned n = 0; n < p->info.harts; n++)
        put_hart(&s, p, n);
    buf_printf(out, "],\"marks\":[");
    for (size_t i = 0; i < p->marks; i++)
        buf_printf(out, "%s[%" PRIu64 ",%u,%u]", i ? "," : "", p->mark[i].cycle, use(&u, p->mark[i].text), p->mark[i].kind);
    buf_printf(out, "],\"shown\":%zu,\"callsLeftOut\":%zu,\"marksLeftOut\":%zu,", s.shown, p->calls_left_out, p->marks_left_out);
    put_strings(&u, out);
    buf_printf(out, "}");
    free(u.number);
    free(u.list);
}

static void end(void *ctx, const struct timeline_info *info, struct buf *out)
{
    static const char here[] = "@DATA@", name[] = "@TITLE@";
    struct page *p = ctx;
    const char *title = strstr(export_page_html, name), *data = strstr(export_page_html, here);
    page_close(p, info);
    buf_put(out, export_page_html, (size_t)(title - export_page_html));
    for (const char *c = p->info.title; *c; c++)
        if (strchr("<>&\"", *c))
            buf_printf(out, "&#%d;", *c);
        else
            buf_put_u8(out, (uint8_t)*c);
    title += sizeof name - 1;
    buf_put(out, title, (size_t)(data - title));
    put_data(p, info, out);
    buf_printf(out, "%s", data + sizeof here - 1);
    page_free(p);
}

const struct timeline_form timeline_html = {begin, item, end};
