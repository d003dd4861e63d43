/* The two ways into the firmware, reset and trap, and the way out. */
#include "csr.h"
#include "layout.h"

#if __riscv_xlen == 64
#define S  sd
#define L  ld
#define B  8
#define MDT_CSR mstatus
#define MDT     1 << 42
#else
#define S  sw
#define L  lw
#define B  4
#define MDT_CSR CSR_MSTATUSH
#define MDT     1 << 10
#endif

.macro each op, base, regs:vararg
    .irp r, \regs
    \op x\r, \r * B(\base)
    .endr
.endm

/* ---- reset: a0 = hart, a1 = device tree, a2 = fw_dynamic_info ------------------------------------------------------- */
.section .text.start, "ax"
.globl _start
_start:
    csrw mie, zero
    csrw mscratch, zero /* a trap from M */
    la t0, fw_trap
    csrw mtvec, t0
    li t0, MDT
    csrc MDT_CSR, t0
    csrr a0, mhartid
    li t0, HARTS
    bgeu a0, t0, 1f
    la sp, hart_area
    addi t1, a0, 1
    li t0, HART_AREA
    mul t1, t1, t0
    add sp, sp, t1
    li t0, HART_SIZE
    sub sp, sp, t0
    mv a3, a2
    mv a2, a1
    mv a1, a0
    mv a0, sp
    call boot
1:  wfi
    j 1b

/* ---- a trap --------------------------------------------------------------------------------------------------------- */
/* Below M, mscratch points to the struct hart, which begins with the frame; under it is the stack. In M mscratch is 0. */
.text
.balign 4
.globl fw_trap
fw_trap:
    csrrw sp, mscratch, sp
    beqz sp, trapped_in_m
    each S, sp, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    csrrw t0, mscratch, zero
    csrr t1, mepc
    csrr t2, mstatus
    S t0, 2 * B(sp)
    S t1, FRAME_PC * B(sp)
    S t2, FRAME_STATUS * B(sp)
#if __riscv_xlen == 32
    csrr t2, CSR_MSTATUSH
    S t2, (FRAME_STATUS + 1) * B(sp)
#endif
    /* The registers of the trap are safe: another one would not be a double trap (Smdbltrp: MDT). */
    slli t1, t2, 63 - 42
    bgez t1, 1f
    li t1, MDT
    csrc MDT_CSR, t1
1:  mv a0, sp
    csrr a1, mcause
    call trap
    /* sp is as it was: the struct hart. */
.globl fw_return
fw_return:
    L t0, FRAME_PC * B(sp)
    L t1, FRAME_STATUS * B(sp)
#if __riscv_xlen == 32
    L t2, (FRAME_STATUS + 1) * B(sp)
    csrw CSR_MSTATUSH, t2
#endif
    csrw mepc, t0
    csrw mstatus, t1
    csrw mscratch, sp
    each L, sp, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    L sp, 2 * B(sp)
    mret

/* A trap in the firmware itself: its frame is on the stack. */
trapped_in_m:
    csrrw sp, mscratch, zero /* mscratch had the stack pointer */
    addi sp, sp, -FRAME_WORDS * B
    each S, sp, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    csrr t1, mepc
    csrr t2, mstatus
    S t1, FRAME_PC * B(sp)
    S t2, FRAME_STATUS * B(sp)
#if __riscv_xlen == 32
    csrr t2, CSR_MSTATUSH
    S t2, (FRAME_STATUS + 1) * B(sp)
#endif
    mv a0, sp
    csrr a1, mcause
    call trap_in_m
    L t0, FRAME_PC * B(sp)
    L t1, FRAME_STATUS * B(sp)
#if __riscv_xlen == 32
    L t2, (FRAME_STATUS + 1) * B(sp)
    csrw CSR_MSTATUSH, t2
#endif
    csrw mepc, t0
    csrw mstatus, t1
    each L, sp, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    addi sp, sp, FRAME_WORDS * B
    mret

.globl fw_enter
fw_enter:
    mv sp, a0
    .irp r, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    li x\r, 0
    .endr
    j fw_return

.globl fw_restart
fw_restart:
    mv sp, a0
    jalr a1
