/* Boot of the board virt, as QEMU's does it: see loader.h. */
#include "machine/boot.h"
#include "base/bits.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

/* What OpenSBI's fw_dynamic finds through a2 (OpenSBI docs/firmware/fw_dynamic.md); every member is XLEN wide. */
enum { FW_DYNAMIC_MAGIC = 0x4942534f, FW_DYNAMIC_VERSION = 2, FW_DYNAMIC_MODE_S = 1, FW_DYNAMIC_MEMBERS = 6 };

bool loader_find_firmware(unsigned xlen, char *path, size_t cap, struct err *e)
{
    static const char *const where[] = {"/usr/lib/riscv%u-linux-gnu/opensbi/generic/fw_dynamic.bin",
                                        "/usr/share/opensbi/riscv%u/fw_dynamic.bin",
                                        "/usr/share/qemu/opensbi-riscv%u-generic-fw_dynamic.bin"};
    for (size_t i = 0; i < ARRAY_LEN(where); i++) {
        snprintf(path, cap, where[i], xlen);
        if (!access(path, R_OK))
            return true;
    }
    snprintf(path, cap, where[0], xlen);
    return err_set(
        e, "%s: OpenSBI is not installed (Debian's package opensbi has it); name a firmware with -bios FILE or say -bios none",
        path);
}

static bool load_bios(struct boot *b, struct err *e)
{
    if (boot_is_none(b->c->bios))
        return true;
    if (!strcmp(b->c->bios, LOADER_FIRMWARE_DEFAULT)) {
        if (!loader_find_firmware(b->place.kind->bits, b->bios, sizeof b->bios, e))
            return false;
    } else {
        snprintf(b->bios, sizeof b->bios, "%s", b->c->bios); /* cut only in what a sentence says */
    }
    b->place.address = b->place.ram_base;
    return boot_load_file(b, strcmp(b->c->bios, LOADER_FIRMWARE_DEFAULT) ? b->c->bios : b->bios, &b->l->bios, e);
}

static bool load_kernel(struct boot *b, struct err *e)
{
    const struct image *bios = &b->l->bios;
    if (!b->c->kernel)
        return true;
    uint64_t step = b->place.kind->bits == 32 ? 4 * MIB : 2 * MIB;
    b->place.address = bios->end ? boot_align_up(bios->end, step) : b->place.ram_base;
    if (!boot_load_file(b, b->c->kernel, &b->l->kernel, e))
        return false;
    const struct image *k = &b->l->kernel;
    if (k->start >= bios->end || bios->start >= k->end)
        return true;
    return err_set(e,
                   "%s (0x%" PRIx64 "..0x%" PRIx64 ") and %s (0x%" PRIx64 "..0x%" PRIx64
                   ") overlap in memory; a bare-metal image is run with -bios none",
                   b->bios, bios->start, bios->end, b->c->kernel, k->start, k->end);
}

static uint32_t i_type(uint32_t imm, unsigned rs1, unsigned funct3, unsigned rd, unsigned opcode)
{
    return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

/* The code all harts start at: a0 = mhartid, a1 = device tree, a2 = fw_dynamic_info; then to the first stage. */
static void write_rom(struct boot *b)
{
    enum {
        T0 = 5,
        A0 = 10,
        A1 = 11,
        A2 = 12,
        OP_LOAD = 0x03,
        OP_IMM = 0x13,
        JALR = 0x67,
        CODE = 24,
        START = CODE,
        DTB = CODE + 8,
        INFO = CODE + 16
    };
    struct loader *l = b->l;
    struct buf rom = {0};
    bool rv32 = b->place.kind->bits == 32;
    unsigned load = rv32 ? 2 : 3;                            /* lw, ld */
    buf_put_u32(&rom, 0x00000297);                           /* auipc t0, 0 */
    buf_put_u32(&rom, i_type(INFO, T0, 0, A2, OP_IMM));      /* addi a2, t0, INFO */
    buf_put_u32(&rom, 0xf1402573);                           /* csrr a0, mhartid */
    buf_put_u32(&rom, i_type(DTB, T0, load, A1, OP_LOAD));   /* ld a1, DTB(t0) */
    buf_put_u32(&rom, i_type(START, T0, load, T0, OP_LOAD)); /* ld t0, START(t0) */
    buf_put_u32(&rom, i_type(0, T0, 0, 0, JALR));            /* jr t0 */
    buf_put_u64(&rom, l->start);
    buf_put_u64(&rom, l->dtb_start);
    const uint64_t info[FW_DYNAMIC_MEMBERS] = {FW_DYNAMIC_MAGIC, FW_DYNAMIC_VERSION, l->kernel.entry, FW_DYNAMIC_MODE_S, 0, 0};
    for (unsigned i = 0; i < FW_DYNAMIC_MEMBERS; i++) {
        if (rv32)
            buf_put_u32(&rom, (uint32_t)info[i]);
        else
            buf_put_u64(&rom, info[i]);
    }
    assert(rom.len <= b->c->rom_size);
    bool ok = mem_write(b->place.mem, b->c->rom_base, rom.data, rom.len);
    assert(ok);
    buf_free(&rom);
}

static void find_htif(struct loader *l)
{
    const struct symbol *to = symbols_find(&l->symbols, "tohost"), *from = symbols_find(&l->symbols, "fromhost");
    l->tohost = to ? to->value : 0;
    l->fromhost = to && from ? from->value : 0;
}

bool boot_virt(struct boot *b, struct err *e)
{
    const struct loader_config *c = b->c;
    struct loader *l = b->l;
    if (!load_bios(b, e) || !load_kernel(b, e) || !boot_load_initrd(b, e) || !boot_make_dtb(b, e) || !boot_place_dtb(b, e))
        return false;
    symbols_sort(&l->symbols);
    if (boot_is_none(c->bios))
        find_htif(l); /* firmware that carries the symbols for another platform does not mean this machine's HTIF */
    l->start = !boot_is_none(c->bios) ? l->bios.entry : c->kernel ? l->kernel.entry : c->board->ram_base;
    write_rom(b);
    return true;
}
