/* The part of an abort's syndrome that describes the instruction. Arm ARM D24.2.37 "ISS encoding for an exception from a Data
 * Abort", LSInstructionSyndrome. */
#include "base/bits.h"
#include "cpu/arm/access.h"
#include "cpu/arm/exec.h"
#include "cpu/arm/walk.h"

#define ISV (UINT32_C(1) << 24)

struct form {
    uint32_t mask, is;
    bool ordered; /* acquire or release: ISS.AR */
};

/* Loads and stores of one general-purpose register without write-back, but for exclusive and atomic ones (C4.1.94). */
static const struct form forms[] = {
    {0x3f000000, 0x39000000, false}, /* unsigned offset */
    {0x3f200c00, 0x38000000, false}, /* unscaled offset */
    {0x3f200c00, 0x38000800, false}, /* unprivileged */
    {0x3f200c00, 0x38200800, false}, /* register offset */
    {0x3f200c00, 0x19000000, true},  /* LDAPUR, STLUR */
    {0x3fa00000, 0x08800000, true},  /* LDAR, STLR, LDLAR, STLLR: bit 15 says which */
    {0x3ffffc00, 0x38bfc000, true},  /* LDAPR */
};

/* What the opc field of these says: a load, sign-extended, to a 64-bit register. */
static uint32_t of_register(uint32_t insn, unsigned size, unsigned opc, bool ordered)
{
    bool sign = opc & 2, wide = sign ? opc == 2 : size == 3;
    return ISV | size << 22 | (uint32_t)sign << 21 | (insn & 31) << 16 | (uint32_t)wide << 15 | (uint32_t)ordered << 14;
}

uint32_t a64_access_syndrome(uint32_t insn)
{
    unsigned size = insn >> 30, opc = insn >> 22 & 3;
    if ((insn & 0x3f000000) == 0x18000000) /* literal: bits 31:30 are opc */
        return size == 3 ? 0 : of_register(insn, size == 1 ? 3 : 2, size == 2 ? 2 : 1, false);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const struct form *f = &forms[i];
        if ((insn & f->mask) != f->is)
            continue;
        if (i < 5)
            return size == 3 && opc >= 2 ? 0 : of_register(insn, size, opc, f->ordered); /* PRFM */
        return of_register(insn, size, 1, i == 6 || (insn & 0x8000));
    }
    return 0;
}

/* Hypervisors emulate devices by what a stage 2 abort tells of the access. Arm ARM AArch64.FaultSyndrome: nothing of aborts on
   the walk of stage 1, of external ones and of cache maintenance. */
void pe_add_syndrome(struct pe *p)
{
    struct arm_exception e = p->exc;
    unsigned fsc = e.iss & 63;
    uint32_t insn;
    bool external = fsc == FSC_EXTERNAL || fsc == 0x13 || (fsc & 0x3c) == FSC_EXTERNAL_ON_WALK;
    if (!(e.iss >> 7 & 3) && !external && pe_fetch(p, p->s.pc, &insn))
        e.iss |= a64_access_syndrome(insn);
    p->exc = e;
}
