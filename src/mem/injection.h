/* Something that happens to a cpu from outside, between two of its instructions: what the injector device, the API and the
   command line ask for, and the cpu does. */
#ifndef TL_MEM_INJECTION_H
#define TL_MEM_INJECTION_H
#include <stdint.h>

struct injection {
    enum {
        INJECT_LINE,   /* interrupt input `line`; numbers are the architecture's (RISC-V: mip bits) */
        INJECT_LCOFI,  /* a counter overflow: LCOFIP becomes 1 until software clears it (Sscofpmf) */
        INJECT_RNMI,   /* a resumable non-maskable interrupt (Smrnmi) */
        INJECT_BUS,    /* the instruction to come meets corrupt data: a hardware-error exception with `address` as tval */
        INJECT_SOURCE, /* input `line` of the interrupt controller; `hart` means nothing */
        INJECT_KINDS
    } kind;
    enum {
        INJECT_LOWER, /* the line goes low */
        INJECT_RAISE, /* it goes high and stays so */
        INJECT_PULSE  /* it goes high until the cpu takes the interrupt (of a source: for a moment, which is latched) */
    } how;            /* of LINE, RNMI, SOURCE */
    unsigned hart, line;
    uint64_t address; /* of BUS */
};
#endif
