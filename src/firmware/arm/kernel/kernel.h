/* Inside the kernel. */
#ifndef FIRMWARE_ARM_KERNEL_H
#define FIRMWARE_ARM_KERNEL_H

#define SYS_ROUND 1 /* x0: how many rounds are done. Returns nothing */
#define SYS_EXIT  2 /* x0: how many registers were not what they had to be */
#define ROUNDS    40
/* struct frame: x0 to x30, ELR, SPSR, SP_EL0 */
#define FRAME (34 * 8)

#ifndef __ASSEMBLER__
#include "arm/common/a64.h"
struct frame {
    ulong x[31], elr, spsr, sp_el0;
};

/* Of EL1, entered once for each PE: conduit by which PSCI answers, and what firmware or hypervisor gave in x0. */
_Noreturn void kernel_main(ulong x0);
/* entry.S: leaves the kernel with a frame's registers. */
_Noreturn void kernel_return(const struct frame *f);
extern char kernel_second[], user_start[];
#endif
#endif
