/* `trapline doc` of instructions: rows by name, and words of code decoded. Of both architectures, each in its own file: their
   tables share names. */
#ifndef TL_CLI_DOC_INSN_H
#define TL_CLI_DOC_INSN_H
#include <stdbool.h>
#include <stdint.h>

/* All rows of that name, "amoadd.w" or "amoadd_w", in any case of letters. False: there is none. */
bool doc_insn_riscv(const char *name, bool json);
bool doc_insn_arm(const char *name, bool json);
/* Whether the word is an instruction: of a RISC-V hart of that width with every extension of the default; of A64. Of RISC-V a
   word of four bytes ends in 11 ("Base Instruction-Length Encoding"), so that any other above 0xffff is none. */
bool doc_is_word_riscv(uint32_t insn, unsigned xlen);
bool doc_is_word_arm(uint32_t insn);
/* The instruction that this word means. The exit status. */
int doc_decode_riscv(uint32_t insn, unsigned xlen, bool json);
int doc_decode_arm(uint32_t insn, bool json);
/* Field i of a row's format, by the manual's name; NULL past the last. */
struct a64_row;
struct doc_insn_field {
    const char *name;
    uint8_t msb, lsb;
};
const struct doc_insn_field *doc_insn_field_arm(const struct a64_row *row, unsigned i);
/* Name number i, for suggestions; NULL past the last. */
const char *doc_insn_name_riscv(unsigned i);
const char *doc_insn_name_arm(unsigned i);
/* The rows of A64 as Markdown. The exit status. */
int doc_insn_arm_markdown(void);
#endif
