/*
 * The state a case begins with: mode, registers, CSRs, PMP, and page tables for S, for guests and for the guest-physical space.
 * Most of it lets the block run; some of it is wrong on purpose.
 */
#include "diff.h"

#include <string.h>

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128 };

uint64_t diff_value(uint64_t *rng, unsigned xlen)
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
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     UINT64_MAX,
                                     UINT64_MAX - 1,
                                     0xffffffff80000000};
    uint64_t v;
    switch (rng_below(rng, 4)) {
    case 0: v = edges[rng_below(rng, ARRAY_LEN(edges))]; break;
    case 1: v = rng_next(rng) >> rng_below(rng, 64); break;
    default: v = rng_next(rng); break;
    }
    return xlen == 32 ? (uint32_t)v : v;
}

/* An f register: a number, edge or special value of one of the formats, mostly boxed. */
static uint64_t fp_value(uint64_t *rng)
{
    static const uint8_t exp_bits[] = {5, 8, 11}, man_bits[] = {10, 23, 52};
    unsigned f = (unsigned)rng_below(rng, 3), e = exp_bits[f], m = man_bits[f];
    uint64_t all = (UINT64_C(1) << e) - 1, man = rng_next(rng) & ((UINT64_C(1) << m) - 1), exp = rng_next(rng) & all;
    switch (rng_below(rng, 8)) {
    case 0: exp = 0; break;
    case 1: exp = all; break;
    case 2: exp = all - 1; break;
    case 3: exp = 1; break;
    case 4: exp = all / 2 + rng_below(rng, 66) - 2; break;
    default: break;
    }
    switch (rng_below(rng, 5)) {
    case 0: man = 0; break;
    case 1: man = (UINT64_C(1) << m) - 1; break;
    case 2: man = UINT64_C(1) << rng_below(rng, m); break;
    default: break;
    }
    uint64_t v = (exp & all) << m | man | rng_below(rng, 2) << (e + m);
    if (f < 2 && !diff_chance(rng, 10))
        v |= ~UINT64_C(0) << (1 + e + m);
    return v;
}

void diff_set_csr(struct diff_case *c, unsigned csr, uint64_t value)
{
    for (unsigned i = 0; i < diff_init_count(c->isa->xlen); i++)
        if (diff_init_csr(c->isa->xlen, i) == csr)
            c->csr[i + 1] = value;
}

/* value of a 64-bit register that RV32 has in two halves */
static void set_wide(struct diff_case *c, unsigned low, unsigned high, uint64_t value)
{
    diff_set_csr(c, low, c->isa->xlen == 32 ? (uint32_t)value : value);
    diff_set_csr(c, high, value >> 32);
}

/* One translation: where the arena's pages are, seen through it. */
struct space {
    unsigned mode, levels; /* levels 0: no translation */
    unsigned leaf;         /* level of the leaves */
    unsigned root, pool, pool_end;
    uint64_t next;  /* added to the arena's address: what the entries of this stage hold */
    uint64_t va;    /* address of the arena's first page */
    bool guest;     /* G stage */
    bool two_stage; /* a stage of guests' translation */
    unsigned spoil; /* percent of the entries that are spoiled */
};

static unsigned index_bits(const struct diff_case *c) { return c->isa->xlen == 64 ? 9 : 10; }

static uint8_t *entry_at(struct diff_case *c, unsigned page, uint64_t index)
{
    return c->arena + page * 4096 + index * (c->isa->xlen / 8); /* the G root goes on over 4 pages */
}

/* Not bits 60:54: with Svnapot QEMU 7.2 ignores them (supervisor "Sv39"). */
static uint64_t spoilt(struct diff_case *c, uint64_t pte, bool table)
{
    switch (rng_below(&c->rng,
                      table ? 4 : 6)) { /* not the address of a table or code: QEMU 7.2 tells a page fault where nothing is */
    case 0: return pte ^ (UINT64_C(1) << rng_below(&c->rng, 8));
    case 1: return pte & ~(uint64_t)(PTE_R | PTE_W | PTE_X) & ~(rng_next(&c->rng) & 0xff);
    case 2: return pte ^ (rng_next(&c->rng) & 0xff);
    case 3: return c->isa->xlen == 64 ? pte ^ (UINT64_C(1) << (61 + rng_below(&c->rng, 3))) : pte ^ 0x300;
    case 4: return pte & ~(uint64_t)(PTE_A | PTE_D);
    default: {
        uint64_t bit = rng_below(&c->rng, c->isa->xlen == 64 ? 44 : 20);         /* QEMU 7.2 has 32 bits on RV32 */
        return bit == 19 || bit == 22 ? pte : pte ^ (UINT64_C(1) << (10 + bit)); /* not into the devices */
    }
    }
}

static void put_entry(struct diff_case *c, unsigned page, uint64_t index, uint64_t pte)
{
    memcpy(entry_at(c, page, index), &pte, c->isa->xlen / 8);
}

static void map_page(struct diff_case *c, struct space *s, unsigned page, uint64_t flags)
{
    uint64_t va = s->va + page * 4096, to = c->pa + s->next + page * 4096;
    unsigned table = s->root;
    for (unsigned level = s->levels - 1; level > s->leaf; level--) {
        unsigned shift = 12 + index_bits(c) * level, extra = s->guest && level == s->levels - 1 ? 2 : 0;
        uint64_t index = va >> shift & ((UINT64_C(1) << (index_bits(c) + extra)) - 1), pte = 0;
        memcpy(&pte, entry_at(c, table, index), c->isa->xlen / 8);
        /* entries of this path are the same for every page of the arena: the table is the one made before */
        unsigned below = s->pool + (s->levels - 1 - level);
        if (!pte) {
            pte = (c->pa + s->next + below * 4096) >> 12 << 10 | PTE_V;
            if (diff_chance(&c->rng, s->spoil) && diff_chance(&c->rng, 10))
                pte = spoilt(c, pte, true);
            put_entry(c, table, index, pte);
        }
        table = below;
    }
    unsigned extra = s->guest && s->leaf == s->levels - 1 ? 2 : 0, shift = 12 + index_bits(c) * s->leaf;
    uint64_t index = va >> shift & ((UINT64_C(1) << (index_bits(c) + extra)) - 1);
    to = to >> shift << shift;
    uint64_t pte = to >> 12 << 10 | flags | PTE_V | PTE_A | PTE_D;
    if (diff_chance(&c->rng, s->spoil))
        pte = spoilt(c, pte, page < PG_DATA || page >= PG_VS_TABLES);
    if (c->pmp) /* QEMU 7.2 sets A and D where PMP forbids it (priv 3.7.2) */
        pte |= PTE_A | PTE_D;
    if (s->two_stage && (pte & (PTE_R | PTE_X)) == PTE_X) /* QEMU 7.2 takes vsstatus.MXR alone for both stages (hypervisor 4.1) */
        pte |= PTE_R;
    /* QEMU 7.2 does not ask for W to set A and D (hypervisor 5.3) */
    if (s->guest && (s->leaf || page >= PG_VS_TABLES) && (pte & PTE_R))
        pte |= PTE_W;
    if (s->two_stage && !s->guest && !c->v) /* QEMU 7.2 ignores vsstatus.SUM for hlv and hsv (hypervisor 3) */
        pte &= ~(uint64_t)PTE_U;
    put_entry(c, table, index, pte);
}

/* Mode and addresses of a stage. vbits: what translation looks at. */
static void choose_space(struct diff_case *c, struct space *s, bool guest, unsigned bare_percent)
{
    static const uint8_t modes[] = {8, 8, 9, 10};
    s->guest = guest;
    s->va = c->pa + s->next;
    if (diff_chance(&c->rng, bare_percent))
        return;
    s->mode = c->isa->xlen == 64 ? modes[rng_below(&c->rng, ARRAY_LEN(modes))] : 1;
    s->levels = c->isa->xlen == 64 ? s->mode - 5 : 2;
    if (diff_chance(&c->rng, 20) && !(c->priv == 0 && !guest))
        s->leaf = 1 + (unsigned)rng_below(&c->rng, s->levels > 2 ? 2 : 1);
    unsigned fixed = s->leaf ? 12 + index_bits(c) * s->leaf : 17, bits = 12 + index_bits(c) * s->levels + (guest ? 2 : 0);
    uint64_t low = (UINT64_C(1) << fixed) - 1;
    s->va = (s->leaf ? (c->pa + s->next) & low : 0) | (rng_next(&c->rng) & ~low);
    if (guest) /* what PTEs hold; QEMU 7.2 takes the top bit for a sign, and 32 bits on RV32 (hypervisor 5.1) */
        s->va &= (UINT64_C(1) << (c->isa->xlen == 32 ? 32 : bits > 57 ? 56 : bits - 1)) - 1;
    else if (c->isa->xlen == 64)
        s->va = (uint64_t)((int64_t)(s->va << (64 - bits)) >> (64 - bits));
    else
        s->va &= UINT32_MAX;
    s->spoil = diff_chance(&c->rng, 50) ? 0 : 15;
}

static void map_space(struct diff_case *c, struct space *s, uint64_t user)
{
    if (!s->levels)
        return;
    unsigned spoil = s->spoil;
    for (unsigned page = PG_CODE; page < PG_COUNT; page++) {
        bool code = page < PG_DATA, data = page >= PG_DATA && page < PG_VS_TABLES, handlers = page == PG_HANDLERS;
        bool tables = s->guest && page >= PG_VS_TABLES && page < PG_G_ROOT;
        if (!code && !data && !handlers && !tables)
            continue;
        s->spoil = data ? spoil : spoil / 5;
        uint64_t flags = code       ? PTE_R | PTE_X | user
                         : handlers ? PTE_R | PTE_X | (user & (s->guest ? PTE_U : 0))
                                    : PTE_R | PTE_W | user;
        if (s->leaf)
            flags |= PTE_R | PTE_W | PTE_X;
        if (data && !s->guest && spoil && diff_chance(&c->rng, 10))
            flags ^= PTE_U;
        map_page(c, s, page, flags);
        if (s->leaf)
            break; /* one entry holds it all */
    }
}

static void set_atp(struct diff_case *c, unsigned csr, const struct space *s, uint64_t above)
{
    uint64_t ppn = s->levels || diff_chance(&c->rng, 20) ? (c->pa + above + s->root * 4096) >> 12 : 0, id = rng_next(&c->rng);
    bool g = csr == 0x680;
    if (c->isa->xlen == 64)
        diff_set_csr(c, csr, (uint64_t)s->mode << 60 | (id & (g ? 0x3fff : 0xffff)) << 44 | ppn);
    else
        diff_set_csr(c, csr, (uint64_t)s->mode << 31 | (id & (g ? 0x7f : 0x1ff)) << 22 | ppn);
}

/*
 * Entries 0 to 2 are locked: the test finisher, then no access to where the devices of the boards are not the same. 3 to 5 are
 * random, near the arena; 7 is everything else. Not random for guests: QEMU 7.2 tells a guest-page fault where PMP denies an
 * access with V=1 (hypervisor 5.4).
 */
static void make_pmp(struct diff_case *c)
{
    bool rv32 = c->isa->xlen == 32;
    uint64_t cfg = UINT64_C(0x1f) << 56 | (rv32 ? 0x989b : 0x98989b), whole = rv32 ? UINT32_MAX : UINT64_C(0x3fffffffffffff);
    diff_set_csr(c, 0x3b0, 0x100000 >> 2);
    diff_set_csr(c, 0x3b1, 0x0fffffff); /* 0 to 0x7fffffff */
    if (!rv32)
        diff_set_csr(c, 0x3b2, 0x17fffffff); /* 16 to 32 GiB: QEMU's PCI window */
    diff_set_csr(c, 0x3b7, whole);
    for (unsigned i = 3; c->pmp && i < 6; i++) {
        /* not in code: QEMU 7.2 asks once for a run of instructions (priv 3.7.1) */
        unsigned page = PG_DATA + (unsigned)rng_below(&c->rng, rng_below(&c->rng, 10) ? 3 : PG_HANDLERS - PG_DATA);
        uint64_t addr = (c->pa + page * 4096 + (rng_next(&c->rng) & 0xfff)) >> 2;
        unsigned a = (unsigned)rng_below(&c->rng, 4), low = (unsigned)rng_below(&c->rng, 11);
        if (a == 3)
            addr |= (UINT64_C(1) << low) - 1;
        uint64_t perm = diff_chance(&c->rng, 60) ? 7 : rng_below(&c->rng, 8);
        if ((perm & 3) == 2) /* W without R is reserved */
            perm &= 5;
        cfg |= (a << 3 | perm) << (8 * i);
        diff_set_csr(c, 0x3b0 + i, addr);
    }
    diff_set_csr(c, 0x3a0, rv32 ? (uint32_t)cfg : cfg);
    diff_set_csr(c, 0x3a1, cfg >> 32);
}

static void random_csrs(struct diff_case *c)
{
    static const uint16_t plain[] = {0x342, 0x343, 0x140, 0x142, 0x143, 0x240, 0x242, 0x243, 0x643, 0x34b, 0x34a, 0x141, 0x241};
    unsigned xlen = c->isa->xlen;
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
        diff_set_csr(c, plain[i], diff_value(&c->rng, xlen) & 0x7ffffffffffffffe);
    diff_set_csr(c, 0x143, diff_value(&c->rng, xlen) | 16); /* not the start of a page: compare.c takes that for a fault's */
    diff_set_csr(c, 0x243, diff_value(&c->rng, xlen) | 16);
    diff_set_csr(c, 0x142, rng_below(&c->rng, 16)); /* the harness takes the sign for an interrupt */
    diff_set_csr(c, 0x242, rng_below(&c->rng, 16));
    diff_set_csr(c, 0x003,
                 rng_below(&c->rng, 10) ? rng_below(&c->rng, 5) << 5 | rng_below(&c->rng, 32) : rng_below(&c->rng, 256));
    /* PBMTE is always on: QEMU 7.2 looks at nothing else than whether it has Svpbmt (priv 3.1.18) */
    uint64_t env = UINT64_C(1) << 61 | rng_below(&c->rng, 2) | (rng_next(&c->rng) & UINT64_C(1) << 63);
    if (xlen == 64)
        env |= UINT64_C(1) << 62;
    set_wide(c, 0x30a, 0x31a, env);
    uint64_t henv =
        (rng_next(&c->rng) & env & UINT64_C(1) << 63) | (env & UINT64_C(1) << 62) | rng_below(&c->rng, 2) | UINT64_C(1) << 61;
    set_wide(c, 0x60a, 0x61a, henv);
    diff_set_csr(c, 0x10a, rng_below(&c->rng, 2));
    for (unsigned i = 0; i < 3; i++) {
        static const uint16_t en[] = {0x306, 0x106, 0x606};
        diff_set_csr(c, en[i], diff_chance(&c->rng, 50) ? 7 : rng_below(&c->rng, 8));
    }
    set_wide(c, 0x14d, 0x15d, env >> 63 && diff_chance(&c->rng, 20) ? 0 : UINT64_MAX);
    set_wide(c, 0x24d, 0x25d, henv >> 63 && diff_chance(&c->rng, 20) ? 0 : UINT64_MAX);
    set_wide(c, 0x605, 0x615, 0);
    diff_set_csr(c, 0x607, diff_value(&c->rng, xlen) * diff_chance(&c->rng, 20));
    bool interrupts = diff_chance(&c->rng, 20);
    diff_set_csr(c, 0x304, interrupts ? UINT64_C(1) << rng_below(&c->rng, 13) : 0); /* one: QEMU 7.2 prefers low numbers */
    diff_set_csr(c, 0x344, interrupts ? rng_next(&c->rng) & 0x222 : 0);
    diff_set_csr(c, 0x645, interrupts ? rng_next(&c->rng) & (env >> 63 ? 0x404 : 0x444) : 0);
    diff_set_csr(c, 0x303, diff_chance(&c->rng, 50) ? rng_next(&c->rng) & 0x222 : 0x222);
    diff_set_csr(c, 0x603, diff_chance(&c->rng, 50) ? rng_next(&c->rng) & 0x444 : 0x444);
}

static void make_status(struct diff_case *c)
{
    static const uint64_t percent10[] = {20, 21, 22}; /* TVM, TW, TSR: QEMU 7.2 lets it act in VS, too (hypervisor 4.1) */
    uint64_t s = rng_next(&c->rng) & (1 << 1 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 18 | 1 << 19);
    for (unsigned i = 0; i < ARRAY_LEN(percent10) - (c->v || c->priv == 3); i++)
        s |= (uint64_t)diff_chance(&c->rng, 10) << percent10[i];
    s |= (uint64_t)c->priv << 11 | (diff_chance(&c->rng, 85) ? 3 : 0) << 13;
    c->wfi_traps = c->priv == 0 || ((s >> 21 & 1) && c->priv == 1);
    uint64_t high = (uint64_t)c->v << 39 | (rng_next(&c->rng) & UINT64_C(1) << 38);
    if (c->isa->xlen == 32)
        diff_set_csr(c, 0x310, high >> 32);
    else
        s |= high;
    c->mstatus = s;
    c->csr[0] = s;
    uint64_t vs = rng_next(&c->rng) & (1 << 1 | 1 << 5 | 1 << 8 | 1 << 18 | 1 << 19);
    diff_set_csr(c, 0x200, vs | (diff_chance(&c->rng, 85) ? 3 : 0) << 13);
    uint64_t h = rng_next(&c->rng) & (1 << 6 | 1 << 7 | 1 << 8 | 1 << 9);
    for (unsigned i = 20; i < 23; i++)
        h |= (uint64_t)diff_chance(&c->rng, 10) << i;
    c->hstatus = h;
    diff_set_csr(c, 0x600, h);
    bool low = c->priv == 0;
    uint64_t delegated = rng_next(&c->rng) & 0xf0bdff;
    if (delegated & 1 << 20) /* guest-page faults together: see same_cause */
        delegated |= 0xf00002;
    else
        delegated &= 0x4ffffd;
    if (delegated & 1 << 5) /* access faults, too */
        delegated |= 1 << 7;
    else
        delegated &= ~(UINT64_C(1) << 7);
    diff_set_csr(c, 0x302, diff_chance(&c->rng, low ? 50 : 30) ? 0 : delegated);
    diff_set_csr(c, 0x602, diff_chance(&c->rng, 50) ? 0 : rng_next(&c->rng) & 0xb15d);
    if (diff_chance(&c->rng, 25))
        diff_set_csr(c, 0x602, (rng_next(&c->rng) & 0xb15d) | 0xa0);
}

/* xtvec of S and VS: a trap into them calls M, which records it, then returns behind the instruction; to it after an interrupt,
   which M has disabled. */
static void put_handlers(struct diff_case *c)
{
    static const uint32_t code[] = {
        0x00000073,                         /* ecall */
        0x140292f3,                         /* csrrw t0, sscratch, t0 */
        0x142022f3, 0x0002c863,             /* csrr t0, scause; bltz t0, over the next three */
        0x141022f3, 0x00428293, 0x14129073, /* sepc += 4 */
        0x140292f3, 0x10200073,             /* csrrw t0, sscratch, t0; sret */
        0x00000073,
    };
    memcpy(c->arena + PG_HANDLERS * 4096, code, sizeof code);
    memcpy(c->arena + PG_HANDLERS * 4096 + 2048, code, sizeof code);
}

void diff_registers_make(struct diff_case *c)
{
    uint64_t mask = 0x304 | (rng_next(&c->rng) & 0x11111100); /* x2, x8, x9 are what compressed instructions can reach */
    c->pointers = 0;
    for (unsigned i = 1; i < 32; i++) {
        c->x[i] = diff_value(&c->rng, c->isa->xlen);
        if (mask >> i & 1) {
            c->pointers |= UINT64_C(1) << i;
            c->x[i] = c->data_va[diff_chance(&c->rng, 25)] + (PG_DATA + 1) * 4096 + (rng_next(&c->rng) & 0xff8);
            if (!c->pmp && diff_chance(&c->rng, 10)) /* parts of a misaligned access may match different entries (priv 3.7.1) */
                c->x[i] += rng_below(&c->rng, 8);
        }
        memcpy(c->round + ROUND_X + 8 * i, &c->x[i], 8);
    }
    for (unsigned i = 0; i < 32; i++) {
        uint64_t f = fp_value(&c->rng);
        memcpy(c->round + ROUND_F + 8 * i, &f, 8);
    }
}

static void make_data(struct diff_case *c)
{
    for (unsigned i = 0; i < 3 * 4096; i += 8) {
        uint64_t v = rng_below(&c->rng, 4) ? diff_value(&c->rng, 64) : fp_value(&c->rng);
        memcpy(c->arena + PG_DATA * 4096 + i, &v, 8);
    }
}

void diff_world_make(struct diff_case *c)
{
    static const uint8_t modes[] = {3, 3, 1, 1, 0, 5, 5, 4}; /* v << 2 | privilege */
    unsigned mode = modes[rng_below(&c->rng, ARRAY_LEN(modes))];
    c->priv = mode & 3;
    c->v = mode >> 2;
    c->pmp = !c->v && diff_chance(&c->rng, 40);
    struct space s = {.root = PG_S_TABLES, .pool = PG_S_TABLES + 1},
                 vs = {.root = PG_VS_TABLES, .pool = PG_VS_TABLES + 1, .two_stage = true};
    struct space g = {.root = PG_G_ROOT, .pool = PG_G_TABLES, .two_stage = true};
    choose_space(c, &g, true, 30);
    vs.next = g.va - c->pa;
    choose_space(c, &vs, false, !g.levels || (c->isa->xlen == 32 && g.va >> 32) ? 0 : 30); /* QEMU 7.2: both bare, see make_pmp */
    choose_space(c, &s, false, 30);
    bool user = c->priv == 0;
    map_space(c, &g, PTE_U);
    map_space(c, &vs, c->v && user ? PTE_U : 0);
    map_space(c, &s, !c->v && user ? PTE_U : 0);
    set_atp(c, 0x680, &g, 0);
    set_atp(c, 0x280, &vs, vs.next);
    set_atp(c, 0x180, &s, 0);
    c->code_va = c->priv == 3 ? c->pa : c->v ? vs.va : s.va;
    c->data_va[0] = c->code_va;
    c->data_va[1] = c->v ? vs.va : diff_chance(&c->rng, 50) ? vs.va : s.va;
    put_handlers(c);
    random_csrs(c);
    make_pmp(c);
    make_status(c);
    diff_set_csr(c, 0x105, s.va + PG_HANDLERS * 4096);
    diff_set_csr(c, 0x205, vs.va + PG_HANDLERS * 4096 + 2048);
    c->calm = !c->pmp && c->priv < 3 && !g.spoil && !vs.spoil && !s.spoil && c->data_va[0] == c->data_va[1];
    c->no_guest_access = c->pmp || !s.levels != !vs.levels;
    make_data(c);
}

void diff_case_begin(const struct diff_isa *isa, uint64_t seed, unsigned index, uint8_t *ram, struct diff_case *c)
{
    *c = (struct diff_case){.isa = isa, .rng = seed, .arena = ram + diff_arena(index), .pa = DIFF_RAM_BASE + diff_arena(index)};
    c->rounds = ram + diff_round(index, 0);
    memset(c->arena, 0, DIFF_ARENA);
    memset(c->rounds, 0, DIFF_ROUNDS * DIFF_ROUND);
    diff_world_make(c);
}

void diff_round_make(struct diff_case *c, unsigned round, unsigned keep)
{
    c->slot = round;
    c->round = c->rounds + round * DIFF_ROUND;
    c->mprv = c->returns = false;
    diff_registers_make(c);
    diff_block_make(c);
    diff_block_write(c, keep);
    uint64_t pc = c->code_va + PG_CODE * 4096 + c->start;
    memcpy(c->round + ROUND_PC, &pc, 8);
    memcpy(c->round + ROUND_CSR, c->csr, sizeof c->csr);
}

void diff_skip(uint8_t *ram, unsigned index)
{
    for (unsigned i = 0; i < DIFF_ROUNDS; i++)
        ram[diff_round(index, i) + ROUND_SKIP] = 1;
}
