/*
 * Sweeps of the bundled firmware under the bundled hypervisor: with the event raised at every boundary of a world switch, each
 * firmware fails exactly where its fault is, by the machine's own registers there; with the oracle as judge a firmware that does
 * what SBI says passes whatever the handler does on purpose; an event that another hart raises through an SBI call is as good.
 * timeout: 600
 */
#include "debug/riscv/judge.h"
#include "debug/sweep_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct sweep *s;
    struct inject_event event;
    struct sweep_variant variant;
    struct sweep_range ignore[2], handler;
    struct sweep_result r;
};

static struct machine *boot(const char *firmware, unsigned bits, unsigned harts, const char *append)
{
    struct err e;
    char bios[512], kernel[512];
    const char *suffix = bits == 32 ? "-rv32" : "";
    snprintf(bios, sizeof bios, "%s/roms/sbi-%s%s.elf", TL_SOURCE_DIR, firmware, suffix);
    snprintf(kernel, sizeof kernel, "%s/roms/kvm%s.elf", TL_SOURCE_DIR, suffix);
    struct machine *m = machine_new(
        &(struct machine_config){
            .bios = bios, .kernel = kernel, .append = append, .cpu = bits == 32 ? "rv32" : "rv64", .harts = harts},
        &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static bool add_case(void *ctx, const struct sweep_case *c)
{
    sweep_result_add(&((struct world *)ctx)->r, c);
    return true;
}

static uint64_t symbol(struct machine *m, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_symbol(m, name, &v));
    return v;
}

static struct world *swept(struct machine *m, const char *event, unsigned handler, const struct sweep_judge *judge)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e;
    if (!inject_parse_event(event, 0, &w->event, &e))
        fail_msg("%s", e.text);
    assert_true(sweep_firmware(m, &w->ignore[0]));
    w->ignore[1] = (struct sweep_range){symbol(m, "scratch_start"), symbol(m, "scratch_end")};
    w->handler = (struct sweep_range){symbol(m, "handler_text_start"), symbol(m, "handler_text_end")};
    w->variant.poke[0].value = handler;
    w->variant.pokes = 1;
    assert_true(sweep_symbol(m, "handler_select", &w->variant.poke[0].va, &w->variant.poke[0].size));
    struct sweep_config c = {.event = &w->event,
                             .events = 1,
                             .variant = &w->variant,
                             .variants = 1,
                             .ignore = w->ignore,
                             .ignores = 2,
                             .handler = &w->handler,
                             .handlers = 1,
                             .case_cycles = 20000,
                             .reach_cycles = 10000000,
                             .window_cycles = 100000,
                             .judge = judge};
    if (!inject_parse_point("window_start", &c.from, &e) || !inject_parse_point("window_end", &c.to, &e) ||
        !(w->s = sweep_new(&c, m, &e)))
        fail_msg("%s", e.text);
    sweep_result_event(&w->r, event, "");
    sweep_result_variant(&w->r, "", "", sweep_window(w->s, 0));
    sweep_run(w->s, 0, 1, add_case, w);
    assert_true(sweep_result_finish(&w->r, &e));
    return w;
}

static void end(struct world *w)
{
    sweep_result_free(&w->r);
    sweep_free(w->s);
    free(w);
}

static uint64_t reg(struct machine *m, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_get_reg(m, 0, name, &v));
    return v;
}

/* Calls fn with each case and the undisturbed machine at its boundary. */
static void at_each_boundary(struct world *w, struct machine *m, void (*fn)(const struct sweep_case *c, struct machine *m))
{
    machine_breakpoint(m, 0, symbol(m, "window_start"), true);
    assert_int_equal(machine_run(m, 10000000), MACHINE_DEBUG);
    machine_breakpoint(m, 0, symbol(m, "window_start"), false);
    for (size_t i = 0; i < w->r.count; i++) {
        assert_int_equal(reg(m, "pc"), w->r.cases[i].pc);
        assert_int_equal(w->r.cases[i].handled, 1);
        fn(&w->r.cases[i], m);
        machine_step(m, 0);
    }
    machine_free(m);
}

/* HEAD never clears hstatus.SPV: what had V=0 while SPV was 1 comes back with V=1. */
static void fails_where_spv_is_set(const struct sweep_case *c, struct machine *m)
{
    bool here = !reg(m, "v") && (reg(m, "hstatus") & 1 << 7);
    assert_int_equal(c->verdict, here ? SWEEP_VIOLATION : SWEEP_PASS);
    assert_true(!here || !strcmp(c->detail->diff[0].name, "V"));
}

/* The posted patch takes its snapshot too late: SPP becomes P, and SPIE becomes SIE. */
static void fails_where_spp_or_spie_differs(const struct sweep_case *c, struct machine *m)
{
    uint64_t s = reg(m, "sstatus");
    bool here = (s >> 8 & 1) != reg(m, "priv") || (s >> 5 & 1) != (s >> 1 & 1);
    assert_int_equal(c->verdict, here ? SWEEP_VIOLATION : SWEEP_PASS);
    assert_true(!here || !strcmp(c->detail->diff[0].name, "sstatus"));
}

static void passes(const struct sweep_case *c, struct machine *m)
{
    (void)m;
    assert_int_equal(c->verdict, SWEEP_PASS);
}

static void each_firmware_fails_exactly_where_its_fault_is(void **state)
{
    (void)state;
    static const struct {
        const char *firmware;
        void (*fn)(const struct sweep_case *c, struct machine *m);
    } row[] = {{"head", fails_where_spv_is_set}, {"p1", fails_where_spp_or_spie_differs}, {"priv", passes}, {"maint", passes}};
    for (unsigned bits = 32; bits <= 64; bits += 32)
        for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
            struct world *w = swept(boot(row[i].firmware, bits, 1, "paging=on"), "meip", 0, NULL);
            assert_true(w->r.count > 300);
            at_each_boundary(w, boot(row[i].firmware, bits, 1, "paging=on"), row[i].fn);
            end(w);
        }
}

static struct sweep_count counts(const char *firmware, unsigned bits, const char *event, unsigned handler,
                                 const struct sweep_judge *judge)
{
    bool remote = !strncmp(event, "sse:", 4);
    struct world *w =
        swept(boot(firmware, bits, remote ? 2 : 1, remote ? "paging=on event=0xffff0000" : "paging=on"), event, handler, judge);
    struct sweep_count n = sweep_result_count(&w->r, 0, 0, false);
    assert_int_equal(n.handled, n.cases);
    end(w);
    return n;
}

/* HK3 loses htval and htinst, HK5 and HK6 edit what they resume: SBI lets them, and the context is not what it was. */
static void the_oracle_judges_the_firmware_and_not_the_handler(void **state)
{
    (void)state;
    static const unsigned handlers[] = {0, 2, 3, 4, 5, 6};
    for (unsigned bits = 32; bits <= 64; bits += 32)
        for (unsigned i = 0; i < sizeof handlers / sizeof *handlers; i++) {
            struct sweep_count n = counts("maint", bits, "meip", handlers[i], &sbi_judge);
            assert_int_equal(n.verdict[SWEEP_VIOLATION], 0);
            assert_true(n.verdict[SWEEP_PASS] > 100);
            n = counts("p1", bits, "meip", handlers[i], &sbi_judge);
            assert_true(n.verdict[SWEEP_VIOLATION] > 100);
        }
    assert_true(counts("maint", 64, "meip", 3, NULL).verdict[SWEEP_VIOLATION] > 50); /* without the oracle */
}

/* The call of another hart, at the same boundaries: the same ones fail. */
static void another_hart_raises_the_event_through_sbi(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        struct sweep_count here = counts("head", bits, "meip", 0, NULL), there = counts("head", bits, "sse:0xffff0000", 0, NULL);
        assert_int_equal(here.verdict[SWEEP_VIOLATION], there.verdict[SWEEP_VIOLATION]);
        assert_int_equal(here.verdict[SWEEP_PASS], there.verdict[SWEEP_PASS]);
        there = counts("maint", bits, "sse:0xffff0000", 4, NULL);
        assert_int_equal(there.verdict[SWEEP_PASS], there.cases);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_firmware_fails_exactly_where_its_fault_is),
        cmocka_unit_test(the_oracle_judges_the_firmware_and_not_the_handler),
        cmocka_unit_test(another_hart_raises_the_event_through_sbi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
