/* What a trap or return must be for somebody to stop behind it: GDB's `catch`, the stepper's `run` and `back`. */
#ifndef TL_DEBUG_AIM_H
#define TL_DEBUG_AIM_H
#include "base/buf.h"
#include "base/err.h"
#include "machine/trapline.h"

#define AIM_NAME 64
struct aim {
    enum aim_kind {
        AIM_TRAP,   /* a trap whose cause is in one of the sets */
        AIM_RETURN, /* a return from one */
        AIM_MODE,   /* either, if it changes the mode to `name` */
        AIM_CALL    /* a call of the software above whose text has `name` in it */
    } kind;
    uint64_t exceptions, interrupts; /* TRAP: a bit for each number (target_ops.number); all bits: any, NMIs too */
    char name[AIM_NAME];             /* "": any */
};

/* kind: "trap", "return", "mode" or "call"; rest: what it is to be, "" any. Of a trap a number, "all" (exceptions), "irq", or a
   name: the beginning of one or several causes' ("load-page", "hvc"), or words that are in it. False with a sentence. */
bool aim_parse(struct machine *m, const char *kind, const char *rest, struct aim *a, struct err *e);
/* From inside a machine_watch_fn. */
bool aim_meets(const struct aim *a, struct machine *m, const struct machine_change *c);
/* As it would be written: "trap load page fault (cause 13)"; a line for each cause. */
void aim_text(const struct aim *a, struct machine *m, struct buf *out);
#endif
