/*
 * The A64 system registers and system instructions, from the rows of the .def files of csr/arm.
 *
 * An access (MRS, MSR, SYS, SYSL, MSR immediate) is decoded once: sysreg_find turns the encoding into an id. Then, for each
 * execution: sysreg_check says whether it is UNDEFINED, trapped (to which exception level, with which exception class) or
 * allowed, and which register it really reaches (HCR_EL2.E2H, _EL12 and _EL02 names, secure banks, virtual GIC interface);
 * sysreg_read and sysreg_write do it. Reading changes nothing but what the architecture says (ICC_IAR1_EL1, RNDR). A write
 * legalises (old, new, configuration) to a value and tells its effects; nothing else happens inside. System instructions (TLBI,
 * AT, DC, IC, …) are rows too; the cpu executes them: sysreg_op says what each does.
 */
#ifndef TL_CSR_ARM_SYSREG_H
#define TL_CSR_ARM_SYSREG_H
#include "csr/arm/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What must be looked at again after a write (an effect mask). */
enum sysreg_effect {
    SYSREG_FX_TLB =
        1, /* address translation changed: regime controls, bases, ASID, VMID, PSTATE.PAN/UAO: choose the context anew */
    SYSREG_FX_IRQ = 2,      /* an interrupt may have become pending, enabled, masked or routed elsewhere */
    SYSREG_FX_TIMER = 4,    /* a timer's control, compare value or offset changed: deadlines must be computed anew */
    SYSREG_FX_FP = 8,       /* FPCR, FPSR, or who may use floating point (CPACR, CPTR) changed */
    SYSREG_FX_COUNT = 16,   /* performance monitors: counters, events, enables, filters */
    SYSREG_FX_DEBUG = 32,   /* breakpoints, watchpoints, MDSCR, OS lock, debug routing */
    SYSREG_FX_FETCH = 64,   /* how instructions are fetched or decoded changed (BTI, EE, …) */
    SYSREG_FX_CHECK = 128,  /* what traps other registers or instructions changed: sysreg_armed must be asked anew */
    SYSREG_FX_PAUTH = 256,  /* pointer authentication keys or enables changed */
    SYSREG_FX_TAG = 512,    /* memory tagging controls changed */
    SYSREG_FX_GIC = 1024,   /* GIC CPU interface or list registers changed */
    SYSREG_FX_STATE = 2048, /* SCR_EL3.NS, HCR_EL2.E2H/TGE or the like: security state or routing changed */
};

enum sysreg_result { SYSREG_OK, SYSREG_UNDEFINED, SYSREG_TRAP };

/* Ids, one a register or system instruction: SR_sctlr_el1, SR_tlbi_vmalle1is. Numbered ones follow each other: SR_dbgbvr_el1 + n.
 */
enum sysreg_id {
    SR_NONE, /* no row has this encoding: UNDEFINED */
#define ROW(kind, name, ...) SR_##name,
#define ALIAS(name, ...)     SR_##name,
#define INSN(name, ...)      SR_##name,
#define GROUP(name, ...)     SR_BEHIND_##name, SR_REWIND_##name = SR_BEHIND_##name - 1, /* takes no id */
#define RANGE(kind, name, suffix, enc, stride, count, ...) \
    SR_##name##suffix, SR_LAST_##name##suffix = SR_##name##suffix + (count)-1,
#include "csr/arm/rows.def"
#undef ROW
#undef ALIAS
#undef INSN
#undef GROUP
#undef RANGE
    SYSREG_COUNT
};

/*
 * Storage: one member a row of kind OWN (an array for kind OWNS, indexed by the number in the name: dbgbvr_el1[3] is
 * DBGBVR3_EL1; kind BANK: two words, [0] Secure and [1] Non-secure), named as in the manual in lower case. What is stored has
 * RES0 bits at 0 and RES1 bits at 1 and is always in effect. Where EL3 is absent, scr_el3 holds what the architecture has in its
 * place (NS as configured, everything permitted), where EL2 is absent hcr_el2 is 0 but for RW. General and special-purpose
 * registers (SP_ELx, PSTATE, FPCR, …) and counters are the cpu's. Plain data: it is saved and compared as it is.
 */
struct arm_regs {
#define SYSREG_MEMBER_OWN(name, len)   uint64_t name;
#define SYSREG_MEMBER_OWNS(name, len)  uint64_t name[len];
#define SYSREG_MEMBER_BANK(name, len)  uint64_t name[2];
#define SYSREG_MEMBER_BANKS(name, len) uint64_t name[len][2];
#define SYSREG_MEMBER_VIEW(name, len)
#define SYSREG_MEMBER_CONST(name, len)
#define SYSREG_MEMBER_LIVE(name, len)
#define ROW(kind, name, ...)                               SYSREG_MEMBER_##kind(name, 1)
#define RANGE(kind, name, suffix, enc, stride, count, ...) SYSREG_MEMBER_##kind(name##suffix, count)
#define ALIAS(...)
#define INSN(...)
#define GROUP(...)
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
#undef GROUP
#undef SYSREG_MEMBER_OWN
#undef SYSREG_MEMBER_OWNS
#undef SYSREG_MEMBER_BANK
#undef SYSREG_MEMBER_BANKS
#undef SYSREG_MEMBER_VIEW
#undef SYSREG_MEMBER_CONST
#undef SYSREG_MEMBER_LIVE
};

/*
 * What no register word holds. The cpu supplies all of it; csr calls nothing else. Values of PSTATE fields are in the place the
 * special-purpose register has them: NZCV 31:28, DAIF 9:6, CurrentEL 3:2, SPSel 0, PAN 22, UAO 23, DIT 24, SSBS 12, TCO 25,
 * ALLINT 13.
 */
struct sysreg_live {
    uint64_t (*special)(void *pe,
                        unsigned id); /* SR_nzcv, SR_daif, SR_currentel, SR_spsel, SR_pan, SR_uao, SR_dit, SR_ssbs, SR_tco,
                                         SR_allint, SR_sp_el0 … SR_sp_el2 (the bank, also when it is in use), SR_fpcr, SR_fpsr */
    void (*set_special)(void *pe, unsigned id, uint64_t value); /* of the same; value is legalised */
    uint64_t (*count)(void *pe);                                /* the physical counter now, before any offset */
    uint64_t (*cycles)(void *pe);                               /* PMCCNTR_EL0 now */
    void (*set_cycles)(void *pe, uint64_t value);
    uint64_t (*event)(void *pe, unsigned n); /* PMEVCNTR<n>_EL0 now, n 0..30 */
    void (*set_event)(void *pe, unsigned n, uint64_t value);
    uint64_t (*instructions)(void *pe); /* PMICNTR_EL0 now */
    void (*set_instructions)(void *pe, uint64_t value);
    uint64_t (*overflows)(void *pe);                         /* PMOVSSET_EL0 now, with what has overflowed since it was stored */
    void (*set_overflows)(void *pe, uint64_t value);         /* that; stores it, counters being brought up to now */
    void (*software_increment)(void *pe, uint32_t counters); /* event SW_INCR for these event counters, if they count it */
    void (*captured)(void *pe);                              /* event PMU_SNAPSHOT: the counters were captured */
    uint32_t (*lines)(void *pe);                             /* interrupts pending at the PE now, SYSREG_LINE_* */
    uint64_t (*random)(void *pe, bool reseed);               /* RNDR, RNDRRS: the value; sets PSTATE.NZCV, too */
    uint64_t (*gic_read)(void *pe, unsigned id); /* SR_icc_iar1_el1, SR_icv_hppir0_el1, …: rows of gic.def that read by it */
    uint32_t (*gic_write)(void *pe, unsigned id, uint64_t value); /* SR_icc_eoir1_el1, SR_icc_sgi1r_el1, …; more effects */
    bool (*gic_one_security_state)(void *pe);                     /* GICD_CTLR.DS */
};

/* Lines of sysreg_live.lines: physical interrupts, and virtual ones from the virtual CPU interface (HCR_EL2.VI, VF, VSE are
 * apart). */
enum {
    SYSREG_LINE_IRQ = 1,
    SYSREG_LINE_FIQ = 2,
    SYSREG_LINE_SERROR = 4,
    SYSREG_LINE_IRQ_SUPER = 8, /* the IRQ has Superpriority */
    SYSREG_LINE_VIRQ = 16,
    SYSREG_LINE_VFIQ = 32,
    SYSREG_LINE_VIRQ_SUPER = 64
};

struct sysreg_map; /* what a configuration makes of the rows: built once, constant */

/* Where an access comes from. */
struct sysreg_ctx {
    struct arm_regs *r;
    const struct arm_config *cfg;
    const struct sysreg_map *map;
    const struct sysreg_live *live;
    void *pe;      /* passed to live */
    uint8_t el;    /* PSTATE.EL: 0..3 */
    uint8_t spsel; /* PSTATE.SP */
};

/* What became of a question. */
struct sysreg_access {
    uint8_t result; /* enum sysreg_result */
    uint8_t el;     /* TRAP: exception level it is taken to */
    uint8_t ec;  /* TRAP: exception class: 0x18 (MSR, MRS, system instruction), 0x07 (floating point), …; the caller knows the
                    instruction and makes the ISS from it (ESR_ELx, "ISS encoding for …") */
    uint16_t id; /* OK: the register or instruction that is really meant */
};

/* Encoding as one number: op0 15:14, op1 13:11, CRn 10:7, CRm 6:3, op2 2:0. */
static inline unsigned sysreg_key(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
    return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

struct sysreg_map *sysreg_map_new(const struct arm_config *cfg);
void sysreg_map_free(struct sysreg_map *map);

/* Sets every register to its value after a cold reset (D1.3, "Reset"; UNKNOWN ones are 0). affinity: Aff3.Aff2.Aff1.Aff0 as in
   MPIDR_EL1 bits 39:32, 23:0. */
void sysreg_reset(const struct sysreg_map *map, const struct arm_config *cfg, struct arm_regs *r, uint64_t affinity);

/*
 * The row with this encoding (op0 0: MSR immediate, op1 and op2 name the PSTATE field; 1: system instruction; 2, 3: register) in
 * this configuration; SR_NONE if there is none, which is UNDEFINED at every exception level.
 */
unsigned sysreg_find(const struct sysreg_map *map, unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2);
/* The row of an MSR (immediate). CRm is its operand, but for the fields of one bit that share op1 and op2 with others. */
unsigned sysreg_find_imm(const struct sysreg_map *map, uint32_t insn);

/* UNDEFINED, trapped or allowed; write: MSR and SYS (also those that take no register), not write: MRS and SYSL. */
struct sysreg_access sysreg_check(const struct sysreg_ctx *c, unsigned id, bool write);
/* The value of register id, as sysreg_check returned it; no checks. */
uint64_t sysreg_read(const struct sysreg_ctx *c, unsigned id);
/* Legalises and stores. Returns the effects (enum sysreg_effect); none when the stored value stays as it was, unless the write
   itself does something. */
uint32_t sysreg_write(const struct sysreg_ctx *c, unsigned id, uint64_t value);

/* A generic timer by the id of its control register (SR_cntp_ctl_el0, SR_cnthv_ctl_el2, …): its condition is met while it is
   enabled and count - offset >= compare, as unsigned 64-bit numbers (D12.2.4); it interrupts unless masked. */
struct sysreg_timer {
    bool enabled, masked;
    uint64_t offset, compare;
};
struct sysreg_timer sysreg_timer(const struct sysreg_ctx *c, unsigned ctl);

/*
 * The fast path of MRS and MSR. From some modes a register is read or written as it is stored: no hook, no effect, no trap unless
 * one of a few controls is set. The cpu keeps armed = sysreg_armed(ctx), asked anew after SYSREG_FX_CHECK, and mode (also after
 * SYSREG_FX_STATE):
 *     read:  p = &table[id]; p->reads >> mode & 1 && !(p->read_arms[mode] & armed): the value is ((uint64_t
 * *)regs)[p->word[mode]] write: likewise with writes, write_arms; new = (old & ~p->mask[mode == SYSREG_EL2H]) | (value &
 * p->mask[…]) Everything else asks sysreg_check, sysreg_read, sysreg_write, which give the same.
 */
enum sysreg_mode {
    SYSREG_EL0,
    SYSREG_EL1,
    SYSREG_EL2,
    SYSREG_EL3,
    SYSREG_EL2H,
    SYSREG_MODES
}; /* EL2H: EL2 with HCR_EL2.E2H = 1 */
struct sysreg_plain {
    uint64_t read_arms[SYSREG_MODES], write_arms[SYSREG_MODES]; /* controls that must be off, as bits of sysreg_armed */
    uint64_t mask[2];                                           /* writable bits, at EL2H in [1] */
    uint16_t word[SYSREG_MODES];                                /* index of the stored word in struct arm_regs */
    uint8_t reads, writes;                                      /* bit mode: plain from this mode */
};
const struct sysreg_plain *sysreg_plain_table(const struct sysreg_map *map); /* SYSREG_COUNT of them */
uint64_t sysreg_armed(const struct sysreg_ctx *c);
static inline enum sysreg_mode sysreg_mode_of(const struct arm_regs *r, unsigned el)
{
    return el == 2 && r->hcr_el2 >> 34 & 1 ? SYSREG_EL2H : (enum sysreg_mode)el;
}

/* What a system instruction does (rows of kind INSN); the cpu does it after sysreg_check said OK. */
enum sysreg_op_kind {
    SYSREG_OP_NONE,
    SYSREG_OP_TLBI,
    SYSREG_OP_AT,
    SYSREG_OP_DC,
    SYSREG_OP_IC,
    SYSREG_OP_PREDICT,
    SYSREG_OP_PSTATE
};
enum sysreg_tlbi { TLBI_ALL, TLBI_VMALL, TLBI_VMALLS12, TLBI_ASID, TLBI_VA, TLBI_VAA, TLBI_IPAS2 };
enum sysreg_flag {
    OP_LAST = 1,      /* TLBI: last level only */
    OP_RANGE = 2,     /* TLBI: the operand is a range */
    OP_IS = 4,        /* TLBI, IC: inner shareable broadcast */
    OP_OS = 8,        /* TLBI: outer shareable broadcast */
    OP_NXS = 16,      /* TLBI: completes without waiting for XS accesses */
    OP_WRITE = 32,    /* AT: checks a write */
    OP_PAN = 64,      /* AT: with PSTATE.PAN */
    OP_STAGE12 = 128, /* AT: both stages */
    OP_READS = 256,   /* SYSL or MRS form */
    OP_ANY = 512,     /* AT: no permission of stage 1 is asked for */
};
struct sysreg_op {
    uint8_t kind;   /* enum sysreg_op_kind */
    uint8_t what;   /* TLBI: enum sysreg_tlbi; else 0. DC, IC, PREDICT: the id says which */
    uint8_t regime; /* TLBI: EL1&0, EL2 or EL3 as 1, 2, 3; AT: exception level of the regime, see el */
    uint8_t el;     /* AT: exception level the access is made from: 0..3 */
    uint16_t flags; /* enum sysreg_flag */
};
struct sysreg_op sysreg_op(unsigned id); /* kind NONE for registers */
/* The same for one that exists, without a search. */
struct sysreg_op sysreg_op_in(const struct sysreg_map *map, unsigned id);

/* What FEAT_NV and FEAT_NV2 make of a row (D8.11, "nested virtualization"); nothing asks it while they are absent. */
enum sysreg_nv_kind {
    NV_KIND_NONE,
    NV_KIND_TRAP,     /* from EL1 under HCR_EL2.NV: traps to EL2 */
    NV_KIND_MEM,      /* likewise; under NV2, too, offset arg of the VNCR page instead */
    NV_KIND_EL1,      /* likewise; under NV2, too, register arg instead */
    NV_KIND_NV1_MEM,  /* EL1 register: under {NV2, NV1, NV} = 111, offset arg */
    NV_KIND_NV1_TRAP, /* likewise; under {NV2, NV1, NV} = 011 traps to EL2 */
    NV_KIND_NV12_MEM, /* _EL12 name: under {NV2, NV1, NV} = 101, offset arg; else under NV traps to EL2 */
    NV_KIND_AT,       /* from EL1 under HCR_EL2.AT: traps to EL2 */
    NV_KIND_NV2_MEM,  /* EL1 register: under {NV2, NV} = 11, whatever NV1, offset arg */
    NV_KIND_LEVEL,    /* under HCR_EL2.NV, reads at EL1 show EL2 */
};
struct sysreg_nv {
    uint8_t kind; /* enum sysreg_nv_kind */
    uint16_t arg; /* offset in the VNCR page in bytes, or register id */
};
struct sysreg_nv sysreg_nv(unsigned id);

/* For the debugger, traces, doc and tests: what the tables know. */
struct sysreg_field {
    const char *name;
    uint8_t msb, lsb;
    uint8_t when;          /* condition of existence: enum sysreg_when of internal.h, sysreg_when_title */
    uint8_t rule;          /* enum sysreg_rule of internal.h */
    uint32_t arg;          /* of SET */
    const char *rule_text; /* as in the row */
    const char *meaning;
};
struct sysreg_row {
    const char *name;     /* lower case; of numbered registers without number: "dbgbvr" */
    const char *suffix;   /* behind the number: "_el1" */
    uint16_t id, count;   /* first id, how many follow each other */
    uint16_t key, stride; /* encoding of the first (sysreg_key) and the distance to the next */
    const char *kind, *title;
    uint8_t when; /* condition of existence: sysreg_when_title */
    const struct sysreg_field *fields;
    uint16_t nfields;
};
/* Does a condition of existence hold in this configuration? */
bool sysreg_holds(const struct arm_config *cfg, unsigned when);
/* Whether the field says something in this configuration: it is there, and neither RES0 nor RES1. */
bool sysreg_field_exists(const struct arm_config *cfg, const struct sysreg_field *f);
/* Who may access register id and what stops them, for people, independent of a configuration: lines that end with \n, as
   "write  EL1 EL2 EL3\nHCR_EL2.TVM = 1: writes at EL1 trap to EL2, class 0x18\n…". Writes at most cap bytes; returns the length
   it needs, as snprintf does. */
int sysreg_explain(unsigned id, char *out, size_t cap);
/* "FEAT_PAN", "no FEAT_VHE", "every configuration". */
const char *sysreg_when_title(unsigned when);
/* Heading of the group a register is in, and the chapter of the manual ("D24.2"). */
const char *sysreg_group(unsigned id, const char **spec);
unsigned sysreg_row_count(void);
const struct sysreg_row *sysreg_row_at(unsigned i);
const struct sysreg_row *sysreg_row_of(unsigned id); /* NULL for SR_NONE */
/* The id of the register or instruction `name` ("sctlr_el1", "dbgbvr3_el1", "tlbi_vae1is"), whatever its case; SR_NONE if there
 * is none. */
unsigned sysreg_by_name(const char *name);
/* The name of id ("dbgbvr3_el1") into out. */
void sysreg_name(unsigned id, char *out, size_t cap);
/* The name of an encoding as assemblers take it, when no row has it ("s3_0_c15_c2_1"). */
void sysreg_generic_name(unsigned key, char *out, size_t cap);
unsigned sysreg_key_of(unsigned id);
bool sysreg_exists(const struct sysreg_map *map, unsigned id);
/* A register's value as the row has it, from storage or configuration, without traps: for debuggers, snapshots, comparisons.
   False if there is no such register here, or reading it would do something (ICC_IAR1_EL1, RNDR). */
bool sysreg_peek(const struct sysreg_ctx *c, unsigned id, uint64_t *value);
/* Whether sysreg_peek gives register id in this configuration. */
bool sysreg_peekable(const struct sysreg_map *map, unsigned id);
#endif
