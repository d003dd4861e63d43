/* What an instruction does by its rules (cpu/insns.h): pure functions of registers. docs/trace-format.md, "Rules". */
#ifndef TL_DEBUG_GISTRULES_H
#define TL_DEBUG_GISTRULES_H
#include "cpu/insns.h"

/* The value of the first place; word: the registers before, c: NZCV. */
uint64_t rules_value(const struct insn_info *i, const uint64_t *word, uint64_t pc, unsigned nzcv);
/* NZCV behind it. */
unsigned rules_flags(const struct insn_info *i, const uint64_t *word, unsigned nzcv);
/* Where it goes on. */
uint64_t rules_next(const struct insn_info *i, const uint64_t *word, uint64_t pc, unsigned nzcv);
/* What a load of `size` bytes makes of them. */
uint64_t rules_loaded(const struct insn_info *i, uint64_t value);
#endif
