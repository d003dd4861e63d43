/* Landing pads (Zicfilp) in M and S, and shadow stacks (Zicfiss) in S and U. The instructions are written as words. unpriv and
 * priv "CFI". */
#include "common/test.h"

#define LPAD(label)   ".word 0x17 | " #label " << 12\n"
#define SSPUSH_X1     ".word 0xce104073\n"
#define SSPUSH_X5     ".word 0xce504073\n"
#define SSPOPCHK_X1   ".word 0xcdc0c073\n"
#define SSPOPCHK_X5   ".word 0xcdc2c073\n"
#define C_SSPUSH_X1   ".half 0x6081\n"
#define C_SSPOPCHK_X5 ".half 0x6281\n"
#define SSRDP_A0      ".word 0xcdc04573\n"
#define NOP4          ".word 0x13\n"
#define MLPE          1024ul

/* An indirect jump in M to an instruction: `jump` goes to t0; t2 (x7) holds the label. */
#define LAND(jump, align, target, t2)                                                                                           \
    ATTEMPT("li t2, " #t2 "\nla t0, 1f\ncsrs 0x747, %[b]\n" jump "\n.balign 4\n.option push\n.option norvc\n" align "1:" target \
            "csrc 0x747, %[b]\n.option pop\n",                                                                                  \
            , IN([b] "r"(MLPE)) CLOBBERED)
#define CLOBBERED

static void refused(uint line)
{
    CLEAR(0x747, MLPE);
    if (MY_TRAP->cause != 18 || MY_TRAP->tval != 2)
        test_failed(line, MY_TRAP->cause);
}

static void accepted(uint line)
{
    if (MY_TRAP->cause != NO_TRAP)
        test_failed(line, MY_TRAP->cause);
}

/* The compiler must not keep values in t0, t1, t2, ra over these. */
static void __attribute__((noinline)) landing_pads_in_m(void)
{
    __asm__ volatile("" ::: "ra", "t0", "t1", "t2");
    LAND("mv a6, t0\njalr t1, 0(a6)", "", LPAD(0), 0x5000);
    accepted(__LINE__);
    LAND("mv a6, t0\njalr t1, 0(a6)", "", LPAD(5), 0x5000);
    accepted(__LINE__);
    LAND("mv a6, t0\njalr t1, 0(a6)", "", LPAD(6), 0x5000); /* another label */
    refused(__LINE__);
    LAND("mv a6, t0\njalr t1, 0(a6)", "", LPAD(0), 0x7000); /* 0 lands whatever is expected */
    accepted(__LINE__);
    LAND("mv a6, t0\njalr t1, 0(a6)", "", NOP4, 0);
    refused(__LINE__);
    LAND("jr t0", "", NOP4, 0); /* t0 is a link register: no landing pad is expected */
    accepted(__LINE__);
    LAND("mv a6, t0\njr a6", "", NOP4, 0);
    refused(__LINE__);
    LAND("mv a6, t0\n.option push\n.option rvc\nc.jr a6\n.option pop", "", NOP4, 0);
    refused(__LINE__);
    LAND("mv a6, t0\njr a6", "", LPAD(0), 0);
    accepted(__LINE__);
    LAND("mv ra, t0\nret", "", NOP4, 0);
    accepted(__LINE__);
    LAND("mv t2, t0\njr t2", "", NOP4, 0); /* x7: guarded by software */
    accepted(__LINE__);
    LAND("mv a6, t0\njr a6", ".option rvc\nc.nop\n.option norvc\n", LPAD(0), 0); /* not 4-byte aligned */
    refused(__LINE__);
    LAND("j 1f", "", NOP4, 0); /* direct */
    accepted(__LINE__);
    LAND("j 1f", "", LPAD(9), 0x5000); /* reached in order or by a direct jump, a landing pad does nothing */
    accepted(__LINE__);
}

/* ---- S ----------------------------------------------------------------------------------------------------------- */

static ulong land_in_s(ulong on_pad)
{
    ulong r;
    __asm__ volatile("la a6, 1f\nla a5, 2f\nbnez %1, 3f\nmv a6, a5\n3: li %0, 0\njr a6\n.balign 4\n.option push\n.option norvc\n"
                     "1: " LPAD(0) "li %0, 1\nj 4f\n2: li %0, 2\n4:\n.option pop"
                     : "=&r"(r)
                     : "r"(on_pad)
                     : "a5", "a6");
    return r;
}

static void landing_pads_in_s(void)
{
    CHECK_EQ(call_mode(MODE_S, land_in_s, 0), 2);
    CHECK_EQ(MY_TRAP->cause, 9);
    SET(menvcfg, 4); /* LPE */
    /* call_mode enters by mret, and the function returns through ra: neither wants a landing pad. */
    CHECK_EQ(call_mode(MODE_S, land_in_s, 1), 1);
    CHECK_EQ(MY_TRAP->cause, 9);
    (void)call_mode(MODE_S, land_in_s, 0);
    CHECK_EQ(MY_TRAP->cause, 18);
    CHECK_EQ(MY_TRAP->tval, 2);
#if __riscv_xlen == 64
    CHECK(MY_TRAP->status >> 41 & 1); /* MPELP: it was expected */
#endif
    CLEAR(menvcfg, 4);
}

/* ---- shadow stacks ----------------------------------------------------------------------------------------------- */

#define PAGE   4096ul
#define WINDOW 0x40000000ul
enum { V = 1, R = 2, W = 4, X = 8, U = 16, A = 64, D = 128 };
#define RWXAD   (V | R | W | X | A | D)
#define ENTRIES (PAGE / sizeof(ulong))
static volatile ulong root[ENTRIES] __attribute__((aligned(4096))), mid[ENTRIES] __attribute__((aligned(4096))),
    leaf[ENTRIES] __attribute__((aligned(4096))), stack[ENTRIES] __attribute__((aligned(4096)));

static void set_up(ulong user)
{
    ulong all = RWXAD | user;
#if __riscv_xlen == 64
    root[0] = all;
    root[2] = 0x80000000ul >> 2 | all;
    root[1] = (ulong)mid >> 2 | V;
    mid[0] = (ulong)leaf >> 2 | V;
    WRITE(satp, 8ul << 60 | (ulong)root >> 12);
#else
    (void)mid;
    root[0] = all;
    for (ulong i = 0; i < 4; i++)
        root[(0x80000000ul >> 22) + i] = (0x80000000ul + (i << 22)) >> 2 | all;
    root[WINDOW >> 22] = (ulong)leaf >> 2 | V;
    WRITE(satp, 1ul << 31 | (ulong)root >> 12);
#endif
    leaf[0] = (ulong)stack >> 2 | V | W | A | D | user; /* a shadow-stack page: W alone */
    leaf[1] = (ulong)stack >> 2 | V | R | W | A | D | user;
    leaf[2] = (ulong)stack >> 2 | V | R | A | user;
}

enum { PUSH_POP, COMPRESSED, MISMATCH, PLAIN_STORE, PLAIN_LOAD, PUSH_ONLY, READ_POINTER, SWAP };
static volatile ulong ssp_start;

static ulong shadow(ulong what)
{
    ulong r = 0;
    switch (what) {
    case PUSH_POP:
        __asm__ volatile("mv a4, ra\nmv a5, t0\nli ra, 0x123\nli t0, 0x456\n" SSPUSH_X1 SSPUSH_X5
                         "csrr %0, 0x011\nmv ra, t0\n" SSPOPCHK_X1 "li t0, 0x123\n" SSPOPCHK_X5 "mv ra, a4\nmv t0, a5"
                         : "=&r"(r)
                         :
                         : "a4", "a5", "memory");
        return r;
    case COMPRESSED:
        __asm__ volatile("mv a4, ra\nmv a5, t0\nli ra, 0x789\nmv t0, ra\n" C_SSPUSH_X1 "csrr %0, 0x011\n" C_SSPOPCHK_X5
                         "mv ra, a4\nmv t0, a5"
                         : "=&r"(r)
                         :
                         : "a4", "a5", "memory");
        return r;
    case MISMATCH:
        __asm__ volatile("mv a4, ra\nli ra, 1\n" SSPUSH_X1 "li ra, 2\n" SSPOPCHK_X1 "mv ra, a4" : : : "a4", "memory");
        return 0;
    case PLAIN_STORE: *(volatile ulong *)WINDOW = 1; return 0;
    case PLAIN_LOAD: return *(volatile ulong *)(WINDOW + PAGE - sizeof(ulong));
    case PUSH_ONLY: __asm__ volatile(SSPUSH_X1 ::: "memory"); return 0;
    case READ_POINTER: {
        register ulong a0 __asm__("a0") = 99;
        __asm__ volatile(SSRDP_A0 : "+r"(a0));
        return a0;
    }
    default: /* ssamoswap.w a0, a1, (a2) */
    {
        register ulong a0 __asm__("a0") = 0;
        register ulong a1 __asm__("a1") = 0x77;
        register ulong a2 __asm__("a2") = WINDOW;
        __asm__ volatile(".word 0x48b6252f" : "+r"(a0) : "r"(a1), "r"(a2) : "memory");
        return a0;
    }
    }
}

static ulong in_mode(uint mode, ulong ssp, ulong what)
{
    WRITE(0x011, ssp);
    return call_mode(mode, shadow, what);
}

static void shadow_stacks_on(uint mode)
{
    ulong top = WINDOW + PAGE, size = sizeof(ulong), ecall = mode == MODE_S ? 9 : 8;
    stack[ENTRIES - 1] = stack[ENTRIES - 2] = 0;
    CHECK_EQ(in_mode(mode, top, PUSH_POP), top - 2 * size);
    CHECK_EQ(MY_TRAP->cause, ecall);
    CHECK_EQ(stack[ENTRIES - 1], 0x123);
    CHECK_EQ(stack[ENTRIES - 2], 0x456);
    CHECK_EQ(READ(0x011), top);
    CHECK_EQ(in_mode(mode, top, COMPRESSED), top - size);
    CHECK_EQ(MY_TRAP->cause, ecall);
    CHECK_EQ(stack[ENTRIES - 1], 0x789);
    (void)in_mode(mode, top, MISMATCH);
    CHECK_EQ(MY_TRAP->cause, 18);
    CHECK_EQ(MY_TRAP->tval, 3);
    CHECK_EQ(READ(0x011), top - size);           /* a failed check pops nothing */
    CHECK_EQ(in_mode(mode, top, PLAIN_LOAD), 1); /* plain loads may read it */
    (void)in_mode(mode, top, PLAIN_STORE);
    CHECK_EQ(MY_TRAP->cause, 7); /* plain stores may not write it: an access fault */
    CHECK_EQ(MY_TRAP->tval, WINDOW);
    (void)in_mode(mode, top + PAGE, PUSH_ONLY); /* to an ordinary page */
    CHECK_EQ(MY_TRAP->cause, 7);
    CHECK_EQ(MY_TRAP->tval, top + PAGE - size);
    CHECK_EQ(READ(0x011), top + PAGE);
    (void)in_mode(mode, top + 2 * PAGE, PUSH_ONLY); /* to a read-only page: a page fault, so that it may be copied on write */
    CHECK_EQ(MY_TRAP->cause, 15);
    (void)in_mode(mode, top + 3 * PAGE, PUSH_ONLY); /* to nothing */
    CHECK_EQ(MY_TRAP->cause, 15);
    CHECK_EQ(in_mode(mode, top - 64, READ_POINTER), top - 64);
    *(volatile uint *)stack = 0x55;
    CHECK_EQ(in_mode(mode, top, SWAP), 0x55);
    CHECK_EQ(MY_TRAP->cause, ecall);
    CHECK_EQ(*(volatile uint *)stack, 0x77);
}

/* Where they are off, all but ssamoswap are may-be operations: nothing happens, and ssrdp reads zero. */
static void shadow_stacks_off(uint mode)
{
    ulong ecall = mode == MODE_S ? 9 : 8;
    stack[ENTRIES - 1] = 5;
    WRITE(0x011, WINDOW + PAGE);
    (void)call_mode(mode, shadow, PUSH_ONLY);
    CHECK_EQ(MY_TRAP->cause, ecall);
    (void)call_mode(mode, shadow, MISMATCH);
    CHECK_EQ(MY_TRAP->cause, ecall);
    CHECK_EQ(stack[ENTRIES - 1], 5);
    CHECK_EQ(call_mode(mode, shadow, READ_POINTER), 0);
    CHECK_EQ(READ(0x011), WINDOW + PAGE);
    (void)call_mode(mode, shadow, SWAP);
    CHECK_EQ(MY_TRAP->cause, 2);
}

void test_other(ulong hart) { (void)hart; }

void test_main(void)
{
    open_pmp();
    landing_pads_in_m();
    landing_pads_in_s();
    set_up(0);
    shadow_stacks_off(MODE_S);
    SET(menvcfg, 8); /* SSE */
    shadow_stacks_on(MODE_S);
    set_up(U);
    shadow_stacks_off(MODE_U);
    SET(senvcfg, 8);
    shadow_stacks_on(MODE_U);
    /* In M they are never active. */
    ATTEMPT(SSPUSH_X1, , );
    CHECK_EQ(MY_TRAP->cause, NO_TRAP);
    /* There are no shadow-stack pages without translation, nor for M. */
    ATTEMPT("mv t0, %[at]\n.word 0x4802a02f", , IN([at] "r"(stack))); /* ssamoswap.w x0, x0, (t0) */
    CHECK_EQ(MY_TRAP->cause, 7);
    WRITE(satp, 0);
    (void)in_mode(MODE_S, (ulong)stack + 64, PUSH_ONLY);
    CHECK_EQ(MY_TRAP->cause, 7);
    put_text("control-flow integrity: all checks hold\n");
}
