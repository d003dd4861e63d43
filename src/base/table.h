/* A table of 64-bit keys, none of them 0, with a 64-bit value each. Nothing is taken out, and what is found does not depend on
   the order of what was added. */
#ifndef TL_BASE_TABLE_H
#define TL_BASE_TABLE_H
#include <stddef.h>
#include <stdint.h>

struct table { /* all zero: empty */
    uint64_t *key, *value;
    size_t n, room; /* keys; places, a power of two */
};

/* The value of a key; NULL: it is not there. */
uint64_t *table_find(const struct table *t, uint64_t key);
/* The same, and it is there then, with the value 0 if it was not. Others may have moved. */
uint64_t *table_add(struct table *t, uint64_t key);
struct table table_copy(const struct table *t);
void table_free(struct table *t);
#endif
