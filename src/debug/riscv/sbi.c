/* The tables of sbi.def, and looking things up in them. */
#include "debug/riscv/sbi.h"
#include "base/bits.h"

#include <string.h>
#include <strings.h>

/* The errors column. */
enum {
#define ERROR(code, name, meaning) name = SBI_ERROR_BIT(code),
#include "debug/riscv/sbi.def"
};

static const struct sbi_ext_row exts[SBI_EXT_COUNT] = {
#define EXT(name, first, last, since, title) [SBI_EXT_##name] = {#name, first, last, since, title},
#include "debug/riscv/sbi.def"
};

static const struct sbi_func_row funcs[] = {
#define ARG(name, kind) {#name, SBI_KIND_##kind},
#define FUNC(ext, fid, name, since, value, errors, title, args) \
    {SBI_EXT_##ext, fid, #name, since, title, SBI_KIND_##value, errors, {args{NULL, SBI_KIND_none}}},
#include "debug/riscv/sbi.def"
#undef ARG
};

static const struct sbi_error_row errors[] = {
#define ERROR(code, name, meaning) {code, (code) ? "SBI_ERR_" #name : "SBI_" #name, meaning},
#include "debug/riscv/sbi.def"
};

static const struct sbi_kind_row kinds[SBI_KIND_COUNT] = {
#define KIND(name, bits, base, ext, title) [SBI_KIND_##name] = {#name, title, bits, base, SBI_EXT_##ext},
#include "debug/riscv/sbi.def"
};

static const struct sbi_value_row values[] = {
#define VALUE(kind, v, name, meaning)           {SBI_KIND_##kind, false, v, v, UINT64_MAX, name, meaning},
#define SPAN(kind, first, last, name, meaning)  {SBI_KIND_##kind, false, first, last, UINT64_MAX, name, meaning},
#define MATCH(kind, mask, value, name, meaning) {SBI_KIND_##kind, false, value, value, mask, name, meaning},
#define FLAG(kind, msb, lsb, name, meaning)     {SBI_KIND_##kind, true, lsb, msb, 0, name, meaning},
#include "debug/riscv/sbi.def"
};

const struct sbi_ext_row *sbi_ext(enum sbi_ext ext) { return &exts[ext]; }
const struct sbi_error_row *sbi_error_at(unsigned i) { return i < ARRAY_LEN(errors) ? &errors[i] : NULL; }
const struct sbi_func_row *sbi_func_at(unsigned i) { return i < ARRAY_LEN(funcs) ? &funcs[i] : NULL; }
const struct sbi_kind_row *sbi_kind(enum sbi_kind kind) { return &kinds[kind]; }
const struct sbi_value_row *sbi_value_at(unsigned i) { return i < ARRAY_LEN(values) ? &values[i] : NULL; }

enum sbi_ext sbi_ext_of(uint64_t eid)
{
    /* A 32-bit number in a register of 64: sign-extended by the calling convention (binary encoding). */
    if (eid != (uint32_t)eid && eid != (uint64_t)(int64_t)(int32_t)eid)
        return SBI_EXT_NONE;
    for (unsigned i = 1; i < SBI_EXT_COUNT; i++)
        if ((uint32_t)eid >= exts[i].first && (uint32_t)eid <= exts[i].last)
            return (enum sbi_ext)i;
    return SBI_EXT_NONE;
}

enum sbi_ext sbi_ext_by_name(const char *name)
{
    for (unsigned i = 1; i < SBI_EXT_COUNT; i++)
        if (!strcasecmp(exts[i].name, name))
            return (enum sbi_ext)i;
    return SBI_EXT_NONE;
}

const struct sbi_func_row *sbi_func_of(uint64_t eid, uint64_t fid)
{
    enum sbi_ext ext = sbi_ext_of(eid);
    uint64_t number = ext == SBI_EXT_LEGACY ? eid : fid;
    for (size_t i = 0; ext != SBI_EXT_NONE && i < ARRAY_LEN(funcs); i++)
        if (funcs[i].ext == ext && funcs[i].fid == number)
            return &funcs[i];
    return NULL;
}

const char *sbi_error_name(int64_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].code == code)
            return errors[i].name;
    return NULL;
}

const struct sbi_value_row *sbi_value_of(enum sbi_kind kind, uint64_t v)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (values[i].kind == kind && !values[i].field && (v & values[i].mask) >= values[i].lo &&
            (v & values[i].mask) <= values[i].hi)
            return &values[i];
    return NULL;
}

bool sbi_has_event(uint32_t id)
{
    enum { PLATFORM = 1 << 14 }; /* of the ids, whoever the event is for */
    const struct sbi_value_row *r = sbi_value_of(SBI_KIND_sse_event, id);
    return id & PLATFORM || (r && r->lo == r->hi && r->lo == id && r->mask == UINT64_MAX);
}

enum sbi_kind sbi_kind_by_name(const char *name)
{
    unsigned i = 0;
    while (i < SBI_KIND_COUNT && strcmp(kinds[i].name, name))
        i++;
    return (enum sbi_kind)i;
}

bool sbi_field_bits(const struct sbi_value_row *r, unsigned xlen, unsigned *msb, unsigned *lsb)
{
    *msb = r->hi == 255 ? xlen - 1 : (unsigned)r->hi;
    *lsb = r->lo == 255 ? xlen - 1 : (unsigned)r->lo;
    return *msb < xlen;
}
