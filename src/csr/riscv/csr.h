/*
 * The RISC-V control and status registers, from the rows of the .def files of csr/riscv.
 *
 * Three questions are asked of an access, each its own column of the row and never mixed: does the register exist in this
 * configuration; is the privilege level enough (bits 9:8 of the number, with the H-extension's rules for V=1); is it gated now
 * (counteren, stateen, TVM, ...). Reading has no side effects. A write legalises (old, new, config) to a value and tells its
 * effects; nothing else happens inside.
 */
#ifndef TL_CSR_RISCV_CSR_H
#define TL_CSR_RISCV_CSR_H
#include "csr/riscv/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RV_U = 0, RV_S = 1, RV_M = 3 }; /* nominal privilege; V is apart */

/* What must be looked at again after a write (an effect mask). */
enum csr_effect {
    CSR_FX_TLB = 1,     /* address translation or protection changed: the translation context must be chosen anew */
    CSR_FX_FLUSH = 2,   /* cached translations are wrong: PMP, MMWP, … changed */
    CSR_FX_IRQ = 4,     /* an interrupt may have become pending, enabled or deliverable */
    CSR_FX_TIMER = 8,   /* stimecmp, vstimecmp, htimedelta, STCE: deadlines must be computed anew */
    CSR_FX_FETCH = 16,  /* how instructions are fetched or decoded changed (misa, UXL, LPE, …) */
    CSR_FX_FP = 32,     /* frm, fflags or FS changed */
    CSR_FX_COUNT = 64,  /* counters, their events, inhibits or filters changed */
    CSR_FX_CHECK = 128, /* what gates other registers changed; nothing caches it today */
};

enum csr_result { CSR_OK, CSR_ILLEGAL, CSR_VIRTUAL }; /* illegal-instruction, virtual-instruction exception */

/*
 * Storage: one member a row of kind OWN (arrays for kind OWNS, indexed by the number in the name: mhpmevent[3] is mhpmevent3),
 * named as in the manual. A register with a high half on RV32 is stored as its 64-bit whole in RV64 layout; any other is stored
 * as its XLEN bits, zero-extended, in the layout of the XLEN (satp.MODE is bit 31 on RV32). Entry i's PMP configuration is byte
 * i%8 of pmpcfg[i/8]. What is stored is always in effect: a write that turns bits of another register read-only zero (menvcfg:
 * henvcfg, senvcfg.SSE, mstatus.SDT, vsstatus.SDT; mideleg: hideleg) clears them there. Fixed ones (UXL, mideleg's VS bits) are
 * stored, too. Not stored are SD, pending bits that come from outside, and counters. frm is apart from fflags. Plain data: it is
 * saved and compared as it is.
 */
struct rv_csrs {
#define CSR_MEMBER_OWN(name, len)  uint64_t name;
#define CSR_MEMBER_OWNS(name, len) uint64_t name[len];
#define CSR_MEMBER_VIEW(name, len)
#define CSR_MEMBER_CONST(name, len)
#define CSR_MEMBER_LIVE(name, len)
#define ROW(kind, name, ...)                           CSR_MEMBER_##kind(name, 1)
#define RANGE(kind, name, num, first, count, len, ...) CSR_MEMBER_##kind(name, len)
#define HIGH(...)
#define HIGHS(...)
#include "csr/riscv/rows.def"
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
#undef CSR_MEMBER_OWN
#undef CSR_MEMBER_OWNS
#undef CSR_MEMBER_VIEW
#undef CSR_MEMBER_CONST
#undef CSR_MEMBER_LIVE
};

/* Live values that no register holds. The cpu supplies all of them; csr calls nothing else. */
struct csr_live {
    uint64_t (*cycle)(void *hart);                               /* value of mcycle now */
    uint64_t (*instret)(void *hart);                             /* value of minstret now, not counting the reading instruction */
    uint64_t (*hpm)(void *hart, unsigned n);                     /* value of mhpmcounter n (3..31) now */
    void (*set_counter)(void *hart, unsigned n, uint64_t value); /* n: 0 mcycle, 2 minstret, 3..31 */
    uint64_t (*time)(void *hart);                                /* value of time (mtime) now */
    uint64_t (*mip)(void *hart);    /* interrupt lines now, as bits of mip: MSIP, MTIP, MEIP, SEIP from outside; STIP and
                                       VSTIP from stimecmp and vstimecmp where STCE enables them */
    uint64_t (*hgeip)(void *hart);  /* guest external interrupt lines now, bits GEILEN:1 */
    uint64_t (*fflags)(void *hart); /* accrued floating-point exceptions now */
    void (*set_fflags)(void *hart, uint64_t v);
    uint64_t (*seed)(void *hart); /* value of seed: Zkr entropy, from the machine's seeded generator */
};

struct csr_map; /* what a configuration makes of the rows: built once, constant */

struct csr_ctx {
    struct rv_csrs *r;
    const struct rv_config *cfg;
    const struct csr_map *map;
    const struct csr_live *live;
    void *hart;      /* passed to live */
    uint8_t priv, v; /* where the access comes from */
};

/* A register, by its number, that some modes read or write as it is stored: no gate, no hook, no effect. For the fast path of CSR
   instructions; everything else asks csr_check, csr_read, csr_write. */
struct csr_plain {
    uint64_t mask;         /* visible and writable bits */
    uint16_t word[2];      /* index of the stored word in struct rv_csrs, by V */
    uint8_t reads, writes; /* bit (priv | v << 2): a read, a write from this mode is plain */
};
/* 4096 of them. */
const struct csr_plain *csr_plain_table(const struct csr_map *map);

struct csr_map *csr_map_new(const struct rv_config *cfg);
void csr_map_free(struct csr_map *map);

/* Sets every register to its reset value (priv 3.4 and the extensions' own). */
void csr_reset(const struct csr_map *map, const struct rv_config *cfg, struct rv_csrs *r, uint64_t hartid);

/* The three questions. write: the instruction would write. */
enum csr_result csr_check(const struct csr_ctx *c, unsigned num, bool write);
/* The value an access from (priv, v) sees; no checks beyond substitution of s* by vs* when v. XLEN-wide, zero-extended. A
   register that does not exist reads as zero. */
uint64_t csr_read(const struct csr_ctx *c, unsigned num);
/* The value that csrrs and csrrc modify: that of csr_read, without the interrupt controller's signal in mip.SEIP (priv 3.1.9). */
uint64_t csr_read_modify(const struct csr_ctx *c, unsigned num);
/* Legalises and stores. Returns the effects; none when the stored value stays as it was, except CSR_FX_FP and CSR_FX_COUNT, which
   every write to such a register gives. */
uint32_t csr_write(const struct csr_ctx *c, unsigned num, uint64_t value);

/*
 * mip as a read in M-mode sees it: the stored bits, hvip, the lines (csr_live.mip) and what hgeip makes of hgeie and
 * hstatus.VGEIN (priv 3.1.9, hypervisor 2.3). For interrupt delivery: bits that cannot be in this configuration are zero if the
 * lines have them zero.
 */
static inline uint64_t csr_pending(const struct rv_csrs *r, uint64_t lines, uint64_t hgeip)
{
    uint64_t stored = r->mip & ~(r->menvcfg >> 63 << 5); /* STCE: STIP is the signal of stimecmp alone */
    uint64_t guest = r->hstatus >> 12 & 63;              /* VGEIN */
    return stored | r->hvip | lines | (hgeip & r->hgeie ? UINT64_C(1) << 12 : 0) | (guest ? (hgeip >> guest & 1) << 10 : 0);
}

/* For the debugger, traces, doc and tests: what the tables know. */
struct csr_field {
    const char *name;
    uint8_t msb32, lsb32, msb64, lsb64; /* 255: not there. 32 and up on RV32: in the high half */
    const char *warl;                   /* the rule, as in the row */
    const char *meaning;
    uint8_t rule; /* enum csr_rule of internal.h */
    uint8_t when; /* enum csr_when of internal.h */
    uint32_t arg; /* of FIX and SET */
};
struct csr_row {
    const char *name;    /* of a numbered register without the number: "pmpaddr"; of a high half with the h */
    uint16_t num, count; /* first register number, how many follow each other */
    uint16_t first;      /* number in the first one's name, when count > 1 */
    bool high;           /* RV32 only, bits 63:32; fields are the low half's */
    enum rv_ext ext;     /* owner */
    const char *kind;    /* OWN, OWNS, VIEW, CONST, LIVE, HIGH */
    const char *spec, *title;
    const struct csr_field *fields;
    uint16_t nfields;
};
unsigned csr_row_count(void);
const struct csr_row *csr_row_at(unsigned i);
const struct csr_row *csr_row_by_num(unsigned num);      /* NULL if no row has it */
const struct csr_row *csr_row_by_name(const char *name); /* "mstatus", "pmpaddr17"; NULL if there is none */
/* The number of register `name` ("mhpmcounter7h"), or -1. */
int csr_num_by_name(const char *name);
bool csr_exists(const struct csr_map *map, unsigned num);
/* The name of register `num` ("mhpmcounter7") into out; its number in hexadecimal if no row has it. */
void csr_name(unsigned num, char *out, size_t cap);
/* Where field f of a register of this row lies when XLEN is xlen. False if the register has no such field there. */
bool csr_field_bits(const struct csr_row *row, const struct csr_field *f, unsigned xlen, unsigned *msb, unsigned *lsb);
/* Whether the field is there in this configuration; where it is not, its bits read as zero. */
bool csr_field_exists(const struct rv_config *cfg, const struct csr_field *f);
#endif
