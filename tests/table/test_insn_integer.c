/*
 * Integer instructions, as the hart executes them, do what the manual says: I, M, B (Zba Zbb Zbc Zbs), Zbkb, Zbkc, Zbkx, Zicond,
 * on RV32 and RV64. The table states encodings and results a second time, bit by bit where the rows use arithmetic.
 * timeout: 300
 */
#include <setjmp.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "insn_world.h"

/* ---- results: a and b are XLEN bits wide, zero-extended; only the low XLEN bits of the result count -------------- */

typedef uint64_t result_fn(uint64_t a, uint64_t b, unsigned n);

static int64_t sgn(uint64_t v, unsigned n) { return (int64_t)insn_sext(v, n); }
static uint64_t w_of(uint64_t v) { return insn_sext(v, 32); }
static uint64_t ones(unsigned n) { return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1; }
static unsigned bit_at(uint64_t v, unsigned i) { return (unsigned)(v >> i & 1); }

#define OP2(name, expr)                                      \
    static uint64_t name(uint64_t a, uint64_t b, unsigned n) \
    {                                                        \
        (void)a, (void)b, (void)n;                           \
        return (uint64_t)(expr);                             \
    }
OP2(r_add, a + b)
OP2(r_sub, a - b)
OP2(r_xor, (a | b) - (a & b))
OP2(r_or, a + b - (a & b))
OP2(r_and, a + b - (a | b))
OP2(r_slt, sgn(a, n) < sgn(b, n))
OP2(r_sltu, a < b)
OP2(r_sll, a *(UINT64_C(1) << b % n))
OP2(r_srl, a / (UINT64_C(1) << b % n))
OP2(r_sra, bit_at(a, n - 1) ? ~((~a & ones(n)) >> b % n) : a >> b % n)
OP2(r_addw, w_of(a + b))
OP2(r_subw, w_of(a - b))
OP2(r_sllw, w_of(a << (b & 31)))
OP2(r_srlw, w_of((a & ones(32)) >> (b & 31)))
OP2(r_sraw, (int64_t)w_of(a) >> (b & 31))
OP2(r_mul, (unsigned __int128)a *b)
OP2(r_mulh, (__int128)sgn(a, n) * sgn(b, n) >> n)
OP2(r_mulhsu, (__int128)sgn(a, n) * (__int128)(unsigned __int128)b >> n)
OP2(r_mulhu, (unsigned __int128)a *b >> n)
OP2(r_mulw, w_of(a *b))
OP2(r_andn, a &(b ^ ones(n)))
OP2(r_orn, a | (b ^ ones(n)))
OP2(r_xnor, (a ^ b) ^ ones(n))
OP2(r_sh1add, a * 2 + b)
OP2(r_sh2add, a * 4 + b)
OP2(r_sh3add, a * 8 + b)
OP2(r_adduw, (a & ones(32)) + b)
OP2(r_sh1adduw, (a & ones(32)) * 2 + b)
OP2(r_sh2adduw, (a & ones(32)) * 4 + b)
OP2(r_sh3adduw, (a & ones(32)) * 8 + b)
OP2(r_slliuw, (a & ones(32)) << b)
OP2(r_max, sgn(a, n) < sgn(b, n) ? b : a)
OP2(r_min, sgn(a, n) < sgn(b, n) ? a : b)
OP2(r_maxu, a < b ? b : a)
OP2(r_minu, a < b ? a : b)
OP2(r_sextb, insn_sext(a, 8))
OP2(r_sexth, insn_sext(a, 16))
OP2(r_zexth, a % 65536)
OP2(r_bclr, a & ~(UINT64_C(1) << b % n))
OP2(r_bset, a | UINT64_C(1) << b % n)
OP2(r_binv, bit_at(a, (unsigned)(b % n)) ? a - (UINT64_C(1) << b % n) : a + (UINT64_C(1) << b % n))
OP2(r_bext, bit_at(a, (unsigned)(b % n)))
OP2(r_czero_eqz, b == 0 ? 0 : a)
OP2(r_czero_nez, b != 0 ? 0 : a)
OP2(r_pack, a % (UINT64_C(1) << n / 2) + b * (UINT64_C(1) << n / 2))
OP2(r_packh, a % 256 + b % 256 * 256)
OP2(r_packw, w_of(a % 65536 + b % 65536 * 65536))

/* unpriv "M": division by zero gives all ones and the dividend; overflow the dividend and zero. */
static uint64_t divide(uint64_t a, uint64_t b, unsigned n, bool is_signed, bool remainder)
{
    if (b == 0)
        return remainder ? a : ones(n);
    if (!is_signed)
        return remainder ? a % b : a / b;
    if (a == UINT64_C(1) << (n - 1) && b == ones(n))
        return remainder ? 0 : a;
    bool na = bit_at(a, n - 1), nb = bit_at(b, n - 1);
    uint64_t ua = na ? (0 - a) & ones(n) : a, ub = nb ? (0 - b) & ones(n) : b, q = ua / ub, r = ua % ub;
    return remainder ? (na ? 0 - r : r) : na != nb ? 0 - q : q;
}
OP2(r_div, divide(a, b, n, true, false))
OP2(r_divu, divide(a, b, n, false, false))
OP2(r_rem, divide(a, b, n, true, true))
OP2(r_remu, divide(a, b, n, false, true))
OP2(r_divw, w_of(divide(a &ones(32), b &ones(32), 32, true, false)))
OP2(r_divuw, w_of(divide(a &ones(32), b &ones(32), 32, false, false)))
OP2(r_remw, w_of(divide(a &ones(32), b &ones(32), 32, true, true)))
OP2(r_remuw, w_of(divide(a &ones(32), b &ones(32), 32, false, true)))

/* Result bit i is bit from(i) of the operand. */
static uint64_t permute(uint64_t a, unsigned n, unsigned (*from)(unsigned i, unsigned n))
{
    uint64_t r = 0;
    for (unsigned i = 0; i < n; i++)
        r |= (uint64_t)bit_at(a, from(i, n)) << i;
    return r;
}
static unsigned from_rev8(unsigned i, unsigned n) { return n - 8 - i / 8 * 8 + i % 8; }
static unsigned from_brev8(unsigned i, unsigned n)
{
    (void)n;
    return i / 8 * 8 + 7 - i % 8;
}
static unsigned from_zip(unsigned i, unsigned n) { return i % 2 ? i / 2 + n / 2 : i / 2; }
static unsigned from_unzip(unsigned i, unsigned n) { return i < n / 2 ? 2 * i : 2 * (i - n / 2) + 1; }
OP2(r_rev8, permute(a, n, from_rev8))
OP2(r_brev8, permute(a, n, from_brev8))
OP2(r_zip, permute(a, n, from_zip))
OP2(r_unzip, permute(a, n, from_unzip))

static uint64_t rotate(uint64_t a, uint64_t right, unsigned n)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < n; i++)
        r |= (uint64_t)bit_at(a, (unsigned)((i + right) % n)) << i;
    return r;
}
OP2(r_ror, rotate(a, b % n, n))
OP2(r_rol, rotate(a, n - b % n, n))
OP2(r_rorw, w_of(rotate(a, b % 32, 32)))
OP2(r_rolw, w_of(rotate(a, 32 - b % 32, 32)))

static uint64_t count(uint64_t a, unsigned n, int what) /* 0 leading zeros, 1 trailing zeros, 2 ones */
{
    unsigned c = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned bit = bit_at(a, what == 0 ? n - 1 - i : i);
        if (what < 2 && bit)
            return c;
        c += what < 2 ? 1 : bit;
    }
    return c;
}
OP2(r_clz, count(a, n, 0))
OP2(r_ctz, count(a, n, 1))
OP2(r_cpop, count(a, n, 2))
OP2(r_clzw, count(a, 32, 0))
OP2(r_ctzw, count(a, 32, 1))
OP2(r_cpopw, count(a, 32, 2))

static uint64_t r_orcb(uint64_t a, uint64_t b, unsigned n)
{
    uint64_t r = 0;
    (void)b;
    for (unsigned i = 0; i < n; i += 8)
        r |= (a >> i & 255 ? UINT64_C(255) : 0) << i;
    return r;
}

/* Bit `at` of the carry-less product. */
static unsigned product_bit(uint64_t a, uint64_t b, unsigned n, unsigned at)
{
    unsigned r = 0;
    for (unsigned i = 0; i < n; i++)
        if (at >= i && at - i < n)
            r ^= bit_at(a, i) & bit_at(b, at - i);
    return r;
}
static uint64_t product(uint64_t a, uint64_t b, unsigned n, unsigned first)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < n; i++)
        r |= (uint64_t)product_bit(a, b, n, first + i) << i;
    return r;
}
OP2(r_clmul, product(a, b, n, 0))
OP2(r_clmulh, product(a, b, n, n))
OP2(r_clmulr, product(a, b, n, n - 1))

static uint64_t lookup(uint64_t a, uint64_t b, unsigned n, unsigned width)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < n / width; i++) {
        uint64_t index = b >> (i * width) & ones(width);
        if (index < n / width)
            r |= (a >> (index * width) & ones(width)) << (i * width);
    }
    return r;
}
OP2(r_xperm4, lookup(a, b, n, 4))
OP2(r_xperm8, lookup(a, b, n, 8))
OP2(r_zero, 0)

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* R: two registers. I: immediate. SH: shift amount of XLEN, SHW of 32. U: one register, rs2 field `f2`. */
enum shape { R, I, SH, SHW, U };
enum { OP_IMM = 0x13, OP_IMM_32 = 0x1b, OP = 0x33, OP_32 = 0x3b, SYSTEM = 0x73 };

static const struct op {
    const char *name;
    enum shape shape;
    uint32_t opcode, f3, f7, f2;
    unsigned xlen; /* 0: both */
    result_fn *result;
} ops[] = {
    {"add", R, OP, 0, 0x00, 0, 0, r_add},
    {"sub", R, OP, 0, 0x20, 0, 0, r_sub},
    {"sll", R, OP, 1, 0x00, 0, 0, r_sll},
    {"slt", R, OP, 2, 0x00, 0, 0, r_slt},
    {"sltu", R, OP, 3, 0x00, 0, 0, r_sltu},
    {"xor", R, OP, 4, 0x00, 0, 0, r_xor},
    {"srl", R, OP, 5, 0x00, 0, 0, r_srl},
    {"sra", R, OP, 5, 0x20, 0, 0, r_sra},
    {"or", R, OP, 6, 0x00, 0, 0, r_or},
    {"and", R, OP, 7, 0x00, 0, 0, r_and},
    {"addi", I, OP_IMM, 0, 0, 0, 0, r_add},
    {"slti", I, OP_IMM, 2, 0, 0, 0, r_slt},
    {"sltiu", I, OP_IMM, 3, 0, 0, 0, r_sltu},
    {"xori", I, OP_IMM, 4, 0, 0, 0, r_xor},
    {"ori", I, OP_IMM, 6, 0, 0, 0, r_or},
    {"andi", I, OP_IMM, 7, 0, 0, 0, r_and},
    {"slli", SH, OP_IMM, 1, 0x00, 0, 0, r_sll},
    {"srli", SH, OP_IMM, 5, 0x00, 0, 0, r_srl},
    {"srai", SH, OP_IMM, 5, 0x20, 0, 0, r_sra},
    {"addw", R, OP_32, 0, 0x00, 0, 64, r_addw},
    {"subw", R, OP_32, 0, 0x20, 0, 64, r_subw},
    {"sllw", R, OP_32, 1, 0x00, 0, 64, r_sllw},
    {"srlw", R, OP_32, 5, 0x00, 0, 64, r_srlw},
    {"sraw", R, OP_32, 5, 0x20, 0, 64, r_sraw},
    {"addiw", I, OP_IMM_32, 0, 0, 0, 64, r_addw},
    {"slliw", SHW, OP_IMM_32, 1, 0x00, 0, 64, r_sllw},
    {"srliw", SHW, OP_IMM_32, 5, 0x00, 0, 64, r_srlw},
    {"sraiw", SHW, OP_IMM_32, 5, 0x20, 0, 64, r_sraw},

    {"mul", R, OP, 0, 0x01, 0, 0, r_mul},
    {"mulh", R, OP, 1, 0x01, 0, 0, r_mulh},
    {"mulhsu", R, OP, 2, 0x01, 0, 0, r_mulhsu},
    {"mulhu", R, OP, 3, 0x01, 0, 0, r_mulhu},
    {"div", R, OP, 4, 0x01, 0, 0, r_div},
    {"divu", R, OP, 5, 0x01, 0, 0, r_divu},
    {"rem", R, OP, 6, 0x01, 0, 0, r_rem},
    {"remu", R, OP, 7, 0x01, 0, 0, r_remu},
    {"mulw", R, OP_32, 0, 0x01, 0, 64, r_mulw},
    {"divw", R, OP_32, 4, 0x01, 0, 64, r_divw},
    {"divuw", R, OP_32, 5, 0x01, 0, 64, r_divuw},
    {"remw", R, OP_32, 6, 0x01, 0, 64, r_remw},
    {"remuw", R, OP_32, 7, 0x01, 0, 64, r_remuw},

    {"sh1add", R, OP, 2, 0x10, 0, 0, r_sh1add},
    {"sh2add", R, OP, 4, 0x10, 0, 0, r_sh2add},
    {"sh3add", R, OP, 6, 0x10, 0, 0, r_sh3add},
    {"add.uw", R, OP_32, 0, 0x04, 0, 64, r_adduw},
    {"sh1add.uw", R, OP_32, 2, 0x10, 0, 64, r_sh1adduw},
    {"sh2add.uw", R, OP_32, 4, 0x10, 0, 64, r_sh2adduw},
    {"sh3add.uw", R, OP_32, 6, 0x10, 0, 64, r_sh3adduw},
    {"slli.uw", SH, OP_IMM_32, 1, 0x04, 0, 64, r_slliuw},

    {"andn", R, OP, 7, 0x20, 0, 0, r_andn},
    {"orn", R, OP, 6, 0x20, 0, 0, r_orn},
    {"xnor", R, OP, 4, 0x20, 0, 0, r_xnor},
    {"clz", U, OP_IMM, 1, 0x30, 0, 0, r_clz},
    {"ctz", U, OP_IMM, 1, 0x30, 1, 0, r_ctz},
    {"cpop", U, OP_IMM, 1, 0x30, 2, 0, r_cpop},
    {"clzw", U, OP_IMM_32, 1, 0x30, 0, 64, r_clzw},
    {"ctzw", U, OP_IMM_32, 1, 0x30, 1, 64, r_ctzw},
    {"cpopw", U, OP_IMM_32, 1, 0x30, 2, 64, r_cpopw},
    {"sext.b", U, OP_IMM, 1, 0x30, 4, 0, r_sextb},
    {"sext.h", U, OP_IMM, 1, 0x30, 5, 0, r_sexth},
    {"zext.h", U, OP, 4, 0x04, 0, 32, r_zexth},
    {"zext.h", U, OP_32, 4, 0x04, 0, 64, r_zexth},
    {"max", R, OP, 6, 0x05, 0, 0, r_max},
    {"maxu", R, OP, 7, 0x05, 0, 0, r_maxu},
    {"min", R, OP, 4, 0x05, 0, 0, r_min},
    {"minu", R, OP, 5, 0x05, 0, 0, r_minu},
    {"rol", R, OP, 1, 0x30, 0, 0, r_rol},
    {"ror", R, OP, 5, 0x30, 0, 0, r_ror},
    {"rori", SH, OP_IMM, 5, 0x30, 0, 0, r_ror},
    {"rolw", R, OP_32, 1, 0x30, 0, 64, r_rolw},
    {"rorw", R, OP_32, 5, 0x30, 0, 64, r_rorw},
    {"roriw", SHW, OP_IMM_32, 5, 0x30, 0, 64, r_rorw},
    {"orc.b", U, OP_IMM, 5, 0x14, 7, 0, r_orcb},
    {"rev8", U, OP_IMM, 5, 0x34, 0x18, 32, r_rev8},
    {"rev8", U, OP_IMM, 5, 0x35, 0x18, 64, r_rev8},

    {"clmul", R, OP, 1, 0x05, 0, 0, r_clmul},
    {"clmulh", R, OP, 3, 0x05, 0, 0, r_clmulh},
    {"clmulr", R, OP, 2, 0x05, 0, 0, r_clmulr},
    {"bclr", R, OP, 1, 0x24, 0, 0, r_bclr},
    {"bclri", SH, OP_IMM, 1, 0x24, 0, 0, r_bclr},
    {"bext", R, OP, 5, 0x24, 0, 0, r_bext},
    {"bexti", SH, OP_IMM, 5, 0x24, 0, 0, r_bext},
    {"binv", R, OP, 1, 0x34, 0, 0, r_binv},
    {"binvi", SH, OP_IMM, 1, 0x34, 0, 0, r_binv},
    {"bset", R, OP, 1, 0x14, 0, 0, r_bset},
    {"bseti", SH, OP_IMM, 1, 0x14, 0, 0, r_bset},

    {"brev8", U, OP_IMM, 5, 0x34, 7, 0, r_brev8},
    {"pack", R, OP, 4, 0x04, 0, 0, r_pack},
    {"packh", R, OP, 7, 0x04, 0, 0, r_packh},
    {"packw", R, OP_32, 4, 0x04, 0, 64, r_packw},
    {"zip", U, OP_IMM, 1, 0x04, 0xf, 32, r_zip},
    {"unzip", U, OP_IMM, 5, 0x04, 0xf, 32, r_unzip},
    {"xperm4", R, OP, 2, 0x14, 0, 0, r_xperm4},
    {"xperm8", R, OP, 4, 0x14, 0, 0, r_xperm8},
    {"czero.eqz", R, OP, 5, 0x07, 0, 0, r_czero_eqz},
    {"czero.nez", R, OP, 7, 0x07, 0, 0, r_czero_nez},
    {"mop.rr.0", R, SYSTEM, 4, 0x41, 0, 0, r_zero},
    {"mop.rr.7", R, SYSTEM, 4, 0x67, 0, 0, r_zero},
    {"mop.r.0", U, SYSTEM, 4, 0x40, 0x1c, 0, r_zero},
    {"mop.r.31", U, SYSTEM, 4, 0x66, 0x1f, 0, r_zero},
};

static uint32_t encode(const struct op *o, unsigned rd, unsigned rs1, uint32_t second)
{
    uint32_t top = o->f7 << 25 | second << 20;
    if (o->shape == I)
        top = second << 20;
    if (o->shape == U)
        top = o->f7 << 25 | o->f2 << 20;
    return top | rs1 << 15 | o->f3 << 12 | rd << 7 | o->opcode;
}

/* mop.rr.7 with rs1 = x1 or x5 fields would be sspush: keep these apart. */
static unsigned any_register(uint64_t *seed)
{
    return (unsigned)rng_below(seed, 10) == 0 ? 0 : 1 + (unsigned)rng_below(seed, 31);
}

static void run_one(struct insn_world *w, const struct op *o, uint32_t insn, unsigned rd, unsigned rs1, uint32_t second,
                    uint64_t pc)
{
    struct rv_state *s = &w->h->s;
    unsigned n = w->cfg.xlen;
    uint64_t before[33];
    s->x[rs1] = rs1 ? insn_value(&w->seed, n) : 0;
    if (o->shape == R && second)
        s->x[second] = rng_below(&w->seed, 8) == 0 ? s->x[rs1] : insn_value(&w->seed, n);
    memcpy(before, s->x, sizeof before);
    uint64_t a = s->x[rs1] & ones(n), b = o->shape == R ? s->x[second] : o->shape == I ? insn_sext(second, 12) : second;
    insn_world_step(w, pc);
    uint64_t want = rd ? insn_sext(o->result(a, b & ones(n), n), n) : 0;
    if (s->x[rd] != want || s->pc != pc + 4)
        fail_msg("%s rv%u %#x: x%u %#" PRIx64 ", second %#" PRIx64 " -> %#" PRIx64 ", expected %#" PRIx64 "; pc %#" PRIx64,
                 o->name, n, insn, rs1, a, b, s->x[rd], want, s->pc);
    before[rd] = want;
    assert_memory_equal(before, s->x, 32 * sizeof before[0]);
}

static void run_table(const char *cpu)
{
    struct insn_world *w = insn_world_new(cpu);
    unsigned n = w->cfg.xlen, rounds = insn_rounds();
    uint64_t pc = INSN_RAM;
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        const struct op *o = &ops[i];
        if (o->xlen && o->xlen != n)
            continue;
        for (unsigned k = 0; k < rounds / 10; k++) {
            unsigned rd = any_register(&w->seed), rs1 = any_register(&w->seed);
            uint32_t second = o->shape == R    ? any_register(&w->seed)
                              : o->shape == I  ? (uint32_t)rng_next(&w->seed) & 0xfff
                              : o->shape == SH ? (uint32_t)rng_below(&w->seed, n)
                                               : (uint32_t)rng_below(&w->seed, 32);
            uint32_t insn = encode(o, rd, rs1, second);
            insn_world_put(w, pc, &insn, 4);
            for (unsigned j = 0; j < 10; j++)
                run_one(w, o, insn, rd, rs1, second, pc);
            pc = pc + 4 < INSN_RAM + 0x7000 ? pc + 4 : INSN_RAM;
        }
    }
    insn_world_free(w);
}

static void register_and_immediate_operations_do_what_the_manual_says_on_rv64(void **state)
{
    (void)state;
    run_table("rv64");
}

static void register_and_immediate_operations_do_what_the_manual_says_on_rv32(void **state)
{
    (void)state;
    run_table("rv32");
}

/* ---- upper immediates, jumps, branches --------------------------------------------------------------------------- */

static void upper_immediates_and_jumps_are_relative_to_the_instruction(void **state)
{
    (void)state;
    for (unsigned n = 32; n <= 64; n += 32) {
        struct insn_world *w = insn_world_new(n == 32 ? "rv32" : "rv64");
        struct rv_state *s = &w->h->s;
        for (unsigned k = 0; k < insn_rounds(); k++) {
            uint64_t pc = INSN_RAM + rng_below(&w->seed, 0x7000) * 2 % 0x7000;
            unsigned rd = any_register(&w->seed), rs1 = any_register(&w->seed), kind = (unsigned)rng_below(&w->seed, 4);
            uint32_t bits = (uint32_t)rng_next(&w->seed);
            uint64_t want_pc = pc + 4, want;
            s->x[rs1] = rs1 ? insn_value(&w->seed, n) : 0;
            uint64_t base = s->x[rs1],
                     jump = insn_sext((uint64_t)(bits >> 31) << 20 | (uint64_t)(bits >> 12 & 0xff) << 12 |
                                          (uint64_t)(bits >> 20 & 1) << 11 | (uint64_t)(bits >> 21 & 0x3ff) << 1,
                                      21);
            uint32_t insn;
            switch (kind) {
            case 0:
                insn = (bits & 0xfffff000) | rd << 7 | 0x37;
                want = insn_sext(bits & 0xfffff000, 32);
                break;
            case 1:
                insn = (bits & 0xfffff000) | (rd ? rd : 1) << 7 | 0x17; /* auipc x0 is lpad */
                rd = rd ? rd : 1;
                want = insn_sext(pc + insn_sext(bits & 0xfffff000, 32), n);
                break;
            case 2:
                insn = (bits & 0xfffff000) | rd << 7 | 0x6f;
                want = insn_sext(pc + 4, n);
                want_pc = pc + jump;
                break;
            default:
                insn = (bits & 0xfff00000) | rs1 << 15 | rd << 7 | 0x67;
                want = insn_sext(pc + 4, n);
                want_pc = (base + insn_sext(bits >> 20, 12)) & ~UINT64_C(1);
                break;
            }
            insn_world_put(w, pc, &insn, 4);
            insn_world_step(w, pc);
            assert_int_equal(s->x[rd], rd ? want : 0);
            assert_int_equal(s->pc, n == 32 ? (uint32_t)want_pc : want_pc);
        }
        insn_world_free(w);
    }
}

static void branches_are_taken_when_the_manual_says(void **state)
{
    (void)state;
    for (unsigned n = 32; n <= 64; n += 32) {
        struct insn_world *w = insn_world_new(n == 32 ? "rv32" : "rv64");
        struct rv_state *s = &w->h->s;
        for (unsigned k = 0; k < insn_rounds() * 4; k++) {
            static const uint32_t f3s[] = {0, 1, 4, 5, 6, 7};
            uint32_t f3 = f3s[rng_below(&w->seed, 6)], bits = (uint32_t)rng_next(&w->seed);
            unsigned rs1 = any_register(&w->seed), rs2 = any_register(&w->seed);
            uint64_t pc = INSN_RAM + rng_below(&w->seed, 0x3800) * 2;
            uint64_t off = insn_sext((uint64_t)(bits >> 31) << 12 | (uint64_t)(bits >> 7 & 1) << 11 |
                                         (uint64_t)(bits >> 25 & 0x3f) << 5 | (uint64_t)(bits >> 8 & 0xf) << 1,
                                     13);
            uint32_t insn = (bits & 0xfe000f80) | rs2 << 20 | rs1 << 15 | f3 << 12 | 0x63;
            s->x[rs1] = rs1 ? insn_value(&w->seed, n) : 0;
            s->x[rs2] = !rs2 ? 0 : rng_below(&w->seed, 4) ? insn_value(&w->seed, n) : s->x[rs1];
            uint64_t a = s->x[rs1] & ones(n), b = s->x[rs2] & ones(n);
            bool less = f3 < 6 ? sgn(a, n) < sgn(b, n) : a < b, taken = (f3 < 4 ? a == b : less) != (f3 & 1);
            insn_world_put(w, pc, &insn, 4);
            insn_world_step(w, pc);
            uint64_t want = taken ? pc + off : pc + 4;
            if (s->pc != (n == 32 ? (uint32_t)want : want))
                fail_msg("%#x rv%u at %#" PRIx64 ": %#" PRIx64 " %#" PRIx64 " goes to %#" PRIx64 ", expected %#" PRIx64, insn, n,
                         pc, a, b, s->pc, want);
        }
        insn_world_free(w);
    }
}

/* ---- loads and stores -------------------------------------------------------------------------------------------- */

static void loads_extend_and_stores_change_their_bytes_only(void **state)
{
    (void)state;
    static uint8_t image[0x1000], seen[0x1000];
    for (unsigned n = 32; n <= 64; n += 32) {
        struct insn_world *w = insn_world_new(n == 32 ? "rv32" : "rv64");
        struct rv_state *s = &w->h->s;
        for (unsigned i = 0; i < sizeof image; i++)
            image[i] = (uint8_t)rng_next(&w->seed);
        insn_world_put(w, INSN_DATA, image, sizeof image);
        for (unsigned k = 0; k < insn_rounds() * 2; k++) {
            bool store = rng_next(&w->seed) & 1;
            uint32_t f3 = (uint32_t)rng_below(&w->seed, store ? (n == 64 ? 4 : 3) : (n == 64 ? 7 : 6));
            f3 += !store && n == 32 && f3 >= 3; /* 3 and 6 are RV64's */
            if (!store && n == 32 && f3 == 6)
                continue;
            unsigned bytes = 1u << (f3 & 3), base = 1 + (unsigned)rng_below(&w->seed, 31), other = any_register(&w->seed);
            uint32_t off12 = (uint32_t)rng_next(&w->seed) & 0xfff, at = (uint32_t)rng_below(&w->seed, sizeof image - 8);
            if (other == base)
                continue;
            s->x[other] = other ? insn_value(&w->seed, n) : 0;
            s->x[base] = insn_sext(INSN_DATA + at - insn_sext(off12, 12), n);
            uint32_t insn = store ? (off12 >> 5) << 25 | other << 20 | base << 15 | f3 << 12 | (off12 & 31) << 7 | 0x23
                                  : off12 << 20 | base << 15 | f3 << 12 | other << 7 | 0x03;
            insn_world_put(w, INSN_RAM + (k % 1024) * 4, &insn, 4);
            uint64_t value = s->x[other], want = value;
            insn_world_step(w, INSN_RAM + (k % 1024) * 4);
            if (store)
                memcpy(image + at, &value, bytes);
            else {
                want = 0;
                memcpy(&want, image + at, bytes);
                want = other == 0 ? 0 : f3 < 4 ? insn_sext(want, bytes * 8) : want;
            }
            assert_true(mem_read(w->mem, INSN_DATA, seen, sizeof seen));
            assert_memory_equal(seen, image, sizeof image);
            if (s->x[other] != want || s->pc != INSN_RAM + (k % 1024) * 4 + 4)
                fail_msg("%#x rv%u at offset %#x: x%u is %#" PRIx64 ", expected %#" PRIx64, insn, n, at, other, s->x[other],
                         want);
        }
        insn_world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_and_immediate_operations_do_what_the_manual_says_on_rv64),
        cmocka_unit_test(register_and_immediate_operations_do_what_the_manual_says_on_rv32),
        cmocka_unit_test(upper_immediates_and_jumps_are_relative_to_the_instruction),
        cmocka_unit_test(branches_are_taken_when_the_manual_says),
        cmocka_unit_test(loads_extend_and_stores_change_their_bytes_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
