/* FEAT_NMI: which interrupts PSTATE.ALLINT, SCTLR_ELx.NMI and SPINTMASK and Superpriority mask, at every level with every
   routing, by the tables of the Arm ARM D1.4.6.4; what exceptions and MSR make of PSTATE.ALLINT (D1.4.2, C5.2.1). */
#include "pe_rig.h"
#include "csr/arm/masks.h"

enum { CODE = 0x40000000, VECTORS = 0x40030000 };

static struct rig *rig_new(const char *cpu)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    rig_vectors(r, VECTORS);
    r->pe.s.regs.vbar_el1 = r->pe.s.regs.vbar_el2 = r->pe.s.regs.vbar_el3 = VECTORS;
    return r;
}

/* A combination of everything that matters. */
struct given {
    unsigned el, target;
    bool to3, to2, tge, e2h; /* SCR_EL3.IRQ, HCR_EL2.IMO, TGE, E2H */
    bool i, allint, sp, nmi, spintmask, superior;
};

static struct given nth(unsigned n)
{
    struct given g = {.el = n & 3};
    bool *const bits[] = {&g.to3, &g.to2, &g.tge, &g.e2h, &g.i, &g.allint, &g.sp, &g.nmi, &g.spintmask, &g.superior};
    for (unsigned k = 0; k < ARRAY_LEN(bits); k++)
        *bits[k] = n >> (2 + k) & 1;
    g.target = g.to3 || g.el == 3 ? 3 : g.el == 2 || g.tge || g.to2 ? 2 : 1;
    return g;
}

/* PSTATE.{I, F} against SCTLR_ELx.NMI, AllIntMask and Superpriority: the four rows of RMHWBP and RGFXKY. */
static bool row_masks(const struct given *g, bool all)
{
    if (!g->nmi)
        return g->i;
    return all || (g->i && !g->superior);
}

static bool physical_is_masked(const struct given *g)
{
    if (g->el == 3 && !g->to3)
        return true; /* routed below */
    if (g->el == 2 && !g->to3 && !g->tge && !g->to2)
        return true;
    if (g->target == g->el)
        return row_masks(g, g->allint || (g->sp && g->spintmask));
    if (g->target == 3 || (g->target == 2 && !(g->tge && g->e2h)))
        return false;
    return row_masks(g, false); /* AllIntMask does not concern higher levels */
}

static void set_up(struct rig *r, const struct given *g)
{
    struct arm_regs *s = &r->pe.s.regs;
    uint64_t sctlr = (g->nmi ? sctlr_el1_NMI : 0) | (g->spintmask ? sctlr_el1_SPINTMASK : 0);
    s->scr_el3 = scr_el3_NS | scr_el3_RW | scr_el3_HXEn | (g->to3 ? scr_el3_IRQ | scr_el3_FIQ : 0);
    s->hcr_el2 = hcr_el2_RW | (g->to2 ? hcr_el2_IMO | hcr_el2_FMO : 0) | (g->tge ? hcr_el2_TGE : 0) | (g->e2h ? hcr_el2_E2H : 0);
    s->sctlr_el1 = s->sctlr_el2 = s->sctlr_el3 = 0;
    *(g->el == 3 ? &s->sctlr_el3 : g->el == 2 || (g->tge && g->e2h) ? &s->sctlr_el2 : &s->sctlr_el1) = sctlr;
    r->pe.s.pstate = (uint64_t)g->el << PSTATE_EL_SHIFT | (g->i ? PSTATE_I | PSTATE_F : 0) | (g->allint ? PSTATE_ALLINT : 0) |
                     (g->sp && g->el ? PSTATE_SP : 0);
}

static void physical_interrupts_are_masked_as_the_tables_say(void **state)
{
    struct rig *r = rig_new("max");
    struct arm_exception e;
    (void)state;
    for (unsigned n = 0; n < 1u << 12; n++) {
        struct given g = nth(n);
        if ((g.el == 0 && g.sp) || (g.el == 1 && g.tge))
            continue;
        set_up(r, &g);
        r->pe.s.lines = LINE_IRQ | (g.superior ? LINE_IRQ_SUPER : 0);
        pe_refresh(&r->pe);
        if (pe_pending(&r->pe, &e) == physical_is_masked(&g) || (!physical_is_masked(&g) && e.el != g.target))
            fail_msg("case %#x: EL%u, target EL%u", n, g.el, g.target);
    }
    rig_free(r);
}

/* HCR_EL2.VI with HCRX_EL2.VINMI, VF with VFNMI, or the list registers: at EL0 and EL1 only. */
static void virtual_interrupts_are_masked_as_the_tables_say(void **state)
{
    struct rig *r = rig_new("max");
    struct arm_exception e;
    (void)state;
    for (unsigned n = 0; n < 1u << 12; n++) {
        struct given g = nth(n);
        if (g.el > 1 || (g.el == 0 && g.sp) || g.tge || !g.to2 || g.to3 || g.e2h)
            continue;
        bool masked = row_masks(&g, g.el && (g.allint || (g.sp && g.spintmask)));
        for (unsigned how = 0; how < 4; how++) {
            set_up(r, &g);
            struct arm_regs *s = &r->pe.s.regs;
            s->hcrx_el2 = (g.superior && how != 3) ? hcrx_el2_VINMI | hcrx_el2_VFNMI : 0;
            s->hcr_el2 |= how == 0 ? hcr_el2_VI : how == 1 ? hcr_el2_VF : 0;
            r->pe.s.lines = how < 2 ? 0 : LINE_VIRQ | (how == 3 && g.superior ? LINE_VIRQ_SUPER : 0);
            pe_refresh(&r->pe);
            /* VINMI says nothing of a virtual interrupt of the list registers. */
            bool want = how != 2 ? !masked : !g.i && !(g.nmi && masked);
            if (pe_pending(&r->pe, &e) != want || (want && (!e.virtual || e.el != 1)))
                fail_msg("case %#x, way %u", n, how);
        }
    }
    rig_free(r);
}

static void run(struct rig *r, unsigned n)
{
    mem_write(r->mem, CODE, r->code, 4 * r->g.n);
    r->pe.s.pc = CODE;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + n);
}

#define MSR_ALLINT(imm) (0xd501401fu | (imm) << 8)

static void exceptions_set_allint_by_spintmask_and_returns_restore_it(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        bool before = n & 1, spintmask = n & 2;
        struct rig *r = rig_new("max,el3=off,el2=off");
        a64_put(&r->g, 0xd4000001); /* svc #0 */
        rig_level(r, 1);
        r->pe.s.regs.sctlr_el1 = spintmask ? sctlr_el1_SPINTMASK : 0;
        r->pe.s.pstate |= before ? PSTATE_ALLINT : 0;
        run(r, 1);
        assert_int_equal((r->pe.s.pstate & PSTATE_ALLINT) != 0, !spintmask);
        assert_int_equal((r->pe.s.regs.spsr_el1 & PSTATE_ALLINT) != 0, before);
        pe_eret(&r->pe, CODE + 4);
        assert_int_equal((r->pe.s.pstate & PSTATE_ALLINT) != 0, before);
        rig_free(r);
    }
    struct rig *r = rig_new("max,el3=off,el2=off,nmi=off");
    a64_put(&r->g, 0xd4000001);
    rig_level(r, 1);
    run(r, 1);
    assert_int_equal(r->pe.s.pstate & PSTATE_ALLINT, 0);
    rig_free(r);
}

/* The immediate is 0 or 1; HCRX_EL2.TALLINT traps what could mask, at EL1 (C6.2 "MSR (immediate)", C5.2.1). */
static void msr_sets_allint_unless_el2_wants_to_know(void **state)
{
    static const struct {
        uint32_t insn;
        bool trap, ec, before, after; /* ec: an exception anyway, UNDEFINED */
    } row[] = {{MSR_ALLINT(1), false, false, false, true}, {MSR_ALLINT(0), false, false, true, false},
               {MSR_ALLINT(1), true, true, false, true},   {MSR_ALLINT(0), true, false, true, false},
               {MSR_ALLINT(4), false, true, false, false}, {MSR_ALLINT(9), false, true, false, false}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off");
        a64_put(&r->g, row[i].insn);
        rig_level(r, 1);
        r->pe.s.pstate |= row[i].before ? PSTATE_ALLINT : 0;
        r->pe.s.regs.sctlr_el1 = r->pe.s.regs.sctlr_el2 = sctlr_el1_SPINTMASK;
        r->pe.s.regs.hcrx_el2 = row[i].trap ? hcrx_el2_TALLINT : 0;
        run(r, 1);
        if (row[i].trap && row[i].ec) {
            assert_int_equal(r->pe.el, 2);
            assert_int_equal(r->pe.s.regs.esr_el2 >> 26, 0x18);
            assert_int_equal(r->pe.s.regs.esr_el2 & 0x1ffffff, 1u << 14 | 4u << 10 | 31u << 5 | 1u << 1);
        } else {
            assert_int_equal(r->pe.el, 1);
            assert_int_equal(r->pe.s.pc == CODE + 4, !row[i].ec);
            assert_int_equal((r->pe.s.pstate & PSTATE_ALLINT) != 0, row[i].after);
        }
        rig_free(r);
    }
}

/* An interrupt that ALLINT held back comes with the instruction that clears it; also by way of SPSel. */
static void unmasking_takes_the_interrupt_at_once(void **state)
{
    static const uint32_t unmask[] = {MSR_ALLINT(0), 0xd51b4220 /* nzcv: nothing */, 0xd50040bf /* msr spsel, #0 */};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(unmask); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off");
        a64_put(&r->g, unmask[i]);
        a64_put(&r->g, 0xd503201f);
        a64_put(&r->g, 0xd503201f);
        r->pe.s.pstate = PSTATE_SP | 1u << PSTATE_EL_SHIFT | PSTATE_I | (i < 2 ? PSTATE_ALLINT : 0);
        r->pe.s.regs.sctlr_el1 = sctlr_el1_NMI | (i == 2 ? sctlr_el1_SPINTMASK : 0);
        r->pe.s.lines = LINE_IRQ | LINE_IRQ_SUPER;
        run(r, 3);
        assert_int_equal(r->pe.s.regs.elr_el1, i == 1 ? 0 : CODE + 4);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(physical_interrupts_are_masked_as_the_tables_say),
        cmocka_unit_test(virtual_interrupts_are_masked_as_the_tables_say),
        cmocka_unit_test(exceptions_set_allint_by_spintmask_and_returns_restore_it),
        cmocka_unit_test(msr_sets_allint_unless_el2_wants_to_know),
        cmocka_unit_test(unmasking_takes_the_interrupt_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
