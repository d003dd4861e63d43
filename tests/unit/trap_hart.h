/* What the tests of traps, returns and interrupts share: a hart without memory, random states for it, and field access by the
 * manual's bits. */
#ifndef TL_TEST_TRAP_HART_H
#define TL_TEST_TRAP_HART_H
#include "base/bits.h"
#include "base/rng.h"
#include "cpu/riscv/hart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the above first
#include <cmocka.h>

struct bench {
    struct mem *mem;
    struct engine *engine;
    struct hart *hart;
    struct rv_config cfg;
};

static inline void bench_ext(struct bench *b, enum rv_ext e, bool on)
{
    b->cfg.ext[e / 32] &= ~(1u << e % 32);
    b->cfg.ext[e / 32] |= (uint32_t)on << e % 32;
}

/* Everything is on but Smdbltrp and Smrnmi. */
static inline struct bench *bench_new(unsigned xlen)
{
    struct bench *b = calloc(1, sizeof *b);
    b->mem = mem_new();
    b->engine = calloc(1, sizeof *b->engine);
    engine_init(b->engine, b->mem, 1);
    b->hart = calloc(1, sizeof *b->hart);
    engine_add_cpu(b->engine, &b->hart->cpu);
    b->cfg = (struct rv_config){.xlen = xlen, .pa_bits = xlen == 32 ? 34 : 56, .tick_cycles = 100, .hpm_count = 29, .geilen = 8};
    b->cfg.nmi_rnmi_vector = 0x1230;
    b->cfg.nmi_exception_vector = 0x4560;
    memset(b->cfg.ext, 0xff, sizeof b->cfg.ext);
    bench_ext(b, EXT_Smrnmi, false);
    bench_ext(b, EXT_Smdbltrp, false);
    b->hart->cfg = &b->cfg;
    b->hart->xlen = (uint8_t)xlen;
    b->hart->ialign16 = 1;
    b->hart->s.priv = RV_M;
    b->hart->fp_host = 2;
    pmp_refresh(b->hart);
    return b;
}

static inline void bench_free(struct bench *b)
{
    cpu_free_caches(&b->hart->cpu);
    engine_free(b->engine);
    mem_free(b->mem);
    free(b->engine);
    free(b->hart);
    free(b);
}

/* A field of a stored register, named and numbered as in the manual's figures (RV64 layout). */
struct field {
    size_t reg;
    unsigned msb, lsb;
    const char *name;
};
#define REG(r) offsetof(struct rv_csrs, r)
#define FIELD(r, f, msb, lsb)       \
    {                               \
        REG(r), msb, lsb, #r "." #f \
    }
#define WHOLE(r)          \
    {                     \
        REG(r), 63, 0, #r \
    }

enum field_id {
    M_SIE,
    M_MIE,
    M_SPIE,
    M_MPIE,
    M_SPP,
    M_MPP,
    M_FS,
    M_MPRV,
    M_TW,
    M_TSR,
    M_SPELP,
    M_SDT,
    M_GVA,
    M_MPV,
    M_MPELP,
    M_MDT,
    H_GVA,
    H_SPV,
    H_SPVP,
    H_VTW,
    H_VTSR,
    V_SIE,
    V_SPIE,
    V_SPP,
    V_FS,
    V_SPELP,
    V_SDT,
    N_NMIE,
    N_MNPV,
    N_MNPELP,
    N_MNPP,
    MENV_LPE,
    MENV_DTE,
    HENV_LPE,
    HENV_DTE,
    SENV_LPE,
    MSEC_MLPE,
    MEPC,
    MCAUSE,
    MTVAL,
    MTVAL2,
    MTINST,
    SEPC,
    SCAUSE,
    STVAL,
    HTVAL,
    HTINST,
    VSEPC,
    VSCAUSE,
    VSTVAL,
    MNEPC,
    MNCAUSE,
    FIELD_COUNT
};

static const struct field fields[FIELD_COUNT] = {
    [M_SIE] = FIELD(mstatus, SIE, 1, 1),
    [M_MIE] = FIELD(mstatus, MIE, 3, 3),
    [M_SPIE] = FIELD(mstatus, SPIE, 5, 5),
    [M_MPIE] = FIELD(mstatus, MPIE, 7, 7),
    [M_SPP] = FIELD(mstatus, SPP, 8, 8),
    [M_MPP] = FIELD(mstatus, MPP, 12, 11),
    [M_FS] = FIELD(mstatus, FS, 14, 13),
    [M_MPRV] = FIELD(mstatus, MPRV, 17, 17),
    [M_TW] = FIELD(mstatus, TW, 21, 21),
    [M_TSR] = FIELD(mstatus, TSR, 22, 22),
    [M_SPELP] = FIELD(mstatus, SPELP, 23, 23),
    [M_SDT] = FIELD(mstatus, SDT, 24, 24),
    [M_GVA] = FIELD(mstatus, GVA, 38, 38),
    [M_MPV] = FIELD(mstatus, MPV, 39, 39),
    [M_MPELP] = FIELD(mstatus, MPELP, 41, 41),
    [M_MDT] = FIELD(mstatus, MDT, 42, 42),
    [H_GVA] = FIELD(hstatus, GVA, 6, 6),
    [H_SPV] = FIELD(hstatus, SPV, 7, 7),
    [H_SPVP] = FIELD(hstatus, SPVP, 8, 8),
    [H_VTW] = FIELD(hstatus, VTW, 21, 21),
    [H_VTSR] = FIELD(hstatus, VTSR, 22, 22),
    [V_SIE] = FIELD(vsstatus, SIE, 1, 1),
    [V_SPIE] = FIELD(vsstatus, SPIE, 5, 5),
    [V_SPP] = FIELD(vsstatus, SPP, 8, 8),
    [V_FS] = FIELD(vsstatus, FS, 14, 13),
    [V_SPELP] = FIELD(vsstatus, SPELP, 23, 23),
    [V_SDT] = FIELD(vsstatus, SDT, 24, 24),
    [N_NMIE] = FIELD(mnstatus, NMIE, 3, 3),
    [N_MNPV] = FIELD(mnstatus, MNPV, 7, 7),
    [N_MNPELP] = FIELD(mnstatus, MNPELP, 9, 9),
    [N_MNPP] = FIELD(mnstatus, MNPP, 12, 11),
    [MENV_LPE] = FIELD(menvcfg, LPE, 2, 2),
    [MENV_DTE] = FIELD(menvcfg, DTE, 59, 59),
    [HENV_LPE] = FIELD(henvcfg, LPE, 2, 2),
    [HENV_DTE] = FIELD(henvcfg, DTE, 59, 59),
    [SENV_LPE] = FIELD(senvcfg, LPE, 2, 2),
    [MSEC_MLPE] = FIELD(mseccfg, MLPE, 10, 10),
    [MEPC] = WHOLE(mepc),
    [MCAUSE] = WHOLE(mcause),
    [MTVAL] = WHOLE(mtval),
    [MTVAL2] = WHOLE(mtval2),
    [MTINST] = WHOLE(mtinst),
    [SEPC] = WHOLE(sepc),
    [SCAUSE] = WHOLE(scause),
    [STVAL] = WHOLE(stval),
    [HTVAL] = WHOLE(htval),
    [HTINST] = WHOLE(htinst),
    [VSEPC] = WHOLE(vsepc),
    [VSCAUSE] = WHOLE(vscause),
    [VSTVAL] = WHOLE(vstval),
    [MNEPC] = WHOLE(mnepc),
    [MNCAUSE] = WHOLE(mncause),
};

static inline uint64_t get(const struct rv_state *s, enum field_id f)
{
    return bits_get(*(const uint64_t *)((const char *)&s->csr + fields[f].reg), fields[f].msb, fields[f].lsb);
}

static inline void put(struct rv_state *s, enum field_id f, uint64_t v)
{
    uint64_t *reg = (uint64_t *)((char *)&s->csr + fields[f].reg);
    *reg = bits_set(*reg, fields[f].msb, fields[f].lsb, v);
}

static inline bool chance(uint64_t *rng, unsigned percent) { return rng_below(rng, 100) < percent; }

/* A configuration with the extensions that matter on or off at random; what needs H or S goes with it. */
static inline void random_config(struct bench *b, uint64_t *rng)
{
    bool s = chance(rng, 95), h = s && chance(rng, 85);
    bench_ext(b, EXT_U, s || chance(rng, 80));
    bench_ext(b, EXT_S, s);
    bench_ext(b, EXT_H, h);
    bench_ext(b, EXT_Smdbltrp, chance(rng, 50));
    bench_ext(b, EXT_Smrnmi, chance(rng, 40));
    bench_ext(b, EXT_Ssdbltrp, s && chance(rng, 70));
    bench_ext(b, EXT_Zicfilp, chance(rng, 70));
    b->hart->ialign16 = chance(rng, 80);
}

static inline void random_mode(struct bench *b, uint64_t *rng)
{
    static const uint8_t modes[] = {RV_M, RV_S, RV_U, 4 | RV_S, 4 | RV_U};
    unsigned n = rv_has(&b->cfg, EXT_H) ? 5 : rv_has(&b->cfg, EXT_S) ? 3 : 1;
    uint8_t m = modes[rng_below(rng, n)];
    if (n == 1 && rv_has(&b->cfg, EXT_U) && chance(rng, 50))
        m = RV_U;
    b->hart->s.priv = m & 3;
    b->hart->s.v = m >> 2;
}

/* Random contents of every register, as far as the configuration lets them have any. */
static inline void random_state(struct bench *b, uint64_t *rng)
{
    struct rv_state *s = &b->hart->s;
    uint64_t *word = (uint64_t *)&s->csr, xmask = bits_mask(0, b->cfg.xlen);
    uint64_t tvecs[] = {REG(mtvec), REG(stvec), REG(vstvec)}, pcs[] = {REG(mepc), REG(sepc), REG(vsepc), REG(mnepc)};
    bool has_s = rv_has(&b->cfg, EXT_S), has_h = rv_has(&b->cfg, EXT_H), has_dt = rv_has(&b->cfg, EXT_Ssdbltrp);
    for (size_t i = 0; i < sizeof s->csr / 8; i++)
        word[i] = rng_next(rng);
    for (unsigned i = 0; i < 3; i++)
        word[tvecs[i] / 8] &= xmask & ~UINT64_C(2);
    for (unsigned i = 0; i < 4; i++)
        word[pcs[i] / 8] &= xmask & ~UINT64_C(1);
    random_mode(b, rng);
    if (get(s, M_MPP) == 2)
        put(s, M_MPP, RV_M);
    if (get(s, N_MNPP) == 2)
        put(s, N_MNPP, RV_M);
    if (!has_s && get(s, M_MPP) == RV_S)
        put(s, M_MPP, RV_M);
    if (!has_s && get(s, N_MNPP) == RV_S)
        put(s, N_MNPP, RV_M);
    if (!has_s)
        s->csr.medeleg = s->csr.mideleg = 0;
    if (!has_h)
        s->csr.hedeleg = s->csr.hideleg = s->csr.hstatus = s->csr.vsstatus = s->csr.henvcfg = s->csr.hgatp = s->csr.vsatp = 0;
    if (!has_h)
        put(s, M_MPV, 0), put(s, M_GVA, 0), put(s, N_MNPV, 0);
    if (!has_dt || chance(rng, 30))
        put(s, MENV_DTE, 0);
    if (!get(s, MENV_DTE))
        put(s, HENV_DTE, 0), put(s, M_SDT, 0);
    if (!get(s, HENV_DTE))
        put(s, V_SDT, 0);
    if (chance(rng, 40))
        put(s, M_SDT, 0), put(s, V_SDT, 0);
    if (!rv_has(&b->cfg, EXT_Smdbltrp) || chance(rng, 50))
        put(s, M_MDT, 0);
    if (!rv_has(&b->cfg, EXT_Zicfilp))
        put(s, M_MPELP, 0), put(s, M_SPELP, 0), put(s, V_SPELP, 0), put(s, N_MNPELP, 0);
    s->elp = rv_has(&b->cfg, EXT_Zicfilp) && chance(rng, 50);
    s->pc = rng_next(rng) & xmask & ~UINT64_C(1);
    s->waiting = chance(rng, 20);
    s->halted = 0;
    s->res_valid = 8;
    s->res_pa = rng_next(rng);
    s->csr.satp = s->csr.vsatp = s->csr.hgatp = 0;
}

/* Fails with the first register that differs; `what` tells the case. */
static inline void assert_same_state(const struct bench *b, const struct rv_state *want, const char *what, uint64_t seed)
{
    const struct rv_state *got = &b->hart->s;
    if (memcmp(got, want, sizeof *got) == 0)
        return;
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (get(got, f) != get(want, f))
            print_message("%s: got %llx, want %llx\n", fields[f].name, (unsigned long long)get(got, f),
                          (unsigned long long)get(want, f));
    }
    print_message("pc %llx / %llx, mode %u%u / %u%u, elp %u / %u, halted %u / %u\n", (unsigned long long)got->pc,
                  (unsigned long long)want->pc, got->v, got->priv, want->v, want->priv, got->elp, want->elp, got->halted,
                  want->halted);
    fail_msg("%s, seed %llu (xlen %u)", what, (unsigned long long)seed, b->cfg.xlen);
}
#endif
