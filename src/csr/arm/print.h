/* A system register's value in words, from its row. */
#ifndef TL_CSR_ARM_PRINT_H
#define TL_CSR_ARM_PRINT_H
#include "csr/arm/sysreg.h"

/* "hcr_el2=0x80000001 RW=1 VM=1": the name, the value, then the fields that are not zero, highest first (of fields that a layout
   of HCR_EL2.E2H=1 has, too, those of E2H=0). Writes at most cap bytes; returns the length it needs, as snprintf does. */
int sysreg_print(unsigned id, uint64_t value, char *out, size_t cap);
#endif
