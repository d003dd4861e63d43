/* Loads, stores and fetches outside the fast path: translation, alignment, RAM or device, and what keeps the caches true. */
#include "cpu/arm/access.h"
#include "cpu/arm/regime.h"

#include "cpu/arm/debug.h"
#include "cpu/arm/tags.h"
#include "cpu/arm/walk.h"
#include "cpu/gist.h"
#include "cpu/watch.h"

#include <string.h>

#define PAGE_OFFSET (MEM_PAGE_SIZE - 1)

static struct tlb_ctx *context_for(struct pe *p, const struct access_mode *m)
{
    uint64_t key[4];
    pe_translation_key(p, m, key);
    uint64_t before = p->cpu.ctx_evictions;
    struct tlb_ctx *t = cpu_ctx(&p->cpu, key);
    if (p->cpu.ctx_evictions != before)
        memset(p->mode_ctx, 0, sizeof p->mode_ctx); /* one of them may have been given away */
    return t;
}

static struct tlb_ctx *mode_context(struct pe *p, const struct access_mode *m)
{
    struct tlb_ctx *t = p->mode_ctx[m->number];
    if (likely(t) && likely(t->gen == p->cpu.engine->gen))
        return t;
    t = context_for(p, m);
    p->mode_ctx[m->number] = t;
    return t;
}

/* A context in which nothing is ever entered. */
static struct tlb_ctx *empty_context(struct pe *p)
{
    static const uint64_t key[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    uint64_t before = p->cpu.ctx_evictions;
    struct tlb_ctx *t = cpu_ctx(&p->cpu, key);
    if (p->cpu.ctx_evictions != before)
        memset(p->mode_ctx, 0, sizeof p->mode_ctx);
    return t;
}

void pe_context(struct pe *p)
{
    struct cpu *c = &p->cpu;
    struct tlb_ctx *t = mode_context(p, &p->plain);
    c->fetch_ctx = c->data_ctx = t;
    c->ftlb = t->f;
    if (unlikely(p->no_fast & NO_FAST_ANY)) {
        c->data_ctx = empty_context(p);
        c->user_ctx = NULL;
        c->tlb = p->utlb = c->data_ctx->d;
        return;
    }
    c->tlb = t->d;
    c->user_ctx = NULL;
    p->utlb = t->d;
    if (p->unpriv.el != p->plain.el) {
        struct tlb_ctx *u = mode_context(p, &p->unpriv);
        c->user_ctx = u;
        p->utlb = u->d;
        if (unlikely(p->mode_ctx[p->plain.number] != t)) { /* it took the place of the first */
            t = mode_context(p, &p->plain);
            c->fetch_ctx = c->data_ctx = t;
            c->ftlb = t->f;
            c->tlb = t->d;
        }
    }
}

/* A data address without the tag that is ignored in it. Arm ARM D8.8, "Address tagging". */
static uint64_t untagged(const struct pe *p, uint64_t va, const struct access_mode *m)
{
    struct s1_range r = regime_range(p, regime_of(p, m->el), va >> 55 & 1);
    uint64_t mask = r.tbi ? bits_mask(56, 8) : r.mtx ? bits_mask(56, 4) : 0;
    return regime_has_el0(p, m->regime) && (va >> 55 & 1) ? va | mask : va & ~mask;
}

/* Enters a translation of the page of va into the context the access uses. */
static void remember(struct pe *p, uint64_t va, const struct xlate *x, enum access a, const struct access_mode *m,
                     const struct mem_view *v)
{
    struct tlb_entry *tlb = m == &p->unpriv ? p->utlb : p->cpu.tlb;
    unsigned n = (va >> MEM_PAGE_SHIFT) & (TLB_SIZE - 1);
    struct tlb_entry *t = &tlb[n];
    uint64_t page_va = va & ~(uint64_t)PAGE_OFFSET, pa = x->pa & ~(uint64_t)PAGE_OFFSET;
    uint64_t tag = x->device || p->strict ? page_va | TLB_ALIGNED : page_va;
    if (unlikely(p->cpu.engine->watchpoints) && cpu_watches_page(&p->cpu, untagged(p, va, m), pa))
        return;
    /* Atomics look for a permission to store alone: stage 2 can permit that without loads. */
    bool write = x->write && x->read && a == ACCESS_STORE && !(*v->flags & (MEM_CODE | MEM_PTE | MEM_WATCH));
    if (t->pa == pa && t->wtag == tag)
        write = true;
    if (a != ACCESS_STORE && !(*v->flags & MEM_SHARED))
        *v->flags |= MEM_SHARED; /* it may be: to know would cost a look at its count */
    struct tlb_entry entry = {
        .rtag = x->read ? tag : TLB_NONE, .wtag = write ? tag : TLB_NONE, .add = (uintptr_t)v->host - page_va, .pa = pa};
    tlb_enter(tlb, n, entry, x->from);
}

/* An access of an instruction is about to be made, and does not fault: what a trace of instructions has to know of it. */
static inline void traced(struct pe *p, uint64_t va, uint64_t pa, const struct access_mode *m)
{
    if (unlikely(p->cpu.engine->insns))
        gist_touch(&p->cpu, va, pa, m == &p->unpriv);
}

/* ---- faults ------------------------------------------------------------------------------------------------------------------
 */

/* Whether a debugger's watchpoint stops the access of n bytes at va, which is about to be made and will not fault. */
static bool stops(struct pe *p, uint64_t va, uint64_t n, unsigned kinds, enum access a, const struct access_mode *m)
{
    struct xlate x;
    while (n) {
        uint64_t here = MEM_PAGE_SIZE - (va & PAGE_OFFSET);
        here = here < n ? here : n;
        if (!pe_translate(p, va, 1, a, m, &x))
            return false;
        if (cpu_watch_here(&p->cpu, untagged(p, va, m), x.pa, here, kinds, p->s.pc, p->s.cycle))
            return true;
        va += here;
        n -= here;
    }
    return false;
}

static inline bool of_a_context(const struct pe *p, const struct access_mode *m)
{
    return m == &p->plain || m == &p->unpriv || (m == &p->slow.mode && !m->unpriv);
}

/* Tags are checked in some context: there the fast path knows no Tagged memory. */
static __attribute__((noinline)) bool may_remember_untagged(const struct pe *p, const struct access_mode *m,
                                                            const struct xlate *x)
{
    return p->no_fast == NO_FAST_TAGS && of_a_context(p, m) &&
           !((x->tagged || x->canonical) && (m == &p->unpriv ? m : &p->plain)->checked);
}

/* Whether the fast path may learn from an access made so. */
static inline bool may_remember(const struct pe *p, const struct access_mode *m, const struct xlate *x)
{
    return likely(!p->no_fast) ? of_a_context(p, m) : may_remember_untagged(p, m, x);
}

/* An abort that is no result of translation. */
static bool abort_at(struct pe *p, uint64_t va, enum access a, const struct access_mode *m, unsigned fsc)
{
    struct walk w = {.p = p, .va = va, .access = a, .m = *m, .write = a == ACCESS_STORE && !m->atomic};
    return ttw_fault(&w, fsc, 0);
}

/* Nothing answers at x. Its address is told (FEAT_PFAR); those of walks and of SErrors are not: IMPLEMENTATION DEFINED. */
static bool external_abort(struct pe *p, uint64_t va, enum access a, const struct access_mode *m, const struct xlate *x)
{
    abort_at(p, va, a, m, FSC_EXTERNAL);
    p->exc.pa_valid = true;
    p->exc.pa = x->pa | (uint64_t)x->ns << 63;
    return false;
}

bool pe_alignment_fault(struct pe *p, uint64_t va, enum access a) { return abort_at(p, va, a, &p->plain, FSC_ALIGNMENT); }

/* Arm ARM AArch64.UnalignedAccessFaults: size is that of all elements together. */
static bool unaligned_faults(const struct pe *p, uint64_t va, unsigned size, const struct access_mode *m)
{
    if (p->strict || m->rcw)
        return true;
    if (!m->exclusive)
        return false;
    bool inside = (va & 15) + size <= 16;
    if (!arm_has(p->cfg, FEAT_LSE2))
        return true;
    return !inside && !(m->ordered && (sctlr_of(p, regime_of(p, p->el)) & sctlr_el1_nAA));
}

/* ---- RAM ----------------------------------------------------------------------------------------------------------------------
 */

/* The page that holds pa, this machine's own from now on: *v tells where it is. False: it is not RAM that can be written. */
static bool own_page(struct pe *p, uint64_t pa, struct mem_view *v)
{
    if (!mem_look(p->cpu.mem, pa, v))
        return false;
    if (likely(mem_page_private(p->cpu.mem, pa)))
        return true;
    v->host = mem_page_write(p->cpu.mem, pa);
    if (v->host)
        engine_forget_shared(p->cpu.engine, pa);
    return v->host != NULL;
}

static void store_view(struct pe *p, uint64_t pa, unsigned size, uint64_t value, const struct mem_view *v)
{
    uint8_t *host = (uint8_t *)(uintptr_t)v->host + (pa & PAGE_OFFSET);
    if (unlikely(*v->flags & (MEM_CODE | MEM_PTE | MEM_WATCH))) {
        uint64_t old = 0, new = 0;
        memcpy(&old, host, size);
        memcpy(&new, &value, size);
        memcpy(host, &value, size);
        engine_store(p->cpu.engine, pa, size, old, new);
        return;
    }
    memcpy(host, &value, size);
}

bool pe_ram_store(struct pe *p, uint64_t pa, unsigned size, uint64_t value)
{
    struct mem_view v;
    if (!own_page(p, pa, &v))
        return false;
    store_view(p, pa, size, value, &v);
    return true;
}

/* A part of a vector register, inside a page: in pieces the engine can be told of. */
static void store_bytes(struct pe *p, uint64_t pa, unsigned n, const uint8_t *from, const struct mem_view *v)
{
    while (n) {
        unsigned here = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
        uint64_t value = 0;
        memcpy(&value, from, here);
        store_view(p, pa, here, value, v);
        pa += here;
        from += here;
        n -= here;
    }
}

/* ---- one element --------------------------------------------------------------------------------------------------------------
 */

/* A device may change what is due next: the PE's clock is exact while it looks, and the run loop is told by cpu.resync. Devices
   have no accesses of more than 8 bytes: those are made in two. */
static bool io_read(struct pe *p, const struct xlate *x, unsigned size, uint8_t *to)
{
    uint64_t pa = x->pa;
    p->cpu.io_secure = !x->ns;
    for (unsigned at = 0; at < size; at += 8) {
        uint64_t v = 0;
        unsigned n = size < 8 ? size : 8;
        if (!mem_io_read(p->cpu.mem, pa + at, n, &v))
            return false;
        memcpy(to + at, &v, n);
    }
    return true;
}

static bool io_write(struct pe *p, const struct xlate *x, unsigned size, const uint8_t *from)
{
    uint64_t pa = x->pa;
    p->cpu.io_secure = !x->ns;
    for (unsigned at = 0; at < size; at += 8) {
        uint64_t v = 0;
        unsigned n = size < 8 ? size : 8;
        memcpy(&v, from + at, n);
        if (!mem_io_write(p->cpu.mem, pa + at, n, v))
            return false;
    }
    return true;
}

/* The same by the short way; false: by the long one. */
static bool quick_load(struct pe *p, uint64_t va, unsigned size, uint8_t *to)
{
    struct xlate x = {.read = true};
    struct mem_view v;
    x.pa = pe_quick(p, va, ACCESS_LOAD, &x.from);
    if (unlikely(x.pa == PE_UNKNOWN) || unlikely(!mem_look(p->cpu.mem, x.pa, &v)))
        return false;
    traced(p, va, x.pa, &p->plain);
    memcpy(to, v.host + (va & PAGE_OFFSET), size);
    remember(p, va, &x, ACCESS_LOAD, &p->plain, &v);
    return true;
}

static bool quick_store(struct pe *p, uint64_t va, unsigned size, const uint8_t *from)
{
    struct xlate x = {.read = true, .write = true};
    struct mem_view v;
    x.pa = pe_quick(p, va, ACCESS_STORE, &x.from);
    if (unlikely(x.pa == PE_UNKNOWN) || unlikely(!mem_look(p->cpu.mem, x.pa, &v)) ||
        unlikely(*v.flags & (MEM_CODE | MEM_PTE | MEM_WATCH)) || unlikely(!mem_page_private(p->cpu.mem, x.pa)))
        return false;
    traced(p, va, x.pa, &p->plain);
    memcpy((uint8_t *)(uintptr_t)v.host + (va & PAGE_OFFSET), from, size);
    remember(p, va, &x, ACCESS_STORE, &p->plain, &v);
    return true;
}

static bool load_page(struct pe *p, uint64_t va, unsigned size, const struct access_mode *m, uint8_t *to)
{
    struct xlate x;
    struct mem_view v;
    if (m == &p->plain && !p->no_fast && quick_load(p, va, size, to))
        return true;
    if (!pe_translate(p, va, size, ACCESS_LOAD, m, &x))
        return false;
    if (!mem_look(p->cpu.mem, x.pa, &v)) {
        if ((x.pa & (size - 1)) || !io_read(p, &x, size, to))
            return external_abort(p, va, ACCESS_LOAD, m, &x);
        if (unlikely(p->cpu.engine->insns))
            gist_value(&p->cpu, va, to, size);
        return true;
    }
    traced(p, va, x.pa, m);
    memcpy(to, v.host + (x.pa & PAGE_OFFSET), size);
    if (x.page_bits && may_remember(p, m, &x))
        remember(p, va, &x, ACCESS_LOAD, m, &v);
    return true;
}

static bool store_page(struct pe *p, uint64_t va, unsigned size, const struct access_mode *m, const uint8_t *from)
{
    struct xlate x;
    struct mem_view v;
    uint64_t marks = p->cpu.engine->marks;
    if (m == &p->plain && !p->no_fast && quick_store(p, va, size, from))
        return true;
    if (!pe_translate(p, va, size, ACCESS_STORE, m, &x))
        return false;
    if (!own_page(p, x.pa, &v)) {
        if (unlikely(p->cpu.engine->insns))
            gist_device(&p->cpu, va);
        if (!(x.pa & (size - 1)) && io_write(p, &x, size, from))
            return true;
        return external_abort(p, va, ACCESS_STORE, m, &x);
    }
    traced(p, va, x.pa, m);
    store_bytes(p, x.pa, size, from, &v);
    /* A store that changed page tables may have changed the translation it was made by. */
    if (x.page_bits && p->cpu.engine->marks == marks && may_remember(p, m, &x))
        remember(p, va, &x, ACCESS_STORE, m, &v);
    return true;
}

/* An unaligned element over the end of a page. What the second part's page does not permit is told as a fault at its start. */
static bool load_across(struct pe *p, uint64_t va, unsigned size, const struct access_mode *m, uint8_t *to)
{
    struct xlate lo, hi;
    unsigned here = MEM_PAGE_SIZE - (unsigned)(va & PAGE_OFFSET);
    if (!pe_translate(p, va, size, ACCESS_LOAD, m, &lo) || !pe_translate(p, va + here, 1, ACCESS_LOAD, m, &hi))
        return false;
    const uint8_t *host = mem_page_read(p->cpu.mem, lo.pa), *host2 = mem_page_read(p->cpu.mem, hi.pa);
    if (!host || !host2)
        return external_abort(p, host ? va + here : va, ACCESS_LOAD, m, host ? &hi : &lo);
    traced(p, va, lo.pa, m);
    traced(p, va + here, hi.pa, m);
    memcpy(to, host + (lo.pa & PAGE_OFFSET), here);
    memcpy(to + here, host2 + (hi.pa & PAGE_OFFSET), size - here);
    return true;
}

static bool store_across(struct pe *p, uint64_t va, unsigned size, const struct access_mode *m, const uint8_t *from)
{
    struct xlate lo, hi;
    struct mem_view v, v2;
    unsigned here = MEM_PAGE_SIZE - (unsigned)(va & PAGE_OFFSET);
    /* Both pages must permit the store before either is changed. */
    if (!pe_translate(p, va, size, ACCESS_STORE, m, &lo) || !pe_translate(p, va + here, 1, ACCESS_STORE, m, &hi))
        return false;
    if (!own_page(p, lo.pa, &v))
        return external_abort(p, va, ACCESS_STORE, m, &lo);
    if (!own_page(p, hi.pa, &v2))
        return external_abort(p, va + here, ACCESS_STORE, m, &hi);
    traced(p, va, lo.pa, m);
    traced(p, va + here, hi.pa, m);
    store_bytes(p, lo.pa, here, from, &v);
    store_bytes(p, hi.pa, size - here, from + here, &v2);
    return true;
}

static void reverse(uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        uint8_t t = b[i];
        b[i] = b[n - 1 - i];
        b[n - 1 - i] = t;
    }
}

/* What is looked at before any element is accessed. */
static bool admit(struct pe *p, uint64_t va, unsigned size, unsigned count, enum access a, const struct access_mode *m)
{
    if (unlikely(va & (size - 1)) && unaligned_faults(p, va, size * count, m))
        return abort_at(p, va, a, m, FSC_ALIGNMENT);
    return true;
}

#define LOOKS (NO_FAST_WATCH | NO_FAST_TAGS)

/* What comes between the translation of an access and the access: watchpoints, then the check of tags. True: p->exc. */
static __attribute__((noinline)) bool stopped(struct pe *p, uint64_t va, unsigned size, enum access a,
                                              const struct access_mode *m, bool check)
{
    if ((p->no_fast & NO_FAST_WATCH) && debug_watchpoint(p, va, size, a, m))
        return true;
    return m->checked && check && !tag_check(p, va, size, a, m);
}

static inline bool crosses(uint64_t va, unsigned size) { return (va & PAGE_OFFSET) + size > MEM_PAGE_SIZE; }

bool pe_load(struct pe *p, uint64_t va, unsigned size, unsigned count, const struct access_mode *m)
{
    if (!admit(p, va, size, count, ACCESS_LOAD, m))
        return false;
    if (unlikely(p->cpu.engine->watchpoints) && stops(p, va, size * count, WATCH_READ, ACCESS_LOAD, m))
        return false;
    for (unsigned i = 0; i < count; i++, va += size) {
        uint8_t *to = p->slow.data + i * size;
        if (!(crosses(va, size) ? load_across(p, va, size, m, to) : load_page(p, va, size, m, to)))
            return false;
        if (unlikely(p->no_fast & LOOKS) && stopped(p, va, size, ACCESS_LOAD, m, true))
            return false;
        if (unlikely(p->big_endian)) {
            reverse(to, size);
            if (p->cpu.engine->insns)
                gist_value(&p->cpu, va, to, size);
        }
    }
    return true;
}

/* The stores of an instruction that faults behind them, and those in an order of bytes that its register has not. */
static void traced_apart(struct pe *p, uint64_t va, unsigned n, bool whole)
{
    if (whole)
        gist_device(&p->cpu, va);
    if (n)
        gist_undone(&p->cpu, va, n);
}

bool pe_store(struct pe *p, uint64_t va, unsigned size, unsigned count, const struct access_mode *m)
{
    if (!admit(p, va, size, count, ACCESS_STORE, m))
        return false;
    if (unlikely(p->cpu.engine->watchpoints) && stops(p, va, size * count, WATCH_WRITE, ACCESS_STORE, m))
        return false;
    for (unsigned i = 0; i < count; i++, va += size) {
        uint8_t *from = p->slow.data + i * size;
        struct xlate x;
        if (unlikely(p->no_fast & LOOKS)) { /* behind the faults of translation and before the store */
            if (!pe_translate(p, va, size, ACCESS_STORE, m, &x) || stopped(p, va, size, ACCESS_STORE, m, true))
                return false;
        }
        if (unlikely(p->big_endian))
            reverse(from, size);
        if (!(crosses(va, size) ? store_across(p, va, size, m, from) : store_page(p, va, size, m, from))) {
            if (unlikely(p->cpu.engine->insns) && i)
                traced_apart(p, va - size, size, false);
            return false;
        }
        if (unlikely(p->cpu.engine->insns) && p->big_endian)
            traced_apart(p, va, size, true);
    }
    return true;
}

bool pe_atomic(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m)
{
    struct xlate x;
    struct mem_view v;
    if (!admit(p, va, size, 1, a, m) || !pe_translate(p, va, size, a, m, &x))
        return false;
    bool exclusive = !m->atomic && a == ACCESS_STORE, fails = exclusive && (p->s.monitor != size || p->s.monitor_pa != x.pa);
    if (unlikely(p->no_fast & LOOKS) && stopped(p, va, size, a, m, !fails))
        return false;
    /* Devices have no exclusive or atomic accesses. Arm ARM B2.9.2, B2.2.7: IMPLEMENTATION DEFINED. */
    if (!(a == ACCESS_STORE ? own_page(p, x.pa, &v) : mem_look(p->cpu.mem, x.pa, &v)))
        return abort_at(p, va, a, m, mem_page_read(p->cpu.mem, x.pa) ? FSC_EXTERNAL : FSC_EXCLUSIVE);
    unsigned kinds = (exclusive ? 0 : WATCH_READ) | (a == ACCESS_STORE ? WATCH_WRITE : 0);
    if (unlikely(p->cpu.engine->watchpoints) && !fails && stops(p, va, size, kinds, a, m))
        return false;
    traced(p, va, x.pa, m);
    p->slow.pa = x.pa;
    p->slow.host = (uint8_t *)(uintptr_t)v.host + (x.pa & PAGE_OFFSET);
    if (x.page_bits && may_remember(p, m, &x))
        remember(p, va, &x, a, m, &v);
    return true;
}

bool pe_zero(struct pe *p, uint64_t va, unsigned size, const struct access_mode *m)
{
    struct xlate x;
    struct mem_view v;
    uint64_t block = va & ~(uint64_t)(size - 1);
    struct access_mode zero = *m;
    zero.zva = true;
    if (!pe_translate(p, block, 1, ACCESS_STORE, &zero, &x)) {
        p->exc.far = va; /* the address as it was given (Arm ARM D1.3.5.5, "FAR_ELx") */
        return false;
    }
    if (unlikely(p->no_fast & LOOKS) && stopped(p, block, size, ACCESS_STORE, m, true))
        return false;
    if (!own_page(p, x.pa, &v))
        return external_abort(p, va, ACCESS_STORE, &zero, &x);
    if (unlikely(p->cpu.engine->watchpoints) && stops(p, block, size, WATCH_WRITE, ACCESS_STORE, m))
        return false;
    for (unsigned i = 0; i < size; i += 8)
        store_view(p, x.pa + i, 8, 0, &v);
    return true;
}

/* ---- the monitor
 * ---------------------------------------------------------------------------------------------------------------- */

void pe_watch_monitor(struct pe *p)
{
    uint8_t *flags = mem_page_flags(p->cpu.mem, p->s.monitor_pa);
    if (flags && !(*flags & MEM_WATCH)) {
        *flags |= MEM_WATCH;
        engine_protect(p->cpu.engine, p->s.monitor_pa);
    }
}

/* ---- instruction fetch
 * ---------------------------------------------------------------------------------------------------------- */

static struct access_mode fetch_mode(const struct pe *p) { return (struct access_mode){.el = p->el, .regime = p->plain.regime}; }

bool pe_fetch(struct pe *p, uint64_t pc, uint32_t *insn)
{
    const struct access_mode m = fetch_mode(p);
    struct xlate x;
    if (!pe_translate(p, pc, 4, ACCESS_FETCH, &m, &x))
        return false;
    const uint8_t *page = mem_page_read(p->cpu.mem, x.pa);
    if (!page) /* devices hold no code */
        return external_abort(p, pc, ACCESS_FETCH, &m, &x);
    memcpy(insn, page + (x.pa & PAGE_OFFSET), 4);
    p->slow.guarded = x.guarded;
    return true;
}

struct code_page *pe_fetch_page(struct pe *p, uint64_t pc)
{
    const struct access_mode m = fetch_mode(p);
    struct xlate x;
    p->slow.value = !pe_translate(p, pc, 4, ACCESS_FETCH, &m, &x);
    if (p->slow.value || !x.page_bits || !x.exec || !mem_page_read(p->cpu.mem, x.pa))
        return NULL;
    if (unlikely(p->cpu.engine->insns))
        gist_fetch(&p->cpu, pc, x.pa);
    uint64_t page_va = pc & ~(uint64_t)PAGE_OFFSET;
    struct code_page *c = engine_code(p->cpu.engine, x.pa & ~(uint64_t)PAGE_OFFSET, x.guarded ? CODE_GUARDED : CODE_PLAIN);
    unsigned n = (pc >> MEM_PAGE_SHIFT) & (FTLB_SIZE - 1);
    p->cpu.ftlb[n] = (struct ftlb_entry){.tag = page_va | (x.guarded ? 1 : 0), .page = c};
    p->cpu.fetch_ctx->f_from[n] = x.from;
    return c;
}
