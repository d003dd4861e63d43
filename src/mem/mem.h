/*
 * Guest physical memory and the bus.
 *
 * RAM is made of 4 KiB pages that are shared between forks of a machine until one of them writes (copy-on-write, reference
 * counted). Everything else is a region with read and write functions. Addresses are guest physical, sizes are bytes; data is
 * little-endian. One machine is used from one host thread; different forks may be used from different threads.
 */
#ifndef TL_MEM_MEM_H
#define TL_MEM_MEM_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_PAGE_SHIFT 12
#define MEM_PAGE_SIZE  (1u << MEM_PAGE_SHIFT)

struct mem;

/* Page flags: why a store to this RAM page must not go through a cached translation. Kept per machine, they are a cache. */
enum {
    MEM_CODE = 1,   /* decoded */
    MEM_PTE = 2,    /* page-table entries that cached translations came from */
    MEM_WATCH = 4,  /* a reservation of another hart, or a watchpoint */
    MEM_SHARED = 8, /* a cached translation may read the page while it is shared with a fork */
    MEM_TABLES = 16 /* with MEM_PTE: not all of those entries were last-level ones of a translation of one stage */
};

/* A region that is not RAM. size is 1, 2, 4 or 8; off is relative to the region. Return false for an access fault. */
struct mem_io {
    bool (*read)(void *ctx, uint64_t off, unsigned size, uint64_t *value);
    bool (*write)(void *ctx, uint64_t off, unsigned size, uint64_t value);
    void *ctx;
};

struct mem *mem_new(void);
void mem_free(struct mem *m);

/* A copy-on-write copy: RAM is shared, regions are the same with their ctx still the original's (see mem_set_io). Page flags
   start at 0 and the callbacks unset. Host addresses from mem_page_write(m) are no longer good for writing: m's own pages are
   shared from here on. */
struct mem *mem_fork(struct mem *m);

/* Makes m's RAM equal to `from`, of which it was forked (or to which it was last restored): touches only pages that differ, and
   calls m's mem_changed_fn for each of them. As after a fork, `from` has no pages of its own afterwards: writes to it need
   mem_page_write again. */
void mem_restore(struct mem *m, struct mem *from);

/* The same by copying the pages that differ, so that both keep the pages they have: what is cached of m's and `from`'s addresses
   stays right. For machines that go back again and again to states with few pages between them. False, with m in neither state,
   if more than `most` pages differ. */
bool mem_rewind(struct mem *m, struct mem *from, unsigned most);

/* Calls fn for each page of RAM that a and b, forks of each other, do not share; their bytes may be the same. Ascending; stops
   when fn returns false. */
typedef bool mem_pair_fn(void *ctx, uint64_t pa, const uint8_t *a, const uint8_t *b);
void mem_pairs(struct mem *a, struct mem *b, mem_pair_fn *fn, void *ctx);

/* The same, but ROMs with functions (flash) keep what they hold: what a reset of the guest does to memory. */
void mem_restore_ram(struct mem *m, struct mem *from);

/* base and size are multiples of 4 KiB. rom: guest stores are ignored by hart accesses (access fault). */
bool mem_add_ram(struct mem *m, const char *name, uint64_t base, uint64_t size, bool rom, struct err *e);
bool mem_add_io(struct mem *m, const char *name, uint64_t base, uint64_t size, struct mem_io io, struct err *e);
/* Replaces the functions of the region that starts at base (after a fork). A ROM has none until it gets some here: from then on
   its stores go to them, and its loads while it is off. */
void mem_set_io(struct mem *m, uint64_t base, struct mem_io io);
/* Turns the ROM with functions that starts at base off: guest loads go to its functions, as all stores do; or on again. The
   caller drops cached translations. mem_read and mem_write reach its bytes always. False: nothing changed. */
bool mem_rom_on(struct mem *m, uint64_t base, bool on);

/* The host address of the 4 KiB page that holds pa, for reading; NULL if it is not RAM. Valid until the next write to the page.
 */
const uint8_t *mem_page_read(struct mem *m, uint64_t pa);
/* True if the page is this machine's own, so that mem_page_write would return the address mem_page_read does. */
bool mem_page_private(struct mem *m, uint64_t pa);
/* The same for writing: the page is made private first. NULL if it is not writable RAM. */
uint8_t *mem_page_write(struct mem *m, uint64_t pa);
/* The flag byte of the page that holds pa (RAM only, else NULL). */
uint8_t *mem_page_flags(struct mem *m, uint64_t pa);

/* mem_page_read and mem_page_flags at once. False, with *v untouched: it is not RAM. */
struct mem_view {
    const uint8_t *host;
    uint8_t *flags;
};
bool mem_look(struct mem *m, uint64_t pa, struct mem_view *v);

/*
 * Tags: four bits for each granule of 16 bytes of RAM, beside its bytes (Arm ARM D10, "allocation tags"). They are kept in pages
 * of their own, made when a tag that is not 0 is first stored, and are part of what mem_fork, mem_restore, mem_rewind, mem_pairs,
 * mem_visit and mem_clear are about: those tell of a page of tags at the address of the first of the 128 KiB of RAM it belongs
 * to, | MEM_TAGS. No other function reaches them, so no device and no guest address does.
 */
#define MEM_GRANULE_SHIFT 4
#define MEM_TAGS          (UINT64_C(1) << 63)
/* Gives tags, all 0, to the RAM that begins at base. */
void mem_add_tags(struct mem *m, uint64_t base);
/* The tag of the granule that holds pa, 0 to 15; -1 where there are none. */
int mem_tag(struct mem *m, uint64_t pa);
/* Sets it; nothing where there are none. */
void mem_set_tag(struct mem *m, uint64_t pa, unsigned tag);
/* Makes a page what mem_visit told of: 4 KiB at pa. False: there is no such RAM and no such tags. */
bool mem_put_page(struct mem *m, uint64_t pa, const uint8_t *page);

/* Called after any write that did not come from a hart's own store path (loader, DMA, debugger): caches over [pa, pa+n) go. */
typedef void mem_changed_fn(void *ctx, uint64_t pa, uint64_t n);
void mem_set_changed(struct mem *m, mem_changed_fn *fn, void *ctx);

/* Copies between host memory and RAM (a ROM is writable here). False, with nothing copied, if any byte is not RAM. */
bool mem_read(struct mem *m, uint64_t pa, void *p, uint64_t n);
bool mem_write(struct mem *m, uint64_t pa, const void *p, uint64_t n);

/* One access to a region that is not RAM. False: nothing is there, or the device refused: an access fault. */
bool mem_io_read(struct mem *m, uint64_t pa, unsigned size, uint64_t *value);
bool mem_io_write(struct mem *m, uint64_t pa, unsigned size, uint64_t value);

/* True if all of [pa, pa+n) is RAM. */
bool mem_is_ram(struct mem *m, uint64_t pa, uint64_t n);

/* Forgets every RAM page: all of RAM reads as zeros. Calls no callback. */
void mem_clear(struct mem *m);

/* Forgets the RAM pages that lie wholly in [pa, pa+n): they read as zeros. Calls no callback. */
void mem_drop(struct mem *m, uint64_t pa, uint64_t n);

/* Visits each RAM page that is not all zero, ascending. For snapshots and digests. */
typedef void mem_visit_fn(void *ctx, uint64_t pa, const uint8_t *page);
void mem_visit(struct mem *m, mem_visit_fn *fn, void *ctx);

/* Host pages held by this machine (shared ones counted too), in pages. */
uint64_t mem_pages_held(struct mem *m);
#endif
