/* `trapline doc` of the A64 system registers and instructions. */
#ifndef TL_CLI_DOC_ARM_H
#define TL_CLI_DOC_ARM_H
#include <stdbool.h>
#include <stdint.h>

/* Does name, whatever its case, mean an A64 system register or instruction: "sctlr_el1", "dbgbvr3_el1", "tlbi_vae1is",
 * "s3_0_c1_c0_0"? */
bool doc_arm_knows(const char *name);
/* Is text an A64 configuration by its first word: a core ("cortex-a76,mte=on", "max")? */
bool doc_arm_config(const char *text);
/* Explains name, or a value of it (value may be NULL). Each returns the exit status. */
int doc_arm_explain(const char *name, const uint64_t *value, bool json, bool colour);
/* All registers and instructions, one a line. */
int doc_arm_list(bool json);
/* The operations of a system instruction ("at", "tlbi", "dc", "ic", "cfp", in any case), one a line. False: it has none. */
bool doc_arm_operations(const char *name, bool json);
/* The configuration: features, choices, ID registers. */
int doc_arm_cpu(const char *config, bool json, bool colour);
/* docs/gen/registers-arm.md. */
int doc_arm_markdown(void);
#endif
