/* The entry of all event handlers, and a context to be interrupted. */
#if __riscv_xlen == 64
#define S sd
#define L ld
#define B 8
#else
#define S sw
#define L lw
#define B 4
#endif
/* struct slot */
#define SEPC    32
#define SSTATUS 33
#define HSTATUS 34
#define STACK   36
/* struct context */
#define C_X     5

#define ALL_BUT_A6_A7 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31

.text
/* a6 = hart, a7 = the slot; both are the handler's. */
.balign 4
.globl sse_entry
sse_entry:
    .irp r, ALL_BUT_A6_A7
    S x\r, \r * B(a7)
    .endr
    S a6, 16 * B(a7)
    S a7, 17 * B(a7)
    csrr t0, sepc
    S t0, SEPC * B(a7)
    csrr t0, sstatus
    S t0, SSTATUS * B(a7)
    la t0, found_h
    lbu t0, (t0)
    beqz t0, 1f
    csrr t0, 0x600
    S t0, HSTATUS * B(a7)
1:  L sp, STACK * B(a7)
    mv a0, a7
    mv s0, a7
    call slot_entered
    mv a7, s0
    .irp r, ALL_BUT_A6_A7
    L x\r, \r * B(a7)
    .endr
    li a6, 6
    li a7, 0x535345
    ecall
    call completion_returned

/* void context_call(const struct context *before, struct context *after) */
.globl context_call, context_call_done
context_call:
    addi sp, sp, -16 * B
    .set i, 0
    .irp r, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    S x\r, i * B(sp)
    .set i, i + 1
    .endr
    la t0, context_keep
    S sp, 0 * B(t0)
    S a1, 1 * B(t0)
    csrr t1, sscratch
    S t1, 2 * B(t0)
    mv x31, a0
    la x30, found_h
    lbu x30, (x30)
    beqz x30, 1f
    L x30, 1 * B(x31)
    csrw 0x600, x30
1:
    .irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    L x\r, (C_X + \r) * B(x31)
    .endr
    L x30, 2 * B(x31)
    csrw sepc, x30
    L x30, 3 * B(x31)
    csrw scause, x30
    L x30, 4 * B(x31)
    csrw stval, x30
    L x30, 0 * B(x31)
    csrw sstatus, x30
    L x30, (C_X + 30) * B(x31)
    L x31, (C_X + 31) * B(x31)
    .option push
    .option norvc
    ecall
context_call_done:
    csrrw x31, sscratch, x31 /* two registers are needed; sscratch has the other for a moment */
    .option pop
    la x31, context_keep
    L x31, 1 * B(x31)
    .irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    S x\r, (C_X + \r) * B(x31)
    .endr
    mv a1, x31
    la t1, context_keep
    L t0, 2 * B(t1)
    csrrw t0, sscratch, t0
    S t0, (C_X + 31) * B(a1)
    csrr t0, sstatus
    S t0, 0 * B(a1)
    csrr t0, sepc
    S t0, 2 * B(a1)
    csrr t0, scause
    S t0, 3 * B(a1)
    csrr t0, stval
    S t0, 4 * B(a1)
    la t0, found_h
    lbu t0, (t0)
    beqz t0, 1f
    csrr t0, 0x600
    S t0, 1 * B(a1)
1:  L sp, 0 * B(t1)
    .set i, 0
    .irp r, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    L x\r, i * B(sp)
    .set i, i + 1
    .endr
    addi sp, sp, 16 * B
    ret

.bss
.balign 16
context_keep: .space 3 * 8
