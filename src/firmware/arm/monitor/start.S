/* Entry of every PE, vectors, and the Secure EL1 service. */
#include "arm/common/a64.h"

.macro vector target
.balign 128
    b \target
.endm

.section .text.start
.globl _start, off_again
_start:
    mov x20, x0
    mov x21, x1
    bl pe_setup
    cbnz x22, 1f
    mov x0, x20
    mov x1, x21
    bl monitor_main
1:  bl monitor_second
off_again:
    bl pe_setup
    bl psci_wait

/* A PE's stack and vectors; its number goes to x22. */
pe_setup:
    mrs x22, mpidr_el1
    and x22, x22, #0xff
    adrp x0, stacks
    add x0, x0, :lo12:stacks
    add x1, x22, #1
    add x0, x0, x1, lsl #12
    mov sp, x0
    adr x0, vectors
    msr vbar_el3, x0
    isb
    ret

.text
/* x0: the frame. */
.globl leave
leave:
    mov sp, x0
leave_frame:
    ldp x0, x1, [sp, #31 * 8]
    msr elr_el3, x0
    msr spsr_el3, x1
    ldr x0, [sp, #33 * 8]
    msr scr_el3, x0
    isb
    ldp x2, x3, [sp, #2 * 8]
    ldp x4, x5, [sp, #4 * 8]
    ldp x6, x7, [sp, #6 * 8]
    ldp x8, x9, [sp, #8 * 8]
    ldp x10, x11, [sp, #10 * 8]
    ldp x12, x13, [sp, #12 * 8]
    ldp x14, x15, [sp, #14 * 8]
    ldp x16, x17, [sp, #16 * 8]
    ldp x18, x19, [sp, #18 * 8]
    ldp x20, x21, [sp, #20 * 8]
    ldp x22, x23, [sp, #22 * 8]
    ldp x24, x25, [sp, #24 * 8]
    ldp x26, x27, [sp, #26 * 8]
    ldp x28, x29, [sp, #28 * 8]
    ldr x30, [sp, #30 * 8]
    ldp x0, x1, [sp]
    add sp, sp, #34 * 8
    eret

lower_sync:
    sub sp, sp, #34 * 8
    stp x0, x1, [sp]
    stp x2, x3, [sp, #2 * 8]
    stp x4, x5, [sp, #4 * 8]
    stp x6, x7, [sp, #6 * 8]
    stp x8, x9, [sp, #8 * 8]
    stp x10, x11, [sp, #10 * 8]
    stp x12, x13, [sp, #12 * 8]
    stp x14, x15, [sp, #14 * 8]
    stp x16, x17, [sp, #16 * 8]
    stp x18, x19, [sp, #18 * 8]
    stp x20, x21, [sp, #20 * 8]
    stp x22, x23, [sp, #22 * 8]
    stp x24, x25, [sp, #24 * 8]
    stp x26, x27, [sp, #26 * 8]
    stp x28, x29, [sp, #28 * 8]
    str x30, [sp, #30 * 8]
    mrs x0, elr_el3
    mrs x1, spsr_el3
    stp x0, x1, [sp, #31 * 8]
    mrs x0, scr_el3
    str x0, [sp, #33 * 8]
    mov x0, sp
    bl monitor_call
    b leave_frame

unexpected:
    mrs x0, esr_el3
    mrs x1, elr_el3
    bl monitor_lost

.balign 2048
vectors:
    .rept 8
    vector unexpected
    .endr
    vector lower_sync
    .rept 7
    vector unexpected
    .endr

/* Secure EL1: says that it is there, then for each call computes 3 x1 + 1. Nothing is kept from one call to the next but where it waits. */
.globl service_entry
service_entry:
    smc #0
    add x1, x1, x1, lsl #1
    add x1, x1, #1
    b service_entry

.bss
.balign 4096
stacks:
    .space 8 * 4096
    .space 4096
