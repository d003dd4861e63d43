/*
 * Images: recognises the bytes of a file and puts them into guest RAM.
 *
 * Knows ELF32/64, the Linux Image of RISC-V and arm64 (which is also its EFI application), both compressed with gzip or wrapped
 * as an EFI zboot application, and raw bytes. Every failure is a sentence that names the file and the reason; nothing is written
 * to guest memory before the whole image has been checked.
 */
#ifndef TL_MACHINE_IMAGE_H
#define TL_MACHINE_IMAGE_H
#include "base/buf.h"
#include "base/err.h"
#include "cpu/arch.h"
#include "machine/symbols.h"
#include "mem/mem.h"

enum image_kind { IMAGE_ELF, IMAGE_LINUX, IMAGE_RAW };

/* Where images may go. */
struct image_place {
    struct mem *mem;
    uint64_t ram_base, ram_size;
    uint64_t more_base, more_size; /* memory besides RAM that an ELF image may lie in; size 0: none */
    const struct cpu_kind *kind;   /* for what cpu they are to be */
    uint64_t address;        /* where an image goes that does not say so itself (raw, Linux Image, position-independent ELF) */
    struct symbols *symbols; /* ELF symbols are added here; NULL: not wanted */
};

struct image {
    enum image_kind kind;
    uint64_t start, end; /* physical range it occupies while running, end exclusive */
    uint64_t entry;      /* physical address of its first instruction */
    uint64_t digest;     /* of the file's bytes */
    uint64_t verbatim;   /* so many bytes from start on are the whole file as it was read; 0: it was unpacked or taken apart */
};

/* Reads a whole file (regular or a pipe, at most 4 GiB) into out, which is empty on failure. An empty file is a failure. */
bool image_read_file(const char *path, struct buf *out, struct err *e);
/* False with a sentence if path is a pipe: for what is read more than once. */
bool image_no_pipe(const char *path, struct err *e);

/* The architecture of an ELF or Linux image, after unpacking; NULL: unknown. */
const struct cpu_arch *image_arch_of(const uint8_t *p, size_t n);
/* What the bytes are, after unpacking. IMAGE_RAW if nothing is recognised. */
enum image_kind image_kind_of(const uint8_t *p, size_t n);

/* The name of what the bytes are, after unpacking, if that is nothing for cpus of this architecture ("an x86 Linux image"); NULL:
   nothing else is recognised. */
const char *image_foreign(const struct cpu_arch *arch, const uint8_t *p, size_t n);

/* Replaces gzip data or an EFI zboot application by what it holds; other bytes stay. limit: most bytes it may become. */
bool image_unpack(const char *name, struct buf *bytes, uint64_t limit, struct err *e);

/* Loads the bytes of the file called name; packed bytes are replaced by what they hold. On failure no guest memory was written.
 */
bool image_load(const char *name, struct buf *bytes, const struct image_place *place, struct image *out, struct err *e);

/* Checks and loads an ELF image: the part of image_load that knows ELF (System V ABI, RISC-V ELF psABI). */
bool image_load_elf(const char *name, const struct buf *bytes, const struct image_place *place, struct image *out, struct err *e);

/* Zeroes RAM without making pages that are zero already. */
bool image_zero(struct mem *m, uint64_t pa, uint64_t n);
#endif
