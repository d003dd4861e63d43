/* `trapline doc`: what the tables know. */
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/doc_arm.h"
#include "cli/doc_markdown.h"
#include "cli/doc_names.h"
#include "cli/doc_sbi.h"
#include "cli/options.h"
#include "csr/arm/config.h"
#include "csr/riscv/csr.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { OPT_CPU = 0x300, OPT_JSON, OPT_XLEN, OPT_MARKDOWN, OPT_ARCH };

static const struct argp_option table[] = {
    {"cpu", OPT_CPU, 0, 0, "print the cpu configuration, one extension or feature a row; the argument is one for run's -cpu", 1},
    {"arch", OPT_ARCH, "riscv|arm", 0, "of this architecture; else a name decides, a list has both, a configuration is RISC-V",
     1},
    {"xlen", OPT_XLEN, "32|64", 0, "show registers as a hart of this width has them (64)", 1},
    {"json", OPT_JSON, 0, 0, "print JSON", 1},
    {"markdown", OPT_MARKDOWN, "NAME", 0,
     "print the whole reference, as in docs/gen: registers, registers-arm, instructions, instructions-arm, sbi, causes", 1},
    {0}};

struct doc {
    bool cpu, json;
    bool riscv, arm; /* --arch */
    unsigned xlen;
    const char *name, *markdown;
    bool colour;
};

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct doc *d = state->input;
    switch (key) {
    case OPT_CPU: d->cpu = true; return 0;
    case OPT_JSON: d->json = true; return 0;
    case OPT_MARKDOWN: d->markdown = arg; return 0;
    case OPT_ARCH:
        d->riscv = !strcmp(arg, "riscv");
        d->arm = !strcmp(arg, "arm");
        if (!d->riscv && !d->arm)
            exit(cli_errorf("--arch '%s': the architectures are riscv and arm", arg));
        return 0;
    case OPT_XLEN:
        if (strcmp(arg, "32") && strcmp(arg, "64"))
            exit(cli_errorf("--xlen '%s': a hart is 32 or 64 bits wide", arg));
        d->xlen = *arg == '3' ? 32 : 64;
        return 0;
    case ARGP_KEY_ARG:
        if (d->name)
            exit(cli_errorf("one thing is explained at a time: '%s' and '%s' were given", d->name, arg));
        d->name = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = table,
    .parser = parser,
    .args_doc = "[NAME|NUMBER|NAME=VALUE|REGISTER.FIELD[=VALUE]]\ncause[:NUMBER|:NAME]\nirq[:NUMBER|:NAME]\nec[:NUMBER|:NAME]\n"
                "psci[:CALL[=ARGUMENTS[=RESULT]]]\nrules[:MONITOR]\ninsn:NAME|:WORD\n"
                "sbi[:EXTENSION|:FUNCTION[=ARGUMENTS[=RESULT]]|:LIST[=VALUE]]\n--cpu [CONFIG]",
    .doc =
        "Print what the tables know about a control and status register of RISC-V or a system register or instruction of A64, or "
        "decode a value of it; about a field, an instruction, a cause of traps (cause, irq), an exception class of ESR_ELx (ec), "
        "a call of firmware (psci), the rules of monitors (rules). Without an argument, list all registers. sbi: the extensions "
        "of the supervisor binary interface; one of them, a function, the named values of an argument; or decode a call.\v"
        "Examples:\n"
        "  trapline doc hstatus\n"
        "  trapline doc hstatus=0x200200180\n"
        "  trapline doc 0x600\n"
        "  trapline doc sctlr_el1=0x30d0198d\n"
        "  trapline doc s3_4_c1_c1_0\n"
        "  trapline doc hstatus.SPVP\n"
        "  trapline doc mcause=0x8000000000000007\n"
        "  trapline doc esr_el2=0x5600004a\n"
        "  trapline doc SPV                         the registers that have a field of this name\n"
        "  trapline doc 0x10200073                  an instruction, or a call of firmware by its number\n"
        "  trapline doc cause:13\n"
        "  trapline doc 'load page'\n"
        "  trapline doc ec:0x24\n"
        "  trapline doc insn:0x00053583\n"
        "  trapline doc psci:cpu_on\n"
        "  trapline doc rules:calls\n"
        "  trapline doc sbi:sse\n"
        "  trapline doc sbi:sse_inject=0xffff0000,0=-3\n"
        "  trapline doc sbi:0x535345/7\n"
        "  trapline doc --cpu rv64,h=off\n"
        "  trapline doc --cpu cortex-a76,mte=on\n",
};

/* ---- the cpu -------------------------------------------------------------------------------------------------------------- */

/* Choices that are not extensions, by the names -cpu gives them. */
static const struct number {
    const char *name, *title;
    size_t at;
} numbers[] = {
    {"asid", "bits of an address space identifier", offsetof(struct rv_config, asid_bits)},
    {"vmid", "bits of a virtual machine identifier", offsetof(struct rv_config, vmid_bits)},
    {"pmp", "physical memory protection entries", offsetof(struct rv_config, pmp_count)},
    {"pmp-grain", "PMP granularity is 2^(G+2) bytes: G", offsetof(struct rv_config, pmp_grain)},
    {"hpm", "programmable performance counters", offsetof(struct rv_config, hpm_count)},
    {"geilen", "guest external interrupts", offsetof(struct rv_config, geilen)},
    {"pa", "bits of a physical address", offsetof(struct rv_config, pa_bits)},
    {"misaligned", "1: plain misaligned loads and stores work; 0: they trap", offsetof(struct rv_config, misaligned)},
};

static uint32_t number_of(const struct rv_config *c, const struct number *n)
{
    uint32_t v;
    memcpy(&v, (const char *)c + n->at, sizeof v);
    return v;
}

static void modes(const struct rv_config *c, char *out, size_t cap)
{
    static const struct {
        unsigned bit;
        const char *name;
    } row[] = {{1, "sv32"}, {8, "sv39"}, {9, "sv48"}, {10, "sv57"}};
    size_t n = 0;
    *out = '\0';
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        if (c->sv_modes >> row[i].bit & 1)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "", row[i].name);
}

static int cpu_json(const struct rv_config *c, const char *isa)
{
    char text[64];
    json_t *j = json_object(), *ext = json_object();
    json_object_set_new(j, "xlen", json_integer(c->xlen));
    json_object_set_new(j, "isa", json_string(isa));
    for (unsigned i = 0; i < RV_EXT_COUNT; i++)
        json_object_set_new(ext, rv_ext_name((enum rv_ext)i), json_boolean(rv_has(c, (enum rv_ext)i)));
    json_object_set_new(j, "extensions", ext);
    modes(c, text, sizeof text);
    json_object_set_new(j, "translation", json_string(text));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        json_object_set_new(j, numbers[i].name, json_integer(number_of(c, &numbers[i])));
    json_dumpf(j, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(j);
    return CLI_OK;
}

/* Whether the first word of a configuration is one of RISC-V. */
static bool riscv_config(const char *text)
{
    struct rv_config c;
    struct err e;
    char first[64];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(text, ", \t\r\n#"), text);
    rv_config_default(&c, !strncmp(first, "rv32", 4) ? 32 : 64);
    return strchr(first, '=') || rv_config_parse(&c, first, &e);
}

static int neither_config(const char *text)
{
    char names[128];
    arm_core_names(names, sizeof names);
    return cli_errorf("there is no configuration '%s': for RISC-V it begins with rv64 or rv32, for AArch64 with a core: %s", text,
                      names);
}

static int print_cpu(const struct doc *d)
{
    struct rv_config c;
    struct err e;
    char isa[2048], text[64];
    const char *config = d->name ? d->name : d->xlen == 32 ? "rv32" : "rv64";
    if (d->arm || (!d->riscv && d->name && doc_arm_config(d->name)))
        return doc_arm_cpu(d->name ? d->name : "", d->json, d->colour);
    if (!d->riscv && !riscv_config(config))
        return neither_config(config);
    rv_config_default(&c, !strncmp(config, "rv32", 4) ? 32 : 64);
    if (!rv_config_parse(&c, config, &e))
        return cli_error(&e);
    rv_config_isa(&c, isa, sizeof isa);
    if (d->json)
        return cpu_json(&c, isa);
    printf("%s\n\n", isa);
    for (unsigned i = 0; i < RV_EXT_COUNT; i++) {
        bool on = rv_has(&c, (enum rv_ext)i);
        printf("%s%-12s %-4s %s%s\n", d->colour && !on ? "\033[2m" : "", rv_ext_name((enum rv_ext)i), on ? "on" : "off",
               rv_ext_title((enum rv_ext)i), d->colour && !on ? "\033[0m" : "");
    }
    modes(&c, text, sizeof text);
    printf("\n%-12s %-4s address translation\n", "modes", *text ? text : "none");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        printf("%-12s %-4" PRIu32 " %s\n", numbers[i].name, number_of(&c, &numbers[i]), numbers[i].title);
    return CLI_OK;
}

/* ---- registers ------------------------------------------------------------------------------------------------------------ */

/* A field as a row of output; v: the register's value. */
struct line {
    const struct csr_field *f;
    unsigned msb, lsb;
};

static int by_lsb(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return x->lsb < y->lsb ? 1 : x->lsb > y->lsb ? -1 : 0;
}

static unsigned lines_of(const struct csr_row *row, unsigned xlen, struct line *out, unsigned cap)
{
    unsigned n = 0;
    for (unsigned i = 0; i < row->nfields && n < cap; i++) {
        struct line l = {.f = &row->fields[i]};
        if (csr_field_bits(row, l.f, xlen, &l.msb, &l.lsb))
            out[n++] = l;
    }
    qsort(out, n, sizeof *out, by_lsb);
    return n;
}

static int row_json(const struct csr_row *row, const char *name, unsigned num, unsigned xlen, const uint64_t *value)
{
    struct line line[64];
    char text[24];
    unsigned n = lines_of(row, xlen, line, ARRAY_LEN(line));
    json_t *j = json_object(), *fields = json_array();
    json_object_set_new(j, "name", json_string(name));
    json_object_set_new(j, "number", json_integer(num));
    json_object_set_new(j, "title", json_string(row->title));
    json_object_set_new(j, "extension", json_string(rv_ext_name(row->ext)));
    json_object_set_new(j, "spec", json_string(row->spec));
    for (unsigned i = 0; i < n; i++) {
        json_t *f = json_object();
        json_object_set_new(f, "name", json_string(line[i].f->name));
        json_object_set_new(f, "msb", json_integer(line[i].msb));
        json_object_set_new(f, "lsb", json_integer(line[i].lsb));
        json_object_set_new(f, "meaning", json_string(line[i].f->meaning));
        if (value) {
            snprintf(text, sizeof text, "0x%" PRIx64, bits_get(*value, line[i].msb, line[i].lsb));
            json_object_set_new(f, "value", json_string(text));
        }
        json_array_append_new(fields, f);
    }
    json_object_set_new(j, "fields", fields);
    if (value)
        doc_value(name, *value, xlen, j);
    json_dumpf(j, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(j);
    return CLI_OK;
}

static int print_row(const struct doc *d, const struct csr_row *row, const char *name, unsigned num, const uint64_t *value)
{
    struct line line[64];
    if (d->json)
        return row_json(row, name, num, d->xlen, value);
    unsigned n = lines_of(row, d->xlen, line, ARRAY_LEN(line));
    uint64_t known = 0;
    printf("%s%s%s  0x%03x  %s\n", d->colour ? "\033[1m" : "", name, d->colour ? "\033[0m" : "", num, row->title);
    printf("%s (%s)\n", rv_ext_name(row->ext), row->spec);
    if (value)
        printf("value 0x%0*" PRIx64 "\n", (int)d->xlen / 4, *value);
    putchar('\n');
    for (unsigned i = 0; i < n; i++) {
        char bits[16], now[24] = "";
        snprintf(bits, sizeof bits, line[i].msb == line[i].lsb ? "%u" : "%u:%u", line[i].msb, line[i].lsb);
        if (value)
            snprintf(now, sizeof now, "0x%" PRIx64, bits_get(*value, line[i].msb, line[i].lsb));
        known |= bits_mask(line[i].lsb, line[i].msb - line[i].lsb + 1);
        printf("  %-6s %-*s %s%s%s\n", bits, 12, line[i].f->name, now, value ? "  " : "", line[i].f->meaning);
    }
    if (value && *value & ~known)
        printf("\nBits no field has: 0x%" PRIx64 "\n", *value & ~known);
    if (value)
        doc_value(name, *value, d->xlen, NULL);
    return CLI_OK;
}

static int list_all(const struct doc *d)
{
    if (d->arm)
        return doc_arm_list(d->json);
    json_t *j = d->json ? json_array() : NULL;
    for (unsigned i = 0; i < csr_row_count(); i++) {
        const struct csr_row *row = csr_row_at(i);
        char name[48], range[16] = "";
        csr_name(row->num, name, sizeof name);
        if (row->count > 1) {
            snprintf(range, sizeof range, "..%u", row->first + row->count - 1);
            strncat(name, range, sizeof name - strlen(name) - 1);
        }
        if (j)
            json_array_append_new(
                j, json_pack("{s:s,s:i,s:i,s:s}", "name", name, "number", row->num, "count", row->count, "title", row->title));
        else
            printf("0x%03x  %-18s %s\n", row->num, name, row->title);
    }
    if (j) {
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(j);
    }
    return d->riscv || d->json ? CLI_OK : doc_arm_list(false);
}

static int explain(const struct doc *d)
{
    char name[64];
    const char *equals = strchr(d->name, '=');
    size_t n = equals ? (size_t)(equals - d->name) : strlen(d->name);
    uint64_t value, num;
    if (!strcasecmp(d->name, "sbi") || !strncasecmp(d->name, "sbi:", 4) || !strncasecmp(d->name, "sbi=", 4))
        return doc_sbi(d->name + (d->name[3] ? 4 : 3), d->xlen, d->json);
    const struct doc_how how = {d->json, d->colour, d->riscv, d->arm, d->xlen};
    int status;
    if (n >= sizeof name)
        return cli_errorf("there is no register '%s'", d->name);
    if (doc_topic(d->name, &how, &status) || doc_field(d->name, &how, &status))
        return status;
    for (size_t i = 0; i <= n; i++)
        name[i] = i == n ? '\0' : (char)tolower((unsigned char)d->name[i]);
    if (equals && !doc_number(equals + 1, &value))
        return cli_errorf("'%s' is not a value of %s; write it as 0x180, 384 or 0b110000000", equals + 1, name);
    if (!d->riscv && csr_num_by_name(name) < 0 && doc_arm_knows(name))
        return doc_arm_explain(name, equals ? &value : NULL, d->json, d->colour);
    bool numeric = doc_number(name, &num);
    bool unknown = d->arm || (!numeric && csr_num_by_name(name) < 0);
    if (unknown && !equals && doc_named(d->name, &how, &status))
        return status;
    if (unknown && equals && doc_is_insn(name)) {
        char word[24];
        snprintf(word, sizeof word, "insn:0x%" PRIx64, value);
        doc_topic(word, &how, &status);
        return status;
    }
    if (numeric && d->arm && !equals)
        return doc_bare_number(name, num, &how);
    if (unknown)
        return doc_unknown(name, &how);
    if (equals && d->xlen == 32 && value >> 32)
        return cli_errorf("0x%" PRIx64 " does not fit into the 32 bits of %s", value, name);
    int at = numeric ? (int)num : csr_num_by_name(name);
    const struct csr_row *row = at >= 0 && (!numeric || num < 0x1000) ? csr_row_by_num((unsigned)at) : NULL;
    if (!row)
        return equals ? cli_errorf("there is no register with number %s", name) : doc_bare_number(name, num, &how);
    csr_name((unsigned)at, name, sizeof name);
    return print_row(d, row, name, (unsigned)at, equals ? &value : NULL);
}

int verb_doc(int argc, char **argv)
{
    struct doc d = {.xlen = 64, .colour = cli_colour(STDOUT_FILENO)};
    options_long(argc, argv, &argp);
    argp_parse(&argp, argc, argv, 0, NULL, &d);
    if (d.markdown)
        return doc_markdown(d.markdown);
    return d.cpu ? print_cpu(&d) : d.name ? explain(&d) : list_all(&d);
}
