/* Entry from the firmware: a0 = hart, a1 = device tree, in HS or S with translation off. */
#include "riscv/common/asm.h"

.section .text.start, "ax"
.globl _start
_start:
    csrw sie, zero
    csrci sstatus, SSTATUS_SIE
    csrw sscratch, zero
    la sp, host_stack_top
    la t0, normal_vector
    csrw stvec, t0
    mv s0, a0
    mv a0, a1
    call config_read
    mv a0, s0
    call payload_main
1:  j 1b

/* The other harts: nothing of theirs is on, they wait to be used as the injecting side of a call (probe_ecall). */
.globl remote_entry, remote_park
.balign 4
remote_entry:
    csrw sie, zero
    csrci sstatus, SSTATUS_SIE
remote_park:
    wfi
    j remote_park

.bss
.balign 16
    .space 4096
.globl host_stack_top
host_stack_top:
