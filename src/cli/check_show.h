/* Verdicts for people and for programs. */
#ifndef TL_CLI_CHECK_SHOW_H
#define TL_CLI_CHECK_SHOW_H
#include "debug/check.h"

void check_show_table(const struct check_verdict *v, size_t n, double seconds, double busy, bool verbose, bool colour);
void check_show_json(const struct check_verdict *v, size_t n);
/* False with a sentence: the file could not be written; nothing is left of it. */
bool check_write_junit(const char *path, const struct check_verdict *v, size_t n, double seconds, struct err *e);
void check_show_list(void);
bool check_all_expected(const struct check_verdict *v, size_t n);
#endif
