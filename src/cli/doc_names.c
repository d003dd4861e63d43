#include "cli/doc_names.h"
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/doc_arm.h"
#include "cli/doc_insn.h"
#include "cli/doc_markdown.h"
#include "cli/doc_rules.h"
#include "cli/doc_sbi.h"
#include "csr/arm/sysreg.h"
#include "csr/riscv/csr.h"
#include "debug/arm/esr.h"
#include "debug/arm/psci.h"
#include "debug/riscv/cause.h"
#include "debug/riscv/sbi.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- pieces
 * ---------------------------------------------------------------------------------------------------------------------- */

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

bool doc_number(const char *text, uint64_t *v)
{
    char *end;
    bool binary = !strncasecmp(text, "0b", 2);
    errno = 0;
    *v = strtoull(binary ? text + 2 : text, &end, binary ? 2 : 0);
    return isdigit((unsigned char)*text) && !*end && end > text + 2 * binary && !errno;
}

static bool number(const char *text, uint64_t *v) { return doc_number(text, v); }

/* Whether text is in name, whatever the case, blanks and punctuation. */
static bool is_in(const char *text, const char *name)
{
    for (; *name; name++) {
        const char *a = name, *b = text;
        for (;; a++, b++) {
            a += *a && !isalnum((unsigned char)*a);
            b += *b && !isalnum((unsigned char)*b);
            if (!*b || tolower((unsigned char)*a) != tolower((unsigned char)*b))
                break;
        }
        if (!*b)
            return true;
    }
    return false;
}

/* ---- causes of RISC-V
 * ------------------------------------------------------------------------------------------------------------ */

/* The field of a delegation register that holds the bit of cause c; "" if it cannot be delegated there. */
static const char *delegation(const char *reg, unsigned code)
{
    const struct csr_row *row = csr_row_by_name(reg);
    unsigned msb, lsb;
    for (unsigned i = 0; i < row->nfields; i++)
        if (csr_field_bits(row, &row->fields[i], 64, &msb, &lsb) && code >= lsb && code <= msb)
            return row->fields[i].name;
    return "";
}

static json_t *cause_json(const struct rv_cause *c)
{
    return json_pack("{s:b,s:i,s:s,s:s,s:s,s:b,s:b}", "interrupt", (int)c->interrupt, "code", (int)c->code, "name", c->name,
                     "meaning", c->meaning, "tval", c->tval, "delegated_below_m",
                     (int)(*delegation(c->interrupt ? "mideleg" : "medeleg", c->code) != 0), "delegated_to_vs",
                     (int)(*delegation(c->interrupt ? "hideleg" : "hedeleg", c->code) != 0));
}

static void print_cause(const struct rv_cause *c)
{
    const char *m = c->interrupt ? "mideleg" : "medeleg", *h = c->interrupt ? "hideleg" : "hedeleg";
    printf("%s %u  %s\n  %s\n", c->interrupt ? "interrupt" : "exception", c->code, c->name, c->meaning);
    if (!c->interrupt)
        printf("  xtval     %s\n", c->tval);
    printf("  delegated %s", *delegation(m, c->code) ? "" : "never: it goes to M\n");
    if (*delegation(m, c->code))
        printf("below M by %s[%u]%s", m, c->code, *delegation(h, c->code) ? "" : ", never to VS\n");
    if (*delegation(m, c->code) && *delegation(h, c->code))
        printf(", to VS by %s[%u]\n", h, c->code);
    printf("  (%s)\n",
           c->interrupt ? "priv: Machine Interrupt (mip and mie) Registers" : "priv: Machine Cause (mcause) Register");
}

/* What a list prints, or what is chosen from it. */
static int one_or_all(json_t *list, bool any, const char *what, const char *name, bool json)
{
    if (json && any)
        return dump(json_array_size(list) == 1 && name ? json_incref(json_array_get(list, 0)) : json_incref(list));
    return any ? CLI_OK : cli_errorf("there is no %s '%s'; `trapline doc %s` lists them", what, name, what);
}

/* name: "13", "load page", or NULL for all. which: 0 exceptions, 1 interrupts, 2 both. */
static int causes(const char *name, unsigned which, const char *what, bool json)
{
    const struct rv_cause *c;
    uint64_t code;
    bool any = false, numeric = name && number(name, &code);
    json_t *list = json_array();
    for (unsigned i = 0; (c = rv_cause_at(i)); i++) {
        if (which < 2 && c->interrupt != which)
            continue;
        if (name && !(numeric ? c->code == code : is_in(name, c->name)))
            continue;
        if (json)
            json_array_append_new(list, cause_json(c));
        else if (!name)
            printf("%-9s %2u  %s\n", c->interrupt ? "interrupt" : "exception", c->code, c->name);
        else
            print_cause(c);
        any = true;
    }
    int status = one_or_all(list, any, what, name, json);
    json_decref(list);
    return status;
}

/* ---- exception classes of Arm
 * ------------------------------------------------------------------------------------------------------ */

static json_t *class_json(const struct esr_class *c, const uint64_t *esr)
{
    const struct esr_field *f;
    const char *name;
    uint32_t v;
    json_t *list = json_array();
    for (unsigned i = 0; (f = esr_field_at(c, i)); i++) {
        json_t *j =
            json_pack("{s:s,s:i,s:i,s:s}", "name", f->name, "msb", (int)f->msb, "lsb", (int)f->lsb, "meaning", f->meaning);
        if (esr) {
            uint64_t value = bits_get(*esr, f->msb, f->lsb);
            json_object_set_new(j, "value", hex(value));
            if (*esr_value_name(f, value))
                json_object_set_new(j, "says", json_string(esr_value_name(f, value)));
        } else {
            json_t *values = json_object();
            for (unsigned k = 0; (name = esr_value_at(f, k, &v)); k++) {
                char key[16];
                snprintf(key, sizeof key, "0x%02" PRIx32, v);
                json_object_set_new(values, key, json_string(name));
            }
            json_object_set_new(j, "values", values);
        }
        json_array_append_new(list, j);
    }
    return json_pack("{s:i,s:s,s:s,s:o}", "ec", (int)c->ec, "name", c->name, "format", esr_format_title(c), "iss", list);
}

static void print_class(const struct esr_class *c)
{
    const struct esr_field *f;
    const char *name;
    uint32_t v;
    printf("EC 0x%02x  %s\nISS encoding for %s\n", c->ec, c->name, esr_format_title(c));
    for (unsigned i = 0; (f = esr_field_at(c, i)); i++) {
        char bits[16];
        snprintf(bits, sizeof bits, f->msb == f->lsb ? "%u" : "%u:%u", f->msb, f->lsb);
        printf("  %-6s %-12s %s\n", bits, f->name, f->meaning);
        for (unsigned k = 0; (name = esr_value_at(f, k, &v)); k++)
            printf("  %19s  0x%02" PRIx32 " %s\n", "", v, name);
    }
}

static int classes(const char *name, const char *what, bool json)
{
    const struct esr_class *c;
    uint64_t ec;
    bool any = false, numeric = name && number(name, &ec);
    json_t *list = json_array();
    for (unsigned i = 0; (c = esr_class_at(i)); i++) {
        if (name && !(numeric ? c->ec == ec : is_in(name, c->name)))
            continue;
        if (json)
            json_array_append_new(list, class_json(c, NULL));
        else if (!name)
            printf("0x%02x  %s\n", c->ec, c->name);
        else
            print_class(c);
        any = true;
    }
    int status = one_or_all(list, any, what, name, json);
    json_decref(list);
    return status;
}

/* ---- calls of firmware
 * -------------------------------------------------------------------------------------------------------------- */

static void print_call(const struct psci_call *p)
{
    char wide[24] = "";
    if (p->wide)
        snprintf(wide, sizeof wide, ", 0x%08" PRIx32, p->number | 0x40000000u);
    printf("0x%08" PRIx32 "%s  %s(%s)\n  %s (%s)\n", p->number, wide, p->name, p->arguments, p->title, p->spec);
}

/* name: "cpu_on", "0xc4000003", either with "=ARG,ARG,...=RESULT". */
static int psci(char *name, bool json)
{
    const struct psci_call *p;
    bool any = false;
    json_t *list = json_array();
    char *args = name ? strchr(name, '=') : NULL, *result = NULL;
    uint64_t id = 0;
    if (args) {
        *args++ = '\0';
        result = strchr(args, '=');
        if (result)
            *result++ = '\0';
    }
    bool numeric = name && number(name, &id);
    for (unsigned i = 0; (p = psci_call_at(i)); i++) {
        if (name && !(numeric ? psci_call((uint32_t)id) == p : is_in(name, p->name)))
            continue;
        if (args && !numeric && strcasecmp(name, p->name))
            continue;
        any = true;
        if (json)
            json_array_append_new(list,
                                  json_pack("{s:o,s:b,s:s,s:s,s:s,s:s}", "number", hex(p->number), "wide", (int)p->wide, "name",
                                            p->name, "spec", p->spec, "arguments", p->arguments, "title", p->title));
        else if (!name)
            printf("0x%08" PRIx32 "  %-24s %s\n", p->number, p->name, p->title);
        else
            print_call(p);
        if (!args || json)
            continue;
        for (const char *a = p->arguments; *a; a += strspn(a, " ")) {
            size_t n = strcspn(a, " "), k = args ? strcspn(args, ",") : 0;
            printf("  %-24.*s %.*s\n", (int)n, a, (int)k, args ? args : "");
            args = args && args[k] ? args + k + 1 : NULL;
            a += n;
        }
        int v;
        const char *error;
        for (unsigned e = 0; result && (error = psci_error_at(e, &v)); e++)
            if (v == (int)strtol(result, NULL, 0))
                printf("  %-24s %s\n", "returns", error);
    }
    int status = one_or_all(list, any, "psci", name, json);
    json_decref(list);
    return status;
}

/* ---- topics
 * ---------------------------------------------------------------------------------------------------------------------------- */

/* A word of code: RISC-V's if it is an instruction there, else A64's; --arch decides before that. */
static int word(uint32_t v, const struct doc_how *how)
{
    bool riscv = !how->arm && doc_is_word_riscv(v, how->xlen), arm = !how->riscv && doc_is_word_arm(v);
    if (how->arm || (arm && !riscv))
        return doc_decode_arm(v, how->json);
    if (!riscv && !how->riscv)
        return cli_errorf("0x%" PRIx32 " is no instruction of rv%u, and none of A64 that is known here", v, how->xlen);
    int status = doc_decode_riscv(v, how->xlen, how->json);
    if (arm && !how->json)
        printf("It is an instruction of A64, too: `trapline doc --arch arm 0x%" PRIx32 "`.\n", v);
    return status;
}

static int insn(const char *text, const struct doc_how *how)
{
    uint64_t v;
    if (text && number(text, &v) && v <= UINT32_MAX)
        return word((uint32_t)v, how);
    bool found = text && !how->arm && doc_insn_riscv(text, how->json);
    found |= text && !how->riscv && (doc_insn_arm(text, how->json) || doc_arm_operations(text, how->json));
    if (text && !found && !how->riscv && doc_arm_knows(text))
        return doc_arm_explain(text, NULL, how->json, how->colour);
    if (found)
        return CLI_OK;
    return cli_errorf("'insn:%s' is no instruction; write insn:NAME or, to decode one, insn:0x00053583 (with --arch arm for A64)",
                      text ? text : "");
}

bool doc_topic(const char *text, const struct doc_how *how, int *status)
{
    static const char *const topic[] = {"cause", "exception", "irq", "interrupt", "ec", "esr", "psci", "insn", "rules"};
    unsigned i = 0;
    size_t n = strcspn(text, ":="), word = n > 3 && tolower((unsigned char)text[n - 1]) == 's' ? n - 1 : n; /* "causes" */
    word += !strncasecmp(text, "rules", n);
    while (i < ARRAY_LEN(topic) && (strlen(topic[i]) != word || strncasecmp(topic[i], text, word)))
        i++;
    if (i == ARRAY_LEN(topic))
        return false;
    char *rest = text[n] ? strdup(text + n + 1) : NULL;
    switch (i) {
    case 0: *status = causes(rest, 2, topic[i], how->json); break;
    case 1: *status = causes(rest, 0, topic[i], how->json); break;
    case 2:
    case 3: *status = causes(rest, 1, topic[i], how->json); break;
    case 4:
    case 5: *status = classes(rest, topic[i], how->json); break;
    case 6: *status = psci(rest, how->json); break;
    case 7: *status = insn(rest, how); break;
    default: *status = doc_rules(rest, how->json);
    }
    free(rest);
    return true;
}

/* ---- fields
 * ---------------------------------------------------------------------------------------------------------------------------- */

struct one_field {
    const char *name, *meaning, *rule;
    unsigned msb, lsb;
};

static bool csr_field(const char *reg, const char *field, unsigned xlen, struct one_field *o)
{
    const struct csr_row *row = csr_row_by_name(reg);
    for (unsigned i = 0; row && i < row->nfields; i++)
        if (!strcasecmp(row->fields[i].name, field) && csr_field_bits(row, &row->fields[i], xlen, &o->msb, &o->lsb)) {
            *o = (struct one_field){row->fields[i].name, row->fields[i].meaning, row->fields[i].warl, o->msb, o->lsb};
            return true;
        }
    return false;
}

static bool sysreg_field_of(const char *reg, const char *field, struct one_field *o)
{
    unsigned id = sysreg_by_name(reg);
    const struct sysreg_row *row = id ? sysreg_row_of(id) : NULL;
    for (unsigned i = 0; row && i < row->nfields; i++)
        if (!strcasecmp(row->fields[i].name, field)) {
            *o = (struct one_field){row->fields[i].name, row->fields[i].meaning, row->fields[i].rule_text, row->fields[i].msb,
                                    row->fields[i].lsb};
            return true;
        }
    return false;
}

bool doc_field(const char *text, const struct doc_how *how, int *status)
{
    char reg[64], field[64];
    struct one_field o = {.name = ""};
    uint64_t value;
    const char *dot = strchr(text, '.'), *equals = strchr(text, '=');
    if (!dot || (equals && equals < dot) || dot - text >= (int)sizeof reg)
        return false;
    size_t n = equals ? (size_t)(equals - dot) - 1 : strlen(dot + 1);
    if (n >= sizeof field)
        return false;
    snprintf(field, sizeof field, "%.*s", (int)n, dot + 1);
    for (size_t i = 0; i <= (size_t)(dot - text); i++)
        reg[i] = text + i == dot ? '\0' : (char)tolower((unsigned char)text[i]);
    bool riscv = !how->arm && csr_num_by_name(reg) >= 0, arm = !how->riscv && sysreg_by_name(reg);
    if (!riscv && !arm)
        return false;
    *status = CLI_USER;
    if (!(riscv ? csr_field(reg, field, how->xlen, &o) : sysreg_field_of(reg, field, &o)))
        return cli_errorf("%s has no field '%s'; `trapline doc %s` lists them", reg, field, reg), true;
    unsigned width = o.msb - o.lsb + 1;
    if (equals && !number(equals + 1, &value))
        return cli_errorf("'%s' is not a value of %s.%s", equals + 1, reg, o.name), true;
    if (equals && width < 64 && value >> width)
        return cli_errorf("0x%" PRIx64 " does not fit into the %u bit%s of %s.%s", value, width, width == 1 ? "" : "s", reg,
                          o.name),
               true;
    *status = CLI_OK;
    if (how->json) {
        json_t *j = json_pack("{s:s,s:s,s:i,s:i,s:s,s:s}", "register", reg, "field", o.name, "msb", (int)o.msb, "lsb", (int)o.lsb,
                              "rule", o.rule, "meaning", o.meaning);
        if (equals) {
            json_object_set_new(j, "value", hex(value));
            json_object_set_new(j, "in_register", hex(value << o.lsb));
        }
        dump(j);
        return true;
    }
    printf("%s.%s  bit%s %u", reg, o.name, width == 1 ? "" : "s", o.msb);
    if (width > 1)
        printf(":%u", o.lsb);
    printf("\n%s\nrule   %s\nmask   0x%" PRIx64 "\n", o.meaning, o.rule, bits_mask(o.lsb, width));
    if (equals)
        printf("value  0x%" PRIx64 ", in the register 0x%" PRIx64 "\n", value, value << o.lsb);
    return true;
}

/* ---- plain names
 * -------------------------------------------------------------------------------------------------------------------- */

static bool names_cause(const char *text)
{
    const struct rv_cause *c;
    for (unsigned i = 0; (c = rv_cause_at(i)); i++)
        if (is_in(text, c->name))
            return true;
    return false;
}

static bool names_class(const char *text)
{
    const struct esr_class *c;
    for (unsigned i = 0; (c = esr_class_at(i)); i++)
        if (is_in(text, c->name))
            return true;
    return false;
}

static bool names_psci(const char *text)
{
    const struct psci_call *p;
    for (unsigned i = 0; (p = psci_call_at(i)); i++)
        if (!strcasecmp(text, p->name))
            return true;
    return false;
}

static bool names_sbi(const char *text)
{
    const struct sbi_func_row *f;
    for (unsigned i = 0; (f = sbi_func_at(i)); i++)
        if (!strcasecmp(text, f->name))
            return true;
    return false;
}

/* Every register that has a field of that name. False: none has. */
static bool fields_named(const char *text, const struct doc_how *how)
{
    json_t *j = json_array();
    char reg[48];
    bool found = false;
    for (unsigned k = 0; k < 4096 + SYSREG_COUNT; k++) {
        struct one_field o;
        bool arm = k >= 4096;
        if (arm ? how->riscv || k == 4096 : how->arm || !csr_row_by_num(k))
            continue;
        if (arm)
            sysreg_name(k - 4096, reg, sizeof reg);
        else
            csr_name(k, reg, sizeof reg);
        if (!(arm ? sysreg_field_of(reg, text, &o) : csr_field(reg, text, how->xlen, &o)))
            continue;
        found = true;
        if (how->json)
            json_array_append_new(j, json_pack("{s:s,s:s,s:i,s:i,s:s}", "register", reg, "field", o.name, "msb", (int)o.msb,
                                               "lsb", (int)o.lsb, "meaning", o.meaning));
        else if (o.msb == o.lsb)
            printf("%s.%s  bit %u  %s\n", reg, o.name, o.msb, o.meaning);
        else
            printf("%s.%s  bits %u:%u  %s\n", reg, o.name, o.msb, o.lsb, o.meaning);
    }
    if (how->json && found)
        dump(j);
    else
        json_decref(j);
    return found;
}

bool doc_named(const char *text, const struct doc_how *how, int *status)
{
    const char *sbi = !strncasecmp(text, "sbi_", 4) ? text + 4 : text;
    char copy[64];
    *status = CLI_OK;
    if (strlen(text) < 2 || strlen(text) >= sizeof copy)
        return fields_named(text, how);
    bool found = !how->arm && doc_insn_riscv(text, how->json);
    if (!how->riscv && (!found || how->arm))
        found |= doc_insn_arm(text, how->json) || doc_arm_operations(text, how->json);
    if (found)
        return true;
    if ((strlen(text) < 5 || how->arm || !names_cause(text)) && fields_named(text, how)) /* medeleg has fields by causes' names */
        return true;
    if (!how->riscv && names_psci(text)) {
        strcpy(copy, text);
        *status = psci(copy, how->json);
    } else if (!how->arm && names_sbi(sbi)) {
        *status = doc_sbi(sbi, how->xlen, how->json);
    } else if (!how->arm && names_cause(text)) {
        *status = causes(text, 2, "cause", how->json);
    } else if (!how->riscv && names_class(text)) {
        *status = classes(text, "ec", how->json);
    } else {
        return false;
    }
    return true;
}

/* ---- numbers
 * ------------------------------------------------------------------------------------------------------------------------ */

bool doc_is_insn(const char *name)
{
    const char *k;
    for (unsigned i = 0; (k = doc_insn_name_riscv(i)); i++)
        if (!strcmp(k, name))
            return true;
    for (unsigned i = 0; (k = doc_insn_name_arm(i)); i++)
        if (!strcmp(k, name))
            return true;
    return false;
}

/* In the order in which one would mean it: a call of firmware, an extension of SBI, an instruction. */
int doc_bare_number(const char *text, uint64_t v, const struct doc_how *how)
{
    char copy[24];
    snprintf(copy, sizeof copy, "0x%" PRIx64, v);
    if (v < 64)
        return cli_errorf("there is no register with number %s; did you mean cause:%s, irq:%s or ec:%s?", text, text, text, text);
    if (!how->riscv && v <= UINT32_MAX && psci_call((uint32_t)v))
        return psci(copy, how->json);
    if (!how->arm && sbi_ext_of(v) != SBI_EXT_NONE)
        return doc_sbi(copy, how->xlen, how->json);
    if (v < 4096 || v > UINT32_MAX)
        return cli_errorf("there is no register with number %s", text);
    return word((uint32_t)v, how);
}

/* ---- values
 * ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_cause_register(const char *reg)
{
    return !strcmp(reg, "mcause") || !strcmp(reg, "scause") || !strcmp(reg, "vscause") || !strcmp(reg, "mncause");
}

static void cause_value(uint64_t value, unsigned xlen, json_t *j)
{
    bool interrupt = value >> (xlen - 1) & 1;
    uint64_t code = value & bits_mask(0, xlen - 1);
    const struct rv_cause *c = rv_cause(interrupt, code);
    if (!c && xlen == 64 && value >> 31 == 1 && !j && (c = rv_cause(true, value & bits_mask(0, 31))))
        printf("\nThis is no cause of XLEN 64; with XLEN 32 (--xlen 32) it is interrupt %u, %s.\n", c->code, c->name);
    else if (!c)
        return;
    else if (j)
        json_object_set_new(j, "cause", cause_json(c));
    else {
        printf("\n");
        print_cause(c);
    }
}

static void esr_value(uint64_t esr, json_t *j)
{
    const struct esr_class *c = esr_class((unsigned)bits_get(esr, 31, 26));
    const struct esr_field *f;
    char text[256];
    esr_text(esr, text, sizeof text);
    if (j) {
        json_object_set_new(j, "says", json_string(text));
        if (c)
            json_object_set_new(j, "syndrome", class_json(c, &esr));
        return;
    }
    printf("\n%s\n", text);
    if (!c)
        return;
    printf("EC 0x%02x, ISS encoding for %s\n", c->ec, esr_format_title(c));
    for (unsigned i = 0; (f = esr_field_at(c, i)); i++) {
        uint64_t v = bits_get(esr, f->msb, f->lsb);
        char bits[16], now[24];
        snprintf(bits, sizeof bits, f->msb == f->lsb ? "%u" : "%u:%u", f->msb, f->lsb);
        snprintf(now, sizeof now, "0x%" PRIx64, v);
        const char *says = esr_value_name(f, v);
        printf("  %-6s %-12s %-6s %s%s%s\n", bits, f->name, now, says, *says ? "; " : "", f->meaning);
    }
    if (c->ec == 0x18) {
        esr_sysreg(esr, text, sizeof text);
        printf("  %-6s %-12s %-6s %s\n", "", "register", "", text);
    }
}

void doc_value(const char *reg, uint64_t value, unsigned xlen, json_t *j)
{
    if (is_cause_register(reg))
        cause_value(value, xlen, j);
    else if (!strcmp(reg, "esr_el1") || !strcmp(reg, "esr_el2") || !strcmp(reg, "esr_el3"))
        esr_value(value, j);
}

/* ---- what was meant
 * ---------------------------------------------------------------------------------------------------------------- */

/* Edits from a to b (Levenshtein), at most `most` + 1; case does not count. */
static unsigned distance(const char *a, const char *b, unsigned most)
{
    unsigned row[64], n = (unsigned)strlen(b);
    if (n >= ARRAY_LEN(row) || strlen(a) >= ARRAY_LEN(row))
        return most + 1;
    for (unsigned k = 0; k <= n; k++)
        row[k] = k;
    for (unsigned i = 1; *a; a++, i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned k = 1; k <= n; k++) {
            unsigned above = row[k], change = diagonal + (tolower((unsigned char)*a) != tolower((unsigned char)b[k - 1]));
            unsigned least = above < row[k - 1] ? above + 1 : row[k - 1] + 1;
            row[k] = change < least ? change : least;
            diagonal = above;
        }
    }
    return row[n];
}

#define SUGGESTIONS 5
struct near {
    const char *text;
    char name[SUGGESTIONS][48];
    unsigned distance[SUGGESTIONS], n;
};

static void consider(struct near *s, const char *name)
{
    size_t length = strlen(s->text);
    unsigned most = length < 5 ? 1 : 2, d = distance(s->text, name, most), i = s->n;
    if (d > 1 && length > 2 && !strncasecmp(name, s->text, length)) /* its beginning */
        d = 1;
    if (d > most)
        return;
    for (unsigned k = 0; k < s->n; k++)
        if (!strcmp(s->name[k], name))
            return;
    while (i && s->distance[i - 1] > d)
        i--;
    if (i == SUGGESTIONS)
        return;
    s->n += s->n < SUGGESTIONS;
    for (unsigned k = s->n - 1; k > i; k--) {
        memcpy(s->name[k], s->name[k - 1], sizeof s->name[k]);
        s->distance[k] = s->distance[k - 1];
    }
    snprintf(s->name[i], sizeof s->name[i], "%s", name);
    s->distance[i] = d;
}

static void consider_riscv(struct near *s)
{
    const struct sbi_func_row *f;
    const char *name;
    char text[48];
    for (unsigned num = 0; num < 4096; num++)
        if (csr_row_by_num(num)) {
            csr_name(num, text, sizeof text);
            consider(s, text);
        }
    for (unsigned i = 0; (name = doc_insn_name_riscv(i)); i++)
        consider(s, name);
    for (unsigned i = 0; (f = sbi_func_at(i)); i++)
        consider(s, f->name);
}

static void consider_arm(struct near *s)
{
    const struct psci_call *p;
    const char *name;
    char text[48];
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        sysreg_name(id, text, sizeof text);
        consider(s, text);
    }
    for (unsigned i = 0; (name = doc_insn_name_arm(i)); i++)
        consider(s, name);
    for (unsigned i = 0; (p = psci_call_at(i)); i++)
        consider(s, p->name);
}

static void put_list(const struct near *s, char list[SUGGESTIONS * 56])
{
    for (unsigned i = 0; i < s->n; i++) {
        strcat(list, i ? i + 1 == s->n ? " or " : ", " : "");
        strcat(list, s->name[i]);
    }
}

int doc_unknown_sbi(const char *text)
{
    const struct sbi_func_row *f;
    struct near s = {.text = text};
    char list[SUGGESTIONS * 56] = "";
    for (unsigned i = 1; i < SBI_EXT_COUNT; i++)
        consider(&s, sbi_ext((enum sbi_ext)i)->name);
    for (unsigned i = 0; (f = sbi_func_at(i)); i++)
        consider(&s, f->name);
    put_list(&s, list);
    return cli_errorf("SBI has no extension, function or list '%s'; %s%s%s`trapline doc sbi` lists the extensions", text,
                      s.n ? "did you mean " : "", list, s.n ? "? " : "");
}

int doc_unknown(const char *text, const struct doc_how *how)
{
    if (!strcmp(text, "pstate") || !strcmp(text, "cpsr"))
        return cli_errorf("PSTATE as a whole is no register: spsr_el1 shows how it is saved; parts of it are nzcv, daif, "
                          "currentel, spsel, pan");
    struct near s = {.text = text};
    char list[SUGGESTIONS * 56] = "";
    if (!how->arm)
        consider_riscv(&s);
    if (!how->riscv)
        consider_arm(&s);
    put_list(&s, list);
    const char *arch = how->arm ? " --arch arm" : "";
    if (s.n)
        return cli_errorf("there is no register '%s'; did you mean %s?", text, list);
    return cli_errorf("there is no %sregister '%s', and no instruction, cause or call; `trapline doc%s` lists registers",
                      how->arm ? "system " : "", text, arch);
}

/* ---- the page
 * -------------------------------------------------------------------------------------------------------------------------- */

static void put_causes(bool interrupt)
{
    const struct rv_cause *c;
    printf("\n| code | name | %s | means | below M by | to VS by |\n|---|---|---|---|---|---|\n", interrupt ? "" : "xtval");
    for (unsigned i = 0; (c = rv_cause_at(i)); i++) {
        if (c->interrupt != interrupt)
            continue;
        bool m = *delegation(interrupt ? "mideleg" : "medeleg", c->code),
             h = *delegation(interrupt ? "hideleg" : "hedeleg", c->code);
        printf("| %u | %s | ", c->code, c->name);
        doc_cell(interrupt ? "" : c->tval);
        printf(" | ");
        doc_cell(c->meaning);
        printf(" | %s | %s |\n", m ? (interrupt ? "mideleg" : "medeleg") : "never",
               h ? (interrupt ? "hideleg" : "hedeleg") : "never");
    }
}

static void put_class(const struct esr_class *c)
{
    const struct esr_field *f;
    const char *name;
    uint32_t v;
    printf("\n### 0x%02x: %s\n\nISS encoding for %s.\n", c->ec, c->name, esr_format_title(c));
    for (unsigned i = 0; (f = esr_field_at(c, i)); i++) {
        if (!i)
            printf("\n| bits | field | meaning | values |\n|---|---|---|---|\n");
        printf(f->msb == f->lsb ? "| %u |" : "| %u:%u |", f->msb, f->lsb);
        printf(" %s | %s | ", f->name, f->meaning);
        for (unsigned k = 0; (name = esr_value_at(f, k, &v)); k++)
            printf("%s0x%02" PRIx32 " %s", k ? "; " : "", v, name);
        printf(" |\n");
    }
}

int doc_causes_markdown(void)
{
    const struct esr_class *c;
    const struct psci_call *p;
    printf(
        "# Causes of traps, syndromes, calls of firmware\n\nMade from `src/debug/riscv/cause.def`, `src/debug/arm/esr.def` and\n"
        "`src/debug/arm/psci.def` by `trapline doc --markdown causes`; do not edit.\n\n## Exceptions of RISC-V\n");
    put_causes(false);
    printf("\n## Interrupts of RISC-V\n");
    put_causes(true);
    printf("\n## Exception classes of AArch64\n");
    for (unsigned i = 0; (c = esr_class_at(i)); i++)
        put_class(c);
    printf(
        "\n## Calls of firmware by SMC and HVC\n\nCalls that take 64-bit arguments are there with bit 30 of the identifier set, "
        "too.\n\n| identifier | call | 64-bit | does |\n|---|---|---|---|\n");
    for (unsigned i = 0; (p = psci_call_at(i)); i++)
        printf("| 0x%08" PRIx32 " | `%s(%s)` | %s | %s |\n", p->number, p->name, p->arguments, p->wide ? "too" : "", p->title);
    return CLI_OK;
}
