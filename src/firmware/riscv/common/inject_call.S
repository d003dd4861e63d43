/* One SSE inject call with every register known before and kept after it. */
#include "riscv/common/asm.h"

/* struct inject_frame of inject.c: x0..x31 before, x0..x31 after, 16 words of ours, a flag. */
#define BEFORE     0
#define AFTER      (32 * XB)
#define SAVED      (64 * XB)
#define REDIRECTED (80 * XB)

.option norelax
.text
/* What the C calling convention wants back. */
.macro KEPT op
    \op ra, SAVED + 0 * XB(a1)
    \op sp, SAVED + 1 * XB(a1)
    \op gp, SAVED + 2 * XB(a1)
    \op tp, SAVED + 3 * XB(a1)
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    \op s\n, SAVED + (4 + \n) * XB(a1)
.endr
.endm

.globl inject_call, inject_point, inject_resume, inject_redirected
/* Loads x1..x31 from inject_frame.before, calls, stores them into .after. What a1 was is lost: the call changes it. */
inject_call:
    la a1, inject_frame
    KEPT SX
    mv x31, a1
.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    LX x\n, BEFORE + \n * XB(x31)
.endr
inject_point:
    ecall
inject_resume:
    la a1, inject_frame
    SX zero, REDIRECTED(a1)
    j 1f
inject_redirected: /* where HK6 lets it go on */
    la a1, inject_frame
    SX a1, REDIRECTED(a1)
1:
.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    SX x\n, AFTER + \n * XB(a1)
.endr
    KEPT LX
    ret

.globl other_vector
.balign 4
other_vector:
    j normal_vector
