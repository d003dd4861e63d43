/*
 * The A64 monitors beside the bundled firmware, hypervisor and kernel. Nothing is told of them as they are; and each rule is told
 * when they do what breaks it: their registers are changed as a faulty one would have left them, just before the monitor looks.
 */
#include "debug/arm/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CYCLES    20000000u
#define ROM(name) TL_SOURCE_DIR "/roms/" name
#define EC_HVC    0x16
#define EC_SMC    0x17

enum where { EL3, EL2, NONE };
static const struct world {
    const char *board, *bios, *kernel;
    unsigned harts;
} worlds[] = {[EL3] = {"virt-arm,virtualization=on,secure=on", ROM("monitor-a64.elf"), ROM("kernel-a64.elf"), 3},
              [EL2] = {"virt-arm,virtualization=on", NULL, ROM("hyp-a64.elf"), 1},
              [NONE] = {"virt-arm", NULL, ROM("kernel-a64.elf"), 3}}; /* the machine answers calls */

/* When registers are changed: at the n-th call of PE 0 (or PE 1's), before and behind the monitor's look; when it has come back
   or was answered; at the n-th return from an interrupt; when PE 1 is entered for the first time. */
enum when { NEVER, CALLED, SEEN, BACK, PE1_SEEN, INTERRUPTED, ENTERED };
struct poke {
    enum when when;
    unsigned nth;
    const char *reg;
    uint64_t value;
    enum { SET, FLIP } how;
    unsigned hart;
};
#define POKES 8

struct test_case {
    enum where where;
    const char *rule, *reg; /* "": none is broken */
    struct poke poke[POKES];
    uint64_t fault; /* the kernel's own */
};

struct run {
    struct machine *m;
    struct monitor o;
    const struct test_case *k;
    unsigned calls, interrupts, depth; /* of PE 0 */
    uint64_t resume[4];                /* what the level above is to return to, by PE */
    bool in_call[4], in_interrupt[4], entered, violated;
};

static void poke(struct run *r, enum when when, unsigned nth)
{
    for (unsigned i = 0; i < POKES; i++) {
        const struct poke *p = &r->k->poke[i];
        uint64_t v = p->value, v2[2];
        if (p->when != when || (p->nth && p->nth != nth))
            continue;
        int n = machine_register_named(r->m, p->reg);
        assert_true(n >= 0);
        assert_true(machine_get_wide(r->m, p->hart, (unsigned)n, v2));
        if (p->how == FLIP)
            v ^= v2[0];
        v2[0] = v;
        assert_true(machine_set_wide(r->m, p->hart, (unsigned)n, v2));
    }
}

static void found(struct run *r, unsigned n)
{
    if (!n || r->violated)
        return;
    r->violated = true;
    machine_break(r->m, 0);
}

static void changed(void *ctx, struct machine *m, const struct machine_change *c)
{
    struct run *r = ctx;
    uint64_t ec = c->cause >> 26 & 63;
    unsigned h = c->hart;
    if (r->violated)
        return;
    bool call = !c->is_return && !c->interrupt && (ec == EC_HVC || ec == EC_SMC) && !c->v;
    bool back = c->is_return && c->pc == r->resume[h] && (c->priv > 1 || r->in_interrupt[h]);
    if (call) {
        r->calls += !h;
        r->resume[h] = c->epc + 4;
        r->in_call[h] = true;
        r->in_interrupt[h] = false;
        if (!h)
            poke(r, CALLED, r->calls);
    } else if (!c->is_return && c->interrupt && !r->in_call[h]) {
        r->resume[h] = c->epc;
        r->in_interrupt[h] = true;
        r->interrupts += !h;
    } else if (back && !h) {
        poke(r, r->in_call[h] ? BACK : INTERRUPTED, r->in_call[h] ? r->calls : r->interrupts);
    }
    if (h == 1 && c->is_return && c->priv == 3 && !r->entered) {
        r->entered = true;
        poke(r, ENTERED, 0);
    }
    struct machine_change now = *c;
    machine_get_reg(m, h, "pc", &now.pc);
    found(r, monitor_feed(&r->o, m, &now));
    if (call && !r->violated)
        poke(r, h ? PE1_SEEN : SEEN, h ? 0 : r->calls);
    if (back)
        r->in_call[h] = r->in_interrupt[h] = false;
}

static void answered(void *ctx, struct machine *m, const struct machine_answer *a)
{
    struct run *r = ctx;
    if (r->violated)
        return;
    r->calls += !a->hart;
    if (!a->hart)
        poke(r, BACK, r->calls);
    found(r, monitor_answered(&r->o, m, a));
}

static void begin(struct run *r, enum where where)
{
    struct err e;
    struct monitor_config config = {0};
    const struct world *w = &worlds[where];
    *r = (struct run){
        .m = machine_new(&(struct machine_config){.board = w->board, .bios = w->bios, .kernel = w->kernel, .harts = w->harts},
                         &e)};
    if (!r->m || !monitor_parse(&config, "calls", &e) || !monitor_parse(&config, "interrupts,max=0", &e) ||
        !monitor_start(&r->o, &config, r->m, &e))
        fail_msg("%s", e.text);
}

static void end(struct run *r)
{
    monitor_end(&r->o);
    machine_free(r->m);
}

/* The monitor's judgement of one case. */
static void judge(const struct test_case *k, const char *table, unsigned i)
{
    struct run r;
    uint64_t fault;
    char text[2048] = "nothing";
    begin(&r, k->where);
    r.k = k;
    if (k->fault) {
        assert_true(machine_symbol(r.m, "fault", &fault));
        assert_true(machine_write(r.m, fault, &k->fault, sizeof k->fault));
    }
    machine_watch(r.m, changed, &r);
    machine_watch_answers(r.m, answered, &r);
    machine_run(r.m, CYCLES);
    const struct monitor_violation *v = r.o.nfound ? &r.o.found[0] : NULL;
    if (v)
        monitor_text(&r.o, r.m, v, text, sizeof text);
    if (!*k->rule ? r.violated : !r.violated || strcmp(v->rule, k->rule) || (*k->reg && strcmp(v->diff[0].name, k->reg)))
        fail_msg("%s %u: rule '%s' (%s) was expected: %s", table, i, k->rule, k->reg, text);
    assert_true(r.o.checked || r.violated);
    end(&r);
}

static void judge_all(const struct test_case *k, unsigned n, const char *table)
{
    for (unsigned i = 0; i < n; i++)
        judge(&k[i], table, i);
}
#define JUDGE(table) judge_all(table, sizeof(table) / sizeof(table)[0], #table)

/* Function identifiers. */
#define VERSION       0x80000000u
#define ARCH_FEATURES 0x80000001u
#define SUSPEND       0x84000001u
#define OFF           0x84000002u
#define ON            0xc4000003u
#define AFFINITY      0xc4000004u
#define MIGRATE       0x84000005u
#define MIGRATE_TYPE  0x84000006u
#define SYSTEM_OFF    0x84000008u
#define FEATURES      0x8400000au
#define MEM_PROTECT   0x84000013u

/* The n-th call becomes another one. */
#define CALL(n, id, a, b) \
    {CALLED, n, "x0", id, SET, 0}, {CALLED, n, "x1", a, SET, 0}, { CALLED, n, "x2", b, SET, 0 }
#define RESULT(n, v)                         \
    {                                        \
        BACK, n, "x0", (uint64_t)(v), SET, 0 \
    }
#define SPOIL(n, reg)               \
    {                               \
        BACK, n, reg, 0x5a, FLIP, 0 \
    }

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

static void bundled_software_breaks_no_rule(void **state)
{
    static const struct test_case good[] = {{EL3, "", "", {{0}}, 0}, {EL2, "", "", {{0}}, 0}, {NONE, "", "", {{0}}, 0}};
    (void)state;
    JUDGE(good);
    for (unsigned i = 0; i < 3; i++) { /* and not because nothing is looked at */
        struct run r;
        begin(&r, (enum where)i);
        r.k = &good[i];
        machine_watch(r.m, changed, &r);
        machine_watch_answers(r.m, answered, &r);
        assert_int_equal(machine_run(r.m, CYCLES), MACHINE_EXIT);
        assert_true(r.calls >= 4 && r.interrupts >= 3 && r.o.checked >= r.calls - 1 + r.interrupts);
        end(&r);
    }
}

static void registers_come_back_from_calls(void **state)
{
    static const struct test_case kept[] = {
        {EL3, "S1", "x18", {SPOIL(1, "x18")}, 0},
        {EL3, "S1", "x19", {SPOIL(2, "x19")}, 0},
        {EL3, "S1", "x30", {SPOIL(3, "x30")}, 0},
        {EL3, "S1", "sp_el0", {SPOIL(1, "sp_el0")}, 0},
        {EL3, "S1", "sp_el1", {SPOIL(1, "sp")}, 0},
        {EL3, "S1", "sp_el2", {SPOIL(1, "sp_el2")}, 0},
        {EL2, "S1", "x28", {SPOIL(1, "x28")}, 0},
        /* Before anybody asked for the version it may be 1.0. */
        {EL3, "", "", {SPOIL(3, "x9")}, 0},
        {EL3, "S2", "x9", {CALL(1, VERSION, 0, 0), SPOIL(3, "x9")}, 0},
        {EL3, "S2", "x4", {CALL(1, VERSION, 0, 0), SPOIL(3, "x4")}, 0},
        {EL3, "S2", "x17", {CALL(1, VERSION, 0, 0), SPOIL(2, "x17")}, 0},
        {EL3, "", "", {CALL(1, VERSION, 0, 0), SPOIL(3, "x3")}, 0},
        /* From 1.2 on, those of other functions may hold results: of 32-bit calls those up to x7. */
        {EL3, "", "", {CALL(1, VERSION, 0, 0), RESULT(1, 0x10002), SPOIL(2, "x7")}, 0},
        {EL3, "S2", "x8", {CALL(1, VERSION, 0, 0), RESULT(1, 0x10002), SPOIL(2, "x8")}, 0},
        {EL3, "S2", "x7", {CALL(1, VERSION, 0, 0), RESULT(1, 0x10002), SPOIL(3, "x7")}, 0},
        {EL3, "S3", "v16[0]", {SPOIL(1, "v16")}, 0},
        {EL3, "S3", "fpcr", {{BACK, 1, "fpcr", 1 << 22, FLIP, 0}}, 0},
        {EL2, "S3", "v31[0]", {SPOIL(1, "v31")}, 0},
        {EL3, "S4", "ttbr0_el1", {SPOIL(1, "ttbr0_el1")}, 0},
        {EL3, "S4", "tcr_el1", {SPOIL(1, "tcr_el1")}, 0},
        {EL3, "S4", "vbar_el1", {{BACK, 1, "vbar_el1", 0x800, FLIP, 0}}, 0},
        {EL3, "S4", "tpidr_el0", {SPOIL(1, "tpidr_el0")}, 0},
        {EL3, "S4", "tpidrro_el0", {SPOIL(1, "tpidrro_el0")}, 0},
        {EL3, "S4", "tpidr_el1", {SPOIL(1, "tpidr_el1")}, 0},
        {EL3, "S4", "apiakeylo_el1", {SPOIL(1, "apiakeylo_el1")}, 0},
        {EL3, "S4", "apgakeyhi_el1", {SPOIL(1, "apgakeyhi_el1")}, 0},
        {EL3, "S4", "elr_el1", {SPOIL(1, "elr_el1")}, 0},
        {EL3, "S4", "vttbr_el2", {{BACK, 1, "vttbr_el2", 0x1000, FLIP, 0}}, 0},
        {EL3, "S4", "tpidr_el2", {SPOIL(1, "tpidr_el2")}, 0},
        {EL2, "S4", "tpidr_el1", {SPOIL(1, "tpidr_el1")}, 0},
        {EL2, "", "", {SPOIL(1, "tpidr_el2")}, 0}, /* the hypervisor's own */
        {EL3, "S5", "pstate", {{BACK, 1, "spsr_el3", 0x80, FLIP, 0}}, 0},
        {EL2, "S5", "pstate", {{BACK, 1, "spsr_el2", 0x40, FLIP, 0}}, 0},
        {EL3, "", "", {{BACK, 1, "spsr_el3", 0xf0000000, FLIP, 0}}, 0}, /* the condition flags are nobody's */
    };
    (void)state;
    JUDGE(kept);
}

static void results_are_what_they_can_be(void **state)
{
    static const struct test_case results[] = {
        /* Identifiers that name nothing. */
        {EL3, "", "", {CALL(1, 0xc4000000, 0, 0)}, 0},
        {EL3, "", "", {CALL(1, 0x84010000, 0, 0), RESULT(1, 0x10001)}, 0}, /* PSCI_VERSION without SVE state */
        {EL3, "P7", "version", {CALL(1, 0x84010000, 0, 0), RESULT(1, 1)}, 0},
        {EL3, "S6", "result", {CALL(1, 0xc4000000, 0, 0), RESULT(1, 0)}, 0},
        {EL3, "S6", "result", {CALL(1, 0x84020000, 0, 0), RESULT(1, 0)}, 0},
        /* Versions. */
        {EL3, "S7", "version", {CALL(1, VERSION, 0, 0), RESULT(1, 5)}, 0},
        {EL3, "S7", "version", {CALL(1, VERSION, 0, 0), CALL(3, VERSION, 0, 0), RESULT(3, 0x10002)}, 0},
        {EL3, "", "", {CALL(1, VERSION, 0, 0), RESULT(1, -1)}, 0},
        {EL3, "S7", "features", {CALL(1, ARCH_FEATURES, VERSION, 0), RESULT(1, -1), CALL(3, VERSION, 0, 0)}, 0},
        {EL3, "P7", "version", {RESULT(1, 1)}, 0},
        {EL2, "P7", "version", {RESULT(1, 1)}, 0},
        {NONE, "P7", "version", {RESULT(1, 1)}, 0},
        /* Codes that are not the function's, and what should not return. */
        {EL3, "P1", "result", {RESULT(3, -8)}, 0},
        {EL3, "P1", "result", {RESULT(3, 1)}, 0},
        {EL3, "P1", "result", {RESULT(3, -77)}, 0},
        {EL3, "P1", "result", {CALL(1, MIGRATE_TYPE, 0, 0), RESULT(1, 3)}, 0},
        {EL3, "P1", "result", {CALL(1, SYSTEM_OFF, 0, 0), {SEEN, 1, "x0", 0x84000000, SET, 0}}, 0},
        {EL3, "P1", "result", {CALL(1, OFF, 0, 0), {SEEN, 1, "x0", 0x84000000, SET, 0}}, 0},
        {EL3, "", "", {CALL(1, OFF, 0, 0), {SEEN, 1, "x0", 0x84000000, SET, 0}, RESULT(1, -3)}, 0},
        {NONE, "P1", "result", {RESULT(2, -8)}, 0},
        {EL2, "P1", "result", {RESULT(2, -77)}, 0},
        /* What is said of functions, and what they do. */
        {EL3, "", "", {CALL(1, FEATURES, OFF, 0)}, 0},
        {EL3, "P6", "result", {CALL(1, FEATURES, OFF, 0), RESULT(1, -1)}, 0},
        {EL3, "", "", {CALL(1, FEATURES, MEM_PROTECT, 0), CALL(3, MEM_PROTECT, 0, 0)}, 0},
        {EL3, "P6", "features", {CALL(1, FEATURES, MEM_PROTECT, 0), CALL(3, MEM_PROTECT, 0, 0), RESULT(3, 0)}, 0},
        {EL3, "P8", "result", {CALL(1, MIGRATE_TYPE, 0, 0), CALL(3, MIGRATE, 0, 0), RESULT(3, 0)}, 0},
    };
    (void)state;
    JUDGE(results);
}

static void processing_elements_are_in_the_state_that_is_told(void **state)
{
    static const struct test_case states[] = {
        /* PE 1 is off, and on its way or on; PE 3 is not there. */
        {EL3, "P2", "result", {RESULT(3, -4)}, 0},
        {EL3, "P2", "result", {RESULT(3, -5)}, 0},
        {EL3, "P2", "result", {RESULT(3, -2)}, 0},
        {EL3, "", "", {RESULT(3, -9)}, 0},
        {EL3, "", "", {{CALLED, 4, "x1", 1, SET, 0}}, 0},
        {EL3, "P2", "result", {{CALLED, 4, "x1", 1, SET, 0}, RESULT(4, 0)}, 0},
        {EL3, "P2", "result", {{CALLED, 4, "x1", 0, SET, 0}, RESULT(4, -5)}, 0},
        {EL3, "P2", "result", {RESULT(5, 0)}, 0},
        {EL3, "", "", {{CALLED, 3, "x1", 1u << 31 | 1, SET, 0}, RESULT(3, -2)}, 0}, /* a bit that has to be zero */
        {NONE, "P2", "result", {RESULT(2, -4)}, 0},
        {NONE, "P2", "result", {{0}, RESULT(4, 0)}, 0},
        /* How PE 1 begins. */
        {EL3, "P3", "pc", {{ENTERED, 0, "pc", 4, FLIP, 1}}, 0},
        {EL3, "P3", "x0", {{ENTERED, 0, "x0", 8, FLIP, 1}}, 0},
        {EL3, "P3", "EL", {{ENTERED, 0, "pstate", 0x3c5, SET, 1}}, 0},
        {EL3, "P3", "PSTATE.DAIF", {{ENTERED, 0, "pstate", 0x80, FLIP, 1}}, 0},
        {EL3, "P3", "SCTLR_ELx.M", {{ENTERED, 0, "sctlr_el2", 1, FLIP, 1}}, 0},
        {EL3, "P3", "SCTLR_ELx.C", {{ENTERED, 0, "sctlr_el2", 4, FLIP, 1}}, 0},
        {EL3, "P3", "SCTLR_ELx.EE", {{ENTERED, 0, "sctlr_el2", 1 << 25, FLIP, 1}}, 0},
        {NONE, "P3", "x0", {{BACK, 2, "x0", 8, FLIP, 1}}, 0},
        {NONE, "P3", "PSTATE.DAIF", {{BACK, 2, "pstate", 0x80, FLIP, 1}}, 0},
        /* It turned itself off, and runs. */
        {EL3, "P4", "state", {{PE1_SEEN, 0, "x0", 0x84000000, SET, 1}, {PE1_SEEN, 0, "elr_el3", 8, FLIP, 1}}, 0},
        /* What is told of PE 2 before it is turned on, of PE 0 and of PE 7. */
        {EL3, "", "", {CALL(4, AFFINITY, 2, 0)}, 0},
        {EL3, "P5", "state", {CALL(4, AFFINITY, 2, 0), RESULT(4, 0)}, 0},
        {EL3, "P5", "state", {CALL(4, AFFINITY, 2, 0), RESULT(4, 2)}, 0},
        {EL3, "", "", {CALL(4, AFFINITY, 0, 0)}, 0},
        {EL3, "P5", "state", {CALL(4, AFFINITY, 0, 0), RESULT(4, 1)}, 0},
        {EL3, "", "", {CALL(4, AFFINITY, 7, 0)}, 0},
        {EL3, "P5", "state", {CALL(4, AFFINITY, 7, 0), RESULT(4, 0)}, 0},
    };
    (void)state;
    JUDGE(states);
}

/* A state that forgets ends where the caller said: the call goes to sleep (as the monitor sees it), and EL3 resumes it. */
static void a_suspended_pe_goes_on_where_it_said(void **state)
{
    struct run r;
    static const struct test_case none = {EL3, "", "", {{0}}, 0};
    (void)state;
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        begin(&r, EL3);
        r.k = &none;
        machine_watch(r.m, changed, &r);
        while (!r.calls)
            machine_run(r.m, 1000);
        struct machine_change c = {.cause = (uint64_t)EC_SMC << 26, .priv = 2, .to_priv = 3, .epc = 0x40000000, .pc = 0x800};
        machine_watch(r.m, NULL, NULL);
        assert_true(machine_set_reg(r.m, 0, "x0", SUSPEND) && machine_set_reg(r.m, 0, "x2", 0x40001000) &&
                    machine_set_reg(r.m, 0, "x3", 77));
        assert_int_equal(monitor_feed(&r.o, r.m, &c), 0);
        assert_true(machine_set_reg(r.m, 0, "pc", 0x40001000) && machine_set_reg(r.m, 0, "x0", 77 + wrong) &&
                    machine_set_reg(r.m, 0, "pstate", 0x3c9) && machine_set_reg(r.m, 0, "sctlr_el2", 0x30c50830));
        c = (struct machine_change){.is_return = true, .priv = 3, .to_priv = 2, .epc = 0x900, .pc = 0x40001000};
        assert_int_equal(monitor_feed(&r.o, r.m, &c), wrong);
        if (wrong) {
            assert_string_equal(r.o.found[0].rule, "P3");
            assert_string_equal(r.o.found[0].diff[0].name, "x0");
        }
        end(&r);
    }
}

/* ---- interrupts ------------------------------------------------------------------------------------------------------------ */

static void what_interrupts_left_comes_back(void **state)
{
    static const struct test_case contexts[] = {
        {NONE, "I1", "x13", {{0}}, 1}, /* the kernel's own faults */
        {NONE, "I3", "icc_ap1r0_el1", {{0}}, 2},
        {NONE, "I1", "v16[0]", {{0}}, 3},
        {EL2, "I1", "x13", {{0}}, 1},
        {EL3, "I1", "x13", {{0}}, 1},
        {NONE, "I1", "x0", {{INTERRUPTED, 2, "x0", 1, FLIP, 0}}, 0},
        {NONE, "I1", "fpcr", {{INTERRUPTED, 2, "fpcr", 1 << 22, FLIP, 0}}, 0},
        {NONE, "I1", "pstate", {{INTERRUPTED, 2, "spsr_el1", 1u << 31, FLIP, 0}}, 0},
        {NONE, "I1", "tpidrro_el0", {{INTERRUPTED, 2, "tpidrro_el0", 1, FLIP, 0}}, 0},
        {NONE, "I1", "apdbkeyhi_el1", {{INTERRUPTED, 2, "apdbkeyhi_el1", 1, FLIP, 0}}, 0},
        {NONE, "", "", {{INTERRUPTED, 2, "contextidr_el1", 1, FLIP, 0}}, 0}, /* the kernel's own */
        {EL2, "I1", "x5", {{INTERRUPTED, 1, "x5", 1, FLIP, 0}}, 0},
        {EL2, "I1", "sp_el1", {{INTERRUPTED, 1, "sp_el1", 16, FLIP, 0}}, 0},
        {EL2, "I1", "ttbr1_el1", {{INTERRUPTED, 1, "ttbr1_el1", 0x1000, FLIP, 0}}, 0},
        {EL2, "I1", "spsr_el1", {{INTERRUPTED, 1, "spsr_el1", 0x40, FLIP, 0}}, 0},
        {EL2, "I1", "v3[0]", {{INTERRUPTED, 1, "v3", 1, FLIP, 0}}, 0},
        {EL2, "", "", {{INTERRUPTED, 1, "esr_el2", 1, FLIP, 0}}, 0},
    };
    (void)state;
    JUDGE(contexts);
}

static struct machine_change irq(uint8_t from, uint8_t to, uint64_t epc)
{
    return (struct machine_change){.interrupt = true, .priv = from, .to_priv = to, .epc = epc, .pc = 0x880};
}
static struct machine_change back(uint8_t from, uint8_t to, uint64_t pc)
{
    return (struct machine_change){.is_return = true, .priv = from, .to_priv = to, .epc = 0x900, .pc = pc};
}

/* Changes by hand: EL3 that takes interrupts, and a level that interrupts itself. */
static const char *comes_and_goes(struct run *r, uint8_t from, uint8_t level, const char *reg, uint64_t flip, uint64_t pc)
{
    struct machine_change c = irq(from, level, 0x40001000), d = back(level, from, pc);
    uint64_t v;
    char spsr[] = "spsr_el0";
    spsr[7] = (char)('0' + level);
    assert_true(machine_set_reg(r->m, 0, "pstate", from == level ? (uint64_t)from << 2 | 1 : (uint64_t)level << 2 | 1));
    assert_true(machine_set_reg(r->m, 0, spsr, (uint64_t)from << 2 | (from != 0)));
    assert_int_equal(monitor_feed(&r->o, r->m, &c), 0);
    assert_true(machine_set_reg(r->m, 0, "pstate", (uint64_t)from << 2 | (from != 0)) && machine_set_reg(r->m, 0, "pc", pc));
    if (reg)
        assert_true(machine_get_reg(r->m, 0, reg, &v) && machine_set_reg(r->m, 0, reg, v ^ flip));
    return monitor_feed(&r->o, r->m, &d) ? r->o.found[0].rule : "";
}

static void every_level_brings_back_what_is_below_it(void **state)
{
    struct run r;
    (void)state;
    begin(&r, EL3);
    assert_true(machine_set_reg(r.m, 0, "scr_el3", 0x501)); /* Non-secure */
    assert_string_equal(comes_and_goes(&r, 2, 3, NULL, 0, 0x40001000), "");
    assert_string_equal(comes_and_goes(&r, 2, 3, "tpidr_el2", 1, 0x40001000), "I1");
    assert_string_equal(comes_and_goes(&r, 1, 3, "vttbr_el2", 0x1000, 0x40001000), "I1");
    assert_string_equal(comes_and_goes(&r, 0, 3, "ttbr1_el1", 0x1000, 0x40001000), "I1");
    assert_string_equal(comes_and_goes(&r, 1, 3, "x29", 1, 0x40001000), "I1");
    assert_string_equal(comes_and_goes(&r, 1, 3, "icc_ap1r0_el1", 1, 0x40001000), "I3");
    assert_string_equal(comes_and_goes(&r, 1, 3, "tpidr_el3", 1, 0x40001000), ""); /* its own */
    assert_string_equal(comes_and_goes(&r, 1, 3, "x29", 1, 0x40002000), "");       /* it goes on elsewhere */
    assert_string_equal(comes_and_goes(&r, 1, 1, NULL, 0, 0x40001000), "");
    assert_string_equal(comes_and_goes(&r, 1, 1, "x7", 1, 0x40001000), "I2");
    assert_string_equal(comes_and_goes(&r, 1, 1, "ttbr0_el1", 0x1000, 0x40001000), ""); /* another task's */
    assert_string_equal(comes_and_goes(&r, 1, 1, "x7", 1, 0x40001004), "");
    end(&r);
}

/* Threads that are at the same place: what tells them apart is their tables, their stack, their TPIDR_EL0. */
static void threads_are_told_apart(void **state)
{
    static const char *const of_thread[] = {"ttbr0_el1", "tpidr_el0", "sp_el0"};
    struct run r;
    uint64_t v;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        begin(&r, NONE);
        struct machine_change c = irq(0, 1, 0x40001000), d = back(1, 0, 0x40001000);
        machine_set_reg(r.m, 0, "sp_el0", 0x80000);
        machine_set_reg(r.m, 0, "ttbr0_el1", 0x41000000);
        machine_set_reg(r.m, 0, "pstate", 5);
        machine_set_reg(r.m, 0, "spsr_el1", 0);
        assert_int_equal(monitor_feed(&r.o, r.m, &c), 0);
        /* The kernel goes on with another thread: nothing of it is as it was … */
        machine_get_reg(r.m, 0, of_thread[i], &v);
        machine_set_reg(r.m, 0, of_thread[i], v + 0x1000);
        machine_set_reg(r.m, 0, "x1", 1);
        machine_set_reg(r.m, 0, "pstate", 0);
        assert_int_equal(monitor_feed(&r.o, r.m, &d), 0);
        /* … and then with the first one, on another PE, where x1 is wrong. */
        for (unsigned k = 0; k < 3; k++) {
            machine_get_reg(r.m, 0, of_thread[k], &v);
            machine_set_reg(r.m, 1, of_thread[k], k == i ? v - 0x1000 : v);
        }
        d.hart = 1;
        machine_get_reg(r.m, 0, "x0", &v);
        machine_set_reg(r.m, 1, "x0", v);
        machine_set_reg(r.m, 1, "pc", d.pc);
        machine_set_reg(r.m, 1, "pstate", 0);
        machine_set_reg(r.m, 1, "x1", 2);
        assert_int_equal(monitor_feed(&r.o, r.m, &d), 1);
        assert_string_equal(r.o.found[0].rule, "I1");
        assert_string_equal(r.o.found[0].diff[0].name, "x1");
        end(&r);
    }
}

static void an_illegal_return_is_told(void **state)
{
    struct run r;
    (void)state;
    begin(&r, NONE);
    struct machine_change d = back(1, 1, 0x40001000);
    machine_set_reg(r.m, 0, "spsr_el1", 0x3cd);
    machine_set_reg(r.m, 0, "pstate", 0x3c5 | 1u << 20);
    assert_int_equal(monitor_feed(&r.o, r.m, &d), 1);
    assert_string_equal(r.o.found[0].rule, "I4");
    machine_set_reg(r.m, 0, "spsr_el1", 0x3c5 | 1u << 20); /* as SPSR_EL1 says: it is no illegal return */
    assert_int_equal(monitor_feed(&r.o, r.m, &d), 0);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundled_software_breaks_no_rule),
        cmocka_unit_test(registers_come_back_from_calls),
        cmocka_unit_test(results_are_what_they_can_be),
        cmocka_unit_test(processing_elements_are_in_the_state_that_is_told),
        cmocka_unit_test(a_suspended_pe_goes_on_where_it_said),
        cmocka_unit_test(what_interrupts_left_comes_back),
        cmocka_unit_test(every_level_brings_back_what_is_below_it),
        cmocka_unit_test(threads_are_told_apart),
        cmocka_unit_test(an_illegal_return_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
