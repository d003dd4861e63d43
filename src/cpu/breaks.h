/*
 * Breakpoints: virtual addresses at which a cpu stops before it executes the instruction there. Shared by both architectures.
 *
 * They live where instructions are decoded: a slot whose address in its page is that of a breakpoint gets a micro-op that looks
 * and then does the instruction apart. So a run without breakpoints pays nothing, and one with them only where they are.
 */
#ifndef TL_CPU_BREAKS_H
#define TL_CPU_BREAKS_H
#include "cpu/engine.h"

#define BREAK_ALL UINT32_MAX /* every cpu */

/* Sets or removes the breakpoint at virtual address va for the cpus whose bits are set in `cpus`. Call it between runs. */
void engine_break(struct engine *e, uint32_t cpus, uint64_t va, bool on);
/* Whether it is set for all of these cpus. */
bool engine_break_has(struct engine *e, uint32_t cpus, uint64_t va);
/* Removes all of them, and frees what they took. */
void engine_break_none(struct engine *e);
/* Whether a breakpoint may be at `offset` of some page: decoding must put its looking micro-op there. */
bool engine_break_offset(const struct engine *e, unsigned offset);
/* Whether c stops now, before the instruction at pc: notes the stop in c->stop, and that going on from this very boundary (pc and
   cycle) goes over it. */
bool cpu_break_here(struct cpu *c, uint64_t pc, uint64_t cycle);
#endif
