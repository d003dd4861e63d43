#include "csr/arm/print.h"
#include "csr/arm/internal.h"
#include "base/text.h"

#include <string.h>

static bool worth_a_word(const struct sysreg_field *f)
{
    return f->rule != RULE_RES0 && f->rule != RULE_RES1 && f->msb - f->lsb < 63 && strncmp(f->name, "E2H_", 4) != 0;
}

int sysreg_print(unsigned id, uint64_t value, char *out, size_t cap)
{
    char name[40];
    const struct sysreg_row *row = sysreg_row_of(id);
    sysreg_name(id, name, sizeof name);
    size_t n = text_append(out, cap, 0, "%s=0x%llx", name, (unsigned long long)value);
    for (int at = 63; row && at >= 0; at--) { /* rows list some fields twice, by layout: the highest bit decides the order */
        for (unsigned i = 0; i < row->nfields; i++) {
            const struct sysreg_field *f = &row->fields[i];
            uint64_t v = bits_get(value, f->msb, f->lsb);
            if (f->msb == at && v && worth_a_word(f))
                n = text_append(out, cap, n, f->msb - f->lsb > 7 ? " %s=0x%llx" : " %s=%llu", f->name, (unsigned long long)v);
        }
    }
    return (int)n;
}
