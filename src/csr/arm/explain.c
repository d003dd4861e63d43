/* The columns of a row in words: who may access it, what traps, where it goes. */
#include "csr/arm/internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    uint8_t from, dir, to, ec;
    const char *control;
} gates[] = {
    {0, 0, 0, 0, ""},
#define GATE(name, from, dir, to, ec, arm, control, condition) {from, dir, to, ec, control},
#include "csr/arm/gates.def"
#undef GATE
};

struct text {
    char *out;
    size_t cap;
    int n;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t at = (size_t)t->n < t->cap ? (size_t)t->n : t->cap;
    t->n += vsnprintf(t->out ? t->out + at : NULL, t->cap - at, fmt, args);
    va_end(args);
}

static void put_levels(struct text *t, unsigned levels)
{
    for (unsigned el = 0; el < 4; el++)
        if (levels >> el & 1)
            put(t, " EL%u", el);
}

static void put_name(struct text *t, unsigned id)
{
    char name[40];
    sysreg_name(id, name, sizeof name);
    put(t, "%s", name);
}

static void put_access(struct text *t, const struct sysreg_def *d)
{
    bool written = d->access & (0xf0 | ACCESS_TOP);
    if (d->access & 15 && !(d->kind == KIND_INSN && written)) {
        put(t, "read  ");
        put_levels(t, d->access & 15);
        put(t, "\n");
    }
    if (written) {
        put(t, d->kind == KIND_INSN ? "use   " : "write ");
        put_levels(t, d->access >> 4 & 15);
        put(t, d->access & ACCESS_TOP ? " the highest level\n" : "\n");
    }
}

/* The field of a fine-grained trap register at this bit. */
static const char *field_at(unsigned id, unsigned bit)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    for (unsigned i = 0; i < row->nfields; i++)
        if (row->fields[i].lsb == bit)
            return row->fields[i].name;
    return "?";
}

static void put_fine(struct text *t, const struct sysreg_fine *f, unsigned from, unsigned gate)
{
    static const uint16_t regs[][2] = {
        [FGT_HF] = {SR_hfgrtr_el2, SR_hfgwtr_el2},      [FGT_HD] = {SR_hdfgrtr_el2, SR_hdfgwtr_el2},
        [FGT_HI] = {SR_hfgitr_el2, SR_hfgitr_el2},      [FGT_HF2] = {SR_hfgrtr2_el2, SR_hfgwtr2_el2},
        [FGT_HD2] = {SR_hdfgrtr2_el2, SR_hdfgwtr2_el2},
    };
    static const char *const names[][2] = {[FGT_HF] = {"HFGRTR_EL2", "HFGWTR_EL2"},
                                           [FGT_HD] = {"HDFGRTR_EL2", "HDFGWTR_EL2"},
                                           [FGT_HI] = {"HFGITR_EL2", "HFGITR_EL2"},
                                           [FGT_HF2] = {"HFGRTR2_EL2", "HFGWTR2_EL2"},
                                           [FGT_HD2] = {"HDFGRTR2_EL2", "HDFGWTR2_EL2"}};
    for (unsigned write = 0; write < 2; write++) {
        unsigned bit = write ? f->write : f->read;
        if (bit == FGT_NO_BIT)
            continue;
        put(t, "%s.%s = %u%s: %s at", names[f->group][write], field_at(regs[f->group][write], bit),
            gate != GATE_fgt_n && gate != GATE_fgt2_n,
            gate == GATE_fgt_nxs  ? " and HCRX_EL2.FGTnXS = 0"
            : gate == GATE_fgt2_n ? " or SCR_EL3.FGTEn2 = 0"
                                  : "",
            f->group == FGT_HI ? "uses"
            : write            ? "writes"
                               : "reads");
        put_levels(t, from);
        put(t, " trap to EL2, class 0x18\n");
    }
}

/* A gate as far as the row's access lets it matter. */
static void put_gate(struct text *t, const struct sysreg_def *d, unsigned g)
{
    unsigned reads = gates[g].dir & READ ? d->access & gates[g].from : 0,
             writes = gates[g].dir & WRITE ? d->access >> 4 & gates[g].from : 0;
    if (g == GATE_fgt || g == GATE_fgt_nxs || g == GATE_fgt_n || g == GATE_fgt2_n) {
        put_fine(t, &d->fine, (d->access | d->access >> 4) & gates[g].from, g);
        return;
    }
    if (!(reads | writes))
        return;
    put(t, "%s: %s at", gates[g].control, d->kind == KIND_INSN ? "uses" : !writes ? "reads" : !reads ? "writes" : "accesses");
    put_levels(t, reads | writes);
    if (gates[g].to == UNDEF)
        put(t, " are UNDEFINED\n");
    else
        put(t, " trap to EL%u, class 0x%02x\n", gates[g].to, gates[g].ec);
}

static void put_target(struct text *t, const struct sysreg_target *target)
{
    static const char *const from[] = {
        [TARGET_E2H] = "from EL2 with HCR_EL2.E2H = 1: ",
        [TARGET_TIMER] = "from EL2 with HCR_EL2.E2H = 1, from EL0 of a host: ",
        [TARGET_ICV0] = "from EL1 with HCR_EL2.FMO = 1: ",
        [TARGET_ICV1] = "from EL1 with HCR_EL2.IMO = 1: ",
        [TARGET_ICV01] = "from EL1 with HCR_EL2.FMO = 1 or IMO = 1: ",
        [TARGET_AMO] = "from EL1 with HCR_EL2.AMO = 1 or HCRX_EL2.TMEA = 1: ",
        [TARGET_ALIAS] = "another name of ",
    };
    if (target->kind == TARGET_NONE)
        return;
    if (target->kind == TARGET_BANK) {
        put(t, "with MDSELR_EL1.BANK in effect: the register 16 times as much further on\n");
        return;
    }
    put(t, "%s", from[target->kind]);
    put_name(t, target->first);
    if (target->second) {
        put(t, ", in Secure state ");
        put_name(t, target->second);
    }
    put(t, "\n");
}

static void put_nv(struct text *t, const struct sysreg_nv *nv)
{
    switch ((enum sysreg_nv_kind)nv->kind) {
    case NV_KIND_NONE:
    case NV_KIND_TRAP:
    case NV_KIND_LEVEL:
    case NV_KIND_AT: break;
    case NV_KIND_MEM:
    case NV_KIND_NV1_MEM:
    case NV_KIND_NV2_MEM:
    case NV_KIND_NV1_TRAP:
    case NV_KIND_NV12_MEM: put(t, "VNCR page: offset 0x%03x\n", nv->arg); break;
    case NV_KIND_EL1:
        put(t, "FEAT_NV2: ");
        put_name(t, nv->arg);
        put(t, " from EL1\n");
        break;
    }
}

int sysreg_explain(unsigned id, char *out, size_t cap)
{
    struct text t = {out, cap, 0};
    put(&t, "%s", "");
    if (!sysreg_row_of(id))
        return 0;
    const struct sysreg_def *d = &sysreg_defs[sysreg_index_of(id)];
    put_access(&t, d);
    for (unsigned g = 1; g < GATE_COUNT; g++) /* in the order in which they are asked */
        for (unsigned i = 0; i < MAX_GATES && d->gates[i]; i++)
            if (d->gates[i] == g)
                put_gate(&t, d, g);
    put_target(&t, &d->target);
    put_nv(&t, &d->nv);
    if (d->reset)
        put(&t, "reset  0x%llx\n", (unsigned long long)d->reset);
    return t.n;
}

struct sysreg_nv sysreg_nv(unsigned id)
{
    const struct sysreg_row *row = sysreg_row_of(id);
    struct sysreg_nv nv = row ? sysreg_defs[sysreg_index_of(id)].nv : (struct sysreg_nv){NV_KIND_NONE, 0};
    if (nv.kind == NV_KIND_MEM && row->count > 1)
        nv.arg = (uint16_t)(nv.arg + 8 * (id - row->id)); /* the row has that of the first */
    return nv;
}
