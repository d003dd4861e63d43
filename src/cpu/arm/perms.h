/*
 * Inside cpu/arm: permissions that do not stand in descriptors. FEAT_S1PIE: four bits of a descriptor are an index into PIR_ELx
 * and PIRE0_ELx. FEAT_S1POE: three bits are an index into POR_ELx and POR_EL0, which take permissions away. FEAT_S2PIE and
 * FEAT_S2POE do the same at stage 2, by S2PIR_EL2 and S2POR_EL1. And FEAT_AIE: a bit turns to more attributes. What else TCR2_ELx
 * and TCR_EL3 say of descriptors is here, too: FEAT_HAFT, FEAT_THE. Arm ARM D8.4, D8.5.1, D8.6.
 */
#ifndef TL_CPU_ARM_PERMS_H
#define TL_CPU_ARM_PERMS_H
#include "cpu/arm/pe.h"

/* Bits of pe.models. TABLE_AF: hardware sets the access flag of tables, too. PROTECTED: bit 52 of descriptors says whether they
   are (FEAT_THE). */
enum { MODEL_INDIRECT = 1, MODEL_OVERLAY = 2, MODEL_OVERLAY_EL0 = 4, MODEL_INDEX = 8, MODEL_TABLE_AF = 16, MODEL_PROTECTED = 32 };
#define MODEL_OF_LEAVES (MODEL_INDIRECT | MODEL_OVERLAY | MODEL_OVERLAY_EL0 | MODEL_INDEX)

/* Makes pe.models of the registers. */
void perms_refresh(struct pe *p);
/* Five words that permissions and attributes in a regime depend on besides pe.models, for the key of contexts. */
void perms_key(const struct pe *p, unsigned regime, uint64_t words[5]);
/* MAIR2_ELx, which MODEL_INDEX and bit 59 of a descriptor turn to. Arm ARM AArch64.MAIRAttr. */
uint64_t perms_mair2(const struct pe *p, unsigned regime);
/* PERM_ bits of a permission index (0 to 15) for an access. *overlay becomes false where overlays do not apply; *wxn: what may be
   written may not be executed. Arm ARM AArch64.S1IndirectBasePermissions. */
unsigned perms_indirect(const struct pe *p, const struct access_mode *m, bool has_el0, unsigned index, bool *overlay, bool *wxn);
/* What stage 2 permits by indices. */
struct s2_permission {
    unsigned may;  /* PERM_ bits of the base permission */
    unsigned over; /* and of the overlay; all without */
    bool overlay;  /* there is one */
    bool mro;      /* mostly read-only: only the MMU and RCW instructions write */
    uint8_t top;   /* TopLevel0, TopLevel1 as bits 0 and 1: may hold a first table of TTBR0_EL1, TTBR1_EL1 */
};
/* For a permission index `pi` and, with VTCR_EL2.S2POE, an overlay index `po` (0 to 15 both). mmu: for the MMU's own accesses to
   tables of stage 1, and for RCW instructions. Arm ARM AArch64.S2IndirectBasePermissions, AArch64.S2OverlayPermissions,
   AArch64.S2ComputePermissions. */
struct s2_permission perms_second(const struct pe *p, const struct access_mode *m, unsigned pi, unsigned po, bool mmu);
/* The PERM_ bits an overlay index (0 to 7) leaves. Arm ARM AArch64.S1OverlayPermissions. */
unsigned perms_overlay(const struct pe *p, const struct access_mode *m, unsigned index);
/* The flags (NZCV) of an RCW instruction that would make the descriptor `old` `next`; soft: of an RCWS one. Z: the protected
   state or RCWMASK_EL1 forbids it; C clear: RCWSMASK_EL1 or the rules of validity do. Arm ARM RCWCheck, ProtectionEnabled. */
enum { RCW_PASSES = 2, RCW_DIFFERS = 10 };
unsigned rcw_check(const struct pe *p, uint64_t old, uint64_t next, bool soft);
#endif
