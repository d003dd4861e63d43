/*
 * What the hart is: XLEN, the extensions it has, and every IMPLEMENTATION DEFINED choice. Constant for a run. What is off does
 * not exist for the guest.
 */
#ifndef TL_CSR_RISCV_CONFIG_H
#define TL_CSR_RISCV_CONFIG_H
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* Extension numbers, one a row of ext.def: EXT_H, EXT_Sstc, … in the manual's spelling. */
enum rv_ext {
#define EXT(name, on, needs, title) EXT_##name,
#include "csr/riscv/ext.def"
#undef EXT
    RV_EXT_COUNT
};

struct rv_config {
    uint32_t xlen;     /* MXLEN: 32 or 64 */
    uint32_t ext[4];   /* bit set, by enum rv_ext; read with rv_has */
    uint32_t sv_modes; /* bit n: address translation mode n of satp.MODE is there (RV64: 8 Sv39, 9 Sv48, 10 Sv57; RV32: 1 Sv32) */
    uint32_t asid_bits;  /* 0..16 (RV32: 0..9) */
    uint32_t vmid_bits;  /* 0..14 (RV32: 0..7) */
    uint32_t pmp_count;  /* 0, 16 or 64 entries */
    uint32_t pmp_grain;  /* G of priv 3.7.1: granularity is 2^(G+2) bytes */
    uint32_t hpm_count;  /* mhpmcounter3.. that are there: 0..29 */
    uint32_t geilen;     /* guest external interrupts, 0..31 (63 on RV64) */
    uint32_t pa_bits;    /* physical address width, 32..56 */
    uint32_t misaligned; /* 1: plain loads and stores may be misaligned; 0: they trap (priv 3.6.3.3) */
    uint64_t mvendorid, marchid, mimpid;
    uint64_t reset_pc;
    uint64_t nmi_rnmi_vector, nmi_exception_vector; /* Smrnmi 8.4: implementation defined */
    uint64_t tick_cycles;                           /* machine cycles in one tick of time */
};

static inline bool rv_has(const struct rv_config *c, enum rv_ext e) { return (c->ext[e / 32] >> (e % 32)) & 1; }

/* The default configuration ("max"): everything in ext.def whose row says so. xlen is 32 or 64. */
void rv_config_default(struct rv_config *c, uint32_t xlen);
/*
 * Applies "rv64,h=on,sstc=off,pmp=16,…" to *c; items are separated by commas, blanks or line ends, # starts a comment, names are
 * case-insensitive. rv32 and rv64 put everything at its default, so they come first. An extension that is turned off takes along
 * what needs it, one that is turned on brings what it needs. False with a sentence, and *c as it was, on an unknown name or a bad
 * value, or when what was turned on needs what was turned off. Settings: docs/implementation-defined.md.
 */
bool rv_config_parse(struct rv_config *c, const char *text, struct err *e);
/* The ISA string as the device tree's riscv,isa has it ("rv64imafdch_zicbom_…") in canonical order; cap bytes. Returns its
 * length. */
unsigned rv_config_isa(const struct rv_config *c, char *out, unsigned cap);
/* Name of an extension as the manual spells it, and its row's title. */
const char *rv_ext_name(enum rv_ext e);
const char *rv_ext_title(enum rv_ext e);
#endif
