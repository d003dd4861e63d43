/* Inside cpu/riscv: the memory paths that handlers and the run loop share. */
#ifndef TL_CPU_RISCV_ACCESS_H
#define TL_CPU_RISCV_ACCESS_H
#include "cpu/riscv/hart.h"
#include "cpu/riscv/status.h"

#define CACHE_BLOCK_BYTES 64 /* of Zicbom, Zicbop, Zicboz */
#define RESERVATION_BYTES 64 /* LR/SC reservation set: naturally aligned (unpriv A 12.2) */

/* Chooses the translation contexts of the current mode (and MPRV) for fetch and data. */
void hart_context(struct hart *h);
/* The same in line, for a change of mode. */
static inline void hart_context_quick(struct hart *h)
{
    struct cpu *c = &h->cpu;
    struct tlb_ctx *t = h->mode_ctx[h->s.v << 2 | h->s.priv];
    if (unlikely(!t) || unlikely(t->gen != c->engine->gen) || unlikely(h->s.csr.mstatus & MSTATUS_MPRV)) {
        hart_context(h);
        return;
    }
    c->fetch_ctx = c->data_ctx = t;
    c->ftlb = t->f;
    c->tlb = t->d;
    h->plain = (struct access_mode){.priv = h->s.priv, .v = h->s.v};
}
/* The same after something the contexts' keys depend on has changed. */
void hart_context_changed(struct hart *h);
/* Where in the host's memory the plain load or store at va, XLEN 64, is made, if that can be told by mmu_quick and nobody else
   needs to know of it; else NULL: by hart_load or hart_store. The soft TLB knows the page afterwards. */
const uint8_t *hart_quick_load(struct hart *h, uint64_t va);
uint8_t *hart_quick_store(struct hart *h, uint64_t va);
/* Stores to RAM at a physical address inside one 4 KiB page, size <= 8; keeps decoded code, translations and reservations true.
 * False: not RAM. */
bool ram_store(struct hart *h, uint64_t pa, unsigned size, uint64_t value);
/* For LR, SC and AMOs at va: aligned, permitted as `a`, in RAM (writable if a is a store). h->slow.host may be read; write with
   ram_store at h->slow.pa. False: h->trap. */
enum atomic_kind { ATOMIC_LR, ATOMIC_SC, ATOMIC_AMO };
bool hart_atomic(struct hart *h, uint64_t va, unsigned size, enum access a, enum atomic_kind kind, const struct access_mode *m);
/* cbo.*: checks the cache block that va is in, and zeroes it if asked to. False: h->trap. */
bool hart_block(struct hart *h, uint64_t va, bool zero);
void hart_reserve(struct hart *h, uint64_t pa, unsigned size);
/* Another hart is about to run while this one holds a reservation: its stores must be seen. */
void hart_watch_reservation(struct hart *h);
/* The instruction at pc, 2 or 4 bytes, without the decoded-page cache. False: h->trap. */
bool hart_fetch(struct hart *h, uint64_t pc, uint32_t *insn);
/* The decoded page that holds pc, entered in the fetch context; NULL: h->slow.value says if it is
   a fault (h->trap) or a page that can't be cached. */
struct code_page *hart_fetch_page(struct hart *h, uint64_t pc);
#endif
