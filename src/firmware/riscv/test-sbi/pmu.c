/* PMU: information, configuration, starting and stopping, firmware counters, snapshots, event information. */
#include "test.h"

enum { NUM, INFO, CONFIG, START, STOP, FW_READ, FW_READ_HI, SET_SHMEM, EVENT_INFO };
enum { SKIP_MATCH = 1, CLEAR_VALUE = 2, AUTO_START = 4, SINH = 1 << 6 };
enum { SET_VALUE = 1, INIT_SNAPSHOT = 2 };
enum { RESET = 1, TAKE_SNAPSHOT = 2 };
#define FIRMWARE   (1ul << (__riscv_xlen - 1))
#define NO_COUNTER 63

static u64 shmem[512] __attribute__((aligned(4096)));
static struct {
    u32 idx, output, low, high;
} entry[8] __attribute__((aligned(16)));

ulong firmware_counters(void)
{
    ulong i = 0;
    while (CALL(PMU, INFO, i).error || !(CALL(PMU, INFO, i).value & FIRMWARE))
        i++;
    return i;
}

/* event_data 0, flags f. */
static struct sbiret config(ulong base, ulong mask, ulong f, ulong event)
{
    return CALL(PMU, CONFIG, base, mask, f, event, 0, 0);
}

static void test_info(void)
{
    ulong n = CALL(PMU, NUM).value, firmware = firmware_counters();
    CHECK("pmu-info", n > firmware && n - firmware == 16);
    EXPECT("pmu-info", INVALID_PARAM, PMU, INFO, n);
    EXPECT("pmu-info", INVALID_PARAM, PMU, INFO, -1ul);
    EXPECT("pmu-info", INVALID_PARAM, PMU, INFO, 1); /* time is no counter */
    CHECK_EQ("pmu-info", CALL(PMU, INFO, 0).value, 0xc00 | 63 << 12);
    CHECK_EQ("pmu-info", CALL(PMU, INFO, 2).value, 0xc02 | 63 << 12);
    if (firmware > 3)
        CHECK_EQ("pmu-info", CALL(PMU, INFO, 3).value, 0xc03 | 63 << 12);
    CHECK_EQ("pmu-info", CALL(PMU, INFO, n - 1).value, FIRMWARE);
}

static void test_errors(ulong firmware)
{
    EXPECT("pmu-config", INVALID_PARAM, PMU, CONFIG, 0, 2, 0, 1, 0, 0); /* counter 1 */
    EXPECT("pmu-config", INVALID_PARAM, PMU, CONFIG, NO_COUNTER, 1, 0, 1, 0, 0);
    EXPECT("pmu-config", INVALID_PARAM, PMU, CONFIG, 0, 1, 0x100, 1, 0, 0); /* flags */
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, 0, 1, 0, 2, 0, 0);     /* instructions, by mcycle */
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, 0, 5, 0, 0, 0, 0);     /* no event */
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, 0, 5, 0, 1ul << 20 | 1, 0, 0);
    if (__riscv_xlen == 64)
        EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, 0, 5, 0, 1ull << 32 | 1, 0, 0);
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, 0, 5, 0, 0x40001, 0, 0); /* type 4 */
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, firmware, 1, 0, 1, 0, 0);
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, firmware, 1, 0, 0xf0016, 0, 0); /* reserved */
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, firmware, 1, 0, 0xfffff, 0, 0); /* the platform's */
    EXPECT("pmu-config", NOT_SUPPORTED, PMU, CONFIG, firmware, 1, 0, 0xf0005, 1, 0); /* event_data */
    EXPECT("pmu-start", INVALID_PARAM, PMU, START, NO_COUNTER, 1, 0, 0, 0);
    EXPECT("pmu-start", INVALID_PARAM, PMU, START, firmware, 1, 4, 0, 0);
    EXPECT("pmu-start", INVALID_PARAM, PMU, START, firmware, 1, 3, 0, 0);
    EXPECT("pmu-start", NO_SHMEM, PMU, START, firmware, 1, INIT_SNAPSHOT, 0, 0);
    EXPECT("pmu-stop", INVALID_PARAM, PMU, STOP, NO_COUNTER, 1, 0);
    EXPECT("pmu-stop", INVALID_PARAM, PMU, STOP, firmware, 1, 4);
    EXPECT("pmu-stop", NO_SHMEM, PMU, STOP, firmware, 1, TAKE_SNAPSHOT);
    EXPECT("pmu-fw", INVALID_PARAM, PMU, FW_READ, 0);
    EXPECT("pmu-fw", INVALID_PARAM, PMU, FW_READ, NO_COUNTER);
    EXPECT("pmu-fw", INVALID_PARAM, PMU, FW_READ_HI, 2);
    EXPECT("pmu-shmem", INVALID_PARAM, PMU, SET_SHMEM, shmem, 0, 1);
    EXPECT("pmu-shmem", INVALID_PARAM, PMU, SET_SHMEM, (ulong)shmem + 8, 0, 0);
    EXPECT("pmu-shmem", INVALID_ADDRESS, PMU, SET_SHMEM, 0x80000000, 0, 0);
    EXPECT("pmu-shmem", INVALID_ADDRESS, PMU, SET_SHMEM, shmem, 1, 0);
}

static void set_timer_never(void) { CALL(TIME, 0, -1ul, -1ul); }

static void test_firmware(ulong firmware)
{
    const ulong set_timer_event = 0xf0005, illegal_event = 0xf0004;
    struct sbiret r = config(firmware, 0xffff, CLEAR_VALUE, set_timer_event);
    ulong a = r.value;
    CHECK_EQ("pmu-fw", r.error, OK);
    CHECK_EQ("pmu-fw", a, firmware);
    ulong b = config(firmware, 0xffff, CLEAR_VALUE | AUTO_START, illegal_event).value;
    CHECK_EQ("pmu-fw", b, firmware + 1);
    set_timer_never();
    CHECK_EQ("pmu-fw", CALL(PMU, FW_READ, a).value, 0); /* not started */
    EXPECT("pmu-fw", ALREADY_STARTED, PMU, START, b, 1, 0, 0, 0);
    if (__riscv_xlen == 64)
        EXPECT("pmu-fw", OK, PMU, START, a, 1, SET_VALUE, 0xfffffffe);
    else
        EXPECT("pmu-fw", OK, PMU, START, a, 1, SET_VALUE, 0xfffffffe, 0x11);
    for (uint i = 0; i < 5; i++)
        set_timer_never();
    ATTEMPT(".word 0xffffffff", , );
    if (__riscv_xlen == 64) {
        CHECK_EQ("pmu-fw", CALL(PMU, FW_READ, a).value, 0xffffffful * 16 + 15 + 4);
        CHECK_EQ("pmu-fw", CALL(PMU, FW_READ_HI, a).value, 0);
    } else {
        CHECK_EQ("pmu-fw", CALL(PMU, FW_READ, a).value, 3);
        CHECK_EQ("pmu-fw", CALL(PMU, FW_READ_HI, a).value, 0x12);
    }
    CHECK_EQ("pmu-fw", CALL(PMU, FW_READ, b).value, 1);
    /* Snapshot of both, which stops them. */
    EXPECT("pmu-shmem", OK, PMU, SET_SHMEM, shmem, 0, 0);
    shmem[0] = shmem[3] = -1ull;
    EXPECT("pmu-snapshot", OK, PMU, STOP, a, 3, TAKE_SNAPSHOT);
    CHECK("pmu-snapshot", !shmem[0] && shmem[2] == 1 && shmem[3] == -1ull);
    CHECK("pmu-snapshot", shmem[1] == (__riscv_xlen == 64 ? 0x100000003ull : 0x1200000003ull));
    set_timer_never();
    CHECK_EQ("pmu-fw", CALL(PMU, FW_READ, a).value & 0xffffffff, 3);
    EXPECT("pmu-fw", ALREADY_STOPPED, PMU, STOP, a, 3, 0);
    shmem[1] = 0x500;
    shmem[2] = 0x600;
    EXPECT("pmu-snapshot", OK, PMU, START, a, 3, INIT_SNAPSHOT, 0, 0);
    set_timer_never();
    CHECK_EQ("pmu-snapshot", CALL(PMU, FW_READ, a).value, 0x501);
    CHECK_EQ("pmu-snapshot", CALL(PMU, FW_READ, b).value, 0x600);
    EXPECT("pmu-fw", OK, PMU, STOP, a, 3, RESET);
    EXPECT("pmu-shmem", OK, PMU, SET_SHMEM, -1ul, -1ul, 0);
    EXPECT("pmu-snapshot", NO_SHMEM, PMU, STOP, a, 3, TAKE_SNAPSHOT);
    /* All sixteen, and no seventeenth. */
    for (uint i = 0; i < 16; i++)
        CHECK_EQ("pmu-fw", config(firmware, 0xffff, 0, set_timer_event).value, firmware + i);
    CHECK_EQ("pmu-fw", config(firmware, 0xffff, 0, set_timer_event).error, NOT_SUPPORTED);
    EXPECT("pmu-fw", ALREADY_STOPPED, PMU, STOP, firmware, 0xffff, RESET);
}

static void test_hardware(ulong firmware)
{
    const ulong programmable = ((1ul << (firmware - 1)) - 1) & ~7ul;
    ulong before, after;
    /* The fixed counters, as Linux asks for them. */
    struct sbiret r = config(0, 1, SKIP_MATCH, 1);
    CHECK("pmu-cycle", !r.error && r.value == 0);
    (void)CALL(PMU, START, 0, 1, 0, 0, 0);
    before = READ(cycle);
    after = READ(cycle);
    CHECK("pmu-cycle", after != before);
    EXPECT("pmu-cycle", OK, PMU, STOP, 0, 1, RESET);
    before = READ(cycle);
    after = READ(cycle);
    CHECK_EQ("pmu-cycle", after, before);
    EXPECT("pmu-cycle", OK, PMU, START, 0, 1, 0, 0, 0);
    if (firmware < 4)
        return;
    /* Instructions by a programmable counter. */
    r = config(0, programmable, CLEAR_VALUE, 2);
    CHECK_EQ("pmu-instret", r.error, OK);
    CHECK_EQ("pmu-instret", r.value, 3);
    before = READ(hpmcounter3);
    CHECK_EQ("pmu-instret", before, 0);
    EXPECT("pmu-instret", OK, PMU, START, 3, 1, SET_VALUE, 100, 0);
    before = READ(hpmcounter3);
    (void)spin_result(10);
    after = READ(hpmcounter3);
    CHECK("pmu-instret", before >= 100 && before < (found.sscofpmf ? 120 : 400) && after > before + 20 && after < before + 200);
    EXPECT("pmu-instret", ALREADY_STARTED, PMU, START, 3, 1, 0, 0, 0);
    /* What the firmware does is not counted. */
    before = READ(hpmcounter3);
    for (uint i = 0; i < 20; i++)
        set_timer_never();
    after = READ(hpmcounter3);
    if (found.sscofpmf)
        CHECK("pmu-firmware-unseen", after - before < 20 * 40);
    EXPECT("pmu-instret", OK, PMU, STOP, 3, 1, RESET);
    EXPECT("pmu-instret", ALREADY_STOPPED, PMU, STOP, 3, 1, 0);
    /* Raw events: 0x102 is interrupts; and a filter. */
    CHECK_EQ("pmu-raw", CALL(PMU, CONFIG, 0, programmable, AUTO_START, 0x20000, 0x101, 0).value, 3);
    CHECK_EQ("pmu-raw", CALL(PMU, CONFIG, 0, programmable, AUTO_START | SINH, 0x30000, 0x2, 0).value, 4);
    EXPECT("pmu-raw", NOT_SUPPORTED, PMU, CONFIG, 0, programmable, 0, 0x20001, 0, 0);
    before = READ(hpmcounter3);
    ATTEMPT("ebreak", , );
    CHECK_EQ("pmu-raw", READ(hpmcounter3), before + 1);
    if (found.sscofpmf) {
        before = READ(hpmcounter4);
        CHECK_EQ("pmu-filter", READ(hpmcounter4), before);
    }
    EXPECT("pmu-raw", OK, PMU, STOP, 3, 3, RESET);
}

static void test_event_info(void)
{
    static const struct {
        u32 idx, low, supported;
    } row[] = {{1, 0, 1}, {2, 0, 1}, {0xf0005, 0, 1}, {0xf0016, 0, 0}, {0x40000, 0, 0}, {3, 0, 0}, {0xf0005, 1, 0}, {0, 0, 0}};
    for (uint i = 0; i < COUNT(row); i++) {
        entry[i].idx = row[i].idx;
        entry[i].output = -1u;
        entry[i].low = row[i].low;
        entry[i].high = 0;
    }
    EXPECT("pmu-event-info", OK, PMU, EVENT_INFO, entry, 0, COUNT(row), 0);
    for (uint i = 0; i < COUNT(row); i++)
        CHECK_EQ("pmu-event-info", entry[i].output, row[i].supported);
    EXPECT("pmu-event-info", INVALID_PARAM, PMU, EVENT_INFO, entry, 0, 1, 1);
    EXPECT("pmu-event-info", INVALID_PARAM, PMU, EVENT_INFO, (ulong)entry + 8, 0, 1, 0);
    EXPECT("pmu-event-info", INVALID_ADDRESS, PMU, EVENT_INFO, 0x80000000, 0, 1, 0);
    entry[1].idx = 1 << 20;
    entry[0].output = 7;
    EXPECT("pmu-event-info", INVALID_PARAM, PMU, EVENT_INFO, entry, 0, 2, 0);
    CHECK_EQ("pmu-event-info", entry[0].output, 7);
}

/* Without an SSE event, an overflow is S's interrupt. */
static void test_overflow(void)
{
    const ulong lcofi = 1 << 13;
    ulong i = config(0, -1ul & ~7ul & ((1ul << (firmware_counters() - 1)) - 1), CLEAR_VALUE, 2).value;
    CLEAR(sip, lcofi);
    EXPECT("pmu-overflow", OK, PMU, START, i, 1, SET_VALUE, -200l, -1l);
    CHECK_EQ("pmu-overflow", READ(sip) & lcofi, 0);
    (void)spin_result(100);
    CHECK_EQ("pmu-overflow", READ(sip) & lcofi, lcofi);
    CHECK_EQ("pmu-overflow", READ(0xda0), 1ul << i);
    EXPECT("pmu-shmem", OK, PMU, SET_SHMEM, shmem, 0, 0);
    EXPECT("pmu-overflow", OK, PMU, STOP, i, 1, TAKE_SNAPSHOT | RESET);
    CHECK("pmu-overflow", shmem[0] == 1);
    EXPECT("pmu-shmem", OK, PMU, SET_SHMEM, -1ul, -1ul, 0);
    CHECK_EQ("pmu-overflow", READ(sip) & lcofi, lcofi); /* S's to clear */
    CLEAR(sip, lcofi);
    CHECK_EQ("pmu-overflow", READ(sip) & lcofi, 0);
}

void test_pmu(void)
{
    ulong firmware = firmware_counters();
    test_info();
    test_errors(firmware);
    test_firmware(firmware);
    test_hardware(firmware);
    test_event_info();
    if (found.sscofpmf && firmware > 3)
        test_overflow();
}
