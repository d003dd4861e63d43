/*
 * trapline: the public interface of the library.
 *
 * A machine is created from a configuration, loaded with images, run in steps, inspected, forked and saved. All functions are
 * deterministic: equal configuration, images and inputs give equal runs, digests and console output. A machine is used from one
 * thread at a time. Functions that can fail because of what the user gave them return false (or NULL) and write a sentence to
 * struct err.
 */
#ifndef TL_TRAPLINE_H
#define TL_TRAPLINE_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAPLINE_VERSION "0.1.0"

struct machine;

/* What the guest's outside world does; every member may be NULL. Called synchronously while the machine runs. */
struct machine_host {
    void *ctx;
    void (*console)(void *ctx, const char *device, const void *p, size_t n); /* bytes the guest printed */
    void (*frame)(void *ctx, const char *device, const void *p, size_t n);   /* a network frame the guest sent */
};

struct machine_config {
    const char *board;                                 /* "virt", "virt-arm", with options: "virt-arm,virtualization=on" */
    const char *cpu;                                   /* "rv64,h=on,…"; NULL: the board's default */
    unsigned harts;                                    /* 1..8; 0: 1 */
    uint64_t ram;                                      /* bytes; 0: the board's default (128 MiB) */
    uint64_t quantum;                                  /* cycles a hart runs before the next one does; 0: default, 1: lock step */
    uint64_t clock_hz;                                 /* machine cycles a second of guest time; 0: 1 GHz */
    uint64_t seed;                                     /* of the machine's generator (rng device, Zkr) */
    uint64_t rtc_epoch;                                /* seconds since 1970 the guest's clock starts at; 0: 2025-01-01 */
    const char *bios, *kernel, *initrd, *append, *dtb; /* files; NULL: none. bios "none": start at the kernel */
    const char *const *drives;
    unsigned
        ndrives; /* "file=disk.img,if=virtio,format=raw,readonly=on" or a plain path; writes stay in memory unless "write=on" */
    const char *const *devices;
    unsigned ndevices; /* extra devices: "virtio-net", "virtio-rng", "virtio-console" */
    bool semihosting;
    struct machine_host host;
};

enum machine_stop {
    MACHINE_CYCLES, /* the number of cycles asked for has passed */
    MACHINE_EXIT,   /* the guest ended the run; machine_exit_code */
    MACHINE_IDLE,   /* every hart waits and nothing but outside input can wake one */
    MACHINE_INPUT,  /* all harts wait and the next event is in the future, and the caller asked to be told (machine_set_pace) */
    MACHINE_HALT,   /* every hart is in the critical error state */
    MACHINE_DEBUG   /* a breakpoint, watchpoint, or a stop asked for by machine_request_stop */
};

struct machine *machine_new(const struct machine_config *c, struct err *e);
void machine_free(struct machine *m);
/* Back to the state after machine_new. Big images are read again: if such a file has changed, the machine says so on its console
   and has exited with code 1. */
void machine_reset(struct machine *m);

/* Runs at most `cycles` more machine cycles. */
enum machine_stop machine_run(struct machine *m, uint64_t cycles);
/* Asks a running machine to stop at the next chance (async-signal-safe). */
void machine_request_stop(struct machine *m);
/* Paced: machine_run stops with MACHINE_INPUT whenever every hart begins to wait for something in the future, so that the caller
   can wait for the host's clock or for input. The next machine_run then goes on, over the waiting. */
void machine_set_pace(struct machine *m, bool on);
/* The cycle at which the machine has something to do: now, the next event when every hart waits, or UINT64_MAX when only input
 * helps. */
uint64_t machine_next_wake(struct machine *m);
int machine_exit_code(const struct machine *m);
uint64_t machine_cycle(const struct machine *m);
uint64_t machine_instret(const struct machine *m); /* of all harts */
/* Pages of 4 KiB of RAM that were ever written, and so take host memory; shared ones count for each fork. */
uint64_t machine_pages(const struct machine *m);

/* A trap, or a return from one, that has just changed a hart's state. What it led to is in the registers. */
struct machine_change {
    unsigned hart;
    bool is_return;                     /* mret, sret, mnret */
    bool interrupt, nmi;                /* of a trap */
    bool gva;                           /* of a trap: tval is a guest virtual address */
    uint8_t priv, v;                    /* the mode it came from: 0 U, 1 S, 3 M; virtualization mode */
    uint8_t to_priv, to_v;              /* the mode it led to */
    uint64_t cause, tval, tval2, tinst; /* of a trap, as the handler's registers get them; cause without the interrupt bit */
    uint64_t epc;                       /* the trapped, interrupted or returning instruction */
    uint64_t pc;                        /* where the hart goes on */
    uint64_t cycle;                     /* the hart's, when it is told */
    uint64_t behind; /* at the boundary behind it: a cycle later if it is told within its instruction, as returns are and
                        exceptions of A64 */
};

/* Tells fn of every trap and return from now on; NULL: no more. fn may read and write the machine and may call machine_break, but
   must not run it. It changes neither the run nor its digest. Forks are not watched. */
typedef void machine_watch_fn(void *ctx, struct machine *m, const struct machine_change *c);
void machine_watch(struct machine *m, machine_watch_fn *fn, void *ctx);
/* A call of firmware that the machine itself has answered (PSCI by HVC or SMC): nothing was trapped. */
struct machine_answer {
    unsigned hart;
    bool by_smc;
    bool returns;     /* else there is no result: the hart, or the machine, is off or about to be reset */
    uint64_t pc;      /* the call */
    uint64_t cycle;   /* the hart's, at the call */
    uint64_t call[8]; /* its argument registers x0 to x7; the results are in the hart's */
};
/* Tells fn of every such call from now on, when its results are in the registers; else as machine_watch. */
typedef void machine_answer_fn(void *ctx, struct machine *m, const struct machine_answer *a);
void machine_watch_answers(struct machine *m, machine_answer_fn *fn, void *ctx);
/* From inside a watch function: the run stops with MACHINE_DEBUG right behind this trap or return, before another instruction. */
void machine_break(struct machine *m, unsigned hart);

/*
 * Breakpoints and steps, for debuggers, sweeps and the injector. None of them is state: they change neither the run nor its
 * digest, and forks begin without. machine_run comes back with MACHINE_DEBUG.
 */

#define MACHINE_ALL_HARTS (~0u)

/* Sets or removes a breakpoint at virtual address va, on one hart or on all. The machine stops before the instruction there is
   executed, with pc at it (an interrupt that is taken at that boundary comes first); going on from there goes over it. False: no
   such hart. Without breakpoints a run costs what it did. */
bool machine_breakpoint(struct machine *m, unsigned hart, uint64_t va, bool on);
/* The hart that a breakpoint or watchpoint stopped in the last machine_run; -1: none did. */
int machine_stopped_hart(const struct machine *m);

/* A range of addresses whose accesses stop the machine, made by loads, stores, atomics and cache-block zeroing, whatever they are
   part of; page-table walks, fetches and devices are not watched. */
struct machine_watchpoint {
    unsigned hart;          /* or MACHINE_ALL_HARTS */
    uint64_t address, size; /* virtual, as pointer masking or top-byte-ignore leave them; size in bytes, not 0 */
    enum machine_access { MACHINE_READ = 1, MACHINE_WRITE = 2, MACHINE_ACCESS = 3 } on;
    bool physical; /* the addresses are physical */
};
/* Sets a watchpoint, or removes one that was set with the same values. The machine stops before the instruction that would access
   the range has done anything, with pc at it; going on from there goes over it. An access that faults does not stop, nor does a
   store-conditional or store-exclusive that fails. False: no such hart, no bytes, or nothing to remove. Pages without watchpoints
   cost what they did. */
bool machine_watchpoint(struct machine *m, const struct machine_watchpoint *w, bool on);
/* The access a watchpoint stopped in the last machine_run. */
struct machine_access_hit {
    unsigned hart;
    enum machine_access access; /* what it does: atomics read and write */
    bool physical;              /* by a watchpoint at physical addresses */
    uint64_t va, pa, size;      /* the watched bytes of it */
    unsigned bytes;             /* of the first of them, at most 8, that `old` has; 0: a device's, which are not looked at */
    uint64_t old;               /* what is there; little-endian */
};
/* False: no watchpoint did. */
bool machine_watch_hit(struct machine *m, struct machine_access_hit *h);
/* What the bytes of h->old will be when the instruction, before which the machine is, is done: found out in a fork. */
uint64_t machine_watch_value(struct machine *m, const struct machine_access_hit *h);

/* Stops once, when the hart has reached `cycle` of its own time: at the first boundary there, before an interrupt is taken at it.
   At once if it has already. UINT64_MAX: not any more. Other harts may be further or less far by up to a quantum. */
bool machine_stop_at(struct machine *m, unsigned hart, uint64_t cycle);
/* The cycle a hart has reached: machine_cycle, or up to a quantum more. */
uint64_t machine_hart_cycle(const struct machine *m, unsigned hart);
/* Runs until the hart has come one boundary further: has executed an instruction or taken an exception, or, when it waits, may go
   on; others run as they would. MACHINE_DEBUG if so, else why it could not. It stops nowhere else on the way, but at breakpoints
   and watchpoints.
 */
enum machine_stop machine_step(struct machine *m, unsigned hart);
/* Whether the hart is in wfi and nothing pending would end it. */
bool machine_waits(struct machine *m, unsigned hart);

/* Events from outside, at the boundary where the machine is: they are part of the run and its digest. */
enum machine_event {
    MACHINE_LINE, /* interrupt line `line` of the hart, a bit number of mip. SSIP (1) and LCOFIP (13) are bits of software: they
                     become 1 or 0. A64: 0 IRQ, 1 FIQ, 4 virtual IRQ, 5 virtual FIQ, 6 virtual SError */
    MACHINE_RNMI, /* a resumable non-maskable interrupt (Smrnmi) */
    MACHINE_BUS_ERROR, /* the instruction to come meets corrupt data: a hardware-error exception (cause 19), taken at once. A64:
                          a physical SError */
    MACHINE_SOURCE,    /* interrupt source `line` of the machine's interrupt controller (PLIC); GIC: INTID `line`, pending once
                          at that hart (PULSE) */
    MACHINE_KEY        /* a press of the key on pin `line` of the board's GPIO (virt-arm: 3 is the power key) */
};
struct machine_injection {
    enum machine_event event;
    enum {
        MACHINE_PULSE, /* the line is high until the hart takes the interrupt (a source: for a moment, which the gateway latches)
                        */
        MACHINE_RAISE, /* it stays high until it is lowered */
        MACHINE_LOWER
    } how; /* of LINE, RNMI, SOURCE */
    unsigned hart, line;
    uint64_t address; /* of BUS_ERROR: what tval tells; 0: unknown */
};
/* False with a sentence if the machine has no such hart, line or event. */
bool machine_inject(struct machine *m, const struct machine_injection *i, struct err *e);

/*
 * A call made by a hart outside of time: it alone runs from `entry` until it is about to execute the instruction at `done`, with
 * a0-a7 as given; then it is back where it was, at the cycle where it was, with every register as before. What stays is what the
 * call did to memory, devices and the interrupt lines of harts. Made by a hart that is parked in supervisor mode on a stub
 * (`entry: ecall; done: j .`), this is an SBI call that happens at the very boundary where another hart is.
 */
struct machine_call {
    unsigned hart;
    uint64_t entry, done; /* virtual addresses */
    uint64_t a[8];        /* in: a0-a7; out: as they were at `done` */
    uint64_t cycles;      /* how long it may take */
};
/* False with a sentence if it did not come back; what it did until then stays. */
bool machine_call(struct machine *m, struct machine_call *c, struct err *e);

/* Bytes from the host to a device ("serial0", "net0"), entering at the current cycle. Returns how many were taken. This is the
 * only way in. */
size_t machine_input(struct machine *m, const char *device, const void *p, size_t n);

/* A copy-on-write copy of the whole machine, at the same state; costs microseconds. The host callbacks are the original's until
 * set. */
struct machine *machine_fork(struct machine *m);
void machine_set_host(struct machine *m, const struct machine_host *h);
/* Makes m equal to `from`, of which it is a fork; cheaper than a new fork. */
void machine_restore(struct machine *m, struct machine *from);
/* The same, much cheaper when it is done again and again between states that few pages lie between: both keep their own memory
   and what they have cached. */
void machine_rewind(struct machine *m, struct machine *from);

/* Digest of the complete state (harts, devices, events, RAM): equal states, equal digests. */
uint64_t machine_digest(struct machine *m);

/* Saves to / loads from a file; complete or not at all (written beside, then renamed). Loading needs the same configuration. */
bool machine_save(struct machine *m, const char *path, struct err *e);
bool machine_load(struct machine *m, const char *path, struct err *e);

/* Writes what the guest wrote to drives with write=on into their files; nothing for a fork. Call it at the end of a run. */
bool machine_commit(struct machine *m, struct err *e);

/* Writes the generated device tree blob. */
bool machine_dump_dtb(struct machine *m, const char *path, struct err *e);

/* Registers by the manual's name ("pc", "x10"/"a0", "f3", "mstatus", "hstatus") and "priv", "v"; values zero-extended to
   64 bits. CSRs as M-mode sees them, without side effects; writes are legalised. False: the machine has no such hart or register.
 */
bool machine_get_reg(struct machine *m, unsigned hart, const char *name, uint64_t *value);
bool machine_set_reg(struct machine *m, unsigned hart, const char *name, uint64_t value);
unsigned machine_harts(const struct machine *m);
/* The mode a hart is in, as people call it: "M", "HS", "VS", "VU", "EL2", "Secure EL1". */
const char *machine_mode(const struct machine *m, unsigned hart);

/*
 * What the tables of registers say of each. The registers of a hart are numbered from 0 without a gap: general ones first, then
 * floating-point or vector registers, the mode, and every CSR or system register of the configuration, once. Those that cannot be
 * looked at without doing something (ICC_IAR1_EL1, RNDR) are left out, and so are other names of the same register (_EL12).
 */
struct machine_field {
    const char *name, *meaning; /* the manual's name; what it says */
    uint8_t lo, width;          /* its least significant bit, and how many it has */
};
#define MACHINE_FIELDS 64
struct machine_register {
    char name[32];     /* the manual's, in lower case: "x10", "mstatus", "hcr_el2" */
    const char *alias; /* another name of it ("a0"), or NULL */
    const char *title; /* what it is, or NULL */
    unsigned width;    /* bits */
    unsigned number;   /* of a CSR; of a system register: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2 */
    enum machine_register_group {
        MACHINE_GENERAL,
        MACHINE_FLOAT,
        MACHINE_VECTOR,
        MACHINE_SYSTEM,
        MACHINE_MODE /* priv, v; el */
    } group;
    unsigned fields;
    /* The fields there are in this configuration, by lo. RES0 and RES1 ones are left out. Where a register of Arm has another
       layout under HCR_EL2.E2H, those of both are there, and may overlap. */
    struct machine_field field[MACHINE_FIELDS];
};
/* Register i of the hart into *r. False: the machine has no such hart or register. */
bool machine_register(const struct machine *m, unsigned hart, unsigned i, struct machine_register *r);
/* The number of the register called name, or -1. */
int machine_register_named(const struct machine *m, const char *name);
#define MACHINE_REGISTER_BYTES 16 /* of the widest */
/* Register i as (width + 7) / 8 bytes at p, least significant first, as machine_get_reg and machine_set_reg do it. */
bool machine_get_wide(struct machine *m, unsigned hart, unsigned i, void *p);
bool machine_set_wide(struct machine *m, unsigned hart, unsigned i, const void *p);
/* Physical memory. False if any byte is not RAM. */
bool machine_read(struct machine *m, uint64_t pa, void *p, uint64_t n);
bool machine_write(struct machine *m, uint64_t pa, const void *p, uint64_t n);
/* Virtual memory as a debugger sees it: by the translation of the hart's current mode, whatever that permits, and without any
   effect on the machine but the bytes written. Returns how many bytes, from the first, are RAM, ROM or flash and were copied. */
uint64_t machine_read_virtual(struct machine *m, unsigned hart, uint64_t va, void *p, uint64_t n);
uint64_t machine_write_virtual(struct machine *m, unsigned hart, uint64_t va, const void *p, uint64_t n);
/* Where a virtual address is in physical memory, likewise. False: no such hart, or nowhere. */
bool machine_translate(struct machine *m, unsigned hart, uint64_t va, uint64_t *pa);
/* Value of a symbol of the loaded ELF images. */
bool machine_symbol(struct machine *m, const char *name, uint64_t *value);
#endif
