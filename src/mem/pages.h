/*
 * Where the pages of a family of forked machines come from, and the trees that share them.
 *
 * Pages are carved from 2 MiB pieces. A tree has three levels: an array of `mid` nodes (16 MiB each), 64 leaves in a mid, 64
 * pages in a leaf. Nodes and pages are reference counted; whoever holds the only reference all the way down may write in place.
 * So a fork of a 1 GiB machine counts up 64 nodes, and the first write to a page afterwards copies two nodes of 64 pointers and
 * the page. A missing node or page reads as zeros. Counts are atomic: forks are used from different threads.
 */
#ifndef TL_MEM_PAGES_H
#define TL_MEM_PAGES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_BITS      6
#define TREE_SLOTS     (1u << TREE_BITS)
#define TREE_MID_PAGES (TREE_SLOTS * TREE_SLOTS)

struct pool; /* the pages of one family; reference counted */

struct pool *pool_new(void);
struct pool *pool_get(struct pool *p);
void pool_put(struct pool *p);

/* Free pages kept by one machine so that most allocations take no lock. */
struct spare {
    uint8_t *first;
    unsigned count;
};

struct node {
    uint32_t refs;
    uint32_t pad;
    void *slot[TREE_SLOTS]; /* of a mid: struct node * (leaf); of a leaf: uint8_t * (page) */
};

struct tree {
    struct node **mid;
    size_t mids;
};

/* Trees of `pages` pages, all zero. */
void tree_init(struct tree *t, uint64_t pages);
/* Drops every page, and the tree. */
void tree_free(struct tree *t, struct pool *p, struct spare *s);
/* dst becomes a copy of src that shares all nodes. */
void tree_share(struct tree *dst, const struct tree *src);

/* The page, or NULL if it was never written. */
static inline uint8_t *tree_page(const struct tree *t, uint64_t n)
{
    struct node *mid = t->mid[n / TREE_MID_PAGES];
    if (!mid)
        return NULL;
    struct node *leaf = mid->slot[n / TREE_SLOTS % TREE_SLOTS];
    return leaf ? leaf->slot[n % TREE_SLOTS] : NULL;
}

/* The page for writing. */
uint8_t *tree_own(struct tree *t, uint64_t n, struct pool *p, struct spare *s);
/* Makes the page zero. */
void tree_drop(struct tree *t, uint64_t n, struct pool *p, struct spare *s);
/* Whether the page is this tree's alone: tree_own returns the same as tree_page. */
bool tree_owns(const struct tree *t, uint64_t n);

/* Makes t equal to `from` and calls fn for every page that differed. */
typedef void tree_diff_fn(void *ctx, uint64_t n);
void tree_restore(struct tree *t, const struct tree *from, struct pool *p, struct spare *s, tree_diff_fn *fn, void *ctx);

/* The same by copying, without sharing a page with `from`: a page that is t's own stays where it is. fn is told of each page that
   differed; moved: it is in another place now. False, with t between the two, if more than `most` pages differ. */
typedef void tree_copy_fn(void *ctx, uint64_t n, uint8_t *page, const uint8_t *from, bool moved);
bool tree_copy(struct tree *t, const struct tree *from, struct pool *p, struct spare *s, unsigned most, tree_copy_fn *fn,
               void *ctx);
/* Calls fn for each page that the two do not share, ascending; NULL: zeros. Stops when fn returns false. */
typedef bool tree_pair_fn(void *ctx, uint64_t n, const uint8_t *a, const uint8_t *b);
bool tree_pairs(const struct tree *a, const struct tree *b, tree_pair_fn *fn, void *ctx);

/* Gives the spare pages back. */
void spare_free(struct spare *s, struct pool *p);
#endif
