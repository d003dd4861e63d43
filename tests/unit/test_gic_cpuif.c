/* The GIC's CPU interface in a PE (IHI 0069H, 4, 6 and 12): what it signals, acknowledges and ends, with the test as distributor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cpu/arm/arch.h"
#include "cpu/arm/gic_cpuif.h"
#include "csr/arm/masks.h"
#include "mem/gic.h"

#define SAID 16

struct rig {
    struct cpu_kind *kind;
    struct engine *engine;
    struct mem *mem;
    struct pe *p;
    struct cpu_env env;
    struct {
        unsigned what;
        uint64_t value;
    } said[SAID]; /* to the distributor, without GIC_ENABLES */
    unsigned saids;
    uint64_t enables;
};

static void controller(void *ctx, struct cpu *c, unsigned what, uint64_t value)
{
    struct rig *r = ctx;
    (void)c;
    if (what == GIC_ENABLES) {
        r->enables = value;
        return;
    }
    assert_true(r->saids < SAID);
    r->said[r->saids].what = what;
    r->said[r->saids++].value = value;
}

static struct rig *rig_new(const char *cpu)
{
    struct rig *r = calloc(1, sizeof *r);
    struct err e;
    r->kind = arm_arch.kind_new(&(struct cpu_choice){.text = cpu, .tick_cycles = 16, .tick_hz = 62500000}, &e);
    assert_non_null(r->kind);
    r->mem = mem_new();
    r->engine = calloc(1, sizeof *r->engine);
    engine_init(r->engine, r->mem, arm_arch.slot_shift);
    r->p = calloc(1, arm_arch.cpu_size);
    arm_arch.init(&r->p->cpu, r->engine, r->kind);
    r->env.controller = controller;
    r->p->cpu.env = &r->env;
    r->p->cpu.env_ctx = r;
    arm_arch.reset(&r->p->cpu, 0, 1);
    gic_signal(r->p, GIC_STATES, !r->kind->secure);
    return r;
}

static void rig_free(struct rig *r)
{
    engine_free(r->engine);
    mem_free(r->mem);
    free(r->engine);
    free(r->p);
    arm_arch.kind_free(r->kind);
    free(r);
}

/* As the level in pstate writes and reads it. */
static void put(struct rig *r, unsigned id, uint64_t v)
{
    r->p->ctx.el = r->p->el;
    sysreg_write(&r->p->ctx, id, v);
    gic_changed(r->p);
}

static uint64_t get(struct rig *r, unsigned id)
{
    r->p->ctx.el = r->p->el;
    return sysreg_read(&r->p->ctx, id);
}

static void set(struct rig *r, unsigned intid, uint8_t priority, enum gic_group g)
{
    gic_signal(r->p, GIC_SET, intid ? GIC_PENDING(intid, priority, g) : 0);
}

static uint64_t lines(const struct rig *r) { return r->p->s.lines; }

static void heard(struct rig *r, unsigned what, uint64_t value)
{
    assert_int_equal(r->saids, 1);
    assert_int_equal(r->said[0].what, what);
    assert_int_equal(r->said[0].value, value);
    r->saids = 0;
}

#define NS (UINT64_C(1) << 62)

/* Group 1 at EL1, everything let through. */
static struct rig *ready(void)
{
    struct rig *r = rig_new("max,el2=off,el3=off");
    put(r, SR_icc_pmr_el1, 0xff);
    put(r, SR_icc_igrpen1_el1, 1);
    assert_int_equal(r->enables, 1 << GIC_G1NS);
    return r;
}

static void group_enable_and_mask_decide_what_is_signalled(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el2=off,el3=off");
    set(r, 40, 0x80, GIC_G1NS);
    assert_int_equal(lines(r), 0);
    put(r, SR_icc_igrpen1_el1, 1);
    assert_int_equal(lines(r), 0); /* the mask is 0 after a reset: nothing is above it */
    put(r, SR_icc_pmr_el1, 0x80);
    assert_int_equal(lines(r), 0);
    put(r, SR_icc_pmr_el1, 0x88);
    assert_int_equal(lines(r), LINE_IRQ);
    put(r, SR_icc_igrpen1_el1, 0);
    assert_int_equal(lines(r), 0);
    assert_int_equal(r->enables, 0);
    set(r, 40, 0x80, GIC_G0);
    put(r, SR_icc_igrpen0_el1, 1);
    assert_int_equal(lines(r), LINE_FIQ);
    assert_int_equal(r->enables, 1 << GIC_G0);
    set(r, 0, 0, GIC_G0);
    assert_int_equal(lines(r), 0);
    rig_free(r);
}

static void an_interrupt_is_active_from_acknowledgement_to_end(void **state)
{
    (void)state;
    struct rig *r = ready();
    set(r, 40, 0xa0, GIC_G1NS);
    assert_int_equal(get(r, SR_icc_hppir1_el1), 40);
    assert_int_equal(get(r, SR_icc_hppir0_el1), GIC_NONE);
    assert_int_equal(get(r, SR_icc_iar0_el1), GIC_NONE);
    assert_int_equal(get(r, SR_icc_rpr_el1), 0xff);
    assert_int_equal(r->saids, 0);
    assert_int_equal(get(r, SR_icc_iar1_el1), 40);
    heard(r, GIC_ACTIVATE, 40);
    assert_int_equal(get(r, SR_icc_rpr_el1), 0xa0);
    set(r, 41, 0xa0, GIC_G1NS); /* does not preempt */
    assert_int_equal(lines(r), 0);
    assert_int_equal(get(r, SR_icc_iar1_el1), GIC_NONE);
    put(r, SR_icc_eoir1_el1, 40);
    heard(r, GIC_DEACTIVATE, 40 | NS);
    assert_int_equal(lines(r), LINE_IRQ);
    put(r, SR_icc_eoir1_el1, 40); /* nothing is active: nothing ends */
    assert_int_equal(r->saids, 0);
    put(r, SR_icc_eoir1_el1, 1021);
    assert_int_equal(r->saids, 0);
    rig_free(r);
}

static void the_binary_point_decides_what_preempts(void **state)
{
    (void)state;
    struct rig *r = ready();
    /* For Non-secure group 1, binary point n leaves bits 7:n of the priority. */
    for (unsigned bpr = 3; bpr < 8; bpr++) {
        put(r, SR_icc_bpr1_el1, bpr);
        assert_int_equal(get(r, SR_icc_bpr1_el1), bpr);
        for (unsigned other = 0; other < 0x100; other += 8) {
            set(r, 40, 0xa8, GIC_G1NS);
            assert_int_equal(get(r, SR_icc_iar1_el1), 40);
            set(r, 41, (uint8_t)other, GIC_G1NS);
            assert_int_equal(lines(r) != 0, other >> bpr < 0xa8u >> bpr);
            put(r, SR_icc_eoir1_el1, 40);
            r->saids = 0;
        }
    }
    put(r, SR_icc_ctlr_el1, 1); /* CBPR: that of group 0, which leaves one bit less */
    put(r, SR_icc_bpr0_el1, 6);
    set(r, 40, 0xa8, GIC_G1NS);
    get(r, SR_icc_iar1_el1);
    set(r, 41, 0x80, GIC_G1NS);
    assert_int_equal(lines(r), 0);
    set(r, 41, 0x78, GIC_G1NS);
    assert_int_equal(lines(r), LINE_IRQ);
    rig_free(r);
}

static void nested_interrupts_end_from_the_inside(void **state)
{
    (void)state;
    struct rig *r = ready();
    put(r, SR_icc_igrpen0_el1, 1);
    static const struct {
        unsigned intid;
        uint8_t priority;
        bool g1;
    } row[] = {{50, 0xc0, true}, {51, 0x90, false}, {52, 0x40, true}};
    for (unsigned i = 0; i < 3; i++) {
        set(r, row[i].intid, row[i].priority, row[i].g1 ? GIC_G1NS : GIC_G0);
        assert_int_equal(lines(r), row[i].g1 ? LINE_IRQ : LINE_FIQ);
        assert_int_equal(get(r, row[i].g1 ? SR_icc_iar1_el1 : SR_icc_iar0_el1), row[i].intid);
        assert_int_equal(get(r, SR_icc_rpr_el1), row[i].priority);
    }
    set(r, 0, 0, GIC_G0);
    r->saids = 0;
    put(r, SR_icc_eoir0_el1, 51); /* what is highest is of the other group */
    assert_int_equal(r->saids, 0);
    for (unsigned i = 3; i--;) {
        put(r, row[i].g1 ? SR_icc_eoir1_el1 : SR_icc_eoir0_el1, row[i].intid);
        heard(r, GIC_DEACTIVATE, row[i].intid | NS);
        assert_int_equal(get(r, SR_icc_rpr_el1), i ? row[i - 1].priority : 0xff);
    }
    rig_free(r);
}

static void with_eoimode_the_end_is_in_two_parts(void **state)
{
    (void)state;
    struct rig *r = ready();
    put(r, SR_icc_dir_el1, 40); /* not without EOImode */
    assert_int_equal(r->saids, 0);
    put(r, SR_icc_ctlr_el1, 2);
    set(r, 40, 0xa0, GIC_G1NS);
    get(r, SR_icc_iar1_el1);
    r->saids = 0;
    put(r, SR_icc_eoir1_el1, 40);
    assert_int_equal(r->saids, 0);
    assert_int_equal(get(r, SR_icc_rpr_el1), 0xff);
    put(r, SR_icc_dir_el1, 40);
    heard(r, GIC_DEACTIVATE, 40 | NS);
    rig_free(r);
}

static void sgis_are_passed_on_with_group_and_state(void **state)
{
    (void)state;
    struct rig *r = ready();
    put(r, SR_icc_sgi1r_el1, UINT64_C(0xff00000005000003));
    heard(r, GIC_SGI, UINT64_C(0x05000003) | (uint64_t)GIC_G1NS << 60 | NS);
    put(r, SR_icc_sgi0r_el1, 0x05000003);
    heard(r, GIC_SGI, UINT64_C(0x05000003) | (uint64_t)GIC_G0 << 60 | NS);
    put(r, SR_icc_asgi1r_el1, 0x05000003);
    heard(r, GIC_SGI, UINT64_C(0x05000003) | (uint64_t)GIC_G1S << 60 | NS);
    rig_free(r);
}

/* ---- two security states
 * ------------------------------------------------------------------------------------------------------------ */

static void go(struct rig *r, unsigned el, bool ns)
{
    struct pe *p = r->p;
    p->s.regs.scr_el3 = (p->s.regs.scr_el3 & ~UINT64_C(1)) | ns;
    p->s.pstate = (p->s.pstate & ~UINT64_C(12)) | el << 2;
    pe_refresh(p);
    gic_changed(p);
}

static void groups_are_irq_or_fiq_by_level_and_state(void **state)
{
    (void)state;
    static const struct {
        unsigned el;
        bool ns;
        uint64_t line[GIC_GROUPS];
    } row[] = {
        {3, false, {LINE_FIQ, LINE_FIQ, LINE_FIQ}}, {1, false, {LINE_FIQ, LINE_IRQ, LINE_FIQ}},
        {1, true, {LINE_FIQ, LINE_FIQ, LINE_IRQ}},  {2, true, {LINE_FIQ, LINE_FIQ, LINE_IRQ}},
        {0, true, {LINE_FIQ, LINE_FIQ, LINE_IRQ}},
    };
    struct rig *r = rig_new("max,el2=on,el3=on");
    put(r, SR_icc_pmr_el1, 0xff);
    put(r, SR_icc_igrpen0_el1, 1);
    put(r, SR_icc_igrpen1_el3, 3);
    assert_int_equal(r->enables, 7);
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        go(r, row[i].el, row[i].ns);
        for (unsigned g = 0; g < GIC_GROUPS; g++) {
            set(r, 40, 0x20, (enum gic_group)g);
            assert_int_equal(lines(r) & 3, row[i].line[g]);
        }
    }
    rig_free(r);
}

static void each_state_sees_what_is_its_own(void **state)
{
    (void)state;
    static const struct {
        unsigned el;
        bool ns;
        unsigned shown[GIC_GROUPS][2]; /* by HPPIR0, HPPIR1 */
    } row[] = {
        {3, false, {{40, GIC_NONE}, {GIC_SECURE_ONLY, 40}, {GIC_NS_ONLY, 40}}},
        {1, false, {{40, GIC_NONE}, {GIC_NONE, 40}, {GIC_NONE, GIC_NONE}}},
        {1, true, {{GIC_NONE, GIC_NONE}, {GIC_NONE, GIC_NONE}, {GIC_NONE, 40}}},
    };
    struct rig *r = rig_new("max,el2=on,el3=on");
    put(r, SR_icc_pmr_el1, 0xff);
    put(r, SR_icc_igrpen0_el1, 1);
    put(r, SR_icc_igrpen1_el3, 3);
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        go(r, row[i].el, row[i].ns);
        for (unsigned g = 0; g < GIC_GROUPS; g++) {
            set(r, 40, 0x20, (enum gic_group)g);
            assert_int_equal(get(r, SR_icc_hppir0_el1), row[i].shown[g][0]);
            assert_int_equal(get(r, SR_icc_hppir1_el1), row[i].shown[g][1]);
        }
    }
    rig_free(r);
}

/* ---- the virtual interface
 * ---------------------------------------------------------------------------------------------------------- */

#define LR(state, hw, group, priority, intid) \
    ((uint64_t)(state) << 62 | (uint64_t)(hw) << 61 | (uint64_t)(group) << 60 | (uint64_t)(priority) << 48 | (intid))

static struct rig *guest(void)
{
    struct rig *r = rig_new("max,el2=on,el3=off");
    go(r, 2, true);
    put(r, SR_ich_hcr_el2, 1);
    put(r, SR_ich_vmcr_el2, UINT64_C(0xf8) << 24 | UINT64_C(3) << 18 | UINT64_C(2) << 21 | 3);
    r->saids = 0;
    return r;
}

static void list_registers_are_signalled_by_priority_and_group(void **state)
{
    (void)state;
    struct rig *r = guest();
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0x80, 70));
    assert_int_equal(lines(r), LINE_VIRQ);
    put(r, SR_ich_lr_el2 + 1, LR(1, 0, 0, 0x40, 71));
    assert_int_equal(lines(r), LINE_VFIQ);
    assert_int_equal(get(r, SR_icv_hppir1_el1), GIC_NONE);
    assert_int_equal(get(r, SR_icv_hppir0_el1), 71);
    put(r, SR_ich_hcr_el2, 0); /* En: neither signalled nor acknowledged, but shown */
    assert_int_equal(lines(r), 0);
    assert_int_equal(get(r, SR_icv_hppir0_el1), 71);
    assert_int_equal(get(r, SR_icv_iar0_el1), GIC_NONE);
    put(r, SR_ich_hcr_el2, 1);
    assert_int_equal(get(r, SR_icv_iar1_el1), GIC_NONE);
    assert_int_equal(get(r, SR_icv_iar0_el1), 71);
    assert_int_equal(r->p->s.regs.ich_lr_el2[1], LR(2, 0, 0, 0x40, 71));
    assert_int_equal(get(r, SR_icv_rpr_el1), 0x40);
    assert_int_equal(lines(r), 0); /* 70 does not preempt */
    put(r, SR_icv_eoir0_el1, 71);
    assert_int_equal(r->p->s.regs.ich_lr_el2[1], LR(0, 0, 0, 0x40, 71));
    assert_int_equal(lines(r), LINE_VIRQ);
    assert_int_equal(get(r, SR_icv_iar1_el1), 70);
    put(r, SR_ich_hcr_el2, 0);
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0x10, 70));
    assert_int_equal(lines(r), 0);
    rig_free(r);
}

static void the_end_of_a_hardware_interrupt_deactivates_the_physical_one(void **state)
{
    (void)state;
    struct rig *r = guest();
    put(r, SR_ich_lr_el2, LR(1, 1, 1, 0x80, 70) | UINT64_C(27) << 32);
    assert_int_equal(get(r, SR_icv_iar1_el1), 70);
    assert_int_equal(r->saids, 0);
    put(r, SR_icv_eoir1_el1, 70);
    heard(r, GIC_DEACTIVATE, 27 | NS);
    assert_int_equal(r->p->s.regs.ich_lr_el2[0] >> 62, 0);
    rig_free(r);
}

static void ends_without_a_list_register_are_counted(void **state)
{
    (void)state;
    struct rig *r = guest();
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0x80, 70));
    get(r, SR_icv_iar1_el1);
    put(r, SR_ich_lr_el2, 0);
    put(r, SR_icv_eoir1_el1, 70);
    assert_int_equal(r->p->s.regs.ich_hcr_el2 >> 27, 1);
    put(r, SR_icv_eoir1_el1, 70); /* no priority is active any more */
    assert_int_equal(r->p->s.regs.ich_hcr_el2 >> 27, 1);
    rig_free(r);
}

static void an_end_out_of_order_drops_but_does_not_deactivate(void **state)
{
    (void)state;
    struct rig *r = guest();
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0x80, 70));
    get(r, SR_icv_iar1_el1);
    put(r, SR_ich_lr_el2 + 1, LR(1, 0, 1, 0x40, 71));
    assert_int_equal(get(r, SR_icv_iar1_el1), 71);
    put(r, SR_icv_eoir1_el1, 70);
    assert_int_equal(get(r, SR_icv_rpr_el1), 0x80);
    assert_int_equal(r->p->s.regs.ich_lr_el2[0], LR(2, 0, 1, 0x80, 70));
    rig_free(r);
}

static void maintenance_is_an_interrupt_of_the_pe(void **state)
{
    (void)state;
    struct rig *r = guest();
    put(r, SR_ich_hcr_el2, 1 | 1 << 3); /* NPIE: nothing pending */
    heard(r, GIC_PPI, 25 | UINT64_C(1) << 32);
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0x80, 70));
    heard(r, GIC_PPI, 25);
    put(r, SR_ich_hcr_el2, 1);
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0x80, 70) | UINT64_C(1) << 41); /* EOI */
    get(r, SR_icv_iar1_el1);
    assert_int_equal(r->saids, 0);
    put(r, SR_icv_eoir1_el1, 70);
    heard(r, GIC_PPI, 25 | UINT64_C(1) << 32);
    assert_int_equal(get(r, SR_ich_eisr_el2), 1);
    rig_free(r);
}

/* ---- non-maskable interrupts (FEAT_GICv3_NMI; 4.9, 12.2) */

#define RPR_NMI    (UINT64_C(1) << 63)
#define RPR_NMI_NS (UINT64_C(1) << 62)
#define AP_NMI     (UINT64_C(1) << 63)

static void set_nmi(struct rig *r, unsigned intid, uint8_t priority, enum gic_group g)
{
    gic_signal(r->p, GIC_SET, GIC_PENDING(intid, priority, g) | GIC_PENDING_NMI);
}

/* SCTLR_ELx.NMI: software knows of them. */
static void aware(struct rig *r, bool yes) { r->p->s.regs.sctlr_el1 = r->p->s.regs.sctlr_el2 = yes ? sctlr_el1_NMI : 0; }

static void non_maskable_interrupts_have_their_own_acknowledgement(void **state)
{
    (void)state;
    struct rig *r = ready();
    aware(r, true);
    put(r, SR_icc_pmr_el1, 0); /* masks every other */
    set(r, 41, 0, GIC_G1NS);
    assert_int_equal(lines(r), 0);
    set_nmi(r, 40, 0, GIC_G1NS);
    assert_int_equal(lines(r), LINE_IRQ | LINE_IRQ_SUPER);
    assert_int_equal(get(r, SR_icc_hppir1_el1), 40);
    assert_int_equal(get(r, SR_icc_iar1_el1), 1022);
    assert_int_equal(get(r, SR_icc_iar0_el1), GIC_NONE);
    assert_int_equal(r->saids, 0);
    assert_int_equal(get(r, SR_icc_nmiar1_el1), 40);
    heard(r, GIC_ACTIVATE, 40);
    assert_true(r->p->s.regs.icc_ap1r_el1[0][1] == AP_NMI);
    assert_true(get(r, SR_icc_rpr_el1) == RPR_NMI);
    set(r, 41, 0, GIC_G1NS); /* of the same priority, but maskable; and another: neither preempts */
    put(r, SR_icc_pmr_el1, 0xff);
    assert_int_equal(lines(r), 0);
    set_nmi(r, 42, 0, GIC_G1NS);
    assert_int_equal(lines(r), 0);
    put(r, SR_icc_eoir1_el1, 40);
    heard(r, GIC_DEACTIVATE, 40 | NS);
    assert_int_equal(get(r, SR_icc_rpr_el1), 0xff);
    set(r, 41, 0, GIC_G1NS);
    assert_int_equal(get(r, SR_icc_nmiar1_el1), GIC_NONE);
    assert_int_equal(get(r, SR_icc_iar1_el1), 41);
    heard(r, GIC_ACTIVATE, 41);
    set_nmi(r, 42, 0, GIC_G1NS); /* preempts what has the same priority */
    assert_int_equal(lines(r), LINE_IRQ | LINE_IRQ_SUPER);
    aware(r, false); /* as any other */
    assert_int_equal(get(r, SR_icc_iar1_el1), 42);
    heard(r, GIC_ACTIVATE, 42);
    put(r, SR_icc_eoir1_el1, 42); /* the inner one first */
    heard(r, GIC_DEACTIVATE, 42 | NS);
    assert_int_equal(get(r, SR_icc_rpr_el1), 0);
    rig_free(r);
}

/* With two security states a Non-secure one has priority 0x80 and is an FIQ in Secure state, without Superpriority. */
static void non_secure_ones_stay_below_the_secure_state(void **state)
{
    (void)state;
    struct rig *r = rig_new("max");
    put(r, SR_icc_igrpen1_el3, 3);
    put(r, SR_icc_igrpen0_el1, 1);
    set_nmi(r, 40, 0x80, GIC_G1NS);
    put(r, SR_icc_pmr_el1, 0x80);
    assert_int_equal(lines(r), 0); /* EL3 is Secure: a mask of 0x80 is above it */
    put(r, SR_icc_pmr_el1, 0x88);
    assert_int_equal(lines(r), LINE_FIQ);
    r->p->s.regs.scr_el3 |= scr_el3_NS;
    pe_set_pstate(r->p, PSTATE_SP | 1u << PSTATE_EL_SHIFT);
    gic_changed(r->p);
    assert_int_equal(lines(r), LINE_IRQ | LINE_IRQ_SUPER);
    r->p->s.regs.icc_pmr_el1 = 0x80;
    gic_changed(r->p);
    assert_int_equal(lines(r), LINE_IRQ | LINE_IRQ_SUPER);
    r->p->s.regs.icc_pmr_el1 = 0x78;
    gic_changed(r->p);
    assert_int_equal(lines(r), 0);
    r->p->s.regs.icc_pmr_el1 = 0xf8;
    gic_changed(r->p);
    r->p->s.regs.scr_el3 |= scr_el3_FIQ;
    assert_int_equal(get(r, SR_icc_nmiar1_el1), 40);
    assert_true(get(r, SR_icc_rpr_el1) == RPR_NMI); /* 0x80 as the Non-secure side sees it */
    pe_set_pstate(r->p, PSTATE_SP | 3u << PSTATE_EL_SHIFT);
    assert_true(get(r, SR_icc_rpr_el1) == (RPR_NMI_NS | 0x80));
    set(r, 30, 0x40, GIC_G0); /* preempts it */
    assert_int_equal(get(r, SR_icc_iar0_el1), 30);
    assert_true(get(r, SR_icc_rpr_el1) == (RPR_NMI_NS | 0x40));
    set_nmi(r, 31, 0, GIC_G1S);
    assert_int_equal(get(r, SR_icc_nmiar1_el1), 31);
    assert_true(get(r, SR_icc_rpr_el1) == (RPR_NMI | RPR_NMI_NS));
    put(r, SR_icc_eoir1_el1, 31);
    assert_true(get(r, SR_icc_rpr_el1) == (RPR_NMI_NS | 0x40));
    rig_free(r);
}

static void a_pe_without_them_sees_a_maskable_one(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,el2=off,el3=off,nmi=off");
    put(r, SR_icc_igrpen1_el1, 1);
    put(r, SR_icc_pmr_el1, 0xf8);
    set_nmi(r, 40, 0x10, GIC_G1NS);
    assert_int_equal(lines(r), LINE_IRQ);
    assert_int_equal(get(r, SR_icc_iar1_el1), 40);
    assert_int_equal(get(r, SR_icc_rpr_el1), 0x10);
    rig_free(r);
}

static void list_registers_have_non_maskable_interrupts(void **state)
{
    const uint64_t nmi = UINT64_C(1) << 59;
    (void)state;
    struct rig *r = guest();
    aware(r, true);
    put(r, SR_ich_lr_el2, LR(1, 0, 1, 0, 70));
    put(r, SR_ich_lr_el2 + 1, LR(1, 0, 1, 0xf8, 71) | nmi); /* its priority counts as 0, before others */
    put(r, SR_ich_vmcr_el2, r->p->s.regs.ich_vmcr_el2 & ~(UINT64_C(0xff) << 24));
    assert_int_equal(lines(r), LINE_VIRQ | LINE_VIRQ_SUPER);
    assert_int_equal(get(r, SR_icv_hppir1_el1), 71);
    assert_int_equal(get(r, SR_icv_iar1_el1), 1022);
    assert_int_equal(get(r, SR_icv_nmiar1_el1), 71);
    assert_true(r->p->s.regs.ich_ap1r_el2[0] == AP_NMI);
    assert_true(get(r, SR_icv_rpr_el1) == RPR_NMI);
    assert_true(r->p->s.regs.ich_lr_el2[1] == (LR(2, 0, 1, 0xf8, 71) | nmi));
    assert_int_equal(get(r, SR_icv_nmiar1_el1), GIC_NONE);
    put(r, SR_icv_eoir1_el1, 71);
    assert_int_equal(r->p->s.regs.ich_lr_el2[1] >> 62, 0);
    assert_int_equal(get(r, SR_icv_rpr_el1), 0xff);
    put(r, SR_ich_lr_el2, LR(1, 0, 0, 0xf8, 70) | nmi); /* of group 0 none is */
    assert_int_equal(lines(r), 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_enable_and_mask_decide_what_is_signalled),
        cmocka_unit_test(an_interrupt_is_active_from_acknowledgement_to_end),
        cmocka_unit_test(the_binary_point_decides_what_preempts),
        cmocka_unit_test(nested_interrupts_end_from_the_inside),
        cmocka_unit_test(with_eoimode_the_end_is_in_two_parts),
        cmocka_unit_test(sgis_are_passed_on_with_group_and_state),
        cmocka_unit_test(groups_are_irq_or_fiq_by_level_and_state),
        cmocka_unit_test(each_state_sees_what_is_its_own),
        cmocka_unit_test(list_registers_are_signalled_by_priority_and_group),
        cmocka_unit_test(the_end_of_a_hardware_interrupt_deactivates_the_physical_one),
        cmocka_unit_test(ends_without_a_list_register_are_counted),
        cmocka_unit_test(an_end_out_of_order_drops_but_does_not_deactivate),
        cmocka_unit_test(maintenance_is_an_interrupt_of_the_pe),
        cmocka_unit_test(non_maskable_interrupts_have_their_own_acknowledgement),
        cmocka_unit_test(non_secure_ones_stay_below_the_secure_state),
        cmocka_unit_test(a_pe_without_them_sees_a_maskable_one),
        cmocka_unit_test(list_registers_have_non_maskable_interrupts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
