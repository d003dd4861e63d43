/*
 * GICv3 redistributors (IHI 0069H, 12.11), and LPIs (5.1).
 *
 *   RD_base   0x0000 CTLR  0x0004 IIDR  0x0008 TYPER  0x0014 WAKER  0x0070 PROPBASER  0x0078 PENDBASER  0xffd0 identification
 *   SGI_base  0x10080…     the registers of gicv3_regs.c for INTIDs 0 to 31
 *
 * An LPI is pending if its bit in the pending table in guest memory is set; the configuration table says whether it is enabled
 * and its priority. Both are read when they are needed and not cached, but for which pending LPI is first. A table outside of
 * memory reads as zeros, and nothing becomes pending there.
 */
#include "base/bits.h"
#include "devices/gicv3.h"

enum {
    CTLR = 0x00,
    IIDR = 0x04,
    TYPER = 0x08,
    WAKER = 0x14,
    PROPBASER = 0x70,
    PENDBASER = 0x78,
    SGI_BASE = 0x10000,
    ID = 0xffd0
};
enum { ENABLE_LPIS = 1 };
#define PROPBASER_ADDRESS UINT64_C(0x000ffffffffff000)
#define PENDBASER_ADDRESS UINT64_C(0x000fffffffff0000)
#define PENDBASER_PTZ     (UINT64_C(1) << 62)
/* Shareability, cacheability and IDbits are kept. */
#define PROPBASER_WRITABLE (PROPBASER_ADDRESS | UINT64_C(0x0700000000000f9f))
#define PENDBASER_WRITABLE (PENDBASER_ADDRESS | UINT64_C(0x0700000000000f80))

/* ---- LPIs
 * -------------------------------------------------------------------------------------------------------------------------- */

/* LPI INTIDs are below this (PROPBASER.IDbits). */
static uint32_t lpi_end(const struct gic_redistributor *r)
{
    unsigned bits = (r->propbaser & 31) + 1;
    return UINT32_C(1) << (bits < GIC_ID_BITS ? bits : GIC_ID_BITS);
}

/* Whether LPI intid is enabled, and its priority (5.1.1). */
static bool configured(struct device *d, const struct gic_redistributor *r, uint32_t intid, uint8_t *priority)
{
    uint8_t entry = 0;
    d->host->dma_read(d, (r->propbaser & PROPBASER_ADDRESS) + intid - GIC_LPI, &entry, 1);
    /* With two security states the priority is as a Non-secure access would write it (5.1.1). */
    *priority = (uint8_t)((gic_of(d)->ctlr & CTLR_DS ? entry : 0x80 | entry >> 1) & GIC_PRIORITY);
    return entry & 1;
}

/* The highest-priority one of the LPIs of 64 table bits. */
static void look_at(struct device *d, struct gic_redistributor *r, uint32_t first, uint64_t pending)
{
    for (; pending; pending &= pending - 1) {
        uint32_t intid = first + (unsigned)__builtin_ctzll(pending);
        uint8_t priority;
        if (configured(d, r, intid, &priority) && (!r->lpi || priority < r->lpi_priority)) {
            r->lpi = intid;
            r->lpi_priority = priority;
        }
    }
}

/* Finds the first LPI anew, and how many are pending. */
static void scan(struct device *d, struct gic_redistributor *r)
{
    uint64_t word[64];
    r->lpi = r->lpis = 0;
    for (uint32_t at = GIC_LPI; at < lpi_end(r); at += 64 * ARRAY_LEN(word)) {
        if (!d->host->dma_read(d, (r->pendbaser & PENDBASER_ADDRESS) + at / 8, word, sizeof word))
            continue;
        for (unsigned i = 0; i < ARRAY_LEN(word) && at + 64 * i < lpi_end(r); i++) {
            r->lpis += (uint32_t)__builtin_popcountll(word[i]);
            look_at(d, r, at + 64 * i, word[i]);
        }
    }
}

void gicr_look(struct device *d, unsigned n)
{
    struct gic_redistributor *r = &gic_of(d)->pe[n];
    r->lpi = 0;
    if ((r->ctlr & ENABLE_LPIS) && r->lpis)
        scan(d, r);
    gic_update_pe(d, n);
}

/* Sets or clears the bit. False: it was that already, or there is none. */
static bool change(struct device *d, struct gic_redistributor *r, uint32_t intid, bool pending)
{
    uint64_t at = (r->pendbaser & PENDBASER_ADDRESS) + intid / 8;
    uint8_t byte, bit = (uint8_t)(1u << intid % 8);
    if (!(r->ctlr & ENABLE_LPIS) || intid < GIC_LPI || intid >= lpi_end(r) || !d->host->dma_read(d, at, &byte, 1) ||
        !(byte & bit) == !pending)
        return false;
    byte ^= bit;
    return d->host->dma_write(d, at, &byte, 1);
}

void gicr_set_lpi(struct device *d, unsigned n, uint32_t intid, bool pending)
{
    struct gic_redistributor *r = &gic_of(d)->pe[n];
    if (!change(d, r, intid, pending))
        return;
    if (pending) {
        uint8_t priority;
        r->lpis++;
        bool first = configured(d, r, intid, &priority) &&
                     (!r->lpi || priority < r->lpi_priority || (priority == r->lpi_priority && intid < r->lpi));
        if (first) {
            r->lpi = intid;
            r->lpi_priority = priority;
        }
    } else {
        r->lpis -= r->lpis != 0;
        if (r->lpi == intid)
            r->lpi = 0;
        if (!r->lpi && r->lpis)
            scan(d, r);
    }
    gic_update_pe(d, n);
}

/* 5.3.14: table by table, so that it takes the same time however many there are. */
void gicr_move_all(struct device *d, unsigned n, unsigned to)
{
    struct gic_redistributor *from = &gic_of(d)->pe[n], *r = &gic_of(d)->pe[to];
    uint64_t src[64], dst[64];
    if (!(from->ctlr & r->ctlr & ENABLE_LPIS) || !from->lpis || n == to)
        return;
    for (uint32_t at = GIC_LPI; at < lpi_end(from) && at < lpi_end(r); at += 64 * ARRAY_LEN(src)) {
        uint64_t a = (from->pendbaser & PENDBASER_ADDRESS) + at / 8, b = (r->pendbaser & PENDBASER_ADDRESS) + at / 8;
        if (!d->host->dma_read(d, a, src, sizeof src) || !d->host->dma_read(d, b, dst, sizeof dst))
            continue;
        for (unsigned i = 0; i < ARRAY_LEN(src); i++) {
            dst[i] |= src[i];
            src[i] = 0;
        }
        d->host->dma_write(d, b, dst, sizeof dst);
        d->host->dma_write(d, a, src, sizeof src);
    }
    scan(d, from);
    scan(d, r);
    gic_update_pe(d, n);
    gic_update_pe(d, to);
}

bool gicr_take_lpi(struct device *d, unsigned n, uint32_t intid)
{
    uint32_t before = gic_of(d)->pe[n].lpis;
    gicr_set_lpi(d, n, intid, false);
    return gic_of(d)->pe[n].lpis != before;
}

/* ---- registers
 * ------------------------------------------------------------------------------------------------------------------- */

/* 12.11.32: physical LPIs, the last one, processor number, affinity, LPI configuration shared by all. */
static uint64_t typer(struct device *d, unsigned n)
{
    bool last = n + 1 == gic_pes(d);
    return 1u | (uint64_t)last << 4 | (uint64_t)n << 8 | (uint64_t)gic_affinity(n) << 32;
}

/* GICR_PIDR4.., PIDR0.., CIDR0..: part 0x493. */
static uint32_t identification(uint64_t off)
{
    static const uint8_t id[12] = {0x44, 0, 0, 0, 0x93, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};
    return id[(off - ID) / 4];
}

static uint32_t half(uint64_t v, uint64_t off) { return (uint32_t)(off & 4 ? v >> 32 : v); }

/* Whether the offset in SGI_base is of a register of INTIDs 0 to 31; behind them are those of the extended ranges, which are
   absent. */
static bool is_private(uint64_t in)
{
    return in < 0x400 ? in % 0x80 < 4 : in < 0x420 || in == 0xd00 || in == 0xf80 || in - 0xc00 < 8 || in - 0xe00 < 8;
}

uint32_t gicr_read(struct device *d, unsigned n, uint64_t off, bool secure)
{
    struct gicv3 *g = gic_of(d);
    struct gic_redistributor *r = &g->pe[n];
    uint32_t value = 0;
    if (off >= SGI_BASE) {
        if (is_private(off - SGI_BASE))
            gic_word_read(d, &r->word, 0, off - SGI_BASE, secure, &value);
        return value;
    }
    switch (off & ~UINT64_C(4)) {
    case CTLR: return off & 4 ? GIC_IIDR : r->ctlr;
    case TYPER: return half(typer(d, n), off);
    case WAKER & ~4: return off == WAKER && gic_sees_all(g, secure) ? r->asleep * UINT32_C(6) : 0;
    case PROPBASER: return half(r->propbaser, off);
    case PENDBASER: return half(r->pendbaser & ~PENDBASER_PTZ, off); /* PTZ is write-only */
    default: return off >= ID ? identification(off) : 0;
    }
}

static uint64_t set_half(uint64_t v, uint64_t off, uint32_t value)
{
    return off & 4 ? bits_set(v, 63, 32, value) : bits_set(v, 31, 0, value);
}

/* LPIs that are pending in the table become so (5.1.2); a table said to be zero need not be read. */
static void enable_lpis(struct device *d, struct gic_redistributor *r, bool on)
{
    bool was = r->ctlr & ENABLE_LPIS;
    if (was == on)
        return;
    r->ctlr = on ? ENABLE_LPIS : 0;
    r->lpi = r->lpis = 0;
    if (on && !(r->pendbaser & PENDBASER_PTZ))
        scan(d, r);
}

void gicr_write(struct device *d, unsigned n, uint64_t off, bool secure, uint32_t value, uint32_t mask)
{
    struct gicv3 *g = gic_of(d);
    struct gic_redistributor *r = &g->pe[n];
    if (off >= SGI_BASE) {
        if (is_private(off - SGI_BASE))
            gic_word_write(d, &r->word, 0, off - SGI_BASE, secure, value, mask);
    } else if (mask != UINT32_MAX) {
        return;
    } else if (off == CTLR) {
        enable_lpis(d, r, value & ENABLE_LPIS);
    } else if (off == WAKER && gic_sees_all(g, secure)) {
        r->asleep = value >> 1 & 1;
    } else if ((off & ~UINT64_C(4)) == PROPBASER && !(r->ctlr & ENABLE_LPIS)) {
        r->propbaser = set_half(r->propbaser, off, value) & PROPBASER_WRITABLE;
    } else if ((off & ~UINT64_C(4)) == PENDBASER && !(r->ctlr & ENABLE_LPIS)) {
        r->pendbaser = set_half(r->pendbaser, off, value) & (PENDBASER_WRITABLE | PENDBASER_PTZ);
    }
    gic_update_pe(d, n);
}
