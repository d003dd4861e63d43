/*
 * No cache is seen by a guest: random A64 code that stores to its own translation tables (of one or two stages) and instructions
 * goes the same way in long runs, in single steps, and in single steps before each of which every cache is dropped. The
 * counterpart of test_hart_caches.c.
 */
#include "pe_rig.h"
#include "base/rng.h"
#include "csr/arm/masks.h"

#include <stdio.h>

/* Pages of RAM, by number; all are mapped to themselves, ALIAS to DATA again. */
enum {
    CODE_PAGES = 2,
    DATA = 8,
    ALIAS = 12,
    USED = 16,
    HANDLER = 20,
    VECTORS = 22,
    VECTORS2 = 23,
    TABLES = 32,
    TABLES1 = 40,
    TABLES2 = 48,
    PAGES = 64
};
enum { ROOT, MID, LEAF, OTHER_LEAF }; /* pages from TABLES and from TABLES2 */
/* Registers: values; where accesses go, one of them for code; tables of both stages and what was in them; the handler's. */
enum { V0 = 0, VALUES = 6, BUFFER = 8, STORES_TO, LEAF_AT, MID_AT, LEAF2_AT, MID2_AT, BASE, H0 = 20, H1, H2 };
enum { TURN = 90, TURNS = 60, SEEDS = 60 };

#define AT(page)  (RIG_RAM + (uint64_t)(page)*MEM_PAGE_SIZE)
#define TABLE     3u
#define LEAF1     (3u | 1u << 10 | 3u << 8)                      /* page, AF, Inner Shareable, EL1 may read and write */
#define LEAF2     (3u | 1u << 10 | 3u << 8 | 3u << 6 | 15u << 2) /* of stage 2: Write-Back, read and write */
#define TCR       (25u | UINT64_C(2) << 32)                      /* 39 bits, 4 KiB */
#define VTCR      (25u | 1u << 6 | 2u << 16 | UINT64_C(1) << 31) /* likewise, from level 1 */
#define UPPER     UINT64_C(0xffffff8000000000)                   /* where TTBR1_EL1 maps the vectors of EL1 */
#define SWAP      ((uint64_t)(LEAF ^ OTHER_LEAF) << MEM_PAGE_SHIFT)
#define ELR_EL1   A64_REG(3, 0, 4, 0, 1)
#define SPSR_EL1  A64_REG(3, 0, 4, 0, 0)
#define ELR_EL2   A64_REG(3, 4, 4, 0, 1)
#define SPSR_EL2  A64_REG(3, 4, 4, 0, 0)
#define ESR_EL2   A64_REG(3, 4, 5, 2, 0)
#define TTBR0_EL1 A64_REG(3, 0, 2, 0, 0)
#define PAR_EL1   A64_REG(3, 0, 7, 4, 0)

struct gen {
    struct rig *r;
    uint64_t seed, at, end;
};

static unsigned pick(struct gen *g, unsigned n) { return (unsigned)(rng_next(&g->seed) >> 33) % n; }
static unsigned value(struct gen *g) { return V0 + pick(g, VALUES); }
static void put64(struct rig *r, uint64_t pa, uint64_t v) { mem_write(r->mem, pa, &v, sizeof v); }

static void emit(struct gen *g, uint32_t insn)
{
    if (g->at + 4 <= g->end)
        mem_write(g->r->mem, g->at, &insn, 4);
    g->at += 4;
}

static uint32_t ldr(unsigned rt, unsigned rn, unsigned off) { return 0xf9400000u | off / 8 << 10 | rn << 5 | rt; }
static uint32_t str(unsigned rt, unsigned rn, unsigned off) { return 0xf9000000u | off / 8 << 10 | rn << 5 | rt; }
/* eor xd, xn, #(1 << bit) */
static uint32_t flip(unsigned rd, unsigned rn, unsigned bit) { return 0xd2400000u | ((64 - bit) & 63) << 16 | rn << 5 | rd; }

/* Changes where the last table of a stage is, or whether there is one. */
static void change_pointer(struct gen *g)
{
    unsigned v = value(g), table = pick(g, 3) ? MID_AT : MID2_AT;
    emit(g, ldr(v, table, 0));
    emit(g, flip(v, v, pick(g, 4) ? (unsigned)__builtin_ctzll(SWAP) : 0));
    emit(g, str(v, table, 0));
}

/* Changes a bit of the descriptor of one of the pages in use. */
static void change_entry(struct gen *g)
{
    static const unsigned pages[] = {DATA, DATA + 1, ALIAS, TABLES + LEAF, 0, 1};
    static const unsigned bits[] = {0, 6, 7, 10, 53, 54, 12, 51}; /* valid, AP or S2AP, AF, PXN, UXN, address, DBM */
    unsigned v = value(g), table = pick(g, 3) ? LEAF_AT : LEAF2_AT;
    unsigned at = 8 * (pick(g, 4) ? pages[pick(g, ARRAY_LEN(pages))] : pick(g, USED));
    emit(g, ldr(v, table, at));
    emit(g, flip(v, v, bits[pick(g, ARRAY_LEN(bits))]));
    if (pick(g, 4))
        emit(g, str(v, table, at));
    else
        emit(g, 0x39000000u | (at + pick(g, 2)) << 10 | table << 5 | v); /* strb: the lowest byte or the next */
}

static void access_memory(struct gen *g)
{
    unsigned base = pick(g, 3) ? BUFFER : STORES_TO, off = 8 * pick(g, 500), v = value(g);
    switch (pick(g, 8)) {
    case 0: emit(g, 0xf8400800u | pick(g, 32) * 8 << 12 | base << 5 | v); break;              /* ldtr */
    case 1: emit(g, 0xf8000800u | pick(g, 32) * 8 << 12 | base << 5 | v); break;              /* sttr */
    case 2: emit(g, 0x3dc00000u | off / 16 << 10 | base << 5 | v); break;                     /* ldr q */
    case 3: emit(g, 0xa9000000u | pick(g, 60) << 15 | value(g) << 10 | base << 5 | v); break; /* stp */
    case 4:
    case 5: emit(g, ldr(v, base, off)); break;
    default: emit(g, str(v, base, off)); break;
    }
}

static void atomic(struct gen *g)
{
    unsigned base = pick(g, 4) ? BUFFER : LEAF_AT, v = value(g);
    switch (pick(g, 4)) {
    case 0: emit(g, 0xc85f7c00u | base << 5 | v); break;                                     /* ldxr */
    case 1: emit(g, 0xc8007c00u | value(g) << 16 | base << 5 | v); break;                    /* stxr */
    case 2: emit(g, 0xf8200000u | v << 16 | pick(g, 4) << 12 | base << 5 | value(g)); break; /* ldadd to ldset */
    default: emit(g, 0xc8a07c00u | value(g) << 16 | base << 5 | value(g)); break;            /* cas */
    }
}

static void system_insn(struct gen *g)
{
    unsigned v = value(g);
    switch (pick(g, 8)) {
    case 0: emit(g, 0xd508871f); break;                             /* tlbi vmalle1 */
    case 1: emit(g, 0xd5033fdf); break;                             /* isb */
    case 2: emit(g, 0xd500409fu | pick(g, 2) << 8); break;          /* msr pan, #0 or #1 */
    case 3: emit(g, 0xd5087800u | pick(g, 4) << 5 | BUFFER); break; /* at s1e1r … s1e0w */
    case 4: emit(g, 0xd5200000u | PAR_EL1 | v); break;
    case 5: /* another ASID: another context */
        emit(g, 0xd5200000u | TTBR0_EL1 | v);
        emit(g, flip(v, v, 48 + pick(g, 4)));
        emit(g, 0xd5000000u | TTBR0_EL1 | v);
        break;
    case 6: emit(g, 0xd50b7420u | BUFFER); break; /* dc zva */
    default: emit(g, 0xd4000001); break;          /* svc */
    }
}

static void jump(struct gen *g)
{
    if (pick(g, 3))
        emit(g, 0x54000000u | (1 + pick(g, 12)) << 5 | pick(g, 14)); /* b.cc ahead */
    else if (pick(g, 2))
        emit(g, 0xd61f0000u | BASE << 5); /* br: from the beginning */
    else
        emit(g, 0xb4000000u | (1 + pick(g, 900)) << 5 | value(g)); /* cbz, far ahead */
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
        default: emit(g, 0xab000000u | value(g) << 16 | value(g) << 5 | value(g)); break; /* adds */
        }
    }
}

/* What a page's descriptor is in the beginning. */
static uint64_t leaf(unsigned page, bool second) { return AT(page == ALIAS && !second ? DATA : page) | (second ? LEAF2 : LEAF1); }

static void restore(struct a64 *g, bool second)
{
    static const unsigned used[] = {0, 1, DATA, DATA + 1, ALIAS, TABLES + LEAF, TABLES + MID};
    for (unsigned i = 0; i < ARRAY_LEN(used); i++) {
        a64_mov_imm(g, H0, leaf(used[i], second));
        a64_str(g, H0, second ? LEAF2_AT : LEAF_AT, used[i] * 8);
    }
    a64_mov_imm(g, H0, AT((second ? TABLES2 : TABLES) + LEAF) | TABLE);
    a64_str(g, H0, second ? MID2_AT : MID_AT, 0);
}

/* EL2, without translation of its own: goes on behind what was stopped at EL1 or here, in the code pages, with the descriptors in
   use as they were in the beginning. EL1 only calls it. */
static void handler(struct rig *r)
{
    static uint32_t code[256];
    struct a64 g = {.code = code, .cap = ARRAY_LEN(code)};
    restore(&g, false);
    restore(&g, true);
    a64_mrs(&g, H0, ESR_EL2);
    a64_mrs(&g, H1, ELR_EL2);
    a64_lsr(&g, H0, H0, 26);
    a64_cmp_imm(&g, H0, 0x16); /* HVC */
    unsigned own = a64_b_cond(&g, A64_NE, 0);
    a64_mrs(&g, H1, ELR_EL1);
    a64_mrs(&g, H2, SPSR_EL1);
    a64_msr(&g, SPSR_EL2, H2);
    a64_fix(&g, own, g.n);
    a64_add_imm(&g, H1, H1, 4);
    a64_put(&g, 0x92403000u | H1 << 5 | H1); /* and x21, x21, #0x1fff */
    a64_add(&g, H1, H1, BASE);
    a64_msr(&g, ELR_EL2, H1);
    a64_eret(&g);
    mem_write(r->mem, AT(HANDLER), code, 4 * g.n);
    for (unsigned i = 0; i < 16; i++) {
        uint32_t hvc = 0xd4000002, at = (VECTORS2 - HANDLER) * MEM_PAGE_SIZE + 0x80 * i,
                 b = a64_with_target(0x14000000, at / 4, 0);
        mem_write(r->mem, AT(VECTORS) + 0x80 * i, &hvc, 4);
        mem_write(r->mem, AT(VECTORS2) + 0x80 * i, &b, 4);
    }
}

/* Tables of one stage from page `at` on, which map RAM to itself, and a copy of the last one. */
static void tables(struct rig *r, unsigned at, bool second)
{
    put64(r, AT(at + ROOT) + (RIG_RAM >> 30 & 511) * 8, AT(at + MID) | TABLE);
    put64(r, AT(at + MID) + (RIG_RAM >> 21 & 511) * 8, AT(at + LEAF) | TABLE);
    for (unsigned i = 0; i < PAGES; i++) {
        put64(r, AT(at + LEAF) + 8 * i, leaf(i, second));
        put64(r, AT(at + OTHER_LEAF) + 8 * i, leaf(i, second));
    }
}

/* Those of the upper half, for nothing but the vectors. */
static void upper_tables(struct rig *r)
{
    put64(r, AT(TABLES1 + ROOT), AT(TABLES1 + MID) | TABLE);
    put64(r, AT(TABLES1 + MID), AT(TABLES1 + LEAF) | TABLE);
    put64(r, AT(TABLES1 + LEAF), AT(VECTORS) | LEAF1);
}

static void registers(struct gen *g, bool two)
{
    struct arm_state *s = &g->r->pe.s;
    struct arm_regs *c = &s->regs;
    c->vbar_el1 = UPPER;
    c->vbar_el2 = AT(VECTORS2);
    c->cpacr_el1 = 3 << 20;
    c->cptr_el2 = 0x33ff;
    c->mair_el1 = 0xff;
    c->ttbr0_el1 = AT(TABLES + ROOT);
    c->ttbr1_el1 = AT(TABLES1 + ROOT);
    c->tcr_el1 = TCR | 25u << 16 | UINT64_C(2) << 30 | (uint64_t)pick(g, 4) << 39; /* HA, HD */
    c->sctlr_el1 |= sctlr_el1_M;
    c->hcr_el2 = hcr_el2_RW | (two ? hcr_el2_VM : 0);
    c->vtcr_el2 = VTCR | pick(g, 4) << 21;
    c->vttbr_el2 = AT(TABLES2 + ROOT);
    s->x[BUFFER] = AT(DATA) + 0x100;
    s->x[STORES_TO] = pick(g, 2) ? AT(pick(g, CODE_PAGES)) : AT(ALIAS);
    s->x[LEAF_AT] = AT(TABLES + LEAF);
    s->x[MID_AT] = AT(TABLES + MID);
    s->x[LEAF2_AT] = AT(TABLES2 + LEAF);
    s->x[MID2_AT] = AT(TABLES2 + MID);
    s->x[BASE] = AT(0);
    for (unsigned i = 0; i < VALUES; i++)
        s->x[V0 + i] = rng_next(&g->seed);
    s->pc = AT(0);
}

static struct rig *world(uint64_t seed)
{
    struct rig *r = rig_base("max,el3=off,mte=off");
    struct gen g = {.r = r, .seed = seed, .at = AT(0), .end = AT(CODE_PAGES)};
    rig_pe(r);
    rig_level(r, 1);
    tables(r, TABLES, false);
    tables(r, TABLES2, true);
    upper_tables(r);
    program(&g);
    handler(r);
    registers(&g, pick(&g, 2));
    pe_refresh(&r->pe);
    return r;
}

enum way { LONG, STEPS, NO_CACHES, WAYS };

static void turn(struct rig *r, enum way way)
{
    uint64_t until = r->pe.s.cycle + TURN;
    while (r->pe.s.cycle < until) {
        if (way == NO_CACHES)
            engine_drop(&r->engine);
        pe_run(&r->pe, way == LONG ? until : r->pe.s.cycle + 1);
    }
}

static void same(uint64_t seed, const struct rig *a, const struct rig *b, unsigned at, enum way way)
{
    if (!memcmp(&a->pe.s, &b->pe.s, sizeof a->pe.s))
        return;
    print_error("seed %llu way %d turn %u: pc %#llx %#llx\n", (unsigned long long)seed, (int)way, at,
                (unsigned long long)a->pe.s.pc, (unsigned long long)b->pe.s.pc);
    fail();
}

static void same_memory(const struct rig *a, const struct rig *b)
{
    for (unsigned i = 0; i < PAGES; i++)
        assert_memory_equal(mem_page_read(a->mem, AT(i)), mem_page_read(b->mem, AT(i)), MEM_PAGE_SIZE);
}

static void caches_are_never_seen(void **state)
{
    (void)state;
    const char *many = getenv("TRAPLINE_CACHES_N");
    unsigned seeds = many ? (unsigned)strtoul(many, NULL, 0) : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct rig *w[WAYS];
        for (enum way k = LONG; k < WAYS; k++)
            w[k] = world(seed);
        for (unsigned t = 0; t < TURNS; t++) {
            for (enum way k = LONG; k < WAYS; k++) {
                turn(w[k], k);
                same(seed, w[LONG], w[k], t, k);
            }
        }
        for (enum way k = STEPS; k < WAYS; k++)
            same_memory(w[LONG], w[k]);
        for (enum way k = LONG; k < WAYS; k++)
            rig_free(w[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(caches_are_never_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
