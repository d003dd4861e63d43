/*
 * One event's memory: what selects its handler, the handler's arguments, and where it keeps what it saves. The event's ENTRY_ARG
 * is its address, so a7 holds it at entry. Offsets are in words of XLEN; handlers.S uses them with XB.
 *
 * select    the handler (enum handler)
 * flavour   the trap that the nesting handlers take inside (enum flavour)
 * pmu       not 0: stop the counter first, because the event comes of its overflow, and with a period start it again
 * event     the event's id               hart     the hart it is registered on
 * have_h    not 0: there is an hstatus   task     what tp is while the handler runs
 * arg       HK5: FLAGS, SEPC, A6, A7 to write; HK6: bit 0 SPP, 1 SPV, 2 SPIE, and the sepc; HK7: the event to inject
 * result    a0 of the SBI call that HK5 or HK7 made
 * count     overflows so far
 * period    instructions between overflows; 0: the counter stays stopped           counter  the counter
 */
#ifndef FIRMWARE_RISCV_COMMON_SLOT_H
#define FIRMWARE_RISCV_COMMON_SLOT_H

#define SLOT_SELECT   0
#define SLOT_FLAVOUR  1
#define SLOT_PMU      2
#define SLOT_EVENT    3
#define SLOT_HART     4
#define SLOT_HAVE_H   5
#define SLOT_TASK     6
#define SLOT_PERIOD   7
#define SLOT_COUNTER  8
#define SLOT_RESULT   9
#define SLOT_ARG      10 /* 8 words */
#define SLOT_ATTR     18 /* 4 words: the buffer of READ_ATTR and WRITE_ATTR */
#define SLOT_SP       22
#define SLOT_TP       23
#define SLOT_S0       24
#define SLOT_A0       25 /* a0..a5 */
#define SLOT_SEPC     31
#define SLOT_SSTATUS  32
#define SLOT_STVAL    33
#define SLOT_SCAUSE   34
#define SLOT_SSCRATCH 35
#define SLOT_STVEC    36
#define SLOT_HSTATUS  37
#define SLOT_HTVAL    38
#define SLOT_HTINST   39
#define SLOT_COUNT    40
#define SLOT_WORDS    44
#define SLOT_BYTES    2032 /* the rest is the stack; the end is still an immediate away */

#ifndef __ASSEMBLER__
typedef unsigned long ulong;
typedef unsigned int uint;

enum handler { HK0, HK1, HK2, HK3, HK4, HK5, HK6, HK7, LINUX_GOOD, LINUX_NOSTATUS, LINUX_STVEC_MISSING, HANDLERS };
enum flavour { FLAVOUR_NONE, FLAVOUR_EBREAK, FLAVOUR_LOAD, FLAVOUR_HLV, FLAVOUR_ILLEGAL };

struct slot {
    volatile ulong word[SLOT_WORDS];
    unsigned char stack[SLOT_BYTES - SLOT_WORDS * sizeof(ulong)] __attribute__((aligned(16)));
};
/* The first event's, and the second's, which HK7 injects by default. */
extern struct slot handler_slot, handler2_slot;
#endif
#endif
