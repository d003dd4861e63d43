/* Masks of the fields, from the rows: mstatus_MPP is bits 12:11. In RV64 layout (satp_MODE is bits 63:60). */
#ifndef TL_CSR_RISCV_MASKS_H
#define TL_CSR_RISCV_MASKS_H
#include <stdint.h>

#define CSR_MASK_(msb, lsb)          (UINT64_MAX >> (63 - ((msb) - (lsb))) << (lsb))
#define CSR_MASK(m32, l32, m64, l64) CSR_MASK_(m64, l64)
#define CSR_MASK_OF(...)             CSR_MASK(__VA_ARGS__)
#define B(msb, lsb)                  msb, lsb, msb, lsb
#define B2(m64, l64, m32, l32)       m32, l32, m64, l64
#define B64(msb, lsb)                255, 255, msb, lsb
#define BX                           31, 0, 63, 0
/* clang-format off */
#define F(reg, field, bits, when, warl, meaning) static const uint64_t reg##_##field = CSR_MASK_OF(bits);
#define ROW(kind, name, num, when, read, write, guard, effects, reset, spec, title, ...) __VA_ARGS__
#define RANGE(kind, name, num, first, count, len, when, read, write, guard, effects, reset, spec, title, ...) __VA_ARGS__
/* clang-format on */
#define HIGH(...)
#define HIGHS(...)
#include "csr/riscv/rows.def"
#undef CSR_MASK_OF
#undef CSR_MASK
#undef CSR_MASK_
#undef B
#undef B2
#undef B64
#undef BX
#undef F
#undef ROW
#undef RANGE
#undef HIGH
#undef HIGHS
#endif
