/* The state a case begins with. */
#include "a64_diff.h"
#include "a64_guest.h"

#include "cpu/arm/pstate.h"

#include <string.h>

uint64_t a64_value(uint64_t *rng)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     INT64_MAX,
                                     (uint64_t)INT64_MIN,
                                     UINT64_MAX,
                                     UINT64_MAX - 1,
                                     0xffffffff80000000};
    switch (rng_below(rng, 4)) {
    case 0: return edges[rng_below(rng, ARRAY_LEN(edges))];
    case 1: return rng_next(rng) >> rng_below(rng, 64);
    default: return rng_next(rng);
    }
}

void a64_set_reg(struct a64_case *c, unsigned id, uint64_t value)
{
    for (unsigned i = 0; i < a64_init_count(); i++)
        if (a64_init_reg(i) == id)
            c->reg[i] = value;
}

static void set(struct a64_case *c, unsigned at, uint64_t value) { memcpy(c->arena + at, &value, 8); }

/* Vectors of EL1 and EL2: an SMC that tells which. */
static void put_vectors(struct a64_case *c)
{
    for (unsigned slot = 0; slot < 16; slot++) {
        uint32_t smc1 = 0xd4000003 | 1 << 5, smc2 = 0xd4000003 | 2 << 5;
        memcpy(c->arena + PGA_VECTORS * 4096 + slot * 0x80, &smc1, 4);
        memcpy(c->arena + PGA_VECTORS * 4096 + 0x800 + slot * 0x80, &smc2, 4);
    }
}

static uint64_t data_address(struct a64_case *c)
{
    uint64_t at = c->va + PGA_DATA * 4096 + 0x3000 + (rng_below(&c->rng, 0x2000) & ~UINT64_C(15));
    if (a64_chance(&c->rng, 25))
        at = c->va + PGA_MORE * 4096 + (rng_below(&c->rng, 0x7000) & ~UINT64_C(15));
    if (c->tags && a64_chance(&c->rng, 20))
        at |= (1 + rng_below(&c->rng, 3)) << 56;
    return a64_chance(&c->rng, 20) ? at + rng_below(&c->rng, 16) : at;
}

static void set_round(struct a64_case *c, unsigned at, uint64_t value) { memcpy(c->round + at, &value, 8); }

/* General and vector registers, and PSTATE. */
void a64_registers_make(struct a64_case *c)
{
    c->pointers = c->smalls = 0;
    for (unsigned i = 0; i < 31; i++) {
        uint64_t v = a64_value(&c->rng);
        bool free = i != 16 && i != 17 && i != 30;
        if (free && a64_chance(&c->rng, 25)) {
            v = data_address(c);
            c->pointers |= UINT64_C(1) << i;
        } else if (free && a64_chance(&c->rng, 10)) {
            v = rng_below(&c->rng, 64);
            c->smalls |= UINT32_C(1) << i;
        }
        set_round(c, ROUNDA_X + 8 * i, v);
    }
    for (unsigned i = 0; i < 64; i++)
        set_round(c, ROUNDA_V + 8 * i, a64_value(&c->rng));
    unsigned sp = c->el == 3 || c->el == 0 ? 0 : (unsigned)rng_below(&c->rng, 2);
    set_round(c, ROUNDA_PSTATE,
              a64_debug_spsr(c, (rng_next(&c->rng) & (UINT64_C(15) << 28 | 1 << 12 | 1 << 22 | 1 << 23 | 1 << 24)) | 0x3c0 |
                                    c->el << 2 | sp));
}

static void put_stack_pointers(struct a64_case *c)
{
    static const uint16_t sps[] = {SR_sp_el0, SR_sp_el1, SR_sp_el2};
    for (unsigned i = 0; i < ARRAY_LEN(sps); i++)
        a64_set_reg(c, sps[i], a64_chance(&c->rng, 90) ? data_address(c) & ~UINT64_C(15) : a64_value(&c->rng));
}

static void put_data(struct a64_case *c)
{
    for (unsigned i = 0; i < (PGA_VECTORS - PGA_DATA) * 4096; i += 8)
        set(c, PGA_DATA * 4096 + i, a64_value(&c->rng));
    for (unsigned i = 0; i < (PGA_COUNT - PGA_MORE) * 4096; i += 64)
        set(c, PGA_MORE * 4096 + i, a64_value(&c->rng));
}

/* ---- translation tables ------------------------------------------------------------------------------------------------ */

enum { D_VALID = 1, D_TABLE = 2, D_AF = 1 << 10 };
#define D_AP1   (UINT64_C(1) << 6) /* EL0 too */
#define D_AP2   (UINT64_C(1) << 7) /* read-only */
#define D_PXN   (UINT64_C(1) << 53)
#define D_UXN   (UINT64_C(1) << 54)
#define D_DBM   (UINT64_C(1) << 51)
#define D_PBHA0 (UINT64_C(1) << 59) /* by TCR2_ELx.AIE: MAIR2_ELx */
/* 0: Write-Back; 1: Non-cacheable; 2: Write-Back, Tagged; 3: Write-Back; no Device, whatever a walk reads that finds no table */
#define MAIR UINT64_C(0x44444444fff044ff)

/* One translation: where its tables are. D8.2.7, D8.2.8, D8.2.9. */
struct space {
    unsigned el;    /* regime: 1, 2, 3; 0 stage 2 */
    unsigned page;  /* of the root; the tables of the next levels follow, */
    unsigned last;  /* with 64 KiB the last one is here */
    unsigned grain; /* log2 of the granule */
    int first;      /* level of the root */
};

static unsigned level_shift(const struct space *s, int level) { return s->grain + (s->grain - 3) * (unsigned)(3 - level); }

static uint64_t table_at(const struct space *s, int level)
{
    if (s->grain == 16 && level == 3)
        return s->last * UINT64_C(4096);
    return s->page * UINT64_C(4096) + ((uint64_t)(level - s->first) << s->grain);
}

static uint64_t desc_at(const struct space *s, int level, uint64_t va)
{
    return table_at(s, level) + (va >> level_shift(s, level) & ((UINT64_C(1) << (s->grain - 3)) - 1)) * 8;
}

static void put_desc(struct a64_case *c, const struct space *s, int level, uint64_t va, uint64_t desc)
{
    memcpy(c->arena + desc_at(s, level, va), &desc, 8);
}

/* The descriptors of all levels but the last. */
static void put_tables(struct a64_case *c, const struct space *s)
{
    for (int level = s->first; level < 3; level++)
        put_desc(c, s, level, c->pa, (c->pa + table_at(s, level + 1)) | D_VALID | D_TABLE);
}

static struct space space_of(const struct a64_case *c, unsigned el)
{
    static const uint8_t roots[] = {PGA_S2_TABLES, PGA_S1_TABLES, PGA_EL2_TABLES, PGA_EL3_TABLES},
                         last[] = {PGA_S2_64K, PGA_S1_64K, PGA_EL2_64K, 0};
    struct space s = {.el = el, .page = roots[el], .last = last[el], .grain = c->grain[el], .first = 3};
    while (level_shift(&s, s.first - 1) < 64u - c->size[el])
        s.first--;
    return s;
}

uint64_t a64_leaf(const struct a64_case *c, unsigned el, unsigned page)
{
    struct space s = space_of(c, el);
    return desc_at(&s, 3, c->pa + page * 4096);
}

/* T0SZ and TG0 of a TCR or of VTCR_EL2. D24.2 "TCR_EL1". */
static uint64_t sized(const struct a64_case *c, unsigned el)
{
    return c->size[el] | (c->grain[el] == 12 ? 0 : c->grain[el] == 16 ? 1 : 2) << 14;
}

/* Bits 9:8 of a descriptor: shareability, or address bits 51:50. D8.3.1. */
static uint64_t shared(const struct a64_case *c, unsigned el) { return c->wide[el] ? 0 : 3 << 8; }

/* PS: 52 bits where descriptors have them, as QEMU 7.2 looks at these bits only then; else 48 or 40. */
static uint64_t output_size(const struct a64_case *c, unsigned el)
{
    return c->wide[el] || c->grain[el] == 16 ? 6 : c->size[el] == 16 ? 5 : 2;
}

static bool is_data(unsigned page) { return (page >= PGA_DATA && page < PGA_VECTORS) || page >= PGA_MORE; }

/* Of 64 KiB: code and data together, vectors and tables, tables, data and tables. */
static uint64_t wide_attributes(struct a64_case *c, const struct space *s, unsigned page)
{
    bool two = s->el == 1 || (s->el == 2 && c->e2h), more = page == PGA_MORE / 16 * 16;
    uint64_t a = D_AF | shared(c, s->el);
    if (!two)
        a |= D_AP1;
    else if (page == 0)
        a |= c->el == 0 ? D_AP1 | D_PXN : D_UXN;
    else
        a |= D_UXN | (more && a64_chance(&c->rng, 70) ? D_AP1 : 0);
    if (more && a64_chance(&c->rng, 25))
        a ^= UINT64_C(1) << (6 + rng_below(&c->rng, 2));
    if (more && a64_chance(&c->rng, 10))
        a &= ~(uint64_t)D_AF;
    if (more && a64_chance(&c->rng, 20))
        a |= D_DBM;
    if (more && a64_chance(&c->rng, 60))
        a |= 2 << 2; /* Tagged */
    if (more && c->isa->witness >= 11 && a64_chance(&c->rng, 30))
        a |= D_PBHA0;
    if (c->indirect)
        a &= ~(uint64_t)D_AP2;
    return a;
}

/* The attributes of a page of the arena in a regime; wrong on purpose now and then. */
static uint64_t attributes(struct a64_case *c, const struct space *s, unsigned page)
{
    if (s->grain == 16)
        return wide_attributes(c, s, page);
    bool code = page < PGA_DATA, vectors = page >= PGA_VECTORS && page < PGA_S1_TABLES, data = is_data(page);
    bool two = s->el == 1 || (s->el == 2 && c->e2h); /* EL0 uses it, too */
    uint64_t a = D_AF | shared(c, s->el);
    if (!two)
        a |= D_AP1 | (vectors ? D_AP2 : 0);
    else if (vectors)
        a |= D_UXN | D_AP2;
    else if (code)
        a |= c->shared ? D_AP1 | D_AP2 : c->el == 0 ? D_AP1 | D_AP2 | D_PXN : D_UXN | (a64_chance(&c->rng, 50) ? D_AP2 : 0);
    else if (data && a64_chance(&c->rng, 70))
        a |= D_AP1;
    if (data && a64_chance(&c->rng, 15))
        a ^= UINT64_C(1) << (6 + rng_below(&c->rng, 2));
    if (data && a64_chance(&c->rng, 10))
        a &= ~(uint64_t)D_AF;
    if (data && a64_chance(&c->rng, 15))
        a |= D_DBM;
    if (data && a64_chance(&c->rng, 50))
        a |= rng_next(&c->rng) & (D_PXN | D_UXN);
    if (data && a64_chance(&c->rng, 60))
        a |= 2 << 2; /* Tagged */
    if (data && c->isa->witness >= 11 && a64_chance(&c->rng, 30))
        a |= D_PBHA0;
    if (c->indirect) /* QEMU 11.1 has no dirty state there */
        a &= ~(uint64_t)D_AP2;
    if (code && a64_chance(&c->rng, 20))
        a |= UINT64_C(1) << 50; /* guarded */
    return a;
}

/* Stage 2: everything is where it is, data pages and, seldom, tables and code wrong on purpose. D8.3.2. */
static void put_stage2(struct a64_case *c)
{
    const struct space s = space_of(c, 0);
    uint64_t root = c->pa + s.page * 4096;
    uint64_t pie = c->pie && !c->secure ? (uint64_t)a64_chance(&c->rng, 40) << 36 : 0; /* S2PIE */
    put_tables(c, &s);
    for (unsigned i = 0; i < PGA_COUNT; i += 1u << (s.grain - 12)) {
        bool data = is_data(i) || (s.grain == 16 && i == PGA_MORE / 16 * 16), table = i >= PGA_S1_TABLES && i < PGA_EL2_TABLES;
        bool wrong = i < PGA_VECTORS || i >= PGA_S1_TABLES;
        uint64_t d = (c->pa + i * 4096) | 15 << 2 | 3 << 6 | shared(c, 0) | D_AF | D_VALID | D_TABLE;
        if (wrong && a64_chance(&c->rng, data ? 15 : table ? 3 : 1))
            d ^= UINT64_C(1) << (6 + (pie ? 0 : rng_below(&c->rng, 2)));
        c->unreadable |= i < PGA_DATA && !(d & 1 << 6);
        if (wrong && a64_chance(&c->rng, data ? 5 : 1))
            d &= ~(uint64_t)D_AF;
        if (wrong && a64_chance(&c->rng, data ? 5 : 1))
            d &= ~(uint64_t)D_VALID;
        if (wrong && a64_chance(&c->rng, data ? 50 : 1))
            d |= rng_next(&c->rng) & UINT64_C(3) << 53;
        if (data && a64_chance(&c->rng, 15))
            d |= D_DBM;
        if (data && c->isa->witness >= 11 && a64_chance(&c->rng, 20))
            d ^= (15 ^ 4) << 2; /* MemAttr 4: NoTagAccess */
        put_desc(c, &s, 3, c->pa + i * 4096, d);
    }
    uint64_t had = rng_next(&c->rng) & 3;
    c->dirty |= had >> 1;
    c->flagged |= had != 0;
    uint64_t sl = s.first < 0 ? UINT64_C(1) << 33 : s.grain == 12 && s.first == 0 ? 2 << 6 : 1 << 6; /* SL2, SL0 */
    uint64_t control = sized(c, 0) | sl | 1u << 31, vmid = rng_below(&c->rng, 256) << 48;
    a64_set_reg(c, SR_vtcr_el2,
                control | 1 << 8 | 1 << 10 | 3 << 12 | output_size(c, 0) << 16 | had << 21 | (uint64_t)c->wide[0] << 32 | pie);
    if (c->secure) {
        c->vstcr = control;
        c->vsttbr = root;
    }
    a64_set_reg(c, SR_vttbr_el2, root | vmid);
}

static void put_space(struct a64_case *c, const struct space *s)
{
    put_tables(c, s);
    for (unsigned i = 0; i < PGA_COUNT; i += 1u << (s->grain - 12))
        put_desc(c, s, 3, c->pa + i * 4096, (c->pa + i * 4096) | attributes(c, s, i) | D_VALID | D_TABLE);
    if (s->el == 3) { /* the harness and its records */
        const uint64_t block = 0x200000, base = A64_RAM_BASE + A64_BASE;
        uint64_t at[] = {base, base + a64_round(c->index, 0), base + a64_round(c->index, A64_ROUNDS) - 1};
        for (unsigned i = 0; i < ARRAY_LEN(at); i++)
            put_desc(c, s, 2, at[i], at[i] / block * block | D_AF | D_AP1 | 3 << 8 | D_VALID);
    }
}

/* A TCR of two address ranges, of the same size and granule. */
static uint64_t two_ranges(const struct a64_case *c, unsigned el, uint64_t had)
{
    unsigned grain = c->grain[el];
    uint64_t walk = 3 << 12 | 1 << 10 | 1 << 8, high = c->size[el] | (grain == 12 ? 2 : grain == 14 ? 1 : 3) << 14 | walk;
    return sized(c, el) | walk | high << 16 | output_size(c, el) << 32 | had << 39 | (uint64_t)c->wide[el] << 59;
}

static void put_translation(struct a64_case *c, const uint64_t *sctlr)
{
    struct space spaces[] = {space_of(c, 1), space_of(c, 2), space_of(c, 3)};
    for (unsigned i = 0; i < ARRAY_LEN(spaces); i++)
        put_space(c, &spaces[i]);
    uint64_t had = rng_next(&c->rng) & 3;
    uint64_t walk = 3 << 12 | 1 << 10 | 1 << 8;
    c->dirty |= had >> 1;
    c->flagged |= had != 0;
    uint64_t tbi = c->tags ? 1 << 20 : rng_next(&c->rng) & 1 << 20; /* TCMA with it now and then */
    if (c->tags && a64_chance(&c->rng, 20))
        tbi |= 1 << 30;
    a64_set_reg(c, SR_tcr_el1, two_ranges(c, 1, had) | (c->tags || rng_below(&c->rng, 2) ? UINT64_C(3) << 37 : 0));
    if (c->e2h)
        a64_set_reg(c, SR_tcr_el2,
                    two_ranges(c, 2, had) | 1 << 23 /* EPD1 */ | (c->tags || rng_below(&c->rng, 2) ? UINT64_C(3) << 37 : 0));
    else
        a64_set_reg(c, SR_tcr_el2,
                    sized(c, 2) | walk | output_size(c, 2) << 16 | 1u << 31 | 1 << 23 | had << 21 | tbi |
                        (uint64_t)c->wide[2] << 32);
    uint64_t models = (uint64_t)c->indirect << 35 | (c->isa->witness >= 11 ? rng_next(&c->rng) & UINT64_C(1) << 37 : 0); /* AIE */
    a64_set_reg(c, SR_tcr_el3, 25 | walk | 2 << 16 | 1u << 31 | 1 << 23 | had << 21 | tbi | models);
    static const uint16_t mair[] = {SR_mair_el1, SR_mair_el2, SR_mair_el3};
    static const uint16_t ttbr[] = {SR_ttbr0_el1, SR_ttbr0_el2, SR_ttbr0_el3},
                          control[] = {SR_sctlr_el1, SR_sctlr_el2, SR_sctlr_el3};
    for (unsigned i = 0; i < 3; i++) {
        a64_set_reg(c, mair[i], MAIR);
        a64_set_reg(c, ttbr[i], c->pa + spaces[i].page * 4096);
        a64_set_reg(c, control[i], sctlr[i] | 1 | 4 | 1 << 12);
    }
    a64_set_reg(c, SR_ttbr1_el1, c->pa + PGA_S1_TABLES * 4096);
}

/* Of SCR_EL3, for a younger witness: FGTEn, ECVEn, HXEn; TCR2En, SCTLR2En, PIEn, AIEn. */
static uint64_t younger_controls(struct a64_case *c)
{
    uint64_t scr = 0;
    if (c->isa->witness >= 10)
        scr |= (uint64_t)(c->fgt = a64_chance(&c->rng, 30)) << 27 | (uint64_t)(c->ecv = a64_chance(&c->rng, 80)) << 28 |
               (uint64_t)a64_chance(&c->rng, 70) << 38;
    c->offset = c->ecv && a64_chance(&c->rng, 50);
    c->pie = c->isa->witness >= 11 && a64_chance(&c->rng, 90);
    c->indirect = c->pie && a64_chance(&c->rng, 50);
    if (c->isa->witness >= 11) /* without PIEn QEMU 11.1 has no permissions in PIR_ELx: docs/differences.md */
        scr |= (uint64_t)c->pie << 45 | (uint64_t)(c->pie && a64_chance(&c->rng, 80)) << 43 |
               (uint64_t)a64_chance(&c->rng, 80) << 44 | (uint64_t)a64_chance(&c->rng, 80) << 46;
    return scr;
}

/* HCR_EL2 and SCR_EL3: which levels there are, who is host, now and then a trap. */
static void put_hypervisor(struct a64_case *c)
{
    static const uint8_t traps[] = {12, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 28, 29, 40, 41}, evt[] = {49, 50, 52, 54, 55};
    bool secure = a64_chance(&c->rng, 15), el2 = !secure || a64_chance(&c->rng, 50);
    c->e2h = el2 && a64_chance(&c->rng, 20);
    c->tge = c->e2h && a64_chance(&c->rng, 50);
    c->shared = a64_chance(&c->rng, 35);
    c->el2 = el2;
    c->secure = secure;
    c->vstcr = secure && el2 ? 1u << 31 : 0; /* RES1; HCR_EL2.DC turns stage 2 on without it */
    c->vsttbr = 0;
    c->stage2 = el2 && !c->tge && a64_chance(&c->rng, 40);
    c->el = (unsigned)rng_below(&c->rng, 4);
    while ((c->el == 2 && !el2) || (c->el == 1 && el2 && c->tge))
        c->el = (unsigned)rng_below(&c->rng, 4);
    uint64_t hcr = UINT64_C(1) << 31 | UINT64_C(3) << 40 | (uint64_t)a64_chance(&c->rng, 90) << 56 | (uint64_t)c->e2h << 34 |
                   (uint64_t)c->tge << 27;
    if (c->stage2)
        hcr |= 1 | (rng_next(&c->rng) & 6); /* VM, SWIO, PTW */
    for (unsigned n = a64_chance(&c->rng, 30) ? 3 : 0; n; n--)
        hcr ^= UINT64_C(1) << traps[rng_below(&c->rng, ARRAY_LEN(traps))];
    for (unsigned n = c->isa->witness >= 10 && a64_chance(&c->rng, 30) ? 2 : 0; n; n--) /* FEAT_EVT */
        hcr ^= UINT64_C(1) << evt[rng_below(&c->rng, ARRAY_LEN(evt))];
    uint64_t scr = (uint64_t)a64_chance(&c->rng, 90) << 26 | 1 << 17 | 1 << 16 | 1 << 10 | 1 << 8 | 0x30 | !secure |
                   (uint64_t)(secure && el2) << 18;
    if (a64_chance(&c->rng, 10))
        scr ^= UINT64_C(1) << (16 + rng_below(&c->rng, 2));
    scr |= younger_controls(c);
    a64_set_reg(c, SR_hcr_el2, hcr);
    a64_set_reg(c, SR_scr_el3, scr);
    a64_set_reg(c, SR_cptr_el2, c->e2h ? 3 << 20 : 0x33ff & ~(1 << 10));
    if (c->stage2)
        put_stage2(c);
}

/* Granules, and how many levels there are: as many tables as there is room for. */
static void choose_sizes(struct a64_case *c)
{
    for (unsigned i = 0; i < 3; i++) {
        unsigned at = (unsigned)rng_below(&c->rng, 100);
        c->grain[i] = at < 50 ? 12 : at < 75 ? 14 : 16;
    }
    if (c->grain[1] == 16 && c->grain[2] == 14) /* these overlap */
        c->grain[2] = 12;
    if (c->grain[2] == 16)
        c->grain[0] = 12;
    for (unsigned i = 0; i < 3; i++) { /* from level 1 or 0 on; or -1, of which faults make QEMU 7.2 abort */
        c->wide[i] = c->grain[i] != 16 && a64_chance(&c->rng, 30);
        c->size[i] = c->grain[i] == 14 ? 28 : c->grain[i] == 16 || a64_chance(&c->rng, 50) ? 25 : 16;
        /* The fifth table would be where EL1 and EL2 have their last one of 64 KiB. */
        bool room = c->grain[i] == 12 && (i == 1 || c->grain[i == 0 ? 2 : 1] != 16);
        if (c->isa->witness >= 10 && c->wide[i] && room && a64_chance(&c->rng, 40))
            c->size[i] = 12;
    }
    c->grain[3] = 12; /* the harness is mapped by it */
    c->size[3] = 25;
}

/* ---- a case ---------------------------------------------------------------------------------------------------------------- */

#define SCTLR_RES1_EL1 UINT64_C(0x30d00980)
#define SCTLR_RES1_EL2 UINT64_C(0x30c50820)
/* EPAN, TCSO0, TIDCP: of regimes that EL0 uses. */
#define EL0_CONTROLS (UINT64_C(1) << 57 | UINT64_C(1) << 58 | UINT64_C(1) << 63)

void a64_world_make(struct a64_case *c)
{
    static const uint16_t keys[] = {SR_apiakeylo_el1, SR_apiakeyhi_el1,  SR_apibkeylo_el1, SR_apibkeyhi_el1,
                                    SR_apdakeylo_el1, SR_apdakeyhi_el1,  SR_apdbkeylo_el1, SR_apdbkeyhi_el1,
                                    SR_apgakeylo_el1, SR_apgakeyhi_el1,  SR_tpidr_el0,     SR_tpidr_el1,
                                    SR_tpidr_el2,     SR_contextidr_el1, SR_far_el1,       SR_far_el2};
    c->pauth = a64_chance(&c->rng, 50);
    uint64_t pac = c->pauth ? UINT64_C(1) << 31 | 1 << 30 | 1 << 27 | 1 << 13 : 0;
    uint64_t common = (rng_next(&c->rng) & 1 << 1) | pac;
    if (c->isa->witness >= 10) /* EPAN, NMI, SPINTMASK, TIDCP; no CMOW, as QEMU 10.0 translates no address of DC and IC */
        common |= rng_next(&c->rng) & (UINT64_C(1) << 57 | UINT64_C(7) << 61);
    c->tags = a64_chance(&c->rng, 40);
    if (c->tags) /* TCF, ATA; no A: QEMU 7.2 compares tags before alignment */
        common = (common & ~UINT64_C(2)) | UINT64_C(1) << 43 | rng_below(&c->rng, 4) << 40;
    uint64_t tcf0 = c->tags ? rng_below(&c->rng, 4) << 38 : 0;
    c->checked = tcf0 && common >> 40 & 3;
    if (c->tags && c->isa->witness >= 11) /* TCSO0, TCSO */
        common |= rng_next(&c->rng) & UINT64_C(3) << 58;
    a64_debug_choose(c);
    if (c->watch) /* in a misaligned store QEMU 7.2 watches its page from the start on */
        common |= 1 << 1;
    c->strict = common & 1 << 1;
    c->user_counters = a64_chance(&c->rng, 50);
    c->debug_el3 = a64_chance(&c->rng, 30);
    c->va = c->pa;
    choose_sizes(c);
    put_hypervisor(c);
    put_vectors(c);
    put_stack_pointers(c);
    put_data(c);
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        a64_set_reg(c, keys[i], rng_next(&c->rng));
    a64_set_reg(c, SR_contextidr_el1, rng_next(&c->rng) & UINT32_MAX);
    a64_set_reg(c, SR_par_el1, 1 << 11);
    a64_set_reg(c, SR_vmpidr_el2, UINT64_C(1) << 31);
    uint64_t sctlr[3] = {SCTLR_RES1_EL1 | common | (rng_next(&c->rng) & (1 << 9 | 1 << 14 | 1 << 15 | 1 << 26)) | tcf0,
                         SCTLR_RES1_EL2 | (common & (c->e2h ? UINT64_MAX : ~EL0_CONTROLS)),
                         SCTLR_RES1_EL2 | 1 << 4 | (common & ~EL0_CONTROLS)};
    put_translation(c, sctlr);
    a64_set_reg(c, SR_cpacr_el1, a64_chance(&c->rng, 80) ? 3 << 20 : rng_next(&c->rng) & 3 << 20);
    a64_set_reg(c, SR_mdcr_el2, 6);
    uint64_t afp = c->isa->witness >= 10 && a64_chance(&c->rng, 40) ? 7 : 0; /* NEP, AH, FIZ */
    a64_set_reg(c, SR_fpcr, a64_chance(&c->rng, 30) ? 0 : rng_next(&c->rng) & (UINT64_C(0x7c8) << 16 | 3 << 22 | afp));
    a64_set_reg(c, SR_vbar_el1, c->pa + PGA_VECTORS * 4096);
    a64_set_reg(c, SR_vbar_el2, c->pa + PGA_VECTORS * 4096 + 0x800);
}

void a64_case_begin(const struct a64_isa *isa, uint64_t seed, unsigned index, uint8_t *image, struct a64_case *c)
{
    *c = (struct a64_case){.isa = isa, .rng = seed ^ (uint64_t)index << 32, .index = index};
    c->arena = image + a64_arena(index);
    c->rounds = image + a64_round(index, 0);
    c->pa = A64_RAM_BASE + A64_BASE + a64_arena(index);
    a64_isa_reset(isa); /* no case depends on those before it */
    memset(c->arena, 0, A64_ARENA);
    memset(c->rounds, 0, A64_ROUNDS * A64_ROUND);
    a64_world_make(c);
}

void a64_round_make(struct a64_case *c, unsigned round, unsigned keep)
{
    c->slot = round;
    c->round = c->rounds + round * A64_ROUND;
    a64_registers_make(c);
    a64_block_make(c);
    a64_debug_make(c);
    set_round(c, ROUNDA_ROOM, RECA_MAX);
    set_round(c, ROUNDA_PC, c->va + PGA_CODE * 4096 + c->start);
    memcpy(c->round + ROUNDA_REG, c->reg, sizeof c->reg);
    set_round(c, ROUNDA_VSTCR, c->vstcr);
    set_round(c, ROUNDA_VSTTBR, c->vsttbr);
    for (unsigned i = 0; i < c->isa->ninit; i++)
        set_round(c, ROUNDA_INIT + 8 * i, a64_reg_value(c, c->isa->init[i].id));
    a64_block_write(c, keep);
}

void a64_cut_alike(uint8_t *image, const uint8_t *before, unsigned first, unsigned n)
{
    for (unsigned i = first * A64_ROUNDS; i < n * A64_ROUNDS; i++) {
        uint64_t at = a64_round(0, i);
        image[at + ROUNDA_SKIP] = before[at + ROUNDA_SKIP];
        memcpy(image + at + ROUNDA_ROOM, before + at + ROUNDA_ROOM, 8);
    }
}

void a64_skip(uint8_t *image, unsigned index)
{
    for (unsigned i = 0; i < A64_ROUNDS; i++)
        image[a64_round(index, i) + ROUNDA_SKIP] = 1;
}
