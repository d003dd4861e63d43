/*
 * FEAT_CMOW: cache maintenance that cleans and invalidates by address, and IC IVAU, where SCTLR_ELx.CMOW and HCRX_EL2.CMOW ask
 * for permission to write: every instruction by address at every level, with each control, under every permission of both stages,
 * against the manual's rules written down here again (Arm ARM D8.15.3, rules FTXTG and BBLTJ; D7.5.9.2; D7.5.9.3).
 */
#include "pe_rig.h"
#include "cpu/arm/exec.h"
#include "csr/arm/masks.h"

enum { RAM = 0x40000000, TABLE = 0x40020000, TABLE2 = 0x40030000 };
#define PAGE UINT64_C(0x80000000)

/* A translation regime of 1 GiB blocks; of stage 2 the blocks of code, tables and PAGE map to themselves. */
static struct rig *rig_new(const char *cpu)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    struct arm_regs *s = &r->pe.s.regs;
    s->ttbr0_el1 = s->ttbr0_el2 = s->ttbr0_el3 = TABLE;
    s->mair_el1 = s->mair_el2 = s->mair_el3 = 0xff;
    s->tcr_el1 = 25 | UINT64_C(2) << 32;
    s->tcr_el3 = 25 | 2 << 16;
    s->sctlr_el1 |= sctlr_el1_M | sctlr_el1_UCI;
    s->sctlr_el2 |= sctlr_el1_M | sctlr_el1_UCI;
    s->sctlr_el3 |= sctlr_el1_M;
    s->vttbr_el2 = TABLE2;
    s->vtcr_el2 = 25 | 1 << 6 | 2 << 16 | UINT64_C(1) << 31;
    s->scr_el3 |= scr_el3_NS | scr_el3_HXEn;
    return r;
}

static void map(struct rig *r, uint64_t table, uint64_t desc) { mem_write(r->mem, table + 16, &desc, sizeof desc); }

struct world {
    unsigned el;
    bool host;                  /* HCR_EL2.{E2H, TGE} = {1, 1}: EL0 and EL2 share a regime */
    bool cmow1, cmow2, cmowx;   /* SCTLR_EL1, SCTLR_EL2, HCRX_EL2 */
    bool hxen;                  /* SCR_EL3.HXEn */
    bool s2;                    /* HCR_EL2.VM */
    bool ap1, ap2, clean;       /* stage 1: for EL0; read-only; that but DBM, and hardware manages the dirty state */
    bool read2, write2, clean2; /* stage 2: the same */
};

static void enter(struct rig *r, const struct world *w)
{
    struct arm_regs *s = &r->pe.s.regs;
    uint64_t dbm = UINT64_C(1) << 51,
             s1 = (w->s2 ? PAGE : RAM) | 0x701 | (w->ap1 ? 1 << 6 : 0) | (w->ap2 ? 1 << 7 : 0) | (w->clean ? dbm : 0),
             s2 = RAM | 0x73d | (w->read2 ? 1 << 6 : 0) | (w->write2 ? 1 << 7 : 0) | (w->clean2 ? dbm : 0),
             table = RAM | 0x73d | 3 << 6;
    map(r, TABLE, s1);
    map(r, TABLE2, s2);
    mem_write(r->mem, TABLE2 + 8, &table, sizeof table);
    s->hcr_el2 = hcr_el2_RW | (w->s2 ? hcr_el2_VM : 0) | (w->host ? hcr_el2_E2H | hcr_el2_TGE : 0);
    s->tcr_el2 = w->host ? 25 | UINT64_C(2) << 32 | 3ull << 39 : 25 | 2 << 16 | 3 << 21;
    s->tcr_el1 = 25 | UINT64_C(2) << 32 | 3ull << 39;
    s->tcr_el3 = 25 | 2 << 16 | 3 << 21;
    s->vtcr_el2 |= 3 << 21;
    s->sctlr_el1 = (s->sctlr_el1 & ~sctlr_el1_CMOW) | (w->cmow1 ? sctlr_el1_CMOW : 0);
    s->sctlr_el2 = (s->sctlr_el2 & ~sctlr_el2_CMOW) | (w->cmow2 ? sctlr_el2_CMOW : 0);
    s->hcrx_el2 = w->cmowx ? hcrx_el2_CMOW : 0;
    s->scr_el3 = (s->scr_el3 & ~scr_el3_HXEn) | (w->hxen ? scr_el3_HXEn : 0);
    rig_level(r, w->el);
    pe_refresh(&r->pe);
}

enum outcome { OK, STAGE1, STAGE2 };

/* What an instruction does: i: an instruction cache; f: cleans and invalidates; d: invalidates alone; c: cleans alone. */
static enum outcome expected(const struct world *w, char kind)
{
    bool el0 = w->el == 0, el10 = w->el < 2 && !w->host, two = el10 && w->s2, asks = kind == 'i' || kind == 'f';
    bool sctlr = el0 && asks && (w->host ? w->cmow2 : w->cmow1), hcrx = el10 && asks && w->cmowx && w->hxen;
    bool looked = kind != 'i' || sctlr || hcrx; /* IMPLEMENTATION DEFINED: IC IVAU is translated where it must be */
    bool r1 = !el0 || w->ap1, w1 = (!el0 || w->ap1) && (!w->ap2 || w->clean);
    bool reads = el0 && kind != 'i' && kind != 'd';
    if (!looked)
        return OK;
    if ((reads && !r1) || ((sctlr || kind == 'd') && !w1))
        return STAGE1;
    bool w2 = w->write2 || w->clean2;
    return two && ((reads && !w->read2) || ((hcrx || kind == 'd') && !w2)) ? STAGE2 : OK;
}

static const struct {
    unsigned id;
    char kind;
} instructions[] = {
    {SR_ic_ivau, 'i'},   {SR_dc_civac, 'f'}, {SR_dc_cigvac, 'f'}, {SR_dc_cigdvac, 'f'}, {SR_dc_ivac, 'd'}, {SR_dc_igvac, 'd'},
    {SR_dc_igdvac, 'd'}, {SR_dc_cvac, 'c'},  {SR_dc_cgvac, 'c'},  {SR_dc_cgdvac, 'c'},  {SR_dc_cvap, 'c'}, {SR_dc_cgvap, 'c'},
    {SR_dc_cgdvap, 'c'}, {SR_dc_cvadp, 'c'}, {SR_dc_cgvadp, 'c'}, {SR_dc_cgdvadp, 'c'},
};

static void try(struct rig *r, const struct world *w, unsigned id, char kind)
{
    enum outcome want = expected(w, kind);
    uint64_t before1, before2, after;
    if (w->el == 0 && kind == 'd')
        return; /* not there */
    mem_read(r->mem, TABLE + 16, &before1, 8);
    mem_read(r->mem, TABLE2 + 16, &before2, 8);
    bool ok = pe_sys(&r->pe, 0xd5080000u | (uint32_t)sysreg_key_of(id) << 5, id, PAGE + 0x1234);
    const struct arm_exception *x = &r->pe.exc;
    enum outcome is = ok ? OK : x->ipa_valid ? STAGE2 : STAGE1;
    if (is != want)
        fail_msg("%s EL%u host %d CMOW %d%d%d HXEn %d VM %d AP %d%d%d S2AP %d%d%d: %d, not %d", sysreg_row_of(id)->name, w->el,
                 w->host, w->cmow1, w->cmow2, w->cmowx, w->hxen, w->s2, w->ap1, w->ap2, w->clean, w->read2, w->write2, w->clean2,
                 (int)is, (int)want);
    if (!ok) { /* Data Abort, CM, WnR, permission fault of level 1; of stage 2 to EL2 */
        assert_int_equal(x->ec, EC_DATA_ABORT_LOWER);
        assert_int_equal(x->iss, 0x14d);
        assert_int_equal(x->iss2, 0);
        assert_int_equal(x->far, PAGE + 0x1234);
        assert_int_equal(x->el, want == STAGE2 ? 2 : 0);
    }
    /* Nothing of this makes a page dirty (D8.5.2, rule RKMHW). */
    mem_read(r->mem, TABLE + 16, &after, 8);
    assert_int_equal(after, before1);
    mem_read(r->mem, TABLE2 + 16, &after, 8);
    assert_int_equal(after, before2);
}

static void every_control_level_and_permission(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pa=40");
    for (unsigned k = 0; k < 1u << 12; k++) {
        struct world w = {.cmow1 = k & 1,
                          .cmow2 = k & 2,
                          .cmowx = k & 4,
                          .hxen = k & 8,
                          .host = k & 16,
                          .s2 = k & 32,
                          .ap1 = k & 64,
                          .ap2 = k & 128,
                          .clean = k & 256,
                          .read2 = k & 512,
                          .write2 = k & 1024,
                          .clean2 = k & 2048};
        for (w.el = 0; w.el < 4; w.el++) {
            if (w.el == 1 && w.host)
                continue; /* nobody is there */
            enter(r, &w);
            for (unsigned i = 0; i < ARRAY_LEN(instructions); i++)
                try(r, &w, instructions[i].id, instructions[i].kind);
        }
    }
    rig_free(r);
}

/* Overlays (FEAT_S1POE) that leave no permission to write count as well, and say so. */
static void an_overlay_that_takes_the_permission_away(void **state)
{
    (void)state;
    for (unsigned por = 0; por < 8; por++) {
        struct rig *r = rig_new("max,pa=40,el2=off,el3=off");
        struct arm_regs *s = &r->pe.s.regs;
        const struct world w = {.ap1 = true, .cmow1 = true};
        enter(r, &w);
        s->tcr2_el1 = tcr2_el1_E0POE;
        s->por_el0 = por;
        pe_refresh(&r->pe);
        for (unsigned i = 0; i < ARRAY_LEN(instructions); i++) {
            char kind = instructions[i].kind;
            bool needs_r = kind != 'i', needs_w = kind == 'i' || kind == 'f';
            if (kind == 'd')
                continue;
            bool ok = pe_sys(&r->pe, 0, instructions[i].id, PAGE), want = !(needs_r && !(por & 1)) && !(needs_w && !(por & 4));
            assert_int_equal(ok, want);
            if (!ok)
                assert_true(r->pe.exc.iss == 0x14d && r->pe.exc.iss2 == 0x40);
        }
        rig_free(r);
    }
}

/* PSTATE.PAN is for loads and stores, DC ZVA and its like (D8.4, RPMTWB): a page of EL0's may be maintained at EL1. */
static void maintenance_knows_no_pan(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pa=40,el3=off");
    const struct world w = {.el = 1, .ap1 = true, .cmow1 = true};
    enter(r, &w);
    r->pe.s.pstate |= PSTATE_PAN;
    pe_refresh(&r->pe);
    for (unsigned i = 0; i < ARRAY_LEN(instructions); i++)
        assert_true(pe_sys(&r->pe, 0, instructions[i].id, PAGE));
    assert_false(pe_sys(&r->pe, 0, SR_dc_zva, PAGE));
    rig_free(r);
}

/* Software that keeps the dirty state (indirect permissions, no hardware management) is asked by what needs the permission to
   write: only with hardware management is a clean page writable to them. Rule RKMHW; S1CheckPermissions, S2CheckPermissions. */
static void software_keeps_the_dirty_state(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 16; n++) {
        const struct world w = {
            .el = n & 1, .s2 = n & 2, .cmow1 = true, .cmowx = n & 2, .hxen = true, .ap1 = true, .ap2 = !(n & 2), .read2 = true};
        bool hardware = n & 4, clean = n & 8;
        struct rig *r = rig_new("max,pa=40");
        struct arm_regs *s = &r->pe.s.regs;
        enter(r, &w);
        s->scr_el3 |= scr_el3_PIEn | scr_el3_TCR2En;
        s->hcrx_el2 |= hcrx_el2_TCR2En;
        s->tcr2_el1 = tcr2_el1_PIE;
        s->pir_el1 = s->pire0_el1 = 0x5555555555555555; /* RW */
        s->vtcr_el2 |= vtcr_el2_S2PIE;
        s->s2pir_el2 = UINT64_MAX; /* RW, executable */
        uint64_t s1 = (w.s2 ? PAGE : RAM) | 0x741 | (!w.s2 && clean ? 1 << 7 : 0), s2 = RAM | 0x77d | (clean ? 0 : 1 << 7);
        map(r, TABLE, s1);
        map(r, TABLE2, s2);
        s->tcr_el1 &= ~(hardware ? 0 : UINT64_C(3) << 39);
        s->vtcr_el2 &= ~(hardware ? 0 : UINT64_C(3) << 21);
        pe_refresh(&r->pe);
        for (unsigned i = 0; i < ARRAY_LEN(instructions); i++) {
            char kind = instructions[i].kind;
            bool writes = kind == 'd' || ((kind == 'i' || kind == 'f') && (w.s2 || w.el == 0));
            if (kind == 'd' && w.el == 0)
                continue;
            bool ok = pe_sys(&r->pe, 0, instructions[i].id, PAGE);
            assert_int_equal(ok, !(writes && clean && !hardware));
            if (!ok) {
                assert_true(r->pe.exc.iss == 0x14d && r->pe.exc.iss2 == 0x20); /* DirtyBit */
                assert_int_equal(r->pe.exc.ipa_valid, w.s2);
            }
        }
        rig_free(r);
    }
}

/* Where IC IVAU is translated, it has the other faults, too. */
static void ic_ivau_that_is_translated_has_every_fault(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,pa=40,el3=off");
    const struct world w = {.ap1 = true, .cmow1 = true};
    for (unsigned cmow = 0; cmow < 2; cmow++) {
        enter(r, &w);
        r->pe.s.regs.tcr_el1 = 25 | UINT64_C(2) << 32;
        r->pe.s.regs.sctlr_el1 &= ~(cmow ? 0 : sctlr_el1_CMOW);
        map(r, TABLE, 0);
        assert_int_equal(pe_sys(&r->pe, 0, SR_ic_ivau, PAGE), !cmow);
        assert_true(!cmow || r->pe.exc.iss == 0x145); /* translation fault, level 1 */
        map(r, TABLE, RAM | 0x341);
        assert_int_equal(pe_sys(&r->pe, 0, SR_ic_ivau, PAGE), !cmow);
        assert_true(!cmow || r->pe.exc.iss == 0x149); /* access flag fault */
        rig_level(r, 1);
        pe_refresh(&r->pe);
        assert_true(pe_sys(&r->pe, 0, SR_ic_iallu, PAGE));
    }
    rig_free(r);
}

static void without_the_feature_its_bits_are_res0(void **state)
{
    (void)state;
    static const struct {
        unsigned id;
        uint64_t bit;
    } fields[] = {{SR_sctlr_el1, UINT64_C(1) << 32}, {SR_sctlr_el2, UINT64_C(1) << 32}, {SR_hcrx_el2, UINT64_C(1) << 9}};
    for (unsigned on = 0; on < 2; on++) {
        struct rig *r = rig_new(on ? "max" : "max,cmow=off");
        rig_level(r, 3);
        pe_refresh(&r->pe);
        for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
            sysreg_write(&r->pe.ctx, fields[i].id, UINT64_MAX);
            assert_int_equal((sysreg_read(&r->pe.ctx, fields[i].id) & fields[i].bit) != 0, on);
        }
        assert_int_equal(sysreg_read(&r->pe.ctx, SR_id_aa64mmfr1_el1) >> 56 & 15, on);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_control_level_and_permission),
        cmocka_unit_test(an_overlay_that_takes_the_permission_away),
        cmocka_unit_test(maintenance_knows_no_pan),
        cmocka_unit_test(software_keeps_the_dirty_state),
        cmocka_unit_test(ic_ivau_that_is_translated_has_every_fault),
        cmocka_unit_test(without_the_feature_its_bits_are_res0),
    };
    return cmocka_run_group_tests_name("arm_cmow", tests, NULL, NULL);
}
