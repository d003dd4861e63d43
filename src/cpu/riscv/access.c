/* Loads, stores and fetches outside the fast path: translation, alignment, RAM or device, and what keeps the caches true. */
#include "cpu/riscv/access.h"
#include "cpu/riscv/status.h"
#include "cpu/watch.h"

#include <string.h>

#define PAGE_OFFSET (MEM_PAGE_SIZE - 1)

static uint64_t truncate(const struct hart *h, uint64_t va) { return h->xlen == 32 ? (uint32_t)va : va; }

static struct tlb_ctx *context_for(struct hart *h, const struct access_mode *m, bool fetch)
{
    uint64_t key[4];
    mmu_key(h, m, fetch, key);
    uint64_t before = h->cpu.ctx_evictions;
    struct tlb_ctx *t = cpu_ctx(&h->cpu, key);
    if (h->cpu.ctx_evictions != before)
        memset(h->mode_ctx, 0, sizeof h->mode_ctx); /* one of them may have been given away */
    return t;
}

void hart_context(struct hart *h)
{
    struct cpu *c = &h->cpu;
    unsigned mode = h->s.v << 2 | h->s.priv;
    struct tlb_ctx *t = h->mode_ctx[mode];
    if (!t || t->gen != c->engine->gen) {
        const struct access_mode m = {.priv = h->s.priv, .v = h->s.v};
        t = context_for(h, &m, true);
        h->mode_ctx[mode] = t;
    }
    c->fetch_ctx = c->data_ctx = t;
    h->plain = (struct access_mode){.priv = h->s.priv, .v = h->s.v};
    if (unlikely(h->s.csr.mstatus & MSTATUS_MPRV) && h->s.priv == RV_M) {
        h->plain = data_mode(h);
        c->data_ctx = context_for(h, &h->plain, false);
    }
    c->ftlb = c->fetch_ctx->f;
    c->tlb = c->data_ctx->d;
}

void hart_context_changed(struct hart *h)
{
    memset(h->mode_ctx, 0, sizeof h->mode_ctx);
    hart_context(h);
}

/* Enters a translation of the page of va into the context plain loads and stores use. */
static inline void remember(struct hart *h, uint64_t va, uint64_t pa, bool read, bool write, enum access a,
                            const struct mem_view *v, uint32_t from)
{
    unsigned n = (va >> MEM_PAGE_SHIFT) & (TLB_SIZE - 1);
    struct tlb_entry *t = &h->cpu.tlb[n];
    uint64_t page_va = va & ~(uint64_t)PAGE_OFFSET;
    pa &= ~(uint64_t)PAGE_OFFSET;
    if (unlikely(h->cpu.engine->watchpoints) && cpu_watches_page(&h->cpu, mmu_address(h, va, &h->plain), pa))
        return;
    write = write && a == ACCESS_STORE && !(*v->flags & (MEM_CODE | MEM_PTE | MEM_WATCH));
    if (t->pa == pa && t->wtag == page_va)
        write = true;
    if (a != ACCESS_STORE && !(*v->flags & MEM_SHARED))
        *v->flags |= MEM_SHARED; /* it may be: to know would cost a look at its count */
    struct tlb_entry entry = {
        .rtag = read ? page_va : TLB_NONE, .wtag = write ? page_va : TLB_NONE, .add = (uintptr_t)v->host - page_va, .pa = pa};
    tlb_enter(h->cpu.tlb, n, entry, from);
}

/* An access that is about to be made, with nothing to fault any more: whether a watchpoint stops it. */
static inline bool watched(struct hart *h, uint64_t va, uint64_t pa, unsigned size, unsigned kinds, const struct access_mode *m)
{
    return unlikely(h->cpu.engine->watchpoints) &&
           cpu_watch_here(&h->cpu, mmu_address(h, va, m), pa, size, kinds, h->s.pc, h->s.cycle);
}

static bool access_fault(struct hart *h, uint64_t va, enum access a, const struct access_mode *m)
{
    bool load = a == ACCESS_LOAD && !m->shadow_stack && !m->cbo; /* zicfiss, CMO: reported as stores */
    h->trap = (struct trap){.cause = load ? EXC_LOAD_ACCESS : EXC_STORE_ACCESS, .tval = mmu_address(h, va, m), .gva = m->v};
    return false;
}

static bool misaligned(struct hart *h, uint64_t va, enum access a, const struct access_mode *m)
{
    h->trap = (struct trap){
        .cause = a == ACCESS_LOAD ? EXC_LOAD_MISALIGNED : EXC_STORE_MISALIGNED, .tval = mmu_address(h, va, m), .gva = m->v};
    return false;
}

/* A device may change what is due next: the hart's clock is exact while it looks, and the run loop is told by cpu.resync. */
static bool io_load(struct hart *h, uint64_t va, uint64_t pa, unsigned size, const struct access_mode *m, uint64_t *value)
{
    if (size <= 8 && !(pa & (size - 1)) && mem_io_read(h->cpu.mem, pa, size, value))
        return true;
    return access_fault(h, va, ACCESS_LOAD, m);
}

static bool load_page(struct hart *h, uint64_t va, unsigned size, const struct access_mode *m, bool plain, uint64_t *value)
{
    struct xlate x;
    if (!mmu_translate(h, va, size, ACCESS_LOAD, m, &x))
        return false;
    struct mem_view v;
    if (watched(h, va, x.pa, size, WATCH_READ, m))
        return false;
    if (!mem_look(h->cpu.mem, x.pa, &v))
        return io_load(h, va, x.pa, size, m, value);
    *value = 0;
    memcpy(value, v.host + (x.pa & PAGE_OFFSET), size);
    if (plain && x.page_bits)
        remember(h, va, x.pa, x.read, x.write, ACCESS_LOAD, &v, x.from);
    return true;
}

/* The page that holds pa, this machine's own from now on: *v tells where it is. False: it is not RAM that can be written. */
static bool own_page(struct hart *h, uint64_t pa, struct mem_view *v)
{
    if (!mem_look(h->cpu.mem, pa, v))
        return false;
    if (likely(mem_page_private(h->cpu.mem, pa)))
        return true;
    v->host = mem_page_write(h->cpu.mem, pa);
    if (v->host)
        engine_forget_shared(h->cpu.engine, pa);
    return v->host != NULL;
}

static void store_view(struct hart *h, uint64_t pa, unsigned size, uint64_t value, const struct mem_view *v)
{
    uint8_t *host = (uint8_t *)(uintptr_t)v->host + (pa & PAGE_OFFSET);
    if (unlikely(*v->flags & (MEM_CODE | MEM_PTE | MEM_WATCH))) {
        uint64_t old = 0, new = 0;
        memcpy(&old, host, size);
        memcpy(&new, &value, size);
        memcpy(host, &value, size);
        engine_store(h->cpu.engine, pa, size, old, new);
        return;
    }
    memcpy(host, &value, size);
}

bool ram_store(struct hart *h, uint64_t pa, unsigned size, uint64_t value)
{
    struct mem_view v;
    if (!own_page(h, pa, &v))
        return false;
    store_view(h, pa, size, value, &v);
    return true;
}

static bool store_page(struct hart *h, uint64_t va, unsigned size, const struct access_mode *m, bool plain, uint64_t value)
{
    struct xlate x;
    struct mem_view v;
    uint64_t marks = h->cpu.engine->marks;
    if (!mmu_translate(h, va, size, ACCESS_STORE, m, &x) || watched(h, va, x.pa, size, WATCH_WRITE, m))
        return false;
    if (!own_page(h, x.pa, &v)) {
        if (size <= 8 && !(x.pa & (size - 1)) && mem_io_write(h->cpu.mem, x.pa, size, value))
            return true;
        return access_fault(h, va, ACCESS_STORE, m);
    }
    store_view(h, x.pa, size, value, &v);
    /* A store that changed page tables may have changed the translation it was made by. */
    if (plain && x.page_bits && h->cpu.engine->marks == marks)
        remember(h, va, x.pa, x.read, x.write, ACCESS_STORE, &v, x.from);
    return true;
}

/* xlate.from of a page that mmu_quick translated. */
static inline uint32_t quick_from(const struct hart *h, uint64_t va)
{
    return h->cpu.data_ctx->table[0][(va >> MMU_REGION_SHIFT) % TABLE_SIZE].from;
}

const uint8_t *hart_quick_load(struct hart *h, uint64_t va)
{
    struct mem_view v;
    uint64_t page = mmu_quick(h, va, ACCESS_LOAD);
    if (unlikely(page == MMU_UNKNOWN) || unlikely(h->cpu.engine->watchpoints) || unlikely(!mem_look(h->cpu.mem, page, &v)))
        return NULL;
    remember(h, va, page, true, false, ACCESS_LOAD, &v, quick_from(h, va));
    return v.host + (va & PAGE_OFFSET);
}

uint8_t *hart_quick_store(struct hart *h, uint64_t va)
{
    struct mem_view v;
    uint64_t page = mmu_quick(h, va, ACCESS_STORE);
    if (unlikely(page == MMU_UNKNOWN) || unlikely(h->cpu.engine->watchpoints) || unlikely(!mem_look(h->cpu.mem, page, &v)) ||
        unlikely(*v.flags & (MEM_CODE | MEM_PTE | MEM_WATCH)) || unlikely(!mem_page_private(h->cpu.mem, page)))
        return NULL;
    remember(h, va, page, true, true, ACCESS_STORE, &v, quick_from(h, va));
    return (uint8_t *)(uintptr_t)v.host + (va & PAGE_OFFSET);
}

static unsigned bytes_in_page(uint64_t va) { return MEM_PAGE_SIZE - (unsigned)(va & PAGE_OFFSET); }

static bool plain_access(const struct hart *h, const struct access_mode *m)
{
    return !m->hlv && !m->shadow_stack && m == &h->plain;
}

bool hart_load(struct hart *h, uint64_t va, unsigned size, const struct access_mode *m, uint64_t *value)
{
    h->access_va = va;
    va = truncate(h, va);
    if ((va & (size - 1)) && !h->cfg->misaligned)
        return misaligned(h, va, ACCESS_LOAD, m);
    unsigned here = bytes_in_page(va);
    if (likely(here >= size))
        return load_page(h, va, size, m, plain_access(h, m), value);
    /* Devices take no misaligned access (priv 3.6.3.3), and none may see a part of one that fails. */
    struct xlate lo, hi;
    uint64_t va2 = truncate(h, va + here);
    if (!mmu_translate(h, va, here, ACCESS_LOAD, m, &lo) || !mmu_translate(h, va2, size - here, ACCESS_LOAD, m, &hi))
        return false;
    const uint8_t *host = mem_page_read(h->cpu.mem, lo.pa), *host2 = mem_page_read(h->cpu.mem, hi.pa);
    if (!host || !host2)
        return access_fault(h, host ? va2 : va, ACCESS_LOAD, m);
    if (watched(h, va, lo.pa, here, WATCH_READ, m) || watched(h, va2, hi.pa, size - here, WATCH_READ, m))
        return false;
    *value = 0;
    memcpy(value, host + (lo.pa & PAGE_OFFSET), here);
    memcpy((uint8_t *)value + here, host2 + (hi.pa & PAGE_OFFSET), size - here);
    return true;
}

bool hart_store(struct hart *h, uint64_t va, unsigned size, const struct access_mode *m, uint64_t value)
{
    h->access_va = va;
    va = truncate(h, va);
    if ((va & (size - 1)) && !h->cfg->misaligned)
        return misaligned(h, va, ACCESS_STORE, m);
    unsigned here = bytes_in_page(va);
    if (likely(here >= size))
        return store_page(h, va, size, m, plain_access(h, m), value);
    /* Both pages must permit the store before either is changed. */
    struct mem_view v;
    struct xlate lo, hi;
    uint64_t va2 = truncate(h, va + here);
    if (!mmu_translate(h, va, here, ACCESS_STORE, m, &lo) || !mmu_translate(h, va2, size - here, ACCESS_STORE, m, &hi))
        return false;
    if (!own_page(h, lo.pa, &v))
        return access_fault(h, va, ACCESS_STORE, m);
    if (!own_page(h, hi.pa, &v))
        return access_fault(h, va2, ACCESS_STORE, m);
    if (watched(h, va, lo.pa, here, WATCH_WRITE, m) || watched(h, va2, hi.pa, size - here, WATCH_WRITE, m))
        return false;
    return ram_store(h, lo.pa, here, value) && ram_store(h, hi.pa, size - here, value >> (8 * here));
}

bool hart_atomic(struct hart *h, uint64_t va, unsigned size, enum access a, enum atomic_kind kind, const struct access_mode *m)
{
    static const uint8_t does[] = {[ATOMIC_LR] = WATCH_READ, [ATOMIC_SC] = WATCH_WRITE, [ATOMIC_AMO] = WATCH_READ | WATCH_WRITE};
    struct xlate x;
    h->access_va = va;
    va = truncate(h, va);
    if (va & (size - 1))
        return misaligned(h, va, a, m);
    if (!mmu_translate(h, va, size, a, m, &x))
        return false;
    struct mem_view v; /* PMA: devices do no atomics (priv 3.6.3) */
    if (!(a == ACCESS_STORE ? own_page(h, x.pa, &v) : mem_look(h->cpu.mem, x.pa, &v)))
        return access_fault(h, va, a, m);
    bool fails = kind == ATOMIC_SC && (h->s.res_valid != size || h->s.res_pa != x.pa);
    if (!fails && watched(h, va, x.pa, size, does[kind], m))
        return false;
    h->slow.pa = x.pa;
    h->slow.host = (uint8_t *)(uintptr_t)v.host + (x.pa & PAGE_OFFSET);
    if (plain_access(h, m) && x.page_bits)
        remember(h, va, x.pa, x.read, x.write, a, &v, x.from);
    return true;
}

bool hart_block(struct hart *h, uint64_t va, bool zero)
{
    struct xlate x;
    struct access_mode m = h->plain;
    va = truncate(h, va);
    h->access_va = va;
    uint64_t block = va & ~(uint64_t)(CACHE_BLOCK_BYTES - 1), offset = va - block;
    m.cbo =
        !zero; /* management needs permission to load or to store (unpriv CMO "Faults"); what it raises is of the store kind */
    if (mmu_translate(h, block, CACHE_BLOCK_BYTES, zero ? ACCESS_STORE : ACCESS_LOAD, &m, &x)) {
        if (!zero)
            return true;
        if (watched(h, block, x.pa, CACHE_BLOCK_BYTES, WATCH_WRITE, &m))
            return false;
        bool ram = true;
        for (unsigned i = 0; i < CACHE_BLOCK_BYTES && ram; i += 8)
            ram = ram_store(h, x.pa + i, 8, 0);
        return ram || access_fault(h, va, ACCESS_STORE, &m);
    }
    /* What is told is the address of the instruction, not of the block. */
    h->trap.tval += offset;
    if (!h->trap.tinst && h->trap.tval2)
        h->trap.tval2 += offset >> 2;
    return false;
}

/* ---- LR/SC
 * ---------------------------------------------------------------------------------------------------------------------- */

void hart_reserve(struct hart *h, uint64_t pa, unsigned size)
{
    h->s.res_valid = (uint8_t)size;
    h->s.res_pa = pa;
}

void hart_watch_reservation(struct hart *h)
{
    uint8_t *flags = mem_page_flags(h->cpu.mem, h->s.res_pa);
    if (flags && !(*flags & MEM_WATCH)) {
        *flags |= MEM_WATCH;
        engine_protect(h->cpu.engine, h->s.res_pa);
    }
}

/* ---- instruction fetch
 * ------------------------------------------------------------------------------------------------------------ */

static bool fetch_fault(struct hart *h, uint64_t va)
{
    h->trap = (struct trap){.cause = EXC_INSN_ACCESS, .tval = va, .gva = h->s.v};
    return false;
}

bool hart_fetch(struct hart *h, uint64_t pc, uint32_t *insn)
{
    const struct access_mode m = {.priv = h->s.priv, .v = h->s.v};
    struct xlate x;
    uint16_t half[2] = {0, 0};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t va = truncate(h, pc + 2 * i);
        if (!mmu_translate(h, va, 2, ACCESS_FETCH, &m, &x))
            return false;
        const uint8_t *page = mem_page_read(h->cpu.mem, x.pa);
        if (!page) /* PMA: devices hold no code, and a fetch may be repeated (priv 3.6.2) */
            return fetch_fault(h, va);
        memcpy(&half[i], page + (x.pa & PAGE_OFFSET), 2);
        if ((half[0] & 3) != 3)
            break;
    }
    *insn = half[0] | (uint32_t)half[1] << 16;
    return true;
}

struct code_page *hart_fetch_page(struct hart *h, uint64_t pc)
{
    const struct access_mode m = {.priv = h->s.priv, .v = h->s.v};
    struct xlate x;
    h->slow.value = !mmu_translate(h, truncate(h, pc), 2, ACCESS_FETCH, &m, &x);
    if (h->slow.value || !x.page_bits || !x.exec || !mem_page_read(h->cpu.mem, x.pa))
        return NULL;
    uint64_t page_va = pc & ~(uint64_t)PAGE_OFFSET;
    struct code_page *p = engine_code(h->cpu.engine, x.pa & ~(uint64_t)PAGE_OFFSET, h->xlen == 32);
    unsigned n = (pc >> MEM_PAGE_SHIFT) & (FTLB_SIZE - 1);
    h->cpu.ftlb[n] = (struct ftlb_entry){.tag = page_va, .page = p};
    h->cpu.fetch_ctx->f_from[n] = x.from;
    return p;
}
