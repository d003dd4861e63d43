/*
 * A guest to be swept: firmware in M, a kernel in S and a program in U, and handlers of events that are transparent, or fail to be in
 * one known way. What fails is told by `handler_select`, a word that a sweep writes before the window:
 *
 *   0  nothing: every context comes back as it was
 *   1  x28 is lost when the instruction at `victim` is interrupted
 *   2  SPP is flipped when U is interrupted
 *   3  a word of the kernel's data is overwritten when S is interrupted with SIE=1
 *   4  the event at `victim` ends the run
 *   5  the event at `victim` never comes back
 *   6  the event comes back one instruction too late when `victim` is interrupted
 *   7  f5 is lost in U; the handler leaves satp different in S at `victim`
 *   8  the handler in S takes its trap by the kernel's vector, which cannot bear it while it has its own scratch area in hand
 *
 * Events: the machine software interrupt is handled in M at once. The machine external interrupt is passed on to a handler in S, as
 * firmware with SSE does: the firmware keeps what the event interrupted, the handler takes a trap of its own in between, and
 * completes by an ecall. The supervisor software and timer interrupts are delegated: the kernel's trap handler takes them.
 *
 * The window is one round: the kernel, the program, its ecall, the kernel. The run is 3 rounds, then the finisher.
 */
#if __riscv_xlen == 64
#define LX ld
#define SX sd
#define XB 8
#define WORD .dword
#else
#define LX lw
#define SX sw
#define XB 4
#define WORD .word
#endif

#define MSTATUS_MPIE (1 << 7)
#define MSTATUS_MPP  (3 << 11)
#define MPP_S        (1 << 11)
#define MSTATUS_FS   (3 << 13)
#define SSTATUS_SIE  (1 << 1)
#define SSTATUS_SPIE (1 << 5)
#define SSTATUS_SPP  (1 << 8)

.section .text.start
.globl _start
_start:
    csrr t0, mhartid
    bnez t0, parked
    la t0, m_trap
    csrw mtvec, t0
    la t0, m_area
    csrw mscratch, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 1 << 3 | 1 << 8
    csrw medeleg, t0
    li t0, 1 << 1 | 1 << 5
    csrw mideleg, t0
    li t0, 1 << 3 | 1 << 11
    csrw mie, t0
    la t0, s_trap
    csrw stvec, t0
    la t0, s_area
    csrw sscratch, t0
    li t0, 1 << 1 | 1 << 5
    csrw sie, t0
    li t0, MSTATUS_MPP
    csrc mstatus, t0
    li t0, MPP_S | MSTATUS_MPIE | MSTATUS_FS
    csrs mstatus, t0
    la t0, kernel
    csrw mepc, t0
    mret
parked:
    wfi
    j parked

/* ---- firmware ---- */
/* m_area: 0 t0, 1 t1, 2 t2, 3 mepc and 4 mstatus of the interrupted context, 5 sepc, 6 sstatus, 7 a7 */
.balign 4
m_trap:
    csrrw t0, mscratch, t0
    SX t1, XB(t0)
    SX t2, 2*XB(t0)
    csrr t1, mscratch
    SX t1, 0(t0)
    la t1, m_area
    csrw mscratch, t1
    csrr t1, mcause
    bltz t1, interrupt
    li t2, 9
    bne t1, t2, unexpected
    j complete

interrupt:
    slli t1, t1, 1
    srli t1, t1, 1
    li t2, 3
    beq t1, t2, plain
    li t2, 11
    bne t1, t2, unexpected
    /* MEI: keep the context, enter the handler in S as if it had been called there */
    csrr t1, mepc
    SX t1, 3*XB(t0)
    csrr t1, mstatus
    SX t1, 4*XB(t0)
    csrr t1, sepc
    SX t1, 5*XB(t0)
    csrr t1, sstatus
    SX t1, 6*XB(t0)
    li t1, MSTATUS_MPP
    csrc mstatus, t1
    li t1, MPP_S
    csrs mstatus, t1
    li t1, SSTATUS_SIE | SSTATUS_SPIE
    csrc mstatus, t1
    la t1, handler_entry
    csrw mepc, t1
    SX a7, 7*XB(t0)
    la a7, handler_area
    j restore

complete:
    LX t1, 6*XB(t0)
    csrw sstatus, t1
    LX t1, 5*XB(t0)
    csrw sepc, t1
    li t1, MSTATUS_MPP
    csrc mstatus, t1
    LX t2, 4*XB(t0)
    and t1, t1, t2
    csrs mstatus, t1
    LX t1, 3*XB(t0)
    csrw mepc, t1
    LX a7, 7*XB(t0)
    /* falls through: the faults are those of both events */

plain:
    lw t1, handler_select
    beqz t1, restore
    li t2, 2
    beq t1, t2, fail_spp
    li t2, 3
    beq t1, t2, fail_memory
    li t2, 7
    beq t1, t2, fail_more
    csrr t2, mepc
    addi t1, t1, -8
    bgez t1, restore /* 8 is the handler's */
    la t1, victim
    bne t1, t2, restore
    lw t1, handler_select
    li t2, 1
    beq t1, t2, fail_x28
    li t2, 4
    beq t1, t2, fail_end
    li t2, 5
    beq t1, t2, fail_spin
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    j restore

fail_spp:
    csrr t1, mstatus
    li t2, MSTATUS_MPP
    and t1, t1, t2
    bnez t1, restore
    csrr t1, sstatus
    xori t1, t1, SSTATUS_SPP
    csrw sstatus, t1
    j restore
fail_memory:
    csrr t1, mstatus
    li t2, MSTATUS_MPP
    and t2, t1, t2
    beqz t2, restore
    andi t1, t1, SSTATUS_SIE
    beqz t1, restore
    la t1, kernel_data
    li t2, 0x5a
    sb t2, 19(t1)
    j restore
fail_more:
    csrr t1, mstatus
    li t2, MSTATUS_MPP
    and t1, t1, t2
    beqz t1, 1f
    csrr t1, mepc
    la t2, victim
    bne t1, t2, restore
    li t1, 5 /* MODE=Bare; PPN is kept as written */
    csrw satp, t1
    j restore
1:  fmv.w.x f5, zero
    j restore
fail_x28:
    li x28, 0
    j restore
fail_end:
    li t1, 0x100000
    li t2, 0x00073333
    sw t2, 0(t1)
fail_spin:
    j fail_spin

restore:
    LX t1, XB(t0)
    LX t2, 2*XB(t0)
    LX t0, 0(t0)
    mret

unexpected:
    li t1, 0x100000
    li t2, 0x00063333
    sw t2, 0(t1)
1:  j 1b

/* ---- the event's handler in S: a trap of its own, then it is done ---- */
.globl handler_text_start, handler_text_end, handler_entry
.balign 4
handler_text_start:
handler_entry:
    SX t0, 0(a7)
    csrr t0, stval
    SX t0, XB(a7)
    csrr t0, scause
    SX t0, 2*XB(a7)
    csrr t0, stvec
    SX t0, 3*XB(a7)
    lw t0, handler_select
    addi t0, t0, -8
    beqz t0, 1f
    la t0, handler_vector
    csrw stvec, t0
1:  c.ebreak
    LX t0, 3*XB(a7)
    csrw stvec, t0
    LX t0, 2*XB(a7)
    csrw scause, t0
    LX t0, XB(a7)
    csrw stval, t0
    LX t0, 0(a7)
    ecall
.balign 4
handler_vector:
    la t0, 1b
    addi t0, t0, 2 /* c.ebreak */
    csrw sepc, t0
    sret
handler_text_end:

/* ---- kernel ---- */
.globl kernel_text_start, kernel_text_end
kernel_text_start:
.balign 4
/* s_area: 0 t0, 1 t1, 2 t2 */
s_trap:
    csrrw t0, sscratch, t0
    SX t1, XB(t0)
    SX t2, 2*XB(t0)
    csrr t1, sscratch
    SX t1, 0(t0)
    la t1, s_area
    csrw sscratch, t1
    csrr t1, scause
    bltz t1, s_interrupt
    li t2, 8
    beq t1, t2, s_ecall
    csrr t1, sepc /* the handler's ebreak, 4 or 2 bytes */
    lhu t2, 0(t1)
    andi t2, t2, 3
    addi t2, t2, -3
    bnez t2, 1f
    addi t1, t1, 2
1:  addi t1, t1, 2
    csrw sepc, t1
    j s_restore
s_interrupt:
    csrci sip, 2 /* SSIP is ours to clear; STIP is not */
    j s_restore
s_ecall:
    la t1, kernel_behind
    csrw sepc, t1
    li t1, SSTATUS_SPP
    csrs sstatus, t1
s_restore:
    LX t1, XB(t0)
    LX t2, 2*XB(t0)
    LX t0, 0(t0)
    sret

kernel:
    la s0, kernel_data
    la sp, kernel_stack_top
    li s1, 3
round:
.globl window_start, window_end, victim
window_start:
    addi x28, s1, 40
    LX a0, 0(s0)
    add a0, a0, x28
    SX a0, 0(s0)
    csrci sstatus, SSTATUS_SIE /* no interrupts from here */
    csrr a1, sstatus
    SX a1, XB(s0)
    csrw stval, a0
    li a2, SSTATUS_SPP
    csrc sstatus, a2
    csrsi sstatus, SSTATUS_SIE /* and again */
    mul a3, a0, x28
.balign 4
.option push
.option norvc
victim:
    xor a4, a3, a0
    slli a4, a4, 3
.option pop
    SX a4, 2*XB(s0)
    lb a5, 19(s0)
    csrci sstatus, SSTATUS_SIE
    la a6, user
    csrw sepc, a6
    li a2, SSTATUS_SPP
    csrc sstatus, a2
    li a2, SSTATUS_SPIE
    csrs sstatus, a2
    sret
kernel_behind:
    csrr a1, sepc
    addi a4, a4, 1
    csrw stval, x0
window_end:
    addi s1, s1, -1
    bnez s1, round
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b
kernel_text_end:

/* ---- program ---- */
.globl user_text_start, user_text_end
.balign 4
user_text_start:
user:
    li a0, 17
    fcvt.s.w f5, a0
    li a1, 5
1:  add a0, a0, a1
    addi a1, a1, -1
    bnez a1, 1b
    LX a2, 3*XB(s0)
    addi a2, a2, 1
    SX a2, 3*XB(s0)
    fadd.s f6, f5, f5
    ecall
user_text_end:
    unimp

.data
.balign 8
.globl kernel_data, handler_select, scratch_start, scratch_end
.type handler_select, @object
.size handler_select, 4
handler_select:
    .word 0
    .word 0
kernel_data:
    .space 64
.bss
.balign 4096
scratch_start:
m_area: .space 64
s_area: .space 64
handler_area: .space 64
scratch_end:
.balign 16
    .space 1024
kernel_stack_top:
