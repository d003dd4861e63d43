/*
 * Guests that test themselves: an entry for every hart, a trap handler that notes a trap and goes on, calls into other modes. The
 * run ends by the finisher: code 0, or the number of the line whose check failed. Include it in one source of the image only.
 *
 * Hart 0 runs test_main, the others test_other. A trap outside an attempt or call ends the run with code 0x4000 | cause.
 */
#ifndef FIRMWARE_COMMON_TEST_H
#define FIRMWARE_COMMON_TEST_H
#include "common/print.h"

typedef unsigned long ulong;
typedef unsigned int uint;

#if __riscv_xlen == 64
#define REG_S         "sd "
#define REG_L         "ld "
#define REG_B         "8"
#define TRAPPED_SHIFT "6" /* of the size of struct trapped */
#define INTERRUPT     (1ul << 63)
#define CLEAR_MPELP   "    li t0, 1 << 41\n    csrc mstatus, t0\n"
#else
#define REG_S         "sw "
#define REG_L         "lw "
#define REG_B         "4"
#define TRAPPED_SHIFT "5"
#define INTERRUPT     (1ul << 31)
#define CLEAR_MPELP   "    li t0, 1 << 9\n    csrc 0x310, t0\n"
#endif

enum { MODE_U = 0, MODE_S = 1, MODE_M = 3 };

/* What the last trap to M of this hart wrote; of[hart], in the order that the handler below knows. */
struct trapped {
    volatile ulong resume, sp, t0, t1, cause, epc, tval, status;
};
extern struct trapped trapped_of[8];

#define FINISH(code) (*(volatile uint *)0x100000ul = (code) ? (uint)(code) << 16 | 0x3333u : 0x5555u)
#define READ(csr)                                      \
    ({                                                 \
        ulong v_;                                      \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)); \
        v_;                                            \
    })
#define WRITE(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define SET(csr, v)   __asm__ volatile("csrs " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define CLEAR(csr, v) __asm__ volatile("csrc " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define MY_TRAP       (&trapped_of[READ(mhartid)])

static void __attribute__((noinline, unused)) test_failed(uint line, ulong got)
{
    put_value("line ", line);
    put_value(", value ", got);
    put_value(", last cause ", trapped_of[0].cause);
    put_value(" epc ", trapped_of[0].epc);
    put_value(" tval ", trapped_of[0].tval);
    put_char('\n');
    FINISH(line);
    for (;;)
        ;
}

#define CHECK(cond)                   \
    do {                              \
        if (!(cond))                  \
            test_failed(__LINE__, 0); \
    } while (0)
#define CHECK_EQ(a, b)                 \
    do {                               \
        ulong a_ = (ulong)(a);         \
        if (a_ != (ulong)(b))          \
            test_failed(__LINE__, a_); \
    } while (0)

#define NO_TRAP (~0ul)
/* Runs assembler in M; MY_TRAP->cause is NO_TRAP, or tells the trap that ended it. t0-t2, t6 and a6 are clobbered. Operands
 * follow, with ':' before inputs. */
#define ATTEMPT(code, outs, ins)                                                                                   \
    do {                                                                                                           \
        struct trapped *t_ = MY_TRAP;                                                                              \
        t_->cause = NO_TRAP;                                                                                       \
        __asm__ volatile("la t6, 99f\n" REG_S "t6, 0(%[t_])\n" REG_S "sp, " REG_B "(%[t_])\n" code "\n99:\n" REG_S \
                         "zero, 0(%[t_])\n"                                                                        \
                         : outs                                                                                    \
                         : [t_] "r"(t_)ins                                                                         \
                         : "t0", "t1", "t2", "t6", "a6", "memory");                                                \
    } while (0)
#define OUT(...) __VA_ARGS__
#define IN(...)  , __VA_ARGS__

/* The cause of a load or store at address a; `value` gets or gives the data. */
#define ATTEMPT_LOAD(insn, value, a)  ATTEMPT(insn " %[v_], 0(%[a_])", OUT([v_] "+&r"(value)), IN([a_] "r"((ulong)(a))))
#define ATTEMPT_STORE(insn, value, a) ATTEMPT(insn " %[v_], 0(%[a_])", , IN([v_] "r"((ulong)(value)), [a_] "r"((ulong)(a))))

/* Calls fn(arg) in a lower mode with interrupts as mstatus has them. Comes back when it traps to M: an ecall returns its a0. */
static ulong __attribute__((noinline, unused)) call_mode(uint mode, ulong (*fn)(ulong), ulong arg)
{
    struct trapped *t = MY_TRAP;
    t->cause = NO_TRAP;
    CLEAR(mstatus, 3 << 11);
    SET(mstatus, (ulong)mode << 11);
    WRITE(mepc, fn);
    register ulong a0 __asm__("a0") = arg;
    register struct trapped *at __asm__("a1") = t;
    /* The frame pointer is not in use; everything else may be changed by what is called. */
    __asm__ volatile("la t6, 98f\n" REG_S "t6, 0(a1)\n" REG_S "sp, " REG_B "(a1)\n"
                     "la ra, test_leave\nmret\n98:\n"
                     : "+r"(a0), "+r"(at)
                     :
                     : "memory", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a2", "a3", "a4", "a5", "a6", "a7", "s0", "s1",
                       "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
    return a0;
}

/* Lets S and U reach everything, where there is PMP. */
static void __attribute__((unused)) open_pmp(void)
{
    WRITE(pmpaddr0, -1ul);
    WRITE(pmpcfg0, 0x1f);
}

void test_main(void);
void test_other(ulong hart);

__asm__(".section .text.start\n"
        ".globl _start\n"
        "_start:\n"
        "    csrr a0, mhartid\n"
        "    la sp, test_stacks\n"
        "    slli t0, a0, 13\n"
        "    add sp, sp, t0\n"
        "    li t0, 8192\n"
        "    add sp, sp, t0\n"
        "    la t0, test_trap\n"
        "    csrw mtvec, t0\n"
        "    la t0, trapped_of\n"
        "    slli t1, a0, " TRAPPED_SHIFT "\n"
        "    add t0, t0, t1\n"
        "    csrw mscratch, t0\n"
        "    bnez a0, 1f\n"
        "    call test_main\n"
        "    li t0, 0x100000\n"
        "    li t1, 0x5555\n"
        "    sw t1, 0(t0)\n"
        "2:  j 2b\n"
        "1:  call test_other\n"
        "3:  wfi\n"
        "    j 3b\n"
        ".globl test_leave\n"
        "test_leave:\n"
        "    ecall\n"
        ".balign 4\n"
        ".globl test_trap\n"
        "test_trap:\n"
        "    csrrw t6, mscratch, t6\n"
        "    " REG_S "t0, 2*" REG_B "(t6)\n"
        "    csrr t0, mcause\n"
        "    " REG_S "t0, 4*" REG_B "(t6)\n"
        "    csrr t0, mepc\n"
        "    " REG_S "t0, 5*" REG_B "(t6)\n"
        "    csrr t0, mtval\n"
        "    " REG_S "t0, 6*" REG_B "(t6)\n"
        "    csrr t0, mstatus\n"
        "    " REG_S "t0, 7*" REG_B "(t6)\n"
        "    " REG_L "t0, 0(t6)\n"
        "    beqz t0, 9f\n"
        "    csrw mepc, t0\n"
        "    li t0, 0x1880\n" /* back to M, interrupts off */
        "    csrs mstatus, t0\n"
        "    li t0, 0x20080\n"               /* no MPRV either */
        "    csrc mstatus, t0\n" CLEAR_MPELP /* no landing pad is expected where it goes on */
        "    " REG_S "zero, 0(t6)\n"
        "    " REG_L "sp, " REG_B "(t6)\n"
        "    " REG_L "t0, 2*" REG_B "(t6)\n"
        "    csrrw t6, mscratch, t6\n"
        "    mret\n"
        "9:  csrr t0, mcause\n" /* nobody expected it */
        "    andi t0, t0, 255\n"
        "    li t6, 0x4000\n"
        "    or t0, t0, t6\n"
        "    slli t0, t0, 16\n"
        "    li t6, 0x3333\n"
        "    or t0, t0, t6\n"
        "    li t6, 0x100000\n"
        "    sw t0, 0(t6)\n"
        "8:  j 8b\n"
        ".bss\n"
        ".balign 64\n"
        ".globl trapped_of\n"
        "trapped_of: .space 512\n"
        ".balign 16\n"
        "test_stacks: .space 65536\n"
        ".text\n");
#endif
