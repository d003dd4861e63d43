/*
 * Inside machine/ and debug/: what a machine is made of.
 *
 * struct machine owns everything. Its state is struct machine_state, the state of its cpus, the devices' states, RAM and
 * what the guest wrote to its disks; all plain data. What never changes during a run is in struct setup, which forks share. The
 * rest is caches.
 */
#ifndef TL_MACHINE_MACHINE_H
#define TL_MACHINE_MACHINE_H
#include "cpu/arch.h"
#include "devices/devices.h"
#include "devices/semihost.h"
#include "machine/board.h"
#include "machine/disk.h"
#include "machine/loader.h"
#include "machine/trapline.h"
#include "mem/mem.h"
#include "sched/sched.h"

#define MACHINE_HARTS   8
#define MACHINE_DEVICES 56
#define MACHINE_TYPED   256 /* bytes typed for semihosting that the guest has not read yet */

/* One device of the machine as it was asked for: a line of the board, or what took a slot. */
struct device_spec {
    char id[16];
    const struct device_ops *ops;
    uint64_t base, arg;
    unsigned irq;
    size_t state_at;          /* offset of its state in the machine's block of device states */
    int event[DEVICE_EVENTS]; /* event ids */
    int disk;                 /* index into the machine's disks, or -1 */
    bool secure;              /* only for Secure accesses */
};

/* Whose an event is. */
struct event_owner {
    uint8_t device, n;
};

/* A big image that is in RAM as it is in its file: a reset reads it again, so that no second copy of it takes memory. */
struct kept_file {
    char *path;
    int fd;
    uint64_t pa, size; /* bytes */
    uint64_t digest;   /* of its bytes */
};

/* Constant after machine_new; shared by forks. */
struct setup {
    uint32_t refs;
    const struct board *board;
    struct cpu_kind *kind; /* what the harts are */
    struct device_spec device[MACHINE_DEVICES];
    unsigned devices;
    struct event_owner owner[SCHED_MAX];
    struct sched sched;        /* all events, none armed */
    size_t states_size;        /* bytes of all device states */
    int slot[MACHINE_DEVICES]; /* by number of the virtio slot: index of the device in it */
    char *flash[2];            /* files of the flash banks, or NULL */
    int controller;            /* index of the device that takes interrupt lines, or -1 */
    unsigned harts, disks;
    uint64_t ram, quantum, clock_hz, tick_hz, seed, rtc_epoch;
    bool semihosting;
    char *append;
    struct loader loader;
    uint64_t htif[2];     /* addresses of tohost and fromhost; 0: none */
    int htif_device;      /* index of that device, or -1 */
    struct mem *pristine; /* RAM after loading, without the kept files: what a reset goes back to */
    struct kept_file kept[2];
    unsigned nkept;
};

/* The machine's own state: saved and compared as it is. */
struct machine_state {
    uint64_t cycle;     /* where the current slice began: every hart has reached it */
    uint64_t slice_end; /* in_slice: where it ends */
    uint64_t rng;
    int32_t exit_code;
    uint32_t turn; /* in_slice: the hart that goes on */
    uint8_t in_slice, exited;
    uint8_t pad[6];
    uint32_t typed, pad2;
    uint8_t typed_byte[MACHINE_TYPED];
    struct semihost semihost;
    struct sched sched;
};

/* Where machine_run is to stop a hart: debug.c. */
struct machine_halt {
    enum { HALT_NONE, HALT_CYCLE, HALT_AWAKE } kind; /* nowhere; when it has reached `cycle`; when it does not wait any more */
    uint64_t cycle;
};

struct machine {
    struct setup *setup;
    struct machine_state st;
    struct mem *mem;
    struct engine engine;
    const struct cpu_arch *arch; /* of setup->kind */
    uint8_t *harts;              /* setup->harts of them, one block: machine_hart */
    struct device device[MACHINE_DEVICES];
    uint8_t *states; /* the device states, one block */
    struct disk *disk[MACHINE_DEVICES];
    struct machine_host host;

    /* Not state: valid while machine_run or a device works. */
    void (*watch)(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n); /* whom the engine told before htif */
    uint64_t now;                                                                   /* machine cycle while no hart runs */
    uint64_t until; /* cycle the running hart was told to run to */
    bool solo;      /* the running hart is the only one that is awake: a line to another ends its slice */
    bool shared;    /* RAM is all shared and no cached translation permits a store: a fork need not flush */
    bool reboot;    /* a device asked for it */
    bool paced;
    struct cpu_env env;       /* what the harts are provided with */
    machine_watch_fn *change; /* machine_watch */
    void *change_ctx;
    machine_answer_fn *answered; /* machine_watch_answers */
    void *answered_ctx;
    unsigned reboots; /* how often it has started over since it was made */
    volatile int stop; /* machine_request_stop */
    struct machine_halt halt[MACHINE_HARTS];
    struct machine_halt mark; /* one more, of the hart mark_hart: machine_mark */
    unsigned mark_hart;
    bool asked;     /* machine_break was called in the last machine_run */
    unsigned halts; /* how many of all these are not HALT_NONE */
    int broke;      /* the hart that a breakpoint stopped in the last machine_run, or -1 */
};

/* Hart i, and how far it has come. */
static inline struct cpu *machine_hart(const struct machine *m, unsigned i) { return m->engine.cpu[i]; }
static inline struct cpu_progress *machine_progress(const struct machine *m, unsigned i)
{
    return cpu_progress(m->engine.cpu[i]);
}

/* ---- wire.c: what devices, RAM and harts see of each other
 * -------------------------------------------------------------------------- */

/* Makes m->device from the setup and puts their registers on the bus. A fork has the regions already: their functions are
 * replaced. */
bool wire_devices(struct machine *m, bool fork, struct err *e);
/* Connects mem, engine and harts, which exist. */
void wire_harts(struct machine *m);
/* Machine cycle as a device sees it. */
uint64_t wire_now(const struct machine *m);
/* Hands out the events that are due at `now`, which no hart is past but those that ran before in this slice. */
void wire_events(struct machine *m, uint64_t now);
/* inject.c: makes it happen to a hart; no hart is running. False with a sentence if the machine has no such hart, line or event.
 */
bool wire_inject(struct machine *m, const struct injection *i, struct err *e);
/* The device of that id, or NULL. */
struct device *machine_device(struct machine *m, const char *id);

/* ---- htif.c
 * ------------------------------------------------------------------------------------------------------------------------- */

/* Watches the RAM cells tohost and fromhost, if the image has them. After the harts were made. */
void htif_wire(struct machine *m);
/* Makes the cells show the device's registers; after anything that may have changed these. */
void htif_show(struct machine *m);

/* ---- kept.c
 * ------------------------------------------------------------------------------------------------------------------------- */

/* Makes s->pristine from RAM as the loader left it. kernel, initrd: the files, or NULL. */
void kept_make(struct setup *s, struct mem *loaded, const char *kernel, const char *initrd);
/* RAM, and flash if it is asked for, become as the loader left them. False with a sentence if an image file has changed since. */
bool kept_restore(const struct setup *s, struct mem *m, bool flash, struct err *e);
void kept_free(struct setup *s);

/* ---- semi.c
 * ------------------------------------------------------------------------------------------------------------------------- */

/* A semihosting call of hart c (cpu_env.semihost; ctx is the machine). */
bool machine_semihost(void *ctx, struct cpu *c, uint64_t op, uint64_t arg, uint64_t *result);
/* Bytes typed for it. Returns how many were taken. */
size_t machine_typed(struct machine *m, const void *p, size_t n);

/* ---- run.c
 * -------------------------------------------------------------------------------------------------------------------------- */

/* The hart waits with nothing to wake it now, or is halted for good. */
bool machine_sleeps(struct machine *m, unsigned hart);

/* ---- debug.c
 * ------------------------------------------------------------------------------------------------------------------------ */

/* machine_stop_at for who runs the machine on behalf of others, and leaves theirs alone. UINT64_MAX: not any more. */
void machine_mark(struct machine *m, unsigned hart, uint64_t cycle);
/* machine_stop_at, at the boundary at which a sleeping hart may go on. */
void machine_stop_awake(struct machine *m, unsigned hart);

/* ---- psci.c
 * ------------------------------------------------------------------------------------------------------------------------- */

/* A call of the firmware the machine provides (cpu_env.firmware; ctx is the machine). */
bool machine_firmware(void *ctx, struct cpu *c, uint64_t x[8], bool by_smc);

/* ---- machine.c
 * ---------------------------------------------------------------------------------------------------------------------- */

/* A reset the guest asked for: as machine_reset, but time goes on and disks keep their contents. */
void machine_reboot(struct machine *m);
/* After state was replaced from outside: recomputes every cache. */
void machine_refresh(struct machine *m);

/* ---- setup.c
 * ------------------------------------------------------------------------------------------------------------------------ */

/* Fills a zeroed setup and opens the disks; what failed halfway is freed by setup_put and disk_free. */
bool setup_from_config(struct setup *s, struct disk *disk[], const struct machine_config *c, struct err *e);
/* Adds the devices that depend on what was loaded, and hands out state and events. */
bool setup_finish(struct setup *s, struct err *e);
/* The setup's devices and RAM as the device tree wants them. list has room for MACHINE_DEVICES. */
struct fdt_board setup_fdt(const struct setup *s, struct fdt_device *list);
struct setup *setup_get(struct setup *s);
void setup_put(struct setup *s);
#endif
