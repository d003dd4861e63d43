/*
 * Trap entry against an oracle that is the manual's text as a table: which registers a trap into M, HS, VS or the RNMI handler
 * writes, and with what. Every other bit of the state must stay as it was.
 */
#include "trap_hart.h"

enum target { TO_M, TO_HS, TO_VS, TO_RNMI, TO_NOWHERE };
enum source {
    OLD_PRIV,
    OLD_V,
    OLD_ELP,
    OLD_MIE,
    OLD_SIE,
    OLD_VSIE,
    OLD_PC,
    ZERO,
    ONE,
    IS_M,
    CAUSE,
    TVAL,
    TVAL2,
    TINST,
    GVA,
    SPVP,
    KEEP_SDT,
    KEEP_VSDT,
    KEEP_MDT
};

/* hypervisor "Trap entry", tables h-mpp, h-spp, h-vspp; priv 3.1.6.1; cfi "Preserving Expected Landing Pad State"; smrnmi "RNMI
 * Operation". */
static const struct rule {
    enum target target;
    enum field_id field;
    enum source source;
} rules[] = {
    {TO_M, M_MPP, OLD_PRIV},   {TO_M, M_MPV, OLD_V},        {TO_M, M_MPIE, OLD_MIE},   {TO_M, M_MIE, ZERO},
    {TO_M, M_GVA, GVA},        {TO_M, M_MPELP, OLD_ELP},    {TO_M, M_MDT, KEEP_MDT},   {TO_M, MEPC, OLD_PC},
    {TO_M, MCAUSE, CAUSE},     {TO_M, MTVAL, TVAL},         {TO_M, MTVAL2, TVAL2},     {TO_M, MTINST, TINST},
    {TO_HS, M_SPP, OLD_PRIV},  {TO_HS, M_SPIE, OLD_SIE},    {TO_HS, M_SIE, ZERO},      {TO_HS, M_SPELP, OLD_ELP},
    {TO_HS, M_SDT, KEEP_SDT},  {TO_HS, H_SPVP, SPVP},       {TO_HS, H_SPV, OLD_V},     {TO_HS, H_GVA, GVA},
    {TO_HS, SEPC, OLD_PC},     {TO_HS, SCAUSE, CAUSE},      {TO_HS, STVAL, TVAL},      {TO_HS, HTVAL, TVAL2},
    {TO_HS, HTINST, TINST},    {TO_VS, V_SPP, OLD_PRIV},    {TO_VS, V_SPIE, OLD_VSIE}, {TO_VS, V_SIE, ZERO},
    {TO_VS, V_SPELP, OLD_ELP}, {TO_VS, V_SDT, KEEP_VSDT},   {TO_VS, VSEPC, OLD_PC},    {TO_VS, VSCAUSE, CAUSE},
    {TO_VS, VSTVAL, TVAL},     {TO_RNMI, N_MNPP, OLD_PRIV}, {TO_RNMI, N_MNPV, OLD_V},  {TO_RNMI, N_MNPELP, OLD_ELP},
    {TO_RNMI, N_NMIE, ZERO},   {TO_RNMI, MNEPC, OLD_PC},    {TO_RNMI, MNCAUSE, CAUSE},
};

struct expect {
    enum target target;
    uint64_t cause, tval2, pc;
    bool from_m;
};

static uint64_t with_interrupt_bit(const struct bench *b, uint64_t code, bool interrupt)
{
    return code | (uint64_t)interrupt << (b->cfg.xlen - 1);
}

static uint64_t vectored(const struct bench *b, uint64_t tvec, bool interrupt, uint64_t code)
{
    uint64_t base = tvec - (tvec & 3);
    if ((tvec & 3) == 1 && interrupt)
        base += 4 * code;
    return base & bits_mask(0, b->cfg.xlen);
}

/* A trap that M is to handle, its mcause already known: double traps of M, and where Smrnmi sends exceptions. */
static struct expect into_m(const struct bench *b, const struct rv_state *s, const struct trap *t, uint64_t cause, uint64_t tval2)
{
    struct expect e = {.target = TO_M, .cause = cause, .tval2 = tval2};
    bool smrnmi = rv_has(&b->cfg, EXT_Smrnmi), smdbltrp = rv_has(&b->cfg, EXT_Smdbltrp), nmie = !smrnmi || get(s, N_NMIE);
    e.pc = vectored(b, s->csr.mtvec, t->interrupt && cause != 16, t->cause);
    if (smdbltrp && (get(s, M_MDT) || (s->priv == RV_M && !nmie))) {
        e.target = smrnmi && nmie ? TO_RNMI : TO_NOWHERE;
        e.pc = b->cfg.nmi_rnmi_vector;
        e.from_m = true;
    } else if (s->priv == RV_M && !nmie && !t->interrupt) {
        e.pc = b->cfg.nmi_exception_vector;
    }
    return e;
}

static struct expect oracle(const struct bench *b, const struct rv_state *s, const struct trap *t)
{
    uint64_t plain = with_interrupt_bit(b, t->cause, t->interrupt);
    bool guest_fault = !t->interrupt && (t->cause == 20 || t->cause == 21 || t->cause == 23);
    uint64_t tval2 = guest_fault ? t->tval2 : 0;
    if (t->nmi)
        return (struct expect){.target = TO_RNMI, .cause = plain, .pc = b->cfg.nmi_rnmi_vector};
    bool to_s = (t->interrupt ? s->csr.mideleg : s->csr.medeleg) >> t->cause & 1;
    bool to_vs = to_s && s->v && ((t->interrupt ? s->csr.hideleg : s->csr.hedeleg) >> t->cause & 1);
    if (s->priv == RV_M || !to_s)
        return into_m(b, s, t, plain, tval2);
    bool dte = to_vs ? get(s, MENV_DTE) && get(s, HENV_DTE) : get(s, MENV_DTE);
    if (dte && get(s, to_vs ? V_SDT : M_SDT))
        return into_m(b, s, t, 16, plain);
    if (!to_vs)
        return (struct expect){
            .target = TO_HS, .cause = plain, .tval2 = tval2, .pc = vectored(b, s->csr.stvec, t->interrupt, t->cause)};
    uint64_t code = t->cause;
    if (t->interrupt && (code == 2 || code == 6 || code == 10))
        code--;
    return (struct expect){.target = TO_VS,
                           .cause = with_interrupt_bit(b, code, t->interrupt),
                           .pc = vectored(b, s->csr.vstvec, t->interrupt, code)};
}

static uint64_t value_of(const struct bench *b, const struct rv_state *s, const struct trap *t, const struct expect *e,
                         enum source from)
{
    switch (from) {
    case OLD_PRIV: return e->from_m ? (uint64_t)RV_M : s->priv;
    case OLD_V: return e->from_m ? 0 : s->v;
    case OLD_ELP: return s->elp;
    case OLD_MIE: return get(s, M_MIE);
    case OLD_SIE: return get(s, M_SIE);
    case OLD_VSIE: return get(s, V_SIE);
    case OLD_PC: return s->pc;
    case CAUSE: return e->cause;
    case TVAL: return t->tval;
    case TVAL2: return e->tval2;
    case TINST: return t->tinst;
    case GVA: return t->gva;
    case SPVP: return s->v ? s->priv : get(s, H_SPVP);
    case KEEP_SDT: return get(s, MENV_DTE) ? 1 : get(s, M_SDT);
    case KEEP_VSDT: return get(s, MENV_DTE) && get(s, HENV_DTE) ? 1 : get(s, V_SDT);
    case KEEP_MDT: return rv_has(&b->cfg, EXT_Smdbltrp) ? 1 : get(s, M_MDT);
    default: return from == ONE;
    }
}

static struct rv_state expected(const struct bench *b, const struct trap *t, const struct expect *e)
{
    const struct rv_state *s = &b->hart->s;
    struct rv_state w = *s;
    w.waiting = 0;
    if (e->target == TO_NOWHERE) {
        w.halted = 1;
        return w;
    }
    for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].target == e->target)
            put(&w, rules[i].field, value_of(b, s, t, e, rules[i].source));
    }
    w.pc = e->pc;
    w.elp = 0;
    w.priv = e->target == TO_M || e->target == TO_RNMI ? RV_M : RV_S;
    w.v = e->target == TO_VS;
    return w;
}

static struct trap random_trap(const struct bench *b, uint64_t *rng)
{
    static const uint8_t irqs[] = {1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13};
    static const uint8_t excs[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18, 19, 20, 21, 22, 23};
    struct trap t = {.interrupt = chance(rng, 40)};
    if (rv_has(&b->cfg, EXT_Smrnmi) && chance(rng, 5))
        return (struct trap){.interrupt = true, .nmi = true};
    if (t.interrupt) {
        t.cause = irqs[rng_below(rng, ARRAY_LEN(irqs))];
        return t;
    }
    t.cause = excs[rng_below(rng, ARRAY_LEN(excs))];
    t.tval = rng_next(rng) & bits_mask(0, b->cfg.xlen);
    t.tval2 = rng_next(rng) >> 2; /* also where no guest-page fault may pass it on */
    t.tinst = rng_next(rng) & 0xffffffff;
    t.gva = rv_has(&b->cfg, EXT_H) && chance(rng, 50);
    return t;
}

static unsigned seen[5];

static void one_case(struct bench *b, uint64_t seed)
{
    uint64_t rng = seed;
    random_config(b, &rng);
    random_state(b, &rng);
    struct trap t = random_trap(b, &rng);
    struct expect e = oracle(b, &b->hart->s, &t);
    struct rv_state want = expected(b, &t, &e);
    seen[e.target]++;
    take_trap(b->hart, &t);
    assert_same_state(b, &want, "trap entry", seed);
    if (e.target == TO_NOWHERE)
        return;
    assert_int_equal(b->hart->csr.priv, want.priv);
    assert_int_equal(b->hart->csr.v, want.v);
    assert_true(want.priv == RV_M || b->hart->plain.v == want.v);
}

static void a_trap_writes_what_the_manual_says_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct bench *b = bench_new(xlen);
        memset(seen, 0, sizeof seen);
        for (uint64_t seed = 0; seed < 100000; seed++)
            one_case(b, seed * 2654435761u + xlen);
        for (unsigned i = 0; i < 5; i++)
            assert_in_range(seen[i], 1000, 100000);
        bench_free(b);
    }
}

static struct cpu_change last_change;
static unsigned told;

static void on_trap(void *ctx, struct cpu *cpu, const struct cpu_change *c)
{
    assert_ptr_equal(ctx, cpu);
    told++;
    last_change = *c;
}

static void the_monitor_is_told_of_traps_and_returns(void **state)
{
    (void)state;
    const struct cpu_env env = {.trapped = on_trap};
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    h->cpu.env = &env;
    h->cpu.env_ctx = &h->cpu;
    h->s.pc = 0x80001000;
    h->s.priv = RV_S;
    h->s.csr.mtvec = 0x80000100;
    take_trap(h, &(struct trap){.cause = EXC_ECALL_S});
    assert_int_equal(told, 1);
    assert_false(last_change.is_return);
    assert_int_equal(last_change.cause, EXC_ECALL_S);
    assert_int_equal(last_change.epc, 0x80001000);
    assert_int_equal(last_change.priv, RV_S);
    assert_int_equal(last_change.to_priv, RV_M);
    assert_int_equal(last_change.pc, 0x80000100);
    assert_true(do_mret(h));
    assert_int_equal(told, 2);
    assert_true(last_change.is_return);
    assert_int_equal(last_change.epc, 0x80000100);
    assert_int_equal(last_change.priv, RV_M);
    assert_int_equal(h->s.pc, 0x80001000);
    bench_free(b);
}

static void a_mode_change_brings_the_caches_along(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    struct hart *h = b->hart;
    put(&h->s, M_FS, 3);
    put(&h->s, V_FS, 2);
    put(&h->s, HENV_LPE, 1);
    hart_mode_changed(h); /* as after a write to henvcfg */
    hart_set_mode(h, RV_S, 0);
    assert_int_equal(h->fp_ready, 2);
    assert_int_equal(h->lpe, 0);
    hart_set_mode(h, RV_S, 1);
    assert_int_equal(h->fp_ready, 0); /* vsstatus.FS is Clean: it must become Dirty first */
    assert_int_equal(h->lpe, 1);
    assert_int_equal(h->plain.v, 1);
    put(&h->s, V_FS, 3);
    hart_mode_changed(h);
    assert_int_equal(h->fp_ready, 2);
    put(&h->s, M_MPRV, 1);
    put(&h->s, M_MPP, RV_U);
    hart_set_mode(h, RV_M, 0);
    assert_int_equal(h->plain.priv, RV_U);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trap_writes_what_the_manual_says_and_nothing_else),
        cmocka_unit_test(the_monitor_is_told_of_traps_and_returns),
        cmocka_unit_test(a_mode_change_brings_the_caches_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
