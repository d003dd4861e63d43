#include "debug/arm/esr.h"
#include "base/bits.h"
#include "csr/arm/sysreg.h"

#include <stdio.h>
#include <string.h>

enum format {
#define FORMAT(name, title) FORMAT_##name,
#include "debug/arm/esr.def"
};
enum list {
    LIST_NONE,
    LIST_WFX,
    LIST_DIRECTION,
    LIST_LDC,
    LIST_LS64,
    LIST_ERET,
    LIST_ERETA,
    LIST_PACKEY,
    LIST_SMTC,
    LIST_SET,
    LIST_SAS,
    LIST_WNR,
    LIST_MOPS,
    LIST_AET,
    LIST_SERROR,
    LIST_PROFILE,
    LIST_FSC
};

static const struct esr_class classes[] = {
#define CLASS(ec, format, name) {ec, FORMAT_##format, name},
#include "debug/arm/esr.def"
};
static const char *const titles[] = {
#define FORMAT(name, title) title,
#include "debug/arm/esr.def"
};
static const struct esr_field fields[] = {
#define FIELD(format, name, msb, lsb, list, meaning) {FORMAT_##format, msb, lsb, LIST_##list, #name, meaning},
#include "debug/arm/esr.def"
};
static const struct {
    uint8_t list;
    uint32_t value;
    const char *name;
} values[] = {
#define VALUE(list, value, name) {LIST_##list, value, name},
#include "debug/arm/esr.def"
};

const struct esr_class *esr_class_at(unsigned i) { return i < ARRAY_LEN(classes) ? &classes[i] : NULL; }

const struct esr_class *esr_class(unsigned ec)
{
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i].ec == ec)
            return &classes[i];
    return NULL;
}

const char *esr_format_title(const struct esr_class *c) { return titles[c->format]; }

const struct esr_field *esr_field_at(const struct esr_class *c, unsigned i)
{
    for (unsigned k = 0; k < ARRAY_LEN(fields); k++)
        if (fields[k].format == c->format && !i--)
            return &fields[k];
    return NULL;
}

const char *esr_value_at(const struct esr_field *f, unsigned i, uint32_t *value)
{
    for (unsigned k = 0; k < ARRAY_LEN(values) && f->list != LIST_NONE; k++)
        if (values[k].list == f->list && !i--)
            return *value = values[k].value, values[k].name;
    return NULL;
}

const char *esr_value_name(const struct esr_field *f, uint64_t value)
{
    uint32_t v;
    const char *name;
    for (unsigned i = 0; (name = esr_value_at(f, i, &v)); i++)
        if (v == value)
            return name;
    return "";
}

void esr_sysreg(uint64_t iss, char *out, size_t cap)
{
    unsigned key = sysreg_key((unsigned)bits_get(iss, 21, 20), (unsigned)bits_get(iss, 16, 14), (unsigned)bits_get(iss, 13, 10),
                              (unsigned)bits_get(iss, 4, 1), (unsigned)bits_get(iss, 19, 17));
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        if (sysreg_key_of(id) == key) {
            sysreg_name(id, out, cap);
            return;
        }
    sysreg_generic_name(key, out, cap);
}

/* Arm ARM "FAR_EL1, Fault Address Register (EL1)": aborts, unless ESR_ELx.FnV says that it is not valid, PC alignment and
   watchpoints. */
bool esr_has_far(uint64_t esr)
{
    enum { FNV = 1 << 10 };
    unsigned ec = (unsigned)bits_get(esr, 31, 26);
    bool abort = ec == 0x20 || ec == 0x21 || ec == 0x24 || ec == 0x25;
    return abort ? !(esr & FNV) : ec == 0x22 || ec == 0x34 || ec == 0x35;
}

int esr_text(uint64_t esr, char *out, size_t cap)
{
    const struct esr_class *c = esr_class((unsigned)bits_get(esr, 31, 26));
    const struct esr_field *f;
    char reg[48];
    if (!c)
        return snprintf(out, cap, "reserved exception class 0x%02x", (unsigned)bits_get(esr, 31, 26));
    int n = snprintf(out, cap, "%s", c->name);
    const char *sep = ": ";
    if (c->format == FORMAT_SYS64) {
        esr_sysreg(esr, reg, sizeof reg);
        return n + snprintf(out + n, cap - (size_t)n, ": %s of %s", esr & 1 ? "read" : "write", reg);
    }
    for (unsigned i = 0; (f = esr_field_at(c, i)) && n >= 0 && (size_t)n < cap; i++) {
        uint64_t v = bits_get(esr, f->msb, f->lsb);
        bool code =
            f->list == LIST_FSC || f->list == LIST_WNR || f->list == LIST_WFX || f->list == LIST_SERROR || f->list == LIST_AET;
        if (f->list == LIST_AET && bits_get(esr, 5, 0) != 0x11)
            continue; /* RES0 */
        if (code && *esr_value_name(f, v))
            n += snprintf(out + n, cap - (size_t)n, "%s%s", sep, esr_value_name(f, v));
        else if (c->format == FORMAT_IMM16)
            n += snprintf(out + n, cap - (size_t)n, "%s#0x%x", sep, (unsigned)v);
        else
            continue;
        sep = ", ";
    }
    return n;
}
