#include "csr/riscv/print.h"
#include "base/bits.h"
#include "base/text.h"

#include <string.h>

int csr_print(unsigned num, unsigned xlen, uint64_t value, char *out, size_t cap)
{
    char name[24];
    const struct csr_row *row = csr_row_by_num(num);
    csr_name(num, name, sizeof name);
    size_t n = text_append(out, cap, 0, "%s=0x%llx", name, (unsigned long long)value);
    for (unsigned i = row ? row->nfields : 0; i-- > 0;) {
        const struct csr_field *f = &row->fields[i];
        unsigned msb, lsb;
        if (!csr_field_bits(row, f, xlen, &msb, &lsb) || msb - lsb == xlen - 1)
            continue; /* a field as wide as the register says nothing more */
        uint64_t v = bits_get(value, msb, lsb);
        if (v)
            n = text_append(out, cap, n, msb - lsb > 7 ? " %s=0x%llx" : " %s=%llu", f->name, (unsigned long long)v);
    }
    return (int)n;
}
