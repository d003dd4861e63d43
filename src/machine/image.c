#include "machine/image.h"
#include "base/bits.h"
#include "base/hash.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define FILE_LIMIT (UINT64_C(4) << 30)

/* Header of a Linux Image (Linux Documentation/arch/riscv/boot-image-header.rst, arch/arm64/booting.rst), offsets in bytes. */
enum { LINUX_TEXT_OFFSET = 8, LINUX_IMAGE_SIZE = 16, LINUX_FLAGS = 24, LINUX_MAGIC2 = 56, LINUX_HEADER = 64 };
#define LINUX_FLAG_BIG_ENDIAN 1u

static uint64_t get_le(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

#define HUGE_PAGE ((size_t)2 << 20)

/* Room for a big file in huge pages of the host, which are quicker to touch for the first time. Without them nothing is lost. */
static void huge(struct buf *out, size_t n)
{
    out->data = aligned_alloc(HUGE_PAGE, n);
    if (!out->data)
        return;
    madvise(out->data, n, MADV_HUGEPAGE);
    out->cap = n;
}

static bool read_all(const char *path, int fd, struct buf *out, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(e, "%s is a directory, not an image", path);
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
        return err_set(e, "%s is neither a file nor a pipe", path);
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > FILE_LIMIT)
        return err_set(e, "%s is too big to be an image: %jd bytes", path, (intmax_t)st.st_size);
    size_t cap = S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : 1 << 20;
    if (cap >= 2 * HUGE_PAGE)
        huge(out, (cap + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    for (;;) {
        if (out->cap == out->len) {
            uint8_t *p = realloc(out->data, out->len + cap);
            if (!p)
                return err_set(e, "%s: no memory to read it", path);
            out->data = p;
            out->cap = out->len + cap;
        }
        ssize_t got = read(fd, out->data + out->len, out->cap - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(e, "%s: %s", path, strerror(errno));
        if (!got)
            break;
        out->len += (size_t)got;
        if (out->len > FILE_LIMIT)
            return err_set(e, "%s is too big to be an image: more than 4 GiB", path);
    }
    return out->len || err_set(e, "%s is empty", path);
}

bool image_no_pipe(const char *path, struct err *e)
{
    struct stat st;
    return stat(path, &st) || !S_ISFIFO(st.st_mode) ||
           err_set(e, "%s is a pipe, which can be read once only: name a regular file", path);
}

bool image_read_file(const char *path, struct buf *out, struct err *e)
{
    *out = (struct buf){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    bool ok = read_all(path, fd, out, e);
    close(fd);
    if (!ok)
        buf_free(out);
    return ok;
}

static bool is_elf(const uint8_t *p, size_t n) { return n >= 4 && !memcmp(p, "\177ELF", 4); }

static bool is_linux_of(const struct cpu_arch *a, const uint8_t *p, size_t n)
{
    return n >= LINUX_MAGIC2 + sizeof a->linux_magic && !memcmp(p + LINUX_MAGIC2, a->linux_magic, sizeof a->linux_magic);
}

static bool is_linux(const uint8_t *p, size_t n)
{
    const struct cpu_arch *a;
    for (unsigned i = 0; (a = cpu_arch_at(i)); i++)
        if (is_linux_of(a, p, n))
            return true;
    return false;
}

const struct cpu_arch *image_arch_of(const uint8_t *p, size_t n)
{
    const struct cpu_arch *a;
    for (unsigned i = 0; (a = cpu_arch_at(i)); i++)
        if (is_linux_of(a, p, n) || (is_elf(p, n) && n >= 20 && get_le(p + 18, 2) == a->elf_machine))
            return a;
    return NULL;
}

enum image_kind image_kind_of(const uint8_t *p, size_t n)
{
    return is_elf(p, n) ? IMAGE_ELF : is_linux(p, n) ? IMAGE_LINUX : IMAGE_RAW;
}

/* ---- unpacking --------------------------------------------------------------------------------------------------------------
 */

static void grow(struct buf *b, uint64_t limit)
{
    uint64_t cap = b->cap ? b->cap * 2 : 1 << 16;
    b->cap = (size_t)(cap > limit + 1 ? limit + 1 : cap);
    b->data = realloc(b->data, b->cap);
    assert(b->data);
}

/* One gzip member after another; what follows the last one is ignored, as gzip(1) does with padding. */
static bool gunzip(const char *name, const uint8_t *p, size_t n, struct buf *out, uint64_t limit, struct err *e)
{
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return err_set(e, "%s: no memory to unpack it", name);
    size_t used = 0;
    int result = Z_OK;
    bool ok = true;
    while (ok) {
        size_t give = n - used < (1u << 30) ? n - used : 1u << 30;
        if (out->len == out->cap)
            grow(out, limit);
        size_t room = out->cap - out->len < (1u << 30) ? out->cap - out->len : 1u << 30;
        z.next_in = (uint8_t *)(uintptr_t)(p + used);
        z.avail_in = (uInt)give;
        z.next_out = out->data + out->len;
        z.avail_out = (uInt)room;
        result = inflate(&z, Z_NO_FLUSH);
        used += give - z.avail_in;
        out->len += room - z.avail_out;
        if (out->len > limit)
            ok = err_set(e, "%s unpacks to more than the %" PRIu64 " MiB of RAM", name, limit >> 20);
        else if (result == Z_STREAM_END && n - used >= 2 && p[used] == 0x1f && p[used + 1] == 0x8b)
            result = inflateReset(&z);
        else if (result == Z_STREAM_END)
            break;
        else if (result == Z_BUF_ERROR && used == n)
            ok = err_set(e, "%s: the gzip data ends early", name);
        else if (result != Z_OK && result != Z_BUF_ERROR)
            ok = err_set(e, "%s: the gzip data is damaged (%s)", name, z.msg ? z.msg : "bad stream");
    }
    inflateEnd(&z);
    return ok;
}

static bool unzstd(const char *name, const uint8_t *p, size_t n, struct buf *out, uint64_t limit, struct err *e)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    assert(z);
    ZSTD_inBuffer in = {p, n, 0};
    bool ok = true;
    for (size_t left = 1; ok && left;) {
        if (out->len == out->cap)
            grow(out, limit);
        ZSTD_outBuffer to = {out->data, out->cap, out->len};
        left = ZSTD_decompressStream(z, &to, &in);
        bool stuck = in.pos == n && to.pos == out->len && left;
        out->len = to.pos;
        if (ZSTD_isError(left))
            ok = err_set(e, "%s: the zstd data is damaged (%s)", name, ZSTD_getErrorName(left));
        else if (out->len > limit)
            ok = err_set(e, "%s unpacks to more than the %" PRIu64 " MiB of RAM", name, limit >> 20);
        else if (stuck)
            ok = err_set(e, "%s: the zstd data ends early", name);
    }
    ZSTD_freeDStream(z);
    return ok;
}

/* EFI zboot (Linux drivers/firmware/efi/libstub/zboot-header.S): "MZ", "zimg" at 4, offset and size of the payload, its format's
 * name. */
static bool unpack_zboot(const char *name, struct buf *b, struct buf *out, uint64_t limit, struct err *e)
{
    enum { ZBOOT_OFFSET = 8, ZBOOT_SIZE = 12, ZBOOT_FORMAT = 24, ZBOOT_FORMAT_LEN = 32 };
    uint64_t at = get_le(b->data + ZBOOT_OFFSET, 4), size = get_le(b->data + ZBOOT_SIZE, 4);
    char format[ZBOOT_FORMAT_LEN + 1] = "";
    memcpy(format, b->data + ZBOOT_FORMAT, ZBOOT_FORMAT_LEN);
    for (char *c = format; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    if (at > b->len || size > b->len - at)
        return err_set(e, "%s is a truncated EFI zboot image: its payload ends at byte %" PRIu64 ", the file at %zu", name,
                       at + size, b->len);
    if (!strcmp(format, "gzip"))
        return gunzip(name, b->data + at, size, out, limit, e);
    if (!strncmp(format, "zstd", 4))
        return unzstd(name, b->data + at, size, out, limit, e);
    return err_set(e, "%s is an EFI zboot image packed with '%s'; only gzip and zstd are known", name, format);
}

bool image_unpack(const char *name, struct buf *bytes, uint64_t limit, struct err *e)
{
    struct buf out = {0};
    bool ok = true;
    if (bytes->len >= 2 && bytes->data[0] == 0x1f && bytes->data[1] == 0x8b)
        ok = gunzip(name, bytes->data, bytes->len, &out, limit, e);
    else if (bytes->len >= 64 && !memcmp(bytes->data, "MZ", 2) && !memcmp(bytes->data + 4, "zimg", 4))
        ok = unpack_zboot(name, bytes, &out, limit, e);
    else
        return true;
    if (ok && !out.len)
        ok = err_set(e, "%s unpacks to nothing", name);
    if (ok) {
        buf_free(bytes);
        *bytes = out;
    } else {
        buf_free(&out);
    }
    return ok;
}

/* ---- placing ------------------------------------------------------------------------------------------------------------------
 */

bool image_zero(struct mem *m, uint64_t pa, uint64_t n)
{
    static const uint8_t zero[MEM_PAGE_SIZE];
    if (n && !mem_is_ram(m, pa, n))
        return false;
    while (n) {
        uint64_t part = MEM_PAGE_SIZE - (pa & (MEM_PAGE_SIZE - 1));
        part = part < n ? part : n;
        const uint8_t *page = mem_page_read(m, pa);
        if (!page || memcmp(page + (pa & (MEM_PAGE_SIZE - 1)), zero, part))
            mem_write(m, pa, zero, part);
        pa += part;
        n -= part;
    }
    return true;
}

static bool fits(const char *name, const char *what, const struct image_place *p, uint64_t at, uint64_t n, struct err *e)
{
    uint64_t end = p->ram_base + p->ram_size;
    if (at >= p->ram_base && at <= end && n <= end - at)
        return true;
    return err_set(e,
                   "%s does not fit: %s needs 0x%" PRIx64 " bytes from 0x%" PRIx64 ", RAM is 0x%" PRIx64 "..0x%" PRIx64
                   " (%" PRIu64 " MiB; see -m)",
                   name, what, n, at, p->ram_base, end, p->ram_size >> 20);
}

/* Kernels for other machines that are often at hand, by their own magic numbers. */
const char *image_foreign(const struct cpu_arch *arch, const uint8_t *p, size_t n)
{
    static const struct {
        uint16_t machine, elf; /* as in PE and in ELF images */
        const char *name;
    } pe[] = {
        {0xaa64, 183, "an AArch64 EFI image"}, {0x8664, 62, "an x86-64 EFI image"},    {0x014c, 3, "an x86 EFI image"},
        {0x01c2, 40, "an Arm EFI image"},      {0x6264, 258, "a LoongArch EFI image"}, {0x5064, 243, "a RISC-V EFI image"},
    };
    static const struct {
        char magic[4];
        uint16_t elf;
        const char *name;
    } kernels[] = {{"ARM\x64", 183, "an AArch64 Linux image"}, {"RSC\005", 243, "a RISC-V Linux image"}};
    for (size_t i = 0; i < ARRAY_LEN(kernels); i++)
        if (n >= 64 && !memcmp(p + LINUX_MAGIC2, kernels[i].magic, 4))
            return kernels[i].elf == arch->elf_machine ? NULL : kernels[i].name;
    if (n >= 0x206 && !memcmp(p + 0x202, "HdrS", 4))
        return "an x86 Linux image";
    if (n >= 64 && !memcmp(p, "MZ", 2)) {
        uint64_t at = get_le(p + 0x3c, 4);
        if (at < n && n - at >= 6 && !memcmp(p + at, "PE\0\0", 4))
            for (size_t i = 0; i < ARRAY_LEN(pe); i++)
                if (get_le(p + at + 4, 2) == pe[i].machine && pe[i].elf != arch->elf_machine)
                    return pe[i].name;
    }
    return NULL;
}

/* How many bytes a Linux image must have: its header, and of one with a PE header that, its section table and the sections (PE
   Format, "Section Table"). Where a header is cut off, up to its end. */
static uint64_t linux_least(const uint8_t *p, size_t n)
{
    enum { COFF = 24, SECTION = 40 };
    if (n < LINUX_HEADER || memcmp(p, "MZ", 2))
        return LINUX_HEADER;
    uint64_t at = get_le(p + 0x3c, 4), end = LINUX_HEADER;
    if (at > n || n - at < COFF)
        return at + COFF;
    if (memcmp(p + at, "PE\0\0", 4))
        return end;
    uint64_t sections = get_le(p + at + 6, 2);
    at += COFF + get_le(p + at + 20, 2);
    for (; sections; sections--, at += SECTION) {
        if (at > n || n - at < SECTION)
            return at + sections * SECTION;
        uint64_t size = get_le(p + at + 16, 4), last = size + get_le(p + at + 20, 4); /* SizeOfRawData, PointerToRawData */
        end = size && last > end ? last : end; /* without bytes in the file the place means nothing */
    }
    return end;
}

static bool load_linux(const char *name, const struct buf *b, const struct image_place *p, struct image *out, struct err *e)
{
    uint64_t least = linux_least(b->data, b->len);
    if (b->len < least)
        return err_set(e, "%s is a truncated Linux image: its headers and sections take %" PRIu64 " bytes, the file has %zu",
                       name, least, b->len);
    uint64_t offset = get_le(b->data + LINUX_TEXT_OFFSET, 8), size = get_le(b->data + LINUX_IMAGE_SIZE, 8);
    if (get_le(b->data + LINUX_FLAGS, 8) & LINUX_FLAG_BIG_ENDIAN)
        return err_set(e, "%s is a big-endian Linux image; the cpu is little-endian", name);
    if (size < b->len)
        size = b->len; /* bytes behind the image (a signature, padding) come along */
    /* text_offset counts from a 2 MiB boundary (RV32: 4 MiB), and the kernel takes what lies below its start for its own. */
    uint64_t align = p->kind->bits == 32 ? UINT64_C(4) << 20 : UINT64_C(2) << 20;
    if (offset > p->ram_size)
        return err_set(e, "%s: its header's text_offset 0x%" PRIx64 " is beyond the %" PRIu64 " MiB of RAM", name, offset,
                       p->ram_size >> 20);
    uint64_t at = (p->address + align - 1) / align * align;
    if (at < p->ram_base + offset)
        at = p->ram_base + offset;
    if (!fits(name, "the Linux image", p, at, size, e))
        return false;
    bool ok = mem_write(p->mem, at, b->data, b->len);
    assert(ok);
    image_zero(p->mem, at + b->len, size - b->len);
    *out = (struct image){.kind = IMAGE_LINUX, .start = at, .end = at + size, .entry = at};
    return true;
}

bool image_load(const char *name, struct buf *bytes, const struct image_place *place, struct image *out, struct err *e)
{
    *out = (struct image){0};
    if (!bytes->len)
        return err_set(e, "%s is empty", name);
    uint64_t digest = hash_bytes(bytes->data, bytes->len);
    const uint8_t *as_read = bytes->data;
    /* Symbols and debugging information of an ELF image do not go into RAM: leave room for them. */
    if (!image_unpack(name, bytes, place->ram_size + (UINT64_C(1) << 30), e))
        return false;
    const char *other = image_foreign(place->kind->arch, bytes->data, bytes->len);
    if (other)
        return err_set(e, "%s is %s; this machine is %s", name, other, place->kind->arch->title);
    if (is_elf(bytes->data, bytes->len)) {
        if (!image_load_elf(name, bytes, place, out, e))
            return false;
    } else if (is_linux_of(place->kind->arch, bytes->data, bytes->len)) {
        if (!load_linux(name, bytes, place, out, e))
            return false;
    } else {
        if (!fits(name, "the raw image", place, place->address, bytes->len, e))
            return false;
        bool ok = mem_write(place->mem, place->address, bytes->data, bytes->len);
        assert(ok);
        *out = (struct image){
            .kind = IMAGE_RAW, .start = place->address, .end = place->address + bytes->len, .entry = place->address};
    }
    out->digest = digest;
    out->verbatim = out->kind != IMAGE_ELF && bytes->data == as_read ? bytes->len : 0;
    return true;
}
