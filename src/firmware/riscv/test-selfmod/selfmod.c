/*
 * Code that changes under the hart that runs it, or under another. trapline lets a fetch see every earlier store, with and
 * without fence.i, which unpriv Zifencei permits; what must hold on every machine holds with the fence.
 */
#include "common/test.h"

#define LI(rd, n) ((uint)(n) << 20 | (rd) << 7 | 0x13u) /* addi rd, x0, n */
#define RET       0x00008067u
#define PATCHES   3000u

static uint code[2048] __attribute__((aligned(4096)));

static ulong run(uint *at) { return ((ulong(*)(ulong))at)(0); }

/* A store to the very next instruction, without a fence, again and again. */
static void next_instruction(void)
{
    for (uint i = 0; i < 50; i++) {
        ulong got = 0, insn = LI(10, i);
        __asm__ volatile("la t0, 1f\nsw %1, 0(t0)\n1: li a0, 99\nmv %0, a0" : "=r"(got) : "r"(insn) : "t0", "a0", "memory");
        CHECK_EQ(got, i);
    }
    /* The same over a distance, half a word at a time, and by bytes. */
    for (uint i = 0; i < 50; i++) {
        ulong got = 0, insn = LI(10, i);
        __asm__ volatile("la t0, 1f\nsh %1, 0(t0)\nsrli t1, %1, 16\nsh t1, 2(t0)\nnop\nnop\n1: li a0, 99\nmv %0, a0"
                         : "=r"(got)
                         : "r"(insn)
                         : "t0", "t1", "a0", "memory");
        CHECK_EQ(got, i);
        insn = LI(10, i + 100);
        __asm__ volatile("la t0, 1f\nsb %1, 0(t0)\nsrli t1, %1, 8\nsb t1, 1(t0)\nsrli t1, t1, 8\nsb t1, 2(t0)\nsrli t1, t1, 8\n"
                         "sb t1, 3(t0)\n1: li a0, 99\nmv %0, a0"
                         : "=r"(got)
                         : "r"(insn)
                         : "t0", "t1", "a0", "memory");
        CHECK_EQ(got, i + 100);
    }
}

/* A loop that changes its own body on each turn, with branches both ways inside a page. */
static void own_loop(void)
{
    ulong sum;
    __asm__ volatile(
        "li %0, 0\nli t1, 0\nla t0, 2f\nli t2, 0x00000513\n" /* li a0, 0 */
        "1: slli t3, t1, 20\nor t3, t3, t2\nsw t3, 0(t0)\n"
        ".option push\n.option norvc\n2: li a0, 0\n.option pop\nadd %0, %0, a0\naddi t1, t1, 1\nli t4, 200\nbltu t1, t4, 1b"
        : "=&r"(sum)
        :
        : "t0", "t1", "t2", "t3", "t4", "a0", "memory");
    CHECK_EQ(sum, 199 * 200 / 2);
}

static void function_with_and_without_a_fence(void)
{
    for (uint i = 0; i < PATCHES; i++) {
        code[0] = LI(10, i & 0x7ff);
        code[1] = RET;
        if (i & 1)
            __asm__ volatile("fence.i" ::: "memory");
        CHECK_EQ(run(code), i & 0x7ff);
    }
}

/* Data beside code: many stores to a page that holds code, then the code again, then new code. */
static void data_beside_code(void)
{
    volatile uint *data = code + 512;
    code[0] = LI(10, 7);
    code[1] = RET;
    for (uint k = 0; k < 40; k++) {
        for (uint i = 0; i < 400; i++)
            data[i & 255] = i + k;
        CHECK_EQ(run(code), 7 + (k & 1));
        code[0] = LI(10, 7 + (~k & 1));
    }
    CHECK_EQ(data[5], 261 + 39);
}

/* An instruction of 4 bytes whose second half lies on the next page; either half changes. */
static void across_pages(void)
{
#ifdef __riscv_compressed
    unsigned short *half = (unsigned short *)code + 2047;
    for (uint i = 0; i < 100; i++) {
        uint insn = LI(10, i);
        half[0] = (unsigned short)insn;
        half[1] = (unsigned short)(insn >> 16);
        half[2] = 0x8082; /* ret */
        CHECK_EQ(run((uint *)half), i);
        half[1] = (unsigned short)(LI(10, i + 1) >> 16);
        CHECK_EQ(run((uint *)half), i + 1);
    }
#else
    uint *last = code + 1023;
    for (uint i = 0; i < 100; i++) {
        last[0] = LI(10, i);
        last[1] = 0x00150513; /* addi a0, a0, 1 */
        last[2] = RET;
        CHECK_EQ(run(last), i + 1);
    }
#endif
}

/* Atomics and block stores write code, too. */
static void other_ways_to_store(void)
{
    code[0] = LI(10, 1);
    code[1] = RET;
    CHECK_EQ(run(code), 1);
    __asm__ volatile("amoswap.w zero, %1, (%0)" ::"r"(code), "r"(LI(10, 2)) : "memory");
    CHECK_EQ(run(code), 2);
    __asm__ volatile("amoadd.w zero, %1, (%0)" ::"r"(code), "r"(1u << 20) : "memory");
    CHECK_EQ(run(code), 3);
    __asm__ volatile("1: lr.w t0, (%0)\nsc.w t0, %1, (%0)\nbnez t0, 1b" ::"r"(code), "r"(LI(10, 4)) : "t0", "memory");
    CHECK_EQ(run(code), 4);
    code[0] = 0; /* not an instruction */
    ulong value = 0;
    ATTEMPT("jalr ra, 0(%[f])", , IN([f] "r"(code), [v] "r"(value)));
    CHECK_EQ(MY_TRAP->cause, 2);
    CHECK_EQ(MY_TRAP->epc, (ulong)code);
    code[0] = LI(10, 5);
    CHECK_EQ(run(code), 5);
}

/* Another hart writes the code that this one runs, by the manual's protocol: store, fence, tell; fence.i before the run. */
static volatile uint turn, served, others;
static uint shared_code[1024] __attribute__((aligned(4096)));

void test_other(ulong hart)
{
    if (hart != 1)
        return;
    others = 1;
    for (uint i = 1;; i++) {
        while (turn != i)
            ;
        shared_code[0] = LI(10, i & 0x7ff);
        __asm__ volatile("fence rw, rw" ::: "memory");
        served = i;
    }
}

static void from_another_hart(void)
{
    for (uint i = 0; i < 20000 && !others; i++)
        __asm__ volatile("nop");
    if (!others)
        return; /* one hart only */
    shared_code[1] = RET;
    for (uint i = 1; i < 200; i++) {
        turn = i;
        while (served != i)
            ;
        __asm__ volatile("fence.i" ::: "memory");
        CHECK_EQ(run(shared_code), i & 0x7ff);
    }
}

void test_main(void)
{
    next_instruction();
    own_loop();
    function_with_and_without_a_fence();
    data_beside_code();
    across_pages();
    other_ways_to_store();
    from_another_hart();
    put_text("self-modifying code: all checks hold\n");
}
