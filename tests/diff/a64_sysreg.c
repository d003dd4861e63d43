/* Random accesses to system registers. */
#include "a64_diff.h"
#include "a64_guest.h"

/* Registers that random instructions read and write freely: their values decide nothing. */
static const uint16_t harmless[] = {SR_tpidr_el0, SR_tpidrro_el0, SR_tpidr_el1, SR_tpidr_el2, SR_nzcv, SR_far_el1};

/* Registers that are written only; they are compared under masks. */
static const uint16_t writable[] = {SR_esr_el1, SR_par_el1, SR_contextidr_el1, SR_fpsr, SR_fpcr};

/* Registers that are read only. */
static const uint16_t readable[] = {SR_currentel, SR_spsel,    SR_daif,    SR_dczid_el0, SR_pan,      SR_uao,
                                    SR_dit,       SR_ssbs,     SR_tcr_el1, SR_ttbr0_el1, SR_mair_el1,  SR_vbar_el1, SR_cpacr_el1,
                                    SR_elr_el1,   SR_spsr_el1, SR_hcr_el2, SR_vbar_el2,  SR_scr_el3,   SR_elr_el2,  SR_spsr_el2};

void a64_put_sysreg(struct a64_case *c)
{
    bool write = a64_chance(&c->rng, 40);
    unsigned id = harmless[rng_below(&c->rng, ARRAY_LEN(harmless))];
    if (write && a64_chance(&c->rng, 50))
        id = writable[rng_below(&c->rng, ARRAY_LEN(writable))];
    else if (!write && a64_chance(&c->rng, 50))
        id = readable[rng_below(&c->rng, ARRAY_LEN(readable))];
    uint32_t reg = a64_reg_of_key(sysreg_key_of(id));
    unsigned rt = a64_block_scratch(c);
    a64_block_put(c, (write ? 0xd5000000 : 0xd5200000) | reg | rt);
}
