/* The code around the cases, at EL3: starts a case, records every exception, goes on, ends the run by semihosting. SP_EL3 is the
   address of the record to be written while a case runs. */
#include "a64_diff.h"
#include "a64_guest.h"
#include "cpu/arm/pstate.h"

static const uint16_t init[] = {
    SR_scr_el3,       SR_cptr_el3,       SR_mdcr_el3,      SR_hcr_el2,       SR_sctlr_el2,     SR_cptr_el2,
    SR_mdcr_el2,      SR_hstr_el2,       SR_vtcr_el2,      SR_vttbr_el2,     SR_tcr_el2,       SR_ttbr0_el2,
    SR_mair_el2,      SR_vbar_el2,       SR_esr_el2,       SR_far_el2,       SR_hpfar_el2,     SR_elr_el2,
    SR_spsr_el2,      SR_sp_el2,         SR_tcr_el3,       SR_ttbr0_el3,     SR_mair_el3,      SR_sctlr_el1,
    SR_cpacr_el1,     SR_tcr_el1,        SR_ttbr0_el1,     SR_ttbr1_el1,     SR_mair_el1,      SR_vbar_el1,
    SR_esr_el1,       SR_far_el1,        SR_elr_el1,       SR_spsr_el1,      SR_sp_el1,        SR_sp_el0,
    SR_par_el1,       SR_contextidr_el1, SR_tpidr_el0,     SR_tpidr_el1,     SR_tpidr_el2,     SR_apiakeylo_el1,
    SR_apiakeyhi_el1, SR_apibkeylo_el1,  SR_apibkeyhi_el1, SR_apdakeylo_el1, SR_apdakeyhi_el1, SR_apdbkeylo_el1,
    SR_apdbkeyhi_el1, SR_apgakeylo_el1,  SR_apgakeyhi_el1, SR_mdscr_el1,     SR_fpcr,          SR_fpsr,
    SR_esr_el3,       SR_far_el3,        SR_elr_el3,       SR_spsr_el3,      SR_sctlr_el3,     SR_vpidr_el2,
    SR_vmpidr_el2,    SR_tpidrro_el0,    SR_tpidr_el3,     SR_scxtnum_el0,   SR_scxtnum_el1,   SR_scxtnum_el2,
    SR_ttbr1_el2,     SR_contextidr_el2,
};
static const uint16_t record[] = {
    SR_elr_el3,   SR_spsr_el3,       SR_esr_el3,   SR_far_el3,   SR_elr_el2,     SR_spsr_el2,       SR_esr_el2,   SR_far_el2,
    SR_hpfar_el2, SR_elr_el1,        SR_spsr_el1,  SR_esr_el1,   SR_far_el1,     SR_par_el1,        SR_sp_el0,    SR_sp_el1,
    SR_sp_el2,    SR_sctlr_el1,      SR_sctlr_el2, SR_sctlr_el3, SR_tcr_el1,     SR_ttbr0_el1,      SR_ttbr1_el1, SR_mair_el1,
    SR_vbar_el1,  SR_cpacr_el1,      SR_tcr_el2,   SR_ttbr0_el2, SR_hcr_el2,     SR_vtcr_el2,       SR_vttbr_el2, SR_cptr_el2,
    SR_scr_el3,   SR_tpidr_el0,      SR_tpidr_el1, SR_tpidr_el2, SR_tpidrro_el0, SR_contextidr_el1, SR_mdscr_el1, SR_fpcr,
    SR_fpsr,      SR_contextidr_el2, SR_amair_el1,
};
_Static_assert(ARRAY_LEN(init) <= A64_INIT_MAX, "the registers fit");
_Static_assert(RECA_REG + 8 * ARRAY_LEN(record) <= RECA_SIZE, "a record has room for the registers");

unsigned a64_init_count(void) { return ARRAY_LEN(init); }
unsigned a64_init_reg(unsigned i) { return init[i]; }
unsigned a64_record_count(void) { return ARRAY_LEN(record); }
unsigned a64_record_reg(unsigned i) { return record[i]; }

static uint32_t reg(unsigned id) { return a64_reg_of_key(sysreg_key_of(id)); }

/* TLBI ALLE1, ALLE2, ALLE3; IC IALLU. */
static void forget(struct a64 *g)
{
    a64_put(g, 0xd50c871f | 4 << 5); /* alle1 */
    a64_put(g, 0xd50c871f);
    a64_put(g, 0xd50e871f);
    a64_put(g, 0xd508751f);
    a64_put(g, 0xd5033f9f); /* dsb sy */
    a64_isb(g);
}

/* RW, HCE, RES1, NS; ECVEn: QEMU 10.0 has the state of a timer as of before, when that changes. */
static uint64_t harness_scr(const struct a64_isa *isa)
{
    return 1 << 10 | 1 << 8 | 0x30 | 1 | (uint64_t)(isa->witness >= 10) << 28;
}

/* Reads or writes registers of a list: what they are is at x26 + at. Those of Secure state come first. */
static void put_list(const struct a64_isa *isa, struct a64 *g, const struct a64_wide *list, unsigned n, unsigned at, bool write)
{
    bool secure = true;
    for (unsigned i = 0; i < n; i++) {
        if (!i || list[i].secure != secure) {
            secure = list[i].secure;
            a64_mov_imm(g, 0, harness_scr(isa) & ~(uint64_t)secure);
            a64_msr(g, reg(SR_scr_el3), 0);
            a64_isb(g);
        }
        if (write)
            a64_ldr(g, 0, 26, at + 8 * i);
        a64_put(g, (write ? 0xd5000000 : 0xd5200000) | reg(list[i].id));
        if (!write)
            a64_str(g, 0, 26, at + 8 * i);
    }
}

/* QEMU 10.0 works out the state of a timer when that is written, not when HCR_EL2 and SCR_EL3 change. */
static void touch_timer(const struct a64_isa *isa, struct a64 *g)
{
    if (isa->witness < 10)
        return;
    a64_mrs(g, 0, reg(SR_cntp_cval_el0));
    a64_msr(g, reg(SR_cntp_cval_el0), 0);
}

/* The harness's own state: no traps of its accesses, MMU off, so that registers can change. */
static void calm(struct a64 *g)
{
    a64_mov_imm(g, 0, 0x30c50830);
    a64_msr(g, reg(SR_sctlr_el3), 0);
    a64_mov_imm(g, 0, 0);
    a64_msr(g, reg(SR_cptr_el3), 0);
    a64_isb(g);
}

/* Ends a round. */
static void put_end(const struct a64_isa *isa, struct a64 *g)
{
    calm(g);
    a64_mov_imm(g, 28, A64_RAM_BASE + A64_BASE + A64_CTL);
    a64_ldr(g, 26, 28, CTLA_ROUND);
    a64_mov_imm(g, 27, ROUNDA_INIT);
    a64_add(g, 26, 26, 27);
    a64_mov_imm(g, 0, harness_scr(isa));
    a64_msr(g, reg(SR_scr_el3), 0);
    a64_isb(g);
    touch_timer(isa, g);
    put_list(isa, g, isa->wide, isa->nwide, ROUNDA_WIDE - ROUNDA_INIT, false);
}

/* Begins the next round: x26 holds its address, x28 that of the variables. */
static void put_next(const struct a64_isa *isa, struct a64 *g)
{
    calm(g);
    a64_mov_imm(g, 28, A64_RAM_BASE + A64_BASE + A64_CTL);
    unsigned top = g->n;
    a64_ldr(g, 0, 28, CTLA_LEFT);
    unsigned more = a64_cbnz(g, 0, 0);
    a64_mov_imm(g, 1, A64_RAM_BASE + A64_BASE + A64_CTL + 0x100); /* SYS_EXIT: ADP_Stopped_ApplicationExit, 0 */
    a64_mov_imm(g, 2, 0x20026);
    a64_str(g, 2, 1, 0);
    a64_str(g, 31, 1, 8);
    a64_mov_imm(g, 0, 0x18);
    a64_hlt(g, 0xf000);
    a64_b(g, g->n);
    a64_fix(g, more, g->n);
    a64_sub_imm(g, 0, 0, 1);
    a64_str(g, 0, 28, CTLA_LEFT);
    a64_ldr(g, 26, 28, CTLA_ROUND);
    a64_mov_imm(g, 0, A64_ROUND);
    a64_add(g, 26, 26, 0);
    a64_str(g, 26, 28, CTLA_ROUND);
    a64_ldr(g, 0, 26, ROUNDA_SKIP);
    a64_cbnz(g, 0, top);
    a64_ldr(g, 0, 26, ROUNDA_ROOM);
    a64_str(g, 0, 28, CTLA_ROOM);
    a64_mov_imm(g, 0, ROUNDA_RECORDS);
    a64_add(g, 0, 0, 26);
    a64_mov_sp(g, A64_SP, 0);
    for (unsigned i = 0; i < 32; i++)
        a64_ldr_q(g, i, 26, ROUNDA_V + 16 * i);
    a64_mov_imm(g, 27, ROUNDA_INIT);
    a64_add(g, 26, 26, 27);
    put_list(isa, g, isa->init, isa->ninit, 0, true);
    a64_sub(g, 26, 26, 27);
    a64_mov_imm(g, 0, harness_scr(isa));
    a64_msr(g, reg(SR_scr_el3), 0);
    a64_isb(g);
    for (unsigned i = 1; i < ARRAY_LEN(init); i++) {
        a64_ldr(g, 0, 26, ROUNDA_REG + 8 * i);
        a64_msr(g, reg(init[i]), 0);
    }
    forget(g);
    a64_ldr(g, 0, 26, ROUNDA_REG);
    a64_msr(g, reg(SR_scr_el3), 0);
    a64_isb(g);
    touch_timer(isa, g);
    a64_mov_imm(g, 27, ROUNDA_INIT);
    a64_add(g, 27, 26, 27);
    a64_ldr(g, 0, 27, ROUNDA_VSTCR - ROUNDA_INIT);
    unsigned none = a64_cbz(g, 0, 0);
    a64_msr(g, reg(SR_vstcr_el2), 0);
    a64_ldr(g, 0, 27, ROUNDA_VSTTBR - ROUNDA_INIT);
    a64_msr(g, reg(SR_vsttbr_el2), 0);
    a64_isb(g);
    a64_fix(g, none, g->n);
    a64_ldr(g, 0, 26, ROUNDA_PC);
    a64_msr(g, reg(SR_elr_el3), 0);
    a64_ldr(g, 0, 26, ROUNDA_PSTATE);
    a64_msr(g, reg(SR_spsr_el3), 0);
    for (unsigned i = 0; i < 31; i++)
        if (i != 26)
            a64_ldr(g, i, 26, ROUNDA_X + 8 * i);
    a64_ldr(g, 26, 26, ROUNDA_X + 8 * 26);
    a64_eret(g);
}

/* Records the state: sp holds the address of the record, x0 and x1 are in it already. */
static void put_record(struct a64 *g)
{
    for (unsigned i = 2; i < 31; i++)
        a64_str(g, i, 31, RECA_X + 8 * i);
    a64_mov_sp(g, 20, A64_SP);
    a64_mrs(g, 21, reg(SR_sctlr_el3)); /* what the case has; the harness runs with its own */
    a64_mrs(g, 22, reg(SR_cptr_el3));
    calm(g);
    for (unsigned i = 0; i < ARRAY_LEN(record); i++) {
        if (record[i] == SR_sctlr_el3)
            a64_mov(g, 0, 21);
        else
            a64_mrs(g, 0, reg(record[i]));
        a64_str(g, 0, 20, RECA_REG + 8 * i);
    }
    for (unsigned i = 0; i < 32; i++)
        a64_str_q(g, i, 20, RECA_V + 16 * i);
    a64_mov_imm(g, 0, 1);
    a64_str(g, 0, 20, RECA_THERE);
}

/* Ends the round where it can't go on: no room for records, nothing to fetch, the end of the block was reached. Otherwise goes on
   behind the instruction. An SMC of number 1 or 2 comes from a vector of EL1 or EL2. */
static void put_resume(struct a64 *g, unsigned next)
{
    a64_mov_imm(g, 28, A64_RAM_BASE + A64_BASE + A64_CTL);
    a64_ldr(g, 0, 28, CTLA_ROOM);
    a64_sub_imm(g, 0, 0, 1);
    a64_str(g, 0, 28, CTLA_ROOM);
    a64_cbz(g, 0, next);
    a64_mrs(g, 1, reg(SR_elr_el3));
    a64_mrs(g, 2, reg(SR_spsr_el3));
    a64_mrs(g, 3, reg(SR_esr_el3));
    a64_mov_imm(g, 5, 0); /* 1: the exception was taken to EL1 or EL2 */
    unsigned others[2];
    for (unsigned el = 1; el <= 2; el++) {
        a64_mov_imm(g, 4, UINT64_C(0x5e000000) | el);
        a64_cmp(g, 3, 4);
        others[el - 1] = a64_b_cond(g, A64_NE, 0);
        a64_mov_imm(g, 5, 1);
        a64_mrs(g, 1, reg(el == 1 ? SR_elr_el1 : SR_elr_el2));
        a64_mrs(g, 2, reg(el == 1 ? SR_spsr_el1 : SR_spsr_el2));
        a64_mrs(g, 3, reg(el == 1 ? SR_esr_el1 : SR_esr_el2));
        unsigned over = el == 1 ? a64_b(g, 0) : 0;
        a64_fix(g, others[el - 1], g->n);
        if (el == 1)
            others[0] = over;
    }
    a64_fix(g, others[0], g->n);
    a64_ldr(g, 27, 28, CTLA_ROUND);
    a64_ldr(g, 4, 27, ROUNDA_END);
    a64_cmp(g, 1, 4);
    a64_b_cond(g, A64_EQ, next);
    a64_lsr(g, 3, 3, 26);
    static const uint8_t ends[] = {0x20, 0x21, 0x22, 0x0e, 0x0d}; /* fetches, misaligned PC, illegal state, BTI */
    for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
        a64_cmp_imm(g, 3, ends[i]);
        a64_b_cond(g, A64_EQ, next);
    }
    static const uint8_t steps[] = {0x32, 0x33}; /* the instruction has not been executed: now it is stepped */
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        a64_cmp_imm(g, 3, steps[i]);
        unsigned no = a64_b_cond(g, A64_NE, 0);
        a64_sub_imm(g, 1, 1, 4);
        a64_mov_imm(g, 4, PSTATE_SS);
        a64_put(g, 0xaa040042); /* orr x2, x2, x4 */
        a64_fix(g, no, g->n);
    }
    static const uint8_t calls[] = {0x15, 0x16, 0x17}; /* SVC, HVC, and SMC that is not trapped: ELR is behind them */
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        a64_cmp_imm(g, 3, calls[i]);
        unsigned no = a64_b_cond(g, A64_NE, 0), trapped = calls[i] == 0x17 ? a64_cbnz(g, 5, 0) : 0;
        a64_sub_imm(g, 1, 1, 4);
        a64_fix(g, no, g->n);
        if (trapped)
            a64_fix(g, trapped, g->n);
    }
    a64_add_imm(g, 1, 1, 4);
    a64_msr(g, reg(SR_elr_el3), 1);
    a64_msr(g, reg(SR_spsr_el3), 2);
    a64_add_imm(g, 0, 20, RECA_SIZE);
    a64_mov_sp(g, A64_SP, 0);
    a64_msr(g, reg(SR_cptr_el3), 22);
    a64_msr(g, reg(SR_sctlr_el3), 21);
    a64_isb(g);
    for (unsigned i = 0; i < 31; i++)
        if (i != 20)
            a64_ldr(g, i, 20, RECA_X + 8 * i);
    a64_ldr(g, 20, 20, RECA_X + 8 * 20);
    a64_eret(g);
}

void a64_harness(const struct a64_isa *isa, uint8_t *image, unsigned first, unsigned n)
{
    static uint32_t code[0x8000 / 4];
    struct a64 g = {.code = code, .cap = ARRAY_LEN(code)};
    a64_mov_imm(&g, 0, A64_RAM_BASE + A64_BASE + A64_VECTORS);
    a64_msr(&g, reg(SR_vbar_el3), 0);
    unsigned begin = a64_b(&g, 0), next = g.n;
    put_end(isa, &g);
    a64_fix(&g, begin, g.n);
    put_next(isa, &g);
    unsigned common = g.n;
    put_record(&g);
    put_resume(&g, next);
    for (unsigned i = 0; i < g.n; i++)
        __builtin_memcpy(image + A64_CODE + 4 * i, &code[i], 4);
    for (unsigned slot = 0; slot < 16; slot++) {
        uint32_t vector[4];
        struct a64 v = {.code = vector, .cap = 4};
        a64_str(&v, 0, 31, RECA_X);
        a64_str(&v, 1, 31, RECA_X + 8);
        unsigned here = (unsigned)(A64_VECTORS / 4 + slot * 32);
        vector[v.n] = a64_with_target(0x14000000, here + v.n, common);
        v.n++;
        __builtin_memcpy(image + A64_VECTORS + slot * 0x80, vector, v.n * 4);
    }
    const uint64_t base = A64_RAM_BASE + A64_BASE;
    uint64_t ctl[] = {(n - first) * A64_ROUNDS, base + a64_round(first, 0) - A64_ROUND};
    __builtin_memcpy(image + A64_CTL, ctl, sizeof ctl);
}
