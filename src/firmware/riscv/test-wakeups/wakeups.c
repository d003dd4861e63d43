/* What ends wfi and wrs: timers, software interrupts of other harts, with interrupts on and off, in M and in S. */
#include "common/test.h"

#define MSIP(hart) (*(volatile uint *)(0x2000000ul + 4 * (hart)))
enum { MSIE = 1 << 3, STIE = 1 << 5, MTIE = 1 << 7 };
#define MIE_BIT 8ul

static ulong now(void) { return *(volatile uint *)0x200bff8ul; /* the low half will do */ }

static void timer_in(ulong ticks)
{
    volatile uint *cmp = (volatile uint *)(0x2004000ul + 8 * READ(mhartid));
    ulong at = now() + ticks;
    cmp[1] = ~0u;
    cmp[0] = (uint)at;
    cmp[1] = 0;
}

static void no_timer(void) { ((volatile uint *)(0x2004000ul + 8 * READ(mhartid)))[1] = ~0u; }

/* Interrupts off in mstatus: wfi goes on behind itself when one is pending and enabled in mie. */
static void a_timer_ends_wfi_without_a_trap(void)
{
    for (ulong ticks = 1; ticks < 200; ticks += 13) {
        CLEAR(mstatus, MIE_BIT);
        WRITE(mie, MTIE);
        ulong from = now();
        timer_in(ticks);
        __asm__ volatile("wfi" ::: "memory");
        CHECK(now() - from >= ticks);
        CHECK(now() - from < ticks + 20);
        CHECK(READ(mip) & MTIE);
        __asm__ volatile("wfi"); /* still pending: no wait */
        no_timer();
        CHECK(!(READ(mip) & MTIE));
    }
}

static void a_timer_traps_behind_wfi(void)
{
    for (ulong ticks = 1; ticks < 100; ticks += 13) {
        ulong at = 0;
        WRITE(mie, MTIE);
        timer_in(ticks + 10);
        /* Loops, because wfi may end for no reason. */
        ATTEMPT("la %[at], 1f\ncsrsi mstatus, 8\n.balign 4\n0: wfi\n1: j 0b", OUT([at] "+&r"(at)), );
        CHECK_EQ(MY_TRAP->cause, INTERRUPT | 7);
        CHECK_EQ(MY_TRAP->epc, at);
        no_timer();
    }
}

/* Software interrupts go round: each hart waits for its turn, then wakes the next. */
static volatile uint visits[8], present;

static void wait_for_turn(void)
{
    while (!(READ(mip) & MSIE))
        __asm__ volatile("wfi" ::: "memory");
    MSIP(READ(mhartid)) = 0;
    CHECK(!(READ(mip) & MSIE));
}

void test_other(ulong hart)
{
    CLEAR(mstatus, MIE_BIT);
    WRITE(mie, MSIE);
    __asm__ volatile("amoadd.w zero, %1, (%0)" ::"r"(&present), "r"(1) : "memory");
    for (;;) {
        wait_for_turn();
        visits[hart]++;
        ulong next = hart == present ? 0 : hart + 1;
        MSIP(next) = 1;
    }
}

static void software_interrupts_go_round(void)
{
    CLEAR(mstatus, MIE_BIT);
    WRITE(mie, MTIE);
    timer_in(100);
    __asm__ volatile("wfi");
    no_timer();
    WRITE(mie, MSIE);
    uint others = present;
    if (!others)
        return;
    for (uint round = 1; round <= 100; round++) {
        MSIP(1) = 1;
        wait_for_turn();
        for (uint i = 1; i <= others; i++)
            CHECK_EQ(visits[i], round);
    }
    /* And as a trap. */
    ulong at = 0;
    MSIP(1) = 1;
    ATTEMPT("la %[at], 1f\ncsrsi mstatus, 8\n.balign 4\n0: wfi\n1: j 0b", OUT([at] "+&r"(at)), );
    CHECK_EQ(MY_TRAP->cause, INTERRUPT | 3);
    MSIP(0) = 0;
}

/* ---- in S -------------------------------------------------------------------------------------------------------- */

static ulong wait_in_s(ulong ticks)
{
    ulong from = READ(time);
    CLEAR(sstatus, 2); /* SIE */
    WRITE(sie, STIE);
#if __riscv_xlen == 64
    __asm__ volatile("csrw 0x14d, %0" ::"r"(from + ticks)); /* stimecmp */
#else
    __asm__ volatile("csrw 0x15d, zero\ncsrw 0x14d, %0" ::"r"(from + ticks));
#endif
    while (!(READ(sip) & STIE))
        __asm__ volatile("wfi");
    return READ(time) - from;
}

static ulong only_wfi(ulong arg)
{
    __asm__ volatile("wfi");
    return arg;
}

static void supervisor_timers(void)
{
#if __riscv_xlen == 64
    SET(menvcfg, 1ul << 63); /* STCE */
#else
    SET(0x31a, 1ul << 31);
#endif
    WRITE(mcounteren, 7);
    WRITE(mideleg, 0x222);
    WRITE(mie, 0);
    for (ulong ticks = 1; ticks < 100; ticks += 17) {
        ulong took = call_mode(MODE_S, wait_in_s, ticks);
        CHECK_EQ(MY_TRAP->cause, 9);
        CHECK(took >= ticks && took < ticks + 20);
    }
    SET(mstatus, 1ul << 21); /* TW: wfi below M is illegal (its time limit is 0) */
    (void)call_mode(MODE_S, only_wfi, 0);
    CHECK_EQ(MY_TRAP->cause, 2);
    WRITE(mie, 0); /* in U the timer interrupt would be taken to S */
    (void)call_mode(MODE_U, only_wfi, 0);
    CHECK_EQ(MY_TRAP->cause, 2);
    WRITE(mie, STIE);
    CLEAR(mstatus, 1ul << 21);
    CHECK_EQ(call_mode(MODE_S, only_wfi, 5), 5); /* pending all the time */
}

/* wrs.nto and wrs.sto (by number: 0x00d00073, 0x01d00073) end in any case; the loop around them sees the store. */
static void waiting_on_reservations(void)
{
    static volatile uint cell;
    WRITE(mie, MTIE);
    timer_in(50);
    uint v;
    __asm__ volatile("1: lr.w %0, (%1)\nbnez %0, 2f\n.word 0x01d00073\ncsrr %0, mip\nandi %0, %0, 128\nbeqz %0, 1b\n2:"
                     : "=&r"(v)
                     : "r"(&cell)
                     : "memory");
    CHECK(v);
    no_timer();
    cell = 1;
    __asm__ volatile("lr.w %0, (%1)\n.word 0x00d00073" : "=&r"(v) : "r"(&cell) : "memory");
    CHECK_EQ(v, 1);
}

void test_main(void)
{
    open_pmp();
    no_timer();
    a_timer_ends_wfi_without_a_trap();
    a_timer_traps_behind_wfi();
    software_interrupts_go_round();
    supervisor_timers();
    waiting_on_reservations();
    put_text("wakeups: all checks hold\n");
}
