/* Entry of the first and of every other PE, vectors. As a hypervisor's guest (-DGUEST) it is entered at kernel_el1. */
#include "arm/common/a64.h"
#include "kernel.h"

.macro vector target
.balign 128
    b \target
.endm

#ifndef GUEST
.section .text.start
.globl _start
_start:
    b kernel_first
#endif

.text
.globl kernel_el1, kernel_second
kernel_first:
    adr x1, kernel_el1
    b leave_el2
kernel_second:
    adr x1, second_el1
/* From EL2 to EL1 at x1; EL1 stays. EL3 is for firmware. */
leave_el2:
    mrs x2, CurrentEL
    cmp x2, #(2 << 2)
    b.lo 2f
    b.hi 3f
    mov x2, #15
    msr S3_4_C12_C9_5, x2 /* ICC_SRE_EL2 */
    isb
    mov x2, #3
    msr cnthctl_el2, x2
    msr cntvoff_el2, xzr
    mov w2, #HCR_RW
    msr hcr_el2, x2
    mov x2, #SPSR_EL1H
    msr spsr_el2, x2
    msr elr_el2, x1
    isb
    eret
2:  br x1
3:  wfi
    b 3b

kernel_el1:
    mov x19, x0
    mov x20, #0
    b 4f
second_el1:
    mov x19, x0 /* its number */
    mov x20, x0
4:  mov x0, #(3 << 20) /* CPACR_EL1.FPEN: the program uses vector registers */
    msr cpacr_el1, x0
    adrp x0, stacks
    add x0, x0, :lo12:stacks
    add x1, x20, #1
    add x0, x0, x1, lsl #12
    mov sp, x0
    adr x0, vectors
    msr vbar_el1, x0
    isb
    mov x0, x19
    cbnz x20, 5f
    bl kernel_main
5:  bl kernel_other

/* ---- traps: everything is saved on the PE's stack --------------------------------------------------------------------------------- */

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
    mrs x0, elr_el1
    stp x30, x0, [sp, #30 * 8]
    mrs x0, spsr_el1
    mrs x1, sp_el0
    stp x0, x1, [sp, #32 * 8]
    mov x0, sp
.endm

.globl irq_entry, irq_end
irq_entry:
    save
    bl irq
    b restore
sync_entry:
    save
    bl sync
restore:
    ldp x0, x1, [sp, #32 * 8]
    msr spsr_el1, x0
    msr sp_el0, x1
    ldp x30, x0, [sp, #30 * 8]
    msr elr_el1, x0
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
    ldp x0, x1, [sp]
    add sp, sp, #FRAME
    eret
irq_end:

serror_entry:
    save
    bl serror
    b restore
unexpected:
    mrs x0, esr_el1
    mrs x1, elr_el1
    bl kernel_lost

.balign 2048
vectors:
    .rept 4
    vector unexpected
    .endr
    vector unexpected
    vector irq_entry
    vector unexpected
    vector serror_entry
    vector sync_entry
    vector irq_entry
    vector unexpected
    vector serror_entry
    .rept 4
    vector unexpected
    .endr

/* What a handler may do wrong, for tests that look whether it is found: vector registers are not saved. */
.globl spoil_vectors
spoil_vectors:
    movi v16.2d, #0
    ret

/* Goes on as a frame says. */
.globl kernel_return
kernel_return:
    mov sp, x0
    b restore

.section .scratch, "aw", %nobits
.balign 4096
stacks:
    .space 8 * 4096
    .space 4096
