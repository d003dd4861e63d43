/* Instructions of A64. */
#include "cli/cli.h"
#include "cli/doc_insn.h"
#include "cli/doc_markdown.h"
#include "cpu/arm/decode.h"

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

int doc_decode_arm(uint32_t insn, bool json)
{
    struct arm_config c;
    struct a64_decoder *d = decoder_of(&c);
    struct a64_decoded o = a64_decode(d, insn);
    int status = CLI_OK;
    if (!o.row) {
        status = cli_errorf("0x%08" PRIx32 " is no instruction of A64 that is known here", insn);
    } else if (json) {
        json_t *j = row_json(o.row);
        json_object_set_new(j, "rd", json_integer(o.rd));
        json_object_set_new(j, "rs1", json_integer(o.rs1));
        json_object_set_new(j, "rs2", json_integer(o.rs2));
        json_object_set_new(j, "imm", json_integer(o.imm));
        put(j);
    } else {
        print_row(o.row);
        printf("  here      rd %u, rs1 %u, rs2 %u, immediate %" PRId64 " (0x%" PRIx64 ")\n", o.rd, o.rs1, o.rs2, o.imm,
               (uint64_t)o.imm);
    }
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
