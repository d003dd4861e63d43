/* Counters by number, n in a0: mcycle, (none), minstret, mhpmcounter3.. and their selectors. Each entry of a table has 8 bytes. */
.option norvc
.altmacro

.macro table name, op, base
.globl \name
\name:
    la t0, 1f
    slli t1, a0, 3
    add t0, t0, t1
    jr t0
1:
    .set n, 0
    .rept 32
    entry \op, %(\base + n)
    .set n, n + 1
    .endr
.endm
.macro entry op, csr
    \op \csr
    ret
.endm
.macro read csr
    csrr a0, \csr
.endm
.macro write csr
    csrw \csr, a1
.endm

.text
table counter_read, read, 0xb00
table counter_write, write, 0xb00
table counter_event_read, read, 0x320
table counter_event_write, write, 0x320
#if __riscv_xlen == 32
table counter_read_high, read, 0xb80
table counter_write_high, write, 0xb80
table counter_event_read_high, read, 0x720
table counter_event_write_high, write, 0x720
#endif
