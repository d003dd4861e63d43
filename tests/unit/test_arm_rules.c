/* Rules of A64 that differential tests found broken: what an exception says of the instruction, and which one comes first. */
#include "pe_rig.h"
#include "cpu/arm/debug.h"
#include "cpu/arm/timer.h"
#include "csr/arm/masks.h"

enum { CODE = 0x40000000, DATA = 0x40010000, TABLE = 0x40020000, VECTORS = 0x40030000, NOWHERE = 0x80000000 };

/* A PE at an exception level, whose vectors stay where they are. */
static struct rig *rig_new(const char *cpu, unsigned el)
{
    struct rig *r = rig_base(cpu);
    rig_pe(r);
    rig_vectors(r, VECTORS);
    r->pe.s.regs.vbar_el1 = r->pe.s.regs.vbar_el2 = VECTORS;
    r->pe.s.regs.cpacr_el1 = 3 << 20;
    rig_level(r, el);
    return r;
}

static void run(struct rig *r)
{
    mem_write(r->mem, CODE, r->code, 4 * r->g.n);
    r->pe.s.pc = CODE;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + r->g.n + 10);
}

static unsigned ec(uint64_t esr) { return (unsigned)(esr >> 26); }

/* C5.2.19: SPSR_EL1.BTYPE is RES0 without FEAT_BTI. */
static void btype_is_told_with_bti_only(void **state)
{
    (void)state;
    for (unsigned bti = 0; bti < 2; bti++) {
        struct rig *r = rig_new(bti ? "max,el3=off,el2=off" : "cortex-a76,el3=off,el2=off", 1);
        a64_mov_imm(&r->g, 1, DATA); /* zeros: UDF */
        a64_blr(&r->g, 1);
        run(r);
        assert_int_equal(ec(r->pe.s.regs.esr_el1), 0);
        assert_int_equal(r->pe.s.regs.elr_el1, DATA);
        assert_int_equal(r->pe.s.regs.spsr_el1 >> PSTATE_BTYPE_SHIFT & 3, bti ? 2 : 0);
        rig_free(r);
    }
}

/* ESR_ELx, "ISS encoding for an exception from a Software Step exception": ISV 24, EX 6. D2.12.3; BranchTo. */
static void a_step_tells_what_was_stepped(void **state)
{
    static const struct {
        uint32_t insn;
        bool stepped;
        unsigned ec, iss;
        uint64_t elr;
    } row[] = {
        {0xd503201f, true, 0x32, 1u << 24 | 0x22, CODE + 4},           /* nop */
        {0xd503201f, false, 0x32, 0x22, CODE},                         /* pending: it is not executed */
        {0xc85f7c20, true, 0x32, 1u << 24 | 1u << 6 | 0x22, CODE + 4}, /* ldxr x0, [x1] */
        {0xc87f0820, true, 0x32, 1u << 24 | 1u << 6 | 0x22, CODE + 4}, /* ldxp x0, x2, [x1] */
        {0xc8e07c20, true, 0x32, 1u << 24 | 0x22, CODE + 4},           /* casa x0, x0, [x1]: no Load-Exclusive */
        {0x48607c20, true, 0x32, 1u << 24 | 0x22, CODE + 4},           /* caspa x0, x1, x0, x1, [x1] */
        {0xd61f0020, true, 0x32, 1u << 24 | 0x22, DATA},               /* br x1: no tag */
        {0xd4000001, true, 0x15, 0, CODE + 4},                         /* svc: has been executed */
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off,mte=off", 0);
        mem_write(r->mem, CODE, &row[i].insn, 4);
        r->pe.s.regs.mdscr_el1 = 1;               /* SS */
        r->pe.s.regs.oslsr_el1 &= ~UINT64_C(2);   /* the OS lock is open */
        r->pe.s.regs.tcr_el1 = UINT64_C(1) << 37; /* TBI0 */
        r->pe.s.x[1] = DATA | UINT64_C(0xc2) << 56;
        r->pe.s.pstate |= row[i].stepped ? PSTATE_SS : 0;
        r->pe.s.pc = CODE;
        pe_refresh(&r->pe);
        pe_run(&r->pe, r->pe.s.cycle + (row[i].stepped && row[i].ec == 0x32 ? 2 : 1));
        assert_int_equal(ec(r->pe.s.regs.esr_el1), row[i].ec);
        assert_int_equal(r->pe.s.regs.esr_el1 & 0x1ffffff, row[i].iss);
        assert_int_equal(r->pe.s.regs.elr_el1, row[i].elr);
        assert_int_equal(r->pe.s.regs.spsr_el1 & PSTATE_SS, 0);
        rig_free(r);
    }
}

/* D1.3.6: PC alignment, then the abort of the fetch, then the Illegal Execution state. */
static void an_illegal_state_comes_after_the_fetch(void **state)
{
    static const struct {
        uint64_t elr;
        unsigned ec;
    } row[] = {{CODE, 0x0e}, {CODE + 2, 0x22}, {NOWHERE, 0x21}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        a64_mov_imm(&r->g, 1, row[i].elr);
        a64_msr(&r->g, A64_REG(3, 0, 4, 0, 1), 1); /* ELR_EL1 */
        a64_mov_imm(&r->g, 1, PSTATE_IL | PSTATE_DAIF | 1u << PSTATE_EL_SHIFT | PSTATE_SP);
        a64_msr(&r->g, A64_REG(3, 0, 4, 0, 0), 1); /* SPSR_EL1 */
        a64_eret(&r->g);
        run(r);
        assert_int_equal(ec(r->pe.s.regs.esr_el1), row[i].ec);
        assert_int_equal(r->pe.s.regs.elr_el1, row[i].elr);
        assert_true(r->pe.s.regs.spsr_el1 & PSTATE_IL);
        rig_free(r);
    }
}

/* C7.2 "LD2 (multiple structures)" …: reserved encodings are UNDEFINED whether floating point is trapped or not. */
static void structures_of_one_doubleword_are_undefined(void **state)
{
    static const struct {
        uint32_t insn;
        unsigned ec;
    } row[] = {{0x0c408c20, 0}, {0x0c404c20, 0}, {0x0c000c20, 0}, {0x0cdf8c20, 0}, {0x0c407c20, 7}, {0x4c408c20, 7}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        r->pe.s.regs.cpacr_el1 = 0;
        a64_mov_imm(&r->g, 1, DATA);
        a64_put(&r->g, row[i].insn);
        run(r);
        assert_int_equal(ec(r->pe.s.regs.esr_el1), row[i].ec);
        rig_free(r);
    }
}

/* AArch64.CheckAlignment: with SCTLR_ELx.A, also behind an aligned access to the page. */
static void ordered_accesses_at_odd_addresses_fault(void **state)
{
    static const uint32_t insns[] = {0x48dffc20 /* ldarh */, 0x489ffc20 /* stlrh */};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(insns); i++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        r->pe.s.regs.sctlr_el1 |= sctlr_el1_A;
        a64_mov_imm(&r->g, 1, DATA);
        a64_put(&r->g, insns[i]);
        a64_add_imm(&r->g, 1, 1, 1);
        a64_put(&r->g, insns[i]);
        run(r);
        assert_int_equal(r->pe.s.regs.esr_el1 & 0x3f, 0x21);
        assert_int_equal(r->pe.s.regs.far_el1, DATA + 1);
        rig_free(r);
    }
}

/* ESR_ELx, "ISS encoding for an exception from a Data Abort": ISV 24, SAS 23:22, SSE 21, SRT 20:16, SF 15, AR 14. */
static void stage_2_aborts_tell_of_the_instruction(void **state)
{
#define ISS(sas, sse, srt, sf, ar) (1u << 24 | (sas) << 22 | (sse) << 21 | (srt) << 16 | (sf) << 15 | (ar) << 14)
    static const struct {
        uint32_t insn, syndrome;
    } row[] = {
        {0xf9400025, ISS(3u, 0u, 5u, 1u, 0u)} /* ldr x5, [x1] */,
        {0xb9000025, ISS(2u, 0u, 5u, 0u, 0u)} /* str w5, [x1] */,
        {0x39800027, ISS(0u, 1u, 7u, 1u, 0u)} /* ldrsb x7, [x1] */,
        {0x79c00028, ISS(1u, 1u, 8u, 0u, 0u)} /* ldrsh w8, [x1] */,
        {0xb8bf6829, ISS(2u, 1u, 9u, 1u, 0u)} /* ldrsw x9, [x1, xzr] */,
        {0x3840003f, ISS(0u, 0u, 31u, 0u, 0u)} /* ldurb wzr, [x1] */,
        {0xf8400823, ISS(3u, 0u, 3u, 1u, 0u)} /* ldtr x3, [x1] */,
        {0xc8dffc24, ISS(3u, 0u, 4u, 1u, 1u)} /* ldar x4, [x1] */,
        {0x089ffc24, ISS(0u, 0u, 4u, 0u, 1u)} /* stlrb w4, [x1] */,
        {0xb8bfc026, ISS(2u, 0u, 6u, 0u, 1u)} /* ldapr w6, [x1] */,
        {0x99800022, ISS(2u, 1u, 2u, 1u, 1u)} /* ldapursw x2, [x1] */,
        {0xf8408425, 0} /* ldr x5, [x1], #8 */,
        {0xa9400825, 0} /* ldp x5, x2, [x1] */,
        {0xc85f7c25, 0} /* ldxr x5, [x1] */,
        {0xf8250026, 0} /* ldadd x5, x6, [x1] */,
        {0x3dc00025, 0} /* ldr q5, [x1] */,
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new("max,el3=off", 1);
        const uint64_t block = CODE | 1 | 15 << 2 | 3 << 6 | 3 << 8 | 1 << 10; /* 1 GiB: the rest is not mapped */
        mem_write(r->mem, TABLE + 8, &block, 8);
        r->pe.s.regs.vttbr_el2 = TABLE;
        r->pe.s.regs.vtcr_el2 = 25 | 1 << 6 | 5 << 8 | 3 << 12 | 2 << 16 | UINT64_C(1) << 31;
        r->pe.s.regs.hcr_el2 = hcr_el2_RW | hcr_el2_VM;
        a64_mov_imm(&r->g, 1, NOWHERE);
        a64_put(&r->g, row[i].insn);
        run(r);
        uint64_t esr = r->pe.s.regs.esr_el2;
        assert_int_equal(ec(esr), 0x24);
        assert_int_equal(esr & 0x3f, 5);
        assert_int_equal(r->pe.s.regs.hpfar_el2, NOWHERE >> 8);
        assert_int_equal(esr & 0x1ffc000, row[i].syndrome);
        rig_free(r);
    }
}

/* SCTLR_EL1.E0E, BigEndian: LDTR and STTR have the endianness of the level they are executed at, all but their permissions. */
static void unprivileged_accesses_have_the_endianness_of_their_level(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        uint16_t stored = 0;
        r->pe.s.regs.sctlr_el1 |= (bits & 1 ? sctlr_el1_E0E : 0) | (bits & 2 ? sctlr_el1_EE : 0);
        a64_mov_imm(&r->g, 1, DATA);
        a64_mov_imm(&r->g, 2, 0x1234);
        a64_put(&r->g, 0x78000822); /* sttrh w2, [x1] */
        a64_put(&r->g, 0x78400823); /* ldtrh w3, [x1] */
        run(r);
        mem_read(r->mem, DATA, &stored, 2);
        assert_int_equal(stored, bits & 2 ? 0x3412 : 0x1234);
        assert_int_equal(r->pe.s.x[3], 0x1234);
        rig_free(r);
    }
}

/* D8.16: a changed descriptor and TLBI end what LDTR was permitted by the old one, although PSTATE is as it was. */
static void unprivileged_accesses_see_changed_descriptors(void **state)
{
    enum { LEVEL2 = TABLE + 0x1000, USER = 0x40200000, BLOCK = 1 << 10 | 3 << 8 | 1, AP1 = 1 << 6 };
    static const uint64_t root = LEVEL2 | 3, code = CODE | BLOCK, user = CODE | BLOCK | AP1;
    (void)state;
    for (unsigned change = 0; change < 2; change++) {
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        mem_write(r->mem, TABLE + 8, &root, 8); /* 0x40000000, a gigabyte */
        mem_write(r->mem, LEVEL2, &code, 8);
        mem_write(r->mem, LEVEL2 + 8, &user, 8);
        r->pe.s.regs.ttbr0_el1 = TABLE;
        r->pe.s.regs.tcr_el1 = 25 | 1 << 23; /* T0SZ, EPD1 */
        r->pe.s.regs.mair_el1 = 0xff;
        r->pe.s.regs.sctlr_el1 |= sctlr_el1_M;
        a64_mov_imm(&r->g, 1, USER + (DATA - CODE));
        a64_mov_imm(&r->g, 4, LEVEL2 + 8);
        a64_mov_imm(&r->g, 5, change ? CODE | BLOCK : CODE | BLOCK | AP1);
        a64_put(&r->g, 0xf8400823); /* ldtr x3, [x1] */
        a64_str(&r->g, 5, 4, 0);
        a64_put(&r->g, 0xd5033f9f); /* dsb sy */
        a64_put(&r->g, 0xd508871f); /* tlbi vmalle1 */
        a64_put(&r->g, 0xd5033f9f);
        a64_isb(&r->g);
        a64_put(&r->g, 0xf8400823);
        run(r);
        assert_int_equal(ec(r->pe.s.regs.esr_el1), change ? 0x25 : 0);
        assert_int_equal(r->pe.s.regs.esr_el1 & 0x3f, change ? 0x0e : 0); /* permission, level 2; else the UDF behind */
        rig_free(r);
    }
}

/* With CNTPOFF_EL2 in effect, but for what a host's level takes from it. */
static struct rig *rig_with_offset(unsigned el, bool host, uint64_t offset)
{
    struct rig *r = rig_new("max", el);
    struct arm_regs *s = &r->pe.s.regs;
    s->scr_el3 |= scr_el3_NS | scr_el3_ECVEn;
    s->hcr_el2 = host ? hcr_el2_E2H | hcr_el2_TGE : 0;
    s->cnthctl_el2 = cnthctl_el2_ECV;
    s->cntpoff_el2 = offset;
    return r;
}

/* D12.2.4.1: CNTPOFF_EL2 is for the physical timer of EL1, and not while a host runs; the other physical timers have no offset.
 */
static void the_physical_offset_is_for_one_timer(void **state)
{
    (void)state;
    for (unsigned host = 0; host < 2; host++) {
        struct rig *r = rig_with_offset(3, host, 500);
        struct arm_regs *s = &r->pe.s.regs;
        r->pe.s.time_offset = 1000; /* of the count, at cycle 0 */
        s->cntp_ctl_el0 = s->cntps_ctl_el1 = s->cnthp_ctl_el2 = 1;
        s->cntp_cval_el0 = s->cntps_cval_el1 = s->cnthp_cval_el2 = 900;
        timer_update(&r->pe);
        assert_int_equal(r->pe.s.timers >> TIMER_PHYS & 1, host);
        assert_int_equal(r->pe.s.timers >> TIMER_SECURE & 1, 1);
        assert_int_equal(r->pe.s.timers >> TIMER_HYP_PHYS & 1, 1);
        rig_free(r);
    }
}

/* Nor does it move the event stream of CNTHCTL_EL2 while a host runs (TestEventCNTP). */
static void the_physical_offset_is_not_for_a_hosts_event_stream(void **state)
{
    (void)state;
    for (unsigned host = 0; host < 2; host++) {
        struct rig *r = rig_with_offset(2, host, 4);
        r->pe.s.regs.cnthctl_el2 |= 1 << 2 | 3 << 4; /* EVNTEN, EVNTI 3: where bit 3 becomes 1 */
        r->pe.s.time_offset = 1001;
        pe_refresh(&r->pe);
        timer_stream_sync(&r->pe);
        r->pe.s.event = 0;
        r->pe.s.time_offset = 1009; /* from 1001 on bit 3 rises at 1016, with the offset at 1004 */
        assert_int_equal(timer_event(&r->pe), !host);
        rig_free(r);
    }
}

/* D2.8: no debug exceptions while the OS lock is locked, or the double lock, which DBGPRCR_EL1.CORENPDRQ keeps open. */
static void locks_keep_debug_exceptions_away(void **state)
{
    struct rig *r = rig_new("cortex-a53,el3=off,el2=off", 1);
    struct arm_regs *s = &r->pe.s.regs;
    (void)state;
    assert_true(arm_has(&r->cfg, FEAT_DoubleLock));
    for (unsigned k = 0; k < 8; k++) {
        bool lock = k & 1, twice = k & 2, power = k & 4;
        s->oslsr_el1 = 8 | (lock ? 2u : 0);
        s->osdlr_el1 = twice;
        s->dbgprcr_el1 = power;
        assert_int_equal(debug_enabled_from(&r->pe, 0, false), !lock && !(twice && !power));
    }
    rig_free(r);
}

/* DBGBCR<n>_EL1.BT: types that compare CONTEXTIDR_EL2 are there with FEAT_VHE or FEAT_Debugv8p2 (ReservedBreakpointType). */
static void contexts_of_el2_are_compared_since_debug_8_2(void **state)
{
    static const struct {
        const char *cpu;
        bool there;
    } row[] = {{"max,el3=off", true}, {"max,el3=off,vhe=off", true}, {"max,el3=off,vhe=off,debugv8p2=off", false}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct rig *r = rig_new(row[i].cpu, 1);
        struct arm_regs *s = &r->pe.s.regs;
        unsigned n = (unsigned)r->cfg.breakpoints - 1;
        s->oslsr_el1 = 8;
        s->mdscr_el1 = 1u << 13 | 1u << 15; /* KDE, MDE */
        s->contextidr_el2 = 77;
        s->dbgbvr_el1[n] = UINT64_C(77) << 32;
        s->dbgbcr_el1[n] = 1 | 1 << 1 | 12 << 20;
        pe_set_pstate(&r->pe, 1u << PSTATE_EL_SHIFT | PSTATE_SP);
        r->pe.s.pc = CODE;
        assert_int_equal(debug_breakpoint_due(&r->pe), row[i].there);
        s->contextidr_el2 = 78;
        assert_false(debug_breakpoint_due(&r->pe));
        rig_free(r);
    }
}

/* A stepped instruction is told of at once or not at all: an exception between loses it, and a step that is pending because
   software made it so has stepped nothing (D2.11.9.1). */
static void a_step_after_another_exception_tells_nothing(void **state)
{
    static const uint32_t irq[] = {0xd510025f /* msr mdscr_el1, xzr */, 0xd5033fdf, 0xd69f03e0},
                          svc[] = {0xd5100243 /* msr mdscr_el1, x3 */, 0xd5033fdf, 0xd69f03e0},
                          user[] = {0xc85f7c20 /* ldxr x0, [x1] */, 0xd503201f, 0xd4000001, 0x14000000};
    (void)state;
    struct rig *r = rig_new("max,el3=off,el2=off", 0);
    mem_write(r->mem, VECTORS + 0x480, irq, sizeof irq);
    mem_write(r->mem, VECTORS + 0x400, svc, sizeof svc);
    mem_write(r->mem, CODE, user, sizeof user);
    r->pe.s.regs.oslsr_el1 = 8;
    r->pe.s.regs.mdscr_el1 = 1;
    r->pe.s.pstate = (r->pe.s.pstate & ~(uint64_t)(PSTATE_D | PSTATE_I)) | PSTATE_SS;
    r->pe.s.x[1] = DATA;
    r->pe.s.x[3] = 1;
    r->pe.s.pc = CODE;
    pe_refresh(&r->pe);
    pe_run(&r->pe, r->pe.s.cycle + 1);
    pe_line(&r->pe, 0, true);
    pe_run(&r->pe, r->pe.s.cycle + 1);
    pe_line(&r->pe, 0, false);
    /* The IRQ's handler ends the step; two instructions on, that of the SVC begins one, with SPSR_EL1.SS 0. */
    for (unsigned i = 0; i < 20 && ec(r->pe.s.regs.esr_el1) != 0x32; i++)
        pe_run(&r->pe, r->pe.s.cycle + 1);
    assert_int_equal(r->pe.s.regs.elr_el1, CODE + 12);
    assert_int_equal(r->pe.s.regs.esr_el1 & 0x1ffffff, 0x22);
    rig_free(r);
}

/* At EL1, debug exceptions on, watchpoint 2 on bytes of DATA + 64 by `bas`. */
static struct rig *rig_watching(const char *cpu, unsigned bas)
{
    struct rig *r = rig_new(cpu, 1);
    struct arm_regs *s = &r->pe.s.regs;
    uint64_t block = CODE | 0x701;
    mem_write(r->mem, TABLE + 8, &block, 8);
    s->ttbr0_el1 = TABLE;
    s->mair_el1 = 0xff;
    s->tcr_el1 = 25 | UINT64_C(2) << 32;
    s->sctlr_el1 |= sctlr_el1_M;
    s->oslsr_el1 = 8;
    s->mdscr_el1 = 1u << 13 | 1u << 15; /* KDE, MDE */
    s->dbgwvr_el1[2] = DATA + 64;
    s->dbgwcr_el1[2] = 1 | 1 << 1 | 3 << 3 | bas << 5;
    r->pe.s.pstate &= ~(uint64_t)PSTATE_D;
    return r;
}

/* ESR_ELx.WPTV is 1 and WPT the number with FEAT_Debugv8p9 (D2.9.8.1); FAR_ELx is in the block of DC ZVA's size that holds the
   watched byte (D2.9.8.2.4). */
static void a_watchpoint_tells_its_number_and_an_address_of_its_block(void **state)
{
    static const struct {
        unsigned bas, at;
        uint64_t far;
    } row[] = {{0xff, 64, 64}, {0x80, 64, 64}, {0x01, 60, 64}, {0x10, 62, 64}, {0x01, 57, 64}, {0x08, 66, 66}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++)
        for (unsigned old = 0; old < 2; old++) {
            struct rig *r = rig_watching(old ? "cortex-a76,el3=off,el2=off" : "max,el3=off,el2=off", row[i].bas);
            assert_int_equal(r->cfg.zva, 6);
            a64_mov_imm(&r->g, 1, DATA + row[i].at);
            a64_put(&r->g, 0xf9400020); /* ldr x0, [x1] */
            run(r);
            assert_int_equal(ec(r->pe.s.regs.esr_el1), 0x35);
            assert_int_equal(r->pe.s.regs.esr_el1 & 0x1ffffff, 0x22 | (old ? 0 : 2 << 18 | 1 << 17));
            assert_int_equal(r->pe.s.regs.far_el1, DATA + row[i].far);
            rig_free(r);
        }
}

/* Of DC IVAC the whole line is watched (DataCacheWatchpointSize). */
static void invalidation_is_watched_by_the_line(void **state)
{
    (void)state;
    for (unsigned line = 6; line < 9; line++) {
        char cpu[] = "max,el3=off,el2=off,dline=6";
        cpu[sizeof cpu - 2] = (char)('0' + line);
        struct rig *r = rig_watching(cpu, 1);
        a64_mov_imm(&r->g, 1, DATA + 8);
        a64_put(&r->g, 0xd5087621); /* dc ivac, x1 */
        run(r);
        assert_int_equal(ec(r->pe.s.regs.esr_el1), line > 6 ? 0x35 : 0);
        assert_int_equal(r->pe.s.regs.esr_el1 & 0x1ff, line > 6 ? 0x162 : 0);
        rig_free(r);
    }
}

/* DBGPRCR_EL1.CORENPDRQ opens the double lock, behind a context synchronization event. */
static void the_double_lock_opens_when_it_is_written(void **state)
{
    (void)state;
    struct rig *r = rig_watching("cortex-a53,el3=off,el2=off", 0xff);
    r->pe.s.regs.osdlr_el1 = 1;
    a64_mov_imm(&r->g, 1, DATA + 64);
    a64_mov_imm(&r->g, 2, 1);
    a64_msr(&r->g, A64_REG(2, 0, 1, 4, 4), 2); /* DBGPRCR_EL1 */
    a64_put(&r->g, 0xd5033fdf);                /* isb */
    a64_put(&r->g, 0xf9400020);                /* ldr x0, [x1] */
    run(r);
    assert_int_equal(ec(r->pe.s.regs.esr_el1), 0x35);
    rig_free(r);
}

/* BranchTargetCheck where the decoded page cannot be kept: as many pages of tables are known as can be (full), or the fetch
   itself sets the access flag in a table that shares its page with code. And what BTYPE a BR there leaves, in a guarded page. */
static void landings_are_checked_in_pages_that_are_not_kept(void **state)
{
    enum { TABLE2 = TABLE + 0x1000, BR_X1 = 0xd61f0020, RET_X1 = 0xd65f0020, BR_X3 = 0xd61f0060 };
    enum { NOP = 0xd503201f, BTI_C = 0xd503245f, BTI_J = 0xd503249f };
    static const struct {
        uint32_t from, at, then;
        unsigned ec;
        uint64_t elr;
    } row[] = {
        {BR_X1, NOP, NOP, 0x0d, DATA}, {BR_X1, BTI_C, NOP, 0x0d, DATA},
        {BR_X1, BTI_J, BTI_J, 0, 0},   {BR_X1, BTI_J, BTI_C, 0x0d, DATA + 256},
        {RET_X1, BR_X3, BTI_J, 0, 0},  {RET_X1, BR_X3, BTI_C, 0x0d, DATA + 256},
        {RET_X1, NOP, BTI_J, 0, 0},    {BR_X1, 0xd4200000 /* brk */, NOP, 0x3c, DATA},
    };
    const uint64_t view = UINT64_C(0x40000000), guarded = CODE | 0x701 | UINT64_C(1) << 50, tables = TABLE2 | 3;
    (void)state;
    for (unsigned n = 0; n < 2 * ARRAY_LEN(row); n++) {
        bool full = n & 1;
        uint32_t there[] = {row[n / 2].at, BR_X3}, stay[] = {row[n / 2].then, 0x14000000};
        uint64_t leaf = full ? guarded : guarded & ~UINT64_C(0x400);
        struct rig *r = rig_new("max,el3=off,el2=off", 1);
        struct arm_regs *s = &r->pe.s.regs;
        mem_write(r->mem, TABLE + 8, &guarded, 8);
        mem_write(r->mem, TABLE + 16, &tables, 8);
        mem_write(r->mem, TABLE2, &leaf, 8);
        mem_write(r->mem, DATA, there, sizeof there);
        mem_write(r->mem, DATA + 256, stay, sizeof stay);
        s->ttbr0_el1 = TABLE;
        s->mair_el1 = 0xff;
        s->tcr_el1 = 25 | UINT64_C(2) << 32 | UINT64_C(1) << 39; /* HA */
        s->sctlr_el1 |= sctlr_el1_M;
        a64_mov_imm(&r->g, 3, view + DATA + 256);
        a64_mov_imm(&r->g, 1, view + DATA);
        a64_put(&r->g, row[n / 2].from);
        mem_write(r->mem, CODE, r->code, 4 * r->g.n);
        r->pe.s.pc = CODE;
        pe_refresh(&r->pe);
        pe_run(&r->pe, r->pe.s.cycle + 1);
        *mem_page_flags(r->mem, TABLE2) |= full ? 0 : MEM_CODE; /* as decoding a part of it would */
        for (unsigned i = 0; full && i < ARRAY_LEN(r->engine.pte_page); i++)
            r->engine.pte_page[i] = TABLE;
        r->engine.pte_pages = full ? ARRAY_LEN(r->engine.pte_page) : r->engine.pte_pages;
        pe_run(&r->pe, r->pe.s.cycle + r->g.n + 4);
        assert_int_equal(ec(s->esr_el1), row[n / 2].ec);
        assert_int_equal(s->elr_el1, row[n / 2].ec ? view + row[n / 2].elr : 0);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(btype_is_told_with_bti_only),
        cmocka_unit_test(a_step_tells_what_was_stepped),
        cmocka_unit_test(an_illegal_state_comes_after_the_fetch),
        cmocka_unit_test(structures_of_one_doubleword_are_undefined),
        cmocka_unit_test(ordered_accesses_at_odd_addresses_fault),
        cmocka_unit_test(stage_2_aborts_tell_of_the_instruction),
        cmocka_unit_test(unprivileged_accesses_have_the_endianness_of_their_level),
        cmocka_unit_test(unprivileged_accesses_see_changed_descriptors),
        cmocka_unit_test(the_physical_offset_is_for_one_timer),
        cmocka_unit_test(the_physical_offset_is_not_for_a_hosts_event_stream),
        cmocka_unit_test(locks_keep_debug_exceptions_away),
        cmocka_unit_test(a_step_after_another_exception_tells_nothing),
        cmocka_unit_test(a_watchpoint_tells_its_number_and_an_address_of_its_block),
        cmocka_unit_test(invalidation_is_watched_by_the_line),
        cmocka_unit_test(the_double_lock_opens_when_it_is_written),
        cmocka_unit_test(landings_are_checked_in_pages_that_are_not_kept),
        cmocka_unit_test(contexts_of_el2_are_compared_since_debug_8_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
