/* More than one hart: HSM, IPI, RFENCE; and sleeping: HSM suspend, SUSP. With one hart, the calls on itself. */
#include "test.h"

extern char other_start[], resume_entry[];
enum { STARTED, STOPPED };
#define BAD_HART 77

/* ---- HSM ------------------------------------------------------------------------------------------------------------- */

static void wait_for(ulong hart, ulong state)
{
    while (CALL(HSM, 2, hart).value != state)
        ;
}

static void stop_self(ulong arg)
{
    (void)arg;
    CALL(HSM, 1);
}

/* on_hart would wait for an end that does not come. */
void stop_hart_soon(ulong hart) { on_hart_no_wait(hart, stop_self, 0); }

void stop_hart(ulong hart)
{
    stop_hart_soon(hart);
    wait_for(hart, STOPPED);
}

void start_hart(ulong hart)
{
    EXPECT("hsm", OK, HSM, 0, hart, other_start, 0x5a5a);
    EXPECT("hsm", ALREADY_AVAILABLE, HSM, 0, hart, other_start, 0);
    wait_for(hart, STARTED);
}

/* Where a hart resumes or starts that notes what it got: goes on behind the call that it slept in. */
__asm__(".balign 4\n"
        ".globl resume_entry\n"
        "resume_entry:\n"
        "    la t0, resumed_regs\n"
        "    " REG_S "a0, (t0)\n"
        "    " REG_S "a1, " REG_B "(t0)\n"
        "    csrr t1, satp\n"
        "    " REG_S "t1, 2*" REG_B "(t0)\n"
        "    csrr t1, sstatus\n"
        "    " REG_S "t1, 3*" REG_B "(t0)\n"
        "    csrr t1, sscratch\n" /* struct trapped: resume, sp */
        "    " REG_L "sp, " REG_B "(t1)\n"
        "    " REG_L "t0, (t1)\n"
        "    " REG_S "zero, (t1)\n"
        "    jr t0\n"
        ".data\n.balign 8\nresumed_regs: .dword 0, 0, 0, 0\n.text\n");
extern volatile ulong resumed_regs[4];

/* A call that comes back by resume_entry. */
static void __attribute__((noinline)) sleep_call(ulong eid, ulong fid, ulong a0, ulong opaque)
{
    struct trapped *t = my_trapped();
    register ulong r0 __asm__("a0") = a0, r1 __asm__("a1") = (ulong)resume_entry, r2 __asm__("a2") = opaque;
    register ulong r6 __asm__("a6") = fid, r7 __asm__("a7") = eid;
    resumed_regs[0] = 0;
    WRITE(satp, 5); /* Bare, and something else that must become zero; SIE is set, too */
    __asm__ volatile("la t6, 1f\n" REG_S "t6, 0(%[t])\n" REG_S "sp, " REG_B "(%[t])\ncsrsi sstatus, 2\necall\n1:"
                     : "+r"(r0), "+r"(r1)
                     : [t] "r"(t), "r"(r2), "r"(r6), "r"(r7)
                     : "memory", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5", "s1", "s2", "s3", "s4", "s5",
                       "s6", "s7", "s8", "s9", "s10", "s11");
}

static void check_resumed(const char *name, ulong opaque)
{
    CHECK_EQ(name, resumed_regs[0], found.hart);
    CHECK_EQ(name, resumed_regs[1], opaque);
    CHECK_EQ(name, resumed_regs[2], 0);
    CHECK_EQ(name, resumed_regs[3] >> 1 & 1, 0);
}

static ulong other(void)
{
    for (ulong i = 0; i < 8; i++)
        if (i != found.hart && (found.harts >> i & 1))
            return i;
    return BAD_HART;
}

static void test_hsm_errors(void)
{
    EXPECT("hsm", INVALID_PARAM, HSM, 0, BAD_HART, other_start, 0);
    EXPECT("hsm", INVALID_PARAM, HSM, 2, BAD_HART);
    EXPECT("hsm", INVALID_PARAM, HSM, 2, -1ul);
    EXPECT("hsm", ALREADY_AVAILABLE, HSM, 0, found.hart, other_start, 0);
    EXPECT("hsm", INVALID_ADDRESS, HSM, 0, found.hart, 0x80000000, 0);
    EXPECT("hsm", INVALID_ADDRESS, HSM, 0, found.hart, 0x10000000, 0);
    CHECK_EQ("hsm", CALL(HSM, 2, found.hart).value, STARTED);
    EXPECT("hsm-suspend", INVALID_PARAM, HSM, 3, 1, other_start, 0);
    EXPECT("hsm-suspend", INVALID_PARAM, HSM, 3, 0x0fffffff, other_start, 0);
    EXPECT("hsm-suspend", INVALID_PARAM, HSM, 3, 0x10000000, other_start, 0);
    EXPECT("hsm-suspend", INVALID_PARAM, HSM, 3, 0x80000001, other_start, 0);
    EXPECT("hsm-suspend", INVALID_PARAM, HSM, 3, 0x90000000, other_start, 0);
    EXPECT("hsm-suspend", INVALID_ADDRESS, HSM, 3, 0x80000000, 0x80000000, 0);
}

/* A locked feature stays as it is until its hart is reset. */
static void lock_feature(ulong arg)
{
    (void)arg;
    EXPECT("fwft-lock", OK, FWFT, 0, 0, 1, 1);
    EXPECT("fwft-lock", DENIED_LOCKED, FWFT, 0, 0, 0, 0);
    EXPECT("fwft-lock", DENIED_LOCKED, FWFT, 0, 0, 0, 1);
    EXPECT("fwft-lock", INVALID_PARAM, FWFT, 0, 0, 7, 0);
    CHECK_EQ("fwft-lock", CALL(FWFT, 1, 0).value, 1);
}

static void check_unlocked(ulong arg)
{
    (void)arg;
    CHECK_EQ("fwft-reset", CALL(FWFT, 1, 0).value, 0);
    EXPECT("fwft-reset", OK, FWFT, 0, 0, 1, 0);
    EXPECT("fwft-reset", OK, FWFT, 0, 0, 0, 0);
}

/* ---- IPI and fences --------------------------------------------------------------------------------------------------- */

static void clear_ssip(ulong arg)
{
    CHECK_EQ("ipi", READ(sip) >> 1 & 1, arg);
    CLEAR(sip, 2);
}

static void test_ipi(ulong hart)
{
    EXPECT("ipi", INVALID_PARAM, IPI, 0, 1, BAD_HART);
    EXPECT("ipi", INVALID_PARAM, IPI, 0, 1ul << 9 | 1, 0);
    EXPECT("ipi", OK, IPI, 0, 0, BAD_HART); /* nobody */
    CHECK_EQ("ipi", READ(sip) & 2, 0);
    EXPECT("ipi", OK, IPI, 0, 1, found.hart);
    clear_ssip(1);
    EXPECT("ipi", OK, IPI, 0, 0, -1ul); /* all */
    CHECK_EQ("legacy", CALL(3, 0).error, 1);
    CHECK_EQ("legacy", CALL(3, 0).error, OK);
    clear_ssip(0);
    if (hart == BAD_HART)
        return;
    on_hart(hart, clear_ssip, 1);
    EXPECT("ipi", OK, IPI, 0, 1ul << hart | 1ul << found.hart, 0);
    clear_ssip(1);
    on_hart(hart, clear_ssip, 1);
    on_hart(hart, clear_ssip, 0);
}

enum { FENCES = 7 };
static const u8 received[FENCES] = {9, 11, 13, 17, 15, 21, 19}; /* the firmware events of each FID */
static ulong counter[FENCES];

static void count_fences(ulong arg)
{
    (void)arg;
    for (uint fid = 0; fid < FENCES; fid++) {
        struct sbiret r = CALL(PMU, 2, firmware_counters(), 0xffff, 6, 0xf0000 | received[fid], 0, 0);
        CHECK_EQ("rfence-count", r.error, OK);
        counter[fid] = r.value;
    }
}

static void check_fences(ulong expected)
{
    for (uint fid = 0; fid < FENCES; fid++) {
        ulong n = (found.h || fid < 3) ? expected : 0;
        CHECK_EQ("rfence-count", CALL(PMU, 5, counter[fid]).value, n);
    }
}

#define HGATP(vmid) ((ulong)(vmid) << (__riscv_xlen == 64 ? 44 : 22)) /* Bare */
static void set_hgatp(ulong vmid) { WRITE(0x680, HGATP(vmid)); }
static void check_hgatp(ulong vmid) { CHECK_EQ("rfence-hgatp", READ(0x680), HGATP(vmid)); }

static void test_rfence(ulong hart)
{
    if (hart != BAD_HART)
        on_hart(hart, count_fences, 1);
    if (found.h) {
        set_hgatp(5);
        if (hart != BAD_HART)
            on_hart(hart, set_hgatp, 6);
    }
    for (uint fid = 0; fid < FENCES; fid++) {
        EXPECT("rfence", !found.h && fid >= 3 ? NOT_SUPPORTED : INVALID_PARAM, RFENCE, fid, 1, BAD_HART, 0, 0, 0);
        if (!found.h && fid >= 3)
            continue;
        EXPECT("rfence", OK, RFENCE, fid, 0, -1ul, 0, 0, 3);
        EXPECT("rfence", OK, RFENCE, fid, 0, -1ul, 0x1000, -1ul, 3);
        EXPECT("rfence", OK, RFENCE, fid, 0, -1ul, 0x1234, 0x3000, 3);
        EXPECT("rfence", OK, RFENCE, fid, 0, -1ul, 0x1234, 0x3000000, 3);
        EXPECT("rfence", OK, RFENCE, fid, 1, found.hart, 0x1234, 0x3000, 3); /* itself alone */
        if (fid)
            EXPECT("rfence-address", INVALID_ADDRESS, RFENCE, fid, 0, -1ul, -0x1000ul, 0x2000, 3);
    }
    if (found.h) {
        check_hgatp(5);
        set_hgatp(0);
        if (hart != BAD_HART) {
            on_hart(hart, check_hgatp, 6);
            on_hart(hart, set_hgatp, 0);
        }
    }
    /* All of them were done before the calls returned. */
    if (hart != BAD_HART)
        on_hart(hart, check_fences, 4);
}

/* Both harts fence each other at the same time. */
static volatile ulong storms;
static void storm(ulong arg)
{
    __atomic_fetch_add(&storms, 1, __ATOMIC_SEQ_CST);
    while (storms < 2)
        ;
    for (uint i = 0; i < 50; i++)
        EXPECT("rfence-storm", OK, RFENCE, i & 1, 0, -1ul, 0x1000, 0x1000);
    (void)arg;
}

void test_harts(void)
{
    ulong hart = other();
    test_hsm_errors();
    if (hart == BAD_HART) {
        test_ipi(hart);
        test_rfence(hart);
        return;
    }
    for (uint i = 0; i < 3; i++) {
        CHECK_EQ("hsm", CALL(HSM, 2, hart).value, STOPPED);
        EXPECT("hsm", INVALID_ADDRESS, HSM, 0, hart, 0x80000000, 0);
        EXPECT("ipi", OK, IPI, 0, 1, hart); /* nobody is there; it does not start */
        CHECK_EQ("hsm", CALL(HSM, 2, hart).value, STOPPED);
        start_hart(hart);
        on_hart(hart, check_unlocked, 0);
        if (i == 2)
            break;
        on_hart(hart, lock_feature, 0);
        stop_hart(hart);
    }
    test_ipi(hart);
    test_rfence(hart);
    on_hart_no_wait(hart, storm, 0);
    storm(0);
}

/* ---- sleep ------------------------------------------------------------------------------------------------------------ */

static void wake_soon(void)
{
    u64 when = READ(time) + 100;
    CALL(TIME, 0, when, __riscv_xlen == 64 ? 0 : when >> 32);
    WRITE(sie, 1 << 5);
}

static void slept(const char *name, ulong since)
{
    CHECK(name, READ(time) - since >= 100);
    CHECK_EQ(name, READ(sip) >> 5 & 1, 1);
    CALL(TIME, 0, -1ul, -1ul);
    WRITE(sie, 0);
}

void test_suspend(void)
{
    ulong hart = other(), now = READ(time);
    EXPECT("susp", INVALID_PARAM, SUSP, 0, 1, resume_entry, 0);
    EXPECT("susp", INVALID_PARAM, SUSP, 0, 0x80000000, resume_entry, 0);
    EXPECT("susp", INVALID_ADDRESS, SUSP, 0, 0, 0x80000000, 0);
    if (hart != BAD_HART) {
        EXPECT("susp", DENIED, SUSP, 0, 0, resume_entry, 0);
        stop_hart(hart);
    }
    wake_soon();
    EXPECT("hsm-suspend", OK, HSM, 3, 0, 0, 0); /* retentive */
    slept("hsm-suspend", now);
    now = READ(time);
    wake_soon();
    SET(sstatus, 1 << 8);
    sleep_call(HSM, 3, 0x80000000, 0x1234);
    check_resumed("hsm-suspend-resume", 0x1234);
    slept("hsm-suspend-resume", now);
    now = READ(time);
    wake_soon();
    sleep_call(SUSP, 0, 0, 0xa5a5);
    check_resumed("susp-resume", 0xa5a5);
    slept("susp-resume", now);
}
