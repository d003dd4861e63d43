#include "cli/doc_sbi.h"
#include "cli/doc_names.h"
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/doc_rules.h"
#include "cli/doc_markdown.h"
#include "debug/riscv/monitor.h"
#include "debug/riscv/sbi.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int dump(json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(j);
    return CLI_OK;
}

static json_t *hex(uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    return json_string(text);
}

/* ---- one thing ------------------------------------------------------------------------------------------------------------ */

/* Names that hold blanks and the like: a value's name may be empty. */
static void bits_text(const struct sbi_value_row *r, unsigned xlen, char out[24])
{
    unsigned msb, lsb;
    if (!sbi_field_bits(r, xlen, &msb, &lsb))
        strcpy(out, "-");
    else
        snprintf(out, 24, msb == lsb ? "%u" : "%u:%u", msb, lsb);
}

/* The value of a row as people write it: a number, a range, or fields' bits. */
static void value_text(const struct sbi_value_row *r, unsigned xlen, char out[48])
{
    bool decimal = sbi_kind(r->kind)->base == 10;
    if (r->field)
        bits_text(r, xlen, out);
    else if (r->mask != UINT64_MAX)
        snprintf(out, 48, "bits 0x%" PRIx64 " = 0x%" PRIx64, r->mask, r->lo);
    else if (r->lo != r->hi)
        snprintf(out, 48, "0x%08" PRIx64 "-0x%08" PRIx64, r->lo, r->hi);
    else
        snprintf(out, 48, decimal ? "%" PRIu64 : "0x%08" PRIx64, r->lo);
}

static json_t *kind_json(enum sbi_kind kind, unsigned xlen)
{
    const struct sbi_value_row *r;
    json_t *j = json_object(), *rows = json_array();
    char text[48];
    json_object_set_new(j, "name", json_string(sbi_kind(kind)->name));
    json_object_set_new(j, "title", json_string(sbi_kind(kind)->title));
    for (unsigned i = 0; (r = sbi_value_at(i)); i++) {
        if (r->kind != kind)
            continue;
        value_text(r, xlen, text);
        json_array_append_new(
            rows, json_pack("{s:s,s:s,s:s}", r->field ? "bits" : "value", text, "name", r->name, "meaning", r->meaning));
    }
    json_object_set_new(j, "values", rows);
    return j;
}

static bool has_values(enum sbi_kind kind) { return sbi_kind(kind)->ext != SBI_EXT_NONE; }

static void print_kind(enum sbi_kind kind, unsigned xlen)
{
    const struct sbi_value_row *r;
    char text[48];
    printf("%s  %s\n", sbi_kind(kind)->name, sbi_kind(kind)->title);
    for (unsigned i = 0; (r = sbi_value_at(i)); i++)
        if (r->kind == kind) {
            value_text(r, xlen, text);
            printf("  %-22s %s%s%s\n", text, r->name, *r->meaning ? "  " : "", r->meaning);
        }
}

static json_t *errors_json(unsigned set)
{
    json_t *list = json_array();
    const struct sbi_error_row *e;
    for (unsigned i = 0; (e = sbi_error_at(i)); i++)
        if (set & SBI_ERROR_BIT(e->code))
            json_array_append_new(list, json_string(e->name));
    return list;
}

static json_t *function_json(const struct sbi_func_row *f)
{
    json_t *j = json_object(), *args = json_array();
    json_object_set_new(j, "function", json_string(f->name));
    json_object_set_new(j, "extension", json_string(sbi_ext(f->ext)->name));
    json_object_set_new(j, "eid", hex(f->ext == SBI_EXT_LEGACY ? f->fid : sbi_ext(f->ext)->first));
    json_object_set_new(j, "fid", json_integer(f->ext == SBI_EXT_LEGACY ? 0 : (json_int_t)f->fid));
    json_object_set_new(j, "since", json_string(f->since));
    json_object_set_new(j, "title", json_string(f->title));
    for (unsigned i = 0; f->arg[i].name; i++)
        json_array_append_new(args, json_pack("{s:s,s:s}", "name", f->arg[i].name, "kind", sbi_kind(f->arg[i].kind)->name));
    json_object_set_new(j, "args", args);
    json_object_set_new(j, "value", json_string(sbi_kind(f->value)->name));
    json_object_set_new(j, "errors", errors_json(f->errors));
    return j;
}

static void number_of(const struct sbi_func_row *f, char out[32])
{
    if (f->ext == SBI_EXT_LEGACY)
        snprintf(out, 32, "0x%02" PRIx32, f->fid);
    else
        snprintf(out, 32, "0x%" PRIx32 "/%" PRIu32, sbi_ext(f->ext)->first, f->fid);
}

static void print_function(const struct sbi_func_row *f, unsigned xlen)
{
    const struct sbi_error_row *e;
    char number[32];
    unsigned reg = 0;
    number_of(f, number);
    printf("%s  %s  %s (SBI %s)\n%s\n\n", f->name, number, sbi_ext(f->ext)->name, f->since, f->title);
    for (unsigned i = 0; f->arg[i].name; i++) {
        const struct sbi_kind_row *k = sbi_kind(f->arg[i].kind);
        bool pair = xlen == 32 && k->bits == 64;
        char regs[16];
        snprintf(regs, sizeof regs, pair ? "a%u,a%u" : "a%u", reg, reg + 1);
        reg += 1 + pair;
        printf("  %-6s %-20s %s", regs, f->arg[i].name, k->title);
        if (has_values(f->arg[i].kind))
            printf(" (sbi:%s)", k->name);
        putchar('\n');
    }
    if (f->value != SBI_KIND_none)
        printf("  %-6s %-20s %s\n", "= a1", "", sbi_kind(f->value)->title);
    for (unsigned i = 0; (e = sbi_error_at(i)); i++)
        if (f->errors & SBI_ERROR_BIT(e->code))
            printf("  %-6d %-28s %s\n", e->code, e->name, e->meaning);
}

static bool shows(enum sbi_kind kind, enum sbi_ext ext) { return sbi_kind(kind)->ext == ext; }

static int print_extension(enum sbi_ext ext, unsigned xlen, bool json)
{
    const struct sbi_ext_row *x = sbi_ext(ext);
    const struct sbi_func_row *f;
    json_t *j = json_object(), *funcs = json_array(), *lists = json_array();
    char number[32];
    json_object_set_new(j, "extension", json_string(x->name));
    json_object_set_new(j, "eid", hex(x->first));
    json_object_set_new(j, "title", json_string(x->title));
    if (!json)
        printf("%s  0x%" PRIx32 "  %s (SBI %s)\n\n", x->name, x->first, x->title, x->since);
    for (unsigned i = 0; (f = sbi_func_at(i)); i++) {
        if (f->ext != ext)
            continue;
        number_of(f, number);
        if (json)
            json_array_append_new(funcs, function_json(f));
        else
            printf("  %-13s %-34s %s\n", number, f->name, f->title);
    }
    for (unsigned k = 0; k < SBI_KIND_COUNT; k++) {
        if (!shows((enum sbi_kind)k, ext))
            continue;
        if (json) {
            json_array_append_new(lists, kind_json((enum sbi_kind)k, xlen));
        } else {
            putchar('\n');
            print_kind((enum sbi_kind)k, xlen);
        }
    }
    json_object_set_new(j, "functions", funcs);
    json_object_set_new(j, "values", lists);
    if (json)
        return dump(j);
    json_decref(j);
    return CLI_OK;
}

static int list_extensions(bool json)
{
    json_t *j = json_array();
    for (unsigned i = 1; i < SBI_EXT_COUNT; i++) {
        const struct sbi_ext_row *x = sbi_ext((enum sbi_ext)i);
        if (json)
            json_array_append_new(j, json_pack("{s:s,s:o,s:s,s:s}", "extension", x->name, "eid", hex(x->first), "since", x->since,
                                               "title", x->title));
        else
            printf("0x%08" PRIx32 "  %-13s %s\n", x->first, x->name, x->title);
    }
    if (json)
        return dump(j);
    json_decref(j);
    return CLI_OK;
}

static int print_errors(const char *value, bool json)
{
    const struct sbi_error_row *e;
    json_t *j = json_array();
    char *end = NULL;
    long wanted = value ? strtol(value, &end, 0) : 0;
    bool found = false;
    for (unsigned i = 0; (e = sbi_error_at(i)); i++) {
        if (value && (*end || !*value || e->code != wanted))
            continue;
        found = true;
        if (json)
            json_array_append_new(j, json_pack("{s:i,s:s,s:s}", "code", e->code, "name", e->name, "meaning", e->meaning));
        else
            printf("%4d  %-26s %s\n", e->code, e->name, e->meaning);
    }
    if (json && found)
        return dump(j);
    json_decref(j);
    return found ? CLI_OK : cli_errorf("there is no SBI error '%s'; `trapline doc sbi:error` lists them", value);
}

/* ---- decoding ------------------------------------------------------------------------------------------------------------- */

/* Numbers separated by commas, at most max of them; returns how many, or -1. */
static int numbers(const char *text, uint64_t *out, int max)
{
    int n = 0;
    for (;; text++) {
        char *end;
        errno = 0;
        bool negative = *text == '-';
        if (n == max || !isdigit((unsigned char)text[negative]))
            return -1;
        out[n] = negative ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
        n++;
        if (errno || (*end && *end != ','))
            return -1;
        text = end;
        if (!*end)
            return n;
    }
}

/* regs: "A0,A1…" or "A0,A1…=ERROR[,VALUE]". */
static int decode_call(uint64_t eid, uint64_t fid, char *regs, unsigned xlen, bool json)
{
    struct sbi_call c = {.xlen = xlen, .a = {[6] = fid, [7] = eid}};
    struct sbi_result r = {0};
    uint64_t result[2] = {0};
    char text[512], *equals = strchr(regs, '=');
    if (equals)
        *equals = '\0';
    if (*regs && numbers(regs, c.a, 6) < 0)
        return cli_errorf("'%s' is not a0,a1,… of a call; write it as 0xffff0000,0", regs);
    if (equals && numbers(equals + 1, result, 2) < 0)
        return cli_errorf("'%s' is not a result; write it as -3, or as 0,1 with the value of a1", equals + 1);
    for (unsigned i = 0; i < 6 && xlen == 32; i++)
        c.a[i] = (uint32_t)c.a[i];
    r = (struct sbi_result){result[0], result[1]};
    if (json)
        return dump(sbi_call_json(&c, equals ? &r : NULL));
    sbi_call_text(&c, equals ? &r : NULL, text, sizeof text);
    puts(text);
    return CLI_OK;
}

static int decode_value(enum sbi_kind kind, const char *value, unsigned xlen, bool json)
{
    uint64_t v;
    char text[512];
    if (numbers(value, &v, 1) != 1)
        return cli_errorf("'%s' is not a value of %s; write it as 0x180 or 384", value, sbi_kind(kind)->name);
    sbi_value_text(kind, v, xlen, text, sizeof text);
    if (json)
        return dump(json_pack("{s:s,s:o,s:s}", "kind", sbi_kind(kind)->name, "value", hex(v), "text", text));
    puts(text);
    return CLI_OK;
}

/* Functions that share a name (legacy ones have newer namesakes) are all shown, and decoded as the newest. */
static int by_name(const char *name, char *regs, unsigned xlen, bool json)
{
    const struct sbi_func_row *f, *newest = NULL;
    json_t *j = json_array();
    for (unsigned i = 0; (f = sbi_func_at(i)); i++) {
        if (strcmp(f->name, name))
            continue;
        if (!regs && json)
            json_array_append_new(j, function_json(f));
        else if (!regs) {
            printf("%s", newest ? "\n" : "");
            print_function(f, xlen);
        }
        newest = f;
    }
    if (newest && !regs && json)
        return dump(j);
    json_decref(j);
    if (!newest)
        return doc_unknown_sbi(name);
    if (regs)
        return decode_call(newest->ext == SBI_EXT_LEGACY ? newest->fid : sbi_ext(newest->ext)->first, newest->fid, regs, xlen,
                           json);
    return CLI_OK;
}

/* "0x535345" or "0x535345/7". */
static int by_number(const char *text, char *regs, unsigned xlen, bool json)
{
    char *end;
    errno = 0;
    uint64_t eid = strtoull(text, &end, 0), fid = 0;
    bool slash = *end == '/';
    if (slash && isdigit((unsigned char)end[1]))
        fid = strtoull(end + 1, &end, 0);
    if (*end || errno)
        return cli_errorf("'%s' is not an SBI extension or function; write it as 0x535345 or 0x535345/7", text);
    if (regs)
        return decode_call(eid, fid, regs, xlen, json);
    enum sbi_ext ext = sbi_ext_of(eid);
    const struct sbi_func_row *f = sbi_func_of(eid, fid);
    if (ext == SBI_EXT_NONE)
        return cli_errorf("there is no SBI extension 0x%" PRIx64 "; `trapline doc sbi` lists them", eid);
    if (!slash && ext != SBI_EXT_LEGACY)
        return print_extension(ext, xlen, json);
    if (!f)
        return cli_errorf("the SBI extension %s has no function %" PRIu64, sbi_ext(ext)->name, fid);
    if (json)
        return dump(function_json(f));
    print_function(f, xlen);
    return CLI_OK;
}

int doc_sbi(const char *what, unsigned xlen, bool json)
{
    char name[128], *regs;
    if (strlen(what) >= sizeof name)
        return cli_errorf("SBI has no extension, function or list '%s'", what);
    for (size_t i = 0; i <= strlen(what); i++)
        name[i] = (char)tolower((unsigned char)what[i]);
    regs = strchr(name, '=');
    if (regs)
        *regs++ = '\0';
    const char *word = strncmp(name, "sbi_", 4) ? name : name + 4;
    enum sbi_kind kind = sbi_kind_by_name(word);
    if (!*word)
        return list_extensions(json);
    if (*word == '-')
        return print_errors(word, json);
    if (isdigit((unsigned char)*word))
        return by_number(word, regs, xlen, json);
    if (!strcmp(word, "rules") && !regs)
        return doc_rules(riscv_monitor.names[0], json);
    if (!strcmp(word, "error"))
        return print_errors(regs, json);
    if (!regs && sbi_ext_by_name(word) != SBI_EXT_NONE)
        return print_extension(sbi_ext_by_name(word), xlen, json);
    if (kind == SBI_KIND_COUNT || !has_values(kind))
        return by_name(word, regs, xlen, json);
    if (regs)
        return decode_value(kind, regs, xlen, json);
    if (json)
        return dump(kind_json(kind, xlen));
    print_kind(kind, xlen);
    return CLI_OK;
}

/* ---- the page ------------------------------------------------------------------------------------------------------------- */

static void put_function(const struct sbi_func_row *f)
{
    const struct sbi_error_row *e;
    const char *gap = "";
    char number[32];
    number_of(f, number);
    printf("| %s | `%s(", number, f->name);
    for (unsigned i = 0; f->arg[i].name; i++)
        printf("%s%s %s", i ? ", " : "", sbi_kind(f->arg[i].kind)->name, f->arg[i].name);
    printf(")` | %s | ", f->value == SBI_KIND_none ? "" : sbi_kind(f->value)->name);
    for (unsigned i = 0; (e = sbi_error_at(i)); i++)
        if (f->errors & SBI_ERROR_BIT(e->code)) {
            printf("%s%s", gap, e->name + strlen("SBI_ERR_"));
            gap = ", ";
        }
    printf(" | ");
    doc_cell(f->title);
    printf(" | %s |\n", f->since);
}

static void put_values(enum sbi_kind kind)
{
    const struct sbi_value_row *r;
    char text[48];
    bool any = false;
    for (unsigned i = 0; (r = sbi_value_at(i)); i++) {
        if (r->kind != kind)
            continue;
        if (!any)
            printf("\n`%s`: %s\n\n| %s | name | meaning |\n|---|---|---|\n", sbi_kind(kind)->name, sbi_kind(kind)->title,
                   r->field ? "bits" : "value");
        any = true;
        value_text(r, 64, text);
        printf("| %s | %s | ", r->field && r->hi == 255 ? "XLEN-1" : text, r->name);
        doc_cell(r->meaning);
        printf(" |\n");
    }
}

static void put_extension(enum sbi_ext ext)
{
    const struct sbi_ext_row *x = sbi_ext(ext);
    const struct sbi_func_row *f;
    bool any = false;
    printf("\n## %s\n\n0x%" PRIx32, x->name, x->first);
    if (x->last != x->first)
        printf("-0x%" PRIx32, x->last);
    printf(", since %s. ", x->since);
    doc_cell(x->title);
    printf("\n");
    for (unsigned i = 0; (f = sbi_func_at(i)); i++) {
        if (f->ext != ext)
            continue;
        if (!any)
            printf("\n| EID/FID | function | value | errors | does | since |\n|---|---|---|---|---|---|\n");
        any = true;
        put_function(f);
    }
    for (unsigned k = 0; k < SBI_KIND_COUNT; k++)
        if (shows((enum sbi_kind)k, ext))
            put_values((enum sbi_kind)k);
}

int doc_sbi_markdown(void)
{
    const struct sbi_error_row *e;
    printf("# The supervisor binary interface\n\nMade from the rows of `src/debug/riscv/sbi.def` by `trapline doc --markdown "
           "sbi`; do "
           "not edit. The\nspecification is SBI v3.0. A call has its EID in a7, its FID in a6 and its arguments from a0 on; a0 "
           "returns the error and a1\nthe value. `errors` are those that the function's own table lists. Kinds of arguments that "
           "have named values are listed\nwith the extension that uses them.\n");
    printf("\n## Errors\n\n| code | name | meaning |\n|---|---|---|\n");
    for (unsigned i = 0; (e = sbi_error_at(i)); i++)
        printf("| %d | %s | %s |\n", e->code, e->name, e->meaning);
    printf("\n## Kinds of arguments\n\n| kind | bits | what |\n|---|---|---|\n");
    for (unsigned k = 1; k < SBI_KIND_COUNT; k++) {
        const struct sbi_kind_row *row = sbi_kind((enum sbi_kind)k);
        char bits[8] = "XLEN";
        if (row->bits)
            snprintf(bits, sizeof bits, "%u", row->bits);
        printf("| `%s` | %s | %s |\n", row->name, bits, row->title);
    }
    for (unsigned i = 1; i < SBI_EXT_COUNT; i++)
        put_extension((enum sbi_ext)i);
    struct monitor_rule r;
    printf("\n## Rules of `run --monitor sse`\n\nHow they are judged is in [monitors.md](../monitors.md).\n\n| rule | broken "
           "when | where "
           "|\n|---|---|---|\n");
    for (unsigned i = 0; riscv_monitor.rule(i, &r); i++)
        printf("| %s | %s | %s |\n", r.name, r.what, r.note);
    return CLI_OK;
}
