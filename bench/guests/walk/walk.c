/* Random page walks: loads from 16384 pages in a pseudo-random order, so that each one misses.
   STAGES 1: Sv39 in S; 2: Sv39 over Sv39x4 in VS. ROUNDS of them, which the symbol bench_count tells. */
#include "common/bench.h"

typedef unsigned long u64;
#define PAGES          16384u
#define VA             0x1000000000ul /* root entry 64 */
#define TABLES         0x81000000ul
#define DATA           0x82000000ul
#define PTE(pa, flags) ((pa) >> 12 << 10 | (flags))

#define TEXT(x) #x
#define SET(x)  __asm__(".globl bench_count\n.set bench_count, " TEXT(x))
SET(ROUNDS);

static u64 *const root = (u64 *)TABLES, *const groot = (u64 *)(TABLES + 0x4000);
static volatile u64 sink;

/* A 4 KiB mapping of PAGES pages: one level-1 table, PAGES/512 level-0 tables. */
static void map(u64 *top, u64 index, u64 tables, u64 base, u64 flags)
{
    u64 *mid = (u64 *)tables, *leaf = (u64 *)(tables + 0x1000);
    top[index] = PTE((u64)mid, 1);
    for (unsigned i = 0; i < PAGES; i++) {
        if (i % 512 == 0)
            mid[i / 512] = PTE((u64)&leaf[i], 1);
        leaf[i] = PTE(base + (u64)i * 4096, flags);
    }
}

void walks(void)
{
    u64 sum = 0;
    unsigned x = 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        x = x * 1664525u + 1013904223u;
        sum += *(volatile u64 *)(VA + (u64)(x >> 10 & (PAGES - 1)) * 4096);
    }
    sink = sum;
    BENCH_FINISH(0);
    for (;;)
        ;
}

void bench_main(void)
{
    root[0] = PTE(0, 0xcf);
    root[2] = PTE(0x80000000ul, 0xcf);
    /* Guest physical 0x100000000 on is DATA, by 4 KiB pages, in the two-stage form. */
    map(root, VA >> 30 & 511, TABLES + 0x10000, STAGES == 2 ? 0x100000000ul : DATA, 0xcf);
    groot[0] = PTE(0, 0xdf);
    groot[2] = PTE(0x80000000ul, 0xdf);
    map(groot, 4, TABLES + 0x100000, DATA, 0xdf);
    WRITE_CSR(pmpaddr0, -1ul);
    WRITE_CSR(pmpcfg0, 0x1f);
    WRITE_CSR(satp, STAGES == 1 ? 8ul << 60 | (u64)root >> 12 : 0);
#if STAGES == 2
    WRITE_CSR(0x280, 8ul << 60 | (u64)root >> 12);  /* vsatp */
    WRITE_CSR(0x680, 8ul << 60 | (u64)groot >> 12); /* hgatp */
#endif
    WRITE_CSR(mepc, walks);
    WRITE_CSR(mstatus, 1ul << 11 | (STAGES == 2 ? 1ul << 39 : 0));
    __asm__ volatile("mret");
}
