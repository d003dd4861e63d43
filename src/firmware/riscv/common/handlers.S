/*
 * The handlers of supervisor software events (SBI v3.0 chapter SSE), all behind one entry.
 *
 * At entry a6 = hart, a7 = the event's slot (slot.h), and both are the handler's own: the firmware brings them back at completion.
 * Everything else still belongs to what was interrupted. The nested trap's vector skips the instruction, and of the registers it may
 * change a6 and a7 only (and a payload's full vector nothing at all).
 *
 *   HK0  complete
 *   HK1  a nested trap; nothing is saved around it
 *   HK2  saves sepc, sstatus, stval, scause and sscratch around it
 *   HK3  HK2, and runs with the normal trap vector; also saves stvec and hstatus
 *   HK4  HK3, and saves htval and htinst
 *   HK5  writes the attributes INTERRUPTED_SEPC, FLAGS, A6 and A7
 *   HK6  edits sepc, SPP, SPIE and SPV: completion goes on there
 *   HK7  injects another event, which preempts it if that has a higher priority
 *   linux-good            the shape of an operating system's entry: stack, all registers, what HK3 saves, READ_ATTR
 *   linux-nosstatus       does not put sstatus back
 *   linux-stvec-missing   keeps the interrupted trap vector while it runs
 */
#include "riscv/common/asm.h"
#include "riscv/common/slot.h"

.option norelax
.option norvc /* lengths are counted, and what traps is skipped by four bytes */
.section .handler, "ax"

/* A slot's word by a base register. */
.macro GET reg, word, base
    LX \reg, (\word) * XB(\base)
.endm
.macro PUT reg, word, base
    SX \reg, (\word) * XB(\base)
.endm

.globl handler_entry, handler_entry_pad, handler_entry_swapped
.balign 4
/* For OpenSBI before 1.6, which enters with a6 and a7 the wrong way round. */
handler_entry_swapped:
    mv a7, a6
/* With a landing pad (lpad 0), which injection does not ask for. */
.balign 4
handler_entry_pad:
    auipc x0, 0
handler_entry:
    GET a6, SLOT_PMU, a7
    bnez a6, counter_overflowed
selected:
    GET a6, SLOT_SELECT, a7
    bnez a6, dispatch
complete:
    li a6, SSE_COMPLETE
    li a7, EID_SSE
.globl handler_complete
handler_complete:
    ecall
    /* Here only if the firmware knows of no running event, or if completion came back into the handler, perhaps in U-mode. */
.globl handler_lost
handler_lost:
    li a6, FINISHER_ADDRESS
    li a7, EXIT_LOST << 16 | 0x3333
    sw a7, 0(a6)
    j handler_lost

dispatch:
.irp name, hk1, hk2, hk3, hk4, hk5, hk6, hk7, linux_good, linux_nosstatus
    addi a6, a6, -1
    beqz a6, to_\name
.endr
    j linux_stvec_missing
/* Conditional branches do not reach all of them. */
.irp name, hk1, hk2, hk3, hk4, hk5, hk6, hk7, linux_good, linux_nosstatus
to_\name:
    j \name
.endr

/* The nested trap that the slot asks for. Where S-mode has double traps, the handler
   was entered with SDT set (SBI v3.0, "Software Event Injection"), and another trap would go to M-mode. */
.macro NEST base
    li a6, SSTATUS_SDT
    csrc sstatus, a6
    GET a6, SLOT_FLAVOUR, \base
    beqz a6, 9f
    addi a6, a6, -1
    bnez a6, 1f
    ebreak
    j 9f
1:  addi a6, a6, -1
    bnez a6, 2f
    li a6, ABSENT_ADDRESS
    lw a6, 0(a6)
    j 9f
2:  addi a6, a6, -1
    bnez a6, 3f
    li a6, GUEST_FAULT_VA
    .insn r 0x73, 4, 0x34, a6, a6, x0 /* hlv.w a6, (a6) */
    j 9f
3:  .word 0xffffffff
9:
.endm

hk1:
    NEST a7
    j done

/* Saves around a nested trap, all by one free register. sp becomes the slot's stack, tp the task, for vectors that push. */
.macro SAVING level
    PUT s0, SLOT_S0, a7
    PUT sp, SLOT_SP, a7
    PUT tp, SLOT_TP, a7
    mv s0, a7
    addi sp, s0, SLOT_BYTES
    GET tp, SLOT_TASK, s0
.irp csr, sepc, sstatus, stval, scause
    csrr a6, \csr
    PUT a6, slot_\csr, s0
.endr
    csrrw a6, sscratch, zero
    PUT a6, SLOT_SSCRATCH, s0
.if \level >= 3
    la a6, normal_vector
    csrrw a6, stvec, a6
    PUT a6, SLOT_STVEC, s0
    GET a6, SLOT_HAVE_H, s0
    beqz a6, 7f
    csrr a6, 0x600 /* hstatus */
    PUT a6, SLOT_HSTATUS, s0
.if \level >= 4
    csrr a6, 0x643 /* htval */
    PUT a6, SLOT_HTVAL, s0
    csrr a6, 0x64a /* htinst */
    PUT a6, SLOT_HTINST, s0
.endif
7:
.endif
    NEST s0
.if \level >= 3
    GET a6, SLOT_HAVE_H, s0
    beqz a6, 8f
.if \level >= 4
    GET a6, SLOT_HTINST, s0
    csrw 0x64a, a6
    GET a6, SLOT_HTVAL, s0
    csrw 0x643, a6
.endif
    GET a6, SLOT_HSTATUS, s0
    csrw 0x600, a6
8:  GET a6, SLOT_STVEC, s0
    csrw stvec, a6
.endif
.irp csr, sscratch, scause, stval, sepc, sstatus
    GET a6, slot_\csr, s0
    csrw \csr, a6
.endr
    GET tp, SLOT_TP, s0
    GET sp, SLOT_SP, s0
    GET s0, SLOT_S0, s0
    j done
.endm
.set slot_sepc, SLOT_SEPC
.set slot_sstatus, SLOT_SSTATUS
.set slot_stval, SLOT_STVAL
.set slot_scause, SLOT_SCAUSE
.set slot_sscratch, SLOT_SSCRATCH

hk2:
    SAVING 2
hk3:
    SAVING 3
hk4:
    SAVING 4

/* SBI calls change a0 and a1, and arguments go up to a5: kept in the slot while s0 is its address. */
.macro KEEP_ARGUMENTS
    PUT s0, SLOT_S0, a7
    mv s0, a7
.irp n, 0, 1, 2, 3, 4, 5
    PUT a\n, SLOT_A0 + \n, s0
.endr
.endm
.macro BRING_ARGUMENTS
.irp n, 0, 1, 2, 3, 4, 5
    GET a\n, SLOT_A0 + \n, s0
.endr
    mv a7, s0
    GET s0, SLOT_S0, s0
.endm

hk5:
    KEEP_ARGUMENTS
    GET a0, SLOT_ARG + 1, s0
    GET a1, SLOT_ARG + 0, s0
    GET a2, SLOT_ARG + 2, s0
    GET a3, SLOT_ARG + 3, s0
    PUT a0, SLOT_ATTR + 0, s0
    PUT a1, SLOT_ATTR + 1, s0
    PUT a2, SLOT_ATTR + 2, s0
    PUT a3, SLOT_ATTR + 3, s0
    GET a0, SLOT_EVENT, s0
    li a1, ATTR_SEPC
    li a2, 4
    addi a3, s0, SLOT_ATTR * XB
    li a4, 0
    li a6, SSE_WRITE_ATTR
    li a7, EID_SSE
    ecall
    PUT a0, SLOT_RESULT, s0
    BRING_ARGUMENTS
    j done

hk6:
    GET a6, SLOT_ARG + 1, a7
    csrw sepc, a6
    li a6, SSTATUS_SPP | SSTATUS_SPIE
    csrc sstatus, a6
    GET a6, SLOT_ARG, a7
    andi a6, a6, 1
    slli a6, a6, 8
    csrs sstatus, a6
    GET a6, SLOT_ARG, a7
    andi a6, a6, 4
    slli a6, a6, 3
    csrs sstatus, a6
    GET a6, SLOT_HAVE_H, a7
    beqz a6, 1f
    li a6, HSTATUS_SPV
    csrc 0x600, a6
    GET a6, SLOT_ARG, a7
    andi a6, a6, 2
    slli a6, a6, 6
    csrs 0x600, a6
1:  j complete

hk7:
    KEEP_ARGUMENTS
    GET a0, SLOT_ARG, s0
    GET a1, SLOT_HART, s0
    li a6, SSE_INJECT
    li a7, EID_SSE
    ecall
    PUT a0, SLOT_RESULT, s0
    BRING_ARGUMENTS
    j done

/* The event of a counter's overflow: until the counter is stopped mip.LCOFIP stays set, and the event would come again at once. */
counter_overflowed:
    KEEP_ARGUMENTS
    GET a0, SLOT_COUNTER, s0
    li a1, 1
    li a2, 0
    li a6, PMU_STOP
    li a7, EID_PMU
    ecall
    GET a0, SLOT_COUNT, s0
    addi a0, a0, 1
    PUT a0, SLOT_COUNT, s0
    GET a0, SLOT_PERIOD, s0
    beqz a0, 1f
    la a0, counter_slot
    SX s0, 0(a0)
1:  BRING_ARGUMENTS
    GET a6, SLOT_SELECT, a7
    bnez a6, dispatch

#define COUNTER_TAIL 11
/* Every handler but HK0 ends here. A counter that was stopped starts again: so that it overflows after a period of instructions of
   what was interrupted, what is still to come here is added. */
done:
    la a7, counter_slot
    LX a7, 0(a7)
    beqz a7, 1f
    KEEP_ARGUMENTS
    la a0, counter_slot
    SX zero, 0(a0)
    GET a3, SLOT_PERIOD, s0
    addi a3, a3, COUNTER_TAIL
    neg a3, a3
    li a4, -1 /* the upper half, on RV32 */
    GET a0, SLOT_COUNTER, s0
    li a1, 1
    li a2, 1 /* set the value */
    li a6, PMU_START
    li a7, EID_PMU
    ecall
counter_tail:
    BRING_ARGUMENTS
    li a6, SSE_COMPLETE
    li a7, EID_SSE
counter_tail_end:
    ecall
.if counter_tail_end - counter_tail != COUNTER_TAIL * 4
.error "COUNTER_TAIL"
.endif
    j handler_lost
1:  j complete

/* ---- the shape of an operating system's handler ------------------------------------------------------------------- */

/* The frame on the slot's stack: a word a register, by number; then what it keeps of the interrupted state. */
#define FRAME_SEPC    (32 * XB)
#define FRAME_SSTATUS (33 * XB)
#define FRAME_STVAL   (34 * XB)
#define FRAME_SCAUSE  (35 * XB)
#define FRAME_BYTES   (36 * XB)

.macro LINUX_SHAPE save_sstatus, own_stvec
    PUT sp, SLOT_SP, a7
    addi sp, a7, SLOT_BYTES
    addi sp, sp, -FRAME_BYTES
.irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    SX x\n, \n * XB(sp)
.endr
    GET a4, SLOT_SP, a7
    csrr a0, sepc
    csrr a1, sstatus
    csrr a2, stval
    csrr a3, scause
    SX a0, FRAME_SEPC(sp)
    SX a1, FRAME_SSTATUS(sp)
    SX a2, FRAME_STVAL(sp)
    SX a3, FRAME_SCAUSE(sp)
    SX a4, 2 * XB(sp)
    li t0, SSTATUS_SUM | SSTATUS_FS | SSTATUS_VS
    csrc sstatus, t0
    GET tp, SLOT_TASK, a7
    mv s0, a7
.if \own_stvec
    la t0, normal_vector
    csrrw s3, stvec, t0
.endif
    GET s2, SLOT_HAVE_H, s0
    beqz s2, 5f
    csrr s5, 0x600 /* hstatus */
5:  csrrw s4, sscratch, zero
    /* What it knows of a6 and a7 comes by an SBI call. */
    GET a0, SLOT_EVENT, s0
    li a1, ATTR_A6
    li a2, 2
    addi a3, s0, SLOT_ATTR * XB
    li a4, 0
    li a6, SSE_READ_ATTR
    li a7, EID_SSE
    ecall
    PUT a0, SLOT_RESULT, s0
    NEST s0
    csrw sscratch, s4
    beqz s2, 6f
    csrw 0x600, s5
6:
.if \own_stvec
    csrw stvec, s3
.endif
    LX a1, FRAME_SEPC(sp)
    LX a2, FRAME_STVAL(sp)
    LX a3, FRAME_SCAUSE(sp)
    csrw sepc, a1
    csrw stval, a2
    csrw scause, a3
.if \save_sstatus
    LX a0, FRAME_SSTATUS(sp)
    csrw sstatus, a0
.endif
.irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    LX x\n, \n * XB(sp)
.endr
    LX sp, 2 * XB(sp)
    j done
.endm

linux_good:
    LINUX_SHAPE 1, 1
linux_nosstatus:
    LINUX_SHAPE 0, 1
linux_stvec_missing:
    LINUX_SHAPE 1, 0

/* ---- memory ----------------------------------------------------------------------------------------------------- */

.section .scratch, "aw"
.macro A_SLOT name
.balign 16
.globl \name\()_slot, \name\()_select, \name\()_flavour, \name\()_arg
\name\()_slot:
\name\()_select:
    .space XB
\name\()_flavour:
    .space (SLOT_ARG - SLOT_FLAVOUR) * XB
\name\()_arg:
    .space SLOT_BYTES - SLOT_ARG * XB
.endm
    A_SLOT handler
    A_SLOT handler2
/* The slot of a counter that is to be started again, or 0. */
.balign 16
counter_slot:
    .space 16
.globl handler_entry_arg
.set handler_entry_arg, handler_slot

/* Where READ_ATTR and WRITE_ATTR of a parked hart's calls point to. */
.balign 4096
.globl probe_buffer
probe_buffer:
    .space 4096

/* ---- the probe ------------------------------------------------------------------------------------------------------ */

.section .probe, "ax"
.globl probe_ready, probe_sled, probe_ecall, probe_ecall_done
/* Once everything is registered, enabled and unmasked, every run comes through here; mode=probe stays. */
.balign 4
.globl probe_pass
probe_pass:
probe_ready:
    lw t0, probe_hold
    bnez t0, probe_ready
    ret
probe_sled:
    .rept 16
    nop
    .endr
1:  j 1b
probe_ecall:
    ecall
probe_ecall_done:
    j probe_ecall_done
