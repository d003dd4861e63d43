/* Entry of all harts, traps to S, and calls into other modes. */
#if __riscv_xlen == 64
#define S sd
#define L ld
#define B 8
#else
#define S sw
#define L lw
#define B 4
#endif
/* struct trapped */
#define RESUME 0
#define SP     1
#define T0     2
#define T1     3
#define CAUSE  4
#define EPC    5
#define TVAL   6
#define STATUS 7
#define HSTATUS 8
#define HTVAL  9
#define HTINST 10
#define SEEN   11

.section .text.start, "ax"
.globl _start, other_start
_start:
    li s0, 0
    j 1f
other_start: /* a hart that was started by HSM: a0 = hart */
    li s0, 1
1:  la sp, stacks
    slli t0, a0, 13
    add sp, sp, t0
    li t0, 8192
    add sp, sp, t0
    la t0, trapped_of
    slli t1, a0, 7
    add t0, t0, t1
    csrw sscratch, t0
    la t0, s_trap
    csrw stvec, t0
    bnez s0, 2f
    call test_main
2:  call other_started
3:  wfi
    j 3b

/* Notes the trap and goes on at `resume`, in S, with interrupts off. */
.balign 4
.globl s_trap
s_trap:
    csrrw t6, sscratch, t6
    S t0, T0 * B(t6)
    S t1, T1 * B(t6)
    csrr t0, scause
    S t0, CAUSE * B(t6)
    csrr t0, sepc
    S t0, EPC * B(t6)
    csrr t0, stval
    S t0, TVAL * B(t6)
    csrr t0, sstatus
    S t0, STATUS * B(t6)
    la t0, found_h
    lbu t0, (t0)
    beqz t0, 1f
    csrr t0, 0x600
    S t0, HSTATUS * B(t6)
    csrr t0, 0x643
    S t0, HTVAL * B(t6)
    csrr t0, 0x64a
    S t0, HTINST * B(t6)
    li t0, 1 << 7
    csrc 0x600, t0 /* hstatus.SPV: back to HS */
1:  L t0, SEEN * B(t6)
    addi t0, t0, 1
    S t0, SEEN * B(t6)
    L t0, RESUME * B(t6)
    beqz t0, 9f
    csrw sepc, t0
    li t0, 1 << 8
    csrs sstatus, t0 /* SPP: to S */
    li t0, 1 << 5 | 1 << 23
    csrc sstatus, t0 /* SPIE, SPELP */
    S zero, RESUME * B(t6)
    L sp, SP * B(t6)
    L t0, T0 * B(t6)
    L t1, T1 * B(t6)
    csrrw t6, sscratch, t6
    sret
9:  csrrw t6, sscratch, t6
    call unexpected_trap

/* ulong call_mode(uint mode, void (*fn)(void), ulong arg) */
.globl call_mode
call_mode:
    addi sp, sp, -16 * B
    .set i, 0
    .irp r, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    S x\r, i * B(sp)
    .set i, i + 1
    .endr
    csrr t0, sscratch
    la t1, 1f
    S t1, RESUME * B(t0)
    S sp, SP * B(t0)
    li t1, -1
    S t1, CAUSE * B(t0)
    csrw sepc, a1
    li t1, 1 << 8
    csrc sstatus, t1
    andi t2, a0, 1
    slli t2, t2, 8
    csrs sstatus, t2
    andi t2, a0, 2
    beqz t2, 2f
    csrs 0x600, t1 /* SPVP */
    li t1, 1 << 7
    csrs 0x600, t1 /* SPV */
2:  mv a0, a2
    sret
.balign 4
1:  .set i, 0
    .irp r, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    L x\r, i * B(sp)
    .set i, i + 1
    .endr
    addi sp, sp, 16 * B
    ret

.balign 4096
.globl spin_and_call, only_ecall, only_illegal
spin_and_call:
    li a1, 0
1:  slli a2, a1, 1
    add a1, a1, a2
    xor a1, a1, a0
    addi a0, a0, -1
    bnez a0, 1b
    mv a0, a1
    ecall
.balign 4
only_ecall:
    ecall
only_illegal:
    .word 0xffffffff
.balign 4096

.bss
.balign 128
.globl trapped_of
trapped_of: .space 128 * 8
.balign 16
stacks: .space 8192 * 8
