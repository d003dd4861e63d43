/* The oracle of supervisor software events as the judge of a sweep's cases: what the firmware does with an event must be what SBI
   v3.0 says, edits of the handler included; a context that the handler did not edit must come back as it was. */
#ifndef TL_DEBUG_RISCV_JUDGE_H
#define TL_DEBUG_RISCV_JUDGE_H
#include "debug/sweep.h"

extern const struct sweep_judge sbi_judge;
#endif
