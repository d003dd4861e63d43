/* SBI calls for people and for programs. */
#include "base/bits.h"
#include "debug/riscv/sbi.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text of limited room; what does not fit is dropped. */
struct text {
    char *p;
    size_t len, cap;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t left = t->cap - t->len;
    int n = left ? vsnprintf(t->p + t->len, left, fmt, ap) : 0;
    va_end(ap);
    t->len += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left ? left - 1 : 0;
}

static uint64_t narrow(uint64_t v, unsigned bits) { return bits < 64 ? v & (((uint64_t)1 << bits) - 1) : v; }

static unsigned width(enum sbi_kind kind, unsigned xlen) { return sbi_kind(kind)->bits ? sbi_kind(kind)->bits : xlen; }

static void put_number(struct text *t, enum sbi_kind kind, uint64_t v, unsigned xlen)
{
    int base = sbi_kind(kind)->base;
    unsigned bits = width(kind, xlen);
    v = narrow(v, bits);
    if (base == -10)
        put(t, "%" PRId64, bits_sext(v, bits));
    else if (base == 10 && v != narrow(UINT64_MAX, bits)) /* all ones mean "all" or "none": not a count */
        put(t, "%" PRIu64, v);
    else
        put(t, "0x%" PRIx64, v);
}

/* The fields that are not zero, in braces: {ONESHOT}, {SPVP SPIE}, {width 63 csr 3072}. */
static void put_fields(struct text *t, enum sbi_kind kind, uint64_t v, unsigned xlen)
{
    const struct sbi_value_row *r;
    uint64_t known = 0;
    bool any = false, open = false;
    for (unsigned i = 0; (r = sbi_value_at(i)); i++) {
        unsigned msb, lsb;
        if (r->kind != kind || !r->field || !sbi_field_bits(r, xlen, &msb, &lsb))
            continue;
        any = true;
        uint64_t now = bits_get(v, msb, lsb);
        known |= bits_mask(lsb, msb - lsb + 1);
        if (!now)
            continue;
        put(t, "%s%s", open ? " " : " {", r->name);
        if (msb != lsb)
            put(t, " %" PRIu64, now);
        open = true;
    }
    if (any && v & ~known) {
        put(t, "%sreserved 0x%" PRIx64, open ? " " : " {", v & ~known);
        open = true;
    }
    if (open)
        put(t, "}");
}

/* What the number means, in quotes. */
static void put_name(struct text *t, enum sbi_kind kind, uint64_t v)
{
    const struct sbi_value_row *r = sbi_value_of(kind, v);
    if (kind == SBI_KIND_pmu_event && (v & 0xf0000) == 0x10000) {
        const struct sbi_value_row *cache = sbi_value_of(SBI_KIND_pmu_cache, v >> 3 & 0x1fff);
        const struct sbi_value_row *op = sbi_value_of(SBI_KIND_pmu_cache_op, v >> 1 & 3);
        const struct sbi_value_row *result = sbi_value_of(SBI_KIND_pmu_cache_result, v & 1);
        if (cache && op && result)
            put(t, " \"HW_CACHE_%s %s %s\"", cache->name, op->name, result->name);
    } else if (kind == SBI_KIND_extension && sbi_ext_of(v) != SBI_EXT_NONE) {
        put(t, " \"%s\"", sbi_ext(sbi_ext_of(v))->name);
    } else if (kind == SBI_KIND_spec_version) {
        put(t, " \"%u.%u\"", (unsigned)(v >> 24 & 0x7f), (unsigned)(v & 0xffffff));
    } else if (r) {
        put(t, " \"%s\"", r->name);
    } else {
        return;
    }
}

static void put_value(struct text *t, enum sbi_kind kind, uint64_t v, unsigned xlen)
{
    put_number(t, kind, v, xlen);
    v = narrow(v, width(kind, xlen));
    put_name(t, kind, v);
    if (kind != SBI_KIND_spec_version)
        put_fields(t, kind, v, xlen);
}

size_t sbi_value_text(enum sbi_kind kind, uint64_t v, unsigned xlen, char *out, size_t cap)
{
    struct text t = {out, 0, cap};
    put_value(&t, kind, v, xlen);
    return t.len;
}

/* The value of argument i, whose registers begin with *reg; moves *reg behind them. */
static uint64_t argument(const struct sbi_call *c, const struct sbi_func_row *f, unsigned i, unsigned *reg)
{
    uint64_t v = c->a[*reg];
    bool pair = c->xlen == 32 && sbi_kind(f->arg[i].kind)->bits == 64;
    if (pair) /* the low half in the lower register (binary encoding) */
        v = (uint32_t)v | c->a[*reg + 1] << 32;
    *reg += 1 + pair;
    return v;
}

/* The specification's name, less the "id" that says no more than the name: event_id, hartid. */
static int short_name(const char *name)
{
    size_t n = strlen(name);
    if (n > 3 && !strcmp(name + n - 3, "_id"))
        return (int)n - 3;
    return !strcmp(name, "hartid") ? 4 : (int)n;
}

static void put_arguments(struct text *t, const struct sbi_call *c, const struct sbi_func_row *f)
{
    unsigned reg = 0;
    put(t, "(");
    for (unsigned i = 0; f->arg[i].name; i++) {
        put(t, "%s%.*s ", i ? ", " : "", short_name(f->arg[i].name), f->arg[i].name);
        put_value(t, f->arg[i].kind, argument(c, f, i, &reg), c->xlen);
    }
    put(t, ")");
}

static void put_result(struct text *t, const struct sbi_call *c, const struct sbi_func_row *f, const struct sbi_result *r)
{
    int64_t error = bits_sext(r->a0, c->xlen);
    put(t, " = %" PRId64, error);
    if (f && f->ext == SBI_EXT_LEGACY)
        return;
    if (error && sbi_error_name(error))
        put(t, " %s", sbi_error_name(error));
    if (!error && f && f->value != SBI_KIND_none) {
        put(t, ", ");
        put_value(t, f->value, r->a1, c->xlen);
    }
}

size_t sbi_call_text(const struct sbi_call *c, const struct sbi_result *result, char *out, size_t cap)
{
    struct text t = {out, 0, cap};
    const struct sbi_func_row *f = sbi_func_of(c->a[7], c->a[6]);
    enum sbi_ext ext = sbi_ext_of(c->a[7]);
    if (f) {
        put(&t, "%s%s", ext == SBI_EXT_LEGACY ? "legacy " : "", f->name);
        put_arguments(&t, c, f);
    } else {
        put(&t, "%s ", ext == SBI_EXT_NONE ? "unknown" : sbi_ext(ext)->name);
        put(&t, "0x%" PRIx64 "/%" PRIu64 "(", c->a[7], c->a[6]);
        for (unsigned i = 0; i < 6; i++)
            put(&t, "%s0x%" PRIx64, i ? ", " : "", c->a[i]);
        put(&t, ")");
    }
    if (result)
        put_result(&t, c, f, result);
    return t.len;
}

static json_t *hex(uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    return json_string(text);
}

static json_t *value_json(const char *name, enum sbi_kind kind, uint64_t v, unsigned xlen)
{
    char text[256] = "";
    struct text t = {text, 0, sizeof text};
    json_t *j = json_object();
    if (name)
        json_object_set_new(j, "name", json_string(name));
    v = narrow(v, width(kind, xlen));
    json_object_set_new(j, "value", hex(v));
    put_name(&t, kind, v);
    if (t.len > 3) /* without the blank and the quotes */
        json_object_set_new(j, "meaning", json_stringn(text + 2, t.len - 3));
    return j;
}

struct json_t *sbi_call_json(const struct sbi_call *c, const struct sbi_result *result)
{
    const struct sbi_func_row *f = sbi_func_of(c->a[7], c->a[6]);
    enum sbi_ext ext = sbi_ext_of(c->a[7]);
    json_t *j = json_object(), *args = json_array();
    unsigned reg = 0;
    if (ext != SBI_EXT_NONE)
        json_object_set_new(j, "extension", json_string(sbi_ext(ext)->name));
    if (f)
        json_object_set_new(j, "function", json_string(f->name));
    json_object_set_new(j, "eid", hex(c->a[7]));
    json_object_set_new(j, "fid", hex(c->a[6]));
    for (unsigned i = 0; f ? f->arg[i].name != NULL : i < 6; i++) {
        uint64_t v = f ? argument(c, f, i, &reg) : c->a[i];
        json_array_append_new(args, value_json(f ? f->arg[i].name : NULL, f ? f->arg[i].kind : SBI_KIND_hex, v, c->xlen));
    }
    json_object_set_new(j, "args", args);
    if (!result)
        return j;
    int64_t error = bits_sext(result->a0, c->xlen);
    json_object_set_new(j, "error", json_integer(error));
    if (sbi_error_name(error) && ext != SBI_EXT_LEGACY)
        json_object_set_new(j, "error_name", json_string(sbi_error_name(error)));
    if (f && !error && f->value != SBI_KIND_none)
        json_object_set_new(j, "value", value_json(NULL, f->value, result->a1, c->xlen));
    return j;
}
