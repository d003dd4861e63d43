/*
 * Inside cpu/arm: permissions of stage 1 that do not stand in descriptors. FEAT_S1PIE: four bits of a descriptor are an index
 * into PIR_ELx and PIRE0_ELx. FEAT_S1POE: three bits are an index into POR_ELx and POR_EL0, which take permissions away. And
 * FEAT_AIE: a bit turns to more attributes. Arm ARM D8.4, D8.6.
 */
#ifndef TL_CPU_ARM_PERMS_H
#define TL_CPU_ARM_PERMS_H
#include "cpu/arm/pe.h"

/* Bits of pe.models. */
enum { MODEL_INDIRECT = 1, MODEL_OVERLAY = 2, MODEL_OVERLAY_EL0 = 4, MODEL_INDEX = 8 };

/* Makes pe.models of the registers. */
void perms_refresh(struct pe *p);
/* Five words that permissions and attributes in a regime depend on besides pe.models, for the key of contexts. */
void perms_key(const struct pe *p, unsigned regime, uint64_t words[5]);
/* MAIR2_ELx, which MODEL_INDEX and bit 59 of a descriptor turn to. Arm ARM AArch64.MAIRAttr. */
uint64_t perms_mair2(const struct pe *p, unsigned regime);
/* PERM_ bits of a permission index (0 to 15) for an access. *overlay becomes false where overlays do not apply; *wxn: what may be
   written may not be executed. Arm ARM AArch64.S1IndirectBasePermissions. */
unsigned perms_indirect(const struct pe *p, const struct access_mode *m, bool has_el0, unsigned index, bool *overlay, bool *wxn);
/* PERM_ bits of a permission index of stage 2; on_walk: for the MMU's own accesses to tables of stage 1. Arm ARM
   AArch64.S2IndirectBasePermissions. */
unsigned perms_second(const struct pe *p, const struct access_mode *m, unsigned index, bool on_walk);
/* The PERM_ bits an overlay index (0 to 7) leaves. Arm ARM AArch64.S1OverlayPermissions. */
unsigned perms_overlay(const struct pe *p, const struct access_mode *m, unsigned index);
#endif
