/* Which system registers each emulator has, and what they hold after a reset: a guest at EL3 reads them all. */
#include "a64_diff.h"
#include "a64_guest.h"

#include <string.h>

/* Where the guest's code is, and what it tells: for each register its value and whether the read was UNDEFINED. */
enum { PROBE_CODE = 0x100000, PROBE_TABLE = 0x180000 };

static bool probed(const struct a64_isa *isa, unsigned id)
{
    return sysreg_exists(isa->map, id) && sysreg_op(id).kind == SYSREG_OP_NONE && sysreg_key_of(id) >> 14 >= 2;
}

void a64_probe_make(const struct a64_isa *isa, uint8_t *image)
{
    static uint32_t code[(PROBE_TABLE - PROBE_CODE) / 4];
    const uint64_t base = A64_RAM_BASE + A64_BASE;
    struct a64 g = {.code = code, .cap = ARRAY_LEN(code)};
    uint32_t start[8], vector[8];
    struct a64 s = {.code = start, .cap = 8}, v = {.code = vector, .cap = 8};
    memset(image, 0, A64_IMAGE);
    a64_b(&s, PROBE_CODE / 4);
    memcpy(image + A64_CODE, start, 4 * s.n);
    a64_mov_imm(&g, 0, base + A64_VECTORS);
    a64_msr(&g, a64_reg_of_key(sysreg_key_of(SR_vbar_el3)), 0);
    a64_mov_imm(&g, 0, 0x531); /* Non-secure, where all registers are */
    a64_msr(&g, a64_reg_of_key(sysreg_key_of(SR_scr_el3)), 0);
    a64_isb(&g);
    for (unsigned id = 1; id < SYSREG_COUNT; id++) {
        if (!probed(isa, id))
            continue;
        a64_mov_imm(&g, 10, 0);
        a64_mov_imm(&g, 0, 0);
        a64_mrs(&g, 0, a64_reg_of_key(sysreg_key_of(id)));
        a64_mov_imm(&g, 1, base + PROBE_TABLE + 16 * id);
        a64_str(&g, 0, 1, 0);
        a64_str(&g, 10, 1, 8);
    }
    a64_mov_imm(&g, 1, base + A64_CTL + 0x100); /* SYS_EXIT */
    a64_mov_imm(&g, 2, 0x20026);
    a64_str(&g, 2, 1, 0);
    a64_str(&g, 31, 1, 8);
    a64_mov_imm(&g, 0, 0x18);
    a64_hlt(&g, 0xf000);
    memcpy(image + PROBE_CODE, code, 4 * g.n);
    const uint32_t elr = a64_reg_of_key(sysreg_key_of(SR_elr_el3));
    a64_mov_imm(&v, 10, 1);
    a64_mrs(&v, 9, elr);
    a64_add_imm(&v, 9, 9, 4);
    a64_msr(&v, elr, 9);
    a64_eret(&v);
    for (unsigned slot = 0; slot < 16; slot++)
        memcpy(image + A64_VECTORS + slot * 0x80, vector, 4 * v.n);
}

bool a64_probe_has(const struct a64_isa *isa, const uint8_t *image, unsigned id, uint64_t *value)
{
    uint64_t told[2];
    memcpy(told, image + PROBE_TABLE + UINT64_C(16) * id, 16);
    *value = told[0];
    return probed(isa, id) && !told[1];
}
