/* The rules of address translation one by one: hand-made tables, the exact exception or answer the manual asks for. */
#include "mmu_oracle.h"

#define V 0x01u
#define R 0x02u
#define W 0x04u
#define X 0x08u
#define U 0x10u
#define A 0x40u
#define D 0x80u
#define N (UINT64_C(1) << 63)
#define PBMT(n) ((uint64_t)(n) << 61)
#define SUM (UINT64_C(1) << 18)
#define MXR (UINT64_C(1) << 19)
#define ADUE (UINT64_C(1) << 61)
#define PBMTE (UINT64_C(1) << 62)
#define SSE (UINT64_C(1) << 3)
#define PMM(n) ((uint64_t)(n) << 32)

#define VA UINT64_C(0x12345000)
#define GPA UINT64_C(0x40002000)
#define DATA (RAM_BASE + 0x20000)
#define ROOT RAM_BASE            /* satp and vsatp */
#define GROOT (RAM_BASE + 0x4000)

static const struct access_mode host_s = {.priv = RV_S}, host_u = {.priv = RV_U}, guest_s = {.priv = RV_S, .v = 1},
                                guest_u = {.priv = RV_U, .v = 1}, machine = {.priv = RV_M};

/* A world whose tables are built on demand. */
struct rig {
    struct world *w;
    struct rv_csrs *r;
    unsigned next;     /* free table page */
    uint64_t pte_at;   /* where map put the leaf */
    struct xlate x;
};

static struct rig rig_new(unsigned xlen)
{
    struct rig k = {.w = world_new(xlen), .next = 8};
    k.r = &k.w->hart->s.csr;
    k.r->menvcfg = k.r->henvcfg = PBMTE | SSE;
    return k;
}

static uint64_t atp(const struct rig *k, unsigned mode, uint64_t root)
{
    return (k->w->cfg.xlen == 32 ? (uint64_t)1 << 31 : (uint64_t)mode << 60) | root >> 12;
}

static unsigned levels(const struct rig *k, unsigned mode) { return k->w->cfg.xlen == 32 ? 2 : mode - 5; }

/* Enters pte for va at `level` of the table at root, with the pointers above it. gstage: the root has two more index bits. */
static void map_at(struct rig *k, unsigned mode, uint64_t root, bool gstage, uint64_t va, unsigned level, uint64_t pte)
{
    unsigned bits = k->w->cfg.xlen == 32 ? 10 : 9, size = k->w->cfg.xlen == 32 ? 4 : 8, top = levels(k, mode) - 1;
    uint64_t table = root;
    for (unsigned i = top;; i--) {
        unsigned width = bits + (gstage && i == top ? 2 : 0);
        uint64_t at = table + bits_get(va, 12 + i * bits + width - 1, 12 + i * bits) * size;
        if (i == level) {
            world_poke(k->w, at, size, pte);
            k->pte_at = at;
            engine_flush(k->w->engine);
            return;
        }
        if (!(world_peek(k->w, at, size) & V))
            world_poke(k->w, at, size, (RAM_BASE + 0x1000 * k->next++) >> 2 | V);
        table = (world_peek(k->w, at, size) << 2) & bits_mask(12, 44);
    }
}

static uint64_t leaf_pte(uint64_t pa, uint64_t flags) { return pa >> 2 | flags; }

/* One stage, Sv39 or Sv32: VA to DATA with these flags. */
static struct rig one_stage(unsigned xlen, uint64_t flags)
{
    struct rig k = rig_new(xlen);
    k.r->satp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(DATA, flags));
    return k;
}

/* Two stages, Sv39 on Sv39x4: VA to GPA with vs flags, GPA to DATA with g flags; the guest's tables are where it thinks they are. */
static struct rig two_stage(unsigned xlen, uint64_t vs, uint64_t g)
{
    struct rig k = rig_new(xlen);
    k.r->vsatp = atp(&k, 8, ROOT);
    k.r->hgatp = atp(&k, 8, GROOT);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, vs));
    for (unsigned i = 0; i < 20; i++)
        map_at(&k, 8, GROOT, true, RAM_BASE + i * 0x1000, 0, leaf_pte(RAM_BASE + i * 0x1000, V | R | W | U | A | D));
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, g));
    return k;
}

static bool go(struct rig *k, uint64_t va, enum access a, const struct access_mode *m)
{
    memset(&k->w->hart->trap, 0xee, sizeof k->w->hart->trap);
    return mmu_translate(k->w->hart, va, 4, a, m, &k->x);
}

static void done(struct rig *k) { world_free(k->w); }

static void check_fault(struct rig *k, uint64_t va, enum access a, const struct access_mode *m, unsigned cause, uint64_t tval, int line)
{
    const struct trap *t = &k->w->hart->trap;
    if (go(k, va, a, m))
        fail_msg("line %d: no fault", line);
    if (t->cause != cause || t->tval != tval || t->gva != m->v || t->interrupt || t->nmi)
        fail_msg("line %d: cause %u tval %llx gva %d", line, (unsigned)t->cause, (unsigned long long)t->tval, t->gva);
}

#define FAULTS(k, va, a, m, cause) check_fault(k, va, a, m, cause, va, __LINE__)
#define PASSES(k, va, a, m) assert_true(go(k, va, a, m))

static void all_three_fault(struct rig *k, const struct access_mode *m, unsigned fetch, unsigned load, unsigned store)
{
    FAULTS(k, VA, ACCESS_FETCH, m, fetch);
    FAULTS(k, VA, ACCESS_LOAD, m, load);
    FAULTS(k, VA, ACCESS_STORE, m, store);
}

#define ALL_PAGE_FAULT(k, m) all_three_fault(k, m, EXC_INSN_PAGE, EXC_LOAD_PAGE, EXC_STORE_PAGE)

/* ---- Bare and M ---------------------------------------------------------------------------------------------------------------- */

static void bare_addresses_are_physical_up_to_the_width_of_the_hart(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.w->cfg.pa_bits = 40;
    pmp_refresh(k.w->hart);
    PASSES(&k, 0x12345678, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == 0x12345678 && k.x.page_bits == 12 && k.x.read && k.x.write && k.x.exec);
    done(&k);
}

static void bare_addresses_beyond_the_hart_are_access_faults(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.w->cfg.pa_bits = 40;
    pmp_refresh(k.w->hart);
    const struct access_mode *mode[] = {&host_s, &guest_u, &machine};
    for (unsigned i = 0; i < 3; i++) {
        FAULTS(&k, UINT64_C(1) << 40, ACCESS_FETCH, mode[i], EXC_INSN_ACCESS);
        FAULTS(&k, UINT64_C(1) << 40, ACCESS_LOAD, mode[i], EXC_LOAD_ACCESS);
        FAULTS(&k, UINT64_C(1) << 63, ACCESS_STORE, mode[i], EXC_STORE_ACCESS);
    }
    done(&k);
}

static void m_mode_ignores_satp(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | A);
    PASSES(&k, DATA, ACCESS_STORE, &machine);
    assert_true(k.x.pa == DATA);
    done(&k);
}

/* ---- permissions of one stage --------------------------------------------------------------------------------------------------- */

static void permissions_follow_r_w_x(void **state)
{
    (void)state;
    static const uint8_t legal[] = {R, R | W, X, R | X, R | W | X};
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        for (unsigned i = 0; i < sizeof legal; i++) {
            struct rig k = one_stage(xlen, V | A | D | legal[i]);
            assert_int_equal(go(&k, VA + 8, ACCESS_FETCH, &host_s), !!(legal[i] & X));
            assert_int_equal(go(&k, VA + 8, ACCESS_LOAD, &host_s), !!(legal[i] & R));
            assert_int_equal(go(&k, VA + 8, ACCESS_STORE, &host_s), !!(legal[i] & W));
            assert_true(go(&k, VA + 8, legal[i] & R ? ACCESS_LOAD : ACCESS_FETCH, &host_s));
            assert_true(k.x.pa == DATA + 8 && k.x.read == !!(legal[i] & R) && k.x.write == !!(legal[i] & W) && k.x.exec == !!(legal[i] & X));
            done(&k);
        }
    }
}

static void invalid_and_reserved_entries_are_page_faults(void **state)
{
    (void)state;
    const uint64_t bad[] = {0, R | W | X | A | D, V, V | W | A | D | X, V | R | A | UINT64_C(1) << 54, V | R | A | UINT64_C(1) << 60,
                            V | R | W | X | A | D | PBMT(3)};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct rig k = one_stage(64, bad[i]);
        ALL_PAGE_FAULT(&k, &host_s);
        done(&k);
    }
}

static void pointers_may_not_have_a_d_u_or_high_bits(void **state)
{
    (void)state;
    const uint64_t bad[] = {A, D, U, N, PBMT(1), UINT64_C(1) << 55};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct rig k = one_stage(64, V | R | W | X | A | D);
        PASSES(&k, VA, ACCESS_LOAD, &host_s);
        uint64_t at = ROOT + bits_get(VA, 38, 30) * 8;
        world_poke(k.w, at, 8, world_peek(k.w, at, 8) | bad[i]);
        engine_flush(k.w->engine);
        ALL_PAGE_FAULT(&k, &host_s);
        done(&k);
    }
}

static void u_pages_belong_to_u_and_with_sum_to_data_of_s(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | X | U | A | D);
    PASSES(&k, VA, ACCESS_FETCH, &host_u);
    ALL_PAGE_FAULT(&k, &host_s);
    k.r->mstatus = SUM;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.read && k.x.write && !k.x.exec);
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    FAULTS(&k, VA, ACCESS_FETCH, &host_s, EXC_INSN_PAGE);
    done(&k);
    k = one_stage(64, V | R | W | X | A | D);
    ALL_PAGE_FAULT(&k, &host_u);
    done(&k);
}

static void mxr_makes_executable_pages_readable(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | X | A);
    FAULTS(&k, VA, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    k.r->mstatus = MXR;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_PAGE);
    done(&k);
}

static void a_store_needs_d_and_everything_needs_a(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | X | A);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_false(k.x.write);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_PAGE);
    done(&k);
    k = one_stage(64, V | R | W | X | D);
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void svadu_sets_a_and_d_when_an_access_needs_them(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = one_stage(xlen, V | R | W | X);
        unsigned size = xlen / 8;
        k.r->menvcfg |= ADUE;
        PASSES(&k, VA, ACCESS_LOAD, &host_s);
        assert_true(k.x.read && !k.x.write);
        assert_int_equal(world_peek(k.w, k.pte_at, size) & 0xff, V | R | W | X | A);
        PASSES(&k, VA, ACCESS_STORE, &host_s);
        assert_true(k.x.write);
        assert_int_equal(world_peek(k.w, k.pte_at, size) & 0xff, V | R | W | X | A | D);
        done(&k);
    }
}

static void svadu_leaves_an_entry_alone_that_does_not_permit_the_access(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R);
    k.r->menvcfg |= ADUE;
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_PAGE);
    FAULTS(&k, VA, ACCESS_LOAD, &host_u, EXC_LOAD_PAGE);
    assert_int_equal(world_peek(k.w, k.pte_at, 8) & 0xff, V | R);
    done(&k);
}

static void seen(struct engine *e, const struct cpu *by, uint64_t pa, uint64_t n)
{
    (void)by;
    (void)n;
    e->pages_max = (unsigned)pa;
}

static void svadu_updates_are_stores_that_watchers_see(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R);
    k.r->menvcfg |= ADUE;
    k.w->engine->watch = seen;
    *mem_page_flags(k.w->mem, k.pte_at) |= MEM_WATCH;
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.w->engine->pages_max, (unsigned)k.pte_at);
    done(&k);
}

/* ---- formats --------------------------------------------------------------------------------------------------------------------- */

static void every_level_can_hold_an_aligned_leaf(void **state)
{
    (void)state;
    for (unsigned mode = 8; mode <= 10; mode++) {
        for (unsigned level = 0; level < mode - 5; level++) {
            struct rig k = rig_new(64);
            uint64_t below = bits_mask(0, 12 + 9 * level), va = UINT64_C(0x23456789) & bits_mask(0, 9 * (mode - 5) + 11);
            uint64_t pa = level < 3 ? UINT64_C(0x5c0000000) & ~below : 0;
            k.r->satp = atp(&k, mode, ROOT);
            map_at(&k, mode, ROOT, false, va, level, leaf_pte(pa, V | R | A));
            PASSES(&k, va & ~UINT64_C(3), ACCESS_LOAD, &host_s);
            assert_true(k.x.pa == (pa | (va & below & ~UINT64_C(3))));
            if (level) {
                world_poke(k.w, k.pte_at, 8, leaf_pte(pa | 0x1000, V | R | A));
                engine_flush(k.w->engine);
                FAULTS(&k, va, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
            }
            done(&k);
        }
    }
}

static void addresses_must_be_sign_extended(void **state)
{
    (void)state;
    for (unsigned mode = 8; mode <= 10; mode++) {
        struct rig k = rig_new(64);
        unsigned bits = 12 + 9 * (mode - 5);
        uint64_t va = UINT64_MAX << (bits - 1);
        k.r->satp = atp(&k, mode, ROOT);
        map_at(&k, mode, ROOT, false, va, 0, leaf_pte(DATA, V | R | A));
        PASSES(&k, va, ACCESS_LOAD, &host_s);
        for (unsigned b = bits; b < 64; b++)
            FAULTS(&k, va ^ UINT64_C(1) << b, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
        done(&k);
    }
}

static void sv32_reaches_34_bit_memory_and_ignores_high_address_bits(void **state)
{
    (void)state;
    struct rig k = rig_new(32);
    k.r->satp = atp(&k, 1, HIGH_BASE);
    map_at(&k, 1, HIGH_BASE, false, 0xfffff000, 0, leaf_pte(HIGH_BASE + 0x3000, V | R | A));
    PASSES(&k, UINT64_C(0xfffffffffffff004), ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == HIGH_BASE + 0x3004);
    map_at(&k, 1, HIGH_BASE, false, 0xc0000000, 1, leaf_pte(UINT64_C(0x3ffc00000), V | R | A)); /* a 4 MiB page */
    PASSES(&k, 0xc0012344, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == UINT64_C(0x3ffc12344));
    done(&k);
}

static void napot_ranges_take_their_low_bits_from_the_address(void **state)
{
    (void)state;
    struct rig k = one_stage(64, 0);
    uint64_t range = RAM_BASE + 0x30000;
    world_poke(k.w, k.pte_at, 8, leaf_pte(range + 0x8000, V | R | A | N));
    engine_flush(k.w->engine);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == (range | (VA & 0xffff)));
    for (unsigned low = 0; low < 16; low++) {
        world_poke(k.w, k.pte_at, 8, leaf_pte(range + low * 0x1000, V | R | A | N));
        engine_flush(k.w->engine);
        assert_int_equal(go(&k, VA, ACCESS_LOAD, &host_s), low == 8);
    }
    world_ext(k.w, EXT_Svnapot, false);
    world_poke(k.w, k.pte_at, 8, leaf_pte(range + 0x8000, V | R | A | N));
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void napot_above_the_last_level_is_reserved(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->satp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, VA, 1, leaf_pte(RAM_BASE, V | R | A | N));
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void memory_types_need_pbmte(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | A | PBMT(2));
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.x.pbmt, 2);
    k.r->menvcfg = 0;
    FAULTS(&k, VA, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    done(&k);
}

/* ---- what lies behind: PMP, holes, ROM ---------------------------------------------------------------------------------------------- */

static void tables_outside_ram_are_access_faults_of_the_original_kind(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    uint64_t root[] = {IO_BASE, 0x700000000, UINT64_C(0xfffffffffff000) & bits_mask(12, 44)};
    for (unsigned i = 0; i < 3; i++) {
        k.r->satp = k.r->vsatp = atp(&k, 9, root[i]);
        all_three_fault(&k, &host_s, EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS);
        all_three_fault(&k, &guest_u, EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS);
    }
    done(&k);
}

static void pmp_guards_tables_and_the_page(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | W | X | A | D);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    world_pmp(k.w, 0, 0x1c, ROOT >> 2 | 0x1ff); /* the root: execute only */
    all_three_fault(&k, &host_s, EXC_INSN_ACCESS, EXC_LOAD_ACCESS, EXC_STORE_ACCESS);
    world_pmp(k.w, 0, 0x19, ROOT >> 2 | 0x1ff); /* reading is enough */
    PASSES(&k, VA, ACCESS_STORE, &host_s);
    world_pmp(k.w, 0, 0x19, DATA >> 2 | 0x1ff);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.page_bits == 12 && k.x.read && !k.x.write && !k.x.exec);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_ACCESS);
    FAULTS(&k, VA, ACCESS_FETCH, &host_s, EXC_INSN_ACCESS);
    world_pmp(k.w, 0, 0x11, DATA >> 2); /* the first four bytes only */
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.x.page_bits, 0);
    done(&k);
}

static void an_entry_pmp_does_not_let_s_write_cannot_be_updated(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R);
    k.r->menvcfg |= ADUE;
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    world_pmp(k.w, 0, 0x19, (k.pte_at & ~UINT64_C(0xfff)) >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &host_s, EXC_LOAD_ACCESS);
    assert_int_equal(world_peek(k.w, k.pte_at, 8) & 0xff, V | R);
    done(&k);
}

static void an_entry_in_rom_cannot_be_updated(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->menvcfg |= ADUE;
    k.r->satp = atp(&k, 8, ROM_BASE);
    world_poke(k.w, ROM_BASE, 8, leaf_pte(0, V | R | A));
    world_poke(k.w, ROM_BASE + 8, 8, leaf_pte(0, V | R));
    PASSES(&k, 0x1000, ACCESS_LOAD, &host_s);
    FAULTS(&k, 0x40001000, ACCESS_LOAD, &host_s, EXC_LOAD_ACCESS);
    done(&k);
}

/* ---- two stages -------------------------------------------------------------------------------------------------------------------- */

static void check_guest_fault(struct rig *k, uint64_t va, enum access a, const struct access_mode *m, unsigned cause, uint64_t gpa,
                              uint64_t tinst, int line)
{
    check_fault(k, va, a, m, cause, va, line);
    if (k->w->hart->trap.tval2 != gpa >> 2 || k->w->hart->trap.tinst != tinst)
        fail_msg("line %d: tval2 %llx tinst %llx", line, (unsigned long long)k->w->hart->trap.tval2,
                 (unsigned long long)k->w->hart->trap.tinst);
}

#define GUEST_FAULTS(k, va, a, m, cause, gpa, tinst) check_guest_fault(k, va, a, m, cause, gpa, tinst, __LINE__)

static void two_stages_compose(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = two_stage(xlen, V | R | W | X | A | D, V | R | W | X | U | A | D);
        PASSES(&k, VA + 0x124, ACCESS_STORE, &guest_s);
        assert_true(k.x.pa == DATA + 0x124 && k.x.page_bits == 12 && k.x.read && k.x.write && k.x.exec);
        PASSES(&k, VA + 0x124, ACCESS_STORE, &guest_s); /* now from what the walk remembers */
        assert_true(k.x.pa == DATA + 0x124);
        done(&k);
    }
}

static void a_guests_page_fault_tells_nothing_of_the_second_stage(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | W | X | U | A | D);
    GUEST_FAULTS(&k, VA, ACCESS_STORE, &guest_s, EXC_STORE_PAGE, 0, 0);
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_u, EXC_LOAD_PAGE, 0, 0);
    done(&k);
}

static void explicit_guest_page_faults_show_the_guest_physical_address(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | X | A | D, V | R | U | A | D);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.read && !k.x.write && !k.x.exec);
    GUEST_FAULTS(&k, VA + 0x678, ACCESS_STORE, &guest_s, EXC_STORE_GUEST_PAGE, GPA + 0x678, 0);
    GUEST_FAULTS(&k, VA + 0x678, ACCESS_FETCH, &guest_s, EXC_INSN_GUEST_PAGE, GPA + 0x678, 0);
    map_at(&k, 8, GROOT, true, GPA, 0, 0);
    GUEST_FAULTS(&k, VA + 0x678, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA + 0x678, 0);
    done(&k);
}

static void the_g_stage_sees_every_access_as_one_of_u(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | X | A | D, V | R | W | X | A | D);
    k.r->mstatus = k.r->vsstatus = SUM;
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA, 0);
    done(&k);
}

static void a_guest_table_that_cannot_be_read_gives_the_read_pseudoinstruction(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = two_stage(xlen, V | R | W | X | A | D, V | R | W | X | U | A | D);
        uint64_t at = ROOT + (xlen == 32 ? bits_get(VA, 31, 22) * 4 : bits_get(VA, 38, 30) * 8), tinst = xlen == 32 ? 0x2000 : 0x3000;
        map_at(&k, 8, GROOT, true, ROOT, 0, 0);
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, at, tinst);
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_STORE, &guest_s, EXC_STORE_GUEST_PAGE, at, tinst);
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_FETCH, &guest_s, EXC_INSN_GUEST_PAGE, at, tinst);
        /* Execute-only does not do: implicit reads are not explicit loads, so MXR is nothing to them. */
        map_at(&k, 8, GROOT, true, ROOT, 0, leaf_pte(ROOT, V | X | U | A | D));
        k.r->mstatus = MXR;
        GUEST_FAULTS(&k, VA + 0x10, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, at, tinst);
        done(&k);
    }
}

static void a_guest_table_that_cannot_be_updated_gives_the_write_pseudoinstruction(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rig k = two_stage(xlen, V | R | W, V | R | W | U | A | D);
        map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | W));
        uint64_t at = k.pte_at;
        k.r->menvcfg |= ADUE;
        k.r->henvcfg |= ADUE;
        map_at(&k, 8, GROOT, true, at, 0, leaf_pte(at & ~UINT64_C(0xfff), V | R | U | A | D));
        GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, at, xlen == 32 ? 0x2020 : 0x3020);
        map_at(&k, 8, GROOT, true, at, 0, leaf_pte(at & ~UINT64_C(0xfff), V | R | W | U | A)); /* writable, not yet dirty */
        uint64_t g_at = k.pte_at;
        PASSES(&k, VA, ACCESS_LOAD, &guest_s);
        assert_true(world_peek(k.w, g_at, xlen / 8) & D);
        assert_int_equal(world_peek(k.w, at, xlen / 8) & (A | D), A);
        done(&k);
    }
}

static void each_stage_has_its_own_adue(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | A | D, V | R | W | U);
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA, 0);
    k.r->menvcfg |= ADUE; /* G stage only */
    PASSES(&k, VA, ACCESS_STORE, &guest_s);
    assert_int_equal(world_peek(k.w, k.pte_at, 8) & (A | D), A | D);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | W));
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE, 0, 0);
    k.r->henvcfg |= ADUE;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    done(&k);
}

static void vsstatus_mxr_is_for_the_first_stage_and_mstatus_mxr_for_both(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | X | A, V | R | X | U | A);
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    k.r->vsstatus = MXR;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | X | U | A));
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE);
    k.r->vsstatus = 0;
    k.r->mstatus = MXR;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    done(&k);
}

static void vsstatus_sum_counts_in_guests_and_mstatus_sum_does_not(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | U | A | D, V | R | W | U | A | D);
    k.r->mstatus = SUM;
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    k.r->vsstatus = SUM;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    done(&k);
}

static void hlvx_needs_execute_in_both_stages_instead_of_read(void **state)
{
    (void)state;
    const struct access_mode hlvx = {.priv = RV_S, .v = 1, .hlv = true, .hlvx = true};
    struct rig k = two_stage(64, V | X | A, V | X | U | A);
    PASSES(&k, VA, ACCESS_LOAD, &hlvx);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | R | W | U | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_GUEST_PAGE);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | W | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_PAGE);
    k.r->mstatus = MXR;
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_PAGE);
    done(&k);
}

static void hlvx_needs_pmp_to_permit_reading_and_executing(void **state)
{
    (void)state;
    const struct access_mode hlvx = {.priv = RV_S, .v = 1, .hlv = true, .hlvx = true};
    struct rig k = two_stage(64, V | X | A, V | X | U | A);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    PASSES(&k, VA, ACCESS_LOAD, &hlvx);
    world_pmp(k.w, 0, 0x1c, DATA >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_ACCESS);
    world_pmp(k.w, 0, 0x1b, DATA >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &hlvx, EXC_LOAD_ACCESS);
    done(&k);
}

static void guest_physical_addresses_have_two_more_bits(void **state)
{
    (void)state;
    for (unsigned mode = 8; mode <= 10; mode++) {
        struct rig k = rig_new(64);
        unsigned bits = 12 + 9 * (mode - 5) + 2;
        uint64_t top = bits_mask(bits - 2, 2) | 0x5000;
        k.r->hgatp = atp(&k, mode, GROOT); /* vsatp Bare: addresses are guest physical */
        map_at(&k, mode, GROOT, true, top, 0, leaf_pte(DATA, V | R | U | A));
        PASSES(&k, top + 8, ACCESS_LOAD, &guest_u);
        assert_true(k.x.pa == DATA + 8);
        GUEST_FAULTS(&k, UINT64_C(1) << bits | top, ACCESS_LOAD, &guest_u, EXC_LOAD_GUEST_PAGE, UINT64_C(1) << bits | top, 0);
        done(&k);
    }
}

static void sv32x4_translates_34_bits_of_guest_physical_address(void **state)
{
    (void)state;
    struct rig k = two_stage(32, V | R | A, V | R | U | A);
    uint64_t gpa = UINT64_C(0x3c0042000);
    map_at(&k, 1, ROOT, false, VA, 0, leaf_pte(gpa, V | R | A));
    map_at(&k, 1, GROOT, true, gpa, 0, leaf_pte(HIGH_BASE, V | R | U | A));
    PASSES(&k, VA + 4, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == HIGH_BASE + 4);
    GUEST_FAULTS(&k, VA + 4, ACCESS_FETCH, &guest_s, EXC_INSN_PAGE, 0, 0);
    map_at(&k, 1, ROOT, false, VA, 0, leaf_pte(gpa, V | R | X | A));
    GUEST_FAULTS(&k, VA + 4, ACCESS_FETCH, &guest_s, EXC_INSN_GUEST_PAGE, gpa + 4, 0);
    done(&k);
}

static void either_stage_can_be_bare(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | A | D, V | R | W | X | U | A | D);
    k.r->vsatp = 0;
    PASSES(&k, GPA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == DATA);
    GUEST_FAULTS(&k, GPA + 0x1000, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA + 0x1000, 0);
    k.r->vsatp = atp(&k, 8, ROOT);
    k.r->hgatp = 0;
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == GPA);
    k.r->vsatp = 0;
    PASSES(&k, VA, ACCESS_FETCH, &guest_s);
    assert_true(k.x.pa == VA && k.x.write);
    done(&k);
}

static void henvcfg_pbmte_rules_the_first_stage_which_overrides_the_second(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | U | A | PBMT(1));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_int_equal(k.x.pbmt, 1);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(GPA, V | R | A | PBMT(2)));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_int_equal(k.x.pbmt, 2);
    k.r->henvcfg = 0;
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    k.r->henvcfg = PBMTE;
    k.r->menvcfg = 0; /* henvcfg.PBMTE is then 0, too */
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    done(&k);
}

static void pmp_faults_of_guests_are_access_faults_with_gva(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | W | X | A | D, V | R | W | X | U | A | D);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    world_pmp(k.w, 0, 0x18, DATA >> 2 | 0x1ff);
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_ACCESS, 0, 0);
    world_pmp(k.w, 0, 0x18, GROOT >> 2 | 0x7ff);
    GUEST_FAULTS(&k, VA, ACCESS_STORE, &guest_s, EXC_STORE_ACCESS, 0, 0);
    done(&k);
}

/* ---- shadow stacks ------------------------------------------------------------------------------------------------------------------ */

static const struct access_mode ss_s = {.priv = RV_S, .shadow_stack = true}, ss_guest = {.priv = RV_S, .v = 1, .shadow_stack = true},
                                ss_m = {.priv = RV_M, .shadow_stack = true}, cbo_s = {.priv = RV_S, .cbo = true};

static void shadow_stack_pages_take_shadow_stack_accesses_and_plain_loads(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | W | A | D);
    PASSES(&k, VA, ACCESS_STORE, &ss_s);
    PASSES(&k, VA, ACCESS_LOAD, &ss_s);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_true(k.x.read && !k.x.write && !k.x.exec);
    FAULTS(&k, VA, ACCESS_STORE, &host_s, EXC_STORE_ACCESS);
    FAULTS(&k, VA, ACCESS_FETCH, &host_s, EXC_INSN_ACCESS);
    FAULTS(&k, VA, ACCESS_LOAD, &cbo_s, EXC_STORE_ACCESS);
    k.r->menvcfg &= ~SSE; /* the encoding is reserved again */
    ALL_PAGE_FAULT(&k, &host_s);
    done(&k);
}

static void shadow_stack_accesses_want_a_shadow_stack_page(void **state)
{
    (void)state;
    static const struct { uint8_t xwr; uint8_t cause; } rule[] = {{R, EXC_STORE_PAGE},           {R | W, EXC_STORE_ACCESS},
                                                                  {R | W | X, EXC_STORE_ACCESS}, {R | X, EXC_STORE_ACCESS},
                                                                  {X, EXC_STORE_ACCESS},         {W | X, EXC_STORE_PAGE}};
    for (unsigned i = 0; i < ARRAY_LEN(rule); i++) {
        struct rig k = one_stage(64, V | A | D | rule[i].xwr);
        FAULTS(&k, VA, ACCESS_LOAD, &ss_s, rule[i].cause);
        FAULTS(&k, VA, ACCESS_STORE, &ss_s, rule[i].cause);
        done(&k);
    }
}

static void shadow_stack_accesses_without_translation_are_access_faults(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    FAULTS(&k, DATA, ACCESS_STORE, &ss_s, EXC_STORE_ACCESS);
    FAULTS(&k, DATA, ACCESS_LOAD, &ss_m, EXC_STORE_ACCESS);
    k.r->hgatp = atp(&k, 8, GROOT);
    FAULTS(&k, DATA, ACCESS_LOAD, &ss_guest, EXC_STORE_ACCESS);
    done(&k);
}

static void shadow_stacks_of_guests_need_a_writable_page_in_the_second_stage(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | W | A | D, V | R | W | U | A | D);
    PASSES(&k, VA, ACCESS_LOAD, &ss_guest);
    PASSES(&k, VA, ACCESS_STORE, &ss_guest);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | R | U | A | D));
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &ss_guest, EXC_STORE_GUEST_PAGE, GPA, 0);
    map_at(&k, 8, GROOT, true, GPA, 0, leaf_pte(DATA, V | W | U | A | D)); /* stays reserved there */
    GUEST_FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_GUEST_PAGE, GPA, 0);
    k.r->henvcfg &= ~SSE;
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    done(&k);
}

static void shadow_stacks_need_idempotent_memory_that_pmp_permits_to_write(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | W | A | D | PBMT(2));
    FAULTS(&k, VA, ACCESS_LOAD, &ss_s, EXC_STORE_ACCESS);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(IO_BASE, V | W | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &ss_s, EXC_STORE_ACCESS);
    map_at(&k, 8, ROOT, false, VA, 0, leaf_pte(DATA, V | W | A | D));
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    PASSES(&k, VA, ACCESS_LOAD, &ss_s);
    world_pmp(k.w, 0, 0x19, DATA >> 2 | 0x1ff);
    FAULTS(&k, VA, ACCESS_LOAD, &ss_s, EXC_STORE_ACCESS);
    done(&k);
}

/* ---- pointer masking ---------------------------------------------------------------------------------------------------------------- */

#define TAG (UINT64_C(0x5a) << 57)

static void masked_virtual_addresses_are_sign_extended_and_so_is_tval(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    uint64_t high = UINT64_C(0xffffffc012345000);
    k.r->satp = atp(&k, 8, ROOT);
    map_at(&k, 8, ROOT, false, high, 0, leaf_pte(DATA, V | R | X | A));
    FAULTS(&k, high ^ TAG, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    k.r->menvcfg |= PMM(2);
    PASSES(&k, high ^ TAG, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == DATA && mmu_address(k.w->hart, high ^ TAG, &host_s) == high);
    check_fault(&k, high ^ TAG, ACCESS_STORE, &host_s, EXC_STORE_PAGE, high, __LINE__);
    FAULTS(&k, high ^ TAG, ACCESS_FETCH, &host_s, EXC_INSN_PAGE); /* fetches are not masked */
    FAULTS(&k, high ^ UINT64_C(1) << 50, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    k.r->menvcfg |= PMM(3);
    PASSES(&k, high ^ UINT64_C(1) << 50, ACCESS_LOAD, &host_s);
    k.r->mstatus = MXR; /* with MXR nothing is masked */
    FAULTS(&k, high ^ TAG, ACCESS_LOAD, &host_s, EXC_LOAD_PAGE);
    done(&k);
}

static void masked_physical_addresses_are_zero_extended(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->menvcfg |= PMM(2);
    k.r->mseccfg = PMM(3);
    uint64_t tagged = DATA | UINT64_C(1) << 63 | UINT64_C(1) << 57;
    PASSES(&k, tagged, ACCESS_LOAD, &host_s);
    assert_true(k.x.pa == DATA);
    PASSES(&k, tagged | UINT64_C(1) << 48, ACCESS_LOAD, &machine);
    assert_true(k.x.pa == DATA);
    FAULTS(&k, tagged, ACCESS_FETCH, &machine, EXC_INSN_ACCESS);
    k.r->mstatus = MXR; /* MXR is nothing to M */
    PASSES(&k, tagged, ACCESS_LOAD, &machine);
    FAULTS(&k, tagged, ACCESS_LOAD, &host_s, EXC_LOAD_ACCESS);
    done(&k);
}

static void each_mode_is_masked_by_its_own_field(void **state)
{
    (void)state;
    const struct access_mode hlv_u = {.priv = RV_U, .v = 1, .hlv = true}, hlv_s = {.priv = RV_S, .v = 1, .hlv = true},
                             hlvx_u = {.priv = RV_U, .v = 1, .hlv = true, .hlvx = true};
    const uint64_t tagged = DATA | UINT64_C(1) << 63;
    struct rig k = rig_new(64);
    const struct { uint64_t *word; uint64_t bits; uint8_t now; const struct access_mode *masked[2]; } rule[] = {
        {&k.r->mseccfg, PMM(2), RV_M, {&machine}},
        {&k.r->menvcfg, PMM(2), RV_S, {&host_s}},
        {&k.r->henvcfg, PMM(2), RV_S, {&guest_s, &hlv_s}},
        {&k.r->senvcfg, PMM(2), RV_U, {&host_u, &guest_u}},
        {&k.r->senvcfg, PMM(2), RV_S, {&hlv_u}}, /* from HS, as though in VU */
        {&k.r->hstatus, UINT64_C(2) << 48, RV_U, {&hlv_u}},
    };
    const struct access_mode *all[] = {&machine, &host_s, &host_u, &guest_s, &guest_u, &hlv_s, &hlv_u, &hlvx_u};
    for (unsigned i = 0; i < ARRAY_LEN(rule); i++) {
        k.r->mseccfg = k.r->menvcfg = k.r->henvcfg = k.r->senvcfg = k.r->hstatus = 0;
        *rule[i].word = rule[i].bits;
        k.w->hart->s.priv = rule[i].now;
        for (unsigned n = 0; n < ARRAY_LEN(all); n++) {
            bool listed = all[n] == rule[i].masked[0] || all[n] == rule[i].masked[1];
            bool masked = mmu_address(k.w->hart, tagged, all[n]) == DATA;
            if (listed)
                assert_true(masked);
            if (rule[i].word != &k.r->senvcfg)
                assert_true(masked == listed || (rule[i].word == &k.r->henvcfg && all[n]->v && all[n]->priv == RV_S));
        }
        assert_true(mmu_address(k.w->hart, tagged, &hlvx_u) == tagged);
    }
    done(&k);
}

static void a_guest_with_vsatp_bare_has_physical_addresses(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    k.r->henvcfg |= PMM(3);
    k.r->hgatp = atp(&k, 10, GROOT);
    uint64_t gpa = UINT64_C(1) << 47 | 0x3000;
    map_at(&k, 10, GROOT, true, gpa, 0, leaf_pte(DATA, V | R | U | A));
    PASSES(&k, gpa | UINT64_C(0x6789) << 48, ACCESS_LOAD, &guest_s); /* also of Sv57x4's own bits */
    assert_true(k.x.pa == DATA);
    done(&k);
}

static void rv32_has_no_masking(void **state)
{
    (void)state;
    struct rig k = rig_new(32);
    k.r->menvcfg |= PMM(3);
    assert_true(mmu_address(k.w->hart, 0xfffff000, &host_s) == 0xfffff000);
    done(&k);
}

/* ---- MPRV, caches -------------------------------------------------------------------------------------------------------------------- */

static void mprv_lends_loads_and_stores_the_previous_mode(void **state)
{
    (void)state;
    struct rig k = rig_new(64);
    const uint64_t mprv = UINT64_C(1) << 17, mpv = UINT64_C(1) << 39;
    k.w->hart->s.priv = RV_M;
    static const struct { uint8_t mpp, mpv, priv, v; } rule[] = {{0, 0, 0, 0}, {1, 0, 1, 0}, {3, 0, 3, 0}, {3, 1, 3, 0}, {0, 1, 0, 1}, {1, 1, 1, 1}};
    for (unsigned i = 0; i < ARRAY_LEN(rule); i++) {
        k.r->mstatus = mprv | (uint64_t)rule[i].mpp << 11 | (rule[i].mpv ? mpv : 0);
        struct access_mode m = data_mode(k.w->hart);
        assert_true(m.priv == rule[i].priv && m.v == rule[i].v && !m.hlv && !m.hlvx && !m.shadow_stack && !m.cbo);
        k.r->mstatus &= ~mprv;
        m = data_mode(k.w->hart);
        assert_true(m.priv == RV_M && m.v == 0);
    }
    world_ext(k.w, EXT_Smrnmi, true);
    k.r->mstatus = mprv;
    assert_true(data_mode(k.w->hart).priv == RV_M); /* NMIE=0: as though MPRV were clear */
    k.r->mnstatus = 8;
    assert_true(data_mode(k.w->hart).priv == RV_U);
    done(&k);
}

static void an_edited_entry_is_seen_at_once(void **state)
{
    (void)state;
    struct rig k = two_stage(64, V | R | A, V | R | U | A);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    uint64_t g_leaf = k.pte_at;
    world_store(k.w, g_leaf, 8, leaf_pte(DATA + 0x1000, V | R | U | A));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    assert_true(k.x.pa == DATA + 0x1000);
    /* Move the guest's root table elsewhere by an edit of the G-stage entry that maps it. */
    map_at(&k, 8, GROOT, true, ROOT, 0, leaf_pte(ROOT, V | R | W | U | A | D));
    PASSES(&k, VA, ACCESS_LOAD, &guest_s);
    world_store(k.w, k.pte_at, 8, leaf_pte(RAM_BASE + 0x30000, V | R | W | U | A | D));
    FAULTS(&k, VA, ACCESS_LOAD, &guest_s, EXC_LOAD_PAGE);
    done(&k);
}

static void table_pages_are_marked_only_for_what_may_be_cached(void **state)
{
    (void)state;
    struct rig k = one_stage(64, V | R | A);
    k.w->cfg.pmp_count = 16;
    world_pmp(k.w, 1, 0x1f, bits_mask(0, 54));
    world_pmp(k.w, 0, 0x11, DATA >> 2);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.w->engine->pte_pages, 0);
    world_pmp(k.w, 0, 0, 0);
    PASSES(&k, VA, ACCESS_LOAD, &host_s);
    assert_int_equal(k.w->engine->pte_pages, 3);
    done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_addresses_are_physical_up_to_the_width_of_the_hart),
        cmocka_unit_test(bare_addresses_beyond_the_hart_are_access_faults),
        cmocka_unit_test(m_mode_ignores_satp),
        cmocka_unit_test(permissions_follow_r_w_x),
        cmocka_unit_test(invalid_and_reserved_entries_are_page_faults),
        cmocka_unit_test(pointers_may_not_have_a_d_u_or_high_bits),
        cmocka_unit_test(u_pages_belong_to_u_and_with_sum_to_data_of_s),
        cmocka_unit_test(mxr_makes_executable_pages_readable),
        cmocka_unit_test(a_store_needs_d_and_everything_needs_a),
        cmocka_unit_test(svadu_sets_a_and_d_when_an_access_needs_them),
        cmocka_unit_test(svadu_leaves_an_entry_alone_that_does_not_permit_the_access),
        cmocka_unit_test(svadu_updates_are_stores_that_watchers_see),
        cmocka_unit_test(every_level_can_hold_an_aligned_leaf),
        cmocka_unit_test(addresses_must_be_sign_extended),
        cmocka_unit_test(sv32_reaches_34_bit_memory_and_ignores_high_address_bits),
        cmocka_unit_test(napot_ranges_take_their_low_bits_from_the_address),
        cmocka_unit_test(napot_above_the_last_level_is_reserved),
        cmocka_unit_test(memory_types_need_pbmte),
        cmocka_unit_test(tables_outside_ram_are_access_faults_of_the_original_kind),
        cmocka_unit_test(pmp_guards_tables_and_the_page),
        cmocka_unit_test(an_entry_pmp_does_not_let_s_write_cannot_be_updated),
        cmocka_unit_test(an_entry_in_rom_cannot_be_updated),
        cmocka_unit_test(two_stages_compose),
        cmocka_unit_test(a_guests_page_fault_tells_nothing_of_the_second_stage),
        cmocka_unit_test(explicit_guest_page_faults_show_the_guest_physical_address),
        cmocka_unit_test(the_g_stage_sees_every_access_as_one_of_u),
        cmocka_unit_test(a_guest_table_that_cannot_be_read_gives_the_read_pseudoinstruction),
        cmocka_unit_test(a_guest_table_that_cannot_be_updated_gives_the_write_pseudoinstruction),
        cmocka_unit_test(each_stage_has_its_own_adue),
        cmocka_unit_test(vsstatus_mxr_is_for_the_first_stage_and_mstatus_mxr_for_both),
        cmocka_unit_test(vsstatus_sum_counts_in_guests_and_mstatus_sum_does_not),
        cmocka_unit_test(hlvx_needs_execute_in_both_stages_instead_of_read),
        cmocka_unit_test(hlvx_needs_pmp_to_permit_reading_and_executing),
        cmocka_unit_test(guest_physical_addresses_have_two_more_bits),
        cmocka_unit_test(sv32x4_translates_34_bits_of_guest_physical_address),
        cmocka_unit_test(either_stage_can_be_bare),
        cmocka_unit_test(henvcfg_pbmte_rules_the_first_stage_which_overrides_the_second),
        cmocka_unit_test(pmp_faults_of_guests_are_access_faults_with_gva),
        cmocka_unit_test(shadow_stack_pages_take_shadow_stack_accesses_and_plain_loads),
        cmocka_unit_test(shadow_stack_accesses_want_a_shadow_stack_page),
        cmocka_unit_test(shadow_stack_accesses_without_translation_are_access_faults),
        cmocka_unit_test(shadow_stacks_of_guests_need_a_writable_page_in_the_second_stage),
        cmocka_unit_test(shadow_stacks_need_idempotent_memory_that_pmp_permits_to_write),
        cmocka_unit_test(masked_virtual_addresses_are_sign_extended_and_so_is_tval),
        cmocka_unit_test(masked_physical_addresses_are_zero_extended),
        cmocka_unit_test(each_mode_is_masked_by_its_own_field),
        cmocka_unit_test(a_guest_with_vsatp_bare_has_physical_addresses),
        cmocka_unit_test(rv32_has_no_masking),
        cmocka_unit_test(mprv_lends_loads_and_stores_the_previous_mode),
        cmocka_unit_test(an_edited_entry_is_seen_at_once),
        cmocka_unit_test(table_pages_are_marked_only_for_what_may_be_cached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
