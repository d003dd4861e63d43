/* FEAT_TWED: traps of WFE and WFET that wait (Arm ARM D1.7.1.3, Hint_WFE, WFETrapDelay): how long by which register, and what ends
   the waiting before. */
#include "pe_rig.h"
#include "csr/arm/masks.h"

enum { CODE = 0x40000000, VECTORS = 0x40030000, WFI = 0xd503207f, WFE = 0xd503205f, WFET = 0xd5031005 /* x5 */ };
#define ISS_WFE  (0x1eu << 20 | 1)
#define ISS_WFET (0x1eu << 20 | 3 | 4 | 5 << 5)

/* The level, what traps there, where, and where the delay is. */
static const struct control {
    const char *name;
    unsigned el, to;
    uint64_t hcr, scr, sctlr; /* what makes it trap; sctlr: nTWE is left out */
    unsigned at; /* 1, 2: SCTLR_EL1, SCTLR_EL2; 3: HCR_EL2; 4: SCR_EL3 */
} controls[] = {
    {"SCTLR_EL1.nTWE", 0, 1, 0, 0, 1, 1},
    {"SCTLR_EL1.nTWE under TGE", 0, 2, hcr_el2_TGE, 0, 1, 1},
    {"SCTLR_EL2.nTWE of a host", 0, 2, hcr_el2_TGE | hcr_el2_E2H, 0, 1, 2},
    {"HCR_EL2.TWE at EL0", 0, 2, hcr_el2_TWE, 0, 0, 3},
    {"HCR_EL2.TWE at EL1", 1, 2, hcr_el2_TWE, 0, 0, 3},
    {"SCR_EL3.TWE at EL0", 0, 3, 0, scr_el3_TWE, 0, 4},
    {"SCR_EL3.TWE at EL2", 2, 3, 0, scr_el3_TWE, 0, 4},
    {"SCTLR_EL1.nTWE before the others", 0, 1, hcr_el2_TWE, scr_el3_TWE, 1, 1},
    {"HCR_EL2.TWE before SCR_EL3.TWE", 1, 2, hcr_el2_TWE, scr_el3_TWE, 0, 3},
};

/* n: TWEDEL; the delays of the other registers are others. */
static struct rig *waiting(const struct control *c, uint32_t insn, bool enabled, unsigned n)
{
    struct rig *r = rig_base("max");
    rig_pe(r);
    rig_vectors(r, VECTORS);
    struct arm_regs *s = &r->pe.s.regs;
    s->vbar_el1 = s->vbar_el2 = s->vbar_el3 = VECTORS;
    unsigned other = (n + 3) & 15;
    bool at[5] = {0};
    at[c->at] = true;
#define WORD(k, en, del) ((uint64_t)(at[k] ? enabled : 1) << (en) | (uint64_t)(at[k] ? n : other) << (del))
    uint64_t no_trap = c->sctlr ? 0 : sctlr_el1_nTWE;
    s->sctlr_el1 = no_trap | WORD(1, 45, 46);
    s->sctlr_el2 = no_trap | WORD(2, 45, 46);
    s->hcr_el2 = c->hcr | hcr_el2_RW | WORD(3, 59, 60);
    s->scr_el3 = c->scr | scr_el3_NS | scr_el3_RW | WORD(4, 29, 30);
    r->code[0] = insn;
    r->code[1] = 0xd503201f;
    mem_write(r->mem, CODE, r->code, 8);
    rig_level(r, c->el);
    r->pe.s.pc = CODE;
    r->pe.s.x[5] = UINT64_MAX - 1;
    pe_refresh(&r->pe);
    return r;
}

/* Time goes by for a PE that waits. */
static void sleep_until(struct rig *r, uint64_t cycle)
{
    while (r->pe.s.cycle < cycle) {
        if (pe_run(&r->pe, cycle) == CPU_STOP_WAIT) {
            uint64_t to = r->pe.deadline < cycle ? r->pe.deadline : cycle;
            r->pe.s.idle += to - r->pe.s.cycle;
            r->pe.s.cycle = to;
        }
    }
}

static void trapped(struct rig *r, const struct control *c, uint32_t iss)
{
    const struct arm_regs *s = &r->pe.s.regs;
    uint64_t esr = c->to == 1 ? s->esr_el1 : c->to == 2 ? s->esr_el2 : s->esr_el3,
             elr = c->to == 1 ? s->elr_el1 : c->to == 2 ? s->elr_el2 : s->elr_el3;
    if (r->pe.el != c->to || esr != (UINT64_C(1) << 26 | 1u << 25 | iss) || elr != CODE)
        fail_msg("%s: EL%u, ESR %#llx, ELR %#llx", c->name, r->pe.el, (unsigned long long)esr, (unsigned long long)elr);
    assert_int_equal(r->pe.s.waiting, 0);
    assert_int_equal(r->pe.s.trap_at, 0);
}

static void the_trap_comes_after_the_delay_of_its_own_control(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(controls); i++) {
        for (unsigned n = 0; n < 16; n++) {
            for (unsigned wfet = 0; wfet < 2; wfet++) {
                const struct control *c = &controls[i];
                struct rig *r = waiting(c, wfet ? WFET : WFE, true, n);
                uint64_t due = r->pe.s.cycle + (UINT64_C(256) << n);
                sleep_until(r, due);
                if (r->pe.el != c->el)
                    fail_msg("%s, TWEDEL %u: too early", c->name, n);
                sleep_until(r, due + 1);
                trapped(r, c, wfet ? ISS_WFET : ISS_WFE);
                rig_free(r);
            }
        }
        struct rig *r = waiting(&controls[i], WFE, false, 2); /* TWEDEn is 0 */
        pe_run(&r->pe, r->pe.s.cycle + 1);
        trapped(r, &controls[i], ISS_WFE);
        rig_free(r);
    }
}

/* An event, an interrupt that is not masked, the end of the time of WFET: the instruction is complete. */
static void what_wakes_ends_it_without_a_trap(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        struct rig *r = waiting(&controls[4], how == 2 ? WFET : WFE, true, 3);
        uint64_t from = r->pe.s.cycle;
        if (how == 1)
            r->pe.s.pstate &= ~(uint64_t)PSTATE_I;
        r->pe.s.x[5] = (from + 1600) / 16;
        pe_refresh(&r->pe);
        sleep_until(r, from + 1000);
        assert_int_equal(r->pe.s.waiting, WAITING_WFE);
        if (how == 0)
            pe_event(&r->pe);
        if (how == 1 || how == 3)
            pe_line(&r->pe, 0, true);
        sleep_until(r, how == 2 ? from + 1602 : from + 1001);
        if (how == 3) { /* masked: it wakes nobody */
            assert_int_equal(r->pe.s.waiting, WAITING_WFE);
        } else if (how == 1) {
            assert_int_equal(r->pe.s.regs.elr_el1, CODE + 4);
            assert_int_equal(r->pe.s.waiting, 0);
        } else {
            assert_int_equal(r->pe.el, 1);
            assert_true(r->pe.s.pc >= CODE + 4 && r->pe.s.pc <= CODE + 8);
            assert_int_equal(r->pe.s.event, 0);
            assert_int_equal(r->pe.s.trap_at, 0);
        }
        rig_free(r);
    }
}

/* An event that is there already, and WFI. */
static void what_need_not_wait_does_not(void **state)
{
    (void)state;
    struct rig *r = waiting(&controls[4], WFE, true, 3);
    r->pe.s.event = 1;
    pe_run(&r->pe, r->pe.s.cycle + 1);
    assert_int_equal(r->pe.s.pc, CODE + 4);
    assert_int_equal(r->pe.s.waiting, 0);
    rig_free(r);
    r = waiting(&controls[4], WFI, true, 3);
    r->pe.s.regs.hcr_el2 |= hcr_el2_TWI;
    pe_run(&r->pe, r->pe.s.cycle + 1);
    trapped(r, &controls[4], 0x1eu << 20);
    rig_free(r);
}

/* A stepped WFE that traps in the end is one that was not executed: SPSR_ELx.SS is 1. */
static void a_stepped_one_is_as_if_not_executed(void **state)
{
    (void)state;
    struct rig *r = waiting(&controls[0], WFE, true, 0);
    struct arm_regs *s = &r->pe.s.regs;
    s->mdscr_el1 = 1;
    s->oslsr_el1 = 8;
    r->pe.s.pstate |= PSTATE_SS;
    r->pe.s.pstate &= ~(uint64_t)PSTATE_D;
    pe_refresh(&r->pe);
    sleep_until(r, r->pe.s.cycle + 257);
    trapped(r, &controls[0], ISS_WFE);
    assert_true(s->spsr_el1 & PSTATE_SS);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trap_comes_after_the_delay_of_its_own_control),
        cmocka_unit_test(what_wakes_ends_it_without_a_trap),
        cmocka_unit_test(what_need_not_wait_does_not),
        cmocka_unit_test(a_stepped_one_is_as_if_not_executed),
    };
    return cmocka_run_group_tests_name("arm_twed", tests, NULL, NULL);
}
