/*
 * FEAT_Debugv8p9: up to 64 breakpoints and watchpoints. Which of them can match a context, which are enabled (MDSCR_EL1.EMBWE,
 * MDCR_EL2.EBWE, MDCR_EL3.EBWE), and which a breakpoint or a watchpoint links to (LBNX). Arm ARM D2.8, D2.9, D24.3.
 */
#include "pe_rig.h"
#include "cpu/arm/debug.h"
#include "csr/arm/masks.h"

enum { CODE = 0x40000000, DATA = 0x40001000, CONTEXT = 77 };
#define MDE       (UINT64_C(1) << 15)
#define EL1_ONLY  (UINT64_C(1) << 1) /* PMC, PAC */
#define MATCH_CID (UINT64_C(3) << 20)
#define LINKED    (UINT64_C(1) << 20) /* of a breakpoint's BT; a watchpoint's WT */

/* At EL1, debug exceptions on, every enable of the second kind set. */
static struct rig *rig_new(const char *cpu)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    struct arm_regs *s = &r->pe.s.regs;
    uint32_t nop = 0xd503201f;
    mem_write(r->mem, CODE, &nop, 4);
    s->oslsr_el1 = 8;
    s->scr_el3 |= scr_el3_NS;
    s->mdscr_el1 = mdscr_el1_KDE | MDE | mdscr_el1_EMBWE;
    s->mdcr_el2 |= mdcr_el2_EBWE;
    s->mdcr_el3 |= mdcr_el3_EBWE;
    s->contextidr_el1 = CONTEXT;
    pe_set_pstate(&r->pe, 1u << PSTATE_EL_SHIFT | PSTATE_SP);
    r->pe.s.pc = CODE;
    return r;
}

static bool breaks(struct rig *r)
{
    bool is = debug_step_due(&r->pe) || debug_breakpoint_due(&r->pe);
    if (is)
        assert_int_equal(r->pe.exc.ec, EC_BREAKPOINT_LOWER);
    assert_int_equal(is, debug_steps(&r->pe) && is); /* it is asked at all */
    return is;
}

static bool watches(struct rig *r)
{
    const struct access_mode m = {.el = 1, .regime = 1};
    bool is = debug_watchpoint(&r->pe, DATA, 8, ACCESS_LOAD, &m);
    if (is)
        assert_int_equal(r->pe.exc.ec, EC_WATCHPOINT_LOWER);
    assert_int_equal(is, debug_watches(&r->pe) && is);
    return is;
}

static uint64_t link_to(unsigned n) { return (uint64_t)(n & 15) << 16 | (uint64_t)(n >> 4) << 30; }

/* The enables, as bits: EMBWE, EL2's, EL3's. */
static void enable(struct rig *r, unsigned k)
{
    struct arm_regs *s = &r->pe.s.regs;
    s->mdscr_el1 = (s->mdscr_el1 & ~mdscr_el1_EMBWE) | (k & 1 ? mdscr_el1_EMBWE : 0);
    s->mdcr_el2 = (s->mdcr_el2 & ~mdcr_el2_EBWE) | (k & 2 ? mdcr_el2_EBWE : 0);
    s->mdcr_el3 = (s->mdcr_el3 & ~mdcr_el3_EBWE) | (k & 4 ? mdcr_el3_EBWE : 0);
}

static void each_breakpoint_and_watchpoint_with_each_enable(void **state)
{
    static const struct {
        const char *cpu;
        unsigned asked; /* the enables that are there */
    } row[] = {{"max,breakpoints=64,watchpoints=64", 7},
               {"max,breakpoints=64,watchpoints=64,el3=off", 3},
               {"max,breakpoints=64,watchpoints=64,el2=off", 5},
               {"max,breakpoints=64,watchpoints=64,el2=off,el3=off", 1}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new(row[i].cpu);
        struct arm_regs *s = &r->pe.s.regs;
        for (unsigned n = 0; n < 64; n++) {
            for (unsigned k = 0; k < 8; k++) {
                bool on = n < 16 || (k & row[i].asked) == row[i].asked;
                enable(r, k);
                s->dbgbvr_el1[n] = CODE;
                s->dbgbcr_el1[n] = 1 | EL1_ONLY;
                assert_int_equal(breaks(r), on);
                s->dbgbcr_el1[n] = 0;
                s->dbgwvr_el1[n] = DATA;
                s->dbgwcr_el1[n] = 1 | EL1_ONLY | 3 << 3 | 0xff << 5;
                assert_int_equal(watches(r), on);
                s->dbgwcr_el1[n] = 0;
            }
        }
        rig_free(r);
    }
}

/* Where EL2 is not enabled, MDCR_EL2.EBWE says nothing. */
static void el2_that_is_not_enabled_is_not_asked(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,breakpoints=64,watchpoints=64");
    struct arm_regs *s = &r->pe.s.regs;
    s->dbgbvr_el1[40] = CODE;
    s->dbgbcr_el1[40] = 1 | EL1_ONLY | 2 << 14; /* SSC: Secure */
    s->scr_el3 &= ~scr_el3_NS;
    pe_refresh(&r->pe);
    enable(r, 5);
    assert_true(breaks(r));
    enable(r, 1);
    assert_false(breaks(r));
    rig_free(r);
}

static void each_breakpoint_as_a_context_that_is_linked_to(void **state)
{
    static const struct {
        const char *cpu;
        unsigned count, first, last; /* breakpoints; those that can match a context (ContextAwareBreakpointRange) */
    } row[] = {{"max,breakpoints=64,ctxcmps=64,watchpoints=64", 64, 0, 63},
               {"max,breakpoints=40,ctxcmps=20,watchpoints=20", 40, 0, 19},
               {"max,breakpoints=40,ctxcmps=17", 40, 0, 16},
               {"max,breakpoints=40,ctxcmps=16", 40, 0, 15},
               {"max,breakpoints=40,ctxcmps=3", 40, 13, 15},
               {"max,breakpoints=16,ctxcmps=3", 16, 13, 15},
               {"max,breakpoints=10,ctxcmps=4", 10, 6, 9}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new(row[i].cpu);
        struct arm_regs *s = &r->pe.s.regs;
        for (unsigned n = 0; n < 64; n++) {
            unsigned from = n ? 0 : 1; /* an address breakpoint, and a watchpoint, that link to breakpoint n */
            bool aware = n >= row[i].first && n <= row[i].last;
            for (unsigned k = 0; k < 3; k++) { /* the context; another one; not enabled */
                memset(s->dbgbcr_el1, 0, sizeof s->dbgbcr_el1);
                enable(r, k == 2 ? 3 : 7);
                s->contextidr_el1 = k == 1 ? CONTEXT + 1 : CONTEXT;
                s->dbgbvr_el1[n] = CONTEXT;
                s->dbgbcr_el1[n] = 1 | EL1_ONLY | MATCH_CID;
                s->dbgbvr_el1[from] = CODE;
                s->dbgbcr_el1[from] = 1 | EL1_ONLY | LINKED | link_to(n);
                s->dbgwvr_el1[0] = DATA;
                s->dbgwcr_el1[0] = 1 | EL1_ONLY | 3 << 3 | 0xff << 5 | LINKED | link_to(n);
                bool match = aware && k != 1 && (k == 0 || n < 16);
                if (breaks(r) != match || watches(r) != match)
                    fail_msg("%s: breakpoint %u, case %u", row[i].cpu, n, k);
            }
            s->contextidr_el1 = CONTEXT;
            enable(r, 7);
            memset(s->dbgbcr_el1, 0, sizeof s->dbgbcr_el1);
            s->dbgbcr_el1[n] = 1 | EL1_ONLY | 2 << 20; /* by itself, not linked */
            if (breaks(r) != (n < row[i].count && aware))
                fail_msg("%s: context breakpoint %u", row[i].cpu, n);
        }
        rig_free(r);
    }
}

/* LBNX is RES0 without the feature; registers of names 0 to 15 are those that MDSELR_EL1 selects. */
static void the_registers_of_a_bank_hold_what_is_written(void **state)
{
    (void)state;
    struct rig *r = rig_new("max,breakpoints=64,ctxcmps=64,watchpoints=64");
    static const uint16_t first[] = {SR_dbgbvr_el1, SR_dbgbcr_el1, SR_dbgwvr_el1, SR_dbgwcr_el1};
    struct sysreg_ctx *c = &r->pe.ctx;
    c->el = 1;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned n = 0; n < 64; n++) {
            sysreg_write(c, SR_mdselr_el1, (uint64_t)(n >> 4) << 4);
            for (unsigned k = 0; k < 4; k++) {
                struct sysreg_access a = sysreg_check(c, first[k] + (n & 15), !pass);
                assert_int_equal(a.result, SYSREG_OK);
                if (!pass)
                    sysreg_write(c, a.id, n << 16 & 0xf0000); /* a place that all of them have */
                else
                    assert_int_equal(sysreg_read(c, a.id) & 0xf0000, n << 16 & 0xf0000);
            }
        }
    }
    struct arm_regs *s = &r->pe.s.regs;
    assert_true(s->dbgbvr_el1[37] == 5 << 16 && s->dbgwvr_el1[63] == 15 << 16);
    sysreg_write(c, SR_dbgbcr_el1 + 63, UINT64_MAX);
    assert_int_equal(s->dbgbcr_el1[63], 0xc0ffe1e7);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_breakpoint_and_watchpoint_with_each_enable),
        cmocka_unit_test(el2_that_is_not_enabled_is_not_asked),
        cmocka_unit_test(each_breakpoint_as_a_context_that_is_linked_to),
        cmocka_unit_test(the_registers_of_a_bank_hold_what_is_written),
    };
    return cmocka_run_group_tests_name("arm_debug", tests, NULL, NULL);
}
