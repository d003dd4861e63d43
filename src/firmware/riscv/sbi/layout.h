/* Numbers that C and assembler share. */
#ifndef SBI_LAYOUT_H
#define SBI_LAYOUT_H

#define HARTS     8
#define HART_AREA 8192 /* bytes of a hart: stack, then struct hart */
#define HART_SIZE 3072

#define FW_BASE 0x80000000
#define FW_SIZE 0x40000 /* what the PMP entry covers, and the device tree reserves */

#define MSIP_BASE     0x2000000 /* 4 bytes a hart */
#define MTIMECMP_BASE 0x2004000 /* 8 bytes a hart */
#define MTIME         0x200bff8
#define ACLINT_SIZE   0x10000
#define FINISHER      0x100000
#define INJECTOR      0x3000000
#define UART          0x10000000

/* What nmi.S uses of a hart: two registers, the addresses of struct hart.ipi and of the hart's MSIP. */
#define NMI_WORDS 4
#define IPI_NMI   8

/* struct frame, in XLEN words */
#define FRAME_PC     32
#define FRAME_STATUS 33
#define FRAME_WORDS  36 /* a multiple of 16 bytes on both XLENs */
#endif
