/* A register's value with its fields, for people: doc, traces, the debugger. */
#ifndef TL_CSR_RISCV_PRINT_H
#define TL_CSR_RISCV_PRINT_H
#include "csr/riscv/csr.h"

/*
 * Writes "hstatus=0x200000180 VSXL=2 SPVP=1 SPV=1" into out: the fields that are not zero, most significant first, wide ones in
 * hexadecimal. xlen says which layout the value has (32 or 64); a register without a row is printed without fields. Returns the
 * length of the whole text, as snprintf does.
 */
int csr_print(unsigned num, unsigned xlen, uint64_t value, char *out, size_t cap);
#endif
