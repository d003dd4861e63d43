/* Registers and fields of the privileged manual, by its names. Numbers only where the assembler may not know the name. */
#ifndef SBI_CSR_H
#define SBI_CSR_H

#define CSR_HSTATUS    0x600
#define CSR_HEDELEG    0x602
#define CSR_HTVAL      0x643
#define CSR_HTINST     0x64a
#define CSR_HGATP      0x680
#define CSR_VSSTATUS   0x200
#define CSR_VSTVEC     0x205
#define CSR_VSEPC      0x241
#define CSR_VSCAUSE    0x242
#define CSR_VSTVAL     0x243
#define CSR_STIMECMP   0x14d
#define CSR_STIMECMPH  0x15d
#define CSR_MSTATUSH   0x310
#define CSR_MEDELEG    0x302
#define CSR_MENVCFG    0x30a
#define CSR_MENVCFGH   0x31a
#define CSR_MSTATEEN0  0x30c
#define CSR_MSTATEEN0H 0x31c
#define CSR_MTINST     0x34a
#define CSR_MTVAL2     0x34b
#define CSR_MCYCLECFG  0x321
#define CSR_MSECCFG    0x747
#define CSR_MNSCRATCH  0x740
#define CSR_MNEPC      0x741
#define CSR_MNCAUSE    0x742
#define CSR_MNSTATUS   0x744
#define CSR_SCOUNTOVF  0xda0

#ifndef __ASSEMBLER__
#define MSTATUS_SIE   (1ul << 1)
#define MSTATUS_MIE   (1ul << 3)
#define MSTATUS_SPIE  (1ul << 5)
#define MSTATUS_MPIE  (1ul << 7)
#define MSTATUS_SPP   (1ul << 8)
#define MSTATUS_MPP   (3ul << 11)
#define MSTATUS_MPP_S (1ul << 11)
#define MSTATUS_FS    (3ul << 13)
#define MSTATUS_SPELP (1ul << 23)
#define MSTATUS_SDT   (1ul << 24)
/* These are in mstatush on RV32. */
#if __riscv_xlen == 64
#define HIGH_SHIFT 32
#else
#define HIGH_SHIFT 0
#endif
#define HIGH_GVA   (1ul << 6 << HIGH_SHIFT)
#define HIGH_MPV   (1ul << 7 << HIGH_SHIFT)
#define HIGH_MPELP (1ul << 9 << HIGH_SHIFT)
#define HIGH_MDT   (1ul << 10 << HIGH_SHIFT)

#define HSTATUS_GVA  (1ul << 6)
#define HSTATUS_SPV  (1ul << 7)
#define HSTATUS_SPVP (1ul << 8)

#define MSECCFG_USEED (1ul << 8)
#define MSECCFG_SSEED (1ul << 9)

/* Bit numbers of mip, mie and mideleg; with CAUSE_INTERRUPT they are causes. */
enum { IRQ_SSI = 1, IRQ_MSI = 3, IRQ_STI = 5, IRQ_MTI = 7, IRQ_SEI = 9, IRQ_MEI = 11, IRQ_LCOFI = 13 };
#define CAUSE_INTERRUPT (1ul << (__riscv_xlen - 1))
enum {
    CAUSE_INSN_MISALIGNED = 0,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_VS = 10,
    CAUSE_INSN_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
    CAUSE_DOUBLE_TRAP = 16,
    CAUSE_SOFTWARE_CHECK = 18,
    CAUSE_HARDWARE_ERROR = 19,
    CAUSE_INSN_GUEST_PAGE = 20,
    CAUSE_LOAD_GUEST_PAGE = 21,
    CAUSE_VIRTUAL_INSN = 22,
    CAUSE_STORE_GUEST_PAGE = 23,
};

/* menvcfg, 64 bits on both XLENs. */
#define ENVCFG_LPE   (1ull << 2)
#define ENVCFG_SSE   (1ull << 3)
#define ENVCFG_CBIE  (3ull << 4)
#define ENVCFG_CBCFE (1ull << 6)
#define ENVCFG_CBZE  (1ull << 7)
#define ENVCFG_PMM   (3ull << 32)
#define ENVCFG_PMM_7 (2ull << 32) /* PMLEN = 7; 3 is 16 */
#define ENVCFG_DTE   (1ull << 59)
#define ENVCFG_ADUE  (1ull << 61)
#define ENVCFG_PBMTE (1ull << 62)
#define ENVCFG_STCE  (1ull << 63)

#define CSR_TEXT_(csr) #csr
#define CSR_TEXT(csr)  CSR_TEXT_(csr)
#define csr_read(csr)                                           \
    ({                                                          \
        ulong v_;                                               \
        __asm__ volatile("csrr %0, " CSR_TEXT(csr) : "=r"(v_)); \
        v_;                                                     \
    })
#define csr_write(csr, v) __asm__ volatile("csrw " CSR_TEXT(csr) ", %0" ::"rK"((ulong)(v)) : "memory")
#define csr_set(csr, v)   __asm__ volatile("csrs " CSR_TEXT(csr) ", %0" ::"rK"((ulong)(v)) : "memory")
#define csr_clear(csr, v) __asm__ volatile("csrc " CSR_TEXT(csr) ", %0" ::"rK"((ulong)(v)) : "memory")
#endif
#endif
