/* The order of the tests, and what they stand on. */
#include "test.h"

extern struct trapped trapped_of[8]; /* 128 bytes apart: start.S */
struct found found;
u8 found_h;
static uint failures;

/* ---- calls and printing --------------------------------------------------------------------------------------------- */

struct sbiret __attribute__((noinline)) sbi(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2, ulong a3, ulong a4, ulong a5)
{
    register ulong r0 __asm__("a0") = a0, r1 __asm__("a1") = a1, r2 __asm__("a2") = a2, r3 __asm__("a3") = a3;
    register ulong r4 __asm__("a4") = a4, r5 __asm__("a5") = a5, r6 __asm__("a6") = fid, r7 __asm__("a7") = eid;
    __asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r3), "r"(r4), "r"(r5), "r"(r6), "r"(r7) : "memory");
    return (struct sbiret){(long)r0, r1};
}

void print(const char *s)
{
    while (*s)
        CALL(DBCN, 2, *s++);
}

void print_hex(ulong v)
{
    print("0x");
    int shift = __riscv_xlen - 4;
    while (shift > 0 && !(v >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        CALL(DBCN, 2, "0123456789abcdef"[v >> shift & 15]);
}

void check_failed(const char *name, const char *file, uint line, ulong got)
{
    failures++;
    print("FAILED ");
    print(name);
    print(": ");
    print(file);
    print(" ");
    print_hex(line);
    print(", value ");
    print_hex(got);
    print("\n");
}

static void __attribute__((noreturn)) end(uint reason)
{
    CALL(SRST, 0, 0, reason);
    for (;;)
        ;
}

void unexpected_trap(void)
{
    struct trapped *t = my_trapped();
    t->resume = 0;
    print("unexpected trap: cause ");
    print_hex(t->cause);
    print(", epc ");
    print_hex(t->epc);
    print(", tval ");
    print_hex(t->tval);
    print("\n");
    end(1);
}

struct trapped *my_trapped(void) { return (struct trapped *)READ(sscratch); }

/* ---- harts ---------------------------------------------------------------------------------------------------------- */

ulong this_hart(void) { return (READ(sscratch) - (ulong)trapped_of) / 128; }

/* What another hart is to do: fn, then `done`. */
static struct {
    void (*volatile fn)(ulong arg);
    volatile ulong arg;
    volatile ulong done;
} work[8];

void on_hart_no_wait(ulong hart, void (*fn)(ulong arg), ulong arg)
{
    work[hart].done = 0;
    work[hart].arg = arg;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    work[hart].fn = fn;
}

void on_hart(ulong hart, void (*fn)(ulong arg), ulong arg)
{
    on_hart_no_wait(hart, fn, arg);
    while (!work[hart].done)
        ;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void other_started(ulong hart)
{
    WRITE(sie, 0);
    for (;;) {
        void (*fn)(ulong) = work[hart].fn;
        if (!fn)
            continue;
        work[hart].fn = NULL;
        fn(work[hart].arg);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        work[hart].done = 1;
    }
}

/* Extensions are found by what is readable, not by what the firmware says. */
static bool csr_is_there_hstatus(void)
{
    ATTEMPT("csrr t0, 0x600", , );
    return my_trapped()->cause == NO_TRAP;
}
static bool csr_is_there_stimecmp(void)
{
    ATTEMPT("csrr t0, 0x14d", , );
    return my_trapped()->cause == NO_TRAP;
}
static bool csr_is_there_scountovf(void)
{
    ATTEMPT("csrr t0, 0xda0", , );
    return my_trapped()->cause == NO_TRAP;
}

void find_out(ulong hart)
{
    found.hart = hart;
    found.h = csr_is_there_hstatus();
    found_h = found.h;
    found.sstc = csr_is_there_stimecmp();
    found.sscofpmf = csr_is_there_scountovf();
    for (ulong i = 0; i < 8; i++)
        if (!CALL(HSM, 2, i).error)
            found.harts |= 1ul << i;
}

ulong spin_result(ulong count)
{
    ulong sum = 0;
    while (count) {
        sum = (sum + 2 * sum) ^ count;
        count--;
    }
    return sum;
}

void injector_arm(ulong hart, ulong count)
{
    volatile u32 *channel = (volatile u32 *)0x3000000;
    channel[0] = (u32)count;
    channel[1] = 0;
    channel[2] = (u32)hart;
    channel[3] = 11; /* mip.MEIP */
    channel[4] = 3;  /* ARM, LEVEL 1 */
}

void test_main(ulong hart)
{
    WRITE(sie, 0);
    find_out(hart);
    print(found.h ? "test-sbi: H\n" : "test-sbi: no H\n");
    test_base();
    test_fwft();
    test_time();
    test_traps();
    test_pmu();
    test_sse_states();
    test_sse_attributes();
    test_sse_context();
    test_sse_priorities();
    test_sse_sources();
    test_harts();
    test_sse_harts();
    test_suspend();
    test_console();
    if (failures) {
        print_hex(failures);
        print(" checks FAILED\n");
        end(1);
    }
    print("all checks hold\n");
    end(0);
}
