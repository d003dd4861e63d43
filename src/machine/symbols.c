#include "machine/symbols.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void symbols_free(struct symbols *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->by_value[i].name);
    free(s->by_value);
    free(s->by_name);
    *s = (struct symbols){0};
}

void symbols_add(struct symbols *s, const char *name, uint64_t value, uint64_t size, bool absolute)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->by_value = realloc(s->by_value, s->cap * sizeof *s->by_value);
        assert(s->by_value);
    }
    struct symbol *y = &s->by_value[s->count++];
    *y = (struct symbol){.name = strdup(name), .value = value, .size = size, .absolute = absolute};
    assert(y->name);
}

static int compare_value(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_name(const void *a, const void *b)
{
    const struct symbol *x = *(struct symbol *const *)a, *y = *(struct symbol *const *)b;
    int c = strcmp(x->name, y->name);
    if (c || x->value == y->value)
        return c;
    return x->value < y->value ? -1 : 1;
}

void symbols_sort(struct symbols *s)
{
    if (!s->count)
        return;
    qsort(s->by_value, s->count, sizeof *s->by_value, compare_value);
    free(s->by_name);
    s->by_name = malloc(s->count * sizeof *s->by_name);
    assert(s->by_name);
    for (size_t i = 0; i < s->count; i++)
        s->by_name[i] = &s->by_value[i];
    qsort(s->by_name, s->count, sizeof *s->by_name, compare_name);
}

const struct symbol *symbols_find(const struct symbols *s, const char *name)
{
    size_t lo = 0, hi = s->by_name ? s->count : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(s->by_name[mid]->name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return s->by_name && lo < s->count && !strcmp(s->by_name[lo]->name, name) ? s->by_name[lo] : NULL;
}

const struct symbol *symbols_at(const struct symbols *s, uint64_t address)
{
    size_t lo = 0, hi = s->count; /* finds the first symbol above address */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->by_value[mid].value <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct symbol *nearest = NULL;
    for (; lo; lo--) {
        const struct symbol *y = &s->by_value[lo - 1];
        if (y->absolute && y->value != address)
            continue;
        if (nearest && nearest->value != y->value)
            return NULL;
        if (!y->size || address - y->value < y->size)
            return y;
        nearest = y;
    }
    return NULL;
}
