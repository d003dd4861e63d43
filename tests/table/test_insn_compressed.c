/*
 * Every 16-bit encoding is the 32-bit instruction the manual says it expands to: the expansions are written here a second time,
 * as instruction words. unpriv "C", "Zc", "Zcmop", "Zicfiss".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "insn_world.h"

#define RESERVED  0u
#define FENCE_NOP 0x0000000fu /* what trapline lets c.mop.n do: nothing */

static uint32_t i_type(uint32_t imm, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
    return (imm & 0xfff) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}

static uint32_t s_type(uint32_t imm, uint32_t rs2, uint32_t rs1, uint32_t f3, uint32_t op)
{
    return (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (imm & 0x1f) << 7 | op;
}

static uint32_t r_type(uint32_t f7, uint32_t rs2, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
    return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}

static uint32_t jal(uint32_t rd, uint32_t v)
{
    return (v >> 20 & 1) << 31 | (v >> 1 & 0x3ff) << 21 | (v >> 11 & 1) << 20 | (v >> 12 & 0xff) << 12 | rd << 7 | 0x6f;
}

static uint32_t branch(uint32_t f3, uint32_t rs1, uint32_t v)
{
    return (v >> 12 & 1) << 31 | (v >> 5 & 0x3f) << 25 | rs1 << 15 | f3 << 12 | (v >> 1 & 0xf) << 8 | (v >> 11 & 1) << 7 | 0x63;
}

/* Moves bits of c to places of a number: each pair is (bit of c, bit of the number). */
#define BIT(from, to) ((c >> (from)&1) << (to))
static uint32_t uimm_w(uint32_t c) { return BIT(5, 6) | BIT(12, 5) | BIT(11, 4) | BIT(10, 3) | BIT(6, 2); }
static uint32_t uimm_d(uint32_t c) { return BIT(6, 7) | BIT(5, 6) | BIT(12, 5) | BIT(11, 4) | BIT(10, 3); }
static uint32_t imm6(uint32_t c) { return (BIT(12, 5) | (c >> 2 & 31)) - (c & 0x1000 ? 64 : 0); }
static uint32_t shamt(uint32_t c) { return BIT(12, 5) | (c >> 2 & 31); }

static uint32_t jump_offset(uint32_t c)
{
    uint32_t v = BIT(12, 11) | BIT(11, 4) | BIT(10, 9) | BIT(9, 8) | BIT(8, 10) | BIT(7, 6) | BIT(6, 7) | BIT(5, 3) | BIT(4, 2) |
                 BIT(3, 1) | BIT(2, 5);
    return v - (v & 0x800 ? 0x1000 : 0);
}

static uint32_t branch_offset(uint32_t c)
{
    uint32_t v = BIT(12, 8) | BIT(11, 4) | BIT(10, 3) | BIT(6, 7) | BIT(5, 6) | BIT(4, 2) | BIT(3, 1) | BIT(2, 5);
    return v - (v & 0x100 ? 0x200 : 0);
}

enum {
    LOAD = 0x03,
    LOAD_FP = 0x07,
    STORE = 0x23,
    STORE_FP = 0x27,
    OP_IMM = 0x13,
    OP_IMM_32 = 0x1b,
    OP = 0x33,
    OP_32 = 0x3b,
    JALR = 0x67
};

static uint32_t quadrant0(uint32_t c, unsigned xlen)
{
    uint32_t a = 8 + (c >> 7 & 7), b = 8 + (c >> 2 & 7),
             u = BIT(12, 5) | BIT(11, 4) | BIT(10, 9) | BIT(9, 8) | BIT(8, 7) | BIT(7, 6) | BIT(6, 2) | BIT(5, 3);
    switch (c >> 13) {
    case 0: return u ? i_type(u, 2, 0, b, OP_IMM) : RESERVED;
    case 1: return i_type(uimm_d(c), a, 3, b, LOAD_FP);
    case 2: return i_type(uimm_w(c), a, 2, b, LOAD);
    case 3: return xlen == 64 ? i_type(uimm_d(c), a, 3, b, LOAD) : i_type(uimm_w(c), a, 2, b, LOAD_FP);
    case 4: /* Zcb */
        switch (c >> 10 & 7) {
        case 0: return i_type(BIT(5, 1) | BIT(6, 0), a, 4, b, LOAD);
        case 1: return i_type(BIT(5, 1), a, c & 0x40 ? 1 : 5, b, LOAD);
        case 2: return s_type(BIT(5, 1) | BIT(6, 0), b, a, 0, STORE);
        case 3: return c & 0x40 ? RESERVED : s_type(BIT(5, 1), b, a, 1, STORE);
        default: return RESERVED;
        }
    case 5: return s_type(uimm_d(c), b, a, 3, STORE_FP);
    case 6: return s_type(uimm_w(c), b, a, 2, STORE);
    default: return xlen == 64 ? s_type(uimm_d(c), b, a, 3, STORE) : s_type(uimm_w(c), b, a, 2, STORE_FP);
    }
}

static uint32_t zcb_unary(uint32_t c, uint32_t a, unsigned xlen)
{
    switch (c >> 2 & 7) {
    case 0: return i_type(0xff, a, 7, a, OP_IMM);                        /* c.zext.b */
    case 1: return i_type(0x604, a, 1, a, OP_IMM);                       /* c.sext.b */
    case 2: return r_type(4, 0, a, 4, a, xlen == 64 ? OP_32 : OP);       /* c.zext.h */
    case 3: return i_type(0x605, a, 1, a, OP_IMM);                       /* c.sext.h */
    case 4: return xlen == 64 ? r_type(4, 0, a, 0, a, OP_32) : RESERVED; /* c.zext.w */
    case 5: return i_type(0xfff, a, 4, a, OP_IMM);                       /* c.not */
    default: return RESERVED;
    }
}

static uint32_t misc_alu(uint32_t c, unsigned xlen)
{
    uint32_t a = 8 + (c >> 7 & 7), b = 8 + (c >> 2 & 7);
    static const uint32_t f3[] = {0, 4, 6, 7};
    switch (c >> 10 & 3) {
    case 0: return xlen == 32 && (c & 0x1000) ? RESERVED : i_type(shamt(c), a, 5, a, OP_IMM);
    case 1: return xlen == 32 && (c & 0x1000) ? RESERVED : i_type(0x400 | shamt(c), a, 5, a, OP_IMM);
    case 2: return i_type(imm6(c), a, 7, a, OP_IMM);
    default: break;
    }
    uint32_t k = c >> 5 & 3;
    if (!(c & 0x1000))
        return r_type(k == 0 ? 0x20 : 0, b, a, f3[k], a, OP);
    if (k == 3)
        return zcb_unary(c, a, xlen);
    if (k == 2)
        return r_type(1, b, a, 0, a, OP); /* c.mul */
    return xlen == 64 ? r_type(k == 0 ? 0x20 : 0, b, a, 0, a, OP_32) : RESERVED;
}

static uint32_t quadrant1(uint32_t c, unsigned xlen)
{
    uint32_t rd = c >> 7 & 31, a = 8 + (c >> 7 & 7);
    switch (c >> 13) {
    case 0: return i_type(imm6(c), rd, 0, rd, OP_IMM);
    case 1:
        if (xlen == 32)
            return jal(1, jump_offset(c));
        return rd ? i_type(imm6(c), rd, 0, rd, OP_IMM_32) : RESERVED;
    case 2: return i_type(imm6(c), 0, 0, rd, OP_IMM);
    case 3:
        if (!imm6(c)) {
            if (c == 0x6081) /* c.mop.1 is c.sspush x1, c.mop.5 c.sspopchk x5 */
                return r_type(0x67, 1, 0, 4, 0, 0x73);
            if (c == 0x6281)
                return i_type(0xcdc, 5, 4, 0, 0x73);
            return rd < 16 && (rd & 1) ? FENCE_NOP : RESERVED;
        }
        if (rd == 2)
            return i_type((BIT(12, 9) | BIT(6, 4) | BIT(5, 6) | BIT(4, 8) | BIT(3, 7) | BIT(2, 5)) - (c & 0x1000 ? 0x400 : 0), 2,
                          0, 2, OP_IMM);
        return imm6(c) << 12 | rd << 7 | 0x37;
    case 4: return misc_alu(c, xlen);
    case 5: return jal(0, jump_offset(c));
    default: return branch(c >> 13 & 1, a, branch_offset(c));
    }
}

static uint32_t quadrant2(uint32_t c, unsigned xlen)
{
    uint32_t rd = c >> 7 & 31, rs2 = c >> 2 & 31, lw = BIT(3, 7) | BIT(2, 6) | BIT(12, 5) | BIT(6, 4) | BIT(5, 3) | BIT(4, 2);
    uint32_t ld = BIT(4, 8) | BIT(3, 7) | BIT(2, 6) | BIT(12, 5) | BIT(6, 4) | BIT(5, 3);
    uint32_t sw = BIT(8, 7) | BIT(7, 6) | BIT(12, 5) | BIT(11, 4) | BIT(10, 3) | BIT(9, 2);
    uint32_t sd = BIT(9, 8) | BIT(8, 7) | BIT(7, 6) | BIT(12, 5) | BIT(11, 4) | BIT(10, 3);
    switch (c >> 13) {
    case 0: return xlen == 32 && (c & 0x1000) ? RESERVED : i_type(shamt(c), rd, 1, rd, OP_IMM);
    case 1: return i_type(ld, 2, 3, rd, LOAD_FP);
    case 2: return rd ? i_type(lw, 2, 2, rd, LOAD) : RESERVED;
    case 3:
        if (xlen == 32)
            return i_type(lw, 2, 2, rd, LOAD_FP);
        return rd ? i_type(ld, 2, 3, rd, LOAD) : RESERVED;
    case 4:
        if (!(c & 0x1000)) {
            if (rs2)
                return r_type(0, rs2, 0, 0, rd, OP);
            return rd ? i_type(0, rd, 0, 0, JALR) : RESERVED;
        }
        if (rs2)
            return r_type(0, rs2, rd, 0, rd, OP);
        return rd ? i_type(0, rd, 0, 1, JALR) : 0x00100073;
    case 5: return s_type(sd, rs2, 2, 3, STORE_FP);
    case 6: return s_type(sw, rs2, 2, 2, STORE);
    default: return xlen == 64 ? s_type(sd, rs2, 2, 3, STORE) : s_type(sw, rs2, 2, 2, STORE_FP);
    }
}

static uint32_t expansion(uint32_t c, unsigned xlen)
{
    return (c & 3) == 0 ? quadrant0(c, xlen) : (c & 3) == 1 ? quadrant1(c, xlen) : quadrant2(c, xlen);
}

static void compare(const struct rv_decoder *dec, uint32_t c, unsigned xlen)
{
    struct decoded d = rv_decode(dec, c, xlen);
    uint32_t wide = expansion(c, xlen);
    if (wide == RESERVED) {
        if (d.op != OP_illegal)
            fail_msg("%#06x is %s with XLEN %u, expected to be reserved", c, d.row->name, xlen);
        return;
    }
    struct decoded w = rv_decode(dec, wide, xlen);
    assert_int_not_equal(w.op, OP_illegal);
    /* Where all of bits 31:20 say which instruction it is, they are no immediate, although the format has one. */
    bool no_imm = w.row->mask >> 20 == 0xfff;
    bool operands = d.rd == w.rd && d.rs1 == w.rs1 && d.rs2 == w.rs2 && (no_imm || d.imm == w.imm) && d.frd == w.frd;
    if (d.op != w.op || !operands)
        fail_msg("%#06x is %s (imm %d rd %u rs1 %u rs2 %u) with XLEN %u, expected %s (imm %d rd %u rs1 %u rs2 %u)", c,
                 d.row ? d.row->name : "illegal", d.imm, d.rd, d.rs1, d.rs2, xlen, w.row->name, w.imm, w.rd, w.rs1, w.rs2);
}

static void every_16_bit_encoding_is_what_the_manual_expands_it_to(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rv_config cfg;
        rv_config_default(&cfg, xlen);
        struct rv_decoder *dec = rv_decoder_new(&cfg);
        for (uint32_t c = 0; c < 0x10000; c++)
            if ((c & 3) != 3)
                compare(dec, c, xlen);
        rv_decoder_free(dec);
    }
}

/* Without its extensions a 16-bit encoding is illegal, never another instruction. */
static void without_compressed_instructions_every_16_bit_encoding_is_illegal(void **state)
{
    (void)state;
    struct rv_config cfg;
    struct err e;
    rv_config_default(&cfg, 64);
    assert_true(rv_config_parse(&cfg, "rv64,c=off,zicfiss=off", &e));
    struct rv_decoder *dec = rv_decoder_new(&cfg);
    for (uint32_t c = 0; c < 0x10000; c++)
        if ((c & 3) != 3)
            assert_int_equal(rv_decode(dec, c, 64).op, OP_illegal);
    rv_decoder_free(dec);
}

/* Runs one instruction from a given state. */
static struct rv_state run_from(struct insn_world *w, const struct rv_state *from, uint32_t insn, unsigned bytes,
                                uint8_t data[0x1000])
{
    w->h->s = *from;
    insn_world_put(w, INSN_RAM + 0x4000, &insn, bytes);
    assert_true(mem_write(w->mem, INSN_DATA, data, 0x1000));
    insn_world_step(w, INSN_RAM + 0x4000);
    assert_true(mem_read(w->mem, INSN_DATA, data, 0x1000));
    return w->h->s;
}

/* All registers point into the data, so that loads and stores reach it. */
static void random_state(struct insn_world *w, struct rv_state *s)
{
    hart_reset(w->h);
    *s = w->h->s;
    s->cycle = 0;
    s->csr.mtvec = INSN_TRAP;
    s->csr.mstatus |= UINT64_C(1) << 13;
    for (unsigned i = 1; i < 32; i++) {
        s->x[i] = insn_sext(INSN_DATA + 0x400 + rng_below(&w->seed, 0x100) * 8, w->cfg.xlen);
        s->f[i] = rng_next(&w->seed);
    }
}

/* Link addresses and where it goes on in order differ by the two bytes. */
static void compare_run(struct insn_world *w, uint32_t c)
{
    static uint8_t narrow[0x1000], wide[0x1000];
    struct rv_state from, a, b;
    uint32_t expanded = expansion(c, w->cfg.xlen);
    random_state(w, &from);
    for (unsigned i = 0; i < sizeof narrow; i += 8) {
        uint64_t v = rng_next(&w->seed);
        memcpy(narrow + i, &v, 8);
    }
    memcpy(wide, narrow, sizeof wide);
    a = run_from(w, &from, c, 2, narrow);
    b = run_from(w, &from, expanded == RESERVED ? 0 : expanded, 4, wide);
    uint64_t next = INSN_RAM + 0x4002;
    if (b.pc == next + 2 && a.pc == next)
        b.pc = next;
    struct decoded d = rv_decode(w->decoder, c, w->cfg.xlen);
    if ((d.op == OP_jal || d.op == OP_jalr) && d.rd)
        b.x[d.rd] = insn_sext(next, w->cfg.xlen);
    a.x[32] = b.x[32] = 0;
    a.csr.mtval = b.csr.mtval; /* of an illegal instruction: its bits */
    if (memcmp(&a, &b, sizeof a) || memcmp(narrow, wide, sizeof wide))
        fail_msg("%#06x with XLEN %u ends at %#llx, its expansion %#x at %#llx, or with other registers or memory", c,
                 w->cfg.xlen, (unsigned long long)a.pc, expanded, (unsigned long long)b.pc);
}

static void every_16_bit_instruction_does_what_its_expansion_does(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct insn_world *w = insn_world_new(xlen == 32 ? "rv32" : "rv64");
        for (uint32_t c = 0; c < 0x10000; c++)
            if ((c & 3) != 3)
                compare_run(w, c);
        insn_world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_16_bit_encoding_is_what_the_manual_expands_it_to),
        cmocka_unit_test(every_16_bit_instruction_does_what_its_expansion_does),
        cmocka_unit_test(without_compressed_instructions_every_16_bit_encoding_is_illegal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
