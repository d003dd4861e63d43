/*
 * What the architectures leave to an implementation, so that two logs of the same program may have it differently: whether a
 * store-conditional succeeds, and which code is executed where code was written without the fence that makes it visible.
 */
#ifndef TL_DEBUG_LOGS_CHOICES_H
#define TL_DEBUG_LOGS_CHOICES_H
#include "debug/logs/log.h"

#define CHOICES_STORES 1024 /* a power of two */

/* Of one log. All zero: its beginning, where a reservation may have been made before. */
struct choices {
    bool used;                       /* the reservation, if there was one, is used up */
    bool could;                      /* a reservation was there for the last store-conditional */
    uint64_t stored[CHOICES_STORES]; /* doublewords stored to since the last fence: address >> 3, plus 1 */
};

/* The next step of the log. */
void choices_note(struct choices *c, const struct log_step *s, bool arm);

/* Whether this is a store-conditional or store-exclusive; *rd: the register that gets its result. */
bool choices_conditional(const struct log_step *s, bool arm, unsigned *rd);
enum choices_outcome { CHOICES_UNTOLD, CHOICES_FAILED, CHOICES_SUCCEEDED };
/* What became of it, as far as the log tells; has: enum log_has of the log. */
enum choices_outcome choices_outcome(const struct log_step *s, bool arm, unsigned has);

/* Whether the code at pc was written since the last fence. */
bool choices_unfenced(const struct choices *c, uint64_t pc);
#endif
