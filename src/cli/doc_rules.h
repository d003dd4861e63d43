/* `trapline doc rules`: what monitors watch. */
#ifndef TL_CLI_DOC_RULES_H
#define TL_CLI_DOC_RULES_H
#include <stdbool.h>

/* Prints the rules of a monitor, or of all (NULL). Returns the exit status. */
int doc_rules(const char *monitor, bool json);
#endif
