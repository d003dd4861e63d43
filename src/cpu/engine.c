#include "cpu/engine.h"
#include "cpu/breaks.h"
#include "cpu/insns.h"
#include "cpu/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS ARRAY_LEN(((struct engine *)0)->bucket)

/* Decoded pages are 32 KiB each: this many keep the cache at 32 MiB. A boot of Linux with room for a third of them takes a
 * quarter longer. */
#define CODE_PAGES_MAX 1024

/* A code page that data is stored to this often is taken for reused as data, and dropped. */
#define DATA_WRITES_MAX 1024

void engine_init(struct engine *e, struct mem *mem, unsigned slot_shift)
{
    *e = (struct engine){.mem = mem, .slot_shift = slot_shift, .gen = 1, .marks = 1, .pages_max = CODE_PAGES_MAX, .pte_size = 4};
}

void engine_add_cpu(struct engine *e, struct cpu *c)
{
    assert(e->cpus < ENGINE_CPUS);
    c->engine = e;
    c->mem = e->mem;
    c->index = e->cpus;
    e->cpu[e->cpus++] = c;
}

static size_t bucket_of(uint64_t pa, uint32_t kind) { return ((pa >> MEM_PAGE_SHIFT) ^ ((uint64_t)kind << 7)) % BUCKETS; }

static void ctx_clear(struct tlb_ctx *t)
{
    for (unsigned i = 0; i < TLB_SIZE; i++)
        t->d[i].rtag = t->d[i].wtag = TLB_NONE;
    for (unsigned i = 0; i < FTLB_SIZE; i++)
        t->f[i].tag = TLB_NONE;
    for (unsigned i = 0; i < TABLE_SIZE; i++)
        t->table[0][i].region = t->table[1][i].region = TABLE_NONE;
}

/* A search goes by blocks, which compilers turn into vector code. */
#define BLOCK 32u
_Static_assert(TLB_SIZE % BLOCK == 0 && FTLB_SIZE % BLOCK == 0, "whole blocks");

static bool block_has(const uint32_t *block, uint32_t word)
{
    uint32_t hit = 0;
    for (unsigned i = 0; i < BLOCK; i++)
        hit |= block[i] == word;
    return hit != 0;
}

/* The first i, from the one given on, of n words with at[i] == word; n if there is none. */
static unsigned next_of(const uint32_t *at, unsigned i, unsigned n, uint32_t word)
{
    for (; i % BLOCK; i++) {
        if (at[i] == word)
            return i;
    }
    while (i < n && !block_has(at + i, word))
        i += BLOCK;
    while (i < n && at[i] != word)
        i++;
    return i;
}

#define each_of(i, at, word)                          \
    unsigned i = next_of(at, 0, ARRAY_LEN(at), word); \
    i < ARRAY_LEN(at);                                \
    i = next_of(at, i + 1, ARRAY_LEN(at), word)

/* Drops the entries that came from one last-level table. */
static void ctx_forget(struct tlb_ctx *t, uint32_t from)
{
    for (each_of(i, t->d_from, from))
        t->d[i].rtag = t->d[i].wtag = TLB_NONE;
    for (each_of(i, t->f_from, from))
        t->f[i].tag = TLB_NONE;
    for (unsigned i = 0; i < TABLE_SIZE; i++) {
        if (t->table[0][i].from == from)
            t->table[0][i].region = TABLE_NONE;
    }
}

/* Contexts of an older generation are cleared when they are next chosen; the ones in use are cleared at once. */
static void ctx_renew(struct tlb_ctx *t, uint64_t gen)
{
    if (t && t->gen != gen) {
        ctx_clear(t);
        t->gen = gen;
    }
}

void engine_flush(struct engine *e)
{
    /* The marks stay: most of these pages will be walked again. One that is no table any more loses its mark when it is next
     * stored to. */
    e->gen++;
    e->marks++;
    if (e->running)
        e->running->refetch = true;
    for (unsigned i = 0; i < e->cpus; i++) {
        ctx_renew(e->cpu[i]->data_ctx, e->gen);
        ctx_renew(e->cpu[i]->fetch_ctx, e->gen);
        ctx_renew(e->cpu[i]->user_ctx, e->gen);
    }
}

struct tlb_ctx *cpu_ctx(struct cpu *c, const uint64_t key[4])
{
    for (unsigned i = 0; i < TLB_CTX_COUNT; i++) {
        struct tlb_ctx *t = c->ctx[i];
        if (t && t->key[0] == key[0] && t->key[1] == key[1] && t->key[2] == key[2] && t->key[3] == key[3]) {
            ctx_renew(t, c->engine->gen);
            return t;
        }
    }
    unsigned v = c->ctx_victim;
    for (unsigned i = 0;
         i < TLB_CTX_COUNT && c->ctx[v] && (c->ctx[v] == c->data_ctx || c->ctx[v] == c->fetch_ctx || c->ctx[v] == c->user_ctx);
         i++)
        v = (v + 1) % TLB_CTX_COUNT;
    c->ctx_victim = (v + 1) % TLB_CTX_COUNT;
    if (!c->ctx[v])
        c->ctx[v] = calloc(1, sizeof *c->ctx[v]);
    if (!c->ctx[v])
        abort(); /* out of host memory: nothing sensible can go on */
    memcpy(c->ctx[v]->key, key, sizeof c->ctx[v]->key);
    ctx_clear(c->ctx[v]);
    c->ctx[v]->gen = c->engine->gen;
    c->ctx_evictions++;
    return c->ctx[v];
}

static void unmark_all(struct engine *e)
{
    for (unsigned i = 0; i < e->pte_pages; i++)
        *mem_page_flags(e->mem, e->pte_page[i]) &= (uint8_t)~(MEM_PTE | MEM_TABLES);
    e->pte_pages = 0;
}

void engine_protect(struct engine *e, uint64_t pa)
{
    pa &= ~(uint64_t)(MEM_PAGE_SIZE - 1);
    for (unsigned i = 0; i < e->cpus; i++) {
        for (unsigned k = 0; k < TLB_CTX_COUNT; k++) {
            struct tlb_ctx *t = e->cpu[i]->ctx[k];
            if (!t || t->gen != e->gen)
                continue;
            for (each_of(n, t->d_to, tlb_from(pa))) {
                if (t->d[n].pa == pa)
                    t->d[n].wtag = TLB_NONE;
            }
        }
    }
}

void engine_forget_shared(struct engine *e, uint64_t pa)
{
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (!flags || !(*flags & MEM_SHARED))
        return;
    *flags &= (uint8_t)~MEM_SHARED;
    pa &= ~(uint64_t)(MEM_PAGE_SIZE - 1);
    for (unsigned i = 0; i < e->cpus; i++) {
        for (unsigned k = 0; k < TLB_CTX_COUNT; k++) {
            struct tlb_ctx *t = e->cpu[i]->ctx[k];
            if (!t || t->gen != e->gen)
                continue;
            for (each_of(n, t->d_to, tlb_from(pa))) {
                if (t->d[n].pa == pa)
                    t->d[n].rtag = t->d[n].wtag = TLB_NONE;
            }
        }
    }
}

void engine_mark_pte(struct engine *e, uint64_t pa, bool last)
{
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (!flags)
        return;
    if (!last)
        *flags |= MEM_TABLES;
    if (*flags & MEM_PTE)
        return;
    if (e->pte_pages == ARRAY_LEN(e->pte_page)) {
        unmark_all(e);
        engine_flush(e);
        *flags |= last ? 0 : MEM_TABLES;
    }
    *flags |= MEM_PTE;
    e->pte_page[e->pte_pages++] = pa & ~(uint64_t)(MEM_PAGE_SIZE - 1);
    engine_protect(e, pa);
}

/* Drops what came from the last-level table at pa. */
static void forget_table(struct engine *e, uint64_t pa)
{
    uint32_t from = tlb_from(pa);
    if (e->running)
        e->running->refetch = true;
    for (unsigned i = 0; i < e->cpus; i++) {
        for (unsigned k = 0; k < TLB_CTX_COUNT; k++) {
            struct tlb_ctx *t = e->cpu[i]->ctx[k];
            if (t && t->gen == e->gen)
                ctx_forget(t, from);
        }
    }
}

/* An entry that cached translations may have come from was changed. Its page needs watching no more until it is walked again. */
static void table_changed(struct engine *e, uint64_t pa, uint8_t *flags)
{
    bool last = !(*flags & MEM_TABLES);
    *flags &= (uint8_t)~(MEM_PTE | MEM_TABLES);
    e->marks++;
    if (last)
        forget_table(e, pa);
    else
        engine_flush(e);
}

/* ---- decoded pages
 * -------------------------------------------------------------------------------------------------------------- */

static unsigned slots_per_page(const struct engine *e) { return MEM_PAGE_SIZE >> e->slot_shift; }

static void page_fill(struct engine *e, struct code_page *p)
{
    unsigned n = slots_per_page(e);
    for (unsigned i = 0; i < n; i++)
        p->ops[i] = e->fresh;
    p->ops[n] = e->end;
}

static struct code_page *find(struct engine *e, uint64_t pa, uint32_t kind)
{
    for (struct code_page *p = e->bucket[bucket_of(pa, kind)]; p; p = p->hash_next) {
        if (p->pa == pa && p->kind == kind)
            return p;
    }
    return NULL;
}

static void forget_fetch(struct engine *e, const struct code_page *p)
{
    for (unsigned i = 0; i < e->cpus; i++) {
        for (unsigned k = 0; k < TLB_CTX_COUNT; k++) {
            struct tlb_ctx *t = e->cpu[i]->ctx[k];
            for (unsigned n = 0; t && n < FTLB_SIZE; n++) {
                if (t->f[n].tag != TLB_NONE && t->f[n].page == p)
                    t->f[n].tag = TLB_NONE;
            }
        }
    }
}

/* Unlinks a page; a cpu may still be inside it, so every slot now leads back to the slow path and the memory is freed later. */
static void page_drop(struct engine *e, struct code_page *p)
{
    struct code_page **at = &e->bucket[bucket_of(p->pa, p->kind)];
    while (*at != p)
        at = &(*at)->hash_next;
    *at = p->hash_next;
    forget_fetch(e, p);
    for (unsigned i = 0; i <= slots_per_page(e); i++)
        p->ops[i].fn = e->end.fn; /* operands stay: the store that did this is not done with its own */
    p->hash_next = e->dead;
    e->dead = p;
    e->pages--;
}

void engine_sweep(struct engine *e)
{
    if (unlikely(e->insns) && e->dead)
        engine_insns_flush(e); /* the list leads into them */
    while (e->dead) {
        struct code_page *p = e->dead;
        e->dead = p->hash_next;
        insn_page_free(p->traced);
        free(p);
    }
}

/* Drops all decoded pages of one physical page. */
static void drop_code(struct engine *e, uint64_t pa)
{
    for (unsigned b = 0; b < BUCKETS; b++) {
        for (struct code_page *p = e->bucket[b], *n; p; p = n) {
            n = p->hash_next;
            if (p->pa == pa)
                page_drop(e, p);
        }
    }
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (flags)
        *flags &= (uint8_t)~MEM_CODE;
}

static void drop_all_code(struct engine *e)
{
    for (unsigned b = 0; b < BUCKETS; b++) {
        while (e->bucket[b]) {
            uint8_t *flags = mem_page_flags(e->mem, e->bucket[b]->pa);
            if (flags)
                *flags &= (uint8_t)~MEM_CODE;
            page_drop(e, e->bucket[b]);
        }
    }
}

/* Drops the pages that nobody looked up since the last time, by second chance; all, if every one was. */
static void make_room(struct engine *e)
{
    unsigned before = e->pages;
    for (unsigned b = 0; b < BUCKETS; b++) {
        for (struct code_page *p = e->bucket[b], *n; p; p = n) {
            n = p->hash_next;
            if (!p->used)
                page_drop(e, p);
            else
                p->used = 0;
        }
    }
    if (e->pages == before)
        drop_all_code(e);
}

struct code_page *engine_code(struct engine *e, uint64_t pa, uint32_t kind)
{
    struct code_page *p = find(e, pa, kind);
    if (p) {
        p->used = 1;
        return p;
    }
    if (e->pages >= e->pages_max)
        make_room(e);
    engine_sweep(e); /* nobody is inside a dropped page while a new one is fetched */
    p = malloc(sizeof *p);
    if (!p)
        abort(); /* out of host memory: nothing sensible can go on */
    *p = (struct code_page){.pa = pa, .kind = (uint16_t)kind, .used = 1};
    page_fill(e, p);
    struct code_page **at = &e->bucket[bucket_of(pa, kind)];
    p->hash_next = *at;
    *at = p;
    e->pages++;
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (flags && !(*flags & MEM_CODE)) {
        *flags |= MEM_CODE;
        engine_protect(e, pa);
    }
    return p;
}

/* Undecodes the slots of p that bytes first_byte..last_byte can be part of: an instruction may begin one slot earlier (2-byte
   slots), and be the last of those that one handler does, of up to two slots each (2-byte slots). */
static void undecode_slots(struct engine *e, struct code_page *p, unsigned first_byte, unsigned last_byte)
{
    unsigned first = first_byte >> e->slot_shift, before = e->slot_shift == 1 ? 2 * (FUSE_MAX - 1) + 1 : FUSE_MAX - 1;
    for (unsigned i = first > before ? first - before : 0; i <= last_byte >> e->slot_shift; i++)
        p->ops[i].fn = e->fresh.fn; /* operands stay, as in page_drop */
}

void engine_redecode(struct engine *e, unsigned offset)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        for (struct code_page *p = e->bucket[b]; p; p = p->hash_next)
            undecode_slots(e, p, offset, offset);
}

/* Undecodes what stores to [pa, pa+n) of one page touched. */
static void undecode(struct engine *e, uint64_t pa, uint64_t n)
{
    uint64_t base = pa & ~(uint64_t)(MEM_PAGE_SIZE - 1);
    bool drop = false;
    for (uint32_t kind = 0; kind < CODE_KINDS; kind++) {
        struct code_page *p = find(e, base, kind);
        if (!p)
            continue;
        undecode_slots(e, p, (unsigned)(pa - base), (unsigned)(pa + n - 1 - base));
        drop |= ++p->data_writes > DATA_WRITES_MAX;
    }
    if (drop)
        drop_code(e, base);
}

void engine_store(struct engine *e, uint64_t pa, unsigned n, uint64_t old, uint64_t new)
{
    uint8_t *flags = mem_page_flags(e->mem, pa);
    if (!flags || !*flags)
        return;
    if (*flags & MEM_WATCH) /* a store of what is there already is a store, too */
        e->watch(e, e->running, pa, n);
    if (old == new)
        return;
    if (*flags & MEM_CODE)
        undecode(e, pa, n);
    /* An entry whose valid bit was 0 gave no cached translation. Bytes above the valid bit's belong to an entry that may have
     * been valid. */
    if ((*flags & MEM_PTE) && (n < e->pte_size || (pa & (e->pte_size - 1)) || (old & 1) || (n > e->pte_size && (old >> 32 & 1))))
        table_changed(e, pa, flags);
}

void engine_changed(struct engine *e, uint64_t pa, uint64_t n)
{
    while (n) {
        uint64_t here = MEM_PAGE_SIZE - (pa & (MEM_PAGE_SIZE - 1));
        if (here > n)
            here = n;
        uint8_t *flags = mem_page_flags(e->mem, pa);
        if (flags && *flags) {
            if (*flags & MEM_CODE)
                undecode(e, pa, here);
            if (*flags & MEM_PTE)
                table_changed(e, pa, flags);
        }
        if (e->watch)
            e->watch(e, NULL, pa, here);
        engine_forget_shared(e, pa);
        pa += here;
        n -= here;
    }
}

void engine_drop(struct engine *e)
{
    engine_flush(e);
    drop_all_code(e);
    engine_sweep(e);
}

void cpu_free_caches(struct cpu *c)
{
    for (unsigned i = 0; i < TLB_CTX_COUNT; i++) {
        free(c->ctx[i]);
        c->ctx[i] = NULL;
    }
    c->data_ctx = c->fetch_ctx = c->user_ctx = NULL;
}

void engine_free(struct engine *e)
{
    engine_insns_drop(e);
    engine_break_none(e);
    engine_watchpoint_none(e);
    drop_all_code(e);
    engine_sweep(e);
    for (unsigned i = 0; i < e->cpus; i++)
        cpu_free_caches(e->cpu[i]);
}
