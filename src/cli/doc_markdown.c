/* `trapline doc --markdown`: the references of docs/gen/, from the tables. */
#include "cli/doc_markdown.h"
#include "base/bits.h"
#include "cli/cli.h"
#include "cli/doc_arm.h"
#include "cli/doc_insn.h"
#include "cli/doc_names.h"
#include "cli/doc_sbi.h"
#include "cpu/riscv/decode.h"
#include "csr/riscv/csr.h"

#include <stdio.h>
#include <string.h>

void doc_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

static void bits_text(const struct csr_row *row, const struct csr_field *f, unsigned xlen, char out[16])
{
    unsigned msb, lsb;
    out[0] = '\0';
    if (csr_field_bits(row, f, xlen, &msb, &lsb))
        snprintf(out, 16, msb == lsb ? "%u" : "%u:%u", msb, lsb);
}

static void put_register(const struct csr_row *row)
{
    char name[48], last[48], rv64[16], rv32[16];
    csr_name(row->num, name, sizeof name);
    csr_name(row->num + row->count - 1u, last, sizeof last);
    printf("\n## %s%s%s\n\n", name, row->count > 1 ? " … " : "", row->count > 1 ? last : "");
    printf("0x%03x", row->num);
    if (row->count > 1)
        printf("-0x%03x", row->num + row->count - 1u);
    printf(", %s%s. ", rv_ext_name(row->ext), row->high ? ", RV32 only" : "");
    doc_cell(row->title);
    printf(" (%s)\n\n| RV64 | RV32 | field | meaning |\n|---|---|---|---|\n", row->spec);
    for (unsigned i = 0; i < row->nfields; i++) {
        const struct csr_field *f = &row->fields[i];
        if (row->high)
            rv64[0] = '\0';
        else
            bits_text(row, f, 64, rv64);
        bits_text(row, f, 32, rv32);
        if (!*rv64 && !*rv32)
            continue;
        printf("| %s | %s | %s | ", rv64, rv32, f->name);
        doc_cell(f->meaning);
        printf(" |\n");
    }
}

static int put_registers(void)
{
    printf("# Control and status registers\n\nMade from the rows of `src/csr/riscv/` by `trapline doc --markdown registers`; do "
           "not edit.\n"
           "What each field holds after a reset and accepts is in the rows; choices that the manual leaves open are in\n"
           "[implementation-defined.md](../implementation-defined.md).\n");
    for (unsigned i = 0; i < csr_row_count(); i++)
        put_register(csr_row_at(i));
    return CLI_OK;
}

/* The first row of each extension stands for it. */
static bool seen_before(unsigned i, const char *ext)
{
    for (unsigned k = 0; k < i; k++)
        if (!strcmp(rv_insn_row(k).ext_name, ext))
            return true;
    return false;
}

static void put_extension(const char *ext)
{
    printf("\n## ");
    for (const char *c = ext; *c; c++) /* names of rows that need or share extensions are joined by _and_, _or_ */
        putchar(*c == '_' ? ' ' : *c);
    printf("\n\n| instruction | bits | operands | XLEN | does |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (strcmp(r.ext_name, ext))
            continue;
        printf("| `%s` | `%s` | %s | %s | ", r.name, r.pattern, r.format, r.xlen == 32 ? "32" : r.xlen == 64 ? "64" : "");
        if (r.alias)
            printf("as `");
        else
            putchar('`');
        doc_cell(r.body);
        printf("` |\n");
    }
}

static int put_instructions(void)
{
    printf("# Instructions\n\nMade from the rows of `src/cpu/riscv/insn/` by `trapline doc --markdown instructions`; do not "
           "edit. `-` is an\n"
           "operand bit, `n` one of those of which at least one must be set; operand formats are those of `formats.def`. Of two "
           "rows that match\n"
           "the same bits, the one with more fixed bits counts. A name that ends in 32 is the RV32 row of an instruction, one "
           "that ends in\n"
           "`_dyn` or `_rtz` the row of one rounding mode.\n");
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (!seen_before(i, r.ext_name))
            put_extension(r.ext_name);
    }
    return CLI_OK;
}

int doc_markdown(const char *what)
{
    if (!strcmp(what, "registers"))
        return put_registers();
    if (!strcmp(what, "registers-arm"))
        return doc_arm_markdown();
    if (!strcmp(what, "instructions"))
        return put_instructions();
    if (!strcmp(what, "instructions-arm"))
        return doc_insn_arm_markdown();
    if (!strcmp(what, "sbi"))
        return doc_sbi_markdown();
    if (!strcmp(what, "causes"))
        return doc_causes_markdown();
    return cli_errorf("--markdown '%s': the references are 'registers', 'registers-arm', 'instructions', 'instructions-arm', "
                      "'sbi' and 'causes'",
                      what);
}
