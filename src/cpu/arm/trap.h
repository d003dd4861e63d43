/* Inside cpu/arm: the change of level, in line because it is most of what a hypervisor's round trip costs. */
#ifndef TL_CPU_ARM_TRAP_H
#define TL_CPU_ARM_TRAP_H
#include "cpu/arm/access.h"
#include "cpu/arm/regime.h"

/* BTYPE and NZCV are kept apart while running. */
static inline unsigned pe_btype(const struct pe *p) { return p->btype_at == p->s.cycle ? p->btype : 0; }

/* Makes pstate, but for NZCV and BTYPE, that of the PE: the stack pointer, and everything that depends on the level. */
void pe_change(struct pe *p, uint64_t pstate);
#endif
