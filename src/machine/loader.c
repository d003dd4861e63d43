#include "machine/boot.h"
#include "base/bits.h"
#include "base/hash.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

/* Reads and loads one image at place.address, or where it says itself. */
bool boot_load_file(struct boot *b, const char *path, struct image *out, struct err *e)
{
    struct buf bytes;
    if (!image_read_file(path, &bytes, e))
        return false;
    bool ok = image_load(path, &bytes, &b->place, out, e);
    buf_free(&bytes);
    hash_add_u64(b->digest, out->digest);
    return ok;
}

/* The last address a device tree may end at: what a 32-bit firmware can reach. */
static uint64_t dtb_limit(const struct boot *b)
{
    uint64_t end = b->place.ram_base + b->place.ram_size;
    return b->place.ram_base < 3072 * MIB && end > 3072 * MIB ? 3072 * MIB : end;
}

bool boot_load_initrd(struct boot *b, struct err *e)
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
    uint64_t at = boot_align_up(k->start + (half < 512 * MIB ? half : 512 * MIB), MEM_PAGE_SIZE);
    /* Half of RAM is room for a kernel that unpacks itself; when that leaves too little, directly behind the kernel will do. */
    uint64_t top = boot_align_down(dtb_limit(b) - 64 * 1024, 2 * MIB);
    if (at < k->end || at + bytes.len > top)
        at = boot_align_up(k->end, 2 * MIB);
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

bool boot_make_dtb(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    const char *file = b->c->dtb;
    struct fdt_chosen chosen = {b->c->append, l->initrd_start, l->initrd_end};
    if (b->c->append)
        hash_add(b->digest, b->c->append, strlen(b->c->append));
    if (!file)
        return fdt_build(&b->board, &chosen, &l->dtb, e);
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

bool boot_place_dtb(struct boot *b, struct err *e)
{
    struct loader *l = b->l;
    const char *name = b->c->dtb ? b->c->dtb : "the device tree";
    uint64_t limit = dtb_limit(b);
    if (l->dtb.len > b->place.ram_size)
        return err_set(e, "%s does not fit: it has %zu bytes, RAM %" PRIu64 " (see -m)", name, l->dtb.len, b->place.ram_size);
    /* Page tables map 2 MiB at a time early in a boot, so a tree has such a block to itself if there is room. */
    l->dtb_start = boot_align_down(limit - l->dtb.len, 2 * MIB);
    if (!is_free(b, l->dtb_start, l->dtb.len))
        l->dtb_start = boot_align_down(limit - l->dtb.len, MEM_PAGE_SIZE);
    if (!is_free(b, l->dtb_start, l->dtb.len))
        return err_set(e, "%s does not fit: the images leave no room for its %zu bytes at the end of RAM, 0x%" PRIx64 " (see -m)",
                       name, l->dtb.len, limit);
    bool ok = mem_write(b->place.mem, l->dtb_start, l->dtb.data, l->dtb.len);
    assert(ok);
    return true;
}

bool loader_boot(const struct loader_config *c, struct loader *out, struct err *e)
{
    *out = (struct loader){0};
    struct boot b = {.c = c, .l = out, .digest = hash_new(), .board = *c->board};
    b.place = (struct image_place){.mem = c->mem,
                                   .ram_base = c->board->ram_base,
                                   .ram_size = c->board->ram_size,
                                   .more_base = c->board->secure_ram_base,
                                   .more_size = c->board->secure_ram_size,
                                   .kind = c->board->kind,
                                   .symbols = &out->symbols};
    bool ok = c->boot(&b, e);
    out->digest = hash_end(b.digest);
    if (!ok)
        loader_free(out);
    return ok;
}

void loader_free(struct loader *l)
{
    buf_free(&l->dtb);
    buf_free(&l->fw_cfg);
    symbols_free(&l->symbols);
    *l = (struct loader){0};
}
