/*
 * Inside the loader: a boot in progress, and what the flows of the boards have in common. A board's flow (boot_<board>.c) puts
 * the images into memory, makes the device tree and says where the harts start.
 */
#ifndef TL_MACHINE_BOOT_H
#define TL_MACHINE_BOOT_H
#include "base/hash.h"
#include "machine/loader.h"
#include <string.h>

struct boot {
    const struct loader_config *c;
    struct loader *l;
    struct image_place place;
    struct hash *digest;
    struct fdt_board board; /* what the device tree is made of: a copy of c->board, completed */
    char bios[256];         /* the firmware's file; empty: none */
};

static inline uint64_t boot_align_up(uint64_t v, uint64_t a) { return (v + a - 1) / a * a; }
static inline uint64_t boot_align_down(uint64_t v, uint64_t a) { return v / a * a; }
static inline bool boot_is_none(const char *s) { return !s || !strcmp(s, LOADER_FIRMWARE_NONE); }

/* Reads and loads one image at place.address, or where it says itself. */
bool boot_load_file(struct boot *b, const char *path, struct image *out, struct err *e);
/* The initrd behind the kernel, if there is one. */
bool boot_load_initrd(struct boot *b, struct err *e);
/* The device tree: generated, or from a file and completed. */
bool boot_make_dtb(struct boot *b, struct err *e);
/* Puts it at the end of RAM. */
bool boot_place_dtb(struct boot *b, struct err *e);
#endif
