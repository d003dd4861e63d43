/*
 * What a device is.
 *
 * A device is one file: a state struct of plain data without pointers, and a const struct device_ops. The machine allocates the
 * state, owns it, saves it by copying it, and forks it by copying it. A device reaches the outside only through `struct device`:
 * it raises interrupt lines, arms its events, reads and writes guest memory (DMA), and emits bytes to the host (a console, a disk
 * image, a network). Bytes from the host arrive only through ops->input, stamped with a cycle by the machine, so that a run can
 * be recorded and replayed. A device knows no cpu and reads no host clock.
 */
#ifndef TL_MEM_DEVICE_H
#define TL_MEM_DEVICE_H
#include "mem/injection.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_EVENTS 4 /* events a device may have */

struct device;
struct fdt_node; /* a device-tree node under construction: machine/fdt.h */

struct device_ops {
    const char *name;   /* as in devices.def, e.g. "ns16550" */
    const char *title;  /* one line for people */
    uint64_t mmio_size; /* bytes of address space; 0: none */
    bool rom;           /* these bytes are memory: loads see it while host->rom_on, all stores and other loads come here */
    size_t state_size;  /* bytes of state; zeroed before the first reset */
    unsigned events;    /* how many of DEVICE_EVENTS it uses */
    void (*reset)(struct device *d);
    /* size is 1, 2, 4 or 8 and off is naturally aligned to it. False: access fault for the guest. */
    bool (*read)(struct device *d, uint64_t off, unsigned size, uint64_t *value);
    bool (*write)(struct device *d, uint64_t off, unsigned size, uint64_t value);
    /* Event n (0..events-1) armed with device_arm is due. */
    void (*event)(struct device *d, unsigned n);
    /* Bytes from the host (console keys, a network frame). Returns how many were taken; the rest is offered again later. */
    size_t (*input)(struct device *d, const void *p, size_t n);
    /* Interrupt input `line` of an interrupt controller changed to level (controllers only). */
    void (*line)(struct device *d, unsigned line, bool level);
    /* Makes input `line`, of that hart where each has its own, pending once, as a device's edge does (controllers only). NULL:
       the input goes high and low. */
    void (*pend)(struct device *d, unsigned hart, unsigned line);
    /* A hart asks its interrupt controller for something (controllers only); what and value as in mem/gic.h. */
    void (*hart_call)(struct device *d, unsigned hart, unsigned what, uint64_t value);
    /* The state was replaced from outside: tells the machine again what follows from it. NULL: nothing does. */
    void (*refresh)(struct device *d);
    /* The device's own consistency check of a loaded state: false if a field is out of range. NULL: any bytes are fine. */
    bool (*valid)(const struct device *d);
};

/* The services of the machine, one table for all devices. */
struct device_host {
    uint64_t (*now)(struct device *d);                                           /* machine cycle */
    void (*arm)(struct device *d, unsigned n, uint64_t when);                    /* UINT64_MAX cancels */
    void (*irq)(struct device *d, unsigned out, bool level);                     /* output line `out` (wired by the board) */
    void (*hart_irq)(struct device *d, unsigned hart, unsigned irq, bool level); /* a hart's input: mip bit number `irq` */
    /* Makes it happen at once. Call it from an event only: no hart is inside an instruction then. False: this machine has no such
       hart, line or event. */
    bool (*inject)(struct device *d, const struct injection *i);
    /* A message to the part of an interrupt controller that is in the hart; what and value as in mem/gic.h. */
    void (*hart_signal)(struct device *d, unsigned hart, unsigned what, uint64_t value);
    void (*rom_on)(struct device *d, bool on); /* device_ops.rom: loads see the memory from now on, or come to the device */
    bool (*secure)(struct device *d);          /* the access in progress is Secure (Arm) */
    bool (*dma_read)(struct device *d, uint64_t pa, void *p, uint64_t n);
    bool (*dma_write)(struct device *d, uint64_t pa, const void *p, uint64_t n);
    void (*output)(struct device *d, const void *p, size_t n); /* bytes to the host side of this device */
    /* Backing store of a block device, in bytes. Deterministic: contents are part of the run's input. False: I/O error. */
    bool (*disk_read)(struct device *d, uint64_t off, void *p, size_t n);
    bool (*disk_write)(struct device *d, uint64_t off, const void *p, size_t n);
    uint64_t (*disk_size)(struct device *d);
    void (*exit)(struct device *d, int code); /* the guest ends the run with this exit code */
    void (*reboot)(struct device *d);         /* the guest asks for a system reset */
    /* The guest's clock was written: guest time = cycle / divider + offset (all harts). */
    void (*set_time_offset)(struct device *d, uint64_t offset);
    uint64_t (*rng)(struct device *d); /* the machine's seeded generator */
};

struct device {
    const struct device_ops *ops;
    const struct device_host *host;
    void *machine;        /* the owner; opaque to devices */
    void *state;          /* state_size bytes */
    const char *id;       /* instance name, e.g. "serial0" */
    uint64_t base;        /* physical address */
    unsigned index;       /* position in the machine */
    unsigned harts;       /* how many harts the machine has */
    bool secure;          /* the harts have two security states (Arm) */
    bool nmi;             /* the harts know non-maskable interrupts (Arm: FEAT_NMI) */
    uint64_t tick_cycles; /* machine cycles in one tick of the guest's time base */
    uint64_t tick_hz;     /* ticks a second */
    uint64_t arg;         /* from the board's line, meaning is the device's (PLIC: number of sources, …) */
};

static inline uint64_t device_now(struct device *d) { return d->host->now(d); }
static inline void device_arm(struct device *d, unsigned n, uint64_t when) { d->host->arm(d, n, when); }
static inline void device_irq(struct device *d, bool level) { d->host->irq(d, 0, level); }
static inline void device_output(struct device *d, const void *p, size_t n) { d->host->output(d, p, n); }
#endif
