/*
 * The guest: in VS 20 arithmetic instructions, a hypercall, a store and a load; in VU a few more and a system call; in VS one access
 * that its hypervisor has to see (a page that only the G stage lacks, or, without paging, a CSR of the hypervisor's). Then again.
 * a0 goes through all of it, s1 counts the rounds; guest_work and guest_user_work of main.c are the same in C.
 */
#include "riscv/common/asm.h"
#include "vcpu.h"

.option norelax
.option norvc

.section .lower.s, "ax"
.globl guest_entry, guest_vector, guest_call, guest_fault_load, guest_fault_csr
guest_entry:
    la t0, guest_vector
    csrw stvec, t0
    li gp, 0x60e50003
    li tp, 0x60e50004
.irp n, 4, 5, 6, 7, 8, 9
    li s\n, (0x60e50010 + \n)
.endr
    li s10, 0x60e5001a
    li s11, 0x60e5001b
guest_again:
    addi s1, s1, 1
    /* 20 instructions */
    add a0, a0, s1
    slli a1, a0, 3
    xor a0, a0, a1
    addi a0, a0, 0x123
    mul a1, a0, a0
    srli a2, a1, 5
    sub a0, a1, a2
    or a3, a0, s1
    and a4, a0, a2
    xor a0, a3, a4
    sltu a5, a0, a1
    add a0, a0, a5
    srai a1, a0, 7
    add a0, a0, a1
    slt a2, a1, a0
    sub a0, a0, a2
    ori a4, s1, 1
    divu a3, a0, a4
    remu a5, a0, a4
    add a0, a3, a5
    li a7, GUEST_CALL
guest_call:
    ecall
    la t0, guest_word
    SX a0, 0(t0)
    LX a0, 0(t0)
    la t0, guest_user
    csrw sepc, t0
    li t0, SSTATUS_SPP
    csrc sstatus, t0
    sret

.balign 4
guest_vector:
    csrr t0, scause
    addi t0, t0, -8
    bnez t0, guest_panic
    beqz s2, guest_fault_csr /* s2: paging */
    li t0, GUEST_FAULT_VA
guest_fault_load:
    lw a1, 0(t0)
    j guest_again
guest_fault_csr:
    csrr a1, 0x600 /* hstatus: a virtual instruction */
    j guest_again

/* Nothing but the user program's call should ever arrive at the vector. Whatever the registers are: say it to the hypervisor. */
guest_panic:
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    li a7, GUEST_PANIC
    ecall
    j guest_panic

.section .lower.u, "ax"
guest_user:
    xori a0, a0, -1
    slli a6, a0, 1
    add a0, a0, a6
    addi a0, a0, 7
    ecall
1:  j 1b

.section .lower.data, "aw"
.balign 16
guest_word:
    .space 16
