/* A task, as words of XLEN: where tp points in S-mode, and sscratch while the user program runs. */
#ifndef FIRMWARE_RISCV_KERNEL_TASK_H
#define FIRMWARE_RISCV_KERNEL_TASK_H

#define TASK_KERNEL_SP 0
#define TASK_USER_SP   1
#define TASK_WORDS     2

/* What the vector keeps on the stack: x1..x31 by number, then: */
#define FRAME_SSTATUS 32
#define FRAME_SEPC    33
#define FRAME_STVAL   34
#define FRAME_SCAUSE  35
#define FRAME_WORDS   36

/* System calls, in a7. */
#define SYS_COUNT  1 /* a0: the number of this call; returns how many the kernel has counted */
#define SYS_INJECT 2 /* let the event come, from the kernel */
#define SYS_EXIT   3
#define SYS_FAIL   4 /* the program has found a0 where a1 must be */
#endif
