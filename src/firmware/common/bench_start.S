/* Where benchmarks in C begin: hart 0 calls bench_main, and then the machine ends. */
.section .text.start
.globl _start
_start:
#ifdef __riscv
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
#else
    /* Entered at EL2, and stays there. An address space of 39 bits (T0SZ 25, 4 KiB granule), so that memory is Normal. Whatever takes
       an exception to EL2 ends the machine. */
    mrs x0, mpidr_el1
    and x0, x0, 0xff
park:
    cbnz x0, park
    mov x0, 0x33ff              /* CPTR_EL2: RES1, TFP 0 */
    msr cptr_el2, x0
    adr x0, vectors
    msr vbar_el2, x0
    mov x0, 0xff                /* attribute 0: Normal, write-back; 1: Device-nGnRnE */
    msr mair_el2, x0
    ldr x0, =0x80823519         /* RES1, PS 40 bits, inner shareable, write-back, T0SZ 25 */
    msr tcr_el2, x0
    adr x0, table
    msr ttbr0_el2, x0
    isb
    ldr x0, =0x30c51835         /* RES1, I, C, M */
    msr sctlr_el2, x0
    isb
    adr x0, stack_top
    mov sp, x0
    bl bench_main
finish:
    ldr w0, =0x84000008         /* PSCI SYSTEM_OFF */
    smc 0
halt:
    b halt
.balign 2048
vectors:
.rept 16
    b finish
    .balign 128
.endr
.section .data
.balign 4096
table: /* a gigabyte each for devices and RAM */
    .quad 0x00000000 | 0x0040000000000745, 0x40000000 | 0x741
    .balign 4096
#endif
.bss
.balign 16
    .space 8192
stack_top:
