/* Inside cpu/arm: pointer authentication codes. Arm ARM D8.10. */
#ifndef TL_CPU_ARM_PAUTH_H
#define TL_CPU_ARM_PAUTH_H
#include "cpu/arm/pe.h"

enum pac_key { PAC_IA, PAC_IB, PAC_DA, PAC_DB };

/* ComputePACQARMA with key0 (the high half of the key) and key1. Arm ARM ComputePAC. */
uint64_t pac_qarma(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1, bool qarma3);
/* The code of this PE's algorithm. */
uint64_t pac_compute(struct pe *p, uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1);

/* Signs ptr. Arm ARM AddPAC. */
uint64_t pac_add(struct pe *p, uint64_t ptr, uint64_t modifier, enum pac_key k);
/* Authenticates ptr. *fail: the exception of FEAT_FPAC is due. Arm ARM Auth. */
uint64_t pac_auth(struct pe *p, uint64_t ptr, uint64_t modifier, enum pac_key k, bool combined, bool *fail);
uint64_t pac_strip(struct pe *p, uint64_t ptr, bool data);

/* Whether using a key is trapped; then p->exc is set. Arm ARM AddPACIA and the like. */
bool pac_trapped(struct pe *p);
/* The exception of a pointer that did not authenticate. Arm ARM AArch64.PACFailException. */
void pac_fail(struct pe *p, enum pac_key k);
#endif
