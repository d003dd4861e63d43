/*
 * The code around the cases, in M-mode: starts a case, records every trap, goes on, ends the run through the test finisher.
 * mscratch holds the address of the harness's variables while a case runs.
 */
#include "diff.h"
#include "guest.h"

static const uint16_t init64[] = {0x3b0, 0x3b1, 0x3b2, 0x3b3, 0x3b4, 0x3b5, 0x3b6, 0x3b7, 0x3a0, 0x30a, 0x003, 0x306,
                                  0x106, 0x302, 0x303, 0x304, 0x14d, 0x24d, 0x344, 0x342, 0x343, 0x105, 0x140, 0x141,
                                  0x142, 0x143, 0x10a, 0x180, 0x606, 0x600, 0x602, 0x603, 0x60a, 0x645, 0x607, 0x643,
                                  0x680, 0x605, 0x200, 0x205, 0x240, 0x241, 0x242, 0x243, 0x280, 0x34b, 0x34a};
static const uint16_t init32[] = {0x3a1, 0x31a, 0x61a, 0x615, 0x15d, 0x25d, 0x310}; /* before those above */
static const uint16_t record64[] = {
    0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x340,
    0x341, 0x342, 0x343, 0x344, 0x34a, 0x34b, 0x100, 0x104, 0x105, 0x106,
    0x10a, 0x140, 0x141, 0x142, 0x143, 0x144, 0x14d, 0x180, 0x600,
    0x602, 0x603, 0x604, 0x605, 0x606, 0x607, 0x60a, 0x643, 0x644, 0x645,
    0x64a, 0x680, 0xe12, 0x200, 0x204, 0x205, 0x240, 0x241, 0x242, 0x243,
    0x244, 0x24d, 0x280, 0x3a0, 0x3a2, 0x3b0, 0x3b1, 0x3b2, 0x3b3, 0x3b4,
    0x3b5, 0x3b6, 0x3b7, 0x320, 0x003 /* last: FS is on then */};
static const uint16_t record32[] = {0x310, 0x31a, 0x61a, 0x615, 0x15d, 0x25d, 0x3a1, 0x3a3};

unsigned diff_init_count(unsigned xlen) { return ARRAY_LEN(init64) + (xlen == 32 ? ARRAY_LEN(init32) : 0); }
unsigned diff_init_csr(unsigned xlen, unsigned i)
{
    if (xlen == 64)
        return init64[i];
    return i < ARRAY_LEN(init32) ? init32[i] : init64[i - ARRAY_LEN(init32)];
}
unsigned diff_record_count(unsigned xlen) { return ARRAY_LEN(record64) + (xlen == 32 ? ARRAY_LEN(record32) : 0); }
unsigned diff_record_csr(unsigned xlen, unsigned i)
{
    if (xlen == 64)
        return record64[i];
    return i < ARRAY_LEN(record32) ? record32[i] : record64[i - ARRAY_LEN(record32)];
}
_Static_assert(ARRAY_LEN(init64) + ARRAY_LEN(init32) + 1 <= DIFF_INIT_MAX, "a round has room for the registers");
_Static_assert(REC_CSR + 8 * (ARRAY_LEN(record64) + ARRAY_LEN(record32)) <= REC_SIZE, "a record has room for the registers");

static void load(struct guest *g, unsigned xlen, unsigned rd, int off, unsigned rs1)
{
    xlen == 64 ? ld(g, rd, off, rs1) : lw(g, rd, off, rs1);
}
static void store(struct guest *g, unsigned xlen, unsigned rs2, int off, unsigned rs1)
{
    xlen == 64 ? sd(g, rs2, off, rs1) : sw(g, rs2, off, rs1);
}
static void fp_load(struct guest *g, unsigned fd, int off, unsigned rs1) { put_insn(g, i_type(off, rs1, 3, fd, 0x07)); }
static void fp_store(struct guest *g, unsigned fs, int off, unsigned rs1) { put_insn(g, s_type(off, fs, rs1, 3, 0x27)); }
static void csrs(struct guest *g, unsigned csr, unsigned rs1) { put_insn(g, i_type((int)csr, rs1, 2, 0, 0x73)); }
static void fp_on(struct guest *g)
{
    lui(g, T0, 6);
    csrs(g, CSR_MSTATUS, T0);
}

/* Begins the next round; sp holds the address of the variables. Ends the run when there is none. Returns where it starts. */
static unsigned put_next(struct guest *g, unsigned xlen)
{
    unsigned top = g->n;
    load(g, xlen, T0, CTL_LEFT, SP);
    bne(g, T0, ZERO, g->n + 6);
    lui(g, T0, 0x100); /* test finisher: pass */
    lui(g, T1, 5);
    addi(g, T1, T1, 0x555);
    sw(g, T1, 0, T0);
    jump(g, g->n);
    addi(g, T0, T0, -1);
    store(g, xlen, T0, CTL_LEFT, SP);
    load(g, xlen, GP, CTL_ROUND, SP);
    lui(g, T0, DIFF_ROUND >> 12);
    add(g, GP, GP, T0);
    store(g, xlen, GP, CTL_ROUND, SP);
    load(g, xlen, T0, ROUND_SKIP, GP);
    bne(g, T0, ZERO, top);
    addi(g, T0, GP, ROUND_RECORDS);
    store(g, xlen, T0, CTL_REC, SP);
    addi(g, T0, ZERO, REC_MAX);
    store(g, xlen, T0, CTL_ROOM, SP);
    csrw(g, CSR_MSTATUS, ZERO);
    fp_on(g);
    for (unsigned i = 0; i < 32; i++)
        fp_load(g, i, (int)(ROUND_F + 8 * i), GP);
    csrw(g, 0x3a0, ZERO); /* no PMP entry that is not locked is on while their addresses change */
    for (unsigned i = 0; i < diff_init_count(xlen); i++) {
        load(g, xlen, T0, (int)(ROUND_CSR + 8 * (i + 1)), GP);
        csrw(g, diff_init_csr(xlen, i), T0);
    }
    load(g, xlen, T0, ROUND_PC, GP);
    csrw(g, CSR_MEPC, T0);
    put_insn(g, 0x12000073); /* sfence.vma, hfence.gvma, hfence.vvma, fence.i */
    put_insn(g, 0x62000073);
    put_insn(g, 0x22000073);
    put_insn(g, 0x0000100f);
    load(g, xlen, T0, ROUND_CSR, GP);
    csrw(g, CSR_MSTATUS, T0);
    for (unsigned i = 1; i < 32; i++)
        if (i != GP)
            load(g, xlen, i, (int)(ROUND_X + 8 * i), GP);
    load(g, xlen, GP, ROUND_X + 8 * GP, GP);
    mret(g);
    return top;
}

/* Records the state at a trap: gp holds the address of the record, sp that of the variables. */
static void put_record(struct guest *g, unsigned xlen)
{
    unsigned n = diff_record_count(xlen);
    put_insn(g, i_type(CSR_MSCRATCH, SP, 1, SP, 0x73)); /* csrrw sp, mscratch, sp */
    store(g, xlen, GP, CTL_X3, SP);
    load(g, xlen, GP, CTL_REC, SP);
    for (unsigned i = 1; i < 32; i++)
        if (i != GP && i != SP)
            store(g, xlen, i, (int)(REC_X + 8 * i), GP);
    load(g, xlen, T0, CTL_X3, SP);
    store(g, xlen, T0, REC_X + 8 * GP, GP);
    csrr(g, T0, CSR_MSCRATCH);
    store(g, xlen, T0, REC_X + 8 * SP, GP);
    csrw(g, CSR_MSCRATCH, SP);
    csrr(g, S0, CSR_MSTATUS);
    for (unsigned i = 0; i + 1 < n; i++) {
        csrr(g, T0, diff_record_csr(xlen, i));
        store(g, xlen, T0, (int)(REC_CSR + 8 * i), GP);
    }
    fp_on(g);
    csrr(g, T0, diff_record_csr(xlen, n - 1));
    store(g, xlen, T0, (int)(REC_CSR + 8 * (n - 1)), GP);
    for (unsigned i = 0; i < 32; i++)
        fp_store(g, i, (int)(REC_F + 8 * i), GP);
    csrw(g, CSR_MSTATUS, S0);
    load(g, xlen, T0, CTL_ROOM, SP);
    store(g, xlen, T0, REC_X, GP);
    addi(g, T1, GP, REC_SIZE);
    store(g, xlen, T1, CTL_REC, SP);
    addi(g, T0, T0, -1);
    store(g, xlen, T0, CTL_ROOM, SP);
}

/* Ends the round where it can't go on: no room for records, nothing to fetch, the end of the block was reached. Otherwise goes on
   behind the instruction. Interrupts are off from the first one on. */
static void put_resume(struct guest *g, unsigned xlen, unsigned next)
{
    static const uint8_t ends[] = {0, 1, 12, 20};
    beq(g, T0, ZERO, next);
    lui(g, T0, 0x20); /* MPRV: MPP changes by the trap, and QEMU 7.2 then goes on with the one before */
    put_insn(g, r_type(0, S0, T0, 7, T0, 0x33));
    bne(g, T0, ZERO, next);
    load(g, xlen, T1, CTL_ROUND, SP);
    load(g, xlen, T1, ROUND_END, T1);
    static const uint16_t epcs[] = {0x341, 0x141, 0x241};
    for (unsigned i = 0; i < ARRAY_LEN(epcs); i++) {
        csrr(g, T0, epcs[i]);
        beq(g, T0, T1, next);
    }
    csrr(g, T1, CSR_MCAUSE);
    for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
        addi(g, T0, ZERO, ends[i]);
        beq(g, T0, T1, next);
    }
    csrr(g, T1, 0x34a); /* mtinst: it may have been a fetch, whatever QEMU's mcause says (compare.c) */
    for (unsigned i = 2; i < 4; i++) {
        lui(g, T0, i);
        beq(g, T0, T1, next);
    }
    csrr(g, T1, CSR_MCAUSE);
    static const uint16_t causes[] = {0x142, 0x242};
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
        csrr(g, T0, causes[i]);
        branch(g, 5, T0, ZERO, g->n + 2); /* bge */
        csrw(g, CSR_MIE, ZERO);
    }
    branch(g, 4, T1, ZERO, g->n + 5); /* blt: an interrupt; mepc stays */
    csrr(g, T0, CSR_MEPC);
    addi(g, T0, T0, 4);
    csrw(g, CSR_MEPC, T0);
    jump(g, g->n + 2);
    csrw(g, CSR_MIE, ZERO);
    for (unsigned i = 1; i < 32; i++)
        if (i != GP)
            load(g, xlen, i, (int)(REC_X + 8 * i), GP);
    load(g, xlen, GP, REC_X + 8 * GP, GP);
    mret(g);
}

void diff_harness(uint8_t *ram, unsigned xlen, unsigned first, unsigned n)
{
    static struct guest g;
    g.n = 0;
    csrr(&g, T0, CSR_MHARTID); /* other harts wait */
    beq(&g, T0, ZERO, g.n + 3);
    wfi(&g);
    jump(&g, g.n - 1);
    auipc(&g, SP, (DIFF_CTL - DIFF_CODE) >> 12);
    put_insn(&g, i_type(-16, SP, 0, SP, 0x13)); /* of 4 instructions before it */
    csrw(&g, CSR_MSCRATCH, SP);
    /* mtimecmp never comes */
    lui(&g, T0, 0x2004);
    addi(&g, T1, ZERO, -1);
    sw(&g, T1, 0, T0);
    sw(&g, T1, 4, T0);
    unsigned vector = la(&g, T0, 0);
    csrw(&g, CSR_MTVEC, T0);
    unsigned next = put_next(&g, xlen);
    patch_la(&g, vector, g.n);
    put_record(&g, xlen);
    put_resume(&g, xlen, next);
    static const uint32_t jump_there = (DIFF_CODE & 0xff000) | 0x6f; /* jal x0, DIFF_CODE; wild stores hit this page */
    memcpy(ram, &jump_there, 4);
    memcpy(ram + DIFF_CODE, g.code, g.n * 4);
    uint64_t ctl[] = {(n - first) * DIFF_ROUNDS, DIFF_RAM_BASE + diff_round(first, 0) - DIFF_ROUND};
    memcpy(ram + DIFF_CTL, ctl, sizeof ctl);
}
