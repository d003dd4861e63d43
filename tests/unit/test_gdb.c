/*
 * The GDB server on a stream of bytes: packets and their checksums, registers, memory, points, going on and back, monitor
 * commands, malformed packets; and that a debugged run is the plain run. timeout: 200
 */
#include "gdb_talk.h"
#include "guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- packets ----------------------------------------------------------------------------------------------------------------
 */

static void receive(struct talk *t, const char *bytes) { gdb_receive(t->g, bytes, strlen(bytes)); }
static void sent(struct talk *t, const char *bytes)
{
    buf_put_u8(&t->sent, 0);
    assert_string_equal((const char *)t->sent.data, bytes);
    t->sent.len = 0;
}

static void packets_are_acknowledged_and_sent_again(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, rom("journey.elf", 2));
    receive(&t, "$qC#b4");
    sent(&t, "+$QC1#c5");
    receive(&t, "+");
    sent(&t, "");
    receive(&t, "-"); /* GDB did not get it */
    sent(&t, "$QC1#c5");
    receive(&t, "$qC#b5"); /* a wrong checksum */
    sent(&t, "-");
    receive(&t, "$qC#xx");
    sent(&t, "-");
    receive(&t, "noise\r\n$qX$qC#b4"); /* a packet that broke off */
    sent(&t, "+$QC1#c5");
    receive(&t, "$q}\x63#51"); /* C escaped */
    sent(&t, "+$QC1#c5");
    receive(&t, "$QStartNoAckMode#b0");
    sent(&t, "+$OK#9a");
    receive(&t, "$qC#b4");
    sent(&t, "$QC1#c5");
    struct buf b = {0};
    buf_printf(&b, "$m");
    for (unsigned i = 0; i < 2 * GDB_PACKET; i++)
        buf_put_u8(&b, '0');
    buf_printf(&b, "#00");
    gdb_receive(t.g, b.data, b.len);
    assert_int_equal(t.sent.len, 0); /* too long, and no acknowledgement is wanted */
    receive(&t, "$qC#b4");
    sent(&t, "$QC1#c5");
    buf_free(&b);
    end(&t);
}

/* Every packet here is nonsense: the answer is an error or "unknown", and the next good one is answered as ever. */
static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "p",
                                      "pzz",
                                      "pffffffff",
                                      "p1,",
                                      "P",
                                      "P1",
                                      "P1=",
                                      "P1=1",
                                      "P1=zz",
                                      "P20=00",
                                      "Pffff=00",
                                      "G",
                                      "G00",
                                      "m",
                                      "m1",
                                      "m1,",
                                      "m,1",
                                      "m0,1x",
                                      "mfffffffffffffffff,1",
                                      "M",
                                      "M0,1",
                                      "M0,1:",
                                      "M0,1:0",
                                      "M0,1:zz",
                                      "M0,2:00",
                                      "X",
                                      "X0,5:abc",
                                      "X0,1:",
                                      "Z",
                                      "Z0",
                                      "Z0,",
                                      "Z9,0,4",
                                      "Z2,0,0",
                                      "z2,1234,4",
                                      "Zx,0,0",
                                      "H",
                                      "Hg",
                                      "Hgzz",
                                      "Hx1",
                                      "Hg9",
                                      "T",
                                      "T0",
                                      "T9",
                                      "Tzz",
                                      "vCont",
                                      "vCont;",
                                      "vCont;x",
                                      "vCont;s:9",
                                      "vCont;r",
                                      "vCont;r1",
                                      "vCont;r1,",
                                      "vCont;sz",
                                      "vCont;C",
                                      "vFoo",
                                      "vRun",
                                      "qXfer:",
                                      "qXfer:features:read:no.xml:0,10",
                                      "qXfer:features:read:target.xml:0",
                                      "qXfer:features:read:target.xml:,",
                                      "qXfer:auxv:read::0,10",
                                      "qRcmd,0",
                                      "qRcmd,zz",
                                      "qRcmd,00",
                                      "qThreadExtraInfo,",
                                      "qThreadExtraInfo,0",
                                      "qThreadExtraInfo,7f",
                                      "QNonStop:1",
                                      "QNonStop:",
                                      "Qqemu.PhyMemMode:2",
                                      "Q",
                                      "q",
                                      "x",
                                      "x0",
                                      "\x01\x02\xff",
                                      "!!",
                                      "bz",
                                      "b",
                                      "vCont;c:-2",
                                      "Hg-2"};
    struct talk t;
    begin(&t, rom("journey.elf", 2));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *a = ask(&t, bad[i]);
        if (*a && *a != 'E')
            fail_msg("'%s' is answered by '%s'", bad[i], a);
        assert_int_equal(gdb_state(t.g), GDB_STOPPED);
        want(&t, "qC", "QC1");
    }
    end(&t);
}

/* ---- registers and memory ----------------------------------------------------------------------------------------------------
 */

/* The whole of an object, put together from pieces. */
static void object(struct talk *t, const char *head, struct buf *out)
{
    char packet[128];
    do {
        snprintf(packet, sizeof packet, "qXfer:%s%zx,333", head, out->len);
        give(t, packet, strlen(packet));
        take(t);
        buf_put(out, t->reply.data + 1, t->reply.len - 1);
    } while (t->reply.data[0] == 'm');
    assert_int_equal(t->reply.data[0], 'l');
    buf_put_u8(out, 0);
}

static unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

/* Every register is described once, is read with as many bytes as the description says, and keeps what is written. */
static void check_target(struct talk *t, const char *const *names)
{
    struct buf xml = {0};
    object(t, "features:read:target.xml:", &xml);
    const char *text = (const char *)xml.data;
    unsigned regs = count_of(text, "<reg name=\""), system = 0;
    struct machine_register r;
    for (unsigned i = 0; machine_register(t->m, 0, i, &r); i++)
        system++;
    assert_true(regs >= system && regs == count_of(text, " regnum=\""));
    for (unsigned i = 0; names[i]; i++)
        if (!strstr(text, names[i]))
            fail_msg("the description has no %s", names[i]);
    for (const char *p = text; (p = strstr(p, "<reg name=\"")); p++) {
        unsigned bits = (unsigned)strtoul(strstr(p, "bitsize=\"") + 9, NULL, 10);
        unsigned n = (unsigned)strtoul(strstr(p, "regnum=\"") + 8, NULL, 10);
        char packet[32];
        snprintf(packet, sizeof packet, "p%x", n);
        const char *a = ask(t, packet);
        if (strlen(a) != bits / 4)
            fail_msg("register %u of %u bits: '%s'", n, bits, a);
    }
    buf_free(&xml);
}

static void riscv_registers_are_described(void **state)
{
    (void)state;
    static const char *const names[] = {"riscv:rv64",
                                        "<reg name=\"zero\" bitsize=\"64\" regnum=\"0\" type=\"int\"/>",
                                        "<reg name=\"pc\" bitsize=\"64\" regnum=\"32\" type=\"code_ptr\"/>",
                                        "<flags id=\"hstatus_fields\" size=\"8\">",
                                        "<field name=\"SPVP\" start=\"8\" end=\"8\" type=\"bool\"/>",
                                        "<reg name=\"fcsr\" bitsize=\"32\"",
                                        "<reg name=\"virt\"",
                                        NULL};
    struct talk t;
    begin(&t, rom("journey.elf", 2));
    check_target(&t, names);
    want(&t, "P5=1122334455667788", "OK");
    want(&t, "p5", "1122334455667788");
    want(&t, "Hg2", "OK");
    want(&t, "p5", "0000000000000000");
    want(&t, "Hg1", "OK");
    want(&t, "p5", "1122334455667788");
    struct buf all = {0};
    const char *g = ask(&t, "g");
    buf_printf(&all, "G%s", g);
    assert_int_equal(strlen(g), 33 * 16);
    memcpy(all.data + 1 + 6 * 16, "efbeadde00000000", 16);
    want(&t, (const char *)all.data, "OK");
    want(&t, "p6", "efbeadde00000000");
    buf_free(&all);
    end(&t);
}

static void arm_registers_are_described(void **state)
{
    (void)state;
    static const char *const names[] = {"<architecture>aarch64<",
                                        "<reg name=\"cpsr\" bitsize=\"64\" regnum=\"33\" type=\"cpsr_fields\"",
                                        "<reg name=\"v31\" bitsize=\"128\"",
                                        "<flags id=\"sctlr_el1_fields\" size=\"8\">",
                                        "<reg name=\"pauth_cmask\"",
                                        "<reg name=\"fpcr\" bitsize=\"32\"",
                                        NULL};
    struct talk t;
    begin(&t, rom("journey-a64.elf", 1));
    check_target(&t, names);
    end(&t);
}

static void memory_is_read_and_written(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, rom("journey.elf", 1));
    want(&t, "m80100000,8", "0000000000000000");
    want(&t, "M80100000,4:deadbeef", "OK");
    want(&t, "m80100000,8", "deadbeef00000000");
    static const uint8_t binary[] = "X80100004,4:#$}*"; /* all of them are escaped on the way */
    give(&t, binary, sizeof binary - 1);
    assert_string_equal(take(&t), "OK");
    want(&t, "m80100000,8", "deadbeef23247d2a");
    want(&t, "x80100004,2", "b#$");
    want(&t, "X0,0:", "OK");
    says(&t, "history", " 1 inputs"); /* what is written in one place is one change */
    ask(&t, "vCont;s:1");
    want(&t, "M80100000,1:01", "OK");
    says(&t, "history", " 2 inputs");
    ask(&t, "bs");
    want(&t, "m80100000,8", "deadbeef23247d2a");
    ask(&t, "vCont;s:1");
    want(&t, "m80100000,2", "01ad");
    want_begins(&t, "m10000000,4", "E"); /* a device is not looked at */
    want_begins(&t, "M10000000,1:00", "E");
    assert_int_equal(strlen(ask(&t, "m81fffff8,20")), 16); /* up to the end of RAM */
    end(&t);
}

/* ---- going on and back
 * --------------------------------------------------------------------------------------------------------- */

/* A loop of one hart: x28 counts, and is stored 1 MiB behind, from 0x80000000 on: auipc, then addi, sd, ld and the jump. */
static struct machine *loop(void)
{
    struct guest g = {.n = 0};
    auipc(&g, T1, 0x100);
    unsigned top = g.n;
    addi(&g, T3, T3, 1);
    sd(&g, T3, 0, T1);
    ld(&g, T2, 0, T1);
    jump(&g, top);
    return guest_machine(&g, &(struct machine_config){.harts = 1});
}

static uint64_t reg(struct talk *t, const char *name)
{
    uint64_t v = 0;
    assert_true(machine_get_reg(t->m, 0, name, &v));
    return v;
}

static void points_stop_with_their_reasons(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, loop());
    want_begins(&t, "qSupported:swbreak+;hwbreak+;xmlRegisters=i386", "PacketSize=");
    want_begins(&t, "?", "T05thread:1;core:0;");
    want(&t, "Z0,80000004,4", "OK");
    want(&t, "Z0,80000004,4", "OK"); /* twice is once */
    want_begins(&t, "vCont;c", "T05thread:1;core:0;swbreak:;20:0400008000000000;");
    want_begins(&t, "vCont;s:1", "T05thread:1;core:0;20:0800008000000000;");
    want_begins(&t, "c", "T05thread:1;core:0;swbreak:;");
    want(&t, "z0,80000004,4", "OK");
    want(&t, "Z1,8000000c,4", "OK");
    want_begins(&t, "vCont;s:1;c", "T05thread:1;core:0;20:0800008000000000;");
    want_begins(&t, "vCont;c", "T05thread:1;core:0;hwbreak:;20:0c00008000000000;");
    want(&t, "z1,8000000c,4", "OK");
    want(&t, "Z2,80100000,8", "OK");
    want_begins(&t, "vCont;c", "T05thread:1;core:0;watch:80100000;20:0800008000000000;");
    assert_non_null(strstr((const char *)t.said.data, "becomes 0x3"));
    want_begins(&t, "vCont;c", "T05thread:1;core:0;watch:80100000;");
    assert_int_equal(reg(&t, "x28"), 4);
    want(&t, "z2,80100000,8", "OK");
    want(&t, "Z3,80100004,1", "OK");
    want_begins(&t, "vCont;c", "T05thread:1;core:0;rwatch:80100004;20:0c00008000000000;");
    want(&t, "z3,80100004,1", "OK");
    want(&t, "Z4,80100000,1", "OK");
    want_begins(&t, "vCont;c", "T05thread:1;core:0;awatch:80100000;20:0800008000000000;");
    want(&t, "z4,80100000,1", "OK");
    want_begins(&t, "vCont;r80000004,80000010:1", "T05thread:1;core:0;20:1000008000000000;");
    end(&t);
}

static void it_goes_back(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, loop());
    want(&t, "Z0,80000010,4", "OK");
    for (unsigned i = 0; i < 5; i++)
        ask(&t, "vCont;c");
    assert_int_equal(reg(&t, "x28"), 5);
    uint64_t digest = machine_digest(t.m);
    want_begins(&t, "bs", "T05thread:1;core:0;20:0c00008000000000;");
    want_begins(&t, "bc", "T05thread:1;");
    assert_int_equal(reg(&t, "x28"), 4);
    want_begins(&t, "bc", "T05thread:1;");
    assert_int_equal(reg(&t, "x28"), 3);
    want(&t, "z0,80000010,4", "OK");
    want(&t, "Z2,80100000,8", "OK");
    want_begins(&t, "bc", "T05thread:1;core:0;watch:80100000;20:0c00008000000000;"); /* before the store of 3 is undone */
    want(&t, "m80100000,8", "0300000000000000");
    want_begins(&t, "bs", "T05thread:1;core:0;20:0800008000000000;");
    want(&t, "m80100000,8", "0200000000000000");
    want(&t, "z2,80100000,8", "OK");
    want_begins(&t, "bc", "T05thread:1;core:0;replaylog:begin;");
    assert_int_equal(machine_cycle(t.m), 0);
    want(&t, "Z0,80000010,4", "OK");
    for (unsigned i = 0; i < 5; i++)
        ask(&t, "vCont;c");
    assert_true(machine_digest(t.m) == digest);
    ask(&t, "bc");
    want(&t, "P1c=6400000000000000", "OK"); /* another past from here on */
    ask(&t, "vCont;s:1");
    ask(&t, "vCont;c");
    assert_int_equal(reg(&t, "x28"), 0x65);
    ask(&t, "vCont;s:1");
    ask(&t, "bs");
    assert_int_equal(reg(&t, "x28"), 0x65);
    end(&t);
}

static void ctrl_c_stops(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, loop());
    give(&t, "vCont;c", 7);
    gdb_go(t.g, 1000);
    assert_int_equal(gdb_state(t.g), GDB_RUNNING);
    assert_string_equal(take(&t), "");
    give(&t, "qC", 2); /* not now */
    gdb_receive(t.g, "\x03", 1);
    gdb_go(t.g, 1000);
    assert_int_equal(strncmp(take(&t), "T02thread:1;", 12), 0);
    assert_int_equal(gdb_state(t.g), GDB_STOPPED);
    gdb_receive(t.g, "\x03", 1); /* nothing runs */
    assert_string_equal(take(&t), "");
    give(&t, "vCont;c", 7);
    give(&t, "vCtrlC", 6);
    assert_string_equal(take(&t), "OK");
    gdb_go(t.g, 1000);
    assert_int_equal(strncmp(take(&t), "T02", 3), 0);
    end(&t);
}

static void traps_are_caught_and_monitored(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, rom("journey.elf", 1));
    struct machine *plain = machine_fork(t.m);
    machine_run(plain, 1000000);
    says(&t, "catch trap load-page", "load page fault");
    says(&t, "catch trap all", "trap all");
    says(&t, "catch trap nonsense", "is no cause");
    says(&t, "catch frob", "what is caught is");
    unsigned traps = 0;
    uint64_t first = 0;
    while (!strncmp(ask(&t, "vCont;c"), "T05", 3) && traps < 100) {
        assert_non_null(strstr((const char *)t.said.data, " -> "));
        first = traps++ ? first : machine_cycle(t.m);
        if (traps == 2) {
            want_begins(&t, "bc", "T05");
            assert_true(machine_cycle(t.m) == first);
            says(&t, "why", "environment call from VS");
            assert_true(machine_cycle(t.m) == first);
            assert_true(strncmp(ask(&t, "vCont;c"), "T05", 3) == 0);
        }
    }
    assert_int_equal(traps, 2);
    int code;
    assert_true(gdb_exited(t.g, &code));
    assert_int_equal(t.reply.data[0], 'W');
    assert_true(machine_digest(t.m) == machine_digest(plain)); /* a debugged run is the plain run */
    says(&t, "reset", "cycle 0");
    says(&t, "catch off", "nothing is caught");
    says(&t, "catch exit", "exit");
    want_begins(&t, "vRun;", "T05thread:1;");
    want_begins(&t, "vCont;c", "T05");
    want_begins(&t, "vCont;c", "W");
    machine_free(plain);
    end(&t);
}

static void commands_answer(void **state)
{
    (void)state;
    struct talk t;
    begin(&t, rom("test-atomics.elf", 2));
    says(&t, "help", "physical");
    says(&t, "help catch", "catch ");
    says(&t, "help frob", "no such command");
    says(&t, "frob", "no such command");
    says(&t, "", "");
    says(&t, "where", "* hart 0: M, pc 0x1000");
    says(&t, "hart 1", "* hart 1:");
    says(&t, "hart 5", "no such hart");
    says(&t, "regs mstatus", "MPP");
    says(&t, "regs", "x10");
    says(&t, "regs all", "hgatp");
    says(&t, "regs frob", "no such register");
    says(&t, "set a0 0x1234", "0x0000000000001234");
    says(&t, "set frob 1", "no such register");
    says(&t, "mem 0x80000000 4", "0x80000000:");
    says(&t, "mem phys:0x80000000 4", "0x80000000:");
    says(&t, "mem 0x10000000 4", "-- -- -- --");
    says(&t, "mem frob", "an address");
    says(&t, "walk 0x80000000", "is physical 0x80000000");
    says(&t, "walk frob", "no address");
    says(&t, "physical on", "on");
    want(&t, "qqemu.PhyMemMode", "1");
    want(&t, "Qqemu.PhyMemMode:0", "OK");
    says(&t, "physical maybe", "on or off");
    says(&t, "interrupts into", "into");
    says(&t, "interrupts through", "over them");
    says(&t, "trace on", "on");
    says(&t, "inject mtip", "done");
    says(&t, "inject frob", "frob");
    says(&t, "seek 100", "cycle 100");
    says(&t, "back 3", "hart 1 M 0x");
    says(&t, "where", "in the past");
    says(&t, "set mstatus.MPP 1", "MPP=1");
    says(&t, "regs mstatus.mpp", "MPP          0x1");
    says(&t, "set mstatus.frob 1", "no such register or field");
    says(&t, "regs mstatus.frob", "no such register, field");
    says(&t, "set stvec 0x80000003", "0x0000000080000000"); /* legalised: the mode is reserved */
    says(&t, "step 2", "maintenance flush register-cache");
    says(&t, "next", "no trap in M");
    says(&t, "list", "=> 0x");
    says(&t, "over", "hart 1 M");
    says(&t, "run frob", "nowhere to go");
    says(&t, "break 0x80000000", "no such command"); /* GDB's own */
    says(&t, "quit", "no such command");
    says(&t, "seek x", "no cycle");
    says(&t, "history", "snapshots");
    says(&t, "digest", "at cycle");
    says(&t, "why", "has taken no trap");
    says(&t, "reset", "cycle 0");
    end(&t);
}

static void harts_are_threads(void **state)
{
    (void)state;
    struct talk t;
    struct buf xml = {0};
    begin(&t, rom("test-atomics.elf", 4));
    want(&t, "qfThreadInfo", "m1,2,3,4");
    want(&t, "qsThreadInfo", "l");
    want(&t, "T4", "OK");
    want_begins(&t, "T5", "E");
    want(&t, "qThreadExtraInfo,2", "4d2c2072756e73"); /* M, runs */
    object(&t, "threads:read::", &xml);
    assert_int_equal(count_of((const char *)xml.data, "<thread "), 4);
    xml.len = 0;
    object(&t, "memory-map:read::", &xml);
    assert_int_equal(count_of((const char *)xml.data, "<memory "), 1);
    want_begins(&t, "vCont;s:3", "T05thread:3;core:2;");
    uint64_t pc;
    assert_true(machine_get_reg(t.m, 2, "pc", &pc) && pc == 0x1004);
    want_begins(&t, "vCont;c:1;s:2", "T05thread:2;");
    want(&t, "D", "OK");
    assert_int_equal(gdb_state(t.g), GDB_DETACHED);
    buf_free(&xml);
    end(&t);
}

/* How many of so many steps end in the handler of interrupts, behind its first instruction. */
static unsigned steps_into_handler(struct talk *t, unsigned steps)
{
    unsigned n = 0;
    for (unsigned i = 0; i < steps; i++) {
        want_begins(t, "vCont;s:1", "T05thread:1;");
        n += reg(t, "pc") == reg(t, "mtvec") + 4;
    }
    return n;
}

static void steps_go_over_interrupts_or_into_them(void **state)
{
    (void)state;
    struct guest g = busy_guest(1);
    struct talk t;
    begin(&t, guest_machine(&g, NULL));
    struct machine *plain = machine_fork(t.m);
    assert_int_equal(steps_into_handler(&t, 6000), 0);
    says(&t, "interrupts into", "into");
    assert_true(steps_into_handler(&t, 6000) > 2);
    machine_run(plain, machine_cycle(t.m));
    assert_true(machine_digest(plain) == machine_digest(t.m));
    machine_free(plain);
    end(&t);
}

/* With any stops and steps, back and forth, it comes to the same end. */
static void debugging_never_changes_the_run(void **state)
{
    (void)state;
    static const char *const roms[] = {"test-wakeups.elf", "test-atomics.elf", "journey.elf", "journey-a64.elf"};
    for (unsigned i = 0; i < sizeof roms / sizeof roms[0]; i++) {
        struct talk t;
        begin(&t, rom(roms[i], i < 2 ? 3 : 1));
        struct machine *plain = machine_fork(t.m);
        says(&t, "catch trap irq", "irq");
        says(&t, "trace on", "on");
        want(&t, "Z2,80001000,800", "OK");
        for (unsigned k = 0; k < 60 && gdb_state(t.g) == GDB_STOPPED; k++) {
            static const char *const moves[] = {"vCont;s:1;c", "vCont;s:1", "bs", "vCont;c", "bs", "monitor"};
            const char *move = moves[k % 6];
            char point[40];
            snprintf(point, sizeof point, "Z%u,%llx,4", k & 1, (unsigned long long)reg(&t, "pc"));
            want(&t, point, "OK");
            if (!strcmp(move, "monitor"))
                says(&t, k % 12 == 5 ? "seek 3000" : "seek 500", "cycle");
            else
                ask(&t, move);
        }
        for (unsigned k = 0; k < 200 && gdb_state(t.g) == GDB_STOPPED && machine_cycle(t.m) < 20000; k++)
            ask(&t, "vCont;c"); /* by way of the breakpoints */
        says(&t, "seek 20000", "cycle");
        uint64_t cycle = machine_cycle(t.m);
        machine_run(plain, cycle);
        assert_true(machine_cycle(plain) == cycle);
        assert_true(machine_digest(plain) == machine_digest(t.m));
        machine_free(plain);
        end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_acknowledged_and_sent_again),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(riscv_registers_are_described),
        cmocka_unit_test(arm_registers_are_described),
        cmocka_unit_test(memory_is_read_and_written),
        cmocka_unit_test(points_stop_with_their_reasons),
        cmocka_unit_test(it_goes_back),
        cmocka_unit_test(ctrl_c_stops),
        cmocka_unit_test(traps_are_caught_and_monitored),
        cmocka_unit_test(commands_answer),
        cmocka_unit_test(harts_are_threads),
        cmocka_unit_test(steps_go_over_interrupts_or_into_them),
        cmocka_unit_test(debugging_never_changes_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
