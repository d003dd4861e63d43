/*
 * GICv3: distributor, redistributors and one ITS (Arm Generic Interrupt Controller Architecture Specification, GICv3 and GICv4,
 * IHI 0069H), with the parameters of QEMU's `virt` board. The CPU interfaces are in the PEs; mem/gic.h is what is said between.
 *
 *   0x00000 GICD  the distributor             (gicv3_regs.c)   256 SPIs: INTIDs 32 to 287
 *   0x80000 GITS  the ITS                     (gicv3_its.c)    LPIs 8192 to 65535 in tables in guest memory
 *   0xa0000 GICR  a redistributor for each PE (gicv3_redist.c)
 *
 * Affinity routing is always on (no legacy operation), priorities have 5 bits, 1 of N distribution, message-based SPIs, extended
 * ranges and GICv4 are absent. There are two security states if the PEs have EL3, until GICD_CTLR.DS is set; else DS reads 1. Of
 * equal priorities the lowest INTID is first (4.8: IMPLEMENTATION DEFINED). Everything takes effect at once, so RWP reads 0.
 */
#include "devices/gicv3.h"
#include "base/bits.h"

struct gic_word *gic_word_of(struct gicv3 *g, unsigned n, uint32_t intid)
{
    return intid < 32 ? &g->pe[n].word : &g->word[intid / 32];
}

/* 4.6.2 */
enum gic_group gic_group_of(const struct gicv3 *g, const struct gic_word *w, unsigned bit)
{
    if (w->group >> bit & 1)
        return GIC_G1NS;
    return !(g->ctlr & CTLR_DS) && w->mod >> bit & 1 ? GIC_G1S : GIC_G0;
}

/* Bit per enum gic_group that distributor and PE n's CPU interface both let through. */
static uint32_t groups_on(const struct gicv3 *g, unsigned n)
{
    uint32_t on = (g->ctlr & CTLR_G0 ? 1u << GIC_G0 : 0u) | (g->ctlr & CTLR_G1NS ? 1u << GIC_G1NS : 0u) |
                  (g->ctlr & CTLR_G1S ? 1u << GIC_G1S : 0u);
    return on & g->pe[n].groups;
}

/* The interrupt of highest priority so far. */
struct best {
    uint32_t intid, group;
    unsigned priority; /* 0x100: none yet */
    bool nmi;
};

/* The priority of an interrupt. Non-maskable ones have the highest of their security state (4.9). */
static unsigned priority_of(const struct gicv3 *g, const struct gic_word *w, unsigned bit, enum gic_group group, bool nmi)
{
    return !nmi ? w->priority[bit] : group == GIC_G1NS && !(g->ctlr & CTLR_DS) ? 0x80 : 0;
}

static void consider_word(const struct gicv3 *g, const struct gic_word *w, unsigned index, unsigned n, uint32_t on,
                          struct best *b)
{
    for (uint32_t m = gic_pending_of(w) & w->enable & ~w->active; m; m &= m - 1) {
        unsigned bit = (unsigned)__builtin_ctz(m);
        enum gic_group group = gic_group_of(g, w, bit);
        bool nmi = gic_nmi_of(g, w) >> bit & 1;
        unsigned priority = priority_of(g, w, bit, group, nmi);
        if (priority > b->priority || (priority == b->priority && (b->nmi || !nmi)) || !(on >> group & 1))
            continue;
        if (index && g->route[32 * index + bit] != gic_affinity(n))
            continue;
        *b = (struct best){32 * index + bit, group, priority, nmi};
    }
}

void gic_update_pe(struct device *d, unsigned n)
{
    struct gicv3 *g = gic_of(d);
    struct gic_redistributor *r = &g->pe[n];
    uint32_t on = groups_on(g, n);
    struct best b = {.priority = 0x100};
    uint64_t set = 0;
    if (on && !r->asleep) {
        consider_word(g, &r->word, 0, n, on, &b);
        for (unsigned i = 1; i < GIC_WORDS; i++)
            consider_word(g, &g->word[i], i, n, on, &b);
        if (r->lpi && r->lpi_priority < b.priority && (on >> GIC_G1NS & 1))
            b = (struct best){r->lpi, GIC_G1NS, r->lpi_priority, false};
        if (b.priority < 0x100)
            set = GIC_PENDING(b.intid, b.priority, b.group) | (b.nmi ? GIC_PENDING_NMI : 0);
    }
    if (set != r->set) {
        r->set = set;
        d->host->hart_signal(d, n, GIC_SET, set);
    }
}

void gic_tell_states(struct device *d)
{
    for (unsigned n = 0; n < gic_pes(d); n++)
        d->host->hart_signal(d, n, GIC_STATES, (gic_of(d)->ctlr & CTLR_DS) != 0);
}

void gic_update(struct device *d)
{
    for (unsigned n = 0; n < gic_pes(d); n++)
        gic_update_pe(d, n);
}

static struct gic_view view_of(const struct gicv3 *g, const struct gic_word *w, unsigned n, uint32_t intid)
{
    static const uint32_t on[GIC_GROUPS] = {[GIC_G0] = CTLR_G0, [GIC_G1S] = CTLR_G1S, [GIC_G1NS] = CTLR_G1NS};
    unsigned bit = intid % 32;
    enum gic_group group = gic_group_of(g, w, bit);
    return (struct gic_view){.line = w->line >> bit & 1,
                             .enabled = w->enable >> bit & 1,
                             .active = w->active >> bit & 1,
                             .group_on = g->ctlr & on[group],
                             .here = intid < 32 || g->route[intid] == gic_affinity(n),
                             .awake = !g->pe[n].asleep,
                             .group = group,
                             .route = g->route[intid],
                             .priority = priority_of(g, w, bit, group, gic_nmi_of(g, w) >> bit & 1)};
}

uint32_t gic_view_next(struct device *d, unsigned n, uint32_t from, struct gic_view *view)
{
    struct gicv3 *g = gic_of(d);
    for (uint32_t intid = from; intid < GIC_INTIDS && n < gic_pes(d); intid++) {
        const struct gic_word *w = gic_word_of(g, n, intid);
        if (!(gic_pending_of(w) >> intid % 32 & 1))
            continue;
        *view = view_of(g, w, n, intid);
        return intid;
    }
    return GIC_INTIDS;
}

/* ---- inputs
 * ----------------------------------------------------------------------------------------------------------------------- */

/* False: nothing changed. */
static bool set_line(struct gic_word *w, unsigned bit, bool level)
{
    uint32_t mask = UINT32_C(1) << bit;
    if (level == (w->line >> bit & 1))
        return false;
    w->line ^= mask;
    if (level)
        w->latch |= mask & w->edge;
    return true;
}

/* SPIs: line is the INTID. */
static void gicv3_line(struct device *d, unsigned line, bool level)
{
    struct gicv3 *g = gic_of(d);
    if (line >= 32 && line < GIC_INTIDS && set_line(&g->word[line / 32], line % 32, level))
        gic_update(d);
}

static void gicv3_pend(struct device *d, unsigned hart, unsigned line)
{
    struct gicv3 *g = gic_of(d);
    if (line >= GIC_INTIDS || hart >= gic_pes(d))
        return;
    gic_word_of(g, hart, line)->latch |= UINT32_C(1) << line % 32;
    gic_update(d);
}

/* ---- what the CPU interfaces say
 * -------------------------------------------------------------------------------------------------- */

/* IHI 0069 4.1.2: edge-triggered and software-made pending states end with the acknowledgement. */
static void activate(struct device *d, unsigned n, uint32_t intid)
{
    struct gicv3 *g = gic_of(d);
    if (intid >= GIC_LPI) {
        gicr_set_lpi(d, n, intid, false); /* LPIs have no active state (4.1.1) */
        return;
    }
    if (intid >= GIC_INTIDS)
        return;
    struct gic_word *w = gic_word_of(g, n, intid);
    w->active |= UINT32_C(1) << intid % 32;
    w->latch &= ~(UINT32_C(1) << intid % 32);
    gic_update(d);
}

/* A Non-secure access deactivates Non-secure interrupts, and others it has a grant for (12.2.9, "ICC_DIR_EL1"). */
static void deactivate(struct device *d, unsigned n, uint32_t intid, bool ns)
{
    struct gicv3 *g = gic_of(d);
    if (intid >= GIC_INTIDS)
        return;
    struct gic_word *w = gic_word_of(g, n, intid);
    bool may = gic_sees_all(g, !ns) || (w->group >> intid % 32 & 1) || (w->nsacr >> 2 * (intid % 32) & 3) >= 2;
    if (!may)
        return;
    w->active &= ~(UINT32_C(1) << intid % 32);
    gic_update(d);
}

/* Whether PE n's registers let an SGI through that was asked for as `group` (ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1, "Use
   when affinity routing is enabled"; GICR_NSACR). */
static bool sgi_passes(const struct gicv3 *g, const struct gic_word *w, unsigned intid, enum gic_group group, bool ns)
{
    enum gic_group is = gic_group_of(g, w, intid);
    unsigned grant = w->nsacr >> 2 * intid & 3;
    if (g->ctlr & CTLR_DS)
        return (is == GIC_G0) == (group == GIC_G0);
    if (is != group && !(group == GIC_G1S && is == GIC_G0)) /* group 0 may be asked for as secure group 1 */
        return false;
    if (!ns || is == GIC_G1NS)
        return true;
    return grant >= (is == GIC_G0 ? 1u : 2u);
}

static void sgi(struct device *d, unsigned from, uint64_t value)
{
    struct gicv3 *g = gic_of(d);
    unsigned intid = value >> 24 & 15, range = value >> 44 & 15;
    uint32_t cluster =
        (uint32_t)(value >> 48 & 0xff) << 24 | (uint32_t)(value >> 32 & 0xff) << 16 | (uint32_t)(value >> 16 & 0xff) << 8;
    for (unsigned n = 0; n < gic_pes(d); n++) {
        uint32_t affinity = gic_affinity(n);
        bool meant = value >> 40 & 1
                         ? n != from
                         : (affinity & ~0xffu) == cluster && (affinity & 0xff) / 16 == range && (value >> (affinity & 15) & 1);
        struct gic_word *w = &g->pe[n].word;
        if (meant && sgi_passes(g, w, intid, GIC_SGI_GROUP(value), GIC_BY_NS(value))) {
            w->latch |= UINT32_C(1) << intid;
            gic_update_pe(d, n);
        }
    }
}

static void gicv3_hart_call(struct device *d, unsigned n, unsigned what, uint64_t value)
{
    struct gicv3 *g = gic_of(d);
    uint32_t intid = (uint32_t)value;
    if (n >= gic_pes(d))
        return;
    switch (what) {
    case GIC_ACTIVATE: activate(d, n, intid); break;
    case GIC_DEACTIVATE: deactivate(d, n, intid, GIC_BY_NS(value)); break;
    case GIC_SGI: sgi(d, n, value); break;
    case GIC_ENABLES:
        g->pe[n].groups = value & ((1u << GIC_GROUPS) - 1);
        gic_update_pe(d, n);
        break;
    case GIC_PPI:
        if (intid >= 16 && intid < 32 && set_line(&g->pe[n].word, intid, value >> 32 & 1))
            gic_update_pe(d, n);
        break;
    default: break;
    }
}

/* ---- the bus
 * ---------------------------------------------------------------------------------------------------------------------- */

/* Aligned 4-byte register at off. */
static uint32_t word_read(struct device *d, uint64_t off, bool secure)
{
    if (off < GITS_FRAME)
        return off < FRAME_SIZE ? gicd_read(d, off, secure) : 0;
    if (off < GICR_FRAME)
        return gits_read(d, off - GITS_FRAME);
    return gicr_read(d, (unsigned)((off - GICR_FRAME) / GICR_STRIDE), (off - GICR_FRAME) % GICR_STRIDE, secure);
}

static void word_write(struct device *d, uint64_t off, bool secure, uint32_t value, uint32_t mask)
{
    if (off >= GICR_FRAME)
        gicr_write(d, (unsigned)((off - GICR_FRAME) / GICR_STRIDE), (off - GICR_FRAME) % GICR_STRIDE, secure, value, mask);
    else if (off >= GITS_FRAME)
        gits_write(d, off - GITS_FRAME, value, mask);
    else if (off < FRAME_SIZE)
        gicd_write(d, off, secure, value, mask);
}

/* Redistributors of PEs that are not there. */
static bool absent(const struct device *d, uint64_t off)
{
    return off >= GICR_FRAME && (off - GICR_FRAME) / GICR_STRIDE >= gic_pes(d);
}

static bool gicv3_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    bool secure = d->host->secure(d);
    if (absent(d, off))
        return false;
    *value = word_read(d, off & ~UINT64_C(3), secure);
    if (size == 8)
        *value |= (uint64_t)word_read(d, off + 4, secure) << 32;
    else
        *value = bits_get(*value >> 8 * (off & 3), 8 * size - 1, 0);
    return true;
}

static bool gicv3_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    bool secure = d->host->secure(d);
    unsigned shift = 8 * (off & 3);
    if (absent(d, off))
        return false;
    if (size == 8) {
        word_write(d, off, secure, (uint32_t)value, UINT32_MAX);
        word_write(d, off + 4, secure, (uint32_t)(value >> 32), UINT32_MAX);
    } else {
        uint32_t mask = (uint32_t)bits_mask(0, 8 * size);
        word_write(d, off & ~UINT64_C(3), secure, ((uint32_t)value & mask) << shift, mask << shift);
    }
    return true;
}

/* SPIs and PPIs are level-sensitive, SGIs edge-triggered; everything else is 0, but that redistributors may sleep. */
static void gicv3_reset(struct device *d)
{
    struct gicv3 *g = gic_of(d);
    uint32_t line[GIC_WORDS];
    for (unsigned i = 0; i < GIC_WORDS; i++)
        line[i] = g->word[i].line; /* who drives a line may not say it again */
    *g = (struct gicv3){.ctlr = d->secure ? 0 : CTLR_DS, .secure = d->secure};
    for (unsigned i = 0; i < GIC_WORDS; i++)
        g->word[i].line = line[i];
    gits_reset(&g->its);
    device_arm(d, 0, UINT64_MAX);
    for (unsigned n = 0; n < gic_pes(d); n++) {
        /* With two security states EL3 firmware wakes them; without, there is none, and firmware such as EDK2 counts on somebody
           having done it. */
        g->pe[n].asleep = !(g->ctlr & CTLR_DS);
        g->pe[n].word.edge = 0xffff;
        d->host->hart_signal(d, n, GIC_SET, 0);
    }
    gic_tell_states(d);
}

static bool word_valid(const struct gic_word *w)
{
    for (unsigned i = 0; i < 32; i++)
        if (w->priority[i] & ~GIC_PRIORITY)
            return false;
    return true;
}

static bool gicv3_valid(const struct device *d)
{
    const struct gicv3 *g = d->state;
    for (unsigned i = 0; i < GIC_WORDS; i++)
        if (!word_valid(&g->word[i]))
            return false;
    for (unsigned n = 0; n < GIC_PES; n++) {
        const struct gic_redistributor *r = &g->pe[n];
        if (!word_valid(&r->word) || r->asleep > 1 || r->groups >> GIC_GROUPS || r->lpi >> GIC_ID_BITS ||
            (r->lpi && r->lpi < GIC_LPI) || r->lpis >> GIC_ID_BITS)
            return false;
    }
    return g->secure == (d->secure ? 1u : 0u) && g->its.enabled <= 1 && g->its.stalled <= 1;
}

const struct device_ops gicv3_ops = {
    DEVICE_ROW(gicv3),    .mmio_size = GIC_SIZE,        .state_size = sizeof(struct gicv3),
    .reset = gicv3_reset, .read = gicv3_read,           .write = gicv3_write,
    .line = gicv3_line,   .pend = gicv3_pend,           .events = 1,
    .event = gits_event,  .hart_call = gicv3_hart_call, .valid = gicv3_valid,
};
