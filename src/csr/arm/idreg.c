/* What the identification registers hold: features by feat.def, numbers of the configuration here. */
#include "csr/arm/internal.h"
#include <string.h>

/* Where features show, in the order of feat.def: the last one that is on gives the field its value. */
static const struct show {
    uint16_t reg;
    uint8_t value;
    int16_t also; /* another feature that must be on; -1: none */
    const char *field;
} * shown_by(enum arm_feat f, unsigned *count)
{
#define S(reg, field, value)         {SR_##reg, value, -1, #field},
#define S2(reg, field, value, other) {SR_##reg, value, FEAT_##other, #field},
#define SHOWN_ELSEWHERE
#define FEAT(name, version, cores, needs, title, ...) static const struct show shows_##name[] = {__VA_ARGS__{0}};
#include "csr/arm/feat.def"
#undef FEAT
    static const struct {
        const struct show *first;
        unsigned count;
    } shows[] = {
#define FEAT(name, ...) {shows_##name, ARRAY_LEN(shows_##name) - 1},
#include "csr/arm/feat.def"
#undef FEAT
    };
#undef S
#undef S2
#undef SHOWN_ELSEWHERE
    *count = shows[f].count;
    return shows[f].first;
}

static const struct sysreg_field *field_of(const struct sysreg_row *row, const char *name)
{
    for (unsigned i = 0; i < row->nfields; i++)
        if (!strcmp(row->fields[i].name, name))
            return &row->fields[i];
    return NULL;
}

static uint64_t features(const struct arm_config *cfg, const struct sysreg_row *row, uint64_t v)
{
    for (unsigned f = 0; f < ARM_FEAT_COUNT; f++) {
        unsigned n;
        const struct show *s = shown_by((enum arm_feat)f, &n);
        for (unsigned i = 0; i < n && arm_has(cfg, (enum arm_feat)f); i++) {
            const struct sysreg_field *at = s[i].reg == row->id ? field_of(row, s[i].field) : NULL;
            if (at && (s[i].also < 0 || arm_has(cfg, (enum arm_feat)s[i].also)))
                v = bits_set(v, at->msb, at->lsb, s[i].value);
        }
    }
    return v;
}

/* log2 of a power of two. */
static unsigned log2_of(uint64_t v) { return (unsigned)__builtin_ctzll(v); }

/* ID_AA64MMFR0_EL1: the physical address, and the granules of stage 2. Those are as at stage 1, which is value 0 (D24.2.72); with
   FEAT_LPA2 the field says so itself, because only it can tell 52 bits. */
static uint64_t mmfr0(const struct arm_config *cfg, uint64_t v)
{
    static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};
    uint64_t range = 0;
    while (bits[range] != cfg->pa_bits)
        range++;
    v = bits_set(v, 3, 0, range);
    if (arm_has(cfg, FEAT_EL2) && arm_has(cfg, FEAT_LPA2)) {
        v = bits_set(v, 43, 40, arm_has(cfg, FEAT_TGran4K) ? 3 : 1);
        v = bits_set(v, 39, 36, arm_has(cfg, FEAT_TGran64K) ? 2 : 1);
        v = bits_set(v, 35, 32, arm_has(cfg, FEAT_TGran16K) ? 3 : 1);
    }
    return v;
}

static uint64_t dfr0(const struct arm_config *cfg, uint64_t v)
{
    if (!bits_get(v, 3, 0))
        v = bits_set(v, 3, 0, 6); /* Armv8.0 debug */
    v = bits_set(v, 15, 12, cfg->breakpoints > 16 ? 15 : cfg->breakpoints - 1);
    v = bits_set(v, 23, 20, cfg->watchpoints > 16 ? 15 : cfg->watchpoints - 1);
    return bits_set(v, 31, 28, cfg->ctx_cmps > 16 ? 15 : cfg->ctx_cmps - 1);
}

/* What does not fit into ID_AA64DFR0_EL1. */
static uint64_t dfr1(const struct arm_config *cfg, uint64_t v)
{
    if (cfg->breakpoints > 16)
        v = bits_set(v, 15, 8, cfg->breakpoints - 1);
    if (cfg->watchpoints >= 16 && arm_has(cfg, FEAT_Debugv8p9))
        v = bits_set(v, 23, 16, cfg->watchpoints - 1);
    return cfg->ctx_cmps > 16 ? bits_set(v, 31, 24, cfg->ctx_cmps - 1) : v;
}

/* CTR_EL0 counts in words of 4 bytes; bit 31 is RES1. */
static uint64_t ctr(const struct arm_config *cfg)
{
    uint64_t v = UINT64_C(1) << 31;
    v = bits_set(v, 3, 0, cfg->iline - 2);
    v = bits_set(v, 15, 14, cfg->l1ip);
    v = bits_set(v, 19, 16, cfg->dline - 2);
    v = bits_set(v, 23, 20, cfg->erg - 2);
    v = bits_set(v, 27, 24, cfg->cwg - 2);
    v = bits_set(v, 28, 28, cfg->idc);
    v = bits_set(v, 29, 29, cfg->dic);
    return bits_set(v, 37, 32, cfg->dline - 2);
}

/* Two levels: separate, then unified. With IDC nothing need be cleaned for the instruction side, with FEAT_S2FWB nothing may need
   it (CLIDR_EL1.LoUU). */
static uint64_t clidr(const struct arm_config *cfg)
{
    uint64_t unification = cfg->idc || arm_has(cfg, FEAT_S2FWB) ? 0 : cfg->lou;
    uint64_t v = 3 | 4 << 3 | UINT64_C(2) << 24;
    return bits_set(bits_set(v, 23, 21, unification), 29, 27, unification);
}

static uint64_t vtr(const struct arm_config *cfg)
{
    uint64_t v = (cfg->gic_lrs - 1) | ich_vtr_el2_TDS | ich_vtr_el2_nV4 | ich_vtr_el2_A3V;
    v = bits_set(v, 25, 23, cfg->gic_id_bits == 24);
    v = bits_set(v, 28, 26, cfg->gic_prio - 1);
    return bits_set(v, 31, 29, cfg->gic_prio - 1);
}

/* PMCEID0_EL0 or PMCEID1_EL0: common events first to first + 31 that are there, and above them 0x4000 on (FEAT_PMUv3p1). With
   64-bit counters there is no CHAIN (D13.12.1). */
static uint64_t common_events(const struct arm_config *cfg, unsigned first)
{
    static const struct {
        uint16_t number, feat;
    } events[] = {
#define EVENT(number, name, feat, how, title) {number, FEAT_##feat},
#include "csr/arm/events.def"
#undef EVENT
    };
    uint64_t v = 0;
    for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
        unsigned number = events[i].number, bit = (number & ~0x4000u) - first;
        if (bit < 32 && arm_has(cfg, events[i].feat) && !(number == 0x1e && arm_has(cfg, FEAT_PMUv3p5)))
            v |= UINT64_C(1) << (number & 0x4000 ? bit + 32 : bit);
    }
    return v;
}

uint64_t sysreg_id_value(const struct arm_config *cfg, const struct sysreg_row *row, uint64_t reset)
{
    uint64_t v = features(cfg, row, reset);
    switch (row->id) {
    case SR_id_aa64pfr0_el1: return v | 0x11; /* EL0 and EL1: AArch64 */
    case SR_id_aa64mmfr0_el1: return mmfr0(cfg, v);
    case SR_id_aa64dfr0_el1: return dfr0(cfg, v);
    case SR_id_aa64dfr1_el1: return dfr1(cfg, v);
    case SR_revidr_el1: return cfg->revidr;
    case SR_rvbar_el1:
    case SR_rvbar_el2:
    case SR_rvbar_el3: return cfg->rvbar;
    case SR_ctr_el0: return ctr(cfg);
    case SR_clidr_el1: return clidr(cfg);
    case SR_gmid_el1: return arm_gmid_bs(cfg);
    case SR_icc_sre_el1: return 7;
    case SR_icc_sre_el2:
    case SR_icc_sre_el3: return 15;
    case SR_ich_vtr_el2: return vtr(cfg);
    case SR_pmceid0_el0: return common_events(cfg, 0);
    case SR_pmceid1_el0: return common_events(cfg, 32);
    case SR_dbgauthstatus_el1:
        return arm_has(cfg, FEAT_EL3) ? 0xae : 0xe; /* non-invasive debug is on, invasive off: nobody debugs */
    default: return v;
    }
}

/* EL1 sees VPIDR_EL2 and VMPIDR_EL2 while EL2 is enabled (D24.2.106, D24.2.107). */
static bool virtual_id(const struct sysreg_ctx *c) { return c->el == 1 && sysreg_el2_enabled(c); }

uint64_t arm_rd_midr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return virtual_id(c) ? c->r->vpidr_el2 : c->cfg->midr;
}

uint64_t arm_rd_mpidr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return virtual_id(c) ? c->r->vmpidr_el2 : c->r->mpidr_el1;
}

/* Without EL2 they show the registers that they would stand for (D24.2.196). */
uint64_t arm_rd_vpidr_el2(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return arm_has(c->cfg, FEAT_EL2) ? c->r->vpidr_el2 : c->cfg->midr;
}

uint64_t arm_rd_vmpidr_el2(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return arm_has(c->cfg, FEAT_EL2) ? c->r->vmpidr_el2 : c->r->mpidr_el1;
}

/* DZP says whether DC ZVA is prohibited where the access comes from (D24.2.42). */
uint64_t arm_rd_dczid_el0(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    bool host = sysreg_host(c), tdz = sysreg_el2_enabled(c) && c->r->hcr_el2 & hcr_el2_TDZ, off = false;
    if (c->el == 0)
        off = host ? !(c->r->sctlr_el2 & sctlr_el2_DZE) : !(c->r->sctlr_el1 & sctlr_el1_DZE) || tdz;
    else if (c->el == 1)
        off = tdz;
    return (c->cfg->zva - 2) | (off ? dczid_el0_DZP : 0);
}

/* The caches by CSSELR_EL1: 4-way at the first level, 16-way at the second. Others do not exist: UNKNOWN, 0 here. */
uint64_t arm_rd_ccsidr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    const struct arm_config *cfg = c->cfg;
    uint64_t kib, ways = 4, line = cfg->dline;
    switch (c->r->csselr_el1) {
    case 0: kib = cfg->l1d_kib; break;
    case 1:
        kib = cfg->l1i_kib;
        line = cfg->iline;
        break;
    case 2:
        kib = cfg->l2_kib;
        ways = 16;
        break;
    default: return 0;
    }
    uint64_t sets = kib << 10 >> line >> log2_of(ways);
    sets = sets ? sets - 1 : 0;
    return (line - 4) | (ways - 1) << 3 | sets << (arm_has(cfg, FEAT_CCIDX) ? 32 : 13);
}
