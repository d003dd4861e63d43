/*
 * Stage 2 beyond descriptors, and tables that hardware marks: FEAT_S2POE, every base permission with every overlay for every kind
 * of access, against tables D8-82 to D8-84 written down here again; FEAT_HAFT, in every regime, at every level (Arm ARM D8.4.2.2,
 * D8.5.1.3).
 */
#include "pe_rig.h"
#include "cpu/arm/access.h"
#include "csr/arm/masks.h"

#include <stdio.h>

enum { RAM = 0x40000000, TABLE = 0x40020000, TABLE2 = 0x40040000 };
#define PAGE UINT64_C(0x80000000)
#define AF   UINT64_C(0x400)
#define HA1  (UINT64_C(1) << 39) /* TCR_EL1.HA */

static struct rig *rig_new(const char *cpu)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    struct arm_regs *s = &r->pe.s.regs;
    s->ttbr0_el1 = s->ttbr0_el2 = s->ttbr0_el3 = TABLE;
    s->mair_el1 = s->mair_el2 = s->mair_el3 = 0xff;
    s->tcr_el1 = 25 | UINT64_C(2) << 32;
    s->tcr_el2 = s->tcr_el3 = 25 | 2 << 16;
    s->sctlr_el1 |= sctlr_el1_M;
    s->sctlr_el2 |= sctlr_el1_M;
    s->sctlr_el3 |= sctlr_el1_M;
    s->scr_el3 |= scr_el3_NS | scr_el3_TCR2En | scr_el3_HXEn;
    s->hcrx_el2 |= hcrx_el2_TCR2En;
    rig_level(r, 1);
    return r;
}

static void put(struct rig *r, uint64_t at, uint64_t desc) { mem_write(r->mem, at, &desc, sizeof desc); }

static uint64_t got(struct rig *r, uint64_t at)
{
    uint64_t desc = 0;
    mem_read(r->mem, at, &desc, sizeof desc);
    return desc;
}

static bool reaches(struct rig *r, struct access_mode m, enum access a)
{
    pe_refresh(&r->pe);
    return pe_translate(&r->pe, PAGE, 1, a, &m, &r->x);
}

/* ---- FEAT_S2POE */

/* r, w: reads, writes; u, p: fetches of EL0, EL1; m: writes of the MMU, whose reads are as r. */
static const char *const permission[16] = {"",  "",   "rm", "rm",  "w",   "",     "rm",   "rm",
                                           "r", "ru", "rp", "rup", "rwm", "rwum", "rwpm", "rwupm"};
enum outcome { OK, BASE, OVERLAY };

static bool all_of(const char *has, const char *needs)
{
    for (; *needs; needs++)
        if (!strchr(has, *needs))
            return false;
    return true;
}

static enum outcome expected(const char *base, const char *over, const char *needs)
{
    return !all_of(over, needs) ? OVERLAY : !all_of(base, needs) ? BASE : OK;
}

/* Stage 2 from level 1: blocks of 1 GiB by indices: what stage 1's tables are in and what PAGE is in. */
static void second(struct rig *r, const unsigned pi[2], const unsigned po[2])
{
    struct arm_regs *s = &r->pe.s.regs;
    for (unsigned i = 0; i < 2; i++)
        put(r, TABLE2 + 8 + 8 * i,
            RAM | 0x7bd | (pi[i] & 1) << 6 | (uint64_t)(pi[i] >> 1 & 1) << 51 | (uint64_t)(pi[i] >> 2) << 53 |
                (uint64_t)po[i] << 59);
    s->vttbr_el2 = TABLE2;
    s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31 | vtcr_el2_S2PIE | vtcr_el2_S2POE;
    s->hcr_el2 |= hcr_el2_VM | hcr_el2_RW;
}

/* may: what reads, writes and fetches of this level come to. */
static void expect(struct rig *r, struct access_mode m, enum access a, enum outcome want, uint32_t iss, const bool may[3],
                   const char *about)
{
    bool ok = reaches(r, m, a);
    enum outcome is = ok ? OK : r->pe.exc.iss2 == 0x40 ? OVERLAY : BASE;
    if (is != want)
        fail_msg("%s: access %d of EL%u ends %d, not %d", about, (int)a, m.el, (int)is, (int)want);
    if (ok) {
        /* And what may be remembered of it. */
        assert_int_equal(r->x.read, may[0]);
        assert_int_equal(r->x.write, may[1]);
        assert_int_equal(r->x.exec, may[2]);
        return;
    }
    assert_int_equal(r->pe.exc.iss2, want == OVERLAY ? 0x40 : 0);
    assert_int_equal(r->pe.exc.iss, iss);
    assert_true(r->pe.exc.ipa_valid && r->pe.exc.el == 2);
}

static void every_permission_of_stage_2_with_every_overlay(void **state)
{
    const struct access_mode el0 = {.el = 0, .regime = 1}, el1 = {.el = 1, .regime = 1},
                             swap = {.el = 1, .regime = 1, .atomic = true, .exclusive = true};
    (void)state;
    struct rig *r = rig_new("max,pa=40");
    struct arm_regs *s = &r->pe.s.regs;
    for (unsigned n = 0; n < 256; n++) {
        unsigned base = n & 15, over = n >> 4, i = (base + 5 * over) & 15, o = (3 * base + over) & 15;
        const unsigned here[2] = {(i + 1) & 15, i}, there[2] = {(o + 1) & 15, o}, back[2] = {i, (i + 1) & 15},
                       forth[2] = {o, (o + 1) & 15};
        const char *b = permission[base], *v = permission[over];
        char about[64];
        snprintf(about, sizeof about, "S2PIR %u, S2POR %u", base, over);
        s->s2pir_el2 = (uint64_t)base << 4 * i | UINT64_C(15) << 4 * here[0];
        s->s2por_el1 = (uint64_t)over << 4 * o | UINT64_C(15) << 4 * there[0];
        s->tcr_el1 &= ~HA1;
        put(r, TABLE + 16, PAGE | 0x701 | 1 << 6); /* read and write at EL0 and EL1 */
        second(r, here, there);
        const bool may0[3] = {!expected(b, v, "r"), !expected(b, v, "w"), !expected(b, v, "u")},
                   may1[3] = {may0[0], may0[1], !expected(b, v, "p")}, data[3] = {may0[0], may0[1]}, all[3] = {true, true, true};
        for (unsigned el = 0; el < 2; el++) { /* stage 1 lets EL1 execute nothing that EL0 may write */
            expect(r, el ? el1 : el0, ACCESS_LOAD, expected(b, v, "r"), 0xd, el ? data : may0, about);
            expect(r, el ? el1 : el0, ACCESS_STORE, expected(b, v, "w"), 0x4d, el ? data : may0, about);
        }
        expect(r, el0, ACCESS_FETCH, expected(b, v, "u"), 0xd, may0, about);
        /* Both permissions are looked at in each step, and that of reading is told first (D8.15.5.1). */
        enum outcome both = expected(b, v, "rw");
        expect(r, swap, ACCESS_STORE, both, strchr(both == OVERLAY ? v : b, 'r') ? 0x4d : 0xd, data, about);
        put(r, TABLE + 16, PAGE | 0x701);
        expect(r, el1, ACCESS_FETCH, expected(b, v, "p"), 0xd, may1, about);
        /* The other way round: stage 1's tables are there. */
        second(r, back, forth);
        expect(r, el1, ACCESS_LOAD, expected(b, v, "r"), 0x8d, all, about);
        put(r, TABLE + 16, PAGE | 0x301);
        s->tcr_el1 |= HA1; /* the MMU writes to them */
        enum outcome first = expected(b, v, "r");
        expect(r, el1, ACCESS_LOAD, first != OK ? first : expected(b, v, "rm"), 0x8d, all, about);
        assert_int_equal(got(r, TABLE + 16) & AF, expected(b, v, "rm") == OK ? AF : 0);
    }
    rig_free(r);
}

/* D8.4.2.2.3: without S2PIE, or without S2POE, S2POR_EL1 does not count; it is part of the context if it does. */
static void overlays_of_stage_2_need_both_controls(void **state)
{
    const struct access_mode m = {.el = 1, .regime = 1};
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        struct rig *r = rig_new("max,pa=40");
        struct arm_regs *s = &r->pe.s.regs;
        uint64_t key[4], changed[4];
        const unsigned pi[2] = {3, 0}, po[2] = {1, 0};
        put(r, TABLE + 16, (TABLE + 0x1000) | 3); /* down to a page, so that there is a table to remember */
        put(r, TABLE + 0x1000, (TABLE + 0x2000) | 3);
        put(r, TABLE + 0x2000, PAGE | 0x703);
        second(r, pi, po);
        s->s2pir_el2 = 0xffff;
        s->s2por_el1 = 0xf0;
        s->vtcr_el2 &= ~((n & 1 ? 0 : vtcr_el2_S2PIE) | (n & 2 ? 0 : vtcr_el2_S2POE));
        put(r, TABLE2 + 16, got(r, TABLE2 + 16) | 1 << 6); /* direct: read and write; index 1 */
        assert_int_equal(reaches(r, m, ACCESS_LOAD), n != 3);
        pe_translation_key(&r->pe, &m, key);
        s->s2por_el1 = 0xff;
        pe_translation_key(&r->pe, &m, changed);
        assert_int_equal(memcmp(key, changed, sizeof key) != 0, (n & 2) != 0);
        assert_true(reaches(r, m, ACCESS_LOAD));
        /* Nobody remembers that a table could be read: the next walk asks again. */
        s->s2pir_el2 = 0x0fff;
        assert_int_equal(pe_translate(&r->pe, PAGE, 1, ACCESS_LOAD, &m, &r->x), !(n & 1));
        rig_free(r);
    }
}

/* AT S12E1R tells what the fault was of (D24.2.142, PAR_EL1.Overlay). */
static void par_tells_of_overlays_of_stage_2(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct rig *r = rig_new("max,pa=40");
        struct arm_regs *s = &r->pe.s.regs;
        const unsigned pi[2] = {1, 0}, po[2] = {1, 0};
        put(r, TABLE + 16, PAGE | 0x701);
        second(r, pi, po);
        s->s2pir_el2 = over ? 0xff : 0xf0;
        s->s2por_el1 = over ? 0xf0 : 0xff;
        s->sctlr_el2 &= ~sctlr_el1_M;
        rig_level(r, 2);
        a64_put(&r->g, 0xd50c7880); /* at s12e1r, x0 */
        mem_write(r->mem, RAM, r->code, 4);
        r->pe.s.pc = RAM;
        r->pe.s.x[0] = PAGE;
        pe_refresh(&r->pe);
        pe_run(&r->pe, r->pe.s.cycle + 1);
        assert_int_equal(s->par_el1 & 0xffff, 1 | 0xd << 1 | 1 << 9 | 1 << 11 | over << 14);
        rig_free(r);
    }
}

/* ---- FEAT_HAFT */

/* Four levels of stage 1 for PAGE from TABLE on, a page each; all of them without the access flag but for the leaf. */
static void four_levels(struct rig *r, uint64_t base)
{
    static const unsigned shift[4] = {39, 30, 21, 12};
    for (unsigned level = 0; level < 4; level++)
        put(r, base + 0x1000 * level + (PAGE >> shift[level] & 511) * 8,
            level == 3 ? RAM | 0x703 | 1 << 6 : (base + 0x1000 * (level + 1)) | 3);
}

static unsigned flagged(struct rig *r, uint64_t base)
{
    static const unsigned shift[4] = {39, 30, 21, 12};
    unsigned set = 0;
    for (unsigned level = 0; level < 3; level++)
        set |= (got(r, base + 0x1000 * level + (PAGE >> shift[level] & 511) * 8) & AF ? 1u : 0) << level;
    return set;
}

/* Regimes 1, 2, 2 of a host, 3. */
static void control(struct rig *r, unsigned which, bool ha, bool haft)
{
    struct arm_regs *s = &r->pe.s.regs;
    s->hcr_el2 |= which == 2 ? hcr_el2_E2H : 0;
    s->tcr_el1 = 16 | UINT64_C(2) << 32 | (ha ? HA1 : 0);
    s->tcr_el2 = which == 2 ? s->tcr_el1 : (16 | 2 << 16 | (ha ? 1u << 21 : 0));
    s->tcr_el3 = 16 | 2 << 16 | (ha ? 1u << 21 : 0) | (haft && which == 3 ? tcr_el3_HAFT : 0);
    s->tcr2_el1 = haft && which == 0 ? tcr2_el1_HAFT : 0;
    s->tcr2_el2 = haft && (which == 1 || which == 2) ? tcr2_el2_HAFT : 0;
    s->scr_el3 &= ~(which == 3 ? scr_el3_NS : 0);
}

static const unsigned regimes[4] = {1, 2, 2, 3};

static void each_regime_flags_its_tables(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 4; which++)
        for (unsigned n = 0; n < 4; n++) {
            struct rig *r = rig_new("max,pa=40");
            const struct access_mode m = {.el = (uint8_t)regimes[which], .regime = (uint8_t)regimes[which]};
            bool ha = n & 1, haft = n & 2;
            four_levels(r, TABLE);
            control(r, which, ha, haft);
            rig_level(r, regimes[which]);
            assert_true(reaches(r, m, ACCESS_LOAD));
            assert_int_equal(flagged(r, TABLE), ha && haft ? 7 : 0);
            /* What was known of the table before does not matter once the control is set. */
            if (ha && !haft) {
                control(r, which, true, true);
                assert_true(reaches(r, m, ACCESS_LOAD));
                assert_int_equal(flagged(r, TABLE), 7);
            }
            rig_free(r);
        }
}

/* TCR2_EL1 counts only if HCRX_EL2.TCR2En, SCR_EL3.HXEn and SCR_EL3.TCR2En let it, TCR2_EL2 by the last. */
static void flagging_of_tables_follows_what_enables_tcr2(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 4; which++)
        for (unsigned off = 0; off < 3; off++) {
            struct rig *r = rig_new("max,pa=40");
            struct arm_regs *s = &r->pe.s.regs;
            const struct access_mode m = {.el = (uint8_t)regimes[which], .regime = (uint8_t)regimes[which]};
            four_levels(r, TABLE);
            control(r, which, true, true);
            s->scr_el3 &= ~(off == 0 ? scr_el3_TCR2En : off == 1 ? scr_el3_HXEn : 0);
            s->hcrx_el2 &= ~(off == 2 ? hcrx_el2_TCR2En : 0);
            rig_level(r, regimes[which]);
            assert_true(reaches(r, m, ACCESS_LOAD));
            bool on = which == 3 || (which && off);
            assert_int_equal(flagged(r, TABLE), on ? 7 : 0);
            rig_free(r);
        }
}

/* The way to a fault is flagged, what lies behind it is not, nor a table that leads to too wide an address. AT flags (RFBZPR), a
   debugger's look does not. */
static void tables_are_flagged_up_to_a_fault(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 4; level++)
        for (unsigned kind = 0; kind < 2; kind++) {
            static const unsigned shift[4] = {39, 30, 21, 12};
            struct rig *r = rig_new("max,pa=40");
            const struct access_mode m = {.el = 1, .regime = 1};
            uint64_t at = TABLE + 0x1000 * level + (PAGE >> shift[level] & 511) * 8;
            four_levels(r, TABLE);
            put(r, at, kind ? got(r, at) | UINT64_C(1) << 41 : 0);
            control(r, 0, true, true);
            assert_false(reaches(r, m, ACCESS_LOAD));
            assert_int_equal(r->pe.exc.iss & 63, (kind ? 0 : 4) | level);
            assert_int_equal(flagged(r, TABLE), level ? (1u << level) - 1 : 0);
            rig_free(r);
        }
    for (unsigned n = 0; n < 3; n++) {
        struct rig *r = rig_new("max,pa=40");
        const struct access_mode m = {.el = 1, .regime = 1, .at = n == 0, .cm = n == 1, .probe = n == 2};
        four_levels(r, TABLE);
        control(r, 0, true, true);
        assert_true(reaches(r, m, ACCESS_LOAD));
        assert_int_equal(flagged(r, TABLE), n < 2 ? 7 : 0);
        rig_free(r);
    }
}

/* A store that clears the flag drops what was derived from the table: the next access sets it again. */
static void a_flag_that_software_clears_is_set_again(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pa=40");
    four_levels(r, TABLE);
    control(r, 0, true, true);
    pe_refresh(&r->pe);
    pe_context(&r->pe);
    for (unsigned level = 0; level < 3; level++) {
        static const unsigned shift[3] = {39, 30, 21};
        uint64_t at = TABLE + 0x1000 * level + (PAGE >> shift[level] & 511) * 8;
        for (unsigned twice = 0; twice < 2; twice++) {
            assert_true(pe_load(&r->pe, PAGE + 8, 8, 1, &r->pe.plain));
            assert_int_equal(flagged(r, TABLE), 7);
        }
        assert_true(pe_ram_store(&r->pe, at, 8, got(r, at) & ~AF));
        assert_int_equal(flagged(r, TABLE), 7 & ~(1u << level));
    }
    assert_true(pe_load(&r->pe, PAGE + 8, 8, 1, &r->pe.plain));
    assert_int_equal(flagged(r, TABLE), 7);
    rig_free(r);
}

/* IVPNMG: stage 2 must permit the update of stage 1's tables; and stage 2 flags its own, by VTCR_EL2.{HA, HAFT}. */
static void both_stages_flag_their_tables(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 16; n++) {
        struct rig *r = rig_new("max,pa=40");
        struct arm_regs *s = &r->pe.s.regs;
        const struct access_mode m = {.el = 1, .regime = 1};
        bool ha2 = n & 1, haft2 = n & 2, haft1 = n & 4, writable = n & 8;
        four_levels(r, TABLE);
        control(r, 0, true, haft1);
        /* Stage 2 from level 2 on: identity, 2 MiB blocks but for what maps RAM, which is a table of pages. */
        put(r, TABLE2 + (RAM >> 21) * 8, (TABLE2 + 0x1000 * 2) | 3);
        for (unsigned i = 0; i < 512; i++)
            put(r, TABLE2 + 0x2000 + 8 * i, (RAM + 4096 * i) | 0x77f | (writable || i == 0 ? 1 << 7 : 0));
        s->vttbr_el2 = TABLE2;
        s->vtcr_el2 = 33 | 2 << 16 | UINT64_C(1) << 31 | (ha2 ? 1 << 21 : 0) | (haft2 ? vtcr_el2_HAFT : 0);
        s->hcr_el2 |= hcr_el2_VM | hcr_el2_RW;
        bool ok = reaches(r, m, ACCESS_LOAD);
        assert_int_equal(ok, !haft1 || writable);
        assert_int_equal(flagged(r, TABLE), ok && haft1 ? 7 : 0);
        assert_int_equal(got(r, TABLE2 + (RAM >> 21) * 8) & AF, ha2 && haft2 ? AF : 0);
        if (!ok) {
            assert_int_equal(r->pe.exc.iss, 0x8f); /* permission, level 3, on a walk */
            assert_int_equal(r->pe.exc.el, 2);
            assert_int_equal(r->pe.exc.ipa & ~UINT64_C(0xfff), TABLE);
        }
        rig_free(r);
    }
}

/* The longest walk there is: five levels of each stage, and every descriptor of both without its access flag. */
static void the_longest_walk_flags_everything(void **state)
{
    static const unsigned shift[5] = {48, 39, 30, 21, 12};
    const struct access_mode m = {.el = 1, .regime = 1};
    (void)state;
    struct rig *r = rig_new("max");
    struct arm_regs *s = &r->pe.s.regs;
    for (unsigned i = 0; i < 5; i++) {
        put(r, TABLE + 0x1000 * i + (PAGE >> shift[i] & 511) * 8, i == 4 ? RAM | 3 | 1 << 6 : (TABLE + 0x1000 * (i + 1)) | 3);
        put(r, TABLE2 + 0x1000 * i + ((uint64_t)RAM >> shift[i] & 511) * 8, i == 4 ? 0 : (TABLE2 + 0x1000 * (i + 1)) | 3);
    }
    for (unsigned i = 0; i < 256; i++)
        put(r, TABLE2 + 0x4000 + 8 * i, (RAM + 4096 * i) | 0xff);
    s->tcr_el1 = 12 | UINT64_C(6) << 32 | HA1 | UINT64_C(1) << 59;
    s->tcr2_el1 = tcr2_el1_HAFT;
    s->vttbr_el2 = TABLE2;
    s->vtcr_el2 = 12 | 6 << 16 | UINT64_C(1) << 31 | 1 << 21 | vtcr_el2_HAFT | vtcr_el2_DS | vtcr_el2_SL2;
    s->hcr_el2 |= hcr_el2_VM | hcr_el2_RW;
    assert_true(reaches(r, m, ACCESS_LOAD));
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(got(r, TABLE + 0x1000 * i + (PAGE >> shift[i] & 511) * 8) & AF, AF);
        assert_int_equal(got(r, TABLE2 + 0x1000 * i + ((uint64_t)RAM >> shift[i] & 511) * 8) & AF, AF);
    }
    rig_free(r);
}

/* A table in memory that cannot be written: an external abort on the walk, of the table's level. */
static void a_table_that_cannot_be_flagged_aborts(void **state)
{
    struct err e;
    (void)state;
    for (unsigned stage = 1; stage < 3; stage++) {
        struct rig *r = rig_new("max,pa=40");
        const struct access_mode m = {.el = 1, .regime = 1};
        struct arm_regs *s = &r->pe.s.regs;
        assert_true(mem_add_ram(r->mem, "rom", 0x50000000, 0x1000, true, &e));
        put(r, 0x50000008, (TABLE + 0x1000) | 3);
        put(r, 0x50000010, (TABLE + 0x1000) | 3);
        for (unsigned i = 0; i < 512; i++)
            put(r, TABLE + 0x1000 + 8 * i, RAM | 0x7fd);
        s->tcr_el1 |= HA1;
        if (stage == 1) {
            s->tcr2_el1 = tcr2_el1_HAFT;
            s->ttbr0_el1 = 0x50000000;
        } else {
            put(r, TABLE + 16, PAGE | 0x701);
            s->vttbr_el2 = 0x50000000;
            s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31 | 1 << 21 | vtcr_el2_HAFT;
            s->hcr_el2 |= hcr_el2_VM | hcr_el2_RW;
        }
        assert_false(reaches(r, m, ACCESS_LOAD));
        assert_int_equal(r->pe.exc.iss & 0xbf, stage == 1 ? 0x15 : 0x95);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_permission_of_stage_2_with_every_overlay),
        cmocka_unit_test(overlays_of_stage_2_need_both_controls),
        cmocka_unit_test(par_tells_of_overlays_of_stage_2),
        cmocka_unit_test(each_regime_flags_its_tables),
        cmocka_unit_test(flagging_of_tables_follows_what_enables_tcr2),
        cmocka_unit_test(tables_are_flagged_up_to_a_fault),
        cmocka_unit_test(a_flag_that_software_clears_is_set_again),
        cmocka_unit_test(both_stages_flag_their_tables),
        cmocka_unit_test(the_longest_walk_flags_everything),
        cmocka_unit_test(a_table_that_cannot_be_flagged_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
