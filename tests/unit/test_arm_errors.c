/* Where SErrors and synchronous external aborts go, and what holds them back: the tables of the Arm ARM D1.4.6.2 (RMGNFZ) and
   D1.4.6.4 (RJFKMF) for FEAT_DoubleFault2, row by row, and the rules for external aborts (D1.4.3). */
#include "pe_rig.h"
#include "csr/arm/masks.h"

enum { CODE = 0x40000000, VECTORS = 0x40030000, NOWHERE = 0x80000000 };

/* Columns: SCR_EL3.EA, TMEA, NMEA, HCR_EL2.TGE, E2H, AMO, SCTLR2_EL2.NMEA, HCRX_EL2.TMEA, SCTLR2_EL1.NMEA, PSTATE.A; *: any. */
struct row {
    const char *given, *result; /* by exception level from EL0 on */
};
/* To which level; -: not reachable, or not taken at all. SCR_EL3.NMEA matters at EL3 only. */
static const struct row target[] = {
    {"00*0*000**", "11-"}, {"00*0*00101", "22-"}, {"00*0*001*0", "11-"}, {"00*0*00111", "12-"}, {"00*0*010**", "112"},
    {"00*0*01101", "222"}, {"00*0*011*0", "112"}, {"00*0*01111", "122"}, {"00*0*1****", "222"}, {"00*1******", "2-2"},
    {"01*0*00**0", "113"}, {"01*0*0*001", "333"}, {"01*0*0*011", "133"}, {"01*0*0*101", "223"}, {"01*0*0*111", "123"},
    {"01*0*01**0", "112"}, {"01*0*1***0", "222"}, {"01*0*1***1", "223"}, {"01*10****1", "2-3"}, {"01*1*****0", "2-2"},
    {"01*11*0**1", "3-3"}, {"01*11*1**1", "2-3"}, {"1**0******", "333"}, {"1**1******", "3-3"},
};
/* A: taken whatever PSTATE.A; B: PSTATE.A masks; C: not taken; at EL0 to EL3. */
static const struct row mask[] = {
    {"0000*0000*", "BBCC"}, {"0000*0001*", "AACC"}, {"0000*001**", "AACC"}, {"0000*0100*", "BBAC"}, {"0000*0101*", "AAAC"},
    {"0000*011**", "AAAC"}, {"0000*10***", "AABC"}, {"0000*11***", "AAAC"}, {"00010*0***", "A-BC"}, {"0001**1***", "A-AC"},
    {"00011*0***", "B-BC"}, {"0010*0000*", "BBCA"}, {"0010*0001*", "AACA"}, {"0010*001**", "AACA"}, {"0010*0100*", "BBAA"},
    {"0010*0101*", "AAAA"}, {"0010*011**", "AAAA"}, {"0010*10***", "AABA"}, {"0010*11***", "AAAA"}, {"00110*0***", "A-BA"},
    {"0011**1***", "A-AA"}, {"00111*0***", "B-BA"}, {"0100******", "AAAC"}, {"0101******", "A-AC"}, {"0110******", "AAAA"},
    {"0111******", "A-AA"}, {"1*00******", "AAAB"}, {"1*01******", "A-AB"}, {"1*10******", "AAAA"}, {"1*11******", "A-AA"},
};

static char look(const struct row *rows, unsigned n, unsigned given, unsigned el)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned k = 0;
        while (k < 10 && (rows[i].given[k] == '*' || rows[i].given[k] == (char)('0' + (given >> k & 1))))
            k++;
        if (k == 10)
            return rows[i].result[el];
    }
    fail_msg("no row has %#x", given);
    return 0;
}

static struct rig *rig_new(void)
{
    struct rig *r = rig_base("max");
    rig_pe(r);
    rig_vectors(r, VECTORS);
    rig_vectors(r, VECTORS + 0x1000);
    rig_vectors(r, VECTORS + 0x2000);
    r->pe.s.regs.vbar_el1 = VECTORS;
    r->pe.s.regs.vbar_el2 = VECTORS + 0x1000;
    r->pe.s.regs.vbar_el3 = VECTORS + 0x2000;
    return r;
}

#define IF(bit, value) (given >> (bit)&1 ? (value) : 0)

static void set_up(struct rig *r, unsigned given, unsigned el)
{
    struct arm_regs *s = &r->pe.s.regs;
    s->scr_el3 =
        scr_el3_NS | scr_el3_RW | scr_el3_HXEn | scr_el3_SCTLR2En | IF(0, scr_el3_EA) | IF(1, scr_el3_TMEA) | IF(2, scr_el3_NMEA);
    s->hcr_el2 = hcr_el2_RW | IF(3, hcr_el2_TGE) | IF(4, hcr_el2_E2H) | IF(5, hcr_el2_AMO);
    s->sctlr2_el2 = IF(6, sctlr2_el2_NMEA);
    s->hcrx_el2 = hcrx_el2_SCTLR2En | IF(7, hcrx_el2_TMEA);
    s->sctlr2_el1 = IF(8, sctlr2_el1_NMEA);
    rig_level(r, el);
    r->pe.s.pstate = (r->pe.s.pstate & ~(uint64_t)PSTATE_A) | IF(9, PSTATE_A);
}

static void serrors_go_where_the_tables_say(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    for (unsigned given = 0; given < 1u << 10; given++) {
        for (unsigned el = 0; el < 4; el++) {
            struct arm_exception e;
            char how = look(mask, ARRAY_LEN(mask), given, el), to;
            if (how == '-')
                continue;
            to = el == 3 ? '3' : look(target, ARRAY_LEN(target), given, el);
            set_up(r, given, el);
            r->pe.s.serror = 1;
            pe_refresh(&r->pe);
            bool want = how == 'A' || (how == 'B' && !(given >> 9));
            if (pe_pending(&r->pe, &e) != want || (want && e.el != to - '0'))
                fail_msg("%#x at EL%u: %c, to %c, not EL%u", given, el, how, to, want ? e.el : 0);
        }
    }
    rig_free(r);
}

/* HCRX_EL2.TMEA and HCR_EL2.AMO enable virtual SErrors, which PSTATE.A masks (RMMYBS); a host has none. */
static void virtual_serrors_are_enabled_by_either_bit(void **state)
{
    struct rig *r = rig_new();
    (void)state;
    for (unsigned given = 0; given < 1u << 10; given++) {
        for (unsigned el = 0; el < 4; el++) {
            struct arm_exception e;
            bool amo = given >> 5 & 1, tmea = given >> 7 & 1, tge = given >> 3 & 1, a = given >> 9;
            if (el == 1 && tge)
                continue;
            set_up(r, given, el);
            r->pe.s.serror = 0;
            r->pe.s.regs.hcr_el2 |= hcr_el2_VSE;
            pe_refresh(&r->pe);
            assert_int_equal(pe_pending(&r->pe, &e), el < 2 && !tge && (amo || tmea) && !a);
        }
    }
    rig_free(r);
}

/* Without the feature, or where SCTLR2_ELx and HCRX_EL2 are not in effect, none of it is there. */
static void controls_that_are_off_do_nothing(void **state)
{
    struct rig *r = rig_new();
    struct arm_exception e;
    (void)state;
    set_up(r, 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9, 1); /* HCRX_EL2.TMEA: to EL2 */
    r->pe.s.serror = 1;
    pe_refresh(&r->pe);
    assert_true(pe_pending(&r->pe, &e) && e.el == 2);
    r->pe.s.regs.scr_el3 &= ~scr_el3_HXEn;
    assert_false(pe_pending(&r->pe, &e)); /* HCRX_EL2.SCTLR2En, too */
    r->pe.s.regs.scr_el3 |= scr_el3_HXEn;
    r->pe.s.regs.hcrx_el2 = hcrx_el2_SCTLR2En;
    assert_true(pe_pending(&r->pe, &e) && e.el == 1);
    r->pe.s.regs.scr_el3 &= ~scr_el3_SCTLR2En;
    assert_false(pe_pending(&r->pe, &e));
    rig_free(r);
}

/* D1.4.3, "Synchronous External abort exceptions": who takes it; SCTLR2_ELx.EASE and SCR_EL3.EASE say by which vector. */
static void external_aborts_go_where_the_rules_say(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 1u << 9; n++) {
        unsigned el = n & 3;
        bool ea = n >> 2 & 1, tmea3 = n >> 3 & 1, tea = n >> 4 & 1, tmea2 = n >> 5 & 1, tge = n >> 6 & 1, a = n >> 7 & 1,
             ease = n >> 8 & 1;
        if (el == 1 && tge)
            continue;
        struct rig *r = rig_new();
        set_up(r, (unsigned)ea | (unsigned)tmea3 << 1 | (unsigned)tge << 3 | (unsigned)tmea2 << 7 | (unsigned)a << 9, el);
        struct arm_regs *s = &r->pe.s.regs;
        s->hcr_el2 |= tea ? hcr_el2_TEA : 0;
        s->scr_el3 |= ease ? scr_el3_EASE : 0;
        s->sctlr2_el1 = s->sctlr2_el2 = ease ? sctlr2_el1_EASE : 0;
        unsigned want = el == 3 || ea                        ? 3
                        : el < 2 && (tea || (tge && !el))    ? 2
                        : el == 1 && tmea2 && a              ? 2
                        : (el == 1 || el == 2) && tmea3 && a ? 3
                        : el == 2                            ? 2
                                                             : 1;
        a64_put(&r->g, 0xf9400020); /* ldr x0, [x1] */
        mem_write(r->mem, CODE, r->code, 4);
        r->pe.s.pc = CODE;
        r->pe.s.x[1] = NOWHERE;
        pe_refresh(&r->pe);
        pe_run(&r->pe, r->pe.s.cycle + 1);
        assert_int_equal(r->pe.el, want);
        uint64_t vector = (want > el ? 0x400 : 0x200) + (ease ? 0x180 : 0);
        assert_int_equal(r->pe.s.pc, VECTORS + (want - 1) * 0x1000 + vector);
        assert_int_equal((want == 1 ? s->esr_el1 : want == 2 ? s->esr_el2 : s->esr_el3) >> 26, want > el ? 0x24 : 0x25);
        rig_free(r);
    }
}

/* PFAR_ELx has the physical address of an abort of the access itself, but not for a guest behind stage 2 (D1.4.1.3). */
static void the_physical_address_is_told(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 18; n++) {
        unsigned el = 1 + n % 3, stage2 = n / 3 % 3; /* 1: by VM; 2: by DC, which is as VM */
        bool fetch = n / 9;
        struct rig *r = rig_new();
        struct arm_regs *s = &r->pe.s.regs;
        set_up(r, 0, el);
        /* Stage 2 of 1 GiB blocks that are where they were: VTCR_EL2 of 39 bits from level 1, 40 bits of physical address. */
        uint64_t blocks[4] = {0, 0x400007fd, 0x800007fd, 0};
        mem_write(r->mem, RIG_RAM + 0x40000, blocks, sizeof blocks);
        s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31;
        s->vttbr_el2 = RIG_RAM + 0x40000;
        s->hcr_el2 |= stage2 == 0 ? 0 : stage2 == 1 ? hcr_el2_VM : hcr_el2_DC;
        a64_put(&r->g, fetch ? 0xd61f0020 : 0xf9400820); /* br x1; ldr x0, [x1, #16] */
        mem_write(r->mem, CODE, r->code, 4);
        r->pe.s.pc = CODE;
        r->pe.s.x[1] = NOWHERE;
        pe_refresh(&r->pe);
        pe_run(&r->pe, r->pe.s.cycle + 1 + fetch);
        bool told = !(el == 1 && stage2);
        uint64_t esr = el == 1   ? s->esr_el1
                       : el == 2 ? s->esr_el2
                                 : s->esr_el3,
                 pa = el == 1   ? s->pfar_el1
                      : el == 2 ? s->pfar_el2
                                : s->mfar_el3,
                 ns = UINT64_C(1) << 63;
        assert_int_equal(esr >> 26, fetch ? 0x21 : 0x25);
        assert_int_equal(esr & 0x1ffffff, 0x10 | (told ? 1 << 14 : 0));
        assert_true(pa == (told ? (NOWHERE + (fetch ? 0 : 16)) | (el < 3 ? ns : 0) : 0));
        rig_free(r);
    }
}

/* ESB defers what the tables hold back, and nothing else. */
static void esb_defers_what_is_masked(void **state)
{
    (void)state;
    for (unsigned nmea = 0; nmea < 2; nmea++) {
        struct rig *r = rig_new();
        set_up(r, 1u << 9 | nmea << 8, 1);
        r->pe.s.serror = 1;
        r->pe.s.serror_iss = 0x11;
        a64_put(&r->g, 0xd503221f); /* esb */
        mem_write(r->mem, CODE, r->code, 4);
        r->pe.s.pc = CODE;
        pe_refresh(&r->pe);
        pe_run(&r->pe, r->pe.s.cycle + 1);
        assert_int_equal(r->pe.s.regs.disr_el1, nmea ? 0 : 0x80000011);
        assert_int_equal(r->pe.s.regs.esr_el1 >> 26, nmea ? 0x2f : 0);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serrors_go_where_the_tables_say),  cmocka_unit_test(virtual_serrors_are_enabled_by_either_bit),
        cmocka_unit_test(controls_that_are_off_do_nothing), cmocka_unit_test(external_aborts_go_where_the_rules_say),
        cmocka_unit_test(the_physical_address_is_told),     cmocka_unit_test(esb_defers_what_is_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
