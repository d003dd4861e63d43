#include "mem/pages.h"
#include "base/bits.h"
#include "mem/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE_SIZE  ((size_t)2 << 20)
#define PIECE_PAGES (PIECE_SIZE / MEM_PAGE_SIZE)
#define SPARE_MAX   64u
#define SPARE_BATCH 32u

/* At the start of every 2 MiB piece, so that a page's address leads to its count. */
struct piece {
    struct piece *next;
    uint32_t refs[PIECE_PAGES]; /* [0] is this header itself */
};
_Static_assert(sizeof(struct piece) <= MEM_PAGE_SIZE, "the header fits the first page");

struct pool {
    uint32_t refs;
    pthread_mutex_t lock;
    struct piece *pieces;
    uint8_t *free; /* free pages, linked through their first word */
    size_t fresh;  /* index of the first never used page of `pieces`; PIECE_PAGES: none */
};

static void *must(void *p)
{
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    return p;
}

/* ---- pages
 * ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t *page_refs(const uint8_t *page)
{
    uintptr_t a = (uintptr_t)page;
    struct piece *piece = (struct piece *)(a & ~(uintptr_t)(PIECE_SIZE - 1));
    return &piece->refs[(a & (PIECE_SIZE - 1)) >> MEM_PAGE_SHIFT];
}

static uint8_t *next_of(const uint8_t *page)
{
    uint8_t *next;
    memcpy(&next, page, sizeof next);
    return next;
}

static void set_next(uint8_t *page, uint8_t *next) { memcpy(page, &next, sizeof next); }

struct pool *pool_new(void)
{
    struct pool *p = must(calloc(1, sizeof *p));
    p->refs = 1;
    p->fresh = PIECE_PAGES;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

struct pool *pool_get(struct pool *p)
{
    __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

void pool_put(struct pool *p)
{
    if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
        return;
    for (struct piece *piece = p->pieces, *next; piece; piece = next) {
        next = piece->next;
        munmap(piece, PIECE_SIZE);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void new_piece(struct pool *p)
{
    uint8_t *raw = mmap(NULL, 2 * PIECE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED)
        abort(); /* out of host memory */
    size_t head = (PIECE_SIZE - ((uintptr_t)raw & (PIECE_SIZE - 1))) & (PIECE_SIZE - 1);
    if (head)
        munmap(raw, head);
    munmap(raw + head + PIECE_SIZE, PIECE_SIZE - head);
    struct piece *piece = (struct piece *)(void *)(raw + head);
    madvise(piece, PIECE_SIZE, MADV_HUGEPAGE); /* fewer host TLB misses; a refusal is fine */
    piece->next = p->pieces;
    p->pieces = piece;
    p->fresh = 1;
}

/* Fills s. True: with one page that was never used, and so is zero. */
static bool spare_fill(struct spare *s, struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (s->count < SPARE_BATCH && p->free) {
        uint8_t *page = p->free;
        p->free = next_of(page);
        set_next(page, s->first);
        s->first = page;
        s->count++;
    }
    bool fresh = !s->count;
    if (fresh) { /* only one: pages that are not touched cost no host memory */
        if (p->fresh == PIECE_PAGES)
            new_piece(p);
        s->first = (uint8_t *)p->pieces + p->fresh++ * MEM_PAGE_SIZE;
        s->count = 1; /* its link is NULL */
    }
    pthread_mutex_unlock(&p->lock);
    return fresh;
}

static void spare_drain(struct spare *s, struct pool *p, unsigned keep)
{
    pthread_mutex_lock(&p->lock);
    while (s->count > keep) {
        uint8_t *page = s->first;
        s->first = next_of(page);
        set_next(page, p->free);
        p->free = page;
        s->count--;
    }
    pthread_mutex_unlock(&p->lock);
}

void spare_free(struct spare *s, struct pool *p)
{
    if (s->count)
        spare_drain(s, p, 0);
}

/* A page with one reference and any content. *zero: it is zero. */
static uint8_t *page_new(struct pool *p, struct spare *s, bool *zero)
{
    *zero = !s->count && spare_fill(s, p);
    uint8_t *page = s->first;
    s->first = next_of(page);
    s->count--;
    __atomic_store_n(page_refs(page), 1, __ATOMIC_RELAXED);
    return page;
}

static void page_put(uint8_t *page, struct pool *p, struct spare *s)
{
    if (__atomic_sub_fetch(page_refs(page), 1, __ATOMIC_ACQ_REL))
        return;
    set_next(page, s->first);
    s->first = page;
    if (++s->count > SPARE_MAX)
        spare_drain(s, p, SPARE_BATCH);
}

static bool page_shared(const uint8_t *page) { return __atomic_load_n(page_refs(page), __ATOMIC_ACQUIRE) != 1; }

static uint8_t *page_get(uint8_t *page)
{
    if (page)
        __atomic_add_fetch(page_refs(page), 1, __ATOMIC_RELAXED);
    return page;
}

/* ---- nodes
 * ------------------------------------------------------------------------------------------------------------------------ */

static struct node *node_get(struct node *n)
{
    if (n)
        __atomic_add_fetch(&n->refs, 1, __ATOMIC_RELAXED);
    return n;
}

static bool node_shared(const struct node *n) { return __atomic_load_n(&n->refs, __ATOMIC_ACQUIRE) != 1; }

static void leaf_put(struct node *n, struct pool *p, struct spare *s)
{
    if (!n || __atomic_sub_fetch(&n->refs, 1, __ATOMIC_ACQ_REL))
        return;
    for (unsigned i = 0; i < TREE_SLOTS; i++)
        if (n->slot[i])
            page_put(n->slot[i], p, s);
    free(n);
}

static void mid_put(struct node *n, struct pool *p, struct spare *s)
{
    if (!n || __atomic_sub_fetch(&n->refs, 1, __ATOMIC_ACQ_REL))
        return;
    for (unsigned i = 0; i < TREE_SLOTS; i++)
        leaf_put(n->slot[i], p, s);
    free(n);
}

static struct node *node_new(void)
{
    struct node *n = must(calloc(1, sizeof *n));
    n->refs = 1;
    return n;
}

/* The leaf for writing its slots. */
static struct node *own_leaf(void **slot, struct pool *p, struct spare *s)
{
    struct node *old = *slot;
    if (old && !node_shared(old))
        return old;
    struct node *n = node_new();
    if (old)
        for (unsigned i = 0; i < TREE_SLOTS; i++)
            n->slot[i] = page_get(old->slot[i]);
    leaf_put(old, p, s);
    *slot = n;
    return n;
}

static struct node *own_mid(struct node **slot, struct pool *p, struct spare *s)
{
    struct node *old = *slot;
    if (old && !node_shared(old))
        return old;
    struct node *n = node_new();
    if (old)
        for (unsigned i = 0; i < TREE_SLOTS; i++)
            n->slot[i] = node_get(old->slot[i]);
    mid_put(old, p, s);
    *slot = n;
    return n;
}

/* ---- trees
 * ------------------------------------------------------------------------------------------------------------------------ */

void tree_init(struct tree *t, uint64_t pages)
{
    t->mids = (size_t)((pages + TREE_MID_PAGES - 1) / TREE_MID_PAGES);
    t->mid = must(calloc(t->mids, sizeof *t->mid));
}

void tree_free(struct tree *t, struct pool *p, struct spare *s)
{
    for (size_t i = 0; i < t->mids; i++)
        mid_put(t->mid[i], p, s);
    free(t->mid);
    *t = (struct tree){0};
}

void tree_share(struct tree *dst, const struct tree *src)
{
    dst->mids = src->mids;
    dst->mid = must(malloc(src->mids * sizeof *dst->mid));
    for (size_t i = 0; i < src->mids; i++)
        dst->mid[i] = node_get(src->mid[i]);
}

uint8_t *tree_own(struct tree *t, uint64_t n, struct pool *p, struct spare *s)
{
    struct node *mid = own_mid(&t->mid[n / TREE_MID_PAGES], p, s);
    struct node *leaf = own_leaf(&mid->slot[n / TREE_SLOTS % TREE_SLOTS], p, s);
    void **slot = &leaf->slot[n % TREE_SLOTS];
    uint8_t *old = *slot;
    if (old && !page_shared(old))
        return old;
    bool zero;
    uint8_t *page = page_new(p, s, &zero);
    if (old) {
        memcpy(page, old, MEM_PAGE_SIZE);
        page_put(old, p, s);
    } else if (!zero) {
        memset(page, 0, MEM_PAGE_SIZE);
    }
    *slot = page;
    return page;
}

void tree_drop(struct tree *t, uint64_t n, struct pool *p, struct spare *s)
{
    if (!tree_page(t, n))
        return;
    struct node *mid = own_mid(&t->mid[n / TREE_MID_PAGES], p, s);
    struct node *leaf = own_leaf(&mid->slot[n / TREE_SLOTS % TREE_SLOTS], p, s);
    page_put(leaf->slot[n % TREE_SLOTS], p, s);
    leaf->slot[n % TREE_SLOTS] = NULL;
}

bool tree_owns(const struct tree *t, uint64_t n)
{
    const struct node *mid = t->mid[n / TREE_MID_PAGES];
    if (!mid || node_shared(mid))
        return false;
    const struct node *leaf = mid->slot[n / TREE_SLOTS % TREE_SLOTS];
    if (!leaf || node_shared(leaf))
        return false;
    const uint8_t *page = leaf->slot[n % TREE_SLOTS];
    return page && !page_shared(page);
}

static void *slot_of(const struct node *n, unsigned i) { return n ? n->slot[i] : NULL; }

/* Private nodes are kept and their slots replaced, so that the next write after a restore need not copy them again. */
void tree_restore(struct tree *t, const struct tree *from, struct pool *p, struct spare *s, tree_diff_fn *fn, void *ctx)
{
    for (size_t m = 0; m < t->mids; m++) {
        if (t->mid[m] == from->mid[m])
            continue;
        struct node *mid = own_mid(&t->mid[m], p, s);
        for (unsigned l = 0; l < TREE_SLOTS; l++) {
            const struct node *want = slot_of(from->mid[m], l);
            if (mid->slot[l] == want)
                continue;
            struct node *leaf = own_leaf(&mid->slot[l], p, s);
            for (unsigned i = 0; i < TREE_SLOTS; i++) {
                uint8_t *old = leaf->slot[i], *page = slot_of(want, i);
                if (old == page)
                    continue;
                leaf->slot[i] = page_get(page);
                if (old)
                    page_put(old, p, s);
                fn(ctx, (m * TREE_SLOTS + l) * TREE_SLOTS + i);
            }
        }
    }
}

bool tree_pairs(const struct tree *a, const struct tree *b, tree_pair_fn *fn, void *ctx)
{
    for (size_t m = 0; m < a->mids; m++) {
        if (a->mid[m] == b->mid[m])
            continue;
        for (unsigned l = 0; l < TREE_SLOTS; l++) {
            const struct node *la = slot_of(a->mid[m], l), *lb = slot_of(b->mid[m], l);
            for (unsigned i = 0; la != lb && i < TREE_SLOTS; i++) {
                const uint8_t *pa = slot_of(la, i), *pb = slot_of(lb, i);
                if (pa != pb && !fn(ctx, (m * TREE_SLOTS + l) * TREE_SLOTS + i, pa, pb))
                    return false;
            }
        }
    }
    return true;
}

struct copying {
    struct tree *t;
    struct pool *pool;
    struct spare *spare;
    unsigned left;
    tree_copy_fn *fn;
    void *ctx;
};

static const uint8_t zeros[MEM_PAGE_SIZE];

static bool copy_page(void *ctx, uint64_t n, const uint8_t *old, const uint8_t *from)
{
    struct copying *c = ctx;
    if (!c->left--)
        return false;
    uint8_t *page = tree_own(c->t, n, c->pool, c->spare);
    c->fn(c->ctx, n, page, from ? from : zeros, page != old);
    return true;
}

bool tree_copy(struct tree *t, const struct tree *from, struct pool *p, struct spare *s, unsigned most, tree_copy_fn *fn,
               void *ctx)
{
    struct copying c = {t, p, s, most, fn, ctx};
    return tree_pairs(t, from, copy_page, &c);
}
