/* Explanations of a PE agree with what it does, for every event, from every level, by every routing; and in random states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bits.h"
#include "base/rng.h"
#include "cpu/arm/pe.h"
#include "debug/explain.h"
#include "explain_arm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void agrees(const struct explanation *e)
{
    if (e->agrees)
        return;
    char *text = explain_text(e, 0, false);
    fputs(text, stderr);
    free(text);
    fail();
}

/* Settings of routing, each on top of a64_place. */
static const struct routing {
    const char *name;
    uint64_t hcr, scr; /* bits turned over */
} routings[] = {
    {"plain", 0, 0},
    {"TGE", 1 << 27, 0},
    {"host", UINT64_C(1) << 34 | 1 << 27, 0},
    {"E2H", UINT64_C(1) << 34, 0},
    {"FMO, IMO, AMO", 7 << 3, 0},
    {"SCR_EL3.IRQ, FIQ, EA", 0, 7 << 1},
    {"TSC, TWI, TWE, TVM, TRVM, TID, TTLB, TPCP, TDZ",
     1 << 19 | 3 << 13 | 1 << 26 | 1 << 30 | 15 << 15 | 1 << 25 | 1 << 23 | 1 << 28, 0},
    {"SMD, no HCE, TWI, TWE", 0, 1 << 7 | 1 << 8 | 3 << 12},
    {"secure", 0, 1},
    {"secure EL2", 0, 1 | 1 << 18},
    {"API, APK = 0", UINT64_C(3) << 40, UINT64_C(3) << 16},
    {"TEA", UINT64_C(1) << 37, 0},
};

/* What a PE raises: exception classes, and IRQ, FIQ and SError from 64 on. */
static const uint8_t classes[] = {EC_UNKNOWN,
                                  EC_WFX,
                                  EC_FP_ACCESS,
                                  EC_PAUTH,
                                  EC_BTI,
                                  EC_ILLEGAL_STATE,
                                  EC_SVC,
                                  EC_HVC,
                                  EC_SMC,
                                  EC_SYSREG,
                                  EC_ERET,
                                  EC_PAC_FAIL,
                                  EC_INSN_ABORT_LOWER,
                                  EC_INSN_ABORT,
                                  EC_PC_ALIGNMENT,
                                  EC_DATA_ABORT_LOWER,
                                  EC_DATA_ABORT,
                                  EC_SP_ALIGNMENT,
                                  EC_BREAKPOINT_LOWER,
                                  EC_BREAKPOINT_LOWER + 1,
                                  EC_SOFTWARE_STEP_LOWER,
                                  EC_SOFTWARE_STEP_LOWER + 1,
                                  EC_WATCHPOINT_LOWER,
                                  EC_WATCHPOINT_LOWER + 1,
                                  EC_BRK,
                                  EC_PROFILING,
                                  64,
                                  65,
                                  66};

static void every_event_from_every_level_by_every_routing(void **state)
{
    static bool seen[128][4][4];
    unsigned cases = 0, distinct = 0;
    (void)state;
    for (unsigned secure = 0; secure < 2; secure++) {
        struct machine *base = a64_world(secure);
        for (unsigned i = 0; i < a64_event_count * ARRAY_LEN(routings) * (secure ? 4 : 3); i++) {
            const struct a64_event *ev = &a64_events[i % a64_event_count];
            const struct routing *r = &routings[i / a64_event_count % ARRAY_LEN(routings)];
            unsigned el = i / a64_event_count / ARRAY_LEN(routings);
            if ((r->scr && !secure) || (el == 1 && (r->hcr >> 27 & 1)) || (!strcmp(r->name, "secure") && el == 2))
                continue; /* there is no such state */
            struct machine *m = machine_fork(base);
            a64_place(m, el, ev->insn);
            a64_set(m, "hcr_el2", a64_get(m, "hcr_el2") ^ r->hcr);
            if (secure)
                a64_set(m, "scr_el3", a64_get(m, "scr_el3") ^ r->scr);
            if (ev->make)
                ev->make(m, el);
            struct explanation *e = explain_next(m, 0);
            if (!e->agrees)
                print_message("%s from EL%u, %s\n", ev->name, el, r->name);
            agrees(e);
            cases++;
            if (e->kind == EXPLAIN_TRAP) {
                unsigned ec = e->change.interrupt ? 64 + (unsigned)e->change.cause : (unsigned)bits_get(e->change.cause, 31, 26);
                bool *s = &seen[ec][el][e->change.to_priv];
                distinct += !*s;
                *s = true;
            }
            explain_free(e);
            machine_free(m);
        }
        machine_free(base);
    }
    printf("%u cases, %u of class x from x to\n", cases, distinct);
    assert_true(distinct >= 120);
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
        bool have = false;
        for (unsigned k = 0; k < 16; k++)
            have |= seen[classes[i]][k / 4][k % 4];
        if (!have)
            print_message("no event raises class 0x%02x\n", classes[i]);
        assert_true(have);
    }
}

/* ---- random states
 * ----------------------------------------------------------------------------------------------------------------- */

static void random_controls(struct machine *m, uint64_t *r, bool secure, unsigned el)
{
    static const char *const reg[] = {"cpacr_el1",   "cptr_el2",    "cptr_el3",     "mdcr_el2",    "mdcr_el3",
                                      "hfgrtr_el2",  "hfgwtr_el2",  "hfgitr_el2",   "hdfgrtr_el2", "hdfgwtr_el2",
                                      "cnthctl_el2", "cntkctl_el1", "pmuserenr_el0"};
    for (unsigned i = 0; i < ARRAY_LEN(reg); i++)
        if (rng_next(r) % 3)
            machine_set_reg(m, 0, reg[i], rng_next(r));
    if (rng_next(r) % 4 == 0) { /* software step */
        a64_set(m, "oslar_el1", 0);
        a64_set(m, "mdscr_el1", rng_next(r) & (1 | 1 << 13 | 1 << 15));
    }
    if (rng_next(r) % 4 == 0) { /* profiling exceptions */
        machine_set_reg(m, 0, "mdcr_el3", rng_next(r) % 2 ? UINT64_C(1) << 40 : rng_next(r));
        machine_set_reg(m, 0, "mdcr_el2", rng_next(r) % 2 ? UINT64_C(1) << 40 : rng_next(r));
        a64_set(m, "pmecr_el1", 3 | (rng_next(r) & 4));
        a64_set(m, "pmcr_el0", rng_next(r) % 4 ? 1 : 0);
        a64_set(m, "pmintenset_el1", rng_next(r) & rng_next(r));
        a64_set(m, "pmovsset_el0", rng_next(r) & rng_next(r));
    }
    uint64_t hcr = a64_get(m, "hcr_el2") ^ (rng_next(r) & rng_next(r) & ~UINT64_C(0x80000001)), scr = rng_next(r) & 0x0c1737ff;
    if (el == 1)
        hcr &= ~UINT64_C(0x8000000);
    a64_set(m, "hcr_el2", hcr);
    if (secure)
        a64_set(m, "scr_el3", (el == 2 ? scr | 1 : scr) | 1 << 10);
    for (unsigned i = 1; i <= 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "sctlr_el%u", i);
        machine_set_reg(m, 0, name,
                        a64_get(m, name) ^ (rng_next(r) & (1 << 1 | 1 << 3 | 1 << 4 | 1 << 14 | 1 << 16 | 1 << 18 | 1 << 19 |
                                                           1 << 23 | 1 << 26)));
    }
}

static void random_place(struct machine *m, uint64_t *r, unsigned el)
{
    uint64_t pstate = (uint64_t)el << 2 | (el && rng_next(r) % 4 ? 1 : 0) | (rng_next(r) & 0x3c0);
    pstate |= (rng_next(r) % 4 ? 0 : 1 << 22) | (rng_next(r) % 8 ? 0 : 1 << 23) | (rng_next(r) & UINT64_C(0xf1001000));
    pstate |= rng_next(r) & 1 << 21; /* SS */
    pstate |= (rng_next(r) % 2 ? UINT64_C(1) << 32 : 0) | (rng_next(r) % 8 ? 0 : UINT64_C(1) << 33);
    a64_set(m, "pstate", pstate | (rng_next(r) % 32 ? 0 : 1 << 20));
    if (rng_next(r) % 3)
        a64_paging(m, rng_next(r) % 4);
    if (rng_next(r) % 3 == 0)
        a64_models(m, r);
    if (rng_next(r) % 2)
        a64_set(m, "x0", A64_DATA + (rng_next(r) % 128) * 4096 + rng_next(r) % 512 * 8 + (rng_next(r) % 4 ? 0 : rng_next(r) % 8));
    if (rng_next(r) % 8 == 0)
        a64_set(m, "pc", rng_next(r) % 2 ? A64_DATA + (rng_next(r) % 128) * 4096 : A64_CODE + rng_next(r) % 4);
    if (rng_next(r) % 16 == 0)
        a64_set(m, "ttbr0_el1", A64_DATA + (rng_next(r) % 128) * 4096);
    static const char *const spsr[] = {"spsr_el1", "spsr_el2", "spsr_el3"};
    for (unsigned i = 0; i < 3; i++)
        machine_set_reg(m, 0, spsr[i],
                        (rng_next(r) & 0x3f3c003c0) | (rng_next(r) % 4) << 2 | rng_next(r) % 2 | (rng_next(r) % 16 ? 0 : 16));
}

static void random_states_agree(void **state)
{
    const char *n = getenv("TRAPLINE_EXPLAIN_N");
    unsigned each = n ? (unsigned)strtoul(n, NULL, 0) : 2000, kinds[4] = {0}, told[4] = {0};
    static const unsigned told_bit[4] = {37, 38, 39, 21}; /* DirtyBit, Overlay, AssuredOnly, TopLevel */
    (void)state;
    for (unsigned secure = 0; secure < 2; secure++) {
        struct machine *base = a64_world(secure);
        uint64_t r = secure + 7;
        for (unsigned i = 0; i < each; i++) {
            struct machine *m = machine_fork(base);
            const struct a64_event *ev = &a64_events[rng_next(&r) % a64_event_count];
            unsigned el = (unsigned)(rng_next(&r) % (secure ? 4 : 3));
            a64_place(m, el, rng_next(&r) % 4 ? ev->insn : 0xd5180001 | (uint32_t)(rng_next(&r) & 0x27ffe0));
            random_controls(m, &r, secure, el);
            random_place(m, &r, el);
            if (ev->make && rng_next(&r) % 2)
                ev->make(m, el);
            struct explanation *e = explain_next(m, 0);
            if (!e->agrees)
                print_message("secure %u, case %u, %s\n", secure, i, ev->name);
            agrees(e);
            kinds[e->kind]++;
            if (e->kind == EXPLAIN_TRAP && !e->change.interrupt && (e->change.cause >> 26 & 0x3a) == 0x20) { /* aborts */
                for (unsigned k = 0; k < ARRAY_LEN(told); k++)
                    told[k] += e->change.cause >> told_bit[k] & 1 && !(e->change.cause >> 24 & 1);
            }
            explain_free(e);
            machine_free(m);
        }
        machine_free(base);
    }
    printf("%u exceptions, %u returns, %u boundaries without\n", kinds[EXPLAIN_TRAP], kinds[EXPLAIN_RETURN],
           kinds[EXPLAIN_NOTHING]);
    printf("%u by dirty state, %u by overlays, %u not assured, %u first tables\n", told[0], told[1], told[2], told[3]);
    assert_true(kinds[EXPLAIN_TRAP] && kinds[EXPLAIN_RETURN] && kinds[EXPLAIN_NOTHING] && told[1] && told[2] && told[3]);
}

static void an_exception_that_did_not_happen_so_is_told_as_wrong(void **state)
{
    struct machine *base = a64_world(true), *m = machine_fork(base);
    (void)state;
    a64_place(m, 0, 0xd4000541);
    struct explanation *e = explain_next(m, 0);
    agrees(e);
    struct machine_change c = e->change;
    explain_free(e);
    e = explain_trap(m, &c);
    agrees(e);
    explain_free(e);
    c.cause ^= 1;
    e = explain_trap(m, &c);
    assert_false(e->agrees);
    assert_non_null(explain_find(e, "DISAGREEMENT"));
    explain_free(e);
    machine_free(m);
    machine_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_from_every_level_by_every_routing),
        cmocka_unit_test(random_states_agree),
        cmocka_unit_test(an_exception_that_did_not_happen_so_is_told_as_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
