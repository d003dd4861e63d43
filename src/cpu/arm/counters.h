/* Inside cpu/arm: the performance monitors' counters. Arm ARM D13 "The Performance Monitors Extension". */
#ifndef TL_CPU_ARM_COUNTERS_H
#define TL_CPU_ARM_COUNTERS_H
#include "cpu/arm/pe.h"

/* Values of PMCCNTR_EL0, PMICNTR_EL0 and PMEVCNTR<n>_EL0 now, by s.cycle. */
uint64_t pmu_cycles(const struct pe *p);
void pmu_set_cycles(struct pe *p, uint64_t value);
uint64_t pmu_instructions(const struct pe *p);
void pmu_set_instructions(struct pe *p, uint64_t value);
uint64_t pmu_event_value(const struct pe *p, unsigned n);
void pmu_set_event(struct pe *p, unsigned n, uint64_t value);
/* What counts, or where, is about to change or has: brings values up to date by what held until now, then goes on by what the
   registers say. */
void pmu_sync(struct pe *p);
/* After the state was replaced: takes over the counters as they are. */
void pmu_refresh(struct pe *p);
/* The same, and the run loop is told of an overflow that is due. */
void pmu_moved(struct pe *p);
/* The exception level changes, or the PE sleeps: that, when there is anything to count. */
static inline void pmu_level(struct pe *p)
{
    if (unlikely(p->counting))
        pmu_moved(p);
}
/* Common events (events.def). */
enum counter_event {
#define EVENT(number, name, feat, how, title) EVENT_##name = number,
#include "csr/arm/events.def"
#undef EVENT
};

/* How an event is counted: the column of events.def. What a retiring instruction does are bits, and an event is made by any of
   its bits; counters of those make the cpu run instruction by instruction. */
enum pmu_how {
    PMU_ELSEWHERE = 0,
    PMU_READS = 1,
    PMU_WRITES = 2,
    PMU_ACCESSES = PMU_READS | PMU_WRITES,
    PMU_CHANGES_PC = 4,
    PMU_BRANCHES = 8,
    PMU_IMMEDIATE = 16,
    PMU_RETURNS = 32,
    PMU_CONTEXT = 64,
    PMU_TABLES = 128,
    PMU_TRAITS = 255,
    PMU_CYCLES,
    PMU_RETIRED,
    PMU_NEVER,
    PMU_CHAIN,
    PMU_ABSENT /* there is no such event here */
};
/* retired.c: the bits of the instruction that is about to be executed, if it does not raise an exception. Arm ARM D14.1.1
   "Memory-reading instructions" and so on, D14.3.1. */
unsigned pmu_traits(const struct pe *p, uint32_t insn);
/* Whether it was a store-exclusive that did not store. */
bool pmu_store_failed(const struct pe *p, uint32_t insn);

/* An event that is told of, ELSEWHERE. */
void pmu_event(struct pe *p, unsigned event);
/* The same of some event counters, by bits. */
void pmu_event_on(struct pe *p, unsigned event, uint32_t counters);
/* EXC_TAKEN, and with FEAT_PMUv3p8 the event of an exception that is taken to `target`. Arm ARM D14.1.5. */
void pmu_exception_event(struct pe *p, const struct arm_exception *e, unsigned target);
/* PMOVSSET_EL0 now: the register, and what has overflowed since the counters were brought up to date. */
uint64_t pmu_overflows(const struct pe *p);
void pmu_set_overflows(struct pe *p, uint64_t value);
/* ---- profiling.c: overflows as exceptions. Arm ARM D13.3.2, D13.3.3
 * -------------------------------------------------------------
 */

/* The level profiling exceptions go to; 0: they are off. Arm ARM PMUExceptionEnabled. */
unsigned pmu_exception_target(const struct pe *p);
/* Whether those to `target` are masked at level `from` with PSTATE.PM as pm. Arm ARM PMUExceptionMasked. */
bool pmu_exception_masked(const struct pe *p, unsigned target, unsigned from, bool pm);
/* The level of the one that is to be taken now, synchronous with PSTATE.PPEND; 0: none is. Arm ARM CheckForPMUException. */
unsigned pmu_exception(const struct pe *p);
/* Whether overflows interrupt. Arm ARM PMUInterruptEnabled. */
bool pmu_interrupt_enabled(const struct pe *p);
/* An exception return, before anything has changed, with SPSR_ELx.PPEND: PSTATE.PPEND becomes 1. Arm ARM ExceptionReturnPPEND. */
bool pmu_return_pends(const struct pe *p, uint64_t spsr);

/* One instruction that is run alone: because it may set PSTATE.PPEND (rule RNZLVW), or because what it does is counted. begin:
   before it; end: after it, or after the exception it raised. */
struct pmu_alone {
    uint64_t sync, pc, ppend, counter[33];
    uint64_t happens, unless; /* counters, by bits, of what it does; those that remain if a store-exclusive fails */
    uint64_t shaped;          /* of those that happen, those that have thresholds */
    uint32_t insn;
};
void pmu_alone_begin(struct pe *p, struct pmu_alone *a, uint32_t insn);
void pmu_alone_end(struct pe *p, const struct pmu_alone *a, bool raised);
/* It was not executed. */
void pmu_alone_drop(struct pe *p, const struct pmu_alone *a);

/* Marks overflows that are due, tells the outside of the interrupt, and returns the cycle at which one is next due. */
uint64_t pmu_update(struct pe *p);
#endif
