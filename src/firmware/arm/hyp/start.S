/* Entry, vectors and the world switch of the hypervisor: everything of the guest's is saved on the stack. */
#include "arm/common/a64.h"

#define FRAME (32 * 8) /* x0 to x30 and a spare one */

.macro vector target
.balign 128
    b \target
.endm

.macro save
    sub sp, sp, #FRAME
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
    mov x0, sp
.endm

.section .text.start
.globl _start
_start:
    mrs x1, CurrentEL
    cmp x1, #(2 << 2)
0:  b.ne 0b /* it is a hypervisor */
    mrs x1, mpidr_el1
    tst x1, #0xff
1:  b.ne 1b
    adrp x1, hyp_stack
    add sp, x1, :lo12:hyp_stack
    adr x1, hyp_vectors
    msr vbar_el2, x1
    isb
    bl hyp_main

.text
.globl hyp_enter, hyp_irq_entry, hyp_end
hyp_enter:
    eret

hyp_irq_entry:
    save
    bl hyp_irq
    b guest
hyp_serror_entry:
    save
    bl hyp_serror
    b guest
hyp_sync_entry:
    save
    bl hyp_sync
guest:
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
    add sp, sp, #FRAME
    eret
hyp_end:

hyp_unexpected:
    bl hyp_lost

.balign 2048
hyp_vectors:
    .rept 8
    vector hyp_unexpected
    .endr
    vector hyp_sync_entry
    vector hyp_irq_entry
    vector hyp_unexpected
    vector hyp_serror_entry
    .rept 4
    vector hyp_unexpected
    .endr

.section .scratch, "aw", %nobits
.balign 16
    .space 8192
hyp_stack:
