/* Symbols of the loaded ELF images: names to values and back. Constant after loading. */
#ifndef TL_MACHINE_SYMBOLS_H
#define TL_MACHINE_SYMBOLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
    char *name;
    uint64_t value; /* as linked (virtual), moved by the load bias of a position-independent image */
    uint64_t size;  /* bytes; 0: unknown */
    bool absolute;  /* a number, which only by chance is an address: nothing lies behind it */
};

struct symbols {
    struct symbol *by_value; /* ascending value; equal values: ascending name */
    struct symbol **by_name; /* ascending name; equal names: ascending value */
    size_t count, cap;
};

void symbols_free(struct symbols *s);
/* Adds a copy. Call symbols_sort before looking anything up. */
void symbols_add(struct symbols *s, const char *name, uint64_t value, uint64_t size, bool absolute);
void symbols_sort(struct symbols *s);
/* The symbol of that name (the lowest value if several have it), or NULL. */
const struct symbol *symbols_find(const struct symbols *s, const char *name);
/* The symbol that address lies in: the nearest at or below it whose size, if known, reaches it; an absolute one only at its own
   value. NULL if none. */
const struct symbol *symbols_at(const struct symbols *s, uint64_t address);
#endif
