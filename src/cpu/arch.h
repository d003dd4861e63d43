/*
 * A cpu of any architecture, as the folders above cpu/ see it: a table of constants and functions. A board names its
 * architecture; nothing above this asks which one it is.
 *
 * A cpu is cpu_size bytes that begin with struct cpu (cpu/engine.h) and go on with its state, state_size bytes of plain data that
 * begin with struct cpu_progress. The rest is caches.
 */
#ifndef TL_CPU_ARCH_H
#define TL_CPU_ARCH_H
#include "base/err.h"
#include "cpu/engine.h"
#include "mem/injection.h"

/* What a cpu is made by, and what does not change during a run: the first member of each architecture's own struct, which forks
 * share. */
struct cpu_kind {
    const struct cpu_arch *arch;
    char name[16];        /* the configuration's base: "rv64" */
    unsigned bits;        /* width of a general register and of an address: 32 or 64 */
    uint64_t tick_cycles; /* machine cycles in one tick of the guest's time base */
    uint64_t digest;      /* of every choice made */
    bool secure;          /* two security states (Arm: EL3) */
    bool nmi;             /* non-maskable interrupts (Arm: FEAT_NMI) */
    bool tags;            /* RAM has allocation tags (Arm: FEAT_MTE2) */
};

#define CPU_SECURE_ONLY 2

/* What the configuration and the board say about the cpus. */
struct cpu_choice {
    const char *text;     /* "rv64,h=on,…" */
    uint64_t reset_pc;    /* physical address of the first instruction */
    uint64_t tick_cycles; /* as in struct cpu_kind */
    uint64_t tick_hz;     /* ticks in a second of guest time */
    /* Of harts with two security states: physical addresses that Non-secure accesses do not reach. start == end: none. */
    struct {
        uint64_t start, end;
    } secure_only[CPU_SECURE_ONLY];
};

/* A trap, or a return from one, that has just changed a cpu's state: see struct machine_change. */
struct cpu_change {
    bool is_return, interrupt, nmi, gva;
    bool within;     /* told while its instruction is executed: the boundary behind it is a cycle later */
    uint8_t priv, v; /* the mode it came from */
    uint8_t to_priv, to_v;
    uint64_t cause, tval, tval2, tinst; /* of a trap */
    uint64_t epc, pc;
};

/* What the machine provides to its cpus; a function that is NULL is absent. */
struct cpu_env {
    /* A semihosting call with these two arguments. True: it was answered, and its result goes into the register for it. */
    bool (*semihost)(void *ctx, struct cpu *c, uint64_t op, uint64_t arg, uint64_t *result);
    /* Every trap and every return from one, after the state changed. For traces and monitors; NULL on plain runs. A hook that
       sets cpu.resync makes the run come back right there. */
    void (*trapped)(void *ctx, struct cpu *c, const struct cpu_change *change);
    /* A call of firmware (HVC, SMC) with its argument registers x, which get the results; by_smc: it was SMC. True: answered.
       NULL: the machine provides no firmware. */
    bool (*firmware)(void *ctx, struct cpu *c, uint64_t x[8], bool by_smc);
    /* What the part of an interrupt controller that is in the cpu asks of the rest of it; what and value as in mem/gic.h. */
    void (*controller)(void *ctx, struct cpu *c, unsigned what, uint64_t value);
};

/* A piece of state. name is unique in the cpu: "x", "csr.mstatus". */
typedef void cpu_piece_fn(void *ctx, const char *name, void *p, size_t n);
/* A property of a device-tree node: n bytes as the blob holds them. */
typedef void cpu_property_fn(void *ctx, const char *name, const void *value, size_t n);

/* The nodes an architecture describes. */
enum cpu_node {
    CPU_NODE_CPU, /* below /cpus, behind device_type, reg and status */
    CPU_NODE_PMU  /* /pmu: the performance counters */
};

#define CPU_ARGUMENTS 8

/* A register as its row describes it: struct machine_register. Those of a kind are numbered from 0 without a gap. */
#define CPU_FIELDS 64
struct cpu_field {
    const char *name, *meaning;
    uint8_t lo, width;
};
enum cpu_register_group { CPU_GENERAL, CPU_FLOAT, CPU_VECTOR, CPU_SYSTEM, CPU_MODE };
struct cpu_register {
    char name[32];
    const char *alias, *title; /* NULL: none */
    unsigned width;            /* bits */
    unsigned number;           /* of a system register: as instructions encode it */
    enum cpu_register_group group;
    unsigned fields;
    struct cpu_field field[CPU_FIELDS]; /* by lo */
};
#define CPU_REGISTER_BYTES 16 /* of the widest */

struct insn_layout;
struct cpu_arch {
    const char *name;  /* "riscv" */
    const char *title; /* "RISC-V", for people */
    size_t cpu_size, state_size;
    unsigned slot_shift;  /* engine_init */
    uint16_t elf_machine; /* e_machine of its ELF images */
    char linux_magic[4];  /* bytes 56 to 59 of its Linux images */

    /* Reads the configuration. NULL with a sentence. */
    struct cpu_kind *(*kind_new)(const struct cpu_choice *choice, struct err *e);
    void (*kind_free)(struct cpu_kind *k);
    /* Bit per exception level there is (Arm). NULL: levels are no concern of the board's. */
    unsigned (*levels)(const struct cpu_kind *k);
    /* Gives the properties of the node to fn. False: the cpu has no such node. */
    bool (*describe)(const struct cpu_kind *k, enum cpu_node node, cpu_property_fn *fn, void *ctx);

    /* Makes a cpu in cpu_size bytes at c, of any contents, and adds it to the engine. It is number engine->cpus of the machine.
       `copy` is in the same state as `from`, on another engine (a fork); cheaper than a reset. */
    void (*init)(struct cpu *c, struct engine *e, const struct cpu_kind *k);
    void (*copy)(struct cpu *c, struct engine *e, const struct cpu *from);
    /* To the state after power-on, at that machine cycle. seed: of the cpu's random numbers. The cycles that did no work stay
       counted, but at cycle 0. */
    void (*reset)(struct cpu *c, uint64_t cycle, uint64_t seed);
    /* Powers it on at its cycle and lets it begin at pc in `level`, as firmware above would hand over, with its first argument
       register set. Safe from inside a call of another cpu. NULL: the board's reset code does that. */
    void (*start)(struct cpu *c, unsigned level, uint64_t pc, uint64_t arg);
    /* After the state was changed from outside: recomputes every cache. */
    void (*refresh)(struct cpu *c);
    /* Takes over the state of `from`, a cpu of a fork. Translations stay cached but for those that the difference makes wrong.
       NULL: there is no cheaper way than a refresh. */
    void (*rewind)(struct cpu *c, const struct cpu *from);

    /* Runs until cycle `until` (absolute) or another reason to stop. The state is complete on return. */
    enum cpu_stop (*run)(struct cpu *c, uint64_t until);
    /* Whether something ends its waiting now. */
    bool (*wakes)(struct cpu *c);
    /* Does what a timer or counter makes due now. Returns the cycle at which one of them is next due, UINT64_MAX: never. */
    uint64_t (*due)(struct cpu *c);
    /* Sets an interrupt input; numbers are the architecture's. Safe from inside a device access of a running cpu. */
    void (*line)(struct cpu *c, unsigned irq, bool level);
    /* Makes it happen, between two instructions; the cpu is not running and not halted. False with a sentence: there is no such
       input or event. */
    bool (*inject)(struct cpu *c, const struct injection *i, struct err *e);
    /* A message of the interrupt controller to the part of it that is in the cpu (mem/gic.h); as safe as line. NULL: there is no
       such part. */
    void (*signal)(struct cpu *c, unsigned what, uint64_t value);
    /* Guest time = cycle / tick_cycles + offset. */
    void (*set_time_offset)(struct cpu *c, uint64_t offset);

    /* Registers by the manual's name, zero-extended; as the highest level sees them, without side effects; writes are legalised.
       False: there is none of that name, or no such value. */
    bool (*get_reg)(struct cpu *c, const char *name, uint64_t *value);
    bool (*set_reg)(struct cpu *c, const char *name, uint64_t value);
    /* The mode it is in, for people: machine_mode. */
    const char *(*mode)(const struct cpu *c);
    /* Register number i into *r. False: that is past the last. */
    bool (*register_at)(const struct cpu_kind *k, unsigned i, struct cpu_register *r);
    /* The number of the register of that name or alias, or -1. */
    int (*register_named)(const struct cpu_kind *k, const char *name);
    /* Register number i as (width + 7) / 8 bytes, least significant first; else as get_reg and set_reg. */
    bool (*get_register)(struct cpu *c, const struct cpu_kind *k, unsigned i, void *p);
    bool (*set_register)(struct cpu *c, const struct cpu_kind *k, unsigned i, const void *p);
    /* The names of the registers that hold the first arguments of a call. */
    const char *argument[CPU_ARGUMENTS];
    /* n bytes of guest memory at a virtual address, as loads and stores of the current mode reach them. False: a fault, which
       takes nothing but the bytes before it. */
    bool (*load)(struct cpu *c, uint64_t va, void *p, uint64_t n);
    bool (*store)(struct cpu *c, uint64_t va, const void *p, uint64_t n);

    /* Where virtual address va is in physical memory by the current mode's translation, for a debugger: no permission matters,
       and nothing is changed. False: nowhere. */
    bool (*translate)(struct cpu *c, uint64_t va, uint64_t *pa);

    /* Its state becomes `state` (state_size bytes) but for its inputs, which stay as they are, and for reservations, which end.
     */
    void (*put_back)(struct cpu *c, const void *state);
    /* What a trace of instructions calls its registers (insns.h). */
    const struct insn_layout *insns;
    /* The complete state, piece by piece. */
    void (*pieces)(struct cpu *c, cpu_piece_fn *fn, void *ctx);
    /* What of the state is out of range and cannot be run, or NULL. */
    const char *(*fault)(const struct cpu *c);
};

extern const struct cpu_arch riscv_arch, arm_arch;

/* Architecture number i (0, 1, …), or NULL past the last. */
const struct cpu_arch *cpu_arch_at(unsigned i);

/* ---- a cpu's state
 * ------------------------------------------------------------------------------------------------------------------ */

static inline struct cpu_progress *cpu_progress(struct cpu *c) { return (struct cpu_progress *)(void *)(c + 1); }
static inline const struct cpu_progress *cpu_progress_of(const struct cpu *c)
{
    return (const struct cpu_progress *)(const void *)(c + 1);
}
#endif
