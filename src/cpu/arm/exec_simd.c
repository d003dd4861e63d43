/*
 * The handlers of the FP, Advanced SIMD and cryptographic instructions: the rows of insn/simd_all.def. What they are written with
 * is in simd.inc and fp_exec.inc; what all files of handlers have in common is in exec.inc and rows.inc.
 */
#include "cpu/arm/crypto.h"
#include "cpu/arm/exec.inc"
#include "cpu/fp/arm_host.h"
#include "cpu/arm/simd.inc"
#include "cpu/arm/fp_exec.inc"

/* ---- integers ----------------------------------------------------------------------------------------------------------- */

/* URECPE and URSQRTE: fixed-point estimates of 9 bits. Arm ARM UnsignedRecipEstimate, UnsignedRSqrtEstimate. */
static uint64_t unsigned_recip(uint64_t a) { return a >> 31 ? (uint64_t)fp_arm_recip9((unsigned)(a >> 23)) << 23 : 0xffffffff; }
static uint64_t unsigned_rsqrt(uint64_t a) { return a >> 30 ? (uint64_t)fp_arm_rsqrt9((unsigned)(a >> 23)) << 23 : 0xffffffff; }

/* Sums of four products of bytes; sa, sb: the operand's bytes are signed. */
INLINE uint32_t dot4(const union vec *a, unsigned i, const union vec *b, unsigned j, bool sa, bool sb)
{
    int32_t sum = 0;
    for (unsigned k = 0; k < 4; k++)
        sum += (int32_t)(sa ? a->sb[4 * i + k] : a->b[4 * i + k]) * (sb ? b->sb[4 * j + k] : b->b[4 * j + k]);
    return (uint32_t)sum;
}

FP_CALL(simd_dot, bool sa, bool sb, bool element)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1), b = get_vec(p, op->rs2), d = get_vec(p, op->rd);
    for (unsigned i = 0; i < 4; i++)
        d.s[i] += dot4(&a, i, &b, element ? op->aux : i, sa, sb);
    set_vec(p, op->rd, d, (uint64_t)(int64_t)op->imm);
    DONE(p, op, left);
}

FP_CALL(simd_mmla, bool sa, bool sb)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1), b = get_vec(p, op->rs2), d = get_vec(p, op->rd);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 2; k++)
            d.s[i] += dot4(&a, i / 2 * 2 + k, &b, i % 2 * 2 + k, sa, sb);
    set_vec(p, op->rd, d, ~UINT64_C(0));
    DONE(p, op, left);
}

SLOW void simd_pmull(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1), b = get_vec(p, op->rs2), d;
    unsigned half = op->imm ? 1 : 0;
    unsigned __int128 r = poly_mul(a.d[half], b.d[half], 64);
    d.d[0] = (uint64_t)r;
    d.d[1] = (uint64_t)(r >> 64);
    set_vec(p, op->rd, d, ~UINT64_C(0));
    DONE(p, op, left);
}

/* ---- copies: op->aux is imm5, whose lowest set bit is the size and what is above the index ------------------------------- */

INLINE unsigned imm5_size(const struct uop *op) { return (unsigned)__builtin_ctz(op->aux); }
INLINE unsigned imm5_index(const struct uop *op) { return op->aux >> (imm5_size(op) + 1); }

INLINE union vec replicate(uint64_t v, unsigned sz)
{
    uint64_t x = sz == 0   ? (v & 0xff) * UINT64_C(0x0101010101010101)
                 : sz == 1 ? (v & 0xffff) * UINT64_C(0x0001000100010001)
                 : sz == 2 ? (v & 0xffffffff) * UINT64_C(0x100000001)
                           : v;
    return (union vec){{x, x}};
}

FP_CALL(simd_dup, bool scalar)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1);
    uint64_t v = lane_u(&a, imm5_size(op), imm5_index(op));
    set_vec(p, op->rd, scalar ? (union vec){{v, 0}} : replicate(v, imm5_size(op)), (uint64_t)(int64_t)op->imm);
    DONE(p, op, left);
}

SLOW void simd_dup_x(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    set_vec(p, op->rd, replicate(X(op->rs1), imm5_size(op)), (uint64_t)(int64_t)op->imm);
    DONE(p, op, left);
}

FP_CALL(simd_mov_x, bool is_signed, bool wide_x)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1);
    unsigned sz = imm5_size(op), i = imm5_index(op);
    uint64_t v = is_signed ? (uint64_t)lane_s(&a, sz, i) : lane_u(&a, sz, i);
    RD(wide_x ? v : (uint32_t)v);
    DONE(p, op, left);
}

SLOW void simd_ins_x(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    union vec d = get_vec(p, op->rd);
    set_lane(&d, imm5_size(op), imm5_index(op), X(op->rs1));
    set_vec(p, op->rd, d, ~UINT64_C(0));
    DONE(p, op, left);
}

SLOW void simd_ins_e(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1), d = get_vec(p, op->rd);
    unsigned sz = imm5_size(op);
    set_lane(&d, sz, imm5_index(op), lane_u(&a, sz, op->rs2 >> sz));
    set_vec(p, op->rd, d, ~UINT64_C(0));
    DONE(p, op, left);
}

/* ---- tables and extraction ---------------------------------------------------------------------------------------------- */

FP_CALL(simd_tbl, bool keep)
{
    FP_BEGIN
    union vec b = get_vec(p, op->rs2), d = {{0, 0}};
    uint8_t table[64];
    unsigned n = 16u * op->aux;
    for (unsigned k = 0; k < op->aux; k++)
        memcpy(table + 16 * k, p->s.v[(op->rs1 + k) & 31].b, 16);
    if (keep)
        d = get_vec(p, op->rd);
    for (unsigned i = 0; i < 16; i++)
        if (b.b[i] < n)
            d.b[i] = table[b.b[i]];
    set_vec(p, op->rd, d, (uint64_t)(int64_t)op->imm);
    DONE(p, op, left);
}

FP_CALL(simd_ext, unsigned bytes)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1), b = get_vec(p, op->rs2), d = {{0, 0}};
    for (unsigned i = 0; i < bytes; i++)
        d.b[i] = i + op->aux < bytes ? a.b[i + op->aux] : b.b[i + op->aux - bytes];
    set_vec(p, op->rd, d, ~UINT64_C(0));
    DONE(p, op, left);
}

/* ---- modified immediates. Arm ARM AdvSIMDExpandImm ---------------------------------------------------------------------- */

static uint64_t expand_imm(unsigned cmode, unsigned o, uint64_t imm8)
{
    if (cmode < 8)
        return (imm8 << (cmode >> 1) * 8) * UINT64_C(0x100000001);
    if (cmode < 12)
        return (imm8 << (cmode >> 1 & 1) * 8) * UINT64_C(0x0001000100010001);
    if (cmode < 14)
        return (imm8 << (cmode & 1 ? 16 : 8) | (cmode & 1 ? 0xffff : 0xff)) * UINT64_C(0x100000001);
    if (cmode == 15)
        return o ? fp_arm_expand(FP_D, (unsigned)imm8) : fp_arm_expand(FP_S, (unsigned)imm8) * UINT64_C(0x100000001);
    if (!o)
        return imm8 * UINT64_C(0x0101010101010101);
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= imm8 >> i & 1 ? UINT64_C(0xff) << 8 * i : 0;
    return v;
}

SLOW void simd_modified(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    uint32_t i = (uint32_t)op->imm;
    unsigned cmode = i >> 12 & 15, o = i >> 29 & 1, imm8 = (i >> 16 & 7) << 5 | (i >> 5 & 31);
    bool half = i >> 11 & 1, edits = (cmode & 1) && cmode < 12;
    uint64_t v = half ? fp_arm_expand(FP_H, imm8) * UINT64_C(0x0001000100010001) : expand_imm(cmode, o, imm8);
    union vec d = get_vec(p, op->rd);
    if (edits) { /* orr, bic */
        d.d[0] = o ? d.d[0] & ~v : d.d[0] | v;
        d.d[1] = o ? d.d[1] & ~v : d.d[1] | v;
    } else {
        d.d[0] = d.d[1] = o && cmode < 14 ? ~v : v; /* mvni */
    }
    set_vec(p, op->rd, d, i >> 30 & 1 ? ~UINT64_C(0) : 0);
    DONE(p, op, left);
}

/* ---- structures --------------------------------------------------------------------------------------------------------- */

/* Where n bytes at va are in host memory, if the soft TLB knows; else NULL. */
INLINE uint8_t *elements_at(const struct pe *p, uint64_t va, unsigned n, bool store)
{
    const struct tlb_entry *t = TLB_OF(va);
    bool hit = TLB_PAGE(va, n) == (store ? t->wtag : t->rtag);
    return likely(hit) ? (uint8_t *)(va + t->add) : NULL;
}

/* Moves n elements of `size` bytes between memory at va and buf, in chunks that slow.data holds. False: p->exc. */
static bool move_elements(struct pe *p, uint64_t va, unsigned size, unsigned n, uint8_t *buf, bool store)
{
    uint8_t *host = elements_at(p, va, size * n, store);
    if (host) {
        memcpy(store ? host : buf, store ? buf : host, size * n);
        return true;
    }
    unsigned most = sizeof p->slow.data / size;
    for (unsigned done = 0; done < n; done += most) {
        unsigned count = n - done < most ? n - done : most;
        if (store)
            memcpy(p->slow.data, buf + done * size, count * size);
        if (!(store ? pe_store(p, va + done * size, size, count, &p->plain)
                    : pe_load(p, va + done * size, size, count, &p->plain)))
            return false;
        if (!store)
            memcpy(buf + done * size, p->slow.data, count * size);
    }
    return true;
}

/* What a post-indexed one adds to its base: a register, or with number 31 the bytes moved. */
INLINE uint64_t post_step(const struct pe *p, const struct uop *op, unsigned bytes)
{
    return op->rs2 == REG_ZR ? bytes : X(op->rs2);
}

#define STRUCTURE_END(bytes)                                  \
    do {                                                      \
        left = sync_out(p, left);                             \
        if (post)                                             \
            WRITE_BACK(X(op->rs1) + post_step(p, op, bytes)); \
        DONE(p, op, left);                                    \
    } while (0)
#define STRUCTURE_BEGIN                        \
    FP_BEGIN                                   \
    sync_in(p, op, left);                      \
    if (sp_misaligned(p, op))                  \
        return exec_sp_alignment(p, op, left); \
    uint32_t insn = (uint32_t)op->imm

/* regs registers, whose lanes lie in memory in turns of `turn` registers. */
FP_CALL(ls_multiple, bool store, unsigned regs, unsigned turn, bool post)
{
    STRUCTURE_BEGIN;
    unsigned sz = insn >> 10 & 3, size = 1u << sz, width = insn >> 30 & 1 ? 16 : 8, lanes = width >> sz;
    uint8_t *buf = p->slow.elements, *at = buf;
    if (!store && !move_elements(p, X(op->rs1), size, lanes * regs, buf, false))
        return exec_raise(p, op, left);
    for (unsigned r = 0; r < regs; r += turn)
        for (unsigned i = 0; i < lanes; i++)
            for (unsigned k = 0; k < turn; k++, at += size) {
                uint8_t *lane = &p->s.v[(op->rd + r + k) & 31].b[i * size];
                memcpy(store ? at : lane, store ? lane : at, size);
            }
    if (store && !move_elements(p, X(op->rs1), size, lanes * regs, buf, true))
        return exec_raise(p, op, left);
    for (unsigned r = 0; !store && width == 8 && r < regs; r++)
        p->s.v[(op->rd + r) & 31].d[1] = 0;
    STRUCTURE_END(width * regs);
}

FP_CALL(ls_single, bool store, unsigned regs, unsigned sz, bool post)
{
    STRUCTURE_BEGIN;
    unsigned size = 1u << sz, index = ((insn >> 30 & 1) << 3 | (insn >> 10 & 7)) >> sz;
    uint8_t *buf = p->slow.elements;
    if (!store && !move_elements(p, X(op->rs1), size, regs, buf, false))
        return exec_raise(p, op, left);
    for (unsigned r = 0; r < regs; r++) {
        uint8_t *lane = &p->s.v[(op->rd + r) & 31].b[index * size];
        memcpy(store ? buf + r * size : lane, store ? lane : buf + r * size, size);
    }
    if (store && !move_elements(p, X(op->rs1), size, regs, buf, true))
        return exec_raise(p, op, left);
    STRUCTURE_END(size * regs);
}

/* A lane as with LDAPR and STLR: single-copy atomic, with their alignment. Arm ARM CreateAccDescASIMDAcqRel. */
FP_CALL(ls_single_ordered, bool store, unsigned regs, unsigned sz)
{
    STRUCTURE_BEGIN;
    const struct access_mode *mode = mode_for(p, HOW_ORDERED);
    unsigned size = 1u << sz;
    uint8_t *lane = &p->s.v[op->rd].b[(insn >> 30 & 1) << sz];
    if (store)
        memcpy(p->slow.data, lane, size);
    if (!(store ? pe_store(p, X(op->rs1), size, regs, mode) : pe_load(p, X(op->rs1), size, regs, mode)))
        return exec_raise(p, op, left);
    if (!store)
        memcpy(lane, p->slow.data, size);
    left = sync_out(p, left);
    DONE(p, op, left);
}

/* The commonest of those that replicate, of one register. */
#define LS_REPLICATE1(post)                                                                    \
    FP_BEGIN                                                                                   \
    unsigned sz_ = (uint32_t)op->imm >> 10 & 3;                                                \
    uint64_t va_ = X(op->rs1), v_ = 0;                                                         \
    const uint8_t *host_ = elements_at(p, va_, 1u << sz_, false);                              \
    if (unlikely(!host_))                                                                      \
        return ls_replicate(p, op, left, 1, post);                                             \
    v_ = sz_ == 2 ? get32(host_) : sz_ == 3 ? get64(host_) : sz_ ? get16(host_) : get8(host_); \
    v_ = replicate(v_, sz_).d[0];                                                              \
    p->s.v[op->rd].d[0] = v_;                                                                  \
    p->s.v[op->rd].d[1] = (uint32_t)op->imm >> 30 & 1 ? v_ : 0;                                \
    if (post)                                                                                  \
    WRITE_BACK(va_ + post_step(p, op, 1u << sz_))

FP_CALL(ls_replicate, unsigned regs, bool post)
{
    STRUCTURE_BEGIN;
    unsigned sz = insn >> 10 & 3, size = 1u << sz;
    uint8_t *buf = p->slow.elements;
    if (!move_elements(p, X(op->rs1), size, regs, buf, false))
        return exec_raise(p, op, left);
    for (unsigned r = 0; r < regs; r++) {
        uint64_t v = 0;
        memcpy(&v, buf + r * size, size);
        set_vec(p, (op->rd + r) & 31, replicate(v, sz), insn >> 30 & 1 ? ~UINT64_C(0) : 0);
    }
    STRUCTURE_END(size * regs);
}

/* ---- cryptography ------------------------------------------------------------------------------------------------------- */

INLINE union crypto_reg crypto_get(const struct pe *p, unsigned n)
{
    return (union crypto_reg){{p->s.v[n].d[0], p->s.v[n].d[1]}};
}
INLINE void crypto_put(struct pe *p, unsigned n, union crypto_reg r)
{
    p->s.v[n].d[0] = r.d[0];
    p->s.v[n].d[1] = r.d[1];
}

FP_CALL(crypto3, crypto_fn *fn)
{
    FP_BEGIN
    crypto_put(p, op->rd, fn(crypto_get(p, op->rd), crypto_get(p, op->rs1), crypto_get(p, op->rs2)));
    DONE(p, op, left);
}

SLOW void crypto_sm3ss1(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    crypto_put(p, op->rd, crypto_sm3ss1_of(crypto_get(p, op->rs1), crypto_get(p, op->rs2), crypto_get(p, op->aux)));
    DONE(p, op, left);
}

FP_CALL(crypto_sm3tt, unsigned kind)
{
    FP_BEGIN
    crypto_put(p, op->rd, crypto_sm3tt_of(crypto_get(p, op->rd), crypto_get(p, op->rs1), crypto_get(p, op->rs2), op->aux, kind));
    DONE(p, op, left);
}

SLOW void crypto_xar(struct pe *p, struct uop *op, int64_t left)
{
    FP_BEGIN
    union vec a = get_vec(p, op->rs1), b = get_vec(p, op->rs2), d;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t x = a.d[i] ^ b.d[i];
        d.d[i] = op->aux ? x >> op->aux | x << (64 - op->aux) : x;
    }
    set_vec(p, op->rd, d, ~UINT64_C(0));
    DONE(p, op, left);
}

/* ---- the rows ----------------------------------------------------------------------------------------------------------- */

#define ROWS "cpu/arm/insn/simd_all.def"
#include "cpu/arm/rows.inc"

uop_fn *const exec_simd_handlers[A64_OP_COUNT] = {
#define INSN(name, feat, pattern, format, cost, ...) [OP_##name] = i_##name,
#include ROWS
#undef INSN
};
