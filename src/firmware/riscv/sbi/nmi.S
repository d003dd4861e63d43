/*
 * Resumable non-maskable interrupts (Smrnmi), for -cpu smrnmi=on,nmi=0x80000400,nmi-exception=0x80000500. They come anywhere, also in
 * the firmware while it handles a trap, so the handler only leaves a note and an interrupt for its own hart, and goes back.
 */
#include "csr.h"
#include "layout.h"

#if __riscv_xlen == 64
#define S sd
#define L ld
#define B 8
#else
#define S sw
#define L lw
#define B 4
#endif
#define MNRET .word 0x70200073

.section .text.nmi, "ax"
.balign 256
.globl fw_nmi
fw_nmi: /* 0x80000400; mnscratch points into nmi_area */
    csrrw t0, CSR_MNSCRATCH, t0
    S t1, 0 * B(t0)
    csrr t1, CSR_MNCAUSE
    bgez t1, double_trap_in_m
    S t2, 1 * B(t0)
    L t2, 2 * B(t0)
    li t1, IPI_NMI
    amoor.w zero, t1, (t2)
    L t2, 3 * B(t0)
    li t1, 1
    sw t1, (t2)
    L t2, 1 * B(t0)
    L t1, 0 * B(t0)
    csrrw t0, CSR_MNSCRATCH, t0
    MNRET

.balign 256
.globl fw_nmi_exception
fw_nmi_exception: /* 0x80000500: a trap while the handler above runs */
    j double_trap_in_m

/* Nothing can be saved (Smdbltrp): a trap came while the registers of another one were in use. */
double_trap_in_m:
    csrr a0, CSR_MNCAUSE
    csrr a1, CSR_MNEPC
    la sp, last_stack_end
    call fatal_in_m

.bss
.balign 16
.globl nmi_area
nmi_area: .space HARTS * NMI_WORDS * B
    .space 1024
last_stack_end:
