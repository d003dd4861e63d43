/*
 * The SBI Firmware Features extension (SBI v3.0, chapter FWFT). All features of the specification are local: a hart's registers
 * hold their values, `fwft_locked` which of them stay until the hart is reset.
 */
#include "fw.h"

enum { MISALIGNED_EXC_DELEG, LANDING_PAD, SHADOW_STACK, DOUBLE_TRAP, PTE_AD_HW_UPDATING, POINTER_MASKING_PMLEN };
#define FLAG_LOCK  1ul
#define MISALIGNED (1ul << CAUSE_LOAD_MISALIGNED | 1ul << CAUSE_STORE_MISALIGNED)

/* The bit of menvcfg that a feature is; 0: it is none. */
static const u64 envcfg_bit[FWFT_FEATURES] = {
    [LANDING_PAD] = ENVCFG_LPE, [SHADOW_STACK] = ENVCFG_SSE, [DOUBLE_TRAP] = ENVCFG_DTE, [PTE_AD_HW_UPDATING] = ENVCFG_ADUE};

void fwft_reset(struct hart *h)
{
    u64 env = ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE | ENVCFG_PBMTE | ENVCFG_STCE;
    h->fwft_locked = 0;
    /* Where only Svadu is promised, supervisor software expects that the hardware updates (Svadu, "Svade and Svadu"). */
    if (platform.svadu && !platform.svade)
        env |= ENVCFG_ADUE;
    if (h->has.envcfg)
        menvcfg_write(env);
    csr_clear(CSR_MEDELEG, MISALIGNED);
}

static bool supported(const struct hart *h, u32 feature)
{
    switch (feature) {
    case MISALIGNED_EXC_DELEG: return true;
    case LANDING_PAD: return h->has.zicfilp;
    case SHADOW_STACK: return h->has.zicfiss;
    case DOUBLE_TRAP: return h->has.ssdbltrp;
    case PTE_AD_HW_UPDATING: return h->has.svadu;
    default: return h->has.smnpm;
    }
}

static ulong get(u32 feature)
{
    if (feature == MISALIGNED_EXC_DELEG)
        return (csr_read(CSR_MEDELEG) & MISALIGNED) == MISALIGNED;
    u64 env = menvcfg_read();
    if (feature != POINTER_MASKING_PMLEN)
        return (env & envcfg_bit[feature]) != 0;
    u64 pmm = env & ENVCFG_PMM;
    return pmm == ENVCFG_PMM_7 ? 7 : pmm == ENVCFG_PMM ? 16 : 0;
}

/* False if the hart does not take the value. */
static bool set(u32 feature, ulong value)
{
    u64 env = menvcfg_read();
    switch (feature) {
    case MISALIGNED_EXC_DELEG:
        csr_clear(CSR_MEDELEG, MISALIGNED);
        csr_set(CSR_MEDELEG, value ? MISALIGNED : 0);
        return true;
    case POINTER_MASKING_PMLEN: {
        u64 pmm = value == 16 ? ENVCFG_PMM : value == 7 ? ENVCFG_PMM_7 : 0;
        menvcfg_write((env & ~ENVCFG_PMM) | pmm);
        if (get(feature) == value)
            return true;
        menvcfg_write(env);
        return false;
    }
    default: menvcfg_write(value ? env | envcfg_bit[feature] : env & ~envcfg_bit[feature]); return true;
    }
}

static bool legal(u32 feature, ulong value)
{
    return feature == POINTER_MASKING_PMLEN ? value == 0 || value == 7 || value == 16 : value <= 1;
}

struct sbiret sbi_fwft(struct hart *h, ulong fid, const ulong *a)
{
    u32 feature = (u32)a[0];
    if (fid > 1)
        return RET(SBI_ERR_NOT_SUPPORTED);
    if (feature >= FWFT_FEATURES)
        return RET(SBI_ERR_DENIED); /* reserved, or a platform's that this one does not have */
    if (!supported(h, feature))
        return RET(SBI_ERR_NOT_SUPPORTED);
    if (fid == 1)
        return RETURN(get(feature));
    if ((a[2] & ~FLAG_LOCK) || !legal(feature, a[1]))
        return RET(SBI_ERR_INVALID_PARAM);
    if (h->fwft_locked >> feature & 1)
        return RET(SBI_ERR_DENIED_LOCKED);
    if (!set(feature, a[1]))
        return RET(SBI_ERR_INVALID_PARAM);
    h->fwft_locked |= (u32)(a[2] & FLAG_LOCK) << feature;
    return RET(SBI_SUCCESS);
}
