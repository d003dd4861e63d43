/* The user program: counts, by system calls, and checks that the kernel counts alike. From the kernel: s1 = 0, s2 = rounds, s3 =
   injections, s0 = its page. */
#include "riscv/common/asm.h"
#include "task.h"

.option norelax
.option norvc
.section .lower.u, "ax"
.globl user_start, window_start, window_end

/* Registers that only the program changes. */
.macro USER_PATTERNS do
    \do gp, 0x05e20003
    \do tp, 0x05e20004
.irp n, 4, 5, 6, 7, 8, 9
    \do s\n, (0x05e20010 + \n)
.endr
    \do s10, 0x05e2001a
    \do s11, 0x05e2001b
.endm
.macro EXPECT reg, value
    li a1, \value
    mv a0, \reg
    bne a0, a1, user_fail
.endm

user_start:
    USER_PATTERNS li
user_again:
    beqz s3, window_start
    addi s3, s3, -1
    li a7, SYS_INJECT
    ecall
window_start:
    addi s1, s1, 1
    SX s1, 0(s0)
    mv a0, s1
    li a7, SYS_COUNT
    ecall
    mv a1, s1
    bne a0, a1, user_fail
window_end:
    bne s1, s2, user_again
    USER_PATTERNS EXPECT
    li a7, SYS_EXIT
    ecall
user_fail:
    li a7, SYS_FAIL
    ecall
    ebreak /* a call from U-mode does not come back */
1:  j 1b

.section .lower.data, "aw"
.globl user_page
.balign 4096
user_page:
    .space 4096
