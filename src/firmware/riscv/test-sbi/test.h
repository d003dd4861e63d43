/*
 * A supervisor-mode program that calls every function of an SBI implementation and checks what it says and does. Include it
 * everywhere here.
 *
 * A failed check prints a line `FAILED name: file line, value` and the run goes on; it ends by SRST, with code 0 if no check
 * failed. So a firmware with a known fault is told by the names of exactly the checks that it fails (tests/rom/sbi.sh).
 */
#ifndef TEST_SBI_TEST_H
#define TEST_SBI_TEST_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef unsigned long long u64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL     ((void *)0)
#define COUNT(a) (sizeof(a) / sizeof *(a))

#if __riscv_xlen == 64
#define REG_S "sd "
#define REG_L "ld "
#define REG_B "8"
#else
#define REG_S "sw "
#define REG_L "lw "
#define REG_B "4"
#endif
#define INTERRUPT (1ul << (__riscv_xlen - 1))

#define READ(csr)                                      \
    ({                                                 \
        ulong v_;                                      \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)); \
        v_;                                            \
    })
#define WRITE(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define SET(csr, v)   __asm__ volatile("csrs " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define CLEAR(csr, v) __asm__ volatile("csrc " #csr ", %0" ::"r"((ulong)(v)) : "memory")

/* ---- calls ---------------------------------------------------------------------------------------------------------- */

struct sbiret {
    long error;
    ulong value;
};
struct sbiret sbi(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2, ulong a3, ulong a4, ulong a5);
#define CALL_(eid, fid, a0, a1, a2, a3, a4, a5, ...) \
    sbi(eid, fid, (ulong)(a0), (ulong)(a1), (ulong)(a2), (ulong)(a3), (ulong)(a4), (ulong)(a5))
#define CALL(...) CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

enum {
    BASE = 0x10,
    TIME = 0x54494d45,
    IPI = 0x735049,
    RFENCE = 0x52464e43,
    HSM = 0x48534d,
    SRST = 0x53525354,
    PMU = 0x504d55,
    DBCN = 0x4442434e,
    SUSP = 0x53555350,
    FWFT = 0x46574654,
    SSE = 0x535345
};
enum {
    OK = 0,
    FAILED = -1,
    NOT_SUPPORTED = -2,
    INVALID_PARAM = -3,
    DENIED = -4,
    INVALID_ADDRESS = -5,
    ALREADY_AVAILABLE = -6,
    ALREADY_STARTED = -7,
    ALREADY_STOPPED = -8,
    NO_SHMEM = -9,
    INVALID_STATE = -10,
    BAD_RANGE = -11,
    DENIED_LOCKED = -14
};

/* ---- checks --------------------------------------------------------------------------------------------------------- */

void check_failed(const char *name, const char *file, uint line, ulong got);
/* name: what is checked. a must be b. */
#define CHECK_EQ(name, a, b)                                 \
    do {                                                     \
        ulong a_ = (ulong)(a);                               \
        if (a_ != (ulong)(b))                                \
            check_failed(name, __FILE_NAME__, __LINE__, a_); \
    } while (0)
#define CHECK(name, condition) CHECK_EQ(name, !!(condition), 1)
/* The error code of a call. */
#define EXPECT(name, code, ...) CHECK_EQ(name, CALL(__VA_ARGS__).error, code)
void print(const char *s);
void print_hex(ulong v);

/* ---- traps and modes ------------------------------------------------------------------------------------------------ */

/* Of each hart: sscratch points to it. start.S knows the order. */
struct trapped {
    volatile ulong resume, sp, t0, t1, cause, epc, tval, status; /* of the last trap to S */
    volatile ulong hstatus, htval, htinst;
    volatile ulong seen; /* how many */
};
struct trapped *my_trapped(void);

#define NO_TRAP (~0ul)
/* Runs assembler in S; my_trapped()->cause is NO_TRAP, or tells the trap that ended it. Operands follow; t0 to t2 and t6 are
 * clobbered. */
#define ATTEMPT(code, outs, ins)                                                                              \
    do {                                                                                                      \
        struct trapped *t_ = my_trapped();                                                                    \
        t_->cause = NO_TRAP;                                                                                  \
        __asm__ volatile("la t6, 99f\n" REG_S "t6, 0(%[t_])\n" REG_S "sp, " REG_B "(%[t_])\n.balign 4\n" code \
                         "\n.balign 4\n99:\n" REG_S "zero, 0(%[t_])\n"                                        \
                         : outs                                                                               \
                         : [t_] "r"(t_)ins                                                                    \
                         : "t0", "t1", "t2", "t6", "memory");                                                 \
    } while (0)
#define OUT(...) __VA_ARGS__
#define IN(...)  , __VA_ARGS__

enum { MODE_U, MODE_S, MODE_VU, MODE_VS };
/* Runs fn(arg) in another mode until it traps to S or HS, usually by ecall, and returns its a0. fn may change every register. */
ulong call_mode(uint mode, void (*fn)(void), ulong arg);
/* To be called that way: count loops from a0 down, then ecall with a checksum in a0 that tells whether each was done. */
void spin_and_call(void);
ulong spin_result(ulong count);
void only_ecall(void);
void only_illegal(void);

/* ---- what there is -------------------------------------------------------------------------------------------------- */

struct found {
    ulong hart, harts; /* harts: bits */
    bool h, sstc, sscofpmf, zicfilp;
};
extern struct found found;
extern u8 found_h; /* found.h, for assembler */
void find_out(ulong hart);

/* Runs fn(arg) on another hart and waits for its end. */
void on_hart(ulong hart, void (*fn)(ulong arg), ulong arg);
void on_hart_no_wait(ulong hart, void (*fn)(ulong arg), ulong arg);
ulong this_hart(void);
void stop_hart(ulong hart); /* by HSM; it is another one */
void stop_hart_soon(ulong hart);
void start_hart(ulong hart);
void other_started(ulong hart); /* its loop */

/* After `count` cycles mip.MEIP of hart rises. */
void injector_arm(ulong hart, ulong count);

/* ---- events --------------------------------------------------------------------------------------------------------- */

enum { READ_ATTRS, WRITE_ATTRS, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, HART_UNMASK, HART_MASK };
enum { A_STATUS, A_PRIORITY, A_CONFIG, A_PREFERRED, A_PC, A_ARG, A_SEPC, A_FLAGS, A_A6, A_A7, ATTRS };
enum { UNUSED, REGISTERED, ENABLED, RUNNING, PENDING = 4, INJECTABLE = 8 };
#define EV_RAS_HIGH    0x00000000ul
#define EV_DOUBLE_TRAP 0x00000001ul
#define EV_PLATFORM    0x00004000ul
#define EV_PMU         0x00010000ul
#define EV_RAS_LOW     0x00100000ul
#define EV_SOFTWARE    0xffff0000ul
#define EV_G_SOFTWARE  0xffff8000ul

/* A registered event: ENTRY_ARG points to it. slot.S knows the order. */
struct slot {
    ulong x[32];                            /* of what was interrupted, but a6 and a7 as the handler gets them */
    ulong sepc, sstatus, hstatus, entry_pc; /* at entry */
    ulong stack;                            /* its end */
    void (*fn)(struct slot *s);
    ulong event;
    volatile ulong count, order; /* how often it ran; order: of the last time, among all events */
    ulong status;                /* STATUS read inside the handler */
    ulong bytes[512];
};
void sse_entry(void);
extern ulong sse_order;
/* Registers s for the event with fn (NULL: nothing more than the entry does), leaves it REGISTERED. */
long slot_register(struct slot *s, ulong event, void (*fn)(struct slot *s));
ulong attr_read(ulong event, ulong id);
long attr_write(ulong event, ulong id, ulong v);
/* From ENABLED or REGISTERED to UNUSED. */
void slot_remove(ulong event);

/* A context to be interrupted in S: put into the registers, then the call (a0..a7) is made, then everything is stored. */
struct context {
    ulong sstatus, hstatus, sepc, scause, stval;
    ulong x[32];
};
void context_call(const struct context *before, struct context *after);
extern char context_call_done[];

/* The logical number of the first of 16 firmware counters. */
ulong firmware_counters(void);

void test_base(void);
void test_fwft(void);
void test_time(void);
void test_traps(void);
void test_console(void);
void test_pmu(void);
void test_sse_states(void);
void test_sse_attributes(void);
void test_sse_context(void);
void test_sse_priorities(void);
void test_sse_sources(void);
void test_sse_harts(void);
void test_harts(void);
void test_suspend(void);
#endif
