#include "debug/symbols.h"
#include "machine/machine.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAR (UINT64_C(1) << 20) /* an address so far behind a symbol of unknown size has nothing to do with it */

const char *symbols_near(struct machine *m, uint64_t va, uint64_t *offset)
{
    const struct symbols *all = &m->setup->loader.symbols;
    const struct symbol *s = symbols_at(all, va);
    while (s && s->name[0] == '$') /* marks of the assembler, not names */
        s = s > all->by_value ? s - 1 : NULL;
    if (!s || va - s->value >= FAR)
        return NULL;
    *offset = va - s->value;
    return s->name;
}

size_t symbols_text(struct machine *m, uint64_t va, char *out, size_t cap)
{
    uint64_t offset;
    const char *name = symbols_near(m, va, &offset);
    int n;
    if (!name)
        n = snprintf(out, cap, "0x%" PRIx64, va);
    else if (!offset)
        n = snprintf(out, cap, "%s", name);
    else
        n = snprintf(out, cap, "%s+0x%" PRIx64, name, offset);
    return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static bool number(const char *text, uint64_t *v)
{
    char *end;
    errno = 0;
    *v = strtoull(text, &end, 0);
    return isdigit((unsigned char)*text) && !*end && !errno;
}

bool symbols_parse(struct machine *m, const char *text, uint64_t *va, struct err *e)
{
    char name[128];
    const char *plus = strchr(text, '+');
    size_t n = plus ? (size_t)(plus - text) : strlen(text);
    uint64_t offset = 0;
    if (number(text, va))
        return true;
    if (!n || n >= sizeof name || (plus && !number(plus + 1, &offset)))
        return err_set(e, "'%s' is no address: write SYMBOL, SYMBOL+0x10 or 0x80200000", text);
    memcpy(name, text, n);
    name[n] = '\0';
    if (!machine_symbol(m, name, va))
        return err_set(e, "'%s': no image has the symbol '%s'", text, name);
    *va += offset;
    return true;
}
