/* Instructions of RISC-V. */
#include "cli/doc_insn.h"
#include "cli/cli.h"
#include "cpu/riscv/decode.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Equal but for case, and the row's _ may be the manual's dot. */
static bool same_name(const char *row, const char *name)
{
    for (; *row && *name; row++, name++)
        if (tolower((unsigned char)*row) != tolower((unsigned char)*name) && !(*row == '_' && *name == '.'))
            return false;
    return !*row && !*name;
}

static json_t *row_json(const struct insn_row *r)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "name", r->name, "extension", r->ext_name, "bits", r->pattern, "operands",
                     r->format, r->alias ? "as" : "does", r->body, "xlen", (int)r->xlen);
}

static void print_row(const struct insn_row *r)
{
    printf("%s  %s%s\n  bits      %s\n  operands  %s\n  %s  %s\n", r->name, r->ext_name,
           r->xlen == 32   ? ", RV32 only"
           : r->xlen == 64 ? ", RV64 only"
                           : "",
           r->pattern, r->format, r->alias ? "as      " : "does    ", r->body);
}

bool doc_insn_riscv(const char *name, bool json)
{
    bool any = false;
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (!same_name(r.name, name))
            continue;
        if (json) {
            json_t *j = row_json(&r);
            json_dumpf(j, stdout, JSON_INDENT(2));
            putchar('\n');
            json_decref(j);
        } else {
            print_row(&r);
        }
        any = true;
    }
    return any;
}

static bool right_length(uint32_t insn) { return (insn & 3) == 3 || insn <= UINT16_MAX; }

bool doc_is_word_riscv(uint32_t insn, unsigned xlen)
{
    struct rv_config c;
    rv_config_default(&c, xlen);
    struct rv_decoder *d = rv_decoder_new(&c);
    bool is = right_length(insn) && rv_decode(d, insn, xlen).row;
    rv_decoder_free(d);
    return is;
}

int doc_decode_riscv(uint32_t insn, unsigned xlen, bool json)
{
    struct rv_config c;
    if (!right_length(insn))
        return cli_errorf("0x%" PRIx32 " is no instruction of rv%u: of four bytes are those that end in 0b11", insn, xlen);
    rv_config_default(&c, xlen);
    struct rv_decoder *d = rv_decoder_new(&c);
    struct decoded o = rv_decode(d, insn, xlen);
    int status = CLI_OK;
    if (!o.row) {
        status = cli_errorf("0x%" PRIx32 " is no instruction of rv%u", insn, xlen);
    } else if (json) {
        json_t *j = row_json(o.row);
        json_object_set_new(j, "rd", json_integer(o.rd));
        json_object_set_new(j, "rs1", json_integer(o.rs1));
        json_object_set_new(j, "rs2", json_integer(o.rs2));
        json_object_set_new(j, "imm", json_integer(o.imm));
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(j);
    } else {
        print_row(o.row);
        printf("  here      rd %s%u, rs1 x%u, rs2 x%u, immediate %" PRId32 " (0x%" PRIx32 ")\n", o.frd ? "f" : "x", o.rd, o.rs1,
               o.rs2, o.imm, (uint32_t)o.imm);
    }
    rv_decoder_free(d);
    return status;
}

const char *doc_insn_name_riscv(unsigned i) { return i < rv_insn_count() ? rv_insn_row(i).name : NULL; }
