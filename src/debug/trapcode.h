/* Traps and returns, the events of a trace and points of a run as bytes: docs/trace-format.md, frames 'T' and 'E'. */
#ifndef TL_DEBUG_TRAPCODE_H
#define TL_DEBUG_TRAPCODE_H
#include "debug/history.h"
#include "debug/tracefile.h"

#define TRAPCODE_HARTS 8

/* What the coding of a trap builds on; zeroed where a frame begins. */
struct trapcode {
    uint64_t cycle;
    uint64_t pc[TRAPCODE_HARTS], vector[TRAPCODE_HARTS];
};
void put_trap(struct trapcode *x, struct buf *b, const struct machine_change *c);
/* Sets the cursor's `bad` where the bytes are no trap. */
void cur_trap(struct trapcode *x, struct cursor *c, struct machine_change *out);
bool trap_equal(const struct machine_change *a, const struct machine_change *b);

void put_point(struct buf *b, const struct history_point *p);
void cur_point(struct cursor *c, struct history_point *p);

/* A u64 length as a number, then the bytes. */
void put_bytes(struct buf *b, const void *p, size_t n);
/* Where the bytes are, inside the cursor's; *n: how many. NULL, and bad, if they are not all there. */
const uint8_t *cur_bytes(struct cursor *c, size_t *n);

enum trace_event_kind { EVENT_INPUT = 'I', EVENT_INJECT = 'J', EVENT_DIGEST = 'D', EVENT_END = 'X' };
struct trace_event {
    enum trace_event_kind kind;
    struct history_point at;
    char text[128];       /* INPUT: the device; INJECT: the event in words (debug/inject.h); END: why the run ended */
    const uint8_t *bytes; /* INPUT: what entered; DIGEST: the harts' state, as pieces */
    size_t n;
    uint64_t digest;           /* DIGEST: of statesum.h; END: machine_digest */
    uint64_t instret;          /* DIGEST, END */
    int64_t status;            /* END: the exit status */
    uint64_t console, printed; /* END: digest of what the guest printed; bytes of it */
    uint64_t traps;            /* END: how many there were */
};
void put_event(struct buf *b, const struct trace_event *ev);
/* bytes stay those of the cursor. Sets `bad` as above. */
void cur_event(struct cursor *c, struct trace_event *ev);
#endif
