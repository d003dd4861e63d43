/*
 * Double traps in M (Smdbltrp) with resumable non-maskable interrupts (Smrnmi), and double traps in S (Ssdbltrp).
 * Run with -cpu smrnmi=on,nmi=0x80000400,nmi-exception=0x80000500, with and without smdbltrp=on.
 */
#include "common/test.h"

#if __riscv_xlen == 64
#define GET_MDT()   (READ(mstatus) >> 42 & 1)
#define SET_MDT()   SET(mstatus, 1ul << 42)
#define CLEAR_MDT() CLEAR(mstatus, 1ul << 42)
#define DTE_ON()    SET(menvcfg, 1ul << 59)
#else
#define GET_MDT()   (READ(0x310) >> 10 & 1)
#define SET_MDT()   SET(0x310, 1ul << 10)
#define CLEAR_MDT() CLEAR(0x310, 1ul << 10)
#define DTE_ON()    SET(0x31a, 1ul << 27)
#endif
#define NMIE 8ul
#define MNPP (3ul << 11)
#define SDT  (1ul << 24)

/* What the NMI handler saw. It goes back to where the attempt ends. */
volatile ulong nmi_seen, nmi_cause, nmi_epc, nmi_status, nmi_back, exception_seen;
__asm__(".section .text.start\n.balign 1024\n"
        "    la t0, nmi_seen\n    li t1, 1\n    " REG_S "t1, 0(t0)\n"
        "    la t0, nmi_cause\n    csrr t1, 0x742\n    " REG_S "t1, 0(t0)\n"
        "    la t0, nmi_epc\n    csrr t1, 0x741\n    " REG_S "t1, 0(t0)\n"
        "    la t0, nmi_status\n    csrr t1, 0x744\n    " REG_S "t1, 0(t0)\n"
        "    la t0, nmi_back\n    " REG_L "t1, 0(t0)\n    csrw 0x741, t1\n"
        "    .word 0x70200073\n" /* mnret */
        ".balign 256\n"          /* an exception in M while NMIE is 0 */
        "    la t0, exception_seen\n    csrr t1, mcause\n    " REG_S "t1, 0(t0)\n"
        "    la t0, nmi_back\n    " REG_L "t1, 0(t0)\n    csrw mepc, t1\n    mret\n"
        ".text\n");

static void after_reset(int smdbltrp)
{
    CHECK_EQ(GET_MDT(), smdbltrp);
    CHECK_EQ(READ(0x744) & NMIE, 0);
    if (smdbltrp) {
        SET(mstatus, 8); /* MIE cannot be set while MDT is */
        CHECK_EQ(READ(mstatus) & 8, 0);
        CLEAR_MDT();
        CHECK_EQ(GET_MDT(), 0);
    } else {
        /* With NMIE clear an exception in M goes to the other vector, with the usual registers. (With Smdbltrp it would be the
         * end.) */
        __asm__ volatile("la t0, 1f\n" REG_S "t0, (%0)\necall\n1:" ::"r"(&nmi_back) : "t0", "t1", "memory");
        CHECK_EQ(exception_seen, 11);
    }
    SET(0x744, NMIE);
    CHECK(READ(0x744) & NMIE);
    CLEAR(0x744, NMIE); /* can be set, not cleared */
    CHECK(READ(0x744) & NMIE);
}

static void one_trap_sets_mdt(void)
{
    ATTEMPT("ecall", , );
    CHECK_EQ(MY_TRAP->cause, 11);
#if __riscv_xlen == 64
    CHECK_EQ(MY_TRAP->status >> 42 & 1, 1);
#endif
    CHECK_EQ(GET_MDT(), 0);
    SET(mstatus, 8);
    CHECK_EQ(READ(mstatus) & 8, 8);
    SET_MDT(); /* setting it clears MIE */
    CHECK_EQ(READ(mstatus) & 8, 0);
    CLEAR_MDT();
}

static void a_second_trap_goes_to_the_nmi_handler(void)
{
    ulong at;
    for (uint i = 0; i < 20; i++) {
        nmi_seen = 0;
        WRITE(mepc, 0x1234);
        WRITE(mcause, 5);
        SET_MDT();
        __asm__ volatile("la t0, 1f\n" REG_S "t0, (%1)\nla %0, 2f\n.balign 4\n2: ecall\n1:"
                         : "=&r"(at)
                         : "r"(&nmi_back)
                         : "t0", "t1", "memory");
        CHECK_EQ(nmi_seen, 1);
        CHECK_EQ(nmi_cause, 11); /* what made it a double trap, without the interrupt bit */
        CHECK_EQ(nmi_epc, at);
        CHECK_EQ(nmi_status & MNPP, MNPP);
        CHECK_EQ(nmi_status & NMIE, 0);
        CHECK(READ(0x744) & NMIE);    /* mnret sets it */
        CHECK_EQ(READ(mepc), 0x1234); /* the first trap's registers are as they were */
        CHECK_EQ(READ(mcause), 5);
        CHECK_EQ(GET_MDT(), 1); /* mnret back to M leaves it */
        CLEAR_MDT();
    }
}

/* ---- S ----------------------------------------------------------------------------------------------------------- */

static ulong trap_twice_in_s(ulong arg)
{
    /* stvec leads to an illegal instruction: the trap there is the second one. */
    __asm__ volatile("la t0, 1f\ncsrw stvec, t0\ncsrc sstatus, %0\n.word 0\n.balign 4\n1: .word 0" ::"r"(SDT) : "t0", "memory");
    return arg;
}

static void a_double_trap_in_s_goes_to_m(void)
{
    open_pmp();
    DTE_ON();
    WRITE(medeleg, 1 << 2); /* illegal instructions to S */
    (void)call_mode(MODE_S, trap_twice_in_s, 0);
    CHECK_EQ(MY_TRAP->cause, 16);
    CHECK_EQ(READ(0x34b), 2); /* mtval2: what the second one was */
    CHECK_EQ(MY_TRAP->status >> 11 & 3, MODE_S);
}

void test_other(ulong hart) { (void)hart; }

void test_main(void)
{
    int smdbltrp = GET_MDT() == 1;
    after_reset(smdbltrp);
    if (smdbltrp) {
        one_trap_sets_mdt();
        a_second_trap_goes_to_the_nmi_handler();
    }
    a_double_trap_in_s_goes_to_m();
    put_text("double traps: all checks hold\n");
}
