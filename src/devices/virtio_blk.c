/*
 * Block device (virtio 1.2, section 5.2). One queue. The disk is the host's: disk_read, disk_write, disk_size.
 *
 * Features: 2 SEG_MAX, 5 RO (bit 0 of d->arg), 6 BLK_SIZE, 9 FLUSH, 13 DISCARD, 14 WRITE_ZEROES.
 * Configuration: 0 capacity u64 (512-byte sectors), 12 seg_max u32, 20 blk_size u32, 36 max_discard_sectors u32,
 * 40 max_discard_seg u32, 44 discard_sector_alignment u32, 48 max_write_zeroes_sectors u32, 52 max_write_zeroes_seg u32.
 *
 * A request is a header {type u32, reserved u32, sector u64}, data, and a last byte for the status. A discard changes nothing.
 */
#include "devices/virtio.h"

#define SECTOR    512u
#define CHUNK     4096u
#define ZERO_MOST 32768u /* sectors in one write-zeroes or discard */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { F_SEG_MAX = 2, F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9, F_DISCARD = 13, F_WRITE_ZEROES = 14 };
enum { ARG_READ_ONLY = 1, CONFIG_SIZE = 60, HEADER = 16, ID_LEN = 20, RANGE = 16 };

static bool read_only(const struct device *d) { return d->arg & ARG_READ_ONLY; }

static uint64_t blk_features(struct device *d)
{
    uint64_t f = UINT64_C(1) << F_SEG_MAX | UINT64_C(1) << F_BLK_SIZE | UINT64_C(1) << F_FLUSH;
    if (read_only(d))
        return f | UINT64_C(1) << F_RO;
    return f | UINT64_C(1) << F_DISCARD | UINT64_C(1) << F_WRITE_ZEROES;
}

static void blk_config(struct device *d, uint8_t *config)
{
    virtio_store(config + 0, 8, d->host->disk_size(d) / SECTOR);
    virtio_store(config + 12, 4, VIRTIO_QUEUE_MAX - 2);
    virtio_store(config + 20, 4, SECTOR);
    virtio_store(config + 36, 4, ZERO_MOST);
    virtio_store(config + 40, 4, 1);
    virtio_store(config + 44, 4, 1);
    virtio_store(config + 48, 4, ZERO_MOST);
    virtio_store(config + 52, 4, 1);
}

/* Whether len bytes from `sector` are whole sectors inside the disk. */
static bool in_disk(struct device *d, uint64_t sector, uint64_t len)
{
    uint64_t sectors = d->host->disk_size(d) / SECTOR;
    return len % SECTOR == 0 && sector <= sectors && len / SECTOR <= sectors - sector;
}

static uint8_t read_disk(struct device *d, struct virtio_chain *c, uint64_t sector)
{
    uint8_t buf[CHUNK];
    uint64_t len = c->in_len - 1;
    if (!in_disk(d, sector, len))
        return S_IOERR;
    for (uint64_t at = 0; at < len;) {
        size_t n = len - at < CHUNK ? (size_t)(len - at) : CHUNK;
        if (!d->host->disk_read(d, sector * SECTOR + at, buf, n) || virtio_put(d, c, buf, n) != n)
            return S_IOERR;
        at += n;
    }
    return S_OK;
}

static uint8_t write_disk(struct device *d, struct virtio_chain *c, uint64_t sector)
{
    uint8_t buf[CHUNK];
    uint64_t len = c->out_len - HEADER;
    if (read_only(d) || !in_disk(d, sector, len))
        return S_IOERR;
    for (uint64_t at = 0; at < len;) {
        size_t n = len - at < CHUNK ? (size_t)(len - at) : CHUNK;
        if (virtio_get(d, c, buf, n) != n || !d->host->disk_write(d, sector * SECTOR + at, buf, n))
            return S_IOERR;
        at += n;
    }
    return S_OK;
}

/* One range {sector u64, sectors u32, flags u32}; flag 0 is "may unmap", allowed for write-zeroes only (5.2.6.2). */
static uint8_t zero_disk(struct device *d, struct virtio_chain *c, bool discard)
{
    uint8_t range[RANGE], zero[CHUNK] = {0};
    uint64_t sector = 0;
    uint32_t sectors = 0, flags = 0;
    if (read_only(d))
        return S_IOERR;
    if (c->out_len != HEADER + RANGE || virtio_get(d, c, range, RANGE) != RANGE)
        return S_IOERR;
    for (unsigned i = 0; i < 8; i++)
        sector |= (uint64_t)range[i] << 8 * i;
    for (unsigned i = 0; i < 4; i++) {
        sectors |= (uint32_t)range[8 + i] << 8 * i;
        flags |= (uint32_t)range[12 + i] << 8 * i;
    }
    if (flags > (discard ? 0u : 1u))
        return S_UNSUPP;
    if (sectors > ZERO_MOST || !in_disk(d, sector, (uint64_t)sectors * SECTOR))
        return S_IOERR;
    for (uint64_t at = 0, len = (uint64_t)sectors * SECTOR; !discard && at < len; at += CHUNK)
        if (!d->host->disk_write(d, sector * SECTOR + at, zero, len - at < CHUNK ? (size_t)(len - at) : CHUNK))
            return S_IOERR;
    return S_OK;
}

static uint8_t get_id(struct device *d, struct virtio_chain *c)
{
    uint8_t id[ID_LEN] = {0};
    for (unsigned i = 0; i < ID_LEN && d->id && d->id[i]; i++)
        id[i] = (uint8_t)d->id[i];
    uint64_t room = c->in_len - 1;
    size_t n = room < ID_LEN ? (size_t)room : ID_LEN;
    return virtio_put(d, c, id, n) == n ? S_OK : S_IOERR;
}

static uint8_t carry_out(struct device *d, struct virtio_chain *c, uint32_t type, uint64_t sector)
{
    switch (type) {
    case T_IN: return read_disk(d, c, sector);
    case T_OUT: return write_disk(d, c, sector);
    case T_FLUSH: return S_OK;
    case T_GET_ID: return get_id(d, c);
    case T_DISCARD:
    case T_WRITE_ZEROES: return zero_disk(d, c, type == T_DISCARD);
    default: return S_UNSUPP;
    }
}

static void request(struct device *d, unsigned q, struct virtio_chain *c)
{
    static const uint8_t zero[CHUNK];
    uint8_t header[HEADER], status;
    uint32_t type = 0;
    uint64_t sector = 0;
    (void)q;
    if (c->out_len < HEADER || !c->in_len || virtio_get(d, c, header, HEADER) != HEADER) {
        virtio_break(d); /* no header or no place for the status: nothing can be answered */
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        type |= (uint32_t)header[i] << 8 * i;
    for (unsigned i = 0; i < 8; i++)
        sector |= (uint64_t)header[8 + i] << 8 * i;
    status = carry_out(d, c, type, sector);
    /* The status is the last byte; what a failed read left unwritten is zeroed, so that `written` stays true (2.7.8.2). */
    while (c->written + 1 < c->in_len) {
        uint64_t gap = c->in_len - 1 - c->written;
        if (!virtio_put(d, c, zero, gap < CHUNK ? (size_t)gap : CHUNK))
            return;
    }
    virtio_put(d, c, &status, 1);
}

static const struct virtio_backend virtio_blk_backend = {
    .id = 2,
    .queues = 1,
    .config_size = CONFIG_SIZE,
    .features = blk_features,
    .config = blk_config,
    .request = request,
    .serves = 1,
};

VIRTIO_DEVICE(virtio_blk, NULL);
