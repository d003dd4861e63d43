/* A virtio driver as small as can be, for tests: it sets a device up and puts chains into its queues. */
#ifndef TL_TESTS_DEV_VIRTIO_H
#define TL_TESTS_DEV_VIRTIO_H
#include "dev_fake.h"

#define VQ_NUM 8u
/* Where queue q's areas and the test's buffers are. */
#define VQ_DESC(q)  (FAKE_RAM_BASE + 0x1000u + 0x4000u * (q))
#define VQ_AVAIL(q) (VQ_DESC(q) + 0x1000u)
#define VQ_USED(q)  (VQ_DESC(q) + 0x2000u)
#define VQ_BUF      (FAKE_RAM_BASE + 0x10000u)
#define VQ_INDIRECT (FAKE_RAM_BASE + 0x80000u)

enum {
    R_MAGIC = 0x00,
    R_VERSION = 0x04,
    R_ID = 0x08,
    R_FEATURES = 0x10,
    R_FEATURES_SEL = 0x14,
    R_DRIVER = 0x20,
    R_DRIVER_SEL = 0x24,
    R_QSEL = 0x30,
    R_QMAX = 0x34,
    R_QNUM = 0x38,
    R_QREADY = 0x44,
    R_NOTIFY = 0x50,
    R_ISR = 0x60,
    R_ACK = 0x64,
    R_STATUS = 0x70,
    R_DESC = 0x80,
    R_AVAIL = 0x90,
    R_USED = 0xa0,
    R_CONFIG = 0x100
};
enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };
enum { NEEDS_RESET = 64 };
#define FEATURE_INDIRECT  (UINT64_C(1) << 28)
#define FEATURE_EVENT_IDX (UINT64_C(1) << 29)
#define FEATURE_VERSION_1 (UINT64_C(1) << 32)

static inline void vq_poke(struct fake *f, uint64_t pa, unsigned size, uint64_t v)
{
    uint8_t *p = fake_ram(f, pa, size);
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t vq_peek(struct fake *f, uint64_t pa, unsigned size)
{
    const uint8_t *p = fake_ram(f, pa, size);
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

/* Writes entry i of the descriptor table at `table`. */
static inline void vq_desc(struct fake *f, uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
    vq_poke(f, table + 16u * i, 8, addr);
    vq_poke(f, table + 16u * i + 8, 4, len);
    vq_poke(f, table + 16u * i + 12, 2, flags);
    vq_poke(f, table + 16u * i + 14, 2, next);
}

/* Makes chain `head` available on queue q; the guest does not notify yet. */
static inline void vq_offer(struct fake *f, unsigned q, unsigned head)
{
    uint64_t idx = vq_peek(f, VQ_AVAIL(q) + 2, 2);
    vq_poke(f, VQ_AVAIL(q) + 4 + 2 * (idx % VQ_NUM), 2, head);
    vq_poke(f, VQ_AVAIL(q) + 2, 2, idx + 1);
}

static inline void vq_notify(struct fake *f, unsigned q) { fake_set(f, R_NOTIFY, 4, q); }
static inline uint64_t vq_used_idx(struct fake *f, unsigned q) { return vq_peek(f, VQ_USED(q) + 2, 2); }

static inline uint64_t vq_used_id(struct fake *f, unsigned q, uint64_t i)
{
    return vq_peek(f, VQ_USED(q) + 4 + 8 * (i % VQ_NUM), 4);
}

static inline uint64_t vq_used_len(struct fake *f, unsigned q, uint64_t i)
{
    return vq_peek(f, VQ_USED(q) + 8 + 8 * (i % VQ_NUM), 4);
}

static inline uint64_t vq_features(struct fake *f)
{
    fake_set(f, R_FEATURES_SEL, 4, 1);
    uint64_t high = fake_get(f, R_FEATURES, 4);
    fake_set(f, R_FEATURES_SEL, 4, 0);
    return high << 32 | fake_get(f, R_FEATURES, 4);
}

static inline void vq_queue(struct fake *f, unsigned q, uint32_t num)
{
    fake_set(f, R_QSEL, 4, q);
    fake_set(f, R_QNUM, 4, num);
    fake_set(f, R_DESC, 4, VQ_DESC(q));
    fake_set(f, R_DESC + 4, 4, VQ_DESC(q) >> 32);
    fake_set(f, R_AVAIL, 4, VQ_AVAIL(q));
    fake_set(f, R_AVAIL + 4, 4, VQ_AVAIL(q) >> 32);
    fake_set(f, R_USED, 4, VQ_USED(q));
    fake_set(f, R_USED + 4, 4, VQ_USED(q) >> 32);
    fake_set(f, R_QREADY, 4, 1);
}

/* Negotiates `features` up to FEATURES_OK; the status as the device leaves it. */
static inline uint64_t vq_negotiate(struct fake *f, uint64_t features)
{
    fake_set(f, R_STATUS, 4, 0);
    memset(fake_ram(f, VQ_DESC(0), 0x8000), 0, 0x8000);
    fake_set(f, R_STATUS, 4, 1);
    fake_set(f, R_STATUS, 4, 3);
    fake_set(f, R_DRIVER_SEL, 4, 0);
    fake_set(f, R_DRIVER, 4, features);
    fake_set(f, R_DRIVER_SEL, 4, 1);
    fake_set(f, R_DRIVER, 4, features >> 32);
    fake_set(f, R_STATUS, 4, 11);
    return fake_get(f, R_STATUS, 4);
}

/* A device with `queues` queues, ready to use. */
static inline void vq_start(struct fake *f, uint64_t features, unsigned queues)
{
    vq_negotiate(f, features);
    for (unsigned q = 0; q < queues; q++)
        vq_queue(f, q, VQ_NUM);
    fake_set(f, R_STATUS, 4, 15);
}
#endif
