/* The SBI Timer extension (SBI v3.0, chapter TIME): by stimecmp where there is Sstc, else by the ACLINT's MTIMER. */
#include "fw.h"

void timer_set(struct hart *h, u64 when)
{
    if (h->has.sstc) {
#if __riscv_xlen == 64
        csr_write(CSR_STIMECMP, when);
#else
        csr_write(CSR_STIMECMP, -1ul); /* no false interrupt in between */
        csr_write(CSR_STIMECMPH, when >> 32);
        csr_write(CSR_STIMECMP, when);
#endif
        return;
    }
#if __riscv_xlen == 64
    *(volatile u64 *)(MTIMECMP_BASE + 8 * h->id) = when;
#else
    MMIO32(MTIMECMP_BASE + 8 * h->id) = -1u;
    MMIO32(MTIMECMP_BASE + 8 * h->id + 4) = (u32)(when >> 32);
    MMIO32(MTIMECMP_BASE + 8 * h->id) = (u32)when;
#endif
    csr_clear(mip, 1 << IRQ_STI);
    csr_set(mie, 1 << IRQ_MTI);
}

/* The time has come: S gets its interrupt, M no more until the next call. */
void timer_take(void)
{
    csr_clear(mie, 1 << IRQ_MTI);
    csr_set(mip, 1 << IRQ_STI);
}

struct sbiret sbi_time(struct hart *h, ulong fid, const ulong *a)
{
    if (fid)
        return RET(SBI_ERR_NOT_SUPPORTED);
    pmu_fw_event(h, FW_SET_TIMER);
#if __riscv_xlen == 64
    timer_set(h, a[0]);
#else
    timer_set(h, a[0] | (u64)a[1] << 32);
#endif
    return RET(SBI_SUCCESS);
}
