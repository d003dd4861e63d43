/*
 * Boards as data: what is where. A board is one const table; a new machine is a new table.
 */
#ifndef TL_MACHINE_BOARD_H
#define TL_MACHINE_BOARD_H
#include "cpu/arch.h"
#include "machine/loader.h"
#include <stddef.h>
#include <stdint.h>

struct board_line {
    const char *device; /* as in devices.def */
    const char *id;     /* instance name, also in the public API */
    uint64_t base;      /* physical address */
    unsigned irq;       /* input line of the interrupt controller that its output 0 drives (output n: irq + n); 0: none */
    uint64_t arg;       /* struct device's arg */
};

/* A switch of -machine: a feature of the cpu, which is off unless this or -cpu turns it on. */
struct board_option {
    const char *name, *cpu;
    unsigned level; /* the exception level that it switches */
};

struct board {
    const char *name, *title;
    const struct cpu_arch *arch;                 /* of its harts */
    const char *cpu;                             /* default -cpu */
    bool firmware;                               /* -bios default names one, which a kernel is started by */
    const struct board_option *options;          /* ends with an empty one; NULL: none */
    uint64_t ram_base, ram_default, ram_max;     /* bytes */
    uint64_t rom_base, rom_size;                 /* the reset code: harts start at rom_base; size 0: there is none */
    uint64_t secure_ram_base, secure_ram_size;   /* there with two security states only, for Secure accesses; size 0: none */
    uint64_t secure_flash_end;                   /* with two security states what lies below is for Secure accesses only */
    uint64_t tick_hz;                            /* of the guest's time base, when the clock is at least that fast */
    bool (*boot)(struct boot *b, struct err *e); /* how images get into memory and harts start: loader.h */
    void (*tree)(struct fdt_tree *t, const struct fdt_chosen *chosen); /* its device tree: fdt.h */
    const struct board_line *lines;
    size_t nlines;
    const struct board_line *secure_lines; /* what is there with two security states only, and only for Secure accesses */
    size_t nsecure_lines;
    /* Slots for -drive and for devices asked for by name, in the order they are given out. */
    const char *slot_device, *slot_id; /* what an empty slot holds; its id is slot_id and the slot's number */
    uint64_t slot_base, slot_stride;
    unsigned slot_irq, slots;
};

/* The board called name (what follows a comma does not count), or NULL. */
const struct board *board_find(const char *name);
/* The board of "NAME,option=on,…". NULL with a sentence. */
const struct board *board_parse(const char *text, struct err *e);
/* The board for an architecture's images when none is named, or NULL. */
const struct board *board_of_arch(const struct cpu_arch *arch);
/* Board number i (0, 1, …), or NULL past the last. Number 0 is the default. */
const struct board *board_at(size_t i);
/* The names of all boards, "virt, …", in cap bytes. */
void board_names(char *out, size_t cap);
#endif
