/* What a trace of instructions knows of an RV instruction, made from its row. */
#ifndef TL_CPU_RISCV_INSNINFO_H
#define TL_CPU_RISCV_INSNINFO_H
#include "cpu/insns.h"
#include "cpu/riscv/decode.h"
#include "cpu/riscv/hart.h"

extern const struct insn_layout rv_insn_layout;
/* Of the instruction at pc; gives INSN_ bits, and *status as insn_hot has it. */
unsigned rv_insn_info(const struct hart *h, uint32_t insn, unsigned xlen, uint64_t pc, struct insn_info *s, unsigned *status);
#endif
