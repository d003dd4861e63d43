/* Shared by the files of csr/arm; nobody else includes it. */
#ifndef TL_CSR_ARM_INTERNAL_H
#define TL_CSR_ARM_INTERNAL_H
#include "base/bits.h"
#include "csr/arm/masks.h"
#include "csr/arm/sysreg.h"

/* Conditions of existence: a feature, or a line of when.def. */
enum sysreg_when {
#define FEAT(name, ...) WHEN_##name,
#include "csr/arm/feat.def"
#undef FEAT
#define WHEN(name, condition, title) WHEN_##name,
#include "csr/arm/when.def"
#undef WHEN
};

enum sysreg_rule { RULE_RW, RULE_RES0, RULE_RES1, RULE_RO, RULE_RD, RULE_FN, RULE_SET, RULE_WO, RULE_ID };

/* Where in sysreg_armed a control shows. Those of HCR_EL2 are in its own places, turned so that 1 traps. */
enum sysreg_arm {
    ARM_HFGR,
    ARM_HFGW,
    ARM_HDFGR,
    ARM_HDFGW,
    ARM_TCPAC,
    ARM_TCPAC3,
    ARM_TDA,
    ARM_TDA3,
    ARM_TDOSA,
    ARM_TDOSA3,
    ARM_TDRA,
    ARM_TERR3,
    ARM_TLOR3,
    ARM_APK3,
    ARM_ATA3,
    ARM_FIEN3,
    ARM_TID1 = 16,
    ARM_TID2,
    ARM_TID3,
    ARM_ENSCXT3,
    ARM_FGTEN3,
    ARM_TACR,
    ARM_HXEN3,
    ARM_ECVEN3,
    ARM_TSCXT,
    ARM_TVM = 26,
    ARM_TRVM = 30,
    ARM_TLOR = 35,
    ARM_TERR,
    ARM_APK = 40,
    ARM_FIEN = 47,
    ARM_TID4 = 49,
    ARM_ENSCXT = 53,
    ARM_ATA = 56,
    ARM_TID5 = 58,
    ARM_FGT = 0xfe, /* one of the first four, as the row's column fgt says */
    SLOW = 0xff,
};

enum sysreg_gate {
    GATE_none,
#define GATE(name, ...) GATE_##name,
#include "csr/arm/gates.def"
#undef GATE
    GATE_COUNT
};

enum { E0 = 1, E1 = 2, E2 = 4, E3 = 8, READ = 1, WRITE = 2, BOTH = 3, MAX_GATES = 8 };
enum sysreg_to { UNDEF, EL1, EL2, EL3 };

/* Fine-grained trap registers by pairs: which read and which write bit a row asks. */
enum sysreg_fgt { FGT_NONE, FGT_HF, FGT_HD, FGT_HI, FGT_HF2, FGT_HD2 };
struct sysreg_fine {
    uint8_t group, read, write; /* bit numbers; FGT_NO_BIT: none */
};
enum { FGT_NO_BIT = 0xff };

/* Where an access goes instead of the row it names. */
enum sysreg_target_kind {
    TARGET_NONE,
    TARGET_E2H,   /* first, from EL2 with E2H */
    TARGET_TIMER, /* first, from EL2 with E2H and from EL0 of a host; second in Secure state */
    TARGET_ICV0,  /* first + place in the range, from EL1 while HCR_EL2.FMO */
    TARGET_ICV1,  /* … IMO */
    TARGET_ICV01, /* … either */
    TARGET_AMO,   /* first, from EL1 while HCR_EL2.AMO or HCRX_EL2.TMEA */
    TARGET_ALIAS, /* first, always */
    TARGET_BANK,  /* 16 times MDSELR_EL1.BANK further on */
};
struct sysreg_target {
    uint8_t kind;
    uint16_t first, second;
};

struct sysreg_entry;
typedef uint64_t sysreg_read_fn(const struct sysreg_ctx *c, const struct sysreg_entry *e);
typedef uint32_t sysreg_write_fn(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v); /* the effects */

/* What a configuration makes of one id. */
struct sysreg_entry {
    uint64_t rmask, wmask; /* visible and writable bits of the stored word, or of what the hooks give and take */
    uint64_t ones;         /* bits fixed at one (visible, never writable) */
    uint64_t value;        /* kind CONST: the value */
    uint64_t reset;
    sysreg_read_fn *read;   /* NULL: the stored word */
    sysreg_write_fn *write; /* NULL: the stored word */
    const struct sysreg_def *def;
    uint16_t id, word; /* word: index in struct arm_regs, or SYSREG_NO_WORD */
    uint16_t effects;
    uint16_t n;     /* place in its range */
    uint8_t access; /* bit EL: may be read; bit 4 + EL: written */
    uint8_t bank;   /* 1: the Non-secure word follows */
    uint8_t ngates;
    uint8_t nset, set;        /* SET fields: sets[set .. set + nset - 1] of the map */
    uint8_t gates[MAX_GATES]; /* enum sysreg_gate, in the order of gates.def */
    uint8_t active[2][4];     /* by write, EL: bit i: gates[i] applies */
};

struct sysreg_set {
    uint8_t lsb, width;
    uint32_t legal;
};

struct sysreg_map {
    uint16_t index[65536]; /* id of a key; 0: none */
    unsigned nsets;
    struct sysreg_set sets[32];
    struct sysreg_entry entry[SYSREG_COUNT]; /* by id; access 0 and def NULL: not there */
    struct sysreg_plain plain[SYSREG_COUNT];
};

/* One row as code sees it; in the order of sysreg_row_at. */
struct sysreg_def {
    sysreg_read_fn *read;
    sysreg_write_fn *write;
    uint64_t reset;
    struct sysreg_fine fine;
    struct sysreg_target target;
    struct sysreg_nv nv;
    struct sysreg_op op;
    uint16_t word;
    uint16_t effects;
    uint16_t access; /* bit EL: may be read; bit 4 + EL: written; ACCESS_TOP: written at the highest level */
    uint8_t when;
    uint8_t bank;
    uint8_t kind;             /* enum sysreg_kind */
    uint8_t gates[MAX_GATES]; /* 0: no more */
};
enum sysreg_kind { KIND_OWN, KIND_OWNS, KIND_BANK, KIND_BANKS, KIND_VIEW, KIND_CONST, KIND_LIVE, KIND_ALIAS, KIND_INSN };
enum { SYSREG_NO_WORD = 0xffff, ACCESS_TOP = 0x100 };
extern const struct sysreg_def sysreg_defs[];

/* Index of the row of an id (sysreg_row_at). */
unsigned sysreg_index_of(unsigned id);
/* Is the encoding in the space of ID registers that FEAT_IDST is about: op0 3, op1 0, 1 or 3, CRn 0, CRm 0 to 7? */
bool sysreg_in_id_space(unsigned key);
/* The value of a CONST register with rule ID; idreg.c. */
uint64_t sysreg_id_value(const struct arm_config *cfg, const struct sysreg_row *row, uint64_t reset);

static inline bool sysreg_el2_enabled(const struct sysreg_ctx *c)
{
    return arm_has(c->cfg, FEAT_EL2) && c->r->scr_el3 & (scr_el3_NS | scr_el3_EEL2);
}
/* HCR_EL2.{E2H, TGE} = {1, 1}, and EL2 enabled: EL0 is that of an operating system at EL2. */
static inline bool sysreg_host(const struct sysreg_ctx *c)
{
    return (c->r->hcr_el2 & (hcr_el2_E2H | hcr_el2_TGE)) == (hcr_el2_E2H | hcr_el2_TGE) && sysreg_el2_enabled(c);
}
/* Is EL0, EL1 or EL2 in Secure state? EL3 always is; banked registers follow SCR_EL3.NS there, too. */
static inline bool sysreg_secure(const struct sysreg_ctx *c) { return !(c->r->scr_el3 & scr_el3_NS); }

static inline uint64_t *sysreg_word(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    return (uint64_t *)(void *)c->r + e->word + (e->bank ? !sysreg_secure(c) : 0);
}
/* What a write of v leaves in a word: old outside the mask, SET fields checked. */
uint64_t sysreg_merge(const struct sysreg_map *map, const struct sysreg_entry *e, uint64_t old, uint64_t v);

/* For the gates: the event counter of the access is beyond MDCR_EL2.HPMN; there is no such counter. */
bool sysreg_beyond_hpmn(const struct sysreg_ctx *c, const struct sysreg_entry *e);
bool sysreg_no_counter(const struct sysreg_ctx *c, const struct sysreg_entry *e);
/* MDSELR_EL1.BANK as far as it has effect; the breakpoint or watchpoint that an access names is not there. */
unsigned sysreg_debug_bank(const struct sysreg_ctx *c);
bool sysreg_no_debug_unit(const struct sysreg_ctx *c, const struct sysreg_entry *e);
/* Does CPTR_EL2 keep this level from floating point? */
bool sysreg_cptr_fp(const struct sysreg_ctx *c);
/* Is the fine-grained trap bit of the row set? */
bool sysreg_fine_trap(const struct sysreg_ctx *c, const struct sysreg_entry *e, bool write);

#define DECLARE_R(name) uint64_t arm_rd_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e)
#define DECLARE_W(name) uint32_t arm_wr_##name(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
DECLARE_R(zero);
DECLARE_W(ignore);
/* special.c */
DECLARE_R(special);
DECLARE_W(special);
DECLARE_R(random);
DECLARE_R(isr);
DECLARE_R(disr);
DECLARE_W(disr);
/* idreg.c */
DECLARE_R(midr_el1);
DECLARE_R(mpidr_el1);
DECLARE_R(vpidr_el2);
DECLARE_R(vmpidr_el2);
DECLARE_R(dczid_el0);
DECLARE_R(ccsidr_el1);
/* timer.c */
DECLARE_R(cntpct);
DECLARE_R(cntvct);
DECLARE_R(tval);
DECLARE_W(tval);
DECLARE_R(ctl);
/* debug.c */
DECLARE_W(mdscr_el1);
DECLARE_R(oseccr_el1);
DECLARE_W(oseccr_el1);
DECLARE_W(oslar_el1);
DECLARE_R(dbgclaimset_el1);
DECLARE_W(dbgclaimset_el1);
DECLARE_W(clear_bits);
/* pmu.c */
DECLARE_R(pmcr_el0);
DECLARE_W(pmcr_el0);
DECLARE_R(counters);
DECLARE_W(set_counters);
DECLARE_R(counters_of_pmcntenset_el0);
DECLARE_W(clear_counters_of_pmcntenset_el0);
DECLARE_R(overflows);
DECLARE_W(set_overflows);
DECLARE_W(clear_overflows);
DECLARE_R(counters_of_pmintenset_el1);
DECLARE_W(clear_counters_of_pmintenset_el1);
DECLARE_W(pmswinc_el0);
DECLARE_W(pmzr_el0);
DECLARE_R(pmuacr_el1);
DECLARE_W(pmuacr_el1);
DECLARE_R(instructions);
DECLARE_W(instructions);
DECLARE_R(type);
DECLARE_W(type);
DECLARE_W(pmsscr_el1);
DECLARE_R(cycles);
DECLARE_W(cycles);
DECLARE_R(event);
DECLARE_W(event);
DECLARE_R(pmxevtyper);
DECLARE_W(pmxevtyper);
DECLARE_R(pmxevcntr);
DECLARE_W(pmxevcntr);
/* gic.c */
DECLARE_R(gic);
DECLARE_W(gic);
DECLARE_R(icc_pmr_el1);
DECLARE_W(icc_pmr_el1);
DECLARE_R(icc_bpr0_el1);
DECLARE_W(icc_bpr0_el1);
DECLARE_R(icc_bpr1_el1);
DECLARE_W(icc_bpr1_el1);
DECLARE_R(icc_ctlr_el1);
DECLARE_W(icc_ctlr_el1);
DECLARE_R(icc_ctlr_el3);
DECLARE_W(icc_ctlr_el3);
DECLARE_R(icc_igrpen1_el3);
DECLARE_W(icc_igrpen1_el3);
DECLARE_R(icv_pmr_el1);
DECLARE_W(icv_pmr_el1);
DECLARE_R(icv_bpr0_el1);
DECLARE_W(icv_bpr0_el1);
DECLARE_R(icv_bpr1_el1);
DECLARE_W(icv_bpr1_el1);
DECLARE_R(icv_igrpen0_el1);
DECLARE_W(icv_igrpen0_el1);
DECLARE_R(icv_igrpen1_el1);
DECLARE_W(icv_igrpen1_el1);
DECLARE_R(icv_ctlr_el1);
DECLARE_W(icv_ctlr_el1);
DECLARE_R(ich_misr_el2);
DECLARE_R(ich_eisr_el2);
DECLARE_R(ich_elrsr_el2);
DECLARE_W(ich_vmcr_el2);
#undef DECLARE_R
#undef DECLARE_W
#endif
