/* Random page walks: loads from 16384 pages in a pseudo-random order, so that each one misses.
   STAGES 1: Sv39 in S, or at EL1; 2: with a second stage. ROUNDS of them, which the symbol bench_count tells. */
#include "common/bench.h"
#ifdef __riscv
#include "riscv.h"
#else
#include "a64.h"
#endif

typedef unsigned long u64;
#define PAGES  16384u
#define VA     0x1000000000ul /* root entry 64 */
#define TABLES (RAM + 0x1000000ul)
#define DATA   (RAM + 0x2000000ul)

#define TEXT(x) #x
#define SET(x)  __asm__(".globl bench_count\n.set bench_count, " TEXT(x))
SET(ROUNDS);

static u64 *const root = (u64 *)TABLES, *const groot = (u64 *)(TABLES + 0x4000);
static volatile u64 sink;

/* A 4 KiB mapping of PAGES pages: one level-1 table, PAGES/512 level-0 tables. */
static void map(u64 *top, u64 index, u64 tables, u64 base, u64 flags)
{
    u64 *mid = (u64 *)tables, *leaf = (u64 *)(tables + 0x1000);
    top[index] = TABLE((u64)mid);
    for (unsigned i = 0; i < PAGES; i++) {
        if (i % 512 == 0)
            mid[i / 512] = TABLE((u64)&leaf[i]);
        leaf[i] = PAGE(base + (u64)i * 4096, flags);
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
    root[0] = BLOCK(0ul, STAGE1_DEVICE);
    root[RAM >> 30] = BLOCK(RAM, STAGE1_MEMORY);
    /* Guest physical 0x100000000 on is DATA, by 4 KiB pages, in the two-stage form. */
    map(root, VA >> 30 & 511, TABLES + 0x10000, STAGES == 2 ? 0x100000000ul : DATA, STAGE1_MEMORY);
    groot[0] = BLOCK(0ul, STAGE2_DEVICE);
    groot[RAM >> 30] = BLOCK(RAM, STAGE2_MEMORY);
    map(groot, 4, TABLES + 0x100000, DATA, STAGE2_MEMORY);
    enter(walks, (u64)root, (u64)groot);
}
