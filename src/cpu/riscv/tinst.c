#include "cpu/riscv/tinst.h"
#include "base/bits.h"

enum {
    OP_LOAD = 0x03,
    OP_LOAD_FP = 0x07,
    OP_MISC_MEM = 0x0f,
    OP_STORE = 0x23,
    OP_STORE_FP = 0x27,
    OP_AMO = 0x2f,
    OP_SYSTEM = 0x73
};
#define FIELD_RD     UINT32_C(0x00000f80)
#define FIELD_FUNCT3 UINT32_C(0x00007000)
#define FIELD_RS1    UINT32_C(0x000f8000)
#define FIELD_RS2    UINT32_C(0x01f00000)
#define FIELD_OP     UINT32_C(0x0000007f)

static unsigned funct3(uint32_t insn) { return insn >> 12 & 7; }

static uint32_t transform32(uint32_t insn, unsigned offset)
{
    uint32_t at = (uint32_t)(offset & 31) << 15;
    unsigned f3 = funct3(insn);
    switch (insn & FIELD_OP) {
    case OP_LOAD: /* 111 is reserved */ return f3 == 7 ? 0 : (insn & (FIELD_RD | FIELD_FUNCT3 | FIELD_OP)) | at;
    case OP_LOAD_FP: /* flh, flw, fld, flq; the rest are vector loads */
        return f3 >= 1 && f3 <= 4 ? (insn & (FIELD_RD | FIELD_FUNCT3 | FIELD_OP)) | at : 0;
    case OP_STORE: return f3 > 3 ? 0 : (insn & (FIELD_RS2 | FIELD_FUNCT3 | FIELD_OP)) | at;
    case OP_STORE_FP: return f3 >= 1 && f3 <= 4 ? (insn & (FIELD_RS2 | FIELD_FUNCT3 | FIELD_OP)) | at : 0;
    case OP_AMO: return f3 > 4 ? 0 : (insn & ~FIELD_RS1) | at;
    case OP_SYSTEM: /* hlv, hlvx, hsv: funct3 100 and funct7 0110xxx, the rest of 100 are may-be operations */
        return f3 == 4 && insn >> 28 == 6 ? (insn & ~FIELD_RS1) | at : 0;
    case OP_MISC_MEM: /* cbo.inval, clean, flush, zero; rd and rs1 become zero */
        return f3 == 2 ? insn & (UINT32_C(0xfff00000) | FIELD_FUNCT3 | FIELD_OP) : 0;
    default: return 0;
    }
}

static uint32_t load(unsigned op, unsigned f3, unsigned rd) { return op | rd << 7 | f3 << 12; }
static uint32_t store(unsigned op, unsigned f3, unsigned rs2) { return op | f3 << 12 | rs2 << 20; }

/* Quadrants 0 and 2, funct3 001..011 and 101..111: in both of them the same accesses (unpriv C, "Load and Store"). */
static uint32_t plain_access(unsigned f3, unsigned xlen, unsigned reg)
{
    switch (f3) {
    case 1: return load(OP_LOAD_FP, 3, reg);
    case 2: return load(OP_LOAD, 2, reg);
    case 3: return xlen == 32 ? load(OP_LOAD_FP, 2, reg) : load(OP_LOAD, 3, reg);
    case 5: return store(OP_STORE_FP, 3, reg);
    case 6: return store(OP_STORE, 2, reg);
    default: return xlen == 32 ? store(OP_STORE_FP, 2, reg) : store(OP_STORE, 3, reg);
    }
}

/* Quadrant 0, funct3 100: Zcb's byte and halfword accesses; bits 12:10 tell which, bit 6 lhu from lh (unpriv Zcb). */
static uint32_t zcb_access(uint32_t insn, unsigned reg)
{
    switch (insn >> 10 & 7) {
    case 0: return load(OP_LOAD, 4, reg);
    case 1: return load(OP_LOAD, insn & 0x40 ? 1 : 5, reg);
    case 2: return store(OP_STORE, 0, reg);
    case 3: return insn & 0x40 ? 0 : store(OP_STORE, 1, reg);
    default: return 0;
    }
}

/* The 32-bit equivalent of a compressed load or store, its immediate and rs1 left out as the transformation does anyway. 0: none.
 */
static uint32_t expand(uint32_t insn, unsigned xlen)
{
    unsigned f3 = insn >> 13 & 7, quadrant = insn & 3;
    if (f3 == 0 || (quadrant != 0 && quadrant != 2) || (quadrant == 2 && f3 == 4))
        return 0;
    unsigned reg = (insn >> 2 & 7) + 8;
    if (quadrant == 0 && f3 == 4)
        return zcb_access(insn, reg);
    if (quadrant == 2)
        reg = f3 < 4 ? insn >> 7 & 31 : insn >> 2 & 31;
    return plain_access(f3, xlen, reg);
}

uint32_t tinst_transform(uint32_t insn, unsigned xlen, unsigned offset)
{
    if ((insn & 3) == 3)
        return transform32(insn, offset);
    uint32_t wide = expand(insn & 0xffff, xlen);
    return wide ? transform32(wide, offset) & ~UINT32_C(2) : 0;
}
