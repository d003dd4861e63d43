/* The rows as constant tables, and looking them up. */
#include "csr/riscv/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bits of a field: msb32, lsb32, msb64, lsb64. */
#define B(msb, lsb)            msb, lsb, msb, lsb
#define B2(m64, l64, m32, l32) m32, l32, m64, l64
#define B64(msb, lsb)          255, 255, msb, lsb
#define BX                     31, 0, 63, 0
/* WARL rules: rule, argument. */
#define RULE_OF_ANY    RULE_ANY, 0
#define RULE_OF_RO0    RULE_FIX, 0
#define RULE_OF_RO1    RULE_FIX, UINT32_MAX
#define RULE_OF_FIX(v) RULE_FIX, v
#define RULE_OF_SET(v) RULE_SET, v
#define RULE_OF_FN     RULE_FN, 0
#define RULE_OF_RD     RULE_RD, 0
#define FIELD(name, m32, l32, m64, l64, warl, meaning, when, rule, arg) \
    {name, m32, l32, m64, l64, warl, meaning, rule, when, arg},
#define FIELD_OF(...) FIELD(__VA_ARGS__)

#define HIGH(...)
#define HIGHS(...)
#define F(reg, field, bits, when, warl, meaning) FIELD_OF(#field, bits, #warl, meaning, WHEN_##when, RULE_OF_##warl)
#define ROW(kind, name, num, when, read, write, guard, effects, reset, spec, title, ...) \
    static const struct csr_field fields_##name[] = {__VA_ARGS__};
#define RANGE(kind, name, num, first, count, len, when, read, write, guard, effects, reset, spec, title, ...) \
    static const struct csr_field fields_##name[] = {__VA_ARGS__};
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS

/* Owner of each condition, as constants. */
enum {
#define EXT(name, on, needs, title) OWNER_##name = EXT_##name,
#include "csr/riscv/ext.def"
#undef EXT
#define WHEN(name, owner, condition, title) OWNER_##name = EXT_##owner,
#include "csr/riscv/when.def"
#undef WHEN
};

/* Row numbers. */
enum {
#define ROW(kind, name, ...)   INDEX_##name,
#define RANGE(kind, name, ...) INDEX_##name,
#define HIGH(name, ...)        INDEX_##name,
#define HIGHS(name, ...)       INDEX_##name,
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
    INDEX_COUNT
};

static const struct csr_row rows[] = {
#define ROW(kind, name, num, when, read, write, guard, effects, reset, spec, title, ...) \
    {#name, num, 1, 0, false, (enum rv_ext)OWNER_##when, #kind, spec, title, fields_##name, ARRAY_LEN(fields_##name)},
#define RANGE(kind, name, num, first, count, len, when, read, write, guard, effects, reset, spec, title, ...) \
    {#name, num, count, first, false, (enum rv_ext)OWNER_##when, #kind, spec, title, fields_##name, ARRAY_LEN(fields_##name)},
#define HIGH(name, num, low, when, guard, title) \
    {#name, num, 1, 0, true, (enum rv_ext)OWNER_##when, "HIGH", "as " #low, title, fields_##low, ARRAY_LEN(fields_##low)},
#define HIGHS(name, num, first, count, low, when, guard, title) \
    {#name, num, count, first, true, (enum rv_ext)OWNER_##when, "HIGH", "as " #low, title, fields_##low, ARRAY_LEN(fields_##low)},
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
};

#define WORD_OWN(name)   offsetof(struct rv_csrs, name) / 8
#define WORD_OWNS(name)  offsetof(struct rv_csrs, name) / 8
#define WORD_VIEW(name)  CSR_NO_WORD
#define WORD_CONST(name) CSR_NO_WORD
#define WORD_LIVE(name)  CSR_NO_WORD
#define rd_PLAIN         NULL
#define wr_PLAIN         NULL
#define wr_NONE          wr_ignore
#define gate_NONE        NULL
enum {
    TLB = CSR_FX_TLB,
    FLUSH = CSR_FX_FLUSH,
    IRQ = CSR_FX_IRQ,
    TIMER = CSR_FX_TIMER,
    FETCH = CSR_FX_FETCH,
    FP = CSR_FX_FP,
    COUNT = CSR_FX_COUNT,
    CHECK = CSR_FX_CHECK
};

const struct csr_def csr_defs[] = {
#define ROW(kind, name, num, when, read, write, guard, effects, reset, spec, title, ...) \
    {rd_##read, wr_##write, gate_##guard, reset, WORD_##kind(name), effects, WHEN_##when, -1},
#define RANGE(kind, name, num, first, count, len, when, read, write, guard, effects, reset, spec, title, ...) \
    {rd_##read, wr_##write, gate_##guard, reset, WORD_##kind(name), effects, WHEN_##when, -1},
#define HIGH(name, num, low, when, guard, title) {NULL, NULL, gate_##guard, 0, CSR_NO_WORD, 0, WHEN_##when, INDEX_##low},
#define HIGHS(name, num, first, count, low, when, guard, title) \
    {NULL, NULL, gate_##guard, 0, CSR_NO_WORD, 0, WHEN_##when, INDEX_##low},
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
};

bool csr_holds(const struct rv_config *c, enum csr_when when)
{
#define on(x) rv_has(c, EXT_##x)
    switch (when) {
#define EXT(name, def, needs, title) \
    case WHEN_##name:                \
        return on(name);
#include "csr/riscv/ext.def"
#undef EXT
#define WHEN(name, owner, condition, title) \
    case WHEN_##name:                       \
        return condition;
#include "csr/riscv/when.def"
#undef WHEN
    }
#undef on
    return false;
}

unsigned csr_row_count(void) { return INDEX_COUNT; }

const struct csr_row *csr_row_at(unsigned i) { return i < INDEX_COUNT ? &rows[i] : NULL; }

const struct csr_row *csr_row_by_num(unsigned num)
{
    for (unsigned i = 0; i < INDEX_COUNT; i++)
        if (num - rows[i].num < rows[i].count)
            return &rows[i];
    return NULL;
}

void csr_name(unsigned num, char *out, size_t cap)
{
    const struct csr_row *row = csr_row_by_num(num);
    if (!row) {
        snprintf(out, cap, "0x%03x", num);
    } else if (row->count == 1) {
        snprintf(out, cap, "%s", row->name);
    } else {
        int base = (int)strlen(row->name) - row->high;
        snprintf(out, cap, "%.*s%u%s", base, row->name, num - row->num + row->first, row->high ? "h" : "");
    }
}

/* Which of the row's registers is called name ("pmpaddr17" of pmpaddr), or -1. Compared in place: a debugger asks often. */
static int which_of_row(const struct csr_row *row, const char *name)
{
    size_t base = strlen(row->name) - (row->count == 1 ? 0 : row->high);
    if (strncmp(row->name, name, base))
        return -1;
    name += base;
    if (row->count == 1)
        return *name ? -1 : 0;
    unsigned n = 0, digits = 0;
    for (; *name >= '0' && *name <= '9' && digits < 3; digits++)
        n = n * 10 + (unsigned)(*name++ - '0');
    if (!digits || (digits > 1 && name[-(int)digits] == '0') || strcmp(name, row->high ? "h" : ""))
        return -1;
    return n >= row->first && n - row->first < row->count ? (int)(n - row->first) : -1;
}

int csr_num_by_name(const char *name)
{
    for (unsigned i = 0; i < INDEX_COUNT; i++) {
        int k = rows[i].name[0] == name[0] ? which_of_row(&rows[i], name) : -1;
        if (k >= 0)
            return (int)rows[i].num + k;
    }
    return -1;
}

const struct csr_row *csr_row_by_name(const char *name)
{
    int num = csr_num_by_name(name);
    return num < 0 ? NULL : csr_row_by_num((unsigned)num);
}

bool csr_field_exists(const struct rv_config *cfg, const struct csr_field *f) { return csr_holds(cfg, (enum csr_when)f->when); }

bool csr_field_bits(const struct csr_row *row, const struct csr_field *f, unsigned xlen, unsigned *msb, unsigned *lsb)
{
    unsigned m = xlen == 32 ? f->msb32 : f->msb64, l = xlen == 32 ? f->lsb32 : f->lsb64;
    if (m == 255 || (row->high && xlen != 32))
        return false;
    if (xlen == 32) { /* the part of the field that lies in this half */
        unsigned base = row->high ? 32 : 0;
        if (m < base || l > base + 31)
            return false;
        m = (m > base + 31 ? base + 31 : m) - base;
        l = l < base ? 0 : l - base;
    }
    *msb = m;
    *lsb = l;
    return true;
}
