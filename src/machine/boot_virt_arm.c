/*
 * Boot of the board virt-arm, as QEMU's does it.
 *
 * Firmware (-bios, or a first pflash drive) lies in the first flash and starts at its reset vector, in the highest exception
 * level, with the device tree at the start of RAM. Without firmware the first PE is started in the kernel directly: a Linux image
 * (Linux Documentation/arch/arm64/booting.rst) in EL2 if there is one, else EL1; an ELF or raw image in the highest level. x0 is
 * the device tree's address. Unless guest code runs at the level that would answer them, the machine answers PSCI calls: by HVC,
 * or if there is an EL2 by SMC.
 */
#include "machine/boot.h"
#include <assert.h>
#include <inttypes.h>

#define MIB     (UINT64_C(1) << 20)
#define FLASH   (64 * MIB) /* bytes of a bank */
#define RAW_GAP (MIB / 2)  /* where raw images go, from the start of RAM */

/* Bytes into flash; pages of zeros, which flash begins with, take no memory. */
static bool fill_flash(struct boot *b, const char *path, uint64_t base, struct image *out, struct err *e)
{
    struct buf bytes;
    if (!image_read_file(path, &bytes, e))
        return false;
    const struct cpu_arch *arch = image_arch_of(bytes.data, bytes.len);
    bool ok = true;
    if (arch && arch != b->place.kind->arch)
        ok = err_set(e, "%s is for %s; this machine is %s", path, arch->title, b->place.kind->arch->title);
    else if (image_kind_of(bytes.data, bytes.len) == IMAGE_ELF)
        ok = err_set(e, "%s is an ELF image; firmware in flash is raw bytes (an ELF image is run with -bios none -kernel)", path);
    else if (bytes.len > FLASH)
        ok = err_set(e, "%s does not fit: it has %zu bytes, a flash bank has %" PRIu64, path, bytes.len, FLASH);
    for (size_t at = 0; ok && at < bytes.len; at += MEM_PAGE_SIZE) {
        static const uint8_t zero[MEM_PAGE_SIZE];
        size_t n = bytes.len - at < MEM_PAGE_SIZE ? bytes.len - at : MEM_PAGE_SIZE;
        if (memcmp(bytes.data + at, zero, n))
            ok = mem_write(b->place.mem, base + at, bytes.data + at, n);
    }
    if (ok) {
        *out = (struct image){.kind = IMAGE_RAW,
                              .start = base,
                              .end = base + bytes.len,
                              .entry = base,
                              .digest = hash_bytes(bytes.data, bytes.len)};
        hash_add_u64(b->digest, out->digest);
    }
    buf_free(&bytes);
    return ok;
}

/* The board is its own firmware by default. */
static bool no_bios(const struct loader_config *c) { return boot_is_none(c->bios) || !strcmp(c->bios, LOADER_FIRMWARE_DEFAULT); }

static bool load_flash(struct boot *b, struct err *e)
{
    const struct loader_config *c = b->c;
    struct image other;
    if (!no_bios(c) && c->flash[0])
        return err_set(e, "%s and %s are both to be in the first flash: give one of -bios and -drive if=pflash", c->bios,
                       c->flash[0]);
    const char *first = no_bios(c) ? c->flash[0] : c->bios;
    if (first && !fill_flash(b, first, 0, &b->l->bios, e))
        return false;
    return !c->flash[1] || fill_flash(b, c->flash[1], FLASH, &other, e);
}

static bool load_kernel(struct boot *b, struct err *e)
{
    const char *path = b->c->kernel;
    struct buf bytes;
    if (!path)
        return true;
    if (b->l->bios.end)
        return err_set(e, "%s: with firmware in flash a kernel is started from a drive or by the firmware's own means", path);
    if (!image_read_file(path, &bytes, e))
        return false;
    bool ok = image_unpack(path, &bytes, b->place.ram_size + (UINT64_C(1) << 30), e);
    /* Linux leaves the first 2 MiB to the device tree. */
    bool linux_image = ok && image_kind_of(bytes.data, bytes.len) == IMAGE_LINUX;
    b->place.address = b->place.ram_base + (linux_image ? 2 * MIB : RAW_GAP);
    ok = ok && image_load(path, &bytes, &b->place, &b->l->kernel, e);
    buf_free(&bytes);
    hash_add_u64(b->digest, b->l->kernel.digest);
    return ok;
}

/* The level guest code starts in, and how it reaches PSCI. */
static void choose_level(struct boot *b)
{
    const struct cpu_kind *k = b->place.kind;
    unsigned levels = k->arch->levels(k), normal = levels & 4 ? 2 : 1, highest = levels & 8 ? 3 : normal;
    struct loader *l = b->l;
    l->level = l->kernel.end && l->kernel.kind == IMAGE_LINUX ? normal : highest;
    l->direct = !l->bios.end;
    l->conduit = normal == 1 ? "hvc" : "smc";
    if (l->level == 3)
        l->conduit = NULL;
}

/* At the start of RAM if nothing is there, else at its end. */
static bool place_dtb(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    uint64_t base = b->place.ram_base, end = base + l->dtb.len;
    bool kernel_there = l->kernel.end && l->kernel.start < end && base < l->kernel.end;
    if (kernel_there || l->dtb.len > 2 * MIB || l->dtb.len > b->place.ram_size)
        return boot_place_dtb(b, e);
    l->dtb_start = base;
    bool ok = mem_write(b->place.mem, base, l->dtb.data, l->dtb.len);
    assert(ok);
    return true;
}

bool boot_virt_arm(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    if (!load_flash(b, e) || !load_kernel(b, e) || !boot_load_initrd(b, e))
        return false;
    choose_level(b);
    b->board.conduit = l->conduit;
    if (!boot_make_dtb(b, e) || !place_dtb(b, e))
        return false;
    symbols_sort(&l->symbols);
    l->start = l->bios.end ? 0 : l->kernel.end ? l->kernel.entry : b->place.ram_base;
    return true;
}
