/* EL0 <-> EL1 round trips: EL0 calls, EL1 returns; with translation on. ROUNDS of them, which the symbol bench_count tells. */
.globl bench_count
.set bench_count, ROUNDS
.section .text.start
.globl _start
_start:
    mrs x0, mpidr_el1
    and x0, x0, 0xff
park:
    cbnz x0, park
    adr x0, vectors
    msr vbar_el1, x0
    mov x0, 0xff                /* attribute 0: Normal, write-back */
    msr mair_el1, x0
    ldr x0, =0x200803519        /* IPS 40 bits, EPD1, inner shareable, write-back, T0SZ 25 */
    msr tcr_el1, x0
    adr x0, table
    msr ttbr0_el1, x0
    mov x0, 1 << 31             /* HCR_EL2.RW */
    msr hcr_el2, x0
    ldr x0, =0x30d01805         /* SCTLR_EL1: RES1, I, C, M */
    msr sctlr_el1, x0
    adr x0, kernel
    msr elr_el2, x0
    mov x0, 0x3c5               /* EL1h, all masked */
    msr spsr_el2, x0
    adr x0, monitor
    msr vbar_el2, x0
    eret
kernel:
    adr x0, user
    msr elr_el1, x0
    mov x0, 0x3c0               /* EL0, all masked */
    msr spsr_el1, x0
    ldr x19, =ROUNDS
    eret
user:
    svc 0
    b user
.balign 2048
vectors:
    .space 0x400                /* synchronous, from a lower level */
    subs x19, x19, 1
    b.eq done
    eret
done:
    hvc 0
.balign 2048
monitor:
    .space 0x400                /* synchronous, from a lower level */
    ldr w0, =0x84000008         /* PSCI SYSTEM_OFF */
    smc 0
halt:
    b halt
.balign 4096
table: /* a gigabyte each for devices and RAM; what EL0 can write, EL1 would not execute: read-only for both */
    .quad 0, 0x40000000 | 0x7c1
    .balign 4096
