/*
 * Boot: firmware, kernel, initrd and device tree into guest RAM, and the reset ROM that enters them, as QEMU's `virt` board does
 * it.
 *
 * The firmware is at the start of RAM; the next stage at the next 2 MiB (RV32: 4 MiB) boundary behind it, but not below 0x200000
 * (RV32: 0x400000) from the start of RAM; the device tree ends below the end of RAM or 3 GiB; the initrd is half of RAM, at most
 * 512 MiB, behind the kernel. OpenSBI's fw_dynamic is told the next stage in struct fw_dynamic_info behind the reset code.
 */
#ifndef TL_MACHINE_LOADER_H
#define TL_MACHINE_LOADER_H
#include "machine/fdt.h"
#include "machine/image.h"

#define LOADER_FIRMWARE_DEFAULT "default"
#define LOADER_FIRMWARE_NONE    "none"

struct boot;

struct loader_config {
    bool (*boot)(struct boot *b, struct err *e); /* the board's flow: boot_virt */
    struct mem *mem;                             /* RAM and reset ROM are there already */
    const struct fdt_board *board;               /* cfg, harts, RAM, devices */
    uint64_t rom_base, rom_size;                 /* reset ROM: at least 128 bytes; the harts start at rom_base */
    const char *bios;                            /* file, "default", or "none"/NULL: start at the kernel */
    const char *kernel, *initrd, *append, *dtb;  /* files (append: text); NULL: none */
    const char *flash[2];                        /* files of the flash banks; NULL: none */
};

/* What the firmware configuration device hands out of a boot's files. */
struct loader_item {
    uint16_t key;
    uint64_t off;  /* of its bytes in struct loader's fw_cfg, */
    uint32_t size; /* and how many */
};

struct loader {
    struct image bios, kernel; /* start == end: not there */
    struct buf fw_cfg;         /* files that firmware finds by fw_cfg: kernel, initrd, command line, one behind the other */
    struct loader_item item[3];
    unsigned items;
    uint64_t initrd_start, initrd_end;
    uint64_t initrd_digest;    /* of its bytes */
    uint64_t dtb_start;        /* physical address of the device tree */
    struct buf dtb;            /* the blob as the guest finds it */
    uint64_t start;            /* where the reset code jumps to, or the first hart is started */
    bool direct;               /* the machine starts harts there (cpu_arch.start): the first, or without conduit all */
    unsigned level;            /* in this level */
    const char *conduit;       /* by which the machine answers PSCI calls: "hvc", "smc"; NULL: it does not */
    struct symbols symbols;    /* of all ELF images, sorted */
    uint64_t tohost, fromhost; /* HTIF registers of a bare-metal ELF; 0: it has none */
    uint64_t digest;           /* of all files and the append text: names this guest in a reproduction line */
};

/* Keys of what QEMU's boards put there; a file's size is a value of 4 bytes. */
enum {
    LOADER_KERNEL_SIZE = 0x08,
    LOADER_KERNEL = 0x11,
    LOADER_INITRD_SIZE = 0x0b,
    LOADER_INITRD = 0x12,
    LOADER_CMDLINE_SIZE = 0x14,
    LOADER_CMDLINE = 0x15
};

/* The flow of the board virt. */
bool boot_virt(struct boot *b, struct err *e);
/* That of the board virt-arm. */
bool boot_virt_arm(struct boot *b, struct err *e);

/* Loads everything. Without firmware and kernel the harts start at the beginning of RAM, for callers that write code there. On
 * failure nothing is left allocated and the sentence names the file and the reason. */
bool loader_boot(const struct loader_config *c, struct loader *out, struct err *e);
void loader_free(struct loader *l);

/* Finds Debian's OpenSBI fw_dynamic for xlen. False with a sentence that tells where it was looked for. */
bool loader_find_firmware(unsigned xlen, char *path, size_t cap, struct err *e);
#endif
