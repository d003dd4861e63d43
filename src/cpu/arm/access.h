/* Inside cpu/arm: the memory paths that handlers and the run loop share. */
#ifndef TL_CPU_ARM_ACCESS_H
#define TL_CPU_ARM_ACCESS_H
#include "cpu/arm/pe.h"

/* In a tag of the soft TLB: the page permits aligned accesses only (Device memory, SCTLR_ELx.A). The fast path never matches it:
   what that compares has no bit in this place, however the access is aligned. */
#define TLB_ALIGNED 0x400u

/* Loads of `count` elements of `size` bytes (1, 2, 4, 8, 16), one behind the other from va on, into slow.data as they lie in
   memory, but reversed each if this level's data is big-endian. False: p->exc. */
bool pe_load(struct pe *p, uint64_t va, unsigned size, unsigned count, const struct access_mode *m);
/* The same to memory, from slow.data. */
bool pe_store(struct pe *p, uint64_t va, unsigned size, unsigned count, const struct access_mode *m);
/* For exclusives and atomics of `size` bytes (1 to 16) at va: permitted as `a`, in RAM (its own page if a is a store). slow.host
   may be read; write with pe_ram_store at slow.pa, after which the fast path may know the page. False: p->exc. */
bool pe_atomic(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m);
/* Stores to RAM at a physical address inside one 4 KiB page, size <= 8; keeps decoded code, translations and monitors true.
   False: not RAM. */
bool pe_ram_store(struct pe *p, uint64_t pa, unsigned size, uint64_t value);
/* Zeroes `size` bytes (a power of two up to 2048, va aligned to it): DC ZVA and its like. False: p->exc. */
bool pe_zero(struct pe *p, uint64_t va, unsigned size, const struct access_mode *m);
/* An alignment fault of a plain load or store at va, into p->exc; false. */
bool pe_alignment_fault(struct pe *p, uint64_t va, enum access a);
/* Another PE is about to run while this one's monitor is armed: its stores must be seen. */
void pe_watch_monitor(struct pe *p);
/* The instruction at pc, without the decoded-page cache; slow.guarded: its page is. False: p->exc. */
bool pe_fetch(struct pe *p, uint64_t pc, uint32_t *insn);
/* The decoded page that holds pc, entered in the fetch context; NULL: slow.value says if it is a fault (p->exc) or a page that
   can't be cached. */
struct code_page *pe_fetch_page(struct pe *p, uint64_t pc);
/* Chooses the translation contexts of the current level. */
void pe_context(struct pe *p);

/* The code page's kind: whether it is guarded (BTI). */
enum { CODE_PLAIN, CODE_GUARDED };
#endif
