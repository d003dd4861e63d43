/* Bits of the status and configuration registers that traps, returns and interrupts use. RV64 layout, as stored also on RV32. */
#ifndef TL_CPU_RISCV_STATUS_H
#define TL_CPU_RISCV_STATUS_H
#include "base/bits.h"

/* mstatus, and where they exist there sstatus and vsstatus (priv 3.1.6; hypervisor 9.4.1; smdbltrp, ssdbltrp, cfi). */
#define MSTATUS_SIE   (UINT64_C(1) << 1)
#define MSTATUS_MIE   (UINT64_C(1) << 3)
#define MSTATUS_SPIE  (UINT64_C(1) << 5)
#define MSTATUS_MPIE  (UINT64_C(1) << 7)
#define MSTATUS_SPP   (UINT64_C(1) << 8)
#define MSTATUS_MPP   (UINT64_C(3) << 11)
#define MSTATUS_FS    (UINT64_C(3) << 13)
#define MSTATUS_MPRV  (UINT64_C(1) << 17)
#define MSTATUS_TVM   (UINT64_C(1) << 20)
#define MSTATUS_TW    (UINT64_C(1) << 21)
#define MSTATUS_TSR   (UINT64_C(1) << 22)
#define MSTATUS_SPELP (UINT64_C(1) << 23)
#define MSTATUS_SDT   (UINT64_C(1) << 24)
#define MSTATUS_GVA   (UINT64_C(1) << 38)
#define MSTATUS_MPV   (UINT64_C(1) << 39)
#define MSTATUS_MPELP (UINT64_C(1) << 41)
#define MSTATUS_MDT   (UINT64_C(1) << 42)
#define SPP_SHIFT     8
#define MPP_SHIFT     11
#define SPELP_SHIFT   23
#define UXL_SHIFT     32 /* mstatus.UXL, vsstatus.UXL, hstatus.VSXL */
#define SXL_SHIFT     34
#define MGVA_SHIFT    38
#define MPV_SHIFT     39
#define MPELP_SHIFT   41
#define PIE_FROM_IE   4 /* xPIE is 4 bits above xIE, for M and S alike */

/* hstatus (hypervisor 9.2.1). */
#define HSTATUS_GVA  (UINT64_C(1) << 6)
#define HSTATUS_SPV  (UINT64_C(1) << 7)
#define HSTATUS_SPVP (UINT64_C(1) << 8)
#define HSTATUS_HU   (UINT64_C(1) << 9)
#define HSTATUS_VTVM (UINT64_C(1) << 20)
#define HSTATUS_VTW  (UINT64_C(1) << 21)
#define HSTATUS_VTSR (UINT64_C(1) << 22)
#define HGVA_SHIFT   6
#define SPV_SHIFT    7
#define SPVP_SHIFT   8
#define VGEIN_SHIFT  12

/* menvcfg, henvcfg, senvcfg (priv 3.1.18); mseccfg. */
#define ENVCFG_LPE   (UINT64_C(1) << 2)
#define ENVCFG_DTE   (UINT64_C(1) << 59)
#define ENVCFG_STCE  (UINT64_C(1) << 63)
#define MSECCFG_MLPE (UINT64_C(1) << 10)

/* mnstatus (Smrnmi). */
#define MNSTATUS_NMIE   (UINT64_C(1) << 3)
#define MNSTATUS_MNPV   (UINT64_C(1) << 7)
#define MNSTATUS_MNPELP (UINT64_C(1) << 9)
#define MNSTATUS_MNPP   (UINT64_C(3) << 11)
#define MNPV_SHIFT      7
#define MNPELP_SHIFT    9
#define MNPP_SHIFT      11

/* Interrupt numbers (priv table "mcause values"). */
enum {
    IRQ_SSI = 1,
    IRQ_VSSI = 2,
    IRQ_MSI = 3,
    IRQ_STI = 5,
    IRQ_VSTI = 6,
    IRQ_MTI = 7,
    IRQ_SEI = 9,
    IRQ_VSEI = 10,
    IRQ_MEI = 11,
    IRQ_SGEI = 12,
    IRQ_LCOFI = 13
};
#define MIP(irq) (UINT64_C(1) << (irq))
/* Interrupts of VS level: numbered one higher than the supervisor ones they become in vscause (hypervisor 9.2.3). */
#define MIP_VS (MIP(IRQ_VSSI) | MIP(IRQ_VSTI) | MIP(IRQ_VSEI))

#define MTVEC_VECTORED UINT64_C(1)
#define MISA_C         (UINT64_C(1) << 2)
#endif
