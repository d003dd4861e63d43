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

static const struct board_option virt_arm_options[] = {
    {"virtualization", "el2", 2},
    {"secure", "el3", 3},
    {0},
};

/* QEMU's `virt` board for Arm. Interrupts are INTIDs: SPIs begin at 32. */
static const struct board_line virt_arm_lines[] = {
    {"cfi_flash", "flash0", 0x0, 0, 0},     {"cfi_flash", "flash1", 0x4000000, 0, 0},  {"gicv3", "gic", 0x8000000, 0, 287},
    {"pl011", "serial0", 0x9000000, 33, 0}, {"pl031", "rtc", 0x9010000, 34, 0},        {"fw_cfg", "fwcfg", 0x9020000, 0, 0},
    {"pl061", "gpio0", 0x9030000, 39, 0},   {"injector", "injector", 0x9090000, 0, 0},
};

static const struct board_line virt_arm_secure_lines[] = {
    {"pl011", "serial1", 0x9040000, 40, 0},
    {"pl061", "gpio1", 0x90b0000, 0, 1},
};

static const struct board boards[] = {
    {
        .name = "virt",
        .title = "RISC-V board with QEMU virt's memory map",
        .arch = &riscv_arch,
        .cpu = "rv64",
        .firmware = true,
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
    {
        .name = "virt-arm",
        .title = "AArch64 board with QEMU virt's memory map",
        .arch = &arm_arch,
        .cpu = "max",
        .options = virt_arm_options,
        .ram_base = 0x40000000,
        .ram_default = 128 * MIB,
        .ram_max = UINT64_C(64) << 30,
        .secure_ram_base = 0xe000000,
        .secure_ram_size = 16 * MIB,
        .secure_flash_end = 64 * MIB,
        .tick_hz = 62500000,
        .boot = boot_virt_arm,
        .tree = fdt_virt_arm,
        .lines = virt_arm_lines,
        .nlines = ARRAY_LEN(virt_arm_lines),
        .secure_lines = virt_arm_secure_lines,
        .nsecure_lines = ARRAY_LEN(virt_arm_secure_lines),
        .slot_device = "virtio_none",
        .slot_id = "slot",
        .slot_base = 0xa000000,
        .slot_stride = 0x200,
        .slot_irq = 48,
        .slots = 32,
    },
};

const struct board *board_at(size_t i) { return i < ARRAY_LEN(boards) ? &boards[i] : NULL; }

const struct board *board_find(const char *name)
{
    size_t n = strcspn(name, ",");
    for (size_t i = 0; i < ARRAY_LEN(boards); i++)
        if (strlen(boards[i].name) == n && !strncmp(boards[i].name, name, n))
            return &boards[i];
    return NULL;
}

static bool is_option(const struct board *b, const char *word, size_t n)
{
    for (const struct board_option *o = b->options; o && o->name; o++) {
        size_t k = strlen(o->name);
        if (n > k && !strncmp(word, o->name, k) && word[k] == '=')
            return (n == k + 3 && !strncmp(word + k, "=on", 3)) || (n == k + 4 && !strncmp(word + k, "=off", 4));
    }
    /* What QEMU lets its users say, and what this board is anyhow. */
    return b->options && ((n == 13 && !strncmp(word, "gic-version=3", n)) || (n == 6 && !strncmp(word, "its=on", n)));
}

/* A board that has options, for those who took another for it. */
static const struct board *with_options(void)
{
    size_t i = 0;
    while (i < ARRAY_LEN(boards) - 1 && !boards[i].options)
        i++;
    return &boards[i];
}

const struct board *board_parse(const char *text, struct err *e)
{
    const struct board *b = board_find(text);
    if (!b) {
        char names[128];
        board_names(names, sizeof names);
        err_set(e, "-machine %s: there is no board '%.*s'; the boards are: %s", text, (int)strcspn(text, ","), text, names);
        return NULL;
    }
    for (const char *p = text + strlen(b->name); *p; p += strcspn(p, ",")) {
        size_t n = strcspn(++p, ",");
        if (is_option(b, p, n))
            continue;
        if (b->options)
            err_set(e, "-machine %s: '%.*s' is not known; the board %s has virtualization=on|off and secure=on|off", text, (int)n,
                    p, b->name);
        else
            err_set(e, "-machine %s: the board %s (%s) has no options; the %s board is %s", text, b->name, b->arch->title,
                    with_options()->arch->title, with_options()->name);
        return NULL;
    }
    return b;
}

const struct board *board_of_arch(const struct cpu_arch *arch)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++)
        if (boards[i].arch == arch)
            return &boards[i];
    return NULL;
}

void board_names(char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(boards) && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? ", " : "", boards[i].name);
}
