/*
 * FEAT_THE, the Translation Hardening Extension (Arm ARM D8.2.7): the RCW instructions, whose outcome is checked against RCWCheck
 * written down here again for random descriptors and masks; permissions that only they and the MMU have; assured translations;
 * TopLevel checks.
 */
#include "pe_rig.h"
#include "cpu/arm/access.h"
#include "csr/arm/masks.h"

#include <stdio.h>

enum { RAM = 0x40000000, TABLE = 0x40020000, TABLE2 = 0x40040000, VECTORS = 0x40008000 };
#define PAGE      UINT64_C(0x80000000)
#define UPPER     (UINT64_C(0xffffff8000000000) + PAGE)
#define PROTECTED (UINT64_C(1) << 52)
#define HA1       (UINT64_C(1) << 39) /* TCR_EL1.HA */

static struct rig *rig_new(const char *cpu, unsigned el)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    struct arm_regs *s = &r->pe.s.regs;
    s->vbar_el1 = s->vbar_el2 = s->vbar_el3 = VECTORS;
    rig_vectors(r, VECTORS);
    s->scr_el3 |= scr_el3_NS | scr_el3_TCR2En | scr_el3_HXEn;
    s->scr_el3 &= ~(el == 3 ? scr_el3_NS : 0);
    s->hcrx_el2 |= hcrx_el2_TCR2En;
    s->hcr_el2 |= hcr_el2_RW;
    rig_level(r, el);
    return r;
}

static void put(struct rig *r, uint64_t at, uint64_t v) { mem_write(r->mem, at, &v, sizeof v); }

static uint64_t got(struct rig *r, uint64_t at)
{
    uint64_t v = 0;
    mem_read(r->mem, at, &v, sizeof v);
    return v;
}

static uint64_t rng_step(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* ---- the instructions */

enum kind { CAS, CLR, SWP, SET, KINDS };
static uint32_t encode(enum kind k, bool soft, unsigned order, unsigned rs, unsigned rn, unsigned rt)
{
    static const uint32_t opcode[KINDS] = {0x19200800, 0x38209000, 0x3820a000, 0x3820b000};
    return opcode[k] | (uint32_t)soft << 30 | order << 22 | rs << 16 | rn << 5 | rt;
}

/* RCWCheck, bit by bit: NZCV. */
static unsigned checked(uint64_t old, uint64_t new, bool soft, bool enabled, uint64_t mask, uint64_t smask)
{
    bool fail = false, sfail = false, is_protected = enabled && old >> 52 & 1, valid = old & 1;
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!((old ^ new) >> bit & 1))
            continue;
        unsigned by = bit >= 18 && bit <= 49 ? 17 : bit;
        if (bit == 52 && enabled)
            fail = true; /* the protection of a descriptor never changes */
        if (bit == 0 && is_protected)
            fail = true;
        if (is_protected && valid && (bit == 0 || !(mask >> by & 1)))
            fail = true;
        if (!soft)
            continue;
        if (bit == 0 && (valid || !is_protected))
            sfail = true;
        if (valid && (bit == 0 || (bit == 52 && enabled) || !(smask >> by & 1)))
            sfail = true;
    }
    return (fail ? 4u : 0) | (sfail ? 0 : 2u);
}

static uint64_t result(enum kind k, uint64_t old, uint64_t operand)
{
    return k == CLR ? old & ~operand : k == SET ? old | operand : operand;
}

static void protect(struct rig *r, unsigned regime, bool on)
{
    struct arm_regs *s = &r->pe.s.regs;
    s->tcr2_el1 = on && regime == 1 ? tcr2_el1_PnCH : 0;
    s->tcr2_el2 = on && regime == 2 ? tcr2_el2_PnCH : 0;
    s->tcr_el3 = on && regime == 3 ? tcr_el3_PnCH : 0;
}

static void run_one(struct rig *r, uint32_t insn)
{
    r->g.n = 0;
    a64_put(&r->g, insn);
    mem_write(r->mem, RAM, r->code, 4);
    engine_changed(&r->engine, RAM, 4);
    r->pe.s.pc = RAM;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 1);
}

/* Every instruction at every level, in each order of bytes, with stage 1 off: "this applies even when stage 1 translation is not
   enabled" (RNBVJL). Descriptors differ in few bits, so that masks matter. */
static void every_instruction_reads_checks_and_writes(void **state)
{
    uint64_t rng = 0x9e3779b97f4a7c15;
    unsigned seen[2][16] = {{0}};
    (void)state;
    for (unsigned el = 0; el < 4; el++) {
        struct rig *r = rig_new("max,pa=40", el);
        struct arm_regs *s = &r->pe.s.regs;
        unsigned regime = el ? el : 1;
        for (unsigned n = 0; n < 2500; n++) {
            enum kind k = (enum kind)(n % KINDS);
            bool soft = n / KINDS & 1, on = rng_step(&rng) >> 20 & 1, big = !(rng_step(&rng) >> 20 & 7),
                 zr = !(rng_step(&rng) >> 20 & 7);
            uint64_t old = rng_step(&rng), operand = rng_step(&rng) & rng_step(&rng) & rng_step(&rng) & rng_step(&rng);
            uint64_t few = UINT64_C(1) << (rng_step(&rng) >> 20 & 63);
            old = (old & ~(PROTECTED | 1)) | (rng_step(&rng) >> 20 & 1 ? PROTECTED : 0) | (rng_step(&rng) >> 20 & 1);
            if (n & 8)
                operand = few;
            if (k == SWP || k == CAS)
                operand ^= old;
            uint64_t compare = k == CAS && !(rng_step(&rng) >> 20 & 3) ? old ^ few : old;
            uint64_t wide = n & 16 ? UINT64_MAX : 0;
            s->rcwmask_el1 = (rng_step(&rng) | (rng_step(&rng) & wide)) & 0xffec00000003fffe;
            s->rcwsmask_el1 = (rng_step(&rng) | (rng_step(&rng) & wide)) & 0xfffc00000003fffe;
            s->sctlr_el1 = (s->sctlr_el1 & ~(sctlr_el1_EE | sctlr_el1_E0E)) | (big ? sctlr_el1_EE | sctlr_el1_E0E : 0);
            s->sctlr_el2 = (s->sctlr_el2 & ~sctlr_el1_EE) | (big ? sctlr_el1_EE : 0);
            s->sctlr_el3 = (s->sctlr_el3 & ~sctlr_el1_EE) | (big ? sctlr_el1_EE : 0);
            protect(r, on ? regime : regime % 3 + 1, true);
            uint64_t at = RAM + 0x1000 + (rng_step(&rng) >> 20 & 0xff8);
            put(r, at, big ? __builtin_bswap64(old) : old);
            rig_level(r, el);
            r->pe.s.pstate |= (rng_step(&rng) >> 20 & 15) << 28;
            r->pe.s.x[1] = k == CAS ? compare : operand;
            r->pe.s.x[2] = at;
            r->pe.s.x[3] = k == CAS ? operand : 0;
            run_one(r, encode(k, soft, n >> 3 & 3, 1, 2, k == CAS ? 3 : zr ? 31 : 3));
            bool same = k != CAS || compare == old;
            uint64_t new = result(k, old, operand);
            unsigned nzcv = same ? checked(old, new, soft, on, s->rcwmask_el1, s->rcwsmask_el1) : 10;
            assert_int_equal(r->pe.s.pc, RAM + 4);
            if (r->pe.s.pstate >> 28 != nzcv)
                fail_msg("kind %d soft %d on %d: %#llx to %#llx by %#llx, %#llx: %u, not %u", (int)k, soft, on,
                         (unsigned long long)old, (unsigned long long)new, (unsigned long long)s->rcwmask_el1,
                         (unsigned long long)s->rcwsmask_el1, (unsigned)(r->pe.s.pstate >> 28), nzcv);
            assert_int_equal(got(r, at), big ? __builtin_bswap64(nzcv == 2 ? new : old) : nzcv == 2 ? new : old);
            assert_int_equal(r->pe.s.x[k == CAS ? 1 : 3], k == CAS || !zr ? old : 0);
            seen[soft][nzcv]++;
        }
        rig_free(r);
    }
    assert_true(seen[0][2] > 500 && seen[0][6] > 300 && seen[0][10] > 50 && !seen[0][0] && !seen[0][4]);
    assert_true(seen[1][0] > 100 && seen[1][2] > 200 && seen[1][4] > 100 && seen[1][6] > 50 && seen[1][10] > 50);
}

/* These are aligned whatever SCTLR_ELx.A and FEAT_LSE2 say (AArch64.UnalignedAccessFaults). */
static void an_address_that_is_not_aligned_faults(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 16 * KINDS; n++) {
        struct rig *r = rig_new("max,pa=40", 1);
        enum kind k = (enum kind)(n / 16);
        put(r, TABLE + 8, RAM | 0x701); /* Normal: Device memory would want alignment, too */
        r->pe.s.regs.ttbr0_el1 = TABLE;
        r->pe.s.regs.mair_el1 = 0xff;
        r->pe.s.regs.tcr_el1 = 25 | UINT64_C(2) << 32;
        r->pe.s.regs.sctlr_el1 |= sctlr_el1_M | sctlr_el1_nAA;
        r->pe.s.x[2] = RAM + 0x1000 + n % 16;
        run_one(r, encode(k, n & 1, n >> 1 & 3, 1, 2, 3));
        if (n % 8) {
            assert_int_equal(r->pe.s.pc, VECTORS + 0x200);
            assert_int_equal(r->pe.s.regs.esr_el1 & 0xfc00003f, UINT64_C(0x25) << 26 | 0x21);
            assert_int_equal(r->pe.s.regs.far_el1, RAM + 0x1000 + n % 16);
        } else {
            assert_int_equal(r->pe.s.pc, RAM + 4);
        }
        rig_free(r);
    }
}

/* TCR2_ELx counts as elsewhere; EL0 of a host is protected by TCR2_EL2. */
static void protection_follows_the_regime_of_the_level(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 5; n++) {
        static const struct {
            unsigned el, regime;
            bool host;
            uint64_t scr, hcrx; /* what is not enabled */
        } row[] = {{0, 2, true, 0, 0},
                   {1, 1, false, scr_el3_TCR2En, 0},
                   {1, 1, false, scr_el3_HXEn, 0},
                   {1, 1, false, 0, hcrx_el2_TCR2En},
                   {2, 2, false, scr_el3_TCR2En, 0}};
        struct rig *r = rig_new("max,pa=40", row[n].el);
        struct arm_regs *s = &r->pe.s.regs;
        protect(r, row[n].regime, true);
        s->hcr_el2 |= row[n].host ? hcr_el2_E2H | hcr_el2_TGE : 0;
        s->scr_el3 &= ~row[n].scr;
        s->hcrx_el2 &= ~row[n].hcrx;
        put(r, RAM + 0x1000, PROTECTED);
        r->pe.s.x[1] = 2 | PROTECTED; /* clears the protection of an invalid descriptor */
        r->pe.s.x[2] = RAM + 0x1000;
        run_one(r, encode(CLR, false, 0, 1, 2, 3));
        assert_int_equal(r->pe.s.pstate >> 28, row[n].host ? 6 : 2);
        rig_free(r);
    }
}

/* The forms of pairs need FEAT_D128; without FEAT_THE there is none. */
static void absent_forms_are_undefined(void **state)
{
    static const uint32_t pair[] = {0x19200c00, 0x19209000, 0x1920a000, 0x1920b000};
    (void)state;
    for (unsigned n = 0; n < 16 + 16; n++) {
        struct rig *r = rig_new(n < 16 ? "max,pa=40" : "max,pa=40,the=off", 1);
        unsigned k = n & 3, more = (n >> 2 & 3) << 29;
        uint32_t insn = n < 16 ? pair[k] | (more & 1u << 30) : encode((enum kind)k, more >> 30, 0, 0, 0, 0);
        run_one(r, insn | 2 << 16 | 6 << 5 | 4);
        assert_int_equal(r->pe.s.pc, VECTORS + 0x200);
        assert_int_equal(r->pe.s.regs.esr_el1 >> 26, 0);
        rig_free(r);
    }
}

/* ---- stage 2 */

/* Stage 1 of both halves down to one page each, by TABLE (level 1) and two more; stage 2 by 2 MiB blocks: `tables` for the first,
   `middle` for the others, `page` for what the page is in. */
struct bits {
    uint64_t first, rest, page;
};

static void two_stages(struct rig *r, uint64_t protect_bits, const struct bits *b)
{
    static const uint64_t table[3] = {TABLE, 0x40200000, 0x40201000};
    struct arm_regs *s = &r->pe.s.regs;
    put(r, table[0] + 16, table[1] | 3 | (protect_bits & 1 ? PROTECTED : 0));
    put(r, table[1], table[2] | 3 | (protect_bits & 2 ? PROTECTED : 0));
    put(r, table[2], 0x40400000 | 0x743 | (protect_bits & 4 ? PROTECTED : 0));
    put(r, TABLE2 + 8, (TABLE2 + 0x1000) | 3);
    put(r, TABLE2 + 0x1000, RAM | 0x73d | b->first);
    put(r, TABLE2 + 0x1008, (RAM + 0x200000) | 0x73d | b->rest);
    put(r, TABLE2 + 0x1010, RAM | 0x73d | b->page); /* 0x40400000 lies in the first block, too */
    s->ttbr0_el1 = s->ttbr1_el1 = TABLE;
    s->mair_el1 = 0xff;
    s->tcr_el1 = 25 | 25 << 16 | UINT64_C(2) << 30 | UINT64_C(2) << 32;
    s->sctlr_el1 |= sctlr_el1_M;
    s->vttbr_el2 = TABLE2;
    s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31 | vtcr_el2_S2PIE;
    s->hcr_el2 |= hcr_el2_VM;
    rig_level(r, 1);
}

/* A leaf of stage 2 with permission index i (0 to 15), dirty. */
static uint64_t at_index(unsigned i) { return (uint64_t)(i >> 2) << 53 | (uint64_t)(i >> 1 & 1) << 51 | (i & 1) << 6 | 1 << 7; }

static struct rig *rig_two(void)
{
    struct rig *r = rig_new("max,pa=40", 1);
    struct err e;
    assert_true(mem_add_ram(r->mem, "more", RAM + 0x200000, 0x10000, false, &e));
    return r;
}

static bool reaches(struct rig *r, uint64_t va, struct access_mode m, enum access a)
{
    pe_refresh(&r->pe);
    return pe_translate(&r->pe, va, 8, a, &m, &r->x);
}

static const struct access_mode plain = {.el = 1, .regime = 1};

/* Tables D8-82 to D8-84: letters for reads and writes of RCW instructions, and TopLevel0, TopLevel1. */
static const char *const encoding[16] = {"",  "",  "rm", "rm1", "w",   "",    "rm0", "rm01",
                                         "r", "r", "r",  "r",   "rwm", "rwm", "rwm", "rwm"};

static bool has(const char *what, char c) { return strchr(what, c) != NULL; }

/* MRO after both: the MMU may write, and ordinary stores not. */
static bool is_mro(const char *b, const char *o) { return has(b, 'm') && has(o, 'm') && !(has(b, 'w') && has(o, 'w')); }

static void rcw_instructions_write_where_stores_may_not(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 256; n++) {
        const struct access_mode rcw = {.el = 1, .regime = 1, .atomic = true, .exclusive = true, .rcw = true};
        struct rig *r = rig_two();
        struct arm_regs *s = &r->pe.s.regs;
        unsigned base = n & 15, over = n >> 4;
        const struct bits b = {at_index(1), at_index(1), at_index(2) | UINT64_C(3) << 59};
        two_stages(r, 0, &b);
        s->vtcr_el2 |= vtcr_el2_S2POE;
        s->s2pir_el2 = 12 << 4 | base << 8;
        s->s2por_el1 = 15 | over << 12;
        bool overlay = has(encoding[over], 'r') && has(encoding[over], 'm');
        bool may = overlay && has(encoding[base], 'r') && has(encoding[base], 'm');
        bool ok = reaches(r, PAGE, rcw, ACCESS_STORE);
        if (ok != may)
            fail_msg("S2PIR %u, S2POR %u: %d", base, over, ok);
        if (ok) {
            assert_int_equal(r->x.page_bits, 0); /* nobody remembers it: stores may not */
            bool store = has(encoding[base], 'w') && has(encoding[over], 'w');
            assert_int_equal(reaches(r, PAGE, plain, ACCESS_STORE), store);
        } else {
            assert_int_equal(r->pe.exc.iss2, overlay ? 0 : 0x40);
            assert_int_equal(r->pe.exc.iss, 0xe | (has(encoding[overlay ? base : over], 'r') ? 0x40 : 0));
        }
        rig_free(r);
    }
}

/* A store after an RCW instruction to the same page still faults: what the latter may do is not entered in any cache. */
static void stores_do_not_learn_from_rcw_instructions(void **state)
{
    (void)state;
    struct rig *r = rig_two();
    struct arm_regs *s = &r->pe.s.regs;
    const struct bits b = {at_index(1), at_index(1), at_index(2)};
    two_stages(r, 0, &b);
    put(r, 0x40201000, 0x40400000 | 0x703);
    put(r, 0x40201008, RAM | 0x703); /* the code, in the page behind: stage 1 maps it where stage 2 lets it be executed */
    s->s2pir_el2 = 15 << 4 | 2 << 8;
    s->vbar_el2 = VECTORS;
    a64_put(&r->g, encode(SET, false, 0, 1, 2, 3));
    a64_put(&r->g, 0xf9000041); /* str x1, [x2] */
    mem_write(r->mem, RAM, r->code, 8);
    put(r, RAM + 0x800, 0);
    r->pe.s.pc = PAGE + 0x1000;
    r->pe.s.x[1] = 4;
    r->pe.s.x[2] = PAGE + 0x800;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 1);
    assert_int_equal(r->pe.s.pc, PAGE + 0x1004);
    assert_int_equal(got(r, RAM + 0x800), 4);
    pe_run(&r->pe, r->pe.s.cycle + 1);
    assert_int_equal(s->esr_el2 >> 26, 0x24);
    assert_int_equal(s->esr_el2 & 0x7f, 0x4e);
    assert_int_equal(s->elr_el2, PAGE + 0x1004);
    rig_free(r);
}

/* D8.2.7.3: each link of the chain: TL0 or TL1 of the half, PnCH, protection of each descriptor, MRO of each table. */
static void a_translation_is_assured_if_every_link_is(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 1 << 9; n++) {
        struct rig *r = rig_two();
        struct arm_regs *s = &r->pe.s.regs;
        unsigned bits = n & 7;
        bool mro1 = n & 8, mro2 = n & 16, pnch = n & 32, tl0 = n & 64, tl1 = n & 128, upper = n & 256;
        const struct bits b = {at_index(mro1 ? 7 : 15), at_index(mro2 ? 7 : 15), at_index(15) | UINT64_C(1) << 58};
        two_stages(r, bits, &b);
        s->s2pir_el2 = UINT64_C(15) << 60 | UINT64_C(7) << 28;
        s->vtcr_el2 |= vtcr_el2_AssuredOnly | (tl0 ? vtcr_el2_TL0 : 0) | (tl1 ? vtcr_el2_TL1 : 0);
        s->tcr2_el1 = pnch ? tcr2_el1_PnCH : 0;
        bool placed = mro1 || (!tl0 && !tl1); /* encoding 7 is for both first tables */
        bool mine = upper ? tl1 : tl0, assured = mine && pnch && bits == 7 && mro1 && mro2;
        bool ok = reaches(r, upper ? UPPER : PAGE, plain, ACCESS_LOAD);
        bool other = upper ? tl0 : tl1;
        if (!placed && (mine || other)) {
            bool fault = mine; /* {0, 0} is wrong for mine alone: table D8-14 */
            if (fault) {
                assert_false(ok);
                assert_int_equal(r->pe.exc.iss, 0x8e | 1 << 21);
            } else {
                assert_int_equal(ok, assured);
            }
        } else {
            assert_int_equal(ok, assured);
        }
        if (!ok && !(r->pe.exc.iss >> 21 & 1)) {
            assert_int_equal(r->pe.exc.iss2, 0x80);
            assert_int_equal(r->pe.exc.iss, 0xe);
            assert_int_equal(r->pe.exc.el, 2);
        }
        /* Without VTCR_EL2.AssuredOnly bit 58 is software's. */
        s->vtcr_el2 &= ~vtcr_el2_AssuredOnly;
        if (placed)
            assert_true(reaches(r, upper ? UPPER : PAGE, plain, ACCESS_LOAD));
        rig_free(r);
    }
}

/* With stage 1 off nothing is assured; tables that are for assured translations themselves are asked, too (J1,
   AArch64.S2CheckPermissions): they belong to one as far as it is. */
static void assured_memory_is_for_assured_lookups(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        struct rig *r = rig_two();
        struct arm_regs *s = &r->pe.s.regs;
        bool off = n == 0, first = n == 2;
        const struct bits b = {at_index(7) | (first ? UINT64_C(1) << 58 : 0), at_index(7) | (n & 1 ? UINT64_C(1) << 58 : 0),
                               at_index(7) | (off ? UINT64_C(1) << 58 : 0)};
        two_stages(r, n == 3 ? 6 : 7, &b);
        s->s2pir_el2 = UINT64_C(7) << 28;
        s->vtcr_el2 |= vtcr_el2_AssuredOnly | vtcr_el2_TL0;
        s->tcr2_el1 = tcr2_el1_PnCH;
        s->sctlr_el1 &= ~(off ? sctlr_el1_M : 0);
        bool ok = reaches(r, off ? RAM + 0x400000 : PAGE, plain, ACCESS_LOAD);
        assert_int_equal(ok, n == 1 || n == 2);
        if (!ok) {
            assert_int_equal(r->pe.exc.iss2, 0x80);
            assert_int_equal(r->pe.exc.iss & 0xff, off ? 0xe : 0x8e);
        }
        rig_free(r);
    }
}

/* Tables D8-14 and D8-15, for every encoding of base permission and overlay; none for the tables below, nor without the bits. */
static void first_tables_are_where_stage_2_wants_them(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 256 * 8; n++) {
        unsigned base = n & 15, over = n >> 4 & 15;
        bool tl0 = n & 256, tl1 = n & 512, upper = n & 1024;
        const char *bs = encoding[base], *os = encoding[over];
        if (!has(bs, 'r') || !has(os, 'r'))
            continue;
        struct rig *r = rig_two();
        struct arm_regs *s = &r->pe.s.regs;
        const struct bits b = {at_index(2) | UINT64_C(5) << 59, at_index(3) | UINT64_C(6) << 59, at_index(3) | UINT64_C(6) << 59};
        two_stages(r, 0, &b);
        s->vtcr_el2 |= vtcr_el2_S2POE | (tl0 ? vtcr_el2_TL0 : 0) | (tl1 ? vtcr_el2_TL1 : 0);
        s->s2pir_el2 = base << 8 | 15 << 12;
        s->s2por_el1 = over << 20 | 15 << 24;
        bool mro = is_mro(bs, os), top0 = mro && (has(bs, '0') || has(os, '0')), top1 = mro && (has(bs, '1') || has(os, '1'));
        bool fault = upper ? (tl1 && !top1) || (tl0 && top0 && !top1) : (tl0 && !top0) || (tl1 && top1 && !top0);
        bool ok = reaches(r, upper ? UPPER : PAGE, plain, ACCESS_LOAD);
        if (ok == fault)
            fail_msg("S2PIR %u, S2POR %u, TL0 %d, TL1 %d, TTBR%d: %d", base, over, tl0, tl1, upper, ok);
        if (fault) {
            assert_int_equal(r->pe.exc.iss, 0x8e | 1 << 21);
            assert_int_equal(r->pe.exc.iss2, 0);
        }
        rig_free(r);
    }
}

/* An update of the first table is no lookup of it (CreateAccDescTTEUpdate); PAR_EL1 tells of both checks. */
static void other_ways_to_the_checks(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        struct rig *r = rig_two();
        struct arm_regs *s = &r->pe.s.regs;
        const struct bits b = {at_index(n == 1 ? 15 : 7), at_index(7), at_index(15) | (n == 2 ? UINT64_C(1) << 58 : 0)};
        two_stages(r, 0, &b);
        s->s2pir_el2 = UINT64_C(15) << 60 | UINT64_C(7) << 28;
        s->vtcr_el2 |= vtcr_el2_TL0 | (n == 2 ? vtcr_el2_AssuredOnly : 0);
        if (n == 0) {
            s->tcr_el1 |= HA1;
            s->tcr2_el1 = tcr2_el1_HAFT;
            s->s2pir_el2 = UINT64_C(15) << 60 | UINT64_C(6) << 28; /* first tables of TTBR0_EL1 */
            assert_true(reaches(r, PAGE, plain, ACCESS_LOAD));
            assert_int_equal(got(r, TABLE + 16) >> 10 & 1, 1);
        } else {
            rig_level(r, 2);
            r->pe.s.x[0] = PAGE;
            run_one(r, 0xd50c7880); /* at s12e1r, x0 */
            assert_int_equal(s->par_el1 & 0xffff, n == 1 ? 1 | 0xe << 1 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 13
                                                         : 1 | 0xe << 1 | 1 << 9 | 1 << 11 | 1 << 12);
        }
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_reads_checks_and_writes),
        cmocka_unit_test(protection_follows_the_regime_of_the_level),
        cmocka_unit_test(an_address_that_is_not_aligned_faults),
        cmocka_unit_test(absent_forms_are_undefined),
        cmocka_unit_test(rcw_instructions_write_where_stores_may_not),
        cmocka_unit_test(stores_do_not_learn_from_rcw_instructions),
        cmocka_unit_test(a_translation_is_assured_if_every_link_is),
        cmocka_unit_test(assured_memory_is_for_assured_lookups),
        cmocka_unit_test(first_tables_are_where_stage_2_wants_them),
        cmocka_unit_test(other_ways_to_the_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
