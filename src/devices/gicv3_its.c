/*
 * GICv3 interrupt translation service (IHI 0069H, 5.2, 5.3, 12.19): from a device's message to an LPI.
 *
 *   0x0000 CTLR  0x0004 IIDR  0x0008 TYPER  0x0080 CBASER  0x0088 CWRITER  0x0090 CREADR
 *   0x0100 BASER0 (devices)   0x0108 BASER1 (collections)  0xffd0 identification       0x10040 TRANSLATER
 *
 * The tables are in guest memory, in formats of our own, 8 bytes an entry:
 *   device      63 valid, 51:8 address of its interrupt translation table, 4:0 bits of an event - 1
 *   collection  63 valid, 15:0 the PE
 *   event       63 valid, 47:32 collection, 31:0 LPI
 * The device table may have two levels. A PE is named by its number (TYPER.PTA 0).
 *
 * A command that is wrong, or whose table is outside of memory, does nothing (5.3.1; TYPER.SEIS 0). A queue outside of memory
 * stalls. Commands are carried out as soon as CWRITER is written, BATCH of them; the rest by and by, so that no guest can make
 * one access last. A processor's own write to TRANSLATER is a message of device 0.
 */
#include "base/bits.h"
#include "devices/clock.h"
#include "devices/gicv3.h"

#define BATCH      32u
#define BATCH_GAP  1000u /* cycles */
#define VALID      (UINT64_C(1) << 63)
#define EVENT_BITS 16u
#define DEV_BITS   16u
#define ADDRESS    UINT64_C(0x000ffffffffff000)
#define OFFSET     UINT64_C(0xfffe0)
enum {
    CTLR = 0x00,
    IIDR = 0x04,
    TYPER = 0x08,
    CBASER = 0x80,
    CWRITER = 0x88,
    CREADR = 0x90,
    BASER = 0x100,
    ID = 0xffd0,
    TRANSLATER = 0x10040
};
enum { DEVICES, COLLECTIONS };
/* Type and EntrySize are fixed. */
#define BASER_FIXED(type) ((uint64_t)(type) << 56 | UINT64_C(7) << 48)
#define BASER_INDIRECT    (UINT64_C(1) << 62)
#define BASER_WRITABLE    (~(UINT64_C(7) << 56 | UINT64_C(31) << 48))
#define CBASER_WRITABLE   (VALID | UINT64_C(0x38e0000000000cff) | ADDRESS)

enum {
    MOVI = 0x01,
    INT = 0x03,
    CLEAR = 0x04,
    SYNC = 0x05,
    MAPD = 0x08,
    MAPC = 0x09,
    MAPTI = 0x0a,
    MAPI = 0x0b,
    INV = 0x0c,
    INVALL = 0x0d,
    MOVALL = 0x0e,
    DISCARD = 0x0f
};

static struct gic_its *its_of(struct device *d) { return &gic_of(d)->its; }

/* ---- tables
 * ----------------------------------------------------------------------------------------------------------------------- */

static uint64_t page_size(uint64_t baser)
{
    static const uint64_t size[4] = {0x1000, 0x4000, 0x10000, 0x10000};
    return size[baser >> 8 & 3];
}

/* 12.19.1: with 64 KiB pages bits 15:12 are bits 51:48 of the address. */
static uint64_t table_address(uint64_t baser)
{
    uint64_t at = baser & UINT64_C(0x0000fffffffff000);
    return page_size(baser) == 0x10000 ? (at & ~UINT64_C(0xf000)) | (at & 0xf000) << 36 : at;
}

/* Where entry n of table t is. False: nowhere. */
static bool entry_at(struct device *d, unsigned t, uint64_t n, uint64_t *at)
{
    uint64_t baser = its_of(d)->baser[t], page = page_size(baser), room = ((baser & 0xff) + 1) * page / 8, level1;
    if (!(baser & VALID))
        return false;
    *at = table_address(baser) + 8 * n;
    if (!(baser & BASER_INDIRECT))
        return n < room;
    uint64_t index = n / (page / 8);
    if (index >= room || !d->host->dma_read(d, table_address(baser) + 8 * index, &level1, 8) || !(level1 & VALID))
        return false;
    *at = (level1 & ADDRESS & ~(page - 1)) + 8 * (n % (page / 8));
    return true;
}

static bool entry_get(struct device *d, unsigned t, uint64_t n, uint64_t *entry)
{
    uint64_t at;
    return entry_at(d, t, n, &at) && d->host->dma_read(d, at, entry, 8) && *entry & VALID;
}

static void entry_set(struct device *d, unsigned t, uint64_t n, uint64_t entry)
{
    uint64_t at;
    if (entry_at(d, t, n, &at))
        d->host->dma_write(d, at, &entry, 8);
}

/* Where the translation of an event of a device is kept. False: the device is not mapped, or the event is out of its range. */
static bool event_at(struct device *d, uint32_t id, uint32_t event, uint64_t *at)
{
    uint64_t entry;
    if (id >> DEV_BITS || !entry_get(d, DEVICES, id, &entry) || (uint64_t)event >> ((entry & 31) + 1))
        return false;
    *at = (entry & UINT64_C(0x000fffffffffff00)) + 8 * (uint64_t)event;
    return true;
}

/* The PE a collection goes to. */
static bool collection_pe(struct device *d, uint64_t icid, unsigned *pe)
{
    uint64_t entry;
    if (!entry_get(d, COLLECTIONS, icid & 0xffff, &entry) || (entry & 0xffff) >= gic_pes(d))
        return false;
    *pe = (unsigned)(entry & 0xffff);
    return true;
}

/* An event's LPI and PE. */
struct target {
    uint64_t at, entry;
    uint32_t lpi;
    unsigned pe;
};

static bool find(struct device *d, uint32_t id, uint32_t event, struct target *t)
{
    if (!event_at(d, id, event, &t->at) || !d->host->dma_read(d, t->at, &t->entry, 8) || !(t->entry & VALID))
        return false;
    t->lpi = (uint32_t)t->entry;
    return collection_pe(d, t->entry >> 32 & 0xffff, &t->pe);
}

void gits_translate(struct device *d, uint32_t id, uint32_t event)
{
    struct target t;
    if (its_of(d)->enabled && find(d, id, event, &t))
        gicr_set_lpi(d, t.pe, t.lpi, true);
}

/* ---- commands
 * --------------------------------------------------------------------------------------------------------------------- */

static void map_device(struct device *d, const uint64_t c[4])
{
    uint32_t id = (uint32_t)(c[0] >> 32);
    bool valid = c[2] & VALID;
    if (id >> DEV_BITS || (valid && (c[1] & 31) >= EVENT_BITS))
        return;
    entry_set(d, DEVICES, id, valid ? VALID | (c[2] & UINT64_C(0x000fffffffffff00)) | (c[1] & 31) : 0);
}

static void map_collection(struct device *d, const uint64_t c[4])
{
    uint64_t pe = c[2] >> 16 & UINT64_C(0x7ffffffff);
    if (!(c[2] & VALID))
        entry_set(d, COLLECTIONS, c[2] & 0xffff, 0);
    else if (pe < gic_pes(d))
        entry_set(d, COLLECTIONS, c[2] & 0xffff, VALID | pe);
}

static void map_event(struct device *d, const uint64_t c[4])
{
    uint32_t id = (uint32_t)(c[0] >> 32), event = (uint32_t)c[1], lpi = (c[0] & 0xff) == MAPI ? event : (uint32_t)(c[1] >> 32);
    uint64_t at, entry = VALID | (c[2] & 0xffff) << 32 | lpi;
    if (lpi >= GIC_LPI && !(lpi >> GIC_ID_BITS) && event_at(d, id, event, &at))
        d->host->dma_write(d, at, &entry, 8);
}

/* A pending interrupt goes along (5.3.13). */
static void move_event(struct device *d, const uint64_t c[4])
{
    struct target t;
    unsigned to;
    if (!find(d, (uint32_t)(c[0] >> 32), (uint32_t)c[1], &t) || !collection_pe(d, c[2], &to))
        return;
    uint64_t entry = bits_set(t.entry, 47, 32, c[2]);
    d->host->dma_write(d, t.at, &entry, 8);
    if (to != t.pe && gicr_take_lpi(d, t.pe, t.lpi))
        gicr_set_lpi(d, to, t.lpi, true);
}

static void discard_event(struct device *d, const struct target *t)
{
    const uint64_t none = 0;
    gicr_set_lpi(d, t->pe, t->lpi, false);
    d->host->dma_write(d, t->at, &none, 8);
}

static void command(struct device *d, const uint64_t c[4])
{
    struct target t;
    unsigned pe;
    bool known = find(d, (uint32_t)(c[0] >> 32), (uint32_t)c[1], &t); /* of those commands that name an event */
    uint64_t from = c[2] >> 16 & UINT64_C(0x7ffffffff), to = c[3] >> 16 & UINT64_C(0x7ffffffff);
    switch (c[0] & 0xff) {
    case MAPD: map_device(d, c); break;
    case MAPC: map_collection(d, c); break;
    case MAPTI:
    case MAPI: map_event(d, c); break;
    case MOVI: move_event(d, c); break;
    case DISCARD:
        if (known)
            discard_event(d, &t);
        break;
    case INT:
    case CLEAR:
        if (known)
            gicr_set_lpi(d, t.pe, t.lpi, (c[0] & 0xff) == INT);
        break;
    case INV:
        if (known)
            gicr_look(d, t.pe);
        break;
    case INVALL:
        if (collection_pe(d, c[2], &pe))
            gicr_look(d, pe);
        break;
    case MOVALL:
        if (from < gic_pes(d) && to < gic_pes(d))
            gicr_move_all(d, (unsigned)from, (unsigned)to);
        break;
    case SYNC: /* everything is done already */
    default: break;
    }
}

/* Carries out what is in the queue (12.19.3, 12.19.5). */
static void run_queue(struct device *d)
{
    struct gic_its *its = its_of(d);
    uint64_t size = ((its->cbaser & 0xff) + 1) * 0x1000, c[4];
    unsigned done = 0;
    bool on = its->enabled && its->cbaser & VALID && !its->stalled && its->cwriter < size;
    while (on && its->creadr != its->cwriter && done++ < BATCH) {
        if (!d->host->dma_read(d, (its->cbaser & ADDRESS) + its->creadr, c, sizeof c)) {
            its->stalled = 1;
            break;
        }
        its->creadr = (its->creadr + sizeof c) % size;
        command(d, c);
    }
    bool more = on && !its->stalled && its->creadr != its->cwriter;
    device_arm(d, 0, more ? clock_later(device_now(d), BATCH_GAP) : UINT64_MAX);
}

void gits_event(struct device *d, unsigned n)
{
    (void)n;
    run_queue(d);
}

/* ---- registers
 * ------------------------------------------------------------------------------------------------------------------- */

/* 12.19.9: physical LPIs, 8 bytes an event's entry, 16 bits of event, device and collection. */
static uint64_t typer(void) { return 1u | 7u << 4 | (EVENT_BITS - 1) << 8 | (DEV_BITS - 1) << 13; }

/* GITS_PIDR4.., PIDR0.., CIDR0..: part 0x494. */
static uint32_t identification(uint64_t off)
{
    static const uint8_t id[12] = {0x44, 0, 0, 0, 0x94, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};
    return id[(off - ID) / 4];
}

static uint32_t half(uint64_t v, uint64_t off) { return (uint32_t)(off & 4 ? v >> 32 : v); }

uint32_t gits_read(struct device *d, uint64_t off)
{
    const struct gic_its *its = its_of(d);
    switch (off & ~UINT64_C(4)) {
    case CTLR: return off & 4 ? GIC_IIDR : its->enabled | UINT32_C(1) << 31; /* always quiescent */
    case TYPER: return half(typer(), off);
    case CBASER: return half(its->cbaser, off);
    case CWRITER: return half(its->cwriter, off);
    case CREADR: return half(its->creadr | its->stalled, off);
    case BASER:
    case BASER + 8: return half(its->baser[off >> 3 & 1], off);
    default: return off >= ID && off < FRAME_SIZE ? identification(off) : 0;
    }
}

static uint64_t set_half(uint64_t v, uint64_t off, uint32_t value)
{
    return off & 4 ? bits_set(v, 63, 32, value) : bits_set(v, 31, 0, value);
}

void gits_write(struct device *d, uint64_t off, uint32_t value, uint32_t mask)
{
    struct gic_its *its = its_of(d);
    uint64_t *baser = &its->baser[off >> 3 & 1];
    if (off == TRANSLATER) /* 12.20.1: 16-bit accesses, too */
        gits_translate(d, 0, value & mask);
    if (mask != UINT32_MAX)
        return;
    switch (off & ~UINT64_C(4)) {
    case CTLR:
        if (!(off & 4))
            its->enabled = value & 1;
        break;
    case CBASER:
        if (its->enabled)
            break;
        its->cbaser = set_half(its->cbaser, off, value) & CBASER_WRITABLE;
        its->creadr = its->stalled = 0; /* 12.19.2 */
        break;
    case CWRITER:
        if (off & 4)
            return;
        its->cwriter = value & OFFSET;
        its->stalled &= ~value; /* Retry */
        break;
    case BASER:
    case BASER + 8:
        if (!its->enabled)
            *baser = (set_half(*baser, off, value) & BASER_WRITABLE) | (*baser & ~BASER_WRITABLE);
        break;
    default: return;
    }
    run_queue(d);
}

void gits_reset(struct gic_its *its)
{
    its->baser[DEVICES] = BASER_FIXED(1);
    its->baser[COLLECTIONS] = BASER_FIXED(4);
}
