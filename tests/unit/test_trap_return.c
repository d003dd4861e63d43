/* mret, sret, mnret, ecall, wfi and wrs: who may, what a return changes, and that it undoes the trap. */
#include "trap_hart.h"

enum insn { MRET, SRET, MNRET };

static bool execute(struct hart *h, enum insn i) { return i == MRET ? do_mret(h) : i == SRET ? do_sret(h) : do_mnret(h); }

/* 0: permitted. priv 3.1.6.6, 3.3.2; hypervisor 9.2.1, 9.6.1; smrnmi. */
static uint64_t refusal(const struct bench *b, const struct rv_state *s, enum insn i)
{
    if (i == MRET)
        return s->priv == RV_M ? 0 : EXC_ILLEGAL;
    if (i == MNRET)
        return s->priv == RV_M && rv_has(&b->cfg, EXT_Smrnmi) ? 0 : EXC_ILLEGAL;
    if (!rv_has(&b->cfg, EXT_S))
        return EXC_ILLEGAL;
    if (s->v)
        return s->priv == RV_U || get(s, H_VTSR) ? EXC_VIRTUAL : 0;
    if (s->priv == RV_U)
        return EXC_ILLEGAL;
    return s->priv == RV_S && get(s, M_TSR) ? EXC_ILLEGAL : 0;
}

/* cfi table "xLPE determination". */
static bool lpe(const struct bench *b, const struct rv_state *s, unsigned priv, unsigned v)
{
    if (priv == RV_M)
        return get(s, MSEC_MLPE);
    if (priv == RV_S)
        return get(s, v ? HENV_LPE : MENV_LPE);
    return get(s, rv_has(&b->cfg, EXT_S) ? SENV_LPE : MENV_LPE);
}

/* What every return has in common: the new mode, ELP, MPRV, and SDT of what M leaves behind. */
static void arrive(const struct bench *b, struct rv_state *w, uint64_t epc, unsigned priv, unsigned v, bool pelp)
{
    w->elp = pelp && lpe(b, w, priv, v);
    w->pc = epc - (epc & (b->hart->ialign16 ? 1 : 3));
    if (priv != RV_M)
        put(w, M_MPRV, 0);
    w->priv = (uint8_t)priv;
    w->v = (uint8_t)v;
}

static void sdt_left_behind(struct rv_state *w, unsigned priv, unsigned v)
{
    if (priv == RV_U || (priv == RV_S && v))
        put(w, M_SDT, 0);
    if (priv == RV_U && v)
        put(w, V_SDT, 0);
}

static void after_mret(const struct bench *b, const struct rv_state *s, struct rv_state *w)
{
    unsigned priv = (unsigned)get(s, M_MPP), v = priv == RV_M ? 0 : (unsigned)get(s, M_MPV);
    put(w, M_MIE, get(s, M_MPIE));
    put(w, M_MPIE, 1);
    put(w, M_MPP, rv_has(&b->cfg, EXT_U) ? RV_U : RV_M);
    put(w, M_MPV, 0);
    put(w, M_MPELP, 0);
    put(w, M_MDT, 0);
    sdt_left_behind(w, priv, v);
    arrive(b, w, s->csr.mepc, priv, v, get(s, M_MPELP));
}

static void after_mnret(const struct bench *b, const struct rv_state *s, struct rv_state *w)
{
    unsigned priv = (unsigned)get(s, N_MNPP), v = priv == RV_M ? 0 : (unsigned)get(s, N_MNPV);
    put(w, N_NMIE, 1);
    if (priv != RV_M)
        put(w, M_MDT, 0);
    sdt_left_behind(w, priv, v);
    arrive(b, w, s->csr.mnepc, priv, v, get(s, N_MNPELP));
}

static void after_sret(const struct bench *b, const struct rv_state *s, struct rv_state *w)
{
    if (s->v) {
        put(w, V_SIE, get(s, V_SPIE));
        put(w, V_SPIE, 1);
        put(w, V_SPP, 0);
        put(w, V_SPELP, 0);
        put(w, V_SDT, 0);
        arrive(b, w, s->csr.vsepc, (unsigned)get(s, V_SPP), 1, get(s, V_SPELP));
        return;
    }
    unsigned priv = (unsigned)get(s, M_SPP), v = (unsigned)get(s, H_SPV);
    put(w, H_SPV, 0);
    put(w, M_SIE, get(s, M_SPIE));
    put(w, M_SPIE, 1);
    put(w, M_SPP, 0);
    put(w, M_SPELP, 0);
    put(w, M_SDT, 0);
    if (s->priv == RV_M)
        put(w, M_MDT, 0);
    sdt_left_behind(w, priv, v);
    arrive(b, w, s->csr.sepc, priv, v, get(s, M_SPELP));
}

static void one_return(struct bench *b, uint64_t seed, unsigned done[3])
{
    static const uint32_t encoding[] = {0x30200073, 0x10200073, 0x70200073};
    uint64_t rng = seed;
    random_config(b, &rng);
    random_state(b, &rng);
    struct hart *h = b->hart;
    struct rv_state before = h->s, want = h->s;
    enum insn i = (enum insn)rng_below(&rng, 3);
    uint64_t cause = refusal(b, &before, i);
    if (!cause)
        (i == MRET ? after_mret : i == SRET ? after_sret : after_mnret)(b, &before, &want);
    bool ok = execute(h, i);
    assert_same_state(b, &want, "return", seed);
    assert_int_equal(ok, cause == 0);
    done[i] += ok;
    if (cause) {
        assert_int_equal(h->trap.cause, cause);
        assert_int_equal(h->trap.tval, encoding[i]);
        assert_false(h->trap.interrupt || h->trap.gva || h->trap.nmi);
        assert_int_equal(h->trap.tval2 | h->trap.tinst, 0);
    }
}

static void a_return_changes_what_the_manual_says_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct bench *b = bench_new(xlen);
        unsigned done[3] = {0};
        for (uint64_t seed = 0; seed < 100000; seed++)
            one_return(b, seed * 2246822519u + xlen, done);
        for (unsigned i = 0; i < 3; i++)
            assert_in_range(done[i], 1000, 100000);
        bench_free(b);
    }
}

/* The law behind it all: a trap and the return of its handler leave the interrupted mode as it was. */
static void a_return_undoes_its_trap(void **state)
{
    (void)state;
    struct bench *b = bench_new(64);
    unsigned undone = 0;
    for (uint64_t seed = 1; seed < 100000; seed++) {
        uint64_t rng = seed;
        random_config(b, &rng);
        random_state(b, &rng);
        struct hart *h = b->hart;
        /* States software can reach: no double trap ahead, ELP only where landing pads are on, MPRV only in M. */
        put(&h->s, M_MDT, 0), put(&h->s, M_SDT, 0), put(&h->s, V_SDT, 0), put(&h->s, N_NMIE, 1), put(&h->s, M_TSR, 0),
            put(&h->s, H_VTSR, 0);
        if (!lpe(b, &h->s, h->s.priv, h->s.v))
            h->s.elp = 0;
        if (!h->ialign16)
            h->s.pc &= ~UINT64_C(3);
        struct rv_state before = h->s;
        bool nmi = rv_has(&b->cfg, EXT_Smrnmi) && chance(&rng, 10);
        static const uint8_t cause[] = {2, 8, 9, 13, 20, 23};
        take_trap(h, &(struct trap){.cause = nmi ? 0 : cause[rng_below(&rng, 6)], .nmi = nmi, .interrupt = nmi});
        assert_int_equal(h->s.elp, 0);
        assert_true(execute(h, nmi ? MNRET : h->s.priv == RV_M ? MRET : SRET));
        assert_int_equal(h->s.priv, before.priv);
        assert_int_equal(h->s.v, before.v);
        assert_int_equal(h->s.pc, before.pc);
        assert_int_equal(h->s.elp, before.elp);
        assert_int_equal(get(&h->s, M_MIE), get(&before, M_MIE));
        assert_int_equal(get(&h->s, M_SIE), get(&before, M_SIE));
        assert_int_equal(get(&h->s, V_SIE), get(&before, V_SIE));
        assert_int_equal(h->s.res_valid, before.res_valid);
        undone++;
    }
    assert_in_range(undone, 90000, 100000);
    bench_free(b);
}

static void ecall_names_the_mode_it_comes_from(void **state)
{
    (void)state;
    static const struct {
        uint8_t priv, v, cause;
    } table[] = {
        {RV_U, 0, EXC_ECALL_U}, {RV_U, 1, EXC_ECALL_U}, {RV_S, 0, EXC_ECALL_S}, {RV_S, 1, EXC_ECALL_VS}, {RV_M, 0, EXC_ECALL_M}};
    struct bench *b = bench_new(64);
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        memset(&b->hart->trap, 0xff, sizeof b->hart->trap);
        hart_set_mode(b->hart, table[i].priv, table[i].v);
        do_ecall(b->hart);
        const struct trap want = {.cause = table[i].cause};
        assert_int_equal(b->hart->trap.cause, want.cause);
        assert_int_equal(b->hart->trap.tval | b->hart->trap.tval2 | b->hart->trap.tinst, 0);
        assert_false(b->hart->trap.interrupt || b->hart->trap.gva || b->hart->trap.nmi);
    }
    bench_free(b);
}

/* Every mode, TW, VTW, with and without S: priv 3.1.6.6, 3.3.3; hypervisor 9.2.1 and 9.6.1; unpriv Zawrs. */
static void waiting_is_permitted_by_mode_tw_and_vtw(void **state)
{
    (void)state;
    enum { OK = 0, ILL = EXC_ILLEGAL, VIR = EXC_VIRTUAL };
    static const struct {
        uint8_t priv, v, s;
        uint8_t wfi[4], nto[4];
    } table[] = {
        /* columns: TW VTW = 00, 01, 10, 11 */
        {RV_M, 0, 1, {OK, OK, OK, OK}, {OK, OK, OK, OK}},       {RV_S, 0, 1, {OK, OK, ILL, ILL}, {OK, OK, ILL, ILL}},
        {RV_U, 0, 1, {ILL, ILL, ILL, ILL}, {OK, OK, ILL, ILL}}, {RV_U, 0, 0, {OK, OK, ILL, ILL}, {OK, OK, ILL, ILL}},
        {RV_S, 1, 1, {OK, VIR, ILL, ILL}, {OK, VIR, ILL, ILL}}, {RV_U, 1, 1, {VIR, VIR, ILL, ILL}, {OK, VIR, ILL, ILL}},
    };
    struct bench *b = bench_new(64);
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        for (unsigned col = 0; col < 4; col++) {
            struct hart *h = b->hart;
            bench_ext(b, EXT_S, table[i].s);
            put(&h->s, M_TW, col >> 1);
            put(&h->s, H_VTW, col & 1);
            hart_set_mode(h, table[i].priv, table[i].v);
            h->trap.cause = 0;
            assert_int_equal(do_wfi(h, WAIT_WFI), table[i].wfi[col] == OK);
            assert_int_equal(h->trap.cause, table[i].wfi[col]);
            assert_int_equal(h->trap.tval, table[i].wfi[col] ? 0x10500073 : 0);
            h->trap = (struct trap){0};
            assert_int_equal(do_wfi(h, WAIT_WRS_NTO), table[i].nto[col] == OK);
            assert_int_equal(h->trap.cause, table[i].nto[col]);
            assert_int_equal(h->trap.tval, table[i].nto[col] ? 0x00d00073 : 0);
            h->trap = (struct trap){0};
            assert_true(do_wfi(h, WAIT_WRS_STO));
        }
    }
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_return_changes_what_the_manual_says_and_nothing_else),
        cmocka_unit_test(a_return_undoes_its_trap),
        cmocka_unit_test(ecall_names_the_mode_it_comes_from),
        cmocka_unit_test(waiting_is_permitted_by_mode_tw_and_vtw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
