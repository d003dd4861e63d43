/* What an instruction does that performance monitors count: counters.h. */
#include "cpu/arm/counters.h"
#include "cpu/arm/decode.h"
#include "cpu/arm/flags.h"

static const uint8_t costs[A64_OP_COUNT] = {
#define INSN(name, feat, pattern, format, cost, ...) [OP_##name] = COST_##cost,
#define ALIAS(name, feat, pattern, format, target)
#include "cpu/arm/insn/all.def"
#undef INSN
#undef ALIAS
};

/* PRFM has no effect here, and so is no Memory-reading instruction (Arm ARM D14.1.1 leaves it open). */
static bool prefetches(enum a64_op op) { return op == OP_prfm_u || op == OP_prfum || op == OP_prfm_reg || op == OP_prfm_lit; }

/* Atomic instructions that are not exclusive write, and read unless they return nothing, which is what those without acquire
   semantics do that name XZR as Rt (STADD and so on). */
static unsigned atomic(uint32_t insn)
{
    if (a64_is_exclusive(insn))
        return insn & 1 << 22 ? PMU_READS : PMU_WRITES;
    bool adds = (insn & 0x3f208c00) == 0x38200000, silent = adds && (insn & 31) == 31 && !(insn & 1 << 23);
    return silent ? PMU_WRITES : PMU_READS | PMU_WRITES;
}

static unsigned branch(const struct pe *p, uint32_t insn)
{
    const uint64_t *x = p->s.x;
    uint64_t value = (insn & 31) == 31 ? 0 : x[insn & 31];
    if ((insn & 0x7c000000) == 0x14000000) /* B, BL */
        return PMU_BRANCHES | PMU_IMMEDIATE | PMU_CHANGES_PC;
    if ((insn & 0xfe000000) == 0xd6000000) /* BR, BLR, RET, ERET and their authenticating forms */
        return PMU_BRANCHES | PMU_CHANGES_PC | ((insn & 0x01e00000) == 0x00400000 ? PMU_RETURNS : 0);
    bool not = insn >> 24 & 1, taken;
    if ((insn & 0x7e000000) == 0x34000000) /* CBZ, CBNZ */
        taken = !(insn >> 31 ? value : (uint32_t)value) != not ;
    else if ((insn & 0x7e000000) == 0x36000000) /* TBZ, TBNZ */
        taken = !(value >> ((insn >> 31) << 5 | (insn >> 19 & 31)) & 1) != not ;
    else if ((insn & 0xff000000) == 0x54000000) /* B.cond, BC.cond */
        taken = flags_hold(&p->fl, insn & 15);
    else
        return 0;
    return PMU_BRANCHES | PMU_IMMEDIATE | (taken ? PMU_CHANGES_PC : 0);
}

unsigned pmu_traits(const struct pe *p, uint32_t insn)
{
    struct a64_decoded d = a64_decode(p->decoder, insn);
    switch (costs[d.op]) {
    case COST_LOAD: return prefetches(d.op) ? 0 : PMU_READS;
    case COST_STORE: return PMU_WRITES;
    case COST_ATOMIC: return atomic(insn);
    default: break;
    }
    switch (insn & ~31u) {
    case 0xd518d020: return PMU_CONTEXT; /* MSR CONTEXTIDR_EL1 */
    case 0xd5182000:                     /* MSR TTBR0_EL1 */
    case 0xd5182020: return PMU_TABLES;  /* MSR TTBR1_EL1 */
    case 0xd50b7420:                     /* DC ZVA */
    case 0xd50b7460:                     /* DC GVA */
    case 0xd50b7480: return PMU_WRITES;  /* DC GZVA */
    default: return d.op == OP_undefined ? 0 : branch(p, insn);
    }
}

bool pmu_store_failed(const struct pe *p, uint32_t insn)
{
    if (!a64_is_exclusive(insn) || insn & 1 << 22)
        return false;
    unsigned status = insn >> 16 & 31;
    return p->s.x[status == 31 ? REG_SINK : status] != 0;
}
