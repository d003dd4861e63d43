/*
 * The kernel's trap vector, in the order in which operating systems do it: tp and sscratch are swapped (sscratch is the task while the
 * user program runs, 0 in the kernel), sp is changed for the kernel's, all registers are kept, and sscratch becomes 0. A system call
 * runs with interrupts on but for the section between the irq_off markers, and reads the user's memory with a trap vector of its own.
 */
#include "riscv/common/asm.h"
#include "task.h"

.option norelax
.option norvc

#define TASK(name)  (TASK_##name * XB)(tp)
#define FRAME(word) ((word) * XB)(sp)

.macro FRAME_REGISTERS op
.irp n, 1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \op x\n, FRAME(\n)
.endr
.endm

.text
.globl normal_vector, trap_entry_start, trap_entry_end, trap_exit_start, trap_exit_end
.globl stvec_window_start, stvec_window_end, irq_off_start, irq_off_end, user_access_fault, sbi_in_syscall

.balign 4
normal_vector:
trap_entry_start:
    csrrw tp, sscratch, tp
    bnez tp, 1f
    csrr tp, sscratch
    SX sp, TASK(KERNEL_SP)
1:  SX sp, TASK(USER_SP)
    LX sp, TASK(KERNEL_SP)
    addi sp, sp, -FRAME_WORDS * XB
    FRAME_REGISTERS SX
    li t0, SSTATUS_SUM
    LX s0, TASK(USER_SP)
    csrrc s1, sstatus, t0
    csrr s2, sepc
    csrr s3, stval
    csrr s4, scause
    csrr s5, sscratch
    SX s0, FRAME(2)
    SX s1, FRAME(FRAME_SSTATUS)
    SX s2, FRAME(FRAME_SEPC)
    SX s3, FRAME(FRAME_STVAL)
    SX s4, FRAME(FRAME_SCAUSE)
    SX s5, FRAME(4)
    csrw sscratch, zero
trap_entry_end:
    bltz s4, interrupt
    li t0, 8
    beq s4, t0, system_call

/* A trap inside an event's handler is skipped. Any other is the end. */
    la t0, handler_text_start
    sub t0, s2, t0
    srli t0, t0, 12 /* payload.ld sees to it that the handlers fit */
    bnez t0, trapped
    addi s2, s2, 4
    SX s2, FRAME(FRAME_SEPC)
    j trap_exit

interrupt:
    mv a0, s4
    call kernel_interrupt
    j trap_exit

system_call:
    /* From kernel text it would be the kernel in U-mode. */
    la t0, user_text_start
    bltu s2, t0, trapped
    la t0, user_text_end
    bgeu s2, t0, trapped
    addi s2, s2, 4
    SX s2, FRAME(FRAME_SEPC)
    li t0, SYS_COUNT
    bne a7, t0, other_call
    csrsi sstatus, SSTATUS_SIE
    /* A call to the firmware: what M-mode sees of a kernel in the wrong mode. get_spec_version. */
    li a7, 0x10
    li a6, 0
sbi_in_syscall:
    ecall
    /* The user's memory, with a vector of its own for the fault: no interrupt may come to that. */
    LX t2, FRAME(8)
    csrci sstatus, SSTATUS_SIE
    la t0, user_access_fault
    csrrw t1, stvec, t0
stvec_window_start:
    li t0, SSTATUS_SUM
    csrs sstatus, t0
    LX t2, 0(t2)
    csrc sstatus, t0
    csrw stvec, t1
stvec_window_end:
    LX a0, FRAME(10)
    la t0, kernel_count
irq_off_start:
    li t1, 1
    SX t1, XB(t0) /* kernel_critical */
    LX t3, 0(t0)
    add t3, t3, t1
    SX t3, 0(t0)
    SX zero, XB(t0)
irq_off_end:
    csrsi sstatus, SSTATUS_SIE
    xor t2, t2, a0 /* the program keeps the number there, too */
    snez t2, t2
    sub a0, t3, t2
call_done:
    SX a0, FRAME(10)

trap_exit:
trap_exit_start:
    csrci sstatus, SSTATUS_SIE
    LX s0, FRAME(FRAME_SSTATUS)
    andi s0, s0, SSTATUS_SPP
    bnez s0, 1f
    addi s0, sp, FRAME_WORDS * XB
    SX s0, TASK(KERNEL_SP)
    csrw sscratch, tp
1:  LX a0, FRAME(FRAME_SSTATUS)
    LX a2, FRAME(FRAME_SEPC)
    csrw sstatus, a0
    csrw sepc, a2
    FRAME_REGISTERS LX
    LX x4, FRAME(4)
    LX x2, FRAME(2)
    sret
trap_exit_end:

.balign 4
user_access_fault:
    la t1, normal_vector
    csrw stvec, t1
    li a0, -14
    j call_done

other_call:
    mv a0, sp
    call kernel_call
    j call_done

trapped:
    mv a0, sp
    call kernel_trapped

.globl enter_user
/* a0: frame to start from; tp is the task from here on. Does not return. */
enter_user:
    mv sp, a0
    mv tp, a1
    j trap_exit
