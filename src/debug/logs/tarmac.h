/* What the two styles of Tarmac share. */
#ifndef TL_DEBUG_LOGS_TARMAC_H
#define TL_DEBUG_LOGS_TARMAC_H
#include "debug/logs/reader.h"

/* "O EL3h_s", "O el3h_s:": the exception level, and the stack pointer in use. */
void tarmac_mode(struct log_reader *r, struct log_step *s, const char *state);
/* "X8 0000000000010000", "Q0 93c467e3 7db0c7a4 d1be3f81 0152cb56", "V0<63:0> …"; names that are none of A64's are left out.
   False: there is no name. */
bool tarmac_written(struct log_reader *r, struct scan c, struct log_step *s);

/* Behind "ES ": an instruction or an exception. LOG_END: neither. */
enum log_result tarmac_es_begins(struct log_reader *r, struct scan c, struct log_step *s, struct err *e);
/* Is this line, without a time, one that tells more of an instruction? c then stands at its first word. */
bool tarmac_es_more(const struct log_reader *r, struct scan *c);
/* Such a line, which belongs to s, if not NULL. LOG_STEP: it is a step of its own, in `own`; LOG_END: it is not. */
enum log_result tarmac_es_effect(struct log_reader *r, struct scan c, struct log_step *s, struct log_step *own, struct err *e);
#endif
