/* The monitor's rules about modes and texts, one change at a time; its option; and names of places. Rules about events are tested
 * on real firmware (cli/monitor.sh). */
#include "debug/riscv/monitor.h"
#include "debug/riscv/trace.h"
#include "debug/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOST  0x80200000u
#define GUEST 0x80400000u
#define USER  0x80600000u
#define OFF   0x80200800u /* interrupts off: part of host */

static struct machine *m;
static struct monitor o;

static void begin(const char *option)
{
    struct monitor_config c = {0};
    struct err e;
    m = machine_new(&(struct machine_config){.bios = "none", .kernel = TL_SOURCE_DIR "/roms/journey.elf"}, &e);
    if (!m || !monitor_parse(&c, option, &e) || !monitor_start(&o, &c, m, &e))
        fail_msg("%s", e.text);
}

#define RANGES \
    "sse,host=0x80200000..0x80201000,guest=0x80400000..0x80401000,user=0x80600000..0x80601000,irqoff=0x80200800..0x80200810"

/* The rule that a change breaks, "" none. */
static const char *fed(struct machine_change c)
{
    unsigned n = monitor_feed(&o, m, &c);
    return n ? o.found[0].rule : "";
}

/* A return from one mode to another; a trap is made of the mode it comes from. */
static struct machine_change back(uint8_t from, uint8_t to, uint8_t to_v, uint64_t pc)
{
    return (struct machine_change){.is_return = true, .priv = from, .to_priv = to, .to_v = to_v, .pc = pc, .epc = 0x80000100};
}
static struct machine_change trap(uint8_t from, uint8_t v, uint8_t to, bool interrupt, uint64_t cause, uint64_t epc)
{
    return (struct machine_change){
        .priv = from, .v = v, .to_priv = to, .interrupt = interrupt, .cause = cause, .epc = epc, .pc = HOST};
}

static void a6_host_text_with_v_and_guest_text_in_hs(void **state)
{
    (void)state;
    begin(RANGES ",rules=A6");
    assert_string_equal(fed(back(3, 1, 0, HOST)), "");
    assert_string_equal(fed(back(3, 1, 1, HOST + 4)), "A6");
    assert_string_equal(fed(back(3, 0, 1, HOST + 4)), "A6");
    assert_string_equal(fed(back(3, 1, 1, GUEST)), "");
    assert_string_equal(fed(back(3, 1, 0, GUEST)), "A6");
    assert_string_equal(fed(back(3, 0, 0, GUEST)), ""); /* in U it does no harm */
    assert_string_equal(fed(back(3, 1, 0, GUEST + 0x1000)), "");
    assert_string_equal(fed(back(1, 1, 1, HOST)), ""); /* an sret, not an mret */
    assert_int_equal(o.total, 3);
    monitor_end(&o);
    machine_free(m);
}

static void b2_kernel_in_u_and_user_in_s(void **state)
{
    (void)state;
    begin(RANGES ",rules=B2");
    assert_string_equal(fed(trap(0, 0, 1, false, 8, USER)), "");
    assert_string_equal(fed(trap(0, 0, 1, false, 8, HOST + 8)), "B2"); /* the environment call from U in kernel text */
    assert_string_equal(o.found[0].diff[1].name, "cause");
    assert_int_equal(o.found[0].diff[1].actual, 8);
    assert_string_equal(fed(trap(1, 0, 3, false, 9, HOST)), "");
    assert_string_equal(fed(trap(1, 0, 3, false, 9, USER)), "B2");
    assert_string_equal(fed(trap(0, 0, 1, true, 5, HOST)), "B2");
    assert_string_equal(fed(trap(0, 1, 1, false, 8, HOST)), ""); /* VU: not this kernel's user */
    assert_string_equal(fed(back(1, 0, 0, USER)), "");
    assert_string_equal(fed(back(1, 1, 0, USER)), "B2");
    assert_string_equal(fed(back(3, 0, 0, HOST)), "B2");
    assert_string_equal(fed(back(3, 3, 0, USER)), "");
    monitor_end(&o);
    machine_free(m);
}

static void b3_interrupts_between_the_marks(void **state)
{
    (void)state;
    begin(RANGES ",rules=B3");
    assert_true(machine_set_reg(m, 0, "sstatus", 0));
    assert_string_equal(fed(trap(1, 0, 1, true, 5, OFF)), "B3");
    assert_string_equal(fed(trap(1, 0, 1, true, 5, OFF + 16)), "");
    assert_string_equal(fed(trap(1, 0, 3, true, 7, OFF)), ""); /* M's are not turned off by S */
    assert_string_equal(fed(trap(1, 0, 1, false, 13, OFF)), "");
    assert_string_equal(fed(back(3, 1, 0, OFF + 4)), "");
    assert_true(machine_set_reg(m, 0, "sstatus", 2));
    assert_string_equal(fed(back(3, 1, 0, OFF + 4)), "B3");
    assert_string_equal(fed(back(3, 1, 0, HOST)), "");
    assert_string_equal(fed(back(3, 1, 1, OFF + 4)), "");
    monitor_end(&o);
    machine_free(m);
}

static void rules_that_are_not_wanted_and_ranges_that_are_not_there(void **state)
{
    (void)state;
    begin(RANGES ",rules=A3");
    assert_string_equal(fed(back(3, 1, 1, HOST + 4)), "");
    assert_string_equal(fed(trap(0, 0, 1, false, 8, HOST + 8)), "");
    monitor_end(&o);
    machine_free(m);
    begin("sse"); /* the image has none of the marks */
    assert_string_equal(fed(back(3, 1, 1, HOST + 4)), "");
    monitor_end(&o);
    machine_free(m);
}

static bool refused(const char *text)
{
    struct monitor_config c = {0};
    struct err e = {""};
    return !monitor_parse(&c, text, &e) && strstr(e.text, "--monitor");
}

static void options_are_read_or_refused(void **state)
{
    (void)state;
    struct monitor_config c = {0};
    struct err e;
    assert_true(monitor_parse(&c, "sse,kernel=a..b,host=c+4..0x10,rules=a3+C1,max=0", &e));
    assert_string_equal(c.range[MONITOR_HOST][0][1], "b");
    assert_string_equal(c.range[MONITOR_HOST][1][0], "c+4");
    assert_int_equal(c.rules, UINT64_C(1) << MONITOR_NUMBER(MONITOR_A3) | 1 << SSE_C1 | 1 << SSE_A3);
    assert_int_equal(c.max, 0);
    static const char *const bad[] = {"",          "sme",        "sse,frob=1", "sse,host",     "sse,host=a",      "sse,host=..b",
                                      "sse,max=x", "sse,max=-1", "sse,rules=", "sse,rules=A9", "sse,rules=A3+Z1", "sse,host=a.."};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!refused(bad[i]))
            fail_msg("'%s' is not refused", bad[i]);
    assert_true(refused("sse,host=a..b,host=a..b,host=a..b,host=a..b,host=a..b"));
}

static void places_have_names(void **state)
{
    (void)state;
    char text[64];
    uint64_t start, va;
    struct err e;
    begin("sse");
    assert_true(machine_symbol(m, "_start", &start));
    symbols_text(m, start, text, sizeof text);
    assert_string_equal(text, "_start");
    assert_true(machine_symbol(m, "m_main", &va));
    symbols_text(m, va + 2, text, sizeof text);
    assert_string_equal(text, "m_main+0x2");
    symbols_text(m, 0x10, text, sizeof text);
    assert_string_equal(text, "0x10");
    symbols_text(m, start, text, 4); /* cut, not overrun */
    assert_string_equal(text, "_st");
    assert_true(symbols_parse(m, "_start+0x10", &va, &e) && va == start + 16);
    assert_true(symbols_parse(m, "0x1234", &va, &e) && va == 0x1234);
    assert_false(symbols_parse(m, "nowhere", &va, &e));
    assert_non_null(strstr(e.text, "nowhere"));
    assert_false(symbols_parse(m, "_start+x", &va, &e));
    char scratch[32];
    assert_string_equal(trace_cause(false, 21, scratch), "load guest-page fault");
    assert_string_equal(trace_cause(true, 13, scratch), "counter overflow interrupt");
    assert_string_equal(trace_cause(false, 60, scratch), "exception 60");
    assert_string_equal(trace_mode(1, 0, true), "HS");
    monitor_end(&o);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a6_host_text_with_v_and_guest_text_in_hs),
        cmocka_unit_test(b2_kernel_in_u_and_user_in_s),
        cmocka_unit_test(b3_interrupts_between_the_marks),
        cmocka_unit_test(rules_that_are_not_wanted_and_ranges_that_are_not_there),
        cmocka_unit_test(options_are_read_or_refused),
        cmocka_unit_test(places_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
