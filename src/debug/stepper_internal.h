/* What the files of the stepper share. */
#ifndef TL_DEBUG_STEPPER_INTERNAL_H
#define TL_DEBUG_STEPPER_INTERNAL_H
#include "debug/stepper.h"

#define STEPPER_WORD 128

/* The next word of *p; what stands between double quotes is one. False: there is none. */
bool stepper_word(const char **p, char w[STEPPER_WORD]);
/* A number, a register or a symbol with an offset. False with a sentence in the answer. */
bool stepper_number(struct stepper *s, const char *text, uint64_t *v);
/* A sentence into the answer. Returns false. */
bool stepper_refuse(struct stepper *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Goes forwards or backwards to what `what` names: "3", "trap", "trap load-page", "return", "mode HS", "call", "at main",
   "write mstatus", "cycle 100000", "text login:", "" (breakpoints). */
bool stepper_go(struct stepper *s, const char *what, bool back);
/* Whether stepper_go knows the word: "trap", "at". */
bool stepper_is_place(const char *word);
/* Registers of the chosen hart that are not as they were shown last, into the answer; notes them. all: without a limit. */
void stepper_changes(struct stepper *s, bool all);
/* Notes them without a word. */
void stepper_note(struct stepper *s);
#endif
