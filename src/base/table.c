#include "base/table.h"
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

static size_t place_of(const struct table *t, uint64_t key)
{
    size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (t->room - 1);
    while (t->key[i] && t->key[i] != key)
        i = (i + 1) & (t->room - 1);
    return i;
}

uint64_t *table_find(const struct table *t, uint64_t key)
{
    if (!t->room)
        return NULL;
    size_t i = place_of(t, key);
    return t->key[i] ? &t->value[i] : NULL;
}

static void grow(struct table *t)
{
    struct table grown = {.room = t->room ? 2 * t->room : 256, .n = t->n};
    grown.key = must(calloc(grown.room, sizeof *grown.key));
    grown.value = must(calloc(grown.room, sizeof *grown.value));
    for (size_t i = 0; i < t->room; i++) {
        if (!t->key[i])
            continue;
        size_t to = place_of(&grown, t->key[i]);
        grown.key[to] = t->key[i];
        grown.value[to] = t->value[i];
    }
    table_free(t);
    *t = grown;
}

uint64_t *table_add(struct table *t, uint64_t key)
{
    if (2 * t->n >= t->room)
        grow(t);
    size_t i = place_of(t, key);
    t->n += !t->key[i];
    t->key[i] = key;
    return &t->value[i];
}

static uint64_t *copy_of(const uint64_t *p, size_t n) { return n ? memcpy(must(malloc(n * sizeof *p)), p, n * sizeof *p) : NULL; }

struct table table_copy(const struct table *t)
{
    return (struct table){copy_of(t->key, t->room), copy_of(t->value, t->room), t->n, t->room};
}

void table_free(struct table *t)
{
    free(t->key);
    free(t->value);
    *t = (struct table){0};
}
