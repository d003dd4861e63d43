/* The oracle beside each variant of the bundled firmware: exactly the departures that the variant is made for, in exactly the
 * contexts where they must show. */
#include "debug/riscv/monitor.h"
#include "sse_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SOFT  0xffff0000u
#define OTHER 0x00010000u
enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { SIE = 1 << 1, SPIE = 1 << 5, SPP = 1 << 8, SPV = 1 << 7, SPVP = 1 << 8 };
enum variant { MAINT, HEAD, P1, PRIV, STATUS };
#define R(rule) (1u << SSE_##rule)

static struct rig r;

static unsigned broken_since(const uint64_t before[SSE_RULES])
{
    unsigned rules = 0;
    for (unsigned i = 0; i < SSE_RULES; i++)
        rules |= r.by_rule[i] > before[i] ? 1u << i : 0;
    return rules;
}

static void set_bits(const char *csr, uint64_t mask, uint64_t v) { rig_set(&r, 0, csr, (rig_get(&r, 0, csr) & ~mask) | v); }

/* State i: bits 0 to 4 are SPP, SPIE, SIE, SPV, SPVP. */
static void context(unsigned i, bool h)
{
    rig_set(&r, 0, "v", 0);
    rig_set(&r, 0, "priv", 1);
    set_bits("sstatus", SPP | SPIE | SIE, (i & 1 ? SPP : 0) | (i & 2 ? SPIE : 0) | (i & 4 ? SIE : 0));
    if (h)
        set_bits("hstatus", SPV | SPVP, (i & 8 ? SPV : 0) | (i & 16 ? SPVP : 0));
    rig_set(&r, 0, "sepc", 0x1230);
}

static void complete_as_begun(void)
{
    static const char *const arg[] = {"a0", "a1", "a2", "a3", "a4", "a5"};
    const struct rv_view *v = &r.o.hart[0].frame[r.o.hart[0].depth - 1].entry;
    uint64_t a[6];
    for (unsigned i = 0; i < 6; i++)
        a[i] = v->x[10 + i];
    for (unsigned i = 0; i < 6; i++)
        rig_set(&r, 0, arg[i], a[i]);
    rig_call(&r, 0, RIG_EID_SSE, COMPLETE, a);
}

/* What is broken at the entry and at the completion of an event that interrupts state i (P=S, V=0) and whose handler does
 * nothing. */
static void one(enum variant v, unsigned i, bool h)
{
    uint64_t before[SSE_RULES];
    bool spp = i & 1, spie = i & 2, sie = i & 4, spv = h && i & 8, spvp = h && i & 16;
    context(i, h);
    memcpy(before, r.by_rule, sizeof before);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    assert_int_equal(r.o.hart[0].depth, 1);
    unsigned entry = broken_since(before);
    complete_as_begun();
    unsigned resume = broken_since(before) & ~entry;
    /* HEAD leaves SPV set, and clears SPVP when SPV ends clear; P1 and PRIV clear SPVP always. */
    bool entry_wrong = v == HEAD ? spv || spvp : v == P1 || v == PRIV ? spvp : false;
    /* P1 gives back the flags as injection had made them, and hstatus whole. HEAD goes on with V=1. PRIV gives back its own copy.
     */
    bool resume_wrong = v == HEAD ? spv : v == P1 ? !spp || spie != sie : false;
    if (entry != (entry_wrong ? R(A2) : 0) || (resume & (R(A3) | R(A1) | R(A5))) != (resume_wrong ? R(A3) : 0))
        fail_msg("state %u: entry breaks 0x%x, completion 0x%x", i, entry, resume);
}

/* With a handler that reads and edits its attributes. */
static unsigned all_rules(enum variant v, bool h)
{
    uint64_t before[SSE_RULES], buffer = r.base + RIG_BUFFER;
    memcpy(before, r.by_rule, sizeof before);
    for (unsigned i = 0; i < 32; i++) {
        context(i, h);
        rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
        rig_sse(&r, 0, READ, SOFT, 0, 10, buffer, 0);
        complete_as_begun();
        context(i, h);
        rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
        rig_set_word(&r, 0, h ? i & 15 : i & 3);
        rig_sse(&r, 0, WRITE, SOFT, SSE_FLAGS, 1, buffer, 0);
        complete_as_begun();
    }
    (void)v;
    return broken_since(before);
}

/* What happens around it: registration, masks, priorities, one-shot, preemption. */
static void around(void)
{
    uint64_t buffer = r.base + RIG_BUFFER, handler = r.base + RIG_HANDLER;
    rig_sse(&r, 0, READ, SOFT, 0, 10, buffer, 0);
    rig_sse(&r, 0, ENABLE, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, REGISTER, SOFT, handler, 0xa5c3, 0, 0);
    rig_sse(&r, 0, REGISTER, OTHER, handler + 16, 0x77c3, 0, 0);
    rig_set_word(&r, 0, 5);
    rig_sse(&r, 0, WRITE, SOFT, SSE_PRIORITY, 1, buffer, 0);
    rig_sse(&r, 0, ENABLE, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, ENABLE, OTHER, 0, 0, 0, 0);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0); /* still masked */
    rig_sse(&r, 0, INJECT, OTHER, 0, 0, 0, 0);
    rig_sse(&r, 0, UNMASK, 0, 0, 0, 0, 0); /* the more urgent, then the other */
    rig_sse(&r, 0, COMPLETE, 0, 0, 0, 0, 0);
    rig_sse(&r, 0, INJECT, OTHER, 0, 0, 0, 0); /* preempts */
    assert_int_equal(r.o.hart[0].depth, 2);
    rig_sse(&r, 0, COMPLETE, 0, 0, 0, 0, 0);
    rig_sse(&r, 0, COMPLETE, 0, 0, 0, 0, 0);
    rig_sse(&r, 0, DISABLE, OTHER, 0, 0, 0, 0);
    rig_sse(&r, 0, UNREGISTER, OTHER, 0, 0, 0, 0);
    assert_int_equal(r.o.hart[0].depth, 0);
}

static void check(const char *rom, const char *cpu, enum variant v, unsigned rules)
{
    char path[512];
    bool h = !strstr(cpu, "h=off");
    snprintf(path, sizeof path, TL_SOURCE_DIR "/roms/%s", rom);
    if (!rig_open(&r, path, cpu, 1))
        fail_msg("%s does not boot", rom);
    around();
    for (unsigned i = 0; i < SSE_RULES; i++)
        assert_true(!r.by_rule[i] || (rules >> i & 1));
    for (unsigned i = 0; i < 32; i++)
        one(v, i, h);
    unsigned found = all_rules(v, h);
    if (found != rules)
        fail_msg("%s %s: rules 0x%x are broken instead of 0x%x", rom, cpu, found, rules);
    rig_close(&r);
}

static void each_variant_departs_as_it_should(void **state)
{
    (void)state;
    check("sbi-maint.elf", "rv64", MAINT, 0);
    check("sbi-maint-rv32.elf", "rv32", MAINT, 0);
    check("sbi-maint.elf", "rv64,h=off", MAINT, 0);
    check("sbi-head.elf", "rv64", HEAD, R(A2) | R(A3));
    check("sbi-head-rv32.elf", "rv32", HEAD, R(A2) | R(A3));
    check("sbi-p1.elf", "rv64", P1, R(A1) | R(A2) | R(A3) | R(A4));
    check("sbi-p1-rv32.elf", "rv32", P1, R(A1) | R(A2) | R(A3) | R(A4));
    check("sbi-priv.elf", "rv64", PRIV, R(A1) | R(A2) | R(A4));
    check("sbi-priv-rv32.elf", "rv32", PRIV, R(A1) | R(A2) | R(A4));
    check("sbi-status.elf", "rv64", STATUS, R(A5));
    check("sbi-status-rv32.elf", "rv32", STATUS, R(A5));
}

/* Without H there is no hstatus to get wrong: HEAD is exact there, and P1 still is not. */
static void without_h_the_fault_of_head_is_not_there(void **state)
{
    (void)state;
    check("sbi-head.elf", "rv64,h=off", HEAD, 0);
    check("sbi-p1.elf", "rv64,h=off", P1, R(A1) | R(A3));
}

/* ---- the monitor's rules about events ---------------------------------------------------------------------------------------
 */

static struct monitor mon;
static char seen[64]; /* the rules of the last completion, blank-separated */

static bool monitored(void *ctx, const struct machine_change *c)
{
    (void)ctx;
    unsigned n = monitor_feed(&mon, r.m, c);
    for (unsigned i = 0; i < n && strlen(seen) + 4 < sizeof seen; i++) {
        strcat(seen, *seen ? " " : "");
        strcat(seen, mon.found[i].rule);
    }
    return false;
}

/* An event whose handler leaves csr changed. */
static const char *left_changed(const char *csr, uint64_t v)
{
    context(3, true);
    rig_set(&r, 0, "sscratch", 0x55);
    rig_set(&r, 0, "stvec", 0x80200000);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    if (csr)
        rig_set(&r, 0, csr, v);
    seen[0] = '\0';
    complete_as_begun();
    return seen;
}

static void the_monitor_tells_what_a_handler_leaves_changed(void **state)
{
    (void)state;
    struct monitor_config c = {0};
    struct err e;
    if (!rig_open(&r, TL_SOURCE_DIR "/roms/sbi-maint.elf", "rv64", 1))
        fail_msg("no firmware");
    around();
    if (!monitor_parse(&c, "sse,max=0", &e) || !monitor_start(&mon, &c, r.m, &e))
        fail_msg("%s", e.text);
    sse_oracle_copy(monitor_oracle(&mon), &r.o);
    r.hook = monitored;
    assert_string_equal(left_changed(NULL, 0), "");
    assert_string_equal(left_changed("sscratch", 0x66), "B5");
    assert_string_equal(left_changed("stvec", 0x80200100), "B5");
    assert_string_equal(left_changed("stval", 0x66), "A3");
    assert_string_equal(left_changed("sstatus", rig_get(&r, 0, "sstatus") | SPP | SPIE), "B1");
    /* An attribute is written on purpose: nothing to tell. */
    context(3, true);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    rig_set_word(&r, 0, 0);
    rig_sse(&r, 0, WRITE, SOFT, SSE_FLAGS, 1, r.base + RIG_BUFFER, 0);
    seen[0] = '\0';
    complete_as_begun();
    assert_string_equal(seen, "");
    /* B1 is not wanted: it is A3 then. */
    mon.config.rules &= ~(UINT64_C(1) << MONITOR_NUMBER(MONITOR_B1));
    assert_string_equal(left_changed("sstatus", rig_get(&r, 0, "sstatus") | SPP | SPIE), "A3");
    monitor_end(&mon);
    rig_close(&r);
}

/* FLAGS say SDT and SPELP, which the hart does not have for S now. What completion makes of them is interrupted at once by the
   next event, before any register has dropped them. */
static void chained(const char *rom, const char *cpu, unsigned hart_has)
{
    char path[512];
    snprintf(path, sizeof path, TL_SOURCE_DIR "/roms/%s", rom);
    if (!rig_open(&r, path, cpu, 1))
        fail_msg("%s does not boot", rom);
    uint64_t buffer = r.base + RIG_BUFFER, handler = r.base + RIG_HANDLER;
    rig_sse(&r, 0, REGISTER, SOFT, handler, 0xa5c3, 0, 0);
    rig_sse(&r, 0, ENABLE, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, UNMASK, 0, 0, 0, 0, 0);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0);
    rig_sse(&r, 0, INJECT, SOFT, 0, 0, 0, 0); /* comes directly behind the first */
    rig_set_word(&r, 0, 0x30);
    assert_int_equal(rig_sse(&r, 0, WRITE, SOFT, SSE_FLAGS, 1, buffer, 0), 0);
    rig_sse(&r, 0, COMPLETE, 0, 0, 0, 0, 0);
    assert_int_equal(r.o.hart[0].depth, 1);
    assert_int_equal(rig_sse(&r, 0, READ, SOFT, SSE_FLAGS, 1, buffer, 0), 0);
    assert_int_equal(rig_word(&r, 0) & 0x30, hart_has);
    assert_int_equal(r.departures, 0);
    rig_close(&r);
}

static void flags_that_the_hart_lacks_do_not_reach_the_next_event(void **state)
{
    (void)state;
    chained("sbi-maint.elf", "rv64,zicfilp=off", 0); /* Ssdbltrp is there, menvcfg.DTE is 0 */
    chained("sbi-maint-rv32.elf", "rv32,zicfilp=off", 0);
    chained("sbi-maint.elf", "rv64", 0x10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_departs_as_it_should),
        cmocka_unit_test(without_h_the_fault_of_head_is_not_there),
        cmocka_unit_test(flags_that_the_hart_lacks_do_not_reach_the_next_event),
        cmocka_unit_test(the_monitor_tells_what_a_handler_leaves_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
