/*
 * No cache is seen by a guest: random code that stores to its own page tables (of one or two stages) and instructions goes the
 * same way in long runs, in single steps, and in single steps before each of which every cache is dropped, and in forks whose
 * parents go on.
 */
#include "hart_rig.h"
#include "base/rng.h"

#include <stdio.h>

enum { STORES_TO = 7, TABLE = 8, BUFFER = 9, V0 = 10, VALUES = 6, BACKUP = 24, LEAF = 25, BASE = 26, H0 = 27, H1 = 28 };
enum { MID = 16, MID_WAS = 17, G_TABLE = 18, G_BACKUP = 19, G_MID = 20, G_MID_WAS = 21 }; /* registers, as those above */
enum { ALIAS = 40 /* page at which DATA is mapped again */, PAGES = 20, CODE_PAGES = 2, TURN = 70, TURNS = 40 };

/* Root, next and last table of both stages, and what the last one was in the beginning: the bit that tells their addresses apart
   is SWAP in an entry that points to one of them. */
#define MID_AT      (TABLES + 0x1000)
#define LEAF_AT     (TABLES + 0x2000)
#define BACKUP_AT   (TABLES + 0x3000)
#define G_ROOT_AT   (TABLES + 0x8000)
#define G_MID_AT    (TABLES + 0xc000)
#define G_LEAF_AT   (TABLES + 0xe000)
#define G_BACKUP_AT (TABLES + 0xf000)
#define SWAP        0x400

#define DATA_PAGE (unsigned)((DATA - RAM) / MEM_PAGE_SIZE)
#define LEAF_PAGE (unsigned)((LEAF_AT - RAM) / MEM_PAGE_SIZE)

static uint32_t i_type(unsigned imm, unsigned rs1, unsigned f3, unsigned rd, unsigned op)
{
    return imm << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}
static uint32_t s_type(unsigned imm, unsigned rs2, unsigned rs1, unsigned f3)
{
    return (imm >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (imm & 31) << 7 | 0x23;
}
static uint32_t amo(unsigned f5, unsigned rs2, unsigned rs1, unsigned f3, unsigned rd)
{
    return f5 << 27 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x2f;
}

struct gen {
    struct rig *r;
    uint64_t seed, at, end;
};

static unsigned pick(struct gen *g, unsigned n) { return (unsigned)(rng_next(&g->seed) >> 33) % n; }
static unsigned value(struct gen *g) { return V0 + pick(g, VALUES); }

static void emit(struct gen *g, uint32_t insn)
{
    if (g->at + 4 <= g->end)
        rig_put(g->r, g->at, insn, 4);
    g->at += 4;
}

/* Changes where the last table of a stage is, or whether there is one. */
static void change_pointer(struct gen *g)
{
    unsigned v = value(g), table = pick(g, 2) ? MID : G_MID;
    emit(g, i_type(0, table, 3, v, 0x03));
    emit(g, i_type(pick(g, 4) ? SWAP : 1, v, 4, v, 0x13)); /* xori */
    emit(g, s_type(0, v, table, 3));
}

/* Changes some flags of the entry of one of the pages in use. */
static void change_entry(struct gen *g)
{
    unsigned table = pick(g, 3) ? TABLE : G_TABLE;
    unsigned data[] = {DATA_PAGE, DATA_PAGE + 1, ALIAS, LEAF_PAGE}, v = value(g), k = pick(g, 4);
    unsigned at = 8 * (k == 0 ? pick(g, PAGES) : k == 1 ? data[pick(g, ARRAY_LEN(data))] : pick(g, CODE_PAGES));
    static const unsigned flags[] = {1, 2, 4, 8, 0x40, 0x80, 0xc0, 6, 0x10};
    emit(g, i_type(at, table, 3, v, 0x03));
    emit(g, i_type(flags[pick(g, ARRAY_LEN(flags))], v, 4, v, 0x13)); /* xori */
    emit(g, s_type(at, v, table, pick(g, 4) ? 3 : pick(g, 3)));
}

static void access_memory(struct gen *g)
{
    static const unsigned sizes[] = {3, 2, 0, 3};
    unsigned base = pick(g, 3) ? BUFFER : STORES_TO, off = pick(g, 4) ? pick(g, 16) * 8 : pick(g, 2048);
    unsigned f3 = sizes[pick(g, ARRAY_LEN(sizes))];
    if (pick(g, 2))
        emit(g, i_type(off, base, f3, value(g), 0x03));
    else
        emit(g, s_type(base == STORES_TO ? off & ~3u : off, value(g), base, f3));
}

static void atomic(struct gen *g)
{
    static const unsigned f5[] = {0, 1, 4, 5, 8, 0x0c, 0x10, 2, 3, 2, 3};
    unsigned f = f5[pick(g, ARRAY_LEN(f5))], base = pick(g, 4) ? BUFFER : TABLE;
    emit(g, amo(f, f == 2 ? 0 : value(g), base, 2 + pick(g, 2), value(g)));
}

static void system_insn(struct gen *g)
{
    static const uint32_t insns[] = {0x12000073 /* sfence.vma */, 0x0000100f /* fence.i */, 0x00000073 /* ecall */};
    switch (pick(g, 4)) {
    case 0: emit(g, insns[pick(g, ARRAY_LEN(insns))]); break;
    case 1: emit(g, 0x100u << 20 | value(g) << 15 | (2 + pick(g, 2)) << 12 | 0x73); break; /* csrrs, csrrc x0, sstatus */
    case 2: emit(g, i_type(4, BUFFER, 2, 0, 0x0f)); break;                                 /* cbo.zero */
    default: emit(g, 0x300u << 20 | 2 << 12 | 0x73); break;                                /* mstatus: illegal */
    }
}

static void jump(struct gen *g)
{
    unsigned ahead = 4 * (1 + pick(g, 8)), rd = value(g);
    if (pick(g, 2)) {
        emit(g, (ahead >> 1 & 15) << 8 | (ahead >> 5 & 63) << 25 | value(g) << 20 | value(g) << 15 | pick(g, 2) << 12 | 0x63);
        return;
    }
    if (pick(g, 3))
        emit(g, i_type(pick(g, 512) * 4 & 0x7ff, BASE, 0, rd, 0x67)); /* jalr into the first page */
    else
        emit(g,
             i_type(pick(g, PAGES) * 8, TABLE, 0, rd, 0x67)); /* … to an entry: with A and D clear it is a fence or cbo.inval */
}

static void program(struct gen *g)
{
    while (g->at < g->end) {
        switch (pick(g, 9)) {
        case 0: pick(g, 8) ? change_entry(g) : change_pointer(g); break;
        case 1:
        case 2:
        case 3: access_memory(g); break;
        case 4: atomic(g); break;
        case 5: system_insn(g); break;
        case 6: jump(g); break;
        default: emit(g, i_type(pick(g, 4096), value(g), pick(g, 2) ? 0 : 4, value(g), 0x13)); break;
        }
    }
}

/* The entry at offset at of a table becomes what it was. */
static void restore(struct gen *g, unsigned table, unsigned backup, unsigned at)
{
    emit(g, i_type(at, backup, 3, H0, 0x03));
    emit(g, s_type(at, H0, table, 3));
}

/* Goes on behind what trapped, in the code pages, with the entries of the pages in use as they were in the beginning. */
static void handler(struct rig *r)
{
    struct gen g = {.r = r, .at = HANDLER, .end = UINT64_MAX};
    static const unsigned used[] = {0, 1, DATA_PAGE, DATA_PAGE + 1, ALIAS, LEAF_PAGE, LEAF_PAGE + 1};
    for (unsigned i = 0; i < ARRAY_LEN(used); i++) {
        restore(&g, LEAF, BACKUP, used[i] * 8);
        restore(&g, G_TABLE, G_BACKUP, used[i] * 8);
    }
    emit(&g, s_type(0, MID_WAS, MID, 3));
    emit(&g, s_type(0, G_MID_WAS, G_MID, 3));
    emit(&g, i_type(0x341, 0, 2, H0, 0x73)); /* csrr mepc */
    emit(&g, i_type(4, H0, 0, H0, 0x13));
    emit(&g, i_type(51, H0, 1, H0, 0x13)); /* slli: offset in two pages */
    emit(&g, i_type(51, H0, 5, H0, 0x13));
    emit(&g, 0x33u | H0 << 7 | H0 << 15 | (uint32_t)BASE << 20);
    emit(&g, i_type(0x341, H0, 1, 0, 0x73));
    emit(&g, 0x30200073); /* mret */
}

/* Tables of one stage that map RAM to itself, and a copy of the last one. */
static void tables(struct gen *g, uint64_t root, uint64_t mid, uint64_t leaf, uint64_t backup, uint64_t flags)
{
    rig_put(g->r, root + 2 * 8, mid >> 2 | 1, 8);
    rig_put(g->r, mid, leaf >> 2 | 1, 8);
    for (uint64_t i = 0; i < 64; i++) {
        bool alias = i == ALIAS && leaf == LEAF_AT;
        uint64_t pte = (alias ? DATA : RAM + i * MEM_PAGE_SIZE) >> 2 | flags;
        rig_put(g->r, leaf + i * 8, pte | (i >= PAGES || pick(g, 2) ? 0xcf : 0x0f), 8);
        rig_put(g->r, backup + i * 8, pte | (i >= PAGES || pick(g, 2) ? 0xcf : 0x0f), 8);
    }
}

static void registers(struct gen *g, struct hart *h, unsigned n)
{
    h->s.x[STORES_TO] = pick(g, 2) ? CODE + pick(g, 3) * 0x800 : RAM + ALIAS * MEM_PAGE_SIZE + 0x800;
    h->s.x[TABLE] = h->s.x[LEAF] = LEAF_AT;
    h->s.x[BACKUP] = BACKUP_AT;
    h->s.x[MID] = MID_AT;
    h->s.x[MID_WAS] = LEAF_AT >> 2 | 1;
    h->s.x[G_TABLE] = G_LEAF_AT;
    h->s.x[G_BACKUP] = G_BACKUP_AT;
    h->s.x[G_MID] = G_MID_AT;
    h->s.x[G_MID_WAS] = G_LEAF_AT >> 2 | 1;
    h->s.x[BUFFER] = DATA + 0x800 + n * 0x40;
    h->s.x[BASE] = CODE;
    for (unsigned i = 0; i < VALUES; i++)
        h->s.x[V0 + i] = rng_next(&g->seed);
}

/* Harts in S, some in U; in every second world in VS and VU. */
static struct rig *world(uint64_t seed)
{
    struct rig *r = rig_new(64, "");
    struct gen g = {.r = r, .seed = seed, .at = CODE, .end = CODE + CODE_PAGES * MEM_PAGE_SIZE};
    bool guest = pick(&g, 2), user = !pick(&g, 4);
    tables(&g, TABLES, MID_AT, LEAF_AT, BACKUP_AT, user ? 0x10 : 0);
    tables(&g, G_ROOT_AT, G_MID_AT, G_LEAF_AT, G_BACKUP_AT, 0x10);
    program(&g);
    handler(r);
    uint64_t adue = (uint64_t)pick(&g, 2) << 61, satp = UINT64_C(8) << 60 | TABLES >> 12;
    for (unsigned n = 0; n < RIG_HARTS; n++) {
        struct hart *h = r->h[n];
        h->s.csr.menvcfg = adue | 1 << 7;
        h->s.csr.henvcfg = (uint64_t)pick(&g, 2) << 61 | 1 << 7;
        h->s.csr.senvcfg = 1 << 7;
        if (guest) {
            h->s.csr.vsatp = satp;
            h->s.csr.hgatp = UINT64_C(8) << 60 | G_ROOT_AT >> 12;
        } else {
            h->s.csr.satp = satp;
        }
        h->s.csr.mstatus |= (uint64_t)pick(&g, 2) << 18;
        h->s.csr.vsstatus |= (uint64_t)pick(&g, 2) << 18;
        registers(&g, h, n);
        h->s.priv = user ? RV_U : RV_S;
        h->s.v = guest;
        h->s.csr.pmpcfg[0] = 0x1f;
        h->s.csr.pmpaddr[0] = bits_mask(0, 54);
    }
    return r;
}

enum way { LONG, STEPS, NO_CACHES, FORKS, WAYS };

static void turn(struct rig *r, unsigned n, enum way way)
{
    struct hart *h = r->h[n];
    uint64_t until = h->s.cycle + TURN;
    while (h->s.cycle < until) {
        if (way == NO_CACHES)
            engine_drop(r->engine);
        uint64_t to = way == STEPS || way == NO_CACHES ? h->s.cycle + 1 : until;
        assert_int_equal(hart_run(h, to), CPU_STOP_LIMIT);
    }
}

/* A fork of r, whose first one is `first`: r itself does the turn of the other hart, too, before it ends. */
static struct rig *go_on_in_a_fork(struct rig *r, struct rig *first, unsigned n)
{
    struct rig *f = rig_fork(r);
    turn(r, !n, LONG);
    turn(r, n, LONG);
    if (r != first)
        rig_free(r);
    return f;
}

static void same(uint64_t seed, const struct rig *a, const struct rig *b, unsigned at, enum way way)
{
    for (unsigned n = 0; n < RIG_HARTS; n++) {
        if (!memcmp(&a->h[n]->s, &b->h[n]->s, sizeof a->h[n]->s))
            continue;
        print_error("seed %#llx way %d turn %u hart %u: pc %#llx %#llx\n", (unsigned long long)seed, (int)way, at, n,
                    (unsigned long long)a->h[n]->s.pc, (unsigned long long)b->h[n]->s.pc);
        fail();
    }
}

static void caches_are_never_seen(void **state)
{
    (void)state;
    const char *many = getenv("TRAPLINE_CACHES_N");
    unsigned seeds = many ? (unsigned)strtoul(many, NULL, 0) : 150;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct rig *w[WAYS], *first;
        for (enum way k = LONG; k < WAYS; k++) {
            w[k] = world(seed);
            for (unsigned n = 0; n < RIG_HARTS; n++)
                hart_refresh(w[k]->h[n]);
        }
        first = w[FORKS];
        for (unsigned t = 0; t < TURNS * RIG_HARTS; t++) {
            if (t % 7 == 0)
                w[FORKS] = go_on_in_a_fork(w[FORKS], first, t % RIG_HARTS);
            for (enum way k = LONG; k < WAYS; k++) {
                turn(w[k], t % RIG_HARTS, k);
                same(seed, w[LONG], w[k], t, k);
            }
        }
        for (uint64_t at = RAM; at < RAM + RAM_SIZE; at += 8) {
            for (enum way k = STEPS; k < WAYS; k++)
                assert_int_equal(rig_get(w[LONG], at, 8), rig_get(w[k], at, 8));
        }
        for (enum way k = LONG; k < WAYS; k++)
            rig_free(w[k]);
        rig_free(first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(caches_are_never_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
