/*
 * Boot of the board virt-arm, as QEMU's does it.
 *
 * Raw firmware (-bios, or a first pflash drive) lies in the first flash and starts at its reset vector, in the highest exception
 * level, with the device tree at the start of RAM; a kernel beside it, its initrd and command line are handed out by fw_cfg.
 * Without firmware the first PE is started in the kernel directly: a Linux image (Linux Documentation/arch/arm64/booting.rst) in
 * EL2 if there is one, else EL1; an ELF or raw image in the highest level. x0 is the device tree's address. Unless guest code
 * runs at the level that would answer them, the machine answers PSCI calls: by HVC, or if there is an EL2 by SMC; without that
 * every PE starts.
 *
 * Firmware may also be an ELF image (which QEMU has not): it lies where it says, in RAM or Secure RAM, and starts at its entry
 * point in the highest level, with the kernel in RAM, x0 as above and in x1 the kernel's entry, 0 if there is none. In EL3 it is
 * expected to answer PSCI by SMC, and the device tree says so.
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
        ok = err_set(e, "%s is an ELF image; a flash drive is raw bytes (an ELF image is run with -bios or -kernel)", path);
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

/* Firmware in flash, which finds a kernel by its own means. */
static bool in_flash(const struct loader *l) { return l->bios.end && l->bios.kind != IMAGE_ELF; }

/* Whether the file begins as an ELF image does; what is wrong with it is said when it is loaded. */
static bool is_elf_file(const char *path)
{
    struct buf bytes;
    struct err e;
    bool elf = image_read_file(path, &bytes, &e) && image_kind_of(bytes.data, bytes.len) == IMAGE_ELF;
    buf_free(&bytes);
    return elf;
}

static bool load_flash(struct boot *b, struct err *e)
{
    const struct loader_config *c = b->c;
    struct image other;
    if (!no_bios(c) && c->flash[0])
        return err_set(e, "%s and %s are both to be in the first flash: give one of -bios and -drive if=pflash", c->bios,
                       c->flash[0]);
    const char *first = no_bios(c) ? c->flash[0] : c->bios;
    if (first && !image_no_pipe(first, e))
        return false;
    if (first && is_elf_file(first) && !no_bios(c)) {
        if (!boot_load_file(b, first, &b->l->bios, e))
            return false;
    } else if (first && !fill_flash(b, first, 0, &b->l->bios, e)) {
        return false;
    }
    return !c->flash[1] || fill_flash(b, c->flash[1], FLASH, &other, e);
}

/* ---- files by fw_cfg --------------------------------------------------------------------------------------------------------
 */

static bool hand_out(struct boot *b, uint16_t key, const void *p, size_t n)
{
    struct loader *l = b->l;
    if (n > UINT32_MAX)
        return false;
    l->item[l->items++] = (struct loader_item){.key = key, .off = l->fw_cfg.len, .size = (uint32_t)n};
    buf_put(&l->fw_cfg, p, n);
    return true;
}

static bool hand_out_file(struct boot *b, uint16_t key, const char *path, bool unpack, struct err *e)
{
    struct buf bytes;
    if (!image_read_file(path, &bytes, e))
        return false;
    uint64_t digest = hash_bytes(bytes.data, bytes.len);
    bool ok = !unpack || image_unpack(path, &bytes, b->place.ram_size + (UINT64_C(1) << 30), e);
    const struct cpu_arch *arch = b->place.kind->arch, *of = ok && unpack ? image_arch_of(bytes.data, bytes.len) : NULL;
    const char *other = of && of != arch ? of->title : ok && unpack ? image_foreign(arch, bytes.data, bytes.len) : NULL;
    if (other)
        ok = err_set(e, "%s is %s%s; this machine is %s", path, of && of != arch ? "for " : "", other, arch->title);
    else if (ok && !hand_out(b, key, bytes.data, bytes.len))
        ok = err_set(e, "%s does not fit: it has %zu bytes, fw_cfg hands out files of up to 4 GiB", path, bytes.len);
    buf_free(&bytes);
    hash_add_u64(b->digest, digest);
    return ok;
}

/* As QEMU's hw/arm/boot.c does; the firmware (EDK2's QemuKernelLoaderFsDxe) starts it. */
static bool hand_out_kernel(struct boot *b, struct err *e)
{
    const struct loader_config *c = b->c;
    if (!c->kernel)
        return !c->initrd || err_set(e, "%s: an initrd needs a kernel (-kernel)", c->initrd);
    return hand_out_file(b, LOADER_KERNEL, c->kernel, true, e) &&
           (!c->initrd || hand_out_file(b, LOADER_INITRD, c->initrd, false, e)) &&
           (!c->append || hand_out(b, LOADER_CMDLINE, c->append, strlen(c->append) + 1));
}

/* ---- the kernel in RAM --------------------------------------------------------------------------------------------------------
 */

static bool load_kernel(struct boot *b, struct err *e)
{
    const char *path = b->c->kernel;
    struct buf bytes;
    if (!path)
        return true;
    if (!image_read_file(path, &bytes, e))
        return false;
    bool ok = image_unpack(path, &bytes, b->place.ram_size + (UINT64_C(1) << 30), e);
    /* Linux leaves the first 2 MiB to the device tree. */
    bool linux_image = ok && image_kind_of(bytes.data, bytes.len) == IMAGE_LINUX;
    b->place.address = b->place.ram_base + (linux_image ? 2 * MIB : RAW_GAP);
    ok = ok && image_load(path, &bytes, &b->place, &b->l->kernel, e);
    buf_free(&bytes);
    hash_add_u64(b->digest, b->l->kernel.digest);
    const struct image *bios = &b->l->bios, *k = &b->l->kernel;
    if (ok && bios->end && k->start < bios->end && bios->start < k->end)
        return err_set(e, "%s (0x%" PRIx64 "..0x%" PRIx64 ") and %s (0x%" PRIx64 "..0x%" PRIx64 ") overlap in memory", b->c->bios,
                       bios->start, bios->end, path, k->start, k->end);
    return ok;
}

/* The level guest code starts in, and how it reaches PSCI. */
static void choose_level(struct boot *b)
{
    const struct cpu_kind *k = b->place.kind;
    unsigned levels = k->arch->levels(k), normal = levels & 4 ? 2 : 1, highest = levels & 8 ? 3 : normal;
    struct loader *l = b->l;
    l->level = l->kernel.end && l->kernel.kind == IMAGE_LINUX ? normal : highest;
    if (l->bios.end)
        l->level = highest;
    l->direct = !in_flash(l);
    l->conduit = normal == 1 ? "hvc" : "smc";
    b->board.conduit = l->conduit;
    if (l->level == 3) {
        l->conduit = NULL; /* guest code answers; firmware in flash says so itself in the tree it makes of this one */
        b->board.conduit = l->bios.end && !in_flash(l) ? "smc" : NULL;
    }
}

/* At the start of RAM if nothing is there, else at its end. */
static bool place_dtb(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    uint64_t base = b->place.ram_base, end = base + l->dtb.len;
    bool kernel_there = l->kernel.end && l->kernel.start < end && base < l->kernel.end;
    bool bios_there = !in_flash(l) && l->bios.end && l->bios.start < end && base < l->bios.end;
    if (kernel_there || bios_there || l->dtb.len > 2 * MIB || l->dtb.len > b->place.ram_size)
        return boot_place_dtb(b, e);
    l->dtb_start = base;
    bool ok = mem_write(b->place.mem, base, l->dtb.data, l->dtb.len);
    assert(ok);
    return true;
}

bool boot_virt_arm(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    if (!load_flash(b, e))
        return false;
    if (!(in_flash(l) ? hand_out_kernel(b, e) : load_kernel(b, e) && boot_load_initrd(b, e)))
        return false;
    choose_level(b);
    if (!boot_make_dtb(b, e) || !place_dtb(b, e))
        return false;
    symbols_sort(&l->symbols);
    l->start = l->bios.end ? (in_flash(l) ? 0 : l->bios.entry) : l->kernel.end ? l->kernel.entry : b->place.ram_base;
    return true;
}
