/* Random page tables, registers and accesses: every outcome of mmu_translate against the oracle. */
#include "mmu_random.h"

#define SCENARIOS 300
#define CASES     1000

struct tally {
    unsigned cause[32], ok[2], cut, updated, quick[3];
};

static void show(struct world *w, uint64_t seed, unsigned n, uint64_t va, enum access a, const struct access_mode *m,
                 const struct oracle *o)
{
    const struct rv_csrs *r = &w->hart->s.csr;
    print_message("seed %llu case %u: va %llx access %d priv %d v %d hlv %d hlvx %d ss %d cbo %d\n", (unsigned long long)seed, n,
                  (unsigned long long)va, a, m->priv, m->v, m->hlv, m->hlvx, m->shadow_stack, m->cbo);
    print_message("satp %llx vsatp %llx hgatp %llx mstatus %llx vsstatus %llx menvcfg %llx henvcfg %llx\n",
                  (unsigned long long)r->satp, (unsigned long long)r->vsatp, (unsigned long long)r->hgatp,
                  (unsigned long long)r->mstatus, (unsigned long long)r->vsstatus, (unsigned long long)r->menvcfg,
                  (unsigned long long)r->henvcfg);
    print_message("oracle: ok %d pa %llx cause %llu tval %llx tval2 %llx tinst %llx\n", o->ok, (unsigned long long)o->pa,
                  (unsigned long long)o->trap.cause, (unsigned long long)o->trap.tval, (unsigned long long)o->trap.tval2,
                  (unsigned long long)o->trap.tinst);
    print_message("got: cause %llu tval %llx tval2 %llx tinst %llx\n", (unsigned long long)w->hart->trap.cause,
                  (unsigned long long)w->hart->trap.tval, (unsigned long long)w->hart->trap.tval2,
                  (unsigned long long)w->hart->trap.tinst);
}

static bool same_trap(const struct trap *a, const struct trap *b)
{
    return a->cause == b->cause && a->tval == b->tval && a->tval2 == b->tval2 && a->tinst == b->tinst && a->gva == b->gva &&
           a->interrupt == b->interrupt && a->nmi == b->nmi;
}

static bool one_entry(const struct oracle *o, uint64_t pa)
{
    uint64_t page = pa & ~UINT64_C(0xfff);
    int e = ora_pmp_entry(o, page);
    for (unsigned i = 4; i < MEM_PAGE_SIZE; i += 4)
        if (ora_pmp_entry(o, page + i) != e)
            return false;
    return true;
}

/* Would this access elsewhere in the page go through without touching a page table? */
static bool goes_through(struct oracle *o, uint64_t va, enum access a, const struct access_mode *m)
{
    ora_translate(o, va, 1, a, m);
    return o->ok && !o->updates;
}

static bool right_flags(struct world *w, uint64_t va, enum access a, const struct access_mode *m, const struct xlate *x,
                        uint64_t *rng)
{
    struct oracle o = {.w = w, .dry = true};
    uint64_t other = (va & ~UINT64_C(0xfff)) | rng_below(rng, 4096);
    if (m->hlvx || m->cbo)
        return x->read;
    if (a == ACCESS_FETCH)
        return x->exec == goes_through(&o, other, a, m);
    return x->read == goes_through(&o, other, ACCESS_LOAD, m) && x->write == goes_through(&o, other, ACCESS_STORE, m);
}

static bool marked(struct world *w, const struct oracle *o)
{
    for (unsigned i = 0; i < o->reads; i++)
        if (!(*mem_page_flags(w->mem, o->read_at[i]) & MEM_PTE))
            return false;
    return true;
}

static bool right(struct world *w, const struct oracle *o, uint64_t va, enum access a, const struct access_mode *m, bool ok,
                  const struct xlate *x, uint64_t *rng)
{
    for (unsigned i = 0; i < o->updates; i++)
        if (world_peek(w, o->update_at[i] & ~UINT64_C(7), 8) !=
            *(uint64_t *)(void *)world_shadow(w, o->update_at[i] & ~UINT64_C(7), 8))
            return false;
    if (ok != o->ok || !ok)
        return ok == o->ok && same_trap(&w->hart->trap, &o->trap);
    if (x->pa != o->pa || x->pbmt != o->pbmt || x->page_bits != (one_entry(o, o->pa) ? 12 : 0))
        return false;
    return !x->page_bits || (marked(w, o) && right_flags(w, va, a, m, x, rng));
}

/* The short way knows accesses of a region one of which was translated; what it says of them is what the manual says, and no
   entry needs to be updated for them. */
static void check_quick(struct world *w, uint64_t va, enum access a, struct tally *t)
{
    for (unsigned i = 0; i < 512; i += 3) {
        struct oracle o = {.w = w, .dry = true};
        uint64_t at = va ^ (uint64_t)i << MEM_PAGE_SHIFT, q = mmu_quick(w->hart, at, a);
        if (q == MMU_UNKNOWN)
            continue;
        t->quick[w->hart->plain.v + (w->hart->plain.v && w->hart->s.csr.hgatp)]++;
        ora_translate(&o, at, 1, a, &w->hart->plain);
        bool whole = o.ok && one_entry(&o, o.pa);
        if (!o.ok || o.updates || !whole || (q & ~UINT64_C(1)) != (o.pa & ~UINT64_C(0xfff)) ||
            (q & 1) != goes_through(&o, at, ACCESS_STORE, &w->hart->plain))
            fail_msg("mmu_quick: va %llx access %d: %llx, oracle %d %llx", (unsigned long long)at, a, (unsigned long long)q, o.ok,
                     (unsigned long long)o.pa);
    }
}

/* The access mode, as that of plain loads and stores where it can be. */
static const struct access_mode *plain_mode(struct world *w, const struct access_mode *m, enum access a)
{
    struct hart *h = w->hart;
    uint64_t key[4];
    if (a == ACCESS_FETCH || m->hlv || m->shadow_stack || m->cbo)
        return m;
    h->plain = *m;
    mmu_key(h, m, false, key);
    h->cpu.data_ctx = cpu_ctx(&h->cpu, key);
    return &h->plain;
}

/* One access: oracle first, then the same of the hart. */
static void check(struct world *w, uint64_t seed, unsigned n, uint64_t va, unsigned size, enum access a,
                  const struct access_mode *m, uint64_t *rng, struct oracle *o, struct tally *t)
{
    struct xlate x = {0};
    *o = (struct oracle){.w = w};
    ora_translate(o, va, size, a, m);
    m = plain_mode(w, m, a);
    bool ok = mmu_translate(w->hart, va, size, a, m, &x);
    if (!right(w, o, va, a, m, ok, &x, rng)) {
        show(w, seed, n, va, a, m, o);
        fail_msg("differs from the manual: ok %d pa %llx", ok, (unsigned long long)x.pa);
    }
    o->cut = ok && !x.page_bits;
    if (m == &w->hart->plain)
        check_quick(w, va, a, t);
}

/* The guest changes an entry the walk has just read, without a fence: what was remembered must not show. */
static void edit(struct world *w, const struct oracle *o, uint64_t *rng)
{
    bool rv32 = w->cfg.xlen == 32;
    unsigned n = rv32 ? 4 : 8;
    uint64_t at = o->read_at[rng_below(rng, o->reads)], pte = 0;
    if (world_is_rom(at))
        return;
    memcpy(&pte, world_shadow(w, at, n), n);
    switch (rng_below(rng, 4)) {
    case 0: pte ^= 1; break;
    case 1: pte ^= UINT64_C(1) << rng_below(rng, 8); break;
    case 2: pte ^= UINT64_C(1) << (10 + rng_below(rng, 6)); break;
    default: pte = random_pte(rng, rv32, 97, 50);
    }
    world_store(w, at, n, pte);
}

static void run(unsigned xlen, uint64_t seed, struct tally *t)
{
    static const uint8_t pa_bits[] = {56, 34, 40, 56};
    uint64_t rng = seed;
    struct mem *fork = NULL;
    struct world *w = world_new(xlen);
    w->cfg.pa_bits = pa_bits[rng_below(&rng, 4)];
    if (xlen == 32)
        w->cfg.pa_bits = 34;
    world_ext(w, EXT_Svnapot, often(&rng, 80));
    random_tables(w, &rng);
    uint64_t tidy = xlen == 64 && seed % 2 ? tidy_guest_tables(w, &rng) : 0;
    random_pmp(w, &rng);
    for (unsigned n = 0; n < CASES; n++) {
        if (n % 8 == 0)
            random_csrs(w, &rng);
        if (tidy && n % 16 == 0)
            w->hart->s.csr.hgatp = tidy;
        if (n % 64 == 0) {
            random_pmp(w, &rng);
            engine_flush(w->engine);
        }
        enum access a;
        struct access_mode m = random_mode(w, &rng, &a);
        uint64_t va = random_va(w, &rng);
        unsigned size = 1u << rng_below(&rng, 4);
        va = often(&rng, 50) ? va & ~(uint64_t)(size - 1) : va;
        if ((va & 0xfff) + size > 0x1000)
            va &= ~UINT64_C(0xfff);
        struct oracle o;
        check(w, seed, n, va, size, a, &m, &rng, &o, t);
        if (o.reads && often(&rng, 25)) {
            struct oracle again;
            edit(w, &o, &rng);
            check(w, seed, n, va, size, a, &m, &rng, &again, t);
        }
        if (o.ok)
            t->ok[m.v]++;
        else
            t->cause[o.trap.cause & 31]++;
        t->cut += o.cut;
        t->updated += o.updates > 0;
        if (n % 256 == 255) { /* from here on pages are shared, and move when stored to */
            mem_free(fork);
            fork = mem_fork(w->mem);
            engine_flush(w->engine);
        }
    }
    mem_free(fork);
    assert_true(world_same(w));
    world_free(w);
}

/* The cases must reach what they are for. */
static void enough(const struct tally *t)
{
    static const uint8_t causes[] = {1, 5, 7, 12, 13, 15, 20, 21, 23};
    print_message("translated %u (V=0) %u (V=1), updates %u, cut pages %u; by cause:", t->ok[0], t->ok[1], t->updated, t->cut);
    for (size_t i = 0; i < sizeof causes; i++)
        print_message(" %u:%u", causes[i], t->cause[causes[i]]);
    print_message("\n");
    for (size_t i = 0; i < sizeof causes; i++)
        assert_true(t->cause[causes[i]] > 500);
    assert_true(t->ok[0] > 5000 && t->ok[1] > 2000 && t->updated > 500 && t->cut > 50);
}

static void random_rv64_translations_follow_the_manual(void **state)
{
    (void)state;
    struct tally t = {0};
    for (unsigned i = 0; i < SCENARIOS; i++)
        run(64, 1000 + i, &t);
    enough(&t);
    print_message("the short way: %u (V=0) %u (VS stage) %u (both)\n", t.quick[0], t.quick[1], t.quick[2]);
    assert_true(t.quick[0] > 15000 && t.quick[1] > 1500 && t.quick[2] > 200);
}

static void random_rv32_translations_follow_the_manual(void **state)
{
    (void)state;
    struct tally t = {0};
    for (unsigned i = 0; i < SCENARIOS; i++)
        run(32, 5000 + i, &t);
    enough(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rv64_translations_follow_the_manual),
        cmocka_unit_test(random_rv32_translations_follow_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
