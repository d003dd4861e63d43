/* EL1 <-> EL2 round trips: EL1 calls, EL2 returns; translation is on at EL2, and in both stages below it. ROUNDS of them, which the symbol
   bench_count tells. */
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
    msr vbar_el2, x0
    mov x0, 0xff                /* attribute 0: Normal, write-back */
    msr mair_el1, x0
    msr mair_el2, x0
    ldr x0, =0x200803519        /* IPS 40 bits, EPD1, inner shareable, write-back, T0SZ 25 */
    msr tcr_el1, x0
    ldr x0, =0x80823519         /* the same of EL2 */
    msr tcr_el2, x0
    ldr x0, =0x80023559         /* RES1, PS 40 bits, inner shareable, write-back, SL0 1, T0SZ 25 */
    msr vtcr_el2, x0
    adr x0, table
    msr ttbr0_el1, x0
    msr ttbr0_el2, x0
    adr x0, guest_table
    msr vttbr_el2, x0
    ldr x0, =1 << 31 | 1        /* HCR_EL2.RW, VM */
    msr hcr_el2, x0
    ldr x0, =0x30d01805         /* SCTLR_EL1: RES1, I, C, M */
    msr sctlr_el1, x0
    ldr x0, =0x30c51835         /* SCTLR_EL2: RES1, I, C, M */
    isb
    msr sctlr_el2, x0
    isb
    adr x0, guest
    msr elr_el2, x0
    mov x0, 0x3c5               /* EL1h, all masked */
    msr spsr_el2, x0
    ldr x19, =ROUNDS
    eret
guest:
    hvc 0
    b guest
.balign 2048
vectors:
    .space 0x400                /* synchronous, from a lower level */
    subs x19, x19, 1
    b.eq done
    eret
done:
    ldr w0, =0x84000008         /* PSCI SYSTEM_OFF */
    smc 0
halt:
    b halt
.balign 4096
table: /* a gigabyte of RAM; what EL0 can write, EL1 would not execute: read-only */
    .quad 0, 0x40000000 | 0x7c1
    .balign 4096
guest_table:
    .quad 0, 0x40000000 | 0x7fd
    .balign 4096
