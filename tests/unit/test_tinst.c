/*
 * Transformed instructions: the manual's formats over every row of the instruction tables, every 16-bit encoding against the
 * decoder's expansion, and cases by hand from the manual's text (hypervisor 9.6.3).
 */
#include "cpu/riscv/tinst.h"
#include "base/bits.h"
#include "base/rng.h"
#include "cpu/riscv/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

static bool starts(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

enum shape { NONE, LOADS, STORES, SAME_BUT_RS1, CBO };

/* Which format of the manual an instruction has. Shadow-stack pushes and pops have none (hypervisor: "no transformation ...
 * zero"). */
static enum shape shape_of(const struct insn_row *r)
{
    if (starts(r->name, "sspush") || starts(r->name, "sspopchk"))
        return NONE;
    if (starts(r->name, "hlv") || starts(r->name, "hsv") || r->cost == COST_AMO)
        return SAME_BUT_RS1;
    if (starts(r->name, "cbo_") || starts(r->name, "cbo."))
        return CBO;
    return r->cost == COST_LOAD ? LOADS : r->cost == COST_STORE ? STORES : NONE;
}

/* The manual's figures, field by field. */
static uint32_t expected(enum shape s, uint32_t insn, unsigned offset)
{
    uint32_t opcode = insn & 0x7f, funct3 = insn >> 12 & 7, rd = insn >> 7 & 31, rs2 = insn >> 20 & 31;
    switch (s) {
    case LOADS: return opcode | rd << 7 | funct3 << 12 | offset << 15;
    case STORES: return opcode | funct3 << 12 | offset << 15 | rs2 << 20;
    case SAME_BUT_RS1: return opcode | rd << 7 | funct3 << 12 | offset << 15 | rs2 << 20 | (insn >> 25) << 25;
    case CBO: return opcode | funct3 << 12 | (insn >> 20) << 20;
    default: return 0;
    }
}

static void every_instruction_has_its_format(void **state)
{
    (void)state;
    uint64_t rng = 1;
    unsigned of[5] = {0};
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (r.bytes != 4 || r.alias)
            continue;
        enum shape s = shape_of(&r);
        of[s]++;
        for (unsigned n = 0; n < 1000; n++) {
            uint32_t insn = r.match | ((uint32_t)rng_next(&rng) & ~r.mask);
            unsigned offset = (unsigned)rng_below(&rng, 16), xlen = n & 1 ? 64 : 32;
            if (tinst_transform(insn, xlen, offset) != expected(s, insn, offset))
                fail_msg("%s %08x: %08x, want %08x", r.name, insn, tinst_transform(insn, xlen, offset),
                         expected(s, insn, offset));
        }
    }
    assert_int_equal(of[LOADS], 10); /* 7 integer, 3 floating point */
    assert_int_equal(of[STORES], 7);
    assert_int_equal(of[CBO], 4);
    assert_in_range(of[SAME_BUT_RS1], 13 + 4 + 4 * 9, 100);
}

static struct insn_row row_of(enum rv_op op)
{
    for (unsigned i = 0; i < rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row(i);
        if (r.op == op && !r.alias)
            return r;
    }
    fail_msg("no row of operation %d", op);
    abort();
}

static void compressed_ones_are_expanded_and_lose_bit_1(void **state)
{
    (void)state;
    unsigned of[5] = {0};
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct rv_config cfg;
        rv_config_default(&cfg, xlen);
        struct rv_decoder *d = rv_decoder_new(&cfg);
        for (uint32_t insn = 0; insn < 0x10000; insn++) {
            if ((insn & 3) == 3)
                continue;
            struct decoded x = rv_decode(d, insn, xlen);
            if (x.op == OP_illegal)
                continue;
            struct insn_row r = row_of(x.op);
            enum shape s = shape_of(&r);
            uint32_t wide = r.match | (s == LOADS ? (x.rd & 31u) << 7 : (x.rs2 & 31u) << 20);
            uint32_t want = expected(s, wide, insn & 7) & ~2u;
            of[s]++;
            if (tinst_transform(insn, xlen, insn & 7) != want)
                fail_msg("rv%u %04x (%s): %08x, want %08x", xlen, insn, x.row->name, tinst_transform(insn, xlen, insn & 7), want);
        }
        rv_decoder_free(d);
    }
    assert_in_range(of[LOADS], 10000, 65536);
    assert_in_range(of[STORES], 10000, 65536);
}

static void cases_by_hand(void **state)
{
    (void)state;
    static const struct {
        uint32_t insn, want;
        unsigned xlen, offset;
        const char *text;
    } t[] = {
        {0x00c52583, 0x00002583, 64, 0, "lw a1,12(a0)"},
        {0x00c52583, 0x0001a583, 64, 3, "lw a1,12(a0), the fault 3 bytes in"},
        {0xfef53c23, 0x00f03023, 64, 0, "sd a5,-8(a0)"},
        {0x00b53427, 0x00b03027, 64, 0, "fsd fa1,8(a0)"},
        {0x00b6262f, 0x00b0262f, 64, 0, "amoadd.w a2,a1,(a2)"},
        {0x1005262f, 0x1000262f, 64, 0, "lr.w a2,(a0)"},
        {0x6c0545f3, 0x6c0045f3, 64, 0, "hlv.d a1,(a0)"},
        {0x6eb54073, 0x6eb04073, 64, 0, "hsv.d a1,(a0)"},
        {0x0045200f, 0x0040200f, 64, 0, "cbo.zero (a0)"},
        {0x414c, 0x00002581, 64, 0, "c.lw a1,4(a0)"},
        {0x6502, 0x00003501, 64, 0, "c.ldsp a0,0(sp)"},
        {0x6502, 0x00002505, 32, 0, "c.flwsp fa0,0(sp)"},
        {0xe42a, 0x00a03021, 64, 0, "c.sdsp a0,8(sp)"},
        {0x8a0c, 0x00b00021, 64, 0, "c.sb a1,0(a2)"},
        {0x00b50533, 0, 64, 0, "add: no access"},
        {0x00000073, 0, 64, 0, "ecall"},
        {0x02055007, 0, 64, 0, "a vector load: not this configuration's"},
        {0x00054507, 0x00004507, 64, 0, "flq fa0,0(a0)"},
        {0x00a54027, 0x00a04027, 64, 0, "fsq fa0,0(a0)"},
        {0x02055027, 0, 64, 0, "a vector store"},
        {0xce104073, 0, 64, 0, "sspush ra"},
        {0x30052573, 0, 64, 0, "csrrs"},
        {0x0ff0000f, 0, 64, 0, "fence"},
        {0x0001, 0, 64, 0, "c.nop"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        if (tinst_transform(t[i].insn, t[i].xlen, t[i].offset) != t[i].want)
            fail_msg("%s: %08x, want %08x", t[i].text, tinst_transform(t[i].insn, t[i].xlen, t[i].offset), t[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_has_its_format),
        cmocka_unit_test(compressed_ones_are_expanded_and_lose_bit_1),
        cmocka_unit_test(cases_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
