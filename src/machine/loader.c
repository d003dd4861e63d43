#include "machine/loader.h"
#include "base/bits.h"
#include "base/hash.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

/* What OpenSBI's fw_dynamic finds through a2 (OpenSBI docs/firmware/fw_dynamic.md); every member is XLEN wide. */
enum { FW_DYNAMIC_MAGIC = 0x4942534f, FW_DYNAMIC_VERSION = 2, FW_DYNAMIC_MODE_S = 1, FW_DYNAMIC_MEMBERS = 6 };

/* A load in progress. */
struct boot {
    const struct loader_config *c;
    struct loader *l;
    struct image_place place;
    struct hash *digest;
    char bios[256]; /* the firmware's file; empty: none */
};

static uint64_t align_up(uint64_t v, uint64_t a) { return (v + a - 1) / a * a; }
static uint64_t align_down(uint64_t v, uint64_t a) { return v / a * a; }
static bool is_none(const char *s) { return !s || !strcmp(s, LOADER_FIRMWARE_NONE); }

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

/* Reads and loads one image at place.address, or where it says itself. */
static bool load_file(struct boot *b, const char *path, struct image *out, struct err *e)
{
    struct buf bytes;
    if (!image_read_file(path, &bytes, e))
        return false;
    bool ok = image_load(path, &bytes, &b->place, out, e);
    buf_free(&bytes);
    hash_add_u64(b->digest, out->digest);
    return ok;
}

static bool load_bios(struct boot *b, struct err *e)
{
    if (is_none(b->c->bios))
        return true;
    if (!strcmp(b->c->bios, LOADER_FIRMWARE_DEFAULT)) {
        if (!loader_find_firmware(b->place.xlen, b->bios, sizeof b->bios, e))
            return false;
    } else {
        snprintf(b->bios, sizeof b->bios, "%s", b->c->bios); /* cut only in what a sentence says */
    }
    b->place.address = b->place.ram_base;
    return load_file(b, strcmp(b->c->bios, LOADER_FIRMWARE_DEFAULT) ? b->c->bios : b->bios, &b->l->bios, e);
}

static bool load_kernel(struct boot *b, struct err *e)
{
    const struct image *bios = &b->l->bios;
    if (!b->c->kernel)
        return true;
    uint64_t step = b->place.xlen == 32 ? 4 * MIB : 2 * MIB;
    b->place.address = bios->end ? align_up(bios->end, step) : b->place.ram_base;
    if (!load_file(b, b->c->kernel, &b->l->kernel, e))
        return false;
    const struct image *k = &b->l->kernel;
    if (k->start >= bios->end || bios->start >= k->end)
        return true;
    return err_set(e,
                   "%s (0x%" PRIx64 "..0x%" PRIx64 ") and %s (0x%" PRIx64 "..0x%" PRIx64
                   ") overlap in memory; a bare-metal image is run with -bios none",
                   b->bios, bios->start, bios->end, b->c->kernel, k->start, k->end);
}

/* The last address a device tree may end at: what a 32-bit firmware can reach. */
static uint64_t dtb_limit(const struct boot *b)
{
    uint64_t end = b->place.ram_base + b->place.ram_size;
    return b->place.ram_base < 3072 * MIB && end > 3072 * MIB ? 3072 * MIB : end;
}

static bool load_initrd(struct boot *b, struct err *e)
{
    const char *path = b->c->initrd;
    struct buf bytes;
    if (!path)
        return true;
    if (!b->c->kernel)
        return err_set(e, "%s: an initrd needs a kernel (-kernel)", path);
    if (!image_read_file(path, &bytes, e))
        return false;
    const struct image *k = &b->l->kernel;
    uint64_t half = b->place.ram_size / 2;
    uint64_t at = align_up(k->start + (half < 512 * MIB ? half : 512 * MIB), MEM_PAGE_SIZE);
    /* Half of RAM is room for a kernel that unpacks itself; when that leaves too little, directly behind the kernel will do. */
    uint64_t top = align_down(dtb_limit(b) - 64 * 1024, 2 * MIB);
    if (at < k->end || at + bytes.len > top)
        at = align_up(k->end, 2 * MIB);
    bool ok = at + bytes.len <= b->place.ram_base + b->place.ram_size && mem_write(b->place.mem, at, bytes.data, bytes.len);
    if (ok) {
        b->l->initrd_digest = hash_bytes(bytes.data, bytes.len);
        hash_add_u64(b->digest, b->l->initrd_digest);
        b->l->initrd_start = at;
        b->l->initrd_end = at + bytes.len;
    } else {
        err_set(e,
                "%s does not fit: it has %zu bytes; RAM is 0x%" PRIx64 "..0x%" PRIx64 " and the kernel ends at 0x%" PRIx64
                " (see -m)",
                path, bytes.len, b->place.ram_base, b->place.ram_base + b->place.ram_size, k->end);
    }
    buf_free(&bytes);
    return ok;
}

static bool make_dtb(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    const char *file = b->c->dtb;
    struct fdt_chosen chosen = {b->c->append, l->initrd_start, l->initrd_end};
    if (b->c->append)
        hash_add(b->digest, b->c->append, strlen(b->c->append));
    if (!file)
        return fdt_build(b->c->board, &chosen, &l->dtb, e);
    if (!image_read_file(file, &l->dtb, e) || !fdt_check(file, &l->dtb, e))
        return false;
    hash_add_u64(b->digest, hash_bytes(l->dtb.data, l->dtb.len));
    return fdt_patch(file, &l->dtb, &chosen, e);
}

static bool is_free(const struct boot *b, uint64_t at, uint64_t n)
{
    const struct loader *l = b->l;
    return at >= b->place.ram_base && (at >= l->bios.end || at + n <= l->bios.start) &&
           (at >= l->kernel.end || at + n <= l->kernel.start) && (at >= l->initrd_end || at + n <= l->initrd_start);
}

static bool place_dtb(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    const char *name = b->c->dtb ? b->c->dtb : "the device tree";
    uint64_t limit = dtb_limit(b);
    if (l->dtb.len > b->place.ram_size)
        return err_set(e, "%s does not fit: it has %zu bytes, RAM %" PRIu64 " (see -m)", name, l->dtb.len, b->place.ram_size);
    /* Page tables map 2 MiB at a time early in a boot, so a tree has such a block to itself if there is room. */
    l->dtb_start = align_down(limit - l->dtb.len, 2 * MIB);
    if (!is_free(b, l->dtb_start, l->dtb.len))
        l->dtb_start = align_down(limit - l->dtb.len, MEM_PAGE_SIZE);
    if (!is_free(b, l->dtb_start, l->dtb.len))
        return err_set(e, "%s does not fit: the images leave no room for its %zu bytes at the end of RAM, 0x%" PRIx64 " (see -m)",
                       name, l->dtb.len, limit);
    bool ok = mem_write(b->place.mem, l->dtb_start, l->dtb.data, l->dtb.len);
    assert(ok);
    return true;
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
    bool rv32 = b->place.xlen == 32;
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

bool loader_boot(const struct loader_config *c, struct loader *out, struct err *e)
{
    *out = (struct loader){0};
    struct boot b = {.c = c, .l = out, .digest = hash_new()};
    b.place = (struct image_place){.mem = c->mem,
                                   .ram_base = c->board->ram_base,
                                   .ram_size = c->board->ram_size,
                                   .xlen = c->board->kind->bits,
                                   .symbols = &out->symbols};
    bool ok = load_bios(&b, e) && load_kernel(&b, e) && load_initrd(&b, e) && make_dtb(&b, e) && place_dtb(&b, e);
    out->digest = hash_end(b.digest);
    if (!ok) {
        loader_free(out);
        return false;
    }
    symbols_sort(&out->symbols);
    if (is_none(c->bios))
        find_htif(out); /* firmware that carries the symbols for another platform does not mean this machine's HTIF */
    out->start = !is_none(c->bios) ? out->bios.entry : c->kernel ? out->kernel.entry : c->board->ram_base;
    write_rom(&b);
    return true;
}

void loader_free(struct loader *l)
{
    buf_free(&l->dtb);
    symbols_free(&l->symbols);
    *l = (struct loader){0};
}
