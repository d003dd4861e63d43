/* Small A64 guests for tests, assembled by hand. Arm ARM C6.2. */
#ifndef TL_TESTS_A64_GUEST_H
#define TL_TESTS_A64_GUEST_H
#include <assert.h>
#include <stdint.h>

/* Code that is being written: its address is `pc`. */
struct a64 {
    uint32_t *code;
    unsigned n, cap;
};

enum { A64_SP = 31, A64_ZR = 31 };
enum { A64_EQ, A64_NE, A64_CS, A64_CC, A64_MI, A64_PL, A64_VS, A64_VC, A64_HI, A64_LS, A64_GE, A64_LT, A64_GT, A64_LE, A64_AL };

static inline unsigned a64_put(struct a64 *g, uint32_t insn)
{
    assert(g->n < g->cap);
    g->code[g->n] = insn;
    return g->n++;
}

/* An encoding of a system register as MRS and MSR have it: op0, op1, CRn, CRm, op2 in bits 20:5. */
#define A64_REG(op0, op1, crn, crm, op2) ((uint32_t)((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5))
/* The same of a number of sysreg.h's sysreg_key. */
static inline uint32_t a64_reg_of_key(unsigned key)
{
    return A64_REG(key >> 14 & 3, key >> 11 & 7, key >> 7 & 15, key >> 3 & 15, key & 7);
}

static inline void a64_nop(struct a64 *g) { a64_put(g, 0xd503201f); }
static inline void a64_isb(struct a64 *g) { a64_put(g, 0xd5033fdf); }
static inline void a64_eret(struct a64 *g) { a64_put(g, 0xd69f03e0); }
static inline void a64_mrs(struct a64 *g, unsigned rt, uint32_t reg) { a64_put(g, 0xd5200000 | reg | rt); }
static inline void a64_msr(struct a64 *g, uint32_t reg, unsigned rt) { a64_put(g, 0xd5000000 | reg | rt); }
static inline void a64_svc(struct a64 *g, unsigned imm) { a64_put(g, 0xd4000001 | imm << 5); }
static inline void a64_hvc(struct a64 *g, unsigned imm) { a64_put(g, 0xd4000002 | imm << 5); }
static inline void a64_smc(struct a64 *g, unsigned imm) { a64_put(g, 0xd4000003 | imm << 5); }
static inline void a64_brk(struct a64 *g, unsigned imm) { a64_put(g, 0xd4200000 | imm << 5); }
static inline void a64_hlt(struct a64 *g, unsigned imm) { a64_put(g, 0xd4400000 | imm << 5); }
static inline void a64_movz(struct a64 *g, unsigned rd, unsigned imm, unsigned shift)
{
    a64_put(g, 0xd2800000 | shift / 16 << 21 | imm << 5 | rd);
}
static inline void a64_movk(struct a64 *g, unsigned rd, unsigned imm, unsigned shift)
{
    a64_put(g, 0xf2800000 | shift / 16 << 21 | imm << 5 | rd);
}
/* Any value, in up to four instructions. */
static inline void a64_mov_imm(struct a64 *g, unsigned rd, uint64_t v)
{
    a64_movz(g, rd, v & 0xffff, 0);
    for (unsigned s = 16; s < 64; s += 16) {
        if (v >> s & 0xffff)
            a64_movk(g, rd, (unsigned)(v >> s) & 0xffff, s);
    }
}
static inline void a64_mov(struct a64 *g, unsigned rd, unsigned rm) { a64_put(g, 0xaa0003e0 | rm << 16 | rd); }
static inline void a64_mov_sp(struct a64 *g, unsigned rd, unsigned rn) { a64_put(g, 0x91000000 | rn << 5 | rd); }
static inline void a64_add_imm(struct a64 *g, unsigned rd, unsigned rn, unsigned imm)
{
    a64_put(g, 0x91000000 | imm << 10 | rn << 5 | rd);
}
static inline void a64_sub_imm(struct a64 *g, unsigned rd, unsigned rn, unsigned imm)
{
    a64_put(g, 0xd1000000 | imm << 10 | rn << 5 | rd);
}
static inline void a64_add(struct a64 *g, unsigned rd, unsigned rn, unsigned rm)
{
    a64_put(g, 0x8b000000 | rm << 16 | rn << 5 | rd);
}
static inline void a64_sub(struct a64 *g, unsigned rd, unsigned rn, unsigned rm)
{
    a64_put(g, 0xcb000000 | rm << 16 | rn << 5 | rd);
}
static inline void a64_and(struct a64 *g, unsigned rd, unsigned rn, unsigned rm)
{
    a64_put(g, 0x8a000000 | rm << 16 | rn << 5 | rd);
}
static inline void a64_orr(struct a64 *g, unsigned rd, unsigned rn, unsigned rm)
{
    a64_put(g, 0xaa000000 | rm << 16 | rn << 5 | rd);
}
static inline void a64_lsr(struct a64 *g, unsigned rd, unsigned rn, unsigned s)
{
    a64_put(g, 0xd340fc00 | s << 16 | rn << 5 | rd);
}
static inline void a64_cmp(struct a64 *g, unsigned rn, unsigned rm) { a64_put(g, 0xeb00001f | rm << 16 | rn << 5); }
static inline void a64_cmp_imm(struct a64 *g, unsigned rn, unsigned imm) { a64_put(g, 0xf100001f | imm << 10 | rn << 5); }
static inline void a64_ldr(struct a64 *g, unsigned rt, unsigned rn, unsigned off)
{
    a64_put(g, 0xf9400000 | off / 8 << 10 | rn << 5 | rt);
}
static inline void a64_str(struct a64 *g, unsigned rt, unsigned rn, unsigned off)
{
    a64_put(g, 0xf9000000 | off / 8 << 10 | rn << 5 | rt);
}
static inline void a64_ldr_w(struct a64 *g, unsigned rt, unsigned rn, unsigned off)
{
    a64_put(g, 0xb9400000 | off / 4 << 10 | rn << 5 | rt);
}
static inline void a64_str_w(struct a64 *g, unsigned rt, unsigned rn, unsigned off)
{
    a64_put(g, 0xb9000000 | off / 4 << 10 | rn << 5 | rt);
}
static inline void a64_ldr_q(struct a64 *g, unsigned rt, unsigned rn, unsigned off)
{
    a64_put(g, 0x3dc00000 | off / 16 << 10 | rn << 5 | rt);
}
static inline void a64_str_q(struct a64 *g, unsigned rt, unsigned rn, unsigned off)
{
    a64_put(g, 0x3d800000 | off / 16 << 10 | rn << 5 | rt);
}
static inline void a64_adr(struct a64 *g, unsigned rd, unsigned to)
{
    int32_t off = ((int32_t)to - (int32_t)g->n) * 4;
    a64_put(g, 0x10000000 | ((uint32_t)off & 3) << 29 | ((uint32_t)off >> 2 & 0x7ffff) << 5 | rd);
}
static inline void a64_br(struct a64 *g, unsigned rn) { a64_put(g, 0xd61f0000 | rn << 5); }
static inline void a64_blr(struct a64 *g, unsigned rn) { a64_put(g, 0xd63f0000 | rn << 5); }
static inline void a64_ret(struct a64 *g) { a64_put(g, 0xd65f03c0); }

/* Branches to instruction number `to`, which may be known later: a64_fix. */
static inline uint32_t a64_with_target(uint32_t insn, unsigned from, unsigned to)
{
    uint32_t off = to - from;
    if ((insn & 0x7c000000) == 0x14000000)
        return (insn & 0xfc000000) | (off & 0x3ffffff);
    if ((insn & 0x7e000000) == 0x36000000)
        return (insn & 0xfff8001f) | (off & 0x3fff) << 5;
    return (insn & 0xff00001f) | (off & 0x7ffff) << 5;
}
static inline unsigned a64_b(struct a64 *g, unsigned to) { return a64_put(g, a64_with_target(0x14000000, g->n, to)); }
static inline unsigned a64_bl(struct a64 *g, unsigned to) { return a64_put(g, a64_with_target(0x94000000, g->n, to)); }
static inline unsigned a64_b_cond(struct a64 *g, unsigned cond, unsigned to)
{
    return a64_put(g, a64_with_target(0x54000000 | cond, g->n, to));
}
static inline unsigned a64_cbz(struct a64 *g, unsigned rt, unsigned to)
{
    return a64_put(g, a64_with_target(0xb4000000 | rt, g->n, to));
}
static inline unsigned a64_cbnz(struct a64 *g, unsigned rt, unsigned to)
{
    return a64_put(g, a64_with_target(0xb5000000 | rt, g->n, to));
}
static inline void a64_fix(struct a64 *g, unsigned at, unsigned to) { g->code[at] = a64_with_target(g->code[at], at, to); }
#endif
