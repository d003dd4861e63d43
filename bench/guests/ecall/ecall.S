/* M <-> S round trips: S calls, M returns to the next instruction. ROUNDS of them, which the symbol bench_count tells. */
.globl bench_count
.set bench_count, ROUNDS
.section .text.start
.globl _start
_start:
    csrr t0, mhartid
park:
    bnez t0, park
    la t0, vector
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    la t0, supervisor
    csrw mepc, t0
    li t0, 3 << 11
    csrc mstatus, t0
    li t0, 1 << 11
    csrs mstatus, t0
    mret
.balign 4
vector:
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    mret
supervisor:
    li s0, ROUNDS
.option norvc
1:  ecall
    addi s0, s0, -1
    bnez s0, 1b
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
2:  j 2b
