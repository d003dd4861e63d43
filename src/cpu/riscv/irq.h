/* Between irq.c and counters.c. */
#ifndef TL_CPU_RISCV_IRQ_H
#define TL_CPU_RISCV_IRQ_H
#include <stdint.h>

/* mip of struct csr_live: the signals of the outside, stimecmp and vstimecmp. */
uint64_t irq_live(void *hart);
#endif
