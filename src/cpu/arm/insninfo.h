/* What a trace of instructions knows of an A64 instruction, made from its row. */
#ifndef TL_CPU_ARM_INSNINFO_H
#define TL_CPU_ARM_INSNINFO_H
#include "cpu/arm/decode.h"
#include "cpu/arm/pe.h"
#include "cpu/insns.h"

extern const struct insn_layout a64_insn_layout;
/* Of the instruction at pc; gives INSN_ bits, and *status as insn_hot has it. */
unsigned a64_insn_info(const struct pe *p, uint32_t insn, uint64_t pc, struct insn_info *s, unsigned *status);
#endif
