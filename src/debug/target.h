/* What debuggers need to know of an architecture, as data and a few functions; target_ops finds that of a machine. */
#ifndef TL_DEBUG_TARGET_H
#define TL_DEBUG_TARGET_H
#include "machine/trapline.h"

/* Where GDB expects a register. */
struct target_place {
    unsigned feature; /* index into features; UINT_MAX: GDB is not shown it */
    const char *name; /* what GDB calls it */
    const char *type; /* GDB's name of its type; NULL: by its fields, else an integer */
    unsigned bits;    /* width there */
};
/* A register that only GDB knows. */
struct target_extra {
    const char *name;
    unsigned feature, bits;
    uint64_t (*value)(struct machine *m, unsigned hart);
};

/* A cause of traps. */
struct target_cause {
    bool interrupt;
    uint8_t number;             /* as target_ops.number has it */
    const char *name, *meaning; /* meaning: NULL where the name says it all */
};

struct target_ops {
    const char *(*architecture)(struct machine *m); /* GDB's name: "riscv:rv64" */
    const char *const *features;                    /* names of GDB's features; NULL at the end */
    const char *const *types;                       /* XML of the types a feature needs, by feature; NULL: none */
    void (*place)(struct machine *m, const struct machine_register *r, struct target_place *p);
    const struct target_extra *extras; /* name NULL at the end */
    bool (*has_extras)(struct machine *m);

    /* A mode by what struct machine_change tells of it. */
    void (*mode)(uint8_t priv, uint8_t v, char out[24]);
    /* "load page fault (cause 13)". */
    void (*cause)(const struct machine_change *c, char out[96]);
    /* What the trap value register of trap c tells, in words: ", address 0x1000", ", instruction 0x30200073"; "" if nothing. */
    void (*value)(const struct machine_change *c, char out[64]);
    /* The number a trap's cause has: xcause's code, the exception class of ESR_ELx; 0 IRQ, 1 FIQ, 2 SError. */
    uint64_t (*number)(const struct machine_change *c);
    const char *number_name; /* what that of an exception is called: "cause", "EC" */
    /* Cause number i (0, 1, ...). False: past the last. */
    bool (*cause_at)(unsigned i, struct target_cause *k);
    /* Whether trap c is a call of the software above (ecall, SVC, HVC, SMC); then its text, from the registers as they are right
       behind it: "sse_inject(event 0xffff0000, hart 0)". */
    bool (*call)(struct machine *m, const struct machine_change *c, char *out, size_t cap);
};

const struct target_ops *target_ops(struct machine *m);
#endif
