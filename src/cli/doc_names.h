/* `trapline doc` of what is no register: causes, interrupts, exception classes, PSCI calls, instructions, single fields; and what
   was probably meant by a name that is nothing. */
#ifndef TL_CLI_DOC_NAMES_H
#define TL_CLI_DOC_NAMES_H
#include <stdbool.h>
#include <stdint.h>

/* What the user said besides the name. */
struct doc_how {
    bool json, colour, riscv, arm;
    unsigned xlen;
};

/* text is a topic of its own, whatever it names: "cause", "cause:13", "irq:7", "ec:0x24", "psci:cpu_on", "insn:0x13". True:
 *status is the exit status. */
bool doc_topic(const char *text, const struct doc_how *how, int *status);
/* "hstatus.SPVP", "sctlr_el1.M=1": a field of a register. */
bool doc_field(const char *text, const struct doc_how *how, int *status);
/* A plain name that is no register's: an instruction, a part of a cause's or exception class's name, a call of firmware. */
bool doc_named(const char *text, const struct doc_how *how, int *status);
/* What the value of a cause register or of ESR_ELx says; nothing for other registers. j: adds it there instead of printing. */
struct json_t;
void doc_value(const char *reg, uint64_t value, unsigned xlen, struct json_t *j);
/* A number: decimal, 0x..., 0b... */
bool doc_number(const char *text, uint64_t *v);
/* A number that is no register's: a call of PSCI, an extension of SBI, an instruction. The exit status. */
int doc_bare_number(const char *text, uint64_t v, const struct doc_how *how);
/* Whether an instruction of either architecture has this name. */
bool doc_is_insn(const char *name);
/* Errors that name what is close to text. The exit status. */
int doc_unknown_sbi(const char *text);
int doc_unknown(const char *text, const struct doc_how *how);
/* docs/gen/causes.md. */
int doc_causes_markdown(void);
#endif
