/* Inside cpu/arm: self-hosted debug. Arm ARM D2. */
#ifndef TL_CPU_ARM_DEBUG_H
#define TL_CPU_ARM_DEBUG_H
#include "cpu/arm/pe.h"

/* Whether debug exceptions are enabled from level el with PSTATE.D as mask. Arm ARM AArch64.GenerateDebugExceptionsFrom. */
bool debug_enabled_from(const struct pe *p, unsigned el, bool mask);
/* PSTATE.SS after an exception return with this SPSR. Arm ARM DebugExceptionReturnSS. */
uint64_t debug_return_ss(const struct pe *p, uint64_t spsr);
/* How many of `count` breakpoints or watchpoints can be enabled now: those from 16 on ask MDSCR_EL1.EMBWE and what is above it.
 */
unsigned debug_usable(const struct pe *p, uint64_t count);
/* Whether each instruction must be looked at, before or after: the software step is active or a breakpoint may match. */
bool debug_steps(const struct pe *p);
/* Whether a watchpoint may match loads and stores of this level. */
bool debug_watches(const struct pe *p);
/* A load or store of `size` bytes matches a watchpoint: p->exc is set. Arm ARM AArch64.CheckWatchpoint. */
bool debug_watchpoint(struct pe *p, uint64_t va, unsigned size, enum access a, const struct access_mode *m);
/* Before the instruction at s.pc, when debug_steps: an exception is due, and in p->exc, of the software step, of a breakpoint. */
bool debug_step_due(struct pe *p);
bool debug_breakpoint_due(struct pe *p);
/* Whether the next instruction is stepped: the state machine is active and not pending. */
bool debug_stepping(const struct pe *p);
/* After an instruction that was run alone, which took no exception unless `taken`. stepping: debug_stepping before it.
   exclusive: it was a load exclusive. */
void debug_after(struct pe *p, bool stepping, bool taken, bool exclusive);
/* The instruction that was executed last turns out not to be, where it was stepped: the other way round. */
void debug_retreat(struct pe *p);
/* SVC, HVC and SMC count as stepped before their exception. Arm ARM SSAdvance. */
void debug_advance(struct pe *p);
#endif
