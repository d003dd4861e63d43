/* Inside cpu/arm: the change of level, in line because it is most of what a hypervisor's round trip costs. */
#ifndef TL_CPU_ARM_TRAP_H
#define TL_CPU_ARM_TRAP_H
#include "cpu/arm/access.h"
#include "cpu/arm/regime.h"

/* BTYPE and NZCV are kept apart while running. Jumps leave a BTYPE whether there is FEAT_BTI or not: without it there is no such
   field (C5.2.19 "SPSR_EL1", BTYPE). */
static inline unsigned pe_btype(const struct pe *p)
{
    return p->btype_at == p->s.cycle && arm_has(p->cfg, FEAT_BTI) ? p->btype : 0;
}

/* Makes pstate, but for NZCV and BTYPE, that of the PE: the stack pointer, and everything that depends on the level. */
void pe_change(struct pe *p, uint64_t pstate);
#endif
