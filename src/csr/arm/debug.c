/* Self-hosted debug (D2, D24.3). */
#include "csr/arm/internal.h"

static bool os_locked(const struct sysreg_ctx *c) { return c->r->oslsr_el1 & oslsr_el1_OSLK; }

/* Some fields are for saving and restoring what a debugger sees, and writable only while the OS lock is locked (D24.3.20). */
uint32_t arm_wr_mdscr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    const uint64_t saved = mdscr_el1_ERR | mdscr_el1_HDE | mdscr_el1_TDA | mdscr_el1_INTdis | mdscr_el1_TXU | mdscr_el1_RXO |
                           mdscr_el1_TXfull | mdscr_el1_RXfull | mdscr_el1_EHBWE;
    uint64_t mask = os_locked(c) ? e->wmask : e->wmask & ~saved, old = c->r->mdscr_el1;
    c->r->mdscr_el1 = (old & ~mask) | (v & mask);
    return c->r->mdscr_el1 == old ? 0 : e->effects;
}

/* Arm ARM EffectiveMDSELR_EL1_BANK. A reserved bank is the first: CONSTRAINED UNPREDICTABLE. */
unsigned sysreg_debug_bank(const struct sysreg_ctx *c)
{
    const struct arm_regs *r = c->r;
    uint64_t most = c->cfg->breakpoints > c->cfg->watchpoints ? c->cfg->breakpoints : c->cfg->watchpoints,
             bank = bits_get(r->mdselr_el1, 5, 4);
    bool off = (arm_has(c->cfg, FEAT_EL3) && !(r->mdcr_el3 & mdcr_el3_EBWE)) ||
               (c->el < 3 && sysreg_el2_enabled(c) && !(r->mdcr_el2 & mdcr_el2_EBWE)) ||
               (c->el == 1 && !(r->mdscr_el1 & mdscr_el1_EMBWE));
    return off || 16 * bank >= most ? 0 : (unsigned)bank;
}

bool sysreg_no_debug_unit(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    unsigned n = e->n + 16 * sysreg_debug_bank(c), first = e->id - e->n;
    return n >= (first == SR_dbgwvr_el1 || first == SR_dbgwcr_el1 ? c->cfg->watchpoints : c->cfg->breakpoints);
}

uint64_t arm_rd_oseccr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)e;
    return os_locked(c) ? c->r->oseccr_el1 : 0;
}

uint32_t arm_wr_oseccr_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    if (os_locked(c))
        c->r->oseccr_el1 = v & e->wmask;
    return 0;
}

uint32_t arm_wr_oslar_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    uint64_t old = c->r->oslsr_el1;
    c->r->oslsr_el1 = v & oslar_el1_OSLK ? old | oslsr_el1_OSLK : old & ~oslsr_el1_OSLK;
    return c->r->oslsr_el1 == old ? 0 : e->effects;
}

/* The claim tags are stored under the name that reads them. */
uint64_t arm_rd_dbgclaimset_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e)
{
    (void)c;
    return e->rmask;
}

uint32_t arm_wr_dbgclaimset_el1(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    c->r->dbgclaimclr_el1 |= v & e->wmask;
    return 0;
}

uint32_t arm_wr_clear_bits(const struct sysreg_ctx *c, const struct sysreg_entry *e, uint64_t v)
{
    *sysreg_word(c, e) &= ~(v & e->wmask);
    return 0;
}
