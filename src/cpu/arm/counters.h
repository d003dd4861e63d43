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
/* Events; those but INST_RETIRED, CPU_CYCLES and CHAIN happen now and then. */
enum counter_event {
    EVENT_SW_INCR = 0x00,
    EVENT_INST_RETIRED = 0x08,
    EVENT_EXC_TAKEN = 0x09,
    EVENT_EXC_RETURN = 0x0a,
    EVENT_CPU_CYCLES = 0x11,
    EVENT_CHAIN = 0x1e,
    EVENT_STALL_FRONTEND = 0x23,
    EVENT_STALL_BACKEND = 0x24,
    EVENT_PMU_SNAPSHOT = 0x8127
};
void pmu_event(struct pe *p, unsigned event);
/* The same of some event counters, by bits. */
void pmu_event_on(struct pe *p, unsigned event, uint32_t counters);
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

/* One instruction that is run alone because it may set PSTATE.PPEND (rule RNZLVW). begin: before it; end: after one that took no
   exception. */
struct pmu_alone {
    uint64_t sync, pc, ppend, counter[33];
};
void pmu_alone_begin(struct pe *p, struct pmu_alone *a);
void pmu_alone_end(struct pe *p, const struct pmu_alone *a);

/* Marks overflows that are due, tells the outside of the interrupt, and returns the cycle at which one is next due. */
uint64_t pmu_update(struct pe *p);
#endif
