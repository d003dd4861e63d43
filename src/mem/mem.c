#include "mem/mem.h"
#include "base/bits.h"
#include "mem/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A page of tags: those of 128 KiB. */
#define TAG_PAGE_SHIFT (MEM_PAGE_SHIFT + MEM_GRANULE_SHIFT + 1)

struct ram {
    const char *name;
    uint64_t base, size;
    unsigned shift; /* log2 of the bytes of addresses that a page of the tree stands for: more for tags */
    bool rom, off;  /* off: mem_rom_on */
    struct mem_io fn;
    struct tree tree;
    uint8_t *flags; /* a cache: allocated when first asked for */
};

struct io {
    const char *name;
    uint64_t base, size;
    struct mem_io fn;
};

struct mem {
    struct ram *ram; /* ascending; behind them the tags of RAM, whose base is that of the RAM | MEM_TAGS */
    struct io *io;   /* ascending */
    unsigned rams, tagged, ios;
    struct ram *hot; /* where the last search ended, or NULL */
    unsigned last_io;
    struct pool *pool;
    struct spare spare;
    mem_changed_fn *changed;
    void *changed_ctx;
};

/* What pages nobody wrote read as. */
static const uint8_t zero_page[MEM_PAGE_SIZE] __attribute__((aligned(MEM_PAGE_SIZE)));

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

struct mem *mem_new(void)
{
    struct mem *m = must(calloc(1, sizeof *m));
    m->pool = pool_new();
    return m;
}

/* Zeroed bytes that cost nothing until touched. */
static uint8_t *lazy_bytes(size_t n)
{
    uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return must(p == MAP_FAILED ? NULL : p);
}

/* What holds pages: RAM and tags. */
static unsigned trees(const struct mem *m) { return m->rams + m->tagged; }

static uint64_t page_address(const struct ram *r, uint64_t n) { return r->base + (n << r->shift); }

static uint64_t pages_of(const struct ram *r) { return (r->size + (UINT64_C(1) << r->shift) - 1) >> r->shift; }

static size_t flags_size(const struct ram *r) { return r->size >> MEM_PAGE_SHIFT; }

void mem_free(struct mem *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < trees(m); i++) {
        struct ram *r = &m->ram[i];
        tree_free(&r->tree, m->pool, &m->spare);
        if (r->flags)
            munmap(r->flags, flags_size(r));
    }
    spare_free(&m->spare, m->pool);
    pool_put(m->pool);
    free(m->ram);
    free(m->io);
    free(m);
}

struct mem *mem_fork(struct mem *m)
{
    struct mem *f = must(malloc(sizeof *f));
    *f = *m;
    f->pool = pool_get(m->pool);
    f->spare = (struct spare){0};
    f->changed = NULL;
    f->hot = NULL;
    f->ram = must(malloc(trees(m) * sizeof *f->ram + 1));
    f->io = must(malloc(m->ios * sizeof *f->io + 1));
    if (m->ios)
        memcpy(f->io, m->io, m->ios * sizeof *f->io);
    for (unsigned i = 0; i < trees(m); i++) {
        f->ram[i] = m->ram[i];
        f->ram[i].flags = NULL;
        tree_share(&f->ram[i].tree, &m->ram[i].tree);
    }
    return f;
}

struct restore {
    struct mem *m;
    const struct ram *r;
};

/* Nothing caches tags. */
static bool tells(const struct restore *x) { return x->m->changed && !(x->r->base & MEM_TAGS); }

static void restored(void *ctx, uint64_t n)
{
    struct restore *x = ctx;
    if (tells(x))
        x->m->changed(x->m->changed_ctx, page_address(x->r, n), MEM_PAGE_SIZE);
}

static void restore_one(struct mem *m, struct mem *from, unsigned i)
{
    struct restore x = {m, &m->ram[i]};
    tree_restore(&m->ram[i].tree, &from->ram[i].tree, m->pool, &m->spare, restored, &x);
}

void mem_restore(struct mem *m, struct mem *from)
{
    for (unsigned i = 0; i < trees(m); i++) {
        restore_one(m, from, i);
        m->ram[i].off = from->ram[i].off;
    }
}

struct pairs {
    const struct ram *r;
    mem_pair_fn *fn;
    void *ctx;
};

static bool pair(void *ctx, uint64_t n, const uint8_t *a, const uint8_t *b)
{
    const struct pairs *x = ctx;
    return x->fn(x->ctx, page_address(x->r, n), a ? a : zero_page, b ? b : zero_page);
}

void mem_pairs(struct mem *a, struct mem *b, mem_pair_fn *fn, void *ctx)
{
    bool on = true;
    for (unsigned i = 0; on && i < trees(a); i++) {
        struct pairs x = {&a->ram[i], fn, ctx};
        on = tree_pairs(&a->ram[i].tree, &b->ram[i].tree, pair, &x);
    }
}

/* Makes the page equal to `from` and tells of what changed in it, word by word. */
static void copy_words(struct restore *x, uint64_t pa, uint8_t *page, const uint8_t *from)
{
    if (!memcmp(page, from, MEM_PAGE_SIZE))
        return;
    for (unsigned i = 0; i < MEM_PAGE_SIZE; i += 8) {
        if (!memcmp(page + i, from + i, 8))
            continue;
        memcpy(page + i, from + i, 8);
        x->m->changed(x->m->changed_ctx, pa + i, 8);
    }
}

/* A page that is only data needs no telling, as long as it is where it was. */
static void copied(void *ctx, uint64_t n, uint8_t *page, const uint8_t *from, bool moved)
{
    struct restore *x = ctx;
    uint64_t pa = page_address(x->r, n);
    uint8_t flags = x->r->flags ? x->r->flags[n] : 0;
    if (!moved && (flags & (MEM_CODE | MEM_PTE | MEM_WATCH)) && x->m->changed) {
        copy_words(x, pa, page, from);
        return;
    }
    memcpy(page, from, MEM_PAGE_SIZE);
    if (moved && tells(x))
        x->m->changed(x->m->changed_ctx, pa, MEM_PAGE_SIZE);
}

bool mem_rewind(struct mem *m, struct mem *from, unsigned most)
{
    for (unsigned i = 0; i < trees(m); i++) {
        struct restore x = {m, &m->ram[i]};
        if (!tree_copy(&m->ram[i].tree, &from->ram[i].tree, m->pool, &m->spare, most, copied, &x))
            return false;
    }
    return true;
}

void mem_restore_ram(struct mem *m, struct mem *from)
{
    for (unsigned i = 0; i < trees(m); i++)
        if (!m->ram[i].fn.write)
            restore_one(m, from, i);
}

/* ---- regions
 * ---------------------------------------------------------------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t an, uint64_t b, uint64_t bn) { return a < b + bn && b < a + an; }

/* Whether a new region fits; says why not. */
static bool region_ok(const struct mem *m, const char *name, uint64_t base, uint64_t size, struct err *e)
{
    if (!size || ((base | size) & (MEM_PAGE_SIZE - 1)))
        return err_set(e, "%s at 0x%llx, size 0x%llx: base and size must be multiples of 4 KiB and the size not 0", name,
                       (unsigned long long)base, (unsigned long long)size);
    if (base + size < base)
        return err_set(e, "%s at 0x%llx, size 0x%llx does not fit the address space", name, (unsigned long long)base,
                       (unsigned long long)size);
    const char *other = NULL;
    for (unsigned i = 0; i < m->rams; i++)
        if (overlap(base, size, m->ram[i].base, m->ram[i].size))
            other = m->ram[i].name;
    for (unsigned i = 0; i < m->ios; i++)
        if (overlap(base, size, m->io[i].base, m->io[i].size))
            other = m->io[i].name;
    if (other)
        return err_set(e, "%s at 0x%llx, size 0x%llx overlaps %s", name, (unsigned long long)base, (unsigned long long)size,
                       other);
    return true;
}

/* Puts r among the first `n`, which ascend. */
static void insert(struct mem *m, unsigned n, const struct ram *r)
{
    m->ram = must(realloc(m->ram, (trees(m) + 1) * sizeof *m->ram));
    m->hot = NULL;
    memmove(m->ram + n + 1, m->ram + n, (trees(m) - n) * sizeof *m->ram);
    for (; n && m->ram[n - 1].base > r->base; n--)
        m->ram[n] = m->ram[n - 1];
    m->ram[n] = *r;
    tree_init(&m->ram[n].tree, pages_of(r));
}

bool mem_add_ram(struct mem *m, const char *name, uint64_t base, uint64_t size, bool rom, struct err *e)
{
    if (!region_ok(m, name, base, size, e))
        return false;
    struct ram r = {.name = name, .base = base, .size = size, .shift = MEM_PAGE_SHIFT, .rom = rom};
    insert(m, m->rams, &r);
    m->rams++;
    return true;
}

bool mem_add_io(struct mem *m, const char *name, uint64_t base, uint64_t size, struct mem_io fn, struct err *e)
{
    if (!region_ok(m, name, base, size, e))
        return false;
    m->io = must(realloc(m->io, (m->ios + 1) * sizeof *m->io));
    unsigned at = m->ios++;
    for (; at && m->io[at - 1].base > base; at--)
        m->io[at] = m->io[at - 1];
    m->io[at] = (struct io){.name = name, .base = base, .size = size, .fn = fn};
    return true;
}

static __attribute__((noinline)) struct ram *search_ram(struct mem *m, uint64_t pa)
{
    for (unsigned i = 0; i < m->rams; i++)
        if (pa - m->ram[i].base < m->ram[i].size) {
            m->hot = &m->ram[i];
            return m->hot;
        }
    return NULL;
}

static inline struct ram *find_ram(struct mem *m, uint64_t pa)
{
    struct ram *r = m->hot;
    return likely(r && pa - r->base < r->size) ? r : search_ram(m, pa);
}

void mem_add_tags(struct mem *m, uint64_t base)
{
    const struct ram *of = find_ram(m, base);
    assert(of && of->base == base);
    struct ram r = {.name = of->name, .base = base | MEM_TAGS, .size = of->size, .shift = TAG_PAGE_SHIFT};
    insert(m, trees(m), &r);
    m->tagged++;
}

static struct io *find_io(struct mem *m, uint64_t pa)
{
    if (unlikely(!m->ios))
        return NULL;
    struct io *r = &m->io[m->last_io];
    if (likely(pa - r->base < r->size))
        return r;
    unsigned lo = 0, hi = m->ios;
    while (hi - lo > 1) {
        unsigned mid = (lo + hi) / 2;
        if (m->io[mid].base <= pa)
            lo = mid;
        else
            hi = mid;
    }
    if (pa - m->io[lo].base >= m->io[lo].size)
        return NULL;
    m->last_io = lo;
    return &m->io[lo];
}

void mem_set_io(struct mem *m, uint64_t base, struct mem_io fn)
{
    struct io *r = find_io(m, base);
    struct ram *rom = find_ram(m, base);
    if (r && r->base == base)
        r->fn = fn;
    else if (rom && rom->base == base && rom->rom)
        rom->fn = fn;
}

bool mem_rom_on(struct mem *m, uint64_t base, bool on)
{
    struct ram *r = find_ram(m, base);
    if (!r || r->base != base || r->off == !on)
        return false;
    r->off = !on;
    return true;
}

void mem_set_changed(struct mem *m, mem_changed_fn *fn, void *ctx)
{
    m->changed = fn;
    m->changed_ctx = ctx;
}

/* ---- pages
 * ------------------------------------------------------------------------------------------------------------------------ */

const uint8_t *mem_page_read(struct mem *m, uint64_t pa)
{
    struct ram *r = find_ram(m, pa);
    if (unlikely(!r || r->off))
        return NULL;
    const uint8_t *page = tree_page(&r->tree, (pa - r->base) >> MEM_PAGE_SHIFT);
    return page ? page : zero_page;
}

bool mem_page_private(struct mem *m, uint64_t pa)
{
    struct ram *r = find_ram(m, pa);
    return r && !r->rom && tree_owns(&r->tree, (pa - r->base) >> MEM_PAGE_SHIFT);
}

static uint8_t *own_page(struct mem *m, struct ram *r, uint64_t pa)
{
    return tree_own(&r->tree, (pa - r->base) >> MEM_PAGE_SHIFT, m->pool, &m->spare);
}

uint8_t *mem_page_write(struct mem *m, uint64_t pa)
{
    struct ram *r = find_ram(m, pa);
    return unlikely(!r || r->rom) ? NULL : own_page(m, r, pa);
}

uint8_t *mem_page_flags(struct mem *m, uint64_t pa)
{
    struct ram *r = find_ram(m, pa);
    if (unlikely(!r))
        return NULL;
    if (unlikely(!r->flags))
        r->flags = lazy_bytes(flags_size(r));
    return &r->flags[(pa - r->base) >> MEM_PAGE_SHIFT];
}

bool mem_look(struct mem *m, uint64_t pa, struct mem_view *v)
{
    struct ram *r = find_ram(m, pa);
    if (unlikely(!r || r->off))
        return false;
    uint64_t n = (pa - r->base) >> MEM_PAGE_SHIFT;
    const uint8_t *page = tree_page(&r->tree, n);
    if (unlikely(!r->flags))
        r->flags = lazy_bytes(flags_size(r));
    v->host = page ? page : zero_page;
    v->flags = &r->flags[n];
    return true;
}

bool mem_is_ram(struct mem *m, uint64_t pa, uint64_t n)
{
    if (n && pa + (n - 1) < pa)
        return false;
    while (n) {
        struct ram *r = find_ram(m, pa);
        if (!r)
            return false;
        uint64_t here = r->size - (pa - r->base);
        if (here >= n)
            return true;
        pa += here;
        n -= here;
    }
    return true;
}

static uint64_t in_page(uint64_t pa, uint64_t n)
{
    uint64_t here = MEM_PAGE_SIZE - (pa & (MEM_PAGE_SIZE - 1));
    return here < n ? here : n;
}

bool mem_read(struct mem *m, uint64_t pa, void *p, uint64_t n)
{
    if (!mem_is_ram(m, pa, n))
        return false;
    uint8_t *out = p;
    for (uint64_t here; n; pa += here, out += here, n -= here) {
        struct ram *r = find_ram(m, pa);
        const uint8_t *page = tree_page(&r->tree, (pa - r->base) >> MEM_PAGE_SHIFT);
        here = in_page(pa, n);
        memcpy(out, (page ? page : zero_page) + (pa & (MEM_PAGE_SIZE - 1)), here);
    }
    return true;
}

bool mem_write(struct mem *m, uint64_t pa, const void *p, uint64_t n)
{
    if (!mem_is_ram(m, pa, n))
        return false;
    const uint8_t *in = p;
    uint64_t at = pa, left = n;
    for (uint64_t here; left; at += here, in += here, left -= here) {
        here = in_page(at, left);
        memcpy(own_page(m, find_ram(m, at), at) + (at & (MEM_PAGE_SIZE - 1)), in, here);
    }
    if (n && m->changed)
        m->changed(m->changed_ctx, pa, n);
    return true;
}

/* ---- tags
 * ------------------------------------------------------------------------------------------------------------------------- */

/* The tags of RAM at pa, or NULL if it has none. */
static struct ram *find_tags(struct mem *m, uint64_t pa)
{
    for (unsigned i = m->rams; i < trees(m); i++)
        if (pa - (m->ram[i].base & ~MEM_TAGS) < m->ram[i].size)
            return &m->ram[i];
    return NULL;
}

/* Two to a byte, that of the lower address in the lower half. *at: the byte in its page; *low: the tag's first bit there. */
static uint64_t tag_place(const struct ram *r, uint64_t pa, unsigned *at, unsigned *low)
{
    uint64_t off = pa - (r->base & ~MEM_TAGS), granule = off >> MEM_GRANULE_SHIFT;
    *at = (unsigned)(granule / 2) % MEM_PAGE_SIZE;
    *low = granule & 1 ? 4 : 0;
    return off >> r->shift;
}

int mem_tag(struct mem *m, uint64_t pa)
{
    const struct ram *r = find_tags(m, pa);
    unsigned at, low;
    if (!r)
        return -1;
    const uint8_t *page = tree_page(&r->tree, tag_place(r, pa, &at, &low));
    return page ? page[at] >> low & 15 : 0;
}

void mem_set_tag(struct mem *m, uint64_t pa, unsigned tag)
{
    struct ram *r = find_tags(m, pa);
    unsigned at, low;
    if (!r)
        return;
    uint64_t n = tag_place(r, pa, &at, &low);
    if (!tag && !tree_page(&r->tree, n))
        return;
    uint8_t *byte = tree_own(&r->tree, n, m->pool, &m->spare) + at;
    *byte = (uint8_t)((*byte & ~(15u << low)) | (tag & 15) << low);
}

bool mem_put_page(struct mem *m, uint64_t pa, const uint8_t *page)
{
    if (!(pa & MEM_TAGS))
        return !(pa % MEM_PAGE_SIZE) && mem_write(m, pa, page, MEM_PAGE_SIZE);
    struct ram *r = find_tags(m, pa & ~MEM_TAGS);
    if (!r || (pa - r->base) % (UINT64_C(1) << r->shift))
        return false;
    memcpy(tree_own(&r->tree, (pa - r->base) >> r->shift, m->pool, &m->spare), page, MEM_PAGE_SIZE);
    return true;
}

/* ---- the bus
 * ---------------------------------------------------------------------------------------------------------------------- */

/* The functions for an aligned access, and the offset in their region. */
static const struct mem_io *find_access(struct mem *m, uint64_t pa, unsigned size, uint64_t *off)
{
    const struct io *r = find_io(m, pa);
    const struct ram *rom = r ? NULL : find_ram(m, pa);
    uint64_t base = r ? r->base : rom ? rom->base : 0, end = r ? r->size : rom ? rom->size : 0;
    *off = pa - base;
    return (pa & (size - 1)) || *off >= end || end - *off < size ? NULL : r ? &r->fn : &rom->fn;
}

bool mem_io_read(struct mem *m, uint64_t pa, unsigned size, uint64_t *value)
{
    uint64_t off;
    const struct mem_io *fn = find_access(m, pa, size, &off);
    return fn && fn->read && fn->read(fn->ctx, off, size, value);
}

bool mem_io_write(struct mem *m, uint64_t pa, unsigned size, uint64_t value)
{
    uint64_t off;
    const struct mem_io *fn = find_access(m, pa, size, &off);
    return fn && fn->write && fn->write(fn->ctx, off, size, value);
}

/* ---- everything
 * ------------------------------------------------------------------------------------------------------------------- */

static void visit_leaf(const struct ram *r, const struct node *leaf, uint64_t first, mem_visit_fn *fn, void *ctx)
{
    for (unsigned i = 0; i < TREE_SLOTS; i++) {
        const uint8_t *page = leaf->slot[i];
        if (page && memcmp(page, zero_page, MEM_PAGE_SIZE))
            fn(ctx, page_address(r, first + i), page);
    }
}

void mem_visit(struct mem *m, mem_visit_fn *fn, void *ctx)
{
    for (unsigned i = 0; i < trees(m); i++) {
        const struct ram *r = &m->ram[i];
        for (size_t k = 0; k < r->tree.mids; k++) {
            const struct node *mid = r->tree.mid[k];
            for (unsigned l = 0; mid && l < TREE_SLOTS; l++)
                if (mid->slot[l])
                    visit_leaf(r, mid->slot[l], (k * TREE_SLOTS + l) * TREE_SLOTS, fn, ctx);
        }
    }
}

void mem_clear(struct mem *m)
{
    for (unsigned i = 0; i < trees(m); i++) {
        struct ram *r = &m->ram[i];
        tree_free(&r->tree, m->pool, &m->spare);
        tree_init(&r->tree, pages_of(r));
    }
}

void mem_drop(struct mem *m, uint64_t pa, uint64_t n)
{
    const uint64_t mask = MEM_PAGE_SIZE - 1;
    for (uint64_t at = (pa + mask) & ~mask; at - pa <= n && n - (at - pa) >= MEM_PAGE_SIZE; at += MEM_PAGE_SIZE) {
        struct ram *r = find_ram(m, at);
        if (r)
            tree_drop(&r->tree, (at - r->base) >> MEM_PAGE_SHIFT, m->pool, &m->spare);
    }
}

uint64_t mem_pages_held(struct mem *m)
{
    uint64_t held = 0;
    for (unsigned i = 0; i < trees(m); i++)
        for (uint64_t n = 0; n < pages_of(&m->ram[i]); n++) {
            const struct tree *t = &m->ram[i].tree;
            if (!t->mid[n / TREE_MID_PAGES]) {
                n |= TREE_MID_PAGES - 1;
                continue;
            }
            held += tree_page(t, n) != NULL;
        }
    return held;
}
