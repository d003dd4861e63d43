/*
 * Firmware configuration device, memory-mapped variant (QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device").
 *
 *   0x00  data      read, any width: the selected item's next bytes, in memory order; past its end zeros. Writes are ignored.
 *   0x08  selector  write, 2 bytes, big-endian: selects an item and rewinds it
 *   0x10  DMA       write, 8 bytes, big-endian: the address of a request {control, length u32; address u64}, big-endian.
 *                   Two 4-byte writes do as well, the one at 0x14 starts it. Reads as "QEMU CFG".
 *
 * control: 0 error, 1 read, 2 skip, 3 select (the key is in 31:16), 4 write; the device stores 0 there when it is done, or the
 * error bit. Nothing here is writable, so a write is an error.
 *
 * Items: 0x00 "QEMU", 0x01 features (u32: 0 traditional interface, 1 DMA), 0x19 the directory {count u32be; {size u32be,
 * key u16be, 0 u16, name[56]}...}, and those that fw_cfg.h adds.
 */
#include "devices/fw_cfg.h"
#include "base/bits.h"
#include <string.h>

#define SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG" */
enum { DATA = 0x00, SELECTOR = 0x08, DMA_HIGH = 0x10, DMA_LOW = 0x14, SIZE = 0x18 };
enum { KEY_SIGNATURE = 0x00, KEY_ID = 0x01, KEY_DIR = 0x19 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { DIR_HEAD = 4, DIR_ENTRY = 64 };

struct fw_cfg_item {
    uint64_t off; /* in the backing store; of an immediate item its value */
    uint32_t size;
    uint16_t key;
    uint16_t immediate;
    char name[FW_CFG_NAME_MAX + 1]; /* empty: not a file */
};

struct fw_cfg {
    uint64_t dma; /* address register */
    uint32_t at;  /* next byte of the selected item */
    uint16_t key;
    uint16_t items;
    struct fw_cfg_item item[FW_CFG_ITEMS];
};

static uint64_t big_endian(uint64_t v, unsigned size) { return __builtin_bswap64(v) >> (64 - 8 * size); }

static const struct fw_cfg_item *find(const struct fw_cfg *f, uint16_t key)
{
    for (unsigned i = 0; i < f->items; i++)
        if (f->item[i].key == key)
            return &f->item[i];
    return NULL;
}

static unsigned files(const struct fw_cfg *f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->items; i++)
        n += f->item[i].name[0] != 0;
    return n;
}

/* Entry i of the directory. */
static void directory_entry(const struct fw_cfg *f, unsigned i, uint8_t *entry)
{
    memset(entry, 0, DIR_ENTRY);
    for (unsigned k = 0; k < f->items; k++) {
        const struct fw_cfg_item *it = &f->item[k];
        if (!it->name[0] || i--)
            continue;
        uint32_t size = __builtin_bswap32(it->size);
        uint16_t key = __builtin_bswap16(it->key);
        memcpy(entry, &size, 4);
        memcpy(entry + 4, &key, 2);
        memcpy(entry + 8, it->name, FW_CFG_NAME_MAX);
        return;
    }
}

static uint8_t directory_byte(const struct fw_cfg *f, uint32_t at)
{
    uint8_t entry[DIR_ENTRY];
    if (at < DIR_HEAD)
        return (uint8_t)(files(f) >> (24 - 8 * at));
    directory_entry(f, (at - DIR_HEAD) / DIR_ENTRY, entry);
    return entry[(at - DIR_HEAD) % DIR_ENTRY];
}

/* Bytes in the selected item; an item that does not exist has none. */
static uint32_t item_size(const struct fw_cfg *f)
{
    const struct fw_cfg_item *it = find(f, f->key);
    if (f->key == KEY_SIGNATURE || f->key == KEY_ID)
        return 4;
    if (f->key == KEY_DIR)
        return DIR_HEAD + files(f) * DIR_ENTRY;
    return it ? it->size : 0;
}

/* The next n bytes of the selected item. False: the backing store failed. */
static bool next_bytes(struct device *d, uint8_t *p, uint32_t n)
{
    struct fw_cfg *f = d->state;
    const struct fw_cfg_item *it = find(f, f->key);
    uint32_t size = item_size(f), left = f->at < size ? size - f->at : 0;
    memset(p, 0, n);
    uint32_t have = n < left ? n : left;
    bool ok = true;
    if (have && it && !it->immediate)
        ok = d->host->disk_read(d, it->off + f->at, p, have);
    for (uint32_t i = 0; i < have && (!it || it->immediate); i++) {
        uint32_t at = f->at + i;
        if (it)
            p[i] = (uint8_t)(it->off >> 8 * at);
        else if (f->key == KEY_DIR)
            p[i] = directory_byte(f, at);
        else
            p[i] = (uint8_t)(f->key == KEY_ID ? (at ? 0u : 3u) : SIGNATURE >> (56 - 8 * at));
    }
    f->at += have;
    return ok;
}

static bool dma_transfer(struct device *d, uint32_t control, uint32_t len, uint64_t pa)
{
    struct fw_cfg *f = d->state;
    uint8_t buf[1024];
    if (control & DMA_READ) {
        for (uint32_t done = 0; done < len;) {
            uint32_t n = len - done < sizeof buf ? len - done : (uint32_t)sizeof buf;
            if (!next_bytes(d, buf, n) || !d->host->dma_write(d, pa + done, buf, n))
                return false;
            done += n;
        }
        return true;
    }
    if (control & DMA_WRITE)
        return false;
    if (control & DMA_SKIP) {
        uint32_t size = item_size(f);
        f->at = f->at + (uint64_t)len < size ? f->at + len : size;
    }
    return true;
}

/* Carries out the request that the address register points to. */
static void dma(struct device *d)
{
    struct fw_cfg *f = d->state;
    uint32_t word[2], done = 0;
    uint64_t pa, at = f->dma;
    f->dma = 0;
    if (!d->host->dma_read(d, at, word, 8) || !d->host->dma_read(d, at + 8, &pa, 8)) {
        done = __builtin_bswap32(DMA_ERROR); /* stored if that much of the request is memory */
    } else {
        uint32_t control = __builtin_bswap32(word[0]);
        if (control & DMA_SELECT) {
            f->key = (uint16_t)(control >> 16);
            f->at = 0;
        }
        if (!dma_transfer(d, control, __builtin_bswap32(word[1]), __builtin_bswap64(pa)))
            done = __builtin_bswap32(DMA_ERROR);
    }
    d->host->dma_write(d, at, &done, 4);
}

static void fw_cfg_reset(struct device *d)
{
    struct fw_cfg *f = d->state;
    f->dma = 0;
    f->at = 0;
    f->key = 0;
}

static bool fw_cfg_read(struct device *d, uint64_t off, unsigned size, uint64_t *value)
{
    uint8_t b[8] = {0};
    *value = 0;
    if (off >= SIZE)
        return false;
    if (off < SELECTOR) {
        next_bytes(d, b, size);
        for (unsigned i = 0; i < size; i++)
            *value |= (uint64_t)b[i] << 8 * i;
    } else if (off >= DMA_HIGH) {
        unsigned shift = 64 - 8 * ((unsigned)(off - DMA_HIGH) + size);
        *value = big_endian(SIGNATURE >> shift, size);
    }
    return true;
}

static bool fw_cfg_write(struct device *d, uint64_t off, unsigned size, uint64_t value)
{
    struct fw_cfg *f = d->state;
    if (off >= SIZE)
        return false;
    if (off == SELECTOR && size == 2) {
        f->key = (uint16_t)big_endian(value, 2);
        f->at = 0;
    } else if (off == DMA_HIGH && size == 8) {
        f->dma = big_endian(value, 8);
        dma(d);
    } else if (off == DMA_HIGH && size == 4) {
        f->dma = bits_set(f->dma, 63, 32, big_endian(value, 4));
    } else if (off == DMA_LOW && size == 4) {
        f->dma = bits_set(f->dma, 31, 0, big_endian(value, 4));
        dma(d);
    }
    return true;
}

static bool reserved(uint16_t key) { return key == KEY_SIGNATURE || key == KEY_ID || key == KEY_DIR; }

static struct fw_cfg_item *add(struct fw_cfg *f, uint16_t key, uint64_t off, uint32_t size)
{
    if (f->items == FW_CFG_ITEMS || reserved(key) || find(f, key))
        return NULL;
    struct fw_cfg_item *it = &f->item[f->items++];
    it->key = key;
    it->off = off;
    it->size = size;
    return it;
}

bool fw_cfg_add_file(struct device *d, const char *name, uint64_t off, uint32_t size)
{
    struct fw_cfg *f = d->state;
    size_t len = strlen(name);
    if (!len || len > FW_CFG_NAME_MAX)
        return false;
    for (unsigned i = 0; i < f->items; i++)
        if (!strcmp(f->item[i].name, name))
            return false;
    struct fw_cfg_item *it = add(f, (uint16_t)(FW_CFG_FILES + files(f)), off, size);
    if (it)
        memcpy(it->name, name, len);
    return it;
}

bool fw_cfg_add_item(struct device *d, uint16_t key, uint64_t off, uint32_t size)
{
    return key < FW_CFG_FILES && add(d->state, key, off, size);
}

bool fw_cfg_add_value(struct device *d, uint16_t key, uint64_t value, uint32_t size)
{
    if (key >= FW_CFG_FILES || !size || size > 8)
        return false;
    struct fw_cfg_item *it = add(d->state, key, value, size);
    if (it)
        it->immediate = 1;
    return it;
}

static bool fw_cfg_valid(const struct device *d)
{
    const struct fw_cfg *f = d->state;
    if (f->items > FW_CFG_ITEMS)
        return false;
    for (unsigned i = 0; i < f->items; i++) {
        const struct fw_cfg_item *it = &f->item[i];
        if (it->name[FW_CFG_NAME_MAX] || it->immediate > 1 || (it->immediate && (!it->size || it->size > 8)) || reserved(it->key))
            return false;
    }
    return true;
}

const struct device_ops fw_cfg_ops = {
    DEVICE_ROW(fw_cfg),    .mmio_size = SIZE,     .state_size = sizeof(struct fw_cfg), .reset = fw_cfg_reset, .read = fw_cfg_read,
    .write = fw_cfg_write, .valid = fw_cfg_valid,
};
