/*
 * What privilege did in a run, as a stream of items for those who write it down: traps and returns with modes and places, calls
 * of firmware and hypervisors decoded with arguments and results, what was injected and typed.
 */
#ifndef TL_DEBUG_EXPORT_TIMELINE_H
#define TL_DEBUG_EXPORT_TIMELINE_H
#include "base/buf.h"
#include "machine/trapline.h"

#define TIMELINE_HARTS 8
#define TIMELINE_MODES 16 /* by timeline_mode */
#define TIMELINE_TEXT  512

enum timeline_kind {
    TIMELINE_RETURN,
    TIMELINE_EXCEPTION,
    TIMELINE_INTERRUPT,
    TIMELINE_CALL,   /* an exception that is a call of SBI firmware, of a hypervisor, of PSCI */
    TIMELINE_INJECT, /* raised from outside, for the hart it names or the machine */
    TIMELINE_INPUT   /* typed, or a frame of the network */
};

/* Something that happened. Texts are valid during the call. */
struct timeline_item {
    enum timeline_kind kind;
    unsigned hart;
    uint64_t cycle;
    uint8_t from, to;                            /* modes, of timeline_mode */
    const char *from_name, *to_name;             /* "M", "HS", "EL2" */
    uint64_t epc, pc, cause, tval, tval2, tinst; /* as in struct machine_change */
    const char *epc_text, *pc_text;              /* addresses with symbols */
    const char *cause_text;                      /* of traps, else "" */
    const char *call;    /* CALL: decoded; RETURN that ends one: with its result; INJECT, INPUT: the words; else "" */
    bool before;         /* earlier than what is wanted: it only tells the mode of its hart */
    uint64_t call_cycle; /* RETURN that ends a call: when it was made */
};

/* The number of a mode: of struct machine_change. */
static inline uint8_t timeline_mode(uint8_t priv, uint8_t v) { return (uint8_t)((priv & 7) | (v & 1) << 3); }

/* What is known before the first item and after the last. */
struct timeline_info {
    struct machine *m;
    unsigned harts;
    uint64_t hz;          /* machine cycles a second of guest time */
    const char *title;    /* the file, or the image */
    const char *about;    /* lines "key\tvalue\n" */
    uint64_t end;         /* of `end`: the cycle at which the run ended */
    uint64_t first, last; /* the cycles that are wanted */
};

/* A form that is written. `end` appends what is left and frees ctx. */
struct timeline_form {
    void *(*begin)(const struct timeline_info *i, struct buf *out);
    void (*item)(void *ctx, const struct timeline_item *i, struct buf *out);
    void (*end)(void *ctx, const struct timeline_info *i, struct buf *out);
};
extern const struct timeline_form timeline_csv, timeline_perfetto, timeline_html, timeline_svg;

struct timeline;
/* Items after info's cycles are left out, those before are told as such. out: where the form writes; it may be emptied between
 * calls. */
struct timeline *timeline_new(const struct timeline_form *f, const struct timeline_info *info, struct buf *out);
/* A machine_watch_fn. */
void timeline_change(void *ctx, struct machine *m, const struct machine_change *c);
void timeline_injected(struct timeline *t, const char *words);
void timeline_typed(struct timeline *t, const char *device, const void *p, size_t n);
/* The run is over. Frees t. */
void timeline_end(struct timeline *t);

/* Text within JSON or HTML, escaped for both, so that it may stand in a script element: without the quotes. */
void timeline_escape(struct buf *out, const char *text);
#endif
