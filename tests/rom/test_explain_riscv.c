/* Explanations of a RISC-V hart agree with what it does, for every cause, mode and delegation that there is, and in random
   states; and one that does not is told as wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bits.h"
#include "base/rng.h"
#include "debug/explain.h"
#include "explain_riscv.h"

#include <stdio.h>
#include <stdlib.h>

static void agrees(const struct explanation *e)
{
    if (e->agrees)
        return;
    char *text = explain_text(e, 0, false);
    fputs(text, stderr);
    free(text);
    fail();
}

static unsigned mode_of(uint8_t priv, uint8_t v)
{
    return priv == 3 ? MODE_M : priv ? (v ? MODE_VS : MODE_S) : v ? MODE_VU : MODE_U;
}

/* priv "Machine Trap Delegation", hypervisor "Hypervisor Trap Delegation". SDT of the mode it would go to makes it M's. */
static unsigned destination(unsigned mode, bool deleg, bool hdeleg, bool sdt)
{
    if (mode == MODE_M || !deleg)
        return MODE_M;
    if (sdt)
        return MODE_M;
    return hdeleg && (mode == MODE_VS || mode == MODE_VU) ? MODE_VS : MODE_S;
}

/* The state of one of 8 settings: delegated below M, on to VS, double trap. */
static struct explanation *one(struct machine *base, const struct rv_event *e, unsigned mode, unsigned k, struct machine **out)
{
    static const uint32_t nop = 0x13;
    bool irq = e->cause >= RV_IRQ;
    uint64_t bit = UINT64_C(1) << (e->cause & 63);
    struct machine *m = machine_fork(base);
    rv_place(m, mode, &nop, 1);
    rv_set(m, irq ? "mideleg" : "medeleg", k & 1 ? bit : 0);
    rv_set(m, irq ? "hideleg" : "hedeleg", k & 2 ? bit : 0);
    if (k & 4) {
        rv_set(m, "menvcfg", UINT64_C(1) << 59);
        rv_set(m, "henvcfg", UINT64_C(1) << 59);
        rv_set(m, "mstatus", rv_get(m, "mstatus") | 1 << 24);
        rv_set(m, "vsstatus", rv_get(m, "vsstatus") | 1 << 24);
    }
    *out = m;
    return rv_explain(m, e, mode);
}

static void every_cause_from_every_mode_by_every_delegation(void **state)
{
    unsigned cases = 0, distinct = 0;
    static bool seen[128][MODES][MODES];
    (void)state;
    for (unsigned c = 0; c < 2; c++) {
        struct machine *base = rv_world(c ? "rv64,zca=off,zcb=off,c=off" : "rv64"), *m;
        for (unsigned i = 0; i < rv_event_count; i++) {
            const struct rv_event *e = &rv_events[i];
            if (c != (e->cause == 0))
                continue;
            for (unsigned k = 0; k < MODES * 8; k++) {
                unsigned mode = k / 8;
                if (!(e->modes >> mode & 1))
                    continue;
                struct explanation *x = one(base, e, mode, k % 8, &m);
                agrees(x);
                cases++;
                if (e->cause < RV_IRQ) {
                    assert_int_equal(x->kind, EXPLAIN_TRAP);
                    assert_int_equal(x->change.cause, e->cause);
                    bool d = rv_get(m, "medeleg") >> e->cause & 1, hd = rv_get(m, "hedeleg") >> e->cause & 1;
                    bool guest = destination(mode, d, hd, false) == MODE_VS;
                    bool sdt = rv_get(m, guest ? "vsstatus" : "mstatus") >> 24 & 1;
                    assert_int_equal(mode_of(x->change.to_priv, x->change.to_v), destination(mode, d, hd, sdt));
                }
                if (x->kind == EXPLAIN_TRAP) {
                    bool *s = &seen[e->cause][mode][mode_of(x->change.to_priv, x->change.to_v)];
                    distinct += !*s;
                    *s = true;
                }
                explain_free(x);
                machine_free(m);
            }
        }
        machine_free(base);
    }
    printf("%u cases, %u of cause x from x to\n", cases, distinct);
    assert_true(distinct >= 200);
}

/* ---- completeness
 * ----------------------------------------------------------------------------------------------------------------------- */

/* Every cause of the table has an event; double traps (16) come of every one of them where SDT is set. */
static void every_cause_of_the_table_has_an_event(void **state)
{
    static const int causes[] = {
#define CAUSE(code, ...) code,
#define IRQ(number, ...) RV_IRQ + number,
#include "debug/riscv/cause.def"
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
        bool have = causes[i] == 16;
        for (unsigned k = 0; k < rv_event_count && !have; k++)
            have = rv_events[k].cause == causes[i];
        if (!have)
            print_message("no event for cause %d\n", causes[i]);
        assert_true(have);
    }
}

/* mret, sret, mnret from every mode that has them, to every mode there is, with what they bring back set. */
static void every_return_to_every_mode(void **state)
{
    static const struct {
        uint32_t insn;
        unsigned from;
    } returns[] = {{0x30200073, MODE_M}, {0x10200073, MODE_M}, {0x70200073, MODE_M}, {0x10200073, MODE_S}, {0x10200073, MODE_VS}};
    struct machine *base = rv_world("rv64,smrnmi=on,smdbltrp=on");
    unsigned seen = 0;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(returns) * MODES * 16; i++) {
        unsigned from = returns[i % ARRAY_LEN(returns)].from, to = i / ARRAY_LEN(returns) % MODES,
                 with = i / ARRAY_LEN(returns) / MODES;
        bool v = to == MODE_VU || to == MODE_VS, s = to == MODE_S || to == MODE_VS;
        uint64_t pp = to == MODE_M ? 3 : s, sdt = with & 1 ? 1 << 24 : 0, status = 1 << 17 | 1 << 7 | 1 << 5 | sdt | s << 8;
        struct machine *m = machine_fork(base);
        rv_place(m, from, &returns[i % ARRAY_LEN(returns)].insn, 1);
        rv_set(m, "menvcfg", (with & 2 ? 4 : 0) | UINT64_C(1) << 59); /* LPE, DTE */
        rv_set(m, "henvcfg", (with & 2 ? 4 : 0) | UINT64_C(1) << 59);
        rv_set(m, "senvcfg", with & 4 ? 4 : 0);
        rv_set(m, "hstatus", v << 7);
        rv_set(m, "mstatus",
               (from == MODE_M ? status : status & ~(UINT64_C(1) << 17)) | pp << 11 | (uint64_t)v << 39 | UINT64_C(1) << 41 |
                   1 << 23 | (with & 8 && from == MODE_M ? UINT64_C(1) << 42 : 0));
        rv_set(m, "vsstatus", sdt | 1 << 5 | 1 << 23 | s << 8);
        rv_set(m, "mnstatus", pp << 11 | v << 7 | 1 << 9);
        for (unsigned k = 0; k < 4; k++) {
            static const char *const epc[] = {"mepc", "sepc", "vsepc", "mnepc"};
            rv_set(m, epc[k], 0x80002000 + 0x100 * k);
        }
        struct explanation *e = explain_next(m, 0);
        agrees(e);
        assert_int_equal(e->kind, EXPLAIN_RETURN);
        seen |= 1u << mode_of(e->change.to_priv, e->change.to_v);
        explain_free(e);
        machine_free(m);
    }
    machine_free(base);
    assert_int_equal(seen, 0x1f);
}

/* ---- random states
 * ----------------------------------------------------------------------------------------------------------------- */

static uint32_t random_insn(uint64_t *r)
{
    static const uint32_t insn[] = {
        0x00000073, 0x00100073, 0x30200073, 0x10200073, 0x10500073, 0x70200073, 0x12000073, 0x22000073, 0x62000073, 0x00d00073,
        0x00053583, 0x00b53023, 0x00052583, 0x00b52023, 0x1005252f, 0x00b5252f, 0x18b5252f, 0x00053507, 0x00a53027, 0x02a57553,
        0x600545f3, 0x60c545f3, 0x6c0545f3, 0x6cb54073, 0x643545f3, 0x0005200f, 0x0015200f, 0x0045200f, 0xcdc0c073, 0xce104073,
        0x48b525af, 0x610c,     0xe10c,     0x9002,     0x00000000, 0x0005b507, 0x72a57553, 0x16000073, 0x26000073, 0x18000073};
    if (rng_next(r) % 3)
        return insn[rng_next(r) % ARRAY_LEN(insn)];
    static const uint16_t num[] = {0x001, 0x011, 0x100, 0x104, 0x106, 0x10a, 0x140, 0x14d, 0x180, 0x200, 0x204, 0x280,
                                   0x24d, 0x300, 0x306, 0x600, 0x606, 0x60a, 0x680, 0x744, 0x747, 0xc00, 0xc01, 0xc02,
                                   0xc03, 0x10c, 0x60c, 0x150, 0x151, 0xda0, 0x015, 0x120, 0xf14, 0x7a0};
    return (uint32_t)num[rng_next(r) % ARRAY_LEN(num)] << 20 | (uint32_t)(rng_next(r) % 2 ? 11 : 0) << 15 |
           (uint32_t)(1 + rng_next(r) % 3) << 12 | 11 << 7 | 0x73;
}

static void random_registers(struct machine *m, uint64_t *r, unsigned mode)
{
    static const char *const reg[] = {"medeleg", "hedeleg", "mideleg",    "hideleg",    "mie",        "mip",
                                      "hvip",    "hstatus", "mcounteren", "hcounteren", "scounteren", "menvcfg",
                                      "henvcfg", "senvcfg", "mstateen0",  "hstateen0",  "vsstatus",   "frm"};
    for (unsigned i = 0; i < ARRAY_LEN(reg); i++)
        if (rng_next(r) % 4)
            machine_set_reg(m, 0, reg[i], rng_next(r) % 3 ? rng_next(r) : UINT64_MAX);
    uint64_t status = rng_next(r), priv = mode == MODE_M ? (rng_next(r) % 3 ? 0 : 1) : rng_next(r) % 2;
    if (mode != MODE_M) /* a return to a mode below M clears MPRV */
        status &= ~(UINT64_C(1) << 17);
    rv_set(m, "mstatus", (status & ~(UINT64_C(3) << 11)) | priv << 11);
    machine_set_reg(m, 0, "mnstatus", rng_next(r) & ~UINT64_C(0x1000));
    for (unsigned i = 0; i < 3; i++) {
        static const char *const epc[] = {"mepc", "sepc", "vsepc"};
        machine_set_reg(m, 0, epc[i], 0x80000000 + rng_next(r) % 0x1000);
    }
    static const char *const vec[] = {"mtvec", "stvec", "vstvec"};
    for (unsigned i = 0; i < 3; i++)
        machine_set_reg(m, 0, vec[i], rv_get(m, vec[i]) | rng_next(r) % 2);
}

static void random_translation(struct machine *m, uint64_t *r, unsigned mode)
{
    if (rng_next(r) % 4)
        rv_paging(m, mode);
    if (rng_next(r) % 8 == 0)
        machine_set_reg(m, 0, "vsatp", UINT64_C(8) << 60 | (0x40000 + rng_next(r) % 96));
    if (rng_next(r) % 8 == 0)
        machine_set_reg(m, 0, rng_next(r) % 2 ? "vsatp" : "hgatp", 0);
    uint64_t page = 0x40000000 + (rng_next(r) % 128) * 4096, off = rng_next(r) % 3 ? rng_next(r) % 512 * 8 : rng_next(r) % 4096;
    static const uint64_t other[] = {0x80400000, 0x70000000, 0x10000000, 0x100000, 0x8000000000, 0xffffffff40001000, 0x80801000};
    rv_set(m, "a0", rng_next(r) % 4 ? page + off : other[rng_next(r) % ARRAY_LEN(other)] + off);
    if (rng_next(r) % 6 == 0)
        rv_set(m, "pc", rng_next(r) % 2 ? page + off / 2 * 2 : (page + 4094));
    machine_set_reg(m, 0, "ssp", page + off / 8 * 8);
    rv_set(m, "pmpcfg0", rng_next(r) % 4 ? 0x1f18 : rng_next(r) & 0x9f9f9f9f);
    if (rng_next(r) % 16 == 0)
        machine_set_reg(m, 0, "mseccfg", rng_next(r) & 7);
}

static void random_lines(struct machine *m, uint64_t *r)
{
    static const unsigned lines[] = {1, 3, 7, 9, 11, 13};
    struct err e;
    if (rng_next(r) % 3)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++)
        if (rng_next(r) % 3 == 0)
            machine_inject(m, &(struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_RAISE, .line = lines[i]}, &e);
    if (rng_next(r) % 3 == 0)
        machine_inject(m, &(struct machine_injection){.event = MACHINE_RNMI, .how = MACHINE_RAISE}, &e);
}

static void random_states_agree(void **state)
{
    static const char *const cpus[] = {
        "rv64",           "rv64,smrnmi=on,smdbltrp=on",    "rv64,h=off",
        "rv64,smrnmi=on", "rv64,svadu=off,misaligned=off", "rv64,c=off,zcb=off,zca=off,smdbltrp=on",
        "rv32",           "rv32,smrnmi=on,smdbltrp=on"};
    const char *n = getenv("TRAPLINE_EXPLAIN_N");
    unsigned each = n ? (unsigned)strtoul(n, NULL, 0) : 1500, kinds[4] = {0};
    (void)state;
    for (unsigned c = 0; c < ARRAY_LEN(cpus); c++) {
        struct machine *base = rv_world(cpus[c]);
        uint64_t r = c + 1;
        for (unsigned i = 0; i < each; i++) {
            struct machine *m = machine_fork(base);
            uint32_t insn[2] = {random_insn(&r), 0x13};
            unsigned mode = (unsigned)(rng_next(&r) % (c == 2 ? 3 : MODES));
            rv_place(m, mode, insn, 2);
            random_registers(m, &r, mode);
            random_translation(m, &r, mode);
            random_lines(m, &r);
            struct explanation *e = explain_next(m, 0);
            if (!e->agrees)
                print_message("cpu %s, case %u\n", cpus[c], i);
            agrees(e);
            kinds[e->kind]++;
            explain_free(e);
            machine_free(m);
        }
        machine_free(base);
    }
    printf("%u traps, %u returns, %u critical errors, %u boundaries without\n", kinds[EXPLAIN_TRAP], kinds[EXPLAIN_RETURN],
           kinds[EXPLAIN_HALT], kinds[EXPLAIN_NOTHING]);
    assert_true(kinds[EXPLAIN_TRAP] && kinds[EXPLAIN_RETURN] && kinds[EXPLAIN_HALT] && kinds[EXPLAIN_NOTHING]);
}

/* ---- the check can fail
 * -------------------------------------------------------------------------------------------------------------- */

static void a_trap_that_did_not_happen_so_is_told_as_wrong(void **state)
{
    static const uint32_t ecall = 0x73;
    struct machine *base = rv_world("rv64"), *m = machine_fork(base);
    (void)state;
    rv_place(m, MODE_S, &ecall, 1);
    struct explanation *e = explain_next(m, 0);
    agrees(e);
    struct machine_change c = e->change;
    explain_free(e);
    e = explain_trap(m, &c);
    agrees(e);
    explain_free(e);
    for (unsigned k = 0; k < 3; k++) {
        struct machine_change wrong = c;
        if (k == 0)
            wrong.cause = 8;
        else if (k == 1)
            wrong.pc += 4;
        else
            wrong.to_priv = 1;
        e = explain_trap(m, &wrong);
        assert_false(e->agrees);
        assert_non_null(explain_find(e, "DISAGREEMENT"));
        explain_free(e);
    }
    machine_free(m);
    machine_free(base);
}

static void an_explanation_changes_nothing(void **state)
{
    struct machine *base = rv_world("rv64"), *m = machine_fork(base);
    (void)state;
    static const uint32_t load = 0x00053583;
    rv_place(m, MODE_VS, &load, 1);
    rv_paging(m, MODE_VS);
    rv_set(m, "menvcfg", UINT64_C(3) << 61); /* ADUE: the walk writes tables */
    rv_set(m, "henvcfg", UINT64_C(3) << 61);
    rv_set(m, "a0", rv_page(MODE_VS, PAGE_NO_A));
    uint64_t before = machine_digest(m);
    struct explanation *e = explain_next(m, 0);
    agrees(e);
    assert_int_equal(machine_digest(m), before);
    explain_free(e);
    machine_free(m);
    machine_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_from_every_mode_by_every_delegation),
        cmocka_unit_test(every_cause_of_the_table_has_an_event),
        cmocka_unit_test(every_return_to_every_mode),
        cmocka_unit_test(random_states_agree),
        cmocka_unit_test(a_trap_that_did_not_happen_so_is_told_as_wrong),
        cmocka_unit_test(an_explanation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
