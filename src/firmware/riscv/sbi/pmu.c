/*
 * Performance counters (SBI v3.0, chapter PMU).
 *
 * Logical counter n below 32 is the hardware's: 0 mcycle, 2 minstret, 3 and up mhpmcounter n, as far as they are there; its CSR
 * is 0xc00 + n. Behind the last of them come PMU_FW_COUNTERS that count firmware events. mcountinhibit tells which hardware
 * counters have been started; pmu_event[] and pmu_fw_event[] which are in use.
 */
#include "fw.h"

enum { NUM_COUNTERS, GET_INFO, CONFIG_MATCHING, START, STOP, FW_READ, FW_READ_HI, SNAPSHOT_SET_SHMEM, EVENT_GET_INFO };
enum { CFG_SKIP_MATCH = 1 << 0, CFG_CLEAR_VALUE = 1 << 1, CFG_AUTO_START = 1 << 2, CFG_FILTERS = 0x1f << 3, CFG_ALL = 0xff };
enum { START_SET_INIT_VALUE = 1 << 0, START_INIT_SNAPSHOT = 1 << 1, START_ALL = 3 };
enum { STOP_RESET = 1 << 0, STOP_TAKE_SNAPSHOT = 1 << 1, STOP_ALL = 3 };
enum { TYPE_GENERAL = 0, TYPE_CACHE = 1, TYPE_RAW = 2, TYPE_RAW_V2 = 3, TYPE_FIRMWARE = 15 };
enum { CYCLES = 0, INSTRET = 2, FIRST_PROGRAMMABLE = 3 }; /* counters */
enum { EVENT_CYCLES = 1, EVENT_INSTRUCTIONS = 2 };
#define PMU_FREE    0xffffffffu
#define PMU_FW_FREE 0xffff
#define NO_SHMEM    (-1ul)
#define SHMEM_SIZE  4096

#define EVENT_FILTER_SHIFT 58 /* VUINH, VSINH, UINH, SINH, MINH of mhpmevent, in the order of the configuration flags */
#define EVENT_MINH         (1ull << 62)
#define EVENT_OF           (1ull << 63)

/* ---- hardware counters ---------------------------------------------------------------------------------------------- */

static u64 value_read(uint n)
{
#if __riscv_xlen == 64
    return counter_read(n);
#else
    for (;;) {
        ulong high = counter_read_high(n), low = counter_read(n);
        if (counter_read_high(n) == high)
            return (u64)high << 32 | low;
    }
#endif
}

/* The counter is not running. */
static void value_write(uint n, u64 v)
{
    counter_write(n, (ulong)v);
#if __riscv_xlen == 32
    counter_write_high(n, (ulong)(v >> 32));
#endif
}

/* The selector of counter n is CSR 0x320 + its number, and that of mcycle, mcyclecfg, has number 1: 0x320 is mcountinhibit. The
   fixed counters have one with Smcntrpmf. */
static bool has_selector(const struct hart *h, uint n) { return n >= FIRST_PROGRAMMABLE || h->has.smcntrpmf; }
static uint selector(uint n) { return n == CYCLES ? 1 : n; }
static bool has_high(const struct hart *h, uint n) { return n < FIRST_PROGRAMMABLE || h->has.sscofpmf; }

static u64 selector_read(const struct hart *h, uint n)
{
    if (!has_selector(h, n))
        return 0;
    u64 v = counter_event_read(selector(n));
#if __riscv_xlen == 32
    if (has_high(h, n))
        v |= (u64)counter_event_read_high(selector(n)) << 32;
#else
    (void)has_high;
#endif
    return v;
}

static void selector_write(const struct hart *h, uint n, u64 v)
{
    if (!has_selector(h, n))
        return;
    counter_event_write(selector(n), (ulong)v);
#if __riscv_xlen == 32
    if (has_high(h, n))
        counter_event_write_high(selector(n), (ulong)(v >> 32));
#endif
}

static bool running(uint n) { return !(csr_read(mcountinhibit) >> n & 1); }

/* ---- which counters there are --------------------------------------------------------------------------------------- */

static u32 hardware(const struct hart *h) { return h->has.hpm | 1u << CYCLES | 1u << INSTRET; }

/* The first firmware counter. */
static uint firmware_base(const struct hart *h)
{
    uint n = INSTRET + 1;
    for (u32 more = h->has.hpm >> n; more; more >>= 1)
        n++;
    return n;
}

static uint counters(const struct hart *h) { return firmware_base(h) + PMU_FW_COUNTERS; }
static bool is_firmware(const struct hart *h, ulong i) { return i >= firmware_base(h); }
static bool valid(const struct hart *h, ulong i) { return i < counters(h) && (is_firmware(h, i) || (hardware(h) >> i & 1)); }

/* Are all counters of a set valid? */
static bool set_valid(const struct hart *h, ulong base, ulong mask)
{
    for (; mask; mask &= mask - 1) {
        ulong i = base + lowest(mask);
        if (i < base || !valid(h, i))
            return false;
    }
    return true;
}

void pmu_reset(struct hart *h)
{
    csr_write(mcountinhibit, -1ul << FIRST_PROGRAMMABLE); /* cycle and instret count for everybody from the start */
    for (uint n = 0; n < 32; n++) {
        h->pmu_event[n] = PMU_FREE;
        if (!(hardware(h) >> n & 1))
            continue;
        selector_write(h, n, 0);
        if (n >= FIRST_PROGRAMMABLE)
            value_write(n, 0);
    }
    h->pmu_started = 0;
    for (uint i = 0; i < PMU_FW_COUNTERS; i++)
        h->pmu_fw_event[i] = PMU_FW_FREE;
    h->pmu_shmem = NO_SHMEM;
}

void pmu_count(struct hart *h, uint code)
{
    for (uint i = 0; i < PMU_FW_COUNTERS; i++)
        if ((h->pmu_started >> i & 1) && h->pmu_fw_event[i] == code)
            h->pmu_fw_value[i]++;
}

/* ---- events --------------------------------------------------------------------------------------------------------- */

struct event {
    u32 idx;
    u64 data;
};

static uint type_of(u32 idx) { return idx >> 16; }

/* Can counter i count it? */
static bool can_count(const struct hart *h, uint i, struct event e)
{
    uint code = e.idx & 0xffff;
    if (is_firmware(h, i))
        return type_of(e.idx) == TYPE_FIRMWARE && code < FW_EVENTS && !e.data;
    switch (type_of(e.idx)) {
    case TYPE_GENERAL:
    case TYPE_CACHE:
        if (e.data || !e.idx)
            return false;
        if (i < FIRST_PROGRAMMABLE)
            return e.idx == (i == CYCLES ? EVENT_CYCLES : EVENT_INSTRUCTIONS);
        for (uint k = 0; k < platform.pmu_maps; k++)
            if (e.idx >= platform.pmu_map[k].first && e.idx <= platform.pmu_map[k].last &&
                (platform.pmu_map[k].counters >> i & 1))
                return true;
        return false;
    case TYPE_RAW: return i >= FIRST_PROGRAMMABLE && !code && !(e.data >> 48);
    case TYPE_RAW_V2: return i >= FIRST_PROGRAMMABLE && !code && !(e.data >> 56);
    default: return false;
    }
}

/* What selects the event. The numbers of general and cache events select them as they are (docs/events.md). */
static u64 selector_of(struct event e) { return type_of(e.idx) == TYPE_RAW || type_of(e.idx) == TYPE_RAW_V2 ? e.data : e.idx; }

static bool in_use(const struct hart *h, uint i)
{
    return is_firmware(h, i) ? h->pmu_fw_event[i - firmware_base(h)] != PMU_FW_FREE : h->pmu_event[i] != PMU_FREE;
}

/* The first counter of the set that is free and can count the event; programmable ones first where only they tell of an overflow.
 */
static int match(const struct hart *h, ulong base, ulong mask, struct event e)
{
    int fixed = -1;
    for (; mask; mask &= mask - 1) {
        uint i = (uint)base + lowest(mask);
        if (in_use(h, i) || !can_count(h, i, e))
            continue;
        if (i >= FIRST_PROGRAMMABLE || !h->has.sscofpmf)
            return (int)i;
        fixed = (int)i;
    }
    return fixed;
}

/* ---- the calls: one counter ----------------------------------------------------------------------------------------- */

static void configure(struct hart *h, uint i, struct event e, ulong flags)
{
    if (is_firmware(h, i)) {
        h->pmu_fw_event[i - firmware_base(h)] = (u16)e.idx;
        if (flags & CFG_CLEAR_VALUE)
            h->pmu_fw_value[i - firmware_base(h)] = 0;
        return;
    }
    u64 filters = (u64)(flags & CFG_FILTERS) >> 3 << EVENT_FILTER_SHIFT;
    h->pmu_event[i] = e.idx;
    /* A programmable counter counts nothing of what the firmware does, and tells of no overflow until it is started. */
    selector_write(h, i, i < FIRST_PROGRAMMABLE ? filters : selector_of(e) | filters | EVENT_MINH | EVENT_OF);
    if (flags & CFG_CLEAR_VALUE)
        value_write(i, 0);
}

/* value: NULL leaves it as it is. */
static long start_one(struct hart *h, uint i, const u64 *value)
{
    if (is_firmware(h, i)) {
        uint n = i - firmware_base(h);
        if (h->pmu_started >> n & 1)
            return SBI_ERR_ALREADY_STARTED;
        if (value)
            h->pmu_fw_value[n] = *value;
        h->pmu_started |= 1u << n;
        return SBI_SUCCESS;
    }
    if (running(i))
        return SBI_ERR_ALREADY_STARTED;
    if (value)
        value_write(i, *value);
    if (i >= FIRST_PROGRAMMABLE)
        selector_write(h, i, selector_read(h, i) & ~EVENT_OF);
    csr_clear(mcountinhibit, 1ul << i);
    return SBI_SUCCESS;
}

static long stop_one(struct hart *h, uint i, bool reset)
{
    bool was;
    if (is_firmware(h, i)) {
        uint n = i - firmware_base(h);
        was = h->pmu_started >> n & 1;
        h->pmu_started &= ~(1u << n);
        if (reset)
            h->pmu_fw_event[n] = PMU_FW_FREE;
    } else {
        was = running(i);
        csr_set(mcountinhibit, 1ul << i);
        if (reset) {
            h->pmu_event[i] = PMU_FREE;
            selector_write(h, i, 0);
        }
    }
    return was ? SBI_SUCCESS : SBI_ERR_ALREADY_STOPPED;
}

/* ---- the calls: sets ------------------------------------------------------------------------------------------------ */

static u64 argument64(const ulong *a)
{
#if __riscv_xlen == 64
    return a[0];
#else
    return a[0] | (u64)a[1] << 32;
#endif
}

/* a: base, mask, flags, event_idx, event_data. */
static struct sbiret config_matching(struct hart *h, const ulong *a)
{
    struct event e = {(u32)a[3], argument64(a + 4)};
    if ((a[2] & ~(ulong)CFG_ALL) || !set_valid(h, a[0], a[1]))
        return RET(SBI_ERR_INVALID_PARAM);
    if (a[3] >> 20)
        return RET(SBI_ERR_NOT_SUPPORTED);
    int i;
    if (a[2] & CFG_SKIP_MATCH) {
        if (!a[1])
            return RET(SBI_ERR_INVALID_PARAM);
        i = (int)(a[0] + lowest(a[1])); /* whatever it has been doing */
        if (!can_count(h, (uint)i, e))
            return RET(SBI_ERR_NOT_SUPPORTED);
    } else {
        i = match(h, a[0], a[1], e);
        if (i < 0)
            return RET(SBI_ERR_NOT_SUPPORTED);
    }
    configure(h, (uint)i, e, a[2]);
    if (a[2] & CFG_AUTO_START)
        (void)start_one(h, (uint)i, NULL);
    return RETURN((ulong)i);
}

static volatile u64 *snapshot_value(const struct hart *h, uint k) { return (volatile u64 *)(h->pmu_shmem + 8 + 8 * k); }

/* a: base, mask, flags, initial value. All counters of the set are started that are not running, whatever the result. */
static struct sbiret start(struct hart *h, const ulong *a)
{
    long error = SBI_SUCCESS;
    u64 value = argument64(a + 3);
    if ((a[2] & ~(ulong)START_ALL) || (a[2] & START_ALL) == START_ALL || !set_valid(h, a[0], a[1]))
        return RET(SBI_ERR_INVALID_PARAM);
    if ((a[2] & START_INIT_SNAPSHOT) && h->pmu_shmem == NO_SHMEM)
        return RET(SBI_ERR_NO_SHMEM);
    for (ulong mask = a[1]; mask; mask &= mask - 1) {
        uint k = lowest(mask);
        if (a[2] & START_INIT_SNAPSHOT)
            value = *snapshot_value(h, k);
        long e = start_one(h, (uint)a[0] + k, a[2] & START_ALL ? &value : NULL);
        if (e)
            error = e;
    }
    return RET(error);
}

static void snapshot(struct hart *h, ulong base, ulong mask)
{
    u64 overflown = 0;
    for (; mask; mask &= mask - 1) {
        uint k = lowest(mask), i = (uint)base + k;
        if (is_firmware(h, i)) {
            *snapshot_value(h, k) = h->pmu_fw_value[i - firmware_base(h)];
            continue;
        }
        *snapshot_value(h, k) = value_read(i);
        if (h->has.sscofpmf && i >= FIRST_PROGRAMMABLE && (selector_read(h, i) & EVENT_OF))
            overflown |= 1ull << k;
    }
    *(volatile u64 *)h->pmu_shmem = overflown;
}

/* a: base, mask, flags. */
static struct sbiret stop(struct hart *h, const ulong *a)
{
    long error = SBI_SUCCESS;
    if ((a[2] & ~(ulong)STOP_ALL) || !set_valid(h, a[0], a[1]))
        return RET(SBI_ERR_INVALID_PARAM);
    if ((a[2] & STOP_TAKE_SNAPSHOT) && h->pmu_shmem == NO_SHMEM)
        return RET(SBI_ERR_NO_SHMEM);
    for (ulong mask = a[1]; mask; mask &= mask - 1) {
        long e = stop_one(h, (uint)a[0] + lowest(mask), false);
        if (e)
            error = e;
    }
    if (a[2] & STOP_TAKE_SNAPSHOT)
        snapshot(h, a[0], a[1]);
    if (a[2] & STOP_RESET)
        for (ulong mask = a[1]; mask; mask &= mask - 1)
            (void)stop_one(h, (uint)a[0] + lowest(mask), true);
    /* Who takes overflows as SSE events cannot clear LCOFIP himself: it is not delegated meanwhile. */
    if (!(csr_read(mideleg) >> IRQ_LCOFI & 1))
        csr_clear(mip, 1 << IRQ_LCOFI);
    return RET(error);
}

/* ---- the other calls ------------------------------------------------------------------------------------------------ */

static struct sbiret get_info(const struct hart *h, ulong i)
{
    const ulong firmware = 1ul << (__riscv_xlen - 1), width = 63;
    if (!valid(h, i))
        return RET(SBI_ERR_INVALID_PARAM);
    return RETURN(is_firmware(h, i) ? firmware : (0xc00 + i) | width << 12);
}

static struct sbiret fw_read(const struct hart *h, ulong i, bool high)
{
    if (!valid(h, i) || !is_firmware(h, i))
        return RET(SBI_ERR_INVALID_PARAM);
    u64 v = h->pmu_fw_value[i - firmware_base(h)];
    if (high)
        return RETURN(__riscv_xlen == 64 ? 0 : (ulong)(v >> 32));
    return RETURN((ulong)v);
}

/* a: address low, high, flags. */
static struct sbiret set_shmem(struct hart *h, const ulong *a)
{
    if (a[2])
        return RET(SBI_ERR_INVALID_PARAM);
    if (a[0] == -1ul && a[1] == -1ul) {
        h->pmu_shmem = NO_SHMEM;
        return RET(SBI_SUCCESS);
    }
    if (a[0] % SHMEM_SIZE)
        return RET(SBI_ERR_INVALID_PARAM);
    if (!memory_ok(a[0], a[1], SHMEM_SIZE))
        return RET(SBI_ERR_INVALID_ADDRESS);
    h->pmu_shmem = a[0];
    return RET(SBI_SUCCESS);
}

/* a: address low, high, number of entries, flags. */
static struct sbiret event_info(const struct hart *h, const ulong *a)
{
    struct entry {
        u32 idx, output, data_low, data_high;
    };
    if (a[3] || a[0] % sizeof(struct entry))
        return RET(SBI_ERR_INVALID_PARAM);
    if (!memory_ok(a[0], a[1], (u64)a[2] * sizeof(struct entry)))
        return RET(SBI_ERR_INVALID_ADDRESS);
    volatile struct entry *entry = (volatile struct entry *)a[0];
    for (ulong k = 0; k < a[2]; k++)
        if (entry[k].idx >> 20)
            return RET(SBI_ERR_INVALID_PARAM);
    for (ulong k = 0; k < a[2]; k++) {
        struct event e = {entry[k].idx, 0};
        if (type_of(e.idx) == TYPE_RAW || type_of(e.idx) == TYPE_RAW_V2 || type_of(e.idx) == TYPE_FIRMWARE)
            e.data = entry[k].data_low | (u64)entry[k].data_high << 32;
        bool supported = false;
        for (uint i = 0; i < counters(h) && !supported; i++)
            supported = valid(h, i) && can_count(h, i, e);
        entry[k].output = supported;
    }
    return RET(SBI_SUCCESS);
}

struct sbiret sbi_pmu(struct hart *h, ulong fid, const ulong *a)
{
    switch (fid) {
    case NUM_COUNTERS: return RETURN(counters(h));
    case GET_INFO: return get_info(h, a[0]);
    case CONFIG_MATCHING: return config_matching(h, a);
    case START: return start(h, a);
    case STOP: return stop(h, a);
    case FW_READ: return fw_read(h, a[0], false);
    case FW_READ_HI: return fw_read(h, a[0], true);
    case SNAPSHOT_SET_SHMEM: return set_shmem(h, a);
    case EVENT_GET_INFO: return event_info(h, a);
    default: return RET(SBI_ERR_NOT_SUPPORTED);
    }
}
