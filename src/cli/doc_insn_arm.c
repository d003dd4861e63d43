/* Instructions of A64. */
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/doc_insn.h"
#include "cli/doc_markdown.h"
#include "cpu/arm/decode.h"
#include "csr/arm/sysreg.h"
#include "debug/disas.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static json_t *row_json(const struct a64_row *r)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", r->name, "feature", r->feat_name, "bits", r->pattern, "operands", r->format,
                     r->alias ? "as" : "does", r->body);
}

static void print_row(const struct a64_row *r)
{
    printf("%s  %s\n  bits      %s\n  operands  %s\n  %s  %s\n", r->name, r->feat_name, r->pattern, r->format,
           r->alias ? "as      " : "does    ", r->body);
}

static void put(json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(j);
}

/* Rows are named after the mnemonic and a form: "ldr" means "ldr_x_imm", too. */
static bool is(const char *row, const char *name)
{
    size_t n = strlen(name);
    return !strncasecmp(row, name, n) && (!row[n] || row[n] == '_');
}

bool doc_insn_arm(const char *name, bool json)
{
    bool any = false;
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row r = a64_row(i);
        if (!is(r.name, name))
            continue;
        if (json)
            put(row_json(&r));
        else
            print_row(&r);
        any = true;
    }
    return any;
}

/* Of the core that has every feature. */
static struct a64_decoder *decoder_of(struct arm_config *c)
{
    struct err e;
    if (!arm_config_parse("max", c, &e))
        abort();
    return a64_decoder_new(c);
}

bool doc_is_word_arm(uint32_t insn)
{
    struct arm_config c;
    struct a64_decoder *d = decoder_of(&c);
    bool is = a64_decode(d, insn).row;
    a64_decoder_free(d);
    return is;
}

struct put {
    json_t *j; /* NULL: as text */
};

static void put_field(const struct put *p, const struct doc_insn_field *f, uint32_t insn)
{
    uint64_t v = bits_get(insn, f->msb, f->lsb);
    char bits[16];
    if (p->j) {
        json_array_append_new(p->j, json_pack("{s:s,s:i,s:i,s:I}", "name", f->name, "msb", (int)f->msb, "lsb", (int)f->lsb,
                                              "value", (json_int_t)v));
        return;
    }
    snprintf(bits, sizeof bits, f->msb == f->lsb ? "%u" : "%u:%u", f->msb, f->lsb);
    printf("  %-6s %-12s 0x%" PRIx64 "\n", bits, f->name, v);
}

/* The fields that are operands in this row; those that its pattern fixes have a name in other rows of the format only. */
static void put_fields(const struct put *p, const struct a64_row *r, uint32_t insn)
{
    const struct doc_insn_field *f;
    for (unsigned i = 0; (f = doc_insn_field_arm(r, i)); i++)
        if (!(r->mask & bits_mask(f->lsb, f->msb - f->lsb + 1u)))
            put_field(p, f, insn);
}

/* The register or operation that MRS, MSR, SYS or SYSL names; SR_NONE: none that is known. */
static unsigned system_of(const struct sysreg_map *map, const struct a64_row *r, uint32_t insn)
{
    if (!strcmp(r->name, "msr_imm"))
        return sysreg_find_imm(map, insn);
    if (strcmp(r->format, "SYSREG"))
        return SR_NONE;
    return sysreg_find(map, insn >> 19 & 3, insn >> 16 & 7, insn >> 12 & 15, insn >> 8 & 15, insn >> 5 & 7);
}

static void show_word(const struct a64_row *r, uint32_t insn, const char *text, unsigned id)
{
    char name[48];
    printf("%s\n  row       %s, %s\n  bits      %s\n", text, r->name, r->feat_name, r->pattern);
    if (id != SR_NONE) {
        sysreg_name(id, name, sizeof name);
        printf("  names     %s, %s\n", name, sysreg_row_of(id)->title);
    }
    put_fields(&(struct put){NULL}, r, insn);
}

static void show_json(const struct a64_row *r, uint32_t insn, const char *text, unsigned id)
{
    char name[48];
    struct put p = {json_array()};
    json_t *j = json_pack("{s:s,s:s,s:s,s:s}", "text", text, "name", r->name, "feature", r->feat_name, "bits", r->pattern);
    if (id != SR_NONE) {
        sysreg_name(id, name, sizeof name);
        json_object_set_new(j, "names", json_string(name));
    }
    put_fields(&p, r, insn);
    json_object_set_new(j, "fields", p.j);
    put(j);
}

int doc_decode_arm(uint32_t insn, bool json)
{
    struct arm_config c;
    char text[DISAS_TEXT];
    struct a64_decoder *d = decoder_of(&c);
    struct sysreg_map *map = sysreg_map_new(&c);
    struct a64_decoded o = a64_decode(d, insn);
    int status = CLI_OK;
    disas_a64(map, d, insn, text, sizeof text);
    if (!o.row)
        status = cli_errorf("0x%08" PRIx32 " is no instruction of A64 that is known here", insn);
    else if (json)
        show_json(o.row, insn, text, system_of(map, o.row, insn));
    else
        show_word(o.row, insn, text, system_of(map, o.row, insn));
    sysreg_map_free(map);
    a64_decoder_free(d);
    return status;
}

const char *doc_insn_name_arm(unsigned i) { return i < a64_row_count() ? a64_row(i).name : NULL; }

/* ---- the reference -------------------------------------------------------------------------------------------------------- */

static bool seen_before(unsigned i, const char *feature)
{
    for (unsigned k = 0; k < i; k++)
        if (!strcmp(a64_row(k).feat_name, feature))
            return true;
    return false;
}

static void put_feature(const char *feature)
{
    printf("\n## ");
    for (const char *c = feature; *c; c++) /* of rows that need several: joined by _and_ */
        putchar(*c == '_' && strstr(feature, "_and_") ? ' ' : *c);
    printf("\n\n| instruction | bits | operands | does |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row r = a64_row(i);
        if (strcmp(r.feat_name, feature))
            continue;
        printf("| `%s` | `%s` | %s | %s`", r.name, r.pattern, r.format, r.alias ? "as " : "");
        doc_cell(r.body);
        printf("` |\n");
    }
}

int doc_insn_arm_markdown(void)
{
    printf(
        "# A64 instructions\n\nMade from the rows of `src/cpu/arm/insn/` by `trapline doc --markdown instructions-arm`; do not "
        "edit. By the\nfeature that has them (BASE: Armv8.0). `-` is an operand bit; operand formats are those of "
        "`formats.def` and\n`formats_simd.def`. Of two rows that match the same bits, the one with more fixed bits counts, if "
        "the "
        "condition of its\nformat holds.\n");
    for (unsigned i = 0; i < a64_row_count(); i++) {
        struct a64_row r = a64_row(i);
        if (!seen_before(i, r.feat_name))
            put_feature(r.feat_name);
    }
    return CLI_OK;
}
