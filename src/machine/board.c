#include "machine/board.h"
#include "base/bits.h"

#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* What QEMU's `virt` board has and Debian's firmware and kernels expect, at the same addresses. The injector is our own. */
static const struct board_line virt_lines[] = {
    {"sifive_test", "test", 0x100000, 0, 0},   {"goldfish_rtc", "rtc", 0x101000, 11, 0},  {"aclint", "clint", 0x2000000, 0, 0},
    {"aclint_sswi", "sswi", 0x2f00000, 0, 0},  {"injector", "injector", 0x3000000, 0, 0}, {"plic", "plic", 0xc000000, 0, 95},
    {"ns16550", "serial0", 0x10000000, 10, 0}, {"fw_cfg", "fwcfg", 0x10100000, 0, 0},
};

static const struct board boards[] = {
    {
        .name = "virt",
        .title = "RISC-V board with QEMU virt's memory map",
        .arch = &riscv_arch,
        .cpu = "rv64",
        .ram_base = 0x80000000,
        .ram_default = 128 * MIB,
        .ram_max = UINT64_C(64) << 30,
        .rom_base = 0x1000,
        .rom_size = 0x10000,
        .tick_hz = 10000000,
        .boot = boot_virt,
        .tree = fdt_virt,
        .lines = virt_lines,
        .nlines = ARRAY_LEN(virt_lines),
        .slot_device = "virtio_none",
        .slot_id = "slot",
        .slot_base = 0x10001000,
        .slot_stride = 0x1000,
        .slot_irq = 1,
        .slots = 8,
    },
};

const struct board *board_at(size_t i) { return i < ARRAY_LEN(boards) ? &boards[i] : NULL; }

const struct board *board_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++)
        if (!strcmp(boards[i].name, name))
            return &boards[i];
    return NULL;
}

void board_names(char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(boards) && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? ", " : "", boards[i].name);
}
