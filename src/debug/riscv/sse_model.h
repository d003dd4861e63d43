/* What the files of the oracle share. */
#ifndef TL_DEBUG_RISCV_SSE_MODEL_H
#define TL_DEBUG_RISCV_SSE_MODEL_H
#include "base/bits.h"
#include "debug/riscv/sse.h"

#include <string.h>

enum sse_visit_kind {
    VISIT_NONE, /* below M, or never below it */
    VISIT_CALL,
    VISIT_STOP, /* the call that stops the hart */
    VISIT_INTERRUPT,
    VISIT_EXCEPTION
};

/* Function ids of the extension. */
enum sse_fid {
    SSE_FID_READ,
    SSE_FID_WRITE,
    SSE_FID_REGISTER,
    SSE_FID_UNREGISTER,
    SSE_FID_ENABLE,
    SSE_FID_DISABLE,
    SSE_FID_COMPLETE,
    SSE_FID_INJECT,
    SSE_FID_UNMASK,
    SSE_FID_MASK
};

#define EID_SSE               0x535345u
#define EVENT_LOCAL_SOFTWARE  0xffff0000u
#define EVENT_GLOBAL_SOFTWARE 0xffff8000u
#define SUCCEEDS              SBI_ERROR_BIT(SBI_SUCCESS)

/* Results (bits of codes) of a call on which two conditions lie: both must hold for success, either's error may be returned. */
static inline uint32_t sse_both(uint32_t a, uint32_t b) { return (a & b & SUCCEEDS) | ((a | b) & ~SUCCEEDS); }

/* The call of a stay: registers a0 … a7 as it found them. */
static inline const uint64_t *sse_args(const struct sse_visit *v) { return &v->at.x[10]; }

/* A change that is being looked at. */
struct look {
    struct sse_oracle *o;
    struct machine *m;
    const struct machine_change *c;
    struct sse_hart *h;
    struct rv_features f;
    struct rv_view now; /* as the hart goes on below M */
    uint32_t event;     /* whom departures are about */
    bool has_event;
    bool call;  /* departures are about the call of the stay */
    bool alone; /* no other hart was in M during this stay */
};

/* ---- sse.c ---------------------------------------------------------------------------------------------------------------- */

void sse_found(struct look *k, enum sse_rule rule, const char *what, uint64_t expected, uint64_t actual);

/* ---- sse_event.c: the table of events ------------------------------------------------------------------------------------- */

static inline bool sse_is_global(uint32_t id) { return id >> 15 & 1; }
static inline bool sse_is_software(uint32_t id) { return id == EVENT_LOCAL_SOFTWARE || id == EVENT_GLOBAL_SOFTWARE; }

/* The event as the hart has it, or NULL if it is not followed. */
struct sse_event *sse_event_find(struct sse_oracle *o, struct sse_hart *h, uint32_t id);
/* The same, made when it was not followed; NULL: there is no room. */
struct sse_event *sse_event_get(struct sse_oracle *o, struct sse_hart *h, uint32_t id);
/* An event that is not followed yet. */
struct sse_event sse_event_fresh(const struct sse_oracle *o, uint32_t id);
/* Events i = 0, 1, … that concern a hart: its own, then the global ones. NULL: no more. */
struct sse_event *sse_event_at(struct sse_oracle *o, struct sse_hart *h, unsigned i);
/* Whether a is more urgent than b; false if a priority is not known. */
bool sse_more_urgent(const struct sse_event *a, const struct sse_event *b);
/* Everything about the event may have changed. */
void sse_event_forget(struct sse_event *e);
/* The same, but its handler and priority, which only calls change. */
void sse_event_doubt(struct sse_event *e);
/* The hart stops: what becomes of the global events that it handles, other harts may see from now on. */
void sse_hart_stops(struct sse_oracle *o, const struct sse_hart *h);
/* The hart's own events and mask are as after a start of the hart: not told by the specification. */
void sse_hart_forget(struct sse_oracle *o, struct sse_hart *h);

/* ---- sse_call.c: results -------------------------------------------------------------------------------------------------- */

/* A call begins: takes what it reads from memory, and notes that it may signal an event. */
void sse_call_enter(struct look *k);
/* It is over with the result in k->now: checks that, and follows what it did. Not for sse_complete. */
void sse_call_leave(struct look *k);
/* The result of sse_complete when no handler ran. */
void sse_call_complete_nothing(struct look *k);

/* ---- sse_attr.c ----------------------------------------------------------------------------------------------------------- */

/* The codes that writing the attributes may return for reasons of the attributes. */
uint32_t sse_attr_write_results(struct look *k, const struct sse_event *e, uint32_t base, uint32_t count);
/* A write has returned: follows what it did. */
void sse_attr_written(struct look *k, struct sse_event *e, uint32_t base, uint32_t count, bool success);
/* A read has succeeded: compares what is in memory, learns what was not known. */
void sse_attr_read(struct look *k, struct sse_event *e, uint32_t base, uint32_t count);

/* ---- sse_context.c: contexts ---------------------------------------------------------------------------------------------- */

/* A context as the rules give it, and what they leave open. */
struct context {
    struct rv_view v;
    uint8_t vague;            /* enum sse_vague */
    uint32_t status, hstatus; /* bits of sstatus and hstatus that are open */
    bool sepc, a6, a7, elp;   /* are open */
};

/* What sse_complete makes of the context that called it. */
struct context sse_completed_context(const struct look *k, const struct sse_event *e, const struct rv_view *caller);
/* What mret itself changes on the way to *c. */
void sse_mret_effects(const struct look *k, struct context *c);
/* Compares the handler's first context with what the injection of e into `at` must give. */
void sse_check_entry(struct look *k, const struct sse_event *e, const struct context *at);
/* Compares a resumed context: with what was interrupted if the handler edited nothing, and with what completion gives. */
void sse_check_resume(struct look *k, const struct sse_frame *f, const struct context *given, bool edited);
/* Compares k->now with a context. gprs: only x, pc and the mode. */
void sse_check_equal(struct look *k, enum sse_rule rule, const struct context *expected, bool gprs);
/* Whether the handler edited something that its completion passes on. */
bool sse_edited(const struct sse_frame *f, const struct sse_event *e, const struct rv_view *caller);
/* INTERRUPTED_FLAGS of a context; *vague: bits of it that the specification leaves open. */
uint64_t sse_flags_of(const struct look *k, const struct context *c, uint8_t *vague);

/* ---- sse_deliver.c: which event, and whether now -------------------------------------------------------------------------- */

/* The event whose handler starts with k->now, or NULL: nothing was injected. at: the context that would go on otherwise. */
struct sse_event *sse_injected(struct look *k, const struct context *at);
/* Whether k->now may be the start of a handler that is not known: of an event that is not followed. */
bool sse_injected_unseen(const struct look *k, const struct context *at);
/* Follows the injection of e into `at`, and checks that it may be. */
void sse_deliver(struct look *k, struct sse_event *e, const struct context *at);
/* Nothing was injected: checks that nothing had to be. */
void sse_check_missed(struct look *k);
/* The frame that sse_complete completes: an index, or -1 if no handler is known to run. */
int sse_running(struct look *k);
#endif
