/* The rows as constant tables, and looking them up. */
#include "csr/arm/internal.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Rules: rule, argument. */
#define RULE_OF_RW     RULE_RW, 0
#define RULE_OF_RES0   RULE_RES0, 0
#define RULE_OF_RES1   RULE_RES1, 0
#define RULE_OF_RO     RULE_RO, 0
#define RULE_OF_RD     RULE_RD, 0
#define RULE_OF_FN     RULE_FN, 0
#define RULE_OF_SET(v) RULE_SET, v
#define RULE_OF_WO     RULE_WO, 0
#define RULE_OF_ID     RULE_ID, 0

/* Fields; one without a name ends them. */
#define NO_FIELDS(reg)
#define F(reg, field, msb, lsb, when, rule, meaning) {#field, msb, lsb, WHEN_##when, RULE_OF_##rule, #rule, meaning},
#define ROW(kind, name, enc, when, access, gates, fgt, target, nv, read, write, effects, reset, title, ...) \
    static const struct sysreg_field fields_##name[] = {__VA_ARGS__{0}};
#define RANGE(kind, name, suffix, enc, stride, count, when, access, gates, fgt, target, nv, read, write, effects, reset, title, \
              ...)                                                                                                              \
    static const struct sysreg_field fields_##name[] = {__VA_ARGS__{0}};
#define ALIAS(...)
#define INSN(...)
#define GROUP(...)
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
#undef GROUP
#undef F

#define ENC(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define NOENC                        0
#define COUNT_OF(name)               (ARRAY_LEN(fields_##name) - 1)

/* Headings: the first id behind each. */
static const struct group {
    unsigned first;
    const char *title, *spec;
} groups[] = {
/* A heading takes no id: it stands for the id of the row behind it. */
#define ROW(...)
#define RANGE(...)
#define ALIAS(...)
#define INSN(...)
#define GROUP(name, title, spec) {SR_BEHIND_##name, title, spec},
#include "csr/arm/rows.def"
#undef GROUP
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
};

/* Row numbers. */
enum {
#define ROW(kind, name, ...)           INDEX_##name,
#define RANGE(kind, name, suffix, ...) INDEX_##name##suffix,
#define ALIAS(name, ...)               INDEX_##name,
#define INSN(name, ...)                INDEX_##name,
#define GROUP(...)
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
    INDEX_COUNT
};

static const struct sysreg_row rows[] = {
#define ROW(kind, name, enc, when, access, gates, fgt, target, nv, read, write, effects, reset, title, ...) \
    {#name, "", SR_##name, 1, enc, 1, #kind, title, WHEN_##when, fields_##name, COUNT_OF(name)},
#define RANGE(kind, name, suffix, enc, stride, count, when, access, gates, fgt, target, nv, read, write, effects, reset, title, \
              ...)                                                                                                              \
    {#name, #suffix, SR_##name##suffix, count, enc, stride, #kind, title, WHEN_##when, fields_##name, COUNT_OF(name)},
#define ALIAS(name, enc, of, nv) {#name, "", SR_##name, 1, enc, 1, "ALIAS", #of, WHEN_VHE, fields_##of, COUNT_OF(of)},
#define INSN(name, enc, when, access, gates, fgt, nv, op, title) \
    {#name, "", SR_##name, 1, enc, 1, "INSN", title, WHEN_##when, NULL, 0},
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
};

#define WORD_OWN(name)   offsetof(struct arm_regs, name) / 8
#define WORD_OWNS(name)  offsetof(struct arm_regs, name) / 8
#define WORD_BANK(name)  offsetof(struct arm_regs, name) / 8
#define WORD_BANKS(name) offsetof(struct arm_regs, name) / 8
#define WORD_VIEW(name)  SYSREG_NO_WORD
#define WORD_CONST(name) SYSREG_NO_WORD
#define WORD_LIVE(name)  SYSREG_NO_WORD
#define IS_BANK(kind)    (KIND_##kind == KIND_BANK || KIND_##kind == KIND_BANKS)
#define arm_rd_PLAIN     NULL
#define arm_rd_ID        NULL
#define arm_wr_PLAIN     NULL
#define arm_wr_NONE      arm_wr_ignore

/* Access. */
#define R0    0x0f
#define R1    0x0e
#define R2    0x0c
#define R3    0x08
#define W0    0xf0
#define W1    0xe0
#define W2    0xc0
#define W3    0x80
#define RW0   (R0 | W0)
#define RW1   (R1 | W1)
#define RW2   (R2 | W2)
#define RW3   (R3 | W3)
#define R_EL1 0x02
#define W_EL1 0x20
#define W_TOP ACCESS_TOP

/* Gates. */
#define G0                      0
#define G1(a)                   GATE_##a
#define G2(a, b)                GATE_##a, GATE_##b
#define G3(a, b, c)             G2(a, b), GATE_##c
#define G4(a, b, c, d)          G3(a, b, c), GATE_##d
#define G5(a, b, c, d, e)       G4(a, b, c, d), GATE_##e
#define G6(a, b, c, d, e, f)    G5(a, b, c, d, e), GATE_##f
#define G7(a, b, c, d, e, f, g) G6(a, b, c, d, e, f), GATE_##g

/* Fine-grained traps. */
#define NOFGT                            \
    {                                    \
        FGT_NONE, FGT_NO_BIT, FGT_NO_BIT \
    }
#define HF(f)                                              \
    {                                                      \
        FGT_HF, hfgrtr_el2_##f##_LSB, hfgwtr_el2_##f##_LSB \
    }
#define HFR(f)                                   \
    {                                            \
        FGT_HF, hfgrtr_el2_##f##_LSB, FGT_NO_BIT \
    }
#define HD(f)                                                \
    {                                                        \
        FGT_HD, hdfgrtr_el2_##f##_LSB, hdfgwtr_el2_##f##_LSB \
    }
#define HDR(f)                                    \
    {                                             \
        FGT_HD, hdfgrtr_el2_##f##_LSB, FGT_NO_BIT \
    }
#define HDW(f)                                    \
    {                                             \
        FGT_HD, FGT_NO_BIT, hdfgwtr_el2_##f##_LSB \
    }
#define HF2(f)                                                  \
    {                                                           \
        FGT_HF2, hfgrtr2_el2_n##f##_LSB, hfgwtr2_el2_n##f##_LSB \
    }
#define HD2(f)                                                    \
    {                                                             \
        FGT_HD2, hdfgrtr2_el2_n##f##_LSB, hdfgwtr2_el2_n##f##_LSB \
    }
#define HD2R(f)                                      \
    {                                                \
        FGT_HD2, hdfgrtr2_el2_n##f##_LSB, FGT_NO_BIT \
    }
#define HD2W(f)                                      \
    {                                                \
        FGT_HD2, FGT_NO_BIT, hdfgwtr2_el2_n##f##_LSB \
    }
#define HFR2(f)                                     \
    {                                               \
        FGT_HF2, hfgrtr2_el2_n##f##_LSB, FGT_NO_BIT \
    }
#define HI(f)                                    \
    {                                            \
        FGT_HI, FGT_NO_BIT, hfgitr_el2_##f##_LSB \
    }

/* Redirection. */
#define NO_TARGET         \
    {                     \
        TARGET_NONE, 0, 0 \
    }
#define E2H(r)                \
    {                         \
        TARGET_E2H, SR_##r, 0 \
    }
#define TIMER(r, s)                  \
    {                                \
        TARGET_TIMER, SR_##r, SR_##s \
    }
#define ICV0(r)                \
    {                          \
        TARGET_ICV0, SR_##r, 0 \
    }
#define ICV1(r)                \
    {                          \
        TARGET_ICV1, SR_##r, 0 \
    }
#define ICV01(r)                \
    {                           \
        TARGET_ICV01, SR_##r, 0 \
    }
#define AMO(r)                \
    {                         \
        TARGET_AMO, SR_##r, 0 \
    }

#define DEBUG_BANK        \
    {                     \
        TARGET_BANK, 0, 0 \
    }

/* Nested virtualisation. */
#define NV_NO           \
    {                   \
        NV_KIND_NONE, 0 \
    }
#define NV_TRAP         \
    {                   \
        NV_KIND_TRAP, 0 \
    }
#define NV_AT         \
    {                 \
        NV_KIND_AT, 0 \
    }
#define NV_MEM(o)      \
    {                  \
        NV_KIND_MEM, o \
    }
#define NV_EL1(r)           \
    {                       \
        NV_KIND_EL1, SR_##r \
    }
#define NV1_MEM(o)         \
    {                      \
        NV_KIND_NV1_MEM, o \
    }
#define NV1_TRAP(o)         \
    {                       \
        NV_KIND_NV1_TRAP, o \
    }
#define NV12_MEM(o)         \
    {                       \
        NV_KIND_NV12_MEM, o \
    }
#define NV2_MEM(o)         \
    {                      \
        NV_KIND_NV2_MEM, o \
    }
#define NV_LEVEL         \
    {                    \
        NV_KIND_LEVEL, 0 \
    }

/* What instructions do. */
#define NO_OP                      \
    {                              \
        SYSREG_OP_NONE, 0, 0, 0, 0 \
    }
#define PSTATE_OP                    \
    {                                \
        SYSREG_OP_PSTATE, 0, 0, 0, 0 \
    }
#define DC_OP                    \
    {                            \
        SYSREG_OP_DC, 0, 0, 0, 0 \
    }
#define IC_OP(flags)                 \
    {                                \
        SYSREG_OP_IC, 0, 0, 0, flags \
    }
#define PREDICT_OP                    \
    {                                 \
        SYSREG_OP_PREDICT, 0, 0, 0, 0 \
    }
#define AT_OP(regime, el, flags)           \
    {                                      \
        SYSREG_OP_AT, 0, regime, el, flags \
    }
#define TLBI_OP(what, regime, flags)           \
    {                                          \
        SYSREG_OP_TLBI, what, regime, 0, flags \
    }

/* Effects, by their names in the rows. */
enum {
    TLB = SYSREG_FX_TLB,
    IRQ = SYSREG_FX_IRQ,
    TIMER = SYSREG_FX_TIMER,
    FP = SYSREG_FX_FP,
    COUNT = SYSREG_FX_COUNT,
    DEBUG = SYSREG_FX_DEBUG,
    FETCH = SYSREG_FX_FETCH,
    CHECK = SYSREG_FX_CHECK,
    PAUTH = SYSREG_FX_PAUTH,
    TAG = SYSREG_FX_TAG,
    GIC = SYSREG_FX_GIC,
    STATE = SYSREG_FX_STATE,
};

const struct sysreg_def sysreg_defs[] = {
#define ROW(kind, name, enc, when, access, gates, fgt, target, nv, read, write, effects, reset, title, ...) \
    {arm_rd_##read,     arm_wr_##write, reset,  fgt,         target,        nv,          NO_OP,             \
     WORD_##kind(name), effects,        access, WHEN_##when, IS_BANK(kind), KIND_##kind, {gates}},
#define RANGE(kind, name, suffix, enc, stride, count, when, access, gates, fgt, target, nv, read, write, effects, reset, title, \
              ...)                                                                                                              \
    {arm_rd_##read, arm_wr_##write, reset,       fgt,           target,      nv,     NO_OP, WORD_##kind(name##suffix),          \
     effects,       access,         WHEN_##when, IS_BANK(kind), KIND_##kind, {gates}},
#define ALIAS(name, enc, of, nv) \
    {NULL, NULL, 0, NOFGT, {TARGET_ALIAS, SR_##of, 0}, nv, NO_OP, SYSREG_NO_WORD, 0, RW2, WHEN_VHE, 0, KIND_ALIAS, {GATE_no_e2h}},
#define INSN(name, enc, when, access, gates, fgt, nv, op, title) \
    {NULL, NULL, 0, fgt, NO_TARGET, nv, op, SYSREG_NO_WORD, 0, access, WHEN_##when, 0, KIND_INSN, {gates}},
#include "csr/arm/rows.def"
#undef ROW
#undef RANGE
#undef ALIAS
#undef INSN
};

bool sysreg_holds(const struct arm_config *c, unsigned when)
{
#define on(x) arm_has(c, FEAT_##x)
    switch ((enum sysreg_when)when) {
#define FEAT(name, ...) \
    case WHEN_##name:   \
        return on(name);
#include "csr/arm/feat.def"
#undef FEAT
#define WHEN(name, condition, title) \
    case WHEN_##name:                \
        return condition;
#include "csr/arm/when.def"
#undef WHEN
    }
#undef on
    return false;
}

bool sysreg_field_exists(const struct arm_config *c, const struct sysreg_field *f)
{
    return f->rule != RULE_RES0 && f->rule != RULE_RES1 && sysreg_holds(c, f->when);
}

const char *sysreg_when_title(unsigned when)
{
    static const char *const titles[] = {
#define FEAT(name, ...) [WHEN_##name] = "FEAT_" #name,
#include "csr/arm/feat.def"
#undef FEAT
#define WHEN(name, condition, title) [WHEN_##name] = title,
#include "csr/arm/when.def"
#undef WHEN
    };
    return when < ARRAY_LEN(titles) ? titles[when] : "";
}

unsigned sysreg_row_count(void) { return INDEX_COUNT; }

const struct sysreg_row *sysreg_row_at(unsigned i) { return i < INDEX_COUNT ? &rows[i] : NULL; }

unsigned sysreg_index_of(unsigned id)
{
    unsigned low = 0, high = INDEX_COUNT;
    while (high - low > 1) { /* ids grow with the rows */
        unsigned mid = (low + high) / 2;
        if (rows[mid].id <= id)
            low = mid;
        else
            high = mid;
    }
    return low;
}

const struct sysreg_row *sysreg_row_of(unsigned id) { return id && id < SYSREG_COUNT ? &rows[sysreg_index_of(id)] : NULL; }

const char *sysreg_group(unsigned id, const char **spec)
{
    unsigned i = ARRAY_LEN(groups);
    while (i > 1 && groups[i - 1].first > id)
        i--;
    *spec = groups[i - 1].spec;
    return groups[i - 1].title;
}

struct sysreg_op sysreg_op(unsigned id)
{
    static const struct sysreg_op none = NO_OP;
    return sysreg_row_of(id) ? sysreg_defs[sysreg_index_of(id)].op : none;
}

unsigned sysreg_key_of(unsigned id)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    /* Breakpoints and watchpoints from 16 on are reached through MDSELR_EL1: CRm has four bits. */
    if (!row || !row->key || (row->stride == 8 && id - row->id >= 16))
        return 0;
    return row->key + (id - row->id) * row->stride;
}

bool sysreg_in_id_space(unsigned key)
{
    unsigned op1 = key >> 11 & 7;
    return key >> 14 == 3 && (op1 == 0 || op1 == 1 || op1 == 3) && !(key >> 7 & 15) && !(key >> 6 & 1);
}

void sysreg_name(unsigned id, char *out, size_t cap)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    if (!row)
        snprintf(out, cap, "none");
    else if (row->count > 1)
        snprintf(out, cap, "%s%u%s", row->name, id - row->id, row->suffix);
    else
        snprintf(out, cap, "%s", row->name);
}

void sysreg_generic_name(unsigned key, char *out, size_t cap)
{
    snprintf(out, cap, "s%u_%u_c%u_c%u_%u", key >> 14 & 3, key >> 11 & 7, key >> 7 & 15, key >> 3 & 15, key & 7);
}

unsigned sysreg_by_name(const char *name)
{
    char have[40];
    for (unsigned i = 0; i < INDEX_COUNT; i++) {
        if (strncasecmp(name, rows[i].name, strlen(rows[i].name)))
            continue;
        for (unsigned k = 0; k < rows[i].count; k++) {
            sysreg_name(rows[i].id + k, have, sizeof have);
            if (!strcasecmp(have, name))
                return rows[i].id + k;
        }
    }
    return SR_NONE;
}
