/*
 * One journey through the privilege modes: M -> HS -> VS -> HS -> M, each hop told with the registers that the trap or return
 * wrote. It ends by the test finisher with 0 if every hop arrived as the privileged manual says, else with the number of the hop.
 */
#include "common/print.h"

#define READ(csr)                                      \
    ({                                                 \
        unsigned long v_;                              \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)); \
        v_;                                            \
    })
#define WRITE(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"((unsigned long)(v)))

#define MPP_SHIFT     11
#define SPV           (1ul << 7)
#define SPVP          (1ul << 8)
#define SPP           (1ul << 8)
#define ECALL_FROM_S  9
#define ECALL_FROM_VS 10
#if __riscv_xlen == 64
#define MPV(status) ((status) >> 39 & 1)
#else
#define MPV(status) (READ(mstatush) >> 7 & 1)
#endif

void hs_entry(void);
void vs_entry(void);

static _Noreturn void finish(unsigned long code)
{
    for (;;)
        *(volatile unsigned int *)0x100000ul = code ? (unsigned int)(code << 16 | 0x3333) : 0x5555;
}

static void check(int ok, unsigned long hop)
{
    if (ok)
        return;
    put_value("  wrong at hop ", hop);
    put_char('\n');
    finish(hop);
}

void m_main(void)
{
    put_text("M    reset: opens memory to S by PMP, delegates cause 10 to HS, and returns into HS\n");
    WRITE(pmpaddr0, -1ul);
    WRITE(pmpcfg0, 0x1f);
    WRITE(medeleg, 1ul << ECALL_FROM_VS);
    unsigned long mstatus = READ(mstatus);
    WRITE(mstatus, (mstatus & ~(3ul << MPP_SHIFT)) | 1ul << MPP_SHIFT);
    WRITE(mepc, hs_entry);
    put_value("       mret: mepc=", READ(mepc));
    put_value(" mstatus=", READ(mstatus));
    put_text(" (MPP=1, MPV=0)\n");
    __asm__ volatile("mret");
    __builtin_unreachable();
}

void hs_main(void)
{
    put_text("HS   sets hstatus.SPV, and returns into VS\n");
    WRITE(hstatus, READ(hstatus) | SPV | SPVP);
    WRITE(sstatus, READ(sstatus) | SPP);
    WRITE(sepc, vs_entry);
    put_value("       sret: sepc=", READ(sepc));
    put_value(" hstatus=", READ(hstatus));
    put_text(" (SPV=1, SPVP=1)\n");
    __asm__ volatile("sret");
    __builtin_unreachable();
}

void vs_main(void)
{
    put_text("VS   the guest: calls its hypervisor\n       ecall\n");
    __asm__ volatile("ecall");
    __builtin_unreachable();
}

void hs_trap(void)
{
    unsigned long scause = READ(scause), hstatus = READ(hstatus), sstatus = READ(sstatus);
    put_value("HS   trap: scause=", scause);
    put_value(" sepc=", READ(sepc));
    put_value(" hstatus=", hstatus);
    put_value(" sstatus=", sstatus);
    put_text(" (SPV=1, SPP=1: it came from VS)\n       ecall\n");
    check(scause == ECALL_FROM_VS, 3);
    check((hstatus & SPV) && (hstatus & SPVP) && (sstatus & SPP), 3);
    __asm__ volatile("ecall");
    __builtin_unreachable();
}

void m_trap(void)
{
    unsigned long mcause = READ(mcause), mstatus = READ(mstatus);
    put_value("M    trap: mcause=", mcause);
    put_value(" mepc=", READ(mepc));
    put_value(" mstatus=", mstatus);
    put_text(" (MPP=1, MPV=0: it came from HS)\n");
    check(mcause == ECALL_FROM_S, 4);
    check((mstatus >> MPP_SHIFT & 3) == 1 && !MPV(mstatus), 4);
    put_text("The journey is over; everything arrived as it should.\n");
    finish(0);
}
