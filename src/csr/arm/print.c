#include "csr/arm/print.h"
#include "csr/arm/internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* snprintf behind the n characters that are there. */
static int append(char *out, size_t cap, int n, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t at = (size_t)n < cap ? (size_t)n : cap;
    int more = vsnprintf(out ? out + at : NULL, cap - at, fmt, args);
    va_end(args);
    return n + more;
}

static bool worth_a_word(const struct sysreg_field *f)
{
    return f->rule != RULE_RES0 && f->rule != RULE_RES1 && f->msb - f->lsb < 63 && strncmp(f->name, "E2H_", 4) != 0;
}

int sysreg_print(unsigned id, uint64_t value, char *out, size_t cap)
{
    char name[40];
    const struct sysreg_row *row = sysreg_row_of(id);
    sysreg_name(id, name, sizeof name);
    int n = append(out, cap, 0, "%s=0x%llx", name, (unsigned long long)value);
    for (int at = 63; row && at >= 0; at--) { /* rows list some fields twice, by layout: the highest bit decides the order */
        for (unsigned i = 0; i < row->nfields; i++) {
            const struct sysreg_field *f = &row->fields[i];
            uint64_t v = bits_get(value, f->msb, f->lsb);
            if (f->msb == at && v && worth_a_word(f))
                n = append(out, cap, n, f->msb - f->lsb > 7 ? " %s=0x%llx" : " %s=%llu", f->name, (unsigned long long)v);
        }
    }
    return n;
}
