/* Two golden texts beside each other. */
#include "debug/golden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE 4 /* lines told before the difference */
#define RUN    3 /* lines that must agree behind an interrupt that is stepped over */

/* A place in a text. Lines that end in " x" N are N lines. */
struct place {
    const char *p; /* the line; at the end of the text "" */
    size_t len;    /* of it, without " x" N */
    uint64_t left; /* times it still comes */
    uint64_t number;
};

static void look(struct place *a, bool runs)
{
    a->len = strcspn(a->p, "\n");
    a->left = 1;
    if (!runs)
        return;
    size_t digits = 0;
    while (digits < a->len && a->p[a->len - digits - 1] >= '0' && a->p[a->len - digits - 1] <= '9')
        digits++;
    if (!digits || digits + 2 > a->len || memcmp(a->p + a->len - digits - 2, " x", 2))
        return;
    a->left = strtoull(a->p + a->len - digits, NULL, 10);
    a->len -= digits + 2;
}

static void next(struct place *a, bool runs)
{
    a->p += strcspn(a->p, "\n");
    a->p += *a->p == '\n';
    a->number++;
    look(a, runs);
}

/* ---- lines that agree ------------------------------------------------------------------------------------------------------ */

static bool is_listed(const char *list, const char *word, size_t n)
{
    for (const char *p = list; p && *p; p += *p == ',') {
        size_t len = strcspn(p, ",");
        if (len == n && !memcmp(p, word, n))
            return true;
        p += len;
    }
    return false;
}

/* Word by word, but what stands behind a name of the mask. */
static bool agree(const struct place *a, const struct place *b, struct golden_tolerance *t)
{
    static const char between[] = " ,()=";
    const char *p = a->p, *q = b->p, *p_end = p + a->len, *q_end = q + b->len;
    bool masked = false;
    if (!*p || !*q)
        return !*p && !*q;
    if (!t->mask)
        return a->len == b->len && !memcmp(p, q, a->len);
    while (p < p_end && q < q_end) {
        size_t n = strcspn(p, between), k = strcspn(q, between);
        n = n < (size_t)(p_end - p) ? n : (size_t)(p_end - p);
        k = k < (size_t)(q_end - q) ? k : (size_t)(q_end - q);
        bool same = n == k && !memcmp(p, q, n);
        if (!same && !masked)
            return false;
        t->masked += !same;
        masked = n ? is_listed(t->mask, p, n) : masked; /* several blanks are one */
        for (p += n, q += k; p < p_end && q < q_end && *p == *q && strchr(between, *p); p++, q++)
            continue;
        if (p < p_end && q < q_end && strchr(between, *p) != NULL && *p != *q)
            return false;
    }
    return p == p_end && q == q_end;
}

/* ---- interrupts ------------------------------------------------------------------------------------------------------------ */

static bool is_interrupt(const struct place *a)
{
    static const char *const names[] = {" interrupt", ": IRQ", ": FIQ", ": SError", ": RNMI"};
    char line[256];
    snprintf(line, sizeof line, "%.*s", (int)a->len, a->p);
    if (*line != 'h' || !strstr(line, " -> "))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strstr(line, names[i]))
            return true;
    return false;
}

/* The hart and mode a line of the text begins with: "h0 EL0"; "" if it does not. `to`: the mode a trap goes to, or "". */
static void ends_of(const struct place *a, char from[32], char to[24])
{
    char line[256];
    unsigned hart;
    char mode[24] = "";
    snprintf(line, sizeof line, "%.*s", (int)a->len, a->p);
    const char *arrow = strstr(line, " -> ");
    *from = *to = '\0';
    if (sscanf(line, "h%u %23s", &hart, mode) == 2)
        snprintf(from, 32, "h%u %.23s", hart, mode);
    if (arrow)
        sscanf(arrow, " -> %23s", to);
}

/* Whether this line is no more of what an interrupt of `from` led to: what it came upon goes on, or is interrupted again, or
   something is told that is no trap. */
static bool is_behind(const struct place *a, const char from[32])
{
    char here[32], to[24];
    ends_of(a, here, to);
    return !strcmp(here, from) || (!*here && strncmp(a->p, "? ", 2) != 0);
}

/* Whether both go on alike for a while: until an interrupt, at least. */
static bool go_on_alike(struct place a, struct place b, struct golden_tolerance *t)
{
    for (unsigned i = 0; i < RUN; i++) {
        if (!agree(&a, &b, t))
            return i && (is_interrupt(&a) || is_interrupt(&b));
        if (!*a.p)
            return true;
        uint64_t n = a.left < b.left ? a.left : b.left;
        if (!(a.left -= n))
            next(&a, true);
        if (!(b.left -= n))
            next(&b, true);
    }
    return true;
}

/* Steps over an interrupt at which a is: to behind what it led to, or, where the handler's mode is the interrupted one, to where
   b is. False: that is nowhere within reach. */
static bool step_over(struct place *a, const struct place *b, struct golden_tolerance *t)
{
    struct place at = *a;
    char from[32], to[24];
    uint64_t masked = t->masked;
    bool found = false;
    if (!t->interrupt || !is_interrupt(a))
        return false;
    ends_of(a, from, to);
    if (!*from)
        return false;
    bool own_mode = !strcmp(strchr(from, ' ') + 1, to);
    for (uint64_t i = 0; i < t->interrupt && !found; i++) {
        if (i || --at.left == 0)
            next(&at, true);
        found = own_mode ? go_on_alike(at, *b, t) : !*at.p || is_behind(&at, from);
    }
    t->masked = masked;
    if (found)
        *a = at;
    return found;
}

/* ---- both texts ------------------------------------------------------------------------------------------------------------ */

static void tell(struct buf *text, const char *mark, const char *p)
{
    if (*p)
        buf_printf(text, "  %s %.*s\n", mark, (int)strcspn(p, "\n"), p);
    else
        buf_printf(text, "  %s (nothing more)\n", mark);
}

bool golden_compare(const char *recorded, const char *here, struct golden_tolerance *t, struct buf *text)
{
    struct golden_tolerance none = {0};
    const char *before[BEFORE] = {NULL};
    bool runs = t && (t->interrupt || t->mask); /* a line in the middle of equal ones may be another */
    struct place a = {.p = recorded, .number = 1}, b = {.p = here, .number = 1};
    t = t ? t : &none;
    look(&a, runs);
    look(&b, runs);
    while (*a.p || *b.p) {
        if (!agree(&a, &b, t)) {
            bool first = step_over(&a, &b, t);
            if (!first && !step_over(&b, &a, t))
                break;
            t->stepped[!first]++;
            continue;
        }
        uint64_t n = a.left < b.left ? a.left : b.left;
        memmove(before, before + 1, sizeof before - sizeof *before);
        before[BEFORE - 1] = a.p;
        if (!(a.left -= n))
            next(&a, runs);
        if (!(b.left -= n))
            next(&b, runs);
    }
    if (!*a.p && !*b.p)
        return true;
    buf_printf(text, "line %" PRIu64 " of the run differs:\n", a.number);
    for (unsigned i = 0; i < BEFORE; i++)
        if (before[i])
            tell(text, " ", before[i]);
    tell(text, "-", a.p);
    tell(text, "+", b.p);
    return false;
}
