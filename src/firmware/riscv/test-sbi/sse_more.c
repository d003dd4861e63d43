/* Supervisor software events: priorities and preemption, the sources, other harts, global events. */
#include "test.h"

static struct slot slot[4];

static void unmask(void) { EXPECT("sse-unmask", OK, SSE, HART_UNMASK); }
static void mask(void) { EXPECT("sse-mask", OK, SSE, HART_MASK); }

static void enable(uint i, ulong event, ulong priority, void (*fn)(struct slot *s))
{
    CHECK_EQ("sse-priority", attr_write(event, A_PRIORITY, priority), OK);
    CHECK_EQ("sse-register", slot_register(&slot[i], event, fn), OK);
    EXPECT("sse-enable", OK, SSE, ENABLE, event);
}

static void inject(ulong event) { EXPECT("sse-inject", OK, SSE, INJECT, event, found.hart); }
static void remove_all(uint n)
{
    for (uint i = 0; i < n; i++) {
        slot_remove(slot[i].event);
        attr_write(slot[i].event, A_PRIORITY, 0);
    }
}

/* ---- priorities ------------------------------------------------------------------------------------------------------ */

static ulong low_count, high_count; /* how often slot 0 and 1 had run when the handler went on */

static void inject_higher(struct slot *s)
{
    (void)s;
    inject(slot[1].event);
    high_count = slot[1].count; /* it has preempted this handler */
    CHECK_EQ("preempted-status", attr_read(slot[0].event, A_STATUS), RUNNING | INJECTABLE);
    CHECK_EQ("preempting-status", attr_read(slot[1].event, A_STATUS), ENABLED | INJECTABLE);
}

static void inject_lower(struct slot *s)
{
    inject(slot[0].event);
    low_count = slot[0].count; /* it has not */
    CHECK_EQ("waiting-status", attr_read(slot[0].event, A_STATUS), ENABLED | PENDING | INJECTABLE);
    if (s->count == 1)
        inject(s->event); /* itself: again when it has completed */
    CHECK_EQ("again-status", attr_read(s->event, A_STATUS), RUNNING | INJECTABLE | (s->count == 1 ? PENDING : 0));
}

static void checks_interrupted(struct slot *s)
{
    /* Preempted is slot 0's handler: in S, with SIE 0 and its own sepc. */
    CHECK_EQ("preempt-context", s->sstatus >> 8 & 1, 1);
    CHECK_EQ("preempt-context", attr_read(s->event, A_SEPC), slot[0].sepc);
}

static void preemption(ulong low, ulong low_priority, ulong high, ulong high_priority)
{
    enable(0, low, low_priority, inject_higher);
    enable(1, high, high_priority, checks_interrupted);
    inject(low);
    CHECK_EQ("preempt", slot[0].count, 1);
    CHECK_EQ("preempt", slot[1].count, 1);
    CHECK_EQ("preempt", high_count, 1);
    remove_all(2);
    enable(0, low, low_priority, NULL);
    enable(1, high, high_priority, inject_lower);
    inject(high);
    CHECK_EQ("no-preempt", low_count, 0);
    CHECK_EQ("no-preempt", slot[0].count, 1);
    CHECK_EQ("no-preempt", slot[1].count, 2);
    CHECK("no-preempt", slot[0].order > slot[1].order);
    remove_all(2);
}

static ulong chain;
static void three_deep(struct slot *s)
{
    uint me = (uint)(s - slot);
    chain = chain * 10 + me + 1;
    if (me < 3)
        inject(slot[me + 1].event);
    chain = chain * 10 + me + 1;
}

void test_sse_priorities(void)
{
    unmask();
    preemption(EV_SOFTWARE, 5, EV_RAS_LOW, 4);
    preemption(EV_RAS_LOW, 0xffffffff, EV_SOFTWARE, 0x80000000);
    preemption(EV_SOFTWARE, 3, EV_RAS_LOW, 3); /* the lower event_id */
    preemption(EV_G_SOFTWARE, 1, EV_SOFTWARE, 0);
    preemption(EV_RAS_HIGH, 1, EV_G_SOFTWARE, 0);
    preemption(EV_G_SOFTWARE, 0, EV_RAS_HIGH, 0);
    mask();
    /* Several that wait: by priority, then by event_id. */
    enable(0, EV_SOFTWARE, 7, NULL);
    enable(1, EV_RAS_HIGH, 8, NULL);
    enable(2, EV_PLATFORM, 7, NULL);
    enable(3, EV_G_SOFTWARE, 6, NULL);
    for (uint i = 0; i < 4; i++)
        inject(slot[i].event);
    unmask();
    CHECK("order", slot[3].order < slot[2].order && slot[2].order < slot[0].order && slot[0].order < slot[1].order);
    for (uint i = 0; i < 4; i++)
        CHECK_EQ("order", slot[i].count, 1);
    remove_all(4);
    /* Handlers in handlers. */
    enable(0, EV_SOFTWARE, 9, three_deep);
    enable(1, EV_RAS_LOW, 8, three_deep);
    enable(2, EV_G_SOFTWARE, 7, three_deep);
    enable(3, EV_PLATFORM, 6, three_deep);
    inject(EV_SOFTWARE);
    CHECK_EQ("nesting", chain, 12344321);
    remove_all(4);
    mask();
}

/* ---- sources --------------------------------------------------------------------------------------------------------- */

static void wait_count(uint i, ulong n)
{
    for (uint k = 0; k < 20000 && slot[i].count != n; k++)
        ;
    CHECK_EQ("source", slot[i].count, n);
}

static void platform(void)
{
    enable(0, EV_PLATFORM, 0, NULL);
    for (ulong n = 1; n <= 3; n++) {
        injector_arm(found.hart, 20);
        wait_count(0, n);
    }
    /* Disabled: the line waits; enabled: it comes. */
    EXPECT("sse-disable", OK, SSE, DISABLE, EV_PLATFORM);
    injector_arm(found.hart, 1);
    wait_count(0, 3);
    EXPECT("sse-enable", OK, SSE, ENABLE, EV_PLATFORM);
    wait_count(0, 4);
    remove_all(1);
}

static ulong overflown;
static void on_overflow(struct slot *s)
{
    overflown = READ(0xda0);
    EXPECT("pmu-stop", OK, PMU, 4, 3, 1, 0);
    (void)s;
}

static void overflow(void)
{
    const ulong lcofi = 1 << 13;
    CHECK_EQ("pmu-config", CALL(PMU, 2, 3, 1, 2, 2, 0, 0).value, 3); /* instructions by counter 3 */
    enable(0, EV_PMU, 0, on_overflow);
    SET(sie, lcofi);
    CHECK_EQ("pmu-delegation", READ(sie) & lcofi, 0);
    for (ulong n = 1; n <= 3; n++) {
        EXPECT("pmu-start", OK, PMU, 3, 3, 1, 1, -300l, -1l);
        wait_count(0, n);
        CHECK_EQ("pmu-overflow-bit", overflown, 1 << 3);
    }
    EXPECT("pmu-reset", ALREADY_STOPPED, PMU, 4, 3, 1, 1);
    remove_all(1);
    SET(sie, lcofi); /* S has it back */
    CHECK_EQ("pmu-delegation", READ(sie) & lcofi, lcofi);
    CLEAR(sie, lcofi);
}

static ulong double_flags, double_pc;
static void on_double_trap(struct slot *s)
{
    void after_double_trap(void);
    double_flags = attr_read(s->event, A_FLAGS);
    double_pc = s->sepc;
    WRITE(sepc, after_double_trap);
}

static void double_trap(void)
{
    struct trapped *t = my_trapped();
    ulong stvec = READ(stvec), pc;
    EXPECT("fwft", OK, FWFT, 0, 3, 1, 0);
    enable(0, EV_DOUBLE_TRAP, 0, on_double_trap);
    enable(1, EV_PLATFORM, 1, NULL); /* takes no part */
    (void)t;
    /* The vector is an illegal instruction, which M would pass on; and an ebreak, which the hart delivers itself. */
    __asm__ volatile("la %0, 2f\n csrw stvec, %0\n ebreak\n j 3f\n .balign 4\n2: .word 0xffffffff\n .balign 4\n"
                     ".globl after_double_trap\nafter_double_trap:\n3:"
                     : "=&r"(pc)
                     :
                     : "memory", "ra", "t0", "t1", "t2", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7");
    CHECK_EQ("double-trap", slot[0].count, 1);
    CHECK_EQ("double-trap-sepc", double_pc, pc);
    CHECK_EQ("double-trap-flags", double_flags & 32, 32);
    CHECK_EQ("double-trap-sdt", READ(sstatus) >> 24 & 1, 1); /* it still is the trap handler that goes on */
    CLEAR(sstatus, 1 << 24);
    WRITE(stvec, stvec);
    remove_all(2);
    EXPECT("fwft", OK, FWFT, 0, 3, 0, 0);
}

/* Where tests/rom/sbi.sh makes hardware errors; without one these do nothing. */
__asm__(".balign 4\n"
        ".globl ras_unwanted\nras_unwanted:\n nop\n jr t2\n"
        ".globl ras_wanted\nras_wanted:\n nop\n jr t2\n");
extern char ras_unwanted[], ras_wanted[];

/* A hardware error is an exception of S, until somebody wants it as an event; also one in the middle of the firmware. */
static void hardware_errors(void)
{
    ulong exceptions, events;
    ATTEMPT("jal t2, ras_unwanted", , );
    exceptions = my_trapped()->cause == 19;
    if (exceptions)
        CHECK_EQ("ras", my_trapped()->epc, ras_unwanted);
    enable(0, EV_RAS_HIGH, 0, NULL);
    ATTEMPT("jal t2, ras_wanted", , );
    events = slot[0].count;
    if (events)
        CHECK_EQ("ras", slot[0].sepc, ras_wanted);
    EXPECT("susp", INVALID_PARAM, SUSP, 0, 1, 0, 0);
    remove_all(1);
    print("hardware errors: ");
    print_hex(exceptions);
    print(" as an exception, ");
    print_hex(events);
    print(" as an event, ");
    print_hex(slot[0].count - events);
    print(" in the firmware\n");
}

void test_sse_sources(void)
{
    unmask();
    platform();
    if (found.sscofpmf && firmware_counters() > 3)
        overflow();
    if (CALL(FWFT, 1, 3).error == OK)
        double_trap();
    hardware_errors();
    mask();
}

/* ---- other harts ------------------------------------------------------------------------------------------------------ */

static struct slot remote[2]; /* of the other hart */
static volatile ulong ran_on;

static void note_hart(struct slot *s) { ran_on = s->x[16]; }

static void remote_enable(ulong arg)
{
    (void)arg;
    CHECK_EQ("remote", slot_register(&remote[0], EV_SOFTWARE, note_hart), OK);
    EXPECT("remote", OK, SSE, ENABLE, EV_SOFTWARE);
    EXPECT("remote", OK, SSE, HART_UNMASK);
}

static void remote_wait(ulong n)
{
    while (*(volatile ulong *)&remote[0].count < n)
        ;
}

static void remote_mask(ulong yes) { EXPECT("remote-mask", OK, SSE, yes ? HART_MASK : HART_UNMASK); }

static void check_forgotten(ulong arg)
{
    (void)arg;
    CHECK_EQ("remote-stopped", attr_read(EV_SOFTWARE, A_STATUS), UNUSED | INJECTABLE);
    CHECK_EQ("remote-stopped", attr_read(EV_SOFTWARE, A_PC), 0);
    EXPECT("remote-stopped", ALREADY_STOPPED, SSE, HART_MASK);
}

static void wait_ran_on(const char *name, ulong hart)
{
    for (uint k = 0; k < 100000 && ran_on != hart; k++)
        ;
    CHECK_EQ(name, ran_on, hart);
}

static void read_preferred(ulong hart) { CHECK_EQ("preferred-local", attr_read(EV_SOFTWARE, A_PREFERRED), hart); }
static volatile ulong attr_result;
static void write_flags(ulong event) { attr_result = (ulong)attr_write(event, A_FLAGS, 0); }

static ulong other_hart;
static void write_by_other(struct slot *s)
{
    note_hart(s);
    on_hart(other_hart, write_flags, s->event);
}

static void global_events(ulong other)
{
    EXPECT("global", OK, SSE, HART_UNMASK);
    /* Known to both harts, run by the preferred one. */
    CHECK_EQ("global", attr_write(EV_G_SOFTWARE, A_PREFERRED, other), OK);
    CHECK_EQ("global", slot_register(&slot[0], EV_G_SOFTWARE, note_hart), OK);
    EXPECT("global", OK, SSE, ENABLE, EV_G_SOFTWARE);
    CHECK_EQ("global", attr_write(EV_G_SOFTWARE, A_PREFERRED, found.hart), INVALID_STATE);
    on_hart(other, remote_mask, 0);
    ran_on = 99;
    EXPECT("global", OK, SSE, INJECT, EV_G_SOFTWARE, 77); /* hart_id does not matter */
    wait_ran_on("global-preferred", other);
    /* That one is masked: it waits. */
    on_hart(other, remote_mask, 1);
    ran_on = 99;
    EXPECT("global", OK, SSE, INJECT, EV_G_SOFTWARE, 0);
    CHECK_EQ("global-wait", attr_read(EV_G_SOFTWARE, A_STATUS), ENABLED | PENDING | INJECTABLE);
    CHECK_EQ("global-wait", ran_on, 99);
    on_hart(other, remote_mask, 0);
    wait_ran_on("global-wait", other);
    on_hart(other, remote_mask, 1);
    /* That one is stopped: another takes it, also what was waiting. */
    EXPECT("global", OK, SSE, INJECT, EV_G_SOFTWARE, 0);
    ran_on = 99;
    stop_hart_soon(other);
    wait_ran_on("global-stopped", found.hart); /* without a call, which would look for it */
    while (CALL(HSM, 2, other).value != 1)
        ;
    ran_on = 99;
    EXPECT("global", OK, SSE, INJECT, EV_G_SOFTWARE, 0);
    CHECK_EQ("global-stopped", ran_on, found.hart);
    start_hart(other);
    /* Only the hart that runs it may change what it interrupted. */
    EXPECT("global", OK, SSE, DISABLE, EV_G_SOFTWARE);
    CHECK_EQ("global", attr_write(EV_G_SOFTWARE, A_PREFERRED, found.hart), OK);
    EXPECT("global", OK, SSE, ENABLE, EV_G_SOFTWARE);
    slot[0].fn = write_by_other;
    EXPECT("global", OK, SSE, INJECT, EV_G_SOFTWARE, 0);
    CHECK_EQ("global-attr", attr_result, INVALID_STATE);
    slot_remove(EV_G_SOFTWARE);
    mask();
}

/* hart 1 is started when this begins (test_harts). */
void test_sse_harts(void)
{
    ulong other = 0;
    while (other < 8 && (other == found.hart || !(found.harts >> other & 1)))
        other++;
    if (other == 8)
        return;
    other_hart = other;
    EXPECT("inject-refusal", FAILED, SSE, INJECT, EV_SOFTWARE, other); /* nothing is enabled there */
    on_hart(other, remote_enable, 0);
    on_hart(other, read_preferred, other);
    CHECK_EQ("remote", attr_read(EV_SOFTWARE, A_STATUS), UNUSED | INJECTABLE); /* here it is not */
    for (ulong n = 1; n <= 20; n++) {
        ran_on = 99;
        EXPECT("remote", OK, SSE, INJECT, EV_SOFTWARE, other);
        remote_wait(n);
        wait_ran_on("remote", other);
    }
    CHECK_EQ("remote", remote[0].x[16], other);
    /* Masked there: it waits. */
    on_hart(other, remote_mask, 1);
    EXPECT("remote", OK, SSE, INJECT, EV_SOFTWARE, other);
    CHECK_EQ("remote-masked", remote[0].count, 20);
    on_hart(other, remote_mask, 0);
    remote_wait(21);
    /* A hart that stops forgets its events. */
    stop_hart(other);
    EXPECT("inject-refusal", FAILED, SSE, INJECT, EV_SOFTWARE, other);
    start_hart(other);
    on_hart(other, check_forgotten, 0);
    global_events(other);
}
