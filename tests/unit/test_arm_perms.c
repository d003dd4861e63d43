/*
 * Stage 1 beyond descriptors: FEAT_AIE, FEAT_ATS1A; FEAT_S1PIE and FEAT_S1POE: every pair of permission encodings with every
 * overlay, for reads, writes and fetches of EL0 and of the level above, with and without PAN, against the manual's tables written
 * down here again (Arm ARM D8.4.2, tables of PIR_ELx and POR_ELx; AArch64.S1ComputePermissions, AArch64.S1CheckPermissions).
 */
#include "pe_rig.h"
#include "csr/arm/masks.h"

enum { RAM = 0x40000000, TABLE = 0x40020000 };
#define PAGE UINT64_C(0x80000000)
#define NONE 16 /* no overlays */

static struct rig *rig_new(const char *cpu, unsigned el)
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
    rig_level(r, el);
    return r;
}

/* The leaf of PAGE: a block of 1 GiB with these bits. */
static void map(struct rig *r, uint64_t bits)
{
    uint64_t desc = RAM | 0x701 | bits;
    mem_write(r->mem, TABLE + 16, &desc, sizeof desc);
}

/* A letter for each thing an encoding permits; o: overlays apply; x!: it is dropped or W is (WXN); g: a guarded control stack. */
static const char *const indirect[16] = {"o", "ro", "xo", "rxo", "o",  "rwo", "rwx!o", "rwxo",
                                         "r", "rg", "rx", "",    "rw", "",    "rwx",   ""};
static const char *const overlay[16] = {"", "r", "x", "rx", "w", "rw", "wx", "rwx", "", "", "", "", "", "", "", ""};

static bool has(const char *what, char c) { return strchr(what, c) != NULL; }

enum outcome { OK, BASE, OVERLAY };

/* What the manual says of an access 'r', 'w' or 'x'. taken: PSTATE.PAN and EL0 may do something. por: NONE, or the overlay of the
   level. */
static enum outcome expected(const char *priv, const char *user, bool el0, bool taken, unsigned por, char access)
{
    bool exposed = user && (has(priv, 'x') || has(priv, 'g')) && (has(user, 'w') || has(user, 'g'));
    const char *mine = el0 ? user : priv;
    bool r = has(mine, 'r') && !exposed, w = has(mine, 'w') && !exposed, x = has(mine, 'x') && !exposed;
    if (!el0 && taken)
        r = w = false;
    bool overlaid = por != NONE && has(mine, 'o'), wxn = has(mine, '!');
    if (overlaid) {
        bool or = has(overlay[por], 'r'), ow = has(overlay[por], 'w'), ox = has(overlay[por], 'x');
        if (wxn && ox)
            ow = false;
        else if (wxn)
            x = false;
        if (!(access == 'r' ? or : access == 'w' ? ow : ox))
            return OVERLAY;
    } else if (wxn) {
        x = false;
    }
    return (access == 'r' ? r : access == 'w' ? w : x) ? OK : BASE;
}

static enum outcome found(struct rig *r, bool el0, bool pan, unsigned regime, char access)
{
    struct xlate x;
    struct access_mode m = {.el = el0 ? 0 : (uint8_t)regime, .regime = (uint8_t)regime, .pan = pan && !el0};
    if (pe_translate(&r->pe, PAGE, 1, access == 'r' ? ACCESS_LOAD : access == 'w' ? ACCESS_STORE : ACCESS_FETCH, &m, &x))
        return OK;
    assert_int_equal(r->pe.exc.iss & 0x3f, 0xd); /* a permission fault of level 1 */
    if (access != 'x')
        assert_int_equal(r->pe.exc.iss >> 6 & 1, access == 'w');
    assert_int_equal(r->pe.exc.iss2 & ~0x40u, 0);
    return r->pe.exc.iss2 ? OVERLAY : BASE;
}

static uint64_t at_index(unsigned i) { return (uint64_t)(i >> 2 & 3) << 53 | (uint64_t)(i >> 1 & 1) << 51 | (i & 1) << 6; }

static void every_indirect_permission_with_every_overlay(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pa=40,el3=off,el2=off", 1);
    struct arm_regs *s = &r->pe.s.regs;
    for (unsigned pi = 0; pi < 16; pi++)
        for (unsigned ui = 0; ui < 16; ui++)
            for (unsigned por = 0; por <= NONE; por++) {
                unsigned i = (pi + 3 * ui) & 15, o = (pi + ui) & 7;
                s->tcr2_el1 = tcr2_el1_PIE | (por == NONE ? 0 : tcr2_el1_POE | tcr2_el1_E0POE);
                s->pir_el1 = (uint64_t)pi << 4 * i;
                s->pire0_el1 = (uint64_t)ui << 4 * i;
                s->por_el1 = s->por_el0 = (uint64_t)(por & 15) << 4 * o;
                map(r, at_index(i) | (uint64_t)o << 60);
                pe_refresh(&r->pe);
                for (unsigned how = 0; how < 4; how++)
                    for (const char *a = "rwx"; *a; a++) {
                        bool el0 = how & 1, pan = how & 2;
                        enum outcome is = found(r, el0, pan, 1, *a);
                        if (is != expected(indirect[pi], indirect[ui], el0, pan && ui, por, *a))
                            fail_msg("PIR %u, PIRE0 %u, POR %u, EL%u, PAN %u, %c: %d", pi, ui, por, !el0, pan, *a, (int)is);
                    }
            }
    rig_free(r);
}

/* AArch64.S1DirectBasePermissions under overlays: all of AP, PXN, UXN, WXN; pan: 1 PSTATE.PAN, 2 SCTLR_ELx.EPAN (FEAT_PAN3).
 */
static void try_direct(struct rig *r, unsigned bits, unsigned por, unsigned pan)
{
    bool ap1 = bits & 1, ap2 = bits & 2, pxn = bits & 4, uxn = bits & 8, wxn = bits & 16;
    bool taken = (pan & 1) && (ap1 || (pan == 3 && !uxn));
    struct arm_regs *s = &r->pe.s.regs;
    char priv[8] = "or", user[8] = "o";
    strcat(priv, ap2 ? "" : "w");
    strcat(priv, pxn || (ap1 && !ap2) ? "" : "x");
    strcat(priv, wxn && !ap2 && !taken ? "!" : "");
    strcat(user, ap1 ? "r" : "");
    strcat(user, ap1 && !ap2 ? "w" : "");
    strcat(user, uxn ? "" : "x");
    strcat(user, wxn && ap1 && !ap2 && !uxn ? "!" : "");
    if (wxn && !ap2 && !taken && (pxn || (ap1 && !ap2))) /* WXN needs both W and X */
        priv[strlen(priv) - 1] = 0;
    s->tcr2_el1 = por == NONE ? 0 : tcr2_el1_POE | tcr2_el1_E0POE;
    s->sctlr_el1 &= ~(sctlr_el1_WXN | sctlr_el1_EPAN);
    s->sctlr_el1 |= (wxn ? sctlr_el1_WXN : 0) | (pan & 2 ? sctlr_el1_EPAN : 0);
    s->por_el1 = s->por_el0 = (uint64_t)(por & 15) << 20;
    map(r, ap1 << 6 | ap2 << 7 | (uint64_t)pxn << 53 | (uint64_t)uxn << 54 | UINT64_C(5) << 60);
    pe_refresh(&r->pe);
    for (unsigned el0 = 0; el0 < 2; el0++)
        for (const char *a = "rwx"; *a; a++) {
            const char *mine = el0 ? user : priv;
            enum outcome is = found(r, el0, pan & 1, 1, *a), want = expected(mine, NULL, false, taken && !el0, por, *a);
            if (is != want)
                fail_msg("bits %#x, POR %u, PAN %u, EL%u, %c: %d, not %d", bits, por, pan, !el0, *a, (int)is, (int)want);
        }
}

static void every_direct_permission_with_every_overlay(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pa=40,el3=off,el2=off", 1);
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned por = 0; por <= NONE; por++)
            for (unsigned pan = 0; pan < 4; pan++)
                try_direct(r, bits, por, pan);
    rig_free(r);
}

/* IsTCR2EL1Enabled, IsTCR2EL2Enabled, TCR_EL3.PIE and POE: each regime has its registers. */
static void each_regime_has_its_registers(void **state)
{
    (void)state;
    for (unsigned regime = 1; regime < 4; regime++)
        for (unsigned off = 0; off < 4; off++) {
            struct rig *r = rig_new("max,pa=40", regime);
            struct arm_regs *s = &r->pe.s.regs;
            s->pir_el1 = regime == 1 ? 5 : 2;
            s->pir_el2 = regime == 2 ? 5 : 2;
            s->pir_el3 = regime == 3 ? 5 : 2;
            s->pire0_el1 = 1;
            s->tcr2_el1 = regime == 1 ? tcr2_el1_PIE : 0;
            s->tcr2_el2 = regime == 2 ? tcr2_el2_PIE : 0;
            s->tcr_el3 |= regime == 3 ? tcr_el3_PIE : 0;
            s->scr_el3 &= ~(off == 1 ? scr_el3_TCR2En : off == 2 ? scr_el3_HXEn : 0);
            s->hcrx_el2 &= ~(off == 3 ? hcrx_el2_TCR2En : 0);
            s->scr_el3 &= ~(regime == 3 ? scr_el3_NS : 0);
            map(r, 0);
            pe_refresh(&r->pe);
            bool on = regime == 3 || off == 0 || (regime == 2 && off != 1);
            assert_int_equal(found(r, false, false, regime, 'w'), OK);
            assert_int_equal(found(r, false, false, regime, 'x'), on ? BASE : OK); /* 5: RW. Descriptor 0: RWX */
            rig_free(r);
        }
}

/* With indirect permissions bit 7 of a descriptor is nDirty (AArch64.S1CheckPermissions, the end). */
static void a_clean_page_is_dirtied_or_faults(void **state)
{
    (void)state;
    for (unsigned hd = 0; hd < 2; hd++) {
        struct rig *r = rig_new("max,pa=40,el3=off,el2=off", 1);
        struct arm_regs *s = &r->pe.s.regs;
        struct xlate x;
        uint64_t desc;
        s->tcr_el1 |= hd ? UINT64_C(3) << 39 : 0;
        s->tcr2_el1 = tcr2_el1_PIE;
        s->pir_el1 = 5;
        map(r, 1 << 7);
        pe_refresh(&r->pe);
        const struct access_mode m = {.el = 1, .regime = 1};
        assert_true(pe_translate(&r->pe, PAGE, 1, ACCESS_LOAD, &m, &x));
        assert_false(x.write); /* a store must come here again */
        assert_int_equal(pe_translate(&r->pe, PAGE, 1, ACCESS_STORE, &m, &x), hd);
        mem_read(r->mem, TABLE + 16, &desc, 8);
        assert_int_equal(desc >> 7 & 1, !hd);
        if (!hd) {
            assert_int_equal(r->pe.exc.iss, 0x4d);
            assert_int_equal(r->pe.exc.iss2, 0x20);
        }
        rig_free(r);
    }
}

/* FEAT_AIE: bit 59 of a descriptor is bit 3 of the attribute index while TCR2_ELx.AIE (TCR_EL3.AIE) is set (AArch64.MAIRAttr). */
static void each_attribute_index_has_its_attributes(void **state)
{
    (void)state;
    for (unsigned regime = 1; regime < 4; regime++)
        for (unsigned n = 0; n < 64; n++) {
            struct rig *r = rig_new("max,pa=40", regime);
            struct arm_regs *s = &r->pe.s.regs;
            unsigned index = n & 15;
            bool aie = n & 16, other = n & 32; /* other: of the regimes that this one is not */
            const uint64_t low = UINT64_C(0x1716151413121110), high = UINT64_C(0x1f1e1d1c1b1a1918);
            uint64_t *const mair[] = {&s->mair_el1, &s->mair_el2, &s->mair_el3}, *const mair2[] = {&s->mair2_el1, &s->mair2_el2,
                                                                                                   &s->mair2_el3};
            *mair[regime - 1] = low;
            *mair2[regime - 1] = high;
            s->tcr2_el1 = (regime == 1 ? aie : other) ? tcr2_el1_AIE : 0;
            s->tcr2_el2 = (regime == 2 ? aie : other) ? tcr2_el2_AIE : 0;
            s->tcr_el3 |= (regime == 3 ? aie : other) ? tcr_el3_AIE : 0;
            s->scr_el3 &= ~(regime == 3 ? scr_el3_NS : 0);
            map(r, (uint64_t)(index & 7) << 2 | (uint64_t)(index >> 3) << 59);
            pe_refresh(&r->pe);
            struct xlate x;
            const struct access_mode m = {.el = (uint8_t)regime, .regime = (uint8_t)regime};
            assert_true(pe_translate(&r->pe, PAGE, 1, ACCESS_LOAD, &m, &x));
            assert_int_equal(x.attr, 0x10 + (aie ? index : index & 7));
            /* Nobody remembers what MAIR2_ELx was: it is part of the context. */
            uint64_t key[4], changed[4];
            pe_translation_key(&r->pe, &m, key);
            *mair2[regime - 1] = 0;
            pe_translation_key(&r->pe, &m, changed);
            assert_int_equal(memcmp(key, changed, sizeof key) != 0, aie);
            rig_free(r);
        }
}

/* ---- FEAT_S2PIE */

enum { TABLE2 = 0x40030000 };

/* Stage 2 from level 1: blocks of 1 GiB by permission index, what stage 1's tables are in and what PAGE is in. */
static void second(struct rig *r, unsigned tables, unsigned page, bool dirty)
{
    const uint64_t leaf = RAM | 0x73d | (dirty ? 1 << 7 : 0), by[2] = {tables, page};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t desc = leaf | (by[i] & 1) << 6 | (by[i] >> 1 & 1) << 51 | by[i] >> 2 << 53;
        mem_write(r->mem, TABLE2 + 8 + 8 * i, &desc, 8);
    }
    struct arm_regs *s = &r->pe.s.regs;
    uint64_t first = PAGE | 0x701 | 1 << 6; /* read and write at EL0 and EL1 */
    mem_write(r->mem, TABLE + 16, &first, 8);
    s->vttbr_el2 = TABLE2;
    s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31 | vtcr_el2_S2PIE;
    s->hcr_el2 |= hcr_el2_VM | hcr_el2_RW;
}

static bool reaches(struct rig *r, unsigned el, enum access a)
{
    struct xlate x;
    const struct access_mode m = {.el = (uint8_t)el, .regime = 1};
    pe_refresh(&r->pe);
    return pe_translate(&r->pe, PAGE, 1, a, &m, &x);
}

/* r, w: reads, writes; u, p: fetches of EL0, EL1; m: writes of the MMU (AArch64.S2IndirectBasePermissions). */
static const char *const second_stage[16] = {"",  "",   "rm", "rm",  "w",   "",     "rm",   "rm",
                                             "r", "ru", "rp", "rup", "rwm", "rwum", "rwpm", "rwupm"};

static void every_indirect_permission_of_stage_2(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 256; n++) {
        unsigned pi = n & 15, index = n >> 4, rest = (index + 1) & 15;
        const char *may = second_stage[pi];
        struct rig *r = rig_new("max,pa=40", 1);
        r->pe.s.regs.s2pir_el2 = (uint64_t)pi << 4 * index | UINT64_C(15) << 4 * rest;
        second(r, rest, index, true);
        for (unsigned el = 0; el < 2; el++) {
            assert_int_equal(reaches(r, el, ACCESS_LOAD), has(may, 'r'));
            assert_int_equal(reaches(r, el, ACCESS_STORE), has(may, 'w'));
            if (!has(may, 'w')) {
                assert_int_equal(r->pe.exc.iss & 0xff, 0x4d); /* a write, permission, level 1, not on a walk */
                assert_true(r->pe.exc.ipa_valid && r->pe.exc.el == 2);
            }
            /* Stage 1 lets EL1 execute nothing that EL0 may write. */
            if (el == 0)
                assert_int_equal(reaches(r, 0, ACCESS_FETCH), has(may, 'u'));
        }
        uint64_t of_el1 = PAGE | 0x701;
        mem_write(r->mem, TABLE + 16, &of_el1, 8);
        assert_int_equal(reaches(r, 1, ACCESS_FETCH), has(may, 'p'));
        /* The other way round: stage 1's tables are there. */
        second(r, index, rest, true);
        assert_int_equal(reaches(r, 1, ACCESS_LOAD), has(may, 'r'));
        uint64_t no_af = PAGE | 0x301 | 1 << 6;
        mem_write(r->mem, TABLE + 16, &no_af, 8);
        r->pe.s.regs.tcr_el1 |= UINT64_C(1) << 39; /* HA: the MMU writes to them */
        assert_int_equal(reaches(r, 1, ACCESS_LOAD), has(may, 'm'));
        rig_free(r);
    }
}

/* Bit 7 is the dirty state, and software's to keep without VTCR_EL2.HD; S2PIR_EL2 is part of the context. */
static void a_clean_page_of_stage_2_is_dirtied_or_faults(void **state)
{
    (void)state;
    for (unsigned hd = 0; hd < 2; hd++) {
        struct rig *r = rig_new("max,pa=40", 1);
        uint64_t desc, key[4], changed[4];
        r->pe.s.regs.s2pir_el2 = 12 | 15 << 4;
        second(r, 1, 0, false);
        desc = RAM | 0x7bd | 1 << 6; /* the tables are dirty */
        mem_write(r->mem, TABLE2 + 8, &desc, 8);
        r->pe.s.regs.vtcr_el2 |= hd ? 3 << 21 : 0;
        assert_true(reaches(r, 1, ACCESS_LOAD));
        assert_int_equal(reaches(r, 1, ACCESS_STORE), hd);
        mem_read(r->mem, TABLE2 + 16, &desc, 8);
        assert_int_equal(desc >> 7 & 1, hd);
        if (!hd) {
            assert_int_equal(r->pe.exc.iss, 0x4d);
            assert_int_equal(r->pe.exc.iss2, 0x20);
        }
        const struct access_mode m = {.el = 1, .regime = 1};
        pe_translation_key(&r->pe, &m, key);
        r->pe.s.regs.s2pir_el2 = 8;
        pe_translation_key(&r->pe, &m, changed);
        assert_true(memcmp(key, changed, sizeof key) != 0);
        rig_free(r);
    }
}

#define AT(op1, crm, op2) (0xd5087000u | (op1) << 16 | (crm) << 8 | (op2) << 5)

static uint64_t par_after(struct rig *r, uint64_t pc, uint32_t at)
{
    a64_put(&r->g, at); /* at …, x0 */
    mem_write(r->mem, pc, r->code, 4);
    r->pe.s.pc = pc;
    r->pe.s.x[0] = PAGE + 0x123000;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 1);
    assert_int_equal(r->pe.s.pc, pc + 4);
    return r->pe.s.regs.par_el1;
}

/* FEAT_ATS1A: AT S1E1A and its like ask for no permission, only for a valid translation; PAR_EL1 tells of overlays (D24.2.142).
 */
static void address_translation_without_permissions(void **state)
{
    static const struct {
        unsigned el, any, write;
    } row[] = {{1, AT(0, 9, 2), AT(0, 8, 1)}, {2, AT(4, 9, 2), AT(4, 8, 1)}, {3, AT(6, 9, 2), AT(6, 8, 1)}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++)
        for (unsigned n = 0; n < 4; n++) {
            bool overlaid = n & 1, valid = !(n & 2);
            struct rig *r = rig_new("max,pa=40", row[i].el);
            struct arm_regs *s = &r->pe.s.regs;
            s->scr_el3 &= ~(row[i].el == 3 ? scr_el3_NS : 0);
            s->tcr2_el1 = s->tcr2_el2 = overlaid ? tcr2_el1_POE : 0;
            s->tcr_el3 |= overlaid ? tcr_el3_POE : 0;
            s->por_el1 = s->por_el2 = s->por_el3 = overlaid ? 0 : 7; /* no access by the overlay */
            /* The code's own block and a read-only one, or none: the lower overlay index leaves the code alone. */
            uint64_t code = RAM | 0x701 | UINT64_C(1) << 60;
            mem_write(r->mem, TABLE + 8, &code, 8);
            s->por_el1 |= 0x70;
            s->por_el2 |= 0x70;
            s->por_el3 |= 0x70;
            map(r, 1 << 7);
            if (!valid)
                mem_write(r->mem, TABLE + 16, &(uint64_t){0}, 8);
            assert_int_equal(par_after(r, RAM, row[i].any) & 1, !valid);
            if (valid)
                assert_int_equal(s->par_el1 & 0xfffffffff000, RAM + 0x123000);
            r->g.n = 0;
            rig_level(r, row[i].el);
            assert_int_equal(par_after(r, RAM + 0x2000, row[i].write) & 0xc07f, !valid ? 0x0b : 0x1b | (overlaid ? 1 << 14 : 0));
            rig_free(r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_indirect_permission_with_every_overlay),
        cmocka_unit_test(every_direct_permission_with_every_overlay),
        cmocka_unit_test(each_regime_has_its_registers),
        cmocka_unit_test(a_clean_page_is_dirtied_or_faults),
        cmocka_unit_test(every_indirect_permission_of_stage_2),
        cmocka_unit_test(a_clean_page_of_stage_2_is_dirtied_or_faults),
        cmocka_unit_test(each_attribute_index_has_its_attributes),
        cmocka_unit_test(address_translation_without_permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
