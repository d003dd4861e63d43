/*
 * The device tree handed to the guest, in the form that firmware and kernels expect of a QEMU `virt` board (Devicetree
 * Specification 0.4). What each board's has is in fdt_<board>.c.
 */
#ifndef TL_MACHINE_FDT_H
#define TL_MACHINE_FDT_H
#include "base/buf.h"
#include "base/err.h"
#include "cpu/arch.h"

/* One device of the board. */
struct fdt_device {
    const char *name;    /* as in devices.def */
    uint64_t base, size; /* physical range; size 0: no node for it */
    unsigned irq;        /* input of the interrupt controller, 0: none */
    uint64_t arg;        /* as in struct device (PLIC: number of sources) */
    bool secure;         /* only for Secure accesses (Arm) */
};

struct fdt_tree; /* a tree being written: fdt_tree.h */
struct fdt_chosen;

struct fdt_board {
    void (*tree)(struct fdt_tree *t, const struct fdt_chosen *chosen); /* writes it: fdt_virt */
    const struct cpu_kind *kind;
    unsigned harts;
    uint64_t ram_base, ram_size; /* bytes */
    uint64_t tick_hz;            /* timebase-frequency */
    const char *conduit;         /* by which PSCI is answered: "hvc", "smc"; NULL: it is not, or firmware adds that itself */
    uint64_t secure_ram_base, secure_ram_size; /* bytes; memory for Secure accesses, size 0: none */
    const struct fdt_device *devices;
    unsigned ndevices;
    uint64_t seed; /* rng-seed and kaslr-seed follow from it */
};

/* What /chosen says about this boot. */
struct fdt_chosen {
    const char *bootargs;              /* NULL: none */
    uint64_t initrd_start, initrd_end; /* equal: none */
};

/* The tree of the board virt. */
void fdt_virt(struct fdt_tree *t, const struct fdt_chosen *chosen);
/* That of the board virt-arm. */
void fdt_virt_arm(struct fdt_tree *t, const struct fdt_chosen *chosen);

/* Builds the tree into out (appended to an empty buffer). False when the tree cannot be built (never for a valid board). */
bool fdt_build(const struct fdt_board *board, const struct fdt_chosen *chosen, struct buf *out, struct err *e);

/* Puts bootargs and initrd of chosen into a tree that came from a file. name is the file's, for the sentence. */
bool fdt_patch(const char *name, struct buf *dtb, const struct fdt_chosen *chosen, struct err *e);

/* Checks that bytes are a device tree blob; cuts off what follows it. */
bool fdt_check(const char *name, struct buf *dtb, struct err *e);
#endif
