/*
 * Random streams of instructions give the same state in one run, one instruction at a time, in random pieces, and with every
 * cache dropped in between: so whatever the engine does across instructions (superinstructions, near branches, decoded pages) is
 * not seen. Streams branch, trap, store to their own code and cross pages. TRAPLINE_SEED chooses other streams.
 * timeout: 300
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "insn_world.h"

#define CODE_BYTES 0x2000u
#define CYCLES     2500u

/* x28 and x29 point to data, x30 to code; x31 is the trap handler's. Everything else is a stream's. */
enum { P_DATA = 28, P_DATA2 = 29, P_CODE = 30, HANDLER = 31 };

static uint32_t i_type(uint32_t imm, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
    return (imm & 0xfff) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}

/* Goes on 4 bytes behind the instruction that trapped; a pc that left the code comes back into it. */
static unsigned trap_handler(uint32_t *code)
{
    unsigned n = 0;
    code[n++] = i_type(0x341, 0, 2, HANDLER, 0x73);       /* csrr x31, mepc */
    code[n++] = i_type(4, HANDLER, 0, HANDLER, 0x13);     /* addi x31, x31, 4 */
    code[n++] = i_type(0x7fe, HANDLER, 7, HANDLER, 0x13); /* andi x31, x31, 0x7fe */
    code[n++] = i_type(0x341, HANDLER, 1, 0, 0x73);       /* csrw mepc, x31 */
    code[n++] = i_type(1, 0, 0, HANDLER, 0x13);           /* li x31, 1 */
    code[n++] = i_type(31, HANDLER, 1, HANDLER, 0x13);    /* slli x31, x31, 31: the RAM's base */
    code[n++] = i_type(0x341, HANDLER, 2, 0, 0x73);       /* csrs mepc, x31 */
    code[n++] = 0x30200073;                               /* mret */
    return n;
}

struct stream {
    uint8_t code[CODE_BYTES];
    uint64_t x[32];
};

static unsigned reg(uint64_t *seed)
{
    /* Few registers, so that instructions depend on each other. */
    return rng_below(seed, 4) ? 5 + (unsigned)rng_below(seed, 6) : (unsigned)rng_below(seed, 28);
}

static uint32_t load_or_store(uint64_t *seed, unsigned xlen)
{
    uint64_t r = rng_next(seed);
    bool store = r & 1, near = (r >> 1 & 15) != 0;
    uint32_t f3 = (uint32_t)(r >> 8) & (store ? 3 : 7), imm = (uint32_t)(r >> 16) & 0xfff, base = r & 64 ? P_DATA : P_DATA2;
    if (xlen == 32 && (f3 == 3 || f3 >= 6))
        f3 = 2;
    if (!store && f3 == 7)
        f3 = 3;
    if (r >> 32 & 7)
        imm &= ~((1u << (f3 & 3)) - 1);
    if (!near)
        base = r & 128 ? P_CODE : reg(seed);
    unsigned data = reg(seed);
    return store ? (imm >> 5) << 25 | data << 20 | base << 15 | f3 << 12 | (imm & 31) << 7 | 0x23
                 : i_type(imm, base, f3, data, 0x03);
}

static uint32_t branch_or_jump(uint64_t *seed)
{
    uint64_t r = rng_next(seed);
    static const uint32_t f3s[] = {0, 1, 4, 5, 6, 7};
    int32_t off = (int32_t)(r >> 32 & 0x7e) - (r & 64 ? 0x20 : 0);
    uint32_t v = (uint32_t)(off ? off : 8);
    if (r % 8)
        return (v >> 12 & 1) << 31 | (v >> 5 & 0x3f) << 25 | reg(seed) << 20 | reg(seed) << 15 | f3s[r / 8 % 6] << 12 |
               (v >> 1 & 0xf) << 8 | (v >> 11 & 1) << 7 | 0x63;
    if (r & 128)
        return (v >> 20 & 1) << 31 | (v >> 1 & 0x3ff) << 21 | (v >> 11 & 1) << 20 | (v >> 12 & 0xff) << 12 |
               (uint32_t)(r >> 20 & 1) << 7 | 0x6f;
    return i_type((uint32_t)(r >> 40) & 0x7fe, P_CODE, 0, (uint32_t)(r >> 20 & 1), 0x67);
}

/* Sequences that compilers emit, and an engine might want to fuse: same registers through several instructions. */
static unsigned idiom(uint64_t *seed, uint32_t *out, unsigned xlen)
{
    uint64_t r = rng_next(seed);
    uint32_t a = reg(seed), b = rng_below(seed, 3) ? a : reg(seed), c = rng_below(seed, 3) ? a : reg(seed),
             imm = (uint32_t)(r >> 40), n = xlen - 32;
    switch (r % 11) {
    case 0: /* lui, addi[w] */
        out[0] = imm << 12 | a << 7 | 0x37;
        out[1] = i_type(imm >> 8, b, 0, c, xlen == 64 && (r & 64) ? 0x1b : 0x13);
        return 2;
    case 1: /* auipc, addi or load or jalr */
        out[0] = (imm & 3) << 12 | a << 7 | 0x17;
        out[1] = r & 64    ? i_type(imm >> 8 & 0x7f8, b, 0, c, 0x13)
                 : r & 128 ? i_type(imm >> 8 & 0x7f8, b, 2, c, 0x03)
                           : i_type(imm & 0xff, b, 0, r >> 9 & 1, 0x67);
        return 2;
    case 2: /* slli, srli: zero extension */
        out[0] = i_type(n ? 32 : 16, a, 1, b, 0x13);
        out[1] = i_type((n ? 32 : 16) - (imm & 3), b, 5, c, 0x13);
        return 2;
    case 3: /* slli, add: indexing; then a load */
        out[0] = i_type(imm & 3, a, 1, b, 0x13);
        out[1] = b << 20 | (r & 64 ? P_DATA : a) << 15 | c << 7 | 0x33;
        out[2] = i_type(0, c, n ? 3 : 2, a, 0x03);
        return 3;
    case 4: /* addi, branch: the end of a loop */
        out[0] = i_type(r & 64 ? 1 : 0xfff, a, 0, a, 0x13);
        out[1] = (r & 128 ? 0xfe000e63 : 0x00000463) | a << 15 | (r & 256 ? b : 0) << 20 | (uint32_t)(r >> 9 & 1) << 12;
        return 2;
    case 5: /* load, op */
        out[0] = i_type((uint32_t)(imm & 0x7f8), P_DATA, n ? 3 : 2, a, 0x03);
        out[1] = c << 20 | a << 15 | ((uint32_t)(r >> 20) & 7) << 12 | b << 7 | 0x33;
        return 2;
    case 6: /* slt, branch */
        out[0] = c << 20 | b << 15 | (2 | (uint32_t)(r >> 8 & 1)) << 12 | a << 7 | 0x33;
        out[1] = 0x00000663 | a << 15 | (uint32_t)(r >> 9 & 1) << 12;
        return 2;
    case 7: /* moves */
        out[0] = i_type(0, a, 0, b, 0x13);
        out[1] = i_type(0, b, 0, c, 0x13);
        return 2;
    case 8: /* store, load back */
        out[0] = (imm & 0x7f8) >> 5 << 25 | a << 20 | (uint32_t)P_DATA << 15 | 2 << 12 | (imm & 24) << 7 | 0x23;
        out[1] = i_type((imm & 0x7f8), P_DATA, 2, b, 0x03);
        return 2;
    case 9: /* andi, beqz */
        out[0] = i_type(imm & 15, a, 7, b, 0x13);
        out[1] = 0x00000463 | b << 15 | (uint32_t)(r >> 9 & 1) << 12;
        return 2;
    default: /* pairs of loads and stores through one base */
        out[0] = i_type(imm & 0x7f0, P_DATA, n ? 3 : 2, a, 0x03);
        out[1] = i_type((imm & 0x7f0) + 8, P_DATA, n ? 3 : 2, b, 0x03);
        return 2;
    }
}

/* The sequences that one handler does: instructions with their lengths. */
static const struct fused {
    unsigned n;
    struct {
        uint16_t op;
        uint8_t bytes;
    } insn[FUSE_MAX];
} fused[] = {
#define XLEN                                           64
#define FUSE2(a, la, k1, b, lb)                        {2, {{OP_##a, la}, {OP_##b, lb}}},
#define FUSE3(a, la, k1, b, lb, k2, c, lc)             {3, {{OP_##a, la}, {OP_##b, lb}, {OP_##c, lc}}},
#define FUSE4(a, la, k1, b, lb, k2, c, lc, k3, d, ld_) {4, {{OP_##a, la}, {OP_##b, lb}, {OP_##c, lc}, {OP_##d, ld_}}},
#define FUSE5(a, la, k1, b, lb, k2, c, lc, k3, d, ld_, k4, e, le) \
    {5, {{OP_##a, la}, {OP_##b, lb}, {OP_##c, lc}, {OP_##d, ld_}, {OP_##e, le}}},
#define FUSE6(a, la, k1, b, lb, k2, c, lc, k3, d, ld_, k4, e, le, k5, f, lf) \
    {6, {{OP_##a, la}, {OP_##b, lb}, {OP_##c, lc}, {OP_##d, ld_}, {OP_##e, le}, {OP_##f, lf}}},
#define FUSE7(a, la, k1, b, lb, k2, c, lc, k3, d, ld_, k4, e, le, k5, f, lf, k6, g, lg) \
    {7, {{OP_##a, la}, {OP_##b, lb}, {OP_##c, lc}, {OP_##d, ld_}, {OP_##e, le}, {OP_##f, lf}, {OP_##g, lg}}},
#define FUSE8(a, la, k1, b, lb, k2, c, lc, k3, d, ld_, k4, e, le, k5, f, lf, k6, g, lg, k7, h, lh) \
    {8, {{OP_##a, la}, {OP_##b, lb}, {OP_##c, lc}, {OP_##d, ld_}, {OP_##e, le}, {OP_##f, lf}, {OP_##g, lg}, {OP_##h, lh}}},
#include "cpu/riscv/insn/fuse.def"
#undef XLEN
#define XLEN 32
#include "cpu/riscv/insn/fuse.def"
#undef XLEN
#undef FUSE2
#undef FUSE3
#undef FUSE4
#undef FUSE5
#undef FUSE6
#undef FUSE7
#undef FUSE8
};

/* An encoding of op in `bytes` bytes, or else in any number, whose registers are often those in `regs`. Returns its length, 0:
 * none was found. */
static unsigned encoding_of(uint64_t *seed, unsigned op, unsigned bytes, unsigned xlen, const uint32_t *regs, uint32_t *out)
{
    unsigned start = (unsigned)rng_below(seed, rv_insn_count());
    for (unsigned i = 0; i < 2 * rv_insn_count(); i++) {
        struct insn_row r = rv_insn_row((start + i) % rv_insn_count());
        if (r.op != op || (r.xlen && r.xlen != xlen) || (i < rv_insn_count() && r.bytes != bytes))
            continue;
        uint32_t insn = (uint32_t)rng_next(seed), keep = insn;
        if (r.bytes == 4) {
            insn = (insn & ~(31u << 7 | 31u << 15 | 31u << 20)) | regs[keep & 1] << 7 | regs[keep >> 1 & 1] << 15 |
                   regs[keep >> 2 & 1] << 20;
            if (keep & 0x300000) /* short distances and shifts */
                insn &= 0x01ffffff;
            if ((r.cost == COST_LOAD || r.cost == COST_STORE) && (keep & 8))
                insn = (insn & ~(31u << 15)) | (uint32_t)(keep & 16 ? P_DATA : P_DATA2) << 15;
            if (r.cost == COST_BRANCH)
                insn = (insn & 0x01fff07f) | (keep >> 24 & 7) << 9;
        } else if (keep & 1) { /* rd, or x8 to x15 in either place */
            insn = (insn & ~(31u << 7)) | (r.mask & 1u << 13 ? regs[keep >> 1 & 1] : 8 | (regs[keep >> 1 & 1] & 7)) << 7;
            insn = keep & 4 ? (insn & ~(7u << 2)) | (regs[keep >> 3 & 1] & 7) << 2 : insn;
        }
        insn = (insn & ~r.mask) | r.match;
        if (r.nonzero && !(insn & r.nonzero))
            insn |= r.nonzero;
        if (r.bytes == 2)
            insn &= 0xffff;
        *out = insn;
        return r.bytes;
    }
    return 0;
}

/* One of the sequences; often a register of it begins as a pointer to data. */
static unsigned put_fused(uint8_t *at, uint64_t *seed, unsigned xlen)
{
    const struct fused *f = &fused[rng_below(seed, ARRAY_LEN(fused))];
    uint32_t regs[2] = {8 + (uint32_t)rng_below(seed, 3), rng_below(seed, 8) ? 8 + (uint32_t)rng_below(seed, 6) : reg(seed)};
    unsigned n = 0;
    if (rng_below(seed, 3) == 0)
        regs[1] = regs[0];
    if (rng_below(seed, 2)) {
        uint32_t point = i_type((uint32_t)rng_below(seed, 64) * 8, rng_below(seed, 2) ? P_DATA : P_DATA2, 0, regs[0], 0x13);
        memcpy(at, &point, 4);
        n = 4;
    }
    for (unsigned i = 0; i < f->n; i++) {
        uint32_t insn;
        unsigned bytes = encoding_of(seed, f->insn[i].op, f->insn[i].bytes, xlen, regs, &insn);
        memcpy(at + n, &insn, bytes);
        n += bytes;
    }
    return n;
}

static bool fits(const struct insn_row *r)
{
    static const char *const never[] = {"wfi",   "wrs_nto", "wrs_sto", "mret",   "sret",  "mnret",
                                        "csrrw", "csrrwi",  "csrrs",   "csrrsi", "csrrc", "csrrci"};
    for (unsigned i = 0; i < ARRAY_LEN(never); i++)
        if (!strcmp(r->name, never[i]))
            return false;
    return true;
}

/* Any row with random operands, pointers left alone most of the time. */
static uint32_t any_row(uint64_t *seed, unsigned *bytes)
{
    for (;;) {
        struct insn_row r = rv_insn_row((unsigned)rng_below(seed, rv_insn_count()));
        uint32_t insn = ((uint32_t)rng_next(seed) & ~r.mask) | r.match;
        if (!fits(&r) || (r.nonzero && !(insn & r.nonzero)))
            continue;
        uint32_t rd = insn >> 7 & 31;
        if (rd >= P_DATA && rng_below(seed, 16))
            continue;
        *bytes = r.bytes;
        return insn;
    }
}

static void make_stream(struct stream *s, uint64_t *seed, unsigned xlen)
{
    for (unsigned at = 0; at < CODE_BYTES - 4 - 4 * FUSE_MAX;) {
        uint32_t out[4];
        unsigned n = 1, bytes = 4;
        if (rng_below(seed, 3) == 0) {
            at += put_fused(s->code + at, seed, xlen);
            continue;
        }
        switch (rng_below(seed, 10)) {
        case 0:
        case 1: out[0] = load_or_store(seed, xlen); break;
        case 2: out[0] = branch_or_jump(seed); break;
        case 3:
        case 4:
        case 5:
        case 6: n = idiom(seed, out, xlen); break;
        case 7: out[0] = i_type((uint32_t)rng_next(seed), reg(seed), (uint32_t)rng_next(seed) & 7, reg(seed), 0x13); break;
        default: out[0] = any_row(seed, &bytes); break;
        }
        for (unsigned i = 0; i < n; i++, at += bytes)
            memcpy(s->code + at, &out[i], bytes);
    }
    for (unsigned i = 1; i < 32; i++)
        s->x[i] = insn_value(seed, xlen);
    s->x[0] = 0;
    s->x[2] = insn_sext(INSN_DATA + 0xf80, xlen);
    s->x[P_DATA] = insn_sext(INSN_DATA + 0x800, xlen);
    s->x[P_DATA2] = insn_sext(INSN_DATA + 0xff0, xlen);
    s->x[P_CODE] = insn_sext(INSN_RAM + 0xc00, xlen);
}

static void start(struct insn_world *w, const struct stream *s)
{
    static const uint8_t zero[INSN_RAM_SIZE];
    uint32_t handler[16];
    unsigned n = trap_handler(handler);
    insn_world_put(w, INSN_RAM, zero, sizeof zero);
    insn_world_put(w, INSN_TRAP, handler, n * 4);
    insn_world_put(w, INSN_RAM, s->code, CODE_BYTES);
    w->h->s = (struct rv_state){.seed = 1}; /* a reset keeps the time */
    hart_reset(w->h);
    w->h->s.csr.mtvec = INSN_TRAP;
    w->h->s.csr.mstatus |= UINT64_C(1) << 13; /* FS: Initial */
    memcpy(w->h->s.x, s->x, sizeof s->x);
    w->h->s.pc = INSN_RAM;
    hart_refresh(w->h);
}

static void run_to(struct insn_world *w, uint64_t cycle)
{
    while (w->h->s.cycle < cycle) {
        enum cpu_stop stop = hart_run(w->h, cycle);
        engine_sweep(w->engine);
        if (stop == CPU_STOP_WAIT || stop == CPU_STOP_HALT)
            fail_msg("a stream stopped by itself (%d)", stop);
    }
}

static void same(struct insn_world *a, struct insn_world *b, const char *how, uint64_t stream)
{
    static uint8_t ram_a[INSN_RAM_SIZE], ram_b[INSN_RAM_SIZE];
    struct rv_state *s = &a->h->s, *t = &b->h->s;
    for (unsigned i = 0; i < 32; i++)
        if (s->x[i] != t->x[i] || s->f[i] != t->f[i] || s->pc != t->pc)
            fail_msg("stream %" PRIu64 " rv%u, %s: at %" PRIu64 " pc %#" PRIx64 " x%u %#" PRIx64 " f%u %#" PRIx64
                     "; in one run at %" PRIu64 " pc %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
                     stream, a->cfg.xlen, how, t->cycle, t->pc, i, t->x[i], i, t->f[i], s->cycle, s->pc, s->x[i], s->f[i]);
    s->x[32] = t->x[32] = 0; /* the sink is no register */
    assert_memory_equal(s, t, sizeof *s);
    assert_true(mem_read(a->mem, INSN_RAM, ram_a, sizeof ram_a) && mem_read(b->mem, INSN_RAM, ram_b, sizeof ram_b));
    assert_memory_equal(ram_a, ram_b, sizeof ram_a);
}

static uint64_t sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The stream s in one run, by a, and in other ways, by b. */
static void compare(struct insn_world *a, struct insn_world *b, const struct stream *s, uint64_t *seed, uint64_t k)
{
    start(a, s);
    run_to(a, CYCLES);
    start(b, s);
    for (uint64_t c = 1; c <= CYCLES; c++)
        run_to(b, c);
    same(a, b, "one instruction at a time", k);
    start(b, s);
    for (uint64_t c = 0; c < CYCLES; run_to(b, c))
        c = sooner(c + 1 + rng_below(seed, rng_below(seed, 2) ? 4 : 200), CYCLES);
    same(a, b, "in random pieces", k);
    start(b, s);
    for (uint64_t c = 0; c < CYCLES; run_to(b, c)) {
        c = sooner(c + 1 + rng_below(seed, 50), CYCLES);
        if (rng_below(seed, 2))
            engine_drop(b->engine);
        else
            engine_flush(b->engine);
        hart_refresh(b->h);
    }
    same(a, b, "with caches dropped", k);
}

static void streams(const char *cpu)
{
    struct insn_world *a = insn_world_new(cpu), *b = insn_world_new(cpu);
    struct stream *s = calloc(1, sizeof *s);
    const char *text = getenv("TRAPLINE_SEED");
    uint64_t first = text ? strtoull(text, NULL, 10) * 1000000 : 0, traps = 0;
    for (uint64_t k = first; k < first + insn_rounds() / 10; k++) {
        uint64_t seed = k * 77 + 5;
        make_stream(s, &seed, a->cfg.xlen);
        compare(a, b, s, &seed, k);
        traps += a->h->s.idle;
    }
    /* Streams that mostly trap would test little. */
    assert_true(traps < (uint64_t)CYCLES * (insn_rounds() / 10) / 3);
    free(s);
    insn_world_free(a);
    insn_world_free(b);
}

/* Loops of compiled programs that longer rows of fuse.def are for, which chance alone does not make: in them loads and stores
   miss the soft TLB whenever caches were dropped. */
static void long_sequences_make_no_difference(void **state)
{
    static const uint16_t loops[][20] = {
        /* lbu a2,(a0); srliw a4,a5,8; addi a0,a0,1; xor a5,a5,a2; andi a5,a5,255; slli a5,a5,2; add a5,a5,a7; lw a5,(a5);
           xor a5,a5,a4; sext.w a5,a5; bne a0,s7,-26 */
        {0x4603, 0x0005, 0xd71b, 0x0087, 0x0505, 0x8fb1, 0xf793, 0x0ff7, 0x078a, 0x97c6, 0x439c, 0x8fb9, 0x2781, 0x13e3, 0xff75},
        /* lw t4,(a2); lw a0,(a3); addi a3,a3,192; addi a2,a2,4; mulw a0,a0,t4; addw a4,a4,a0; bne a3,a6,-18 */
        {0x2e83, 0x0006, 0x4288, 0x8693, 0x0c06, 0x0611, 0x053b, 0x03d5, 0x9f29, 0x97e3, 0xff06},
        /* slli a4,a5,32; srli a4,a4,32; add a4,a4,s5; sb zero,(a4); addw a5,t1,a5; bltu a5,a6,-16; mv a5,a3; j -22 */
        {0x9713, 0x0207, 0x9301, 0x9756, 0x0023, 0x0007, 0x07bb, 0x00f3, 0xe8e3, 0xff07, 0x87b6, 0xb7ed},
        /* lw a4,(a5); mv a7,a5; addiw s0,s0,1; addi a5,a5,4; bltu a4,a3,-8 */
        {0x4398, 0x88be, 0x2405, 0x0791, 0x6ce3, 0xfed7},
        /* mulw a5,a5,a1; addi a4,a4,4; addw a5,a5,a2; sw a5,-4(a4); bne a4,s9,-12 */
        {0x87bb, 0x02b7, 0x0711, 0x9fb1, 0x2e23, 0xfef7, 0x1ae3, 0xff97},
    };
    struct insn_world *a = insn_world_new("rv64"), *b = insn_world_new("rv64");
    struct stream *s = calloc(1, sizeof *s);
    (void)state;
    for (unsigned i = 0; i < 5 * ARRAY_LEN(loops); i++) {
        uint64_t seed = i;
        make_stream(s, &seed, 64);
        memcpy(s->code, loops[i % ARRAY_LEN(loops)], sizeof loops[0]);
        for (unsigned r = 5; r < 28; r++)
            s->x[r] = INSN_DATA + 8 * rng_below(&seed, 64);
        s->x[6] = 16; /* the loop with these in it counts a5 up to a6 */
        s->x[15] = i % 5 == 2 ? 4 : s->x[15];
        s->x[16] = i % 5 == 2 ? 0x700 : s->x[16];
        compare(a, b, s, &seed, i);
    }
    free(s);
    insn_world_free(a);
    insn_world_free(b);
}

static void pieces_and_dropped_caches_make_no_difference_on_rv64(void **state)
{
    (void)state;
    streams("rv64");
}

static void pieces_and_dropped_caches_make_no_difference_on_rv32(void **state)
{
    (void)state;
    streams("rv32");
}

static void pieces_make_no_difference_without_compressed_instructions(void **state)
{
    (void)state;
    streams("rv64,c=off,zicfiss=off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_and_dropped_caches_make_no_difference_on_rv64),
        cmocka_unit_test(pieces_and_dropped_caches_make_no_difference_on_rv32),
        cmocka_unit_test(pieces_make_no_difference_without_compressed_instructions),
        cmocka_unit_test(long_sequences_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
