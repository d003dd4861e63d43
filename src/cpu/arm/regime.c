#include "cpu/arm/regime.h"

/* TCR_EL1, and TCR_EL2 with E2H. */
#define TCR_EPD0 (UINT64_C(1) << 7)
#define TCR_EPD1 (UINT64_C(1) << 23)
#define TCR_DS   59
/* TCR_EL3, and TCR_EL2 without. */
#define TCR_SINGLE_TBI  20
#define TCR_SINGLE_HPD  24
#define TCR_SINGLE_TBID 29
#define TCR_SINGLE_DS   32
#define TCR_SINGLE_MTX  33

static bool granule_there(const struct arm_config *c, enum granule g)
{
    return arm_has(c, g == GRANULE_4K ? FEAT_TGran4K : g == GRANULE_16K ? FEAT_TGran16K : FEAT_TGran64K);
}

/* A reserved or absent granule means the smallest that is there. Arm ARM AArch64.S1DecodeTG0: IMPLEMENTATION DEFINED. */
static enum granule granule_or_default(const struct arm_config *c, enum granule g)
{
    if (g && granule_there(c, g))
        return g;
    return granule_there(c, GRANULE_4K) ? GRANULE_4K : granule_there(c, GRANULE_16K) ? GRANULE_16K : GRANULE_64K;
}

enum granule granule_tg0(const struct arm_config *c, unsigned tg)
{
    static const uint8_t of[4] = {GRANULE_4K, GRANULE_64K, GRANULE_16K, 0};
    return granule_or_default(c, (enum granule)of[tg & 3]);
}

static enum granule granule_tg1(const struct arm_config *c, unsigned tg)
{
    static const uint8_t of[4] = {0, GRANULE_16K, GRANULE_4K, GRANULE_64K};
    return granule_or_default(c, (enum granule)of[tg & 3]);
}

struct s1_range regime_range(const struct pe *p, unsigned regime, bool upper)
{
    const struct arm_config *c = p->cfg;
    uint64_t t = tcr_of(p, regime);
    struct s1_range r = {0};
    if (!regime_has_el0(p, regime)) {
        r.txsz = t & 63;
        r.granule = (uint8_t)granule_tg0(c, t >> 14 & 3);
        r.tbi = t >> TCR_SINGLE_TBI & 1;
        r.tbid = t >> TCR_SINGLE_TBID & 1;
        r.hpd = t >> TCR_SINGLE_HPD & 1;
        r.ds = t >> TCR_SINGLE_DS & 1;
        r.mtx = t >> TCR_SINGLE_MTX & 1;
    } else if (!upper) {
        r.txsz = t & 63;
        r.granule = (uint8_t)granule_tg0(c, t >> 14 & 3);
        r.epd = (t & TCR_EPD0) != 0;
        r.tbi = t >> 37 & 1;
        r.hpd = t >> 41 & 1;
        r.tbid = t >> 51 & 1;
        r.e0pd = t >> 55 & 1;
        r.ds = t >> TCR_DS & 1;
        r.mtx = t >> 60 & 1;
    } else {
        r.txsz = t >> 16 & 63;
        r.granule = (uint8_t)granule_tg1(c, t >> 30 & 3);
        r.epd = (t & TCR_EPD1) != 0;
        r.tbi = t >> 38 & 1;
        r.hpd = t >> 42 & 1;
        r.tbid = t >> 52 & 1;
        r.e0pd = t >> 56 & 1;
        r.ds = t >> TCR_DS & 1;
        r.mtx = t >> 61 & 1;
    }
    r.ds &= r.granule != GRANULE_64K; /* RES0 without FEAT_LPA2 */
    return r;
}

unsigned range_min_txsz(const struct pe *p, const struct s1_range *r)
{
    return (arm_has(p->cfg, FEAT_LVA) && r->granule == GRANULE_64K) || r->ds ? 12 : 16;
}

unsigned range_max_txsz(const struct pe *p, const struct s1_range *r)
{
    return !arm_has(p->cfg, FEAT_TTST) ? 39 : r->granule == GRANULE_64K ? 47 : 48;
}

bool address_tbi(const struct pe *p, uint64_t address, bool insn, unsigned el)
{
    struct s1_range r = regime_range(p, regime_of(p, el), address >> 55 & 1);
    return r.tbi && !(insn && r.tbid);
}
