/* What the parts of the firmware share. README.md tells how it is made up. */
#ifndef SBI_FW_H
#define SBI_FW_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL     ((void *)0)
#define COUNT(a) (sizeof(a) / sizeof *(a))

#include "csr.h"
#include "layout.h"
#include "variant.h"

/* ---- harts --------------------------------------------------------------------------------------------------------- */

/* What a trap into M interrupted. entry.S saves what a C function may change; the other registers stay where they are. */
struct frame {
    ulong x[32];
    ulong pc;
    ulong status[2]; /* mstatus and, on RV32, mstatush */
};
enum { LOW = 0, HIGH = __riscv_xlen == 64 ? 0 : 1 }; /* which word of status[] has the fields HIGH_* of csr.h */
enum { X_SP = 2, X_A0 = 10, X_A1, X_A2, X_A3, X_A4, X_A5, X_A6, X_A7 };

/* What a hart has, found by trying (hart.c). */
struct features {
    bool envcfg, h, sstc, sscofpmf, zicfilp, zicfiss, ssdbltrp, smdbltrp, svadu, smnpm, smrnmi, smstateen, smcntrpmf;
    u32 hpm; /* bit n: mhpmcounter n can count */
};

/* SSE: sse.c and sse_switch.c. */
enum {
    ATTR_STATUS,
    ATTR_PRIORITY,
    ATTR_CONFIG,
    ATTR_PREFERRED_HART,
    ATTR_ENTRY_PC,
    ATTR_ENTRY_ARG,
    ATTR_INTERRUPTED_SEPC,
    ATTR_INTERRUPTED_FLAGS,
    ATTR_INTERRUPTED_A6,
    ATTR_INTERRUPTED_A7,
    ATTR_COUNT
};
enum { CONFIG_ONE_SHOT = 1 };
enum { SSE_COMPLETE = 6 }; /* the FID that ecall.c knows */
enum { SSE_UNUSED, SSE_REGISTERED, SSE_ENABLED, SSE_RUNNING };
enum { EVENT_RAS_HIGH, EVENT_DOUBLE_TRAP, EVENT_PLATFORM, EVENT_PMU, EVENT_RAS_LOW, EVENT_SOFTWARE, LOCAL_EVENTS };
enum { GLOBAL_EVENTS = 4 };

struct sse_event {
    ulong attr[ATTR_COUNT]; /* [ATTR_STATUS] is the state alone; sse_status makes the attribute of it */
    u32 id;
    u32 index;               /* bit number in the words of pending events */
    u32 hart;                /* the hart that it is running on */
    struct sse_event *below; /* the event that it preempted there */
    /* What the variants p1 and priv keep to themselves. */
    ulong private_hstatus, private_status[2];
    ulong junk; /* what the variant status has in the reserved bits of STATUS */
};

enum { PMU_FW_COUNTERS = 16 };
enum { FWFT_FEATURES = 6 };

struct hart {
    struct frame frame; /* first: entry.S */
    ulong id;
    struct features has;

    /* A trap in M comes from here to `resume`, with `trapped` set (trap.c:trap_in_m); 0: it is fatal. */
    volatile ulong resume;
    volatile bool trapped;

    volatile u32 ipi; /* IPI_*: what others, and nmi.S, want of this hart */

    volatile u32 hsm;
    ulong start_addr, start_opaque;

    bool sse_masked;
    volatile u32 sse_pending; /* bit n: local event n */
    struct sse_event *sse_running;
    struct sse_event event[LOCAL_EVENTS];

    u32 fwft_locked; /* bit n: feature n */

    u32 pmu_started;   /* bit n: firmware counter n counts */
    ulong pmu_shmem;   /* physical address of the snapshot memory; all ones: none */
    u32 pmu_event[32]; /* event_idx of hardware counter n; all ones: none */
    u16 pmu_fw_event[PMU_FW_COUNTERS];
    u64 pmu_fw_value[PMU_FW_COUNTERS];
};
_Static_assert(sizeof(struct hart) <= HART_SIZE, "layout.h");

extern u8 hart_area[HARTS * HART_AREA]; /* each hart's stack with its struct hart at the end */
static inline struct hart *hart_at(ulong id) { return (struct hart *)(void *)(hart_area + (id + 1) * HART_AREA - HART_SIZE); }

/* ---- what the harts share ------------------------------------------------------------------------------------------ */

enum { RAM_RANGES = 4, PMU_MAPS = 32 };

struct platform {
    u32 harts; /* bit n: hart n is there */
    uint ram_ranges;
    struct {
        u64 base, size;
    } ram[RAM_RANGES];
    bool svade, svadu; /* what the device tree promises of accessed and dirty bits */
    /* Which counters can count the events first..last (device tree: riscv,event-to-mhpmcounters). */
    uint pmu_maps;
    struct {
        u32 first, last, counters;
    } pmu_map[PMU_MAPS];
};
extern struct platform platform;

static inline bool hart_valid(ulong id) { return id < HARTS && (platform.harts >> id & 1); }

/* ---- small things -------------------------------------------------------------------------------------------------- */

struct sbiret {
    long error;
    ulong value;
};
enum {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_DENIED = -4,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
    SBI_ERR_NO_SHMEM = -9,
    SBI_ERR_INVALID_STATE = -10,
    SBI_ERR_BAD_RANGE = -11,
    SBI_ERR_DENIED_LOCKED = -14,
};
#define RET(e)    ((struct sbiret){(e), 0})
#define RETURN(v) ((struct sbiret){SBI_SUCCESS, (v)})

/* The number of the lowest bit that is set; v is not 0. */
static inline uint lowest(ulong v)
{
    uint n = 0;
    for (; !(v & 1); v >>= 1)
        n++;
    return n;
}

static inline u32 atomic_or(volatile u32 *p, u32 v) { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); }
static inline u32 atomic_and(volatile u32 *p, u32 v) { return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); }

typedef volatile u32 lock_t;
static inline bool lock_try(lock_t *l) { return !__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE); }
static inline void lock(lock_t *l)
{
    while (!lock_try(l))
        while (*l)
            ;
}
static inline void unlock(lock_t *l) { __atomic_store_n(l, 0, __ATOMIC_RELEASE); }

#define MMIO8(a)  (*(volatile u8 *)(a))
#define MMIO32(a) (*(volatile u32 *)(a))

/* What supervisor software may hand over as shared memory (SBI v3.0 "Shared memory physical address range parameter"): `size`
   bytes of RAM at address hi:lo, none of them the firmware's. */
bool memory_ok(ulong lo, ulong hi, u64 size);
/* What it may name as the address to start or resume at. */
bool code_ok(ulong pc);

/* ---- the parts ----------------------------------------------------------------------------------------------------- */

/* entry.S */
void __attribute__((noreturn)) fw_enter(struct hart *h); /* into what h->frame describes, all other registers zero */
void __attribute__((noreturn)) fw_restart(struct hart *h, void (*fn)(struct hart *h)); /* fn(h) on an empty stack */
ulong counter_read(uint n);                                                            /* mcycle, minstret, mhpmcounter n */
void counter_write(uint n, ulong v);
ulong counter_event_read(uint n); /* mcyclecfg, minstretcfg, mhpmevent n */
void counter_event_write(uint n, ulong v);
#if __riscv_xlen == 32
ulong counter_read_high(uint n);
void counter_write_high(uint n, ulong v);
ulong counter_event_read_high(uint n);
void counter_event_write_high(uint n, ulong v);
#endif

/* nmi.S */
extern ulong nmi_area[HARTS * NMI_WORDS]; /* for mnscratch */

/* boot.c */
void __attribute__((noreturn)) hart_wait(struct hart *h);
void __attribute__((noreturn)) fatal(struct hart *h, const char *what, ulong a, ulong b, uint code);
void __attribute__((noreturn)) finish(uint what); /* a value for the test finisher */

/* fdt.c */
bool fdt_scan(const void *tree, struct platform *p);
bool fdt_reserve(void *tree, ulong base, ulong size);

/* hart.c */
void hart_probe(struct hart *h);
void hart_set_up(struct hart *h); /* all that a hart needs before it enters S for the first time */
u64 menvcfg_read(void);
void menvcfg_write(u64 v);
void hart_enter_s(struct hart *h, ulong pc, ulong a0, ulong a1); /* makes the frame; fw_enter or a return goes there */

/* trap.c */
void trap(struct hart *h, ulong cause);

/* ecall.c */
void ecall(struct hart *h);

/* ipi.c */
enum { IPI_SSI = 1 << 0, IPI_SSE = 1 << 1, IPI_HSM = 1 << 2 }; /* and IPI_NMI */
void ipi_send(ulong hart, u32 what);
void ipi_take(struct hart *h);
void rfence_poll(struct hart *h);
struct sbiret sbi_ipi(struct hart *h, ulong fid, const ulong *a);
struct sbiret sbi_rfence(struct hart *h, ulong fid, const ulong *a);

/* timer.c */
void timer_take(void);
void timer_set(struct hart *h, u64 when);
struct sbiret sbi_time(struct hart *h, ulong fid, const ulong *a);

/* hsm.c */
enum { HSM_STARTED, HSM_STOPPED, HSM_START_PENDING, HSM_STOP_PENDING, HSM_SUSPENDED, HSM_SUSPEND_PENDING, HSM_RESUME_PENDING };
struct sbiret sbi_hsm(struct hart *h, ulong fid, const ulong *a);
struct sbiret sbi_susp(struct hart *h, ulong fid, const ulong *a);
struct sbiret sbi_srst(struct hart *h, ulong fid, const ulong *a);

/* console.c */
void put_char(char c);
void put_text(const char *s);
void put_hex(ulong v);
int get_char(void);
void console_init(void);
struct sbiret sbi_dbcn(struct hart *h, ulong fid, const ulong *a);

/* fwft.c */
void fwft_reset(struct hart *h);
struct sbiret sbi_fwft(struct hart *h, ulong fid, const ulong *a);

/* pmu.c */
enum {
    FW_MISALIGNED_LOAD = 0,
    FW_MISALIGNED_STORE,
    FW_ACCESS_LOAD,
    FW_ACCESS_STORE,
    FW_ILLEGAL_INSN,
    FW_SET_TIMER,
    FW_IPI_SENT,
    FW_IPI_RECEIVED,
    FW_FENCE_I_SENT,
    FW_FENCE_I_RECEIVED,
    FW_SFENCE_VMA_SENT,
    FW_SFENCE_VMA_RECEIVED,
    FW_SFENCE_VMA_ASID_SENT,
    FW_SFENCE_VMA_ASID_RECEIVED,
    FW_HFENCE_GVMA_SENT,
    FW_HFENCE_GVMA_RECEIVED,
    FW_HFENCE_GVMA_VMID_SENT,
    FW_HFENCE_GVMA_VMID_RECEIVED,
    FW_HFENCE_VVMA_SENT,
    FW_HFENCE_VVMA_RECEIVED,
    FW_HFENCE_VVMA_ASID_SENT,
    FW_HFENCE_VVMA_ASID_RECEIVED,
    FW_EVENTS
};
void pmu_reset(struct hart *h);
void pmu_count(struct hart *h, uint code);
static inline void pmu_fw_event(struct hart *h, uint code)
{
    if (h->pmu_started)
        pmu_count(h, code);
}
struct sbiret sbi_pmu(struct hart *h, ulong fid, const ulong *a);

/* sse.c: states, attributes, calls, sources */
extern struct sse_event global_event[GLOBAL_EVENTS];
extern volatile u32 global_pending;
void sse_init_global(void);
void sse_reset(struct hart *h);
bool sse_signal(struct hart *h, uint local); /* the source of a local event has something; false: nobody wants it */
void sse_deliver(struct hart *h);            /* injects what is pending and may run now */
bool sse_can_deliver(const struct hart *h);
void sse_stopped(const struct hart *h); /* others may take what it has left */
struct sbiret sbi_sse(struct hart *h, ulong fid, const ulong *a);
void sse_set_state(struct hart *h, struct sse_event *e, uint state); /* and switches the event's source on or off */
static inline bool sse_is_global(const struct sse_event *e) { return e->index >= LOCAL_EVENTS; }

/* sse_switch.c: the two changes of context */
void sse_inject(struct hart *h, struct sse_event *e);
void sse_complete(struct hart *h, struct sse_event *e);
#endif
