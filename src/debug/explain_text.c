/* Explanations as text: a line a fact, wrapped to the width; what decided is starred, sections of the specification are numbered
   and listed behind. Levels of two-stage walks stand side by side. */
#include "base/bits.h"
#include "base/buf.h"
#include "debug/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAUSES   64
#define LABEL_MAX 30
#define VALUE_MAX 26
#define NARROW    60
#define USUAL     100

static const char bold[] = "\033[1m", dim[] = "\033[2m", yellow[] = "\033[33m", red[] = "\033[1;31m", plain[] = "\033[0m";

struct page {
    struct buf out;
    unsigned columns;
    bool colour;
    const char *clause[CLAUSES];
    unsigned clauses;
};

/* ---- pieces
 * --------------------------------------------------------------------------------------------------------------------- */

static unsigned clause_number(struct page *p, const char *clause)
{
    for (unsigned i = 0; i < p->clauses; i++)
        if (!strcmp(p->clause[i], clause))
            return i + 1;
    if (p->clauses == CLAUSES)
        return 0;
    p->clause[p->clauses++] = clause;
    return p->clauses;
}

static void value_text(const struct fact *f, char out[64])
{
    *out = '\0';
    if (!f->has_value)
        return;
    bool changed = f->has_change && f->old != f->value;
    if (changed && f->digits)
        snprintf(out, 64, "0x%" PRIx64 " -> 0x%" PRIx64, f->old, f->value);
    else if (changed)
        snprintf(out, 64, "%" PRIu64 " -> %" PRIu64, f->old, f->value);
    else if (f->digits)
        snprintf(out, 64, "0x%" PRIx64, f->value);
    else
        snprintf(out, 64, "%" PRIu64, f->value);
}

/* The text of a fact with the number of its clause. */
static char *text_of(struct page *p, const struct fact *f)
{
    struct buf b = {0};
    unsigned n = *f->clause ? clause_number(p, f->clause) : 0;
    bool same = f->has_change && f->old == f->value;
    buf_printf(&b, "%s%s%s", same ? "as before" : "", same && *f->text ? ": " : "", f->text);
    if (n)
        buf_printf(&b, "%s[%u]", b.len ? " " : "", n);
    buf_put_u8(&b, '\0');
    return (char *)b.data;
}

/* How many bytes of text go on a line of `width` columns: up to a blank, if there is one. The texts are ASCII. */
static size_t line_length(const char *text, size_t width)
{
    size_t n = strlen(text);
    if (n <= width)
        return n;
    size_t cut = width;
    while (cut && text[cut] != ' ')
        cut--;
    return cut ? cut : width;
}

static const char *skip_blanks(const char *text) { return text + strspn(text, " "); }

static void mark(struct page *p, const struct fact *f)
{
    const char *sign = f->mark == FACT_WRONG ? "!" : f->mark == FACT_DECIDES ? "*" : " ";
    if (p->colour && f->mark != FACT_PLAIN)
        buf_printf(&p->out, "%s%s%s", f->mark == FACT_WRONG ? red : yellow, sign, plain);
    else
        buf_printf(&p->out, "%s", sign);
}

/* ---- two stages side by side
 * ------------------------------------------------------------------------------------------------------ */

/* Lines of one half. */
struct half {
    char **line;
    size_t n;
};

static void half_add(struct half *h, const char *text, size_t width, unsigned hang)
{
    for (unsigned indent = 0; *text; indent = hang) {
        size_t n = line_length(text, width - indent);
        char *s = malloc(indent + n + 1);
        h->line = realloc(h->line, (h->n + 1) * sizeof *h->line);
        if (!s || !h->line)
            abort(); /* out of host memory: nothing sensible can go on */
        memset(s, ' ', indent);
        memcpy(s + indent, text, n);
        s[indent + n] = '\0';
        h->line[h->n++] = s;
        text = skip_blanks(text + n);
    }
}

static void half_fact(struct page *p, struct half *h, const struct fact *f, size_t width)
{
    char value[64], *text = text_of(p, f);
    struct buf b = {0};
    value_text(f, value);
    buf_printf(&b, "%s%s%s%s%s%s", f->mark == FACT_DECIDES ? "*" : "", f->label, *value ? " " : "", value, *text ? " " : "",
               text);
    buf_put_u8(&b, '\0');
    half_add(h, (const char *)b.data, width, 2);
    buf_free(&b);
    free(text);
    for (const struct fact *c = f->first; c; c = c->next)
        half_fact(p, h, c, width);
}

static void half_free(struct half *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->line[i]);
    free(h->line);
}

static void side_by_side(struct page *p, const struct fact *f, unsigned depth)
{
    unsigned indent = 2 * depth + 2;
    size_t width = (p->columns - indent - 3) / 2;
    struct half left = {0}, right = {0};
    struct fact alone = *f;
    alone.first = alone.last = NULL;
    half_fact(p, &left, &alone, width);
    for (const struct fact *c = f->first; c; c = c->next)
        half_fact(p, &right, c, width);
    for (size_t i = 0; i < left.n || i < right.n; i++) {
        const char *r = i < right.n ? right.line[i] : "";
        buf_printf(&p->out, "%*s%-*s |%s%s\n", (int)indent, "", (int)width, i < left.n ? left.line[i] : "", *r ? " " : "", r);
    }
    half_free(&left);
    half_free(&right);
}

static bool has_second_stage(const struct fact *f)
{
    for (const struct fact *c = f->first; c; c = c->next)
        if (c->stage == FACT_STAGE_2)
            return f->stage == FACT_STAGE_1;
    return false;
}

/* ---- lines
 * --------------------------------------------------------------------------------------------------------------------------- */

struct widths {
    size_t label, value;
};

static struct widths measure(const struct fact *first)
{
    struct widths w = {0, 0};
    char value[64];
    for (const struct fact *f = first; f; f = f->next) {
        value_text(f, value);
        size_t n = strlen(f->label), v = strlen(value);
        w.label = n > w.label && n <= LABEL_MAX ? n : w.label;
        w.value = v > w.value && v <= VALUE_MAX ? v : w.value;
    }
    return w;
}

static void facts(struct page *p, const struct fact *first, unsigned depth);

static void line(struct page *p, const struct fact *f, struct widths w, unsigned depth)
{
    char value[64], *all = text_of(p, f);
    const char *text = all;
    value_text(f, value);
    size_t begin = p->out.len;
    for (unsigned i = 0; i < depth; i++)
        buf_printf(&p->out, "  ");
    mark(p, f);
    buf_printf(&p->out, " %s%-*s%s", p->colour && !depth ? bold : "", (int)w.label, f->label, p->colour && !depth ? plain : "");
    if (w.value)
        buf_printf(&p->out, "  %-*s", (int)w.value, value);
    size_t label = strlen(f->label) > w.label ? strlen(f->label) : w.label, v = strlen(value) > w.value ? strlen(value) : w.value;
    size_t at = 2 * depth + 2 + label + (w.value ? 2 + v : 0) + 2,
           hang = 2 * depth + 2 + w.label + (w.value ? 2 + w.value : 0) + 2;
    size_t room = at < p->columns ? p->columns - at : 0;
    if (*text && (room < 12 || hang + 12 > p->columns)) {
        hang = 2 * depth + 6;
        room = 0;
    }
    for (bool more = false; *text; more = true) {
        size_t n = room ? line_length(text, room) : 0;
        buf_printf(&p->out, "%s%*s%.*s", more || !room ? "\n" : "", more || !room ? (int)hang : 2, "",
                   (int)(room ? n : (n = line_length(text, p->columns - hang))), text);
        text = skip_blanks(text + n);
        room = p->columns - hang;
    }
    while (p->out.len > begin && p->out.data[p->out.len - 1] == ' ')
        p->out.len--;
    buf_printf(&p->out, "\n");
    free(all);
}

static void facts(struct page *p, const struct fact *first, unsigned depth)
{
    struct widths w = depth ? measure(first) : (struct widths){0, 0};
    for (const struct fact *f = first; f; f = f->next) {
        if (!depth)
            buf_printf(&p->out, "\n");
        if (has_second_stage(f)) {
            side_by_side(p, f, depth);
            continue;
        }
        line(p, f,
             depth
                 ? w
                 : measure(&(struct fact){.label = f->label, .has_value = f->has_value, .value = f->value, .digits = f->digits}),
             depth);
        facts(p, f->first, depth + 1);
    }
}

char *explain_text(const struct explanation *e, unsigned columns, bool colour)
{
    struct page p = {.columns = !columns ? USUAL : columns < NARROW ? NARROW : columns, .colour = colour};
    buf_printf(&p.out, "%s%s%s\n", colour ? bold : "", e->title, colour ? plain : "");
    buf_printf(&p.out, "hart %u, cycle %" PRIu64 "%s\n", e->hart, e->cycle,
               e->agrees ? "" : " -- THE CPU DID SOMETHING ELSE: see the end");
    facts(&p, e->facts.first, 0);
    if (p.clauses)
        buf_printf(&p.out, "\n");
    for (unsigned i = 0; i < p.clauses; i++)
        buf_printf(&p.out, "%s[%u] %s%s\n", colour ? dim : "", i + 1, p.clause[i], colour ? plain : "");
    buf_put_u8(&p.out, '\0');
    return (char *)p.out.data;
}
