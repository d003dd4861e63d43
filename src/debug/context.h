/*
 * What an event that comes and goes must leave as it was, for sweeps and whoever else compares: the registers of a hart that
 * supervisor software owns, taken at once. Each architecture has a table of functions; contexts are plain data.
 */
#ifndef TL_DEBUG_CONTEXT_H
#define TL_DEBUG_CONTEXT_H
#include "machine/trapline.h"

#define CONTEXT_BYTES 1600 /* room for one of any architecture */

struct context {
    _Alignas(8) uint8_t byte[CONTEXT_BYTES];
};

/* To which mode an event was taken: that mode's trap registers are the event's to change. */
struct context_mode {
    uint8_t priv, v;
};

struct context_ops {
    size_t size; /* bytes of struct context that are used */
    void (*take)(struct context *c, struct machine *m, unsigned hart);
    /* The context that the trap c, which has just been taken, interrupted. The trap registers of the mode it was taken to are
     * lost. */
    void (*take_trapped)(struct context *c, struct machine *m, const struct machine_change *trap);
    /* A digest in which no mode's trap registers count. */
    uint64_t (*digest)(const struct context *c);
    /* The number of the first register, from number i on, that differs where it must not after an event that was taken to `mode`.
       UINT32_MAX: none does. Begins with 0, goes on with what came back plus 1; pc and the mode come first. */
    uint32_t (*differs)(const struct context *a, const struct context *b, struct context_mode mode, uint32_t i);
    const char *(*name)(uint32_t reg);
    uint64_t (*value)(const struct context *c, uint32_t reg);
    uint64_t (*pc)(const struct context *c);
    /* The number of the register that is the stack pointer of a handler in `mode` that interrupts c and takes no other stack, if
       it holds an address of c's own translation; else UINT32_MAX. */
    uint32_t (*stack)(const struct context *c, struct context_mode mode);
    /* "HS", "VU", "M", …; without a virtualization mode "S" and "U". */
    const char *(*mode_of)(const struct context *c, bool has_v);
    const char *(*mode_name)(uint8_t priv, uint8_t v, bool has_v);
    /* Whether the return that has just come to the hart's pc is no return from the trap that was taken at `epc`, but firmware
       that passes this very trap on to a lower mode's vector. */
    bool (*passed_on)(struct machine *m, unsigned hart, uint64_t epc);
    /* Whether the hart takes an interrupt before it executes another instruction. NULL: unknown. */
    bool (*interrupt_next)(struct machine *m, unsigned hart);
    /* Whether the hart has a virtualization mode. */
    bool (*has_v)(struct machine *m, unsigned hart);
};

/* Of a machine's harts. */
const struct context_ops *context_ops(struct machine *m);
#endif
