/*
 * GICv3 registers that come in words of 32 interrupts, which distributor (INTIDs 32 and up) and redistributors (0 to 31) have
 * alike, and the distributor's own (IHI 0069H, 12.9 to 12.11).
 *
 *   0x0000 CTLR      0x0004 TYPER     0x0008 IIDR
 *   0x0080 IGROUPR   0x0100 ISENABLER 0x0180 ICENABLER 0x0200 ISPENDR 0x0280 ICPENDR 0x0300 ISACTIVER 0x0380 ICACTIVER
 *   0x0400 IPRIORITYR, a byte each    0x0c00 ICFGR, 2 bits each       0x0d00 IGRPMODR       0x0e00 NSACR, 2 bits each
 *   0x0f80 INMIR     0x6000 IROUTER, 8 bytes each                     0xffd0 identification
 *
 * With two security states a Non-secure access sees what is in Non-secure group 1, and of the rest what NSACR grants; it sees
 * priorities in its own half of the range (4.8.1).
 */
#include "base/bits.h"
#include "devices/gicv3.h"

enum { IROUTER = 0x6000, ID = 0xffd0 };
enum {
    GROUP = 1,
    SET_ENABLE,
    CLEAR_ENABLE,
    SET_PENDING,
    CLEAR_PENDING,
    SET_ACTIVE,
    CLEAR_ACTIVE,
    PRIORITY,
    CONFIG,
    MODIFIER,
    NSACR,
    NMI
};

/* Register n of its kind: which word it is of, and which part of it (registers with more than 1 bit an interrupt). */
struct place {
    unsigned kind, word, part;
};

static struct place place_of(uint64_t off)
{
    unsigned n = (unsigned)off / 4;
    if (off >= 0x80 && off < 0x400)
        return (struct place){(unsigned)off / 0x80, n % 32, 0};
    if (off >= 0x400 && off < 0x800)
        return (struct place){PRIORITY, (n - 0x100) / 8, n % 8};
    if (off >= 0xc00 && off < 0xd00)
        return (struct place){CONFIG, n % 64 / 2, n % 2};
    if (off >= 0xd00 && off < 0xd80)
        return (struct place){MODIFIER, n % 32, 0};
    if (off >= 0xe00 && off < 0xf00)
        return (struct place){NSACR, n % 64 / 2, n % 2};
    if (off >= 0xf80 && off < 0x1000)
        return (struct place){NMI, n % 32, 0};
    return (struct place){0, 0, 0};
}

/* The interrupts of w that an access may see or change; grant: the NSACR value that opens those of the other groups. */
static uint32_t visible(const struct gicv3 *g, const struct gic_word *w, bool secure, unsigned grant)
{
    uint32_t m = w->group;
    if (gic_sees_all(g, secure))
        return UINT32_MAX;
    for (unsigned bit = 0; grant && bit < 32; bit++)
        if ((w->nsacr >> 2 * bit & 3) >= grant)
            m |= UINT32_C(1) << bit;
    return m;
}

/* 4.8.1, "Software accesses of interrupt priority": the Non-secure state sees the lower half of the priorities as all of them. */
static uint8_t priority_read(const struct gicv3 *g, const struct gic_word *w, unsigned bit, bool secure)
{
    if (gic_sees_all(g, secure))
        return w->priority[bit];
    if (!(w->group >> bit & 1))
        return 0;
    return (uint8_t)(w->priority[bit] << 1);
}

static void priority_write(const struct gicv3 *g, struct gic_word *w, unsigned bit, bool secure, uint8_t value)
{
    if (gic_sees_all(g, secure))
        w->priority[bit] = value & GIC_PRIORITY;
    else if (w->group >> bit & 1)
        w->priority[bit] = (uint8_t)((0x80 | value >> 1) & GIC_PRIORITY);
}

/* Bits of a register with 2 bits an interrupt that belong to the interrupts of m, of its 16. */
static uint32_t twice(uint32_t m)
{
    uint32_t out = 0;
    for (unsigned i = 0; i < 16; i++)
        out |= (m >> i & 1) * UINT32_C(3) << 2 * i;
    return out;
}

static uint32_t config_read(const struct gic_word *w, unsigned part)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 16; i++)
        v |= (w->edge >> (16 * part + i) & 1) << (2 * i + 1);
    return v;
}

bool gic_word_read(struct device *d, struct gic_word *w, unsigned index, uint64_t off, bool secure, uint32_t *value)
{
    const struct gicv3 *g = gic_of(d);
    struct place p = place_of(off);
    bool own = gic_sees_all(g, secure), two = !(g->ctlr & CTLR_DS);
    *value = 0;
    (void)index;
    switch (p.kind) {
    case GROUP: *value = own ? w->group : 0; break;
    case SET_ENABLE:
    case CLEAR_ENABLE: *value = w->enable & visible(g, w, secure, 0); break;
    case SET_PENDING:
    case CLEAR_PENDING: *value = gic_pending_of(w) & visible(g, w, secure, 1); break;
    case SET_ACTIVE:
    case CLEAR_ACTIVE: *value = w->active & visible(g, w, secure, 2); break;
    case PRIORITY:
        for (unsigned i = 0; i < 4; i++)
            *value |= (uint32_t)priority_read(g, w, 4 * p.part + i, secure) << 8 * i;
        break;
    case CONFIG: *value = config_read(w, p.part) & twice(visible(g, w, secure, 0) >> 16 * p.part); break;
    case MODIFIER: *value = own && two ? w->mod : 0; break;
    case NSACR: *value = own && two ? (uint32_t)(w->nsacr >> 32 * p.part) : 0; break;
    case NMI: *value = gic_nmi_of(g, w) & visible(g, w, secure, 0); break;
    default: return false;
    }
    return true;
}

static void config_write(struct gic_word *w, unsigned part, uint32_t value, uint32_t may)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = UINT32_C(1) << (16 * part + i);
        if (may & bit)
            w->edge = value >> (2 * i + 1) & 1 ? w->edge | bit : w->edge & ~bit;
    }
}

static void nmi_write(struct gic_word *w, uint32_t value, uint32_t may) { w->nmi = (w->nmi & ~may) | (value & may); }

bool gic_word_write(struct device *d, struct gic_word *w, unsigned index, uint64_t off, bool secure, uint32_t value,
                    uint32_t mask)
{
    struct gicv3 *g = gic_of(d);
    struct place p = place_of(off);
    bool own = gic_sees_all(g, secure) && !(g->ctlr & CTLR_DS);
    if (!p.kind)
        return false;
    if (mask != UINT32_MAX && p.kind != PRIORITY)
        return true; /* only priorities have byte accesses (12.1.3); others are ignored */
    switch (p.kind) {
    case GROUP: w->group = gic_sees_all(g, secure) ? value : w->group; break;
    case SET_ENABLE: w->enable |= value & visible(g, w, secure, 0); break;
    case CLEAR_ENABLE: w->enable &= ~(value & visible(g, w, secure, 0)); break;
    case SET_PENDING: w->latch |= value & visible(g, w, secure, 1); break;
    case CLEAR_PENDING: w->latch &= ~(value & visible(g, w, secure, 2)); break;
    case SET_ACTIVE: w->active |= value & visible(g, w, secure, 2); break;
    case CLEAR_ACTIVE: w->active &= ~(value & visible(g, w, secure, 2)); break;
    case PRIORITY:
        for (unsigned i = 0; i < 4; i++)
            if (mask >> 8 * i & 0xff)
                priority_write(g, w, 4 * p.part + i, secure, (uint8_t)(value >> 8 * i));
        break;
    case CONFIG: /* SGIs are edge-triggered for good */
        if (index || p.part)
            config_write(w, p.part, value, visible(g, w, secure, 0));
        break;
    case MODIFIER: w->mod = own ? value : w->mod; break;
    case NMI: nmi_write(w, value, d->nmi ? visible(g, w, secure, 0) & gic_group1_of(g, w) : 0); break;
    case NSACR: w->nsacr = own ? bits_set(w->nsacr, 32 * p.part + 31, 32 * p.part, value) : w->nsacr; break;
    default: break;
    }
    return true;
}

/* ---- the distributor's own
 * ---------------------------------------------------------------------------------------------------------- */

/* 12.9.4: non-maskable interrupts, security states, LPIs and the ITS, 16 bits of INTID, affinity level 3, 1 of N absent. */
static uint32_t typer(const struct device *d, const struct gicv3 *g)
{
    bool two = !(g->ctlr & CTLR_DS);
    return (GIC_WORDS - 1) | (uint32_t)d->nmi << 9 | (uint32_t)two << 10 | 1u << 17 | (GIC_ID_BITS - 1) << 19 | 1u << 24 |
           1u << 25;
}

/* GICD_PIDR4.., PIDR0.., CIDR0..: part 0x492, designer 0x43b (Arm), architecture revision 3. */
static uint32_t identification(uint64_t off)
{
    static const uint8_t id[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};
    return id[(off - ID) / 4];
}

/* 12.9.4: the Non-secure view has EnableGrp1A at bit 1 and ARE_NS at bit 4. */
static uint32_t ctlr_read(const struct gicv3 *g, bool secure)
{
    if (g->ctlr & CTLR_DS)
        return g->ctlr | CTLR_ARE_S;
    return secure ? g->ctlr | CTLR_ARE_S | CTLR_ARE_NS : (g->ctlr & CTLR_G1NS) | CTLR_ARE_S;
}

static void ctlr_write(struct device *d, bool secure, uint32_t value)
{
    struct gicv3 *g = gic_of(d);
    if (g->ctlr & CTLR_DS)
        g->ctlr = CTLR_DS | (value & (CTLR_G0 | CTLR_G1NS));
    else if (secure)
        g->ctlr = value & (CTLR_G0 | CTLR_G1NS | CTLR_G1S | CTLR_DS);
    else
        g->ctlr = (g->ctlr & ~CTLR_G1NS) | (value & CTLR_G1NS);
    gic_tell_states(d);
}

static struct gic_word *spi_word(struct gicv3 *g, uint64_t off)
{
    unsigned word = place_of(off).word;
    return word && word < GIC_WORDS ? &g->word[word] : NULL; /* those of word 0 are the redistributors' (12.9.7, …) */
}

/* IROUTER<n> of an SPI that the access may see; 0: there is none. */
static unsigned routed(const struct gicv3 *g, uint64_t off, bool secure)
{
    uint64_t n = (off - IROUTER) / 8;
    if (off < IROUTER || n < 32 || n >= GIC_INTIDS)
        return 0;
    return visible(g, &g->word[n / 32], secure, 3) >> n % 32 & 1 ? (unsigned)n : 0;
}

uint32_t gicd_read(struct device *d, uint64_t off, bool secure)
{
    struct gicv3 *g = gic_of(d);
    struct gic_word *w = spi_word(g, off);
    unsigned spi = routed(g, off, secure);
    uint32_t value = 0;
    if (off == 0)
        return ctlr_read(g, secure);
    if (off == 4)
        return typer(d, g);
    if (off == 8)
        return GIC_IIDR;
    if (off >= ID)
        return identification(off);
    if (spi)
        return off & 4 ? g->route[spi] >> 24 : g->route[spi] & 0xffffff;
    if (w)
        gic_word_read(d, w, 1, off, secure, &value);
    return value;
}

void gicd_write(struct device *d, uint64_t off, bool secure, uint32_t value, uint32_t mask)
{
    struct gicv3 *g = gic_of(d);
    struct gic_word *w = spi_word(g, off);
    unsigned spi = routed(g, off, secure);
    if (off == 0 && mask == UINT32_MAX)
        ctlr_write(d, secure, value);
    else if (spi && mask == UINT32_MAX)
        g->route[spi] =
            (uint32_t)(off & 4 ? bits_set(g->route[spi], 31, 24, value & 0xff) : bits_set(g->route[spi], 23, 0, value));
    else if (w)
        gic_word_write(d, w, 1, off, secure, value, mask);
    gic_update(d);
}
