/* What assembly for both XLENs needs. */
#ifndef FIRMWARE_RISCV_COMMON_ASM_H
#define FIRMWARE_RISCV_COMMON_ASM_H

#if __riscv_xlen == 64
#define LX   ld
#define SX   sd
#define XB   8
#define WORD .dword
#else
#define LX   lw
#define SX   sw
#define XB   4
#define WORD .word
#endif

/* Fields of sstatus and hstatus (priv, "Supervisor Status Register", "Hypervisor Status Register"). */
#define SSTATUS_SIE  (1 << 1)
#define SSTATUS_SPIE (1 << 5)
#define SSTATUS_SPP  (1 << 8)
#define SSTATUS_FS   (3 << 13)
#define SSTATUS_VS   (3 << 9)
#define SSTATUS_SUM  (1 << 18)
#define SSTATUS_SDT  (1 << 24)
#define HSTATUS_GVA  (1 << 6)
#define HSTATUS_SPV  (1 << 7)
#define HSTATUS_SPVP (1 << 8)
#define HSTATUS_VTW  (1 << 21)

/* SBI extensions and functions that handlers call (SBI v3.0). */
#define EID_PMU        0x504d55
#define PMU_START      3
#define PMU_STOP       4
#define EID_SSE        0x535345
#define SSE_READ_ATTR  0
#define SSE_WRITE_ATTR 1
#define SSE_COMPLETE   6
#define SSE_INJECT     7
#define ATTR_SEPC      6 /* interrupted sepc, flags, a6, a7 follow each other */
#define ATTR_A6        8

/* An address at which no machine has anything, and which no page table maps: a load there is an access fault or a page fault. The
   guest's tables map the same virtual address to a guest physical one that its hypervisor has not mapped. */
#define ABSENT_ADDRESS 0x08000000
#define GUEST_FAULT_VA 0x08000000

/* The finisher ends a run with an exit code: codes << 16 | 0x3333, or 0x5555 for 0. Codes of the payloads: */
#define FINISHER_ADDRESS 0x100000
#define EXIT_MISMATCH    1 /* a check of the payload's own failed */
#define EXIT_CONFIG      2 /* -append, or the machine lacks what the payload needs */
#define EXIT_TRAP        3 /* the host took a trap that nothing explains */
#define EXIT_GUEST       4 /* the guest or the user program found something that cannot be */
#define EXIT_FIRMWARE    5 /* an SBI call failed that the scenario needs */
#define EXIT_LOST        6 /* a handler's completion did not leave the handler */
#endif
