/* Shared by the files of csr/riscv; nobody else includes it. */
#ifndef TL_CSR_RISCV_INTERNAL_H
#define TL_CSR_RISCV_INTERNAL_H
#include "base/bits.h"
#include "csr/riscv/csr.h"
#include "csr/riscv/masks.h"

/* Conditions of existence: an extension, or a line of when.def. */
enum csr_when {
#define EXT(name, on, needs, title) WHEN_##name,
#include "csr/riscv/ext.def"
#undef EXT
#define WHEN(name, owner, condition, title) WHEN_##name,
#include "csr/riscv/when.def"
#undef WHEN
};

enum csr_rule { RULE_ANY, RULE_FIX, RULE_SET, RULE_FN, RULE_RD };

struct csr_entry;
typedef uint64_t csr_read_fn(const struct csr_ctx *c, const struct csr_entry *e); /* the whole register, before the shift */
typedef uint32_t csr_write_fn(const struct csr_ctx *c, const struct csr_entry *e, uint64_t v); /* the effects */
typedef enum csr_result csr_gate_fn(const struct csr_ctx *c, const struct csr_entry *e, bool write);

/* What a configuration makes of one register number. Masks are in storage layout. */
struct csr_entry {
    uint64_t rmask, wmask, ones; /* visible and writable bits; bits fixed at one (visible, never writable) */
    csr_read_fn *read;           /* NULL: the stored word */
    csr_write_fn *write;         /* NULL: the stored word */
    csr_gate_fn *gate;
    uint16_t word;    /* index of the stored word in struct rv_csrs */
    uint16_t partner; /* entry that takes over when V=1, or 0 */
    uint16_t low;     /* of a high half: entry of the low half, else this entry */
    uint16_t num;
    uint8_t shift; /* 32 for a high half */
    uint8_t modes; /* bit (priv | v << 2): the privilege level is enough */
    uint8_t gated; /* bit (priv | v << 2): ask the gate */
    uint8_t n;     /* number in the name, of numbered registers; else the low five bits of num */
    uint16_t effects;
    uint8_t nset, set; /* SET fields: sets[set .. set + nset - 1] of the map */
};

struct csr_set {
    uint8_t lsb, width;
    uint32_t legal;
};

struct csr_map {
    uint16_t index[4096]; /* entry of a register number; 0 does not exist */
    unsigned count;       /* entries in use; entry 0 is the one that does not exist */
    unsigned nsets;
    bool stateen;   /* mstateen is there */
    bool ssstateen; /* hstateen and sstateen are there */
    struct csr_set sets[64];
    struct csr_entry entry[512];
    struct csr_plain plain[4096];
};

/* One row as code sees it; in the order of csr_row_at. */
struct csr_def {
    csr_read_fn *read;
    csr_write_fn *write;
    csr_gate_fn *gate;
    uint64_t reset;
    uint16_t word; /* first stored word, or CSR_NO_WORD */
    uint16_t effects;
    uint8_t when;
    int16_t low; /* of a high half: index of the low half's row */
};
enum { CSR_NO_WORD = 0xffff };
extern const struct csr_def csr_defs[];

/* Does the condition hold in this configuration? */
bool csr_holds(const struct rv_config *cfg, enum csr_when when);
enum rv_ext csr_when_owner(enum csr_when when);

static inline const struct csr_entry *csr_entry_of(const struct csr_ctx *c, unsigned num)
{
    const struct csr_entry *e = &c->map->entry[c->map->index[num & 4095]];
    return c->v && e->partner ? &c->map->entry[e->partner] : e;
}
static inline uint64_t *csr_word(const struct csr_ctx *c, const struct csr_entry *e) { return (uint64_t *)c->r + e->word; }
/* What a write of v leaves in the stored word: old outside the mask, SET fields checked (csr_ctx, entry, old word, written
 * value). */
uint64_t csr_merge(const struct csr_ctx *c, const struct csr_entry *e, uint64_t old, uint64_t v);
/* mstateen n and hstateen n as they read: all ones where mstateen is not there. */
uint64_t csr_mstateen(const struct csr_ctx *c, unsigned n);
uint64_t csr_hstateen(const struct csr_ctx *c, unsigned n);
/* Value of counter n (0 cycle, 2 instret, 3..31) now. */
uint64_t csr_counter(const struct csr_ctx *c, unsigned n);
/* Bits of sip, sie, vsip and vsie that delegation shows. */
uint64_t csr_s_mask(const struct csr_ctx *c);
uint64_t csr_vs_mask(const struct csr_ctx *c);
enum {
    CSR_S_BITS = 1 << 1 | 1 << 5 | 1 << 9 | 1 << 13,
    CSR_VS_BITS = 1 << 2 | 1 << 6 | 1 << 10,
    CSR_H_BITS = CSR_VS_BITS | 1 << 12
};

csr_read_fn rd_fflags, rd_fcsr, rd_seed, rd_counter, rd_time, rd_scountinhibit, rd_scountovf, rd_sstatus, rd_mstatus, rd_vsstatus,
    rd_sie, rd_sip, rd_hie, rd_hip, rd_vsie, rd_vsip, rd_mip, rd_hgeip, rd_senvcfg, rd_mvendorid, rd_marchid, rd_mimpid, rd_zero,
    rd_misa, rd_hstateen, rd_sireg, rd_pmpaddr;
csr_write_fn wr_fflags, wr_frm, wr_fcsr, wr_counter, wr_scountinhibit, wr_mstatus, wr_vsstatus, wr_hstatus, wr_sie, wr_sip,
    wr_hie, wr_hip, wr_vsie, wr_vsip, wr_mip, wr_mideleg, wr_hideleg, wr_senvcfg, wr_henvcfg, wr_menvcfg, wr_satp, wr_hgatp,
    wr_mseccfg, wr_mnstatus, wr_hstateen, wr_sireg, wr_pmpcfg, wr_pmpaddr, wr_ignore;
csr_gate_fn gate_fs, gate_ssp, gate_seed, gate_counter, gate_scountinhibit, gate_scountovf, gate_senvcfg, gate_henvcfg,
    gate_stimecmp, gate_vstimecmp, gate_satp, gate_hgatp, gate_hedelegh, gate_stateen, gate_csrind, gate_mireg, gate_sireg,
    gate_vsireg;
#endif
