/* What a configuration makes of the rows. */
#include "csr/arm/internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint8_t from, dir, arm;
} gate_info[] = {
    {0, 0, 0},
#define GATE(name, from, dir, to, ec, arm, control, condition) {from, dir, arm},
#include "csr/arm/gates.def"
#undef GATE
};

/* Bits of priority that the GIC's interfaces have, as a mask of the byte. */
static uint64_t priority_mask(const struct arm_config *cfg) { return 0xff << (8 - cfg->gic_prio) & 0xff; }

/* Bits that numbers of the configuration, not features, leave in a register. */
static uint64_t limit(const struct arm_config *cfg, unsigned id, unsigned n)
{
    uint64_t counters = bits_mask(0, (unsigned)cfg->pmu_counters) | pmcntenset_el0_C | pmcntenset_el0_F0;
    bool context = arm_context_aware(cfg, n);
    switch (id) {
    case SR_pfar_el1:
    case SR_pfar_el2:
    case SR_mfar_el3: return ~bits_mask(0, 52) | bits_mask(0, (unsigned)cfg->pa_bits);
    case SR_hpfar_el2: return ~bits_mask(4, 40) | bits_mask(4, (unsigned)cfg->pa_bits - 12);
    case SR_pmcntenset_el0:
    case SR_pmcntenclr_el0:
    case SR_pmovsset_el0:
    case SR_pmovsclr_el0:
    case SR_pmintenset_el1:
    case SR_pmintenclr_el1:
    case SR_pmuacr_el1:
    case SR_pmzr_el0: return counters;
    case SR_dbgbvr_el1: return context ? UINT64_MAX : ~dbgbvr_el1_ContextID;
    case SR_dbgbcr_el1: /* BT: linked; context; VMID; the contexts of EL2 (D24.3, DBGBCR<n>_EL1) */
        return ~dbgbcr_el1_BT | (context ? UINT64_C(arm_has(cfg, FEAT_Debugv8p1) ? 15 : 11) : UINT64_C(1)) << dbgbcr_el1_BT_LSB;
    case SR_mdselr_el1: return arm_debug_banked(cfg) ? UINT64_MAX : 0;
    case SR_ich_lr_el2:
        return ~(ich_lr_el2_vINTID | ich_lr_el2_Priority) | bits_mask(0, (unsigned)cfg->gic_id_bits) |
               priority_mask(cfg) << ich_lr_el2_Priority_LSB;
    case SR_ich_vmcr_el2: return ~ich_vmcr_el2_VPMR | priority_mask(cfg) << ich_vmcr_el2_VPMR_LSB;
    case SR_icc_ap1r_el1:
    case SR_ich_ap1r_el2: return n ? ~icc_ap1r_el1_NMI : UINT64_MAX;
    case SR_icc_pmr_el1:
    case SR_icv_pmr_el1: return priority_mask(cfg);
    default: return UINT64_MAX;
    }
}

/* Registers of a range that are there. */
static unsigned count_of(const struct arm_config *cfg, const struct sysreg_row *row)
{
    switch (row->id) {
    case SR_dbgbvr_el1:
    case SR_dbgbcr_el1: return (unsigned)cfg->breakpoints;
    case SR_dbgwvr_el1:
    case SR_dbgwcr_el1: return (unsigned)cfg->watchpoints;
    case SR_pmevcntr_el0:
    case SR_pmevtyper_el0:
    case SR_pmevcntsvr_el1: return (unsigned)cfg->pmu_counters;
    case SR_ich_lr_el2: return (unsigned)cfg->gic_lrs;
    case SR_icc_ap0r_el1:
    case SR_icc_ap1r_el1:
    case SR_ich_ap0r_el2:
    case SR_ich_ap1r_el2: return 1u << (cfg->gic_prio - 5); /* one bit a preemption level */
    default: return row->count;
    }
}

static void field_masks(struct sysreg_map *map, const struct arm_config *cfg, const struct sysreg_row *row,
                        struct sysreg_entry *e)
{
    uint64_t keep = limit(cfg, row->id, e->n);
    e->set = (uint8_t)map->nsets;
    for (unsigned i = 0; i < row->nfields; i++) {
        const struct sysreg_field *f = &row->fields[i];
        uint64_t mask = bits_mask(f->lsb, f->msb - f->lsb + 1u) & keep;
        if (!sysreg_holds(cfg, f->when))
            continue;
        switch ((enum sysreg_rule)f->rule) {
        case RULE_RES0: break;
        case RULE_RES1: e->ones |= mask; break;
        case RULE_RO:
        case RULE_RD:
        case RULE_ID: e->rmask |= mask; break;
        case RULE_WO: e->wmask |= mask; break;
        case RULE_SET:
            assert(map->nsets < ARRAY_LEN(map->sets));
            map->sets[map->nsets++] = (struct sysreg_set){f->lsb, (uint8_t)(f->msb - f->lsb + 1), f->arg};
            e->nset++;
            e->rmask |= mask;
            e->wmask |= mask;
            break;
        case RULE_RW:
        case RULE_FN:
            e->rmask |= mask;
            e->wmask |= mask;
            break;
        }
    }
    e->rmask |= e->ones;
}

/* Registers of EL2 that EL3 sees as RES0 without EL2. VPIDR_EL2 and VMPIDR_EL2 show what EL1 sees. */
static bool res0_without_el2(const struct arm_config *cfg, const struct sysreg_def *def)
{
    switch (def->when) {
    case WHEN_EL2_regs:
    case WHEN_Ctxidr2:
    case WHEN_EL2_RAS:
    case WHEN_EL2_MTE2:
    case WHEN_EL2_AIE:
    case WHEN_EL2_S1PIE:
    case WHEN_EL2_S1POE:
    case WHEN_EL2_SCTLR2:
    case WHEN_EL2_TCR2:
    case WHEN_EL2_Scxtnum:
    case WHEN_EL2_GICv3:
    case WHEN_Gic_virtual_active: return !arm_has(cfg, FEAT_EL2) && def->kind != KIND_INSN;
    default: return false;
    }
}

static uint8_t access_of(const struct arm_config *cfg, unsigned access)
{
    unsigned levels = 3u | (arm_has(cfg, FEAT_EL2) ? E2 : 0u) | (arm_has(cfg, FEAT_EL3) ? E3 : 0u);
    unsigned top = levels & E3 ? E3 : levels & E2 ? E2 : E1;
    if (access & ACCESS_TOP)
        access |= top << 4;
    return (uint8_t)(access & (levels | levels << 4));
}

static void add_gates(struct sysreg_entry *e, const struct arm_config *cfg, const uint8_t *gates)
{
    for (unsigned i = 0; i < MAX_GATES && gates[i]; i++) {
        if (gates[i] == GATE_debug_unit && !arm_debug_banked(cfg))
            continue; /* always open */
        unsigned at = e->ngates;
        assert(at < MAX_GATES);
        for (; at && e->gates[at - 1] > gates[i]; at--) /* in the order of gates.def */
            e->gates[at] = e->gates[at - 1];
        e->gates[at] = gates[i];
        e->ngates++;
    }
}

static void activate(struct sysreg_entry *e)
{
    for (unsigned i = 0; i < e->ngates; i++)
        for (unsigned write = 0; write < 2; write++)
            for (unsigned el = 0; el < 4; el++)
                if (gate_info[e->gates[i]].from >> el & 1 && gate_info[e->gates[i]].dir >> write & 1)
                    e->active[write][el] |= (uint8_t)(1u << i);
}

static void add(struct sysreg_map *map, const struct arm_config *cfg, unsigned index, unsigned n)
{
    const struct sysreg_row *row = sysreg_row_at(index);
    const struct sysreg_def *def = &sysreg_defs[index];
    struct sysreg_entry *e = &map->entry[row->id + n];
    if (!sysreg_holds(cfg, def->when) || n >= count_of(cfg, row))
        return;
    if (def->kind == KIND_ALIAS && !sysreg_holds(cfg, sysreg_defs[sysreg_index_of(def->target.first)].when))
        return;
    e->def = def;
    e->id = (uint16_t)(row->id + n);
    e->n = (uint16_t)n;
    e->word = SYSREG_NO_WORD;
    if (def->word != SYSREG_NO_WORD)
        e->word = (uint16_t)(def->word + n * (def->bank ? 2 : 1));
    e->bank = def->bank;
    e->read = def->read;
    e->write = def->write;
    e->effects = def->effects;
    e->access = access_of(cfg, def->access);
    add_gates(e, cfg, def->gates);
    if (def->kind == KIND_ALIAS)
        add_gates(e, cfg, sysreg_defs[sysreg_index_of(def->target.first)].gates);
    activate(e);
    if (def->kind == KIND_INSN || def->kind == KIND_ALIAS)
        return;
    field_masks(map, cfg, row, e);
    if (def->kind == KIND_CONST && !def->read)
        e->value = sysreg_id_value(cfg, row, def->reset) & e->rmask;
    if (res0_without_el2(cfg, def)) {
        e->rmask = e->wmask = e->ones = e->value = 0;
        e->write = arm_wr_ignore;
        e->read = def->read == arm_rd_vpidr_el2 || def->read == arm_rd_vmpidr_el2 ? def->read : arm_rd_zero;
    }
}

/* Keys: the rows', then what is reserved. */
static void add_keys(struct sysreg_map *map)
{
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        if (map->entry[id].def && sysreg_key_of(id))
            map->index[sysreg_key_of(id)] = (uint16_t)id;
    for (unsigned key = 0; key < ARRAY_LEN(map->index); key++) {
        unsigned op0 = key >> 14, crn = key >> 7 & 15;
        if (!map->index[key] && sysreg_in_id_space(key))
            map->index[key] = SR_unallocated_id;
        else if (op0 == 1 && (crn == 11 || crn == 15))
            map->index[key] = SR_impdef_instruction;
        else if (op0 == 3 && (crn == 11 || crn == 15))
            map->index[key] = SR_impdef_register;
    }
}

/* The controls that must be off for an access from el, as bits of sysreg_armed. False: it has no fast path. */
static bool arms_of(const struct sysreg_entry *e, unsigned el, bool write, bool e2h, uint64_t *arms)
{
    *arms = 0;
    for (unsigned left = e->active[write][el]; left; left &= left - 1) {
        unsigned gate = e->gates[__builtin_ctz(left)], arm = gate_info[gate].arm;
        if (gate == GATE_no_e2h && e2h)
            continue; /* EL2 with E2H: it cannot be closed */
        if (arm == SLOW)
            return false;
        if (arm == ARM_FGT)
            arm = (e->def->fine.group == FGT_HD ? ARM_HDFGR : ARM_HFGR) + (unsigned)write;
        *arms |= UINT64_C(1) << arm;
    }
    return true;
}

static void add_plain(struct sysreg_map *map, unsigned id)
{
    const struct sysreg_entry *e = &map->entry[id];
    struct sysreg_plain *p = &map->plain[id];
    for (unsigned mode = 0; mode < SYSREG_MODES && e->def; mode++) {
        bool e2h = mode == SYSREG_EL2H;
        unsigned el = e2h ? 2 : mode, kind = e->def->target.kind, to = id;
        if (kind == TARGET_ALIAS || (kind == TARGET_E2H && e2h))
            to = e->def->target.first;
        else if (kind == TARGET_TIMER || ((kind >= TARGET_ICV0 && kind <= TARGET_AMO) && el == 1))
            continue;
        const struct sysreg_entry *t = &map->entry[to];
        if (!t->def || t->word == SYSREG_NO_WORD || t->bank)
            continue;
        p->word[mode] = t->word;
        p->mask[e2h] = t->wmask;
        if (e->access >> el & 1 && !t->read && arms_of(e, el, false, e2h, &p->read_arms[mode]))
            p->reads |= (uint8_t)(1u << mode);
        if (e->access >> (4 + el) & 1 && !t->write && !t->nset && !t->effects && arms_of(e, el, true, e2h, &p->write_arms[mode]))
            p->writes |= (uint8_t)(1u << mode);
    }
}

const struct sysreg_plain *sysreg_plain_table(const struct sysreg_map *map) { return map->plain; }

struct sysreg_map *sysreg_map_new(const struct arm_config *cfg)
{
    struct sysreg_map *map = calloc(1, sizeof *map);
    if (!map)
        abort();
    for (unsigned i = 0; i < sysreg_row_count(); i++)
        for (unsigned n = 0; n < sysreg_row_at(i)->count; n++)
            add(map, cfg, i, n);
    add_keys(map);
    for (unsigned id = 1; id < SYSREG_COUNT; id++)
        add_plain(map, id);
    return map;
}

void sysreg_map_free(struct sysreg_map *map) { free(map); }

unsigned sysreg_find(const struct sysreg_map *map, unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
    return map->index[sysreg_key(op0 & 3, op1 & 7, crn & 15, crm & 15, op2 & 7)];
}

unsigned sysreg_find_imm(const struct sysreg_map *map, uint32_t insn)
{
    unsigned op1 = insn >> 16 & 7;
    return sysreg_find(map, 0, op1, 4, op1 == 1 ? insn >> 8 & 15 : 0, insn >> 5 & 7); /* C6.2 "MSR (immediate)" */
}

struct sysreg_op sysreg_op_in(const struct sysreg_map *map, unsigned id) { return map->entry[id].def->op; }

bool sysreg_exists(const struct sysreg_map *map, unsigned id) { return id && id < SYSREG_COUNT && map->entry[id].def; }
