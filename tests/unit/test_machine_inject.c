/* Events from outside: which bit, which hart, which boundary; pulses; bus errors; calls outside of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "guest.h"

enum { MNSCRATCH = 0x740, MNEPC, MNCAUSE, MNSTATUS = 0x744 };
#define MNRET 0x70200073

/* A loop that counts in a0, with interrupts on; the handler counts in s0, keeps mcause, mepc, mtval and mip in s1 to s4, clears
   the bits s5 of mip, and returns. *loop: where the loop begins; with `device` four
   stores are before it, which arm the injector at t0 with t1 to t4. */
static struct guest counting_guest(bool device, uint64_t *loop)
{
    struct guest g = {.n = 0};
    unsigned handler = la(&g, T0, 0);
    csrw(&g, CSR_MTVEC, T0);
    csrsi(&g, CSR_MSTATUS, 8);
    *loop = UINT64_C(0x80000000) + 4 * g.n;
    if (device) {
        sd(&g, T1, 0, T0);  /* count */
        sw(&g, T2, 12, T0); /* line */
        sw(&g, T3, 20, T0); /* kind */
        sw(&g, T4, 16, T0); /* control */
    }
    unsigned at = g.n;
    addi(&g, A0, A0, 1);
    jump(&g, at);
    while (g.n % 2)
        addi(&g, ZERO, ZERO, 0);
    patch_la(&g, handler, g.n);
    addi(&g, S0, S0, 1);
    csrr(&g, S1, CSR_MCAUSE);
    csrr(&g, S2, CSR_MEPC);
    csrr(&g, S3, 0x343);
    csrr(&g, S4, CSR_MIP);
    put_insn(&g, i_type(CSR_MIP, S5, 3, 0, 0x73)); /* csrc mip, s5 */
    mret(&g);
    return g;
}

static uint64_t reg(struct machine *m, unsigned hart, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_get_reg(m, hart, name, &v));
    return v;
}

static void inject(struct machine *m, struct machine_injection i)
{
    struct err e;
    if (!machine_inject(m, &i, &e))
        fail_msg("%s", e.text);
}

static void refused(struct machine *m, struct machine_injection i, const char *why)
{
    struct err e;
    assert_false(machine_inject(m, &i, &e));
    assert_string_equal(e.text, why);
    assert_false(machine_inject(m, &i, NULL));
}

/* Runs to the loop's first instruction, and enables the interrupts `mie`. */
static void to_loop(struct machine *m, uint64_t loop, uint64_t mie)
{
    machine_breakpoint(m, MACHINE_ALL_HARTS, loop, true);
    assert_int_equal(machine_run(m, 10000), MACHINE_DEBUG);
    machine_breakpoint(m, MACHINE_ALL_HARTS, loop, false);
    assert_true(machine_set_reg(m, 0, "mie", mie));
}

static void a_pulse_interrupts_once_at_its_boundary(void **state)
{
    (void)state;
    static const unsigned m_level[] = {3, 7, 11};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t loop;
        struct guest g = counting_guest(false, &loop);
        struct machine *m = guest_machine(&g, NULL);
        to_loop(m, loop, 1u << 3 | 1u << 7 | 1u << 11);
        for (unsigned k = 0; k < 4; k++) {
            machine_run(m, k);
            uint64_t pc = reg(m, 0, "pc"), x10 = reg(m, 0, "a0"), n = reg(m, 0, "s0");
            inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_PULSE, .line = m_level[i]});
            assert_int_equal(reg(m, 0, "mip"), 1u << m_level[i]);
            assert_int_equal(reg(m, 0, "pc"), pc); /* taken by the run, not by the injection */
            machine_run(m, 20);
            assert_int_equal(reg(m, 0, "s0"), n + 1); /* once */
            assert_int_equal(reg(m, 0, "s2"), pc);    /* at this boundary */
            assert_int_equal(reg(m, 0, "s1"), UINT64_C(1) << 63 | m_level[i]);
            assert_int_equal(reg(m, 0, "s4"), 0); /* low again when the handler looks */
            assert_true(reg(m, 0, "a0") > x10);
        }
        machine_free(m);
    }
}

static void a_level_interrupts_until_it_is_lowered(void **state)
{
    (void)state;
    uint64_t loop;
    struct guest g = counting_guest(false, &loop);
    struct machine *m = guest_machine(&g, NULL);
    to_loop(m, loop, 1u << 11);
    inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_RAISE, .line = 11});
    machine_run(m, 1000);
    uint64_t n = reg(m, 0, "s0");
    assert_true(n > 50);
    assert_int_equal(reg(m, 0, "a0"), 0); /* nothing else gets to run */
    assert_int_equal(reg(m, 0, "s4"), 1 << 11);
    inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_PULSE, .line = 11}); /* adds nothing */
    machine_run(m, 100);
    assert_true(reg(m, 0, "s0") > n + 3);
    inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_LOWER, .line = 11});
    machine_run(m, 100);
    assert_true(reg(m, 0, "a0") > 20);
    machine_free(m);
}

/* A pulse on a line that a device raises meanwhile is the device's from then on. */
static void a_device_takes_over_a_pulsed_line(void **state)
{
    (void)state;
    uint64_t loop;
    struct guest g = counting_guest(false, &loop); /* nothing is enabled: the pulse waits */
    struct machine *m = guest_machine(&g, NULL);
    to_loop(m, loop, 0);
    inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_PULSE, .line = 11});
    inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_RAISE, .line = 11});
    assert_true(machine_set_reg(m, 0, "mie", 1 << 11));
    machine_run(m, 500);
    assert_true(reg(m, 0, "s0") > 10);
    machine_free(m);
}

static void software_clears_ssip_and_lcofip(void **state)
{
    (void)state;
    static const unsigned line[] = {1, 13};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t loop;
        struct guest g = counting_guest(false, &loop);
        struct machine *m = guest_machine(&g, NULL);
        to_loop(m, loop, 1u << 13 | 2u);
        inject(m, (struct machine_injection){.event = MACHINE_LINE, .line = line[i]});
        machine_run(m, 200);
        assert_true(reg(m, 0, "s0") > 5); /* stays pending */
        machine_set_reg(m, 0, "s5", UINT64_C(1) << line[i]);
        machine_run(m, 30);
        uint64_t n = reg(m, 0, "s0");
        machine_run(m, 100);
        assert_int_equal(reg(m, 0, "s0"), n);
        assert_int_equal(reg(m, 0, "s1"), UINT64_C(1) << 63 | line[i]);
        inject(m, (struct machine_injection){.event = MACHINE_LINE, .line = line[i]});
        inject(m, (struct machine_injection){.event = MACHINE_LINE, .how = MACHINE_LOWER, .line = line[i]});
        machine_run(m, 30);
        assert_int_equal(reg(m, 0, "s0"), n);
        machine_free(m);
    }
}

static void a_bus_error_is_an_exception_at_the_instruction_to_come(void **state)
{
    (void)state;
    uint64_t loop;
    struct guest g = counting_guest(false, &loop);
    struct machine *m = guest_machine(&g, NULL);
    to_loop(m, loop, 0);
    uint64_t cycle = machine_cycle(m);
    inject(m, (struct machine_injection){.event = MACHINE_BUS_ERROR, .address = 0x1234});
    assert_int_equal(reg(m, 0, "mcause"), 19);
    assert_int_equal(reg(m, 0, "mepc"), loop);
    assert_int_equal(reg(m, 0, "mtval"), 0x1234);
    assert_int_equal(reg(m, 0, "mstatus") & 0x88, 0x80);
    assert_int_equal(machine_cycle(m), cycle);
    assert_int_equal(reg(m, 0, "a0"), 0);
    machine_run(m, 15);
    assert_int_equal(reg(m, 0, "s0"), 1);
    assert_int_equal(reg(m, 0, "s1"), 19);
    machine_free(m);
}

static void an_rnmi_goes_to_its_own_handler_once(void **state)
{
    (void)state;
    uint64_t loop;
    struct guest g = counting_guest(false, &loop);
    while (g.n < 64)
        put_insn(&g, 0);
    addi(&g, S6, S6, 1); /* at 0x80000100 */
    csrr(&g, S7, MNEPC);
    put_insn(&g, MNRET);
    struct machine_config c = {.cpu = "rv64,smrnmi=on,nmi=0x80000100,nmi-exception=0x80000200"};
    struct machine *m = guest_machine(&g, &c);
    to_loop(m, loop, 0);
    inject(m, (struct machine_injection){.event = MACHINE_RNMI});
    machine_run(m, 10);
    assert_int_equal(reg(m, 0, "s6"), 0); /* NMIE is 0 after a reset: it waits */
    assert_true(machine_set_reg(m, 0, "mnstatus", 8));
    uint64_t pc = reg(m, 0, "pc");
    machine_run(m, 50);
    assert_int_equal(reg(m, 0, "s6"), 1);
    assert_int_equal(reg(m, 0, "s7"), pc);
    inject(m, (struct machine_injection){.event = MACHINE_RNMI, .how = MACHINE_RAISE});
    machine_run(m, 50);
    assert_true(reg(m, 0, "s6") > 5);
    inject(m, (struct machine_injection){.event = MACHINE_RNMI, .how = MACHINE_LOWER});
    machine_run(m, 10);
    uint64_t n = reg(m, 0, "s6");
    machine_run(m, 50);
    assert_int_equal(reg(m, 0, "s6"), n);
    machine_free(m);
}

static void a_source_reaches_the_hart_through_the_plic(void **state)
{
    (void)state;
    uint64_t loop;
    struct guest g = {.n = 0};
    lui(&g, T0, 0xc000);
    addi(&g, T1, ZERO, 1);
    sw(&g, T1, 4 * 40, T0); /* priority of source 40 */
    lui(&g, T2, 2);
    add(&g, T2, T2, T0);
    addi(&g, T1, ZERO, 1 << 8);
    sw(&g, T1, 4, T2); /* enabled for M of hart 0 */
    loop = UINT64_C(0x80000000) + 4 * g.n;
    jump(&g, g.n);
    struct machine *m = guest_machine(&g, NULL);
    to_loop(m, loop, 0);
    refused(m, (struct machine_injection){.event = MACHINE_SOURCE, .line = 0}, "the machine has no interrupt source 0");
    refused(m, (struct machine_injection){.event = MACHINE_SOURCE, .line = 96}, "the machine has no interrupt source 96");
    inject(m, (struct machine_injection){.event = MACHINE_SOURCE, .line = 41});
    assert_int_equal(reg(m, 0, "mip"), 0);
    inject(m, (struct machine_injection){.event = MACHINE_SOURCE, .line = 40});
    assert_int_equal(reg(m, 0, "mip"), 1 << 11); /* latched by the gateway */
    machine_free(m);
}

static void what_does_not_exist_is_refused(void **state)
{
    (void)state;
    uint64_t loop;
    struct guest g = counting_guest(false, &loop);
    struct machine *m = guest_machine(&g, &(struct machine_config){.cpu = "rv64,sscofpmf=off"});
    refused(m, (struct machine_injection){.event = MACHINE_LINE, .hart = 1}, "the machine has no hart 1");
    refused(m, (struct machine_injection){.event = MACHINE_LINE, .line = 64}, "mip has no bit 64");
    refused(m, (struct machine_injection){.event = MACHINE_LINE, .line = 13},
            "the cpu has no counter overflow interrupt (sscofpmf=off)");
    refused(m, (struct machine_injection){.event = MACHINE_RNMI}, "the cpu has no resumable NMI (smrnmi=off)");
    machine_free(m);
}

/* Through the device, from the guest: the same events at the same boundaries as through the API. */
static void the_injector_device_raises_the_same_events(void **state)
{
    (void)state;
    static const struct {
        unsigned kind, control;
        uint64_t cause;
    } way[] = {{0, 7, UINT64_C(1) << 63 | 11}, {1, 3, UINT64_C(1) << 63 | 13}, {3, 3, 19}};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned count = 1; count < 5; count++) {
            uint64_t loop;
            struct guest g = counting_guest(true, &loop);
            struct machine *m = guest_machine(&g, NULL);
            to_loop(m, loop, 1u << 13 | 1u << 11);
            machine_set_reg(m, 0, "t0", 0x3000000);
            machine_set_reg(m, 0, "t1", count);
            machine_set_reg(m, 0, "t2", 11);
            machine_set_reg(m, 0, "t3", way[i].kind);
            machine_set_reg(m, 0, "t4", way[i].control);
            machine_set_reg(m, 0, "s5", 1 << 13);
            machine_run(m, 30);
            assert_int_equal(reg(m, 0, "s0"), 1);
            assert_int_equal(reg(m, 0, "s1"), way[i].cause);
            /* `count` cycles from the store to control, which takes the first of them; the loop is two instructions */
            assert_int_equal(reg(m, 0, "s2"), loop + 16 + (count - 1) % 2 * 4);
            machine_free(m);
        }
}

/* ---- calls ---------------------------------------------------------------------------------------------------------- */

/* Hart 0 counts in M; hart 1 parks in S behind a stub. M's handler answers an ecall: stores a0 + a7 behind the code, raises hart
   0's MSIP, and returns a0 + 1. */
struct call_guest {
    struct guest g;
    uint64_t stub, park, cell;
};

static struct call_guest calling_guest(void)
{
    struct call_guest c = {.g = {.n = 0}};
    struct guest *g = &c.g;
    unsigned handler = la(g, T0, 0);
    csrw(g, CSR_MTVEC, T0);
    csrr(g, T0, CSR_MHARTID);
    unsigned other = put_insn(g, 0);
    unsigned loop = g->n;
    addi(g, A0, A0, 1);
    jump(g, loop);
    g->code[other] = b_bits((int)(g->n - other) * 4) | ZERO << 20 | T0 << 15 | 1 << 12 | 0x63; /* bne: hart 1 */
    addi(g, T1, ZERO, -1);
    csrw(g, 0x3b0, T1); /* PMP: everything */
    addi(g, T1, ZERO, 0x1f);
    csrw(g, 0x3a0, T1);
    addi(g, T1, ZERO, 1);
    slli(g, T1, T1, 11);
    csrw(g, CSR_MSTATUS, T1); /* MPP = S */
    unsigned park = la(g, T0, 0);
    csrw(g, CSR_MEPC, T0);
    mret(g);
    patch_la(g, park, g->n);
    c.park = UINT64_C(0x80000000) + 4 * g->n;
    wfi(g);
    jump(g, g->n - 1);
    c.stub = UINT64_C(0x80000000) + 4 * g->n;
    put_insn(g, 0x00000073); /* ecall */
    jump(g, g->n);
    while (g->n % 2)
        addi(g, ZERO, ZERO, 0);
    patch_la(g, handler, g->n);
    add(g, T2, A0, A7);
    c.cell = UINT64_C(0x80000000) + 4 * g->n + 0x1000;
    auipc(g, T1, 1);
    sd(g, T2, 0, T1);
    lui(g, T1, 0x2000);
    addi(g, T2, ZERO, 1);
    sw(g, T2, 0, T1); /* msip of hart 0 */
    addi(g, A0, A0, 1);
    csrr(g, T1, CSR_MEPC);
    addi(g, T1, T1, 4);
    csrw(g, CSR_MEPC, T1);
    mret(g);
    return c;
}

static void a_call_happens_outside_of_time(void **state)
{
    (void)state;
    struct call_guest c = calling_guest();
    struct machine *m = guest_machine(&c.g, &(struct machine_config){.harts = 2, .quantum = 1});
    struct err e;
    machine_run(m, 100);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(reg(m, 1, "pc"), c.park + 4);
        uint64_t cell = 0, cycle = machine_cycle(m), own = machine_hart_cycle(m, 1), pc = reg(m, 0, "pc"), a0 = reg(m, 0, "a0");
        uint64_t t1 = reg(m, 1, "t1"), mepc = reg(m, 1, "mepc"), mstatus = reg(m, 1, "mstatus");
        struct machine_call call = {.hart = 1, .entry = c.stub, .done = c.stub + 4, .a = {41 + i, [7] = 1000}, .cycles = 1000};
        if (!machine_call(m, &call, &e))
            fail_msg("%s", e.text);
        assert_int_equal(call.a[0], 42 + i);
        assert_int_equal(call.a[7], 1000);
        assert_true(machine_read(m, c.cell, &cell, 8));
        assert_int_equal(cell, 1041 + i);
        assert_int_equal(reg(m, 0, "mip"), 8); /* the IPI is there, at this very boundary */
        assert_int_equal(machine_cycle(m), cycle);
        assert_int_equal(machine_hart_cycle(m, 1), own);
        assert_int_equal(reg(m, 0, "pc"), pc);
        assert_int_equal(reg(m, 0, "a0"), a0);
        assert_int_equal(reg(m, 1, "pc"), c.park + 4);
        assert_int_equal(reg(m, 1, "t1"), t1);
        assert_int_equal(reg(m, 1, "mepc"), mepc);
        assert_int_equal(reg(m, 1, "mstatus"), mstatus);
        machine_run(m, 40);
        assert_int_equal(reg(m, 0, "a0"), a0 + 20); /* MIE is 0: hart 0 just goes on */
    }
    machine_free(m);
}

static void a_call_that_does_not_come_back_is_told(void **state)
{
    (void)state;
    struct call_guest c = calling_guest();
    struct machine *m = guest_machine(&c.g, &(struct machine_config){.harts = 2, .quantum = 1});
    struct err e;
    machine_run(m, 100);
    struct machine_call call = {.hart = 1, .entry = c.stub + 4, .done = c.stub, .cycles = 500};
    assert_false(machine_call(m, &call, &e));
    assert_string_equal(e.text, "the call did not come back within 500 cycles");
    assert_int_equal(reg(m, 1, "pc"), c.park + 4);
    call.entry = c.park;
    assert_false(machine_call(m, &call, &e));
    assert_string_equal(e.text, "the call waits for an interrupt");
    call.hart = 2;
    assert_false(machine_call(m, &call, &e));
    assert_string_equal(e.text, "the machine has no hart 2");
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulse_interrupts_once_at_its_boundary),
        cmocka_unit_test(a_level_interrupts_until_it_is_lowered),
        cmocka_unit_test(a_device_takes_over_a_pulsed_line),
        cmocka_unit_test(software_clears_ssip_and_lcofip),
        cmocka_unit_test(a_bus_error_is_an_exception_at_the_instruction_to_come),
        cmocka_unit_test(an_rnmi_goes_to_its_own_handler_once),
        cmocka_unit_test(a_source_reaches_the_hart_through_the_plic),
        cmocka_unit_test(what_does_not_exist_is_refused),
        cmocka_unit_test(the_injector_device_raises_the_same_events),
        cmocka_unit_test(a_call_happens_outside_of_time),
        cmocka_unit_test(a_call_that_does_not_come_back_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
