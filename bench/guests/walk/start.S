.section .text.start
.globl _start
_start:
    csrr t0, mhartid
park:
    bnez t0, park
    la sp, stack_top
    li t0, 0x6000
    csrs mstatus, t0
    call bench_main
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
halt:
    j halt
.bss
.balign 16
    .space 8192
stack_top:
