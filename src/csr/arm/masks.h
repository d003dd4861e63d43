/* Masks and positions of the fields, from the rows: hcr_el2_TGE is bit 27, hcr_el2_TGE_LSB is 27. */
#ifndef TL_CSR_ARM_MASKS_H
#define TL_CSR_ARM_MASKS_H
#include <stdint.h>

/* clang-format off */
#define ROW(kind, name, enc, when, access, gates, fgt, target, nv, read, write, effects, reset, title, ...) __VA_ARGS__
#define RANGE(kind, name, suffix, enc, stride, count, when, access, gates, fgt, target, nv, read, write, effects, reset, \
              title, ...) \
    __VA_ARGS__
#define ALIAS(...)
#define INSN(...)
#define GROUP(...)
#define NO_FIELDS(reg)
#define F(reg, field, msb, lsb, when, rule, meaning) \
    static const uint64_t reg##_##field = UINT64_MAX >> (63 - ((msb) - (lsb))) << (lsb);
#include "csr/arm/rows.def"
#undef F
#define F(reg, field, msb, lsb, when, rule, meaning) reg##_##field##_LSB = lsb,
enum sysreg_lsb {
#include "csr/arm/rows.def"
    sysreg_lsb_none
};
#undef F
/* clang-format on */
#undef NO_FIELDS
#undef GROUP
#undef INSN
#undef ALIAS
#undef RANGE
#undef ROW
#endif
