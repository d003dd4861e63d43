#include "debug/aim.h"
#include "base/bits.h"
#include "debug/target.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const kinds[] = {[AIM_TRAP] = "trap", [AIM_RETURN] = "return", [AIM_MODE] = "mode", [AIM_CALL] = "call"};

/* ---- causes by name -------------------------------------------------------------------------------------------------------- */

/* Whether text is the beginning of name, whatever its case, with '-' and '_' for blanks. */
static bool begins(const char *name, const char *text)
{
    for (; *text; text++, name++) {
        char c = *text == '-' || *text == '_' ? ' ' : *text;
        if (tolower((unsigned char)c) != tolower((unsigned char)*name))
            return false;
    }
    return true;
}

/* Whether the words of text begin words of name, in this order: "store page" is in "store/AMO page fault". */
static bool has_words(const char *name, const char *text)
{
    static const char blanks[] = " -_/";
    while (*(text += strspn(text, blanks))) {
        size_t n = strcspn(text, blanks);
        for (name += strspn(name, blanks); strncasecmp(name, text, n) != 0; name += strspn(name, blanks))
            if (!*(name += strcspn(name, blanks)))
                return false;
        name += strcspn(name, blanks);
        text += n;
    }
    return true;
}

static bool is_beginning(const struct target_cause *k, const char *text) { return begins(k->name, text); }
static bool is_in_name(const struct target_cause *k, const char *text) { return has_words(k->name, text); }
static bool is_in_meaning(const struct target_cause *k, const char *text) { return k->meaning && has_words(k->meaning, text); }

/* Every cause that fits in the first of these ways in which any does. */
static bool find_causes(struct machine *m, const char *text, struct aim *a)
{
    static bool (*const fits[])(const struct target_cause *k, const char *text) = {is_beginning, is_in_name, is_in_meaning};
    const struct target_ops *t = target_ops(m);
    struct target_cause k;
    bool found = false;
    for (unsigned w = 0; w < ARRAY_LEN(fits) && !found; w++)
        for (unsigned i = 0; t->cause_at(i, &k); i++) {
            if (!fits[w](&k, text))
                continue;
            *(k.interrupt ? &a->interrupts : &a->exceptions) |= UINT64_C(1) << k.number;
            found = true;
        }
    return found;
}

static bool parse_causes(struct machine *m, const char *text, struct aim *a)
{
    char *end;
    uint64_t n = strtoull(text, &end, 0);
    if (!*text || !strcmp(text, "all"))
        a->exceptions = UINT64_MAX;
    if (!*text || !strcmp(text, "irq"))
        a->interrupts = UINT64_MAX;
    if (a->exceptions | a->interrupts)
        return true;
    if (*text < '0' || *text > '9')
        return find_causes(m, text, a);
    if (*end || n > 63)
        return false;
    a->exceptions = UINT64_C(1) << n;
    return true;
}

/* ---- the aim --------------------------------------------------------------------------------------------------------------- */

bool aim_parse(struct machine *m, const char *kind, const char *rest, struct aim *a, struct err *e)
{
    *a = (struct aim){0};
    while (strcmp(kind, kinds[a->kind]) != 0)
        if (++a->kind == ARRAY_LEN(kinds))
            return err_set(e, "'%s' is none of trap, return, mode, call", kind);
    if (a->kind == AIM_TRAP && !parse_causes(m, rest, a))
        return err_set(e, "'%s' is no cause of a trap", rest);
    if (strlen(rest) >= sizeof a->name)
        return err_set(e, "'%s' is too long a name", rest);
    snprintf(a->name, sizeof a->name, "%s", rest);
    return true;
}

static bool has_cause(const struct aim *a, struct machine *m, const struct machine_change *c)
{
    uint64_t set = c->interrupt || c->nmi ? a->interrupts : a->exceptions, n = target_ops(m)->number(c);
    return set == UINT64_MAX || (!c->nmi && n < 64 && (set >> n & 1));
}

bool aim_meets(const struct aim *a, struct machine *m, const struct machine_change *c)
{
    const struct target_ops *t = target_ops(m);
    char text[512];
    switch (a->kind) {
    case AIM_TRAP: return !c->is_return && has_cause(a, m, c);
    case AIM_RETURN: return c->is_return;
    case AIM_MODE:
        t->mode(c->to_priv, c->to_v, text);
        return (c->priv != c->to_priv || c->v != c->to_v) && (!*a->name || !strcasecmp(text, a->name));
    default: return t->call(m, c, text, sizeof text) && strstr(text, a->name);
    }
}

static void put_causes(const struct aim *a, struct machine *m, bool interrupt, struct buf *out)
{
    uint64_t left = interrupt ? a->interrupts : a->exceptions;
    const struct target_ops *t = target_ops(m);
    struct target_cause k;
    for (unsigned i = 0; left && left != UINT64_MAX && t->cause_at(i, &k); i++) {
        if (k.interrupt != interrupt || !(left >> k.number & 1))
            continue;
        left &= ~(UINT64_C(1) << k.number);
        buf_printf(out, "trap %s (%s %u)\n", k.name, interrupt ? "interrupt" : t->number_name, k.number);
    }
    if (left == UINT64_MAX)
        buf_printf(out, "trap %s\n", interrupt ? "irq" : "all");
    for (unsigned n = 0; left && left != UINT64_MAX && n < 64; n++)
        if (left >> n & 1)
            buf_printf(out, "trap (%s %u)\n", t->number_name, n);
}

void aim_text(const struct aim *a, struct machine *m, struct buf *out)
{
    if (a->kind == AIM_TRAP) {
        put_causes(a, m, false, out);
        put_causes(a, m, true, out);
    } else {
        buf_printf(out, "%s%s%s\n", kinds[a->kind], *a->name ? " " : "", a->name);
    }
}
