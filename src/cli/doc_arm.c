#include "cli/doc_arm.h"
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/doc_markdown.h"
#include "cli/doc_names.h"
#include "csr/arm/sysreg.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The id behind a name, a generic name ("s3_0_c1_c0_0") or an operation as assembly has it ("at s1e1r", the row at_s1e1r). */
static unsigned id_of(const char *text)
{
    char generic[24], name[48];
    snprintf(name, sizeof name, "%s", text);
    for (char *blank = name; (blank = strchr(blank, ' '));)
        *blank = '_';
    unsigned id = sysreg_by_name(name);
    for (unsigned i = 1; !id && (*name == 's' || *name == 'S') && i < SYSREG_COUNT; i++) {
        sysreg_generic_name(sysreg_key_of(i), generic, sizeof generic);
        if (sysreg_key_of(i) && !strcasecmp(generic, name))
            return i;
    }
    return id;
}

bool doc_arm_knows(const char *name) { return id_of(name) != SR_NONE; }

bool doc_arm_config(const char *text)
{
    size_t n = strcspn(text, ", \t\r\n#");
    for (unsigned i = 0; arm_core_name(i); i++)
        if (strlen(arm_core_name(i)) == n && !strncasecmp(text, arm_core_name(i), n))
            return true;
    return false;
}

static void put_json(json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(j);
}

/* ---- a register ----------------------------------------------------------------------------------------------------------- */

static int by_lsb(const void *a, const void *b)
{
    const struct sysreg_field *x = *(const struct sysreg_field *const *)a, *y = *(const struct sysreg_field *const *)b;
    return x->lsb != y->lsb ? (x->lsb < y->lsb ? 1 : -1) : x < y ? -1 : 1;
}

static bool is_fixed(const struct sysreg_field *f) { return !strcmp(f->rule_text, "RES1") || !strcmp(f->rule_text, "RES0"); }

/* The fields, highest first; not those that say what a bit is without the feature that gives it a name. */
static unsigned fields_of(const struct sysreg_row *row, const struct sysreg_field **out, unsigned cap)
{
    unsigned n = 0;
    for (unsigned i = 0; i < row->nfields && n < cap; i++) {
        const struct sysreg_field *f = &row->fields[i];
        bool named = false;
        for (unsigned k = 0; k < row->nfields && is_fixed(f); k++)
            named |= !is_fixed(&row->fields[k]) && row->fields[k].lsb == f->lsb && row->fields[k].msb == f->msb;
        if (!named)
            out[n++] = f;
    }
    qsort(out, n, sizeof *out, by_lsb);
    return n;
}

/* " [FEAT_PAN]": what a field needs; nothing if it is always there. */
static const char *condition(const struct sysreg_field *f, char *out, size_t cap)
{
    const char *when = sysreg_when_title(f->when);
    *out = '\0';
    if (strcmp(when, "every configuration"))
        snprintf(out, cap, " [%s]", when);
    return out;
}

static void encoding(unsigned id, char *out, size_t cap)
{
    if (sysreg_key_of(id))
        sysreg_generic_name(sysreg_key_of(id), out, cap);
    else
        snprintf(out, cap, "no encoding");
}

static int explain_json(unsigned id, const char *name, const uint64_t *value)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    const struct sysreg_field *field[160];
    unsigned n = fields_of(row, field, ARRAY_LEN(field));
    const char *spec, *group = sysreg_group(id, &spec);
    char text[64], rules[2000];
    json_t *fields = json_array(), *access = json_array();
    encoding(id, text, sizeof text);
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "name", name, "encoding", text, "title", row->title, "group", group,
                          "spec", spec, "exists", sysreg_when_title(row->when));
    sysreg_explain(id, rules, sizeof rules);
    for (char *line = strtok(rules, "\n"); line; line = strtok(NULL, "\n"))
        json_array_append_new(access, json_string(line));
    json_object_set_new(j, "access", access);
    for (unsigned i = 0; i < n; i++) {
        const struct sysreg_field *f = field[i];
        json_t *one = json_pack("{s:s,s:i,s:i,s:s,s:s,s:s}", "name", f->name, "msb", f->msb, "lsb", f->lsb, "rule", f->rule_text,
                                "exists", sysreg_when_title(f->when), "meaning", f->meaning);
        if (value) {
            snprintf(text, sizeof text, "0x%" PRIx64, bits_get(*value, f->msb, f->lsb));
            json_object_set_new(one, "value", json_string(text));
        }
        json_array_append_new(fields, one);
    }
    json_object_set_new(j, "fields", fields);
    if (value)
        doc_value(name, *value, 64, j);
    put_json(j);
    return CLI_OK;
}

int doc_arm_explain(const char *word, const uint64_t *value, bool json, bool colour)
{
    unsigned id = id_of(word);
    const struct sysreg_row *row = sysreg_row_of(id);
    const struct sysreg_field *field[160];
    const char *spec, *group = sysreg_group(id, &spec);
    char name[40], text[64], rules[2000];
    uint64_t known = 0;
    sysreg_name(id, name, sizeof name);
    if (json)
        return explain_json(id, name, value);
    unsigned n = fields_of(row, field, ARRAY_LEN(field));
    encoding(id, text, sizeof text);
    printf("%s%s%s  %s  %s\n", colour ? "\033[1m" : "", name, colour ? "\033[0m" : "", text, row->title);
    printf("%s (%s), %s\n", group, spec, sysreg_when_title(row->when));
    sysreg_explain(id, rules, sizeof rules);
    printf("%s", rules);
    if (value)
        printf("value 0x%016" PRIx64 "\n", *value);
    putchar('\n');
    for (unsigned i = 0; i < n; i++) {
        const struct sysreg_field *f = field[i];
        char bits[16], now[24] = "";
        snprintf(bits, sizeof bits, f->msb == f->lsb ? "%u" : "%u:%u", f->msb, f->lsb);
        if (value)
            snprintf(now, sizeof now, "0x%" PRIx64, bits_get(*value, f->msb, f->lsb));
        if (strcmp(f->rule_text, "RES0"))
            known |= bits_mask(f->lsb, f->msb - f->lsb + 1u);
        printf("  %-6s %-*s %s%s%s%s\n", bits, 16, f->name, now, value ? "  " : "", f->meaning, condition(f, text, sizeof text));
    }
    if (value && *value & ~known)
        printf("\nBits no field has: 0x%" PRIx64 "\n", *value & ~known);
    if (value)
        doc_value(name, *value, 64, NULL);
    return CLI_OK;
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------- */

static void range_name(const struct sysreg_row *row, char *out, size_t cap)
{
    if (row->count > 1)
        snprintf(out, cap, "%s0..%u%s", row->name, row->count - 1u, row->suffix);
    else
        snprintf(out, cap, "%s", row->name);
}

/* Of an instruction, its operations: rows whose names begin with it. */
static bool is_operation(const struct sysreg_row *row, const char *insn)
{
    size_t n = strlen(insn);
    return !strcmp(row->kind, "INSN") && !strncasecmp(row->name, insn, n) && row->name[n] == '_';
}

/* All rows, or the operations of an instruction. */
static void list_rows(const char *insn, bool json)
{
    json_t *j = json ? json_array() : NULL;
    for (unsigned i = 0; i < sysreg_row_count(); i++) {
        const struct sysreg_row *row = sysreg_row_at(i);
        char name[48], text[24];
        if (insn && !is_operation(row, insn))
            continue;
        range_name(row, name, sizeof name);
        encoding(row->id, text, sizeof text);
        if (j)
            json_array_append_new(
                j, json_pack("{s:s,s:s,s:i,s:s}", "name", name, "encoding", text, "count", row->count, "title", row->title));
        else
            printf("%-14s %-20s %s%s\n", text, name, strcmp(row->kind, "ALIAS") ? "" : "from EL2 with HCR_EL2.E2H: ", row->title);
    }
    if (j)
        put_json(j);
}

bool doc_arm_operations(const char *insn, bool json)
{
    bool any = false;
    for (unsigned i = 0; i < sysreg_row_count() && !any; i++)
        any = is_operation(sysreg_row_at(i), insn);
    if (any)
        list_rows(insn, json);
    return any;
}

int doc_arm_list(bool json)
{
    list_rows(NULL, json);
    return CLI_OK;
}

/* ---- the cpu -------------------------------------------------------------------------------------------------------------- */

/* The ID registers whose values follow from the configuration, with their values. */
static void each_id_register(const struct arm_config *c, void (*each)(void *to, const char *name, uint64_t v), void *to)
{
    struct sysreg_map *map = sysreg_map_new(c);
    struct arm_regs *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    struct sysreg_ctx x = {.r = r, .cfg = c, .map = map, .el = 3};
    sysreg_reset(map, c, r, 0);
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        const char *name = sysreg_row_of(id)->name;
        uint64_t v;
        bool shown =
            !strncmp(name, "id_aa64", 7) || id == SR_midr_el1 || id == SR_ctr_el0 || id == SR_dczid_el0 || id == SR_clidr_el1;
        if (shown && sysreg_peek(&x, id, &v))
            each(to, name, v);
    }
    free(r);
    sysreg_map_free(map);
}

static void print_id(void *to, const char *name, uint64_t v)
{
    (void)to;
    printf("%-18s 0x%016" PRIx64 "\n", name, v);
}

static void json_id(void *to, const char *name, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, v);
    json_object_set_new(to, name, json_string(text));
}

int doc_arm_cpu(const char *config, bool json, bool colour)
{
    struct arm_config c;
    struct err e;
    char names[128];
    if (!arm_config_parse(config, &c, &e))
        return cli_error(&e);
    if (json) {
        json_t *j = json_object(), *feats = json_object(), *ids = json_object();
        json_object_set_new(j, "core", json_string(arm_core_name(c.core)));
        for (unsigned f = 0; f < ARM_FEAT_COUNT; f++)
            json_object_set_new(feats, arm_feat_name((enum arm_feat)f), json_boolean(arm_has(&c, (enum arm_feat)f)));
        json_object_set_new(j, "features", feats);
        for (unsigned i = 0; arm_choice_name(i); i++)
            json_object_set_new(j, arm_choice_name(i), json_integer((json_int_t)arm_choice_value(&c, i)));
        each_id_register(&c, json_id, ids);
        json_object_set_new(j, "registers", ids);
        put_json(j);
        return CLI_OK;
    }
    arm_core_names(names, sizeof names);
    printf("%s\n\n", arm_core_name(c.core));
    for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
        bool on = arm_has(&c, (enum arm_feat)f);
        printf("%s%-12s %-4s %s  %s%s\n", colour && !on ? "\033[2m" : "", arm_feat_name((enum arm_feat)f), on ? "on" : "off",
               arm_feat_version((enum arm_feat)f), arm_feat_title((enum arm_feat)f), colour && !on ? "\033[0m" : "");
    }
    putchar('\n');
    for (unsigned i = 0; arm_choice_name(i); i++)
        printf("%-12s %-10" PRIu64 " %s\n", arm_choice_name(i), arm_choice_value(&c, i), arm_choice_title(i));
    printf("\nThe first word of -cpu may be a core: %s.\nEL2 and EL3 are the board's choice unless they are given here:"
           " -machine virt-arm[,virtualization=on][,secure=on].\n\n",
           names);
    each_id_register(&c, print_id, NULL);
    return CLI_OK;
}

/* ---- Markdown ------------------------------------------------------------------------------------------------------------- */

static void put_register(const struct sysreg_row *row)
{
    const struct sysreg_field *field[160];
    char name[48], text[64], rules[2000];
    unsigned n = fields_of(row, field, ARRAY_LEN(field));
    range_name(row, name, sizeof name);
    encoding(row->id, text, sizeof text);
    printf("\n### %s\n\n%s", name, text);
    if (row->count > 1) {
        encoding(row->id + row->count - 1u, text, sizeof text);
        printf(" to %s", text);
    }
    printf(", %s. ", sysreg_when_title(row->when));
    doc_cell(row->title);
    printf("\n\n");
    sysreg_explain(row->id, rules, sizeof rules);
    for (char *line = strtok(rules, "\n"); line; line = strtok(NULL, "\n"))
        printf("- %s\n", line);
    if (!n)
        return;
    printf("\n| bits | field | rule | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < n; i++) {
        const struct sysreg_field *f = field[i];
        printf(f->msb == f->lsb ? "| %u " : "| %u:%u ", f->msb, f->lsb);
        printf("| %s | %s | ", f->name, f->rule_text);
        doc_cell(f->meaning);
        printf("%s |\n", condition(f, text, sizeof text));
    }
}

static bool is_instruction(const struct sysreg_row *row) { return !strcmp(row->kind, "INSN"); }

static void put_short(const struct sysreg_row *row)
{
    char text[24], rules[2000];
    encoding(row->id, text, sizeof text);
    if (!strcmp(row->kind, "ALIAS")) {
        printf("| %s | %s | %s |\n", row->name, text, row->title);
        return;
    }
    sysreg_explain(row->id, rules, sizeof rules);
    printf("| %s | %s | %s | %s | ", row->name, text, sysreg_when_title(row->when), row->title);
    for (char *line = strtok(rules, "\n"), *sep = ""; line; line = strtok(NULL, "\n"), sep = "; ")
        printf("%s%s", sep, line);
    printf(" |\n");
}

int doc_arm_markdown(void)
{
    const char *last = "", *table = "";
    printf("# A64 system registers and instructions\n\nMade from the rows of `src/csr/arm/` by `trapline doc --markdown "
           "registers-arm`; do not "
           "edit.\nBelow a name: who may access it; what stops the access, in the order in which it is asked; where it goes; the "
           "offset in the\nVNCR page (for FEAT_NV2); the value after a reset where it is not zero. \"A host\" is HCR_EL2.{E2H, "
           "TGE} = "
           "{1, 1}. Rules of fields\nare those of [rows.def](../../src/csr/arm/rows.def); in brackets, what a field needs. "
           "Choices that "
           "the manual leaves open are in\n[implementation-defined.md](../implementation-defined.md).\n");
    for (unsigned i = 0; i < sysreg_row_count(); i++) {
        const struct sysreg_row *row = sysreg_row_at(i);
        const char *spec, *group = sysreg_group(row->id, &spec);
        const char *head = is_instruction(row) ? "| instruction | encoding | exists | does | access |\n|---|---|---|---|---|\n"
                           : !strcmp(row->kind, "ALIAS") ? "| name | encoding | of |\n|---|---|---|\n"
                                                         : "";
        if (group != last)
            printf("\n## %s (%s)\n", group, spec);
        if (*head && (group != last || head != table))
            printf("\n%s", head);
        if (*head)
            put_short(row);
        else
            put_register(row);
        last = group;
        table = head;
    }
    return CLI_OK;
}
