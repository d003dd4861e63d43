/*
 * Floating-point instructions, as the hart executes them, do what the manual says: encodings, operands, NaN boxing, static and
 * dynamic rounding modes, reserved modes, flags, FS. The table below states each instruction a second time, from the manual.
 * timeout: 300
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "cpu/riscv/hart.h"
#include "cpu/riscv/decode.h"
#include "fp_check.h"

#define RAM      UINT64_C(0x80000000)
#define DATA     (RAM + 0x8000)
#define FS_SHIFT 13

/* What an instruction computes. */
enum what {
    /* The result goes to an f register. */
    ADD,
    SUB,
    MUL,
    DIV,
    SQRT,
    FMADD,
    FMSUB,
    FNMSUB,
    FNMADD,
    SGNJ,
    SGNJN,
    SGNJX,
    MIN,
    MAX,
    MINM,
    MAXM,
    ROUND,
    ROUNDNX,
    CONVERT,
    FROM_INT,
    FROM_BITS,
    LI,
    JOIN,
    /* The result goes to an x register. */
    EQ,
    LT,
    LE,
    LTQ,
    LEQ,
    CLASS,
    TO_INT,
    TO_BITS,
    CVTMOD,
    HIGH,
};

/* One instruction in each format of `fmts` (a bit each). rs2: the field, or -1: a register. rm: funct3, or -1: any mode. */
static const struct op {
    const char *name;
    enum what what;
    unsigned funct5, fmts;
    int rs2, rm;
    unsigned arg, xlen;
} ops[] = {
    {"fadd", ADD, 0x00, 7, -1, -1, 0, 0},
    {"fsub", SUB, 0x01, 7, -1, -1, 0, 0},
    {"fmul", MUL, 0x02, 7, -1, -1, 0, 0},
    {"fdiv", DIV, 0x03, 7, -1, -1, 0, 0},
    {"fsqrt", SQRT, 0x0b, 7, 0, -1, 0, 0},
    {"fmadd", FMADD, 0, 7, -1, -1, 0, 0},
    {"fmsub", FMSUB, 0, 7, -1, -1, 0, 0},
    {"fnmsub", FNMSUB, 0, 7, -1, -1, 0, 0},
    {"fnmadd", FNMADD, 0, 7, -1, -1, 0, 0},
    {"fsgnj", SGNJ, 0x04, 7, -1, 0, 0, 0},
    {"fsgnjn", SGNJN, 0x04, 7, -1, 1, 0, 0},
    {"fsgnjx", SGNJX, 0x04, 7, -1, 2, 0, 0},
    {"fmin", MIN, 0x05, 7, -1, 0, 0, 0},
    {"fmax", MAX, 0x05, 7, -1, 1, 0, 0},
    {"fminm", MINM, 0x05, 7, -1, 2, 0, 0},
    {"fmaxm", MAXM, 0x05, 7, -1, 3, 0, 0},
    {"fround", ROUND, 0x08, 7, 4, -1, 0, 0},
    {"froundnx", ROUNDNX, 0x08, 7, 5, -1, 0, 0},
    {"fcvt from s", CONVERT, 0x08, 6, 0, -1, FP_S, 0},
    {"fcvt from d", CONVERT, 0x08, 5, 1, -1, FP_D, 0},
    {"fcvt from h", CONVERT, 0x08, 3, 2, -1, FP_H, 0},
    {"feq", EQ, 0x14, 7, -1, 2, 0, 0},
    {"flt", LT, 0x14, 7, -1, 1, 0, 0},
    {"fle", LE, 0x14, 7, -1, 0, 0, 0},
    {"fltq", LTQ, 0x14, 7, -1, 5, 0, 0},
    {"fleq", LEQ, 0x14, 7, -1, 4, 0, 0},
    {"fclass", CLASS, 0x1c, 7, 0, 1, 0, 0},
    {"fcvt.w", TO_INT, 0x18, 7, 0, -1, FP_I32, 0},
    {"fcvt.wu", TO_INT, 0x18, 7, 1, -1, FP_U32, 0},
    {"fcvt.l", TO_INT, 0x18, 7, 2, -1, FP_I64, 64},
    {"fcvt.lu", TO_INT, 0x18, 7, 3, -1, FP_U64, 64},
    {"fcvt from w", FROM_INT, 0x1a, 7, 0, -1, FP_I32, 0},
    {"fcvt from wu", FROM_INT, 0x1a, 7, 1, -1, FP_U32, 0},
    {"fcvt from l", FROM_INT, 0x1a, 7, 2, -1, FP_I64, 64},
    {"fcvt from lu", FROM_INT, 0x1a, 7, 3, -1, FP_U64, 64},
    {"fmv.x.h", TO_BITS, 0x1c, 4, 0, 0, 16, 0},
    {"fmv.x.w", TO_BITS, 0x1c, 1, 0, 0, 32, 0},
    {"fmv.x.d", TO_BITS, 0x1c, 2, 0, 0, 64, 64},
    {"fmv.h.x", FROM_BITS, 0x1e, 4, 0, 0, 0, 0},
    {"fmv.w.x", FROM_BITS, 0x1e, 1, 0, 0, 0, 0},
    {"fmv.d.x", FROM_BITS, 0x1e, 2, 0, 0, 0, 64},
    {"fli", LI, 0x1e, 7, 1, 0, 0, 0},
    {"fcvtmod.w", CVTMOD, 0x18, 2, 8, 1, 0, 0},
    {"fmvh.x.d", HIGH, 0x1c, 2, 1, 0, 0, 32},
    {"fmvp.d.x", JOIN, 0x16, 2, -1, 0, 0, 32},
};

/* The fmt field is 0 S, 1 D, 2 H. */
static const enum fp_fmt fmt_of_field[] = {FP_S, FP_D, FP_H};

enum { RS1 = 11, RS2 = 12, RS3 = 13, RD = 14 };

struct world {
    struct mem *mem;
    struct engine *engine;
    struct hart *h;
    struct rv_config cfg;
    struct csr_map *map;
    struct rv_decoder *decoder;
    uint64_t seed;
};

static struct world *world_new(uint32_t xlen)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e;

    w->seed = UINT64_C(0x726f7773) + xlen;
    rv_config_default(&w->cfg, xlen);
    w->map = csr_map_new(&w->cfg);
    w->decoder = rv_decoder_new(&w->cfg);
    w->mem = mem_new();
    assert_true(mem_add_ram(w->mem, "ram", RAM, 0x10000, false, &e));
    w->engine = calloc(1, sizeof *w->engine);
    engine_init(w->engine, w->mem, 1);
    w->h = calloc(1, sizeof *w->h);
    hart_init(w->h, w->engine, &w->cfg, w->map, w->decoder, 0);
    w->h->s.csr.mtvec = RAM + 0xf000;
    return w;
}

static void world_free(struct world *w)
{
    cpu_free_caches(&w->h->cpu);
    engine_free(w->engine);
    mem_free(w->mem);
    csr_map_free(w->map);
    rv_decoder_free(w->decoder);
    free(w->engine);
    free(w->h);
    free(w);
}

static uint32_t encode(const struct op *o, unsigned fmt, unsigned rm)
{
    uint32_t rs2 = o->rs2 < 0 ? RS2 : (uint32_t)o->rs2;
    uint32_t funct3 = o->rm < 0 ? rm : (uint32_t)o->rm;

    if (o->what >= FMADD && o->what <= FNMADD)
        return (uint32_t)RS3 << 27 | fmt << 25 | RS2 << 20 | RS1 << 15 | funct3 << 12 | RD << 7 | 0x43 | (o->what - FMADD) << 2;
    return o->funct5 << 27 | fmt << 25 | rs2 << 20 | RS1 << 15 | funct3 << 12 | RD << 7 | 0x53;
}

static uint64_t unbox(enum fp_fmt f, uint64_t r)
{
    unsigned width = 16u << f;

    if (width == 64)
        return r;
    return r >> width == UINT64_MAX >> width ? r & (UINT64_MAX >> (64 - width)) : fp_nan(f);
}

static uint64_t box(enum fp_fmt f, uint64_t v) { return f == FP_D ? v : v | UINT64_MAX << (16u << f); }

static uint64_t sext(uint64_t v, unsigned bits) { return (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits)); }

/* Outcome by the manual: the 64 bits of rd, and flags in e. x: values of x registers, f: of f registers. */
static uint64_t outcome(const struct op *o, enum fp_fmt f, const struct rv_state *s, unsigned xlen, struct fp_env *e)
{
    uint64_t a = unbox(f, s->f[RS1]), b = unbox(f, s->f[RS2]), c = unbox(f, s->f[RS3]), neg = fp_sign_bit(f), r = 0;

    fp_host_enter(FP_RNE, 0);
    switch (o->what) {
    case ADD: return box(f, fp_soft_add(f, a, b, e));
    case SUB: return box(f, fp_soft_sub(f, a, b, e));
    case MUL: return box(f, fp_soft_mul(f, a, b, e));
    case DIV: return box(f, fp_soft_div(f, a, b, e));
    case SQRT: return box(f, fp_soft_sqrt(f, a, e));
    case FMADD: return box(f, fp_soft_fma(f, a, b, c, e));
    case FMSUB: return box(f, fp_soft_fma(f, a, b, c ^ neg, e));
    case FNMSUB: return box(f, fp_soft_fma(f, a ^ neg, b, c, e));
    case FNMADD: return box(f, fp_soft_fma(f, a ^ neg, b, c ^ neg, e));
    case SGNJ: return box(f, (a & ~neg) | (b & neg));
    case SGNJN: return box(f, (a & ~neg) | (~b & neg));
    case SGNJX: return box(f, a ^ (b & neg));
    case MIN: r = fp_min(f, a, b); break;
    case MAX: r = fp_max(f, a, b); break;
    case MINM: r = fp_minm(f, a, b); break;
    case MAXM: r = fp_maxm(f, a, b); break;
    case ROUND: return box(f, fp_soft_round_int(f, a, false, e));
    case ROUNDNX: return box(f, fp_soft_round_int(f, a, true, e));
    case CONVERT: return box(f, fp_soft_convert(f, (enum fp_fmt)o->arg, unbox((enum fp_fmt)o->arg, s->f[RS1]), e));
    case FROM_INT:
        r = o->arg == FP_I32 ? sext(s->x[RS1], 32) : o->arg == FP_U32 ? (uint32_t)s->x[RS1] : s->x[RS1];
        return box(f, fp_soft_from_int(f, r, (enum fp_int)o->arg, e));
    case FROM_BITS: return box(f, s->x[RS1] & UINT64_MAX >> (64 - fp_width(f)));
    case LI: return box(f, fp_fli(f, RS1));
    case JOIN: return (uint32_t)s->x[RS1] | s->x[RS2] << 32;
    case EQ: return fp_compare(f, a, b, false) == 0;
    case LT: return fp_compare(f, a, b, true) < 0;
    case LE: return fp_compare(f, a, b, true) <= 0;
    case LTQ: return fp_compare(f, a, b, false) < 0;
    case LEQ: return fp_compare(f, a, b, false) <= 0;
    case CLASS: return fp_classify(f, a);
    case TO_INT: r = fp_soft_to_int(f, a, (enum fp_int)o->arg, e); return sext(o->arg <= FP_U32 ? sext(r, 32) : r, xlen);
    case TO_BITS: return sext(s->f[RS1], o->arg);
    case CVTMOD: return (uint64_t)fp_soft_cvtmod_w_d(a, e);
    case HIGH: return sext(s->f[RS1] >> 32, 32);
    }
    return box(f, r);
}

/* A value for an f register: mostly a boxed number of format f. */
static uint64_t register_value(uint64_t *seed, enum fp_fmt f)
{
    uint64_t r = rng_below(seed, 16);

    if (r == 0)
        return rng_next(seed);
    return box(f, fp_operand(seed, f)) ^ (r == 1 ? UINT64_C(1) << rng_below(seed, 64) : 0);
}

/* The reserved modes, and the dynamic one with a reserved frm, are illegal. */
static bool mode_of(const struct op *o, unsigned rm, unsigned frm, uint8_t *mode)
{
    *mode = (uint8_t)(rm == 7 ? frm : rm);
    return o->rm >= 0 || *mode <= 4;
}

static void run_one(struct world *w, const struct op *o, unsigned fmt, unsigned rm, uint64_t pc)
{
    struct rv_state *s = &w->h->s, before;
    enum fp_fmt f = fmt_of_field[fmt], from = o->what == CONVERT ? (enum fp_fmt)o->arg : f;
    struct fp_env e = {0};
    unsigned xlen = w->cfg.xlen, fs = (unsigned)rng_below(&w->seed, 4), frm = (unsigned)rng_below(&w->seed, 12) & 7;

    s->f[RS1] = register_value(&w->seed, from);
    s->f[RS2] = register_value(&w->seed, f);
    s->f[RS3] = register_value(&w->seed, f);
    s->x[RS1] = sext(fp_integer(&w->seed), xlen);
    s->x[RS2] = sext(fp_integer(&w->seed), xlen);
    s->fflags = (uint8_t)(rng_next(&w->seed) & rng_next(&w->seed) & 31);
    s->priv = RV_M;
    s->pc = pc;
    s->csr.frm = frm;
    s->csr.mstatus = (s->csr.mstatus & ~(UINT64_C(3) << FS_SHIFT)) | (uint64_t)fs << FS_SHIFT;
    hart_refresh(w->h);
    before = *s;
    bool legal = mode_of(o, rm, frm, &e.rm) && fs != 0;
    assert_int_equal(hart_run(w->h, s->cycle + 1), CPU_STOP_LIMIT);
    if (!legal) {
        assert_int_equal(s->pc, s->csr.mtvec);
        assert_int_equal(s->csr.mcause, EXC_ILLEGAL);
        assert_memory_equal(s->f, before.f, sizeof before.f);
        assert_memory_equal(s->x, before.x, sizeof before.x);
        assert_int_equal(s->fflags, before.fflags);
        return;
    }
    uint64_t want = outcome(o, f, &before, xlen, &e);
    unsigned flags = fp_host_leave() | e.flags | before.fflags;
    bool to_x = o->what >= EQ;
    uint64_t got = to_x ? s->x[RD] : s->f[RD];
    if (got != want || s->fflags != flags || s->pc != pc + 4)
        fail_msg("%s.%s rv%u rm %u frm %u: f %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " x %#" PRIx64 " -> %#" PRIx64 " flags %#x, "
                 "expected %#" PRIx64 " flags %#x",
                 o->name, fp_fmt_name[f], xlen, rm, frm, before.f[RS1], before.f[RS2], before.f[RS3], before.x[RS1], got,
                 s->fflags, want, flags);
    if (!to_x || s->fflags != before.fflags)
        assert_int_equal(s->csr.mstatus >> FS_SHIFT & 3, 3);
    before.f[RD] = s->f[RD];
    before.x[RD] = s->x[RD];
    assert_memory_equal(s->f, before.f, sizeof before.f);
    assert_memory_equal(s->x, before.x, sizeof before.x);
}

static void run_table(uint32_t xlen)
{
    struct world *w = world_new(xlen);
    uint32_t n = (uint32_t)(fp_operand_count() / 250);
    uint64_t at = RAM;

    for (unsigned i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        const struct op *o = &ops[i];
        if (o->xlen != 0 && o->xlen != xlen)
            continue;
        for (unsigned fmt = 0; fmt < 3; fmt++) {
            for (unsigned rm = 0; (o->fmts >> fmt & 1) != 0 && rm < (o->rm < 0 ? 8u : 1u); rm++) {
                uint32_t insn = encode(o, fmt, rm);
                assert_true(mem_write(w->mem, at, &insn, sizeof insn));
                engine_changed(w->engine, at, sizeof insn);
                for (uint32_t k = 0; k < n; k++)
                    run_one(w, o, fmt, rm, at);
                at = at + 4 < RAM + 0x7000 ? at + 4 : RAM;
            }
        }
    }
    world_free(w);
}

static void every_instruction_does_what_the_manual_says_on_rv64(void **state)
{
    (void)state;
    run_table(64);
}

static void every_instruction_does_what_the_manual_says_on_rv32(void **state)
{
    (void)state;
    run_table(32);
}

/* Runs one instruction with x2 and x8 at DATA. */
static void run_memory(struct world *w, uint32_t insn, unsigned bytes)
{
    assert_true(mem_write(w->mem, RAM, &insn, sizeof insn));
    engine_changed(w->engine, RAM, sizeof insn);
    w->h->s.pc = RAM;
    w->h->s.x[2] = w->h->s.x[8] = sext(DATA, w->cfg.xlen);
    w->h->s.csr.mstatus |= UINT64_C(1) << FS_SHIFT;
    hart_refresh(w->h);
    assert_int_equal(hart_run(w->h, w->h->s.cycle + 1), CPU_STOP_LIMIT);
    assert_int_equal(w->h->s.pc, RAM + bytes);
}

/* name, instruction, its length, bytes moved, offset, XLEN where it is not both; all use f9. */
static const struct move {
    const char *name;
    uint32_t insn;
    unsigned len, size, offset, xlen;
    bool store;
} moves[] = {
    {"flh f9, 6(x8)", 0x00641487, 4, 2, 6, 0, false},      {"flw f9, 12(x8)", 0x00c42487, 4, 4, 12, 0, false},
    {"fld f9, 24(x8)", 0x01843487, 4, 8, 24, 0, false},    {"fsh f9, 6(x8)", 0x00941327, 4, 2, 6, 0, true},
    {"fsw f9, 12(x8)", 0x00942627, 4, 4, 12, 0, true},     {"fsd f9, 24(x8)", 0x00943c27, 4, 8, 24, 0, true},
    {"c.fld f9, 104(x8)", 0x3424, 2, 8, 104, 0, false},    {"c.fsd f9, 104(x8)", 0xb424, 2, 8, 104, 0, true},
    {"c.fldsp f9, 336(x2)", 0x24d6, 2, 8, 336, 0, false},  {"c.fsdsp f9, 336(x2)", 0xaaa6, 2, 8, 336, 0, true},
    {"c.flw f9, 76(x8)", 0x6464, 2, 4, 76, 32, false},     {"c.fsw f9, 76(x8)", 0xe464, 2, 4, 76, 32, true},
    {"c.flwsp f9, 172(x2)", 0x74ba, 2, 4, 172, 32, false}, {"c.fswsp f9, 172(x2)", 0xf726, 2, 4, 172, 32, true},
};

static void loads_box_and_stores_take_the_low_bits(void **state)
{
    (void)state;
    for (uint32_t xlen = 32; xlen <= 64; xlen += 32) {
        struct world *w = world_new(xlen);
        for (unsigned i = 0; i < sizeof moves / sizeof moves[0]; i++) {
            const struct move *m = &moves[i];
            uint64_t value = UINT64_C(0x9182736455463728), low = value & UINT64_MAX >> (64 - 8 * m->size), seen = 0;
            if (m->xlen != 0 && m->xlen != xlen)
                continue;
            uint8_t blank[0x200] = {0};
            assert_true(mem_write(w->mem, DATA, blank, sizeof blank));
            if (!m->store)
                assert_true(mem_write(w->mem, DATA + m->offset, &low, m->size));
            w->h->s.f[9] = m->store ? value : 0;
            run_memory(w, m->insn, m->len);
            assert_true(mem_read(w->mem, DATA + m->offset, &seen, m->size));
            if (m->store ? seen != low : w->h->s.f[9] != (m->size == 8 ? low : low | UINT64_MAX << (8 * m->size)))
                fail_msg("%s on rv%u: memory %#" PRIx64 ", f9 %#" PRIx64, m->name, xlen, seen, w->h->s.f[9]);
        }
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_does_what_the_manual_says_on_rv64),
        cmocka_unit_test(every_instruction_does_what_the_manual_says_on_rv32),
        cmocka_unit_test(loads_box_and_stores_take_the_low_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
