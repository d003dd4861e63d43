/* The fields of A64 instructions by the manual's names: Arm ARM C4.1, "A64 instruction set encoding", and C6.2. */
#include "cli/doc_insn.h"
#include "cpu/arm/decode.h"

#include <string.h>

#define FIELDS 7

/* A list of formats (formats.def) or of rows' names, and the fields these have. The first entry counts. Formats of Advanced SIMD
   share the places of their registers, the last entry; what else they have is in the row's bits. */
static const struct layout {
    const char *of;
    struct doc_insn_field field[FIELDS];
} layouts[] = {
    {" dsb dmb isb clrex ", {{"CRm", 11, 8}}},
    {" dsb_nxs ", {{"imm2", 11, 10}}},
    {" NONE ", {{NULL, 0, 0}}},
    {" SYSREG ", {{"o0", 19, 19}, {"op1", 18, 16}, {"CRn", 15, 12}, {"CRm", 11, 8}, {"op2", 7, 5}, {"Rt", 4, 0}}},
    {" MSRI ", {{"op1", 18, 16}, {"CRm", 11, 8}, {"op2", 7, 5}}},
    {" bti ", {{"op2", 7, 6}}},
    {" HINT ", {{"CRm", 11, 8}, {"op2", 7, 5}}},
    {" WFXT ", {{"Rd", 4, 0}}},
    {" EXC ", {{"imm16", 20, 5}}},
    {" B26 ", {{"imm26", 25, 0}}},
    {" B19 ", {{"imm19", 23, 5}, {"cond", 3, 0}}},
    {" CB ", {{"imm19", 23, 5}, {"Rt", 4, 0}}},
    {" TB ", {{"b5", 31, 31}, {"b40", 23, 19}, {"imm14", 18, 5}, {"Rt", 4, 0}}},
    {" BR BRA ", {{"Rn", 9, 5}, {"Rm", 4, 0}}},
    {" ADR ", {{"immlo", 30, 29}, {"immhi", 23, 5}, {"Rd", 4, 0}}},
    {" ADDI ADDIS ADDIS0 ", {{"sh", 22, 22}, {"imm12", 21, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" ADDG ", {{"uimm6", 21, 16}, {"uimm4", 13, 10}, {"Xn", 9, 5}, {"Xd", 4, 0}}},
    {" MINMAXI_S MINMAXI_U ", {{"imm8", 17, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" LOGI_X LOGI_W LOGIS_X LOGIS_W BFM_X BFM_W LSLI_X LSLI_W SHI ",
     {{"N", 22, 22}, {"immr", 21, 16}, {"imms", 15, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" MOVW ", {{"hw", 22, 21}, {"imm16", 20, 5}, {"Rd", 4, 0}}},
    {" EXTR ", {{"Rm", 20, 16}, {"imms", 15, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" RRRR ", {{"Rm", 20, 16}, {"Ra", 14, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" RRRS ", {{"shift", 23, 22}, {"Rm", 20, 16}, {"imm6", 15, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" RRE RRES ", {{"Rm", 20, 16}, {"option", 15, 13}, {"imm3", 12, 10}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
    {" CCMP ", {{"Rm", 20, 16}, {"cond", 15, 12}, {"Rn", 9, 5}, {"nzcv", 3, 0}}},
    {" CCMPI ", {{"imm5", 20, 16}, {"cond", 15, 12}, {"Rn", 9, 5}, {"nzcv", 3, 0}}},
    {" RMIF ", {{"imm6", 20, 15}, {"Rn", 9, 5}, {"mask", 3, 0}}},
    {" L_U S_U V_U ", {{"imm12", 21, 10}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {" L_9 S_9 V_9 TAG_9 TAG_L9 ", {{"imm9", 20, 12}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {" L_R S_R V_R ", {{"Rm", 20, 16}, {"option", 15, 13}, {"S", 12, 12}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {" L_LIT V_LIT ", {{"imm19", 23, 5}, {"Rt", 4, 0}}},
    {" L_P2 L_P3 S_P2 S_P3 S_P4 V_P2 V_P3 V_P4 ", {{"imm7", 21, 15}, {"Rt2", 14, 10}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {" L_PAC ", {{"S", 22, 22}, {"imm9", 20, 12}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {" L_0 S_0 S_EX CAS CASP ATOM VLS VLS_N TAG_0 L_WB4 L_WB8 L_WB16 S_WB4 S_WB8 S_WB16 ",
     {{"Rs", 20, 16}, {"Rt2", 14, 10}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {" PAIR128 L_Q2 S_Q2 L_Q2WB8 L_Q2WB16 S_Q2WB8 S_Q2WB16 ", {{"Rt2", 20, 16}, {"Rn", 9, 5}, {"Rt", 4, 0}}},
    {"", {{"Rm", 20, 16}, {"Rn", 9, 5}, {"Rd", 4, 0}}},
};

static bool is_in(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if (p > list && p[-1] == ' ' && p[n] == ' ')
            return true;
    return false;
}

const struct doc_insn_field *doc_insn_field_arm(const struct a64_row *row, unsigned i)
{
    const struct layout *l = layouts;
    while (*l->of && !is_in(l->of, row->format) && !is_in(l->of, row->name))
        l++;
    return i < FIELDS && l->field[i].name ? &l->field[i] : NULL;
}
