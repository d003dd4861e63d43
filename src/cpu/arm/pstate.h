/* PSTATE, kept as one word in the layout of SPSR_ELx. Arm ARM D1.4, C5.2.19 "SPSR_EL1". */
#ifndef TL_CPU_ARM_PSTATE_H
#define TL_CPU_ARM_PSTATE_H
#include <stdint.h>

enum {
    PSTATE_SP = 1u << 0, /* 0: SP_EL0, 1: SP_ELx */
    PSTATE_EL_SHIFT = 2,
    PSTATE_EL = 3u << 2,
    PSTATE_NRW = 1u << 4, /* AArch32: always 0 */
    PSTATE_M = 0x1fu,
    PSTATE_F = 1u << 6,
    PSTATE_I = 1u << 7,
    PSTATE_A = 1u << 8,
    PSTATE_D = 1u << 9,
    PSTATE_DAIF = 0xfu << 6,
    PSTATE_BTYPE_SHIFT = 10,
    PSTATE_BTYPE = 3u << 10,
    PSTATE_SSBS = 1u << 12,
    PSTATE_ALLINT = 1u << 13,
    PSTATE_IL = 1u << 20,
    PSTATE_SS = 1u << 21,
    PSTATE_PAN = 1u << 22,
    PSTATE_UAO = 1u << 23,
    PSTATE_DIT = 1u << 24,
    PSTATE_TCO = 1u << 25,
};
#define PSTATE_PM    (UINT64_C(1) << 32)
#define PSTATE_PPEND (UINT64_C(1) << 33)
#define PSTATE_NZCV  (UINT32_C(0xf) << 28)
#define PSTATE_N     (UINT32_C(1) << 31)
#define PSTATE_Z     (UINT32_C(1) << 30)
#define PSTATE_C     (UINT32_C(1) << 29)
#define PSTATE_V     (UINT32_C(1) << 28)
#endif
