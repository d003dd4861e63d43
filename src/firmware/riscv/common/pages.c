/* Page tables: Sv39 and Sv39x4 on RV64, Sv32 and Sv32x4 on RV32 (priv, "Page-Based Virtual-Memory Systems", "hgatp"). */
#include "riscv/common/payload.h"

#if __riscv_xlen == 64
enum { LEVELS = 3, INDEX_BITS = 9, MODE_SHIFT = 60, MODE_SV = 8, VMID_SHIFT = 44 };
#else
enum { LEVELS = 2, INDEX_BITS = 10, MODE_SHIFT = 31, MODE_SV = 1, VMID_SHIFT = 22 };
#endif

static ulong pte(unsigned long long pa, ulong flags) { return (ulong)(pa >> 12 << 10) | flags | PTE_V; }

void pages_map(struct tables *t, ulong va, unsigned long long pa, uint level, ulong flags)
{
    ulong *table = t->root;
    for (uint l = LEVELS - 1;; l--) {
        uint bits = INDEX_BITS + (t->second_stage && l == LEVELS - 1 ? 2 : 0);
        ulong *entry = &table[va >> (12 + INDEX_BITS * l) & ((1ul << bits) - 1)];
        if (l == level) {
            *entry = pte(pa, flags | PTE_A | PTE_D);
            return;
        }
        if (!(*entry & PTE_V)) {
            if (!t->free)
                finish_with(EXIT_CONFIG, "no page is left for page tables", "");
            t->free--;
            *entry = pte((ulong)t->pool, 0);
            t->pool += PAGE;
        }
        table = (ulong *)(*entry >> 10 << 12);
    }
}

ulong pages_atp(const struct tables *t)
{
    return (ulong)MODE_SV << MODE_SHIFT | (t->second_stage ? 1ul << VMID_SHIFT : 0) | (ulong)t->root >> 12;
}

void pages_map_host(struct tables *t)
{
    ulong region = REGION_SIZE;
    ulong base = (ulong)payload_base;
    /* The image: host, what is below it, scratch. What is below it comes page by page when it has pages of the user's. */
    pages_map(t, base, base, 1, PTE_RWX);
    pages_map(t, base + 2 * region, base + 2 * region, 1, PTE_R | PTE_W);
    for (ulong va = (ulong)lower_s_start; va < (ulong)lower_u_start; va += PAGE)
        pages_map(t, va, va, 0, PTE_R | PTE_W);
    for (ulong va = (ulong)lower_u_start; va < (ulong)lower_data_end; va += PAGE)
        pages_map(t, va, va, 0, PTE_RWX | PTE_U);
    /* The finisher and the 16550, the injector. */
    pages_map(t, 0x100000, 0x100000, 0, PTE_R | PTE_W);
    pages_map(t, 0x3000000, 0x3000000, 0, PTE_R | PTE_W);
    pages_map(t, 0x10000000, 0x10000000, 0, PTE_R | PTE_W);
}
