/*
 * Random uses of the privileged architecture: accesses to system registers, system instructions (TLBI, AT, DC, IC, …), exception
 * returns, descriptors that change. Which registers, from the tables: a new row is tested by being there.
 */
#include "a64_diff.h"
#include "a64_guest.h"
#include "cpu/arm/pstate.h"

#include <string.h>

static uint32_t reg(unsigned id) { return a64_reg_of_key(sysreg_key_of(id)); }
static void put(struct a64_case *c, uint32_t bits) { a64_block_put(c, bits); }

/* rt = value, in up to four instructions. */
static void put_value(struct a64_case *c, unsigned rt, uint64_t value)
{
    uint32_t code[4];
    struct a64 g = {.code = code, .cap = 4};
    a64_mov_imm(&g, rt, value);
    for (unsigned i = 0; i < g.n; i++)
        put(c, code[i]);
}

static void put_mrs(struct a64_case *c, unsigned id, unsigned rt) { put(c, 0xd5200000 | reg(id) | rt); }
static void put_msr(struct a64_case *c, unsigned id, unsigned rt) { put(c, 0xd5000000 | reg(id) | rt); }
static void put_isb(struct a64_case *c) { put(c, 0xd5033fdf); }

/* Registers whose values decide nothing and are the same in both: read, and written with any value that fits the mask. */
static const struct {
    uint16_t id;
    uint64_t mask;
} harmless[] = {
    {SR_tpidr_el0, UINT64_MAX},
    {SR_tpidrro_el0, UINT64_MAX},
    {SR_tpidr_el1, UINT64_MAX},
    {SR_tpidr_el2, UINT64_MAX},
    {SR_tpidr_el3, UINT64_MAX},
    {SR_nzcv, UINT64_C(15) << 28},
    {SR_far_el1, UINT64_MAX},
    {SR_far_el2, UINT64_MAX},
    {SR_contextidr_el1, UINT32_MAX},
    {SR_contextidr_el2, UINT32_MAX},
    {SR_esr_el1, UINT32_MAX},
    {SR_sp_el0, ~UINT64_C(15)},
    {SR_sp_el1, ~UINT64_C(15)},
    {SR_elr_el1, UINT64_MAX},
    {SR_scxtnum_el0, UINT64_MAX},
    {SR_scxtnum_el1, UINT64_MAX},
    {SR_scxtnum_el2, UINT64_MAX},
    {SR_amair_el1, 0},
    {SR_afsr0_el1, 0},
    {SR_afsr1_el1, 0},
    {SR_actlr_el1, 0},
    {SR_fpsr, 0x0800009f},
    {SR_fpcr, 0x07c80000},
    {SR_par_el1, UINT64_C(0xff0ffffffffff3ff)},
    {SR_gcr_el1, 0xffff},
    {SR_rgsr_el1, 0xffff0f},
    {SR_apiakeylo_el1, UINT64_MAX},
    {SR_apibkeyhi_el1, UINT64_MAX},
    {SR_apdakeylo_el1, UINT64_MAX},
    {SR_apdbkeyhi_el1, UINT64_MAX},
    {SR_apgakeylo_el1, UINT64_MAX},
    {SR_vmpidr_el2, UINT64_C(0xff00ffffff)},
    {SR_vpidr_el2, UINT32_MAX},
    {SR_daif, 0x3c0},
    {SR_pan, 1 << 22},
    {SR_uao, 1 << 23},
    {SR_dit, 1 << 24},
    {SR_ssbs, 1 << 12},
};

/* Registers of which single bits are flipped: with what they decide the rest of the block goes on. */
static const struct {
    uint16_t id;
    uint64_t bits;
} flipped[] = {
    {SR_sctlr_el1, 1 << 9 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 26 | UINT64_C(3) << 35 |
                       UINT64_C(1) << 44},
    {SR_sctlr_el2, 1 << 19 | UINT64_C(1) << 36 | UINT64_C(1) << 44},
    {SR_sctlr_el3, UINT64_C(1) << 36 | UINT64_C(1) << 44},
    {SR_tcr_el1, UINT64_C(1) << 41 | 1 << 23}, /* EPD0 would take the vectors away */
    {SR_ttbr0_el1, UINT64_C(0xffff) << 48 | 1},
    {SR_cpacr_el1, 3 << 20},
    {SR_hcr_el2, UINT64_C(7) << 3 | UINT64_C(0x1) << 12 | UINT64_C(0x17) << 16 | UINT64_C(1) << 21 | UINT64_C(3) << 22 |
                     UINT64_C(1) << 24 | UINT64_C(1) << 25 | UINT64_C(1) << 26 | UINT64_C(1) << 28 | UINT64_C(1) << 29 |
                     UINT64_C(3) << 40},
    {SR_mdcr_el2, 1 << 11 | 1 << 10 | 1 << 9 | 1 << 8 | 1 << 6}, /* QEMU 7.2 lacks TPMCR */
    {SR_mdcr_el3, 1 << 10 | 1 << 9 | 1 << 6},
    {SR_cptr_el2, UINT64_C(1) << 31 | 1 << 10},
    {SR_cptr_el3, UINT64_C(1) << 31 | 1 << 10},
    {SR_scr_el3, UINT64_C(3) << 16 | UINT64_C(1) << 8},
    {SR_vttbr_el2, UINT64_C(0xff) << 48},
    {SR_elr_el2, UINT64_MAX},
};

/* Registers that are read and whose values differ, or are looked at by nobody: the value is thrown away, only whether the access
   is allowed counts. What QEMU 7.2 does not do by the specification: docs/differences.md. */
static bool differs(const char *name)
{
    static const char *const heads[] = {"icc_",   "icv_",   "ich_",   "rndr",    "err",      "erx",
                                        "dbgdtr", "osdtr",  "oseccr", "dbgprcr", "dbgclaim", "dbgauth",
                                        "cnthps", "cnthvs", "rmr_",   "impdef",  "vst",      "unallocated"};
    for (unsigned i = 0; i < ARRAY_LEN(heads); i++)
        if (!strncmp(name, heads[i], strlen(heads[i])))
            return true;
    return false;
}

static void put_opaque_read(struct a64_case *c)
{
    char name[32];
    unsigned id = 0;
    do {
        id = (unsigned)rng_below(&c->rng, SYSREG_COUNT);
        sysreg_name(id, name, sizeof name);
    } while (!id || !sysreg_exists(c->isa->map, id) || sysreg_op(id).kind != SYSREG_OP_NONE || differs(name) ||
             (sysreg_key_of(id) >> 14) < 2 || (id == SR_mdcr_el2 && c->debug_el3) || a64_reg_left_out(c, id, false));
    put_mrs(c, id, 31);
}

/* RES1 bits: QEMU 7.2 keeps what is written. */
static uint64_t ones_of(unsigned id) { return id == SR_par_el1 ? 1 << 11 : id == SR_vmpidr_el2 ? UINT64_C(1) << 31 : 0; }

/* Registers in which QEMU 7.2 tells what is wrong, as a64_compare.c knows, and which therefore are not read: the level of stage 2
   faults, the syndrome of EL2's own data aborts; that of misaligned atomics in QEMU 10.0. */
static bool wrong_in_qemu(const struct a64_case *c, unsigned id)
{
    return (c->stage2 && id == SR_par_el1) || ((c->e2h || c->isa->witness >= 10) && id == SR_esr_el1) ||
           ((c->debug || c->watch || c->tags) && (id == SR_far_el1 || id == SR_far_el2));
}

static void put_harmless(struct a64_case *c)
{
    unsigned i = (unsigned)rng_below(&c->rng, ARRAY_LEN(harmless)), rt = a64_block_scratch(c);
    if (!sysreg_exists(c->isa->map, harmless[i].id) || (c->tge && harmless[i].id == SR_scxtnum_el0) ||
        (c->step && harmless[i].id == SR_daif))
        return;
    if (a64_chance(&c->rng, 50)) {
        put_value(c, rt, (a64_value(&c->rng) & harmless[i].mask) | ones_of(harmless[i].id));
        put_msr(c, harmless[i].id, rt);
    } else if (harmless[i].mask && !wrong_in_qemu(c, harmless[i].id)) {
        put_mrs(c, harmless[i].id, rt);
    }
}

static bool is_value(unsigned id)
{
    return id == SR_cntp_tval_el0 || id == SR_cntv_tval_el0 || id == SR_cnthp_tval_el2 || id == SR_cnthv_tval_el2 ||
           id == SR_cntps_tval_el1;
}

/* Writes a timer value; the compare value follows, so that nobody sees the time. */
static void put_timer_value(struct a64_case *c, unsigned id, unsigned rt)
{
    const unsigned cval = id + SR_cntp_cval_el0 - SR_cntp_tval_el0;
    put_value(c, rt, a64_reg_value(c, cval));
    put_msr(c, id, rt);
    put_msr(c, cval, rt);
}

/* Any register that decides nothing for the code: mostly one of this level. */
static void put_any(struct a64_case *c)
{
    unsigned id, rt = a64_block_scratch(c), tries = 0;
    static const uint8_t from[] = {1, 1, 1, 0, 2, 2, 3, 1}; /* the lowest level, by op1 */
    do {
        id = c->isa->any[rng_below(&c->rng, c->isa->nany)];
    } while (++tries < 8 && from[sysreg_key_of(id) >> 11 & 7] > c->now);
    bool cut =
        c->step || c->slot % 4 == 3; /* the round may end between two writes: at a step, at a page that cannot be fetched */
    if (a64_reg_left_out(c, id, false) || (c->step && id == SR_daif) || (cut && is_value(id)))
        return;
    bool readable = sysreg_check(&c->isa->pe->ctx, id, false).result == SYSREG_OK,
         writable = sysreg_check(&c->isa->pe->ctx, id, true).result == SYSREG_OK;
    if (writable && !a64_reg_left_out(c, id, true) && (!readable || a64_chance(&c->rng, 60))) {
        if (is_value(id)) {
            put_timer_value(c, id, rt);
            return;
        }
        put_value(c, rt, a64_reg_value(c, id));
        put_msr(c, id, rt);
    } else {
        bool tells = !a64_reg_excepted(c->isa, id, NULL) && !a64_reg_mask(id) && !a64_reg_younger(c->isa, id);
        put_mrs(c, id, tells ? rt : 31);
    }
}

static void put_flip(struct a64_case *c)
{
    unsigned i = (unsigned)rng_below(&c->rng, ARRAY_LEN(flipped)), rt = a64_block_scratch(c), mask = a64_block_scratch(c);
    uint64_t bit;
    if (rt == mask || c->fgt) /* the read may be passed over, and not the write */
        return;
    do
        bit = UINT64_C(1) << rng_below(&c->rng, 64);
    while (!(bit & flipped[i].bits) || (c->e2h && bit == 1 << 9)); /* UMA is none of SCTLR_EL2's; QEMU 7.2 keeps it */
    if (c->secure && flipped[i].id == SR_hcr_el2 && bit & 3 << 3)  /* FMO, IMO: to QEMU the GIC's registers stay physical */
        return;
    if (c->step && flipped[i].id == SR_mdcr_el2 && bit == 1 << 8) /* a step at EL2 that clears TDE: QEMU 7.2 aborts */
        return;
    if (c->step && bit == 1 << 19) /* WXN: vectors may abort without end in QEMU 7.2, where trapline takes the step before */
        return;
    if (c->user_counters && bit == 1 << 6 && (flipped[i].id == SR_mdcr_el2 || flipped[i].id == SR_mdcr_el3))
        return;
    if (flipped[i].id == SR_mdcr_el2 ? c->debug_el3 : flipped[i].id == SR_mdcr_el3 && bit == 1 << 9 && !c->debug_el3)
        return;
    put_mrs(c, flipped[i].id, rt);
    put_value(c, mask, bit);
    put(c, 0xca000000 | mask << 16 | rt << 5 | rt); /* eor */
    put_msr(c, flipped[i].id, rt);
    put_isb(c);
}

/* MSR (immediate), and SYSL, of which there is none in either. */
static void put_immediate(struct a64_case *c)
{
    static const struct {
        uint8_t op1, op2, values;
    } fields[] = {{0, 3, 2}, {0, 4, 2},  {0, 5, 2}, {3, 1, 2},
                  {3, 2, 2}, {3, 6, 16}, {3, 7, 16}}; /* UAO, PAN, SPSel, SSBS, DIT, DAIF */
    unsigned i = (unsigned)rng_below(&c->rng, ARRAY_LEN(fields) + 1);
    if (i == ARRAY_LEN(fields)) {
        put(c, 0xd5280000 | (uint32_t)rng_below(&c->rng, 8) << 16 | (uint32_t)rng_below(&c->rng, 7) << 12 |
                   (uint32_t)rng_below(&c->rng, 128) << 5 | a64_block_scratch(c));
        return;
    }
    if (fields[i].op2 == 5 && c->el == 3) /* the harness needs SP_EL3 */
        return;
    if (fields[i].op2 == 6 && c->step) /* PSTATE.D may be set */
        return;
    put(c, 0xd500401f | (uint32_t)fields[i].op1 << 16 | (uint32_t)rng_below(&c->rng, fields[i].values) << 8 |
               (uint32_t)fields[i].op2 << 5);
}

void a64_put_sysreg(struct a64_case *c)
{
    unsigned what = (unsigned)rng_below(&c->rng, 100);
    if (c->debug) /* the value to be written may be passed over */
        what %= 30;
    if (what < 8)
        put_immediate(c);
    else if (what < 30)
        put_opaque_read(c);
    else if (what < 55)
        put_harmless(c);
    else if (what < 85)
        put_any(c);
    else
        put_flip(c);
}

/* DC by address of the code itself: QEMU 7.2 translates no address of DC but of DC ZVA and its like. */
void a64_put_system_instruction(struct a64_case *c)
{
    unsigned id = 0;
    struct sysreg_op op;
    char name[32];
    bool zero;
    do {
        id = (unsigned)rng_below(&c->rng, SYSREG_COUNT);
        op = sysreg_op(id);
        zero = id == SR_dc_zva || id == SR_dc_gva || id == SR_dc_gzva;
        sysreg_name(id, name, sizeof name);
    } while (!id || !sysreg_exists(c->isa->map, id) || op.kind == SYSREG_OP_NONE || op.kind == SYSREG_OP_PSTATE ||
             op.flags & OP_READS || !strncmp(name, "dc_i", 4) || strstr(name, "vap") || strstr(name, "vadp") ||
             (!c->el2 && (sysreg_key_of(id) >> 11 & 7) == 4) ||
             (c->tge && op.kind == SYSREG_OP_AT && op.regime == 1 && (a64_before(c, 11) || op.flags & OP_STAGE12)) ||
             (c->dirty && op.kind == SYSREG_OP_AT && op.flags & OP_WRITE) ||
             (c->isa->witness >= 11 && c->flagged && op.kind == SYSREG_OP_AT) || /* QEMU 11.1 leaves the access flag */
             (c->isa->witness == 10 && c->stage2 && op.kind == SYSREG_OP_AT && op.flags & OP_STAGE12) || /* QEMU 10.0 aborts */
             (c->unreadable && op.kind == SYSREG_OP_DC) || (c->tags && zero) ||
             (a64_before(c, 11) && c->watch && id == SR_dc_gva) || /* of which QEMU 7.2 watches one byte */
             (c->debug && (op.kind == SYSREG_OP_DC || op.kind == SYSREG_OP_IC) && !zero)); /* their ADR may be passed over */
    unsigned rt = a64_block_scratch(c);
    if (zero || op.kind == SYSREG_OP_AT)
        rt = a64_block_pointer(c);
    else if (op.kind == SYSREG_OP_DC || op.kind == SYSREG_OP_IC)
        put(c, 0x10000000 | rt); /* adr rt, . */
    put(c, 0xd5000000 | reg(id) | rt);
    if (op.kind == SYSREG_OP_AT)
        put_isb(c);
}

/* The level of an exception return and its SPSR. */
static uint64_t random_spsr(struct a64_case *c, unsigned to)
{
    uint64_t spsr = (rng_next(&c->rng) & (PSTATE_NZCV | PSTATE_SSBS | PSTATE_PAN | PSTATE_UAO | PSTATE_DIT)) | PSTATE_DAIF |
                    (uint64_t)to << PSTATE_EL_SHIFT;
    if (to && to < 3)
        spsr |= rng_next(&c->rng) & PSTATE_SP;
    if (a64_chance(&c->rng, 15))
        spsr |= rng_next(&c->rng) & PSTATE_BTYPE;
    if (a64_chance(&c->rng, 4))
        spsr |= PSTATE_IL;
    spsr = a64_debug_spsr(c, spsr);
    if (a64_chance(&c->rng, 4)) /* maybe an illegal return: PSTATE.SS is then SPSR's, in QEMU 7.2 what it was */
        spsr = (spsr ^ UINT64_C(1) << rng_below(&c->rng, 4)) & ~(uint64_t)PSTATE_SS;
    return spsr;
}

/* ELR, SPSR, ERET to an instruction ahead. No jump leads round it: at another level than the one it is made for it would go where
   an earlier one went, and the round would not end. */
void a64_put_eret(struct a64_case *c)
{
    static const uint16_t elr[] = {0, SR_elr_el1, SR_elr_el2, SR_elr_el3}, spsr[] = {0, SR_spsr_el1, SR_spsr_el2, SR_spsr_el3};
    unsigned from = c->now, to = (unsigned)rng_below(&c->rng, from + 1), rt = a64_block_scratch(c);
    if (from == 0 || (to == 1 && c->tge) || (to == 2 && !c->el2))
        return;
    a64_block_meet(c);
    a64_block_put_address(c, rt, 8);                                                  /* what follows takes at most 7 */
    uint32_t key = a64_chance(&c->rng, 20) ? 1 + (uint32_t)rng_below(&c->rng, 2) : 0; /* ERETAA, ERETAB */
    if (key)
        put(c, (key == 1 ? 0xdac10000 : 0xdac10400) | 31 << 5 | rt); /* pacia rt, sp */
    put_msr(c, elr[from], rt);
    uint64_t state = random_spsr(c, to);
    put_value(c, rt, c->step && to == from ? state & ~(uint64_t)PSTATE_D : state);
    put_msr(c, spsr[from], rt);
    put(c, key == 1 ? 0xd69f0bff : key == 2 ? 0xd69f0fff : 0xd69f03e0);
    c->now = to;
}

/* A data page's descriptor changes, then TLBI of everything of the regime. Stores to tables need a level that may write them. */
void a64_put_change(struct a64_case *c)
{
    static const uint16_t tlbi[] = {0, SR_tlbi_vmalle1, SR_tlbi_alle2, SR_tlbi_alle3};
    static const uint64_t bits[] = {1, 1 << 10, 1 << 7, 1 << 6, UINT64_C(1) << 51, UINT64_C(1) << 54, UINT64_C(1) << 53};
    unsigned el = c->now ? c->now : 1, rt = a64_block_scratch(c), value = a64_block_scratch(c);
    if (c->now == 0 || rt == value)
        return;
    unsigned group = 1u << (c->grain[el] - 12);
    unsigned page = (PGA_DATA + (unsigned)rng_below(&c->rng, PGA_VECTORS - PGA_DATA)) / group * group;
    if (c->grain[el] == 16)
        page = PGA_MORE / 16 * 16;
    /* Not by reading it: QEMU may have set the access flag where trapline has not. */
    uint64_t desc = (c->pa + page * 4096) | 1 << 10 | (c->wide[el] ? 0 : 3 << 8) | 1 << 6 | 3;
    uint64_t bit = bits[rng_below(&c->rng, ARRAY_LEN(bits))];
    desc ^= c->indirect && bit == 1 << 7 ? 0 : bit;
    put_value(c, rt, c->pa + a64_leaf(c, el, page));
    put_value(c, value, desc);
    put(c, 0xf9000000 | rt << 5 | value); /* str value, [rt] */
    put(c, 0xd2800000 | rt);              /* tables are not written to otherwise: without TLBI old entries may stay */
    put(c, 0xd5033f9f);                   /* dsb sy */
    put(c, 0xd5000000 | reg(tlbi[el]) | 31);
    put(c, 0xd5033f9f);
    put_isb(c);
}
