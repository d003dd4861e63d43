/* HS <-> VS round trips: sret into VS, ecall back, with Sv39 in HS and Sv39 over Sv39x4 in the guest. ROUNDS of them, which the symbol
   bench_count tells. */
.globl bench_count
.set bench_count, ROUNDS
.section .text.start
.globl _start
_start:
    csrr t0, mhartid
park:
    bnez t0, park
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 1 << 10
    csrw medeleg, t0
    la t0, hypervisor
    csrw mepc, t0
    li t0, 3 << 11
    csrc mstatus, t0
    li t0, 1 << 11
    csrs mstatus, t0
    mret
hypervisor:
    la t0, vector
    csrw stvec, t0
    la t0, host_table
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw satp, t0
    csrw vsatp, t0
    la t0, guest_table
    srli t0, t0, 12
    or t0, t0, t1
    csrw hgatp, t0
    sfence.vma
    li t0, 0x180                /* SPV, SPVP */
    csrs hstatus, t0
    li t0, 0x100                /* SPP */
    csrs sstatus, t0
    la t0, guest
    csrw sepc, t0
    li s0, ROUNDS
    sret
.balign 4
vector:
    addi s0, s0, -1
    beqz s0, done
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret
done:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b
.option norvc
guest:
    ecall
    j guest
/* One identity gigapage each for devices and RAM; the G stage's root is 16 KiB and its pages are user pages. */
.balign 16384
guest_table:
    .dword 0 << 28 | 0xdf, 0, 2 << 28 | 0xdf
    .balign 16384
host_table:
    .dword 0 << 28 | 0xcf, 0, 2 << 28 | 0xcf
    .balign 4096
