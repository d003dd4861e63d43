/*
 * virtio-mmio, version 2 (Virtual I/O Device specification 1.2, section 4.2.2). Registers are 4 bytes wide:
 *
 *   0x000 R   MagicValue "virt"           0x044 RW  QueueReady
 *   0x004 R   Version 2                   0x050 W   QueueNotify
 *   0x008 R   DeviceID, 0: empty slot     0x060 R   InterruptStatus: 0 used buffers, 1 configuration change
 *   0x00c R   VendorID                    0x064 W   InterruptACK
 *   0x010 R   DeviceFeatures              0x070 RW  Status: 0 resets
 *   0x014 W   DeviceFeaturesSel           0x080 W   QueueDescLow, 0x084 High
 *   0x020 W   DriverFeatures              0x090 W   QueueDriverLow (available ring), 0x094 High
 *   0x024 W   DriverFeaturesSel           0x0a0 W   QueueDeviceLow (used ring), 0x0a4 High
 *   0x030 W   QueueSel                    0x0b0 R   shared memory: none, all ones (0x0b0 to 0x0bc)
 *   0x034 R   QueueNumMax                 0x0fc R   ConfigGeneration: 0, nothing here changes by itself
 *   0x038 W   QueueNum                    0x100 RW  configuration space, any width
 *
 * Requests are carried out at once, inside the guest's write of QueueNotify (or of DRIVER_OK); a guest that queues more than the
 * budget below gets the rest carried out by event 0 in following cycles.
 */
#include "devices/virtio.h"
#include "base/bits.h"
#include "devices/clock.h"
#include <string.h>

#define MAGIC        0x74726976u
#define VENDOR       0x554d4551u /* what this board's firmware knows */
#define CONFIG       0x100u
#define CONFIG_MAX   128u
#define BUDGET_BYTES (UINT64_C(64) << 20) /* of requests carried out without giving the guest a chance to run */

enum { ST_ACKNOWLEDGE = 1, ST_DRIVER = 2, ST_DRIVER_OK = 4, ST_FEATURES_OK = 8, ST_NEEDS_RESET = 64, ST_FAILED = 128 };
enum { INT_USED = 1, INT_CONFIG = 2 };
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_SIZE = 16 };

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

void virtio_store(uint8_t *p, unsigned size, uint64_t v)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t load(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

bool virtio_live(const struct virtio *v)
{
    uint32_t need = ST_DRIVER_OK | ST_FEATURES_OK;
    return (v->status & need) == need && !(v->status & ST_NEEDS_RESET);
}

bool virtio_ok(const struct device *d) { return !(((const struct virtio *)d->state)->status & ST_NEEDS_RESET); }

static void interrupt(struct device *d, uint32_t set)
{
    struct virtio *v = d->state;
    v->interrupt_status |= set;
    device_irq(d, v->interrupt_status != 0);
}

void virtio_break(struct device *d)
{
    struct virtio *v = d->state;
    if (v->status & ST_NEEDS_RESET)
        return;
    v->status |= ST_NEEDS_RESET;
    if (v->status & ST_DRIVER_OK)
        interrupt(d, INT_CONFIG); /* 2.1.2: the driver is told by a configuration change */
}

static bool dma_get(struct device *d, uint64_t pa, void *p, uint64_t n)
{
    if (pa + n >= pa && d->host->dma_read(d, pa, p, n))
        return true;
    virtio_break(d);
    return false;
}

static bool dma_put(struct device *d, uint64_t pa, const void *p, uint64_t n)
{
    if (pa + n >= pa && d->host->dma_write(d, pa, p, n))
        return true;
    virtio_break(d);
    return false;
}

static bool get16(struct device *d, uint64_t pa, uint16_t *value)
{
    uint8_t b[2];
    if (!dma_get(d, pa, b, sizeof b))
        return false;
    *value = (uint16_t)load(b, 2);
    return true;
}

static bool put16(struct device *d, uint64_t pa, uint16_t value)
{
    uint8_t b[2];
    virtio_store(b, 2, value);
    return dma_put(d, pa, b, sizeof b);
}

static bool get_desc(struct device *d, uint64_t pa, struct desc *e)
{
    uint8_t b[DESC_SIZE];
    if (!dma_get(d, pa, b, sizeof b))
        return false;
    *e = (struct desc){load(b, 8), (uint32_t)load(b + 8, 4), (uint16_t)load(b + 12, 2), (uint16_t)load(b + 14, 2)};
    return true;
}

/* Adds a descriptor's buffer to the chain. False: too long, or device-readable after device-writable (2.7.4.2). */
static bool add_segment(struct virtio_chain *c, const struct desc *e)
{
    unsigned n = c->out + c->in;
    bool in = e->flags & DESC_WRITE;
    if (n == VIRTIO_QUEUE_MAX || (!in && c->in))
        return false;
    c->seg[n].addr = e->addr;
    c->seg[n].len = e->len;
    *(in ? &c->in : &c->out) += 1;
    *(in ? &c->in_len : &c->out_len) += e->len;
    return c->in_len + c->out_len <= UINT32_MAX; /* 2.7.5: at most 2^32 bytes */
}

/* Follows a chain from entry `index` of a table of `count`. `indirect`: this is an indirect table (2.7.5.3). */
static bool walk(struct device *d, struct virtio_chain *c, uint64_t table, uint32_t count, uint16_t index, bool indirect)
{
    const struct virtio *v = d->state;
    for (unsigned steps = 0; steps < VIRTIO_QUEUE_MAX; steps++) {
        struct desc e;
        if (index >= count || !get_desc(d, table + (uint64_t)index * DESC_SIZE, &e))
            return false;
        if (e.flags & DESC_INDIRECT) {
            if (indirect || !(v->driver_features & VIRTIO_F_INDIRECT_DESC) || (e.flags & DESC_NEXT) || !e.len ||
                e.len % DESC_SIZE)
                return false;
            return walk(d, c, e.addr, e.len / DESC_SIZE, 0, true);
        }
        if (!add_segment(c, &e))
            return false;
        if (!(e.flags & DESC_NEXT))
            return true;
        index = e.next;
    }
    return false; /* longer than any chain may be: a loop */
}

/* How many chains wait in queue q; more than its size: the ring is broken. */
static bool waiting(struct device *d, const struct virtio_queue *q, uint16_t *n)
{
    uint16_t idx;
    if (!get16(d, q->driver + 2, &idx))
        return false;
    *n = (uint16_t)(idx - q->last_avail);
    if (*n > q->num) {
        virtio_break(d);
        return false;
    }
    return true;
}

bool virtio_pop(struct device *d, unsigned qi, struct virtio_chain *c)
{
    struct virtio *v = d->state;
    struct virtio_queue *q = &v->q[qi];
    uint16_t n, head;
    if (!virtio_live(v) || !q->ready || !waiting(d, q, &n) || !n)
        return false;
    if (!get16(d, q->driver + 4 + UINT64_C(2) * (q->last_avail % q->num), &head))
        return false;
    c->head = head;
    c->out = c->in = 0;
    c->out_len = c->in_len = c->read = c->written = 0;
    if (!walk(d, c, q->desc, q->num, head, false)) {
        virtio_break(d);
        return false;
    }
    q->last_avail++;
    return true;
}

void virtio_unpop(struct device *d, unsigned qi)
{
    struct virtio *v = d->state;
    v->q[qi].last_avail--;
}

void virtio_push(struct device *d, unsigned qi, const struct virtio_chain *c)
{
    struct virtio *v = d->state;
    struct virtio_queue *q = &v->q[qi];
    uint8_t b[8];
    if (!virtio_ok(d))
        return;
    virtio_store(b, 4, c->head);
    virtio_store(b + 4, 4, c->written);
    if (dma_put(d, q->device + 4 + UINT64_C(8) * (q->used % q->num), b, sizeof b))
        q->used++;
}

/* Whether the guest wants to hear that `used` moved from `signalled` (2.7.7.2, 2.7.8.2). */
static bool wants_interrupt(struct device *d, const struct virtio_queue *q)
{
    const struct virtio *v = d->state;
    uint16_t word;
    if (!(v->driver_features & VIRTIO_F_EVENT_IDX))
        return get16(d, q->driver, &word) && !(word & 1);
    if (!get16(d, q->driver + 4 + UINT64_C(2) * q->num, &word))
        return false;
    return (uint16_t)(q->used - word - 1) < (uint16_t)(q->used - q->signalled);
}

void virtio_flush(struct device *d, unsigned qi)
{
    struct virtio *v = d->state;
    struct virtio_queue *q = &v->q[qi];
    if (!virtio_live(v) || !q->ready)
        return;
    if ((v->driver_features & VIRTIO_F_EVENT_IDX) &&
        !put16(d, q->device + 4 + UINT64_C(8) * q->num, q->last_avail)) /* avail_event: tell me of the next one (2.7.10) */
        return;
    if (q->used == q->signalled || !put16(d, q->device + 2, q->used))
        return;
    bool wanted = wants_interrupt(d, q);
    q->signalled = q->used;
    if (wanted)
        interrupt(d, INT_USED);
}

static size_t transfer(struct device *d, struct virtio_chain *c, bool in, uint8_t *p, const uint8_t *from, size_t n)
{
    uint64_t at = in ? c->written : c->read, total = in ? c->in_len : c->out_len;
    unsigned first = in ? c->out : 0, count = in ? c->in : c->out;
    size_t done = 0;
    n = n < total - at ? n : (size_t)(total - at);
    for (unsigned i = first; i < first + count && done < n; i++) {
        if (at >= c->seg[i].len) {
            at -= c->seg[i].len;
            continue;
        }
        uint64_t chunk = c->seg[i].len - at < n - done ? c->seg[i].len - at : n - done;
        if (in ? !dma_put(d, c->seg[i].addr + at, from + done, chunk) : !dma_get(d, c->seg[i].addr + at, p + done, chunk))
            return 0;
        done += (size_t)chunk;
        at = 0;
    }
    *(in ? &c->written : &c->read) += done;
    return done;
}

size_t virtio_get(struct device *d, struct virtio_chain *c, void *p, size_t n) { return transfer(d, c, false, p, NULL, n); }

size_t virtio_put(struct device *d, struct virtio_chain *c, const void *p, size_t n) { return transfer(d, c, true, NULL, p, n); }

/* Carries out what waits in queue qi. */
static void serve(struct device *d, const struct virtio_backend *b, unsigned qi)
{
    struct virtio *v = d->state;
    struct virtio_chain c;
    uint64_t bytes = 0;
    for (unsigned n = 0; virtio_live(v) && v->q[qi].ready; n++) {
        if (n == v->q[qi].num || bytes >= BUDGET_BYTES) {
            device_arm(d, 0, clock_later(device_now(d), 1));
            break;
        }
        if (!virtio_pop(d, qi, &c))
            break;
        b->request(d, qi, &c);
        bytes += c.read + c.written;
        virtio_push(d, qi, &c);
    }
    virtio_flush(d, qi);
}

static void notify(struct device *d, const struct virtio_backend *b, uint64_t qi)
{
    if (qi >= b->queues)
        return;
    if (b->serves >> qi & 1)
        serve(d, b, (unsigned)qi);
    else
        virtio_flush(d, (unsigned)qi);
}

void virtio_event(struct device *d, const struct virtio_backend *b)
{
    for (unsigned qi = 0; qi < b->queues; qi++)
        notify(d, b, qi);
}

void virtio_reset(struct device *d, const struct virtio_backend *b)
{
    struct virtio *v = d->state;
    (void)b;
    memset(v, 0, sizeof *v);
    device_arm(d, 0, UINT64_MAX);
    device_irq(d, false);
}

static uint64_t features(struct device *d, const struct virtio_backend *b)
{
    if (!b->id)
        return 0;
    return VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | (b->features ? b->features(d) : 0);
}

static bool read_config(struct device *d, const struct virtio_backend *b, uint64_t off, unsigned size, uint64_t *value)
{
    uint8_t config[CONFIG_MAX + 8] = {0};
    *value = 0;
    if (off < b->config_size && b->config_size <= CONFIG_MAX) {
        b->config(d, config);
        *value = load(config + off, size);
    }
    return true;
}

bool virtio_read(struct device *d, const struct virtio_backend *b, uint64_t off, unsigned size, uint64_t *value)
{
    const struct virtio *v = d->state;
    const struct virtio_queue *q = v->queue_sel < b->queues ? &v->q[v->queue_sel] : NULL;
    *value = 0;
    if (off >= CONFIG)
        return read_config(d, b, off - CONFIG, size, value);
    if (size != 4)
        return true;
    if (!b->id && off > 0x00c)
        return true;
    switch (off) {
    case 0x000: *value = MAGIC; break;
    case 0x004: *value = 2; break;
    case 0x008: *value = b->id; break;
    case 0x00c: *value = VENDOR; break;
    case 0x010: *value = v->device_features_sel > 1 ? 0 : (uint32_t)(features(d, b) >> 32 * v->device_features_sel); break;
    case 0x034: *value = q ? VIRTIO_QUEUE_MAX : 0; break;
    case 0x044: *value = q ? q->ready : 0; break;
    case 0x060: *value = v->interrupt_status; break;
    case 0x070: *value = v->status; break;
    case 0x0b0:
    case 0x0b4:
    case 0x0b8:
    case 0x0bc: *value = UINT32_MAX; break;
    default: break;
    }
    return true;
}

/* The queue is used from now on: its size and addresses must make sense (2.7, 4.2.2.1). */
static void queue_ready(struct device *d, struct virtio_queue *q, bool ready)
{
    if (ready && (!bits_is_pow2(q->num) || q->num > VIRTIO_QUEUE_MAX || q->desc % 16 || q->driver % 2 || q->device % 4)) {
        virtio_break(d);
        return;
    }
    if (ready && !q->ready)
        q->last_avail = q->used = q->signalled = 0;
    q->ready = ready;
}

static void write_queue(struct device *d, const struct virtio_backend *b, uint64_t off, uint64_t value)
{
    struct virtio *v = d->state;
    struct virtio_queue *q = &v->q[v->queue_sel < b->queues ? v->queue_sel : 0];
    if (v->queue_sel >= b->queues)
        return;
    if (off == 0x044) {
        queue_ready(d, q, value & 1);
        return;
    }
    if (q->ready)
        return; /* 4.2.2.2: the driver must not; a running queue stays as it is */
    switch (off) {
    case 0x038: q->num = (uint32_t)value; break;
    case 0x080: q->desc = bits_set(q->desc, 31, 0, value); break;
    case 0x084: q->desc = bits_set(q->desc, 63, 32, value); break;
    case 0x090: q->driver = bits_set(q->driver, 31, 0, value); break;
    case 0x094: q->driver = bits_set(q->driver, 63, 32, value); break;
    case 0x0a0: q->device = bits_set(q->device, 31, 0, value); break;
    case 0x0a4: q->device = bits_set(q->device, 63, 32, value); break;
    default: break;
    }
}

static void write_status(struct device *d, const struct virtio_backend *b, uint32_t value)
{
    struct virtio *v = d->state;
    if (!value) {
        virtio_reset(d, b);
        return;
    }
    uint32_t old = v->status;
    uint32_t next = (value & (ST_ACKNOWLEDGE | ST_DRIVER | ST_DRIVER_OK | ST_FEATURES_OK | ST_FAILED)) | (old & ST_NEEDS_RESET);
    uint64_t f = v->driver_features;
    if (!(old & ST_FEATURES_OK) && ((f & ~features(d, b)) || !(f & VIRTIO_F_VERSION_1)))
        next &= ~(uint32_t)ST_FEATURES_OK; /* 2.2.2, 6.2: not this set of features, and nothing older than version 1 */
    v->status = next;
    if (!(old & ST_DRIVER_OK) && (next & ST_DRIVER_OK))
        virtio_event(d, b); /* what was queued before counts from now */
}

bool virtio_write(struct device *d, const struct virtio_backend *b, uint64_t off, unsigned size, uint64_t value)
{
    struct virtio *v = d->state;
    if (off >= CONFIG) {
        if (b->config_write && off - CONFIG < b->config_size)
            b->config_write(d, off - CONFIG, size, value);
        return true;
    }
    if (size != 4 || !b->id)
        return true;
    value = (uint32_t)value;
    switch (off) {
    case 0x014: v->device_features_sel = (uint32_t)value; break;
    case 0x020:
        if (!(v->status & ST_FEATURES_OK) && v->driver_features_sel <= 1)
            v->driver_features =
                v->driver_features_sel ? bits_set(v->driver_features, 63, 32, value) : bits_set(v->driver_features, 31, 0, value);
        break;
    case 0x024: v->driver_features_sel = (uint32_t)value; break;
    case 0x030: v->queue_sel = (uint32_t)value; break;
    case 0x050: notify(d, b, value); break;
    case 0x064:
        v->interrupt_status &= ~(uint32_t)value;
        interrupt(d, 0);
        break;
    case 0x070: write_status(d, b, (uint32_t)value); break;
    default: write_queue(d, b, off, value); break;
    }
    return true;
}

bool virtio_valid(const struct device *d)
{
    const struct virtio *v = d->state;
    if (v->interrupt_status > (INT_USED | INT_CONFIG) || v->status > 0xff)
        return false;
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
        if (v->q[i].ready > 1 || (v->q[i].ready && (!bits_is_pow2(v->q[i].num) || v->q[i].num > VIRTIO_QUEUE_MAX)))
            return false;
    return true;
}
