/* Entry and trap vectors of the journey. Each mode has its own stack; a vector saves nothing, because each trap here is the end of a leg. */
.section .text.start
.globl _start
_start:
    csrr t0, mhartid
park:
    bnez t0, park
    la sp, m_stack_top
    la t0, m_vector
    csrw mtvec, t0
    call m_main

.text
.globl hs_entry, vs_entry
hs_entry:
    la sp, hs_stack_top
    la t0, hs_vector
    csrw stvec, t0
    call hs_main
vs_entry:
    la sp, vs_stack_top
    call vs_main

.balign 4
m_vector:
    la sp, m_stack_top
    call m_trap
.balign 4
hs_vector:
    la sp, hs_stack_top
    call hs_trap

.bss
.balign 16
    .space 2048
m_stack_top:
    .space 2048
hs_stack_top:
    .space 2048
vs_stack_top:
