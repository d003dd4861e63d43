/* Transformed instructions: what mtinst and htinst tell about the instruction that made a failing access. hypervisor 9.6.3. */
#ifndef TL_CPU_RISCV_TINST_H
#define TL_CPU_RISCV_TINST_H
#include <stdint.h>

/*
 * The transformation of a load, store, atomic, virtual-machine access (hlv, hlvx, hsv) or cache-block instruction.
 *   insn    the instruction, 16 (low two bits not 11) or 32 bits. A compressed one is expanded first, and bit 1 of the result is
 * 0 xlen    32 or 64: decides what a compressed encoding means offset  the faulting address minus the address of the access: the
 * Addr. Offset field, 0..31 (other than 0 only if misaligned) Returns 0 when no transformation is defined for the instruction
 * (hypervisor 9.6.3; CMO "Hypervisor Extension").
 */
uint32_t tinst_transform(uint32_t insn, unsigned xlen, unsigned offset);
#endif
