/* What the bits of a load or store tell of its access: the part of an abort's syndrome that describes the instruction, and
 * whether tags are checked. Arm ARM D24.2.37 "ISS encoding for an exception from a Data Abort", LSInstructionSyndrome. */
#include "base/bits.h"
#include "cpu/arm/exec.h"

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
    {0x3fa00000, 0x08800000, true},  /* LDAR, STLR: bit 15; LDLAR and STLLR count as neither (IMPLEMENTATION DEFINED) */
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
    if ((insn & 0xff200c00) == 0xf8200400) /* LDRAA, LDRAB: bits 23:22 are the key's and a sign */
        return of_register(insn, 3, 1, false);
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

/* Loads and stores that are not checked when their base is SP, though SP could be tagged: those with an immediate offset or none
   that leave SP as it is (C4.1.94; in each instruction's operation "tagchecked"). */
static const struct {
    uint32_t mask, is;
} sp_unchecked[] = {
    {0x3b000000, 0x39000000}, /* unsigned offset */
    {0x3b200c00, 0x38000000}, /* unscaled offset */
    {0x3b200c00, 0x38000800}, /* unprivileged */
    {0x3b200c00, 0x38200000}, /* atomic memory operations, LDAPR */
    {0xff200c00, 0xf8200400}, /* LDRAA, LDRAB without write-back */
    {0x3a800000, 0x28000000}, /* pairs, without write-back: bit 23 */
    {0x3f000000, 0x08000000}, /* exclusives, ordered, compare and swap */
    {0xbf800000, 0x0c000000}, /* structures, multiple */
    {0xbf800000, 0x0d000000}, /* structures, single */
    {0x3b200c00, 0x19000000}, /* LDAPUR, STLUR */
    {0x3f200c00, 0x1d000800}, /* those of V registers */
    {0xbfa0fc00, 0x99001800}, /* LDIAPP, STILP */
    {0xff200c00, 0x19200000}, /* 128-bit atomics */
    {0xbf20fc00, 0x19200800}, /* RCWCAS, RCWSCAS */
};

bool a64_tag_unchecked(uint32_t insn)
{
    const uint32_t literal_mask = 0x3b000000, literal = 0x18000000, base_mask = 31u << 5;
    if ((insn & literal_mask) == literal)
        return true;
    if ((insn & base_mask) != base_mask)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(sp_unchecked); i++)
        if ((insn & sp_unchecked[i].mask) == sp_unchecked[i].is)
            return true;
    return false;
}
