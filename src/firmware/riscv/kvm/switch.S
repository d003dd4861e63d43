/*
 * The world switch, in the order in which KVM does it on RISC-V: host registers, then sstatus, hstatus, scounteren, stvec and sscratch
 * swapped and sepc written, host values stored, guest registers, SRET; and the mirror of it at the return label. So hstatus.SPV is set
 * while V=0 from the swap of hstatus to the SRET, and from the guest's trap to the swap back; and for as long stvec is the return
 * label, which is no vector for a trap of the host's.
 */
#include "riscv/common/asm.h"
#include "vcpu.h"

.option norelax
.option norvc

#define HOST(n)  (VCPU_HOST(n) * XB)(a0)
#define GUEST(n) (VCPU_GUEST(n) * XB)(a0)
#define AT(name) (VCPU_##name * XB)(a0)

/* All registers that a call keeps, and a1 to a7: what the host has in registers around the switch. */
.macro HOST_REGISTERS op
.irp n, 1, 2, 3, 4, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    \op x\n, HOST(\n)
.endr
.endm
/* All but a0. */
.macro GUEST_REGISTERS op
.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \op x\n, GUEST(\n)
.endr
.endm

.text
.globl vcpu_switch, switch_in_start, switch_in_end, switch_return, switch_out_start, switch_out_end
/* a0: the vcpu. Returns when the guest has trapped. Called by a register, so it begins with a landing pad (lpad 0). */
.balign 4
vcpu_switch:
    auipc x0, 0
switch_in_start:
    HOST_REGISTERS SX
    LX t0, AT(GUEST_SSTATUS)
    LX t1, AT(GUEST_HSTATUS)
    LX t2, AT(GUEST_SCOUNTEREN)
    la t4, switch_return
    LX t5, AT(GUEST_SEPC)
    csrrw t0, sstatus, t0
    csrrw t1, 0x600, t1 /* hstatus: SPV=1 from here on */
    csrrw t2, scounteren, t2
    csrrw t4, stvec, t4
    csrrw t3, sscratch, a0
    csrw sepc, t5
    SX t0, AT(HOST_SSTATUS)
    SX t1, AT(HOST_HSTATUS)
    SX t2, AT(HOST_SCOUNTEREN)
    SX t3, AT(HOST_SSCRATCH)
    SX t4, AT(HOST_STVEC)
    GUEST_REGISTERS LX
    LX a0, GUEST(10)
    sret
switch_in_end:

.balign 4
switch_out_start:
switch_return:
    csrrw a0, sscratch, a0
    GUEST_REGISTERS SX
    LX t1, AT(HOST_STVEC)
    LX t2, AT(HOST_SSCRATCH)
    LX t3, AT(HOST_SCOUNTEREN)
    LX t4, AT(HOST_HSTATUS)
    LX t5, AT(HOST_SSTATUS)
    csrr t0, sepc
    csrrw t2, sscratch, t2
    csrw stvec, t1
    csrrw t3, scounteren, t3
    csrrw t4, 0x600, t4 /* hstatus: SPV=0 from here on */
    csrrw t5, sstatus, t5
    SX t0, AT(GUEST_SEPC)
    SX t2, GUEST(10)
    SX t3, AT(GUEST_SCOUNTEREN)
    SX t4, AT(GUEST_HSTATUS)
    SX t5, AT(GUEST_SSTATUS)
    HOST_REGISTERS LX
    ret
switch_out_end:

/* ---- a round --------------------------------------------------------------------------------------------------------- */

/* What the host finds out about exit k, after the switch as newer KVMs do; the guest goes on behind the instruction. */
.macro RECORD_EXIT k
    csrr t0, 0x643 /* htval */
    csrr t1, 0x64a /* htinst */
    csrr t2, scause
    csrr t3, stval
    SX t0, (VCPU_EXIT(\k) + EXIT_HTVAL) * XB(s0)
    SX t1, (VCPU_EXIT(\k) + EXIT_HTINST) * XB(s0)
    SX t2, (VCPU_EXIT(\k) + EXIT_SCAUSE) * XB(s0)
    SX t3, (VCPU_EXIT(\k) + EXIT_STVAL) * XB(s0)
    LX t0, VCPU_GUEST_SEPC * XB(s0)
    LX t1, VCPU_GUEST(10) * XB(s0)
    LX t2, VCPU_GUEST(17) * XB(s0)
    SX t0, (VCPU_EXIT(\k) + EXIT_SEPC) * XB(s0)
    SX t1, (VCPU_EXIT(\k) + EXIT_A0) * XB(s0)
    SX t2, (VCPU_EXIT(\k) + EXIT_A7) * XB(s0)
    addi t0, t0, 4
    SX t0, VCPU_GUEST_SEPC * XB(s0)
.endm

/* What is in the host's registers around the window. */
.macro HOST_PATTERNS do
    \do gp, 0x40570003
    \do tp, 0x40570004
.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9
    \do s\n, (0x40570010 + \n)
.endr
    \do s10, 0x4057001a
    \do s11, 0x4057001b
.endm
.macro EXPECT reg, value
    li t0, \value
    xor t0, t0, \reg
    or a0, a0, t0
.endm
.macro KEPT op
    \op ra, 0 * XB(sp)
    \op gp, 1 * XB(sp)
    \op tp, 2 * XB(sp)
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    \op s\n, (3 + \n) * XB(sp)
.endr
.endm

.globl host_round, window_start, window_end
/* a0: the vcpu. Into the guest, its hypercall, into the guest, its fault. Returns 0 if the host's registers came through. */
host_round:
    addi sp, sp, -16 * XB
    KEPT SX
    mv s0, a0
    HOST_PATTERNS li
    la t1, vcpu_switch
window_start:
    mv a0, s0
    jalr t1
    RECORD_EXIT 0
    mv a0, s0
    la t1, vcpu_switch
    jalr t1
    RECORD_EXIT 1
window_end:
    li a0, 0
    HOST_PATTERNS EXPECT
    KEPT LX
    addi sp, sp, 16 * XB
    ret

/* ---- the host's trap vector --------------------------------------------------------------------------------------------- */

.globl normal_vector
/* A trap inside an event's handler is skipped, but for a software check: that a landing pad is missing there is nobody's wish. Of the
   registers only a6 and a7 are the handler's to give. Any other trap is one too many. */
.balign 4
normal_vector:
    csrr a6, sepc
    la a7, handler_text_start
    sub a6, a6, a7
    srli a6, a6, 12 /* payload.ld sees to it that the handlers fit */
    bnez a6, 1f
    csrr a6, scause
    addi a6, a6, -18
    beqz a6, 1f
    csrr a6, sepc
    addi a6, a6, 4
    csrw sepc, a6
    sret
    /* An event that the firmware lets come back with V=1 would bring all of this again, for as long as SPV is set. */
1:  li a4, HSTATUS_SPV
    csrrc a3, 0x600, a4
    la sp, host_stack_top
    call host_trapped
