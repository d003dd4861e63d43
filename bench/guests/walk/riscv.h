/* Sv39 for the benchmark of page walks, and how its loop is entered: in S, or in VS over Sv39x4. */
#define RAM              0x80000000ul
#define TABLE(pa)        ((pa) >> 12 << 10 | 1)
#define PAGE(pa, flags)  ((pa) >> 12 << 10 | (flags))
#define BLOCK(pa, flags) PAGE(pa, flags)
#define STAGE1_DEVICE    0xcf
#define STAGE1_MEMORY    0xcf
#define STAGE2_DEVICE    0xdf
#define STAGE2_MEMORY    0xdf

static void enter(void (*loop)(void), unsigned long root, unsigned long groot)
{
    WRITE_CSR(pmpaddr0, -1ul);
    WRITE_CSR(pmpcfg0, 0x1f);
    WRITE_CSR(satp, STAGES == 1 ? 8ul << 60 | root >> 12 : 0);
#if STAGES == 2
    WRITE_CSR(0x280, 8ul << 60 | root >> 12);  /* vsatp */
    WRITE_CSR(0x680, 8ul << 60 | groot >> 12); /* hgatp */
#endif
    (void)groot;
    WRITE_CSR(mepc, loop);
    WRITE_CSR(mstatus, 1ul << 11 | (STAGES == 2 ? 1ul << 39 : 0));
    __asm__ volatile("mret");
}
