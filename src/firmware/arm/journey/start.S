/* Entry and vectors of the journey. Each level has its own stack; a vector saves nothing but where it must go on, because most traps here
   are the end of a leg. */
.macro vector target
.balign 128
    b \target
.endm

/* From the same level nothing is expected; from a lower one a synchronous exception. */
.macro vectors name, sync
.balign 2048
\name:
    .rept 8
    vector unexpected
    .endr
    vector \sync
    .rept 7
    vector unexpected
    .endr
.endm

.section .text.start
.globl _start
_start:
    mrs x0, mpidr_el1
    tst x0, #0xff
park:
    b.ne park
    adrp x0, el3_stack
    add sp, x0, :lo12:el3_stack
    adr x0, el3_vectors
    msr vbar_el3, x0
    bl el3_main

.text
.globl sel1_entry, el2_entry, el1_entry, el0_entry
sel1_entry:
el1_entry:
    adrp x0, el1_stack
    add sp, x0, :lo12:el1_stack
    adrp x1, world
    ldr x1, [x1, :lo12:world]
    cbz x1, 1f
    adr x0, el1_vectors
    msr vbar_el1, x0
    bl el1_main
1:  bl sel1_main
el2_entry:
    adrp x0, el2_stack
    add sp, x0, :lo12:el2_stack
    adr x0, el2_vectors
    msr vbar_el2, x0
    bl el2_main
el0_entry:
    adrp x0, el0_stack
    add sp, x0, :lo12:el0_stack
    bl el0_main

el3_sync:
    adrp x9, el3_stack
    add sp, x9, :lo12:el3_stack
    bl el3_trap
el2_sync:
    adrp x9, el2_stack
    add sp, x9, :lo12:el2_stack
    bl el2_trap
el1_sync:
    adrp x9, el1_stack
    add sp, x9, :lo12:el1_stack
    bl el1_trap
unexpected:
    b lost

    vectors el3_vectors, el3_sync
    vectors el2_vectors, el2_sync
    vectors el1_vectors, el1_sync

.bss
.balign 16
    .space 2048
el3_stack:
    .space 2048
el2_stack:
    .space 2048
el1_stack:
    .space 2048
el0_stack:
