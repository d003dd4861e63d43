/* Shared by trap.c and xret.c. */
#ifndef TL_CPU_RISCV_TRAP_H
#define TL_CPU_RISCV_TRAP_H
#include "cpu/riscv/hart.h"
#include "cpu/riscv/status.h"

/* Changes the mode as hart_set_mode. retired: 1 if the instruction that changes it retires (a return), 0 if it does not (a trap). */
void trap_change_mode(struct hart *h, uint8_t priv, uint8_t v, unsigned retired);
/* xLPE: landing pads are enforced in mode priv, v (priv "Landing-Pad-Enabled State"). */
bool landing_pads(const struct hart *h, uint8_t priv, uint8_t v);
#endif
