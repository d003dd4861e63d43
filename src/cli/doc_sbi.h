/* `trapline doc sbi`: the supervisor binary interface. */
#ifndef TL_CLI_DOC_SBI_H
#define TL_CLI_DOC_SBI_H
#include <stdbool.h>

/* Explains what: "" all extensions; an extension by name or EID; a function by name or EID/FID, with =A0,A1… a call of it, with a
   further =RESULT[,VALUE] its result; the named values of a kind of argument, with =VALUE one value; "error"; "rules". xlen: 32
   or 64. Returns the exit status. */
int doc_sbi(const char *what, unsigned xlen, bool json);
/* Prints docs/gen/sbi.md. Returns the exit status. */
int doc_sbi_markdown(void);
#endif
