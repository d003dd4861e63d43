/*
 * The disk behind a block device: a file that is only read, and pages in memory with what the guest wrote over it.
 *
 * The file's contents are an input of the run, so the file must not change while a machine uses it. disk_commit puts what was
 * written into the file when the user asked for that (write=on). A fork shares the file and, copy-on-write, the pages.
 */
#ifndef TL_MACHINE_DISK_H
#define TL_MACHINE_DISK_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* Opens what a -drive option says: a path, or "file=PATH,readonly=on,write=on" with if=virtio, format=raw, id, index and media
   accepted
   ("," in a path is written ",,"). NULL with a sentence on a bad option or file. */
struct disk *disk_open(const char *option, struct err *e);
/* Whether a -drive option is of a flash bank (if=pflash). Then *path is a new string, and *unit the bank asked for, or 2: any; or
 *path is NULL, and there is a sentence. */
bool disk_is_flash(const char *option, char **path, unsigned *unit, struct err *e);
struct disk *disk_fork(struct disk *d);
void disk_free(struct disk *d);
/* Makes d equal to `from`, of which it is a fork. */
void disk_restore(struct disk *d, const struct disk *from);
/* Forgets what was written. */
void disk_reset(struct disk *d);

uint64_t disk_size(const struct disk *d); /* bytes */
bool disk_readonly(const struct disk *d);
const char *disk_path(const struct disk *d);
bool disk_read(struct disk *d, uint64_t off, void *p, size_t n);
bool disk_write(struct disk *d, uint64_t off, const void *p, size_t n);

/* Visits each 4 KiB page that was written, ascending. */
void disk_visit(const struct disk *d, void (*fn)(void *ctx, uint64_t off, const uint8_t *page), void *ctx);
/* Writes the written pages into the file if write=on. */
bool disk_commit(struct disk *d, struct err *e);
#endif
