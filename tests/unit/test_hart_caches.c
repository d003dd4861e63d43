/*
 * No cache is seen by a guest: random code that stores to its own page tables and instructions goes the same way in long runs, in
 * single steps, and in single steps before each of which every cache is dropped, and in forks whose parents go on.
 */
#include "hart_rig.h"
#include "base/rng.h"

#include <stdio.h>

enum { STORES_TO = 7, TABLE = 8, BUFFER = 9, V0 = 10, VALUES = 6, BACKUP = 24, LEAF = 25, BASE = 26, H0 = 27, H1 = 28 };
enum { ALIAS = 40 /* page at which DATA is mapped again */, PAGES = 20, CODE_PAGES = 2, TURN = 70, TURNS = 40 };

#define LEAF_AT   (TABLES + 0x2000)
#define BACKUP_AT (TABLES + 0x4000)

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

/* Changes some flags of the entry of one of the pages in use. */
static void change_entry(struct gen *g)
{
    unsigned at = pick(g, 3) ? pick(g, CODE_PAGES) * 8 : pick(g, PAGES) * 8, v = value(g);
    static const unsigned flags[] = {1, 2, 4, 8, 0x40, 0x80, 0xc0, 6, 0x10};
    emit(g, i_type(at, TABLE, 3, v, 0x03));
    emit(g, i_type(flags[pick(g, ARRAY_LEN(flags))], v, 4, v, 0x13)); /* xori */
    emit(g, s_type(at, v, TABLE, pick(g, 4) ? 3 : pick(g, 3)));
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
        case 0: change_entry(g); break;
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

/* Goes on behind what trapped, in the code pages, with the entries of the pages in use as they were in the beginning. */
static void handler(struct rig *r)
{
    struct gen g = {.r = r, .at = HANDLER, .end = UINT64_MAX};
    static const unsigned used[] = {0, 1, (DATA - RAM) / MEM_PAGE_SIZE, (DATA - RAM) / MEM_PAGE_SIZE + 1,
                                    (LEAF_AT - RAM) / MEM_PAGE_SIZE};
    for (unsigned i = 0; i < ARRAY_LEN(used); i++) {
        emit(&g, i_type(used[i] * 8, BACKUP, 3, H0, 0x03));
        emit(&g, s_type(used[i] * 8, H0, LEAF, 3));
    }
    emit(&g, i_type(0x341, 0, 2, H0, 0x73)); /* csrr mepc */
    emit(&g, i_type(4, H0, 0, H0, 0x13));
    emit(&g, i_type(51, H0, 1, H0, 0x13)); /* slli: offset in two pages */
    emit(&g, i_type(51, H0, 5, H0, 0x13));
    emit(&g, 0x33u | H0 << 7 | H0 << 15 | (uint32_t)BASE << 20);
    emit(&g, i_type(0x341, H0, 1, 0, 0x73));
    emit(&g, 0x30200073); /* mret */
}

static struct rig *world(uint64_t seed)
{
    struct rig *r = rig_new(64, "");
    struct gen g = {.r = r, .seed = seed, .at = CODE, .end = CODE + CODE_PAGES * MEM_PAGE_SIZE};
    rig_put(r, TABLES + 2 * 8, (TABLES + 0x1000) >> 2 | 1, 8);
    rig_put(r, TABLES + 0x1000, LEAF_AT >> 2 | 1, 8);
    for (uint64_t i = 0; i < 64; i++) {
        uint64_t pte = (i == ALIAS ? DATA : RAM + i * MEM_PAGE_SIZE) >> 2 | (i >= PAGES || pick(&g, 2) ? 0xcf : 0x0f);
        rig_put(r, LEAF_AT + i * 8, pte, 8);
        rig_put(r, BACKUP_AT + i * 8, pte, 8);
    }
    program(&g);
    handler(r);
    uint64_t adue = (uint64_t)pick(&g, 2) << 61;
    for (unsigned n = 0; n < RIG_HARTS; n++) {
        struct hart *h = r->h[n];
        h->s.csr.menvcfg = adue | 1 << 7;
        h->s.csr.satp = UINT64_C(8) << 60 | TABLES >> 12;
        h->s.csr.mstatus |= (uint64_t)pick(&g, 2) << 18;
        h->s.x[STORES_TO] = pick(&g, 2) ? CODE + pick(&g, 3) * 0x800 : RAM + ALIAS * MEM_PAGE_SIZE + 0x800;
        h->s.x[TABLE] = h->s.x[LEAF] = LEAF_AT;
        h->s.x[BACKUP] = BACKUP_AT;
        h->s.x[BUFFER] = DATA + 0x800 + n * 0x40;
        h->s.x[BASE] = CODE;
        for (unsigned i = 0; i < VALUES; i++)
            h->s.x[V0 + i] = rng_next(&g.seed);
        h->s.priv = RV_S;
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
