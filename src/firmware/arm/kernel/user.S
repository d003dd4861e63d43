/*
 * The EL0 program: fills every general and vector register with a number of its own, works for a while, looks whether all are
 * still there, and tells its kernel; ROUNDS times. Interrupts come in between. x20 counts rounds, x21 what was wrong.
 */
#include "kernel.h"

.macro fill reg
    mov x\reg, #(0x5a00 + \reg)
    movk x\reg, #0xbeef, lsl #48
.endm
.macro verify reg
    mov x28, #(0x5a00 + \reg)
    movk x28, #0xbeef, lsl #48
    cmp x\reg, x28
    cinc x21, x21, ne
.endm
.macro vfill reg
    mov x28, #(0x7700 + \reg)
    dup v\reg\().2d, x28
.endm
.macro vverify reg
    mov x28, #(0x7700 + \reg)
    umov x27, v\reg\().d[1]
    cmp x27, x28
    cinc x21, x21, ne
.endm

.text
.globl user_start, window_start, window_end
user_start:
    mov x20, #0
    mov x21, #0
    .irp n, 0, 7, 8, 15, 16, 30, 31
    vfill \n
    .endr
again:
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 29, 30
    fill \n
    .endr
    mov x0, #3000
1:  subs x0, x0, #1
    adc x0, x0, xzr
    sub x0, x0, #1
    cmp x0, #2
    b.hi 1b
window_start:
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 29, 30
    verify \n
    .endr
    .irp n, 0, 7, 8, 15, 16, 30, 31
    vverify \n
    .endr
    add x20, x20, #1
    mov x0, x20
    svc #SYS_ROUND
window_end:
    cmp x20, #ROUNDS
    b.lo again
    mov x0, x21
    svc #SYS_EXIT
    udf #0
